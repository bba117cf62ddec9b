/*
 * rowslot.c
 *		Puts rows of the remote into executor slots, system columns included.
 *
 * A scan and a RETURNING clause receive the same thing: wire columns that fill
 * attributes of a slot.  The codec does the decoding; here is decided where its
 * Datums go.  A row is normally stored as a virtual tuple, whose values stay
 * where the codec has put them.
 *
 * Two system columns may come over the wire, ctid and the remote's tableoid.
 * They aren't among the attributes of the slot, so the codec is given a
 * descriptor with more attributes than the slot has.  xmin and the other fields
 * of a tuple header mean nothing for a remote row, but SQL may ask for them:
 * then the row gets a real header, in which they are zero.  (A tuple fresh from
 * heap_form_tuple would show parts of its row type there, which lie in the
 * same place.)
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/sysattr.h"
#include "catalog/pg_type_d.h"
#include "executor/tuptable.h"

#include "exec/rowslot.h"
#include "plan/planinfo.h"

/* Copy a descriptor and add attributes for the system columns that are there. */
static TupleDesc
add_system_columns(PgmlRowSlot *row, int natts)
{
	TupleDesc	wide = CreateTemplateTupleDesc(natts);

	for (int i = 1; i <= row->desc->natts; i++)
		TupleDescCopyEntry(wide, i, row->desc, i);
	if (row->tid_at >= 0)
		TupleDescInitEntry(wide, row->tid_at + 1, "ctid", TIDOID, -1, 0);
	if (row->tableoid_at >= 0)
		TupleDescInitEntry(wide, row->tableoid_at + 1, "tableoid", OIDOID, -1, 0);
	return wide;
}

PgmlRowSlot *
pgml_rowslot_create(TupleDesc desc, TupleTableSlot *direct,
					int ncols, const AttrNumber *attnums)
{
	PgmlRowSlot *row = palloc0(sizeof(PgmlRowSlot));
	AttrNumber *fills = palloc(sizeof(AttrNumber) * Max(ncols, 1));
	int			natts = desc->natts;

	row->desc = desc;
	row->tid_at = row->tableoid_at = -1;
	for (int i = 0; i < ncols; i++)
	{
		if (attnums[i] == SelfItemPointerAttributeNumber && row->tid_at < 0)
			row->tid_at = natts++;
		else if (attnums[i] == PGML_REMOTE_TABLEOID_ATTNO && row->tableoid_at < 0)
			row->tableoid_at = natts++;
		else if (attnums[i] < 1 || attnums[i] > desc->natts)
			elog(ERROR, "remote column for attribute %d of a row with %d attributes",
				 attnums[i], desc->natts);
		fills[i] = attnums[i] > 0 ? attnums[i] : natts;
	}

	row->codec = pgml_codec_create(natts > desc->natts ? add_system_columns(row, natts) : desc,
								   ncols, fills);
	if (direct && natts == desc->natts)
	{
		row->values = direct->tts_values;
		row->nulls = direct->tts_isnull;
	}
	else
	{
		row->values = palloc0(sizeof(Datum) * Max(natts, 1));
		row->nulls = palloc0(sizeof(bool) * Max(natts, 1));
	}
	return row;
}

PgmlRowSlot *
pgml_rowslot_create_list(TupleDesc desc, List *attnums)
{
	AttrNumber *array = palloc(sizeof(AttrNumber) * Max(list_length(attnums), 1));
	ListCell   *lc;

	foreach(lc, attnums)
		array[foreach_current_index(lc)] = lfirst_int(lc);
	return pgml_rowslot_create(desc, NULL, list_length(attnums), array);
}

/* Read the ctid that came with the row, invalid if there was none. */
static void
get_tid(PgmlRowSlot *row, ItemPointer tid)
{
	if (row->tid_at >= 0 && !row->nulls[row->tid_at])
		*tid = *(ItemPointer) DatumGetPointer(row->values[row->tid_at]);
	else
		ItemPointerSetInvalid(tid);
}

/* Read the tableoid that came with the row, invalid if there was none. */
static Oid
get_tableoid(PgmlRowSlot *row)
{
	if (row->tableoid_at < 0 || row->nulls[row->tableoid_at])
		return InvalidOid;
	return DatumGetObjectId(row->values[row->tableoid_at]);
}

void
pgml_rowslot_store(PgmlRowSlot *row, TupleTableSlot *slot)
{
	if (row->values != slot->tts_values)
	{
		memcpy(slot->tts_values, row->values, sizeof(Datum) * row->desc->natts);
		memcpy(slot->tts_isnull, row->nulls, sizeof(bool) * row->desc->natts);
	}
	ExecStoreVirtualTuple(slot);
	if (row->tid_at >= 0)
		get_tid(row, &slot->tts_tid);
}

void
pgml_rowslot_store_tuple(PgmlRowSlot *row, TupleTableSlot *slot)
{
	MemoryContext caller = MemoryContextSwitchTo(slot->tts_mcxt);
	HeapTuple	tuple = heap_form_tuple(row->desc, row->values, row->nulls);

	HeapTupleHeaderSetXmin(tuple->t_data, InvalidTransactionId);
	HeapTupleHeaderSetXmax(tuple->t_data, InvalidTransactionId);
	HeapTupleHeaderSetCmin(tuple->t_data, (CommandId) get_tableoid(row));
	get_tid(row, &tuple->t_self);
	tuple->t_data->t_ctid = tuple->t_self;

	/* the slot frees the tuple, which is in the slot's own context */
	ExecForceStoreHeapTuple(tuple, slot, true);
	slot->tts_tid = tuple->t_self;
	MemoryContextSwitchTo(caller);
}
