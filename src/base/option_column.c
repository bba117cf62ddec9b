/*
 * option_column.c
 *		What the options of a foreign table's columns say.
 *
 * Question answered: what is this column, or this type, called on the remote,
 * and which columns are its key?
 *
 * The names of types are where care is needed.  Whoever owns a foreign table
 * writes its options, and other roles' queries carry them to the remote with
 * other roles' logins: so the value of type_name never gets into a statement
 * as it is, but is taken apart into two names, which are quoted anew.
 *
 * A type's name is looked for among all columns of the table, because a
 * constant in a condition stands beside no column: mood = 'ok' is a comparison
 * of two expressions of a type.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/transam.h"
#include "catalog/pg_class.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"
#include "utils/varlena.h"

#include "base/option.h"

char *
pgml_option_column_name(Oid relid, AttrNumber attnum)
{
	const char *name = pgml_option_column_value(relid, attnum, "column_name");

	return name != NULL ? pstrdup(name) : get_attname(relid, attnum, false);
}

/* What a type is an array of, or the type itself. */
static Oid
element_or_self(Oid typid)
{
	Oid			element = get_element_type(typid);

	return OidIsValid(element) ? element : typid;
}

const char *
pgml_option_column_type(Oid relid, AttrNumber attnum)
{
	if (element_or_self(get_atttype(relid, attnum)) >= FirstNormalObjectId)
		return NULL;
	return pgml_option_column_value(relid, attnum, "type_name");
}

bool
pgml_option_column_is_key(Oid relid, AttrNumber attnum)
{
	const char *value = pgml_option_column_value(relid, attnum, "key");
	bool		is_key;

	return value != NULL && parse_bool(value, &is_key) && is_key;
}

/* Number of columns that a relation has and had. */
static int
natts_of(Oid relid)
{
	HeapTuple	tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(relid));
	int			natts;

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for relation %u", relid);
	natts = ((Form_pg_class) GETSTRUCT(tuple))->relnatts;
	ReleaseSysCache(tuple);
	return natts;
}

/* The type of a column, InvalidOid if it has been dropped. */
static Oid
column_type(Oid relid, AttrNumber attnum)
{
	HeapTuple	tuple = SearchSysCacheAttNum(relid, attnum);
	Oid			typid;

	if (!HeapTupleIsValid(tuple))
		return InvalidOid;
	typid = ((Form_pg_attribute) GETSTRUCT(tuple))->atttypid;
	ReleaseSysCache(tuple);
	return typid;
}

List *
pgml_option_key_columns(Oid relid)
{
	List	   *attnums = NIL;
	int			natts = natts_of(relid);

	for (AttrNumber attnum = 1; attnum <= natts; attnum++)
		if (OidIsValid(column_type(relid, attnum)) && pgml_option_column_is_key(relid, attnum))
			attnums = lappend_int(attnums, attnum);
	return attnums;
}

/* Quote the two names of a qualified one anew; NULL if value is anything else. */
static char *
qualified_name(const char *value, bool is_array)
{
	char	   *copy = pstrdup(value);
	size_t		len = strlen(copy);
	List	   *names;

	if (is_array)
	{
		if (len < 2 || strcmp(copy + len - 2, "[]") != 0)
			return NULL;
		copy[len - 2] = '\0';
	}
	if (!SplitIdentifierString(copy, '.', &names) || list_length(names) != 2)
		return NULL;
	return quote_qualified_identifier(linitial(names), lsecond(names));
}

/* The remote's name of a type by one column, NULL if it doesn't tell. */
static char *
type_name_by_column(Oid relid, AttrNumber attnum, Oid typid)
{
	Oid			of_column = column_type(relid, attnum);
	const char *value;

	if (!OidIsValid(of_column) || (of_column != typid && element_or_self(of_column) != typid))
		return NULL;
	value = pgml_option_column_value(relid, attnum, "type_name");
	return value != NULL ? qualified_name(value, of_column != typid) : NULL;
}

char *
pgml_option_type_name(const PgmlOptions *options, Oid typid)
{
	char	   *found = NULL;
	ListCell   *lc;

	if (typid < FirstNormalObjectId)
		return NULL;
	foreach(lc, options->tables)
	{
		int			natts = natts_of(lfirst_oid(lc));

		for (AttrNumber attnum = 1; attnum <= natts; attnum++)
		{
			char	   *name = type_name_by_column(lfirst_oid(lc), attnum, typid);

			if (name != NULL && found != NULL && strcmp(name, found) != 0)
				return NULL;
			if (name != NULL)
				found = name;
		}
	}
	return found;
}
