/*
 * dblink_gather.c
 *		Gathers the whole result of a remote statement.
 *
 * Rows come one at a time and go, converted by the input functions of the types
 * in the column definition list, into a tuplestore that spills at work_mem;
 * nothing here grows with the number of rows.
 *
 * Several statements in one string are all run, and the result of the last one
 * is what counts.
 *
 * A row that can't be taken in here ends the call, but not the statement, which
 * may have changed something: what is left of its rows is read and forgotten.
 * Only who is interrupted has it cancelled.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "parser/parse_coerce.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/memutils.h"

#include "sqlfunc/dblink_gather.h"

PgmlGather *
pgml_gather_create(MemoryContext cxt, TupleDesc declared, bool random)
{
	PgmlGather *gather = palloc0(sizeof(PgmlGather));
	MemoryContext old;

	gather->cxt = cxt;
	gather->declared = declared;
	gather->row_cxt = AllocSetContextCreate(CurrentMemoryContext, "pgml dblink row",
										  ALLOCSET_DEFAULT_SIZES);
	old = MemoryContextSwitchTo(cxt);
	gather->store = tuplestore_begin_heap(random, false, work_mem);
	MemoryContextSwitchTo(old);
	return gather;
}

PgmlGather *
pgml_gather_create_function(FunctionCallInfo fcinfo)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	TupleDesc	declared;

	if (rsinfo == NULL || !IsA(rsinfo, ReturnSetInfo))
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("set-valued function called in context that cannot accept a set")));
	if ((rsinfo->allowedModes & SFRM_Materialize) == 0)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("materialize mode required, but it is not allowed in this context")));
	rsinfo->returnMode = SFRM_Materialize;

	if (get_call_result_type(fcinfo, NULL, &declared) != TYPEFUNC_COMPOSITE)
		declared = NULL;
	return pgml_gather_create(rsinfo->econtext->ecxt_per_query_memory, declared,
							(rsinfo->allowedModes & SFRM_Materialize_Random) != 0);
}

void
pgml_gather_return(PgmlGather *gather, FunctionCallInfo fcinfo)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;

	/* without these the result is empty */
	if (gather->desc != NULL)
	{
		rsinfo->setResult = gather->store;
		rsinfo->setDesc = gather->desc;
	}
	MemoryContextDelete(gather->row_cxt);
}

/* Forget the rows so far; those that follow are of this shape (NULL: none follow). */
static void
restart(PgmlGather *gather, TupleDesc desc)
{
	MemoryContext old;

	tuplestore_clear(gather->store);
	gather->desc = NULL;
	if (desc == NULL)
		return;
	old = MemoryContextSwitchTo(gather->cxt);
	gather->desc = CreateTupleDescCopy(desc);
	MemoryContextSwitchTo(old);
	gather->input = TupleDescGetAttInMetadata(gather->desc);
	gather->row_values = palloc0(Max(desc->natts, 1) * sizeof(Datum));
	gather->row_nulls = palloc0(Max(desc->natts, 1) * sizeof(bool));
}

void
pgml_gather_throw_ncols(int ncols, int declared)
{
	ereport(ERROR,
			(errcode(ERRCODE_DATATYPE_MISMATCH),
			 errmsg("the remote query returns other columns than the column definition list declares"),
			 errdetail("The query returns %d columns, %d are declared.", ncols, declared)));
}

/* Start with the rows of a statement: they must have the columns that the caller has declared. */
static void
restart_rows(PgmlGather *gather, PgmlResult *res)
{
	if (gather->declared == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("function returning record called in context that cannot accept type record"),
				 errhint("Call it in FROM with a column definition list: AS t(a int, b text).")));
	if (pgml_result_ncols(res) != gather->declared->natts)
		pgml_gather_throw_ncols(pgml_result_ncols(res), gather->declared->natts);
	restart(gather, gather->declared);
}

Datum
pgml_gather_convert(PgmlGather *gather, int col, char *value, int len)
{
	AttInMetadata *input = gather->input;

	if (value != NULL)
		pg_verifymbstr(value, len, false);
	return InputFunctionCall(&input->attinfuncs[col], value, input->attioparams[col],
							 input->atttypmods[col]);
}

void
pgml_gather_convert_row(PgmlGather *gather, PgmlResult *res, Datum *values, bool *nulls)
{
	int			natts = gather->desc->natts;

	/* whoever sends rows of another shape in the middle isn't PostgreSQL */
	if (pgml_result_ncols(res) != natts)
		pgml_gather_throw_ncols(pgml_result_ncols(res), natts);
	for (int i = 0; i < natts; i++)
	{
		char	   *value = pgml_result_value(res, 0, i);

		nulls[i] = value == NULL;
		values[i] = pgml_gather_convert(gather, i, value, pgml_result_length(res, 0, i));
	}
}

/* Put the row of a result into the store. */
static void
put_result(PgmlGather *gather, PgmlResult *res)
{
	MemoryContext old = MemoryContextSwitchTo(gather->row_cxt);

	pgml_gather_convert_row(gather, res, gather->row_values, gather->row_nulls);
	tuplestore_putvalues(gather->store, gather->desc, gather->row_values, gather->row_nulls);
	MemoryContextSwitchTo(old);
	MemoryContextReset(gather->row_cxt);
}

/* Make the tag of a command the only row. */
static void
put_tag(PgmlGather *gather, PgmlResult *res)
{
	TupleDesc	desc = CreateTemplateTupleDesc(1);

	TupleDescInitEntry(desc, 1, "status", TEXTOID, -1, 0);
	restart(gather, desc);
	gather->row_values[0] = CStringGetTextDatum(pgml_result_tag(res));
	gather->row_nulls[0] = false;
	tuplestore_putvalues(gather->store, gather->desc, gather->row_values, gather->row_nulls);
}

void
pgml_gather_start(PgmlGather *gather)
{
	restart(gather, gather->declared);
}

/* Does a setting differ from what is wanted? */
static bool
differs(const char *name, const char *wanted)
{
	return wanted != NULL && strcmp(wanted, GetConfigOption(name, false, false)) != 0;
}

int
pgml_gather_adopt(const char *date_style, const char *interval_style)
{
	const char *const settings[][2] = {{"DateStyle", date_style}, {"IntervalStyle", interval_style}};
	int			nestlevel = -1;

	for (int i = 0; i < (int) lengthof(settings); i++)
	{
		if (!differs(settings[i][0], settings[i][1]))
			continue;
		if (nestlevel < 0)
			nestlevel = NewGUCNestLevel();
		(void) set_config_option(settings[i][0], settings[i][1], PGC_USERSET, PGC_S_SESSION,
								 GUC_ACTION_SAVE, true, 0, false);
	}
	return nestlevel;
}

void
pgml_gather_report_empty(PgmlConn *conn, int elevel)
{
	/* contrib's dblink says connection failure of all that isn't a result */
	ereport(elevel,
			(errcode(conn->enlist == NULL ? ERRCODE_CONNECTION_FAILURE : ERRCODE_SYNTAX_ERROR),
			 errmsg("there is no statement in the SQL for server \"%s\"", conn->name)));
}

bool
pgml_gather_begin(PgmlGather *gather, PgmlConn *conn, PgmlResult *res)
{
	if (pgml_result_is_empty(res))
		pgml_gather_report_empty(conn, ERROR);
	if (!pgml_result_has_rows(res))
		put_tag(gather, res);
	else
		restart_rows(gather, res);
	return pgml_result_nrows(res) > 0;
}

/* Take in one result: a row, the end of a statement, or an error.  True at the end of a statement. */
static bool
take(PgmlGather *gather, PgmlConn *conn, PgmlResult *res, bool fail, bool at_start)
{
	bool		is_error = pgml_result_is_error(res);

	if (is_error || (!fail && pgml_result_is_empty(res)))
	{
		if (is_error)
			pgml_result_report(conn, res, NOTICE);
		else
			pgml_gather_report_empty(conn, NOTICE);
		restart(gather, NULL);
		return true;
	}
	if (at_start && !pgml_gather_begin(gather, conn, res))
		return true;
	if (pgml_result_nrows(res) == 0)
		return true;
	put_result(gather, res);
	return false;
}

/* Take in results: those of all statements, or (once) of one. */
static void
take_all(PgmlGather *gather, PgmlConn *conn, bool fail, bool once)
{
	bool		at_start = true;	/* of a statement's result */
	bool		any = false;
	bool		adopted = false;
	int			nestlevel = -1;
	PgmlResult *res;

	while (!(once && any && at_start) && (res = pgml_rows_next(conn, fail)) != NULL)
	{
		CHECK_FOR_INTERRUPTS();
		if (once)
			conn->midway = pgml_result_nrows(res) > 0;
		/* by the first row the remote has told what an earlier statement may have set */
		if (!adopted && pgml_result_nrows(res) > 0)
		{
			nestlevel = pgml_gather_adopt(pgml_connection_parameter(conn, "DateStyle"),
										  pgml_connection_parameter(conn, "IntervalStyle"));
			adopted = true;
		}
		at_start = take(gather, conn, res, fail, at_start);
		any = true;
	}
	if (nestlevel >= 0)
		AtEOXact_GUC(true, nestlevel);
}

/* An error ends our reading: let the statements run to their end, unless the error is an interrupt. */
static void
let_end(PgmlConn *conn)
{
	if (ERRCODE_TO_CATEGORY(geterrcode()) == ERRCODE_OPERATOR_INTERVENTION)
		return;
	while (pgml_rows_next(conn, false) != NULL)
		CHECK_FOR_INTERRUPTS();
}

void
pgml_gather_run(PgmlGather *gather, PgmlConn *conn, bool fail, bool once)
{
	MemoryContext cxt = CurrentMemoryContext;

	/* what takes part in the transaction is undone with it; the rest of what is read once is left for later */
	if (once || conn->enlist != NULL)
	{
		take_all(gather, conn, fail, once);
		return;
	}
	PG_TRY();
	{
		take_all(gather, conn, fail, once);
	}
	PG_CATCH();
	{
		MemoryContextSwitchTo(cxt);
		let_end(conn);
		PG_RE_THROW();
	}
	PG_END_TRY();
}

void
pgml_gather_check(PgmlGather *gather)
{
	if (gather->desc == NULL)
		return;
	if (gather->desc->natts != gather->declared->natts)
		pgml_gather_throw_ncols(gather->desc->natts, gather->declared->natts);
	for (int i = 0; i < gather->desc->natts; i++)
	{
		Oid			is = TupleDescAttr(gather->desc, i)->atttypid;
		Oid			wanted = TupleDescAttr(gather->declared, i)->atttypid;

		if (!IsBinaryCoercible(is, wanted))
			ereport(ERROR,
					(errcode(ERRCODE_DATATYPE_MISMATCH),
					 errmsg("the remote command returns no rows but its tag, which is text"),
					 errhint("Declare one column of type text.")));
	}
}
