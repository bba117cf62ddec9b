/*
 * shippable_collation.c
 *		Collations: does the remote compare, sort and change case as we do?
 *
 * Question answered: a function looks at a collation, here and there; is it the same
 * one?  What is meant by a settled collation is told at the top of shippable.c; here
 * are its rules.
 *
 * A column without a collation of its own has the default one of its database, and
 * two databases may have two.  Whether the remote's is ours is the remote's to
 * say; this floor knows no connection, and reads the answer in the options
 * (same_collation, false where nobody knows).  So that the remote is asked only if it
 * matters, plan/size.c asks here first whether the statement holds anything whose
 * meaning hangs on it.
 *
 * Most doesn't.  Equality of strings is equality of bytes unless the collation is a
 * nondeterministic one, which a default collation can't be, and many functions never
 * look at the collation that the parser gives them.  A table names those.  The
 * other way round, jsonb has no collation and yet sorts its strings by the default one,
 * and a jsonpath's regular expressions go by it.
 *
 * Collations with a name are taken to be the same where they have the same name,
 * whatever their version.
 */
#include "postgres.h"

#include "catalog/pg_collation.h"
#include "catalog/pg_type.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"

#include "base/oids.h"
#include "query/shippable.h"
#include "query/shippable_walk.h"

/*
 * Functions with arguments of a collatable type that never look at the
 * collation, or for which any deterministic one is as good as any other.  Not
 * all of them: those that are worth shipping without a column of text, or to a remote
 * with another default collation.
 */
static const Oid collation_blind_functions[] = {
	/* equality, patterns, substrings */
	F_TEXTEQ, F_TEXTNE, F_BPCHAREQ, F_BPCHARNE, F_ARRAY_EQ, F_ARRAY_NE,
	F_ARRAYCONTAINS, F_ARRAYCONTAINED, F_ARRAYOVERLAP,
	F_NAMEEQTEXT, F_NAMENETEXT, F_TEXTEQNAME, F_TEXTNENAME,
	F_TEXTLIKE, F_TEXTNLIKE, F_BPCHARLIKE, F_BPCHARNLIKE, F_STARTS_WITH,
	F_TEXTCAT, F_TEXTLEN, F_LENGTH_TEXT,
	F_LEFT, F_RIGHT, F_SUBSTR_TEXT_INT4, F_SUBSTR_TEXT_INT4_INT4,
	F_SUBSTRING_TEXT_INT4, F_SUBSTRING_TEXT_INT4_INT4,
	F_LPAD_TEXT_INT4, F_LPAD_TEXT_INT4_TEXT, F_RPAD_TEXT_INT4, F_RPAD_TEXT_INT4_TEXT,
	F_BTRIM_TEXT, F_BTRIM_TEXT_TEXT, F_LTRIM_TEXT, F_LTRIM_TEXT_TEXT,
	F_RTRIM_TEXT, F_RTRIM_TEXT_TEXT,
	F_LENGTH_BPCHAR, F_CHAR_LENGTH_TEXT, F_CHAR_LENGTH_BPCHAR,
	F_CHARACTER_LENGTH_TEXT, F_CHARACTER_LENGTH_BPCHAR,
	F_REPLACE, F_STRPOS, F_POSITION_TEXT_TEXT, F_SPLIT_PART, F_TRANSLATE, F_REPEAT,
	F_OVERLAY_TEXT_TEXT_INT4, F_OVERLAY_TEXT_TEXT_INT4_INT4,
	F_ARRAY_LENGTH, F_ARRAY_LOWER, F_ARRAY_UPPER, F_ARRAY_NDIMS, F_CARDINALITY,
	F_TEXT_PATTERN_LT, F_TEXT_PATTERN_LE, F_TEXT_PATTERN_GE, F_TEXT_PATTERN_GT,
	F_TEXT_BPCHAR, F_TEXT_NAME, F_TEXT_CHAR,

	/* aggregates; their ORDER BY is judged by itself */
	F_COUNT_ANY, F_STRING_AGG_TEXT_TEXT, F_ARRAY_AGG_ANYNONARRAY, F_ARRAY_AGG_ANYARRAY,

	/* cutting off */
	F_VARCHAR_VARCHAR_INT4_BOOL, F_BPCHAR_BPCHAR_INT4_BOOL,

	/* text as a keyword: EXTRACT(year FROM a), a AT TIME ZONE 'UTC' */
	F_EXTRACT_TEXT_DATE, F_EXTRACT_TEXT_TIME, F_EXTRACT_TEXT_TIMETZ,
	F_EXTRACT_TEXT_TIMESTAMP, F_EXTRACT_TEXT_INTERVAL,
	F_DATE_PART_TEXT_TIME, F_DATE_PART_TEXT_TIMETZ, F_DATE_PART_TEXT_TIMESTAMP,
	F_DATE_PART_TEXT_INTERVAL,
	F_DATE_TRUNC_TEXT_TIMESTAMP, F_DATE_TRUNC_TEXT_INTERVAL,
	F_TIMEZONE_TEXT_TIMESTAMP, F_TIMEZONE_TEXT_TIMESTAMPTZ,

	/* text as a key: a -> 'key' */
	F_JSON_OBJECT_FIELD, F_JSON_OBJECT_FIELD_TEXT,
	F_JSON_EXTRACT_PATH, F_JSON_EXTRACT_PATH_TEXT,
	F_JSONB_OBJECT_FIELD, F_JSONB_OBJECT_FIELD_TEXT,
	F_JSONB_EXTRACT_PATH, F_JSONB_EXTRACT_PATH_TEXT,
	F_JSONB_EXISTS, F_JSONB_EXISTS_ANY, F_JSONB_EXISTS_ALL
};

/* Functions that look at the default collation, whatever that of their arguments. */
static const Oid by_default_functions[] = {
	F_JSONB_LT, F_JSONB_LE, F_JSONB_GT, F_JSONB_GE,

	/* like_regex, with flag "i" */
	F_JSONB_PATH_EXISTS_OPR, F_JSONB_PATH_MATCH_OPR, F_JSONB_PATH_EXISTS, F_JSONB_PATH_MATCH,
	F_JSONB_PATH_QUERY_ARRAY, F_JSONB_PATH_QUERY_FIRST
};

PgmlCollation
pgml_merge_collations(PgmlCollation a, PgmlCollation b)
{
	PgmlCollation conflict = {InvalidOid, ALIEN};

	if (a.settled == ALIEN || b.settled == ALIEN)
		return conflict;
	if (a.settled == NEUTRAL)
		return b;
	if (b.settled == NEUTRAL || a.oid == b.oid)
		return a;

	/* the parser lets any collation prevail over the default, if none is explicit */
	if (a.oid == DEFAULT_COLLATION_OID)
		return b;
	if (b.oid == DEFAULT_COLLATION_OID)
		return a;
	return conflict;
}

PgmlCollation
pgml_derive_collation(const Node *node, PgmlCollation inner)
{
	PgmlCollation result;
	Oid			of_type;

	result.oid = exprCollation(node);
	of_type = get_typcollation(exprType(node));

	if (!OidIsValid(of_type))
		result.settled = NEUTRAL;
	else if (!OidIsValid(result.oid))
	{
		/* arguments in conflict, or the placeholder for an array's elements */
		result.settled = inner.settled == ALIEN ? ALIEN : NEUTRAL;
	}
	else if (inner.settled == COLUMN)
		result.settled = result.oid == inner.oid ? COLUMN : ALIEN;
	else if (inner.settled == ALIEN)
		result.settled = ALIEN;
	else if (result.oid == DEFAULT_COLLATION_OID)
		result.settled = NEUTRAL;
	else
		result.settled = result.oid == of_type ? COLUMN : ALIEN;
	return result;
}

/* Does a function that was given this collation hang on the default one? */
static bool
looks_at_default(Oid collation, Oid funcid)
{
	if (collation == DEFAULT_COLLATION_OID)
		return !PGML_IS_ONE_OF(funcid, collation_blind_functions);
	return PGML_IS_ONE_OF(funcid, by_default_functions);
}

/* Does an order of values of this type and collation? */
static bool
sorts_by_default(Oid typid, Oid collation)
{
	Oid			base = getBaseType(typid);

	return collation == DEFAULT_COLLATION_OID || base == JSONBOID || base == JSONBARRAYOID;
}

bool
pgml_shippable_input_collation(Oid collation, PgmlCollation inner, Oid funcid,
							   const PgmlOptions *options)
{
	if (!options->same_collation && looks_at_default(collation, funcid))
		return false;
	if (!OidIsValid(collation))
		return inner.settled != ALIEN;
	if (inner.settled == COLUMN)
		return inner.oid == collation;
	return inner.settled == NEUTRAL &&
		collation == DEFAULT_COLLATION_OID &&
		PGML_IS_ONE_OF(funcid, collation_blind_functions);
}

bool
pgml_shippable_sort_collation(Oid typid, Oid collation, PgmlCollation inner,
							  const PgmlOptions *options)
{
	if (!options->same_collation && sorts_by_default(typid, collation))
		return false;
	return !OidIsValid(collation) ||
		(inner.settled == COLUMN && inner.oid == collation);
}

bool
pgml_shippable_equality_collation(Oid collation, Oid funcid, const PgmlOptions *options)
{
	return options->same_collation || !looks_at_default(collation, funcid);
}

/*
 * Which statements are there to ask for
 */

/* Does ORDER BY, of the query or of an aggregate, hang on the default collation? */
static bool
order_needs_same(List *clauses, List *tlist)
{
	ListCell   *lc;

	foreach(lc, clauses)
	{
		Node	   *expr = get_sortgroupclause_expr(lfirst_node(SortGroupClause, lc), tlist);

		if (sorts_by_default(exprType(expr), exprCollation(expr)))
			return true;
	}
	return false;
}

/* Does an operation, its arguments left aside? */
static bool
operation_needs_same(Node *node)
{
	Oid			funcid = InvalidOid;

	switch (nodeTag(node))
	{
		case T_FuncExpr:
			funcid = ((FuncExpr *) node)->funcid;
			break;
		case T_Aggref:
			funcid = ((Aggref *) node)->aggfnoid;
			break;
		case T_WindowFunc:
			funcid = ((WindowFunc *) node)->winfnoid;
			break;
		case T_OpExpr:
		case T_DistinctExpr:
		case T_NullIfExpr:
			funcid = get_opcode(((OpExpr *) node)->opno);
			break;
		case T_ScalarArrayOpExpr:
			funcid = get_opcode(((ScalarArrayOpExpr *) node)->opno);
			break;
		case T_MinMaxExpr:
			break;
		default:
			return false;
	}
	return looks_at_default(exprInputCollation(node), funcid);
}

/* Walker: stop at what hangs on the default collation. */
static bool
needs_same(Node *node, void *context)
{
	if (node == NULL)
		return false;
	if (IsA(node, Query))
	{
		Query	   *query = (Query *) node;
		ListCell   *lc;

		foreach(lc, query->windowClause)
			if (order_needs_same(lfirst_node(WindowClause, lc)->orderClause, query->targetList))
				return true;
		return order_needs_same(query->sortClause, query->targetList) ||
			query_tree_walker(query, needs_same, context, 0);
	}
	if (operation_needs_same(node) ||
		(IsA(node, Aggref) &&
		 order_needs_same(((Aggref *) node)->aggorder, ((Aggref *) node)->args)) ||
		(IsA(node, RowCompareExpr) &&
		 list_member_oid(((RowCompareExpr *) node)->inputcollids, DEFAULT_COLLATION_OID)))
		return true;
	return expression_tree_walker(node, needs_same, context);
}

bool
pgml_needs_same_collation(Query *query)
{
	return needs_same((Node *) query, NULL);
}
