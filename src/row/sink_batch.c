/*
 * sink_batch.c
 *		Rows that leave as INSERT statements of many rows.
 *
 * Values travel as parameters in text form.  They are given no types: the
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

#include "fmgr.h"
#include "lib/stringinfo.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"

#include "base/stats.h"
#include "base/textio.h"
#include "remote/command.h"
#include "row/sink.h"

/* The protocol counts parameters with 16 bits. */
#define MAX_PARAMS 65535

/*
 * A batch ends with the row that takes it over this size: enough to make
 * round trips rare, and far below the gigabyte that a message may have.
 */
#define MAX_BATCH_BYTES (16 * 1024 * 1024)

struct PgmlSink
{
	MemoryContext cxt;			/* holds this struct and the statement */
	MemoryContext batch_cxt;	/* parameters of the current batch */
	PgmlConn   *conn;
	const PgmlInsert *insert;
	int			nparams;		/* of one row */
	FmgrInfo   *output;			/* per column, unless it is DEFAULT */

	char	   *sql;			/* the statement for sql_rows rows; NULL: none yet */
	int			sql_rows;
	char	   *prepared;		/* its name; NULL: it isn't prepared */
};

PgmlSink *
pgml_sink_create(PgmlConn *conn, const PgmlInsert *insert, TupleDesc desc)
{
	MemoryContext cxt = AllocSetContextCreate(CurrentMemoryContext, "pgml_fdw sink",
											  ALLOCSET_SMALL_SIZES);
	PgmlSink   *sink = MemoryContextAllocZero(cxt, sizeof(PgmlSink));

	sink->cxt = cxt;
	sink->batch_cxt = AllocSetContextCreate(cxt, "pgml_fdw batch", ALLOCSET_DEFAULT_SIZES);
	sink->conn = conn;
	sink->insert = insert;
	sink->output = MemoryContextAllocZero(cxt, sizeof(FmgrInfo) * Max(insert->ncols, 1));
	for (int i = 0; i < insert->ncols; i++)
	{
		Oid			funcid;
		bool		is_varlena;

		if (insert->default_cols[i])
			continue;
		getTypeOutputInfo(TupleDescAttr(desc, insert->attnums[i] - 1)->atttypid,
						  &funcid, &is_varlena);
		fmgr_info_cxt(funcid, &sink->output[i], cxt);
		sink->nparams++;
	}
	return sink;
}

int
pgml_sink_max_rows(int ncols)
{
	return ncols > 0 ? MAX_PARAMS / ncols : 1;
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

/* Append a row: ($1, DEFAULT, $2). */
static void
append_row(const PgmlSink *sink, StringInfo buf, int *param)
{
	for (int i = 0; i < sink->insert->ncols; i++)
	{
		appendStringInfoString(buf, i > 0 ? ", " : "(");
		if (sink->insert->default_cols[i])
			appendStringInfoString(buf, "DEFAULT");
		else
			appendStringInfo(buf, "$%d", ++*param);
	}
	appendStringInfoChar(buf, ')');
}

/* Print the statement for that many rows. */
static char *
render_statement(const PgmlSink *sink, int nrows)
{
	StringInfoData buf;
	int			param = 0;

	initStringInfo(&buf);
	appendStringInfoString(&buf, sink->insert->prefix);
	for (int row = 0; row < nrows && sink->insert->ncols > 0; row++)
	{
		if (row > 0)
			appendStringInfoString(&buf, ", ");
		append_row(sink, &buf, &param);
	}
	appendStringInfoString(&buf, sink->insert->suffix);
	return buf.data;
}

/* Forget the statement, on the remote too if it knows it. */
static void
forget_statement(PgmlSink *sink)
{
	if (sink->prepared != NULL)
	{
		pgml_command_unprepare(sink->conn, sink->prepared);
		pfree(sink->prepared);
		sink->prepared = NULL;
	}
	if (sink->sql != NULL)
		pfree(sink->sql);
	sink->sql = NULL;
}

/* Make the statement for that many rows the current one; prepare it if it was already. */
static void
choose_statement(PgmlSink *sink, int nrows)
{
	MemoryContext oldcxt = MemoryContextSwitchTo(sink->cxt);

	if (sink->sql == NULL || sink->sql_rows != nrows)
	{
		forget_statement(sink);
		sink->sql = render_statement(sink, nrows);
		sink->sql_rows = nrows;
	}
	else if (sink->prepared == NULL)
		sink->prepared = pgml_command_prepare(sink->conn, sink->sql,
											  nrows * sink->nparams, NULL);
	MemoryContextSwitchTo(oldcxt);
}

/*
 * Print the values of rows, as many as fit into one statement, to
 * params->values; returns the number of rows.
 */
static int
encode_rows(PgmlSink *sink, TupleTableSlot **slots, int nslots, PgmlParams *params)
{
	const PgmlInsert *insert = sink->insert;
	int			limit = Min(nslots, max_rows(sink));
	int			nestlevel = pgml_textio_begin();
	Size		bytes = 0;
	int			row;

	params->n = 0;
	params->types = NULL;
	params->values = palloc(sizeof(char *) * Max(limit * sink->nparams, 1));
	for (row = 0; row < limit && bytes < MAX_BATCH_BYTES; row++)
	{
		for (int i = 0; i < insert->ncols; i++)
		{
			Datum		value;
			bool		isnull;
			char	   *text = NULL;

			if (insert->default_cols[i])
				continue;
			value = slot_getattr(slots[row], insert->attnums[i], &isnull);
			if (!isnull)
			{
				text = OutputFunctionCall(&sink->output[i], value);
				bytes += strlen(text);
			}
			params->values[params->n++] = text;
		}
	}
	pgml_textio_end(nestlevel);
	return row;
}

uint64
pgml_sink_put(PgmlSink *sink, TupleTableSlot **slots, int nslots, PgmlResult **returned)
{
	uint64		inserted = 0;
	int			n;

	Assert(!sink->insert->returns || (nslots == 1 && returned != NULL));
	pgml_command_mark_write(sink->conn);
	for (int done = 0; done < nslots; done += n)
	{
		MemoryContext oldcxt = MemoryContextSwitchTo(sink->batch_cxt);
		PgmlParams	params = {0};
		PgmlResult *res;

		n = encode_rows(sink, slots + done, nslots - done, &params);
		MemoryContextSwitchTo(oldcxt);
		choose_statement(sink, n);
		if (sink->prepared != NULL)
			res = pgml_command_run_prepared(sink->conn, sink->prepared, sink->sql, &params);
		else
			res = pgml_command_run_params(sink->conn, sink->sql, &params);
		MemoryContextReset(sink->batch_cxt);

		pgml_stats.rows_out += n;
		inserted += pgml_result_affected(res);
		if (sink->insert->returns)
			*returned = res;
		else
			pgml_result_free(res);
	}
	return inserted;
}

void
pgml_sink_close(PgmlSink *sink)
{
	forget_statement(sink);
	MemoryContextDelete(sink->cxt);
}
