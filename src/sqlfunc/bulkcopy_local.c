/*
 * bulkcopy_local.c
 *		Where do push's rows come from, and how do they get to the sink?
 *
 * From a SELECT of the local executor, whose destination is a sink: a row is
 * handed over when it has been made; where it can't leave by COPY, it is gathered
 * with some others for an INSERT.  The planner and executor see to privileges and row security, as
 * for COPY (query) TO; a table that is named is looked at before it is locked.
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "commands/progress.h"
#include "executor/execdesc.h"
#include "executor/executor.h"
#include "foreign/foreign.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "nodes/nodeFuncs.h"
#include "nodes/parsenodes.h"
#include "parser/parse_coerce.h"
#include "parser/parse_collate.h"
#include "pgstat.h"
#include "tcop/dest.h"
#include "tcop/tcopprot.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/snapmgr.h"
#include "utils/varlena.h"

#include "base/compat.h"
#include "base/stats.h"
#include "query/deparse.h"
#include "remote/command.h"
#include "row/sink.h"
#include "sqlfunc/bulkcopy_push.h"

/* Rows that are gathered for one INSERT; sink.h may allow less.  For a COPY there is no need to. */
#define MAX_BATCH 500

/* Progress is told each time this many rows have gone by. */
#define PROGRESS_STEP 256

/* Where the executor puts the rows. */
typedef struct Receiver
{
	DestReceiver pub;
	PgmlConn   *conn;
	PgmlInsert *insert;
	PgmlSink   *sink;
	TupleTableSlot **slots;		/* rows that are gathered; NULL: they needn't be */
	int			nslots;			/* how many are */
	int			max;
	uint64		sent;
	uint64		inserted;
	int64		bytes_before;
} Receiver;

/* Throw unless the user may read a table, or some of its columns. */
static void
check_source_callback(const RangeVar *relation, Oid relid, Oid old_relid, void *arg)
{
	AclResult	result;

	if (!OidIsValid(relid))
		return;
	result = pg_class_aclcheck(relid, GetUserId(), ACL_SELECT);
	if (result != ACLCHECK_OK)
		result = pg_attribute_aclcheck_all(relid, GetUserId(), ACL_SELECT, ACLMASK_ANY);
	if (result != ACLCHECK_OK)
		aclcheck_error(result, get_relkind_objtype(get_rel_relkind(relid)), relation->relname);
}

/* Parse what must be one SELECT. */
static Query *
analyze_select(const char *sql)
{
	List	   *queries = pgml_bulk_analyze(sql);

	if (list_length(queries) != 1 || linitial_node(Query, queries)->commandType != CMD_SELECT)
		ereport(ERROR,
				(errcode(ERRCODE_SYNTAX_ERROR),
				 errmsg("the source must be the name of a table or one query in parentheses")));
	return linitial_node(Query, queries);
}

PgmlLocalSource *
pgml_push_find_source(const char *text, const char *filter)
{
	PgmlLocalSource *source = palloc0(sizeof(PgmlLocalSource));
	ListCell   *lc;

	source->filter = filter != NULL ? pstrdup(filter) : NULL;
	if (pgml_bulk_is_query(text))
		source->sql = psprintf("(%s\n)", text);
	else
	{
		ErrorContextCallback where = {error_context_stack, pgml_bulk_name_context, NULL};
		RangeVar   *name;

		error_context_stack = &where;
		name = makeRangeVarFromNameList(textToQualifiedNameList(cstring_to_text(text)));
		error_context_stack = where.previous;
		source->relid = RangeVarGetRelidExtended(name, AccessShareLock, 0, check_source_callback, NULL);
		source->sql = quote_qualified_identifier(get_namespace_name(get_rel_namespace(source->relid)),
												 get_rel_name(source->relid));
	}

	foreach(lc, analyze_select(psprintf("SELECT *%s", pgml_bulk_tail(source->sql, NULL)))->targetList)
	{
		TargetEntry *entry = lfirst_node(TargetEntry, lc);

		if (entry->resjunk)
			continue;
		if (pgml_bulk_has_name(source->names, entry->resname))
			ereport(ERROR,
					(errcode(ERRCODE_DUPLICATE_COLUMN),
					 errmsg("the source query has more than one column named \"%s\"", entry->resname)));
		source->names = lappend(source->names, entry->resname);
	}
	return source;
}

/* Compose the SELECT of these columns. */
static char *
compose_select(const PgmlLocalSource *source, List *names)
{
	StringInfoData sql;
	ListCell   *lc;

	initStringInfo(&sql);
	foreach(lc, names)
		appendStringInfo(&sql, "%spgml_source.%s", lc == list_head(names) ? "SELECT " : ", ",
						 quote_identifier(lfirst(lc)));
	appendStringInfoString(&sql, pgml_bulk_tail(source->sql, source->filter));
	return sql.data;
}

void
pgml_push_check_server(const PgmlLocalSource *source, Oid serverid)
{
	const char *sql = compose_select(source, source->names);
	PlannedStmt *plan = pg_plan_query(analyze_select(sql), sql, 0, NULL);
	ListCell   *lc;

	foreach(lc, plan->rtable)
	{
		RangeTblEntry *rte = lfirst_node(RangeTblEntry, lc);

		if (rte->rtekind == RTE_RELATION && rte->relkind == RELKIND_FOREIGN_TABLE &&
			GetForeignTable(rte->relid)->serverid == serverid)
			ereport(ERROR,
					(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
					 errmsg("the source of mode replace reads from server \"%s\" itself",
							GetForeignServer(serverid)->servername),
					 errdetail("What is there is removed before the source is read."),
					 errhint("Copy it into a local table first.")));
	}
}

/* Tell other sessions how far we are (pg_stat_progress_copy). */
static void
report_progress(const Receiver *self)
{
	const int	params[] = {PROGRESS_COPY_TUPLES_PROCESSED, PROGRESS_COPY_BYTES_PROCESSED};
	int64		values[] = {(int64) self->sent, pgml_stats.bytes_out - self->bytes_before};

	pgstat_progress_update_multi_param(lengthof(params), params, values);
}

/* Send rows. */
static void
send_rows(Receiver *self, TupleTableSlot **slots, int nslots)
{
	uint64		before = self->sent;

	self->inserted += pgml_sink_put(self->sink, slots, nslots, NULL);
	self->sent += nslots;
	if (before / PROGRESS_STEP != self->sent / PROGRESS_STEP)
		report_progress(self);
}

/* Send the rows that have been gathered. */
static void
send_gathered(Receiver *self)
{
	if (self->nslots == 0)
		return;
	send_rows(self, self->slots, self->nslots);
	for (int i = 0; i < self->nslots; i++)
		ExecClearTuple(self->slots[i]);
	self->nslots = 0;
}

static void
receiver_startup(DestReceiver *dest, int operation, TupleDesc desc)
{
	Receiver   *self = (Receiver *) dest;

	self->sink = pgml_sink_create(self->conn, self->insert, desc);
	if (pgml_sink_kind(self->sink) == PGML_SINK_COPY)
		return;
	self->max = Min(MAX_BATCH, pgml_sink_max_rows(desc->natts));
	self->slots = palloc(sizeof(TupleTableSlot *) * self->max);
	for (int i = 0; i < self->max; i++)
		self->slots[i] = MakeSingleTupleTableSlot(desc, &TTSOpsMinimalTuple);
}

static bool
receive_row(TupleTableSlot *slot, DestReceiver *dest)
{
	Receiver   *self = (Receiver *) dest;

	if (self->slots == NULL)
	{
		send_rows(self, &slot, 1);
		return true;
	}
	ExecCopySlot(self->slots[self->nslots++], slot);
	if (self->nslots == self->max)
		send_gathered(self);
	return true;
}

static void
receiver_shutdown(DestReceiver *dest)
{
	Receiver   *self = (Receiver *) dest;

	send_gathered(self);
	pgml_sink_close(self->sink);
	report_progress(self);
	for (int i = 0; i < self->max; i++)
		ExecDropSingleTupleTableSlot(self->slots[i]);
}

static void
receiver_destroy(DestReceiver *dest)
{
}

/* Describe the INSERT. */
static PgmlInsert *
describe_insert(const char *table, List *into, bool identity)
{
	PgmlInsert *insert = palloc0(sizeof(PgmlInsert));
	StringInfoData columns;

	initStringInfo(&columns);
	pgml_bulk_append_names(&columns, into);
	insert->prefix = psprintf("INSERT INTO %s (%s)%s VALUES ", table, columns.data,
							  identity ? " OVERRIDING SYSTEM VALUE" : "");
	insert->copy = psprintf("COPY %s (%s) FROM STDIN", table, columns.data);
	insert->question = pgml_deparse_copy_question(table, into, identity);
	insert->suffix = "";
	insert->ncols = list_length(into);
	insert->attnums = palloc(sizeof(AttrNumber) * insert->ncols);
	insert->default_cols = palloc0(sizeof(bool) * insert->ncols);
	for (int i = 0; i < insert->ncols; i++)
		insert->attnums[i] = i + 1;
	return insert;
}

/*
 * Convert what is selected to the types of a table's columns of these names, or to
 * those of a list, as INSERT would.  Where it would refuse to, the remote may still make
 * something of the text.
 */
static void
assign_types(Query *query, const PgmlLocalSource *source)
{
	ListCell   *lc;

	foreach(lc, query->targetList)
	{
		TargetEntry *entry = lfirst_node(TargetEntry, lc);
		Node	   *expr = (Node *) entry->expr;
		Oid			type;
		int32		typmod = -1;
		Oid			collation;

		if (OidIsValid(source->types_of))
			get_atttypetypmodcoll(source->types_of, get_attnum(source->types_of, entry->resname),
								  &type, &typmod, &collation);
		else
			type = list_nth_oid(source->types, foreach_current_index(lc));
		if (!OidIsValid(type))
			continue;
		expr = coerce_to_target_type(NULL, expr, exprType(expr), type, typmod,
									 COERCION_ASSIGNMENT, COERCE_IMPLICIT_CAST, -1);
		if (expr == NULL)
			continue;
		assign_expr_collations(NULL, expr);
		entry->expr = (Expr *) expr;
	}
}

/* Run the SELECT of these columns into the receiver. */
static void
run_select(const PgmlLocalSource *source, List *names, Receiver *receiver)
{
	const char *sql = compose_select(source, names);
	Query	   *select;
	PlannedStmt *plan;
	QueryDesc  *query;

	CommandCounterIncrement();
	PushActiveSnapshot(GetTransactionSnapshot());
	UpdateActiveSnapshotCommandId();
	select = analyze_select(sql);
	if (OidIsValid(source->types_of) || source->types != NIL)
		assign_types(select, source);
	plan = pg_plan_query(select, sql, CURSOR_OPT_PARALLEL_OK, NULL);
	query = CreateQueryDesc(plan, sql, GetActiveSnapshot(), InvalidSnapshot,
							&receiver->pub, NULL, NULL, 0);
	ExecutorStart(query, 0);
	pgml_executor_run(query);
	ExecutorFinish(query);
	ExecutorEnd(query);
	FreeQueryDesc(query);
	PopActiveSnapshot();
}

uint64
pgml_push_rows(PgmlConn *conn, const PgmlLocalSource *source, List *from,
			   const char *table, List *into, bool identity)
{
	const int	params[] = {PROGRESS_COPY_COMMAND, PROGRESS_COPY_TYPE};
	const int64 values[] = {PROGRESS_COPY_COMMAND_TO, PROGRESS_COPY_TYPE_CALLBACK};
	Receiver	receiver = {.conn = conn};

	receiver.pub.receiveSlot = receive_row;
	receiver.pub.rStartup = receiver_startup;
	receiver.pub.rShutdown = receiver_shutdown;
	receiver.pub.rDestroy = receiver_destroy;
	receiver.pub.mydest = DestNone;
	receiver.insert = describe_insert(table, into, identity);
	receiver.bytes_before = pgml_stats.bytes_out;

	pgstat_progress_start_command(PROGRESS_COMMAND_COPY, source->relid);
	pgstat_progress_update_multi_param(lengthof(params), params, values);
	run_select(source, from, &receiver);
	pgstat_progress_end_command();
	return receiver.inserted;
}
