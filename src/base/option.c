/*
 * option.c
 *		Every option, and all that is ever asked about one.
 *
 * Question answered: what may be written into an OPTIONS clause, and what does
 * it say?  One table names each option once: the places where it may stand,
 * what its value looks like, whether libpq takes it, and which field of
 * PgmlOptions (or PgmlImportOptions) it fills.  The validator walks a DDL
 * statement's options through the table; the readers walk a catalog entry's
 * through the same table; the hint for a misspelt name comes from it.
 *
 * Two odd choices.  The libpq keywords are a list of our own, not "all that
 * the linked libpq knows": a newer libpq may bring keywords that let a server
 * option write files or run commands, and none may slip in unseen.  A keyword
 * that the linked libpq is too old for is accepted here and refused by libpq.
 * And the readers never rely on the validator: a server may belong to a
 * wrapper with another validator or none (dblink can name any server), so a
 * reader passes over what the table doesn't allow at that place, and checks
 * the values that it uses.
 *
 * Options that have no field yet are accepted because postgres_fdw has them:
 * its servers and tables may be handed over to this engine as they are.
 */
#include "postgres.h"

#include <math.h>

#include "access/reloptions.h"
#include "catalog/pg_attribute.h"
#include "catalog/pg_foreign_server.h"
#include "catalog/pg_foreign_table.h"
#include "catalog/pg_user_mapping.h"
#include "commands/defrem.h"
#include "commands/extension.h"
#include "fmgr.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/varlena.h"

#include "base/option.h"
#include "base/setting.h"

/* Where an option may stand. */
#define AT_SERVER	0x01
#define AT_TABLE	0x02
#define AT_COLUMN	0x04
#define AT_MAPPING	0x08
#define AT_IMPORT	0x10

/* What its value looks like. */
typedef enum OptionKind
{
	KIND_STRING,
	KIND_BOOL,
	KIND_COUNT,					/* integer above zero */
	KIND_COST,					/* number, zero or more */
	KIND_EXTENSIONS,			/* comma-separated names of extensions */
	KIND_SAMPLING,				/* name of a PgmlSampling */
	KIND_TRANSPORT,				/* name of a PgmlTransport */
	KIND_INSERT_METHOD			/* name of a PgmlInsertMethod */
} OptionKind;

/* Other properties. */
#define IS_LIBPQ			0x01	/* handed on to libpq */
#define SUPERUSER_IN_MAPPING 0x02	/* a mapping may have it by a superuser's hand only */
#define SUPERUSER_TO_WAIVE	0x04	/* only a superuser may say false */

typedef struct PgmlOption
{
	const char *name;
	int			places;
	OptionKind	kind;
	int			flags;
	int			field;			/* offset in the struct that readers fill, or NO_FIELD */
	const char *doc;
} PgmlOption;

#define NO_FIELD (-1)
#define FIELD(f) ((int) offsetof(PgmlOptions, f))
#define IMPORT_FIELD(f) ((int) offsetof(PgmlImportOptions, f))
#define LIBPQ(name, places, doc) {name, places, KIND_STRING, IS_LIBPQ, NO_FIELD, doc}

static const PgmlOption option_table[] = {
	/* which object of the remote */
	{"schema_name", AT_TABLE, KIND_STRING, 0, FIELD(schema_name),
	"schema of the remote table"},
	{"table_name", AT_TABLE, KIND_STRING, 0, FIELD(table_name),
	"name of the remote table"},
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
	{"import_updatable", AT_IMPORT, KIND_BOOL, 0, IMPORT_FIELD(updatable),
	"mark what no role could change there with updatable 'false'"},
};

/* Names of PgmlSampling's values, in their order. */
static const char *const sampling_names[] = {"off", "auto", "random", "system", "bernoulli"};

/* Names of PgmlTransport's values, in their order. */
static const char *const transport_names[] = {"auto", "copy", "row", "cursor"};

/* Names of PgmlInsertMethod's values, in their order. */
static const char *const insert_method_names[] = {"auto", "copy", "values"};

/* The peers' defaults, used where the user has set none. */
#define DEFAULT_BATCH_SIZE 1
#define DEFAULT_FETCH_SIZE 100

PG_FUNCTION_INFO_V1(pgml_fdw_validator);
PG_FUNCTION_INFO_V1(pgml_dblink_fdw_validator);

/* Find an option that may stand at one of these places; NULL if there is none. */
static const PgmlOption *
find_option(const char *name, int places)
{
	for (int i = 0; i < (int) lengthof(option_table); i++)
		if ((option_table[i].places & places) != 0 && strcmp(option_table[i].name, name) == 0)
			return &option_table[i];
	return NULL;
}

/*
 * Find the name that is most like an unknown one: at most half of its letters,
 * and at most 4, differ.  NULL if none is.
 */
static const char *
closest_name(const char *unknown, int places)
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

/* Name the (first) place where an option may stand, for a message. */
static const char *
place_name(const PgmlOption *option)
{
	return (option->places & AT_SERVER) ? "a foreign server" :
		(option->places & AT_TABLE) ? "a foreign table" :
		(option->places & AT_COLUMN) ? "a column of a foreign table" :
		(option->places & AT_MAPPING) ? "a user mapping" : "IMPORT FOREIGN SCHEMA";
}

/* Throw for an option that may not stand here, with a hint at what was meant. */
static void
throw_unknown(const char *name, int places)
{
	const PgmlOption *elsewhere = find_option(name, ~places);
	const char *meant = closest_name(name, places);

	ereport(ERROR,
			(errcode(ERRCODE_FDW_INVALID_OPTION_NAME),
			 errmsg("invalid option \"%s\"", name),
			 elsewhere != NULL ? errhint("It is an option of %s.", place_name(elsewhere)) :
			 places == 0 ? errhint("There are no valid options in this context.") :
			 meant != NULL ? errhint("Perhaps you meant the option \"%s\".", meant) : 0));
}

/* Throw for a value that the option can't have. */
static void
throw_value(const PgmlOption *option, const char *value, const char *accepted)
{
	ereport(ERROR,
			(errcode(ERRCODE_FDW_INVALID_ATTRIBUTE_VALUE),
			 errmsg("invalid value for option \"%s\": \"%s\"", option->name, value),
			 errdetail("%s must be %s (%s).", option->name, accepted, option->doc)));
}

/* Read an integer above zero. */
static int
count_value(const PgmlOption *option, const char *value)
{
	int			result;

	if (!parse_int(value, &result, 0, NULL) || result <= 0)
		throw_value(option, value, "an integer greater than zero");
	return result;
}

/* Read a number that is not negative; neither is infinity a cost. */
static double
cost_value(const PgmlOption *option, const char *value)
{
	double		result;

	if (!parse_real(value, &result, 0, NULL) || !(result >= 0) || isinf(result))
		throw_value(option, value, "a number greater than or equal to zero");
	return result;
}

/* Find a value among the names of an enum; accepted is what a message says of them. */
static int
enum_value(const PgmlOption *option, const char *value, const char *const *names, int n,
		   const char *accepted)
{
	for (int i = 0; i < n; i++)
		if (strcmp(value, names[i]) == 0)
			return i;

	throw_value(option, value, accepted);
	return 0;					/* not reached */
}

static PgmlSampling
sampling_value(const PgmlOption *option, const char *value)
{
	return enum_value(option, value, sampling_names, lengthof(sampling_names),
					  "\"off\", \"auto\", \"random\", \"system\" or \"bernoulli\"");
}

static PgmlTransport
transport_value(const PgmlOption *option, const char *value)
{
	return enum_value(option, value, transport_names, lengthof(transport_names),
					  "\"auto\", \"copy\", \"row\" or \"cursor\"");
}

static PgmlInsertMethod
insert_method_value(const PgmlOption *option, const char *value)
{
	return enum_value(option, value, insert_method_names, lengthof(insert_method_names),
					  "\"auto\", \"copy\" or \"values\"");
}

/* Read a list of extensions; those that are not installed are left out, with a warning if wanted. */
static List *
extensions_value(const PgmlOption *option, const char *value, bool warn)
{
	List	   *names;
	List	   *oids = NIL;
	ListCell   *lc;

	if (!SplitIdentifierString(pstrdup(value), ',', &names))
		throw_value(option, value, "a list of extension names");

	foreach(lc, names)
	{
		const char *name = lfirst(lc);
		Oid			extension = get_extension_oid(name, true);

		if (OidIsValid(extension))
			oids = lappend_oid(oids, extension);
		else if (warn)
			ereport(WARNING,
					(errcode(ERRCODE_UNDEFINED_OBJECT),
					 errmsg("extension \"%s\" is not installed", name)));
	}
	return oids;
}

/* Read an option's value into a field of its kind; throws if it can't be had. */
static void
read_value(const PgmlOption *option, DefElem *def, bool warn, void *field)
{
	switch (option->kind)
	{
		case KIND_STRING:
			*(const char **) field = pstrdup(defGetString(def));
			break;
		case KIND_BOOL:
			*(bool *) field = defGetBoolean(def);
			break;
		case KIND_COUNT:
			*(int *) field = count_value(option, defGetString(def));
			break;
		case KIND_COST:
			*(double *) field = cost_value(option, defGetString(def));
			break;
		case KIND_EXTENSIONS:
			*(List **) field = extensions_value(option, defGetString(def), warn);
			break;
		case KIND_SAMPLING:
			*(PgmlSampling *) field = sampling_value(option, defGetString(def));
			break;
		case KIND_TRANSPORT:
			*(PgmlTransport *) field = transport_value(option, defGetString(def));
			break;
		case KIND_INSERT_METHOD:
			*(PgmlInsertMethod *) field = insert_method_value(option, defGetString(def));
			break;
	}
}

/*
 * Throw if only a superuser may write this.  Removing password_required is
 * not forbidden, and couldn't be: a validator sees the new options only.
 */
static void
check_privilege(const PgmlOption *option, DefElem *def, int place)
{
	if (superuser())
		return;

	if ((option->flags & SUPERUSER_TO_WAIVE) && !defGetBoolean(def))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("%s=false is superuser-only", option->name),
				 errhint("User mappings with the %s option set to false may only be created or modified by the superuser.",
						 option->name)));

	if ((option->flags & SUPERUSER_IN_MAPPING) && place == AT_MAPPING)
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("option \"%s\" of a user mapping is superuser-only", option->name),
				 errhint("User mappings with the %s option set may only be created or modified by the superuser.",
						 option->name)));
}

/* The place that a catalog stands for; 0 where no option is allowed (a wrapper's own). */
static int
place_of_catalog(Oid catalog)
{
	switch (catalog)
	{
		case ForeignServerRelationId:
			return AT_SERVER;
		case ForeignTableRelationId:
			return AT_TABLE;
		case AttributeRelationId:
			return AT_COLUMN;
		case UserMappingRelationId:
			return AT_MAPPING;
		default:
			return 0;
	}
}

/* Check the options that a DDL statement would leave an object with. */
Datum
pgml_fdw_validator(PG_FUNCTION_ARGS)
{
	List	   *options = untransformRelOptions(PG_GETARG_DATUM(0));
	int			place = place_of_catalog(PG_GETARG_OID(1));
	ListCell   *lc;

	foreach(lc, options)
	{
		DefElem    *def = lfirst_node(DefElem, lc);
		const PgmlOption *option = find_option(def->defname, place);
		double		unused;		/* as wide as any field */

		if (option == NULL)
			throw_unknown(def->defname, place);
		read_value(option, def, true, &unused);
		check_privilege(option, def, place);
	}
	PG_RETURN_VOID();
}

/* The same for the wrapper dblink_fdw, whose servers only tell libpq where to connect. */
Datum
pgml_dblink_fdw_validator(PG_FUNCTION_ARGS)
{
	List	   *options = untransformRelOptions(PG_GETARG_DATUM(0));
	int			place = place_of_catalog(PG_GETARG_OID(1));
	ListCell   *lc;

	foreach(lc, options)
	{
		DefElem    *def = lfirst_node(DefElem, lc);
		const PgmlOption *option = find_option(def->defname, place);

		if (option == NULL || (option->flags & IS_LIBPQ) == 0)
			ereport(ERROR,
					(errcode(ERRCODE_FDW_OPTION_NAME_NOT_FOUND),
					 errmsg("invalid option \"%s\"", def->defname),
					 errhint("The options of such a server or user mapping are libpq's.")));
		check_privilege(option, def, place);
	}
	PG_RETURN_VOID();
}

/* Fill the fields that options of one place have; pass over all others. */
static void
read_options(List *options, int place, PgmlOptions *result)
{
	ListCell   *lc;

	foreach(lc, options)
	{
		DefElem    *def = lfirst_node(DefElem, lc);
		const PgmlOption *option = find_option(def->defname, place);

		if (option != NULL && option->field != NO_FIELD)
			read_value(option, def, false, (char *) result + option->field);
	}
}

/* What holds where nothing is said, overridden by the server's options. */
static PgmlOptions *
read_server(Oid serverid)
{
	PgmlOptions *result = palloc0(sizeof(PgmlOptions));

	result->serverid = serverid;
	result->fdw_startup_cost = 100.0;
	result->fdw_tuple_cost = 0.2;
	result->analyze_sampling = PGML_SAMPLING_AUTO;
	result->import_stats = true;
	result->ask_size = true;
	result->updatable = true;
	result->truncatable = true;
	result->remote_defaults = true;
	result->keep_connections = true;

	read_options(GetForeignServer(serverid)->options, AT_SERVER, result);
	return result;
}

/* Tell sizes that were set from the defaults. */
static PgmlOptions *
finish_reading(PgmlOptions *options)
{
	options->batch_size_set = options->batch_size > 0;
	if (!options->batch_size_set)
		options->batch_size = DEFAULT_BATCH_SIZE;
	options->fetch_size_set = options->fetch_size > 0;
	if (!options->fetch_size_set)
		options->fetch_size = DEFAULT_FETCH_SIZE;
	return options;
}

PgmlOptions *
pgml_options_of_server(Oid serverid)
{
	return finish_reading(read_server(serverid));
}

PgmlOptions *
pgml_options_of_table(Oid relid)
{
	ForeignTable *table = GetForeignTable(relid);
	PgmlOptions *result = read_server(table->serverid);

	result->relid = relid;
	result->tables = list_make1_oid(relid);
	read_options(table->options, AT_TABLE, result);
	if (result->schema_name == NULL)
		result->schema_name = get_namespace_name(get_rel_namespace(relid));
	if (result->table_name == NULL)
		result->table_name = get_rel_name(relid);
	return finish_reading(result);
}

PgmlImportOptions
pgml_options_of_import(List *options)
{
	PgmlImportOptions result = {
		.collate = true,
		.default_value = false,
		.generated = true,
		.not_null = true,
		.types = true,
		.comments = true
	};
	ListCell   *lc;

	foreach(lc, options)
	{
		DefElem    *def = lfirst_node(DefElem, lc);
		const PgmlOption *option = find_option(def->defname, AT_IMPORT);

		if (option == NULL)
			throw_unknown(def->defname, AT_IMPORT);
		read_value(option, def, false, (char *) &result + option->field);
	}
	return result;
}

/* Find an option's value in a list, if the option may stand at that place; NULL if it isn't there. */
static const char *
list_value(List *options, int place, const char *name)
{
	ListCell   *lc;

	if (find_option(name, place) == NULL)
		return NULL;
	foreach(lc, options)
	{
		DefElem    *def = lfirst_node(DefElem, lc);

		if (strcmp(def->defname, name) == 0)
			return defGetString(def);
	}
	return NULL;
}

const char *
pgml_option_column_value(Oid relid, AttrNumber attnum, const char *name)
{
	return list_value(GetForeignColumnOptions(relid, attnum), AT_COLUMN, name);
}

const char *
pgml_option_mapping_value(UserMapping *mapping, const char *name)
{
	return list_value(mapping->options, AT_MAPPING, name);
}

const char *
pgml_option_server_value(ForeignServer *server, const char *name)
{
	return list_value(server->options, AT_SERVER, name);
}

bool
pgml_option_libpq_allowed(const char *keyword)
{
	const PgmlOption *option = find_option(keyword, AT_SERVER | AT_MAPPING);

	return option != NULL && (option->flags & IS_LIBPQ) != 0;
}

/*
 * Add those options of a list that libpq takes at that place.  Empty ones are
 * left out: libpq would take them for not given.  A keyword that is there
 * already gets the new value.
 */
static void
collect_params(PgmlConnParams *params, List *options, int place)
{
	ListCell   *lc;

	foreach(lc, options)
	{
		DefElem    *def = lfirst_node(DefElem, lc);
		const PgmlOption *option = find_option(def->defname, place);
		char	   *value;
		int			i;

		if (option == NULL || (option->flags & IS_LIBPQ) == 0)
			continue;
		if (strcmp(option->name, "application_name") == 0)
			value = pgml_setting_expand(defGetString(def));
		else
			value = pstrdup(defGetString(def));
		if (value[0] == '\0')
			continue;

		for (i = 0; i < params->n; i++)
			if (strcmp(params->keywords[i], option->name) == 0)
				break;
		params->keywords[i] = option->name;
		params->values[i] = value;
		params->n = Max(params->n, i + 1);
	}
}

PgmlConnParams *
pgml_options_conn_params(ForeignServer *server, UserMapping *mapping)
{
	PgmlConnParams *params = palloc0(sizeof(PgmlConnParams));
	int			room = list_length(server->options) + list_length(mapping->options) + 1;

	params->keywords = palloc(room * sizeof(char *));
	params->values = palloc(room * sizeof(char *));
	collect_params(params, server->options, AT_SERVER);
	collect_params(params, mapping->options, AT_MAPPING);
	return params;
}
