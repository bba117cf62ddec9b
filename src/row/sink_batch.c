/*
 * sink_batch.c
 *		Rows that leave as INSERT statements of many rows.
 *
 * Values travel as parameters, in binary form where the remote column's type
 * is proved (encoder.h), else in text form.  They are given no types: the
 * remote takes those of the columns that they are inserted into, so that a
 * column may have another type there than here.  What is printed here under
 * portable settings (base/textio.h) is read there by the type's input function.
 *
 * A batch is a run of rows that leaves in one statement.  How long it may be is
 * bounded by the protocol's count of parameters, and by bytes: rows are encoded
 * until either is reached.  A statement is prepared when the same number of
 * rows is sent for the second time in a row, so that a single INSERT costs no
 * Parse of its own and a long series is parsed once.
 */
#include "postgres.h"

#include "lib/stringinfo.h"
#include "utils/memutils.h"

#include "base/stats.h"
#include "base/textio.h"
#include "row/copyformat.h"
#include "row/sink_kind.h"

/*
 * A batch ends with the row that takes it over this size: enough to make
 * round trips rare, and far below the gigabyte that a message may have.
 */
#define MAX_BATCH_BYTES (16 * 1024 * 1024)

typedef struct BatchSink
{
	PgmlSink	base;
	MemoryContext batch_cxt;	/* parameters of the current batch */

	char	   *sql;			/* the statement for sql_rows rows; NULL: none yet */
	int			sql_rows;
	char	   *prepared;		/* its name; NULL: it isn't prepared */
} BatchSink;

static PgmlSink *
batch_create(PgmlConn *conn, const PgmlInsert *insert, PgmlEncoder *encoder, char *prepared)
{
	BatchSink  *self = palloc0(sizeof(BatchSink));

	self->batch_cxt = AllocSetContextCreate(CurrentMemoryContext, "pgml_fdw batch",
											ALLOCSET_DEFAULT_SIZES);
	if (prepared != NULL)
	{
		self->sql = pgml_sink_render(insert, 1);
		self->sql_rows = 1;
		self->prepared = prepared;
	}
	return &self->base;
}

static int
batch_appetite(const PgmlSink *sink)
{
	return 0;
}

/* How many rows can one statement have? */
static int
max_rows(const PgmlSink *sink)
{
	/* DEFAULT VALUES is one row; a row of nothing but the word DEFAULT takes no parameters */
	if (sink->insert->ncols == 0)
		return 1;
	return pgml_sink_max_rows(Max(sink->nparams, 1));
}

/* Forget the statement, on the remote too if it knows it. */
static void
forget_statement(BatchSink *self)
{
	if (self->prepared != NULL)
	{
		pgml_command_unprepare(self->base.conn, self->prepared);
		pfree(self->prepared);
		self->prepared = NULL;
	}
	if (self->sql != NULL)
		pfree(self->sql);
	self->sql = NULL;
}

/* Make the statement for that many rows the current one; prepare it if it was already. */
static void
choose_statement(BatchSink *self, int nrows)
{
	MemoryContext oldcxt = MemoryContextSwitchTo(self->base.cxt);

	if (self->sql == NULL || self->sql_rows != nrows)
	{
		forget_statement(self);
		self->sql = pgml_sink_render(self->base.insert, nrows);
		self->sql_rows = nrows;
	}
	else if (self->prepared == NULL)
		self->prepared = pgml_command_prepare(self->base.conn, self->sql,
											  nrows * self->base.nparams, NULL);
	MemoryContextSwitchTo(oldcxt);
}

/* The parameters of a batch; their bytes move while more are appended. */
typedef struct Batch
{
	StringInfoData bytes;
	int			n;
	int		   *starts;			/* where each begins in bytes; -1: null */
	int		   *lengths;
	int		   *formats;
} Batch;

static void
start_batch(Batch *batch, int room)
{
	initStringInfo(&batch->bytes);
	batch->n = 0;
	batch->starts = palloc(Max(room, 1) * sizeof(int));
	batch->lengths = palloc(Max(room, 1) * sizeof(int));
	batch->formats = palloc(Max(room, 1) * sizeof(int));
}

/* Add a value of column col. */
static void
add_value(Batch *batch, PgmlEncoder *encoder, int col, Datum value, bool isnull)
{
	StringInfo	bytes = &batch->bytes;
	int			start = bytes->len;
	int			length = 0;
	bool		text = pgml_encoder_is_text(encoder, col);

	if (isnull)
		start = -1;
	else if (text)
		pgml_encoder_append_text(encoder, col, value, bytes);
	else
	{
		pgml_encoder_append_datum(encoder, col, value, false, bytes);
		length = pgml_wire_int32(bytes->data + start);
		start += sizeof(int32);
	}
	batch->starts[batch->n] = start;
	batch->lengths[batch->n] = length;
	batch->formats[batch->n++] = text ? 0 : 1;
}

/* Make parameters of a finished batch. */
static void
finish_batch(const Batch *batch, PgmlParams *params)
{
	params->n = batch->n;
	params->values = palloc(Max(batch->n, 1) * sizeof(char *));
	for (int i = 0; i < batch->n; i++)
		params->values[i] = batch->starts[i] < 0 ? NULL : batch->bytes.data + batch->starts[i];
	params->lengths = batch->lengths;
	params->formats = batch->formats;
}

/* Encode rows, as many as fit into one statement; returns their number. */
static int
encode_rows(PgmlSink *sink, TupleTableSlot **slots, int nslots, PgmlParams *params)
{
	const PgmlInsert *insert = sink->insert;
	int			limit = Min(nslots, max_rows(sink));
	bool		any_text = pgml_encoder_any_text(sink->encoder);
	int			nestlevel = any_text ? pgml_textio_begin() : 0;
	Batch		batch;
	int			row;

	start_batch(&batch, limit * sink->nparams);
	for (row = 0; row < limit && batch.bytes.len < MAX_BATCH_BYTES; row++)
	{
		int			col = 0;

		for (int i = 0; i < insert->ncols; i++)
		{
			Datum		value;
			bool		isnull;

			if (insert->default_cols[i])
				continue;
			value = slot_getattr(slots[row], insert->attnums[i], &isnull);
			add_value(&batch, sink->encoder, col++, value, isnull);
		}
	}
	if (any_text)
		pgml_textio_end(nestlevel);
	finish_batch(&batch, params);
	return row;
}

static uint64
batch_put(PgmlSink *sink, TupleTableSlot **slots, int nslots, PgmlResult **returned)
{
	BatchSink  *self = (BatchSink *) sink;
	uint64		inserted = 0;
	int			n;

	pgml_command_mark_write(sink->conn);
	for (int done = 0; done < nslots; done += n)
	{
		MemoryContext oldcxt = MemoryContextSwitchTo(self->batch_cxt);
		PgmlParams	params = {0};
		PgmlResult *res;

		n = encode_rows(sink, slots + done, nslots - done, &params);
		MemoryContextSwitchTo(oldcxt);
		choose_statement(self, n);
		if (self->prepared != NULL)
			res = pgml_command_run_prepared(sink->conn, self->prepared, self->sql, &params);
		else
			res = pgml_command_run_params(sink->conn, self->sql, &params);
		MemoryContextReset(self->batch_cxt);

		pgml_stats.rows_out += n;
		inserted += pgml_result_affected(res);
		if (sink->insert->returns)
			*returned = res;
		else
			pgml_result_free(res);
	}
	return inserted;
}

static void
batch_finish(PgmlSink *sink)
{
	forget_statement((BatchSink *) sink);
}

const PgmlSinkOps pgml_sink_values_ops = {
	.kind = PGML_SINK_VALUES,
	.name = "VALUES",
	.create = batch_create,
	.appetite = batch_appetite,
	.put = batch_put,
	.finish = batch_finish,
};
