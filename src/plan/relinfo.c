/*
 * relinfo.c
 *		One foreign relation, as the planner sees it.
 *
 * Question answered: which conditions and columns of this relation go where,
 * and how many rows does that leave?  Everything else in this folder builds on
 * the answer, which hangs on the RelOptInfo while a statement is planned.
 *
 * Nouns: a remote condition is one that the remote evaluates; fetched rows are
 * those that cross the wire; rows are what is left of them when the local
 * conditions have been applied here.
 *
 * Sizes come from the foreign table's own statistics (ANALYZE), combined as
 * core does for a local table.  For a table that was never analyzed size.c asks
 * the remote; where that doesn't help either we assume a large one.  The two
 * errors are not alike: taking a large table for a small one pulls millions of
 * rows over the wire, taking a small one for large costs a few needless round
 * trips.
 *
 * With use_remote_estimate the remote says how many rows come, and what finding them
 * costs (estimate.c).
 */
#include "postgres.h"

#include <math.h>

#include "access/htup_details.h"
#include "catalog/pg_class.h"
#include "catalog/pg_inherits.h"
#include "foreign/fdwapi.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/cost.h"
#include "optimizer/optimizer.h"
#include "optimizer/prep.h"
#include "optimizer/restrictinfo.h"
#include "parser/parsetree.h"
#include "utils/lsyscache.h"

#include "plan/bound.h"
#include "plan/changes.h"
#include "plan/cost.h"
#include "plan/estimate.h"
#include "plan/relinfo.h"
#include "plan/size.h"
#include "plan/transport.h"
#include "query/shippable.h"

/* Rows of a table that nobody has counted. */
#define UNKNOWN_TUPLES 1000000.0

/* Pages that a subquery reads which the remote runs for each row: those of an index and of some rows. */
#define SUBPLAN_PAGES 2.0

PgmlRelInfo *
pgml_relinfo_of(RelOptInfo *rel)
{
	return (PgmlRelInfo *) rel->fdw_private;
}

void
pgml_relinfo_set(RelOptInfo *rel, PgmlRelInfo *info)
{
	rel->fdw_private = info;
}

Oid
pgml_relinfo_userid(RelOptInfo *rel)
{
	return OidIsValid(rel->userid) ? rel->userid : GetUserId();
}

/*
 * May the remote evaluate this clause?  Besides being shippable, it must not
 * be one that could leak the values of rows that a security barrier below it
 * hides: the remote applies conditions in any order.
 */
static bool
goes_remote(PlannerInfo *root, RelOptInfo *rel, const PgmlOptions *options, RestrictInfo *rinfo)
{
	return restriction_is_securely_promotable(rinfo, rel) &&
		pgml_shippable_expr(root, rel->relids, options, rinfo->clause);
}

void
pgml_relinfo_split(PlannerInfo *root, RelOptInfo *rel, const PgmlOptions *options,
				   List *clauses, List **remote, List **local)
{
	ListCell   *lc;

	foreach(lc, clauses)
	{
		RestrictInfo *rinfo = lfirst_node(RestrictInfo, lc);

		if (goes_remote(root, rel, options, rinfo))
			*remote = lappend(*remote, rinfo);
		else
			*local = lappend(*local, rinfo);
	}
}

bool
pgml_relinfo_is_changed(PlannerInfo *root, Index rti)
{
	return (root->parse->commandType == CMD_UPDATE || root->parse->commandType == CMD_DELETE) &&
		bms_is_member(rti, root->all_result_relids);
}

PgmlRowLock
pgml_relinfo_lock(PlannerInfo *root, Index rti)
{
	PgmlRowLock lock = {LCS_NONE, LockWaitBlock};
	PlanRowMark *mark;

	if (pgml_relinfo_is_changed(root, rti))
	{
		const PgmlOptions *options = pgml_options_of_table(planner_rt_fetch(rti, root)->relid);

		/* a view may not allow it; the remote's snapshot shows a row that somebody has changed */
		if (options->row_identity == PGML_ROW_IDENTITY_CTID)
			lock.strength = LCS_FORUPDATE;
	}
	else if ((mark = get_plan_rowmark(root->rowMarks, rti)) != NULL)
	{
		lock.strength = mark->strength;
		lock.wait = mark->waitPolicy;
	}
	return lock;
}

/* Does the table, or a child of it, belong to the server? */
static bool
is_of_server(Oid relid, Oid serverid)
{
	ListCell   *lc;

	foreach(lc, find_all_inheritors(relid, NoLock, NULL))
		if (get_rel_relkind(lfirst_oid(lc)) == RELKIND_FOREIGN_TABLE &&
			GetForeignServerIdByRelId(lfirst_oid(lc)) == serverid)
			return true;
	return false;
}

/*
 * Does the statement change a table of this server while its scans are being
 * read?  To the remote, each change is a command of its own, whose work the next
 * query there sees: a scan that is started again in the middle would find rows
 * that this very statement has made, and change them again.
 */
static bool
changes_server(PlannerInfo *root, Oid serverid)
{
	for (; root != NULL; root = root->parent_root)
	{
		Query	   *query = root->parse;

		if (query->resultRelation > 0 &&
			is_of_server(rt_fetch(query->resultRelation, query->rtable)->relid, serverid) &&
			!pgml_changes_wait(root))
			return true;
	}
	return false;
}

/* Replace subqueries by constants, and add up in *context (a QualCost) what they cost the remote. */
static Node *
take_subplans(Node *node, void *context)
{
	QualCost   *cost = context;

	if (node == NULL)
		return NULL;
	if (IsA(node, RestrictInfo))
		return take_subplans((Node *) ((RestrictInfo *) node)->clause, context);
	if (IsA(node, AlternativeSubPlan))
		return take_subplans(linitial(((AlternativeSubPlan *) node)->subplans), context);
	if (IsA(node, SubPlan))
	{
		SubPlan    *plan = (SubPlan *) node;

		/* the one is run once, the other is taken to find its rows by an index */
		if (plan->parParam == NIL)
			cost->startup += plan->startup_cost + plan->per_call_cost;
		else
			cost->per_tuple += SUBPLAN_PAGES * seq_page_cost;
		return makeBoolConst(true, false);
	}
	return expression_tree_mutator(node, take_subplans, context);
}

/* What conditions cost the remote: for subqueries, other than here, no round trip each time. */
static QualCost
remote_cost(PlannerInfo *root, List *conditions)
{
	QualCost	subplans = {0};
	QualCost	cost;

	cost_qual_eval(&cost, (List *) take_subplans((Node *) conditions, &subplans), root);
	cost.startup += subplans.startup;
	cost.per_tuple += subplans.per_tuple;
	return cost;
}

/* The whole row, as a member of a set of attributes. */
#define WHOLE_ROW (InvalidAttrNumber - FirstLowInvalidHeapAttributeNumber)

/* Collect the attributes that are wanted above the scan, or by conditions that stay here. */
static Bitmapset *
collect_attrs(PlannerInfo *root, RelOptInfo *rel, List *local_conds)
{
	Bitmapset  *attrs = NULL;
	ListCell   *lc;

	pull_varattnos((Node *) rel->reltarget->exprs, rel->relid, &attrs);
	if (root->parse->commandType == CMD_UPDATE &&
		bms_is_member(rel->relid, root->all_result_relids) &&
		bms_is_member(WHOLE_ROW, attrs) && !pgml_changes_need_old_row(root, rel))
		attrs = bms_del_member(attrs, WHOLE_ROW);
	foreach(lc, local_conds)
		pull_varattnos((Node *) lfirst_node(RestrictInfo, lc)->clause, rel->relid, &attrs);
	return attrs;
}

/* Estimate rows and width: that of the target, of which a whole row that isn't fetched is no part. */
static void
estimate_target(PlannerInfo *root, RelOptInfo *rel, const PgmlRelInfo *info)
{
	Bitmapset  *targets = NULL;

	set_baserel_size_estimates(root, rel);
	pull_varattnos((Node *) rel->reltarget->exprs, rel->relid, &targets);
	if (bms_is_member(WHOLE_ROW, targets) && !bms_is_member(WHOLE_ROW, info->attrs_used))
	{
		int32	   *width = &rel->attr_widths[InvalidAttrNumber - rel->min_attr];

		rel->reltarget->width -= *width;
		*width = 0;
	}
}

/* Set the size of a table without statistics, as the remote has told it; or assume a large one. */
static void
find_size(RelOptInfo *rel, const PgmlOptions *options)
{
	double		rows = UNKNOWN_TUPLES;
	double		row_size = rel->reltarget->width + SizeofHeapTupleHeader;
	double		pages = ceil(rows * row_size / BLCKSZ);

	if (options->ask_size)
		(void) pgml_size_find(options, &pages, &rows);
	rel->tuples = rint(rows);
	rel->pages = (BlockNumber) Min(pages, (double) MaxBlockNumber);
}

/* Find out where conditions and columns go, unless that has been done before. */
static PgmlRelInfo *
prepare(PlannerInfo *root, RelOptInfo *rel, Oid relid)
{
	PgmlRelInfo *info = pgml_relinfo_of(rel);
	PgmlFrom   *from;

	if (info != NULL)
		return info;
	info = palloc0(sizeof(PgmlRelInfo));
	from = palloc0(sizeof(PgmlFrom));
	info->options = pgml_options_of_table(relid);
	info->options->userid = rel->userid;
	info->userid = pgml_relinfo_userid(rel);
	pgml_size_ask(root, rel, info->options);
	from->rti = rel->relid;
	from->relid = relid;
	from->options = info->options;
	info->from = from;
	info->relids = info->visible = rel->relids;
	pgml_relinfo_split(root, rel, info->options, rel->baserestrictinfo,
					   &info->remote_conds, &info->local_conds);
	info->attrs_used = collect_attrs(root, rel, info->local_conds);
	info->remote_cost = remote_cost(root, info->remote_conds);
	cost_qual_eval(&info->local_cost, info->local_conds, root);
	info->local_sel = clauselist_selectivity(root, info->local_conds, rel->relid,
											 JOIN_INNER, NULL);
	rel->fdw_private = info;
	return info;
}

List *
pgml_relinfo_exprs(RelOptInfo *rel, const PgmlRelInfo *info)
{
	List	   *exprs = list_copy(rel->reltarget->exprs);
	ListCell   *lc;

	foreach(lc, info->local_conds)
		exprs = lappend(exprs, lfirst_node(RestrictInfo, lc)->clause);
	return exprs;
}

/* Is it a table of the same server, which the remote is to be asked about? */
static bool
is_to_estimate(PlannerInfo *root, RelOptInfo *rel, const PgmlRelInfo *info)
{
	RangeTblEntry *rte;

	if (rel == NULL || rel->reloptkind != RELOPT_BASEREL || rel->serverid != info->options->serverid ||
		pgml_relinfo_userid(rel) != info->userid)
		return false;
	rte = planner_rt_fetch(rel->relid, root);
	return rte->rtekind == RTE_RELATION && rte->relkind == RELKIND_FOREIGN_TABLE &&
		pgml_options_of_table(rte->relid)->use_remote_estimate;
}

/* Ask the remote about a scan, and those of the other tables of its server while we are at it. */
static void
estimate_scans(PlannerInfo *root, RelOptInfo *rel, PgmlRelInfo *info)
{
	List	   *infos = list_make1(info);
	List	   *exprs = list_make1(pgml_relinfo_exprs(rel, info));

	if (!info->options->use_remote_estimate || info->asked)
		return;
	info->asked = true;
	for (int rti = 1; rel->reloptkind == RELOPT_BASEREL && rti < root->simple_rel_array_size; rti++)
	{
		RelOptInfo *other = root->simple_rel_array[rti];
		PgmlRelInfo *of_other;

		if (other == rel || !is_to_estimate(root, other, info))
			continue;
		of_other = prepare(root, other, planner_rt_fetch(rti, root)->relid);
		if (of_other->asked)
			continue;
		of_other->asked = true;
		infos = lappend(infos, of_other);
		exprs = lappend(exprs, pgml_relinfo_exprs(other, of_other));
	}
	pgml_estimate_ask(root, infos, exprs);
}

/* Take over what the remote thinks of the scan. */
static void
take_estimate(RelOptInfo *rel, PgmlRelInfo *info)
{
	info->fetched = clamp_row_est(info->estimate->rows);
	info->rows = rel->rows = clamp_row_est(info->fetched * info->local_sel);
	info->width = rel->reltarget->width = info->estimate->width;
	info->find_cost = info->estimate->cost;
	rel->tuples = Max(rel->tuples, info->fetched);
}

void
pgml_relinfo_build(PlannerInfo *root, RelOptInfo *rel, Oid relid)
{
	PgmlRelInfo *info = prepare(root, rel, relid);

	estimate_scans(root, rel, info);

	/* the first call finds the width, which a guess needs, and the second uses the size */
	estimate_target(root, rel, info);
	if (rel->tuples < 0)
	{
		find_size(rel, info->options);
		info->guessed = true;
		estimate_target(root, rel, info);
	}

	info->rows = rel->rows;
	info->fetched = clamp_row_est(rel->rows / Max(info->local_sel, 1.0e-10));
	info->fetched = Min(info->fetched, Max(rel->tuples, info->rows));
	info->width = rel->reltarget->width;
	info->find_cost = pgml_cost_find(&(PgmlScanWork) {
		.pages = rel->pages,
		.tuples = rel->tuples,
		.remote_quals = info->remote_cost
	});
	if (info->estimate != NULL)
		take_estimate(rel, info);
	info->run_once = changes_server(root, info->options->serverid);
	info->bound = pgml_bound_find(root, rel, info);
	info->concurrent = info->options->async_capable && !info->run_once &&
		!pgml_relinfo_is_changed(root, rel->relid) && !pgml_transport_is_enough(root, rel->rows);
}
