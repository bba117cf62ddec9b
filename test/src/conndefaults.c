/*
 * conndefaults.c
 *		Prints the keywords that libpq knows, one a line, for the test that
 *		sorts each of them into allowed or refused.
 */
#include <stdio.h>

#include "libpq-fe.h"

int
main(void)
{
	PQconninfoOption *options = PQconndefaults();

	for (PQconninfoOption *o = options; o != NULL && o->keyword != NULL; o++)
		puts(o->keyword);
	return options == NULL;
}
