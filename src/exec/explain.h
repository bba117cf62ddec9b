/*
 * explain.h
 *		What EXPLAIN shows of foreign scans and modifications.
 */
#ifndef PGML_EXEC_EXPLAIN_H
#define PGML_EXEC_EXPLAIN_H

#include "postgres.h"
#include "foreign/fdwapi.h"

#include "base/compat.h"
#include "plan/planinfo.h"

extern void pgmlExplainForeignScan(ForeignScanState *node, ExplainState *es);
extern void pgmlExplainDirectModify(ForeignScanState *node, ExplainState *es);
extern void pgmlExplainForeignModify(ModifyTableState *mtstate, ResultRelInfo *rri,
									 List *packed, int subplan_index, ExplainState *es);

/* Begin a line of the text format; core keeps its own function for that to itself until 18. */
extern void pgml_explain_indent(ExplainState *es);

/* explain_remote.c: show what the remote says of these, if the setting wants it. */
extern void pgml_explain_remote_scan(ForeignScanState *node, const PgmlScanPlan *plan,
									 ExplainState *es);
extern void pgml_explain_remote_direct(ForeignScanState *node, const PgmlDirectPlan *plan,
									   ExplainState *es);

#endif							/* PGML_EXEC_EXPLAIN_H */
