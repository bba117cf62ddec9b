/*
 * setting.c
 *		The settings (GUCs) of the extension, all under "pgml_fdw.".
 *
 * What belongs to a server or a table is an option (option.c); a setting is
 * for what a session wants to have its own way, for a while.
 */
#include "postgres.h"

#include "commands/dbcommands.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "utils/guc.h"

#include "base/setting.h"

int			pgml_setting_transport = PGML_TRANSPORT_AUTO;
int			pgml_setting_bulk_insert = PGML_BULK_INSERT_ON;
int			pgml_setting_insert_method = PGML_INSERT_AUTO;
bool		pgml_setting_enable_pushdown = true;
bool		pgml_setting_enable_keyed_join = true;
int			pgml_setting_explain_remote = PGML_EXPLAIN_REMOTE_OFF;
static char *application_name_setting = NULL;

static const struct config_enum_entry transport_values[] = {
	{"auto", PGML_TRANSPORT_AUTO, false},
	{"copy", PGML_TRANSPORT_COPY, false},
	{"row", PGML_TRANSPORT_ROW, false},
	{"cursor", PGML_TRANSPORT_CURSOR, false},
	{NULL, 0, false}
};

static const struct config_enum_entry bulk_insert_values[] = {
	{"off", PGML_BULK_INSERT_OFF, false},
	{"on", PGML_BULK_INSERT_ON, false},
	{"any_wrapper", PGML_BULK_INSERT_ANY_WRAPPER, false},
	{"false", PGML_BULK_INSERT_OFF, true},
	{"no", PGML_BULK_INSERT_OFF, true},
	{"0", PGML_BULK_INSERT_OFF, true},
	{"true", PGML_BULK_INSERT_ON, true},
	{"yes", PGML_BULK_INSERT_ON, true},
	{"1", PGML_BULK_INSERT_ON, true},
	{NULL, 0, false}
};

static const struct config_enum_entry explain_remote_values[] = {
	{"off", PGML_EXPLAIN_REMOTE_OFF, false},
	{"on", PGML_EXPLAIN_REMOTE_ON, false},
	{"run", PGML_EXPLAIN_REMOTE_RUN, false},
	{"false", PGML_EXPLAIN_REMOTE_OFF, true},
	{"no", PGML_EXPLAIN_REMOTE_OFF, true},
	{"0", PGML_EXPLAIN_REMOTE_OFF, true},
	{"true", PGML_EXPLAIN_REMOTE_ON, true},
	{"yes", PGML_EXPLAIN_REMOTE_ON, true},
	{"1", PGML_EXPLAIN_REMOTE_ON, true},
	{NULL, 0, false}
};

static const struct config_enum_entry insert_method_values[] = {
	{"auto", PGML_INSERT_AUTO, false},
	{"copy", PGML_INSERT_COPY, false},
	{"values", PGML_INSERT_VALUES, false},
	{NULL, 0, false}
};

void
pgml_setting_init(void)
{
	/*
	 * No check hook, unlike core's application_name: what the escapes bring
	 * in can't be judged here, so the expanded name is made clean instead.
	 */
	DefineCustomStringVariable("pgml_fdw.application_name",
							   "Sets the application name to be used on the remote server.",
							   "Understands the escapes %a, %c, %C, %d, %p, %u and %%.",
							   &application_name_setting,
							   NULL,
							   PGC_USERSET, 0, NULL, NULL, NULL);
	DefineCustomEnumVariable("pgml_fdw.transport",
							 "Sets how rows are fetched, whatever the options of servers and tables say.",
							 "\"auto\" leaves it to the options.",
							 &pgml_setting_transport,
							 PGML_TRANSPORT_AUTO,
							 transport_values,
							 PGC_USERSET, 0, NULL, NULL, NULL);
	DefineCustomEnumVariable("pgml_fdw.bulk_insert",
							 "Sets which INSERT ... SELECT and CREATE TABLE AS write local tables in batches.",
							 "\"on\": those that read foreign tables of this wrapper, \"any_wrapper\": those of others too.",
							 &pgml_setting_bulk_insert,
							 PGML_BULK_INSERT_ON,
							 bulk_insert_values,
							 PGC_USERSET, 0, NULL, NULL, NULL);
	DefineCustomBoolVariable("pgml_fdw.enable_keyed_join",
							 "Enables the planner's use of joins that send the remote the keys of the other side.",
							 "UPDATE and DELETE by such a join don't read the rows first.",
							 &pgml_setting_enable_keyed_join,
							 true,
							 PGC_USERSET, GUC_EXPLAIN, NULL, NULL, NULL);
	DefineCustomEnumVariable("pgml_fdw.explain_remote",
							 "Sets whether EXPLAIN shows the remote's own plan of each remote statement.",
							 "\"run\": EXPLAIN ANALYZE has the query run there once more, and shows how that went.",
							 &pgml_setting_explain_remote,
							 PGML_EXPLAIN_REMOTE_OFF,
							 explain_remote_values,
							 PGC_USERSET, 0, NULL, NULL, NULL);
	DefineCustomEnumVariable("pgml_fdw.insert_method",
							 "Sets how the rows of INSERT are sent, whatever the options of servers and tables say.",
							 "\"auto\" leaves it to the options.",
							 &pgml_setting_insert_method,
							 PGML_INSERT_AUTO,
							 insert_method_values,
							 PGC_USERSET, 0, NULL, NULL, NULL);
	DefineCustomBoolVariable("pgml_fdw.enable_pushdown",
							 "Enables the planner to leave conditions, joins and what follows them to the remote server.",
							 "Where it is off, whole columns are fetched, and whatever is to be computed is computed here.",
							 &pgml_setting_enable_pushdown,
							 true,
							 PGC_USERSET, GUC_EXPLAIN, NULL, NULL, NULL);
}

char *
pgml_setting_expand(const char *name)
{
	StringInfoData buf;

	initStringInfo(&buf);
	for (const char *p = name; *p != '\0'; p++)
	{
		const char *text = NULL;

		if (*p != '%')
		{
			appendStringInfoChar(&buf, *p);
			continue;
		}
		if (*++p == '\0')
			break;
		switch (*p)
		{
			case '%':
				text = "%";
				break;
			case 'a':
				text = application_name;
				break;
			case 'c':
				text = psprintf("%llx.%x", (unsigned long long) MyStartTime, MyProcPid);
				break;
			case 'C':
				text = cluster_name;
				break;
			case 'd':
				text = get_database_name(MyDatabaseId);
				break;
			case 'p':
				text = psprintf("%d", MyProcPid);
				break;
			case 'u':
				text = GetUserNameFromId(GetSessionUserId(), true);
				break;
		}
		if (text != NULL)
			appendStringInfoString(&buf, text);
	}

	for (char *c = buf.data; *c != '\0'; c++)
		if (*c < ' ' || *c > '~')
			*c = '?';
	return buf.data;
}

char *
pgml_setting_application_name(void)
{
	return pgml_setting_expand(application_name_setting != NULL ?
							   application_name_setting : "");
}
