/*
 * path.h
 *		Planner callbacks of the FdwRoutine: sizes, paths and plans.
 */
#ifndef PGML_PLAN_PATH_H
#define PGML_PLAN_PATH_H

#include "postgres.h"
#include "foreign/fdwapi.h"

#include "plan/relinfo.h"

/* path_scan.c */
extern void pgmlGetForeignRelSize(PlannerInfo *root, RelOptInfo *rel, Oid relid);
extern void pgmlGetForeignPaths(PlannerInfo *root, RelOptInfo *rel, Oid relid);
extern ForeignScan *pgmlGetForeignPlan(PlannerInfo *root, RelOptInfo *rel, Oid relid,
									   ForeignPath *best_path, List *tlist,
									   List *scan_clauses, Plan *outer_plan);

extern bool pgmlIsForeignPathAsyncCapable(ForeignPath *path);

/* The remote table's name as SQL text. */
extern char *pgml_relation_name(const PgmlOptions *options);

/* plan_select.c */

/*
 * List what the remote must send so that exprs can be computed here; false if
 * that isn't possible, or one of them can't be computed there.
 */
extern bool pgml_select_targets(PlannerInfo *root, const PgmlRelInfo *info, List *exprs,
								List **targets);

/* Describe the SELECT that stands for a relation; targets: Expr, its columns. */
extern PgmlSelect pgml_select_make(PlannerInfo *root, const PgmlRelInfo *info, List *targets,
								   List *pathkeys);

/* Plan the scan of a join or an upper relation. */
extern ForeignScan *pgml_plan_select(PlannerInfo *root, RelOptInfo *rel, ForeignPath *best_path,
									 List *tlist, Plan *outer_plan);

/* path_join.c */
extern void pgmlGetForeignJoinPaths(PlannerInfo *root, RelOptInfo *joinrel,
									RelOptInfo *outerrel, RelOptInfo *innerrel,
									JoinType jointype, JoinPathExtraData *extra);

/* path_upper.c */
extern void pgmlGetForeignUpperPaths(PlannerInfo *root, UpperRelationKind stage,
									 RelOptInfo *input_rel, RelOptInfo *output_rel,
									 void *extra);

/* path_subquery.c: takes subqueries of which the remote computes all for relations; called by _PG_init. */
extern void pgml_path_subquery_init(void);

/*
 * Have the privileges checked that the subqueries among these relations want: in a plan
 * without a node of their own core would forget them.  To be called when the plan is made.
 */
extern void pgml_subquery_keep_checks(PlannerInfo *root, Relids relids);

/* path_modify.c */
extern void pgmlAddForeignUpdateTargets(PlannerInfo *root, Index rtindex,
										RangeTblEntry *target_rte, Relation target_relation);
extern List *pgmlPlanForeignModify(PlannerInfo *root, ModifyTable *plan,
								   Index resultRelation, int subplan_index);

/*
 * List the columns that an INSERT sends, and those that RETURNING must bring back, as
 * attribute numbers.
 */
extern List *pgml_modify_inserted_columns(PlannerInfo *root, Relation rel,
										  const PgmlOptions *options);
extern List *pgml_modify_returned_columns(Relation rel, ModifyTable *plan, Index rti,
										  int subplan_index);

/* path_direct.c */
extern bool pgmlPlanDirectModify(PlannerInfo *root, ModifyTable *plan,
								 Index resultRelation, int subplan_index);

/* path_answer.c: offers to stream functions in FROM; called by _PG_init. */
extern void pgml_path_answer_init(void);

#endif							/* PGML_PLAN_PATH_H */
