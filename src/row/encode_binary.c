/*
 * encode_binary.c
 *		How is a value written in binary form?
 *
 * These are the counterparts of the decoders in codec_binary.c, whose table
 * says which one belongs to which type.  They write what the send function of the type would,
 * without the function call and its copy.  Text and all that consists of it
 * has to be written here: send functions convert it to the client_encoding of
 * the local session, while the remote expects the encoding of this database.
 */
#include "postgres.h"

#include <sys/socket.h>

#include "utils/date.h"
#include "utils/inet.h"
#include "utils/jsonb.h"
#include "utils/timestamp.h"
#include "utils/uuid.h"

#include "base/compat.h"
#include "row/codec_binary.h"

/* Append a length, and room for as many bytes: where they begin. */
static inline char *
room_for(StringInfo buf, int len)
{
	char	   *to = pgml_encode_room(buf, len + (int) sizeof(int32));

	pgml_put_int32(to, len);
	return to + sizeof(int32);
}

void
pgml_encode_byte(PgmlBinary *self, Datum value, StringInfo buf)
{
	*room_for(buf, 1) = DatumGetChar(value);
}

void
pgml_encode_int2(PgmlBinary *self, Datum value, StringInfo buf)
{
	pgml_put_int16(room_for(buf, sizeof(int16)), DatumGetInt16(value));
}

void
pgml_encode_int4(PgmlBinary *self, Datum value, StringInfo buf)
{
	pgml_put_int32(room_for(buf, sizeof(int32)), DatumGetInt32(value));
}

void
pgml_encode_int8(PgmlBinary *self, Datum value, StringInfo buf)
{
	pgml_put_int64(room_for(buf, sizeof(int64)), DatumGetInt64(value));
}

void
pgml_encode_float4(PgmlBinary *self, Datum value, StringInfo buf)
{
	float4		number = DatumGetFloat4(value);
	uint32		bits;

	memcpy(&bits, &number, sizeof(bits));
	pgml_put_int32(room_for(buf, sizeof(bits)), bits);
}

void
pgml_encode_float8(PgmlBinary *self, Datum value, StringInfo buf)
{
	float8		number = DatumGetFloat8(value);
	uint64		bits;

	memcpy(&bits, &number, sizeof(bits));
	pgml_put_int64(room_for(buf, sizeof(bits)), bits);
}

void
pgml_encode_timetz(PgmlBinary *self, Datum value, StringInfo buf)
{
	TimeTzADT  *timetz = DatumGetTimeTzADTP(value);
	char	   *to = room_for(buf, sizeof(int64) + sizeof(int32));

	pgml_put_int64(to, timetz->time);
	pgml_put_int32(to + 8, timetz->zone);
}

void
pgml_encode_interval(PgmlBinary *self, Datum value, StringInfo buf)
{
	Interval   *interval = DatumGetIntervalP(value);
	char	   *to = room_for(buf, sizeof(int64) + 2 * sizeof(int32));

	pgml_put_int64(to, interval->time);
	pgml_put_int32(to + 8, interval->day);
	pgml_put_int32(to + 12, interval->month);
}

void
pgml_encode_uuid(PgmlBinary *self, Datum value, StringInfo buf)
{
	memcpy(room_for(buf, UUID_LEN), DatumGetUUIDP(value)->data, UUID_LEN);
}

void
pgml_encode_bytes(PgmlBinary *self, Datum value, StringInfo buf)
{
	struct varlena *bytes = PG_DETOAST_DATUM_PACKED(value);
	int			len = VARSIZE_ANY_EXHDR(bytes);

	memcpy(room_for(buf, len), VARDATA_ANY(bytes), len);
}

void
pgml_encode_name(PgmlBinary *self, Datum value, StringInfo buf)
{
	const char *name = NameStr(*DatumGetName(value));
	int			len = strlen(name);

	memcpy(room_for(buf, len), name, len);
}

/* Write jsonb: a version, then its text form. */
void
pgml_encode_jsonb(PgmlBinary *self, Datum value, StringInfo buf)
{
	Jsonb	   *jsonb = DatumGetJsonbP(value);
	StringInfoData text;
	char	   *to;

	initStringInfo(&text);
	(void) JsonbToCString(&text, &jsonb->root, VARSIZE(jsonb));
	to = room_for(buf, text.len + 1);
	*to++ = 1;
	memcpy(to, text.data, text.len);
	pfree(text.data);
}

/* Write an inet: family, bits of the netmask, that it is no cidr, number of bytes, the bytes. */
void
pgml_encode_inet(PgmlBinary *self, Datum value, StringInfo buf)
{
	inet	   *address = (inet *) PG_DETOAST_DATUM_PACKED(value);
	inet_struct *data = (inet_struct *) VARDATA_ANY(address);
	int			size = data->family == PGSQL_AF_INET ? 4 : 16;
	char	   *to = room_for(buf, 4 + size);

	to[0] = data->family;
	to[1] = data->bits;
	to[2] = 0;
	to[3] = size;
	memcpy(to + 4, data->ipaddr, size);
}

void
pgml_encode_send(PgmlBinary *self, Datum value, StringInfo buf)
{
	bytea	   *bytes = SendFunctionCall(&self->function, value);
	int			len = VARSIZE(bytes) - VARHDRSZ;

	memcpy(room_for(buf, len), VARDATA(bytes), len);
	pfree(bytes);
}
