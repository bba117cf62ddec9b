/*
 * bulkwrite.h
 *		Many rows into a local table, or into the partitions of one.
 *
 * What comes out of it is what as many INSERTs of one row would have made,
 * done in order: constraints, stored generated columns, indexes, triggers,
 * row security and routing are all seen to.  Only, rows are written in
 * batches, so that those of a batch are not in the table, nor have they failed
 * there, before the batch is full.  Where the table itself could tell
 * (BEFORE triggers, volatile functions in its constraints), it is written row by
 * row.  Whether the rows' source could tell is for the caller to know.
 */
#ifndef PGML_EXEC_BULKWRITE_H
#define PGML_EXEC_BULKWRITE_H

#include "postgres.h"
#include "nodes/execnodes.h"

typedef struct PgmlBulkWrite PgmlBulkWrite;

/*
 * Begin to write for a ModifyTable of an INSERT, whose root result relation
 * is a table (plain or partitioned) and which is set up as the executor, or
 * COPY, does that.  Statement triggers are the caller's.  Throws; lives in the
 * current context, which must be the executor's own.
 */
extern PgmlBulkWrite *pgml_bulkwrite_begin(ModifyTableState *mtstate, CommandId cid);

/*
 * Write a row, or let it wait for others: it is copied.  It has the columns of
 * the table (of the root, not of a partition) in their order.  False if
 * a BEFORE trigger or a foreign partition doesn't want it.
 */
extern bool pgml_bulkwrite_put(PgmlBulkWrite *write, TupleTableSlot *row);

/* Write all rows that still wait, and free everything. */
extern void pgml_bulkwrite_end(PgmlBulkWrite *write);

/* May rows wait before they are written to the table, as far as that depends on the table? */
extern bool pgml_bulkwrite_may_wait(ResultRelInfo *rri);

#endif							/* PGML_EXEC_BULKWRITE_H */
