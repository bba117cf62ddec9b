/*
 * estimate.c
 *		use_remote_estimate: the remote is asked what it thinks of what it is to compute.
 *
 * Question answered: how many rows, of what width, would this SELECT bring, and what would it
 * cost the remote?  The remote's planner has the statistics and knows its indexes.
 * Scans of all tables of a statement are asked about in one round trip, each join and
 * each step above in one of its own: which there are is found out on the way.
 *
 * A value that is known only when the statement runs is a subquery here, of which
 * the remote knows as little.  What the remote doesn't answer is estimated here.
 *
 * Where the order of joins is searched at random (GEQO), the same joins are made again and
 * again, so they aren't asked about.
 */
#include "postgres.h"

#include "optimizer/cost.h"
#include "optimizer/optimizer.h"

#include "plan/ask.h"
#include "plan/estimate.h"
#include "plan/path.h"
#include "query/select.h"

/* The queries that are asked about, and what is said. */
typedef struct Queries
{
	int			n;
	char	  **sql;
	PgmlEstimate *estimates;
	bool		answered;
} Queries;

/* Append the end of a SELECT, with a subquery in the place of each parameter. */
static void
append_tail(StringInfo buf, const char *tail, List *param_at)
{
	int			at = 0;
	ListCell   *lc;

	foreach(lc, param_at)
	{
		int			dollar = lfirst_int(lc);

		appendBinaryStringInfo(buf, tail + at, dollar - at);
		appendStringInfoString(buf, "(SELECT NULL)");
		at = dollar + 1;
		while (tail[at] >= '0' && tail[at] <= '9')
			at++;
	}
	appendStringInfoString(buf, tail + at);
}

/* Print the SELECT that fetches what is needed for these expressions; NULL: there is none. */
static char *
print_query(PlannerInfo *root, const PgmlRelInfo *info, List *exprs)
{
	PgmlDeparse cxt = {0};
	PgmlSelect	select;
	StringInfoData buf;
	List	   *targets;
	char	  **columns;

	if (!pgml_select_targets(root, info, exprs, &targets))
		return NULL;
	select = pgml_select_make(root, info, targets, NIL);
	select.locks = NIL;
	cxt.buf = makeStringInfo();
	cxt.root = root;
	cxt.relids = info->relids;
	cxt.options = info->options;
	pgml_deparse_select(&cxt, &select, &columns);

	initStringInfo(&buf);
	appendStringInfoString(&buf, "SELECT");
	for (int i = 0; i < list_length(targets); i++)
		appendStringInfo(&buf, "%s %s", i > 0 ? "," : "", columns[i]);
	append_tail(&buf, cxt.buf->data, cxt.param_at);
	return buf.data;
}

/* Callback: ask. */
static void
ask(PgmlConn *conn, void *arg)
{
	Queries    *queries = arg;

	if (!pgml_estimate_explain(conn, queries->sql, queries->n, queries->estimates))
		ereport(ERROR,
				(errcode(ERRCODE_FDW_ERROR),
				 errmsg("server \"%s\" doesn't tell what queries cost", conn->name)));
	queries->answered = true;
}

void
pgml_estimate_ask(PlannerInfo *root, List *infos, List *exprs)
{
	int			n = list_length(infos);
	Queries		queries = {
		.sql = palloc(n * sizeof(char *)),
		.estimates = palloc0(n * sizeof(PgmlEstimate))
	};
	PgmlRelInfo **asked = palloc(n * sizeof(PgmlRelInfo *));
	PgmlRelInfo *first = linitial(infos);
	ListCell   *info;
	ListCell   *of;

	forboth(info, infos, of, exprs)
	{
		asked[queries.n] = lfirst(info);
		queries.sql[queries.n] = print_query(root, lfirst(info), lfirst(of));
		if (queries.sql[queries.n] != NULL)
			queries.n++;
	}
	if (queries.n == 0)
		return;
	pgml_ask_server(first->options->serverid, first->userid, ask, &queries);
	for (int i = 0; queries.answered && i < queries.n; i++)
		asked[i]->estimate = &queries.estimates[i];
}

bool
pgml_estimate_select(PlannerInfo *root, PgmlRelInfo *info, List *exprs)
{
	if (!info->options->use_remote_estimate || root->join_search_private != NULL)
		return false;
	info->estimate = NULL;
	pgml_estimate_ask(root, list_make1(info), list_make1(exprs));
	if (info->estimate == NULL)
		return false;
	info->fetched = clamp_row_est(info->estimate->rows);
	info->rows = clamp_row_est(info->fetched * info->local_sel);
	info->width = info->estimate->width;
	info->find_cost = info->estimate->cost;
	return true;
}
