/*
 * bulkcopy_rows.c
 *		Where do pull's rows come from: one stream, or several at once?
 *
 * A lane is a source and its connection.  The first one is the connection of the
 * transaction.  The others are connections of their own, each in a transaction
 * that only reads and has taken over the exported snapshot of the first: all see
 * the table at one moment, and what has been changed since is nobody's.  The
 * table is cut into as many ranges of ctid; the last range has no end, so nothing
 * depends on the size that the remote has told.
 *
 * All queries are sent before the first row is waited for.  Then lanes are read in turns,
 * each as long as it has rows here, and no longer than some rows: while one is read, the
 * remote fills the sockets of the others.  Only where none has any, all are waited for
 * together.
 *
 * An exported snapshot doesn't show what its own transaction has changed, and
 * can't be had in a subtransaction: both are errors.  After an error, the
 * connections go with their memory.
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/pg_class.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "utils/builtins.h"

#include "remote/command.h"
#include "remote/security.h"
#include "remote/xact.h"
#include "row/codec.h"
#include "row/source.h"
#include "sqlfunc/bulkcopy_rows.h"

/* Rows that are read from a lane before it is the next one's turn: some 64 kB of narrow ones. */
#define TURN 512

/* What a connection must have to read for it to be worth making: 256 kB come faster. */
#define BLOCKS_OF_LANE 32

typedef struct Lane
{
	PgmlConn   *conn;
	PgmlQuery	query;
	PgmlSource *source;			/* NULL: it has been read to its end */
	bool		is_own;			/* the connection is the lane's */
} Lane;

struct PgmlPullRows
{
	int			nlanes;
	int			nopen;
	int			current;
	int			turn;			/* rows that the current lane still has */
	int			nwaiting;		/* lanes that had none when they were asked last, one after the other */
	Lane	   *lanes;
	int		   *sockets;		/* room for all */
};

char *
pgml_bulk_export_snapshot(PgmlConn *conn)
{
	PgmlResult *res;
	char	   *snapshot = NULL;

	if (GetCurrentTransactionNestLevel() > 1)
		ereport(ERROR,
				(errcode(ERRCODE_ACTIVE_SQL_TRANSACTION),
				 errmsg("several jobs can't be used in a subtransaction"),
				 errdetail("The remote can't export the snapshot of one.")));
	if (conn->wrote)
		ereport(ERROR,
				(errcode(ERRCODE_ACTIVE_SQL_TRANSACTION),
				 errmsg("several jobs can't be used in a transaction that has written on server \"%s\"",
						conn->name),
				 errdetail("Only the transaction's own connection sees what it has written.")));
	res = pgml_command_run(conn, "SELECT pg_catalog.pg_export_snapshot()");
	if (pgml_result_nrows(res) == 1 && pgml_result_ncols(res) == 1 &&
		pgml_result_value(res, 0, 0) != NULL)
		snapshot = pstrdup(pgml_result_value(res, 0, 0));
	pgml_result_free(res);
	if (snapshot == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_FDW_UNABLE_TO_CREATE_REPLY),
				 errmsg("unexpected answer from server \"%s\"", conn->name)));
	return snapshot;
}

/*
 * Make a connection whose transaction sees the snapshot.  There is none any more if the one
 * who has exported it is gone; then that is the error.
 */
static PgmlConn *
open_connection(const PgmlCopyCall *call, const char *snapshot)
{
	PgmlConn   *conn = pgml_connection_create(pgml_security_mapping(GetUserId(), call->server->serverid),
											  CurrentMemoryContext);
	PgmlResult *res;
	StringInfoData sql;

	initStringInfo(&sql);
	appendStringInfoString(&sql, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET TRANSACTION SNAPSHOT ");
	pgml_append_literal(&sql, snapshot);
	pgml_xact_append_settings(&sql);
	res = pgml_command_try(conn, sql.data);
	if (pgml_result_is_error(res))
	{
		pgml_result_free(pgml_command_run(call->keeper != NULL ? call->keeper : call->conn, "SELECT 1"));
		pgml_result_report(conn, res, ERROR);
	}
	pgml_result_free(res);
	pfree(sql.data);
	return conn;
}

/* Only tables have blocks that ctid counts; before 14 each range would read the whole of it. */
static void
check_divisible(const PgmlCopyCall *call, const PgmlBulkRelation *relation)
{
	if (relation->kind != RELKIND_RELATION && relation->kind != RELKIND_MATVIEW &&
		relation->kind != RELKIND_PARTITIONED_TABLE)
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("%s on server \"%s\" can't be read by several jobs",
						relation->sql, call->conn->name),
				 errdetail("It is not a table.")));
	if (call->conn->caps.server_version < 140000)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("several jobs need PostgreSQL 14 or later on server \"%s\"",
						call->conn->name)));
}

/* The condition for range i of n of a table with that many blocks. */
static char *
range_filter(const char *filter, int64 blocks, int i, int n)
{
	StringInfoData buf;

	initStringInfo(&buf);
	appendStringInfoString(&buf, "true");
	if (filter != NULL)
		appendStringInfo(&buf, " AND (%s\n)", filter);
	if (i > 0)
		appendStringInfo(&buf, " AND pgml_source.ctid >= '(" INT64_FORMAT ",0)'::pg_catalog.tid",
						 blocks * i / n);
	if (i < n - 1)
		appendStringInfo(&buf, " AND pgml_source.ctid < '(" INT64_FORMAT ",0)'::pg_catalog.tid",
						 blocks * (i + 1) / n);
	return buf.data;
}

/* The columns of the query, by name. */
static void
fill_columns(PgmlQuery *query, TupleDesc desc)
{
	query->ncols = desc->natts;
	query->columns = palloc(sizeof(char *) * Max(desc->natts, 1));
	for (int i = 0; i < desc->natts; i++)
	{
		StringInfoData column;

		initStringInfo(&column);
		appendStringInfoString(&column, "pgml_source.");
		pgml_append_identifier(&column, NameStr(TupleDescAttr(desc, i)->attname));
		query->columns[i] = column.data;
	}
}

/* Start a lane. */
static void
start_lane(Lane *lane, const PgmlBulkRelation *relation, const char *filter, TupleDesc desc)
{
	AttrNumber *attnums = palloc(sizeof(AttrNumber) * Max(desc->natts, 1));

	for (int i = 0; i < desc->natts; i++)
		attnums[i] = i + 1;
	fill_columns(&lane->query, desc);
	lane->query.tail = pgml_bulk_tail(relation->sql, filter);
	if (relation->kind == RELKIND_RELATION && filter == NULL)
		lane->query.relation = relation->sql;
	lane->source = pgml_source_create(PGML_SOURCE_COPY, lane->conn, &lane->query,
									  pgml_codec_create(desc, desc->natts, attnums));
	pgml_source_send(lane->source, NULL, NULL);
}

PgmlPullRows *
pgml_pull_rows_open(const PgmlCopyCall *call, const PgmlBulkRelation *relation, TupleDesc desc)
{
	PgmlPullRows *rows = palloc0(sizeof(PgmlPullRows));
	int64		blocks = 0;

	rows->nlanes = 1;
	rows->turn = TURN;
	rows->lanes = palloc0(sizeof(Lane) * call->jobs);
	rows->sockets = palloc(sizeof(int) * call->jobs);
	rows->lanes[0].conn = call->conn;
	if (call->jobs > 1)
	{
		const char *snapshot = call->snapshot != NULL ? call->snapshot :
			pgml_bulk_export_snapshot(call->conn);

		check_divisible(call, relation);
		blocks = pgml_bulk_count_blocks(call->conn, relation);
		rows->nlanes = (int) Min(call->jobs, 1 + blocks / BLOCKS_OF_LANE);
		for (int i = 1; i < rows->nlanes; i++)
		{
			rows->lanes[i].conn = open_connection(call, snapshot);
			rows->lanes[i].is_own = true;
		}
	}
	rows->nopen = rows->nlanes;
	for (int i = 0; i < rows->nlanes; i++)
		start_lane(&rows->lanes[i], relation, rows->nlanes > 1 ?
				   range_filter(call->filter, blocks, i, rows->nlanes) : call->filter, desc);
	return rows;
}

/* End a lane, whose rows have all been read or aren't wanted. */
static void
end_lane(PgmlPullRows *rows, Lane *lane)
{
	pgml_source_close(lane->source);
	lane->source = NULL;
	rows->nopen--;
	if (lane->is_own)
	{
		pgml_result_free(pgml_command_run(lane->conn, "COMMIT"));
		pgml_connection_free(lane->conn);
	}
}

/* Give the turn to the next lane that is open. */
static void
pass_turn(PgmlPullRows *rows)
{
	do
	{
		rows->current = (rows->current + 1) % rows->nlanes;
	} while (rows->lanes[rows->current].source == NULL);
	rows->turn = TURN;
}

/* Wait until a lane has something, when all have been asked in vain. */
static void
await_any(PgmlPullRows *rows)
{
	int			n = 0;

	for (int i = 0; i < rows->nlanes; i++)
	{
		if (rows->lanes[i].source != NULL)
			rows->sockets[n++] = pgml_source_socket(rows->lanes[i].source);
	}
	pgml_stream_await_any(rows->sockets, n);
	rows->nwaiting = 0;
}

/* Take the next row of a lane; the last one that is left has all the time. */
static PgmlNext
next_of_lane(PgmlPullRows *rows, Lane *lane, Datum *values, bool *nulls)
{
	if (rows->nopen > 1)
		return pgml_source_try_next(lane->source, values, nulls);
	return pgml_source_next(lane->source, values, nulls) ? PGML_NEXT_ROW : PGML_NEXT_END;
}

bool
pgml_pull_rows_next(PgmlPullRows *rows, Datum *values, bool *nulls)
{
	while (rows->nopen > 0)
	{
		Lane	   *lane = &rows->lanes[rows->current];

		switch (next_of_lane(rows, lane, values, nulls))
		{
			case PGML_NEXT_ROW:
				rows->nwaiting = 0;
				if (rows->nopen > 1 && --rows->turn == 0)
					pass_turn(rows);
				return true;
			case PGML_NEXT_END:
				end_lane(rows, lane);
				rows->nwaiting = 0;
				break;
			case PGML_NEXT_WAITS:
				if (++rows->nwaiting == rows->nopen)
					await_any(rows);
				break;
		}
		if (rows->nopen > 0)
			pass_turn(rows);
	}
	return false;
}

void
pgml_pull_rows_close(PgmlPullRows *rows)
{
	for (int i = 0; i < rows->nlanes; i++)
	{
		if (rows->lanes[i].source != NULL)
			end_lane(rows, &rows->lanes[i]);
	}
}
