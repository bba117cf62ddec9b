/*
 * dblink_gather.h
 *		The whole result of a remote statement, in a tuplestore.
 */
#ifndef PGML_SQLFUNC_DBLINK_GATHER_H
#define PGML_SQLFUNC_DBLINK_GATHER_H

#include "postgres.h"
#include "fmgr.h"
#include "funcapi.h"
#include "utils/tuplestore.h"

#include "remote/command.h"

/* Rows on their way to the caller. */
typedef struct PgmlGather
{
	MemoryContext cxt;			/* of the store and the descriptor */
	TupleDesc	declared;		/* what the caller wants; NULL: it hasn't said */
	Tuplestorestate *store;
	TupleDesc	desc;			/* of what is in the store; NULL: nothing is */
	AttInMetadata *input;
	Datum	   *row_values;		/* the row that is on its way into the store */
	bool	   *row_nulls;
	MemoryContext row_cxt;		/* reset after each row */
} PgmlGather;

/*
 * Make a gather; store and descriptor live in cxt, the rest in the current
 * context.  random: rows are asked for more than once or backwards.
 */
extern PgmlGather *pgml_gather_create(MemoryContext cxt, TupleDesc declared, bool random);

/*
 * The same for the result of a set-returning function; throws where the caller
 * can't take one.  pgml_gather_return hands what has been gathered to the caller.
 */
extern PgmlGather *pgml_gather_create_function(FunctionCallInfo fcinfo);
extern void pgml_gather_return(PgmlGather *gather, FunctionCallInfo fcinfo);

/*
 * Gather the results of what was started by pgml_rows_start: of all
 * statements, of which the last one's result stays, or (once) of the next one
 * only.  A command without rows gives one row with its tag, in a text column;
 * an error is thrown, or (fail false) becomes a NOTICE and no result.  Blocks,
 * throws.
 */
extern void pgml_gather_run(PgmlGather *gather, PgmlConn *conn, bool fail, bool once);

/*
 * The first step of that, for those who read the rows themselves: take in a
 * result with which a statement begins.  True: it has rows, and the columns that
 * the caller has declared (this is their first, or there is none); false: the
 * statement is over.
 */
extern bool pgml_gather_begin(PgmlGather *gather, PgmlConn *conn, PgmlResult *res);

/*
 * Convert the value of a column, or the row of a result; the bytes are the
 * remote's, so they are verified.  In the current context.
 */
extern Datum pgml_gather_convert(PgmlGather *gather, int col, char *value, int len);
extern void pgml_gather_convert_row(PgmlGather *gather, PgmlResult *res, Datum *values, bool *nulls);

/* Report that there was no statement in the SQL. */
extern void pgml_gather_report_empty(PgmlConn *conn, int elevel);

/* Throw unless what has been gathered is of the shape that was declared. */
extern void pgml_gather_check(PgmlGather *gather);

/* Throw: the remote query has another number of columns than was declared. */
extern void pgml_gather_throw_ncols(int ncols, int declared);

/* Make it ready for rows of the declared shape, which others put into the store. */
extern void pgml_gather_start(PgmlGather *gather);

/*
 * Read dates and intervals as they are written under these settings (NULL: not
 * known), until the GUC nest level that is returned ends (also by an error).
 * -1: that is how they are read anyway.
 */
extern int	pgml_gather_adopt(const char *date_style, const char *interval_style);

#endif							/* PGML_SQLFUNC_DBLINK_GATHER_H */
