/*
 * commit.c
 *		Ending the remote transaction of one connection.
 *
 * The command that ends it takes along what would outlive it: prepared
 * statements are deallocated in the same message, so that a pooler gets
 * its backend back as clean as it was.
 *
 * While COMMIT is on the wire the remote may have committed already; who gave up
 * then would undo the local transaction alone.  So a cancel that comes meanwhile,
 * or the order to end the session, is put off for a moment, in which the answer
 * usually comes.
 */
#include "postgres.h"

#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "utils/timestamp.h"

#include "remote/commit.h"
#include "remote/prepared.h"
#include "remote/wire.h"

/* How long an interrupt is put off for the sake of a COMMIT. */
#define PGML_COMMIT_GRACE_MS 1000

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
	pgml_prepared_append_deallocate(&sql, conn);
	appendStringInfoString(&sql, "COMMIT");
	if (!pgml_command_end_send(conn, sql.data))
		pgml_wire_throw(conn, NULL);
	pfree(sql.data);
}

/* Wait for the next result of a COMMIT, interrupted or not (see above); throws when it takes too long. */
static void
await_result(PgmlConn *conn)
{
	TimestampTz until = 0;

	HOLD_CANCEL_INTERRUPTS();
	while (PQisBusy(conn->pg) && (until == 0 || GetCurrentTimestamp() < until))
	{
		HOLD_INTERRUPTS();
		(void) pgml_wire_has_input(conn, until == 0 ? -1 : PGML_COMMIT_GRACE_MS);
		RESUME_INTERRUPTS();
		if ((QueryCancelPending || ProcDiePending) && until == 0)
			until = TimestampTzPlusMilliseconds(GetCurrentTimestamp(), PGML_COMMIT_GRACE_MS);

		/* other backends may wait for what else there is to be heard */
		if (!ProcDiePending)
			CHECK_FOR_INTERRUPTS();
	}
	RESUME_CANCEL_INTERRUPTS();

	if (PQisBusy(conn->pg))
	{
		ereport(WARNING,
				(errcode(ERRCODE_TRANSACTION_RESOLUTION_UNKNOWN),
				 errmsg("it is not known whether server \"%s\" has committed its part of the transaction",
						conn->name)));
		CHECK_FOR_INTERRUPTS();
	}
}

/* Callback: what a connection that is lost while COMMIT is on its way leaves open. */
static void
explain_loss(void *arg)
{
	if (geterrcode() == ERRCODE_CONNECTION_FAILURE)
		errhint("It is not known whether the remote has committed its part of the transaction: look there before you run it again.");
}

void
pgml_commit_finish(PgmlConn *conn)
{
	ErrorContextCallback callback = {error_context_stack, explain_loss, NULL};
	bool		committed = false;

	error_context_stack = &callback;
	if (!pgml_wire_flush(conn, 0))
		pgml_wire_throw(conn, NULL);
	for (;;)
	{
		PGresult   *res;

		await_result(conn);
		pgml_wire_next(conn, 0, &res);
		if (res == NULL)
			break;
		if (!pgml_wire_ok(res))
			pgml_wire_throw(conn, res);

		/* COMMIT of a failed transaction succeeds as a ROLLBACK: the tag tells */
		committed = strcmp(PQcmdStatus(res), "COMMIT") == 0;
		PQclear(res);
	}
	error_context_stack = callback.previous;
	if (!committed)
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
	pgml_prepared_append_deallocate(&sql, conn);
	sql.len -= strlen("; ");
	sql.data[sql.len] = '\0';
	return sql.data;
}

void
pgml_commit_forget(PgmlConn *conn)
{
	pgml_command_unqueue(conn, 0);
	pgml_prepared_forget(conn);
	conn->depth = 0;
	conn->begin_level = 0;
	conn->doomed = false;
	conn->wrote = false;
	conn->readers = 0;

	/* nothing that belonged to it can be found in the next one */
	conn->xact++;
}
