/*
 * pull_schema.h
 *		CALL pgml_fdw_pull_schema(): what its files share.
 *
 *	  pull_schema		the procedure: which tables, in what transactions
 *	  pull_log			the table that says what has been done
 */
#ifndef PGML_SQLFUNC_PULL_SCHEMA_H
#define PGML_SQLFUNC_PULL_SCHEMA_H

#include "postgres.h"
#include "nodes/pg_list.h"

#include "remote/connection.h"

/* The log's name, in the schema that is filled. */
#define PGML_PULL_LOG "pgml_fdw_pull_log"

/* One call. */
typedef struct PgmlSchemaPull
{
	Oid			userid;
	char	   *server_name;
	char	   *remote_schema;
	char	   *local_schema;
	Oid			local_schema_oid;
	List	   *limit_to;		/* char *; NIL: all tables */
	List	   *exclude;		/* char * */
	int			jobs;
	bool		go_on;			/* with the next table, after an error */
	bool		one_snapshot;

	/* as it goes */
	Oid			serverid;		/* checked in each transaction */
	PgmlConn   *keeper;			/* its transaction keeps the snapshot; NULL: none */
	char	   *snapshot;
	char	   *log;			/* the log's name, qualified and quoted */
	int			ncopied;
	int			ndone_before;
	int			nfailed;
	int64		nrows;
} PgmlSchemaPull;

/* What the log is about. */
#define PGML_LOG_TABLE "table"
#define PGML_LOG_FOREIGN_KEY "foreign key"

/* Make the log if there is none. */
extern void pgml_pull_log_open(PgmlSchemaPull *pull);

/*
 * Lock the log for writing in this transaction, and throw unless it is the current user's own:
 * somebody else's could run anything when it is written to.
 */
extern void pgml_pull_log_check(PgmlSchemaPull *pull);

/* Does the log say that it is done? */
extern bool pgml_pull_log_is_done(const PgmlSchemaPull *pull, const char *kind, const char *name);

/* Note what happens: the row is there, or made. */
extern void pgml_pull_log_begin(const PgmlSchemaPull *pull, const char *kind, const char *name);
extern void pgml_pull_log_done(const PgmlSchemaPull *pull, const char *kind, const char *name,
							   int64 rows, const char *remark);
extern void pgml_pull_log_failed(const PgmlSchemaPull *pull, const char *kind, const char *name,
								 const char *problem);

#endif							/* PGML_SQLFUNC_PULL_SCHEMA_H */
