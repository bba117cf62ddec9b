/*
 * ask.h
 *		Asking a server while planning, without depending on an answer.
 */
#ifndef PGML_PLAN_ASK_H
#define PGML_PLAN_ASK_H

#include "postgres.h"

#include "remote/connection.h"

/*
 * Call ask with a connection to the server for a user's mapping, in a subtransaction.  If
 * it throws, or the server can't be reached within five seconds, the server isn't asked
 * again for a minute, and nothing else happens; nor does anything if the connection is
 * busy just now, or in a parallel operation.  Blocks (interruptibly); throws only if interrupted.
 */
extern void pgml_ask_server(Oid serverid, Oid userid, void (*ask) (PgmlConn *conn, void *arg),
							void *arg);

#endif							/* PGML_PLAN_ASK_H */
