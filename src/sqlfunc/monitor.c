/*
 * monitor.c
 *		What this session holds open, what it has sent, and how to let go.
 *
 * The rows of pgml_fdw_get_connections() are those of postgres_fdw's function
 * of PostgreSQL 18.  Shown and closed are the connections of foreign tables, and
 * those that are kept for dblink calls with a server's name; connections that a
 * user has opened by dblink_connect have names and functions of their own.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_user_mapping.h"
#include "fmgr.h"
#include "foreign/foreign.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/syscache.h"

#include "base/stats.h"
#include "remote/conncache.h"
#include "remote/xact.h"
#include "sqlfunc/dblink_conn.h"

PG_FUNCTION_INFO_V1(pgml_fdw_get_connections);
PG_FUNCTION_INFO_V1(pgml_fdw_disconnect);
PG_FUNCTION_INFO_V1(pgml_fdw_disconnect_all);
PG_FUNCTION_INFO_V1(pgml_fdw_stats);

enum
{
	CONN_SERVER,
	CONN_USER,
	CONN_VALID,
	CONN_USED,
	CONN_CLOSED,
	CONN_PID,
	NUM_CONN_COLS
};

/* Where the rows go, and what was asked. */
typedef struct ConnList
{
	ReturnSetInfo *rsinfo;
	bool		check;
} ConnList;

/*
 * Look up whose mapping a connection was made with: "public" for PUBLIC's;
 * NULL if it has been dropped.
 */
static char *
mapping_user_name(Oid umid)
{
	HeapTuple	tuple = SearchSysCache1(USERMAPPINGOID, ObjectIdGetDatum(umid));
	char	   *name;

	if (!HeapTupleIsValid(tuple))
		return NULL;
	name = MappingUserName(((Form_pg_user_mapping) GETSTRUCT(tuple))->umuser);
	ReleaseSysCache(tuple);
	return name;
}

/* Put one connection into the result. */
static void
list_connection(PgmlConn *conn, void *arg)
{
	ConnList   *list = arg;
	ForeignServer *server = GetForeignServerExtended(conn->serverid, FSV_MISSING_OK);
	char	   *user = mapping_user_name(conn->umid);
	Datum		values[NUM_CONN_COLS] = {0};
	bool		nulls[NUM_CONN_COLS] = {0};

	nulls[CONN_SERVER] = server == NULL;
	if (server != NULL)
		values[CONN_SERVER] = CStringGetTextDatum(server->servername);
	nulls[CONN_USER] = user == NULL;
	if (user != NULL)
		values[CONN_USER] = CStringGetTextDatum(user);
	values[CONN_VALID] = BoolGetDatum(!conn->invalidated);
	values[CONN_USED] = BoolGetDatum(conn->depth > 0);

	/* ask for the process before the check finds that it has gone */
	values[CONN_PID] = Int32GetDatum(pgml_connection_remote_pid(conn));
	nulls[CONN_CLOSED] = !list->check;
	if (list->check)
		values[CONN_CLOSED] = BoolGetDatum(pgml_connection_is_dead(conn));

	tuplestore_putvalues(list->rsinfo->setResult, list->rsinfo->setDesc, values, nulls);
}

Datum
pgml_fdw_get_connections(PG_FUNCTION_ARGS)
{
	ConnList	list;

	InitMaterializedSRF(fcinfo, 0);
	list.rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	list.check = PG_GETARG_BOOL(0);
	pgml_conncache_visit(list_connection, &list);
	pgml_dblink_visit(list_connection, &list);
	return (Datum) 0;
}

/* Close the connections with one server (InvalidOid: with all). */
static bool
disconnect(Oid serverid)
{
	bool		of_tables = pgml_conncache_disconnect(serverid);
	bool		of_dblink = pgml_dblink_forget(serverid);

	return of_tables || of_dblink;
}

Datum
pgml_fdw_disconnect(PG_FUNCTION_ARGS)
{
	char	   *name = text_to_cstring(PG_GETARG_TEXT_PP(0));

	PG_RETURN_BOOL(disconnect(GetForeignServerByName(name, false)->serverid));
}

Datum
pgml_fdw_disconnect_all(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(disconnect(InvalidOid));
}

/* Return the counters, in the order that PgmlStats has them. */
Datum
pgml_fdw_stats(PG_FUNCTION_ARGS)
{
	const int64 counters[] = {
		pgml_stats.connects, pgml_stats.messages, pgml_stats.round_trips,
		pgml_stats.rows_in, pgml_stats.bytes_in, pgml_stats.rows_out,
		pgml_stats.bytes_out, pgml_stats.parked, pgml_stats.cancelled
	};
	TupleDesc	desc;
	Datum		values[lengthof(counters)];
	bool		nulls[lengthof(counters)] = {0};

	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE ||
		desc->natts != lengthof(counters))
		elog(ERROR, "unexpected result type of pgml_fdw_stats");
	for (int i = 0; i < (int) lengthof(counters); i++)
		values[i] = Int64GetDatum(counters[i]);
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc), values, nulls)));
}
