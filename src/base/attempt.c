/*
 * attempt.c
 *		Work that may fail without taking the statement along.
 *
 * Only a subtransaction puts everything in order that an error can leave behind:
 * locks, references, open files, and through our own callbacks the remote
 * transactions.  An error that was caught without one would have to be of a kind
 * that is known to leave nothing.
 */
#include "postgres.h"

#include "access/xact.h"
#include "utils/memutils.h"
#include "utils/resowner.h"

#include "base/attempt.h"

/* Is it an error that ends the statement, whatever it was doing? */
static bool
is_grave(const ErrorData *error)
{
	int			category = ERRCODE_TO_CATEGORY(error->sqlerrcode);

	return category == ERRCODE_TO_CATEGORY(ERRCODE_OPERATOR_INTERVENTION) ||
		category == ERRCODE_TO_CATEGORY(ERRCODE_INSUFFICIENT_RESOURCES) ||
		category == ERRCODE_TO_CATEGORY(ERRCODE_INTERNAL_ERROR);
}

ErrorData *
pgml_attempt_all(void (*work) (void *arg), void *arg)
{
	MemoryContext cxt = CurrentMemoryContext;
	ResourceOwner owner = CurrentResourceOwner;
	ErrorData  *volatile error = NULL;

	BeginInternalSubTransaction(NULL);
	MemoryContextSwitchTo(cxt);
	PG_TRY();
	{
		work(arg);
		ReleaseCurrentSubTransaction();
	}
	PG_CATCH();
	{
		MemoryContextSwitchTo(cxt);
		error = CopyErrorData();
		FlushErrorState();
		RollbackAndReleaseCurrentSubTransaction();
	}
	PG_END_TRY();
	MemoryContextSwitchTo(cxt);
	CurrentResourceOwner = owner;
	return error;
}

ErrorData *
pgml_attempt(void (*work) (void *arg), void *arg)
{
	ErrorData  *error = pgml_attempt_all(work, arg);

	if (error != NULL && is_grave(error))
		ReThrowError(error);
	return error;
}
