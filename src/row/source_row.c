/*
 * source_row.c
 *		Rows of a statement with parameters, by the extended protocol.
 *
 * For few rows, and for scans that are started again and again with other
 * values: the inner side of a nested loop.  At its second start the statement
 * is prepared, so that the remote plans it once; each start costs one round
 * trip, with everything that the transaction owes the remote in the same flush.
 *
 * Proof.  Here the description comes with the first rows, so it is compared each
 * time, before anything is decoded; columns that differ are asked for again,
 * as text.
 *
 * Parking.  What is left of the result is put into a spool, as tuples in the
 * format of a binary COPY, because the codec can read that.  The rows that libpq
 * has handed out already are ours and stay where they are.  It may be interrupted, and
 * we survive that if it happened in a subtransaction: then it goes on later.
 *
 * Whether an early stop may cancel is the planner's choice (guard_rows): a
 * savepoint around each of a thousand rescans that bring one row each would
 * cost more than it could save.
 */
#include "postgres.h"

#include "lib/stringinfo.h"
#include "libpq/pqformat.h"
#include "miscadmin.h"
#include "utils/memutils.h"

#include "base/stats.h"
#include "row/copyformat.h"
#include "row/source_kind.h"
#include "row/spool.h"

typedef enum RowStage
{
	ROW_STOPPED,				/* not started, or stopped, or at the end */
	ROW_STREAMING,				/* more rows come from the connection */
	ROW_PARKING,				/* more from the spool, and then from the connection */
	ROW_SPOOLED,				/* more rows come from the spool */
	ROW_LOST					/* some have been taken off the wire, and are nowhere */
} RowStage;

typedef struct RowSource
{
	PgmlSource	base;
	PgmlOccupant occupant;
	MemoryContextCallback on_delete;
	RowStage	stage;
	bool		answered;		/* the first rows have come, and are what they should be */
	PgmlResult *rows;			/* those that have come last */
	int			at;				/* the next of them */
	int			starts;
	char	   *sql;			/* what was sent; NULL: render it */
	char	   *name;			/* of the prepared statement; NULL: not prepared */
	uint32		prepared_in;	/* transaction (conn->xact) that has prepared it */
	MemoryContext sql_cxt;		/* holds sql and name */
	PgmlSpool  *spool;
} RowSource;

static void park(PgmlOccupant *occupant);

/* May the connection be ours? */
static bool
is_streaming(RowSource *self)
{
	return self->stage != ROW_STOPPED && self->stage != ROW_SPOOLED;
}

static void
forget_stream(void *arg)
{
	RowSource  *self = (RowSource *) arg;

	if (is_streaming(self))
		pgml_stream_orphan(self->base.conn, &self->occupant);
}

static PgmlSource *
row_create(PgmlConn *conn)
{
	RowSource  *self = palloc0(sizeof(RowSource));

	self->occupant.park = park;
	self->rows = pgml_result_create();
	self->spool = pgml_spool_create();
	self->sql_cxt = AllocSetContextCreate(CurrentMemoryContext, "pgml_fdw query text",
										  ALLOCSET_SMALL_SIZES);
	self->on_delete.func = forget_stream;
	self->on_delete.arg = self;
	MemoryContextRegisterResetCallback(CurrentMemoryContext, &self->on_delete);
	return &self->base;
}

/* Render the statement anew: first, and when a column has turned out to be text. */
static void
render(RowSource *self)
{
	MemoryContext oldcxt;

	if (self->name != NULL && self->prepared_in == self->base.conn->xact)
		pgml_command_unprepare(self->base.conn, self->name);
	MemoryContextReset(self->sql_cxt);
	oldcxt = MemoryContextSwitchTo(self->sql_cxt);
	self->sql = pgml_source_render(&self->base);
	self->name = NULL;
	MemoryContextSwitchTo(oldcxt);
}

/* Prepare the statement from its second start on. */
static void
prepare(RowSource *self)
{
	const PgmlParams *params = self->base.params;
	MemoryContext oldcxt;

	if (self->starts < 2 || (self->name != NULL && self->prepared_in == self->base.conn->xact))
		return;
	oldcxt = MemoryContextSwitchTo(self->sql_cxt);
	self->name = pgml_command_prepare(self->base.conn, self->sql,
									  params != NULL ? params->n : 0,
									  params != NULL ? params->types : NULL);
	self->prepared_in = self->base.conn->xact;
	MemoryContextSwitchTo(oldcxt);
}

/* Send the statement. */
static void
send_query(RowSource *self)
{
	const PgmlQuery *query = self->base.query;

	prepare(self);
	self->stage = ROW_STREAMING;
	self->answered = false;
	pgml_source_sign(&self->base, &self->occupant);
	pgml_stream_start_rows(self->base.conn, &self->occupant, self->name, self->sql,
						   self->base.params,
						   query->guard_rows && !query->locks_rows &&
						   self->base.conn->enlist != NULL);
}

static void
row_send(PgmlSource *source)
{
	RowSource  *self = (RowSource *) source;

	self->starts++;
	if (self->sql == NULL)
		render(self);
	send_query(self);
}

/* Throw if the abort of a subtransaction, which we have survived, has cost us the stream. */
static void
check_stream(RowSource *self)
{
	if (self->base.conn->occupant != &self->occupant || self->stage == ROW_LOST)
		pgml_source_lost(&self->base);
}

/* Get more rows into self->rows; false at the end. */
static bool
fetch(RowSource *self)
{
	check_stream(self);
	self->at = 0;
	return pgml_stream_next_rows(self->base.conn, self->rows);
}

/* Each failed proof turns columns into text columns, so the loop comes to its end. */
static bool
row_prove(PgmlSource *source, bool wait)
{
	RowSource  *self = (RowSource *) source;

	while (!self->answered)
	{
		check_stream(self);
		if (!wait && !pgml_stream_has_answered(source->conn))
			return false;
		(void) fetch(self);

		/* who goes on after an error here would miss these rows */
		self->stage = ROW_LOST;
		self->answered = pgml_codec_prove(source->codec, source->conn, self->rows);
		if (!self->answered)
		{
			pgml_stream_stop(source->conn, &self->occupant);
			render(self);
			send_query(self);
		}
		self->stage = ROW_STREAMING;
	}
	return true;
}

/* Decode a tuple that was put into the spool whole. */
static void
decode_tuple(RowSource *self, const char *data, int len, Datum *values, bool *nulls)
{
	if (pgml_codec_decode_binary(self->base.codec, data, len, values, nulls) != len)
		(void) pgml_copy_cut_short();
}

/* The next row of the spool. */
static bool
next_spooled(RowSource *self, Datum *values, bool *nulls)
{
	StringInfoData tuple;
	const char *data;
	int			len;
	int			want;

	if (!pgml_spool_get(self->spool, &data, &len))
		return false;
	if (len < PGML_SPOOL_PIECE)
	{
		decode_tuple(self, data, len, values, nulls);
		return true;
	}

	/* a tuple that was cut into pieces when it was put aside */
	initStringInfo(&tuple);
	appendBinaryStringInfo(&tuple, data, len);
	while ((want = pgml_copy_tuple_length(tuple.data, tuple.len)) == 0 &&
		   pgml_spool_get(self->spool, &data, &len))
		appendBinaryStringInfo(&tuple, data, len);
	decode_tuple(self, tuple.data, tuple.len, values, nulls);
	pfree(tuple.data);
	return true;
}

static PgmlNext
row_next(PgmlSource *source, Datum *values, bool *nulls, bool wait)
{
	RowSource  *self = (RowSource *) source;

	if (self->stage == ROW_STOPPED)
		return PGML_NEXT_END;
	while (self->at >= pgml_result_nrows(self->rows))
	{
		if (self->stage == ROW_STREAMING && !wait &&
			self->base.conn->occupant == &self->occupant &&
			!pgml_stream_has_answered(self->base.conn))
			return PGML_NEXT_WAITS;
		if (self->stage == ROW_STREAMING && fetch(self))
			continue;
		if (self->stage == ROW_PARKING || self->stage == ROW_LOST)
		{
			check_stream(self);
			park(&self->occupant);
		}
		if (self->stage == ROW_SPOOLED && next_spooled(self, values, nulls))
		{
			pgml_stats.rows_in++;
			return PGML_NEXT_ROW;
		}
		self->stage = ROW_STOPPED;
		return PGML_NEXT_END;
	}

	pgml_stats.rows_in++;
	pgml_codec_decode_binary_result(source->codec, self->rows, self->at++, values, nulls);
	return PGML_NEXT_ROW;
}

/* Put a row into the spool. */
static void
spool_row(RowSource *self, PgmlResult *rows, int row, StringInfo buf)
{
	int			ncols = pgml_result_ncols(rows);

	resetStringInfo(buf);
	pq_sendint16(buf, ncols);
	for (int i = 0; i < ncols; i++)
	{
		const char *bytes = pgml_result_value(rows, row, i);
		int			len = bytes != NULL ? pgml_result_length(rows, row, i) : -1;

		pq_sendint32(buf, len);
		if (len > 0)
			appendBinaryStringInfo(buf, bytes, len);
	}
	pgml_spool_put(self->spool, buf->data, buf->len);
}

/*
 * Take all that is still to come off the wire.  Called again, it goes on where it was
 * interrupted; what couldn't be put aside is lost.
 */
static void
park(PgmlOccupant *occupant)
{
	RowSource  *self = (RowSource *) ((char *) occupant - offsetof(RowSource, occupant));
	PgmlResult *rows;
	StringInfoData buf;

	if (self->stage == ROW_LOST)
	{
		pgml_stream_stop(self->base.conn, occupant);
		return;
	}
	Assert(self->stage == ROW_STREAMING || self->stage == ROW_PARKING);
	if (!self->answered)
		(void) row_prove(&self->base, true);
	self->stage = ROW_PARKING;
	rows = pgml_result_create();
	initStringInfo(&buf);
	while (pgml_stream_next_rows(self->base.conn, rows))
	{
		self->stage = ROW_LOST;
		for (int i = 0; i < pgml_result_nrows(rows); i++)
			spool_row(self, rows, i, &buf);
		self->stage = ROW_PARKING;
		CHECK_FOR_INTERRUPTS();
	}
	self->stage = ROW_SPOOLED;
	pfree(buf.data);
	pgml_result_free(rows);
}

static void
row_stop(PgmlSource *source)
{
	RowSource  *self = (RowSource *) source;

	if (is_streaming(self))
		pgml_stream_stop(source->conn, &self->occupant);
	pgml_spool_clear(self->spool);
	self->stage = ROW_STOPPED;
}

const PgmlSourceOps pgml_source_row_ops = {
	.name = "row",
	.create = row_create,
	.send = row_send,
	.prove = row_prove,
	.next = row_next,
	.stop = row_stop,
};
