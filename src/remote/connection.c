/*
 * connection.c
 *		One connection to a remote PostgreSQL: how it is made and ended.
 *
 * A PgmlConn is a slot that outlives its network connection (connection.h).
 * The slot, and through a callback the socket, belongs to a memory context of
 * its own: whoever deletes that context, also by way of an error, disconnects.
 *
 * Connecting never blocks uninterruptibly but for libpq's name lookup: libpq's
 * asynchronous interface is driven by the process latch.  libpq leaves
 * connect_timeout to the caller there, so it is enforced here.
 *
 * Who may connect is security.c's business; which commands begin a session is
 * nobody's: settings travel with each transaction (xact.c), so that a pooler
 * may hand each transaction another backend.
 */
#include "postgres.h"

#include <poll.h>

#include "common/base64.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "storage/fd.h"
#include "storage/latch.h"
#include "utils/builtins.h"
#include "utils/syscache.h"
#include "utils/timestamp.h"

#include "base/compat.h"
#include "base/option.h"
#include "base/setting.h"
#include "base/stats.h"
#include "remote/libpq.h"
#include "remote/connection.h"
#include "remote/prepared.h"
#include "remote/readonly.h"
#include "remote/security.h"
#include "remote/step.h"
#include "remote/wire.h"

/* Room for what we add to the user's parameters. */
#define PGML_OWN_PARAMS 8

/* An idle connection that has more to say than fits into so many reads is given up. */
#define PGML_MAX_LAST_WORDS 100

/*
 * So long after the last message a connection is taken for alive without asking.
 * Firewalls forget idle connections after half a minute at the earliest.
 */
#define PGML_TRUSTED_MS 10000

/* How long the answer to that question may take; anew is faster then. */
#define PGML_PROBE_MS 3000

/* How long a connection that goes away is kept for telling the remote so. */
#define PGML_LAST_CANCEL_MS 1000

dlist_head	pgml_connections = DLIST_STATIC_INIT(pgml_connections);

static void
connection_on_delete(void *arg)
{
	PgmlConn   *conn = arg;

	/* one of a single call, which an error has ended: the remote needn't go on */
	if (conn->wire != PGML_WIRE_IDLE && conn->late == NULL && !conn->async &&
		pgml_connection_is_open(conn))
		pgml_wire_cancel(conn, TimestampTzPlusMilliseconds(GetCurrentTimestamp(),
														   PGML_LAST_CANCEL_MS));
	pgml_connection_drop(conn);
	dlist_delete(&conn->node);
}

/* Make an empty slot in a context of its own. */
static PgmlConn *
create_slot(MemoryContext parent)
{
	MemoryContext cxt = AllocSetContextCreate(parent, "pgml connection", ALLOCSET_SMALL_SIZES);
	PgmlConn   *conn = MemoryContextAllocZero(cxt, sizeof(PgmlConn));

	conn->cxt = cxt;
	conn->keep = true;
	dlist_push_tail(&pgml_connections, &conn->node);
	conn->on_delete.func = connection_on_delete;
	conn->on_delete.arg = conn;
	MemoryContextRegisterResetCallback(cxt, &conn->on_delete);
	return conn;
}

PgmlConn *
pgml_connection_create(UserMapping *mapping, MemoryContext parent)
{
	PgmlConn   *conn = create_slot(parent);

	conn->umid = mapping->umid;
	conn->userid = mapping->userid;
	conn->serverid = mapping->serverid;
	conn->name = MemoryContextStrdup(conn->cxt, GetForeignServer(mapping->serverid)->servername);
	conn->server_hash = GetSysCacheHashValue1(FOREIGNSERVEROID,
											  ObjectIdGetDatum(mapping->serverid));
	conn->mapping_hash = GetSysCacheHashValue1(USERMAPPINGOID, ObjectIdGetDatum(mapping->umid));
	return conn;
}

PgmlConn *
pgml_connection_create_string(const char *conninfo, const char *name, bool trust_password,
							  MemoryContext parent)
{
	PgmlConn   *conn = create_slot(parent);

	conn->userid = GetUserId();
	conn->conninfo = MemoryContextStrdup(conn->cxt, conninfo);
	conn->trust_password = trust_password;
	conn->name = MemoryContextStrdup(conn->cxt, name != NULL ? name : "connection string");
	return conn;
}

void
pgml_connection_free_waits(PgmlConn *conn)
{
	if (conn->waits != NULL)
		FreeWaitEventSet(conn->waits);
	conn->waits = NULL;
	conn->waits_on = PGINVALID_SOCKET;
}

void
pgml_connection_drop(PgmlConn *conn)
{
	/* first: the next socket may have the same number */
	pgml_connection_free_waits(conn);
	PQfreemem(conn->copybuf);
	PQclear(conn->kept);
	PQclear(conn->come);
	if (conn->pg != NULL)
	{
		PQfinish(conn->pg);
		ReleaseExternalFD();
	}

	/* nobody may go on as if the work of the transaction were still there */
	if (conn->enlist != NULL && conn->depth > 0)
		conn->lost = true;

	conn->pg = NULL;
	conn->established = false;
	conn->copybuf = NULL;
	conn->kept = NULL;
	conn->come = NULL;
	conn->has_come = false;
	conn->wire = PGML_WIRE_IDLE;
	conn->occupant = NULL;
	conn->pipelined = false;
	conn->unawaited = false;
	conn->guarded = false;
	conn->depth = 0;
	conn->doomed = false;
	conn->wrote = false;
	conn->late = NULL;
	conn->async = false;
	conn->midway = false;
	conn->readers = 0;
	conn->xact++;

	/* the slot may see many connections */
	pgml_steps_forget(conn);
	pgml_readonly_forget_tables(conn);
	conn->exttypes_known = false;
	pgml_prepared_forget(conn);
}

void
pgml_connection_free(PgmlConn *conn)
{
	MemoryContextDelete(conn->cxt);
}

bool
pgml_connection_is_open(PgmlConn *conn)
{
	return conn->established && PQstatus(conn->pg) == CONNECTION_OK;
}

/* What poll() finds on the connection's socket. */
static int
poll_socket(PgmlConn *conn)
{
	struct pollfd fd = {.fd = PQsocket(conn->pg),.events = POLLIN};

	return poll(&fd, 1, 0) == 1 ? fd.revents : 0;
}

bool
pgml_connection_is_dead(PgmlConn *conn)
{
	if (!pgml_connection_is_open(conn))
		return true;
	if (conn->wire != PGML_WIRE_IDLE && conn->late == NULL)
		return (poll_socket(conn) & (POLLERR | POLLHUP | POLLNVAL)) != 0;

	/*
	 * An idle connection has nothing to tell us but the end of its last
	 * transaction, notices and notifications, which libpq takes in, or a last
	 * word.  The end itself comes behind it and shows as readable.  One who
	 * doesn't stop talking is not worth keeping.
	 */
	for (int i = 0; i < PGML_MAX_LAST_WORDS; i++)
	{
		int			found = poll_socket(conn);

		if (found == 0)
			return PQstatus(conn->pg) != CONNECTION_OK;
		if ((found & (POLLERR | POLLHUP | POLLNVAL)) || !PQconsumeInput(conn->pg))
			return true;
	}
	return true;
}

int
pgml_connection_remote_pid(PgmlConn *conn)
{
	return pgml_connection_is_open(conn) ? PQbackendPID(conn->pg) : 0;
}

void
pgml_connection_reset(PgmlConn *conn)
{
	bool		sent = conn->wire == PGML_WIRE_IDLE && pgml_connection_is_open(conn) &&
		PQtransactionStatus(conn->pg) == PQTRANS_IDLE &&
		pgml_command_end_send(conn, "DISCARD ALL");

	if (!sent)
		pgml_connection_drop(conn);
	else
	{
		conn->late = "DISCARD ALL";
		conn->wire_level = 0;
	}
}

const char *
pgml_connection_parameter(PgmlConn *conn, const char *name)
{
	return conn->pg != NULL ? PQparameterStatus(conn->pg, name) : NULL;
}

/* Throw what libpq says about a connection that could not be made. */
static void
throw_connect_error(PgmlConn *conn, const char *detail)
{
	char	   *message = detail != NULL ? pstrdup(detail) : pchomp(PQerrorMessage(conn->pg));

	/* what a stranger says before we agreed on an encoding may be anything */
	if (!pg_verifymbstr(message, strlen(message), true))
		for (char *p = message; *p != '\0'; p++)
			if (IS_HIGHBIT_SET(*p))
				*p = '?';

	pgml_connection_drop(conn);
	ereport(ERROR,
			(errcode(ERRCODE_SQLCLIENT_UNABLE_TO_ESTABLISH_SQLCONNECTION),
			 errmsg("could not connect to server \"%s\"", conn->name),
			 errdetail_internal("%s", message)));
}

/* The user's connect_timeout in milliseconds; 0: none.  libpq takes less than 2 s as 2 s. */
static int
connect_timeout(const PgmlConnParams *params)
{
	int			seconds = 0;

	for (int i = 0; i < params->n; i++)
		if (strcmp(params->keywords[i], "connect_timeout") == 0)
			seconds = atoi(params->values[i]);
	if (seconds <= 0)
		return 0;
	return Min(Max(seconds, 2), INT_MAX / 1000) * 1000;
}

/* Drive libpq until it is connected or has given up; throws on timeout and interrupt. */
static void
wait_connected(PgmlConn *conn, int timeout_ms)
{
	TimestampTz start = GetCurrentTimestamp();
	PostgresPollingStatusType status = PGRES_POLLING_WRITING;

	while (status != PGRES_POLLING_OK && status != PGRES_POLLING_FAILED)
	{
		int			events = WL_LATCH_SET | WL_EXIT_ON_PM_DEATH;
		long		left = -1;
		int			happened;

		if (timeout_ms > 0)
		{
			left = timeout_ms - TimestampDifferenceMilliseconds(start, GetCurrentTimestamp());
			if (left <= 0)
				throw_connect_error(conn, "The connect_timeout has expired.");
			events |= WL_TIMEOUT;
		}
		events |= status == PGRES_POLLING_READING ? WL_SOCKET_READABLE : WL_SOCKET_CONNECTED;

		happened = WaitLatchOrSocket(MyLatch, events, PQsocket(conn->pg), left,
									 pgml_wire_wait_event(PGML_WAIT_CONNECT));
		if (happened & WL_LATCH_SET)
		{
			ResetLatch(MyLatch);
			CHECK_FOR_INTERRUPTS();
		}
		if (happened & (WL_SOCKET_READABLE | WL_SOCKET_CONNECTED))
			status = PQconnectPoll(conn->pg);
	}

	if (PQstatus(conn->pg) != CONNECTION_OK)
		throw_connect_error(conn, NULL);
}

/* Count notices of the remote, and swallow them, but for those who debug. */
static void
receive_notice(void *arg, const PGresult *res)
{
	const char *message = PQresultErrorField(res, PG_DIAG_MESSAGE_PRIMARY);

	((PgmlConn *) arg)->notices++;
	if (message != NULL && pg_verifymbstr(message, strlen(message), true))
		ereport(DEBUG1, (errmsg_internal("notice of remote server: %s", message)));
}

/* Add a parameter of our own; there must be room. */
static void
add_param(PgmlConnParams *params, const char *keyword, const char *value)
{
	params->keywords[params->n] = keyword;
	params->values[params->n] = value;
	params->n++;
}

/* The parameters of a connection string, as the user gave them. */
static PgmlConnParams *
parse_conninfo(const char *conninfo)
{
	PgmlConnParams *params = palloc0(sizeof(PgmlConnParams));
	PQconninfoOption *options = PQconninfoParse(conninfo, NULL);
	int			n = 0;

	/* libpq's own message could quote a part of a password */
	if (options == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_SQLCLIENT_UNABLE_TO_ESTABLISH_SQLCONNECTION),
				 errmsg("invalid connection string"),
				 errhint("It is neither the name of an open connection or a foreign server, nor a string of the form \"host=... dbname=... user=...\" with valid options.")));

	while (options[n].keyword != NULL)
		n++;
	params->keywords = palloc(sizeof(char *) * (n + PGML_OWN_PARAMS));
	params->values = palloc(sizeof(char *) * (n + PGML_OWN_PARAMS));
	for (int i = 0; i < n; i++)
	{
		/* the caller's database encoding is the only one that we can use */
		if (options[i].val == NULL || strcmp(options[i].keyword, "client_encoding") == 0)
			continue;
		add_param(params, pstrdup(options[i].keyword), pstrdup(options[i].val));
	}
	PQconninfoFree(options);
	return params;
}

/* Make room for our own parameters. */
static PgmlConnParams *
mapping_params(ForeignServer *server, UserMapping *mapping)
{
	PgmlConnParams *params = pgml_options_conn_params(server, mapping);
	int			room = params->n + PGML_OWN_PARAMS;

	if (params->n == 0)
	{
		params->keywords = palloc(sizeof(char *) * room);
		params->values = palloc(sizeof(char *) * room);
	}
	else
	{
		params->keywords = repalloc(params->keywords, sizeof(char *) * room);
		params->values = repalloc(params->values, sizeof(char *) * room);
	}
	return params;
}

#ifdef PGML_SCRAM_KEYS
/* Add one of the local client's SCRAM keys as libpq takes them. */
static void
add_scram_key(PgmlConnParams *params, const char *keyword, const uint8 *key, int len)
{
	int			room = pg_b64_enc_len(len);
	char	   *encoded = palloc0(room + 1);

	if (pg_b64_encode(key, len, encoded, room) < 0)
		elog(ERROR, "could not encode SCRAM key");
	add_param(params, keyword, encoded);
}
#endif

/* Hand on the keys that the local client proved itself with, and insist that they are used. */
static void
add_scram_passthrough(PgmlConnParams *params)
{
#ifdef PGML_SCRAM_KEYS
	add_scram_key(params, "scram_client_key", MyProcPort->scram_ClientKey,
				  sizeof(MyProcPort->scram_ClientKey));
	add_scram_key(params, "scram_server_key", MyProcPort->scram_ServerKey,
				  sizeof(MyProcPort->scram_ServerKey));
	add_param(params, "require_auth", "scram-sha-256");
#endif
}

/* Start libpq with these parameters, and wait until it has connected. */
static void
connect_with(PgmlConn *conn, PgmlConnParams *params)
{
	int			timeout = connect_timeout(params);

	if (conn->patience_ms > 0 && (timeout == 0 || timeout > conn->patience_ms))
		timeout = conn->patience_ms;
	add_param(params, "client_encoding", GetDatabaseEncodingName());
	add_param(params, "fallback_application_name", "pgml_fdw");
	add_param(params, NULL, NULL);

	if (!AcquireExternalFD())
		ereport(ERROR,
				(errcode(ERRCODE_SQLCLIENT_UNABLE_TO_ESTABLISH_SQLCONNECTION),
				 errmsg("could not connect to server \"%s\"", conn->name),
				 errdetail("There are too many open files on the local server."),
				 errhint("Raise the server's max_files_per_process and/or \"ulimit -n\" limits.")));
	conn->pg = PQconnectStartParams(params->keywords, params->values, false);
	if (conn->pg == NULL)
	{
		ReleaseExternalFD();
		ereport(ERROR, (errcode(ERRCODE_OUT_OF_MEMORY), errmsg("out of memory")));
	}
	if (PQstatus(conn->pg) == CONNECTION_BAD)
		throw_connect_error(conn, NULL);

	PQsetNoticeReceiver(conn->pg, receive_notice, conn);
	wait_connected(conn, timeout);
}

/* Learn what the other side is; refuse one that doesn't speak our encoding. */
static void
fill_caps(PgmlConn *conn)
{
	const char *encoding = PQparameterStatus(conn->pg, "client_encoding");
	const char *server_encoding = PQparameterStatus(conn->pg, "server_encoding");

	if (encoding == NULL || pg_char_to_encoding(encoding) != GetDatabaseEncoding())
		throw_connect_error(conn, psprintf("It does not accept client_encoding \"%s\".",
										   GetDatabaseEncodingName()));

	conn->caps.server_version = PQserverVersion(conn->pg);
	conn->caps.names = PGML_NAMES_UNKNOWN;
	conn->caps.sql_ascii = server_encoding == NULL ||
		pg_char_to_encoding(server_encoding) == PG_SQL_ASCII;
}

/* Read what the catalogs say now, and connect accordingly. */
static void
connect_mapping(PgmlConn *conn)
{
	ForeignServer *server = GetForeignServer(conn->serverid);
	UserMapping *mapping = pgml_security_mapping(conn->userid, conn->serverid);
	PgmlConnParams *params = mapping_params(server, mapping);
	PgmlOptions *options = pgml_options_of_server(conn->serverid);
	char	   *application_name;

	conn->keep = options->keep_connections;
	conn->parallel_commit = options->parallel_commit;
	conn->release_early = options->release_early;
	conn->invalidated = false;

	pgml_security_check_before(conn, server, mapping, params);
	if (pgml_security_scram_passthrough(server, mapping))
		add_scram_passthrough(params);
	application_name = pgml_setting_application_name();
	if (application_name[0] != '\0')
		add_param(params, "application_name", application_name);
	connect_with(conn, params);
	pgml_security_check_after(conn, server, mapping);
}

static void
connect_string(PgmlConn *conn)
{
	PgmlConnParams *params = parse_conninfo(conn->conninfo);

	pgml_security_check_before(conn, NULL, NULL, params);
	connect_with(conn, params);
	pgml_security_check_after(conn, NULL, NULL);
}

/*
 * Does the remote still answer?  Asked only after some silence, in which a
 * firewall may have forgotten the connection without telling anybody.
 */
static bool
still_answers(PgmlConn *conn)
{
	TimestampTz now = GetCurrentTimestamp();

	if (!TimestampDifferenceExceeds(conn->last_sent, now, PGML_TRUSTED_MS))
		return true;
	return pgml_command_end_send(conn, "") &&
		pgml_command_end_finish(conn, NULL, TimestampTzPlusMilliseconds(now, PGML_PROBE_MS));
}

/*
 * A connection on which nothing has been done yet can be replaced without
 * anybody noticing: when the remote has gone, the options have changed, or its
 * owner is no superuser any more, to whom other rules apply.  One in autocommit
 * may hold session state: never.
 */
static bool
should_be_replaced(PgmlConn *conn)
{
	if ((conn->enlist == NULL && !conn->stateless) || conn->lost || conn->wire != PGML_WIRE_IDLE ||
		pgml_command_planned_depth(conn) > 0)
		return false;
	return conn->invalidated ||
		(conn->of_superuser && !superuser_arg(conn->userid)) ||
		pgml_connection_is_dead(conn) || !still_answers(conn);
}

void
pgml_connection_ensure(PgmlConn *conn)
{
	MemoryContext work;
	MemoryContext old;

	/* an interrupt while connecting leaves this behind */
	if (conn->pg != NULL && !conn->established)
		pgml_connection_drop(conn);

	if (conn->pg != NULL && should_be_replaced(conn))
		pgml_connection_drop(conn);

	if (conn->lost)
		ereport(ERROR,
				(errcode(ERRCODE_CONNECTION_FAILURE),
				 errmsg("connection to server \"%s\" was lost in this transaction", conn->name),
				 errhint("Roll back the transaction and try again.")));
	if (conn->pg != NULL)
		return;

	conn->of_superuser = superuser_arg(conn->userid);
	work = AllocSetContextCreate(CurrentMemoryContext, "pgml connect", ALLOCSET_SMALL_SIZES);
	old = MemoryContextSwitchTo(work);
	if (OidIsValid(conn->serverid))
		connect_mapping(conn);
	else
		connect_string(conn);
	fill_caps(conn);
	if (PQsetnonblocking(conn->pg, 1) != 0)
		throw_connect_error(conn, NULL);
	conn->established = true;
	conn->last_sent = GetCurrentTimestamp();
	conn->ask_after = 0;
	pgml_stats.connects++;
	MemoryContextSwitchTo(old);
	MemoryContextDelete(work);
}
