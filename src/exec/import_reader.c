/*
 * import_reader.c
 *		Takes the answers of the remote's catalogs apart.
 *
 * The remote may lie: whatever isn't of the shape that was asked for ends the
 * statement with an error.
 */
#include "postgres.h"

#include "mb/pg_wchar.h"

#include "exec/import_reader.h"

void
pgml_reader_throw(PgmlConn *conn)
{
	ereport(ERROR,
			(errcode(ERRCODE_FDW_ERROR),
			 errmsg("unexpected result of a catalog query from server \"%s\"", conn->name)));
	pg_unreachable();
}

PgmlReader
pgml_reader_run(PgmlConn *conn, const char *sql, int ncols)
{
	PgmlReader	reader = {.conn = conn};

	reader.res = pgml_command_run(conn, sql);
	if (!pgml_result_has_rows(reader.res) || pgml_result_ncols(reader.res) != ncols)
		pgml_reader_throw(conn);
	reader.nrows = pgml_result_nrows(reader.res);
	return reader;
}

char *
pgml_reader_nullable(PgmlReader *reader, int col)
{
	char	   *value = pgml_result_value(reader->res, reader->row, col);

	if (value != NULL)
		pg_verifymbstr(value, pgml_result_length(reader->res, reader->row, col), false);
	return value;
}

char *
pgml_reader_string(PgmlReader *reader, int col)
{
	char	   *value = pgml_reader_nullable(reader, col);

	if (value == NULL)
		pgml_reader_throw(reader->conn);
	return value;
}

char
pgml_reader_letter(PgmlReader *reader, int col)
{
	char	   *value = pgml_reader_nullable(reader, col);

	return value != NULL ? value[0] : '\0';
}

bool
pgml_reader_flag(PgmlReader *reader, int col)
{
	return pgml_reader_letter(reader, col) == 't';
}

Oid
pgml_reader_oid(PgmlReader *reader, int col)
{
	char	   *value = pgml_reader_nullable(reader, col);
	char	   *end;
	unsigned long result;

	if (value == NULL)
		return InvalidOid;
	errno = 0;
	result = strtoul(value, &end, 10);
	if (errno != 0 || end == value || *end != '\0' || result > OID_MAX)
		pgml_reader_throw(reader->conn);
	return (Oid) result;
}

int64
pgml_reader_number(PgmlReader *reader, int col)
{
	char	   *value = pgml_reader_string(reader, col);
	char	   *end;
	long long	result;

	errno = 0;
	result = strtoll(value, &end, 10);
	if (errno != 0 || end == value || *end != '\0')
		pgml_reader_throw(reader->conn);
	return result;
}
