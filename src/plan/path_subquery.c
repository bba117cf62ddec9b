/*
 * path_subquery.c
 *		Subqueries of which the remote computes all: as relations, and in expressions.
 *
 * Question answered: a subquery in FROM couldn't be pulled up, because it groups,
 * makes distinct or stops early; may it be joined, grouped and so on by the remote
 * all the same?
 *
 * Core plans such a subquery by itself before it looks at what is around it.  If its
 * last step (UPPERREL_FINAL) is one that the remote can compute, then the subquery is
 * given what makes a relation foreign, a server and our callbacks, as soon as core
 * has made its paths.  From then on core offers us joins with it, and what stands
 * above it, as it does for a foreign table.  The subquery keeps core's paths, so where
 * nothing around it goes to the remote, all is as if this file weren't there.
 *
 * A subquery that has no node of its own in the plan would be lost for the
 * executor: nobody would check whether the user may read its tables.  So these
 * are put into the range table of the query around it.
 *
 * A subquery in an expression that the planner couldn't make a join of is planned by itself
 * as well, before the conditions around it are looked at.  It can be printed where
 * it stands (query/shippable_subplan.c); core keeps the account of its tables.
 *
 * Left alone are security barriers (the remote may apply conditions in any order),
 * LATERAL subqueries, those that lock rows, and those with InitPlans, which would
 * have nobody to run them.
 */
#include "postgres.h"

#include "access/sysattr.h"
#include "foreign/fdwapi.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/cost.h"
#include "optimizer/optimizer.h"
#include "optimizer/paths.h"
#include "optimizer/restrictinfo.h"
#include "optimizer/tlist.h"
#include "parser/parsetree.h"

#include "base/compat.h"
#include "plan/cost.h"
#include "plan/path.h"
#include "plan/relinfo.h"
#include "plan/size.h"
#include "plan/subquery.h"
#include "query/shippable.h"

static set_rel_pathlist_hook_type previous_hook = NULL;

/*
 * Privileges
 */

/* A walk over a query that was never planned. */
typedef struct CheckWalk
{
	Query	   *into;
	Query	   *query;
} CheckWalk;

/* Does the executor check privileges for it? */
static bool
is_checked(RangeTblEntry *rte)
{
	return rte->rtekind == RTE_RELATION ||
		(rte->rtekind == RTE_SUBQUERY && OidIsValid(rte->relid));
}

/* Walker: keep the checks of all queries below. */
static bool
keep_unplanned(Node *node, void *context)
{
	CheckWalk  *walk = context;

	if (node == NULL)
		return false;
	if (IsA(node, RangeTblEntry))
	{
		if (is_checked((RangeTblEntry *) node))
			pgml_adopt_rte(walk->into, walk->query, (RangeTblEntry *) node);
		return false;
	}
	if (IsA(node, Query))
	{
		CheckWalk	below = {walk->into, (Query *) node};

		return query_tree_walker((Query *) node, keep_unplanned, &below,
								 QTW_EXAMINE_RTES_BEFORE);
	}
	return expression_tree_walker(node, keep_unplanned, context);
}

/* Keep the checks of a query that was planned, and of those in its FROM that weren't pulled up into it. */
static void
keep_planned(Query *into, PlannerInfo *root)
{
	int			rti = 0;
	ListCell   *lc;

	foreach(lc, root->parse->rtable)
	{
		RangeTblEntry *rte = lfirst_node(RangeTblEntry, lc);
		RelOptInfo *rel;

		rti++;
		if (is_checked(rte))
			pgml_adopt_rte(into, root->parse, rte);
		if (rte->rtekind != RTE_SUBQUERY || rte->inh || rti >= root->simple_rel_array_size)
			continue;
		rel = root->simple_rel_array[rti];
		if (rel != NULL && rel->subroot != NULL)
			keep_planned(into, rel->subroot);
		else if (rel != NULL)
			(void) keep_unplanned((Node *) rte->subquery, &(CheckWalk) {into, rte->subquery});
	}
}

void
pgml_subquery_keep_checks(PlannerInfo *root, Relids relids)
{
	int			rti = -1;

	while ((rti = bms_next_member(relids, rti)) >= 0)
	{
		RelOptInfo *rel = find_base_rel(root, rti);

		if (rel->subroot != NULL)
			keep_planned(root->parse, rel->subroot);
	}
}

/*
 * What the remote computes
 */

PgmlRelInfo *
pgml_subquery_last_step(PlannerInfo *root, RelOptInfo **rel)
{
	PgmlRelInfo *info;

	*rel = fetch_upper_rel(root, UPPERREL_FINAL, NULL);
	if ((*rel)->fdwroutine == NULL ||
		(*rel)->fdwroutine->GetForeignUpperPaths != pgmlGetForeignUpperPaths)
		return NULL;
	info = pgml_relinfo_of(*rel);
	if (info == NULL || info->local_conds != NIL || root->rowMarks != NIL ||
		root->init_plans != NIL || root->parse->commandType != CMD_SELECT ||
		root->parse->hasTargetSRFs)
		return NULL;
	return info;
}

/*
 * An expression that an outer join may make null is marked where it came from a
 * subquery.  path_join has seen to it that it can be computed above the join.
 */
Node *
pgml_strip_placeholders(Node *node, void *context)
{
	if (node == NULL)
		return NULL;
	if (IsA(node, PlaceHolderVar))
		return pgml_strip_placeholders((Node *) ((PlaceHolderVar *) node)->phexpr, context);
	return expression_tree_mutator(node, pgml_strip_placeholders, context);
}

/*
 * List the columns of a subquery, NULL for those that are not wanted (of which only the
 * numbers are); false if the remote can't compute one of them.  all: each is wanted.
 */
static bool
list_columns(PlannerInfo *subroot, const PgmlRelInfo *info, bool all, Bitmapset *wanted,
			 List **columns)
{
	ListCell   *lc;

	*columns = NIL;
	foreach(lc, pgml_setop_tlist(subroot, info))
	{
		TargetEntry *tle = lfirst_node(TargetEntry, lc);
		Expr	   *expr;
		List	   *parts;

		if (tle->resjunk)
			continue;
		if (info->distinct == NIL && !all && !bms_is_member(tle->resno, wanted))
		{
			*columns = lappend(*columns, NULL);
			continue;
		}
		if (info->distinct != NIL && !list_member(info->distinct, tle->expr))
			return false;
		expr = (Expr *) pgml_strip_placeholders((Node *) tle->expr, NULL);
		if (!pgml_select_targets(subroot, info, list_make1(tle->expr), &parts) ||
			!pgml_shippable_expr(subroot, info->visible, info->options, expr))
			return false;
		*columns = lappend(*columns, expr);
	}
	return true;
}

/* What the remote must do to find the rows of a subquery. */
static Cost
find_cost(const PgmlRelInfo *info)
{
	PgmlSelectWork work = {
		.find = info->find_cost,
		.sorted = info->sort != NIL,
		.sort_rows = info->fetched
	};
	Cost		startup_cost;
	Cost		total_cost;

	pgml_cost_select(info->options, &work, &startup_cost, &total_cost);
	return total_cost - info->options->fdw_startup_cost;
}

PgmlSubquery *
pgml_subquery_make(PlannerInfo *subroot, const PgmlRelInfo *step, bool all, Bitmapset *wanted)
{
	PgmlSubquery *subquery = palloc0(sizeof(PgmlSubquery));
	PgmlSelect *select = palloc0(sizeof(PgmlSelect));
	List	   *columns;

	if (!list_columns(subroot, step, all, wanted, &columns))
		return NULL;
	*select = pgml_select_make(subroot, step, columns, NIL);
	subquery->root = subroot;
	subquery->relids = step->relids;
	subquery->options = step->options;
	subquery->select = select;
	return subquery;
}

/*
 * Subqueries in FROM
 */

/* List the columns that are wanted around the subquery, or by these conditions on it alone. */
static Bitmapset *
wanted_columns(RelOptInfo *rel, List *conditions)
{
	Bitmapset  *offset = NULL;
	Bitmapset  *wanted = NULL;
	ListCell   *lc;

	foreach(lc, conditions)
		pull_varattnos((Node *) lfirst_node(RestrictInfo, lc)->clause, rel->relid, &offset);
	if (rel->attr_needed == NULL)
		return NULL;
	for (AttrNumber attnum = 1; attnum <= rel->max_attr; attnum++)
		if (!bms_is_empty(rel->attr_needed[attnum - rel->min_attr]) ||
			bms_is_member(attnum - FirstLowInvalidHeapAttributeNumber, offset))
			wanted = bms_add_member(wanted, attnum);
	return wanted;
}

/* Replace an expression that the subquery's query gives as a column by that column. */
typedef struct ColumnWalk
{
	List	   *tlist;
	Index		rti;
	bool		failed;			/* a window function is no column */
} ColumnWalk;

static Node *
as_columns(Node *node, void *context)
{
	ColumnWalk *walk = context;
	TargetEntry *tle;

	if (node == NULL || !IsA(node, WindowFunc))
		return expression_tree_mutator(node, as_columns, context);
	tle = tlist_member((Expr *) node, walk->tlist);
	if (tle == NULL || tle->resjunk)
	{
		walk->failed = true;
		return node;
	}
	return (Node *) makeVarFromTargetEntry(walk->rti, tle);
}

/*
 * List, as conditions on the subquery's rows, what core has moved into it for its windows to
 * stop early; false if that can't be done.
 */
static bool
take_run_conditions(PlannerInfo *root, RelOptInfo *rel, const PgmlRelInfo *step, List **conditions)
{
	ColumnWalk	walk = {rel->subroot->processed_tlist, rel->relid, false};
	ListCell   *lc;

	*conditions = NIL;
	foreach(lc, step->run_conds)
	{
		Expr	   *clause = (Expr *) as_columns(lfirst(lc), &walk);

		*conditions = lappend(*conditions, make_simple_restrictinfo(root, clause));
	}
	return !walk.failed;
}

/* Make what is known of a subquery as a relation; NULL if it can't be one of the remote's. */
static PgmlRelInfo *
subquery_info(PlannerInfo *root, RelOptInfo *rel, const PgmlRelInfo *step)
{
	PgmlRelInfo *info = palloc0(sizeof(PgmlRelInfo));
	PgmlFrom   *from = palloc0(sizeof(PgmlFrom));
	List	   *conditions;

	info->options = palloc(sizeof(PgmlOptions));
	*info->options = *step->options;
	info->userid = step->userid;
	pgml_size_ask(root, rel, info->options);
	from->rti = rel->relid;
	from->options = info->options;
	if (!take_run_conditions(root, rel, step, &conditions))
		return NULL;
	conditions = list_concat(conditions, rel->baserestrictinfo);
	from->subquery = pgml_subquery_make(rel->subroot, step,
										rel->reloptkind != RELOPT_BASEREL,
										wanted_columns(rel, conditions));
	if (from->subquery == NULL)
		return NULL;

	info->from = from;
	info->relids = info->visible = info->planned = rel->relids;
	pgml_relinfo_split(root, rel, info->options, conditions,
					   &info->remote_conds, &info->local_conds);
	cost_qual_eval(&info->local_cost, info->local_conds, root);
	info->local_sel = clauselist_selectivity(root, info->local_conds, rel->relid,
											 JOIN_INNER, NULL);
	info->rows = rel->rows;
	info->fetched = clamp_row_est(Min(rel->rows / Max(info->local_sel, 1.0e-10),
									  Max(rel->tuples, rel->rows)));
	info->width = rel->reltarget->width;
	info->guessed = step->guessed;
	info->run_once = step->run_once;
	info->find_cost = find_cost(step);
	return info;
}

/* Make a relation of the remote of a subquery, if it can be one. */
static void
adopt_subquery(PlannerInfo *root, RelOptInfo *rel)
{
	const PgmlRelInfo *step;
	PgmlRelInfo *info;
	RelOptInfo *last;

	step = pgml_subquery_last_step(rel->subroot, &last);
	if (step == NULL)
		return;
	rel->serverid = last->serverid;
	rel->userid = last->userid;
	rel->useridiscurrent = last->useridiscurrent;
	info = subquery_info(root, rel, step);
	if (info == NULL)
	{
		rel->serverid = InvalidOid;
		return;
	}
	rel->fdwroutine = last->fdwroutine;
	pgml_relinfo_set(rel, info);
}

static void
look_at_subquery(PlannerInfo *root, RelOptInfo *rel, Index rti, RangeTblEntry *rte)
{
	if (previous_hook != NULL)
		previous_hook(root, rel, rti, rte);
	if (rte->rtekind == RTE_SUBQUERY && rte->inh)
		pgml_union_adopt(root, rel);
	if (rte->rtekind == RTE_SUBQUERY && !rte->inh && rel->subroot != NULL && rel->fdwroutine == NULL && !IS_DUMMY_REL(rel) &&
		!rte->security_barrier && bms_is_empty(rel->lateral_relids) &&
		rel->subplan_params == NIL)
		adopt_subquery(root, rel);
}

/*
 * Subqueries in expressions
 */

/* May a subquery read as this role be part of what is read as that one?  The plan may then be for the current user alone. */
static bool
is_same_user(PlannerInfo *root, Oid userid, Oid other)
{
	if (userid == other)
		return true;
	if ((OidIsValid(userid) ? userid : GetUserId()) != (OidIsValid(other) ? other : GetUserId()))
		return false;
	root->glob->dependsOnRole = true;
	return true;
}

static const PgmlSubquery *
find_subquery(PlannerInfo *root, const SubPlan *plan, const PgmlOptions *options)
{
	PlannerInfo *subroot = list_nth(root->glob->subroots, plan->plan_id - 1);
	RelOptInfo *last;
	PgmlRelInfo *step = pgml_subquery_last_step(subroot, &last);

	if (step == NULL || step->run_conds != NIL || last->serverid != options->serverid ||
		!is_same_user(root, last->userid, options->userid))
		return NULL;
	if (step->as_subplan == NULL)
		step->as_subplan = pgml_subquery_make(subroot, step, plan->subLinkType != EXISTS_SUBLINK,
											  NULL);
	return step->as_subplan;
}

void
pgml_path_subquery_init(void)
{
	pgml_path_setop_init();
	pgml_find_subquery = find_subquery;
	previous_hook = set_rel_pathlist_hook;
	set_rel_pathlist_hook = look_at_subquery;
}
