/*
 * encoder.h
 *		Datums into bytes of the wire; the other direction than codec.h.
 *
 * A column is sent in binary form where its type is in the codec's table and
 * the remote column's type has been proved to be that very type; else as the
 * text that the output function makes of it.  Nothing is proved to begin with:
 * give the remote's types to pgml_encoder_prove before anything is encoded.
 *
 * Text forms depend on settings: encode inside base/textio.h's bracket unless
 * pgml_encoder_any_text says that there are none.
 */
#ifndef PGML_ROW_ENCODER_H
#define PGML_ROW_ENCODER_H

#include "postgres.h"
#include "executor/tuptable.h"
#include "lib/stringinfo.h"

#include "remote/connection.h"

typedef struct PgmlEncoder PgmlEncoder;

/*
 * Make an encoder for rows whose wire column i is attribute attnums[i] of
 * desc (1-based); all columns are text.  Lives in the current memory context;
 * desc must outlive it.  What is made on the way to the bytes is freed with each
 * datum or row.
 */
extern PgmlEncoder *pgml_encoder_create(TupleDesc desc, int ncols, const AttrNumber *attnums);

/*
 * Say which types the remote's columns (or parameters) have: OIDs, of domains
 * the base type's; InvalidOid where it isn't known.  Those that are proved
 * by that become binary, all others text.  types NULL: all text.  May ask
 * the remote for its types of extensions, once per network connection; throws.
 */
extern void pgml_encoder_prove(PgmlEncoder *encoder, PgmlConn *conn, const Oid *types);

/* Does wire column i travel as text?  Does any?  Do all? */
extern bool pgml_encoder_is_text(const PgmlEncoder *encoder, int col);
extern bool pgml_encoder_any_text(const PgmlEncoder *encoder);
extern bool pgml_encoder_all_text(const PgmlEncoder *encoder);

/*
 * Append a value of wire column col as COPY BINARY and Bind have it: an int32
 * length (-1: null) and the bytes, binary or text as the column is.
 */
extern void pgml_encoder_append_datum(PgmlEncoder *encoder, int col, Datum value, bool isnull,
									  StringInfo buf);

/* Append the text form of a value and a zero byte, whatever the column is. */
extern void pgml_encoder_append_text(PgmlEncoder *encoder, int col, Datum value, StringInfo buf);

/* Append the header of a binary COPY, the slot's row, the trailer; no column may be text. */
extern void pgml_encoder_append_header(StringInfo buf);
extern void pgml_encoder_append_tuple(PgmlEncoder *encoder, TupleTableSlot *slot, StringInfo buf);
extern void pgml_encoder_append_trailer(StringInfo buf);

/* Append the slot's row as a line of a text COPY; all columns in their text form. */
extern void pgml_encoder_append_line(PgmlEncoder *encoder, TupleTableSlot *slot, StringInfo buf);

/*
 * Write a row, of which these are the bytes that append_tuple or append_line
 * has made, for a message: "(1, abc, null)", shortened.  In the current context.
 */
extern char *pgml_encoder_show_tuple(PgmlEncoder *encoder, const char *bytes, int len);
extern char *pgml_encoder_show_line(PgmlEncoder *encoder, const char *bytes, int len);

#endif							/* PGML_ROW_ENCODER_H */
