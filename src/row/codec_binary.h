/*
 * codec_binary.h
 *		The types whose binary form can be read and written, and how.
 *
 * Private to the codec and the encoder.  codec_binary.c has the table of types
 * and the decoders of single values, encode_binary.c their encoders;
 * codec_numeric.c has both for numeric, codec_array.c for arrays.
 */
#ifndef PGML_ROW_CODEC_BINARY_H
#define PGML_ROW_CODEC_BINARY_H

#include "postgres.h"
#include "fmgr.h"
#include "lib/stringinfo.h"
#include "port/pg_bswap.h"

typedef struct PgmlBinary PgmlBinary;

/*
 * Memory for the values of one row, handed out from the front and never given
 * back: whoever decodes rows sets at to start for each.  What doesn't fit comes
 * from the current context.
 */
typedef struct PgmlArena
{
	char	   *start;			/* all NULL: there is none */
	char	   *at;
	char	   *end;
} PgmlArena;

/* A row of some thousand bytes fits, or a vector of 2,000 dimensions. */
#define PGML_ARENA_SIZE (16 * 1024)

/*
 * Bytes into a Datum in the arena or the current context.  There are len >= 0 of them; the
 * decoder must refuse what isn't a value of its type, and leave none unread.
 */
typedef Datum (*PgmlDecode) (PgmlBinary *self, const char *bytes, int len);

/*
 * A Datum into its length (int32) and bytes, appended to buf.  What is made on
 * the way may stay in the current context.
 */
typedef void (*PgmlEncode) (PgmlBinary *self, Datum value, StringInfo buf);

/* How values of one type with one modifier are read, or how values of one type are written. */
struct PgmlBinary
{
	Oid			typid;			/* not a domain */
	Oid			remote_typid;	/* what the remote must call it */
	int32		typmod;
	PgmlArena  *arena;
	PgmlDecode	decode;
	PgmlEncode	encode;
	bool		is_text;		/* its bytes are its text form */
	bool		is_bytes;		/* a stored value is a header and its bytes as they come */
	int			swap_width;		/* a stored value is its bytes in host order: how many; else 0 */
	FmgrInfo	function;		/* receive, input or send function, if one may be called */
	Oid			ioparam;

	/* of an array */
	PgmlBinary *element;
	int16		element_len;
	bool		element_byval;
	char		element_align;
};

/*
 * Fill *self for a type, with what it points to in the current context; false
 * if values of the type must travel as text.  Values may live in the arena.
 */
extern bool pgml_binary_init(PgmlBinary *self, Oid typid, int32 typmod, PgmlArena *arena);

/* The same for a type of an extension, to be read and written by its own functions. */
extern void pgml_binary_init_receive(PgmlBinary *self, Oid typid, int32 typmod, Oid remote_typid);
extern void pgml_binary_init_send(PgmlBinary *self, Oid typid);

/* Get memory for a value, aligned as palloc's. */
static inline void *
pgml_binary_alloc(const PgmlBinary *self, Size size)
{
	PgmlArena  *arena = self->arena;

	if (likely(MAXALIGN(size) <= (Size) (arena->end - arena->at)))
	{
		char	   *memory = arena->at;

		arena->at += MAXALIGN(size);
		return memory;
	}
	return palloc(size);
}

/* The same for writing: typmod doesn't matter. */
extern bool pgml_binary_init_encode(PgmlBinary *self, Oid typid);

/*
 * Servers before 10 could be built with floating-point timestamps, whose
 * binary form nothing tells from that of integers.
 */
#define PGML_FIRST_VERSION_WITH_ONE_FORM 100000

/* Can values that the remote describes as this type be read? */
extern bool pgml_binary_accepts(const PgmlBinary *self, Oid remote_type);

/* Can values be sent to a column that the remote says is of this type? */
extern bool pgml_binary_is_accepted(const PgmlBinary *self, Oid remote_type, int remote_version);

/* Decode a numeric (codec_numeric.c). */
extern Datum pgml_binary_decode_numeric(PgmlBinary *self, const char *bytes, int len);

/* Decode a value by the type's receive function. */
extern Datum pgml_binary_decode_receive(PgmlBinary *self, const char *bytes, int len);

/* Decode an array of any number of dimensions (codec_array.c). */
extern Datum pgml_binary_decode_array(PgmlBinary *self, const char *bytes, int len);

/*
 * Copy bytes of the remote into a string in the current context, after a
 * check that they are text in the database encoding, without zero bytes.
 */
extern char *pgml_binary_checked_string(const char *bytes, int len);

/* Throw because bytes aren't a value of self's type; detail may be NULL.  The result is only for the compiler. */
extern Datum pgml_binary_refuse(const PgmlBinary *self, const char *detail);

/*
 * The encoders.  _byte is for bool and "char", _bytes for values that are
 * stored as a header and what is sent, _send calls the send function of the type.
 */
extern void pgml_encode_byte(PgmlBinary *self, Datum value, StringInfo buf);
extern void pgml_encode_int2(PgmlBinary *self, Datum value, StringInfo buf);
extern void pgml_encode_int4(PgmlBinary *self, Datum value, StringInfo buf);
extern void pgml_encode_int8(PgmlBinary *self, Datum value, StringInfo buf);
extern void pgml_encode_float4(PgmlBinary *self, Datum value, StringInfo buf);
extern void pgml_encode_float8(PgmlBinary *self, Datum value, StringInfo buf);
extern void pgml_encode_timetz(PgmlBinary *self, Datum value, StringInfo buf);
extern void pgml_encode_interval(PgmlBinary *self, Datum value, StringInfo buf);
extern void pgml_encode_uuid(PgmlBinary *self, Datum value, StringInfo buf);
extern void pgml_encode_bytes(PgmlBinary *self, Datum value, StringInfo buf);
extern void pgml_encode_name(PgmlBinary *self, Datum value, StringInfo buf);
extern void pgml_encode_jsonb(PgmlBinary *self, Datum value, StringInfo buf);
extern void pgml_encode_inet(PgmlBinary *self, Datum value, StringInfo buf);
extern void pgml_encode_send(PgmlBinary *self, Datum value, StringInfo buf);
extern void pgml_encode_numeric(PgmlBinary *self, Datum value, StringInfo buf);
extern void pgml_encode_array(PgmlBinary *self, Datum value, StringInfo buf);

/* Add so many bytes to buf, to be filled by the caller: where they begin. */
static inline char *
pgml_encode_room(StringInfo buf, int len)
{
	char	   *at;

	if (unlikely(buf->maxlen - buf->len <= len))
		enlargeStringInfo(buf, len);
	at = buf->data + buf->len;
	buf->len += len;
	return at;
}

/* Put integers where they belong, however that is aligned. */
static inline void
pgml_put_int16(char *to, uint16 value)
{
	value = pg_hton16(value);
	memcpy(to, &value, sizeof(value));
}

static inline void
pgml_put_int32(char *to, uint32 value)
{
	value = pg_hton32(value);
	memcpy(to, &value, sizeof(value));
}

static inline void
pgml_put_int64(char *to, uint64 value)
{
	value = pg_hton64(value);
	memcpy(to, &value, sizeof(value));
}

#endif							/* PGML_ROW_CODEC_BINARY_H */
