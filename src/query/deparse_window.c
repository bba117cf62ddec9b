/*
 * deparse_window.c
 *		Window functions.
 *
 * Question answered: how is a window, which the parser has taken out of the
 * expression, written behind the function again?  Each function has its window to itself, without
 * a name: the remote's planner finds out which are alike.
 */
#include "postgres.h"

#include "nodes/parsenodes.h"
#include "nodes/pathnodes.h"
#include "optimizer/optimizer.h"

#include "query/select.h"

/* Append PARTITION BY. */
static void
append_partition(PgmlDeparse *cxt, const WindowClause *window)
{
	const char *separator = "PARTITION BY ";
	ListCell   *lc;

	foreach(lc, window->partitionClause)
	{
		appendStringInfoString(cxt->buf, separator);
		pgml_deparse_expr(cxt, (Expr *) get_sortgroupclause_expr(lfirst_node(SortGroupClause, lc),
																 cxt->root->processed_tlist));
		separator = ", ";
	}
}

static void
append_order(PgmlDeparse *cxt, const WindowClause *window)
{
	List	   *keys = NIL;
	ListCell   *lc;

	foreach(lc, window->orderClause)
	{
		SortGroupClause *clause = lfirst_node(SortGroupClause, lc);
		PgmlSortKey *key = palloc(sizeof(PgmlSortKey));

		key->expr = (Expr *) get_sortgroupclause_expr(clause, cxt->root->processed_tlist);
		key->sortop = clause->sortop;
		key->nulls_first = clause->nulls_first;
		keys = lappend(keys, key);
	}
	pgml_deparse_sort(cxt, window->partitionClause != NIL ? " ORDER BY " : "ORDER BY ", keys);
}

/* Append one end of the frame. */
static void
append_bound(PgmlDeparse *cxt, bool unbounded, bool current, bool preceding, Node *offset)
{
	if (current)
	{
		appendStringInfoString(cxt->buf, "CURRENT ROW");
		return;
	}
	if (unbounded)
		appendStringInfoString(cxt->buf, "UNBOUNDED");
	else
		pgml_deparse_expr(cxt, (Expr *) offset);
	appendStringInfoString(cxt->buf, preceding ? " PRECEDING" : " FOLLOWING");
}

/* Append the frame, unless it is the one that a window has without saying so. */
static void
append_frame(PgmlDeparse *cxt, const WindowClause *window)
{
	int			options = window->frameOptions;

	if ((options & FRAMEOPTION_NONDEFAULT) == 0)
		return;
	if (window->partitionClause != NIL || window->orderClause != NIL)
		appendStringInfoChar(cxt->buf, ' ');
	appendStringInfoString(cxt->buf, options & FRAMEOPTION_RANGE ? "RANGE BETWEEN " :
						   options & FRAMEOPTION_ROWS ? "ROWS BETWEEN " : "GROUPS BETWEEN ");
	append_bound(cxt, (options & FRAMEOPTION_START_UNBOUNDED_PRECEDING) != 0,
				 (options & FRAMEOPTION_START_CURRENT_ROW) != 0,
				 (options & (FRAMEOPTION_START_UNBOUNDED_PRECEDING |
							 FRAMEOPTION_START_OFFSET_PRECEDING)) != 0,
				 window->startOffset);
	appendStringInfoString(cxt->buf, " AND ");
	append_bound(cxt, (options & FRAMEOPTION_END_UNBOUNDED_FOLLOWING) != 0,
				 (options & FRAMEOPTION_END_CURRENT_ROW) != 0,
				 (options & FRAMEOPTION_END_OFFSET_PRECEDING) != 0,
				 window->endOffset);
	if (options & FRAMEOPTION_EXCLUDE_CURRENT_ROW)
		appendStringInfoString(cxt->buf, " EXCLUDE CURRENT ROW");
	else if (options & FRAMEOPTION_EXCLUDE_GROUP)
		appendStringInfoString(cxt->buf, " EXCLUDE GROUP");
	else if (options & FRAMEOPTION_EXCLUDE_TIES)
		appendStringInfoString(cxt->buf, " EXCLUDE TIES");
}

void
pgml_deparse_window(PgmlDeparse *cxt, const WindowFunc *func)
{
	const WindowClause *window = pgml_window_of(cxt->root, func);

	appendStringInfoString(cxt->buf, " OVER (");
	append_partition(cxt, window);
	append_order(cxt, window);
	append_frame(cxt, window);
	appendStringInfoChar(cxt->buf, ')');
}
