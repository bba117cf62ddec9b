/*
 * engine.h
 *		Whose code serves a foreign data wrapper: ours, or postgres_fdw's.
 */
#ifndef PGML_SQLFUNC_ENGINE_H
#define PGML_SQLFUNC_ENGINE_H

#include "postgres.h"

/* A handler and validator that belong together. */
typedef struct PgmlEngine
{
	Oid			extension;
	Oid			handler;
	Oid			validator;
} PgmlEngine;

/* Find our functions, those of the extension that the function "sibling" is a member of. */
extern PgmlEngine pgml_engine_ours(Oid sibling);

/* Find postgres_fdw's; throws if that extension is not installed and missing_ok is false. */
extern PgmlEngine pgml_engine_postgres_fdw(bool missing_ok);

#endif							/* PGML_SQLFUNC_ENGINE_H */
