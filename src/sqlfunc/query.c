/*
 * query.c
 *		SQL of the user on a foreign server, inside the local transaction.
 *
 * The typed sisters of dblink.  They speak over the connection that the foreign
 * tables use, so they see what those see, and are committed and rolled back
 * with them.  Parameters travel apart from the SQL: nothing in them can become
 * a part of it.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "foreign/foreign.h"
#include "funcapi.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "nodes/parsenodes.h"
#include "parser/parser.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

#include "base/compat.h"
#include "exec/arguments.h"
#include "exec/modify_queue.h"
#include "remote/conncache.h"
#include "remote/security.h"
#include "sqlfunc/answer.h"

PG_FUNCTION_INFO_V1(pgml_fdw_query);
PG_FUNCTION_INFO_V1(pgml_fdw_exec);
PG_FUNCTION_INFO_V1(pgml_fdw_describe);

/* Arguments in front of the parameters: the server's name and the SQL. */
#define FIXED_ARGS 2

/* The transaction's connection to the server that the first argument names. */
static PgmlConn *
server_conn(FunctionCallInfo fcinfo)
{
	char	   *name = text_to_cstring(PG_GETARG_TEXT_PP(0));
	ForeignServer *server = GetForeignServerByName(name, false);
	PgmlConn   *conn;

	pgml_security_check_usage(server);
	conn = pgml_conncache_get_for(server->serverid, GetUserId());
	pgml_queue_apply_all(conn);
	return conn;
}

/* Parameters that were given as one array: VARIADIC '{...}'. */
static PgmlArguments *
array_arguments(FunctionCallInfo fcinfo)
{
	ArrayType  *array = PG_GETARG_ARRAYTYPE_P(FIXED_ARGS);
	Oid			type = ARR_ELEMTYPE(array);
	int16		len;
	bool		byval;
	char		align;
	Datum	   *datums;
	bool	   *nulls;
	int			n;
	Oid		   *types;
	PgmlArguments *args;

	get_typlenbyvalalign(type, &len, &byval, &align);
	deconstruct_array(array, type, len, byval, align, &datums, &nulls, &n);
	types = palloc(Max(n, 1) * sizeof(Oid));
	for (int i = 0; i < n; i++)
		types[i] = type;
	args = pgml_arguments_create(n, types, true);
	memcpy(args->datums, datums, n * sizeof(Datum));
	memcpy(args->nulls, nulls, n * sizeof(bool));
	return args;
}

/* Parameters that were given one by one. */
static PgmlArguments *
single_arguments(FunctionCallInfo fcinfo)
{
	int			n = PG_NARGS() - FIXED_ARGS;
	Oid		   *types = palloc(n * sizeof(Oid));
	PgmlArguments *args;

	for (int i = 0; i < n; i++)
	{
		types[i] = get_fn_expr_argtype(fcinfo->flinfo, FIXED_ARGS + i);
		if (!OidIsValid(types[i]))
			elog(ERROR, "could not determine the type of parameter $%d", i + 1);
	}
	args = pgml_arguments_create(n, types, true);
	for (int i = 0; i < n; i++)
	{
		args->nulls[i] = PG_ARGISNULL(FIXED_ARGS + i);
		args->datums[i] = args->nulls[i] ? (Datum) 0 : PG_GETARG_DATUM(FIXED_ARGS + i);
	}
	return args;
}

/* The parameters as text; NULL if there are none. */
static const PgmlParams *
read_params(FunctionCallInfo fcinfo)
{
	PgmlArguments *args;

	if (PG_NARGS() == FIXED_ARGS)
		return NULL;
	if (!get_fn_expr_variadic(fcinfo->flinfo))
		args = single_arguments(fcinfo);
	else if (PG_ARGISNULL(FIXED_ARGS))
		return NULL;
	else
		args = array_arguments(fcinfo);
	return args->n > 0 ? pgml_arguments_print(args) : NULL;
}

/* Does the statement begin or end a transaction? */
static bool
controls_transaction(RawStmt *raw)
{
	TransactionStmt *statement = (TransactionStmt *) raw->stmt;

	if (!IsA(statement, TransactionStmt))
		return false;
	switch (statement->kind)
	{
		case TRANS_STMT_SAVEPOINT:
		case TRANS_STMT_RELEASE:
		case TRANS_STMT_ROLLBACK_TO:
			return false;
		default:
			return true;
	}
}

/* Parse SQL; NIL where our grammar doesn't know it, which needn't be the remote's. */
static List *
parse(const char *sql)
{
	MemoryContext cxt = CurrentMemoryContext;
	List	   *statements;

	PG_TRY();
	{
		statements = raw_parser(sql, RAW_PARSE_DEFAULT);
	}
	PG_CATCH();
	{
		/* a parser that fails leaves nothing behind */
		MemoryContextSwitchTo(cxt);
		FlushErrorState();
		statements = NIL;
	}
	PG_END_TRY();
	return statements;
}

/*
 * Refuse SQL that would end the remote transaction: what was done there before
 * would be committed, whatever becomes of the local one.  (What isn't found out
 * here is when it has happened, by pgml_command_user_sql_ends.)
 */
static void
refuse_transaction_control(const char *sql)
{
	ListCell   *lc;

	foreach(lc, parse(sql))
		if (controls_transaction(lfirst_node(RawStmt, lc)))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_TRANSACTION_TERMINATION),
					 errmsg("the remote transaction begins and ends with the local one"),
					 errhint("Use dblink_exec() for what is to stand outside of it.")));
}

/* The SQL, which is the second argument. */
static char *
read_sql(FunctionCallInfo fcinfo)
{
	char	   *sql = text_to_cstring(PG_GETARG_TEXT_PP(1));

	refuse_transaction_control(sql);
	return sql;
}

bool
pgml_query_ask(FunctionCallInfo fcinfo, PgmlQuestion *question)
{
	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		return false;
	question->conn = server_conn(fcinfo);
	question->sql = read_sql(fcinfo);
	question->params = read_params(fcinfo);
	question->fail = true;
	return true;
}

/* (server, sql, parameters...): the rows. */
Datum
pgml_fdw_query(PG_FUNCTION_ARGS)
{
	return pgml_answer_function(fcinfo, pgml_query_ask);
}

/* (server, sql, parameters...): how many rows the command has changed or returned. */
Datum
pgml_fdw_exec(PG_FUNCTION_ARGS)
{
	PgmlConn   *conn;
	char	   *sql;
	const PgmlParams *params;
	PgmlResult *res;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		PG_RETURN_NULL();
	conn = server_conn(fcinfo);
	sql = read_sql(fcinfo);
	params = read_params(fcinfo);
	pgml_command_user_sql_begins(conn);
	/* as a message of its own: a syntax error then concerns nothing else */
	if (params != NULL || pgml_answer_is_single(sql))
		res = pgml_command_run_params(conn, sql, params);
	else
		res = pgml_command_run(conn, sql);
	if (pgml_result_is_empty(res))
		pgml_gather_report_empty(conn, ERROR);
	pgml_command_user_sql_ends(conn);
	pgml_command_mark_write(conn);
	PG_RETURN_INT64((int64) pgml_result_affected(res));
}

/* A column of a query, as it could be declared here. */
typedef struct DescribedColumn
{
	char	   *name;
	char	   *type;			/* as the remote names it */
	bool		is_here;		/* there is such a type here */
} DescribedColumn;

/* Is there a type of this name here? */
static bool
type_exists(const char *name)
{
	LOCAL_FCINFO(fcinfo, 1);

	InitFunctionCallInfoData(*fcinfo, NULL, 1, InvalidOid, NULL, NULL);
	fcinfo->args[0].value = CStringGetTextDatum(name);
	fcinfo->args[0].isnull = false;
	(void) to_regtype(fcinfo);
	return !fcinfo->isnull;
}

/* Name a column so that no other one has the name; the names up to it are done. */
static char *
unique_name(DescribedColumn *columns, int i, const char *wanted)
{
	char	   *name = pstrdup(wanted);
	int			suffix = 1;

	for (int j = 0; j < i; j++)
	{
		if (strcmp(columns[j].name, name) != 0)
			continue;
		name = psprintf("%.*s_%d", pg_mbcliplen(wanted, strlen(wanted), NAMEDATALEN - 12),
						wanted, ++suffix);
		j = -1;
	}
	return name;
}

/* Let the remote name the types of the columns. */
static PgmlResult *
ask_types(PgmlConn *conn, PgmlResult *description)
{
	StringInfoData sql;

	initStringInfo(&sql);
	for (int i = 0; i < pgml_result_ncols(description); i++)
		appendStringInfo(&sql, "%s pg_catalog.format_type(%u, %d)", i > 0 ? "," : "SELECT",
						 pgml_result_column_type(description, i),
						 pgml_result_column_typmod(description, i));
	return pgml_command_read(conn, sql.data);
}

/* Find out what can be declared for each column. */
static DescribedColumn *
describe_columns(PgmlConn *conn, PgmlResult *description)
{
	int			n = pgml_result_ncols(description);
	DescribedColumn *columns = palloc0(n * sizeof(DescribedColumn));
	PgmlResult *types = ask_types(conn, description);

	if (pgml_result_nrows(types) != 1 || pgml_result_ncols(types) != n)
		elog(ERROR, "server \"%s\" did not name the types of the columns", conn->name);
	for (int i = 0; i < n; i++)
	{
		char	   *name = pgml_result_column_name(description, i);
		char	   *type = pgml_result_value(types, 0, i);

		if (type == NULL)
			elog(ERROR, "server \"%s\" did not name the type of column %d", conn->name, i + 1);
		pg_verifymbstr(name, strlen(name), false);
		pg_verifymbstr(type, strlen(type), false);
		columns[i].name = unique_name(columns, i, name);
		columns[i].type = pstrdup(type);
		columns[i].is_here = type_exists(type);
	}
	return columns;
}

/* (server, sql): a row for each column of a query, each with the whole column definition list. */
Datum
pgml_fdw_describe(PG_FUNCTION_ARGS)
{
	PgmlConn   *conn = server_conn(fcinfo);
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	PgmlResult *description;
	DescribedColumn *columns;
	StringInfoData list;
	int			n;

	pgml_command_user_sql_begins(conn);
	description = pgml_command_describe(conn, text_to_cstring(PG_GETARG_TEXT_PP(1)), NULL, NULL);
	pgml_command_user_sql_ends(conn);
	n = pgml_result_ncols(description);
	InitMaterializedSRF(fcinfo, 0);
	if (n == 0)
		return (Datum) 0;
	columns = describe_columns(conn, description);
	initStringInfo(&list);
	for (int i = 0; i < n; i++)
		appendStringInfo(&list, "%s%s %s", i > 0 ? ", " : "(", quote_identifier(columns[i].name),
						 columns[i].is_here ? columns[i].type : "text");
	appendStringInfoChar(&list, ')');

	for (int i = 0; i < n; i++)
	{
		Datum		values[4] = {
			Int32GetDatum(i + 1), CStringGetTextDatum(columns[i].name),
			CStringGetTextDatum(columns[i].type), CStringGetTextDatum(list.data)
		};
		bool		nulls[4] = {false, false, false, false};

		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
	}
	return (Datum) 0;
}
