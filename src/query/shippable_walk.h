/*
 * shippable_walk.h
 *		What the files that judge expressions (shippable*.c) share.
 */
#ifndef PGML_QUERY_SHIPPABLE_WALK_H
#define PGML_QUERY_SHIPPABLE_WALK_H

#include "postgres.h"
#include "nodes/pathnodes.h"

#include "base/option.h"

/* How the collation of a subexpression came about; see the top of shippable.c. */
typedef enum PgmlSettled
{
	NEUTRAL,
	COLUMN,
	ALIEN
} PgmlSettled;

typedef struct PgmlCollation
{
	Oid			oid;
	PgmlSettled settled;
} PgmlCollation;

/* State of one walk over an expression. */
typedef struct PgmlWalk
{
	PlannerInfo *root;
	Relids		relids;			/* Vars of these are columns of the remote */
	const PgmlOptions *options;
	PgmlCollation inner;		/* of the siblings visited so far */
	const PgmlCollation *test;	/* of what CaseTestExpr stands for; NULL: nothing */
} PgmlWalk;

/* shippable.c */

/* Judge an expression, and tell its collation. */
extern bool pgml_judge_expr(PlannerInfo *root, Relids relids, const PgmlOptions *options,
							Expr *expr, PgmlCollation *collation);

/* Visit a subexpression by itself; collation becomes what it contributes. */
extern bool pgml_shippable_part(Expr *expr, const PgmlWalk *walk, const PgmlCollation *test,
								PgmlCollation *collation);

/* shippable_collation.c */

/* Combine the collations of two arguments of one expression. */
extern PgmlCollation pgml_merge_collations(PgmlCollation a, PgmlCollation b);

/*
 * Judge the collation of an expression that the remote computes from
 * arguments with the collation inner (NEUTRAL for a constant or parameter).
 */
extern PgmlCollation pgml_derive_collation(const Node *node, PgmlCollation inner);

/* Does a function (InvalidOid: something else) see the collation on the remote that it sees here? */
extern bool pgml_shippable_input_collation(Oid collation, PgmlCollation inner, Oid funcid,
										   const PgmlOptions *options);

/* Does the remote, where values of this type and collation are sorted, do it as we do? */
extern bool pgml_shippable_sort_collation(Oid typid, Oid collation, PgmlCollation inner,
										  const PgmlOptions *options);

/* Does it tell them apart by this function as we do? */
extern bool pgml_shippable_equality_collation(Oid collation, Oid funcid,
											  const PgmlOptions *options);

/* shippable_window.c */

/* Judge a window function and its window; result becomes its collation. */
extern bool pgml_shippable_window_func(WindowFunc *func, const PgmlWalk *walk,
									   PgmlCollation *result);

/* shippable_subplan.c */

/* Judge a subquery in an expression; result becomes its collation. */
extern bool pgml_shippable_subplan(const SubPlan *plan, const PgmlWalk *walk,
								   PgmlCollation *result);

/* shippable_sort.c */

/* Judge an aggregate; result becomes its collation. */
extern bool pgml_shippable_aggregate(Aggref *agg, const PgmlWalk *walk, PgmlCollation *result);

#endif							/* PGML_QUERY_SHIPPABLE_WALK_H */
