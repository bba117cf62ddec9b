/*
 * sink.h
 *		Rows into a remote table, by INSERT statements of many rows.
 *
 * A sink knows neither planner nor executor: it is given the SQL text of the
 * statement in pieces and the values of rows as slots.
 */
#ifndef PGML_ROW_SINK_H
#define PGML_ROW_SINK_H

#include "postgres.h"
#include "executor/tuptable.h"

#include "remote/connection.h"
#include "row/codec.h"

/*
 * INSERT INTO ... prefix VALUES (rows) suffix.  A wire column without a
 * parameter (a generated column) has default_cols[i] set and is sent as the
 * word DEFAULT.
 */
typedef struct PgmlInsert
{
	char	   *prefix;			/* "INSERT INTO s.t(a, b) VALUES " or, with no columns, "... DEFAULT VALUES" */
	char	   *suffix;			/* " ON CONFLICT DO NOTHING RETURNING a", or "" */
	int			ncols;
	AttrNumber *attnums;		/* attribute of the slot that fills column i */
	bool	   *default_cols;
	bool		returns;		/* has RETURNING */
} PgmlInsert;

typedef struct PgmlSink PgmlSink;

/*
 * Make a sink in a context of its own below the current one; doesn't touch the
 * network.  insert must outlive it.
 */
extern PgmlSink *pgml_sink_create(PgmlConn *conn, const PgmlInsert *insert, TupleDesc desc);

/*
 * Insert these rows in one remote statement (more, if there would be more
 * than 65535 parameters, or very many bytes).  Returns how many the remote has
 * inserted.  With RETURNING, *returned is the result (text columns, current
 * context), and nslots must be 1.
 */
extern uint64 pgml_sink_put(PgmlSink *sink, TupleTableSlot **slots, int nslots,
							PgmlResult **returned);

/* Forget the prepared statements; never blocks. */
extern void pgml_sink_close(PgmlSink *sink);

/* The largest number of rows for one statement, given its number of columns. */
extern int	pgml_sink_max_rows(int ncols);

#endif							/* PGML_ROW_SINK_H */
