/*
 * copyformat.c
 *		Where do the header, the tuples and the trailer of a binary COPY begin
 *		and end?
 *
 * A real server puts each tuple into a CopyData message of its own, and the
 * header in front of the first one, but the protocol promises none of it: a
 * message is a piece of a stream of bytes.  So the lengths are found here from
 * what has arrived so far, and "not yet all there" is an answer and no error;
 * the caller then brings more bytes.  What the fields mean is the codec's
 * affair.
 */
#include "postgres.h"

#include "row/copyformat.h"

/* "PGCOPY\n\377\r\n\0", chosen to be damaged by any transfer that isn't 8-bit clean */
const char	pgml_copy_signature[PGML_COPY_SIGNATURE_LENGTH] = {
	'P', 'G', 'C', 'O', 'P', 'Y', '\n', '\377', '\r', '\n', '\0'
};

#define FLAGS_LENGTH		((int) sizeof(int32))
#define EXTENSION_LENGTH	((int) sizeof(int32))

/* Bits 16 to 31 of the flags must be understood by the reader; none is defined that COPY sends. */
#define CRITICAL_FLAGS		0xFFFF0000

int
pgml_copy_header_length(const char *data, int len)
{
	const int	fixed = PGML_COPY_SIGNATURE_LENGTH + FLAGS_LENGTH + EXTENSION_LENGTH;
	uint32		flags;
	int32		extension;

	if (memcmp(data, pgml_copy_signature, Min(len, PGML_COPY_SIGNATURE_LENGTH)) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_PROTOCOL_VIOLATION),
				 errmsg("remote server did not send rows in binary COPY format")));
	if (len < fixed)
		return 0;

	flags = (uint32) pgml_wire_int32(data + PGML_COPY_SIGNATURE_LENGTH);
	if (flags & CRITICAL_FLAGS)
		ereport(ERROR,
				(errcode(ERRCODE_PROTOCOL_VIOLATION),
				 errmsg("remote server sent unknown flags in the header of a binary COPY"),
				 errdetail("The flags are 0x%08X.", flags)));

	extension = pgml_wire_int32(data + PGML_COPY_SIGNATURE_LENGTH + FLAGS_LENGTH);
	if (extension < 0)
		return pgml_copy_bad_length(extension);
	return len - fixed < extension ? 0 : fixed + extension;
}

int
pgml_copy_tuple_length(const char *data, int len)
{
	const char *at = data;
	const char *end = data + len;
	int			nfields;

	if (len < (int) sizeof(int16))
		return 0;
	nfields = pgml_wire_int16(at);
	at += sizeof(int16);
	if (unlikely(nfields < 0 && nfields != PGML_COPY_TRAILER))
		return pgml_copy_bad_length(nfields);

	for (; nfields > 0; nfields--)
	{
		int32		flen;

		if (end - at < (ptrdiff_t) sizeof(int32))
			return 0;
		flen = pgml_wire_int32(at);
		at += sizeof(int32);
		if (flen < 0)
		{
			if (unlikely(flen != -1))
				return pgml_copy_bad_length(flen);
			continue;
		}
		if (end - at < flen)
			return 0;
		at += flen;
	}
	return at - data;
}

int
pgml_copy_cut_short(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_PROTOCOL_VIOLATION),
			 errmsg("binary data of remote server ends too early")));
	return 0;
}

int
pgml_copy_bad_length(int32 length)
{
	ereport(ERROR,
			(errcode(ERRCODE_PROTOCOL_VIOLATION),
			 errmsg("binary data of remote server has an impossible length or count: %d",
					length)));
	return 0;
}
