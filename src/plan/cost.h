/*
 * cost.h
 *		What a foreign scan costs.
 */
#ifndef PGML_PLAN_COST_H
#define PGML_PLAN_COST_H

#include "postgres.h"
#include "nodes/pathnodes.h"

#include "base/option.h"

/* What a scan makes the remote read, the wire carry, and us do. */
typedef struct PgmlScanWork
{
	double		pages;			/* of the remote table */
	double		tuples;			/* in the remote table */
	bool		by_index;		/* the remote finds the wanted rows without reading the rest */
	QualCost	remote_quals;
	bool		sorted;			/* the remote sorts the rows */
	double		fetched;		/* rows that cross the wire */
	int			width;			/* bytes of each */
	QualCost	local_quals;	/* evaluated here for each fetched row */
} PgmlScanWork;

extern void pgml_cost_scan(const PgmlOptions *options, const PgmlScanWork *work,
						   Cost *startup_cost, Cost *total_cost);

#endif							/* PGML_PLAN_COST_H */
