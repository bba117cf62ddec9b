/*
 * import_type.c
 *		Which local type and collation a column of the remote is declared with.
 *
 * Types are looked up in the catalogs by the exact names that the remote's
 * catalogs give, never by parsing text that came from there.
 *
 * Built-in types are there.  Those of an extension are there if the extension
 * is installed, in whatever schema.  A type that somebody made (an enum, a
 * domain, a composite type, a range) has a home here: types of the schema that
 * is imported live with its tables, others in the schema of the same name if
 * there is one, else with the tables too.  One of that name that is there, at
 * home or in either of the other places, is used if it is the same
 * (import_match.c); else it is made.  The first answer for a type is kept for
 * the whole import.
 *
 * What can't be had becomes text, which every value can be read as.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/dependency.h"
#include "catalog/namespace.h"
#include "catalog/pg_collation.h"
#include "catalog/pg_namespace.h"
#include "catalog/pg_type.h"
#include "commands/extension.h"
#include "miscadmin.h"
#include "nodes/value.h"
#include "utils/builtins.h"
#include "utils/catcache.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"

#include "base/compat.h"
#include "base/oids.h"
#include "exec/import_state.h"

/* Types whose input functions refuse every value. */
static const Oid write_only_types[] = {
	PG_NODE_TREEOID, PG_NDISTINCTOID, PG_DEPENDENCIESOID, PG_MCV_LISTOID,
	PG_BRIN_BLOOM_SUMMARYOID, PG_BRIN_MINMAX_MULTI_SUMMARYOID, GTSVECTOROID
};

/*
 * Types whose values are OIDs, written as the names of objects.  The remote's
 * objects need not exist here, and where one of that name does, it is another.
 */
static const Oid naming_types[] = {
	ACLITEMOID, REGPROCOID, REGPROCEDUREOID, REGOPEROID, REGOPERATOROID,
	REGCLASSOID, REGCOLLATIONOID, REGTYPEOID, REGROLEOID, REGNAMESPACEOID,
	REGCONFIGOID, REGDICTIONARYOID
};

bool
pgml_import_may_use(Oid schema)
{
	return pgml_aclcheck(NamespaceRelationId, schema, GetUserId(), ACL_USAGE) == ACLCHECK_OK;
}

char *
pgml_import_type_name(Oid type, int32 typmod)
{
	return format_type_extended(type, typmod,
								FORMAT_TYPE_TYPEMOD_GIVEN | FORMAT_TYPE_FORCE_QUALIFY);
}

/* Find a type by its names; InvalidOid if there is none. */
static Oid
find_type(Oid schema, const char *name)
{
	return GetSysCacheOid2(TYPENAMENSP, Anum_pg_type_oid,
						   CStringGetDatum(name), ObjectIdGetDatum(schema));
}

Oid
pgml_import_schema_of(Oid type)
{
	HeapTuple	tuple = SearchSysCache1(TYPEOID, ObjectIdGetDatum(type));
	Oid			schema;

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for type %u", type);
	schema = ((Form_pg_type) GETSTRUCT(tuple))->typnamespace;
	ReleaseSysCache(tuple);
	return schema;
}

/* Say why values of an existing type can't be had here; NULL if they can. */
static const char *
type_problem(Oid type, const PgmlRemoteType *remote)
{
	Oid			base = getBaseType(type);

	if (!get_typisdefined(type) || get_typtype(type) != remote->kind)
		return psprintf("Type %s is of another kind here.", remote->display);
	if (!pgml_import_may_use(pgml_import_schema_of(type)))
		return psprintf("You may not use schema %s here.",
						quote_identifier(get_namespace_name(pgml_import_schema_of(type))));
	if (pgml_aclcheck(TypeRelationId, type, GetUserId(), ACL_USAGE) != ACLCHECK_OK)
		return psprintf("You may not use type %s here.", remote->display);
	if (remote->kind == TYPTYPE_PSEUDO ||
		PGML_IS_ONE_OF(base, write_only_types))
		return psprintf("Values of type %s cannot be read in.", remote->display);
	if (PGML_IS_ONE_OF(base, naming_types))
		return psprintf("Values of type %s name objects of the remote database.",
						remote->display);
	return NULL;
}

/* What is returned where there is nothing better. */
static PgmlLocalType
as_text(const char *problem)
{
	PgmlLocalType result = {TEXTOID, problem, NULL};

	return result;
}

/* An existing type, if its values can be had. */
static PgmlLocalType
existing(Oid type, const PgmlRemoteType *remote)
{
	PgmlLocalType result = {type, NULL, NULL};
	const char *problem = type_problem(type, remote);

	return problem != NULL ? as_text(problem) : result;
}

/* The array or multirange of a type. */
static PgmlLocalType
derived(PgmlLocalType part, Oid (*derive) (Oid type), const PgmlRemoteType *remote)
{
	if (part.problem != NULL)
		return part;
	part.oid = derive(part.oid);
	if (!OidIsValid(part.oid))
		return as_text(psprintf("Type %s does not exist here.", remote->display));
	return part;
}

/* Find a type among the members of an extension, in whatever schema it is. */
static Oid
find_member(Oid extension, const char *name)
{
	CatCList   *list = SearchSysCacheList1(TYPENAMENSP, CStringGetDatum(name));
	Oid			found = InvalidOid;

	for (int i = 0; i < list->n_members; i++)
	{
		Oid			type = ((Form_pg_type) GETSTRUCT(&list->members[i]->tuple))->oid;

		if (getExtensionOfObject(TypeRelationId, type) == extension)
			found = type;
	}
	ReleaseSysCacheList(list);
	return found;
}

/* A type of an extension. */
static PgmlLocalType
extension_type(const PgmlRemoteType *remote)
{
	Oid			extension = get_extension_oid(remote->extension, true);
	Oid			type;
	PgmlLocalType result;

	if (!OidIsValid(extension))
	{
		result = as_text(psprintf("Type %s belongs to the extension \"%s\", which is not installed here.",
								  remote->display, remote->extension));
		result.hint = psprintf("To have the type, run CREATE EXTENSION %s, drop the foreign table and import it again.",
							   quote_identifier(remote->extension));
		return result;
	}
	type = find_member(extension, remote->name);
	if (!OidIsValid(type))
		return as_text(psprintf("Type %s is not in the version of the extension \"%s\" that is installed here.",
								remote->display, remote->extension));
	return existing(type, remote);
}

/* Where a type that somebody made may be here, its home first. */
static List *
places_of(PgmlImport *import, const PgmlRemoteType *remote)
{
	Oid			same_name = get_namespace_oid(remote->schema, true);
	List	   *places = NIL;

	if (strcmp(remote->schema, import->remote_schema) != 0 && OidIsValid(same_name))
		places = list_make1_oid(same_name);
	places = list_append_unique_oid(places, import->local_schema_oid);
	if (OidIsValid(same_name))
		places = list_append_unique_oid(places, same_name);
	return places;
}

/* Is one of the tables to be imported called so?  Each has a row type of its name. */
static bool
is_name_of_table(PgmlImport *import, const char *name)
{
	ListCell   *lc;

	foreach(lc, import->remote->tables)
		if (strcmp(((PgmlRemoteTable *) lfirst(lc))->name, name) == 0)
			return true;
	return false;
}

/* May, and can, a type of this name be made in a schema? */
static bool
is_free(PgmlImport *import, Oid schema, const char *name)
{
	return !isAnyTempNamespace(schema) &&
		pgml_aclcheck(NamespaceRelationId, schema, GetUserId(), ACL_CREATE) == ACLCHECK_OK &&
		!OidIsValid(find_type(schema, name)) &&
		!OidIsValid(get_relname_relid(name, schema)) &&
		!(schema == import->local_schema_oid && is_name_of_table(import, name));
}

/*
 * Make a type at home or with the tables, where its name is free.  mismatch:
 * what is wrong with one that is there; may be NULL.
 */
static PgmlLocalType
create(PgmlImport *import, const PgmlRemoteType *remote, List *places, const char *mismatch)
{
	char	   *name = pgml_import_name(remote->name);
	PgmlLocalType result = {InvalidOid, NULL, NULL};
	ListCell   *lc;

	foreach(lc, places)
	{
		if (is_free(import, lfirst_oid(lc), name))
		{
			result.problem = pgml_import_create_type(import, remote, lfirst_oid(lc), &result.oid);
			return result.problem != NULL ? as_text(result.problem) : result;
		}
		if (lfirst_oid(lc) == import->local_schema_oid)
			break;
	}
	if (mismatch == NULL)
		mismatch = psprintf("Type %s cannot be created here: its name is taken, or you may not create it.",
							remote->display);
	return as_text(mismatch);
}

/* Can a type be made of what the catalogs say of it?  (A row type comes with its table.) */
static bool
can_be_made(const PgmlRemoteType *remote)
{
	return (remote->kind == TYPTYPE_ENUM || remote->kind == TYPTYPE_DOMAIN ||
			remote->kind == TYPTYPE_COMPOSITE || remote->kind == TYPTYPE_RANGE) &&
		!remote->is_row && !remote->has_functions;
}

/* A type that somebody made there. */
static PgmlLocalType
made_type(PgmlImport *import, const PgmlRemoteType *remote)
{
	List	   *places = places_of(import, remote);
	char	   *name = pgml_import_name(remote->name);
	const char *mismatch = NULL;
	ListCell   *lc;

	foreach(lc, places)
	{
		Oid			type = find_type(lfirst_oid(lc), name);
		PgmlLocalType result;

		if (!OidIsValid(type))
			continue;
		result = existing(type, remote);
		if (result.problem == NULL)
			result.problem = pgml_import_mismatch(import, remote, type);
		if (result.problem == NULL)
			return result;
		if (mismatch == NULL)
			mismatch = result.problem;
	}
	if (import->options.types && can_be_made(remote))
		return create(import, remote, places, mismatch);
	if (mismatch == NULL)
		mismatch = psprintf("Type %s does not exist here.", remote->display);
	return as_text(mismatch);
}

static PgmlLocalType
resolve(PgmlImport *import, const PgmlRemoteType *remote)
{
	if (OidIsValid(remote->element))
		return derived(pgml_import_type(import, remote->element), get_array_type, remote);
	if (remote->kind == TYPTYPE_MULTIRANGE && remote->extension == NULL)
		return derived(pgml_import_type(import, remote->range), get_range_multirange, remote);
	if (strcmp(remote->schema, "pg_catalog") == 0)
	{
		Oid			type = find_type(PG_CATALOG_NAMESPACE, pgml_import_name(remote->name));

		return OidIsValid(type) ? existing(type, remote) :
			as_text(psprintf("Type %s does not exist here.", remote->display));
	}
	if (remote->extension != NULL)
		return extension_type(remote);
	return made_type(import, remote);
}

/*
 * What a type is made of is resolved before it.  Types that are made of
 * themselves exist only in the catalogs of a liar.
 */
PgmlLocalType
pgml_import_type(PgmlImport *import, Oid remote_oid)
{
	PgmlRemoteType *remote = pgml_remote_type(import->remote, remote_oid);
	MemoryContext oldcxt;
	PgmlLocalType *result;

	if (remote == NULL)
		return as_text("The remote does not say what type it is.");
	if (remote->import != NULL)
		return *(PgmlLocalType *) remote->import;

	check_stack_depth();
	oldcxt = MemoryContextSwitchTo(import->cxt);
	result = palloc(sizeof(PgmlLocalType));
	*result = as_text(psprintf("Type %s is a part of itself.", remote->display));
	remote->import = result;
	*result = resolve(import, remote);
	MemoryContextSwitchTo(oldcxt);
	return *result;
}

Oid
pgml_import_collation(Oid type, const char *schema, const char *name, bool *missing)
{
	Oid			of_type = get_typcollation(type);
	Oid			schemaid;
	Oid			found = InvalidOid;

	*missing = false;
	if (!OidIsValid(of_type) || schema == NULL || name == NULL)
		return of_type;
	schemaid = get_namespace_oid(schema, true);
	if (OidIsValid(schemaid) && pgml_import_may_use(schemaid))
		found = get_collation_oid(list_make2(makeString(pstrdup(schema)),
											 makeString(pstrdup(name))), true);
	*missing = !OidIsValid(found);
	return OidIsValid(found) ? found : of_type;
}
