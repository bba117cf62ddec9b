/*
 * copyin.c
 *		Rows into the remote: COPY ... FROM STDIN as a stream of the connection.
 *
 * The caller hands over bytes in the format of its COPY, whole rows at a time,
 * and nothing here looks into them.  Each call waits until libpq has passed on
 * what it was given before, so that never more than one piece lies in its
 * buffer: in non-blocking mode libpq moves what a write to the socket has left
 * over to the front of that buffer, again and again if it is a large one.
 *
 * Errors.  A remote that has met an error says so at once, and then reads and
 * drops whatever still comes, to the end of the COPY.  libpq keeps such
 * a word to itself until the COPY has been ended.  So before each piece the socket is
 * asked whether something has come that isn't a notice; if so the COPY is
 * ended, and its result tells.  Should it be no error after all, the caller is
 * told that the COPY is over, and starts another one.  (libpq may take in the
 * word while it writes, in the moment between our look and the next.  Then the
 * error is found at the end.)
 *
 * A local error in the middle leaves the wire as it is; pgml_command_settle
 * cancels the COPY and fails it, whatever state it is in.  Messages of the
 * protocol are handed to libpq as wholes, so they are always in step.
 */
#include "postgres.h"

#include "access/xact.h"
#include "miscadmin.h"
#include "storage/latch.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "base/stats.h"
#include "remote/readonly.h"
#include "remote/wire.h"

/*
 * The largest CopyData message.  What the kernel takes at once is about as
 * much, so that libpq seldom has to move a rest.
 */
#define PGML_COPY_PIECE (256 * 1024)

void
pgml_copyin_start(PgmlConn *conn, PgmlOccupant *occupant, const char *sql, int level)
{
	pgml_copyin_withdraw(conn, occupant);
	pgml_wire_prepare_copyin(conn, level);
	pgml_readonly_other_command(conn);
	pgml_command_mark_write(conn);
	pgml_wire_send_simple(conn, sql, PGML_WIRE_COPY_IN);
	conn->wire_level = level;
	conn->occupant = occupant;
}

/* Wait until the remote is ready to take rows. */
static void
await_ready(PgmlConn *conn)
{
	PGresult   *res;

	pgml_wire_next(conn, 0, &res);
	if (res == NULL || PQresultStatus(res) != PGRES_COPY_IN || conn->sent != NIL)
	{
		conn->occupant = NULL;
		pgml_wire_throw(conn, res);
	}
	PQclear(res);
	conn->copying = true;
}

/* Take in what the remote has said; false: it was no more than notices. */
static bool
hear(PgmlConn *conn)
{
	uint32		notices = conn->notices;

	if (!PQconsumeInput(conn->pg))
		return true;

	/* lets libpq take notices from its buffer */
	(void) PQputCopyData(conn->pg, "", 0);
	return conn->notices == notices;
}

/* Wait until everything that libpq has is on its way; true if the remote has something to say. */
static bool
flush_or_hear(PgmlConn *conn)
{
	bool		heard = pgml_wire_is_readable(conn) && hear(conn);

	while (PQflush(conn->pg) > 0)
	{
		pgml_wire_wait(PQsocket(conn->pg), WL_SOCKET_READABLE | WL_SOCKET_WRITEABLE, 0);
		if (pgml_wire_is_readable(conn) && hear(conn))
			heard = true;
	}
	return heard;
}

/* Read the results of a COPY that has been ended; throws if it has failed. */
static uint64
receive_count(PgmlConn *conn)
{
	uint64		count = 0;
	PGresult   *res;

	while (pgml_wire_next(conn, 0, &res) && res != NULL)
	{
		if (!pgml_wire_ok(res))
			pgml_wire_throw(conn, res);
		count = strtoull(PQcmdTuples(res), NULL, 10);
		PQclear(res);
	}
	return count;
}

uint64
pgml_copyin_finish(PgmlConn *conn)
{
	uint64		count;

	Assert(conn->wire == PGML_WIRE_COPY_IN);
	if (!conn->copying)
		await_ready(conn);
	if (PQputCopyEnd(conn->pg, NULL) < 0)
		pgml_wire_throw(conn, NULL);

	/* another COPY would be one too many; the occupant stays: it can name the row of an error */
	conn->wire = PGML_WIRE_COMMAND;
	conn->copying = false;
	conn->unawaited = true;
	pgml_stats.messages++;
	if (!pgml_wire_flush(conn, 0))
		pgml_wire_throw(conn, NULL);
	count = receive_count(conn);
	conn->occupant = NULL;
	return count;
}

bool
pgml_copyin_put(PgmlConn *conn, const char *data, Size len)
{
	if (conn->wire != PGML_WIRE_COPY_IN)
		elog(ERROR, "no COPY is open on server \"%s\"", conn->name);
	if (!conn->copying)
		await_ready(conn);
	if (flush_or_hear(conn))
		return false;

	for (;;)
	{
		int			piece = (int) Min(len, PGML_COPY_PIECE);

		CHECK_FOR_INTERRUPTS();
		if (PQputCopyData(conn->pg, data, piece) <= 0)
			pgml_wire_throw(conn, NULL);
		pgml_stats.bytes_out += piece;
		data += piece;
		len -= piece;
		if (len == 0)
			return true;

		/* in the middle of a row; what the remote says is heard later */
		(void) flush_or_hear(conn);
	}
}

void
pgml_copyin_announce(PgmlConn *conn, PgmlOccupant *occupant)
{
	MemoryContext old = MemoryContextSwitchTo(conn->cxt);

	conn->waiting = list_append_unique_ptr(conn->waiting, occupant);
	MemoryContextSwitchTo(old);
}

void
pgml_copyin_withdraw(PgmlConn *conn, PgmlOccupant *occupant)
{
	conn->waiting = list_delete_ptr(conn->waiting, occupant);
}
