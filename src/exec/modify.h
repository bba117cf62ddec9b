/*
 * modify.h
 *		Executor callbacks that change foreign tables.
 */
#ifndef PGML_EXEC_MODIFY_H
#define PGML_EXEC_MODIFY_H

#include "postgres.h"
#include "foreign/fdwapi.h"

extern void pgmlBeginForeignModify(ModifyTableState *mtstate, ResultRelInfo *rri,
								   List *packed, int subplan_index, int eflags);
extern TupleTableSlot *pgmlExecForeignInsert(EState *estate, ResultRelInfo *rri,
											 TupleTableSlot *slot, TupleTableSlot *planSlot);
extern TupleTableSlot **pgmlExecForeignBatchInsert(EState *estate, ResultRelInfo *rri,
												   TupleTableSlot **slots,
												   TupleTableSlot **planSlots, int *numSlots);
extern int	pgmlGetForeignModifyBatchSize(ResultRelInfo *rri);
extern TupleTableSlot *pgmlExecForeignUpdate(EState *estate, ResultRelInfo *rri,
											 TupleTableSlot *slot, TupleTableSlot *planSlot);
extern TupleTableSlot *pgmlExecForeignDelete(EState *estate, ResultRelInfo *rri,
											 TupleTableSlot *slot, TupleTableSlot *planSlot);
extern void pgmlBeginDirectModify(ForeignScanState *node, int eflags);
extern TupleTableSlot *pgmlIterateDirectModify(ForeignScanState *node);
extern void pgmlEndDirectModify(ForeignScanState *node);
extern void pgmlEndForeignModify(EState *estate, ResultRelInfo *rri);
extern void pgmlBeginForeignInsert(ModifyTableState *mtstate, ResultRelInfo *rri);
extern void pgmlEndForeignInsert(EState *estate, ResultRelInfo *rri);
extern int	pgmlIsForeignRelUpdatable(Relation rel);
extern void pgmlExecForeignTruncate(List *rels, DropBehavior behavior, bool restart_seqs);

#endif							/* PGML_EXEC_MODIFY_H */
