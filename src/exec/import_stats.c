/*
 * import_stats.c
 *		Statistics of whole tables, taken over from the remote.
 *
 * Question answered: what does the remote's own planner know of these tables?
 * How large they are is tablesize.c's, what a column's statistics become here is
 * column_stats.c's.  What is taken from pg_stats is what the login may see there:
 * the columns that it may read, and none where row security applies to it.
 *
 * For IMPORT, whatever there is is better than nothing.  ANALYZE has the choice:
 * it takes over the statistics only if they are complete, that is if no column
 * that the login may read lacks them; else a sample tells more.
 *
 * A table with children is read with them, so their common statistics
 * (inherited) are those that count.  Extended statistics are not taken over.
 */
#include "postgres.h"

#include <math.h>

#include "access/htup_details.h"
#include "access/relation.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog/pg_class.h"
#include "catalog/pg_statistic.h"
#include "commands/vacuum.h"
#include "storage/lmgr.h"
#include "utils/rel.h"

#include "base/attempt.h"
#include "base/compat.h"
#include "base/option.h"
#include "base/stats.h"
#include "base/textio.h"
#include "exec/column_stats.h"
#include "exec/import_stats.h"
#include "query/deparse.h"
#include "remote/command.h"
#include "remote/tablesize.h"

/*
 * Tables in one query: 1,000 tables are four round trips, and the answer, some
 * 10 kB for a column, is held in memory.
 */
#define TABLES_AT_ONCE 250

/* The columns of the answer; from COL_NULL_FRAC on they are PgmlRemoteStats' fields. */
enum
{
	COL_NUMBER,					/* of the table in the question */
	COL_NAME,					/* of the column */
	COL_LACKS,					/* could have statistics, and has none */
	COL_NULL_FRAC,
	COL_WIDTH,
	COL_DISTINCT,
	COL_MCV,
	COL_MCV_FREQS,
	COL_HISTOGRAM,
	COL_CORRELATION,
	COL_ELEMENTS,
	COL_ELEMENT_FREQS,
	COL_ELEMENT_COUNTS,
	COL_RANGE_LENGTHS,
	COL_RANGE_EMPTY,
	COL_RANGE_BOUNDS,
	NUM_COLS
};

/* One of the tables. */
typedef struct StatsTable
{
	Oid			relid;
	PgmlOptions *options;
	PgmlTableSize *size;
	bool		lacks;			/* a column could have statistics and has none */
	int			first_row;		/* of the answer; -1: there is none */
	int			end_row;
} StatsTable;

/* An import of statistics. */
typedef struct StatsImport
{
	PgmlConn   *conn;
	List	   *relids;
	int			ntables;
	StatsTable *tables;
	PgmlTableSize *sizes;
	bool		complete;		/* no half ones */
	PgmlResult *res;			/* answer about the tables of one query */
	int			ncolumns;		/* that have got statistics */
} StatsImport;

/* Compose the question about tables from first to before end. */
static char *
question(StatsImport *import, int first, int end)
{
	int			version = import->conn->caps.server_version;
	StringInfoData sql;

	initStringInfo(&sql);
	appendStringInfo(&sql,
					 "SELECT t.i, a.attname, s.attname IS NULL AND COALESCE(a.attstattarget, -1) <> 0%s"
					 " AND pg_catalog.has_column_privilege(c.oid, a.attnum, 'SELECT'),"
					 " s.null_frac, s.avg_width, s.n_distinct,"
					 " s.most_common_vals::pg_catalog.text, s.most_common_freqs::pg_catalog.text,"
					 " s.histogram_bounds::pg_catalog.text, s.correlation,"
					 " s.most_common_elems::pg_catalog.text, s.most_common_elem_freqs::pg_catalog.text,"
					 " s.elem_count_histogram::pg_catalog.text, %s FROM (VALUES ",
					 version >= 120000 ? " AND a.attgenerated <> 'v'" : "",
					 version >= 170000 ? "s.range_length_histogram::pg_catalog.text,"
					 " s.range_empty_frac, s.range_bounds_histogram::pg_catalog.text" :
					 "NULL, NULL, NULL");
	for (int i = first; i < end; i++)
	{
		appendStringInfo(&sql, "%s(%d, ", i > first ? ", " : "", i);
		pgml_append_literal(&sql, import->sizes[i].schema);
		appendStringInfoString(&sql, ", ");
		pgml_append_literal(&sql, import->sizes[i].name);
		appendStringInfoChar(&sql, ')');
	}
	appendStringInfoString(&sql,
						   ") AS t (i, s, n)"
						   " JOIN pg_catalog.pg_namespace AS ns ON ns.nspname = t.s"
						   " JOIN pg_catalog.pg_class AS c ON c.relnamespace = ns.oid AND c.relname = t.n"
						   " JOIN pg_catalog.pg_attribute AS a ON a.attrelid = c.oid"
						   " AND a.attnum > 0 AND NOT a.attisdropped"
						   " LEFT JOIN pg_catalog.pg_stats AS s ON s.schemaname = ns.nspname"
						   " AND s.tablename = c.relname AND s.attname = a.attname"
						   " AND s.inherited = EXISTS (SELECT 1 FROM pg_catalog.pg_inherits AS h"
						   " WHERE h.inhparent = c.oid) ORDER BY t.i, a.attnum");
	return sql.data;
}

/* Has the table been analyzed there, with all its children? */
static bool
is_counted(const PgmlTableSize *size)
{
	return size->known && size->uncounted == 0;
}

/* Name the tables and learn their sizes. */
static void
prepare(StatsImport *import)
{
	ListCell   *lc;

	import->ntables = list_length(import->relids);
	import->tables = palloc0(sizeof(StatsTable) * import->ntables);
	import->sizes = palloc0(sizeof(PgmlTableSize) * import->ntables);
	foreach(lc, import->relids)
	{
		StatsTable *table = &import->tables[foreach_current_index(lc)];
		StringInfoData buf;

		table->relid = lfirst_oid(lc);
		table->options = pgml_options_of_table(table->relid);
		table->size = &import->sizes[foreach_current_index(lc)];
		table->size->schema = table->options->schema_name;
		table->size->name = table->options->table_name;
		initStringInfo(&buf);
		pgml_deparse_relation(&buf, table->options);
		table->size->sql_name = buf.data;
	}
	if (!pgml_tablesize_ask(import->conn, import->sizes, import->ntables, NULL))
		ereport(ERROR,
				(errcode(ERRCODE_FDW_ERROR),
				 errmsg("server \"%s\" doesn't tell the sizes of its tables",
						import->conn->name)));
}

/* Find out which rows of the answer belong to which of the tables. */
static void
assign_rows(StatsImport *import, int first, int end)
{
	int			nrows = pgml_result_nrows(import->res);

	for (int i = first; i < end; i++)
		import->tables[i].first_row = -1;
	for (int row = 0; row < nrows; row++)
	{
		const char *number = pgml_result_value(import->res, row, COL_NUMBER);
		const char *lacks = pgml_result_value(import->res, row, COL_LACKS);
		int			i = number != NULL ? atoi(number) : -1;
		StatsTable *table;

		if (i < first || i >= end)
			continue;
		table = &import->tables[i];
		if (table->first_row < 0)
			table->first_row = row;
		table->end_row = row + 1;
		table->lacks = table->lacks || (lacks != NULL && strcmp(lacks, "t") == 0);
	}
}

/* Ask for the statistics of some of the tables. */
static void
fetch(StatsImport *import, int first, int end)
{
	if (import->res != NULL)
		pgml_result_free(import->res);
	import->res = pgml_command_read(import->conn, question(import, first, end));
	if (pgml_result_ncols(import->res) != NUM_COLS)
		ereport(ERROR,
				(errcode(ERRCODE_FDW_ERROR),
				 errmsg("unexpected result of the query for statistics from server \"%s\"",
						import->conn->name)));
	pgml_stats.bytes_in += pgml_result_bytes(import->res);
	assign_rows(import, first, end);
}

/* The row of the answer that is about a column of a table; -1: none. */
static int
find_row(StatsImport *import, const StatsTable *table, const char *column)
{
	if (table->first_row < 0)
		return -1;
	for (int row = table->first_row; row < table->end_row; row++)
	{
		const char *name = pgml_result_value(import->res, row, COL_NAME);

		if (name != NULL && strcmp(name, column) == 0)
			return row;
	}
	return -1;
}

static PgmlRemoteStats
read_row(PgmlResult *res, int row)
{
	PgmlRemoteStats stats = {
		.null_frac = pgml_result_value(res, row, COL_NULL_FRAC),
		.avg_width = pgml_result_value(res, row, COL_WIDTH),
		.n_distinct = pgml_result_value(res, row, COL_DISTINCT),
		.mcv = pgml_result_value(res, row, COL_MCV),
		.mcv_freqs = pgml_result_value(res, row, COL_MCV_FREQS),
		.histogram = pgml_result_value(res, row, COL_HISTOGRAM),
		.correlation = pgml_result_value(res, row, COL_CORRELATION),
		.elements = pgml_result_value(res, row, COL_ELEMENTS),
		.element_freqs = pgml_result_value(res, row, COL_ELEMENT_FREQS),
		.element_counts = pgml_result_value(res, row, COL_ELEMENT_COUNTS),
		.range_lengths = pgml_result_value(res, row, COL_RANGE_LENGTHS),
		.range_empty = pgml_result_value(res, row, COL_RANGE_EMPTY),
		.range_bounds = pgml_result_value(res, row, COL_RANGE_BOUNDS)
	};

	return stats;
}

/* Store the statistics of a table's columns. */
static void
store_columns(StatsImport *import, const StatsTable *table, Relation rel, Relation statistic)
{
	TupleDesc	desc = RelationGetDescr(rel);
	MemoryContext cxt = AllocSetContextCreate(CurrentMemoryContext, "pgml_fdw column statistics",
											  ALLOCSET_DEFAULT_SIZES);
	MemoryContext old = MemoryContextSwitchTo(cxt);

	for (AttrNumber attnum = 1; attnum <= desc->natts; attnum++)
	{
		PgmlRemoteStats stats;
		int			row;

		if (TupleDescAttr(desc, attnum - 1)->attisdropped ||
			pgml_stats_target(RelationGetRelid(rel), attnum) == 0)
			continue;
		row = find_row(import, table,
					   pgml_option_column_name(RelationGetRelid(rel), attnum));
		if (row < 0)
			continue;
		stats = read_row(import->res, row);
		if (pgml_column_stats_store(statistic, rel, attnum, &stats))
			import->ncolumns++;
		MemoryContextReset(cxt);
	}
	MemoryContextSwitchTo(old);
	MemoryContextDelete(cxt);
}

/*
 * Give a table of an IMPORT what is known of it.  One that is empty is
 * not said to be so: nothing here would notice when it no longer is.
 */
static void
store_table(StatsImport *import, const StatsTable *table, Relation statistic)
{
	Relation	rel = relation_open(table->relid, NoLock);

	store_columns(import, table, rel, statistic);
	if (is_counted(table->size) && table->size->rows >= 1)
		pgml_update_relstats(rel, (BlockNumber) Min(table->size->pages, (double) MaxBlockNumber),
							 rint(table->size->rows));
	relation_close(rel, NoLock);
}

/* Import all; for pgml_attempt. */
static void
import_many(void *arg)
{
	StatsImport *import = arg;
	Relation	statistic;
	int			nestlevel;

	prepare(import);
	statistic = table_open(StatisticRelationId, RowExclusiveLock);
	nestlevel = pgml_textio_begin();
	for (int first = 0; first < import->ntables; first += TABLES_AT_ONCE)
	{
		int			end = Min(first + TABLES_AT_ONCE, import->ntables);

		fetch(import, first, end);
		for (int i = first; i < end; i++)
		{
			CHECK_FOR_INTERRUPTS();
			store_table(import, &import->tables[i], statistic);
		}
	}
	pgml_textio_end(nestlevel);
	table_close(statistic, RowExclusiveLock);
	CommandCounterIncrement();
}

void
pgml_import_stats_many(PgmlConn *conn, List *relids)
{
	StatsImport import = {.conn = conn,.relids = relids};
	ErrorData  *error;

	if (relids == NIL)
		return;
	error = pgml_attempt(import_many, &import);
	if (error != NULL)
		ereport(WARNING,
				(errcode(error->sqlerrcode),
				 errmsg("statistics are not imported from server \"%s\"", conn->name),
				 errdetail_internal("%s", error->message)));
}

/* Import those of one table, if they are complete; for pgml_attempt. */
static void
import_one(void *arg)
{
	StatsImport *import = arg;
	const StatsTable *table;
	Relation	statistic;
	Relation	rel;
	int			nestlevel;

	prepare(import);
	table = &import->tables[0];
	if (!is_counted(table->size))
		return;
	fetch(import, 0, 1);
	if (table->first_row < 0 || (table->lacks && table->size->rows >= 1))
		return;

	statistic = table_open(StatisticRelationId, RowExclusiveLock);
	rel = relation_open(table->relid, NoLock);
	nestlevel = pgml_textio_begin();
	store_columns(import, table, rel, statistic);
	pgml_textio_end(nestlevel);
	relation_close(rel, NoLock);
	table_close(statistic, RowExclusiveLock);
	import->complete = true;
}

bool
pgml_import_stats_one(PgmlConn *conn, Relation rel, double *rows, int *ncolumns)
{
	StatsImport import = {.conn = conn,.relids = list_make1_oid(RelationGetRelid(rel))};
	ErrorData  *error = pgml_attempt(import_one, &import);

	if (error != NULL)
		ereport(DEBUG1,
				(errmsg_internal("statistics are not imported: %s", error->message)));
	if (error != NULL || !import.complete)
		return false;
	*rows = rint(import.sizes[0].rows);
	*ncolumns = import.ncolumns;
	return true;
}
