/*
 * setting.h
 *		The settings (GUCs) of the extension.
 */
#ifndef PGML_BASE_SETTING_H
#define PGML_BASE_SETTING_H

#include "postgres.h"

#include "base/option.h"

/* Define the settings; called by _PG_init. */
extern void pgml_setting_init(void);

/* pgml_fdw.bulk_insert: which statements write local tables in batches. */
typedef enum PgmlBulkInsert
{
	PGML_BULK_INSERT_OFF,
	PGML_BULK_INSERT_ON,		/* those that read foreign tables of this wrapper */
	PGML_BULK_INSERT_ANY_WRAPPER	/* or of any other */
} PgmlBulkInsert;

extern int	pgml_setting_bulk_insert;

/* pgml_fdw.enable_keyed_join: may the planner use the join that plan/path_keyed.c offers? */
extern bool pgml_setting_enable_keyed_join;
/* pgml_fdw.explain_remote: does EXPLAIN show the remote's own plan? */
typedef enum PgmlExplainRemote
{
	PGML_EXPLAIN_REMOTE_OFF,
	PGML_EXPLAIN_REMOTE_ON,
	PGML_EXPLAIN_REMOTE_RUN /* EXPLAIN ANALYZE has the query run there once more */
} PgmlExplainRemote;

extern int	pgml_setting_explain_remote;

/* pgml_fdw.transport: a PgmlTransport; if not AUTO it wins over the option. */
extern int	pgml_setting_transport;

/* pgml_fdw.insert_method: a PgmlInsertMethod, likewise. */
extern int	pgml_setting_insert_method;

/* pgml_fdw.enable_pushdown: may the remote compute anything?  Off, to find out whether it matters. */
extern bool pgml_setting_enable_pushdown;

/*
 * What pgml_fdw.application_name says for a new connection, its %-escapes
 * expanded; empty, never NULL, where it is not set.  If not empty it wins over
 * an application_name among pgml_options_conn_params (already expanded), which
 * wins over the default.
 */
extern char *pgml_setting_application_name(void);

/*
 * Expand the % escapes of an application name; one that isn't known is left
 * out.  What is not printable ASCII becomes a question mark, so that every
 * remote shows the same.
 */
extern char *pgml_setting_expand(const char *name);

#endif							/* PGML_BASE_SETTING_H */
