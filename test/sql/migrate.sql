-- The DDL that moves a server of postgres_fdw over to pgml_fdw.
\getenv abs_srcdir PG_ABS_SRCDIR
\set remote_sql :abs_srcdir '/include/remote.psql'
\i :remote_sql
\connect :remote_db - :remote_host :remote_port
SET client_min_messages = warning;
DROP SCHEMA IF EXISTS migrate CASCADE;
CREATE SCHEMA migrate;
CREATE TABLE migrate.t (id int, name text, twice int GENERATED ALWAYS AS (id * 2) STORED, other text);
INSERT INTO migrate.t (id, name, other) SELECT i, 'row ' || i, 'other ' || i FROM generate_series(1, 10) i;
CREATE TABLE migrate.part AS SELECT i AS id, 'p' AS k FROM generate_series(1, 3) i;
CREATE TABLE migrate.child AS SELECT i AS id, 'c' AS k, i AS more FROM generate_series(4, 5) i;
\connect :local_db - :local_host :local_port
SET client_min_messages = warning;
CREATE EXTENSION postgres_fdw;
CREATE ROLE migrate_owner;
CREATE ROLE "migrate reader";
CREATE ROLE migrate_other;
CREATE SCHEMA "Migrate It";
GRANT CREATE, USAGE ON SCHEMA "Migrate It" TO migrate_owner, PUBLIC;
GRANT USAGE ON FOREIGN DATA WRAPPER postgres_fdw, pgml_fdw TO migrate_owner;
SET search_path = "Migrate It", public;

SET ROLE migrate_owner;
CREATE SERVER "prod ""db""" TYPE 'production' VERSION '15''s' FOREIGN DATA WRAPPER postgres_fdw
  OPTIONS (host :'remote_host', port :'remote_port', dbname :'remote_db', application_name 'it''s \ me');
GRANT USAGE ON FOREIGN SERVER "prod ""db""" TO "migrate reader" WITH GRANT OPTION;
GRANT USAGE ON FOREIGN SERVER "prod ""db""" TO PUBLIC;
COMMENT ON SERVER "prod ""db""" IS 'the production''s';
RESET ROLE;
CREATE USER MAPPING FOR CURRENT_USER SERVER "prod ""db""" OPTIONS (user :'USER', password 'canary-9''\');
CREATE USER MAPPING FOR PUBLIC SERVER "prod ""db""" OPTIONS (user :'USER', password_required 'false');
CREATE USER MAPPING FOR "migrate reader" SERVER "prod ""db""" OPTIONS (user :'USER', password 'canary-8');
CREATE USER MAPPING FOR migrate_other SERVER "prod ""db""";

CREATE DOMAIN "Name" AS text CHECK (value <> '');
SET ROLE migrate_owner;
CREATE FOREIGN TABLE "T t" (id serial NOT NULL, gone int, "the ""name""" varchar(20) OPTIONS (column_name 'name') COLLATE "C" DEFAULT 'it''s' NOT NULL,
  twice int GENERATED ALWAYS AS (id * 2) STORED, nm "Name" OPTIONS (column_name 'other'), nums numeric(8,2)[] DEFAULT '{1.5}',
  CONSTRAINT "id small" CHECK (id < 1000), CHECK (twice > 0) NO INHERIT)
  SERVER "prod ""db""" OPTIONS (schema_name 'migrate', table_name 't', fetch_size '50');
ALTER FOREIGN TABLE "T t" DROP COLUMN gone, DROP COLUMN nums;
ALTER FOREIGN TABLE "T t" ADD CONSTRAINT later CHECK (id > 0) NOT VALID;
ALTER FOREIGN TABLE "T t" ALTER COLUMN id SET STATISTICS 7, ALTER COLUMN nm SET STORAGE EXTERNAL, ALTER COLUMN id SET (n_distinct = -0.5);
CREATE STATISTICS "Stat" (ndistinct) ON id, twice FROM "T t";
GRANT SELECT ON "T t" TO "migrate reader" WITH GRANT OPTION;
GRANT INSERT, UPDATE ON "T t" TO PUBLIC;
GRANT SELECT (id), REFERENCES (twice) ON "T t" TO migrate_other;
REVOKE DELETE ON "T t" FROM migrate_owner;
COMMENT ON FOREIGN TABLE "T t" IS 'a ''table''';
COMMENT ON COLUMN "T t"."the ""name""" IS 'a column';
COMMENT ON CONSTRAINT "id small" ON "T t" IS 'a constraint';
CREATE FUNCTION trg() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TRIGGER "Trig" BEFORE UPDATE OF twice ON "T t" FOR EACH ROW WHEN (old.id > 3) EXECUTE FUNCTION trg('an arg');
CREATE TRIGGER off AFTER INSERT ON "T t" FOR EACH STATEMENT EXECUTE FUNCTION trg();
ALTER FOREIGN TABLE "T t" DISABLE TRIGGER off;
COMMENT ON TRIGGER off ON "T t" IS 'a trigger';
CREATE FOREIGN TABLE nothing () SERVER "prod ""db""" OPTIONS (schema_name 'migrate', table_name 't');

CREATE TABLE parent (id int CHECK (id > 0), k text) PARTITION BY LIST (k);
CREATE TABLE parent_local PARTITION OF parent FOR VALUES IN ('l');
CREATE FOREIGN TABLE part PARTITION OF parent (k DEFAULT 'p') FOR VALUES IN ('p', 'q') SERVER "prod ""db""" OPTIONS (schema_name 'migrate');
CREATE TRIGGER cloned AFTER INSERT ON parent FOR EACH ROW EXECUTE FUNCTION trg();
CREATE FOREIGN TABLE base (id int, k text) SERVER "prod ""db""" OPTIONS (schema_name 'migrate', table_name 'part');
CREATE TABLE mixin (more int);
CREATE FOREIGN TABLE child () INHERITS (base, mixin) SERVER "prod ""db""" OPTIONS (schema_name 'migrate', table_name 'child');
ALTER FOREIGN TABLE child ALTER COLUMN more OPTIONS (column_name 'more');
CREATE TABLE local_child (own text) INHERITS (base);
INSERT INTO local_child VALUES (9, 'local', 'x');

CREATE VIEW v WITH (security_barrier, check_option = local) AS SELECT id, nm AS "Nm" FROM "T t" WHERE id < 100;
CREATE VIEW vv AS SELECT count(*) FROM v;
CREATE VIEW joined AS SELECT b.id, t.nm FROM base b JOIN "T t" t USING (id);
GRANT SELECT ON v TO "migrate reader";
RESET ROLE;

-- all there is to know of a server, its mappings and tables
CREATE VIEW public.migrate_facts AS
  SELECT 'server' AS what, srvname::text AS of, concat_ws(' ', srvtype, srvversion, srvoptions, (SELECT array_agg(x::text ORDER BY x::text) FROM unnest(srvacl) x), srvowner::regrole, obj_description(oid, 'pg_foreign_server')) AS fact
    FROM pg_foreign_server
  UNION ALL SELECT 'mapping', srvname::text, concat_ws(' ', usename, umoptions) FROM pg_user_mappings
  UNION ALL SELECT 'table', c.oid::regclass::text, concat_ws(' ', (SELECT srvname FROM pg_foreign_server s WHERE s.oid = f.ftserver), f.ftoptions, (SELECT array_agg(x::text ORDER BY x::text) FROM unnest(relacl) x), relowner::regrole,
      pg_get_expr(relpartbound, c.oid), obj_description(c.oid, 'pg_class'), (SELECT objid::regclass FROM pg_depend WHERE refobjid = c.oid AND classid = 'pg_class'::regclass AND deptype = 'a'))
    FROM pg_foreign_table f JOIN pg_class c ON c.oid = f.ftrelid
  UNION ALL SELECT 'column', concat_ws('.', c.oid::regclass, row_number() OVER (PARTITION BY c.oid ORDER BY attnum), attname),
      concat_ws(' ', format_type(atttypid, atttypmod), attcollation::regcollation, attnotnull, attgenerated, pg_get_expr(adbin, adrelid), attfdwoptions, (SELECT array_agg(x::text ORDER BY x::text) FROM unnest(attacl) x),
        attstattarget, attstorage, array_remove(attoptions, (SELECT o FROM unnest(attoptions) o WHERE o LIKE 'pg_attver=%')), attinhcount > 0, col_description(c.oid, attnum))
    FROM pg_class c JOIN pg_attribute a ON attrelid = c.oid AND attnum > 0 AND NOT attisdropped LEFT JOIN pg_attrdef ON adrelid = c.oid AND adnum = attnum
    WHERE relkind = 'f' OR relname = 'local_child'
  UNION ALL SELECT 'constraint', concat_ws('.', conrelid::regclass, conname), concat_ws(' ', pg_get_constraintdef(k.oid), coninhcount > 0, convalidated, obj_description(k.oid, 'pg_constraint'))
    FROM pg_constraint k JOIN pg_class c ON c.oid = conrelid AND relkind = 'f'
  UNION ALL SELECT 'trigger', concat_ws('.', tgrelid::regclass, tgname), concat_ws(' ', pg_get_triggerdef(g.oid), tgenabled, tgparentid > 0, obj_description(g.oid, 'pg_trigger'))
    FROM pg_trigger g JOIN pg_class c ON c.oid = tgrelid AND relkind = 'f'
  UNION ALL SELECT 'inherits', inhrelid::regclass::text, concat_ws(' ', inhparent::regclass, row_number() OVER (PARTITION BY inhrelid ORDER BY inhseqno)) FROM pg_inherits JOIN pg_class p ON p.oid = inhparent AND p.relkind IN ('r', 'f', 'p')
  UNION ALL SELECT 'statistics', stxname::text, pg_get_statisticsobjdef(oid) FROM pg_statistic_ext
  UNION ALL SELECT 'view', c.oid::regclass::text, concat_ws(' ', pg_get_viewdef(oid), reloptions, (SELECT array_agg(x::text ORDER BY x::text) FROM unnest(relacl) x), relowner::regrole) FROM pg_class c WHERE relkind = 'v' AND relnamespace = '"Migrate It"'::regnamespace;
CREATE TABLE public.migrate_before AS SELECT * FROM migrate_facts;
CREATE TABLE public.migrate_oids AS SELECT oid, relname FROM pg_class WHERE relnamespace = '"Migrate It"'::regnamespace AND relkind IN ('v', 'f');
SELECT what, count(*) FROM migrate_before WHERE what <> 'constraint' GROUP BY what ORDER BY what;

-- the script, but for what is this machine's or differs between versions
\pset format unaligned
SELECT replace(replace(replace(regexp_replace(ddl, 'pgml_old_\d+', 'pgml_old_N', 'g'),
    quote_literal(:'remote_host'), '''HOST'''), quote_literal(:'remote_port'), '''PORT'''), :'USER', 'ME') AS ddl
  FROM pgml_fdw_migrate('prod "db"') AS ddl
  WHERE ddl !~ '^(DROP FOREIGN TABLE|CREATE FOREIGN TABLE|CREATE OR REPLACE VIEW|GRANT .* ON TABLE)';
\pset format aligned
-- run it
\set ECHO none
SELECT pgml_fdw_migrate('prod "db"') \gexec
\set ECHO all
-- nothing has changed but the wrapper
SELECT 'lost' AS what, l.* FROM (SELECT * FROM migrate_before EXCEPT ALL SELECT * FROM migrate_facts) l
UNION ALL SELECT 'new', n.* FROM (SELECT * FROM migrate_facts EXCEPT ALL SELECT * FROM migrate_before) n ORDER BY 1, 2, 3;
SELECT fdwname FROM pg_foreign_server s JOIN pg_foreign_data_wrapper w ON w.oid = srvfdw WHERE srvname = 'prod "db"';
-- views are the same objects, tables are not
SELECT relkind, count(*) FROM pg_class JOIN migrate_oids USING (oid) GROUP BY relkind;
SELECT * FROM v ORDER BY id LIMIT 2;
SELECT * FROM vv;
SELECT * FROM base ORDER BY id, k;
SELECT tableoid::regclass, * FROM parent;
SELECT id, nm FROM joined ORDER BY id;
UPDATE "T t" SET "the ""name""" = 'new' WHERE id = 1;
SELECT * FROM "T t" WHERE id = 1;
SELECT count(*) FROM nothing;

-- what can't be moved stops it, and nothing has happened
CREATE SERVER migrate_more FOREIGN DATA WRAPPER postgres_fdw
  OPTIONS (host :'remote_host', port :'remote_port', dbname :'remote_db');
CREATE USER MAPPING FOR CURRENT_USER SERVER migrate_more OPTIONS (user :'USER');
CREATE FOREIGN TABLE m (id int) SERVER migrate_more OPTIONS (schema_name 'migrate', table_name 't');
CREATE MATERIALIZED VIEW mv AS SELECT * FROM m;
CREATE FUNCTION takes_row(m) RETURNS int LANGUAGE sql AS 'SELECT 1';
CREATE TABLE holds_rows (rows m[]);
CREATE FUNCTION reads() RETURNS bigint LANGUAGE sql BEGIN ATOMIC SELECT count(*) FROM m; END;
SELECT ddl FROM pgml_fdw_migrate('migrate_more') AS ddl WHERE ddl ~ '^--';
\set ECHO none
\set VERBOSITY sqlstate
SELECT CASE WHEN ddl = 'COMMIT;' THEN 'ROLLBACK' ELSE ddl END FROM pgml_fdw_migrate('migrate_more') AS ddl \gexec
\set VERBOSITY default
\set ECHO all
SELECT fdwname FROM pg_foreign_server s JOIN pg_foreign_data_wrapper w ON w.oid = srvfdw WHERE srvname = 'migrate_more';
SELECT count(*) FROM m;

-- an adopted server, and one without tables and mappings
CREATE SERVER migrate_bare FOREIGN DATA WRAPPER postgres_fdw;
SELECT pgml_fdw_adopt('postgres_fdw');
SELECT regexp_replace(ddl, 'pgml_old_\d+', 'pgml_old_N', 'g') AS ddl FROM pgml_fdw_migrate('migrate_bare') AS ddl;
SELECT pgml_fdw_release('postgres_fdw');

-- secrets are shown to whom pg_user_mappings shows them only
SET ROLE migrate_other;
SELECT regexp_replace(ddl, 'pgml_old_\d+', 'pgml_old_N', 'g') AS ddl FROM pgml_fdw_migrate('migrate_more') AS ddl WHERE ddl ~ 'USER MAPPING';
RESET ROLE;
-- not our business
SELECT pgml_fdw_migrate('prod "db"');
SELECT pgml_fdw_migrate('nothing');
CREATE FOREIGN DATA WRAPPER migrate_none;
CREATE SERVER migrate_none FOREIGN DATA WRAPPER migrate_none;
SELECT pgml_fdw_migrate('migrate_none');

DROP SCHEMA "Migrate It" CASCADE;
DROP SERVER "prod ""db""", migrate_more, migrate_bare, migrate_none CASCADE;
DROP FOREIGN DATA WRAPPER migrate_none;
DROP TABLE migrate_before, migrate_oids;
DROP EXTENSION postgres_fdw;
REVOKE ALL ON FOREIGN DATA WRAPPER pgml_fdw FROM migrate_owner;
DROP ROLE migrate_owner, "migrate reader", migrate_other;
