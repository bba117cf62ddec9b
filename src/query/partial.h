/*
 * partial.h
 *		Aggregates in halves: which first halves can the remote compute?
 */
#ifndef PGML_QUERY_PARTIAL_H
#define PGML_QUERY_PARTIAL_H

#include "postgres.h"
#include "nodes/pathnodes.h"


/* What stands for the state of an aggregate that has seen some of the rows. */
typedef enum PgmlPartial
{
	PGML_PARTIAL_NONE,			/* nothing that SQL could tell */
	PGML_PARTIAL_RESULT,		/* the aggregate of these rows */
	PGML_PARTIAL_INTEGERS,		/* count and sum, an int8[] */
	PGML_PARTIAL_FLOATS,		/* count, sum, and 0 or NaN, a float8[] */
	PGML_PARTIAL_NUMERICS		/* count and sum, a numeric[], of which exec/aggstate.c makes the state */
} PgmlPartial;

/* Which of them for this Aggref, whose aggsplit is that of a first half? */
extern PgmlPartial pgml_partial_of(const Aggref *agg);

/* Can the remote compute it?  (That its arguments are shippable isn't asked here.) */
extern bool pgml_partial_is_possible(PlannerInfo *root, const Aggref *agg);

#endif							/* PGML_QUERY_PARTIAL_H */
