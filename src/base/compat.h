/*
 * compat.h
 *		What differs between the PostgreSQL versions that we build with.
 *
 * The only file that may look at PG_VERSION_NUM.  Each entry gives one name
 * for a thing that has several, so that no other file needs a version test.
 * Versions 15 and up are supported.
 */
#ifndef PGML_BASE_COMPAT_H
#define PGML_BASE_COMPAT_H

#include "postgres.h"

#if PG_VERSION_NUM < 150000
#error "pgml_fdw needs PostgreSQL 15 or later"
#endif

/* Until 16, postgres.h itself had the layout of variable-length values. */
#if PG_VERSION_NUM >= 160000
#include "varatt.h"
#endif

#if PG_VERSION_NUM >= 180000
#include "commands/explain_format.h"
#include "commands/explain_state.h"
#else
#include "commands/explain.h"
#endif

#include "catalog/pg_attribute.h"
#include "catalog/pg_namespace.h"
#include "catalog/pg_type.h"
#include "commands/vacuum.h"
#include "datatype/timestamp.h"
#include "access/multixact.h"
#include "access/stratnum.h"
/* 18 has it, to be put in front of a declaration, in the place of pg_attribute_noreturn(). */
#ifndef pg_noreturn
#define pg_noreturn __attribute__((noreturn))
#endif

#include "catalog/pg_proc.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "nodes/parsenodes.h"
#include "nodes/plannodes.h"
#include "optimizer/inherit.h"
#include "optimizer/optimizer.h"
#include "optimizer/pathnode.h"
#include "optimizer/paths.h"
#include "parser/parse_relation.h"
#include "parser/parsetree.h"
#include "storage/latch.h"
#include "utils/lsyscache.h"
#include "utils/acl.h"
#include "utils/syscache.h"
#include "utils/rel.h"
#include "utils/wait_event.h"

/* The version of this server, 15 for 15.4. */
static inline int
pgml_major_version(void)
{
	return PG_VERSION_NUM / 10000;
}

/* Columns of pg_database: 17 has renamed one, 16 has added one (InvalidAttrNumber: not there). */
#if PG_VERSION_NUM >= 170000
#define PGML_ANUM_DATLOCALE Anum_pg_database_datlocale
#else
#define PGML_ANUM_DATLOCALE Anum_pg_database_daticulocale
#endif
#if PG_VERSION_NUM >= 160000
#define PGML_ANUM_DATICURULES Anum_pg_database_daticurules
#else
#define PGML_ANUM_DATICURULES InvalidAttrNumber
#endif

/* The base relations that a scan is of; 16 added outer joins to the field that had them. */
static inline Bitmapset *
pgml_scan_relids(ForeignScan *plan)
{
#if PG_VERSION_NUM >= 160000
	return plan->fs_base_relids;
#else
	return plan->fs_relids;
#endif
}

/* The role whose privileges a modification of a result relation runs with. */
static inline Oid
pgml_modify_userid(ResultRelInfo *rri, EState *estate)
{
#if PG_VERSION_NUM >= 160000
	return ExecGetResultRelCheckAsUser(rri, estate);
#else
	Index		rti = rri->ri_RangeTableIndex;
	RangeTblEntry *rte;

	/* a partition that rows are routed to has no range table entry of its own */
	if (rti == 0)
		rti = rri->ri_RootResultRelInfo->ri_RangeTableIndex;
	rte = exec_rt_fetch(rti, estate);
	return OidIsValid(rte->checkAsUser) ? rte->checkAsUser : GetUserId();
#endif
}

/* The role that a statement's result relation is changed as; that of INSERT is no base relation. */
static inline Oid
pgml_target_userid(PlannerInfo *root, Index rti)
{
	RangeTblEntry *rte = planner_rt_fetch(rti, root);
	Oid			userid;

#if PG_VERSION_NUM >= 160000
	/* of a partition nothing is said but by the table that the statement names */
	if (rte->perminfoindex == 0)
		rte = planner_rt_fetch(root->parse->resultRelation, root);
	userid = getRTEPermissionInfo(root->parse->rteperminfos, rte)->checkAsUser;
#else
	userid = rte->checkAsUser;
#endif

	return OidIsValid(userid) ? userid : GetUserId();
}

/*
 * Have the executor check the privileges that a query wants on a relation (or on a
 * view, which from 16 on is a subquery with a relid) as part of another query.
 */
static inline void
pgml_adopt_rte(Query *into, Query *from, RangeTblEntry *rte)
{
	RangeTblEntry *copy = makeNode(RangeTblEntry);

	*copy = *rte;
	copy->subquery = NULL;
#if PG_VERSION_NUM >= 160000
	if (rte->perminfoindex > 0)
	{
		RTEPermissionInfo *wanted = getRTEPermissionInfo(from->rteperminfos, rte);

		into->rteperminfos = lappend(into->rteperminfos, copyObject(wanted));
		copy->perminfoindex = list_length(into->rteperminfos);
	}
#endif
	into->rtable = lappend(into->rtable, copy);
}

/* Can EXPLAIN print a window function in a plan without a WindowAgg?  18 takes the window's name from there. */
static inline bool
pgml_explains_windows(void)
{
	return PG_VERSION_NUM < 180000;
}

/*
 * The conditions on window functions' results that core has moved from the query around this
 * one into it, for the windows to stop early, and need not check a second time.  17
 * keeps them with the functions.
 */
static inline List *
pgml_run_conditions(PlannerInfo *root)
{
	List	   *conditions = NIL;
	ListCell   *lc;

#if PG_VERSION_NUM >= 170000
	foreach(lc, pull_var_clause((Node *) root->processed_tlist,
								PVC_RECURSE_AGGREGATES | PVC_INCLUDE_WINDOWFUNCS |
								PVC_RECURSE_PLACEHOLDERS))
	{
		WindowFunc *func = lfirst(lc);
		ListCell   *lc2;

		if (!IsA(func, WindowFunc))
			continue;
		foreach(lc2, func->runCondition)
		{
			WindowFuncRunCondition *run = lfirst_node(WindowFuncRunCondition, lc2);

			conditions = lappend(conditions,
								 make_opclause(run->opno, BOOLOID, false,
											   run->wfunc_left ? (Expr *) func : run->arg,
											   run->wfunc_left ? run->arg : (Expr *) func,
											   InvalidOid, run->inputcollid));
			set_opfuncid(llast_node(OpExpr, conditions));
		}
	}
#else
	foreach(lc, root->parse->windowClause)
		conditions = list_concat_copy(conditions, lfirst_node(WindowClause, lc)->runCondition);
#endif
	return conditions;
}

/* create_foreignscan_path: 17 added fdw_restrictinfo, 18 disabled_nodes. */
static inline ForeignPath *
pgml_create_scan_path(PlannerInfo *root, RelOptInfo *rel, PathTarget *target,
					  double rows, Cost startup_cost, Cost total_cost,
					  List *pathkeys, Relids required_outer,
					  Path *outerpath, List *private)
{
#if PG_VERSION_NUM >= 180000
	return create_foreignscan_path(root, rel, target, rows, 0, startup_cost,
								   total_cost, pathkeys, required_outer,
								   outerpath, NIL, private);
#elif PG_VERSION_NUM >= 170000
	return create_foreignscan_path(root, rel, target, rows, startup_cost,
								   total_cost, pathkeys, required_outer,
								   outerpath, NIL, private);
#else
	return create_foreignscan_path(root, rel, target, rows, startup_cost,
								   total_cost, pathkeys, required_outer,
								   outerpath, private);
#endif
}

/* create_foreign_join_path, likewise. */
static inline ForeignPath *
pgml_create_join_path(PlannerInfo *root, RelOptInfo *rel, double rows, Cost startup_cost,
					  Cost total_cost, List *pathkeys, Path *outerpath)
{
#if PG_VERSION_NUM >= 180000
	return create_foreign_join_path(root, rel, NULL, rows, 0, startup_cost, total_cost,
									pathkeys, rel->lateral_relids, outerpath, NIL, NIL);
#elif PG_VERSION_NUM >= 170000
	return create_foreign_join_path(root, rel, NULL, rows, startup_cost, total_cost,
									pathkeys, rel->lateral_relids, outerpath, NIL, NIL);
#else
	return create_foreign_join_path(root, rel, NULL, rows, startup_cost, total_cost,
									pathkeys, rel->lateral_relids, outerpath, NIL);
#endif
}

/* create_foreign_upper_path, likewise. */
static inline ForeignPath *
pgml_create_upper_path(PlannerInfo *root, RelOptInfo *rel, PathTarget *target, double rows,
					   Cost startup_cost, Cost total_cost, List *pathkeys)
{
#if PG_VERSION_NUM >= 180000
	return create_foreign_upper_path(root, rel, target, rows, 0, startup_cost, total_cost,
									 pathkeys, NULL, NIL, NIL);
#elif PG_VERSION_NUM >= 170000
	return create_foreign_upper_path(root, rel, target, rows, startup_cost, total_cost,
									 pathkeys, NULL, NIL, NIL);
#else
	return create_foreign_upper_path(root, rel, target, rows, startup_cost, total_cost,
									 pathkeys, NULL, NIL);
#endif
}

/* The columns of GROUP BY that make a difference: 16 leaves out those that follow from others. */
static inline List *
pgml_group_clause(PlannerInfo *root)
{
#if PG_VERSION_NUM >= 160000
	return root->processed_groupClause;
#else
	return root->parse->groupClause;
#endif
}

/* 16 marks columns that an outer join may have made null: take the marks over (from NULL: none). */
static inline void
pgml_var_take_marks(Var *var, const Var *from)
{
#if PG_VERSION_NUM >= 160000
	var->varnullingrels = from != NULL ? from->varnullingrels : NULL;
#endif
}

static inline void
pgml_placeholder_take_marks(PlaceHolderVar *ph, const PlaceHolderVar *from)
{
#if PG_VERSION_NUM >= 160000
	ph->phnullingrels = from != NULL ? from->phnullingrels : NULL;
#endif
}

/* 18 has semijoins that return rows of their inner side. */
static inline bool
pgml_is_right_semi(JoinType type)
{
#if PG_VERSION_NUM >= 180000
	return type == JOIN_RIGHT_SEMI;
#else
	return false;
#endif
}

/* 18 counts the nodes below a path that the user has disabled, where it was a matter of costs. */
static inline void
pgml_path_take_disabled(Path *path, const Path *input)
{
#if PG_VERSION_NUM >= 180000
	path->disabled_nodes = input->disabled_nodes;
#endif
}

/* Run a statement to its end.  Until 17 one says that it is run only once. */
static inline void
pgml_executor_run(QueryDesc *query)
{
#if PG_VERSION_NUM >= 180000
	ExecutorRun(query, ForwardScanDirection, 0);
#else
	ExecutorRun(query, ForwardScanDirection, 0, true);
#endif
}

/*
 * What pg_stat_activity shows while we wait: "Extension", or from 17 on a name of our own,
 * to be asked for once in a session.
 */
static inline uint32
pgml_new_wait_event(const char *name)
{
#if PG_VERSION_NUM >= 170000
	return WaitEventExtensionNew(name);
#else
	return PG_WAIT_EXTENSION;
#endif
}

/* Make a wait set that lives until it is freed; 17 lets resource owners have them, where it took memory contexts. */
static inline WaitEventSet *
pgml_create_wait_set(MemoryContext cxt, int nevents)
{
#if PG_VERSION_NUM >= 170000
	return CreateWaitEventSet(NULL, nevents);
#else
	return CreateWaitEventSet(cxt, nevents);
#endif
}

/* Is a column generated when it is read, so that no row stores it?  (18 and up) */
static inline bool
pgml_is_virtual(Form_pg_attribute attr)
{
#if PG_VERSION_NUM >= 180000
	return attr->attgenerated == ATTRIBUTE_GENERATED_VIRTUAL;
#else
	return false;
#endif
}

/* Is a path key's order a descending one?  18 names it by a compare type. */
static inline bool
pgml_pathkey_descends(PathKey *pathkey)
{
#if PG_VERSION_NUM >= 180000
	return pathkey->pk_cmptype == COMPARE_GT;
#else
	return pathkey->pk_strategy == BTGreaterStrategyNumber;
#endif
}

/* The members of an equivalence class that may concern relids, which may be a child's (18 keeps those apart). */
static inline List *
pgml_eclass_members(EquivalenceClass *ec, Relids relids)
{
#if PG_VERSION_NUM >= 180000
	EquivalenceMemberIterator it;
	EquivalenceMember *member;
	List	   *members = NIL;

	setup_eclass_member_iterator(&it, ec, relids);
	while ((member = eclass_member_iterator_next(&it)) != NULL)
		members = lappend(members, member);
	return members;
#else
	return ec->ec_members;
#endif
}

/* The columns that UPDATE sets in a result relation, generated ones included, offset as in attr_needed's bitmaps. */
static inline Bitmapset *
pgml_updated_columns(PlannerInfo *root, Index rti)
{
#if PG_VERSION_NUM >= 160000
	return get_rel_all_updated_cols(root, find_base_rel(root, rti));
#else
	RangeTblEntry *rte = planner_rt_fetch(rti, root);

	return bms_union(rte->updatedCols, rte->extraUpdatedCols);
#endif
}

/*
 * What the local client authenticated with is in its Port.  Where the server
 * was built with GSSAPI, that header can only be read with GSSAPI's headers
 * installed; without them we do without.
 */
#if !defined(ENABLE_GSS) || __has_include(<gssapi/gssapi.h>)
#include "libpq/libpq-be.h"
#define PGML_HAVE_PORT
#endif

/* Credentials that the local client has delegated to us (16 and up). */
#if PG_VERSION_NUM >= 160000 && defined(ENABLE_GSS) && defined(PGML_HAVE_PORT)
#define PGML_GSS_DELEGATION
#endif

static inline bool
pgml_has_delegated_gss(void)
{
#ifdef PGML_GSS_DELEGATION
	return MyProcPort != NULL && be_gssapi_get_delegation(MyProcPort);
#else
	return false;
#endif
}

/* The SCRAM keys that the local client has authenticated with (18 and up). */
#if PG_VERSION_NUM >= 180000 && defined(PGML_HAVE_PORT)
#define PGML_SCRAM_KEYS
#endif

static inline bool
pgml_has_scram_keys(void)
{
#ifdef PGML_SCRAM_KEYS
	return MyProcPort != NULL && MyProcPort->has_scram_keys;
#else
	return false;
#endif
}

/* A privilege on a schema, type, function or foreign server; 16 made one function of many. */
static inline AclResult
pgml_aclcheck(Oid classid, Oid objectid, Oid roleid, AclMode mode)
{
#if PG_VERSION_NUM >= 160000
	return object_aclcheck(classid, objectid, roleid, mode);
#else
	switch (classid)
	{
		case NamespaceRelationId:
			return pg_namespace_aclcheck(objectid, roleid, mode);
		case TypeRelationId:
			return pg_type_aclcheck(objectid, roleid, mode);
		case ProcedureRelationId:
			return pg_proc_aclcheck(objectid, roleid, mode);
		default:
			return pg_foreign_server_aclcheck(objectid, roleid, mode);
	}
#endif
}

/* Infinite intervals came with 17, and with them this macro. */
static inline bool
pgml_interval_knows_infinity(void)
{
#ifdef INTERVAL_NOT_FINITE
	return true;
#else
	return false;
#endif
}

/* Is it JSON_EXISTS(), JSON_QUERY() or JSON_VALUE()?  17 has brought them. */
static inline bool
pgml_is_json_query(Node *node)
{
#if PG_VERSION_NUM >= 170000
	return IsA(node, JsonExpr);
#else
	return false;
#endif
}

/* Does RETURNING say OLD or NEW?  (18 and up) */
static inline bool
pgml_returns_old_or_new(Node *returning)
{
#if PG_VERSION_NUM >= 180000
	return contain_vars_returning_old_or_new(returning);
#else
	return false;
#endif
}

/* The operator that a pathkey of a btree family sorts by: 18 knows it by meaning, not by number. */
static inline Oid
pgml_pathkey_operator(const PathKey *pathkey, Oid datatype)
{
#if PG_VERSION_NUM >= 180000
	return get_opfamily_member_for_cmptype(pathkey->pk_opfamily, datatype, datatype,
										   pathkey->pk_cmptype);
#else
	return get_opfamily_member(pathkey->pk_opfamily, datatype, datatype,
							   pathkey->pk_strategy);
#endif
}

/* The map from the columns of the table that was named to those of a partition; NULL if they are the same. */
static inline TupleConversionMap *
pgml_root_to_child_map(ResultRelInfo *rri, EState *estate)
{
#if PG_VERSION_NUM >= 160000
	return ExecGetRootToChildMap(rri, estate);
#else
	return rri->ri_RootToPartitionMap;
#endif
}

/* Make the index entries of a new row; 16 can leave out some, for HOT updates. */
static inline List *
pgml_insert_index_tuples(ResultRelInfo *rri, TupleTableSlot *slot, EState *estate)
{
#if PG_VERSION_NUM >= 160000
	return ExecInsertIndexTuples(rri, slot, estate, false, false, NULL, NIL, false);
#else
	return ExecInsertIndexTuples(rri, slot, estate, false, false, NULL, NIL);
#endif
}

/* What an ExecutorRun hook takes and hands on; 18 dropped the last of it. */
#if PG_VERSION_NUM >= 180000
#define PGML_EXECUTOR_RUN_ARGS \
	QueryDesc *queryDesc, ScanDirection direction, uint64 count
#define PGML_EXECUTOR_RUN_PASS queryDesc, direction, count
#else
#define PGML_EXECUTOR_RUN_ARGS \
	QueryDesc *queryDesc, ScanDirection direction, uint64 count, bool execute_once
#define PGML_EXECUTOR_RUN_PASS queryDesc, direction, count, execute_once
#endif

/* ANALYZE's wish for a column's statistics: -1 the default, 0 none.  17 made the field nullable. */
static inline int
pgml_stats_target(Oid relid, AttrNumber attnum)
{
	HeapTuple	tuple = SearchSysCache2(ATTNUM, ObjectIdGetDatum(relid), Int16GetDatum(attnum));
	bool		isnull;
	Datum		value;

	if (!HeapTupleIsValid(tuple))
		return -1;
	value = SysCacheGetAttr(ATTNUM, tuple, Anum_pg_attribute_attstattarget, &isnull);
	ReleaseSysCache(tuple);
	return isnull ? -1 : DatumGetInt16(value);
}

/* Note the pages and rows of a relation in pg_class, as ANALYZE does; 18 counts frozen pages too. */
static inline void
pgml_update_relstats(Relation rel, BlockNumber pages, double rows)
{
#if PG_VERSION_NUM >= 180000
	vac_update_relstats(rel, pages, rows, 0, 0, false, InvalidTransactionId,
						InvalidMultiXactId, NULL, NULL, true);
#else
	vac_update_relstats(rel, pages, rows, 0, false, InvalidTransactionId,
						InvalidMultiXactId, NULL, NULL, true);
#endif
}

#endif							/* PGML_BASE_COMPAT_H */
