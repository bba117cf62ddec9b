/*
 * bulkcopy_feed.c
 *		How do rows that C code has get into a local table as if INSERT had
 *		put them there?
 *
 * By INSERT: privileges, defaults, generated columns, constraints, partitions,
 * triggers, foreign keys and ON CONFLICT are the executor's business, and it
 * knows it best; rows are written in batches where bulkinsert.c allows it.  What it lacks is a row source that streams: a function in FROM
 * is read to its end before its first row is used.
 *
 * So the statement reads from a function that returns nothing, and when its
 * plan has been initialised, the scan of that function, found by its alias, is
 * given another ExecProcNode: one that takes rows from the caller and stores
 * them as virtual tuples.  Everything around it stays as the planner has made it.
 *
 * Feeds may be nested (a trigger on the target runs another): a list, innermost
 * first, says which scan belongs to which.  After an error, a memory context
 * callback takes them off it.
 */
#include "postgres.h"

#include "access/xact.h"
#include "executor/execdesc.h"
#include "executor/executor.h"
#include "lib/stringinfo.h"
#include "nodes/nodeFuncs.h"
#include "tcop/dest.h"
#include "tcop/tcopprot.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/snapmgr.h"

#include "base/compat.h"
#include "exec/bulkinsert.h"
#include "sqlfunc/bulkcopy.h"
#include "sqlfunc/bulkcopy_feed.h"

/* The alias of the function that stands for the feed. */
#define FEED_ALIAS "pgml_feed"

typedef struct Feed Feed;
struct Feed
{
	Feed	   *outer;
	ScanState  *scan;			/* the node that is fed */
	PgmlFeedNext next;
	void	   *arg;
	MemoryContextCallback on_delete;
};

static Feed *feeds = NULL;

/* Take a feed off the list. */
static void
forget_feed(void *arg)
{
	for (Feed **at = &feeds; *at != NULL; at = &(*at)->outer)
	{
		if (*at == arg)
		{
			*at = (*at)->outer;
			return;
		}
	}
}

static TupleTableSlot *
next_row(ScanState *node)
{
	TupleTableSlot *slot = node->ss_ScanTupleSlot;
	Feed	   *feed = feeds;

	while (feed->scan != node)
		feed = feed->outer;
	ExecClearTuple(slot);
	if (feed->next(feed->arg, slot->tts_values, slot->tts_isnull))
		ExecStoreVirtualTuple(slot);
	return slot;
}

static bool
recheck_row(ScanState *node, TupleTableSlot *slot)
{
	return true;
}

static TupleTableSlot *
exec_feed(PlanState *node)
{
	return ExecScan((ScanState *) node, next_row, recheck_row);
}

/* Find the scan of the feed in a plan and put ours in its place. */
static bool
tap(PlanState *node, Feed *feed)
{
	if (IsA(node, FunctionScanState))
	{
		Index		rti = ((Scan *) node->plan)->scanrelid;
		RangeTblEntry *rte = exec_rt_fetch(rti, node->state);

		if (strcmp(rte->eref->aliasname, FEED_ALIAS) == 0)
		{
			feed->scan = (ScanState *) node;
			ExecSetExecProcNode(node, exec_feed);
			return true;
		}
	}
	return planstate_tree_walker(node, tap, feed);
}

void
pgml_feed_append(StringInfo sql, TupleDesc desc)
{
	appendStringInfoString(sql, "pg_catalog.json_to_recordset('[]') AS " FEED_ALIAS " (");
	for (int i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute att = TupleDescAttr(desc, i);

		appendStringInfo(sql, "%s%s %s", i > 0 ? ", " : "", quote_identifier(NameStr(att->attname)),
						 format_type_extended(att->atttypid, att->atttypmod,
											  FORMAT_TYPE_TYPEMOD_GIVEN | FORMAT_TYPE_FORCE_QUALIFY));
	}
	appendStringInfoChar(sql, ')');
}

/* Plan the statement; rules of the target could have made others of it. */
static PlannedStmt *
plan_insert(const char *sql)
{
	List	   *queries = pgml_bulk_analyze(sql);

	if (list_length(queries) != 1 || linitial_node(Query, queries)->commandType != CMD_INSERT)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("cannot copy into a relation that has rules for INSERT")));
	return pg_plan_query(linitial_node(Query, queries), sql, 0, NULL);
}

uint64
pgml_feed_run(const char *insert, PgmlFeedNext next, void *arg)
{
	PlannedStmt *plan;
	QueryDesc  *query;
	Feed	   *feed = palloc0(sizeof(Feed));
	uint64		count;

	PushActiveSnapshot(GetTransactionSnapshot());
	plan = plan_insert(insert);
	CommandCounterIncrement();
	UpdateActiveSnapshotCommandId();
	query = CreateQueryDesc(plan, insert, GetActiveSnapshot(), InvalidSnapshot,
							None_Receiver, NULL, NULL, 0);
	ExecutorStart(query, 0);

	feed->next = next;
	feed->arg = arg;
	if (!tap(query->planstate, feed))
		elog(ERROR, "the plan has no scan to feed");
	feed->outer = feeds;
	feeds = feed;
	feed->on_delete.func = forget_feed;
	feed->on_delete.arg = feed;
	MemoryContextRegisterResetCallback(query->estate->es_query_cxt, &feed->on_delete);

	pgml_bulkinsert_take(query);
	pgml_executor_run(query);
	ExecutorFinish(query);
	count = query->estate->es_processed;
	ExecutorEnd(query);
	FreeQueryDesc(query);
	PopActiveSnapshot();
	CommandCounterIncrement();
	return count;
}
