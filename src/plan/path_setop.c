/*
 * path_setop.c
 *		UNION, INTERSECT and EXCEPT.
 *
 * Question answered: may the remote put the rows of several queries together, tell them
 * apart, and go on from there?
 *
 * It may if it computes each of the queries by itself, if all are read as the same role, and
 * if it finds the same types and collations for the columns and tells their values apart as we do.
 * The whole becomes a subquery in FROM, of which all columns are taken.
 *
 * Core doesn't offer this step to foreign data wrappers, but calls a hook when it has made
 * its paths; ORDER BY and LIMIT above it are offered again once the relation has
 * our callbacks.  Core's columns of it are Vars of no relation (varno 0), which
 * nobody could print.  Ours are those of the first query.  Nothing that core puts above
 * may look for its own, so there is either all up to ORDER BY there, or nothing.
 *
 * A UNION ALL in FROM is another case: core makes it a table with children, like
 * an inheritance parent, and pulls simple queries up into those.
 */
#include "postgres.h"

#include "catalog/pg_collation.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/cost.h"
#include "optimizer/optimizer.h"
#include "optimizer/planner.h"
#include "optimizer/tlist.h"
#include "parser/parse_coerce.h"
#include "parser/parsetree.h"

#include "base/compat.h"
#include "base/setting.h"
#include "plan/cost.h"
#include "plan/path.h"
#include "plan/relinfo.h"
#include "plan/size.h"
#include "plan/subquery.h"
#include "query/shippable.h"

static create_upper_paths_hook_type previous_hook = NULL;

/* What is found out while the queries are put together. */
typedef struct Assembly
{
	PlannerInfo *root;
	RelOptInfo *model;			/* whose server and role all must have */
	PgmlRelInfo *info;			/* that of the whole */
} Assembly;

/*
 * What is put together
 */

/*
 * Make a query's columns have these types, as the planner does, and these collations; false if
 * that can't be.  Any collation prevails over the default one, here as there.
 */
static bool
fit_columns(PgmlSubquery *subquery, const PgmlRelInfo *step, List *types, List *collations)
{
	PgmlSelect *select = unconstify(PgmlSelect *, subquery->select);
	ListCell   *target;
	ListCell   *type;
	ListCell   *collation;

	if (list_length(select->targets) != list_length(types))
		return false;
	forthree(target, select->targets, type, types, collation, collations)
	{
		Node	   *expr = lfirst(target);
		Oid			own = exprCollation(expr);

		if (own != lfirst_oid(collation) &&
			(own != DEFAULT_COLLATION_OID || !OidIsValid(lfirst_oid(collation))))
			return false;
		if (exprType(expr) == lfirst_oid(type))
			continue;

		/* what is made distinct, and may be sorted by, is the column as it was */
		expr = coerce_to_common_type(NULL, expr, lfirst_oid(type), "UNION/INTERSECT/EXCEPT");
		if (select->distinct ||
			!pgml_shippable_expr(subquery->root, step->visible, step->options, (Expr *) expr))
			return false;
		lfirst(target) = expr;
	}
	return true;
}

/* Take in what is known of one of the queries; false if it doesn't belong to the others. */
static bool
take_in(Assembly *assembly, RelOptInfo *rel, const PgmlRelInfo *step)
{
	PgmlRelInfo *info = assembly->info;

	if (assembly->model == NULL)
	{
		assembly->model = rel;
		info->options = palloc(sizeof(PgmlOptions));
		*info->options = *step->options;
	}
	else if (rel->serverid != assembly->model->serverid ||
			 rel->userid != assembly->model->userid ||
			 rel->useridiscurrent != assembly->model->useridiscurrent)
		return false;
	info->options->tables = list_concat_unique_oid(list_copy(info->options->tables),
												   step->options->tables);
	info->guessed |= step->guessed;
	info->run_once |= step->run_once;
	info->find_cost += step->find_cost;
	info->fetched += step->fetched;
	return true;
}

/* Put two queries together. */
static PgmlSubquery *
combine(SetOperation op, bool all, const PgmlSubquery *left, const PgmlSubquery *right)
{
	PgmlSubquery *both = palloc0(sizeof(PgmlSubquery));

	both->op = op;
	both->all = all;
	both->left = left;
	both->right = right;
	return both;
}

/*
 * Set operations proper
 */

/* Describe one of the queries; NULL if the remote can't compute it, or makes other columns of it. */
static PgmlSubquery *
make_leaf(Assembly *assembly, Index rti, List *types, List *collations)
{
	RelOptInfo *rel = find_base_rel(assembly->root, rti);
	RelOptInfo *last;
	PgmlRelInfo *step;
	PgmlSubquery *subquery;

	if (rel->subroot == NULL)
		return NULL;
	step = pgml_subquery_last_step(rel->subroot, &last);
	if (step == NULL || step->run_conds != NIL || !take_in(assembly, last, step))
		return NULL;
	subquery = pgml_subquery_make(rel->subroot, step, true, NULL);
	if (subquery == NULL || !fit_columns(subquery, step, types, collations))
		return NULL;
	assembly->info->planned = bms_add_member(assembly->info->planned, rti);
	return subquery;
}

/* Does the remote tell the rows apart as we do? */
static bool
tells_apart(const SetOperationStmt *op, const PgmlOptions *options)
{
	ListCell   *lc;
	ListCell   *type;
	ListCell   *collation;

	if (op->groupClauses == NIL)
		return op->op == SETOP_UNION && op->all;
	forthree(lc, op->groupClauses, type, op->colTypes, collation, op->colCollations)
		if (!pgml_shippable_equality(lfirst_node(SortGroupClause, lc)->eqop, lfirst_oid(type),
									 lfirst_oid(collation), options))
			return false;
	return true;
}

/* Describe a tree of set operations; NULL if the remote can't compute it. */
static PgmlSubquery *
make_tree(Assembly *assembly, Node *node, List *types, List *collations)
{
	SetOperationStmt *op = (SetOperationStmt *) node;
	PgmlSubquery *left;
	PgmlSubquery *right;

	check_stack_depth();
	if (IsA(node, RangeTblRef))
		return make_leaf(assembly, ((RangeTblRef *) node)->rtindex, types, collations);
	if (!equal(op->colTypes, types) || !equal(op->colCollations, collations))
		return NULL;
	left = make_tree(assembly, op->larg, types, collations);
	if (left == NULL || !tells_apart(op, assembly->info->options))
		return NULL;
	right = make_tree(assembly, op->rarg, types, collations);
	return right != NULL ? combine(op->op, op->all, left, right) : NULL;
}

/* List the columns of a set operation as those of one of its queries. */
static List *
column_vars(Index rti, const SetOperationStmt *op)
{
	List	   *vars = NIL;
	ListCell   *type;
	ListCell   *typmod;
	ListCell   *collation;

	forthree(type, op->colTypes, typmod, op->colTypmods, collation, op->colCollations)
		vars = lappend(vars, makeVar(rti, list_length(vars) + 1, lfirst_oid(type),
									 lfirst_int(typmod), lfirst_oid(collation), 0));
	return vars;
}

List *
pgml_setop_tlist(PlannerInfo *root, const PgmlRelInfo *info)
{
	SetOperationStmt *op = (SetOperationStmt *) root->parse->setOperations;
	List	   *vars;
	List	   *tlist = NIL;
	ListCell   *lc;

	if (op == NULL)
		return root->processed_tlist;
	vars = column_vars(info->from->rti, op);
	foreach(lc, root->processed_tlist)
	{
		TargetEntry *tle = flatCopyTargetEntry(lfirst_node(TargetEntry, lc));

		/* what core has for its own use has no place in our rows */
		if (tle->resjunk || list_length(vars) < tle->resno)
			tle->expr = (Expr *) makeNullConst(exprType((Node *) tle->expr), -1, InvalidOid);
		else
			tle->expr = list_nth(vars, tle->resno - 1);
		tlist = lappend(tlist, tle);
	}
	return tlist;
}

/* The columns that a path of the set operation has: core may have one more, to tell left from right. */
static PathTarget *
make_target(PlannerInfo *root, RelOptInfo *rel, List *vars)
{
	PathTarget *target = create_empty_pathtarget();
	ListCell   *lc;

	foreach(lc, rel->reltarget->exprs)
	{
		int			i = foreach_current_index(lc);

		add_column_to_pathtarget(target, i < list_length(vars) ? list_nth(vars, i) :
								 (Expr *) makeNullConst(exprType(lfirst(lc)), -1, InvalidOid), 0);
	}
	return set_pathtarget_cost_width(root, target);
}

/* How many rows core thinks there are, and what the remote must do for them. */
static void
estimate_setop(PgmlRelInfo *info, RelOptInfo *rel, PathTarget *target)
{
	Path	   *core = linitial(rel->pathlist);

	info->find_cost += pgml_cost_group(info->fetched, list_length(target->exprs), (QualCost) {0});
	info->rows = info->fetched = clamp_row_est(core->rows);
	info->local_sel = 1;
	info->width = target->width;
}

/* Offer a whole query of set operations. */
static void
offer_setop(PlannerInfo *root, RelOptInfo *rel)
{
	SetOperationStmt *op = (SetOperationStmt *) root->parse->setOperations;
	PgmlRelInfo *info = palloc0(sizeof(PgmlRelInfo));
	Assembly	assembly = {root, NULL, info};
	PgmlFrom   *from = palloc0(sizeof(PgmlFrom));
	PathTarget *target;

	from->subquery = make_tree(&assembly, (Node *) op, op->colTypes, op->colCollations);
	if (from->subquery == NULL)
		return;
	pgml_size_ask(root, assembly.model, info->options);
	from->rti = bms_next_member(info->planned, -1);
	from->options = info->options;
	info->from = from;
	info->relids = info->visible = bms_make_singleton(from->rti);

	rel->serverid = assembly.model->serverid;
	rel->userid = assembly.model->userid;
	rel->useridiscurrent = assembly.model->useridiscurrent;
	rel->fdwroutine = assembly.model->fdwroutine;
	target = make_target(root, rel, column_vars(from->rti, op));
	estimate_setop(info, rel, target);
	pgml_relinfo_set(rel, info);
	if (root->parse->sortClause == NIL)
		pgml_offer_upper(root, rel, info, target, NIL, false);
}

/* The queries that a tree puts together. */
static Relids
leaves(Node *node)
{
	SetOperationStmt *op = (SetOperationStmt *) node;

	if (IsA(node, RangeTblRef))
		return bms_make_singleton(((RangeTblRef *) node)->rtindex);
	return bms_union(leaves(op->larg), leaves(op->rarg));
}

static void
look_at_setop(PlannerInfo *root, UpperRelationKind stage, RelOptInfo *input_rel,
			  RelOptInfo *output_rel, void *extra)
{
	if (previous_hook != NULL)
		previous_hook(root, stage, input_rel, output_rel, extra);

	/* it is called for the parts, too, before the whole */
	if (stage == UPPERREL_SETOP && pgml_setting_enable_pushdown && !root->hasRecursion &&
		output_rel->reloptkind == RELOPT_UPPER_REL && output_rel->fdwroutine == NULL &&
		output_rel->pathlist != NIL && !IS_DUMMY_REL(output_rel) &&
		root->parse->commandType == CMD_SELECT &&
		bms_equal(output_rel->relids, leaves(root->parse->setOperations)))
		offer_setop(root, output_rel);
}

/*
 * UNION ALL in FROM
 */

/* Describe a child as a SELECT of the parent's columns, as far as they are wanted; NULL: it can't be one. */
static PgmlSubquery *
make_child(Assembly *assembly, RelOptInfo *parent, AppendRelInfo *append)
{
	PlannerInfo *root = assembly->root;
	RelOptInfo *rel = find_base_rel(root, append->child_relid);
	PgmlRelInfo *step = rel->fdwroutine != NULL &&
		rel->fdwroutine->GetForeignUpperPaths == pgmlGetForeignUpperPaths ?
		pgml_relinfo_of(rel) : NULL;
	PgmlSubquery *subquery = palloc0(sizeof(PgmlSubquery));
	PgmlSelect *select = palloc0(sizeof(PgmlSelect));
	List	   *targets = NIL;
	List	   *parts;
	ListCell   *lc;

	if (step == NULL || step->local_conds != NIL || !take_in(assembly, rel, step))
		return NULL;
	foreach(lc, append->translated_vars)
	{
		AttrNumber	attnum = foreach_current_index(lc) + 1;
		Expr	   *expr = (Expr *) pgml_strip_placeholders(lfirst(lc), NULL);

		if (expr != NULL && bms_is_empty(parent->attr_needed[attnum - parent->min_attr]))
			expr = NULL;
		if (expr != NULL &&
			(!pgml_select_targets(root, step, list_make1(expr), &parts) ||
			 !pgml_shippable_expr(root, step->visible, step->options, expr)))
			return NULL;
		targets = lappend(targets, expr);
	}
	*select = pgml_select_make(root, step, targets, NIL);
	subquery->root = root;
	subquery->relids = step->relids;
	subquery->options = step->options;
	subquery->select = select;
	assembly->info->planned = bms_add_members(assembly->info->planned, step->planned);
	return subquery;
}

/* Do the children's columns have the types and collations of the first one's? */
static bool
are_alike(const PgmlSubquery *first, const PgmlSubquery *other)
{
	ListCell   *lc;
	ListCell   *lc2;

	forboth(lc, first->select->targets, lc2, other->select->targets)
		if (lfirst(lc) != NULL &&
			(exprType(lfirst(lc)) != exprType(lfirst(lc2)) ||
			 exprCollation(lfirst(lc)) != exprCollation(lfirst(lc2))))
			return false;
	return true;
}

/* Describe all children together. */
static const PgmlSubquery *
make_union(Assembly *assembly, RelOptInfo *parent)
{
	const PgmlSubquery *first = NULL;
	const PgmlSubquery *all = NULL;
	ListCell   *lc;

	foreach(lc, assembly->root->append_rel_list)
	{
		AppendRelInfo *append = lfirst_node(AppendRelInfo, lc);
		PgmlSubquery *child;

		if (append->parent_relid != parent->relid ||
			IS_DUMMY_REL(find_base_rel(assembly->root, append->child_relid)))
			continue;
		child = make_child(assembly, parent, append);
		if (child == NULL || (first != NULL && !are_alike(first, child)))
			return NULL;
		if (first == NULL)
			first = all = child;
		else
			all = combine(SETOP_UNION, true, all, child);
	}
	return all;
}

void
pgml_union_adopt(PlannerInfo *root, RelOptInfo *rel)
{
	PgmlRelInfo *info = palloc0(sizeof(PgmlRelInfo));
	Assembly	assembly = {root, NULL, info};
	PgmlFrom   *from = palloc0(sizeof(PgmlFrom));

	if (rel->reloptkind != RELOPT_BASEREL || rel->fdwroutine != NULL || IS_DUMMY_REL(rel) ||
		!bms_is_empty(rel->lateral_relids) || root->rowMarks != NIL ||
		root->parse->commandType != CMD_SELECT || !pgml_setting_enable_pushdown)
		return;
	from->rti = rel->relid;
	from->subquery = make_union(&assembly, rel);
	if (from->subquery == NULL)
		return;
	rel->serverid = assembly.model->serverid;
	rel->userid = assembly.model->userid;
	rel->useridiscurrent = assembly.model->useridiscurrent;
	rel->fdwroutine = assembly.model->fdwroutine;

	pgml_size_ask(root, rel, info->options);
	from->options = info->options;
	info->from = from;
	info->relids = info->visible = rel->relids;
	info->local_sel = 1;
	info->rows = info->fetched = rel->rows;
	info->width = rel->reltarget->width;
	pgml_relinfo_set(rel, info);
}

void
pgml_path_setop_init(void)
{
	previous_hook = create_upper_paths_hook;
	create_upper_paths_hook = look_at_setop;
}
