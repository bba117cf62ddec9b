/*
 * rowbatch.h
 *		Rows that wait to be written to a local table together.
 */
#ifndef PGML_EXEC_ROWBATCH_H
#define PGML_EXEC_ROWBATCH_H

#include "postgres.h"
#include "executor/tuptable.h"
#include "utils/rel.h"

#include "exec/rowform.h"

/*
 * Memory for the rows of batches: of one, or of several that are written
 * together (the partitions of a table).
 */
typedef struct PgmlBatchMemory
{
	MemoryContext cxt;			/* holds all but the next two */
	MemoryContext large_cxt;	/* rows that don't fit below */
	MemoryContext write_cxt;	/* what is made while rows are written */
	char	   *start;			/* rows one behind the other: */
	char	   *at;
	char	   *end;
	int			nrows;			/* of all batches */
	Size		nbytes;
} PgmlBatchMemory;

/* Rows for one table. */
typedef struct PgmlRowBatch
{
	PgmlBatchMemory *memory;
	Relation	rel;
	TupleDesc	desc;			/* rel's, but without a reference count */
	bool		is_heap;		/* rows are formed here; else other slots keep them as they like */
	PgmlRowForm *form;
	struct BulkInsertStateData *bistate;
	int			n;				/* rows that wait */
	int			nslots;			/* slots that have been made */
	int			maxslots;
	TupleTableSlot **slots;		/* the first n hold the rows */
} PgmlRowBatch;

/* Make memory for batches, in a context of its own below the current one. */
extern PgmlBatchMemory *pgml_batchmemory_create(void);

/* Is it time to write the batches? */
extern bool pgml_batchmemory_full(const PgmlBatchMemory *memory);

/* All batches have been written: use the memory again. */
extern void pgml_batchmemory_reset(PgmlBatchMemory *memory);

/* Free it; all its batches must be freed. */
extern void pgml_batchmemory_free(PgmlBatchMemory *memory);

/* Make an empty batch for a table that the caller has opened, and keeps open. */
extern PgmlRowBatch *pgml_rowbatch_create(PgmlBatchMemory *memory, Relation rel);

/* Add a copy of the row, which has the columns of the table in their order. */
extern void pgml_rowbatch_add(PgmlRowBatch *batch, TupleTableSlot *row);

/*
 * Write the rows to the table.  They stay in the slots, now with their place
 * in the table, until the caller sets n to 0.
 */
extern void pgml_rowbatch_write(PgmlRowBatch *batch, CommandId cid, int options);

/* Free the batch, which must be empty or not wanted any more; the last of a table's says so to its access method. */
extern void pgml_rowbatch_free(PgmlRowBatch *batch, int options);

#endif							/* PGML_EXEC_ROWBATCH_H */
