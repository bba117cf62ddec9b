/*
 * deparse_select.c
 *		What stands around the expressions of a SELECT: columns, relations,
 *		ORDER BY, row locks.
 *
 * A base relation has no alias and its columns are bare names, unless there is a
 * subquery in an expression; with one exception.  In ORDER BY, SQL takes a bare name for an output column first, and
 * the output column of that name may be the column's text form (source.h); so
 * there names are qualified by the table's.
 */
#include "postgres.h"

#include "access/sysattr.h"
#include "nodes/nodeFuncs.h"
#include "utils/builtins.h"
#include "utils/typcache.h"

#include "query/deparse.h"

void
pgml_deparse_column(StringInfo buf, Oid relid, AttrNumber attnum)
{
	if (attnum == SelfItemPointerAttributeNumber)
		appendStringInfoString(buf, "ctid");
	else if (attnum == TableOidAttributeNumber)
		appendStringInfoString(buf, "tableoid");
	else if (attnum > 0)
		appendStringInfoString(buf, quote_identifier(pgml_option_column_name(relid, attnum)));
	else
		elog(ERROR, "cannot deparse column %d of relation %u", attnum, relid);
}

void
pgml_deparse_fetched_column(StringInfo buf, Oid relid, AttrNumber attnum)
{
	pgml_deparse_column(buf, relid, attnum);
	if (attnum > 0 && pgml_option_column_type(relid, attnum) != NULL)
		appendStringInfoString(buf, "::text");
}

void
pgml_deparse_relation(StringInfo buf, const PgmlOptions *options)
{
	if (options->query != NULL)
	{
		appendStringInfo(buf, "(%s\n)", options->query);
		return;
	}
	appendStringInfo(buf, "%s.", quote_identifier(options->schema_name));
	appendStringInfoString(buf, quote_identifier(options->table_name));
}

void
pgml_deparse_from_table(StringInfo buf, const PgmlOptions *options)
{
	appendStringInfoString(buf, " FROM ");
	pgml_deparse_relation(buf, options);
	if (options->query != NULL)
		appendStringInfo(buf, " AS %s", quote_identifier(options->table_name));
}

void
pgml_deparse_aliased(PgmlDeparse *cxt)
{
	pgml_deparse_relation(cxt->buf, cxt->options);
	appendStringInfo(cxt->buf, " %s",
					 pgml_deparse_alias(cxt, bms_singleton_member(cxt->relids)));
}

/* Append a sort order: ASC and DESC where they mean this operator, else its name. */
static void
append_direction(StringInfo buf, const PgmlSortKey *key)
{
	TypeCacheEntry *type = lookup_type_cache(exprType((Node *) key->expr),
											 TYPECACHE_LT_OPR | TYPECACHE_GT_OPR);

	if (key->sortop == type->lt_opr)
		appendStringInfoString(buf, " ASC");
	else if (key->sortop == type->gt_opr)
		appendStringInfoString(buf, " DESC");
	else
	{
		appendStringInfoString(buf, " USING ");
		pgml_deparse_operator(buf, key->sortop);
	}
	appendStringInfoString(buf, key->nulls_first ? " NULLS FIRST" : " NULLS LAST");
}

void
pgml_deparse_order_by(PgmlDeparse *cxt, List *sortkeys)
{
	pgml_deparse_sort(cxt, " ORDER BY ", sortkeys);
}

void
pgml_deparse_sort(PgmlDeparse *cxt, const char *keyword, List *sortkeys)
{
	const char *separator = keyword;
	ListCell   *lc;

	foreach(lc, sortkeys)
	{
		PgmlSortKey *key = lfirst(lc);

		/* sorts nothing, and SQL takes a bare number for that of a column */
		if (IsA(key->expr, Const))
			continue;
		appendStringInfoString(cxt->buf, separator);
		pgml_deparse_expr(cxt, key->expr);
		append_direction(cxt->buf, key);
		separator = ", ";
	}
}

void
pgml_deparse_row_lock(StringInfo buf, PgmlRowLock lock, const char *alias)
{
	switch (lock.strength)
	{
		case LCS_NONE:
			return;
		case LCS_FORKEYSHARE:
			appendStringInfoString(buf, " FOR KEY SHARE");
			break;
		case LCS_FORSHARE:
			appendStringInfoString(buf, " FOR SHARE");
			break;
		case LCS_FORNOKEYUPDATE:
			appendStringInfoString(buf, " FOR NO KEY UPDATE");
			break;
		case LCS_FORUPDATE:
			appendStringInfoString(buf, " FOR UPDATE");
			break;
	}
	if (alias != NULL)
		appendStringInfo(buf, " OF %s", alias);
	switch (lock.wait)
	{
		case LockWaitBlock:
			break;
		case LockWaitSkip:
			appendStringInfoString(buf, " SKIP LOCKED");
			break;
		case LockWaitError:
			appendStringInfoString(buf, " NOWAIT");
			break;
	}
}

/* Append a number of rows. */
static void
append_count(PgmlDeparse *cxt, Expr *count)
{
	if (IsA(count, Const) && !((Const *) count)->constisnull)
		appendStringInfo(cxt->buf, INT64_FORMAT, DatumGetInt64(((Const *) count)->constvalue));
	else
		pgml_deparse_expr(cxt, count);
}

void
pgml_deparse_limit(PgmlDeparse *cxt, Expr *limit, Expr *offset, bool with_ties)
{
	if (offset != NULL)
	{
		appendStringInfoString(cxt->buf, " OFFSET ");
		append_count(cxt, offset);
	}
	if (limit != NULL)
	{
		appendStringInfoString(cxt->buf, with_ties ? " FETCH FIRST (" : " LIMIT ");
		append_count(cxt, limit);
		if (with_ties)
			appendStringInfoString(cxt->buf, ") ROWS WITH TIES");
	}
}

/* Append the arrays, each as a column of rows that hold a key each. */
static void
append_key_rows(PgmlDeparse *cxt, const PgmlKeys *keys)
{
	ListCell   *lc;

	appendStringInfoString(cxt->buf, "SELECT * FROM unnest(");
	foreach(lc, keys->arrays)
	{
		if (lc != list_head(keys->arrays))
			appendStringInfoString(cxt->buf, ", ");
		pgml_deparse_expr(cxt, lfirst(lc));
	}
	appendStringInfoChar(cxt->buf, ')');
}

void
pgml_deparse_keys(PgmlDeparse *cxt, const char *keyword, const PgmlKeys *keys)
{
	bool		many;
	ListCell   *lc;

	if (keys == NULL)
		return;
	many = list_length(keys->exprs) > 1;
	appendStringInfo(cxt->buf, "%s%s", keyword, many ? "((" : "(");
	foreach(lc, keys->exprs)
	{
		if (lc != list_head(keys->exprs))
			appendStringInfoString(cxt->buf, ", ");
		pgml_deparse_expr(cxt, lfirst(lc));
	}
	appendStringInfoString(cxt->buf, many ? ") " : " ");
	pgml_deparse_operator(cxt->buf, linitial_oid(keys->operators));
	appendStringInfoString(cxt->buf, " ANY (");
	if (many)
		append_key_rows(cxt, keys);
	else
		pgml_deparse_expr(cxt, linitial(keys->arrays));
	appendStringInfoString(cxt->buf, "))");
}

void
pgml_deparse_base_tail(PgmlDeparse *cxt, List *conditions, const PgmlKeys *keys,
					   List *sortkeys, Expr *limit, PgmlRowLock lock)
{
	cxt->aliased = pgml_deparse_needs_alias(conditions) ||
		(keys != NULL && pgml_deparse_needs_alias(keys->exprs));
	if (cxt->aliased)
	{
		appendStringInfoString(cxt->buf, " FROM ");
		pgml_deparse_aliased(cxt);
	}
	else
		pgml_deparse_from_table(cxt->buf, cxt->options);
	pgml_deparse_where(cxt, conditions);
	pgml_deparse_keys(cxt, conditions != NIL ? " AND " : " WHERE ", keys);
	cxt->qualifier = quote_identifier(cxt->options->table_name);
	pgml_deparse_order_by(cxt, sortkeys);
	cxt->qualifier = NULL;
	pgml_deparse_limit(cxt, limit, NULL, false);
	pgml_deparse_row_lock(cxt->buf, lock, NULL);
}
