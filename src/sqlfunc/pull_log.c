/*
 * pull_log.c
 *		What has pgml_fdw_pull_schema() done?  A table says so, in the schema that
 *		it fills.
 *
 * It is there, and not in the extension's schema, because there it belongs to
 * whoever fills the schema, is dumped, dropped and granted along with the tables, and
 * needs no privileges of its own.  A row is a table or a foreign key, with the state
 *
 *		running		it is being copied, or was when the call came to its end
 *		done		committed together with the rows
 *		failed		the problem says why; nothing of it is there
 *
 * Writing to a table runs what its owner has attached to it.  So one that isn't
 * the caller's is refused.
 */
#include "postgres.h"

#include "access/table.h"
#include "catalog/pg_class.h"
#include "catalog/namespace.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

#include "exec/twin.h"
#include "sqlfunc/pull_schema.h"

void
pgml_pull_log_check(PgmlSchemaPull *pull)
{
	Relation	rel = table_openrv(makeRangeVar(pull->local_schema, PGML_PULL_LOG, -1), RowExclusiveLock);

	if (rel->rd_rel->relowner != pull->userid || rel->rd_rel->relkind != RELKIND_RELATION)
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("relation %s is not a log of yours", pull->log),
				 errhint("Choose another schema, or drop or rename it.")));
	table_close(rel, NoLock);
}

void
pgml_pull_log_open(PgmlSchemaPull *pull)
{
	pull->log = quote_qualified_identifier(pull->local_schema, PGML_PULL_LOG);
	if (!OidIsValid(get_relname_relid(PGML_PULL_LOG, pull->local_schema_oid)))
	{
		pgml_twin_run_query(psprintf("CREATE TABLE %s (server pg_catalog.name, remote_schema pg_catalog.text,"
									 " kind pg_catalog.text, name pg_catalog.text,"
									 " state pg_catalog.text NOT NULL, rows pg_catalog.int8, problem pg_catalog.text,"
									 " started pg_catalog.timestamptz, finished pg_catalog.timestamptz,"
									 " PRIMARY KEY (server, remote_schema, kind, name))", pull->log));
		pgml_twin_run_query(psprintf("COMMENT ON TABLE %s IS 'what pgml_fdw_pull_schema has done'", pull->log));
	}
	pgml_pull_log_check(pull);
}

/* The condition for a row. */
static char *
condition(const PgmlSchemaPull *pull, const char *kind, const char *name)
{
	return psprintf("server OPERATOR(pg_catalog.=) %s::pg_catalog.name"
					" AND remote_schema OPERATOR(pg_catalog.=) %s"
					" AND kind OPERATOR(pg_catalog.=) %s AND name OPERATOR(pg_catalog.=) %s",
					quote_literal_cstr(pull->server_name), quote_literal_cstr(pull->remote_schema),
					quote_literal_cstr(kind), quote_literal_cstr(name));
}

bool
pgml_pull_log_is_done(const PgmlSchemaPull *pull, const char *kind, const char *name)
{
	bool		done;

	if (SPI_connect() != SPI_OK_CONNECT ||
		SPI_execute(psprintf("SELECT FROM %s WHERE %s AND state OPERATOR(pg_catalog.=) 'done'", pull->log,
							 condition(pull, kind, name)), false, 1) != SPI_OK_SELECT)
		elog(ERROR, "could not read %s", pull->log);
	done = SPI_processed > 0;
	SPI_finish();
	return done;
}

void
pgml_pull_log_begin(const PgmlSchemaPull *pull, const char *kind, const char *name)
{
	pgml_twin_run_query(psprintf("INSERT INTO %s AS l (server, remote_schema, kind, name, state, started)"
								 " VALUES (%s, %s, %s, %s, 'running', pg_catalog.clock_timestamp())"
								 " ON CONFLICT (server, remote_schema, kind, name) DO UPDATE SET state = EXCLUDED.state,"
								 " started = EXCLUDED.started, finished = NULL, rows = NULL, problem = NULL",
								 pull->log, quote_literal_cstr(pull->server_name),
								 quote_literal_cstr(pull->remote_schema),
								 quote_literal_cstr(kind), quote_literal_cstr(name)));
}

void
pgml_pull_log_done(const PgmlSchemaPull *pull, const char *kind, const char *name,
				   int64 rows, const char *remark)
{
	pgml_twin_run_query(psprintf("UPDATE %s SET state = 'done', rows = %s, problem = %s,"
								 " finished = pg_catalog.clock_timestamp() WHERE %s", pull->log,
								 rows >= 0 ? psprintf(INT64_FORMAT, rows) : "NULL",
								 remark != NULL ? quote_literal_cstr(remark) : "NULL",
								 condition(pull, kind, name)));
}

void
pgml_pull_log_failed(const PgmlSchemaPull *pull, const char *kind, const char *name,
					 const char *problem)
{
	pgml_twin_run_query(psprintf("UPDATE %s SET state = 'failed', problem = %s,"
								 " finished = pg_catalog.clock_timestamp() WHERE %s", pull->log,
								 quote_literal_cstr(problem), condition(pull, kind, name)));
}
