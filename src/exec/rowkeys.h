/*
 * rowkeys.h
 *		The keys of the rows that a statement has changed.
 */
#ifndef PGML_EXEC_ROWKEYS_H
#define PGML_EXEC_ROWKEYS_H

#include "postgres.h"
#include "nodes/pg_list.h"
#include "utils/rel.h"

typedef struct PgmlRowKeys PgmlRowKeys;

/*
 * Make an empty set of keys that consist of these attributes (an int list) of a relation.
 * limited: it may not need more memory than a hash table may have.
 */
extern PgmlRowKeys *pgml_rowkeys_create(Relation rel, List *attnums, bool limited);

/*
 * Put a key into the set; false: it was there already.  Throws if a value is null,
 * and if a limited set has no room left.
 */
extern bool pgml_rowkeys_add(PgmlRowKeys *keys, const Datum *values, const bool *nulls);

#endif							/* PGML_EXEC_ROWKEYS_H */
