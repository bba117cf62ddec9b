/*
 * adopt.c
 *		Lets pgml_fdw serve the servers and tables of postgres_fdw, and gives
 *		them back: ALTER FOREIGN DATA WRAPPER with what it lacks.
 *
 * The ALTER alone is dangerous.  A relation's callbacks are cached per session
 * and not invalidated by it, while plans are: a session could plan with one
 * engine and execute with the other.  Nor does it look whether the options of
 * servers, mappings, tables and columns mean anything to the new engine.
 *
 * So each foreign table of the wrapper is locked exclusively first: a statement
 * that is planned or running holds a lock on it, hence nobody is between plan
 * and execution when the handler changes, and all who come later find their
 * caches invalidated.  A transaction that holds such a lock itself has used the
 * table, perhaps changed it, over a connection that the new engine knows nothing
 * of; it is refused.  So are open cursors, for the same reason.
 */
#include "postgres.h"

#include "catalog/dependency.h"
#include "catalog/pg_foreign_data_wrapper.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "foreign/foreign.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "utils/builtins.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/relcache.h"

#include "base/compat.h"
#include "base/textio.h"
#include "remote/conncache.h"
#include "remote/xact.h"
#include "sqlfunc/engine.h"

PG_FUNCTION_INFO_V1(pgml_fdw_adopt);
PG_FUNCTION_INFO_V1(pgml_fdw_release);

/* Query for the servers of wrapper $1. */
static const char servers_query[] =
"SELECT oid FROM pg_catalog.pg_foreign_server WHERE srvfdw = $1 ORDER BY oid";

/* Query for its foreign tables. */
static const char tables_query[] =
"SELECT t.ftrelid FROM pg_catalog.pg_foreign_table t"
" JOIN pg_catalog.pg_foreign_server s ON s.oid = t.ftserver"
" WHERE s.srvfdw = $1 ORDER BY 1";

/* Query for all options below it: where they stand, for whom they are, what they are. */
static const char options_query[] =
"WITH o(class, object, options) AS ("
" SELECT 'pg_foreign_data_wrapper', pg_catalog.format('foreign-data wrapper %I', fdwname),"
"  fdwoptions FROM pg_catalog.pg_foreign_data_wrapper WHERE oid = $1"
" UNION ALL SELECT 'pg_foreign_server', pg_catalog.format('server %I', srvname), srvoptions"
"  FROM pg_catalog.pg_foreign_server WHERE srvfdw = $1"
" UNION ALL SELECT 'pg_user_mapping', pg_catalog.format('the user mapping for %s on server %I',"
"  CASE m.umuser WHEN 0 THEN 'PUBLIC' ELSE pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(m.umuser)) END,"
"  s.srvname), m.umoptions"
"  FROM pg_catalog.pg_user_mapping m JOIN pg_catalog.pg_foreign_server s ON s.oid = m.umserver"
"  WHERE s.srvfdw = $1"
" UNION ALL SELECT 'pg_foreign_table', pg_catalog.format('foreign table %s', t.ftrelid::pg_catalog.regclass),"
"  t.ftoptions FROM pg_catalog.pg_foreign_table t"
"  JOIN pg_catalog.pg_foreign_server s ON s.oid = t.ftserver WHERE s.srvfdw = $1"
" UNION ALL SELECT 'pg_attribute', pg_catalog.format('column %I of foreign table %s', a.attname,"
"  t.ftrelid::pg_catalog.regclass), a.attfdwoptions"
"  FROM pg_catalog.pg_foreign_table t JOIN pg_catalog.pg_foreign_server s ON s.oid = t.ftserver"
"  JOIN pg_catalog.pg_attribute a ON a.attrelid = t.ftrelid AND NOT a.attisdropped"
"  WHERE s.srvfdw = $1"
") SELECT ('pg_catalog.' || class)::pg_catalog.regclass::pg_catalog.oid, object, options"
" FROM o WHERE options IS NOT NULL";

/* Run a query about the wrapper; the rows are in SPI_tuptable. */
static void
query_catalogs(const char *query, Oid fdwid)
{
	Oid			types[] = {OIDOID};
	Datum		values[] = {ObjectIdGetDatum(fdwid)};

	if (SPI_execute_with_args(query, 1, types, values, NULL, false, 0) != SPI_OK_SELECT)
		elog(ERROR, "could not query the catalogs");
}

/* A column of a row in SPI_tuptable that can't be null. */
static Datum
result_datum(uint64 row, int col)
{
	bool		isnull;

	return SPI_getbinval(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, col, &isnull);
}

pg_noreturn static void
throw_used(const char *what, const char *name)
{
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_IN_USE),
			 errmsg("%s \"%s\" has been used in this transaction", what, name),
			 errhint("Change the wrapper's handler in a transaction of its own.")));
}

/* Refuse if this transaction has talked to one of the servers. */
static void
check_servers_unused(Oid fdwid)
{
	query_catalogs(servers_query, fdwid);
	for (uint64 i = 0; i < SPI_processed; i++)
	{
		Oid			serverid = DatumGetObjectId(result_datum(i, 1));

		if (pgml_xact_uses_server(serverid))
			throw_used("foreign server", GetForeignServer(serverid)->servername);
	}
}

/* Wait until nobody uses any of the tables, and keep it so; refuse if we do. */
static void
lock_tables(Oid fdwid)
{
	query_catalogs(tables_query, fdwid);
	for (uint64 i = 0; i < SPI_processed; i++)
	{
		Oid			relid = DatumGetObjectId(result_datum(i, 1));
		Relation	rel = RelationIdGetRelation(relid);

		/* dropped meanwhile */
		if (rel == NULL)
			continue;
		if (CheckRelationLockedByMe(rel, AccessShareLock, true))
			throw_used("foreign table", RelationGetRelationName(rel));
		RelationClose(rel);
		LockRelationOid(relid, AccessExclusiveLock);
	}
}

/* Say in an error of a validator what it was looking at. */
static void
options_error_context(void *arg)
{
	errcontext("while checking the options of %s", (char *) arg);
}

/* Show every option below the wrapper to a validator, which throws at what it doesn't take. */
static void
check_options(Oid fdwid, Oid validator)
{
	ErrorContextCallback context;

	query_catalogs(options_query, fdwid);
	for (uint64 i = 0; i < SPI_processed; i++)
	{
		context.callback = options_error_context;
		context.arg = TextDatumGetCString(result_datum(i, 2));
		context.previous = error_context_stack;
		error_context_stack = &context;
		OidFunctionCall2(validator, result_datum(i, 3), result_datum(i, 1));
		error_context_stack = context.previous;
	}
}

/* Close the connections that we keep to the servers. */
static void
disconnect_servers(Oid fdwid)
{
	query_catalogs(servers_query, fdwid);
	for (uint64 i = 0; i < SPI_processed; i++)
		pgml_conncache_disconnect(DatumGetObjectId(result_datum(i, 1)));
}

static char *
qualified_function(Oid function)
{
	return quote_qualified_identifier(get_namespace_name(get_func_namespace(function)),
									  get_func_name(function));
}

/* Change the engine of a wrapper. */
static void
swap_engine(ForeignDataWrapper *fdw, const PgmlEngine *engine)
{
	char	   *alter = psprintf("ALTER FOREIGN DATA WRAPPER %s HANDLER %s VALIDATOR %s",
								 quote_identifier(fdw->fdwname),
								 qualified_function(engine->handler),
								 qualified_function(engine->validator));
	int			nestlevel;

	SPI_connect();
	nestlevel = pgml_textio_begin();
	check_servers_unused(fdw->fdwid);
	lock_tables(fdw->fdwid);
	check_options(fdw->fdwid, engine->validator);
	if (SPI_execute(alter, false, 0) != SPI_OK_UTILITY)
		elog(ERROR, "could not alter foreign-data wrapper \"%s\"", fdw->fdwname);
	CacheInvalidateRelcacheAll();
	disconnect_servers(fdw->fdwid);
	pgml_textio_end(nestlevel);
	SPI_finish();
}

/* Find the wrapper that a superuser wants changed. */
static ForeignDataWrapper *
find_wrapper(const char *name)
{
	if (!superuser())
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("permission denied to alter foreign-data wrapper \"%s\"", name),
				 errhint("Must be superuser to change the handler of a foreign-data wrapper.")));
	return GetForeignDataWrapperByName(name, false);
}

/* Let pgml_fdw serve a wrapper of postgres_fdw. */
Datum
pgml_fdw_adopt(PG_FUNCTION_ARGS)
{
	ForeignDataWrapper *fdw = find_wrapper(NameStr(*PG_GETARG_NAME(0)));
	PgmlEngine	ours = pgml_engine_ours(fcinfo->flinfo->fn_oid);
	PgmlEngine	theirs = pgml_engine_postgres_fdw(true);

	if (fdw->fdwhandler == ours.handler)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("foreign-data wrapper \"%s\" is served by pgml_fdw already", fdw->fdwname)));
	if (!OidIsValid(theirs.handler) || fdw->fdwhandler != theirs.handler)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("foreign-data wrapper \"%s\" is not served by postgres_fdw", fdw->fdwname),
				 errdetail("Only postgres_fdw's servers and tables mean the same to pgml_fdw.")));

	swap_engine(fdw, &ours);
	PG_RETURN_VOID();
}

/* Give a wrapper back to postgres_fdw. */
Datum
pgml_fdw_release(PG_FUNCTION_ARGS)
{
	ForeignDataWrapper *fdw = find_wrapper(NameStr(*PG_GETARG_NAME(0)));
	PgmlEngine	ours = pgml_engine_ours(fcinfo->flinfo->fn_oid);
	PgmlEngine	theirs;

	if (fdw->fdwhandler != ours.handler ||
		getExtensionOfObject(ForeignDataWrapperRelationId, fdw->fdwid) == ours.extension)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("foreign-data wrapper \"%s\" is not one that pgml_fdw has adopted",
						fdw->fdwname)));

	theirs = pgml_engine_postgres_fdw(false);
	swap_engine(fdw, &theirs);
	PG_RETURN_VOID();
}
