/*
 * source.h
 *		Rows of one remote query, one after the other, whatever brings them.
 *
 * A source is made without touching the network, (re)started with values for
 * its parameters, read, and closed.  When another command needs the wire in
 * the middle, the source parks: it takes the rest of its rows into a
 * tuplestore (work_mem, then disk) and goes on from there.
 */
#ifndef PGML_ROW_SOURCE_H
#define PGML_ROW_SOURCE_H

#include "postgres.h"
#include "executor/tuptable.h"

#include "remote/connection.h"
#include "row/codec.h"

/*
 * A remote query in pieces, so that single columns can be asked for as text
 * when their type turns out to differ: SELECT columns[0], ... tail.
 * tail holds parameters as $1, $2...; param_at says where (byte offsets of the
 * dollar signs in tail, ascending), since the same bytes may stand in a literal.
 */
typedef struct PgmlQuery
{
	int			ncols;
	char	  **columns;		/* an SQL expression each, a primary one (a column, or in
								 * parentheses), without parameters */
	char	   *tail;			/* " FROM ... WHERE ...", starts with a space */
	int			nparam_at;
	int		   *param_at;
	char	   *relation;		/* the remote table's name, if it reads just one; else NULL */
	bool		locks_rows;		/* FOR UPDATE etc.: an early stop must not undo it */
	bool		keeps_xact;		/* its rows will be changed: as long as the transaction lasts, nobody else can unseen */
	bool		guard_rows;		/* rows may be many: an early stop of source_row may cancel */
	int			fetch_size;		/* rows that source_cursor fetches at a time, */
	bool		fetch_grows;	/* to begin with: more each time */
} PgmlQuery;

/* How the rows come. */
typedef enum PgmlSourceKind
{
	PGML_SOURCE_COPY,			/* COPY (SELECT ...) TO STDOUT (FORMAT binary): bulk */
	PGML_SOURCE_ROW,			/* a statement with parameters, prepared if it is run again: few rows, rescans */
	PGML_SOURCE_CURSOR			/* a cursor, fetch_size rows at a time: an early stop, many scans at once */
} PgmlSourceKind;

typedef struct PgmlSource PgmlSource;

/*
 * Make a source in a memory context of its own below the current one.  If
 * that context goes away without a close (an error), nothing is leaked.
 * Copies nothing of query: it must outlive the source.
 */
extern PgmlSource *pgml_source_create(PgmlSourceKind kind, PgmlConn *conn,
									  const PgmlQuery *query, PgmlCodec *codec);

/*
 * Start, or start again from the beginning, with these values for $1 ... $n
 * (may be NULL; text form with types; copied).  May block; throws.
 */
extern void pgml_source_start(PgmlSource *source, const PgmlParams *params);

/*
 * Next row into values/nulls (an element per attribute of the codec's desc);
 * false at the end, and at each call after it.  By-reference values live
 * until the next call.
 */
extern bool pgml_source_next(PgmlSource *source, Datum *values, bool *nulls);

/*
 * The halves of pgml_source_start, for those who have something else to do while the
 * remote works.  _send sends the query, and doesn't wait for an answer (it may wait for a
 * connection to be made).  Then both ways of reading are allowed: _next, which waits, and
 * _try_next, which says PGML_NEXT_WAITS when it would have to; then the socket is to be
 * waited on, and only then.  (A cursor's rows are always waited for.)
 *
 * reader is any pointer.  pgml_source_rival tells who reads the stream that the connection
 * carries now (NULL: nobody, or somebody without a name); _send would make him put it aside.
 */
typedef enum PgmlNext
{
	PGML_NEXT_ROW,
	PGML_NEXT_END,
	PGML_NEXT_WAITS
} PgmlNext;

extern void pgml_source_send(PgmlSource *source, const PgmlParams *params, const void *reader);
extern PgmlNext pgml_source_try_next(PgmlSource *source, Datum *values, bool *nulls);
extern int	pgml_source_socket(const PgmlSource *source);
extern bool pgml_source_is_wire_idle(const PgmlSource *source);
extern const void *pgml_source_rival(const PgmlSource *source);

/* End the stream, early or not, so that the wire is free; may block; throws. */
extern void pgml_source_stop(PgmlSource *source);

/* Stop and free. */
extern void pgml_source_close(PgmlSource *source);

extern const char *pgml_source_kind_name(PgmlSourceKind kind);

/* What the source has cost so far, all its starts together.  The caller may add to it what it has waited for the socket. */
extern PgmlUsage *pgml_source_usage(PgmlSource *source);

#endif							/* PGML_ROW_SOURCE_H */
