/*
 * bulkdest.c
 *		CREATE TABLE AS SELECT ... FROM foreign, SELECT INTO, CREATE and REFRESH
 *		MATERIALIZED VIEW: how are their rows written in batches?
 *
 * These have no plan node that writes.  The executor hands each row to a
 * receiver, which has made or opened the table when the executor started it,
 * and writes the rows one by one.  While the executor runs, a receiver of ours stands
 * in front of that one: it hands on the start and the end, but writes the
 * rows itself.  The table is new and nobody else's: there are no indexes, constraints
 * or triggers.
 *
 * Which table it is, only core's receiver knows, in a struct that is in no
 * header of core's.  Its layout, which has been the same since 12, is repeated here;
 * whether that holds is asked of its size, of plain numbers in it, whose values
 * we know from elsewhere, and of its pointer to the table, which must be the one
 * that we get by opening that.  If it doesn't, core's receiver gets its rows.
 */
#include "postgres.h"

#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "catalog/pg_class.h"
#include "commands/createas.h"
#include "commands/matview.h"
#include "executor/executor.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"

#include "base/compat.h"
#include "base/setting.h"
#include "exec/bulkdest.h"
#include "exec/rowbatch.h"
#include "exec/watchful.h"

/* Core's receiver of CREATE TABLE AS, as long as that is. */
typedef struct IntoReceiver
{
	DestReceiver pub;
	void	   *into;
	Relation	rel;
	ObjectAddress address;
	CommandId	cid;
	int			options;
	struct BulkInsertStateData *bistate;
} IntoReceiver;

/* Core's receiver of materialized views. */
typedef struct TransientReceiver
{
	DestReceiver pub;
	Oid			relid;
	Relation	rel;
	CommandId	cid;
	int			options;
	struct BulkInsertStateData *bistate;
} TransientReceiver;

/* Ours. */
typedef struct BulkReceiver
{
	DestReceiver pub;
	DestReceiver *inner;		/* core's */
	MemoryContext cxt;
	Relation	rel;			/* NULL: core's receiver gets the rows */
	CommandId	cid;
	int			options;
	PgmlBatchMemory *memory;
	PgmlRowBatch *batch;
} BulkReceiver;

static ExecutorRun_hook_type previous_run = NULL;

/* Is it one of core's receivers, and not one that somebody has put in front of it? */
static bool
is_core_receiver(const DestReceiver *receiver)
{
	DestReceiver *sample = receiver->mydest == DestIntoRel ?
		CreateIntoRelDestReceiver(NULL) : CreateTransientRelDestReceiver(InvalidOid);
	bool		same = sample->receiveSlot == receiver->receiveSlot;

	sample->rDestroy(sample);
	return same;
}

/* Is it the OID of something that one of core's receivers can have made or opened? */
static bool
is_target(Oid relid)
{
	char		relkind = OidIsValid(relid) ? get_rel_relkind(relid) : '\0';

	return relkind == RELKIND_RELATION || relkind == RELKIND_MATVIEW;
}

/* Open the table that core's receiver writes to, and find out how it does; NULL if that can't be told. */
static Relation
open_table(const DestReceiver *inner, CommandId *cid, int *options)
{
	Oid			relid = InvalidOid;
	Relation	theirs = NULL;
	Relation	rel;
	int			known = TABLE_INSERT_SKIP_FSM;
	Size		space;

	if (!is_core_receiver(inner))
		return NULL;
	space = GetMemoryChunkSpace((void *) inner);
	if (inner->mydest == DestIntoRel && space >= sizeof(IntoReceiver))
	{
		const IntoReceiver *into = (const IntoReceiver *) inner;

		if (into->address.classId == RelationRelationId && into->address.objectSubId == 0)
			relid = into->address.objectId;
		theirs = into->rel;
		*cid = into->cid;
		*options = into->options;
	}
	else if (inner->mydest == DestTransientRel && space >= sizeof(TransientReceiver))
	{
		const TransientReceiver *transient = (const TransientReceiver *) inner;

		relid = transient->relid;
		theirs = transient->rel;
		*cid = transient->cid;
		*options = transient->options;
		known |= TABLE_INSERT_FROZEN;
	}

	if (!is_target(relid) || *cid != GetCurrentCommandId(false) || *options != known)
		return NULL;
	rel = table_open(relid, NoLock);
	if (rel == theirs)
		return rel;
	table_close(rel, NoLock);
	return NULL;
}

/* Write the batch. */
static void
write_batch(BulkReceiver *self)
{
	if (self->batch->n > 0)
		pgml_rowbatch_write(self->batch, self->cid, self->options);
	self->batch->n = 0;
	pgml_batchmemory_reset(self->memory);
}

static void
start_receiver(DestReceiver *receiver, int operation, TupleDesc desc)
{
	BulkReceiver *self = (BulkReceiver *) receiver;
	MemoryContext caller;

	self->inner->rStartup(self->inner, operation, desc);
	self->rel = open_table(self->inner, &self->cid, &self->options);
	if (self->rel == NULL)
		return;

	caller = MemoryContextSwitchTo(self->cxt);
	self->memory = pgml_batchmemory_create();
	self->batch = pgml_rowbatch_create(self->memory, self->rel);
	MemoryContextSwitchTo(caller);
}

static bool
receive_row(TupleTableSlot *row, DestReceiver *receiver)
{
	BulkReceiver *self = (BulkReceiver *) receiver;

	if (self->rel == NULL)
		return self->inner->receiveSlot(row, self->inner);
	pgml_rowbatch_add(self->batch, row);
	if (pgml_batchmemory_full(self->memory))
		write_batch(self);
	return true;
}

static void
shut_receiver(DestReceiver *receiver)
{
	BulkReceiver *self = (BulkReceiver *) receiver;

	if (self->rel != NULL)
	{
		write_batch(self);
		pgml_rowbatch_free(self->batch, self->options);
		pgml_batchmemory_free(self->memory);
		table_close(self->rel, NoLock);
		self->rel = NULL;
	}
	self->inner->rShutdown(self->inner);
}

/* The executor doesn't call this; and core's receiver is not ours. */
static void
destroy_receiver(DestReceiver *receiver)
{
}

/* Is it a statement whose rows go to a new table, and may go there in batches? */
static bool
qualifies(QueryDesc *query)
{
	bool		ours;
	bool		foreign;

	return query->operation == CMD_SELECT && query->dest != NULL &&
		(query->dest->mydest == DestIntoRel || query->dest->mydest == DestTransientRel) &&
		pgml_setting_bulk_insert != PGML_BULK_INSERT_OFF &&
		!pgml_watchful_plan(query->planstate, &ours, &foreign) &&
		(ours || (foreign && pgml_setting_bulk_insert == PGML_BULK_INSERT_ANY_WRAPPER));
}

/* Run the executor, whoever else has something to do with that. */
static void
run_executor_plainly(PGML_EXECUTOR_RUN_ARGS)
{
	if (previous_run != NULL)
		previous_run(PGML_EXECUTOR_RUN_PASS);
	else
		standard_ExecutorRun(PGML_EXECUTOR_RUN_PASS);
}

static void
run_executor(PGML_EXECUTOR_RUN_ARGS)
{
	BulkReceiver receiver = {
		.pub = {
			.receiveSlot = receive_row,
			.rStartup = start_receiver,
			.rShutdown = shut_receiver,
			.rDestroy = destroy_receiver,
		}
	};

	if (!qualifies(queryDesc))
	{
		run_executor_plainly(PGML_EXECUTOR_RUN_PASS);
		return;
	}

	/* an error takes the query with it, so nobody sees our receiver after this */
	receiver.inner = queryDesc->dest;
	receiver.pub.mydest = queryDesc->dest->mydest;
	receiver.cxt = queryDesc->estate->es_query_cxt;
	queryDesc->dest = &receiver.pub;
	run_executor_plainly(PGML_EXECUTOR_RUN_PASS);
	queryDesc->dest = receiver.inner;
}

void
pgml_bulkdest_init(void)
{
	previous_run = ExecutorRun_hook;
	ExecutorRun_hook = run_executor;
}
