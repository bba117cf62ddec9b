/*
 * size.h
 *		What is asked of the remote while planning: sizes, and its default collation.
 */
#ifndef PGML_PLAN_SIZE_H
#define PGML_PLAN_SIZE_H

#include "postgres.h"
#include "nodes/pathnodes.h"

#include "base/option.h"

/*
 * Ask the remote what planning a scan of this relation hangs on and nobody here knows:
 * the size of a table that was never analyzed here, together with all others of its
 * server that the statement reads and nothing is known of; and whether its default
 * collation is ours, which is then told in options->same_collation (false: not known).
 * What was said in this session isn't asked again, and nothing if the remote can't be
 * asked just now.  Blocks (interruptibly); throws only if interrupted.
 */
extern void pgml_size_ask(PlannerInfo *root, RelOptInfo *rel, PgmlOptions *options);

/* Has the server said that its default collation is ours?  And which version has it (0: not known)?  Doesn't ask. */
extern bool pgml_size_same_collation(Oid serverid);
extern int	pgml_size_server_version(Oid serverid);

/*
 * Find out how many pages and rows a table has, by what the remote has said when
 * pgml_size_ask asked.  False: nobody knows.
 */
extern bool pgml_size_find(const PgmlOptions *options, double *pages, double *rows);

#endif							/* PGML_PLAN_SIZE_H */
