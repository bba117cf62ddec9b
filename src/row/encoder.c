/*
 * encoder.c
 *		How do the attributes of a local row become the columns of a remote one?
 *
 * The counterpart of codec.c: per column it decides between binary and text,
 * by what the remote says its types are, and puts rows together as COPY and
 * Bind want them.  How the bytes of a type are written is encode_binary.c's
 * knowledge.
 *
 * A value that has a domain's type is sent as one of the base type; the remote
 * checks what its own column's domain demands.
 *
 * Output and send functions need memory; it is freed with the row, or
 * the datum.  Most binary values need none.
 */
#include "postgres.h"

#include "mb/pg_wchar.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"

#include "remote/exttype.h"
#include "row/codec_binary.h"
#include "row/copyformat.h"
#include "row/encoder.h"

/* A wire column. */
typedef struct EncoderColumn
{
	int			index;			/* of its attribute, from 0 */
	bool		text;			/* it travels as text */
	bool		has_binary;		/* its type has a binary form, binary is set */
	int			exttype;		/* its place among the types of extensions (exttype.h), or -1 */
	Oid			typid;			/* base type of the attribute */
	int32		typmod;
	PgmlBinary	binary;
	FmgrInfo	output;			/* looked up when first needed */
} EncoderColumn;

struct PgmlEncoder
{
	MemoryContext cxt;			/* holds this struct and what functions cache */
	MemoryContext row_cxt;		/* emptied with each row or datum */
	int			ncols;
	int			ntext;			/* columns that travel as text */
	int			last_attr;		/* the highest attribute number that is needed */
	EncoderColumn *columns;
};

/* Of a value, and of a row, so much is shown in a message. */
#define SHOWN_VALUE_BYTES 40
#define SHOWN_ROW_BYTES 400

PgmlEncoder *
pgml_encoder_create(TupleDesc desc, int ncols, const AttrNumber *attnums)
{
	PgmlEncoder *encoder = palloc0(sizeof(PgmlEncoder));

	encoder->cxt = CurrentMemoryContext;
	encoder->row_cxt = AllocSetContextCreate(encoder->cxt, "pgml_fdw encoded row",
											 ALLOCSET_DEFAULT_SIZES);
	encoder->ncols = encoder->ntext = ncols;
	encoder->columns = palloc0(Max(ncols, 1) * sizeof(EncoderColumn));
	for (int i = 0; i < ncols; i++)
	{
		EncoderColumn *column = &encoder->columns[i];
		Form_pg_attribute att;

		if (attnums[i] < 1 || attnums[i] > desc->natts)
			elog(ERROR, "attribute number %d is not in the row type", attnums[i]);
		att = TupleDescAttr(desc, attnums[i] - 1);
		column->index = attnums[i] - 1;
		column->text = true;
		column->typmod = att->atttypmod;
		column->typid = getBaseTypeAndTypmod(att->atttypid, &column->typmod);
		column->has_binary = pgml_binary_init_encode(&column->binary, column->typid);
		column->exttype = -1;
		if (!column->has_binary)
			column->exttype = pgml_exttype_find(column->typid);
		if (column->exttype >= 0)
			pgml_binary_init_send(&column->binary, column->typid);
		encoder->last_attr = Max(encoder->last_attr, attnums[i]);
	}
	return encoder;
}

/* Is a remote column of this type given what the binary form of ours means? */
static bool
is_proved(EncoderColumn *column, PgmlConn *conn, Oid remote_type)
{
	int			version = conn->caps.server_version;

	if (!OidIsValid(remote_type) || version < PGML_FIRST_VERSION_WITH_ONE_FORM)
		return false;
	if (column->exttype >= 0)
		return pgml_exttype_remote_oid(conn, column->exttype) == remote_type;
	return column->has_binary &&
		pgml_binary_is_accepted(&column->binary, remote_type, version);
}

void
pgml_encoder_prove(PgmlEncoder *encoder, PgmlConn *conn, const Oid *types)
{
	encoder->ntext = 0;
	for (int i = 0; i < encoder->ncols; i++)
	{
		EncoderColumn *column = &encoder->columns[i];

		column->text = types == NULL || !is_proved(column, conn, types[i]);
		if (column->text)
			encoder->ntext++;
	}
}

bool
pgml_encoder_is_text(const PgmlEncoder *encoder, int col)
{
	Assert(col >= 0 && col < encoder->ncols);
	return encoder->columns[col].text;
}

bool
pgml_encoder_any_text(const PgmlEncoder *encoder)
{
	return encoder->ntext > 0;
}

bool
pgml_encoder_all_text(const PgmlEncoder *encoder)
{
	return encoder->ntext == encoder->ncols;
}

/* The text form of a value, in the current context. */
static char *
output_value(PgmlEncoder *encoder, EncoderColumn *column, Datum value)
{
	if (!OidIsValid(column->output.fn_oid))
	{
		Oid			funcid;
		bool		is_varlena;

		getTypeOutputInfo(column->typid, &funcid, &is_varlena);
		fmgr_info_cxt(funcid, &column->output, encoder->cxt);
	}
	return OutputFunctionCall(&column->output, value);
}

/* Append a field; the caller has set up contexts. */
static inline void
append_field(PgmlEncoder *encoder, EncoderColumn *column, Datum value, bool isnull, StringInfo buf)
{
	if (isnull)
		pgml_put_int32(pgml_encode_room(buf, sizeof(int32)), -1);
	else if (likely(!column->text))
		column->binary.encode(&column->binary, value, buf);
	else
	{
		char	   *text = output_value(encoder, column, value);
		int			len = strlen(text);

		pgml_put_int32(pgml_encode_room(buf, sizeof(int32)), len);
		appendBinaryStringInfo(buf, text, len);
	}
}

void
pgml_encoder_append_datum(PgmlEncoder *encoder, int col, Datum value, bool isnull, StringInfo buf)
{
	MemoryContext oldcxt;

	Assert(col >= 0 && col < encoder->ncols);
	MemoryContextReset(encoder->row_cxt);
	oldcxt = MemoryContextSwitchTo(encoder->row_cxt);
	append_field(encoder, &encoder->columns[col], value, isnull, buf);
	MemoryContextSwitchTo(oldcxt);
}

void
pgml_encoder_append_text(PgmlEncoder *encoder, int col, Datum value, StringInfo buf)
{
	MemoryContext oldcxt;
	char	   *text;

	Assert(col >= 0 && col < encoder->ncols);
	MemoryContextReset(encoder->row_cxt);
	oldcxt = MemoryContextSwitchTo(encoder->row_cxt);
	text = output_value(encoder, &encoder->columns[col], value);
	appendBinaryStringInfo(buf, text, strlen(text) + 1);
	MemoryContextSwitchTo(oldcxt);
}

void
pgml_encoder_append_header(StringInfo buf)
{
	char	   *to = pgml_encode_room(buf, PGML_COPY_SIGNATURE_LENGTH + 2 * sizeof(int32));

	memcpy(to, pgml_copy_signature, PGML_COPY_SIGNATURE_LENGTH);
	to += PGML_COPY_SIGNATURE_LENGTH;
	pgml_put_int32(to, 0);		/* no flags */
	pgml_put_int32(to + sizeof(int32), 0);	/* no extension */
}

void
pgml_encoder_append_tuple(PgmlEncoder *encoder, TupleTableSlot *slot, StringInfo buf)
{
	MemoryContext oldcxt;

	Assert(encoder->ntext == 0);
	slot_getsomeattrs(slot, encoder->last_attr);
	MemoryContextReset(encoder->row_cxt);
	oldcxt = MemoryContextSwitchTo(encoder->row_cxt);
	pgml_put_int16(pgml_encode_room(buf, sizeof(int16)), encoder->ncols);
	for (int i = 0; i < encoder->ncols; i++)
	{
		EncoderColumn *column = &encoder->columns[i];

		append_field(encoder, column, slot->tts_values[column->index],
					 slot->tts_isnull[column->index], buf);
	}
	MemoryContextSwitchTo(oldcxt);
}

void
pgml_encoder_append_trailer(StringInfo buf)
{
	pgml_put_int16(pgml_encode_room(buf, sizeof(int16)), (uint16) PGML_COPY_TRAILER);
}

/* Append text with those characters escaped that mean something in a text COPY. */
static void
append_escaped(StringInfo buf, const char *text)
{
	static const char special[] = "\b\f\n\r\t\v\\";
	static const char letters[] = "bfnrtv\\";

	for (;;)
	{
		size_t		plain = strcspn(text, special);

		appendBinaryStringInfo(buf, text, plain);
		text += plain;
		if (*text == '\0')
			return;
		appendStringInfoChar(buf, '\\');
		appendStringInfoChar(buf, letters[strchr(special, *text) - special]);
		text++;
	}
}

void
pgml_encoder_append_line(PgmlEncoder *encoder, TupleTableSlot *slot, StringInfo buf)
{
	MemoryContext oldcxt;

	slot_getsomeattrs(slot, encoder->last_attr);
	MemoryContextReset(encoder->row_cxt);
	oldcxt = MemoryContextSwitchTo(encoder->row_cxt);
	for (int i = 0; i < encoder->ncols; i++)
	{
		EncoderColumn *column = &encoder->columns[i];

		if (i > 0)
			appendStringInfoChar(buf, '\t');
		if (slot->tts_isnull[column->index])
			appendStringInfoString(buf, "\\N");
		else
			append_escaped(buf, output_value(encoder, column, slot->tts_values[column->index]));
	}
	appendStringInfoChar(buf, '\n');
	MemoryContextSwitchTo(oldcxt);
}

/* Append a value for a message, in one line, cut if it is long; NULL for a null. */
static void
show_value(StringInfo buf, const char *text, int len)
{
	int			shown;

	appendStringInfoString(buf, buf->len > 0 ? ", " : "(");
	if (text == NULL)
	{
		appendStringInfoString(buf, "null");
		return;
	}
	shown = pg_mbcliplen(text, len, SHOWN_VALUE_BYTES);
	for (int i = 0; i < shown; i++)
		appendStringInfoChar(buf, (unsigned char) text[i] < ' ' ? ' ' : text[i]);
	if (shown < len)
		appendStringInfoString(buf, "...");
}

/* Close the parenthesis; more: there were values behind those that are shown. */
static char *
end_showing(StringInfo buf, bool more)
{
	appendStringInfoString(buf, more ? ", ...)" : ")");
	return buf->data;
}

/* Write a value from its binary form, in the current context. */
static char *
show_binary(PgmlEncoder *encoder, EncoderColumn *column, const char *bytes, int len)
{
	PgmlArena	no_arena = {0};
	PgmlBinary	decoder;

	(void) pgml_binary_init(&decoder, column->typid, column->typmod, &no_arena);
	return output_value(encoder, column, decoder.decode(&decoder, bytes, len));
}

char *
pgml_encoder_show_tuple(PgmlEncoder *encoder, const char *bytes, int len)
{
	PgmlCopyReader reader = {bytes, bytes + len};
	StringInfoData buf;
	int			col;

	initStringInfo(&buf);
	(void) pgml_copy_read_tuple(&reader);
	for (col = 0; col < encoder->ncols && buf.len < SHOWN_ROW_BYTES; col++)
	{
		const char *field;
		int			flen = pgml_copy_read_field(&reader, &field);
		char	   *text = flen < 0 ? NULL : show_binary(encoder, &encoder->columns[col], field, flen);

		show_value(&buf, text, text != NULL ? strlen(text) : 0);
	}
	return end_showing(&buf, col < encoder->ncols);
}

char *
pgml_encoder_show_line(PgmlEncoder *encoder, const char *bytes, int len)
{
	const char *end = bytes + len;
	StringInfoData buf;
	int			col;

	initStringInfo(&buf);
	for (col = 0; col < encoder->ncols && buf.len < SHOWN_ROW_BYTES; col++)
	{
		const char *tab = memchr(bytes, '\t', end - bytes);
		const char *stop = tab != NULL ? tab : end;
		bool		isnull = stop - bytes == 2 && memcmp(bytes, "\\N", 2) == 0;

		show_value(&buf, isnull ? NULL : bytes, stop - bytes);
		bytes = tab != NULL ? tab + 1 : end;
	}
	return end_showing(&buf, col < encoder->ncols);
}
