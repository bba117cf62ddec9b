/*
 * import_catalog.h
 *		A schema of the remote, as its catalogs describe it.
 *
 * Read in a handful of queries, however many tables there are.  What is in
 * these structs is what the remote said, and proves nothing: strings are
 * valid in the database's encoding and that is all that is known of them.
 * Names may be longer than a name here, empty, or SQL; expressions may be
 * anything.  NULL pointers only where it is said so.
 */
#ifndef PGML_EXEC_IMPORT_CATALOG_H
#define PGML_EXEC_IMPORT_CATALOG_H

#include "postgres.h"
#include "nodes/pg_list.h"

#include "remote/connection.h"

/* Which tables, and what of them. */
typedef struct PgmlCatalogWish
{
	const char *schema;
	List	   *names;			/* of tables (char *); NIL with only: none */
	bool		only;			/* those in names, partitions too; else all but names and partitions */
	bool		expressions;	/* defaults and generation expressions */
	bool		comments;
	bool		checks;
	bool		updatable;
} PgmlCatalogWish;

/* A column of a table, or an attribute of a composite type. */
typedef struct PgmlRemoteColumn
{
	char	   *name;
	Oid			type;			/* remote OID; find it with pgml_remote_type */
	int32		typmod;
	char	   *collation_schema;	/* both NULL: none */
	char	   *collation;

	/* of tables only */
	bool		not_null;
	char		generated;		/* attgenerated: '\0', 's', or 'v' (18) */
	char		identity;		/* attidentity: '\0', 'a' or 'd' */
	char	   *expression;		/* default or generation; NULL: none, or not wished for */
	char	   *comment;		/* NULL: none, or not wished for */
	bool		is_key;			/* belongs to the primary key or its like; see the query */
} PgmlRemoteColumn;

typedef struct PgmlRemoteCheck
{
	char	   *name;
	char	   *expression;
} PgmlRemoteCheck;

typedef struct PgmlRemoteTable
{
	Oid			oid;			/* there */
	char	   *name;
	char		relkind;
	bool		read_only;		/* nobody can change rows through it; false if not wished for */
	char	   *comment;		/* NULL: none, or not wished for */
	List	   *columns;		/* PgmlRemoteColumn */
	List	   *checks;			/* PgmlRemoteCheck, validated ones */
} PgmlRemoteTable;

typedef struct PgmlRemoteType
{
	Oid			oid;			/* there */
	char	   *schema;
	char	   *name;
	char	   *display;		/* as format_type shows it, for messages only */
	char		kind;			/* typtype; 'c' for a table's row type too */
	Oid			element;		/* of an array; else InvalidOid */
	char	   *extension;		/* that it belongs to; NULL: none */
	bool		is_row;			/* the row type of a table, view ... */
	char	   *comment;		/* NULL: none */

	List	   *labels;			/* of an enum: char *, in their order */
	List	   *attributes;		/* of a composite type: PgmlRemoteColumn */

	/* of a domain */
	Oid			base;
	int32		base_typmod;
	bool		not_null;
	char	   *default_value;	/* expression; NULL: none */
	List	   *checks;			/* PgmlRemoteCheck */

	/* of a domain or range; both NULL: none */
	char	   *collation_schema;
	char	   *collation;

	/* of a range */
	Oid			subtype;
	char	   *opclass_schema;
	char	   *opclass;
	bool		default_opclass;
	bool		has_functions;	/* canonical: it is needed for what two values are equal */
	char	   *multirange;		/* name of its multirange type; NULL: has none (13) */

	/* of a multirange */
	Oid			range;

	void	   *import;			/* the importer's; NULL at first */
} PgmlRemoteType;

typedef struct PgmlRemoteSchema
{
	List	   *tables;			/* PgmlRemoteTable, by name */
	int			ntypes;
	PgmlRemoteType *types;		/* all that the columns use, by OID */
} PgmlRemoteSchema;

/*
 * Ask the remote; blocks, throws.  NULL: it has no such schema.  All belongs to
 * the current memory context.
 */
extern PgmlRemoteSchema *pgml_import_read_schema(PgmlConn *conn, const PgmlCatalogWish *wish);

/* A type by its remote OID; NULL if the remote didn't tell. */
extern PgmlRemoteType *pgml_remote_type(const PgmlRemoteSchema *schema, Oid oid);

#endif							/* PGML_EXEC_IMPORT_CATALOG_H */
