/*
 * sink.c
 *		What all sinks have in common: the choice between them, and the text of
 *		the INSERT.
 *
 * Where many rows are expected, the remote is asked before the first one leaves
 * what its table is like: which types its columns have, so that values can
 * travel in binary form; and whether COPY does to it what INSERT does.  It does
 * not where a rule or a view rewrites INSERT, where row security refuses COPY,
 * where a BEFORE trigger can drop rows (nobody would know how many, and
 * COPY is slow then), where a partition is a foreign table, and where a value
 * is sent for a column that INSERT refuses but COPY fills: an identity column that is
 * always generated, if the INSERT has no OVERRIDING SYSTEM VALUE.
 *
 * The question travels behind the Parse of the INSERT for one row, in one
 * message.  The Parse locks the table until the (sub)transaction ends, as
 * the INSERT would, and needs no privilege for that; so what the answer says
 * remains true.  And an error in the statement is found first, the
 * same one whichever way the rows go.
 */
#include "postgres.h"

#include "lib/stringinfo.h"
#include "utils/memutils.h"

#include "row/sink_kind.h"

/* Older servers don't have all columns of the catalogs that the question looks at. */
#define FIRST_VERSION_TO_ASK 120000

/* The protocol counts parameters with 16 bits. */
#define MAX_PARAMS 65535

/* Columns of the answer. */
enum
{
	ANSWER_TABLE_COPIES,
	ANSWER_COLUMN_COPIES,
	ANSWER_TYPE,
	NUM_ANSWER_COLUMNS
};

static const PgmlSinkOps *const kinds[] = {
	[PGML_SINK_VALUES] = &pgml_sink_values_ops,
	[PGML_SINK_COPY] = &pgml_sink_copy_ops,
};

int
pgml_sink_max_rows(int ncols)
{
	return ncols > 0 ? MAX_PARAMS / ncols : 1;
}

const char *
pgml_sink_kind_name(PgmlSinkKind kind)
{
	return kinds[kind]->name;
}

/* Append a row: ($1, DEFAULT, $2). */
static void
append_row(const PgmlInsert *insert, StringInfo buf, int *param)
{
	for (int i = 0; i < insert->ncols; i++)
	{
		appendStringInfoString(buf, i > 0 ? ", " : "(");
		if (insert->default_cols[i])
			appendStringInfoString(buf, "DEFAULT");
		else
			appendStringInfo(buf, "$%d", ++*param);
	}
	appendStringInfoChar(buf, ')');
}

char *
pgml_sink_render(const PgmlInsert *insert, int nrows)
{
	StringInfoData buf;
	int			param = 0;

	initStringInfo(&buf);
	appendStringInfoString(&buf, insert->prefix);
	for (int row = 0; row < nrows && insert->ncols > 0; row++)
	{
		if (row > 0)
			appendStringInfoString(&buf, ", ");
		append_row(insert, &buf, &param);
	}
	appendStringInfoString(&buf, insert->suffix);
	return buf.data;
}

/* Make the encoder of the columns that have parameters. */
static PgmlEncoder *
create_encoder(const PgmlInsert *insert, TupleDesc desc, int *nparams)
{
	AttrNumber *attnums = palloc(Max(insert->ncols, 1) * sizeof(AttrNumber));

	*nparams = 0;
	for (int i = 0; i < insert->ncols; i++)
		if (!insert->default_cols[i])
			attnums[(*nparams)++] = insert->attnums[i];
	return pgml_encoder_create(desc, *nparams, attnums);
}

static bool
is_true(PgmlResult *answer, int row, int col)
{
	const char *value = pgml_result_value(answer, row, col);

	return value != NULL && strcmp(value, "t") == 0;
}

/* Tell from the answer which columns may be binary, and whether the rows may leave by COPY. */
static bool
judge_answer(PgmlConn *conn, PgmlEncoder *encoder, int nparams, PgmlResult *answer)
{
	Oid		   *types = palloc0(nparams * sizeof(Oid));
	bool		copies = true;

	if (pgml_result_ncols(answer) != NUM_ANSWER_COLUMNS || pgml_result_nrows(answer) != nparams)
		return false;
	for (int i = 0; i < nparams; i++)
	{
		const char *type = pgml_result_value(answer, i, ANSWER_TYPE);

		types[i] = type != NULL ? strtoul(type, NULL, 10) : InvalidOid;
		copies = copies && is_true(answer, i, ANSWER_TABLE_COPIES) &&
			is_true(answer, i, ANSWER_COLUMN_COPIES);
	}
	pgml_encoder_prove(encoder, conn, types);
	return copies;
}

/*
 * Ask, if that is wanted; *prepared is the name of the INSERT for one row, which has
 * been prepared on the way, NULL if it hasn't.
 */
static PgmlSinkKind
ask_remote(PgmlConn *conn, const PgmlInsert *insert, PgmlEncoder *encoder, int nparams,
		   char **prepared)
{
	PgmlResult *answer;
	bool		copies;

	if (insert->question == NULL || nparams == 0)
		return PGML_SINK_VALUES;
	pgml_connection_ensure(conn);
	if (conn->caps.server_version < FIRST_VERSION_TO_ASK)
		return PGML_SINK_VALUES;

	pgml_command_mark_write(conn);
	*prepared = pgml_command_prepare(conn, pgml_sink_render(insert, 1), nparams, NULL);
	answer = pgml_command_run_params(conn, insert->question, NULL);
	copies = judge_answer(conn, encoder, nparams, answer);
	pgml_result_free(answer);
	return copies && insert->copy != NULL ? PGML_SINK_COPY : PGML_SINK_VALUES;
}

/* Our memory goes away: the connection no longer needs to wait for us. */
static void
forget_sink(void *arg)
{
	((PgmlSink *) arg)->conn->sources--;
}

PgmlSink *
pgml_sink_create(PgmlConn *conn, const PgmlInsert *insert, TupleDesc desc)
{
	MemoryContext cxt = AllocSetContextCreate(CurrentMemoryContext, "pgml_fdw sink",
											  ALLOCSET_SMALL_SIZES);
	MemoryContext oldcxt = MemoryContextSwitchTo(cxt);
	int			nparams;
	PgmlEncoder *encoder = create_encoder(insert, desc, &nparams);
	char	   *prepared = NULL;
	PgmlSinkKind kind = ask_remote(conn, insert, encoder, nparams, &prepared);
	PgmlSink   *sink = kinds[kind]->create(conn, insert, encoder, prepared);

	sink->ops = kinds[kind];
	sink->cxt = cxt;
	sink->conn = conn;
	conn->sources++;
	sink->insert = insert;
	sink->encoder = encoder;
	sink->nparams = nparams;
	sink->on_delete.func = forget_sink;
	sink->on_delete.arg = sink;
	MemoryContextRegisterResetCallback(cxt, &sink->on_delete);
	MemoryContextSwitchTo(oldcxt);
	return sink;
}

PgmlSinkKind
pgml_sink_kind(const PgmlSink *sink)
{
	return sink->ops->kind;
}

int
pgml_sink_appetite(const PgmlSink *sink)
{
	return sink->ops->appetite(sink);
}

uint64
pgml_sink_put(PgmlSink *sink, TupleTableSlot **slots, int nslots, PgmlResult **returned)
{
	Assert(!sink->insert->returns || (nslots == 1 && returned != NULL));
	return sink->ops->put(sink, slots, nslots, returned);
}

void
pgml_sink_close(PgmlSink *sink)
{
	sink->ops->finish(sink);
	MemoryContextDelete(sink->cxt);
}
