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
 * Bytes.  What comes is a stream of bytes; where messages end means nothing.  As
 * much as is there is taken at once into a buffer of ours, and tuples are decoded
 * from it until one isn't whole; that rest moves to the front, and more is
 * appended.  Usually no rest is left, since a real server puts each tuple into a
 * message of its own.
 *
 * Parking.  If somebody else needs the wire while rows are still to come, the
 * rest of the stream is put into a spool, as the bytes that it is made of,
 * and read from there.  That can happen at any moment at which
 * other code runs, while a row is being decoded too.
 *
 * Whoever parks us may be in another subtransaction and memory context than
 * the one that made us; what the spool holds must be ours all the same.  And they
 * may be interrupted: what they have left on the wire is put aside later.
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
	COPY_PARKING,				/* bytes come from the spool, and then from the connection */
	COPY_SPOOLED,				/* bytes come from the spool */
	COPY_LOST,					/* some have been taken off the wire, and are nowhere */
	COPY_ENDED					/* there are no more bytes */
} CopyStage;

typedef struct CopySource
{
	PgmlSource	base;
	PgmlOccupant occupant;
	MemoryContextCallback on_delete;
	CopyStage	stage;
	bool		described;		/* the description has come, or none was asked for */
	SubTransactionId proved_in; /* where the codec's expectations are proved; or invalid */
	uint32		proved_xact;	/* and in which remote transaction */
	MemoryContext sql_cxt;		/* texts of the current start */

	/* bytes that have come */
	StringInfoData bytes;		/* data is NULL while the source is stopped */
	const char *at;				/* the first of them that is still to be decoded */
	const char *end;
	bool		cut;			/* the tuple there wasn't whole when it was looked at last */
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

/* May the connection be ours? */
static bool
is_streaming(CopySource *self)
{
	return self->stage == COPY_STREAMING || self->stage == COPY_PARKING ||
		self->stage == COPY_LOST;
}

/* Take leave of the connection when our memory goes away. */
static void
forget_stream(void *arg)
{
	CopySource *self = (CopySource *) arg;

	if (is_streaming(self))
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
send_query(CopySource *self, bool describe)
{
	MemoryContext oldcxt;
	char	   *select;
	char	   *copy;
	char	   *description = NULL;

	MemoryContextReset(self->sql_cxt);
	oldcxt = MemoryContextSwitchTo(self->sql_cxt);
	select = pgml_source_render_literal(&self->base, self->base.params);
	copy = psprintf("COPY (%s) TO STDOUT (FORMAT binary)", select);
	if (describe)
		description = psprintf("SELECT * FROM (%s) AS d LIMIT 0", select);
	MemoryContextSwitchTo(oldcxt);

	/* from here on we may be the connection's occupant, whatever happens */
	self->stage = COPY_STREAMING;
	self->described = !describe;
	pgml_source_sign(&self->base, &self->occupant);
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
	self->described = true;
	pgml_result_free(description);
	return proved;
}

static void
copy_send(PgmlSource *source)
{
	CopySource *self = (CopySource *) source;
	bool		describe = !proof_holds(self);

	self->cut = self->header_read = self->trailer_read = false;
	self->proved_in = InvalidSubTransactionId;
	send_query(self, describe);
}

/* Throw if the abort of a subtransaction, which we have survived, has cost us the stream. */
static void
check_stream(CopySource *self)
{
	if (self->base.conn->occupant != &self->occupant || self->stage == COPY_LOST)
		pgml_source_lost(&self->base);
}

/* Each failed proof turns columns into text columns, so the loop comes to its end. */
static bool
copy_prove(PgmlSource *source, bool wait)
{
	CopySource *self = (CopySource *) source;

	while (!self->described)
	{
		check_stream(self);
		if (!wait && !pgml_stream_has_answered(source->conn))
			return false;
		if (!receive_proof(self))
		{
			pgml_stream_stop(source->conn, &self->occupant);
			send_query(self, true);
		}
	}
	self->proved_in = GetCurrentSubTransactionId();
	self->proved_xact = source->conn->xact;
	return true;
}

/*
 * Reading
 */

/*
 * Append the next bytes of the stream, from where they are; false at its end.  With
 * wait false maybe none.
 */
static bool
append_next(CopySource *self, bool wait)
{
	const char *data;
	int			len;

	if (self->stage == COPY_PARKING || self->stage == COPY_LOST)
	{
		check_stream(self);
		park(&self->occupant);
	}
	switch (self->stage)
	{
		case COPY_STREAMING:
			check_stream(self);
			if (wait ? pgml_stream_read(self->base.conn, &self->bytes) :
				pgml_stream_try_read(self->base.conn, &self->bytes))
				return true;
			break;
		case COPY_SPOOLED:
			if (pgml_spool_get(self->spool, &data, &len))
			{
				appendBinaryStringInfo(&self->bytes, data, len);
				return true;
			}
			break;
		default:
			break;
	}

	self->stage = COPY_ENDED;
	return false;
}

/*
 * Get more bytes, behind those that are still to be decoded: says that a row may be
 * there now, that the stream is at its end, or that nothing has come yet.
 */
static PgmlNext
fetch(CopySource *self, bool wait)
{
	int			rest = self->end - self->at;
	bool		more;

	if (self->bytes.data == NULL)
	{
		MemoryContext oldcxt = MemoryContextSwitchTo(self->base.cxt);

		initStringInfo(&self->bytes);
		MemoryContextSwitchTo(oldcxt);
	}
	if (rest > 0)
		memmove(self->bytes.data, self->at, rest);
	self->bytes.len = rest;
	self->at = self->end = NULL;

	more = append_next(self, wait);
	self->at = self->bytes.data;
	self->end = self->at + self->bytes.len;
	if (!more)
		return PGML_NEXT_END;
	return self->bytes.len > rest ? PGML_NEXT_ROW : PGML_NEXT_WAITS;
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

/*
 * Decode the tuple at which we stand; false if it isn't all there.  The decoder
 * finds that out on its way, but not twice: a large tuple comes in many parts.
 */
static inline bool
decode_here(CopySource *self, Datum *values, bool *nulls)
{
	int			len = self->end - self->at;
	int			used = 0;

	if (likely(!self->cut) || pgml_copy_tuple_length(self->at, len) > 0)
		used = pgml_codec_decode_binary(self->base.codec, self->at, len,
										values, nulls);
	self->at += used;
	self->cut = used == 0;
	return used > 0;
}

/* Take what isn't a tuple: the header, the trailer; false if more bytes are needed first. */
static bool
skip_framing(CopySource *self)
{
	int			len = self->end - self->at;

	if (len < (int) sizeof(int16))
		return false;
	if (!self->header_read)
	{
		skip_header(self);
		return self->header_read;
	}
	if (self->trailer_read)
		ereport(ERROR,
				(errcode(ERRCODE_PROTOCOL_VIOLATION),
				 errmsg("server \"%s\" sent rows behind the end of the data",
						self->base.conn->name)));

	/* a trailer; not the end yet: the wire is ours until the stream is */
	Assert(pgml_wire_int16(self->at) == PGML_COPY_TRAILER);
	self->trailer_read = true;
	self->at += sizeof(int16);
	return true;
}

/* Does a tuple begin here, as it nearly always does? */
static inline bool
at_tuple(CopySource *self)
{
	return self->end - self->at >= (ptrdiff_t) sizeof(int16) &&
		self->header_read && !self->trailer_read &&
		pgml_wire_int16(self->at) != PGML_COPY_TRAILER;
}

static PgmlNext
copy_next(PgmlSource *source, Datum *values, bool *nulls, bool wait)
{
	CopySource *self = (CopySource *) source;

	while (self->stage != COPY_STOPPED)
	{
		PgmlNext	next;

		if (likely(at_tuple(self)))
		{
			if (likely(decode_here(self, values, nulls)))
			{
				pgml_stats.rows_in++;
				return PGML_NEXT_ROW;
			}
		}
		else if (skip_framing(self))
			continue;

		next = self->stage == COPY_ENDED ? PGML_NEXT_END : fetch(self, wait);
		if (next == PGML_NEXT_WAITS)
			return PGML_NEXT_WAITS;
		if (next == PGML_NEXT_END)
		{
			check_end(self);
			return PGML_NEXT_END;
		}
	}
	return PGML_NEXT_END;
}

/*
 * Parking
 */

/*
 * Take all that is still to come off the wire; what we have already stays where it is.
 * Called again, it goes on where it was interrupted; what couldn't be put aside is lost.
 */
static void
park(PgmlOccupant *occupant)
{
	CopySource *self = source_of_occupant(occupant);
	StringInfoData bytes;

	if (self->stage == COPY_LOST)
	{
		pgml_stream_stop(self->base.conn, occupant);
		return;
	}
	Assert(self->stage == COPY_STREAMING || self->stage == COPY_PARKING);
	if (!self->described)
		(void) copy_prove(&self->base, true);
	self->stage = COPY_PARKING;
	initStringInfo(&bytes);
	while (pgml_stream_read(self->base.conn, &bytes))
	{
		self->stage = COPY_LOST;
		pgml_spool_put(self->spool, bytes.data, bytes.len);
		self->stage = COPY_PARKING;
		resetStringInfo(&bytes);
		CHECK_FOR_INTERRUPTS();
	}
	pfree(bytes.data);
	self->stage = COPY_SPOOLED;
}

/*
 * Stopping
 */

static void
copy_stop(PgmlSource *source)
{
	CopySource *self = (CopySource *) source;

	if (is_streaming(self))
	{
		self->proved_in = InvalidSubTransactionId;
		pgml_stream_stop(source->conn, &self->occupant);
	}
	pgml_spool_clear(self->spool);
	if (self->bytes.data != NULL)
		pfree(self->bytes.data);
	self->bytes.data = NULL;
	self->at = self->end = NULL;
	self->stage = COPY_STOPPED;
}

const PgmlSourceOps pgml_source_copy_ops = {
	.name = "COPY",
	.create = copy_create,
	.send = copy_send,
	.prove = copy_prove,
	.next = copy_next,
	.stop = copy_stop,
};
