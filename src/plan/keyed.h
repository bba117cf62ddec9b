/*
 * keyed.h
 *		Joins whose foreign side is asked for the keys of the other side only.
 */
#ifndef PGML_PLAN_KEYED_H
#define PGML_PLAN_KEYED_H

#include "postgres.h"
#include "nodes/pathnodes.h"

#include "plan/planinfo.h"
#include "query/deparse.h"

/* Have the planner consider such joins; called by _PG_init. */
extern void pgml_keyed_init(void);

/* Is the operator the "=" that the remote finds by that name? */
extern bool pgml_keyed_is_plain_equality(Oid operator);

/*
 * Note in the plan which of these parameters are the arrays of keys (may be NULL), and
 * return the parameters with nulls in their places: the join gives the values.
 */
extern List *pgml_keyed_bind(const PgmlKeys *keys, List *params, PgmlScanPlan *plan);

#endif							/* PGML_PLAN_KEYED_H */
