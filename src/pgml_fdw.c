/*
 * pgml_fdw.c
 *		The extension's entrance: module initialisation and the table of
 *		foreign data wrapper callbacks.  No logic; see src/README.md for where
 *		things are.
 */
#include "postgres.h"

#include "fmgr.h"
#include "foreign/fdwapi.h"
#include "utils/guc.h"

#include "base/setting.h"
#include "exec/analyze.h"
#include "exec/bulkdest.h"
#include "exec/bulkinsert.h"
#include "exec/explain.h"
#include "exec/import.h"
#include "exec/keyedjoin.h"
#include "exec/modify.h"
#include "exec/modify_queue.h"
#include "exec/scan.h"
#include "plan/keyed.h"
#include "plan/path.h"
#include "query/shippable.h"
#include "remote/conncache.h"
#include "remote/xact.h"
#include "sqlfunc/answer_scan.h"

PG_MODULE_MAGIC;

extern PGDLLEXPORT void _PG_init(void);

PG_FUNCTION_INFO_V1(pgml_fdw_handler);

static const FdwRoutine pgml_routine = {
	.type = T_FdwRoutine,

	/* scanning */
	.GetForeignRelSize = pgmlGetForeignRelSize,
	.GetForeignPaths = pgmlGetForeignPaths,
	.GetForeignJoinPaths = pgmlGetForeignJoinPaths,
	.GetForeignUpperPaths = pgmlGetForeignUpperPaths,
	.GetForeignPlan = pgmlGetForeignPlan,
	.BeginForeignScan = pgmlBeginForeignScan,
	.IterateForeignScan = pgmlIterateForeignScan,
	.ReScanForeignScan = pgmlReScanForeignScan,
	.EndForeignScan = pgmlEndForeignScan,
	.RecheckForeignScan = pgmlRecheckForeignScan,
	.IsForeignPathAsyncCapable = pgmlIsForeignPathAsyncCapable,
	.ForeignAsyncRequest = pgmlForeignAsyncRequest,
	.ForeignAsyncConfigureWait = pgmlForeignAsyncConfigureWait,
	.ForeignAsyncNotify = pgmlForeignAsyncNotify,

	/* changing */
	.AddForeignUpdateTargets = pgmlAddForeignUpdateTargets,
	.PlanForeignModify = pgmlPlanForeignModify,
	.BeginForeignModify = pgmlBeginForeignModify,
	.ExecForeignInsert = pgmlExecForeignInsert,
	.ExecForeignBatchInsert = pgmlExecForeignBatchInsert,
	.GetForeignModifyBatchSize = pgmlGetForeignModifyBatchSize,
	.ExecForeignUpdate = pgmlExecForeignUpdate,
	.ExecForeignDelete = pgmlExecForeignDelete,
	.PlanDirectModify = pgmlPlanDirectModify,
	.BeginDirectModify = pgmlBeginDirectModify,
	.IterateDirectModify = pgmlIterateDirectModify,
	.EndDirectModify = pgmlEndDirectModify,
	.EndForeignModify = pgmlEndForeignModify,
	.BeginForeignInsert = pgmlBeginForeignInsert,
	.EndForeignInsert = pgmlEndForeignInsert,
	.IsForeignRelUpdatable = pgmlIsForeignRelUpdatable,
	.ExecForeignTruncate = pgmlExecForeignTruncate,

	/* the rest */
	.ExplainForeignScan = pgmlExplainForeignScan,
	.ExplainDirectModify = pgmlExplainDirectModify,
	.ExplainForeignModify = pgmlExplainForeignModify,
	.AnalyzeForeignTable = pgmlAnalyzeForeignTable,
	.ImportForeignSchema = pgmlImportForeignSchema,
};

void
_PG_init(void)
{
	pgml_setting_init();
	pgml_shippable_init();
	pgml_conncache_init();
	pgml_xact_init();
	pgml_path_answer_init();
	pgml_path_subquery_init();
	pgml_keyed_init();
	pgml_keyedjoin_init();
	pgml_answer_scan_init();
	pgml_bulkinsert_init();
	pgml_bulkdest_init();
	pgml_queue_init();

	MarkGUCPrefixReserved("pgml_fdw");
}

/* Return a copy of the callbacks: core keeps it in its relation cache. */
Datum
pgml_fdw_handler(PG_FUNCTION_ARGS)
{
	FdwRoutine *routine = palloc(sizeof(FdwRoutine));

	memcpy(routine, &pgml_routine, sizeof(FdwRoutine));
	PG_RETURN_POINTER(routine);
}
