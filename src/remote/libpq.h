/*
 * libpq.h
 *		The one place that includes libpq, for the floor "remote" only.
 */
#ifndef PGML_REMOTE_LIBPQ_H
#define PGML_REMOTE_LIBPQ_H

#include "postgres.h"

#include "libpq-fe.h"

/*
 * Servers since the minor releases of late 2026 say themselves which parameters
 * an extension may connect with.  A weak reference: NULL in a server that
 * doesn't have it, so that one build serves all minor releases.
 */
extern bool libpqsrv_is_valid_proxy_option(const char *keyword) __attribute__((weak));

#endif							/* PGML_REMOTE_LIBPQ_H */
