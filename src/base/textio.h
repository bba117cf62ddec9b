/*
 * textio.h
 *		Values in a text form that means the same on every server.
 *
 * The text form of dates, floats, names of objects and money follows the
 * session's settings.  Between _begin and _end the output functions print what
 * any remote reads back as the same value: ISO dates, intervals with explicit
 * signs, all digits of a float, qualified names.
 */
#ifndef PGML_BASE_TEXTIO_H
#define PGML_BASE_TEXTIO_H

#include "postgres.h"

/*
 * Bracket a run of output function calls.  Costs little where the settings are
 * as needed already.  An error in between restores the settings by itself,
 * with the abort of the (sub)transaction.
 */
extern int	pgml_textio_begin(void);
extern void pgml_textio_end(int nestlevel);

#endif							/* PGML_BASE_TEXTIO_H */
