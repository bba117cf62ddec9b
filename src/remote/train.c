/*
 * train.c
 *		Commands sent one behind the other, without waiting for each answer.
 *
 * A remote that is given its next command only when the answer of the last one
 * has come stands still for a round trip, and for as long as the command takes to
 * get there.  In a train it finds the next one in its buffers.
 *
 * A train is one message of the extended protocol that has no end yet: a Flush
 * behind each command makes the remote answer at once, the Sync comes behind the last.
 * A remote that has met an error drops everything up to that Sync.  So
 * the first error decides, nothing behind it is done, and the protocol is in step when
 * the Sync has been answered, whatever came before.  (Whoever reads to the end of the
 * message, after an error or a cancel, sends it: pgml_wire_next.)
 *
 * A command needs a message of its own if there is something to run before it:
 * steps, rows of others, a savepoint for another local nest level.  The train before
 * it is parked then, and a new one begins.
 */
#include "postgres.h"

#include "access/xact.h"
#include "utils/timestamp.h"

#include "base/stats.h"
#include "remote/readonly.h"
#include "remote/wire.h"

/* Can a command just be added to what is on the wire? */
static bool
can_follow(const PgmlConn *conn, const PgmlOccupant *occupant)
{
	return conn->occupant == occupant && conn->open_ended &&
		conn->steps == NIL && conn->waiting == NIL &&
		conn->wire_level == GetCurrentTransactionNestLevel();
}

void
pgml_train_send(PgmlConn *conn, PgmlOccupant *occupant, const char *name,
				const char *sql, const PgmlParams *params)
{
	if (can_follow(conn, occupant))
	{
		conn->last_sent = GetCurrentTimestamp();
		conn->unawaited = true;
		pgml_stats.messages++;
	}
	else
	{
		pgml_wire_prepare(conn);
		pgml_readonly_other_command(conn);
		pgml_wire_open_pipeline(conn, sql, PGML_WIRE_COMMAND);
		conn->occupant = occupant;
	}
	pgml_wire_add_statement(conn, name, sql, params);
	conn->due++;
	pgml_wire_push_pipeline(conn);
}

/* Read the end of the message; nothing but its Sync may be left. */
static void
finish_train(PgmlConn *conn)
{
	PGresult   *res;

	pgml_wire_next(conn, 0, &res);
	if (res != NULL)
		pgml_wire_throw(conn, res);
	conn->occupant = NULL;
}

PgmlResult *
pgml_train_take(PgmlConn *conn, const char *sql)
{
	PGresult   *res;
	PgmlResult *result;

	if (conn->due == 0)
		elog(ERROR, "no answer is due from server \"%s\"", conn->name);
	pgml_wire_next_of_open(conn, 0, &res);

	/* unless it is a step that has failed */
	if (conn->sent == NIL)
		pgml_wire_remember(conn, sql);
	if (res == NULL || !pgml_wire_ok(res))
		pgml_wire_throw(conn, res);

	result = pgml_result_wrap(res);
	conn->due--;
	if (conn->due == 0 && !conn->open_ended)
		finish_train(conn);
	return result;
}

void
pgml_train_end(PgmlConn *conn)
{
	if (!conn->open_ended)
		return;
	pgml_wire_close_pipeline(conn);
	if (conn->due == 0)
		finish_train(conn);
}
