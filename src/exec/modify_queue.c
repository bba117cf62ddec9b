/*
 * modify_queue.c
 *		Rows that wait to be updated or deleted until the scan has ended.
 *
 * An UPDATE that can't be sent whole reads rows, computes, and hands one row
 * after the other to us.  Changing each at once would cost a round trip each,
 * and take the wire from the scan.  So they are queued, in a tuplestore, and
 * changed in batches (row/change.h) when the scan has ended.
 *
 * When exactly?  ModifyTable's ExecProcNode is wrapped: when the node says that
 * it is done, the queue is applied, and the rows that the remote says it has
 * changed are added to the statement's count.  This happens inside of the node's
 * run, whoever runs it: a portal, a function, ExecutorFinish for a CTE that
 * nobody reads.  So nothing is ever pending behind a statement.  ModifyTable
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
#include "remote/command.h"
#include "row/change.h"

struct PgmlQueue
{
	dlist_node	node;			/* in queues, while there is a store */
	MemoryContext cxt;			/* holds this struct and all that belongs to it */
	MemoryContextCallback on_delete;
	ExecProcNodeMtd run_node;	/* ModifyTable's own function */
	PgmlConn   *conn;
	PgmlChange	change;
	List	   *value_attrs;

	CommandId	command;		/* that queues the rows */
	int			level;			/* its nest level */

	TupleDesc	desc;			/* ctid, tableoid, or keys; then values */
	int			nnames;			/* its columns in front of the values */
	TupleTableSlot *slot;
	Tuplestorestate *store;		/* NULL: no row has been queued yet */
	ResourceOwner owner;		/* of the store */
	bool		applying;		/* a value's output function may come back here */
	int64		waiting;		/* rows that haven't been applied */
	uint64		changed;		/* rows, as the remote says */

	/*
	 * Where rows have been applied in a subtransaction that the command is not
	 * in: its nest level (0: they haven't), and what it was before.  The store's
	 * second read pointer stands in front of those rows.
	 */
	int			inner_level;
	int64		inner_waiting;
	uint64		inner_changed;
};

/* Read pointers of the store. */
#define READ_NEXT 0
#define READ_INNER 1

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

/* Remember where we are: a subtransaction may undo what is going to be applied. */
static void
begin_inner(PgmlQueue *queue)
{
	int			level = GetCurrentTransactionNestLevel();

	if (level <= queue->level || queue->inner_level != 0)
		return;
	tuplestore_copy_read_pointer(queue->store, READ_NEXT, READ_INNER);
	queue->inner_level = level;
	queue->inner_waiting = queue->waiting;
	queue->inner_changed = queue->changed;
}

/*
 * Apply all rows that are queued.  Runs in whatever context and subtransaction;
 * what it makes belongs to the queue.
 */
static void
apply_queue(PgmlQueue *queue)
{
	MemoryContext oldcxt;
	ResourceOwner oldowner = CurrentResourceOwner;
	PgmlChanger *changer;

	if (queue->waiting == 0 || queue->applying)
		return;
	begin_inner(queue);
	queue->applying = true;
	oldcxt = MemoryContextSwitchTo(queue->cxt);
	changer = pgml_changer_create(queue->conn, &queue->change, queue->desc,
								  queue->waiting);
	while (queue->waiting > 0)
	{
		bool		found;

		CurrentResourceOwner = queue->owner;
		found = tuplestore_gettupleslot(queue->store, true, false, queue->slot);
		CurrentResourceOwner = oldowner;
		if (!found)
			elog(ERROR, "rows are missing in a queue");
		pgml_changer_put(changer, queue->slot);
		queue->waiting--;
	}
	queue->changed += pgml_changer_finish(changer);
	pgml_changer_close(changer);
	queue->applying = false;
	MemoryContextSwitchTo(oldcxt);
}

/* ExecProcNode of a ModifyTable with queues. */
static TupleTableSlot *
run_and_apply(PlanState *ps)
{
	ModifyTableState *mtstate = castNode(ModifyTableState, ps);
	ExecProcNodeMtd run_node = NULL;
	TupleTableSlot *slot;

	for (int i = 0; run_node == NULL; i++)
	{
		PgmlQueue  *queue = queue_of(mtstate->resultRelInfo + i);

		if (queue != NULL)
			run_node = queue->run_node;
	}

	slot = run_node(ps);
	if (!TupIsNull(slot))
		return slot;
	for (int i = 0; i < mtstate->mt_nrels; i++)
	{
		PgmlQueue  *queue = queue_of(mtstate->resultRelInfo + i);

		if (queue == NULL || queue->store == NULL)
			continue;
		apply_queue(queue);
		if (mtstate->canSetTag)
			ps->state->es_processed += queue->changed;
		close_store(queue);
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

PgmlQueue *
pgml_queue_create(PgmlModifyPlan *plan, PgmlConn *conn, ModifyTableState *mtstate,
				  ResultRelInfo *rri, List *value_attrs)
{
	MemoryContext cxt = AllocSetContextCreate(CurrentMemoryContext, "pgml_fdw queue",
											  ALLOCSET_DEFAULT_SIZES);
	MemoryContext oldcxt = MemoryContextSwitchTo(cxt);
	PgmlQueue  *queue = palloc0(sizeof(PgmlQueue));

	queue->cxt = cxt;
	queue->conn = conn;
	queue->change.operation = plan->operation;
	queue->change.one = plan->sql;
	queue->change.prefix = plan->batch_prefix;
	queue->change.suffix = plan->batch_suffix;
	queue->change.describe = plan->batch_describe;
	queue->change.by_key = plan->keys != NIL;
	queue->value_attrs = value_attrs;
	queue->command = mtstate->ps.state->es_output_cid;
	queue->desc = describe_rows(rri->ri_RelationDesc, plan->keys, value_attrs);
	queue->nnames = queue->desc->natts - list_length(value_attrs);
	queue->slot = MakeSingleTupleTableSlot(queue->desc, &TTSOpsMinimalTuple);
	queue->on_delete.func = forget_queue;
	queue->on_delete.arg = queue;
	MemoryContextRegisterResetCallback(cxt, &queue->on_delete);
	MemoryContextSwitchTo(oldcxt);

	queue->run_node = wrap_node(mtstate);
	return queue;
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
	tuplestore_putvalues(queue->store, queue->desc, values, nulls);
	queue->waiting++;
	/* the command goes on: what was applied in a subtransaction has become its own */
	Assert(queue->inner_level == 0);
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
			apply_queue(queue);
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
		{
			tuplestore_copy_read_pointer(queue->store, READ_INNER, READ_NEXT);
			queue->waiting = queue->inner_waiting;
			queue->changed = queue->inner_changed;
			queue->applying = false;
			queue->inner_level = 0;
		}
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
