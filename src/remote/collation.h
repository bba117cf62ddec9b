/*
 * collation.h
 *		Is the default collation of the remote's database that of ours?
 */
#ifndef PGML_REMOTE_COLLATION_H
#define PGML_REMOTE_COLLATION_H

#include "postgres.h"
#include "lib/stringinfo.h"

/*
 * Append an SQL expression, a scalar subquery, by which a remote of this version
 * (as PQserverVersion) describes its default collation.
 */
extern void pgml_collation_append_question(StringInfo buf, int server_version);

/* Is the collation that the remote describes so ours?  NULL: it says nothing, so no. */
extern bool pgml_collation_is_ours(const char *answer);

#endif							/* PGML_REMOTE_COLLATION_H */
