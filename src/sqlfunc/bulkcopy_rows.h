/*
 * bulkcopy_rows.h
 *		The rows that pull reads, by one connection or several.
 */
#ifndef PGML_SQLFUNC_BULKCOPY_ROWS_H
#define PGML_SQLFUNC_BULKCOPY_ROWS_H

#include "postgres.h"
#include "access/tupdesc.h"

#include "sqlfunc/bulkcopy.h"

typedef struct PgmlPullRows PgmlPullRows;

/*
 * Start to read the columns of desc, by their names, from relation: over the
 * call's connection, and call->jobs - 1 more whose transactions see its snapshot.
 * Blocks; throws.  Lives in the current context.
 */
extern PgmlPullRows *pgml_pull_rows_open(const PgmlCopyCall *call,
										 const PgmlBulkRelation *relation, TupleDesc desc);

/* The next row; by-reference values live until the next call.  false at the end. */
extern bool pgml_pull_rows_next(PgmlPullRows *rows, Datum *values, bool *nulls);

/* End what is still open. */
extern void pgml_pull_rows_close(PgmlPullRows *rows);

#endif							/* PGML_SQLFUNC_BULKCOPY_ROWS_H */
