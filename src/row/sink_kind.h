/*
 * sink_kind.h
 *		What sink.c and the kinds of sinks (sink_*.c) share.
 */
#ifndef PGML_ROW_SINK_KIND_H
#define PGML_ROW_SINK_KIND_H

#include "postgres.h"

#include "remote/command.h"
#include "row/encoder.h"
#include "row/sink.h"

/* What a kind of sink does; see sink.h. */
typedef struct PgmlSinkOps
{
	PgmlSinkKind kind;
	const char *name;			/* as EXPLAIN shows it */

	/* The encoder's columns have been proved; prepared: a statement for one row, or NULL. */
	PgmlSink   *(*create) (PgmlConn *conn, const PgmlInsert *insert, PgmlEncoder *encoder,
						   char *prepared);
	int			(*appetite) (const PgmlSink *sink);
	uint64		(*put) (PgmlSink *sink, TupleTableSlot **slots, int nslots, PgmlResult **returned);
	void		(*finish) (PgmlSink *sink);
} PgmlSinkOps;

/* The part that all kinds have; each kind's struct begins with it. */
struct PgmlSink
{
	const PgmlSinkOps *ops;
	MemoryContext cxt;			/* holds the sink and all that belongs to it */
	PgmlConn   *conn;
	const PgmlInsert *insert;
	PgmlEncoder *encoder;		/* of the columns that have parameters, in order */
	int			nparams;		/* of one row */
	MemoryContextCallback on_delete;
};

/* The INSERT for so many rows, in the current context. */
extern char *pgml_sink_render(const PgmlInsert *insert, int nrows);

extern const PgmlSinkOps pgml_sink_values_ops;
extern const PgmlSinkOps pgml_sink_copy_ops;

#endif							/* PGML_ROW_SINK_KIND_H */
