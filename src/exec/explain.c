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
#include "exec/modify_state.h"
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

/* How the rows of an INSERT go: as the remote has let it be, if the statement was run. */
static PgmlSinkKind
insert_method(const PgmlModifyPlan *plan, ResultRelInfo *rri, int *batch_size)
{
	PgmlModify *modify = (PgmlModify *) rri->ri_FdwState;

	*batch_size = rri->ri_BatchSize;
	if (modify != NULL && modify->queue != NULL)
		return pgml_queue_insert_method(modify->queue, batch_size);
	if (modify != NULL)
		return pgml_sink_kind(modify->sink);
	return plan->insert.copy != NULL ? PGML_SINK_COPY : PGML_SINK_VALUES;
}

void
pgmlExplainForeignModify(ModifyTableState *mtstate, ResultRelInfo *rri,
						 List *packed, int subplan_index, ExplainState *es)
{
	PgmlModifyPlan *plan;
	PgmlSinkKind method;
	int			batch_size;

	if (!es->verbose)
		return;
	plan = pgml_planinfo_unpack_modify(packed);
	if (plan->operation != CMD_INSERT)
	{
		ExplainPropertyText("Remote SQL", plan->sql, es);
		if (plan->batch_prefix != NULL)
			ExplainPropertyInteger("Batch Size", NULL, PGML_CHANGE_ROWS, es);
		return;
	}
	method = insert_method(plan, rri, &batch_size);
	ExplainPropertyText("Remote SQL",
						method == PGML_SINK_COPY ? plan->insert.copy : render_insert(&plan->insert), es);
	ExplainPropertyText("Insert Method", pgml_sink_kind_name(method), es);
	if (method == PGML_SINK_VALUES && batch_size > 0)
		ExplainPropertyInteger("Batch Size", NULL, batch_size, es);
}

void
pgmlExplainDirectModify(ForeignScanState *node, ExplainState *es)
{
	PgmlDirectPlan *plan = pgml_planinfo_of_direct((ForeignScan *) node->ss.ps.plan);

	if (es->verbose)
		ExplainPropertyText("Remote SQL", plan->sql, es);
}
