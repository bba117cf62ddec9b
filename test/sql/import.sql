-- IMPORT FOREIGN SCHEMA.
\getenv abs_srcdir PG_ABS_SRCDIR
\set remote_sql :abs_srcdir '/include/remote.psql'
\i :remote_sql
\connect :remote_db - :remote_host :remote_port
SET client_min_messages = warning;
DROP SCHEMA IF EXISTS import, import_types, import_empty, "Import ""q'\;--" CASCADE;
CREATE SCHEMA import;
CREATE SCHEMA import_types;
CREATE SCHEMA import_empty;
SET search_path = import;

CREATE TABLE plain (id int8 NOT NULL, name varchar(20), price numeric(10,2), code char(3) NOT NULL,
  span interval day to second, bits bit(4), "any" "char", at timestamp(3) with time zone, ids int[], names name[]);
CREATE TABLE nothing ();
INSERT INTO nothing SELECT FROM generate_series(1, 2);
CREATE TABLE "Ünï ""quoted"" 'one'" ("A" int, "with space" text, "ümlaut" int, "sel""ect" int, "it's" int, "back\slash" int);
INSERT INTO "Ünï ""quoted"" 'one'" VALUES (1, 'x', 2, 3, 4, 5);
CREATE VIEW a_view AS SELECT id, upper(name) AS name FROM plain;
CREATE MATERIALIZED VIEW a_matview AS SELECT 1 AS one, 'x'::text AS x;
CREATE TABLE parted (id int, k text) PARTITION BY LIST (k);
CREATE TABLE part_a PARTITION OF parted FOR VALUES IN ('a');
CREATE TABLE part_b PARTITION OF parted FOR VALUES IN ('b') PARTITION BY RANGE (id);
CREATE TABLE part_b1 PARTITION OF part_b FOR VALUES FROM (0) TO (10);
INSERT INTO parted VALUES (1, 'a'), (2, 'b');
CREATE SEQUENCE a_sequence;
CREATE INDEX an_index ON plain (id);
CREATE EXTENSION IF NOT EXISTS file_fdw SCHEMA public;
DROP SERVER IF EXISTS import_file CASCADE;
CREATE SERVER import_file FOREIGN DATA WRAPPER file_fdw;
CREATE FOREIGN TABLE a_foreign (line text) SERVER import_file OPTIONS (filename '/dev/null');
CREATE TABLE dropped (a int, b int, c int);
ALTER TABLE dropped DROP COLUMN b;
CREATE TABLE columns (id serial, plain int DEFAULT 42, now timestamptz DEFAULT now(), word text DEFAULT 'it''s -- \',
  doubled int GENERATED ALWAYS AS (plain * 2) STORED, low text GENERATED ALWAYS AS (lower(word) || '!') STORED,
  ident int GENERATED ALWAYS AS IDENTITY, coll text COLLATE "C", posix text COLLATE "POSIX" NOT NULL);
INSERT INTO columns (posix) VALUES ('x');

SET search_path = import_types;
CREATE TYPE mood AS ENUM ('sad', 'happy');
CREATE TYPE shared AS ENUM ('x', 'y');
CREATE TYPE pair AS (a int, b text);
CREATE TYPE other_kind AS ENUM ('z');
CREATE TYPE locked AS ENUM ('l');
CREATE DOMAIN positive AS int CHECK (value > 0);
CREATE COLLATION special FROM "C";
CREATE FUNCTION twice(int) RETURNS int IMMUTABLE LANGUAGE sql AS 'SELECT $1 * 2';
CREATE TABLE types (m mood, ms mood[], s shared, ss shared[], p pair, o other_kind, l locked, d positive DEFAULT 3,
  md mood DEFAULT 'happy', t text COLLATE special, g int GENERATED ALWAYS AS (twice(1)) STORED, v int DEFAULT twice(2));
INSERT INTO types (m, ms, s, ss, p, o, l, t) VALUES ('sad', '{sad,happy}', 'x', '{y,NULL}', '(1,b)', 'z', 'l', 't');
-- types whose values can't be read in, or mean something in one database only
CREATE TABLE odd (o oid, rc regclass, rt regtype[], ns regnamespace, acl aclitem[], snap pg_snapshot, lsn pg_lsn);
INSERT INTO odd VALUES (1, 'types', '{mood}', 'import_types', '{postgres=r/postgres}', '1:2:', '0/1');
CREATE VIEW trees AS SELECT adbin FROM pg_attrdef WHERE adrelid = 'types'::regclass;
SET search_path = import_empty;
CREATE SCHEMA "Import ""q'\;--";
CREATE TABLE "Import ""q'\;--"."t'; DROP TABLE x; --" ("c', ""d""); --" int DEFAULT 7);
INSERT INTO "Import ""q'\;--"."t'; DROP TABLE x; --" VALUES (8);

\connect :local_db - :local_host :local_port
CREATE SERVER import_server FOREIGN DATA WRAPPER pgml_fdw
  OPTIONS (host :'remote_host', port :'remote_port', dbname :'remote_db');
CREATE USER MAPPING FOR CURRENT_USER SERVER import_server OPTIONS (user :'USER');
CREATE SCHEMA imported;
-- what \d shows, without psql's version in it
CREATE VIEW public.imported_columns AS
  SELECT c.relnamespace::regnamespace AS schema, c.relname AS "table", a.attname AS "column",
    format_type(a.atttypid, a.atttypmod) AS type,
    concat_ws(' ', CASE WHEN a.attcollation <> t.typcollation THEN 'COLLATE ' || a.attcollation::regcollation END,
      CASE WHEN a.attnotnull THEN 'NOT NULL' END,
      CASE WHEN a.attgenerated <> '' THEN 'GENERATED' END,
      'DEFAULT ' || pg_get_expr(d.adbin, d.adrelid)) AS modifiers,
    a.attfdwoptions AS options
  FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0
  JOIN pg_type t ON t.oid = a.atttypid
  LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
  WHERE c.relkind = 'f' AND c.relnamespace::regnamespace::text = 'imported'
  ORDER BY c.relname COLLATE "C", a.attnum;
CREATE VIEW public.imported_tables AS
  SELECT ftrelid::regclass AS "table", ftoptions AS options FROM pg_foreign_table JOIN pg_class ON oid = ftrelid
  WHERE relnamespace::regnamespace::text = 'imported' ORDER BY ftrelid::regclass::text COLLATE "C";
GRANT SELECT ON imported_columns TO PUBLIC;

-- everything
IMPORT FOREIGN SCHEMA import FROM SERVER import_server INTO imported;
SELECT * FROM imported_tables;
SELECT "table", "column", type, modifiers, options FROM imported_columns;
SELECT count(*) FROM imported.nothing;
SELECT * FROM imported."Ünï ""quoted"" 'one'";
SELECT * FROM imported.a_matview;
SELECT * FROM imported.parted ORDER BY id;
SELECT plain, word, doubled, low, ident, posix FROM imported.columns;
SELECT * FROM imported.dropped;
-- a table that is there already is passed over
IMPORT FOREIGN SCHEMA import LIMIT TO (plain) FROM SERVER import_server INTO imported;
SET client_min_messages = warning;
DROP SCHEMA imported CASCADE;
RESET client_min_messages;

-- some of it; partitions only if named
CREATE SCHEMA imported;
IMPORT FOREIGN SCHEMA import LIMIT TO (plain, part_b, part_b1, "Ünï ""quoted"" 'one'") FROM SERVER import_server INTO imported;
SELECT * FROM imported_tables;
SELECT * FROM imported.part_b;
SET client_min_messages = warning;
DROP SCHEMA imported CASCADE;
RESET client_min_messages;
CREATE SCHEMA imported;
IMPORT FOREIGN SCHEMA import EXCEPT (plain, columns, dropped, "Ünï ""quoted"" 'one'") FROM SERVER import_server INTO imported;
SELECT * FROM imported_tables;
SET client_min_messages = warning;
DROP SCHEMA imported CASCADE;
RESET client_min_messages;
CREATE SCHEMA imported;
-- names that aren't there
IMPORT FOREIGN SCHEMA import LIMIT TO (plain, "Plain", nope, a_sequence) FROM SERVER import_server INTO imported;
IMPORT FOREIGN SCHEMA import EXCEPT (nope) FROM SERVER import_server INTO imported;
SELECT count(*) FROM imported_tables;
IMPORT FOREIGN SCHEMA "Import" FROM SERVER import_server INTO imported;
IMPORT FOREIGN SCHEMA import_empty FROM SERVER import_server INTO imported;
IMPORT FOREIGN SCHEMA import FROM SERVER import_server INTO nowhere;
IMPORT FOREIGN SCHEMA import FROM SERVER no_server INTO imported;

-- options
IMPORT FOREIGN SCHEMA import FROM SERVER import_server INTO imported OPTIONS (import_collation 'x');
IMPORT FOREIGN SCHEMA import FROM SERVER import_server INTO imported OPTIONS (import_collate 'maybe');
SET client_min_messages = warning;
DROP SCHEMA imported CASCADE;
RESET client_min_messages;
CREATE SCHEMA imported;
-- (the parser's words differ between versions)
\set VERBOSITY terse
IMPORT FOREIGN SCHEMA import LIMIT TO (columns) FROM SERVER import_server INTO imported
  OPTIONS (import_default 'true');
\set VERBOSITY default
SELECT "column", type, modifiers FROM imported_columns;
SET client_min_messages = warning;
DROP SCHEMA imported CASCADE;
RESET client_min_messages;
CREATE SCHEMA imported;
IMPORT FOREIGN SCHEMA import LIMIT TO (columns) FROM SERVER import_server INTO imported
  OPTIONS (import_collate 'false', import_generated 'false', import_not_null 'false');
SELECT "column", type, modifiers FROM imported_columns;
SET client_min_messages = warning;
DROP SCHEMA imported CASCADE;
RESET client_min_messages;

-- types that aren't here, or not the same, or not for us; defaults likewise (import_types.sql has the other way)
CREATE SCHEMA imported;
CREATE SCHEMA import_types;
CREATE TYPE import_types.shared AS ENUM ('x', 'y');
CREATE TYPE import_types.other_kind AS (z int);
CREATE TYPE import_types.locked AS ENUM ('l');
CREATE TYPE import_types.positive;
REVOKE USAGE ON TYPE import_types.locked FROM PUBLIC;
CREATE ROLE import_user;
GRANT USAGE ON FOREIGN SERVER import_server TO import_user;
GRANT CREATE, USAGE ON SCHEMA imported TO import_user;
GRANT USAGE ON SCHEMA import_types TO import_user;
CREATE USER MAPPING FOR import_user SERVER import_server OPTIONS (user :'USER', password_required 'false');
SET ROLE import_user;
IMPORT FOREIGN SCHEMA import_types FROM SERVER import_server INTO imported OPTIONS (import_default 'true', import_types 'false');
SELECT "table", "column", type, modifiers FROM imported_columns;
SELECT * FROM imported.types;
SELECT * FROM imported.odd;
SELECT count(*), max(length(adbin)) > 10 AS read FROM imported.trees;
-- what is text only here is compared and sorted as text there too
EXPLAIN (VERBOSE, COSTS OFF) SELECT m FROM imported.types WHERE m IN ('sad', 'glad') AND ms > '{' ORDER BY m;
SELECT m, ms FROM imported.types WHERE m IN ('sad', 'glad') AND ms > '{' ORDER BY m;
-- a schema that we may not look into
RESET ROLE;
REVOKE USAGE ON SCHEMA import_types FROM import_user;
SET client_min_messages = warning;
DROP SCHEMA imported CASCADE;
RESET client_min_messages;
CREATE SCHEMA imported;
GRANT CREATE, USAGE ON SCHEMA imported TO import_user;
SET ROLE import_user;
IMPORT FOREIGN SCHEMA import_types LIMIT TO (types) FROM SERVER import_server INTO imported OPTIONS (import_types 'false');
SELECT s, ss FROM imported.types;
RESET ROLE;
-- and an importer without a mapping, or without USAGE
DROP USER MAPPING FOR import_user SERVER import_server;
SET ROLE import_user;
-- (core's message differs between versions)
\set VERBOSITY sqlstate
IMPORT FOREIGN SCHEMA import_types FROM SERVER import_server INTO imported;
\set VERBOSITY default
RESET ROLE;
REVOKE USAGE ON FOREIGN SERVER import_server FROM import_user;
SET ROLE import_user;
IMPORT FOREIGN SCHEMA import_types FROM SERVER import_server INTO imported;
RESET ROLE;
SET client_min_messages = warning;
DROP SCHEMA imported CASCADE;
RESET client_min_messages;

-- names that look like SQL
CREATE SCHEMA imported;
IMPORT FOREIGN SCHEMA "Import ""q'\;--" FROM SERVER import_server INTO imported OPTIONS (import_default 'true');
SELECT * FROM imported_tables;
SELECT "column", modifiers, options FROM imported_columns;
SELECT * FROM imported."t'; DROP TABLE x; --";
SET client_min_messages = warning;
DROP SCHEMA imported CASCADE;
RESET client_min_messages;

-- catalogs of the remote
CREATE SCHEMA imported;
SET client_min_messages = warning;
IMPORT FOREIGN SCHEMA pg_catalog LIMIT TO (pg_class, pg_stats) FROM SERVER import_server INTO imported;
RESET client_min_messages;
SELECT relname, relkind FROM imported.pg_class WHERE relname = 'pg_class';
SELECT count(*) >= 0 AS read FROM (SELECT * FROM imported.pg_stats LIMIT 5) s;
-- a handful of queries, whatever the number of tables; the connection is there
SELECT pgml_fdw_disconnect('import_server');
SELECT round_trips AS before FROM pgml_fdw_stats() \gset
IMPORT FOREIGN SCHEMA information_schema FROM SERVER import_server INTO imported;
SELECT round_trips - :before <= 8 AS few FROM pgml_fdw_stats();
SELECT count(*) > 50 AS many FROM imported_tables;
SELECT table_name, column_name, data_type FROM imported.columns WHERE table_schema = 'import' AND table_name = 'dropped' ORDER BY ordinal_position;
SET client_min_messages = warning;
DROP SCHEMA imported CASCADE;
RESET client_min_messages;

-- so it is with 1,000 tables, with types of their own
\connect :remote_db - :remote_host :remote_port
SET client_min_messages = warning;
DROP SCHEMA IF EXISTS import_many CASCADE;
CREATE SCHEMA import_many;
CREATE TYPE import_many.mood AS ENUM ('sad', 'happy');
CREATE DOMAIN import_many.id AS int CHECK (VALUE > 0);
CREATE TYPE import_many.pair AS (a int, m import_many.mood);
SELECT format('CREATE TABLE import_many.t%s (id import_many.id, m import_many.mood, p import_many.pair CHECK (p IS NOT NULL))', i) FROM generate_series(1, 1000) i
\set ECHO none
\gexec
\set ECHO all
\connect :local_db - :local_host :local_port
CREATE SCHEMA imported;
IMPORT FOREIGN SCHEMA import_many FROM SERVER import_server INTO imported OPTIONS (import_check 'true', import_default 'true', import_updatable 'true');
SELECT round_trips <= 20 AS few, connects FROM pgml_fdw_stats();
SELECT count(*) FROM imported_tables;
SELECT DISTINCT "column", type FROM imported_columns ORDER BY 1;
SET client_min_messages = warning;
DROP SCHEMA imported CASCADE;
RESET client_min_messages;
\connect :remote_db - :remote_host :remote_port
SET client_min_messages = warning;
DROP SCHEMA import_many CASCADE;

-- A remote that lies about expressions: nothing but an expression is taken.
\connect :remote_db - :remote_host :remote_port
SET client_min_messages = warning;
DROP DATABASE IF EXISTS import_liar;
CREATE DATABASE import_liar;
\connect import_liar - :remote_host :remote_port
CREATE TABLE lies (n serial, expression text);
INSERT INTO lies (expression) VALUES ('1) SERVER import_server OPTIONS (table_name $$'), ('1 -- '), ('1 /* '), ('1; DROP TABLE victim'),
  ('1 CHECK (false)'), ('1, 2'), ('1 AS one'), ('*'), ('DISTINCT 1'), ('1 FROM victim'), ('1 ORDER BY 1'), ('1 LIMIT 1'), ('(SELECT 1)'),
  ('$1'), ('''x'), ('$$x'), (''), ('1)'), ('count(*)'), ('row_number() OVER ()'), ('generate_series(1, 2)'), ('a'), ('now()'),
  ('nextval(''import_seq'')'), ('import_function()'), ('E''\'''),
  ('DEFAULT'), ('imported.*'), ('a.*'), ('imported'), ('t33'), ('ROW(1)'), ('(1, 2)'), ('GROUPING(a)'), ('b'), ('ctid'), ('tableoid'), ('a.b.c.d.e'),
  ('ARRAY(SELECT 1)'), ('1 = ANY (1)'), ('nope.nope(1)'), ('CAST(1 AS nope)'), ('a[1]'), ('(a).b'), ('a COLLATE nope'), ('a COLLATE "C"'),
  ('a := 1'), ('1 INTO victim'), ('length(VARIADIC ARRAY[1])'), ('CURRENT_USER'), ('''x'''), ('a + 1 /* a */'), ('a OPERATOR(nope.+) 1'), ('(a IS NULL)');
SELECT format('CREATE TABLE %I (a int DEFAULT %s, b int GENERATED ALWAYS AS (%s) STORED)', 't' || to_char(n, 'FM00'), n, n) FROM lies ORDER BY n
\set ECHO none
\gexec
\set ECHO all
ALTER FUNCTION pg_get_expr(pg_node_tree, oid) RENAME TO honest_pg_get_expr;
CREATE FUNCTION pg_catalog.pg_get_expr(pg_node_tree, oid) RETURNS text STRICT STABLE LANGUAGE sql
  AS $$ SELECT expression FROM public.lies JOIN pg_catalog.pg_class ON relname = 't' || to_char(n, 'FM00') WHERE oid = $2 $$;
\connect :local_db - :local_host :local_port
CREATE SERVER import_liar FOREIGN DATA WRAPPER pgml_fdw
  OPTIONS (host :'remote_host', port :'remote_port', dbname 'import_liar');
CREATE USER MAPPING FOR CURRENT_USER SERVER import_liar OPTIONS (user :'USER');
CREATE SCHEMA imported;
CREATE FUNCTION import_function() RETURNS int IMMUTABLE LANGUAGE plpgsql AS $$ BEGIN RAISE WARNING 'called'; RETURN 1; END $$;
CREATE SEQUENCE import_seq;
CREATE TABLE victim ();
-- (the NOTICEs quote errors of the parser, which differ between versions)
SET client_min_messages = warning;
IMPORT FOREIGN SCHEMA public EXCEPT (lies) FROM SERVER import_liar INTO imported OPTIONS (import_default 'true');
SELECT "table", "column", modifiers FROM imported_columns WHERE modifiers <> '';
SELECT count(*) FROM imported_tables;
DROP SCHEMA imported CASCADE;
DROP SERVER import_liar CASCADE;
RESET client_min_messages;
DROP FUNCTION import_function();
DROP SEQUENCE import_seq;
DROP TABLE victim;
\connect :remote_db - :remote_host :remote_port
DROP DATABASE import_liar;
\connect :local_db - :local_host :local_port

-- A server that is this one, where the same transaction has changed the table: not waited for for ever
SET client_min_messages = warning;
CREATE SERVER import_self FOREIGN DATA WRAPPER pgml_fdw OPTIONS (host :'local_host', port :'local_port', dbname :'local_db');
CREATE USER MAPPING FOR CURRENT_USER SERVER import_self OPTIONS (user :'USER');
CREATE SCHEMA import_self;
CREATE SCHEMA imported;
CREATE TABLE import_self.t (id int PRIMARY KEY, a int DEFAULT 7, CHECK (a > 0));
BEGIN;
SET LOCAL statement_timeout = '30s';
ALTER TABLE import_self.t ADD COLUMN b int DEFAULT 8;
\set SHOW_CONTEXT never
IMPORT FOREIGN SCHEMA import_self FROM SERVER import_self INTO imported;
ROLLBACK;
\set SHOW_CONTEXT errors
-- what is in nobody's way is imported, and the lock_timeout is as it was
BEGIN;
CREATE TABLE import_self.unseen (id int);
IMPORT FOREIGN SCHEMA import_self FROM SERVER import_self INTO imported;
SELECT count(*) FROM imported.t;
SELECT t FROM pgml_fdw_query('import_self', 'SHOW lock_timeout') AS s (t text);
COMMIT;
SELECT foreign_table_name FROM information_schema.foreign_tables WHERE foreign_table_schema = 'imported';
DROP SERVER import_self CASCADE;
DROP SCHEMA import_self, imported CASCADE;
DROP SCHEMA import_types CASCADE;
DROP SERVER import_server CASCADE;
DROP VIEW imported_columns, imported_tables;
DROP ROLE import_user;
