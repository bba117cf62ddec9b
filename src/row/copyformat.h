/*
 * copyformat.h
 *		The framing of COPY ... (FORMAT binary), as the manual's COPY page
 *		defines it: signature, flags, header extension; per tuple an int16
 *		field count and per field an int32 length (-1: null) and the bytes;
 *		a field count of -1 as trailer.
 *
 * Reading doesn't trust the sender: each length is checked against what has
 * arrived.  What a row needs stands here as inline functions.
 */
#ifndef PGML_ROW_COPYFORMAT_H
#define PGML_ROW_COPYFORMAT_H

#include "postgres.h"
#include "port/pg_bswap.h"

/* What a stream begins with, in front of flags and extension. */
#define PGML_COPY_SIGNATURE_LENGTH 11
extern const char pgml_copy_signature[PGML_COPY_SIGNATURE_LENGTH];

/* The field count that says that no tuple follows. */
#define PGML_COPY_TRAILER (-1)

/* Where a reader stands in a block of bytes. */
typedef struct PgmlCopyReader
{
	const char *at;
	const char *end;
} PgmlCopyReader;

/*
 * Length of the file header at the start of the stream, 0 if there are too
 * few bytes yet to know it or to hold it.  Throws if it isn't one, or has
 * critical flags that we don't know.
 */
extern int	pgml_copy_header_length(const char *data, int len);

/*
 * Length of the tuple (or trailer) at the start of these bytes, 0 if not all
 * of it is there yet.  Throws if it can't become one.
 */
extern int	pgml_copy_tuple_length(const char *data, int len);

/* Throw; the result is only for the compiler. */
extern int	pgml_copy_cut_short(void);
extern int	pgml_copy_bad_length(int32 length);

/* Integers of the wire, which may stand at odd addresses. */
static inline int16
pgml_wire_int16(const char *bytes)
{
	uint16		n;

	memcpy(&n, bytes, sizeof(n));
	return (int16) pg_ntoh16(n);
}

static inline int32
pgml_wire_int32(const char *bytes)
{
	uint32		n;

	memcpy(&n, bytes, sizeof(n));
	return (int32) pg_ntoh32(n);
}

static inline int64
pgml_wire_int64(const char *bytes)
{
	uint64		n;

	memcpy(&n, bytes, sizeof(n));
	return (int64) pg_ntoh64(n);
}

/* Start a tuple: its field count, or -1 at the trailer.  Throws if cut short. */
static inline int
pgml_copy_read_tuple(PgmlCopyReader *reader)
{
	int			nfields;

	if (unlikely(reader->end - reader->at < (ptrdiff_t) sizeof(int16)))
		return pgml_copy_cut_short();
	nfields = pgml_wire_int16(reader->at);
	reader->at += sizeof(int16);
	return nfields;
}

/* Next int32, as a field's length or an array's header has them.  Throws if cut short. */
static inline int32
pgml_copy_read_int32(PgmlCopyReader *reader)
{
	int32		n;

	if (unlikely(reader->end - reader->at < (ptrdiff_t) sizeof(int32)))
		return pgml_copy_cut_short();
	n = pgml_wire_int32(reader->at);
	reader->at += sizeof(int32);
	return n;
}

/* Next field: its length, or -1 for a null, and bytes; false if not all of it is there. */
static inline bool
pgml_copy_try_field(PgmlCopyReader *reader, const char **bytes, int *len)
{
	ptrdiff_t	left = reader->end - reader->at - (ptrdiff_t) sizeof(int32);

	*bytes = reader->at + sizeof(int32);
	if (unlikely(left < 0))
		return false;
	*len = pgml_wire_int32(reader->at);
	reader->at += sizeof(int32);
	if (likely(*len >= 0))
	{
		if (unlikely(left < *len))
			return false;
		reader->at += *len;
	}
	else if (unlikely(*len != -1))
		(void) pgml_copy_bad_length(*len);
	return true;
}

/* The same, but throws if it is cut short: returns the length. */
static inline int
pgml_copy_read_field(PgmlCopyReader *reader, const char **bytes)
{
	int			len = 0;

	if (unlikely(!pgml_copy_try_field(reader, bytes, &len)))
		return pgml_copy_cut_short();
	return len;
}

#endif							/* PGML_ROW_COPYFORMAT_H */
