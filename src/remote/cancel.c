/*
 * cancel.c
 *		Asking the remote to give up what it does, within a time limit.
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

#ifdef LIBPQ_HAS_ASYNC_CANCEL

void
pgml_wire_cancel(PgmlConn *conn, TimestampTz deadline)
{
	PGcancelConn *cancel = PQcancelCreate(conn->pg);
	PostgresPollingStatusType status = PGRES_POLLING_WRITING;

	pgml_stats.cancelled++;
	if (cancel == NULL)
		return;
	ReserveExternalFD();
	if (PQcancelStart(cancel))
	{
		while (status != PGRES_POLLING_OK && status != PGRES_POLLING_FAILED)
		{
			if (!pgml_wire_wait(PQcancelSocket(cancel),
								status == PGRES_POLLING_READING ? WL_SOCKET_READABLE : WL_SOCKET_WRITEABLE,
								deadline))
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
	char		unused;

	while (read(pipe_end, &unused, 1) != 0)
		if (!pgml_wire_wait(pipe_end, WL_SOCKET_READABLE, deadline))
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
