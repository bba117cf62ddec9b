/*
 * import.h
 *		IMPORT FOREIGN SCHEMA.
 */
#ifndef PGML_EXEC_IMPORT_H
#define PGML_EXEC_IMPORT_H

#include "postgres.h"
#include "foreign/fdwapi.h"

extern List *pgmlImportForeignSchema(ImportForeignSchemaStmt *stmt, Oid serverOid);

#endif							/* PGML_EXEC_IMPORT_H */
