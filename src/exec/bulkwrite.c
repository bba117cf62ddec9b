/*
 * bulkwrite.c
 *		What has to happen to a row before and after it is written, when rows
 *		are written in batches?
 *
 * A target is a table that takes rows: the table that the statement names, or
 * one of its partitions.  Each has a batch (rowbatch.c); all are written when
 * there are enough rows in all of them together.
 *
 * Before a row is put into its batch, it is checked, and its generated columns are
 * computed.  Once the batch is in the table, index entries are made and AFTER
 * triggers queued for each row, in order.  All of that is core's code, called as the
 * executor calls it.
 *
 * Rows of different targets are written in another order than they came. The
 * order in which triggers of users fire, and that of transition tables, can be
 * seen: with those, a target's rows wait only until the next target's come.
 *
 * A target whose rows can't wait (a BEFORE trigger might look for those before it)
 * gets batches of one row.
 */
#include "postgres.h"

#include "access/tableam.h"
#include "catalog/pg_class.h"
#include "catalog/pg_trigger.h"
#include "commands/trigger.h"
#include "executor/execPartition.h"
#include "executor/executor.h"
#include "executor/nodeModifyTable.h"
#include "foreign/fdwapi.h"
#include "utils/memutils.h"
#include "utils/rel.h"

#include "base/compat.h"
#include "exec/bulkwrite.h"
#include "exec/rowbatch.h"
#include "exec/watchful.h"

/*
 * Partitions that keep their batches when those have been written.  Most
 * loads have few partitions in use at a time; each batch has slots and a pin.
 */
#define MAX_IDLE_TARGETS 32

/* A table that takes rows. */
typedef struct Target
{
	ResultRelInfo *rri;
	PgmlRowBatch *batch;		/* NULL for a foreign table */
	TupleTableSlot *scratch;	/* a row that is changed on its way; made when needed */
	bool		may_wait;
	bool		in_order;		/* rows of others must not overtake its rows */
	bool		fires_before;	/* BEFORE ROW triggers */
	bool		is_checked;		/* something happens to a row before it is written, */
	bool		is_followed;	/* or after */
} Target;

struct PgmlBulkWrite
{
	ModifyTableState *mtstate;
	EState	   *estate;
	ResultRelInfo *root;
	PartitionTupleRouting *routing; /* NULL: the root takes the rows */
	MemoryContext cxt;
	CommandId	cid;
	PgmlBatchMemory *memory;
	List	   *targets;
	Target	   *current;		/* the last row's */
};

/* Has the table triggers of users, or transition tables, that see rows in their order? */
static bool
shows_order(ResultRelInfo *rri, const TransitionCaptureState *capture)
{
	const TriggerDesc *triggers = rri->ri_TrigDesc;

	if (capture != NULL && capture->tcs_insert_new_table)
		return true;
	for (int i = 0; triggers != NULL && i < triggers->numtriggers; i++)
	{
		const Trigger *trigger = &triggers->triggers[i];

		if (!trigger->tgisinternal &&
			TRIGGER_TYPE_MATCHES(trigger->tgtype, TRIGGER_TYPE_ROW,
								 TRIGGER_TYPE_AFTER, TRIGGER_TYPE_INSERT))
			return true;
	}
	return false;
}

/* Has an AFTER ROW trigger a condition, looked at when the row is written, that could look at the table? */
static bool
has_watchful_trigger(const TriggerDesc *triggers)
{
	for (int i = 0; triggers != NULL && i < triggers->numtriggers; i++)
	{
		const Trigger *trigger = &triggers->triggers[i];

		if (trigger->tgqual != NULL &&
			TRIGGER_TYPE_MATCHES(trigger->tgtype, TRIGGER_TYPE_ROW,
								 TRIGGER_TYPE_AFTER, TRIGGER_TYPE_INSERT) &&
			pgml_watchful_expr(stringToNode(trigger->tgqual)))
			return true;
	}
	return false;
}

/* Could a check constraint look at the table? */
static bool
has_watchful_check(TupleDesc desc)
{
	for (int i = 0; desc->constr != NULL && i < desc->constr->num_check; i++)
	{
		if (pgml_watchful_expr(stringToNode(desc->constr->check[i].ccbin)))
			return true;
	}
	return false;
}

bool
pgml_bulkwrite_may_wait(ResultRelInfo *rri)
{
	const TriggerDesc *triggers = rri->ri_TrigDesc;
	ListCell   *lc;

	if (rri->ri_FdwRoutine != NULL)
		return false;
	if (triggers != NULL &&
		(triggers->trig_insert_before_row || triggers->trig_insert_instead_row ||
		 has_watchful_trigger(triggers)))
		return false;
	foreach(lc, rri->ri_WithCheckOptions)
	{
		if (pgml_watchful_expr(lfirst_node(WithCheckOption, lc)->qual))
			return false;
	}
	return !has_watchful_check(RelationGetDescr(rri->ri_RelationDesc));
}

/* The same, without leaving memory behind. */
static bool
may_wait(PgmlBulkWrite *write, ResultRelInfo *rri)
{
	MemoryContext caller = MemoryContextSwitchTo(GetPerTupleMemoryContext(write->estate));
	bool		may = pgml_bulkwrite_may_wait(rri);

	MemoryContextSwitchTo(caller);
	return may;
}

static bool
has_constraints(const TupleConstr *constr)
{
	return constr != NULL &&
		(constr->has_not_null || constr->num_check > 0 || constr->has_generated_stored);
}

/* Make the target of a result relation. */
static Target *
create_target(PgmlBulkWrite *write, ResultRelInfo *rri)
{
	const TransitionCaptureState *capture = write->mtstate->mt_transition_capture;
	MemoryContext caller = MemoryContextSwitchTo(write->cxt);
	Target	   *target = palloc0(sizeof(Target));
	Relation	rel = rri->ri_RelationDesc;

	if (rel->rd_rel->relhasindex && rri->ri_IndexRelationDescs == NULL)
		ExecOpenIndices(rri, false);

	target->rri = rri;
	if (rri->ri_FdwRoutine == NULL)
		target->batch = pgml_rowbatch_create(write->memory, rel);
	target->may_wait = may_wait(write, rri);
	target->in_order = shows_order(rri, capture);
	target->fires_before = rri->ri_TrigDesc != NULL && rri->ri_TrigDesc->trig_insert_before_row;
	target->is_checked = has_constraints(RelationGetDescr(rel)->constr) || target->fires_before ||
		rri->ri_WithCheckOptions != NIL || rri->ri_FdwRoutine != NULL ||
		(rel->rd_rel->relispartition && rri->ri_RootResultRelInfo == NULL);
	target->is_followed = rri->ri_NumIndices > 0 || rri->ri_WithCheckOptions != NIL ||
		capture != NULL ||
		(rri->ri_TrigDesc != NULL && rri->ri_TrigDesc->trig_insert_after_row);

	/* COPY keeps the same kind of thing there, and isn't at work on this one */
	rri->ri_CopyMultiInsertBuffer = (struct CopyMultiInsertBuffer *) target;
	write->targets = lappend(write->targets, target);
	MemoryContextSwitchTo(caller);
	return target;
}

static void
free_target(PgmlBulkWrite *write, Target *target)
{
	target->rri->ri_CopyMultiInsertBuffer = NULL;
	if (target->scratch != NULL)
		ExecDropSingleTupleTableSlot(target->scratch);
	if (target->batch != NULL)
		pgml_rowbatch_free(target->batch, 0);
	write->targets = list_delete_ptr(write->targets, target);
	pfree(target);
}

PgmlBulkWrite *
pgml_bulkwrite_begin(ModifyTableState *mtstate, CommandId cid)
{
	PgmlBulkWrite *write = palloc0(sizeof(PgmlBulkWrite));

	write->mtstate = mtstate;
	write->estate = mtstate->ps.state;
	write->root = mtstate->rootResultRelInfo;
	write->routing = mtstate->mt_partition_tuple_routing;
	write->cxt = CurrentMemoryContext;
	write->cid = cid;
	write->memory = pgml_batchmemory_create();
	if (write->routing == NULL)
		write->current = create_target(write, write->root);
	return write;
}

/*
 * Writing what has been gathered
 */

/* Do what follows when a row is in the table. */
static void
follow_row(PgmlBulkWrite *write, ResultRelInfo *rri, TupleTableSlot *slot)
{
	List	   *recheck = NIL;

	ResetPerTupleExprContext(write->estate);
	if (rri->ri_NumIndices > 0)
		recheck = pgml_insert_index_tuples(rri, slot, write->estate);
	ExecARInsertTriggers(write->estate, rri, slot, recheck,
						 write->mtstate->mt_transition_capture);
	list_free(recheck);
	if (rri->ri_WithCheckOptions != NIL)
		ExecWithCheckOptions(WCO_VIEW_CHECK, rri, slot, write->estate);
}

/* Write the batch of a target. */
static void
write_target(PgmlBulkWrite *write, Target *target)
{
	PgmlRowBatch *batch = target->batch;

	if (batch == NULL || batch->n == 0)
		return;
	pgml_rowbatch_write(batch, write->cid, 0);
	if (target->is_followed)
	{
		for (int i = 0; i < batch->n; i++)
			follow_row(write, target->rri, batch->slots[i]);
	}
	batch->n = 0;
}

/* Write all batches, and let go of targets if there are many. */
static void
write_all(PgmlBulkWrite *write)
{
	ListCell   *lc;

	foreach(lc, write->targets)
		write_target(write, (Target *) lfirst(lc));
	pgml_batchmemory_reset(write->memory);

	while (list_length(write->targets) > MAX_IDLE_TARGETS)
	{
		Target	   *first = (Target *) linitial(write->targets);

		free_target(write, first != write->current ? first : (Target *) lsecond(write->targets));
	}
}

/*
 * Taking rows
 */

/* Find the partition of a row: it becomes current, the row's values come back in its order. */
static TupleTableSlot *
route_row(PgmlBulkWrite *write, TupleTableSlot *row)
{
	ResultRelInfo *rri = ExecFindPartition(write->mtstate, write->root, write->routing,
										   row, write->estate);
	Target	   *target = (Target *) rri->ri_CopyMultiInsertBuffer;
	TupleConversionMap *map;

	if (target == NULL)
		target = create_target(write, rri);
	if (target != write->current)
	{
		if (write->current != NULL && (target->in_order || write->current->in_order))
			write_all(write);
		write->current = target;
	}
	map = pgml_root_to_child_map(rri, write->estate);
	if (map != NULL)
		row = execute_attr_map_slot(map->attrMap, row, rri->ri_PartitionTupleSlot);
	return row;
}

/* Copy a row, but not what its values point to, into a slot in which it may be changed. */
static TupleTableSlot *
use_scratch(PgmlBulkWrite *write, Target *target, TupleTableSlot *row)
{
	TupleTableSlot *scratch = target->scratch;
	int			natts = row->tts_tupleDescriptor->natts;

	if (scratch == NULL)
	{
		MemoryContext caller = MemoryContextSwitchTo(write->cxt);
		Relation	rel = target->rri->ri_RelationDesc;

		scratch = target->scratch =
			MakeSingleTupleTableSlot(CreateTupleDescCopyConstr(RelationGetDescr(rel)),
									 target->batch != NULL ? &TTSOpsVirtual :
									 table_slot_callbacks(rel));
		MemoryContextSwitchTo(caller);
	}
	slot_getallattrs(row);
	ExecClearTuple(scratch);
	memcpy(scratch->tts_values, row->tts_values, natts * sizeof(Datum));
	memcpy(scratch->tts_isnull, row->tts_isnull, natts * sizeof(bool));
	return ExecStoreVirtualTuple(scratch);
}

/*
 * Do all that comes before a row is written, except routing.  Returns the row,
 * perhaps changed; NULL if a trigger doesn't want it.
 */
static TupleTableSlot *
prepare_row(PgmlBulkWrite *write, Target *target, TupleTableSlot *row)
{
	ResultRelInfo *rri = target->rri;
	Relation	rel = rri->ri_RelationDesc;
	TupleConstr *constr = RelationGetDescr(rel)->constr;
	bool		generated = constr != NULL && constr->has_generated_stored;

	if (target->fires_before || generated || rri->ri_FdwRoutine != NULL)
		row = use_scratch(write, target, row);
	row->tts_tableOid = RelationGetRelid(rel);

	if (target->fires_before && !ExecBRInsertTriggers(write->estate, rri, row))
		return NULL;
	if (generated)
		ExecComputeStoredGenerated(rri, write->estate, row, CMD_INSERT);
	if (rri->ri_FdwRoutine != NULL)
		return row;

	if (rri->ri_WithCheckOptions != NIL)
		ExecWithCheckOptions(WCO_RLS_INSERT_CHECK, rri, row, write->estate);
	if (constr != NULL)
		ExecConstraints(rri, row, write->estate);
	if (rel->rd_rel->relispartition &&
		(rri->ri_RootResultRelInfo == NULL || target->fires_before))
		ExecPartitionCheck(rri, row, write->estate, true);
	return row;
}

/* Hand a row to a foreign partition. */
static bool
put_foreign(PgmlBulkWrite *write, ResultRelInfo *rri, TupleTableSlot *row)
{
	row = rri->ri_FdwRoutine->ExecForeignInsert(write->estate, rri, row, NULL);
	if (row == NULL)
		return false;
	row->tts_tableOid = RelationGetRelid(rri->ri_RelationDesc);
	ExecARInsertTriggers(write->estate, rri, row, NIL, write->mtstate->mt_transition_capture);
	return true;
}

bool
pgml_bulkwrite_put(PgmlBulkWrite *write, TupleTableSlot *row)
{
	Target	   *target;

	ResetPerTupleExprContext(write->estate);
	if (write->routing != NULL)
		row = route_row(write, row);
	target = write->current;

	if (unlikely(!target->may_wait))
		write_all(write);
	if (target->is_checked)
	{
		row = prepare_row(write, target, row);
		if (row == NULL)
			return false;
	}
	if (unlikely(target->batch == NULL))
		return put_foreign(write, target->rri, row);

	pgml_rowbatch_add(target->batch, row);
	if (unlikely(!target->may_wait) || pgml_batchmemory_full(write->memory))
		write_all(write);
	return true;
}

void
pgml_bulkwrite_end(PgmlBulkWrite *write)
{
	write_all(write);
	while (write->targets != NIL)
		free_target(write, (Target *) linitial(write->targets));
	pgml_batchmemory_free(write->memory);
	pfree(write);
}
