/*
 * scan.h
 *		Executor callbacks of foreign scans.
 */
#ifndef PGML_EXEC_SCAN_H
#define PGML_EXEC_SCAN_H

#include "postgres.h"
#include "foreign/fdwapi.h"

extern void pgmlBeginForeignScan(ForeignScanState *node, int eflags);
extern TupleTableSlot *pgmlIterateForeignScan(ForeignScanState *node);
extern void pgmlReScanForeignScan(ForeignScanState *node);
extern void pgmlEndForeignScan(ForeignScanState *node);
extern bool pgmlRecheckForeignScan(ForeignScanState *node, TupleTableSlot *slot);

#endif							/* PGML_EXEC_SCAN_H */
