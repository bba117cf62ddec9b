/*
 * bulkcopy_remote.c
 *		What is at the other end: a table's columns, key and size, a query's
 *		columns.
 *
 * Names are looked up as the remote role would write them, under its own
 * search_path; everything else runs under pg_catalog's, as always (xact.c).  A
 * query of the user is no exception to the former: so it is described, and
 * later read, under the role's path, which is then taken back.  An error in
 * between undoes it with the remote (sub)transaction.
 *
 * What the remote says about itself is believed only as far as errors go: types
 * are proved again when rows are read, and names are quoted.
 */
#include "postgres.h"

#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "storage/block.h"
#include "utils/builtins.h"
#include "utils/varlena.h"

#include "remote/command.h"
#include "sqlfunc/bulkcopy.h"

#define PATH_OF_ROLE "SET LOCAL search_path = DEFAULT"
#define OUR_PATH "SET LOCAL search_path = pg_catalog"

/* The columns of the catalog query, in order. */
enum
{
	COL_SCHEMA,
	COL_TABLE,
	COL_KIND,
	COL_COLUMN,					/* NULL: the table has no columns */
	COL_TYPE,
	COL_TYPMOD,
	COL_NOT_NULL,
	COL_GENERATED,
	COL_IDENTITY,
	COL_COLLATION_SCHEMA,
	COL_COLLATION,
	NUM_COLS
};

char *
pgml_bulk_field(PgmlResult *res, int row, int col)
{
	char	   *value = pgml_result_value(res, row, col);

	if (value != NULL)
		pg_verifymbstr(value, pgml_result_length(res, row, col), false);
	return value != NULL ? pstrdup(value) : NULL;
}

char *
pgml_bulk_text(PgmlResult *res, int row, int col)
{
	char	   *value = pgml_bulk_field(res, row, col);

	if (value == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_FDW_INCONSISTENT_DESCRIPTOR_INFORMATION),
				 errmsg("unexpected null in an answer of the remote server")));
	return value;
}

static bool
is_true(PgmlResult *res, int row, int col)
{
	char	   *value = pgml_result_value(res, row, col);

	return value != NULL && value[0] == 't';
}

/* Read a number; nonsense becomes 0. */
static int64
number(PgmlResult *res, int row, int col)
{
	char	   *value = pgml_result_value(res, row, col);

	return value != NULL ? strtoll(value, NULL, 10) : 0;
}

PgmlResult *
pgml_bulk_ask(PgmlConn *conn, const char *sql, int ncols)
{
	PgmlResult *res = pgml_command_run(conn, sql);

	if (!pgml_result_has_rows(res) || pgml_result_ncols(res) != ncols)
		ereport(ERROR,
				(errcode(ERRCODE_FDW_INCONSISTENT_DESCRIPTOR_INFORMATION),
				 errmsg("unexpected answer from server \"%s\"", conn->name)));
	return res;
}

void
pgml_bulk_name_context(void *arg)
{
	if (geterrcode() == ERRCODE_INVALID_NAME)
		errhint("It must be the name of a table, or, as a source, a query in parentheses.");
}

/* Throw if the text is no name at all: what to_regclass() says of that depends on its version. */
static void
check_name(const char *name)
{
	ErrorContextCallback where = {error_context_stack, pgml_bulk_name_context, NULL};

	error_context_stack = &where;
	(void) textToQualifiedNameList(cstring_to_text(name));
	error_context_stack = where.previous;
}

/* Resolve a name under the role's search_path; throws if there is no such relation. */
static Oid
resolve(PgmlConn *conn, const char *name)
{
	StringInfoData sql;
	PgmlResult *res;
	Oid			oid = InvalidOid;

	check_name(name);
	initStringInfo(&sql);
	appendStringInfoString(&sql, PATH_OF_ROLE "; SELECT pg_catalog.to_regclass(");
	pgml_append_literal(&sql, name);
	appendStringInfoString(&sql, ")::pg_catalog.oid");
	res = pgml_bulk_ask(conn, sql.data, 1);
	if (pgml_result_nrows(res) == 1)
		oid = (Oid) number(res, 0, 0);
	pgml_result_free(res);
	if (!OidIsValid(oid))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("relation \"%s\" does not exist on server \"%s\"", name, conn->name)));
	return oid;
}

/* The query for a relation and its columns, a row each. */
static char *
columns_query(PgmlConn *conn, Oid oid)
{
	return psprintf(OUR_PATH "; SELECT n.nspname, c.relname, c.relkind, a.attname, a.atttypid,"
					" a.atttypmod, a.attnotnull, %s, %s, cn.nspname, co.collname"
					" FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
					" LEFT JOIN pg_attribute a ON a.attrelid = c.oid"
					" AND a.attnum > 0 AND NOT a.attisdropped"
					" LEFT JOIN pg_collation co ON co.oid = a.attcollation AND co.oid <> 100"
					" LEFT JOIN pg_namespace cn ON cn.oid = co.collnamespace"
					" WHERE c.oid = %u ORDER BY a.attnum",
					conn->caps.server_version >= 120000 ? "a.attgenerated <> ''" : "false",
					conn->caps.server_version >= 100000 ? "a.attidentity = 'a'" : "false", oid);
}

static PgmlBulkColumn *
read_column(PgmlResult *res, int row)
{
	PgmlBulkColumn *column = palloc0(sizeof(PgmlBulkColumn));

	column->name = pgml_bulk_field(res, row, COL_COLUMN);
	column->type = (Oid) number(res, row, COL_TYPE);
	column->typmod = (int32) number(res, row, COL_TYPMOD);
	column->collation_schema = pgml_bulk_field(res, row, COL_COLLATION_SCHEMA);
	column->collation = pgml_bulk_field(res, row, COL_COLLATION);
	column->not_null = is_true(res, row, COL_NOT_NULL);
	column->is_generated = is_true(res, row, COL_GENERATED);
	column->is_identity = is_true(res, row, COL_IDENTITY);
	return column;
}

PgmlBulkRelation *
pgml_bulk_find_table(PgmlConn *conn, const char *name)
{
	PgmlBulkRelation *relation = palloc0(sizeof(PgmlBulkRelation));
	PgmlResult *res;
	StringInfoData sql;

	relation->oid = resolve(conn, name);
	res = pgml_bulk_ask(conn, columns_query(conn, relation->oid), NUM_COLS);
	if (pgml_result_nrows(res) == 0)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("relation \"%s\" does not exist on server \"%s\"", name, conn->name)));

	initStringInfo(&sql);
	relation->schema = pgml_bulk_text(res, 0, COL_SCHEMA);
	relation->table = pgml_bulk_text(res, 0, COL_TABLE);
	pgml_append_identifier(&sql, relation->schema);
	appendStringInfoChar(&sql, '.');
	pgml_append_identifier(&sql, relation->table);
	relation->sql = sql.data;
	relation->kind = pgml_bulk_text(res, 0, COL_KIND)[0];
	for (int row = 0; row < pgml_result_nrows(res); row++)
		if (pgml_result_value(res, row, COL_COLUMN) != NULL)
			relation->columns = lappend(relation->columns, read_column(res, row));
	pgml_result_free(res);
	return relation;
}

PgmlBulkRelation *
pgml_bulk_describe_query(PgmlConn *conn, const char *query)
{
	PgmlBulkRelation *relation = palloc0(sizeof(PgmlBulkRelation));
	PgmlParams	no_params = {0};
	PgmlResult *res;

	pgml_result_free(pgml_command_run(conn, PATH_OF_ROLE));
	relation->sql = psprintf("(%s\n)", query);

	/* by the extended protocol, which takes just one statement */
	res = pgml_command_run_params(conn, psprintf("SELECT * FROM %s AS pgml_source LIMIT 0",
												 relation->sql), &no_params);
	for (int i = 0; i < pgml_result_ncols(res); i++)
	{
		PgmlBulkColumn *column = palloc0(sizeof(PgmlBulkColumn));

		column->name = pstrdup(pgml_result_column_name(res, i));
		pg_verifymbstr(column->name, strlen(column->name), false);
		column->type = pgml_result_column_type(res, i);
		column->typmod = pgml_result_column_typmod(res, i);
		if (pgml_bulk_remote_column(relation, column->name) != NULL)
			ereport(ERROR,
					(errcode(ERRCODE_DUPLICATE_COLUMN),
					 errmsg("the source query has more than one column named \"%s\"", column->name)));
		relation->columns = lappend(relation->columns, column);
	}
	pgml_result_free(res);
	return relation;
}

void
pgml_bulk_restore_path(PgmlConn *conn)
{
	pgml_result_free(pgml_command_run(conn, OUR_PATH));
}

PgmlBulkColumn *
pgml_bulk_remote_column(const PgmlBulkRelation *relation, const char *name)
{
	ListCell   *lc;

	foreach(lc, relation->columns)
	{
		PgmlBulkColumn *column = lfirst(lc);

		if (strcmp(column->name, name) == 0)
			return column;
	}
	return NULL;
}

/* Append an array of texts. */
static void
append_text_array(StringInfo sql, List *names)
{
	ListCell   *lc;

	appendStringInfoString(sql, "ARRAY[");
	foreach(lc, names)
	{
		if (lc != list_head(names))
			appendStringInfoString(sql, ", ");
		pgml_append_literal(sql, lfirst(lc));
	}
	appendStringInfoString(sql, "]::text[]");
}

/*
 * The query for the columns and operators of an index: those of all unique ones
 * that ON CONFLICT could choose, and among them the one that is wanted.
 */
static char *
key_query(const PgmlBulkRelation *relation, List *columns)
{
	StringInfoData sql;

	initStringInfo(&sql);
	appendStringInfo(&sql,
					 "WITH k AS (SELECT i.indexrelid, i.indisprimary, a.attname::text AS name,"
					 " n.nspname, o.oprname"
					 " FROM pg_index i, ROWS FROM (unnest(i.indkey::int2[]), unnest(i.indclass::oid[]))"
					 " AS u (attnum, class)"
					 " JOIN pg_opclass c ON c.oid = u.class"
					 " JOIN pg_amop p ON p.amopfamily = c.opcfamily AND p.amoplefttype = c.opcintype"
					 " AND p.amoprighttype = c.opcintype AND p.amopstrategy = 3"
					 " JOIN pg_operator o ON o.oid = p.amopopr"
					 " JOIN pg_namespace n ON n.oid = o.oprnamespace"
					 " JOIN pg_attribute a ON a.attrelid = %u AND a.attnum = u.attnum"
					 " WHERE i.indrelid = %u AND i.indisunique AND i.indisvalid AND i.indimmediate"
					 " AND i.indpred IS NULL AND i.indexprs IS NULL)"
					 " SELECT name, nspname, oprname FROM k WHERE indexrelid ="
					 " (SELECT indexrelid FROM k GROUP BY indexrelid, indisprimary HAVING ",
					 relation->oid, relation->oid);
	if (columns == NIL)
		appendStringInfoString(&sql, "indisprimary");
	else
	{
		appendStringInfoString(&sql, "array_agg(name) <@ ");
		append_text_array(&sql, columns);
		appendStringInfoString(&sql, " AND array_agg(name) @> ");
		append_text_array(&sql, columns);
	}
	appendStringInfoString(&sql, " ORDER BY indexrelid LIMIT 1)");
	return sql.data;
}

List *
pgml_bulk_find_key(PgmlConn *conn, const PgmlBulkRelation *relation, List *columns)
{
	PgmlResult *res = pgml_bulk_ask(conn, key_query(relation, columns), 3);
	List	   *key = NIL;

	for (int row = 0; row < pgml_result_nrows(res); row++)
	{
		PgmlBulkKey *part = palloc(sizeof(PgmlBulkKey));
		char	   *schema = pgml_bulk_text(res, row, 1);
		char	   *operator = pgml_bulk_text(res, row, 2);

		part->name = pgml_bulk_text(res, row, 0);
		if (strspn(operator, "~!@#^&|`?+-*/%<>=") != strlen(operator))
			ereport(ERROR,
					(errcode(ERRCODE_FDW_INCONSISTENT_DESCRIPTOR_INFORMATION),
					 errmsg("unexpected answer from server \"%s\"", conn->name)));
		part->equals = psprintf("OPERATOR(%s.%s)", quote_identifier(schema), operator);
		key = lappend(key, part);
	}
	pgml_result_free(res);
	if (key == NIL && columns == NIL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_COLUMN_REFERENCE),
				 errmsg("%s on server \"%s\" has no primary key", relation->sql, conn->name),
				 errhint("Say by which columns rows are to be found, in the argument \"key\".")));
	if (key == NIL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_COLUMN_REFERENCE),
				 errmsg("%s on server \"%s\" has no unique index on just these columns",
						relation->sql, conn->name)));
	return key;
}

int64
pgml_bulk_count_blocks(PgmlConn *conn, const PgmlBulkRelation *relation)
{
	PgmlResult *res;
	int64		blocks;

	res = pgml_bulk_ask(conn, psprintf("SELECT pg_catalog.max(pg_catalog.pg_relation_size(%s))"
							 " / pg_catalog.current_setting('block_size')::pg_catalog.int8%s",
							 relation->kind == 'p' ? "relid" : psprintf("%u", relation->oid),
							 relation->kind == 'p' ? psprintf(" FROM pg_catalog.pg_partition_tree(%u)",
															  relation->oid) : ""), 1);
	blocks = pgml_result_nrows(res) == 1 ? number(res, 0, 0) : 0;
	pgml_result_free(res);
	return Min(Max(blocks, 0), (int64) MaxBlockNumber);
}
