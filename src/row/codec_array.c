/*
 * codec_array.c
 *		How is an array read from its binary form?
 *
 * The form: int32 number of dimensions, int32 flags (1: has nulls), oid of the
 * element type; per dimension its int32 size and lower bound; per element its
 * int32 length (-1: null) and the bytes.
 *
 * This is done here, and not by core's receive function, for two reasons: the
 * elements may be text, which a receive function would convert from the wrong
 * encoding; and vectors of numbers, which have hundreds of elements, need no
 * function call per element but only their bytes swapped.
 */
#include "postgres.h"

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

/*
 * Try the array of numbers without nulls: copy each, its bytes swapped, to
 * where it belongs.  Returns NULL, with the reader where it was, if an element
 * has another length, a null's above all.
 */
static ArrayType *
decode_numbers(PgmlBinary *self, PgmlCopyReader *reader, const ArrayShape *shape)
{
	const int	width = self->element->swap_width;
	const char *at = reader->at;
	Size		size;
	ArrayType  *array;
	char	   *to;

	if (reader->end - at != (int64) shape->nitems * (width + (int) sizeof(int32)))
		return NULL;
	size = ARR_OVERHEAD_NONULLS(shape->ndim) + (Size) shape->nitems * width;
	array = pgml_binary_alloc(self, size);
	memset(array, 0, ARR_OVERHEAD_NONULLS(shape->ndim));
	SET_VARSIZE(array, size);
	array->ndim = shape->ndim;
	array->elemtype = self->element->typid;
	memcpy(ARR_DIMS(array), shape->dims, shape->ndim * sizeof(int));
	memcpy(ARR_LBOUND(array), shape->lower, shape->ndim * sizeof(int));
	to = (char *) array + ARR_OVERHEAD_NONULLS(shape->ndim);

/* a loop per width, which the compiler can turn into shuffles */
#define SWAP_ALL(type, read) \
	for (int i = 0; i < shape->nitems; i++) \
	{ \
		if (unlikely(pgml_wire_int32(at) != width)) \
			return NULL; \
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

	reader->at = at;
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

Datum
pgml_binary_decode_array(PgmlBinary *self, const char *bytes, int len)
{
	PgmlCopyReader reader = {bytes, bytes + len};
	ArrayShape	shape;
	ArrayType  *array = NULL;

	read_shape(self, &reader, &shape);
	if (shape.nitems == 0)
		array = construct_empty_array(self->element->typid);
	else
	{
		if (self->element->swap_width > 0)
			array = decode_numbers(self, &reader, &shape);
		if (array == NULL)
			array = decode_elements(self, &reader, &shape);
	}
	if (reader.at != reader.end)
		(void) pgml_binary_refuse(self, "There are bytes behind the last element.");
	return PointerGetDatum(array);
}
