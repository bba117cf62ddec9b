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
 * What a kind of source does.  start is only called for a source that is
 * stopped; stop must be harmless for one that is.
 */
typedef struct PgmlSourceOps
{
	const char *name;			/* as EXPLAIN shows it */
	PgmlSource *(*create) (PgmlConn *conn);
	void		(*start) (PgmlSource *source, const PgmlParams *params);
	bool		(*next) (PgmlSource *source, Datum *values, bool *nulls);
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

/*
 * Throw: the rest of a stream went with a subtransaction that was rolled back
 * while the scan goes on.
 */
pg_noreturn extern void pgml_source_lost(PgmlSource *source);

extern const PgmlSourceOps pgml_source_copy_ops;
extern const PgmlSourceOps pgml_source_row_ops;
extern const PgmlSourceOps pgml_source_cursor_ops;

#endif							/* PGML_ROW_SOURCE_KIND_H */
