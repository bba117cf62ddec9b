/*
 * path_modify.c
 *		INSERT, UPDATE and DELETE of a foreign table's rows.
 *
 * Question answered: which columns travel in each direction, and how is a row
 * found again?
 *
 * A row is known by ctid and the remote's tableoid, which the scan of the
 * result relation brings along as junk columns (planinfo.h says how); a row of a
 * view, which has none, by its key columns, if the user says so.  INSERT
 * and UPDATE send the columns that they set (so that the remote's own defaults
 * fill the others); when a local BEFORE trigger could change any column of the
 * new row, all.  RETURNING asks for
 * what the statement returns, and for what is looked at here after the fact:
 * all columns for a local AFTER trigger, those of the view's conditions for
 * WITH CHECK OPTION.  (An AFTER DELETE trigger sees the row that the scan has
 * brought.)
 *
 * A generated column is never sent a value: the remote computes it.
 *
 * Rows whose fate nobody here asks for, one by one, are changed in batches.
 *
 * Statements that are sent whole are path_direct.c's.
 */
#include "postgres.h"

#include "access/sysattr.h"
#include "access/table.h"
#include "catalog/pg_type_d.h"
#include "commands/trigger.h"
#include "nodes/makefuncs.h"
#include "optimizer/appendinfo.h"
#include "optimizer/optimizer.h"
#include "parser/parsetree.h"
#include "utils/rel.h"

#include "base/compat.h"
#include "plan/changes.h"
#include "plan/joined.h"
#include "plan/path.h"
#include "plan/planinfo.h"
#include "plan/relinfo.h"
#include "query/deparse.h"
#include "query/shippable.h"

/*
 * Forget how rows of the other tables could be found again (PlanRowMark).  That is
 * for a row of a local result relation that another transaction has changed
 * meanwhile, whose join is then computed anew; there is none here.  What would be
 * kept for it, whole rows of foreign tables for instance, needn't be fetched
 * then.  Core adds the columns for it just after this.
 */
static void
drop_row_marks(PlannerInfo *root)
{
	ListCell   *lc;

	foreach(lc, root->rowMarks)
		if (!RowMarkRequiresRowShareLock(lfirst_node(PlanRowMark, lc)->markType))
			root->rowMarks = foreach_delete_current(root->rowMarks, lc);
}

/* Ask the scan for ctid and the remote's tableoid. */
static void
add_ctid(PlannerInfo *root, Index rti)
{
	Var		   *ctid = makeVar(rti, SelfItemPointerAttributeNumber, TIDOID, -1,
							   InvalidOid, 0);
	Var		   *tableoid = makeVar(rti, PGML_REMOTE_TABLEOID_ATTNO, OIDOID, -1,
								   InvalidOid, 0);

	add_row_identity_var(root, ctid, rti, PGML_JUNK_CTID);
	add_row_identity_var(root, tableoid, rti, PGML_JUNK_TABLEOID);
}

/* Ask the scan for the key columns. */
static void
add_keys(PlannerInfo *root, Index rti, Relation rel)
{
	List	   *keys = pgml_option_key_columns(RelationGetRelid(rel));
	ListCell   *lc;

	if (keys == NIL)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("foreign table \"%s\" has no key columns", RelationGetRelationName(rel)),
				 errdetail("Its option row_identity says that they name its rows."),
				 errhint("Say which columns they are: ALTER FOREIGN TABLE ... ALTER COLUMN ... OPTIONS (key 'true').")));
	foreach(lc, keys)
	{
		Form_pg_attribute attr = TupleDescAttr(RelationGetDescr(rel), lfirst_int(lc) - 1);
		Var		   *var = makeVar(rti, attr->attnum, attr->atttypid, attr->atttypmod,
								  attr->attcollation, 0);

		add_row_identity_var(root, var, rti, pgml_planinfo_key_junk(attr));
	}
}

void
pgmlAddForeignUpdateTargets(PlannerInfo *root, Index rtindex, RangeTblEntry *target_rte,
							Relation target_relation)
{
	const PgmlOptions *options = pgml_options_of_table(RelationGetRelid(target_relation));

	if (options->row_identity == PGML_ROW_IDENTITY_KEY)
		add_keys(root, rtindex, target_relation);
	else
		add_ctid(root, rtindex);
	if (rtindex == (Index) root->parse->resultRelation && !target_rte->inh)
		drop_row_marks(root);
}

/*
 * List the columns that an INSERT sends: those that it sets or that have a
 * default here, which the rewriter has put into the target list, and generated
 * ones.  All, if the user wants that, or where a local trigger may set any.
 */
List *
pgml_modify_inserted_columns(PlannerInfo *root, Relation rel, const PgmlOptions *options)
{
	List	   *columns = pgml_stored_columns(rel);
	List	   *set = NIL;
	ListCell   *lc;

	if (!options->remote_defaults ||
		(rel->trigdesc != NULL && rel->trigdesc->trig_insert_before_row))
		return columns;

	foreach(lc, root->parse->targetList)
	{
		TargetEntry *tle = lfirst_node(TargetEntry, lc);

		if (!tle->resjunk)
			set = lappend_int(set, tle->resno);
	}
	foreach(lc, columns)
		if (!list_member_int(set, lfirst_int(lc)) &&
			TupleDescAttr(RelationGetDescr(rel), lfirst_int(lc) - 1)->attgenerated == '\0')
			columns = foreach_delete_current(columns, lc);
	return columns;
}

/* List the columns that an UPDATE sets; a virtual one only if there is nothing else. */
static List *
updated_columns(PlannerInfo *root, Relation rel, Index rti)
{
	Bitmapset  *columns;
	List	   *stored = NIL;
	List	   *virtual = NIL;
	int			col = -1;

	if (rel->trigdesc != NULL && rel->trigdesc->trig_update_before_row)
		return pgml_stored_columns(rel);

	columns = pgml_updated_columns(root, rti);
	while ((col = bms_next_member(columns, col)) >= 0)
	{
		AttrNumber	attnum = col + FirstLowInvalidHeapAttributeNumber;

		if (attnum <= InvalidAttrNumber)
			ereport(ERROR,
					(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
					 errmsg("cannot update a system column of a foreign table")));
		if (pgml_is_virtual(TupleDescAttr(RelationGetDescr(rel), attnum - 1)))
			virtual = lappend_int(virtual, attnum);
		else
			stored = lappend_int(stored, attnum);
	}
	return stored != NIL ? stored : virtual;
}

/* Leave out the columns that take no parameter. */
static List *
columns_with_values(Relation rel, List *attnums)
{
	List	   *result = NIL;
	ListCell   *lc;

	foreach(lc, attnums)
		if (TupleDescAttr(RelationGetDescr(rel), lfirst_int(lc) - 1)->attgenerated == '\0')
			result = lappend_int(result, lfirst_int(lc));
	return result;
}

/* Does a local trigger look at the row as it is after the change? */
static bool
has_after_trigger(Relation rel, CmdType operation)
{
	TriggerDesc *triggers = rel->trigdesc;

	if (triggers == NULL)
		return false;
	if (operation == CMD_INSERT)
		return triggers->trig_insert_after_row;
	return operation == CMD_UPDATE && triggers->trig_update_after_row;
}

/* Get the nth of a list of lists, NIL where that list is empty. */
static List *
nth_or_nil(List *lists, int n)
{
	return lists != NIL ? (List *) list_nth(lists, n) : NIL;
}

List *
pgml_modify_returned_columns(Relation rel, ModifyTable *plan, Index rti, int subplan_index)
{
	List	   *result = NIL;
	Bitmapset  *attrs = NULL;
	int			attr = -1;

	pull_varattnos((Node *) nth_or_nil(plan->returningLists, subplan_index), rti, &attrs);
	pull_varattnos((Node *) nth_or_nil(plan->withCheckOptionLists, subplan_index), rti, &attrs);

	if (has_after_trigger(rel, plan->operation) ||
		bms_is_member(InvalidAttrNumber - FirstLowInvalidHeapAttributeNumber, attrs))
		result = pgml_stored_columns(rel);
	else
		while ((attr = bms_next_member(attrs, attr)) >= 0)
			if (attr + FirstLowInvalidHeapAttributeNumber > InvalidAttrNumber)
				result = lappend_int(result, attr + FirstLowInvalidHeapAttributeNumber);

	if (bms_is_member(SelfItemPointerAttributeNumber - FirstLowInvalidHeapAttributeNumber, attrs))
		result = lappend_int(result, SelfItemPointerAttributeNumber);
	return result;
}

/*
 * Leave out the key columns that name the rows.  They may be there because a local
 * trigger could set any column (then the executor looks whether it did); a
 * statement that sets one is refused.
 */
static List *
columns_without_keys(PlannerInfo *root, Relation rel, Index rti, List *columns, List *keys)
{
	Bitmapset  *set = pgml_updated_columns(root, rti);
	ListCell   *lc;

	foreach(lc, keys)
	{
		if (bms_is_member(lfirst_int(lc) - FirstLowInvalidHeapAttributeNumber, set))
			ereport(ERROR,
					(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
					 errmsg("cannot update key column \"%s\" of foreign table \"%s\"",
							NameStr(TupleDescAttr(RelationGetDescr(rel), lfirst_int(lc) - 1)->attname),
							RelationGetRelationName(rel)),
					 errdetail("Its rows are named by their key, and the statement can't be sent whole."),
					 errhint("Write a statement that the remote can evaluate, or use pgml_fdw_exec.")));
		columns = list_delete_int(columns, lfirst_int(lc));
	}
	return columns;
}

/* Refuse to return the ctid of a row that has none. */
static void
check_returned_by_key(Relation rel, List *returning)
{
	if (list_member_int(returning, SelfItemPointerAttributeNumber))
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("cannot return the ctid of rows of foreign table \"%s\"",
						RelationGetRelationName(rel)),
				 errdetail("Its rows are named by their key.")));
}

/* Plan UPDATE and DELETE of rows that the executor hands over. */
static void
plan_row_changes(PgmlModifyPlan *modify, PlannerInfo *root, ModifyTable *plan, Index rti,
				 Relation rel, const PgmlOptions *options)
{
	Oid			relid = RelationGetRelid(rel);
	bool		watched = pgml_changes_are_watched(rel, plan);
	PgmlRowNames names = {NIL, false};
	List	   *columns = NIL;

	if (options->row_identity == PGML_ROW_IDENTITY_KEY)
	{
		names.keys = pgml_option_key_columns(relid);
		check_returned_by_key(rel, modify->returning);
	}
	else if (!watched)
	{
		names.keys = pgml_joined_replace(root, plan, rti, rel, &modify->keys_repeat);
		names.by_join = modify->by_join = names.keys != NIL;
	}
	modify->keys = names.keys;

	if (plan->operation == CMD_DELETE)
		modify->sql = pgml_deparse_delete(relid, options, &names, modify->returning);
	else
	{
		columns = updated_columns(root, rel, rti);
		columns = columns_without_keys(root, rel, rti, columns, names.keys);
		modify->targetattrs = columns_with_values(rel, columns);
		modify->sql = pgml_deparse_update(relid, options, &names, columns, modify->returning);
	}
	if (watched)
		return;

	if (plan->operation == CMD_DELETE && names.keys == NIL)
	{
		modify->batch_prefix = pgml_deparse_delete_batch(options);
		return;
	}
	if (plan->operation == CMD_DELETE)
		modify->batch_prefix = pgml_deparse_delete_prefix(relid, options, &names);
	else
		modify->batch_prefix = pgml_deparse_update_prefix(relid, options, &names, columns);
	modify->batch_suffix = pgml_deparse_batch_suffix(relid, &names, columns);
	modify->batch_describe = pgml_deparse_describe(relid, options, &names, columns);
}

List *
pgmlPlanForeignModify(PlannerInfo *root, ModifyTable *plan, Index resultRelation,
					  int subplan_index)
{
	RangeTblEntry *rte = planner_rt_fetch(resultRelation, root);
	Relation	rel = table_open(rte->relid, NoLock);	/* the planner holds a lock */
	PgmlOptions *options = pgml_options_of_table(rte->relid);
	List	   *returning = pgml_modify_returned_columns(rel, plan, resultRelation, subplan_index);
	PgmlModifyPlan modify = {0};

	if (plan->onConflictAction != ONCONFLICT_NONE && plan->onConflictAction != ONCONFLICT_NOTHING)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("ON CONFLICT DO UPDATE is not supported on foreign tables")));

	modify.operation = plan->operation;
	modify.returning = returning;
	switch (plan->operation)
	{
		case CMD_INSERT:
			modify = *pgml_planinfo_insert(rel, options, pgml_modify_inserted_columns(root, rel, options),
										   root->parse->override,
										   plan->onConflictAction == ONCONFLICT_NOTHING,
										   returning, outerPlan(plan)->plan_rows);
			break;
		case CMD_UPDATE:
		case CMD_DELETE:
			plan_row_changes(&modify, root, plan, resultRelation, rel, options);
			break;
		default:
			elog(ERROR, "unexpected operation: %d", (int) plan->operation);
	}

	table_close(rel, NoLock);
	return pgml_planinfo_pack_modify(&modify);
}
