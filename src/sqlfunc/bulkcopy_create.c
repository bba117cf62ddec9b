/*
 * bulkcopy_create.c
 *		pgml_fdw_pull(create_target => true): a local table like a relation of
 *		the remote.
 *
 * Columns with their types, collations and NOT NULL come first, keys and indexes when the
 * rows are there.  Defaults, identity and generation are not taken over: what
 * the remote has made of them is in the rows.
 *
 * What the remote says gets into DDL as quoted names only, and types, access
 * methods and operator classes are looked up here by these names.  So indexes on
 * expressions, partial ones and exclusion constraints are left out; so are those
 * that can't be made here.  Each is a NOTICE.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/namespace.h"
#include "catalog/pg_collation.h"
#include "catalog/pg_opclass.h"
#include "catalog/pg_type.h"
#include "commands/defrem.h"
#include "lib/stringinfo.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"
#include "utils/varlena.h"

#include "base/compat.h"
#include "exec/import_column.h"
#include "remote/command.h"
#include "sqlfunc/bulkcopy.h"

/* The columns of the query for types, in order. */
enum
{
	TYPE_OID,
	TYPE_SCHEMA,
	TYPE_NAME,
	TYPE_DISPLAY,
	TYPE_KIND,
	TYPE_IS_ARRAY,
	NUM_TYPE_COLS
};

/* Those of the query for indexes, a row for each of their columns. */
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

/* Ask for the types of the columns. */
static PgmlResult *
ask_types(PgmlConn *conn, const PgmlBulkRelation *relation)
{
	StringInfoData sql;
	ListCell   *lc;

	initStringInfo(&sql);
	appendStringInfoString(&sql, "SELECT t.oid, n.nspname, coalesce(e.typname, t.typname),"
						   " pg_catalog.format_type(t.oid, NULL), coalesce(e.typtype, t.typtype),"
						   " e.oid IS NOT NULL FROM pg_catalog.pg_type t"
						   " LEFT JOIN pg_catalog.pg_type e ON e.oid = t.typelem AND e.typarray = t.oid"
						   " JOIN pg_catalog.pg_namespace n ON n.oid = coalesce(e.typnamespace, t.typnamespace)"
						   " WHERE t.oid IN (0");
	foreach(lc, relation->columns)
		appendStringInfo(&sql, ", %u", ((PgmlBulkColumn *) lfirst(lc))->type);
	appendStringInfoChar(&sql, ')');
	return pgml_bulk_ask(conn, sql.data, NUM_TYPE_COLS);
}

/* Find the local type for a column; *typmod becomes -1 where the remote's means nothing. */
static Oid
find_type(PgmlResult *types, const PgmlBulkColumn *column, int32 *typmod)
{
	PgmlRemoteType type = {0};
	const char *problem = NULL;
	Oid			found = TEXTOID;
	int			row = 0;

	while (row < pgml_result_nrows(types) &&
		   strtoul(pgml_bulk_text(types, row, TYPE_OID), NULL, 10) != column->type)
		row++;
	if (row < pgml_result_nrows(types))
	{
		type.schema = pgml_bulk_text(types, row, TYPE_SCHEMA);
		type.name = pgml_bulk_text(types, row, TYPE_NAME);
		type.display = pgml_bulk_text(types, row, TYPE_DISPLAY);
		type.kind = pgml_bulk_text(types, row, TYPE_KIND)[0];
		type.is_array = pgml_bulk_text(types, row, TYPE_IS_ARRAY)[0] == 't';
		found = pgml_import_find_type(&type, &problem);
	}
	else
		problem = "The remote doesn't say what it is.";
	if (problem != NULL)
		ereport(NOTICE,
				(errmsg("column \"%s\" is created as text", column->name),
				 errdetail_internal("%s", problem)));
	*typmod = problem == NULL ? column->typmod : -1;
	return found;
}

/* Append the definition of a column. */
static void
append_column(StringInfo sql, PgmlResult *types, const PgmlBulkColumn *column)
{
	int32		typmod;
	Oid			type = find_type(types, column, &typmod);

	pgml_append_identifier(sql, column->name);
	appendStringInfo(sql, " %s", format_type_extended(type, typmod, FORMAT_TYPE_TYPEMOD_GIVEN |
													  FORMAT_TYPE_FORCE_QUALIFY));
	if (column->collation != NULL && column->collation_schema != NULL && type_is_collatable(type))
	{
		Oid			collation = pgml_import_find_collation(column->collation_schema,
														   column->collation);

		if (OidIsValid(collation))
			appendStringInfo(sql, " COLLATE %s.%s", quote_identifier(column->collation_schema),
							 quote_identifier(column->collation));
		else
			ereport(NOTICE,
					(errmsg("column \"%s\" gets the default collation", column->name),
					 errdetail("The collation \"%s\".\"%s\" does not exist here.",
							   column->collation_schema, column->collation)));
	}
	if (column->not_null)
		appendStringInfoString(sql, " NOT NULL");
}

void
pgml_bulk_create_table(PgmlConn *conn, const PgmlBulkRelation *relation,
					   const char *target, List *columns)
{
	PgmlResult *types = ask_types(conn, relation);
	RangeVar   *name = makeRangeVarFromNameList(textToQualifiedNameList(cstring_to_text(target)));
	StringInfoData sql;
	bool		first = true;
	ListCell   *lc;

	initStringInfo(&sql);
	appendStringInfo(&sql, "CREATE TABLE %s (",
					 quote_qualified_identifier(name->schemaname, name->relname));
	foreach(lc, relation->columns)
	{
		PgmlBulkColumn *column = lfirst(lc);

		if (columns != NIL && !pgml_bulk_has_name(columns, column->name))
			continue;
		if (!first)
			appendStringInfoString(&sql, ", ");
		append_column(&sql, types, column);
		first = false;
	}
	appendStringInfoChar(&sql, ')');
	pgml_result_free(types);
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
