/*
 * keyedjoin.h
 *		Joins whose foreign side is asked for the keys of the other side only.
 */
#ifndef PGML_EXEC_KEYEDJOIN_H
#define PGML_EXEC_KEYEDJOIN_H

#include "postgres.h"

/* Register the executor node; called by _PG_init. */
extern void pgml_keyedjoin_init(void);

#endif							/* PGML_EXEC_KEYEDJOIN_H */
