/*
 * codec_array.c
 *		How is an array read from its binary form, and written?
 *
 * The form: int32 number of dimensions, int32 flags (1: has nulls), oid of the
 * element type; per dimension its int32 size and lower bound; per element its
 * int32 length (-1: null) and the bytes.
 *
 * This is done here, and not by core's receive function, for two reasons: the
 * elements may be text, which a receive function would convert from the wrong
 * encoding; and vectors of numbers, which have hundreds of elements, need no
 * function call per element but only their bytes swapped.  Arrays with nulls and
 * of unusual types are put together by core, from the decoded elements.
 */
#include "postgres.h"

#include "access/tupmacs.h"
#include "mb/pg_wchar.h"
#include "utils/array.h"

#include "row/codec_binary.h"
#include "row/copyformat.h"

/* Dimensions of an array, as its header gave them and checked. */
typedef struct ArrayShape
{
	int			ndim;
	int			dims[MAXDIM];
	int			lower[MAXDIM];
	int			nitems;
} ArrayShape;

static void
read_shape(PgmlBinary *self, PgmlCopyReader *reader, ArrayShape *shape)
{
	int32		flags;
	Oid			element;

	shape->ndim = pgml_copy_read_int32(reader);
	flags = pgml_copy_read_int32(reader);
	element = (Oid) pgml_copy_read_int32(reader);

	if (shape->ndim < 0 || shape->ndim > MAXDIM)
		(void) pgml_binary_refuse(self, psprintf("The number of dimensions is %d.", shape->ndim));
	if (flags != 0 && flags != 1)
		(void) pgml_binary_refuse(self, psprintf("The flags are %d.", flags));
	if (element != self->element->typid)
		(void) pgml_binary_refuse(self, psprintf("The type of the elements has OID %u instead of %u.",
												 element, self->element->typid));

	for (int i = 0; i < shape->ndim; i++)
	{
		shape->dims[i] = pgml_copy_read_int32(reader);
		shape->lower[i] = pgml_copy_read_int32(reader);
	}
	shape->nitems = ArrayGetNItems(shape->ndim, shape->dims);
	ArrayCheckBounds(shape->ndim, shape->dims, shape->lower);

	/* don't allocate for more elements than can be here: each has a length */
	if (shape->nitems > (reader->end - reader->at) / (ptrdiff_t) sizeof(int32))
		(void) pgml_copy_cut_short();
}

/* Make an array without nulls whose elements take this many bytes, and say where they belong. */
static ArrayType *
make_array(const PgmlBinary *self, const ArrayShape *shape, Size bytes, char **to)
{
	const Size	overhead = ARR_OVERHEAD_NONULLS(shape->ndim);
	ArrayType  *array = pgml_binary_alloc(self, overhead + bytes);

	memset(array, 0, overhead);
	SET_VARSIZE(array, overhead + bytes);
	array->ndim = shape->ndim;
	array->elemtype = self->element->typid;
	memcpy(ARR_DIMS(array), shape->dims, shape->ndim * sizeof(int));
	memcpy(ARR_LBOUND(array), shape->lower, shape->ndim * sizeof(int));
	*to = (char *) array + overhead;
	return array;
}

/*
 * The next three try an array without nulls of a particular kind, in one loop.
 * They return NULL if it isn't one.
 */

/* Numbers: each is copied, its bytes swapped, to where it belongs. */
static ArrayType *
decode_numbers(const PgmlBinary *self, PgmlCopyReader *reader, const ArrayShape *shape)
{
	const int	width = self->element->swap_width;
	const char *at = reader->at;
	ArrayType  *array;
	char	   *to;
	uint32		differs = 0;

	if (reader->end - at != (int64) shape->nitems * (width + (int) sizeof(int32)))
		return NULL;
	array = make_array(self, shape, (Size) shape->nitems * width, &to);

/* a loop per width, without a branch; the lengths are judged at the end */
#define SWAP_ALL(type, read) \
	for (int i = 0; i < shape->nitems; i++) \
	{ \
		differs |= (uint32) pgml_wire_int32(at) ^ (uint32) width; \
		((type *) to)[i] = (type) read(at + sizeof(int32)); \
		at += sizeof(int32) + sizeof(type); \
	}

	switch (width)
	{
		case 2:
			SWAP_ALL(int16, pgml_wire_int16);
			break;
		case 4:
			SWAP_ALL(int32, pgml_wire_int32);
			break;
		default:
			Assert(width == 8);
			SWAP_ALL(int64, pgml_wire_int64);
	}
#undef SWAP_ALL

	if (differs != 0)
		return NULL;
	reader->at = at;
	return array;
}

/* Values of a fixed length, which need to be looked at. */
static ArrayType *
decode_fixed(const PgmlBinary *self, PgmlCopyReader *reader, const ArrayShape *shape)
{
	PgmlBinary *element = self->element;
	const int	width = self->element_len;
	PgmlCopyReader ahead = *reader;
	ArrayType  *array;
	char	   *to;

	/* what stands between elements would have to be zeroed */
	if (att_align_nominal((Size) width, self->element_align) != (Size) width)
		return NULL;
	array = make_array(self, shape, (Size) shape->nitems * width, &to);
	for (int i = 0; i < shape->nitems; i++)
	{
		const char *bytes;
		int			len = pgml_copy_read_field(&ahead, &bytes);
		Datum		value;

		if (len < 0)
			return NULL;
		value = element->decode(element, bytes, len);
		if (self->element_byval)
			store_att_byval(to, value, width);
		else
			memcpy(to, DatumGetPointer(value), width);
		to += width;
	}
	*reader = ahead;
	return array;
}

/* Texts: each is copied behind a header of its own. */
static ArrayType *
decode_texts(const PgmlBinary *self, PgmlCopyReader *reader, const ArrayShape *shape)
{
	PgmlCopyReader ahead = *reader;
	ArrayType  *array;
	char	   *start;
	char	   *to;

	/* a header takes as much as a length; the padding of each is less than INTALIGN(1) */
	array = make_array(self, shape,
					   (reader->end - reader->at) + (Size) shape->nitems * (INTALIGN(1) - 1), &start);
	to = start;
	for (int i = 0; i < shape->nitems; i++)
	{
		const char *bytes;
		int			len = pgml_copy_read_field(&ahead, &bytes);

		if (len < 0)
			return NULL;
		if (self->element->is_text)
			(void) pg_verifymbstr(bytes, len, false);
		SET_VARSIZE(to, len + VARHDRSZ);
		memcpy(VARDATA(to), bytes, len);
		to += VARHDRSZ + len;
		while (to < start + INTALIGN(to - start))
			*to++ = '\0';
	}
	SET_VARSIZE(array, to - (char *) array);
	*reader = ahead;
	return array;
}

/* Decode an array element by element. */
static ArrayType *
decode_elements(PgmlBinary *self, PgmlCopyReader *reader, ArrayShape *shape)
{
	PgmlBinary *element = self->element;
	Datum	   *values = palloc(shape->nitems * sizeof(Datum));
	bool	   *nulls = palloc(shape->nitems * sizeof(bool));

	for (int i = 0; i < shape->nitems; i++)
	{
		const char *bytes;
		int			len = pgml_copy_read_field(reader, &bytes);

		nulls[i] = len < 0;
		values[i] = nulls[i] ? (Datum) 0 : element->decode(element, bytes, len);
	}
	return construct_md_array(values, nulls, shape->ndim, shape->dims, shape->lower,
							  element->typid, self->element_len,
							  self->element_byval, self->element_align);
}

/* Decode the elements, in the fastest way that there is for them. */
static ArrayType *
decode_items(PgmlBinary *self, PgmlCopyReader *reader, ArrayShape *shape)
{
	ArrayType  *array = NULL;

	if (shape->nitems == 0)
		return construct_empty_array(self->element->typid);
	if (self->element->swap_width > 0)
		array = decode_numbers(self, reader, shape);
	else if (self->element->is_bytes)
		array = decode_texts(self, reader, shape);
	else if (self->element_len > 0)
		array = decode_fixed(self, reader, shape);
	return array != NULL ? array : decode_elements(self, reader, shape);
}

Datum
pgml_binary_decode_array(PgmlBinary *self, const char *bytes, int len)
{
	PgmlCopyReader reader = {bytes, bytes + len};
	ArrayShape	shape;
	ArrayType  *array;

	read_shape(self, &reader, &shape);
	array = decode_items(self, &reader, &shape);
	if (reader.at != reader.end)
		(void) pgml_binary_refuse(self, "There are bytes behind the last element.");
	return PointerGetDatum(array);
}

/*
 * Writing
 */

/* Numbers without nulls, which lie side by side: lengths between them, bytes swapped. */
static void
encode_numbers(const PgmlBinary *self, const char *from, int nitems, StringInfo buf)
{
	const int	width = self->element->swap_width;
	char	   *to = pgml_encode_room(buf, nitems * (width + (int) sizeof(int32)));

#define SWAP_ALL(type, swap) \
	for (int i = 0; i < nitems; i++) \
	{ \
		pgml_put_int32(to, sizeof(type)); \
		swap(to + sizeof(int32), ((const type *) from)[i]); \
		to += sizeof(int32) + sizeof(type); \
	}

	switch (width)
	{
		case 2:
			SWAP_ALL(uint16, pgml_put_int16);
			break;
		case 4:
			SWAP_ALL(uint32, pgml_put_int32);
			break;
		default:
			Assert(width == 8);
			SWAP_ALL(uint64, pgml_put_int64);
	}
#undef SWAP_ALL
}

/* Texts without nulls, each behind a header of its own. */
static void
encode_texts(const PgmlBinary *self, const char *from, int nitems, StringInfo buf)
{
	for (int i = 0; i < nitems; i++)
	{
		int			len;
		char	   *to;

		from = (const char *) att_align_pointer((uintptr_t) from, self->element_align, -1, from);
		len = VARSIZE_ANY_EXHDR(from);
		to = pgml_encode_room(buf, len + (int) sizeof(int32));
		pgml_put_int32(to, len);
		memcpy(to + sizeof(int32), VARDATA_ANY(from), len);
		from += VARSIZE_ANY(from);
	}
}

/* Any elements, one by one. */
static void
encode_elements(PgmlBinary *self, ArrayType *array, StringInfo buf)
{
	PgmlBinary *element = self->element;
	Datum	   *values;
	bool	   *nulls;
	int			n;

	deconstruct_array(array, element->typid, self->element_len, self->element_byval,
					  self->element_align, &values, &nulls, &n);
	for (int i = 0; i < n; i++)
	{
		if (nulls[i])
			pgml_put_int32(pgml_encode_room(buf, sizeof(int32)), -1);
		else
			element->encode(element, values[i], buf);
	}
}

void
pgml_encode_array(PgmlBinary *self, Datum value, StringInfo buf)
{
	ArrayType  *array = DatumGetArrayTypeP(value);
	int			ndim = ARR_NDIM(array);
	int			nitems = ArrayGetNItems(ndim, ARR_DIMS(array));
	int			start = buf->len;
	const int	head = sizeof(int32);
	const char *items = (const char *) array + ARR_OVERHEAD_NONULLS(ndim);
	char	   *to = pgml_encode_room(buf, (4 + 2 * ndim) * sizeof(int32));

	/* the length is put in at the end */
	pgml_put_int32(to + head, ndim);
	pgml_put_int32(to + head + 4, ARR_HASNULL(array) ? 1 : 0);
	pgml_put_int32(to + head + 8, self->element->typid);
	for (int i = 0; i < ndim; i++)
	{
		pgml_put_int32(to + head + 12 + 8 * i, ARR_DIMS(array)[i]);
		pgml_put_int32(to + head + 16 + 8 * i, ARR_LBOUND(array)[i]);
	}

	if (ARR_HASNULL(array))
		encode_elements(self, array, buf);
	else if (self->element->swap_width > 0)
		encode_numbers(self, items, nitems, buf);
	else if (self->element->is_bytes)
		encode_texts(self, items, nitems, buf);
	else
		encode_elements(self, array, buf);
	pgml_put_int32(buf->data + start, buf->len - start - head);
}
