/*
 * shippable_subplan.c
 *		Subqueries in expressions: may the remote run them?
 *
 * Question answered: a condition or a column holds a subquery that core has planned
 * by itself (a SubPlan), to be run here for each row; could the remote do that, as
 * a sub-SELECT of the statement that is sent?
 *
 * It can, if it can compute all of the subquery, which the floor above knows, and
 * if what the subquery takes from the row around it is columns.  The planner has made
 * parameters of these; they are printed as what they stand for.
 *
 * What is computed here and sent as a value is computed once, before the first row.
 * So no such value in the subquery may hang on those parameters.
 */
#include "postgres.h"

#include "catalog/pg_operator.h"
#include "nodes/nodeFuncs.h"
#include "utils/lsyscache.h"

#include "query/select.h"
#include "query/shippable.h"
#include "query/shippable_object.h"
#include "query/shippable_walk.h"

PgmlSubqueryFinder pgml_find_subquery = NULL;

/* A walk over all expressions of a subquery, for values that are computed here. */
typedef struct LocalWalk
{
	const PgmlSubquery *subquery;
	List	   *params;			/* int: executor parameters that have no value here */
} LocalWalk;

static bool subquery_hangs_on(const PgmlSubquery *subquery, List *params);

/* Stops at one of the parameters. */
static bool
has_param(Node *node, void *context)
{
	if (node == NULL)
		return false;
	if (IsA(node, Param))
		return ((Param *) node)->paramkind == PARAM_EXEC &&
			list_member_int((List *) context, ((Param *) node)->paramid);
	return expression_tree_walker(node, has_param, context);
}

/* Stops at a value that is computed here and hangs on one of the parameters. */
static bool
hangs_on_params(Node *node, void *context)
{
	LocalWalk  *walk = context;

	if (node == NULL)
		return false;
	if (IsA(node, RestrictInfo))
		return hangs_on_params((Node *) ((RestrictInfo *) node)->clause, context);
	if (!IsA(node, List) && !IsA(node, TargetEntry) && !IsA(node, SortGroupClause) &&
		pgml_is_local_value(walk->subquery->relids, walk->subquery->options, (Expr *) node))
		return has_param(node, walk->params);
	if (IsA(node, SubPlan))
	{
		const PgmlSubquery *below = pgml_find_subquery(walk->subquery->root, (SubPlan *) node,
													   walk->subquery->options);

		if (below == NULL || subquery_hangs_on(below, walk->params))
			return true;
	}
	return expression_tree_walker(node, hangs_on_params, context);
}

static bool from_hangs_on(const PgmlFrom *from, LocalWalk *walk);

static bool
conds_hang_on(PgmlConds conds, LocalWalk *walk)
{
	ListCell   *lc;

	if (hangs_on_params((Node *) conds.clauses, walk))
		return true;
	foreach(lc, conds.exists)
	{
		const PgmlExists *exists = lfirst(lc);

		if (from_hangs_on(exists->from, walk) || conds_hang_on(exists->where, walk))
			return true;
	}
	return false;
}

static bool
from_hangs_on(const PgmlFrom *from, LocalWalk *walk)
{
	if (from->rti == 0)
		return from_hangs_on(from->left, walk) || from_hangs_on(from->right, walk) ||
			conds_hang_on(from->on, walk);
	return (from->subquery != NULL && subquery_hangs_on(from->subquery, walk->params)) ||
		conds_hang_on(from->filter, walk);
}

/* Does a value that is computed here for the subquery hang on one of these parameters? */
static bool
subquery_hangs_on(const PgmlSubquery *subquery, List *params)
{
	const PgmlSelect *select = subquery->select;
	LocalWalk	walk = {subquery, params};
	ListCell   *lc;

	if (subquery->op != SETOP_NONE)
		return subquery_hangs_on(subquery->left, params) ||
			subquery_hangs_on(subquery->right, params);

	foreach(lc, select->sort)
		if (hangs_on_params((Node *) ((PgmlSortKey *) lfirst(lc))->expr, &walk))
			return true;
	return hangs_on_params((Node *) select->targets, &walk) ||
		from_hangs_on(select->from, &walk) ||
		conds_hang_on(select->where, &walk) ||
		hangs_on_params((Node *) select->group, &walk) ||
		hangs_on_params((Node *) select->distinct_on, &walk) ||
		hangs_on_params((Node *) select->having, &walk) ||
		hangs_on_params((Node *) select->limit, &walk) ||
		hangs_on_params((Node *) select->offset, &walk);
}

/* Is what the subquery takes from around it no more than columns and values? */
static bool
shippable_arguments(const SubPlan *plan, const PgmlWalk *walk)
{
	PgmlCollation collation;
	ListCell   *lc;

	foreach(lc, plan->args)
		if ((!IsA(lfirst(lc), Var) && !IsA(lfirst(lc), Param)) ||
			!pgml_shippable_part(lfirst(lc), walk, NULL, &collation))
			return false;
	return true;
}

OpExpr *
pgml_subplan_comparison(const SubPlan *plan)
{
	OpExpr	   *op = (OpExpr *) plan->testexpr;
	Param	   *column;

	if (op == NULL || !IsA(op, OpExpr) || list_length(op->args) != 2 ||
		list_length(plan->paramIds) != 1)
		return NULL;
	column = lsecond(op->args);
	if (!IsA(column, Param) || column->paramkind != PARAM_EXEC ||
		column->paramid != linitial_int(plan->paramIds))
		return NULL;
	return op;
}

/* Judge x = ANY (SELECT ...) and the like. */
static bool
shippable_comparison(const SubPlan *plan, const PgmlWalk *walk)
{
	OpExpr	   *op = pgml_subplan_comparison(plan);
	PgmlCollation left;
	PgmlCollation right;

	if (op == NULL || op->opretset ||
		!pgml_shippable_object(op->opno, OperatorRelationId, walk->options) ||
		!pgml_shippable_part(linitial(op->args), walk, walk->test, &left))
		return false;
	right.oid = exprCollation(lsecond(op->args));
	right.settled = OidIsValid(right.oid) ? COLUMN : NEUTRAL;
	return pgml_shippable_input_collation(op->inputcollid, pgml_merge_collations(left, right),
										  get_opcode(op->opno), walk->options);
}

bool
pgml_shippable_subplan(const SubPlan *plan, const PgmlWalk *walk, PgmlCollation *result)
{
	const PgmlSubquery *subquery;

	switch (plan->subLinkType)
	{
		case EXISTS_SUBLINK:
		case EXPR_SUBLINK:
		case ARRAY_SUBLINK:
			if (plan->testexpr != NULL)
				return false;
			break;
		case ANY_SUBLINK:
		case ALL_SUBLINK:
			if (!shippable_comparison(plan, walk))
				return false;
			break;
		default:
			return false;
	}
	if (!shippable_arguments(plan, walk))
		return false;
	subquery = pgml_find_subquery(walk->root, plan, walk->options);
	if (subquery == NULL || subquery_hangs_on(subquery, plan->parParam))
		return false;

	/* the remote finds the collation where we did, in the subquery's column */
	result->oid = exprCollation((Node *) plan);
	result->settled = OidIsValid(result->oid) ? COLUMN : NEUTRAL;
	return true;
}
