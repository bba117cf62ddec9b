/*
 * commit.h
 *		Ending the remote transaction of one connection.
 */
#ifndef PGML_REMOTE_COMMIT_H
#define PGML_REMOTE_COMMIT_H

#include "postgres.h"

#include "remote/connection.h"

/* Send COMMIT, and wait for it; both throw.  Between them other connections can be sent theirs. */
extern void pgml_commit_send(PgmlConn *conn);
extern void pgml_commit_finish(PgmlConn *conn);

/*
 * The command that rolls the remote transaction back, in the current context;
 * forgets the queued steps.
 */
extern char *pgml_commit_rollback_command(PgmlConn *conn);

/* The remote transaction is over: forget what was known of it. */
extern void pgml_commit_forget(PgmlConn *conn);

#endif							/* PGML_REMOTE_COMMIT_H */
