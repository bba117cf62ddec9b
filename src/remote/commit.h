/*
 * commit.h
 *		Ending the remote transaction of one connection.
 */
#ifndef PGML_REMOTE_COMMIT_H
#define PGML_REMOTE_COMMIT_H

#include "postgres.h"
#include "lib/stringinfo.h"

#include "remote/connection.h"

/* Send COMMIT, and wait for it; both throw.  Between them other connections can be sent theirs. */
extern void pgml_commit_send(PgmlConn *conn);
extern void pgml_commit_finish(PgmlConn *conn);

/* Append "DEALLOCATE x; " for each statement that is still prepared. */
extern void pgml_commit_append_deallocate(StringInfo sql, PgmlConn *conn);

/* The remote transaction is over: forget what was known of it. */
extern void pgml_commit_forget(PgmlConn *conn);

#endif							/* PGML_REMOTE_COMMIT_H */
