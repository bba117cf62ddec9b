/*
 * security.h
 *		Who may connect with what.
 */
#ifndef PGML_REMOTE_SECURITY_H
#define PGML_REMOTE_SECURITY_H

#include "postgres.h"
#include "foreign/foreign.h"

#include "base/option.h"
#include "remote/connection.h"

/* Throw unless the current user has the USAGE privilege on the server. */
extern void pgml_security_check_usage(ForeignServer *server);

/* Find the user mapping of a role, or of PUBLIC, for a server; throws if there is none. */
extern UserMapping *pgml_security_mapping(Oid userid, Oid serverid);

/*
 * Before anything is sent: refuse parameters that nobody may set, and a
 * connection for which a non-superuser brings no secret of its own.  Throws.
 */
extern void pgml_security_check_before(PgmlConn *conn, ForeignServer *server,
									   UserMapping *mapping, const PgmlConnParams *params);

/*
 * After authentication: was it the user's own secret that opened the door?
 * Drops the connection before it throws.
 */
extern void pgml_security_check_after(PgmlConn *conn, ForeignServer *server,
									  UserMapping *mapping);

/*
 * Is the connection to be opened with the SCRAM keys that the local client has
 * authenticated with?  (Asked for by option, and there are such keys.)
 */
extern bool pgml_security_scram_passthrough(ForeignServer *server, UserMapping *mapping);

#endif							/* PGML_REMOTE_SECURITY_H */
