/*
 * keyedjoin.c
 *		Runs the joins that plan/path_keyed.c makes: the foreign side is asked for the
 *		keys of the other side only.
 *
 * A batch of rows of the outer side is gathered in a table (keytable.c), and the keys
 * in it are given to the foreign scan, as arrays.  What that brings is matched with
 * the batch as it comes, row by row: so memory is bounded by the batch, whatever the
 * remote sends.  Then the next batch.  Most joins have one, and cost one round trip.
 *
 * The remote's opinion of equality only says which rows come.  Which of them match is
 * decided here, by the join's own operators; the two can't contradict each other
 * where it would matter (query/shippable.c sees to that).
 *
 * Batches grow, since somebody may want only the first rows: FIRST_KEYS, then four times
 * as many each time, up to MAX_KEYS, and never more than work_mem, or a message, holds.
 *
 * A joined row is put together in the scan slot, the outer columns first; keys, clauses
 * and the target list are expressions over that.  If a row is checked again
 * (EvalPlanQual), the children return the rows that are to be checked, and this node
 * joins them like any others, without asking the remote.
 */
#include "postgres.h"

#include "commands/explain.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "nodes/extensible.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "utils/ruleutils.h"

#include "base/compat.h"
#include "base/stats.h"
#include "exec/keyedjoin.h"
#include "exec/keytable.h"
#include "exec/scan.h"
#include "plan/planinfo.h"

/*
 * Keys of the first batch, and of those that come later.  More make no difference to
 * the remote, which looks up each; it plans the statement for each of the first
 * five batches.  Measured, that takes it 0.2 us a key where the column is unique
 * (1,000 keys 0.17 to 0.23 ms, 16,000 keys 2.6 to 3.5 ms).  A list of most common
 * values is gone through for each key: with a hundred texts in it 2.6 us.
 */
#define FIRST_KEYS 1000
#define MAX_KEYS 16000
#define GROWTH 4

/* A batch's keys become arrays, and as text these become several times as large: far below a gigabyte. */
#define MAX_BATCH_BYTES ((Size) 64 * 1024 * 1024)

typedef enum JoinStage
{
	JOIN_GATHER,				/* a batch of outer rows is to be read */
	JOIN_MATCH,					/* the remote's rows are matched with it */
	JOIN_REST					/* rows of it without a match are returned */
} JoinStage;

/* A join in execution. */
typedef struct KeyedJoin
{
	CustomScanState css;
	PgmlKeyedPlan *plan;
	PlanState  *outer;
	PlanState  *inner;
	ForeignScanState *scan;		/* in inner */
	List	   *outer_keys;		/* ExprStates */
	List	   *inner_keys;
	ExprState  *clauses;		/* what else must hold of a match; NULL: nothing */
	bool		returns_rest;	/* outer rows without a match */
	bool		returns_outer;	/* only outer rows: nothing of an inner one */

	Datum	   *values;			/* of the keys of the row that is being looked at */
	bool	   *nulls;
	MemoryContext key_cxt;		/* holds them */
	PgmlKeyTable *table;
	TupleTableSlot *stored;		/* a row of the table */
	int64		most;			/* keys that the next batch may have */
	JoinStage	stage;
	bool		outer_done;
	bool		asked;			/* the inner side has been started before */
	TupleTableSlot *inner_row;
	PgmlKey    *key;			/* of the inner row; NULL: look at the next inner row */
	PgmlKeyRow *row;			/* the next to be looked at */

	/* for EXPLAIN */
	int64		nkeys;
	int64		nbatches;
	int64		nround_trips;
} KeyedJoin;

/* Copy the columns of a row into a part of the joined row; NULL: nulls. */
static void
copy_columns(TupleTableSlot *joined, int first, int n, TupleTableSlot *row)
{
	if (row == NULL)
	{
		memset(joined->tts_isnull + first, true, n * sizeof(bool));
		return;
	}
	slot_getallattrs(row);
	memcpy(joined->tts_values + first, row->tts_values, n * sizeof(Datum));
	memcpy(joined->tts_isnull + first, row->tts_isnull, n * sizeof(bool));
}

/*
 * Put a joined row together, of columns that stay where they are.  Always of both
 * sides: who was given the last one may have moved its columns to memory that goes with it.
 */
static void
compose(KeyedJoin *join, TupleTableSlot *outer, TupleTableSlot *inner)
{
	TupleTableSlot *joined = join->css.ss.ss_ScanTupleSlot;
	int			nouter = join->plan->nouter;

	ExecClearTuple(joined);
	copy_columns(joined, 0, nouter, outer);
	copy_columns(joined, nouter, joined->tts_tupleDescriptor->natts - nouter, inner);
	ExecStoreVirtualTuple(joined);
}

/* The same for a row of the table. */
static void
compose_stored(KeyedJoin *join, PgmlKeyRow *row, TupleTableSlot *inner)
{
	ExecStoreMinimalTuple(row->tuple, join->stored, false);
	compose(join, join->stored, inner);
}

/* Evaluate the keys of one side of the joined row; they live until the next time. */
static void
evaluate_keys(KeyedJoin *join, List *keys)
{
	ExprContext *econtext = join->css.ss.ps.ps_ExprContext;
	MemoryContext caller;
	ListCell   *lc;

	MemoryContextReset(join->key_cxt);
	caller = MemoryContextSwitchTo(join->key_cxt);
	foreach(lc, keys)
	{
		int			i = foreach_current_index(lc);

		join->values[i] = ExecEvalExpr((ExprState *) lfirst(lc), econtext, &join->nulls[i]);
	}
	MemoryContextSwitchTo(caller);
}

/* Find the keys of the batch that equal the inner row's, one after the other, and the rows of each. */
static void
find_key(KeyedJoin *join, PgmlKey *last)
{
	ExprContext *econtext = join->css.ss.ps.ps_ExprContext;
	MemoryContext caller = MemoryContextSwitchTo(econtext->ecxt_per_tuple_memory);

	join->key = pgml_keytable_find(join->table, join->values, join->nulls, last);
	join->row = join->key != NULL ? join->key->rows : NULL;
	MemoryContextSwitchTo(caller);
}

/* Read the next batch of outer rows; false: there are none. */
static bool
gather(KeyedJoin *join)
{
	Size		most_bytes = Min((Size) work_mem * 1024, MAX_BATCH_BYTES);

	pgml_keytable_reset(join->table);
	while (!join->outer_done && pgml_keytable_nkeys(join->table) < join->most &&
		   pgml_keytable_memory(join->table) < most_bytes)
	{
		TupleTableSlot *row = ExecProcNode(join->outer);

		if (TupIsNull(row))
		{
			join->outer_done = true;
			break;
		}
		compose(join, row, NULL);
		evaluate_keys(join, join->outer_keys);
		pgml_keytable_add(join->table, join->values, join->nulls, row);
	}
	join->most = Min(join->most * GROWTH, MAX_KEYS);
	join->row = pgml_keytable_rows(join->table);
	return join->row != NULL;
}

/* Ask the remote for the keys of the batch. */
static void
ask(KeyedJoin *join)
{
	pgml_scan_set_keys(join->scan, pgml_keytable_arrays(join->table));
	if (join->asked)
		ExecReScan(join->inner);
	join->asked = true;
	join->key = NULL;
	join->nkeys += pgml_keytable_nkeys(join->table);
	join->nbatches++;
}

/* Go on to an inner row that has a key of the batch; false: there is none left. */
static bool
next_inner(KeyedJoin *join)
{
	do
	{
		int64		before = pgml_stats.round_trips;

		join->inner_row = ExecProcNode(join->inner);
		join->nround_trips += pgml_stats.round_trips - before;
		if (TupIsNull(join->inner_row))
			return false;
		ResetExprContext(join->css.ss.ps.ps_ExprContext);
		compose(join, NULL, join->inner_row);
		evaluate_keys(join, join->inner_keys);
		find_key(join, NULL);
	} while (join->key == NULL);
	return true;
}

/*
 * Go on to the next row of the batch that has the inner row's key; false: there is none
 * left.  Where it is enough that there is a match, and nothing but the key decides, a key
 * need not be found twice.
 */
static bool
next_candidate(KeyedJoin *join)
{
	while (join->key != NULL && join->row == NULL)
	{
		if (join->returns_outer && join->clauses == NULL)
			join->key->done = true;
		find_key(join, join->key);
	}
	return join->key != NULL;
}

/* Is the joined row a match, that hasn't been known before where that's enough? */
static bool
is_match(KeyedJoin *join, PgmlKeyRow *row)
{
	ExprContext *econtext = join->css.ss.ps.ps_ExprContext;

	if (join->returns_outer && row->matched)
		return false;
	compose_stored(join, row, join->inner_row);
	return join->clauses == NULL || ExecQual(join->clauses, econtext);
}

/* Put the next match together; false: the remote has no more rows for this batch. */
static bool
next_match(KeyedJoin *join)
{
	for (;;)
	{
		CHECK_FOR_INTERRUPTS();
		if (next_candidate(join))
		{
			PgmlKeyRow *row = join->row;

			join->row = row->next_of_key;
			if (!is_match(join, row))
				continue;
			row->matched = true;
			if (join->plan->type != JOIN_ANTI)
				return true;
		}
		else if (!next_inner(join))
			return false;
	}
}

/* Put the next row of the batch that has no match together; false: there is none left. */
static bool
next_rest(KeyedJoin *join)
{
	while (join->row != NULL)
	{
		PgmlKeyRow *row = join->row;

		join->row = row->next;
		if (!row->matched)
		{
			compose_stored(join, row, NULL);
			return true;
		}
	}
	return false;
}

/* Put the next row of the join together; false: that was the last one. */
static bool
next_joined(KeyedJoin *join)
{
	for (;;)
	{
		switch (join->stage)
		{
			case JOIN_GATHER:
				if (!gather(join))
					return false;
				join->stage = JOIN_REST;
				if (pgml_keytable_nkeys(join->table) > 0)
				{
					ask(join);
					join->stage = JOIN_MATCH;
				}
				break;
			case JOIN_MATCH:
				if (next_match(join))
					return true;
				join->row = pgml_keytable_rows(join->table);
				join->stage = JOIN_REST;
				break;
			case JOIN_REST:
				if (join->returns_rest && next_rest(join))
					return true;
				join->stage = JOIN_GATHER;
				break;
		}
	}
}

static TupleTableSlot *
exec_join(CustomScanState *node)
{
	KeyedJoin  *join = (KeyedJoin *) node;
	PlanState  *ps = &node->ss.ps;

	for (;;)
	{
		ResetExprContext(ps->ps_ExprContext);
		if (!next_joined(join))
			return NULL;
		if (ps->qual == NULL || ExecQual(ps->qual, ps->ps_ExprContext))
			return ps->ps_ProjInfo != NULL ? ExecProject(ps->ps_ProjInfo) :
				node->ss.ss_ScanTupleSlot;
		InstrCountFiltered1(ps, 1);
	}
}

/* The foreign scan of the inner side, below the test of a condition without columns if there is one. */
static ForeignScanState *
find_scan(PlanState *inner)
{
	while (IsA(inner, ResultState) && outerPlanState(inner) != NULL)
		inner = outerPlanState(inner);
	return castNode(ForeignScanState, inner);
}

/* Make what depends on the keys' types. */
static void
init_keys(KeyedJoin *join, CustomScan *plan)
{
	List	   *outer_keys = linitial_node(List, plan->custom_exprs);
	int			n = list_length(outer_keys);
	Oid		   *types = palloc(n * sizeof(Oid));
	ListCell   *lc;

	foreach(lc, outer_keys)
		types[foreach_current_index(lc)] = exprType(lfirst(lc));
	join->values = palloc0(n * sizeof(Datum));
	join->nulls = palloc0(n * sizeof(bool));
	join->key_cxt = AllocSetContextCreate(CurrentMemoryContext, "pgml_fdw key",
										  ALLOCSET_SMALL_SIZES);
	join->table = pgml_keytable_create(n, types, join->plan->operators, join->plan->collations);
	join->outer_keys = ExecInitExprList(outer_keys, &join->css.ss.ps);
	join->inner_keys = ExecInitExprList(lsecond_node(List, plan->custom_exprs), &join->css.ss.ps);
}

static void
begin_join(CustomScanState *node, EState *estate, int eflags)
{
	KeyedJoin  *join = (KeyedJoin *) node;
	CustomScan *plan = (CustomScan *) node->ss.ps.plan;

	join->plan = pgml_planinfo_of_keyed(plan);
	join->returns_outer = join->plan->type == JOIN_SEMI || join->plan->type == JOIN_ANTI;
	join->returns_rest = join->plan->type == JOIN_LEFT || join->plan->type == JOIN_ANTI;
	join->most = FIRST_KEYS;
	join->outer = ExecInitNode(linitial(plan->custom_plans), estate, eflags);
	join->inner = ExecInitNode(lsecond(plan->custom_plans), estate, eflags);
	join->scan = find_scan(join->inner);
	node->custom_ps = list_make2(join->outer, join->inner);

	init_keys(join, plan);
	join->clauses = ExecInitQual(lfourth(plan->custom_exprs), &node->ss.ps);
	join->stored = ExecInitExtraTupleSlot(estate, ExecGetResultType(join->outer),
										  &TTSOpsMinimalTuple);
	node->ss.ps.ps_ExprContext->ecxt_scantuple = node->ss.ss_ScanTupleSlot;

	/* as in core's joins, types of columns aren't compared: a whole row may be a record, too */
	if (node->ss.ps.ps_ProjInfo != NULL)
		ExecAssignProjectionInfo(&node->ss.ps, NULL);
}

static void
end_join(CustomScanState *node)
{
	KeyedJoin  *join = (KeyedJoin *) node;

	ExecEndNode(join->outer);
	ExecEndNode(join->inner);
}

/* Start anew; the inner side when the next batch is asked for. */
static void
rescan_join(CustomScanState *node)
{
	KeyedJoin  *join = (KeyedJoin *) node;

	if (node->ss.ps.chgParam != NULL)
	{
		UpdateChangedParamSet(join->outer, node->ss.ps.chgParam);
		UpdateChangedParamSet(join->inner, node->ss.ps.chgParam);
	}
	if (join->outer->chgParam == NULL)
		ExecReScan(join->outer);
	pgml_keytable_reset(join->table);
	join->stage = JOIN_GATHER;
	join->outer_done = false;
	join->most = FIRST_KEYS;
}

static const char *
join_type_name(JoinType type)
{
	switch (type)
	{
		case JOIN_LEFT:
			return "Left";
		case JOIN_SEMI:
			return "Semi";
		case JOIN_ANTI:
			return "Anti";
		default:
			return "Inner";
	}
}

/* Show a list of clauses. */
static void
explain_clauses(const char *label, List *clauses, CustomScanState *node, List *ancestors,
				ExplainState *es)
{
	List	   *context;

	if (clauses == NIL)
		return;
	context = set_deparse_context_plan(es->deparse_cxt, node->ss.ps.plan, ancestors);
	ExplainPropertyText(label,
						deparse_expression((Node *) make_ands_explicit(clauses), context,
										   list_length(es->rtable) > 1 || es->verbose, false),
						es);
}

static void
explain_join(CustomScanState *node, List *ancestors, ExplainState *es)
{
	KeyedJoin  *join = (KeyedJoin *) node;
	CustomScan *plan = (CustomScan *) node->ss.ps.plan;

	ExplainPropertyText("Join Type", join_type_name(join->plan->type), es);
	explain_clauses("Key Cond", lthird(plan->custom_exprs), node, ancestors, es);
	explain_clauses("Join Filter", lfourth(plan->custom_exprs), node, ancestors, es);
	if (!es->analyze)
		return;
	ExplainPropertyInteger("Keys", NULL, join->nkeys, es);
	ExplainPropertyInteger("Batches", NULL, join->nbatches, es);
	ExplainPropertyInteger("Round Trips", NULL, join->nround_trips, es);
}

static const CustomExecMethods exec_methods = {
	.CustomName = PGML_KEYED_JOIN,
	.BeginCustomScan = begin_join,
	.ExecCustomScan = exec_join,
	.EndCustomScan = end_join,
	.ReScanCustomScan = rescan_join,
	.ExplainCustomScan = explain_join,
};

static Node *
create_join(CustomScan *plan)
{
	KeyedJoin  *join = (KeyedJoin *) newNode(sizeof(KeyedJoin), T_CustomScanState);

	join->css.methods = &exec_methods;
	return (Node *) join;
}

static const CustomScanMethods scan_methods = {
	.CustomName = PGML_KEYED_JOIN,
	.CreateCustomScanState = create_join,
};

void
pgml_keyedjoin_init(void)
{
	RegisterCustomScanMethods(&scan_methods);
}
