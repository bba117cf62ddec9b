/*
 * source.c
 *		What all sources have in common: their memory, and the text of their
 *		query.
 *
 * How the rows come is the business of the kinds, source_*.c.
 *
 * A column that travels as text is asked for by
 *		CASE WHEN c IS DISTINCT FROM NULL THEN pg_catalog.format('%s', c) END
 * and not by c::text.  format() calls the output function of the type,
 * whatever it is, so that the input function here reads back what is stored
 * there; a cast to text may do something else (bool gives "true", character
 * loses its blanks, inet gains its netmask, users define their own).  format()
 * prints a null as nothing, hence the CASE.  Its condition is no IS NULL,
 * because for a composite value that looks into the fields: a row of nulls
 * isn't null.  Compared with a bare NULL, IS DISTINCT FROM looks only at
 * the value itself, and needs no equality operator.
 */
#include "postgres.h"

#include "lib/stringinfo.h"
#include "utils/memutils.h"

#include "remote/readonly.h"
#include "row/source_kind.h"

static const PgmlSourceOps *const kinds[] = {
	[PGML_SOURCE_COPY] = &pgml_source_copy_ops,
	[PGML_SOURCE_ROW] = &pgml_source_row_ops,
	[PGML_SOURCE_CURSOR] = &pgml_source_cursor_ops,
};

/* Does the source count as a reader of the remote transaction that there is now? */
static bool
is_reader(PgmlSource *source)
{
	return source->reading && source->xact == source->conn->xact;
}

/* Our memory goes away, perhaps by an error: don't leave the connection waiting for us. */
static void
forget_reader(void *arg)
{
	PgmlSource *source = (PgmlSource *) arg;

	if (is_reader(source))
		pgml_readonly_scan_forgotten(source->conn);
	source->reading = false;
	source->conn->sources--;
}

/* The source has no more to read from the remote. */
static void
end_reading(PgmlSource *source)
{
	bool		counts = is_reader(source);

	source->reading = false;
	if (counts)
		pgml_readonly_scan_ends(source->conn);
}

PgmlSource *
pgml_source_create(PgmlSourceKind kind, PgmlConn *conn,
				   const PgmlQuery *query, PgmlCodec *codec)
{
	MemoryContext cxt = AllocSetContextCreate(CurrentMemoryContext, "pgml_fdw source",
											  ALLOCSET_SMALL_SIZES);
	MemoryContext oldcxt = MemoryContextSwitchTo(cxt);
	PgmlSource *source = kinds[kind]->create(conn);

	source->ops = kinds[kind];
	source->proved = true;
	source->cxt = cxt;
	source->conn = conn;
	conn->sources++;
	source->query = query;
	source->codec = codec;
	source->on_delete.func = forget_reader;
	source->on_delete.arg = source;
	MemoryContextRegisterResetCallback(cxt, &source->on_delete);
	MemoryContextSwitchTo(oldcxt);
	return source;
}

void
pgml_source_sign(PgmlSource *source, PgmlOccupant *occupant)
{
	occupant->usage = &source->usage;
	occupant->reader = source->reader;
}

/* Send the query; params must live until it is proved. */
static void
send_query(PgmlSource *source, const PgmlParams *params, const void *reader)
{
	source->ops->stop(source);
	pgml_codec_meet(source->codec, source->conn);
	source->params = params;
	source->reader = reader;
	source->proved = false;
	source->ops->send(source);

	/* from now on the remote transaction is there */
	if (!is_reader(source))
		pgml_readonly_scan_begins(source->conn, source->query->relation,
								  source->query->locks_rows || source->query->keeps_xact);
	source->reading = true;
	source->xact = source->conn->xact;
}

/* Make sure that the columns are what the codec expects; false: not without waiting. */
static bool
prove(PgmlSource *source, bool wait)
{
	if (likely(source->proved))
		return true;
	source->proved = source->ops->prove(source, wait);
	return source->proved;
}

void
pgml_source_start(PgmlSource *source, const PgmlParams *params)
{
	send_query(source, params, NULL);
	(void) prove(source, true);
	source->params = NULL;
}

/* Copy values of parameters, without their types and formats, which are the owner's for good. */
static PgmlParams *
copy_params(PgmlSource *source, const PgmlParams *params)
{
	PgmlParams *copy;
	MemoryContext oldcxt;

	if (source->params_cxt == NULL)
		source->params_cxt = AllocSetContextCreate(source->cxt, "pgml_fdw parameters",
												   ALLOCSET_SMALL_SIZES);
	MemoryContextReset(source->params_cxt);
	oldcxt = MemoryContextSwitchTo(source->params_cxt);
	copy = palloc(sizeof(PgmlParams));
	*copy = *params;
	copy->values = palloc(sizeof(char *) * Max(params->n, 1));
	for (int i = 0; i < params->n; i++)
		copy->values[i] = params->values[i] != NULL ? pstrdup(params->values[i]) : NULL;
	MemoryContextSwitchTo(oldcxt);
	return copy;
}

void
pgml_source_send(PgmlSource *source, const PgmlParams *params, const void *reader)
{
	send_query(source, params != NULL ? copy_params(source, params) : NULL, reader);
}

/* The source has given its last row. */
static void
finish(PgmlSource *source)
{
	/* a query with parameters is likely to be started again */
	if (source->query->nparam_at == 0 && source->reading)
	{
		source->ops->stop(source);
		end_reading(source);
	}
}

bool
pgml_source_next(PgmlSource *source, Datum *values, bool *nulls)
{
	(void) prove(source, true);
	if (source->ops->next(source, values, nulls, true) == PGML_NEXT_ROW)
	{
		source->usage.rows++;
		return true;
	}
	finish(source);
	return false;
}

PgmlNext
pgml_source_try_next(PgmlSource *source, Datum *values, bool *nulls)
{
	PgmlNext	next;

	if (!prove(source, false))
		return PGML_NEXT_WAITS;
	next = source->ops->next(source, values, nulls, false);
	if (next == PGML_NEXT_ROW)
		source->usage.rows++;
	else if (next == PGML_NEXT_END)
		finish(source);
	return next;
}

int
pgml_source_socket(const PgmlSource *source)
{
	return pgml_stream_socket(source->conn);
}

bool
pgml_source_is_wire_idle(const PgmlSource *source)
{
	/* the answer to a COMMIT that nobody waits for is in nobody's way */
	return (source->conn->wire == PGML_WIRE_IDLE || source->conn->late != NULL) &&
		source->conn->occupant == NULL;
}

const void *
pgml_source_rival(const PgmlSource *source)
{
	const PgmlOccupant *occupant = source->conn->occupant;

	return occupant != NULL ? occupant->reader : NULL;
}

void
pgml_source_stop(PgmlSource *source)
{
	source->ops->stop(source);
	source->proved = true;
	end_reading(source);
}

void
pgml_source_close(PgmlSource *source)
{
	pgml_source_stop(source);
	MemoryContextDelete(source->cxt);
}

PgmlUsage *
pgml_source_usage(PgmlSource *source)
{
	return &source->usage;
}

const char *
pgml_source_kind_name(PgmlSourceKind kind)
{
	return kinds[kind]->name;
}

/* Append the query's tail, with literals in the places of the parameters. */
static void
append_tail(StringInfo buf, const PgmlQuery *query, const PgmlParams *params)
{
	const char *at = query->tail;

	for (int i = 0; i < query->nparam_at; i++)
	{
		const char *dollar = query->tail + query->param_at[i];
		char	   *behind;
		long		number;

		Assert(*dollar == '$');
		number = strtol(dollar + 1, &behind, 10);
		if (params == NULL || number < 1 || number > params->n)
			elog(ERROR, "no value for parameter $%ld of a remote query", number);

		appendBinaryStringInfo(buf, at, dollar - at);
		if (params->values[number - 1] != NULL)
			pgml_append_literal(buf, params->values[number - 1]);
		else
			appendStringInfoString(buf, "NULL");
		at = behind;
	}
	appendStringInfoString(buf, at);
}

/* Append SELECT and the columns. */
static void
append_columns(StringInfo buf, PgmlSource *source)
{
	const PgmlQuery *query = source->query;

	Assert(query->ncols == pgml_codec_ncols(source->codec));
	appendStringInfoString(buf, "SELECT");
	for (int i = 0; i < query->ncols; i++)
	{
		const char *column = query->columns[i];

		appendStringInfoString(buf, i > 0 ? ", " : " ");
		if (pgml_codec_is_text(source->codec, i))
			appendStringInfo(buf, "CASE WHEN %s IS DISTINCT FROM NULL"
							 " THEN pg_catalog.format('%%s', %s) END", column, column);
		else
			appendStringInfoString(buf, column);
	}
}

char *
pgml_source_render(PgmlSource *source)
{
	StringInfoData buf;

	initStringInfo(&buf);
	append_columns(&buf, source);
	appendStringInfoString(&buf, source->query->tail);
	return buf.data;
}

char *
pgml_source_render_literal(PgmlSource *source, const PgmlParams *params)
{
	StringInfoData buf;

	initStringInfo(&buf);
	append_columns(&buf, source);
	append_tail(&buf, source->query, params);
	return buf.data;
}

void
pgml_source_lost(PgmlSource *source)
{
	ereport(ERROR,
			(errcode(ERRCODE_FDW_UNABLE_TO_CREATE_REPLY),
			 errmsg("rows of server \"%s\" were lost when a subtransaction was rolled back",
					source->conn->name)));
	pg_unreachable();
}
