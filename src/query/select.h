/*
 * select.h
 *		A SELECT over several relations: its parts, and how they are printed.
 *
 * A relation that the remote computes, be it a join or what stands above one, is
 * described by a PgmlSelect.  Each base relation in it has the alias r<n>, where
 * n is its range table index, and every column is written with it.  In a subquery
 * the alias is q<depth>_<n>, so that it hides none of those around it.
 */
#ifndef PGML_QUERY_SELECT_H
#define PGML_QUERY_SELECT_H

#include "postgres.h"
#include "nodes/pathnodes.h"

#include "query/deparse.h"

/*
 * Conditions that belong together: expressions, and tests whether another
 * relation has a matching row, which is what a semi-join or an anti-join is.
 */
typedef struct PgmlConds
{
	List	   *clauses;		/* Expr or RestrictInfo */
	List	   *exists;			/* PgmlExists */
} PgmlConds;

struct PgmlSelect;

/*
 * A SELECT within another, or several that are put together.  Each was planned by
 * itself, so its range table indexes are those of a PlannerInfo of its own.  Its
 * columns are named c1, c2 and so on.
 */
typedef struct PgmlSubquery
{
	/* UNION, INTERSECT or EXCEPT of two others */
	SetOperation op;			/* SETOP_NONE: a SELECT */
	bool		all;
	const struct PgmlSubquery *left;
	const struct PgmlSubquery *right;

	/* a SELECT */
	PlannerInfo *root;
	Relids		relids;			/* Vars of these are its own columns */
	const PgmlOptions *options;
	const struct PgmlSelect *select;	/* targets that are NULL have no column: nobody wants it */
} PgmlSubquery;

/* What stands in FROM: a table, a subquery, or a join of two.  Never changed once it is made. */
typedef struct PgmlFrom
{
	/* a table or subquery */
	Index		rti;			/* 0: a join */
	Oid			relid;
	const PgmlOptions *options;
	const PgmlSubquery *subquery;	/* NULL: a table */
	PgmlConds	filter;			/* applied before any join, in a subquery */

	/* a join: INNER, LEFT, RIGHT or FULL */
	JoinType	type;
	const struct PgmlFrom *left;
	const struct PgmlFrom *right;
	PgmlConds	on;
} PgmlFrom;

/* [NOT] EXISTS (SELECT FROM from WHERE where). */
typedef struct PgmlExists
{
	bool		negated;
	const PgmlFrom *from;
	PgmlConds	where;
} PgmlExists;

/* How the rows of one base relation are locked. */
typedef struct PgmlSelectLock
{
	Index		rti;
	PgmlRowLock lock;
} PgmlSelectLock;

typedef struct PgmlSelect
{
	List	   *targets;		/* Expr: the columns */
	Relids		hollow;			/* relations of whose whole rows nobody needs the columns */
	bool		distinct;
	List	   *distinct_on;	/* Expr */
	const PgmlFrom *from;
	PgmlConds	where;
	const PgmlKeys *keys;		/* a condition beside those; NULL: none */
	bool		grouped;		/* there are aggregates or groups */
	List	   *group;			/* Expr */
	List	   *grouping_sets;	/* lists of Expr; NIL: one, of all */
	List	   *having;			/* Expr */
	List	   *sort;			/* PgmlSortKey */
	Expr	   *limit;			/* NULL: none */
	Expr	   *offset;			/* NULL: none */
	bool		with_ties;
	List	   *locks;			/* PgmlSelectLock */
} PgmlSelect;

/*
 * Print it in the two parts that PgmlQuery wants: *columns becomes an array of
 * expressions without parameters, cxt->buf (which the caller makes, empty)
 * gets the rest, beginning with " FROM".  cxt->relids are those whose Vars are columns.
 */
extern void pgml_deparse_select(PgmlDeparse *cxt, const PgmlSelect *select, char ***columns);

/* Append a FROM tree, without the keyword. */
extern void pgml_deparse_from(PgmlDeparse *cxt, const PgmlFrom *from);

/* Append a SELECT within another: in the place of a table, where it may see nothing around it. */
extern void pgml_deparse_subquery(PgmlDeparse *cxt, const PgmlSubquery *subquery);

/*
 * The SELECT of a subquery in an expression, with all of its columns (none, where only
 * its having rows counts); NULL: the remote that options are about can't compute it.
 * The floor above, which knows planned queries, provides it.
 */
typedef const PgmlSubquery *(*PgmlSubqueryFinder) (PlannerInfo *root, const SubPlan *plan,
												   const PgmlOptions *options);
extern PgmlSubqueryFinder pgml_find_subquery;

/* The comparison of IN (SELECT ...) or op ANY/ALL (SELECT ...), whose second argument stands for the column; NULL: another one. */
extern OpExpr *pgml_subplan_comparison(const SubPlan *plan);

/* The window of a window function of this query. */
extern WindowClause *pgml_window_of(PlannerInfo *root, const WindowFunc *func);

/* Append OVER and the window. */
extern void pgml_deparse_window(PgmlDeparse *cxt, const WindowFunc *func);

/* Append conditions, all of which must hold, behind a keyword. */
extern void pgml_deparse_conds(PgmlDeparse *cxt, const char *keyword, PgmlConds conds);

/*
 * Statements over joins, in deparse_statement.c.  The first two print the UPDATE of, or the
 * DELETE from, table rti of the SELECT, if each of its rows is joined with others
 * by inner joins only; else NULL.  values: what targetattrs are set to.
 */
extern char *pgml_deparse_join_update(PgmlDeparse *cxt, const PgmlSelect *select, Index rti,
									  List *targetattrs, List *values);
extern char *pgml_deparse_join_delete(PgmlDeparse *cxt, const PgmlSelect *select, Index rti);

/* INSERT INTO a table the rows of the SELECT, whose columns go to targetattrs. */
extern char *pgml_deparse_insert_select(PgmlDeparse *cxt, const PgmlSelect *select, Oid relid,
										const PgmlOptions *options, List *targetattrs,
										bool on_conflict_do_nothing);

/* Name the relations for EXPLAIN: "s.a a LEFT JOIN s.b b". */
extern char *pgml_deparse_relations(PlannerInfo *root, const PgmlSelect *select);

/* The conditions of both; the lists are new. */
extern PgmlConds pgml_conds_union(PgmlConds a, PgmlConds b);

/* Is it a table, that is, neither a subquery nor a join? */
static inline bool
pgml_from_is_table(const PgmlFrom *from)
{
	return from->rti != 0 && from->subquery == NULL;
}

static inline bool
pgml_conds_empty(PgmlConds conds)
{
	return conds.clauses == NIL && conds.exists == NIL;
}

#endif							/* PGML_QUERY_SELECT_H */
