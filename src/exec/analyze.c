/*
 * analyze.c
 *		ANALYZE of foreign tables: the remote's own statistics, or else a random
 *		sample of its rows.
 *
 * With the option import_stats the statistics are the remote's, where it has
 * them all (import_stats.c).  The rest of this file is about the sample.
 *
 * The sample is drawn twice.  The remote draws a first one, if the option
 * analyze_sampling and the size of the table let it: about as many rows as are
 * wanted, so that a large table needn't travel.  From what arrives, a
 * reservoir here keeps the wanted number, each row with the same probability.
 *
 * The number of rows in the table follows from both: rows that arrived,
 * divided by the fraction that was asked for.  So the remote's own estimate,
 * which may be old, decides only how much travels.
 *
 * Everything is read as the owner of the foreign table, whoever runs ANALYZE.
 */
#include "postgres.h"

#include <math.h>

#include "access/htup_details.h"
#include "commands/progress.h"
#include "miscadmin.h"
#include "utils/backend_progress.h"
#include "utils/backend_status.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/sampling.h"

#include "base/option.h"
#include "exec/analyze.h"
#include "exec/import_stats.h"
#include "query/deparse.h"
#include "remote/command.h"
#include "remote/conncache.h"
#include "row/codec.h"
#include "row/source.h"

/*
 * A sample drawn by the remote has a random number of rows: ask for a bit more
 * than wanted.  With 30,000 rows wanted, 5 % are eight standard deviations.
 */
#define SAMPLE_MARGIN 1.05

/* The size of the remote table, as its catalogs have it. */
typedef struct TableSize
{
	double		pages;
	double		rows;			/* negative: unknown */
	char		relkind;		/* 0: no such table */
} TableSize;

/* A random sample while it is collected. */
typedef struct Reservoir
{
	HeapTuple  *rows;
	int			wanted;
	int			n;				/* rows in it */
	double		seen;			/* rows that have passed */
	double		skip;			/* rows still to pass before one is taken; negative: not drawn */
	ReservoirStateData state;
} Reservoir;

/* Read a number that the remote has sent; nonsense becomes fallback. */
static double
read_number(PgmlResult *res, int col, double fallback)
{
	const char *text = pgml_result_value(res, 0, col);
	char	   *end;
	double		number;

	if (text == NULL)
		return fallback;
	number = strtod(text, &end);
	return end != text && isfinite(number) ? number : fallback;
}

/* Ask the remote how large the table is. */
static TableSize
fetch_size(PgmlConn *conn, PgmlOptions *options)
{
	TableSize	size = {0, -1, 0};
	PgmlResult *res;

	if (options->query != NULL)
		return size;
	res = pgml_command_run(conn, pgml_deparse_analyze_size(options));
	if (pgml_result_nrows(res) == 1 && pgml_result_ncols(res) == 3)
	{
		const char *relkind = pgml_result_value(res, 0, 2);

		size.pages = Max(read_number(res, 0, 0), 0);
		size.rows = read_number(res, 1, -1);
		size.relkind = relkind ? relkind[0] : 0;
	}
	pgml_result_free(res);
	return size;
}

/*
 * Choose how the remote draws its sample, and the fraction of the table that
 * is enough for this many rows.
 */
static PgmlSampling
choose_sampling(PgmlSampling method, TableSize size, int wanted, double *fraction)
{
	bool		has_blocks = size.relkind == RELKIND_RELATION ||
		size.relkind == RELKIND_MATVIEW || size.relkind == RELKIND_PARTITIONED_TABLE;

	/*
	 * Of a table that has never been analyzed there, only the pages are known: a
	 * row in each of them is the least it can have.
	 */
	double		rows = size.rows > 0 ? size.rows : size.pages;

	*fraction = 1;
	if (method == PGML_SAMPLING_OFF || rows * 0.95 <= wanted * SAMPLE_MARGIN)
		return PGML_SAMPLING_OFF;

	/* row by row rather than whole pages: rows of one page resemble each other */
	if (method == PGML_SAMPLING_AUTO)
		method = has_blocks ? PGML_SAMPLING_BERNOULLI : PGML_SAMPLING_OFF;
	else if (method != PGML_SAMPLING_RANDOM && !has_blocks)
		method = PGML_SAMPLING_OFF;

	if (method != PGML_SAMPLING_OFF)
		*fraction = wanted * SAMPLE_MARGIN / rows;
	return method;
}

/* Build the query for all columns of the table, and the attributes that they fill. */
static PgmlQuery *
build_query(Relation rel, char *tail, AttrNumber **attnums)
{
	TupleDesc	desc = RelationGetDescr(rel);
	PgmlQuery  *query = palloc0(sizeof(PgmlQuery));

	query->columns = palloc(sizeof(char *) * Max(desc->natts, 1));
	query->tail = tail;
	*attnums = palloc(sizeof(AttrNumber) * Max(desc->natts, 1));

	for (int attnum = 1; attnum <= desc->natts; attnum++)
	{
		StringInfoData buf;

		if (TupleDescAttr(desc, attnum - 1)->attisdropped)
			continue;
		initStringInfo(&buf);
		pgml_deparse_fetched_column(&buf, RelationGetRelid(rel), attnum);
		query->columns[query->ncols] = buf.data;
		(*attnums)[query->ncols++] = attnum;
	}
	return query;
}

/* Find the place for the next row in the reservoir, -1 if it isn't taken. */
static int
reservoir_place(Reservoir *reservoir)
{
	double		before = reservoir->seen++;

	if (reservoir->n < reservoir->wanted)
		return reservoir->n++;
	if (reservoir->skip < 0)
		reservoir->skip = reservoir_get_next_S(&reservoir->state, before, reservoir->wanted);
	if (reservoir->skip-- > 0)
		return -1;
	return (int) (reservoir->wanted * sampler_random_fract(&reservoir->state.randstate));
}

/* Read all rows of a query and keep a sample of them, in the current context. */
static void
collect(Reservoir *reservoir, PgmlConn *conn, Relation rel, char *tail)
{
	TupleDesc	desc = RelationGetDescr(rel);
	Datum	   *values = palloc(sizeof(Datum) * Max(desc->natts, 1));
	bool	   *nulls = palloc(sizeof(bool) * Max(desc->natts, 1));
	AttrNumber *attnums;
	PgmlQuery  *query = build_query(rel, tail, &attnums);
	PgmlCodec  *codec = pgml_codec_create(desc, query->ncols, attnums);
	PgmlSource *source = pgml_source_create(PGML_SOURCE_COPY, conn, query, codec);

	pgml_source_start(source, NULL);
	while (pgml_source_next(source, values, nulls))
	{
		int			place = reservoir_place(reservoir);

		CHECK_FOR_INTERRUPTS();
		if (place < 0)
			continue;
		if (reservoir->rows[place])
			heap_freetuple(reservoir->rows[place]);
		reservoir->rows[place] = heap_form_tuple(desc, values, nulls);
	}
	pgml_source_close(source);
}

/*
 * Is the relation analyzed for its own sake?  Where it contributes to the
 * sample of a parent, rows are what is wanted.  Core doesn't tell its
 * callbacks, but it tells pg_stat_progress_analyze; without track_activities we
 * are none the wiser, and take a sample.
 */
static bool
is_analyzed_itself(Relation rel)
{
	return pgstat_track_activities && MyBEEntry != NULL &&
		MyBEEntry->st_progress_command == PROGRESS_COMMAND_ANALYZE &&
		MyBEEntry->st_progress_command_target == RelationGetRelid(rel) &&
		MyBEEntry->st_progress_param[PROGRESS_ANALYZE_PHASE] ==
		PROGRESS_ANALYZE_PHASE_ACQUIRE_SAMPLE_ROWS;
}

/*
 * Take the remote's own statistics over, if that is wanted and it has them.
 * Core, when it gets no rows, notes the row count and computes nothing.
 */
static bool
import_statistics(PgmlOptions *options, PgmlConn *conn, Relation rel, int elevel, double *totalrows)
{
	int			ncolumns;

	if (!options->import_stats || !is_analyzed_itself(rel) ||
		!pgml_import_stats_one(conn, rel, totalrows, &ncolumns))
		return false;
	ereport(elevel,
			(errmsg("\"%s\": table contains %.0f rows, statistics of %d columns are the remote's",
					RelationGetRelationName(rel), *totalrows, ncolumns)));
	return true;
}

/* The callback that core calls for the sample. */
static int
acquire_sample(Relation rel, int elevel, HeapTuple *rows, int wanted,
			   double *totalrows, double *totaldeadrows)
{
	PgmlOptions *options = pgml_options_of_table(RelationGetRelid(rel));
	PgmlConn   *conn = pgml_conncache_get_for(options->serverid, rel->rd_rel->relowner);
	Reservoir	reservoir = {.rows = rows,.wanted = wanted,.skip = -1};
	double		fraction;
	PgmlSampling method;

	*totaldeadrows = 0;
	if (import_statistics(options, conn, rel, elevel, totalrows))
		return 0;

	method = choose_sampling(options->analyze_sampling, fetch_size(conn, options), wanted,
							 &fraction);
	memset(rows, 0, sizeof(HeapTuple) * wanted);
	reservoir_init_selection_state(&reservoir.state, wanted);
	collect(&reservoir, conn, rel, pgml_deparse_analyze_tail(options, method, fraction));

	*totalrows = rint(reservoir.seen / fraction);
	ereport(elevel,
			(errmsg("\"%s\": table contains %.0f rows, %d rows in sample",
					RelationGetRelationName(rel), *totalrows, reservoir.n)));
	return reservoir.n;
}

bool
pgmlAnalyzeForeignTable(Relation relation, AcquireSampleRowsFunc *func,
						BlockNumber *totalpages)
{
	PgmlOptions *options = pgml_options_of_table(RelationGetRelid(relation));
	PgmlConn   *conn = pgml_conncache_get_for(options->serverid, relation->rd_rel->relowner);
	TableSize	size = fetch_size(conn, options);

	*func = acquire_sample;
	*totalpages = (BlockNumber) Min(size.pages, (double) MaxBlockNumber);
	return true;
}
