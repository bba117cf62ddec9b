/*
 * ask.c
 *		Asking a server while planning, without depending on an answer.
 *
 * If the remote can't be reached, or takes too long to connect, or the user has no mapping,
 * the statement is planned without what it could have told, and the remote isn't bothered
 * again for a while: should the statement run, the error will be its own.  For that
 * the question is asked in a subtransaction.
 *
 * And it must not cost more than it is worth: nobody's stream is put aside for
 * it.  A connection that is busy isn't asked.
 */
#include "postgres.h"

#include "access/xact.h"
#include "utils/timestamp.h"

#include "base/attempt.h"
#include "plan/ask.h"
#include "remote/command.h"
#include "remote/conncache.h"

/* How long a remote that couldn't be asked is left alone. */
#define LEAVE_ALONE_MS (60 * 1000)

/*
 * How long connecting may take: more than the six round trips of TCP, TLS and
 * SCRAM by satellite.  Who runs the statement waits once more, without this limit.
 */
#define CONNECT_MS 5000

/* What is asked, and of whom. */
typedef struct Question
{
	Oid			serverid;
	Oid			userid;
	void		(*ask) (PgmlConn *conn, void *arg);
	void	   *arg;
	PgmlConn   *conn;			/* as soon as there is one */
} Question;

/* May the connection be asked now, without being in anybody's way? */
static bool
is_free(PgmlConn *conn)
{
	if (conn->lost || conn->doomed || conn->occupant != NULL)
		return false;
	if (conn->wire != PGML_WIRE_IDLE && !conn->late)
		return false;
	if (pgml_command_remote_xact(conn) == PGML_XACT_FAILED)
		return false;
	return conn->invalidated || conn->ask_after <= GetCurrentTimestamp();
}

/* Ask, as the role whose privileges the scan will have.  Throws whatever goes wrong. */
static void
ask(void *arg)
{
	Question   *question = arg;

	question->conn = pgml_conncache_get_for(question->serverid, question->userid);
	if (!is_free(question->conn))
		return;
	question->conn->patience_ms = CONNECT_MS;
	question->ask(question->conn, question->arg);
}

void
pgml_ask_server(Oid serverid, Oid userid, void (*callback) (PgmlConn *conn, void *arg), void *arg)
{
	Question	question = {serverid, userid, callback, arg, NULL};
	ErrorData  *error;

	/* a parallel operation doesn't allow for subtransactions */
	if (IsInParallelMode())
		return;
	error = pgml_attempt(ask, &question);
	if (question.conn != NULL)
		question.conn->patience_ms = 0;
	if (error == NULL)
		return;
	if (question.conn != NULL)
		question.conn->ask_after = TimestampTzPlusMilliseconds(GetCurrentTimestamp(),
															   LEAVE_ALONE_MS);
	ereport(DEBUG1,
			(errmsg_internal("planning without what the remote knows: %s", error->message)));
}
