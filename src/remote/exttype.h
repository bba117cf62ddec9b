/*
 * exttype.h
 *		Types of extensions whose binary form is known here: which OID has
 *		such a type on the remote?
 */
#ifndef PGML_REMOTE_EXTTYPE_H
#define PGML_REMOTE_EXTTYPE_H

#include "postgres.h"

#include "remote/connection.h"

/*
 * Find the local type among them: its place in the table, or -1 if it isn't one
 * that the extension has made here.
 */
extern int	pgml_exttype_find(Oid typid);

/*
 * The OID of the nth of them on the remote, InvalidOid if its extension isn't
 * installed there.  Asks the remote for all of them once per network
 * connection, so it may block, and park a stream; throws.
 */
extern Oid	pgml_exttype_remote_oid(PgmlConn *conn, int n);

#endif							/* PGML_REMOTE_EXTTYPE_H */
