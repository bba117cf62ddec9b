/*
 * watchful.h
 *		Could a statement notice which of its rows are in the table already?
 */
#ifndef PGML_EXEC_WATCHFUL_H
#define PGML_EXEC_WATCHFUL_H

#include "postgres.h"
#include "nodes/execnodes.h"

/* Is it a volatile function that reads nothing but clocks and random numbers, and changes nothing? */
extern bool pgml_is_harmless(Oid funcid);

/* Could an expression, or one in a list of them, notice? */
extern bool pgml_watchful_expr(void *expr);

/*
 * Could anything in a plan below (and with) this node notice?  Sets *ours if
 * there is a scan of this wrapper or of dblink() in it, *foreign if there is any
 * foreign scan; only if it returns false.
 */
extern bool pgml_watchful_plan(PlanState *top, bool *ours, bool *foreign);

/*
 * Could anything in a plan below (and with) this node, or in a subplan of its statement,
 * call a function that runs queries, be it one that notices or a stable one?
 */
extern bool pgml_plan_calls_out(PlanState *top);

/*
 * Could a scan of a table of this server begin in it when it has returned rows
 * already?  It would see what has become of them.
 */
extern bool pgml_plan_scans_later(PlanState *top, Oid serverid);

#endif							/* PGML_EXEC_WATCHFUL_H */
