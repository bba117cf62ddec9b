/*
 * joined.c
 *		UPDATE and DELETE of the rows that have keys of other rows, without reading them first.
 *
 * Question answered: a foreign table is joined with other rows, by its key, and all that is
 * done with its rows is to change them; why fetch anything of them?
 *
 *	  UPDATE ft SET vector = l.vector FROM local l WHERE l.id = ft.id
 *	  DELETE FROM ft WHERE id IN (SELECT id FROM local)
 *
 * Core plans the join, by whatever method, to find out which rows are meant: it reads
 * their ctids, locks them, and joins.  But to change the rows that have these keys is
 * what the remote does anyhow.  So when the plan has been made, the join is taken out of
 * it, and the rows of the other side go into the batches (row/change.h), each with its key.
 * That is right where
 *	  - the join is all that decides: there is no other condition on the table or the join;
 *	  - nothing of the table's own columns is needed here, nor its whole rows;
 *	  - what is set can't fail, since it is computed for rows that have no partner too;
 *	  - no batch finds what one before it has done, or another part of the statement:
 *		nothing is set that keys are made of, and nothing else can change the table.
 * And it is good where
 *	  - the keys include one that the remote table is known to have, so there is an index;
 *	  - most of the other rows have a partner, since the values of all of them travel.
 *
 * Of several rows with the same key the first wins, as in any join.  If the planner can't
 * prove that there are none, the executor remembers the keys (exec/rowkeys.h), by
 * their bytes: hence the types are of those whose equal values have the same bytes.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/nbtree.h"
#include "catalog/pg_type_d.h"
#include "miscadmin.h"
#include "nodes/extensible.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/clauses.h"
#include "optimizer/optimizer.h"
#include "optimizer/pathnode.h"
#include "optimizer/paths.h"
#include "optimizer/planmain.h"
#include "utils/lsyscache.h"

#include "base/compat.h"
#include "base/option.h"
#include "base/setting.h"
#include "plan/changes.h"
#include "plan/joined.h"
#include "plan/keyed.h"
#include "plan/planinfo.h"
#include "plan/relinfo.h"
#include "query/shippable.h"

/*
 * More rows than this, for each that may have one of the keys, are too many to send.  For a key
 * of several columns the planner expects to find far too few; then it's the table's rows.
 */
#define ROWS_PER_MATCH 2.0

/* That is nothing to think about with so few rows. */
#define FEW_ROWS 100.0

/* Bytes that a remembered key takes beside its own. */
#define KEY_OVERHEAD 64

/* A join, taken apart. */
typedef struct Joined
{
	Plan	   *join;
	Plan	   *others;			/* the side that isn't the table */
	List	   *clauses;		/* OpExpr, all that decides */

	/* in the same order */
	List	   *attnums;		/* int: the table's columns */
	List	   *keys;			/* Expr over the others */
	List	   *operators;		/* OIDs */
} Joined;

/* What a join reads on one side, whatever is put in between for the method's sake. */
static Plan *
strip_side(Plan *side)
{
	while (IsA(side, Hash) || IsA(side, Sort) || IsA(side, IncrementalSort) || IsA(side, Material))
		side = outerPlan(side);
	return side;
}

/* Is it the scan of the table, whole? */
static bool
is_whole_table(PlannerInfo *root, Plan *plan, Index rti)
{
	ForeignScan *scan = (ForeignScan *) plan;

	return IsA(plan, ForeignScan) && scan->scan.scanrelid == rti &&
		scan->operation == CMD_SELECT && plan->qual == NIL &&
		find_base_rel(root, rti)->baserestrictinfo == NIL;
}

/* Tell the two sides of a join apart; false: none is the table. */
static bool
take_sides(PlannerInfo *root, Joined *joined, Plan *outer, Plan *inner, JoinType type, Index rti)
{
	outer = strip_side(outer);
	inner = strip_side(inner);
	if (is_whole_table(root, outer, rti))
	{
		joined->others = inner;
		return type == JOIN_INNER || type == JOIN_SEMI;
	}
	joined->others = outer;
	return is_whole_table(root, inner, rti) && (type == JOIN_INNER || pgml_is_right_semi(type));
}

/* The same for a keyed join of ours, whose inner side can't run without it. */
static bool
take_keyed(PlannerInfo *root, Joined *joined, CustomScan *scan, Index rti)
{
	if (strcmp(scan->methods->CustomName, PGML_KEYED_JOIN) != 0 ||
		lfourth(scan->custom_exprs) != NIL)
		return false;
	joined->clauses = lthird_node(List, scan->custom_exprs);
	joined->others = linitial(scan->custom_plans);
	return pgml_planinfo_of_keyed(scan)->type == JOIN_INNER &&
		is_whole_table(root, lsecond(scan->custom_plans), rti);
}

/* Take a join of the table with others apart; false: it is none, or clauses aren't all that decides. */
static bool
take_join(PlannerInfo *root, Joined *joined, Plan *plan, Index rti)
{
	Join	   *join = (Join *) plan;

	joined->join = plan;
	if (plan->qual != NIL || plan->initPlan != NIL)
		return false;
	switch (nodeTag(plan))
	{
		case T_HashJoin:
			joined->clauses = ((HashJoin *) plan)->hashclauses;
			break;
		case T_MergeJoin:
			joined->clauses = ((MergeJoin *) plan)->mergeclauses;
			break;
		case T_CustomScan:
			return take_keyed(root, joined, (CustomScan *) plan, rti);
		default:
			return false;
	}
	return join->joinqual == NIL &&
		take_sides(root, joined, outerPlan(plan), innerPlan(plan), join->jointype, rti);
}

/* Do equal values of the operator's type have the same bytes? */
static bool
is_equal_image(Oid operator, Oid collation)
{
	List	   *families = get_mergejoin_opfamilies(operator);
	Oid			left;
	Oid			right;
	ListCell   *lc;

	op_input_types(operator, &left, &right);
	foreach(lc, families)
	{
		Oid			function = get_opfamily_proc(lfirst_oid(lc), left, right, BTEQUALIMAGE_PROC);

		if (left == right && OidIsValid(function))
			/* "character" ignores blanks at the end, of which there may be different numbers */
			return left != BPCHAROID &&
				DatumGetBool(OidFunctionCall1Coll(function, collation, ObjectIdGetDatum(left)));
	}
	return false;
}

/* May the remote compare this column with values of the same type? */
static bool
is_comparable(PlannerInfo *root, RelOptInfo *target, OpExpr *clause, Var *column)
{
	Param	   *value = makeNode(Param);
	OpExpr	   *test = copyObject(clause);

	value->paramkind = PARAM_EXTERN;
	value->paramid = 1;
	value->paramtype = column->vartype;
	value->paramtypmod = -1;
	value->paramcollid = column->varcollid;
	value->location = -1;
	test->args = list_make2(column, value);
	return pgml_shippable_expr(root, target->relids, pgml_relinfo_of(target)->options,
							   (Expr *) test);
}

/* Strip what makes a value of one type count as one of another with the same bytes. */
static Node *
strip_relabels(Node *expr)
{
	while (IsA(expr, RelabelType))
		expr = (Node *) ((RelabelType *) expr)->arg;
	return expr;
}

/* Take a clause as one column of the key; false: it can't be. */
static bool
add_key(PlannerInfo *root, Joined *joined, OpExpr *clause, RelOptInfo *target, Relation rel,
		Bitmapset *updated)
{
	Node	   *column;
	Node	   *key;
	Var		   *var;

	if (!IsA(clause, OpExpr) || list_length(clause->args) != 2 ||
		!pgml_keyed_is_plain_equality(clause->opno))
		return false;
	column = strip_relabels(linitial(clause->args));
	key = strip_relabels(lsecond(clause->args));
	if (!IsA(column, Var) || ((Var *) column)->varno != (int) target->relid)
	{
		Node	   *swap = column;

		column = key;
		key = swap;
	}
	var = (Var *) column;
	if (!IsA(var, Var) || var->varno != (int) target->relid || var->varattno <= 0 ||
		var->varlevelsup != 0 || exprType(key) != var->vartype ||
		bms_is_member(target->relid, pull_varnos(root, key)) ||
		list_member_int(joined->attnums, var->varattno) ||
		bms_is_member(var->varattno - FirstLowInvalidHeapAttributeNumber, updated) ||
		TupleDescAttr(RelationGetDescr(rel), var->varattno - 1)->attgenerated != '\0' ||
		pgml_option_column_type(RelationGetRelid(rel), var->varattno) != NULL ||
		!is_equal_image(clause->opno, clause->inputcollid) ||
		!is_comparable(root, target, clause, var))
		return false;

	joined->attnums = lappend_int(joined->attnums, var->varattno);
	joined->keys = lappend(joined->keys, key);
	joined->operators = lappend_oid(joined->operators, clause->opno);
	return true;
}

/* Make the keys of the clauses; false: they can't be used, or the remote table isn't known to have such a key. */
static bool
make_keys(PlannerInfo *root, Joined *joined, ModifyTable *plan, RelOptInfo *target, Relation rel)
{
	Bitmapset  *updated = plan->operation == CMD_UPDATE ?
		pgml_updated_columns(root, target->relid) : NULL;
	List	   *known = pgml_option_key_columns(RelationGetRelid(rel));
	ListCell   *lc;

	foreach(lc, joined->clauses)
		if (!add_key(root, joined, lfirst(lc), target, rel, updated))
			return false;
	return known != NIL && list_difference_int(known, joined->attnums) == NIL;
}

/* Is it certain that no two of the other rows have the same key? */
static bool
are_keys_unique(PlannerInfo *root, const Joined *joined)
{
	Relids		varnos = pull_varnos(root, (Node *) joined->keys);
	int			rti;

	switch (nodeTag(joined->others))
	{
		case T_SeqScan:
		case T_IndexScan:
		case T_IndexOnlyScan:
		case T_BitmapHeapScan:
			rti = (int) ((Scan *) joined->others)->scanrelid;
			return bms_equal(varnos, bms_make_singleton(rti)) &&
				relation_has_unique_index_for(root, find_base_rel(root, rti), NIL,
											  joined->keys, joined->operators);
		default:
			return false;
	}
}

/* Is it worth while to send all rows of the other side, and is there room for their keys if that is needed? */
static bool
is_good(const Joined *joined, RelOptInfo *target, bool repeat)
{
	double		partners = Max(joined->join->plan_rows, target->rows);
	double		rows = joined->others->plan_rows;
	double		size = KEY_OVERHEAD;
	ListCell   *lc;

	foreach(lc, joined->keys)
		size += get_typavgwidth(exprType(lfirst(lc)), exprTypmod(lfirst(lc)));
	return rows <= partners * ROWS_PER_MATCH + FEW_ROWS &&
		(!repeat || rows * size <= (double) get_hash_memory_limit());
}

/* A row of the table whose columns are all null: what is not set stays as it is there. */
static Expr *
make_empty_row(Relation rel)
{
	TupleDesc	desc = RelationGetDescr(rel);
	Datum	   *values = palloc0(sizeof(Datum) * desc->natts);
	bool	   *nulls = palloc(sizeof(bool) * desc->natts);
	HeapTuple	tuple;

	memset(nulls, true, sizeof(bool) * desc->natts);
	tuple = heap_form_tuple(desc, values, nulls);
	return (Expr *) makeConst(desc->tdtypeid, -1, InvalidOid, -1,
							  heap_copy_tuple_as_datum(tuple, desc), false, false);
}

/* Append a column to the rows that are to be changed. */
static List *
add_column(List *tlist, Expr *expr, char *name, bool junk)
{
	return lappend(tlist, makeTargetEntry(expr, list_length(tlist) + 1, name, junk));
}

/* Is this junk column the one of that name? */
static bool
is_junk(const TargetEntry *tle, const char *name)
{
	return tle->resjunk && tle->resname != NULL && strcmp(tle->resname, name) == 0;
}

/*
 * Make the target list without the table: keys in the place of what names its rows.  NIL:
 * something else of it is in the list, or what could fail for a row without a partner: what isn't
 * leakproof may throw for some values.
 */
static List *
make_tlist(PlannerInfo *root, const Joined *joined, Index rti, Relation rel)
{
	List	   *result = NIL;
	ListCell   *lc;
	ListCell   *lc2;

	foreach(lc, joined->join->targetlist)
	{
		TargetEntry *tle = lfirst_node(TargetEntry, lc);

		if (is_junk(tle, "wholerow"))
			result = add_column(result, make_empty_row(rel), tle->resname, true);
		else if (!is_junk(tle, PGML_JUNK_CTID) && !is_junk(tle, PGML_JUNK_TABLEOID))
		{
			if (bms_is_member(rti, pull_varnos(root, (Node *) tle->expr)) ||
				contain_leaked_vars((Node *) tle->expr))
				return NIL;
			result = add_column(result, tle->expr, tle->resname, tle->resjunk);
		}
	}
	forboth(lc, joined->attnums, lc2, joined->keys)
		result = add_column(result, lfirst(lc2),
							pgml_planinfo_key_junk(TupleDescAttr(RelationGetDescr(rel), lfirst_int(lc) - 1)),
							true);
	return result;
}

/*
 * Is the statement one whose batches find nothing but what was there before it?  Rows that
 * another part of it inserts, or a volatile function, would be found by key.
 */
static bool
is_simple(PlannerInfo *root, const ModifyTable *plan)
{
	return plan->rootRelation == 0 && list_length(plan->resultRelations) == 1 &&
		root->query_level == 1 && !root->parse->hasModifyingCTE &&
		!contain_volatile_functions_not_nextval((Node *) root->parse);
}

List *
pgml_joined_replace(PlannerInfo *root, ModifyTable *plan, Index rti, Relation rel, bool *repeat)
{
	RelOptInfo *target = find_base_rel(root, rti);
	Joined		joined = {0};
	List	   *tlist;

	if (!pgml_setting_enable_keyed_join || !pgml_setting_enable_pushdown ||
		!is_simple(root, plan))
		return NIL;
	if (plan->operation == CMD_UPDATE && pgml_changes_need_old_row(root, target))
		return NIL;
	if (!take_join(root, &joined, outerPlan(plan), rti) ||
		!make_keys(root, &joined, plan, target, rel))
		return NIL;
	*repeat = !are_keys_unique(root, &joined);
	tlist = make_tlist(root, &joined, rti, rel);
	if (tlist == NIL || !is_good(&joined, target, *repeat))
		return NIL;
	outerPlan(plan) = change_plan_targetlist(joined.others, tlist, false);
	return joined.attnums;
}
