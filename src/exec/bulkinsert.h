/*
 * bulkinsert.h
 *		INSERT ... SELECT into local tables, by batches.
 */
#ifndef PGML_EXEC_BULKINSERT_H
#define PGML_EXEC_BULKINSERT_H

#include "postgres.h"
#include "executor/execdesc.h"

/* Install the hook; called by _PG_init. */
extern void pgml_bulkinsert_init(void);

/*
 * Let an INSERT that has been set up write in batches, if that makes no difference,
 * though there is no foreign table in its plan: the caller feeds it.
 */
extern void pgml_bulkinsert_take(QueryDesc *query);

#endif							/* PGML_EXEC_BULKINSERT_H */
