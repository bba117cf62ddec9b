/*
 * shippable.h
 *		Which expressions mean the same on the remote as here.
 *
 * Built-in immutable functions, operators and types are; so are those of the
 * extensions that the server's option names.  Collation must be settled by a
 * column of the foreign table, or be irrelevant.  Knows no connection: it
 * answers from the catalogs and the options.
 */
#ifndef PGML_QUERY_SHIPPABLE_H
#define PGML_QUERY_SHIPPABLE_H

#include "postgres.h"
#include "nodes/pathnodes.h"

#include "base/option.h"

/* Register cache invalidation; called by _PG_init. */
extern void pgml_shippable_init(void);

/* Is the object (function, operator, type, ...) known to exist on the remote and to mean the same? */
extern bool pgml_shippable_object(Oid objectid, Oid classid, const PgmlOptions *options);

/*
 * Can expr, whose foreign Vars are of relids, be evaluated by the remote?  Vars
 * of other relations must be turned into parameters by the planner (nested
 * loop parameters), so they are shippable as such.
 */
extern bool pgml_shippable_expr(PlannerInfo *root, Relids relids, const PgmlOptions *options,
								Expr *expr);

/*
 * shippable_local.c: is the expression one that is computed here, once for a scan, and
 * sent as a parameter?  It reads no columns of relids then.
 */
extern bool pgml_is_local_value(Relids relids, const PgmlOptions *options, Expr *expr);

/*
 * shippable_collation.c: may what is shipped of this Query hang on whether the remote's
 * default collation is ours (options->same_collation)?  True also for parts that are
 * not shipped for other reasons.
 */
extern bool pgml_needs_same_collation(Query *query);

/*
 * shippable_version.c: may what is shipped of this Query hang on the remote's version?  And
 * does it know FETCH FIRST ... WITH TIES?
 */
extern bool pgml_needs_version(Query *query);
extern bool pgml_with_ties_is_there(const PgmlOptions *options);

/* Are there functions in it that aren't immutable, those computed here left aside? */
extern bool pgml_has_mutable_functions(Relids relids, const PgmlOptions *options, Expr *expr);

/*
 * Can the remote sort the rows of relids by these pathkeys?  Then a list of
 * PgmlSortKey (deparse.h), one per pathkey; else NIL.
 */
extern List *pgml_shippable_sort(PlannerInfo *root, Relids relids, const PgmlOptions *options,
								 List *pathkeys);

/*
 * Can the remote sort by these SortGroupClauses, whose expressions are in tlist?  Then
 * *keys is a list of PgmlSortKey.
 */
extern bool pgml_shippable_order_by(PlannerInfo *root, Relids relids, const PgmlOptions *options,
									List *clauses, List *tlist, List **keys);

/* Does it tell apart values of this type and collation by this operator? */
extern bool pgml_shippable_equality(Oid eqop, Oid typid, Oid collation,
									const PgmlOptions *options);

/* Can it tell apart the values of these expressions, as GROUP BY and DISTINCT do?  Then *exprs are they. */
extern bool pgml_shippable_group(PlannerInfo *root, Relids relids, const PgmlOptions *options,
								 List *clauses, List *tlist, List **exprs);

#endif							/* PGML_QUERY_SHIPPABLE_H */
