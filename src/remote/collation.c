/*
 * collation.c
 *		Is the default collation of the remote's database that of ours?
 *
 * Question answered: does text in columns without a collation of their own sort there as it
 * does here, and does it change case alike?  It does if both databases have the same
 * encoding (the order of "C" is one of bytes), the same locale of the same provider, and
 * the same version of the library that knows what the locale means: another glibc
 * sorts otherwise.
 *
 * The remote describes its collation as lines of text, and what they mean is decided here.
 * Of the versions, those of the library that is in use are compared, not those that were
 * written down when the databases were made.  A remote before 15 can't tell it, and is
 * believed only where there is none: C and POSIX, which are one.
 *
 * The order and the cases of libc's C.UTF-8 have no version; they count as the same.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_collation.h"
#include "catalog/pg_database.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/syscache.h"

#include "base/compat.h"
#include "remote/collation.h"

/* The first version that tells which version of its library a database's collation has. */
#define FIRST_VERSION_TO_TELL 150000

/* The lines of a description; the rules, which may be several lines, come last. */
enum
{
	LINE_ENCODING,
	LINE_PROVIDER,
	LINE_COLLATE,
	LINE_CTYPE,
	LINE_LOCALE,
	LINE_VERSION,				/* "?": it can't be told */
	LINE_RULES,
	NUM_LINES
};

void
pgml_collation_append_question(StringInfo buf, int server_version)
{
	appendStringInfo(buf,
					 "(SELECT pg_catalog.array_to_string(ARRAY["
					 "pg_catalog.pg_encoding_to_char(d.encoding)::text,"
					 " COALESCE(j.j ->> 'datlocprovider', 'c'), d.datcollate::text, d.datctype::text,"
					 " COALESCE(j.j ->> 'datlocale', j.j ->> 'daticulocale'), %s,"
					 " j.j ->> 'daticurules'], pg_catalog.chr(10), '')"
					 " FROM pg_catalog.pg_database AS d, pg_catalog.to_jsonb(d) AS j (j)"
					 " WHERE d.datname = pg_catalog.current_database())",
					 server_version >= FIRST_VERSION_TO_TELL ?
					 "pg_catalog.pg_database_collation_actual_version(d.oid)" : "'?'");
}

/* A column of our database's row; "" for a null. */
static char *
column_text(HeapTuple tuple, AttrNumber attnum)
{
	bool		isnull = true;
	Datum		value = (Datum) 0;

	if (attnum != InvalidAttrNumber)
		value = SysCacheGetAttr(DATABASEOID, tuple, attnum, &isnull);
	return isnull ? pstrdup("") : TextDatumGetCString(value);
}

/* The version of the library that our database's collation comes from; "": it has none. */
static char *
our_version(void)
{
	LOCAL_FCINFO(fcinfo, 1);
	Datum		version;

	/* the C function behind it is declared where nobody can read it without ICU's headers */
	InitFunctionCallInfoData(*fcinfo, NULL, 1, InvalidOid, NULL, NULL);
	fcinfo->args[0].value = ObjectIdGetDatum(MyDatabaseId);
	fcinfo->args[0].isnull = false;
	version = pg_database_collation_actual_version(fcinfo);
	return fcinfo->isnull ? pstrdup("") : TextDatumGetCString(version);
}

/* Describe our own database as the remote does its. */
static void
describe_ours(char **lines)
{
	HeapTuple	tuple = SearchSysCache1(DATABASEOID, ObjectIdGetDatum(MyDatabaseId));

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for database %u", MyDatabaseId);
	lines[LINE_ENCODING] = pstrdup(GetDatabaseEncodingName());
	lines[LINE_PROVIDER] = psprintf("%c", ((Form_pg_database) GETSTRUCT(tuple))->datlocprovider);
	lines[LINE_COLLATE] = column_text(tuple, Anum_pg_database_datcollate);
	lines[LINE_CTYPE] = column_text(tuple, Anum_pg_database_datctype);
	lines[LINE_LOCALE] = column_text(tuple, PGML_ANUM_DATLOCALE);
	lines[LINE_RULES] = column_text(tuple, PGML_ANUM_DATICURULES);
	lines[LINE_VERSION] = our_version();
	ReleaseSysCache(tuple);
}

/* Divide the remote's description into its lines, in place; false if they are too few. */
static bool
split(char *answer, char **lines)
{
	for (int i = 0; i < NUM_LINES; i++)
	{
		char	   *end;

		lines[i] = answer;
		if (i == NUM_LINES - 1)
			break;
		if ((end = strchr(answer, '\n')) == NULL)
			return false;
		*end = '\0';
		answer = end + 1;
	}
	return true;
}

/* Give a libc locale the one spelling that we compare: C for POSIX, UTF-8 for utf8. */
static const char *
spell(const char *locale)
{
	const char *codeset = strrchr(locale, '.');

	if (pg_strcasecmp(locale, "POSIX") == 0)
		return "C";
	if (codeset != NULL && pg_strcasecmp(codeset, ".utf8") == 0)
		return psprintf("%.*s.UTF-8", (int) (codeset - locale), locale);
	return locale;
}

/* Is it a collation that no library can change? */
static bool
is_bytewise(char **lines)
{
	return lines[LINE_PROVIDER][0] == COLLPROVIDER_LIBC &&
		strcmp(spell(lines[LINE_COLLATE]), "C") == 0 &&
		strcmp(spell(lines[LINE_CTYPE]), "C") == 0;
}

bool
pgml_collation_is_ours(const char *answer)
{
	static const int alike[] = {LINE_ENCODING, LINE_PROVIDER, LINE_LOCALE, LINE_RULES};
	char	   *ours[NUM_LINES];
	char	   *theirs[NUM_LINES];

	if (answer == NULL || !split(pstrdup(answer), theirs))
		return false;
	describe_ours(ours);
	for (int i = 0; i < (int) lengthof(alike); i++)
		if (strcmp(ours[alike[i]], theirs[alike[i]]) != 0)
			return false;
	return strcmp(spell(ours[LINE_COLLATE]), spell(theirs[LINE_COLLATE])) == 0 &&
		strcmp(spell(ours[LINE_CTYPE]), spell(theirs[LINE_CTYPE])) == 0 &&
		(is_bytewise(ours) || strcmp(ours[LINE_VERSION], theirs[LINE_VERSION]) == 0);
}
