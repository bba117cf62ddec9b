/*
 * dblink.c
 *		Functions that run any SQL on a remote: dblink() and its family.
 *
 * Names, signatures and results are those of contrib's dblink.  Here are the
 * functions that open and close connections, and those that run a statement and
 * wait for it; dblink_async.c has those that don't wait, dblink_key.c those that
 * look at local tables only.
 *
 * Cursors.  dblink_open begins a transaction on the remote if there is none,
 * and counts the cursors that it opens in there; dblink_close commits with the
 * last one.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "utils/builtins.h"

#include "remote/command.h"
#include "sqlfunc/answer.h"
#include "sqlfunc/dblink_conn.h"
#include "sqlfunc/dblink_gather.h"

PG_FUNCTION_INFO_V1(pgml_dblink_connect);
PG_FUNCTION_INFO_V1(pgml_dblink_connect_u);
PG_FUNCTION_INFO_V1(pgml_dblink_disconnect);
PG_FUNCTION_INFO_V1(pgml_dblink);
PG_FUNCTION_INFO_V1(pgml_dblink_exec);
PG_FUNCTION_INFO_V1(pgml_dblink_open_cursor);
PG_FUNCTION_INFO_V1(pgml_dblink_fetch);
PG_FUNCTION_INFO_V1(pgml_dblink_close_cursor);

/* The arguments ([target,] fixed ones [, fail]) of overloaded functions. */
typedef struct DblinkCall
{
	char	   *target;			/* NULL: the unnamed connection */
	int			first;			/* number of the first fixed argument */
	bool		fail;			/* raise errors of the remote as such */
} DblinkCall;

/* Sort out which of the overloaded functions with nfixed fixed arguments was called. */
static DblinkCall
read_call(FunctionCallInfo fcinfo, int nfixed)
{
	DblinkCall	call = {.fail = true};
	int			n = PG_NARGS();

	if (n > nfixed && get_fn_expr_argtype(fcinfo->flinfo, n - 1) == BOOLOID)
		call.fail = PG_GETARG_BOOL(--n);
	if (n > nfixed)
	{
		call.target = text_to_cstring(PG_GETARG_TEXT_PP(0));
		call.first = 1;
	}
	return call;
}

/* A fixed argument of type text. */
static char *
fixed_text(FunctionCallInfo fcinfo, const DblinkCall *call, int i)
{
	return text_to_cstring(PG_GETARG_TEXT_PP(call->first + i));
}

/* Run a statement; NULL: it failed, and the user wants no more than a NOTICE. */
static PgmlResult *
run(PgmlConn *conn, const char *sql, bool fail)
{
	PgmlResult *res = fail ? pgml_command_run(conn, sql) : pgml_command_try(conn, sql);

	if (pgml_result_is_error(res))
		pgml_result_report(conn, res, NOTICE);
	else if (pgml_result_is_empty(res))
		pgml_gather_report_empty(conn, fail ? ERROR : NOTICE);
	else
		return res;
	pgml_result_free(res);
	return NULL;
}

static Datum
text_result(const char *text)
{
	return PointerGetDatum(cstring_to_text(text));
}

bool
pgml_dblink_ask(FunctionCallInfo fcinfo, PgmlQuestion *question)
{
	DblinkCall	call = read_call(fcinfo, 1);

	/* of a busy connection contrib's says so, too, and only here */
	question->lease = pgml_dblink_lease(call.target, ERRCODE_INTERNAL_ERROR);
	question->conn = pgml_dblink_lease_conn(question->lease);
	question->sql = fixed_text(fcinfo, &call, 0);
	question->fail = call.fail;
	return true;
}

/* ([target,] sql [, fail]) */
Datum
pgml_dblink(PG_FUNCTION_ARGS)
{
	return pgml_answer_function(fcinfo, pgml_dblink_ask);
}

/* Run a command that has no result but its tag: ([target,] sql [, fail]). */
Datum
pgml_dblink_exec(PG_FUNCTION_ARGS)
{
	DblinkCall	call = read_call(fcinfo, 1);
	PgmlLease  *lease = pgml_dblink_lease(call.target, ERRCODE_CONNECTION_FAILURE);
	PgmlResult *res = run(pgml_dblink_lease_conn(lease), fixed_text(fcinfo, &call, 0), call.fail);
	Datum		tag;

	if (res == NULL)
		tag = text_result("ERROR");
	else if (pgml_result_has_rows(res))
		ereport(ERROR,
				(errcode(ERRCODE_S_R_E_PROHIBITED_SQL_STATEMENT_ATTEMPTED),
				 errmsg("statement returning results not allowed"),
				 errhint("Use dblink() for statements that return rows.")));
	else
		tag = text_result(pgml_result_tag(res));
	pgml_dblink_release(lease, false);
	return tag;
}

/* Open a connection that stays: ([name,] server or connection string). */
static Datum
connect_call(FunctionCallInfo fcinfo, bool trust_password)
{
	char	   *name = PG_NARGS() == 2 ? text_to_cstring(PG_GETARG_TEXT_PP(0)) : NULL;

	pgml_dblink_open(name, text_to_cstring(PG_GETARG_TEXT_PP(PG_NARGS() - 1)), trust_password);
	return text_result("OK");
}

Datum
pgml_dblink_connect(PG_FUNCTION_ARGS)
{
	return connect_call(fcinfo, false);
}

/* The same without asking for a password; who may do that, GRANT says. */
Datum
pgml_dblink_connect_u(PG_FUNCTION_ARGS)
{
	return connect_call(fcinfo, true);
}

/* Close a connection that stays. */
Datum
pgml_dblink_disconnect(PG_FUNCTION_ARGS)
{
	pgml_dblink_close(PG_NARGS() == 1 ? text_to_cstring(PG_GETARG_TEXT_PP(0)) : NULL);
	return text_result("OK");
}

/* ([name,] cursor, sql [, fail]) */
Datum
pgml_dblink_open_cursor(PG_FUNCTION_ARGS)
{
	DblinkCall	call = read_call(fcinfo, 2);
	PgmlSession *session = pgml_dblink_idle_session(call.target);
	char	   *sql = psprintf("DECLARE %s CURSOR FOR %s", fixed_text(fcinfo, &call, 0),
							   fixed_text(fcinfo, &call, 1));

	if (pgml_command_remote_xact(session->conn) == PGML_XACT_NONE)
	{
		pgml_result_free(pgml_command_run(session->conn, "BEGIN"));
		session->began = true;

		/* the user may have ended the last one by himself */
		session->cursors = 0;
	}
	if (session->began)
		session->cursors++;
	return text_result(run(session->conn, sql, call.fail) != NULL ? "OK" : "ERROR");
}

/* ([name,] cursor [, fail]) */
Datum
pgml_dblink_close_cursor(PG_FUNCTION_ARGS)
{
	DblinkCall	call = read_call(fcinfo, 1);
	PgmlSession *session = pgml_dblink_idle_session(call.target);
	char	   *sql = psprintf("CLOSE %s", fixed_text(fcinfo, &call, 0));

	if (run(session->conn, sql, call.fail) == NULL)
		return text_result("ERROR");
	if (session->began && --session->cursors == 0)
	{
		session->began = false;
		pgml_result_free(pgml_command_run(session->conn, "COMMIT"));
	}
	return text_result("OK");
}

/* ([name,] cursor, number of rows [, fail]) */
bool
pgml_dblink_fetch_ask(FunctionCallInfo fcinfo, PgmlQuestion *question)
{
	DblinkCall	call = read_call(fcinfo, 2);

	question->kind = PGML_ASKS_FETCH;
	question->conn = pgml_dblink_idle_session(call.target)->conn;
	question->sql = psprintf("FETCH %d FROM %s", PG_GETARG_INT32(call.first + 1),
							 fixed_text(fcinfo, &call, 0));
	question->fail = call.fail;
	return true;
}

Datum
pgml_dblink_fetch(PG_FUNCTION_ARGS)
{
	return pgml_answer_function(fcinfo, pgml_dblink_fetch_ask);
}
