/*
 * estimate.c
 *		What the remote's planner thinks of queries: EXPLAIN, many in one message.
 *
 * The first line of a plan in text form ends, in all versions, in
 *		(cost=0.29..8.30 rows=1 width=4)
 * Numbers that can't be costs or rows are no estimate.
 */
#include "postgres.h"

#include <math.h>

#include "remote/command.h"
#include "remote/estimate.h"

/* A width that no row has, but that does no harm in sums. */
#define MAX_WIDTH (1024 * 1024)

/* Read the first line of a plan; false: it is none. */
static bool
read_plan(PgmlResult *res, PgmlEstimate *estimate)
{
	const char *line = pgml_result_nrows(res) > 0 && pgml_result_ncols(res) == 1 ?
		pgml_result_value(res, 0, 0) : NULL;
	const char *last = NULL;
	double		startup;
	double		cost;
	double		rows;
	double		width;

	/* the names before it may hold anything */
	while (line != NULL && (line = strstr(line, "(cost=")) != NULL)
		last = line++;
	if (last == NULL ||
		sscanf(last, "(cost=%lf..%lf rows=%lf width=%lf)", &startup, &cost, &rows, &width) != 4 ||
		!isfinite(cost) || !isfinite(rows) || !(cost >= 0) || !(rows >= 0) || !(width >= 0))
		return false;
	estimate->rows = rows;
	estimate->width = (int) Min(width, MAX_WIDTH);
	estimate->cost = cost;
	return true;
}

bool
pgml_estimate_explain(PgmlConn *conn, char **queries, int n, PgmlEstimate *estimates)
{
	PgmlResult **results = palloc0(n * sizeof(PgmlResult *));
	StringInfoData sql;
	bool		understood;

	initStringInfo(&sql);
	for (int i = 0; i < n; i++)
		appendStringInfo(&sql, "%sEXPLAIN %s", i > 0 ? "; " : "", queries[i]);
	understood = pgml_command_look_all(conn, sql.data, results, n);
	for (int i = 0; i < n; i++)
	{
		understood = understood && read_plan(results[i], &estimates[i]);
		if (results[i] != NULL)
			pgml_result_free(results[i]);
	}
	return understood;
}
