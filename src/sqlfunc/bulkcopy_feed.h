/*
 * bulkcopy_feed.h
 *		An INSERT of the local executor whose rows come from C.
 */
#ifndef PGML_SQLFUNC_BULKCOPY_FEED_H
#define PGML_SQLFUNC_BULKCOPY_FEED_H

#include "postgres.h"
#include "access/tupdesc.h"

/* Fills a row, an element for each column of the feed; false: there are no more. */
typedef bool (*PgmlFeedNext) (void *arg, Datum *values, bool *nulls);

/* Append what stands behind FROM for the feed: its columns are named and typed as desc says. */
extern void pgml_feed_append(StringInfo sql, TupleDesc desc);

/*
 * Plan an INSERT ... SELECT from the feed and run it; returns the number of rows
 * that it has inserted or updated.  Blocks as next does; throws.
 */
extern uint64 pgml_feed_run(const char *insert, PgmlFeedNext next, void *arg);

#endif							/* PGML_SQLFUNC_BULKCOPY_FEED_H */
