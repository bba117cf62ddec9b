/*
 * import_command.c
 *		Commands that an import runs, each on trial.
 *
 * Core would run the commands that an import returns one after the other, and
 * the first error would end it all.  So they are run here, as core does it,
 * each table and each type in a subtransaction of its own.
 */
#include "postgres.h"

#include "access/xact.h"
#include "nodes/parsenodes.h"
#include "tcop/tcopprot.h"
#include "tcop/utility.h"

#include "base/attempt.h"
#include "exec/import_state.h"

/* Is it an error in what was tried, as opposed to one of this session or server? */
static bool
is_about_trial(int sqlerrcode)
{
	int			category = ERRCODE_TO_CATEGORY(sqlerrcode);

	return category != ERRCODE_OPERATOR_INTERVENTION &&
		category != ERRCODE_TRANSACTION_ROLLBACK &&
		category != ERRCODE_INSUFFICIENT_RESOURCES &&
		category != ERRCODE_SYSTEM_ERROR &&
		sqlerrcode != ERRCODE_DATA_CORRUPTED &&
		sqlerrcode != ERRCODE_INDEX_CORRUPTED;
}

const char *
pgml_import_try(void (*action) (void *arg), void *arg)
{
	ErrorData  *error = pgml_attempt_all(action, arg);

	if (error == NULL)
		return NULL;
	if (!is_about_trial(error->sqlerrcode))
		ReThrowError(error);
	return error->message;
}

/* Let the expressions of a column's or domain's constraints name types as they are called here. */
static void
rename_in_constraints(PgmlImport *import, List *constraints)
{
	ListCell   *lc;

	foreach(lc, constraints)
		(void) pgml_import_rename_types(lfirst_node(Constraint, lc)->raw_expr, import);
}

/* The same for the columns and checks of a table. */
static void
rename_in_elements(PgmlImport *import, List *elements)
{
	ListCell   *lc;

	foreach(lc, elements)
	{
		Node	   *element = lfirst(lc);

		if (IsA(element, ColumnDef))
			rename_in_constraints(import, ((ColumnDef *) element)->constraints);
		else if (IsA(element, Constraint))
			(void) pgml_import_rename_types(((Constraint *) element)->raw_expr, import);
	}
}

/* The same for the expressions that an index is made of, and its condition. */
static void
rename_in_index(PgmlImport *import, List *elements, Node *where)
{
	ListCell   *lc;

	foreach(lc, elements)
		(void) pgml_import_rename_types(lfirst_node(IndexElem, lc)->expr, import);
	(void) pgml_import_rename_types(where, import);
}

/* The same for an exclusion constraint that is added to a table. */
static void
rename_in_alter(PgmlImport *import, AlterTableStmt *statement)
{
	ListCell   *lc;
	ListCell   *lc2;

	foreach(lc, statement->cmds)
	{
		Constraint *constraint = (Constraint *) lfirst_node(AlterTableCmd, lc)->def;

		if (constraint == NULL || !IsA(constraint, Constraint))
			continue;
		foreach(lc2, constraint->exclusions)
			rename_in_index(import, list_make1(linitial(lfirst_node(List, lc2))), NULL);
		(void) pgml_import_rename_types(constraint->where_clause, import);
	}
}

/* The same for all that a statement contains. */
static void
rename_in_statement(PgmlImport *import, Node *statement)
{
	switch (nodeTag(statement))
	{
		case T_CreateDomainStmt:
			rename_in_constraints(import, ((CreateDomainStmt *) statement)->constraints);
			break;
		case T_CreateForeignTableStmt:
			rename_in_elements(import, ((CreateForeignTableStmt *) statement)->base.tableElts);
			break;
		case T_CreateStmt:
			rename_in_elements(import, ((CreateStmt *) statement)->tableElts);
			break;
		case T_IndexStmt:
			rename_in_index(import, ((IndexStmt *) statement)->indexParams,
							((IndexStmt *) statement)->whereClause);
			break;
		case T_AlterTableStmt:
			rename_in_alter(import, (AlterTableStmt *) statement);
			break;
		default:
			break;
	}
}

/*
 * Throw unless text was parsed as one statement of a kind that import makes:
 * a second line of defence, should quoting ever fail.
 */
static Node *
single_statement(List *parsed)
{
	Node	   *statement = list_length(parsed) == 1 ? linitial_node(RawStmt, parsed)->stmt : NULL;

	if (statement == NULL ||
		!(IsA(statement, CreateForeignTableStmt) || IsA(statement, AlterTableStmt) ||
		  IsA(statement, CreateStmt) || IsA(statement, IndexStmt) || IsA(statement, AlterSeqStmt) ||
		  IsA(statement, CreateEnumStmt) || IsA(statement, CreateDomainStmt) ||
		  IsA(statement, CompositeTypeStmt) || IsA(statement, CreateRangeStmt)))
		ereport(ERROR,
				(errcode(ERRCODE_SYNTAX_ERROR),
				 errmsg("unexpected statement in an import")));
	return statement;
}

void
pgml_import_run(PgmlImport *import, const char *command)
{
	Node	   *statement = single_statement(pg_parse_query(command));
	PlannedStmt *wrapper = makeNode(PlannedStmt);

	rename_in_statement(import, statement);
	wrapper->commandType = CMD_UTILITY;
	wrapper->canSetTag = false;
	wrapper->utilityStmt = statement;
	wrapper->stmt_location = 0;
	wrapper->stmt_len = strlen(command);
	/* event triggers look at IMPORT as a whole, at a function's commands one by one */
	ProcessUtility(wrapper, command, false,
				   import->as_tables ? PROCESS_UTILITY_QUERY : PROCESS_UTILITY_SUBCOMMAND,
				   NULL, NULL, None_Receiver, NULL);
	CommandCounterIncrement();
}

/* A statement on trial. */
typedef struct Trial
{
	PgmlImport *import;
	const char *command;
} Trial;

static void
run_trial(void *arg)
{
	Trial	   *trial = arg;

	pgml_import_run(trial->import, trial->command);
}

const char *
pgml_import_try_run(PgmlImport *import, const char *command)
{
	Trial		trial = {import, command};

	return pgml_import_try(run_trial, &trial);
}
