/*
 * bulkdest.h
 *		CREATE TABLE AS, SELECT INTO and materialized views, by batches.
 */
#ifndef PGML_EXEC_BULKDEST_H
#define PGML_EXEC_BULKDEST_H

/* Install the hook; called by _PG_init. */
extern void pgml_bulkdest_init(void);

#endif							/* PGML_EXEC_BULKDEST_H */
