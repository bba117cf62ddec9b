/*
 * import_table.c
 *		A relation of the remote becomes a foreign table.
 *
 * Each column is looked at first: its type, collation and expression become
 * what can be had here, with a NOTICE about what can't.  Then one command makes the
 * table, in a subtransaction, with the comments.
 *
 * The remote may be hostile.  Nothing that it sends gets into the command but
 * quoted names, quoted literals, and expressions that have been proved to be
 * just that; types are printed from our own catalogs.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/table.h"
#include "access/transam.h"
#include "access/xact.h"
#include "catalog/indexing.h"
#include "catalog/objectaccess.h"
#include "catalog/pg_attribute.h"
#include "catalog/pg_class.h"
#include "catalog/pg_type.h"
#include "commands/comment.h"
#include "commands/defrem.h"
#include "foreign/foreign.h"
#include "lib/stringinfo.h"
#include "nodes/makefuncs.h"
#include "parser/scansup.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/ruleutils.h"
#include "utils/syscache.h"

#include "base/compat.h"
#include "exec/import_state.h"

char *
pgml_import_name(const char *remote_name)
{
	char	   *name = pstrdup(remote_name);

	truncate_identifier(name, strlen(name), false);
	return name;
}

/* What is made, for messages. */
static const char *
kind_of_table(const PgmlImportTable *creation)
{
	return creation->import->as_tables ? "table" : "foreign table";
}

/* Tell that a column could not be taken over as it is. */
static void
notice(const PgmlImportTable *creation, const PgmlImportColumn *column, const char *how,
	   const char *why, const char *hint)
{
	if (creation->import->quiet)
		return;
	ereport(NOTICE,
			(errmsg("column \"%s\" of %s \"%s\" is %s %s",
					column->name, kind_of_table(creation), creation->name,
					creation->import->as_tables ? "created" : "imported", how),
			 errdetail_internal("%s", why),
			 hint != NULL ? errhint("%s", hint) : 0));
}

/* Choose the collation of a column whose type is known. */
static void
set_collation(PgmlImportTable *creation, PgmlImportColumn *column)
{
	const PgmlRemoteColumn *remote = column->remote;
	bool		missing;

	column->collation = get_typcollation(column->type);
	if (!creation->import->options.collate)
		return;
	column->collation = pgml_import_collation(column->type, remote->collation_schema,
											  remote->collation, &missing);
	if (missing)
		notice(creation, column, "with the default collation",
			   psprintf("Collation %s does not exist here.",
						quote_qualified_identifier(remote->collation_schema, remote->collation)),
			   NULL);
}

/*
 * The remote's name of a column's type, where it must be remembered: the
 * column is text in its place, or the type is one that somebody made.  One of
 * an extension has the same name everywhere, and perhaps another schema.
 */
static char *
type_name_option(PgmlImportTable *creation, const PgmlImportColumn *column, bool as_text)
{
	const PgmlRemoteType *type = pgml_remote_type(creation->import->remote, column->remote->type);
	const char *suffix = "";
	Oid			local = get_element_type(column->type);

	if (type == NULL)
		return NULL;
	if (!OidIsValid(local))
		local = column->type;
	if (OidIsValid(type->element))
	{
		type = pgml_remote_type(creation->import->remote, type->element);
		suffix = "[]";
	}
	if (type == NULL || (!as_text && local < FirstNormalObjectId))
		return NULL;
	if (!as_text && type->extension != NULL &&
		strcmp(get_namespace_name(pgml_import_schema_of(local)), type->schema) == 0)
		return NULL;
	return psprintf("%s%s", quote_qualified_identifier(type->schema, type->name), suffix);
}

/* Decide what becomes of a column, its expression left aside. */
static PgmlImportColumn *
make_column(PgmlImportTable *creation, const PgmlRemoteColumn *remote)
{
	PgmlImportColumn *column = palloc0(sizeof(PgmlImportColumn));
	const PgmlImportOptions *options = &creation->import->options;
	PgmlLocalType type = pgml_import_type(creation->import, remote->type);

	column->remote = remote;
	column->name = pgml_import_name(remote->name);
	column->type = type.oid;
	column->typmod = type.problem == NULL ? remote->typmod : -1;
	column->type_name = type_name_option(creation, column, type.problem != NULL);
	if (type.problem != NULL)
		notice(creation, column, "as text", type.problem, type.hint);
	set_collation(creation, column);
	column->not_null = options->not_null && remote->not_null;
	column->is_generated = remote->generated != '\0';
	if (column->is_generated ? options->generated : options->default_value)
		column->expression = remote->expression;
	return column;
}

PgmlImportColumn *
pgml_import_column(PgmlImport *import, const PgmlRemoteTable *table, const PgmlRemoteColumn *remote)
{
	PgmlImportTable creation = {
		.import = import,
		.remote = table,
		.name = pgml_import_name(table->name)
	};

	return make_column(&creation, remote);
}

void
pgml_import_check_expressions(PgmlImportTable *creation)
{
	ListCell   *lc;

	foreach(lc, creation->columns)
	{
		PgmlImportColumn *column = lfirst(lc);
		const char *problem;

		if (column->expression == NULL)
			continue;
		problem = pgml_import_expression_problem(creation->import, column->expression,
												 column->is_generated ? PGML_EXPRESSION_GENERATED :
												 creation->import->as_tables ?
												 PGML_EXPRESSION_OWN_DEFAULT : PGML_EXPRESSION_DEFAULT,
												 column->type, column->typmod, column->collation,
												 creation->columns);
		if (problem == NULL)
			continue;
		notice(creation, column,
			   column->is_generated ? "as a plain column" : "without its default", problem, NULL);
		column->expression = NULL;
	}
}

/* Append the options of a column. */
static void
append_options(StringInfo buf, const PgmlImportColumn *column)
{
	appendStringInfo(buf, " OPTIONS (column_name %s", quote_literal_cstr(column->remote->name));
	if (column->type_name != NULL)
		appendStringInfo(buf, ", type_name %s", quote_literal_cstr(column->type_name));
	if (column->remote->is_key)
		appendStringInfoString(buf, ", key 'true'");
	appendStringInfoChar(buf, ')');
}

/* The word that makes an integer column number its rows by a sequence of its own. */
static const char *
serial_type(Oid type)
{
	return type == INT2OID ? "smallserial" : type == INT4OID ? "serial" : "bigserial";
}

/*
 * Append a column's definition.  An expression stands between parentheses and
 * is followed by a line break: see import_expression.c.  A generated column,
 * virtual ones included, is declared as STORED: for a foreign table that only
 * means that it can't be written to; the values are the remote's.  In a table of
 * ours it means what it says.
 */
void
pgml_import_append_column(StringInfo buf, const PgmlImportColumn *column, bool options)
{
	appendStringInfo(buf, "%s %s", quote_identifier(column->name),
					 column->identity == PGML_IDENTITY_SERIAL ? serial_type(column->type) :
					 pgml_import_type_name(column->type, column->typmod));
	if (options)
		append_options(buf, column);
	if (column->collation != get_typcollation(column->type))
		appendStringInfo(buf, " COLLATE %s", generate_collation_name(column->collation));
	if (column->expression != NULL && column->is_generated)
		appendStringInfo(buf, " GENERATED ALWAYS AS (%s\n  ) STORED", column->expression);
	else if (column->expression != NULL)
		appendStringInfo(buf, " DEFAULT (%s\n  )", column->expression);
	else if (column->identity == ATTRIBUTE_IDENTITY_ALWAYS)
		appendStringInfoString(buf, " GENERATED ALWAYS AS IDENTITY");
	else if (column->identity == ATTRIBUTE_IDENTITY_BY_DEFAULT)
		appendStringInfoString(buf, " GENERATED BY DEFAULT AS IDENTITY");
	if (column->not_null)
		appendStringInfoString(buf, " NOT NULL");
}

/* Append the checks that can be used here. */
static void
append_checks(StringInfo buf, PgmlImportTable *creation, const char *separator)
{
	ListCell   *lc;

	foreach(lc, creation->remote->checks)
	{
		PgmlRemoteCheck *check = lfirst(lc);
		const char *problem;

		problem = pgml_import_expression_problem(creation->import, check->expression,
												 PGML_EXPRESSION_CHECK, BOOLOID, -1, InvalidOid,
												 creation->columns);
		if (problem != NULL)
		{
			ereport(NOTICE,
					(errmsg("%s \"%s\" is %s without its check \"%s\"",
							kind_of_table(creation), creation->name,
							creation->import->as_tables ? "created" : "imported", check->name),
					 errdetail_internal("%s", problem)));
			continue;
		}
		appendStringInfo(buf, "%s  CONSTRAINT %s CHECK (%s\n  )", separator,
						 quote_identifier(pgml_import_name(check->name)), check->expression);
		separator = ",\n";
	}
}

void
pgml_import_append_elements(StringInfo buf, PgmlImportTable *creation)
{
	const char *separator = "\n";
	ListCell   *lc;

	foreach(lc, creation->columns)
	{
		appendStringInfo(buf, "%s  ", separator);
		pgml_import_append_column(buf, lfirst(lc), false);
		separator = ",\n";
	}
	append_checks(buf, creation, separator);
}

/* Compose the command. */
static char *
create_command(PgmlImportTable *creation)
{
	PgmlImport *import = creation->import;
	StringInfoData buf;

	initStringInfo(&buf);
	appendStringInfo(&buf, "CREATE FOREIGN TABLE %s (",
					 quote_qualified_identifier(import->local_schema, creation->name));
	pgml_import_append_elements(&buf, creation);
	appendStringInfo(&buf, "\n) SERVER %s\nOPTIONS (schema_name %s, table_name %s%s)",
					 quote_identifier(import->server_name),
					 quote_literal_cstr(import->remote_schema),
					 quote_literal_cstr(creation->remote->name),
					 creation->remote->read_only ? ", updatable 'false'" : "");
	return buf.data;
}

/* An option as a command would bring it. */
static DefElem *
option(const char *name, const char *value)
{
	return makeDefElem(pstrdup(name), (Node *) makeString(pstrdup(value)), -1);
}

/* The options of a column, checked by the wrapper's validator. */
static Datum
column_options(const PgmlImportColumn *column, Oid validator)
{
	List	   *options = list_make1(option("column_name", column->remote->name));

	if (column->type_name != NULL)
		options = lappend(options, option("type_name", column->type_name));
	if (column->remote->is_key)
		options = lappend(options, option("key", "true"));
	return transformGenericOptions(AttributeRelationId, PointerGetDatum(NULL), options, validator);
}

/*
 * Give the columns of a table that was just made their options.  In the command
 * they would cost half of its time: core makes an ALTER TABLE of each.
 */
static void
set_column_options(PgmlImportTable *creation, Oid relid)
{
	Oid			fdwid = GetForeignServer(creation->import->server_options->serverid)->fdwid;
	Oid			validator = GetForeignDataWrapper(fdwid)->fdwvalidator;
	Relation	rel = table_open(AttributeRelationId, RowExclusiveLock);
	AttrNumber	attnum = 0;
	ListCell   *lc;

	foreach(lc, creation->columns)
	{
		Datum		values[Natts_pg_attribute] = {0};
		bool		nulls[Natts_pg_attribute] = {0};
		bool		replaces[Natts_pg_attribute] = {0};
		HeapTuple	tuple = SearchSysCacheCopyAttNum(relid, ++attnum);

		if (!HeapTupleIsValid(tuple))
			elog(ERROR, "cache lookup failed for attribute %d of relation %u", attnum, relid);
		values[Anum_pg_attribute_attfdwoptions - 1] = column_options(lfirst(lc), validator);
		replaces[Anum_pg_attribute_attfdwoptions - 1] = true;
		tuple = heap_modify_tuple(tuple, RelationGetDescr(rel), values, nulls, replaces);
		CatalogTupleUpdate(rel, &tuple->t_self, tuple);
		InvokeObjectPostAlterHook(RelationRelationId, relid, attnum);
	}
	table_close(rel, RowExclusiveLock);
	CommandCounterIncrement();
}

void
pgml_import_set_comments(const PgmlImportTable *creation, Oid relid)
{
	AttrNumber	attnum = 0;
	ListCell   *lc;

	if (creation->remote->comment != NULL)
		CreateComments(relid, RelationRelationId, 0, creation->remote->comment);
	foreach(lc, creation->columns)
	{
		const char *comment = ((PgmlImportColumn *) lfirst(lc))->remote->comment;

		attnum++;
		if (comment != NULL)
			CreateComments(relid, RelationRelationId, attnum, comment);
	}
}

/* Compose and run the command, and complete the table; called in a subtransaction. */
static void
run_creation(void *arg)
{
	PgmlImportTable *creation = arg;
	Oid			relid;

	pgml_import_run(creation->import, create_command(creation));
	relid = get_relname_relid(creation->name, creation->import->local_schema_oid);
	set_column_options(creation, relid);
	pgml_import_set_comments(creation, relid);
}

const char *
pgml_import_table(PgmlImport *import, PgmlRemoteTable *table)
{
	PgmlImportTable creation = {import, table, pgml_import_name(table->name), NIL};
	ListCell   *lc;

	ereport(DEBUG1,
			(errmsg_internal("importing foreign table \"%s\"", creation.name)));
	foreach(lc, table->columns)
		creation.columns = lappend(creation.columns, make_column(&creation, lfirst(lc)));
	pgml_import_check_expressions(&creation);
	return pgml_import_try(run_creation, &creation);
}
