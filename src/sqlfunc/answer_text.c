/*
 * answer_text.c
 *		Rows that come as text, one by one: those of FETCH and of asynchronous
 *		queries.
 *
 * Nothing can be proved of such a statement before it runs: a FETCH moves its
 * cursor, an asynchronous query has been running for a while.  So its values come
 * as the remote writes them, and nobody may cancel it: who stops early reads it to
 * its end, and an error on our side leaves the rest to be skipped by whoever needs
 * the connection next (conn->midway).  In both cases the connection is left as if
 * the whole result had been taken at once, which is how contrib's dblink does it.
 *
 * Parking.  Whoever does something else with the connection in the middle, a type
 * of the columns perhaps whose condition asks the remote, must find it in that
 * state, too.  So the rest of the rows is put aside, as text still, in the memory
 * and under the resource owner of the reader, whosever turn it is.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/tuptable.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/memutils.h"
#include "utils/resowner.h"

#include "sqlfunc/answer_text.h"

struct PgmlTextRows
{
	PgmlOccupant occupant;
	MemoryContext cxt;			/* holds this struct and all that belongs to it */
	ResourceOwner owner;
	MemoryContextCallback on_delete;
	PgmlConn   *conn;
	PgmlGather *into;			/* knows how to convert a row */
	PgmlResult *row;			/* the one that has come last, */
	bool		pending;		/* and hasn't been handed out */
	char	   *date_style;		/* the ways in which it is written */
	char	   *interval_style;
	bool		ended;			/* there is nothing more to read from the connection */
	Tuplestorestate *rest;		/* rows that were put aside, text columns only; or NULL */
	TupleTableSlot *stored;		/* one of them */
};

/* Take leave of the connection when our memory goes away. */
static void
forget_rows(void *arg)
{
	PgmlTextRows *rows = arg;

	pgml_stream_orphan(rows->conn, &rows->occupant);
	rows->conn->sources--;
}

/* The statement is over.  Behind the only one there is nothing but the end of the message. */
static void
end_statement(PgmlTextRows *rows)
{
	PgmlConn   *conn = rows->conn;

	rows->ended = true;
	if (!conn->async)
		while (pgml_rows_next(conn, true) != NULL)
			CHECK_FOR_INTERRUPTS();
	pgml_rows_leave(conn);
}

/* Wait for the next row of the connection; NULL: there is none. */
static PgmlResult *
await_row(PgmlTextRows *rows)
{
	PgmlResult *res;

	if (rows->ended)
		return NULL;
	if (rows->conn->occupant != &rows->occupant)
		ereport(ERROR,
				(errcode(ERRCODE_CONNECTION_FAILURE),
				 errmsg("rows of server \"%s\" were lost with the connection", rows->conn->name)));
	CHECK_FOR_INTERRUPTS();
	res = pgml_rows_next(rows->conn, true);
	if (res != NULL && pgml_result_nrows(res) > 0)
		return res;
	end_statement(rows);
	return NULL;
}

/* Make room for rows that are put aside. */
static void
open_rest(PgmlTextRows *rows)
{
	int			natts = rows->into->desc->natts;

	rows->rest = tuplestore_begin_heap(false, false, work_mem);
	if (rows->stored == NULL)
	{
		TupleDesc	desc = CreateTemplateTupleDesc(natts);

		for (int i = 1; i <= natts; i++)
			TupleDescInitEntry(desc, i, "text", TEXTOID, -1, 0);
		rows->stored = MakeSingleTupleTableSlot(desc, &TTSOpsMinimalTuple);
	}
}

/* Put a row aside. */
static void
put_aside(PgmlTextRows *rows, PgmlResult *res)
{
	int			natts = rows->into->desc->natts;
	Datum	   *values = palloc0(natts * sizeof(Datum));
	bool	   *nulls = palloc(natts * sizeof(bool));

	for (int i = 0; i < natts; i++)
	{
		char	   *value = pgml_result_value(res, 0, i);

		nulls[i] = value == NULL;
		if (value != NULL)
			values[i] = PointerGetDatum(cstring_to_text_with_len(value, pgml_result_length(res, 0, i)));
	}
	tuplestore_putvalues(rows->rest, rows->stored->tts_tupleDescriptor, values, nulls);
}

/* Put what is still to come aside. */
static void
park(PgmlOccupant *occupant)
{
	PgmlTextRows *rows = (PgmlTextRows *) occupant;
	MemoryContext old = MemoryContextSwitchTo(rows->cxt);
	MemoryContext row_cxt = AllocSetContextCreate(rows->cxt, "pgml_fdw row on its way",
												  ALLOCSET_DEFAULT_SIZES);
	ResourceOwner oldowner = CurrentResourceOwner;
	PgmlResult *res;

	CurrentResourceOwner = rows->owner;
	if (rows->rest == NULL)
		open_rest(rows);
	CurrentResourceOwner = oldowner;
	MemoryContextSwitchTo(row_cxt);
	while ((res = await_row(rows)) != NULL)
	{
		put_aside(rows, res);
		MemoryContextReset(row_cxt);
	}
	MemoryContextSwitchTo(old);
	MemoryContextDelete(row_cxt);
}

/* Make a reader of the statement whose first result has come. */
static PgmlTextRows *
create_reader(PgmlGather *into, PgmlConn *conn)
{
	MemoryContext cxt = AllocSetContextCreate(CurrentMemoryContext, "pgml_fdw text rows",
											  ALLOCSET_SMALL_SIZES);
	MemoryContext old = MemoryContextSwitchTo(cxt);
	PgmlTextRows *rows = palloc0(sizeof(PgmlTextRows));

	rows->occupant.park = park;
	rows->cxt = cxt;
	rows->owner = CurrentResourceOwner;
	rows->conn = conn;
	rows->into = into;
	rows->row = pgml_result_create();
	rows->on_delete.func = forget_rows;
	rows->on_delete.arg = rows;
	conn->sources++;
	MemoryContextRegisterResetCallback(cxt, &rows->on_delete);
	MemoryContextSwitchTo(old);
	return rows;
}

/* Remember how the remote writes dates and intervals: the connection may be gone when they are read. */
static void
note_styles(PgmlTextRows *rows)
{
	const char *date_style = pgml_connection_parameter(rows->conn, "DateStyle");
	const char *interval_style = pgml_connection_parameter(rows->conn, "IntervalStyle");

	if (date_style != NULL)
		rows->date_style = MemoryContextStrdup(rows->cxt, date_style);
	if (interval_style != NULL)
		rows->interval_style = MemoryContextStrdup(rows->cxt, interval_style);
}

PgmlTextRows *
pgml_text_rows_begin(PgmlGather *into, PgmlConn *conn)
{
	PgmlResult *res = pgml_rows_next(conn, true);
	PgmlTextRows *rows;

	if (res == NULL)
		return NULL;
	rows = create_reader(into, conn);
	pgml_result_swap(rows->row, res);

	/* from here on an error leaves the rest to be skipped */
	if (pgml_result_nrows(rows->row) > 0)
		pgml_rows_occupy(conn, &rows->occupant);
	else
		end_statement(rows);
	rows->pending = pgml_gather_begin(into, conn, rows->row);
	if (!rows->pending)
	{
		MemoryContextDelete(rows->cxt);
		return NULL;
	}
	note_styles(rows);
	return rows;
}

/* Convert the next of the rows that were put aside; false: there is none left. */
static bool
convert_parked(PgmlTextRows *rows, Datum *values, bool *nulls)
{
	TupleTableSlot *slot = rows->stored;
	MemoryContext old = MemoryContextSwitchTo(rows->cxt);
	bool		found = tuplestore_gettupleslot(rows->rest, true, false, slot);

	MemoryContextSwitchTo(old);
	if (!found)
	{
		tuplestore_end(rows->rest);
		rows->rest = NULL;
		return false;
	}
	slot_getallattrs(slot);
	for (int i = 0; i < rows->into->desc->natts; i++)
	{
		text	   *value = slot->tts_isnull[i] ? NULL : DatumGetTextPP(slot->tts_values[i]);

		nulls[i] = value == NULL;
		values[i] = pgml_gather_convert(rows->into, i, value != NULL ? text_to_cstring(value) : NULL,
										value != NULL ? VARSIZE_ANY_EXHDR(value) : 0);
	}
	return true;
}

/* Convert the next row, wherever it is. */
static bool
convert_next(PgmlTextRows *rows, Datum *values, bool *nulls)
{
	PgmlResult *res;

	if (!rows->pending && rows->rest != NULL && convert_parked(rows, values, nulls))
		return true;
	if (!rows->pending)
	{
		res = await_row(rows);
		if (res == NULL)
			return false;
		/* ours, whoever reads on while it is converted */
		pgml_result_swap(rows->row, res);
	}
	rows->pending = false;
	pgml_gather_convert_row(rows->into, rows->row, values, nulls);
	return true;
}

bool
pgml_text_rows_next(PgmlTextRows *rows, Datum *values, bool *nulls)
{
	int			nestlevel = pgml_gather_adopt(rows->date_style, rows->interval_style);
	bool		found = convert_next(rows, values, nulls);

	if (nestlevel >= 0)
		AtEOXact_GUC(true, nestlevel);
	return found;
}

void
pgml_text_rows_end(PgmlTextRows *rows)
{
	while (await_row(rows) != NULL)
		;
	if (rows->rest != NULL)
		tuplestore_end(rows->rest);
	if (rows->stored != NULL)
		ExecDropSingleTupleTableSlot(rows->stored);
	MemoryContextDelete(rows->cxt);
}
