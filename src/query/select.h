/*
 * select.h
 *		A SELECT over several relations: its parts, and how they are printed.
 *
 * A relation that the remote computes, be it a join or what stands above one, is
 * described by a PgmlSelect.  Each base relation in it has the alias r<n>, where
 * n is its range table index, and every column is written with it.
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

/* What stands in FROM: a table, or a join of two.  Never changed once it is made. */
typedef struct PgmlFrom
{
	/* a table */
	Index		rti;			/* 0: a join */
	Oid			relid;
	const PgmlOptions *options;
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
	const PgmlFrom *from;
	PgmlConds	where;
	bool		grouped;		/* there are aggregates or groups */
	List	   *group;			/* Expr */
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

static inline bool
pgml_conds_empty(PgmlConds conds)
{
	return conds.clauses == NIL && conds.exists == NIL;
}

#endif							/* PGML_QUERY_SELECT_H */
