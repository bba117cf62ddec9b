/*
 * import.c
 *		IMPORT FOREIGN SCHEMA: commands that make foreign tables of what is in
 *		a schema of the remote.
 *
 * One query brings a row per column of every relation wanted; import_type.c
 * and import_expression.c decide what each becomes here.  Core runs the
 * commands that we return one after the other and lets the first error end it
 * all, so what it could choke on is left out beforehand, with a NOTICE that
 * says what and why.
 *
 * The remote may be hostile.  Nothing that it sends gets into a command but
 * quoted names, quoted literals, and expressions that have been proved to be
 * just that; types are printed from our own catalogs.
 */
#include "postgres.h"

#include "catalog/pg_class.h"
#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "parser/scansup.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/ruleutils.h"

#include "base/compat.h"
#include "base/option.h"
#include "exec/import.h"
#include "exec/import_column.h"
#include "remote/command.h"
#include "remote/conncache.h"

/* The columns of the catalog query, in order. */
enum
{
	COL_TABLE,					/* NULL: the schema has no relations that are wanted */
	COL_COLUMN,					/* NULL: the table has no columns */
	COL_TYPE_SCHEMA,
	COL_TYPE_NAME,
	COL_TYPE_DISPLAY,
	COL_TYPE_KIND,
	COL_IS_ARRAY,
	COL_TYPMOD,
	COL_NOT_NULL,
	COL_IS_GENERATED,
	COL_EXPRESSION,
	COL_COLLATION_SCHEMA,
	COL_COLLATION_NAME,
	NUM_COLS
};

/* One IMPORT. */
typedef struct Import
{
	ImportForeignSchemaStmt *stmt;
	ForeignServer *server;
	PgmlOptions *server_options;
	PgmlImportOptions options;
	PgmlResult *res;
} Import;

/* A relation of the remote on its way to a foreign table. */
typedef struct ImportTable
{
	char	   *remote_name;
	char	   *name;
	List	   *columns;		/* PgmlImportColumn */
} ImportTable;

/* Append the condition that LIMIT TO and EXCEPT make. */
static void
append_table_filter(StringInfo buf, ImportForeignSchemaStmt *stmt)
{
	ListCell   *lc;

	if (stmt->list_type == FDW_IMPORT_SCHEMA_ALL || stmt->table_list == NIL)
		return;
	appendStringInfo(buf, " AND c.relname %sIN (",
					 stmt->list_type == FDW_IMPORT_SCHEMA_EXCEPT ? "NOT " : "");
	foreach(lc, stmt->table_list)
	{
		if (foreach_current_index(lc) > 0)
			appendStringInfoString(buf, ", ");
		pgml_append_literal(buf, lfirst_node(RangeVar, lc)->relname);
	}
	appendStringInfoChar(buf, ')');
}

/*
 * Compose the catalog query.  It joins outwards from the schema, so no row at
 * all means that there is no such schema.
 */
static char *
catalog_query(Import *import, const PgmlCaps *caps)
{
	ImportForeignSchemaStmt *stmt = import->stmt;
	bool		wants_expressions = import->options.default_value || import->options.generated;
	StringInfoData buf;

	initStringInfo(&buf);
	appendStringInfo(&buf,
					 "SELECT c.relname, a.attname, tn.nspname,"
					 " COALESCE(e.typname, t.typname),"
					 " pg_catalog.format_type(a.atttypid, a.atttypmod),"
					 " COALESCE(e.typtype, t.typtype), e.oid IS NOT NULL,"
					 " a.atttypmod, a.attnotnull, %s, %s, cn.nspname, co.collname"
					 " FROM pg_catalog.pg_namespace n"
					 " LEFT JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid"
					 " AND c.relkind IN ('r', 'v', 'm', 'f', 'p')",
					 caps->server_version >= 120000 ? "a.attgenerated <> ''" : "false",
					 wants_expressions ? "pg_catalog.pg_get_expr(d.adbin, d.adrelid)" : "NULL");

	/* the parent shows the rows of its partitions */
	if (caps->server_version >= 100000 && stmt->list_type != FDW_IMPORT_SCHEMA_LIMIT_TO)
		appendStringInfoString(&buf, " AND NOT c.relispartition");
	append_table_filter(&buf, stmt);

	appendStringInfoString(&buf,
						   " LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid"
						   " AND a.attnum > 0 AND NOT a.attisdropped"
						   " LEFT JOIN pg_catalog.pg_type t ON t.oid = a.atttypid"
						   " LEFT JOIN pg_catalog.pg_type e ON e.oid = t.typelem AND e.typarray = t.oid"
						   " LEFT JOIN pg_catalog.pg_namespace tn"
						   " ON tn.oid = COALESCE(e.typnamespace, t.typnamespace)"
						   " LEFT JOIN pg_catalog.pg_attrdef d"
						   " ON d.adrelid = a.attrelid AND d.adnum = a.attnum"
						   " LEFT JOIN pg_catalog.pg_collation co ON co.oid = a.attcollation"
						   " LEFT JOIN pg_catalog.pg_namespace cn ON cn.oid = co.collnamespace"
						   " WHERE n.nspname = ");
	pgml_append_literal(&buf, stmt->remote_schema);
	appendStringInfoString(&buf, " ORDER BY c.relname, a.attnum");
	return buf.data;
}

/* A field of the result, NULL or text in the database encoding. */
static char *
nullable_field(Import *import, int row, int col)
{
	char	   *value = pgml_result_value(import->res, row, col);

	if (value != NULL)
		pg_verifymbstr(value, pgml_result_length(import->res, row, col), false);
	return value;
}

/* A field that a remote in order never leaves NULL. */
static char *
field(Import *import, int row, int col)
{
	char	   *value = nullable_field(import, row, col);

	return value != NULL ? value : pstrdup("");
}

/* Cut a name of the remote to what fits here. */
static char *
local_name(const char *remote_name)
{
	char	   *name = pstrdup(remote_name);

	truncate_identifier(name, strlen(name), false);
	return name;
}

/* Tell that a column could not be taken over as it is. */
static void
notice(const char *what, const ImportTable *table, const PgmlImportColumn *column,
	   const char *why)
{
	ereport(NOTICE,
			(errmsg("column \"%s\" of foreign table \"%s\" is imported %s",
					column->name, table->name, what),
			 errdetail_internal("%s", why)));
}

/* Choose the collation of a column whose type is known. */
static void
set_collation(Import *import, ImportTable *table, PgmlImportColumn *column, int row)
{
	char	   *schema = nullable_field(import, row, COL_COLLATION_SCHEMA);
	char	   *name = nullable_field(import, row, COL_COLLATION_NAME);
	Oid			collation;

	column->collation = get_typcollation(column->type);
	if (!import->options.collate || !OidIsValid(column->collation) ||
		schema == NULL || name == NULL)
		return;

	collation = pgml_import_find_collation(schema, name);
	if (OidIsValid(collation))
		column->collation = collation;
	else
		notice("with the default collation", table, column,
			   psprintf("Collation %s does not exist here.",
						quote_qualified_identifier(schema, name)));
}

/* Read a row of the catalog query. */
static PgmlImportColumn *
read_column(Import *import, ImportTable *table, int row)
{
	PgmlImportColumn *column = palloc0(sizeof(PgmlImportColumn));
	PgmlRemoteType type;
	const char *problem;

	column->remote_name = field(import, row, COL_COLUMN);
	column->name = local_name(column->remote_name);

	type.schema = field(import, row, COL_TYPE_SCHEMA);
	type.name = field(import, row, COL_TYPE_NAME);
	type.display = field(import, row, COL_TYPE_DISPLAY);
	type.kind = field(import, row, COL_TYPE_KIND)[0];
	type.is_array = field(import, row, COL_IS_ARRAY)[0] == 't';
	column->type = pgml_import_find_type(&type, &problem);
	column->typmod = problem == NULL ? atoi(field(import, row, COL_TYPMOD)) : -1;
	if (problem != NULL)
	{
		column->remote_type = psprintf("%s%s", quote_qualified_identifier(type.schema, type.name),
									   type.is_array ? "[]" : "");
		notice("as text", table, column, problem);
	}

	set_collation(import, table, column, row);
	column->not_null = import->options.not_null &&
		field(import, row, COL_NOT_NULL)[0] == 't';
	column->is_generated = field(import, row, COL_IS_GENERATED)[0] == 't';
	if (column->is_generated ? import->options.generated : import->options.default_value)
		column->expression = nullable_field(import, row, COL_EXPRESSION);
	return column;
}

/* Read the rows of one table, from row on; returns the row behind them. */
static int
read_table(Import *import, ImportTable *table, int row)
{
	int			nrows = pgml_result_nrows(import->res);

	table->remote_name = field(import, row, COL_TABLE);
	table->name = local_name(table->remote_name);
	table->columns = NIL;
	for (; row < nrows; row++)
	{
		if (strcmp(field(import, row, COL_TABLE), table->remote_name) != 0)
			break;
		if (nullable_field(import, row, COL_COLUMN) != NULL)
			table->columns = lappend(table->columns, read_column(import, table, row));
	}
	return row;
}

/* Leave out the expressions that would make CREATE FOREIGN TABLE fail. */
static void
check_expressions(Import *import, ImportTable *table)
{
	ListCell   *lc;

	foreach(lc, table->columns)
	{
		PgmlImportColumn *column = lfirst(lc);
		const char *problem;

		if (column->expression == NULL)
			continue;
		problem = pgml_import_expression_problem(column, table->columns, import->server_options);
		if (problem == NULL)
			continue;
		notice(column->is_generated ? "as a plain column" : "without its default",
			   table, column, problem);
		column->expression = NULL;
	}
}

/*
 * Append a column's definition.  An expression stands between parentheses and
 * is followed by a line break: see import_expression.c.
 */
static void
append_column(StringInfo buf, const PgmlImportColumn *column)
{
	appendStringInfo(buf, "  %s %s OPTIONS (column_name %s",
					 quote_identifier(column->name),
					 format_type_extended(column->type, column->typmod,
										  FORMAT_TYPE_TYPEMOD_GIVEN | FORMAT_TYPE_FORCE_QUALIFY),
					 quote_literal_cstr(column->remote_name));
	if (column->remote_type != NULL)
		appendStringInfo(buf, ", type_name %s", quote_literal_cstr(column->remote_type));
	appendStringInfoChar(buf, ')');
	if (column->collation != get_typcollation(column->type))
		appendStringInfo(buf, " COLLATE %s", generate_collation_name(column->collation));
	if (column->expression != NULL && column->is_generated)
		appendStringInfo(buf, " GENERATED ALWAYS AS (%s\n  ) STORED", column->expression);
	else if (column->expression != NULL)
		appendStringInfo(buf, " DEFAULT (%s\n  )", column->expression);
	if (column->not_null)
		appendStringInfoString(buf, " NOT NULL");
}

/*
 * Compose the command for a table.  A generated column, virtual ones included,
 * is declared as STORED: for a foreign table that only means that it can't be
 * written to; the values are the remote's.
 */
static char *
create_command(Import *import, const ImportTable *table)
{
	StringInfoData buf;
	ListCell   *lc;

	initStringInfo(&buf);
	appendStringInfo(&buf, "CREATE FOREIGN TABLE %s (", quote_identifier(table->name));
	foreach(lc, table->columns)
	{
		appendStringInfoString(&buf, foreach_current_index(lc) > 0 ? ",\n" : "\n");
		append_column(&buf, lfirst(lc));
	}
	appendStringInfo(&buf, "\n) SERVER %s\nOPTIONS (schema_name %s, table_name %s);",
					 quote_identifier(import->server->servername),
					 quote_literal_cstr(import->stmt->remote_schema),
					 quote_literal_cstr(table->remote_name));
	return buf.data;
}

/* Warn of the tables in LIMIT TO that are not among those found (a list of names). */
static void
warn_of_missing(Import *import, List *found)
{
	ListCell   *lc;
	ListCell   *lc2;

	if (import->stmt->list_type != FDW_IMPORT_SCHEMA_LIMIT_TO)
		return;
	foreach(lc, import->stmt->table_list)
	{
		const char *wanted = lfirst_node(RangeVar, lc)->relname;
		bool		missing = true;

		foreach(lc2, found)
		{
			if (strcmp(lfirst(lc2), wanted) == 0)
				missing = false;
		}
		if (missing)
			ereport(WARNING,
					(errcode(ERRCODE_FDW_TABLE_NOT_FOUND),
					 errmsg("table \"%s\" is not present in schema \"%s\" of foreign server \"%s\"",
							wanted, import->stmt->remote_schema, import->server->servername)));
	}
}

/* Ask the remote for its tables; throws if it has no such schema. */
static void
fetch_catalog(Import *import)
{
	PgmlConn   *conn = pgml_conncache_get_for(import->server->serverid, GetUserId());

	/* the text of the query depends on what the remote can */
	pgml_connection_ensure(conn);
	import->res = pgml_command_run(conn, catalog_query(import, &conn->caps));
	if (!pgml_result_has_rows(import->res) || pgml_result_ncols(import->res) != NUM_COLS)
		ereport(ERROR,
				(errcode(ERRCODE_FDW_ERROR),
				 errmsg("unexpected result of the catalog query from server \"%s\"",
						import->server->servername)));

	if (pgml_result_nrows(import->res) == 0)
		ereport(ERROR,
				(errcode(ERRCODE_FDW_SCHEMA_NOT_FOUND),
				 errmsg("schema \"%s\" is not present on foreign server \"%s\"",
						import->stmt->remote_schema, import->server->servername),
				 errhint("Upper-case letters in the name of a schema must be enclosed in double quotes.")));
}

List *
pgmlImportForeignSchema(ImportForeignSchemaStmt *stmt, Oid serverOid)
{
	Import		import = {0};
	List	   *commands = NIL;
	List	   *found = NIL;
	int			row = 0;

	import.stmt = stmt;
	import.server = GetForeignServer(serverOid);
	import.server_options = pgml_options_of_server(serverOid);
	import.options = pgml_options_of_import(stmt->options);
	fetch_catalog(&import);

	while (row < pgml_result_nrows(import.res))
	{
		ImportTable table;

		/* the one row of a schema without tables */
		if (nullable_field(&import, row, COL_TABLE) == NULL)
			break;
		row = read_table(&import, &table, row);
		check_expressions(&import, &table);
		commands = lappend(commands, create_command(&import, &table));
		found = lappend(found, table.name);
	}
	warn_of_missing(&import, found);
	return commands;
}
