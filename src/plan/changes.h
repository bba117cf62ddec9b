/*
 * changes.h
 *		What is to be known of the rows that a statement changes, and when it is
 *		that they are changed.
 */
#ifndef PGML_PLAN_CHANGES_H
#define PGML_PLAN_CHANGES_H

#include "postgres.h"
#include "nodes/pathnodes.h"
#include "nodes/plannodes.h"
#include "utils/rel.h"

/* Must each row of the table be changed at once, because something here looks at what became of it? */
extern bool pgml_changes_are_watched(Relation rel, ModifyTable *plan);

/*
 * Do the rows of a statement's tables stay as they are until its scans have
 * ended?  True only where that is certain, for the planning of scans.
 */
extern bool pgml_changes_wait(PlannerInfo *root);

/*
 * Does anything need the whole old row of an UPDATE's result relation?  Core
 * always asks for it, but where the answer is no, columns that nobody asks for
 * by name may be null in it.
 */
extern bool pgml_changes_need_old_row(PlannerInfo *root, RelOptInfo *rel);

#endif							/* PGML_PLAN_CHANGES_H */
