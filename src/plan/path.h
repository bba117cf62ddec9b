/*
 * path.h
 *		Planner callbacks of the FdwRoutine: sizes, paths and plans.
 */
#ifndef PGML_PLAN_PATH_H
#define PGML_PLAN_PATH_H

#include "postgres.h"
#include "foreign/fdwapi.h"

/* path_scan.c */
extern void pgmlGetForeignRelSize(PlannerInfo *root, RelOptInfo *rel, Oid relid);
extern void pgmlGetForeignPaths(PlannerInfo *root, RelOptInfo *rel, Oid relid);
extern ForeignScan *pgmlGetForeignPlan(PlannerInfo *root, RelOptInfo *rel, Oid relid,
									   ForeignPath *best_path, List *tlist,
									   List *scan_clauses, Plan *outer_plan);

/* path_modify.c */
extern void pgmlAddForeignUpdateTargets(PlannerInfo *root, Index rtindex,
										RangeTblEntry *target_rte, Relation target_relation);
extern List *pgmlPlanForeignModify(PlannerInfo *root, ModifyTable *plan,
								   Index resultRelation, int subplan_index);

extern bool pgmlPlanDirectModify(PlannerInfo *root, ModifyTable *plan,
								 Index resultRelation, int subplan_index);

#endif							/* PGML_PLAN_PATH_H */
