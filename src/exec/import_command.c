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

/* The same for all that a statement contains: CREATE FOREIGN TABLE, CREATE DOMAIN. */
static void
rename_in_statement(PgmlImport *import, Node *statement)
{
	ListCell   *lc;

	if (IsA(statement, CreateDomainStmt))
		rename_in_constraints(import, ((CreateDomainStmt *) statement)->constraints);
	if (!IsA(statement, CreateForeignTableStmt))
		return;
	foreach(lc, ((CreateForeignTableStmt *) statement)->base.tableElts)
	{
		Node	   *element = lfirst(lc);

		if (IsA(element, ColumnDef))
			rename_in_constraints(import, ((ColumnDef *) element)->constraints);
		else if (IsA(element, Constraint))
			(void) pgml_import_rename_types(((Constraint *) element)->raw_expr, import);
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
	ProcessUtility(wrapper, command, false, PROCESS_UTILITY_SUBCOMMAND,
				   NULL, NULL, None_Receiver, NULL);
	CommandCounterIncrement();
}
