/*
 * modify_state.h
 *		What modify.c and modify_insert.c share: one foreign table that is being
 *		changed.
 */
#ifndef PGML_EXEC_MODIFY_STATE_H
#define PGML_EXEC_MODIFY_STATE_H

#include "postgres.h"
#include "nodes/execnodes.h"

#include "exec/arguments.h"
#include "exec/modify_queue.h"
#include "exec/rowkeys.h"
#include "exec/rowslot.h"
#include "plan/planinfo.h"
#include "row/sink.h"

/* Lives in a ResultRelInfo's ri_FdwState. */
typedef struct PgmlModify
{
	PgmlModifyPlan *plan;
	PgmlConn   *conn;
	MemoryContext call_cxt;		/* emptied at each call of ours */
	PgmlRowSlot *returned;		/* rows of RETURNING; NULL: none come back */

	/* INSERT: by one of these two */
	PgmlSink   *sink;
	PlanState  *input;			/* the plan of the rows; NULL: the first has been sent, or there is none */
	PgmlQueue  *queue;			/* of UPDATE and DELETE too; NULL: rows are changed one by one */

	/* UPDATE and DELETE: a prepared statement, its parameters what names the row, values */
	char	   *statement;		/* its name; NULL: not prepared yet */
	List	   *row_attnos;		/* int: in the subplan's rows, ctid and tableoid, or the key */
	PgmlRowKeys *keys;			/* of rows changed so far; NULL: nobody needs to remember them */
	bool		check_keys;		/* a local trigger might have set one */
	List	   *value_attrs;	/* int: attributes behind the other parameters */
	PgmlArguments *args;
} PgmlModify;

/*
 * Make the part that all operations have, in the current context; doesn't
 * touch the network.
 */
extern PgmlModify *pgml_modify_create(PgmlModifyPlan *plan, EState *estate, ResultRelInfo *rri);

/* Make its sink or its queue, for INSERT. */
extern void pgml_modify_begin_insert(PgmlModify *modify, ModifyTableState *mtstate,
									 ResultRelInfo *rri);

/*
 * Take the remote's answer for one row: NULL if it has changed none, else the
 * slot, with what RETURNING has brought.
 */
extern TupleTableSlot *pgml_modify_take_result(PgmlModify *modify, PgmlResult *res,
											   TupleTableSlot *slot);

#endif							/* PGML_EXEC_MODIFY_STATE_H */
