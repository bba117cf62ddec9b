/*
 * commit.c
 *		Ending the remote transaction of one connection.
 *
 * The command that ends it takes along what would outlive it: prepared
 * statements are deallocated in the same message, so that a pooler gets
 * its backend back as clean as it was.
 */
#include "postgres.h"

#include "lib/stringinfo.h"

#include "remote/commit.h"
#include "remote/wire.h"

/*
 * Append "DEALLOCATE x; " for each statement that is still prepared.  Queued
 * steps are forgotten, but for the DEALLOCATEs among them.
 */
static void
append_deallocate(StringInfo sql, PgmlConn *conn)
{
	ListCell   *lc;

	foreach(lc, conn->prepared)
		appendStringInfo(sql, "DEALLOCATE %s; ", (char *) lfirst(lc));
	foreach(lc, conn->steps)
	{
		const char *step = ((PgmlStep *) lfirst(lc))->sql;

		if (strncmp(step, "DEALLOCATE", 10) == 0)
			appendStringInfo(sql, "%s; ", step);
	}
	pgml_command_unqueue(conn, 0);
}

void
pgml_commit_send(PgmlConn *conn)
{
	StringInfoData sql;

	pgml_conn_claim(conn);
	if (conn->lost || conn->doomed || !pgml_connection_is_open(conn))
		ereport(ERROR,
				(errcode(conn->doomed ? ERRCODE_IN_FAILED_SQL_TRANSACTION : ERRCODE_CONNECTION_FAILURE),
				 errmsg("the transaction on server \"%s\" cannot be committed", conn->name),
				 conn->doomed ? 0 : errdetail("The connection was lost.")));

	initStringInfo(&sql);
	append_deallocate(&sql, conn);
	appendStringInfoString(&sql, "COMMIT");
	if (!pgml_command_end_send(conn, sql.data))
		pgml_wire_throw(conn, NULL);
	pfree(sql.data);
}

void
pgml_commit_finish(PgmlConn *conn)
{
	if (!pgml_command_end_finish(conn, "COMMIT", 0))
		ereport(ERROR,
				(errcode(ERRCODE_IN_FAILED_SQL_TRANSACTION),
				 errmsg("the transaction on server \"%s\" had failed and was rolled back",
						conn->name)));
	pgml_commit_forget(conn);
}

/* The statements go last: a failed transaction refuses to deallocate. */
char *
pgml_commit_rollback_command(PgmlConn *conn)
{
	StringInfoData sql;

	initStringInfo(&sql);
	appendStringInfoString(&sql, "ROLLBACK; ");
	append_deallocate(&sql, conn);
	sql.len -= strlen("; ");
	sql.data[sql.len] = '\0';
	return sql.data;
}

void
pgml_commit_forget(PgmlConn *conn)
{
	pgml_command_unqueue(conn, 0);
	list_free_deep(conn->prepared);
	conn->prepared = NIL;
	conn->depth = 0;
	conn->begin_level = 0;
	conn->doomed = false;
	conn->wrote = false;
	conn->readers = 0;

	/* nothing that belonged to it can be found in the next one */
	conn->xact++;
}
