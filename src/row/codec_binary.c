/*
 * codec_binary.c
 *		Which types may travel in binary form, and how is each read?
 *
 * The table below is a list of permissions.  A type is in it if the bytes that
 * its send function makes have been the same in every server version that we
 * talk to, hold no OID that only the remote could explain, and depend on no
 * encoding but that of the client, which we have set to the encoding of this
 * database.  Enums, composites, reg* types, tsvector and all that extensions
 * bring are missing on purpose: they travel as text.  So are oidvector and
 * int2vector, whose receive functions refuse the empty ones.
 *
 * There are three ways to read a value.  Most are read here ("direct"): these
 * decoders do what the type's receive function does, range checks included,
 * without the function call; or they do it for the values that need no second
 * look, and leave the others, wrong ones above all, to the function.  A type
 * whose bytes are its text form, or the text form behind a version number
 * (jsonb), goes through its input function,
 * never through its receive function: that one would convert from the
 * client_encoding of the local session, which says nothing about the bytes of
 * our connection.  The rest goes through the receive function of the type;
 * they are made for bytes from untrusted clients.
 *
 * How a value is written is in the table too; encode_binary.c has the functions.
 */
#include "postgres.h"

#include <sys/socket.h>

#include "catalog/pg_type.h"
#include "datatype/timestamp.h"
#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/inet.h"
#include "utils/lsyscache.h"
#include "utils/timestamp.h"
#include "utils/uuid.h"

#include "base/compat.h"
#include "row/codec_binary.h"
#include "row/copyformat.h"

Datum
pgml_binary_refuse(const PgmlBinary *self, const char *detail)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
			 errmsg("incorrect binary data for type %s", format_type_be(self->typid)),
			 detail ? errdetail("%s", detail) : 0));
	return (Datum) 0;
}

/* Insist on the length of a type of fixed length. */
static inline void
need_length(const PgmlBinary *self, int len, int need)
{
	if (unlikely(len != need))
		(void) pgml_binary_refuse(self, psprintf("It has %d bytes instead of %d.", len, need));
}

char *
pgml_binary_checked_string(const char *bytes, int len)
{
	char	   *string;

	(void) pg_verifymbstr(bytes, len, false);
	string = palloc((Size) len + 1);
	memcpy(string, bytes, len);
	string[len] = '\0';
	return string;
}

/*
 * Direct decoders
 */

static Datum
decode_bool(PgmlBinary *self, const char *bytes, int len)
{
	need_length(self, len, 1);
	return BoolGetDatum(bytes[0] != 0);
}

static Datum
decode_char(PgmlBinary *self, const char *bytes, int len)
{
	need_length(self, len, 1);
	return CharGetDatum(bytes[0]);
}

static Datum
decode_int2(PgmlBinary *self, const char *bytes, int len)
{
	need_length(self, len, sizeof(int16));
	return Int16GetDatum(pgml_wire_int16(bytes));
}

static Datum
decode_int4(PgmlBinary *self, const char *bytes, int len)
{
	need_length(self, len, sizeof(int32));
	return Int32GetDatum(pgml_wire_int32(bytes));
}

/* Read an unsigned integer of 4 bytes: oid, xid, cid. */
static Datum
decode_uint4(PgmlBinary *self, const char *bytes, int len)
{
	need_length(self, len, sizeof(uint32));
	return UInt32GetDatum((uint32) pgml_wire_int32(bytes));
}

static Datum
decode_int8(PgmlBinary *self, const char *bytes, int len)
{
	need_length(self, len, sizeof(int64));
	return Int64GetDatum(pgml_wire_int64(bytes));
}

static Datum
decode_float4(PgmlBinary *self, const char *bytes, int len)
{
	int32		bits;
	float4		value;

	need_length(self, len, sizeof(float4));
	bits = pgml_wire_int32(bytes);
	memcpy(&value, &bits, sizeof(value));
	return Float4GetDatum(value);
}

static Datum
decode_float8(PgmlBinary *self, const char *bytes, int len)
{
	int64		bits;
	float8		value;

	need_length(self, len, sizeof(float8));
	bits = pgml_wire_int64(bytes);
	memcpy(&value, &bits, sizeof(value));
	return Float8GetDatum(value);
}

static Datum
decode_date(PgmlBinary *self, const char *bytes, int len)
{
	DateADT		date;

	need_length(self, len, sizeof(DateADT));
	date = pgml_wire_int32(bytes);
	if (unlikely(!DATE_NOT_FINITE(date) && !IS_VALID_DATE(date)))
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("date out of range")));
	return DateADTGetDatum(date);
}

/* Read a timestamp or timestamptz of full precision. */
static Datum
decode_timestamp(PgmlBinary *self, const char *bytes, int len)
{
	Timestamp	timestamp;

	need_length(self, len, sizeof(Timestamp));
	timestamp = pgml_wire_int64(bytes);
	if (unlikely(!TIMESTAMP_NOT_FINITE(timestamp) && !IS_VALID_TIMESTAMP(timestamp)))
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("timestamp out of range")));
	return TimestampGetDatum(timestamp);
}

static Datum
decode_time(PgmlBinary *self, const char *bytes, int len)
{
	TimeADT		time;

	need_length(self, len, sizeof(TimeADT));
	time = pgml_wire_int64(bytes);
	if (unlikely(time < 0 || time > USECS_PER_DAY))
		return pgml_binary_decode_receive(self, bytes, len);
	return TimeADTGetDatum(time);
}

static Datum
decode_uuid(PgmlBinary *self, const char *bytes, int len)
{
	pg_uuid_t  *uuid;

	need_length(self, len, UUID_LEN);
	uuid = pgml_binary_alloc(self, sizeof(pg_uuid_t));
	memcpy(uuid->data, bytes, UUID_LEN);
	return UUIDPGetDatum(uuid);
}

static Datum
decode_bytea(PgmlBinary *self, const char *bytes, int len)
{
	bytea	   *value = pgml_binary_alloc(self, (Size) len + VARHDRSZ);

	SET_VARSIZE(value, len + VARHDRSZ);
	memcpy(VARDATA(value), bytes, len);
	return PointerGetDatum(value);
}

/* Read text, or a type that is stored like it and has no length to be kept to. */
static Datum
decode_text(PgmlBinary *self, const char *bytes, int len)
{
	(void) pg_verifymbstr(bytes, len, false);
	return decode_bytea(self, bytes, len);
}

/*
 * Decoders that call a function of the type
 */

/* Read a type whose bytes are its text form. */
static Datum
decode_input(PgmlBinary *self, const char *bytes, int len)
{
	char	   *string = pgml_binary_checked_string(bytes, len);

	return InputFunctionCall(&self->function, string, self->ioparam, self->typmod);
}

/* Read jsonb: a version, then its text form. */
static Datum
decode_jsonb(PgmlBinary *self, const char *bytes, int len)
{
	if (len < 1 || bytes[0] != 1)
		return pgml_binary_refuse(self, "Its version is unknown.");
	return decode_input(self, bytes + 1, len - 1);
}

Datum
pgml_binary_decode_receive(PgmlBinary *self, const char *bytes, int len)
{
	char		few[256];
	StringInfoData buf;
	Datum		value;

	/*
	 * Receive functions may write behind the parts that they look at for a
	 * moment, and rely on a zero byte at the end, so they get a copy.
	 */
	buf.data = len < (int) sizeof(few) ? few : palloc((Size) len + 1);
	memcpy(buf.data, bytes, len);
	buf.data[len] = '\0';
	buf.len = len;
	buf.maxlen = len + 1;
	buf.cursor = 0;

	value = ReceiveFunctionCall(&self->function, &buf, self->ioparam, self->typmod);
	if (unlikely(buf.cursor != len))
		(void) pgml_binary_refuse(self, "There are bytes behind the value.");
	return value;
}

/*
 * Refuse an infinite interval where there is none.  Servers from 17 on know them;
 * an older one would take the same bytes for a very long finite interval.
 */
static void
check_interval(const Interval *interval)
{
	if (pgml_interval_knows_infinity())
		return;
	if ((interval->time == PG_INT64_MAX && interval->day == PG_INT32_MAX && interval->month == PG_INT32_MAX) ||
		(interval->time == PG_INT64_MIN && interval->day == PG_INT32_MIN && interval->month == PG_INT32_MIN))
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("interval out of range"),
				 errdetail("The remote value is an infinite interval, which this server version does not have.")));
}

/* Read an interval of full precision. */
static Datum
decode_interval(PgmlBinary *self, const char *bytes, int len)
{
	Interval   *interval;

	need_length(self, len, sizeof(int64) + 2 * sizeof(int32));
	interval = pgml_binary_alloc(self, sizeof(Interval));
	interval->time = pgml_wire_int64(bytes);
	interval->day = pgml_wire_int32(bytes + 8);
	interval->month = pgml_wire_int32(bytes + 12);
	check_interval(interval);
	return IntervalPGetDatum(interval);
}

static Datum
decode_interval_typmod(PgmlBinary *self, const char *bytes, int len)
{
	(void) decode_interval(self, bytes, len);
	return pgml_binary_decode_receive(self, bytes, len);
}

/* Read a timetz of full precision. */
static Datum
decode_timetz(PgmlBinary *self, const char *bytes, int len)
{
	TimeTzADT  *timetz;

	need_length(self, len, sizeof(int64) + sizeof(int32));
	timetz = pgml_binary_alloc(self, sizeof(TimeTzADT));
	timetz->time = pgml_wire_int64(bytes);
	timetz->zone = pgml_wire_int32(bytes + 8);
	if (unlikely(timetz->time < 0 || timetz->time > USECS_PER_DAY ||
				 timetz->zone <= -TZDISP_LIMIT || timetz->zone >= TZDISP_LIMIT))
		return pgml_binary_decode_receive(self, bytes, len);
	return TimeTzADTPGetDatum(timetz);
}

/* Read an inet: family, bits of the netmask, whether it is a cidr, number of bytes, the bytes. */
static Datum
decode_inet(PgmlBinary *self, const char *bytes, int len)
{
	const int	head = 4;
	int			size = len - head;
	inet	   *value;

	if (unlikely((size != 4 && size != 16) || bytes[3] != size ||
				 bytes[0] != (size == 4 ? PGSQL_AF_INET : PGSQL_AF_INET6) ||
				 (uint8) bytes[1] > size * BITS_PER_BYTE))
		return pgml_binary_decode_receive(self, bytes, len);
	value = pgml_binary_alloc(self, sizeof(inet));
	value->inet_data.family = bytes[0];
	value->inet_data.bits = bytes[1];
	memcpy(value->inet_data.ipaddr, bytes + head, size);
	SET_VARSIZE(value, VARHDRSZ + offsetof(inet_struct, ipaddr) + size);
	return PointerGetDatum(value);
}

/* Read a varchar(n): most values are short enough by their bytes alone. */
static Datum
decode_varchar(PgmlBinary *self, const char *bytes, int len)
{
	return (len <= self->typmod - VARHDRSZ ? decode_text : decode_input) (self, bytes, len);
}

/* Read a character(n): most values come with their blanks. */
static Datum
decode_bpchar(PgmlBinary *self, const char *bytes, int len)
{
	bool		full = pg_verify_mbstr_len(GetDatabaseEncoding(), bytes, len, false) == self->typmod - VARHDRSZ;

	return (full ? decode_bytea : decode_input) (self, bytes, len);
}

/* Read a name: a longer one is cut, as its input function does. */
static Datum
decode_name(PgmlBinary *self, const char *bytes, int len)
{
	Name		name;

	if (unlikely(len >= NAMEDATALEN))
		return decode_input(self, bytes, len);
	(void) pg_verifymbstr(bytes, len, false);
	name = pgml_binary_alloc(self, NAMEDATALEN);
	memset(name, 0, NAMEDATALEN);
	memcpy(NameStr(*name), bytes, len);
	return NameGetDatum(name);
}

/*
 * The table
 */

/* The function of the type that a decoder calls, always or sometimes. */
typedef enum Calls
{
	CALLS_NONE,
	CALLS_RECEIVE,
	CALLS_INPUT
} Calls;

typedef struct BinaryType
{
	Oid			typid;
	PgmlDecode	decode;			/* where the column has no type modifier */
	PgmlDecode	decode_typmod;	/* where it has one; NULL: there are none, or they are kept by decode */
	PgmlEncode	encode;
	Calls		calls;
	int			swap_width;
	bool		is_text;
} BinaryType;

static const BinaryType binary_types[] = {
	{BOOLOID, decode_bool, NULL, pgml_encode_byte, CALLS_NONE, 0, false},
	{CHAROID, decode_char, NULL, pgml_encode_byte, CALLS_NONE, 0, false},
	{INT2OID, decode_int2, NULL, pgml_encode_int2, CALLS_NONE, 2, false},
	{INT4OID, decode_int4, NULL, pgml_encode_int4, CALLS_NONE, 4, false},
	{INT8OID, decode_int8, NULL, pgml_encode_int8, CALLS_NONE, 8, false},
	{OIDOID, decode_uint4, NULL, pgml_encode_int4, CALLS_NONE, 4, false},
	{XIDOID, decode_uint4, NULL, pgml_encode_int4, CALLS_NONE, 4, false},
	{CIDOID, decode_uint4, NULL, pgml_encode_int4, CALLS_NONE, 4, false},
	{XID8OID, decode_int8, NULL, pgml_encode_int8, CALLS_NONE, 8, false},
	{FLOAT4OID, decode_float4, NULL, pgml_encode_float4, CALLS_NONE, 4, false},
	{FLOAT8OID, decode_float8, NULL, pgml_encode_float8, CALLS_NONE, 8, false},
	{DATEOID, decode_date, NULL, pgml_encode_int4, CALLS_NONE, 0, false},
	{TIMEOID, decode_time, pgml_binary_decode_receive, pgml_encode_int8, CALLS_RECEIVE, 0, false},
	{TIMETZOID, decode_timetz, pgml_binary_decode_receive, pgml_encode_timetz, CALLS_RECEIVE, 0, false},
	{TIMESTAMPOID, decode_timestamp, pgml_binary_decode_receive, pgml_encode_int8, CALLS_RECEIVE, 0, false},
	{TIMESTAMPTZOID, decode_timestamp, pgml_binary_decode_receive, pgml_encode_int8, CALLS_RECEIVE, 0, false},
	{INTERVALOID, decode_interval, decode_interval_typmod, pgml_encode_interval, CALLS_RECEIVE, 0, false},
	{NUMERICOID, pgml_binary_decode_numeric, NULL, pgml_encode_numeric, CALLS_RECEIVE, 0, false},
	{UUIDOID, decode_uuid, NULL, pgml_encode_uuid, CALLS_NONE, 0, false},
	{BYTEAOID, decode_bytea, NULL, pgml_encode_bytes, CALLS_NONE, 0, false},
	{TEXTOID, decode_text, NULL, pgml_encode_bytes, CALLS_NONE, 0, true},
	{VARCHAROID, decode_text, decode_varchar, pgml_encode_bytes, CALLS_INPUT, 0, true},
	{BPCHAROID, decode_text, decode_bpchar, pgml_encode_bytes, CALLS_INPUT, 0, true},
	{NAMEOID, decode_name, NULL, pgml_encode_name, CALLS_INPUT, 0, true},
	{JSONOID, decode_input, NULL, pgml_encode_bytes, CALLS_INPUT, 0, true},
	{JSONBOID, decode_jsonb, NULL, pgml_encode_jsonb, CALLS_INPUT, 0, false},
	{INETOID, decode_inet, NULL, pgml_encode_inet, CALLS_RECEIVE, 0, false},
	{MONEYOID, pgml_binary_decode_receive, NULL, pgml_encode_send, CALLS_RECEIVE, 0, false},
	{CIDROID, pgml_binary_decode_receive, NULL, pgml_encode_send, CALLS_RECEIVE, 0, false},
	{MACADDROID, pgml_binary_decode_receive, NULL, pgml_encode_send, CALLS_RECEIVE, 0, false},
	{MACADDR8OID, pgml_binary_decode_receive, NULL, pgml_encode_send, CALLS_RECEIVE, 0, false},
	{POINTOID, pgml_binary_decode_receive, NULL, pgml_encode_send, CALLS_RECEIVE, 0, false},
	{LINEOID, pgml_binary_decode_receive, NULL, pgml_encode_send, CALLS_RECEIVE, 0, false},
	{LSEGOID, pgml_binary_decode_receive, NULL, pgml_encode_send, CALLS_RECEIVE, 0, false},
	{BOXOID, pgml_binary_decode_receive, NULL, pgml_encode_send, CALLS_RECEIVE, 0, false},
	{PATHOID, pgml_binary_decode_receive, NULL, pgml_encode_send, CALLS_RECEIVE, 0, false},
	{POLYGONOID, pgml_binary_decode_receive, NULL, pgml_encode_send, CALLS_RECEIVE, 0, false},
	{CIRCLEOID, pgml_binary_decode_receive, NULL, pgml_encode_send, CALLS_RECEIVE, 0, false},
	{BITOID, pgml_binary_decode_receive, NULL, pgml_encode_send, CALLS_RECEIVE, 0, false},
	{VARBITOID, pgml_binary_decode_receive, NULL, pgml_encode_send, CALLS_RECEIVE, 0, false},
	{TIDOID, pgml_binary_decode_receive, NULL, pgml_encode_send, CALLS_RECEIVE, 0, false},
	{PG_LSNOID, pgml_binary_decode_receive, NULL, pgml_encode_send, CALLS_RECEIVE, 0, false},
	{PG_SNAPSHOTOID, pgml_binary_decode_receive, NULL, pgml_encode_send, CALLS_RECEIVE, 0, false},
	{TXID_SNAPSHOTOID, pgml_binary_decode_receive, NULL, pgml_encode_send, CALLS_RECEIVE, 0, false},
	{INT4RANGEOID, pgml_binary_decode_receive, NULL, pgml_encode_send, CALLS_RECEIVE, 0, false},
	{INT8RANGEOID, pgml_binary_decode_receive, NULL, pgml_encode_send, CALLS_RECEIVE, 0, false},
	{NUMRANGEOID, pgml_binary_decode_receive, NULL, pgml_encode_send, CALLS_RECEIVE, 0, false},
	{DATERANGEOID, pgml_binary_decode_receive, NULL, pgml_encode_send, CALLS_RECEIVE, 0, false},
	{TSRANGEOID, pgml_binary_decode_receive, NULL, pgml_encode_send, CALLS_RECEIVE, 0, false},
	{TSTZRANGEOID, pgml_binary_decode_receive, NULL, pgml_encode_send, CALLS_RECEIVE, 0, false},
	{INT4MULTIRANGEOID, pgml_binary_decode_receive, NULL, pgml_encode_send, CALLS_RECEIVE, 0, false},
	{INT8MULTIRANGEOID, pgml_binary_decode_receive, NULL, pgml_encode_send, CALLS_RECEIVE, 0, false},
	{NUMMULTIRANGEOID, pgml_binary_decode_receive, NULL, pgml_encode_send, CALLS_RECEIVE, 0, false},
	{DATEMULTIRANGEOID, pgml_binary_decode_receive, NULL, pgml_encode_send, CALLS_RECEIVE, 0, false},
	{TSMULTIRANGEOID, pgml_binary_decode_receive, NULL, pgml_encode_send, CALLS_RECEIVE, 0, false},
	{TSTZMULTIRANGEOID, pgml_binary_decode_receive, NULL, pgml_encode_send, CALLS_RECEIVE, 0, false},
};

static const BinaryType *
find_type(Oid typid)
{
	for (int i = 0; i < (int) lengthof(binary_types); i++)
	{
		if (binary_types[i].typid == typid)
			return &binary_types[i];
	}
	return NULL;
}

/* Look up the function that the decoder may call. */
static void
init_decode_function(PgmlBinary *self, Calls calls)
{
	Oid			funcid;

	if (calls == CALLS_NONE)
		return;
	if (calls == CALLS_RECEIVE)
		getTypeBinaryInputInfo(self->typid, &funcid, &self->ioparam);
	else
		getTypeInputInfo(self->typid, &funcid, &self->ioparam);
	fmgr_info_cxt(funcid, &self->function, CurrentMemoryContext);
}

/* Look up the function that the encoder calls. */
static void
init_encode_function(PgmlBinary *self)
{
	Oid			funcid;
	bool		is_varlena;

	getTypeBinaryOutputInfo(self->typid, &funcid, &is_varlena);
	fmgr_info_cxt(funcid, &self->function, CurrentMemoryContext);
}

/* The element type, if this is the array type of one in the table; int2vector has elements too, but isn't one. */
static Oid
array_element(Oid typid)
{
	Oid			element = get_element_type(typid);

	if (!OidIsValid(element) || find_type(element) == NULL || get_array_type(element) != typid)
		return InvalidOid;
	return element;
}

bool
pgml_binary_init(PgmlBinary *self, Oid typid, int32 typmod, PgmlArena *arena)
{
	const BinaryType *type = find_type(typid);
	Oid			element;

	memset(self, 0, sizeof(PgmlBinary));
	self->typid = self->remote_typid = typid;
	self->typmod = typmod;
	self->arena = arena;
	if (type != NULL)
	{
		self->decode = type->decode;
		if (typmod >= 0 && type->decode_typmod != NULL)
			self->decode = type->decode_typmod;
		self->swap_width = type->swap_width;
		self->is_text = type->is_text;
		self->is_bytes = self->decode == decode_text || self->decode == decode_bytea;
		init_decode_function(self, type->calls);
		return true;
	}

	element = array_element(typid);
	if (!OidIsValid(element))
		return false;
	self->decode = pgml_binary_decode_array;
	self->element = palloc(sizeof(PgmlBinary));
	(void) pgml_binary_init(self->element, element, typmod, arena);
	get_typlenbyvalalign(element, &self->element_len, &self->element_byval,
						 &self->element_align);
	return true;
}

bool
pgml_binary_init_encode(PgmlBinary *self, Oid typid)
{
	const BinaryType *type = find_type(typid);
	Oid			element;

	memset(self, 0, sizeof(PgmlBinary));
	self->typid = typid;
	self->typmod = -1;
	if (type != NULL)
	{
		self->encode = type->encode;
		self->swap_width = type->swap_width;
		self->is_text = type->is_text;
		self->is_bytes = type->encode == pgml_encode_bytes;
		if (type->encode == pgml_encode_send || type->encode == pgml_encode_numeric)
			init_encode_function(self);
		return true;
	}

	element = array_element(typid);
	if (!OidIsValid(element))
		return false;
	self->encode = pgml_encode_array;
	self->element = palloc(sizeof(PgmlBinary));
	(void) pgml_binary_init_encode(self->element, element);
	get_typlenbyvalalign(element, &self->element_len, &self->element_byval,
						 &self->element_align);
	return true;
}

void
pgml_binary_init_receive(PgmlBinary *self, Oid typid, int32 typmod, Oid remote_typid)
{
	memset(self, 0, sizeof(PgmlBinary));
	self->typid = typid;
	self->remote_typid = remote_typid;
	self->typmod = typmod;
	self->decode = pgml_binary_decode_receive;
	init_decode_function(self, CALLS_RECEIVE);
}

void
pgml_binary_init_send(PgmlBinary *self, Oid typid)
{
	memset(self, 0, sizeof(PgmlBinary));
	self->typid = typid;
	self->typmod = -1;
	self->encode = pgml_encode_send;
	init_encode_function(self);
}

/*
 * Types whose bytes are text can stand in for each other: what arrives is what
 * a cast to text would have made of it.  A name is particular: longer text would
 * be cut without a word.
 */
bool
pgml_binary_accepts(const PgmlBinary *self, Oid remote_type)
{
	const BinaryType *remote;

	if (remote_type == self->remote_typid)
		return true;
	if (!self->is_text || self->typid == NAMEOID)
		return false;
	remote = find_type(remote_type);
	return remote != NULL && remote->is_text;
}

/*
 * The other way.  Servers before 17 would take an infinite interval for a very
 * long one, where its text form is an error.
 */
bool
pgml_binary_is_accepted(const PgmlBinary *self, Oid remote_type, int remote_version)
{
	const BinaryType *remote;
	Oid			scalar = self->element != NULL ? self->element->typid : self->typid;

	if (scalar == INTERVALOID && pgml_interval_knows_infinity() && remote_version < 170000)
		return false;
	if (remote_type == self->typid)
		return true;
	if (!self->is_text || remote_type == NAMEOID)
		return false;
	remote = find_type(remote_type);
	return remote != NULL && remote->is_text;
}
