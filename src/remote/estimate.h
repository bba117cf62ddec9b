/*
 * estimate.h
 *		What the remote's planner thinks of queries.
 */
#ifndef PGML_REMOTE_ESTIMATE_H
#define PGML_REMOTE_ESTIMATE_H

#include "postgres.h"
#include "nodes/nodes.h"

#include "remote/connection.h"

typedef struct PgmlEstimate
{
	double		rows;
	int			width;
	Cost		cost;			/* of finding all rows */
} PgmlEstimate;

/*
 * Ask for the estimates of n queries, in one round trip.  False: the remote answers with an
 * error, after which a remote transaction that was open has failed, or with
 * something else than estimates.  Connects if need be; blocks (interruptibly), throws.
 */
extern bool pgml_estimate_explain(PgmlConn *conn, char **queries, int n, PgmlEstimate *estimates);

#endif							/* PGML_REMOTE_ESTIMATE_H */
