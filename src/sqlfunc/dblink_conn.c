/*
 * dblink_conn.c
 *		Which connection a dblink function means, and those that a session keeps.
 *
 * A session connection (named, or the unnamed one) stays until its user closes
 * it.  It is made below the memory of the call first, so that an error on the way
 * closes it, and moved to the session's memory when it has proved itself.  It is
 * never connected anew behind the user's back: its session state would be gone.
 *
 * A server's name used directly means a session of its own for the call.  To
 * spare the next call the connecting, one idle connection is kept for each user
 * mapping and role; what a call may have changed in the remote session is
 * discarded at once, without waiting for it.  So no call sees anything of
 * another, and nothing is held on the remote in between.
 *
 * A source (row/source.h) that still has rows in hand points to its connection;
 * so the slot of a closed one is only put aside while there is such a source.
 */
#include "postgres.h"

#include "foreign/foreign.h"
#include "miscadmin.h"
#include "parser/scansup.h"
#include "utils/builtins.h"
#include "utils/hsearch.h"

#include "base/compat.h"
#include "remote/command.h"
#include "remote/security.h"
#include "sqlfunc/dblink_conn.h"

/* A session connection that has a name. */
typedef struct NamedSession
{
	NameData	name;			/* hash key */
	PgmlSession session;
} NamedSession;

/* An idle connection to a server; conn NULL: it is in use, or there is none. */
typedef struct KeptKey
{
	Oid			umid;
	Oid			userid;
} KeptKey;

typedef struct KeptConn
{
	KeptKey		key;
	PgmlConn   *conn;
} KeptConn;

struct PgmlLease
{
	PgmlConn   *conn;
	bool		of_session;
};

static HTAB *named_sessions = NULL;
static PgmlSession unnamed_session;
static HTAB *kept_conns = NULL;
static List *closed_conns = NIL;	/* that sources point to */

/* Look for, enter or remove a name, cut as identifiers are; NULL if not found. */
static NamedSession *
search_name(const char *name, HASHACTION action)
{
	NameData	key;
	char	   *cut = pstrdup(name);

	if (named_sessions == NULL)
	{
		HASHCTL		ctl = {.keysize = sizeof(NameData),.entrysize = sizeof(NamedSession)};

		named_sessions = hash_create("pgml dblink connections", 16, &ctl, HASH_ELEM | HASH_STRINGS);
	}
	truncate_identifier(cut, strlen(cut), action == HASH_ENTER);
	namestrcpy(&key, cut);
	pfree(cut);
	return hash_search(named_sessions, &key, action, NULL);
}

/* Find an open session; NULL if there is none. */
static PgmlSession *
find_session(const char *name)
{
	NamedSession *entry;

	if (name == NULL)
		return unnamed_session.conn != NULL ? &unnamed_session : NULL;
	entry = search_name(name, HASH_FIND);
	return entry != NULL ? &entry->session : NULL;
}

PgmlSession *
pgml_dblink_session(const char *name)
{
	PgmlSession *session = find_session(name);

	if (session != NULL)
		return session;
	if (name == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_CONNECTION_DOES_NOT_EXIST),
				 errmsg("there is no unnamed dblink connection"),
				 errhint("Open it with dblink_connect(), or name a foreign server.")));
	ereport(ERROR,
			(errcode(ERRCODE_CONNECTION_DOES_NOT_EXIST),
			 errmsg("there is no dblink connection named \"%s\"", name)));
}

/*
 * Make a session's wire free: a stream puts the rest of its rows aside.  Refuse
 * one whose rows are being converted at this moment by an outer call: the types
 * of its columns may have conditions that call us.
 */
static void
vacate_wire(PgmlConn *conn, const char *name)
{
	if (conn->occupant != NULL || conn->midway)
		pgml_conn_claim(conn);
	if (conn->wire != PGML_WIRE_IDLE && !conn->async)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_IN_USE),
				 errmsg("the dblink connection \"%s\" is being used by another call",
						name != NULL ? name : "unnamed")));
}

PgmlSession *
pgml_dblink_settled_session(const char *name)
{
	PgmlSession *session = pgml_dblink_session(name);

	vacate_wire(session->conn, name);
	return session;
}

/* Find a session connection that is to carry a command. */
static PgmlSession *
idle_session(const char *name, int busy_code)
{
	PgmlSession *session = pgml_dblink_settled_session(name);

	if (session->conn->async)
		ereport(ERROR,
				(errcode(busy_code),
				 errmsg("a query is running on the dblink connection \"%s\"", name),
				 errhint("Take its results with dblink_get_result() until there are no more.")));
	if (!pgml_connection_is_open(session->conn))
		ereport(ERROR,
				(errcode(ERRCODE_CONNECTION_FAILURE),
				 errmsg("the dblink connection \"%s\" was lost", name != NULL ? name : "unnamed"),
				 errhint("Close it with dblink_disconnect() and open it anew.")));
	return session;
}

PgmlSession *
pgml_dblink_idle_session(const char *name)
{
	return idle_session(name, ERRCODE_CONNECTION_FAILURE);
}

bool
pgml_dblink_has_unnamed(void)
{
	return unnamed_session.conn != NULL;
}

List *
pgml_dblink_names(void)
{
	List	   *names = NIL;
	HASH_SEQ_STATUS scan;
	NamedSession *entry;

	if (named_sessions == NULL)
		return NIL;
	hash_seq_init(&scan, named_sessions);
	while ((entry = hash_seq_search(&scan)) != NULL)
		names = lappend(names, pstrdup(NameStr(entry->name)));
	return names;
}

/* Free a connection, or, while a source points to it, just close it. */
static void
close_conn(PgmlConn *conn)
{
	ListCell   *lc;

	foreach(lc, closed_conns)
	{
		PgmlConn   *closed = lfirst(lc);

		if (closed->sources == 0)
		{
			closed_conns = foreach_delete_current(closed_conns, lc);
			pgml_connection_free(closed);
		}
	}

	if (conn->sources > 0)
	{
		MemoryContext old = MemoryContextSwitchTo(TopMemoryContext);

		closed_conns = lappend(closed_conns, conn);
		MemoryContextSwitchTo(old);
		pgml_connection_drop(conn);
	}
	else
		pgml_connection_free(conn);
}

/* Find a foreign server, of any wrapper, by a name cut as identifiers are, and its mapping for the user; NULL. */
static UserMapping *
find_server(const char *name)
{
	char	   *cut = pstrdup(name);
	ForeignServer *server;

	truncate_identifier(cut, strlen(cut), false);
	server = GetForeignServerByName(cut, true);
	pfree(cut);
	if (server == NULL)
		return NULL;

	pgml_security_check_usage(server);
	return pgml_security_mapping(GetUserId(), server->serverid);
}

/* Connect to what a server's name or a connection string says; name: the connection's, or NULL. */
static PgmlConn *
connect_target(const char *target, const char *name, bool trust_password)
{
	UserMapping *mapping = find_server(target);
	PgmlConn   *conn;

	if (mapping != NULL)
	{
		conn = pgml_connection_create(mapping, CurrentMemoryContext);
		conn->trust_password = trust_password;
	}
	else
		conn = pgml_connection_create_string(target, name, trust_password, CurrentMemoryContext);
	pgml_connection_ensure(conn);
	return conn;
}

void
pgml_dblink_open(const char *name, const char *target, bool trust_password)
{
	PgmlSession *session = find_session(name);
	PgmlConn   *conn;

	if (name != NULL && session != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_DUPLICATE_OBJECT),
				 errmsg("there is a dblink connection named \"%s\" already", name)));
	if (session != NULL)
		vacate_wire(session->conn, NULL);

	conn = connect_target(target, name, trust_password);
	if (name != NULL)
		session = &search_name(name, HASH_ENTER)->session;
	else if (session != NULL)
		close_conn(session->conn);
	else
		session = &unnamed_session;
	memset(session, 0, sizeof(PgmlSession));
	session->conn = conn;
	MemoryContextSetParent(conn->cxt, TopMemoryContext);
}

void
pgml_dblink_close(const char *name)
{
	PgmlConn   *conn = pgml_dblink_settled_session(name)->conn;

	if (name != NULL)
		search_name(name, HASH_REMOVE);
	else
		unnamed_session.conn = NULL;
	close_conn(conn);
}

/* Find or make the place where the idle connection of a mapping is kept. */
static KeptConn *
kept_conn(PgmlConn *conn)
{
	KeptKey		key = {conn->umid, conn->userid};
	KeptConn   *kept;
	bool		found;

	if (kept_conns == NULL)
	{
		HASHCTL		ctl = {.keysize = sizeof(KeptKey),.entrysize = sizeof(KeptConn)};

		kept_conns = hash_create("pgml dblink kept connections", 8, &ctl, HASH_ELEM | HASH_BLOBS);
	}
	kept = hash_search(kept_conns, &key, HASH_ENTER, &found);
	if (!found)
		kept->conn = NULL;
	return kept;
}

/* Close idle connections whose options have changed: their mapping may be gone. */
static void
forget_stale(void)
{
	HASH_SEQ_STATUS scan;
	KeptConn   *kept;

	if (kept_conns == NULL)
		return;
	hash_seq_init(&scan, kept_conns);
	while ((kept = hash_seq_search(&scan)) != NULL)
		if (kept->conn == NULL || kept->conn->invalidated)
		{
			if (kept->conn != NULL)
				pgml_connection_free(kept->conn);
			hash_search(kept_conns, &kept->key, HASH_REMOVE, NULL);
		}
}

/* Take the idle connection of a mapping, or make one. */
static PgmlConn *
take_kept(UserMapping *mapping)
{
	KeptKey		key = {mapping->umid, mapping->userid};
	KeptConn   *kept = kept_conns != NULL ? hash_search(kept_conns, &key, HASH_FIND, NULL) : NULL;
	PgmlConn   *conn;

	if (kept != NULL && kept->conn != NULL)
	{
		conn = kept->conn;
		kept->conn = NULL;
		MemoryContextSetParent(conn->cxt, CurrentMemoryContext);
		return conn;
	}
	forget_stale();
	conn = pgml_connection_create(mapping, CurrentMemoryContext);
	conn->stateless = true;
	return conn;
}

PgmlLease *
pgml_dblink_lease(const char *target, int busy_code)
{
	PgmlLease  *lease = palloc0(sizeof(PgmlLease));
	UserMapping *mapping;

	if (target == NULL || find_session(target) != NULL)
	{
		lease->conn = idle_session(target, busy_code)->conn;
		lease->of_session = true;
		return lease;
	}

	mapping = find_server(target);
	if (mapping != NULL)
		lease->conn = take_kept(mapping);
	else
		lease->conn = pgml_connection_create_string(target, NULL, false, CurrentMemoryContext);
	pgml_conn_claim(lease->conn);
	pgml_connection_ensure(lease->conn);
	return lease;
}

PgmlConn *
pgml_dblink_lease_conn(PgmlLease *lease)
{
	return lease->conn;
}

void
pgml_dblink_release(PgmlLease *lease, bool unchanged)
{
	PgmlConn   *conn = lease->conn;

	if (!lease->of_session)
	{
		KeptConn   *kept = conn->stateless && conn->keep ? kept_conn(conn) : NULL;

		if (kept != NULL && kept->conn == NULL && conn->sources == 0)
		{
			if (!unchanged)
				pgml_connection_reset(conn);
			kept->conn = conn;
			MemoryContextSetParent(conn->cxt, TopMemoryContext);
		}
		else
			close_conn(conn);
	}
	pfree(lease);
}

bool
pgml_dblink_forget(Oid serverid)
{
	HASH_SEQ_STATUS scan;
	KeptConn   *kept;
	bool		closed = false;

	if (kept_conns == NULL)
		return false;
	hash_seq_init(&scan, kept_conns);
	while ((kept = hash_seq_search(&scan)) != NULL)
		if (kept->conn != NULL && (!OidIsValid(serverid) || kept->conn->serverid == serverid))
		{
			closed = closed || kept->conn->pg != NULL;
			pgml_connection_free(kept->conn);
			kept->conn = NULL;
		}
	return closed;
}

void
pgml_dblink_visit(void (*visit) (PgmlConn *conn, void *arg), void *arg)
{
	HASH_SEQ_STATUS scan;
	KeptConn   *kept;

	if (kept_conns == NULL)
		return;
	hash_seq_init(&scan, kept_conns);
	while ((kept = hash_seq_search(&scan)) != NULL)
		if (kept->conn != NULL && kept->conn->pg != NULL)
			visit(kept->conn, arg);
}
