/*
 * import.c
 *		IMPORT FOREIGN SCHEMA: foreign tables of what is in a schema of the
 *		remote.
 *
 * import_catalog.c reads the remote's catalogs first; from then on nothing is
 * asked of it but, in the end, the statistics of what was made.  Core would run commands that we return one after the other and
 * let the first error end it all.  So everything is made here, each table and each
 * type in a subtransaction, as the caller, and nothing is returned: a table that can't be
 * made is skipped with a WARNING that says why.
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/namespace.h"
#include "foreign/foreign.h"
#include "miscadmin.h"
#include "nodes/parsenodes.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"

#include "exec/import.h"
#include "exec/import_reader.h"
#include "exec/import_state.h"
#include "exec/import_stats.h"
#include "remote/command.h"
#include "remote/conncache.h"

/* How long the remote waits for locks that may be our own, in ms. */
#define OWN_LOCK_TIMEOUT "2000"

/* Callback of error_context_stack: what is it that the remote has waited for? */
static void
own_lock_context(void *arg)
{
	if (geterrcode() == ERRCODE_LOCK_NOT_AVAILABLE)
		errhint("Server \"%s\" is this server itself, and can't see what this transaction has changed: commit that first.",
				(char *) arg);
}

/*
 * Does the remote know our transaction, being the very server that this is?  What it tells of a table
 * takes locks then that we may hold ourselves, and nobody would ever notice.  Without an ID the
 * transaction has changed nothing.
 */
static bool
is_here(PgmlConn *conn)
{
	TransactionId xid = GetTopTransactionIdIfAny();
	PgmlReader	reader;

	if (!TransactionIdIsValid(xid))
		return false;
	reader = pgml_reader_run(conn, psprintf("SELECT true FROM pg_catalog.pg_locks"
											" WHERE locktype = 'transactionid'"
											" AND transactionid = '%u' AND pid = %d",
											xid, MyProcPid), 1);
	return reader.nrows > 0;
}

/* Ask the remote for the tables that the statement wants; throws if it has no such schema. */
static void
read_remote(PgmlImport *import, ImportForeignSchemaStmt *stmt, PgmlConn *conn)
{
	PgmlCatalogWish wish = {0};
	ListCell   *lc;

	wish.schema = stmt->remote_schema;
	wish.only = stmt->list_type == FDW_IMPORT_SCHEMA_LIMIT_TO;
	if (stmt->list_type != FDW_IMPORT_SCHEMA_ALL)
		foreach(lc, stmt->table_list)
			wish.names = lappend(wish.names, lfirst_node(RangeVar, lc)->relname);
	wish.expressions = import->options.default_value || import->options.generated;
	wish.comments = import->options.comments;
	wish.checks = import->options.check;
	wish.updatable = import->options.updatable;

	import->remote = pgml_import_read_schema(conn, &wish);
	if (import->remote == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_FDW_SCHEMA_NOT_FOUND),
				 errmsg("schema \"%s\" is not present on foreign server \"%s\"",
						import->remote_schema, import->server_name),
				 errhint("Upper-case letters in the name of a schema must be enclosed in double quotes.")));
}

/* Warn of the tables in LIMIT TO that are not there. */
static void
warn_of_missing(PgmlImport *import, ImportForeignSchemaStmt *stmt)
{
	ListCell   *lc;
	ListCell   *lc2;

	if (stmt->list_type != FDW_IMPORT_SCHEMA_LIMIT_TO)
		return;
	foreach(lc, stmt->table_list)
	{
		const char *wanted = lfirst_node(RangeVar, lc)->relname;
		bool		missing = true;

		foreach(lc2, import->remote->tables)
		{
			if (strcmp(((PgmlRemoteTable *) lfirst(lc2))->name, wanted) == 0)
				missing = false;
		}
		if (missing)
			ereport(WARNING,
					(errcode(ERRCODE_FDW_TABLE_NOT_FOUND),
					 errmsg("table \"%s\" is not present in schema \"%s\" of foreign server \"%s\"",
							wanted, import->remote_schema, import->server_name)));
	}
}

/* Make one foreign table and return its OID, or warn. */
static Oid
import_table(PgmlImport *import, PgmlRemoteTable *table)
{
	char	   *name = pgml_import_name(table->name);
	const char *problem;

	if (OidIsValid(get_relname_relid(name, import->local_schema_oid)))
		problem = "There is a relation of that name already.";
	else
		problem = pgml_import_table(import, table);
	if (problem != NULL)
		ereport(WARNING,
				(errmsg("foreign table \"%s\" is not imported", name),
				 errdetail_internal("%s", problem)));
	return problem == NULL ? get_relname_relid(name, import->local_schema_oid) : InvalidOid;
}

/* Make the tables, and take over the statistics of those. */
static void
import_schema(ImportForeignSchemaStmt *stmt, PgmlImportOptions options, Oid serverOid, PgmlConn *conn)
{
	PgmlImport	import = {0};
	MemoryContext oldcxt = CurrentMemoryContext;
	MemoryContext table_cxt = AllocSetContextCreate(oldcxt, "pgml import table",
													ALLOCSET_DEFAULT_SIZES);
	List	   *made = NIL;
	ListCell   *lc;

	import.cxt = oldcxt;
	import.remote_schema = stmt->remote_schema;
	import.local_schema = stmt->local_schema;
	import.local_schema_oid = LookupCreationNamespace(stmt->local_schema);
	import.server_name = stmt->server_name;
	import.server_options = pgml_options_of_server(serverOid);
	import.options = options;
	read_remote(&import, stmt, conn);

	foreach(lc, import.remote->tables)
	{
		PgmlRemoteTable *table = lfirst(lc);
		Oid			relid;

		CHECK_FOR_INTERRUPTS();

		/* the remote has been told, but who knows */
		if (!IsImportableForeignTable(table->name, stmt))
			continue;
		MemoryContextSwitchTo(table_cxt);
		relid = import_table(&import, table);
		MemoryContextSwitchTo(oldcxt);
		if (OidIsValid(relid))
			made = lappend_oid(made, relid);
		MemoryContextReset(table_cxt);
	}
	warn_of_missing(&import, stmt);
	if (import.options.stats && import.server_options->import_stats)
		pgml_import_stats_many(conn, made);
	MemoryContextDelete(table_cxt);
}

List *
pgmlImportForeignSchema(ImportForeignSchemaStmt *stmt, Oid serverOid)
{
	PgmlImportOptions options = pgml_options_of_import(stmt->options);
	PgmlConn   *conn = pgml_conncache_get_for(serverOid, GetUserId());
	ErrorContextCallback where = {error_context_stack, own_lock_context, stmt->server_name};

	if (!is_here(conn))
	{
		import_schema(stmt, options, serverOid, conn);
		return NIL;
	}
	pgml_result_free(pgml_command_run(conn, "SET LOCAL lock_timeout = " OWN_LOCK_TIMEOUT));
	error_context_stack = &where;
	import_schema(stmt, options, serverOid, conn);
	error_context_stack = where.previous;
	pgml_result_free(pgml_command_run(conn, "SET LOCAL lock_timeout = DEFAULT"));
	return NIL;
}
