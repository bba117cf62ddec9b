/*
 * option_table.c
 *		Every option: its name, where it may stand, what its value looks like.
 *
 * One table names each option once: the places where it may stand, what its
 * value looks like, whether libpq takes it, and which field of PgmlOptions
 * (or PgmlImportOptions) it fills.  option.c, which reads and checks options,
 * is driven by it; so is the hint for a misspelt name.
 *
 * The libpq keywords are a list of our own, not "all that the linked libpq
 * knows": a newer libpq may bring keywords that let a server option write files
 * or run commands, and none may slip in unseen.  A keyword that the linked libpq
 * is too old for is accepted here and refused by libpq.
 *
 * Options that have no field are accepted because postgres_fdw has them:
 * its servers and tables may be handed over to this engine as they are.
 */
#include "postgres.h"

#include "utils/varlena.h"

#include "base/option.h"
#include "base/option_table.h"

#define LIBPQ(name, places, doc) {name, places, KIND_STRING, IS_LIBPQ, NO_FIELD, doc}

static const PgmlOption option_table[] = {
	/* which object of the remote */
	{"schema_name", AT_TABLE, KIND_STRING, 0, FIELD(schema_name),
	"schema of the remote table"},
	{"table_name", AT_TABLE, KIND_STRING, 0, FIELD(table_name),
	"name of the remote table"},
	{"query", AT_TABLE, KIND_QUERY, 0, FIELD(query),
	"query whose rows the table shows, in the place of a remote table"},
	{"column_name", AT_COLUMN, KIND_STRING, 0, NO_FIELD,
	"name of the remote column"},
	{"type_name", AT_COLUMN, KIND_STRING, 0, NO_FIELD,
	"type of the remote column, where the local one has another name or is text in its place"},
	{"key", AT_COLUMN, KIND_BOOL, 0, NO_FIELD,
	"the column belongs to the key that tells the rows of the remote table apart"},

	/* planning */
	{"use_remote_estimate", AT_SERVER | AT_TABLE, KIND_BOOL, 0, FIELD(use_remote_estimate),
	"ask the remote for cost estimates"},
	{"fdw_startup_cost", AT_SERVER, KIND_COST, 0, FIELD(fdw_startup_cost),
	"cost of starting any foreign scan"},
	{"fdw_tuple_cost", AT_SERVER, KIND_COST, 0, FIELD(fdw_tuple_cost),
	"cost of moving one row over the network"},
	{"extensions", AT_SERVER, KIND_EXTENSIONS, 0, FIELD(extensions),
	"extensions that are the same on both sides, so that their functions may run on the remote"},
	{"analyze_sampling", AT_SERVER | AT_TABLE, KIND_SAMPLING, 0, FIELD(analyze_sampling),
	"how ANALYZE takes its sample on the remote"},
	{"import_stats", AT_SERVER | AT_TABLE, KIND_BOOL, 0, FIELD(import_stats),
	"take statistics from the remote's catalogs instead of from a sample"},
	{"ask_size", AT_SERVER | AT_TABLE, KIND_BOOL, 0, FIELD(ask_size),
	"ask the remote for the size of a table that has no statistics here"},

	/* execution */
	{"transport", AT_SERVER | AT_TABLE, KIND_TRANSPORT, 0, FIELD(transport),
	"how rows are fetched"},
	{"fetch_size", AT_SERVER | AT_TABLE, KIND_COUNT, 0, FIELD(fetch_size),
	"rows fetched at a time where a cursor is used"},
	{"batch_size", AT_SERVER | AT_TABLE, KIND_COUNT, 0, FIELD(batch_size),
	"rows sent in one INSERT"},
	{"insert_method", AT_SERVER | AT_TABLE, KIND_INSERT_METHOD, 0, FIELD(insert_method),
	"how the rows of INSERT are sent"},
	{"remote_defaults", AT_SERVER | AT_TABLE, KIND_BOOL, 0, FIELD(remote_defaults),
	"leave columns that INSERT doesn't set to the remote"},
	{"row_identity", AT_TABLE, KIND_ROW_IDENTITY, 0, FIELD(row_identity),
	"how UPDATE and DELETE find a row again"},
	{"async_capable", AT_SERVER | AT_TABLE, KIND_BOOL, 0, FIELD(async_capable),
	"scans may run at the same time as those of other servers"},
	{"updatable", AT_SERVER | AT_TABLE, KIND_BOOL, 0, FIELD(updatable),
	"INSERT, UPDATE and DELETE are allowed"},
	{"truncatable", AT_SERVER | AT_TABLE, KIND_BOOL, 0, FIELD(truncatable),
	"TRUNCATE is allowed"},

	/* life of the connection */
	{"keep_connections", AT_SERVER, KIND_BOOL, 0, FIELD(keep_connections),
	"keep connections open between transactions"},
	{"parallel_commit", AT_SERVER, KIND_BOOL, 0, FIELD(parallel_commit),
	"commit on several servers at the same time"},
	{"parallel_abort", AT_SERVER, KIND_BOOL, 0, FIELD(parallel_abort),
	"abort on several servers at the same time"},
	{"release_early", AT_SERVER, KIND_BOOL, 0, FIELD(release_early),
	"end a remote transaction that only reads with its last scan"},

	/* who may connect, and as whom */
	LIBPQ("user", AT_MAPPING, "remote role"),
	LIBPQ("password", AT_MAPPING, "password of the remote role"),
	LIBPQ("sslpassword", AT_MAPPING, "password of the client key"),
	{"password_required", AT_MAPPING, KIND_BOOL, SUPERUSER_TO_WAIVE, NO_FIELD,
	"whether the remote must ask a non-superuser for a password"},
	{"use_scram_passthrough", AT_SERVER | AT_MAPPING, KIND_BOOL, 0, NO_FIELD,
	"log in with the keys of the local session's SCRAM authentication"},
	{"sslcert", AT_SERVER | AT_MAPPING, KIND_STRING, IS_LIBPQ | SUPERUSER_IN_MAPPING, NO_FIELD,
	"file with the client certificate"},
	{"sslkey", AT_SERVER | AT_MAPPING, KIND_STRING, IS_LIBPQ | SUPERUSER_IN_MAPPING, NO_FIELD,
	"file with the client key"},
	LIBPQ("gssdelegation", AT_SERVER | AT_MAPPING, "forward GSSAPI credentials"),

	/* the rest of libpq's */
	LIBPQ("service", AT_SERVER, "entry of the connection service file"),
	LIBPQ("host", AT_SERVER, "host name or socket directory"),
	LIBPQ("hostaddr", AT_SERVER, "numeric address of the host"),
	LIBPQ("port", AT_SERVER, "port number"),
	LIBPQ("dbname", AT_SERVER, "database name"),
	LIBPQ("passfile", AT_SERVER, "file with passwords"),
	LIBPQ("options", AT_SERVER, "command-line options for the remote backend"),
	LIBPQ("application_name", AT_SERVER, "name that the remote shows for the session"),
	LIBPQ("connect_timeout", AT_SERVER, "seconds to wait for a connection"),
	LIBPQ("keepalives", AT_SERVER, "whether TCP keepalives are used"),
	LIBPQ("keepalives_idle", AT_SERVER, "seconds of silence before a TCP keepalive"),
	LIBPQ("keepalives_interval", AT_SERVER, "seconds between TCP keepalives"),
	LIBPQ("keepalives_count", AT_SERVER, "TCP keepalives that may be lost"),
	LIBPQ("tcp_user_timeout", AT_SERVER, "milliseconds that data may stay unacknowledged"),
	LIBPQ("channel_binding", AT_SERVER, "disable, prefer or require channel binding"),
	LIBPQ("require_auth", AT_SERVER, "authentication methods that are accepted"),
	LIBPQ("sslmode", AT_SERVER, "whether the connection is encrypted and the server verified"),
	LIBPQ("sslnegotiation", AT_SERVER, "how encryption is negotiated"),
	LIBPQ("sslcompression", AT_SERVER, "whether SSL compresses"),
	LIBPQ("sslcertmode", AT_SERVER, "whether a client certificate is sent"),
	LIBPQ("sslrootcert", AT_SERVER, "file with trusted certificate authorities"),
	LIBPQ("sslcrl", AT_SERVER, "file with revoked certificates"),
	LIBPQ("sslcrldir", AT_SERVER, "directory with revoked certificates"),
	LIBPQ("sslsni", AT_SERVER, "whether the host name is sent in clear when encryption starts"),
	LIBPQ("ssl_min_protocol_version", AT_SERVER, "lowest TLS version"),
	LIBPQ("ssl_max_protocol_version", AT_SERVER, "highest TLS version"),
	LIBPQ("min_protocol_version", AT_SERVER, "lowest version of the PostgreSQL protocol"),
	LIBPQ("max_protocol_version", AT_SERVER, "highest version of the PostgreSQL protocol"),
	LIBPQ("requirepeer", AT_SERVER, "operating system user that the server must run as"),
	LIBPQ("gssencmode", AT_SERVER, "whether GSSAPI encryption is used"),
	LIBPQ("krbsrvname", AT_SERVER, "Kerberos service name"),
	LIBPQ("gsslib", AT_SERVER, "GSSAPI library"),
	LIBPQ("target_session_attrs", AT_SERVER, "what kind of server is accepted"),
	LIBPQ("load_balance_hosts", AT_SERVER, "order in which several hosts are tried"),

	/* IMPORT FOREIGN SCHEMA */
	{"import_collate", AT_IMPORT, KIND_BOOL, 0, IMPORT_FIELD(collate),
	"import collations of columns"},
	{"import_default", AT_IMPORT, KIND_BOOL, 0, IMPORT_FIELD(default_value),
	"import default values of columns"},
	{"import_generated", AT_IMPORT, KIND_BOOL, 0, IMPORT_FIELD(generated),
	"import expressions of generated columns"},
	{"import_not_null", AT_IMPORT, KIND_BOOL, 0, IMPORT_FIELD(not_null),
	"import NOT NULL constraints"},
	{"import_types", AT_IMPORT, KIND_BOOL, 0, IMPORT_FIELD(types),
	"create the types of columns that don't exist here"},
	{"import_comments", AT_IMPORT, KIND_BOOL, 0, IMPORT_FIELD(comments),
	"import comments on tables, columns and types"},
	{"import_check", AT_IMPORT, KIND_BOOL, 0, IMPORT_FIELD(check),
	"import CHECK constraints of tables"},
	{"import_stats", AT_IMPORT, KIND_BOOL, 0, IMPORT_FIELD(stats),
	"take statistics from the remote's catalogs"},
	{"import_updatable", AT_IMPORT, KIND_BOOL, 0, IMPORT_FIELD(updatable),
	"mark what no role could change there with updatable 'false'"},
};

const PgmlOption *
pgml_option_find(const char *name, int places)
{
	for (int i = 0; i < (int) lengthof(option_table); i++)
		if ((option_table[i].places & places) != 0 && strcmp(option_table[i].name, name) == 0)
			return &option_table[i];
	return NULL;
}

const char *
pgml_option_closest_name(const char *unknown, int places)
{
	const int	furthest = 4;
	int			len = strlen(unknown);
	int			best_distance = Min(furthest, len / 2) + 1;
	const char *best = NULL;

	if (len >= NAMEDATALEN)
		return NULL;

	for (int i = 0; i < (int) lengthof(option_table); i++)
	{
		const PgmlOption *option = &option_table[i];
		int			distance;

		if ((option->places & places) == 0)
			continue;
		distance = varstr_levenshtein_less_equal(unknown, len,
												 option->name, strlen(option->name),
												 1, 1, 1, furthest, true);
		if (distance < best_distance)
		{
			best_distance = distance;
			best = option->name;
		}
	}
	return best;
}

const char *
pgml_option_place_name(const PgmlOption *option)
{
	return (option->places & AT_SERVER) ? "a foreign server" :
		(option->places & AT_TABLE) ? "a foreign table" :
		(option->places & AT_COLUMN) ? "a column of a foreign table" :
		(option->places & AT_MAPPING) ? "a user mapping" : "IMPORT FOREIGN SCHEMA";
}
