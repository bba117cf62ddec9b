/*
 * deparse_expr.c
 *		Expression trees into SQL.
 *
 * Question answered: which text makes the remote's parser build this very
 * tree?  What may come here was judged by shippable.c, which accepts the kinds
 * of nodes that are printed here; the two files must agree.
 *
 * Each function prints text that may stand anywhere: it has its own
 * parentheses, or ends in a cast, which binds tighter than any operator.  Only
 * a subscript binds tighter still, and puts parentheses around what it
 * subscripts.
 *
 * Implicit casts are printed like explicit ones.  So every argument of an
 * operator or function has exactly the type that the local parser gave it, and
 * the remote finds the same operator or function without choosing among
 * candidates.  Its planner makes no difference between the two.
 *
 * CASE x WHEN y is printed as CASE WHEN x = y, because its comparison need not be
 * "=" of pg_catalog any more when the planner has looked at it.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_aggregate.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type_d.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/clauses.h"
#include "optimizer/optimizer.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"

#include "base/compat.h"
#include "base/textio.h"
#include "query/deparse.h"
#include "query/partial.h"
#include "query/select.h"
#include "query/shippable.h"

static void append_expr(PgmlDeparse *cxt, Expr *expr);

/* Append a list of expressions with a separator between them. */
static void
append_list(PgmlDeparse *cxt, List *exprs, const char *separator)
{
	ListCell   *lc;

	foreach(lc, exprs)
	{
		if (lc != list_head(exprs))
			appendStringInfoString(cxt->buf, separator);
		append_expr(cxt, lfirst(lc));
	}
}

/* Append a cast to what has just been printed. */
static void
append_cast(PgmlDeparse *cxt, Oid typid, int32 typmod)
{
	appendStringInfo(cxt->buf, "::%s", pgml_deparse_type_name(typid, typmod, cxt->options));
}

/* Append $n for a value that is computed here, the same n for equal expressions. */
static void
append_param(PgmlDeparse *cxt, Expr *expr)
{
	int			n = 0;
	ListCell   *lc;

	foreach(lc, cxt->params)
	{
		n++;
		if (equal(lfirst(lc), expr))
			break;
	}
	if (lc == NULL)
	{
		cxt->params = lappend(cxt->params, expr);
		n++;
	}

	cxt->param_at = lappend_int(cxt->param_at, cxt->buf->len);
	appendStringInfo(cxt->buf, "$%d", n);
	append_cast(cxt, exprType((Node *) expr), -1);
}

void
pgml_deparse_switch(PgmlDeparse *cxt, const PgmlDeparse *place)
{
	PgmlDeparse now = *cxt;

	*cxt = *place;
	cxt->buf = now.buf;
	cxt->params = now.params;
	cxt->param_at = now.param_at;
	cxt->nested = now.nested;
}

char *
pgml_deparse_alias(const PgmlDeparse *cxt, Index rti)
{
	if (cxt->depth == 0)
		return psprintf("r%u", rti);
	return psprintf("q%d_%u", cxt->depth, rti);
}

static void
append_var(PgmlDeparse *cxt, Var *var)
{
	RangeTblEntry *rte;
	bool		as_text;

	if (!bms_is_member(var->varno, cxt->relids) || var->varlevelsup != 0)
	{
		append_param(cxt, (Expr *) var);
		return;
	}
	rte = planner_rt_fetch(var->varno, cxt->root);
	if (rte->rtekind == RTE_SUBQUERY)
	{
		appendStringInfo(cxt->buf, "%s.c%d", pgml_deparse_alias(cxt, var->varno), var->varattno);
		return;
	}

	/* a column that is text only here is compared, and sorted, as text there too */
	as_text = var->varattno > 0 && pgml_option_column_type(rte->relid, var->varattno) != NULL;
	if (as_text)
		appendStringInfoChar(cxt->buf, '(');
	if (cxt->aliased)
		appendStringInfo(cxt->buf, "%s.", pgml_deparse_alias(cxt, var->varno));
	else if (cxt->qualifier != NULL)
		appendStringInfo(cxt->buf, "%s.", cxt->qualifier);
	pgml_deparse_column(cxt->buf, rte->relid, var->varattno);
	if (as_text)
		appendStringInfoString(cxt->buf, ")::text");
}

/* Append the subscripts of an array; in a slice, a bound may be left out. */
static void
append_subscripts(PgmlDeparse *cxt, SubscriptingRef *ref)
{
	bool		bare = IsA(ref->refexpr, Var) &&
		bms_is_member(((Var *) ref->refexpr)->varno, cxt->relids);
	ListCell   *lower = list_head(ref->reflowerindexpr);
	ListCell   *upper;

	if (!bare)
		appendStringInfoChar(cxt->buf, '(');
	append_expr(cxt, ref->refexpr);
	if (!bare)
		appendStringInfoChar(cxt->buf, ')');

	foreach(upper, ref->refupperindexpr)
	{
		appendStringInfoChar(cxt->buf, '[');
		if (lower != NULL)
		{
			if (lfirst(lower) != NULL)
				append_expr(cxt, lfirst(lower));
			appendStringInfoChar(cxt->buf, ':');
			lower = lnext(ref->reflowerindexpr, lower);
		}
		if (lfirst(upper) != NULL)
			append_expr(cxt, lfirst(upper));
		appendStringInfoChar(cxt->buf, ']');
	}
}

static void
append_function_name(PgmlDeparse *cxt, Oid funcid)
{
	HeapTuple	tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(funcid));
	Form_pg_proc form;

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for function %u", funcid);
	form = (Form_pg_proc) GETSTRUCT(tuple);
	pgml_deparse_qualified_name(cxt->buf, form->pronamespace, NameStr(form->proname));
	ReleaseSysCache(tuple);
}

/* Append a call in function notation. */
static void
append_call(PgmlDeparse *cxt, FuncExpr *func)
{
	ListCell   *lc;

	append_function_name(cxt, func->funcid);

	appendStringInfoChar(cxt->buf, '(');
	foreach(lc, func->args)
	{
		if (lc != list_head(func->args))
			appendStringInfoString(cxt->buf, ", ");
		if (func->funcvariadic && lnext(func->args, lc) == NULL)
			appendStringInfoString(cxt->buf, "VARIADIC ");
		append_expr(cxt, lfirst(lc));
	}
	appendStringInfoChar(cxt->buf, ')');
}

/*
 * Append a function call or a cast that is one.  An implicit cast to a length
 * is told that it is implicit by a further argument: only function notation
 * keeps that.
 */
static void
append_function(PgmlDeparse *cxt, FuncExpr *func)
{
	bool		explicit = func->funcformat == COERCE_EXPLICIT_CAST;
	bool		implicit = func->funcformat == COERCE_IMPLICIT_CAST;
	int32		typmod = -1;

	if (explicit || (implicit && list_length(func->args) == 1))
	{
		(void) exprIsLengthCoercion((Node *) func, &typmod);
		append_expr(cxt, linitial(func->args));
		append_cast(cxt, func->funcresulttype, typmod);
	}
	else
		append_call(cxt, func);
}

/* Is it a column that is text here, and of which nobody has said that it isn't there? */
static bool
is_text_column(PgmlDeparse *cxt, Node *node)
{
	Var		   *var = (Var *) node;
	RangeTblEntry *rte;

	if (!IsA(var, Var) || var->vartype != TEXTOID || var->varattno <= 0 ||
		var->varlevelsup != 0 || !bms_is_member(var->varno, cxt->relids))
		return false;
	rte = planner_rt_fetch(var->varno, cxt->root);
	return rte->rtekind == RTE_RELATION &&
		pgml_option_column_type(rte->relid, var->varattno) == NULL;
}

/*
 * Append an operand.  Many tables are declared with text for what is an enum or a
 * uuid there; so a constant that a text column is tested for equality with is left
 * untyped, and the remote gives it the column's type.
 */
static void
append_operand(PgmlDeparse *cxt, Node *node, Node *other, Oid opno)
{
	RegProcedure function = get_opcode(opno);

	if (IsA(node, Const) && !((Const *) node)->constisnull &&
		(function == F_TEXTEQ || function == F_TEXTNE) && is_text_column(cxt, other))
	{
		Oid			output;
		bool		isvarlena;

		getTypeOutputInfo(((Const *) node)->consttype, &output, &isvarlena);
		pgml_deparse_literal(cxt->buf, OidOutputFunctionCall(output, ((Const *) node)->constvalue));
	}
	else
		append_expr(cxt, (Expr *) node);
}

/* Append an operator with one or two operands. */
static void
append_operation(PgmlDeparse *cxt, OpExpr *op)
{
	appendStringInfoChar(cxt->buf, '(');
	if (list_length(op->args) == 2)
	{
		append_operand(cxt, linitial(op->args), lsecond(op->args), op->opno);
		appendStringInfoChar(cxt->buf, ' ');
	}
	pgml_deparse_operator(cxt->buf, op->opno);
	appendStringInfoChar(cxt->buf, ' ');
	append_operand(cxt, llast(op->args), linitial(op->args), op->opno);
	appendStringInfoChar(cxt->buf, ')');
}

static void
append_array_operation(PgmlDeparse *cxt, ScalarArrayOpExpr *op)
{
	appendStringInfoChar(cxt->buf, '(');
	append_expr(cxt, linitial(op->args));
	appendStringInfoChar(cxt->buf, ' ');
	pgml_deparse_operator(cxt->buf, op->opno);
	appendStringInfoString(cxt->buf, op->useOr ? " ANY (" : " ALL (");
	append_operand(cxt, lsecond(op->args), linitial(op->args), op->opno);
	appendStringInfoString(cxt->buf, "))");
}

static void
append_bool(PgmlDeparse *cxt, BoolExpr *expr)
{
	appendStringInfoChar(cxt->buf, '(');
	if (expr->boolop == NOT_EXPR)
		appendStringInfoString(cxt->buf, "NOT ");
	append_list(cxt, expr->args, expr->boolop == AND_EXPR ? " AND " : " OR ");
	appendStringInfoChar(cxt->buf, ')');
}

/* Append a test that is written behind its argument. */
static void
append_test(PgmlDeparse *cxt, Expr *arg, const char *test)
{
	appendStringInfoChar(cxt->buf, '(');
	append_expr(cxt, arg);
	appendStringInfo(cxt->buf, " IS %s)", test);
}

static const char *
bool_test_name(BoolTestType type)
{
	switch (type)
	{
		case IS_TRUE:
			return "TRUE";
		case IS_NOT_TRUE:
			return "NOT TRUE";
		case IS_FALSE:
			return "FALSE";
		case IS_NOT_FALSE:
			return "NOT FALSE";
		case IS_UNKNOWN:
			return "UNKNOWN";
		case IS_NOT_UNKNOWN:
			return "NOT UNKNOWN";
	}
	elog(ERROR, "unrecognized booltesttype: %d", (int) type);
	return NULL;
}

/* Append CASE; within its conditions CaseTestExpr is printed as the test expression. */
static void
append_case(PgmlDeparse *cxt, CaseExpr *expr)
{
	Expr	   *outer_arg = cxt->case_arg;
	ListCell   *lc;

	appendStringInfoString(cxt->buf, "CASE");
	foreach(lc, expr->args)
	{
		CaseWhen   *when = lfirst_node(CaseWhen, lc);

		appendStringInfoString(cxt->buf, " WHEN ");
		if (expr->arg != NULL)
			cxt->case_arg = expr->arg;
		append_expr(cxt, when->expr);
		cxt->case_arg = outer_arg;

		appendStringInfoString(cxt->buf, " THEN ");
		append_expr(cxt, when->result);
	}
	if (expr->defresult != NULL)
	{
		appendStringInfoString(cxt->buf, " ELSE ");
		append_expr(cxt, expr->defresult);
	}
	appendStringInfoString(cxt->buf, " END");
}

/* Append name(a, b, ...): a construct of the grammar that looks like a function. */
static void
append_construct(PgmlDeparse *cxt, const char *name, List *args)
{
	appendStringInfo(cxt->buf, "%s(", name);
	append_list(cxt, args, ", ");
	appendStringInfoChar(cxt->buf, ')');
}

static void
append_array(PgmlDeparse *cxt, ArrayExpr *expr)
{
	appendStringInfoString(cxt->buf, "ARRAY[");
	append_list(cxt, expr->elements, ", ");
	appendStringInfoChar(cxt->buf, ']');

	/* without elements nothing else tells the type */
	if (expr->elements == NIL)
		append_cast(cxt, expr->array_typeid, -1);
}

/* Append a IS DISTINCT FROM b. */
static void
append_distinct(PgmlDeparse *cxt, DistinctExpr *expr)
{
	appendStringInfoChar(cxt->buf, '(');
	append_list(cxt, expr->args, " IS DISTINCT FROM ");
	appendStringInfoChar(cxt->buf, ')');
}

static void
append_row_compare(PgmlDeparse *cxt, RowCompareExpr *expr)
{
	appendStringInfoChar(cxt->buf, '(');
	append_construct(cxt, "ROW", expr->largs);
	appendStringInfoChar(cxt->buf, ' ');
	pgml_deparse_operator(cxt->buf, linitial_oid(expr->opnos));
	appendStringInfoChar(cxt->buf, ' ');
	append_construct(cxt, "ROW", expr->rargs);
	appendStringInfoChar(cxt->buf, ')');
}

/* Append a cast that is not a function; typmod -1 if it leaves the value's length alone. */
static void
append_coercion(PgmlDeparse *cxt, Expr *arg, Oid typid, int32 typmod)
{
	append_expr(cxt, arg);
	append_cast(cxt, typid, typmod);
}

/* Append ORDER BY within an aggregate. */
static void
append_order_within(PgmlDeparse *cxt, Aggref *agg)
{
	List	   *keys = NIL;
	ListCell   *lc;

	foreach(lc, agg->aggorder)
	{
		SortGroupClause *clause = lfirst_node(SortGroupClause, lc);
		PgmlSortKey *key = palloc(sizeof(PgmlSortKey));

		key->expr = (Expr *) get_sortgroupclause_expr(clause, agg->args);
		key->sortop = clause->sortop;
		key->nulls_first = clause->nulls_first;
		keys = lappend(keys, key);
	}
	pgml_deparse_order_by(cxt, keys);
}

/* Append an aggregate's arguments, without those that are there only to be sorted by. */
static void
append_aggregated(PgmlDeparse *cxt, Aggref *agg)
{
	List	   *args = NIL;
	ListCell   *lc;

	foreach(lc, agg->args)
		if (!lfirst_node(TargetEntry, lc)->resjunk)
			args = lappend(args, lfirst_node(TargetEntry, lc)->expr);
	if (agg->aggdistinct != NIL)
		appendStringInfoString(cxt->buf, "DISTINCT ");
	foreach(lc, args)
	{
		if (lc != list_head(args))
			appendStringInfoString(cxt->buf, ", ");
		if (agg->aggvariadic && lnext(args, lc) == NULL)
			appendStringInfoString(cxt->buf, "VARIADIC ");
		append_expr(cxt, lfirst(lc));
	}
	append_order_within(cxt, agg);
}

/* Append the condition on the rows that an aggregate takes. */
static void
append_filter(PgmlDeparse *cxt, Expr *filter)
{
	if (filter == NULL)
		return;
	appendStringInfoString(cxt->buf, " FILTER (WHERE ");
	append_expr(cxt, filter);
	appendStringInfoChar(cxt->buf, ')');
}

static void
append_whole_aggregate(PgmlDeparse *cxt, Aggref *agg)
{
	append_function_name(cxt, agg->aggfnoid);
	appendStringInfoChar(cxt->buf, '(');
	if (agg->aggkind != AGGKIND_NORMAL)
	{
		append_list(cxt, agg->aggdirectargs, ", ");
		appendStringInfoString(cxt->buf, ") WITHIN GROUP (");
		append_order_within(cxt, agg);
	}
	else if (agg->aggstar)
		appendStringInfoChar(cxt->buf, '*');
	else
		append_aggregated(cxt, agg);
	appendStringInfoChar(cxt->buf, ')');
	append_filter(cxt, agg->aggfilter);
}

static void
append_window_func(PgmlDeparse *cxt, WindowFunc *func)
{
	append_function_name(cxt, func->winfnoid);
	appendStringInfoChar(cxt->buf, '(');
	if (func->winstar)
		appendStringInfoChar(cxt->buf, '*');
	append_list(cxt, func->args, ", ");
	appendStringInfoChar(cxt->buf, ')');
	append_filter(cxt, func->aggfilter);
	pgml_deparse_window(cxt, func);
}

/* Append another aggregate of the same arguments. */
static void
append_similar(PgmlDeparse *cxt, Aggref *agg, Oid funcid)
{
	Aggref	   *similar = copyObject(agg);

	similar->aggfnoid = funcid;
	similar->aggsplit = AGGSPLIT_SIMPLE;

	/* a sum of float4 would be no more precise than they are */
	if (funcid == F_SUM_FLOAT8)
	{
		TargetEntry *arg = linitial_node(TargetEntry, similar->args);

		if (exprType((Node *) arg->expr) == FLOAT4OID)
			arg->expr = (Expr *) makeFuncExpr(F_FLOAT8_FLOAT4, FLOAT8OID, list_make1(arg->expr),
											  InvalidOid, InvalidOid, COERCE_EXPLICIT_CAST);
	}
	append_whole_aggregate(cxt, similar);
}

/* Append what stands for the first half of an aggregate. */
static void
append_partial(PgmlDeparse *cxt, Aggref *agg)
{
	Oid			argtype = linitial_oid(agg->aggargtypes);

	appendStringInfoString(cxt->buf, "ARRAY[");
	append_similar(cxt, agg, F_COUNT_ANY);
	switch (pgml_partial_of(agg))
	{
		case PGML_PARTIAL_INTEGERS:
			appendStringInfoString(cxt->buf, ", COALESCE(");
			append_similar(cxt, agg, argtype == INT2OID ? F_SUM_INT2 : F_SUM_INT4);
			appendStringInfoString(cxt->buf, ", 0)]");
			break;
		case PGML_PARTIAL_FLOATS:
			/* core starts with 0, which makes 0 of -0; the last one is NaN where the sum is no number */
			appendStringInfoString(cxt->buf, "::double precision, COALESCE(");
			append_similar(cxt, agg, F_SUM_FLOAT8);
			appendStringInfoString(cxt->buf, " + 0, 0), COALESCE(");
			append_similar(cxt, agg, F_SUM_FLOAT8);
			appendStringInfoString(cxt->buf, " * 0, 0)]");
			break;
		case PGML_PARTIAL_NUMERICS:
			appendStringInfoString(cxt->buf, "::numeric, ");
			append_similar(cxt, agg, argtype == INT8OID ? F_SUM_INT8 : F_SUM_NUMERIC);
			appendStringInfoChar(cxt->buf, ']');
			break;
		default:
			elog(ERROR, "unsupported partial aggregate: %u", agg->aggfnoid);
	}
}

/* Append an aggregate, or what stands for its first half. */
static void
append_aggregate(PgmlDeparse *cxt, Aggref *agg)
{
	if (agg->aggsplit == AGGSPLIT_SIMPLE || pgml_partial_of(agg) == PGML_PARTIAL_RESULT)
		append_whole_aggregate(cxt, agg);
	else
		append_partial(cxt, agg);
}

/* Append what a parameter of a subquery stands for in the statement around it, else a parameter. */
static void
append_any_param(PgmlDeparse *cxt, Param *param)
{
	PgmlDeparse place = *cxt;

	for (const PgmlScope *scope = cxt->scope; scope != NULL; scope = scope->around.scope)
	{
		int			at = 0;
		ListCell   *lc;

		foreach(lc, scope->plan->parParam)
		{
			if (param->paramkind == PARAM_EXEC && lfirst_int(lc) == param->paramid)
			{
				pgml_deparse_switch(cxt, &scope->around);
				append_expr(cxt, list_nth(scope->plan->args, at));
				pgml_deparse_switch(cxt, &place);
				return;
			}
			at++;
		}
	}
	append_param(cxt, (Expr *) param);
}

/* Append a subquery in an expression. */
static void
append_subplan(PgmlDeparse *cxt, SubPlan *plan)
{
	PgmlScope	scope = {*cxt, plan};
	OpExpr	   *op;

	switch (plan->subLinkType)
	{
		case EXISTS_SUBLINK:
			appendStringInfoString(cxt->buf, "EXISTS ");
			break;
		case ARRAY_SUBLINK:
			appendStringInfoString(cxt->buf, "ARRAY");
			break;
		case ANY_SUBLINK:
		case ALL_SUBLINK:
			op = pgml_subplan_comparison(plan);
			appendStringInfoChar(cxt->buf, '(');
			append_expr(cxt, linitial(op->args));
			appendStringInfoChar(cxt->buf, ' ');
			pgml_deparse_operator(cxt->buf, op->opno);
			appendStringInfoString(cxt->buf, plan->subLinkType == ANY_SUBLINK ? " ANY " : " ALL ");
			break;
		default:
			break;
	}
	cxt->scope = &scope;
	pgml_deparse_subquery(cxt, pgml_find_subquery(cxt->root, plan, cxt->options));
	cxt->scope = scope.around.scope;
	if (plan->testexpr != NULL)
		appendStringInfoChar(cxt->buf, ')');
}

static void
append_expr(PgmlDeparse *cxt, Expr *expr)
{
	Node	   *node = (Node *) expr;

	check_stack_depth();
	if (pgml_is_local_value(cxt->relids, cxt->options, expr))
	{
		append_param(cxt, expr);
		return;
	}
	switch (nodeTag(node))
	{
		case T_Var:
			append_var(cxt, (Var *) node);
			break;
		case T_Const:
			pgml_deparse_const(cxt->buf, (Const *) node, cxt->options);
			break;
		case T_Param:
			append_any_param(cxt, (Param *) node);
			break;
		case T_SubPlan:
			append_subplan(cxt, (SubPlan *) node);
			break;
		case T_AlternativeSubPlan:
			append_subplan(cxt, linitial(((AlternativeSubPlan *) node)->subplans));
			break;
		case T_CaseTestExpr:
			append_expr(cxt, cxt->case_arg);
			break;
		case T_SubscriptingRef:
			append_subscripts(cxt, (SubscriptingRef *) node);
			break;
		case T_FuncExpr:
			append_function(cxt, (FuncExpr *) node);
			break;
		case T_OpExpr:
			append_operation(cxt, (OpExpr *) node);
			break;
		case T_DistinctExpr:
			append_distinct(cxt, (DistinctExpr *) node);
			break;
		case T_NullIfExpr:
			append_construct(cxt, "NULLIF", ((NullIfExpr *) node)->args);
			break;
		case T_ScalarArrayOpExpr:
			append_array_operation(cxt, (ScalarArrayOpExpr *) node);
			break;
		case T_RowCompareExpr:
			append_row_compare(cxt, (RowCompareExpr *) node);
			break;
		case T_BoolExpr:
			append_bool(cxt, (BoolExpr *) node);
			break;
		case T_NullTest:
			append_test(cxt, ((NullTest *) node)->arg,
						((NullTest *) node)->nulltesttype == IS_NULL ? "NULL" : "NOT NULL");
			break;
		case T_BooleanTest:
			append_test(cxt, ((BooleanTest *) node)->arg,
						bool_test_name(((BooleanTest *) node)->booltesttype));
			break;
		case T_Aggref:
			append_aggregate(cxt, (Aggref *) node);
			break;
		case T_GroupingFunc:
			append_construct(cxt, "GROUPING", ((GroupingFunc *) node)->args);
			break;
		case T_WindowFunc:
			append_window_func(cxt, (WindowFunc *) node);
			break;
		case T_CaseExpr:
			append_case(cxt, (CaseExpr *) node);
			break;
		case T_CoalesceExpr:
			append_construct(cxt, "COALESCE", ((CoalesceExpr *) node)->args);
			break;
		case T_MinMaxExpr:
			append_construct(cxt, ((MinMaxExpr *) node)->op == IS_GREATEST ? "GREATEST" : "LEAST",
							 ((MinMaxExpr *) node)->args);
			break;
		case T_ArrayExpr:
			append_array(cxt, (ArrayExpr *) node);
			break;
		case T_RelabelType:
			append_coercion(cxt, ((RelabelType *) node)->arg,
							((RelabelType *) node)->resulttype, -1);
			break;
		case T_CoerceViaIO:
			append_coercion(cxt, ((CoerceViaIO *) node)->arg,
							((CoerceViaIO *) node)->resulttype, -1);
			break;
		case T_ArrayCoerceExpr:
			append_coercion(cxt, ((ArrayCoerceExpr *) node)->arg,
							((ArrayCoerceExpr *) node)->resulttype,
							((ArrayCoerceExpr *) node)->resulttypmod);
			break;
		default:
			elog(ERROR, "unsupported expression type for deparse: %d", (int) nodeTag(node));
	}
}

/* Append one expression to the buffer. */
void
pgml_deparse_expr(PgmlDeparse *cxt, Expr *expr)
{
	int			nestlevel = pgml_textio_begin();

	append_expr(cxt, expr);
	pgml_textio_end(nestlevel);
}

bool
pgml_deparse_needs_alias(List *exprs)
{
	return contain_subplans((Node *) exprs);
}

void
pgml_deparse_where(PgmlDeparse *cxt, List *conditions)
{
	const char *separator = " WHERE ";
	int			nestlevel;
	ListCell   *lc;

	if (conditions == NIL)
		return;
	nestlevel = pgml_textio_begin();
	foreach(lc, conditions)
	{
		Expr	   *condition = lfirst(lc);

		if (IsA(condition, RestrictInfo))
			condition = ((RestrictInfo *) condition)->clause;
		appendStringInfoString(cxt->buf, separator);
		append_expr(cxt, condition);
		separator = " AND ";
	}
	pgml_textio_end(nestlevel);
}
