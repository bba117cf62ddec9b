/*
 * scan_state.h
 *		A foreign scan in execution: what the files of scans share.
 */
#ifndef PGML_EXEC_SCAN_STATE_H
#define PGML_EXEC_SCAN_STATE_H

#include "postgres.h"
#include "lib/ilist.h"
#include "nodes/execnodes.h"

#include "exec/arguments.h"
#include "exec/rowslot.h"
#include "plan/planinfo.h"
#include "row/source.h"

typedef struct PgmlScanRun
{
	PgmlScanPlan *plan;
	PgmlConn   *conn;
	PgmlSource *source;
	PgmlRowSlot *row;
	List	   *states;			/* int: columns that are states of aggregates; see exec/aggstate.h */
	bool		started;		/* since the last rescan */
	List	   *exprs;			/* ExprStates of the parameters */
	PgmlArguments *args;
	const Datum *keys;			/* values of the parameters in plan->keys; NULL: none have come */

	/* of one that runs at the same time as others; scan_async.c's */
	MemoryContextCallback on_delete;	/* leaves the lists below */
	bool		waits;			/* the next row has not come yet */
	AsyncRequest *request;		/* NULL: it doesn't stand in line */
	dlist_node	line;			/* of those who wait for a connection */
	bool		in_wait;		/* the Append waits for our socket, */
	instr_time	wait_start;		/* since then */
	ForeignScanState *merged;	/* NULL: it isn't merged, or has been started once */
	dlist_node	merge;			/* of those that wait for their first start */
} PgmlScanRun;

/*
 * Send the query of a scan without waiting for an answer, in the place of its start; reader as
 * in row/source.h.
 */
extern void pgml_scan_send(ForeignScanState *node, const void *reader);

/*
 * Send the queries of all scans below a node that use the connection and haven't been started, so
 * that they don't see what is written from now on.  Those whose parameters aren't known yet are left out.
 */
extern void pgml_scan_send_all(PlanState *state, PgmlConn *conn);

/* Leave the line for a connection, and those that are merged: the scan's query is about to be sent. */
extern void pgml_scan_leave_others(PgmlScanRun *scan);

/* A scan begins: note it, if others may have to do with it. */
extern void pgml_scan_introduce(ForeignScanState *node);

/* A scan is about to be started, and waited for: start those that will be merged with it. */
extern void pgml_scan_send_others(ForeignScanState *node);

/* Leave the line for a connection, and end what has been sent; the scan may be started again. */
extern void pgml_scan_leave_line(PgmlScanRun *scan);

#endif							/* PGML_EXEC_SCAN_STATE_H */
