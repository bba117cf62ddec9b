-- What is known of a remote table: its size, asked when a statement is planned, and the
-- statistics of its columns.
\getenv abs_srcdir PG_ABS_SRCDIR
\set remote_sql :abs_srcdir '/include/remote.psql'
\i :remote_sql
\connect :remote_db - :remote_host :remote_port
SET client_min_messages = warning;
DROP SCHEMA IF EXISTS stats CASCADE;
CREATE SCHEMA stats;
SET search_path = stats;
CREATE TABLE tiny (id int, txt text) WITH (autovacuum_enabled = off);
INSERT INTO tiny SELECT i, 'row ' || i FROM generate_series(1, 10) i;
ANALYZE tiny;
CREATE TABLE large (id int, txt text) WITH (autovacuum_enabled = off);
INSERT INTO large SELECT i, 'row ' || i FROM generate_series(1, 100000) i;
ANALYZE large;
CREATE INDEX ON large (id);
-- ANALYZE was here before the rows were
CREATE TABLE grown (id int, txt text) WITH (autovacuum_enabled = off);
INSERT INTO grown SELECT i, 'row ' || i FROM generate_series(1, 1000) i;
ANALYZE grown;
INSERT INTO grown SELECT i, 'row ' || i FROM generate_series(1001, 50000) i;
-- nobody was
CREATE TABLE never (id int, a bigint, b bigint) WITH (autovacuum_enabled = off);
INSERT INTO never SELECT i, i, i FROM generate_series(1, 20000) i;
CREATE TABLE "empty" (id int) WITH (autovacuum_enabled = off);
ANALYZE "empty";
CREATE TABLE nothing_yet (id int) WITH (autovacuum_enabled = off);
CREATE TABLE parted (id int, txt text) PARTITION BY RANGE (id);
CREATE TABLE parted_1 PARTITION OF parted FOR VALUES FROM (0) TO (10000) PARTITION BY RANGE (id);
CREATE TABLE parted_1a PARTITION OF parted_1 FOR VALUES FROM (0) TO (5000) WITH (autovacuum_enabled = off);
CREATE TABLE parted_1b PARTITION OF parted_1 FOR VALUES FROM (5000) TO (10000) WITH (autovacuum_enabled = off);
CREATE TABLE parted_2 PARTITION OF parted FOR VALUES FROM (10000) TO (30000) WITH (autovacuum_enabled = off);
INSERT INTO parted SELECT i, 'row ' || i FROM generate_series(0, 29999) i;
ANALYZE parted_1a, parted_1b, parted_2;
CREATE TABLE parent (id int) WITH (autovacuum_enabled = off);
INSERT INTO parent SELECT generate_series(1, 1000);
CREATE TABLE child () INHERITS (parent) WITH (autovacuum_enabled = off);
CREATE TABLE grandchild () INHERITS (child, parent) WITH (autovacuum_enabled = off);
INSERT INTO child SELECT generate_series(1, 2000);
INSERT INTO grandchild SELECT generate_series(1, 3000);
ANALYZE parent, child, grandchild;
CREATE VIEW v AS SELECT * FROM large;
CREATE MATERIALIZED VIEW mv AS SELECT * FROM large WHERE id <= 5000;
ANALYZE mv;
CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy');
CREATE DOMAIN even AS int CHECK (VALUE % 2 = 0);
CREATE TABLE kinds (
  id int PRIMARY KEY, few int, skewed int, nulls text, b bool, n numeric(10,2), f float8, f4 real, t text, c text COLLATE "C",
  vc varchar(20), bp char(5), d date, ts timestamp, tz timestamptz, ti time, i interval, u uuid, m mood, e even,
  arr int[], words text[], bytes bytea, j jsonb, ip inet, p point, r int4range, rt tstzrange, mr int4multirange, bits bit(4),
  v tsvector, o oid, nm name, mny money, sk smallint, allnull int, dropped int, odd_quotes text
) WITH (autovacuum_enabled = off);
ALTER TABLE kinds DROP COLUMN dropped;
INSERT INTO kinds SELECT i, i % 10, CASE WHEN i % 3 = 0 THEN 1 ELSE i END, CASE WHEN i % 4 = 0 THEN 'n' || i % 5 END, i % 3 = 0,
  i / 7.0, sqrt(i), CASE i % 50 WHEN 0 THEN 'NaN' WHEN 1 THEN '-Infinity' ELSE i / 3.0 END, 'it''s "' || i || '" {,} \\ ' || md5(i::text),
  CASE WHEN i % 2 = 0 THEN 'Zz' ELSE 'aa' END || i, 'v' || i % 100, 'b' || i % 20,
  date '2020-01-01' + i % 1000, timestamp '2020-01-01' + i * interval '1 hour', timestamptz '2020-06-01 00:00+02' + i * interval '1 min',
  time '00:00' + i * interval '1 s', i * interval '-1 day 2 hours', md5(i::text)::uuid, (enum_range(NULL::mood))[i % 3 + 1], i % 100 * 2,
  ARRAY[i % 7, i % 11, NULL], ARRAY['w' || i % 5, 'x y', '"'], decode(md5(i::text), 'hex'), jsonb_build_object('k', i % 4), ('10.0.0.' || i % 200)::inet,
  point(i, i), int4range(i, i + i % 10), tstzrange('2020-01-01', timestamptz '2020-01-02 00:00+00' + i * interval '1 day'), '{[1,2),[5,6)}', (i % 16)::bit(4),
  to_tsvector('simple', 'word' || i % 30 || ' common'), i, 'name' || i % 9, i, i % 300, NULL, CASE WHEN i % 2 = 0 THEN '{"a\\b'',}' ELSE 'NULL' END
FROM generate_series(1, 3000) i;
ANALYZE kinds;
-- columns, or rows, that the login may not see
CREATE TABLE half (id int, secret int) WITH (autovacuum_enabled = off);
INSERT INTO half SELECT i, i % 3 FROM generate_series(1, 500) i;
ANALYZE half;
CREATE TABLE secured (id int, owner text) WITH (autovacuum_enabled = off);
INSERT INTO secured SELECT i, CASE WHEN i <= 100 THEN 'regress_stats_login' ELSE 'other' END FROM generate_series(1, 500) i;
ALTER TABLE secured ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON secured USING (owner = current_user);
ANALYZE secured;
-- statistics of all columns but one, and of a partitioned table as a whole
CREATE TABLE later (id int) WITH (autovacuum_enabled = off);
INSERT INTO later SELECT generate_series(1, 400);
ANALYZE later;
ALTER TABLE later ADD COLUMN added int DEFAULT 7;
CREATE TABLE parted_analyzed (id int, g int) PARTITION BY HASH (id);
CREATE TABLE parted_analyzed_1 PARTITION OF parted_analyzed FOR VALUES WITH (MODULUS 2, REMAINDER 0) WITH (autovacuum_enabled = off);
CREATE TABLE parted_analyzed_2 PARTITION OF parted_analyzed FOR VALUES WITH (MODULUS 2, REMAINDER 1) WITH (autovacuum_enabled = off);
INSERT INTO parted_analyzed SELECT i, i % 5 FROM generate_series(1, 2000) i;
ANALYZE parted_analyzed;
DROP ROLE IF EXISTS regress_stats_login;
CREATE ROLE regress_stats_login LOGIN;
GRANT USAGE ON SCHEMA stats TO regress_stats_login;
GRANT SELECT ON secured, large TO regress_stats_login;
GRANT SELECT (id) ON half TO regress_stats_login;
CREATE TABLE "Odd ""name'\" (id int) WITH (autovacuum_enabled = off);
INSERT INTO "Odd ""name'\" SELECT generate_series(1, 123);
ANALYZE "Odd ""name'\";

\connect :local_db - :local_host :local_port
SET client_min_messages = warning;
DROP SCHEMA IF EXISTS stats, stats_local CASCADE;
DROP SERVER IF EXISTS stats_server CASCADE;
CREATE SCHEMA stats;
CREATE SCHEMA stats_local;
CREATE SERVER stats_server FOREIGN DATA WRAPPER pgml_fdw
  OPTIONS (host :'remote_host', port :'remote_port', dbname :'remote_db', import_stats 'false');
CREATE USER MAPPING FOR CURRENT_USER SERVER stats_server OPTIONS (user :'USER');
IMPORT FOREIGN SCHEMA stats FROM SERVER stats_server INTO stats;
SET search_path = stats, stats_local, public;
CREATE FOREIGN TABLE missing (id int) SERVER stats_server;
-- The rows that the planner expects
CREATE FUNCTION stats_local.expected(query text) RETURNS numeric LANGUAGE plpgsql AS $$
DECLARE
  plan json;
BEGIN
  EXECUTE 'EXPLAIN (FORMAT json) ' || query INTO plan;
  RETURN plan -> 0 -> 'Plan' ->> 'Plan Rows';
END
$$;
\pset tuples_only on
\pset format unaligned

-- Sizes: the truth where the remote knows it
SELECT t, expected('SELECT FROM ' || t) FROM unnest('{tiny,mv,parted,parent,empty}'::text[]) t;
SELECT expected($$ SELECT FROM "Odd ""name'\" $$);
SELECT t, round(expected('SELECT FROM ' || t) / n, 1) BETWEEN 0.9 AND 1.1 AS right
FROM (VALUES ('large', 100000), ('grown', 50000)) v (t, n);
-- a guess by the width of a row, as core makes it for a table of its own
CREATE TABLE stats_local.never (id int, a bigint, b bigint) WITH (autovacuum_enabled = off);
INSERT INTO stats_local.never SELECT i, i, i FROM generate_series(1, 20000) i;
CREATE TABLE stats_local.nothing_yet (id int) WITH (autovacuum_enabled = off);
SELECT t, expected('SELECT FROM stats.' || t) = expected('SELECT FROM stats_local.' || t) AS as_core
FROM unnest('{never,nothing_yet}'::text[]) t;
-- where nobody knows, a large one
SELECT t, expected('SELECT FROM ' || t) FROM unnest('{v,missing}'::text[]) t;
-- the remote's answer is remembered, but ANALYZE here knows better
SELECT expected('SELECT FROM tiny');
ANALYZE tiny;
SELECT expected('SELECT FROM tiny');
-- a join with a small table doesn't pull the large one
SELECT bytes_in AS before FROM pgml_fdw_stats() \gset
SELECT count(*) FROM tiny JOIN large USING (id);
SELECT bytes_in - :before < 2000 AS few FROM pgml_fdw_stats();
-- by the view's owner, if it is a view's
CREATE ROLE regress_stats_reader;
GRANT USAGE ON SCHEMA stats, stats_local TO regress_stats_reader;
CREATE VIEW stats_local.of_owner AS SELECT * FROM stats.large;
GRANT SELECT ON stats_local.of_owner, stats.large TO regress_stats_reader;
\connect
SET search_path = stats, stats_local, public;
SET ROLE regress_stats_reader;
-- no mapping of one's own: planned without, but not run
SELECT expected('SELECT FROM large');
\set VERBOSITY sqlstate
SELECT count(*) FROM large;
\set VERBOSITY default
SELECT expected('SELECT FROM of_owner') BETWEEN 90000 AND 110000;
RESET ROLE;

-- Planning doesn't need the remote
ALTER SERVER stats_server OPTIONS (SET port '1');
SELECT expected('SELECT FROM large');
SELECT expected('SELECT FROM large WHERE id = 1');
\set VERBOSITY terse
SELECT count(*) FROM large;
\set VERBOSITY default
ALTER SERVER stats_server OPTIONS (SET port :'remote_port');
SELECT expected('SELECT FROM large') BETWEEN 90000 AND 110000;
-- nor one that refuses us; a transaction that goes on isn't harmed
ALTER USER MAPPING FOR CURRENT_USER SERVER stats_server OPTIONS (SET user 'no such role');
BEGIN;
SELECT expected('SELECT FROM large');
ALTER USER MAPPING FOR CURRENT_USER SERVER stats_server OPTIONS (SET user :'USER');
SELECT count(*) FROM large;
SELECT expected('SELECT FROM large') BETWEEN 90000 AND 110000;
COMMIT;

-- Statistics that are the remote's: after ANALYZE, and IMPORT, what pg_stats says here and there
ALTER SERVER stats_server OPTIONS (SET import_stats 'true');
CREATE FUNCTION stats_local.remotely(query text) RETURNS numeric LANGUAGE sql AS $$
  SELECT (plan -> 0 -> 'Plan' ->> 'Plan Rows')::numeric
  FROM public.dblink('stats_server', 'SET search_path = stats; EXPLAIN (FORMAT json) ' || query) AS t (plan json)
$$;
-- (the order of a text column without a histogram is not proved to be ours, and so its correlation is left out)
CREATE FUNCTION stats_local.differ(name text) RETURNS text LANGUAGE plpgsql SET timezone = 'UTC' SET datestyle = 'ISO' SET intervalstyle = 'postgres' AS $$
DECLARE
  said text := 'SELECT attname::text, null_frac, avg_width, n_distinct, most_common_vals::text, most_common_freqs, histogram_bounds::text, CASE WHEN histogram_bounds IS NOT NULL THEN correlation END,
    most_common_elems::text, most_common_elem_freqs, elem_count_histogram FROM pg_stats WHERE schemaname = ''stats'' AND tablename = ' || quote_literal(name);
  answer text;
BEGIN
  EXECUTE format($f$
    WITH here AS (%s), there AS (SELECT * FROM public.dblink('stats_server', %L) AS t
      (attname text, null_frac real, avg_width int, n_distinct real, most_common_vals text, most_common_freqs real[], histogram_bounds text, correlation real,
       most_common_elems text, most_common_elem_freqs real[], elem_count_histogram real[]))
    SELECT concat_ws(' ', count(here), 'columns,', 'not the same:',
      string_agg(attname, ' ' ORDER BY attname COLLATE "C") FILTER (WHERE here::text IS DISTINCT FROM there::text))
    FROM here FULL JOIN there USING (attname) $f$,
    said, 'SET timezone = ''UTC''; SET lc_monetary = ''C''; ' || said ||
      ' AND inherited = EXISTS (SELECT FROM pg_inherits WHERE inhparent = to_regclass(''stats.' || quote_ident(name) || '''))') INTO answer;
  RETURN answer;
END
$$;
CREATE FUNCTION stats_local.bytes(command text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
  before bigint := (SELECT bytes_in FROM pgml_fdw_stats());
BEGIN
  EXECUTE command;
  RETURN (SELECT bytes_in - before FROM pgml_fdw_stats());
END
$$;
SET client_min_messages = warning;
DROP SCHEMA stats CASCADE;
RESET client_min_messages;
CREATE SCHEMA stats;
SELECT b BETWEEN 20000 AND 200000 AS kilobytes
FROM bytes('IMPORT FOREIGN SCHEMA stats LIMIT TO (kinds, large, parted_analyzed, never, v, "empty") FROM SERVER stats_server INTO stats') b;
SELECT relname, CASE WHEN relname = 'large' THEN round(reltuples / 100000) ELSE reltuples END AS rows, relpages > 0 AS pages
FROM pg_class WHERE relnamespace = 'stats'::regnamespace AND relkind = 'f' ORDER BY 1;
SET lc_monetary = 'C';
SELECT t, differ(t) FROM unnest('{kinds,large,parted_analyzed}'::text[]) t;
-- and so the same estimates
SELECT q, CASE WHEN expected(q) <> remotely(q) THEN format('%s, the remote: %s', expected(q), remotely(q)) ELSE 'the same' END
FROM unnest(string_to_array($$SELECT FROM kinds WHERE few = 3;SELECT FROM kinds WHERE skewed = 1;SELECT FROM kinds WHERE skewed = 1000
SELECT FROM kinds WHERE id < 700;SELECT FROM kinds WHERE nulls IS NULL;SELECT FROM kinds WHERE b;SELECT FROM kinds WHERE n > 100
SELECT FROM kinds WHERE c > 'aa5';SELECT FROM kinds WHERE d BETWEEN '2020-02-01' AND '2020-05-01';SELECT FROM kinds WHERE m = 'ok' AND few = 1
SELECT FROM kinds WHERE arr @> '{3}';SELECT FROM kinds WHERE words @> '{w3}';SELECT FROM kinds WHERE v @@ 'common & word3';SELECT FROM kinds WHERE vc = 'v7'
SELECT FROM kinds WHERE u = '00000000-0000-0000-0000-000000000000';SELECT FROM kinds WHERE allnull = 1;SELECT FROM kinds WHERE f4 < 10
SELECT DISTINCT few FROM kinds;SELECT DISTINCT m FROM kinds;SELECT DISTINCT d FROM kinds;SELECT DISTINCT e FROM kinds
SELECT FROM large WHERE txt = 'row 5';SELECT FROM parted_analyzed WHERE g = 2;SELECT DISTINCT g FROM parted_analyzed$$, ';')) lines,
unnest(string_to_array(lines, E'\n')) q;
-- ANALYZE does the same, whatever the session's settings are
DELETE FROM pg_statistic WHERE starelid IN ('kinds'::regclass, 'large'::regclass);
SET datestyle = 'German';
SET intervalstyle = 'sql_standard';
SET lc_monetary = 'POSIX';
ANALYZE kinds;
RESET datestyle;
RESET intervalstyle;
SET lc_monetary = 'C';
SELECT differ('kinds');
SELECT b BETWEEN 1000 AND 50000 AS kilobytes FROM bytes('ANALYZE large') b;
SELECT differ('large');
SELECT reltuples BETWEEN 90000 AND 110000 AS rows, relpages > 400 AS pages FROM pg_class WHERE oid = 'large'::regclass;
-- IMPORT can do without, by its own option and the server's
DROP FOREIGN TABLE large;
IMPORT FOREIGN SCHEMA stats LIMIT TO (large) FROM SERVER stats_server INTO stats OPTIONS (import_stats 'false');
SELECT reltuples, differ('large') FROM pg_class WHERE oid = 'large'::regclass;

-- What is incomplete on the remote is sampled by ANALYZE, and better than nothing for IMPORT
IMPORT FOREIGN SCHEMA stats LIMIT TO (later, parted, parent) FROM SERVER stats_server INTO stats;
SELECT t, differ(t) FROM unnest('{later,parted,parent}'::text[]) t;
ANALYZE later;
ANALYZE never;
ANALYZE parted;
ANALYZE v;
SELECT relname, reltuples > 0 AS counted, (SELECT count(*) FROM pg_stats WHERE tablename = relname AND schemaname = 'stats') AS columns
FROM pg_class WHERE relnamespace = 'stats'::regnamespace AND relname IN ('later', 'never', 'parted', 'v') ORDER BY 1;
-- a column that is to have none
ALTER FOREIGN TABLE kinds ALTER few SET STATISTICS 0;
DELETE FROM pg_statistic WHERE starelid = 'kinds'::regclass;
ANALYZE kinds;
SELECT differ('kinds');
-- as a part of a sample of its parent's, rows are what is wanted
CREATE TABLE stats_local.p (id int, txt text) PARTITION BY LIST (txt);
ALTER TABLE stats_local.p ATTACH PARTITION large DEFAULT;
ANALYZE stats_local.p;
SELECT inherited, attname, histogram_bounds IS NOT NULL AS histogram FROM pg_stats WHERE tablename = 'p' ORDER BY 2;
DELETE FROM pg_statistic WHERE starelid = 'stats_local.p'::regclass;
BEGIN;
ANALYZE large;
ANALYZE stats_local.p;
SELECT inherited, attname, histogram_bounds IS NOT NULL AS histogram FROM pg_stats WHERE tablename = 'p' ORDER BY 2;
COMMIT;
SELECT differ('large');
ALTER TABLE stats_local.p DETACH PARTITION large;
-- without track_activities nobody says what is being analyzed
SET track_activities = off;
SELECT bytes('ANALYZE large') > 100000 AS sampled;
RESET track_activities;

-- A login that may not see all
ALTER USER MAPPING FOR CURRENT_USER SERVER stats_server OPTIONS (SET user 'regress_stats_login');
IMPORT FOREIGN SCHEMA stats LIMIT TO (half, secured) FROM SERVER stats_server INTO stats;
SELECT tablename, attname, n_distinct FROM pg_stats WHERE schemaname = 'stats' AND tablename IN ('half', 'secured') ORDER BY 1, 2;
ANALYZE half;
ANALYZE secured;
SELECT tablename, attname, n_distinct FROM pg_stats WHERE schemaname = 'stats' AND tablename IN ('half', 'secured') ORDER BY 1, 2;
SELECT relname, reltuples FROM pg_class WHERE relnamespace = 'stats'::regnamespace AND relname IN ('half', 'secured') ORDER BY 1;
ALTER USER MAPPING FOR CURRENT_USER SERVER stats_server OPTIONS (SET user :'USER');

-- Columns that are something else here: what makes sense, and no error
DROP FOREIGN TABLE kinds;
CREATE FOREIGN TABLE kinds (id smallint, few text, skewed text COLLATE "C", t int, c text COLLATE "C", d text, arr text, words text[], f4 int, ts date, j int, missing int, r text)
  SERVER stats_server OPTIONS (schema_name 'stats');
ANALYZE kinds;
SELECT attname, most_common_vals IS NOT NULL AS mcv, histogram_bounds IS NOT NULL AS histogram, correlation IS NOT NULL AS correlation, most_common_elems IS NOT NULL AS elements
FROM pg_stats WHERE schemaname = 'stats' AND tablename = 'kinds' ORDER BY 1;

\pset tuples_only off
\pset format aligned
SET client_min_messages = warning;
DROP SCHEMA stats, stats_local CASCADE;
DROP SERVER stats_server CASCADE;
DROP ROLE regress_stats_reader;
\connect :remote_db - :remote_host :remote_port
SET client_min_messages = warning;
DROP SCHEMA stats CASCADE;
DROP ROLE regress_stats_login;
\connect :local_db - :local_host :local_port
