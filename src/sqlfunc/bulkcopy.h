/*
 * bulkcopy.h
 *		What the functions share that copy whole tables: pgml_fdw_pull(),
 *		pgml_fdw_push(), pgml_fdw_upsert().
 */
#ifndef PGML_SQLFUNC_BULKCOPY_H
#define PGML_SQLFUNC_BULKCOPY_H

#include "postgres.h"
#include "foreign/foreign.h"
#include "nodes/pg_list.h"
#include "utils/relcache.h"

#include "exec/twin.h"
#include "remote/command.h"

typedef enum PgmlCopyMode
{
	PGML_COPY_APPEND,
	PGML_COPY_REPLACE,			/* what is in the target goes first */
	PGML_COPY_UPSERT			/* rows whose key is there replace the old ones */
} PgmlCopyMode;

/* What the caller has asked for. */
typedef struct PgmlCopyCall
{
	ForeignServer *server;
	PgmlConn   *conn;
	char	   *source;			/* a table's name, or a query in parentheses */
	char	   *target;			/* a table's name; NULL: it is known by its OID */
	PgmlCopyMode mode;
	List	   *key;			/* char *, columns; NIL: the primary key */
	List	   *columns;		/* char *; NIL: all that both sides have */
	char	   *filter;			/* a condition on the rows of source, in SQL; NULL: none */
	int			jobs;			/* connections to read by */
	bool		truncate;		/* replace empties the table by TRUNCATE */
	bool		create;			/* pull makes the target */
	bool		foreign_keys_later; /* nothing is to be said of those that it leaves out */
	char	   *lock_timeout;	/* how long replace waits there for locks; NULL: as the role is set */
	const char *snapshot;		/* exported, that of conn's transaction; NULL: to be exported, if need be */
	PgmlConn   *keeper;			/* whose transaction has exported it; NULL: conn's */
} PgmlCopyCall;

/* More connections than this would be a mistake. */
#define PGML_MAX_JOBS 64

/* A column of something on the remote. */
typedef struct PgmlBulkColumn
{
	char	   *name;
	Oid			type;			/* there */
	int32		typmod;
	char	   *collation_schema;	/* both NULL: none, or it isn't known */
	char	   *collation;
	bool		not_null;
	bool		is_generated;
	bool		is_identity;	/* GENERATED ALWAYS AS IDENTITY */
} PgmlBulkColumn;

/* A table, view, ... or query of the remote. */
typedef struct PgmlBulkRelation
{
	Oid			oid;			/* there; InvalidOid: a query */
	char		kind;			/* relkind; 0: a query */
	char	   *schema;			/* NULL: a query */
	char	   *table;
	char	   *sql;			/* as it stands behind FROM */
	List	   *columns;		/* PgmlBulkColumn */
} PgmlBulkRelation;

/* A column of a key on the remote. */
typedef struct PgmlBulkKey
{
	char	   *name;
	char	   *equals;			/* SQL text of the index's operator: OPERATOR(s.=) */
} PgmlBulkKey;

/* Find a server, which the user must be allowed to use and which must be ours. */
extern ForeignServer *pgml_bulk_find_server(const char *name);

/* Does the text mean a query, not a table? */
extern bool pgml_bulk_is_query(const char *source);

/* Callback of error_context_stack: say what a name that can't be one should have been. */
extern void pgml_bulk_name_context(void *arg);

/* " FROM source AS pgml_source WHERE (filter)"; sql is a table or a query with its parentheses. */
extern char *pgml_bulk_tail(const char *sql, const char *filter);

/*
 * Parse and rewrite one local statement: the Querys that have become of it; NIL if sql
 * is more than one statement.  Errors tell where in sql they are.
 */
extern List *pgml_bulk_analyze(const char *sql);

/* bulkcopy_remote.c: these block, and throw; results are in the current context. */

/*
 * Look up a table by its name, as the remote role's own search_path has it, or
 * describe a query.  A query is left with the search_path of the role, for it to
 * be run under: _restore_path when that is done.
 */
extern PgmlBulkRelation *pgml_bulk_find_table(PgmlConn *conn, const char *name);
extern PgmlBulkRelation *pgml_bulk_describe_query(PgmlConn *conn, const char *query);
extern void pgml_bulk_restore_path(PgmlConn *conn);

/* Run a query on the remote whose rows must have this many columns. */
extern PgmlResult *pgml_bulk_ask(PgmlConn *conn, const char *sql, int ncols);

/* A field as text in the database encoding, in the current context; NULL for a null. */
extern char *pgml_bulk_field(PgmlResult *res, int row, int col);

/* The same, but throws if it is null. */
extern char *pgml_bulk_text(PgmlResult *res, int row, int col);

/*
 * Find the unique index on just these columns (char *; NIL: the primary key):
 * a list of PgmlBulkKey.  Throws if there is none.
 */
extern List *pgml_bulk_find_key(PgmlConn *conn, const PgmlBulkRelation *relation, List *columns);

/* How many blocks a table has, or the largest of its partitions; 0 if it hasn't any. */
extern int64 pgml_bulk_count_blocks(PgmlConn *conn, const PgmlBulkRelation *relation);

/*
 * Make the call's target like a relation of the remote, with the call's columns.  The
 * table is to be completed when it has been filled; NULL, that of a query, isn't.
 * (bulkcopy_create.c)
 */
extern PgmlTwin *pgml_bulk_create_table(const PgmlCopyCall *call, const PgmlBulkRelation *relation);
extern void pgml_bulk_complete_table(const PgmlCopyCall *call, const PgmlBulkRelation *relation,
									 PgmlTwin *twin);

/* The column of this name; NULL: there is none. */
extern PgmlBulkColumn *pgml_bulk_remote_column(const PgmlBulkRelation *relation, const char *name);

/* Is the name among these (char *)? */
extern bool pgml_bulk_has_name(List *names, const char *name);

/* Append quoted names (char *) with commas between. */
extern void pgml_bulk_append_names(StringInfo buf, List *names);

/* Say which columns of the source (char *, maybe none) have no place to go, in a NOTICE. */
extern void pgml_bulk_report_left_out(List *names);

/*
 * Copy a remote relation into a local one (bulkcopy_pull.c; target counts if the call
 * has no name of one), and the other way (bulkcopy_push.c).
 */
extern uint64 pgml_bulk_pull(PgmlCopyCall *call, Oid target);
extern uint64 pgml_bulk_push(PgmlCopyCall *call);

/*
 * Export the snapshot of a connection's transaction, for other connections (bulkcopy_rows.c).
 * Blocks, throws; in the current context.
 */
extern char *pgml_bulk_export_snapshot(PgmlConn *conn);

/* Merge rows of a local source into what a foreign table stands for (bulkcopy_push.c). */
extern void pgml_bulk_upsert(Oid foreign_table, char *source, List *key,
							 uint64 *inserted, uint64 *updated);

#endif							/* PGML_SQLFUNC_BULKCOPY_H */
