/*
 * bulkcopy_push.h
 *		Rows of a local query on their way to the remote.
 */
#ifndef PGML_SQLFUNC_BULKCOPY_PUSH_H
#define PGML_SQLFUNC_BULKCOPY_PUSH_H

#include "postgres.h"
#include "nodes/pg_list.h"

#include "sqlfunc/bulkcopy.h"

/* A local table or query. */
typedef struct PgmlLocalSource
{
	char	   *sql;			/* as it stands behind FROM */
	char	   *filter;			/* a condition on its rows; NULL: none */
	Oid			relid;			/* InvalidOid: a query */
	List	   *names;			/* char *, of its columns */
	Oid			types_of;		/* a table whose columns' types they get; InvalidOid: none */
	List	   *types;			/* without it: Oid, for each column that is sent; InvalidOid, NIL: as it is */
} PgmlLocalSource;

/*
 * Find a table, which the user must be allowed to read and which is locked then,
 * or describe a query.
 */
extern PgmlLocalSource *pgml_push_find_source(const char *text, const char *filter);

/*
 * Send columns of the source into those of a remote table (parallel lists of
 * char *); identity: values for GENERATED ALWAYS columns are among them.  Returns how
 * many rows the remote has inserted.  Blocks; throws.
 */
extern uint64 pgml_push_rows(PgmlConn *conn, const PgmlLocalSource *source, List *from,
							 const char *table, List *into, bool identity);

/* Throw if the source reads over a foreign server. */
extern void pgml_push_check_server(const PgmlLocalSource *source, Oid serverid);

#endif							/* PGML_SQLFUNC_BULKCOPY_PUSH_H */
