/*
 * bound.c
 *		LIMIT, told to each of many partitions.
 *
 * Question answered: a query takes the first rows of a table whose partitions are on
 * several servers.  The LIMIT itself can't be sent, since nobody there sees all
 * rows.  But no more rows than it says can be wanted of any one partition: so
 * each remote is told, and may stop (or keep the best of a sort, instead of sorting all).
 *
 * That holds if every row that the partition gives becomes a row of the result: nothing
 * above it groups, joins, drops or multiplies rows.  And if the partition gives
 * its rows in the order that the LIMIT counts them.
 */
#include "postgres.h"

#include "catalog/pg_type_d.h"
#include "common/int.h"
#include "nodes/makefuncs.h"
#include "optimizer/paths.h"

#include "plan/bound.h"
#include "query/shippable.h"

/* Does each row of the relations in FROM become one of the result, up to the LIMIT? */
static bool
counts_rows(PlannerInfo *root)
{
	Query	   *query = root->parse;

	return query->commandType == CMD_SELECT && query->limitCount != NULL &&
		query->limitOption == LIMIT_OPTION_COUNT &&
		!query->hasAggs && query->groupClause == NIL && query->groupingSets == NIL &&
		query->havingQual == NULL && query->distinctClause == NIL &&
		!query->hasWindowFuncs && !query->hasTargetSRFs && query->setOperations == NULL &&
		root->rowMarks == NIL;
}

/* A number of rows that is known now. */
static bool
is_number(Node *node)
{
	return IsA(node, Const) && !((Const *) node)->constisnull;
}

/* How many rows are read for LIMIT and OFFSET together? */
static Expr *
rows_wanted(Query *query)
{
	int64		sum;

	if (query->limitOffset == NULL)
		return (Expr *) query->limitCount;
	if (!is_number(query->limitCount) || !is_number(query->limitOffset) ||
		pg_add_s64_overflow(DatumGetInt64(((Const *) query->limitCount)->constvalue),
							DatumGetInt64(((Const *) query->limitOffset)->constvalue), &sum))
		return NULL;
	return (Expr *) makeConst(INT8OID, -1, InvalidOid, sizeof(int64), Int64GetDatum(sum),
							  false, FLOAT8PASSBYVAL);
}

Expr *
pgml_bound_find(PlannerInfo *root, RelOptInfo *rel, const PgmlRelInfo *info)
{
	Expr	   *bound;

	if (!bms_equal(rel->top_parent_relids, root->all_baserels) || info->local_conds != NIL ||
		!counts_rows(root))
		return NULL;
	bound = rows_wanted(root->parse);
	if (bound == NULL || !pgml_shippable_expr(root, info->relids, info->options, bound))
		return NULL;
	return bound;
}

bool
pgml_bound_holds(PlannerInfo *root, const PgmlRelInfo *info, List *pathkeys)
{
	return info->bound != NULL && pathkeys_contained_in(root->query_pathkeys, pathkeys);
}

double
pgml_bound_rows(const PgmlRelInfo *info, double rows)
{
	if (!is_number((Node *) info->bound))
		return rows;
	return Min(rows, Max(DatumGetInt64(((Const *) info->bound)->constvalue), 1));
}
