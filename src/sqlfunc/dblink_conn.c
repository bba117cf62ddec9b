/*
 * dblink_conn.c
 *		Which connection a dblink function means, and those that a session keeps.
 *
 * A connection that stays is made below the memory of the call first, so that
 * an error on the way closes it, and moved to the session's memory when it has
 * proved itself.  A kept connection is never connected anew behind the user's
 * back: its session state would be gone.
 */
#include "postgres.h"

#include "catalog/pg_foreign_server.h"
#include "foreign/foreign.h"
#include "miscadmin.h"
#include "parser/scansup.h"
#include "utils/builtins.h"
#include "utils/hsearch.h"

#include "base/compat.h"
#include "sqlfunc/dblink_conn.h"

/* A connection that has a name. */
typedef struct NamedConn
{
	NameData	name;			/* hash key */
	PgmlConn   *conn;
} NamedConn;

static HTAB *named_conns = NULL;
static PgmlConn *unnamed_conn = NULL;

/* Look for, enter or remove a name, cut as identifiers are; NULL if not found. */
static NamedConn *
search_name(const char *name, HASHACTION action)
{
	NameData	key;
	char	   *cut = pstrdup(name);

	if (named_conns == NULL)
	{
		HASHCTL		ctl = {.keysize = sizeof(NameData), .entrysize = sizeof(NamedConn)};

		named_conns = hash_create("pgml dblink connections", 16, &ctl, HASH_ELEM | HASH_STRINGS);
	}
	truncate_identifier(cut, strlen(cut), action == HASH_ENTER);
	namestrcpy(&key, cut);
	pfree(cut);
	return hash_search(named_conns, &key, action, NULL);
}

pg_noreturn static void
throw_missing(const char *name)
{
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
 * Refuse a connection whose rows an outer call is still reading: the types of
 * its columns may have conditions that call us.
 */
static void
check_idle(PgmlConn *conn, const char *name)
{
	if (conn->wire != PGML_WIRE_IDLE)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_IN_USE),
				 errmsg("the dblink connection \"%s\" is being used by another call",
						name != NULL ? name : "unnamed")));
}

/* Make, without connecting, a connection to a foreign server of any wrapper; NULL if there is no such server. */
static PgmlConn *
create_for_server(const char *name)
{
	char	   *cut = pstrdup(name);
	ForeignServer *server;

	truncate_identifier(cut, strlen(cut), false);
	server = GetForeignServerByName(cut, true);
	pfree(cut);
	if (server == NULL)
		return NULL;

	if (pgml_usage_aclcheck(ForeignServerRelationId, server->serverid,
							GetUserId()) != ACLCHECK_OK)
		aclcheck_error(ACLCHECK_NO_PRIV, OBJECT_FOREIGN_SERVER, server->servername);
	return pgml_connection_create(GetUserMapping(GetUserId(), server->serverid),
								  CurrentMemoryContext);
}

/* Connect to what a server's name or a connection string says. */
static PgmlConn *
connect_target(const char *target)
{
	PgmlConn   *conn = create_for_server(target);

	if (conn == NULL)
		conn = pgml_connection_create_string(target, false, CurrentMemoryContext);
	pgml_connection_ensure(conn);
	return conn;
}

void
pgml_dblink_open(const char *name, const char *target)
{
	PgmlConn   *conn;

	if (name != NULL && search_name(name, HASH_FIND) != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_DUPLICATE_OBJECT),
				 errmsg("there is a dblink connection named \"%s\" already", name)));
	if (name == NULL && unnamed_conn != NULL)
		check_idle(unnamed_conn, NULL);

	conn = connect_target(target);
	if (name != NULL)
		search_name(name, HASH_ENTER)->conn = conn;
	else
	{
		if (unnamed_conn != NULL)
			pgml_connection_free(unnamed_conn);
		unnamed_conn = conn;
	}
	MemoryContextSetParent(conn->cxt, TopMemoryContext);
}

void
pgml_dblink_close(const char *name)
{
	NamedConn  *entry = name != NULL ? search_name(name, HASH_FIND) : NULL;
	PgmlConn   *conn = name == NULL ? unnamed_conn : entry != NULL ? entry->conn : NULL;

	if (conn == NULL)
		throw_missing(name);
	check_idle(conn, name);
	if (name != NULL)
		search_name(name, HASH_REMOVE);
	else
		unnamed_conn = NULL;
	pgml_connection_free(conn);
}

PgmlConn *
pgml_dblink_find(const char *target, bool *is_new)
{
	NamedConn  *entry = target != NULL ? search_name(target, HASH_FIND) : NULL;
	PgmlConn   *conn = target == NULL ? unnamed_conn : entry != NULL ? entry->conn : NULL;

	*is_new = conn == NULL;
	if (conn == NULL && target == NULL)
		throw_missing(NULL);
	if (conn == NULL)
		return connect_target(target);

	check_idle(conn, target);
	if (!pgml_connection_is_open(conn))
		ereport(ERROR,
				(errcode(ERRCODE_CONNECTION_FAILURE),
				 errmsg("the dblink connection \"%s\" was lost", target != NULL ? target : "unnamed"),
				 errhint("Close it with dblink_disconnect() and open it anew.")));
	return conn;
}
