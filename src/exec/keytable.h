/*
 * keytable.h
 *		Rows in memory, found by key: a batch of a keyed join's outer side.
 */
#ifndef PGML_EXEC_KEYTABLE_H
#define PGML_EXEC_KEYTABLE_H

#include "postgres.h"
#include "access/htup.h"
#include "executor/tuptable.h"
#include "nodes/pg_list.h"

typedef struct PgmlKeyRow
{
	struct PgmlKeyRow *next;	/* in the order in which they were added */
	struct PgmlKeyRow *next_of_key;
	bool		matched;		/* the owner's note */
	MinimalTuple tuple;
} PgmlKeyRow;

/* A key, and the rows that have it. */
typedef struct PgmlKey
{
	struct PgmlKey *next;		/* in the order in which they were added */
	struct PgmlKey *next_in_bucket;
	uint32		hash;
	bool		done;			/* the owner's note: not to be found any more */
	Datum	   *values;
	PgmlKeyRow *rows;
} PgmlKey;

typedef struct PgmlKeyTable PgmlKeyTable;

/*
 * Make an empty table, in a context of its own below the current one.  Of each key column:
 * the type of the keys, and the operator (key = probe) and collation (OID lists) by
 * which they compare with what they are looked up with.
 */
extern PgmlKeyTable *pgml_keytable_create(int ncols, const Oid *types, List *operators,
										  List *collations);

/* Make it empty again. */
extern void pgml_keytable_reset(PgmlKeyTable *table);

/*
 * Add a copy of a row, with its key; a null in it: the row is kept, but never found.
 * Keys whose bytes are the same are one key.
 */
extern void pgml_keytable_add(PgmlKeyTable *table, const Datum *values, const bool *nulls,
							  TupleTableSlot *slot);

extern int64 pgml_keytable_nkeys(const PgmlKeyTable *table);
extern Size pgml_keytable_memory(const PgmlKeyTable *table);
extern PgmlKeyRow *pgml_keytable_rows(const PgmlKeyTable *table);

/* The keys as an array for each column, which live as long as the rows. */
extern Datum *pgml_keytable_arrays(PgmlKeyTable *table);

/*
 * Find the keys that equal these values, one after the other; NULL: there is none, or no
 * other behind "last" (NULL to start with).  Operators and hash functions leave
 * their garbage in the current context.
 */
extern PgmlKey *pgml_keytable_find(PgmlKeyTable *table, const Datum *values, const bool *nulls,
								   PgmlKey *last);

#endif							/* PGML_EXEC_KEYTABLE_H */
