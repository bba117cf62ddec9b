/*
 * tablesize.h
 *		How large the remote's tables are, as its own planner would reckon.
 */
#ifndef PGML_REMOTE_TABLESIZE_H
#define PGML_REMOTE_TABLESIZE_H

#include "postgres.h"

#include "remote/connection.h"

/* A table that is asked about, and what has been learned. */
typedef struct PgmlTableSize
{
	const char *schema;
	const char *name;
	const char *sql_name;		/* both, as SQL text: what readonly.c knows it by */

	bool		known;			/* the remote knows how large it is */
	double		pages;			/* of the table and all its children */
	double		rows;			/* in those of them that have been analyzed */
	double		uncounted;		/* pages of those that have not */
} PgmlTableSize;

/*
 * Ask the remote about n tables (0 is allowed), in one round trip; the first three
 * fields of each are given.  If same_collation isn't NULL, it also learns whether the
 * default collation of its database is that of ours.  What is learned of them on the way, readonly.c is told.
 * Returns false if the remote answers with an error, after which a remote
 * transaction that was open has failed.  Connects if need be; blocks
 * (interruptibly), throws.
 */
extern bool pgml_tablesize_ask(PgmlConn *conn, PgmlTableSize *tables, int n,
							   bool *same_collation);

#endif							/* PGML_REMOTE_TABLESIZE_H */
