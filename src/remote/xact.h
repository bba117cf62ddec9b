/*
 * xact.h
 *		Remote transactions that follow the local one.
 */
#ifndef PGML_REMOTE_XACT_H
#define PGML_REMOTE_XACT_H

#include "postgres.h"
#include "lib/stringinfo.h"

#include "remote/connection.h"

/* Register the transaction callbacks; called by _PG_init. */
extern void pgml_xact_init(void);

/*
 * Let a connection take part in local transactions: from now on its commands
 * are preceded by the BEGIN and SAVEPOINTs that the local state calls for.
 */
extern void pgml_xact_join(PgmlConn *conn);

/* Append the settings that each remote transaction has, a semicolon before each. */
extern void pgml_xact_append_settings(StringInfo sql);

/* Counts the local top-level transactions of this backend. */
extern uint32 pgml_xact_number;

/* Has any connection with this server been used in the current transaction? */
extern bool pgml_xact_uses_server(Oid serverid);

#endif							/* PGML_REMOTE_XACT_H */
