/*
 * bulkinsert.h
 *		INSERT ... SELECT into local tables, by batches.
 */
#ifndef PGML_EXEC_BULKINSERT_H
#define PGML_EXEC_BULKINSERT_H

/* Install the hook; called by _PG_init. */
extern void pgml_bulkinsert_init(void);

#endif							/* PGML_EXEC_BULKINSERT_H */
