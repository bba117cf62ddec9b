/*
 * source_cursor.c
 *		Rows of a query that are fetched some at a time from a cursor.
 *
 * For queries that are likely to be stopped early, and for many large scans at
 * once: between two fetches the wire is free, so nothing is ever parked.  The
 * price: the remote plans for the first rows and not in parallel, and each
 * fetch is a round trip.
 *
 * The cursor is a BINARY one, whose rows come in binary form in the simple
 * protocol too.  So DECLARE and the first FETCH leave in one message with the
 * transaction's BEGIN, and the first answer carries the types that are proved
 * before anything is decoded.  CLOSE travels with the next command.
 *
 * A cursor goes with the subtransaction that declared it.  The scan may
 * survive that (a cursor of the user's that was opened outside and first read
 * inside).  So when the remote transaction has gone back to a savepoint since,
 * the remote is asked whether the cursor is still there, before it is named:
 * naming one that isn't would fail the transaction.
 */
#include "postgres.h"

#include "access/xact.h"
#include "portability/instr_time.h"
#include "utils/memutils.h"

#include "base/stats.h"
#include "row/source_kind.h"

/*
 * Where the user hasn't said how many rows to fetch at a time, each FETCH
 * asks for twice as many as the last one, until it brings this much: so a
 * scan that is read on costs few round trips, one that is left soon few rows.
 */
#define PGML_FETCH_BYTES (256 * 1024)
#define PGML_FETCH_MAX 10000

typedef struct CursorSource
{
	PgmlSource	base;
	bool		open;			/* the remote has the cursor */
	bool		exhausted;		/* and no more rows for it */
	char		name[NAMEDATALEN];
	uint32		rollbacks;		/* conn->rollbacks when it was known to be there */
	uint32		xact;			/* conn->xact in which it was declared */
	int			fetch_size;		/* rows of the next FETCH */
	PgmlResult *rows;			/* those that have come last; NULL: none */
	int			at;				/* the next of them */
	MemoryContext rows_cxt;		/* holds rows */
} CursorSource;

static PgmlSource *
cursor_create(PgmlConn *conn)
{
	CursorSource *self = palloc0(sizeof(CursorSource));

	self->rows_cxt = AllocSetContextCreate(CurrentMemoryContext, "pgml_fdw fetched rows",
										   ALLOCSET_SMALL_SIZES);
	return &self->base;
}

/* Run SQL that ends with a FETCH, and keep its rows. */
static void
fetch(CursorSource *self, const char *sql)
{
	PgmlUsage  *usage = &self->base.usage;
	MemoryContext oldcxt;
	instr_time	start;
	instr_time	end;
	int64		trips;
	int64		bytes;

	MemoryContextReset(self->rows_cxt);
	self->rows = NULL;

	/* what it takes to put somebody else's stream aside isn't ours to pay */
	pgml_conn_claim(self->base.conn);
	trips = pgml_stats.round_trips;
	INSTR_TIME_SET_CURRENT(start);
	oldcxt = MemoryContextSwitchTo(self->rows_cxt);
	self->rows = pgml_command_read(self->base.conn, sql);
	MemoryContextSwitchTo(oldcxt);
	INSTR_TIME_SET_CURRENT(end);
	INSTR_TIME_SUBTRACT(end, start);
	self->at = 0;
	self->exhausted = pgml_result_nrows(self->rows) < self->fetch_size;

	bytes = pgml_result_bytes(self->rows);
	pgml_stats.bytes_in += bytes;
	usage->bytes += bytes;
	usage->round_trips += pgml_stats.round_trips - trips;
	usage->waited_ms += INSTR_TIME_GET_MILLISEC(end);
	if (self->base.query->fetch_grows && bytes < PGML_FETCH_BYTES && self->fetch_size < PGML_FETCH_MAX)
		self->fetch_size *= 2;
}

/* Declare the cursor and fetch the first rows. */
static void
declare(CursorSource *self)
{
	static uint32 counter = 0;
	char	   *select = pgml_source_render_literal(&self->base, self->base.params);
	char	   *sql;

	snprintf(self->name, sizeof(self->name), "pgml_c%u", ++counter);
	self->fetch_size = self->base.query->fetch_size;
	sql = psprintf("DECLARE %s BINARY NO SCROLL CURSOR FOR %s; FETCH %d FROM %s",
				   self->name, select, self->fetch_size, self->name);
	fetch(self, sql);
	self->open = true;
	self->xact = self->base.conn->xact;
	self->rollbacks = self->base.conn->rollbacks;
	pfree(sql);
	pfree(select);
}

/* Is the cursor still there? */
static bool
still_there(CursorSource *self)
{
	PgmlConn   *conn = self->base.conn;
	PgmlResult *res;
	char	   *sql;

	if (self->xact != conn->xact || conn->depth == 0 || !pgml_connection_is_open(conn))
		return false;
	if (self->rollbacks == conn->rollbacks)
		return true;

	sql = psprintf("SELECT FROM pg_catalog.pg_cursors WHERE name = '%s'", self->name);
	res = pgml_command_read(conn, sql);
	self->open = pgml_result_nrows(res) > 0;
	self->rollbacks = conn->rollbacks;
	pgml_result_free(res);
	pfree(sql);
	return self->open;
}

static void
cursor_stop(PgmlSource *source)
{
	CursorSource *self = (CursorSource *) source;
	PgmlConn   *conn = source->conn;

	/* in doubt, the end of the transaction closes it */
	if (self->open && self->xact == conn->xact && self->rollbacks == conn->rollbacks)
	{
		char	   *sql = psprintf("CLOSE %s", self->name);

		pgml_command_queue(conn, sql, GetCurrentTransactionNestLevel(), -1);
		pfree(sql);
	}
	self->open = false;
	self->rows = NULL;
	MemoryContextReset(self->rows_cxt);
}

/* The first rows are waited for. */
static void
cursor_send(PgmlSource *source)
{
	declare((CursorSource *) source);
}

/* Each failed proof turns columns into text columns, so the loop comes to its end. */
static bool
cursor_prove(PgmlSource *source, bool wait)
{
	CursorSource *self = (CursorSource *) source;

	while (!pgml_codec_prove(source->codec, source->conn, self->rows))
	{
		cursor_stop(source);
		declare(self);
	}
	return true;
}

/* Get more rows into self->rows; false at the end. */
static bool
fetch_more(CursorSource *self)
{
	char		sql[NAMEDATALEN + 64];

	if (self->exhausted)
		return false;
	if (!still_there(self))
		pgml_source_lost(&self->base);
	snprintf(sql, sizeof(sql), "FETCH %d FROM %s", self->fetch_size, self->name);
	fetch(self, sql);
	return pgml_result_nrows(self->rows) > 0;
}

static PgmlNext
cursor_next(PgmlSource *source, Datum *values, bool *nulls, bool wait)
{
	CursorSource *self = (CursorSource *) source;

	if (self->rows == NULL)
		return PGML_NEXT_END;
	if (self->at >= pgml_result_nrows(self->rows) && !fetch_more(self))
		return PGML_NEXT_END;

	pgml_stats.rows_in++;
	pgml_codec_decode_binary_result(source->codec, self->rows, self->at++, values, nulls);
	return PGML_NEXT_ROW;
}

const PgmlSourceOps pgml_source_cursor_ops = {
	.name = "cursor",
	.create = cursor_create,
	.send = cursor_send,
	.prove = cursor_prove,
	.next = cursor_next,
	.stop = cursor_stop,
};
