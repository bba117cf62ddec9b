/*
 * import_expression.c
 *		Can an expression of the remote be used here?
 *
 * The text comes from a server that may be hostile, and core runs what import
 * makes of it.  So it is proved, on its own, to be one complete expression:
 * then it remains one between parentheses, and nothing in it can reach what
 * stands around it (a line comment at its end is ended by the line break that
 * follows).  Then it is analyzed as the command around it would do it, in a
 * subtransaction, because what doesn't exist here is only known by the error
 * that it raises, and one expression must not end the import.
 *
 * All but a column's default runs without anybody having asked for it: whenever
 * the local table is written to, or a value of the domain comes along.  So it
 * may use only what an expression that is shipped the other way may use:
 * built-ins, and the extensions that the server's option names; and it must be
 * immutable: such functions look at nothing but their arguments and do nothing.
 * Defaults of columns are imported only on demand; those of tables of ours come
 * without having been asked for, so they too may use only those functions, and
 * none that could change something.
 *
 * Types that have another name or schema here than there are renamed in the
 * parsed expression, for the analysis and again in the command (import_command.c).
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "parser/parse_coerce.h"
#include "parser/parse_collate.h"
#include "parser/parse_expr.h"
#include "parser/parse_relation.h"
#include "parser/parser.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"

#include "exec/import_state.h"
#include "exec/watchful.h"
#include "query/shippable.h"

/* One analysis. */
typedef struct Analysis
{
	PgmlImport *import;
	const char *text;
	PgmlExpressionKind kind;
	Oid			type;
	int32		typmod;
	Oid			collation;
	List	   *columns;
	Node	   *result;
	const char *problem;
} Analysis;

/* Is it the asterisk that stands for all columns?  It is not to get into an expression. */
static bool
is_star(Node *node)
{
	return IsA(node, ColumnRef) && IsA(linitial(((ColumnRef *) node)->fields), A_Star);
}

/* Parse text that must be an expression and nothing else. */
static Node *
parse_bare_expression(const char *text)
{
	List	   *parsed = raw_parser(text, RAW_PARSE_PLPGSQL_EXPR);
	SelectStmt *found = castNode(SelectStmt, linitial_node(RawStmt, parsed)->stmt);
	SelectStmt *bare = makeNode(SelectStmt);
	ResTarget  *target;

	/* what this entrance of the parser accepts beside expressions: FROM, ORDER BY ... */
	bare->targetList = found->targetList;
	if (list_length(found->targetList) == 1 && equal(found, bare))
	{
		target = linitial_node(ResTarget, found->targetList);
		if (target->name == NULL && target->indirection == NIL && !is_star(target->val))
			return target->val;
	}
	ereport(ERROR,
			(errcode(ERRCODE_SYNTAX_ERROR),
			 errmsg("not an expression")));
}

/* The two names of a local type, as a parser would give them. */
static List *
names_of_type(Oid type)
{
	HeapTuple	tuple = SearchSysCache1(TYPEOID, ObjectIdGetDatum(type));
	Form_pg_type form;
	List	   *names;

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for type %u", type);
	form = (Form_pg_type) GETSTRUCT(tuple);
	names = list_make2(makeString(get_namespace_name(form->typnamespace)),
					   makeString(pstrdup(NameStr(form->typname))));
	ReleaseSysCache(tuple);
	return names;
}

/* Give a type that the remote names the name that it has here. */
static void
rename_type(PgmlImport *import, TypeName *name)
{
	PgmlRemoteSchema *remote = import->remote;

	if (list_length(name->names) != 2)
		return;
	for (int i = 0; i < remote->ntypes; i++)
	{
		PgmlRemoteType *type = &remote->types[i];
		PgmlLocalType *local = type->import;

		if (local != NULL && local->problem == NULL &&
			strcmp(type->name, strVal(lsecond(name->names))) == 0 &&
			strcmp(type->schema, strVal(linitial(name->names))) == 0)
		{
			name->names = names_of_type(local->oid);
			return;
		}
	}
}

bool
pgml_import_rename_types(Node *raw, void *import)
{
	if (raw == NULL)
		return false;
	if (IsA(raw, TypeName))
		rename_type(import, (TypeName *) raw);
	return raw_expression_tree_walker(raw, pgml_import_rename_types, import);
}

/*
 * Let an expression refer to the columns of a table that doesn't exist yet: by
 * their bare names, and where it generates one, not to other generated columns.
 */
static void
add_columns(ParseState *pstate, List *columns, bool generated_too)
{
	Query	   *query = makeNode(Query);
	ListCell   *lc;

	query->commandType = CMD_SELECT;
	foreach(lc, columns)
	{
		PgmlImportColumn *column = lfirst(lc);
		Const	   *null = makeNullConst(column->type, column->typmod, column->collation);

		if (generated_too || !column->is_generated)
			query->targetList = lappend(query->targetList,
										makeTargetEntry((Expr *) null,
														list_length(query->targetList) + 1,
														column->name, false));
	}
	addNSItemToQuery(pstate,
					 addRangeTableEntryForSubquery(pstate, query, makeAlias("imported", NIL),
												   false, true),
					 false, false, true);
}

/* Let VALUE stand for the value of a domain that doesn't exist yet. */
static Node *
domain_value(ParseState *pstate, ColumnRef *ref)
{
	Analysis   *analysis = pstate->p_ref_hook_state;
	CoerceToDomainValue *value;

	if (list_length(ref->fields) != 1 || !IsA(linitial(ref->fields), String) ||
		strcmp(strVal(linitial(ref->fields)), "value") != 0)
		return NULL;
	value = makeNode(CoerceToDomainValue);
	value->typeId = analysis->type;
	value->typeMod = analysis->typmod;
	value->collation = analysis->collation;
	value->location = ref->location;
	return (Node *) value;
}

/* Give the parser what the kind of expression may refer to, and tell it the kind. */
static ParseExprKind
prepare(ParseState *pstate, Analysis *analysis)
{
	switch (analysis->kind)
	{
		case PGML_EXPRESSION_GENERATED:
			add_columns(pstate, analysis->columns, false);
			return EXPR_KIND_GENERATED_COLUMN;
		case PGML_EXPRESSION_CHECK:
			add_columns(pstate, analysis->columns, true);
			return EXPR_KIND_CHECK_CONSTRAINT;
		case PGML_EXPRESSION_INDEX:
			add_columns(pstate, analysis->columns, true);
			return EXPR_KIND_INDEX_EXPRESSION;
		case PGML_EXPRESSION_PREDICATE:
			add_columns(pstate, analysis->columns, true);
			return EXPR_KIND_INDEX_PREDICATE;
		case PGML_EXPRESSION_DOMAIN_CHECK:
			pstate->p_pre_columnref_hook = domain_value;
			pstate->p_ref_hook_state = analysis;
			return EXPR_KIND_DOMAIN_CHECK;
		case PGML_EXPRESSION_DEFAULT:
		case PGML_EXPRESSION_OWN_DEFAULT:
		case PGML_EXPRESSION_DOMAIN_DEFAULT:
			break;
	}
	return EXPR_KIND_COLUMN_DEFAULT;
}

static bool
is_unshippable_function(Oid function, void *options)
{
	return !pgml_shippable_object(function, ProcedureRelationId, options);
}

static bool
contains_unshippable_function(Node *node, void *options)
{
	if (node == NULL)
		return false;
	if (check_functions_in_node(node, is_unshippable_function, options))
		return true;
	return expression_tree_walker(node, contains_unshippable_function, options);
}

/* Could a function do more than compute a value? */
static bool
is_harmful_function(Oid function, void *unused)
{
	return func_volatile(function) == PROVOLATILE_VOLATILE && !pgml_is_harmless(function);
}

static bool
contains_harmful_function(Node *node, void *unused)
{
	if (node == NULL)
		return false;
	if (check_functions_in_node(node, is_harmful_function, unused))
		return true;
	return expression_tree_walker(node, contains_harmful_function, unused);
}

/* Say why a sound expression of this kind is not to be used here; NULL if it is. */
static const char *
problem_of(Node *expr, PgmlExpressionKind kind)
{
	if (kind == PGML_EXPRESSION_DEFAULT)
		return NULL;
	if (kind == PGML_EXPRESSION_OWN_DEFAULT)
		return contains_harmful_function(expr, NULL) ? "It uses a volatile function." : NULL;
	return contain_mutable_functions(expr) ? "It is not immutable here." : NULL;
}

/* Make the expression what the column, domain or constraint needs; NULL: it can't be. */
static Node *
coerce(ParseState *pstate, Node *expr, Analysis *analysis)
{
	if (analysis->kind == PGML_EXPRESSION_CHECK || analysis->kind == PGML_EXPRESSION_DOMAIN_CHECK)
		return coerce_to_boolean(pstate, expr, "CHECK");
	if (analysis->kind == PGML_EXPRESSION_PREDICATE)
		return coerce_to_boolean(pstate, expr, "WHERE");
	if (analysis->kind == PGML_EXPRESSION_INDEX)
		return expr;
	return coerce_to_target_type(pstate, expr, exprType(expr), analysis->type, analysis->typmod,
								 COERCION_ASSIGNMENT, COERCE_IMPLICIT_CAST, -1);
}

/* Analyze the expression; throws what the command would throw. */
static void
analyze(void *arg)
{
	Analysis   *analysis = arg;
	PgmlOptions *options = analysis->import->server_options;
	ParseState *pstate = make_parsestate(NULL);
	Node	   *expr = parse_bare_expression(analysis->text);
	Oid			type;

	(void) pgml_import_rename_types(expr, analysis->import);
	expr = transformExpr(pstate, expr, prepare(pstate, analysis));
	if (analysis->kind != PGML_EXPRESSION_DEFAULT && contains_unshippable_function(expr, options))
		analysis->problem = "It uses functions that are neither built in nor of an extension in the server's option \"extensions\".";

	type = exprType(expr);
	expr = coerce(pstate, expr, analysis);
	if (expr == NULL)
	{
		analysis->problem = psprintf("It is of type %s.", format_type_be(type));
		return;
	}
	assign_expr_collations(pstate, expr);
	analysis->result = expr;
	if (analysis->problem == NULL)
		analysis->problem = problem_of(expr, analysis->kind);
	free_parsestate(pstate);
}

const char *
pgml_import_expression_problem(PgmlImport *import, const char *text, PgmlExpressionKind kind,
							   Oid type, int32 typmod, Oid collation, List *columns)
{
	Analysis	analysis = {import, text, kind, type, typmod, collation, columns, NULL, NULL};
	const char *error = pgml_import_try(analyze, &analysis);

	return error != NULL ? psprintf("Here it fails with: %s", error) : analysis.problem;
}

Node *
pgml_import_analyze_check(PgmlImport *import, const char *text, Oid type, int32 typmod,
						  Oid collation)
{
	Analysis	analysis = {import, text, PGML_EXPRESSION_DOMAIN_CHECK, type, typmod, collation,
	NIL, NULL, NULL};

	return pgml_import_try(analyze, &analysis) == NULL ? analysis.result : NULL;
}
