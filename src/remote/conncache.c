/*
 * conncache.c
 *		The connections that take part in the local transaction.
 *
 * One for each user mapping and role: two roles that share a PUBLIC mapping
 * don't share a connection, since the security checks were made for one of
 * them.  A slot is kept as long as anybody could hold a pointer to it, that is
 * until another transaction asks for one and no source is left behind by a
 * procedure that has caught its error; what the network has of it is dropped
 * when the transaction ends, if it isn't to be kept or its options have changed.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_foreign_server.h"
#include "catalog/pg_user_mapping.h"
#include "utils/hsearch.h"
#include "utils/inval.h"
#include "utils/syscache.h"

#include "remote/command.h"
#include "remote/conncache.h"
#include "remote/security.h"
#include "remote/xact.h"

typedef struct CacheKey
{
	Oid			umid;
	Oid			userid;
} CacheKey;

typedef struct CacheEntry
{
	CacheKey	key;
	PgmlConn   *conn;
} CacheEntry;

static HTAB *cache = NULL;

/*
 * Mark what an ALTER or DROP of a server, mapping or wrapper concerns; dblink's
 * connections too, where it means nothing for those that hold session state.
 */
static void
invalidate(Datum arg, int cacheid, uint32 hashvalue)
{
	dlist_iter	iter;

	dlist_foreach(iter, &pgml_connections)
	{
		PgmlConn   *conn = dlist_container(PgmlConn, node, iter.cur);

		if (hashvalue == 0 || cacheid == FOREIGNDATAWRAPPEROID ||
			(cacheid == FOREIGNSERVEROID && hashvalue == conn->server_hash) ||
			(cacheid == USERMAPPINGOID && hashvalue == conn->mapping_hash))
			conn->invalidated = true;
	}
}

void
pgml_conncache_init(void)
{
	CacheRegisterSyscacheCallback(FOREIGNSERVEROID, invalidate, (Datum) 0);
	CacheRegisterSyscacheCallback(USERMAPPINGOID, invalidate, (Datum) 0);
	CacheRegisterSyscacheCallback(FOREIGNDATAWRAPPEROID, invalidate, (Datum) 0);
}

static void
create_cache(void)
{
	HASHCTL		ctl;

	ctl.keysize = sizeof(CacheKey);
	ctl.entrysize = sizeof(CacheEntry);
	cache = hash_create("pgml_fdw connections", 8, &ctl, HASH_ELEM | HASH_BLOBS);
}

/* Free slots that are out of use, stale, and that nobody of this transaction can know. */
static void
forget_stale(void)
{
	HASH_SEQ_STATUS scan;
	CacheEntry *entry;

	hash_seq_init(&scan, cache);
	while ((entry = hash_seq_search(&scan)) != NULL)
	{
		if (entry->conn->pg == NULL && entry->conn->invalidated &&
			entry->conn->used_in != pgml_xact_number && entry->conn->sources == 0)
		{
			pgml_connection_free(entry->conn);
			hash_search(cache, &entry->key, HASH_REMOVE, NULL);
		}
	}
}

PgmlConn *
pgml_conncache_get(UserMapping *mapping)
{
	CacheKey	key = {mapping->umid, mapping->userid};
	CacheEntry *entry;

	if (cache == NULL)
		create_cache();

	entry = hash_search(cache, &key, HASH_FIND, NULL);
	if (entry == NULL)
	{
		PgmlConn   *conn;

		forget_stale();
		conn = pgml_connection_create(mapping, CacheMemoryContext);
		pgml_xact_join(conn);
		entry = hash_search(cache, &key, HASH_ENTER, NULL);
		entry->conn = conn;
	}
	entry->conn->used_in = pgml_xact_number;
	return entry->conn;
}

PgmlConn *
pgml_conncache_get_for(Oid serverid, Oid userid)
{
	return pgml_conncache_get(pgml_security_mapping(userid, serverid));
}

bool
pgml_conncache_disconnect(Oid serverid)
{
	HASH_SEQ_STATUS scan;
	CacheEntry *entry;
	bool		closed = false;

	if (cache == NULL)
		return false;

	hash_seq_init(&scan, cache);
	while ((entry = hash_seq_search(&scan)) != NULL)
	{
		PgmlConn   *conn = entry->conn;

		if (conn->pg == NULL || (OidIsValid(serverid) && conn->serverid != serverid))
			continue;
		if (conn->depth > 0 || (conn->wire != PGML_WIRE_IDLE && conn->late == NULL))
		{
			ereport(WARNING,
					(errcode(ERRCODE_OBJECT_IN_USE),
					 errmsg("cannot close connection for server \"%s\" because it is still in use",
							conn->name)));
			continue;
		}
		pgml_connection_drop(conn);
		closed = true;
	}
	return closed;
}

void
pgml_conncache_visit(void (*visit) (PgmlConn *conn, void *arg), void *arg)
{
	HASH_SEQ_STATUS scan;
	CacheEntry *entry;

	if (cache == NULL)
		return;

	hash_seq_init(&scan, cache);
	while ((entry = hash_seq_search(&scan)) != NULL)
		if (entry->conn->pg != NULL)
			visit(entry->conn, arg);
}
