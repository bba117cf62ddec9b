/*
 * source_kind.h
 *		What source.c and the kinds of sources (source_*.c) share.
 */
#ifndef PGML_ROW_SOURCE_KIND_H
#define PGML_ROW_SOURCE_KIND_H

#include "postgres.h"

#include "base/compat.h"
#include "remote/command.h"
#include "row/source.h"

/*
 * What a kind of source does.
 *
 * send is only called for a source that is stopped.  The remote's answer begins with a
 * description of the columns, which prove receives and has the codec judge; if need
 * be it sends the query again (with source->params) and receives another.  With wait false
 * it returns false where it would have to wait, else true.  It is called before the
 * first row is read or put aside, by source.c or by the kind's own park.
 *
 * next says PGML_NEXT_WAITS only with wait false, and never reads the columns of a
 * source that hasn't been proved.  stop must be harmless for a source that is stopped.
 */
typedef struct PgmlSourceOps
{
	const char *name;			/* as EXPLAIN shows it */
	PgmlSource *(*create) (PgmlConn *conn);
	void		(*send) (PgmlSource *source);
	bool		(*prove) (PgmlSource *source, bool wait);
	PgmlNext	(*next) (PgmlSource *source, Datum *values, bool *nulls, bool wait);
	void		(*stop) (PgmlSource *source);
} PgmlSourceOps;

/* The part that all kinds have; each kind's struct begins with it. */
struct PgmlSource
{
	const PgmlSourceOps *ops;
	MemoryContext cxt;			/* holds the source and all that belongs to it */
	PgmlConn   *conn;
	const PgmlQuery *query;
	PgmlCodec  *codec;
	const PgmlParams *params;	/* of the current start, until it is proved; may be NULL */
	MemoryContext params_cxt;	/* holds them if they must outlive the call; NULL: not yet made */
	const void *reader;			/* of the current start */
	bool		proved;			/* the columns are known to be what the codec expects */
	PgmlUsage	usage;
	bool		reading;		/* it counts among the connection's readers */
	uint32		xact;			/* of this remote transaction (conn->xact) */
	MemoryContextCallback on_delete;
};

/*
 * The SELECT, its parameters as $1 ... or with their values as literals;
 * columns that the codec can't read as binary are asked for as text.  In the
 * current context.
 */
extern char *pgml_source_render(PgmlSource *source);
extern char *pgml_source_render_literal(PgmlSource *source, const PgmlParams *params);

/* Make the source known to the connection whose stream it reads; before it is sent. */
extern void pgml_source_sign(PgmlSource *source, PgmlOccupant *occupant);

/*
 * Throw: the rest of a stream went with a subtransaction that was rolled back
 * while the scan goes on.
 */
pg_noreturn extern void pgml_source_lost(PgmlSource *source);

extern const PgmlSourceOps pgml_source_copy_ops;
extern const PgmlSourceOps pgml_source_row_ops;
extern const PgmlSourceOps pgml_source_cursor_ops;

#endif							/* PGML_ROW_SOURCE_KIND_H */
