/*
 * modify.c
 *		Changes the rows of foreign tables that the executor hands over: UPDATE
 *		and DELETE; and what INSERT (modify_insert.c) has in common with them.
 *		TRUNCATE is here too.
 *
 * Rows are changed in batches when the scan has ended (modify_queue.c), unless
 * something here wants to know what became of each row: then one by one.
 *
 * A row that is to be changed is named by the ctid and the tableoid that the
 * scan has brought along: on a partitioned or inherited remote table a ctid
 * alone names a row in each partition.  A row of a view has neither; there the
 * user may say that a key names it.  No two keys of a statement are the same
 * (rowkeys.c), and the remote must change at most one row for each.  Where a join with
 * other rows says by key which rows are meant, there may be no scan at all
 * (plan/joined.c): then the remote changes what has one of the keys.
 *
 * The remote has the last word.  A row that it has not changed, because it is
 * gone or a trigger there said no, doesn't count and has no RETURNING; a row
 * that it has changed more than one of is an error, since nothing that we
 * know would be right then.
 */
#include "postgres.h"

#include "access/table.h"
#include "catalog/pg_type_d.h"
#include "executor/executor.h"
#include "utils/datum.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"

#include "base/compat.h"
#include "base/option.h"
#include "exec/modify.h"
#include "exec/modify_state.h"
#include "query/deparse.h"
#include "remote/command.h"
#include "remote/conncache.h"

PgmlModify *
pgml_modify_create(PgmlModifyPlan *plan, EState *estate, ResultRelInfo *rri)
{
	PgmlModify *modify = palloc0(sizeof(PgmlModify));
	Relation	rel = rri->ri_RelationDesc;
	ForeignTable *table = GetForeignTable(RelationGetRelid(rel));

	modify->plan = plan;
	modify->conn = pgml_conncache_get_for(table->serverid,
										  pgml_modify_userid(rri, estate));
	pgml_queue_apply_for(modify->conn, estate);
	modify->call_cxt = AllocSetContextCreate(CurrentMemoryContext, "pgml_fdw modify",
											 ALLOCSET_DEFAULT_SIZES);
	if (plan->returning != NIL)
		modify->returned = pgml_rowslot_create_list(RelationGetDescr(rel), plan->returning);
	return modify;
}

/* Find a junk column that the planner has added to the subplan's rows. */
static AttrNumber
find_junk(Plan *subplan, const char *name)
{
	AttrNumber	attno = ExecFindJunkAttributeInTlist(subplan->targetlist, name);

	if (!AttributeNumberIsValid(attno))
		elog(ERROR, "could not find junk column %s", name);
	return attno;
}

/* Prepare to name rows by ctid and tableoid; returns how many parameters that takes. */
static int
init_ctid(PgmlModify *modify, Plan *subplan, Oid *types)
{
	modify->row_attnos = list_make2_int(find_junk(subplan, PGML_JUNK_CTID),
										find_junk(subplan, PGML_JUNK_TABLEOID));
	types[0] = TIDOID;
	types[1] = OIDOID;
	return 2;
}

/*
 * The same by key.  If there is a scan, it doesn't lock rows, so its snapshot must last until
 * they are changed: the remote transaction counts as one that writes from now on.
 */
static int
init_keys(PgmlModify *modify, Plan *subplan, Relation rel, Oid *types)
{
	List	   *keys = modify->plan->keys;
	ListCell   *lc;

	foreach(lc, keys)
	{
		Form_pg_attribute attr = TupleDescAttr(RelationGetDescr(rel), lfirst_int(lc) - 1);

		modify->row_attnos = lappend_int(modify->row_attnos,
										 find_junk(subplan, pgml_planinfo_key_junk(attr)));
		types[foreach_current_index(lc)] = attr->atttypid;
	}
	if (modify->plan->by_join)
	{
		if (modify->plan->keys_repeat)
			modify->keys = pgml_rowkeys_create(rel, keys, false);
		return list_length(keys);
	}
	modify->keys = pgml_rowkeys_create(rel, keys, true);
	modify->check_keys = modify->plan->operation == CMD_UPDATE && rel->trigdesc != NULL &&
		rel->trigdesc->trig_update_before_row;
	pgml_command_mark_write(modify->conn);
	return list_length(keys);
}

/* Prepare for UPDATE and DELETE: where the parameters come from. */
static void
init_row_statement(PgmlModify *modify, Plan *subplan, Relation rel)
{
	TupleDesc	desc = RelationGetDescr(rel);
	Oid		   *types = palloc(sizeof(Oid) * (2 * desc->natts + 2));
	int			n;
	ListCell   *lc;

	if (modify->plan->keys != NIL)
		n = init_keys(modify, subplan, rel, types);
	else
		n = init_ctid(modify, subplan, types);

	foreach(lc, modify->plan->targetattrs)
	{
		Form_pg_attribute attr = TupleDescAttr(desc, lfirst_int(lc) - 1);

		/* the remote computes generated columns itself */
		if (attr->attgenerated)
			continue;
		modify->value_attrs = lappend_int(modify->value_attrs, attr->attnum);
		types[n++] = attr->atttypid;
	}
	modify->args = pgml_arguments_create(n, types, false);
}

void
pgmlBeginForeignModify(ModifyTableState *mtstate, ResultRelInfo *rri,
					   List *packed, int subplan_index, int eflags)
{
	PgmlModify *modify;

	if (eflags & EXEC_FLAG_EXPLAIN_ONLY)
		return;

	modify = pgml_modify_create(pgml_planinfo_unpack_modify(packed),
								mtstate->ps.state, rri);
	if (modify->plan->operation == CMD_INSERT)
		pgml_modify_begin_insert(modify, mtstate, rri);
	else
		init_row_statement(modify, outerPlanState(mtstate)->plan, rri->ri_RelationDesc);
	if (modify->plan->batch_prefix != NULL && mtstate->mt_transition_capture == NULL)
		modify->queue = pgml_queue_create(modify->plan, modify->conn, mtstate, rri,
										  modify->value_attrs);
	rri->ri_FdwState = modify;
}

/* Throw if a local trigger has changed the key of a row. */
static void
check_key(PgmlModify *modify, Relation rel, TupleTableSlot *slot)
{
	ListCell   *lc;

	foreach(lc, modify->plan->keys)
	{
		Form_pg_attribute attr = TupleDescAttr(RelationGetDescr(rel), lfirst_int(lc) - 1);
		bool		isnull;
		Datum		value = slot_getattr(slot, attr->attnum, &isnull);

		if (isnull || !datum_image_eq(value, modify->args->datums[foreach_current_index(lc)],
									  attr->attbyval, attr->attlen))
			ereport(ERROR,
					(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
					 errmsg("cannot update key column \"%s\" of foreign table \"%s\"",
							NameStr(attr->attname), RelationGetRelationName(rel)),
					 errdetail("A trigger has changed the key that names the row.")));
	}
}

/*
 * Fill the parameters that name a row from the junk columns of the subplan's row.
 * False: the statement has changed that row already, or there is none with a null in the
 * join's key; only keys tell so.
 */
static bool
name_row(PgmlModify *modify, Relation rel, TupleTableSlot *slot, TupleTableSlot *plan_slot)
{
	PgmlArguments *args = modify->args;
	ListCell   *lc;

	foreach(lc, modify->row_attnos)
	{
		int			param = foreach_current_index(lc);

		args->datums[param] = slot_getattr(plan_slot, lfirst_int(lc), &args->nulls[param]);
		if (args->nulls[param] && modify->plan->by_join)
			return false;
		if (args->nulls[param] && modify->keys == NULL)
			elog(ERROR, "a row to be changed has no ctid or tableoid");
	}
	if (modify->keys == NULL)
		return true;
	if (!pgml_rowkeys_add(modify->keys, args->datums, args->nulls))
		return false;
	if (modify->check_keys)
		check_key(modify, rel, slot);
	return true;
}

TupleTableSlot *
pgml_modify_take_result(PgmlModify *modify, PgmlResult *res, TupleTableSlot *slot)
{
	PgmlRowSlot *row = modify->returned;

	if (row == NULL)
		return slot;
	if (pgml_result_ncols(res) != list_length(modify->plan->returning))
		ereport(ERROR,
				(errcode(ERRCODE_FDW_INVALID_COLUMN_NUMBER),
				 errmsg("remote server \"%s\" returned %d columns instead of %d",
						modify->conn->name, pgml_result_ncols(res),
						list_length(modify->plan->returning))));
	pgml_codec_decode_text_result(row->codec, res, 0, row->values, row->nulls);
	pgml_rowslot_store_tuple(row, slot);
	return slot;
}

/* Throw for a statement that has changed several rows in the place of one. */
static void
throw_several(PgmlModify *modify, uint64 changed)
{
	bool		by_key = modify->keys != NULL;

	ereport(ERROR,
			(errcode(by_key ? ERRCODE_CARDINALITY_VIOLATION : ERRCODE_FDW_ERROR),
			 errmsg("remote server \"%s\" changed " UINT64_FORMAT " rows instead of one",
					modify->conn->name, changed),
			 by_key ? errdetail("Several rows have the same key there.") :
			 errdetail("Several rows have the same ctid and tableoid there."),
			 errcontext("remote SQL command: %s", modify->plan->sql)));
}

/*
 * Run the statement for one row, which has been named; slot has the new values
 * (UPDATE), and takes what RETURNING brings.
 */
static TupleTableSlot *
change_row(PgmlModify *modify, TupleTableSlot *slot)
{
	PgmlModifyPlan *plan = modify->plan;
	PgmlArguments *args = modify->args;
	PgmlResult *res;
	uint64		changed;
	ListCell   *lc;

	foreach(lc, modify->value_attrs)
	{
		int			param = list_length(modify->row_attnos) + foreach_current_index(lc);

		args->datums[param] = slot_getattr(slot, lfirst_int(lc), &args->nulls[param]);
	}

	pgml_command_mark_write(modify->conn);
	if (modify->statement == NULL)
	{
		char	   *name = pgml_command_prepare(modify->conn, plan->sql, args->n, NULL);

		modify->statement = MemoryContextStrdup(GetMemoryChunkContext(modify), name);
	}
	res = pgml_command_run_prepared(modify->conn, modify->statement, plan->sql,
									pgml_arguments_print(args));

	changed = modify->returned ? (uint64) pgml_result_nrows(res) : pgml_result_affected(res);
	if (changed > 1)
		throw_several(modify, changed);
	if (changed == 0)
		return NULL;
	return pgml_modify_take_result(modify, res, slot);
}

/*
 * Free the target's old row.  Core takes it out of a junk column, as a copy where that has a short
 * header (a join stores it so), which stays until the end of the statement, one for each
 * row.  Of a row that is queued nobody looks at it again.
 */
static void
free_old_row(ResultRelInfo *rri, TupleTableSlot *planSlot)
{
	TupleTableSlot *slot = rri->ri_oldTupleSlot;
	HeapTupleHeader copy;
	Datum		row;
	bool		isnull;

	if (!AttributeNumberIsValid(rri->ri_RowIdAttNo) || slot == NULL || TTS_EMPTY(slot) ||
		!TTS_IS_HEAPTUPLE(slot) || TTS_SHOULDFREE(slot))
		return;
	row = ExecGetJunkAttribute(planSlot, rri->ri_RowIdAttNo, &isnull);
	if (isnull || !VARATT_IS_EXTENDED(DatumGetPointer(row)))
		return;
	copy = ((HeapTupleTableSlot *) slot)->tuple->t_data;
	ExecClearTuple(slot);
	pfree(copy);
}

TupleTableSlot *
pgmlExecForeignUpdate(EState *estate, ResultRelInfo *rri,
					  TupleTableSlot *slot, TupleTableSlot *planSlot)
{
	PgmlModify *modify = (PgmlModify *) rri->ri_FdwState;
	MemoryContext caller;

	MemoryContextReset(modify->call_cxt);
	caller = MemoryContextSwitchTo(modify->call_cxt);
	if (!name_row(modify, rri->ri_RelationDesc, slot, planSlot))
		slot = NULL;
	else if (modify->queue != NULL)
	{
		pgml_queue_put(modify->queue, modify->args->datums, modify->args->nulls, slot);
		free_old_row(rri, planSlot);
		slot = NULL;
	}
	else
		slot = change_row(modify, slot);
	MemoryContextSwitchTo(caller);
	return slot;
}

/* A DELETE is an UPDATE without values; slot is empty, for RETURNING. */
TupleTableSlot *
pgmlExecForeignDelete(EState *estate, ResultRelInfo *rri,
					  TupleTableSlot *slot, TupleTableSlot *planSlot)
{
	return pgmlExecForeignUpdate(estate, rri, slot, planSlot);
}

void
pgmlEndForeignModify(EState *estate, ResultRelInfo *rri)
{
	PgmlModify *modify = (PgmlModify *) rri->ri_FdwState;

	if (modify == NULL)
		return;
	if (modify->sink)
		pgml_sink_close(modify->sink);
	if (modify->queue)
		pgml_queue_close(modify->queue);
	if (modify->statement)
		pgml_command_unprepare(modify->conn, modify->statement);
	rri->ri_FdwState = NULL;
}

/* Tell which commands may change the table: all, or none if it is not updatable. */
int
pgmlIsForeignRelUpdatable(Relation rel)
{
	PgmlOptions *options = pgml_options_of_table(RelationGetRelid(rel));

	if (!options->updatable)
		return 0;
	return (1 << CMD_INSERT) | (1 << CMD_UPDATE) | (1 << CMD_DELETE);
}

/* Truncate tables, which core has grouped by server, in one command. */
void
pgmlExecForeignTruncate(List *rels, DropBehavior behavior, bool restart_seqs)
{
	List	   *relids = NIL;
	Oid			serverid = InvalidOid;
	PgmlConn   *conn;
	ListCell   *lc;

	foreach(lc, rels)
	{
		Relation	rel = (Relation) lfirst(lc);
		PgmlOptions *options = pgml_options_of_table(RelationGetRelid(rel));

		if (!options->truncatable)
			ereport(ERROR,
					(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
					 errmsg("foreign table \"%s\" does not allow truncates",
							RelationGetRelationName(rel))));
		serverid = options->serverid;
		relids = lappend_oid(relids, RelationGetRelid(rel));
	}

	conn = pgml_conncache_get_for(serverid, GetUserId());
	pgml_queue_apply_all(conn);
	pgml_command_mark_write(conn);
	pgml_result_free(pgml_command_run(conn, pgml_deparse_truncate(relids, behavior,
																  restart_seqs)));
}
