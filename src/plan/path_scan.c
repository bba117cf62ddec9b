/*
 * path_scan.c
 *		Scans of single foreign tables: sizes, paths, and the plan.
 *
 * Question answered: in which ways could the rows of one foreign table be
 * fetched, and what exactly is asked of the remote in the way that was chosen?
 * Joins and everything above them are other files' business.
 *
 * Three kinds of path are offered.  The plain scan, with the conditions that
 * the remote may evaluate.  The scan sorted by the remote, if the whole of the
 * query's order is one that the remote is sure to understand as we do.  And
 * scans with parameters, where a join clause compares a remote column with
 * values of another relation: the inner side of a nested loop that asks the
 * remote for the matching rows only.
 *
 * Sorted scans are not offered for the sake of merge joins: without knowing the
 * remote's indexes that would be a guess, and a wrong one makes the remote sort
 * a large table.
 */
#include "postgres.h"

#include "access/sysattr.h"
#include "access/table.h"
#include "optimizer/clauses.h"
#include "optimizer/cost.h"
#include "optimizer/optimizer.h"
#include "optimizer/planmain.h"
#include "optimizer/restrictinfo.h"
#include "utils/rel.h"

#include "base/compat.h"
#include "base/setting.h"
#include "plan/bound.h"
#include "plan/cost.h"
#include "plan/keyed.h"
#include "plan/path.h"
#include "plan/planinfo.h"
#include "plan/relinfo.h"
#include "plan/transport.h"
#include "query/deparse.h"
#include "query/shippable.h"

void
pgmlGetForeignRelSize(PlannerInfo *root, RelOptInfo *rel, Oid relid)
{
	pgml_relinfo_build(root, rel, relid);
}

/* The rows that an unparameterized scan in this order brings, of so many that there are. */
static double
rows_in_order(PlannerInfo *root, const PgmlRelInfo *info, double rows, List *pathkeys)
{
	return pgml_bound_holds(root, info, pathkeys) ? pgml_bound_rows(info, rows) : rows;
}

/* The work of an unparameterized scan. */
static PgmlScanWork
plain_work(RelOptInfo *rel, const PgmlRelInfo *info)
{
	PgmlScanWork work = {
		.pages = rel->pages,
		.tuples = rel->tuples,
		.found = info->estimate != NULL ? info->find_cost : 0,
		.remote_quals = info->remote_cost,
		.fetched = info->fetched,
		.width = info->width,
		.local_quals = info->local_cost
	};

	return work;
}

/*
 * Offer a path that does this work and returns this many rows.  One that may run
 * only once keeps its rows, if what reads them could ask for them again.
 */
static void
offer_path(PlannerInfo *root, RelOptInfo *rel, const PgmlScanWork *work, double rows,
		   List *pathkeys, Relids required_outer)
{
	Cost		startup_cost;
	Cost		total_cost;
	Path	   *path;

	pgml_cost_scan(pgml_relinfo_of(rel)->options, work, &startup_cost, &total_cost);
	startup_cost += rel->reltarget->cost.startup;
	total_cost += rel->reltarget->cost.startup + rows * rel->reltarget->cost.per_tuple;

	path = (Path *) pgml_create_scan_path(root, rel, NULL, rows, startup_cost, total_cost,
										  pathkeys, required_outer, NULL, NIL);
	if (pgml_relinfo_of(rel)->run_once &&
		(root->parent_root != NULL || bms_membership(root->all_baserels) == BMS_MULTIPLE))
		path = (Path *) create_material_path(rel, path);
	add_path(rel, path);
}

/* Offer the scan sorted as the query wants it, if the remote can be relied on for that. */
static void
offer_sorted_path(PlannerInfo *root, RelOptInfo *rel)
{
	PgmlRelInfo *info = pgml_relinfo_of(rel);
	PgmlScanWork work = plain_work(rel, info);

	if (pgml_shippable_sort(root, rel->relids, info->options, root->query_pathkeys) == NIL)
		return;
	work.sorted = true;
	work.fetched = rows_in_order(root, info, work.fetched, root->query_pathkeys);
	offer_path(root, rel, &work, rows_in_order(root, info, info->rows, root->query_pathkeys),
			   root->query_pathkeys, rel->lateral_relids);
}

/* Could an index serve one of these clauses?  If it is an equality, we assume so. */
static bool
has_equality(List *clauses)
{
	ListCell   *lc;

	foreach(lc, clauses)
	{
		RestrictInfo *rinfo = lfirst_node(RestrictInfo, lc);

		if (rinfo->mergeopfamilies != NIL || OidIsValid(rinfo->hashjoinoperator))
			return true;
	}
	return false;
}

/* Offer the scan with the parameters that ppi needs. */
static void
offer_parameterized_path(PlannerInfo *root, RelOptInfo *rel, ParamPathInfo *ppi)
{
	PgmlRelInfo *info = pgml_relinfo_of(rel);
	PgmlScanWork work = plain_work(rel, info);
	List	   *remote = NIL;
	List	   *local = NIL;
	QualCost	cost;
	Selectivity local_sel;

	pgml_relinfo_split(root, rel, info->options, ppi->ppi_clauses, &remote, &local);
	work.by_index = has_equality(remote);
	work.found = 0;

	cost_qual_eval(&cost, remote, root);
	work.remote_quals.startup += cost.startup;
	work.remote_quals.per_tuple += cost.per_tuple;
	cost_qual_eval(&cost, local, root);
	work.local_quals.startup += cost.startup;
	work.local_quals.per_tuple += cost.per_tuple;

	local_sel = info->local_sel *
		clauselist_selectivity(root, local, rel->relid, JOIN_INNER, NULL);
	work.fetched = clamp_row_est(ppi->ppi_rows / Max(local_sel, 1.0e-10));
	work.fetched = Min(work.fetched, info->fetched);

	offer_path(root, rel, &work, ppi->ppi_rows, NIL, ppi->ppi_req_outer);
}

/*
 * Will the remote join these relations with this one, whatever else becomes of the query?
 * Then scans with values of theirs are of no use, and there would be many: each of
 * them is tried in each join that core plans.
 */
static bool
joined_remotely(PlannerInfo *root, RelOptInfo *rel, Relids others)
{
	int			rti = -1;

	/* what an outer join or a semi-join asks for may not be shippable */
	if (root->join_info_list != NIL || root->placeholder_list != NIL ||
		root->hasLateralRTEs || root->rowMarks != NIL ||
		root->parse->commandType != CMD_SELECT || !pgml_setting_enable_pushdown ||
		pgml_relinfo_of(rel)->local_conds != NIL)
		return false;
	while ((rti = bms_next_member(others, rti)) >= 0)
	{
		RelOptInfo *other = find_base_rel(root, rti);

		if (other->serverid != rel->serverid || other->userid != rel->userid ||
			pgml_relinfo_of(other) == NULL || pgml_relinfo_of(other)->local_conds != NIL)
			return false;
	}
	return true;
}

/*
 * Add to ppis the parameterization that a join clause allows, if the clause
 * can be evaluated at this relation's scan, by the remote.
 */
static List *
add_parameterization(PlannerInfo *root, RelOptInfo *rel, RestrictInfo *rinfo, List *ppis)
{
	Relids		outer;

	if (!restriction_is_securely_promotable(rinfo, rel) ||
		!pgml_shippable_expr(root, rel->relids, pgml_relinfo_of(rel)->options, rinfo->clause))
		return ppis;

	outer = bms_union(rinfo->clause_relids, rel->lateral_relids);
	outer = bms_del_members(outer, rel->relids);
	if (bms_is_empty(outer) || joined_remotely(root, rel, outer))
		return ppis;
	return list_append_unique_ptr(ppis, get_baserel_parampathinfo(root, rel, outer));
}

/* Callback: is this class member the column that we ask for? */
static bool
is_column(PlannerInfo *root, RelOptInfo *rel, EquivalenceClass *ec, EquivalenceMember *member,
		  void *arg)
{
	Expr	   *expr = member->em_expr;

	while (IsA(expr, RelabelType))
		expr = ((RelabelType *) expr)->arg;
	return equal(expr, arg);
}

/*
 * Collect the parameterizations that are worth offering: from join clauses as
 * the query states them, and from those that follow from its equalities.
 * The columns in such equalities are all wanted above the scan.
 */
static List *
collect_parameterizations(PlannerInfo *root, RelOptInfo *rel)
{
	List	   *ppis = NIL;
	ListCell   *lc;

	foreach(lc, rel->joininfo)
	{
		RestrictInfo *rinfo = lfirst_node(RestrictInfo, lc);

		if (join_clause_is_movable_to(rinfo, rel))
			ppis = add_parameterization(root, rel, rinfo, ppis);
	}

	if (!rel->has_eclass_joins)
		return ppis;
	foreach(lc, rel->reltarget->exprs)
	{
		List	   *clauses;
		ListCell   *lc2;

		if (!IsA(lfirst(lc), Var))
			continue;
		clauses = generate_implied_equalities_for_column(root, rel, is_column, lfirst(lc),
														 rel->lateral_referencers);
		foreach(lc2, clauses)
		{
			RestrictInfo *rinfo = lfirst_node(RestrictInfo, lc2);

			if (join_clause_is_movable_to(rinfo, rel))
				ppis = add_parameterization(root, rel, rinfo, ppis);
		}
	}
	return ppis;
}

void
pgmlGetForeignPaths(PlannerInfo *root, RelOptInfo *rel, Oid relid)
{
	PgmlRelInfo *info = pgml_relinfo_of(rel);
	PgmlScanWork work = plain_work(rel, info);
	ListCell   *lc;

	work.fetched = rows_in_order(root, info, work.fetched, NIL);
	offer_path(root, rel, &work, rows_in_order(root, info, info->rows, NIL), NIL,
			   rel->lateral_relids);
	offer_sorted_path(root, rel);

	/* parameters would have it started again and again */
	if (info->run_once || joined_remotely(root, rel, root->all_baserels))
		return;
	foreach(lc, collect_parameterizations(root, rel))
		offer_parameterized_path(root, rel, lfirst_node(ParamPathInfo, lc));
}

/* Add a column of the remote, which fills attribute attnum of the scan slot. */
static void
add_column(PgmlScanPlan *plan, Oid relid, AttrNumber remote_attnum, AttrNumber attnum)
{
	StringInfoData buf;

	initStringInfo(&buf);
	pgml_deparse_fetched_column(&buf, relid, remote_attnum);
	plan->query.columns[plan->query.ncols] = buf.data;
	plan->attnums[plan->query.ncols] = attnum;
	plan->query.ncols++;
}

static bool
is_used(Bitmapset *attrs, AttrNumber attnum)
{
	return bms_is_member(attnum - FirstLowInvalidHeapAttributeNumber, attrs);
}

/*
 * List the columns to fetch: those that are used, all for a whole row, and of
 * the system columns those that the remote has something to say about.
 */
static void
add_columns(PgmlScanPlan *plan, Oid relid, Bitmapset *attrs, bool changed)
{
	Relation	relation = table_open(relid, NoLock);
	TupleDesc	desc = RelationGetDescr(relation);
	bool		whole_row = is_used(attrs, InvalidAttrNumber);

	plan->query.columns = palloc((desc->natts + 2) * sizeof(char *));
	plan->attnums = palloc((desc->natts + 2) * sizeof(AttrNumber));

	for (AttrNumber attnum = 1; attnum <= desc->natts; attnum++)
	{
		Form_pg_attribute attr = TupleDescAttr(desc, attnum - 1);

		if (attr->attisdropped)
			continue;
		if ((whole_row && !pgml_is_virtual(attr)) || is_used(attrs, attnum))
			add_column(plan, relid, attnum, attnum);
	}

	if (is_used(attrs, SelfItemPointerAttributeNumber))
		add_column(plan, relid, SelfItemPointerAttributeNumber, SelfItemPointerAttributeNumber);
	if (changed && is_used(attrs, PGML_REMOTE_TABLEOID_ATTNO))
		add_column(plan, relid, TableOidAttributeNumber, PGML_REMOTE_TABLEOID_ATTNO);

	plan->system_columns =
		is_used(attrs, MinTransactionIdAttributeNumber) ||
		is_used(attrs, MinCommandIdAttributeNumber) ||
		is_used(attrs, MaxTransactionIdAttributeNumber) ||
		is_used(attrs, MaxCommandIdAttributeNumber);

	table_close(relation, NoLock);
}

char *
pgml_relation_name(const PgmlOptions *options)
{
	StringInfoData buf;

	if (options->query != NULL)
		return NULL;
	initStringInfo(&buf);
	pgml_deparse_relation(&buf, options);
	return buf.data;
}

/* Write the query's part behind the columns; the expressions of its parameters go to *params. */
static void
add_tail(PlannerInfo *root, RelOptInfo *rel, PgmlScanPlan *plan, List *remote_exprs,
		 const PgmlKeys *keys, List *pathkeys, List **params)
{
	const PgmlRelInfo *info = pgml_relinfo_of(rel);
	const PgmlOptions *options = info->options;
	List	   *sort_keys = pgml_shippable_sort(root, rel->relids, options, pathkeys);
	PgmlRowLock lock = pgml_relinfo_lock(root, rel->relid);
	PgmlQuery  *query = &plan->query;
	PgmlDeparse cxt = {0};
	ListCell   *lc;

	if (sort_keys == NIL && pathkeys != NIL)
		elog(ERROR, "could not find the expressions to sort a foreign scan by");

	cxt.buf = makeStringInfo();
	cxt.root = root;
	cxt.relids = rel->relids;
	cxt.options = options;
	pgml_deparse_base_tail(&cxt, remote_exprs, keys, sort_keys,
						   pgml_bound_holds(root, info, pathkeys) ? info->bound : NULL, lock);

	query->tail = cxt.buf->data;
	query->relation = cxt.nested ? NULL : pgml_relation_name(options);
	query->locks_rows = lock.strength != LCS_NONE;
	query->param_at = palloc(list_length(cxt.param_at) * sizeof(int));
	foreach(lc, cxt.param_at)
		query->param_at[query->nparam_at++] = lfirst_int(lc);
	*params = pgml_keyed_bind(keys, cxt.params, plan);
}

/*
 * Divide the clauses of the scan, parameterized ones included, into those
 * of the remote and those that stay.  Pseudoconstants are checked elsewhere.
 */
static void
divide_clauses(PlannerInfo *root, RelOptInfo *rel, List *clauses, List **remote, List **local)
{
	const PgmlRelInfo *info = pgml_relinfo_of(rel);
	ListCell   *lc;

	foreach(lc, clauses)
	{
		RestrictInfo *rinfo = lfirst_node(RestrictInfo, lc);

		if (rinfo->pseudoconstant)
			continue;
		if (list_member_ptr(info->remote_conds, rinfo))
			*remote = lappend(*remote, rinfo);
		else if (list_member_ptr(info->local_conds, rinfo))
			*local = lappend(*local, rinfo);
		else
			pgml_relinfo_split(root, rel, info->options, list_make1(rinfo), remote, local);
	}
}

/* How many rows the remote sends for one run of the path. */
static double
fetched_by(PlannerInfo *root, const PgmlRelInfo *info, ForeignPath *path)
{
	if (path->path.param_info != NULL || pgml_planinfo_keys(path) != NULL)
		return Min(info->fetched, path->path.rows / Max(info->local_sel, 1.0e-10));
	return rows_in_order(root, info, info->fetched, path->path.pathkeys);
}

/*
 * List the conditions that must hold of a row that is seen again.  Where that can't
 * happen, subqueries are left out: a plan that has them would seem to run them.
 */
static List *
recheck_conditions(PlannerInfo *root, List *remote)
{
	List	   *result = NIL;
	ListCell   *lc;

	if (root->parse->commandType != CMD_SELECT || root->rowMarks != NIL)
		return remote;
	foreach(lc, remote)
		if (!contain_subplans(lfirst(lc)))
			result = lappend(result, lfirst(lc));
	return result;
}

/* Plan the scan of a base relation. */
static ForeignScan *
plan_scan(PlannerInfo *root, RelOptInfo *rel, Oid relid, ForeignPath *best_path,
		  List *tlist, List *scan_clauses, Plan *outer_plan)
{
	PgmlRelInfo *info = pgml_relinfo_of(rel);
	PgmlScanPlan plan = {0};
	Bitmapset  *attrs = bms_copy(info->attrs_used);
	List	   *remote = NIL;
	List	   *local = NIL;
	List	   *params;

	divide_clauses(root, rel, scan_clauses, &remote, &local);
	remote = extract_actual_clauses(remote, false);
	local = extract_actual_clauses(local, false);
	pull_varattnos((Node *) local, rel->relid, &attrs);

	plan.serverid = info->options->serverid;
	plan.userid = rel->userid;
	add_columns(&plan, relid, attrs, pgml_relinfo_is_changed(root, rel->relid));
	add_tail(root, rel, &plan, remote, pgml_planinfo_keys(best_path), best_path->path.pathkeys,
			 &params);
	pgml_transport_choose(&plan, root, rel, &best_path->path, info->options,
						  fetched_by(root, info, best_path), params);

	/* the remote's conditions are rechecked here if the row is seen again in EvalPlanQual */
	return make_foreignscan(tlist, local, rel->relid, params, pgml_planinfo_pack_scan(&plan),
							NIL, recheck_conditions(root, remote), outer_plan);
}

ForeignScan *
pgmlGetForeignPlan(PlannerInfo *root, RelOptInfo *rel, Oid relid, ForeignPath *best_path,
				   List *tlist, List *scan_clauses, Plan *outer_plan)
{
	if (IS_SIMPLE_REL(rel))
		return plan_scan(root, rel, relid, best_path, tlist, scan_clauses, outer_plan);
	return pgml_plan_select(root, rel, best_path, tlist, outer_plan);
}

/* May an Append run the scan at the same time as others? */
bool
pgmlIsForeignPathAsyncCapable(ForeignPath *path)
{
	PgmlRelInfo *info = pgml_relinfo_of(path->path.parent);

	return info != NULL && info->concurrent;
}
