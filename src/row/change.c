/*
 * change.c
 *		UPDATE and DELETE of many rows of a remote table, in batches.
 *
 * How many rows are changed in one statement?  The nouns: a batch is what one
 * statement will change; it is filled row by row, sent when it is full, and then
 * is in flight until its result has been taken.  Several may be: while rows are
 * changed there, values are printed here and travel, and the remote never waits
 * for its next batch.  (They are a train, remote/train.c: what comes behind a batch
 * that fails isn't done.)
 *
 * An UPDATE joins the table with VALUES of one row per row.  (Arrays of values
 * and unnest() wouldn't do: unnest flattens arrays of arrays.)  A DELETE is
 * given an array of ctids; since that goes with one tableoid, there is a batch
 * for each partition.
 *
 * Values of an UPDATE are binary where the remote's types are known to be ours,
 * which it takes a round trip to ask.
 *
 * One row of the remote may be asked to change several times, when it has
 * several matches in a join.  The first wins.  Within a batch we see to that
 * ourselves; behind a batch, the row that the ctid named is gone: updated or
 * deleted by an earlier command of the same transaction, it can't be seen by a
 * later one, wherever its new version is.
 *
 * Rows that have no ctid, those of a view, are named by key.  Nobody has promised that
 * the key is one, so the remote must prove it: each row of a batch has a
 * number, which comes back with each row changed, and none may come back twice.
 * The keys of a join (plan/joined.h) name as many rows as they like.
 */
#include "postgres.h"

#include "catalog/pg_type_d.h"
#include "lib/stringinfo.h"
#include "storage/itemptr.h"
#include "utils/hsearch.h"
#include "utils/memutils.h"

#include "base/stats.h"
#include "base/textio.h"
#include "remote/command.h"
#include "row/change.h"
#include "row/encoder.h"

/* The protocol counts parameters with 16 bits. */
#define MAX_PARAMS 65535

/*
 * A batch ends with the row that takes it over this size: enough to make
 * round trips rare, and far below the gigabyte that a message may have.
 */
#define MAX_BATCH_BYTES (16 * 1024 * 1024)

/*
 * So many batches may be in flight: enough for the remote to have work while an answer
 * and the next batch are under way in a slow network.  It is no matter of memory: a
 * batch is sent when the kernel has taken all of the one before.
 */
#define MAX_IN_FLIGHT 8

/*
 * Rows of the first batch of an UPDATE that has full ones: the sooner it is there, the sooner
 * the remote has something to do.
 */
#define FIRST_ROWS 100

/*
 * With so many rows, to know the types is worth a round trip.  It is a guess: text
 * costs more the larger the values are.
 */
#define MIN_PROVED 50

/* Rows that wait in the batches of all partitions together. */
#define MAX_WAITING (100 * PGML_CHANGE_ROWS)

/* Names a row of the remote; padding is zero. */
typedef struct RowKey
{
	Oid			tableoid;
	ItemPointerData ctid;
} RowKey;

/* Rows of one partition that are to be deleted. */
typedef struct DeleteBatch
{
	Oid			tableoid;
	int			nrows;
	StringInfoData ctids;		/* text of a tid[], without its end */
} DeleteBatch;

/* A batch that has been sent. */
typedef struct Flight
{
	int			nrows;
	const char *shown;			/* its statement, in messages */
} Flight;

struct PgmlChanger
{
	PgmlOccupant occupant;		/* while a batch is in flight */
	MemoryContext cxt;			/* holds this struct */
	MemoryContext batch_cxt;	/* the batch that is being filled */
	MemoryContextCallback on_delete;
	PgmlConn   *conn;
	const PgmlChange *change;
	TupleDesc	desc;
	char	   *full;			/* prepared statement for a full batch; NULL: none yet */
	char	   *shown;			/* that of many rows, in messages; NULL: not made yet */
	uint64		changed;		/* rows, as the remote says */
	int			max_rows;		/* of a batch */
	int			next_rows;		/* UPDATE: of the batch that is being filled */
	Flight		flights[MAX_IN_FLIGHT]; /* the oldest first */
	int			in_flight;		/* how many of them are */

	/* UPDATE: the batch that is being filled */
	PgmlEncoder *encoder;
	int			nrows;
	StringInfoData bytes;		/* of its values */
	int		   *offsets;		/* of each value in bytes; -1: null */
	int		   *lengths;
	int		   *formats;
	Oid		   *types;			/* that binary ones are announced as */
	const char **values;
	HTAB	   *keys;			/* RowKey of its rows; NULL: it has none */

	/* DELETE */
	List	   *deletes;		/* DeleteBatch, in cxt */
	int			waiting;		/* rows in them */
};

void
pgml_change_explain_lack(void *arg)
{
	if (geterrcode() == ERRCODE_UNDEFINED_COLUMN)
		errhint("If it is ctid that is missing: an UPDATE or DELETE that isn't sent as one statement finds rows by it, and views have none. The option row_identity can name another way.");
}

/* Throw if the numbers of a batch's rows, one for each row changed there, have one twice. */
static void
check_numbers(PgmlChanger *changer, PgmlResult *res, int sent)
{
	int			nrows = pgml_result_nrows(res);
	bool	   *seen;

	if (pgml_result_ncols(res) != 1)
		ereport(ERROR,
				(errcode(ERRCODE_FDW_INVALID_COLUMN_NUMBER),
				 errmsg("remote server \"%s\" returned %d columns instead of %d",
						changer->conn->name, pgml_result_ncols(res), 1)));
	seen = palloc0(sizeof(bool) * (sent + 1));
	for (int i = 0; i < nrows; i++)
	{
		const char *value = pgml_result_value(res, i, 0);
		int			number = value != NULL ? atoi(value) : 0;

		if (number < 1 || number > sent)
			ereport(ERROR,
					(errcode(ERRCODE_FDW_ERROR),
					 errmsg("remote server \"%s\" changed a row that it wasn't asked to change",
							changer->conn->name),
					 errcontext("remote SQL command: %s", changer->change->one)));
		if (seen[number])
			ereport(ERROR,
					(errcode(ERRCODE_CARDINALITY_VIOLATION),
					 errmsg("remote server \"%s\" changed several rows instead of one",
							changer->conn->name),
					 errdetail("Several rows have the same key there."),
					 errcontext("remote SQL command: %s", changer->change->one)));
		seen[number] = true;
	}
	pfree(seen);
}

/* Throw for a batch that has changed more rows than were sent. */
static void
throw_too_many(PgmlChanger *changer, uint64 changed, int sent)
{
	bool		by_key = changer->change->by_key;

	ereport(ERROR,
			(errcode(by_key ? ERRCODE_CARDINALITY_VIOLATION : ERRCODE_FDW_ERROR),
			 errmsg("remote server \"%s\" changed " UINT64_FORMAT " rows instead of %d",
					changer->conn->name, changed, sent),
			 by_key ? errdetail("Several rows have the same key there, or a rule changes others.") :
			 errdetail("Several rows have the same ctid and tableoid there, or a rule changes others."),
			 errcontext("remote SQL command: %s", changer->change->one)));
}

/* Take the result of the oldest batch that is in flight. */
static void
take_result(PgmlChanger *changer)
{
	Flight		flight = changer->flights[0];
	PgmlResult *res;
	uint64		changed;

	changer->in_flight--;
	memmove(changer->flights, changer->flights + 1, sizeof(Flight) * changer->in_flight);
	res = pgml_train_take(changer->conn, flight.shown);
	changed = pgml_result_affected(res);
	if (changer->change->by_key && !changer->change->by_join && flight.nrows > 1)
		check_numbers(changer, res, flight.nrows);
	pgml_result_free(res);
	if (changed > (uint64) flight.nrows && !changer->change->by_join)
		throw_too_many(changer, changed, flight.nrows);
	changer->changed += changed;
}

/* Take the results of all. */
static void
take_all(PgmlChanger *changer)
{
	if (changer->in_flight > 0)
		pgml_train_end(changer->conn);
	while (changer->in_flight > 0)
		take_result(changer);
}

/* Callback: somebody else needs the wire. */
static void
park(PgmlOccupant *occupant)
{
	take_all((PgmlChanger *) occupant);
}

/* Callback: the memory goes away. */
static void
orphan(void *arg)
{
	PgmlChanger *changer = arg;

	pgml_stream_orphan(changer->conn, &changer->occupant);
}

/* Ask the remote for the types of the columns that are sent, and let the encoder judge them. */
static void
prove_types(PgmlChanger *changer, Oid *types)
{
	int			natts = changer->desc->natts;
	int			nknown = changer->change->by_key ? 0 : PGML_CHANGE_NUM_KEYS;
	PgmlResult *res = pgml_command_run(changer->conn, changer->change->describe);

	if (pgml_result_ncols(res) != natts - nknown)
		ereport(ERROR,
				(errcode(ERRCODE_FDW_INVALID_COLUMN_NUMBER),
				 errmsg("remote server \"%s\" returned %d columns instead of %d",
						changer->conn->name, pgml_result_ncols(res),
						natts - nknown)));

	if (nknown > 0)
	{
		types[PGML_CHANGE_CTID] = TIDOID;
		types[PGML_CHANGE_TABLEOID] = OIDOID;
	}
	for (int i = nknown; i < natts; i++)
		types[i] = pgml_result_column_type(res, i - nknown);
	pgml_encoder_prove(changer->encoder, changer->conn, types);
	pgml_result_free(res);
}

/* Are rows sent as an UPDATE's are, one row of VALUES each? */
static bool
is_update(const PgmlChange *change)
{
	return change->operation == CMD_UPDATE || change->by_key;
}

/* Prepare for UPDATE: what is the same for each row of a batch. */
static void
init_update(PgmlChanger *changer, int64 nrows)
{
	int			natts = changer->desc->natts;
	int			n = changer->max_rows * natts;
	AttrNumber *attnums = palloc(sizeof(AttrNumber) * natts);
	Oid		   *types = palloc0(sizeof(Oid) * natts);

	for (int i = 0; i < natts; i++)
		attnums[i] = i + 1;
	changer->encoder = pgml_encoder_create(changer->desc, natts, attnums);
	pgml_encoder_prove(changer->encoder, changer->conn, NULL);
	if (nrows >= MIN_PROVED && changer->change->describe != NULL)
		prove_types(changer, types);

	initStringInfo(&changer->bytes);
	changer->offsets = palloc(sizeof(int) * n);
	changer->lengths = palloc(sizeof(int) * n);
	changer->values = palloc(sizeof(char *) * n);
	changer->formats = palloc(sizeof(int) * n);
	changer->types = palloc(sizeof(Oid) * n);
	for (int i = 0; i < n; i++)
	{
		bool		text = pgml_encoder_is_text(changer->encoder, i % natts);

		changer->formats[i] = text ? 0 : 1;
		changer->types[i] = text ? InvalidOid : types[i % natts];
	}
}

PgmlChanger *
pgml_changer_create(PgmlConn *conn, const PgmlChange *change, TupleDesc desc, int64 nrows)
{
	MemoryContext cxt = AllocSetContextCreate(CurrentMemoryContext, "pgml_fdw changer",
											  ALLOCSET_DEFAULT_SIZES);
	PgmlChanger *changer = MemoryContextAllocZero(cxt, sizeof(PgmlChanger));
	MemoryContext oldcxt;

	changer->cxt = cxt;
	changer->batch_cxt = AllocSetContextCreate(cxt, "pgml_fdw batch", ALLOCSET_DEFAULT_SIZES);
	changer->occupant.park = park;
	changer->on_delete.func = orphan;
	changer->on_delete.arg = changer;
	MemoryContextRegisterResetCallback(cxt, &changer->on_delete);
	changer->conn = conn;
	changer->change = change;
	changer->desc = desc;
	changer->max_rows = Min(PGML_CHANGE_ROWS, MAX_PARAMS / desc->natts);
	changer->next_rows = nrows >= changer->max_rows ? Min(FIRST_ROWS, changer->max_rows) :
		changer->max_rows;
	oldcxt = MemoryContextSwitchTo(cxt);
	if (is_update(change))
		init_update(changer, nrows);
	MemoryContextSwitchTo(oldcxt);
	return changer;
}

/* Send a batch by a statement: a prepared one, or name NULL.  shown outlives the batch. */
static void
send_batch(PgmlChanger *changer, const char *name, const char *sql, const char *shown,
		   const PgmlParams *params, int nrows)
{
	Flight	   *flight;

	/* half of them keep the remote busy until we come again: one wait for several answers */
	if (changer->in_flight == MAX_IN_FLIGHT)
		while (changer->in_flight > MAX_IN_FLIGHT / 2)
			take_result(changer);
	pgml_train_send(changer->conn, &changer->occupant, name, sql, params);
	flight = &changer->flights[changer->in_flight++];
	flight->nrows = nrows;
	flight->shown = shown;
	pgml_stats.rows_out += nrows;
}

/* Print the UPDATE of that many rows; 0: of a few, for messages. */
static char *
render_update(const PgmlChanger *changer, int nrows)
{
	StringInfoData buf;
	int			param = 0;

	initStringInfo(&buf);
	appendStringInfoString(&buf, changer->change->prefix);
	for (int row = 0; row < Max(nrows, 1); row++)
	{
		appendStringInfoString(&buf, ", (");
		if (changer->change->by_key && !changer->change->by_join)
			appendStringInfo(&buf, "%d, ", row + 1);
		for (int i = 0; i < changer->desc->natts; i++)
			appendStringInfo(&buf, "%s$%d", i > 0 ? ", " : "", ++param);
		appendStringInfoChar(&buf, ')');
	}
	if (nrows == 0)
		appendStringInfoString(&buf, ", ...");
	appendStringInfoString(&buf, changer->change->suffix);
	return buf.data;
}

/* Make what a batch of many rows needs when it is the first; a full one has a prepared statement. */
static void
make_statements(PgmlChanger *changer, const PgmlParams *params)
{
	MemoryContext oldcxt = MemoryContextSwitchTo(changer->cxt);

	if (changer->shown == NULL)
		changer->shown = render_update(changer, 0);
	if (changer->full == NULL && changer->nrows == changer->max_rows)
		changer->full = pgml_command_prepare(changer->conn, render_update(changer, changer->nrows),
											 params->n, params->types);
	MemoryContextSwitchTo(oldcxt);
}

/* Send the UPDATE of the rows that have been gathered. */
static void
send_update(PgmlChanger *changer)
{
	MemoryContext oldcxt = MemoryContextSwitchTo(changer->batch_cxt);
	PgmlParams	params = {0};

	params.n = changer->nrows * changer->desc->natts;
	params.types = changer->types;
	params.values = changer->values;
	params.formats = changer->formats;
	params.lengths = changer->lengths;
	for (int i = 0; i < params.n; i++)
		changer->values[i] = changer->offsets[i] < 0 ? NULL :
			changer->bytes.data + changer->offsets[i];
	if (changer->nrows == 1)
		send_batch(changer, NULL, changer->change->one, changer->change->one, &params, 1);
	else
	{
		make_statements(changer, &params);
		if (changer->nrows == changer->max_rows)
			send_batch(changer, changer->full, changer->shown, changer->shown, &params, changer->nrows);
		else
			send_batch(changer, NULL, render_update(changer, changer->nrows), changer->shown,
					   &params, changer->nrows);
	}
	MemoryContextSwitchTo(oldcxt);

	changer->nrows = 0;
	resetStringInfo(&changer->bytes);
	changer->keys = NULL;
	MemoryContextReset(changer->batch_cxt);
}

/* Start to fill a batch of an UPDATE. */
static void
begin_update(PgmlChanger *changer)
{
	HASHCTL		ctl = {0};

	ctl.keysize = sizeof(RowKey);
	ctl.entrysize = sizeof(RowKey);
	ctl.hcxt = changer->batch_cxt;
	changer->keys = hash_create("pgml_fdw rows of a batch", changer->max_rows, &ctl,
								HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
}

/* Does the batch have a change of the same remote row?  If not, remember this one. */
static bool
is_repeated(PgmlChanger *changer, TupleTableSlot *slot)
{
	RowKey		key;
	bool		found;

	memset(&key, 0, sizeof(key));
	key.tableoid = DatumGetObjectId(slot->tts_values[PGML_CHANGE_TABLEOID]);
	key.ctid = *(ItemPointer) DatumGetPointer(slot->tts_values[PGML_CHANGE_CTID]);
	hash_search(changer->keys, &key, HASH_ENTER, &found);
	return found;
}

/* Write a value to where the batch's values are. */
static void
add_value(PgmlChanger *changer, int col, Datum value, bool isnull)
{
	int			i = changer->nrows * changer->desc->natts + col;
	StringInfo	bytes = &changer->bytes;

	changer->offsets[i] = -1;
	changer->lengths[i] = 0;
	if (isnull)
		return;
	changer->offsets[i] = bytes->len;
	if (pgml_encoder_is_text(changer->encoder, col))
		pgml_encoder_append_text(changer->encoder, col, value, bytes);
	else
	{
		pgml_encoder_append_datum(changer->encoder, col, value, false, bytes);
		changer->offsets[i] += sizeof(int32);	/* libpq is told the length otherwise */
	}
	changer->lengths[i] = bytes->len - changer->offsets[i];
}

/* Write a row's values as parameters. */
static void
add_update(PgmlChanger *changer, TupleTableSlot *slot)
{
	int			nestlevel;

	if (!changer->change->by_key)
	{
		if (changer->keys == NULL)
			begin_update(changer);
		if (is_repeated(changer, slot))
			return;
	}

	nestlevel = pgml_textio_begin();
	for (int i = 0; i < changer->desc->natts; i++)
		add_value(changer, i, slot->tts_values[i], slot->tts_isnull[i]);
	pgml_textio_end(nestlevel);
	changer->nrows++;
	if (changer->nrows == changer->next_rows || changer->bytes.len >= MAX_BATCH_BYTES)
	{
		send_update(changer);
		changer->next_rows = changer->max_rows;
	}
}

/* Send the DELETE of some rows of a partition. */
static void
send_delete(PgmlChanger *changer, DeleteBatch *batch)
{
	MemoryContext oldcxt = MemoryContextSwitchTo(changer->batch_cxt);
	PgmlParams	params = {0};
	const char *values[2];

	appendStringInfoChar(&batch->ctids, '}');
	values[0] = batch->ctids.data;
	values[1] = psprintf("%u", batch->tableoid);
	params.n = lengthof(values);
	params.values = values;
	send_batch(changer, NULL, changer->change->prefix, changer->change->prefix, &params,
			   batch->nrows);
	MemoryContextSwitchTo(oldcxt);
	MemoryContextReset(changer->batch_cxt);

	changer->waiting -= batch->nrows;
	batch->nrows = 0;
	resetStringInfo(&batch->ctids);
}

/* Find the batch of a partition, or make it. */
static DeleteBatch *
find_delete(PgmlChanger *changer, Oid tableoid)
{
	MemoryContext oldcxt;
	DeleteBatch *batch;
	ListCell   *lc;

	foreach(lc, changer->deletes)
	{
		batch = lfirst(lc);
		if (batch->tableoid == tableoid)
			return batch;
	}

	oldcxt = MemoryContextSwitchTo(changer->cxt);
	batch = palloc0(sizeof(DeleteBatch));
	batch->tableoid = tableoid;
	initStringInfo(&batch->ctids);
	changer->deletes = lappend(changer->deletes, batch);
	MemoryContextSwitchTo(oldcxt);
	return batch;
}

/* Send all that waits to be deleted. */
static void
send_deletes(PgmlChanger *changer)
{
	ListCell   *lc;

	foreach(lc, changer->deletes)
	{
		DeleteBatch *batch = lfirst(lc);

		if (batch->nrows > 0)
			send_delete(changer, batch);
	}
}

static void
add_delete(PgmlChanger *changer, TupleTableSlot *slot)
{
	ItemPointer ctid = (ItemPointer) DatumGetPointer(slot->tts_values[PGML_CHANGE_CTID]);
	Oid			tableoid = DatumGetObjectId(slot->tts_values[PGML_CHANGE_TABLEOID]);
	DeleteBatch *batch = find_delete(changer, tableoid);

	/* a ctid that stands there twice does no harm */
	appendStringInfo(&batch->ctids, "%s\"(%u,%u)\"", batch->nrows > 0 ? "," : "{",
					 ItemPointerGetBlockNumberNoCheck(ctid),
					 ItemPointerGetOffsetNumberNoCheck(ctid));
	batch->nrows++;
	changer->waiting++;
	if (batch->nrows == changer->max_rows)
		send_delete(changer, batch);
	else if (changer->waiting >= MAX_WAITING)
		send_deletes(changer);
}

void
pgml_changer_put(PgmlChanger *changer, TupleTableSlot *slot)
{
	ErrorContextCallback callback = {error_context_stack, pgml_change_explain_lack, NULL};
	MemoryContext oldcxt;

	slot_getallattrs(slot);
	if (!changer->change->by_key &&
		(slot->tts_isnull[PGML_CHANGE_CTID] || slot->tts_isnull[PGML_CHANGE_TABLEOID]))
		elog(ERROR, "a row to be changed has no ctid or tableoid");

	oldcxt = MemoryContextSwitchTo(changer->batch_cxt);
	if (changer->change->by_join)
		error_context_stack = &callback;
	if (is_update(changer->change))
		add_update(changer, slot);
	else
		add_delete(changer, slot);
	error_context_stack = callback.previous;
	MemoryContextSwitchTo(oldcxt);
}

uint64
pgml_changer_finish(PgmlChanger *changer)
{
	ErrorContextCallback callback = {error_context_stack, pgml_change_explain_lack, NULL};
	uint64		changed;

	if (changer->change->by_join)
		error_context_stack = &callback;
	if (changer->nrows > 0)
		send_update(changer);
	send_deletes(changer);
	take_all(changer);
	error_context_stack = callback.previous;
	changed = changer->changed;
	changer->changed = 0;
	return changed;
}

void
pgml_changer_close(PgmlChanger *changer)
{
	if (changer->full != NULL)
		pgml_command_unprepare(changer->conn, changer->full);
	MemoryContextDelete(changer->cxt);
}
