/*
 * rowform.h
 *		A row's values into a heap tuple, in one pass.
 */
#ifndef PGML_EXEC_ROWFORM_H
#define PGML_EXEC_ROWFORM_H

#include "postgres.h"
#include "access/htup_details.h"
#include "access/tupdesc.h"

/* What is known about the tuples of a row type. */
typedef struct PgmlRowForm PgmlRowForm;

/* Make one, in the current context. */
extern PgmlRowForm *pgml_rowform_create(TupleDesc desc);

/*
 * Put the tuple of a row at to, which is aligned and has this much space.
 * Returns its length; 0 if it doesn't fit with some room to spare, or has a value that is
 * better left to core: then what is at to is undefined.
 */
extern Size pgml_rowform_put(const PgmlRowForm *form, HeapTupleHeader to, Size space,
							 const Datum *values, const bool *nulls);

#endif							/* PGML_EXEC_ROWFORM_H */
