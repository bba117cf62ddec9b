/*
 * shippable_object.c
 *		Which objects of the catalogs, and which values, mean the same there?
 *
 * Objects are known to the remote if they are built-in ones (a hand-made OID:
 * what initdb's scripts create, information_schema's for example, is not taken
 * for granted), or members of an extension that the server's option
 * "extensions" names.  A type that somebody made is known if a column of the
 * table has it and says what it is called there.  What an object does is not asked here: whether a
 * function is immutable, say, is shippable.c's question.
 *
 * A value can be sent if its text form, as base/textio.h has it, is read alike
 * by every server.  It is if the type's input function is immutable, that is,
 * looks at nothing but the text.  Dates, times and money are exceptions, because ISO
 * dates leave nothing open and remote/xact.c gives both sides the same
 * lc_monetary.  Names of tables, for one, don't pass.
 */
#include "postgres.h"

#include "access/transam.h"
#include "catalog/dependency.h"
#include "catalog/pg_cast.h"
#include "catalog/pg_class.h"
#include "catalog/pg_operator.h"
#include "catalog/pg_opfamily.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_ts_config.h"
#include "catalog/pg_ts_dict.h"
#include "catalog/pg_type.h"
#include "utils/hsearch.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"

#include "base/compat.h"
#include "query/shippable.h"
#include "query/shippable_object.h"

/*
 * Members of extensions.  Which extensions count is the server's business and
 * not remembered, so ALTER SERVER needs no care; nor is it remembered that an object
 * is no member, because nobody would tell us when ALTER EXTENSION adds it.
 */
typedef struct MemberKey
{
	Oid			objectid;
	Oid			classid;
} MemberKey;

typedef struct MemberEntry
{
	MemberKey	key;
	Oid			extension;
} MemberEntry;

static HTAB *members = NULL;

/* Types whose values can be sent although their input function is only stable. */
static const Oid portable_types[] = {
	DATEOID, TIMEOID, TIMETZOID, TIMESTAMPOID, TIMESTAMPTZOID, INTERVALOID, MONEYOID
};

/* Forget all members: an object was created, changed or dropped. */
static void
forget_members(Datum arg, int cacheid, uint32 hashvalue)
{
	if (members != NULL)
	{
		hash_destroy(members);
		members = NULL;
	}
}

void
pgml_shippable_init(void)
{
	CacheRegisterSyscacheCallback(PROCOID, forget_members, (Datum) 0);
	CacheRegisterSyscacheCallback(OPEROID, forget_members, (Datum) 0);
	CacheRegisterSyscacheCallback(TYPEOID, forget_members, (Datum) 0);
	CacheRegisterSyscacheCallback(OPFAMILYOID, forget_members, (Datum) 0);
}

static void
create_members(void)
{
	HASHCTL		ctl;

	ctl.keysize = sizeof(MemberKey);
	ctl.entrysize = sizeof(MemberEntry);
	members = hash_create("pgml_fdw extension members", 128, &ctl,
						  HASH_ELEM | HASH_BLOBS);
}

/* Find the extension that an object belongs to, InvalidOid if none. */
static Oid
extension_of(Oid objectid, Oid classid)
{
	MemberKey	key;
	MemberEntry *entry = NULL;
	Oid			extension;

	key.objectid = objectid;
	key.classid = classid;
	if (members != NULL)
		entry = hash_search(members, &key, HASH_FIND, NULL);
	if (entry != NULL)
		return entry->extension;

	/* reading the catalog may call forget_members: enter the answer afterwards */
	extension = getExtensionOfObject(classid, objectid);
	if (!OidIsValid(extension))
		return InvalidOid;
	if (members == NULL)
		create_members();
	entry = hash_search(members, &key, HASH_ENTER, NULL);
	entry->extension = extension;
	return extension;
}

bool
pgml_is_builtin(Oid objectid)
{
	return objectid < FirstGenbkiObjectId;
}

bool
pgml_shippable_object(Oid objectid, Oid classid, const PgmlOptions *options)
{
	Oid			extension;

	if (pgml_is_builtin(objectid))
		return pgml_builtin_is_there(objectid, classid, options);
	if (options->extensions == NIL)
		return false;

	extension = extension_of(objectid, classid);
	return OidIsValid(extension) && list_member_oid(options->extensions, extension);
}

/*
 * Has the table a column that tells what this type is called there?  IMPORT
 * writes that down for types that are the same here and there: enums with the
 * labels in one order, domains, ranges.  Rows are compared by their columns'
 * collations, and by columns that the two sides may not share; they stay here,
 * and so do ranges that have a collation.
 */
static bool
is_named_type(Oid typid, const PgmlOptions *options)
{
	switch (get_typtype(typid))
	{
		case TYPTYPE_ENUM:
			break;
		case TYPTYPE_DOMAIN:
			if (!pgml_shippable_type(getBaseType(typid), options))
				return false;
			break;
		case TYPTYPE_RANGE:
			if (OidIsValid(get_typcollation(get_range_subtype(typid))) ||
				!pgml_shippable_type(get_range_subtype(typid), options))
				return false;
			break;
		default:
			return false;
	}
	return pgml_option_type_name(options, typid) != NULL;
}

/* Is the type, or what it is an array or multirange of, known to the remote? */
bool
pgml_shippable_type(Oid typid, const PgmlOptions *options)
{
	Oid			element = get_element_type(typid);

	/* the array type of an extension's type is no member of the extension itself */
	if (OidIsValid(element))
		return pgml_shippable_type(element, options);

	switch (get_typtype(typid))
	{
		case TYPTYPE_BASE:
		case TYPTYPE_RANGE:
		case TYPTYPE_MULTIRANGE:
		case TYPTYPE_ENUM:
			if (pgml_shippable_object(typid, TypeRelationId, options))
				return true;
			break;
		default:
			/* row types have local columns, pseudo-types no values, a domain's checks are local */
			break;
	}
	return is_named_type(typid, options);
}

/* Is the text form of the type's values, as we print it, read alike by every server? */
bool
pgml_portable_value(Oid typid)
{
	Oid			part = get_element_type(typid);
	Oid			input;
	Oid			ioparam;

	if (!OidIsValid(part) && get_typtype(typid) == TYPTYPE_DOMAIN)
		part = getBaseType(typid);
	else if (!OidIsValid(part) && type_is_multirange(typid))
		part = get_multirange_range(typid);
	else if (!OidIsValid(part) && type_is_range(typid))
		part = get_range_subtype(typid);
	if (OidIsValid(part))
		return pgml_portable_value(part);

	for (size_t i = 0; i < lengthof(portable_types); i++)
	{
		if (portable_types[i] == typid)
			return true;
	}
	if (type_is_enum(typid))
		return true;
	getTypeInputInfo(typid, &input, &ioparam);
	return func_volatile(input) == PROVOLATILE_IMMUTABLE;
}

/*
 * The catalog whose objects a type like regclass names, InvalidOid for other
 * types.  Those whose text form may be ambiguous (regproc) don't count.
 */
static Oid
named_catalog(Oid typid)
{
	switch (typid)
	{
		case REGCLASSOID:
			return RelationRelationId;
		case REGPROCEDUREOID:
			return ProcedureRelationId;
		case REGOPERATOROID:
			return OperatorRelationId;
		case REGTYPEOID:
			return TypeRelationId;
		case REGCONFIGOID:
			return TSConfigRelationId;
		case REGDICTIONARYOID:
			return TSDictionaryRelationId;
		default:
			return InvalidOid;
	}
}

/*
 * Can this value of a type like regconfig be sent, by name?  Text search
 * objects are made by initdb's scripts, but they are the same everywhere.
 */
static bool
shippable_reference(Oid objectid, Oid classid, const PgmlOptions *options)
{
	if (classid == TSConfigRelationId || classid == TSDictionaryRelationId)
		return objectid < FirstNormalObjectId && OidIsValid(objectid);
	return OidIsValid(objectid) && pgml_shippable_object(objectid, classid, options);
}

bool
pgml_shippable_const(const Const *constant, const PgmlOptions *options)
{
	Oid			classid = named_catalog(constant->consttype);

	if (constant->constisnull)
		return true;
	if (OidIsValid(classid))
		return shippable_reference(DatumGetObjectId(constant->constvalue), classid, options);
	return pgml_portable_value(constant->consttype);
}

/*
 * Is a cast between two types the same on the remote?  Somebody may have made
 * one of their own between built-in types, and the text says only "::type".
 */
bool
pgml_shippable_cast(Oid source, Oid target, const PgmlOptions *options)
{
	Oid			cast = get_cast_oid(source, target, true);

	return cast < FirstNormalObjectId ||
		pgml_shippable_object(cast, CastRelationId, options);
}
