/*
 * answer_scan.c
 *		Runs the scans of functions in FROM that plan/path_answer.c has taken over.
 *
 * What the executor does for a function in FROM is done here: the right to
 * execute it is checked, it isn't called with nulls if it is strict, and a rescan
 * gives the same rows again without another call, unless its arguments have
 * changed.  For that the rows that come are also put into a tuplestore, where a
 * rescan may come: that is found out from where the node stands in the plan, since
 * a copy of each row costs more than its way here.
 */
#include "postgres.h"

#include "catalog/objectaccess.h"
#include "catalog/pg_proc.h"
#include "commands/explain.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "nodes/extensible.h"
#include "nodes/nodeFuncs.h"
#include "parser/parsetree.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"

#include "base/compat.h"
#include "plan/planinfo.h"
#include "sqlfunc/answer.h"
#include "sqlfunc/answer_scan.h"

/* A scan in execution. */
typedef struct AnswerScan
{
	CustomScanState css;
	FuncExpr   *call;
	List	   *args;			/* ExprStates */
	Bitmapset  *params;			/* executor parameters that the arguments depend on */
	FmgrInfo	function;
	TupleDesc	declared;		/* of the function's rows: without ordinality */
	bool		has_ordinality;
	bool		keeps;			/* rows may be wanted again */
	int64		ordinal;		/* of the last row, from 1 */
	bool		started;
	MemoryContext run_cxt;		/* of one call; reset for the next */
	PgmlAnswer *answer;			/* NULL: it is empty */
	PgmlGather *into;
	TupleTableSlot *stored;		/* a row of into's store */
	bool		has_streamed;	/* a row has come that nothing was gathered for */
	bool		streams;		/* for EXPLAIN: the last call's rows came as they were asked for */
} AnswerScan;

/* Collect the executor parameters in an expression. */
static bool
collect_params(Node *node, Bitmapset **params)
{
	if (node == NULL)
		return false;
	if (IsA(node, Param) && ((Param *) node)->paramkind == PARAM_EXEC)
		*params = bms_add_member(*params, ((Param *) node)->paramid);
	return expression_tree_walker(node, collect_params, params);
}

/*
 * Is the plan found below here, on a way on which nobody reads anything twice?
 * Only nodes that are often met are known; what isn't found may be read twice.
 */
static bool
is_read_once(Plan *here, Plan *plan)
{
	List	   *children = NIL;
	ListCell   *lc;

	if (here == NULL || here == plan)
		return here != NULL;
	switch (nodeTag(here))
	{
		case T_NestLoop:
			return is_read_once(outerPlan(here), plan);
		case T_RecursiveUnion:
			return false;
		case T_Append:
			children = ((Append *) here)->appendplans;
			break;
		case T_MergeAppend:
			children = ((MergeAppend *) here)->mergeplans;
			break;
		case T_SubqueryScan:
			return is_read_once(((SubqueryScan *) here)->subplan, plan);
		default:
			break;
	}
	foreach(lc, children)
		if (is_read_once(lfirst(lc), plan))
			return true;
	return is_read_once(outerPlan(here), plan) || is_read_once(innerPlan(here), plan);
}

/* Check, as the executor does before it calls a function in FROM. */
static void
check_execute(Oid function)
{
	if (pgml_aclcheck(ProcedureRelationId, function, GetUserId(), ACL_EXECUTE) != ACLCHECK_OK)
		aclcheck_error(ACLCHECK_NO_PRIV, OBJECT_FUNCTION, get_func_name(function));
	InvokeFunctionExecuteHook(function);
}

/* Describe the rows that the function returns: the scan's columns without the ordinality. */
static TupleDesc
declared_columns(CustomScanState *node, bool has_ordinality)
{
	TupleDesc	whole = node->ss.ss_ScanTupleSlot->tts_tupleDescriptor;
	TupleDesc	declared = CreateTemplateTupleDesc(whole->natts - (has_ordinality ? 1 : 0));

	for (int i = 1; i <= declared->natts; i++)
		TupleDescCopyEntry(declared, i, whole, i);
	return declared;
}

static void
begin_scan(CustomScanState *node, EState *estate, int eflags)
{
	AnswerScan *scan = (AnswerScan *) node;
	CustomScan *plan = (CustomScan *) node->ss.ps.plan;
	Var		   *first = (Var *) linitial_node(TargetEntry, plan->custom_scan_tlist)->expr;

	scan->call = linitial_node(FuncExpr, plan->custom_exprs);
	check_execute(scan->call->funcid);
	fmgr_info(scan->call->funcid, &scan->function);
	fmgr_info_set_expr((Node *) scan->call, &scan->function);
	scan->args = ExecInitExprList(scan->call->args, &node->ss.ps);
	(void) collect_params((Node *) scan->call, &scan->params);
	scan->has_ordinality = exec_rt_fetch(first->varno, estate)->funcordinality;
	scan->declared = declared_columns(node, scan->has_ordinality);
	scan->keeps = (eflags & EXEC_FLAG_REWIND) != 0 ||
		!is_read_once(estate->es_plannedstmt->planTree, &plan->scan.plan);
	scan->stored = MakeSingleTupleTableSlot(scan->declared, &TTSOpsMinimalTuple);
	scan->run_cxt = AllocSetContextCreate(estate->es_query_cxt, "pgml_fdw answer",
										  ALLOCSET_DEFAULT_SIZES);
}

/* End a call; what it has brought goes. */
static void
end_call(AnswerScan *scan)
{
	ExecClearTuple(scan->stored);
	if (scan->answer != NULL)
		pgml_answer_close(scan->answer);
	if (scan->into != NULL)
		tuplestore_end(scan->into->store);
	scan->answer = NULL;
	scan->into = NULL;
	scan->started = false;
	scan->has_streamed = false;
	MemoryContextReset(scan->run_cxt);
}

/* Evaluate the arguments; false: the function isn't to be called. */
static bool
evaluate_arguments(AnswerScan *scan, FunctionCallInfo fcinfo)
{
	ListCell   *lc;

	foreach(lc, scan->args)
	{
		NullableDatum *arg = &fcinfo->args[foreach_current_index(lc)];

		arg->value = ExecEvalExprSwitchContext(lfirst(lc), scan->css.ss.ps.ps_ExprContext,
											   &arg->isnull);
		if (arg->isnull && scan->function.fn_strict)
			return false;
	}
	return true;
}

/* How the function asks. */
static PgmlAsk
find_ask(AnswerScan *scan)
{
	static const struct
	{
		PGFunction	function;
		PgmlAsk		ask;
	}			asks[] = {
		{pgml_dblink, pgml_dblink_ask},
		{pgml_dblink_fetch, pgml_dblink_fetch_ask},
		{pgml_dblink_get_result, pgml_dblink_result_ask},
		{pgml_fdw_query, pgml_query_ask},
	};

	for (int i = 0; i < (int) lengthof(asks); i++)
		if (asks[i].function == scan->function.fn_addr)
			return asks[i].ask;
	elog(ERROR, "function %u has no rows to stream", scan->call->funcid);
}

/* Make the call. */
static void
start_call(AnswerScan *scan)
{
	int			nargs = list_length(scan->args);
	MemoryContext old = MemoryContextSwitchTo(scan->run_cxt);
	FunctionCallInfo fcinfo = palloc0(SizeForFunctionCallInfo(nargs));
	PgmlQuestion question = {.fail = true};

	InitFunctionCallInfoData(*fcinfo, &scan->function, nargs, scan->call->inputcollid, NULL, NULL);
	scan->started = true;
	scan->into = question.into = pgml_gather_create(scan->run_cxt, scan->declared, false);
	if (evaluate_arguments(scan, fcinfo) && find_ask(scan)(fcinfo, &question))
	{
		scan->answer = pgml_answer_get(&question);
		scan->streams = pgml_answer_streams(scan->answer);
		if (!scan->streams)
			pgml_gather_check(scan->into);
	}
	MemoryContextSwitchTo(old);
}

/* Take the next of the rows that are in the store; false: there is none. */
static bool
next_stored(AnswerScan *scan, Datum *values, bool *nulls)
{
	MemoryContext old;
	bool		found;

	if (tuplestore_ateof(scan->into->store))
		return false;
	old = MemoryContextSwitchTo(scan->css.ss.ps.state->es_query_cxt);
	found = tuplestore_gettupleslot(scan->into->store, true, false, scan->stored);
	MemoryContextSwitchTo(old);
	if (!found)
		return false;
	slot_getallattrs(scan->stored);
	memcpy(values, scan->stored->tts_values, scan->declared->natts * sizeof(Datum));
	memcpy(nulls, scan->stored->tts_isnull, scan->declared->natts * sizeof(bool));
	return true;
}

/* Take the next row that comes, and keep a copy if need be. */
static bool
next_streamed(AnswerScan *scan, Datum *values, bool *nulls)
{
	MemoryContext old;
	bool		found;

	if (scan->answer == NULL)
		return false;
	old = MemoryContextSwitchTo(scan->css.ss.ps.ps_ExprContext->ecxt_per_tuple_memory);
	found = pgml_answer_next(scan->answer, values, nulls);
	MemoryContextSwitchTo(old);
	if (found && scan->keeps)
		tuplestore_putvalues(scan->into->store, scan->declared, values, nulls);
	scan->has_streamed = scan->has_streamed || found;
	return found;
}

static TupleTableSlot *
next_row(ScanState *node)
{
	AnswerScan *scan = (AnswerScan *) node;
	TupleTableSlot *slot = node->ss_ScanTupleSlot;

	if (!scan->started)
		start_call(scan);
	ExecClearTuple(slot);
	if (next_stored(scan, slot->tts_values, slot->tts_isnull) ||
		next_streamed(scan, slot->tts_values, slot->tts_isnull))
	{
		if (scan->has_ordinality)
		{
			slot->tts_values[scan->declared->natts] = Int64GetDatum(++scan->ordinal);
			slot->tts_isnull[scan->declared->natts] = false;
		}
		ExecStoreVirtualTuple(slot);
	}
	return slot;
}

/* Nothing is rechecked: such rows are left to core (plan/path_answer.c). */
static bool
recheck_row(ScanState *node, TupleTableSlot *slot)
{
	return true;
}

static TupleTableSlot *
exec_scan(CustomScanState *node)
{
	return ExecScan(&node->ss, next_row, recheck_row);
}

static void
end_scan(CustomScanState *node)
{
	AnswerScan *scan = (AnswerScan *) node;

	end_call(scan);
	ExecDropSingleTupleTableSlot(scan->stored);
}

static void
rescan(CustomScanState *node)
{
	AnswerScan *scan = (AnswerScan *) node;

	ExecScanReScan(&node->ss);
	scan->ordinal = 0;
	if (!scan->started)
		return;
	if (bms_overlap(node->ss.ps.chgParam, scan->params))
		end_call(scan);
	else if (scan->has_streamed && !scan->keeps)
		elog(ERROR, "rows of a remote query are wanted again that were not kept");
	else
		tuplestore_rescan(scan->into->store);
}

static void
explain_scan(CustomScanState *node, List *ancestors, ExplainState *es)
{
	AnswerScan *scan = (AnswerScan *) node;

	ExplainPropertyText("Function", get_func_name(scan->call->funcid), es);
	if (es->analyze)
		ExplainPropertyText("Rows", scan->streams ? "streamed" : "gathered first", es);
}

static const CustomExecMethods exec_methods = {
	.CustomName = PGML_ANSWER_SCAN,
	.BeginCustomScan = begin_scan,
	.ExecCustomScan = exec_scan,
	.EndCustomScan = end_scan,
	.ReScanCustomScan = rescan,
	.ExplainCustomScan = explain_scan,
};

static Node *
create_scan(CustomScan *plan)
{
	AnswerScan *scan = (AnswerScan *) newNode(sizeof(AnswerScan), T_CustomScanState);

	scan->css.methods = &exec_methods;
	return (Node *) scan;
}

static const CustomScanMethods scan_methods = {
	.CustomName = PGML_ANSWER_SCAN,
	.CreateCustomScanState = create_scan,
};

void
pgml_answer_scan_init(void)
{
	RegisterCustomScanMethods(&scan_methods);
}
