/*
 * dblink.c
 *		Functions that run any SQL on a remote: dblink() and its family.
 *
 * Names, signatures and results are those of contrib's dblink.  Rows come one
 * at a time and go, converted by the input functions of the types in the column
 * definition list, into a tuplestore that spills at work_mem; nothing here
 * grows with the number of rows.
 *
 * Several statements in one string are all run, and the result of the last one
 * is returned.  A command that has no rows yields one row with its tag, in a
 * text column.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "funcapi.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/memutils.h"
#include "utils/tuplestore.h"

#include "remote/command.h"
#include "sqlfunc/dblink_conn.h"

PG_FUNCTION_INFO_V1(pgml_dblink_connect);
PG_FUNCTION_INFO_V1(pgml_dblink_disconnect);
PG_FUNCTION_INFO_V1(pgml_dblink);
PG_FUNCTION_INFO_V1(pgml_dblink_exec);

/* The arguments ([target,] sql [, fail]). */
typedef struct DblinkCall
{
	char	   *target;			/* NULL: the unnamed connection */
	char	   *sql;
	bool		fail;			/* raise errors of the remote as such */
} DblinkCall;

/* Rows on their way to the caller. */
typedef struct RowSink
{
	FunctionCallInfo fcinfo;
	ReturnSetInfo *rsinfo;
	Tuplestorestate *store;
	TupleDesc	desc;			/* of what is in the store; NULL: nothing yet */
	AttInMetadata *input;
	char	  **values;
	MemoryContext row_cxt;		/* reset after each row */
} RowSink;

/* Sort out which of the overloaded functions was called. */
static DblinkCall
read_call(FunctionCallInfo fcinfo)
{
	DblinkCall	call = {.fail = true};
	int			n = PG_NARGS();

	if (n > 1 && get_fn_expr_argtype(fcinfo->flinfo, n - 1) == BOOLOID)
		call.fail = PG_GETARG_BOOL(--n);
	if (n > 1)
		call.target = text_to_cstring(PG_GETARG_TEXT_PP(0));
	call.sql = text_to_cstring(PG_GETARG_TEXT_PP(n - 1));
	return call;
}

/* Prepare to return a set; throws where the caller can't take one. */
static void
sink_begin(RowSink *sink, FunctionCallInfo fcinfo)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	MemoryContext old;

	if (rsinfo == NULL || !IsA(rsinfo, ReturnSetInfo))
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("set-valued function called in context that cannot accept a set")));
	if ((rsinfo->allowedModes & SFRM_Materialize) == 0)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("materialize mode required, but it is not allowed in this context")));
	rsinfo->returnMode = SFRM_Materialize;

	memset(sink, 0, sizeof(RowSink));
	sink->fcinfo = fcinfo;
	sink->rsinfo = rsinfo;
	sink->row_cxt = AllocSetContextCreate(CurrentMemoryContext, "pgml dblink row",
										  ALLOCSET_DEFAULT_SIZES);
	old = MemoryContextSwitchTo(rsinfo->econtext->ecxt_per_query_memory);
	sink->store = tuplestore_begin_heap((rsinfo->allowedModes & SFRM_Materialize_Random) != 0,
										false, work_mem);
	MemoryContextSwitchTo(old);
}

/* Forget the rows so far; those that follow are of this shape (NULL: none follow). */
static void
sink_restart(RowSink *sink, TupleDesc desc)
{
	MemoryContext old;

	tuplestore_clear(sink->store);
	sink->desc = NULL;
	if (desc == NULL)
		return;
	old = MemoryContextSwitchTo(sink->rsinfo->econtext->ecxt_per_query_memory);
	sink->desc = CreateTupleDescCopy(desc);
	MemoryContextSwitchTo(old);
	sink->input = TupleDescGetAttInMetadata(sink->desc);
	sink->values = palloc(Max(desc->natts, 1) * sizeof(char *));
}

/* Start with the rows of a statement: they must have the columns that the caller has declared. */
static void
sink_restart_rows(RowSink *sink, PgmlResult *res)
{
	TupleDesc	desc;

	if (get_call_result_type(sink->fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("function returning record called in context that cannot accept type record"),
				 errhint("Call it in FROM with a column definition list: AS t(a int, b text).")));
	if (pgml_result_ncols(res) != desc->natts)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("the remote query returns other columns than the column definition list declares"),
				 errdetail("The query returns %d columns, %d are declared.",
						   pgml_result_ncols(res), desc->natts)));
	sink_restart(sink, desc);
}

/* Convert sink->values and put them into the store. */
static void
sink_put(RowSink *sink)
{
	MemoryContext old = MemoryContextSwitchTo(sink->row_cxt);

	tuplestore_puttuple(sink->store, BuildTupleFromCStrings(sink->input, sink->values));
	MemoryContextSwitchTo(old);
	MemoryContextReset(sink->row_cxt);
}

/* Put the row of a result; its bytes are the remote's, so they are verified. */
static void
sink_put_result(RowSink *sink, PgmlResult *res)
{
	for (int i = 0; i < sink->desc->natts; i++)
	{
		sink->values[i] = pgml_result_value(res, 0, i);
		if (sink->values[i] != NULL)
			pg_verifymbstr(sink->values[i], pgml_result_length(res, 0, i), false);
	}
	sink_put(sink);
}

/* Make the tag of a command the only row. */
static void
sink_put_tag(RowSink *sink, PgmlResult *res)
{
	TupleDesc	desc = CreateTemplateTupleDesc(1);

	TupleDescInitEntry(desc, 1, "status", TEXTOID, -1, 0);
	sink_restart(sink, desc);
	sink->values[0] = pstrdup(pgml_result_tag(res));
	sink_put(sink);
}

/*
 * Read dates and intervals as the remote writes them.  The settings are undone
 * with the GUC nest level, also by an error.
 */
static int
adopt_remote_styles(PgmlConn *conn)
{
	static const char *const styles[] = {"DateStyle", "IntervalStyle"};
	int			nestlevel = NewGUCNestLevel();

	for (int i = 0; i < (int) lengthof(styles); i++)
	{
		const char *remote = pgml_connection_parameter(conn, styles[i]);

		if (remote != NULL && strcmp(remote, GetConfigOption(styles[i], false, false)) != 0)
			(void) set_config_option(styles[i], remote, PGC_USERSET, PGC_S_SESSION,
									 GUC_ACTION_SAVE, true, 0, false);
	}
	return nestlevel;
}

/* Run a call's SQL and gather the result of its last statement. */
static void
run_into_sink(RowSink *sink, PgmlConn *conn, const DblinkCall *call)
{
	bool		at_start = true;	/* of a statement's rows */
	int			nestlevel = -1;
	PgmlResult *res;

	pgml_rows_start(conn, call->sql);
	while ((res = pgml_rows_next(conn, call->fail)) != NULL)
	{
		CHECK_FOR_INTERRUPTS();
		if (pgml_result_is_error(res))
		{
			pgml_result_report(conn, res, NOTICE);
			sink_restart(sink, NULL);
			continue;
		}
		if (!pgml_result_has_rows(res))
		{
			sink_put_tag(sink, res);
			continue;
		}
		if (at_start)
			sink_restart_rows(sink, res);
		at_start = pgml_result_nrows(res) == 0;
		if (at_start)
			continue;
		/* by now the remote has told what an earlier statement may have set */
		if (nestlevel < 0)
			nestlevel = adopt_remote_styles(conn);
		sink_put_result(sink, res);
	}
	if (nestlevel >= 0)
		AtEOXact_GUC(true, nestlevel);
}

Datum
pgml_dblink(PG_FUNCTION_ARGS)
{
	DblinkCall	call = read_call(fcinfo);
	RowSink		sink;
	PgmlConn   *conn;
	bool		is_new;

	sink_begin(&sink, fcinfo);
	conn = pgml_dblink_find(call.target, &is_new);
	run_into_sink(&sink, conn, &call);
	if (is_new)
		pgml_connection_free(conn);

	/* without these the result is empty */
	if (sink.desc != NULL)
	{
		sink.rsinfo->setResult = sink.store;
		sink.rsinfo->setDesc = sink.desc;
	}
	MemoryContextDelete(sink.row_cxt);
	return (Datum) 0;
}

/* Run a command that has no result but its tag. */
Datum
pgml_dblink_exec(PG_FUNCTION_ARGS)
{
	DblinkCall	call = read_call(fcinfo);
	bool		is_new;
	PgmlConn   *conn = pgml_dblink_find(call.target, &is_new);
	PgmlResult *res = call.fail ? pgml_command_run(conn, call.sql) :
		pgml_command_try(conn, call.sql);
	text	   *tag;

	if (pgml_result_is_error(res))
	{
		pgml_result_report(conn, res, NOTICE);
		tag = cstring_to_text("ERROR");
	}
	else if (pgml_result_has_rows(res))
		ereport(ERROR,
				(errcode(ERRCODE_S_R_E_PROHIBITED_SQL_STATEMENT_ATTEMPTED),
				 errmsg("statement returning results not allowed"),
				 errhint("Use dblink() for statements that return rows.")));
	else
		tag = cstring_to_text(pgml_result_tag(res));

	pgml_result_free(res);
	if (is_new)
		pgml_connection_free(conn);
	PG_RETURN_TEXT_P(tag);
}

/* Open a connection that stays: ([name,] server or connection string). */
Datum
pgml_dblink_connect(PG_FUNCTION_ARGS)
{
	char	   *name = PG_NARGS() == 2 ? text_to_cstring(PG_GETARG_TEXT_PP(0)) : NULL;

	pgml_dblink_open(name, text_to_cstring(PG_GETARG_TEXT_PP(PG_NARGS() - 1)));
	PG_RETURN_TEXT_P(cstring_to_text("OK"));
}

/* Close a connection that stays. */
Datum
pgml_dblink_disconnect(PG_FUNCTION_ARGS)
{
	pgml_dblink_close(PG_NARGS() == 1 ? text_to_cstring(PG_GETARG_TEXT_PP(0)) : NULL);
	PG_RETURN_TEXT_P(cstring_to_text("OK"));
}
