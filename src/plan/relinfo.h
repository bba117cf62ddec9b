/*
 * relinfo.h
 *		What the planner knows about one foreign relation while it plans.
 */
#ifndef PGML_PLAN_RELINFO_H
#define PGML_PLAN_RELINFO_H

#include "postgres.h"
#include "nodes/pathnodes.h"

#include "base/option.h"
#include "query/select.h"
#include "remote/estimate.h"

/*
 * For a base relation, a join, and what stands above them.  One that the remote
 * can't compute has none.
 */
typedef struct PgmlRelInfo
{
	PgmlOptions *options;
	Oid			userid;			/* whose mapping leads to the server */
	List	   *remote_conds;	/* RestrictInfos that the remote evaluates */
	List	   *local_conds;	/* RestrictInfos that stay here */
	Bitmapset  *attrs_used;		/* of a base relation: attributes to fetch, offset by FirstLowInvalidHeapAttributeNumber */

	Expr	   *bound;			/* no query needs more rows of it, if they are sorted as the query wants; NULL: it may */

	/* what the remote is asked for, when it isn't just a base relation */
	Relids		relids;			/* base relations in it */
	Relids		visible;		/* those whose columns can be had: others are only tested for */
	Relids		planned;		/* subqueries in it: see pgml_subquery_keep_checks */
	Relids		nullable;		/* those whose rows an outer join may make null */
	const PgmlFrom *from;
	List	   *exists;			/* PgmlExists: with remote_conds, the condition behind FROM */
	bool		grouped;		/* there are aggregates or groups; local_conds are of HAVING */
	List	   *group;			/* Expr */
	List	   *having;			/* Expr that the remote evaluates */
	List	   *grouping_sets;	/* lists of Expr */
	bool		windowed;		/* there may be window functions */
	List	   *run_conds;		/* Expr: what core wants of window functions' results, of a subquery's condition */
	List	   *distinct_on;	/* Expr */
	List	   *distinct;		/* Expr: all that there is, made distinct */
	List	   *sort;			/* PgmlSortKey; NIL: as the path says */
	Expr	   *limit;
	Expr	   *offset;
	bool		with_ties;

	QualCost	remote_cost;	/* of remote_conds */
	QualCost	local_cost;		/* of local_conds */
	Selectivity local_sel;		/* of local_conds */
	double		rows;			/* that the scan returns, after local_conds */
	double		fetched;		/* that cross the wire */
	int			width;
	const PgmlEstimate *estimate;	/* what the remote has said of all that; NULL: nothing */
	bool		asked;			/* it has been asked */
	bool		guessed;		/* nobody has counted the rows of one of its tables */
	Cost		find_cost;		/* of the remote finding them */
	const PgmlSubquery *as_subplan; /* of a last step: it as a subquery in an expression, if that was asked for */
	bool		run_once;		/* started again, its scan could see what the statement has done */
	bool		concurrent;		/* its scan may run at the same time as those of other relations */
} PgmlRelInfo;

/* Build it for a base relation (GetForeignRelSize), and set the relation's sizes. */
extern void pgml_relinfo_build(PlannerInfo *root, RelOptInfo *rel, Oid relid);
extern PgmlRelInfo *pgml_relinfo_of(RelOptInfo *rel);

/*
 * How the remote is to lock a base relation's rows: as the query says (FOR SHARE, SKIP
 * LOCKED ...), and those that are going to be changed against other changes.
 */
extern PgmlRowLock pgml_relinfo_lock(PlannerInfo *root, Index rti);

/* Is the relation one whose rows the statement updates or deletes? */
extern bool pgml_relinfo_is_changed(PlannerInfo *root, Index rti);

/* The role whose privileges a relation is read with. */
extern Oid	pgml_relinfo_userid(RelOptInfo *rel);

/* List what its columns are wanted for: the target, and conditions that stay here. */
extern List *pgml_relinfo_exprs(RelOptInfo *rel, const PgmlRelInfo *info);

/* Note what is known of a join or an upper relation. */
extern void pgml_relinfo_set(RelOptInfo *rel, PgmlRelInfo *info);

/*
 * Append each RestrictInfo of clauses to *remote or *local, by whether the
 * remote may evaluate it.
 */
extern void pgml_relinfo_split(PlannerInfo *root, RelOptInfo *rel, const PgmlOptions *options,
							   List *clauses, List **remote, List **local);

#endif							/* PGML_PLAN_RELINFO_H */
