/*
 * command.c
 *		Commands: one message out, its results back, the last one kept.
 *
 * Streams of rows are stream.c's; what goes over the wire and how it is waited
 * for is wire.c's.
 */
#include "postgres.h"

#include "access/xact.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "remote/readonly.h"
#include "remote/wire.h"

/*
 * Receive all results of the message; the last one, or the first error.  On
 * the way it is kept in the connection, where an interrupt can't leak it.
 */
static PGresult *
receive_last(PgmlConn *conn, TimestampTz deadline)
{
	PGresult   *res;

	while (pgml_wire_next(conn, deadline, &res) && res != NULL)
	{
		/* while a transaction is ended: a COPY that nobody has asked for */
		if (pgml_wire_is_copy(res))
		{
			PQclear(res);
			return NULL;
		}

		/* an error ends the message, nothing but its echo can follow */
		if (conn->kept != NULL && !pgml_wire_ok(conn->kept))
			PQclear(res);
		else
		{
			PQclear(conn->kept);
			conn->kept = res;
		}
	}
	if (conn->wire != PGML_WIRE_IDLE)
		return NULL;

	res = conn->kept;
	conn->kept = NULL;
	return res;
}

/* Receive all results; throw the error if there is one. */
static PgmlResult *
receive_result(PgmlConn *conn)
{
	PGresult   *res = receive_last(conn, 0);

	if (res == NULL || !pgml_wire_ok(res))
		pgml_wire_throw(conn, res);
	return pgml_result_wrap(res);
}

PgmlResult *
pgml_command_read(PgmlConn *conn, const char *sql)
{
	pgml_wire_prepare(conn);
	pgml_wire_send_simple(conn, sql, PGML_WIRE_COMMAND);
	return receive_result(conn);
}

PgmlResult *
pgml_command_run(PgmlConn *conn, const char *sql)
{
	pgml_wire_prepare(conn);
	pgml_readonly_other_command(conn);
	pgml_wire_send_simple(conn, sql, PGML_WIRE_COMMAND);
	return receive_result(conn);
}

PgmlResult *
pgml_command_try(PgmlConn *conn, const char *sql)
{
	Assert(conn->enlist == NULL);
	pgml_wire_prepare(conn);
	pgml_wire_send_simple(conn, sql, PGML_WIRE_COMMAND);
	return pgml_result_wrap(receive_last(conn, 0));
}

/* Send what tells something of the remote: in the transaction that there is, or without one. */
static void
send_look(PgmlConn *conn, const char *sql)
{
	char	   *message;

	pgml_conn_claim(conn);
	if (pgml_command_planned_depth(conn) > 0)
	{
		pgml_wire_prepare(conn);
		pgml_wire_send_simple(conn, sql, PGML_WIRE_COMMAND);
		return;
	}

	/* several statements in one message are a transaction by themselves */
	message = psprintf("SET LOCAL search_path = pg_catalog; %s", sql);
	pgml_connection_ensure(conn);
	if (!pgml_command_end_send(conn, message) || !pgml_wire_flush(conn, 0))
		pgml_wire_throw(conn, NULL);
	pfree(message);
}

PgmlResult *
pgml_command_look(PgmlConn *conn, const char *sql)
{
	send_look(conn, sql);
	return pgml_result_wrap(receive_last(conn, 0));
}

bool
pgml_command_look_all(PgmlConn *conn, const char *sql, PgmlResult **results, int n)
{
	PGresult   *res;
	bool		good = true;
	int			i = 0;

	send_look(conn, sql);
	while (pgml_wire_next(conn, 0, &res) && res != NULL)
	{
		good = good && pgml_wire_ok(res) && !pgml_wire_is_copy(res);
		if (good && i < n && PQresultStatus(res) == PGRES_TUPLES_OK)
			results[i++] = pgml_result_wrap(res);
		else
			PQclear(res);
	}
	return good && i == n;
}

PgmlResult *
pgml_command_run_params(PgmlConn *conn, const char *sql, const PgmlParams *params)
{
	pgml_wire_prepare(conn);
	pgml_readonly_other_command(conn);
	pgml_wire_send_extended(conn, NULL, sql, params, PGML_WIRE_COMMAND);
	return receive_result(conn);
}

PgmlResult *
pgml_command_run_prepared(PgmlConn *conn, const char *name, const char *sql,
						  const PgmlParams *params)
{
	pgml_wire_prepare(conn);
	pgml_readonly_other_command(conn);
	pgml_wire_send_extended(conn, name, sql, params, PGML_WIRE_COMMAND);
	return receive_result(conn);
}

void
pgml_command_user_sql_begins(PgmlConn *conn)
{
	/* BEGIN must be queued before it */
	pgml_wire_prepare(conn);
	pgml_command_queue(conn, "SET LOCAL search_path TO DEFAULT",
					   GetCurrentTransactionNestLevel(), -1);
}

void
pgml_command_user_sql_ends(PgmlConn *conn)
{
	if (pgml_command_remote_xact(conn) == PGML_XACT_NONE)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_TRANSACTION_TERMINATION),
				 errmsg("the transaction on server \"%s\" was ended by a command", conn->name)));
	pgml_command_queue(conn, "SET LOCAL search_path = pg_catalog",
					   GetCurrentTransactionNestLevel(), -1);
}

void
pgml_command_mark_write(PgmlConn *conn)
{
	conn->wrote = true;
}

bool
pgml_command_end_send(PgmlConn *conn, const char *sql)
{
	Assert(conn->wire == PGML_WIRE_IDLE);
	pgml_wire_begin(conn, sql, PGML_WIRE_COMMAND, false);
	return PQsendQuery(conn->pg, sql) && PQflush(conn->pg) >= 0;
}

bool
pgml_command_end_finish(PgmlConn *conn, const char *tag, TimestampTz deadline)
{
	PGresult   *res;
	bool		done;

	if (!pgml_wire_flush(conn, deadline))
		return false;
	res = receive_last(conn, deadline);
	if (deadline == 0 && (res == NULL || !pgml_wire_ok(res)))
		pgml_wire_throw(conn, res);

	/* COMMIT of a failed transaction succeeds as a ROLLBACK: the tag tells */
	done = res != NULL && pgml_wire_ok(res) &&
		(tag == NULL || strcmp(PQcmdStatus(res), tag) == 0);
	PQclear(res);
	return done;
}

PgmlRemoteXact
pgml_command_remote_xact(PgmlConn *conn)
{
	if (!pgml_connection_is_open(conn))
		return PGML_XACT_LOST;
	switch (PQtransactionStatus(conn->pg))
	{
		case PQTRANS_IDLE:
			return PGML_XACT_NONE;
		case PQTRANS_INTRANS:
			return PGML_XACT_OPEN;
		case PQTRANS_INERROR:
			return PGML_XACT_FAILED;
		case PQTRANS_ACTIVE:
			return PGML_XACT_BUSY;
		default:
			return PGML_XACT_LOST;
	}
}

void
pgml_append_literal(StringInfo buf, const char *value)
{
	pg_verifymbstr(value, strlen(value), false);

	/* E'' means the same whatever standard_conforming_strings is there */
	if (strchr(value, '\\') != NULL)
		appendStringInfoChar(buf, 'E');
	appendStringInfoChar(buf, '\'');
	for (const char *p = value; *p != '\0'; p++)
	{
		if (*p == '\'' || *p == '\\')
			appendStringInfoChar(buf, *p);
		appendStringInfoChar(buf, *p);
	}
	appendStringInfoChar(buf, '\'');
}

void
pgml_append_identifier(StringInfo buf, const char *name)
{
	pg_verifymbstr(name, strlen(name), false);
	appendStringInfoString(buf, quote_identifier(name));
}
