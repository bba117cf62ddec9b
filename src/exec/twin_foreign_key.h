/*
 * twin_foreign_key.h
 *		Foreign keys between tables that are made like those of the remote.
 */
#ifndef PGML_EXEC_TWIN_FOREIGN_KEY_H
#define PGML_EXEC_TWIN_FOREIGN_KEY_H

#include "postgres.h"
#include "nodes/pg_list.h"

#include "exec/import_state.h"
#include "remote/connection.h"

/* A foreign key as the remote's catalogs describe it; strings are valid text and nothing more is known of them. */
typedef struct PgmlRemoteForeignKey
{
	char	   *table;
	char	   *name;
	char	   *other_schema;	/* whose table it refers to */
	char	   *other_table;
	char		match;			/* these three as in pg_constraint */
	char		on_update;
	char		on_delete;
	bool		is_deferrable;
	bool		is_deferred;
	bool		is_validated;
	List	   *columns;		/* char * */
	List	   *other_columns;
	List	   *set_columns;	/* those that ON DELETE SET sets; NIL: all */
} PgmlRemoteForeignKey;

/*
 * Ask for the foreign keys of a table (NULL: of all) in a schema: by table and name, without
 * those that partitions have from their parents.  Blocks, throws.
 */
extern List *pgml_foreign_keys_read(PgmlConn *conn, const char *schema, const char *table);

/*
 * Make one between tables of the schema that import makes tables in; NULL, or
 * what went wrong.  It is NOT VALID at first.
 */
extern const char *pgml_foreign_key_make(PgmlImport *import, const PgmlRemoteForeignKey *key);

/* Validate it; NULL, or what went wrong: it stays as it is, then. */
extern const char *pgml_foreign_key_validate(PgmlImport *import, const PgmlRemoteForeignKey *key);

#endif							/* PGML_EXEC_TWIN_FOREIGN_KEY_H */
