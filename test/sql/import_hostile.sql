-- IMPORT FOREIGN SCHEMA from a database whose catalogs lie about types: nothing
-- runs that shouldn't, and what can't be true costs a column or a table.
\getenv abs_srcdir PG_ABS_SRCDIR
\set remote_sql :abs_srcdir '/include/remote.psql'
\i :remote_sql
\connect :remote_db - :remote_host :remote_port
SET client_min_messages = warning;
DROP DATABASE IF EXISTS import_twister;
CREATE DATABASE import_twister;
\connect import_twister - :remote_host :remote_port
-- each domain has a default and a check, and the text of both is a lie
CREATE TABLE lies (n serial, expression text);
INSERT INTO lies (expression) VALUES ('VALUE > 0'), ('VALUE > 0); DROP TABLE victim; --'), ('true) NOT NULL CHECK (false'), ('VALUE > 0 -- '), ('VALUE > 0 /* '),
  ('hostile_function() > 0'), ('nextval(''hostile_seq'') > 0'), ('pg_sleep(1000) IS NOT NULL'), ('pg_advisory_lock(1) IS NULL'), ('(SELECT true)'), ('VALUE = ANY (SELECT 1)'),
  ('query_to_xml(''DROP TABLE victim'', true, true, '''') IS NULL'), ('table_to_xml(''victim'', true, true, '''') IS NULL'), ('current_setting(''port'') = ''1'''),
  ('VALUE'), ('value.a'), ('(VALUE).a'), ('"VALUE" > 0'), ('VALUE::nope > 0'), ('$1 > 0'), ('count(*) > 0'), ('nope'), (''), ('VALUE IN (1, 1000)'), ('7'), ('1000 + 1'), ('now()'), ('import_twisted.victim');
SELECT format('CREATE DOMAIN dom_%s AS int DEFAULT %s CHECK (VALUE <> %s)', n, n, n) FROM lies ORDER BY n
\set ECHO none
\gexec
SELECT format('CREATE TABLE doms (%s)', string_agg(format('c%s dom_%s', n, n), ', ' ORDER BY n)) FROM lies \gexec
SELECT format('INSERT INTO doms VALUES (%s)', string_agg('1000', ', ')) FROM lies \gexec
\set ECHO all
ALTER FUNCTION pg_get_expr(pg_node_tree, oid) RENAME TO honest_pg_get_expr;
CREATE FUNCTION pg_catalog.pg_get_expr(pg_node_tree, oid) RETURNS text STRICT STABLE LANGUAGE sql
  AS $$ SELECT expression FROM public.lies WHERE n = pg_catalog.substring(pg_catalog.honest_pg_get_expr($1, $2), '\d+')::int $$;
-- types that are made of themselves, or of nothing, or are what they can't be
CREATE DOMAIN loop_one AS int;
CREATE DOMAIN loop_two AS loop_one;
CREATE TYPE self AS (a int);
CREATE TYPE self_range AS RANGE (SUBTYPE = int8);
CREATE TYPE self_array AS ENUM ('x');
CREATE TYPE of_pg_catalog AS ENUM ('x');
CREATE TYPE kind AS ENUM ('x');
CREATE TYPE nameless AS ENUM ('x');
CREATE TYPE none_of_that AS ENUM ('x');
CREATE TABLE types (a loop_two, b self, bs self[], c self_range, d self_array, e of_pg_catalog, f kind, g nameless, h none_of_that, i int8multirange);
CREATE TABLE modifier (a numeric(3,1), b int);
CREATE TABLE modifier_in_domain (a int);
CREATE TABLE unprintable (a interval(3));
CREATE TABLE empty_name (a int);
CREATE TABLE pseudo (a int, b int, c int[]);
CREATE TABLE system_column (a int);
CREATE TABLE honest (a int PRIMARY KEY);
INSERT INTO honest VALUES (1);
SET allow_system_table_mods = on;
UPDATE pg_type SET typbasetype = 'loop_two'::regtype WHERE oid = 'loop_one'::regtype;
UPDATE pg_attribute SET atttypid = 'self'::regtype WHERE attrelid = 'self'::regclass;
UPDATE pg_range SET rngsubtype = rngtypid WHERE rngtypid = 'self_range'::regtype;
UPDATE pg_type SET typelem = oid, typarray = oid WHERE typname = 'self_array';
UPDATE pg_type SET typnamespace = 'pg_catalog'::regnamespace WHERE typname = 'of_pg_catalog';
UPDATE pg_type SET typtype = 'q' WHERE typname = 'kind';
UPDATE pg_type SET typname = '' WHERE typname = 'nameless';
UPDATE pg_attribute SET atttypid = 4294967295 WHERE attrelid = 'types'::regclass AND attname = 'h';
UPDATE pg_attribute SET atttypmod = 2147483647 WHERE attrelid IN ('modifier'::regclass, 'unprintable'::regclass) AND attnum > 0;
UPDATE pg_attribute SET attname = '' WHERE attrelid = 'empty_name'::regclass AND attnum = 1;
UPDATE pg_attribute SET atttypid = ('{int4,anyelement,record,_record}'::regtype[])[attnum] WHERE attrelid = 'pseudo'::regclass AND attnum > 0;
UPDATE pg_attribute SET attname = 'ctid ' WHERE attrelid = 'system_column'::regclass AND attname = 'ctid';
UPDATE pg_attribute SET attname = 'ctid' WHERE attrelid = 'system_column'::regclass AND attnum = 1;

\connect :local_db - :local_host :local_port
SET client_min_messages = warning;
DROP SCHEMA IF EXISTS import_twisted CASCADE;
DROP SERVER IF EXISTS import_twister CASCADE;
CREATE SERVER import_twister FOREIGN DATA WRAPPER pgml_fdw
  OPTIONS (host :'remote_host', port :'remote_port', dbname 'import_twister');
CREATE USER MAPPING FOR CURRENT_USER SERVER import_twister OPTIONS (user :'USER');
CREATE SCHEMA import_twisted;
CREATE FUNCTION import_twisted.hostile_function() RETURNS int IMMUTABLE LANGUAGE plpgsql AS $$ BEGIN RAISE WARNING 'called'; RETURN 1; END $$;
CREATE SEQUENCE import_twisted.hostile_seq;
CREATE TABLE import_twisted.victim ();
SET search_path = import_twisted;
SET client_min_messages = notice;
-- (of the domains' NOTICEs, which quote errors of the parser, only the first lines)
\set VERBOSITY terse
IMPORT FOREIGN SCHEMA public LIMIT TO (doms) FROM SERVER import_twister INTO import_twisted OPTIONS (import_default 'true');
SELECT t.typname, t.typnotnull, pg_get_expr(typdefaultbin, 0) AS default, pg_get_expr(conbin, 0) AS check
  FROM pg_type t LEFT JOIN pg_constraint c ON contypid = t.oid
  WHERE typnamespace = 'import_twisted'::regnamespace AND typtype = 'd' AND (typdefaultbin IS NOT NULL OR conbin IS NOT NULL) ORDER BY t.typname COLLATE "C";
SELECT count(*) FROM pg_attribute WHERE attrelid = 'doms'::regclass AND attnum > 0;
SELECT count(*) FROM doms;
SELECT is_called FROM hostile_seq;
SELECT count(*) FROM victim;
SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid();
\set VERBOSITY default
IMPORT FOREIGN SCHEMA public EXCEPT (doms, lies) FROM SERVER import_twister INTO import_twisted;
SELECT attrelid::regclass, attname, atttypid::regtype FROM pg_attribute JOIN pg_foreign_table ON ftrelid = attrelid
  WHERE attnum > 0 AND attrelid::regclass::text <> 'doms' AND attrelid IN (SELECT oid FROM pg_class WHERE relnamespace = 'import_twisted'::regnamespace) ORDER BY 1, attnum;
SELECT * FROM honest;
SET client_min_messages = warning;
DROP SCHEMA import_twisted CASCADE;
DROP SERVER import_twister CASCADE;
\connect :remote_db - :remote_host :remote_port
DROP DATABASE import_twister;
