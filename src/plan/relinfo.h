/*
 * relinfo.h
 *		What the planner knows about one foreign relation while it plans.
 */
#ifndef PGML_PLAN_RELINFO_H
#define PGML_PLAN_RELINFO_H

#include "postgres.h"
#include "nodes/pathnodes.h"

#include "base/option.h"

typedef struct PgmlRelInfo
{
	PgmlOptions *options;
	List	   *remote_conds;	/* RestrictInfos that the remote evaluates */
	List	   *local_conds;	/* RestrictInfos that stay here */
	Bitmapset  *attrs_used;		/* attributes to fetch, offset by FirstLowInvalidHeapAttributeNumber */
	QualCost	remote_cost;	/* of remote_conds */
	QualCost	local_cost;		/* of local_conds */
	Selectivity local_sel;		/* of local_conds */
	double		rows;			/* that the scan returns, after local_conds */
	double		fetched;		/* that cross the wire */
	int			width;
	bool		run_once;		/* started again, its scan could see what the statement has done */
} PgmlRelInfo;

/* Build it for a base relation (GetForeignRelSize), and set the relation's sizes. */
extern void pgml_relinfo_build(PlannerInfo *root, RelOptInfo *rel, Oid relid);
extern PgmlRelInfo *pgml_relinfo_of(RelOptInfo *rel);

/*
 * Append each RestrictInfo of clauses to *remote or *local, by whether the
 * remote may evaluate it.
 */
extern void pgml_relinfo_split(PlannerInfo *root, RelOptInfo *rel, const PgmlOptions *options,
							   List *clauses, List **remote, List **local);

#endif							/* PGML_PLAN_RELINFO_H */
