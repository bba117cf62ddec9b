/*
 * cost.c
 *		The cost of a foreign scan, in the planner's units.
 *
 * Question answered: how do two ways of reading a remote table compare, with
 * each other and with local work?  What crosses the wire dominates, so the
 * costs of the network come first and count the width of the rows; the remote's
 * own work is estimated roughly, as a sequential scan or, where a parameter
 * singles out rows, as an index scan.  That the remote has the index is
 * assumed: keys usually do, and without it nobody's plan would be good.
 */
#include "postgres.h"

#include <math.h>

#include "optimizer/cost.h"
#include "optimizer/optimizer.h"

#include "plan/cost.h"

/*
 * Moving a row costs fdw_tuple_cost times (ROW_SHARE + bytes / ROW_BYTES).
 * Measured with COPY BINARY over a socket: 0.5 microseconds for a row of 60
 * bytes in 4 columns, 2.7 for one of 400 bytes in 20.  A straight line through
 * both, with the row of 60 bytes as the unit.
 */
#define ROW_SHARE 0.3
#define ROW_BYTES 85.0

/*
 * A sort on the remote against the same sort here: it may find an index that
 * saves it, and its work goes on beside ours.
 */
#define REMOTE_SORT_SHARE 0.5

/* The same for joins and groups. */
#define REMOTE_WORK_SHARE 0.5

Cost
pgml_cost_wire(const PgmlOptions *options, double rows, int width)
{
	return rows * options->fdw_tuple_cost * (ROW_SHARE + width / ROW_BYTES);
}

/*
 * Cost of the remote finding the rows.  An index scan's pages are not charged
 * as random ones: rows of one key are often neighbours, and the same pages come
 * again in the next rescan.
 */
Cost
pgml_cost_find(const PgmlScanWork *work)
{
	Cost		per_tuple = cpu_tuple_cost + work->remote_quals.per_tuple;
	Cost		full = work->pages * seq_page_cost + work->tuples * per_tuple;
	Cost		index = Min(work->fetched, work->pages) * seq_page_cost +
		work->fetched * (per_tuple + cpu_index_tuple_cost);

	if (work->found > 0)
		return work->found;
	return work->by_index ? Min(index, full) : full;
}

/* Cost of the remote sorting them: as many comparisons as core reckons with. */
static Cost
sort_cost(double rows)
{
	rows = Max(rows, 2.0);
	return REMOTE_SORT_SHARE * 2.0 * cpu_operator_cost * rows * log2(rows);
}

void
pgml_cost_scan(const PgmlOptions *options, const PgmlScanWork *work,
			   Cost *startup_cost, Cost *total_cost)
{
	Cost		find = pgml_cost_find(work);
	Cost		startup = options->fdw_startup_cost + work->remote_quals.startup +
		work->local_quals.startup;
	Cost		run = pgml_cost_wire(options, work->fetched, work->width) +
		work->fetched * (cpu_tuple_cost + work->local_quals.per_tuple);

	/* a sort reads all before it gives the first row */
	if (work->sorted)
		startup += find + sort_cost(work->fetched);
	else
		run += find;

	*startup_cost = startup;
	*total_cost = startup + run;
}

Cost
pgml_cost_join(double outer_rows, double inner_rows, double rows, bool equality)
{
	double		compared = equality ? outer_rows + inner_rows : outer_rows * inner_rows;

	return REMOTE_WORK_SHARE * (cpu_operator_cost * compared + cpu_tuple_cost * rows);
}

Cost
pgml_cost_lookup(double outer_rows, double rows)
{
	return Max(outer_rows, rows) * (seq_page_cost + cpu_tuple_cost + cpu_index_tuple_cost);
}

Cost
pgml_cost_group(double rows, int columns, QualCost aggregates)
{
	return REMOTE_WORK_SHARE * (aggregates.startup + rows *
								(aggregates.per_tuple + cpu_operator_cost * columns));
}

void
pgml_cost_select(const PgmlOptions *options, const PgmlSelectWork *work,
				 Cost *startup_cost, Cost *total_cost)
{
	*startup_cost = options->fdw_startup_cost + work->local_quals.startup + work->find;
	if (work->sorted)
		*startup_cost += sort_cost(work->sort_rows);
	*total_cost = *startup_cost + pgml_cost_wire(options, work->fetched, work->width) +
		work->fetched * (cpu_tuple_cost + work->local_quals.per_tuple);
}
