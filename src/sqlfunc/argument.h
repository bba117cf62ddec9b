/*
 * argument.h
 *		Arguments of SQL functions that aren't STRICT, by the names that they have there.
 */
#ifndef PGML_SQLFUNC_ARGUMENT_H
#define PGML_SQLFUNC_ARGUMENT_H

#include "postgres.h"
#include "fmgr.h"
#include "nodes/pg_list.h"

/* Throw if the argument is null. */
extern void pgml_argument_check(FunctionCallInfo fcinfo, int arg, const char *name);

/* A text or a name that must be there, in the current context; throws. */
extern char *pgml_argument_text(FunctionCallInfo fcinfo, int arg, const char *name);
extern char *pgml_argument_name(FunctionCallInfo fcinfo, int arg, const char *name);

/* A name[] as a list of strings in the current context; null: NIL.  Throws if it is empty or holds nulls. */
extern List *pgml_argument_names(FunctionCallInfo fcinfo, int arg, const char *name);

#endif							/* PGML_SQLFUNC_ARGUMENT_H */
