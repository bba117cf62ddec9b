/*
 * shippable_local.c
 *		Which parts of an expression are computed here, and sent as values?
 *
 * An expression that reads no column of the remote has one value for the whole
 * of a scan, if no function in it is volatile.  So it need not be shippable: the
 * executor computes it when the scan starts, and the remote sees a parameter.
 * That is done where it is needed: where a function is only stable (now(),
 * CURRENT_DATE), or not known to the remote.  Whatever the remote can compute is
 * left to it.
 *
 * shippable.c and deparse_expr.c walk an expression from its top and both ask here
 * for each part, so that they agree.
 */
#include "postgres.h"

#include "catalog/pg_proc.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/clauses.h"
#include "optimizer/optimizer.h"
#include "utils/lsyscache.h"

#include "query/shippable.h"
#include "query/shippable_object.h"

/* Stops at what ties an expression to rows of the remote, or to its place in the tree. */
static bool
is_bound(Node *node, Relids *relids)
{
	if (node == NULL)
		return false;
	switch (nodeTag(node))
	{
		case T_Var:
			return ((Var *) node)->varlevelsup != 0 ||
				bms_is_member(((Var *) node)->varno, *relids);
		case T_Param:
			return ((Param *) node)->paramkind != PARAM_EXTERN &&
				((Param *) node)->paramkind != PARAM_EXEC;
		case T_Aggref:
		case T_GroupingFunc:
		case T_WindowFunc:
		case T_SubLink:
		case T_SubPlan:
		case T_AlternativeSubPlan:
		case T_PlaceHolderVar:
		case T_CaseTestExpr:
		case T_CoerceToDomainValue:
		case T_SetToDefault:
		case T_CurrentOfExpr:
		case T_NextValueExpr:
			return true;
		default:
			return expression_tree_walker(node, is_bound, relids);
	}
}

static bool
is_unknown_function(Oid funcid, void *options)
{
	return !pgml_shippable_object(funcid, ProcedureRelationId, options);
}

/* Stops at a function that the remote doesn't know. */
static bool
has_unknown_function(Node *node, void *options)
{
	if (node == NULL)
		return false;
	return check_functions_in_node(node, is_unknown_function, options) ||
		expression_tree_walker(node, has_unknown_function, options);
}

bool
pgml_is_local_value(Relids relids, const PgmlOptions *options, Expr *expr)
{
	Node	   *node = (Node *) expr;

	if (IsA(node, Const) || IsA(node, Param) || IsA(node, Var) || is_bound(node, &relids))
		return false;
	return (contain_mutable_functions(node) ||
			has_unknown_function(node, unconstify(PgmlOptions *, options))) &&
		!contain_volatile_functions(node) && !expression_returns_set(node) &&
		pgml_shippable_type(exprType(node), options) && pgml_portable_value(exprType(node));
}

/* The walk of pgml_has_mutable_functions. */
typedef struct MutableWalk
{
	Relids		relids;
	const PgmlOptions *options;
} MutableWalk;

static bool
is_mutable_function(Oid funcid, void *context)
{
	return func_volatile(funcid) != PROVOLATILE_IMMUTABLE;
}

static bool
has_mutable_functions(Node *node, MutableWalk *walk)
{
	if (node == NULL ||
		(!IsA(node, List) && !IsA(node, TargetEntry) && !IsA(node, SortGroupClause) &&
		 pgml_is_local_value(walk->relids, walk->options, (Expr *) node)))
		return false;
	return check_functions_in_node(node, is_mutable_function, NULL) ||
		expression_tree_walker(node, has_mutable_functions, walk);
}

bool
pgml_has_mutable_functions(Relids relids, const PgmlOptions *options, Expr *expr)
{
	MutableWalk walk = {relids, options};

	/* mostly there is none at all */
	return contain_mutable_functions((Node *) expr) &&
		has_mutable_functions((Node *) expr, &walk);
}
