/*
 * codec_binary.h
 *		The types whose binary form can be read, and how.
 *
 * Private to the codec.  codec_binary.c has the table of types and the
 * decoders of single values, codec_numeric.c that of numeric, codec_array.c
 * that of arrays of them.
 */
#ifndef PGML_ROW_CODEC_BINARY_H
#define PGML_ROW_CODEC_BINARY_H

#include "postgres.h"
#include "fmgr.h"

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

/* How values of one type with one modifier are read. */
struct PgmlBinary
{
	Oid			typid;			/* not a domain */
	int32		typmod;
	PgmlArena  *arena;
	PgmlDecode	decode;
	bool		is_text;		/* its bytes are its text form */
	bool		is_bytes;		/* a stored value is a header and its bytes as they come */
	int			swap_width;		/* a stored value is its bytes in host order: how many; else 0 */
	FmgrInfo	function;		/* receive or input function, if the decoder may call one */
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

/* Can values that the remote describes as this type be read? */
extern bool pgml_binary_accepts(const PgmlBinary *self, Oid remote_type);

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

#endif							/* PGML_ROW_CODEC_BINARY_H */
