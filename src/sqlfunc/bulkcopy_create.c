/*
 * bulkcopy_create.c
 *		pgml_fdw_pull(create_target => true): a local table like a relation of
 *		the remote.
 *
 * Columns with their types (import_type.c finds or makes them), collations and NOT NULL come first, keys and indexes when the
 * rows are there.  Defaults, identity and generation are not taken over: what
 * the remote has made of them is in the rows.
 *
 * What the remote says gets into DDL as quoted names only, and types, access
 * methods and operator classes are looked up here by these names.  So indexes on
 * expressions, partial ones and exclusion constraints are left out; so are those
 * that can't be made here.  Each is a NOTICE.
 */
#include "postgres.h"

#include "access/transam.h"
#include "catalog/namespace.h"
#include "catalog/pg_index.h"
#include "catalog/pg_opclass.h"
#include "catalog/pg_type.h"
#include "commands/defrem.h"
#include "lib/stringinfo.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"
#include "utils/varlena.h"

#include "base/compat.h"
#include "base/option.h"
#include "exec/import_state.h"
#include "remote/command.h"
#include "sqlfunc/bulkcopy.h"

/* The columns of the query for indexes: a row for each of their columns. */
enum
{
	INDEX_NAME,
	INDEX_METHOD,
	INDEX_IS_PRIMARY,
	INDEX_IS_UNIQUE,
	INDEX_NULLS_NOT_DISTINCT,
	INDEX_IS_PLAIN,				/* no expressions, no predicate, no exclusion */
	INDEX_COLUMN,				/* NULL: an expression */
	INDEX_OPTION,				/* indoption; NULL: an INCLUDE column */
	INDEX_CLASS_SCHEMA,			/* of the operator class; both NULL: the default one */
	INDEX_CLASS,
	NUM_INDEX_COLS
};

/*
 * Types of a table are found, or made, as IMPORT does it; NULL for a query, of whose
 * types we know no more than their OIDs.
 */
static PgmlImport *
begin_import(const PgmlCopyCall *call, const PgmlBulkRelation *relation, const RangeVar *target)
{
	PgmlImport *import = palloc0(sizeof(PgmlImport));
	PgmlCatalogWish wish = {0};

	if (relation->kind == 0)
		return NULL;
	wish.schema = relation->schema;
	wish.names = list_make1(relation->table);
	wish.only = true;
	import->cxt = CurrentMemoryContext;
	import->remote = pgml_import_read_schema(call->conn, &wish);
	if (import->remote == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_SCHEMA),
				 errmsg("schema \"%s\" does not exist on server \"%s\"",
						relation->schema, call->conn->name)));
	import->remote_schema = relation->schema;
	import->local_schema_oid = RangeVarGetCreationNamespace(target);
	import->local_schema = get_namespace_name(import->local_schema_oid);
	import->server_name = call->server->servername;
	import->server_options = pgml_options_of_server(call->server->serverid);
	import->options = pgml_options_of_import(NIL);
	return import;
}

/* The local type for a type of the remote. */
static PgmlLocalType
find_type(PgmlImport *import, Oid remote)
{
	PgmlLocalType type = {remote, NULL, NULL};

	if (import != NULL)
		return pgml_import_type(import, remote);

	/* built-in types have the same OIDs everywhere */
	if (remote >= FirstGenbkiObjectId || !get_typisdefined(remote) ||
		get_typtype(remote) == TYPTYPE_PSEUDO)
	{
		type.oid = TEXTOID;
		type.problem = "Of a query, only built-in types are known here.";
		type.hint = "Create the table yourself.";
	}
	return type;
}

/* Append the definition of a column. */
static void
append_column(StringInfo sql, PgmlImport *import, const PgmlBulkColumn *column)
{
	PgmlLocalType type = find_type(import, column->type);
	bool		missing = false;
	Oid			collation = InvalidOid;

	if (type.problem != NULL)
		ereport(NOTICE,
				(errmsg("column \"%s\" is created as text", column->name),
				 errdetail_internal("%s", type.problem),
				 type.hint != NULL ? errhint("%s", type.hint) : 0));
	pgml_append_identifier(sql, column->name);
	appendStringInfo(sql, " %s", pgml_import_type_name(type.oid, type.problem == NULL ? column->typmod : -1));

	if (import != NULL)
		collation = pgml_import_collation(type.oid, column->collation_schema, column->collation,
										  &missing);
	if (missing)
		ereport(NOTICE,
				(errmsg("column \"%s\" gets the default collation", column->name),
				 errdetail("The collation \"%s\".\"%s\" does not exist here.",
						   column->collation_schema, column->collation)));
	else if (OidIsValid(collation) && collation != get_typcollation(type.oid))
		appendStringInfo(sql, " COLLATE %s.%s", quote_identifier(column->collation_schema),
						 quote_identifier(column->collation));
	if (column->not_null)
		appendStringInfoString(sql, " NOT NULL");
}

void
pgml_bulk_create_table(const PgmlCopyCall *call, const PgmlBulkRelation *relation)
{
	RangeVar   *name = makeRangeVarFromNameList(textToQualifiedNameList(cstring_to_text(call->target)));
	PgmlImport *import = begin_import(call, relation, name);
	StringInfoData sql;
	bool		first = true;
	ListCell   *lc;

	initStringInfo(&sql);
	appendStringInfo(&sql, "CREATE TABLE %s (",
					 quote_qualified_identifier(name->schemaname, name->relname));
	foreach(lc, relation->columns)
	{
		PgmlBulkColumn *column = lfirst(lc);

		if (call->columns != NIL && !pgml_bulk_has_name(call->columns, column->name))
			continue;
		if (!first)
			appendStringInfoString(&sql, ", ");
		append_column(&sql, import, column);
		first = false;
	}
	appendStringInfoChar(&sql, ')');
	pgml_bulk_run_local(sql.data);
}

/* Ask for the indexes and their columns. */
static PgmlResult *
ask_indexes(PgmlConn *conn, const PgmlBulkRelation *relation)
{
	return pgml_bulk_ask(conn,
						 psprintf("SELECT ic.relname, am.amname, i.indisprimary, i.indisunique, %s,"
								  " i.indexprs IS NULL AND i.indpred IS NULL AND NOT i.indisexclusion,"
								  " a.attname, u.option, CASE WHEN NOT c.opcdefault THEN n.nspname END,"
								  " CASE WHEN NOT c.opcdefault THEN c.opcname END"
								  " FROM pg_catalog.pg_index i"
								  " JOIN pg_catalog.pg_class ic ON ic.oid = i.indexrelid"
								  " JOIN pg_catalog.pg_am am ON am.oid = ic.relam"
								  " CROSS JOIN ROWS FROM (unnest(i.indkey::int2[]), unnest(i.indclass::oid[]),"
								  " unnest(i.indoption::int2[])) WITH ORDINALITY AS u (attnum, class, option, no)"
								  " LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid"
								  " AND a.attnum = u.attnum"
								  " LEFT JOIN pg_catalog.pg_opclass c ON c.oid = u.class"
								  " LEFT JOIN pg_catalog.pg_namespace n ON n.oid = c.opcnamespace"
								  " WHERE i.indrelid = %u AND i.indisvalid"
								  " ORDER BY i.indisprimary DESC, i.indexrelid, u.no",
								  conn->caps.server_version >= 150000 ? "i.indnullsnotdistinct" : "false",
								  relation->oid), NUM_INDEX_COLS);
}

static bool
is_true(PgmlResult *res, int row, int col)
{
	char	   *value = pgml_result_value(res, row, col);

	return value != NULL && value[0] == 't';
}

/* Is there an operator class of this name (NULL: a default one) for columns of this type? */
static bool
has_opclass(Oid method, Oid type, const char *schema, const char *name)
{
	Oid			namespace;

	if (name == NULL)
		return OidIsValid(GetDefaultOpClass(type, method));
	namespace = schema != NULL ? get_namespace_oid(schema, true) : InvalidOid;
	return OidIsValid(namespace) &&
		SearchSysCacheExists3(CLAAMNAMENSP, ObjectIdGetDatum(method),
							  CStringGetDatum(name), ObjectIdGetDatum(namespace));
}

/* Say why an index, whose rows are these, can't be made here; NULL if it can. */
static const char *
index_problem(PgmlResult *res, int from, int to, Oid target)
{
	Oid			method = get_index_am_oid(pgml_bulk_text(res, from, INDEX_METHOD), true);

	if (!is_true(res, from, INDEX_IS_PLAIN))
		return "It has expressions or a condition.";
	if (!OidIsValid(method))
		return "There is no such access method here.";
	for (int row = from; row < to; row++)
	{
		char	   *column = pgml_bulk_field(res, row, INDEX_COLUMN);
		AttrNumber	attnum = column != NULL ? get_attnum(target, column) : InvalidAttrNumber;

		if (attnum <= 0)
			return "Not all of its columns are here.";
		if (pgml_result_value(res, row, INDEX_OPTION) != NULL &&
			!has_opclass(method, getBaseType(get_atttype(target, attnum)),
						 pgml_bulk_field(res, row, INDEX_CLASS_SCHEMA),
						 pgml_bulk_field(res, row, INDEX_CLASS)))
			return "There is no such operator class here.";
	}
	return NULL;
}

/* Append the columns of an index: those of its key, or those that it includes. */
static void
append_index_columns(StringInfo sql, PgmlResult *res, int from, int to, bool key, bool ordered)
{
	bool		first = true;

	for (int row = from; row < to; row++)
	{
		char	   *option = pgml_bulk_field(res, row, INDEX_OPTION);
		char	   *class = pgml_bulk_field(res, row, INDEX_CLASS);
		int			bits = option != NULL ? atoi(option) : 0;

		if ((option != NULL) != key)
			continue;
		appendStringInfoString(sql, first ? (key ? " (" : " INCLUDE (") : ", ");
		first = false;
		appendStringInfoString(sql, quote_identifier(pgml_bulk_text(res, row, INDEX_COLUMN)));
		if (key && class != NULL)
			appendStringInfo(sql, " %s.%s",
							 quote_identifier(pgml_bulk_text(res, row, INDEX_CLASS_SCHEMA)),
							 quote_identifier(class));
		if (key && ordered)
			appendStringInfo(sql, "%s NULLS %s", bits & INDOPTION_DESC ? " DESC" : "",
							 bits & INDOPTION_NULLS_FIRST ? "FIRST" : "LAST");
	}
	if (!first)
		appendStringInfoChar(sql, ')');
}

/* Compose the DDL for an index. */
static char *
compose_index(PgmlResult *res, int from, int to, const char *target_name)
{
	char	   *method = pgml_bulk_text(res, from, INDEX_METHOD);
	StringInfoData sql;

	initStringInfo(&sql);
	if (is_true(res, from, INDEX_IS_PRIMARY))
		appendStringInfo(&sql, "ALTER TABLE %s ADD PRIMARY KEY", target_name);
	else
		appendStringInfo(&sql, "CREATE %sINDEX ON %s USING %s",
						 is_true(res, from, INDEX_IS_UNIQUE) ? "UNIQUE " : "", target_name,
						 quote_identifier(method));
	append_index_columns(&sql, res, from, to, true, strcmp(method, "btree") == 0 &&
						 !is_true(res, from, INDEX_IS_PRIMARY));
	append_index_columns(&sql, res, from, to, false, false);
	if (is_true(res, from, INDEX_NULLS_NOT_DISTINCT))
		appendStringInfoString(&sql, " NULLS NOT DISTINCT");
	return sql.data;
}

void
pgml_bulk_create_indexes(PgmlConn *conn, const PgmlBulkRelation *relation,
						 Oid target, const char *target_name)
{
	PgmlResult *res = ask_indexes(conn, relation);
	int			to;

	for (int from = 0; from < pgml_result_nrows(res); from = to)
	{
		char	   *name = pgml_bulk_text(res, from, INDEX_NAME);
		const char *problem;

		for (to = from + 1; to < pgml_result_nrows(res) &&
			 strcmp(pgml_bulk_text(res, to, INDEX_NAME), name) == 0; to++)
			;
		problem = index_problem(res, from, to, target);
		if (problem == NULL)
			pgml_bulk_run_local(compose_index(res, from, to, target_name));
		else
			ereport(NOTICE,
					(errmsg("index \"%s\" of the source is left out", name),
					 errdetail_internal("%s", problem)));
	}
	pgml_result_free(res);
}
