/*
 * bulkinsert.c
 *		INSERT INTO local SELECT ... FROM foreign: which of these statements may
 *		write their rows in batches, and how are they made to?
 *
 * Core's ModifyTable node writes row by row.  When the executor has set up a
 * plan whose top is such a node, and nobody could tell the difference, the
 * node is kept as it is, with all that core has prepared for it, but its work is
 * done by a function of ours, which hands the rows to bulkwrite.c.
 *
 * A custom node is put above it, only so that EXPLAIN can tell.  None of this is in
 * the plan: it is decided for each execution, with the table and the setting as
 * they are then, and is in time for the first statement of a session, which loads
 * this library while it is planned.
 *
 * Which statements qualify: those that read a foreign table; whose target is a table,
 * plain or partitioned; without RETURNING, ON CONFLICT and rules; where rows may
 * wait as far as the target goes (bulkwrite.c) and the source (watchful.c).
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/catalog.h"
#include "catalog/pg_class.h"
#include "catalog/pg_inherits.h"
#include "commands/trigger.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "nodes/extensible.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

#include "base/compat.h"
#include "base/setting.h"
#include "exec/bulkinsert.h"
#include "exec/bulkwrite.h"
#include "exec/watchful.h"

static ExecutorStart_hook_type previous_start = NULL;

/* Do the work of a ModifyTable node: all of it at the first call. */
static TupleTableSlot *
insert_rows(PlanState *node)
{
	ModifyTableState *mtstate = castNode(ModifyTableState, node);
	EState	   *estate = mtstate->ps.state;
	PgmlBulkWrite *write;
	TupleTableSlot *row;

	if (mtstate->mt_done)
		return NULL;
	ExecBSInsertTriggers(estate, mtstate->rootResultRelInfo);
	mtstate->fireBSTriggers = false;

	write = pgml_bulkwrite_begin(mtstate, estate->es_output_cid);
	while (row = ExecProcNode(outerPlanState(mtstate)), !TupIsNull(row))
	{
		CHECK_FOR_INTERRUPTS();
		if (pgml_bulkwrite_put(write, row) && mtstate->canSetTag)
			estate->es_processed++;
	}
	pgml_bulkwrite_end(write);

	ExecASInsertTriggers(estate, mtstate->rootResultRelInfo, mtstate->mt_transition_capture);
	mtstate->mt_done = true;
	return NULL;
}

/*
 * The node that EXPLAIN shows
 */

static TupleTableSlot *
run_child(PlanState *node)
{
	return ExecProcNode((PlanState *) linitial(castNode(CustomScanState, node)->custom_ps));
}

static void
end_child(CustomScanState *node)
{
	ExecEndNode((PlanState *) linitial(node->custom_ps));
}

static const CustomScanMethods plan_methods = {
	.CustomName = "pgml_fdw bulk insert",
};

static const CustomExecMethods exec_methods = {
	.CustomName = "pgml_fdw bulk insert",
	.EndCustomScan = end_child,
};

/* Make a node above another; both in the current context. */
static PlanState *
make_node_above(PlanState *child)
{
	EState	   *estate = child->state;
	TupleDesc	empty = CreateTemplateTupleDesc(0);
	CustomScan *plan = makeNode(CustomScan);
	CustomScanState *node = makeNode(CustomScanState);

	plan->methods = &plan_methods;
	plan->scan.plan.startup_cost = child->plan->startup_cost;
	plan->scan.plan.total_cost = child->plan->total_cost;

	node->methods = &exec_methods;
	node->custom_ps = list_make1(child);
	node->ss.ps.plan = (Plan *) plan;
	node->ss.ps.state = estate;
	ExecInitScanTupleSlot(estate, &node->ss, empty, &TTSOpsVirtual);
	node->ss.ps.ps_ResultTupleSlot = ExecAllocTableSlot(&estate->es_tupleTable, empty,
														&TTSOpsVirtual);
	ExecSetExecProcNode(&node->ss.ps, run_child);
	if (estate->es_instrument)
		node->ss.ps.instrument = InstrAlloc(1, estate->es_instrument, false);
	return &node->ss.ps;
}

/*
 * Which statements
 */

/* Is there a foreign table among the partitions?  They get their rows from core, which batches those in its way. */
static bool
has_foreign_partition(Relation rel)
{
	ListCell   *lc;

	if (rel->rd_rel->relkind != RELKIND_PARTITIONED_TABLE)
		return false;
	foreach(lc, find_all_inheritors(RelationGetRelid(rel), NoLock, NULL))
	{
		if (get_rel_relkind(lfirst_oid(lc)) == RELKIND_FOREIGN_TABLE)
			return true;
	}
	return false;
}

static bool
has_junk(List *targetlist)
{
	ListCell   *lc;

	foreach(lc, targetlist)
	{
		if (lfirst_node(TargetEntry, lc)->resjunk)
			return true;
	}
	return false;
}

/*
 * Can the target take rows in batches?  Not if it is partitioned and has
 * transition tables: there core puts a row as it was before it had come to its partition,
 * without generated columns.
 */
static bool
target_qualifies(ResultRelInfo *rri)
{
	Relation	rel = rri->ri_RelationDesc;

	if (rel->rd_rel->relkind == RELKIND_PARTITIONED_TABLE &&
		rri->ri_TrigDesc != NULL && rri->ri_TrigDesc->trig_insert_new_table)
		return false;
	return (rel->rd_rel->relkind == RELKIND_RELATION ||
			rel->rd_rel->relkind == RELKIND_PARTITIONED_TABLE) &&
		!IsCatalogRelation(rel) &&
		rel->rd_rules == NULL &&
		pgml_bulkwrite_may_wait(rri) &&
		!has_foreign_partition(rel);
}

/* Is the statement one whose rows may be written in batches?  fed: they come from foreign tables for sure. */
static bool
qualifies(PlanState *top, bool fed)
{
	ModifyTableState *mtstate = (ModifyTableState *) top;
	ModifyTable *plan = (ModifyTable *) top->plan;
	bool		ours;
	bool		foreign;

	return mtstate->operation == CMD_INSERT &&
		plan->onConflictAction == ONCONFLICT_NONE &&
		plan->returningLists == NIL &&
		!has_junk(outerPlan(plan)->targetlist) &&
		!pgml_watchful_plan(top, &ours, &foreign) &&
		(fed || ours || (foreign && pgml_setting_bulk_insert == PGML_BULK_INSERT_ANY_WRAPPER)) &&
		target_qualifies(mtstate->rootResultRelInfo);
}

/* Set up a plan, and let batches be written where they may. */
static void
start_executor(QueryDesc *query, int eflags)
{
	PlanState  *top;
	MemoryContext caller;

	if (previous_start != NULL)
		previous_start(query, eflags);
	else
		standard_ExecutorStart(query, eflags);

	top = query->planstate;
	if (query->operation != CMD_INSERT || pgml_setting_bulk_insert == PGML_BULK_INSERT_OFF ||
		top == NULL || !IsA(top, ModifyTableState))
		return;

	caller = MemoryContextSwitchTo(query->estate->es_query_cxt);
	if (qualifies(top, false))
	{
		ExecSetExecProcNode(top, insert_rows);
		query->planstate = make_node_above(top);
	}
	MemoryContextSwitchTo(caller);
}

void
pgml_bulkinsert_take(QueryDesc *query)
{
	PlanState  *top = query->planstate;
	MemoryContext caller = MemoryContextSwitchTo(query->estate->es_query_cxt);

	if (pgml_setting_bulk_insert != PGML_BULK_INSERT_OFF && IsA(top, ModifyTableState) &&
		qualifies(top, true))
		ExecSetExecProcNode(top, insert_rows);
	MemoryContextSwitchTo(caller);
}

void
pgml_bulkinsert_init(void)
{
	previous_start = ExecutorStart_hook;
	ExecutorStart_hook = start_executor;
}
