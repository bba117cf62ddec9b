/*
 * dblink_conn.h
 *		The connections that dblink's functions speak over.
 *
 * They stand outside the local transaction: each statement commits by itself,
 * as contrib's dblink has it.
 */
#ifndef PGML_SQLFUNC_DBLINK_CONN_H
#define PGML_SQLFUNC_DBLINK_CONN_H

#include "postgres.h"

#include "nodes/pg_list.h"
#include "remote/connection.h"

/* A connection that its user has opened and will close. */
typedef struct PgmlSession
{
	PgmlConn   *conn;			/* NULL: not open */
	bool		began;			/* dblink_open has begun the remote transaction */
	int			cursors;		/* that it has opened in there */
} PgmlSession;

/*
 * Connect to what target says, and keep the connection under a name, or as the
 * session's unnamed one (name NULL), which takes the place of the former.
 * trust_password: as dblink_connect_u.
 */
extern void pgml_dblink_open(const char *name, const char *target, bool trust_password);

/* Close such a connection; throws if there is none. */
extern void pgml_dblink_close(const char *name);

/* Find such a connection (name NULL: the unnamed one); throws if there is none. */
extern PgmlSession *pgml_dblink_session(const char *name);

/*
 * The same for one that is to be in the state that its user knows: rows that are
 * being read are put aside first, those that nobody reads any more are skipped.
 * Blocks.
 */
extern PgmlSession *pgml_dblink_settled_session(const char *name);

/* The same for one that is to carry a command: throws also where it is lost or busy. */
extern PgmlSession *pgml_dblink_idle_session(const char *name);

/* Is the unnamed connection open? */
extern bool pgml_dblink_has_unnamed(void);

/* The names of the open ones, a list of char *, in the current context. */
extern List *pgml_dblink_names(void);

/*
 * A connection for one call.  If the memory context that was current goes away
 * before it is given back (an error), one that isn't a session's is closed.
 */
typedef struct PgmlLease PgmlLease;

/*
 * Take the connection for one call: the unnamed one if target is NULL, else
 * that of this name, else one to the foreign server of this name, else one
 * made with target as a connection string.  busy_code is the SQLSTATE for the case
 * that an asynchronous query has results left on it.
 */
extern PgmlLease *pgml_dblink_lease(const char *target, int busy_code);
extern PgmlConn *pgml_dblink_lease_conn(PgmlLease *lease);

/*
 * Give it back.  unchanged: nothing that was run could have changed the state of
 * the remote session.
 */
extern void pgml_dblink_release(PgmlLease *lease, bool unchanged);

/* Connections to servers that are kept for later calls: close those of one server (InvalidOid: all). */
extern bool pgml_dblink_forget(Oid serverid);

/* Call visit for each of those. */
extern void pgml_dblink_visit(void (*visit) (PgmlConn *conn, void *arg), void *arg);

#endif							/* PGML_SQLFUNC_DBLINK_CONN_H */
