/*
 * import_column.h
 *		What a column of a remote table becomes in an imported foreign table.
 */
#ifndef PGML_EXEC_IMPORT_COLUMN_H
#define PGML_EXEC_IMPORT_COLUMN_H

#include "postgres.h"
#include "nodes/pg_list.h"

#include "base/option.h"

/* A type as the remote's catalogs name it. */
typedef struct PgmlRemoteType
{
	const char *schema;
	const char *name;			/* of the element if is_array */
	const char *display;		/* as format_type shows it, for messages only */
	bool		is_array;
	char		kind;			/* typtype, of the element if is_array */
} PgmlRemoteType;

/* A column of the foreign table to be. */
typedef struct PgmlImportColumn
{
	char	   *remote_name;
	char	   *name;			/* cut to the length of a name here */
	char	   *remote_type;	/* as SQL text, if type is text in its place; else NULL */
	Oid			type;
	int32		typmod;
	Oid			collation;		/* InvalidOid: the type isn't collatable */
	bool		not_null;
	bool		is_generated;
	char	   *expression;		/* of the default or the generation; NULL: none */
} PgmlImportColumn;

/*
 * Find the local type that a remote one is declared as.  Where there is none
 * of that name and kind that the current user may use and whose values can be
 * read in, returns text's OID and sets *problem to a sentence for an errdetail;
 * else *problem is NULL.  Doesn't throw.
 */
extern Oid	pgml_import_find_type(const PgmlRemoteType *remote, const char **problem);

/* Find a collation by its exact name; InvalidOid if there is none that may be used here. */
extern Oid	pgml_import_find_collation(const char *schema, const char *name);

/*
 * Say why a column's expression, text from the remote, can't stand in a CREATE
 * FOREIGN TABLE with these columns (PgmlImportColumn); NULL if it can.
 */
extern const char *pgml_import_expression_problem(const PgmlImportColumn *column, List *columns,
												  const PgmlOptions *options);

#endif							/* PGML_EXEC_IMPORT_COLUMN_H */
