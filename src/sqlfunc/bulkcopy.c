/*
 * bulkcopy.c
 *		SQL functions that copy whole tables: what has the caller asked for?
 *
 * pgml_fdw_pull() brings a remote table or query into a local table,
 * pgml_fdw_push() a local one into a remote table, pgml_fdw_upsert() merges rows
 * into what a foreign table stands for.  Each is one statement of the local
 * transaction and of the remote one that follows it: all or nothing.
 *
 * Here are the arguments; the work is bulkcopy_pull.c's and bulkcopy_push.c's.
 * Sources are texts, as COPY has them: what stands in parentheses is a query,
 * anything else a table's name.  Columns are matched by name.
 */
#include "postgres.h"

#include "fmgr.h"
#include "funcapi.h"
#include "foreign/fdwapi.h"
#include "miscadmin.h"
#include "parser/scansup.h"
#include "tcop/tcopprot.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/guc.h"

#include "base/compat.h"
#include "exec/modify_queue.h"
#include "exec/scan.h"
#include "remote/command.h"
#include "remote/conncache.h"
#include "remote/security.h"
#include "sqlfunc/argument.h"
#include "sqlfunc/bulkcopy.h"

PG_FUNCTION_INFO_V1(pgml_fdw_pull);
PG_FUNCTION_INFO_V1(pgml_fdw_pull_regclass);
PG_FUNCTION_INFO_V1(pgml_fdw_push);
PG_FUNCTION_INFO_V1(pgml_fdw_upsert);

/* The arguments of pull; push has another last one. */
enum
{
	ARG_SERVER,
	ARG_SOURCE,
	ARG_TARGET,
	ARG_MODE,
	ARG_KEY,
	ARG_COLUMNS,
	ARG_FILTER,
	ARG_JOBS,
	ARG_TRUNCATE,
	ARG_CREATE,
	ARG_LOCK_TIMEOUT = ARG_CREATE
};

bool
pgml_bulk_is_query(const char *source)
{
	while (scanner_isspace(*source))
		source++;
	return *source == '(';
}

char *
pgml_bulk_tail(const char *sql, const char *filter)
{
	/* the line feeds end what may be a comment */
	return psprintf(" FROM %s AS pgml_source%s%s%s", sql,
					filter != NULL ? " WHERE (" : "", filter != NULL ? filter : "",
					filter != NULL ? "\n)" : "");
}

bool
pgml_bulk_has_name(List *names, const char *name)
{
	ListCell   *lc;

	foreach(lc, names)
	{
		if (strcmp(lfirst(lc), name) == 0)
			return true;
	}
	return false;
}

void
pgml_bulk_append_names(StringInfo buf, List *names)
{
	ListCell   *lc;

	foreach(lc, names)
	{
		if (lc != list_head(names))
			appendStringInfoString(buf, ", ");
		pgml_append_identifier(buf, lfirst(lc));
	}
}

void
pgml_bulk_report_left_out(List *names)
{
	StringInfoData buf;

	if (names == NIL)
		return;
	initStringInfo(&buf);
	pgml_bulk_append_names(&buf, names);
	ereport(NOTICE,
			(errmsg("columns of the source are left out, which the target doesn't have: %s", buf.data)));
}

/* Say where in a statement that we have composed an error is. */
static void
statement_context(void *arg)
{
	int			position = geterrposition();

	if (position > 0)
	{
		errposition(0);
		internalerrposition(position);
		internalerrquery((const char *) arg);
	}
}

List *
pgml_bulk_analyze(const char *sql)
{
	ErrorContextCallback where = {error_context_stack, statement_context, unconstify(char *, sql)};
	List	   *queries = NIL;
	List	   *raw;

	error_context_stack = &where;
	raw = pg_parse_query(sql);
	if (list_length(raw) == 1)
		queries = pg_analyze_and_rewrite_fixedparams(linitial_node(RawStmt, raw), sql, NULL, 0, NULL);
	error_context_stack = where.previous;
	return queries;
}

/* Read a list of columns, none of them twice; null: NIL. */
static List *
columns_argument(FunctionCallInfo fcinfo, int arg, const char *name)
{
	List	   *names = pgml_argument_names(fcinfo, arg, name);
	ListCell   *lc;

	foreach(lc, names)
		if (pgml_bulk_has_name(list_copy_head(names, foreach_current_index(lc)), lfirst(lc)))
			ereport(ERROR,
					(errcode(ERRCODE_DUPLICATE_COLUMN),
					 errmsg("column \"%s\" is named more than once in argument \"%s\"",
							(char *) lfirst(lc), name)));
	return names;
}

static PgmlCopyMode
mode_argument(FunctionCallInfo fcinfo)
{
	char	   *mode = pgml_argument_text(fcinfo, ARG_MODE, "mode");

	if (pg_strcasecmp(mode, "append") == 0)
		return PGML_COPY_APPEND;
	if (pg_strcasecmp(mode, "replace") == 0)
		return PGML_COPY_REPLACE;
	if (pg_strcasecmp(mode, "upsert") == 0)
		return PGML_COPY_UPSERT;
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("unrecognized mode \"%s\"", mode),
			 errhint("Valid modes are append, replace and upsert.")));
	pg_unreachable();
}

ForeignServer *
pgml_bulk_find_server(const char *name)
{
	ForeignServer *server = GetForeignServerByName(name, false);

	pgml_security_check_usage(server);
	if (GetFdwRoutineByServerId(server->serverid)->BeginForeignScan != pgmlBeginForeignScan)
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("server \"%s\" is not served by pgml_fdw", server->servername)));
	return server;
}

/* Read a time as lock_timeout takes it, also where nothing is to be removed; null: NULL. */
static char *
lock_timeout_argument(FunctionCallInfo fcinfo)
{
	const char *hint = NULL;
	char	   *value;
	int			ms;

	if (PG_ARGISNULL(ARG_LOCK_TIMEOUT))
		return NULL;
	value = text_to_cstring(PG_GETARG_TEXT_PP(ARG_LOCK_TIMEOUT));
	if (!parse_int(value, &ms, GUC_UNIT_MS, &hint) || ms < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("invalid value for argument \"lock_timeout\": \"%s\"", value),
				 hint != NULL ? errhint("%s", _(hint)) : 0));
	return value;
}

/* Refuse arguments that mean nothing together. */
static void
check_call(const PgmlCopyCall *call)
{
	if (call->jobs < 1 || call->jobs > PGML_MAX_JOBS)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"jobs\" must be between 1 and %d", PGML_MAX_JOBS)));
	if (call->truncate && call->mode != PGML_COPY_REPLACE)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"truncate\" is for mode replace only")));
	if (call->key != NIL && call->mode != PGML_COPY_UPSERT)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"key\" is for mode upsert only")));
	if (call->jobs > 1 && pgml_bulk_is_query(call->source))
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("a query can't be read by several jobs"),
				 errhint("Name a table, with a filter.")));
}

/* Read the arguments that pull and push have in common, all but target. */
static PgmlCopyCall *
read_call(FunctionCallInfo fcinfo)
{
	PgmlCopyCall *call = palloc0(sizeof(PgmlCopyCall));

	call->server = pgml_bulk_find_server(pgml_argument_name(fcinfo, ARG_SERVER, "server"));
	call->source = pgml_argument_text(fcinfo, ARG_SOURCE, "source");
	pgml_argument_check(fcinfo, ARG_TARGET, "target");
	call->mode = mode_argument(fcinfo);
	call->key = columns_argument(fcinfo, ARG_KEY, "key");
	call->columns = columns_argument(fcinfo, ARG_COLUMNS, "columns");
	if (!PG_ARGISNULL(ARG_FILTER))
		call->filter = text_to_cstring(PG_GETARG_TEXT_PP(ARG_FILTER));
	pgml_argument_check(fcinfo, ARG_JOBS, "jobs");
	call->jobs = PG_GETARG_INT32(ARG_JOBS);
	call->truncate = !PG_ARGISNULL(ARG_TRUNCATE) && PG_GETARG_BOOL(ARG_TRUNCATE);
	check_call(call);
	call->conn = pgml_conncache_get_for(call->server->serverid, GetUserId());
	pgml_queue_apply_all(call->conn);
	return call;
}

/* Copy a remote table or query into a local table. */
Datum
pgml_fdw_pull(PG_FUNCTION_ARGS)
{
	PgmlCopyCall *call = read_call(fcinfo);

	call->target = text_to_cstring(PG_GETARG_TEXT_PP(ARG_TARGET));
	call->create = !PG_ARGISNULL(ARG_CREATE) && PG_GETARG_BOOL(ARG_CREATE);
	if (call->create && call->mode != PGML_COPY_APPEND)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("a table that is to be created can only be appended to")));
	PG_RETURN_INT64((int64) pgml_bulk_pull(call, InvalidOid));
}

/* The same where the target is known by its OID. */
Datum
pgml_fdw_pull_regclass(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT64((int64) pgml_bulk_pull(read_call(fcinfo), PG_GETARG_OID(ARG_TARGET)));
}

/* Copy a local table or query into a remote table. */
Datum
pgml_fdw_push(PG_FUNCTION_ARGS)
{
	PgmlCopyCall *call = read_call(fcinfo);

	if (call->jobs > 1)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("pgml_fdw_push can't use several jobs"),
				 errdetail("Several connections would not be one transaction.")));
	call->target = text_to_cstring(PG_GETARG_TEXT_PP(ARG_TARGET));
	call->lock_timeout = lock_timeout_argument(fcinfo);
	PG_RETURN_INT64((int64) pgml_bulk_push(call));
}

/* Merge rows into a foreign table: (target, source [, key]) gives (inserted, updated). */
Datum
pgml_fdw_upsert(PG_FUNCTION_ARGS)
{
	uint64		inserted;
	uint64		updated;
	Datum		values[2];
	bool		nulls[2] = {false, false};
	TupleDesc	desc;

	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	pgml_argument_check(fcinfo, 0, "target");
	pgml_bulk_upsert(PG_GETARG_OID(0), pgml_argument_text(fcinfo, 1, "source"),
					 columns_argument(fcinfo, 2, "key"), &inserted, &updated);
	values[0] = Int64GetDatum((int64) inserted);
	values[1] = Int64GetDatum((int64) updated);
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc), values, nulls)));
}
