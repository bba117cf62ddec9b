/*
 * deparse_modify.c
 *		Statements that change or measure a remote table.
 *
 * Parameters of UPDATE have no types in the text: the remote gives each the
 * type of the column that it is assigned to, and reads the value's text form as
 * that.  A row is named by ctid and tableoid, because the foreign table may be
 * a partitioned table there, whose partitions share ctids; or by key columns,
 * where the table's option row_identity says so.
 */
#include "postgres.h"

#include "utils/lsyscache.h"

#include "query/deparse.h"

/* Append the columns of an int list of attribute numbers. */
static void
append_columns(StringInfo buf, Oid relid, List *attnums)
{
	ListCell   *lc;

	foreach(lc, attnums)
	{
		if (lc != list_head(attnums))
			appendStringInfoString(buf, ", ");
		pgml_deparse_column(buf, relid, (AttrNumber) lfirst_int(lc));
	}
}

static void
append_returning(StringInfo buf, Oid relid, List *returning)
{
	if (returning == NIL)
		return;
	appendStringInfoString(buf, " RETURNING ");
	append_columns(buf, relid, returning);
}

char *
pgml_deparse_insert_prefix(Oid relid, const PgmlOptions *options, List *targetattrs,
						   OverridingKind override)
{
	StringInfoData buf;

	initStringInfo(&buf);
	appendStringInfoString(&buf, "INSERT INTO ");
	pgml_deparse_relation(&buf, options);
	if (targetattrs == NIL)
	{
		appendStringInfoString(&buf, " DEFAULT VALUES");
		return buf.data;
	}
	appendStringInfoString(&buf, " (");
	append_columns(&buf, relid, targetattrs);
	appendStringInfoString(&buf, override == OVERRIDING_SYSTEM_VALUE ? ") OVERRIDING SYSTEM VALUE VALUES " :
						   override == OVERRIDING_USER_VALUE ? ") OVERRIDING USER VALUE VALUES " :
						   ") VALUES ");
	return buf.data;
}

char *
pgml_deparse_insert_suffix(Oid relid, bool on_conflict_do_nothing, List *returning)
{
	StringInfoData buf;

	initStringInfo(&buf);
	if (on_conflict_do_nothing)
		appendStringInfoString(&buf, " ON CONFLICT DO NOTHING");
	append_returning(&buf, relid, returning);
	return buf.data;
}

char *
pgml_deparse_insert_copy(Oid relid, const PgmlOptions *options, List *attnums)
{
	StringInfoData buf;

	initStringInfo(&buf);
	appendStringInfoString(&buf, "COPY ");
	pgml_deparse_relation(&buf, options);
	appendStringInfoString(&buf, " (");
	append_columns(&buf, relid, attnums);
	appendStringInfoString(&buf, ") FROM STDIN");
	return buf.data;
}

/* Append the OID of a relation on the remote, which is SQL text, as an expression. */
static void
append_oid_of(StringInfo buf, const char *relation)
{
	pgml_deparse_literal(buf, relation);
	appendStringInfoString(buf, "::pg_catalog.regclass");
}

/* The same for the one that a foreign table stands for. */
static void
append_remote_oid(StringInfo buf, const PgmlOptions *options)
{
	StringInfoData name;

	initStringInfo(&name);
	pgml_deparse_relation(&name, options);
	append_oid_of(buf, name.data);
}

/*
 * 7 is a BEFORE INSERT trigger FOR EACH ROW.  A trigger that fires only on
 * replicas is taken for one that fires: who knows what the remote role is set to.
 */
char *
pgml_deparse_copy_question(const char *relation, List *columns, bool overriding)
{
	StringInfoData buf;
	ListCell   *lc;

	initStringInfo(&buf);
	appendStringInfoString(&buf,
						   "WITH RECURSIVE tree (oid, relkind) AS ("
						   "SELECT oid, relkind FROM pg_catalog.pg_class WHERE oid = ");
	append_oid_of(&buf, relation);
	appendStringInfoString(&buf,
						   " UNION ALL SELECT c.oid, c.relkind FROM tree"
						   " JOIN pg_catalog.pg_inherits i ON i.inhparent = tree.oid AND tree.relkind = 'p'"
						   " JOIN pg_catalog.pg_class c ON c.oid = i.inhrelid) "
						   "SELECT NOT r.relhasrules AND NOT pg_catalog.row_security_active(r.oid)"
						   " AND NOT EXISTS (SELECT FROM tree WHERE relkind NOT IN ('r', 'p'))"
						   " AND NOT EXISTS (SELECT FROM tree JOIN pg_catalog.pg_trigger t ON t.tgrelid = tree.oid"
						   " WHERE t.tgtype & 7 = 7 AND t.tgenabled <> 'D'), ");
	if (!overriding)
		appendStringInfoString(&buf, "a.attidentity <> 'a' AND ");
	appendStringInfoString(&buf,
						   "a.attgenerated = '', "
						   "(WITH RECURSIVE type (oid, base) AS ("
						   "SELECT t.oid, t.typbasetype FROM pg_catalog.pg_type t WHERE t.oid = a.atttypid"
						   " UNION ALL SELECT t.oid, t.typbasetype FROM type"
						   " JOIN pg_catalog.pg_type t ON t.oid = type.base)"
						   " SELECT oid FROM type WHERE base = 0) "
						   "FROM (VALUES ");
	foreach(lc, columns)
	{
		appendStringInfo(&buf, "%s(%d, ", lc == list_head(columns) ? "" : ", ",
						 foreach_current_index(lc));
		pgml_deparse_literal(&buf, lfirst(lc));
		appendStringInfoChar(&buf, ')');
	}
	appendStringInfoString(&buf, ") AS n (i, name) JOIN pg_catalog.pg_class r ON r.oid = ");
	append_oid_of(&buf, relation);
	appendStringInfoString(&buf,
						   " LEFT JOIN pg_catalog.pg_attribute a"
						   " ON a.attrelid = r.oid AND a.attname = n.name AND a.attnum > 0"
						   " ORDER BY n.i");
	return buf.data;
}

char *
pgml_deparse_insert_question(Oid relid, const PgmlOptions *options, List *attnums,
							 bool overriding)
{
	StringInfoData relation;
	List	   *columns = NIL;
	ListCell   *lc;

	initStringInfo(&relation);
	pgml_deparse_relation(&relation, options);
	foreach(lc, attnums)
		columns = lappend(columns, pgml_option_column_name(relid, lfirst_int(lc)));
	return pgml_deparse_copy_question(relation.data, columns, overriding);
}

/* Append the type that a key column has here. */
static void
append_key_type(StringInfo buf, Oid relid, const PgmlOptions *options, AttrNumber attnum)
{
	appendStringInfo(buf, "::%s", pgml_deparse_type_name(get_atttype(relid, attnum), -1, options));
}

/*
 * A key of a join could be right for a row of whatever relation.  Elsewhere ctid names rows
 * of tables only, and so it is here.
 */
static void
append_is_table(StringInfo buf, const PgmlRowNames *names, const char *alias)
{
	if (names->by_join)
		appendStringInfo(buf, " AND %sctid IS NOT NULL", alias);
}

/* Append the condition that finds one row. */
static void
append_row_identity(StringInfo buf, Oid relid, const PgmlOptions *options,
					const PgmlRowNames *names)
{
	ListCell   *lc;

	if (names->keys == NIL)
		appendStringInfoString(buf, " WHERE ctid = $1::tid AND tableoid = $2::oid");
	foreach(lc, names->keys)
	{
		AttrNumber	attnum = (AttrNumber) lfirst_int(lc);

		appendStringInfoString(buf, lc == list_head(names->keys) ? " WHERE " : " AND ");
		pgml_deparse_column(buf, relid, attnum);
		appendStringInfo(buf, " = $%d", foreach_current_index(lc) + 1);
		if (names->by_join)
			append_key_type(buf, relid, options, attnum);
	}
	append_is_table(buf, names, "");
}

char *
pgml_deparse_update(Oid relid, const PgmlOptions *options, const PgmlRowNames *names,
					List *targetattrs, List *returning)
{
	StringInfoData buf;
	int			param = (names->keys != NIL ? list_length(names->keys) : 2) + 1;
	ListCell   *lc;

	initStringInfo(&buf);
	appendStringInfoString(&buf, "UPDATE ");
	pgml_deparse_relation(&buf, options);
	appendStringInfoString(&buf, " SET ");
	foreach(lc, targetattrs)
	{
		AttrNumber	attnum = (AttrNumber) lfirst_int(lc);

		if (lc != list_head(targetattrs))
			appendStringInfoString(&buf, ", ");
		pgml_deparse_column(&buf, relid, attnum);
		if (get_attgenerated(relid, attnum) != '\0')
			appendStringInfoString(&buf, " = DEFAULT");
		else
			appendStringInfo(&buf, " = $%d", param++);
	}
	append_row_identity(&buf, relid, options, names);
	append_returning(&buf, relid, returning);
	return buf.data;
}

/*
 * Append the columns that an UPDATE of many rows sets.  The values of a row are
 * n.v1, n.v2, ...
 */
static void
append_batch_set(StringInfo buf, Oid relid, List *targetattrs)
{
	int			nvalues = 0;
	ListCell   *lc;

	foreach(lc, targetattrs)
	{
		AttrNumber	attnum = (AttrNumber) lfirst_int(lc);

		if (lc != list_head(targetattrs))
			appendStringInfoString(buf, ", ");
		pgml_deparse_column(buf, relid, attnum);
		if (get_attgenerated(relid, attnum) != '\0')
			appendStringInfoString(buf, " = DEFAULT");
		else
			appendStringInfo(buf, " = n.v%d", ++nvalues);
	}
}

/* Append a null of a column's type there, which isn't known here. */
static void
append_typed_null(StringInfo buf, Oid relid, const PgmlOptions *options, AttrNumber attnum)
{
	appendStringInfoString(buf, "(SELECT ");
	pgml_deparse_column(buf, relid, attnum);
	appendStringInfoString(buf, " FROM ");
	pgml_deparse_relation(buf, options);
	appendStringInfoString(buf, " WHERE false)");
}

/*
 * Append a null for each parameter of a row: in the first row of VALUES it gives its type to
 * those below.
 */
static void
append_typed_nulls(StringInfo buf, Oid relid, const PgmlOptions *options,
				   const PgmlRowNames *names, List *targetattrs)
{
	const char *separator = "";
	ListCell   *lc;

	foreach(lc, names->keys)
	{
		appendStringInfoString(buf, separator);
		if (names->by_join)
		{
			appendStringInfoString(buf, "NULL");
			append_key_type(buf, relid, options, (AttrNumber) lfirst_int(lc));
		}
		else
			append_typed_null(buf, relid, options, (AttrNumber) lfirst_int(lc));
		separator = ", ";
	}
	foreach(lc, targetattrs)
	{
		if (get_attgenerated(relid, (AttrNumber) lfirst_int(lc)) != '\0')
			continue;
		appendStringInfoString(buf, separator);
		append_typed_null(buf, relid, options, (AttrNumber) lfirst_int(lc));
		separator = ", ";
	}
}

/* Append the first row of VALUES. */
static void
append_first_row(StringInfo buf, Oid relid, const PgmlOptions *options,
				 const PgmlRowNames *names, List *targetattrs)
{
	StringInfoData nulls;

	initStringInfo(&nulls);
	append_typed_nulls(&nulls, relid, options, names, targetattrs);
	appendStringInfo(buf, "(%s%s%s)",
					 names->keys == NIL ? "NULL::tid, NULL::oid" : names->by_join ? "" : "0",
					 names->by_join || nulls.len == 0 ? "" : ", ", nulls.data);
}

char *
pgml_deparse_update_prefix(Oid relid, const PgmlOptions *options, const PgmlRowNames *names,
						   List *targetattrs)
{
	StringInfoData buf;

	initStringInfo(&buf);
	appendStringInfoString(&buf, "UPDATE ");
	pgml_deparse_relation(&buf, options);
	appendStringInfoString(&buf, " r SET ");
	append_batch_set(&buf, relid, targetattrs);
	appendStringInfoString(&buf, " FROM (VALUES ");
	append_first_row(&buf, relid, options, names, targetattrs);
	return buf.data;
}

char *
pgml_deparse_delete_prefix(Oid relid, const PgmlOptions *options, const PgmlRowNames *names)
{
	StringInfoData buf;

	initStringInfo(&buf);
	appendStringInfoString(&buf, "DELETE FROM ");
	pgml_deparse_relation(&buf, options);
	appendStringInfoString(&buf, " r USING (VALUES ");
	append_first_row(&buf, relid, options, names, NIL);
	return buf.data;
}

/* Append the condition that joins a batch's rows with the table's by key. */
static void
append_key_join(StringInfo buf, Oid relid, const PgmlRowNames *names)
{
	ListCell   *lc;

	foreach(lc, names->keys)
	{
		appendStringInfoString(buf, lc == list_head(names->keys) ? ") WHERE r." : " AND r.");
		pgml_deparse_column(buf, relid, (AttrNumber) lfirst_int(lc));
		appendStringInfo(buf, " = n.k%d", foreach_current_index(lc) + 1);
	}
	append_is_table(buf, names, "r.");
	if (!names->by_join)
		appendStringInfoString(buf, " RETURNING n.i");
}

char *
pgml_deparse_batch_suffix(Oid relid, const PgmlRowNames *names, List *targetattrs)
{
	StringInfoData columns;
	StringInfoData buf;
	int			nvalues = 0;
	ListCell   *lc;

	initStringInfo(&columns);
	appendStringInfoString(&columns, names->keys == NIL ? ", c, t" : names->by_join ? "" : ", i");
	for (int i = 1; i <= list_length(names->keys); i++)
		appendStringInfo(&columns, ", k%d", i);
	foreach(lc, targetattrs)
		if (get_attgenerated(relid, (AttrNumber) lfirst_int(lc)) == '\0')
			appendStringInfo(&columns, ", v%d", ++nvalues);

	initStringInfo(&buf);
	appendStringInfo(&buf, ") n (%s", columns.data + strlen(", "));
	if (names->keys != NIL)
		append_key_join(&buf, relid, names);
	else
		appendStringInfoString(&buf, ") WHERE r.ctid = n.c AND r.tableoid = n.t");
	return buf.data;
}

char *
pgml_deparse_describe(Oid relid, const PgmlOptions *options, const PgmlRowNames *names,
					  List *targetattrs)
{
	StringInfoData nulls;

	initStringInfo(&nulls);
	append_typed_nulls(&nulls, relid, options, names, targetattrs);
	return nulls.len > 0 ? psprintf("SELECT %s", nulls.data) : NULL;
}

char *
pgml_deparse_delete_batch(const PgmlOptions *options)
{
	StringInfoData buf;

	initStringInfo(&buf);
	appendStringInfoString(&buf, "DELETE FROM ");
	pgml_deparse_relation(&buf, options);
	appendStringInfoString(&buf, " WHERE ctid = ANY ($1::tid[]) AND tableoid = $2::oid");
	return buf.data;
}

char *
pgml_deparse_delete(Oid relid, const PgmlOptions *options, const PgmlRowNames *names,
					List *returning)
{
	StringInfoData buf;

	initStringInfo(&buf);
	appendStringInfoString(&buf, "DELETE FROM ");
	pgml_deparse_relation(&buf, options);
	append_row_identity(&buf, relid, options, names);
	append_returning(&buf, relid, returning);
	return buf.data;
}

void
pgml_deparse_set(PgmlDeparse *cxt, Oid relid, List *targetattrs, List *exprs)
{
	const char *separator = " SET ";
	ListCell   *lc;
	ListCell   *lc2;

	forboth(lc, targetattrs, lc2, exprs)
	{
		appendStringInfoString(cxt->buf, separator);
		pgml_deparse_column(cxt->buf, relid, (AttrNumber) lfirst_int(lc));
		appendStringInfoString(cxt->buf, " = ");
		pgml_deparse_expr(cxt, (Expr *) lfirst(lc2));
		separator = ", ";
	}
}

/* Append the table that is changed, with an alias if one of these expressions needs it. */
static void
append_changed(PgmlDeparse *cxt, List *exprs)
{
	cxt->aliased = pgml_deparse_needs_alias(exprs);
	if (cxt->aliased)
		pgml_deparse_aliased(cxt);
	else
		pgml_deparse_relation(cxt->buf, cxt->options);
}

char *
pgml_deparse_direct_update(PgmlDeparse *cxt, Oid relid, List *targetattrs,
						   List *exprs, List *conditions, List *returning)
{
	cxt->buf = makeStringInfo();
	appendStringInfoString(cxt->buf, "UPDATE ");
	append_changed(cxt, list_concat_copy(conditions, exprs));
	pgml_deparse_set(cxt, relid, targetattrs, exprs);
	pgml_deparse_where(cxt, conditions);
	append_returning(cxt->buf, relid, returning);
	return cxt->buf->data;
}

char *
pgml_deparse_direct_delete(PgmlDeparse *cxt, Oid relid, List *conditions, List *returning)
{
	cxt->buf = makeStringInfo();
	appendStringInfoString(cxt->buf, "DELETE FROM ");
	append_changed(cxt, conditions);
	pgml_deparse_where(cxt, conditions);
	append_returning(cxt->buf, relid, returning);
	return cxt->buf->data;
}

/*
 * A foreign table stands for what SELECT reads through it, children and
 * partitions included, so there is no ONLY.
 */
char *
pgml_deparse_truncate(List *relids, DropBehavior behavior, bool restart_seqs)
{
	StringInfoData buf;
	const char *separator = "TRUNCATE ";
	ListCell   *lc;

	initStringInfo(&buf);
	foreach(lc, relids)
	{
		appendStringInfoString(&buf, separator);
		pgml_deparse_relation(&buf, pgml_options_of_table(lfirst_oid(lc)));
		separator = ", ";
	}
	appendStringInfoString(&buf, restart_seqs ? " RESTART IDENTITY" : " CONTINUE IDENTITY");
	appendStringInfoString(&buf, behavior == DROP_CASCADE ? " CASCADE" : " RESTRICT");
	return buf.data;
}

char *
pgml_deparse_analyze_size(const PgmlOptions *options)
{
	StringInfoData regclass;
	StringInfoData buf;

	initStringInfo(&regclass);
	append_remote_oid(&regclass, options);

	initStringInfo(&buf);
	appendStringInfo(&buf,
					 "WITH RECURSIVE family (oid) AS ("
					 "SELECT %s::pg_catalog.oid"
					 " UNION SELECT i.inhrelid FROM pg_catalog.pg_inherits i"
					 " JOIN family f ON i.inhparent = f.oid) "
					 "SELECT (pg_catalog.sum(pg_catalog.pg_relation_size(c.oid))"
					 " / pg_catalog.current_setting('block_size')::int8)::int8, "
					 "CASE WHEN pg_catalog.min(c.reltuples) >= 0"
					 " THEN pg_catalog.sum(c.reltuples::float8) END, "
					 "(SELECT r.relkind FROM pg_catalog.pg_class r WHERE r.oid = %s) "
					 "FROM family f JOIN pg_catalog.pg_class c"
					 " ON c.oid = f.oid AND c.relkind IN ('r', 'm')",
					 regclass.data, regclass.data);
	return buf.data;
}

/*
 * The fraction is clamped to what TABLESAMPLE takes; %.17g loses nothing, and
 * is written with a point whatever the locale, since the server runs with
 * LC_NUMERIC C.
 */
char *
pgml_deparse_analyze_tail(const PgmlOptions *options, PgmlSampling method, double fraction)
{
	StringInfoData buf;

	fraction = Min(Max(fraction, 0.0), 1.0);
	initStringInfo(&buf);
	pgml_deparse_from_table(&buf, options);
	switch (method)
	{
		case PGML_SAMPLING_OFF:
		case PGML_SAMPLING_AUTO:
			break;
		case PGML_SAMPLING_RANDOM:
			appendStringInfo(&buf, " WHERE pg_catalog.random() < %.17g", fraction);
			break;
		case PGML_SAMPLING_SYSTEM:
			appendStringInfo(&buf, " TABLESAMPLE SYSTEM (%.17g)", fraction * 100.0);
			break;
		case PGML_SAMPLING_BERNOULLI:
			appendStringInfo(&buf, " TABLESAMPLE BERNOULLI (%.17g)", fraction * 100.0);
			break;
	}
	return buf.data;
}
