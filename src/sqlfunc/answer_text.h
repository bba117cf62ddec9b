/*
 * answer_text.h
 *		Rows that come as text, one by one: those of FETCH and of asynchronous
 *		queries.
 */
#ifndef PGML_SQLFUNC_ANSWER_TEXT_H
#define PGML_SQLFUNC_ANSWER_TEXT_H

#include "postgres.h"

#include "sqlfunc/dblink_gather.h"

typedef struct PgmlTextRows PgmlTextRows;

/*
 * Become the reader of what was started by pgml_rows_start or pgml_async_send on a
 * connection in autocommit: of its next statement, which is the only one unless the
 * connection is asynchronous.  Waits for its first row; throws.  NULL: there are no
 * rows to come, but perhaps the tag of a command in "into".  The reader lives in
 * the current context; if that goes away before _end, nothing is cancelled.
 */
extern PgmlTextRows *pgml_text_rows_begin(PgmlGather *into, PgmlConn *conn);

/* The next row, in the current context; false at the end.  Blocks, throws. */
extern bool pgml_text_rows_next(PgmlTextRows *rows, Datum *values, bool *nulls);

/* Read the statement to its end, and throw if it fails there; frees the reader.  Blocks. */
extern void pgml_text_rows_end(PgmlTextRows *rows);

#endif							/* PGML_SQLFUNC_ANSWER_TEXT_H */
