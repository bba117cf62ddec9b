/*
 * twin.c
 *		Makes a table of ours like one of the remote: columns, defaults, checks,
 *		sequences, comments.
 *
 * Types, collations and expressions come by the same way as IMPORT FOREIGN
 * SCHEMA's (import_table.c), and the same care is taken: what the remote
 * says gets into a command only as a quoted name, or as an expression that has
 * been proved to be one.  Expressions here run as soon as somebody writes to the
 * table, so those of them that could do anything but compute a value are left
 * out (import_expression.c).
 *
 * A column that is numbered by a sequence of its own there (IDENTITY, serial) gets
 * one here, with the same parameters.  It goes on where the remote's is; where we
 * may not look at that one, behind the largest number that has come.
 *
 * Not taken over: what rules who may do what (owner, privileges, policies),
 * what acts (triggers, rules), and how the table is stored (partitions,
 * inheritance, tablespace, parameters), but for the storage of columns.
 */
#include "postgres.h"

#include "catalog/pg_attribute.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "lib/stringinfo.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

#include "exec/import_reader.h"
#include "exec/twin.h"

void
pgml_twin_run_query(const char *sql)
{
	if (SPI_connect() != SPI_OK_CONNECT || SPI_execute(sql, false, 0) < 0 ||
		SPI_finish() != SPI_OK_FINISH)
		elog(ERROR, "could not run \"%s\"", sql);
}

PgmlImportColumn *
pgml_twin_column(const PgmlTwin *twin, const char *remote_name)
{
	ListCell   *lc;

	foreach(lc, twin->table.columns)
	{
		PgmlImportColumn *column = lfirst(lc);

		if (strcmp(column->remote->name, remote_name) == 0)
			return column;
	}
	return NULL;
}

/*
 * Append a join with the sequence, as s, that a column's default or identity takes
 * its numbers from, if it is the column's own.  What the default is called is
 * looked at because it may do more than that.
 */
static void
append_sequence(StringInfo buf)
{
	appendStringInfoString(buf,
						   " LEFT JOIN LATERAL (SELECT q.*, CASE WHEN"
						   " pg_catalog.has_sequence_privilege(q.seqrelid, 'SELECT, USAGE')"
						   " AND (c.relpersistence = 'p' OR NOT pg_catalog.pg_is_in_recovery())"
						   " THEN pg_catalog.pg_sequence_last_value(q.seqrelid) END AS last"
						   " FROM pg_catalog.pg_depend d"
						   " JOIN pg_catalog.pg_sequence q ON q.seqrelid = d.objid"
						   " JOIN pg_catalog.pg_class c ON c.oid = q.seqrelid"
						   " LEFT JOIN pg_catalog.pg_attrdef ad ON ad.adrelid = a.attrelid AND ad.adnum = a.attnum"
						   " WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass"
						   " AND d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass"
						   " AND d.refobjid = a.attrelid AND d.refobjsubid = a.attnum AND d.deptype IN ('a', 'i')"
						   " AND (a.attidentity <> '' OR"
						   " pg_catalog.pg_get_expr(ad.adbin, ad.adrelid) ~ '^nextval\\(''([^'']|'''')*''::regclass\\)$'"
						   " AND EXISTS (SELECT FROM pg_catalog.pg_depend u"
						   " WHERE u.classid = 'pg_catalog.pg_attrdef'::pg_catalog.regclass AND u.objid = ad.oid"
						   " AND u.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass"
						   " AND u.refobjid = q.seqrelid)) LIMIT 1) s ON true");
}

/* Read a column's sequence; NULL: it has none. */
static PgmlRemoteSequence *
read_sequence(PgmlReader *reader, int at)
{
	PgmlRemoteSequence *sequence;

	if (pgml_reader_nullable(reader, at) == NULL)
		return NULL;
	sequence = palloc0(sizeof(PgmlRemoteSequence));
	sequence->type = pgml_reader_oid(reader, at);
	sequence->start = pgml_reader_number(reader, at + 1);
	sequence->increment = pgml_reader_number(reader, at + 2);
	sequence->min = pgml_reader_number(reader, at + 3);
	sequence->max = pgml_reader_number(reader, at + 4);
	sequence->cache = pgml_reader_number(reader, at + 5);
	sequence->cycles = pgml_reader_flag(reader, at + 6);
	sequence->last_known = pgml_reader_nullable(reader, at + 7) != NULL;
	if (sequence->last_known)
		sequence->last = pgml_reader_number(reader, at + 7);
	return sequence;
}

/* Ask the remote for what IMPORT doesn't ask for. */
static void
read_details(PgmlTwin *twin)
{
	enum
	{
		NAME, STORAGE, COMPRESSION, SEQUENCE, NCOLS = SEQUENCE + 8
	};
	int			version = twin->conn->caps.server_version;
	StringInfoData buf;
	PgmlReader	reader;

	/* identity columns and pg_sequence came with it */
	if (version < 100000)
		return;
	initStringInfo(&buf);
	appendStringInfo(&buf, "SELECT a.attname, CASE WHEN a.attstorage <> t.typstorage THEN a.attstorage END, %s,"
					 " s.seqtypid, s.seqstart, s.seqincrement, s.seqmin, s.seqmax, s.seqcache, s.seqcycle, s.last"
					 " FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_type t ON t.oid = a.atttypid",
					 version >= 140000 ? "a.attcompression" : "''");
	append_sequence(&buf);
	appendStringInfo(&buf, " WHERE a.attrelid = %u AND a.attnum > 0 AND NOT a.attisdropped"
					 " AND (s.seqrelid IS NOT NULL OR a.attstorage <> t.typstorage%s)",
					 twin->table.remote->oid, version >= 140000 ? " OR a.attcompression <> ''" : "");
	for (reader = pgml_reader_run(twin->conn, buf.data, NCOLS); reader.row < reader.nrows; reader.row++)
	{
		PgmlTwinColumn *detail = palloc0(sizeof(PgmlTwinColumn));

		detail->name = pgml_reader_string(&reader, NAME);
		detail->storage = pgml_reader_letter(&reader, STORAGE);
		detail->compression = pgml_reader_letter(&reader, COMPRESSION);
		detail->sequence = read_sequence(&reader, SEQUENCE);
		twin->details = lappend(twin->details, detail);
	}
}

/* Let a column be numbered here as it is there, if it can be. */
static void
set_identity(PgmlTwin *twin, const PgmlTwinColumn *detail)
{
	PgmlImportColumn *column = pgml_twin_column(twin, detail->name);

	if (column == NULL || detail->sequence == NULL ||
		(column->type != INT2OID && column->type != INT4OID && column->type != INT8OID))
		return;
	column->identity = column->remote->identity != '\0' ? column->remote->identity :
		PGML_IDENTITY_SERIAL;
	column->expression = NULL;
}

/* Decide what the columns become. */
static void
make_columns(PgmlTwin *twin, List *wanted)
{
	PgmlImportTable *table = &twin->table;
	ListCell   *lc;
	ListCell   *lc2;

	foreach(lc, table->remote->columns)
	{
		const PgmlRemoteColumn *remote = lfirst(lc);
		bool		take = wanted == NIL;

		foreach(lc2, wanted)
			take = take || strcmp(remote->name, lfirst(lc2)) == 0;
		if (take)
			table->columns = lappend(table->columns,
									 pgml_import_column(table->import, table->remote, remote));
	}
	foreach(lc, twin->details)
		set_identity(twin, lfirst(lc));
	pgml_import_check_expressions(table);
}

/* Try a command about a column, that isn't vital. */
static void
alter_column(PgmlTwin *twin, const PgmlImportColumn *column, const char *what, const char *value)
{
	const char *problem = pgml_import_try_run(twin->table.import,
											  psprintf("ALTER TABLE %s ALTER COLUMN %s SET %s %s", twin->target,
													   quote_identifier(column->name), what, value));

	if (problem != NULL)
		ereport(NOTICE,
				(errmsg("column \"%s\" of table \"%s\" is created without its %s %s",
						column->name, twin->table.name, what, value),
				 errdetail_internal("%s", problem)));
}

/* Set the storage and compression of a column. */
static void
set_storage(PgmlTwin *twin, const PgmlTwinColumn *detail)
{
	static const struct
	{
		char		letter;
		const char *name;
	}			storages[] = {{'p', "PLAIN"}, {'e', "EXTERNAL"}, {'m', "MAIN"}, {'x', "EXTENDED"}};
	PgmlImportColumn *column = pgml_twin_column(twin, detail->name);

	if (column == NULL)
		return;
	for (size_t i = 0; i < lengthof(storages); i++)
		if (detail->storage == storages[i].letter)
			alter_column(twin, column, "STORAGE", storages[i].name);
	if (detail->compression == 'l' || detail->compression == 'p')
		alter_column(twin, column, "COMPRESSION", detail->compression == 'l' ? "lz4" : "pglz");
}

/* The name of a column's own sequence here, qualified and quoted. */
static char *
sequence_name(const PgmlTwin *twin, const PgmlImportColumn *column)
{
	return text_to_cstring(DatumGetTextPP(DirectFunctionCall2(pg_get_serial_sequence,
															  CStringGetTextDatum(twin->target),
															  CStringGetTextDatum(column->name))));
}

/* Give a column's sequence the parameters of the remote's. */
static void
set_sequence(PgmlTwin *twin, const PgmlTwinColumn *detail)
{
	PgmlImportColumn *column = pgml_twin_column(twin, detail->name);
	const PgmlRemoteSequence *sequence = detail->sequence;

	const char *type;

	if (column == NULL || column->identity == '\0')
		return;

	/* a serial's may have a wider range than its column, as those from before 10 have */
	type = sequence->type == INT2OID ? " AS smallint" : sequence->type == INT4OID ? " AS integer" : " AS bigint";
	pgml_import_run(twin->table.import,
					psprintf("ALTER SEQUENCE %s%s INCREMENT BY " INT64_FORMAT " MINVALUE " INT64_FORMAT
							 " MAXVALUE " INT64_FORMAT " START WITH " INT64_FORMAT " RESTART"
							 " CACHE " INT64_FORMAT "%s CYCLE",
							 sequence_name(twin, column),
							 column->identity == PGML_IDENTITY_SERIAL ? type : "",
							 sequence->increment, sequence->min, sequence->max, sequence->start,
							 sequence->cache, sequence->cycles ? "" : " NO"));
}

PgmlTwin *
pgml_twin_create(PgmlConn *conn, PgmlImport *import, const PgmlRemoteTable *remote,
				 const char *name, List *wanted)
{
	PgmlTwin   *twin = palloc0(sizeof(PgmlTwin));
	StringInfoData sql;
	ListCell   *lc;

	twin->conn = conn;
	twin->table.import = import;
	twin->table.remote = remote;
	twin->table.name = pstrdup(name);
	twin->target = quote_qualified_identifier(import->local_schema, name);
	twin->same_name = strcmp(name, remote->name) == 0;
	read_details(twin);
	make_columns(twin, wanted);

	initStringInfo(&sql);
	appendStringInfo(&sql, "CREATE TABLE %s (", twin->target);
	pgml_import_append_elements(&sql, &twin->table);
	appendStringInfoString(&sql, "\n)");
	pgml_import_run(import, sql.data);
	twin->relid = get_relname_relid(name, import->local_schema_oid);

	pgml_import_set_comments(&twin->table, twin->relid);
	foreach(lc, twin->details)
	{
		set_storage(twin, lfirst(lc));
		set_sequence(twin, lfirst(lc));
	}
	return twin;
}

/* Let a column's sequence go on where the remote's is, or behind the numbers that are there. */
static void
advance_sequence(PgmlTwin *twin, const PgmlTwinColumn *detail)
{
	PgmlImportColumn *column = pgml_twin_column(twin, detail->name);
	const PgmlRemoteSequence *sequence = detail->sequence;
	char	   *name;

	if (column == NULL || column->identity == '\0')
		return;
	name = quote_literal_cstr(sequence_name(twin, column));
	if (sequence->last_known)
		pgml_twin_run_query(psprintf("SELECT pg_catalog.setval(%s, " INT64_FORMAT ")", name, sequence->last));
	else
		pgml_twin_run_query(psprintf("SELECT pg_catalog.setval(%s, t.at) FROM (SELECT pg_catalog.%s(%s) AS at FROM %s) AS t"
									 " WHERE t.at BETWEEN " INT64_FORMAT " AND " INT64_FORMAT,
									 name, sequence->increment > 0 ? "max" : "min",
									 quote_identifier(column->name), twin->target,
									 sequence->min, sequence->max));
}

void
pgml_twin_complete(PgmlTwin *twin)
{
	ListCell   *lc;

	pgml_twin_make_indexes(twin);
	foreach(lc, twin->details)
		advance_sequence(twin, lfirst(lc));
}
