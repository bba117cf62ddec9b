/*
 * prepared.h
 *		Prepared statements, for the floor "remote" only; what others may ask for is
 *		in command.h.
 */
#ifndef PGML_REMOTE_PREPARED_H
#define PGML_REMOTE_PREPARED_H

#include "postgres.h"
#include "lib/stringinfo.h"

#include "remote/connection.h"

/* A Parse has been done: the step belongs to the connection's statements from now on. */
extern void pgml_prepared_keep(PgmlConn *conn, PgmlStep *step);

/* Take note whether the server knows a statement by the name that we gave it. */
extern void pgml_prepared_learn(PgmlConn *conn, bool known);

/* Choose the name under which to prepare the statement called so: maybe "", no name. */
extern const char *pgml_prepared_name(const PgmlConn *conn, const char *name);

/*
 * Choose how to execute the statement called so: its name, or NULL: it is to be
 * sent whole, sql and types then are what was prepared.
 */
extern const char *pgml_prepared_choose(const PgmlConn *conn, const char *name,
										const char **sql, const Oid **types);

/*
 * Append "DEALLOCATE x; " for each statement that is still prepared.  Queued
 * steps are forgotten, but for the DEALLOCATEs among them.
 */
extern void pgml_prepared_append_deallocate(StringInfo sql, PgmlConn *conn);

/* Forget all of them. */
extern void pgml_prepared_forget(PgmlConn *conn);

#endif							/* PGML_REMOTE_PREPARED_H */
