/*
 * wire.c
 *		Sending messages and receiving results.
 *
 * The connection is in libpq's non-blocking mode and every wait is on the
 * process latch and the socket, so that a cancel, a timeout or the end of the
 * postmaster is heard.  An interrupt is thrown out of the wait with the message
 * unfinished; the wire stays marked busy, and the abort of the transaction (or
 * whoever needs the connection next) settles it.
 *
 * Round trips are counted where they are caused: the first time somebody asks
 * for a result after a flush.
 */
#include "postgres.h"

#include "access/xact.h"
#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "storage/fd.h"
#include "storage/ipc.h"
#include "storage/latch.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "base/stats.h"
#include "remote/prepared.h"
#include "remote/readonly.h"
#include "remote/step.h"
#include "remote/wire.h"

#ifdef LIBPQ_HAS_CHUNK_MODE
/* Rows that libpq hands out at a time; more would only need more memory. */
#define PGML_CHUNK_ROWS 64
#endif

/* As much of a command as is kept for error messages. */
#define PGML_SQL_KEPT 4096

/*
 * Bytes of a COPY that are taken from libpq at a time, as long as no single row is
 * longer: more than the kernel hands over at once, and little enough to be in
 * the cache still when the rows are decoded.
 */
#define PGML_COPY_ROOM (64 * 1024)

/* Turn a deadline into a timeout for one wait; false: there is no time left. */
static bool
compute_timeout(TimestampTz deadline, long *timeout)
{
	*timeout = -1;
	if (deadline == 0)
		return true;
	*timeout = TimestampDifferenceMilliseconds(GetCurrentTimestamp(), deadline);
	return *timeout > 0 && !ProcDiePending && !QueryCancelPending;
}

/* The latch has been set: by whom, if anybody wants to know. */
static void
hear_latch(TimestampTz deadline)
{
	ResetLatch(MyLatch);
	if (deadline == 0)
		CHECK_FOR_INTERRUPTS();
}

bool
pgml_wire_wait(int socket, int events, TimestampTz deadline)
{
	int			happened;
	long		timeout;

	if (!compute_timeout(deadline, &timeout))
		return false;
	if (timeout >= 0)
		events |= WL_TIMEOUT;
	happened = WaitLatchOrSocket(MyLatch, WL_LATCH_SET | WL_EXIT_ON_PM_DEATH | events,
								 socket, timeout, PG_WAIT_EXTENSION);
	if (happened & WL_LATCH_SET)
		hear_latch(deadline);
	return true;
}

/*
 * Make the set of what we wait for when we read from the remote.  Made once per
 * network connection: to make one takes longer than a short wait.
 */
static void
make_wait_set(PgmlConn *conn)
{
	int			socket = PQsocket(conn->pg);

	/* one that is there is not of this socket, or was never finished */
	pgml_connection_free_waits(conn);
	conn->waits = pgml_create_wait_set(conn->cxt, 3);
	AddWaitEventToSet(conn->waits, WL_SOCKET_READABLE, socket, NULL, NULL);
	AddWaitEventToSet(conn->waits, WL_LATCH_SET, PGINVALID_SOCKET, MyLatch, NULL);
	AddWaitEventToSet(conn->waits, WL_EXIT_ON_PM_DEATH, PGINVALID_SOCKET, NULL, NULL);
	conn->waits_on = socket;
}

/* Wait until the remote has sent something, the latch is set, or timeout ms have passed (-1: none). */
static bool
wait_readable(PgmlConn *conn, long timeout, TimestampTz deadline)
{
	WaitEvent	event;

	/* of dblink's there may be many, and a set takes a file descriptor: only for a stream */
	if (conn->enlist == NULL && conn->occupant == NULL)
	{
		int			happened = WaitLatchOrSocket(MyLatch, WL_LATCH_SET | WL_EXIT_ON_PM_DEATH |
												 WL_SOCKET_READABLE | (timeout >= 0 ? WL_TIMEOUT : 0),
												 PQsocket(conn->pg), timeout, PG_WAIT_EXTENSION);

		if (happened & WL_LATCH_SET)
			hear_latch(deadline);
		return (happened & WL_SOCKET_READABLE) != 0;
	}
	if (conn->waits == NULL || conn->waits_on != PQsocket(conn->pg))
		make_wait_set(conn);
	if (WaitEventSetWait(conn->waits, timeout, &event, 1, PG_WAIT_EXTENSION) == 0)
		return false;
	if (event.events & WL_LATCH_SET)
		hear_latch(deadline);
	return (event.events & WL_SOCKET_READABLE) != 0;
}

bool
pgml_wire_flush(PgmlConn *conn, TimestampTz deadline)
{
	for (;;)
	{
		int			left = PQflush(conn->pg);

		if (left <= 0)
			return left == 0;
		if (!pgml_wire_wait(PQsocket(conn->pg), WL_SOCKET_READABLE | WL_SOCKET_WRITEABLE, deadline))
			return false;

		/* the remote may be stuck because it wants to be read first */
		if (!PQconsumeInput(conn->pg))
			return false;
	}
}

/* Take the wire from its occupant, or end an orphaned stream; what is left for later stays. */
static void
free_wire(PgmlConn *conn)
{
	pgml_readonly_finish_late(conn);
	if (conn->occupant != NULL)
	{
		pgml_stats.parked++;
		conn->occupant->park(conn->occupant);
	}
	if (conn->async)
		pgml_rows_skip(conn);
	else if (conn->wire != PGML_WIRE_IDLE)
		pgml_stream_end(conn);
	Assert((conn->wire == PGML_WIRE_IDLE || conn->async) && conn->occupant == NULL);
}

void
pgml_wire_prepare_copyin(PgmlConn *conn, int level)
{
	free_wire(conn);
	pgml_connection_ensure(conn);
	if (conn->doomed)
		ereport(ERROR,
				(errcode(ERRCODE_IN_FAILED_SQL_TRANSACTION),
				 errmsg("the transaction on server \"%s\" has failed and cannot go on", conn->name),
				 errhint("Roll back the local transaction and try again.")));
	if (conn->enlist != NULL)
		conn->enlist(conn, level);
}

/* Let those go first who have rows to send. */
static void
serve_waiting(PgmlConn *conn)
{
	while (conn->waiting != NIL)
	{
		PgmlOccupant *first = linitial(conn->waiting);

		/* whatever becomes of it, it is no longer waiting */
		conn->waiting = list_delete_first(conn->waiting);
		first->park(first);
	}
}

void
pgml_wire_prepare(PgmlConn *conn)
{
	serve_waiting(conn);
	pgml_wire_prepare_copyin(conn, GetCurrentTransactionNestLevel());
}

/* Keep the start of a command for error messages. */
static void
remember_sql(PgmlConn *conn, const char *sql)
{
	size_t		len = sql != NULL ? strlen(sql) : 0;

	if (conn->sql == NULL)
		conn->sql = MemoryContextAlloc(conn->cxt, PGML_SQL_KEPT + 1);
	if (len > PGML_SQL_KEPT)
		len = pg_mbcliplen(sql, len, PGML_SQL_KEPT);
	memcpy(conn->sql, sql != NULL ? sql : "", len);
	conn->sql[len] = '\0';
}

void
pgml_wire_begin(PgmlConn *conn, const char *sql, PgmlWire wire, bool pipelined)
{
	PQclear(conn->kept);
	conn->kept = NULL;
	conn->wire = wire;
	conn->wire_level = GetCurrentTransactionNestLevel();
	conn->pipelined = pipelined;
	conn->as_text = false;
	conn->last_sent = GetCurrentTimestamp();
	conn->unawaited = true;
	conn->guarded = false;
	conn->copying = false;
	conn->copied = 0;
	remember_sql(conn, sql);
	pgml_stats.messages++;
}

/* Does the queue hold a Parse, which a simple query can't carry? */
static bool
steps_need_extended(PgmlConn *conn)
{
	ListCell   *lc;

	foreach(lc, conn->steps)
		if (((PgmlStep *) lfirst(lc))->prepare != NULL)
			return true;
	return false;
}

/* Send the queued steps by themselves and wait for them. */
static void
run_steps(PgmlConn *conn)
{
	PGresult   *res;

	pgml_wire_send_extended(conn, NULL, NULL, NULL, PGML_WIRE_COMMAND);
	pgml_wire_next(conn, 0, &res);
	if (res != NULL)
		pgml_wire_throw(conn, res);
}

void
pgml_wire_send_simple(PgmlConn *conn, const char *sql, PgmlWire wire)
{
	StringInfoData buf;
	ListCell   *lc;

	if (steps_need_extended(conn))
		run_steps(conn);

	initStringInfo(&buf);
	foreach(lc, conn->steps)
		appendStringInfo(&buf, "%s; ", ((PgmlStep *) lfirst(lc))->sql);

	/* spare a long command the copy when there is nothing before it */
	if (conn->steps != NIL)
		appendStringInfoString(&buf, sql);

	pgml_wire_begin(conn, sql, wire, false);
	conn->sent = conn->steps;
	conn->steps = NIL;
	if (!PQsendQuery(conn->pg, buf.len > 0 ? buf.data : sql))
		pgml_wire_throw(conn, NULL);
	pgml_stats.bytes_out += buf.len > 0 ? (size_t) buf.len : strlen(sql);
	pfree(buf.data);
	if (!pgml_wire_flush(conn, 0))
		pgml_wire_throw(conn, NULL);
}

/* Hand one step to libpq's pipeline. */
static bool
send_step(PgmlConn *conn, PgmlStep *step)
{
	pgml_stats.bytes_out += strlen(step->sql);
	if (step->prepare != NULL)
		return PQsendPrepare(conn->pg, pgml_prepared_name(conn, step->prepare), step->sql,
							 step->nparams, step->types);
	return PQsendQueryParams(conn->pg, step->sql, 0, NULL, NULL, NULL, NULL, 0);
}

/* Hand the command itself to libpq's pipeline. */
static bool
send_statement(PgmlConn *conn, const char *name, const char *sql, const PgmlParams *params)
{
	int			n = params != NULL ? params->n : 0;
	const char *const *values = params != NULL ? params->values : NULL;
	int			format = conn->wire == PGML_WIRE_ROWS && !conn->as_text ? 1 : 0;
	const Oid  *types = params != NULL ? params->types : NULL;
	const int  *formats = params != NULL ? params->formats : NULL;
	const int  *lengths = params != NULL ? params->lengths : NULL;

	if (name != NULL)
		name = pgml_prepared_choose(conn, name, &sql, &types);
	for (int i = 0; i < n; i++)
		if (values[i] != NULL)
			pgml_stats.bytes_out += formats != NULL && formats[i] == 1 ?
				lengths[i] : (int64) strlen(values[i]);
	if (name != NULL)
		return PQsendQueryPrepared(conn->pg, name, n, values, lengths, formats, format);
	pgml_stats.bytes_out += strlen(sql);
	return PQsendQueryParams(conn->pg, sql, n, types, values, lengths, formats, format);
}

/*
 * If the rows of a stream are what comes next, ask libpq to hand them out as
 * they arrive.  libpq wants to be told when the query is at the head of its
 * pipeline: at once if there are no steps, else behind the last one's result.
 */
static void
choose_row_mode(PgmlConn *conn)
{
	if (conn->wire != PGML_WIRE_ROWS || conn->sent != NIL)
		return;
#ifdef LIBPQ_HAS_CHUNK_MODE
	if (!conn->as_text)
	{
		PQsetChunkedRowsMode(conn->pg, PGML_CHUNK_ROWS);
		return;
	}
#endif
	PQsetSingleRowMode(conn->pg);
}

void
pgml_wire_open_pipeline(PgmlConn *conn, const char *sql, PgmlWire wire)
{
	ListCell   *lc;

	pgml_wire_begin(conn, sql, wire, true);
	if (!PQenterPipelineMode(conn->pg))
		pgml_wire_throw(conn, NULL);

	conn->sent = conn->steps;
	conn->steps = NIL;
	foreach(lc, conn->sent)
		if (!send_step(conn, lfirst(lc)))
			pgml_wire_throw(conn, NULL);
}

void
pgml_wire_add_statement(PgmlConn *conn, const char *sql, const PgmlParams *params)
{
	if (!send_statement(conn, NULL, sql, params))
		pgml_wire_throw(conn, NULL);
}

void
pgml_wire_close_pipeline(PgmlConn *conn)
{
	if (!PQpipelineSync(conn->pg))
		pgml_wire_throw(conn, NULL);
	choose_row_mode(conn);
	if (!pgml_wire_flush(conn, 0))
		pgml_wire_throw(conn, NULL);
}

void
pgml_wire_send_extended(PgmlConn *conn, const char *name, const char *sql,
						const PgmlParams *params, PgmlWire wire)
{
	pgml_wire_open_pipeline(conn, sql, wire);
	if (sql != NULL && !send_statement(conn, name, sql, params))
		pgml_wire_throw(conn, NULL);
	pgml_wire_close_pipeline(conn);
}

bool
pgml_wire_ok(const PGresult *res)
{
	switch (PQresultStatus(res))
	{
		case PGRES_COMMAND_OK:
		case PGRES_TUPLES_OK:
		case PGRES_SINGLE_TUPLE:
#ifdef LIBPQ_HAS_CHUNK_MODE
		case PGRES_TUPLES_CHUNK:
#endif
		case PGRES_EMPTY_QUERY:
		case PGRES_COPY_OUT:
			return true;
		default:
			return false;
	}
}

/* The message has been answered: the wire is free. */
static void
finish_message(PgmlConn *conn)
{
	pgml_steps_judge(conn);
	conn->wire = PGML_WIRE_IDLE;
	conn->pipelined = false;
	conn->unawaited = false;
	conn->async = false;
	conn->midway = false;
}

/* Wait until libpq has a whole result; false: not in time. */
static bool
wait_result(PgmlConn *conn, TimestampTz deadline)
{
	if (conn->unawaited)
		pgml_stats.round_trips++;
	conn->unawaited = false;

	while (PQisBusy(conn->pg))
	{
		long		timeout;

		if (!compute_timeout(deadline, &timeout))
			return false;
		wait_readable(conn, timeout, deadline);
		/* on failure libpq makes an error result of it */
		if (!PQconsumeInput(conn->pg))
			break;
	}
	return true;
}

bool
pgml_wire_is_copy(const PGresult *res)
{
	switch (PQresultStatus(res))
	{
		case PGRES_COPY_OUT:
		case PGRES_COPY_IN:
		case PGRES_COPY_BOTH:
			return true;
		default:
			return false;
	}
}

/* Is it the start of a COPY that nobody here has asked for, and nobody will serve? */
static bool
is_stray_copy(PgmlConn *conn, const PGresult *res)
{
	if (PQresultStatus(res) == PGRES_COPY_OUT && conn->wire == PGML_WIRE_COPY_OUT)
		return false;
	if (PQresultStatus(res) == PGRES_COPY_IN && conn->wire == PGML_WIRE_COPY_IN)
		return false;
	return pgml_wire_is_copy(res);
}

/* Throw because the remote doesn't keep to the protocol. */
static void
throw_disorder(PgmlConn *conn)
{
	ereport(ERROR,
			(errcode(ERRCODE_PROTOCOL_VIOLATION),
			 errmsg("server \"%s\" sent an answer that was not asked for", conn->name)));
}

bool
pgml_wire_next(PgmlConn *conn, TimestampTz deadline, PGresult **result)
{
	bool		command_ended = false;

	for (;;)
	{
		PGresult   *res;

		if (!wait_result(conn, deadline))
			return false;
		*result = res = PQgetResult(conn->pg);

		if (res == NULL)
		{
			/* in a pipeline, each command's results end with a NULL */
			if (conn->pipelined && PQstatus(conn->pg) == CONNECTION_OK)
			{
				/* two in a row: libpq thinks that it's over, and would go on so for ever */
				if (command_ended && deadline == 0)
					throw_disorder(conn);
				if (command_ended)
					return false;
				command_ended = true;
				choose_row_mode(conn);
				continue;
			}
			finish_message(conn);
			return true;
		}

		command_ended = false;

		if (PQresultStatus(res) == PGRES_PIPELINE_SYNC)
		{
			PQclear(res);
			*result = NULL;
			if (!PQexitPipelineMode(conn->pg))
			{
				if (deadline == 0)
					throw_disorder(conn);
				return false;
			}
			finish_message(conn);
			return true;
		}
		if (PQresultStatus(res) == PGRES_PIPELINE_ABORTED)
		{
			PQclear(res);		/* the error before it has been returned */
			continue;
		}
		if (deadline == 0 && is_stray_copy(conn, res))
		{
			PQclear(res);
			ereport(ERROR,
					(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
					 errmsg("COPY cannot be run as a command on server \"%s\"", conn->name)));
		}
		if (conn->sent != NIL && pgml_wire_ok(res))
		{
			pgml_steps_confirm(conn, res);
			PQclear(res);
			continue;
		}

		/*
		 * It is a step that has failed.  (A message of the simple protocol with
		 * a syntax error anywhere fails before its first step.)
		 */
		if (conn->sent != NIL && conn->pipelined)
			remember_sql(conn, ((PgmlStep *) linitial(conn->sent))->sql);
		return true;
	}
}

int
pgml_wire_try_copy(PgmlConn *conn)
{
	int			len;

	PQfreemem(conn->copybuf);
	conn->copybuf = NULL;
	len = PQgetCopyData(conn->pg, &conn->copybuf, 1);

	/* an error, too, ends the COPY; the result that follows tells */
	return Max(len, -1);
}

int
pgml_wire_take_copy(PgmlConn *conn, StringInfo buf)
{
	int			start = buf->len;
	int			len;

	enlargeStringInfo(buf, PGML_COPY_ROOM);
	do
	{
		len = PQgetlineAsync(conn->pg, buf->data + buf->len, buf->maxlen - 1 - buf->len);
		buf->len += Max(len, 0);
	} while (len > 0 && buf->len < buf->maxlen - 1);
	if (buf->len > start)
		return buf->len - start;

	/*
	 * The call above stops at an empty message as if there were no more, and
	 * leaves it to this one to take note of the end.
	 */
	len = pgml_wire_try_copy(conn);
	if (len > 0)
		appendBinaryStringInfo(buf, conn->copybuf, len);
	return len;
}

/*
 * A COPY that has brought so much will bring more: before we sleep until the
 * next bytes come, we nap, so that many come at once.  A reader that sleeps in
 * poll is woken for each 8 kB that the remote sends, and it is the remote,
 * the slower side, that pays for it.  Naps of 100, 200, 300 and 600 microseconds
 * all took a quarter off the time of a full scan through a unix socket; what comes in
 * 200 is far less than what the socket holds, 200 kB.
 */
#define NAP_AFTER_BYTES (256 * 1024)
#define NAP_US 200

static void
await_more(PgmlConn *conn)
{
	if (conn->copied >= NAP_AFTER_BYTES)
		pg_usleep(NAP_US);
	wait_readable(conn, -1, 0);
}

/*
 * Read before waiting: when the remote is the faster one, what it sends is
 * here already.  And on an encrypted connection try twice: libpq may have
 * decrypted more than it had room for, and the socket knows nothing of that.
 */
int
pgml_wire_await_copy(PgmlConn *conn, StringInfo buf)
{
	int			tries = PQsslInUse(conn->pg) || PQgssEncInUse(conn->pg) ? 2 : 1;
	int			len;

	for (int tried = 0; (len = pgml_wire_take_copy(conn, buf)) == 0; tried++)
	{
		if (tried >= tries)
		{
			await_more(conn);
			tried = 0;
		}
		CHECK_FOR_INTERRUPTS();
		if (!PQconsumeInput(conn->pg))
			pgml_wire_throw(conn, NULL);
	}
	conn->copied += Max(len, 0);
	return len;
}

bool
pgml_wire_has_input(PgmlConn *conn, int wait_ms)
{
	return wait_readable(conn, wait_ms, 0) && PQconsumeInput(conn->pg);
}

bool
pgml_wire_is_readable(PgmlConn *conn)
{
	return wait_readable(conn, 0, 0);
}

void
pgml_conn_claim(PgmlConn *conn)
{
	serve_waiting(conn);
	free_wire(conn);
}
