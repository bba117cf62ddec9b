/*
 * option.h
 *		The options of servers, user mappings, tables, columns and IMPORT.
 *
 * One table in option.c names every option, where it may stand, what values
 * it takes and whether it is a libpq parameter, a secret, or for superusers
 * only.  The validator, the readers and the closest-match hint are driven by
 * it.  This is the only module that looks into DefElems.
 */
#ifndef PGML_BASE_OPTION_H
#define PGML_BASE_OPTION_H

#include "postgres.h"
#include "foreign/foreign.h"
#include "nodes/parsenodes.h"

typedef enum PgmlSampling
{
	PGML_SAMPLING_OFF,
	PGML_SAMPLING_AUTO,
	PGML_SAMPLING_RANDOM,
	PGML_SAMPLING_SYSTEM,
	PGML_SAMPLING_BERNOULLI
} PgmlSampling;

/* How rows are fetched; see row/source.h. */
typedef enum PgmlTransport
{
	PGML_TRANSPORT_AUTO,
	PGML_TRANSPORT_COPY,
	PGML_TRANSPORT_ROW,
	PGML_TRANSPORT_CURSOR
} PgmlTransport;

/*
 * What a server's options say, overridden by those of one of its foreign
 * tables where a table was asked for.
 */
typedef struct PgmlOptions
{
	Oid			serverid;
	Oid			relid;			/* InvalidOid: of the server alone */

	/* where the table is on the remote (NULL without a relid) */
	const char *schema_name;
	const char *table_name;

	/* planning */
	bool		use_remote_estimate;
	double		fdw_startup_cost;
	double		fdw_tuple_cost;
	List	   *extensions;		/* OIDs of extensions known on both sides */
	PgmlSampling analyze_sampling;
	bool		import_stats;

	/* execution */
	PgmlTransport transport;
	int			fetch_size;
	bool		fetch_size_set; /* did the user say so? */
	int			batch_size;
	bool		batch_size_set; /* did the user say so? */
	bool		async_capable;
	bool		updatable;
	bool		truncatable;

	/* connection */
	bool		keep_connections;
	bool		parallel_commit;
	bool		parallel_abort;
	bool		release_early;
} PgmlOptions;

/* What the OPTIONS clause of IMPORT FOREIGN SCHEMA says. */
typedef struct PgmlImportOptions
{
	bool		collate;
	bool		default_value;
	bool		generated;
	bool		not_null;
} PgmlImportOptions;

/*
 * Parameters for libpq, as PQconnectStartParams takes them, without the
 * terminating NULLs.  All strings are palloc'd in the caller's context.
 */
typedef struct PgmlConnParams
{
	int			n;
	const char **keywords;
	const char **values;
} PgmlConnParams;

/* Read the options of a server; relid InvalidOid, or of a foreign table. */
extern PgmlOptions *pgml_options_of_server(Oid serverid);
extern PgmlOptions *pgml_options_of_table(Oid relid);

/* Name of a foreign table's column on the remote. */
extern char *pgml_option_column_name(Oid relid, AttrNumber attnum);

/*
 * Type of a foreign table's column on the remote, if the local one is text in
 * its place (IMPORT says so of types that are missing here); NULL: the same.
 */
extern const char *pgml_option_column_type(Oid relid, AttrNumber attnum);

/* Read the OPTIONS clause of IMPORT FOREIGN SCHEMA; throws on unknown ones. */
extern PgmlImportOptions pgml_options_of_import(List *options);

/*
 * Collect the libpq parameters of a server and a user mapping (mapping wins),
 * without those that connection.c adds by itself.
 */
extern PgmlConnParams *pgml_options_conn_params(ForeignServer *server, UserMapping *mapping);

/* Value of one option of a mapping or server, NULL if not set. */
extern const char *pgml_option_mapping_value(UserMapping *mapping, const char *name);
extern const char *pgml_option_server_value(ForeignServer *server, const char *name);

/* Is this libpq keyword one that a connection may be made with? (For dblink's strings.) */
extern bool pgml_option_libpq_allowed(const char *keyword);

#endif							/* PGML_BASE_OPTION_H */
