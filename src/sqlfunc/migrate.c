/*
 * migrate.c
 *		Prints the DDL that moves a server of postgres_fdw over to pgml_fdw,
 *		with its user mappings and foreign tables.
 *
 * Neither a server nor a foreign table can change its wrapper, so the script
 * renames what is there, creates the like of it under the old names, moves over
 * what is attached to the tables (inheritance, constraints, triggers, owners,
 * privileges, comments ...), lets views be defined anew by the same text, which
 * now means the new tables, and drops the old.  It is one transaction: whatever
 * it has not moved makes a DROP fail, and nothing has happened.
 *
 * Each step is a query on the catalogs that yields statements in their order;
 * $1 is the server.  They run with search_path = pg_catalog, so all other
 * names are printed with their schema.  What the caller may not see (passwords
 * in other people's mappings) is not printed: the queries run as the caller.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "foreign/foreign.h"
#include "funcapi.h"
#include "utils/builtins.h"
#include "utils/tuplestore.h"

#include "base/textio.h"
#include "sqlfunc/engine.h"

PG_FUNCTION_INFO_V1(pgml_fdw_migrate);

/* Pieces that several steps share. */
#define TABLES \
	"pg_foreign_table f JOIN pg_class c ON c.oid = f.ftrelid AND f.ftserver = $1"
#define TABLE "f.ftrelid::regclass"
#define OLD_NAME(oid) "format('pgml_old_%s', " oid ")"
#define OLD_TABLE "format('%s.%I', c.relnamespace::regnamespace, " OLD_NAME("c.oid") ")"
#define OPTIONS(options) \
	"(SELECT ' OPTIONS (' || string_agg(format('%I %L', option_name, option_value), ', ') || ')'" \
	" FROM pg_options_to_table(" options "))"
#define ROLE(oid) "CASE " oid " WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(" oid ")) END"

/* The privileges in an ACL, as GRANTs; those that the owner has by default are taken away first. */
#define GRANTS(kind, name, acl, owner) \
	"LATERAL (SELECT 1, format('REVOKE ALL ON " kind " %s FROM PUBLIC, %I'," \
	"  " name ", pg_get_userbyid(" owner "))" \
	"  WHERE " acl " IS NOT NULL" \
	" UNION ALL" \
	" SELECT 2, format('GRANT %s ON " kind " %s TO %s%s'," \
	"  string_agg(privilege_type, ', ' ORDER BY privilege_type), " name ", " \
	"  " ROLE("grantee") ", CASE WHEN is_grantable THEN ' WITH GRANT OPTION' ELSE '' END)" \
	"  FROM aclexplode(" acl ") GROUP BY grantee, is_grantable) AS grants(step, statement)"

static const char *const steps[] = {
	/* the server */
	"SELECT format('ALTER SERVER %I RENAME TO %I', srvname, " OLD_NAME("oid") ")"
	" FROM pg_foreign_server WHERE oid = $1",

	"SELECT format('CREATE SERVER %I%s%s FOREIGN DATA WRAPPER pgml_fdw%s', srvname,"
	"  ' TYPE ' || quote_literal(srvtype), ' VERSION ' || quote_literal(srvversion),"
	"  " OPTIONS("srvoptions") ")"
	" FROM pg_foreign_server WHERE oid = $1",

	/* the view shows options only to whom they concern */
	"SELECT format('CREATE USER MAPPING FOR %s SERVER %I%s%s', " ROLE("umuser") ", srvname,"
	"  " OPTIONS("umoptions") ","
	"  CASE WHEN umoptions IS NULL AND NOT (SELECT rolsuper FROM pg_roles WHERE rolname = current_user)"
	"  THEN ' /* its options, if any, are not visible to you: add them */' END)"
	" FROM pg_user_mappings WHERE srvid = $1 ORDER BY umuser",

	/* out of the way */
	"SELECT format('ALTER TABLE %s DETACH PARTITION %s', i.inhparent::regclass, " TABLE ")"
	" FROM " TABLES " JOIN pg_inherits i ON i.inhrelid = c.oid"
	" WHERE c.relispartition ORDER BY c.oid",

	"SELECT format('ALTER FOREIGN TABLE %s RENAME TO %I', " TABLE ", " OLD_NAME("c.oid") ")"
	" FROM " TABLES " ORDER BY c.oid",

	/* the tables; a not-null constraint is an object with a name from 18 on */
	"SELECT format(E'CREATE FOREIGN TABLE %s (%s\\n) SERVER %I%s', " TABLE ","
	"  (SELECT string_agg(format(E'\\n  %I %s%s%s%s%s', a.attname,"
	"    format_type(a.atttypid, a.atttypmod), " OPTIONS("a.attfdwoptions") ","
	"    (SELECT format(' COLLATE %s.%I', l.collnamespace::regnamespace, l.collname)"
	"      FROM pg_collation l JOIN pg_type t ON t.oid = a.atttypid"
	"      WHERE l.oid = a.attcollation AND l.oid <> t.typcollation),"
	"    CASE WHEN a.attidentity <> '' THEN format(' GENERATED %s AS IDENTITY',"
	"        CASE a.attidentity WHEN 'a' THEN 'ALWAYS' ELSE 'BY DEFAULT' END)"
	"      WHEN a.attgenerated <> '' THEN format(' GENERATED ALWAYS AS (%s) %s',"
	"        pg_get_expr(d.adbin, d.adrelid),"
	"        CASE a.attgenerated WHEN 's' THEN 'STORED' ELSE 'VIRTUAL' END)"
	"      ELSE ' DEFAULT ' || pg_get_expr(d.adbin, d.adrelid) END,"
	"    CASE WHEN a.attnotnull THEN"
	"      COALESCE((SELECT format(' CONSTRAINT %I', k.conname) FROM pg_constraint k"
	"        WHERE k.conrelid = c.oid AND k.contype = 'n' AND k.conkey = ARRAY[a.attnum]), '')"
	"      || ' NOT NULL' END), ',' ORDER BY a.attnum)"
	"    FROM pg_attribute a"
	"    LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum"
	"    WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped),"
	"  s.srvname, " OPTIONS("f.ftoptions") ")"
	" FROM " TABLES " JOIN pg_foreign_server s ON s.oid = f.ftserver ORDER BY c.oid",

	"SELECT format('ALTER FOREIGN TABLE ONLY %s ADD CONSTRAINT %I %s', " TABLE ", k.conname,"
	"  pg_get_constraintdef(k.oid))"
	" FROM " TABLES " JOIN pg_constraint k ON k.conrelid = c.oid AND k.contype = 'c'"
	" ORDER BY c.oid, k.oid",

	/*
	 * What a column says about its storage and statistics.  The two options are
	 * all that a user can set; what else is there is the server's own.
	 */
	"SELECT format('ALTER FOREIGN TABLE ONLY %s ALTER COLUMN %I %s', " TABLE ", a.attname, setting)"
	" FROM " TABLES " JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped"
	" JOIN pg_type t ON t.oid = a.atttypid,"
	" LATERAL (SELECT 'SET STATISTICS ' || a.attstattarget WHERE a.attstattarget >= 0"
	"  UNION ALL SELECT 'SET STORAGE ' || CASE a.attstorage WHEN 'p' THEN 'PLAIN' WHEN 'e' THEN 'EXTERNAL'"
	"   WHEN 'm' THEN 'MAIN' ELSE 'EXTENDED' END WHERE a.attstorage <> t.typstorage"
	"  UNION ALL SELECT format('SET (%s)', (SELECT string_agg(format('%I = %L', option_name, option_value), ', ')"
	"   FROM pg_options_to_table(a.attoptions) WHERE option_name IN ('n_distinct', 'n_distinct_inherited'))))"
	"  AS settings(setting) WHERE setting <> 'SET ()'"
	" ORDER BY c.oid, a.attnum, setting",

	/* inheritance, up and down */
	"SELECT format('ALTER TABLE %s ATTACH PARTITION %s %s', i.inhparent::regclass, " TABLE ","
	"  pg_get_expr(c.relpartbound, c.oid))"
	" FROM " TABLES " JOIN pg_inherits i ON i.inhrelid = c.oid"
	" WHERE c.relispartition ORDER BY c.oid",

	"SELECT format('ALTER FOREIGN TABLE %s INHERIT %s', " TABLE ", i.inhparent::regclass)"
	" FROM " TABLES " JOIN pg_inherits i ON i.inhrelid = c.oid"
	" WHERE NOT c.relispartition ORDER BY c.oid, i.inhseqno",

	"SELECT format(how, i.inhrelid::regclass, parent)"
	" FROM " TABLES " JOIN pg_inherits i ON i.inhparent = c.oid,"
	" LATERAL (VALUES (1, 'ALTER TABLE %s INHERIT %s', " TABLE "::text),"
	"  (2, 'ALTER TABLE %s NO INHERIT %s', " OLD_TABLE ")) AS v(step, how, parent)"
	" WHERE NOT EXISTS (SELECT FROM pg_foreign_table o WHERE o.ftrelid = i.inhrelid AND o.ftserver = $1)"
	" ORDER BY c.oid, i.inhrelid, step",

	/* what hangs on the tables */
	"SELECT CASE step WHEN 1 THEN pg_get_triggerdef(t.oid)"
	"  ELSE format('ALTER FOREIGN TABLE %s %s TRIGGER %I', " TABLE ","
	"   CASE t.tgenabled WHEN 'D' THEN 'DISABLE' WHEN 'R' THEN 'ENABLE REPLICA'"
	"   ELSE 'ENABLE ALWAYS' END, t.tgname) END"
	" FROM " TABLES " JOIN pg_trigger t ON t.tgrelid = c.oid AND NOT t.tgisinternal AND t.tgparentid = 0,"
	" LATERAL (VALUES (1), (2)) AS v(step) WHERE step = 1 OR t.tgenabled <> 'O'"
	" ORDER BY c.oid, t.tgname, step",

	"SELECT unnest(ARRAY[format('DROP STATISTICS %s.%I', e.stxnamespace::regnamespace, e.stxname),"
	"  pg_get_statisticsobjdef(e.oid)])"
	" FROM " TABLES " JOIN pg_statistic_ext e ON e.stxrelid = c.oid",

	"SELECT format('ALTER FOREIGN TABLE %s OWNER TO %I', " TABLE ", pg_get_userbyid(c.relowner))"
	" FROM " TABLES " ORDER BY c.oid",

	"SELECT format('ALTER SEQUENCE %s OWNED BY %s.%I', d.objid::regclass, " TABLE ", a.attname)"
	" FROM " TABLES " JOIN pg_depend d ON d.refclassid = 'pg_class'::regclass AND d.refobjid = c.oid"
	"  AND d.classid = 'pg_class'::regclass AND d.deptype = 'a'"
	" JOIN pg_class q ON q.oid = d.objid AND q.relkind = 'S'"
	" JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = d.refobjsubid"
	" ORDER BY c.oid, a.attnum",

	"SELECT grants.statement FROM " TABLES ", "
	GRANTS("TABLE", TABLE, "c.relacl", "c.relowner")
	" ORDER BY c.oid, grants.step, grants.statement",

	"SELECT format('GRANT %s ON TABLE %s TO %s%s',"
	"  string_agg(format('%s (%I)', x.privilege_type, a.attname), ', ' ORDER BY a.attnum, x.privilege_type),"
	"  " TABLE ", " ROLE("x.grantee") ", CASE WHEN x.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END)"
	" FROM " TABLES " JOIN pg_attribute a ON a.attrelid = c.oid AND NOT a.attisdropped,"
	" aclexplode(a.attacl) AS x"
	" GROUP BY f.ftrelid, x.grantee, x.is_grantable ORDER BY f.ftrelid, x.grantee",

	"SELECT format('COMMENT ON %s IS %L', object, d.description)"
	" FROM " TABLES " JOIN pg_description d ON d.classoid = 'pg_class'::regclass AND d.objoid = c.oid"
	" LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = d.objsubid,"
	" LATERAL (SELECT CASE d.objsubid WHEN 0 THEN format('FOREIGN TABLE %s', " TABLE ")"
	"  ELSE format('COLUMN %s.%I', " TABLE ", a.attname) END) AS o(object)"
	" UNION ALL"
	" SELECT format('COMMENT ON %s %I ON %s IS %L', o.kind, o.name, " TABLE ", d.description)"
	" FROM " TABLES ","
	" LATERAL (SELECT 'CONSTRAINT', conname, 'pg_constraint'::regclass, oid FROM pg_constraint WHERE conrelid = c.oid"
	"  UNION ALL SELECT 'TRIGGER', tgname, 'pg_trigger'::regclass, oid FROM pg_trigger WHERE tgrelid = c.oid)"
	"  AS o(kind, name, class, oid)"
	" JOIN pg_description d ON d.classoid = o.class AND d.objoid = o.oid",

	"SELECT format('SECURITY LABEL FOR %I ON %s IS %L', l.provider, object, l.label)"
	" FROM " TABLES " JOIN pg_seclabel l ON l.classoid = 'pg_class'::regclass AND l.objoid = c.oid"
	" LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = l.objsubid,"
	" LATERAL (SELECT CASE l.objsubid WHEN 0 THEN format('FOREIGN TABLE %s', " TABLE ")"
	"  ELSE format('COLUMN %s.%I', " TABLE ", a.attname) END) AS o(object)",

	/* views keep their identity, privileges and dependents */
	"SELECT DISTINCT ON (v.oid) format(E'CREATE OR REPLACE VIEW %s%s AS\\n%s', v.oid::regclass,"
	"  (SELECT ' WITH (' || string_agg(format('%I = %L', option_name, option_value), ', ') || ')'"
	"   FROM pg_options_to_table(v.reloptions)), rtrim(pg_get_viewdef(v.oid), ';'))"
	" FROM " TABLES " JOIN pg_depend d ON d.refclassid = 'pg_class'::regclass AND d.refobjid = c.oid"
	"  AND d.classid = 'pg_rewrite'::regclass"
	" JOIN pg_rewrite r ON r.oid = d.objid JOIN pg_class v ON v.oid = r.ev_class AND v.relkind = 'v'"
	" ORDER BY v.oid",

	/* what is in nobody's power to move */
	"SELECT DISTINCT format('-- depends on foreign table %s and is not moved: %s', " TABLE ","
	"  pg_describe_object(d.classid, d.objid, d.objsubid))"
	" FROM " TABLES " JOIN pg_depend d ON d.deptype = 'n'"
	"  AND ((d.refclassid = 'pg_class'::regclass AND d.refobjid = c.oid) OR"
	"   (d.refclassid = 'pg_type'::regclass AND d.refobjid IN (c.reltype,"
	"    (SELECT t.typarray FROM pg_type t WHERE t.oid = c.reltype))))"
	" LEFT JOIN pg_rewrite r ON d.classid = 'pg_rewrite'::regclass AND r.oid = d.objid"
	" LEFT JOIN pg_class v ON v.oid = r.ev_class"
	" WHERE v.relkind IS DISTINCT FROM 'v'"
	"  AND NOT EXISTS (SELECT FROM pg_trigger t WHERE d.classid = 'pg_trigger'::regclass"
	"   AND t.oid = d.objid AND t.tgrelid = c.oid)"
	"  AND d.classid NOT IN ('pg_constraint'::regclass, 'pg_attrdef'::regclass, 'pg_statistic_ext'::regclass)"
	"  AND NOT (d.classid = 'pg_class'::regclass AND"
	"   EXISTS (SELECT FROM pg_inherits i WHERE i.inhrelid = d.objid AND i.inhparent = c.oid))"
	" ORDER BY 1",

	"SELECT format('-- an identity column starts anew: %s.%I', " TABLE ", a.attname)"
	" FROM " TABLES " JOIN pg_attribute a ON a.attrelid = c.oid AND a.attidentity <> '' AND NOT a.attisdropped"
	" ORDER BY 1",

	/* the old */
	"SELECT 'DROP FOREIGN TABLE ' || string_agg(" OLD_TABLE ", ', ' ORDER BY c.oid)"
	" FROM " TABLES " HAVING count(*) > 0",

	"SELECT format('DROP USER MAPPING FOR %s SERVER %I', " ROLE("umuser") ", " OLD_NAME("srvid") ")"
	" FROM pg_user_mappings WHERE srvid = $1 ORDER BY umuser",

	"SELECT format('DROP SERVER %I', " OLD_NAME("$1") ")",

	/* last, so that a superuser can run all of it whoever the owner is */
	"SELECT format('ALTER SERVER %I OWNER TO %I', srvname, pg_get_userbyid(srvowner))"
	" FROM pg_foreign_server WHERE oid = $1",

	"SELECT grants.statement FROM pg_foreign_server s, "
	GRANTS("FOREIGN SERVER", "quote_ident(s.srvname)", "s.srvacl", "s.srvowner")
	" WHERE s.oid = $1 ORDER BY grants.step, grants.statement",

	"SELECT format('COMMENT ON SERVER %I IS %L', s.srvname, d.description)"
	" FROM pg_foreign_server s JOIN pg_description d"
	" ON d.classoid = 'pg_foreign_server'::regclass AND d.objoid = s.oid WHERE s.oid = $1"
};

/* Put a statement (or a comment, which takes no semicolon) into the result. */
static void
put_statement(ReturnSetInfo *rsinfo, const char *statement)
{
	bool		is_comment = strncmp(statement, "--", 2) == 0;
	Datum		value = CStringGetTextDatum(is_comment ? statement : psprintf("%s;", statement));
	bool		isnull = false;

	tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, &value, &isnull);
}

/* Run one step. */
static void
put_step(ReturnSetInfo *rsinfo, const char *query, Oid serverid)
{
	Oid			types[] = {OIDOID};
	Datum		values[] = {ObjectIdGetDatum(serverid)};

	if (SPI_execute_with_args(query, 1, types, values, NULL, true, 0) != SPI_OK_SELECT)
		elog(ERROR, "could not query the catalogs");
	for (uint64 i = 0; i < SPI_processed; i++)
		put_statement(rsinfo, SPI_getvalue(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, 1));
	SPI_freetuptable(SPI_tuptable);
}

/* Find the server; it must be postgres_fdw's, be it adopted. */
static ForeignServer *
find_server(const char *name, Oid sibling)
{
	ForeignServer *server = GetForeignServerByName(name, false);
	ForeignDataWrapper *fdw = GetForeignDataWrapper(server->fdwid);
	PgmlEngine	ours = pgml_engine_ours(sibling);
	PgmlEngine	theirs = pgml_engine_postgres_fdw(true);

	if (strcmp(fdw->fdwname, "pgml_fdw") == 0)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("server \"%s\" is of foreign-data wrapper \"pgml_fdw\" already", name)));
	if (!OidIsValid(fdw->fdwhandler) ||
		(fdw->fdwhandler != ours.handler && fdw->fdwhandler != theirs.handler))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("server \"%s\" is not one of postgres_fdw", name)));
	return server;
}

Datum
pgml_fdw_migrate(PG_FUNCTION_ARGS)
{
	ForeignServer *server = find_server(NameStr(*PG_GETARG_NAME(0)), fcinfo->flinfo->fn_oid);
	ReturnSetInfo *rsinfo;
	int			nestlevel;

	InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC);
	rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;

	SPI_connect();
	nestlevel = pgml_textio_begin();
	put_statement(rsinfo, "BEGIN");
	for (int i = 0; i < (int) lengthof(steps); i++)
		put_step(rsinfo, steps[i], server->serverid);
	put_statement(rsinfo, "COMMIT");
	pgml_textio_end(nestlevel);
	SPI_finish();
	return (Datum) 0;
}
