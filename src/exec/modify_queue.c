/*
 * modify_queue.c
 *		Rows that wait to be changed until the scan has ended.
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
#include "remote/command.h"
#include "row/change.h"

struct PgmlQueue
{
	dlist_node	node;			/* in queues, while there is a store */
	MemoryContext cxt;			/* holds this struct and all that belongs to it */
	MemoryContextCallback on_delete;
	ExecProcNodeMtd run_node;	/* ModifyTable's own function */
	PgmlConn   *conn;

	/* UPDATE and DELETE */
	PgmlChange	change;
	List	   *value_attrs;
	int			nnames;			/* columns of a row in front of the values */

	/* INSERT */
	const PgmlInsert *insert;	/* NULL: it is none */
	PgmlSinkKind method;		/* as planned, or that of the last sink */
	int			batch_size;		/* rows of a statement */
	TupleTableSlot **gathered;	/* of one statement, while rows are applied */
	int			ngathered;		/* how many slots there are, as many as have been needed so far */

	CommandId	command;		/* that queues the rows */
	int			level;			/* its nest level */

	TupleDesc	desc;			/* ctid, tableoid, or keys; then values; of an INSERT, the table's */
	TupleTableSlot *slot;
	Tuplestorestate *store;		/* NULL: no row has been queued yet */
	ResourceOwner owner;		/* of the store */
	MemoryContext apply_cxt;	/* not NULL: being applied; a value's output function may come back here */
	bool		deferred;		/* another node of the statement applies it */
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

/* Rows of one INSERT are no longer gathered when they are larger than this together. */
#define MAX_GATHERED_BYTES (16 * 1024 * 1024)

/* To ask what a table is like and to begin a COPY is worth it for more rows than these. */
#define FEW_ROWS 10

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

/* Free what has been made to apply rows, whether or not that has come to its end. */
static void
end_apply(PgmlQueue *queue)
{
	if (queue->apply_cxt == NULL)
		return;
	/* a row that comes from a file was read into that context */
	ExecClearTuple(queue->slot);
	MemoryContextDelete(queue->apply_cxt);
	queue->apply_cxt = NULL;
}

/* Take the next row that waits; copy: it must outlive the one after it. */
static void
take_row(PgmlQueue *queue, TupleTableSlot *slot, bool copy)
{
	ResourceOwner oldowner = CurrentResourceOwner;
	bool		found;

	CurrentResourceOwner = queue->owner;
	found = tuplestore_gettupleslot(queue->store, true, copy, slot);
	CurrentResourceOwner = oldowner;
	if (!found)
		elog(ERROR, "rows are missing in a queue");
	queue->waiting--;
}

/* Update or delete the rows that wait. */
static void
change_rows(PgmlQueue *queue)
{
	PgmlChanger *changer = pgml_changer_create(queue->conn, &queue->change, queue->desc,
											   queue->waiting);

	while (queue->waiting > 0)
	{
		take_row(queue, queue->slot, false);
		pgml_changer_put(changer, queue->slot);
	}
	queue->changed += pgml_changer_finish(changer);
	pgml_changer_close(changer);
}

/* Gather rows for one statement; returns their number. */
static int
gather_rows(PgmlQueue *queue)
{
	Size		bytes = 0;
	int			n = 0;

	while (queue->waiting > 0 && n < queue->batch_size && bytes < MAX_GATHERED_BYTES)
	{
		if (n == queue->ngathered)
			queue->gathered[queue->ngathered++] = MakeSingleTupleTableSlot(queue->desc,
																		   &TTSOpsMinimalTuple);
		take_row(queue, queue->gathered[n], true);
		bytes += ((MinimalTupleTableSlot *) queue->gathered[n])->mintuple->t_len;
		n++;
	}
	return n;
}

/*
 * Make a sink for the rows that wait.  A few, which somebody wants to see in the middle of
 * the statement, go by the shortest way.
 */
static PgmlSink *
create_sink(PgmlQueue *queue)
{
	PgmlInsert *insert = palloc(sizeof(PgmlInsert));

	*insert = *queue->insert;
	if (queue->waiting < FEW_ROWS)
		insert->copy = insert->question = NULL;
	return pgml_sink_create(queue->conn, insert, queue->desc);
}

/* Insert the rows that wait. */
static void
insert_rows(PgmlQueue *queue)
{
	PgmlSink   *sink = create_sink(queue);

	queue->gathered = palloc(sizeof(TupleTableSlot *) * queue->batch_size);
	queue->ngathered = 0;
	queue->method = pgml_sink_kind(sink);
	while (queue->waiting > 0)
	{
		if (queue->method == PGML_SINK_VALUES)
		{
			int			n = gather_rows(queue);
			uint64		inserted = pgml_sink_put(sink, queue->gathered, n, NULL);

			/* a rule there may count other rows than ours */
			queue->changed += Min(inserted, (uint64) n);
			for (int i = 0; i < n; i++)
				ExecClearTuple(queue->gathered[i]);
			continue;
		}
		take_row(queue, queue->slot, false);
		queue->changed += pgml_sink_put(sink, &queue->slot, 1, NULL);
	}
	pgml_sink_close(sink);
}

/*
 * Apply all rows that are queued.  Runs in whatever context and subtransaction;
 * what it makes lives in a context of its own, which goes with that subtransaction if it fails.
 */
static void
apply_queue(PgmlQueue *queue)
{
	MemoryContext oldcxt;

	if (queue->waiting == 0 || queue->apply_cxt != NULL)
		return;
	begin_inner(queue);
	queue->apply_cxt = AllocSetContextCreate(queue->cxt, "pgml_fdw rows applied",
											 ALLOCSET_DEFAULT_SIZES);
	oldcxt = MemoryContextSwitchTo(queue->apply_cxt);
	if (queue->insert != NULL)
		insert_rows(queue);
	else
		change_rows(queue);
	MemoryContextSwitchTo(oldcxt);
	end_apply(queue);
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
		apply_queue(queue);
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
	queue->value_attrs = value_attrs;
	queue->nnames = queue->desc->natts - list_length(value_attrs);
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
			apply_queue(queue);
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
			end_apply(queue);
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
