/*
 * refresh.c
 *		pgml_fdw_refresh_schema(): foreign tables follow the remote ones.
 *
 * Question answered: how does a schema that was imported differ from what the
 * remote has now, and what mends it?  A row for each difference has the command;
 * with dry_run false the commands have been run.
 *
 * A dry run runs them as well, in a subtransaction that is rolled back.  So it
 * tells what would fail, and why, and the commands behind the first one are
 * those that would come next (a column of an enum that has got its label, say).
 * The price is that it locks the tables for a moment, as the commands do.
 *
 * Where the tables here came from is what their options say: a schema may hold
 * tables of several servers and remote schemas.  Whatever of those has no foreign
 * table is new, also if it was left out of the import.
 *
 * refresh_table.c knows about columns, and the importer makes what is new.
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "foreign/fdwapi.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/resowner.h"

#include "base/attempt.h"
#include "base/compat.h"
#include "exec/import.h"
#include "exec/import_stats.h"
#include "remote/conncache.h"
#include "remote/security.h"
#include "sqlfunc/refresh.h"

PG_FUNCTION_INFO_V1(pgml_fdw_refresh_schema);

/* The columns of the result. */
enum
{
	COL_OBJECT,
	COL_DIFFERENCE,
	COL_COMMAND,
	COL_PROBLEM,
	NUM_COLS
};

/* Foreign tables here of one schema of one server. */
typedef struct Origin
{
	PgmlRefresh refresh;
	Oid			serverid;
	PgmlConn   *conn;
	List	   *relids;
	List	   *names;			/* of their tables there (char *) */
	PgmlRemoteSchema *all;		/* what an import of the schema would see */
	PgmlRemoteSchema *rest;		/* those of our tables that are not in it (partitions); or NULL */
} Origin;

/* For pgml_attempt. */
static void
run_command(void *arg)
{
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	if (SPI_execute(arg, false, 0) != SPI_OK_UTILITY)
		elog(ERROR, "could not run \"%s\"", (char *) arg);
	SPI_finish();
}

/* Note a difference. */
static void
note(PgmlRefresh *refresh, char *object, const char *what, char *command, const char *problem)
{
	PgmlDifference *difference = palloc(sizeof(PgmlDifference));

	difference->object = object;
	difference->what = what;
	difference->command = command;
	difference->problem = problem;
	refresh->differences = lappend(refresh->differences, difference);
}

/* What an error says, with what it depends on. */
static char *
problem_of(const ErrorData *error)
{
	if (error->detail != NULL)
		return psprintf("%s: %s", error->message, error->detail);
	return error->message;
}

bool
pgml_refresh_mend(PgmlRefresh *refresh, char *object, const char *what, char *command)
{
	ErrorData  *error = pgml_attempt(run_command, command);

	note(refresh, object, what, command, error != NULL ? problem_of(error) : NULL);
	return error == NULL;
}

/* Is it a server of ours, whatever its wrapper is called? */
static bool
is_ours(Oid serverid)
{
	return GetFdwRoutineByServerId(serverid)->ImportForeignSchema == pgmlImportForeignSchema;
}

/* List the foreign tables in a schema, by name. */
static List *
list_tables(Oid schema)
{
	Oid			types[] = {OIDOID};
	Datum		values[] = {ObjectIdGetDatum(schema)};
	MemoryContext cxt = CurrentMemoryContext;
	List	   *relids = NIL;

	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	if (SPI_execute_with_args("SELECT oid FROM pg_catalog.pg_class"
							  " WHERE relnamespace OPERATOR(pg_catalog.=) $1"
							  " AND relkind OPERATOR(pg_catalog.=) 'f' ORDER BY relname",
							  1, types, values, NULL, true, 0) != SPI_OK_SELECT)
		elog(ERROR, "could not list the foreign tables of a schema");
	for (uint64 i = 0; i < SPI_processed; i++)
	{
		bool		isnull;
		Datum		oid = SPI_getbinval(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, 1, &isnull);
		MemoryContext spi_cxt = MemoryContextSwitchTo(cxt);

		relids = lappend_oid(relids, DatumGetObjectId(oid));
		MemoryContextSwitchTo(spi_cxt);
	}
	SPI_finish();
	return relids;
}

/* Begin an origin: it has no tables yet. */
static Origin *
make_origin(Oid schema, const PgmlOptions *options)
{
	Origin	   *origin = palloc0(sizeof(Origin));
	ForeignServer *server = GetForeignServer(options->serverid);
	PgmlImport *import = &origin->refresh.import;

	pgml_security_check_usage(server);
	origin->serverid = server->serverid;
	origin->conn = pgml_conncache_get_for(server->serverid, GetUserId());
	import->cxt = CurrentMemoryContext;
	import->remote_schema = options->schema_name;
	import->local_schema = get_namespace_name(schema);
	import->local_schema_oid = schema;
	import->server_name = server->servername;
	import->server_options = pgml_options_of_server(server->serverid);
	import->options = pgml_options_of_import(NIL);
	return origin;
}

/* Sort the tables of a schema by their origins. */
static List *
make_origins(Oid schema)
{
	List	   *origins = NIL;
	ListCell   *lc;
	ListCell   *lc2;

	foreach(lc, list_tables(schema))
	{
		PgmlOptions *options;
		Origin	   *origin = NULL;

		if (!is_ours(GetForeignServerIdByRelId(lfirst_oid(lc))))
			continue;
		options = pgml_options_of_table(lfirst_oid(lc));
		foreach(lc2, origins)
		{
			Origin	   *other = lfirst(lc2);

			if (other->serverid == options->serverid &&
				strcmp(other->refresh.import.remote_schema, options->schema_name) == 0)
				origin = other;
		}
		if (origin == NULL)
		{
			origin = make_origin(schema, options);
			origins = lappend(origins, origin);
		}
		origin->relids = lappend_oid(origin->relids, lfirst_oid(lc));
		origin->names = lappend(origin->names, pstrdup(options->table_name));
	}
	return origins;
}

/* Find a table of the remote; NULL: it isn't there. */
static PgmlRemoteTable *
find_table(const PgmlRemoteSchema *schema, const char *name)
{
	ListCell   *lc;

	if (schema == NULL)
		return NULL;
	foreach(lc, schema->tables)
		if (strcmp(((PgmlRemoteTable *) lfirst(lc))->name, name) == 0)
			return lfirst(lc);
	return NULL;
}

/* Ask the remote. */
static void
read_origin(Origin *origin)
{
	PgmlImport *import = &origin->refresh.import;
	PgmlCatalogWish wish = {.schema = import->remote_schema,.comments = true};
	ListCell   *lc;

	origin->all = pgml_import_read_schema(origin->conn, &wish);
	if (origin->all == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_FDW_SCHEMA_NOT_FOUND),
				 errmsg("schema \"%s\" is not present on foreign server \"%s\"",
						import->remote_schema, import->server_name)));

	wish.only = true;
	foreach(lc, origin->names)
		if (find_table(origin->all, lfirst(lc)) == NULL)
			wish.names = lappend(wish.names, lfirst(lc));
	if (wish.names != NIL)
		origin->rest = pgml_import_read_schema(origin->conn, &wish);
}

/* The qualified and quoted name of a table in the origin's schema here. */
static char *
local_name(const Origin *origin, const char *name)
{
	return quote_qualified_identifier(origin->refresh.import.local_schema, name);
}

/* Mend the tables that are here. */
static void
mend_tables(Origin *origin)
{
	ListCell   *lc;
	ListCell   *lc2;

	forboth(lc, origin->relids, lc2, origin->names)
	{
		char	   *object = local_name(origin, get_rel_name(lfirst_oid(lc)));
		PgmlRemoteTable *table = find_table(origin->all, lfirst(lc2));

		CHECK_FOR_INTERRUPTS();
		origin->refresh.import.remote = origin->all;
		if (table == NULL)
		{
			origin->refresh.import.remote = origin->rest;
			table = find_table(origin->rest, lfirst(lc2));
		}
		if (table != NULL)
			pgml_refresh_table(&origin->refresh, lfirst_oid(lc), table);
		else
			pgml_refresh_mend(&origin->refresh, object, "table gone",
							  psprintf("DROP FOREIGN TABLE %s", object));
	}
}

/* Make a table that is not here. */
static Oid
make_table(Origin *origin, PgmlRemoteTable *table)
{
	PgmlImport *import = &origin->refresh.import;
	char	   *name = pgml_import_name(table->name);
	const char *problem = "There is a relation of that name already.";

	if (!OidIsValid(get_relname_relid(name, import->local_schema_oid)))
		problem = pgml_import_table(import, table);
	note(&origin->refresh, local_name(origin, name), "table new",
		 psprintf("IMPORT FOREIGN SCHEMA %s LIMIT TO (%s) FROM SERVER %s INTO %s",
				  quote_identifier(import->remote_schema), quote_identifier(table->name),
				  quote_identifier(import->server_name), quote_identifier(import->local_schema)),
		 problem);
	return problem == NULL ? get_relname_relid(name, import->local_schema_oid) : InvalidOid;
}

/* Make the tables that are not here, with their statistics. */
static void
make_tables(Origin *origin, bool dry_run)
{
	List	   *made = NIL;
	ListCell   *lc;
	ListCell   *lc2;

	origin->refresh.import.remote = origin->all;
	foreach(lc, origin->all->tables)
	{
		PgmlRemoteTable *table = lfirst(lc);
		bool		here = false;
		Oid			relid;

		foreach(lc2, origin->names)
			here = here || strcmp(lfirst(lc2), table->name) == 0;
		if (here)
			continue;
		relid = make_table(origin, table);
		if (OidIsValid(relid))
			made = lappend_oid(made, relid);
	}
	if (!dry_run && origin->refresh.import.server_options->import_stats)
		pgml_import_stats_many(origin->conn, made);
}

/* Find and mend all differences; in a dry run, nothing has happened in the end. */
static void
mend_origins(List *origins, bool new_tables, bool dry_run)
{
	MemoryContext cxt = CurrentMemoryContext;
	ResourceOwner owner = CurrentResourceOwner;
	ListCell   *lc;

	BeginInternalSubTransaction(NULL);
	MemoryContextSwitchTo(cxt);
	foreach(lc, origins)
	{
		Origin	   *origin = lfirst(lc);

		origin->refresh.import.quiet = true;
		mend_tables(origin);
		origin->refresh.import.quiet = dry_run;
		if (new_tables)
			make_tables(origin, dry_run);
	}
	if (dry_run)
		RollbackAndReleaseCurrentSubTransaction();
	else
		ReleaseCurrentSubTransaction();
	MemoryContextSwitchTo(cxt);
	CurrentResourceOwner = owner;
}

/* Return a difference as a row. */
static void
return_difference(ReturnSetInfo *rsinfo, const PgmlDifference *difference)
{
	Datum		values[NUM_COLS] = {0};
	bool		nulls[NUM_COLS] = {0};

	values[COL_OBJECT] = CStringGetTextDatum(difference->object);
	values[COL_DIFFERENCE] = CStringGetTextDatum(difference->what);
	values[COL_COMMAND] = CStringGetTextDatum(difference->command);
	nulls[COL_PROBLEM] = difference->problem == NULL;
	if (difference->problem != NULL)
		values[COL_PROBLEM] = CStringGetTextDatum(difference->problem);
	tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
}

Datum
pgml_fdw_refresh_schema(PG_FUNCTION_ARGS)
{
	Oid			schema = LookupExplicitNamespace(NameStr(*PG_GETARG_NAME(0)), false);
	bool		dry_run = PG_GETARG_BOOL(1);
	bool		new_tables = PG_GETARG_BOOL(2);
	List	   *origins;
	ListCell   *lc;
	ListCell   *lc2;

	InitMaterializedSRF(fcinfo, 0);
	origins = make_origins(schema);
	foreach(lc, origins)
		read_origin(lfirst(lc));
	mend_origins(origins, new_tables, dry_run);
	foreach(lc, origins)
		foreach(lc2, ((Origin *) lfirst(lc))->refresh.differences)
			return_difference((ReturnSetInfo *) fcinfo->resultinfo, lfirst(lc2));
	return (Datum) 0;
}
