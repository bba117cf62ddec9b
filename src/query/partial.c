/*
 * partial.c
 *		Aggregates in halves.
 *
 * Question answered: where each partition is aggregated by itself, and the results are put
 * together here (core's partial aggregation), what can a remote be asked for, so that
 * what it sends is the very transition state that core expects?
 *
 * An aggregate without a final function has its result as state: count, min, max,
 * sum of small integers, bool_and and so on.  An average's state is a count and a
 * sum.  For integers core keeps the two in an array, which SQL can make.  For floats
 * there is a third number, from which deviations are computed and averages are not; aggregates
 * that core computes from one and the same state must not get a false one.  For numeric and
 * bigint the state is internal, and travels between core's own nodes as bytes of no
 * documented form: these are made here, from a count and a sum that were checked
 * (exec/aggstate.c), and never taken from a remote.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_aggregate.h"
#include "catalog/pg_type_d.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "utils/fmgroids.h"
#include "utils/syscache.h"

#include "query/partial.h"

/* Is the state what the aggregate returns? */
static bool
returns_state(const Aggref *agg)
{
	HeapTuple	tuple = SearchSysCache1(AGGFNOID, ObjectIdGetDatum(agg->aggfnoid));
	bool		result = false;

	if (HeapTupleIsValid(tuple))
	{
		Form_pg_aggregate form = (Form_pg_aggregate) GETSTRUCT(tuple);

		result = !OidIsValid(form->aggfinalfn) && OidIsValid(form->aggcombinefn) &&
			agg->aggtranstype != INTERNALOID && agg->aggtype == agg->aggtranstype;
		ReleaseSysCache(tuple);
	}
	return result;
}

PgmlPartial
pgml_partial_of(const Aggref *agg)
{
	switch (agg->aggfnoid)
	{
		case F_AVG_INT2:
		case F_AVG_INT4:
			return agg->aggtype == INT8ARRAYOID ? PGML_PARTIAL_INTEGERS : PGML_PARTIAL_NONE;
		case F_AVG_FLOAT4:
		case F_AVG_FLOAT8:
			return agg->aggtype == FLOAT8ARRAYOID ? PGML_PARTIAL_FLOATS : PGML_PARTIAL_NONE;
		case F_AVG_INT8:
		case F_AVG_NUMERIC:
		case F_SUM_INT8:
		case F_SUM_NUMERIC:
			return agg->aggtranstype == INTERNALOID && agg->aggtype == BYTEAOID ?
				PGML_PARTIAL_NUMERICS : PGML_PARTIAL_NONE;
		default:
			return returns_state(agg) ? PGML_PARTIAL_RESULT : PGML_PARTIAL_NONE;
	}
}

/* Does another aggregate of the query share the state? */
static bool
shares_state(PlannerInfo *root, const Aggref *agg)
{
	ListCell   *lc;

	foreach(lc, root->agginfos)
	{
		AggInfo    *info = lfirst(lc);

		if (info->transno == agg->aggtransno && foreach_current_index(lc) != agg->aggno)
			return true;
	}
	return false;
}

bool
pgml_partial_is_possible(PlannerInfo *root, const Aggref *agg)
{
	PgmlPartial partial = pgml_partial_of(agg);

	if (partial == PGML_PARTIAL_FLOATS)
		return !shares_state(root, agg);
	return partial != PGML_PARTIAL_NONE;
}
