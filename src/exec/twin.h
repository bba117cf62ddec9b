/*
 * twin.h
 *		A table of ours that is made like one of the remote.
 *
 * In two parts, so that rows can be brought in between: the table with all that
 * belongs to its columns, and its checks; then what is better built when the rows
 * are there: keys, indexes, the values of sequences.  Foreign keys come when all
 * tables are there.
 *
 * What can't be had here is left out, with a NOTICE that says why; a key
 * that the rows don't fit, with a WARNING.
 */
#ifndef PGML_EXEC_TWIN_H
#define PGML_EXEC_TWIN_H

#include "postgres.h"
#include "nodes/pg_list.h"

#include "exec/import_state.h"
#include "remote/connection.h"

/* The parameters of the sequence that numbers the rows of a column there. */
typedef struct PgmlRemoteSequence
{
	Oid			type;			/* INT8OID and the like */
	int64		start;
	int64		increment;
	int64		min;
	int64		max;
	int64		cache;
	bool		cycles;
	bool		last_known;		/* false: it hasn't been used, or we may not look */
	int64		last;
} PgmlRemoteSequence;

/* What IMPORT has no use for, of a column. */
typedef struct PgmlTwinColumn
{
	char	   *name;			/* there */
	char		storage;		/* attstorage, '\0': the type's own */
	char		compression;	/* attcompression; '\0': the default */
	PgmlRemoteSequence *sequence;	/* NULL: none, or not its own */
} PgmlTwinColumn;

typedef struct PgmlTwin
{
	PgmlConn   *conn;
	PgmlImportTable table;		/* its name is the local one */
	char	   *target;			/* that, qualified and quoted */
	Oid			relid;
	bool		same_name;		/* the remote's table is called so, too */
	List	   *details;		/* PgmlTwinColumn, of columns that have any */
} PgmlTwin;

/*
 * Make the table, in import's schema, with the columns that are wanted (char *; NIL:
 * all).  Blocks, throws; results are in the current context.
 */
extern PgmlTwin *pgml_twin_create(PgmlConn *conn, PgmlImport *import,
								  const PgmlRemoteTable *remote, const char *name, List *wanted);

/* Complete it, when the rows are there.  Blocks, throws. */
extern void pgml_twin_complete(PgmlTwin *twin);

/* The column of this remote name; NULL: it hasn't been made. */
extern PgmlImportColumn *pgml_twin_column(const PgmlTwin *twin, const char *remote_name);

/* Make its keys and indexes; called by pgml_twin_complete (twin_index.c). */
extern void pgml_twin_make_indexes(PgmlTwin *twin);

/* Run one local query or DML as SPI does; throws. */
extern void pgml_twin_run_query(const char *sql);

#endif							/* PGML_EXEC_TWIN_H */
