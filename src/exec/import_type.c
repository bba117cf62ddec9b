/*
 * import_type.c
 *		Which local type and collation a column of the remote is declared with.
 *
 * Types are looked up in the catalogs by the exact names that the remote's
 * catalogs give, never by parsing text that came from there.  The import must
 * not fail for the sake of one column: core creates all tables in one go, so
 * everything that CREATE FOREIGN TABLE would refuse is found out here, and the
 * column becomes text, which every value can be read as.
 */
#include "postgres.h"

#include "catalog/namespace.h"
#include "catalog/pg_collation.h"
#include "catalog/pg_namespace.h"
#include "catalog/pg_type.h"
#include "nodes/value.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"

#include "base/compat.h"
#include "exec/import_column.h"

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

static bool
is_one_of(Oid oid, const Oid *list, int n)
{
	for (int i = 0; i < n; i++)
	{
		if (list[i] == oid)
			return true;
	}
	return false;
}

/* May the current user look into a schema? */
static bool
is_usable_schema(Oid schema)
{
	return pgml_usage_aclcheck(NamespaceRelationId, schema, GetUserId()) == ACLCHECK_OK;
}

/* Say why values of an existing type can't be had here; NULL if they can. */
static const char *
type_problem(Oid type, const PgmlRemoteType *remote)
{
	Oid			base = getBaseType(type);

	if (!get_typisdefined(type) || get_typtype(type) != remote->kind)
		return psprintf("Type %s is of another kind here.", remote->display);
	if (pgml_usage_aclcheck(TypeRelationId, type, GetUserId()) != ACLCHECK_OK)
		return psprintf("You may not use type %s here.", remote->display);
	if (remote->kind == TYPTYPE_PSEUDO ||
		is_one_of(base, write_only_types, lengthof(write_only_types)))
		return psprintf("Values of type %s cannot be read in.", remote->display);
	if (is_one_of(base, naming_types, lengthof(naming_types)))
		return psprintf("Values of type %s name objects of the remote database.",
						remote->display);
	return NULL;
}

Oid
pgml_import_find_type(const PgmlRemoteType *remote, const char **problem)
{
	Oid			schema = get_namespace_oid(remote->schema, true);
	Oid			type = InvalidOid;
	Oid			array = InvalidOid;

	if (OidIsValid(schema))
		type = GetSysCacheOid2(TYPENAMENSP, Anum_pg_type_oid,
							   CStringGetDatum(remote->name), ObjectIdGetDatum(schema));
	if (OidIsValid(type) && remote->is_array)
		array = get_array_type(type);

	if (!OidIsValid(type) || (remote->is_array && !OidIsValid(array)))
	{
		*problem = psprintf("Type %s does not exist here.", remote->display);
		return TEXTOID;
	}
	if (is_usable_schema(schema))
		*problem = type_problem(type, remote);
	else
		*problem = psprintf("You may not use schema %s here.", quote_identifier(remote->schema));
	if (*problem != NULL)
		return TEXTOID;
	return remote->is_array ? array : type;
}

Oid
pgml_import_find_collation(const char *schema, const char *name)
{
	Oid			schemaid = get_namespace_oid(schema, true);

	if (!OidIsValid(schemaid) || !is_usable_schema(schemaid))
		return InvalidOid;
	return get_collation_oid(list_make2(makeString(pstrdup(schema)),
										makeString(pstrdup(name))), true);
}
