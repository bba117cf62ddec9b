/*
 * transport.c
 *		How the rows of a scan are fetched: which kind of source (row/source.h).
 *
 * The user's word counts: the setting pgml_fdw.transport, else the option of
 * the table or server.  Else the plan decides: a statement with parameters for
 * scans that are run again with other values and for those that bring few rows,
 * a cursor where the query is likely to stop before the end, or merges the rows with
 * others of the same server, and a COPY for all the rest.  The executor may still take a cursor instead of a COPY, when it
 * sees that its rows are asked for in steps and would be handed on so.
 */
#include "postgres.h"

#include "nodes/nodeFuncs.h"
#include "optimizer/paths.h"

#include "base/setting.h"
#include "plan/relinfo.h"
#include "plan/transport.h"

/*
 * Up to so many rows a statement is cheaper than a COPY.  It saves the remote
 * the second planning, for the description, and two savepoint commands (some
 * 100 us together); a COPY saves about 0.25 us a row on our side.
 */
#define PGML_ROW_MAX 500

/* A scan that is likely to be left before this part of it has been read is an early stop. */
#define PGML_EARLY_FRACTION 0.5

/* Does the expression change its value between two runs of a scan? */
static bool
is_executor_param(Node *node, void *context)
{
	if (node == NULL)
		return false;
	if (IsA(node, Param) && ((Param *) node)->paramkind == PARAM_EXEC)
		return true;
	return expression_tree_walker(node, is_executor_param, context);
}

/* Is the scan run again and again, with other values? */
static bool
is_run_again(Path *path, List *params)
{
	return path->param_info != NULL || is_executor_param((Node *) params, NULL);
}

/* Does something in the query read all of a scan in this order before it gives a row? */
static bool
is_read_first(PlannerInfo *root, List *pathkeys)
{
	Query	   *query = root->parse;

	if (query->hasAggs || query->groupClause != NIL || query->groupingSets != NIL ||
		query->hasWindowFuncs || query->distinctClause != NIL || query->setOperations != NULL)
		return true;
	return root->sort_pathkeys != NIL &&
		!pathkeys_contained_in(root->sort_pathkeys, pathkeys);
}

/* The relations of the query that this one, or what it is a part of, stands for. */
static Relids
relids_in_query(RelOptInfo *rel)
{
	return rel->top_parent_relids != NULL ? rel->top_parent_relids : rel->relids;
}

/* Is the scan likely to be left early?  Only where the query is no more than this scan. */
static bool
stops_early(PlannerInfo *root, RelOptInfo *rel, Path *path)
{
	double		fraction = root->tuple_fraction;

	if (fraction <= 0 || !bms_equal(root->all_baserels, relids_in_query(rel)) ||
		is_read_first(root, path->pathkeys))
		return false;

	/* one and more is a number of rows */
	if (fraction >= 1.0)
		fraction /= Max(path->rows, 1.0);
	return fraction < PGML_EARLY_FRACTION;
}

bool
pgml_transport_is_enough(PlannerInfo *root, double rows)
{
	double		fraction = root->tuple_fraction;

	if (fraction <= 0 || is_read_first(root, NIL))
		return false;
	return fraction < (fraction < 1.0 ? PGML_EARLY_FRACTION : rows);
}

/* How far is the scan's first relation from the table whose partitions are merged with it?  0: it isn't merged. */
static int
distance_to_parent(PlannerInfo *root, RelOptInfo *rel, Path *path, List *params)
{
	Relids		parent = bms_intersect(rel->top_parent_relids, root->all_baserels);
	Relids		child = pgml_relinfo_of(rel)->relids;

	if (path->pathkeys == NIL || bms_is_empty(parent) || is_run_again(path, params))
		return 0;
	return bms_next_member(child, -1) - bms_next_member(parent, -1);
}

/* Are there other partitions on the same server, whose rows are merged with these? */
static bool
shares_server(PlannerInfo *root, RelOptInfo *rel, const PgmlOptions *options)
{
	int			child = bms_next_member(pgml_relinfo_of(rel)->relids, -1);
	Index		parent = root->append_rel_array[child]->parent_relid;
	ListCell   *lc;

	foreach(lc, root->append_rel_list)
	{
		AppendRelInfo *other = lfirst_node(AppendRelInfo, lc);
		RelOptInfo *sibling = root->simple_rel_array[other->child_relid];

		if (other->parent_relid == parent && (int) other->child_relid != child &&
			sibling != NULL && !IS_DUMMY_REL(sibling) && sibling->serverid == options->serverid)
			return true;
	}
	return false;
}

static PgmlSourceKind
choose_kind(PgmlScanPlan *plan, PlannerInfo *root, RelOptInfo *rel, Path *path,
			const PgmlOptions *options, double fetched, List *params)
{
	if (fetched <= PGML_ROW_MAX || is_run_again(path, params))
		return PGML_SOURCE_ROW;
	if ((plan->keys == NIL && stops_early(root, rel, path)) ||
		(plan->parent_distance > 0 && shares_server(root, rel, options)))
		return PGML_SOURCE_CURSOR;
	return PGML_SOURCE_COPY;
}

void
pgml_transport_choose(PgmlScanPlan *plan, PlannerInfo *root, RelOptInfo *rel, Path *path,
					  const PgmlOptions *options, double fetched, List *params)
{
	PgmlTransport wanted = options->transport;

	if (pgml_setting_transport != PGML_TRANSPORT_AUTO)
		wanted = (PgmlTransport) pgml_setting_transport;

	plan->parent_distance = distance_to_parent(root, rel, path, params);
	plan->chosen_by_user = true;
	switch (wanted)
	{
		case PGML_TRANSPORT_COPY:
			plan->kind = PGML_SOURCE_COPY;
			break;
		case PGML_TRANSPORT_ROW:
			plan->kind = PGML_SOURCE_ROW;
			break;
		case PGML_TRANSPORT_CURSOR:
			plan->kind = PGML_SOURCE_CURSOR;
			break;
		case PGML_TRANSPORT_AUTO:
			plan->kind = choose_kind(plan, root, rel, path, options, fetched, params);
			plan->chosen_by_user = false;
			break;
	}
	plan->hands_on = plan->keys == NIL && !is_run_again(path, params) &&
		!is_read_first(root, path->pathkeys);
	plan->query.guard_rows = fetched > PGML_ROW_MAX ||
		(plan->hands_on && root->tuple_fraction > 0);
	plan->query.fetch_size = options->fetch_size;
	plan->query.fetch_grows = !options->fetch_size_set;
}
