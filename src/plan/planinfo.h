/*
 * planinfo.h
 *		What the planner tells the executor: the only thing that they share.
 *
 * A plan must be copyable and may be read by a session that runs another
 * engine (the wrapper's handler can be swapped), so it travels in fdw_private as
 * a List of plain nodes that begins with a magic.  This file's .c is the only
 * place that packs and unpacks it.
 */
#ifndef PGML_PLAN_PLANINFO_H
#define PGML_PLAN_PLANINFO_H

#include "postgres.h"
#include "access/sysattr.h"
#include "nodes/pg_list.h"
#include "nodes/plannodes.h"
#include "utils/rel.h"

#include "base/option.h"
#include "row/sink.h"
#include "row/source.h"

/*
 * How the rows of a result relation (UPDATE, DELETE) are found again on the
 * remote: by ctid, and by the remote's tableoid, because the foreign table may
 * be a partitioned table there, whose partitions share ctids.
 *
 * The plan's target list carries both as junk columns of these names.  A
 * foreign scan's own tableoid is the local one, core sees to that; so the
 * remote's travels in a system column that means nothing for a foreign table,
 * cmin: a Var of that number whose type is oid.  The scan puts it into the
 * command id field of the tuple's header, where that Var reads it.
 *
 * Where the remote relation has no ctid, and the table's option row_identity says
 * so: by the key columns, each a junk column.
 */
#define PGML_JUNK_CTID "ctid"
#define PGML_JUNK_TABLEOID "rtableoid"
#define PGML_REMOTE_TABLEOID_ATTNO MinCommandIdAttributeNumber

/*
 * Name the junk column of a key column.  Tables of one inheritance tree share junk
 * columns of one name, so it tells all that makes their Vars differ.
 */
extern char *pgml_planinfo_key_junk(Form_pg_attribute attr);

/*
 * List the attribute numbers of the columns that rows of the table consist of, in
 * order: neither dropped nor virtual ones.
 */
extern List *pgml_stored_columns(Relation rel);

/*
 * A scan, as GetForeignPlan made it.
 *
 * The scan slot has the relation's row type.  attnums[i] says where query
 * column i goes: an attribute number of the slot, or
 * SelfItemPointerAttributeNumber: tts_tid of the slot (type tid), or
 * PGML_REMOTE_TABLEOID_ATTNO: command id field of the tuple header (type oid).
 * Attributes that no column fills are null.  The values of the query's
 * parameters $1 ... $n are the ForeignScan's fdw_exprs, in order.
 *
 * Sorted scans of partitions are merged.  Those of one table are known by the range table
 * index of the table: parent_distance before the first relation of the scan,
 * in every range table that the plan gets to.
 */
typedef struct PgmlScanPlan
{
	PgmlQuery	query;
	PgmlSourceKind kind;
	bool		chosen_by_user; /* the executor may not take another kind */
	bool		hands_on;		/* rows go on as they come, once: the rest may never be asked for */
	int			parent_distance;	/* 0: its rows aren't merged */
	AttrNumber *attnums;
	char	   *relations;		/* for EXPLAIN; NULL for a base relation */
	bool		system_columns; /* xmin, cmin and friends are read: rows need a tuple header */
	List	   *keys;			/* int: the parameters, from 0, that are arrays of a keyed join's keys */
	Oid			serverid;
	Oid			userid;			/* the role that it runs as, the owner of a view; InvalidOid: whoever runs it */
} PgmlScanPlan;

/* What happens to the rows of a ModifyTable's foreign table. */
typedef struct PgmlModifyPlan
{
	CmdType		operation;
	char	   *sql;			/* UPDATE, DELETE; for INSERT see insert */
	char	   *batch_prefix;	/* the same for many rows (row/change.h); NULL: one by one */
	char	   *batch_suffix;
	char	   *batch_describe;
	PgmlInsert	insert;

	/*
	 * int lists: the key columns that name a row (NIL: ctid and tableoid do); the
	 * attributes whose values are sent, in the order of the parameters (for
	 * UPDATE those follow what names the row); those that RETURNING brings, in order (NIL: no RETURNING), with
	 * SelfItemPointerAttributeNumber for ctid.
	 */
	List	   *keys;
	List	   *targetattrs;
	List	   *returning;

	bool		by_join;		/* the keys are those of a join's other side, whose rows are all there is */
	bool		keys_repeat;	/* then: several of those rows may have the same */
} PgmlModifyPlan;

/* A statement that the remote runs as a whole; its parameters are the ForeignScan's fdw_exprs. */
typedef struct PgmlDirectPlan
{
	char	   *sql;
	List	   *returning;		/* int: attributes that RETURNING brings, in order */
	bool		counts;			/* its rows are those of the command tag */
} PgmlDirectPlan;

/*
 * Plan an INSERT that sets targetattrs; for the planner, and for the executor
 * where the planner has not seen the statement (COPY, rows routed to a foreign
 * partition).  override: what the statement says about identity columns, which only the
 * remote has.  rows are expected; -1: that isn't known.  (insertion.c)
 */
extern PgmlModifyPlan *pgml_planinfo_insert(Relation rel, const PgmlOptions *options,
											List *targetattrs, OverridingKind override,
											bool on_conflict_do_nothing, List *returning,
											double rows);

/* The plan of a ForeignScan; throws if another engine made it. */
extern PgmlScanPlan *pgml_planinfo_of_scan(ForeignScan *scan);

/*
 * Pack and unpack.  What unpack returns is allocated in the current context
 * and shares nothing with the list; it throws if the list is of another engine.
 */
extern List *pgml_planinfo_pack_scan(const PgmlScanPlan *plan);
extern PgmlScanPlan *pgml_planinfo_unpack_scan(List *packed);

extern List *pgml_planinfo_pack_modify(const PgmlModifyPlan *plan);
extern PgmlModifyPlan *pgml_planinfo_unpack_modify(List *packed);

extern PgmlDirectPlan *pgml_planinfo_of_direct(ForeignScan *scan);

/* Turn a scan into a statement that the remote runs as a whole. */
extern void pgml_planinfo_make_direct(ForeignScan *scan, CmdType operation, Index result_relation,
									  List *params, const PgmlDirectPlan *plan);

/*
 * A function in FROM whose rows are streamed: a CustomScan of this name, whose
 * custom_exprs hold the call and whose custom_scan_tlist are the columns, with
 * the ordinality behind them if there is one.
 */
#define PGML_ANSWER_SCAN "pgml_fdw answer"

/*
 * A keyed join: a CustomScan of this name.  Its plans are that of the outer side and a
 * foreign scan, which is asked for the keys of many outer rows at a time.  The scan tuple
 * (custom_scan_tlist) is an outer row's columns and behind them an inner one's, and
 * custom_exprs, over it, are lists: the outer keys, the inner keys, the
 * clauses that make them (for EXPLAIN), and what else must hold of a match.  The
 * node's qual is applied to what has been joined.
 */
#define PGML_KEYED_JOIN "pgml_fdw keyed join"

typedef struct PgmlKeyedPlan
{
	JoinType	type;			/* INNER, LEFT, SEMI or ANTI */
	int			nouter;			/* columns of the outer side */
	List	   *operators;		/* OIDs, of each key column: outer = inner */
	List	   *collations;		/* OIDs: by which they compare */
} PgmlKeyedPlan;

/* Note on a foreign path which keys (query/deparse.h) the join asks it for; NULL: it is no part of one. */
struct ForeignPath;
struct PgmlKeys;
extern void pgml_planinfo_set_keys(struct ForeignPath *path, struct PgmlKeys *keys);
extern const struct PgmlKeys *pgml_planinfo_keys(const struct ForeignPath *path);

extern List *pgml_planinfo_pack_keyed(const PgmlKeyedPlan *plan);
extern PgmlKeyedPlan *pgml_planinfo_of_keyed(CustomScan *scan);

#endif							/* PGML_PLAN_PLANINFO_H */
