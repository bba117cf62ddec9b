/*
 * size.h
 *		How large a foreign table is of which nothing is known here.
 */
#ifndef PGML_PLAN_SIZE_H
#define PGML_PLAN_SIZE_H

#include "postgres.h"
#include "nodes/pathnodes.h"

#include "base/option.h"

/*
 * Find out how many pages and rows a table has that was never analyzed here:
 * from what the remote has said in this session, or by asking it, together with
 * all others of its server that the statement reads and nothing is known of.
 * False: nobody knows, or the remote can't be asked just now.  Blocks
 * (interruptibly); throws only if interrupted.
 */
extern bool pgml_size_find(PlannerInfo *root, RelOptInfo *rel, const PgmlOptions *options,
						   double *pages, double *rows);

#endif							/* PGML_PLAN_SIZE_H */
