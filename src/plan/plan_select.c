/*
 * plan_select.c
 *		The plan of a join, or of what stands above one, that the remote computes.
 *
 * Question answered: what does the remote send for such a relation, and what is
 * computed here from it?
 *
 * The remote sends the smallest parts: columns, and above GROUP BY the
 * aggregates and the expressions that are grouped by.  Whatever is built from these is
 * computed here, which costs nothing on the wire and can't differ.  Only
 * DISTINCT wants its expressions whole, because it is their values that are
 * made distinct.
 *
 * The parts become fdw_scan_tlist, the columns of the scan slot; core finds
 * them by equality in the plan's target list and its conditions.
 */
#include "postgres.h"

#include "access/sysattr.h"
#include "catalog/pg_type_d.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/clauses.h"
#include "optimizer/optimizer.h"
#include "optimizer/pathnode.h"
#include "optimizer/planmain.h"
#include "optimizer/tlist.h"
#include "parser/parsetree.h"

#include "plan/changes.h"
#include "plan/keyed.h"
#include "plan/path.h"
#include "plan/planinfo.h"
#include "plan/transport.h"
#include "query/shippable.h"

/* A walk that collects the parts. */
typedef struct Parts
{
	PlannerInfo *root;
	const PgmlRelInfo *info;
	List	   *found;
} Parts;

/* Can the remote send this column? */
static bool
is_sendable(const Parts *parts, Var *var)
{
	if (var->varlevelsup != 0 || !bms_is_member(var->varno, parts->info->visible))
		return false;
	if (planner_rt_fetch(var->varno, parts->root)->rtekind == RTE_SUBQUERY)
		return var->varattno > 0;
	return var->varattno >= 0 ||
		var->varattno == SelfItemPointerAttributeNumber ||
		var->varattno == TableOidAttributeNumber ||
		(var->varattno == PGML_REMOTE_TABLEOID_ATTNO && var->vartype == OIDOID);
}

/* Can the remote send what a subquery gives?  Of grouped rows that may know what they are grouped by. */
static bool
is_sendable_subplan(const Parts *parts, SubPlan *plan)
{
	const PgmlRelInfo *info = parts->info;
	ListCell   *lc;

	if (info->distinct != NIL)
		return false;
	foreach(lc, plan->args)
		if (info->grouped ? !list_member(info->group, lfirst(lc)) :
			IsA(lfirst(lc), Var) && !is_sendable(parts, lfirst(lc)))
			return false;
	return plan->testexpr == NULL &&
		pgml_shippable_expr(parts->root, info->visible, info->options, (Expr *) plan);
}

static bool collect_parts(Node *node, Parts *parts);

/* Can the remote send what a window function gives?  It must have its arguments and its window, too. */
static bool
is_sendable_window(const Parts *parts, WindowFunc *func)
{
	Parts		below = {parts->root, parts->info, NIL};
	WindowClause *window = pgml_window_of(parts->root, func);
	List	   *tlist = parts->root->processed_tlist;
	List	   *needed = list_make1(func->aggfilter);

	if (!parts->info->windowed)
		return false;
	needed = list_concat(needed, func->args);
	needed = list_concat(needed, get_sortgrouplist_exprs(window->partitionClause, tlist));
	needed = list_concat(needed, get_sortgrouplist_exprs(window->orderClause, tlist));
	return !expression_tree_walker((Node *) needed, collect_parts, &below) &&
		pgml_shippable_expr(parts->root, parts->info->visible, parts->info->options,
							(Expr *) func);
}

/* Visit a node for expression_tree_walker, which stops where it says true: can't be had. */
static bool
collect_parts(Node *node, Parts *parts)
{
	const PgmlRelInfo *info = parts->info;

	if (node == NULL)
		return false;
	if (list_member(info->distinct != NIL ? info->distinct : info->group, node))
	{
		parts->found = list_append_unique(parts->found, node);
		return false;
	}
	if (IsA(node, Aggref))
	{
		if (info->distinct != NIL || !info->grouped ||
			!pgml_shippable_expr(parts->root, info->relids, info->options, (Expr *) node))
			return true;
		parts->found = list_append_unique(parts->found, node);
		return false;
	}
	if (IsA(node, Var))
	{
		/* a column of another relation is a parameter, known here */
		if (!bms_is_member(((Var *) node)->varno, info->relids))
			return false;
		if (info->distinct != NIL || info->grouped || !is_sendable(parts, (Var *) node))
			return true;
		parts->found = list_append_unique(parts->found, node);
		return false;
	}
	if (IsA(node, WindowFunc))
	{
		if (info->distinct != NIL || !is_sendable_window(parts, (WindowFunc *) node))
			return true;
		parts->found = list_append_unique(parts->found, node);
		return false;
	}
	if (IsA(node, GroupingFunc))
	{
		if (info->distinct != NIL || info->grouping_sets == NIL)
			return true;
		parts->found = list_append_unique(parts->found, node);
		return false;
	}
	if (IsA(node, SubPlan) && is_sendable_subplan(parts, (SubPlan *) node))
	{
		parts->found = list_append_unique(parts->found, node);
		return false;
	}
	return expression_tree_walker(node, collect_parts, parts);
}

bool
pgml_select_targets(PlannerInfo *root, const PgmlRelInfo *info, List *exprs, List **targets)
{
	Parts		parts = {root, info, NIL};

	if (expression_tree_walker((Node *) exprs, collect_parts, &parts))
		return false;
	*targets = info->distinct != NIL ? info->distinct : parts.found;
	return true;
}

/* The clauses themselves: those of upper relations have no RestrictInfo. */
static List *
bare_clauses(List *conditions)
{
	List	   *result = NIL;
	ListCell   *lc;

	foreach(lc, conditions)
		result = lappend(result, IsA(lfirst(lc), RestrictInfo) ?
						 (Node *) lfirst_node(RestrictInfo, lc)->clause : lfirst(lc));
	return result;
}

/* List how the rows of each relation are locked. */
static List *
list_locks(PlannerInfo *root, Relids relids)
{
	List	   *locks = NIL;
	int			rti = -1;

	while ((rti = bms_next_member(relids, rti)) >= 0)
	{
		PgmlSelectLock *lock = palloc(sizeof(PgmlSelectLock));

		lock->rti = rti;
		lock->lock = pgml_relinfo_lock(root, rti);
		if (lock->lock.strength != LCS_NONE)
			locks = lappend(locks, lock);
	}
	return locks;
}

/* List the relations whose whole rows are asked for, but not looked into. */
static Relids
list_hollow(PlannerInfo *root, Relids relids)
{
	Relids		hollow = NULL;
	int			rti = -1;

	if (root->parse->commandType != CMD_UPDATE)
		return NULL;
	while ((rti = bms_next_member(relids, rti)) >= 0)
		if (bms_is_member(rti, root->all_result_relids) &&
			!pgml_changes_need_old_row(root, find_base_rel(root, rti)))
			hollow = bms_add_member(hollow, rti);
	return hollow;
}

PgmlSelect
pgml_select_make(PlannerInfo *root, const PgmlRelInfo *info, List *targets, List *pathkeys)
{
	PgmlSelect	select = {0};

	select.targets = targets;
	select.hollow = list_hollow(root, info->visible);
	select.distinct = info->distinct != NIL;
	select.from = info->from;
	select.where.clauses = info->remote_conds;
	select.where.exists = info->exists;
	select.grouped = info->grouped;
	select.group = info->group;
	select.grouping_sets = info->grouping_sets;
	select.distinct_on = info->distinct_on;
	select.having = info->having;
	select.sort = info->sort;
	select.limit = info->limit;
	select.offset = info->offset;
	select.with_ties = info->with_ties;
	select.locks = list_locks(root, info->visible);

	if (select.sort == NIL && pathkeys != NIL)
	{
		select.sort = pgml_shippable_sort(root, info->visible, info->options, pathkeys);
		if (select.sort == NIL)
			elog(ERROR, "could not find the expressions to sort a foreign join by");
	}
	return select;
}

/* Print it into the plan; the expressions of its parameters go to *params. */
static void
print_select(PlannerInfo *root, const PgmlRelInfo *info, const PgmlSelect *select,
			 PgmlScanPlan *plan, List **params)
{
	PgmlQuery  *query = &plan->query;
	PgmlDeparse cxt = {0};
	ListCell   *lc;

	cxt.buf = makeStringInfo();
	cxt.root = root;
	cxt.relids = info->relids;
	cxt.options = info->options;
	pgml_deparse_select(&cxt, select, &query->columns);

	query->ncols = list_length(select->targets);
	query->tail = cxt.buf->data;
	query->locks_rows = select->locks != NIL;
	if (pgml_from_is_table(info->from) && info->exists == NIL && !cxt.nested)
		query->relation = pgml_relation_name(info->from->options);
	query->param_at = palloc(list_length(cxt.param_at) * sizeof(int));
	foreach(lc, cxt.param_at)
		query->param_at[query->nparam_at++] = lfirst_int(lc);
	*params = pgml_keyed_bind(select->keys, cxt.params, plan);

	plan->attnums = palloc(Max(query->ncols, 1) * sizeof(AttrNumber));
	for (int i = 0; i < query->ncols; i++)
		plan->attnums[i] = i + 1;
	plan->relations = pgml_deparse_relations(root, select);
	plan->serverid = info->options->serverid;
}

/*
 * Find the name of a fetched column, for the error that says which one can't be read: that of
 * the statement, or the table's of a whole row.  NULL for an expression.
 */
static char *
column_name(PlannerInfo *root, const Node *expr)
{
	const Var  *var = (const Var *) expr;
	Alias	   *names;

	if (!IsA(expr, Var))
		return NULL;
	names = planner_rt_fetch(var->varno, root)->eref;
	if (var->varattno == InvalidAttrNumber)
		return names->aliasname;
	if (var->varattno < 0 || var->varattno > list_length(names->colnames))
		return NULL;
	return strVal(list_nth(names->colnames, var->varattno - 1));
}

/*
 * Make the target list of the rows that are fetched.  Core takes whatever of the plan's
 * expressions is in it from the row, and the expressions of the parameters, without which
 * there is no row yet, are among them.  So what is known here, such as now() in a DISTINCT
 * list, is disguised: it is fetched, but nobody looks at it.
 */
static List *
make_scan_tlist(PlannerInfo *root, const PgmlRelInfo *info, List *targets)
{
	List	   *tlist = NIL;
	ListCell   *lc;

	foreach(lc, targets)
	{
		Expr	   *expr = lfirst(lc);
		char	   *name = column_name(root, (Node *) expr);

		if (!contain_agg_clause((Node *) expr) && !contain_window_function((Node *) expr) &&
			!contain_subplans((Node *) expr) &&
			!bms_overlap(pull_varnos(root, (Node *) expr), info->relids))
			expr = (Expr *) makeRelabelType(expr, exprType((Node *) expr),
											exprTypmod((Node *) expr),
											exprCollation((Node *) expr), COERCE_IMPLICIT_CAST);
		tlist = lappend(tlist, makeTargetEntry(expr, foreach_current_index(lc) + 1, name, false));
	}
	return tlist;
}

ForeignScan *
pgml_plan_select(PlannerInfo *root, RelOptInfo *rel, ForeignPath *best_path, List *tlist,
				 Plan *outer_plan)
{
	PgmlRelInfo *info = pgml_relinfo_of(rel);
	List	   *local = list_concat(bare_clauses(info->local_conds), info->run_conds);
	List	   *exprs = list_concat_copy(best_path->path.pathtarget->exprs, local);
	PgmlScanPlan plan = {0};
	PgmlSelect	select;
	List	   *targets;
	List	   *scan_tlist;
	List	   *params;

	if (!pgml_select_targets(root, info, exprs, &targets))
		elog(ERROR, "could not find the columns of a foreign join");
	scan_tlist = make_scan_tlist(root, info, targets);
	select = pgml_select_make(root, info, targets, best_path->path.pathkeys);
	select.keys = pgml_planinfo_keys(best_path);
	print_select(root, info, &select, &plan, &params);
	plan.userid = rel->userid;
	pgml_subquery_keep_checks(root, info->planned);
	pgml_transport_choose(&plan, root, rel, &best_path->path, info->options,
						  select.keys != NULL ? best_path->path.rows : info->fetched, params);

	/* rows that are checked again come from a local join */
	if (outer_plan != NULL)
		outer_plan = change_plan_targetlist(outer_plan, scan_tlist,
											best_path->path.parallel_safe);
	return make_foreignscan(tlist, local, 0, params, pgml_planinfo_pack_scan(&plan),
							scan_tlist, NIL, outer_plan);
}
