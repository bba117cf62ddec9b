/*
 * source_copy.c
 *		Rows of a query that come as one stream: COPY (SELECT ...) TO STDOUT
 *		(FORMAT binary).
 *
 * Proof.  The stream doesn't say what its columns are.  So a description of
 * the same query travels in front of it, in the same message, and is compared
 * with what the codec expects before the first row is looked at; columns that
 * differ are asked for again, as text.  What the description says holds until
 * the lock on the remote table is gone, that is for as long as the local
 * subtransaction lives under which it was obtained, unless we stop the stream
 * early, which may roll back to the savepoint below it.  A rescan within that
 * time needs no new description.
 *
 * Bytes.  The stream is cut into messages; mostly each holds one tuple, which is
 * decoded where it lies.  What isn't a whole tuple yet is carried over into
 * a buffer of ours ("partial") and completed from the following messages.
 *
 * Parking.  If somebody else needs the wire while rows are still to come, the
 * rest of the stream is put into a spool, as the bytes that it is made of,
 * and read from there.  That can happen at any moment at which
 * other code runs, while a row is being decoded too.
 *
 * Whoever parks us may be in another subtransaction and memory context than
 * the one that made us; what the spool holds must be ours all the same.
 */
#include "postgres.h"

#include "access/xact.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "utils/memutils.h"

#include "base/stats.h"
#include "row/copyformat.h"
#include "row/source_kind.h"
#include "row/spool.h"

typedef enum CopyStage
{
	COPY_STOPPED,				/* not started, or stopped */
	COPY_STREAMING,				/* bytes come from the connection */
	COPY_PARKING,				/* on their way into the spool; if it stays so, they are lost */
	COPY_SPOOLED,				/* bytes come from the spool */
	COPY_ENDED					/* there are no more bytes */
} CopyStage;

typedef struct CopySource
{
	PgmlSource	base;
	PgmlOccupant occupant;
	MemoryContextCallback on_delete;
	CopyStage	stage;
	SubTransactionId proved_in; /* where the codec's expectations are proved; or invalid */
	uint32		proved_xact;	/* and in which remote transaction */
	MemoryContext sql_cxt;		/* texts of the current start */

	/* bytes that have come and are still to be decoded */
	const char *at;
	const char *end;
	StringInfoData partial;
	bool		in_partial;		/* at and end point into partial */
	bool		header_read;
	bool		trailer_read;

	/* where a parked stream is */
	PgmlSpool  *spool;
} CopySource;

static void park(PgmlOccupant *occupant);

static CopySource *
source_of_occupant(PgmlOccupant *occupant)
{
	return (CopySource *) ((char *) occupant - offsetof(CopySource, occupant));
}

/* Take leave of the connection when our memory goes away. */
static void
forget_stream(void *arg)
{
	CopySource *self = (CopySource *) arg;

	if (self->stage == COPY_STREAMING || self->stage == COPY_PARKING)
		pgml_stream_orphan(self->base.conn, &self->occupant);
}

static PgmlSource *
copy_create(PgmlConn *conn)
{
	CopySource *self = palloc0(sizeof(CopySource));

	self->occupant.park = park;
	self->spool = pgml_spool_create();
	self->sql_cxt = AllocSetContextCreate(CurrentMemoryContext, "pgml_fdw query text",
										  ALLOCSET_SMALL_SIZES);
	initStringInfo(&self->partial);
	self->on_delete.func = forget_stream;
	self->on_delete.arg = self;
	MemoryContextRegisterResetCallback(CurrentMemoryContext, &self->on_delete);
	return &self->base;
}

/*
 * Starting
 */

/* Is what an earlier description has said certainly still true? */
static bool
proof_holds(CopySource *self)
{
	/* in autocommit, locks end with each message */
	return self->base.conn->enlist != NULL &&
		self->proved_in != InvalidSubTransactionId &&
		self->proved_in == GetCurrentSubTransactionId() &&
		self->proved_xact == self->base.conn->xact;
}

/* Send the query; in front of it, if need be, one that describes its columns. */
static void
send_query(CopySource *self, const PgmlParams *params, bool describe)
{
	MemoryContext oldcxt;
	char	   *select;
	char	   *copy;
	char	   *description = NULL;

	MemoryContextReset(self->sql_cxt);
	oldcxt = MemoryContextSwitchTo(self->sql_cxt);
	select = pgml_source_render_literal(&self->base, params);
	copy = psprintf("COPY (%s) TO STDOUT (FORMAT binary)", select);
	if (describe)
		description = psprintf("SELECT * FROM (%s) AS d LIMIT 0", select);
	MemoryContextSwitchTo(oldcxt);

	/* from here on we may be the connection's occupant, whatever happens */
	self->stage = COPY_STREAMING;
	pgml_stream_start(self->base.conn, &self->occupant, description, copy,
					  self->base.conn->enlist != NULL && !self->base.query->locks_rows);
}

/* Receive the description and let the codec judge it. */
static bool
receive_proof(CopySource *self)
{
	MemoryContext oldcxt = MemoryContextSwitchTo(self->sql_cxt);
	PgmlResult *description = pgml_stream_describe(self->base.conn);
	bool		proved;

	MemoryContextSwitchTo(oldcxt);
	proved = pgml_codec_prove(self->base.codec, self->base.conn, description);
	pgml_result_free(description);
	return proved;
}

/* Each failed proof turns columns into text columns, so the loop comes to its end. */
static void
copy_start(PgmlSource *source, const PgmlParams *params)
{
	CopySource *self = (CopySource *) source;
	bool		describe = !proof_holds(self);

	self->at = self->end = NULL;
	self->in_partial = self->header_read = self->trailer_read = false;
	self->proved_in = InvalidSubTransactionId;

	send_query(self, params, describe);
	while (describe && !receive_proof(self))
	{
		pgml_stream_stop(source->conn, &self->occupant);
		send_query(self, params, true);
	}
	self->proved_in = GetCurrentSubTransactionId();
	self->proved_xact = self->base.conn->xact;
}

/*
 * Reading
 */

/* Get the next bytes of the stream from where it is; false at its end. */
static bool
next_piece(CopySource *self, const char **data, int *len)
{
	if (self->stage == COPY_STREAMING)
	{
		/* the abort of a subtransaction, which we have survived, can end a stream */
		if (self->base.conn->occupant != &self->occupant)
			pgml_source_lost(&self->base);
		if (pgml_stream_read(self->base.conn, data, len))
			return true;
	}
	else if (self->stage == COPY_SPOOLED)
	{
		if (pgml_spool_get(self->spool, data, len))
			return true;
	}
	else if (self->stage == COPY_PARKING)
		elog(ERROR, "rows of server \"%s\" were lost while they were put aside",
			 self->base.conn->name);

	self->stage = COPY_ENDED;
	return false;
}

/* Bring what is undecoded to the start of our own buffer, so that the message may go. */
static void
keep_undecoded(CopySource *self)
{
	int			len = self->end - self->at;

	if (self->in_partial)
		memmove(self->partial.data, self->at, len);
	else
	{
		resetStringInfo(&self->partial);
		appendBinaryStringInfo(&self->partial, self->at, len);
	}
	self->partial.len = len;
	self->in_partial = true;
	self->at = self->partial.data;
	self->end = self->at + len;
}

/* Add the next piece of the stream to the bytes to be decoded; false at its end. */
static bool
fetch(CopySource *self)
{
	const char *data;
	int			len;

	if (self->at < self->end)
		keep_undecoded(self);
	else
		self->in_partial = false;

	if (!next_piece(self, &data, &len))
		return false;
	if (!self->in_partial)
	{
		self->at = data;
		self->end = data + len;
		return true;
	}
	appendBinaryStringInfo(&self->partial, data, len);
	self->at = self->partial.data;
	self->end = self->at + self->partial.len;
	return true;
}

/* Skip the header if all of it is there. */
static void
skip_header(CopySource *self)
{
	int			len = pgml_copy_header_length(self->at, self->end - self->at);

	self->at += len;
	self->header_read = len > 0;
}

/* The stream is at its end: was that where it should end? */
static void
check_end(CopySource *self)
{
	if (self->at < self->end || !self->header_read)
		(void) pgml_copy_cut_short();
}

/* The next whole tuple, trailer included; its length, or 0 at the end of the stream. */
static inline int
next_tuple(CopySource *self, const char **tuple)
{
	for (;;)
	{
		if (likely(self->at < self->end))
		{
			if (unlikely(!self->header_read))
				skip_header(self);
			if (likely(self->header_read))
			{
				int			len = pgml_copy_tuple_length(self->at, self->end - self->at);

				*tuple = self->at;
				self->at += len;
				if (likely(len > 0))
					return len;
			}
		}
		if (unlikely(!fetch(self)))
		{
			check_end(self);
			return 0;
		}
	}
}

static bool
copy_next(PgmlSource *source, Datum *values, bool *nulls)
{
	CopySource *self = (CopySource *) source;
	const char *tuple;
	int			len;

	if (self->stage == COPY_STOPPED || (self->stage == COPY_ENDED && self->at == self->end))
		return false;

	while ((len = next_tuple(self, &tuple)) > 0)
	{
		if (unlikely(self->trailer_read))
			ereport(ERROR,
					(errcode(ERRCODE_PROTOCOL_VIOLATION),
					 errmsg("server \"%s\" sent rows behind the end of the data",
							source->conn->name)));
		if (unlikely(pgml_wire_int16(tuple) == PGML_COPY_TRAILER))
		{
			/* not the end yet: the wire is ours until the stream is */
			self->trailer_read = true;
			continue;
		}
		pgml_stats.rows_in++;
		pgml_codec_decode_binary(source->codec, tuple, len, values, nulls);
		return true;
	}
	return false;
}

/*
 * Parking
 */

/* Take all that is still to come off the wire. */
static void
park(PgmlOccupant *occupant)
{
	CopySource *self = source_of_occupant(occupant);
	MemoryContext oldcxt = MemoryContextSwitchTo(self->base.cxt);
	const char *data;
	int			len;

	Assert(self->stage == COPY_STREAMING);
	self->stage = COPY_PARKING;
	if (self->at < self->end && !self->in_partial)
		keep_undecoded(self);
	while (pgml_stream_read(self->base.conn, &data, &len))
	{
		CHECK_FOR_INTERRUPTS();
		pgml_spool_put(self->spool, data, len);
	}
	self->stage = COPY_SPOOLED;
	MemoryContextSwitchTo(oldcxt);
}

/*
 * Stopping
 */

static void
copy_stop(PgmlSource *source)
{
	CopySource *self = (CopySource *) source;

	if (self->stage == COPY_STREAMING || self->stage == COPY_PARKING)
	{
		self->proved_in = InvalidSubTransactionId;
		pgml_stream_stop(source->conn, &self->occupant);
	}
	pgml_spool_clear(self->spool);
	self->stage = COPY_STOPPED;
	self->at = self->end = NULL;
}

const PgmlSourceOps pgml_source_copy_ops = {
	.name = "COPY",
	.create = copy_create,
	.start = copy_start,
	.next = copy_next,
	.stop = copy_stop,
};
