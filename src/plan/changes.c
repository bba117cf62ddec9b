/*
 * changes.c
 *		What is to be known of the rows that a statement changes, and when it is
 *		that they are changed.
 *
 * Questions answered: may rows be gathered and changed in batches behind the
 * scan (exec/modify_queue.c)?  And does the old row of an UPDATE have to come
 * over the wire as a whole?
 *
 * Core has UPDATE fetch the whole old row of a foreign table, to make the new
 * row of it.  But of the new row only the columns that are set are sent.  So the
 * others travel for nothing, unless something looks at the rows here: triggers,
 * generated columns, the statement itself.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/sysattr.h"
#include "access/table.h"
#include "catalog/pg_class.h"
#include "commands/trigger.h"
#include "optimizer/optimizer.h"
#include "optimizer/pathnode.h"
#include "parser/parsetree.h"
#include "utils/syscache.h"

#include "base/compat.h"
#include "plan/changes.h"

bool
pgml_changes_are_watched(Relation rel, ModifyTable *plan)
{
	TriggerDesc *triggers = rel->trigdesc;

	if (plan->returningLists != NIL || plan->withCheckOptionLists != NIL)
		return true;
	if (triggers == NULL)
		return false;
	if (plan->operation == CMD_DELETE)
		return triggers->trig_delete_before_row || triggers->trig_delete_after_row;
	return triggers->trig_update_before_row || triggers->trig_update_after_row;
}

/* Has the table triggers of any kind? */
static bool
has_triggers(Oid relid)
{
	HeapTuple	tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(relid));
	bool		has;

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for relation %u", relid);
	has = ((Form_pg_class) GETSTRUCT(tuple))->relhastriggers;
	ReleaseSysCache(tuple);
	return has;
}

/*
 * Not so for a table with children: an UPDATE may move rows into one, and
 * a child's part of the statement may be sent whole.  Nor with a volatile function:
 * it may read the table in the middle, for which the changes so far are made
 * then; what is called in subqueries isn't looked at.
 */
bool
pgml_changes_wait(PlannerInfo *root)
{
	Query	   *query = root->parse;
	RangeTblEntry *target = rt_fetch(query->resultRelation, query->rtable);

	return (query->commandType == CMD_UPDATE || query->commandType == CMD_DELETE) &&
		!target->inh &&
		query->returningList == NIL &&
		query->withCheckOptions == NIL &&
		!query->hasSubLinks &&
		!contain_volatile_functions_not_nextval((Node *) query) &&
		!has_triggers(target->relid);
}

/* Does the statement mention the result relation's whole row? */
static bool
mentions_whole_row(PlannerInfo *root)
{
	Index		rti = root->parse->resultRelation;
	RelOptInfo *target = find_base_rel(root, rti);
	Relids		needed = target->attr_needed[InvalidAttrNumber - target->min_attr];
	Bitmapset  *attrs = NULL;
	ListCell   *lc;

	/* in joins; 0 stands for the target list */
	if (!bms_is_subset(needed, bms_make_singleton(0)))
		return true;

	foreach(lc, root->processed_tlist)
	{
		TargetEntry *tle = lfirst_node(TargetEntry, lc);

		if (!tle->resjunk || tle->resname == NULL || strcmp(tle->resname, "wholerow") != 0)
			pull_varattnos((Node *) tle->expr, rti, &attrs);
	}
	pull_varattnos((Node *) root->parse->returningList, rti, &attrs);
	pull_varattnos((Node *) root->parse->withCheckOptions, rti, &attrs);
	return bms_is_member(InvalidAttrNumber - FirstLowInvalidHeapAttributeNumber, attrs);
}

/* Does something that belongs to the table look at whole rows? */
static bool
table_needs_rows(Oid relid)
{
	Relation	rel = table_open(relid, NoLock);	/* the planner holds a lock */
	TriggerDesc *triggers = rel->trigdesc;
	bool		needs = triggers != NULL &&
		(triggers->trig_update_before_row || triggers->trig_update_after_row ||
		 triggers->trig_update_old_table || triggers->trig_update_new_table);

	for (int i = 0; i < RelationGetDescr(rel)->natts; i++)
		if (TupleDescAttr(RelationGetDescr(rel), i)->attgenerated != '\0')
			needs = true;
	table_close(rel, NoLock);
	return needs;
}

bool
pgml_changes_need_old_row(PlannerInfo *root, RelOptInfo *rel)
{
	Query	   *query = root->parse;

	return mentions_whole_row(root) ||
		pgml_returns_old_or_new((Node *) query->returningList) ||
		table_needs_rows(planner_rt_fetch(rel->relid, root)->relid) ||
		table_needs_rows(rt_fetch(query->resultRelation, query->rtable)->relid);
}
