/*
 * subquery.h
 *		Queries of which the remote computes all, as parts of others: what path_subquery
 *		and path_setop share.
 */
#ifndef PGML_PLAN_SUBQUERY_H
#define PGML_PLAN_SUBQUERY_H

#include "postgres.h"
#include "nodes/pathnodes.h"

#include "plan/relinfo.h"
#include "query/select.h"

/* Find what is known of a planned query's last step, and its relation; NULL: it isn't the remote's alone. */
extern PgmlRelInfo *pgml_subquery_last_step(PlannerInfo *root, RelOptInfo **rel);

/*
 * Describe that step as a SELECT with all columns or those wanted (their numbers); NULL if the
 * remote can't compute it.
 */
extern PgmlSubquery *pgml_subquery_make(PlannerInfo *subroot, const PgmlRelInfo *step, bool all,
										Bitmapset *wanted);

/* A mutator: take the marks off expressions that an outer join may make null. */
extern Node *pgml_strip_placeholders(Node *node, void *context);

/* path_upper.c: offer an upper relation with this target; "only": and forget all other paths. */
extern void pgml_offer_upper(PlannerInfo *root, RelOptInfo *rel, const PgmlRelInfo *info,
							 PathTarget *target, List *pathkeys, bool only);

/* path_setop.c */
extern void pgml_path_setop_init(void);

/*
 * List a query's columns.  Those of a set operation belong to no relation, for core; here they
 * are columns of the first of its queries.
 */
extern List *pgml_setop_tlist(PlannerInfo *root, const PgmlRelInfo *info);

/* Make a relation of the remote of a UNION ALL in FROM, if it can be one. */
extern void pgml_union_adopt(PlannerInfo *root, RelOptInfo *rel);

#endif							/* PGML_PLAN_SUBQUERY_H */
