/*
 * wire.h
 *		Sending messages and receiving results, for the floor "remote" only.
 *
 * A message is what goes out in one flush: the queued steps of the connection
 * and one command, as one simple query or as one libpq pipeline.  Its results
 * come back in order; those of the steps are accounted for here and never
 * seen by callers.
 */
#ifndef PGML_REMOTE_WIRE_H
#define PGML_REMOTE_WIRE_H

#include "postgres.h"
#include "datatype/timestamp.h"

#include "base/compat.h"
#include "remote/libpq.h"
#include "remote/command.h"
#include "remote/connection.h"

/* How long we wait for the remote to put itself in order after a cancel or abort. */
#define PGML_CLEANUP_TIMEOUT_MS 30000

/*
 * The same where nothing but the connection itself is to be saved, since the
 * local transaction is over anyway: long enough for the three round trips of a
 * cancel and a ROLLBACK by satellite, short enough for a user who wants out.
 */
#define PGML_ABORT_TIMEOUT_MS 3000

/* The savepoint below a stream. */
#define PGML_GUARD "pgml_stream"
#define PGML_BACK_TO_GUARD "ROLLBACK TO SAVEPOINT " PGML_GUARD "; RELEASE SAVEPOINT " PGML_GUARD

/*
 * Make the connection ready for a new message: wire free, connected, steps
 * queued that the local transaction demands.  Throws.
 */
extern void pgml_wire_prepare(PgmlConn *conn);

/*
 * The same for a COPY that brings rows of a local nest level; other rows that
 * wait to be sent may do so for longer.
 */
extern void pgml_wire_prepare_copyin(PgmlConn *conn, int level);

/*
 * Mark the wire as busy with a message that is about to be handed to libpq.
 * The parts below do it themselves.
 */
extern void pgml_wire_begin(PgmlConn *conn, const char *sql, PgmlWire wire, bool pipelined);

/* What others see while we wait (pg_stat_activity.wait_event, from 17 on by these names). */
typedef enum PgmlWaitFor
{
	PGML_WAIT_CONNECT,
	PGML_WAIT_SEND,
	PGML_WAIT_RECEIVE
} PgmlWaitFor;

extern uint32 pgml_wire_wait_event(PgmlWaitFor what);

/*
 * Wait for a socket's events (WL_SOCKET_...), maybe returning early.  deadline
 * 0: interruptibly, throws; else never throws and returns false when it has
 * passed or the backend is told to stop.
 */
extern bool pgml_wire_wait(int socket, int events, TimestampTz deadline);

/* The same, never throws, but goes on though the backend is told to stop. */
extern bool pgml_wire_wait_out(int socket, int events, TimestampTz deadline);

/*
 * For so many ms from now, or until it is called with 0, waits that have a deadline go
 * on though there is a cancel; not though the session is ended.
 */
extern void pgml_wire_undisturbed(int ms);

/* Turn a deadline (0: none) into the timeout of one wait (-1: none); false: there is no time left. */
extern bool pgml_wire_time_left(TimestampTz deadline, long *timeout);

/*
 * Wait until the remote has sent something, the latch is set, or timeout ms have
 * passed (-1: none); true: it has.
 */
extern bool pgml_wire_await_input(PgmlConn *conn, long timeout, TimestampTz deadline);

/*
 * Hand everything in libpq's output buffer to the kernel; false: the
 * connection is broken or the deadline has passed (0: waits interruptibly).
 */
extern bool pgml_wire_flush(PgmlConn *conn, TimestampTz deadline);

/* Send a simple query behind the queued steps; doesn't wait for an answer. */
extern void pgml_wire_send_simple(PgmlConn *conn, const char *sql, PgmlWire wire);

/*
 * Send one statement by the extended protocol behind the queued steps; name
 * NULL: unprepared.  sql NULL: just the steps.  For wire PGML_WIRE_ROWS the
 * rows come in binary form, few at a time.
 */
extern void pgml_wire_send_extended(PgmlConn *conn, const char *name, const char *sql,
									const PgmlParams *params, PgmlWire wire);

/*
 * The same in parts, for several statements: _open hands libpq the queued steps,
 * _add a statement, _close sends all of it.  _push sends what there is, and has the
 * remote answer it at once, while more may be added.
 */
extern void pgml_wire_open_pipeline(PgmlConn *conn, const char *sql, PgmlWire wire);
extern void pgml_wire_add_statement(PgmlConn *conn, const char *name, const char *sql,
									const PgmlParams *params);
extern void pgml_wire_push_pipeline(PgmlConn *conn);
extern void pgml_wire_close_pipeline(PgmlConn *conn);

/*
 * Receive the next result of the message; NULL at its end, when the wire is
 * idle.  With deadline 0 it waits interruptibly and throws when interrupted,
 * else it never throws and returns false if the answer has not come in time.
 * Errors of the remote are returned as results.  A message to which more could be
 * added is closed first.
 */
extern bool pgml_wire_next(PgmlConn *conn, TimestampTz deadline, PGresult **res);

/* The same, but leave the message as it is; only while there are answers to come. */
extern bool pgml_wire_next_of_open(PgmlConn *conn, TimestampTz deadline, PGresult **res);

/* Keep the start of a command for error messages. */
extern void pgml_wire_remember(PgmlConn *conn, const char *sql);

/*
 * Has the next result come, so that pgml_wire_next needn't wait?  Takes in what has
 * arrived, and never waits.
 */
extern bool pgml_wire_poll(PgmlConn *conn);

/*
 * Take a CopyData message into conn->copybuf, if libpq has a whole one:
 * its length, 0 if it hasn't, -1 at the end of the COPY.
 */
extern int	pgml_wire_try_copy(PgmlConn *conn);

/*
 * Append the bytes of all CopyData messages that libpq has to buf, or as many
 * as there is room for: their number, 0 if it has none, -1 at the end of the
 * COPY.  A message may come in parts.
 */
extern int	pgml_wire_take_copy(PgmlConn *conn, StringInfo buf);

/* The same, but wait interruptibly until there are some. */
extern int	pgml_wire_await_copy(PgmlConn *conn, StringInfo buf);

/* The same, without waiting, but take in what has arrived. */
extern int	pgml_wire_poll_copy(PgmlConn *conn, StringInfo buf);

/* Take in what has arrived, waiting no longer than this; false: nothing has. */
extern bool pgml_wire_has_input(PgmlConn *conn, int wait_ms);

/* Ask the remote to cancel what it does; bounded by the deadline, never throws. */
extern void pgml_wire_cancel(PgmlConn *conn, TimestampTz deadline);

/*
 * Throw an error result, or with res NULL what libpq has to say; frees it and
 * reads the message to its end first, so that the wire is free again.
 */
pg_noreturn extern void pgml_wire_throw(PgmlConn *conn, PGresult *res);

/*
 * Is it the start of a COPY?  libpq returns such a result again and again until
 * the COPY is served.
 */
extern bool pgml_wire_is_copy(const PGresult *res);

/* Is it a result of success? */
extern bool pgml_wire_ok(const PGresult *res);

/* Has something come, by the socket's word? */
extern bool pgml_wire_is_readable(PgmlConn *conn);

/* Read what a stream still has and cancel it if need be; see stream.c. */
extern void pgml_stream_end(PgmlConn *conn);

/* Copy a text of the remote, whatever bytes it is made of, without newlines at its end; NULL stays NULL. */
extern char *pgml_result_safe_text(const char *text);

/* Wrap a result; it belongs to the current memory context. */
extern PgmlResult *pgml_result_wrap(PGresult *pg);

/* Put another result into a wrapper; the old one is cleared. */
extern void pgml_result_replace(PgmlResult *res, PGresult *pg);

#endif							/* PGML_REMOTE_WIRE_H */
