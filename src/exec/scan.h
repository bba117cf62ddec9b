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

/* scan_async.c */
extern void pgmlForeignAsyncRequest(AsyncRequest *areq);
extern void pgmlForeignAsyncConfigureWait(AsyncRequest *areq);
extern void pgmlForeignAsyncNotify(AsyncRequest *areq);

/*
 * Give a scan that is part of a keyed join the arrays of keys that its next run asks for,
 * one for each key column.  They must live until its first row has come.  Doesn't block.
 */
extern void pgml_scan_set_keys(ForeignScanState *node, const Datum *arrays);

extern bool pgmlRecheckForeignScan(ForeignScanState *node, TupleTableSlot *slot);

#endif							/* PGML_EXEC_SCAN_H */
