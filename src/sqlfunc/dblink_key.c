/*
 * dblink_key.c
 *		dblink's helpers for copying single rows by key: which columns are a
 *		table's primary key, and statements that insert, update or delete a row.
 *
 * They look at a local table and never connect.  Columns are numbered as a
 * user sees them: dropped ones don't count.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/namespace.h"
#include "catalog/objectaddress.h"
#include "catalog/pg_class.h"
#include "catalog/pg_index.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/syscache.h"
#include "utils/varlena.h"

#include "base/compat.h"

PG_FUNCTION_INFO_V1(pgml_dblink_get_pkey);
PG_FUNCTION_INFO_V1(pgml_dblink_build_sql_insert);
PG_FUNCTION_INFO_V1(pgml_dblink_build_sql_update);
PG_FUNCTION_INFO_V1(pgml_dblink_build_sql_delete);

/* A row that is named by its key. */
typedef struct KeyedRow
{
	Relation	rel;
	int			nkeys;
	AttrNumber *attnums;		/* of the key's columns */
	char	  **source;			/* its values in the local table; NULL: IS NULL */
	char	  **target;			/* and on the remote */
} KeyedRow;

/* Open a table that the user may read. */
static Relation
open_table(text *name)
{
	RangeVar   *var = makeRangeVarFromNameList(textToQualifiedNameList(name));
	Relation	rel = table_openrv(var, AccessShareLock);
	AclResult	acl = pg_class_aclcheck(RelationGetRelid(rel), GetUserId(), ACL_SELECT);

	if (acl != ACLCHECK_OK)
		aclcheck_error(acl, get_relkind_objtype(rel->rd_rel->relkind),
					   RelationGetRelationName(rel));
	return rel;
}

/* (table): a row for each column of the primary key. */
Datum
pgml_dblink_get_pkey(PG_FUNCTION_ARGS)
{
	Relation	rel = open_table(PG_GETARG_TEXT_PP(0));
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;

	InitMaterializedSRF(fcinfo, 0);
	list_free(RelationGetIndexList(rel));
	if (OidIsValid(rel->rd_pkindex))
	{
		HeapTuple	tuple = SearchSysCache1(INDEXRELID, ObjectIdGetDatum(rel->rd_pkindex));
		Form_pg_index index;

		if (!HeapTupleIsValid(tuple))
			elog(ERROR, "cache lookup failed for index %u", rel->rd_pkindex);
		index = (Form_pg_index) GETSTRUCT(tuple);
		for (int i = 0; i < index->indnkeyatts; i++)
		{
			char	   *column = get_attname(RelationGetRelid(rel), index->indkey.values[i], false);
			Datum		values[2] = {Int32GetDatum(i + 1), CStringGetTextDatum(column)};
			bool		nulls[2] = {false, false};

			tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
		}
		ReleaseSysCache(tuple);
	}
	table_close(rel, AccessShareLock);
	return (Datum) 0;
}

/* Find the attribute that has this number among those that haven't been dropped. */
static AttrNumber
find_attribute(Relation rel, int number)
{
	TupleDesc	desc = RelationGetDescr(rel);
	int			left = number;

	for (int i = 0; number > 0 && i < desc->natts; i++)
		if (!TupleDescAttr(desc, i)->attisdropped && --left == 0)
			return i + 1;
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("table \"%s\" has no column number %d", RelationGetRelationName(rel), number)));
}

/* The elements of a text array, of which there must be n. */
static char **
key_values(ArrayType *array, int n)
{
	Datum	   *elements;
	bool	   *nulls;
	int			found;
	char	  **values;

	deconstruct_array(array, TEXTOID, -1, false, TYPALIGN_INT, &elements, &nulls, &found);
	if (found != n)
		ereport(ERROR,
				(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
				 errmsg("there are %d key columns, but %d key values", n, found)));
	values = palloc(n * sizeof(char *));
	for (int i = 0; i < n; i++)
		values[i] = nulls[i] ? NULL : TextDatumGetCString(elements[i]);
	return values;
}

/* Read the arguments (table, column numbers, how many of them, [source values,] target values). */
static KeyedRow
read_row(FunctionCallInfo fcinfo)
{
	KeyedRow	row;
	int2vector *numbers = (int2vector *) PG_GETARG_POINTER(1);

	row.rel = open_table(PG_GETARG_TEXT_PP(0));
	row.nkeys = Min(PG_GETARG_INT32(2), numbers->dim1);
	if (row.nkeys <= 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("a key needs at least one column")));
	row.attnums = palloc(row.nkeys * sizeof(AttrNumber));
	for (int i = 0; i < row.nkeys; i++)
		row.attnums[i] = find_attribute(row.rel, numbers->values[i]);
	row.source = key_values(PG_GETARG_ARRAYTYPE_P(3), row.nkeys);
	row.target = PG_NARGS() > 4 ? key_values(PG_GETARG_ARRAYTYPE_P(4), row.nkeys) : row.source;
	return row;
}

static const char *
column_name(KeyedRow *row, AttrNumber attnum)
{
	return quote_identifier(NameStr(TupleDescAttr(RelationGetDescr(row->rel), attnum - 1)->attname));
}

/* The table's name, qualified where the search path doesn't find it. */
static char *
table_name(KeyedRow *row)
{
	bool		visible = RelationIsVisible(RelationGetRelid(row->rel));

	return quote_qualified_identifier(visible ? NULL :
									  get_namespace_name(RelationGetNamespace(row->rel)),
									  RelationGetRelationName(row->rel));
}

static void
append_value(StringInfo sql, const char *value)
{
	appendStringInfoString(sql, value != NULL ? quote_literal_cstr(value) : "NULL");
}

/* Append the condition that the key has these values. */
static void
append_condition(StringInfo sql, KeyedRow *row, char **values)
{
	appendStringInfoString(sql, " WHERE ");
	for (int i = 0; i < row->nkeys; i++)
	{
		appendStringInfo(sql, "%s%s", i > 0 ? " AND " : "", column_name(row, row->attnums[i]));
		if (values[i] != NULL)
			appendStringInfo(sql, " = %s", quote_literal_cstr(values[i]));
		else
			appendStringInfoString(sql, " IS NULL");
	}
}

/* The numbers of the columns that there are. */
static List *
live_columns(KeyedRow *row)
{
	TupleDesc	desc = RelationGetDescr(row->rel);
	List	   *attnums = NIL;

	for (int i = 0; i < desc->natts; i++)
		if (!TupleDescAttr(desc, i)->attisdropped)
			attnums = lappend_int(attnums, i + 1);
	return attnums;
}

/* Replace the values of key columns by those that they have on the remote. */
static void
retarget(KeyedRow *row, List *attnums, List *values)
{
	ListCell   *lc;

	foreach(lc, attnums)
	{
		for (int i = 0; i < row->nkeys; i++)
			if (row->attnums[i] == lfirst_int(lc))
			{
				lfirst(list_nth_cell(values, foreach_current_index(lc))) = row->target[i];
				break;
			}
	}
}

/* Read the row's columns as text from the local table; there must be one such row. */
static List *
read_values(KeyedRow *row, List *attnums)
{
	MemoryContext caller = CurrentMemoryContext;
	MemoryContext spi;
	StringInfoData sql;
	List	   *values = NIL;
	ListCell   *lc;

	initStringInfo(&sql);
	foreach(lc, attnums)
		appendStringInfo(&sql, "%s%s", sql.len > 0 ? ", " : "SELECT ",
						 column_name(row, lfirst_int(lc)));
	appendStringInfo(&sql, " FROM %s", table_name(row));
	append_condition(&sql, row, row->source);

	SPI_connect();
	if (SPI_execute(sql.data, false, 2) != SPI_OK_SELECT)
		elog(ERROR, "could not read a row of table \"%s\"", RelationGetRelationName(row->rel));
	if (SPI_processed != 1)
		ereport(ERROR,
				(errcode(ERRCODE_CARDINALITY_VIOLATION),
				 SPI_processed == 0 ? errmsg("there is no row with this key") :
				 errmsg("there is more than one row with this key")));
	spi = MemoryContextSwitchTo(caller);
	foreach(lc, attnums)
	{
		char	   *value = SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc,
										 foreach_current_index(lc) + 1);

		values = lappend(values, value);
	}
	MemoryContextSwitchTo(spi);
	SPI_finish();
	retarget(row, attnums, values);
	return values;
}

/* Return the statement. */
static Datum
finish(KeyedRow *row, StringInfo sql)
{
	table_close(row->rel, AccessShareLock);
	return PointerGetDatum(cstring_to_text_with_len(sql->data, sql->len));
}

Datum
pgml_dblink_build_sql_insert(PG_FUNCTION_ARGS)
{
	KeyedRow	row = read_row(fcinfo);
	List	   *attnums = live_columns(&row);
	List	   *values = read_values(&row, attnums);
	StringInfoData sql;
	ListCell   *lc;

	initStringInfo(&sql);
	appendStringInfo(&sql, "INSERT INTO %s(", table_name(&row));
	foreach(lc, attnums)
		appendStringInfo(&sql, "%s%s", foreach_current_index(lc) > 0 ? "," : "",
						 column_name(&row, lfirst_int(lc)));
	appendStringInfoString(&sql, ") VALUES(");
	foreach(lc, values)
	{
		if (foreach_current_index(lc) > 0)
			appendStringInfoChar(&sql, ',');
		append_value(&sql, lfirst(lc));
	}
	appendStringInfoChar(&sql, ')');
	return finish(&row, &sql);
}

Datum
pgml_dblink_build_sql_update(PG_FUNCTION_ARGS)
{
	KeyedRow	row = read_row(fcinfo);
	List	   *attnums = live_columns(&row);
	List	   *values = read_values(&row, attnums);
	StringInfoData sql;
	ListCell   *lc;
	ListCell   *lc2;

	initStringInfo(&sql);
	appendStringInfo(&sql, "UPDATE %s SET ", table_name(&row));
	forboth(lc, attnums, lc2, values)
	{
		appendStringInfo(&sql, "%s%s = ", foreach_current_index(lc) > 0 ? ", " : "",
						 column_name(&row, lfirst_int(lc)));
		append_value(&sql, lfirst(lc2));
	}
	append_condition(&sql, &row, row.target);
	return finish(&row, &sql);
}

Datum
pgml_dblink_build_sql_delete(PG_FUNCTION_ARGS)
{
	KeyedRow	row = read_row(fcinfo);
	StringInfoData sql;

	initStringInfo(&sql);
	appendStringInfo(&sql, "DELETE FROM %s", table_name(&row));
	append_condition(&sql, &row, row.target);
	return finish(&row, &sql);
}
