/*
 * rowform.c
 *		How does a heap tuple come from a row's values in one pass?
 *
 * Core walks the columns twice, to find out how long the tuple will be and
 * to fill it.  Here there is memory already, much more than a tuple usually
 * takes; so it is filled at once, and only values of variable length have to
 * ask whether they fit.  All others together, with what aligns them, have an upper
 * bound, the reserve, which is kept free in front of each.
 *
 * The bytes are those that core would write, gaps included, which are zero.
 */
#include "postgres.h"

#include "access/tupmacs.h"
#include "catalog/pg_type.h"

#include "base/compat.h"
#include "exec/rowform.h"

typedef enum FormKind
{
	FORM_BYTE,					/* by value, of this many bytes */
	FORM_INT2,
	FORM_INT4,
	FORM_INT8,
	FORM_FIXED,					/* by reference, of fixed length */
	FORM_VARLENA,
	FORM_OTHER					/* left to core */
} FormKind;

/* A column. */
typedef struct FormColumn
{
	FormKind	kind;
	int			align;
	int			len;			/* of FORM_FIXED */
	bool		packable;		/* a short value may have a short header */
} FormColumn;

struct PgmlRowForm
{
	int			natts;
	Size		header;			/* length of the header without, */
	Size		header_nulls;	/* and with a bitmap of nulls */
	Size		reserve;
	FormColumn	columns[FLEXIBLE_ARRAY_MEMBER];
};

static int
alignment(char attalign)
{
	switch (attalign)
	{
		case TYPALIGN_CHAR:
			return 1;
		case TYPALIGN_SHORT:
			return ALIGNOF_SHORT;
		case TYPALIGN_INT:
			return ALIGNOF_INT;
		default:
			return ALIGNOF_DOUBLE;
	}
}

static FormKind
kind_of(Form_pg_attribute att)
{
	if (att->attlen == -1)
		return FORM_VARLENA;
	if (att->attlen <= 0)
		return FORM_OTHER;
	if (!att->attbyval)
		return FORM_FIXED;
	switch (att->attlen)
	{
		case 1:
			return FORM_BYTE;
		case 2:
			return FORM_INT2;
		case 4:
			return FORM_INT4;
		case 8:
			return FORM_INT8;
		default:
			return FORM_OTHER;
	}
}

PgmlRowForm *
pgml_rowform_create(TupleDesc desc)
{
	PgmlRowForm *form = palloc0(offsetof(PgmlRowForm, columns) +
								desc->natts * sizeof(FormColumn));

	form->natts = desc->natts;
	form->header = MAXALIGN(SizeofHeapTupleHeader);
	form->header_nulls = MAXALIGN(SizeofHeapTupleHeader + BITMAPLEN(desc->natts));
	form->reserve = form->header_nulls + MAXIMUM_ALIGNOF;
	for (int i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute att = TupleDescAttr(desc, i);
		FormColumn *column = &form->columns[i];

		column->kind = kind_of(att);
		column->align = alignment(att->attalign);
		column->len = att->attlen;
		column->packable = att->attstorage != TYPSTORAGE_PLAIN;
		form->reserve += MAXIMUM_ALIGNOF + Max(att->attlen, 0);
	}
	return form;
}

/* Go to where a value is aligned; what is skipped becomes zero, as do bytes that the value will overwrite. */
static inline char *
align(char *at, int to)
{
	memset(at, 0, MAXIMUM_ALIGNOF);
	return (char *) TYPEALIGN(to, at);
}

/*
 * Put a value of variable length, if reserve bytes are left behind it.  Returns
 * where the next belongs, NULL if this one isn't put.
 */
static inline char *
put_varlena(char *at, const char *end, Size reserve, const FormColumn *column,
			const char *value, uint16 *infomask)
{
	Size		size;

	if (VARATT_IS_EXTERNAL_EXPANDED(value))
		return NULL;
	size = VARSIZE_ANY(value);
	if (unlikely((Size) (end - at) < size + reserve))
		return NULL;

	*infomask |= HEAP_HASVARWIDTH;
	if (VARATT_IS_1B(value))
	{
		if (VARATT_IS_EXTERNAL(value))
			*infomask |= HEAP_HASEXTERNAL;
	}
	else if (column->packable && VARATT_CAN_MAKE_SHORT(value))
	{
		size = VARATT_CONVERTED_SHORT_SIZE(value);
		SET_VARSIZE_SHORT(at, size);
		memcpy(at + VARHDRSZ_SHORT, VARDATA(value), size - VARHDRSZ_SHORT);
		return at + size;
	}
	else
		at = align(at, column->align);
	memcpy(at, value, size);
	return at + size;
}

/* Put an integer that is passed by value. */
#define PUT_INTEGER(type) \
	do { \
		type		integer = (type) values[i]; \
\
		at = align(at, column->align); \
		memcpy(at, &integer, sizeof(type)); \
		at += sizeof(type); \
	} while (0)

Size
pgml_rowform_put(const PgmlRowForm *form, HeapTupleHeader to, Size space,
				 const Datum *values, const bool *nulls)
{
	bool		has_nulls = memchr(nulls, true, form->natts) != NULL;
	Size		header = has_nulls ? form->header_nulls : form->header;
	char	   *at = (char *) to + header;
	const char *end = (char *) to + space;
	uint16		infomask = has_nulls ? HEAP_HASNULL : 0;

	if (unlikely(space < form->reserve))
		return 0;
	memset(to, 0, header);
	for (int i = 0; i < form->natts; i++)
	{
		const FormColumn *column = &form->columns[i];

		if (nulls[i])
			continue;
		if (has_nulls)
			to->t_bits[i >> 3] |= 1 << (i & 7);
		switch (column->kind)
		{
			case FORM_BYTE:
				*at++ = (char) values[i];
				break;
			case FORM_INT2:
				PUT_INTEGER(int16);
				break;
			case FORM_INT4:
				PUT_INTEGER(int32);
				break;
			case FORM_INT8:
				PUT_INTEGER(int64);
				break;
			case FORM_FIXED:
				at = align(at, column->align);
				memcpy(at, DatumGetPointer(values[i]), column->len);
				at += column->len;
				break;
			case FORM_VARLENA:
				at = put_varlena(at, end, form->reserve, column,
								 DatumGetPointer(values[i]), &infomask);
				if (unlikely(at == NULL))
					return 0;
				break;
			case FORM_OTHER:
				return 0;
		}
	}

	ItemPointerSetInvalid(&to->t_ctid);
	HeapTupleHeaderSetNatts(to, form->natts);
	to->t_infomask = infomask;
	to->t_hoff = header;
	return at - (char *) to;
}
