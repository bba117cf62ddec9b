/*
 * estimate.h
 *		use_remote_estimate: the remote is asked what it thinks of what it is to compute.
 */
#ifndef PGML_PLAN_ESTIMATE_H
#define PGML_PLAN_ESTIMATE_H

#include "postgres.h"
#include "nodes/pathnodes.h"

#include "plan/relinfo.h"

/*
 * Ask for estimates of these relations (list of PgmlRelInfo) of one server and user, in one round
 * trip, as of queries that fetch what is needed for these expressions (a list of
 * lists).  Sets estimate of each, if the remote has an answer.  Blocks
 * (interruptibly); throws only if interrupted.
 */
extern void pgml_estimate_ask(PlannerInfo *root, List *infos, List *exprs);

/*
 * The same for a join, or what stands above one, if its options want it; true: the sizes in
 * info, the remote's cost among them, are now those of the remote.
 */
extern bool pgml_estimate_select(PlannerInfo *root, PgmlRelInfo *info, List *exprs);

#endif							/* PGML_PLAN_ESTIMATE_H */
