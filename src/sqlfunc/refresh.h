/*
 * refresh.h
 *		What pgml_fdw_refresh_schema() and its parts share.
 */
#ifndef PGML_SQLFUNC_REFRESH_H
#define PGML_SQLFUNC_REFRESH_H

#include "postgres.h"
#include "fmgr.h"

#include "exec/import_state.h"

/* A difference between a schema here and the remote's. */
typedef struct PgmlDifference
{
	char	   *object;			/* its name here, qualified and quoted */
	const char *what;
	char	   *command;		/* that mends it */
	const char *problem;		/* why that doesn't work; NULL: it does */
} PgmlDifference;

/* A refresh, of the tables here that are in one schema of one server. */
typedef struct PgmlRefresh
{
	PgmlImport	import;
	List	   *differences;	/* PgmlDifference */
	List	   *enums;			/* remote OIDs (enum types that have been looked at) */
} PgmlRefresh;

/*
 * Run the command that mends a difference, in a subtransaction, and note both,
 * or what went wrong.  True: it is mended.
 */
extern bool pgml_refresh_mend(PgmlRefresh *refresh, char *object, const char *what, char *command);

/* refresh_table.c: find and mend the differences of a foreign table. */
extern void pgml_refresh_table(PgmlRefresh *refresh, Oid relid, const PgmlRemoteTable *table);

#endif							/* PGML_SQLFUNC_REFRESH_H */
