/*
 * answer.c
 *		The rows with which the remote answers a statement that a user wrote:
 *		as they come where that is safe, else all of them first.
 *
 * Safe is what the remote has proved to do nothing but read (describe.c).  Such a
 * statement becomes a subquery of ours and is read like a foreign table: as a
 * binary COPY, or with parameters as a statement, columns whose types differ as
 * text; it can be left at any row.  Every other statement is run to its end before
 * its first row is handed out: it has done all that it does, whatever becomes of
 * the rows.
 *
 * The proof costs a round trip, so it is tried only for what may deserve it: one
 * statement that begins like a query and reads from something.  Functions that are
 * parallel safe, and yet do something, are the server's own for administrators
 * (pg_terminate_backend): a text that mentions a name of that kind is no candidate.
 * Neither is anything in a transaction that the user has begun over dblink: it
 * couldn't be left without being aborted.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/guc.h"

#include "remote/command.h"
#include "sqlfunc/answer.h"

/* Does the text hold the word, in any case? */
static bool
mentions(const char *text, const char *word)
{
	size_t		len = strlen(word);

	for (; *text != '\0'; text++)
		if (pg_strncasecmp(text, word, len) == 0)
			return true;
	return false;
}

/* Skip blanks, comments and opening parentheses. */
static const char *
skip_to_word(const char *sql)
{
	for (;;)
	{
		sql += strspn(sql, " \t\r\n\f(");
		if (sql[0] == '-' && sql[1] == '-')
			sql += strcspn(sql, "\n");
		else if (sql[0] == '/' && sql[1] == '*' && strstr(sql, "*/") != NULL)
			sql = strstr(sql, "*/") + 2;
		else
			return sql;
	}
}

/* Does it begin as a query does? */
static bool
begins_as_query(const char *sql)
{
	static const char *const words[] = {"select", "with", "table", "values"};
	const char *word = skip_to_word(sql);

	for (int i = 0; i < (int) lengthof(words); i++)
		if (pg_strncasecmp(word, words[i], strlen(words[i])) == 0)
			return true;
	return false;
}

/* Copy a statement without a semicolon at its end; NULL if there may be more than one. */
static char *
single_statement(const char *sql)
{
	char	   *copy = pstrdup(sql);
	size_t		len = strlen(copy);

	while (len > 0 && strchr("; \t\r\n\f", copy[len - 1]) != NULL)
		copy[--len] = '\0';
	return strchr(copy, ';') == NULL ? copy : NULL;
}

bool
pgml_answer_is_single(const char *sql)
{
	return single_statement(sql) != NULL;
}

/* The statement as it can be proved and embedded; NULL: there is no hope. */
static char *
candidate(const PgmlQuestion *question)
{
	const char *sql = question->sql;

	if (!question->fail || question->into->declared == NULL || question->into->declared->natts == 0 ||
		(question->lease != NULL && pgml_command_remote_xact(question->conn) != PGML_XACT_NONE) ||
		!begins_as_query(sql) || !(mentions(sql, "from") || mentions(sql, "table")) ||
		mentions(sql, "pg_") || mentions(sql, "u&"))
		return NULL;
	return single_statement(sql);
}

/* Make the statement a subquery whose columns have names of ours. */
static void
embed(PgmlQuery *query, const char *sql, int ncols)
{
	StringInfoData tail;

	query->ncols = ncols;
	query->columns = palloc(ncols * sizeof(char *));
	initStringInfo(&tail);
	appendStringInfo(&tail, " FROM (%s\n) AS q(", sql);
	for (int i = 0; i < ncols; i++)
	{
		query->columns[i] = psprintf("q.c%d", i + 1);
		appendStringInfo(&tail, "%sc%d", i > 0 ? ", " : "", i + 1);
	}
	appendStringInfoChar(&tail, ')');
	query->tail = tail.data;
	query->guard_rows = true;
}

/* Remember how the remote writes what it sends as text; the connection may be gone when it is read. */
static void
note_styles(PgmlAnswer *answer, PgmlConn *conn)
{
	const char *date_style = pgml_connection_parameter(conn, "DateStyle");
	const char *interval_style = pgml_connection_parameter(conn, "IntervalStyle");

	for (int i = 0; i < answer->into->declared->natts; i++)
		answer->reads_text = answer->reads_text || pgml_codec_is_text(answer->codec, i);
	answer->date_style = date_style != NULL ? pstrdup(date_style) : NULL;
	answer->interval_style = interval_style != NULL ? pstrdup(interval_style) : NULL;
}

/* Let the rows come. */
static void
start_source(PgmlAnswer *answer, const PgmlQuestion *question, const char *sql)
{
	int			ncols = answer->into->declared->natts;
	AttrNumber *attnums = palloc(ncols * sizeof(AttrNumber));

	for (int i = 0; i < ncols; i++)
		attnums[i] = i + 1;
	answer->codec = pgml_codec_create(answer->into->declared, ncols, attnums);
	pgml_codec_take_what_fits(answer->codec);
	embed(&answer->query, sql, ncols);
	answer->source = pgml_source_create(question->params != NULL ? PGML_SOURCE_ROW : PGML_SOURCE_COPY,
										question->conn, &answer->query, answer->codec);
	pgml_source_start(answer->source, question->params);
	note_styles(answer, question->conn);
}

/*
 * Run it to its end.  In the transaction one statement travels apart from what
 * must be done before it: a syntax error then concerns nothing else.
 */
static void
gather(PgmlAnswer *answer, const PgmlQuestion *question)
{
	if (question->params != NULL ||
		(question->lease == NULL && pgml_answer_is_single(question->sql)))
		pgml_rows_start_params(question->conn, question->sql, question->params);
	else
		pgml_rows_start(question->conn, question->sql);
	pgml_gather_run(answer->into, question->conn, question->fail, false);
	if (question->lease == NULL)
		pgml_command_mark_write(question->conn);
	pgml_answer_close(answer);
}

/* Run the statement, or let its rows come. */
static void
ask_statement(PgmlAnswer *answer, const PgmlQuestion *question)
{
	char	   *sql = candidate(question);
	bool		only_reads = false;
	PgmlResult *columns = NULL;
	int			ncols = 0;

	if (question->lease == NULL)
		pgml_command_user_sql_begins(question->conn);
	if (sql != NULL)
	{
		columns = pgml_command_describe(question->conn, sql, question->params, &only_reads);
		ncols = pgml_result_ncols(columns);
	}
	/* a statement without columns is a command, SELECT INTO for one */
	if (!only_reads || ncols == 0)
		gather(answer, question);
	else if (ncols != answer->into->declared->natts)
		pgml_gather_throw_ncols(ncols, answer->into->declared->natts);
	else
		start_source(answer, question, sql);
	if (question->lease == NULL)
		pgml_command_user_sql_ends(question->conn);
	if (columns != NULL)
		pgml_result_free(columns);
}

/*
 * Let the rows of a FETCH or of an asynchronous query come.  Where an error isn't
 * raised it leaves no rows at all: then all of them must be known first.
 */
static void
ask_rows(PgmlAnswer *answer, const PgmlQuestion *question)
{
	PgmlConn   *conn = question->conn;

	if (question->kind == PGML_ASKS_FETCH)
		pgml_rows_start(conn, question->sql);
	if (question->fail && question->into->declared != NULL)
		answer->rows = pgml_text_rows_begin(question->into, conn);
	else
		pgml_gather_run(question->into, conn, question->fail, conn->async);
}

PgmlAnswer *
pgml_answer_get(const PgmlQuestion *question)
{
	PgmlAnswer *answer = palloc0(sizeof(PgmlAnswer));

	answer->into = question->into;
	answer->lease = question->lease;
	if (question->kind == PGML_ASKS_STATEMENT)
		ask_statement(answer, question);
	else
		ask_rows(answer, question);
	return answer;
}

bool
pgml_answer_streams(PgmlAnswer *answer)
{
	return answer->source != NULL || answer->rows != NULL;
}

/* Read dates and intervals as the remote has written them; -1: as we do. */
static int
adopt_styles(PgmlAnswer *answer)
{
	if (!answer->reads_text)
		return -1;
	return pgml_gather_adopt(answer->date_style, answer->interval_style);
}

bool
pgml_answer_next(PgmlAnswer *answer, Datum *values, bool *nulls)
{
	bool		found = false;

	if (answer->rows != NULL)
		found = pgml_text_rows_next(answer->rows, values, nulls);
	else if (answer->source != NULL)
	{
		int			nestlevel = adopt_styles(answer);

		found = pgml_source_next(answer->source, values, nulls);
		if (nestlevel >= 0)
			AtEOXact_GUC(true, nestlevel);
	}
	if (!found)
		pgml_answer_close(answer);
	return found;
}

void
pgml_answer_close(PgmlAnswer *answer)
{
	PgmlLease  *lease = answer->lease;
	PgmlTextRows *rows = answer->rows;
	bool		only_read = answer->source != NULL;

	answer->lease = NULL;
	answer->rows = NULL;
	if (rows != NULL)
		pgml_text_rows_end(rows);
	if (only_read)
		pgml_source_close(answer->source);
	answer->source = NULL;
	if (lease != NULL)
		pgml_dblink_release(lease, only_read);
}

/* Put the rows that come into the store. */
static void
keep_rows(PgmlAnswer *answer)
{
	PgmlGather *into = answer->into;
	MemoryContext old = MemoryContextSwitchTo(into->row_cxt);

	while (pgml_answer_next(answer, into->row_values, into->row_nulls))
	{
		CHECK_FOR_INTERRUPTS();
		tuplestore_putvalues(into->store, into->desc, into->row_values, into->row_nulls);
		MemoryContextReset(into->row_cxt);
	}
	MemoryContextSwitchTo(old);
}

Datum
pgml_answer_function(FunctionCallInfo fcinfo, PgmlAsk ask)
{
	PgmlQuestion question = {.fail = true,.into = pgml_gather_create_function(fcinfo)};
	PgmlGather *into = question.into;

	if (ask(fcinfo, &question))
	{
		PgmlAnswer *answer = pgml_answer_get(&question);

		if (answer->source != NULL)
			pgml_gather_start(into);
		if (pgml_answer_streams(answer))
			keep_rows(answer);
	}
	pgml_gather_return(into, fcinfo);
	return (Datum) 0;
}
