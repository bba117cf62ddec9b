/*
 * argument.c
 *		Arguments of SQL functions that aren't STRICT.
 *
 * Question answered: is what must be given there, and what is it?  Functions
 * with named arguments take nulls for those that nobody gave, so that
 * those which must be there are checked here, and named in the error.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "utils/array.h"
#include "utils/builtins.h"

#include "sqlfunc/argument.h"

void
pgml_argument_check(FunctionCallInfo fcinfo, int arg, const char *name)
{
	if (PG_ARGISNULL(arg))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("argument \"%s\" must not be null", name)));
}

char *
pgml_argument_text(FunctionCallInfo fcinfo, int arg, const char *name)
{
	pgml_argument_check(fcinfo, arg, name);
	return text_to_cstring(PG_GETARG_TEXT_PP(arg));
}

char *
pgml_argument_name(FunctionCallInfo fcinfo, int arg, const char *name)
{
	pgml_argument_check(fcinfo, arg, name);
	return pstrdup(NameStr(*PG_GETARG_NAME(arg)));
}

List *
pgml_argument_names(FunctionCallInfo fcinfo, int arg, const char *name)
{
	List	   *names = NIL;
	Datum	   *values;
	bool	   *nulls;
	int			n;

	if (PG_ARGISNULL(arg))
		return NIL;
	deconstruct_array(PG_GETARG_ARRAYTYPE_P(arg), NAMEOID, NAMEDATALEN, false, TYPALIGN_CHAR,
					  &values, &nulls, &n);
	for (int i = 0; i < n; i++)
	{
		if (nulls[i])
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("argument \"%s\" must not contain nulls", name)));
		names = lappend(names, pstrdup(NameStr(*DatumGetName(values[i]))));
	}
	if (names == NIL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"%s\" is an empty list", name)));
	return names;
}
