/*
 * modify_queue.c
 *		Rows that wait to be changed until the scan has ended.
 *
 * An UPDATE that can't be sent whole reads rows, computes, and hands one row
 * after the other to us.  Changing each at once would cost a round trip each,
 * and take the wire from the scan.  So they are queued, in a tuplestore, and
 * changed in batches (row/change.h) when the scan has ended; queue_apply.c does it.
 *
 * When exactly?  ModifyTable's ExecProcNode is wrapped: when the node says that
 * it is done, the queue is applied, and the rows that the remote says it has
 * changed are added to the statement's count.  This happens inside of the node's
 * run, whoever runs it: a portal, a function, ExecutorFinish for a CTE that
 * nobody reads.  (If the statement has several parts that modify data, when the last of them is
 * done.)  So nothing is ever pending behind a statement.  ModifyTable
 * takes a NULL from ExecForeignUpdate for a row that has not been changed, and so
 * neither counts it nor fires triggers.
 *
 * Who sees what is queued?  On a local table, what a command does is seen by
 * the commands after it, be they run in the middle of it by a volatile function;
 * it isn't seen by itself, or by a stable function, which looks at the
 * snapshot of the calling command.  The same here: before a statement uses the
 * connection, the queues of commands that its snapshot sees are applied, and no
 * others.
 *
 * Rows of an INSERT are queued too where otherwise somebody would see too many or too
 * few of them (modify_insert.c); they leave by a sink then.
 *
 * Such a statement may be run in a subtransaction (an exception block in a
 * function) that the queue's command is not in.  If that is rolled back, so are
 * the changes; the command itself goes on.  So the rows are kept, and go back to
 * the queue.
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/pg_type_d.h"
#include "executor/executor.h"
#include "lib/ilist.h"
#include "miscadmin.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/tuplestore.h"

#include "exec/modify.h"
#include "exec/modify_queue.h"
#include "exec/modify_state.h"
#include "exec/queue_state.h"
#include "exec/watchful.h"
#include "remote/command.h"
#include "row/change.h"

/* All queues of this backend that have a store. */
static dlist_head queues = DLIST_STATIC_INIT(queues);

/* Callback: the statement is over, or has failed. */
static void
forget_queue(void *arg)
{
	PgmlQueue  *queue = arg;

	if (queue->store != NULL)
		dlist_delete(&queue->node);
	queue->store = NULL;
}

/* Describe the rows of the queue; keys NIL: they begin with ctid and tableoid. */
static TupleDesc
describe_rows(Relation rel, List *keys, List *value_attrs)
{
	List	   *attrs = list_concat_copy(keys, value_attrs);
	AttrNumber	attnum = keys != NIL ? 0 : PGML_CHANGE_NUM_KEYS;
	TupleDesc	desc = CreateTemplateTupleDesc(attnum + list_length(attrs));
	ListCell   *lc;

	if (keys == NIL)
	{
		TupleDescInitEntry(desc, PGML_CHANGE_CTID + 1, "ctid", TIDOID, -1, 0);
		TupleDescInitEntry(desc, PGML_CHANGE_TABLEOID + 1, "tableoid", OIDOID, -1, 0);
	}
	foreach(lc, attrs)
	{
		Form_pg_attribute attr = TupleDescAttr(RelationGetDescr(rel), lfirst_int(lc) - 1);

		TupleDescInitEntry(desc, ++attnum, NameStr(attr->attname), attr->atttypid,
						   attr->atttypmod, attr->attndims);
	}
	return desc;
}

/* Get the queue of a result relation; NULL: it has none, or isn't ours. */
static PgmlQueue *
queue_of(ResultRelInfo *rri)
{
	if (rri->ri_FdwRoutine == NULL || rri->ri_FdwState == NULL ||
		rri->ri_FdwRoutine->BeginForeignModify != pgmlBeginForeignModify)
		return NULL;
	return ((PgmlModify *) rri->ri_FdwState)->queue;
}

/* Start to store rows. */
static void
open_store(PgmlQueue *queue)
{
	MemoryContext oldcxt = MemoryContextSwitchTo(queue->cxt);

	queue->level = GetCurrentTransactionNestLevel();
	queue->owner = CurrentResourceOwner;
	queue->store = tuplestore_begin_heap(false, false, work_mem);
	tuplestore_alloc_read_pointer(queue->store, 0);
	dlist_push_tail(&queues, &queue->node);
	MemoryContextSwitchTo(oldcxt);

	/* from now on the remote transaction must not be lost unnoticed */
	pgml_command_mark_write(queue->conn);
}

/* Stop to store rows; all have been applied. */
static void
close_store(PgmlQueue *queue)
{
	ExecClearTuple(queue->slot);
	tuplestore_end(queue->store);
	forget_queue(queue);
	queue->waiting = 0;
	queue->changed = 0;
	queue->inner_level = 0;
}

/* Apply the queues of a node that is done. */
static void
apply_node(ModifyTableState *mtstate)
{
	for (int i = 0; i < mtstate->mt_nrels; i++)
	{
		PgmlQueue  *queue = queue_of(mtstate->resultRelInfo + i);

		if (queue == NULL || queue->store == NULL)
			continue;
		pgml_queue_finish(queue);
		if (mtstate->canSetTag)
			mtstate->ps.state->es_processed += queue->changed;
		close_store(queue);
	}
}

/* Is another node going to apply this one's queues? */
static bool
is_deferred(ModifyTableState *mtstate)
{
	for (int i = 0; i < mtstate->mt_nrels; i++)
	{
		PgmlQueue  *queue = queue_of(mtstate->resultRelInfo + i);

		if (queue != NULL && queue->deferred)
			return true;
	}
	return false;
}

/*
 * Run the other data-modifying parts of the statement to their end, so that none of their
 * scans finds what is going to be applied.  Nobody will read from them any more: what is
 * done has queues and so returns no rows, hence it is the main part of the
 * statement, or is run by ExecutorFinish behind that, which would do now what we do.
 */
static void
run_others(ModifyTableState *mtstate)
{
	EState	   *estate = mtstate->ps.state;
	ListCell   *lc;

	foreach(lc, estate->es_auxmodifytables)
	{
		ModifyTableState *other = lfirst_node(ModifyTableState, lc);

		for (int i = 0; i < other->mt_nrels; i++)
			if (queue_of(other->resultRelInfo + i) != NULL)
				queue_of(other->resultRelInfo + i)->deferred = true;
	}
	foreach(lc, estate->es_auxmodifytables)
	{
		PlanState  *other = lfirst(lc);

		if (other == &mtstate->ps)
			continue;
		do
			ResetPerTupleExprContext(estate);
		while (!TupIsNull(ExecProcNode(other)));
	}
}

/* ExecProcNode of a ModifyTable with queues. */
static TupleTableSlot *
run_and_apply(PlanState *ps)
{
	ModifyTableState *mtstate = castNode(ModifyTableState, ps);
	ExecProcNodeMtd run_node = NULL;
	TupleTableSlot *slot;
	ListCell   *lc;

	for (int i = 0; run_node == NULL; i++)
	{
		PgmlQueue  *queue = queue_of(mtstate->resultRelInfo + i);

		if (queue != NULL)
			run_node = queue->run_node;
	}

	slot = run_node(ps);
	if (TupIsNull(slot) && !is_deferred(mtstate))
	{
		run_others(mtstate);
		apply_node(mtstate);
		foreach(lc, ps->state->es_auxmodifytables)
			apply_node(lfirst_node(ModifyTableState, lc));
	}
	return slot;
}

/* Find the function that the node had before we wrapped it. */
static ExecProcNodeMtd
wrap_node(ModifyTableState *mtstate)
{
	ExecProcNodeMtd run_node = mtstate->ps.ExecProcNode;

	if (run_node != run_and_apply)
	{
		mtstate->ps.ExecProcNode = run_and_apply;
		return run_node;
	}
	for (int i = 0; i < mtstate->mt_nrels; i++)
	{
		PgmlQueue  *queue = queue_of(mtstate->resultRelInfo + i);

		if (queue != NULL)
			return queue->run_node;
	}
	elog(ERROR, "a wrapped node has no queue");
}

/* Make the part that all queues have, for rows of this descriptor. */
static PgmlQueue *
create_queue(MemoryContext cxt, PgmlConn *conn, ModifyTableState *mtstate, TupleDesc desc)
{
	PgmlQueue  *queue = palloc0(sizeof(PgmlQueue));

	queue->cxt = cxt;
	queue->conn = conn;
	queue->command = mtstate->ps.state->es_output_cid;
	queue->desc = desc;
	queue->slot = MakeSingleTupleTableSlot(desc, &TTSOpsMinimalTuple);
	queue->on_delete.func = forget_queue;
	queue->on_delete.arg = queue;
	MemoryContextRegisterResetCallback(cxt, &queue->on_delete);
	queue->run_node = wrap_node(mtstate);
	return queue;
}

/* Is the node the only part of its statement that modifies data? */
static bool
is_alone(ModifyTableState *mtstate)
{
	return mtstate->canSetTag && mtstate->ps.state->es_auxmodifytables == NIL;
}

PgmlQueue *
pgml_queue_create(PgmlModifyPlan *plan, PgmlConn *conn, ModifyTableState *mtstate,
				  ResultRelInfo *rri, List *value_attrs)
{
	MemoryContext cxt = AllocSetContextCreate(CurrentMemoryContext, "pgml_fdw queue",
											  ALLOCSET_DEFAULT_SIZES);
	MemoryContext oldcxt = MemoryContextSwitchTo(cxt);
	PgmlQueue  *queue = create_queue(cxt, conn, mtstate,
									 describe_rows(rri->ri_RelationDesc, plan->keys, value_attrs));

	queue->change.operation = plan->operation;
	queue->change.one = plan->sql;
	queue->change.prefix = plan->batch_prefix;
	queue->change.suffix = plan->batch_suffix;
	queue->change.describe = plan->batch_describe;
	queue->change.by_key = plan->keys != NIL;
	queue->change.by_join = plan->by_join;
	queue->value_attrs = value_attrs;
	queue->nnames = queue->desc->natts - list_length(value_attrs);
	queue->may_hurry = is_alone(mtstate) &&
		!pgml_plan_scans_later(outerPlanState(mtstate), conn->serverid) &&
		!pgml_plan_calls_out(outerPlanState(mtstate));
	MemoryContextSwitchTo(oldcxt);
	return queue;
}

PgmlQueue *
pgml_queue_create_insert(PgmlModifyPlan *plan, PgmlConn *conn, ModifyTableState *mtstate,
						 ResultRelInfo *rri, int batch_size)
{
	MemoryContext cxt = AllocSetContextCreate(CurrentMemoryContext, "pgml_fdw queue",
											  ALLOCSET_DEFAULT_SIZES);
	MemoryContext oldcxt = MemoryContextSwitchTo(cxt);
	PgmlQueue  *queue = create_queue(cxt, conn, mtstate,
									 CreateTupleDescCopyConstr(RelationGetDescr(rri->ri_RelationDesc)));

	queue->insert = &plan->insert;
	queue->method = plan->insert.copy != NULL ? PGML_SINK_COPY : PGML_SINK_VALUES;
	queue->batch_size = batch_size;
	MemoryContextSwitchTo(oldcxt);
	return queue;
}

PgmlSinkKind
pgml_queue_insert_method(const PgmlQueue *queue, int *batch_size)
{
	*batch_size = queue->batch_size;
	return queue->method;
}

/* A row has been stored. */
static void
note_row(PgmlQueue *queue)
{
	queue->waiting++;
	/* the command goes on: what was applied in a subtransaction has become its own */
	Assert(queue->inner_level == 0);
}

void
pgml_queue_put_new(PgmlQueue *queue, TupleTableSlot *slot)
{
	if (queue->store == NULL)
		open_store(queue);
	tuplestore_puttupleslot(queue->store, slot);
	note_row(queue);
}

void
pgml_queue_put(PgmlQueue *queue, const Datum *names, const bool *name_nulls,
			   TupleTableSlot *slot)
{
	Datum	   *values = palloc(sizeof(Datum) * queue->desc->natts);
	bool	   *nulls = palloc(sizeof(bool) * queue->desc->natts);
	int			n = queue->nnames;
	ListCell   *lc;

	memcpy(values, names, sizeof(Datum) * n);
	memcpy(nulls, name_nulls, sizeof(bool) * n);
	foreach(lc, queue->value_attrs)
	{
		values[n] = slot_getattr(slot, lfirst_int(lc), &nulls[n]);
		n++;
	}

	if (queue->store == NULL)
		open_store(queue);
	if (pgml_queue_hurry(queue, values, nulls))
		return;
	tuplestore_putvalues(queue->store, queue->desc, values, nulls);
	note_row(queue);
}

void
pgml_queue_close(PgmlQueue *queue)
{
	if (queue->store != NULL)
		close_store(queue);
}

void
pgml_queue_apply_for(PgmlConn *conn, EState *estate)
{
	CommandId	seen = estate->es_snapshot ? estate->es_snapshot->curcid :
		GetCurrentCommandId(false);
	dlist_iter	iter;

	dlist_foreach(iter, &queues)
	{
		PgmlQueue  *queue = dlist_container(PgmlQueue, node, iter.cur);

		if (queue->conn == conn && queue->command < seen)
			pgml_queue_apply(queue);
	}
}

void
pgml_queue_apply_all(PgmlConn *conn)
{
	dlist_iter	iter;

	dlist_foreach(iter, &queues)
	{
		PgmlQueue  *queue = dlist_container(PgmlQueue, node, iter.cur);

		if (queue->conn == conn)
			pgml_queue_apply(queue);
	}
}

/* Callback: a subtransaction ends, and with it what was applied in it. */
static void
subxact_callback(SubXactEvent event, SubTransactionId mySubid,
				 SubTransactionId parentSubid, void *arg)
{
	int			level = GetCurrentTransactionNestLevel();
	dlist_iter	iter;

	if (event != SUBXACT_EVENT_COMMIT_SUB && event != SUBXACT_EVENT_ABORT_SUB)
		return;
	dlist_foreach(iter, &queues)
	{
		PgmlQueue  *queue = dlist_container(PgmlQueue, node, iter.cur);

		if (queue->inner_level < level || queue->level >= level)
			continue;
		if (event == SUBXACT_EVENT_ABORT_SUB)
			pgml_queue_undo(queue);
		else if (level - 1 <= queue->level)
			queue->inner_level = 0;
		else
			queue->inner_level = level - 1;
	}
}

void
pgml_queue_init(void)
{
	RegisterSubXactCallback(subxact_callback, NULL);
}
