/*
 * arguments.c
 *		Turns local values into parameters of remote statements.
 *
 * Parameters travel as text: it is what both sides agree on, whatever types
 * the remote has declared.  The text must not depend on local settings like
 * DateStyle, so it is printed under those that base/textio.h establishes.  The
 * values are computed by the caller before that, since computing them may
 * run arbitrary functions, which must see the user's settings.
 */
#include "postgres.h"

#include "access/transam.h"
#include "utils/lsyscache.h"

#include "base/textio.h"
#include "exec/arguments.h"

PgmlArguments *
pgml_arguments_create(int n, const Oid *types, bool announce)
{
	PgmlArguments *args = palloc0(sizeof(PgmlArguments));
	Oid		   *announced = announce ? palloc0(sizeof(Oid) * Max(n, 1)) : NULL;

	args->n = n;
	args->datums = palloc0(sizeof(Datum) * Max(n, 1));
	args->nulls = palloc0(sizeof(bool) * Max(n, 1));
	args->output = palloc0(sizeof(FmgrInfo) * Max(n, 1));
	args->texts = palloc0(sizeof(char *) * Max(n, 1));
	args->params.n = n;
	args->params.types = announced;
	args->params.values = args->texts;

	for (int i = 0; i < n; i++)
	{
		Oid			output;
		bool		varlena;

		getTypeOutputInfo(types[i], &output, &varlena);
		fmgr_info(output, &args->output[i]);

		/* the OIDs of types that initdb didn't make mean nothing elsewhere */
		if (announce && types[i] < FirstGenbkiObjectId)
			announced[i] = types[i];
	}
	return args;
}

const PgmlParams *
pgml_arguments_print(PgmlArguments *args)
{
	int			nestlevel = pgml_textio_begin();

	for (int i = 0; i < args->n; i++)
		args->texts[i] = args->nulls[i] ? NULL :
			OutputFunctionCall(&args->output[i], args->datums[i]);
	pgml_textio_end(nestlevel);
	return &args->params;
}
