/*
 * planinfo.c
 *		Plans on their way from the planner to the executor.
 *
 * Question answered: how do PgmlScanPlan and PgmlModifyPlan travel in a plan
 * node's private list, and is a list that comes back really one of ours?
 *
 * A plan is a flat List: a magic string that says what follows, then the
 * fields in their order.  Packing appends fields, unpacking takes them off in
 * the same order; both halves of a struct stand one below the other, so that
 * a new field is added in two neighbouring places.
 *
 * Why so careful when unpacking: a wrapper's handler can be swapped between
 * pgml_fdw and postgres_fdw while sessions hold plans or cached callbacks of
 * the other.  So a foreign list, and one of another layout of ours, must give
 * an error that says what to do, never a crash.
 *
 * The other way round it is postgres_fdw that is handed a list of ours.  It
 * looks for SQL in the first field and for certain node types in the next ones.
 * So each list begins with fields of those types, and the magic is no SQL: what
 * postgres_fdw does with our plan ends in a syntax error on the remote.
 *
 * Integer nodes hold an int, which an OID may exceed: OIDs travel in OID lists.
 */
#include "postgres.h"

#include "nodes/pathnodes.h"
#include "nodes/value.h"
#include "utils/inval.h"

#include "base/compat.h"
#include "plan/planinfo.h"
#include "query/deparse.h"

/* What a list begins with.  To be changed with the layout of the struct. */
#define SCAN_MAGIC "pgml_fdw scan 4"
#define MODIFY_MAGIC "pgml_fdw modify 5"
#define DIRECT_MAGIC "pgml_fdw direct 1"
#define KEYED_MAGIC "pgml_fdw keyed join 1"

/* Stands where postgres_fdw puts the names of joined relations. */
#define ENGINE "pgml_fdw"

/* A list that is being taken apart. */
typedef struct Unpacker
{
	List	   *packed;
	int			at;
} Unpacker;

/*
 * Throw: this plan is not ours, or not of this version.  What this session has
 * cached of relations (the callbacks of their engine) and plans is out of
 * date: it is forgotten, so that the statement works when it is run again.
 */
static void
throw_foreign(void)
{
	InvalidateSystemCaches();
	ereport(ERROR,
			(errcode(ERRCODE_FDW_ERROR),
			 errmsg("this plan was made by another foreign data wrapper engine"),
			 errdetail("The handler of the foreign data wrapper has changed since the statement was planned."),
			 errhint("Run the statement again.")));
}

/* Start to take a list apart: it must begin with this magic. */
static Unpacker
unpack_start(List *packed, const char *magic)
{
	Unpacker	unpacker = {packed, 1};
	Node	   *first = NULL;

	if (packed != NIL && IsA(packed, List))
		first = linitial(packed);
	if (first == NULL || !IsA(first, String) || strcmp(strVal(first), magic) != 0)
		throw_foreign();
	return unpacker;
}

/* Take the next field. */
static Node *
take(Unpacker *unpacker)
{
	if (unpacker->at >= list_length(unpacker->packed))
		throw_foreign();
	return list_nth(unpacker->packed, unpacker->at++);
}

/* Throw unless all fields have been taken. */
static void
unpack_end(Unpacker *unpacker)
{
	if (unpacker->at != list_length(unpacker->packed))
		throw_foreign();
}

static int
take_int(Unpacker *unpacker)
{
	Node	   *node = take(unpacker);

	if (node == NULL || !IsA(node, Integer))
		throw_foreign();
	return intVal(node);
}

static bool
take_bool(Unpacker *unpacker)
{
	Node	   *node = take(unpacker);

	if (node == NULL || !IsA(node, Boolean))
		throw_foreign();
	return boolVal(node);
}

/* Strings may be NULL. */
static List *
add_string(List *packed, const char *value)
{
	return lappend(packed, value != NULL ? makeString(pstrdup(value)) : NULL);
}

static char *
take_string(Unpacker *unpacker)
{
	Node	   *node = take(unpacker);

	if (node == NULL)
		return NULL;
	if (!IsA(node, String))
		throw_foreign();
	return pstrdup(strVal(node));
}

/* Lists of int or OID; tag says which. */
static List *
take_list(Unpacker *unpacker, NodeTag tag)
{
	Node	   *node = take(unpacker);

	if (node != NULL && nodeTag(node) != tag)
		throw_foreign();
	return list_copy((List *) node);
}

/* Arrays travel as lists. */
static List *
add_attnums(List *packed, const AttrNumber *attnums, int n)
{
	List	   *list = NIL;

	for (int i = 0; i < n; i++)
		list = lappend_int(list, attnums[i]);
	return lappend(packed, list);
}

static AttrNumber *
take_attnums(Unpacker *unpacker, int *n)
{
	List	   *list = take_list(unpacker, T_IntList);
	AttrNumber *attnums = palloc(list_length(list) * sizeof(AttrNumber));

	*n = list_length(list);
	for (int i = 0; i < *n; i++)
		attnums[i] = (AttrNumber) list_nth_int(list, i);
	return attnums;
}

/* A query in pieces: the columns, tail, parameter offsets, locks. */
static List *
add_query(List *packed, const PgmlQuery *query)
{
	List	   *param_at = NIL;

	for (int i = 0; i < query->ncols; i++)
		packed = add_string(packed, query->columns[i]);
	packed = add_string(packed, query->tail);
	for (int i = 0; i < query->nparam_at; i++)
		param_at = lappend_int(param_at, query->param_at[i]);
	packed = lappend(packed, param_at);
	packed = add_string(packed, query->relation);
	packed = lappend(packed, makeBoolean(query->locks_rows));
	packed = lappend(packed, makeBoolean(query->guard_rows));
	packed = lappend(packed, makeInteger(query->fetch_size));
	return lappend(packed, makeBoolean(query->fetch_grows));
}

static void
take_query(Unpacker *unpacker, PgmlQuery *query, int ncols)
{
	List	   *param_at;

	query->ncols = ncols;
	query->columns = palloc(ncols * sizeof(char *));
	for (int i = 0; i < ncols; i++)
		query->columns[i] = take_string(unpacker);
	query->tail = take_string(unpacker);

	param_at = take_list(unpacker, T_IntList);
	query->nparam_at = list_length(param_at);
	query->param_at = palloc(query->nparam_at * sizeof(int));
	for (int i = 0; i < query->nparam_at; i++)
		query->param_at[i] = list_nth_int(param_at, i);
	query->relation = take_string(unpacker);
	query->locks_rows = take_bool(unpacker);
	query->guard_rows = take_bool(unpacker);
	query->fetch_size = take_int(unpacker);
	query->fetch_grows = take_bool(unpacker);
}

/* The first four fields are a string, a list, an integer and a string without digits, as postgres_fdw's are. */
List *
pgml_planinfo_pack_scan(const PgmlScanPlan *plan)
{
	List	   *packed = list_make1(makeString(pstrdup(SCAN_MAGIC)));

	packed = add_attnums(packed, plan->attnums, plan->query.ncols);
	packed = lappend(packed, makeInteger(plan->kind));
	packed = add_string(packed, ENGINE);
	packed = add_query(packed, &plan->query);
	packed = add_string(packed, plan->relations);
	packed = lappend(packed, makeBoolean(plan->system_columns));
	packed = lappend(packed, makeBoolean(plan->chosen_by_user));
	packed = lappend(packed, makeBoolean(plan->hands_on));
	packed = lappend(packed, makeInteger(plan->parent_distance));
	packed = lappend(packed, list_copy(plan->keys));
	return lappend(packed, list_make2_oid(plan->serverid, plan->userid));
}

PgmlScanPlan *
pgml_planinfo_unpack_scan(List *packed)
{
	Unpacker	unpacker = unpack_start(packed, SCAN_MAGIC);
	PgmlScanPlan *plan = palloc0(sizeof(PgmlScanPlan));
	List	   *oids;
	int			ncols;

	plan->attnums = take_attnums(&unpacker, &ncols);
	plan->kind = (PgmlSourceKind) take_int(&unpacker);
	(void) take_string(&unpacker);
	take_query(&unpacker, &plan->query, ncols);
	plan->relations = take_string(&unpacker);
	plan->system_columns = take_bool(&unpacker);
	plan->chosen_by_user = take_bool(&unpacker);
	plan->hands_on = take_bool(&unpacker);
	plan->parent_distance = take_int(&unpacker);
	plan->keys = take_list(&unpacker, T_IntList);
	oids = take_list(&unpacker, T_OidList);
	if (list_length(oids) != 2)
		throw_foreign();
	plan->serverid = linitial_oid(oids);
	plan->userid = lsecond_oid(oids);
	unpack_end(&unpacker);
	return plan;
}

PgmlScanPlan *
pgml_planinfo_of_scan(ForeignScan *scan)
{
	return pgml_planinfo_unpack_scan(scan->fdw_private);
}

/* The pieces of INSERT: attributes, which of them are DEFAULT, prefix, suffix, returns, COPY, question. */
static List *
add_insert(List *packed, const PgmlInsert *insert)
{
	packed = add_attnums(packed, insert->attnums, insert->ncols);
	for (int i = 0; i < insert->ncols; i++)
		packed = lappend(packed, makeBoolean(insert->default_cols[i]));
	packed = add_string(packed, insert->prefix);
	packed = add_string(packed, insert->suffix);
	packed = lappend(packed, makeBoolean(insert->returns));
	packed = add_string(packed, insert->copy);
	return add_string(packed, insert->question);
}

static void
take_insert(Unpacker *unpacker, PgmlInsert *insert)
{
	insert->attnums = take_attnums(unpacker, &insert->ncols);
	insert->default_cols = palloc(insert->ncols * sizeof(bool));
	for (int i = 0; i < insert->ncols; i++)
		insert->default_cols[i] = take_bool(unpacker);
	insert->prefix = take_string(unpacker);
	insert->suffix = take_string(unpacker);
	insert->returns = take_bool(unpacker);
	insert->copy = take_string(unpacker);
	insert->question = take_string(unpacker);
}

/*
 * The first five fields are a string, a list, an integer, a boolean and a
 * list, as postgres_fdw's are; the boolean says there that rows come back.
 */
List *
pgml_planinfo_pack_modify(const PgmlModifyPlan *plan)
{
	List	   *packed = list_make1(makeString(pstrdup(MODIFY_MAGIC)));

	packed = lappend(packed, list_copy(plan->targetattrs));
	packed = lappend(packed, makeInteger(plan->operation));
	packed = lappend(packed, makeBoolean(plan->returning != NIL));
	packed = lappend(packed, list_copy(plan->returning));
	packed = add_string(packed, plan->sql);
	packed = add_string(packed, plan->batch_prefix);
	packed = add_string(packed, plan->batch_suffix);
	packed = add_string(packed, plan->batch_describe);
	packed = lappend(packed, list_copy(plan->keys));
	packed = lappend(packed, makeBoolean(plan->by_join));
	packed = lappend(packed, makeBoolean(plan->keys_repeat));
	return add_insert(packed, &plan->insert);
}

PgmlModifyPlan *
pgml_planinfo_unpack_modify(List *packed)
{
	Unpacker	unpacker = unpack_start(packed, MODIFY_MAGIC);
	PgmlModifyPlan *plan = palloc0(sizeof(PgmlModifyPlan));

	plan->targetattrs = take_list(&unpacker, T_IntList);
	plan->operation = (CmdType) take_int(&unpacker);
	(void) take_bool(&unpacker);
	plan->returning = take_list(&unpacker, T_IntList);
	plan->sql = take_string(&unpacker);
	plan->batch_prefix = take_string(&unpacker);
	plan->batch_suffix = take_string(&unpacker);
	plan->batch_describe = take_string(&unpacker);
	plan->keys = take_list(&unpacker, T_IntList);
	plan->by_join = take_bool(&unpacker);
	plan->keys_repeat = take_bool(&unpacker);
	take_insert(&unpacker, &plan->insert);
	unpack_end(&unpacker);
	return plan;
}

List *
pgml_stored_columns(Relation rel)
{
	TupleDesc	desc = RelationGetDescr(rel);
	List	   *attnums = NIL;

	for (AttrNumber attnum = 1; attnum <= desc->natts; attnum++)
	{
		Form_pg_attribute attr = TupleDescAttr(desc, attnum - 1);

		if (!attr->attisdropped && !pgml_is_virtual(attr))
			attnums = lappend_int(attnums, attnum);
	}
	return attnums;
}

char *
pgml_planinfo_key_junk(Form_pg_attribute attr)
{
	return psprintf("rkey %d %u %d %u", attr->attnum, attr->atttypid, attr->atttypmod,
					attr->attcollation);
}

/* Packed: a string, a boolean, a list, a boolean, as postgres_fdw's direct modifications are. */
void
pgml_planinfo_make_direct(ForeignScan *scan, CmdType operation, Index result_relation,
						  List *params, const PgmlDirectPlan *plan)
{
	List	   *packed = list_make1(makeString(pstrdup(DIRECT_MAGIC)));

	packed = lappend(packed, makeBoolean(plan->returning != NIL));
	packed = lappend(packed, list_copy(plan->returning));
	packed = lappend(packed, makeBoolean(plan->counts));
	packed = add_string(packed, plan->sql);

	/* what changes rows isn't run at the same time as other scans */
	scan->scan.plan.async_capable = false;
	scan->operation = operation;
	scan->resultRelation = result_relation;
	scan->fdw_exprs = params;
	scan->fdw_private = packed;
}

PgmlDirectPlan *
pgml_planinfo_of_direct(ForeignScan *scan)
{
	Unpacker	unpacker = unpack_start(scan->fdw_private, DIRECT_MAGIC);
	PgmlDirectPlan *plan = palloc0(sizeof(PgmlDirectPlan));

	(void) take_bool(&unpacker);
	plan->returning = take_list(&unpacker, T_IntList);
	plan->counts = take_bool(&unpacker);
	plan->sql = take_string(&unpacker);
	unpack_end(&unpacker);
	return plan;
}

/* Paths don't leave the planner, so a pointer will do. */
void
pgml_planinfo_set_keys(ForeignPath *path, PgmlKeys *keys)
{
	path->fdw_private = list_make1(keys);
}

const PgmlKeys *
pgml_planinfo_keys(const ForeignPath *path)
{
	return path->fdw_private != NIL ? linitial(path->fdw_private) : NULL;
}

List *
pgml_planinfo_pack_keyed(const PgmlKeyedPlan *plan)
{
	List	   *packed = list_make1(makeString(pstrdup(KEYED_MAGIC)));

	packed = lappend(packed, makeInteger(plan->type));
	packed = lappend(packed, makeInteger(plan->nouter));
	packed = lappend(packed, list_copy(plan->operators));
	return lappend(packed, list_copy(plan->collations));
}

PgmlKeyedPlan *
pgml_planinfo_of_keyed(CustomScan *scan)
{
	Unpacker	unpacker = unpack_start(scan->custom_private, KEYED_MAGIC);
	PgmlKeyedPlan *plan = palloc0(sizeof(PgmlKeyedPlan));

	plan->type = (JoinType) take_int(&unpacker);
	plan->nouter = take_int(&unpacker);
	plan->operators = take_list(&unpacker, T_OidList);
	plan->collations = take_list(&unpacker, T_OidList);
	unpack_end(&unpacker);
	return plan;
}
