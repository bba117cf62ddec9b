/*
 * readonly.c
 *		Remote transactions that only read.
 *
 * A COMMIT need not be waited for where nothing in it can fail or matter.  That
 * is so when all that ran were SELECTs of plain tables, in REPEATABLE READ: no
 * deferred constraint, no trigger, no function that could have written.  (In
 * SERIALIZABLE what was read counts only once it is committed.)  What
 * is a plain table is asked of the remote once per connection and table: when the
 * planner asks for its size, or at the first COMMIT that could have done with
 * the knowledge; that question takes the place of the wait.  A table with children or row security is not plain: a
 * child may be a foreign table, and a policy may call anything.
 *
 * The answer to such a COMMIT is taken in by whoever uses the connection next;
 * mostly it is there by then.  Should it be an error, that is a warning: nothing
 * that was read becomes wrong by it.
 *
 * The same knowledge lets the remote transaction end early where the user has
 * asked for it (option release_early): production doesn't stay idle in
 * transaction while we go on with local work.  The price is that each
 * statement, or scan, has a snapshot of its own.
 */
#include "postgres.h"

#include "access/xact.h"
#include "miscadmin.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "remote/commit.h"
#include "remote/readonly.h"
#include "remote/wire.h"

/* What is known of a remote table. */
typedef struct KnownTable
{
	char	   *name;
	bool		asked;			/* the remote has been asked */
	bool		plain;
} KnownTable;

void
pgml_readonly_begin(PgmlConn *conn)
{
	conn->only_scans = true;
	conn->only_tables = true;
	conn->readers = 0;
	list_free(conn->unknown_tables);
	conn->unknown_tables = NIL;
}

/* Find or make the entry of a table. */
static KnownTable *
known_table(PgmlConn *conn, const char *name)
{
	ListCell   *lc;
	KnownTable *table;
	MemoryContext old;

	foreach(lc, conn->known_tables)
	{
		table = lfirst(lc);
		if (strcmp(table->name, name) == 0)
			return table;
	}

	old = MemoryContextSwitchTo(conn->cxt);
	table = palloc0(sizeof(KnownTable));
	table->name = pstrdup(name);
	conn->known_tables = lappend(conn->known_tables, table);
	MemoryContextSwitchTo(old);
	return table;
}

void
pgml_readonly_learn(PgmlConn *conn, const char *relation, bool plain)
{
	KnownTable *table = known_table(conn, relation);

	/* one that is waiting for an answer keeps its place in the question */
	if (list_member_ptr(conn->unknown_tables, table))
		return;
	table->asked = true;
	table->plain = plain;
}

void
pgml_readonly_forget_tables(PgmlConn *conn)
{
	ListCell   *lc;

	foreach(lc, conn->known_tables)
		pfree(((KnownTable *) lfirst(lc))->name);
	list_free_deep(conn->known_tables);
	conn->known_tables = NIL;
	list_free(conn->unknown_tables);
	conn->unknown_tables = NIL;
}

void
pgml_readonly_scan_begins(PgmlConn *conn, const char *relation, bool locks)
{
	KnownTable *table;

	if (conn->enlist == NULL)
		return;
	conn->readers++;
	if (locks)
		conn->only_scans = false;
	if (locks || relation == NULL)
		conn->only_tables = false;
	if (!conn->only_tables)
		return;

	table = known_table(conn, relation);
	if (table->asked && !table->plain)
		conn->only_tables = false;
	else if (!table->asked)
	{
		MemoryContext old = MemoryContextSwitchTo(conn->cxt);

		conn->unknown_tables = list_append_unique_ptr(conn->unknown_tables, table);
		MemoryContextSwitchTo(old);
	}
}

void
pgml_readonly_other_command(PgmlConn *conn)
{
	conn->only_scans = false;
	conn->only_tables = false;
}

bool
pgml_readonly_is_reading(const PgmlConn *conn)
{
	return conn->readers > 0;
}

void
pgml_readonly_scan_forgotten(PgmlConn *conn)
{
	if (conn->readers > 0)
		conn->readers--;
}

void
pgml_readonly_scan_ends(PgmlConn *conn)
{
	pgml_readonly_scan_forgotten(conn);
	if (!conn->release_early || conn->readers > 0 || !conn->only_scans || conn->wrote ||
		conn->depth == 0 || conn->doomed || conn->lost || conn->wire != PGML_WIRE_IDLE)
		return;
	if (pgml_readonly_commit(conn))
		return;
	pgml_commit_send(conn);
	pgml_commit_finish(conn);
}

/* The question which of the tables that were read are plain. */
static char *
question(PgmlConn *conn)
{
	StringInfoData sql;
	ListCell   *lc;

	initStringInfo(&sql);
	appendStringInfoString(&sql,
						   "SELECT c.relkind IN ('r', 'm') AND NOT c.relhassubclass"
						   " AND NOT c.relrowsecurity FROM (VALUES ");
	foreach(lc, conn->unknown_tables)
	{
		appendStringInfo(&sql, "%s(%d, ", lc == list_head(conn->unknown_tables) ? "" : ", ",
						 foreach_current_index(lc));
		pgml_append_literal(&sql, ((KnownTable *) lfirst(lc))->name);
		appendStringInfoChar(&sql, ')');
	}
	appendStringInfoString(&sql, ") AS t(i, name) LEFT JOIN pg_catalog.pg_class AS c"
						   " ON c.oid = pg_catalog.to_regclass(t.name) ORDER BY t.i");
	return sql.data;
}

/* Write down the answer; a remote that doesn't understand the question has no plain tables. */
static void
learn(PgmlConn *conn, PGresult *res)
{
	ListCell   *lc;
	bool		understood = PQresultStatus(res) == PGRES_TUPLES_OK && PQnfields(res) == 1 &&
		PQntuples(res) == list_length(conn->unknown_tables);

	foreach(lc, conn->unknown_tables)
	{
		KnownTable *table = lfirst(lc);

		table->asked = true;
		table->plain = understood &&
			strcmp(PQgetvalue(res, foreach_current_index(lc), 0), "t") == 0;
		conn->only_tables = conn->only_tables && table->plain;
	}
	list_free(conn->unknown_tables);
	conn->unknown_tables = NIL;
}

/* Ask the remote about tables that it hasn't been asked about; throws. */
static void
ask(PgmlConn *conn)
{
	char	   *sql = question(conn);
	PGresult   *res;

	if (!pgml_command_end_send(conn, sql) || !pgml_wire_flush(conn, 0))
		pgml_wire_throw(conn, NULL);
	pfree(sql);
	for (;;)
	{
		pgml_wire_next(conn, 0, &res);
		if (res == NULL)
			break;
		if (pgml_wire_is_copy(res))
			pgml_wire_throw(conn, res);
		learn(conn, res);
		PQclear(res);
	}
}

/* End a transaction that has failed; throws. */
static void
end_failed(PgmlConn *conn)
{
	char	   *sql = pgml_commit_rollback_command(conn);

	if (!pgml_command_end_send(conn, sql))
		pgml_wire_throw(conn, NULL);
	pfree(sql);
	(void) pgml_command_end_finish(conn, NULL, 0);
	pgml_commit_forget(conn);
}

bool
pgml_readonly_commit(PgmlConn *conn)
{
	if (!conn->only_tables || conn->wrote || conn->doomed || conn->lost ||
		IsolationIsSerializable())
		return false;

	pgml_conn_claim(conn);
	if (pgml_command_remote_xact(conn) != PGML_XACT_OPEN)
		return false;
	if (conn->unknown_tables != NIL)
		ask(conn);
	if (pgml_command_remote_xact(conn) != PGML_XACT_OPEN)
	{
		/* the question has failed the transaction, which had nothing to keep */
		end_failed(conn);
		return true;
	}
	if (!conn->only_tables)
		return false;

	pgml_commit_send(conn);
	if (!pgml_wire_flush(conn, 0))
		pgml_wire_throw(conn, NULL);
	pgml_commit_forget(conn);
	conn->late = "COMMIT";
	conn->wire_level = 0;
	return true;
}

void
pgml_readonly_finish_late(PgmlConn *conn)
{
	TimestampTz deadline = TimestampTzPlusMilliseconds(GetCurrentTimestamp(),
													   PGML_CLEANUP_TIMEOUT_MS);
	bool		commit;
	bool		done;

	if (conn->late == NULL)
		return;
	conn->unawaited = false;
	commit = conn->enlist != NULL;
	done = pgml_command_end_finish(conn, conn->late, deadline);
	if (!done)
		CHECK_FOR_INTERRUPTS();
	conn->late = NULL;
	if (done)
		return;

	/* whatever it is, nobody has done anything on this connection yet */
	if (commit && pgml_connection_is_open(conn))
		ereport(WARNING,
				(errmsg("the end of a transaction that only read failed on server \"%s\"",
						conn->name)));
	pgml_connection_drop(conn);
}
