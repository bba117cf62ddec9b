/*
 * codec.c
 *		How do the columns of a remote row become the attributes of a local one?
 *
 * A wire column is one that the remote sends, in the order of the query; it
 * fills one attribute of the local row type.  This file decides per column
 * between binary and text, proves the binary ones against what the remote
 * says its types are, and decodes rows.  How the bytes of a type are read is
 * codec_binary.c's knowledge, where a row begins and ends is copyformat.c's.
 *
 * A domain is described by the remote as its base type, and the local and the
 * remote domain need not have the same constraints: so a column whose local
 * type is a domain is read as the base type, then checked here, nulls too.
 *
 * Values that are not passed by value are put into an arena, whose memory is used
 * again for each row: most rows need no memory from anywhere else.  What doesn't fit,
 * and what functions of types make, goes into a memory context that is
 * reset for each row.
 *
 * A tuple that isn't all there is found out while it is decoded, and then
 * decoded again when the rest has come.  Where a decoder may run code of users
 * (domain constraints, input functions of their types), which should not run
 * twice, it is found out before.
 */
#include "postgres.h"

#include "access/transam.h"
#include "catalog/pg_class.h"
#include "catalog/pg_type.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"

#include "remote/exttype.h"
#include "row/codec.h"
#include "row/codec_binary.h"
#include "row/copyformat.h"

/* A wire column. */
typedef struct CodecColumn
{
	int			index;			/* of its attribute, from 0 */
	bool		text;			/* it is asked for as text */
	int			exttype;		/* text unless the remote has this type (exttype.h); or -1 */
	Oid			typid;			/* base type of the attribute */
	int32		typmod;
	PgmlBinary	binary;			/* unless text */
	FmgrInfo	input;			/* looked up when first needed */
	Oid			ioparam;
	Oid			domain;			/* the attribute's type if that is a domain */
	void	   *domain_state;	/* domain_check's */
	const char *type_name;		/* for messages */
	const char *table_name;		/* for messages: foreign table whose column it is; or NULL */
} CodecColumn;

struct PgmlCodec
{
	MemoryContext cxt;			/* holds this struct and what functions cache */
	MemoryContext row_cxt;		/* values of the current row, */
	PgmlArena	arena;			/* those that fit in here excepted */
	TupleDesc	desc;
	int			ncols;
	CodecColumn *columns;
	int			current;		/* column that is being decoded, for messages */
	bool		runs_user_code;
	bool		takes_what_fits;
	bool		has_exttypes;
};

/* Tell which column an error is about.  One that the remote has computed has no name. */
static void
column_error_context(void *arg)
{
	PgmlCodec  *codec = (PgmlCodec *) arg;
	CodecColumn *column;
	const char *name;

	if (codec->current < 0)
		return;
	column = &codec->columns[codec->current];
	name = NameStr(TupleDescAttr(codec->desc, column->index)->attname);
	if (column->table_name != NULL)
		errcontext("column \"%s\" (%s) of foreign table \"%s\"",
				   name, column->type_name, column->table_name);
	else if (name[0] != '\0')
		errcontext("column \"%s\" (%s) of foreign row", name, column->type_name);
	else
		errcontext("column %d (%s) of foreign row", codec->current + 1, column->type_name);
}

static void
init_column(PgmlCodec *codec, CodecColumn *column, AttrNumber attnum)
{
	Form_pg_attribute att;

	if (attnum < 1 || attnum > codec->desc->natts)
		elog(ERROR, "attribute number %d is not in the row type", attnum);
	att = TupleDescAttr(codec->desc, attnum - 1);

	column->index = attnum - 1;
	column->typmod = att->atttypmod;
	column->typid = getBaseTypeAndTypmod(att->atttypid, &column->typmod);
	if (column->typid != att->atttypid)
		column->domain = att->atttypid;
	column->type_name = format_type_with_typemod(att->atttypid, att->atttypmod);
	if (OidIsValid(att->attrelid) && get_rel_relkind(att->attrelid) == RELKIND_FOREIGN_TABLE)
		column->table_name = get_rel_name(att->attrelid);
	column->exttype = -1;
	column->text = !pgml_binary_init(&column->binary, column->typid, column->typmod,
									 &codec->arena);
	if (column->text)
		column->exttype = pgml_exttype_find(column->typid);
	if (column->exttype >= 0)
		codec->has_exttypes = true;

	if (OidIsValid(column->domain) || column->typid >= FirstGenbkiObjectId)
		codec->runs_user_code = true;
}

PgmlCodec *
pgml_codec_create(TupleDesc desc, int ncols, const AttrNumber *attnums)
{
	PgmlCodec  *codec = palloc0(sizeof(PgmlCodec));

	codec->cxt = CurrentMemoryContext;
	codec->row_cxt = AllocSetContextCreate(codec->cxt, "pgml_fdw row", ALLOCSET_DEFAULT_SIZES);
	codec->desc = desc;
	codec->ncols = ncols;
	codec->columns = palloc0(Max(ncols, 1) * sizeof(CodecColumn));
	codec->current = -1;
	for (int i = 0; i < ncols; i++)
		init_column(codec, &codec->columns[i], attnums[i]);
	return codec;
}

void
pgml_codec_meet(PgmlCodec *codec, PgmlConn *conn)
{
	MemoryContext oldcxt;

	if (!codec->has_exttypes)
		return;
	oldcxt = MemoryContextSwitchTo(codec->cxt);
	for (int i = 0; i < codec->ncols; i++)
	{
		CodecColumn *column = &codec->columns[i];
		Oid			remote;

		if (column->exttype < 0)
			continue;
		remote = pgml_exttype_remote_oid(conn, column->exttype);
		if (OidIsValid(remote) && (column->text || column->binary.remote_typid != remote))
			pgml_binary_init_receive(&column->binary, column->typid, column->typmod, remote);
		column->text = !OidIsValid(remote);
	}
	MemoryContextSwitchTo(oldcxt);
}

void
pgml_codec_take_what_fits(PgmlCodec *codec)
{
	codec->takes_what_fits = true;
}

int
pgml_codec_ncols(const PgmlCodec *codec)
{
	return codec->ncols;
}

bool
pgml_codec_is_text(const PgmlCodec *codec, int col)
{
	Assert(col >= 0 && col < codec->ncols);
	return codec->columns[col].text;
}

/* Can the column be read in binary form when the remote says that it has this type? */
static bool
is_proved(const CodecColumn *column, PgmlConn *conn, Oid remote_type)
{
	return conn->caps.server_version >= PGML_FIRST_VERSION_WITH_ONE_FORM &&
		pgml_binary_accepts(&column->binary, remote_type);
}

bool
pgml_codec_prove(PgmlCodec *codec, PgmlConn *conn, PgmlResult *description)
{
	int			ncols = pgml_result_ncols(description);
	bool		proved = true;

	if (ncols != codec->ncols)
		ereport(ERROR,
				(errcode(ERRCODE_FDW_INCONSISTENT_DESCRIPTOR_INFORMATION),
				 errmsg("remote query on server \"%s\" returns %d columns instead of %d",
						conn->name, ncols, codec->ncols)));

	for (int i = 0; i < ncols; i++)
	{
		CodecColumn *column = &codec->columns[i];
		Oid			remote_type = pgml_result_column_type(description, i);

		if (!column->text && !is_proved(column, conn, remote_type))
		{
			column->text = true;
			column->exttype = -1;
			proved = false;
		}
		else if (column->text && remote_type != TEXTOID)
			ereport(ERROR,
					(errcode(ERRCODE_FDW_INVALID_DATA_TYPE),
					 errmsg("remote query on server \"%s\" returns column %d with type OID %u instead of text",
							conn->name, i + 1, remote_type)));
	}
	return proved;
}

/*
 * Types whose input functions make something of any text: they keep what fits,
 * or what looks like a number.  (Transaction ids are checked from 16 on.)
 */
static bool
takes_anything(Oid typid)
{
	return typid == CHAROID || typid == NAMEOID ||
		typid == XIDOID || typid == CIDOID || typid == XID8OID;
}

/* Refuse a value that is not what the text says. */
static void
check_kept(CodecColumn *column, Datum value, const char *text)
{
	Oid			funcid;
	bool		is_varlena;

	getTypeOutputInfo(column->typid, &funcid, &is_varlena);
	if (strcmp(OidOutputFunctionCall(funcid, value), text) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
				 errmsg("invalid input syntax for type %s: \"%s\"",
						format_type_be(column->typid), text)));
}

/* Make a value from text that has been checked; runs in the context where the value shall live. */
static Datum
input_value(PgmlCodec *codec, CodecColumn *column, char *text)
{
	Datum		value;

	if (!OidIsValid(column->input.fn_oid))
	{
		Oid			funcid;

		getTypeInputInfo(column->typid, &funcid, &column->ioparam);
		fmgr_info_cxt(funcid, &column->input, codec->cxt);
	}
	value = InputFunctionCall(&column->input, text, column->ioparam, column->typmod);
	if (!codec->takes_what_fits && takes_anything(column->typid))
		check_kept(column, value, text);
	return value;
}

static inline void
check_domain(PgmlCodec *codec, CodecColumn *column, Datum value, bool isnull)
{
	if (unlikely(OidIsValid(column->domain)))
		domain_check(value, isnull, column->domain, &column->domain_state, codec->cxt);
}

/* Decode one field into its attribute; len -1: a null. */
static inline void
decode_field(PgmlCodec *codec, int col, const char *bytes, int len, Datum *values, bool *nulls)
{
	CodecColumn *column = &codec->columns[col];
	Datum		value = (Datum) 0;

	codec->current = col;
	if (len < 0)
		 /* a null */ ;
	else if (likely(!column->text))
		value = column->binary.decode(&column->binary, bytes, len);
	else
		value = input_value(codec, column, pgml_binary_checked_string(bytes, len));
	check_domain(codec, column, value, len < 0);
	values[column->index] = value;
	nulls[column->index] = len < 0;
}

static void
throw_ncols(PgmlCodec *codec, int n)
{
	if (n < 0)
		(void) pgml_copy_bad_length(n);
	ereport(ERROR,
			(errcode(ERRCODE_FDW_INCONSISTENT_DESCRIPTOR_INFORMATION),
			 errmsg("remote server sent a row of %d columns instead of %d", n, codec->ncols)));
}

static inline void
check_ncols(PgmlCodec *codec, int n)
{
	if (unlikely(n != codec->ncols))
		throw_ncols(codec, n);
}

/* Decode the fields of a tuple; false if they aren't all there.  The caller has set up contexts. */
static bool
decode_fields(PgmlCodec *codec, PgmlCopyReader *reader, Datum *values, bool *nulls)
{
	check_ncols(codec, pgml_copy_read_tuple(reader));
	for (int i = 0; i < codec->ncols; i++)
	{
		const char *bytes;
		int			len;

		if (unlikely(!pgml_copy_try_field(reader, &bytes, &len)))
			return false;
		decode_field(codec, i, bytes, len, values, nulls);
	}
	return true;
}

/* Begin a row: the memory of the last one goes, all attributes are null until they are set. */
static MemoryContext
begin_row(PgmlCodec *codec, bool *nulls)
{
	MemoryContextReset(codec->row_cxt);
	if (unlikely(codec->arena.start == NULL))
	{
		codec->arena.start = MemoryContextAlloc(codec->cxt, PGML_ARENA_SIZE);
		codec->arena.end = codec->arena.start + PGML_ARENA_SIZE;
	}
	codec->arena.at = codec->arena.start;
	memset(nulls, true, codec->desc->natts * sizeof(bool));
	codec->current = -1;
	return MemoryContextSwitchTo(codec->row_cxt);
}

int
pgml_codec_decode_binary(PgmlCodec *codec, const char *data, int len,
						 Datum *values, bool *nulls)
{
	ErrorContextCallback where = {error_context_stack, column_error_context, codec};
	PgmlCopyReader reader = {data, data + len};
	MemoryContext oldcxt;
	bool		whole;

	if (unlikely(codec->runs_user_code) && pgml_copy_tuple_length(data, len) == 0)
		return 0;

	oldcxt = begin_row(codec, nulls);
	error_context_stack = &where;
	whole = decode_fields(codec, &reader, values, nulls);
	error_context_stack = where.previous;
	MemoryContextSwitchTo(oldcxt);
	return whole ? reader.at - data : 0;
}

/*
 * Decode a row of a result whose columns came as they were asked for
 * (binary), or all in text.
 */
static void
decode_result(PgmlCodec *codec, PgmlResult *res, int row, bool binary, Datum *values, bool *nulls)
{
	ErrorContextCallback where = {error_context_stack, column_error_context, codec};
	MemoryContext oldcxt;

	check_ncols(codec, pgml_result_ncols(res));
	oldcxt = begin_row(codec, nulls);
	error_context_stack = &where;
	for (int i = 0; i < codec->ncols; i++)
	{
		CodecColumn *column = &codec->columns[i];
		const char *bytes = pgml_result_value(res, row, i);
		int			len = bytes != NULL ? pgml_result_length(res, row, i) : -1;

		codec->current = i;
		if (binary)
			decode_field(codec, i, bytes, len, values, nulls);
		else
		{
			nulls[column->index] = len < 0;
			values[column->index] = len < 0 ? (Datum) 0 :
				input_value(codec, column, pgml_binary_checked_string(bytes, len));
			check_domain(codec, column, values[column->index], len < 0);
		}
	}
	error_context_stack = where.previous;
	MemoryContextSwitchTo(oldcxt);
}

void
pgml_codec_decode_text_result(PgmlCodec *codec, PgmlResult *res, int row,
							  Datum *values, bool *nulls)
{
	decode_result(codec, res, row, false, values, nulls);
}

void
pgml_codec_decode_binary_result(PgmlCodec *codec, PgmlResult *res, int row,
								Datum *values, bool *nulls)
{
	decode_result(codec, res, row, true, values, nulls);
}

Datum
pgml_codec_text_datum(PgmlCodec *codec, int col, const char *text)
{
	CodecColumn *column = &codec->columns[col];
	ErrorContextCallback where = {error_context_stack, column_error_context, codec};
	Datum		value = (Datum) 0;

	Assert(col >= 0 && col < codec->ncols);
	codec->current = col;
	error_context_stack = &where;
	if (text != NULL)
		value = input_value(codec, column, pgml_binary_checked_string(text, strlen(text)));
	check_domain(codec, column, value, text == NULL);
	error_context_stack = where.previous;
	return value;
}
