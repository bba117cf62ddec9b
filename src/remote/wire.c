/*
 * wire.c
 *		Sending messages and receiving results.
 *
 * The connection is in libpq's non-blocking mode; waiting is wait.c's.  An interrupt
 * is thrown out of a wait with the message unfinished; the wire stays marked busy,
 * and the abort of the transaction (or whoever needs the connection next) settles it.
 *
 * Results can also be polled for.  libpq can't be asked what kind of result it
 * has without giving it away; so what a poll finds is put aside for whoever asks next.
 *
 * Round trips are counted where they are caused: the first time somebody asks
 * for a result after a flush.
 */
#include "postgres.h"

#include "access/xact.h"
#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
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

void
pgml_wire_remember(PgmlConn *conn, const char *sql)
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
	PQclear(conn->come);
	conn->come = NULL;
	conn->has_come = false;
	conn->wire = wire;
	conn->wire_level = GetCurrentTransactionNestLevel();
	conn->pipelined = pipelined;
	conn->open_ended = false;
	conn->due = 0;
	conn->as_text = false;
	conn->last_sent = GetCurrentTimestamp();
	conn->unawaited = true;
	conn->guarded = false;
	conn->described = false;
	conn->copying = false;
	conn->copied = 0;
	pgml_wire_remember(conn, sql);
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
pgml_wire_add_statement(PgmlConn *conn, const char *name, const char *sql, const PgmlParams *params)
{
	if (!send_statement(conn, name, sql, params))
		pgml_wire_throw(conn, NULL);
}

void
pgml_wire_push_pipeline(PgmlConn *conn)
{
	conn->open_ended = true;
	if (!PQsendFlushRequest(conn->pg) || !pgml_wire_flush(conn, 0))
		pgml_wire_throw(conn, NULL);
}

void
pgml_wire_close_pipeline(PgmlConn *conn)
{
	conn->open_ended = false;
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
	if (sql != NULL)
		pgml_wire_add_statement(conn, name, sql, params);
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
	conn->open_ended = false;
	conn->due = 0;
	conn->unawaited = false;
	conn->async = false;
	conn->midway = false;
}

/* Somebody asks for an answer: the first time it is a round trip. */
static void
count_round_trip(PgmlConn *conn)
{
	if (!conn->unawaited)
		return;
	conn->unawaited = false;
	pgml_stats.round_trips++;
	if (conn->occupant != NULL && conn->occupant->usage != NULL)
		conn->occupant->usage->round_trips++;
}

/* Wait until libpq has a whole result; false: not in time. */
static bool
wait_result(PgmlConn *conn, TimestampTz deadline)
{
	count_round_trip(conn);
	while (PQisBusy(conn->pg))
	{
		long		timeout;

		if (!pgml_wire_time_left(deadline, &timeout))
			return false;
		pgml_wire_await_input(conn, timeout, deadline);
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

/* What was found where the next result should be. */
typedef enum Found
{
	FOUND_RESULT,
	FOUND_NOTHING,				/* what callers never see; look on */
	FOUND_END,					/* of the message */
	FOUND_DISORDER				/* libpq and we don't understand the remote any more */
} Found;

/*
 * Take the next result from libpq, which must have it.  gap says whether the one
 * before was the end of a pipeline's command.  strict: throw if it is none that
 * could be.
 */
static Found
take_result(PgmlConn *conn, bool strict, bool *gap, PGresult **result)
{
	PGresult   *res = PQgetResult(conn->pg);

	*result = res;
	if (res == NULL)
	{
		/* in a pipeline, each command's results end with a NULL */
		if (!conn->pipelined || PQstatus(conn->pg) != CONNECTION_OK)
			return FOUND_END;

		/* two in a row: libpq thinks that it's over, and would go on so for ever */
		if (*gap)
			return FOUND_DISORDER;
		*gap = true;
		choose_row_mode(conn);
		return FOUND_NOTHING;
	}

	*gap = false;
	if (PQresultStatus(res) == PGRES_PIPELINE_SYNC)
	{
		PQclear(res);
		*result = NULL;
		return PQexitPipelineMode(conn->pg) ? FOUND_END : FOUND_DISORDER;
	}
	if (PQresultStatus(res) == PGRES_PIPELINE_ABORTED)
	{
		PQclear(res);			/* the error before it has been returned */
		return FOUND_NOTHING;
	}
	if (strict && is_stray_copy(conn, res))
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
		return FOUND_NOTHING;
	}

	/*
	 * It is a step that has failed.  (A message of the simple protocol with a
	 * syntax error anywhere fails before its first step.)
	 */
	if (conn->sent != NIL && conn->pipelined)
		pgml_wire_remember(conn, ((PgmlStep *) linitial(conn->sent))->sql);
	return FOUND_RESULT;
}

/* Hand out the result that pgml_wire_poll has found. */
static void
hand_out(PgmlConn *conn, PGresult **result)
{
	*result = conn->come;
	conn->come = NULL;
	conn->has_come = false;
	if (*result == NULL)
		finish_message(conn);
}

bool
pgml_wire_next(PgmlConn *conn, TimestampTz deadline, PGresult **result)
{
	if (conn->open_ended)
	{
		conn->open_ended = false;
		if (!PQpipelineSync(conn->pg) || !pgml_wire_flush(conn, deadline))
		{
			if (deadline == 0)
				pgml_wire_throw(conn, NULL);
			return false;
		}
	}
	return pgml_wire_next_of_open(conn, deadline, result);
}

bool
pgml_wire_next_of_open(PgmlConn *conn, TimestampTz deadline, PGresult **result)
{
	bool		gap = false;

	while (!conn->has_come)
	{
		if (!wait_result(conn, deadline))
			return false;
		switch (take_result(conn, deadline == 0, &gap, result))
		{
			case FOUND_RESULT:
				return true;
			case FOUND_NOTHING:
				break;
			case FOUND_END:
				finish_message(conn);
				return true;
			case FOUND_DISORDER:
				if (deadline == 0)
					throw_disorder(conn);
				return false;
		}
	}
	hand_out(conn, result);
	return true;
}

/* How often libpq must be asked for input before it is certain that there is none; see pgml_wire_await_copy. */
static int
tries_at_input(PgmlConn *conn)
{
	return PQsslInUse(conn->pg) || PQgssEncInUse(conn->pg) ? 2 : 1;
}

/* Has libpq a whole result, after it has taken in what is there? */
static bool
has_result(PgmlConn *conn)
{
	for (int tries = tries_at_input(conn); PQisBusy(conn->pg); tries--)
	{
		if (tries == 0)
			return false;
		/* on failure libpq makes an error result of it */
		if (!PQconsumeInput(conn->pg))
			break;
	}
	return true;
}

bool
pgml_wire_poll(PgmlConn *conn)
{
	bool		gap = false;

	count_round_trip(conn);
	while (!conn->has_come && has_result(conn))
	{
		PGresult   *res;

		switch (take_result(conn, true, &gap, &res))
		{
			case FOUND_RESULT:
			case FOUND_END:
				conn->come = res;
				conn->has_come = true;
				break;
			case FOUND_NOTHING:
				break;
			case FOUND_DISORDER:
				throw_disorder(conn);
		}
	}
	return conn->has_come;
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
	pgml_wire_await_input(conn, -1, 0);
}

/*
 * Read before waiting: when the remote is the faster one, what it sends is
 * here already.  And on an encrypted connection try twice: libpq may have
 * decrypted more than it had room for, and the socket knows nothing of that.
 */
int
pgml_wire_await_copy(PgmlConn *conn, StringInfo buf)
{
	int			tries = tries_at_input(conn);
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

int
pgml_wire_poll_copy(PgmlConn *conn, StringInfo buf)
{
	int			tries = tries_at_input(conn);
	int			len;

	while ((len = pgml_wire_take_copy(conn, buf)) == 0 && tries-- > 0)
		if (!PQconsumeInput(conn->pg))
			pgml_wire_throw(conn, NULL);
	return len;
}

void
pgml_conn_claim(PgmlConn *conn)
{
	serve_waiting(conn);
	free_wire(conn);
}
