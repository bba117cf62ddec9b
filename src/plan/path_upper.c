/*
 * path_upper.c
 *		What stands above joins: aggregates, window functions, DISTINCT, ORDER BY, LIMIT.
 *
 * Question answered: which of the steps that follow the joins can the remote do
 * as well, so that only their result crosses the wire?
 *
 * Core asks step by step, from the bottom: each step builds on what the remote
 * is known to compute below it.  A step is shipped if all conditions below it are
 * (what must be taken out of the rows before they are counted can't be taken out
 * afterwards), and if the remote's notion of sameness and order is ours.
 *
 * LIMIT ends it.  The rows that FOR UPDATE locks are then those that the LIMIT
 * leaves, as with a local table.
 */
#include "postgres.h"

#include "nodes/nodeFuncs.h"
#include "optimizer/clauses.h"
#include "optimizer/cost.h"
#include "optimizer/optimizer.h"
#include "optimizer/pathnode.h"
#include "optimizer/prep.h"
#include "optimizer/tlist.h"
#include "utils/selfuncs.h"

#include "base/compat.h"
#include "base/setting.h"
#include "plan/cost.h"
#include "plan/estimate.h"
#include "plan/path.h"
#include "plan/relinfo.h"
#include "plan/subquery.h"
#include "query/partial.h"
#include "query/shippable.h"

/* Copy what is known of the step below. */
static PgmlRelInfo *
build_on(const PgmlRelInfo *below)
{
	PgmlRelInfo *info = palloc(sizeof(PgmlRelInfo));

	*info = *below;
	return info;
}

/* The work of a SELECT that sends these rows. */
static PgmlSelectWork
select_work(const PgmlRelInfo *info)
{
	PgmlSelectWork work = {0};

	work.find = info->find_cost;
	work.sorted = info->sort != NIL;
	work.sort_rows = info->fetched;
	work.fetched = info->fetched;
	work.width = info->width;
	work.local_quals = info->local_cost;
	return work;
}

/*
 * Add a path of this cost.  One that may run only once keeps its rows.
 *
 * Groups, distinct rows and the rows of a LIMIT are never more than the rows that they
 * are made of.  So there is nothing that a local way could save, least of all
 * where the estimates are wrong: where "only", its paths are forgotten.
 */
static void
add_upper_path(PlannerInfo *root, RelOptInfo *rel, const PgmlRelInfo *info, PathTarget *target,
			   Cost startup_cost, Cost total_cost, List *pathkeys, bool only)
{
	Path	   *path = (Path *) pgml_create_upper_path(root, rel, target, info->rows,
													   startup_cost, total_cost, pathkeys);

	/* such a plan could be run, but not explained; within a subquery nobody sees them */
	if (info->windowed && !pgml_explains_windows() &&
		(info->run_conds != NIL || contain_window_function((Node *) target->exprs)))
		return;
	if (only)
	{
		rel->pathlist = NIL;
		rel->partial_pathlist = NIL;
	}
	if (info->run_once)
	{
		path = (Path *) create_material_path(rel, path);
		path->pathtarget = target;
	}
	add_path(rel, path);
}

void
pgml_offer_upper(PlannerInfo *root, RelOptInfo *rel, const PgmlRelInfo *info, PathTarget *target,
			List *pathkeys, bool only)
{
	PgmlSelectWork work = select_work(info);
	Cost		startup_cost;
	Cost		total_cost;

	pgml_cost_select(info->options, &work, &startup_cost, &total_cost);
	startup_cost += target->cost.startup;
	total_cost += target->cost.startup + info->rows * target->cost.per_tuple;
	add_upper_path(root, rel, info, target, startup_cost, total_cost, pathkeys, only);
}

/*
 * Grouping
 */

/*
 * Add the columns that are neither grouped by nor aggregated.  They follow from the
 * others: each equals a column that is grouped by, or a constant.  The remote doesn't see
 * that, but may group by them as well.
 */
static List *
add_ungrouped_columns(List *group, PathTarget *target)
{
	ListCell   *lc;

	foreach(lc, target->exprs)
		if (IsA(lfirst(lc), Var))
			group = list_append_unique(group, lfirst(lc));
	return group;
}

static bool
list_has_const(List *exprs)
{
	ListCell   *lc;

	foreach(lc, exprs)
		if (IsA(lfirst(lc), Const))
			return true;
	return false;
}

/*
 * List the ways of grouping, where there are several.  In rows of some of them, what the others
 * group by is null; but a value that is known here, the same in all rows, is never taken from
 * the remote.  (And a constant to group by would be taken for the number of a column there.)
 */
static bool
list_grouping_sets(PlannerInfo *root, PgmlRelInfo *info)
{
	ListCell   *lc;
	ListCell   *lc2;

	foreach(lc, info->group)
		if (bms_is_empty(pull_varnos(root, lfirst(lc))))
			return false;
	foreach(lc, root->parse->groupingSets)
	{
		List	   *set = NIL;

		foreach(lc2, (List *) lfirst(lc))
		{
			SortGroupClause *clause = get_sortgroupref_clause(lfirst_int(lc2),
															  root->parse->groupClause);

			set = lappend(set, get_sortgroupclause_expr(clause, root->processed_tlist));
		}
		info->grouping_sets = lappend(info->grouping_sets, set);
	}
	return true;
}

/* Share out the conditions of HAVING. */
static bool
split_having(PlannerInfo *root, PgmlRelInfo *info, List *having)
{
	ListCell   *lc;

	foreach(lc, having)
	{
		Expr	   *clause = lfirst(lc);
		List	   *targets;

		if (!pgml_select_targets(root, info, list_make1(clause), &targets))
			return false;
		if (pgml_shippable_expr(root, info->relids, info->options, clause))
			info->having = lappend(info->having, clause);
		else
			info->local_conds = lappend(info->local_conds, clause);
	}
	return true;
}

/* Estimate the number of groups, and what it costs to make them. */
static void
estimate_groups(PlannerInfo *root, PgmlRelInfo *info, PathTarget *target, AggSplit split)
{
	AggClauseCosts aggs = {0};
	double		input = info->rows;
	double		groups = 1;
	QualCost	work;
	ListCell   *lc;

	if (info->grouping_sets != NIL)
	{
		groups = 0;
		foreach(lc, info->grouping_sets)
			groups += lfirst(lc) == NULL ? 1 :
				estimate_num_groups(root, lfirst(lc), input, NULL, NULL);
	}
	else if (info->group != NIL)
		groups = estimate_num_groups(root, info->group, input, NULL, NULL);
	if (root->parse->hasAggs)
		get_agg_clause_costs(root, split, &aggs);
	work.startup = aggs.transCost.startup;
	work.per_tuple = aggs.transCost.per_tuple;
	info->find_cost += pgml_cost_group(input, list_length(info->group), work) +
		groups * aggs.finalCost.per_tuple;

	info->fetched = clamp_row_est(groups * clauselist_selectivity(root, info->having, 0,
																  JOIN_INNER, NULL));
	info->local_sel = clauselist_selectivity(root, info->local_conds, 0, JOIN_INNER, NULL);
	info->rows = clamp_row_est(info->fetched * info->local_sel);
	cost_qual_eval(&info->local_cost, info->local_conds, root);
	info->width = target->width;
	(void) pgml_estimate_select(root, info, list_concat_copy(target->exprs, info->local_conds));
}

/* Can the remote compute the first half of all aggregates in these expressions? */
static bool
halves_are_possible(PlannerInfo *root, List *exprs)
{
	List	   *parts = pull_var_clause((Node *) exprs, PVC_INCLUDE_AGGREGATES |
										PVC_INCLUDE_PLACEHOLDERS);
	ListCell   *lc;

	foreach(lc, parts)
		if (IsA(lfirst(lc), Aggref) &&
			!pgml_partial_is_possible(root, lfirst_node(Aggref, lc)))
			return false;
	return true;
}

/* Offer groups, with the first half of each aggregate where others will put them together. */
static void
offer_grouping(PlannerInfo *root, const PgmlRelInfo *below, RelOptInfo *rel,
			   GroupPathExtraData *extra, bool halves)
{
	PgmlRelInfo *info = build_on(below);
	PathTarget *target = rel->reltarget;
	List	   *targets;

	if (root->parse->hasTargetSRFs || below->local_conds != NIL ||
		(halves ? root->parse->groupingSets != NIL || !halves_are_possible(root, target->exprs) :
		 extra->patype == PARTITIONWISE_AGGREGATE_PARTIAL) ||
		!pgml_shippable_group(root, info->visible, info->options, pgml_group_clause(root),
							  make_tlist_from_pathtarget(target), &info->group))
		return;

	info->grouped = true;
	if (root->parse->groupingSets != NIL)
	{
		if (!list_grouping_sets(root, info))
			return;
	}
	else if (root->parse->groupClause != NIL)
		info->group = add_ungrouped_columns(info->group, target);
	if ((root->parse->groupClause != NIL && info->group == NIL) ||
		!pgml_select_targets(root, info, target->exprs, &targets) ||
		(!halves && !split_having(root, info, (List *) extra->havingQual)))
		return;

	estimate_groups(root, info, target, halves ? AGGSPLIT_INITIAL_SERIAL : AGGSPLIT_SIMPLE);
	pgml_relinfo_set(rel, info);
	pgml_offer_upper(root, rel, info, target, NIL, true);
}

/*
 * Window functions
 */

static void
offer_windows(PlannerInfo *root, const PgmlRelInfo *below, RelOptInfo *rel)
{
	PgmlRelInfo *info = build_on(below);
	PathTarget *target = root->upper_targets[UPPERREL_WINDOW];
	List	   *targets;

	if (root->parse->hasTargetSRFs || below->local_conds != NIL)
		return;
	info->windowed = true;

	/* where core has taken a condition out of the query around this one, it relies on us */
	info->run_conds = pgml_run_conditions(root);
	if (!pgml_select_targets(root, info, list_concat_copy(target->exprs, info->run_conds), &targets))
		return;
	info->find_cost += list_length(root->parse->windowClause) *
		pgml_cost_group(below->rows, 2, (QualCost) {0});
	info->width = target->width;
	pgml_relinfo_set(rel, info);
	pgml_offer_upper(root, rel, info, target, NIL, false);
}

/*
 * Distinctness
 */

/* Are these expressions among what DISTINCT leaves, if there is one, and can they be had? */
static bool
can_sort_by(PlannerInfo *root, const PgmlRelInfo *info, List *keys)
{
	ListCell   *lc;

	foreach(lc, keys)
	{
		Expr	   *expr = ((PgmlSortKey *) lfirst(lc))->expr;
		List	   *targets;

		if ((info->distinct != NIL && !list_member(info->distinct, expr)) ||
			!pgml_select_targets(root, info, list_make1(expr), &targets))
			return false;
	}
	return true;
}

/* DISTINCT ON: the first row of each group, in the order of ORDER BY. */
static void
offer_distinct_on(PlannerInfo *root, const PgmlRelInfo *below, RelOptInfo *rel)
{
	PgmlRelInfo *info = build_on(below);
	PathTarget *target = root->upper_targets[UPPERREL_DISTINCT];
	List	   *targets;

	if (root->parse->hasTargetSRFs || below->local_conds != NIL || below->run_conds != NIL ||
		!pgml_shippable_group(root, info->visible, info->options, root->parse->distinctClause,
							  root->processed_tlist, &info->distinct_on) ||
		!pgml_shippable_order_by(root, info->visible, info->options, root->parse->sortClause,
								 root->processed_tlist, &info->sort) ||
		list_has_const(info->distinct_on) || !can_sort_by(root, info, info->sort) ||
		!pgml_select_targets(root, info, list_concat_copy(target->exprs, info->distinct_on),
							 &targets))
		return;

	info->rows = info->fetched = estimate_num_groups(root, info->distinct_on, below->rows,
													 NULL, NULL);
	info->width = target->width;
	pgml_relinfo_set(rel, info);
	pgml_offer_upper(root, rel, info, target, root->parse->sortClause != NIL ? root->sort_pathkeys : NIL,
				true);
}

static void
offer_distinct(PlannerInfo *root, const PgmlRelInfo *below, RelOptInfo *rel)
{
	Query	   *parse = root->parse;
	PathTarget *target = root->upper_targets[UPPERREL_DISTINCT];
	PgmlRelInfo *info = build_on(below);
	List	   *exprs;
	List	   *targets;
	ListCell   *lc;

	if (parse->hasDistinctOn)
	{
		offer_distinct_on(root, below, rel);
		return;
	}
	if (parse->hasTargetSRFs || below->local_conds != NIL ||
		below->run_conds != NIL ||
		!pgml_select_targets(root, below, target->exprs, &targets) ||
		!pgml_shippable_group(root, info->visible, info->options, parse->distinctClause,
							  root->processed_tlist, &exprs))
		return;
	foreach(lc, target->exprs)
		if (!list_member(exprs, lfirst(lc)))
			return;

	info->distinct = exprs;
	info->rows = info->fetched = estimate_num_groups(root, exprs, below->rows, NULL, NULL);
	info->find_cost += pgml_cost_group(below->rows, list_length(exprs), (QualCost) {0});
	info->width = target->width;
	pgml_relinfo_set(rel, info);
	pgml_offer_upper(root, rel, info, target, NIL, true);
}

/*
 * Order
 */

static void
offer_order(PlannerInfo *root, const PgmlRelInfo *below, RelOptInfo *rel)
{
	PgmlRelInfo *info = build_on(below);
	List	   *tlist = pgml_setop_tlist(root, below);
	PathTarget *target = root->parse->setOperations != NULL ? create_pathtarget(root, tlist) :
		root->upper_targets[UPPERREL_ORDERED];
	List	   *targets;

	if (root->parse->hasTargetSRFs ||
		!pgml_shippable_order_by(root, info->visible, info->options, root->parse->sortClause,
								 tlist, &info->sort) ||
		!can_sort_by(root, info, info->sort) ||
		!pgml_select_targets(root, info, target->exprs, &targets))
		return;

	pgml_relinfo_set(rel, info);

	/* scans and joins have offered sorted paths themselves */
	if (info->grouped || info->windowed || info->distinct != NIL || info->distinct_on != NIL ||
		root->parse->setOperations != NULL)
		pgml_offer_upper(root, rel, info, target, root->sort_pathkeys, false);
}

/*
 * Limit, the last step
 */

/* Do the rows that are locked belong to relations of this SELECT? */
static bool
locks_its_own(PlannerInfo *root, const PgmlRelInfo *info)
{
	ListCell   *lc;

	foreach(lc, root->rowMarks)
		if (!bms_is_member(lfirst_node(PlanRowMark, lc)->rti, info->visible))
			return false;
	return true;
}

/* Is there something to sort by that is printed? */
static bool
has_sort_key(List *keys)
{
	ListCell   *lc;

	foreach(lc, keys)
		if (!IsA(((PgmlSortKey *) lfirst(lc))->expr, Const))
			return true;
	return false;
}

/* May the remote be told where to stop? */
static bool
limit_is_shippable(PlannerInfo *root, PgmlRelInfo *info)
{
	Query	   *parse = root->parse;

	info->limit = (Expr *) parse->limitCount;
	info->offset = (Expr *) parse->limitOffset;
	info->with_ties = parse->limitOption == LIMIT_OPTION_WITH_TIES && info->limit != NULL;
	if (info->with_ties && (!has_sort_key(info->sort) || !pgml_with_ties_is_there(info->options)))
		return false;
	return (info->limit == NULL ||
			pgml_shippable_expr(root, info->relids, info->options, info->limit)) &&
		(info->offset == NULL ||
		 pgml_shippable_expr(root, info->relids, info->options, info->offset));
}

/* What the remote finds before the limit, in parts: a sort or groups need all of it. */
static void
estimate_limit(PgmlRelInfo *info, const PgmlRelInfo *below, FinalPathExtraData *extra)
{
	Cost		startup = 0;
	Cost		total = below->find_cost;

	info->rows = below->rows;
	adjust_limit_rows_costs(&info->rows, &startup, &total, extra->offset_est, extra->count_est);
	info->fetched = info->rows;
	if (info->sort == NIL && !info->grouped && !info->windowed && info->distinct == NIL &&
		info->distinct_on == NIL)
		info->find_cost = total;
}

/*
 * Where there is no LIMIT, there is nothing to gain, unless a column has a subquery: to run
 * that here is a round trip for each row.  But a query around this one may want to know
 * what it is.
 */
static void
offer_columns(PlannerInfo *root, PgmlRelInfo *info, RelOptInfo *rel)
{
	PathTarget *target = root->upper_targets[UPPERREL_FINAL];
	List	   *targets;
	ListCell   *lc;

	pgml_relinfo_set(rel, info);
	if (root->parse->setOperations != NULL || root->parse->commandType != CMD_SELECT || root->parse->hasTargetSRFs ||
		root->rowMarks != NIL || !contain_subplans((Node *) target->exprs) ||
		!pgml_select_targets(root, info, target->exprs, &targets))
		return;
	foreach(lc, targets)
		if (IsA(lfirst(lc), SubPlan))
		{
			pgml_offer_upper(root, rel, info, target, info->sort != NIL ? root->sort_pathkeys : NIL,
						true);
			return;
		}
}

static void
offer_limit(PlannerInfo *root, const PgmlRelInfo *below, RelOptInfo *rel,
			FinalPathExtraData *extra)
{
	PgmlRelInfo *info = build_on(below);
	PathTarget *target = root->parse->setOperations != NULL ?
		create_pathtarget(root, pgml_setop_tlist(root, below)) :
		root->upper_targets[UPPERREL_FINAL];
	PgmlSelectWork work;
	Cost		startup_cost;
	Cost		total_cost;
	List	   *targets;

	if (!extra->limit_needed)
	{
		offer_columns(root, info, rel);
		return;
	}
	if (root->parse->commandType != CMD_SELECT ||
		root->parse->hasTargetSRFs || below->local_conds != NIL || below->run_conds != NIL ||
		!locks_its_own(root, info) || !limit_is_shippable(root, info) ||
		!pgml_select_targets(root, info, target->exprs, &targets))
		return;

	estimate_limit(info, below, extra);
	work = select_work(info);
	work.sort_rows = below->fetched;
	pgml_cost_select(info->options, &work, &startup_cost, &total_cost);
	pgml_relinfo_set(rel, info);
	add_upper_path(root, rel, info, target, startup_cost, total_cost, root->sort_pathkeys, true);
}

void
pgmlGetForeignUpperPaths(PlannerInfo *root, UpperRelationKind stage, RelOptInfo *input_rel,
						 RelOptInfo *output_rel, void *extra)
{
	PgmlRelInfo *below = pgml_relinfo_of(input_rel);

	if (!pgml_setting_enable_pushdown ||
		below == NULL || pgml_relinfo_of(output_rel) != NULL)
		return;
	switch (stage)
	{
		case UPPERREL_GROUP_AGG:
			offer_grouping(root, below, output_rel, (GroupPathExtraData *) extra, false);
			break;
		case UPPERREL_PARTIAL_GROUP_AGG:
			offer_grouping(root, below, output_rel, (GroupPathExtraData *) extra, true);
			break;
		case UPPERREL_WINDOW:
			offer_windows(root, below, output_rel);
			break;
		case UPPERREL_DISTINCT:
			offer_distinct(root, below, output_rel);
			break;
		case UPPERREL_ORDERED:
			offer_order(root, below, output_rel);
			break;
		case UPPERREL_FINAL:
			offer_limit(root, below, output_rel, (FinalPathExtraData *) extra);
			break;
		default:
			break;
	}
}
