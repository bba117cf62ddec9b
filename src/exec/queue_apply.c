/*
 * queue_apply.c
 *		Rows leave a queue: are changed on the remote, or inserted there.
 *
 * Question answered: in what order, and in which subtransaction, does what is queued
 * become remote statements?  When it must is modify_queue.c's business.
 *
 * Mostly all at once, when the plan has brought its last row.  Where nobody could tell
 * the difference, rows are changed while the plan still brings more: the remote
 * works, and so do we.  That is where all scans on the connection have come to
 * their end (the target's rows were hashed, say), none will begin later, and
 * nothing in the statement runs queries (watchful.h).
 */
#include "postgres.h"

#include "access/xact.h"
#include "executor/executor.h"
#include "utils/memutils.h"

#include "exec/queue_state.h"
#include "remote/readonly.h"

/* Read pointers of the store. */
#define READ_NEXT 0
#define READ_INNER 1

/* Rows of one INSERT are no longer gathered when they are larger than this together. */
#define MAX_GATHERED_BYTES (16 * 1024 * 1024)

/* To ask what a table is like and to begin a COPY is worth it for more rows than these. */
#define FEW_ROWS 10

/* So many rows must wait before we hurry: with fewer there is nothing to be won. */
#define MANY_ROWS PGML_CHANGE_ROWS

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

/* Make the context of what is needed to apply rows, and switch to it; returns the one before. */
static MemoryContext
begin_apply(PgmlQueue *queue)
{
	queue->apply_cxt = AllocSetContextCreate(queue->cxt, "pgml_fdw rows applied",
											 ALLOCSET_DEFAULT_SIZES);
	return MemoryContextSwitchTo(queue->apply_cxt);
}

/* Free what has been made to apply rows, whether or not that has come to its end. */
static void
end_apply(PgmlQueue *queue)
{
	if (queue->apply_cxt == NULL)
		return;
	queue->changer = NULL;
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

/* Start to update or delete the rows that wait. */
static PgmlChanger *
begin_change(PgmlQueue *queue)
{
	PgmlChanger *changer = pgml_changer_create(queue->conn, &queue->change, queue->desc,
											   queue->waiting);

	while (queue->waiting > 0)
	{
		take_row(queue, queue->slot, false);
		pgml_changer_put(changer, queue->slot);
	}
	return changer;
}

/* All rows have been given to the changer: wait until they are changed. */
static void
finish_change(PgmlQueue *queue, PgmlChanger *changer)
{
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

void
pgml_queue_apply(PgmlQueue *queue)
{
	MemoryContext oldcxt;

	if (queue->waiting == 0 || queue->apply_cxt != NULL)
		return;
	begin_inner(queue);
	oldcxt = begin_apply(queue);
	if (queue->insert != NULL)
		insert_rows(queue);
	else
		finish_change(queue, begin_change(queue));
	MemoryContextSwitchTo(oldcxt);
	end_apply(queue);
}

/* May rows be changed while the plan brings more? */
static bool
can_hurry(PgmlQueue *queue)
{
	return queue->may_hurry && queue->apply_cxt == NULL && queue->waiting >= MANY_ROWS &&
		!pgml_readonly_is_reading(queue->conn) &&
		GetCurrentTransactionNestLevel() == queue->level;
}

/* Change the rows that wait, and from now on each that is put. */
static void
start_to_hurry(PgmlQueue *queue)
{
	MemoryContext oldcxt = begin_apply(queue);

	queue->put_slot = MakeSingleTupleTableSlot(queue->desc, &TTSOpsVirtual);
	queue->changer = begin_change(queue);
	MemoryContextSwitchTo(oldcxt);
}

/* Change a row at once. */
static void
change_row(PgmlQueue *queue, const Datum *values, const bool *nulls)
{
	TupleTableSlot *slot = queue->put_slot;
	int			n = queue->desc->natts;

	ExecClearTuple(slot);
	memcpy(slot->tts_values, values, sizeof(Datum) * n);
	memcpy(slot->tts_isnull, nulls, sizeof(bool) * n);
	ExecStoreVirtualTuple(slot);
	pgml_changer_put(queue->changer, slot);
	ExecClearTuple(slot);
}

bool
pgml_queue_hurry(PgmlQueue *queue, const Datum *values, const bool *nulls)
{
	if (queue->changer == NULL && can_hurry(queue))
		start_to_hurry(queue);
	if (queue->changer == NULL)
		return false;
	change_row(queue, values, nulls);
	return true;
}

void
pgml_queue_finish(PgmlQueue *queue)
{
	if (queue->changer != NULL)
	{
		MemoryContext oldcxt = MemoryContextSwitchTo(queue->apply_cxt);

		finish_change(queue, queue->changer);
		MemoryContextSwitchTo(oldcxt);
		end_apply(queue);
	}
	pgml_queue_apply(queue);
}

void
pgml_queue_undo(PgmlQueue *queue)
{
	tuplestore_copy_read_pointer(queue->store, READ_INNER, READ_NEXT);
	queue->waiting = queue->inner_waiting;
	queue->changed = queue->inner_changed;
	queue->inner_level = 0;
	end_apply(queue);
}
