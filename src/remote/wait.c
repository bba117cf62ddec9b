/*
 * wait.c
 *		Every wait for the remote.
 *
 * A wait is on the process latch and the socket, so that a cancel, a timeout or
 * the end of the postmaster is heard.  There are two kinds.  With deadline 0 an
 * interrupt is thrown; with another one nothing is ever thrown, and who waits is
 * told when the time is over: that is for the end of transactions.
 *
 * What a stream waits is written on the account of whoever reads it (PgmlUsage), if
 * there is one; EXPLAIN shows it.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "pgstat.h"
#include "portability/instr_time.h"
#include "storage/ipc.h"
#include "storage/latch.h"
#include "utils/timestamp.h"

#include "remote/wire.h"

/* Until then a cancel ends no wait that has a deadline. */
static TimestampTz undisturbed_until = 0;

void
pgml_wire_undisturbed(int ms)
{
	undisturbed_until = ms > 0 ? TimestampTzPlusMilliseconds(GetCurrentTimestamp(), ms) : 0;
}

bool
pgml_wire_time_left(TimestampTz deadline, long *timeout)
{
	*timeout = -1;
	if (deadline == 0)
		return true;
	if (QueryCancelPending)
		deadline = Min(deadline, undisturbed_until);
	*timeout = TimestampDifferenceMilliseconds(GetCurrentTimestamp(), deadline);
	return *timeout > 0 && !ProcDiePending;
}

uint32
pgml_wire_wait_event(PgmlWaitFor what)
{
	static const char *const names[] = {
		[PGML_WAIT_CONNECT] = "PgmlFdwConnect",
		[PGML_WAIT_SEND] = "PgmlFdwSend",
		[PGML_WAIT_RECEIVE] = "PgmlFdwReceive"
	};
	static uint32 events[lengthof(names)];

	if (events[what] == 0)
		events[what] = pgml_new_wait_event(names[what]);
	return events[what];
}

/* The latch has been set: by whom, if anybody wants to know. */
static void
hear_latch(TimestampTz deadline)
{
	ResetLatch(MyLatch);
	if (deadline == 0)
		CHECK_FOR_INTERRUPTS();
}

/* Wait for a socket so many ms (-1: without end). */
static void
wait_socket(int socket, int events, long timeout, TimestampTz deadline)
{
	int			happened;

	if (timeout >= 0)
		events |= WL_TIMEOUT;
	happened = WaitLatchOrSocket(MyLatch, WL_LATCH_SET | WL_EXIT_ON_PM_DEATH | events,
								 socket, timeout,
								 pgml_wire_wait_event(events & WL_SOCKET_WRITEABLE ? PGML_WAIT_SEND :
													  PGML_WAIT_RECEIVE));
	if (happened & WL_LATCH_SET)
		hear_latch(deadline);
}

bool
pgml_wire_wait(int socket, int events, TimestampTz deadline)
{
	long		timeout;

	if (!pgml_wire_time_left(deadline, &timeout))
		return false;
	wait_socket(socket, events, timeout, deadline);
	return true;
}

bool
pgml_wire_wait_out(int socket, int events, TimestampTz deadline)
{
	long		timeout = TimestampDifferenceMilliseconds(GetCurrentTimestamp(), deadline);

	if (timeout <= 0)
		return false;
	wait_socket(socket, events, timeout, deadline);
	return true;
}

/*
 * Make the set of what we wait for when we read from the remote.  Made once per
 * network connection: to make one takes longer than a short wait.
 */
static void
make_wait_set(PgmlConn *conn)
{
	int			socket = PQsocket(conn->pg);

	/* one that is there is not of this socket, or was never finished */
	pgml_connection_free_waits(conn);
	conn->waits = pgml_create_wait_set(conn->cxt, 3);
	AddWaitEventToSet(conn->waits, WL_SOCKET_READABLE, socket, NULL, NULL);
	AddWaitEventToSet(conn->waits, WL_LATCH_SET, PGINVALID_SOCKET, MyLatch, NULL);
	AddWaitEventToSet(conn->waits, WL_EXIT_ON_PM_DEATH, PGINVALID_SOCKET, NULL, NULL);
	conn->waits_on = socket;
}

/* Wait until the remote has sent something, the latch is set, or timeout ms have passed (-1: none). */
static bool
wait_input(PgmlConn *conn, long timeout, TimestampTz deadline)
{
	WaitEvent	event;

	/* of dblink's there may be many, and a set takes a file descriptor: only for a stream */
	if (conn->enlist == NULL && conn->occupant == NULL)
	{
		int			happened = WaitLatchOrSocket(MyLatch, WL_LATCH_SET | WL_EXIT_ON_PM_DEATH |
												 WL_SOCKET_READABLE | (timeout >= 0 ? WL_TIMEOUT : 0),
												 PQsocket(conn->pg), timeout,
												 pgml_wire_wait_event(PGML_WAIT_RECEIVE));

		if (happened & WL_LATCH_SET)
			hear_latch(deadline);
		return (happened & WL_SOCKET_READABLE) != 0;
	}
	if (conn->waits == NULL || conn->waits_on != PQsocket(conn->pg))
		make_wait_set(conn);
	if (WaitEventSetWait(conn->waits, timeout, &event, 1, pgml_wire_wait_event(PGML_WAIT_RECEIVE)) == 0)
		return false;
	if (event.events & WL_LATCH_SET)
		hear_latch(deadline);
	return (event.events & WL_SOCKET_READABLE) != 0;
}

bool
pgml_wire_await_input(PgmlConn *conn, long timeout, TimestampTz deadline)
{
	PgmlUsage  *usage = conn->occupant != NULL ? conn->occupant->usage : NULL;
	instr_time	start;
	instr_time	end;
	bool		readable;

	if (usage == NULL)
		return wait_input(conn, timeout, deadline);
	INSTR_TIME_SET_CURRENT(start);
	readable = wait_input(conn, timeout, deadline);
	INSTR_TIME_SET_CURRENT(end);
	INSTR_TIME_SUBTRACT(end, start);
	usage->waited_ms += INSTR_TIME_GET_MILLISEC(end);
	return readable;
}

bool
pgml_wire_flush(PgmlConn *conn, TimestampTz deadline)
{
	for (;;)
	{
		int			left = PQflush(conn->pg);

		if (left <= 0)
			return left == 0;
		if (!pgml_wire_wait(PQsocket(conn->pg), WL_SOCKET_READABLE | WL_SOCKET_WRITEABLE, deadline))
			return false;

		/* the remote may be stuck because it wants to be read first */
		if (!PQconsumeInput(conn->pg))
			return false;
	}
}

bool
pgml_wire_has_input(PgmlConn *conn, int wait_ms)
{
	return pgml_wire_await_input(conn, wait_ms, 0) && PQconsumeInput(conn->pg);
}

bool
pgml_wire_is_readable(PgmlConn *conn)
{
	return pgml_wire_await_input(conn, 0, 0);
}

/*
 * The set is made anew each time: who waits for several has nothing to do, and the set
 * of a connection, which is kept, knows only its own socket.
 */
void
pgml_stream_await_any(const int *sockets, int n)
{
	WaitEventSet *set = pgml_create_wait_set(CurrentMemoryContext, n + 2);
	WaitEvent	event;
	int			happened;

	AddWaitEventToSet(set, WL_LATCH_SET, PGINVALID_SOCKET, MyLatch, NULL);
	AddWaitEventToSet(set, WL_EXIT_ON_PM_DEATH, PGINVALID_SOCKET, NULL, NULL);
	for (int i = 0; i < n; i++)
		AddWaitEventToSet(set, WL_SOCKET_READABLE, sockets[i], NULL, NULL);
	happened = WaitEventSetWait(set, -1, &event, 1, pgml_wire_wait_event(PGML_WAIT_RECEIVE));

	/* an interrupt would leave it behind */
	FreeWaitEventSet(set);
	if (happened > 0 && (event.events & WL_LATCH_SET))
		hear_latch(0);
}
