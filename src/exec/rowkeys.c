/*
 * rowkeys.c
 *		The keys of the rows that a statement has changed.
 *
 * Question answered: has this statement changed that row already?  Where rows are
 * named by ctid, the remote answers: the row that a ctid named is gone once it has
 * been changed.  A key stays what it is, so here somebody must remember it.
 *
 * Keys are compared by their bytes, not by the type's equality: what has the same
 * bytes is surely the same key, and if two keys are equal there but differ in
 * their bytes, the remote must not have both.  (Where keys come from elsewhere, the
 * planner sees to it that the types are of those whose equal values have the same bytes.)
 *
 * The set has to have all keys of the statement, and lives in memory.  It may grow as
 * a hash table of the executor may (work_mem, hash_mem_multiplier); beyond that the
 * statement fails, since to forget a key could be to change a row twice.  Where the planner
 * had a choice it expected the keys to fit; if they don't, they take what they need.
 */
#include "postgres.h"

#include "common/hashfn.h"
#include "fmgr.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "utils/hsearch.h"
#include "utils/memutils.h"

#include "base/compat.h"
#include "exec/rowkeys.h"

/* One key: its values' bytes, each behind its length. */
typedef struct RowKey
{
	char	   *bytes;
	int			len;
} RowKey;

struct PgmlRowKeys
{
	MemoryContext cxt;			/* of the keys and the table */
	Relation	rel;
	List	   *attnums;
	bool		limited;		/* fail if there is no room in a hash table's memory */
	HTAB	   *table;			/* RowKey */
	StringInfoData buf;			/* the key that is being looked for */
};

/* HashValueFunc: hash what a key points to. */
static uint32
hash_key(const void *key, Size keysize)
{
	const RowKey *row = key;

	return hash_bytes((const unsigned char *) row->bytes, row->len);
}

/* HashCompareFunc: zero if two keys are the same. */
static int
compare_keys(const void *key1, const void *key2, Size keysize)
{
	const RowKey *a = key1;
	const RowKey *b = key2;

	return a->len != b->len || memcmp(a->bytes, b->bytes, a->len) != 0;
}

PgmlRowKeys *
pgml_rowkeys_create(Relation rel, List *attnums, bool limited)
{
	PgmlRowKeys *keys = palloc0(sizeof(PgmlRowKeys));
	HASHCTL		ctl = {0};

	keys->cxt = AllocSetContextCreate(CurrentMemoryContext, "pgml_fdw row keys",
									  ALLOCSET_DEFAULT_SIZES);
	keys->rel = rel;
	keys->attnums = attnums;
	keys->limited = limited;
	initStringInfo(&keys->buf);
	ctl.keysize = sizeof(RowKey);
	ctl.entrysize = sizeof(RowKey);
	ctl.hash = hash_key;
	ctl.match = compare_keys;
	ctl.hcxt = keys->cxt;
	keys->table = hash_create("pgml_fdw row keys", 256, &ctl,
							  HASH_ELEM | HASH_FUNCTION | HASH_COMPARE | HASH_CONTEXT);
	return keys;
}

/* Append a value's bytes, behind their number. */
static void
append_value(StringInfo buf, Form_pg_attribute attr, Datum value)
{
	const char *bytes = (const char *) &value;
	int			len = sizeof(Datum);

	if (attr->attlen == -1)
	{
		struct varlena *varlena = PG_DETOAST_DATUM_PACKED(value);

		bytes = VARDATA_ANY(varlena);
		len = VARSIZE_ANY_EXHDR(varlena);
	}
	else if (!attr->attbyval)
	{
		bytes = DatumGetPointer(value);
		len = attr->attlen > 0 ? attr->attlen : (int) strlen(bytes);
	}
	appendBinaryStringInfo(buf, (char *) &len, sizeof(len));
	appendBinaryStringInfo(buf, bytes, len);
}

/* Throw if there is no room for more keys. */
static void
check_memory(PgmlRowKeys *keys)
{
	if (!keys->limited ||
		MemoryContextMemAllocated(keys->cxt, true) <= get_hash_memory_limit())
		return;
	ereport(ERROR,
			(errcode(ERRCODE_CONFIGURATION_LIMIT_EXCEEDED),
			 errmsg("the keys of the changed rows of foreign table \"%s\" don't fit into memory",
					RelationGetRelationName(keys->rel)),
			 errdetail("Rows are named by their key there (option row_identity), and none may be changed twice."),
			 errhint("Increase work_mem, or change fewer rows in one statement.")));
}

bool
pgml_rowkeys_add(PgmlRowKeys *keys, const Datum *values, const bool *nulls)
{
	RowKey		key;
	bool		found;
	ListCell   *lc;

	resetStringInfo(&keys->buf);
	foreach(lc, keys->attnums)
	{
		Form_pg_attribute attr = TupleDescAttr(RelationGetDescr(keys->rel), lfirst_int(lc) - 1);
		int			i = foreach_current_index(lc);

		if (nulls[i])
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("null value in key column \"%s\" of foreign table \"%s\"",
							NameStr(attr->attname), RelationGetRelationName(keys->rel)),
					 errdetail("Rows that are to be changed are named by their key there.")));
		append_value(&keys->buf, attr, values[i]);
	}

	key.bytes = keys->buf.data;
	key.len = keys->buf.len;
	hash_search(keys->table, &key, HASH_FIND, &found);
	if (found)
		return false;
	check_memory(keys);
	key.bytes = MemoryContextAlloc(keys->cxt, Max(key.len, 1));
	memcpy(key.bytes, keys->buf.data, key.len);
	hash_search(keys->table, &key, HASH_ENTER, &found);
	return true;
}
