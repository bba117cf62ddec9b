/*
 * explain.c
 *		Shows in EXPLAIN what goes to the remote.
 *
 * EXPLAIN (VERBOSE) prints the remote statement of each scan and modification,
 * from the plan alone: no connection is needed.  A parameter appears as its
 * number; the values are not known, or change.  EXPLAIN (ANALYZE, VERBOSE) adds what a
 * scan has received, all its runs together.  The remote's own plan is
 * explain_remote.c's.
 */
#include "postgres.h"

#include "lib/stringinfo.h"

#include "base/compat.h"
#include "exec/explain.h"
#include "exec/modify_state.h"
#include "exec/scan_state.h"
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
pgml_explain_indent(ExplainState *es)
{
	appendStringInfoSpaces(es->str, es->indent * 2);
}

/* Show what has come over the wire, and how long it was waited for. */
static void
show_usage(const PgmlUsage *usage, ExplainState *es)
{
	if (es->format == EXPLAIN_FORMAT_TEXT)
	{
		pgml_explain_indent(es);
		appendStringInfo(es->str, "Received: " INT64_FORMAT " rows, " INT64_FORMAT " bytes in "
						 INT64_FORMAT " round trip%s", usage->rows, usage->bytes,
						 usage->round_trips, usage->round_trips == 1 ? "" : "s");
		if (es->timing)
			appendStringInfo(es->str, ", waited %.3f ms", usage->waited_ms);
		appendStringInfoChar(es->str, '\n');
		return;
	}
	ExplainPropertyInteger("Rows Received", NULL, usage->rows, es);
	ExplainPropertyInteger("Bytes Received", NULL, usage->bytes, es);
	ExplainPropertyInteger("Round Trips", NULL, usage->round_trips, es);
	if (es->timing)
		ExplainPropertyFloat("Wait Time", "ms", usage->waited_ms, 3, es);
}

void
pgmlExplainForeignScan(ForeignScanState *node, ExplainState *es)
{
	PgmlScanPlan *plan = pgml_planinfo_of_scan((ForeignScan *) node->ss.ps.plan);
	PgmlScanRun *run = (PgmlScanRun *) node->fdw_state;

	if (plan->relations)
		ExplainPropertyText("Relations", plan->relations, es);
	if (es->verbose)
	{
		ExplainPropertyText("Remote SQL", render_query(&plan->query), es);
		ExplainPropertyText("Transport",
							pgml_source_kind_name(run != NULL ? run->plan->kind : plan->kind), es);
		if (es->analyze && run != NULL)
			show_usage(pgml_source_usage(run->source), es);
	}
	pgml_explain_remote_scan(node, plan, es);
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
	pgml_explain_remote_direct(node, plan, es);
}
