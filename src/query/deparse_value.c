/*
 * deparse_value.c
 *		Values, types and names as the remote reads them.
 *
 * Question answered: how is this constant, type, operator or object name
 * written so that any remote understands the same?  The nodes around them are
 * deparse_expr.c's.
 *
 * A constant always has exactly the type that it has here: either its literal
 * gets that type from the grammar (true, 5, 1.5), or the type is spelled out.
 * A negative number is quoted: the grammar would read a bare minus as an
 * operator, and the smallest integer not at all.  The type is written
 * without its modifier, because the value has been fitted to it already.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_namespace.h"
#include "catalog/pg_operator.h"
#include "catalog/pg_type.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"

#include "base/compat.h"
#include "query/deparse.h"

/*
 * Append a string literal.  Quotes and backslashes are ASCII and no server
 * encoding uses these bytes within other characters, so bytes are looked at.
 */
void
pgml_deparse_literal(StringInfo buf, const char *value)
{
	if (strchr(value, '\\') != NULL)
		appendStringInfoChar(buf, 'E');
	appendStringInfoChar(buf, '\'');
	for (const char *at = value; *at != '\0'; at++)
	{
		if (*at == '\'' || *at == '\\')
			appendStringInfoChar(buf, *at);
		appendStringInfoChar(buf, *at);
	}
	appendStringInfoChar(buf, '\'');
}

/*
 * Name a type.  A built-in type has its SQL name, which is found whatever the
 * search_path; others are qualified, and have the name that a column's type_name
 * gives them, else the one that they have here.  TYPEMOD_GIVEN keeps a type without
 * modifier from being printed as "character" or "bit", which mean length 1.
 */
char *
pgml_deparse_type_name(Oid typid, int32 typmod, const PgmlOptions *options)
{
	bits16		flags = FORMAT_TYPE_TYPEMOD_GIVEN;
	Oid			element = get_element_type(typid);
	char	   *name = pgml_option_type_name(options, OidIsValid(element) ? element : typid);

	if (name != NULL)
		return OidIsValid(element) ? psprintf("%s[]", name) : name;
	if (typid >= FirstGenbkiObjectId)
		flags |= FORMAT_TYPE_FORCE_QUALIFY;
	return format_type_extended(typid, typmod, flags);
}

/* Append a numeric or integer constant: bare where the grammar gives it this type. */
static void
append_number(StringInfo buf, const char *text, const char *type_name, Oid typid)
{
	bool		digits_only = strspn(text, "0123456789") == strlen(text);
	bool		decimal = strspn(text, "0123456789.") == strlen(text);

	if (typid == INT4OID ? digits_only : (decimal && !digits_only))
		appendStringInfoString(buf, text);
	else
		appendStringInfo(buf, "'%s'::%s", text, type_name);
}

void
pgml_deparse_const(StringInfo buf, const Const *constant, const PgmlOptions *options)
{
	Oid			typid = constant->consttype;
	char	   *type_name = pgml_deparse_type_name(typid, -1, options);
	Oid			output;
	bool		isvarlena;
	char	   *text;

	if (constant->constisnull)
	{
		appendStringInfo(buf, "NULL::%s", type_name);
		return;
	}

	getTypeOutputInfo(typid, &output, &isvarlena);
	text = OidOutputFunctionCall(output, constant->constvalue);
	switch (typid)
	{
		case BOOLOID:
			appendStringInfoString(buf, text[0] == 't' ? "true" : "false");
			break;
		case INT4OID:
		case NUMERICOID:
			append_number(buf, text, type_name, typid);
			break;
		case BITOID:
		case VARBITOID:
			appendStringInfo(buf, "B'%s'::%s", text, type_name);
			break;
		default:
			pgml_deparse_literal(buf, text);
			appendStringInfo(buf, "::%s", type_name);
			break;
	}
	pfree(text);
}

void
pgml_deparse_qualified_name(StringInfo buf, Oid schemaid, const char *name)
{
	if (schemaid != PG_CATALOG_NAMESPACE)
	{
		const char *schema = get_namespace_name(schemaid);

		if (schema == NULL)
			elog(ERROR, "cache lookup failed for namespace %u", schemaid);
		appendStringInfo(buf, "%s.", quote_identifier(schema));
	}
	appendStringInfoString(buf, quote_identifier(name));
}

void
pgml_deparse_operator(StringInfo buf, Oid opno)
{
	HeapTuple	tuple = SearchSysCache1(OPEROID, ObjectIdGetDatum(opno));
	Form_pg_operator form;

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for operator %u", opno);
	form = (Form_pg_operator) GETSTRUCT(tuple);

	if (form->oprnamespace == PG_CATALOG_NAMESPACE)
		appendStringInfoString(buf, NameStr(form->oprname));
	else
	{
		const char *schema = get_namespace_name(form->oprnamespace);

		if (schema == NULL)
			elog(ERROR, "cache lookup failed for namespace %u", form->oprnamespace);
		appendStringInfo(buf, "OPERATOR(%s.%s)", quote_identifier(schema),
						 NameStr(form->oprname));
	}
	ReleaseSysCache(tuple);
}
