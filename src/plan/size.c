/*
 * size.c
 *		What is asked of the remote while planning: sizes, its default collation and version.
 *
 * Question answered: this table has no statistics (nobody has run ANALYZE), so
 * with how many rows shall the planner reckon?  The remote knows, and is asked,
 * once in a session and in one round trip for all tables of a statement.  The
 * answer is kept, by foreign table, until its definition or its server's
 * changes, or SIZE_LASTS_MS have passed: sessions of a pool live long, and
 * tables grow.
 *
 * The same question tells whether the default collation of the remote's database is
 * ours, without which no order of text is shipped.  If all sizes are known, it is
 * asked for that alone, where the statement's meaning hangs on it.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_class.h"
#include "foreign/fdwapi.h"
#include "miscadmin.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/plancat.h"
#include "storage/bufpage.h"
#include "utils/hsearch.h"
#include "utils/inval.h"
#include "utils/syscache.h"
#include "utils/timestamp.h"

#include "base/compat.h"
#include "plan/ask.h"
#include "plan/relinfo.h"
#include "plan/size.h"
#include "query/deparse.h"
#include "query/shippable.h"
#include "remote/command.h"
#include "remote/tablesize.h"

/* How long an answer is believed: plans change with orders of magnitude, not from minute to minute. */
#define SIZE_LASTS_MS (10 * 60 * 1000)

/* What the remote has said of a foreign table. */
typedef struct SizeEntry
{
	Oid			relid;
	TimestampTz asked_at;
	bool		known;
	double		pages;
	double		rows;
	double		uncounted;
} SizeEntry;

/* What the database of a server has said of its default collation. */
typedef struct CollationEntry
{
	Oid			serverid;
	TimestampTz asked_at;
	bool		same;			/* as ours */
	int			server_version;
} CollationEntry;

/* The tables that a statement wants to know about. */
typedef struct Wanted
{
	Oid			serverid;
	List	   *relids;
} Wanted;

/* What is asked. */
typedef struct Question
{
	Oid			serverid;
	List	   *relids;
} Question;

static HTAB *sizes = NULL;
static HTAB *collations = NULL;

/* Forget what was said of a table whose definition changes; InvalidOid: of all. */
static void
forget_relation(Datum arg, Oid relid)
{
	HASH_SEQ_STATUS scan;
	SizeEntry  *entry;

	if (OidIsValid(relid))
	{
		hash_search(sizes, &relid, HASH_REMOVE, NULL);
		return;
	}
	hash_seq_init(&scan, sizes);
	while ((entry = hash_seq_search(&scan)) != NULL)
		hash_search(sizes, &entry->relid, HASH_REMOVE, NULL);
}

/* A server or a user mapping changes, which is rare enough to forget all. */
static void
forget_all(Datum arg, int cacheid, uint32 hashvalue)
{
	HASH_SEQ_STATUS scan;
	CollationEntry *entry;

	forget_relation(arg, InvalidOid);
	hash_seq_init(&scan, collations);
	while ((entry = hash_seq_search(&scan)) != NULL)
		hash_search(collations, &entry->serverid, HASH_REMOVE, NULL);
}

static void
create_caches(void)
{
	HASHCTL		ctl;

	ctl.keysize = sizeof(Oid);
	ctl.entrysize = sizeof(CollationEntry);
	collations = hash_create("pgml_fdw default collations", 16, &ctl, HASH_ELEM | HASH_BLOBS);

	ctl.keysize = sizeof(Oid);
	ctl.entrysize = sizeof(SizeEntry);
	sizes = hash_create("pgml_fdw sizes", 64, &ctl, HASH_ELEM | HASH_BLOBS);
	CacheRegisterRelcacheCallback(forget_relation, (Datum) 0);
	CacheRegisterSyscacheCallback(FOREIGNSERVEROID, forget_all, (Datum) 0);
	CacheRegisterSyscacheCallback(USERMAPPINGOID, forget_all, (Datum) 0);
}

/* What was said of a table, however long ago; NULL: nothing. */
static SizeEntry *
find_entry(Oid relid)
{
	return hash_search(sizes, &relid, HASH_FIND, NULL);
}

static bool
is_late(TimestampTz asked_at)
{
	return TimestampDifferenceExceeds(asked_at, GetCurrentTimestamp(), SIZE_LASTS_MS);
}

/* Was it said lately? */
static bool
is_fresh(const SizeEntry *entry)
{
	return entry != NULL && !is_late(entry->asked_at);
}

/* Has nobody run ANALYZE on the table? */
static bool
is_unknown(Oid relid)
{
	HeapTuple	tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(relid));
	bool		unknown;

	if (!HeapTupleIsValid(tuple))
		return false;
	unknown = ((Form_pg_class) GETSTRUCT(tuple))->reltuples < 0;
	ReleaseSysCache(tuple);
	return unknown;
}

/* Walker: collect the server's tables of which nothing is known. */
static bool
collect_wanted(Node *node, void *context)
{
	Wanted	   *wanted = context;

	if (node == NULL)
		return false;
	if (IsA(node, Query))
		return query_tree_walker((Query *) node, collect_wanted, context,
								 QTW_EXAMINE_RTES_BEFORE);
	if (IsA(node, RangeTblEntry))
	{
		RangeTblEntry *rte = (RangeTblEntry *) node;

		if (rte->rtekind == RTE_RELATION && rte->relkind == RELKIND_FOREIGN_TABLE &&
			GetForeignServerIdByRelId(rte->relid) == wanted->serverid &&
			is_unknown(rte->relid) && !is_fresh(find_entry(rte->relid)) &&
			pgml_options_of_table(rte->relid)->ask_size)
			wanted->relids = list_append_unique_oid(wanted->relids, rte->relid);
		return false;
	}
	return expression_tree_walker(node, collect_wanted, context);
}

/* Make the list of tables to ask about: relid and all others of the statement. */
static List *
list_wanted(PlannerInfo *root, Oid serverid, Oid relid)
{
	Wanted		wanted = {serverid, list_make1_oid(relid)};

	while (root->parent_root != NULL)
		root = root->parent_root;
	collect_wanted((Node *) root->parse, &wanted);
	return wanted.relids;
}

/* Put the tables' names into the form in which the remote is asked. */
static PgmlTableSize *
name_tables(List *relids)
{
	PgmlTableSize *tables = palloc0(sizeof(PgmlTableSize) * list_length(relids));
	ListCell   *lc;

	foreach(lc, relids)
	{
		PgmlOptions *options = pgml_options_of_table(lfirst_oid(lc));
		PgmlTableSize *table = &tables[foreach_current_index(lc)];
		StringInfoData buf;

		initStringInfo(&buf);
		pgml_deparse_relation(&buf, options);
		table->schema = options->schema_name;
		table->name = options->table_name;
		table->sql_name = buf.data;
	}
	return tables;
}

/* Write down the answers. */
static void
keep_answers(const Question *question, const PgmlTableSize *tables, bool same_collation,
			 int server_version)
{
	TimestampTz now = GetCurrentTimestamp();
	CollationEntry *collation = hash_search(collations, &question->serverid, HASH_ENTER, NULL);
	ListCell   *lc;

	collation->asked_at = now;
	collation->same = same_collation;
	collation->server_version = server_version;
	foreach(lc, question->relids)
	{
		const PgmlTableSize *table = &tables[foreach_current_index(lc)];
		SizeEntry  *entry = hash_search(sizes, &lfirst_oid(lc), HASH_ENTER, NULL);

		entry->asked_at = now;
		entry->known = table->known;
		entry->pages = table->pages;
		entry->rows = table->rows;
		entry->uncounted = table->uncounted;
	}
}

/* Callback: ask. */
static void
ask(PgmlConn *conn, void *arg)
{
	Question   *question = arg;
	PgmlTableSize *tables = name_tables(question->relids);
	bool		same_collation;

	if (!pgml_tablesize_ask(conn, tables, list_length(question->relids), &same_collation))
		ereport(ERROR,
				(errcode(ERRCODE_FDW_ERROR),
				 errmsg("server \"%s\" doesn't tell the sizes of its tables", conn->name)));
	keep_answers(question, tables, same_collation, conn->caps.server_version);
}

/* How many rows fit into a page, as core guesses it for a table that it hasn't analyzed. */
static double
guess_density(Oid relid)
{
	Size		tuple_width = get_relation_data_width(relid, NULL) +
		MAXALIGN(SizeofHeapTupleHeader) + sizeof(ItemIdData);

	return Max((BLCKSZ - SizeOfPageHeaderData) / tuple_width, 1);
}

/* Does the statement need to know more of the remote's collation, or its version, than is known? */
static bool
wants_collation(PlannerInfo *root, Oid serverid)
{
	CollationEntry *entry = hash_search(collations, &serverid, HASH_FIND, NULL);

	return (entry == NULL || is_late(entry->asked_at)) &&
		(pgml_needs_same_collation(root->parse) || pgml_needs_version(root->parse));
}

void
pgml_size_ask(PlannerInfo *root, RelOptInfo *rel, PgmlOptions *options)
{
	bool		unsized = rel->tuples < 0 && options->ask_size;

	if (sizes == NULL)
		create_caches();
	unsized = unsized && !is_fresh(find_entry(options->relid));

	if (unsized || wants_collation(root, options->serverid))
	{
		Question	question = {
			.serverid = options->serverid,
			.relids = unsized ? list_wanted(root, options->serverid, options->relid) : NIL
		};

		pgml_ask_server(options->serverid, pgml_relinfo_userid(rel), ask, &question);
	}

	options->same_collation = pgml_size_same_collation(options->serverid);
	options->server_version = pgml_size_server_version(options->serverid);
}

int
pgml_size_server_version(Oid serverid)
{
	CollationEntry *entry = NULL;

	if (collations != NULL)
		entry = hash_search(collations, &serverid, HASH_FIND, NULL);
	return entry != NULL ? entry->server_version : 0;
}

bool
pgml_size_same_collation(Oid serverid)
{
	CollationEntry *entry = NULL;

	if (collations != NULL)
		entry = hash_search(collations, &serverid, HASH_FIND, NULL);
	return entry != NULL && entry->same;
}

bool
pgml_size_find(const PgmlOptions *options, double *pages, double *rows)
{
	SizeEntry  *entry = find_entry(options->relid);

	if (entry == NULL || !entry->known)
		return false;
	*pages = entry->pages;
	*rows = entry->rows + entry->uncounted * guess_density(options->relid);
	return true;
}
