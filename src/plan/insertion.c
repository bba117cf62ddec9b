/*
 * insertion.c
 *		How do new rows get to the remote?
 *
 * By COPY, where they are many and nothing has to come back for one of them: no
 * RETURNING (nor a local trigger or check that needs it), no ON CONFLICT, whose
 * result only the remote knows, no OVERRIDING USER VALUE, for a COPY is the opposite.  Else by INSERT
 * statements.  The user's word counts first: the setting pgml_fdw.insert_method, else the
 * option of the table or server; who has set batch_size has spoken for INSERT.
 *
 * Whether the remote's table can take a COPY, only the remote can tell: the
 * plan has the question along with the statements (row/sink.h).  It is asked too where many
 * rows leave by INSERT: who knows the types may send values in binary form.
 */
#include "postgres.h"

#include "base/setting.h"
#include "plan/planinfo.h"
#include "query/deparse.h"

/*
 * From so many rows on a COPY is worth the two round trips that it costs more
 * than one INSERT.
 */
#define PGML_MANY_ROWS 100

/* Shall the rows leave by COPY, if they can? */
static bool
prefers_copy(const PgmlOptions *options, bool many)
{
	PgmlInsertMethod wanted = options->insert_method;

	if (pgml_setting_insert_method != PGML_INSERT_AUTO)
		wanted = (PgmlInsertMethod) pgml_setting_insert_method;
	if (wanted == PGML_INSERT_AUTO)
		return many && !options->batch_size_set;
	return wanted == PGML_INSERT_COPY;
}

/* List the first column, if there is one: "(a) VALUES (DEFAULT), (DEFAULT)" is several rows, DEFAULT VALUES is one. */
static List *
first_column(Relation rel)
{
	TupleDesc	desc = RelationGetDescr(rel);

	for (int i = 0; i < desc->natts; i++)
		if (!TupleDescAttr(desc, i)->attisdropped)
			return list_make1_int(i + 1);
	return NIL;
}

/* List the columns, say which of them are DEFAULT; returns those that aren't. */
static List *
list_columns(PgmlInsert *insert, Relation rel, List *targetattrs, bool all_default)
{
	List	   *with_values = NIL;
	ListCell   *lc;

	insert->attnums = palloc(Max(list_length(targetattrs), 1) * sizeof(AttrNumber));
	insert->default_cols = palloc(Max(list_length(targetattrs), 1) * sizeof(bool));
	foreach(lc, targetattrs)
	{
		int			i = insert->ncols++;
		AttrNumber	attnum = (AttrNumber) lfirst_int(lc);

		insert->attnums[i] = attnum;
		insert->default_cols[i] = all_default ||
			TupleDescAttr(RelationGetDescr(rel), attnum - 1)->attgenerated != '\0';
		if (!insert->default_cols[i])
			with_values = lappend_int(with_values, attnum);
	}
	return with_values;
}

PgmlModifyPlan *
pgml_planinfo_insert(Relation rel, const PgmlOptions *options, List *targetattrs,
					 OverridingKind override, bool on_conflict_do_nothing, List *returning,
					 double rows)
{
	PgmlModifyPlan *plan = palloc0(sizeof(PgmlModifyPlan));
	PgmlInsert *insert = &plan->insert;
	Oid			relid = RelationGetRelid(rel);
	bool		all_default = targetattrs == NIL;
	bool		many = rows < 0 || rows >= PGML_MANY_ROWS;
	bool		copy = prefers_copy(options, many) && returning == NIL &&
		!on_conflict_do_nothing && override != OVERRIDING_USER_VALUE;
	List	   *with_values;

	if (all_default)
		targetattrs = first_column(rel);
	with_values = list_columns(insert, rel, targetattrs, all_default);

	plan->operation = CMD_INSERT;
	plan->targetattrs = targetattrs;
	plan->returning = returning;
	insert->prefix = pgml_deparse_insert_prefix(relid, options, targetattrs, override);
	insert->suffix = pgml_deparse_insert_suffix(relid, on_conflict_do_nothing, returning);
	insert->returns = returning != NIL;
	if (with_values != NIL && copy)
		insert->copy = pgml_deparse_insert_copy(relid, options, with_values);
	if (with_values != NIL && (copy || many))
		insert->question = pgml_deparse_insert_question(relid, options, with_values,
														 override == OVERRIDING_SYSTEM_VALUE);
	return plan;
}
