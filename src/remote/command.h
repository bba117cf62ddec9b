/*
 * command.h
 *		What can be said over a connection: commands, and streams of rows.
 *
 * Every call here first makes the wire free (parks its occupant), connects if
 * need be, queues what the local transaction demands of the remote one, and
 * sends all of that together with the command.  Waits are interruptible.
 * Errors of the remote are thrown as local errors with their SQLSTATE,
 * detail, hint, context and the remote SQL.  After an error the connection
 * may be anything: the abort of the local (sub)transaction puts it in order,
 * so callers need no PG_TRY.
 */
#ifndef PGML_REMOTE_COMMAND_H
#define PGML_REMOTE_COMMAND_H

#include "postgres.h"
#include "datatype/timestamp.h"

#include "remote/connection.h"

/*
 * A result of the remote.  It belongs to the memory context that was current
 * when it was made; freeing it earlier is allowed.
 */
typedef struct PgmlResult PgmlResult;

/* Make an empty one, to be filled by pgml_stream_next_rows. */
extern PgmlResult *pgml_result_create(void);
extern void pgml_result_free(PgmlResult *res);

/* Exchange what is in two of them. */
extern void pgml_result_swap(PgmlResult *a, PgmlResult *b);
extern int	pgml_result_nrows(PgmlResult *res);
extern int	pgml_result_ncols(PgmlResult *res);

/* Value as sent, always NUL-terminated; NULL for an SQL null. */
extern char *pgml_result_value(PgmlResult *res, int row, int col);
extern int	pgml_result_length(PgmlResult *res, int row, int col);
extern char *pgml_result_column_name(PgmlResult *res, int col);
extern Oid	pgml_result_column_type(PgmlResult *res, int col);
extern int	pgml_result_column_typmod(PgmlResult *res, int col);

/* Bytes of all its values together. */
extern int64 pgml_result_bytes(PgmlResult *res);

/* Was there no statement in the SQL at all? */
extern bool pgml_result_is_empty(PgmlResult *res);

/* Does it describe rows (as SELECT and RETURNING do), as opposed to a bare command? */
extern bool pgml_result_has_rows(PgmlResult *res);

/* Rows that the command changed or returned, by its tag; 0 where the tag has no count. */
extern uint64 pgml_result_affected(PgmlResult *res);

/* The command tag, "INSERT 0 1". */
extern const char *pgml_result_tag(PgmlResult *res);

/*
 * Values for the parameters $1 ... $n of a command, texts in the database
 * encoding; values[i] NULL for an SQL null.  types may be NULL, or
 * hold InvalidOid, for types that the remote is to infer.  Start with all of it
 * zero.
 */
typedef struct PgmlParams
{
	int			n;
	const Oid  *types;
	const char **values;

	/* NULL: all in text form; else of each whether it is binary (1), and then its length */
	const int  *formats;
	const int  *lengths;
} PgmlParams;

/*
 * Run SQL (one or more statements, simple protocol) and return the result of
 * the last one.
 */
extern PgmlResult *pgml_command_run(PgmlConn *conn, const char *sql);

/* The same for SQL that only reads on for a scan: FETCH. */
extern PgmlResult *pgml_command_read(PgmlConn *conn, const char *sql);

/*
 * As pgml_command_run, but an error of the remote is returned as a result for
 * which pgml_result_is_error() holds.  Only for connections in autocommit.
 */
extern PgmlResult *pgml_command_try(PgmlConn *conn, const char *sql);
extern bool pgml_result_is_error(PgmlResult *res);

/*
 * Run one SELECT that tells something of the remote and reads none of its
 * tables: in the remote transaction if there is one, else without beginning one,
 * and then with nothing set but search_path.  An error of the remote is returned
 * as by pgml_command_try; it fails a transaction that was open.
 */
extern PgmlResult *pgml_command_look(PgmlConn *conn, const char *sql);

/*
 * The same for several SELECTs or EXPLAINs in one message.  results, NULLs to begin with, get the
 * results of n of them.  False: one of them has failed, or there are fewer.
 */
extern bool pgml_command_look_all(PgmlConn *conn, const char *sql, PgmlResult **results, int n);

/* Report an error result at a level (ERROR doesn't return), with its SQLSTATE and all. */
extern void pgml_result_report(PgmlConn *conn, PgmlResult *res, int elevel);

/* Run one statement with parameters; all result columns in text. */
extern PgmlResult *pgml_command_run_params(PgmlConn *conn, const char *sql,
										   const PgmlParams *params);

/*
 * Prepare a statement under a name unique to this backend; returns the name,
 * allocated in the current context.  Doesn't block: the Parse travels with the
 * next command.  It lives until the remote transaction ends or
 * pgml_command_unprepare.
 */
extern char *pgml_command_prepare(PgmlConn *conn, const char *sql, int nparams,
								  const Oid *types);
extern PgmlResult *pgml_command_run_prepared(PgmlConn *conn, const char *name, const char *sql,
											 const PgmlParams *params);

/*
 * A train: commands that follow one another while the answers of those before are
 * still to come (train.c).  _send sends one (name NULL: unprepared) and waits until
 * the kernel has taken it, not for the answer.  _take waits for the oldest answer that
 * hasn't been taken and throws if it is an error, which shows sql: then none of
 * the commands behind it has been done.  _end, sent before the last answers are
 * taken, says that no more commands will come; with the last answer the wire
 * is free.  occupant's park is called when somebody else needs the wire, and must
 * end the train and take what is due.
 */
extern void pgml_train_send(PgmlConn *conn, PgmlOccupant *occupant, const char *name,
							const char *sql, const PgmlParams *params);
extern PgmlResult *pgml_train_take(PgmlConn *conn, const char *sql);
extern void pgml_train_end(PgmlConn *conn);

/* Sends the DEALLOCATE along with the next command; doesn't block. */
extern void pgml_command_unprepare(PgmlConn *conn, const char *name);

/*
 * Let the names in SQL that a user wrote mean what they mean to the remote role,
 * from the next command on; and no longer.  Both travel with the next command.
 * _ends throws if that SQL has ended the remote transaction.
 * For connections that take part in the transaction: they have a search path of ours.
 */
extern void pgml_command_user_sql_begins(PgmlConn *conn);
extern void pgml_command_user_sql_ends(PgmlConn *conn);

/*
 * Have the remote parse one statement and describe its columns (a result
 * without rows; without columns where the statement returns none), without running
 * it.  If only_reads isn't NULL, it is also told whether the remote has proved that
 * the statement does nothing but read, whatever views and functions it uses; for
 * that it must be one that EXPLAIN takes.  Errors are those that the statement
 * itself would meet.
 */
extern PgmlResult *pgml_command_describe(PgmlConn *conn, const char *sql,
										 const PgmlParams *params, bool *only_reads);

/*
 * Run SQL (simple protocol) and read its results one row at a time.  _next
 * waits for and returns, in this order for each statement, a result for each
 * row (nrows 1), then one with the remaining 0 rows and the command tag (has
 * rows or not, as the statement); NULL after the last statement.  With fail
 * false, an error of the remote is returned as the last result.  The result
 * belongs to the connection until the next call.  Not to be interleaved with
 * other commands: a connection with rows on the wire refuses them, unless they
 * have an occupant who can put them aside.
 */
extern void pgml_rows_start(PgmlConn *conn, const char *sql);

/* The same for one statement with parameters. */
extern void pgml_rows_start_params(PgmlConn *conn, const char *sql, const PgmlParams *params);
extern PgmlResult *pgml_rows_next(PgmlConn *conn, bool fail);

/*
 * Rows of a statement on a connection in autocommit that are read by and by,
 * one of which has come.  _occupy says who reads them.  From then on, whatever
 * becomes of the reader, the statement is never cancelled: what it has done there
 * stays, and what is left of its rows is skipped by who needs the wire next, or by
 * _skip, which blocks, and does nothing where none are left.  _leave: the reader
 * has seen the last row; never blocks.
 */
extern void pgml_rows_occupy(PgmlConn *conn, PgmlOccupant *occupant);
extern void pgml_rows_skip(PgmlConn *conn);
extern void pgml_rows_leave(PgmlConn *conn);

/*
 * Queries whose results are asked for later, perhaps in another transaction
 * (async.c); only for connections in autocommit.  _send sends SQL and returns
 * at once; false: an earlier query has results left, or the connection is lost.
 * Results are read by pgml_rows_next.  _busy says whether the next one is still to
 * come; it skips what has come of rows that nobody reads any more, and never
 * blocks.  A connection with results left over carries no other command:
 * conn->async.
 */
extern bool pgml_async_send(PgmlConn *conn, const char *sql);
extern bool pgml_async_busy(PgmlConn *conn);

/*
 * Ask the remote to give up what it does; blocks for a few seconds at most.
 * NULL, or why the request could not be made.
 */
extern const char *pgml_async_cancel(PgmlConn *conn);

/* What libpq has to say of the last thing that went wrong; NULL: nothing did.  In the current context. */
extern char *pgml_async_error(PgmlConn *conn);

/* A notification that another session has sent, in the current context. */
typedef struct PgmlNotification
{
	char	   *channel;
	int			pid;
	char	   *payload;
} PgmlNotification;

/* Take the next one that has arrived; false: there is none.  Never blocks. */
extern bool pgml_async_notification(PgmlConn *conn, PgmlNotification *result);

/*
 * Streams.  One at a time per connection; the occupant is told by park when
 * somebody else needs the wire.
 *
 * pgml_stream_start sends, in one message and without waiting,
 *	  the queued steps; SAVEPOINT; describe_sql; COPY (...) TO STDOUT (FORMAT binary)
 * The savepoint (if guard) lets an early stop cancel the query without losing
 * the remote transaction.  guard must be false where what the query did must
 * survive an early stop (row locks); then an early stop reads to the end.
 * describe_sql (may be NULL) must be a query that returns no rows, its
 * columns are those of the COPY.
 */
extern void pgml_stream_start(PgmlConn *conn, PgmlOccupant *occupant,
							  const char *describe_sql, const char *copy_sql, bool guard);

/* Wait for the description (result without rows). */
extern PgmlResult *pgml_stream_describe(PgmlConn *conn);

/*
 * Wait for more bytes of the stream and append them to buf, which is the
 * caller's: all that have come, up to its end or some 64 kB if it is empty.  They are the
 * contents of CopyData messages, without their borders.  Returns false at the
 * end of the stream, when the wire is free again (vacated).
 */
extern bool pgml_stream_read(PgmlConn *conn, StringInfo buf);

/* The same, but append only what has come, maybe nothing, and don't wait. */
extern bool pgml_stream_try_read(PgmlConn *conn, StringInfo buf);

/* Has what pgml_stream_describe or _next_rows would wait for come?  Never blocks. */
extern bool pgml_stream_has_answered(PgmlConn *conn);

/*
 * The socket to wait on until that may have changed.  libpq has taken from it what was
 * there: those who wait must have seen one of the above say no.
 */
extern int	pgml_stream_socket(PgmlConn *conn);

/* Wait until one of several sockets can be read, or for a moment; interruptibly. */
extern void pgml_stream_await_any(const int *sockets, int n);

/*
 * The same for rows of a query with parameters, by the extended protocol: name
 * is a prepared statement, or NULL to run sql unprepared.  All columns come in
 * binary form.  _next_rows waits for the next few rows (at least one) and puts
 * them into a result of the caller's; false at the end of the stream, when the
 * wire is free again.  If there are no rows at all, a result without rows comes
 * first, so that there is always one to tell the columns' types.
 */
extern void pgml_stream_start_rows(PgmlConn *conn, PgmlOccupant *occupant,
								   const char *name, const char *sql,
								   const PgmlParams *params, bool guard);
extern bool pgml_stream_next_rows(PgmlConn *conn, PgmlResult *into);

/*
 * End a stream before its end: drains what is small, else cancels the query
 * and rolls back to the guard.  Blocks; throws.  Does nothing if occupant is
 * no longer the connection's occupant.
 */
extern void pgml_stream_stop(PgmlConn *conn, PgmlOccupant *occupant);

/*
 * Forget an occupant whose memory is going away, without using the network;
 * for memory context callbacks.  The stream is ended by whoever needs the wire
 * next, or by the end of the transaction.
 */
extern void pgml_stream_orphan(PgmlConn *conn, PgmlOccupant *occupant);

/*
 * COPY ... FROM STDIN, a stream in the other direction.
 *
 * pgml_copyin_start sends the command behind the queued steps, without waiting.
 * _put hands over bytes: whole rows, in the format that the command names (its
 * header counts as one); it waits until there is room, and for the remote to be
 * ready at the first call.  False: nothing of these bytes was sent, the remote
 * has something to say; _finish must be called, and if that doesn't throw, the
 * COPY is over before its time, and another one may be started.  _finish ends
 * the COPY, waits, and returns how many rows the remote has counted;
 * then the wire is free.  All throw; an error of the remote says which
 * row it is about if the occupant can name it.  Whoever has less than all of
 * its rows sent when it is parked, sends them first.
 *
 * level is the local nest level to which the rows belong.  It may be less than
 * the current one, where a command in a subtransaction makes an outer statement send
 * them: a rollback of that subtransaction must not undo them.
 */
extern void pgml_copyin_start(PgmlConn *conn, PgmlOccupant *occupant, const char *sql, int level);
extern bool pgml_copyin_put(PgmlConn *conn, const char *data, Size len);
extern uint64 pgml_copyin_finish(PgmlConn *conn);

/*
 * Tell that there are rows which must be on the remote before the next command
 * runs there, though the wire isn't needed yet: then park is called, and must
 * leave the wire free.  The announcement ends with that call, with
 * pgml_copyin_start, or when it is withdrawn, which must happen before the
 * occupant's memory goes.  (Another announced COPY is no such command.)
 */
extern void pgml_copyin_announce(PgmlConn *conn, PgmlOccupant *occupant);
extern void pgml_copyin_withdraw(PgmlConn *conn, PgmlOccupant *occupant);

/* Mark the remote transaction as having changed something. */
extern void pgml_command_mark_write(PgmlConn *conn);

/*
 * Make the wire free: park the occupant, or end an orphaned stream.  Results of
 * a query that nobody waits for stay where they are (conn->async).  Called by
 * every command; rarely needed by itself.
 */
extern void pgml_conn_claim(PgmlConn *conn);

/*
 * For xact.c, while committing or aborting.
 *
 * _settle cancels whatever is on the wire and reads it to its end before the
 * deadline; never throws; false: it couldn't, the connection must be dropped.
 * _end_send and _end_finish are the start and finish halves of the command
 * that ends a transaction or goes back to a savepoint; queued steps are not
 * sent.  _end_finish with a deadline never throws and returns false on any
 * failure; with deadline 0 it waits interruptibly and throws.  tag is that of
 * the success which is expected, NULL: of any.
 */
extern bool pgml_command_settle(PgmlConn *conn, TimestampTz deadline);
extern bool pgml_command_end_send(PgmlConn *conn, const char *sql);
extern bool pgml_command_end_finish(PgmlConn *conn, const char *tag, TimestampTz deadline);

/* Queue a step; sql is copied. */
extern void pgml_command_queue(PgmlConn *conn, const char *sql, int level, int depth_after);

/* Forget queued steps that were asked for at this nest level or deeper. */
extern void pgml_command_unqueue(PgmlConn *conn, int level);

/* Levels that the remote transaction will have when the queue has been sent. */
extern int	pgml_command_planned_depth(PgmlConn *conn);

/* State of the remote transaction as libpq knows it. */
typedef enum PgmlRemoteXact
{
	PGML_XACT_NONE,				/* connected, no transaction */
	PGML_XACT_OPEN,
	PGML_XACT_FAILED,
	PGML_XACT_BUSY,				/* a command is running */
	PGML_XACT_LOST				/* not connected */
} PgmlRemoteXact;

extern PgmlRemoteXact pgml_command_remote_xact(PgmlConn *conn);

/* Append an SQL literal or identifier, quoted for the remote; encoding is checked. */
extern void pgml_append_literal(StringInfo buf, const char *value);
extern void pgml_append_identifier(StringInfo buf, const char *name);

#endif							/* PGML_REMOTE_COMMAND_H */
