/*
 * step.h
 *		The bookkeeping of what travels before a command, for the floor "remote"
 *		only; what others may ask for is in command.h.
 */
#ifndef PGML_REMOTE_STEP_H
#define PGML_REMOTE_STEP_H

#include "postgres.h"

#include "remote/connection.h"

/* Queue a step that leaves the depth as it is, to run before those that are queued already. */
extern void pgml_steps_queue_first(PgmlConn *conn, const char *sql, int level);

/* The first of the sent steps has been done by the remote, with that result, which stays the caller's. */
extern void pgml_steps_confirm(PgmlConn *conn, const struct pg_result *res);

extern void pgml_steps_free(PgmlStep *step);

/* The same for all of a list, and the list, which is empty then. */
extern void pgml_steps_free_all(List **steps);

/* The message has been answered: judge what became of those of its steps that weren't done. */
extern void pgml_steps_judge(PgmlConn *conn);

/* Forget all steps, queued or sent. */
extern void pgml_steps_forget(PgmlConn *conn);

#endif							/* PGML_REMOTE_STEP_H */
