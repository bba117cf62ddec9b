/*
 * conncache.h
 *		The connections that take part in the local transaction, one per user
 *		mapping, kept between transactions.
 */
#ifndef PGML_REMOTE_CONNCACHE_H
#define PGML_REMOTE_CONNCACHE_H

#include "postgres.h"
#include "foreign/foreign.h"

#include "remote/connection.h"

/* Register invalidation callbacks; called by _PG_init. */
extern void pgml_conncache_init(void);

/*
 * The connection of a mapping.  Doesn't touch the network: the first command
 * connects and begins the remote transaction.  Valid until the end of the
 * local top-level transaction.
 */
extern PgmlConn *pgml_conncache_get(UserMapping *mapping);

/* The same for a server and role: finds the mapping, throws if there is none. */
extern PgmlConn *pgml_conncache_get_for(Oid serverid, Oid userid);

/*
 * Close connections of one server (InvalidOid: of all).  Those in use by the
 * transaction are left with a WARNING.  True if any was closed.
 */
extern bool pgml_conncache_disconnect(Oid serverid);

/* Calls visit for each slot that is connected. */
extern void pgml_conncache_visit(void (*visit) (PgmlConn *conn, void *arg), void *arg);

#endif							/* PGML_REMOTE_CONNCACHE_H */
