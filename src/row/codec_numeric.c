/*
 * codec_numeric.c
 *		How is a numeric read from its binary form, and written?
 *
 * The form: int16 number of digits, int16 weight of the first, uint16 sign,
 * uint16 decimals to be shown, then the digits, base 10000, as int16.
 * A stored numeric is the same digits behind a header of two bytes, or four if
 * weight or decimals are large.  That layout is what tables on disk consist of,
 * so it can't change; it is spelled out here because core keeps it to itself.
 *
 * Only what numeric_send makes of a healthy value that the column can hold as
 * it is gets read here.  All else is left to numeric_recv: NaN and the
 * infinities, values that must be rounded, overflow, and damage, which it refuses.
 */
#include "postgres.h"

#include "base/compat.h"
#include "row/codec_binary.h"
#include "row/copyformat.h"

#define DIGIT_BASE		10000
#define DECIMALS		4		/* in a digit */
#define SIGN_POSITIVE	0x0000	/* on the wire, and in the long header */
#define SIGN_NEGATIVE	0x4000
#define HEADER_MARKS	0xC000	/* all set: neither a short nor a long header, but no number */
#define MAX_DSCALE		0x3FFF

/* the short header: a mark, the sign, 6 bits of decimals, 7 of weight */
#define SHORT_MARK		0x8000
#define SHORT_NEGATIVE	0x2000
#define SHORT_DSCALE_AT 7
#define SHORT_MAX_DSCALE 63
#define SHORT_WEIGHT	0x7F
#define SHORT_WEIGHT_SIGN 0x40
#define SHORT_MIN_WEIGHT (-64)
#define SHORT_MAX_WEIGHT 63

/* What stands in front of the digits on the wire. */
typedef struct NumericHead
{
	int			ndigits;
	int			weight;
	uint16		sign;
	uint16		dscale;
} NumericHead;

#define WIRE_HEAD		8

/* Decimals in a digit that would be zeroes in front of the number. */
static inline int
leading_zeroes(int digit)
{
	return digit >= 1000 ? 0 : digit >= 100 ? 1 : digit >= 10 ? 2 : 3;
}

/* Would a column with this modifier keep the value as it is?  (Scale and precision as numerictypmodin packs them.) */
static inline bool
keeps(int32 typmod, const NumericHead *head, int first_digit)
{
	int			precision;
	int			scale;

	if (typmod < VARHDRSZ)
		return true;
	precision = ((typmod - VARHDRSZ) >> 16) & 0xFFFF;
	scale = (((typmod - VARHDRSZ) & 0x7FF) ^ 1024) - 1024;
	return head->dscale == scale &&
		(head->ndigits == 0 ||
		 (head->weight + 1) * DECIMALS - leading_zeroes(first_digit) <= precision - scale);
}

/* Does the value have decimals that it says are not to be shown? */
static inline bool
hides_decimals(const NumericHead *head, int last_digit)
{
	static const int power[DECIMALS] = {1, 10, 100, 1000};
	int			hidden = head->ndigits * DECIMALS -
		((head->weight + 1) * DECIMALS + head->dscale);

	return hidden >= DECIMALS || (hidden > 0 && last_digit % power[hidden] != 0);
}

/* Read the head; false if this isn't a plain value that can be taken as it is. */
static inline bool
read_head(const PgmlBinary *self, const char *bytes, int len, NumericHead *head)
{
	int			first = 0;
	int			last = 0;

	if (len < WIRE_HEAD)
		return false;
	head->ndigits = (uint16) pgml_wire_int16(bytes);
	head->weight = pgml_wire_int16(bytes + 2);
	head->sign = (uint16) pgml_wire_int16(bytes + 4);
	head->dscale = (uint16) pgml_wire_int16(bytes + 6);
	if (len != WIRE_HEAD + head->ndigits * (int) sizeof(int16) ||
		(head->sign != SIGN_POSITIVE && head->sign != SIGN_NEGATIVE) ||
		head->dscale > MAX_DSCALE)
		return false;

	if (head->ndigits == 0)
	{
		head->weight = 0;
		head->sign = SIGN_POSITIVE;
	}
	else
	{
		first = pgml_wire_int16(bytes + WIRE_HEAD);
		last = pgml_wire_int16(bytes + len - sizeof(int16));

		/* zeroes at the ends are not stored */
		if (first == 0 || last == 0 || hides_decimals(head, last))
			return false;
	}
	return keeps(self->typmod, head, first);
}

/* Write the header of a stored value; returns where its digits belong. */
static inline char *
write_header(char *value, const NumericHead *head, bool is_short)
{
	char	   *at = value + VARHDRSZ;

	if (is_short)
	{
		uint16		bits = SHORT_MARK | (head->sign == SIGN_NEGATIVE ? SHORT_NEGATIVE : 0) |
			(head->dscale << SHORT_DSCALE_AT) | (head->weight & SHORT_WEIGHT);

		memcpy(at, &bits, sizeof(bits));
		return at + sizeof(bits);
	}
	else
	{
		uint16		bits = head->sign | head->dscale;
		int16		weight = head->weight;

		memcpy(at, &bits, sizeof(bits));
		memcpy(at + sizeof(bits), &weight, sizeof(weight));
		return at + sizeof(bits) + sizeof(weight);
	}
}

Datum
pgml_binary_decode_numeric(PgmlBinary *self, const char *bytes, int len)
{
	NumericHead head;
	bool		is_short;
	bool		damaged = false;
	Size		size;
	char	   *value;
	int16	   *to;

	if (unlikely(!read_head(self, bytes, len, &head)))
		return pgml_binary_decode_receive(self, bytes, len);

	is_short = head.dscale <= SHORT_MAX_DSCALE &&
		head.weight >= SHORT_MIN_WEIGHT && head.weight <= SHORT_MAX_WEIGHT;
	size = VARHDRSZ + (is_short ? 1 : 2) * sizeof(uint16) + head.ndigits * sizeof(int16);
	value = pgml_binary_alloc(self, size);
	SET_VARSIZE(value, size);
	to = (int16 *) write_header(value, &head, is_short);
	for (int i = 0; i < head.ndigits; i++)
	{
		to[i] = pgml_wire_int16(bytes + WIRE_HEAD + i * sizeof(int16));
		damaged |= (uint16) to[i] >= DIGIT_BASE;
	}
	if (unlikely(damaged))
		return pgml_binary_decode_receive(self, bytes, len);
	return PointerGetDatum(value);
}

/* Read the header of a stored value: its length, 0 if the value isn't a number. */
static inline int
read_header(const char *at, NumericHead *head)
{
	uint16		bits;
	int16		weight;

	memcpy(&bits, at, sizeof(bits));
	if ((bits & HEADER_MARKS) == HEADER_MARKS)
		return 0;
	if (bits & SHORT_MARK)
	{
		head->sign = bits & SHORT_NEGATIVE ? SIGN_NEGATIVE : SIGN_POSITIVE;
		head->dscale = (bits >> SHORT_DSCALE_AT) & SHORT_MAX_DSCALE;
		head->weight = bits & SHORT_WEIGHT;
		if (head->weight & SHORT_WEIGHT_SIGN)
			head->weight -= SHORT_WEIGHT + 1;
		return sizeof(bits);
	}
	memcpy(&weight, at + sizeof(bits), sizeof(weight));
	head->sign = bits & HEADER_MARKS;
	head->dscale = bits & MAX_DSCALE;
	head->weight = weight;
	return sizeof(bits) + sizeof(weight);
}

void
pgml_encode_numeric(PgmlBinary *self, Datum value, StringInfo buf)
{
	struct varlena *numeric = PG_DETOAST_DATUM_PACKED(value);
	const char *from = VARDATA_ANY(numeric);
	NumericHead head;
	int			header = read_header(from, &head);
	char	   *to;

	if (header == 0)
	{
		pgml_encode_send(self, PointerGetDatum(numeric), buf);
		return;
	}
	from += header;
	head.ndigits = (VARSIZE_ANY_EXHDR(numeric) - header) / sizeof(int16);
	to = pgml_encode_room(buf, sizeof(int32) + WIRE_HEAD + head.ndigits * sizeof(int16));
	pgml_put_int32(to, WIRE_HEAD + head.ndigits * sizeof(int16));
	to += sizeof(int32);
	pgml_put_int16(to, head.ndigits);
	pgml_put_int16(to + 2, head.weight);
	pgml_put_int16(to + 4, head.sign);
	pgml_put_int16(to + 6, head.dscale);
	to += WIRE_HEAD;
	for (int i = 0; i < head.ndigits; i++)
	{
		int16		digit;

		memcpy(&digit, from + i * sizeof(int16), sizeof(digit));
		pgml_put_int16(to + i * sizeof(int16), digit);
	}
}
