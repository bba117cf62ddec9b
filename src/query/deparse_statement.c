/*
 * deparse_statement.c
 *		Statements that change a table by a join: UPDATE ... FROM, DELETE ...
 *		USING, INSERT ... SELECT.
 *
 * Question answered: how is a SELECT whose rows would be changed, or inserted,
 * made the statement that does it?
 *
 * In UPDATE and DELETE the table that is changed stands before FROM, and is
 * joined with what stands there by WHERE.  So it is taken out of the FROM tree,
 * which is possible where nothing but inner joins are above it; their conditions
 * join those of WHERE.
 */
#include "postgres.h"

#include "utils/builtins.h"

#include "query/select.h"

static bool
contains(const PgmlFrom *from, Index rti)
{
	if (from->rti != 0)
		return from->rti == rti;
	return contains(from->left, rti) || contains(from->right, rti);
}

/*
 * Take a table out of a FROM tree: what is left are the trees *others, and
 * conditions that are added to *conds.  Returns the table; NULL if it can't be done.
 */
static const PgmlFrom *
take_out(const PgmlFrom *from, Index rti, List **others, PgmlConds *conds)
{
	while (from->rti == 0)
	{
		bool		is_left = contains(from->left, rti);

		if (from->type != JOIN_INNER)
			return NULL;
		*others = lappend(*others, (void *) (is_left ? from->right : from->left));
		*conds = pgml_conds_union(*conds, from->on);
		from = is_left ? from->left : from->right;
	}
	return from->rti == rti && pgml_conds_empty(from->filter) ? from : NULL;
}

/* Append the trees behind a keyword, and the conditions. */
static void
append_others(PgmlDeparse *cxt, const char *keyword, List *others, PgmlConds conds)
{
	ListCell   *lc;

	foreach(lc, others)
	{
		appendStringInfoString(cxt->buf, lc == list_head(others) ? keyword : ", ");
		pgml_deparse_from(cxt, lfirst(lc));
	}
	pgml_deparse_conds(cxt, " WHERE ", conds);
}

char *
pgml_deparse_join_update(PgmlDeparse *cxt, const PgmlSelect *select, Index rti,
						 List *targetattrs, List *values)
{
	List	   *others = NIL;
	PgmlConds	conds = select->where;
	const PgmlFrom *table = take_out(select->from, rti, &others, &conds);

	if (table == NULL)
		return NULL;
	cxt->buf = makeStringInfo();
	cxt->aliased = true;
	appendStringInfoString(cxt->buf, "UPDATE ");
	pgml_deparse_from(cxt, table);
	pgml_deparse_set(cxt, table->relid, targetattrs, values);
	append_others(cxt, " FROM ", others, conds);
	return cxt->buf->data;
}

char *
pgml_deparse_join_delete(PgmlDeparse *cxt, const PgmlSelect *select, Index rti)
{
	List	   *others = NIL;
	PgmlConds	conds = select->where;
	const PgmlFrom *table = take_out(select->from, rti, &others, &conds);

	if (table == NULL)
		return NULL;
	cxt->buf = makeStringInfo();
	cxt->aliased = true;
	appendStringInfoString(cxt->buf, "DELETE FROM ");
	pgml_deparse_from(cxt, table);
	append_others(cxt, " USING ", others, conds);
	return cxt->buf->data;
}

char *
pgml_deparse_insert_select(PgmlDeparse *cxt, const PgmlSelect *select, Oid relid,
						   const PgmlOptions *options, List *targetattrs,
						   bool on_conflict_do_nothing)
{
	StringInfoData sql;
	char	  **columns;
	const char *separator = " (";
	ListCell   *lc;

	cxt->buf = makeStringInfo();
	pgml_deparse_select(cxt, select, &columns);

	initStringInfo(&sql);
	appendStringInfoString(&sql, "INSERT INTO ");
	pgml_deparse_relation(&sql, options);
	foreach(lc, targetattrs)
	{
		appendStringInfoString(&sql, separator);
		pgml_deparse_column(&sql, relid, (AttrNumber) lfirst_int(lc));
		separator = ", ";
	}
	separator = ") SELECT ";
	foreach(lc, targetattrs)
	{
		appendStringInfo(&sql, "%s%s", separator, columns[foreach_current_index(lc)]);
		separator = ", ";
	}
	appendStringInfoString(&sql, cxt->buf->data);
	if (on_conflict_do_nothing)
		appendStringInfoString(&sql, " ON CONFLICT DO NOTHING");
	return sql.data;
}
