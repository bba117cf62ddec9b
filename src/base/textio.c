/*
 * textio.c
 *		Settings under which values become text for a remote server.
 *
 * A GUC nest level, as a function with a SET clause has one, is what undoes
 * the settings: core closes it too when the transaction aborts.  Each setting
 * is looked at first, because setting search_path makes core forget its
 * namespace cache.
 */
#include "postgres.h"

#include "catalog/namespace.h"
#include "miscadmin.h"
#include "utils/bytea.h"
#include "utils/float.h"
#include "utils/guc.h"

#include "base/textio.h"

static void
set_local(const char *name, const char *value)
{
	(void) set_config_option(name, value, PGC_USERSET, PGC_S_SESSION,
							 GUC_ACTION_SAVE, true, 0, false);
}

/* Set what differs from the portable settings; the result is for pgml_textio_end. */
int
pgml_textio_begin(void)
{
	int			nestlevel = NewGUCNestLevel();

	if (DateStyle != USE_ISO_DATES)
		set_local("datestyle", "ISO");
	if (IntervalStyle != INTSTYLE_POSTGRES)
		set_local("intervalstyle", "postgres");
	/* any positive number gives the shortest exact form */
	if (extra_float_digits <= 0)
		set_local("extra_float_digits", "1");
	if (bytea_output != BYTEA_OUTPUT_HEX)
		set_local("bytea_output", "hex");

	/* so that all but pg_catalog's objects are printed with their schema */
	if (namespace_search_path == NULL ||
		strcmp(namespace_search_path, "pg_catalog") != 0)
		set_local("search_path", "pg_catalog");
	if (strcmp(GetConfigOption("lc_monetary", false, false), "C") != 0)
		set_local("lc_monetary", "C");

	return nestlevel;
}

/* Put the settings back. */
void
pgml_textio_end(int nestlevel)
{
	AtEOXact_GUC(true, nestlevel);
}
