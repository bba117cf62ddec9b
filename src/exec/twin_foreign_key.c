/*
 * twin_foreign_key.c
 *		Takes foreign keys of the remote over.
 *
 * One is made NOT VALID and then validated, each on trial.  So rows that don't fit
 * (tables that were read at different moments may not) cost only the
 * validation: what is written from then on is checked all the same, and the user may
 * mend the rows and validate.  One that isn't validated there isn't here.
 *
 * Left out are those that aren't enforced and temporal ones (18).
 */
#include "postgres.h"

#include "lib/stringinfo.h"
#include "nodes/parsenodes.h"
#include "utils/builtins.h"

#include "exec/import_reader.h"
#include "exec/twin_foreign_key.h"

/* The columns of the query, a row for each column of each key. */
enum
{
	TABLE, NAME, OTHER_SCHEMA, OTHER_TABLE, MATCH, ON_UPDATE, ON_DELETE, IS_DEFERRABLE, IS_DEFERRED,
	IS_VALIDATED, COLUMN, OTHER_COLUMN, IS_SET,
	NUM_COLS
};

static char *
keys_query(PgmlConn *conn, const char *schema, const char *table)
{
	int			version = conn->caps.server_version;
	StringInfoData buf;

	initStringInfo(&buf);
	appendStringInfo(&buf, "SELECT c.relname, k.conname, rn.nspname, rc.relname, k.confmatchtype,"
					 " k.confupdtype, k.confdeltype, k.condeferrable, k.condeferred, k.convalidated,"
					 " a.attname, ra.attname, %s"
					 " FROM pg_catalog.pg_constraint k"
					 " JOIN pg_catalog.pg_class c ON c.oid = k.conrelid"
					 " JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
					 " JOIN pg_catalog.pg_class rc ON rc.oid = k.confrelid"
					 " JOIN pg_catalog.pg_namespace rn ON rn.oid = rc.relnamespace"
					 " CROSS JOIN ROWS FROM (unnest(k.conkey), unnest(k.confkey)) WITH ORDINALITY AS u (key, other, no)"
					 " JOIN pg_catalog.pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = u.key"
					 " JOIN pg_catalog.pg_attribute ra ON ra.attrelid = k.confrelid AND ra.attnum = u.other"
					 " WHERE k.contype = 'f'%s%s AND n.nspname = ",
					 version >= 150000 ? "u.key = ANY (k.confdelsetcols)" : "false",
					 version >= 110000 ? " AND k.conparentid = 0" : "",
					 version >= 180000 ? " AND k.conenforced AND NOT k.conperiod" : "");
	pgml_append_literal(&buf, schema);
	if (table != NULL)
	{
		appendStringInfoString(&buf, " AND c.relname = ");
		pgml_append_literal(&buf, table);
	}
	appendStringInfoString(&buf, " ORDER BY c.relname, k.conname, u.no");
	return buf.data;
}

/* Read what all rows of a key have in common. */
static PgmlRemoteForeignKey *
read_key(PgmlReader *reader)
{
	PgmlRemoteForeignKey *key = palloc0(sizeof(PgmlRemoteForeignKey));

	key->table = pgml_reader_string(reader, TABLE);
	key->name = pgml_reader_string(reader, NAME);
	key->other_schema = pgml_reader_string(reader, OTHER_SCHEMA);
	key->other_table = pgml_reader_string(reader, OTHER_TABLE);
	key->match = pgml_reader_letter(reader, MATCH);
	key->on_update = pgml_reader_letter(reader, ON_UPDATE);
	key->on_delete = pgml_reader_letter(reader, ON_DELETE);
	key->is_deferrable = pgml_reader_flag(reader, IS_DEFERRABLE);
	key->is_deferred = pgml_reader_flag(reader, IS_DEFERRED);
	key->is_validated = pgml_reader_flag(reader, IS_VALIDATED);
	return key;
}

List *
pgml_foreign_keys_read(PgmlConn *conn, const char *schema, const char *table)
{
	PgmlReader	reader;
	PgmlRemoteForeignKey *key = NULL;
	List	   *keys = NIL;

	pgml_connection_ensure(conn);
	for (reader = pgml_reader_run(conn, keys_query(conn, schema, table), NUM_COLS);
		 reader.row < reader.nrows; reader.row++)
	{
		char	   *column = pgml_reader_string(&reader, COLUMN);

		if (key == NULL || strcmp(key->table, pgml_reader_string(&reader, TABLE)) != 0 ||
			strcmp(key->name, pgml_reader_string(&reader, NAME)) != 0)
			keys = lappend(keys, key = read_key(&reader));
		key->columns = lappend(key->columns, column);
		key->other_columns = lappend(key->other_columns, pgml_reader_string(&reader, OTHER_COLUMN));
		if (pgml_reader_flag(&reader, IS_SET))
			key->set_columns = lappend(key->set_columns, column);
	}
	return keys;
}

static void
append_names(StringInfo sql, List *names)
{
	ListCell   *lc;

	foreach(lc, names)
		appendStringInfo(sql, "%s%s", lc == list_head(names) ? " (" : ", ",
						 quote_identifier(pgml_import_name(lfirst(lc))));
	if (names != NIL)
		appendStringInfoChar(sql, ')');
}

/* Append what is done when the other row goes; nothing where that is nothing. */
static void
append_action(StringInfo sql, const char *when, char action, List *columns)
{
	switch (action)
	{
		case FKCONSTR_ACTION_RESTRICT:
			appendStringInfo(sql, " ON %s RESTRICT", when);
			break;
		case FKCONSTR_ACTION_CASCADE:
			appendStringInfo(sql, " ON %s CASCADE", when);
			break;
		case FKCONSTR_ACTION_SETNULL:
			appendStringInfo(sql, " ON %s SET NULL", when);
			append_names(sql, columns);
			break;
		case FKCONSTR_ACTION_SETDEFAULT:
			appendStringInfo(sql, " ON %s SET DEFAULT", when);
			append_names(sql, columns);
			break;
		default:
			break;
	}
}

/* Begin a statement: "ALTER TABLE name <what> CONSTRAINT name" of the table and the key here. */
static void
start_alter(StringInfo sql, const PgmlImport *import, const PgmlRemoteForeignKey *key,
			const char *what)
{
	initStringInfo(sql);
	appendStringInfo(sql, "ALTER TABLE %s %s CONSTRAINT %s",
					 quote_qualified_identifier(import->local_schema, pgml_import_name(key->table)),
					 what, quote_identifier(pgml_import_name(key->name)));
}

const char *
pgml_foreign_key_make(PgmlImport *import, const PgmlRemoteForeignKey *key)
{
	StringInfoData sql;

	start_alter(&sql, import, key, "ADD");
	appendStringInfoString(&sql, " FOREIGN KEY");
	append_names(&sql, key->columns);
	appendStringInfo(&sql, " REFERENCES %s",
					 quote_qualified_identifier(import->local_schema, pgml_import_name(key->other_table)));
	append_names(&sql, key->other_columns);
	if (key->match == FKCONSTR_MATCH_FULL)
		appendStringInfoString(&sql, " MATCH FULL");
	append_action(&sql, "UPDATE", key->on_update, NIL);
	append_action(&sql, "DELETE", key->on_delete, key->set_columns);
	if (key->is_deferrable)
		appendStringInfo(&sql, " DEFERRABLE INITIALLY %s", key->is_deferred ? "DEFERRED" : "IMMEDIATE");
	appendStringInfoString(&sql, " NOT VALID");
	return pgml_import_try_run(import, sql.data);
}

const char *
pgml_foreign_key_validate(PgmlImport *import, const PgmlRemoteForeignKey *key)
{
	StringInfoData sql;

	start_alter(&sql, import, key, "VALIDATE");
	return pgml_import_try_run(import, sql.data);
}
