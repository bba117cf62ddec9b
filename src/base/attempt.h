/*
 * attempt.h
 *		Work that may fail without taking the statement along.
 */
#ifndef PGML_BASE_ATTEMPT_H
#define PGML_BASE_ATTEMPT_H

#include "postgres.h"

/*
 * Run work(arg) in a subtransaction.  Returns NULL when it is done, or, when
 * it has thrown, the error (in the current context), with everything that it did
 * undone.  Errors that mean the statement as a whole are thrown on: a cancel, a
 * lack of resources, an internal error.  Not for parallel operations.
 */
extern ErrorData *pgml_attempt(void (*work) (void *arg), void *arg);

/* The same, but every error is returned: what is to be thrown on, the caller knows. */
extern ErrorData *pgml_attempt_all(void (*work) (void *arg), void *arg);

#endif							/* PGML_BASE_ATTEMPT_H */
