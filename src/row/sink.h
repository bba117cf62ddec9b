/*
 * sink.h
 *		Rows into a remote table, whatever takes them there.
 *
 * A sink knows neither planner nor executor: it is given the SQL text of the
 * statements in pieces and the values of rows as slots.
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

	/*
	 * If not NULL: the rows are to leave by this COPY, "COPY s.t(a) FROM STDIN", of the
	 * columns that have parameters, if the remote's answer to the question allows it.
	 */
	char	   *copy;

	/*
	 * NULL: don't ask.  A query about the remote table, with a row for each
	 * column that has a parameter: whether COPY does to that table what INSERT
	 * does; whether it does to that column; the column's type, of a
	 * domain the base type.
	 */
	char	   *question;
} PgmlInsert;

/* How the rows go. */
typedef enum PgmlSinkKind
{
	PGML_SINK_VALUES,			/* INSERT statements of many rows */
	PGML_SINK_COPY				/* one COPY FROM STDIN: nothing comes back for a row */
} PgmlSinkKind;

typedef struct PgmlSink PgmlSink;

/*
 * Make a sink in a context of its own below the current one.  If there is a
 * question, it is asked now: that blocks, and throws.  insert must outlive the
 * sink.  If the context goes away without a close (an error), nothing is leaked.
 */
extern PgmlSink *pgml_sink_create(PgmlConn *conn, const PgmlInsert *insert, TupleDesc desc);

/* Which kind has it become? */
extern PgmlSinkKind pgml_sink_kind(const PgmlSink *sink);

/* How many rows does it like to be given at a time?  0: as many as possible. */
extern int	pgml_sink_appetite(const PgmlSink *sink);

/*
 * Insert these rows.  Returns how many the remote has inserted; a COPY
 * returns nslots, its rows may leave later.  With RETURNING, *returned is the
 * result (text columns, current context), and nslots must be 1.
 */
extern uint64 pgml_sink_put(PgmlSink *sink, TupleTableSlot **slots, int nslots,
							PgmlResult **returned);

/* Send what is left, see that all of it has arrived, and free the sink; may block; throws. */
extern void pgml_sink_close(PgmlSink *sink);

/* The largest number of rows for one statement, given its number of columns. */
extern int	pgml_sink_max_rows(int ncols);

extern const char *pgml_sink_kind_name(PgmlSinkKind kind);

#endif							/* PGML_ROW_SINK_H */
