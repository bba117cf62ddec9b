/*
 * joined.h
 *		UPDATE and DELETE of the rows that have keys of other rows, without reading them first.
 */
#ifndef PGML_PLAN_JOINED_H
#define PGML_PLAN_JOINED_H

#include "postgres.h"
#include "nodes/pathnodes.h"
#include "nodes/plannodes.h"
#include "utils/rel.h"

/*
 * If the rows of a result relation, of which nobody here asks what became of each, are
 * found by a join with others, and what is set depends on the others only: put the plan
 * of the others in the place of the join.  Its rows carry the keys as junk columns
 * (pgml_planinfo_key_junk), a null in which is no key.  *repeat: several of them may have the
 * same key, of which the first wins.  Returns the key columns (an int list); NIL: it isn't so,
 * the plan is as it was.
 */
extern List *pgml_joined_replace(PlannerInfo *root, ModifyTable *plan, Index rti, Relation rel,
								 bool *repeat);

#endif							/* PGML_PLAN_JOINED_H */
