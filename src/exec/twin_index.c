/*
 * twin_index.c
 *		The keys and indexes of a table that is made like one of the remote.
 *
 * Each is composed anew from what the remote's catalogs say of its parts, never
 * from the text of its definition: names are quoted, access methods and operator
 * classes are looked up here, expressions and conditions are proved to be
 * just that (import_expression.c).  Then it is made on trial, in a subtransaction: one that
 * can't be had must not cost the rows.
 *
 * Names are kept where the table has kept its own and they are free.
 */
#include "postgres.h"

#include "catalog/namespace.h"
#include "catalog/pg_constraint.h"
#include "catalog/pg_index.h"
#include "catalog/pg_opclass.h"
#include "catalog/pg_type.h"
#include "commands/defrem.h"
#include "lib/stringinfo.h"
#include "utils/builtins.h"
#include "utils/catcache.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"

#include "base/compat.h"
#include "exec/import_reader.h"
#include "exec/twin.h"

/* A column of an index. */
typedef struct IndexColumn
{
	char	   *name;			/* of the table's column there; NULL: an expression */
	char	   *expression;
	bool		is_key;			/* not just included */
	int			option;			/* bits of indoption */
	char	   *class_schema;	/* of the operator class; both NULL: the default one */
	char	   *class;
	char	   *collation_schema;	/* both NULL: as what is indexed has it */
	char	   *collation;
	char	   *operator_schema;	/* of an exclusion constraint; both NULL: it is none */
	char	   *operator;
} IndexColumn;

/* An index of the remote's table. */
typedef struct IndexTwin
{
	PgmlTwin   *twin;
	char	   *name;			/* there */
	char	   *method;
	char		constraint;		/* contype; '\0': it is a bare index */
	bool		is_unique;
	bool		nulls_not_distinct;
	bool		is_deferrable;
	bool		is_deferred;
	bool		is_temporal;
	char	   *predicate;		/* NULL: none */
	char	   *parameters;		/* "name=value,name=value"; NULL: none */
	List	   *columns;		/* IndexColumn */
} IndexTwin;

/* The columns of the query: of an index, then of its column. */
enum
{
	NAME, METHOD, CONSTRAINT, IS_UNIQUE, NULLS_NOT_DISTINCT, IS_DEFERRABLE, IS_DEFERRED, IS_TEMPORAL,
	PREDICATE, PARAMETERS,
	COLUMN, EXPRESSION, OPTION, CLASS_SCHEMA, CLASS, COLLATION_SCHEMA, COLLATION,
	OPERATOR_SCHEMA, OPERATOR,
	NUM_COLS
};

/* The query for all indexes, a row for each of their columns. */
static char *
indexes_query(const PgmlTwin *twin)
{
	int			version = twin->conn->caps.server_version;

	return psprintf("SELECT ic.relname, am.amname, k.contype, i.indisunique, %s,"
					" k.condeferrable, k.condeferred, %s,"
					" pg_catalog.pg_get_expr(i.indpred, i.indrelid), pg_catalog.array_to_string(ic.reloptions, ','),"
					" a.attname, CASE WHEN u.attnum = 0 THEN pg_catalog.pg_get_indexdef(i.indexrelid, u.no::int4, false) END,"
					" u.option, CASE WHEN NOT c.opcdefault THEN n.nspname END,"
					" CASE WHEN NOT c.opcdefault THEN c.opcname END,"
					" cn.nspname, co.collname, opn.nspname, op.oprname"
					" FROM pg_catalog.pg_index i"
					" JOIN pg_catalog.pg_class ic ON ic.oid = i.indexrelid"
					" JOIN pg_catalog.pg_am am ON am.oid = ic.relam"
					" CROSS JOIN ROWS FROM (unnest(i.indkey::int2[]), unnest(i.indclass::oid[]),"
					" unnest(i.indoption::int2[]), unnest(i.indcollation::oid[]))"
					" WITH ORDINALITY AS u (attnum, class, option, coll, no)"
					" LEFT JOIN pg_catalog.pg_constraint k ON k.conindid = i.indexrelid"
					" AND k.conrelid = i.indrelid AND k.contype IN ('p', 'u', 'x')"
					" LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = u.attnum"
					" LEFT JOIN pg_catalog.pg_opclass c ON c.oid = u.class"
					" LEFT JOIN pg_catalog.pg_namespace n ON n.oid = c.opcnamespace"
					" LEFT JOIN pg_catalog.pg_collation co ON co.oid = u.coll AND co.oid <> 100"
					" AND a.attcollation IS DISTINCT FROM u.coll"
					" LEFT JOIN pg_catalog.pg_namespace cn ON cn.oid = co.collnamespace"
					" LEFT JOIN pg_catalog.pg_operator op ON op.oid = k.conexclop[u.no]"
					" LEFT JOIN pg_catalog.pg_namespace opn ON opn.oid = op.oprnamespace"
					" WHERE i.indrelid = %u AND i.indisvalid"
					" ORDER BY i.indisprimary DESC, i.indexrelid, u.no",
					version >= 150000 ? "i.indnullsnotdistinct" : "false",
					version >= 180000 ? "k.conperiod" : "false",
					twin->table.remote->oid);
}

/* Read a schema and a name in it, which come together or not at all. */
static void
read_pair(PgmlReader *reader, int col, char **schema, char **name)
{
	*schema = pgml_reader_nullable(reader, col);
	*name = *schema != NULL ? pgml_reader_string(reader, col + 1) : NULL;
}

static IndexColumn *
read_column(PgmlReader *reader)
{
	IndexColumn *column = palloc0(sizeof(IndexColumn));

	column->name = pgml_reader_nullable(reader, COLUMN);
	column->expression = column->name == NULL ? pgml_reader_string(reader, EXPRESSION) : NULL;
	column->is_key = pgml_reader_nullable(reader, OPTION) != NULL;
	column->option = column->is_key ? (int) pgml_reader_number(reader, OPTION) : 0;
	read_pair(reader, CLASS_SCHEMA, &column->class_schema, &column->class);
	read_pair(reader, COLLATION_SCHEMA, &column->collation_schema, &column->collation);
	read_pair(reader, OPERATOR_SCHEMA, &column->operator_schema, &column->operator);
	return column;
}

/* Read the index at which the reader stands, and go behind it. */
static IndexTwin *
read_index(PgmlTwin *twin, PgmlReader *reader)
{
	IndexTwin  *index = palloc0(sizeof(IndexTwin));

	index->twin = twin;
	index->name = pgml_reader_string(reader, NAME);
	index->method = pgml_reader_string(reader, METHOD);
	index->constraint = pgml_reader_letter(reader, CONSTRAINT);
	index->is_unique = pgml_reader_flag(reader, IS_UNIQUE);
	index->nulls_not_distinct = pgml_reader_flag(reader, NULLS_NOT_DISTINCT);
	index->is_deferrable = pgml_reader_flag(reader, IS_DEFERRABLE);
	index->is_deferred = pgml_reader_flag(reader, IS_DEFERRED);
	index->is_temporal = pgml_reader_flag(reader, IS_TEMPORAL);
	index->predicate = pgml_reader_nullable(reader, PREDICATE);
	index->parameters = pgml_reader_nullable(reader, PARAMETERS);
	for (; reader->row < reader->nrows && strcmp(pgml_reader_string(reader, NAME), index->name) == 0;
		 reader->row++)
		index->columns = lappend(index->columns, read_column(reader));
	return index;
}

/*
 * Can it be made here?
 */

/*
 * Find an operator class by its names.  Extensions may be in another schema here:
 * the only one of that name for the access method will do.
 */
static bool
find_opclass(IndexColumn *column, Oid method)
{
	Oid			namespace = get_namespace_oid(column->class_schema, true);
	CatCList   *list;
	bool		found = OidIsValid(namespace) &&
		SearchSysCacheExists3(CLAAMNAMENSP, ObjectIdGetDatum(method),
							  CStringGetDatum(column->class), ObjectIdGetDatum(namespace));

	if (found)
		return true;
	list = SearchSysCacheList2(CLAAMNAMENSP, ObjectIdGetDatum(method), CStringGetDatum(column->class));
	if (list->n_members == 1)
	{
		Form_pg_opclass form = (Form_pg_opclass) GETSTRUCT(&list->members[0]->tuple);

		column->class_schema = get_namespace_name(form->opcnamespace);
		found = true;
	}
	ReleaseCatCacheList(list);
	return found;
}

/* Say why a column of an index can't be had here; NULL if it can. */
static const char *
column_problem(IndexTwin *index, IndexColumn *column, Oid method)
{
	PgmlTwin   *twin = index->twin;
	PgmlImportColumn *of_table = column->name != NULL ? pgml_twin_column(twin, column->name) : NULL;
	bool		missing;

	if (column->name != NULL ? of_table == NULL : !column->is_key)
		return "Not all of its columns are here.";
	if (column->expression != NULL)
	{
		const char *problem = pgml_import_expression_problem(twin->table.import, column->expression,
															 PGML_EXPRESSION_INDEX, InvalidOid, -1,
															 InvalidOid, twin->table.columns);

		if (problem != NULL)
			return problem;
	}
	if (column->collation != NULL)
	{
		(void) pgml_import_collation(TEXTOID, column->collation_schema, column->collation, &missing);
		if (missing)
			return "There is no such collation here.";
	}
	if (column->is_key && column->class != NULL ? !find_opclass(column, method) :
		column->is_key && of_table != NULL &&
		!OidIsValid(GetDefaultOpClass(getBaseType(of_table->type), method)))
		return "There is no such operator class here.";
	if (column->operator != NULL &&
		strspn(column->operator, "~!@#^&|`?+-*/%<>=") != strlen(column->operator))
		return "Its operator has no proper name.";
	return NULL;
}

/* Say why an index can't be made here; NULL if it can, or only trying will tell. */
static const char *
index_problem(IndexTwin *index)
{
	PgmlTwin   *twin = index->twin;
	Oid			method = get_index_am_oid(index->method, true);
	ListCell   *lc;

	if (!OidIsValid(method))
		return "There is no such access method here.";
	if (index->is_temporal)
		return "It is a temporal key.";
	foreach(lc, index->columns)
	{
		const char *problem = column_problem(index, lfirst(lc), method);

		if (problem != NULL)
			return problem;
	}
	if (index->predicate == NULL)
		return NULL;
	return pgml_import_expression_problem(twin->table.import, index->predicate, PGML_EXPRESSION_PREDICATE,
										  BOOLOID, -1, InvalidOid, twin->table.columns);
}

/*
 * The command
 */

/* Append what is indexed by a column of the key, and how. */
static void
append_element(StringInfo sql, const IndexTwin *index, const IndexColumn *column)
{
	if (column->name != NULL)
		appendStringInfoString(sql, quote_identifier(pgml_import_name(column->name)));
	else
		appendStringInfo(sql, "(%s\n)", column->expression);
	if (index->constraint == CONSTRAINT_PRIMARY || index->constraint == CONSTRAINT_UNIQUE)
		return;
	if (column->collation != NULL)
		appendStringInfo(sql, " COLLATE %s",
						 quote_qualified_identifier(column->collation_schema, column->collation));
	if (column->class != NULL)
		appendStringInfo(sql, " %s", quote_qualified_identifier(column->class_schema, column->class));
	if (strcmp(index->method, "btree") == 0)
		appendStringInfo(sql, "%s NULLS %s", column->option & INDOPTION_DESC ? " DESC" : "",
						 column->option & INDOPTION_NULLS_FIRST ? "FIRST" : "LAST");
	if (column->operator != NULL)
		appendStringInfo(sql, " WITH OPERATOR(%s.%s)", quote_identifier(column->operator_schema),
						 column->operator);
}

/* Append the columns of the key, and then those that are included, each in parentheses. */
static void
append_columns(StringInfo sql, const IndexTwin *index)
{
	const char *separator = " (";
	ListCell   *lc;

	foreach(lc, index->columns)
	{
		const IndexColumn *column = lfirst(lc);

		if (!column->is_key)
			continue;
		appendStringInfoString(sql, separator);
		append_element(sql, index, column);
		separator = ", ";
	}
	appendStringInfoChar(sql, ')');

	separator = " INCLUDE (";
	foreach(lc, index->columns)
	{
		const IndexColumn *column = lfirst(lc);

		if (column->is_key)
			continue;
		appendStringInfo(sql, "%s%s", separator, quote_identifier(pgml_import_name(column->name)));
		separator = ", ";
	}
	if (strcmp(separator, ", ") == 0)
		appendStringInfoChar(sql, ')');
}

/* Append the storage parameters. */
static void
append_parameters(StringInfo sql, const IndexTwin *index)
{
	const char *separator = " WITH (";
	char	   *rest;

	if (index->parameters == NULL)
		return;
	for (char *item = strtok_r(pstrdup(index->parameters), ",", &rest); item != NULL;
		 item = strtok_r(NULL, ",", &rest))
	{
		char	   *value = strchr(item, '=');

		if (value == NULL)
			continue;
		*value++ = '\0';
		appendStringInfo(sql, "%s%s = %s", separator, quote_identifier(item), quote_literal_cstr(value));
		separator = ", ";
	}
	if (strcmp(separator, ", ") == 0)
		appendStringInfoChar(sql, ')');
}

/* The name for the index or constraint, with a space behind it; "" leaves it to core. */
static char *
local_name(const IndexTwin *index, const char *prefix)
{
	char	   *name = pgml_import_name(index->name);

	if (!index->twin->same_name ||
		OidIsValid(get_relname_relid(name, index->twin->table.import->local_schema_oid)))
		return "";
	return psprintf("%s%s ", prefix, quote_identifier(name));
}

/* Compose the command that adds a constraint. */
static void
append_constraint(StringInfo sql, const IndexTwin *index)
{
	appendStringInfo(sql, "ALTER TABLE %s ADD %s", index->twin->target, local_name(index, "CONSTRAINT "));
	if (index->constraint == CONSTRAINT_PRIMARY)
		appendStringInfoString(sql, "PRIMARY KEY");
	else if (index->constraint == CONSTRAINT_UNIQUE)
		appendStringInfoString(sql, index->nulls_not_distinct ? "UNIQUE NULLS NOT DISTINCT" : "UNIQUE");
	else
		appendStringInfo(sql, "EXCLUDE USING %s", quote_identifier(index->method));
	append_columns(sql, index);
	append_parameters(sql, index);
	if (index->predicate != NULL)
		appendStringInfo(sql, " WHERE (%s\n)", index->predicate);
	if (index->is_deferrable)
		appendStringInfo(sql, " DEFERRABLE INITIALLY %s", index->is_deferred ? "DEFERRED" : "IMMEDIATE");
}

/* Compose the command that makes a bare index. */
static void
append_bare_index(StringInfo sql, const IndexTwin *index)
{
	appendStringInfo(sql, "CREATE %sINDEX %sON %s USING %s", index->is_unique ? "UNIQUE " : "",
					 local_name(index, ""), index->twin->target, quote_identifier(index->method));
	append_columns(sql, index);
	if (index->nulls_not_distinct)
		appendStringInfoString(sql, " NULLS NOT DISTINCT");
	append_parameters(sql, index);
	if (index->predicate != NULL)
		appendStringInfo(sql, " WHERE (%s\n)", index->predicate);
}

/* Compose the command that makes an index. */
static char *
compose_command(const IndexTwin *index)
{
	StringInfoData sql;

	initStringInfo(&sql);
	if (index->constraint != '\0')
		append_constraint(&sql, index);
	else
		append_bare_index(&sql, index);
	return sql.data;
}

/*
 * Make an index, or say why it can't be: louder if its definition is sound and it
 * would have kept rows apart.
 */
static void
make_index(IndexTwin *index)
{
	const char *problem = index_problem(index);
	int			elevel = NOTICE;

	if (problem == NULL)
	{
		problem = pgml_import_try_run(index->twin->table.import, compose_command(index));
		elevel = index->is_unique || index->constraint != '\0' ? WARNING : NOTICE;
	}
	if (problem != NULL)
		ereport(elevel,
				(errmsg("index \"%s\" of the source is left out", index->name),
				 errdetail_internal("%s", problem)));
}

void
pgml_twin_make_indexes(PgmlTwin *twin)
{
	PgmlReader	reader = pgml_reader_run(twin->conn, indexes_query(twin), NUM_COLS);

	while (reader.row < reader.nrows)
	{
		IndexTwin  *index = read_index(twin, &reader);

		CHECK_FOR_INTERRUPTS();
		make_index(index);
	}
	pgml_result_free(reader.res);
}
