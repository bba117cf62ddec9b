/*
 * import_expression.c
 *		Can a default or generation expression of the remote be used here?
 *
 * The text comes from a server that may be hostile, and core runs what import
 * makes of it.  So it is proved, on its own, to be one complete expression:
 * then it remains one between parentheses, and nothing in it can reach what
 * stands around it (a line comment at its end is ended by the line break that
 * follows).  Then it is analyzed as CREATE FOREIGN TABLE would do it, in a
 * subtransaction, because what doesn't exist here is only known by the error
 * that it raises, and one expression must not end the import.
 *
 * A generation expression runs whenever the local table is written to, without
 * anybody having asked for it, so it may use only what an expression that is
 * shipped the other way may use: built-ins, and the extensions that the
 * server's option names.  Defaults are imported only on demand.
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/pg_proc.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "parser/parse_coerce.h"
#include "parser/parse_collate.h"
#include "parser/parse_expr.h"
#include "parser/parse_relation.h"
#include "parser/parser.h"
#include "utils/builtins.h"
#include "utils/resowner.h"

#include "exec/import_column.h"
#include "query/shippable.h"

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

/*
 * Let a generation expression refer to the columns of a table that doesn't
 * exist yet: by their bare names, and not to other generated columns.
 */
static void
add_columns(ParseState *pstate, List *columns)
{
	Query	   *query = makeNode(Query);
	ListCell   *lc;

	query->commandType = CMD_SELECT;
	foreach(lc, columns)
	{
		PgmlImportColumn *column = lfirst(lc);
		Const	   *null = makeNullConst(column->type, column->typmod, column->collation);

		if (!column->is_generated)
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

/* Analyze the expression; throws what CREATE FOREIGN TABLE would throw. */
static const char *
analyze_expression(const PgmlImportColumn *column, List *columns, const PgmlOptions *options)
{
	ParseState *pstate = make_parsestate(NULL);
	Node	   *expr = parse_bare_expression(column->expression);
	Oid			type;

	if (column->is_generated)
		add_columns(pstate, columns);
	expr = transformExpr(pstate, expr, column->is_generated ?
						 EXPR_KIND_GENERATED_COLUMN : EXPR_KIND_COLUMN_DEFAULT);
	if (column->is_generated &&
		contains_unshippable_function(expr, unconstify(PgmlOptions *, options)))
		return "It uses functions that are neither built in nor of an extension in the server's option \"extensions\".";

	type = exprType(expr);
	expr = coerce_to_target_type(pstate, expr, type, column->type, column->typmod,
								 COERCION_ASSIGNMENT, COERCE_IMPLICIT_CAST, -1);
	if (expr == NULL)
		return psprintf("It is of type %s.", format_type_be(type));
	assign_expr_collations(pstate, expr);
	if (column->is_generated && contain_mutable_functions(expr))
		return "It is not immutable here.";

	free_parsestate(pstate);
	return NULL;
}

/* Is it an error in the expression, as opposed to one of this session or server? */
static bool
is_about_expression(int sqlerrcode)
{
	int			category = ERRCODE_TO_CATEGORY(sqlerrcode);

	return category != ERRCODE_OPERATOR_INTERVENTION &&
		category != ERRCODE_INSUFFICIENT_RESOURCES &&
		category != ERRCODE_SYSTEM_ERROR &&
		category != ERRCODE_INTERNAL_ERROR;
}

const char *
pgml_import_expression_problem(const PgmlImportColumn *column, List *columns,
							   const PgmlOptions *options)
{
	MemoryContext cxt = CurrentMemoryContext;
	ResourceOwner owner = CurrentResourceOwner;
	const char *volatile problem = NULL;

	BeginInternalSubTransaction(NULL);
	MemoryContextSwitchTo(cxt);
	PG_TRY();
	{
		problem = analyze_expression(column, columns, options);
		ReleaseCurrentSubTransaction();
	}
	PG_CATCH();
	{
		ErrorData  *error;

		MemoryContextSwitchTo(cxt);
		error = CopyErrorData();
		if (!is_about_expression(error->sqlerrcode))
			PG_RE_THROW();
		FlushErrorState();
		RollbackAndReleaseCurrentSubTransaction();
		problem = psprintf("Here it fails with: %s", error->message);
	}
	PG_END_TRY();
	MemoryContextSwitchTo(cxt);
	CurrentResourceOwner = owner;
	return problem;
}
