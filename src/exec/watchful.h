/*
 * watchful.h
 *		Could a statement notice which of its rows are in the table already?
 */
#ifndef PGML_EXEC_WATCHFUL_H
#define PGML_EXEC_WATCHFUL_H

#include "postgres.h"
#include "nodes/execnodes.h"

/* Could an expression, or one in a list of them, notice? */
extern bool pgml_watchful_expr(void *expr);

/*
 * Could anything in a plan below (and with) this node notice?  Sets *ours if
 * there is a scan of this wrapper or of dblink() in it, *foreign if there is any
 * foreign scan; only if it returns false.
 */
extern bool pgml_watchful_plan(PlanState *top, bool *ours, bool *foreign);

#endif							/* PGML_EXEC_WATCHFUL_H */
