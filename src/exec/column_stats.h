/*
 * column_stats.h
 *		Statistics of one column, as the remote tells them and as ours are kept.
 */
#ifndef PGML_EXEC_COLUMN_STATS_H
#define PGML_EXEC_COLUMN_STATS_H

#include "postgres.h"
#include "utils/relcache.h"

/* What pg_stats says of a column, each as text; NULL: nothing. */
typedef struct PgmlRemoteStats
{
	const char *null_frac;
	const char *avg_width;
	const char *n_distinct;
	const char *mcv;			/* most_common_vals */
	const char *mcv_freqs;
	const char *histogram;
	const char *correlation;
	const char *elements;		/* most_common_elems */
	const char *element_freqs;
	const char *element_counts;	/* elem_count_histogram */
	const char *range_lengths;
	const char *range_empty;	/* fraction of empty ranges */
	const char *range_bounds;
} PgmlRemoteStats;

/*
 * Put the statistics of a column into pg_statistic (statistic, which the caller
 * has opened), in the place of what is there.  What makes no sense is left out;
 * false: nothing made sense, nothing was done.  Doesn't throw for what the
 * remote has said.  Values are read under the settings of base/textio.h, which
 * the caller has made.
 */
extern bool pgml_column_stats_store(Relation statistic, Relation rel, AttrNumber attnum,
									const PgmlRemoteStats *remote);

#endif							/* PGML_EXEC_COLUMN_STATS_H */
