/*
 * answer_scan.h
 *		The scan of a function whose rows are streamed.
 */
#ifndef PGML_SQLFUNC_ANSWER_SCAN_H
#define PGML_SQLFUNC_ANSWER_SCAN_H

/* Make the scan known to the planner; called by _PG_init. */
extern void pgml_answer_scan_init(void);

#endif							/* PGML_SQLFUNC_ANSWER_SCAN_H */
