/*
 * deparse_from.c
 *		SELECTs over joins, with all that may follow them.
 *
 * Question answered: how are the parts of a PgmlSelect put together, so that the
 * remote computes what the local planner has in mind?
 *
 * A table is printed as "s.t r1".  Where rows must be taken out before a join
 * sees them, and the join's own condition can't do it (FULL JOIN), the table is
 * a subquery of the same alias that keeps its column names; so nobody else has
 * to know.
 *
 * Columns and the rest are printed apart, because a column may have to be asked
 * for as text.  That would change the meaning of DISTINCT, and there is no
 * room for parameters; in both cases the whole SELECT becomes a subquery
 * whose columns are named c1, c2 and so on.
 */
#include "postgres.h"

#include "access/sysattr.h"
#include "access/table.h"
#include "catalog/pg_type_d.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/clauses.h"
#include "parser/parsetree.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

#include "base/compat.h"
#include "query/select.h"

static void append_exists(PgmlDeparse *cxt, const PgmlExists *exists);

PgmlConds
pgml_conds_union(PgmlConds a, PgmlConds b)
{
	PgmlConds	both;

	both.clauses = list_concat_copy(a.clauses, b.clauses);
	both.exists = list_concat_copy(a.exists, b.exists);
	return both;
}

void
pgml_deparse_conds(PgmlDeparse *cxt, const char *keyword, PgmlConds conds)
{
	const char *separator = keyword;
	ListCell   *lc;

	foreach(lc, conds.clauses)
	{
		Expr	   *clause = lfirst(lc);

		if (IsA(clause, RestrictInfo))
			clause = ((RestrictInfo *) clause)->clause;
		appendStringInfoString(cxt->buf, separator);
		pgml_deparse_expr(cxt, clause);
		separator = " AND ";
	}
	foreach(lc, conds.exists)
	{
		appendStringInfoString(cxt->buf, separator);
		append_exists(cxt, lfirst(lc));
		separator = " AND ";
	}
}

static void
append_exists(PgmlDeparse *cxt, const PgmlExists *exists)
{
	appendStringInfoString(cxt->buf, exists->negated ? "NOT EXISTS (SELECT FROM " :
						   "EXISTS (SELECT FROM ");
	pgml_deparse_from(cxt, exists->from);
	pgml_deparse_conds(cxt, " WHERE ", exists->where);
	appendStringInfoChar(cxt->buf, ')');
}

/* Append a table or a subquery; what is a subquery has no system columns. */
static void
append_table(PgmlDeparse *cxt, const PgmlFrom *from)
{
	bool		filtered = !pgml_conds_empty(from->filter);
	char	   *alias = pgml_deparse_alias(cxt, from->rti);

	if (filtered)
		appendStringInfoString(cxt->buf, "(SELECT * FROM ");
	if (from->subquery != NULL)
		pgml_deparse_subquery(cxt, from->subquery);
	else
		pgml_deparse_relation(cxt->buf, from->options);
	appendStringInfo(cxt->buf, " %s", alias);
	if (filtered)
	{
		pgml_deparse_conds(cxt, " WHERE ", from->filter);
		appendStringInfo(cxt->buf, ") %s", alias);
	}
}

static const char *
join_name(JoinType type)
{
	switch (type)
	{
		case JOIN_INNER:
			return " INNER JOIN ";
		case JOIN_LEFT:
			return " LEFT JOIN ";
		case JOIN_RIGHT:
			return " RIGHT JOIN ";
		case JOIN_FULL:
			return " FULL JOIN ";
		default:
			elog(ERROR, "unsupported join type: %d", (int) type);
			return NULL;
	}
}

void
pgml_deparse_from(PgmlDeparse *cxt, const PgmlFrom *from)
{
	bool		cross;

	if (from->rti != 0)
	{
		append_table(cxt, from);
		return;
	}
	cross = from->type == JOIN_INNER && pgml_conds_empty(from->on);
	appendStringInfoChar(cxt->buf, '(');
	pgml_deparse_from(cxt, from->left);
	appendStringInfoString(cxt->buf, cross ? " CROSS JOIN " : join_name(from->type));
	pgml_deparse_from(cxt, from->right);
	if (!cross)
	{
		pgml_deparse_conds(cxt, " ON ", from->on);
		if (pgml_conds_empty(from->on))
			appendStringInfoString(cxt->buf, " ON true");
	}
	appendStringInfoChar(cxt->buf, ')');
}

/*
 * Append the columns of a whole row.  One that an outer join has made of
 * nothing is null itself.
 */
static void
append_whole_row(PgmlDeparse *cxt, Var *var, Oid relid, bool hollow)
{
	Relation	rel = table_open(relid, NoLock);
	TupleDesc	desc = RelationGetDescr(rel);
	char	   *alias = pgml_deparse_alias(cxt, var->varno);
	const char *separator = "";

	appendStringInfo(cxt->buf, "CASE WHEN %s.* IS DISTINCT FROM NULL THEN ROW(", alias);
	for (AttrNumber attnum = 1; attnum <= desc->natts; attnum++)
	{
		Form_pg_attribute attr = TupleDescAttr(desc, attnum - 1);

		if (attr->attisdropped)
			continue;
		if (hollow || pgml_is_virtual(attr))
			appendStringInfo(cxt->buf, "%sNULL", separator);
		else
		{
			appendStringInfo(cxt->buf, "%s%s.", separator, alias);
			pgml_deparse_fetched_column(cxt->buf, relid, attnum);
		}
		separator = ", ";
	}
	appendStringInfoString(cxt->buf, ") END");
	table_close(rel, NoLock);
}

/*
 * Append a column of the result.  Those that are columns of a table are asked
 * for as they are, whatever type the remote has given them: the codec sees to
 * that.  tableoid is the local one (or the remote's, where it stands in cmin's
 * place: see plan/planinfo.h).
 */
static void
append_target(PgmlDeparse *cxt, const PgmlSelect *select, Expr *expr)
{
	Var		   *var = (Var *) expr;
	char	   *alias;
	Oid			relid;

	if (!IsA(expr, Var) || !bms_is_member(var->varno, cxt->relids) ||
		planner_rt_fetch(var->varno, cxt->root)->rtekind != RTE_RELATION)
	{
		pgml_deparse_expr(cxt, expr);
		return;
	}

	alias = pgml_deparse_alias(cxt, var->varno);
	relid = planner_rt_fetch(var->varno, cxt->root)->relid;
	if (var->varattno == InvalidAttrNumber)
		append_whole_row(cxt, var, relid, bms_is_member(var->varno, select->hollow));
	else if (var->varattno == TableOidAttributeNumber)
		appendStringInfo(cxt->buf, "CASE WHEN %s.* IS DISTINCT FROM NULL THEN %u::oid END",
						 alias, relid);
	else
	{
		appendStringInfo(cxt->buf, "%s.", alias);
		pgml_deparse_fetched_column(cxt->buf, relid,
									var->varattno < 0 && var->vartype == OIDOID ?
									TableOidAttributeNumber : var->varattno);
	}
}

/* Print each target by itself; parameters go to cxt. */
static char **
print_targets(PgmlDeparse *cxt, const PgmlSelect *select)
{
	char	  **columns = palloc(Max(list_length(select->targets), 1) * sizeof(char *));
	StringInfo	tail = cxt->buf;
	ListCell   *lc;

	foreach(lc, select->targets)
	{
		cxt->buf = makeStringInfo();
		append_target(cxt, select, lfirst(lc));
		columns[foreach_current_index(lc)] = cxt->buf->data;
	}
	cxt->buf = tail;
	return columns;
}

/* Append GROUP BY with several ways of grouping. */
static void
append_grouping_sets(PgmlDeparse *cxt, List *sets)
{
	ListCell   *lc;
	ListCell   *lc2;

	appendStringInfoString(cxt->buf, " GROUP BY GROUPING SETS (");
	foreach(lc, sets)
	{
		appendStringInfoString(cxt->buf, lc == list_head(sets) ? "(" : ", (");
		foreach(lc2, (List *) lfirst(lc))
		{
			if (lc2 != list_head((List *) lfirst(lc)))
				appendStringInfoString(cxt->buf, ", ");
			pgml_deparse_expr(cxt, lfirst(lc2));
		}
		appendStringInfoChar(cxt->buf, ')');
	}
	appendStringInfoChar(cxt->buf, ')');
}

/* Append GROUP BY; one group without an aggregate that shows it has to be said too. */
static void
append_group_by(PgmlDeparse *cxt, const PgmlSelect *select)
{
	const char *separator = " GROUP BY ";
	ListCell   *lc;

	if (select->grouping_sets != NIL)
	{
		append_grouping_sets(cxt, select->grouping_sets);
		return;
	}
	if (select->grouped && select->group == NIL && !contain_agg_clause((Node *) select->targets))
		appendStringInfoString(cxt->buf, " GROUP BY ()");
	foreach(lc, select->group)
	{
		Expr	   *expr = lfirst(lc);

		appendStringInfoString(cxt->buf, separator);
		pgml_deparse_expr(cxt, expr);

		/* SQL takes a bare number for that of a column */
		if (IsA(expr, Const))
			appendStringInfo(cxt->buf, "::%s",
							 pgml_deparse_type_name(exprType((Node *) expr), -1,
													cxt->options));
		separator = ", ";
	}
}

/* Append everything behind the columns. */
static void
append_rest(PgmlDeparse *cxt, const PgmlSelect *select)
{
	PgmlConds	having = {select->having, NIL};
	ListCell   *lc;

	appendStringInfoString(cxt->buf, " FROM ");
	pgml_deparse_from(cxt, select->from);
	pgml_deparse_conds(cxt, " WHERE ", select->where);
	pgml_deparse_keys(cxt, pgml_conds_empty(select->where) ? " WHERE " : " AND ", select->keys);
	append_group_by(cxt, select);
	pgml_deparse_conds(cxt, " HAVING ", having);
	pgml_deparse_order_by(cxt, select->sort);
	pgml_deparse_limit(cxt, select->limit, select->offset, select->with_ties);
	foreach(lc, select->locks)
	{
		PgmlSelectLock *lock = lfirst(lc);

		pgml_deparse_row_lock(cxt->buf, lock->lock, pgml_deparse_alias(cxt, lock->rti));
	}
}

static bool
has_columns(const PgmlSelect *select)
{
	ListCell   *lc;

	foreach(lc, select->targets)
		if (lfirst(lc) != NULL)
			return true;
	return false;
}

/* Append SELECT, and DISTINCT. */
static void
append_select(PgmlDeparse *cxt, const PgmlSelect *select)
{
	const char *separator = " DISTINCT ON (";
	ListCell   *lc;

	appendStringInfoString(cxt->buf, select->distinct ? "SELECT DISTINCT" : "SELECT");
	foreach(lc, select->distinct_on)
	{
		appendStringInfoString(cxt->buf, separator);
		pgml_deparse_expr(cxt, lfirst(lc));
		separator = ", ";
	}
	if (select->distinct_on == NIL)
		return;
	appendStringInfoChar(cxt->buf, ')');

	/* SQL wants a column then */
	if (!has_columns(select))
		appendStringInfoString(cxt->buf, " NULL");
}

/* Append SELECT, and the targets as columns c1, c2 and so on, behind which the rest may follow. */
static void
append_nested_targets(PgmlDeparse *cxt, const PgmlSelect *select)
{
	const char *separator = " ";
	ListCell   *lc;

	append_select(cxt, select);
	foreach(lc, select->targets)
	{
		if (lfirst(lc) == NULL)
			continue;
		appendStringInfoString(cxt->buf, separator);
		pgml_deparse_expr(cxt, lfirst(lc));
		appendStringInfo(cxt->buf, " AS c%d", foreach_current_index(lc) + 1);
		separator = ", ";
	}
}

static const char *
setop_name(const PgmlSubquery *subquery)
{
	switch (subquery->op)
	{
		case SETOP_UNION:
			return subquery->all ? " UNION ALL " : " UNION ";
		case SETOP_INTERSECT:
			return subquery->all ? " INTERSECT ALL " : " INTERSECT ";
		case SETOP_EXCEPT:
			return subquery->all ? " EXCEPT ALL " : " EXCEPT ";
		default:
			elog(ERROR, "unsupported set operation: %d", (int) subquery->op);
			return NULL;
	}
}

/* Append two queries, or a chain of them. */
static void
append_setop(PgmlDeparse *cxt, const PgmlSubquery *subquery)
{
	const PgmlSubquery *left = subquery->left;

	if (left->op == subquery->op && left->all == subquery->all)
		append_setop(cxt, left);
	else
		pgml_deparse_subquery(cxt, left);
	appendStringInfoString(cxt->buf, setop_name(subquery));
	pgml_deparse_subquery(cxt, subquery->right);
}

void
pgml_deparse_subquery(PgmlDeparse *cxt, const PgmlSubquery *subquery)
{
	PgmlDeparse around = *cxt;

	appendStringInfoChar(cxt->buf, '(');
	if (subquery->op != SETOP_NONE)
	{
		append_setop(cxt, subquery);
		appendStringInfoChar(cxt->buf, ')');
		return;
	}
	cxt->root = subquery->root;
	cxt->relids = subquery->relids;
	cxt->options = subquery->options;
	cxt->aliased = true;
	cxt->depth++;
	append_nested_targets(cxt, subquery->select);
	append_rest(cxt, subquery->select);
	appendStringInfoChar(cxt->buf, ')');

	cxt->nested = true;
	pgml_deparse_switch(cxt, &around);
}

/* Append the whole SELECT as a subquery; columns become the names of its columns. */
static void
append_wrapped(PgmlDeparse *cxt, const PgmlSelect *select, char **columns)
{
	int			ncols = list_length(select->targets);
	ListCell   *lc;

	appendStringInfoString(cxt->buf, " FROM (");
	append_select(cxt, select);
	foreach(lc, select->targets)
	{
		int			i = foreach_current_index(lc);

		appendStringInfoString(cxt->buf, i > 0 ? ", " : " ");
		append_target(cxt, select, lfirst(lc));
		appendStringInfo(cxt->buf, " AS c%d", i + 1);
	}
	append_rest(cxt, select);
	appendStringInfoString(cxt->buf, ") q");
	for (int i = 0; i < ncols; i++)
		columns[i] = psprintf("q.c%d", i + 1);
}

void
pgml_deparse_select(PgmlDeparse *cxt, const PgmlSelect *select, char ***columns)
{
	PgmlDeparse before;

	cxt->aliased = true;
	before = *cxt;
	*columns = print_targets(cxt, select);
	if (select->distinct || select->distinct_on != NIL || cxt->param_at != NIL)
	{
		*cxt = before;
		append_wrapped(cxt, select, *columns);
	}
	else
		append_rest(cxt, select);
}

static void
append_subquery_names(StringInfo buf, const PgmlSubquery *subquery)
{
	appendStringInfoChar(buf, '(');
	if (subquery->op != SETOP_NONE)
	{
		append_subquery_names(buf, subquery->left);
		appendStringInfoString(buf, setop_name(subquery));
		append_subquery_names(buf, subquery->right);
	}
	else
		appendStringInfoString(buf, pgml_deparse_relations(subquery->root, subquery->select));
	appendStringInfoChar(buf, ')');
}

/* Append the local names of a FROM's relations. */
static void
append_names(StringInfo buf, PlannerInfo *root, const PgmlFrom *from)
{
	if (from->subquery != NULL)
	{
		append_subquery_names(buf, from->subquery);
		appendStringInfo(buf, " %s",
						 quote_identifier(planner_rt_fetch(from->rti, root)->eref->aliasname));
		return;
	}
	if (from->rti != 0)
	{
		RangeTblEntry *rte = planner_rt_fetch(from->rti, root);

		appendStringInfo(buf, "%s.%s",
						 quote_identifier(get_namespace_name(get_rel_namespace(from->relid))),
						 quote_identifier(get_rel_name(from->relid)));
		if (strcmp(rte->eref->aliasname, get_rel_name(from->relid)) != 0)
			appendStringInfo(buf, " %s", quote_identifier(rte->eref->aliasname));
		return;
	}
	appendStringInfoChar(buf, '(');
	append_names(buf, root, from->left);
	appendStringInfoString(buf, join_name(from->type));
	append_names(buf, root, from->right);
	appendStringInfoChar(buf, ')');
}

char *
pgml_deparse_relations(PlannerInfo *root, const PgmlSelect *select)
{
	StringInfoData buf;
	ListCell   *lc;

	initStringInfo(&buf);
	append_names(&buf, root, select->from);
	foreach(lc, select->where.exists)
	{
		PgmlExists *exists = lfirst(lc);

		appendStringInfoString(&buf, exists->negated ? " ANTI JOIN " : " SEMI JOIN ");
		append_names(&buf, root, exists->from);
	}
	return select->grouped ? psprintf("Aggregate on %s", buf.data) : buf.data;
}
