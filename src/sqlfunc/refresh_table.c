/*
 * refresh_table.c
 *		A foreign table follows the remote table that it stands for.
 *
 * Question answered: what has happened to the columns since they were declared
 * here?  Columns are known by their remote names.  What is new there is added,
 * what is gone is dropped (RESTRICT: a view on it is in the way, and reported),
 * other types and NOT NULL are taken over.
 *
 * A renamed column looks like one that is gone and another that is new.  But a
 * new column always comes last.  So if columns with others behind them have taken
 * the place of as many that are gone, and have their types, they are those: they
 * are renamed here, and views go on with them.  Of the last column nobody can tell.
 */
#include "postgres.h"

#include "access/relation.h"
#include "catalog/pg_type.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/ruleutils.h"

#include "base/option.h"
#include "sqlfunc/refresh.h"

/* A column of the foreign table. */
typedef struct LocalColumn
{
	AttrNumber	attnum;
	char	   *name;
	char	   *remote_name;
	Oid			type;
	int32		typmod;
	bool		not_null;
	int			match;			/* its place among the remote's columns; -1: gone */
} LocalColumn;

/* A table here and there. */
typedef struct TablePair
{
	PgmlRefresh *refresh;
	Oid			relid;
	char	   *name;			/* of the foreign table, qualified and quoted */
	const PgmlRemoteTable *remote;
	int			nlocal;
	LocalColumn *local;
	int		   *match;			/* for each remote column, its place in local; -1: new */
} TablePair;

static PgmlRemoteColumn *
remote_column(const TablePair *pair, int i)
{
	return list_nth(pair->remote->columns, i);
}

static int
nremote(const TablePair *pair)
{
	return list_length(pair->remote->columns);
}

/* Read the definition of the foreign table. */
static void
read_local(TablePair *pair)
{
	Relation	rel = relation_open(pair->relid, AccessShareLock);
	TupleDesc	desc = RelationGetDescr(rel);

	pair->name = quote_qualified_identifier(get_namespace_name(RelationGetNamespace(rel)),
											RelationGetRelationName(rel));
	pair->local = palloc0(sizeof(LocalColumn) * Max(desc->natts, 1));
	for (int i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute attr = TupleDescAttr(desc, i);
		LocalColumn *column = &pair->local[pair->nlocal];

		if (attr->attisdropped)
			continue;
		column->attnum = attr->attnum;
		column->name = pstrdup(NameStr(attr->attname));
		column->remote_name = pgml_option_column_name(pair->relid, attr->attnum);
		column->type = attr->atttypid;
		column->typmod = attr->atttypmod;
		column->not_null = attr->attnotnull;
		column->match = -1;
		pair->nlocal++;
	}
	relation_close(rel, AccessShareLock);
}

/* Find out which columns are the same, by name. */
static void
match_names(TablePair *pair)
{
	pair->match = palloc(sizeof(int) * Max(nremote(pair), 1));
	for (int i = 0; i < nremote(pair); i++)
	{
		pair->match[i] = -1;
		for (int j = 0; j < pair->nlocal; j++)
		{
			/* two columns here may stand for one there; the first is the one that is looked at */
			if (strcmp(pair->local[j].remote_name, remote_column(pair, i)->name) != 0)
				continue;
			pair->local[j].match = i;
			if (pair->match[i] < 0)
				pair->match[i] = j;
		}
	}
}

/* The object of a difference: a column. */
static char *
column_object(const TablePair *pair, const char *column)
{
	return psprintf("%s.%s", pair->name, quote_identifier(column));
}

/* What a remote column would be here. */
static PgmlImportColumn *
wanted_column(const TablePair *pair, int i)
{
	return pgml_import_column(&pair->refresh->import, pair->remote, remote_column(pair, i));
}

static bool
same_type(const LocalColumn *column, const PgmlImportColumn *wanted)
{
	return column->type == wanted->type && column->typmod == wanted->typmod;
}

/*
 * Find the column that the new one at place i was called before.  Between the
 * same neighbours there must be as many that are gone here as are new there, and
 * so in the same order.  -1: none, or not sure.
 */
static int
former_column(const TablePair *pair, int i)
{
	int			before = i - 1;
	int			behind = i + 1;
	int			first;
	int			former;

	while (before >= 0 && pair->match[before] < 0)
		before--;
	while (behind < nremote(pair) && pair->match[behind] < 0)
		behind++;
	if (behind == nremote(pair))
		return -1;
	first = before >= 0 ? pair->match[before] + 1 : 0;
	if (pair->match[behind] - first != behind - before - 1)
		return -1;
	for (int j = first; j < pair->match[behind]; j++)
		if (pair->local[j].match >= 0)
			return -1;
	former = first + i - before - 1;
	return same_type(&pair->local[former], wanted_column(pair, i)) ? former : -1;
}

/* ADD or SET, whichever an option of a column needs. */
static const char *
option_verb(const TablePair *pair, AttrNumber attnum, const char *option)
{
	return pgml_option_column_value(pair->relid, attnum, option) != NULL ? "SET" : "ADD";
}

/* Rename the columns that have been renamed there. */
static void
mend_names(TablePair *pair)
{
	for (int i = 0; i < nremote(pair); i++)
	{
		int			former = pair->match[i] < 0 ? former_column(pair, i) : -1;
		LocalColumn *column = former >= 0 ? &pair->local[former] : NULL;
		char	   *name = pgml_import_name(remote_column(pair, i)->name);
		StringInfoData sql;

		if (column == NULL)
			continue;
		initStringInfo(&sql);
		appendStringInfo(&sql, "ALTER FOREIGN TABLE %s ALTER COLUMN %s OPTIONS (%s column_name %s)",
						 pair->name, quote_identifier(column->name),
						 option_verb(pair, column->attnum, "column_name"),
						 quote_literal_cstr(remote_column(pair, i)->name));

		/* one that has a name of its own here keeps it */
		if (strcmp(column->name, pgml_import_name(column->remote_name)) == 0)
			appendStringInfo(&sql, "; ALTER FOREIGN TABLE %s RENAME COLUMN %s TO %s", pair->name,
							 quote_identifier(column->name), quote_identifier(name));
		else
			name = column->name;
		if (pgml_refresh_mend(pair->refresh, column_object(pair, column->name), "column renamed",
							  sql.data))
			column->name = name;
		column->match = i;
		pair->match[i] = former;
	}
}

/* Drop the columns that are gone. */
static void
mend_gone(TablePair *pair)
{
	for (int j = 0; j < pair->nlocal; j++)
		if (pair->local[j].match < 0)
			pgml_refresh_mend(pair->refresh, column_object(pair, pair->local[j].name), "column gone",
							  psprintf("ALTER FOREIGN TABLE %s DROP COLUMN %s", pair->name,
									   quote_identifier(pair->local[j].name)));
}

/* Add the columns that are new. */
static void
mend_new(TablePair *pair)
{
	for (int i = 0; i < nremote(pair); i++)
	{
		PgmlImportColumn *wanted;
		StringInfoData sql;

		if (pair->match[i] >= 0)
			continue;
		wanted = wanted_column(pair, i);
		initStringInfo(&sql);
		appendStringInfo(&sql, "ALTER FOREIGN TABLE %s ADD COLUMN ", pair->name);
		pgml_import_append_column(&sql, wanted, true);
		pgml_refresh_mend(pair->refresh, column_object(pair, wanted->name), "column new", sql.data);
	}
}

/* Append what makes the remembered name of the remote's type true. */
static void
append_type_name(StringInfo sql, const TablePair *pair, const LocalColumn *column,
				 const PgmlImportColumn *wanted)
{
	const char *now = pgml_option_column_value(pair->relid, column->attnum, "type_name");

	if (now == NULL && wanted->type_name == NULL)
		return;
	if (now != NULL && wanted->type_name != NULL && strcmp(now, wanted->type_name) == 0)
		return;
	appendStringInfo(sql, "%s ALTER COLUMN %s OPTIONS (%s type_name", sql->len > 0 ? "," : "",
					 quote_identifier(column->name),
					 wanted->type_name == NULL ? "DROP" : option_verb(pair, column->attnum, "type_name"));
	if (wanted->type_name != NULL)
		appendStringInfo(sql, " %s", quote_literal_cstr(wanted->type_name));
	appendStringInfoChar(sql, ')');
}

/*
 * Take over the type of a column.  The name of the remote's type is looked at
 * where it has been noted, or the type is another one.
 */
static void
mend_type(TablePair *pair, LocalColumn *column)
{
	PgmlImportColumn *wanted = wanted_column(pair, column->match);
	bool		same = same_type(column, wanted);
	StringInfoData sql;

	initStringInfo(&sql);
	if (!same)
	{
		appendStringInfo(&sql, " ALTER COLUMN %s TYPE %s", quote_identifier(column->name),
						 pgml_import_type_name(wanted->type, wanted->typmod));
		if (wanted->collation != get_typcollation(wanted->type))
			appendStringInfo(&sql, " COLLATE %s", generate_collation_name(wanted->collation));
	}
	if (!same || pgml_option_column_value(pair->relid, column->attnum, "type_name") != NULL)
		append_type_name(&sql, pair, column, wanted);
	if (sql.len > 0)
		pgml_refresh_mend(pair->refresh, column_object(pair, column->name), "type changed",
						  psprintf("ALTER FOREIGN TABLE %s%s", pair->name, sql.data));
}

static void
mend_not_null(TablePair *pair, const LocalColumn *column)
{
	bool		wanted = remote_column(pair, column->match)->not_null;

	if (column->not_null != wanted)
		pgml_refresh_mend(pair->refresh, column_object(pair, column->name), "nullability changed",
						  psprintf("ALTER FOREIGN TABLE %s ALTER COLUMN %s %s NOT NULL", pair->name,
								   quote_identifier(column->name), wanted ? "SET" : "DROP"));
}

/* What a type is an array of, or the type itself. */
static Oid
element_or_self(Oid type)
{
	Oid			element = get_element_type(type);

	return OidIsValid(element) ? element : type;
}

/* Add the labels that an enum of the remote's has and ours hasn't. */
static void
mend_labels(PgmlRefresh *refresh, Oid local, const PgmlRemoteType *remote)
{
	List	   *labels = pgml_import_enum_labels(local);
	char	   *name = pgml_import_type_name(local, -1);
	const char *before = NULL;
	ListCell   *lc;
	ListCell   *lc2;

	foreach(lc, remote->labels)
	{
		char	   *label = lfirst(lc);
		bool		here = false;
		StringInfoData sql;

		foreach(lc2, labels)
			here = here || strcmp(lfirst(lc2), label) == 0;
		if (!here)
		{
			initStringInfo(&sql);
			appendStringInfo(&sql, "ALTER TYPE %s ADD VALUE %s", name, quote_literal_cstr(label));
			if (before != NULL)
				appendStringInfo(&sql, " AFTER %s", quote_literal_cstr(before));
			else if (labels != NIL)
				appendStringInfo(&sql, " BEFORE %s", quote_literal_cstr(linitial(labels)));
			here = pgml_refresh_mend(refresh, name, "label new", sql.data);
		}
		if (here)
			before = label;
	}
}

/* The enum that a remote column, or the elements of one, are of; NULL: none. */
static PgmlRemoteType *
remote_enum(const TablePair *pair, int i)
{
	const PgmlRemoteSchema *schema = pair->refresh->import.remote;
	PgmlRemoteType *type = pgml_remote_type(schema, remote_column(pair, i)->type);

	if (type != NULL && OidIsValid(type->element))
		type = pgml_remote_type(schema, type->element);
	return type != NULL && type->kind == TYPTYPE_ENUM ? type : NULL;
}

/* Mend the enums that columns are of, each once, before anybody compares them. */
static void
mend_enums(TablePair *pair)
{
	for (int j = 0; j < pair->nlocal; j++)
	{
		Oid			local = element_or_self(pair->local[j].type);
		PgmlRemoteType *remote;

		if (pair->local[j].match < 0 || get_typtype(local) != TYPTYPE_ENUM)
			continue;
		remote = remote_enum(pair, pair->local[j].match);
		if (remote == NULL || list_member_oid(pair->refresh->enums, remote->oid))
			continue;
		pair->refresh->enums = lappend_oid(pair->refresh->enums, remote->oid);
		mend_labels(pair->refresh, local, remote);
	}
}

void
pgml_refresh_table(PgmlRefresh *refresh, Oid relid, const PgmlRemoteTable *table)
{
	TablePair	pair = {.refresh = refresh,.relid = relid,.remote = table};

	read_local(&pair);
	match_names(&pair);
	mend_enums(&pair);
	mend_names(&pair);
	mend_gone(&pair);
	mend_new(&pair);
	for (int j = 0; j < pair.nlocal; j++)
	{
		if (pair.local[j].match < 0)
			continue;
		mend_type(&pair, &pair.local[j]);
		mend_not_null(&pair, &pair.local[j]);
	}
}
