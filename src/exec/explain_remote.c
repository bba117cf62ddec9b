/*
 * explain_remote.c
 *		The remote's own plan, below a scan or modification in EXPLAIN.
 *
 * Question answered: what will the remote do with the statement?  It is asked only if
 * the setting pgml_fdw.explain_remote says so, since it takes a round trip, and with
 * "run" the query is run once more there (if EXPLAIN ANALYZE runs it here; what
 * changes rows is never run again).
 *
 * The values of parameters aren't known, or change.  In their place stands (SELECT NULL), for
 * which a planner must find a plan that suits any value, as it does for a parameter.
 * Statements that change rows have theirs printed without a note of where; for these the remote must
 * know GENERIC_PLAN (16), else it isn't asked.
 */
#include "postgres.h"

#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"

#include "base/setting.h"
#include "exec/explain.h"
#include "exec/scan_state.h"
#include "remote/command.h"
#include "remote/conncache.h"

/* Since when EXPLAIN knows GENERIC_PLAN. */
#define GENERIC_PLAN_SINCE 160000

/* Put the query together, with something unknown in the places of its parameters. */
static char *
render_unknown(const PgmlQuery *query)
{
	const char *at = query->tail;
	StringInfoData buf;

	initStringInfo(&buf);
	appendStringInfoString(&buf, "SELECT");
	for (int i = 0; i < query->ncols; i++)
		appendStringInfo(&buf, "%s %s", i > 0 ? "," : "", query->columns[i]);
	for (int i = 0; i < query->nparam_at; i++)
	{
		const char *dollar = query->tail + query->param_at[i];

		appendBinaryStringInfo(&buf, at, dollar - at);
		appendStringInfoString(&buf, "(SELECT NULL)");
		at = dollar + 1 + strspn(dollar + 1, "0123456789");
	}
	appendStringInfoString(&buf, at);
	return buf.data;
}

/* Run EXPLAIN on the remote: its lines. */
static List *
ask(PgmlConn *conn, const char *options, const char *sql)
{
	PgmlResult *res = pgml_command_run(conn, psprintf("EXPLAIN (%s) %s", options, sql));
	List	   *lines = NIL;

	for (int row = 0; row < pgml_result_nrows(res); row++)
	{
		const char *line = pgml_result_ncols(res) > 0 ? pgml_result_value(res, row, 0) : NULL;

		if (line == NULL)
			continue;
		pg_verifymbstr(line, strlen(line), false);
		lines = lappend(lines, pstrdup(line));
	}
	pgml_result_free(res);
	return lines;
}

/* Print them, indented. */
static void
show(List *lines, ExplainState *es)
{
	ListCell   *lc;

	if (es->format != EXPLAIN_FORMAT_TEXT)
	{
		ExplainPropertyList("Remote Plan", lines, es);
		return;
	}
	pgml_explain_indent(es);
	appendStringInfoString(es->str, "Remote Plan:\n");
	es->indent++;
	foreach(lc, lines)
	{
		pgml_explain_indent(es);
		appendStringInfo(es->str, "%s\n", (char *) lfirst(lc));
	}
	es->indent--;
}

/* What the remote is told of how to explain, the same as was asked here. */
static char *
options_for(bool analyze, ExplainState *es)
{
	char	   *options = psprintf("COSTS %s", es->costs ? "on" : "off");

	if (!analyze)
		return options;
	return psprintf("%s, ANALYZE, TIMING %s, BUFFERS %s, SUMMARY off", options,
					es->timing ? "on" : "off", es->buffers ? "on" : "off");
}

void
pgml_explain_remote_scan(ForeignScanState *node, const PgmlScanPlan *plan, ExplainState *es)
{
	PgmlScanRun *run = (PgmlScanRun *) node->fdw_state;
	bool		analyze = pgml_setting_explain_remote == PGML_EXPLAIN_REMOTE_RUN &&
		es->analyze && plan->query.nparam_at == 0;
	PgmlConn   *conn;

	if (pgml_setting_explain_remote == PGML_EXPLAIN_REMOTE_OFF)
		return;

	/* what is left of the stream is of no use any more */
	if (run != NULL)
		pgml_source_stop(run->source);
	conn = pgml_conncache_get_for(plan->serverid,
								  OidIsValid(plan->userid) ? plan->userid : GetUserId());
	show(ask(conn, options_for(analyze, es), render_unknown(&plan->query)), es);
}

void
pgml_explain_remote_direct(ForeignScanState *node, const PgmlDirectPlan *plan, ExplainState *es)
{
	ForeignScan *scan = (ForeignScan *) node->ss.ps.plan;
	char	   *options = options_for(false, es);
	PgmlConn   *conn;

	if (pgml_setting_explain_remote == PGML_EXPLAIN_REMOTE_OFF)
		return;
	conn = pgml_conncache_get_for(scan->fs_server,
								  pgml_modify_userid(node->resultRelInfo, node->ss.ps.state));
	if (scan->fdw_exprs != NIL)
	{
		pgml_connection_ensure(conn);
		if (conn->caps.server_version < GENERIC_PLAN_SINCE)
			return;
		options = psprintf("%s, GENERIC_PLAN", options);
	}
	show(ask(conn, options, plan->sql), es);
}
