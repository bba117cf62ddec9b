/*
 * arguments.h
 *		Local values as parameters of remote statements.
 */
#ifndef PGML_EXEC_ARGUMENTS_H
#define PGML_EXEC_ARGUMENTS_H

#include "postgres.h"
#include "fmgr.h"

#include "remote/command.h"

/* The owner fills datums and nulls before each use. */
typedef struct PgmlArguments
{
	int			n;
	Datum	   *datums;
	bool	   *nulls;
	FmgrInfo   *output;			/* output function of each */
	const char **texts;
	PgmlParams	params;
} PgmlArguments;

/*
 * Make arguments of these local types, in the current context.  announce: tell
 * the remote those types that it must know too; else it infers all of them.
 */
extern PgmlArguments *pgml_arguments_create(int n, const Oid *types, bool announce);

/*
 * Turn the values into text that means the same on the remote; the texts are
 * allocated in the current context.
 */
extern const PgmlParams *pgml_arguments_print(PgmlArguments *args);

#endif							/* PGML_EXEC_ARGUMENTS_H */
