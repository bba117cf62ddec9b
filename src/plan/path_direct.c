/*
 * path_direct.c
 *		INSERT, UPDATE and DELETE that the remote runs as a whole.
 *
 * Question answered: can a statement be sent so that no row travels, but those
 * of RETURNING?
 *
 * It can, where nothing has to happen here for each row: no condition, no
 * computation, and (core sees to that) no trigger or check.  Core asks once it
 * has made the plan: below ModifyTable there must be nothing but one foreign
 * scan, which becomes the statement.
 *
 *	  UPDATE, DELETE	of the table that is scanned; or of one in a join that
 *						the remote computes (without RETURNING)
 *	  INSERT			of what is scanned, table or join, if it is read as the
 *						same user who writes (without RETURNING)
 */
#include "postgres.h"

#include "access/sysattr.h"
#include "access/table.h"
#include "nodes/makefuncs.h"
#include "optimizer/appendinfo.h"
#include "optimizer/optimizer.h"
#include "optimizer/pathnode.h"
#include "parser/parsetree.h"
#include "utils/rel.h"

#include "base/compat.h"
#include "base/setting.h"
#include "plan/path.h"
#include "plan/planinfo.h"
#include "plan/relinfo.h"
#include "plan/size.h"
#include "query/deparse.h"
#include "query/select.h"
#include "query/shippable.h"

/*
 * Find the scan that feeds the nth result relation, if there is nothing between
 * the two.  (What the children of a table give to an INSERT all goes to one.)
 */
static ForeignScan *
find_scan(ModifyTable *plan, int subplan_index)
{
	Plan	   *subplan = outerPlan(plan);

	if (IsA(subplan, Append) && plan->operation != CMD_INSERT)
	{
		List	   *subplans = ((Append *) subplan)->appendplans;

		if (subplan_index >= list_length(subplans))
			return NULL;
		subplan = list_nth(subplans, subplan_index);
	}

	/* above a join, expressions may be computed, and rows be kept for whoever reads them again */
	if (IsA(subplan, Result) && ((Result *) subplan)->resconstantqual == NULL &&
		subplan->qual == NIL && outerPlan(subplan) != NULL)
		subplan = outerPlan(subplan);
	if (IsA(subplan, Material))
		subplan = outerPlan(subplan);
	if (!IsA(subplan, ForeignScan) || subplan->qual != NIL ||
		((ForeignScan *) subplan)->operation != CMD_SELECT)
		return NULL;
	return (ForeignScan *) subplan;
}

/* Find what is known of the relation that a scan reads; NULL: it is no table or join of ours. */
static const PgmlRelInfo *
find_info(PlannerInfo *root, ForeignScan *scan, const PgmlOptions *options)
{
	RelOptInfo *rel;
	const PgmlRelInfo *info;

	if (scan->fs_server != options->serverid)
		return NULL;
	rel = scan->scan.scanrelid > 0 ? find_base_rel(root, scan->scan.scanrelid) :
		find_join_rel(root, scan->fs_relids);
	if (rel == NULL)
		return NULL;
	info = pgml_relinfo_of(rel);
	return info != NULL && info->local_conds == NIL ? info : NULL;
}

/*
 * List the expressions that an UPDATE sets columns to, in the order of
 * *targetattrs; false if the remote can't compute one of them.
 */
static bool
computable_values(PlannerInfo *root, Relids relids, Index rti, const PgmlOptions *options,
				  List **values, List **targetattrs)
{
	Oid			relid = planner_rt_fetch(rti, root)->relid;
	List	   *tlist;
	ListCell   *lc;
	ListCell   *lc2;

	/* behind the new values, the target list has what names the row */
	get_translated_update_targetlist(root, rti, &tlist, targetattrs);
	tlist = list_copy_head(tlist, list_length(*targetattrs));
	*values = NIL;
	forboth(lc, tlist, lc2, *targetattrs)
	{
		Expr	   *value = ((TargetEntry *) lfirst(lc))->expr;

		/* text isn't assigned to a column that is text only here, but a parameter is */
		if (pgml_option_column_type(relid, lfirst_int(lc2)) != NULL ||
			!pgml_shippable_expr(root, relids, options, value))
			return false;
		*values = lappend(*values, value);
	}
	return true;
}

/* Does RETURNING ask for system columns that only a row's own trip would bring? */
static bool
returns_system_columns(ModifyTable *plan, Index rti, int subplan_index)
{
	Bitmapset  *attrs = NULL;
	int			attr = -1;

	if (plan->returningLists == NIL)
		return false;
	pull_varattnos(list_nth(plan->returningLists, subplan_index), rti, &attrs);
	while ((attr = bms_next_member(attrs, attr)) >= 0)
	{
		AttrNumber	attnum = attr + FirstLowInvalidHeapAttributeNumber;

		if (attnum < 0 && attnum != SelfItemPointerAttributeNumber &&
			attnum != TableOidAttributeNumber)
			return true;
	}
	return false;
}

/* Make the UPDATE or DELETE of a table by a scan of that table; NULL: can't be done. */
static char *
change_table(PgmlDeparse *cxt, PgmlDirectPlan *direct, ModifyTable *plan, Index rti,
			 ForeignScan *scan)
{
	Oid			relid = planner_rt_fetch(rti, cxt->root)->relid;
	List	   *values;
	List	   *targetattrs;

	cxt->relids = bms_make_singleton(rti);
	if (plan->operation == CMD_DELETE)
		return pgml_deparse_direct_delete(cxt, relid, scan->fdw_recheck_quals,
										  direct->returning);
	if (!computable_values(cxt->root, cxt->relids, rti, cxt->options, &values, &targetattrs))
		return NULL;
	return pgml_deparse_direct_update(cxt, relid, targetattrs, values,
									  scan->fdw_recheck_quals, direct->returning);
}

/* The same by the scan of a join. */
static char *
change_by_join(PgmlDeparse *cxt, ModifyTable *plan, Index rti, ForeignScan *scan)
{
	const PgmlRelInfo *info = find_info(cxt->root, scan, cxt->options);
	List	   *values;
	List	   *targetattrs;
	PgmlSelect	select;

	if (info == NULL || plan->returningLists != NIL || !bms_is_member(rti, info->visible))
		return NULL;
	cxt->relids = info->relids;
	select = pgml_select_make(cxt->root, info, NIL, NIL);
	if (plan->operation == CMD_DELETE)
		return pgml_deparse_join_delete(cxt, &select, rti);
	if (!computable_values(cxt->root, info->visible, rti, cxt->options, &values, &targetattrs))
		return NULL;
	return pgml_deparse_join_update(cxt, &select, rti, targetattrs, values);
}

/*
 * Find the values that an INSERT gives to these columns in the target list;
 * false if the remote can't compute one of them.
 */
static bool
inserted_values(PlannerInfo *root, const PgmlRelInfo *info, Oid relid,
				const PgmlOptions *options, List *tlist, List *columns, List **values)
{
	ListCell   *lc;

	*values = NIL;
	foreach(lc, columns)
	{
		TargetEntry *tle = get_tle_by_resno(tlist, (AttrNumber) lfirst_int(lc));

		if (tle == NULL || tle->resjunk ||
			pgml_option_column_type(relid, lfirst_int(lc)) != NULL ||
			!pgml_shippable_expr(root, info->visible, options, tle->expr))
			return false;
		*values = lappend(*values, tle->expr);
	}
	return *values != NIL;
}

/* Make the INSERT of what a scan reads; NULL: can't be done. */
static char *
insert_rows(PgmlDeparse *cxt, ModifyTable *plan, Index rti, ForeignScan *scan)
{
	PlannerInfo *root = cxt->root;
	Oid			relid = planner_rt_fetch(rti, root)->relid;
	const PgmlRelInfo *info = find_info(root, scan, cxt->options);
	Relation	rel;
	List	   *columns;
	List	   *values;
	PgmlSelect	select;

	if (info == NULL || plan->returningLists != NIL || root->rowMarks != NIL ||
		root->parse->override != OVERRIDING_NOT_SET ||
		(plan->onConflictAction != ONCONFLICT_NONE &&
		 plan->onConflictAction != ONCONFLICT_NOTHING) ||
		pgml_relinfo_userid(find_base_rel(root, bms_next_member(info->visible, -1))) !=
		pgml_target_userid(root, rti))
		return NULL;

	rel = table_open(relid, NoLock);	/* the planner holds a lock */
	columns = pgml_modify_inserted_columns(root, rel, cxt->options);
	table_close(rel, NoLock);
	if (!inserted_values(root, info, relid, cxt->options, outerPlan(plan)->targetlist, columns,
						 &values))
		return NULL;
	cxt->relids = info->relids;
	select = pgml_select_make(root, info, values, NIL);
	return pgml_deparse_insert_select(cxt, &select, relid, cxt->options, columns,
									  plan->onConflictAction == ONCONFLICT_NOTHING);
}

bool
pgmlPlanDirectModify(PlannerInfo *root, ModifyTable *plan, Index resultRelation,
					 int subplan_index)
{
	RangeTblEntry *rte = planner_rt_fetch(resultRelation, root);
	ForeignScan *scan = find_scan(plan, subplan_index);
	PgmlDirectPlan direct = {0};
	PgmlDeparse cxt = {0};
	PgmlOptions *options;
	Relation	rel;

	if (!pgml_setting_enable_pushdown ||
		scan == NULL || returns_system_columns(plan, resultRelation, subplan_index))
		return false;

	cxt.root = root;
	options = pgml_options_of_table(rte->relid);
	options->userid = pgml_target_userid(root, resultRelation);
	options->same_collation = pgml_size_same_collation(options->serverid);
	options->server_version = pgml_size_server_version(options->serverid);
	cxt.options = options;
	rel = table_open(rte->relid, NoLock);	/* the planner holds a lock */
	direct.returning = pgml_modify_returned_columns(rel, plan, resultRelation, subplan_index);
	table_close(rel, NoLock);
	direct.counts = plan->canSetTag;

	if (plan->operation == CMD_INSERT)
		direct.sql = insert_rows(&cxt, plan, resultRelation, scan);
	else if (plan->operation != CMD_UPDATE && plan->operation != CMD_DELETE)
		return false;
	else if (scan->scan.scanrelid == resultRelation)
		direct.sql = change_table(&cxt, &direct, plan, resultRelation, scan);
	else if (scan->scan.scanrelid == 0)
		direct.sql = change_by_join(&cxt, plan, resultRelation, scan);
	if (direct.sql == NULL)
		return false;

	/* nothing is read: neither what stood above the scan is needed, nor a local join below it */
	if (!IsA(outerPlan(plan), Append))
	{
		scan->scan.plan.targetlist = outerPlan(plan)->targetlist;
		outerPlan(plan) = &scan->scan.plan;
	}
	outerPlan(scan) = NULL;
	pgml_planinfo_make_direct(scan, plan->operation, resultRelation, cxt.params, &direct);
	return true;
}
