/*
 * xact.c
 *		Remote transactions that follow the local one.
 *
 * Each connection of the cache has one remote transaction for a local one.
 * It begins with the first command, in the same message, and has a savepoint
 * for each local subtransaction that uses the connection.
 *
 * Commit itself is commit.c's, what is spared where nothing was written is
 * readonly.c's.
 *
 * Isolation.  The remote's is REPEATABLE READ, or SERIALIZABLE if the local
 * one is: several remote queries of one local statement must see one snapshot.
 *
 * Commit.  Remote transactions are committed when the local one is about to
 * (there is no two-phase commit): an error there aborts the local transaction
 * and all remote ones that haven't been committed yet.
 *
 * Subtransactions.  Nothing is sent when one begins.  When it commits, the
 * RELEASE is queued for the next command.  When it aborts, the remote goes back
 * at once, so that its locks don't outlive the local error.  If the remote
 * transaction itself began in the subtransaction that aborts, all of it goes.
 *
 * Aborting never throws and waits no longer than PGML_ABORT_TIMEOUT_MS
 * (a subtransaction, whose parent wants to go on: PGML_CLEANUP_TIMEOUT_MS) for
 * all connections together; a connection that can't be put in order in that
 * time is closed, which ends its transaction too.
 *
 * Settings travel with BEGIN and are local to the transaction: a pooler that
 * gives each transaction another backend sees none of them left behind.
 */
#include "postgres.h"

#include "access/xact.h"
#include "miscadmin.h"
#include "storage/ipc.h"
#include "utils/timestamp.h"

#include "remote/commit.h"
#include "remote/readonly.h"
#include "remote/wire.h"
#include "remote/prepared.h"
#include "remote/xact.h"

/*
 * What texts and constants mean must not depend on the remote role's settings.
 * extra_float_digits matters for servers before 12; lc_monetary lets money
 * values be read by every locale.
 */
static const char *const settings[] = {
	"SET LOCAL search_path = pg_catalog",
	"SET LOCAL timezone = 'UTC'",
	"SET LOCAL datestyle = ISO",
	"SET LOCAL intervalstyle = postgres",
	"SET LOCAL extra_float_digits = 3",
	"SET LOCAL lc_monetary = 'C'",
};

/*
 * While a subtransaction goes back, a cancel or timeout is for its parent, who
 * can go on only if the connection is kept: the answer is worth waiting for,
 * though not for long.
 */
#define PGML_GO_BACK_GRACE_MS 1000

uint32		pgml_xact_number = 1;

/* Queue what the local transaction, down to this nest level, demands of the remote one. */
static void
enlist(PgmlConn *conn, int level)
{
	int			depth = pgml_command_planned_depth(conn);

	if (depth == 0)
	{
		pgml_command_queue(conn, IsolationIsSerializable() ?
						   "BEGIN ISOLATION LEVEL SERIALIZABLE" :
						   "BEGIN ISOLATION LEVEL REPEATABLE READ", level, 1);
		for (size_t i = 0; i < lengthof(settings); i++)
			pgml_command_queue(conn, settings[i], level, -1);
		conn->begin_level = level;
		pgml_readonly_begin(conn);
		depth = 1;
	}
	while (depth < level)
	{
		char		sql[64];

		depth++;
		snprintf(sql, sizeof(sql), "SAVEPOINT pgml_%d", depth);
		pgml_command_queue(conn, sql, depth, depth);
	}
}

void
pgml_xact_join(PgmlConn *conn)
{
	conn->enlist = enlist;
}

bool
pgml_xact_uses_server(Oid serverid)
{
	dlist_iter	iter;

	dlist_foreach(iter, &pgml_connections)
	{
		PgmlConn   *conn = dlist_container(PgmlConn, node, iter.cur);

		if (conn->enlist != NULL && conn->serverid == serverid &&
			(conn->depth > 0 || conn->lost))
			return true;
	}
	return false;
}

void
pgml_xact_append_settings(StringInfo sql)
{
	for (size_t i = 0; i < lengthof(settings); i++)
		appendStringInfo(sql, "; %s", settings[i]);
}

/* Does the connection have a remote transaction that must be ended? */
static bool
takes_part(PgmlConn *conn)
{
	return conn->enlist != NULL && (conn->depth > 0 || conn->lost || conn->doomed);
}

/*
 * Commit all remote transactions: first those that only read, where something
 * may have to be asked; of the others those that may at once, the rest one by one.
 */
static void
commit_all(void)
{
	dlist_iter	iter;

	dlist_foreach(iter, &pgml_connections)
	{
		PgmlConn   *conn = dlist_container(PgmlConn, node, iter.cur);

		if (takes_part(conn))
			(void) pgml_readonly_commit(conn);
	}
	dlist_foreach(iter, &pgml_connections)
	{
		PgmlConn   *conn = dlist_container(PgmlConn, node, iter.cur);

		if (!takes_part(conn))
			continue;
		pgml_commit_send(conn);
		if (!conn->parallel_commit)
			pgml_commit_finish(conn);
	}
	dlist_foreach(iter, &pgml_connections)
	{
		PgmlConn   *conn = dlist_container(PgmlConn, node, iter.cur);

		if (takes_part(conn) && conn->parallel_commit)
			pgml_commit_finish(conn);
	}
}

/*
 * Start the rollback of one connection's remote transaction.  Returns true if
 * its answer is to be waited for.
 */
static bool
send_rollback(PgmlConn *conn, TimestampTz deadline)
{
	char	   *sql;
	bool		sent;

	if (proc_exit_inprogress)
	{
		/* the remote notices at once only if it is told; don't wait for it */
		if (conn->wire != PGML_WIRE_IDLE && pgml_connection_is_open(conn))
			pgml_wire_cancel(conn, deadline);
		pgml_connection_drop(conn);
		return false;
	}
	if (!pgml_command_settle(conn, deadline))
	{
		pgml_connection_drop(conn);
		return false;
	}

	if (conn->enlist == NULL || pgml_command_remote_xact(conn) == PGML_XACT_NONE)
	{
		pgml_command_unqueue(conn, 0);
		return false;
	}

	sql = pgml_commit_rollback_command(conn);
	sent = pgml_command_end_send(conn, sql);
	pfree(sql);
	if (!sent)
		pgml_connection_drop(conn);
	return sent;
}

/* Wait for a rollback that send_rollback has started. */
static void
finish_rollback(PgmlConn *conn, TimestampTz deadline)
{
	if (!pgml_command_end_finish(conn, NULL, deadline) ||
		pgml_command_remote_xact(conn) != PGML_XACT_NONE)
		pgml_connection_drop(conn);
	pgml_prepared_forget(conn);
}

/* Has a connection been left busy, or in a transaction, by what is being aborted? */
static bool
needs_rollback(PgmlConn *conn)
{
	if (conn->pg == NULL)
		return false;
	if (conn->late != NULL || conn->async || conn->midway)
		return false;
	return takes_part(conn) || conn->wire != PGML_WIRE_IDLE || !conn->established ||
		(conn->enlist != NULL && pgml_command_remote_xact(conn) != PGML_XACT_NONE);
}

static void
rollback_all(void)
{
	TimestampTz deadline = TimestampTzPlusMilliseconds(GetCurrentTimestamp(),
													   PGML_ABORT_TIMEOUT_MS);
	dlist_iter	iter;

	dlist_foreach(iter, &pgml_connections)
	{
		PgmlConn   *conn = dlist_container(PgmlConn, node, iter.cur);

		conn->rolling_back = needs_rollback(conn) && send_rollback(conn, deadline);
	}
	dlist_foreach(iter, &pgml_connections)
	{
		PgmlConn   *conn = dlist_container(PgmlConn, node, iter.cur);

		if (conn->rolling_back)
			finish_rollback(conn, deadline);
		conn->rolling_back = false;
	}
}

/* The local transaction is over: make every connection as if new, or close it. */
static void
forget_transaction(void)
{
	dlist_iter	iter;

	dlist_foreach(iter, &pgml_connections)
	{
		PgmlConn   *conn = dlist_container(PgmlConn, node, iter.cur);

		if (conn->enlist == NULL)
			continue;
		pgml_commit_forget(conn);
		if (conn->pg != NULL && (conn->invalidated || !conn->keep || !pgml_connection_is_open(conn)))
			pgml_connection_drop(conn);
		conn->lost = false;
	}
	pgml_xact_number++;
}

/* Refuse PREPARE TRANSACTION: the remote transactions could not be kept with it. */
static void
refuse_prepare(void)
{
	dlist_iter	iter;

	dlist_foreach(iter, &pgml_connections)
	{
		PgmlConn   *conn = dlist_container(PgmlConn, node, iter.cur);

		if (takes_part(conn))
			ereport(ERROR,
					(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
					 errmsg("cannot PREPARE a transaction that has operated on foreign tables of server \"%s\"",
							conn->name)));
	}
}

static void
xact_callback(XactEvent event, void *arg)
{
	switch (event)
	{
		case XACT_EVENT_PRE_COMMIT:
		case XACT_EVENT_PARALLEL_PRE_COMMIT:
			commit_all();
			break;
		case XACT_EVENT_PRE_PREPARE:
			refuse_prepare();
			break;
		case XACT_EVENT_ABORT:
		case XACT_EVENT_PARALLEL_ABORT:
			rollback_all();
			forget_transaction();
			break;
		case XACT_EVENT_COMMIT:
		case XACT_EVENT_PARALLEL_COMMIT:
		case XACT_EVENT_PREPARE:
			forget_transaction();
			break;
	}
}

/* A subtransaction commits: what belongs to it belongs to its parent now. */
static void
commit_level(PgmlConn *conn, int level)
{
	ListCell   *lc;

	if (pgml_command_planned_depth(conn) >= level)
	{
		char		sql[64];

		snprintf(sql, sizeof(sql), "RELEASE SAVEPOINT pgml_%d", level);
		pgml_command_queue(conn, sql, level - 1, level - 1);
	}
	foreach(lc, conn->steps)
	{
		PgmlStep   *step = lfirst(lc);

		step->level = Min(step->level, level - 1);
	}
	conn->wire_level = Min(conn->wire_level, level - 1);
	conn->begin_level = Min(conn->begin_level, level - 1);
}

/* Run SQL that goes back to a savepoint, or close the connection. */
static void
go_back(PgmlConn *conn, const char *sql, const char *tag, TimestampTz deadline)
{
	conn->rollbacks++;

	/* the first attempt may fail by a cancel that was meant for what came before */
	for (int attempt = 0; attempt < 2 && conn->wire == PGML_WIRE_IDLE; attempt++)
	{
		if (!pgml_command_end_send(conn, sql))
			break;
		if (pgml_command_end_finish(conn, tag, deadline) &&
			pgml_command_remote_xact(conn) == PGML_XACT_OPEN)
			return;
	}
	pgml_connection_drop(conn);
}

/* Undo on the remote what the subtransaction has done there; never throws. */
static void
rollback_level(PgmlConn *conn, int level, TimestampTz deadline)
{
	int			begin_level = conn->begin_level;
	bool		began_here = begin_level >= level;

	/* what is on the wire may belong to an outer level, which goes on */
	if (conn->wire != PGML_WIRE_IDLE && (conn->wire_level < level || conn->async || conn->midway))
		return;
	if (!pgml_command_settle(conn, deadline))
		pgml_connection_drop(conn);
	if (conn->pg == NULL || (conn->enlist != NULL && began_here))
	{
		if (conn->pg != NULL && send_rollback(conn, deadline))
			finish_rollback(conn, deadline);
		pgml_commit_forget(conn);

		/* what is lost stays so until the level has gone that began it */
		if (began_here)
			conn->lost = false;
		else
			conn->begin_level = begin_level;
		return;
	}

	pgml_command_unqueue(conn, level);
	if (conn->enlist == NULL || conn->doomed)
		return;
	if (pgml_command_planned_depth(conn) >= level)
	{
		char		sql[128];

		snprintf(sql, sizeof(sql), "ROLLBACK TO SAVEPOINT pgml_%d; RELEASE SAVEPOINT pgml_%d",
				 level, level);
		go_back(conn, sql, "RELEASE", deadline);
		conn->depth = Min(conn->depth, level - 1);
	}
	else if (conn->guarded && pgml_command_remote_xact(conn) == PGML_XACT_FAILED)
	{
		/* a stream of an outer level failed while it was read in this one */
		go_back(conn, PGML_BACK_TO_GUARD, "RELEASE", deadline);
	}
}

static void
subxact_callback(SubXactEvent event, SubTransactionId mySubid,
				 SubTransactionId parentSubid, void *arg)
{
	int			level = GetCurrentTransactionNestLevel();
	TimestampTz deadline = 0;
	dlist_iter	iter;

	if (event == SUBXACT_EVENT_ABORT_SUB)
	{
		deadline = TimestampTzPlusMilliseconds(GetCurrentTimestamp(), PGML_CLEANUP_TIMEOUT_MS);
		pgml_wire_undisturbed(PGML_GO_BACK_GRACE_MS);
	}
	dlist_foreach(iter, &pgml_connections)
	{
		PgmlConn   *conn = dlist_container(PgmlConn, node, iter.cur);

		if (conn->pg == NULL && !conn->lost)
			continue;
		if (event == SUBXACT_EVENT_COMMIT_SUB && conn->enlist != NULL)
			commit_level(conn, level);
		else if (event == SUBXACT_EVENT_ABORT_SUB)
			rollback_level(conn, level, deadline);
	}
	pgml_wire_undisturbed(0);
}

void
pgml_xact_init(void)
{
	RegisterXactCallback(xact_callback, NULL);
	RegisterSubXactCallback(subxact_callback, NULL);
}
