/*
 * exttype.c
 *		Which type of the remote is pgvector's vector?
 *
 * A built-in type has the same OID everywhere, which is what proves that binary
 * values can be read.  A type that an extension makes has another OID in each
 * database, so here the proof is the remote's catalogs: the OID of the type of
 * that name which belongs to the extension of that name.  They are asked once
 * per network connection, and only by queries that have such columns.
 *
 * The table below holds types whose binary form has never changed since they
 * came, and depends on no setting: a vector is two int16 (dimensions, zero)
 * and its float4s, a halfvec the same with float2s, a sparsevec three int32
 * (dimensions, elements, zero), the int32 indices and the float4s.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/dependency.h"
#include "catalog/pg_type.h"
#include "commands/extension.h"
#include "utils/builtins.h"
#include "utils/syscache.h"

#include "remote/command.h"
#include "remote/exttype.h"

#define EXTENSION "vector"

static const char *const type_names[PGML_NUM_EXTTYPES] = {"vector", "halfvec", "sparsevec"};

/* The place of a name in the table, or -1. */
static int
find_name(const char *name)
{
	for (int i = 0; i < PGML_NUM_EXTTYPES; i++)
	{
		if (strcmp(type_names[i], name) == 0)
			return i;
	}
	return -1;
}

int
pgml_exttype_find(Oid typid)
{
	HeapTuple	tuple = SearchSysCache1(TYPEOID, ObjectIdGetDatum(typid));
	int			n;
	char	   *owner;

	if (!HeapTupleIsValid(tuple))
		return -1;
	n = find_name(NameStr(((Form_pg_type) GETSTRUCT(tuple))->typname));
	ReleaseSysCache(tuple);
	if (n < 0)
		return -1;

	owner = get_extension_name(getExtensionOfObject(TypeRelationId, typid));
	return owner != NULL && strcmp(owner, EXTENSION) == 0 ? n : -1;
}

/* Ask for the OIDs of all types of the table. */
static void
ask(PgmlConn *conn)
{
	PgmlResult *res;

	memset(conn->exttypes, 0, sizeof(conn->exttypes));
	res = pgml_command_read(conn,
							"SELECT t.typname, t.oid FROM pg_catalog.pg_extension AS e"
							" JOIN pg_catalog.pg_depend AS d ON d.refobjid = e.oid"
							" AND d.refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass"
							" AND d.classid = 'pg_catalog.pg_type'::pg_catalog.regclass"
							" AND d.deptype = 'e'"
							" JOIN pg_catalog.pg_type AS t ON t.oid = d.objid"
							" WHERE e.extname = '" EXTENSION "'");
	for (int row = 0; pgml_result_ncols(res) == 2 && row < pgml_result_nrows(res); row++)
	{
		const char *name = pgml_result_value(res, row, 0);
		const char *oid = pgml_result_value(res, row, 1);
		int			n = name != NULL ? find_name(name) : -1;

		if (n >= 0 && oid != NULL)
			conn->exttypes[n] = (Oid) strtoul(oid, NULL, 10);
	}
	pgml_result_free(res);
	conn->exttypes_known = true;
}

Oid
pgml_exttype_remote_oid(PgmlConn *conn, int n)
{
	Assert(n >= 0 && n < PGML_NUM_EXTTYPES);

	/* a new connection may be to another database */
	if (!conn->exttypes_known || !pgml_connection_is_open(conn))
		ask(conn);
	return conn->exttypes[n];
}
