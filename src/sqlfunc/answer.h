/*
 * answer.h
 *		The rows with which the remote answers a statement that a user wrote.
 */
#ifndef PGML_SQLFUNC_ANSWER_H
#define PGML_SQLFUNC_ANSWER_H

#include "postgres.h"
#include "fmgr.h"

#include "row/source.h"
#include "sqlfunc/answer_text.h"
#include "sqlfunc/dblink_conn.h"
#include "sqlfunc/dblink_gather.h"

typedef enum PgmlQuestionKind
{
	PGML_ASKS_STATEMENT,		/* any SQL */
	PGML_ASKS_FETCH,			/* a FETCH */
	PGML_ASKS_RESULT			/* the next result of what was sent before */
} PgmlQuestionKind;

/* What to ask, and where the answer goes. */
typedef struct PgmlQuestion
{
	PgmlQuestionKind kind;
	PgmlConn   *conn;
	PgmlLease  *lease;			/* of that connection; NULL: it takes part in the transaction */
	const char *sql;
	const PgmlParams *params;	/* NULL: none, and sql may hold several statements */
	bool		fail;			/* raise errors of the remote as such */
	PgmlGather *into;			/* what is wanted, and its place if it comes at once */
} PgmlQuestion;

/*
 * The answer: rows come as they are asked for, from a source or a reader of text,
 * or (both are NULL) all of it has been gathered.
 */
typedef struct PgmlAnswer
{
	PgmlSource *source;
	PgmlTextRows *rows;
	PgmlGather *into;
	PgmlLease  *lease;			/* to be given back */
	PgmlCodec  *codec;
	PgmlQuery	query;
	bool		reads_text;		/* some column comes as text, */
	char	   *date_style;		/* written in these ways */
	char	   *interval_style;
} PgmlAnswer;

/*
 * Run the statement.  The answer and what belongs to it live in the current
 * context, which closes what is open if it goes away.  Blocks, throws.
 */
extern PgmlAnswer *pgml_answer_get(const PgmlQuestion *question);

/* Is it certainly no more than one statement? */
extern bool pgml_answer_is_single(const char *sql);

/* Are there rows to come, as far as is known? */
extern bool pgml_answer_streams(PgmlAnswer *answer);

/* The next row of those that come; false at their end. */
extern bool pgml_answer_next(PgmlAnswer *answer, Datum *values, bool *nulls);

/* End it, early or not; what has been gathered stays. */
extern void pgml_answer_close(PgmlAnswer *answer);

/* Makes a question of a function's arguments; false: the answer is empty, whatever the remote says. */
typedef bool (*PgmlAsk) (FunctionCallInfo fcinfo, PgmlQuestion *question);

/* Return the whole answer as the result of a set-returning function. */
extern Datum pgml_answer_function(FunctionCallInfo fcinfo, PgmlAsk ask);

/* How the function that was called asks: for those whose answers a scan can stream. */
extern bool pgml_dblink_ask(FunctionCallInfo fcinfo, PgmlQuestion *question);
extern bool pgml_dblink_fetch_ask(FunctionCallInfo fcinfo, PgmlQuestion *question);
extern bool pgml_dblink_result_ask(FunctionCallInfo fcinfo, PgmlQuestion *question);
extern bool pgml_query_ask(FunctionCallInfo fcinfo, PgmlQuestion *question);
extern PGDLLEXPORT Datum pgml_dblink(PG_FUNCTION_ARGS);
extern PGDLLEXPORT Datum pgml_dblink_fetch(PG_FUNCTION_ARGS);
extern PGDLLEXPORT Datum pgml_dblink_get_result(PG_FUNCTION_ARGS);
extern PGDLLEXPORT Datum pgml_fdw_query(PG_FUNCTION_ARGS);

#endif							/* PGML_SQLFUNC_ANSWER_H */
