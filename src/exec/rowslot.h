/*
 * rowslot.h
 *		Rows of the remote in executor slots.
 */
#ifndef PGML_EXEC_ROWSLOT_H
#define PGML_EXEC_ROWSLOT_H

#include "postgres.h"
#include "executor/tuptable.h"
#include "nodes/pg_list.h"

#include "row/codec.h"

/* Where a row is decoded to, before it is stored in a slot. */
typedef struct PgmlRowSlot
{
	PgmlCodec  *codec;
	Datum	   *values;			/* what the codec fills */
	bool	   *nulls;
	TupleDesc	desc;			/* of the slot */
	int			tid_at;			/* elements behind the attributes: the ctid, */
	int			tableoid_at;	/* and the remote's tableoid; -1: isn't there */
} PgmlRowSlot;

/*
 * Make one for slots of this descriptor, in the current context.  Wire column i
 * fills attribute attnums[i], which may also be SelfItemPointerAttributeNumber
 * or PGML_REMOTE_TABLEOID_ATTNO (plan/planinfo.h).  Where possible
 * the values are decoded straight into the arrays of direct (may be NULL), and
 * then only that slot may be stored to.
 */
extern PgmlRowSlot *pgml_rowslot_create(TupleDesc desc, TupleTableSlot *direct,
										int ncols, const AttrNumber *attnums);

/* The same for columns that are an int list of attribute numbers, such as RETURNING's. */
extern PgmlRowSlot *pgml_rowslot_create_list(TupleDesc desc, List *attnums);

/* Store the row that has been decoded in the empty slot, without copying it. */
extern void pgml_rowslot_store(PgmlRowSlot *row, TupleTableSlot *slot);

/*
 * Store a copy of it with a tuple header, so that the slot has system columns,
 * the remote's tableoid in the place of the command id; what was in the slot
 * is replaced.
 */
extern void pgml_rowslot_store_tuple(PgmlRowSlot *row, TupleTableSlot *slot);

#endif							/* PGML_EXEC_ROWSLOT_H */
