/*
 * shippable_window.c
 *		Window functions: do they mean the same on the remote?
 *
 * Question answered: a function looks at the rows around its own; would the remote
 * show it the same ones, in the same order?
 *
 * It is a function of its arguments, as an aggregate is; its window is made of rows that
 * are grouped (PARTITION BY, as GROUP BY does it), sorted, and cut off at a distance (the
 * frame), which is added to what is sorted by, with a function of the sort order's
 * operator family.
 */
#include "postgres.h"

#include "catalog/pg_proc.h"
#include "nodes/nodeFuncs.h"
#include "nodes/pathnodes.h"

#include "query/select.h"
#include "query/shippable.h"
#include "query/shippable_object.h"
#include "query/shippable_walk.h"

WindowClause *
pgml_window_of(PlannerInfo *root, const WindowFunc *func)
{
	ListCell   *lc;

	foreach(lc, root->parse->windowClause)
		if (lfirst_node(WindowClause, lc)->winref == func->winref)
			return lfirst(lc);
	elog(ERROR, "window function refers to an unknown window: %u", func->winref);
	return NULL;
}

/* Judge a bound of the frame: it is a number of rows, or a distance that a function adds. */
static bool
shippable_bound(Node *offset, Oid in_range, const PgmlWalk *walk)
{
	PgmlCollation collation;

	return offset == NULL ||
		((!OidIsValid(in_range) || pgml_is_builtin(in_range)) &&
		 pgml_shippable_part((Expr *) offset, walk, NULL, &collation));
}

/* Judge the rows that the function looks at. */
static bool
shippable_window(WindowClause *window, const PgmlWalk *walk)
{
	PlannerInfo *root = walk->root;
	List	   *exprs;
	List	   *keys;
	ListCell   *lc;

	if (!pgml_shippable_group(root, walk->relids, walk->options, window->partitionClause,
							  root->processed_tlist, &exprs) ||
		!pgml_shippable_order_by(root, walk->relids, walk->options, window->orderClause,
								 root->processed_tlist, &keys))
		return false;

	/* a constant isn't printed, and a frame may need something to sort by */
	foreach(lc, keys)
		if (IsA(((PgmlSortKey *) lfirst(lc))->expr, Const))
			return false;
	return shippable_bound(window->startOffset, window->startInRangeFunc, walk) &&
		shippable_bound(window->endOffset, window->endInRangeFunc, walk);
}

bool
pgml_shippable_window_func(WindowFunc *func, const PgmlWalk *walk, PgmlCollation *result)
{
	PgmlCollation inner = {InvalidOid, NEUTRAL};
	PgmlCollation part;
	ListCell   *lc;

	if (!pgml_shippable_object(func->winfnoid, ProcedureRelationId, walk->options))
		return false;
	foreach(lc, func->args)
	{
		if (!pgml_shippable_part(lfirst(lc), walk, NULL, &part))
			return false;
		inner = pgml_merge_collations(inner, part);
	}
	if (func->aggfilter != NULL && !pgml_shippable_part(func->aggfilter, walk, NULL, &part))
		return false;
	if (!shippable_window(pgml_window_of(walk->root, func), walk))
		return false;
	*result = pgml_derive_collation((Node *) func, inner);
	return pgml_shippable_input_collation(func->inputcollid, inner, func->winfnoid, walk->options);
}
