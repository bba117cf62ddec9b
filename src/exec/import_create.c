/*
 * import_create.c
 *		Makes an enum, domain, composite type or range of the remote's here.
 *
 * By a command, as the caller, in a subtransaction.  The parts of a type (base
 * type, attributes, subtype) are resolved first, which makes them if need be; a
 * type with a part that can't be had can't be had itself.
 *
 * A default or check of a domain that can't be used here is left out, with a NOTICE: the
 * remote checks its values by itself.
 */
#include "postgres.h"

#include "catalog/namespace.h"
#include "catalog/pg_am.h"
#include "catalog/pg_type.h"
#include "commands/comment.h"
#include "commands/defrem.h"
#include "lib/stringinfo.h"
#include "nodes/value.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/ruleutils.h"
#include "utils/syscache.h"

#include "exec/import_state.h"

/* A type to be made. */
typedef struct Creation
{
	PgmlImport *import;
	const PgmlRemoteType *remote;
	Oid			schema;
	const char *name;
	Oid			created;
} Creation;

/* Append "schema.name". */
static void
append_name(StringInfo buf, Creation *creation, const char *name)
{
	appendStringInfoString(buf, quote_qualified_identifier(get_namespace_name(creation->schema), name));
}

/* Append a collation, if it isn't the type's own. */
static void
append_collation(StringInfo buf, Oid type, Oid collation)
{
	if (OidIsValid(collation) && collation != get_typcollation(type))
		appendStringInfo(buf, " COLLATE %s", generate_collation_name(collation));
}

/* Tell what a type is made without. */
static void
notice_without(const PgmlRemoteType *remote, const char *without, const char *problem)
{
	ereport(NOTICE,
			(errmsg("type %s is created without its %s", remote->display, without),
			 errdetail_internal("%s", problem)));
}

static void
enum_definition(StringInfo buf, Creation *creation)
{
	const char *separator = "";
	ListCell   *lc;

	appendStringInfoString(buf, "CREATE TYPE ");
	append_name(buf, creation, creation->name);
	appendStringInfoString(buf, " AS ENUM (");
	foreach(lc, creation->remote->labels)
	{
		appendStringInfo(buf, "%s%s", separator, quote_literal_cstr(lfirst(lc)));
		separator = ", ";
	}
	appendStringInfoChar(buf, ')');
}

/* Append the default and the checks of a domain, as far as they can be used. */
static void
append_domain_constraints(StringInfo buf, Creation *creation, Oid base, Oid collation)
{
	const PgmlRemoteType *remote = creation->remote;
	const char *problem;
	ListCell   *lc;

	if (remote->default_value != NULL)
	{
		problem = pgml_import_expression_problem(creation->import, remote->default_value,
												 PGML_EXPRESSION_DOMAIN_DEFAULT, base,
												 remote->base_typmod, collation, NIL);
		if (problem == NULL)
			appendStringInfo(buf, " DEFAULT (%s\n)", remote->default_value);
		else
			notice_without(remote, "default", problem);
	}
	foreach(lc, remote->checks)
	{
		PgmlRemoteCheck *check = lfirst(lc);

		problem = pgml_import_expression_problem(creation->import, check->expression,
												 PGML_EXPRESSION_DOMAIN_CHECK, base,
												 remote->base_typmod, collation, NIL);
		if (problem == NULL)
			appendStringInfo(buf, " CONSTRAINT %s CHECK (%s\n)",
							 quote_identifier(pgml_import_name(check->name)), check->expression);
		else
			notice_without(remote, psprintf("check %s", quote_identifier(check->name)), problem);
	}
}

static void
domain_definition(StringInfo buf, Creation *creation)
{
	const PgmlRemoteType *remote = creation->remote;
	PgmlLocalType base = pgml_import_type(creation->import, remote->base);
	bool		missing;
	Oid			collation;

	collation = pgml_import_collation(base.oid, remote->collation_schema, remote->collation, &missing);
	if (missing)
		notice_without(remote, "collation", "There is no such collation here.");

	appendStringInfoString(buf, "CREATE DOMAIN ");
	append_name(buf, creation, creation->name);
	appendStringInfo(buf, " AS %s", pgml_import_type_name(base.oid, remote->base_typmod));
	append_collation(buf, base.oid, collation);
	append_domain_constraints(buf, creation, base.oid, collation);
	if (remote->not_null)
		appendStringInfoString(buf, " NOT NULL");
}

static void
composite_definition(StringInfo buf, Creation *creation)
{
	const char *separator = "";
	ListCell   *lc;

	appendStringInfoString(buf, "CREATE TYPE ");
	append_name(buf, creation, creation->name);
	appendStringInfoString(buf, " AS (");
	foreach(lc, creation->remote->attributes)
	{
		PgmlRemoteColumn *attribute = lfirst(lc);
		PgmlLocalType type = pgml_import_type(creation->import, attribute->type);
		Oid			collation;
		bool		missing;

		collation = pgml_import_collation(type.oid, attribute->collation_schema,
										  attribute->collation, &missing);
		if (missing)
			notice_without(creation->remote,
						   psprintf("collation of attribute %s", quote_identifier(attribute->name)),
						   "There is no such collation here.");
		appendStringInfo(buf, "%s%s %s", separator, quote_identifier(pgml_import_name(attribute->name)),
						 pgml_import_type_name(type.oid, attribute->typmod));
		append_collation(buf, type.oid, collation);
		separator = ", ";
	}
	appendStringInfoChar(buf, ')');
}

/* The operator class that a range is ordered by; InvalidOid if it isn't here. */
static Oid
range_opclass(const PgmlRemoteType *remote, Oid subtype)
{
	if (remote->default_opclass || remote->opclass == NULL || remote->opclass_schema == NULL)
		return GetDefaultOpClass(subtype, BTREE_AM_OID);
	return get_opclass_oid(BTREE_AM_OID, list_make2(makeString(remote->opclass_schema),
													makeString(remote->opclass)), true);
}

Oid
pgml_import_range_opfamily(const PgmlRemoteType *remote, Oid subtype)
{
	Oid			opclass = range_opclass(remote, subtype);

	return OidIsValid(opclass) ? get_opclass_family(opclass) : InvalidOid;
}

static void
range_definition(StringInfo buf, Creation *creation)
{
	const PgmlRemoteType *remote = creation->remote;
	PgmlLocalType subtype = pgml_import_type(creation->import, remote->subtype);
	bool		missing;
	Oid			collation = pgml_import_collation(subtype.oid, remote->collation_schema,
												  remote->collation, &missing);

	if (missing || !OidIsValid(range_opclass(remote, subtype.oid)))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("there is no such operator class or collation here")));

	appendStringInfoString(buf, "CREATE TYPE ");
	append_name(buf, creation, creation->name);
	appendStringInfo(buf, " AS RANGE (SUBTYPE = %s", pgml_import_type_name(subtype.oid, -1));
	if (!remote->default_opclass)
		appendStringInfo(buf, ", SUBTYPE_OPCLASS = %s",
						 quote_qualified_identifier(remote->opclass_schema, remote->opclass));
	if (OidIsValid(collation))
		appendStringInfo(buf, ", COLLATION = %s", generate_collation_name(collation));
	if (remote->multirange != NULL)
	{
		appendStringInfoString(buf, ", MULTIRANGE_TYPE_NAME = ");
		append_name(buf, creation, pgml_import_name(remote->multirange));
	}
	appendStringInfoChar(buf, ')');
}

/* Resolve what a type is made of; says what can't be had. */
static const char *
parts_problem(PgmlImport *import, const PgmlRemoteType *remote)
{
	ListCell   *lc;

	if (remote->kind == TYPTYPE_DOMAIN)
		return pgml_import_type(import, remote->base).problem;
	if (remote->kind == TYPTYPE_RANGE)
		return pgml_import_type(import, remote->subtype).problem;
	foreach(lc, remote->attributes)
	{
		PgmlLocalType type = pgml_import_type(import, ((PgmlRemoteColumn *) lfirst(lc))->type);

		if (type.problem != NULL)
			return type.problem;
	}
	return NULL;
}

/* Compose and run the command; called in a subtransaction. */
static void
run_creation(void *arg)
{
	Creation   *creation = arg;
	const char *comment = creation->remote->comment;
	StringInfoData buf;

	initStringInfo(&buf);
	switch (creation->remote->kind)
	{
		case TYPTYPE_ENUM:
			enum_definition(&buf, creation);
			break;
		case TYPTYPE_DOMAIN:
			domain_definition(&buf, creation);
			break;
		case TYPTYPE_COMPOSITE:
			composite_definition(&buf, creation);
			break;
		default:
			range_definition(&buf, creation);
			break;
	}
	pgml_import_run(creation->import, buf.data);
	creation->created = GetSysCacheOid2(TYPENAMENSP, Anum_pg_type_oid,
										CStringGetDatum(creation->name),
										ObjectIdGetDatum(creation->schema));
	if (creation->import->options.comments && comment != NULL)
		CreateComments(creation->created, TypeRelationId, 0, comment);
}

const char *
pgml_import_create_type(PgmlImport *import, const PgmlRemoteType *remote, Oid schema, Oid *created)
{
	Creation	creation = {import, remote, schema, pgml_import_name(remote->name), InvalidOid};
	const char *problem = parts_problem(import, remote);

	if (problem != NULL)
		return problem;
	ereport(DEBUG1,
			(errmsg_internal("importing type %s", remote->display)));
	problem = pgml_import_try(run_creation, &creation);
	*created = creation.created;
	return problem == NULL ? NULL :
		psprintf("Creating type %s fails with: %s", remote->display, problem);
}
