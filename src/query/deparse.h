/*
 * deparse.h
 *		Expressions and statements into SQL text for the remote.
 *
 * Everything is schema-qualified or in pg_catalog, identifiers are quoted where
 * need be, constants are printed under fixed settings and carry their type, so
 * the text means the same under any remote settings with search_path =
 * pg_catalog.
 */
#ifndef PGML_QUERY_DEPARSE_H
#define PGML_QUERY_DEPARSE_H

#include "postgres.h"
#include "lib/stringinfo.h"
#include "nodes/pathnodes.h"

#include "base/option.h"

/*
 * State of one deparse.  Parameters are printed as $1, $2, ...: params collects
 * their expressions (equal ones once), param_at the offsets of the dollar
 * signs in buf.  The fields after param_at are the deparser's own; start with
 * all of them zero.
 */
typedef struct PgmlDeparse
{
	StringInfo	buf;
	PlannerInfo *root;
	Relids		relids;			/* Vars of these are columns, others parameters */
	const PgmlOptions *options;
	List	   *params;			/* Expr */
	List	   *param_at;		/* int */

	const char *qualifier;		/* printed before column names; NULL: none */
	bool		aliased;		/* columns are qualified by pgml_deparse_alias instead */
	int			depth;			/* of subqueries around what is printed */
	const struct PgmlScope *scope;	/* what their parameters stand for */
	bool		nested;			/* a subquery has been printed */
	Expr	   *case_arg;		/* what CaseTestExpr stands for */
} PgmlDeparse;

/* What is around a subquery in an expression, while that is printed. */
typedef struct PgmlScope
{
	PgmlDeparse around;
	const SubPlan *plan;
} PgmlScope;

/* Go on in another place of the statement: as there, but what was collected is kept. */
extern void pgml_deparse_switch(PgmlDeparse *cxt, const PgmlDeparse *place);

/* The alias of a relation in FROM. */
extern char *pgml_deparse_alias(const PgmlDeparse *cxt, Index rti);

/* deparse_expr.c */
extern void pgml_deparse_expr(PgmlDeparse *cxt, Expr *expr);

/*
 * Do the expressions hold a subquery?  Then columns need an alias before them, or names
 * within the subquery would come before them.
 */
extern bool pgml_deparse_needs_alias(List *exprs);

/* " WHERE a AND b", or nothing; conditions are Exprs or RestrictInfos. */
extern void pgml_deparse_where(PgmlDeparse *cxt, List *conditions);

/* deparse_value.c */

/*
 * A constant with its type; call it inside base/textio.h's bracket.  Its text
 * means the same wherever an expression may stand.
 */
extern void pgml_deparse_const(StringInfo buf, const Const *constant,
							   const PgmlOptions *options);

/* A string literal, quoted so that standard_conforming_strings doesn't matter. */
extern void pgml_deparse_literal(StringInfo buf, const char *value);

/* The type's name with its modifier (-1: none), as the remote understands it. */
extern char *pgml_deparse_type_name(Oid typid, int32 typmod, const PgmlOptions *options);

/* The name of an object in a schema, qualified unless that is pg_catalog. */
extern void pgml_deparse_qualified_name(StringInfo buf, Oid schemaid, const char *name);

/* An operator between two operands or before one: "+", "OPERATOR(ext.<->)". */
extern void pgml_deparse_operator(StringInfo buf, Oid opno);

/* deparse_select.c */

/*
 * A column of a foreign table by its remote name; ctid and tableoid (the
 * remote's) too, other system columns mean nothing there.
 */
extern void pgml_deparse_column(StringInfo buf, Oid relid, AttrNumber attnum);

/*
 * The same, as it is to be fetched: a column that is text only here is made text
 * there.  To ask for it as it is would only show that it isn't, and its type may
 * have no binary form at all.
 */
extern void pgml_deparse_fetched_column(StringInfo buf, Oid relid, AttrNumber attnum);

/* schema.table of a foreign table on the remote. */
extern void pgml_deparse_relation(StringInfo buf, const PgmlOptions *options);

/* Append FROM and it, with an alias where it is a query: that of the foreign table. */
extern void pgml_deparse_from_table(StringInfo buf, const PgmlOptions *options);

/* Append the one relation of cxt->relids, with its alias. */
extern void pgml_deparse_aliased(PgmlDeparse *cxt);

/* An element of ORDER BY; pgml_shippable_sort makes them. */
typedef struct PgmlSortKey
{
	Expr	   *expr;
	Oid			sortop;
	bool		nulls_first;
} PgmlSortKey;

/* How rows are to be locked on the remote. */
typedef struct PgmlRowLock
{
	LockClauseStrength strength;	/* LCS_NONE: not at all */
	LockWaitPolicy wait;
} PgmlRowLock;

/* " ORDER BY a ASC NULLS LAST, ...", or nothing; the keys are PgmlSortKeys. */
extern void pgml_deparse_order_by(PgmlDeparse *cxt, List *sortkeys);

/* The same behind another keyword. */
extern void pgml_deparse_sort(PgmlDeparse *cxt, const char *keyword, List *sortkeys);

/* " OFFSET n LIMIT m", or " ... FETCH FIRST (m) ROWS WITH TIES"; either may be NULL. */
extern void pgml_deparse_limit(PgmlDeparse *cxt, Expr *limit, Expr *offset, bool with_ties);

/* " FOR UPDATE OF alias SKIP LOCKED", or nothing; alias may be NULL. */
extern void pgml_deparse_row_lock(StringInfo buf, PgmlRowLock lock, const char *alias);

/*
 * Keys that are sent when a scan starts: of the remote's rows those are wanted whose
 * exprs equal one of the keys.  A key may have several columns; the values of
 * each travel as one array.
 */
typedef struct PgmlKeys
{
	List	   *exprs;			/* Expr, of the remote's columns */
	List	   *operators;		/* OIDs: expr = key */
	List	   *arrays;			/* Param: stands for the array of each */
} PgmlKeys;

/* Append the condition behind a keyword; nothing if keys is NULL. */
extern void pgml_deparse_keys(PgmlDeparse *cxt, const char *keyword, const PgmlKeys *keys);

/*
 * The part of a base relation's SELECT behind the column list:
 * " FROM s.t WHERE ... ORDER BY ... LIMIT ... FOR UPDATE".  Start with an empty buf:
 * then param_at are offsets in the tail, as PgmlQuery wants them.  keys may be NULL.
 */
extern void pgml_deparse_base_tail(PgmlDeparse *cxt, List *conditions, const PgmlKeys *keys,
								   List *sortkeys, Expr *limit, PgmlRowLock lock);

/* deparse_modify.c */

/*
 * Pieces of INSERT for sink.h: the columns in targetattrs (int list);
 * override: what the statement says about identity columns; returning: attribute numbers to
 * return (int list, NIL: none).
 */
extern char *pgml_deparse_insert_prefix(Oid relid, const PgmlOptions *options, List *targetattrs,
										OverridingKind override);
extern char *pgml_deparse_insert_suffix(Oid relid, bool on_conflict_do_nothing, List *returning);

/*
 * For sink.h too: COPY of the columns in attnums (an int list, not empty), and the question about
 * the remote table and those columns.  overriding: the INSERT has OVERRIDING SYSTEM VALUE.
 */
extern char *pgml_deparse_insert_copy(Oid relid, const PgmlOptions *options, List *attnums);
extern char *pgml_deparse_insert_question(Oid relid, const PgmlOptions *options, List *attnums,
										  bool overriding);

/* The same question about a relation, as SQL text, and columns of these names (char *). */
extern char *pgml_deparse_copy_question(const char *relation, List *columns, bool overriding);

/* What names the rows that a statement changes. */
typedef struct PgmlRowNames
{
	List	   *keys;			/* int: the columns that do; NIL: ctid and tableoid */
	bool		by_join;		/* their values are of the types that the columns have here, and prove nothing */
} PgmlRowNames;

/*
 * UPDATE s.t SET a = $3, ... WHERE ctid = $1 AND tableoid = $2 [RETURNING ...], and DELETE
 * likewise, or with keys in their place; generated columns are set to DEFAULT and take no
 * parameter.
 */
extern char *pgml_deparse_update(Oid relid, const PgmlOptions *options,
								 const PgmlRowNames *names, List *targetattrs, List *returning);
extern char *pgml_deparse_delete(Oid relid, const PgmlOptions *options,
								 const PgmlRowNames *names, List *returning);

/*
 * The same for many rows, in the pieces that row/change.h wants.  The first row of
 * VALUES is one of nulls, which names no row, but the types of all.  With keys that aren't a join's, rows of
 * VALUES begin with their number, which is returned for each row that is changed.
 */
extern char *pgml_deparse_update_prefix(Oid relid, const PgmlOptions *options,
										const PgmlRowNames *names, List *targetattrs);
extern char *pgml_deparse_delete_prefix(Oid relid, const PgmlOptions *options,
										const PgmlRowNames *names);
extern char *pgml_deparse_batch_suffix(Oid relid, const PgmlRowNames *names, List *targetattrs);

/* A query, without rows, for the types of the keys and the columns that are set; NULL: there are none. */
extern char *pgml_deparse_describe(Oid relid, const PgmlOptions *options,
								   const PgmlRowNames *names, List *targetattrs);
extern char *pgml_deparse_delete_batch(const PgmlOptions *options);

/* " SET a = <expr>, ...": exprs are the values of targetattrs. */
extern void pgml_deparse_set(PgmlDeparse *cxt, Oid relid, List *targetattrs, List *exprs);

/*
 * UPDATE s.t SET a = <expr>, ... WHERE ... [RETURNING ...], and DELETE: the
 * whole statement.  exprs are the values of targetattrs.
 */
extern char *pgml_deparse_direct_update(PgmlDeparse *cxt, Oid relid, List *targetattrs,
										List *exprs, List *conditions, List *returning);
extern char *pgml_deparse_direct_delete(PgmlDeparse *cxt, Oid relid, List *conditions,
										List *returning);

/* TRUNCATE of several tables of one server. */
extern char *pgml_deparse_truncate(List *relids, DropBehavior behavior, bool restart_seqs);

/*
 * A query for the table's size: one row of pages and reltuples (of its partitions and
 * children too; null where that is unknown, or where the relation stores
 * nothing), and relkind.
 */
extern char *pgml_deparse_analyze_size(const PgmlOptions *options);

/*
 * The tail of a query for a sample of about this fraction of the rows: of all
 * of them if method is PGML_SAMPLING_OFF.  AUTO is for the caller to resolve.
 */
extern char *pgml_deparse_analyze_tail(const PgmlOptions *options, PgmlSampling method,
									   double fraction);

#endif							/* PGML_QUERY_DEPARSE_H */
