/*
 * source_kind.h
 *		What source.c and the kinds of sources (source_*.c) share.
 */
#ifndef PGML_ROW_SOURCE_KIND_H
#define PGML_ROW_SOURCE_KIND_H

#include "postgres.h"

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
};

/*
 * The SELECT with the values of its parameters as literals; columns that the
 * codec can't read as binary are asked for as text.  In the current context.
 */
extern char *pgml_source_render(PgmlSource *source, const PgmlParams *params);

/* source_copy.c */
extern const PgmlSourceOps pgml_source_copy_ops;

#endif							/* PGML_ROW_SOURCE_KIND_H */
