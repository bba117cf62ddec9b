/*
 * change.h
 *		UPDATE and DELETE of many rows of a remote table, in batches.
 *
 * A changer is given rows that say which row of the remote is meant and what
 * its new values are, and sends them as statements of many rows each.  It knows
 * neither planner nor executor.
 */
#ifndef PGML_ROW_CHANGE_H
#define PGML_ROW_CHANGE_H

#include "postgres.h"
#include "executor/tuptable.h"

#include "remote/connection.h"

/*
 * The statements.  "one" changes a single row: its parameters are ctid,
 * tableoid, and for UPDATE the values.  UPDATE of many rows is prefix
 * ", ($1, $2, ...), ..." suffix, with the same parameters for each row; DELETE
 * is prefix alone, with an array of ctids and a tableoid.
 *
 * by_key: rows are named by key columns instead, none of which is null, and no two
 * rows have the same.  Then DELETE is as UPDATE, without values.  Rows of VALUES begin
 * with their number, from 1, and the statement of many rows returns it for each
 * row that it has changed.
 *
 * by_join: by_key too, but the keys come from another table, so one may name any number
 * of rows.  Then rows of VALUES aren't numbered, and nothing is returned.
 */
typedef struct PgmlChange
{
	CmdType		operation;
	char	   *one;
	char	   *prefix;
	char	   *suffix;			/* UPDATE, or by_key */
	char	   *describe;		/* the same: a query of the keys and the columns that are set, without rows */
	bool		by_key;
	bool		by_join;
} PgmlChange;

/* The columns of a row that is to be changed, if not by_key; values stand behind them. */
#define PGML_CHANGE_CTID 0
#define PGML_CHANGE_TABLEOID 1
#define PGML_CHANGE_NUM_KEYS 2

/* An ErrorContextCallback's function: give the error that a lack of ctid has caused a hint. */
extern void pgml_change_explain_lack(void *arg);

/* Rows that one statement changes at most. */
#define PGML_CHANGE_ROWS 500

typedef struct PgmlChanger PgmlChanger;

/*
 * Make a changer for rows of this descriptor, in a context of its own below the
 * current one.  change and desc must outlive it.  nrows: how many rows will come,
 * at most; for more than a few it asks the remote for the types of the columns.
 * Blocks, throws.
 */
extern PgmlChanger *pgml_changer_create(PgmlConn *conn, const PgmlChange *change,
										TupleDesc desc, int64 nrows);

/*
 * Change a row: now, or together with others that follow.  Of several rows for
 * the same remote row the first is taken.  Blocks, throws.
 */
extern void pgml_changer_put(PgmlChanger *changer, TupleTableSlot *slot);

/*
 * Change what hasn't been changed yet.  Returns how many rows the remote says
 * it has changed since the last call.  Blocks, throws.
 */
extern uint64 pgml_changer_finish(PgmlChanger *changer);

/* Forget the prepared statement; never blocks. */
extern void pgml_changer_close(PgmlChanger *changer);

#endif							/* PGML_ROW_CHANGE_H */
