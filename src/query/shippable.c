/*
 * shippable.c
 *		Which expressions mean the same on the remote as here?
 *
 * An expression is shipped when all of these hold.
 *
 * Each node is of a kind that deparse_expr.c prints exactly, and each function,
 * operator and type in it is known to the remote (shippable_object.c).
 *
 * It gives the same result wherever and whenever it is evaluated: immutable,
 * independent of the database's encoding, and with values that can be written
 * down so that the remote reads the same value.  Parts of it that need no column of the
 * remote may be computed here instead (shippable_local.c).
 *
 * Every collation that matters is one that the remote derives from the same
 * source as the local parser did.  That is what the type Settled is about.
 * The text that is sent contains no COLLATE clause, so the remote derives
 * collations from its columns alone, and a column of a foreign table is
 * assumed to have the collation that is declared for it here; one with none
 * has the default of its database, which counts as ours only if the remote
 * has said so (shippable_collation.c).  Going up the
 * tree, the collation of a subexpression is in one of three states:
 *
 *	  NEUTRAL	there is none, or it is the database's default and nothing but
 *				constants and parameters gave it.  The default collation there
 *				may be another than the one here, so a comparison by it is not
 *				shipped; but a column's collation prevails over it, there as
 *				here, so it does no harm beside a column.
 *	  COLUMN	a foreign column's, or that of a type with a collation of its own
 *				("name"): the remote arrives at the same one.
 *	  ALIEN		anything else: an explicit COLLATE, a local column's, or a
 *				conflict between columns.
 *
 * A function that looks at its collation must find COLUMN and the very one
 * that the local parser chose.  shippable_collation.c knows the exceptions.
 */
#include "postgres.h"

#include "catalog/pg_collation.h"
#include "catalog/pg_operator.h"
#include "catalog/pg_opfamily.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"

#include "base/compat.h"
#include "base/oids.h"
#include "base/setting.h"
#include "query/deparse.h"
#include "query/shippable.h"
#include "query/shippable_object.h"
#include "query/shippable_walk.h"

/*
 * Built-in functions that the catalog calls immutable although they give
 * something else in a database of another encoding.
 */
static const Oid encoding_functions[] = {
	F_ASCII, F_CHR, F_MD5_TEXT,
	F_OCTET_LENGTH_TEXT, F_OCTET_LENGTH_BPCHAR, F_BIT_LENGTH_TEXT,
	F_TO_ASCII_TEXT, F_TO_ASCII_TEXT_INT4, F_TO_ASCII_TEXT_NAME,
	F_HASHTEXT, F_HASHTEXTEXTENDED, F_HASHBPCHAR, F_HASHBPCHAREXTENDED
};

/*
 * Types between which a cast through the text form gives the same under all
 * settings.  The catalog's volatility is not enough: the output of floats and
 * bytea follows settings and is called immutable all the same.
 */
static const Oid plain_text_types[] = {
	BOOLOID, INT2OID, INT4OID, INT8OID, OIDOID, NUMERICOID,
	TEXTOID, VARCHAROID, BPCHAROID, NAMEOID, CHAROID,
	UUIDOID, BITOID, VARBITOID, MACADDROID, MACADDR8OID, JSONBOID
};

/* Can a value that is computed here be sent for this Param or Var of another relation? */
static bool
shippable_param(const Node *node)
{
	if (IsA(node, Param))
	{
		ParamKind	kind = ((const Param *) node)->paramkind;

		/* the others stand for outputs of subqueries that are not yet planned */
		if (kind != PARAM_EXTERN && kind != PARAM_EXEC)
			return false;
	}
	return pgml_portable_value(exprType(node));
}

/*
 * Expressions
 */

static bool unshippable(Node *node, PgmlWalk *walk);

bool
pgml_shippable_part(Expr *expr, const PgmlWalk *walk, const PgmlCollation *test,
					PgmlCollation *collation)
{
	PgmlWalk	part = *walk;

	part.inner.oid = InvalidOid;
	part.inner.settled = NEUTRAL;
	part.test = test;
	if (unshippable((Node *) expr, &part))
		return false;
	*collation = part.inner;
	return true;
}

/* A column of the remote, or a value that is sent there. */
static bool
shippable_var(Var *var, PgmlWalk *walk, PgmlCollation *result)
{
	PgmlCollation neutral = {InvalidOid, NEUTRAL};

	if (var->varlevelsup != 0)
		return false;
	if (!bms_is_member(var->varno, walk->relids))
	{
		*result = pgml_derive_collation((Node *) var, neutral);
		return shippable_param((Node *) var);
	}

	/* of the system columns only ctid is the remote's own here */
	if (var->varattno <= 0 && var->varattno != SelfItemPointerAttributeNumber)
		return false;
	result->oid = var->varcollid;
	result->settled = OidIsValid(var->varcollid) ? COLUMN : NEUTRAL;
	return true;
}

/* Stops at a CASE with a test expression. */
static bool
has_simple_case(Node *node, void *context)
{
	if (node == NULL)
		return false;
	if (IsA(node, CaseExpr) && ((CaseExpr *) node)->arg != NULL)
		return true;
	return expression_tree_walker(node, has_simple_case, context);
}

/*
 * CASE.  The deparser prints the test expression in each WHEN clause, in place
 * of CaseTestExpr; so that the text can't grow exponentially, one such CASE
 * within the test expression of another is refused.
 */
static bool
shippable_case(CaseExpr *expr, PgmlWalk *walk, PgmlCollation *result)
{
	PgmlCollation testval = {InvalidOid, NEUTRAL};
	PgmlCollation inner = {InvalidOid, NEUTRAL};
	PgmlCollation part;
	ListCell   *lc;

	if (has_simple_case((Node *) expr->arg, NULL) ||
		!pgml_shippable_part(expr->arg, walk, NULL, &testval))
		return false;

	foreach(lc, expr->args)
	{
		CaseWhen   *when = lfirst_node(CaseWhen, lc);

		if (!pgml_shippable_part(when->expr, walk, expr->arg ? &testval : walk->test, &part) ||
			!pgml_shippable_part(when->result, walk, walk->test, &part))
			return false;
		inner = pgml_merge_collations(inner, part);
	}
	if (!pgml_shippable_part(expr->defresult, walk, walk->test, &part))
		return false;
	*result = pgml_derive_collation((Node *) expr, pgml_merge_collations(inner, part));
	return true;
}

/* The argument of a cast, NULL if expr isn't one. */
static Expr *
cast_argument(Expr *expr)
{
	if (IsA(expr, RelabelType))
		return ((RelabelType *) expr)->arg;
	if (IsA(expr, CoerceViaIO))
		return ((CoerceViaIO *) expr)->arg;
	if (IsA(expr, FuncExpr) &&
		(((FuncExpr *) expr)->funcformat == COERCE_EXPLICIT_CAST ||
		 ((FuncExpr *) expr)->funcformat == COERCE_IMPLICIT_CAST))
		return linitial(((FuncExpr *) expr)->args);
	return NULL;
}

/*
 * A cast of each element of an array.  It is printed as a cast of the array,
 * so the element's expression must be what such a cast makes: a cast to the
 * type, and perhaps one to a length above it.
 */
static bool
shippable_array_coerce(ArrayCoerceExpr *expr, PgmlWalk *walk, PgmlCollation *result)
{
	Oid			source = get_element_type(exprType((Node *) expr->arg));
	Oid			target = get_element_type(expr->resulttype);
	Expr	   *element = expr->elemexpr;
	PgmlCollation placeholder = {InvalidOid, NEUTRAL};
	PgmlCollation inner;
	PgmlCollation part;

	while (element != NULL && !IsA(element, CaseTestExpr))
		element = cast_argument(element);
	if (element == NULL || element == expr->elemexpr ||
		!pgml_shippable_cast(source, target, walk->options))
		return false;

	/* an implicit cast fails where an explicit one cuts off */
	if (expr->resulttypmod >= 0 && expr->coerceformat == COERCE_IMPLICIT_CAST)
		return false;

	if (!pgml_shippable_part(expr->arg, walk, walk->test, &inner) ||
		!pgml_shippable_part(expr->elemexpr, walk, &placeholder, &part))
		return false;
	*result = pgml_derive_collation((Node *) expr, inner);
	return true;
}

/*
 * Row comparison by <, <=, > or >=.  It is printed with one operator name for
 * all columns, and the remote finds the operators by their argument types.
 */
static bool
shippable_row_compare(RowCompareExpr *expr, PgmlWalk *walk)
{
	char	   *name = get_opname(linitial_oid(expr->opnos));
	ListCell   *op;
	ListCell   *left;
	ListCell   *right;
	ListCell   *collid;

	forfour(op, expr->opnos, left, expr->largs, right, expr->rargs, collid, expr->inputcollids)
	{
		char	   *opname = get_opname(lfirst_oid(op));
		PgmlCollation l;
		PgmlCollation r;

		if (!pgml_is_builtin(lfirst_oid(op)) || opname == NULL || strcmp(name, opname) != 0)
			return false;
		if (!pgml_shippable_part(lfirst(left), walk, walk->test, &l) ||
			!pgml_shippable_part(lfirst(right), walk, walk->test, &r) ||
			!pgml_shippable_input_collation(lfirst_oid(collid), pgml_merge_collations(l, r),
											get_opcode(lfirst_oid(op)), walk->options))
			return false;
	}
	return true;
}

static bool
shippable_function(FuncExpr *func, const PgmlOptions *options)
{
	if (func->funcretset || PGML_IS_ONE_OF(func->funcid, encoding_functions))
		return false;
	if (cast_argument((Expr *) func) != NULL && !pgml_shippable_cast(exprType(linitial(func->args)), func->funcresulttype, options))
		return false;
	return pgml_shippable_object(func->funcid, ProcedureRelationId, options);
}

/* A cast through the text form. */
static bool
shippable_io_cast(CoerceViaIO *cast, const PgmlOptions *options)
{
	Oid			source = exprType((Node *) cast->arg);

	return PGML_IS_ONE_OF(source, plain_text_types) &&
		PGML_IS_ONE_OF(cast->resulttype, plain_text_types) &&
		pgml_shippable_cast(source, cast->resulttype, options);
}

/*
 * Judge what is special to one kind of expression, its arguments left aside.
 * funcid becomes the function that sees the collation of the arguments.
 */
static bool
shippable_operation(Node *node, PgmlWalk *walk, Oid *funcid)
{
	const PgmlOptions *options = walk->options;

	switch (nodeTag(node))
	{
		case T_FuncExpr:
			*funcid = ((FuncExpr *) node)->funcid;
			return shippable_function((FuncExpr *) node, options);
		case T_OpExpr:
			*funcid = get_opcode(((OpExpr *) node)->opno);
			return !((OpExpr *) node)->opretset &&
				pgml_shippable_object(((OpExpr *) node)->opno, OperatorRelationId, options);
		case T_DistinctExpr:
		case T_NullIfExpr:
			/* printed without their operator: the remote takes "=" of pg_catalog */
			*funcid = get_opcode(((OpExpr *) node)->opno);
			return pgml_is_builtin(((OpExpr *) node)->opno);
		case T_ScalarArrayOpExpr:
			*funcid = get_opcode(((ScalarArrayOpExpr *) node)->opno);
			return pgml_shippable_object(((ScalarArrayOpExpr *) node)->opno,
										 OperatorRelationId, options);
		case T_CoerceViaIO:
			return shippable_io_cast((CoerceViaIO *) node, options);
		case T_RelabelType:
			return pgml_shippable_cast(exprType((Node *) ((RelabelType *) node)->arg),
									   ((RelabelType *) node)->resulttype, options);
		case T_SubscriptingRef:
			/* reading from an array; subscripts of other types are their own affair */
			return ((SubscriptingRef *) node)->refassgnexpr == NULL &&
				OidIsValid(get_element_type(((SubscriptingRef *) node)->refcontainertype));
		case T_MinMaxExpr:
		case T_BoolExpr:
		case T_NullTest:
		case T_BooleanTest:
		case T_CoalesceExpr:
		case T_ArrayExpr:
			return true;
		default:
			return false;
	}
}

/* An expression whose result is computed from all of its arguments alike. */
static bool
shippable_computation(Node *node, PgmlWalk *walk, PgmlCollation *result)
{
	PgmlWalk	args = *walk;
	Oid			funcid = InvalidOid;

	if (!shippable_operation(node, walk, &funcid))
		return false;

	args.inner.oid = InvalidOid;
	args.inner.settled = NEUTRAL;
	if (expression_tree_walker(node, unshippable, &args))
		return false;
	*result = pgml_derive_collation(node, args.inner);
	return IsA(node, NullTest) ||
		pgml_shippable_input_collation(exprInputCollation(node), args.inner, funcid, walk->options);
}

/* Judge a node by its kind; result becomes its collation. */
static bool
shippable_node(Node *node, PgmlWalk *walk, PgmlCollation *result)
{
	switch (nodeTag(node))
	{
		case T_Var:
			return shippable_var((Var *) node, walk, result);
		case T_Const:
			*result = pgml_derive_collation(node, *result);
			return pgml_shippable_const((Const *) node, walk->options);
		case T_Param:
			*result = pgml_derive_collation(node, *result);
			return shippable_param(node);
		case T_CaseTestExpr:
			if (walk->test == NULL)
				return false;
			*result = pgml_derive_collation(node, *walk->test);
			return true;
		case T_CaseExpr:
			return shippable_case((CaseExpr *) node, walk, result);
		case T_ArrayCoerceExpr:
			return shippable_array_coerce((ArrayCoerceExpr *) node, walk, result);
		case T_RowCompareExpr:
			return shippable_row_compare((RowCompareExpr *) node, walk);
		case T_Aggref:
			return pgml_shippable_aggregate((Aggref *) node, walk, result);
		case T_GroupingFunc:
			return !expression_tree_walker(node, unshippable, walk);
		case T_WindowFunc:
			return pgml_shippable_window_func((WindowFunc *) node, walk, result);
		case T_SubPlan:
			return pgml_shippable_subplan((SubPlan *) node, walk, result);
		case T_AlternativeSubPlan:
			/* one in several ways; the first is as the user wrote it */
			return pgml_shippable_subplan(linitial(((AlternativeSubPlan *) node)->subplans),
										  walk, result);
		default:
			return shippable_computation(node, walk, result);
	}
}

/*
 * Visit a node for expression_tree_walker, which stops when this says true:
 * the expression can't be shipped.  The node's collation is merged into
 * walk->inner.
 */
static bool
unshippable(Node *node, PgmlWalk *walk)
{
	PgmlCollation result = {InvalidOid, NEUTRAL};

	if (node == NULL)
		return false;
	check_stack_depth();
	if (IsA(node, List))
		return expression_tree_walker(node, unshippable, walk);

	if (pgml_is_local_value(walk->relids, walk->options, (Expr *) node))
		result = pgml_derive_collation(node, result);
	else if (!pgml_shippable_type(exprType(node), walk->options) ||
			 !shippable_node(node, walk, &result))
		return true;
	walk->inner = pgml_merge_collations(walk->inner, result);
	return false;
}

bool
pgml_judge_expr(PlannerInfo *root, Relids relids, const PgmlOptions *options, Expr *expr,
				PgmlCollation *collation)
{
	PgmlWalk	walk = {root, relids, options, {InvalidOid, NEUTRAL}, NULL};

	/* the catalog look-ups of volatility come last: they are many */
	if (!pgml_setting_enable_pushdown ||
		unshippable((Node *) expr, &walk) ||
		walk.inner.settled == ALIEN ||
		pgml_has_mutable_functions(relids, options, expr))
		return false;
	*collation = walk.inner;
	return true;
}

bool
pgml_shippable_expr(PlannerInfo *root, Relids relids, const PgmlOptions *options, Expr *expr)
{
	PgmlCollation collation;

	return pgml_judge_expr(root, relids, options, expr, &collation);
}
