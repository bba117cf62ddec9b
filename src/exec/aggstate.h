/*
 * aggstate.h
 *		States of aggregates, from what the remote has sent in their place.
 */
#ifndef PGML_EXEC_AGGSTATE_H
#define PGML_EXEC_AGGSTATE_H

#include "postgres.h"
#include "nodes/pg_list.h"

/*
 * List the columns of a scan (its fdw_scan_tlist) that are such states, as attribute numbers.
 * They come as numeric[].
 */
extern List *pgml_aggstate_columns(List *scan_tlist);

/*
 * Make the states of one row, in place, in the current context.  What the remote has sent is
 * checked; throws.
 */
extern void pgml_aggstate_make(List *columns, List *scan_tlist, Datum *values, bool *nulls);

#endif							/* PGML_EXEC_AGGSTATE_H */
