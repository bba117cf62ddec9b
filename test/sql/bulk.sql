-- Copying whole tables: the same rows arrive, by name, all or none.
\getenv abs_srcdir PG_ABS_SRCDIR
\set remote_sql :abs_srcdir '/include/remote.psql'
\i :remote_sql
\connect :remote_db - :remote_host :remote_port
SET client_min_messages = warning;
DROP SCHEMA IF EXISTS bulk CASCADE;
CREATE SCHEMA bulk;
CREATE TABLE bulk.t (id int PRIMARY KEY, gone int, v text, n numeric(10,2), at timestamptz, tags text[], e float4[], doc jsonb);
ALTER TABLE bulk.t DROP COLUMN gone;
INSERT INTO bulk.t SELECT i, CASE WHEN i % 7 > 0 THEN 'row ' || i END, i / 8.0, '2024-01-01 00:00+00'::timestamptz + i * interval '1 hour',
  ARRAY['a', NULL, 'ü' || i], ARRAY[i, -i]::float4[], jsonb_build_object('i', i) FROM generate_series(1, 5000) i;
CREATE TABLE bulk.nothing (LIKE bulk.t);
CREATE TABLE bulk."odd ""name" ("select" int, "a b" text, "Ünïcode" text);
INSERT INTO bulk."odd ""name" VALUES (1, 'x', 'ö'), (2, NULL, '''"\');
CREATE TABLE bulk.part (k int, v text) PARTITION BY LIST (k);
CREATE TABLE bulk.part1 PARTITION OF bulk.part FOR VALUES IN (1);
CREATE TABLE bulk.part2 PARTITION OF bulk.part DEFAULT;
INSERT INTO bulk.part SELECT i % 3, repeat('p', i % 50) FROM generate_series(1, 20000) i;
CREATE VIEW bulk.view AS SELECT id, v FROM bulk.t;
CREATE TYPE bulk.mood AS ENUM ('sad', 'ok', 'happy');
CREATE TABLE bulk.moods (id int, m bulk.mood);
INSERT INTO bulk.moods VALUES (1, 'ok'), (2, NULL), (3, 'sad');
CREATE TABLE bulk.target (id int PRIMARY KEY, v text DEFAULT 'there', len int GENERATED ALWAYS AS (length(v)) STORED,
  no int GENERATED ALWAYS AS IDENTITY, extra text DEFAULT 'default');
CREATE TYPE bulk.other AS ENUM ('x', 'y');
CREATE TABLE bulk.like (id bigint GENERATED ALWAYS AS IDENTITY, v varchar(20) COLLATE "C" NOT NULL, m bulk.other DEFAULT 'x',
  n numeric(8,2), arr int[], p point, g int GENERATED ALWAYS AS (length(v)) STORED, PRIMARY KEY (id) INCLUDE (v), EXCLUDE USING gist (p WITH ~=));
CREATE INDEX ON bulk.like (v varchar_pattern_ops DESC NULLS LAST, n);
CREATE UNIQUE INDEX ON bulk.like (n) NULLS NOT DISTINCT;
CREATE INDEX ON bulk.like (upper(v));
CREATE INDEX ON bulk.like USING gin (arr);
CREATE INDEX ON bulk.like (n) WHERE n > 5;
INSERT INTO bulk.like (v, n, arr, p) SELECT 'v' || i, i, ARRAY[i], point(i, i) FROM generate_series(1, 1000) i;

\connect :local_db - :local_host :local_port
SET client_min_messages = warning;
DROP SCHEMA IF EXISTS bulk_here, bulk_far CASCADE;
DROP SERVER IF EXISTS bulk_server CASCADE;
RESET client_min_messages;
CREATE SCHEMA bulk_here;
CREATE SCHEMA bulk_far;
CREATE SERVER bulk_server FOREIGN DATA WRAPPER pgml_fdw
  OPTIONS (host :'remote_host', port :'remote_port', dbname :'remote_db');
CREATE USER MAPPING FOR CURRENT_USER SERVER bulk_server OPTIONS (user :'USER');
SET search_path = bulk_here, public;
CREATE TYPE bulk_here.mood AS ENUM ('sad', 'ok', 'happy');
CREATE FUNCTION rows_of(name text) RETURNS SETOF text LANGUAGE plpgsql AS $$
BEGIN RETURN QUERY EXECUTE format('SELECT t::text FROM %s AS t', name); END $$;
-- the rows of the first that the second doesn't have, and the other way round
CREATE FUNCTION same(a text, b text) RETURNS text LANGUAGE sql AS $$
  SELECT CASE WHEN EXISTS (SELECT rows_of(a) EXCEPT ALL SELECT rows_of(b)) THEN 'more in ' || a
    WHEN EXISTS (SELECT rows_of(b) EXCEPT ALL SELECT rows_of(a)) THEN 'more in ' || b
    ELSE 'same ' || (SELECT count(*) FROM rows_of(a)) || ' rows' END $$;
CREATE FUNCTION on_remote(sql text) RETURNS text LANGUAGE sql AS $$ SELECT dblink_exec('bulk_server', sql) $$;
CREATE TABLE t (id int PRIMARY KEY, v text, n numeric(10,2), at timestamptz, tags text[], e float4[], doc jsonb);
CREATE FOREIGN TABLE bulk_far.t (id int, v text, n numeric(10,2), at timestamptz, tags text[], e float4[], doc jsonb)
  SERVER bulk_server OPTIONS (schema_name 'bulk', table_name 't');
CREATE FOREIGN TABLE bulk_far.ids (id int) SERVER bulk_server OPTIONS (schema_name 'bulk', table_name 'target');
CREATE FOREIGN TABLE bulk_far.target (id int, v text, len int, no int, extra text)
  SERVER bulk_server OPTIONS (schema_name 'bulk', table_name 'target');
-- what is said about an error's whereabouts is not the subject here
\set SHOW_CONTEXT never
\set VERBOSITY terse

-- pull: append, replace, upsert
SELECT pgml_fdw_pull('bulk_server', 'bulk.t', 't');
SELECT same('t', 'bulk_far.t');
SELECT pgml_fdw_pull('bulk_server', 'bulk.t', 't');
SELECT same('t', 'bulk_far.t');
UPDATE t SET v = 'changed' WHERE id % 2 = 0;
DELETE FROM t WHERE id > 4000;
INSERT INTO t (id) VALUES (-1);
SELECT pgml_fdw_pull('bulk_server', 'bulk.t', 't', mode => 'upsert');
SELECT same('(SELECT * FROM t WHERE id > 0)', 'bulk_far.t');
SELECT pgml_fdw_pull('bulk_server', 'bulk.t', 't', mode => 'replace');
SELECT same('t', 'bulk_far.t');
SELECT pgml_fdw_pull('bulk_server', 'bulk.t', 't', mode => 'replace', truncate => true, filter => 'id <= 10 OR v IS NULL -- why');
SELECT same('t', '(SELECT * FROM bulk_far.t WHERE id <= 10 OR v IS NULL)');
SELECT pgml_fdw_pull('bulk_server', 'bulk.t', 't'::regclass, mode => 'replace', columns => '{id,doc}');
SELECT same('t', '(SELECT id, NULL::text, NULL::numeric(10,2), NULL::timestamptz, NULL::text[], NULL::float4[], doc FROM bulk_far.t)');
SELECT pgml_fdw_pull('bulk_server', '(SELECT id, v || ''!'' AS v FROM bulk.t WHERE id < 100 ORDER BY id DESC LIMIT 10 -- last', 't', mode => 'upsert', key => '{id}');
SELECT pgml_fdw_pull('bulk_server', '(SELECT id, v || ''!'' AS v FROM bulk.t WHERE id < 100 ORDER BY id DESC LIMIT 10 -- last
)', 't', mode => 'upsert', key => '{id}');
SELECT id, v FROM t WHERE v IS NOT NULL ORDER BY id;
-- no rows, one row
SELECT pgml_fdw_pull('bulk_server', 'bulk.nothing', 't');
SELECT pgml_fdw_pull('bulk_server', 'bulk.nothing', 't', mode => 'replace');
SELECT count(*) FROM t;
SELECT pgml_fdw_pull('bulk_server', 'bulk.t', 't', filter => 'id = 77');
SELECT same('t', '(SELECT * FROM bulk_far.t WHERE id = 77)');
-- other things than tables; enums and other types by text; the role's search_path
CREATE TABLE v (v text, id bigint, more text DEFAULT 'here');
SELECT pgml_fdw_pull('bulk_server', 'bulk.view', 'v');
SELECT same('v', '(SELECT v, id, ''here'' FROM bulk_far.t)');
CREATE TABLE part (k int, v varchar(60)) PARTITION BY LIST (k);
CREATE TABLE part_a PARTITION OF part FOR VALUES IN (0);
CREATE TABLE part_b (v varchar(60), k int);
ALTER TABLE part ATTACH PARTITION part_b DEFAULT;
SELECT pgml_fdw_pull('bulk_server', 'bulk.part', 'part');
SELECT k, count(*), sum(length(v)), min(tableoid::regclass::text) FROM part GROUP BY k ORDER BY k;
CREATE TABLE moods (id int, m mood);
SELECT pgml_fdw_pull('bulk_server', 'bulk.moods', 'moods');
TABLE moods;
CREATE TABLE "odd ""there" ("Ünïcode" text, "select" int, "a b" text);
SELECT pgml_fdw_pull('bulk_server', 'bulk."odd ""name"', '"odd ""there"');
TABLE "odd ""there";
SELECT pgml_fdw_pull('bulk_server', 'bulk."odd ""name"', '"odd ""there"', mode => 'replace', filter => '"a b" IS NULL');
TABLE "odd ""there";
SELECT pgml_fdw_pull('bulk_server', 'pg_database', 'v') IS NULL;
CREATE TABLE stats (relname name);
SELECT pgml_fdw_pull('bulk_server', '(SELECT c.relname FROM pg_class c WHERE oid = ''bulk.t''::regclass)', 'stats');
TABLE stats;

-- whatever INSERT does at the target: triggers, constraints, keys, generated and identity columns
CREATE TABLE log (what text);
CREATE TABLE full_house (no int GENERATED ALWAYS AS IDENTITY, id int GENERATED ALWAYS AS IDENTITY, v text COLLATE "C" CHECK (v <> 'row 13'),
  len int GENERATED ALWAYS AS (length(v)) STORED, at_ timestamptz DEFAULT '2000-01-01 00:00+00', seq serial);
CREATE UNIQUE INDEX ON full_house (id);
CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO log VALUES (TG_WHEN || ' ' || TG_LEVEL);
  IF TG_WHEN = 'BEFORE' AND TG_LEVEL = 'ROW' THEN
    IF NEW.id % 2 = 1 THEN RETURN NULL; END IF;
    NEW.v := NEW.v || '?';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER a BEFORE INSERT ON full_house FOR EACH ROW EXECUTE FUNCTION note();
CREATE TRIGGER b AFTER INSERT ON full_house FOR EACH ROW EXECUTE FUNCTION note();
CREATE TRIGGER c AFTER INSERT ON full_house FOR EACH STATEMENT EXECUTE FUNCTION note();
SELECT pgml_fdw_pull('bulk_server', 'bulk.view', 'full_house', filter => 'id <= 12');
SELECT id, v, len, at_ AT TIME ZONE 'UTC' AS at_, seq FROM full_house ORDER BY id;
SELECT what, count(*) FROM log GROUP BY what ORDER BY what;
DROP TRIGGER a ON full_house;
SELECT pgml_fdw_pull('bulk_server', 'bulk.view', 'full_house', filter => 'id BETWEEN 13 AND 14');
SELECT count(*) FROM full_house;
CREATE TABLE refs (id int REFERENCES t);
SELECT pgml_fdw_pull('bulk_server', 'bulk.view', 'refs', filter => 'id IN (77, 78)', columns => '{id}');
SELECT pgml_fdw_pull('bulk_server', 'bulk.view', 'refs', filter => 'id = 77', columns => '{id}');
DROP TABLE refs;
-- a trigger on the target that pulls itself
CREATE FUNCTION pull_more() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pgml_fdw_pull('bulk_server', '(SELECT relname FROM pg_class WHERE relname = ''part1'' AND relnamespace = ''bulk''::regnamespace)', 'bulk_here.stats');
  RETURN NEW;
END $$;
CREATE TABLE nested (id int);
CREATE TRIGGER more BEFORE INSERT ON nested FOR EACH ROW EXECUTE FUNCTION pull_more();
SELECT pgml_fdw_pull('bulk_server', 'bulk.t', 'nested', filter => 'id <= 3', columns => '{id}');
SELECT id, (SELECT count(*) FROM stats) FROM nested ORDER BY id;

-- jobs: the same rows, of tables of any shape
SELECT pgml_fdw_pull('bulk_server', 'bulk.t', 't', mode => 'replace', jobs => jobs), same('t', 'bulk_far.t') FROM unnest('{2,4,7}'::int[]) jobs;
SELECT same('t', 'bulk_far.t');
SELECT pgml_fdw_pull('bulk_server', 'bulk.part', 'part', mode => 'replace', jobs => 3, filter => 'k < 2');
SELECT k, count(*), sum(length(v)) FROM part GROUP BY k ORDER BY k;
SELECT pgml_fdw_pull('bulk_server', 'bulk.nothing', 't', jobs => 5);
SELECT pgml_fdw_pull('bulk_server', 'bulk.view', 'v', jobs => 2);
SELECT pgml_fdw_pull('bulk_server', '(SELECT 1 AS id)', 'v', jobs => 2);
SELECT pgml_fdw_pull('bulk_server', 'bulk.t', 't', jobs => 0);
BEGIN;
SAVEPOINT s;
SELECT pgml_fdw_pull('bulk_server', 'bulk.t', 't', mode => 'replace', jobs => 2);
ROLLBACK TO s;
SELECT same('t', 'bulk_far.t');
COMMIT;
BEGIN;
INSERT INTO bulk_far.ids VALUES (-1);
SELECT pgml_fdw_pull('bulk_server', 'bulk.t', 't', mode => 'replace', jobs => 2);
ROLLBACK;
SELECT count(*) FROM dblink('bulk_server', 'SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND query LIKE ''COPY%'' AND state <> ''idle''') AS x (pid int);

-- the target made like the source: columns, then rows, then keys and indexes
SELECT pgml_fdw_pull('bulk_server', 'bulk.like', 'made', create_target => true, jobs => 2);
\d made
SELECT count(*), count(DISTINCT id), min(m), sum(g) FROM made;
SELECT pgml_fdw_pull('bulk_server', 'bulk.like', 'made', create_target => true);
SELECT pgml_fdw_pull('bulk_server', 'bulk.like', 'bulk_here."made ""too"', create_target => true, columns => '{id,arr}', filter => 'id < 4');
\d "made ""too"
TABLE "made ""too" ORDER BY id;
SELECT pgml_fdw_pull('bulk_server', '(SELECT id AS "a b", v, m FROM bulk.like WHERE id = 1)', 'made_of_query', create_target => true);
\d made_of_query
TABLE made_of_query;
-- what fails takes the table away
SELECT pgml_fdw_pull('bulk_server', '(SELECT id, 1 / (500 - id) AS q FROM bulk.like)', 'broken', create_target => true);
SELECT to_regclass('broken');
SELECT pgml_fdw_pull('bulk_server', 'bulk.t', 'no_schema.made', create_target => true);
SELECT pgml_fdw_pull('bulk_server', 'bulk.t', 'made', create_target => true, mode => 'replace');

-- push: append, replace, upsert; defaults, generated and identity columns of the remote
CREATE TABLE src (v text, id int, len int, own text DEFAULT 'mine');
INSERT INTO src SELECT 'v' || i, i FROM generate_series(1, 3000) i;
SELECT pgml_fdw_push('bulk_server', 'src', 'bulk.target', columns => '{id,v}');
SELECT same('(SELECT id, v, len, extra FROM bulk_far.target)', '(SELECT id, v, length(v), ''default'' FROM src)');
SELECT pgml_fdw_push('bulk_server', 'src', 'bulk.target');
SELECT pgml_fdw_push('bulk_server', 'src', 'bulk.target', mode => 'replace', filter => 'id % 2 = 0 -- even');
SELECT same('(SELECT id, v, len, extra FROM bulk_far.target)', '(SELECT id, v, length(v), ''default'' FROM src WHERE id % 2 = 0)');
SELECT pgml_fdw_push('bulk_server', '(SELECT id, v || ''+'' AS v, id AS no, ''new'' AS extra FROM src WHERE id <= 100)', 'bulk.target', mode => 'upsert');
SELECT same('(SELECT id, v, extra FROM bulk_far.target)', '(SELECT id, v || CASE WHEN id <= 100 THEN ''+'' ELSE '''' END, CASE WHEN id <= 100 THEN ''new'' ELSE ''default'' END FROM src WHERE id % 2 = 0 OR id <= 100)');
SELECT pgml_fdw_push('bulk_server', '(SELECT 1 AS id WHERE false)', 'bulk.target', mode => 'replace', truncate => true);
SELECT count(*) FROM bulk_far.target;
SELECT pgml_fdw_push('bulk_server', '(SELECT 7 AS no, 1 AS id)', 'bulk.target');
TABLE bulk_far.target;
-- by COPY, though the identity column is GENERATED ALWAYS
BEGIN;
SELECT pgml_fdw_push('bulk_server', '(SELECT i AS no, i + 5000 AS id FROM generate_series(1, 50) i)', 'bulk.target');
SELECT substring(query FROM 'COPY.*') AS query FROM dblink('bulk_server', $$SELECT query FROM pg_stat_activity WHERE datname = current_database()
  AND application_name = 'pgml_fdw' AND state = 'idle in transaction' AND pid <> pg_backend_pid()$$) AS x (query text);
ROLLBACK;
-- a target whose rows a trigger suppresses or changes: counted as the remote does
SELECT on_remote('CREATE FUNCTION bulk.odd() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF NEW.id % 2 = 1 THEN RETURN NULL; END IF; NEW.v := ''even''; RETURN NEW; END $$');
SELECT on_remote('CREATE TRIGGER odd BEFORE INSERT ON bulk.target FOR EACH ROW EXECUTE FUNCTION bulk.odd()');
SELECT pgml_fdw_push('bulk_server', 'src', 'bulk.target', mode => 'replace', columns => '{id,v}', filter => 'id <= 5');
SELECT id, v, len FROM bulk_far.target ORDER BY id;
SELECT on_remote('DROP TRIGGER odd ON bulk.target');
-- all or nothing: the last row is wrong
SELECT pgml_fdw_push('bulk_server', '(SELECT id, v FROM src WHERE id > 100 UNION ALL SELECT 2, ''again'')', 'bulk.target', mode => mode)
  FROM unnest('{append}'::text[]) mode;
SELECT pgml_fdw_push('bulk_server', '(SELECT 3000 - id AS id, 1 / (id - 2) AS v FROM src ORDER BY 1)', 'bulk.target', mode => 'replace');
SELECT id, v FROM bulk_far.target ORDER BY id;
BEGIN;
SELECT pgml_fdw_push('bulk_server', 'src', 'bulk.target', mode => 'replace', columns => '{id,v}', filter => 'id <= 3');
SAVEPOINT s;
SELECT pgml_fdw_push('bulk_server', 'src', 'bulk.target', columns => '{id,v}', filter => 'id <= 3');
ROLLBACK TO s;
SELECT pgml_fdw_pull('bulk_server', 'bulk.target', 'v', columns => '{id,v}', mode => 'replace');
SELECT id, v FROM bulk_far.target ORDER BY id;
TABLE v ORDER BY id;
ROLLBACK;
SELECT id, v FROM bulk_far.target ORDER BY id;
-- what is replaced can't be its own source
SELECT pgml_fdw_push('bulk_server', '(SELECT id, v FROM bulk_far.target)', 'bulk.target', mode => 'replace');
SELECT pgml_fdw_push('bulk_server', '(SELECT id + 1000 AS id, v FROM bulk_far.target)', 'bulk.target');
SELECT id, v FROM bulk_far.target ORDER BY id;
-- a lock that is held there is not waited for long
SELECT dblink_connect('holder', 'bulk_server');
SELECT dblink_exec('holder', 'BEGIN; LOCK TABLE bulk.target');
SELECT pgml_fdw_push('bulk_server', 'src', 'bulk.target', mode => 'replace', columns => '{id,v}', truncate => truncate, lock_timeout => '100ms') FROM unnest('{t}'::bool[]) truncate;
SELECT dblink_disconnect('holder');

-- arguments that can't be
-- (no name of a table: which error it is depends on the remote's version)
DO $$
BEGIN
  PERFORM pgml_fdw_pull('bulk_server', 'bulk.t; DROP TABLE bulk.t', 't');
  RAISE NOTICE 'not refused';
EXCEPTION WHEN invalid_name OR undefined_table THEN
  RAISE NOTICE 'refused';
END $$;
-- (core's words differ by version)
\set VERBOSITY sqlstate
SELECT pgml_fdw_pull('bulk_server', 'bulk.t', 't_pkey');
\set VERBOSITY terse
SELECT pgml_fdw_pull('bulk_server', 'bulk.t', 't', mode => 'merge');
SELECT pgml_fdw_pull('bulk_server', 'bulk.t', 't', mode => NULL);
SELECT pgml_fdw_pull(NULL, 'bulk.t', 't');
SELECT pgml_fdw_pull('no_server', 'bulk.t', 't');
SELECT pgml_fdw_pull('bulk_server', NULL, 't');
SELECT pgml_fdw_pull('bulk_server', 'bulk.t', NULL::text);
SELECT pgml_fdw_pull('bulk_server', 'bulk.missing', 't');
SELECT pgml_fdw_pull('bulk_server', '(SELECT 1) AS x; DROP TABLE bulk.t; SELECT (1)', 't');
SELECT pgml_fdw_pull('bulk_server', '(WITH d AS (DELETE FROM bulk.t RETURNING id) SELECT id FROM d)', 't');
SELECT pgml_fdw_pull('bulk_server', '(SELECT 1 AS id, 2 AS id)', 't');
SELECT pgml_fdw_pull('bulk_server', '(SELECT 1 AS other)', 't');
SELECT pgml_fdw_pull('bulk_server', 'bulk.t', 'missing');
SELECT pgml_fdw_pull('bulk_server', 'bulk.t', 0::regclass);
SELECT pgml_fdw_pull('bulk_server', 'bulk.t', 't', columns => '{id,missing}');
SELECT pgml_fdw_pull('bulk_server', 'bulk.view', 't', columns => '{id,doc}');
SELECT pgml_fdw_pull('bulk_server', 'bulk.t', 't', columns => '{}');
SELECT pgml_fdw_pull('bulk_server', 'bulk.t', 't', columns => '{id,id}');
SELECT pgml_fdw_pull('bulk_server', 'bulk.t', 't', columns => '{id,NULL}');
SELECT pgml_fdw_pull('bulk_server', 'bulk.target', 'full_house', columns => '{id,len}');
SELECT pgml_fdw_pull('bulk_server', 'bulk.t', 'v', mode => 'upsert');
SELECT pgml_fdw_pull('bulk_server', 'bulk.t', 't', mode => 'upsert', key => '{id}', columns => '{v}');
SELECT pgml_fdw_pull('bulk_server', 'bulk.t', 't', mode => 'upsert', key => '{v}');
SELECT pgml_fdw_pull('bulk_server', 'bulk.t', 't', key => '{id}');
SELECT pgml_fdw_pull('bulk_server', 'bulk.t', 't', truncate => true);
SELECT pgml_fdw_pull('bulk_server', 'bulk.t', 't', filter => 'nonsense');
SELECT pgml_fdw_push('bulk_server', 'src', 'bulk.target', jobs => 2);
SELECT pgml_fdw_push('bulk_server', 'missing', 'bulk.target');
SELECT pgml_fdw_push('bulk_server', 'src', 'bulk.missing');
SELECT pgml_fdw_push('bulk_server', '(SELECT 1) AS x; DELETE FROM src; SELECT (1)', 'bulk.target');
SELECT pgml_fdw_push('bulk_server', '(WITH d AS (DELETE FROM src RETURNING id) SELECT id FROM d)', 'bulk.target');
SELECT pgml_fdw_push('bulk_server', '(SELECT 1 AS id, 2 AS id)', 'bulk.target');
SELECT pgml_fdw_push('bulk_server', 'src', 'bulk.target', columns => '{id,len}');
SELECT pgml_fdw_push('bulk_server', 'src', 'bulk.target', columns => '{id,own}');
SELECT pgml_fdw_push('bulk_server', 'src', 'bulk.target', columns => '{id,extra}');
CREATE TABLE ruled (id int);
CREATE RULE r AS ON INSERT TO ruled DO ALSO SELECT 1;
SELECT pgml_fdw_pull('bulk_server', 'bulk.t', 'ruled', columns => '{id}');
CREATE FOREIGN DATA WRAPPER bulk_other;
CREATE SERVER bulk_other FOREIGN DATA WRAPPER bulk_other;
SELECT pgml_fdw_pull('bulk_other', 'bulk.t', 't');
DROP FOREIGN DATA WRAPPER bulk_other CASCADE;
SELECT same('t', 'bulk_far.t');
SELECT count(*) FROM src;

-- who may: USAGE on the server, a mapping, privileges on the table here, its row security
CREATE ROLE bulk_user;
GRANT USAGE ON SCHEMA bulk_here TO bulk_user;
CREATE TABLE mine (id int, v text);
CREATE TABLE secured (id int, v text);
INSERT INTO secured VALUES (1, 'yours'), (2, 'theirs');
ALTER TABLE secured ENABLE ROW LEVEL SECURITY;
CREATE POLICY p ON secured USING (id = 1);
GRANT ALL ON secured TO bulk_user;
SET ROLE bulk_user;
SELECT pgml_fdw_pull('bulk_server', 'bulk.view', 'mine');
RESET ROLE;
GRANT USAGE ON FOREIGN SERVER bulk_server TO bulk_user;
SET ROLE bulk_user;
\set VERBOSITY sqlstate
SELECT pgml_fdw_pull('bulk_server', 'bulk.view', 'mine');
\set VERBOSITY terse
RESET ROLE;
CREATE USER MAPPING FOR bulk_user SERVER bulk_server OPTIONS (user :'USER', password_required 'false');
SET ROLE bulk_user;
SELECT pgml_fdw_pull('bulk_server', 'bulk.view', 'mine');
SELECT pgml_fdw_push('bulk_server', 'mine', 'bulk.target');
RESET ROLE;
GRANT INSERT (id), SELECT (id) ON mine TO bulk_user;
SET ROLE bulk_user;
SELECT pgml_fdw_pull('bulk_server', 'bulk.view', 'mine');
SELECT pgml_fdw_pull('bulk_server', 'bulk.view', 'mine', columns => '{id}', filter => 'id = 1');
SELECT pgml_fdw_pull('bulk_server', 'bulk.view', 'mine', columns => '{id}', mode => 'replace');
SELECT pgml_fdw_pull('bulk_server', 'bulk.view', 'mine', columns => '{id}', mode => 'replace', truncate => true);
SELECT pgml_fdw_push('bulk_server', 'mine', 'bulk.target');
SELECT pgml_fdw_push('bulk_server', 'mine', 'bulk.target', columns => '{id}', mode => 'upsert');
SELECT pgml_fdw_pull('bulk_server', 'bulk.view', 'secured');
SELECT pgml_fdw_push('bulk_server', 'secured', 'bulk.target', mode => 'replace');
RESET ROLE;
TABLE mine;
SELECT id, v FROM bulk_far.target;
DROP OWNED BY bulk_user;
DROP ROLE bulk_user;
-- a transaction that may only read
BEGIN READ ONLY;
SELECT pgml_fdw_pull('bulk_server', 'bulk.t', 't');
ROLLBACK;
SELECT same('t', 'bulk_far.t');
RESET search_path;
SET client_min_messages = warning;
DROP SERVER bulk_server CASCADE;
DROP SCHEMA bulk_here, bulk_far CASCADE;
