/*
 * pull_schema.c
 *		CALL pgml_fdw_pull_schema(): every table of a remote schema.
 *
 * Each table is a transaction: made like the source, filled, its keys and indexes
 * built, noted in the log, committed.  So whatever happens, what is there is
 * complete, and a second call goes on with the rest.  Foreign keys come when all tables
 * are there, each in a transaction of its own.
 *
 * One snapshot.  Tables that refer to each other must have been read at one moment.  So a
 * connection besides, the keeper, holds a transaction open over there for the
 * whole call, and the transaction of each table takes its exported snapshot over.  If the
 * remote ends the keeper, a new one sees a later moment, which the user is told.
 *
 * An error of a table must not take the call along, if the user says so, and must be
 * noted in any case.  So the work on a table is tried in a subtransaction.  When it has failed,
 * the whole transaction is rolled back all the same: the remote one may be beyond
 * use.  Only the end of the session leaves the log as it was: "running".
 *
 * Two calls on one schema at a time would stand in each other's way; a lock on the
 * schema, that only they take, is held from commit to commit.
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/namespace.h"
#include "catalog/pg_constraint.h"
#include "catalog/pg_namespace.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "nodes/parsenodes.h"
#include "storage/lock.h"
#include "tcop/pquery.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "base/attempt.h"
#include "exec/import_reader.h"
#include "exec/twin_foreign_key.h"
#include "remote/command.h"
#include "remote/conncache.h"
#include "remote/security.h"
#include "remote/xact.h"
#include "sqlfunc/argument.h"
#include "sqlfunc/bulkcopy.h"
#include "sqlfunc/pull_schema.h"

PG_FUNCTION_INFO_V1(pgml_fdw_pull_schema);

enum
{
	ARG_SERVER,
	ARG_REMOTE_SCHEMA,
	ARG_LOCAL_SCHEMA,
	ARG_LIMIT_TO,
	ARG_EXCLUDE,
	ARG_JOBS,
	ARG_ON_ERROR,
	ARG_ONE_SNAPSHOT
};

/* A relation of the remote that is to be copied. */
typedef struct Source
{
	char	   *name;
	char		kind;			/* relkind */
} Source;

/* The work on one. */
typedef struct Work
{
	PgmlSchemaPull *pull;
	PgmlCopyCall call;
	const char *name;
	int64		nrows;
} Work;

/*
 * Transactions
 */

/* Lock the schema against other calls, until the end of this one. */
static void
lock_schema(PgmlSchemaPull *pull)
{
	LOCKTAG		tag;

	SET_LOCKTAG_OBJECT(tag, MyDatabaseId, NamespaceRelationId, pull->local_schema_oid, 0);
	if (LockAcquire(&tag, ShareUpdateExclusiveLock, true, true) == LOCKACQUIRE_NOT_AVAIL)
		ereport(ERROR,
				(errcode(ERRCODE_LOCK_NOT_AVAILABLE),
				 errmsg("schema \"%s\" is being filled by another call", pull->local_schema)));
}

static void
unlock_schema(PgmlSchemaPull *pull)
{
	LOCKTAG		tag;

	SET_LOCKTAG_OBJECT(tag, MyDatabaseId, NamespaceRelationId, pull->local_schema_oid, 0);
	LockRelease(&tag, ShareUpdateExclusiveLock, true);
}

/* Begin to use a new transaction: much may have changed since the last one. */
static void
begin_work(PgmlSchemaPull *pull)
{
	EnsurePortalSnapshotExists();
	if (GetUserId() != pull->userid || get_namespace_oid(pull->local_schema, true) != pull->local_schema_oid)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("the current user or schema \"%s\" has changed meanwhile", pull->local_schema)));
	pull->serverid = pgml_bulk_find_server(pull->server_name)->serverid;
	if (pull->log != NULL)
		pgml_pull_log_check(pull);
}

static void
commit_work(PgmlSchemaPull *pull)
{
	SPI_commit();
	begin_work(pull);
}

static PgmlConn *
connection(PgmlSchemaPull *pull)
{
	return pgml_conncache_get_for(pull->serverid, pull->userid);
}

/*
 * The snapshot
 */

/* Let a connection of its own keep a snapshot. */
static void
begin_snapshot(PgmlSchemaPull *pull)
{
	StringInfoData sql;
	PgmlReader	reader;

	initStringInfo(&sql);
	appendStringInfo(&sql, "BEGIN ISOLATION LEVEL %s",
					 IsolationIsSerializable() ? "SERIALIZABLE" : "REPEATABLE READ");
	pgml_xact_append_settings(&sql);
	appendStringInfoString(&sql, "; SELECT pg_catalog.pg_export_snapshot()");
	pull->keeper = pgml_connection_create(pgml_security_mapping(pull->userid, pull->serverid),
										  CurrentMemoryContext);
	reader = pgml_reader_run(pull->keeper, sql.data, 1);
	if (reader.nrows != 1)
		pgml_reader_throw(pull->keeper);
	pull->snapshot = pgml_reader_string(&reader, 0);
}

/* Replace a keeper that the remote has thrown out. */
static void
renew_snapshot(PgmlSchemaPull *pull)
{
	if (pull->keeper == NULL || !pgml_connection_is_dead(pull->keeper))
		return;
	ereport(WARNING,
			(errmsg("server \"%s\" has closed the connection that kept the snapshot", pull->server_name),
			 errdetail("Tables that are still to be copied are seen at a later moment than the others.")));
	pgml_connection_free(pull->keeper);
	pull->keeper = NULL;
	begin_snapshot(pull);
}

static void
end_snapshot(PgmlSchemaPull *pull)
{
	if (pull->keeper == NULL)
		return;
	pgml_result_free(pgml_command_run(pull->keeper, "COMMIT"));
	pgml_connection_free(pull->keeper);
	pull->keeper = NULL;
}

/* Let this transaction's remote one see the snapshot; returns its name for other connections, or NULL. */
static char *
take_snapshot(PgmlSchemaPull *pull)
{
	StringInfoData sql;

	if (pull->keeper == NULL)
		return pull->jobs > 1 ? pgml_bulk_export_snapshot(connection(pull)) : NULL;
	initStringInfo(&sql);
	appendStringInfoString(&sql, "SET TRANSACTION SNAPSHOT ");
	pgml_append_literal(&sql, pull->snapshot);
	pgml_result_free(pgml_command_run(connection(pull), sql.data));
	return pull->snapshot;
}

/*
 * Tables
 */

static void
append_names(StringInfo sql, const char *condition, List *names)
{
	ListCell   *lc;

	appendStringInfo(sql, " AND c.relname %s (", condition);
	foreach(lc, names)
	{
		if (lc != list_head(names))
			appendStringInfoString(sql, ", ");
		pgml_append_literal(sql, lfirst(lc));
	}
	appendStringInfoChar(sql, ')');
}

/* Ask the remote which tables there are: those that have rows of their own, or that are named. */
static List *
list_sources(PgmlSchemaPull *pull)
{
	PgmlConn   *conn = connection(pull);
	List	   *sources = NIL;
	StringInfoData sql;
	PgmlReader	reader;

	pgml_connection_ensure(conn);
	initStringInfo(&sql);
	appendStringInfo(&sql, "SELECT c.relname, c.relkind FROM pg_catalog.pg_namespace n"
					 " LEFT JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relkind IN (%s)"
					 " AND c.relname <> '" PGML_PULL_LOG "'%s",
					 pull->limit_to != NIL ? "'r', 'p', 'v', 'm', 'f'" : "'r', 'p'",
					 pull->limit_to == NIL && conn->caps.server_version >= 100000 ?
					 " AND NOT c.relispartition" : "");
	if (pull->limit_to != NIL)
		append_names(&sql, "IN", pull->limit_to);
	if (pull->exclude != NIL)
		append_names(&sql, "NOT IN", pull->exclude);
	appendStringInfoString(&sql, " WHERE n.nspname = ");
	pgml_append_literal(&sql, pull->remote_schema);
	appendStringInfoString(&sql, " ORDER BY c.relname");

	reader = pgml_reader_run(conn, sql.data, 2);
	if (reader.nrows == 0)
		ereport(ERROR,
				(errcode(ERRCODE_FDW_SCHEMA_NOT_FOUND),
				 errmsg("schema \"%s\" is not present on foreign server \"%s\"",
						pull->remote_schema, pull->server_name)));
	for (; reader.row < reader.nrows; reader.row++)
	{
		Source	   *source = palloc(sizeof(Source));

		if (pgml_reader_nullable(&reader, 0) == NULL)
			break;
		source->name = pgml_reader_string(&reader, 0);
		source->kind = pgml_reader_letter(&reader, 1);
		sources = lappend(sources, source);
	}
	return sources;
}

/* Warn of tables that the user has named and that aren't there. */
static void
warn_of_missing(PgmlSchemaPull *pull, List *sources)
{
	ListCell   *lc;
	ListCell   *lc2;

	foreach(lc, pull->limit_to)
	{
		bool		found = pgml_bulk_has_name(pull->exclude, lfirst(lc));

		foreach(lc2, sources)
			found = found || strcmp(((Source *) lfirst(lc2))->name, lfirst(lc)) == 0;
		if (!found)
			ereport(WARNING,
					(errcode(ERRCODE_FDW_TABLE_NOT_FOUND),
					 errmsg("table \"%s\" is not present in schema \"%s\" of foreign server \"%s\"",
							(char *) lfirst(lc), pull->remote_schema, pull->server_name)));
	}
}

/* Is a table there already, as an earlier call has left it? */
static bool
is_done(PgmlSchemaPull *pull, const char *name)
{
	return OidIsValid(get_relname_relid(pgml_import_name(name), pull->local_schema_oid)) &&
		pgml_pull_log_is_done(pull, PGML_LOG_TABLE, name);
}

/* For pgml_attempt_all. */
static void
copy_table(void *arg)
{
	Work	   *work = arg;

	work->nrows = (int64) pgml_bulk_pull(&work->call, InvalidOid);
	pgml_pull_log_done(work->pull, PGML_LOG_TABLE, work->name, work->nrows, NULL);
}

/* Describe the copy. */
static void
prepare_call(PgmlSchemaPull *pull, const Source *source, PgmlCopyCall *call)
{
	bool		has_blocks = source->kind == 'r' || source->kind == 'p' || source->kind == 'm';
	StringInfoData name;

	initStringInfo(&name);
	pgml_append_identifier(&name, pull->remote_schema);
	appendStringInfoChar(&name, '.');
	pgml_append_identifier(&name, source->name);
	call->server = GetForeignServer(pull->serverid);
	call->conn = connection(pull);
	call->source = name.data;
	call->target = quote_qualified_identifier(pull->local_schema, pgml_import_name(source->name));
	call->mode = PGML_COPY_APPEND;
	call->jobs = has_blocks ? pull->jobs : 1;
	call->create = true;
	call->foreign_keys_later = true;
	call->snapshot = take_snapshot(pull);
	call->keeper = pull->keeper;
}

/* Is there no use in going on with other tables after an error? */
static bool
is_end(const PgmlSchemaPull *pull, const ErrorData *error)
{
	int			category = ERRCODE_TO_CATEGORY(error->sqlerrcode);

	return !pull->go_on ||
		category == ERRCODE_TO_CATEGORY(ERRCODE_OPERATOR_INTERVENTION) ||
		category == ERRCODE_TO_CATEGORY(ERRCODE_INSUFFICIENT_RESOURCES) ||
		category == ERRCODE_TO_CATEGORY(ERRCODE_SYSTEM_ERROR);
}

/* Note that a table could not be copied; throws if that is the end. */
static void
report_failure(PgmlSchemaPull *pull, const char *name, ErrorData *error)
{
	SPI_rollback();
	lock_schema(pull);
	begin_work(pull);
	pgml_pull_log_failed(pull, PGML_LOG_TABLE, name, error->message);
	commit_work(pull);
	pull->nfailed++;
	if (is_end(pull, error))
	{
		error->context = psprintf("%s%spull of table \"%s\"", error->context != NULL ? error->context : "",
								  error->context != NULL ? "\n" : "", name);
		ReThrowError(error);
	}
	ereport(WARNING,
			(errcode(error->sqlerrcode),
			 errmsg("table \"%s\" is not copied: %s", name, error->message),
			 error->detail != NULL ? errdetail_internal("%s", error->detail) : 0,
			 error->hint != NULL ? errhint("%s", error->hint) : 0));
}

/* Copy one table, in a transaction of its own. */
static void
pull_table(PgmlSchemaPull *pull, const Source *source)
{
	Work		work = {.pull = pull, .name = source->name};
	TimestampTz start = GetCurrentTimestamp();
	ErrorData  *error;

	if (is_done(pull, source->name))
	{
		pull->ndone_before++;
		return;
	}
	pgml_pull_log_begin(pull, PGML_LOG_TABLE, source->name);
	commit_work(pull);
	prepare_call(pull, source, &work.call);
	error = pgml_attempt_all(copy_table, &work);
	if (error != NULL)
	{
		report_failure(pull, source->name, error);
		return;
	}
	commit_work(pull);
	pull->ncopied++;
	pull->nrows += work.nrows;
	ereport(NOTICE,
			(errmsg("table \"%s\": " INT64_FORMAT " rows in %.1f s", source->name, work.nrows,
					(GetCurrentTimestamp() - start) / 1000000.0)));
}

/* Copy those that aren't there yet, one after the other. */
static void
pull_tables(PgmlSchemaPull *pull, List *sources)
{
	MemoryContext oldcxt = CurrentMemoryContext;
	MemoryContext cxt = AllocSetContextCreate(oldcxt, "pgml pull table", ALLOCSET_DEFAULT_SIZES);
	ListCell   *lc;

	foreach(lc, sources)
	{
		CHECK_FOR_INTERRUPTS();
		renew_snapshot(pull);
		MemoryContextSwitchTo(cxt);
		pull_table(pull, lfirst(lc));
		MemoryContextSwitchTo(oldcxt);
		MemoryContextReset(cxt);
	}
	MemoryContextDelete(cxt);
}

/*
 * Foreign keys
 */

/* Say why a foreign key isn't made, NULL if it is to be; *skip: it isn't our business. */
static const char *
key_problem(PgmlSchemaPull *pull, const PgmlRemoteForeignKey *key, bool *skip)
{
	Oid			table = get_relname_relid(pgml_import_name(key->table), pull->local_schema_oid);

	*skip = !is_done(pull, key->table) ||
		OidIsValid(get_relation_constraint_oid(table, pgml_import_name(key->name), true));
	if (*skip)
		return NULL;
	if (strcmp(key->other_schema, pull->remote_schema) != 0)
		return psprintf("It refers to a table of the schema \"%s\".", key->other_schema);
	if (!is_done(pull, key->other_table))
		return psprintf("Table \"%s\" has not been copied.", key->other_table);
	return NULL;
}

/* Make one that can be made. */
static void
pull_foreign_key(PgmlSchemaPull *pull, PgmlImport *import, const PgmlRemoteForeignKey *key)
{
	char	   *name = psprintf("%s.%s", key->table, key->name);
	const char *problem;

	pgml_pull_log_begin(pull, PGML_LOG_FOREIGN_KEY, name);
	problem = pgml_foreign_key_make(import, key);
	if (problem != NULL)
	{
		pgml_pull_log_failed(pull, PGML_LOG_FOREIGN_KEY, name, problem);
		ereport(WARNING,
				(errmsg("foreign key \"%s\" of table \"%s\" is left out", key->name, key->table),
				 errdetail_internal("%s", problem)));
	}
	else
	{
		problem = key->is_validated ? pgml_foreign_key_validate(import, key) : NULL;
		pgml_pull_log_done(pull, PGML_LOG_FOREIGN_KEY, name, -1, problem);
		if (problem != NULL)
			ereport(WARNING,
					(errmsg("foreign key \"%s\" of table \"%s\" is not valid", key->name, key->table),
					 errdetail_internal("%s", problem),
					 errhint("Mend the rows, then run ALTER TABLE ... VALIDATE CONSTRAINT.")));
	}
	commit_work(pull);
}

static void
pull_foreign_keys(PgmlSchemaPull *pull)
{
	PgmlImport	import = {0};
	ListCell   *lc;

	import.cxt = CurrentMemoryContext;
	import.remote = palloc0(sizeof(PgmlRemoteSchema));
	import.local_schema = pull->local_schema;
	import.local_schema_oid = pull->local_schema_oid;
	import.as_tables = true;
	foreach(lc, pgml_foreign_keys_read(connection(pull), pull->remote_schema, NULL))
	{
		const PgmlRemoteForeignKey *key = lfirst(lc);
		bool		skip;
		const char *problem = key_problem(pull, key, &skip);

		CHECK_FOR_INTERRUPTS();
		if (problem != NULL)
			ereport(NOTICE,
					(errmsg("foreign key \"%s\" of table \"%s\" is left out", key->name, key->table),
					 errdetail_internal("%s", problem)));
		else if (!skip)
			pull_foreign_key(pull, &import, key);
	}
}

/*
 * The call
 */

/* Throw unless the procedure may end transactions. */
static void
check_nonatomic(FunctionCallInfo fcinfo)
{
	if (fcinfo->context == NULL || !IsA(fcinfo->context, CallContext) ||
		((CallContext *) fcinfo->context)->atomic)
		ereport(ERROR,
				(errcode(ERRCODE_ACTIVE_SQL_TRANSACTION),
				 errmsg("pgml_fdw_pull_schema cannot be called inside a transaction block"),
				 errdetail("It commits each table by itself.")));
}

static PgmlSchemaPull *
read_arguments(FunctionCallInfo fcinfo)
{
	PgmlSchemaPull *pull = palloc0(sizeof(PgmlSchemaPull));
	char	   *on_error;

	pull->userid = GetUserId();
	pull->server_name = pgml_argument_name(fcinfo, ARG_SERVER, "server");
	pull->remote_schema = pgml_argument_text(fcinfo, ARG_REMOTE_SCHEMA, "remote_schema");
	pull->local_schema = pgml_argument_name(fcinfo, ARG_LOCAL_SCHEMA, "local_schema");
	pull->limit_to = pgml_argument_names(fcinfo, ARG_LIMIT_TO, "limit_to");
	pull->exclude = pgml_argument_names(fcinfo, ARG_EXCLUDE, "exclude");
	if (PG_ARGISNULL(ARG_JOBS) || PG_GETARG_INT32(ARG_JOBS) < 1 || PG_GETARG_INT32(ARG_JOBS) > PGML_MAX_JOBS)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"jobs\" must be between 1 and %d", PGML_MAX_JOBS)));
	pull->jobs = PG_GETARG_INT32(ARG_JOBS);
	on_error = pgml_argument_text(fcinfo, ARG_ON_ERROR, "on_error");
	pull->go_on = pg_strcasecmp(on_error, "continue") == 0;
	if (!pull->go_on && pg_strcasecmp(on_error, "stop") != 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("unrecognized value of argument \"on_error\": \"%s\"", on_error),
				 errhint("Valid values are stop and continue.")));
	pull->one_snapshot = PG_ARGISNULL(ARG_ONE_SNAPSHOT) || PG_GETARG_BOOL(ARG_ONE_SNAPSHOT);
	pull->local_schema_oid = LookupCreationNamespace(pull->local_schema);
	return pull;
}

/* Copy every table of a remote schema. */
Datum
pgml_fdw_pull_schema(PG_FUNCTION_ARGS)
{
	PgmlSchemaPull *pull;
	List	   *sources;

	check_nonatomic(fcinfo);
	if (SPI_connect_ext(SPI_OPT_NONATOMIC) != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	EnsurePortalSnapshotExists();
	pull = read_arguments(fcinfo);
	begin_work(pull);
	lock_schema(pull);
	pgml_pull_log_open(pull);
	sources = list_sources(pull);
	warn_of_missing(pull, sources);
	if (pull->one_snapshot)
		begin_snapshot(pull);

	pull_tables(pull, sources);
	end_snapshot(pull);
	commit_work(pull);
	pull_foreign_keys(pull);
	unlock_schema(pull);
	ereport(NOTICE,
			(errmsg("%d tables with " INT64_FORMAT " rows have been copied, %d were there before, %d have failed",
					pull->ncopied, pull->nrows, pull->ndone_before, pull->nfailed)));
	SPI_finish();
	PG_RETURN_VOID();
}
