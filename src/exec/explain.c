/*
 * explain.c
 *		Shows in EXPLAIN what goes to the remote.
 *
 * EXPLAIN (VERBOSE) prints the remote statement of each scan and modification,
 * from the plan alone: no connection is needed.  A parameter appears as its
 * number; the values are not known, or change.
 */
#include "postgres.h"

#include "lib/stringinfo.h"

#include "base/compat.h"
#include "exec/explain.h"
#include "plan/planinfo.h"
#include "row/change.h"
#include "row/source.h"

/* Put the pieces of a query together. */
static char *
render_query(const PgmlQuery *query)
{
	StringInfoData buf;

	initStringInfo(&buf);
	appendStringInfoString(&buf, "SELECT");
	for (int i = 0; i < query->ncols; i++)
		appendStringInfo(&buf, "%s %s", i > 0 ? "," : "", query->columns[i]);
	appendStringInfoString(&buf, query->tail);
	return buf.data;
}

/* Write an INSERT of one row. */
static char *
render_insert(const PgmlInsert *insert)
{
	StringInfoData buf;
	int			param = 0;

	initStringInfo(&buf);
	appendStringInfoString(&buf, insert->prefix);
	for (int i = 0; i < insert->ncols; i++)
	{
		appendStringInfoString(&buf, i > 0 ? ", " : "(");
		if (insert->default_cols[i])
			appendStringInfoString(&buf, "DEFAULT");
		else
			appendStringInfo(&buf, "$%d", ++param);
	}
	if (insert->ncols > 0)
		appendStringInfoChar(&buf, ')');
	appendStringInfoString(&buf, insert->suffix);
	return buf.data;
}

void
pgmlExplainForeignScan(ForeignScanState *node, ExplainState *es)
{
	PgmlScanPlan *plan = pgml_planinfo_of_scan((ForeignScan *) node->ss.ps.plan);

	if (plan->relations)
		ExplainPropertyText("Relations", plan->relations, es);
	if (!es->verbose)
		return;
	ExplainPropertyText("Remote SQL", render_query(&plan->query), es);
	ExplainPropertyText("Transport", pgml_source_kind_name(plan->kind), es);
}

void
pgmlExplainForeignModify(ModifyTableState *mtstate, ResultRelInfo *rri,
						 List *packed, int subplan_index, ExplainState *es)
{
	PgmlModifyPlan *plan;

	if (!es->verbose)
		return;
	plan = pgml_planinfo_unpack_modify(packed);
	ExplainPropertyText("Remote SQL",
						plan->operation == CMD_INSERT ? render_insert(&plan->insert) : plan->sql,
						es);
	if (plan->batch_prefix != NULL)
		ExplainPropertyInteger("Batch Size", NULL, PGML_CHANGE_ROWS, es);
	else if (rri->ri_BatchSize > 0)
		ExplainPropertyInteger("Batch Size", NULL, rri->ri_BatchSize, es);
}

void
pgmlExplainDirectModify(ForeignScanState *node, ExplainState *es)
{
	PgmlDirectPlan *plan = pgml_planinfo_of_direct((ForeignScan *) node->ss.ps.plan);

	if (es->verbose)
		ExplainPropertyText("Remote SQL", plan->sql, es);
}
