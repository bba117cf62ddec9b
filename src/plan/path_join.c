/*
 * path_join.c
 *		Joins that the remote computes.
 *
 * Question answered: may the join of two relations of one server be left to the
 * remote, and what is asked of it then?  (Core asks only where both are accessed
 * with the same user mapping.)
 *
 * Each relation that the remote can compute is a FROM tree, and conditions that
 * are still to be applied to its rows: those of the remote and those that
 * stay here.  Joining two such relations makes a new tree, and moves the
 * conditions up, so that no subquery is needed:
 *
 *	  INNER		those of both sides go on waiting
 *	  LEFT		those of the outer side go on waiting; those of the inner side
 *				become part of the join's condition, which is the same, because an inner row that
 *				doesn't meet them is no match
 *	  FULL		neither is possible: they are applied below (see flushed)
 *	  SEMI, ANTI	the inner side becomes an EXISTS, a condition of the outer one
 *
 * Conditions that stay here can only wait, so the sides where the remote's ones
 * don't go on waiting must have none of them.  A relation under an EXISTS is not
 * visible from outside: its columns must not be wanted.
 *
 * Where a row may be checked again (EvalPlanQual, after a concurrent update of a
 * local table), the join must be computed here, for those rows: then the path
 * carries a local one.
 */
#include "postgres.h"

#include "access/sysattr.h"
#include "catalog/pg_class.h"
#include "foreign/fdwapi.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/clauses.h"
#include "optimizer/cost.h"
#include "optimizer/optimizer.h"
#include "optimizer/restrictinfo.h"
#include "utils/lsyscache.h"

#include "base/compat.h"
#include "base/setting.h"
#include "plan/cost.h"
#include "plan/estimate.h"
#include "plan/path.h"
#include "plan/planinfo.h"
#include "query/shippable.h"

/* The join's own conditions, by what becomes of them. */
typedef struct JoinClauses
{
	List	   *on;				/* say which rows match */
	List	   *filter;			/* applied to joined rows, by the remote */
	List	   *local;			/* the same, here */
	bool		equality;		/* one of those in "on" is an equality */
} JoinClauses;

/* Could a row of this query be checked again, because a local row has changed meanwhile? */
static bool
needs_recheck(PlannerInfo *root)
{
	Query	   *query = root->parse;
	ListCell   *lc;

	if (query->commandType != CMD_SELECT && query->commandType != CMD_INSERT &&
		get_rel_relkind(planner_rt_fetch(query->resultRelation, root)->relid) != RELKIND_FOREIGN_TABLE)
		return true;
	foreach(lc, root->rowMarks)
		if (RowMarkRequiresRowShareLock(lfirst_node(PlanRowMark, lc)->markType))
			return true;
	return false;
}

/* May the remote evaluate a clause, whose place among security barriers is anywhere in the join? */
static bool
goes_remote(PlannerInfo *root, Relids relids, const PgmlOptions *options, RestrictInfo *rinfo)
{
	int			rti = -1;

	while ((rti = bms_next_member(relids, rti)) >= 0)
		if (!restriction_is_securely_promotable(rinfo, find_base_rel(root, rti)))
			return false;
	return pgml_shippable_expr(root, relids, options, rinfo->clause);
}

/* Replace columns of these relations by nulls. */
static Node *
nullify(Node *node, Relids *relids)
{
	if (node == NULL)
		return NULL;
	if (IsA(node, Var) && bms_is_member(((Var *) node)->varno, *relids))
		return (Node *) makeNullConst(((Var *) node)->vartype, ((Var *) node)->vartypmod,
									  ((Var *) node)->varcollid);
	return expression_tree_mutator(node, nullify, relids);
}

/* Is the clause true when all columns of these relations are null? */
static bool
is_true_of_nulls(PlannerInfo *root, RestrictInfo *rinfo, Relids relids)
{
	Node	   *clause = eval_const_expressions(root, nullify((Node *) rinfo->clause, &relids));

	return IsA(clause, Const) && !((Const *) clause)->constisnull &&
		DatumGetBool(((Const *) clause)->constvalue);
}

/* Does the clause say which rows match?  The others apply to what has been joined. */
static bool
is_match_clause(RestrictInfo *rinfo, RelOptInfo *joinrel, RelOptInfo *inner, JoinType type)
{
	if (type == JOIN_SEMI)
		return bms_overlap(rinfo->clause_relids, inner->relids);
	return type == JOIN_INNER ||
		(IS_OUTER_JOIN(type) && !RINFO_IS_PUSHED_DOWN(rinfo, joinrel->relids));
}

/* Sort out the conditions of the join; false if the remote can't compute it. */
static bool
split_clauses(PlannerInfo *root, RelOptInfo *joinrel, RelOptInfo *inner, JoinType type,
			  Relids relids, const PgmlOptions *options, List *restrictlist, JoinClauses *split)
{
	ListCell   *lc;

	foreach(lc, restrictlist)
	{
		RestrictInfo *rinfo = lfirst_node(RestrictInfo, lc);
		bool		remote = !rinfo->pseudoconstant && goes_remote(root, relids, options, rinfo);

		if (rinfo->pseudoconstant)
			return false;
		if (is_match_clause(rinfo, joinrel, inner, type) && (remote || type != JOIN_INNER))
		{
			if (!remote)
				return false;
			split->on = lappend(split->on, rinfo);
			split->equality |= rinfo->mergeopfamilies != NIL || OidIsValid(rinfo->hashjoinoperator);
		}
		else if (type == JOIN_ANTI && bms_overlap(rinfo->clause_relids, inner->relids))
		{
			/* WHERE inner IS NULL has made an anti-join of an outer join */
			if (!is_true_of_nulls(root, rinfo, inner->relids))
				return false;
		}
		else if (remote)
			split->filter = lappend(split->filter, rinfo);
		else
			split->local = lappend(split->local, rinfo);
	}
	return true;
}

/* Are rows of one of these relations to be locked, or asked for by their ctid? */
static bool
names_rows(PlannerInfo *root, Relids relids)
{
	int			rti = -1;

	while ((rti = bms_next_member(relids, rti)) >= 0)
	{
		RelOptInfo *rel = find_base_rel(root, rti);

		if (rel->rtekind == RTE_SUBQUERY)
			continue;

		/* of partitions nobody keeps what is needed */
		if (rel->reloptkind != RELOPT_BASEREL ||
			pgml_relinfo_lock(root, rti).strength != LCS_NONE ||
			!bms_is_empty(rel->attr_needed[SelfItemPointerAttributeNumber - rel->min_attr]))
			return true;
	}
	return false;
}

/*
 * Make a FROM tree in which the waiting conditions of the remote have been applied;
 * NULL if there is no simple one.
 */
static const PgmlFrom *
flushed(PlannerInfo *root, const PgmlRelInfo *info)
{
	PgmlConds	waiting = {info->remote_conds, info->exists};
	PgmlFrom   *from;

	if (pgml_conds_empty(waiting))
		return info->from;
	from = palloc(sizeof(PgmlFrom));
	*from = *info->from;
	if (from->rti == 0 && from->type == JOIN_INNER)
		from->on = pgml_conds_union(from->on, waiting);
	else if (from->rti != 0 && !names_rows(root, info->relids))
		from->filter = waiting;
	else
		return NULL;
	return from;
}

/* Join two FROM trees; NULL if that can't be done. */
static const PgmlFrom *
join_trees(PlannerInfo *root, const PgmlRelInfo *outer, const PgmlRelInfo *inner, JoinType type,
		   List *on)
{
	PgmlFrom   *from = palloc0(sizeof(PgmlFrom));
	PgmlConds	of_outer = {outer->remote_conds, outer->exists};
	PgmlConds	of_inner = {inner->remote_conds, inner->exists};

	from->type = type;
	from->on.clauses = on;
	from->left = outer->from;
	from->right = inner->from;
	if (type == JOIN_LEFT)
		from->on = pgml_conds_union(from->on, of_inner);
	else if (type == JOIN_RIGHT)
		from->on = pgml_conds_union(from->on, of_outer);
	else if (type == JOIN_FULL)
	{
		from->left = flushed(root, outer);
		from->right = flushed(root, inner);
	}
	return from->left != NULL && from->right != NULL ? from : NULL;
}

/* Make the EXISTS that a semi-join or an anti-join with this relation is. */
static PgmlExists *
make_exists(const PgmlRelInfo *inner, bool negated, List *on)
{
	PgmlExists *exists = palloc0(sizeof(PgmlExists));

	exists->negated = negated;
	exists->from = inner->from;
	exists->where.clauses = list_concat_copy(on, inner->remote_conds);
	exists->where.exists = inner->exists;
	return exists;
}

/* Put a relation's waiting conditions behind those of the join, those of the remote too if they still wait. */
static void
take_waiting(PgmlRelInfo *info, const PgmlRelInfo *side, bool remote)
{
	info->local_conds = list_concat_copy(info->local_conds, side->local_conds);
	if (!remote)
		return;
	info->remote_conds = list_concat_copy(info->remote_conds, side->remote_conds);
	info->exists = list_concat_copy(info->exists, side->exists);
}

/*
 * Does an expression name a column of the partitioned table that the join is a part of?  A
 * condition of one partition may: where a subquery hands a column of the other side through, core
 * gives it the partition's own columns only.
 */
static bool
names_parent(List *exprs, Relids parents)
{
	ListCell   *lc;

	foreach(lc, pull_var_clause((Node *) exprs, PVC_RECURSE_AGGREGATES |
								PVC_RECURSE_WINDOWFUNCS | PVC_RECURSE_PLACEHOLDERS))
		if (bms_is_member(lfirst_node(Var, lc)->varno, parents))
			return true;
	return false;
}

/* Does something want a column that the remote can't send? */
static bool
wants_too_much(PlannerInfo *root, RelOptInfo *joinrel, const PgmlRelInfo *info)
{
	List	   *exprs = list_copy(joinrel->reltarget->exprs);
	List	   *targets;
	ListCell   *lc;

	foreach(lc, info->local_conds)
		exprs = lappend(exprs, lfirst_node(RestrictInfo, lc)->clause);
	if (!pgml_select_targets(root, info, exprs, &targets) ||
		(IS_OTHER_REL(joinrel) && names_parent(exprs, joinrel->top_parent_relids)))
		return true;

	/* an expression that must be computed before an outer join makes nulls of it */
	foreach(lc, root->placeholder_list)
	{
		PlaceHolderInfo *ph = lfirst(lc);

		if (bms_is_subset(ph->ph_eval_at, info->relids) &&
			!bms_equal(ph->ph_eval_at, info->relids) &&
			bms_overlap(ph->ph_eval_at, info->nullable))
			return true;
	}
	return false;
}

/* Make what is common to all kinds of joins. */
static PgmlRelInfo *
start_info(const PgmlRelInfo *outer, const PgmlRelInfo *inner)
{
	PgmlRelInfo *info = palloc0(sizeof(PgmlRelInfo));

	info->options = palloc(sizeof(PgmlOptions));
	*info->options = *outer->options;
	if (outer->options->transport == PGML_TRANSPORT_AUTO)
		info->options->transport = inner->options->transport;
	info->options->tables = list_concat_unique_oid(list_copy(outer->options->tables),
												   inner->options->tables);
	info->options->use_remote_estimate |= inner->options->use_remote_estimate;
	info->userid = outer->userid;
	info->relids = bms_union(outer->relids, inner->relids);
	info->visible = bms_union(outer->visible, inner->visible);
	info->planned = bms_union(outer->planned, inner->planned);
	info->nullable = bms_union(outer->nullable, inner->nullable);
	info->guessed = outer->guessed || inner->guessed;
	info->run_once = outer->run_once || inner->run_once;
	info->concurrent = outer->concurrent && inner->concurrent;
	return info;
}

/* Describe the join; NULL if the remote can't compute it. */
static PgmlRelInfo *
join_info(PlannerInfo *root, const PgmlRelInfo *outer, const PgmlRelInfo *inner, JoinType type,
		  const JoinClauses *clauses)
{
	PgmlRelInfo *info = start_info(outer, inner);
	bool		exists = type == JOIN_SEMI || type == JOIN_ANTI;
	bool		outer_waits = type != JOIN_RIGHT && type != JOIN_FULL;
	bool		inner_waits = type == JOIN_INNER || type == JOIN_RIGHT;

	if ((!outer_waits && outer->local_conds != NIL) || (!inner_waits && inner->local_conds != NIL))
		return NULL;

	info->remote_conds = clauses->filter;
	info->local_conds = clauses->local;
	take_waiting(info, outer, outer_waits);
	if (exists)
	{
		info->visible = outer->visible;
		info->nullable = outer->nullable;
		info->from = outer->from;
		info->exists = lappend(info->exists,
							   make_exists(inner, type == JOIN_ANTI, clauses->on));
		return names_rows(root, inner->relids) ? NULL : info;
	}

	take_waiting(info, inner, inner_waits);
	info->from = join_trees(root, outer, inner, type, clauses->on);
	if (!outer_waits)
		info->nullable = bms_union(info->nullable, outer->relids);
	if (!inner_waits)
		info->nullable = bms_union(info->nullable, inner->relids);
	return info->from != NULL ? info : NULL;
}

/*
 * Estimate the join's sizes and the remote's work.  Where nobody has counted a
 * table's rows, the estimate for a join by equality can be larger than both sides
 * together; such joins are mostly by a key of one of them.
 */
static void
estimate(PlannerInfo *root, RelOptInfo *joinrel, PgmlRelInfo *info, const PgmlRelInfo *outer,
		 const PgmlRelInfo *inner, bool equality)
{
	Cost		work;

	info->local_sel = clauselist_selectivity(root, info->local_conds, 0, JOIN_INNER, NULL);
	cost_qual_eval(&info->local_cost, info->local_conds, root);
	info->rows = joinrel->rows;
	info->fetched = clamp_row_est(joinrel->rows / Max(info->local_sel, 1.0e-10));
	if (info->guessed && equality)
		info->fetched = Min(info->fetched, Max(outer->fetched, inner->fetched));
	info->width = joinrel->reltarget->width;

	work = outer->find_cost + inner->find_cost +
		pgml_cost_join(outer->fetched, inner->fetched, info->fetched, equality);
	if (equality && pgml_from_is_table(inner->from))
		work = Min(work, outer->find_cost + pgml_cost_lookup(outer->fetched, info->fetched));
	if (equality && pgml_from_is_table(outer->from))
		work = Min(work, inner->find_cost + pgml_cost_lookup(inner->fetched, info->fetched));
	info->find_cost = work;
	if (pgml_estimate_select(root, info, pgml_relinfo_exprs(joinrel, info)))
	{
		joinrel->rows = info->rows;
		joinrel->reltarget->width = info->width;
	}
}

/* Offer the join, sorted by these path keys if there are any. */
static void
offer_join(PlannerInfo *root, RelOptInfo *joinrel, const PgmlRelInfo *info, List *pathkeys,
		   Path *local)
{
	PgmlSelectWork work = {0};
	Cost		startup_cost;
	Cost		total_cost;
	Path	   *path;

	work.find = info->find_cost;
	work.sorted = pathkeys != NIL;
	work.sort_rows = info->fetched;
	work.fetched = info->fetched;
	work.width = info->width;
	work.local_quals = info->local_cost;
	pgml_cost_select(info->options, &work, &startup_cost, &total_cost);
	startup_cost += joinrel->reltarget->cost.startup;
	total_cost += joinrel->reltarget->cost.startup +
		info->rows * joinrel->reltarget->cost.per_tuple;

	path = (Path *) pgml_create_join_path(root, joinrel, info->rows, startup_cost, total_cost,
										  pathkeys, local);
	if (info->run_once)
		path = (Path *) create_material_path(joinrel, path);
	add_path(joinrel, path);
}

void
pgmlGetForeignJoinPaths(PlannerInfo *root, RelOptInfo *joinrel, RelOptInfo *outerrel,
						RelOptInfo *innerrel, JoinType jointype, JoinPathExtraData *extra)
{
	PgmlRelInfo *outer = pgml_relinfo_of(outerrel);
	PgmlRelInfo *inner = pgml_relinfo_of(innerrel);
	PgmlRelInfo *info;
	JoinClauses clauses = {0};
	Path	   *local = NULL;

	/* another pair of relations may have given this join already */
	if (!pgml_setting_enable_pushdown ||
		pgml_relinfo_of(joinrel) != NULL || outer == NULL || inner == NULL)
		return;
	if (!bms_is_empty(joinrel->lateral_relids) ||
		(jointype != JOIN_INNER && jointype != JOIN_LEFT && jointype != JOIN_RIGHT &&
		 jointype != JOIN_FULL && jointype != JOIN_SEMI && jointype != JOIN_ANTI))
		return;

	/* a full join that core can't do, the remote can't either: let core say so */
	if (jointype == JOIN_FULL && joinrel->pathlist == NIL)
		return;

	if (needs_recheck(root))
	{
		/* what has been checked below the join couldn't be checked above it */
		if (outer->local_conds != NIL || inner->local_conds != NIL ||
			outer->run_once || inner->run_once)
			return;
		local = GetExistingLocalJoinPath(joinrel);
		if (local == NULL)
			return;
	}

	if (!split_clauses(root, joinrel, innerrel, jointype,
					   bms_union(outer->relids, inner->relids), outer->options,
					   extra->restrictlist, &clauses))
		return;
	info = join_info(root, outer, inner, jointype, &clauses);
	if (info == NULL || wants_too_much(root, joinrel, info))
		return;

	estimate(root, joinrel, info, outer, inner, clauses.equality);
	pgml_relinfo_set(joinrel, info);
	offer_join(root, joinrel, info, NIL, local);
	if (root->query_pathkeys != NIL &&
		pgml_shippable_sort(root, info->visible, info->options, root->query_pathkeys) != NIL)
		offer_join(root, joinrel, info, root->query_pathkeys, local);
}
