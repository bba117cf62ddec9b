-- Reading: the same as from a local table, however the scans are interleaved.
\getenv abs_srcdir PG_ABS_SRCDIR
\set remote_sql :abs_srcdir '/include/remote.psql'
\i :remote_sql
\set remote_schema scan
SELECT $fixture$
CREATE TABLE t (id int PRIMARY KEY, grp int, txt text, num numeric(12,3), ts timestamptz,
                arr int[], f float8, gone int, b bytea);
INSERT INTO t SELECT i, i % 7, nullif('row ' || i, 'row 13'), i * 1.125, '2024-01-01 00:00+00'::timestamptz + i * interval '1 hour',
  array[i, null, i + 1], i / 3.0, 0, decode(lpad(to_hex(i), 8, '0'), 'hex') FROM generate_series(1, 1000) i;
ALTER TABLE t DROP COLUMN gone;
CREATE TABLE u (id int, t_id int, note text);
INSERT INTO u SELECT i, i * 3, repeat('n', i) FROM generate_series(1, 200) i;
-- too much for the buffers between the servers: streams of it are still running when another begins
CREATE TABLE wide (id int, pad text);
INSERT INTO wide SELECT i, repeat(md5(i::text), 20) FROM generate_series(1, 5000) i;
CREATE TABLE empty (id int, a text);
CREATE TABLE nocol ();
INSERT INTO nocol SELECT FROM generate_series(1, 3);
CREATE VIEW bad AS SELECT id, 1 / (id - 500) AS q FROM t;
$fixture$ AS fixture \gset
\set twins :abs_srcdir '/include/twins.psql'
\i :twins

-- columns, none, the whole row
SELECT same('SELECT * FROM t');
SELECT same('SELECT txt FROM t');
SELECT same('SELECT b, id FROM t');
SELECT same('SELECT t FROM t');
SELECT same('SELECT FROM t');
SELECT same('SELECT count(*) FROM t');
SELECT same('SELECT * FROM empty');
SELECT same('SELECT count(*) FROM nocol');
SELECT same('SELECT nocol FROM nocol');
SELECT same('SELECT max(length(pad)), count(DISTINCT pad) FROM wide');
-- conditions, there and here
SELECT same('SELECT * FROM t WHERE id BETWEEN 10 AND 20');
SELECT same('SELECT * FROM t WHERE txt IS NULL');
SELECT same($$SELECT * FROM t WHERE txt = 'it''s $1 \ "q"' OR txt = 'row 5'$$);
SELECT same('SELECT * FROM t WHERE id < 10 AND random() >= 0');
SELECT same('SELECT id FROM t WHERE random() >= 0 AND grp = 3 AND txt LIKE ''%9%''');
SELECT same('SELECT * FROM t WHERE 2 = ANY (arr)');
SELECT same('SELECT * FROM t WHERE false');
-- system columns
SELECT tableoid::regclass, count(*) FROM t GROUP BY 1;
SELECT id, ctid, xmin, xmax, cmin, cmax, tableoid::regclass FROM t WHERE id <= 2 ORDER BY id;
SELECT count(*), count(DISTINCT ctid) FROM t WHERE ctid IS NOT NULL;
SELECT ctid IS NOT NULL, t.id, t FROM t WHERE id = 1;

-- rescans: with and without parameters, at the end and in the middle of a scan
SET enable_hashjoin = off;
SET enable_mergejoin = off;
SET enable_material = off;
SET enable_memoize = off;
SELECT same('SELECT a.id, b.id, b.note FROM (VALUES (1), (5), (9)) a (id) JOIN u b ON b.id < a.id');
SELECT same('SELECT u.id, t.txt FROM u JOIN t ON t.id = u.t_id WHERE u.id <= 20');
SELECT same('SELECT u.id, (SELECT max(t.txt) FROM t WHERE t.grp = u.id % 10) FROM u WHERE u.id <= 20');
SELECT same('SELECT u.id, x.id FROM u, LATERAL (SELECT t.id FROM t WHERE t.id > u.t_id ORDER BY t.id LIMIT 2) x WHERE u.id < 10');
SELECT same('SELECT u.id FROM u WHERE u.id <= 20 AND EXISTS (SELECT FROM t WHERE t.grp = u.id AND random() >= 0)');
SELECT same('SELECT u.id FROM u WHERE u.id <= 20 AND u.id NOT IN (SELECT t.id FROM t WHERE t.grp = u.id % 2 OR t.txt IS NULL)');
SELECT same('SELECT a.id FROM generate_series(1, 3) g CROSS JOIN LATERAL (SELECT id FROM t WHERE random() >= 0 ORDER BY id LIMIT g) a');
SELECT same('SELECT l.id, t.id FROM (SELECT id FROM near.u) l LEFT JOIN t ON t.id = l.id AND t.grp = 2 WHERE l.id < 30');
-- several scans at once on the connection, the outer one too large for its buffers
SELECT same('SELECT a.id, md5(a.pad), b.note FROM wide a JOIN u b ON b.id = a.id');
SELECT same('SELECT a.id, md5(a.pad), md5(b.pad) FROM wide a JOIN wide b ON b.id = a.id + 1 WHERE a.id <= 5');
SELECT same('SELECT a.id, md5(a.pad), (SELECT md5(b.pad) FROM wide b WHERE b.id = a.id) FROM wide a WHERE a.id % 500 = 0');
RESET enable_hashjoin;
RESET enable_material;
RESET enable_memoize;
RESET enable_mergejoin;
SET enable_hashjoin = off;
SET enable_nestloop = off;
SELECT same('SELECT count(*), sum(length(a.pad || b.pad)) FROM wide a JOIN wide b USING (id)');
SELECT same('SELECT a.id, b.id, c.note FROM t a JOIN t b ON a.id = b.id JOIN u c ON c.id = a.id');
RESET enable_hashjoin;
RESET enable_nestloop;
SELECT same('SELECT id FROM wide UNION ALL SELECT id FROM t UNION ALL SELECT id FROM u');
SELECT same('SELECT id, pad FROM wide EXCEPT SELECT id, pad FROM wide WHERE id > 10');
SELECT same('SELECT * FROM (SELECT id FROM wide LIMIT 3) a CROSS JOIN (SELECT count(*) FROM wide) b(id) CROSS JOIN (SELECT count(*) FROM t) c(id) WHERE a.id > 0');
-- CTEs
SELECT same('WITH c AS MATERIALIZED (SELECT * FROM t) SELECT a.id, b.txt FROM c a JOIN c b ON a.id = b.id + 1');
SELECT same('WITH RECURSIVE r AS (SELECT 1 AS id UNION ALL SELECT t.id FROM r JOIN t ON t.id = r.id + 1 WHERE t.id < 20) SELECT * FROM r');
SELECT same('WITH c AS (SELECT id FROM wide) SELECT (SELECT id FROM c ORDER BY id LIMIT 1), (SELECT count(*) FROM t)');

-- parameters: any settings here, the same value there
SET DateStyle = 'German, DMY';
SET IntervalStyle = 'sql_standard';
SET TimeZone = 'Asia/Kolkata';
SET extra_float_digits = -5;
SET bytea_output = 'escape';
SET plan_cache_mode = force_generic_plan;
PREPARE p (timestamptz, float8, interval, bytea, text, int[]) AS
  SELECT id FROM t WHERE ts = $1 OR f = $2 OR ts = '2024-01-01 00:00+00'::timestamptz + $3 OR b = $4 OR txt = $5 OR arr = $6 ORDER BY id;
EXECUTE p ('2024-01-01 02:00+00', 7 / 3.0, '-1 day +28 hours', '\x00000009', 'row 11', '{12,NULL,13}');
EXECUTE p (NULL, NULL, NULL, NULL, NULL, NULL);
EXECUTE p (NULL, NULL, NULL, '\x0000000a', 'it''s \ $1', '{}');
DEALLOCATE p;
RESET ALL;
SET search_path = far, public;
SELECT same('SELECT id FROM t WHERE id = (SELECT max(t_id) FROM u)');
SELECT same('SELECT id FROM t WHERE ts < (SELECT min(ts) + interval ''3 hours'' FROM t)');

-- early stops
SELECT same('SELECT count(*) FROM (SELECT * FROM wide WHERE random() >= 0 LIMIT 10) x');
SELECT same('SELECT EXISTS (SELECT FROM wide WHERE random() >= 0)');
SELECT same('SELECT x.id FROM generate_series(1, 3) g, LATERAL (SELECT g AS id FROM wide WHERE random() >= 0 LIMIT 2) x');
SELECT same('SELECT min(id) FROM (SELECT id FROM wide WHERE random() >= 0 OFFSET 100 LIMIT 1) x WHERE id > 0');

-- cursors
BEGIN;
DECLARE c1 CURSOR FOR SELECT id, left(pad, 4) FROM wide ORDER BY id;
DECLARE c2 CURSOR FOR SELECT id FROM wide ORDER BY id DESC;
DECLARE c3 SCROLL CURSOR FOR SELECT id FROM t ORDER BY id;
FETCH 2 FROM c1;
FETCH 2 FROM c2;
FETCH 2 FROM c1;
FETCH 3 FROM c3;
FETCH BACKWARD 2 FROM c3;
FETCH LAST FROM c3;
FETCH ABSOLUTE 2 FROM c3;
MOVE 4990 FROM c1;
SELECT count(*) FROM wide;
FETCH 10 FROM c1;
CLOSE c1;
FETCH 1 FROM c2;
COMMIT;
BEGIN;
DECLARE h CURSOR WITH HOLD FOR SELECT id, md5(pad) FROM wide ORDER BY id;
FETCH 1 FROM h;
COMMIT;
FETCH 2 FROM h;
MOVE 4995 FROM h;
FETCH ALL FROM h;
CLOSE h;
-- a cursor that the end of the transaction finds open
BEGIN;
DECLARE c CURSOR FOR SELECT id FROM wide ORDER BY id;
FETCH 1 FROM c;
ROLLBACK;
BEGIN;
DECLARE c CURSOR FOR SELECT id FROM wide ORDER BY id;
FETCH 1 FROM c;
COMMIT;
ALTER SERVER twin_server OPTIONS (ADD keep_connections 'off');
BEGIN;
DECLARE c CURSOR FOR SELECT id FROM wide ORDER BY id;
FETCH 1 FROM c;
ROLLBACK;
SELECT count(*) FROM t;
ALTER SERVER twin_server OPTIONS (DROP keep_connections);

-- savepoints, with scans open and the remote failing
BEGIN;
DECLARE c CURSOR FOR SELECT id FROM wide ORDER BY id;
FETCH 2 FROM c;
SAVEPOINT s1;
FETCH 2 FROM c;
SELECT count(*) FROM bad WHERE q IS NOT NULL;
ROLLBACK TO s1;
FETCH 2 FROM c;
SAVEPOINT s2;
DECLARE d CURSOR FOR SELECT id FROM wide ORDER BY id;
FETCH 1 FROM d;
ROLLBACK TO s2;
FETCH 1 FROM c;
SELECT count(*) FROM t;
RELEASE s1;
SAVEPOINT s3;
SELECT 1 / 0;
ROLLBACK TO s3;
FETCH 1 FROM c;
COMMIT;
BEGIN;
SAVEPOINT s1;
SELECT count(*) FROM bad WHERE q > 0;
ROLLBACK TO s1;
SELECT count(*) FROM t;
SAVEPOINT s2;
SELECT count(*) FROM t;
RELEASE s2;
COMMIT;

-- loops in loops, exceptions in them
CREATE FUNCTION far.loops() RETURNS TABLE (what text, n bigint) LANGUAGE plpgsql AS $$
DECLARE
  a record;
  b record;
  failures int := 0;
BEGIN
  n := 0;
  FOR a IN SELECT id, pad FROM wide ORDER BY id LOOP
    EXIT WHEN a.id > 60;
    BEGIN
      FOR b IN SELECT id FROM u WHERE id >= a.id ORDER BY id LOOP
        n := n + b.id;
        EXIT WHEN b.id > a.id;
        IF a.id % 10 = 0 THEN
          PERFORM count(*) FROM bad WHERE q IS NOT NULL;
        ELSIF a.id % 15 = 1 THEN
          PERFORM 1 / (b.id - a.id);
        END IF;
      END LOOP;
    EXCEPTION WHEN division_by_zero THEN
      failures := failures + 1;
    END;
    IF md5(a.id::text) <> left(a.pad, 32) THEN
      RAISE 'row % is damaged', a.id;
    END IF;
  END LOOP;
  what := 'failures ' || failures;
  RETURN NEXT;
  RETURN QUERY SELECT 'rows', count(*) FROM t;
END
$$;
SELECT same('SELECT * FROM far.loops()');
SELECT * FROM far.loops();

-- plans that are made and not run
EXPLAIN (VERBOSE, COSTS OFF) SELECT id, txt FROM t WHERE id < 10 AND txt = 'x''y' ORDER BY random();
EXPLAIN (VERBOSE, COSTS OFF) SELECT count(*) FROM t WHERE random() < 0.5;
SELECT same('SELECT CASE WHEN id > 0 THEN 1 ELSE (SELECT count(*) FROM wide) END FROM u WHERE id < 3');
ALTER SERVER twin_server OPTIONS (SET port '1');
EXPLAIN (COSTS OFF) SELECT count(*) FROM u WHERE random() >= 0;
ALTER SERVER twin_server OPTIONS (SET port :'remote_port');

-- a view's scans run as its owner
CREATE ROLE regress_scan_reader;
GRANT USAGE ON SCHEMA far TO regress_scan_reader;
CREATE VIEW far.owned AS SELECT count(*) FROM t;
GRANT SELECT ON far.owned, far.t TO regress_scan_reader;
SET ROLE regress_scan_reader;
SELECT * FROM owned;
\set VERBOSITY sqlstate
SELECT count(*) FROM t;
\set VERBOSITY default
RESET ROLE;
DROP VIEW far.owned;

-- a table that is shaped otherwise here
CREATE FOREIGN TABLE far.shuffled (gone int, txt text, extra int, id int, b bytea)
  SERVER twin_server OPTIONS (schema_name 'scan', table_name 't');
ALTER FOREIGN TABLE far.shuffled DROP COLUMN gone, DROP COLUMN extra, ADD COLUMN num numeric;
SELECT *, shuffled FROM shuffled WHERE id = 7;
SELECT xmin, shuffled, ctid FROM shuffled WHERE id = 7;
ANALYZE far.shuffled;
SELECT attname, n_distinct FROM pg_stats WHERE tablename = 'shuffled' ORDER BY 1;

-- what is wrong there comes back as what it is, and the session goes on
CREATE FOREIGN TABLE far.missing (a int) SERVER twin_server OPTIONS (schema_name 'scan', table_name 'missing');
SELECT * FROM missing;
CREATE FOREIGN TABLE far.nosuch (id int, nosuch int) SERVER twin_server OPTIONS (schema_name 'scan', table_name 't');
SELECT * FROM nosuch;
SELECT id FROM nosuch WHERE id = 4;
CREATE FOREIGN TABLE far.other (id int8, txt varchar(3), num text, f numeric) SERVER twin_server OPTIONS (schema_name 'scan', table_name 't');
SELECT id, num, f FROM other WHERE id < 4 ORDER BY id;
SELECT txt FROM other WHERE id = 4;
CREATE FOREIGN TABLE far.wrong (txt int) SERVER twin_server OPTIONS (schema_name 'scan', table_name 't');
SELECT * FROM wrong;
SELECT same('SELECT count(*) FROM t');

-- ANALYZE brings a size and a sample (with import_stats: stats.sql)
ALTER SERVER twin_server OPTIONS (ADD import_stats 'false');
ANALYZE far.wide, far.t, far.empty, far.nocol;
SELECT relname, reltuples FROM pg_class WHERE relnamespace = 'far'::regnamespace AND relname IN ('wide', 't', 'empty', 'nocol') ORDER BY 1;
SELECT attname, null_frac, n_distinct FROM pg_stats WHERE schemaname = 'far' AND tablename = 't' ORDER BY 1;
SET default_statistics_target = 1;
ANALYZE far.wide;
SELECT reltuples BETWEEN 4000 AND 6000 FROM pg_class WHERE oid = 'far.wide'::regclass;
SELECT relpages > 100 FROM pg_class WHERE oid = 'far.wide'::regclass;
\set ECHO none
-- (SYSTEM takes whole pages: a sample of a few of them says little about the rest)
SET default_statistics_target = 10;
SELECT format('ALTER FOREIGN TABLE far.wide OPTIONS (%s analyze_sampling %L); ANALYZE far.wide;
  SELECT %L, reltuples BETWEEN 3000 AND 7000 FROM pg_class WHERE oid = ''far.wide''::regclass;',
  CASE WHEN i = 1 THEN 'ADD' ELSE 'SET' END, m, m)
FROM unnest('{off,random,system,bernoulli,auto}'::text[]) WITH ORDINALITY x (m, i) \gexec
\set ECHO all
ANALYZE far.bad;

\pset tuples_only off
\pset format aligned
SET client_min_messages = warning;
DROP SCHEMA near, far CASCADE;
DROP SERVER twin_server CASCADE;
DROP ROLE regress_scan_reader;
