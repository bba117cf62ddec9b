/*
 * step.c
 *		Steps: what must happen on the remote before the next command.
 *
 * BEGIN, settings, SAVEPOINT, RELEASE, DEALLOCATE, Parse: each is queued in
 * conn->steps and costs no round trip of its own.  When a message leaves, its
 * steps move to conn->sent, and each one is taken off there when its result has
 * come.  So conn->depth always says what the remote is known to have done.
 * Proof by cases, when a message ends with steps still in conn->sent:
 *	- the remote is in no transaction: the failed message would have begun it,
 *	  nothing has been done; depth is 0 and true.
 *	- the remote transaction has failed, and one of these steps would have
 *	  changed its depth: it is not known which savepoints exist under which
 *	  meaning, so it is doomed: only a rollback of the whole is safe.  (A
 *	  message of the simple protocol with a syntax error in it runs nothing.)
 *	- it has failed, and the depth was not to change: depth is true.
 */
#include "postgres.h"

#include "utils/memutils.h"

#include "remote/prepared.h"
#include "remote/step.h"
#include "remote/wire.h"

void
pgml_steps_free(PgmlStep *step)
{
	pfree(step->sql);
	if (step->prepare != NULL)
		pfree(step->prepare);
	if (step->types != NULL)
		pfree(step->types);
	pfree(step);
}

void
pgml_steps_free_all(List **steps)
{
	ListCell   *lc;

	foreach(lc, *steps)
		pgml_steps_free(lfirst(lc));
	list_free(*steps);
	*steps = NIL;
}

/* Make a step; it belongs to the connection. */
static PgmlStep *
create_step(PgmlConn *conn, const char *sql, int level, int depth_after)
{
	PgmlStep   *step = MemoryContextAllocZero(conn->cxt, sizeof(PgmlStep));

	step->sql = MemoryContextStrdup(conn->cxt, sql);
	step->level = level;
	step->depth_after = depth_after;
	return step;
}

void
pgml_command_queue(PgmlConn *conn, const char *sql, int level, int depth_after)
{
	MemoryContext old = MemoryContextSwitchTo(conn->cxt);

	conn->steps = lappend(conn->steps, create_step(conn, sql, level, depth_after));
	MemoryContextSwitchTo(old);
}

void
pgml_steps_queue_first(PgmlConn *conn, const char *sql, int level)
{
	MemoryContext old = MemoryContextSwitchTo(conn->cxt);

	conn->steps = lcons(create_step(conn, sql, level, -1), conn->steps);
	MemoryContextSwitchTo(old);
}

void
pgml_command_unqueue(PgmlConn *conn, int level)
{
	ListCell   *lc;

	foreach(lc, conn->steps)
	{
		PgmlStep   *step = lfirst(lc);

		if (step->level >= level)
		{
			conn->steps = foreach_delete_current(conn->steps, lc);
			pgml_steps_free(step);
		}
	}
}

int
pgml_command_planned_depth(PgmlConn *conn)
{
	int			depth = conn->depth;
	ListCell   *lc;

	foreach(lc, conn->steps)
	{
		PgmlStep   *step = lfirst(lc);

		if (step->depth_after >= 0)
			depth = step->depth_after;
	}
	return depth;
}

void
pgml_steps_confirm(PgmlConn *conn, const PGresult *res)
{
	PgmlStep   *step = linitial(conn->sent);

	conn->sent = list_delete_first(conn->sent);
	if (step->depth_after >= 0)
		conn->depth = step->depth_after;
	if (step->finds_name)
		pgml_prepared_learn(conn, PQntuples(res) > 0);
	if (step->prepare != NULL)
		pgml_prepared_keep(conn, step);
	else
		pgml_steps_free(step);
}

void
pgml_steps_judge(PgmlConn *conn)
{
	ListCell   *lc;

	foreach(lc, conn->sent)
		if (((PgmlStep *) lfirst(lc))->depth_after >= 0 &&
			PQtransactionStatus(conn->pg) != PQTRANS_IDLE)
			conn->doomed = true;
	pgml_steps_free_all(&conn->sent);
}

void
pgml_steps_forget(PgmlConn *conn)
{
	pgml_command_unqueue(conn, 0);
	pgml_steps_free_all(&conn->sent);
}
