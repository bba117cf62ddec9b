/*
 * spool.c
 *		Bytes of a parked stream, put aside in memory or on disk.
 *
 * A tuplestore of byte strings: work_mem in memory, the rest in a temporary
 * file.  It is filled by whoever parks the stream, perhaps in another
 * subtransaction and memory context than those of the scan that will read it;
 * what it holds must be the scan's all the same, so both are remembered when
 * the spool is made and put in place around every call.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/tuptable.h"
#include "miscadmin.h"
#include "utils/memutils.h"
#include "utils/resowner.h"
#include "utils/tuplestore.h"

#include "row/spool.h"

struct PgmlSpool
{
	MemoryContext cxt;
	ResourceOwner owner;
	Tuplestorestate *store;		/* NULL: empty */
	TupleTableSlot *slot;
};

PgmlSpool *
pgml_spool_create(void)
{
	PgmlSpool  *spool = palloc0(sizeof(PgmlSpool));

	spool->cxt = CurrentMemoryContext;
	spool->owner = CurrentResourceOwner;
	return spool;
}

/* Make the tuplestore, and at the first time the slot for its tuples. */
static void
open_store(PgmlSpool *spool)
{
	if (spool->slot == NULL)
	{
		TupleDesc	desc = CreateTemplateTupleDesc(1);

		TupleDescInitEntry(desc, 1, "bytes", BYTEAOID, -1, 0);
		spool->slot = MakeSingleTupleTableSlot(desc, &TTSOpsMinimalTuple);
	}
	spool->store = tuplestore_begin_heap(false, false, work_mem);
}

static void
put_piece(PgmlSpool *spool, const char *data, int len)
{
	bytea	   *bytes = palloc((Size) len + VARHDRSZ);
	Datum		value = PointerGetDatum(bytes);
	bool		isnull = false;

	SET_VARSIZE(bytes, len + VARHDRSZ);
	memcpy(VARDATA(bytes), data, len);
	tuplestore_putvalues(spool->store, spool->slot->tts_tupleDescriptor, &value, &isnull);
	pfree(bytes);
}

void
pgml_spool_put(PgmlSpool *spool, const char *data, int len)
{
	MemoryContext oldcxt = MemoryContextSwitchTo(spool->cxt);
	ResourceOwner oldowner = CurrentResourceOwner;

	CurrentResourceOwner = spool->owner;
	if (spool->store == NULL)
		open_store(spool);
	while (len > 0)
	{
		int			n = Min(len, PGML_SPOOL_PIECE);

		put_piece(spool, data, n);
		data += n;
		len -= n;
	}
	CurrentResourceOwner = oldowner;
	MemoryContextSwitchTo(oldcxt);
}

bool
pgml_spool_get(PgmlSpool *spool, const char **data, int *len)
{
	MemoryContext oldcxt;
	bool		found;

	if (spool->store == NULL)
		return false;

	/* a tuple read back from disk must live as long as the slot that frees it */
	oldcxt = MemoryContextSwitchTo(spool->cxt);
	found = tuplestore_gettupleslot(spool->store, true, false, spool->slot);
	MemoryContextSwitchTo(oldcxt);
	if (found)
	{
		bool		isnull;
		bytea	   *bytes = (bytea *) DatumGetPointer(slot_getattr(spool->slot, 1, &isnull));

		*data = VARDATA_ANY(bytes);
		*len = VARSIZE_ANY_EXHDR(bytes);
	}
	return found;
}

void
pgml_spool_clear(PgmlSpool *spool)
{
	if (spool->store == NULL)
		return;
	ExecClearTuple(spool->slot);
	tuplestore_end(spool->store);
	spool->store = NULL;
}
