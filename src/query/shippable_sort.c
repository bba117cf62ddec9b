/*
 * shippable_sort.c
 *		Sorting, grouping and aggregating: do they mean the same on the remote?
 *
 * A sort order is the remote's own if its operator is known there and the
 * collation by which it compares is a column's (if it is the default collation, the
 * remote's must be ours).  Groups and distinct values are
 * made by equality, for which any deterministic collation is as good as
 * another; the remote takes the type's default equality, so that must be the
 * operator here.  An aggregate is a function of its arguments as others are, with
 * an order and distinctness of its own.
 */
#include "postgres.h"

#include "catalog/pg_aggregate.h"
#include "catalog/pg_operator.h"
#include "catalog/pg_opfamily.h"
#include "catalog/pg_proc.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/clauses.h"
#include "optimizer/optimizer.h"
#include "utils/lsyscache.h"
#include "utils/typcache.h"

#include "base/compat.h"
#include "query/deparse.h"
#include "query/shippable.h"
#include "query/shippable_walk.h"

static PgmlSortKey *
make_sort_key(Expr *expr, Oid sortop, bool nulls_first)
{
	PgmlSortKey *key = palloc(sizeof(PgmlSortKey));

	key->expr = expr;
	key->sortop = sortop;
	key->nulls_first = nulls_first;
	return key;
}

/*
 * Make a sort key of a pathkey, NULL if the remote can't sort by it.  The rows are not
 * grouped yet, so neither an aggregate nor a window function is known.
 */
static PgmlSortKey *
shippable_pathkey(PlannerInfo *root, Relids relids, const PgmlOptions *options, PathKey *pathkey)
{
	EquivalenceClass *ec = pathkey->pk_eclass;
	ListCell   *lc;

	if (ec->ec_has_volatile ||
		!pgml_shippable_object(pathkey->pk_opfamily, OperatorFamilyRelationId, options))
		return NULL;

	foreach(lc, pgml_eclass_members(ec, relids))
	{
		EquivalenceMember *em = lfirst(lc);
		PgmlCollation collation;
		Oid			sortop;

		if (em->em_is_const || bms_is_empty(em->em_relids) ||
			!bms_is_subset(em->em_relids, relids) ||
			contain_agg_clause((Node *) em->em_expr) ||
			contain_window_function((Node *) em->em_expr) ||
			!pgml_judge_expr(root, relids, options, em->em_expr, &collation) ||
			!pgml_shippable_sort_collation(exprType((Node *) em->em_expr), ec->ec_collation,
										   collation, options))
			continue;

		sortop = pgml_pathkey_operator(pathkey, em->em_datatype);
		if (OidIsValid(sortop) && pgml_shippable_object(sortop, OperatorRelationId, options))
			return make_sort_key(em->em_expr, sortop, pathkey->pk_nulls_first);
	}
	return NULL;
}

List *
pgml_shippable_sort(PlannerInfo *root, Relids relids, const PgmlOptions *options, List *pathkeys)
{
	List	   *keys = NIL;
	ListCell   *lc;

	foreach(lc, pathkeys)
	{
		PgmlSortKey *key = shippable_pathkey(root, relids, options, lfirst(lc));

		if (key == NULL)
			return NIL;
		keys = lappend(keys, key);
	}
	return keys;
}

bool
pgml_shippable_order_by(PlannerInfo *root, Relids relids, const PgmlOptions *options,
						List *clauses, List *tlist, List **keys)
{
	ListCell   *lc;

	*keys = NIL;
	foreach(lc, clauses)
	{
		SortGroupClause *clause = lfirst_node(SortGroupClause, lc);
		Expr	   *expr = (Expr *) get_sortgroupclause_expr(clause, tlist);
		PgmlCollation collation;

		if (!OidIsValid(clause->sortop) ||
			!pgml_judge_expr(root, relids, options, expr, &collation) ||
			!pgml_shippable_sort_collation(exprType((Node *) expr), exprCollation((Node *) expr),
										   collation, options) ||
			!pgml_shippable_object(clause->sortop, OperatorRelationId, options))
			return false;
		*keys = lappend(*keys, make_sort_key(expr, clause->sortop, clause->nulls_first));
	}
	return true;
}

/* Is this operator the one by which the remote tells values of the type apart? */
static bool
is_default_equality(Oid eqop, Oid typid)
{
	return eqop == lookup_type_cache(typid, TYPECACHE_EQ_OPR)->eq_opr;
}

bool
pgml_shippable_equality(Oid eqop, Oid typid, Oid collation, const PgmlOptions *options)
{
	return is_default_equality(eqop, typid) &&
		pgml_shippable_equality_collation(collation, get_opcode(eqop), options) &&
		pgml_shippable_object(eqop, OperatorRelationId, options);
}

bool
pgml_shippable_group(PlannerInfo *root, Relids relids, const PgmlOptions *options,
					 List *clauses, List *tlist, List **exprs)
{
	ListCell   *lc;

	*exprs = NIL;
	foreach(lc, clauses)
	{
		SortGroupClause *clause = lfirst_node(SortGroupClause, lc);
		Expr	   *expr = (Expr *) get_sortgroupclause_expr(clause, tlist);

		if (!pgml_shippable_equality(clause->eqop, exprType((Node *) expr),
									 exprCollation((Node *) expr), options) ||
			!pgml_shippable_expr(root, relids, options, expr))
			return false;
		*exprs = lappend(*exprs, expr);
	}
	return true;
}

/* Judge what the aggregate sorts by and takes only once. */
static bool
shippable_order_within(Aggref *agg, const PgmlWalk *walk)
{
	List	   *keys;
	ListCell   *lc;

	foreach(lc, agg->aggdistinct)
	{
		SortGroupClause *clause = lfirst_node(SortGroupClause, lc);
		Node	   *expr = get_sortgroupclause_expr(clause, agg->args);

		if (!pgml_shippable_equality(clause->eqop, exprType(expr), exprCollation(expr),
									 walk->options))
			return false;
	}

	/* an order by nothing but constants isn't printed */
	if (agg->aggkind != AGGKIND_NORMAL)
		foreach(lc, agg->args)
			if (IsA(lfirst_node(TargetEntry, lc)->expr, Const))
				return false;

	return agg->aggorder == NIL ||
		pgml_shippable_order_by(walk->root, walk->relids, walk->options, agg->aggorder,
								agg->args, &keys);
}

bool
pgml_shippable_aggregate(Aggref *agg, const PgmlWalk *walk, PgmlCollation *result)
{
	PgmlCollation inner = {InvalidOid, NEUTRAL};
	PgmlCollation part;
	ListCell   *lc;

	if ((agg->aggsplit != AGGSPLIT_SIMPLE && agg->aggsplit != AGGSPLIT_INITIAL_SERIAL) ||
		agg->agglevelsup != 0 ||
		!pgml_shippable_object(agg->aggfnoid, ProcedureRelationId, walk->options))
		return false;

	foreach(lc, agg->aggdirectargs)
	{
		if (!pgml_shippable_part(lfirst(lc), walk, NULL, &part))
			return false;
		inner = pgml_merge_collations(inner, part);
	}
	foreach(lc, agg->args)
	{
		if (!pgml_shippable_part(lfirst_node(TargetEntry, lc)->expr, walk, NULL, &part))
			return false;
		if (!lfirst_node(TargetEntry, lc)->resjunk)
			inner = pgml_merge_collations(inner, part);
	}
	if (agg->aggfilter != NULL && !pgml_shippable_part(agg->aggfilter, walk, NULL, &part))
		return false;
	if (!shippable_order_within(agg, walk))
		return false;

	*result = pgml_derive_collation((Node *) agg, inner);
	return pgml_shippable_input_collation(agg->inputcollid, inner, agg->aggfnoid, walk->options);
}
