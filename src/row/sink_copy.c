/*
 * sink_copy.c
 *		Rows that leave as one stream: COPY ... FROM STDIN.
 *
 * Rows are encoded into blocks, and a full block is sent.  The COPY begins with
 * the first full block, so that few rows don't take the wire before it is
 * needed; until then they are announced to the connection, since a command
 * that comes between must find them there, as it would in a local table.
 * The format is binary if every column's type is proved, else text.
 *
 * Parking.  When somebody else needs the wire, the COPY is ended; the next one
 * begins with the next row that makes a block full.  Two sinks that are
 * fed in turn (partitions on one server) would end each other's COPY at each
 * block, so each time the block for which a new COPY is begun grows.
 *
 * Errors.  The remote names the line of its COPY that it could not take.  That
 * is far behind by then; so the last blocks that were sent are kept, and the
 * message shows the row.
 *
 * The executor has counted each row that it gave us.  So the remote may not
 * drop any: where it could, this kind of sink isn't chosen (sink.c), and should it
 * happen all the same, that is an error.
 */
#include "postgres.h"

#include "access/xact.h"
#include "lib/stringinfo.h"
#include "utils/memutils.h"

#include "base/stats.h"
#include "base/textio.h"
#include "row/copyformat.h"
#include "row/sink_kind.h"

/* What is sent at a time: larger ones were not faster, and leave the cache. */
#define BLOCK_BYTES (64 * 1024)

/* Blocks that are kept; they hold more than socket buffers and the remote itself usually do. */
#define NUM_BLOCKS 8

/* So much is gathered at most before a COPY that was ended begins again. */
#define MAX_GATHERED_BYTES (4 * 1024 * 1024)

/* A block that a long row has made larger than this is not kept. */
#define MAX_KEPT_BYTES (4 * BLOCK_BYTES)

/* Rows that we like to be given at a time where settings must be made for printing them. */
#define ROWS_WITH_TEXT 100

/* Some rows as the COPY has them. */
typedef struct Block
{
	StringInfoData bytes;		/* data NULL: not made yet; begins with the COPY's header */
	uint64		first;			/* line of the first row in the COPY, if it was sent */
	uint64		nrows;
} Block;

typedef struct CopySink
{
	PgmlSink	base;
	PgmlOccupant occupant;
	MemoryContextCallback on_delete;
	char	   *sql;
	bool		binary;
	int			header;			/* length of the format's header */

	bool		streaming;		/* a COPY is under way */
	bool		lost;			/* rows did not arrive, or it isn't known */
	uint32		xact;			/* the remote transaction in which the rows are, */
	int			level;			/* and the local nest level to which they belong */
	uint64		sent;			/* rows in the current COPY */
	int			gather;			/* bytes that a new COPY is begun with */
	Block		blocks[NUM_BLOCKS];
	int			current;		/* the block that is being filled */
} CopySink;

static void park(PgmlOccupant *occupant);
static char *name_row(PgmlOccupant *occupant, const char *remote_context);

static CopySink *
sink_of_occupant(PgmlOccupant *occupant)
{
	return (CopySink *) ((char *) occupant - offsetof(CopySink, occupant));
}

/* Take leave of the connection when our memory goes away. */
static void
forget_stream(void *arg)
{
	CopySink   *self = (CopySink *) arg;

	if (self->base.conn == NULL)
		return;
	pgml_copyin_withdraw(self->base.conn, &self->occupant);
	pgml_stream_orphan(self->base.conn, &self->occupant);
}

static PgmlSink *
copy_create(PgmlConn *conn, const PgmlInsert *insert, PgmlEncoder *encoder, char *prepared)
{
	CopySink   *self = palloc0(sizeof(CopySink));

	if (prepared != NULL)
		pgml_command_unprepare(conn, prepared);
	self->binary = !pgml_encoder_any_text(encoder);
	self->sql = psprintf("%s%s", insert->copy, self->binary ? " (FORMAT binary)" : "");
	self->gather = BLOCK_BYTES;
	self->xact = conn->xact;
	self->level = GetCurrentTransactionNestLevel();
	self->occupant.park = park;
	self->occupant.name_row = name_row;
	self->on_delete.func = forget_stream;
	self->on_delete.arg = self;
	MemoryContextRegisterResetCallback(CurrentMemoryContext, &self->on_delete);
	return &self->base;
}

static int
copy_appetite(const PgmlSink *sink)
{
	return ((const CopySink *) sink)->binary ? 1 : ROWS_WITH_TEXT;
}

/*
 * Blocks
 */

/* Make the current block an empty one. */
static void
clear_block(CopySink *self)
{
	Block	   *block = &self->blocks[self->current];

	if (block->bytes.data != NULL && block->bytes.maxlen > MAX_KEPT_BYTES)
	{
		pfree(block->bytes.data);
		block->bytes.data = NULL;
	}
	if (block->bytes.data == NULL)
	{
		MemoryContext oldcxt = MemoryContextSwitchTo(self->base.cxt);

		initStringInfo(&block->bytes);
		MemoryContextSwitchTo(oldcxt);
	}
	resetStringInfo(&block->bytes);
	block->nrows = 0;
	if (self->binary)
		pgml_encoder_append_header(&block->bytes);
	self->header = block->bytes.len;
}

/* Forget which rows are in blocks of a COPY that is over. */
static void
forget_blocks(CopySink *self)
{
	for (int i = 0; i < NUM_BLOCKS; i++)
		if (i != self->current)
			self->blocks[i].nrows = 0;
}

/*
 * Sending
 */

/* Throw: rows that the executor has counted are not there. */
static void
throw_lost(CopySink *self)
{
	ereport(ERROR,
			(errcode(ERRCODE_FDW_UNABLE_TO_CREATE_EXECUTION),
			 errmsg("rows for server \"%s\" were lost when an error was caught",
					self->base.conn->name)));
}

static void
start_copy(CopySink *self)
{
	pgml_copyin_start(self->base.conn, &self->occupant, self->sql, self->level);
	self->streaming = true;
	self->sent = 0;
}

/* End the COPY and see that all rows have arrived. */
static void
finish_copy(CopySink *self)
{
	uint64		count;

	self->lost = true;
	count = pgml_copyin_finish(self->base.conn);
	self->streaming = false;
	if (count != self->sent)
		ereport(ERROR,
				(errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
				 errmsg("server \"%s\" took " UINT64_FORMAT " of " UINT64_FORMAT " rows",
						self->base.conn->name, count, self->sent),
				 errdetail("The remote table has changed meanwhile."),
				 errhint("Run the statement again.")));
	self->lost = false;
	self->sent = 0;
	forget_blocks(self);
}

/* Is everything that we have sent still there? */
static void
check_stream(CopySink *self)
{
	PgmlConn   *conn = self->base.conn;

	if (self->lost || self->xact != conn->xact ||
		(self->streaming && conn->occupant != &self->occupant))
		throw_lost(self);
}

/* Send the current block, and take the next one. */
static void
send_block(CopySink *self)
{
	Block	   *block = &self->blocks[self->current];

	check_stream(self);
	self->lost = true;
	for (;;)
	{
		int			skip = self->streaming && self->sent > 0 ? self->header : 0;

		if (!self->streaming)
			start_copy(self);
		if (pgml_copyin_put(self->base.conn, block->bytes.data + skip, block->bytes.len - skip))
			break;

		/* the remote has said something; if it is no error, go on in a new COPY */
		finish_copy(self);
		self->lost = true;
	}
	self->lost = false;
	block->first = self->sent + 1;
	self->sent += block->nrows;
	self->current = (self->current + 1) % NUM_BLOCKS;
	clear_block(self);
}

/* Send what there is, and end the COPY. */
static void
flush_all(CopySink *self)
{
	if (self->lost)
		throw_lost(self);
	if (self->blocks[self->current].nrows > 0)
		send_block(self);
	if (self->streaming)
	{
		check_stream(self);
		finish_copy(self);
	}
}

/* Append a row to the current block; announce it if it is the first one. */
static void
add_row(CopySink *self, TupleTableSlot *slot)
{
	Block	   *block = &self->blocks[self->current];

	if (unlikely(block->bytes.data == NULL))
		clear_block(self);
	if (block->nrows == 0 && !self->streaming)
	{
		self->xact = self->base.conn->xact;
		pgml_copyin_announce(self->base.conn, &self->occupant);
	}
	if (self->binary)
		pgml_encoder_append_tuple(self->base.encoder, slot, &block->bytes);
	else
		pgml_encoder_append_line(self->base.encoder, slot, &block->bytes);
	block->nrows++;
	if (block->bytes.len >= (self->streaming ? BLOCK_BYTES : self->gather))
		send_block(self);
}

static uint64
copy_put(PgmlSink *sink, TupleTableSlot **slots, int nslots, PgmlResult **returned)
{
	CopySink   *self = (CopySink *) sink;
	int			nestlevel = self->binary ? 0 : pgml_textio_begin();

	if (unlikely(self->lost))
		throw_lost(self);
	for (int i = 0; i < nslots; i++)
		add_row(self, slots[i]);
	if (!self->binary)
		pgml_textio_end(nestlevel);
	pgml_stats.rows_out += nslots;
	return nslots;
}

static void
copy_finish(PgmlSink *sink)
{
	flush_all((CopySink *) sink);
}

/*
 * While others need the wire
 */

static void
park(PgmlOccupant *occupant)
{
	CopySink   *self = sink_of_occupant(occupant);

	if (self->streaming)
		self->gather = Min(self->gather * 2, MAX_GATHERED_BYTES);
	flush_all(self);
}

/* Find the row of a line of the current COPY, its bytes and their length. */
static const char *
find_row(CopySink *self, uint64 line, int *len)
{
	for (int i = 0; i < NUM_BLOCKS; i++)
	{
		Block	   *block = &self->blocks[i];
		const char *at = block->bytes.data + self->header;
		const char *end = block->bytes.data + block->bytes.len;

		if (i == self->current || line < block->first || line >= block->first + block->nrows)
			continue;
		for (uint64 n = block->first;; n++)
		{
			*len = self->binary ? pgml_copy_tuple_length(at, end - at) :
				(const char *) memchr(at, '\n', end - at) - at;
			if (n == line)
				return at;
			at += self->binary ? *len : *len + 1;
		}
	}
	return NULL;
}

/* The remote's context of an error says "COPY t, line 5", maybe with more behind it. */
static char *
name_row(PgmlOccupant *occupant, const char *remote_context)
{
	static const char mark[] = ", line ";
	CopySink   *self = sink_of_occupant(occupant);
	const char *copy = strstr(remote_context, "COPY ");
	const char *line = copy != NULL ? strstr(copy, mark) : NULL;
	const char *row;
	int			len;

	if (line == NULL)
		return NULL;
	row = find_row(self, strtoull(line + strlen(mark), NULL, 10), &len);
	if (row == NULL)
		return NULL;
	return self->binary ? pgml_encoder_show_tuple(self->base.encoder, row, len) :
		pgml_encoder_show_line(self->base.encoder, row, len);
}

const PgmlSinkOps pgml_sink_copy_ops = {
	.kind = PGML_SINK_COPY,
	.name = "COPY",
	.create = copy_create,
	.appetite = copy_appetite,
	.put = copy_put,
	.finish = copy_finish,
};
