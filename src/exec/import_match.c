/*
 * import_match.c
 *		Is a type that exists here the same as one of the remote?
 *
 * It is if every value of the remote's can be read here, and is compared here
 * as there: conditions on it are shipped.  So an enum has the labels in the same order,
 * and perhaps others between them; a composite type the same attributes; a range the
 * same subtype, order and collation; a domain the same base type, and no
 * constraint that the remote's hasn't.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/pg_constraint.h"
#include "catalog/pg_enum.h"
#include "catalog/pg_range.h"
#include "catalog/pg_type.h"
#include "nodes/pg_list.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/syscache.h"
#include "utils/typcache.h"

#include "exec/import_state.h"

List *
pgml_import_enum_labels(Oid type)
{
	Relation	rel = table_open(EnumRelationId, AccessShareLock);
	Relation	index = index_open(EnumTypIdSortOrderIndexId, AccessShareLock);
	List	   *labels = NIL;
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple	tuple;

	ScanKeyInit(&key, Anum_pg_enum_enumtypid, BTEqualStrategyNumber, F_OIDEQ,
				ObjectIdGetDatum(type));
	scan = systable_beginscan_ordered(rel, index, NULL, 1, &key);
	while (HeapTupleIsValid(tuple = systable_getnext_ordered(scan, ForwardScanDirection)))
		labels = lappend(labels, pstrdup(NameStr(((Form_pg_enum) GETSTRUCT(tuple))->enumlabel)));
	systable_endscan_ordered(scan);
	index_close(index, AccessShareLock);
	table_close(rel, AccessShareLock);
	return labels;
}

/* Look for the labels of the remote, one behind the other. */
static const char *
enum_mismatch(const PgmlRemoteType *remote, Oid local)
{
	List	   *labels = pgml_import_enum_labels(local);
	int			at = 0;
	ListCell   *lc;

	foreach(lc, remote->labels)
	{
		while (at < list_length(labels) && strcmp(list_nth(labels, at), lfirst(lc)) != 0)
			at++;
		if (at++ >= list_length(labels))
			return psprintf("Type %s exists here, but has no label \"%s\", or has it in another place.",
							remote->display, (char *) lfirst(lc));
	}
	return NULL;
}

/* Is an attribute of a composite type the same? */
static bool
same_attribute(PgmlImport *import, const PgmlRemoteColumn *remote, Form_pg_attribute local)
{
	PgmlLocalType type = pgml_import_type(import, remote->type);
	bool		missing;

	return type.problem == NULL && type.oid == local->atttypid &&
		remote->typmod == local->atttypmod &&
		strcmp(pgml_import_name(remote->name), NameStr(local->attname)) == 0 &&
		pgml_import_collation(type.oid, remote->collation_schema, remote->collation,
							  &missing) == local->attcollation && !missing;
}

static const char *
composite_mismatch(PgmlImport *import, const PgmlRemoteType *remote, Oid local)
{
	TupleDesc	desc = lookup_rowtype_tupdesc_copy(local, -1);
	ListCell   *lc = list_head(remote->attributes);
	bool		same = true;

	for (int i = 0; i < desc->natts && same; i++)
	{
		if (TupleDescAttr(desc, i)->attisdropped)
			continue;
		same = lc != NULL && same_attribute(import, lfirst(lc), TupleDescAttr(desc, i));
		lc = same ? lnext(remote->attributes, lc) : lc;
	}
	if (same && lc == NULL)
		return NULL;
	return psprintf("Type %s exists here with other attributes.", remote->display);
}

static const char *
range_mismatch(PgmlImport *import, const PgmlRemoteType *remote, Oid local)
{
	PgmlLocalType subtype = pgml_import_type(import, remote->subtype);
	HeapTuple	tuple;
	Form_pg_range form;
	bool		missing = false;
	bool		same;

	if (subtype.problem != NULL)
		return subtype.problem;
	tuple = SearchSysCache1(RANGETYPE, ObjectIdGetDatum(local));
	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for range type %u", local);
	form = (Form_pg_range) GETSTRUCT(tuple);
	same = form->rngsubtype == subtype.oid &&
		form->rngcollation == pgml_import_collation(subtype.oid, remote->collation_schema,
													remote->collation, &missing) && !missing &&
		get_opclass_family(form->rngsubopc) == pgml_import_range_opfamily(remote, subtype.oid);
	ReleaseSysCache(tuple);
	return same ? NULL :
		psprintf("Type %s exists here with another subtype, collation or order.", remote->display);
}

/* The checks of the remote's domain, as they would be here. */
static List *
analyzed_checks(PgmlImport *import, const PgmlRemoteType *remote, Oid base, Oid collation)
{
	List	   *checks = NIL;
	ListCell   *lc;

	foreach(lc, remote->checks)
	{
		Node	   *check = pgml_import_analyze_check(import,
													  ((PgmlRemoteCheck *) lfirst(lc))->expression,
													  base, remote->base_typmod, collation);

		if (check != NULL)
			checks = lappend(checks, check);
	}
	return checks;
}

/* Has a domain a check that is not among these? */
static bool
checks_more(Oid domain, List *checks)
{
	Relation	rel = table_open(ConstraintRelationId, AccessShareLock);
	bool		more = false;
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple	tuple;

	ScanKeyInit(&key, Anum_pg_constraint_contypid, BTEqualStrategyNumber, F_OIDEQ,
				ObjectIdGetDatum(domain));
	scan = systable_beginscan(rel, ConstraintTypidIndexId, true, NULL, 1, &key);
	while (!more && HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		bool		isnull;
		Datum		stored = heap_getattr(tuple, Anum_pg_constraint_conbin,
										  RelationGetDescr(rel), &isnull);

		/* NOT NULL is one from 17 on, without an expression */
		if (!isnull)
			more = !list_member(checks, stringToNode(TextDatumGetCString(stored)));
	}
	systable_endscan(scan);
	table_close(rel, AccessShareLock);
	return more;
}

static const char *
domain_mismatch(PgmlImport *import, const PgmlRemoteType *remote, Oid local)
{
	PgmlLocalType base = pgml_import_type(import, remote->base);
	HeapTuple	tuple;
	Form_pg_type form;
	Oid			collation;
	bool		missing;
	bool		same;

	if (base.problem != NULL)
		return base.problem;
	collation = pgml_import_collation(base.oid, remote->collation_schema, remote->collation,
									  &missing);
	tuple = SearchSysCache1(TYPEOID, ObjectIdGetDatum(local));
	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for type %u", local);
	form = (Form_pg_type) GETSTRUCT(tuple);
	same = form->typbasetype == base.oid && form->typtypmod == remote->base_typmod &&
		(remote->not_null || !form->typnotnull) &&
		form->typcollation == collation && !missing;
	ReleaseSysCache(tuple);

	if (!same)
		return psprintf("Type %s exists here with another base type, collation or NOT NULL.", remote->display);
	if (checks_more(local, analyzed_checks(import, remote, base.oid, collation)))
		return psprintf("Type %s exists here with a check that it does not have there.", remote->display);
	return NULL;
}

const char *
pgml_import_mismatch(PgmlImport *import, const PgmlRemoteType *remote, Oid local)
{
	switch (remote->kind)
	{
		case TYPTYPE_ENUM:
			return enum_mismatch(remote, local);
		case TYPTYPE_COMPOSITE:
			return composite_mismatch(import, remote, local);
		case TYPTYPE_RANGE:
			return range_mismatch(import, remote, local);
		case TYPTYPE_DOMAIN:
			return domain_mismatch(import, remote, local);
		default:
			/* a base type: its name is all that can be compared */
			return NULL;
	}
}
