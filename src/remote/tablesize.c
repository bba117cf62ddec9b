/*
 * tablesize.c
 *		How large the remote's tables are.
 *
 * Question answered: how many pages and rows would the remote's own planner
 * reckon with, now?  Like core for a local table, it multiplies the pages that
 * the table has at this moment by the rows that a page had when it was last
 * analyzed.  A table with children, a partitioned one above all, is the sum of
 * them.  Of those that were never analyzed only the pages are known, and the
 * caller, who knows the columns, guesses how many rows fit into one.
 *
 * Nothing is known of views, of foreign tables of the remote's that nobody
 * there has analyzed, and of what doesn't exist.
 *
 * The question finds tables by the names in the catalogs, not by casting to
 * regclass: that throws where the login may not use a schema.  pg_relation_size
 * takes an ACCESS SHARE lock for a moment, as the scan that follows does.
 *
 * What else a plan hangs on is asked along with it: the database's default collation
 * (collation.c).
 */
#include "postgres.h"

#include <math.h>

#include "remote/collation.h"
#include "remote/command.h"
#include "remote/readonly.h"
#include "remote/tablesize.h"

/* The columns of the answer. */
enum
{
	COL_NUMBER,					/* of the table in the question */
	COL_PLAIN,					/* what readonly.c wants to know */
	COL_KNOWN,
	COL_PAGES,
	COL_ROWS,
	COL_UNCOUNTED,
	COL_COLLATION,				/* of the database, in a row of its own */
	NUM_COLS
};

/*
 * The pages are looked up once for each member of a tree.  Fewer than ten
 * of a table that nobody has analyzed are taken for ten, as core does, because it
 * is probably about to be filled.
 */
static const char *const question_tail =
" AS t (i, s, n) JOIN pg_catalog.pg_namespace AS ns ON ns.nspname = t.s"
" JOIN pg_catalog.pg_class AS c ON c.relnamespace = ns.oid AND c.relname = t.n),"
" tree (i, top, oid) AS (SELECT i, top, top FROM wanted"
" UNION SELECT tree.i, tree.top, h.inhrelid FROM tree"
" JOIN pg_catalog.pg_inherits AS h ON h.inhparent = tree.oid),"
" member AS (SELECT tree.i, tree.top, c.oid, c.relkind, c.relhassubclass,"
" c.relrowsecurity, c.reltuples, c.relpages, c.relkind IN ('r', 'm') AS stored,"
" c.reltuples >= 0 AND c.relpages > 0 AS counted,"
" CASE WHEN c.relkind IN ('r', 'm') THEN COALESCE(pg_catalog.pg_relation_size(c.oid), 0)"
" / pg_catalog.current_setting('block_size')::int8 END AS size"
" FROM tree JOIN pg_catalog.pg_class AS c ON c.oid = tree.oid),"
" sized AS (SELECT *, CASE WHEN reltuples < 0 AND NOT relhassubclass AND size < 10"
" THEN 10 ELSE size END AS now FROM member)"
" SELECT i, bool_or(oid = top AND stored AND NOT relhassubclass AND NOT relrowsecurity),"
" bool_and(stored OR relkind = 'p' OR (relkind = 'f' AND counted)),"
" sum(CASE WHEN stored THEN now WHEN relkind = 'f' THEN relpages END),"
" sum(CASE WHEN NOT counted THEN 0"
" WHEN stored THEN now * (reltuples / relpages)"
" WHEN relkind = 'f' THEN reltuples END),"
" sum(CASE WHEN stored AND NOT counted THEN now END), NULL::text"
" FROM sized GROUP BY i";

/* Append the question about the tables. */
static void
append_tables(StringInfo sql, const PgmlTableSize *tables, int n)
{
	appendStringInfoString(sql,
						   "WITH RECURSIVE wanted (i, top) AS (SELECT t.i, c.oid FROM (VALUES ");
	for (int i = 0; i < n; i++)
	{
		appendStringInfo(sql, "%s(%d, ", i > 0 ? ", " : "", i);
		pgml_append_literal(sql, tables[i].schema);
		appendStringInfoString(sql, ", ");
		pgml_append_literal(sql, tables[i].name);
		appendStringInfoChar(sql, ')');
	}
	appendStringInfoChar(sql, ')');
	appendStringInfoString(sql, question_tail);
}

/* Compose the question. */
static char *
question(PgmlConn *conn, const PgmlTableSize *tables, int n, bool collation)
{
	StringInfoData sql;

	initStringInfo(&sql);
	if (n > 0)
		append_tables(&sql, tables, n);
	if (collation)
	{
		appendStringInfo(&sql, "%sSELECT -1, NULL, NULL, NULL, NULL, NULL, ",
						 n > 0 ? " UNION ALL " : "");
		pgml_collation_append_question(&sql, conn->caps.server_version);
	}
	return sql.data;
}

/* A number of the answer that can be one of pages or rows; 0 for anything else. */
static double
read_count(PgmlResult *res, int row, int col)
{
	const char *text = pgml_result_value(res, row, col);
	double		number = text != NULL ? strtod(text, NULL) : 0;

	return isfinite(number) ? Max(number, 0) : 0;
}

static bool
read_bool(PgmlResult *res, int row, int col)
{
	const char *text = pgml_result_value(res, row, col);

	return text != NULL && strcmp(text, "t") == 0;
}

/* Write down what a row of the answer says. */
static void
learn(PgmlConn *conn, PgmlTableSize *tables, int n, PgmlResult *res, int row)
{
	const char *text = pgml_result_value(res, row, COL_NUMBER);
	int			number = text != NULL ? atoi(text) : -1;
	PgmlTableSize *table;

	if (number < 0 || number >= n)
		return;
	table = &tables[number];
	table->known = read_bool(res, row, COL_KNOWN);
	table->pages = read_count(res, row, COL_PAGES);
	table->rows = read_count(res, row, COL_ROWS);
	table->uncounted = Min(read_count(res, row, COL_UNCOUNTED), table->pages);
	pgml_readonly_learn(conn, table->sql_name, read_bool(res, row, COL_PLAIN));
}

bool
pgml_tablesize_ask(PgmlConn *conn, PgmlTableSize *tables, int n, bool *same_collation)
{
	PgmlResult *res;
	bool		understood;

	/* how the collation is asked for is a matter of the remote's version */
	if (same_collation != NULL)
	{
		pgml_conn_claim(conn);
		pgml_connection_ensure(conn);
		*same_collation = false;
	}
	res = pgml_command_look(conn, question(conn, tables, n, same_collation != NULL));
	understood = !pgml_result_is_error(res);

	for (int i = 0; i < n; i++)
		tables[i].known = false;
	if (understood && pgml_result_ncols(res) == NUM_COLS)
		for (int row = 0; row < pgml_result_nrows(res); row++)
		{
			learn(conn, tables, n, res, row);
			if (same_collation != NULL && pgml_result_value(res, row, COL_COLLATION) != NULL)
				*same_collation = pgml_collation_is_ours(pgml_result_value(res, row, COL_COLLATION));
		}
	pgml_result_free(res);
	return understood;
}
