/*
 * bulkcopy_push.c
 *		pgml_fdw_push() and pgml_fdw_upsert(): local rows into a remote table.
 *
 * Rows that are to be merged go into a temporary table of the remote first, which
 * lives no longer than the statement, and from there into the target by one
 * INSERT ... ON CONFLICT.  Which of them were there before is asked in its
 * RETURNING clause, of the snapshot from before the statement; rows that a trigger
 * suppresses are not counted.  "The same key" is what the unique index says, so
 * its operators are used; rows with a null in the key are always new.
 *
 * Replacing removes what is there with DELETE, which others don't notice before
 * the end; TRUNCATE is quicker and locks them out.  Neither waits for locks longer
 * than it is told.
 */
#include "postgres.h"

#include "access/table.h"
#include "access/transam.h"
#include "catalog/pg_class.h"
#include "catalog/pg_type.h"
#include "foreign/fdwapi.h"
#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

#include "base/compat.h"
#include "base/option.h"
#include "exec/modify_queue.h"
#include "exec/scan.h"
#include "query/deparse.h"
#include "remote/command.h"
#include "remote/conncache.h"
#include "sqlfunc/bulkcopy.h"
#include "sqlfunc/bulkcopy_push.h"

/* Rows on their way into a remote table. */
typedef struct Push
{
	PgmlConn   *conn;
	PgmlBulkRelation *target;
	PgmlLocalSource *source;
	List	   *from;			/* char *: columns of the source, and */
	List	   *into;			/* those of the target that they go into */
	bool		identity;		/* GENERATED ALWAYS AS IDENTITY columns are among them */
} Push;

/* Run SQL on the remote that changes something. */
static void
run_remote(PgmlConn *conn, const char *sql)
{
	pgml_command_mark_write(conn);
	pgml_result_free(pgml_command_run(conn, sql));
}

/* Let a column of the source go into one of the target; false: there is none that takes values. */
static bool
pair_columns(Push *push, char *from, const char *into)
{
	PgmlBulkColumn *column = pgml_bulk_remote_column(push->target, into);

	if (column == NULL || column->is_generated)
		return false;
	push->from = lappend(push->from, from);
	push->into = lappend(push->into, column->name);
	push->identity |= column->is_identity;
	return true;
}

/* Throw because a column that was named can't be copied. */
pg_noreturn static void
throw_column(Push *push, const char *name)
{
	PgmlBulkColumn *column = pgml_bulk_remote_column(push->target, name);

	if (!pgml_bulk_has_name(push->source->names, name))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_COLUMN),
				 errmsg("column \"%s\" of the source does not exist", name)));
	if (column != NULL && column->is_generated)
		ereport(ERROR,
				(errcode(ERRCODE_GENERATED_ALWAYS),
				 errmsg("column \"%s\" of the target is a generated column", name)));
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_COLUMN),
			 errmsg("column \"%s\" of the target does not exist", name)));
}

/* Pair columns by name: those that are wanted, or all that both sides have. */
static void
choose_columns(Push *push, List *wanted)
{
	List	   *left_out = NIL;
	ListCell   *lc;

	foreach(lc, wanted != NIL ? wanted : push->source->names)
	{
		char	   *name = lfirst(lc);
		bool		paired = pgml_bulk_has_name(push->source->names, name) &&
			pair_columns(push, name, name);

		if (!paired && wanted != NIL)
			throw_column(push, name);
		if (!paired && pgml_bulk_remote_column(push->target, name) == NULL)
			left_out = lappend(left_out, name);
	}
	if (push->from == NIL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_COLUMN),
				 errmsg("source and target have no column in common")));
	pgml_bulk_report_left_out(left_out);
}

/*
 * Have the rows converted as INSERT would, where the target's type is one of core's: of those
 * alone we know what the OID means.  (The length of a varchar and the like is up to the remote.)
 */
static void
choose_types(Push *push)
{
	ListCell   *lc;

	foreach(lc, push->into)
	{
		Oid			type = pgml_bulk_remote_column(push->target, lfirst(lc))->type;
		char		kind = type < FirstGenbkiObjectId ? get_typtype(type) : '\0';
		bool		known = kind == TYPTYPE_BASE || kind == TYPTYPE_RANGE || kind == TYPTYPE_MULTIRANGE;

		push->source->types = lappend_oid(push->source->types, known ? type : InvalidOid);
	}
}

/* Throw if the remote role can't make temporary tables. */
static void
check_temporary(PgmlConn *conn)
{
	PgmlResult *res = pgml_command_run(conn, "SELECT pg_catalog.has_database_privilege("
									   "pg_catalog.current_database(), 'TEMPORARY')");
	bool		may = pgml_result_nrows(res) == 1 && pgml_result_ncols(res) == 1 &&
		pgml_result_value(res, 0, 0) != NULL && pgml_result_value(res, 0, 0)[0] == 't';

	pgml_result_free(res);
	if (!may)
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("cannot make a temporary table on server \"%s\"", conn->name),
				 errdetail("Rows that are to be merged by key are put into one first."),
				 errhint("Have the remote role granted TEMPORARY on its database.")));
}

/* Make the temporary table, with just the columns that are copied; returns its name as SQL. */
static char *
create_temporary(Push *push)
{
	static uint32 counter = 0;
	char	   *name = psprintf("pg_temp.pgml_copy_%d_%u", MyProcPid, ++counter);
	StringInfoData sql;

	check_temporary(push->conn);
	initStringInfo(&sql);
	appendStringInfo(&sql, "CREATE TEMPORARY TABLE %s ON COMMIT DROP AS SELECT ", name);
	pgml_bulk_append_names(&sql, push->into);
	appendStringInfo(&sql, " FROM %s WITH NO DATA", push->target->sql);
	run_remote(push->conn, sql.data);
	return name;
}

/* The names of a key's columns. */
static List *
key_names(List *key)
{
	List	   *names = NIL;
	ListCell   *lc;

	foreach(lc, key)
		names = lappend(names, ((PgmlBulkKey *) lfirst(lc))->name);
	return names;
}

/* Throw if a key is in the temporary table twice. */
static void
check_duplicates(Push *push, const char *table, List *names)
{
	StringInfoData sql;
	StringInfoData values;
	PgmlResult *res;
	ListCell   *lc;

	initStringInfo(&sql);
	appendStringInfoString(&sql, "SELECT ");
	foreach(lc, names)
		appendStringInfo(&sql, "%spg_catalog.left(pg_catalog.format('%%s', %s), 100)",
						 lc == list_head(names) ? "" : ", ", quote_identifier(lfirst(lc)));
	appendStringInfo(&sql, " FROM %s WHERE ", table);
	foreach(lc, names)
		appendStringInfo(&sql, "%s%s IS NOT NULL", lc == list_head(names) ? "" : " AND ",
						 quote_identifier(lfirst(lc)));
	appendStringInfoString(&sql, " GROUP BY ");
	pgml_bulk_append_names(&sql, names);
	appendStringInfoString(&sql, " HAVING pg_catalog.count(*) > 1 LIMIT 1");
	res = pgml_command_run(push->conn, sql.data);
	if (pgml_result_nrows(res) == 0)
	{
		pgml_result_free(res);
		return;
	}

	initStringInfo(&values);
	for (int i = 0; i < pgml_result_ncols(res); i++)
	{
		char	   *value = pgml_result_value(res, 0, i);

		if (value != NULL)
			pg_verifymbstr(value, strlen(value), false);
		appendStringInfo(&values, "%s%s", i > 0 ? ", " : "", value != NULL ? value : "null");
	}
	resetStringInfo(&sql);
	pgml_bulk_append_names(&sql, names);
	ereport(ERROR,
			(errcode(ERRCODE_CARDINALITY_VIOLATION),
			 errmsg("a key is more than once in the rows for %s on server \"%s\"",
					push->target->sql, push->conn->name),
			 errdetail("Key (%s)=(%s).", sql.data, values.data)));
}

/* Append what is to be done with a row whose key is there already. */
static void
append_on_conflict(StringInfo sql, Push *push, List *names)
{
	bool		first = true;
	ListCell   *lc;

	appendStringInfoString(sql, " ON CONFLICT (");
	pgml_bulk_append_names(sql, names);
	foreach(lc, push->into)
	{
		const char *name = lfirst(lc);

		if (pgml_bulk_has_name(names, name) ||
			pgml_bulk_remote_column(push->target, name)->is_identity)
			continue;
		appendStringInfo(sql, "%s%s = EXCLUDED.%s", first ? ") DO UPDATE SET " : ", ",
						 quote_identifier(name), quote_identifier(name));
		first = false;
	}
	if (first)
		appendStringInfoString(sql, ") DO NOTHING");
}

/* Compose the statement that brings the rows from the temporary table into the target, and counts them. */
static char *
compose_merge(Push *push, const char *table, List *key)
{
	StringInfoData sql;
	ListCell   *lc;

	initStringInfo(&sql);
	appendStringInfo(&sql, "WITH merged AS (INSERT INTO %s AS pgml_target (", push->target->sql);
	pgml_bulk_append_names(&sql, push->into);
	appendStringInfo(&sql, ")%s SELECT ", push->identity ? " OVERRIDING SYSTEM VALUE" : "");
	pgml_bulk_append_names(&sql, push->into);
	appendStringInfo(&sql, " FROM %s", table);
	append_on_conflict(&sql, push, key_names(key));
	appendStringInfo(&sql, " RETURNING EXISTS (SELECT 1 FROM %s AS pgml_old WHERE ", push->target->sql);
	foreach(lc, key)
	{
		PgmlBulkKey *part = lfirst(lc);
		const char *name = quote_identifier(part->name);

		appendStringInfo(&sql, "%spgml_old.%s %s pgml_target.%s", lc == list_head(key) ? "" : " AND ",
						 name, part->equals, name);
	}
	appendStringInfoString(&sql, ") AS was_there) SELECT pg_catalog.count(*) FILTER (WHERE NOT was_there),"
						   " pg_catalog.count(*) FILTER (WHERE was_there) FROM merged");
	return sql.data;
}

static uint64
count_field(PgmlResult *res, int col)
{
	char	   *value = pgml_result_value(res, 0, col);

	return value != NULL ? strtou64(value, NULL, 10) : 0;
}

/* Merge the rows by key. */
static void
merge(Push *push, List *wanted_key, uint64 *inserted, uint64 *updated)
{
	List	   *key = pgml_bulk_find_key(push->conn, push->target, wanted_key);
	List	   *names = key_names(key);
	char	   *table;
	PgmlResult *res;
	ListCell   *lc;

	foreach(lc, names)
	{
		if (!pgml_bulk_has_name(push->into, lfirst(lc)))
			ereport(ERROR,
					(errcode(ERRCODE_UNDEFINED_COLUMN),
					 errmsg("column \"%s\" of the key is not among those that are copied",
							(char *) lfirst(lc))));
	}
	table = create_temporary(push);
	(void) pgml_push_rows(push->conn, push->source, push->from, table, push->into, false);
	check_duplicates(push, table, names);
	res = pgml_command_run(push->conn, compose_merge(push, table, key));
	if (pgml_result_nrows(res) != 1 || pgml_result_ncols(res) != 2)
		ereport(ERROR,
				(errcode(ERRCODE_FDW_INCONSISTENT_DESCRIPTOR_INFORMATION),
				 errmsg("unexpected answer from server \"%s\"", push->conn->name)));
	*inserted = count_field(res, 0);
	*updated = count_field(res, 1);
	pgml_result_free(res);
	run_remote(push->conn, psprintf("DROP TABLE %s", table));
}

/* Remove what is in the target. */
static void
empty_target(Push *push, bool truncate, const char *lock_timeout)
{
	StringInfoData sql;

	initStringInfo(&sql);
	if (lock_timeout != NULL)
	{
		appendStringInfoString(&sql, "SET LOCAL lock_timeout = ");
		pgml_append_literal(&sql, lock_timeout);
		appendStringInfoString(&sql, "; ");
	}
	appendStringInfo(&sql, truncate ? "TRUNCATE %s" : "DELETE FROM %s", push->target->sql);
	if (lock_timeout != NULL)
		appendStringInfoString(&sql, "; SET LOCAL lock_timeout = DEFAULT");
	run_remote(push->conn, sql.data);
}

uint64
pgml_bulk_push(PgmlCopyCall *call)
{
	Push		push = {.conn = call->conn};
	uint64		inserted;
	uint64		updated = 0;

	push.source = pgml_push_find_source(call->source, call->filter);
	push.target = pgml_bulk_find_table(call->conn, call->target);
	choose_columns(&push, call->columns);
	choose_types(&push);
	if (call->mode == PGML_COPY_UPSERT)
	{
		merge(&push, call->key, &inserted, &updated);
		return inserted + updated;
	}
	if (call->mode == PGML_COPY_REPLACE)
	{
		pgml_push_check_server(push.source, call->server->serverid);
		empty_target(&push, call->truncate, call->lock_timeout);
	}
	return pgml_push_rows(push.conn, push.source, push.from, push.target->sql,
						  push.into, push.identity);
}

/* Refuse a foreign table that can't be merged into, or by this user. */
static void
check_foreign_table(Oid relid, const PgmlOptions *options)
{
	Relation	rel;
	TriggerDesc *triggers;

	if (pg_class_aclmask(relid, GetUserId(), ACL_INSERT | ACL_UPDATE, ACLMASK_ALL) !=
		(ACL_INSERT | ACL_UPDATE))
		aclcheck_error(ACLCHECK_NO_PRIV, OBJECT_FOREIGN_TABLE, get_rel_name(relid));
	if (!options->updatable)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("foreign table \"%s\" does not allow inserts and updates", get_rel_name(relid))));

	rel = table_open(relid, RowExclusiveLock);
	triggers = rel->trigdesc;
	if (triggers != NULL &&
		(triggers->trig_insert_before_row || triggers->trig_insert_after_row ||
		 triggers->trig_update_before_row || triggers->trig_update_after_row ||
		 triggers->trig_insert_before_statement || triggers->trig_insert_after_statement ||
		 triggers->trig_update_before_statement || triggers->trig_update_after_statement))
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("cannot merge into foreign table \"%s\" because it has triggers",
						RelationGetRelationName(rel)),
				 errdetail("They would not be called.")));
	table_close(rel, NoLock);
}

/* Pair the columns of the source with those of the foreign table, by their names here. */
static void
pair_foreign_columns(Push *push, Oid relid)
{
	List	   *left_out = NIL;
	ListCell   *lc;

	foreach(lc, push->source->names)
	{
		char	   *name = lfirst(lc);
		AttrNumber	attnum = get_attnum(relid, name);

		if (attnum <= 0)
			left_out = lappend(left_out, name);
		else if (get_attgenerated(relid, attnum) == '\0' &&
				 !pair_columns(push, name, pgml_option_column_name(relid, attnum)) &&
				 pgml_bulk_remote_column(push->target, pgml_option_column_name(relid, attnum)) == NULL)
			ereport(ERROR,
					(errcode(ERRCODE_UNDEFINED_COLUMN),
					 errmsg("column \"%s\" of the target does not exist",
							pgml_option_column_name(relid, attnum))));
	}
	if (push->from == NIL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_COLUMN),
				 errmsg("source and target have no column in common")));
	pgml_bulk_report_left_out(left_out);
}

/*
 * The remote names of the key: as the user says, or the options of columns; NIL:
 * it isn't known here.
 */
static List *
foreign_key_names(Oid relid, List *key)
{
	List	   *names = NIL;
	ListCell   *lc;

	if (key == NIL)
	{
		foreach(lc, pgml_option_key_columns(relid))
			names = lappend(names, pgml_option_column_name(relid, lfirst_int(lc)));
		return names;
	}

	foreach(lc, key)
	{
		AttrNumber	attnum = get_attnum(relid, lfirst(lc));

		if (attnum <= 0)
			ereport(ERROR,
					(errcode(ERRCODE_UNDEFINED_COLUMN),
					 errmsg("column \"%s\" of the target does not exist", (char *) lfirst(lc))));
		names = lappend(names, pgml_option_column_name(relid, attnum));
	}
	return names;
}

void
pgml_bulk_upsert(Oid foreign_table, char *source, List *key, uint64 *inserted, uint64 *updated)
{
	PgmlOptions *options;
	Push		push = {0};
	StringInfoData name;

	if (get_rel_relkind(foreign_table) != RELKIND_FOREIGN_TABLE ||
		GetFdwRoutineByRelId(foreign_table)->BeginForeignScan != pgmlBeginForeignScan)
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("the target is not a foreign table of pgml_fdw"),
				 errhint("For a local table there is INSERT ... ON CONFLICT.")));
	options = pgml_options_of_table(foreign_table);
	check_foreign_table(foreign_table, options);
	push.conn = pgml_conncache_get_for(options->serverid, GetUserId());
	pgml_queue_apply_all(push.conn);
	push.source = pgml_push_find_source(source, NULL);
	push.source->types_of = foreign_table;

	initStringInfo(&name);
	pgml_deparse_relation(&name, options);
	push.target = pgml_bulk_find_table(push.conn, name.data);
	pair_foreign_columns(&push, foreign_table);
	merge(&push, foreign_key_names(foreign_table, key), inserted, updated);
}
