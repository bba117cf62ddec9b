/*
 * explain.h
 *		What EXPLAIN shows of foreign scans and modifications.
 */
#ifndef PGML_EXEC_EXPLAIN_H
#define PGML_EXEC_EXPLAIN_H

#include "postgres.h"
#include "foreign/fdwapi.h"

#include "base/compat.h"

extern void pgmlExplainForeignScan(ForeignScanState *node, ExplainState *es);
extern void pgmlExplainDirectModify(ForeignScanState *node, ExplainState *es);
extern void pgmlExplainForeignModify(ModifyTableState *mtstate, ResultRelInfo *rri,
									 List *packed, int subplan_index, ExplainState *es);

#endif							/* PGML_EXEC_EXPLAIN_H */
