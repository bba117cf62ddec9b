/*
 * stats.h
 *		Exact counters of what goes over the wire in this backend.
 *
 * They are counted, not sampled, so tests may assert them.  A round trip is a
 * wait for the remote that could not be avoided: from the moment we have
 * nothing left to do but wait until the next byte arrives, counted once per
 * flush.  Messages that nobody waits for are counted as messages only.
 */
#ifndef PGML_BASE_STATS_H
#define PGML_BASE_STATS_H

#include "postgres.h"

typedef struct PgmlStats
{
	int64		connects;		/* connections established */
	int64		messages;		/* protocol flushes sent (one simple query, one pipeline) */
	int64		round_trips;	/* flushes whose answer was waited for */
	int64		rows_in;		/* rows received in streams */
	int64		bytes_in;		/* payload bytes of received rows, and of imported statistics */
	int64		rows_out;		/* rows sent */
	int64		bytes_out;		/* bytes of SQL, parameters and rows handed to libpq */
	int64		parked;			/* streams drained because another command needed the wire */
	int64		cancelled;		/* cancel requests sent */
} PgmlStats;

extern PgmlStats pgml_stats;

#endif							/* PGML_BASE_STATS_H */
