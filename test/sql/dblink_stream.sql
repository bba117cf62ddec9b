-- Functions in FROM whose rows are streamed: dblink() and pgml_fdw_query().
\getenv abs_srcdir PG_ABS_SRCDIR
\set remote_sql :abs_srcdir '/include/remote.psql'
\i :remote_sql
\connect :remote_db - :remote_host :remote_port
SET client_min_messages = warning;
DROP SCHEMA IF EXISTS stream_test CASCADE;
CREATE SCHEMA stream_test;
SET search_path = stream_test;
CREATE TYPE mood AS ENUM ('sad', 'ok');
CREATE TABLE big AS SELECT i, 'row ' || i AS t FROM generate_series(1, 300000) i;
CREATE TABLE small AS SELECT i, i * 10 AS ten, 'ok'::mood AS mood, date '2024-02-01' + i AS d FROM generate_series(1, 5) i;
CREATE VIEW view AS SELECT * FROM big WHERE i > 10;
CREATE TABLE log (i int);
CREATE FUNCTION writes(i int) RETURNS int LANGUAGE plpgsql AS $$ BEGIN INSERT INTO stream_test.log VALUES (i); RETURN i; END $$;
CREATE FUNCTION safe(i int) RETURNS int LANGUAGE sql IMMUTABLE PARALLEL SAFE AS 'SELECT i + 1';
CREATE VIEW writing_view AS SELECT writes(i) AS i FROM small;
CREATE OPERATOR @@@ (RIGHTARG = int, FUNCTION = writes);

\connect :local_db - :local_host :local_port
SET client_min_messages = warning;
CREATE SERVER stream_server FOREIGN DATA WRAPPER pgml_fdw
  OPTIONS (host :'remote_host', port :'remote_port', dbname :'remote_db');
CREATE USER MAPPING FOR CURRENT_USER SERVER stream_server OPTIONS (user :'USER');
SELECT format('host=%s port=%s dbname=%s user=%s', :'remote_host', :'remote_port', :'remote_db', :'USER') AS conninfo \gset
CREATE FUNCTION stream_how(query text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE line text; BEGIN
  FOR line IN EXECUTE 'EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF) ' || query LOOP
    IF line ~ 'Scan|Rows:|Function:|Loop|Join' THEN RETURN NEXT regexp_replace(line, ' \(actual.*', ''); END IF;
  END LOOP;
END $$;

-- in the first statement of a session
\connect :local_db - :local_host :local_port
EXPLAIN (COSTS OFF) SELECT * FROM dblink('stream_server', 'SELECT i FROM stream_test.small') AS s (i int);
EXPLAIN (COSTS OFF) SELECT * FROM dblink('stream_server', 'SELECT i FROM stream_test.small') AS s (i int) WHERE i > 2;
SELECT * FROM stream_how($$SELECT * FROM dblink('stream_server', 'SELECT i FROM stream_test.small') AS s (i int)$$);

-- a LIMIT ends the query, and the connection stays
SELECT connects, cancelled AS before FROM pgml_fdw_stats() \gset
SELECT count(*) FROM (SELECT * FROM dblink('stream_server', 'SELECT i FROM stream_test.big') AS s (i int) LIMIT 10) AS x;
SELECT count(*) FROM (SELECT * FROM dblink('stream_server', 'TABLE stream_test.small;') AS s (i int, ten int, mood text, d date) LIMIT 1) AS x;
SELECT cancelled - :before BETWEEN 1 AND 2 AS cancelled, connects - :connects AS connects, rows_in < 100000 AS few_rows FROM pgml_fdw_stats();
SELECT count(*), sum(i), count(DISTINCT t) FROM dblink('stream_server', 'SELECT * FROM stream_test.big') AS s (i int, t text);

-- which statements stream
CREATE TEMP TABLE statement (n serial, sql text);
INSERT INTO statement (sql) VALUES
  ('SELECT i FROM stream_test.view'),
  ('  -- a comment' || E'\n' || ' /* another */ (SELECT i FROM stream_test.small)'),
  ('TABLE stream_test.log'),
  ('WITH w AS (SELECT i FROM stream_test.small) SELECT sum(i) FROM w -- trailing'),
  ('SELECT i FROM stream_test.small ORDER BY i LIMIT 2;'),
  ('SELECT stream_test.safe(i) FROM stream_test.small'),
  ('SELECT i FROM stream_test.small WHERE d < ''2024-02-04'''),
-- and which don't
  ('SELECT 1'),
  ('SELECT i FROM stream_test.small FOR UPDATE'),
  ('SELECT stream_test.writes(i) FROM stream_test.small'),
  ('SELECT i FROM stream_test.small WHERE stream_test.writes(i) > 0'),
  ('SELECT OPERATOR(stream_test.@@@) i FROM stream_test.small'),
  ('SELECT i FROM stream_test.writing_view'),
  ('SELECT nextval(''stream_test.s'') FROM (SELECT 1) x'),
  ('SELECT count(pg_notify(''x'', ''y'')) FROM stream_test.small'),
  ('WITH w AS (INSERT INTO stream_test.log VALUES (0) RETURNING i) SELECT i FROM w'),
  ('INSERT INTO stream_test.log SELECT i FROM stream_test.small RETURNING i'),
  ('SELECT i FROM stream_test.small; SELECT i FROM stream_test.small'),
  ('EXPLAIN SELECT i FROM stream_test.small');
SELECT dblink_exec('stream_server', 'CREATE SEQUENCE stream_test.s');
SELECT n, sql, (SELECT string_agg(h, ', ') FROM stream_how(format('SELECT * FROM dblink(''stream_server'', %L) AS s (i text)', sql)) h WHERE h ~ 'Rows') AS how
  FROM statement ORDER BY n;
SELECT dblink_exec('stream_server', 'DROP SEQUENCE stream_test.s; TRUNCATE stream_test.log');
-- what returns no rows
SELECT * FROM dblink('stream_server', 'SELECT i INTO stream_test.made FROM stream_test.small') AS s (status text);
SELECT * FROM dblink('stream_server', 'DROP TABLE stream_test.made') AS s (status int);

-- side effects are those of the whole statement
SELECT * FROM dblink('stream_server', 'SELECT stream_test.writes(i) FROM stream_test.small ORDER BY i') AS s (i int) LIMIT 1;
SELECT * FROM dblink('stream_server', 'INSERT INTO stream_test.log SELECT i FROM stream_test.big WHERE i <= 50000 RETURNING i') AS s (i int) LIMIT 1;
SELECT 1 / i FROM dblink('stream_server', 'INSERT INTO stream_test.log VALUES (0), (0) RETURNING i') AS s (i int);
SELECT * FROM dblink('stream_server', 'SELECT i > 0, count(*) FROM stream_test.log GROUP BY 1 ORDER BY 1') AS s (positive bool, n int);
SELECT dblink_exec('stream_server', 'TRUNCATE stream_test.log');
-- and happen once: a rescan doesn't run it again, a new argument does
SET enable_material = off; SET enable_hashjoin = off; SET enable_mergejoin = off; SET enable_memoize = off;
SELECT * FROM stream_how($$SELECT * FROM generate_series(1, 3) x, dblink('stream_server', 'SELECT stream_test.writes(i) FROM stream_test.small') AS s (i int)$$);
SELECT * FROM dblink('stream_server', 'SELECT count(*) FROM stream_test.log') AS s (n int);
SELECT * FROM stream_how($$SELECT * FROM generate_series(1, 3) x LEFT JOIN dblink('stream_server', 'SELECT i FROM stream_test.small') AS s (i int) ON s.i = x$$);
SELECT x, s.* FROM generate_series(1, 3) x LEFT JOIN dblink('stream_server', 'SELECT i FROM stream_test.small ORDER BY i') AS s (i int) ON s.i = x;
SELECT x, (SELECT sum(i) FROM dblink('stream_server', 'SELECT i FROM stream_test.small') AS s (i int) WHERE i <= x) FROM generate_series(1, 3) x;
SELECT x, s.* FROM generate_series(1, 3) x, LATERAL dblink('stream_server', format('SELECT i FROM stream_test.small WHERE i > %s ORDER BY i LIMIT 2', x)) AS s (i int);
SELECT x, y, s.* FROM generate_series(1, 2) x, LATERAL (SELECT x + 1 AS y) AS l,
  LATERAL dblink('stream_server', 'SELECT i FROM stream_test.small WHERE i > ' || x) AS s (i int) WHERE s.i = y;
RESET enable_material; RESET enable_hashjoin; RESET enable_mergejoin; RESET enable_memoize;

-- the ways to be in FROM
SELECT * FROM ROWS FROM (dblink('stream_server', 'SELECT i, ten FROM stream_test.small ORDER BY i') AS (i int, ten bigint)) WITH ORDINALITY AS s (i, ten, o) WHERE o > 3;
SELECT * FROM stream_how($$SELECT * FROM ROWS FROM (dblink('stream_server', 'SELECT i FROM stream_test.small') AS (i int)) WITH ORDINALITY AS s (i, o)$$);
SELECT * FROM stream_how($$SELECT * FROM ROWS FROM (dblink('stream_server', 'SELECT i FROM stream_test.small') AS (i int), generate_series(1, 2)) AS s$$);
SELECT s FROM dblink('stream_server', 'SELECT i, ten FROM stream_test.small ORDER BY i') AS s (i int, ten int) WHERE s IS NOT NULL LIMIT 1;
SELECT count(*) FROM dblink('stream_server', 'SELECT i FROM stream_test.small') AS s (i int) WHERE s IS NOT NULL;
CREATE VIEW stream_view AS SELECT * FROM dblink('stream_server', 'SELECT i, mood, d FROM stream_test.small') AS s (i int, mood text, d date);
SELECT i, mood FROM stream_view WHERE i % 2 = 0 ORDER BY i DESC;
CREATE FUNCTION stream_sql(k int) RETURNS SETOF int LANGUAGE sql STABLE AS
  $$ SELECT i FROM dblink('stream_server', 'SELECT i FROM stream_test.small WHERE i > ' || k) AS s (i int) ORDER BY i $$;
SELECT * FROM stream_sql(3);
PREPARE stream_prepared (text) AS SELECT count(*) FROM dblink('stream_server', $1) AS s (i int);
EXECUTE stream_prepared('SELECT i FROM stream_test.small');
EXECUTE stream_prepared(NULL);
SET plan_cache_mode = force_generic_plan;
EXECUTE stream_prepared('SELECT i FROM stream_test.view');
RESET plan_cache_mode;
CREATE TABLE stream_local (i int PRIMARY KEY, t text);
INSERT INTO stream_local SELECT i, 'old' FROM generate_series(1, 3) i;
UPDATE stream_local l SET t = s.ten FROM dblink('stream_server', 'SELECT i, ten FROM stream_test.small') AS s (i int, ten text) WHERE s.i = l.i;
DELETE FROM stream_local USING dblink('stream_server', 'SELECT 1 FROM stream_test.small') AS s (i int) WHERE s.i = stream_local.i;
INSERT INTO stream_local SELECT * FROM dblink('stream_server', 'SELECT i + 10, mood FROM stream_test.small') AS s (i int, t text);
SELECT l.* FROM stream_local l, dblink('stream_server', 'SELECT i FROM stream_test.small') AS s (i int) WHERE s.i = l.i OR s.i + 10 = l.i ORDER BY 1 FOR UPDATE OF l;

-- cursors, and two streams on one named connection: the first is put aside
SELECT dblink_connect('mine', 'stream_server');
SELECT count(*) FROM dblink('mine', 'SELECT i FROM stream_test.big') AS a (i int), dblink('mine', 'SELECT i FROM stream_test.big WHERE i < 5') AS b (j int) WHERE a.i = b.j;
BEGIN;
DECLARE c CURSOR FOR SELECT * FROM dblink('mine', 'SELECT i FROM stream_test.big ORDER BY i') AS s (i int);
FETCH 2 FROM c;
SELECT * FROM dblink('mine', 'SELECT count(*) FROM stream_test.big') AS s (n int);
FETCH 2 FROM c;
SELECT dblink_disconnect('mine');
FETCH 1 FROM c;
MOVE FORWARD 299990 FROM c;
FETCH ALL FROM c;
COMMIT;
SELECT dblink_connect('mine', 'stream_server');
BEGIN;
DECLARE c SCROLL CURSOR FOR SELECT * FROM dblink('mine', 'SELECT i FROM stream_test.small ORDER BY i') AS s (i int);
FETCH LAST FROM c;
FETCH FIRST FROM c;
COMMIT;
-- errors in the middle: the connection stays in order
SELECT 1 / (i - 100) FROM dblink('mine', 'SELECT i FROM stream_test.big ORDER BY i') AS s (i int);
SELECT * FROM dblink('mine', 'SELECT count(*) FROM stream_test.big') AS s (n int);
SELECT * FROM dblink('mine', 'SELECT 1 / (i - 100) FROM stream_test.big ORDER BY i') AS s (n int) OFFSET 1000000;
SELECT * FROM dblink('mine', 'SELECT 1 / (i - 3) FROM stream_test.small', false) AS s (n int);
SELECT * FROM dblink('mine', 'SELECT i FROM stream_test.nothing') AS s (n int);
SELECT * FROM dblink('mine', 'SELECT i, ten FROM stream_test.small') AS s (n int);
SELECT * FROM dblink('mine', 'SELECT ten FROM stream_test.small) TO STDOUT; SELECT (1') AS s (n int);
SELECT * FROM dblink('mine', 'SELECT mood FROM stream_test.small') AS s (n int);
-- in a transaction of the user's nothing is ended early
SELECT dblink_exec('mine', 'BEGIN');
SELECT * FROM stream_how($$SELECT * FROM dblink('mine', 'SELECT i FROM stream_test.big') AS s (i int) LIMIT 1$$);
SELECT dblink_exec('mine', 'COMMIT');
-- text columns are read as the remote writes them
SELECT dblink_exec('mine', 'SET datestyle = ''German''; SET intervalstyle = ''iso_8601''');
SELECT * FROM dblink('mine', 'SELECT d::timestamp, age(d, ''2020-01-01''), d FROM stream_test.small WHERE i = 3') AS s (d date, a text, same date);
SHOW datestyle;
SELECT dblink_disconnect('mine');

-- the rows of a FETCH, and of an asynchronous query, come one by one
SELECT dblink_connect('mine', 'stream_server');
SELECT dblink_open('mine', 'big', 'SELECT i, t FROM stream_test.big ORDER BY i');
SELECT * FROM stream_how($$SELECT * FROM dblink_fetch('mine', 'big', 3) AS s (i int, t text)$$);
SELECT * FROM stream_how($$SELECT * FROM dblink_fetch('mine', 'big', 3, false) AS s (i int, t text)$$);
SELECT * FROM dblink_fetch('mine', 'big', 100000) AS s (i int, t text) LIMIT 2;
SELECT * FROM dblink_fetch('mine', 'big', 1) AS s (i bigint, t varchar(5));
SELECT * FROM dblink_fetch('mine', 'big', 1000) AS s (i int, t date);
SELECT i, x FROM generate_series(1, 2) x LEFT JOIN dblink_fetch('mine', 'big', 3) AS s (i int, t text) ON i > x ORDER BY 1, 2;
-- whoever comes in between finds the connection as if all had been read, and the reader goes on
BEGIN;
DECLARE c CURSOR FOR SELECT * FROM dblink_fetch('mine', 'big', 50000) AS s (i int, t text);
FETCH 1 FROM c;
SELECT * FROM dblink_fetch('mine', 'big', 1) AS s (i int, t text);
FETCH 1 FROM c;
SAVEPOINT s;
SELECT dblink_exec('mine', 'CLOSE nobody');
ROLLBACK TO s;
MOVE FORWARD 49997 FROM c;
FETCH ALL FROM c;
COMMIT;
SELECT dblink_exec('mine', 'ROLLBACK');
SELECT dblink_send_query('mine', 'SELECT * FROM stream_test.big ORDER BY i; SELECT ''second''; SELECT repeat(''x'', 1000) FROM generate_series(1, 1000000)');
BEGIN;
DECLARE c CURSOR FOR SELECT * FROM dblink_get_result('mine') AS s (i int, t text);
FETCH 1 FROM c;
SELECT * FROM dblink_get_result('mine') AS s (t text);
SELECT dblink_cancel_query('mine');
FETCH 1 FROM c;
DO $$ BEGIN PERFORM FROM dblink_get_result('mine') AS s (t text); EXCEPTION WHEN query_canceled THEN RAISE WARNING 'cancelled there'; END $$;
SELECT dblink_disconnect('mine');
MOVE FORWARD 299997 FROM c;
FETCH ALL FROM c;
COMMIT;
-- the reader is gone
SELECT dblink_connect('mine', 'stream_server');
SELECT dblink_send_query('mine', 'SELECT * FROM stream_test.big ORDER BY i; SELECT ''second''');
SELECT * FROM stream_how($$SELECT * FROM dblink_get_result('mine') AS s (i int, t text) LIMIT 1$$);
SELECT * FROM dblink_get_result('mine') AS s (t text);
SELECT * FROM dblink_get_result('mine') AS s (t text);
SELECT dblink_send_query('mine', 'SELECT * FROM stream_test.big ORDER BY i; SELECT ''second''');
BEGIN;
DECLARE c CURSOR FOR SELECT * FROM dblink_get_result('mine') AS s (i int, t text);
FETCH 1 FROM c;
ROLLBACK;
SELECT * FROM dblink_get_result('mine') AS s (t text);
SELECT * FROM dblink_get_result('mine') AS s (t text);
-- and the statement goes on for an hour: nobody waits for it
SELECT dblink_send_query('mine', 'SELECT repeat(''x'', 9000), pg_sleep(0.01) FROM stream_test.big; SELECT 2');
SET statement_timeout = '500ms';
SELECT count(*) FROM dblink_get_result('mine') AS s (t text, x text);
RESET statement_timeout;
SELECT dblink_is_busy('mine');
SELECT dblink_send_query('mine', 'SELECT 1'), dblink_error_message('mine') <> '';
SELECT * FROM dblink_get_notify('mine');
SELECT dblink_cancel_query('mine');
SELECT * FROM dblink_get_result('mine') AS s (t text);
SELECT * FROM dblink('mine', 'SELECT 1') AS s (i int);
-- a type that uses the connection while its value is made
CREATE FUNCTION stream_again(i int, sql text) RETURNS bool LANGUAGE plpgsql AS
  $$ BEGIN IF i = 3 THEN EXECUTE sql; END IF; RETURN true; END $$;
CREATE DOMAIN stream_fetches AS int CHECK (stream_again(VALUE, 'SELECT FROM dblink_fetch(''mine'', ''c'', 2) AS t (n int)'));
CREATE DOMAIN stream_gets AS int CHECK (stream_again(VALUE, 'SELECT FROM dblink_get_result(''mine'') AS t (n text)'));
SELECT dblink_open('mine', 'c', 'SELECT i FROM stream_test.big ORDER BY i');
SELECT * FROM dblink_fetch('mine', 'c', 5) AS t (n stream_fetches);
SELECT * FROM dblink_fetch('mine', 'c', 1) AS t (n int);
SELECT dblink_close('mine', 'c');
SELECT dblink_send_query('mine', 'SELECT generate_series(1, 5); SELECT ''a''; SELECT ''b''');
SELECT * FROM dblink_get_result('mine') AS t (n stream_gets);
SELECT * FROM dblink_get_result('mine') AS s (t text);
SELECT * FROM dblink_get_result('mine') AS s (t text);
DROP DOMAIN stream_fetches, stream_gets;
DROP FUNCTION stream_again;
-- rows that are kept for a rescan, bigger than work_mem; put aside, as the remote writes them
SET work_mem = '64kB';
SELECT dblink_exec('mine', 'SET datestyle = ''German''');
SELECT dblink_open('mine', 'c', 'SELECT i, t, date ''2000-01-01'' + i FROM stream_test.big ORDER BY i');
BEGIN;
DECLARE c SCROLL CURSOR FOR SELECT * FROM dblink_fetch('mine', 'c', 20000) AS s (i int, t text, d date);
FETCH 1 FROM c;
SELECT * FROM dblink_fetch('mine', 'c', 1) AS s (i int, t text, d date);
FETCH LAST FROM c;
FETCH ABSOLUTE 10000 FROM c;
FETCH FIRST FROM c;
COMMIT;
RESET work_mem;
SELECT dblink_disconnect('mine');

-- no state goes from call to call by a server's name
SELECT dblink_exec('stream_server', 'CREATE TEMP TABLE mine (i int)');
SELECT dblink_exec('stream_server', 'SET application_name = ''mine''');
SELECT dblink_exec('stream_server', 'BEGIN');
SELECT * FROM dblink('stream_server', 'SELECT pg_advisory_lock(77), set_config(''x.y'', ''z'', false)') AS s (a text, b text);
SELECT * FROM dblink('stream_server', 'SELECT to_regclass(''mine''), current_setting(''application_name''), current_setting(''x.y'', true), now() = statement_timestamp(), (SELECT count(*) FROM pg_locks WHERE locktype = ''advisory'')')
  AS s (a text, b text, c text, autocommit bool, locks int);
SELECT connects AS before FROM pgml_fdw_stats() \gset
SELECT * FROM dblink('stream_server', 'SELECT 1') AS s (i int);
SELECT * FROM dblink('stream_server', 'SELECT i FROM stream_test.small') AS s (i int) LIMIT 1;
SELECT dblink_exec('stream_server', 'SET work_mem = 999');
SELECT connects - :before AS connects FROM pgml_fdw_stats();
SELECT server_name, valid, used_in_xact, closed FROM pgml_fdw_get_connections(true);
ALTER SERVER stream_server OPTIONS (ADD application_name 'another');
SELECT valid FROM pgml_fdw_get_connections();
SELECT * FROM dblink('stream_server', 'SHOW application_name') AS s (name text);
ALTER SERVER stream_server OPTIONS (DROP application_name, ADD keep_connections 'false');
SELECT * FROM dblink('stream_server', 'SHOW application_name') AS s (name text);
SELECT count(*) AS kept FROM pgml_fdw_get_connections();
ALTER SERVER stream_server OPTIONS (DROP keep_connections);
SELECT * FROM dblink('stream_server', 'SELECT 1') AS s (i int);
SELECT pgml_fdw_disconnect('stream_server'), count(*) FROM pgml_fdw_get_connections();
-- the kept one has died
SELECT * FROM dblink('stream_server', 'SELECT 1') AS s (i int);
SELECT * FROM dblink(:'conninfo', 'SELECT count(pg_terminate_backend(pid, 10000)) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND query = ''DISCARD ALL''') AS s (n int);
SELECT * FROM dblink('stream_server', 'SELECT 2') AS s (i int);

-- a function of ours in the middle of the stream uses the same connection
SELECT dblink_connect('mine', 'stream_server');
CREATE FUNCTION stream_writes(i int) RETURNS text LANGUAGE sql VOLATILE AS
  $$ SELECT dblink_exec('mine', format('INSERT INTO stream_test.log VALUES (%s)', i)) $$;
SELECT stream_writes(i) FROM dblink('mine', 'SELECT i FROM stream_test.big ORDER BY i') AS s (i int) LIMIT 1;
SELECT stream_writes(i) FROM dblink('mine', 'SELECT i FROM stream_test.small') AS s (i int) WHERE i > 3;
SELECT * FROM dblink('mine', 'SELECT i FROM stream_test.log ORDER BY i') AS s (i int);
SELECT dblink_exec('mine', 'TRUNCATE stream_test.log');
DROP FUNCTION stream_writes;
SELECT dblink_disconnect('mine');
-- beside workers, it stays with the leader
CREATE TABLE stream_many AS SELECT i FROM generate_series(1, 20000) i;
ANALYZE stream_many;
SET min_parallel_table_scan_size = 0; SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET max_parallel_workers_per_gather = 2;
SELECT count(*), sum(s.i) FROM stream_many AS m JOIN dblink('stream_server', 'SELECT i FROM stream_test.big') AS s (i int) USING (i);
SELECT regexp_replace(h, '^ *(-> )?', '') FROM stream_how($$SELECT count(*) FROM stream_many AS m WHERE i IN (SELECT i FROM dblink('stream_server', 'SELECT i FROM stream_test.big') AS s (i int))$$) h WHERE h ~ 'Rows';
RESET min_parallel_table_scan_size; RESET parallel_setup_cost; RESET parallel_tuple_cost; RESET max_parallel_workers_per_gather;
DROP TABLE stream_many;

-- who may not execute the function may not scan it
CREATE ROLE stream_user;
GRANT USAGE ON FOREIGN SERVER stream_server TO stream_user;
REVOKE EXECUTE ON FUNCTION dblink(text, text), pgml_fdw_query(text, text), dblink_fetch(text, int), dblink_get_result(text) FROM PUBLIC;
GRANT SELECT ON stream_view TO stream_user;
SET ROLE stream_user;
EXPLAIN (COSTS OFF) SELECT * FROM dblink('stream_server', 'SELECT i FROM stream_test.small') AS s (i int);
SELECT * FROM dblink('stream_server', 'SELECT i FROM stream_test.small') AS s (i int);
SELECT * FROM pgml_fdw_query('stream_server', 'SELECT i FROM stream_test.small') AS s (i int);
SELECT * FROM dblink_fetch('c', 1) AS s (i int);
SELECT * FROM dblink_get_result('mine') AS s (i int);
SELECT * FROM stream_view;
RESET ROLE;
GRANT EXECUTE ON FUNCTION dblink(text, text), pgml_fdw_query(text, text), dblink_fetch(text, int), dblink_get_result(text) TO PUBLIC;
DROP OWNED BY stream_user;
DROP ROLE stream_user;

-- values of all types are what the remote has, streamed or gathered
\set types 'SELECT true AS a, 7::int2 AS b, -7::int4 AS c, 9007199254740993::int8 AS d, 1.5::float4 AS e, 0.1::float8 AS f, 12345.6700 AS g, ''t''''t\\''::text AS h, ''ab''::char(4) AS i, ''v''::varchar AS j, ''\\xdead''::bytea AS k, date ''2024-02-03'' AS l, time ''10:11:12.5'' AS m, timetz ''10:11+02'' AS n, timestamp ''2024-02-03 10:11'' AS o, timestamptz ''2024-02-03 10:11+02'' AS p, interval ''1 year 2 days 3 h'' AS q, ''{1,NULL,3}''::int[] AS r, ''{{a,b},{c,d}}''::text[] AS s, ''a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11''::uuid AS t, ''{"a": 1}''::jsonb AS u, ''{"b":2}''::json AS v, ''10.0.0.1/8''::inet AS w, ''[1,5)''::int4range AS x, ''n''::name AS y, B''101'' AS z, ''(1,2)''::point AS aa, ''<a>b</a>''::xml AS ab, 12.5::money AS ac, NULL::int AS ad'
SELECT column_list FROM pgml_fdw_describe('stream_server', :'types') LIMIT 1 \gset
SELECT format('SELECT * FROM dblink(''stream_server'', %L) AS s %s', :'types' || ' FROM stream_test.small LIMIT 1', :'column_list') AS streamed,
  format('SELECT * FROM dblink(''stream_server'', %L) AS s %s', :'types', :'column_list') AS gathered \gset
SET extra_float_digits = 0;
SELECT h FROM stream_how(:'streamed') h WHERE h ~ 'Rows' UNION ALL SELECT h FROM stream_how(:'gathered') h WHERE h ~ 'Rows';
SELECT streamed::text = gathered::text AS same FROM (:streamed) AS streamed, (:gathered) AS gathered;

-- the typed sister: parameters of every type
CREATE TABLE stream_values (a bool, b int2, c int4, d int8, e float4, f float8, g numeric, h text, i char(4), j varchar, k bytea, l date, m time, n timetz, o timestamp, p timestamptz, q interval, r int[], s text[], t uuid, u jsonb, v json, w inet, x int4range, y name, z bit(3));
INSERT INTO stream_values VALUES (true, 7, -7, 9007199254740993, 1.5, 0.1, 12345.6700, E't''t\\', 'ab', 'v', '\xdead', '2024-02-03', '10:11:12.5', '10:11+02', '2024-02-03 10:11', '2024-02-03 10:11+02', '1 year 2 days 3 h', '{1,NULL,3}', '{{a,b},{c,d}}', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', '{"a": 1}', '{"b":2}', '10.0.0.1/8', '[1,5)', 'n', B'101');
INSERT INTO stream_values DEFAULT VALUES;
SELECT string_agg(attname, ', ' ORDER BY attnum) AS names, string_agg(format('$%s AS %s', attnum, attname), ', ' ORDER BY attnum) AS dollars,
  string_agg(attname || ' ' || format_type(atttypid, atttypmod), ', ' ORDER BY attnum) AS list
  FROM pg_attribute WHERE attrelid = 'stream_values'::regclass AND attnum > 0 \gset
SET datestyle = 'German'; SET intervalstyle = 'sql_standard'; SET timezone = 'Asia/Tokyo';
SELECT mine::text IS NOT DISTINCT FROM theirs::text AS same FROM stream_values mine, LATERAL (SELECT * FROM pgml_fdw_query('stream_server', 'SELECT ' || :'dollars', :names) AS x (:list)) AS theirs;
SELECT mine::text IS NOT DISTINCT FROM theirs::text AS same FROM stream_values mine, LATERAL (SELECT * FROM pgml_fdw_query('stream_server', 'SELECT ' || :'dollars' || ' FROM stream_test.small WHERE i = 1', :names) AS x (:list)) AS theirs;
RESET datestyle; RESET intervalstyle; RESET timezone;
CREATE TYPE stream_mood AS ENUM ('sad', 'ok');
CREATE TYPE stream_pair AS (i int, t text);
CREATE DOMAIN stream_positive AS int CHECK (VALUE > 0);
SELECT * FROM pgml_fdw_query('stream_server', 'SELECT $1::stream_test.mood, $2::stream_test.mood[], $3::int, $4::text, $5::int4multirange, $6::tsvector, $7::point, $8::bit varying, $9::xml, $10::money, $11::regclass, $12::pg_lsn, $13::macaddr, $14::jsonpath',
  'ok'::stream_mood, '{sad,NULL}'::stream_mood[], 5::stream_positive, (1, 'a "b"')::stream_pair, '{[1,3),[5,7)}'::int4multirange, 'a b'::tsvector, '(1,2)'::point, B'10', '<a/>'::xml, 5::money, 'pg_class'::regclass, '0/1'::pg_lsn, '08:00:2b:01:02:03'::macaddr, '$.a'::jsonpath)
  AS t (a stream_mood, b stream_mood[], c stream_positive, d stream_pair, e int4multirange, f tsvector, g point, h varbit, i xml, j money, k regclass, l pg_lsn, m macaddr, n jsonpath);
DROP TYPE stream_mood, stream_pair;
DROP DOMAIN stream_positive;
-- an injection stays data
SELECT * FROM pgml_fdw_query('stream_server', 'SELECT $1, length($1) FROM stream_test.small LIMIT 1', $$'; DROP TABLE stream_test.small; --$$) AS s (t text, n int);
SELECT * FROM pgml_fdw_query('stream_server', 'SELECT i FROM stream_test.small WHERE mood::text = $1', $$' OR true --$$::text) AS s (i int);
SELECT pgml_fdw_exec('stream_server', 'INSERT INTO stream_test.log SELECT 1 WHERE $1 = ''x''', $$x' OR 'a' = 'a$$::text);
SELECT * FROM pgml_fdw_query('stream_server', 'SELECT i FROM stream_test.small WHERE i = ANY($1) ORDER BY 1', ARRAY[1, 3]) AS s (i int);
SELECT * FROM pgml_fdw_query('stream_server', 'SELECT $1::int + $2::int', VARIADIC ARRAY[40, 2]) AS s (i int);
SELECT * FROM pgml_fdw_query('stream_server', 'SELECT 1', VARIADIC NULL::int[]) AS s (i int);
SELECT * FROM pgml_fdw_query('stream_server', 'SELECT $1::int', NULL) AS s (i int);
SELECT * FROM pgml_fdw_query('stream_server', NULL) AS s (i int);
SELECT pgml_fdw_exec('stream_server', NULL), pgml_fdw_exec(NULL, 'SELECT 1', 1);
SELECT x, s.* FROM generate_series(2, 3) x, LATERAL pgml_fdw_query('stream_server', 'SELECT ten, mood FROM stream_test.small WHERE i = $1', x) AS s (ten int, mood text);
SELECT * FROM stream_how($$SELECT * FROM pgml_fdw_query('stream_server', 'SELECT i FROM stream_test.small WHERE i > $1', 2) AS s (i int)$$);
SELECT * FROM stream_how($$SELECT * FROM pgml_fdw_query('stream_server', 'SELECT stream_test.writes(i) FROM stream_test.small WHERE i > $1', 2) AS s (i int) LIMIT 1$$);
SELECT * FROM pgml_fdw_query('stream_server', 'SELECT i FROM stream_test.log ORDER BY 1') AS s (i int);
-- inside the transaction
CREATE FOREIGN TABLE stream_log (i int) SERVER stream_server OPTIONS (schema_name 'stream_test', table_name 'log');
BEGIN;
SELECT pgml_fdw_exec('stream_server', 'DELETE FROM stream_test.log');
SELECT pgml_fdw_exec('stream_server', 'INSERT INTO stream_test.log VALUES ($1), ($2)', 1, '2');
SELECT count(*) FROM stream_log;
INSERT INTO stream_log VALUES (3);
SAVEPOINT s;
SELECT * FROM pgml_fdw_query('stream_server', 'INSERT INTO stream_test.log SELECT i FROM stream_test.small RETURNING i') AS s (i int) LIMIT 1;
SELECT i FROM stream_log ORDER BY 1;
ROLLBACK TO s;
SELECT * FROM pgml_fdw_query('stream_server', 'SELECT * FROM stream_test.log ORDER BY 1') AS s (i int);
SELECT count(*) FROM (SELECT * FROM pgml_fdw_query('stream_server', 'SELECT i FROM stream_test.big') AS s (i int) LIMIT 3) x;
SELECT * FROM stream_log ORDER BY 1;
SELECT * FROM dblink('stream_server', 'SELECT count(*) FROM stream_test.log WHERE i < 4') AS outside (n int);
SAVEPOINT s;
SELECT pgml_fdw_exec('stream_server', 'bad');
ROLLBACK TO s;
SELECT * FROM stream_log ORDER BY 1;
COMMIT;
SELECT * FROM stream_log ORDER BY 1;
-- what counts
SELECT pgml_fdw_exec('stream_server', 'INSERT INTO stream_test.log SELECT 100 FROM stream_test.small RETURNING i') AS returned,
  pgml_fdw_exec('stream_server', 'SELECT i FROM stream_test.big LIMIT $1', 7) AS selected, pgml_fdw_exec('stream_server', 'SET LOCAL work_mem = 999') AS none,
  pgml_fdw_exec('stream_server', 'DELETE FROM stream_test.log WHERE i = 100; SELECT 1 FROM stream_test.small WHERE i < 3') AS last;
-- the remote transaction is the local one's
BEGIN;
SELECT pgml_fdw_exec('stream_server', 'INSERT INTO stream_test.log VALUES (200)');
SAVEPOINT s;
SELECT pgml_fdw_exec('stream_server', ' /* now */ commit');
ROLLBACK TO s;
SELECT pgml_fdw_exec('stream_server', 'SELECT ''; COMMIT''; END; BEGIN');
ROLLBACK TO s;
SELECT * FROM pgml_fdw_query('stream_server', 'ROLLBACK AND CHAIN') AS s (t text);
ROLLBACK TO s;
SELECT pgml_fdw_exec('stream_server', 'SAVEPOINT mine; INSERT INTO stream_test.log VALUES (201); ROLLBACK TO mine; RELEASE mine');
SELECT * FROM pgml_fdw_query('stream_server', 'SELECT ''; COMMIT''; INSERT INTO stream_test.log VALUES (202) RETURNING i') AS s (i text);
SELECT count(*) FROM stream_log WHERE i >= 200;
ROLLBACK;
SELECT count(*) FROM stream_log WHERE i >= 200;
SELECT pgml_fdw_exec('stream_server', ' ; ');
-- names mean what they mean to the remote role, for this SQL only
\connect :remote_db - :remote_host :remote_port
ALTER DATABASE :remote_db SET search_path = stream_test;
\connect :local_db - :local_host :local_port
BEGIN;
SELECT * FROM pgml_fdw_query('stream_server', 'SELECT count(*) FROM small') AS s (n int);
SELECT pgml_fdw_exec('stream_server', 'DELETE FROM log WHERE i = $1', 3);
SELECT count(*) FROM stream_log;
SELECT ordinal, column_name, type_name, column_list FROM pgml_fdw_describe('stream_server', 'SELECT *, 1 AS i, ''x'' AS "A b" FROM small -- comment');
COMMIT;
\connect :remote_db - :remote_host :remote_port
ALTER DATABASE :remote_db RESET search_path;
\connect :local_db - :local_host :local_port
-- describing doesn't run anything
SELECT count(*) FROM pgml_fdw_describe('stream_server', 'INSERT INTO stream_test.log VALUES (1) RETURNING *');
SELECT * FROM pgml_fdw_describe('stream_server', 'DELETE FROM stream_test.log');
SELECT * FROM pgml_fdw_describe('stream_server', 'SELECT 1; SELECT 2');
SELECT count(*) FROM stream_log;
SELECT * FROM pgml_fdw_query('nowhere', 'SELECT 1') AS s (i int);

SET client_min_messages = warning;
DROP SERVER stream_server CASCADE;
DROP VIEW stream_view;
DROP TABLE stream_local, stream_values;
DROP FUNCTION stream_how, stream_sql;
