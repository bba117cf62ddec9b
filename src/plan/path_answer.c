/*
 * path_answer.c
 *		Functions in FROM whose rows can be streamed: dblink() and
 *		pgml_fdw_query().
 *
 * The executor puts whatever a function in FROM returns into a tuplestore before
 * it looks at the first row.  So such a function's scan is replaced by a custom
 * scan that makes the call itself (sqlfunc/answer_scan.c).
 *
 * A function is recognised by its planner support function, which exists for
 * that, and because calling it brings this library in before the relation's paths
 * are made, in the first statement of a session too.
 *
 * Left to the executor are functions that aren't alone (ROWS FROM), rows that are
 * wanted whole (a whole-row reference; rows that may be rechecked when others are
 * locked or changed), and calls with correlated subqueries among the arguments.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "nodes/extensible.h"
#include "nodes/makefuncs.h"
#include "optimizer/clauses.h"
#include "optimizer/optimizer.h"
#include "optimizer/paths.h"
#include "optimizer/prep.h"
#include "optimizer/restrictinfo.h"
#include "parser/parsetree.h"
#include "utils/lsyscache.h"

#include "base/compat.h"
#include "plan/path.h"
#include "plan/planinfo.h"

PG_FUNCTION_INFO_V1(pgml_fdw_answer_support);

extern PGDLLEXPORT Datum pgml_fdw_answer_support(PG_FUNCTION_ARGS);

static set_rel_pathlist_hook_type previous_hook = NULL;

/* Answer no question of the planner's; see above what it is for. */
Datum
pgml_fdw_answer_support(PG_FUNCTION_ARGS)
{
	PG_RETURN_POINTER(NULL);
}

/* Is it a function that has our support function? */
static bool
is_supported(Oid function)
{
	Oid			support = get_func_support(function);
	char	   *name = OidIsValid(support) ? get_func_name(support) : NULL;
	FmgrInfo	info;

	/* to look closer would load any other library */
	if (name == NULL || strcmp(name, "pgml_fdw_answer_support") != 0)
		return false;
	fmgr_info(support, &info);
	return info.fn_addr == pgml_fdw_answer_support;
}

/* Does the query want the function's rows whole? */
static bool
wants_whole_rows(PlannerInfo *root, RelOptInfo *rel)
{
	Bitmapset  *attnos = NULL;
	ListCell   *lc;

	if (get_plan_rowmark(root->rowMarks, rel->relid) != NULL)
		return true;
	pull_varattnos((Node *) rel->reltarget->exprs, rel->relid, &attnos);
	foreach(lc, rel->baserestrictinfo)
		pull_varattnos((Node *) lfirst_node(RestrictInfo, lc)->clause, rel->relid, &attnos);
	return bms_is_member(0 - FirstLowInvalidHeapAttributeNumber, attnos);
}

static bool
can_stream(PlannerInfo *root, RelOptInfo *rel, RangeTblEntry *rte)
{
	RangeTblFunction *function;
	FuncExpr   *call;

	if (rel->reloptkind != RELOPT_BASEREL || rte->rtekind != RTE_FUNCTION ||
		list_length(rte->functions) != 1 || list_length(rel->pathlist) != 1)
		return false;
	function = linitial_node(RangeTblFunction, rte->functions);
	call = (FuncExpr *) function->funcexpr;
	return IsA(call, FuncExpr) && function->funccoltypes != NIL &&
		is_supported(call->funcid) && !contain_subplans((Node *) call) &&
		!wants_whole_rows(root, rel);
}

/* The columns that the function returns. */
static List *
scan_columns(Index rti, RangeTblEntry *rte)
{
	RangeTblFunction *function = linitial_node(RangeTblFunction, rte->functions);
	List	   *columns = NIL;
	ListCell   *name;
	int			n = list_length(function->funccoltypes);

	foreach(name, rte->eref->colnames)
	{
		int			i = foreach_current_index(name);
		Var		   *var = i < n ?
			makeVar(rti, i + 1, list_nth_oid(function->funccoltypes, i),
					list_nth_int(function->funccoltypmods, i),
					list_nth_oid(function->funccolcollations, i), 0) :
			makeVar(rti, i + 1, INT8OID, -1, InvalidOid, 0);

		columns = lappend(columns, makeTargetEntry((Expr *) var, i + 1,
												   pstrdup(strVal(lfirst(name))), false));
	}
	return columns;
}

static Plan *
plan_stream(PlannerInfo *root, RelOptInfo *rel, CustomPath *best_path, List *tlist,
			List *clauses, List *custom_plans)
{
	RangeTblEntry *rte = planner_rt_fetch(rel->relid, root);
	CustomScan *scan = makeNode(CustomScan);

	scan->scan.plan.targetlist = tlist;
	scan->scan.plan.qual = extract_actual_clauses(clauses, false);
	scan->scan.scanrelid = 0;
	scan->flags = best_path->flags;
	scan->custom_exprs = list_make1(copyObject(linitial_node(RangeTblFunction,
															 rte->functions)->funcexpr));
	scan->custom_scan_tlist = scan_columns(rel->relid, rte);
	scan->methods = GetCustomScanMethods(PGML_ANSWER_SCAN, false);
	return &scan->scan.plan;
}

static const CustomPathMethods path_methods = {
	.CustomName = PGML_ANSWER_SCAN,
	.PlanCustomPath = plan_stream,
};

/* Put a path that streams in the place of core's; its first row comes at once. */
static void
offer_stream(PlannerInfo *root, RelOptInfo *rel)
{
	Path	   *core = linitial(rel->pathlist);
	CustomPath *path = makeNode(CustomPath);

	path->path.pathtype = T_CustomScan;
	path->path.parent = rel;
	path->path.pathtarget = core->pathtarget;
	path->path.param_info = core->param_info;
	path->path.rows = core->rows;
	path->path.startup_cost = core->startup_cost;
	path->path.total_cost = core->total_cost;
	path->path.pathkeys = core->pathkeys;
	path->flags = CUSTOMPATH_SUPPORT_PROJECTION;
	path->methods = &path_methods;
	rel->pathlist = list_make1(path);
}

static void
offer_paths(PlannerInfo *root, RelOptInfo *rel, Index rti, RangeTblEntry *rte)
{
	if (previous_hook != NULL)
		previous_hook(root, rel, rti, rte);
	if (can_stream(root, rel, rte))
		offer_stream(root, rel);
}

void
pgml_path_answer_init(void)
{
	previous_hook = set_rel_pathlist_hook;
	set_rel_pathlist_hook = offer_paths;
}
