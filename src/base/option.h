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

/* How the rows of INSERT are sent; see row/sink.h. */
typedef enum PgmlInsertMethod
{
	PGML_INSERT_AUTO,
	PGML_INSERT_COPY,
	PGML_INSERT_VALUES
} PgmlInsertMethod;

/* How a row that is to be changed is found again; see plan/planinfo.h. */
typedef enum PgmlRowIdentity
{
	PGML_ROW_IDENTITY_CTID,
	PGML_ROW_IDENTITY_KEY
} PgmlRowIdentity;

/*
 * What a server's options say, overridden by those of one of its foreign
 * tables where a table was asked for.
 */
typedef struct PgmlOptions
{
	Oid			serverid;
	Oid			relid;			/* InvalidOid: of the server alone */
	List	   *tables;			/* OIDs of the tables whose columns tell type names: relid; of a join, all */

	/* where the table is on the remote (NULL without a relid) */
	const char *schema_name;
	const char *table_name;
	const char *query;			/* shown in the place of a table; NULL: it is one */

	/* planning */
	bool		use_remote_estimate;
	double		fdw_startup_cost;
	double		fdw_tuple_cost;
	List	   *extensions;		/* OIDs of extensions known on both sides */
	PgmlSampling analyze_sampling;
	bool		import_stats;
	bool		ask_size;
	Oid			userid;			/* no option: the role that the planner reads the relation as; InvalidOid: whoever runs the plan */
	int			server_version; /* no option: the remote's, as PQserverVersion; 0: not known (plan/size.c) */
	bool		same_collation; /* no option: the remote has said that its default collation is ours (plan/size.c) */

	/* execution */
	PgmlTransport transport;
	int			fetch_size;
	bool		fetch_size_set; /* did the user say so? */
	int			batch_size;
	bool		batch_size_set; /* did the user say so? */
	PgmlInsertMethod insert_method;
	bool		remote_defaults;
	PgmlRowIdentity row_identity;
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
	bool		types;
	bool		comments;
	bool		check;
	bool		updatable;
	bool		stats;			/* unless the server's option says no */
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

/* Value of an option of a foreign table's column, NULL if not set; for option_column.c. */
extern const char *pgml_option_column_value(Oid relid, AttrNumber attnum, const char *name);

/* Name of a foreign table's column on the remote. */
extern char *pgml_option_column_name(Oid relid, AttrNumber attnum);

/*
 * Type of a foreign table's column on the remote, if the local one is a
 * built-in one (text) in its place: IMPORT says so of types that it can't have
 * here.  NULL: the same.
 */
extern const char *pgml_option_column_type(Oid relid, AttrNumber attnum);

/*
 * The remote's name, quoted and qualified, of a type that somebody made here
 * (an enum, a domain ...): what the columns of options->tables that have the
 * type, or are arrays of it, say with type_name.  NULL if none does, or they
 * contradict each other.
 */
extern char *pgml_option_type_name(const PgmlOptions *options, Oid typid);

/*
 * Does a foreign table's column belong to the key that its owner (or IMPORT)
 * says the remote table has?  And all columns that do, in their order (int
 * list of attribute numbers; NIL: no key is known).  The key is a primary key
 * or its like there: no two rows have the same values, and none is null.
 */
extern bool pgml_option_column_is_key(Oid relid, AttrNumber attnum);
extern List *pgml_option_key_columns(Oid relid);

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
