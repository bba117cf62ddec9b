/*
 * keytable.c
 *		Rows in memory, found by key: a batch of a keyed join's outer side.
 *
 * Core's hash tables for rows are made to take one side of a join whole, and to be probed
 * with rows of the same type.  This one is filled and emptied again and again, says
 * which keys are in it, as arrays to be sent, and is probed with values of another type
 * (int8 against int4), by the join's own operators.
 *
 * A key is known again, when it is added, by its bytes: that needs no operator between
 * two keys of the outer side, of which there may be none.  Equal keys of
 * different bytes (numeric 1 and 1.0) are two keys then, each of which is found.
 */
#include "postgres.h"

#include "common/hashfn.h"
#include "executor/executor.h"
#include "utils/array.h"
#include "utils/datum.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"

#include "exec/keytable.h"

/* Buckets of an empty table; they are doubled when there are as many keys. */
#define FIRST_BUCKETS 1024

/* What is known of a key column. */
typedef struct KeyColumn
{
	Oid			type;
	int16		typlen;
	bool		typbyval;
	char		typalign;
	Oid			collation;
	FmgrInfo	equal;			/* key = probe */
	FmgrInfo	hash_key;
	FmgrInfo	hash_probe;
} KeyColumn;

struct PgmlKeyTable
{
	int			ncols;
	KeyColumn  *columns;
	MemoryContext cxt;			/* holds all that follows; reset with the table */
	PgmlKey   **buckets;
	uint32		nbuckets;		/* a power of 2; 0: none are there yet */
	int64		nkeys;
	PgmlKey    *keys;
	PgmlKey    *last_key;
	PgmlKeyRow *rows;
	PgmlKeyRow *last_row;
};

PgmlKeyTable *
pgml_keytable_create(int ncols, const Oid *types, List *operators, List *collations)
{
	PgmlKeyTable *table = palloc0(sizeof(PgmlKeyTable));

	table->ncols = ncols;
	table->columns = palloc0(ncols * sizeof(KeyColumn));
	table->cxt = AllocSetContextCreate(CurrentMemoryContext, "pgml_fdw keys",
									   ALLOCSET_DEFAULT_SIZES);
	for (int i = 0; i < ncols; i++)
	{
		KeyColumn  *column = &table->columns[i];
		Oid			operator = list_nth_oid(operators, i);
		Oid			hash_key;
		Oid			hash_probe;

		if (!get_op_hash_functions(operator, &hash_key, &hash_probe))
			elog(ERROR, "could not find hash functions for operator %u", operator);
		column->type = types[i];
		column->collation = list_nth_oid(collations, i);
		get_typlenbyvalalign(types[i], &column->typlen, &column->typbyval, &column->typalign);
		fmgr_info(get_opcode(operator), &column->equal);
		fmgr_info(hash_key, &column->hash_key);
		fmgr_info(hash_probe, &column->hash_probe);
	}
	return table;
}

void
pgml_keytable_reset(PgmlKeyTable *table)
{
	MemoryContextReset(table->cxt);
	table->buckets = NULL;
	table->nbuckets = 0;
	table->nkeys = 0;
	table->keys = table->last_key = NULL;
	table->rows = table->last_row = NULL;
}

/* Hash values of all columns together; probe: of the other side. */
static uint32
hash_values(PgmlKeyTable *table, const Datum *values, bool probe)
{
	uint32		hash = 0;

	for (int i = 0; i < table->ncols; i++)
	{
		KeyColumn  *column = &table->columns[i];

		hash = hash_combine(hash, DatumGetUInt32(FunctionCall1Coll(probe ? &column->hash_probe :
																   &column->hash_key,
																   column->collation, values[i])));
	}

	/* the table looks at the lowest bits only */
	return murmurhash32(hash);
}

/* Do these keys have the same bytes? */
static bool
same_bytes(PgmlKeyTable *table, const Datum *a, const Datum *b)
{
	for (int i = 0; i < table->ncols; i++)
		if (!datum_image_eq(a[i], b[i], table->columns[i].typbyval, table->columns[i].typlen))
			return false;
	return true;
}

/* Put a key into its bucket. */
static void
link_key(PgmlKeyTable *table, PgmlKey *key)
{
	PgmlKey   **bucket = &table->buckets[key->hash & (table->nbuckets - 1)];

	key->next_in_bucket = *bucket;
	*bucket = key;
}

/* Make room for one more key. */
static void
grow(PgmlKeyTable *table)
{
	if (table->nkeys < table->nbuckets)
		return;
	if (table->buckets != NULL)
		pfree(table->buckets);
	table->nbuckets = table->nbuckets == 0 ? FIRST_BUCKETS : table->nbuckets * 2;
	table->buckets = MemoryContextAllocExtended(table->cxt, table->nbuckets * sizeof(PgmlKey *),
												MCXT_ALLOC_ZERO | MCXT_ALLOC_HUGE);
	for (PgmlKey *key = table->keys; key != NULL; key = key->next)
		link_key(table, key);
}

/* Copy the values of a key; those that lie outside of their row are fetched. */
static Datum *
copy_values(PgmlKeyTable *table, const Datum *values)
{
	Datum	   *copies = palloc(table->ncols * sizeof(Datum));

	for (int i = 0; i < table->ncols; i++)
	{
		KeyColumn  *column = &table->columns[i];

		if (column->typlen == -1)
			copies[i] = PointerGetDatum(PG_DETOAST_DATUM_COPY(values[i]));
		else
			copies[i] = datumCopy(values[i], column->typbyval, column->typlen);
	}
	return copies;
}

/* Find the key of these bytes, or add it.  Called in the table's context. */
static PgmlKey *
enter_key(PgmlKeyTable *table, const Datum *values)
{
	uint32		hash = hash_values(table, values, false);
	PgmlKey    *key;

	grow(table);
	for (key = table->buckets[hash & (table->nbuckets - 1)]; key != NULL; key = key->next_in_bucket)
		if (key->hash == hash && same_bytes(table, key->values, values))
			return key;

	key = palloc0(sizeof(PgmlKey));
	key->hash = hash;
	key->values = copy_values(table, values);
	link_key(table, key);
	if (table->last_key != NULL)
		table->last_key->next = key;
	else
		table->keys = key;
	table->last_key = key;
	table->nkeys++;
	return key;
}

void
pgml_keytable_add(PgmlKeyTable *table, const Datum *values, const bool *nulls,
				  TupleTableSlot *slot)
{
	MemoryContext caller = MemoryContextSwitchTo(table->cxt);
	PgmlKeyRow *row = palloc0(sizeof(PgmlKeyRow));
	bool		has_null = false;

	row->tuple = ExecCopySlotMinimalTuple(slot);
	if (table->last_row != NULL)
		table->last_row->next = row;
	else
		table->rows = row;
	table->last_row = row;

	for (int i = 0; i < table->ncols; i++)
		has_null = has_null || nulls[i];
	if (!has_null)
	{
		PgmlKey    *key = enter_key(table, values);

		row->next_of_key = key->rows;
		key->rows = row;
	}
	MemoryContextSwitchTo(caller);
}

int64
pgml_keytable_nkeys(const PgmlKeyTable *table)
{
	return table->nkeys;
}

Size
pgml_keytable_memory(const PgmlKeyTable *table)
{
	return MemoryContextMemAllocated(table->cxt, false);
}

PgmlKeyRow *
pgml_keytable_rows(const PgmlKeyTable *table)
{
	return table->rows;
}

Datum *
pgml_keytable_arrays(PgmlKeyTable *table)
{
	MemoryContext caller = MemoryContextSwitchTo(table->cxt);
	Datum	   *arrays = palloc(table->ncols * sizeof(Datum));
	Datum	   *elements = palloc(table->nkeys * sizeof(Datum));

	for (int i = 0; i < table->ncols; i++)
	{
		KeyColumn  *column = &table->columns[i];
		int			n = 0;

		for (PgmlKey *key = table->keys; key != NULL; key = key->next)
			elements[n++] = key->values[i];
		arrays[i] = PointerGetDatum(construct_array(elements, n, column->type, column->typlen,
													column->typbyval, column->typalign));
	}
	pfree(elements);
	MemoryContextSwitchTo(caller);
	return arrays;
}

/* Does the key equal these values, by the join's operators? */
static bool
is_equal(PgmlKeyTable *table, const PgmlKey *key, const Datum *values)
{
	for (int i = 0; i < table->ncols; i++)
		if (!DatumGetBool(FunctionCall2Coll(&table->columns[i].equal, table->columns[i].collation,
											key->values[i], values[i])))
			return false;
	return true;
}

PgmlKey *
pgml_keytable_find(PgmlKeyTable *table, const Datum *values, const bool *nulls, PgmlKey *last)
{
	PgmlKey    *key = NULL;
	uint32		hash;

	if (last != NULL)
	{
		hash = last->hash;
		key = last->next_in_bucket;
	}
	else
	{
		for (int i = 0; i < table->ncols; i++)
			if (nulls[i])
				return NULL;
		hash = hash_values(table, values, true);
		if (table->nbuckets > 0)
			key = table->buckets[hash & (table->nbuckets - 1)];
	}

	for (; key != NULL; key = key->next_in_bucket)
		if (key->hash == hash && !key->done && is_equal(table, key, values))
			return key;
	return NULL;
}
