/*
 * scan_async.c
 *		Foreign scans that run at the same time.
 *
 * Question answered: how do scans of several servers wait together, so that the
 * remotes work at the same time?  Core's Append asks each of them for a row; who
 * has none says so (pending), and all that are pending are waited for by one set
 * of sockets.
 *
 * The trap: a socket says that bytes have come, not that rows are there.  libpq
 * takes in more than a row, and what it has (or what TLS has decrypted) no socket
 * announces any more.  So a scan is pending only after the source has said that
 * nothing is left, neither here nor in libpq, and once more it is asked right
 * before the wait, since in between somebody may have put its stream aside, to where
 * no socket leads.
 *
 * A connection carries one stream.  Of the scans of one Append that share one,
 * the first to come streams, and the others stand in line: pending, without a socket.
 * They could take the wire, but then the rest of the first stream would have to be put
 * aside.  When a stream ends, the next in line is sent at once, so that the remote
 * isn't idle while rows of other servers are read.
 *
 * Why nobody in line can wait for ever: he waits only for a stream of the very same
 * Append that is being read: its request is pending, or answered.  (A rescan resets the
 * requests, and may leave out scans whose streams are still there.)  Any other stream
 * he does put aside.
 *
 * Core's MergeAppend knows nothing of all this: it asks for the first row of each scan in turn,
 * which comes when the remote has sorted all of them.  So when the first of such scans is started,
 * the others are sent along with it, if their connections are idle; their rows wait
 * in the sockets.  All of them would be started anyway.
 */
#include "postgres.h"

#include "executor/execAsync.h"
#include "executor/executor.h"
#include "executor/instrument.h"
#include "miscadmin.h"
#include "storage/latch.h"

#include "base/compat.h"
#include "exec/scan.h"
#include "exec/scan_state.h"

/* The scans that wait for a connection, of all Appends, first come first. */
static dlist_head line = DLIST_STATIC_INIT(line);

/* The scans of MergeAppends that haven't been started. */
static dlist_head merged = DLIST_STATIC_INIT(merged);

static void
leave_line(PgmlScanRun *scan)
{
	if (scan->request != NULL)
		dlist_delete(&scan->line);
	scan->request = NULL;
}

/* It isn't to be sent along with others any more. */
static void
leave_merge(PgmlScanRun *scan)
{
	if (scan->merged != NULL)
		dlist_delete(&scan->merge);
	scan->merged = NULL;
}

/* Callback: the scan's memory goes away. */
static void
forget_scan(void *arg)
{
	leave_line((PgmlScanRun *) arg);
	leave_merge((PgmlScanRun *) arg);
}

void
pgml_scan_introduce(ForeignScanState *node)
{
	PgmlScanRun *scan = (PgmlScanRun *) node->fdw_state;

	if (!node->ss.ps.async_capable && scan->plan->parent_distance == 0)
		return;
	scan->on_delete.func = forget_scan;
	scan->on_delete.arg = scan;
	MemoryContextRegisterResetCallback(CurrentMemoryContext, &scan->on_delete);
	if (scan->plan->parent_distance > 0)
	{
		scan->merged = node;
		dlist_push_tail(&merged, &scan->merge);
	}
}

void
pgml_scan_leave_others(PgmlScanRun *scan)
{
	leave_line(scan);
	leave_merge(scan);
}

/* Are both merged by the same node? */
static bool
are_merged(const PgmlScanRun *a, const PgmlScanRun *b)
{
	int			first_of_a = bms_next_member(pgml_scan_relids((ForeignScan *) a->merged->ss.ps.plan), -1);
	int			first_of_b = bms_next_member(pgml_scan_relids((ForeignScan *) b->merged->ss.ps.plan), -1);

	return a->merged->ss.ps.state == b->merged->ss.ps.state &&
		first_of_a - a->plan->parent_distance == first_of_b - b->plan->parent_distance;
}

void
pgml_scan_send_others(ForeignScanState *node)
{
	PgmlScanRun *scan = (PgmlScanRun *) node->fdw_state;
	dlist_mutable_iter iter;

	if (scan->merged == NULL)
		return;
	dlist_foreach_modify(iter, &merged)
	{
		PgmlScanRun *other = dlist_container(PgmlScanRun, merge, iter.cur);
		ForeignScanState *other_node = other->merged;

		if (other == scan || !are_merged(scan, other))
			continue;
		leave_merge(other);
		if (other->conn != scan->conn && pgml_source_is_wire_idle(other->source))
			pgml_scan_send(other_node, NULL);
	}
	leave_merge(scan);
}

/* Stand in line until the stream on the connection has ended. */
static void
enter_line(PgmlScanRun *scan, AsyncRequest *areq)
{
	if (scan->request != NULL)
		return;
	scan->request = areq;
	dlist_push_tail(&line, &scan->line);
}

void
pgml_scan_leave_line(PgmlScanRun *scan)
{
	leave_line(scan);
	scan->in_wait = false;
	pgml_source_stop(scan->source);
}

/* Does the connection carry a stream that the same Append will read to its end? */
static bool
must_wait(PgmlScanRun *scan, AsyncRequest *areq)
{
	const AsyncRequest *rival = (const AsyncRequest *) pgml_source_rival(scan->source);

	return rival != NULL && rival != areq && rival->requestor == areq->requestor &&
		(rival->callback_pending || rival->request_complete);
}

/* Send the query if the connection is free for it; false: the scan stands in line. */
static bool
try_send(ForeignScanState *node, AsyncRequest *areq)
{
	PgmlScanRun *scan = (PgmlScanRun *) node->fdw_state;

	if (must_wait(scan, areq))
	{
		enter_line(scan, areq);
		return false;
	}
	leave_line(scan);
	pgml_scan_send(node, areq);
	return true;
}

/* A stream has ended: whose turn is it? */
static void
send_next(PgmlConn *conn, PlanState *requestor)
{
	dlist_iter	iter;

	dlist_foreach(iter, &line)
	{
		PgmlScanRun *scan = dlist_container(PgmlScanRun, line, iter.cur);

		if (scan->conn == conn && scan->request->requestor == requestor)
		{
			(void) try_send(castNode(ForeignScanState, scan->request->requestee), scan->request);
			return;
		}
	}
}

/* Note that the wait for our socket is over. */
static void
end_wait(PgmlScanRun *scan)
{
	instr_time	now;

	if (!scan->in_wait)
		return;
	scan->in_wait = false;
	INSTR_TIME_SET_CURRENT(now);
	INSTR_TIME_SUBTRACT(now, scan->wait_start);
	pgml_source_usage(scan->source)->waited_ms += INSTR_TIME_GET_MILLISEC(now);
}

/*
 * Answer the request with a row that passes the node's conditions, with the end of the
 * scan, or by saying that it is pending.
 */
static void
answer(AsyncRequest *areq)
{
	ForeignScanState *node = castNode(ForeignScanState, areq->requestee);
	PgmlScanRun *scan = (PgmlScanRun *) node->fdw_state;
	TupleTableSlot *row;

	/* instrumentation is the caller's: hence not ExecProcNode */
	scan->waits = false;
	row = node->ss.ps.ExecProcNodeReal(&node->ss.ps);
	if (!TupIsNull(row))
		ExecAsyncRequestDone(areq, row);
	else if (scan->waits)
		ExecAsyncRequestPending(areq);
	else
	{
		ExecAsyncRequestDone(areq, NULL);
		send_next(scan->conn, areq->requestor);
	}
}

void
pgmlForeignAsyncRequest(AsyncRequest *areq)
{
	ForeignScanState *node = castNode(ForeignScanState, areq->requestee);
	PgmlScanRun *scan = (PgmlScanRun *) node->fdw_state;

	if (scan->started || try_send(node, areq))
		answer(areq);
	else
		ExecAsyncRequestPending(areq);
}

/*
 * Does the Append wait for our socket already?  For a scan that has asked it to, a moment ago, and
 * whose stream was put aside since, by a function that another scan has called: so that the
 * connection is ours now.
 */
static bool
is_awaited(const AsyncRequest *areq, const PgmlScanRun *scan)
{
	AppendState *append = castNode(AppendState, areq->requestor);

	for (int i = 0; i < areq->request_index; i++)
	{
		const AsyncRequest *other = append->as_asyncrequests[i];
		const ForeignScanState *node;

		if (other == NULL || !other->callback_pending || !IsA(other->requestee, ForeignScanState))
			continue;
		node = (const ForeignScanState *) other->requestee;
		if (node->fdwroutine->ForeignAsyncNotify == pgmlForeignAsyncNotify &&
			((PgmlScanRun *) node->fdw_state)->in_wait &&
			((PgmlScanRun *) node->fdw_state)->conn == scan->conn)
			return true;
	}
	return false;
}

/*
 * Does the Append wait only because it is going to be rescanned?  Newer minor versions let
 * all requests that are pending come to an end before, but have forgotten the rows that were
 * there: whose stream is in our way isn't asked for more.
 */
static bool
is_rescanned(const PgmlScanRun *scan, const AsyncRequest *areq)
{
	const AppendState *append = castNode(AppendState, areq->requestor);
	const AsyncRequest *rival = (const AsyncRequest *) pgml_source_rival(scan->source);

	return rival->request_complete && !bms_is_member(rival->request_index, append->as_needrequest);
}

/* Answer that there is nothing more, to be rid of a request of which nothing is wanted. */
static void
dismiss(PgmlScanRun *scan, AsyncRequest *areq)
{
	leave_line(scan);
	areq->callback_pending = false;
	ExecAsyncRequestDone(areq, NULL);
	ExecAsyncResponse(areq);
}

/*
 * Add the socket to what the Append waits for; or answer at once, and see to it that the
 * wait is over before it has begun.
 */
void
pgmlForeignAsyncConfigureWait(AsyncRequest *areq)
{
	ForeignScanState *node = castNode(ForeignScanState, areq->requestee);
	PgmlScanRun *scan = (PgmlScanRun *) node->fdw_state;

	if (!scan->started && !try_send(node, areq))
	{
		if (is_rescanned(scan, areq))
			dismiss(scan, areq);
		return;
	}

	areq->callback_pending = false;
	answer(areq);
	if (areq->request_complete)
	{
		end_wait(scan);
		ExecAsyncResponse(areq);
		if (node->ss.ps.instrument)
			InstrUpdateTupleCount(node->ss.ps.instrument, TupIsNull(areq->result) ? 0.0 : 1.0);
		SetLatch(MyLatch);
		return;
	}

	/* the other one can answer, if he is asked again */
	if (is_awaited(areq, scan))
	{
		SetLatch(MyLatch);
		return;
	}
	if (!scan->in_wait)
		INSTR_TIME_SET_CURRENT(scan->wait_start);
	scan->in_wait = true;
	AddWaitEventToSet(castNode(AppendState, areq->requestor)->as_eventset, WL_SOCKET_READABLE,
					  pgml_source_socket(scan->source), NULL, areq);
}

/* Something has come. */
void
pgmlForeignAsyncNotify(AsyncRequest *areq)
{
	end_wait((PgmlScanRun *) castNode(ForeignScanState, areq->requestee)->fdw_state);
	answer(areq);
}
