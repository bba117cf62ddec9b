/*
 * readonly.h
 *		Remote transactions that only read: their end need not be waited for,
 *		and may come early.
 */
#ifndef PGML_REMOTE_READONLY_H
#define PGML_REMOTE_READONLY_H

#include "postgres.h"

#include "remote/connection.h"

/* A remote transaction begins; nothing has been read in it. */
extern void pgml_readonly_begin(PgmlConn *conn);

/*
 * A scan begins, ends, or is forgotten by an error (the last one doesn't use
 * the network and doesn't throw).  relation is the remote table's qualified
 * name as SQL text; NULL: more, or something else, than a table.  A scan that
 * locks rows, or whose rows are going to be changed, is no reading.
 *
 * When the last one ends and the server's option release_early is set, so does
 * the remote transaction.
 */
extern void pgml_readonly_scan_begins(PgmlConn *conn, const char *relation, bool locks);
extern void pgml_readonly_scan_ends(PgmlConn *conn);
extern void pgml_readonly_scan_forgotten(PgmlConn *conn);

/* Has a scan begun that hasn't come to its end? */
extern bool pgml_readonly_is_reading(const PgmlConn *conn);

/* Note whether a table is plain, before anybody has to ask. */
extern void pgml_readonly_learn(PgmlConn *conn, const char *relation, bool plain);

/* Forget what is known of the remote's tables. */
extern void pgml_readonly_forget_tables(PgmlConn *conn);

/* Something else than a scan is run in the remote transaction. */
extern void pgml_readonly_other_command(PgmlConn *conn);

/*
 * Commit without waiting for the answer, if that is safe; false: it isn't,
 * nothing has been done.  Throws.
 */
extern bool pgml_readonly_commit(PgmlConn *conn);

/* Take in the answer to such a COMMIT, or to a reset, if one is still to come; throws only on interrupts. */
extern void pgml_readonly_finish_late(PgmlConn *conn);

#endif							/* PGML_REMOTE_READONLY_H */
