/*
 * option.c
 *		All that is ever asked about options.
 *
 * Question answered: what may be written into an OPTIONS clause, and what does
 * it say?  option_table.c has the options.  The validator walks a DDL
 * statement's options through that table; the readers walk a catalog entry's
 * through the same table.
 *
 * An odd choice: the readers never rely on the validator.  A server may belong to a
 * wrapper with another validator or none (dblink can name any server), so a
 * reader passes over what the table doesn't allow at that place, and checks
 * the values that it uses.
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
#include "parser/parser.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/varlena.h"

#include "base/option.h"
#include "base/option_table.h"
#include "base/setting.h"

/* Names of PgmlSampling's values, in their order. */
static const char *const sampling_names[] = {"off", "auto", "random", "system", "bernoulli"};

/* Names of PgmlTransport's values, in their order. */
static const char *const transport_names[] = {"auto", "copy", "row", "cursor"};

/* Names of PgmlInsertMethod's values, in their order. */
static const char *const insert_method_names[] = {"auto", "copy", "values"};

/* Names of PgmlRowIdentity's values, in their order. */
static const char *const row_identity_names[] = {"ctid", "key"};

/* The peers' defaults, used where the user has set none. */
#define DEFAULT_BATCH_SIZE 1
#define DEFAULT_FETCH_SIZE 100

PG_FUNCTION_INFO_V1(pgml_fdw_validator);
PG_FUNCTION_INFO_V1(pgml_dblink_fdw_validator);

/* Throw for an option that may not stand here, with a hint at what was meant. */
static void
throw_unknown(const char *name, int places)
{
	const PgmlOption *elsewhere = pgml_option_find(name, ~places);
	const char *meant = pgml_option_closest_name(name, places);

	ereport(ERROR,
			(errcode(ERRCODE_FDW_INVALID_OPTION_NAME),
			 errmsg("invalid option \"%s\"", name),
			 elsewhere != NULL ? errhint("It is an option of %s.", pgml_option_place_name(elsewhere)) :
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

static PgmlRowIdentity
row_identity_value(const PgmlOption *option, const char *value)
{
	return enum_value(option, value, row_identity_names, lengthof(row_identity_names),
					  "\"ctid\" or \"key\"");
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

/* Callback: say where in an option's value an error is, not where in the statement. */
static void
value_context(void *value)
{
	internalerrposition(geterrposition());
	internalerrquery((const char *) value);
	errposition(0);
}

/*
 * Read a query, without what may be behind it: it becomes a subquery, so it must
 * be one SELECT, and nothing that could end the subquery.
 */
static char *
query_value(const PgmlOption *option, const char *value)
{
	ErrorContextCallback where = {error_context_stack, value_context, unconstify(char *, value)};
	List	   *statements;
	RawStmt    *raw;

	error_context_stack = &where;
	statements = raw_parser(value, RAW_PARSE_DEFAULT);
	error_context_stack = where.previous;

	raw = list_length(statements) == 1 ? linitial_node(RawStmt, statements) : NULL;
	if (raw == NULL || !IsA(raw->stmt, SelectStmt) || ((SelectStmt *) raw->stmt)->intoClause != NULL)
		throw_value(option, value, "one SELECT");

	/* a length is known where a semicolon ends it */
	value += Max(raw->stmt_location, 0);
	return raw->stmt_len > 0 ? pnstrdup(value, raw->stmt_len) : pstrdup(value);
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
		case KIND_QUERY:
			*(const char **) field = query_value(option, defGetString(def));
			break;
		case KIND_INSERT_METHOD:
			*(PgmlInsertMethod *) field = insert_method_value(option, defGetString(def));
			break;
		case KIND_ROW_IDENTITY:
			*(PgmlRowIdentity *) field = row_identity_value(option, defGetString(def));
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

/* Find an option's value in a list, if the option may stand at that place; NULL if it isn't there. */
static const char *
list_value(List *options, int place, const char *name)
{
	ListCell   *lc;

	if (pgml_option_find(name, place) == NULL)
		return NULL;
	foreach(lc, options)
	{
		DefElem    *def = lfirst_node(DefElem, lc);

		if (strcmp(def->defname, name) == 0)
			return defGetString(def);
	}
	return NULL;
}

/* Throw if a foreign table is to be both a query and a table. */
static void
check_query(List *options, int place)
{
	if (list_value(options, place, "query") != NULL &&
		(list_value(options, place, "table_name") != NULL ||
		 list_value(options, place, "schema_name") != NULL))
		ereport(ERROR,
				(errcode(ERRCODE_FDW_INVALID_OPTION_NAME),
				 errmsg("a foreign table with the option \"query\" has no \"table_name\" and \"schema_name\"")));
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
		const PgmlOption *option = pgml_option_find(def->defname, place);
		double		unused;		/* as wide as any field */

		if (option == NULL)
			throw_unknown(def->defname, place);
		read_value(option, def, true, &unused);
		check_privilege(option, def, place);
	}
	check_query(options, place);
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
		const PgmlOption *option = pgml_option_find(def->defname, place);

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
		const PgmlOption *option = pgml_option_find(def->defname, place);

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
	result->async_capable = true;
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
	if (result->query != NULL)
	{
		result->table_name = get_rel_name(relid);
		result->updatable = result->truncatable = false;
		result->import_stats = result->ask_size = false;
		result->analyze_sampling = PGML_SAMPLING_OFF;
	}
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
		.comments = true,
		.stats = true
	};
	ListCell   *lc;

	foreach(lc, options)
	{
		DefElem    *def = lfirst_node(DefElem, lc);
		const PgmlOption *option = pgml_option_find(def->defname, AT_IMPORT);

		if (option == NULL)
			throw_unknown(def->defname, AT_IMPORT);
		read_value(option, def, false, (char *) &result + option->field);
	}
	return result;
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
	const PgmlOption *option = pgml_option_find(keyword, AT_SERVER | AT_MAPPING);

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
		const PgmlOption *option = pgml_option_find(def->defname, place);
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
