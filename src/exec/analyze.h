/*
 * analyze.h
 *		ANALYZE of foreign tables.
 */
#ifndef PGML_EXEC_ANALYZE_H
#define PGML_EXEC_ANALYZE_H

#include "postgres.h"
#include "foreign/fdwapi.h"

extern bool pgmlAnalyzeForeignTable(Relation relation, AcquireSampleRowsFunc *func,
									BlockNumber *totalpages);

#endif							/* PGML_EXEC_ANALYZE_H */
