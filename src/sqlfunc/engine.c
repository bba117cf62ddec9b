/*
 * engine.c
 *		Finds the handler and validator functions of pgml_fdw and postgres_fdw.
 *
 * They are found as members of their extension, not by a search path: somebody
 * else's function may bear the same name in another schema.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/dependency.h"
#include "catalog/indexing.h"
#include "catalog/pg_depend.h"
#include "catalog/pg_extension.h"
#include "catalog/pg_proc.h"
#include "commands/extension.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"

#include "sqlfunc/engine.h"

/* Note the function if it is the handler or the validator. */
static void
note_member(PgmlEngine *engine, Oid function, const char *name)
{
	char	   *found = get_func_name(function);

	if (found == NULL)
		return;
	if (strcmp(found, psprintf("%s_handler", name)) == 0)
		engine->handler = function;
	else if (strcmp(found, psprintf("%s_validator", name)) == 0)
		engine->validator = function;
}

/* Walk the functions that are members of an extension. */
static PgmlEngine
find_engine(Oid extension, const char *name)
{
	PgmlEngine	engine = {.extension = extension};
	Relation	depend = table_open(DependRelationId, AccessShareLock);
	ScanKeyData key[2];
	SysScanDesc scan;
	HeapTuple	tuple;

	ScanKeyInit(&key[0], Anum_pg_depend_refclassid, BTEqualStrategyNumber, F_OIDEQ,
				ObjectIdGetDatum(ExtensionRelationId));
	ScanKeyInit(&key[1], Anum_pg_depend_refobjid, BTEqualStrategyNumber, F_OIDEQ,
				ObjectIdGetDatum(extension));
	scan = systable_beginscan(depend, DependReferenceIndexId, true, NULL, 2, key);
	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		Form_pg_depend member = (Form_pg_depend) GETSTRUCT(tuple);

		if (member->classid == ProcedureRelationId && member->deptype == DEPENDENCY_EXTENSION)
			note_member(&engine, member->objid, name);
	}
	systable_endscan(scan);
	table_close(depend, AccessShareLock);

	if (!OidIsValid(engine.handler) || !OidIsValid(engine.validator))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_FUNCTION),
				 errmsg("extension \"%s\" lacks its handler or validator function", name)));
	return engine;
}

PgmlEngine
pgml_engine_ours(Oid sibling)
{
	return find_engine(getExtensionOfObject(ProcedureRelationId, sibling), "pgml_fdw");
}

PgmlEngine
pgml_engine_postgres_fdw(bool missing_ok)
{
	Oid			extension = get_extension_oid("postgres_fdw", true);

	if (!OidIsValid(extension) && missing_ok)
		return (PgmlEngine) {0};
	if (!OidIsValid(extension))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("extension \"postgres_fdw\" is not installed in this database"),
				 errhint("Run CREATE EXTENSION postgres_fdw first.")));
	return find_engine(extension, "postgres_fdw");
}
