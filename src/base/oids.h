/*
 * oids.h
 *		Tables of OIDs.
 */
#ifndef PGML_BASE_OIDS_H
#define PGML_BASE_OIDS_H

#include "postgres.h"

/* Is it in this array? */
#define PGML_IS_ONE_OF(oid, table) pgml_oid_is_in(oid, table, lengthof(table))

static inline bool
pgml_oid_is_in(Oid oid, const Oid *list, int n)
{
	for (int i = 0; i < n; i++)
	{
		if (list[i] == oid)
			return true;
	}
	return false;
}

#endif							/* PGML_BASE_OIDS_H */
