/*
 * watchful.c
 *		Could a statement that writes rows notice, while it runs, which of them
 *		are in the table already?
 *
 * If so its rows can't wait to be written in batches.  Its own scans can't
 * notice: they read as of a moment before the statement.  Nor can functions that are
 * immutable or stable, for they read as the statement does.  Volatile
 * functions can: each of their queries sees what has been written before.
 * That leaves those of core that look at no table at all, such as nextval().
 *
 * Where the rows go to a remote server, those who read the same server are another matter:
 * each query reads there as of the moment when it begins, in the transaction that takes
 * the rows.  For the statement's own scans all is well if that is before the first row
 * is there, as it is with all that must be read first, or at least begun, and is never
 * read again.  For functions that it calls, there are no two ways: volatile ones must
 * see the rows, stable ones must not.
 *
 * All expressions of a plan are looked at, node by node, and constraints of domains
 * that come with them.  A kind of node that isn't known here counts
 * as watchful, as does one that writes: its triggers may look around.
 */
#include "postgres.h"

#include "catalog/pg_aggregate.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "nodes/extensible.h"
#include "nodes/nodeFuncs.h"
#include "nodes/plannodes.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"
#include "utils/typcache.h"

#include "base/compat.h"
#include "exec/scan.h"
#include "exec/watchful.h"
#include "plan/planinfo.h"

/* What has been found in a plan. */
typedef struct PlanSearch
{
	PlanState  *top;
	bool		stable;			/* stable functions that users have made count, too */
	bool		ours;
	bool		foreign;
} PlanSearch;

static bool is_watchful(Node *node, void *context);
static bool aggregate_is_watchful(Oid funcid, void *context);
static bool type_is_watchful(Oid typid, void *context);

bool
pgml_is_harmless(Oid funcid)
{
	switch (funcid)
	{
		case F_CLOCK_TIMESTAMP:
		case F_TIMEOFDAY:
		case F_GEN_RANDOM_UUID:
			/* it has another name where it has overloads */
#ifdef F_RANDOM
		case F_RANDOM:
#else
		case F_RANDOM_:
#endif
			return true;
		default:
			return false;
	}
}

/* Is it a stable function that runs queries?  Of core, only some that make XML of tables do. */
static bool
is_stable_query(Oid funcid)
{
	switch (funcid)
	{
		case F_TABLE_TO_XML:
		case F_TABLE_TO_XML_AND_XMLSCHEMA:
		case F_SCHEMA_TO_XML:
		case F_SCHEMA_TO_XML_AND_XMLSCHEMA:
		case F_DATABASE_TO_XML:
		case F_DATABASE_TO_XML_AND_XMLSCHEMA:
			return true;
		default:
			return funcid >= FirstNormalObjectId;
	}
}

/* Callback of check_functions_in_node; context: a PlanSearch, or NULL. */
static bool
function_is_watchful(Oid funcid, void *context)
{
	const PlanSearch *search = context;

	if (!OidIsValid(funcid) || funcid == F_NEXTVAL || pgml_is_harmless(funcid))
		return false;
	if (funcid >= FirstNormalObjectId && get_func_prokind(funcid) == PROKIND_AGGREGATE)
		return aggregate_is_watchful(funcid, context);
	switch (func_volatile(funcid))
	{
		case PROVOLATILE_VOLATILE:
			return true;
		case PROVOLATILE_STABLE:
			return search != NULL && search->stable && is_stable_query(funcid);
		default:
			return false;
	}
}

/* What an aggregate is declared to be says nothing: its functions do. */
static bool
aggregate_is_watchful(Oid funcid, void *context)
{
	HeapTuple	tuple = SearchSysCache1(AGGFNOID, ObjectIdGetDatum(funcid));
	FormData_pg_aggregate agg;

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for aggregate %u", funcid);
	agg = *(Form_pg_aggregate) GETSTRUCT(tuple);
	ReleaseSysCache(tuple);
	return function_is_watchful(agg.aggtransfn, context) ||
		function_is_watchful(agg.aggfinalfn, context) ||
		function_is_watchful(agg.aggcombinefn, context) ||
		function_is_watchful(agg.aggserialfn, context) ||
		function_is_watchful(agg.aggdeserialfn, context) ||
		function_is_watchful(agg.aggmtransfn, context) ||
		function_is_watchful(agg.aggminvtransfn, context) ||
		function_is_watchful(agg.aggmfinalfn, context);
}

/* Has a domain, or one that it is made of, constraints that could notice? */
static bool
domain_is_watchful(Oid typid, void *context)
{
	/* the memory context's end will look at it again */
	DomainConstraintRef *constraints = palloc(sizeof(DomainConstraintRef));
	ListCell   *lc;

	InitDomainConstraintRef(typid, constraints, CurrentMemoryContext, false);
	foreach(lc, constraints->constraints)
	{
		DomainConstraintState *constraint = (DomainConstraintState *) lfirst(lc);

		if (is_watchful((Node *) constraint->check_expr, context))
			return true;
	}
	return false;
}

/* Could making a row notice, by the types of its columns? */
static bool
row_is_watchful(TupleDesc desc, void *context)
{
	for (int i = 0; i < desc->natts; i++)
	{
		if (!TupleDescAttr(desc, i)->attisdropped &&
			type_is_watchful(TupleDescAttr(desc, i)->atttypid, context))
			return true;
	}
	return false;
}

/* The same of a composite type. */
static bool
composite_is_watchful(Oid typid, void *context)
{
	TupleDesc	desc = lookup_rowtype_tupdesc(typid, -1);
	bool		watchful = row_is_watchful(desc, context);

	ReleaseTupleDesc(desc);
	return watchful;
}

/* Could making a value of a type notice?  It checks domains, in whatever they are. */
static bool
type_is_watchful(Oid typid, void *context)
{
	Oid			element = get_element_type(typid);

	check_stack_depth();
	if (OidIsValid(element))
		return type_is_watchful(element, context);
	switch (get_typtype(typid))
	{
		case TYPTYPE_DOMAIN:
			return domain_is_watchful(typid, context) ||
				type_is_watchful(getBaseType(typid), context);
		case TYPTYPE_COMPOSITE:
			return composite_is_watchful(typid, context);
		case TYPTYPE_RANGE:
			return type_is_watchful(get_range_subtype(typid), context);
		case TYPTYPE_MULTIRANGE:
			return type_is_watchful(get_multirange_range(typid), context);
		default:
			return false;
	}
}

/*
 * Does an expression make a value of another type itself?  Reading text or JSON as a composite
 * type checks the domains in it, without a node that says so.
 */
static bool
makes_value(Node *node)
{
	return IsA(node, CoerceToDomain) || IsA(node, CoerceViaIO) || IsA(node, FuncExpr) ||
		pgml_is_json_query(node);
}

/* Walker of expressions; context as above. */
static bool
is_watchful(Node *node, void *context)
{
	if (node == NULL)
		return false;
	if (check_functions_in_node(node, function_is_watchful, context))
		return true;
	if (makes_value(node) && type_is_watchful(exprType(node), context))
		return true;
	return expression_tree_walker(node, is_watchful, context);
}

bool
pgml_watchful_expr(void *expr)
{
	return is_watchful((Node *) expr, NULL);
}

/* Columns of a scan may be of domains, which it checks. */
static bool
has_watchful_column(ScanState *node, PlanSearch *search)
{
	return row_is_watchful(node->ss_ScanTupleSlot->tts_tupleDescriptor, search);
}

/* A foreign scan. */
static bool
scan_is_watchful(ForeignScanState *node, PlanSearch *search)
{
	ForeignScan *scan = (ForeignScan *) node->ss.ps.plan;

	if (scan->operation != CMD_SELECT || has_watchful_column(&node->ss, search))
		return true;
	search->foreign = true;
	if (node->fdwroutine->BeginForeignScan == pgmlBeginForeignScan)
		search->ours = true;
	return is_watchful((Node *) scan->fdw_exprs, search);
}

/* A custom scan: a keyed join, or one of dblink(), whose statement runs elsewhere and can't look at the table. */
static bool
custom_scan_is_watchful(CustomScanState *node, PlanSearch *search)
{
	CustomScan *scan = (CustomScan *) node->ss.ps.plan;

	if (strcmp(scan->methods->CustomName, PGML_KEYED_JOIN) == 0)
		return is_watchful((Node *) scan->custom_exprs, search);
	if (strcmp(scan->methods->CustomName, PGML_ANSWER_SCAN) != 0 || has_watchful_column(&node->ss, search))
		return true;
	search->foreign = search->ours = true;
	return is_watchful((Node *) linitial_node(FuncExpr, scan->custom_exprs)->args, search);
}

/* What a node has beside its target list and its conditions. */
static bool
has_watchful_parts(PlanState *node, PlanSearch *search)
{
	Plan	   *plan = node->plan;

	switch (nodeTag(plan))
	{
			/* their keys are columns; what prunes partitions is a condition of them, too */
		case T_ProjectSet:
		case T_Append:
		case T_MergeAppend:
		case T_RecursiveUnion:
		case T_BitmapAnd:
		case T_BitmapOr:
		case T_SeqScan:
		case T_SubqueryScan:
		case T_CteScan:
		case T_NamedTuplestoreScan:
		case T_WorkTableScan:
		case T_Material:
		case T_Memoize:
		case T_Sort:
		case T_IncrementalSort:
		case T_Group:
		case T_Agg:
		case T_Unique:
		case T_Hash:
		case T_SetOp:
		case T_LockRows:
		case T_Gather:
		case T_GatherMerge:
			return false;

			/* conditions that an index, a hash table or an order takes part in: never volatile, but stable */
		case T_IndexScan:
			return is_watchful((Node *) ((IndexScan *) plan)->indexqual, search) ||
				is_watchful((Node *) ((IndexScan *) plan)->indexorderby, search);
		case T_IndexOnlyScan:
			return is_watchful((Node *) ((IndexOnlyScan *) plan)->indexqual, search) ||
				is_watchful((Node *) ((IndexOnlyScan *) plan)->indexorderby, search);
		case T_BitmapIndexScan:
			return is_watchful((Node *) ((BitmapIndexScan *) plan)->indexqual, search);
		case T_BitmapHeapScan:
			return is_watchful((Node *) ((BitmapHeapScan *) plan)->bitmapqualorig, search);
		case T_TidScan:
			return is_watchful((Node *) ((TidScan *) plan)->tidquals, search);
		case T_TidRangeScan:
			return is_watchful((Node *) ((TidRangeScan *) plan)->tidrangequals, search);
		case T_MergeJoin:
			return is_watchful((Node *) ((Join *) plan)->joinqual, search) ||
				is_watchful((Node *) ((MergeJoin *) plan)->mergeclauses, search);
		case T_HashJoin:
			return is_watchful((Node *) ((Join *) plan)->joinqual, search) ||
				is_watchful((Node *) ((HashJoin *) plan)->hashclauses, search);

		case T_Result:
			return is_watchful(((Result *) plan)->resconstantqual, search);
		case T_SampleScan:
			return is_watchful((Node *) ((SampleScan *) plan)->tablesample, search);
		case T_FunctionScan:
			return is_watchful((Node *) ((FunctionScan *) plan)->functions, search) ||
				has_watchful_column((ScanState *) node, search);
		case T_ValuesScan:
			return is_watchful((Node *) ((ValuesScan *) plan)->values_lists, search);
		case T_TableFuncScan:
			return is_watchful((Node *) ((TableFuncScan *) plan)->tablefunc, search) ||
				has_watchful_column((ScanState *) node, search);
		case T_NestLoop:
			return is_watchful((Node *) ((Join *) plan)->joinqual, search);
		case T_WindowAgg:
			return is_watchful(((WindowAgg *) plan)->startOffset, search) ||
				is_watchful(((WindowAgg *) plan)->endOffset, search);
		case T_Limit:
			return is_watchful(((Limit *) plan)->limitOffset, search) ||
				is_watchful(((Limit *) plan)->limitCount, search);
		case T_ForeignScan:
			return scan_is_watchful((ForeignScanState *) node, search);
		case T_CustomScan:
			return custom_scan_is_watchful((CustomScanState *) node, search);
		case T_ModifyTable:
			return node != search->top;
		default:
			return true;
	}
}

/* Walker of plans in execution. */
static bool
node_is_watchful(PlanState *node, void *context)
{
	return is_watchful((Node *) node->plan->targetlist, context) ||
		is_watchful((Node *) node->plan->qual, context) ||
		has_watchful_parts(node, (PlanSearch *) context) ||
		planstate_tree_walker(node, node_is_watchful, context);
}

bool
pgml_watchful_plan(PlanState *top, bool *ours, bool *foreign)
{
	PlanSearch	search = {.top = top};

	if (node_is_watchful(top, &search))
		return true;
	*ours = search.ours;
	*foreign = search.foreign;
	return false;
}

bool
pgml_plan_calls_out(PlanState *top)
{
	PlanSearch	search = {.top = top, .stable = true};
	ListCell   *lc;

	foreach(lc, top->state->es_subplanstates)
		if (lfirst(lc) != NULL && node_is_watchful(lfirst(lc), &search))
			return true;
	return node_is_watchful(top, &search);
}

/* Walker of what may be run at any time: is there a scan of the server? */
static bool
has_scan(PlanState *node, void *context)
{
	Oid			serverid = *(Oid *) context;

	if (IsA(node, ForeignScanState) &&
		((ForeignScanState *) node)->fdwroutine->BeginForeignScan == pgmlBeginForeignScan &&
		((ForeignScan *) node->plan)->fs_server == serverid)
		return true;
	if (IsA(node, CustomScanState) &&
		strcmp(((CustomScan *) node->plan)->methods->CustomName, PGML_ANSWER_SCAN) == 0)
		return true;
	return planstate_tree_walker(node, has_scan, context);
}

/*
 * Walker: is there one that may begin later than the first row comes?  Only those kinds of
 * nodes are named that have begun all that is below them by then.  Those of which
 * a second part may never be asked for, or only later, aren't.
 */
static bool
has_late_scan(PlanState *node, void *context)
{
	switch (nodeTag(node))
	{
		case T_ForeignScanState:
			return false;
		case T_ResultState:
		case T_ProjectSetState:
		case T_SubqueryScanState:
		case T_MaterialState:
		case T_SortState:
		case T_IncrementalSortState:
		case T_GroupState:
		case T_AggState:
		case T_WindowAggState:
		case T_UniqueState:
		case T_LimitState:
		case T_LockRowsState:
		case T_HashState:
		case T_HashJoinState:
			return planstate_tree_walker(node, has_late_scan, context);
		case T_MergeJoinState:
			/* rows whose key is null have no match, which is known before the inner side begins */
			if (((MergeJoinState *) node)->mj_FillOuter && has_scan(innerPlanState(node), context))
				return true;
			return planstate_tree_walker(node, has_late_scan, context);
		case T_NestLoopState:
			return has_late_scan(outerPlanState(node), context) ||
				has_scan(innerPlanState(node), context);
		default:
			return planstate_tree_walker(node, has_scan, context);
	}
}

/* Subplans are run when somebody asks for their result: they are late. */
bool
pgml_plan_scans_later(PlanState *top, Oid serverid)
{
	ListCell   *lc;

	foreach(lc, top->state->es_subplanstates)
		if (lfirst(lc) != NULL && has_scan(lfirst(lc), &serverid))
			return true;
	return has_late_scan(top, &serverid);
}
