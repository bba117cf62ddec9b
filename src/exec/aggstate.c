/*
 * aggstate.c
 *		States of sum and avg of numeric and bigint values, made of a count and a sum.
 *
 * Core has partial aggregates hand on such a state as bytes, and reads them without
 * suspicion; their form is documented nowhere, but has been one since PostgreSQL 14:
 *
 *	  int8		how many values
 *	  the sum	int4: number of digits, weight, sign, scale; int2: each digit
 *
 * and, where the values are numeric,
 *
 *	  int4		the largest scale among them
 *	  int8		how many have it; then, how many were NaN, Infinity, -Infinity
 *
 * The digits are those of numeric's own binary form, so numeric_send tells them.  How many
 * values have the largest scale matters only where values are taken out again, as
 * in a moving window; of those that aren't numbers, only whether there was one.
 */
#include "postgres.h"

#include "catalog/pg_type_d.h"
#include "lib/stringinfo.h"
#include "libpq/pqformat.h"
#include "nodes/primnodes.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/numeric.h"

#include "exec/aggstate.h"
#include "query/partial.h"
#include "row/copyformat.h"

/* Signs in numeric's binary form, those of what is no number among them. */
#define SIGN_NAN 0xC000
#define SIGN_POSITIVE_INFINITY 0xD000
#define SIGN_NEGATIVE_INFINITY 0xF000

/* How the binary form begins. */
#define DIGITS_AT 8

List *
pgml_aggstate_columns(List *scan_tlist)
{
	List	   *columns = NIL;
	ListCell   *lc;

	foreach(lc, scan_tlist)
	{
		Expr	   *expr = lfirst_node(TargetEntry, lc)->expr;

		if (IsA(expr, Aggref) && ((Aggref *) expr)->aggsplit == AGGSPLIT_INITIAL_SERIAL &&
			pgml_partial_of((Aggref *) expr) == PGML_PARTIAL_NUMERICS)
			columns = lappend_int(columns, foreach_current_index(lc) + 1);
	}
	return columns;
}

/* Throw: what the remote has sent is no count and sum. */
static void
refuse(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_FDW_INVALID_DATA_TYPE),
			 errmsg("the remote server has sent no valid state of an aggregate")));
}

/* Take the array apart; false: no values have been aggregated. */
static bool
read_count_and_sum(Datum array, int64 *count, Datum *sum)
{
	Datum	   *elements;
	bool	   *nulls;
	int			n;

	deconstruct_array(DatumGetArrayTypeP(array), NUMERICOID, -1, false, TYPALIGN_INT,
					  &elements, &nulls, &n);
	if (n != 2 || nulls[0] || numeric_is_nan(DatumGetNumeric(elements[0])) ||
		numeric_is_inf(DatumGetNumeric(elements[0])))
		refuse();
	*count = DatumGetInt64(DirectFunctionCall1(numeric_int8, elements[0]));
	*sum = elements[1];
	if (*count < 0 || nulls[1] != (*count == 0))
		refuse();
	return *count > 0;
}

/* Append the sum; 0 for what is no number. */
static void
append_sum(StringInfo buf, const char *binary, bool number)
{
	int			ndigits = number ? pgml_wire_int16(binary) : 0;

	pq_sendint32(buf, ndigits);
	pq_sendint32(buf, number ? pgml_wire_int16(binary + 2) : 0);
	pq_sendint32(buf, number ? (uint16) pgml_wire_int16(binary + 4) : 0);
	pq_sendint32(buf, number ? pgml_wire_int16(binary + 6) : 0);
	pq_sendbytes(buf, binary + DIGITS_AT, ndigits * (int) sizeof(int16));
}

/* Make the bytes that core's deserialization functions read. */
static Datum
make_state(int64 count, Datum sum, bool of_bigint)
{
	const char *binary = VARDATA_ANY(DatumGetByteaPP(DirectFunctionCall1(numeric_send, sum)));
	uint16		sign = (uint16) pgml_wire_int16(binary + 4);
	bool		number = sign != SIGN_NAN && sign != SIGN_POSITIVE_INFINITY &&
		sign != SIGN_NEGATIVE_INFINITY;
	StringInfoData buf;

	pq_begintypsend(&buf);
	pq_sendint64(&buf, number ? count : 0);
	append_sum(&buf, binary, number);
	if (of_bigint && !number)
		refuse();
	if (!of_bigint)
	{
		pq_sendint32(&buf, number ? pgml_wire_int16(binary + 6) : 0);
		pq_sendint64(&buf, number ? 1 : 0);
		pq_sendint64(&buf, sign == SIGN_NAN ? 1 : 0);
		pq_sendint64(&buf, sign == SIGN_POSITIVE_INFINITY ? 1 : 0);
		pq_sendint64(&buf, sign == SIGN_NEGATIVE_INFINITY ? 1 : 0);
	}
	return PointerGetDatum(pq_endtypsend(&buf));
}

void
pgml_aggstate_make(List *columns, List *scan_tlist, Datum *values, bool *nulls)
{
	ListCell   *lc;

	foreach(lc, columns)
	{
		int			i = lfirst_int(lc) - 1;
		Aggref	   *agg = castNode(Aggref, list_nth_node(TargetEntry, scan_tlist, i)->expr);
		int64		count;
		Datum		sum;

		if (nulls[i])
			refuse();
		nulls[i] = !read_count_and_sum(values[i], &count, &sum);
		if (!nulls[i])
			values[i] = make_state(count, sum, linitial_oid(agg->aggargtypes) == INT8OID);
	}
}
