/*
 * shippable_object.h
 *		Objects and values that mean the same on the remote; for shippable.c.
 */
#ifndef PGML_QUERY_SHIPPABLE_OBJECT_H
#define PGML_QUERY_SHIPPABLE_OBJECT_H

#include "postgres.h"
#include "nodes/primnodes.h"

#include "base/option.h"

/* Is it in every PostgreSQL database? */
extern bool pgml_is_builtin(Oid objectid);

/* Has the remote this built-in object, as far as is known of its version?  (shippable_version.c) */
extern bool pgml_builtin_is_there(Oid objectid, Oid classid, const PgmlOptions *options);

/* Is the type, or what it is an array of, known to the remote? */
extern bool pgml_shippable_type(Oid typid, const PgmlOptions *options);

/* Is the text form of the type's values, as we print it, read alike by every server? */
extern bool pgml_portable_value(Oid typid);

/* Can this constant be printed for the remote? */
extern bool pgml_shippable_const(const Const *constant, const PgmlOptions *options);

/*
 * Is a cast between two types the same on the remote?  Somebody may have made
 * one of their own between built-in types, and the text says only "::type".
 */
extern bool pgml_shippable_cast(Oid source, Oid target, const PgmlOptions *options);

#endif							/* PGML_QUERY_SHIPPABLE_OBJECT_H */
