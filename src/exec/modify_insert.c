/*
 * modify_insert.c
 *		Inserts rows into foreign tables: INSERT, COPY FROM, and rows that are
 *		routed to a foreign partition.
 *
 * All of them end in a sink (row/sink.h), a COPY or INSERT statements of many
 * rows.  How many rows core gathers before it calls us is decided here;
 * one at a time where each row's fate must be known before the next one, and
 * where the sink gathers by itself.
 *
 * A volatile function that looks at the table in the middle of the statement must find the
 * rows that core has gathered; a stable one must not find what has been sent, and nor
 * must a scan that begins later than that.  Where there may be such readers
 * (watchful.c) the rows wait in a queue (modify_queue.c), which knows who must see them.
 *
 * INSERT has been planned; the other two arrive here without a word from the
 * planner, so the statement is built when they begin.
 */
#include "postgres.h"

#include "access/sysattr.h"
#include "executor/executor.h"
#include "foreign/foreign.h"
#include "optimizer/optimizer.h"
#include "rewrite/rewriteHandler.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"

#include "base/compat.h"
#include "base/option.h"
#include "exec/modify.h"
#include "exec/modify_state.h"
#include "exec/scan_state.h"
#include "exec/watchful.h"
#include "remote/command.h"
#include "remote/conncache.h"

/*
 * Rows that core gathers for us where the user has not set batch_size.  300,000
 * rows of five columns took, in batches of 1 / 10 / 100 / 500 / 1000 / 10,000, 37 / 4.0
 * / 2.5 / 1.9 / 1.5 / 1.6 seconds; core keeps them all in memory.
 */
#define DEFAULT_BATCH_SIZE 500

static void
open_sink(PgmlModify *modify, ModifyTableState *mtstate, Relation rel)
{
	modify->sink = pgml_sink_create(modify->conn, &modify->plan->insert,
									RelationGetDescr(rel));
	modify->input = outerPlanState(mtstate);
}

/* Does it send its rows without waiting for what becomes of each? */
static inline bool
streams(const PgmlModify *modify)
{
	return pgml_sink_kind(modify->sink) == PGML_SINK_COPY;
}

/* How many rows may one INSERT statement have? */
static int
rows_of_statement(Relation rel, int ncols)
{
	PgmlOptions *options = pgml_options_of_table(RelationGetRelid(rel));
	int			size = options->batch_size_set ? options->batch_size : DEFAULT_BATCH_SIZE;

	return Max(Min(size, pgml_sink_max_rows(ncols)), 1);
}

/* Is each row looked at here, before or after it has been inserted? */
static bool
looks_at_rows(ModifyTable *plan, Relation rel)
{
	TriggerDesc *triggers = rel->trigdesc;

	return plan->returningLists != NIL || plan->withCheckOptionLists != NIL ||
		(triggers && (triggers->trig_insert_before_row || triggers->trig_insert_after_row));
}

void
pgml_modify_begin_insert(PgmlModify *modify, ModifyTableState *mtstate, ResultRelInfo *rri)
{
	Relation	rel = rri->ri_RelationDesc;
	PlanState  *source = outerPlanState(mtstate);

	if (!looks_at_rows((ModifyTable *) mtstate->ps.plan, rel) &&
		mtstate->mt_transition_capture == NULL &&
		(pgml_plan_scans_later(source, modify->conn->serverid) || pgml_plan_calls_out(source)))
		modify->queue = pgml_queue_create_insert(modify->plan, modify->conn, mtstate, rri,
												 rows_of_statement(rel, modify->plan->insert.ncols));
	else
		open_sink(modify, mtstate, rel);
}

/*
 * To be called before rows that haven't waited in a queue are given to the sink.  Before
 * the first ones, the queries of all scans of the statement are sent: one that is started later, as
 * that of the next partition is, would find rows that this very statement has inserted.
 */
static void
before_put(PgmlModify *modify)
{
	PlanState  *input = modify->input;

	modify->input = NULL;
	if (input != NULL)
		pgml_scan_send_all(input, modify->conn);
}

/* Insert some rows; returns how many of them the remote has taken. */
static int
put_rows(PgmlModify *modify, TupleTableSlot **slots, int nslots, PgmlResult **returned)
{
	uint64		inserted;

	before_put(modify);
	inserted = pgml_sink_put(modify->sink, slots, nslots, returned);

	/* a rule there may count other rows than ours; the executor has only nslots */
	return (int) Min(inserted, (uint64) nslots);
}

TupleTableSlot *
pgmlExecForeignInsert(EState *estate, ResultRelInfo *rri,
					  TupleTableSlot *slot, TupleTableSlot *planSlot)
{
	PgmlModify *modify = (PgmlModify *) rri->ri_FdwState;
	PgmlResult *res = NULL;
	MemoryContext caller;

	if (modify->queue != NULL)
	{
		pgml_queue_put_new(modify->queue, slot);
		return NULL;
	}
	if (streams(modify))
	{
		before_put(modify);
		(void) pgml_sink_put(modify->sink, &slot, 1, NULL);
		return slot;
	}

	MemoryContextReset(modify->call_cxt);
	caller = MemoryContextSwitchTo(modify->call_cxt);
	if (put_rows(modify, &slot, 1, modify->returned ? &res : NULL) == 0)
		slot = NULL;
	else
		slot = pgml_modify_take_result(modify, res, slot);
	MemoryContextSwitchTo(caller);
	return slot;
}

TupleTableSlot **
pgmlExecForeignBatchInsert(EState *estate, ResultRelInfo *rri, TupleTableSlot **slots,
						   TupleTableSlot **planSlots, int *numSlots)
{
	PgmlModify *modify = (PgmlModify *) rri->ri_FdwState;
	MemoryContext caller;

	MemoryContextReset(modify->call_cxt);
	caller = MemoryContextSwitchTo(modify->call_cxt);
	*numSlots = put_rows(modify, slots, *numSlots, NULL);
	MemoryContextSwitchTo(caller);
	return slots;
}

/*
 * Say how many rows core may gather.  One, where something here looks at each
 * inserted row: RETURNING, WITH CHECK OPTION, AFTER triggers; or may look at the
 * table between two rows: BEFORE triggers.  One also for a table without
 * columns, of which a statement can insert only one row.
 */
int
pgmlGetForeignModifyBatchSize(ResultRelInfo *rri)
{
	PgmlModify *modify = (PgmlModify *) rri->ri_FdwState;
	TriggerDesc *triggers = rri->ri_TrigDesc;

	if (rri->ri_projectReturning || rri->ri_WithCheckOptions != NIL ||
		(triggers && (triggers->trig_insert_before_row || triggers->trig_insert_after_row)))
		return 1;

	/* EXPLAIN asks too, without a statement having begun */
	if (modify == NULL)
		return rows_of_statement(rri->ri_RelationDesc,
								 list_length(pgml_stored_columns(rri->ri_RelationDesc)));
	if (modify->queue != NULL)
		return 1;
	if (pgml_sink_appetite(modify->sink) > 0)
		return pgml_sink_appetite(modify->sink);
	return rows_of_statement(rri->ri_RelationDesc, modify->plan->insert.ncols);
}

/*
 * List the attributes of a routed row that must come back: those which
 * RETURNING or a view's check looks at, or all for a trigger.  Vars of the row
 * bear the number of the table that the statement names first, unless the
 * partition has one of its own.
 */
static List *
returned_attributes(ModifyTableState *mtstate, ResultRelInfo *rri)
{
	Relation	rel = rri->ri_RelationDesc;
	TupleDesc	desc = RelationGetDescr(rel);
	Index		rti = rri->ri_RangeTableIndex;
	Bitmapset  *used = NULL;
	List	   *attrs = NIL;

	if (rri->ri_TrigDesc && rri->ri_TrigDesc->trig_insert_after_row)
		return pgml_stored_columns(rel);

	if (rti == 0)
		rti = mtstate->resultRelInfo[0].ri_RangeTableIndex;
	pull_varattnos((Node *) rri->ri_returningList, rti, &used);
	pull_varattnos((Node *) rri->ri_WithCheckOptions, rti, &used);
	if (bms_is_member(InvalidAttrNumber - FirstLowInvalidHeapAttributeNumber, used))
		return pgml_stored_columns(rel);

	for (int attnum = 1; attnum <= desc->natts; attnum++)
	{
		if (bms_is_member(attnum - FirstLowInvalidHeapAttributeNumber, used))
			attrs = lappend_int(attrs, attnum);
	}
	if (bms_is_member(SelfItemPointerAttributeNumber - FirstLowInvalidHeapAttributeNumber, used))
		attrs = lappend_int(attrs, SelfItemPointerAttributeNumber);
	return attrs;
}

/*
 * List the attributes of a routed or copied row that are sent: those that the
 * statement sets, those that have a default in the table that it names, and
 * generated ones.  All, where the row comes from an UPDATE, where a local
 * trigger may set any, or where the user wants that.
 */
static List *
sent_attributes(ModifyTableState *mtstate, ResultRelInfo *rri, const PgmlOptions *options)
{
	ModifyTable *plan = (ModifyTable *) mtstate->ps.plan;	/* NULL in COPY */
	Relation	rel = rri->ri_RelationDesc;
	Relation	named = rri->ri_RootResultRelInfo ? rri->ri_RootResultRelInfo->ri_RelationDesc : rel;
	List	   *attrs = pgml_stored_columns(rel);
	Bitmapset  *inserted;
	ListCell   *lc;

	if (!options->remote_defaults || (plan && plan->operation != CMD_INSERT) ||
		(rri->ri_TrigDesc && rri->ri_TrigDesc->trig_insert_before_row))
		return attrs;

	inserted = ExecGetInsertedCols(rri, mtstate->ps.state);
	foreach(lc, attrs)
	{
		Form_pg_attribute attr = TupleDescAttr(RelationGetDescr(rel), lfirst_int(lc) - 1);
		AttrNumber	named_attnum = get_attnum(RelationGetRelid(named), NameStr(attr->attname));

		if (attr->attgenerated == '\0' &&
			!bms_is_member(attr->attnum - FirstLowInvalidHeapAttributeNumber, inserted) &&
			(named_attnum == InvalidAttrNumber || build_column_default(named, named_attnum) == NULL))
			attrs = foreach_delete_current(attrs, lc);
	}
	return attrs;
}

/*
 * What COPY says about identity columns without a word: it fills those that INSERT refuses.  The
 * remote's INSERT has a word for that since there are such columns.  May connect.
 */
static OverridingKind
overriding_of_copy(ModifyTableState *mtstate, ResultRelInfo *rri)
{
	ForeignTable *table = GetForeignTable(RelationGetRelid(rri->ri_RelationDesc));
	PgmlConn   *conn = pgml_conncache_get_for(table->serverid,
											  pgml_modify_userid(rri, mtstate->ps.state));

	pgml_connection_ensure(conn);
	return conn->caps.server_version >= 100000 ? OVERRIDING_SYSTEM_VALUE : OVERRIDING_NOT_SET;
}

void
pgmlBeginForeignInsert(ModifyTableState *mtstate, ResultRelInfo *rri)
{
	ModifyTable *plan = (ModifyTable *) mtstate->ps.plan;	/* NULL in COPY */
	Relation	rel = rri->ri_RelationDesc;
	PgmlOptions *options = pgml_options_of_table(RelationGetRelid(rel));
	PgmlModifyPlan *insert;
	PgmlModify *modify;

	/*
	 * An UPDATE that moves rows into a table which it also updates: the scan of
	 * that table, as it proceeds, might find them there and change them again.
	 */
	if (plan && plan->operation == CMD_UPDATE &&
		(rri->ri_usesFdwDirectModify || rri->ri_FdwState))
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("cannot move rows into foreign table \"%s\" that the same command updates",
						RelationGetRelationName(rel)),
				 errhint("Restrict the UPDATE to the partitions that rows are moved from.")));

	insert = pgml_planinfo_insert(rel, options, sent_attributes(mtstate, rri, options),
								  plan ? OVERRIDING_NOT_SET : overriding_of_copy(mtstate, rri),
								  plan && plan->onConflictAction == ONCONFLICT_NOTHING,
								  returned_attributes(mtstate, rri),
								  plan ? outerPlan(plan)->plan_rows : -1);
	modify = pgml_modify_create(insert, mtstate->ps.state, rri);
	open_sink(modify, mtstate, rel);
	rri->ri_FdwState = modify;
}

void
pgmlEndForeignInsert(EState *estate, ResultRelInfo *rri)
{
	pgmlEndForeignModify(estate, rri);
}
