/*
 * libpq.h
 *		The one place that includes libpq, for the floor "remote" only.
 */
#ifndef PGML_REMOTE_LIBPQ_H
#define PGML_REMOTE_LIBPQ_H

#include "postgres.h"

#include "libpq-fe.h"

/*
 * Minor releases of late 2026 let the server itself say which parameters an
 * extension may connect with; the Makefile looks whether it does.
 */
#ifdef PGML_HAVE_PROXY_OPTION_CHECK
extern bool libpqsrv_is_valid_proxy_option(const char *keyword);
#endif

#endif							/* PGML_REMOTE_LIBPQ_H */
