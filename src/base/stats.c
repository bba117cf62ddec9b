/*
 * stats.c
 *		The counters themselves; see stats.h for what each one means.
 */
#include "postgres.h"

#include "base/stats.h"

PgmlStats	pgml_stats;
