/*
 * async.c
 *		Queries whose results are asked for later, and what arrives unasked.
 *
 * A query of that kind is a stream of rows that nobody reads yet: it stays on
 * the wire from one statement to the next, and an error of the local
 * transaction doesn't concern it.  conn->async tells it from a stream that an
 * error has left behind, which is cancelled.  The flag falls by itself when
 * the last result has been read.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/timestamp.h"

#include "remote/wire.h"

/* How long the remote may take to accept a cancel request. */
#define PGML_CANCEL_MS 10000

bool
pgml_async_send(PgmlConn *conn, const char *sql)
{
	Assert(conn->enlist == NULL);
	if (conn->async || !pgml_connection_is_open(conn))
		return false;
	pgml_rows_start(conn, sql);
	conn->async = true;
	return true;
}

bool
pgml_async_busy(PgmlConn *conn)
{
	if (!pgml_connection_is_open(conn))
		return false;
	while (conn->async)
	{
		PgmlResult *res;

		/* on failure the results that follow tell */
		if (!PQconsumeInput(conn->pg))
			return false;
		if (PQisBusy(conn->pg))
			return true;
		if (!conn->midway)
			return false;
		res = pgml_rows_next(conn, false);
		conn->midway = res != NULL && pgml_result_nrows(res) > 0;
		CHECK_FOR_INTERRUPTS();
	}
	return false;
}

const char *
pgml_async_cancel(PgmlConn *conn)
{
	if (!pgml_connection_is_open(conn))
		return "the connection was lost";
	pgml_wire_cancel(conn, TimestampTzPlusMilliseconds(GetCurrentTimestamp(), PGML_CANCEL_MS));
	return NULL;
}

char *
pgml_async_error(PgmlConn *conn)
{
	char	   *message = pgml_result_safe_text(conn->pg != NULL ? PQerrorMessage(conn->pg) :
												"the connection was lost");

	return message[0] != '\0' ? message : NULL;
}

bool
pgml_async_notification(PgmlConn *conn, PgmlNotification *result)
{
	PGnotify   *notify = NULL;

	if (pgml_connection_is_open(conn))
	{
		(void) PQconsumeInput(conn->pg);
		notify = PQnotifies(conn->pg);
	}
	if (notify == NULL)
		return false;

	result->channel = pgml_result_safe_text(notify->relname);
	result->pid = notify->be_pid;
	result->payload = pgml_result_safe_text(notify->extra);
	PQfreemem(notify);
	return true;
}
