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

#include "remote/connection.h"

/*
 * Connect to what target says, and keep the connection under a name, or as the
 * session's unnamed one (name NULL), which takes the place of the former.
 */
extern void pgml_dblink_open(const char *name, const char *target);

/* Close a kept connection; throws if there is none. */
extern void pgml_dblink_close(const char *name);

/*
 * Find the connection for one call: the unnamed one if target is NULL, else
 * that of this name, else a new one to the foreign server of this name, else
 * one made with target as a connection string.  A new one belongs to the
 * current memory context; *is_new tells the caller to free it after use.
 */
extern PgmlConn *pgml_dblink_find(const char *target, bool *is_new);

#endif							/* PGML_SQLFUNC_DBLINK_CONN_H */
