/*
 * describe.c
 *		What does a statement that a user wrote return, and does it only read?
 *
 * To describe a statement it is parsed, nothing more: LIMIT 0 would run the
 * parts of a WITH that change data.
 *
 * The proof.  Nobody but the remote knows what a statement does: views, rules,
 * policies, operators and functions hide behind every name.  Its planner does
 * know, because it must not let anything happen twice, or out of the leader's
 * sight, in a parallel worker.  So it is told to run whatever may be run there in
 * one worker (debug_parallel_query), at a price that forbids any other
 * parallel plan, and to explain what it would do.  If a single-copy Gather is on
 * top, all below it is parallel safe: it changes no data, locks no rows, and calls
 * no function that its owner hasn't declared to be safe.  The settings are undone
 * with the implicit transaction of the message, or with a savepoint.
 */
#include "postgres.h"

#include "lib/stringinfo.h"

#include "base/stats.h"
#include "remote/wire.h"

#define PROOF_SAVEPOINT "pgml_proof"

/* That version renamed the setting. */
#define VERSION_WITH_DEBUG_PARALLEL 160000

/* The first one that has it at all. */
#define VERSION_WITH_PARALLEL 90600

/* Ask for the plan of the statement under settings that let it show what it does. */
static void
send_proof(PgmlConn *conn, const char *sql, const PgmlParams *params)
{
	const char *setting = conn->caps.server_version >= VERSION_WITH_DEBUG_PARALLEL ?
		"debug_parallel_query" : "force_parallel_mode";
	char	   *settings = psprintf("SELECT pg_catalog.set_config('%s', 'on', true),"
									" pg_catalog.set_config('max_parallel_workers_per_gather', '1', true),"
									" pg_catalog.set_config('parallel_setup_cost', '1e10', true)", setting);
	char	   *explain = psprintf("EXPLAIN (COSTS OFF) %s", sql);

	pgml_wire_add_statement(conn, NULL, settings, NULL);
	pgml_wire_add_statement(conn, NULL, explain, params);
	pfree(explain);
	pfree(settings);
}

/* Send all of it as one message. */
static void
send_question(PgmlConn *conn, const char *sql, const PgmlParams *params, bool proof)
{
	bool		savepoint = proof && conn->enlist != NULL;

	pgml_wire_open_pipeline(conn, sql, PGML_WIRE_COMMAND);
	if (!PQsendPrepare(conn->pg, "", sql, params != NULL ? params->n : 0,
					   params != NULL ? params->types : NULL) ||
		!PQsendDescribePrepared(conn->pg, ""))
		pgml_wire_throw(conn, NULL);
	pgml_stats.bytes_out += strlen(sql);
	if (savepoint)
		pgml_wire_add_statement(conn, NULL, "SAVEPOINT " PROOF_SAVEPOINT, NULL);
	if (proof)
		send_proof(conn, sql, params);
	if (savepoint)
	{
		pgml_wire_add_statement(conn, NULL, "ROLLBACK TO SAVEPOINT " PROOF_SAVEPOINT, NULL);
		pgml_wire_add_statement(conn, NULL, "RELEASE SAVEPOINT " PROOF_SAVEPOINT, NULL);
	}
	pgml_wire_close_pipeline(conn);
}

/* Receive the next result; throws an error. */
static PgmlResult *
receive(PgmlConn *conn)
{
	PGresult   *res;

	pgml_wire_next(conn, 0, &res);
	if (res == NULL || !pgml_wire_ok(res))
		pgml_wire_throw(conn, res);
	return pgml_result_wrap(res);
}

/* Is it the plan of a statement all of which may run in a worker? */
static bool
is_single_copy(PgmlResult *plan)
{
	char	   *value;

	if (pgml_result_ncols(plan) != 1 || pgml_result_nrows(plan) < 4)
		return false;
	value = pgml_result_value(plan, 0, 0);
	if (value == NULL || strcmp(value, "Gather") != 0)
		return false;
	value = pgml_result_value(plan, 2, 0);
	return value != NULL && strcmp(value, "  Single Copy: true") == 0;
}

PgmlResult *
pgml_command_describe(PgmlConn *conn, const char *sql, const PgmlParams *params, bool *only_reads)
{
	bool		proof;
	bool		savepoint;
	PgmlResult *description;
	PGresult   *end;

	pgml_wire_prepare(conn);
	proof = only_reads != NULL && conn->caps.server_version >= VERSION_WITH_PARALLEL;
	savepoint = proof && conn->enlist != NULL;
	send_question(conn, sql, params, proof);

	pgml_result_free(receive(conn));
	description = receive(conn);
	if (only_reads != NULL)
		*only_reads = false;
	if (savepoint)
		pgml_result_free(receive(conn));
	if (proof)
	{
		PgmlResult *plan;

		pgml_result_free(receive(conn));
		plan = receive(conn);
		*only_reads = is_single_copy(plan);
		pgml_result_free(plan);
	}
	for (int i = 0; savepoint && i < 2; i++)
		pgml_result_free(receive(conn));
	pgml_wire_next(conn, 0, &end);
	if (end != NULL)
		pgml_wire_throw(conn, end);
	return description;
}
