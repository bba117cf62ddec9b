/*
 * import_state.h
 *		One IMPORT FOREIGN SCHEMA: what its files share.
 *
 *	  import				the statement: which tables, in what order
 *	  import_table			a foreign table: its columns, and the command that makes it
 *	  import_type			which local type a remote one becomes
 *	  import_match			is an existing type the same?
 *	  import_create			makes types
 *	  import_expression		may an expression of the remote be used here?
 *	  import_command		runs commands, each on trial
 *
 * A table of ours that is made like one of the remote (twin.c) takes most of it
 * from here.
 */
#ifndef PGML_EXEC_IMPORT_STATE_H
#define PGML_EXEC_IMPORT_STATE_H

#include "postgres.h"
#include "lib/stringinfo.h"
#include "nodes/parsenodes.h"

#include "base/option.h"
#include "exec/import_catalog.h"

typedef struct PgmlImport
{
	MemoryContext cxt;			/* for what lives as long as the import */
	PgmlRemoteSchema *remote;
	const char *remote_schema;
	const char *local_schema;
	Oid			local_schema_oid;
	const char *server_name;
	PgmlOptions *server_options;
	PgmlImportOptions options;
	bool		quiet;			/* no notices about columns */
	bool		as_tables;		/* tables of ours are made, no foreign ones */
} PgmlImport;

/* What a remote type becomes. */
typedef struct PgmlLocalType
{
	Oid			oid;			/* text's, if there is a problem */
	const char *problem;		/* why it can't be had here, a sentence for an errdetail; NULL: it can */
	const char *hint;			/* what to do about it; NULL: nothing to say */
} PgmlLocalType;

/* How a column of a table of ours gets numbers; else as attidentity has it. */
#define PGML_IDENTITY_SERIAL 's'

/* A column of the (foreign) table to be. */
typedef struct PgmlImportColumn
{
	const PgmlRemoteColumn *remote;
	char	   *name;			/* cut to the length of a name here */
	char	   *type_name;		/* for the option of that name; NULL: none */
	Oid			type;
	int32		typmod;
	Oid			collation;		/* InvalidOid: the type isn't collatable */
	bool		not_null;
	bool		is_generated;
	char	   *expression;		/* of the default or the generation; NULL: none */
	char		identity;		/* '\0': none; only for tables of ours */
} PgmlImportColumn;

/* A (foreign) table to be. */
typedef struct PgmlImportTable
{
	PgmlImport *import;
	const PgmlRemoteTable *remote;
	char	   *name;
	List	   *columns;		/* PgmlImportColumn */
} PgmlImportTable;

/* import_table.c */

/* Make a foreign table on trial; NULL, or what went wrong. */
extern const char *pgml_import_table(PgmlImport *import, PgmlRemoteTable *table);

/* Decide what becomes of a column of a table, its expression left aside. */
extern PgmlImportColumn *pgml_import_column(PgmlImport *import, const PgmlRemoteTable *table,
											const PgmlRemoteColumn *remote);

/* Append the definition of a column, as it stands in CREATE and ADD COLUMN; its options on wish. */
extern void pgml_import_append_column(StringInfo buf, const PgmlImportColumn *column, bool options);

/* Drop the expressions of columns that can't be used here, with a NOTICE. */
extern void pgml_import_check_expressions(PgmlImportTable *table);

/* Append what stands between the parentheses of CREATE [FOREIGN] TABLE: columns and checks. */
extern void pgml_import_append_elements(StringInfo buf, PgmlImportTable *table);

/* Set the comments of a table that was just made, and of its columns. */
extern void pgml_import_set_comments(const PgmlImportTable *table, Oid relid);

/* A name of the remote, cut to what fits here. */
extern char *pgml_import_name(const char *remote_name);

/* import_type.c */

/*
 * Find, or make, the local type that a remote one is declared as.  Throws only
 * what isn't about the type.
 */
extern PgmlLocalType pgml_import_type(PgmlImport *import, Oid remote);

/*
 * The collation of a thing of a local type that has this collation there (NULL:
 * none): the type's own where there is none of that exact name that may be used here.
 */
extern Oid	pgml_import_collation(Oid type, const char *schema, const char *name,
								  bool *missing);

/* May the current user look into a schema? */
extern bool pgml_import_may_use(Oid schema);

/* The schema of a local type, and its name in a command. */
extern Oid	pgml_import_schema_of(Oid type);
extern char *pgml_import_type_name(Oid type, int32 typmod);

/* import_match.c */

/*
 * Say what keeps an existing type from standing for a remote one, a sentence for
 * an errdetail; NULL if nothing does.
 */
extern const char *pgml_import_mismatch(PgmlImport *import, const PgmlRemoteType *remote,
										Oid local);

/* The labels of an enum here (char *), in their order. */
extern List *pgml_import_enum_labels(Oid type);

/* import_create.c */

/* Make a type, whose parts can be had here, in a schema; NULL, or what went wrong. */
extern const char *pgml_import_create_type(PgmlImport *import, const PgmlRemoteType *remote,
										   Oid schema, Oid *created);

/* The operator family that a range's values are ordered by; InvalidOid if it isn't here. */
extern Oid	pgml_import_range_opfamily(const PgmlRemoteType *remote, Oid subtype);

/* import_expression.c */

typedef enum PgmlExpressionKind
{
	PGML_EXPRESSION_DEFAULT,	/* of a column, wished for by the user */
	PGML_EXPRESSION_OWN_DEFAULT,	/* of a column of a table of ours, which nobody has asked for */
	PGML_EXPRESSION_GENERATED,
	PGML_EXPRESSION_CHECK,
	PGML_EXPRESSION_INDEX,
	PGML_EXPRESSION_PREDICATE,	/* of an index */
	PGML_EXPRESSION_DOMAIN_DEFAULT,
	PGML_EXPRESSION_DOMAIN_CHECK
} PgmlExpressionKind;

/*
 * Say why text from the remote can't stand as an expression in a command that
 * makes a thing of this type (typmod and collation); NULL if it can.  columns:
 * those of the table (PgmlImportColumn).
 */
extern const char *pgml_import_expression_problem(PgmlImport *import, const char *text,
												  PgmlExpressionKind kind, Oid type, int32 typmod,
												  Oid collation, List *columns);

/* Analyze the check of a domain, be it harmless or not; NULL if that fails. */
extern Node *pgml_import_analyze_check(PgmlImport *import, const char *text, Oid type,
									   int32 typmod, Oid collation);

/* Let expressions in a parsed command name types as they are called here. */
extern bool pgml_import_rename_types(Node *raw, void *import);

/* import_command.c */

/*
 * Run something in a subtransaction.  NULL if it went well; else the error's
 * message, after all was undone.  Errors that aren't about what was tried
 * (out of memory, cancel, ...) are thrown on.
 */
extern const char *pgml_import_try(void (*action) (void *arg), void *arg);

/* Run one statement as a part of IMPORT, or of what makes tables of ours; throws. */
extern void pgml_import_run(PgmlImport *import, const char *command);

/* The same on trial, as pgml_import_try. */
extern const char *pgml_import_try_run(PgmlImport *import, const char *command);

#endif							/* PGML_EXEC_IMPORT_STATE_H */
