/*
 * cancel.c
 *		Asking the remote to give up what it does, within a time limit, and
 *		reading what it still says.
 *
 * A cancel request travels over a connection of its own, and the network that
 * keeps us waiting may swallow that too: so no step of it may block for longer
 * than the caller allows, and none may throw, since transactions are aborted
 * with it.
 *
 * From libpq 17 on that is libpq's own asynchronous way, encrypted as the
 * connection itself is.  Before, libpq has only a call that blocks, unencrypted,
 * until the remote has closed the connection, and it alone knows the key that
 * the request must have.  The call may be made where hardly anything else may,
 * in signal handlers; so it is made in a forked child, which does nothing else
 * and is killed when the time is over.
 *
 * A request that is given up before it has left does nothing.  So who is told once
 * more to stop still waits for it, though not for long.
 */
#include "postgres.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "storage/fd.h"
#include "storage/latch.h"
#include "utils/timestamp.h"

#include "base/stats.h"
#include "remote/wire.h"

/* How long the backend, when it is told to stop, waits for a request to get out. */
#define CANCEL_HASTE_MS 1000

static TimestampTz
after(int ms)
{
	return TimestampTzPlusMilliseconds(GetCurrentTimestamp(), ms);
}

/* Wait for a request's socket until the deadline; haste, an earlier one, is for a backend that is told to stop. */
static bool
wait_request(int socket, int events, TimestampTz haste, TimestampTz deadline)
{
	return pgml_wire_wait(socket, events, deadline) ||
		pgml_wire_wait_out(socket, events, Min(haste, deadline));
}

#ifdef LIBPQ_HAS_ASYNC_CANCEL

void
pgml_wire_cancel(PgmlConn *conn, TimestampTz deadline)
{
	PGcancelConn *cancel = PQcancelCreate(conn->pg);
	PostgresPollingStatusType status = PGRES_POLLING_WRITING;
	TimestampTz haste = after(CANCEL_HASTE_MS);

	pgml_stats.cancelled++;
	if (cancel == NULL)
		return;
	ReserveExternalFD();
	if (PQcancelStart(cancel))
	{
		while (status != PGRES_POLLING_OK && status != PGRES_POLLING_FAILED)
		{
			if (!wait_request(PQcancelSocket(cancel),
							  status == PGRES_POLLING_READING ? WL_SOCKET_READABLE : WL_SOCKET_WRITEABLE,
							  haste, deadline))
				break;
			status = PQcancelPoll(cancel);
		}
	}
	PQcancelFinish(cancel);
	ReleaseExternalFD();
}

#else

/* If all else fails, among it our parent, the child ends by itself after this. */
#define PGML_CHILD_SECONDS 60

/* What the child does: nothing that isn't allowed in a signal handler. */
static void
run_child(PGcancel *cancel)
{
	char		error[256];
	sigset_t	alarm_only;

	signal(SIGALRM, SIG_DFL);
	sigemptyset(&alarm_only);
	sigaddset(&alarm_only, SIGALRM);
	sigprocmask(SIG_UNBLOCK, &alarm_only, NULL);
	alarm(PGML_CHILD_SECONDS);
	PQcancel(cancel, error, sizeof(error));
	_exit(0);
}

/* Fork a child that runs none of our signal handlers. */
static pid_t
fork_child(PGcancel *cancel)
{
	sigset_t	all;
	sigset_t	old;
	pid_t		child;

	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &old);
	child = fork();
	if (child == 0)
		run_child(cancel);
	sigprocmask(SIG_SETMASK, &old, NULL);
	return child;
}

/*
 * Wait until the child has ended, or end it.  The child holds the other end of
 * a pipe into which nothing is ever written.
 */
static void
finish_child(pid_t child, int pipe_end, TimestampTz deadline)
{
	TimestampTz haste = after(CANCEL_HASTE_MS);
	char		unused;

	while (read(pipe_end, &unused, 1) != 0)
		if (!wait_request(pipe_end, WL_SOCKET_READABLE, haste, deadline))
			break;
	kill(child, SIGKILL);
	while (waitpid(child, NULL, 0) < 0 && errno == EINTR)
		;
}

void
pgml_wire_cancel(PgmlConn *conn, TimestampTz deadline)
{
	PGcancel   *cancel = PQgetCancel(conn->pg);
	int			ends[2];
	pid_t		child;

	pgml_stats.cancelled++;
	if (cancel == NULL)
		return;
	if (pipe(ends) == 0)
	{
		ReserveExternalFD();
		fcntl(ends[0], F_SETFL, O_NONBLOCK);
		child = fork_child(cancel);
		close(ends[1]);
		if (child > 0)
			finish_child(child, ends[0], deadline);
		close(ends[0]);
		ReleaseExternalFD();
	}
	PQfreeCancel(cancel);
}

#endif

/* Read and throw away the rest of a COPY. */
static bool
discard_copy(PgmlConn *conn, TimestampTz deadline)
{
	int			len;

	while ((len = pgml_wire_try_copy(conn)) >= 0)
	{
		if (len > 0)
			continue;
		if (!pgml_wire_wait(PQsocket(conn->pg), WL_SOCKET_READABLE, deadline) ||
			!PQconsumeInput(conn->pg))
			return false;
	}
	conn->copying = false;
	return true;
}

/* Read what is on the wire to its end, never throws; false: it has none before the deadline. */
static bool
discard_message(PgmlConn *conn, TimestampTz deadline)
{
	PGresult   *res;

	while (pgml_wire_flush(conn, deadline) && pgml_wire_next(conn, deadline, &res))
	{
		ExecStatusType status = PQresultStatus(res);

		if (res == NULL)
			return PQstatus(conn->pg) == CONNECTION_OK;
		PQclear(res);
		if (status == PGRES_COPY_BOTH ||
			(status == PGRES_COPY_OUT && !discard_copy(conn, deadline)))
			return false;
		if (status == PGRES_COPY_IN)
			PQputCopyEnd(conn->pg, "cancelled");
	}
	return false;
}

/*
 * A cancel request can get lost without a trace, and is sent again if nothing
 * has come of it for so long.  On a network so slow that it hasn't left by
 * then, the next one needs more time: each is given twice that of the one before.
 */
#define CANCEL_AGAIN_MS 1000

/* If a request has taken all its time, it may have had an effect: a moment to see it. */
#define CANCEL_EFFECT_MS 50

bool
pgml_command_settle(PgmlConn *conn, TimestampTz deadline)
{
	int			patience = CANCEL_AGAIN_MS;
	TimestampTz until;

	conn->occupant = NULL;
	if (!conn->established || PQstatus(conn->pg) != CONNECTION_OK)
		return false;
	if (conn->wire == PGML_WIRE_IDLE)
		return true;

	do
	{
		until = Min(after(patience), deadline);
		pgml_wire_cancel(conn, until);
		until = Min(Max(until, after(CANCEL_EFFECT_MS)), deadline);
		if (discard_message(conn, until))
			return true;
		patience *= 2;
	} while (until < deadline && PQstatus(conn->pg) == CONNECTION_OK &&
			 GetCurrentTimestamp() >= until);
	return false;
}
