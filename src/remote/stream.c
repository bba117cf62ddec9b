/*
 * stream.c
 *		Streams of rows: COPY TO STDOUT, and queries read row by row.
 *
 * A stream has the wire for itself until its end, or until somebody else needs
 * the wire and its occupant parks it (connection.h).
 *
 * Ending a stream early.  A cancelled query takes its transaction down, so a
 * stream that may be stopped starts behind a savepoint, the guard, in the same
 * message.  To stop, read on for a moment: what is small is over before a
 * cancel would have arrived.  Else cancel, read to the end of the message, and
 * go back to the guard: the remote's earlier work and its snapshot are kept.
 * At a normal end the guard is released with the next command.
 *
 * A cancel may arrive when the stream is over and hit what comes next, which is
 * our own ROLLBACK TO: that one is tried again once.
 */
#include "postgres.h"

#include "access/xact.h"
#include "miscadmin.h"
#include "utils/timestamp.h"

#include "base/stats.h"
#include "remote/readonly.h"
#include "remote/step.h"
#include "remote/wire.h"

/*
 * A stream that is stopped is read on up to this much before it is cancelled.
 * A cancel costs a connection and a round trip, some 200 us on one machine, in
 * which a local socket brings about this much.
 */
#define PGML_DRAIN_BYTES (256 * 1024)

/* And it is waited for its next row no longer than this. */
#define PGML_DRAIN_WAIT_MS 2

/* Bytes of rows have come. */
static void
count_bytes(PgmlConn *conn, int64 bytes)
{
	pgml_stats.bytes_in += bytes;
	if (conn->occupant != NULL && conn->occupant->usage != NULL)
		conn->occupant->usage->bytes += bytes;
}

/* Free the wire of a stream that has been read to the end of its message. */
static void
vacate(PgmlConn *conn)
{
	conn->occupant = NULL;
	if (conn->enlist == NULL)
		pgml_connection_free_waits(conn);

	/* first: a RELEASE below the guard, queued meanwhile, would take it away */
	if (conn->guarded)
		pgml_steps_queue_first(conn, "RELEASE SAVEPOINT " PGML_GUARD, conn->wire_level);
	conn->guarded = false;
}

void
pgml_stream_start(PgmlConn *conn, PgmlOccupant *occupant,
				  const char *describe_sql, const char *copy_sql, bool guard)
{
	pgml_wire_prepare(conn);
	if (guard)
		pgml_command_queue(conn, "SAVEPOINT " PGML_GUARD, GetCurrentTransactionNestLevel(), -1);
	if (describe_sql != NULL)
	{
		char	   *both = psprintf("%s; %s", describe_sql, copy_sql);

		pgml_wire_send_simple(conn, both, PGML_WIRE_COPY_OUT);
		pfree(both);
	}
	else
		pgml_wire_send_simple(conn, copy_sql, PGML_WIRE_COPY_OUT);
	conn->occupant = occupant;
	conn->guarded = guard;
	conn->copying = false;
}

PgmlResult *
pgml_stream_describe(PgmlConn *conn)
{
	PGresult   *res;

	pgml_wire_next(conn, 0, &res);
	if (res == NULL || PQresultStatus(res) != PGRES_TUPLES_OK)
	{
		conn->occupant = NULL;
		pgml_wire_throw(conn, res);
	}
	return pgml_result_wrap(res);
}

/* Wait until the remote has begun to send the COPY. */
static void
await_copy(PgmlConn *conn)
{
	PGresult   *res;

	pgml_wire_next(conn, 0, &res);
	if (res == NULL || PQresultStatus(res) != PGRES_COPY_OUT)
	{
		conn->occupant = NULL;
		pgml_wire_throw(conn, res);
	}
	PQclear(res);
	conn->copying = true;
}

void
pgml_stream_start_rows(PgmlConn *conn, PgmlOccupant *occupant, const char *name,
					   const char *sql, const PgmlParams *params, bool guard)
{
	pgml_wire_prepare(conn);
	if (guard)
		pgml_command_queue(conn, "SAVEPOINT " PGML_GUARD, GetCurrentTransactionNestLevel(), -1);
	pgml_wire_send_extended(conn, name, sql, params, PGML_WIRE_ROWS);
	conn->occupant = occupant;
	conn->guarded = guard;
}

bool
pgml_stream_next_rows(PgmlConn *conn, PgmlResult *into)
{
	if (conn->wire != PGML_WIRE_ROWS)
		elog(ERROR, "no stream is open on server \"%s\"", conn->name);

	for (;;)
	{
		PGresult   *res;

		pgml_wire_next(conn, 0, &res);
		if (res == NULL)
		{
			vacate(conn);
			return false;
		}
		if (!pgml_wire_ok(res))
		{
			conn->occupant = NULL;
			pgml_wire_throw(conn, res);
		}

		/* behind the rows comes a result without any, for the command as such */
		if (PQntuples(res) > 0 || !conn->described)
		{
			conn->described = true;
			pgml_result_replace(into, res);
			count_bytes(conn, pgml_result_bytes(into));
			return true;
		}
		PQclear(res);
	}
}

/* Read the results behind the last row; true if all went well. */
static bool
finish_copy(PgmlConn *conn, bool fail)
{
	PGresult   *res;
	bool		ok = true;

	/* another COPY would be one too many */
	conn->copying = false;
	conn->wire = PGML_WIRE_COMMAND;
	for (;;)
	{
		pgml_wire_next(conn, 0, &res);
		if (res == NULL)
			return ok;
		if (!pgml_wire_ok(res))
		{
			conn->occupant = NULL;
			if (fail)
				pgml_wire_throw(conn, res);
			ok = false;
		}
		PQclear(res);
	}
}

/* Make sure that the connection carries a COPY. */
static void
check_copy(PgmlConn *conn)
{
	if (conn->wire != PGML_WIRE_COPY_OUT)
		elog(ERROR, "no stream is open on server \"%s\"", conn->name);
}

/* So many bytes of the COPY have come (-1: its end); is there more? */
static bool
go_on(PgmlConn *conn, int len)
{
	if (len >= 0)
	{
		count_bytes(conn, len);
		return true;
	}
	finish_copy(conn, true);
	vacate(conn);
	return false;
}

bool
pgml_stream_read(PgmlConn *conn, StringInfo buf)
{
	/* whoever read before us was interrupted behind the last row */
	if (conn->wire == PGML_WIRE_COMMAND && conn->occupant != NULL)
		return go_on(conn, -1);
	check_copy(conn);
	if (!conn->copying)
		await_copy(conn);
	return go_on(conn, pgml_wire_await_copy(conn, buf));
}

bool
pgml_stream_try_read(PgmlConn *conn, StringInfo buf)
{
	check_copy(conn);
	if (!conn->copying && !pgml_wire_poll(conn))
		return true;
	if (!conn->copying)
		await_copy(conn);
	return go_on(conn, pgml_wire_poll_copy(conn, buf));
}

bool
pgml_stream_has_answered(PgmlConn *conn)
{
	return pgml_wire_poll(conn);
}

int
pgml_stream_socket(PgmlConn *conn)
{
	return PQsocket(conn->pg);
}

/* Take the next of a COPY's bytes, if they are there: their length, 0, or -1 at the end. */
static int
try_copy(PgmlConn *conn, bool *failed)
{
	int			len = pgml_wire_try_copy(conn);

	if (len < 0)
		*failed = !finish_copy(conn, false);
	return len;
}

/* Take the next rows of a query, if they are there: some length, 0, or -1 at the end. */
static int
try_rows(PgmlConn *conn, bool *failed)
{
	PGresult   *res;
	int			len;

	if (!pgml_wire_poll(conn))
		return 0;
	pgml_wire_next(conn, 0, &res);
	if (res == NULL)
		return -1;
	if (!pgml_wire_ok(res))
		*failed = true;
	len = Max(PQresultMemorySize(res), 1);
	PQclear(res);
	return len;
}

/*
 * Read on while it is cheap; true if that was the end of the stream.  An error
 * that rows met which nobody wanted is nobody's error.
 */
static bool
drain_small(PgmlConn *conn, bool *failed)
{
	int64		drained = 0;

	*failed = false;
	while (drained < PGML_DRAIN_BYTES)
	{
		int			len = conn->copying ? try_copy(conn, failed) : try_rows(conn, failed);

		if (len < 0)
			return true;
		drained += len;
		if (len == 0 && !pgml_wire_has_input(conn, PGML_DRAIN_WAIT_MS))
			return false;
	}
	return false;
}

/* Go back to the guard, and take it away. */
static void
rollback_to_guard(PgmlConn *conn)
{
	for (int attempt = 0; attempt < 2; attempt++)
	{
		if (!pgml_command_end_send(conn, PGML_BACK_TO_GUARD))
			pgml_wire_throw(conn, NULL);

		/* the first attempt may fail by the cancel that was meant for the stream */
		if (pgml_command_end_finish(conn, "RELEASE",
									attempt > 0 ? 0 :
									TimestampTzPlusMilliseconds(GetCurrentTimestamp(),
																PGML_CLEANUP_TIMEOUT_MS)))
			return;
		if (conn->wire != PGML_WIRE_IDLE)
			break;
	}

	pgml_connection_drop(conn);
	CHECK_FOR_INTERRUPTS();
	ereport(ERROR,
			(errcode(ERRCODE_CONNECTION_FAILURE),
			 errmsg("could not end a query on server \"%s\"", conn->name)));
}

/* Cancel what is on the wire and read to its end; throws if that can't be done. */
static void
cancel_message(PgmlConn *conn)
{
	TimestampTz deadline = TimestampTzPlusMilliseconds(GetCurrentTimestamp(),
													   PGML_CLEANUP_TIMEOUT_MS);

	if (!pgml_command_settle(conn, deadline))
	{
		/* whom the user has interrupted leaves it to the abort, which tries again */
		CHECK_FOR_INTERRUPTS();
		pgml_connection_drop(conn);
		ereport(ERROR,
				(errcode(ERRCODE_CONNECTION_FAILURE),
				 errmsg("could not cancel a query on server \"%s\"", conn->name),
				 errdetail("The connection has been closed.")));
	}
}

/* Read a stream to its end and forget it. */
static void
read_to_end(PgmlConn *conn)
{
	if (conn->wire == PGML_WIRE_ROWS)
	{
		PgmlResult *rows = pgml_result_create();

		while (pgml_stream_next_rows(conn, rows))
			;
		pgml_result_free(rows);
	}
	else
	{
		StringInfoData bytes;

		initStringInfo(&bytes);
		while (pgml_stream_read(conn, &bytes))
			resetStringInfo(&bytes);
		pfree(bytes.data);
	}
}

/* Free the wire of a stream that has a guard. */
static void
stop_guarded(PgmlConn *conn)
{
	bool		failed = true;
	bool		started = conn->copying || conn->wire == PGML_WIRE_ROWS;

	if (!started || !drain_small(conn, &failed))
	{
		cancel_message(conn);
		failed = true;
	}
	if (failed)
		rollback_to_guard(conn);
	else
		vacate(conn);
}

void
pgml_stream_end(PgmlConn *conn)
{
	bool		failed;

	conn->occupant = NULL;
	if (conn->midway)
	{
		pgml_rows_skip(conn);
		while (pgml_rows_next(conn, false) != NULL)
			;
		vacate(conn);
	}
	else if (conn->guarded)
		stop_guarded(conn);
	else if (conn->wire != PGML_WIRE_COMMAND && conn->wire != PGML_WIRE_COPY_IN &&
			 conn->enlist != NULL)
		read_to_end(conn);		/* it is small, or has locked rows that must stay so */
	else
	{
		if (!conn->copying || !drain_small(conn, &failed))
			cancel_message(conn);
		vacate(conn);
	}
}

void
pgml_stream_stop(PgmlConn *conn, PgmlOccupant *occupant)
{
	if (conn->occupant == occupant)
		pgml_stream_end(conn);
}

void
pgml_stream_orphan(PgmlConn *conn, PgmlOccupant *occupant)
{
	if (conn->occupant == occupant)
		conn->occupant = NULL;
}

void
pgml_rows_start(PgmlConn *conn, const char *sql)
{
	pgml_wire_prepare(conn);
	pgml_readonly_other_command(conn);
	pgml_wire_send_simple(conn, sql, PGML_WIRE_ROWS);
	PQsetSingleRowMode(conn->pg);
}

void
pgml_rows_start_params(PgmlConn *conn, const char *sql, const PgmlParams *params)
{
	pgml_wire_prepare(conn);
	pgml_readonly_other_command(conn);
	pgml_wire_open_pipeline(conn, sql, PGML_WIRE_ROWS);
	conn->as_text = true;
	pgml_wire_add_statement(conn, NULL, sql, params);
	pgml_wire_close_pipeline(conn);
}

PgmlResult *
pgml_rows_next(PgmlConn *conn, bool fail)
{
	PGresult   *res;

	if (conn->wire != PGML_WIRE_ROWS)
		return NULL;
	pgml_wire_next(conn, 0, &res);
	if (res == NULL)
		return NULL;
	if (!pgml_wire_ok(res) && fail)
		pgml_wire_throw(conn, res);

	if (conn->row == NULL)
	{
		MemoryContext old = MemoryContextSwitchTo(conn->cxt);

		conn->row = pgml_result_create();
		MemoryContextSwitchTo(old);
	}
	pgml_result_replace(conn->row, res);
	return conn->row;
}

void
pgml_rows_occupy(PgmlConn *conn, PgmlOccupant *occupant)
{
	Assert(conn->enlist == NULL && conn->wire == PGML_WIRE_ROWS);
	conn->occupant = occupant;
	conn->midway = true;
}

void
pgml_rows_skip(PgmlConn *conn)
{
	PgmlResult *res;

	while (conn->midway && (res = pgml_rows_next(conn, false)) != NULL)
	{
		CHECK_FOR_INTERRUPTS();
		conn->midway = pgml_result_nrows(res) > 0;
	}
	conn->midway = false;
}

void
pgml_rows_leave(PgmlConn *conn)
{
	conn->midway = false;
	vacate(conn);
}
