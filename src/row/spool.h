/*
 * spool.h
 *		Bytes of a parked stream, put aside in memory or on disk.
 */
#ifndef PGML_ROW_SPOOL_H
#define PGML_ROW_SPOOL_H

#include "postgres.h"

typedef struct PgmlSpool PgmlSpool;

/* What is longer is cut into pieces of this length, well below what a tuple can hold. */
#define PGML_SPOOL_PIECE (16 * 1024 * 1024)

/*
 * Make an empty spool.  Its memory and files belong to the memory context and
 * resource owner that are current now, whoever fills it later.
 */
extern PgmlSpool *pgml_spool_create(void);

/* Append bytes; they come back as one piece unless they are longer than that. */
extern void pgml_spool_put(PgmlSpool *spool, const char *data, int len);

/* The next piece, valid until the next call; false at the end. */
extern bool pgml_spool_get(PgmlSpool *spool, const char **data, int *len);

/* Throw away what is in it; it can be filled again. */
extern void pgml_spool_clear(PgmlSpool *spool);

#endif							/* PGML_ROW_SPOOL_H */
