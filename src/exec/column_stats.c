/*
 * column_stats.c
 *		Statistics of one column: what the remote says, checked, and written into
 *		pg_statistic as ANALYZE here would have written it.
 *
 * Question answered: which parts of this make sense here?  pg_stats of the
 * remote comes as text; values become ours through the column's own input
 * function.  The planner relies on what is in pg_statistic, without looking
 * twice (an empty range in a histogram of ranges makes planning fail), so each
 * part must be in the form that ANALYZE gives it: fractions between 0 and 1, the
 * frequencies descending, a histogram sorted by our own order.  That last check
 * is what tells whether the remote sorts as we do, too: no collation's name or
 * version could.  What fails its check is left out, and costs a worse estimate.
 *
 * Nouns: a slot is one of the five places of a pg_statistic row that hold a kind
 * of statistics each; see catalog/pg_statistic.h for the kinds.
 *
 * Input functions throw at what they don't like, so each part that has values is
 * read in a subtransaction.
 */
#include "postgres.h"

#include <float.h>
#include <math.h>

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/indexing.h"
#include "catalog/pg_collation.h"
#include "catalog/pg_operator_d.h"
#include "catalog/pg_statistic.h"
#include "catalog/pg_type.h"
#include "mb/pg_wchar.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/rangetypes.h"
#include "utils/rel.h"
#include "utils/syscache.h"
#include "utils/typcache.h"

#include "base/attempt.h"
#include "base/compat.h"
#include "exec/column_stats.h"

/* No ANALYZE makes larger ones: 10,000 values (the highest statistics target) of 1 kB. */
#define MAX_PART_LENGTH (16 * 1024 * 1024)

/* Fractions that add up to 1 may exceed it by a little, each being rounded. */
#define SUM_TOLERANCE 0.001

/* What ANALYZE adds to the frequencies of elements: lowest, highest, and of null elements. */
#define ARRAY_EXTRA_FREQS 3
#define TSVECTOR_EXTRA_FREQS 2

typedef struct Slot
{
	int16		kind;
	Oid			op;
	Oid			collation;
	ArrayType  *numbers;		/* float4; NULL: none */
	ArrayType  *values;			/* NULL: none */
} Slot;

/* A column's statistics on their way to pg_statistic. */
typedef struct ColumnStats
{
	const PgmlRemoteStats *remote;
	Oid			type;			/* of the column; of a domain, the base type */
	Oid			collation;
	TypeCacheEntry *cache;		/* of type */
	float4		null_frac;
	int32		width;
	float4		distinct;
	int			nslots;
	Slot		slots[STATISTIC_NUM_SLOTS];
	bool		sorts_alike;	/* the histogram has shown that the remote sorts as we do */

	/* the part that is being read */
	void		(*part) (struct ColumnStats *self);
} ColumnStats;

/* Read a number; false if it isn't one, or out of bounds. */
static bool
read_number(const char *text, double lowest, double highest, double *number)
{
	char	   *end;

	if (text == NULL || text[0] == '\0')
		return false;
	*number = strtod(text, &end);
	return *end == '\0' && *number >= lowest && *number <= highest;
}

/* Throw away a part. */
pg_noreturn static void
reject(const char *why)
{
	ereport(ERROR, (errcode(ERRCODE_DATA_EXCEPTION), errmsg_internal("%s", why)));
}

/* Read an array of a type's values, all of them there; throws. */
static ArrayType *
read_array(const char *text, Oid element)
{
	ArrayType  *array;

	if (strlen(text) > MAX_PART_LENGTH)
		reject("statistics are too large");
	pg_verifymbstr(text, strlen(text), false);
	array = DatumGetArrayTypeP(OidInputFunctionCall(F_ARRAY_IN, unconstify(char *, text),
													element, -1));
	if (ARR_NDIM(array) != 1 || ARR_HASNULL(array))
		reject("not a list of values");
	return array;
}

static int
array_length_of(const ArrayType *array)
{
	return ARR_DIMS(array)[0];
}

/* The values of a list as they lie in memory, for those of a fixed length. */
static const void *
data_of(const ArrayType *array)
{
	return (const char *) array + ARR_OVERHEAD_NONULLS(1);
}

/* Read an array of numbers within these bounds; throws. */
static ArrayType *
read_numbers(const char *text, double lowest, double highest)
{
	ArrayType  *array = read_array(text, FLOAT4OID);
	const float4 *numbers = data_of(array);

	for (int i = 0; i < array_length_of(array); i++)
		if (!(numbers[i] >= lowest && numbers[i] <= highest))
			reject("a number is out of bounds");
	return array;
}

/* Throw unless the values are sorted as a type's default order has it. */
static void
check_sorted(ArrayType *array, Oid type, Oid collation)
{
	TypeCacheEntry *cache = lookup_type_cache(type, TYPECACHE_CMP_PROC_FINFO);
	Datum	   *values;
	int			n;

	if (!OidIsValid(cache->cmp_proc_finfo.fn_oid))
		reject("the type has no order");
	deconstruct_array(array, type, cache->typlen, cache->typbyval, cache->typalign,
					  &values, NULL, &n);
	for (int i = 1; i < n; i++)
		if (DatumGetInt32(FunctionCall2Coll(&cache->cmp_proc_finfo, collation,
											values[i - 1], values[i])) > 0)
			reject("the values are not sorted");
}

/* Use the next slot; throws if there is none. */
static void
add_slot(ColumnStats *self, int16 kind, Oid op, Oid collation, ArrayType *numbers,
		 ArrayType *values)
{
	Slot		slot = {kind, op, collation, numbers, values};

	if (self->nslots == STATISTIC_NUM_SLOTS)
		reject("no room for another kind");
	self->slots[self->nslots++] = slot;
}

/* Part: the most common values and how frequent they are. */
static void
add_common_values(ColumnStats *self)
{
	ArrayType  *values = read_array(self->remote->mcv, self->type);
	ArrayType  *freqs = read_numbers(self->remote->mcv_freqs, 0, 1);
	const float4 *freq = data_of(freqs);
	double		sum = self->null_frac;

	if (!OidIsValid(self->cache->eq_opr) || array_length_of(values) != array_length_of(freqs))
		reject("not as many frequencies as values");
	for (int i = 0; i < array_length_of(freqs); i++)
	{
		sum += freq[i];
		if (i > 0 && freq[i] > freq[i - 1])
			reject("the frequencies don't descend");
	}
	if (sum > 1 + SUM_TOLERANCE)
		reject("the frequencies exceed the whole");
	add_slot(self, STATISTIC_KIND_MCV, self->cache->eq_opr, self->collation, freqs, values);
}

/* Part: borders between parts of equally many values. */
static void
add_histogram(ColumnStats *self)
{
	ArrayType  *bounds = read_array(self->remote->histogram, self->type);

	if (!OidIsValid(self->cache->lt_opr) || array_length_of(bounds) < 2)
		reject("not a histogram");
	check_sorted(bounds, self->type, self->collation);
	add_slot(self, STATISTIC_KIND_HISTOGRAM, self->cache->lt_opr, self->collation, NULL, bounds);
	self->sorts_alike = true;
}

/* Part: how much the order of the rows is that of the values. */
static void
add_correlation(ColumnStats *self)
{
	Datum		number;
	double		correlation;

	if (!OidIsValid(self->cache->lt_opr) ||
		!read_number(self->remote->correlation, -1, 1, &correlation))
		reject("not a correlation");
	if (!self->sorts_alike && (self->remote->histogram != NULL || OidIsValid(self->collation)))
		reject("perhaps of another order");
	number = Float4GetDatum((float4) correlation);
	add_slot(self, STATISTIC_KIND_CORRELATION, self->cache->lt_opr, self->collation,
			 construct_array(&number, 1, FLOAT4OID, sizeof(float4), true, TYPALIGN_INT), NULL);
}

/* What elements the values have (those of a tsvector are text); throws if they have none. */
static TypeCacheEntry *
element_type(ColumnStats *self)
{
	Oid			element = self->type == TSVECTOROID ? TEXTOID : get_element_type(self->type);
	TypeCacheEntry *cache;

	if (!OidIsValid(element))
		reject("the type has no elements");
	cache = lookup_type_cache(element, TYPECACHE_EQ_OPR);
	if (!OidIsValid(cache->eq_opr))
		reject("the elements can't be compared");
	return cache;
}

/* Throw unless lexemes are sorted as a tsvector sorts them: short ones first. */
static void
check_lexemes(ArrayType *array)
{
	Datum	   *values;
	int			n;

	deconstruct_array(array, TEXTOID, -1, false, TYPALIGN_INT, &values, NULL, &n);
	for (int i = 1; i < n; i++)
	{
		int			len1 = VARSIZE_ANY_EXHDR(DatumGetPointer(values[i - 1]));
		int			len2 = VARSIZE_ANY_EXHDR(DatumGetPointer(values[i]));

		if (len1 > len2 ||
			(len1 == len2 && memcmp(VARDATA_ANY(DatumGetPointer(values[i - 1])),
									VARDATA_ANY(DatumGetPointer(values[i])), len1) >= 0))
			reject("the lexemes are not sorted");
	}
}

/* Part: the most common elements of arrays, or lexemes. */
static void
add_common_elements(ColumnStats *self)
{
	bool		lexemes = self->type == TSVECTOROID;
	TypeCacheEntry *element = element_type(self);
	ArrayType  *values = read_array(self->remote->elements, element->type_id);
	ArrayType  *freqs = read_numbers(self->remote->element_freqs, 0, 1);
	int			extra = lexemes ? TSVECTOR_EXTRA_FREQS : ARRAY_EXTRA_FREQS;
	Oid			collation = lexemes ? DEFAULT_COLLATION_OID : self->collation;

	if (array_length_of(freqs) != array_length_of(values) + extra)
		reject("not as many frequencies as elements");
	if (lexemes)
		check_lexemes(values);
	else
		check_sorted(values, element->type_id, collation);
	add_slot(self, STATISTIC_KIND_MCELEM, element->eq_opr, collation, freqs, values);
}

/* Part: how many different elements an array has; the last number is the average. */
static void
add_element_counts(ColumnStats *self)
{
	ArrayType  *counts = read_numbers(self->remote->element_counts, 0, MaxAllocSize);
	const float4 *count = data_of(counts);
	int			n = array_length_of(counts);

	if (n < 3 || self->type == TSVECTOROID)
		reject("not a histogram");
	for (int i = 1; i < n - 1; i++)
		if (count[i] < count[i - 1])
			reject("the numbers are not sorted");
	add_slot(self, STATISTIC_KIND_DECHIST, element_type(self)->eq_opr, self->collation,
			 counts, NULL);
}

/* Throw unless the ranges can be borders of a histogram. */
static void
check_bounds(ColumnStats *self, ArrayType *bounds)
{
	TypeCacheEntry *cache = lookup_type_cache(self->type, TYPECACHE_RANGE_INFO);
	Datum	   *values;
	int			n;
	RangeBound	lower[2];
	RangeBound	upper[2];

	deconstruct_array(bounds, self->type, cache->typlen, cache->typbyval, cache->typalign,
					  &values, NULL, &n);
	if (n < 2)
		reject("not a histogram");
	for (int i = 0; i < n; i++)
	{
		bool		empty;

		range_deserialize(cache, DatumGetRangeTypeP(values[i]), &lower[i % 2], &upper[i % 2],
						  &empty);
		if (empty)
			reject("a bound is empty");
		if (i > 0 && (range_cmp_bounds(cache, &lower[(i + 1) % 2], &lower[i % 2]) > 0 ||
					  range_cmp_bounds(cache, &upper[(i + 1) % 2], &upper[i % 2]) > 0))
			reject("the bounds are not sorted");
	}
}

/* Part: where ranges begin and end, how long they are and how many are empty. */
static void
add_ranges(ColumnStats *self)
{
	ArrayType  *bounds;
	ArrayType  *lengths;
	const float8 *length;
	int			n;
	Datum		number;
	double		empty;

	if (!type_is_range(self->type))
		reject("not a range");
	bounds = read_array(self->remote->range_bounds, self->type);
	check_bounds(self, bounds);
	lengths = read_array(self->remote->range_lengths, FLOAT8OID);
	check_sorted(lengths, FLOAT8OID, InvalidOid);
	length = data_of(lengths);
	n = array_length_of(lengths);
	if (n < 2 || !(length[0] >= 0) || isnan(length[n - 1]) ||
		!read_number(self->remote->range_empty, 0, 1, &empty))
		reject("not lengths");

	add_slot(self, STATISTIC_KIND_BOUNDS_HISTOGRAM, InvalidOid, InvalidOid, NULL, bounds);
	number = Float4GetDatum((float4) empty);
	add_slot(self, STATISTIC_KIND_RANGE_LENGTH_HISTOGRAM, Float8LessOperator, InvalidOid,
			 construct_array(&number, 1, FLOAT4OID, sizeof(float4), true, TYPALIGN_INT), lengths);
}

/* For pgml_attempt. */
static void
run_part(void *arg)
{
	ColumnStats *self = arg;

	self->part(self);
}

/* Add a part, if the remote has it and it makes sense. */
static void
try_part(ColumnStats *self, bool there, void (*part) (ColumnStats *self))
{
	int			nslots = self->nslots;
	ErrorData  *error;

	if (!there)
		return;
	self->part = part;
	error = pgml_attempt(run_part, self);
	if (error == NULL)
		return;
	self->nslots = nslots;
	ereport(DEBUG1,
			(errmsg_internal("a part of a column's statistics is left out: %s", error->message)));
}

/* Read what every column has; false if it makes no sense. */
static bool
read_basics(ColumnStats *self)
{
	double		null_frac;
	double		width;
	double		distinct;

	if (!read_number(self->remote->null_frac, 0, 1, &null_frac) ||
		!read_number(self->remote->avg_width, 0, MaxAllocSize, &width) ||
		!read_number(self->remote->n_distinct, -1, FLT_MAX, &distinct))
		return false;
	self->null_frac = null_frac;
	self->width = width;
	self->distinct = distinct;
	return true;
}

/* Read the parts in the order in which ANALYZE has them. */
static void
read_parts(ColumnStats *self)
{
	const PgmlRemoteStats *remote = self->remote;

	try_part(self, remote->mcv && remote->mcv_freqs, add_common_values);
	try_part(self, remote->histogram != NULL, add_histogram);
	try_part(self, remote->correlation != NULL, add_correlation);
	try_part(self, remote->elements && remote->element_freqs, add_common_elements);
	try_part(self, remote->element_counts != NULL, add_element_counts);
	try_part(self, remote->range_bounds && remote->range_lengths && remote->range_empty,
			 add_ranges);
}

/* Fill the fields of a row of pg_statistic. */
static void
fill_row(const ColumnStats *self, Oid relid, AttrNumber attnum, Datum *values, bool *nulls)
{
	memset(values, 0, sizeof(Datum) * Natts_pg_statistic);
	memset(nulls, 0, sizeof(bool) * Natts_pg_statistic);
	values[Anum_pg_statistic_starelid - 1] = ObjectIdGetDatum(relid);
	values[Anum_pg_statistic_staattnum - 1] = Int16GetDatum(attnum);
	values[Anum_pg_statistic_stainherit - 1] = BoolGetDatum(false);
	values[Anum_pg_statistic_stanullfrac - 1] = Float4GetDatum(self->null_frac);
	values[Anum_pg_statistic_stawidth - 1] = Int32GetDatum(self->width);
	values[Anum_pg_statistic_stadistinct - 1] = Float4GetDatum(self->distinct);
	for (int i = 0; i < STATISTIC_NUM_SLOTS; i++)
	{
		Slot		slot = {0};

		if (i < self->nslots)
			slot = self->slots[i];
		values[Anum_pg_statistic_stakind1 - 1 + i] = Int16GetDatum(slot.kind);
		values[Anum_pg_statistic_staop1 - 1 + i] = ObjectIdGetDatum(slot.op);
		values[Anum_pg_statistic_stacoll1 - 1 + i] = ObjectIdGetDatum(slot.collation);
		values[Anum_pg_statistic_stanumbers1 - 1 + i] = PointerGetDatum(slot.numbers);
		nulls[Anum_pg_statistic_stanumbers1 - 1 + i] = slot.numbers == NULL;
		values[Anum_pg_statistic_stavalues1 - 1 + i] = PointerGetDatum(slot.values);
		nulls[Anum_pg_statistic_stavalues1 - 1 + i] = slot.values == NULL;
	}
}

/* Write the row, in the place of the one that is there. */
static void
write_row(Relation statistic, const ColumnStats *self, Oid relid, AttrNumber attnum)
{
	Datum		values[Natts_pg_statistic];
	bool		nulls[Natts_pg_statistic];
	HeapTuple	old = SearchSysCache3(STATRELATTINH, ObjectIdGetDatum(relid),
									  Int16GetDatum(attnum), BoolGetDatum(false));
	HeapTuple	tuple;

	fill_row(self, relid, attnum, values, nulls);
	tuple = heap_form_tuple(RelationGetDescr(statistic), values, nulls);
	if (HeapTupleIsValid(old))
	{
		CatalogTupleUpdate(statistic, &old->t_self, tuple);
		ReleaseSysCache(old);
	}
	else
		CatalogTupleInsert(statistic, tuple);
}

bool
pgml_column_stats_store(Relation statistic, Relation rel, AttrNumber attnum,
						const PgmlRemoteStats *remote)
{
	Form_pg_attribute attr = TupleDescAttr(RelationGetDescr(rel), attnum - 1);
	ColumnStats self = {.remote = remote,.collation = attr->attcollation};

	self.type = getBaseType(attr->atttypid);
	self.cache = lookup_type_cache(self.type, TYPECACHE_EQ_OPR | TYPECACHE_LT_OPR);
	if (!read_basics(&self))
		return false;
	read_parts(&self);
	write_row(statistic, &self, RelationGetRelid(rel), attnum);
	return true;
}
