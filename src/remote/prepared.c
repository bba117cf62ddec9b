/*
 * prepared.c
 *		Prepared statements of a connection.
 *
 * They don't outlive a transaction of ours: the command that ends it deallocates
 * them, so that a pooler gets its server connection back as clean as it was.
 *
 * A pooler that shares server connections between clients transaction by
 * transaction may keep statements for its clients (PgBouncer does, from 1.21 on,
 * if max_prepared_statements isn't 0).  Then a statement has another
 * name on the server, DEALLOCATE fails, and with it the COMMIT that it
 * travels with.  The protocol's Close would do, but libpq has it from 17 on only,
 * and DEALLOCATE ALL would take other clients' statements away behind a pooler's
 * back.  So the first Parse of a connection is followed, in the same flush, by a
 * look at pg_prepared_statements.  If the name isn't there, names are no use:
 * each execution sends the statement whole, as an unnamed one, still in one
 * round trip.  (The one that was prepared to find that out is left to the pooler.)
 */
#include "postgres.h"

#include "access/xact.h"
#include "miscadmin.h"
#include "utils/memutils.h"

#include "remote/prepared.h"
#include "remote/step.h"
#include "remote/wire.h"

/* Queue the question whether the server knows the name. */
static void
queue_look(PgmlConn *conn, const char *name)
{
	char	   *sql = psprintf("SELECT 1 FROM pg_catalog.pg_prepared_statements"
							   " WHERE name = '%s'", name);

	pgml_command_queue(conn, sql, GetCurrentTransactionNestLevel(), -1);
	((PgmlStep *) llast(conn->steps))->finds_name = true;
	pfree(sql);
}

char *
pgml_command_prepare(PgmlConn *conn, const char *sql, int nparams, const Oid *types)
{
	static uint32 counter = 0;
	char	   *name = psprintf("pgml_%d_%u", MyProcPid, ++counter);
	PgmlStep   *step;

	/* whatever this brings in its wake must be queued before the Parse */
	pgml_wire_prepare(conn);
	pgml_command_queue(conn, sql, GetCurrentTransactionNestLevel(), -1);
	step = llast(conn->steps);
	step->prepare = MemoryContextStrdup(conn->cxt, name);
	step->nparams = types != NULL ? nparams : 0;
	if (types != NULL)
	{
		step->types = MemoryContextAlloc(conn->cxt, sizeof(Oid) * Max(nparams, 1));
		memcpy(step->types, types, sizeof(Oid) * nparams);
	}
	if (conn->caps.names == PGML_NAMES_UNKNOWN)
		queue_look(conn, name);
	return name;
}

void
pgml_command_unprepare(PgmlConn *conn, const char *name)
{
	ListCell   *lc;

	foreach(lc, conn->prepared)
	{
		PgmlStep   *step = lfirst(lc);

		if (strcmp(step->prepare, name) == 0)
		{
			if (conn->caps.names != PGML_NAMES_CHANGED)
			{
				char	   *sql = psprintf("DEALLOCATE %s", name);

				pgml_command_queue(conn, sql, conn->begin_level, -1);
				pfree(sql);
			}
			conn->prepared = foreach_delete_current(conn->prepared, lc);
			pgml_steps_free(step);
			return;
		}
	}
}

void
pgml_prepared_keep(PgmlConn *conn, PgmlStep *step)
{
	MemoryContext old = MemoryContextSwitchTo(conn->cxt);

	conn->prepared = lappend(conn->prepared, step);
	MemoryContextSwitchTo(old);
}

void
pgml_prepared_learn(PgmlConn *conn, bool known)
{
	conn->caps.names = known ? PGML_NAMES_KEPT : PGML_NAMES_CHANGED;
}

const char *
pgml_prepared_name(const PgmlConn *conn, const char *name)
{
	return conn->caps.names == PGML_NAMES_CHANGED ? "" : name;
}

/* Find a statement in a list of steps; NULL if it isn't there. */
static const PgmlStep *
find(const List *steps, const char *name)
{
	ListCell   *lc;

	foreach(lc, steps)
	{
		const PgmlStep *step = lfirst(lc);

		if (step->prepare != NULL && strcmp(step->prepare, name) == 0)
			return step;
	}
	return NULL;
}

const char *
pgml_prepared_choose(const PgmlConn *conn, const char *name, const char **sql, const Oid **types)
{
	const PgmlStep *step;

	if (conn->caps.names != PGML_NAMES_CHANGED)
		return name;

	/* its Parse may be in the message that is being sent */
	step = find(conn->prepared, name);
	if (step == NULL)
		step = find(conn->sent, name);
	if (step == NULL)
		elog(ERROR, "statement %s is not prepared", name);
	*sql = step->sql;
	*types = step->types;
	return NULL;
}

void
pgml_prepared_append_deallocate(StringInfo sql, PgmlConn *conn)
{
	ListCell   *lc;

	if (conn->caps.names != PGML_NAMES_CHANGED)
	{
		foreach(lc, conn->prepared)
			appendStringInfo(sql, "DEALLOCATE %s; ", ((PgmlStep *) lfirst(lc))->prepare);
		foreach(lc, conn->steps)
		{
			const char *step = ((PgmlStep *) lfirst(lc))->sql;

			if (strncmp(step, "DEALLOCATE", 10) == 0)
				appendStringInfo(sql, "%s; ", step);
		}
	}
	pgml_command_unqueue(conn, 0);
}

void
pgml_prepared_forget(PgmlConn *conn)
{
	pgml_steps_free_all(&conn->prepared);
}
