/*
 * modify_direct.c
 *		INSERT, UPDATE and DELETE that the remote runs as one statement.
 *
 * The statement takes the place of the scan below ModifyTable.  It is run when
 * the first row is asked for, in one round trip with all that the transaction
 * owes the remote.  Without RETURNING there are no rows, and the remote's count
 * is added to that of the statement; with it, each row that comes back is one
 * that was changed.
 */
#include "postgres.h"

#include "executor/executor.h"
#include "nodes/nodeFuncs.h"
#include "utils/memutils.h"
#include "utils/rel.h"

#include "base/compat.h"
#include "exec/arguments.h"
#include "exec/modify.h"
#include "exec/modify_queue.h"
#include "exec/rowslot.h"
#include "plan/planinfo.h"
#include "remote/command.h"
#include "remote/conncache.h"

typedef struct DirectRun
{
	PgmlDirectPlan *plan;
	PgmlConn   *conn;
	List	   *exprs;			/* ExprStates of the parameters */
	PgmlArguments *args;
	PgmlRowSlot *returned;		/* what RETURNING brings; with no columns, rows of nulls */
	PgmlResult *res;			/* NULL: not run yet */
	uint64		changed;		/* rows that the remote says it has changed */
	uint64		at;				/* the next of them to hand out */
} DirectRun;

/* Prepare the evaluation of the statement's parameters. */
static void
init_parameters(DirectRun *run, ForeignScanState *node)
{
	List	   *exprs = ((ForeignScan *) node->ss.ps.plan)->fdw_exprs;
	Oid		   *types = palloc(sizeof(Oid) * Max(list_length(exprs), 1));
	ListCell   *lc;

	foreach(lc, exprs)
		types[foreach_current_index(lc)] = exprType(lfirst(lc));
	run->exprs = ExecInitExprList(exprs, &node->ss.ps);
	run->args = pgml_arguments_create(list_length(exprs), types, true);
}

void
pgmlBeginDirectModify(ForeignScanState *node, int eflags)
{
	ForeignScan *scan = (ForeignScan *) node->ss.ps.plan;
	DirectRun  *run;
	TupleDesc	desc;

	if (eflags & EXEC_FLAG_EXPLAIN_ONLY)
		return;

	run = palloc0(sizeof(DirectRun));
	run->plan = pgml_planinfo_of_direct(scan);
	run->conn = pgml_conncache_get_for(scan->fs_server,
									   pgml_modify_userid(node->resultRelInfo,
														  node->ss.ps.state));
	pgml_queue_apply_for(run->conn, node->ss.ps.state);
	desc = RelationGetDescr(node->resultRelInfo->ri_RelationDesc);
	run->returned = pgml_rowslot_create_list(desc, run->plan->returning);
	memset(run->returned->nulls, true, desc->natts * sizeof(bool));
	init_parameters(run, node);
	node->fdw_state = run;
}

/* Run the statement; its result lives as long as the query. */
static void
execute(DirectRun *run, ForeignScanState *node)
{
	PgmlArguments *args = run->args;
	MemoryContext caller;
	ListCell   *lc;

	foreach(lc, run->exprs)
	{
		int			i = foreach_current_index(lc);

		args->datums[i] = ExecEvalExpr((ExprState *) lfirst(lc),
									   node->ss.ps.ps_ExprContext, &args->nulls[i]);
	}

	pgml_command_mark_write(run->conn);
	pgml_arguments_print(args);
	caller = MemoryContextSwitchTo(node->ss.ps.state->es_query_cxt);
	run->res = pgml_command_run_params(run->conn, run->plan->sql, &args->params);
	MemoryContextSwitchTo(caller);

	run->changed = run->plan->returning != NIL ? (uint64) pgml_result_nrows(run->res) :
		pgml_result_affected(run->res);
}

/* Hand out the next changed row to RETURNING; an empty slot behind the last one. */
static TupleTableSlot *
next_returned(DirectRun *run, ForeignScanState *node)
{
	ResultRelInfo *rri = node->resultRelInfo;
	TupleTableSlot *slot = node->ss.ss_ScanTupleSlot;
	PgmlRowSlot *row = run->returned;

	ExecClearTuple(slot);
	if (run->at >= run->changed)
		return slot;

	/* the node's own target list still names ctid and such, so there must be a header */
	if (run->plan->returning != NIL)
		pgml_codec_decode_text_result(row->codec, run->res, (int) run->at, row->values, row->nulls);
	pgml_rowslot_store_tuple(row, slot);
	run->at++;
	if (run->plan->counts)
		node->ss.ps.state->es_processed++;
	rri->ri_projectReturning->pi_exprContext->ecxt_scantuple = slot;
	return slot;
}

TupleTableSlot *
pgmlIterateDirectModify(ForeignScanState *node)
{
	DirectRun  *run = (DirectRun *) node->fdw_state;

	if (run->res == NULL)
		execute(run, node);
	if (node->resultRelInfo->ri_projectReturning != NULL)
		return next_returned(run, node);

	if (run->plan->counts)
		node->ss.ps.state->es_processed += run->changed;
	if (node->ss.ps.instrument)
		node->ss.ps.instrument->tuplecount += run->changed;
	run->changed = 0;
	return ExecClearTuple(node->ss.ss_ScanTupleSlot);
}

void
pgmlEndDirectModify(ForeignScanState *node)
{
	DirectRun  *run = (DirectRun *) node->fdw_state;

	if (run != NULL && run->res != NULL)
		pgml_result_free(run->res);
}
