/*
 * bound.h
 *		How many rows of one part of what a query reads can be wanted at most?
 */
#ifndef PGML_PLAN_BOUND_H
#define PGML_PLAN_BOUND_H

#include "postgres.h"
#include "nodes/pathnodes.h"

#include "plan/relinfo.h"

/*
 * The number of rows, as an expression that the remote can be sent, which a query with LIMIT
 * wants of this partition (or join of partitions) at most; NULL: it may want all.
 * info says what is known of the relation.
 */
extern Expr *pgml_bound_find(PlannerInfo *root, RelOptInfo *rel, const PgmlRelInfo *info);

/* Does it hold for a path with this order? */
extern bool pgml_bound_holds(PlannerInfo *root, const PgmlRelInfo *info, List *pathkeys);

/* So many rows are left of these. */
extern double pgml_bound_rows(const PgmlRelInfo *info, double rows);

#endif							/* PGML_PLAN_BOUND_H */
