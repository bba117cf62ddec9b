/*
 * dblink_async.c
 *		dblink's functions that don't wait for the remote, and those that tell
 *		what is going on.
 *
 * dblink_send_query leaves a query running on a named connection, beyond the end
 * of the local transaction even; dblink_get_result takes the result of its next
 * statement, and comes back empty when there is none left.  A reader that
 * fails in the middle has consumed the statement: what is left of its rows is
 * skipped by the next one (answer_text.c).
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"

#include "remote/command.h"
#include "sqlfunc/answer.h"
#include "sqlfunc/dblink_conn.h"

PG_FUNCTION_INFO_V1(pgml_dblink_send_query);
PG_FUNCTION_INFO_V1(pgml_dblink_is_busy);
PG_FUNCTION_INFO_V1(pgml_dblink_get_result);
PG_FUNCTION_INFO_V1(pgml_dblink_cancel_query);
PG_FUNCTION_INFO_V1(pgml_dblink_error_message);
PG_FUNCTION_INFO_V1(pgml_dblink_get_connections);
PG_FUNCTION_INFO_V1(pgml_dblink_get_notify);

/* The connection that the first argument names. */
static PgmlConn *
named_conn(FunctionCallInfo fcinfo)
{
	return pgml_dblink_session(text_to_cstring(PG_GETARG_TEXT_PP(0)))->conn;
}

/* The same; rows that are being read are put aside.  Those that nobody reads any more aren't waited for. */
static PgmlConn *
parked_conn(FunctionCallInfo fcinfo)
{
	PgmlConn   *conn = named_conn(fcinfo);

	if (conn->occupant != NULL)
		pgml_conn_claim(conn);
	return conn;
}

/* (name, sql): 1, or 0 with a NOTICE. */
Datum
pgml_dblink_send_query(PG_FUNCTION_ARGS)
{
	PgmlConn   *conn = named_conn(fcinfo);

	/* what has been left of a FETCH stands in the way no longer than it takes to skip it */
	if (!conn->async)
		conn = pgml_dblink_settled_session(text_to_cstring(PG_GETARG_TEXT_PP(0)))->conn;
	if (pgml_async_send(conn, text_to_cstring(PG_GETARG_TEXT_PP(1))))
		PG_RETURN_INT32(1);
	ereport(NOTICE,
			(errmsg("the query could not be sent"),
			 conn->async ?
			 errdetail("Another query has results left on this connection.") :
			 errdetail("The connection was lost.")));
	PG_RETURN_INT32(0);
}

Datum
pgml_dblink_is_busy(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT32(pgml_async_busy(parked_conn(fcinfo)) ? 1 : 0);
}

/* The result of the next statement: (name [, fail]). */
bool
pgml_dblink_result_ask(FunctionCallInfo fcinfo, PgmlQuestion *question)
{
	question->kind = PGML_ASKS_RESULT;
	question->conn = pgml_dblink_settled_session(text_to_cstring(PG_GETARG_TEXT_PP(0)))->conn;
	question->fail = PG_NARGS() < 2 || PG_GETARG_BOOL(1);
	return question->conn->async;
}

Datum
pgml_dblink_get_result(PG_FUNCTION_ARGS)
{
	return pgml_answer_function(fcinfo, pgml_dblink_result_ask);
}

Datum
pgml_dblink_cancel_query(PG_FUNCTION_ARGS)
{
	const char *problem = pgml_async_cancel(parked_conn(fcinfo));

	PG_RETURN_TEXT_P(cstring_to_text(problem != NULL ? problem : "OK"));
}

Datum
pgml_dblink_error_message(PG_FUNCTION_ARGS)
{
	char	   *message = pgml_async_error(named_conn(fcinfo));

	PG_RETURN_TEXT_P(cstring_to_text(message != NULL ? message : "OK"));
}

/* Names of the open connections; null if there are none. */
Datum
pgml_dblink_get_connections(PG_FUNCTION_ARGS)
{
	ArrayBuildState *names = NULL;
	ListCell   *lc;

	foreach(lc, pgml_dblink_names())
		names = accumArrayResult(names, CStringGetTextDatum((char *) lfirst(lc)), false,
								 TEXTOID, CurrentMemoryContext);
	if (names == NULL)
		PG_RETURN_NULL();
	PG_RETURN_DATUM(makeArrayResult(names, CurrentMemoryContext));
}

/* ([name]): what has been notified since; nothing, if the unnamed connection isn't open. */
Datum
pgml_dblink_get_notify(PG_FUNCTION_ARGS)
{
	PgmlConn   *conn = NULL;
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	PgmlNotification found;

	if (PG_NARGS() == 1)
		conn = named_conn(fcinfo);
	else if (pgml_dblink_has_unnamed())
		conn = pgml_dblink_session(NULL)->conn;

	InitMaterializedSRF(fcinfo, 0);
	while (conn != NULL && pgml_async_notification(conn, &found))
	{
		Datum		values[3] = {
			CStringGetTextDatum(found.channel), Int32GetDatum(found.pid),
			CStringGetTextDatum(found.payload)
		};
		bool		nulls[3] = {false, false, false};

		CHECK_FOR_INTERRUPTS();
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
	}
	return (Datum) 0;
}
