/*
 * rowbatch.c
 *		How are many rows written to a local table at little cost?
 *
 * A heap wants each row as one piece of memory, a tuple, and takes many in one
 * call (table_multi_insert): then a page is looked for, locked and logged once,
 * and not for each row.  Core has such a call for COPY only.  Here each row is
 * formed once, from its values into the next free piece of an arena (rowform.c),
 * and that piece is what the heap copies to its page.
 *
 * The heap insists on slots, and asks each to "materialize", which usually
 * means another copy.  Our slots are those of heap tuples, but for that:
 * their tuples lie in the arena, which nobody touches while they are waiting.
 *
 * Tables of other access methods get slots of their own kind.
 *
 * Values are decoded into a slot first, and formed from there.  Decoding straight into the tuple
 * would not pay: of the time that rows of five columns take here, either step is a
 * tenth, while a third goes into new pages of the file; and all of it is
 * less than the remote needs to make such rows, which doesn't wait for us.
 *
 * What belongs to a row beside its place in the table, constraints, indexes
 * and triggers, is bulkwrite.c's.
 */
#include "postgres.h"

#include "access/heapam.h"
#include "access/tableam.h"
#include "utils/memutils.h"

#include "exec/rowbatch.h"

/*
 * As many rows as COPY takes, and four times the bytes, since the page that a
 * batch ends on is logged again by the next one.  Without a log it makes no
 * difference: batches of 64 kB and of 1 MB took the same time.
 */
#define MAX_ROWS 1000
#define MAX_BYTES (256 * 1024)

/* The row that fills the memory lies in it as well, unless it is large. */
#define ARENA_SIZE (MAX_BYTES + 32 * 1024)

static TupleTableSlotOps formed_ops;

/* The tuple is where it can stay. */
static void
materialize_formed(TupleTableSlot *slot)
{
	Assert(((HeapTupleTableSlot *) slot)->tuple != NULL);
}

PgmlBatchMemory *
pgml_batchmemory_create(void)
{
	MemoryContext cxt = AllocSetContextCreate(CurrentMemoryContext, "pgml_fdw batches",
											  ALLOCSET_DEFAULT_SIZES);
	PgmlBatchMemory *memory = MemoryContextAllocZero(cxt, sizeof(PgmlBatchMemory));

	memory->cxt = cxt;
	memory->large_cxt = AllocSetContextCreate(cxt, "pgml_fdw large rows", ALLOCSET_SMALL_SIZES);
	memory->write_cxt = AllocSetContextCreate(cxt, "pgml_fdw write", ALLOCSET_DEFAULT_SIZES);
	memory->start = memory->at = MemoryContextAlloc(cxt, ARENA_SIZE);
	memory->end = memory->start + ARENA_SIZE;
	return memory;
}

bool
pgml_batchmemory_full(const PgmlBatchMemory *memory)
{
	return memory->nrows >= MAX_ROWS || memory->nbytes >= MAX_BYTES;
}

void
pgml_batchmemory_reset(PgmlBatchMemory *memory)
{
	memory->at = memory->start;
	memory->nrows = 0;
	memory->nbytes = 0;
	MemoryContextReset(memory->large_cxt);
}

void
pgml_batchmemory_free(PgmlBatchMemory *memory)
{
	MemoryContextDelete(memory->cxt);
}

PgmlRowBatch *
pgml_rowbatch_create(PgmlBatchMemory *memory, Relation rel)
{
	MemoryContext caller = MemoryContextSwitchTo(memory->cxt);
	PgmlRowBatch *batch = palloc0(sizeof(PgmlRowBatch));

	if (formed_ops.materialize == NULL)
	{
		formed_ops = TTSOpsHeapTuple;
		formed_ops.materialize = materialize_formed;
	}
	batch->memory = memory;
	batch->rel = rel;
	batch->desc = CreateTupleDescCopy(RelationGetDescr(rel));
	batch->is_heap = rel->rd_tableam == GetHeapamTableAmRoutine();
	batch->form = pgml_rowform_create(batch->desc);
	batch->bistate = GetBulkInsertState();
	MemoryContextSwitchTo(caller);
	return batch;
}

/* Get the slot for one more row. */
static TupleTableSlot *
next_slot(PgmlRowBatch *batch)
{
	MemoryContext caller;

	if (likely(batch->n < batch->nslots))
		return batch->slots[batch->n++];

	caller = MemoryContextSwitchTo(batch->memory->cxt);
	if (batch->slots == NULL)
	{
		batch->maxslots = 8;
		batch->slots = palloc(batch->maxslots * sizeof(TupleTableSlot *));
	}
	else if (batch->nslots == batch->maxslots)
	{
		batch->maxslots *= 2;
		batch->slots = repalloc(batch->slots, batch->maxslots * sizeof(TupleTableSlot *));
	}
	batch->slots[batch->nslots++] =
		MakeSingleTupleTableSlot(batch->desc,
								 batch->is_heap ? &formed_ops : table_slot_callbacks(batch->rel));
	MemoryContextSwitchTo(caller);
	return batch->slots[batch->n++];
}

/* Form a tuple as core does, where there is room for it; returns its length. */
static Size
form_anywhere(PgmlRowBatch *batch, Datum *values, bool *nulls, HeapTupleHeader *to)
{
	PgmlBatchMemory *memory = batch->memory;
	MemoryContext caller = MemoryContextSwitchTo(memory->large_cxt);
	HeapTuple	tuple = heap_form_tuple(batch->desc, values, nulls);

	MemoryContextSwitchTo(caller);
	*to = tuple->t_data;
	return tuple->t_len;
}

/* Form the tuple of a row; its header is completed by the heap. */
static inline void
form_tuple(PgmlRowBatch *batch, HeapTuple tuple, Datum *values, bool *nulls)
{
	PgmlBatchMemory *memory = batch->memory;

	tuple->t_data = (HeapTupleHeader) memory->at;
	tuple->t_len = pgml_rowform_put(batch->form, tuple->t_data, memory->end - memory->at,
									values, nulls);
	if (likely(tuple->t_len > 0))
		memory->at += MAXALIGN(tuple->t_len);
	else
		tuple->t_len = form_anywhere(batch, values, nulls, &tuple->t_data);
	tuple->t_tableOid = RelationGetRelid(batch->rel);
	ItemPointerSetInvalid(&tuple->t_self);
	memory->nbytes += tuple->t_len;
}

void
pgml_rowbatch_add(PgmlRowBatch *batch, TupleTableSlot *row)
{
	TupleTableSlot *slot;

	slot_getallattrs(row);
	slot = next_slot(batch);
	if (likely(batch->is_heap))
	{
		HeapTupleTableSlot *hslot = (HeapTupleTableSlot *) slot;

		form_tuple(batch, &hslot->tupdata, row->tts_values, row->tts_isnull);
		hslot->tuple = &hslot->tupdata;
		hslot->off = 0;
		slot->tts_nvalid = 0;
		slot->tts_flags &= ~TTS_FLAG_EMPTY;
	}
	else
	{
		batch->memory->nbytes += heap_compute_data_size(batch->desc, row->tts_values,
														row->tts_isnull);
		ExecCopySlot(slot, row);
		ExecMaterializeSlot(slot);
	}
	slot->tts_tableOid = RelationGetRelid(batch->rel);
	batch->memory->nrows++;
}

void
pgml_rowbatch_write(PgmlRowBatch *batch, CommandId cid, int options)
{
	MemoryContext caller = MemoryContextSwitchTo(batch->memory->write_cxt);

	table_multi_insert(batch->rel, batch->slots, batch->n, cid, options, batch->bistate);
	MemoryContextSwitchTo(caller);
	MemoryContextReset(batch->memory->write_cxt);
}

void
pgml_rowbatch_free(PgmlRowBatch *batch, int options)
{
	for (int i = 0; i < batch->nslots; i++)
		ExecDropSingleTupleTableSlot(batch->slots[i]);
	if (batch->slots != NULL)
		pfree(batch->slots);
	FreeBulkInsertState(batch->bistate);
	table_finish_bulk_insert(batch->rel, options);
	pfree(batch->form);
	FreeTupleDesc(batch->desc);
	pfree(batch);
}
