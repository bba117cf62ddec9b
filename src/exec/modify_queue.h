/*
 * modify_queue.h
 *		Rows that wait to be changed until the scan has ended.
 */
#ifndef PGML_EXEC_MODIFY_QUEUE_H
#define PGML_EXEC_MODIFY_QUEUE_H

#include "postgres.h"
#include "nodes/execnodes.h"

#include "plan/planinfo.h"
#include "remote/connection.h"
#include "row/sink.h"

typedef struct PgmlQueue PgmlQueue;

/*
 * Make a queue for a result relation of a ModifyTable that is being
 * initialized, and see to it that the queue is applied when that node is done.
 * value_attrs: int list of the attributes that are set.
 */
extern PgmlQueue *pgml_queue_create(PgmlModifyPlan *plan, PgmlConn *conn,
									ModifyTableState *mtstate, ResultRelInfo *rri,
									List *value_attrs);

/*
 * Queue a row: names and name_nulls say what names it (ctid and tableoid, or the plan's
 * keys), the values are in slot.  May block: on a temporary file, or on the remote if rows needn't wait.
 */
extern void pgml_queue_put(PgmlQueue *queue, const Datum *names, const bool *name_nulls,
						   TupleTableSlot *slot);

/*
 * The same two for rows to insert, batch_size of them by one INSERT if not by COPY; none
 * of them is looked at here afterwards.
 */
extern PgmlQueue *pgml_queue_create_insert(PgmlModifyPlan *plan, PgmlConn *conn,
										   ModifyTableState *mtstate, ResultRelInfo *rri,
										   int batch_size);
extern void pgml_queue_put_new(PgmlQueue *queue, TupleTableSlot *slot);

/* How its rows are inserted, for EXPLAIN. */
extern PgmlSinkKind pgml_queue_insert_method(const PgmlQueue *queue, int *batch_size);

/*
 * Apply what a statement with this snapshot must see: the queues of statements
 * that this one is nested in.  Called before a connection is used by a
 * statement.  Blocks, throws.
 */
extern void pgml_queue_apply_for(PgmlConn *conn, EState *estate);

/*
 * The same for a volatile function of ours that runs SQL by itself: it sees what its
 * calling statement has done so far, too.
 */
extern void pgml_queue_apply_all(PgmlConn *conn);

/* Throw away what a statement that is over has not applied; never blocks. */
extern void pgml_queue_close(PgmlQueue *queue);

/* Register a callback for the end of subtransactions. */
extern void pgml_queue_init(void);

#endif							/* PGML_EXEC_MODIFY_QUEUE_H */
