/*
 * import_reader.h
 *		The rows of a query about the remote's catalogs, field by field.
 *
 * What the fields hold is what the remote said.  Text is valid in the database's
 * encoding, numbers are numbers; a result of another shape is an error.
 */
#ifndef PGML_EXEC_IMPORT_READER_H
#define PGML_EXEC_IMPORT_READER_H

#include "postgres.h"

#include "base/compat.h"
#include "remote/command.h"

/* A result and the row that is being read. */
typedef struct PgmlReader
{
	PgmlConn   *conn;
	PgmlResult *res;
	int			row;
	int			nrows;
} PgmlReader;

/*
 * Run a query that gives this many columns.  Blocks, throws.  The result, and
 * with it the texts of its fields, belongs to the current context.
 */
extern PgmlReader pgml_reader_run(PgmlConn *conn, const char *sql, int ncols);

/* A field as text, NULL for a null; one that a remote in order never leaves null; its first letter ('\0' for a null). */
extern char *pgml_reader_nullable(PgmlReader *reader, int col);
extern char *pgml_reader_string(PgmlReader *reader, int col);
extern char pgml_reader_letter(PgmlReader *reader, int col);

/* A boolean, false for a null; an OID, InvalidOid for a null; a number that must be there. */
extern bool pgml_reader_flag(PgmlReader *reader, int col);
extern Oid	pgml_reader_oid(PgmlReader *reader, int col);
extern int64 pgml_reader_number(PgmlReader *reader, int col);

/* Throw for a result that isn't what was asked for. */
pg_noreturn extern void pgml_reader_throw(PgmlConn *conn);

#endif							/* PGML_EXEC_IMPORT_READER_H */
