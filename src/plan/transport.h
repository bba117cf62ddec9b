/*
 * transport.h
 *		How the rows of a scan are fetched.
 */
#ifndef PGML_PLAN_TRANSPORT_H
#define PGML_PLAN_TRANSPORT_H

#include "postgres.h"
#include "nodes/pathnodes.h"

#include "base/option.h"
#include "plan/planinfo.h"

/*
 * Choose the kind of source for a scan of rel by this path, in which the
 * remote is asked for about so many rows and whose query has these parameters
 * (list of Expr).  Fills kind, chosen_by_user, hands_on and what the query says for its kind.
 */
extern void pgml_transport_choose(PgmlScanPlan *plan, PlannerInfo *root, RelOptInfo *rel,
								  Path *path, const PgmlOptions *options,
								  double fetched, List *params);

/*
 * Is the query likely to be satisfied by so many rows of one relation, so that the scans of
 * others (partitions on other servers) had better wait?
 */
extern bool pgml_transport_is_enough(PlannerInfo *root, double rows);

#endif							/* PGML_PLAN_TRANSPORT_H */
