/*
 * result.c
 *		Results of the remote, and its errors as errors of ours.
 *
 * A PgmlResult wraps libpq's malloc'd result in a small memory context below
 * the one that was current, with a callback that clears it: so it dies with
 * its owner, and freeing it early leaves nothing behind in the owner (a bare
 * callback could not be taken off again).
 *
 * What the remote says is not trusted: texts that aren't valid in our encoding
 * are made so, and what isn't an SQLSTATE doesn't become one.
 */
#include "postgres.h"

#include "mb/pg_wchar.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "remote/wire.h"

struct PgmlResult
{
	PGresult   *pg;
	MemoryContext cxt;
	MemoryContextCallback on_delete;
};

/* The fields of an error, copied out of libpq's memory. */
typedef struct RemoteError
{
	int			sqlstate;
	char	   *message;
	char	   *detail;
	char	   *hint;
	char	   *context;
	char	   *row;			/* that it is about, if that is known */
} RemoteError;

static void
result_on_delete(void *arg)
{
	PQclear(((PgmlResult *) arg)->pg);
}

PgmlResult *
pgml_result_wrap(PGresult *pg)
{
	MemoryContext cxt = AllocSetContextCreate(CurrentMemoryContext, "pgml result",
											  ALLOCSET_SMALL_SIZES);
	PgmlResult *res = MemoryContextAllocZero(cxt, sizeof(PgmlResult));

	res->pg = pg;
	res->cxt = cxt;
	res->on_delete.func = result_on_delete;
	res->on_delete.arg = res;
	MemoryContextRegisterResetCallback(cxt, &res->on_delete);
	return res;
}

PgmlResult *
pgml_result_create(void)
{
	return pgml_result_wrap(NULL);
}

void
pgml_result_replace(PgmlResult *res, PGresult *pg)
{
	PQclear(res->pg);
	res->pg = pg;
}

void
pgml_result_swap(PgmlResult *a, PgmlResult *b)
{
	PGresult   *pg = a->pg;

	a->pg = b->pg;
	b->pg = pg;
}

void
pgml_result_free(PgmlResult *res)
{
	MemoryContextDelete(res->cxt);
}

int
pgml_result_nrows(PgmlResult *res)
{
	return PQntuples(res->pg);
}

int
pgml_result_ncols(PgmlResult *res)
{
	return PQnfields(res->pg);
}

char *
pgml_result_value(PgmlResult *res, int row, int col)
{
	return PQgetisnull(res->pg, row, col) ? NULL : PQgetvalue(res->pg, row, col);
}

int
pgml_result_length(PgmlResult *res, int row, int col)
{
	return PQgetlength(res->pg, row, col);
}

int64
pgml_result_bytes(PgmlResult *res)
{
	int			nrows = PQntuples(res->pg);
	int			ncols = PQnfields(res->pg);
	int64		bytes = 0;

	for (int row = 0; row < nrows; row++)
		for (int col = 0; col < ncols; col++)
			bytes += PQgetlength(res->pg, row, col);
	return bytes;
}

char *
pgml_result_column_name(PgmlResult *res, int col)
{
	return PQfname(res->pg, col);
}

Oid
pgml_result_column_type(PgmlResult *res, int col)
{
	return PQftype(res->pg, col);
}

int
pgml_result_column_typmod(PgmlResult *res, int col)
{
	return PQfmod(res->pg, col);
}

bool
pgml_result_has_rows(PgmlResult *res)
{
	return PQnfields(res->pg) > 0 || PQresultStatus(res->pg) == PGRES_TUPLES_OK;
}

bool
pgml_result_is_error(PgmlResult *res)
{
	return !pgml_wire_ok(res->pg);
}

bool
pgml_result_is_empty(PgmlResult *res)
{
	return PQresultStatus(res->pg) == PGRES_EMPTY_QUERY;
}

uint64
pgml_result_affected(PgmlResult *res)
{
	const char *count = PQcmdTuples(res->pg);

	return count[0] != '\0' ? strtoull(count, NULL, 10) : 0;
}

const char *
pgml_result_tag(PgmlResult *res)
{
	return PQcmdStatus(res->pg);
}

char *
pgml_result_safe_text(const char *text)
{
	char	   *copy;

	if (text == NULL)
		return NULL;
	copy = pchomp(text);
	if (!pg_verifymbstr(copy, strlen(copy), true))
		for (char *p = copy; *p != '\0'; p++)
			if (IS_HIGHBIT_SET(*p))
				*p = '?';
	return copy;
}

/* The SQLSTATE of an error; that of a failed connection where there is none. */
static int
safe_sqlstate(const char *code)
{
	if (code == NULL)
		return ERRCODE_CONNECTION_FAILURE;
	if (strlen(code) != 5 || strspn(code, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ") != 5 ||
		strncmp(code, "00", 2) == 0)
		return ERRCODE_FDW_ERROR;
	return MAKE_SQLSTATE(code[0], code[1], code[2], code[3], code[4]);
}

/* Copy the fields of an error result; res NULL: what libpq has to say. */
static RemoteError
read_error(PgmlConn *conn, const PGresult *res)
{
	RemoteError error;

	error.sqlstate = safe_sqlstate(PQresultErrorField(res, PG_DIAG_SQLSTATE));
	error.message = pgml_result_safe_text(PQresultErrorField(res, PG_DIAG_MESSAGE_PRIMARY));
	error.detail = pgml_result_safe_text(PQresultErrorField(res, PG_DIAG_MESSAGE_DETAIL));
	error.hint = pgml_result_safe_text(PQresultErrorField(res, PG_DIAG_MESSAGE_HINT));
	error.context = pgml_result_safe_text(PQresultErrorField(res, PG_DIAG_CONTEXT));
	error.row = error.context != NULL && conn->occupant != NULL && conn->occupant->name_row != NULL ?
		conn->occupant->name_row(conn->occupant, error.context) : NULL;

	/* what isn't the remote's error is libpq's, or no error, which is one here */
	if (error.message == NULL)
		error.message = pgml_result_safe_text(conn->pg != NULL ? PQerrorMessage(conn->pg) : "not connected");
	if (error.message[0] == '\0')
	{
		error.sqlstate = ERRCODE_PROTOCOL_VIOLATION;
		error.message = psprintf("server \"%s\" sent an answer that was not asked for", conn->name);
	}
	return error;
}

/* Take off what libpq adds to the reason when it looks once more at the socket that it has closed. */
static char *
without_afterthought(char *message)
{
	static const char afterthought[] = "\ninvalid socket";
	size_t		len = strlen(message);

	if (len > strlen(afterthought) &&
		strcmp(message + len - strlen(afterthought), afterthought) == 0)
		message[len - strlen(afterthought)] = '\0';
	return message;
}

/*
 * Name the connection as what has failed, whatever has been said on its end.
 * Where a standby has ended it in favour of recovery, it can be tried again.
 */
static void
blame_connection(PgmlConn *conn, RemoteError *error)
{
	if (error->sqlstate != ERRCODE_T_R_SERIALIZATION_FAILURE)
		error->sqlstate = ERRCODE_CONNECTION_FAILURE;
	error->detail = without_afterthought(error->message);
	error->message = psprintf("connection to server \"%s\" was lost", conn->name);
}

static void
report_error(PgmlConn *conn, const RemoteError *error, int elevel)
{
	ereport(elevel,
			(errcode(error->sqlstate),
			 errmsg_internal("%s", error->message),
			 error->detail ? errdetail_internal("%s", error->detail) : 0,
			 error->hint ? errhint("%s", error->hint) : 0,
			 error->context ? errcontext("%s", error->context) : 0,
			 error->row ? errcontext("row sent to server \"%s\": %s", conn->name, error->row) : 0,
			 conn->sql && conn->sql[0] != '\0' ?
			 errcontext("remote SQL command on server \"%s\": %s", conn->name, conn->sql) : 0));
}

/*
 * Read what comes behind an error, so that the wire is free.  What doesn't come
 * in time, or should not come at all, is left to the abort of the transaction:
 * nothing of it may hide the error.
 */
static void
skip_rest(PgmlConn *conn)
{
	TimestampTz deadline = TimestampTzPlusMilliseconds(GetCurrentTimestamp(),
													   PGML_CLEANUP_TIMEOUT_MS);

	while (conn->wire != PGML_WIRE_IDLE)
	{
		PGresult   *res = NULL;
		bool		go_on = pgml_wire_next(conn, deadline, &res) && !pgml_wire_is_copy(res);

		PQclear(res);
		if (!go_on)
			break;
	}
}

void
pgml_wire_throw(PgmlConn *conn, PGresult *res)
{
	RemoteError error = read_error(conn, res);

	/* whoever was streaming has nothing to go on with */
	conn->occupant = NULL;
	if (res != NULL)
		skip_rest(conn);
	PQclear(res);
	if (!pgml_connection_is_open(conn))
		blame_connection(conn, &error);
	report_error(conn, &error, ERROR);
	pg_unreachable();
}

void
pgml_result_report(PgmlConn *conn, PgmlResult *res, int elevel)
{
	RemoteError error = read_error(conn, res->pg);

	report_error(conn, &error, elevel);
}
