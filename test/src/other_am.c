/*
 * other_am.c
 *		A table access method that is heap under another name, for the test of
 *		what happens to tables that aren't heaps.  It tells how many rows come at
 *		a time.
 */
#include "postgres.h"

#include "access/heapam.h"
#include "access/tableam.h"
#include "catalog/pg_am_d.h"
#include "fmgr.h"

PG_MODULE_MAGIC;
PG_FUNCTION_INFO_V1(other_am_handler);

static void
multi_insert(Relation rel, TupleTableSlot **slots, int nslots, CommandId cid, int options,
			 struct BulkInsertStateData *bistate)
{
	ereport(NOTICE, (errmsg("%d rows for %s", nslots, RelationGetRelationName(rel))));
	heap_multi_insert(rel, slots, nslots, cid, options, bistate);
}

static void
finish_bulk_insert(Relation rel, int options)
{
	ereport(NOTICE, (errmsg("no more rows for %s", RelationGetRelationName(rel))));
}

/* What is too large goes to a heap. */
static Oid
relation_toast_am(Relation rel)
{
	return HEAP_TABLE_AM_OID;
}

/* An index is made while the table is empty: heap's function would insist on a heap. */
static double
index_build_range_scan(Relation rel, Relation index, struct IndexInfo *info, bool allow_sync,
					   bool anyvisible, bool progress, BlockNumber start, BlockNumber nblocks,
					   IndexBuildCallback callback, void *state, TableScanDesc scan)
{
	return 0;
}

Datum
other_am_handler(PG_FUNCTION_ARGS)
{
	static TableAmRoutine routine;

	routine = *GetHeapamTableAmRoutine();
	routine.multi_insert = multi_insert;
	routine.finish_bulk_insert = finish_bulk_insert;
	routine.relation_toast_am = relation_toast_am;
	routine.index_build_range_scan = index_build_range_scan;
	PG_RETURN_POINTER(&routine);
}
