/*
 * queue_state.h
 *		A queue of rows: what its rows wait in (modify_queue.c), and how they
 *		leave it (queue_apply.c).
 */
#ifndef PGML_EXEC_QUEUE_STATE_H
#define PGML_EXEC_QUEUE_STATE_H

#include "postgres.h"
#include "lib/ilist.h"
#include "nodes/execnodes.h"
#include "utils/resowner.h"
#include "utils/tuplestore.h"

#include "exec/modify_queue.h"
#include "plan/planinfo.h"
#include "remote/connection.h"
#include "row/change.h"
#include "row/sink.h"

struct PgmlQueue
{
	dlist_node	node;			/* in queues, while there is a store */
	MemoryContext cxt;			/* holds this struct and all that belongs to it */
	MemoryContextCallback on_delete;
	ExecProcNodeMtd run_node;	/* ModifyTable's own function */
	PgmlConn   *conn;

	/* UPDATE and DELETE */
	PgmlChange	change;
	List	   *value_attrs;
	int			nnames;			/* columns of a row in front of the values */

	/* INSERT */
	const PgmlInsert *insert;	/* NULL: it is none */
	PgmlSinkKind method;		/* as planned, or that of the last sink */
	int			batch_size;		/* rows of a statement */
	TupleTableSlot **gathered;	/* of one statement, while rows are applied */
	int			ngathered;		/* how many slots there are, as many as have been needed so far */

	CommandId	command;		/* that queues the rows */
	int			level;			/* its nest level */

	TupleDesc	desc;			/* ctid, tableoid, or keys; then values; of an INSERT, the table's */
	TupleTableSlot *slot;
	Tuplestorestate *store;		/* NULL: no row has been queued yet */
	ResourceOwner owner;		/* of the store */
	MemoryContext apply_cxt;	/* not NULL: being applied; a value's output function may come back here */
	bool		deferred;		/* another node of the statement applies it */
	bool		may_hurry;		/* rows may be changed as soon as no scan is being read */
	PgmlChanger *changer;		/* in apply_cxt; changes rows as they are put; NULL: they wait */
	TupleTableSlot *put_slot;	/* a row for it */
	int64		waiting;		/* rows that haven't been applied */
	uint64		changed;		/* rows, as the remote says */

	/*
	 * Where rows have been applied in a subtransaction that the command is not
	 * in: its nest level (0: they haven't), and what it was before.  The store's
	 * second read pointer stands in front of those rows.
	 */
	int			inner_level;
	int64		inner_waiting;
	uint64		inner_changed;
};

/*
 * Apply the rows that wait, in whatever context and subtransaction; what that makes
 * lives in a context of its own, which goes with that subtransaction if it fails.  Blocks, throws.
 */
extern void pgml_queue_apply(PgmlQueue *queue);

/* The plan has brought its last row: the same, and whatever has been changed meanwhile is done. */
extern void pgml_queue_finish(PgmlQueue *queue);

/*
 * Take a row out of the hand of somebody who would store it, where rows needn't
 * wait; false: it must.  May block, throws.
 */
extern bool pgml_queue_hurry(PgmlQueue *queue, const Datum *values, const bool *nulls);

/* What was applied in a subtransaction is undone with it: the rows wait again.  Doesn't throw. */
extern void pgml_queue_undo(PgmlQueue *queue);

#endif							/* PGML_EXEC_QUEUE_STATE_H */
