/*
 * import_catalog.c
 *		Reads the catalogs of the remote about one schema.
 *
 * Question answered: which tables, columns and types are there?  What is made
 * of them here is for import.c and its neighbours, and for who compares.
 *
 * One query brings all tables, one all columns, one the types that the columns
 * use and what these are made of, and one each the labels of enums, the
 * attributes of composite types, the checks of domains and of tables, where
 * there are any: seven round trips at most.  They run in one remote transaction
 * and so see one state.
 *
 * The remote may lie.  Rows that don't fit those of an earlier query end it
 * with an error; numbers are parsed with bounds; text is verified.
 */
#include "postgres.h"

#include <limits.h>

#include "catalog/pg_type.h"
#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "utils/builtins.h"

#include "exec/import_catalog.h"
#include "exec/import_reader.h"
#include "remote/command.h"

static int32
typmod(PgmlReader *reader, int col)
{
	long		value = strtol(pgml_reader_string(reader, col), NULL, 10);

	return value >= 0 && value <= PG_INT32_MAX ? (int32) value : -1;
}

/*
 * Tables
 */

/* Append " FROM" the relations that are wished for, as c; of = their schema's row is to come even without one. */
static void
append_relations(StringInfo buf, PgmlConn *conn, const PgmlCatalogWish *wish, const char *join)
{
	ListCell   *lc;

	appendStringInfo(buf, " FROM pg_catalog.pg_namespace n %s JOIN pg_catalog.pg_class c"
					 " ON c.relnamespace = n.oid AND c.relkind IN ('r', 'v', 'm', 'f', 'p')", join);

	/* the parent shows the rows of its partitions */
	if (!wish->only && conn->caps.server_version >= 100000)
		appendStringInfoString(buf, " AND NOT c.relispartition");
	if (wish->only && wish->names == NIL)
		appendStringInfoString(buf, " AND false");
	else if (wish->names != NIL)
	{
		appendStringInfo(buf, " AND c.relname %s (", wish->only ? "IN" : "NOT IN");
		foreach(lc, wish->names)
		{
			if (foreach_current_index(lc) > 0)
				appendStringInfoString(buf, ", ");
			pgml_append_literal(buf, lfirst(lc));
		}
		appendStringInfoChar(buf, ')');
	}
}

/* Append the end of a query about relations: of which schema, and in what order. */
static void
append_schema(StringInfo buf, const PgmlCatalogWish *wish, const char *order)
{
	appendStringInfoString(buf, " WHERE n.nspname = ");
	pgml_append_literal(buf, wish->schema);
	appendStringInfo(buf, " ORDER BY c.relname%s", order);
}

/* Read the tables; false: there is no such schema. */
static bool
read_tables(PgmlConn *conn, const PgmlCatalogWish *wish, PgmlRemoteSchema *schema)
{
	enum
	{
		OID, NAME, KIND, COMMENT, READ_ONLY, NCOLS
	};
	StringInfoData buf;
	PgmlReader	reader;

	initStringInfo(&buf);
	appendStringInfo(&buf, "SELECT c.oid, c.relname, c.relkind, %s, %s",
					 wish->comments ? "pg_catalog.obj_description(c.oid, 'pg_class')" : "NULL",
	/* the bits of UPDATE, INSERT and DELETE */
					 wish->updatable ? "pg_catalog.pg_relation_is_updatable(c.oid, true) & 28 = 0" : "false");

	/* outwards from the schema, so that no row at all means that there is none */
	append_relations(&buf, conn, wish, "LEFT");
	append_schema(&buf, wish, "");
	reader = pgml_reader_run(conn, buf.data, NCOLS);

	for (; reader.row < reader.nrows; reader.row++)
	{
		PgmlRemoteTable *table;

		if (pgml_reader_nullable(&reader, NAME) == NULL)
			break;
		table = palloc0(sizeof(PgmlRemoteTable));
		table->oid = pgml_reader_oid(&reader, OID);
		table->name = pgml_reader_string(&reader, NAME);
		table->relkind = pgml_reader_letter(&reader, KIND);
		table->comment = pgml_reader_nullable(&reader, COMMENT);
		table->read_only = pgml_reader_flag(&reader, READ_ONLY);
		schema->tables = lappend(schema->tables, table);
	}
	return reader.nrows > 0;
}

/*
 * Find the table that a row is of: the rows come in the order of the tables,
 * several or none for each.
 */
static PgmlRemoteTable *
table_of_row(PgmlReader *reader, PgmlRemoteSchema *schema, int *at, int col)
{
	Oid			wanted = pgml_reader_oid(reader, col);

	for (; *at < list_length(schema->tables); (*at)++)
	{
		PgmlRemoteTable *table = list_nth(schema->tables, *at);

		if (table->oid == wanted)
			return table;
	}
	pgml_reader_throw(reader->conn);
	return NULL;				/* not reached */
}

/*
 * Append a subquery for the columns of a relation's key: the primary key or
 * the smallest unique index that is as good.  It must hold at every moment
 * (not deferrable) for all rows (not partial, no children beside it), with no
 * NULLs, and find equal what "=" finds equal: the default operator classes, and
 * the columns' own collations.
 */
static void
append_key(StringInfo buf, int version)
{
	const char *nkeys = version >= 110000 ? "i.indnkeyatts" : "i.indnatts";

	appendStringInfo(buf,
					 " LEFT JOIN LATERAL (SELECT i.indkey, %s AS nkeys"
					 " FROM pg_catalog.pg_index i"
					 " WHERE i.indrelid = c.oid AND i.indisunique AND i.indisvalid AND i.indimmediate"
					 " AND i.indpred IS NULL AND i.indexprs IS NULL"
					 " AND (c.relkind = 'p' OR NOT c.relhassubclass)"
					 " AND NOT EXISTS (SELECT FROM pg_catalog.generate_series(0, %s - 1) s(at)"
					 " JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum = i.indkey[s.at]"
					 " JOIN pg_catalog.pg_opclass o ON o.oid = i.indclass[s.at]"
					 " WHERE NOT a.attnotnull OR NOT o.opcdefault OR i.indcollation[s.at] <> a.attcollation)"
					 " ORDER BY i.indisprimary DESC, nkeys, i.indexrelid LIMIT 1) k ON true",
					 nkeys, nkeys);
}

/* Read the columns of all tables. */
static void
read_columns(PgmlConn *conn, const PgmlCatalogWish *wish, PgmlRemoteSchema *schema)
{
	enum
	{
		TABLE, NAME, TYPE, TYPMOD, NOT_NULL, GENERATED, IDENTITY, EXPRESSION,
		COLLATION_SCHEMA, COLLATION, COMMENT, IS_KEY, NCOLS
	};
	int			version = conn->caps.server_version;
	StringInfoData buf;
	PgmlReader	reader;
	int			at = 0;

	initStringInfo(&buf);
	appendStringInfo(&buf, "SELECT c.oid, a.attname, a.atttypid, a.atttypmod, a.attnotnull%s,"
					 " %s, %s, %s, cn.nspname, co.collname, %s,"
					 " a.attnum IN (SELECT k.indkey[s.at] FROM pg_catalog.generate_series(0, k.nkeys - 1) s(at))",
	/* one that isn't validated doesn't count */
					 version >= 180000 ? " AND NOT EXISTS (SELECT FROM pg_catalog.pg_constraint nn"
					 " WHERE nn.conrelid = c.oid AND nn.contype = 'n' AND nn.conkey = ARRAY[a.attnum]"
					 " AND NOT nn.convalidated)" : "",
					 version >= 120000 ? "a.attgenerated" : "NULL",
					 version >= 100000 ? "a.attidentity" : "NULL",
					 wish->expressions ? "pg_catalog.pg_get_expr(d.adbin, d.adrelid)" : "NULL",
					 wish->comments ? "pg_catalog.col_description(c.oid, a.attnum)" : "NULL");
	append_relations(&buf, conn, wish, "");
	append_key(&buf, version);
	appendStringInfoString(&buf,
						   " JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid"
						   " AND a.attnum > 0 AND NOT a.attisdropped"
						   " LEFT JOIN pg_catalog.pg_attrdef d"
						   " ON d.adrelid = a.attrelid AND d.adnum = a.attnum"
						   " LEFT JOIN pg_catalog.pg_collation co ON co.oid = a.attcollation"
						   " LEFT JOIN pg_catalog.pg_namespace cn ON cn.oid = co.collnamespace");
	append_schema(&buf, wish, ", a.attnum");
	reader = pgml_reader_run(conn, buf.data, NCOLS);

	for (; reader.row < reader.nrows; reader.row++)
	{
		PgmlRemoteTable *table = table_of_row(&reader, schema, &at, TABLE);
		PgmlRemoteColumn *column = palloc0(sizeof(PgmlRemoteColumn));

		column->name = pgml_reader_string(&reader, NAME);
		column->type = pgml_reader_oid(&reader, TYPE);
		column->typmod = typmod(&reader, TYPMOD);
		column->not_null = pgml_reader_flag(&reader, NOT_NULL);
		column->generated = pgml_reader_letter(&reader, GENERATED);
		column->identity = pgml_reader_letter(&reader, IDENTITY);
		column->expression = pgml_reader_nullable(&reader, EXPRESSION);
		column->collation_schema = pgml_reader_nullable(&reader, COLLATION_SCHEMA);
		column->collation = pgml_reader_nullable(&reader, COLLATION);
		column->comment = pgml_reader_nullable(&reader, COMMENT);
		column->is_key = pgml_reader_flag(&reader, IS_KEY);
		table->columns = lappend(table->columns, column);
	}
}

/* Read the checks of all tables. */
static void
read_table_checks(PgmlConn *conn, const PgmlCatalogWish *wish, PgmlRemoteSchema *schema)
{
	enum
	{
		TABLE, NAME, EXPRESSION, NCOLS
	};
	StringInfoData buf;
	PgmlReader	reader;
	int			at = 0;

	initStringInfo(&buf);
	appendStringInfoString(&buf, "SELECT c.oid, k.conname, pg_catalog.pg_get_expr(k.conbin, k.conrelid)");
	append_relations(&buf, conn, wish, "");

	/* a constraint that isn't inherited doesn't hold for the rows of children */
	appendStringInfoString(&buf, " JOIN pg_catalog.pg_constraint k ON k.conrelid = c.oid"
						   " AND k.contype = 'c' AND k.convalidated"
						   " AND NOT (k.connoinherit AND c.relhassubclass)");
	append_schema(&buf, wish, ", k.conname");
	reader = pgml_reader_run(conn, buf.data, NCOLS);

	for (; reader.row < reader.nrows; reader.row++)
	{
		PgmlRemoteTable *table = table_of_row(&reader, schema, &at, TABLE);
		PgmlRemoteCheck *check = palloc(sizeof(PgmlRemoteCheck));

		check->name = pgml_reader_string(&reader, NAME);
		check->expression = pgml_reader_string(&reader, EXPRESSION);
		table->checks = lappend(table->checks, check);
	}
}

/*
 * Types
 */

static int
compare_types(const void *a, const void *b)
{
	Oid			left = ((const PgmlRemoteType *) a)->oid;
	Oid			right = ((const PgmlRemoteType *) b)->oid;

	return left < right ? -1 : left > right ? 1 : 0;
}

PgmlRemoteType *
pgml_remote_type(const PgmlRemoteSchema *schema, Oid oid)
{
	PgmlRemoteType wanted = {.oid = oid};

	return schema->ntypes == 0 ? NULL :
		bsearch(&wanted, schema->types, schema->ntypes, sizeof(PgmlRemoteType), compare_types);
}

/* Append the types of all columns as an array of OIDs, each once. */
static void
append_column_types(StringInfo buf, PgmlRemoteSchema *schema)
{
	List	   *oids = NIL;
	ListCell   *lc;
	ListCell   *lc2;
	const char *separator = "";

	foreach(lc, schema->tables)
		foreach(lc2, ((PgmlRemoteTable *) lfirst(lc))->columns)
			oids = lappend_oid(oids, ((PgmlRemoteColumn *) lfirst(lc2))->type);
	list_sort(oids, list_oid_cmp);
	list_deduplicate_oid(oids);

	appendStringInfoString(buf, "'{");
	foreach(lc, oids)
	{
		appendStringInfo(buf, "%s%u", separator, lfirst_oid(lc));
		separator = ",";
	}
	appendStringInfoString(buf, "}'::pg_catalog.oid[]");
}

/* Compose the query for the types of the columns, and for all that those are made of. */
static char *
types_query(PgmlRemoteSchema *schema, int version)
{
	StringInfoData buf;
	const char *range_of = version >= 140000 ? "r.rngtypid = t.oid OR r.rngmultitypid = t.oid" :
		"r.rngtypid = t.oid";

	initStringInfo(&buf);
	appendStringInfoString(&buf, "WITH RECURSIVE used(oid) AS (SELECT pg_catalog.unnest(");
	append_column_types(&buf, schema);
	appendStringInfo(&buf,
					 ") UNION SELECT part.oid FROM used JOIN pg_catalog.pg_type t ON t.oid = used.oid"
					 " LEFT JOIN pg_catalog.pg_range r ON %s"
					 " CROSS JOIN LATERAL (SELECT t.typelem UNION ALL SELECT t.typbasetype"
					 " UNION ALL SELECT r.rngsubtype UNION ALL SELECT r.rngtypid"
					 " UNION ALL SELECT a.atttypid FROM pg_catalog.pg_attribute a"
					 " WHERE a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped) part(oid)"
					 " WHERE part.oid <> 0)",
					 range_of);
	appendStringInfo(&buf,
					 " SELECT t.oid, tn.nspname, t.typname, pg_catalog.format_type(t.oid, NULL), t.typtype,"
					 " e.oid, x.extname, c.relkind <> 'c', pg_catalog.obj_description(t.oid, 'pg_type'),"
					 " t.typbasetype, t.typtypmod, t.typnotnull, pg_catalog.pg_get_expr(t.typdefaultbin, 0),"
					 " cn.nspname, co.collname,"
					 " r.rngsubtype, pn.nspname, o.opcname, o.opcdefault, r.rngcanonical <> 0, %s, r.rngtypid"
					 " FROM pg_catalog.pg_type t JOIN pg_catalog.pg_namespace tn ON tn.oid = t.typnamespace"
					 " LEFT JOIN pg_catalog.pg_type e ON e.oid = t.typelem AND e.typarray = t.oid"
					 " LEFT JOIN pg_catalog.pg_class c ON c.oid = t.typrelid"
					 " LEFT JOIN pg_catalog.pg_range r ON %s"
					 " LEFT JOIN pg_catalog.pg_opclass o ON o.oid = r.rngsubopc"
					 " LEFT JOIN pg_catalog.pg_namespace pn ON pn.oid = o.opcnamespace"
					 " LEFT JOIN pg_catalog.pg_collation co ON co.oid ="
					 " CASE WHEN t.typtype = 'r' THEN r.rngcollation ELSE t.typcollation END"
					 " LEFT JOIN pg_catalog.pg_namespace cn ON cn.oid = co.collnamespace"
					 " LEFT JOIN pg_catalog.pg_depend p ON p.classid = 'pg_catalog.pg_type'::pg_catalog.regclass"
					 " AND p.objid = t.oid AND p.deptype = 'e'"
					 " LEFT JOIN pg_catalog.pg_extension x ON x.oid = p.refobjid"
					 " WHERE t.oid IN (SELECT used.oid FROM used)",
					 version >= 140000 ?
					 "(SELECT m.typname FROM pg_catalog.pg_type m WHERE m.oid = r.rngmultitypid)" : "NULL",
					 range_of);
	return buf.data;
}

/* Read one type. */
static void
read_type(PgmlReader *reader, PgmlRemoteType *type)
{
	enum
	{
		OID, SCHEMA, NAME, DISPLAY, KIND, ELEMENT, EXTENSION, IS_ROW, COMMENT,
		BASE, BASE_TYPMOD, NOT_NULL, DEFAULT_VALUE, COLLATION_SCHEMA, COLLATION,
		SUBTYPE, OPCLASS_SCHEMA, OPCLASS, DEFAULT_OPCLASS, HAS_FUNCTIONS, MULTIRANGE, RANGE
	};

	type->oid = pgml_reader_oid(reader, OID);
	type->schema = pgml_reader_string(reader, SCHEMA);
	type->name = pgml_reader_string(reader, NAME);
	type->display = pgml_reader_string(reader, DISPLAY);
	type->kind = pgml_reader_letter(reader, KIND);
	type->element = pgml_reader_oid(reader, ELEMENT);
	type->extension = pgml_reader_nullable(reader, EXTENSION);
	type->is_row = pgml_reader_flag(reader, IS_ROW);
	type->comment = pgml_reader_nullable(reader, COMMENT);
	type->base = pgml_reader_oid(reader, BASE);
	type->base_typmod = typmod(reader, BASE_TYPMOD);
	type->not_null = pgml_reader_flag(reader, NOT_NULL);
	type->default_value = pgml_reader_nullable(reader, DEFAULT_VALUE);
	type->collation_schema = pgml_reader_nullable(reader, COLLATION_SCHEMA);
	type->collation = pgml_reader_nullable(reader, COLLATION);
	type->subtype = pgml_reader_oid(reader, SUBTYPE);
	type->opclass_schema = pgml_reader_nullable(reader, OPCLASS_SCHEMA);
	type->opclass = pgml_reader_nullable(reader, OPCLASS);
	type->default_opclass = pgml_reader_flag(reader, DEFAULT_OPCLASS);
	type->has_functions = pgml_reader_flag(reader, HAS_FUNCTIONS);
	type->multirange = pgml_reader_nullable(reader, MULTIRANGE);
	type->range = pgml_reader_oid(reader, RANGE);
}

static void
read_types(PgmlConn *conn, PgmlRemoteSchema *schema)
{
	PgmlReader	reader = pgml_reader_run(conn, types_query(schema, conn->caps.server_version), 22);

	schema->types = palloc0(Max(reader.nrows, 1) * sizeof(PgmlRemoteType));
	for (; reader.row < reader.nrows; reader.row++)
		read_type(&reader, &schema->types[reader.row]);
	schema->ntypes = reader.nrows;
	qsort(schema->types, schema->ntypes, sizeof(PgmlRemoteType), compare_types);
}

/* Append " IN (...)" the OIDs of the types of a kind; false: there are none that aren't built in. */
static bool
append_types_of_kind(StringInfo buf, PgmlRemoteSchema *schema, char kind)
{
	const char *separator = " IN (";
	bool		any = false;

	for (int i = 0; i < schema->ntypes; i++)
	{
		if (schema->types[i].kind != kind || strcmp(schema->types[i].schema, "pg_catalog") == 0)
			continue;
		appendStringInfo(buf, "%s%u", separator, schema->types[i].oid);
		separator = ", ";
		any = true;
	}
	appendStringInfoChar(buf, ')');
	return any;
}

/* The type that a row is of. */
static PgmlRemoteType *
type_of_row(PgmlReader *reader, PgmlRemoteSchema *schema)
{
	PgmlRemoteType *type = pgml_remote_type(schema, pgml_reader_oid(reader, 0));

	if (type == NULL)
		pgml_reader_throw(reader->conn);
	return type;
}

static void
read_labels(PgmlConn *conn, PgmlRemoteSchema *schema)
{
	StringInfoData buf;
	PgmlReader	reader;

	initStringInfo(&buf);
	appendStringInfoString(&buf, "SELECT enumtypid, enumlabel FROM pg_catalog.pg_enum WHERE enumtypid");
	if (!append_types_of_kind(&buf, schema, TYPTYPE_ENUM))
		return;
	appendStringInfoString(&buf, " ORDER BY enumtypid, enumsortorder");

	for (reader = pgml_reader_run(conn, buf.data, 2); reader.row < reader.nrows; reader.row++)
	{
		PgmlRemoteType *type = type_of_row(&reader, schema);

		type->labels = lappend(type->labels, pgml_reader_string(&reader, 1));
	}
}

static void
read_attributes(PgmlConn *conn, PgmlRemoteSchema *schema)
{
	StringInfoData buf;
	PgmlReader	reader;

	initStringInfo(&buf);
	appendStringInfoString(&buf, "SELECT t.oid, a.attname, a.atttypid, a.atttypmod, cn.nspname, co.collname"
						   " FROM pg_catalog.pg_type t JOIN pg_catalog.pg_attribute a ON a.attrelid = t.typrelid"
						   " AND a.attnum > 0 AND NOT a.attisdropped"
						   " LEFT JOIN pg_catalog.pg_collation co ON co.oid = a.attcollation"
						   " LEFT JOIN pg_catalog.pg_namespace cn ON cn.oid = co.collnamespace WHERE t.oid");
	if (!append_types_of_kind(&buf, schema, TYPTYPE_COMPOSITE))
		return;
	appendStringInfoString(&buf, " ORDER BY t.oid, a.attnum");

	for (reader = pgml_reader_run(conn, buf.data, 6); reader.row < reader.nrows; reader.row++)
	{
		PgmlRemoteType *type = type_of_row(&reader, schema);
		PgmlRemoteColumn *attribute = palloc0(sizeof(PgmlRemoteColumn));

		attribute->name = pgml_reader_string(&reader, 1);
		attribute->type = pgml_reader_oid(&reader, 2);
		attribute->typmod = typmod(&reader, 3);
		attribute->collation_schema = pgml_reader_nullable(&reader, 4);
		attribute->collation = pgml_reader_nullable(&reader, 5);
		type->attributes = lappend(type->attributes, attribute);
	}
}

static void
read_domain_checks(PgmlConn *conn, PgmlRemoteSchema *schema)
{
	StringInfoData buf;
	PgmlReader	reader;

	initStringInfo(&buf);
	appendStringInfoString(&buf, "SELECT contypid, conname, pg_catalog.pg_get_expr(conbin, 0)"
						   " FROM pg_catalog.pg_constraint WHERE contype = 'c' AND convalidated AND contypid");
	if (!append_types_of_kind(&buf, schema, TYPTYPE_DOMAIN))
		return;
	appendStringInfoString(&buf, " ORDER BY contypid, conname");

	for (reader = pgml_reader_run(conn, buf.data, 3); reader.row < reader.nrows; reader.row++)
	{
		PgmlRemoteType *type = type_of_row(&reader, schema);
		PgmlRemoteCheck *check = palloc(sizeof(PgmlRemoteCheck));

		check->name = pgml_reader_string(&reader, 1);
		check->expression = pgml_reader_string(&reader, 2);
		type->checks = lappend(type->checks, check);
	}
}

PgmlRemoteSchema *
pgml_import_read_schema(PgmlConn *conn, const PgmlCatalogWish *wish)
{
	PgmlRemoteSchema *schema = palloc0(sizeof(PgmlRemoteSchema));

	/* the text of the queries depends on what the remote can */
	pgml_connection_ensure(conn);
	if (!read_tables(conn, wish, schema))
		return NULL;
	if (schema->tables == NIL)
		return schema;
	read_columns(conn, wish, schema);
	if (wish->checks)
		read_table_checks(conn, wish, schema);
	read_types(conn, schema);
	read_labels(conn, schema);
	read_attributes(conn, schema);
	read_domain_checks(conn, schema);
	return schema;
}
