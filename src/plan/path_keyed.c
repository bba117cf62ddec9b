/*
 * path_keyed.c
 *		Keyed joins: the remote is asked for the rows that the other side has keys for.
 *
 * Question answered: a small table (a local one, or one of another server) is joined with
 * a large one of the remote; how can it be done without the large one coming
 * over, and without a round trip for each row of the small one?  The foreign
 * data wrapper's interface knows only these two ways.  So here is a third one, a node of
 * ours: rows of the outer side are read, their keys are sent to the remote
 * as an array, and of its rows those come that have one of the keys.  The node
 * (exec/keyedjoin.c) joins them.
 *
 * It is offered where the inner side is what the remote can compute, a table or a join,
 * and at least one join clause is an equality that can be hashed here and is
 * shippable.  Of several, those that the remote finds by name ("=") make a key of several
 * columns; the rest of the clauses is checked here.
 *
 * The inner side is planned as any foreign scan, with one more condition, whose
 * arrays are parameters.  They are no parameters of the executor's: none that are
 * set by a join other than a nested loop could be used below it.  The join gives them
 * to the scan itself.
 *
 * Outer joins.  From 16 on a column looks different above the outer join that may make
 * it null.  In this node there is but one row, the joined one, so all
 * expressions are brought into the form that they have above it.
 */
#include "postgres.h"

#include <math.h>

#include "foreign/fdwapi.h"
#include "nodes/extensible.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/cost.h"
#include "optimizer/optimizer.h"
#include "optimizer/pathnode.h"
#include "optimizer/paths.h"
#include "optimizer/restrictinfo.h"
#include "utils/lsyscache.h"
#include "utils/selfuncs.h"

#include "base/compat.h"
#include "base/setting.h"
#include "plan/cost.h"
#include "plan/keyed.h"
#include "plan/path.h"
#include "plan/planinfo.h"
#include "plan/relinfo.h"
#include "query/shippable.h"

/* Keys that are sent at a time, on average of large joins (exec/keyedjoin.c has more to say). */
#define BATCH_KEYS 10000.0

/* Bytes that a row of a batch takes beside its columns, its key included. */
#define ROW_OVERHEAD 150

/*
 * Rows of one key where nobody has counted them: the planner would take a two
 * hundredth of the table.  Joins are mostly by a key of one side.
 */
#define UNKNOWN_ROWS_PER_KEY 10.0

/* A join of this kind, as it is planned.  In the order of the key's columns: */
typedef struct Keyed
{
	JoinType	type;
	PgmlKeys	keys;
	List	   *outer_keys;		/* Expr */
	List	   *operators;		/* OIDs: outer = inner */
	List	   *collations;		/* OIDs */
	List	   *clauses;		/* RestrictInfos */

	List	   *others;			/* RestrictInfos: what else says which rows match */
	List	   *filter;			/* RestrictInfos: applied to joined rows */
	double		nkeys;
	double		fetched;		/* rows that cross the wire */
} Keyed;

/* One column of a key, before it is known to be good for it. */
typedef struct KeyColumn
{
	Expr	   *outer;
	Expr	   *inner;
	Oid			operator;		/* outer = inner */
	Oid			remote_operator;	/* inner = outer */
	Oid			collation;
} KeyColumn;

static set_join_pathlist_hook_type previous_hook = NULL;

/*
 * Which clauses make the key
 */

/* Is the clause an equality between the two sides, which can be hashed? */
static bool
is_equality(RestrictInfo *rinfo, RelOptInfo *outer, RelOptInfo *inner, KeyColumn *column)
{
	OpExpr	   *clause = (OpExpr *) rinfo->clause;
	bool		outer_first;
	Oid			commutator;
	Oid			hash_outer;
	Oid			hash_inner;

	if (!rinfo->can_join || !OidIsValid(rinfo->hashjoinoperator) || !IsA(clause, OpExpr))
		return false;
	outer_first = bms_is_subset(rinfo->left_relids, outer->relids) &&
		bms_is_subset(rinfo->right_relids, inner->relids);
	if (!outer_first && !(bms_is_subset(rinfo->left_relids, inner->relids) &&
						  bms_is_subset(rinfo->right_relids, outer->relids)))
		return false;

	commutator = get_commutator(clause->opno);
	column->outer = outer_first ? linitial(clause->args) : lsecond(clause->args);
	column->inner = outer_first ? lsecond(clause->args) : linitial(clause->args);
	column->operator = outer_first ? clause->opno : commutator;
	column->remote_operator = outer_first ? commutator : clause->opno;
	column->collation = clause->inputcollid;
	return OidIsValid(commutator) && op_strict(clause->opno) &&
		get_op_hash_functions(column->operator, &hash_outer, &hash_inner);
}

/* The parameter that stands for the array of a column; NULL: there are no such arrays. */
static Param *
make_array_param(const KeyColumn *column, int number)
{
	Oid			array_type = get_array_type(exprType((Node *) column->outer));
	Param	   *param;

	if (!OidIsValid(array_type))
		return NULL;
	param = makeNode(Param);
	param->paramkind = PARAM_EXTERN;
	param->paramid = -1 - number;	/* none of the statement's */
	param->paramtype = array_type;
	param->paramtypmod = -1;
	param->paramcollid = get_typcollation(array_type);
	param->location = -1;
	return param;
}

/* May the remote compare this column with the array? */
static bool
is_shippable(PlannerInfo *root, const PgmlRelInfo *info, const KeyColumn *column, Param *array)
{
	Relids		varnos = pull_varnos(root, (Node *) column->inner);
	ScalarArrayOpExpr *test = makeNode(ScalarArrayOpExpr);

	test->opno = column->remote_operator;
	test->opfuncid = get_opcode(test->opno);
	test->useOr = true;
	test->inputcollid = column->collation;
	test->args = list_make2(column->inner, array);
	test->location = -1;
	return bms_is_subset(bms_intersect(varnos, root->all_baserels), info->visible) &&
		pgml_shippable_expr(root, info->relids, info->options, (Expr *) test);
}

/* May the clause be applied below security barriers of these relations? */
static bool
is_promotable(PlannerInfo *root, Relids relids, RestrictInfo *rinfo)
{
	int			rti = -1;

	while ((rti = bms_next_member(relids, rti)) >= 0)
		if (!restriction_is_securely_promotable(rinfo, find_base_rel(root, rti)))
			return false;
	return true;
}

bool
pgml_keyed_is_plain_equality(Oid operator)
{
	return operator < FirstNormalObjectId && strcmp(get_opname(operator), "=") == 0;
}

/* Add the clause to the key, if it can be a part of it. */
static bool
add_key_column(PlannerInfo *root, Keyed *keyed, RelOptInfo *outer, RelOptInfo *inner,
			   RestrictInfo *rinfo)
{
	const PgmlRelInfo *info = pgml_relinfo_of(inner);
	int			n = list_length(keyed->clauses);
	KeyColumn	column;
	Param	   *array;

	if (!is_equality(rinfo, outer, inner, &column) ||
		!is_promotable(root, info->relids, rinfo))
		return false;
	/* the remote compares a key of several columns as a row */
	if (n > 0 && !(pgml_keyed_is_plain_equality(column.remote_operator) &&
				   pgml_keyed_is_plain_equality(linitial_oid(keyed->keys.operators))))
		return false;
	array = make_array_param(&column, n);
	if (array == NULL || !is_shippable(root, info, &column, array))
		return false;

	keyed->clauses = lappend(keyed->clauses, rinfo);
	keyed->outer_keys = lappend(keyed->outer_keys, column.outer);
	keyed->operators = lappend_oid(keyed->operators, column.operator);
	keyed->collations = lappend_oid(keyed->collations, column.collation);
	keyed->keys.exprs = lappend(keyed->keys.exprs, column.inner);
	keyed->keys.operators = lappend_oid(keyed->keys.operators, column.remote_operator);
	keyed->keys.arrays = lappend(keyed->keys.arrays, array);
	return true;
}

/* Sort out the join's clauses; NULL: none of them makes a key, or it isn't ours alone to check them. */
static Keyed *
make_keyed(PlannerInfo *root, RelOptInfo *joinrel, RelOptInfo *outer, RelOptInfo *inner,
		   JoinType type, List *clauses)
{
	Keyed	   *keyed = palloc0(sizeof(Keyed));
	ListCell   *lc;

	keyed->type = type;
	foreach(lc, clauses)
	{
		RestrictInfo *rinfo = lfirst_node(RestrictInfo, lc);

		/* it decides about the join as a whole; before 17 we are not even asked then */
		if (rinfo->pseudoconstant)
			return NULL;
		if (IS_OUTER_JOIN(type) && RINFO_IS_PUSHED_DOWN(rinfo, joinrel->relids))
			keyed->filter = lappend(keyed->filter, rinfo);
		else if (!add_key_column(root, keyed, outer, inner, rinfo))
			keyed->others = lappend(keyed->others, rinfo);
	}
	return keyed->clauses != NIL ? keyed : NULL;
}

/*
 * What it costs
 */

/* How large a part of all pairs of rows has the same key? */
static Selectivity
key_selectivity(PlannerInfo *root, const Keyed *keyed, RelOptInfo *outer, RelOptInfo *inner)
{
	SpecialJoinInfo sjinfo = {.type = T_SpecialJoinInfo};

	sjinfo.min_lefthand = sjinfo.syn_lefthand = outer->relids;
	sjinfo.min_righthand = sjinfo.syn_righthand = inner->relids;
	sjinfo.jointype = JOIN_INNER;
	return clauselist_selectivity(root, keyed->clauses, 0, JOIN_INNER, &sjinfo);
}

/* Do the key's columns include the key that the table is known to have? */
static bool
covers_key(const PgmlRelInfo *info, const Keyed *keyed)
{
	List	   *columns;
	ListCell   *lc;

	if (info->from->rti == 0 || info->options->query != NULL)
		return false;
	columns = pgml_option_key_columns(info->options->relid);
	foreach(lc, columns)
	{
		ListCell   *lc2;

		foreach(lc2, keyed->keys.exprs)
			if (IsA(lfirst(lc2), Var) && ((Var *) lfirst(lc2))->varattno == lfirst_int(lc))
				break;
		if (lc2 == NULL)
			return false;
	}
	return columns != NIL;
}

/* Estimate how many keys are sent, and how many rows come. */
static void
estimate_rows(PlannerInfo *root, Keyed *keyed, Path *outer_path, RelOptInfo *outer,
			  RelOptInfo *inner)
{
	const PgmlRelInfo *info = pgml_relinfo_of(inner);
	double		per_key;

	keyed->nkeys = clamp_row_est(Min(outer_path->rows,
									 estimate_num_groups(root, keyed->outer_keys,
														 outer_path->rows, NULL, NULL)));
	per_key = info->fetched * key_selectivity(root, keyed, outer, inner);
	if (covers_key(info, keyed))
		per_key = Min(per_key, 1.0);
	else if (info->guessed)
		per_key = Min(per_key, UNKNOWN_ROWS_PER_KEY);
	keyed->fetched = clamp_row_est(Min(per_key * keyed->nkeys, info->fetched));
}

/* Make the path of the inner side, which is run once for each batch. */
static Path *
make_inner_path(PlannerInfo *root, RelOptInfo *inner, Keyed *keyed, double batches)
{
	const PgmlRelInfo *info = pgml_relinfo_of(inner);
	double		rows = clamp_row_est(keyed->fetched * info->local_sel / batches);
	PgmlSelectWork work = {0};
	Cost		startup_cost;
	Cost		total_cost;
	ForeignPath *path;
	int			width = 0;
	ListCell   *lc;

	foreach(lc, keyed->outer_keys)
		width += get_typavgwidth(exprType(lfirst(lc)), -1);
	work.find = Min(pgml_cost_lookup(keyed->nkeys / batches, keyed->fetched / batches) *
					bms_num_members(info->relids), info->find_cost);
	work.fetched = keyed->fetched / batches;
	work.width = info->width;
	work.local_quals = info->local_cost;
	pgml_cost_select(info->options, &work, &startup_cost, &total_cost);
	startup_cost += pgml_cost_wire(info->options, keyed->nkeys / batches, width);
	total_cost += pgml_cost_wire(info->options, keyed->nkeys / batches, width);

	if (IS_SIMPLE_REL(inner))
		path = pgml_create_scan_path(root, inner, NULL, rows, startup_cost, total_cost, NIL, NULL,
									 NULL, NIL);
	else
		path = pgml_create_join_path(root, inner, rows, startup_cost, total_cost, NIL, NULL);
	pgml_planinfo_set_keys(path, &keyed->keys);
	return &path->path;
}

/* Set the costs of the join: those of both sides, and of matching rows. */
static void
set_costs(PlannerInfo *root, CustomPath *path, const Keyed *keyed, Path *outer, Path *inner,
		  double batches)
{
	RelOptInfo *joinrel = path->path.parent;
	double		compared = outer->rows + keyed->fetched;
	int			columns = list_length(keyed->clauses);
	QualCost	quals;
	Cost		match;

	cost_qual_eval(&quals, list_concat_copy(keyed->others, keyed->filter), root);
	match = cpu_operator_cost * columns * compared + cpu_tuple_cost * outer->rows +
		(cpu_tuple_cost + quals.per_tuple) * joinrel->rows;

	/* the first row comes when the first batch has been asked for */
	path->path.startup_cost = outer->startup_cost + inner->startup_cost + quals.startup +
		(outer->total_cost - outer->startup_cost) / batches +
		cpu_operator_cost * columns * outer->rows / batches +
		joinrel->reltarget->cost.startup;
	path->path.total_cost = outer->total_cost + inner->total_cost * batches + quals.startup +
		match + joinrel->reltarget->cost.startup +
		joinrel->rows * joinrel->reltarget->cost.per_tuple;
}

/*
 * The plan
 */

/* The forms in which columns and placeholders stand above the join. */
typedef struct Forms
{
	List	   *wanted;			/* Vars and PlaceHolderVars of the joined relation */
	List	   *scanned;		/* TargetEntries of both sides */
} Forms;

/* Find the placeholder in a list of expressions. */
static PlaceHolderVar *
find_placeholder(List *exprs, Index phid)
{
	ListCell   *lc;

	foreach(lc, exprs)
	{
		Node	   *node = lfirst(lc);

		if (IsA(node, TargetEntry))
			node = (Node *) ((TargetEntry *) node)->expr;
		if (IsA(node, PlaceHolderVar) && ((PlaceHolderVar *) node)->phid == phid)
			return (PlaceHolderVar *) node;
	}
	return NULL;
}

static Var *
find_column(List *exprs, const Var *var)
{
	ListCell   *lc;

	foreach(lc, exprs)
		if (IsA(lfirst(lc), Var) && ((Var *) lfirst(lc))->varno == var->varno &&
			((Var *) lfirst(lc))->varattno == var->varattno)
			return lfirst(lc);
	return NULL;
}

/* Bring an expression into the form that it has above the join. */
static Node *
take_form(Node *node, Forms *forms)
{
	if (node == NULL)
		return NULL;
	if (IsA(node, Var))
	{
		Var		   *var = copyObject((Var *) node);

		pgml_var_take_marks(var, find_column(forms->wanted, var));
		return (Node *) var;
	}
	if (IsA(node, PlaceHolderVar) &&
		find_placeholder(forms->scanned, ((PlaceHolderVar *) node)->phid) != NULL)
	{
		PlaceHolderVar *ph = copyObject((PlaceHolderVar *) node);

		pgml_placeholder_take_marks(ph, find_placeholder(forms->wanted, ph->phid));
		return (Node *) ph;
	}
	return expression_tree_mutator(node, take_form, forms);
}

/* Compare two clauses by how far from a security barrier they must stay. */
static int
compare_levels(const ListCell *a, const ListCell *b)
{
	Index		level_a = lfirst_node(RestrictInfo, a)->security_level;
	Index		level_b = lfirst_node(RestrictInfo, b)->security_level;

	return level_a < level_b ? -1 : level_a > level_b;
}

/* The clauses themselves, in the order in which they may be evaluated. */
static List *
bare_clauses(List *rinfos)
{
	List	   *sorted = list_copy(rinfos);

	list_sort(sorted, compare_levels);
	return extract_actual_clauses(sorted, false);
}

/* Make the columns of the joined row: those of both plans. */
static List *
joined_columns(Plan *outer, Plan *inner)
{
	List	   *columns = list_concat_copy(outer->targetlist, inner->targetlist);
	List	   *result = NIL;
	ListCell   *lc;

	foreach(lc, columns)
		result = lappend(result,
						 makeTargetEntry(copyObject(lfirst_node(TargetEntry, lc)->expr),
										 foreach_current_index(lc) + 1, NULL, false));
	return result;
}

static Plan *
plan_keyed(PlannerInfo *root, RelOptInfo *rel, CustomPath *best_path, List *tlist, List *clauses,
		   List *custom_plans)
{
	Keyed	   *keyed = linitial(best_path->custom_private);
	CustomScan *scan = makeNode(CustomScan);
	PgmlKeyedPlan plan = {0};
	List	   *columns = joined_columns(linitial(custom_plans), lsecond(custom_plans));
	List	   *exprs = list_make4(keyed->outer_keys, keyed->keys.exprs,
								   bare_clauses(keyed->clauses), bare_clauses(keyed->others));
	List	   *filter = bare_clauses(keyed->filter);

	if (IS_OUTER_JOIN(keyed->type))
	{
		Forms		forms;

		/* not of tlist, for which core may put another one */
		forms.wanted = pull_var_clause((Node *) rel->reltarget->exprs, PVC_INCLUDE_PLACEHOLDERS);
		forms.scanned = columns;
		exprs = (List *) take_form((Node *) exprs, &forms);
		filter = (List *) take_form((Node *) filter, &forms);
		columns = (List *) take_form((Node *) columns, &forms);
	}

	plan.type = keyed->type;
	plan.nouter = list_length(((Plan *) linitial(custom_plans))->targetlist);
	plan.operators = keyed->operators;
	plan.collations = keyed->collations;

	scan->scan.plan.targetlist = tlist;
	scan->scan.plan.qual = filter;
	scan->scan.scanrelid = 0;
	scan->flags = best_path->flags;
	scan->custom_plans = custom_plans;
	scan->custom_exprs = exprs;
	scan->custom_scan_tlist = columns;
	scan->custom_private = pgml_planinfo_pack_keyed(&plan);
	scan->methods = GetCustomScanMethods(PGML_KEYED_JOIN, false);
	return &scan->scan.plan;
}

static const CustomPathMethods path_methods = {
	.CustomName = PGML_KEYED_JOIN,
	.PlanCustomPath = plan_keyed,
};

List *
pgml_keyed_bind(const PgmlKeys *keys, List *params, PgmlScanPlan *plan)
{
	List	   *result = list_copy(params);
	ListCell   *lc;

	if (keys == NULL)
		return params;
	foreach(lc, keys->arrays)
	{
		Param	   *array = lfirst_node(Param, lc);
		ListCell   *lc2;

		foreach(lc2, result)
			if (equal(lfirst(lc2), array))
			{
				plan->keys = lappend_int(plan->keys, foreach_current_index(lc2));
				lfirst(lc2) = makeNullConst(array->paramtype, -1, array->paramcollid);
				break;
			}
	}
	Assert(list_length(plan->keys) == list_length(keys->arrays));
	return result;
}

/*
 * The offer
 */

/* Is it what one of our remotes computes, and may be asked for again and again? */
static bool
is_askable(PlannerInfo *root, RelOptInfo *rel)
{
	const PgmlRelInfo *info;

	if ((rel->reloptkind != RELOPT_BASEREL && rel->reloptkind != RELOPT_JOINREL) ||
		rel->fdwroutine == NULL || rel->fdwroutine->GetForeignPlan != pgmlGetForeignPlan ||
		!bms_is_empty(rel->lateral_relids) || rel->rtekind == RTE_SUBQUERY)
		return false;
	info = pgml_relinfo_of(rel);
	if (info == NULL || info->run_once || info->grouped || info->distinct != NIL ||
		info->limit != NULL || info->offset != NULL)
		return false;

	/* rows that are checked again would need a local plan for a join that is computed there */
	return IS_SIMPLE_REL(rel) ||
		(root->rowMarks == NIL && root->parse->commandType == CMD_SELECT);
}

/* Does the target hold an expression that must be computed in this join? */
static bool
has_placeholder_here(RelOptInfo *joinrel, RelOptInfo *outer, RelOptInfo *inner)
{
	ListCell   *lc;

	foreach(lc, joinrel->reltarget->exprs)
	{
		PlaceHolderVar *ph = lfirst(lc);

		if (IsA(ph, PlaceHolderVar) &&
			find_placeholder(outer->reltarget->exprs, ph->phid) == NULL &&
			find_placeholder(inner->reltarget->exprs, ph->phid) == NULL)
			return true;
	}
	return false;
}

/* The way to read the outer side; NULL: there is none that we can use. */
static Path *
outer_path(PlannerInfo *root, RelOptInfo *outer, JoinType type, SpecialJoinInfo *sjinfo)
{
	Path	   *path = outer->cheapest_total_path;

	if (path == NULL || PATH_REQ_OUTER(path) != NULL)
		return NULL;
	if (type == JOIN_UNIQUE_OUTER)
		path = (Path *) create_unique_path(root, outer, path, sjinfo);
	return path;
}

/* How often is the remote asked?  A batch of rows has only so many keys, and must fit into work_mem. */
static double
count_batches(const Keyed *keyed, const Path *outer_path)
{
	double		row_size = outer_path->pathtarget->width + ROW_OVERHEAD;

	return Max(1.0, Max(ceil(keyed->nkeys / BATCH_KEYS),
						ceil(outer_path->rows * row_size / (work_mem * 1024.0))));
}

/* Offer the join, with rows of the outer side that come this way. */
static void
offer_keyed(PlannerInfo *root, RelOptInfo *joinrel, RelOptInfo *outer, RelOptInfo *inner,
			Path *outer_path, Keyed *keyed)
{
	CustomPath *path = makeNode(CustomPath);
	Path	   *inner_path;
	double		batches;

	estimate_rows(root, keyed, outer_path, outer, inner);
	batches = count_batches(keyed, outer_path);
	inner_path = make_inner_path(root, inner, keyed, batches);

	path->path.pathtype = T_CustomScan;
	path->path.parent = joinrel;
	path->path.pathtarget = joinrel->reltarget;
	path->path.rows = joinrel->rows;
	path->flags = CUSTOMPATH_SUPPORT_PROJECTION;
	path->custom_paths = list_make2(outer_path, inner_path);
	path->custom_private = list_make1(keyed);
	path->methods = &path_methods;
	pgml_path_take_disabled(&path->path, outer_path);
	set_costs(root, path, keyed, outer_path, inner_path, batches);
	add_path(joinrel, &path->path);
}

static void
offer_paths(PlannerInfo *root, RelOptInfo *joinrel, RelOptInfo *outer, RelOptInfo *inner,
			JoinType type, JoinPathExtraData *extra)
{
	JoinType	plain = type == JOIN_UNIQUE_OUTER ? JOIN_INNER : type;
	Path	   *path;
	Keyed	   *keyed;

	if (previous_hook != NULL)
		previous_hook(root, joinrel, outer, inner, type, extra);

	if (!pgml_setting_enable_keyed_join ||
		(plain != JOIN_INNER && plain != JOIN_LEFT && plain != JOIN_SEMI && plain != JOIN_ANTI) ||
		!is_askable(root, inner) || !bms_is_empty(joinrel->lateral_relids))
		return;

	/* what the remote joins whole costs it no more, and us less */
	if (joinrel->fdwroutine != NULL && joinrel->fdw_private != NULL)
		return;
	if (IS_OUTER_JOIN(plain) && has_placeholder_here(joinrel, outer, inner))
		return;

	path = outer_path(root, outer, type, extra->sjinfo);
	if (path == NULL)
		return;
	keyed = make_keyed(root, joinrel, outer, inner, plain, extra->restrictlist);
	if (keyed != NULL)
		offer_keyed(root, joinrel, outer, inner, path, keyed);
}

void
pgml_keyed_init(void)
{
	previous_hook = set_join_pathlist_hook;
	set_join_pathlist_hook = offer_paths;
}
