/*
 * import_stats.h
 *		Statistics of whole tables, taken over from the remote.
 */
#ifndef PGML_EXEC_IMPORT_STATS_H
#define PGML_EXEC_IMPORT_STATS_H

#include "postgres.h"
#include "nodes/pg_list.h"
#include "utils/relcache.h"

#include "remote/connection.h"

/*
 * Give foreign tables of one server, which the caller has created or locked, the
 * statistics that the remote has: row count and pages into pg_class, those of
 * columns into pg_statistic.  relids are those of tables whose option import_stats
 * holds.  A table of which the remote knows nothing stays as it is.  A handful
 * of round trips, however many tables; a remote that can't say is a WARNING.
 */
extern void pgml_import_stats_many(PgmlConn *conn, List *relids);

/*
 * For ANALYZE: write the statistics of the columns, and return the row count in
 * *rows.  False: the remote doesn't know enough, nothing was done, a sample is
 * called for.
 */
extern bool pgml_import_stats_one(PgmlConn *conn, Relation rel, double *rows, int *ncolumns);

#endif							/* PGML_EXEC_IMPORT_STATS_H */
