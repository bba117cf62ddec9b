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
	Cost		found;			/* the remote's own estimate of finding the rows; 0: there is none */
	bool		by_index;		/* the remote finds the wanted rows without reading the rest */
	QualCost	remote_quals;
	bool		sorted;			/* the remote sorts the rows */
	double		fetched;		/* rows that cross the wire */
	int			width;			/* bytes of each */
	QualCost	local_quals;	/* evaluated here for each fetched row */
} PgmlScanWork;

/* What the remote computes of several relations, or of the rows of one. */
typedef struct PgmlSelectWork
{
	Cost		find;			/* all that the remote does before rows can be sent, sorting left aside */
	bool		sorted;			/* the remote sorts the rows */
	double		sort_rows;		/* so many of them */
	double		fetched;		/* rows that cross the wire */
	int			width;			/* bytes of each */
	QualCost	local_quals;	/* evaluated here for each fetched row */
} PgmlSelectWork;

/* Cost of moving rows over the wire. */
extern Cost pgml_cost_wire(const PgmlOptions *options, double rows, int width);

extern void pgml_cost_select(const PgmlOptions *options, const PgmlSelectWork *work,
							 Cost *startup_cost, Cost *total_cost);

/* The remote's part of the work of a scan: what it costs to find the rows. */
extern Cost pgml_cost_find(const PgmlScanWork *work);

/* The remote's part of joining rows of two relations by equality, or by trying all pairs. */
extern Cost pgml_cost_join(double outer_rows, double inner_rows, double rows, bool equality);

/* The same where it looks up the matches of so many rows in an index; it need not find the others then. */
extern Cost pgml_cost_lookup(double outer_rows, double rows);

/* The remote grouping rows, or making them distinct. */
extern Cost pgml_cost_group(double rows, int columns, QualCost aggregates);

extern void pgml_cost_scan(const PgmlOptions *options, const PgmlScanWork *work,
						   Cost *startup_cost, Cost *total_cost);

#endif							/* PGML_PLAN_COST_H */
