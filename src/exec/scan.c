/*
 * scan.c
 *		Runs the foreign scans that the planner has made.
 *
 * A scan owns a source (row/source.h) and hands its rows to the executor as
 * virtual tuples.  Nothing here touches the network before the first row is
 * asked for: plans contain scans that are never run, and EXPLAIN runs none.
 *
 * The query and its parameters come from the planner.  Parameters are
 * evaluated anew each time the scan starts; a rescan only remembers that the
 * next row has to start it again, since the executor often rescans nodes that it
 * then doesn't read.
 *
 * Scans that an Append runs at the same time are scan_async.c's; here they differ in
 * that they never wait for a row.
 *
 * The connection belongs to the transaction, not to the scan.  If the
 * transaction fails, the executor doesn't end its scans; the source's memory
 * context does what is needed.
 */
#include "postgres.h"

#include "catalog/pg_type_d.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "nodes/nodeFuncs.h"
#include "tcop/pquery.h"
#include "utils/builtins.h"

#include "base/compat.h"
#include "exec/aggstate.h"
#include "exec/arguments.h"
#include "exec/modify_queue.h"
#include "exec/rowslot.h"
#include "exec/scan.h"
#include "exec/scan_state.h"
#include "plan/planinfo.h"
#include "remote/conncache.h"
#include "row/change.h"
#include "row/source.h"

/* Prepare the evaluation of the query's parameters. */
static void
init_parameters(PgmlScanRun *scan, ForeignScanState *node)
{
	List	   *exprs = ((ForeignScan *) node->ss.ps.plan)->fdw_exprs;
	Oid		   *types = palloc(sizeof(Oid) * Max(list_length(exprs), 1));
	ListCell   *lc;

	foreach(lc, exprs)
		types[foreach_current_index(lc)] = exprType(lfirst(lc));
	scan->exprs = ExecInitExprList(exprs, &node->ss.ps);
	scan->args = pgml_arguments_create(list_length(exprs), types, true);
}

/*
 * Where rows are asked for in steps, nobody may want the last of them.  So a
 * bulk transfer becomes a cursor, and a statement one that can be stopped.
 * FETCH and the loops of procedural languages ask so: all of those run in
 * portals with a name.  Not where a cursor would make scans of other servers wait.
 */
static void
adapt_to_steps(PgmlScanPlan *plan, bool async)
{
	if (!plan->hands_on || async || ActivePortal == NULL || ActivePortal->name[0] == '\0')
		return;
	if (plan->kind == PGML_SOURCE_COPY && !plan->chosen_by_user)
		plan->kind = PGML_SOURCE_CURSOR;
	plan->query.guard_rows = true;
}

/* Name a column of a join as it is called in its foreign table, for messages. */
static void
name_joined_column(Form_pg_attribute att, Var *var, EState *estate)
{
	RangeTblEntry *rte;
	char	   *name;

	if (!IsA(var, Var) || IS_SPECIAL_VARNO(var->varno) || var->varattno <= 0)
		return;
	rte = exec_rt_fetch(var->varno, estate);
	if (rte->rtekind != RTE_RELATION)
		return;
	name = get_attname(rte->relid, var->varattno, true);
	if (name != NULL)
	{
		namestrcpy(&att->attname, name);
		att->attrelid = rte->relid;
	}
}

/*
 * The row type that the rows are decoded to.  In a join, core may have declared a
 * relation's whole row as a record of any type; it is of the relation's.  The states
 * of some aggregates are made here of what comes.
 */
static TupleDesc
scan_descriptor(ForeignScanState *node, List *states)
{
	ForeignScan *fscan = (ForeignScan *) node->ss.ps.plan;
	TupleDesc	desc = node->ss.ss_ScanTupleSlot->tts_tupleDescriptor;
	TupleDesc	result;
	ListCell   *lc;

	if (fscan->scan.scanrelid > 0)
		return desc;
	result = CreateTupleDescCopy(desc);
	for (int i = 0; i < desc->natts; i++)
	{
		Var		   *var = (Var *) ((TargetEntry *) list_nth(fscan->fdw_scan_tlist, i))->expr;

		if (IsA(var, Var) && var->varattno == 0 && var->vartype == RECORDOID)
			TupleDescInitEntry(result, i + 1, NULL,
							   get_rel_type_id(exec_rt_fetch(var->varno, node->ss.ps.state)->relid),
							   -1, 0);
		name_joined_column(TupleDescAttr(result, i), var, node->ss.ps.state);
	}
	foreach(lc, states)
		TupleDescInitEntry(result, lfirst_int(lc), NULL, NUMERICARRAYOID, -1, 0);
	return result;
}

/* Will the statement change rows of the scan? */
static bool
is_changed(const ForeignScanState *node)
{
	ListCell   *lc;

	foreach(lc, node->ss.ps.state->es_plannedstmt->resultRelations)
		if (bms_is_member(lfirst_int(lc), ((ForeignScan *) node->ss.ps.plan)->fs_relids))
			return true;
	return false;
}

void
pgmlBeginForeignScan(ForeignScanState *node, int eflags)
{
	ForeignScan *fscan = (ForeignScan *) node->ss.ps.plan;
	TupleTableSlot *slot = node->ss.ss_ScanTupleSlot;
	PgmlScanRun *scan;

	if (eflags & EXEC_FLAG_EXPLAIN_ONLY)
		return;

	scan = palloc0(sizeof(PgmlScanRun));
	scan->plan = pgml_planinfo_of_scan(fscan);
	scan->conn = pgml_conncache_get_for(fscan->fs_server, OidIsValid(scan->plan->userid) ?
										scan->plan->userid : GetUserId());
	scan->states = pgml_aggstate_columns(fscan->fdw_scan_tlist);
	scan->row = pgml_rowslot_create(scan_descriptor(node, scan->states),
									scan->plan->system_columns ? NULL : slot,
									scan->plan->query.ncols, scan->plan->attnums);
	adapt_to_steps(scan->plan, node->ss.ps.async_capable);
	scan->plan->query.keeps_xact = is_changed(node);
	scan->source = pgml_source_create(scan->plan->kind, scan->conn, &scan->plan->query,
									  scan->row->codec);
	init_parameters(scan, node);
	node->fdw_state = scan;
	pgml_scan_introduce(node);
}

/* Compute the values that the parameters have now, and put them into text form, in the current context. */
static const PgmlParams *
evaluate_parameters(PgmlScanRun *scan, ForeignScanState *node)
{
	PgmlArguments *args = scan->args;
	ListCell   *lc;

	foreach(lc, scan->exprs)
	{
		int			i = foreach_current_index(lc);

		args->datums[i] = ExecEvalExpr((ExprState *) lfirst(lc),
									   node->ss.ps.ps_ExprContext, &args->nulls[i]);
	}
	if (scan->keys != NULL)
		foreach(lc, scan->plan->keys)
		{
			args->datums[lfirst_int(lc)] = scan->keys[foreach_current_index(lc)];
			args->nulls[lfirst_int(lc)] = false;
		}
	return pgml_arguments_print(args);
}

/* Start the query.  Called in the per-tuple context, which outlives the start. */
static void
start_scan(PgmlScanRun *scan, ForeignScanState *node)
{
	const PgmlParams *params;

	pgml_scan_send_others(node);
	params = evaluate_parameters(scan, node);
	pgml_queue_apply_for(scan->conn, node->ss.ps.state);
	pgml_source_start(scan->source, params);
	scan->started = true;
}

void
pgml_scan_send(ForeignScanState *node, const void *reader)
{
	PgmlScanRun *scan = (PgmlScanRun *) node->fdw_state;
	MemoryContext oldcxt = MemoryContextSwitchTo(node->ss.ps.ps_ExprContext->ecxt_per_tuple_memory);
	const PgmlParams *params = evaluate_parameters(scan, node);

	pgml_queue_apply_for(scan->conn, node->ss.ps.state);
	pgml_source_send(scan->source, params, reader);
	scan->started = true;
	MemoryContextSwitchTo(oldcxt);
}

/* Does an expression wait for what another node computes? */
static bool
has_exec_param(Node *node, void *context)
{
	if (node == NULL)
		return false;
	return (IsA(node, Param) && ((Param *) node)->paramkind == PARAM_EXEC) ||
		expression_tree_walker(node, has_exec_param, context);
}

/* Visit a node for pgml_scan_send_all. */
static bool
send_early(PlanState *state, PgmlConn *conn)
{
	ForeignScanState *node = (ForeignScanState *) state;

	if (IsA(state, ForeignScanState) &&
		node->fdwroutine->IterateForeignScan == pgmlIterateForeignScan &&
		((ForeignScan *) state->plan)->operation == CMD_SELECT &&
		!has_exec_param((Node *) ((ForeignScan *) state->plan)->fdw_exprs, NULL))
	{
		PgmlScanRun *scan = (PgmlScanRun *) node->fdw_state;

		if (scan != NULL && scan->conn == conn && !scan->started)
		{
			pgml_scan_leave_others(scan);
			pgml_scan_send(node, NULL);
		}
	}
	return planstate_tree_walker(state, send_early, conn);
}

void
pgml_scan_send_all(PlanState *state, PgmlConn *conn)
{
	(void) send_early(state, conn);
}

/* Get the next row of a scan that others don't wait for; false: there is none, or not yet. */
static bool
try_next_row(PgmlScanRun *scan)
{
	PgmlNext	next = pgml_source_try_next(scan->source, scan->row->values, scan->row->nulls);

	scan->waits = next == PGML_NEXT_WAITS;
	return next == PGML_NEXT_ROW;
}

/* Get the next row of the remote; false: there is none. */
static bool
next_row(PgmlScanRun *scan, ForeignScanState *node)
{
	ErrorContextCallback callback = {error_context_stack, pgml_change_explain_lack, NULL};
	bool		found;

	if (scan->row->tableoid_at >= 0)
		error_context_stack = &callback;
	if (!scan->started)
		start_scan(scan, node);
	found = pgml_source_next(scan->source, scan->row->values, scan->row->nulls);
	error_context_stack = callback.previous;
	return found;
}

TupleTableSlot *
pgmlIterateForeignScan(ForeignScanState *node)
{
	PgmlScanRun *scan = (PgmlScanRun *) node->fdw_state;
	TupleTableSlot *slot = node->ss.ss_ScanTupleSlot;

	ExecClearTuple(slot);
	if (node->ss.ps.async_capable ? try_next_row(scan) : next_row(scan, node))
	{
		if (scan->states != NIL)
			pgml_aggstate_make(scan->states, ((ForeignScan *) node->ss.ps.plan)->fdw_scan_tlist,
							   scan->row->values, scan->row->nulls);
		if (scan->plan->system_columns)
			pgml_rowslot_store_tuple(scan->row, slot);
		else
			pgml_rowslot_store(scan->row, slot);
	}
	return slot;
}

void
pgmlReScanForeignScan(ForeignScanState *node)
{
	PgmlScanRun *scan = (PgmlScanRun *) node->fdw_state;

	if (scan == NULL)
		return;
	scan->started = false;
	if (node->ss.ps.async_capable)
		pgml_scan_leave_line(scan);
}

void
pgml_scan_set_keys(ForeignScanState *node, const Datum *arrays)
{
	PgmlScanRun *scan = (PgmlScanRun *) node->fdw_state;

	scan->keys = arrays;
}

void
pgmlEndForeignScan(ForeignScanState *node)
{
	PgmlScanRun *scan = (PgmlScanRun *) node->fdw_state;

	if (scan == NULL)
		return;
	if (node->ss.ps.async_capable)
		pgml_scan_leave_line(scan);
	pgml_source_close(scan->source);
}

/*
 * Say whether a row still belongs to the scan when it is checked again
 * (EvalPlanQual).  For a base relation, the conditions that the remote has
 * evaluated are in fdw_recheck_quals, which core checks itself.  A join is
 * computed again here, by the plan for that, from the rows that are to be checked.
 */
bool
pgmlRecheckForeignScan(ForeignScanState *node, TupleTableSlot *slot)
{
	PlanState  *join = outerPlanState(node);
	TupleTableSlot *row;

	if (((Scan *) node->ss.ps.plan)->scanrelid > 0 || join == NULL)
		return true;
	row = ExecProcNode(join);
	if (TupIsNull(row))
		return false;
	ExecCopySlot(slot, row);
	return true;
}
