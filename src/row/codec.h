/*
 * codec.h
 *		Bytes of the wire into Datums: per column, how and why it is safe.
 *
 * Binary rows carry no names or types, so a column is read as binary only
 * where the remote's type has been proved to be the very type that is
 * declared here, and that type is in the codec's table: fixed across versions
 * and independent of client_encoding.  Every other column is asked for as text
 * (pgml_codec_is_text) and goes through the input function of the local type,
 * with its typmod and domain checks.
 */
#ifndef PGML_ROW_CODEC_H
#define PGML_ROW_CODEC_H

#include "postgres.h"
#include "access/tupdesc.h"

#include "remote/command.h"

typedef struct PgmlCodec PgmlCodec;

/*
 * Make a codec for rows whose wire column i fills attribute attnums[i] of
 * desc (1-based; every other attribute is left null).  ncols may be 0.
 * Errors of a value name the foreign table if the attribute's attrelid is one.
 * Lives in the current memory context; desc must outlive it.
 */
extern PgmlCodec *pgml_codec_create(TupleDesc desc, int ncols, const AttrNumber *attnums);

/*
 * Learn from the remote what it calls types of extensions that could come in
 * binary form; to be called before each query is asked.  Does nothing where
 * there are none; else it may block, once per network connection; throws.
 */
extern void pgml_codec_meet(PgmlCodec *codec, PgmlConn *conn);

/*
 * Let values of char, name, xid and the like be what their input functions make
 * of a text that doesn't fit, as core does it; else that is an error.
 */
extern void pgml_codec_take_what_fits(PgmlCodec *codec);

extern int	pgml_codec_ncols(const PgmlCodec *codec);

/* Must wire column i be asked for as text? */
extern bool pgml_codec_is_text(const PgmlCodec *codec, int col);

/*
 * Compare a description of the remote's columns with what the binary columns
 * must be; those that differ become text columns.  Returns false if any did,
 * so that the query must be asked again.  Throws (ERRCODE_FDW_...) if the
 * number of columns is wrong, or a column that was asked for as text isn't.
 */
extern bool pgml_codec_prove(PgmlCodec *codec, PgmlConn *conn, PgmlResult *description);

/*
 * Decode the tuple of COPY BINARY (copyformat.h; bytes are not trusted) with
 * which data begins, into values and nulls, which have an element for
 * each attribute of desc.  Returns its length, or 0 if not all of it is there:
 * then values and nulls are undefined.  By-reference values belong to the codec,
 * and live until the next decode.  Functions of users may run on the way
 * (domain checks), and use the connection: data must survive that.
 */
extern int	pgml_codec_decode_binary(PgmlCodec *codec, const char *data, int len,
									 Datum *values, bool *nulls);

/* The same for a row of a result in which every column is text. */
extern void pgml_codec_decode_text_result(PgmlCodec *codec, PgmlResult *res, int row,
									 Datum *values, bool *nulls);

/*
 * The same for a row of a result whose columns were asked for as
 * pgml_codec_is_text says, and came in binary form (text's is the text itself).
 */
extern void pgml_codec_decode_binary_result(PgmlCodec *codec, PgmlResult *res, int row,
											Datum *values, bool *nulls);

/*
 * One value of wire column col from its text form (database encoding, checked
 * here), NULL for a null, which a domain may refuse.  In the current context.
 */
extern Datum pgml_codec_text_datum(PgmlCodec *codec, int col, const char *text);

/* The other way, the text form of a local value: output functions inside base/textio.h's bracket. */

#endif							/* PGML_ROW_CODEC_H */
