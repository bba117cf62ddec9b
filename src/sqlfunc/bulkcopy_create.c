/*
 * bulkcopy_create.c
 *		pgml_fdw_pull(create_target => true): a local table like a relation of
 *		the remote.
 *
 * What is like a table there is made by twin.c, its keys and indexes when the
 * rows are in it.  Of a query nothing is known but names and types: it becomes a
 * table with such columns.
 */
#include "postgres.h"

#include "access/transam.h"
#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "lib/stringinfo.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/varlena.h"

#include "base/option.h"
#include "exec/import_state.h"
#include "exec/twin.h"
#include "exec/twin_foreign_key.h"
#include "remote/command.h"
#include "sqlfunc/bulkcopy.h"

/* Ask the remote for all that is to be known of a table, as IMPORT does. */
static PgmlImport *
begin_import(const PgmlCopyCall *call, const PgmlBulkRelation *relation, Oid schema)
{
	PgmlImport *import = palloc0(sizeof(PgmlImport));
	PgmlCatalogWish wish = {0};

	wish.schema = relation->schema;
	wish.names = list_make1(relation->table);
	wish.only = wish.expressions = wish.comments = wish.checks = true;
	import->cxt = CurrentMemoryContext;
	import->remote = pgml_import_read_schema(call->conn, &wish);
	if (import->remote == NULL || import->remote->tables == NIL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("relation %s does not exist on server \"%s\"", relation->sql, call->conn->name)));
	import->remote_schema = relation->schema;
	import->local_schema_oid = schema;
	import->local_schema = get_namespace_name(schema);
	import->server_name = call->server->servername;
	import->server_options = pgml_options_of_server(call->server->serverid);
	import->options = pgml_options_of_import(NIL);
	import->options.default_value = import->options.check = true;
	import->as_tables = true;

	/* who names the columns wants the values of generated ones, too */
	import->options.generated = call->columns == NIL;
	return import;
}

/* Append the definition of a column of a query. */
static void
append_column(StringInfo sql, const PgmlBulkColumn *column)
{
	/* built-in types have the same OIDs everywhere */
	bool		known = column->type < FirstGenbkiObjectId && get_typisdefined(column->type) &&
		get_typtype(column->type) != TYPTYPE_PSEUDO;

	if (!known)
		ereport(NOTICE,
				(errmsg("column \"%s\" is created as text", column->name),
				 errdetail("Of a query, only built-in types are known here."),
				 errhint("Create the table yourself.")));
	pgml_append_identifier(sql, column->name);
	appendStringInfo(sql, " %s", known ? pgml_import_type_name(column->type, column->typmod) : "text");
}

/* Make a table for the rows of a query. */
static void
create_for_query(const PgmlCopyCall *call, const PgmlBulkRelation *relation, const RangeVar *name)
{
	const char *separator = "";
	StringInfoData sql;
	ListCell   *lc;

	initStringInfo(&sql);
	appendStringInfo(&sql, "CREATE TABLE %s (",
					 quote_qualified_identifier(name->schemaname, name->relname));
	foreach(lc, relation->columns)
	{
		PgmlBulkColumn *column = lfirst(lc);

		if (call->columns != NIL && !pgml_bulk_has_name(call->columns, column->name))
			continue;
		appendStringInfoString(&sql, separator);
		append_column(&sql, column);
		separator = ", ";
	}
	appendStringInfoChar(&sql, ')');
	pgml_twin_run_query(sql.data);
}

PgmlTwin *
pgml_bulk_create_table(const PgmlCopyCall *call, const PgmlBulkRelation *relation)
{
	RangeVar   *name = makeRangeVarFromNameList(textToQualifiedNameList(cstring_to_text(call->target)));
	PgmlImport *import;

	if (relation->kind == 0)
	{
		create_for_query(call, relation, name);
		return NULL;
	}
	import = begin_import(call, relation, RangeVarGetCreationNamespace(name));
	return pgml_twin_create(call->conn, import, linitial(import->remote->tables), name->relname,
							call->columns);
}

void
pgml_bulk_complete_table(const PgmlCopyCall *call, const PgmlBulkRelation *relation, PgmlTwin *twin)
{
	ListCell   *lc;

	pgml_twin_complete(twin);
	if (call->foreign_keys_later)
		return;
	foreach(lc, pgml_foreign_keys_read(call->conn, relation->schema, relation->table))
		ereport(NOTICE,
				(errmsg("foreign key \"%s\" of the source is left out",
						((PgmlRemoteForeignKey *) lfirst(lc))->name)));
}
