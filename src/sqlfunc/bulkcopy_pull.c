/*
 * bulkcopy_pull.c
 *		pgml_fdw_pull(): a remote table or query into a local table.
 *
 * The rows go into the local table by INSERT (bulkcopy_feed.c), with OVERRIDING
 * SYSTEM VALUE, since it is a copy that is wanted, identity columns included.  In
 * other respects it is COPY that sets the rules: a table whose row security
 * applies to the user is refused, and privileges are looked at before the table
 * is locked.  Columns that the target generates are left to it; so are those that
 * the source hasn't got, which get their defaults.
 *
 * On the remote nothing but reading happens: it may be a standby.
 */
#include "postgres.h"

#include "access/sysattr.h"
#include "access/table.h"
#include "catalog/namespace.h"
#include "commands/progress.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "storage/lmgr.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/rls.h"
#include "utils/varlena.h"

#include "base/stats.h"
#include "sqlfunc/bulkcopy.h"
#include "sqlfunc/bulkcopy_feed.h"
#include "sqlfunc/bulkcopy_rows.h"

/* Progress is told each time this many rows have gone by. */
#define PROGRESS_STEP 256

/* A pull under way. */
typedef struct Pull
{
	PgmlCopyCall *call;
	PgmlBulkRelation *source;
	Oid			target;
	char	   *target_name;	/* qualified and quoted */
	bool		overrides;		/* it has an identity column */
	TupleDesc	desc;			/* the columns that are copied */
	PgmlPullRows *rows;
	int64		nrows;			/* that have come */
	int64		bytes_before;	/* counted before it began */
} Pull;

/* Refuse a table into which the user may not copy. */
static void
check_target(const PgmlCopyCall *call, Oid relid)
{
	char	   *name = get_rel_name(relid);
	AclMode		needs = ACL_INSERT;
	AclResult	result;

	if (name == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("relation with OID %u does not exist", relid)));
	result = pg_class_aclcheck(relid, GetUserId(), ACL_INSERT);
	if (result != ACLCHECK_OK)
		result = pg_attribute_aclcheck_all(relid, GetUserId(), ACL_INSERT, ACLMASK_ANY);
	if (result == ACLCHECK_OK && call->mode == PGML_COPY_REPLACE)
	{
		needs = call->truncate ? ACL_TRUNCATE : ACL_DELETE;
		result = pg_class_aclcheck(relid, GetUserId(), needs);
	}
	if (result != ACLCHECK_OK)
		aclcheck_error(result, get_relkind_objtype(get_rel_relkind(relid)), name);
	if (check_enable_rls(relid, InvalidOid, false) == RLS_ENABLED)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("cannot copy into table \"%s\" because its row-level security applies to you", name),
				 errhint("Use INSERT statements instead.")));
}

/* Called while the target's name is looked up, before it is locked. */
static void
check_target_callback(const RangeVar *relation, Oid relid, Oid old_relid, void *arg)
{
	if (OidIsValid(relid))
		check_target((PgmlCopyCall *) arg, relid);
}

/* Find, check and lock the target. */
static void
find_target(Pull *pull, Oid relid)
{
	PgmlCopyCall *call = pull->call;

	if (call->target == NULL)
	{
		check_target(call, relid);
		LockRelationOid(relid, RowExclusiveLock);
		check_target(call, relid);
	}
	else
		relid = RangeVarGetRelidExtended(makeRangeVarFromNameList(textToQualifiedNameList(cstring_to_text(call->target))),
										 RowExclusiveLock, 0, check_target_callback, call);
	pull->target = relid;
	pull->target_name = quote_qualified_identifier(get_namespace_name(get_rel_namespace(relid)),
												   get_rel_name(relid));
}

/* Should a column of the target be filled?  Throws if the user wants what can't be had. */
static bool
is_copied(Pull *pull, Form_pg_attribute att)
{
	List	   *wanted = pull->call->columns;
	const char *name = NameStr(att->attname);

	if (att->attisdropped || (wanted != NIL && !pgml_bulk_has_name(wanted, name)))
		return false;
	if (att->attgenerated != '\0')
	{
		if (wanted != NIL)
			ereport(ERROR,
					(errcode(ERRCODE_GENERATED_ALWAYS),
					 errmsg("column \"%s\" of the target is a generated column", name)));
		return false;
	}
	return pgml_bulk_remote_column(pull->source, name) != NULL;
}

/* Throw unless the columns that the user has named are all there. */
static void
check_wanted(Pull *pull, Relation target)
{
	ListCell   *lc;

	foreach(lc, pull->call->columns)
	{
		const char *name = lfirst(lc);

		if (get_attnum(RelationGetRelid(target), name) <= 0)
			ereport(ERROR,
					(errcode(ERRCODE_UNDEFINED_COLUMN),
					 errmsg("column \"%s\" of the target does not exist", name)));
		if (pgml_bulk_remote_column(pull->source, name) == NULL)
			ereport(ERROR,
					(errcode(ERRCODE_UNDEFINED_COLUMN),
					 errmsg("column \"%s\" of the source does not exist", name)));
	}
}

/* Say which columns of the source the target hasn't got. */
static void
report_left_out(Pull *pull, Relation target)
{
	List	   *names = NIL;
	ListCell   *lc;

	if (pull->call->columns != NIL)
		return;
	foreach(lc, pull->source->columns)
	{
		PgmlBulkColumn *column = lfirst(lc);

		if (get_attnum(RelationGetRelid(target), column->name) <= 0)
			names = lappend(names, column->name);
	}
	pgml_bulk_report_left_out(names);
}

/* Choose the columns: pull->desc. */
static void
choose_columns(Pull *pull)
{
	Relation	target = table_open(pull->target, NoLock);
	TupleDesc	all = RelationGetDescr(target);
	List	   *chosen = NIL;
	ListCell   *lc;

	check_wanted(pull, target);
	for (int i = 0; i < all->natts; i++)
	{
		if (is_copied(pull, TupleDescAttr(all, i)))
		{
			chosen = lappend_int(chosen, i + 1);
			if (TupleDescAttr(all, i)->attidentity != '\0')
				pull->overrides = true;
		}
	}
	if (chosen == NIL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_COLUMN),
				 errmsg("source and target have no column in common")));
	report_left_out(pull, target);

	pull->desc = CreateTemplateTupleDesc(list_length(chosen));
	foreach(lc, chosen)
		TupleDescCopyEntry(pull->desc, foreach_current_index(lc) + 1, all, lfirst_int(lc));
	table_close(target, NoLock);
}

/* The columns by which rows are found again: as the user says, or the target's primary key. */
static List *
choose_key(Pull *pull)
{
	List	   *key = pull->call->key;
	Relation	target = table_open(pull->target, NoLock);
	ListCell   *lc;

	if (key == NIL)
	{
		Bitmapset  *columns = RelationGetIndexAttrBitmap(target, INDEX_ATTR_BITMAP_PRIMARY_KEY);
		int			i = -1;

		while ((i = bms_next_member(columns, i)) >= 0)
			key = lappend(key, get_attname(pull->target, i + FirstLowInvalidHeapAttributeNumber, false));
	}
	table_close(target, NoLock);
	if (key == NIL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_COLUMN_REFERENCE),
				 errmsg("%s has no primary key", pull->target_name),
				 errhint("Say by which columns rows are to be found, in the argument \"key\".")));
	foreach(lc, key)
	{
		bool		found = false;

		for (int i = 0; i < pull->desc->natts; i++)
			if (strcmp(NameStr(TupleDescAttr(pull->desc, i)->attname), lfirst(lc)) == 0)
				found = true;
		if (!found)
			ereport(ERROR,
					(errcode(ERRCODE_UNDEFINED_COLUMN),
					 errmsg("column \"%s\" of the key is not among those that are copied",
							(char *) lfirst(lc))));
	}
	return key;
}

/* Append what is to be done with a row whose key is there already. */
static void
append_on_conflict(StringInfo sql, Pull *pull)
{
	List	   *key = choose_key(pull);
	bool		first = true;

	appendStringInfoString(sql, " ON CONFLICT (");
	pgml_bulk_append_names(sql, key);
	for (int i = 0; i < pull->desc->natts; i++)
	{
		Form_pg_attribute att = TupleDescAttr(pull->desc, i);
		const char *name = quote_identifier(NameStr(att->attname));

		/* an identity column that is GENERATED ALWAYS can't be set by UPDATE */
		if (pgml_bulk_has_name(key, NameStr(att->attname)) ||
			att->attidentity == ATTRIBUTE_IDENTITY_ALWAYS)
			continue;
		appendStringInfo(sql, "%s%s = EXCLUDED.%s", first ? ") DO UPDATE SET " : ", ", name, name);
		first = false;
	}
	if (first)
		appendStringInfoString(sql, ") DO NOTHING");
}

/* Compose the INSERT. */
static char *
compose_insert(Pull *pull)
{
	StringInfoData sql;
	StringInfoData names;

	initStringInfo(&names);
	for (int i = 0; i < pull->desc->natts; i++)
		appendStringInfo(&names, "%s%s", i > 0 ? ", " : "",
						 quote_identifier(NameStr(TupleDescAttr(pull->desc, i)->attname)));
	initStringInfo(&sql);
	appendStringInfo(&sql, "INSERT INTO %s (%s)%s SELECT %s FROM ", pull->target_name, names.data,
					 pull->overrides ? " OVERRIDING SYSTEM VALUE" : "", names.data);
	pgml_feed_append(&sql, pull->desc);
	if (pull->call->mode == PGML_COPY_UPSERT)
		append_on_conflict(&sql, pull);
	return sql.data;
}

/* Tell other sessions how far we are (pg_stat_progress_copy). */
static void
report_progress(const Pull *pull)
{
	const int	params[] = {PROGRESS_COPY_TUPLES_PROCESSED, PROGRESS_COPY_BYTES_PROCESSED};
	int64		values[] = {pull->nrows, pgml_stats.bytes_in - pull->bytes_before};

	pgstat_progress_update_multi_param(lengthof(params), params, values);
}

static void
begin_progress(Pull *pull)
{
	const int	params[] = {PROGRESS_COPY_COMMAND, PROGRESS_COPY_TYPE};
	const int64 values[] = {PROGRESS_COPY_COMMAND_FROM, PROGRESS_COPY_TYPE_CALLBACK};

	pgstat_progress_start_command(PROGRESS_COMMAND_COPY, pull->target);
	pgstat_progress_update_multi_param(lengthof(params), params, values);
	pull->bytes_before = pgml_stats.bytes_in;
}

/* The feed's callback. */
static bool
next_row(void *arg, Datum *values, bool *nulls)
{
	Pull	   *pull = arg;

	if (!pgml_pull_rows_next(pull->rows, values, nulls))
	{
		report_progress(pull);
		return false;
	}
	if (++pull->nrows % PROGRESS_STEP == 0)
		report_progress(pull);
	return true;
}

/* Rows without columns are nothing but their number. */
static uint64
pull_bare_rows(Pull *pull)
{
	PgmlResult *res = pgml_bulk_ask(pull->call->conn,
									psprintf("SELECT pg_catalog.count(*)%s",
											 pgml_bulk_tail(pull->source->sql, pull->call->filter)), 1);
	uint64		count = pg_strtoint64(pgml_bulk_text(res, 0, 0));

	pgml_result_free(res);
	pgml_twin_run_query(psprintf("INSERT INTO %s SELECT FROM pg_catalog.generate_series(1, " INT64_FORMAT ")",
								 pull->target_name, (int64) count));
	return count;
}

/* Bring the rows into the target. */
static uint64
pull_rows(Pull *pull)
{
	PgmlCopyCall *call = pull->call;
	char	   *insert;
	uint64		count;

	choose_columns(pull);
	insert = compose_insert(pull);
	pull->rows = pgml_pull_rows_open(call, pull->source, pull->desc);
	if (call->mode == PGML_COPY_REPLACE)
		pgml_twin_run_query(psprintf(call->truncate ? "TRUNCATE %s" : "DELETE FROM %s", pull->target_name));
	begin_progress(pull);
	count = pgml_feed_run(insert, next_row, pull);
	pgstat_progress_end_command();
	pgml_pull_rows_close(pull->rows);
	return count;
}

uint64
pgml_bulk_pull(PgmlCopyCall *call, Oid target)
{
	Pull		pull = {.call = call};
	bool		is_query = pgml_bulk_is_query(call->source);
	PgmlTwin   *twin = NULL;
	uint64		count;

	if (!call->create)
		find_target(&pull, target);
	pull.source = is_query ? pgml_bulk_describe_query(call->conn, call->source) :
		pgml_bulk_find_table(call->conn, call->source);
	if (call->create)
	{
		twin = pgml_bulk_create_table(call, pull.source);
		find_target(&pull, InvalidOid);
	}
	count = call->create && pull.source->columns == NIL ? pull_bare_rows(&pull) : pull_rows(&pull);
	if (is_query)
		pgml_bulk_restore_path(call->conn);
	if (twin != NULL)
		pgml_bulk_complete_table(call, pull.source, twin);
	return count;
}
