-- UPDATE and DELETE that the remote runs as one statement: the same effect,
-- result and count as on a local table, and as row by row.
\getenv abs_srcdir PG_ABS_SRCDIR
\set remote_sql :abs_srcdir '/include/remote.psql'
\i :remote_sql
\set remote_schema direct
SELECT $fixture$
CREATE TYPE mood AS ENUM ('sad', 'ok');
CREATE TABLE t (id int PRIMARY KEY, grp int, txt text, v varchar(20), num numeric(10, 2), ts timestamptz, m mood, arr int[]);
INSERT INTO t SELECT i, i % 5, 'row ' || i, 'v' || i, i / 8.0, '2024-01-01 00:00+00'::timestamptz + i * interval '1 day',
  'ok', ARRAY[i] FROM generate_series(1, 100) i;
CREATE TABLE part (k int, v text) PARTITION BY LIST (k);
CREATE TABLE part1 PARTITION OF part FOR VALUES IN (1);
CREATE TABLE part2 PARTITION OF part DEFAULT;
INSERT INTO part SELECT i % 4, 'v' || i FROM generate_series(1, 20) i;
CREATE TABLE gen (a int, dbl int GENERATED ALWAYS AS (a * 2) STORED);
INSERT INTO gen VALUES (1), (2);
CREATE TABLE checked (id int, v int CHECK (v > 0));
INSERT INTO checked VALUES (1, 1), (2, 2);
$fixture$ AS fixture \gset
\set twins :abs_srcdir '/include/twins.psql'
SET client_min_messages = warning;
\i :twins

SELECT alike($$UPDATE t SET grp = grp + 1, txt = upper(v), num = num / 3, ts = ts - interval '1 hour' WHERE id <= 20$$);
SELECT alike($$UPDATE t SET txt = NULL, arr = arr || 7 WHERE grp IN (1, 2) RETURNING id, grp, arr$$);
SELECT alike($$UPDATE t SET v = 'it''s "v" \ $1' WHERE id = 5 RETURNING *$$);
SELECT alike($$UPDATE t SET id = id + 1000, txt = 'moved' WHERE id = 7 RETURNING id, id * 2, 'const', txt$$);
SELECT alike($$UPDATE t SET grp = 1 WHERE id = -1 RETURNING id$$);
SELECT alike($$UPDATE t SET grp = 1 WHERE id = -1$$);
SELECT alike($$DELETE FROM t WHERE id BETWEEN 30 AND 33 RETURNING t$$);
SELECT alike($$DELETE FROM t WHERE id BETWEEN 34 AND 37$$);
SELECT alike($$DELETE FROM t WHERE id = 38 RETURNING 1$$);
SELECT alike($$DELETE FROM t WHERE id = 39 RETURNING NULL$$);
SELECT alike($$UPDATE part SET v = v || '!' WHERE k = 1 RETURNING k, v$$, '{part}');
SELECT alike($$UPDATE part SET k = 3 WHERE k = 1$$, '{part}');
SELECT alike($$DELETE FROM part WHERE k = 2$$, '{part}');
-- an enum that is text here, generated columns, errors
SELECT alike($$UPDATE t SET m = 'sad' WHERE m = 'ok' AND id < 50$$);
SELECT alike($$UPDATE gen SET a = a + 10 WHERE a = 1 RETURNING a, dbl$$, '{gen}');
SELECT alike($$UPDATE checked SET v = v - 1$$, '{checked}');
SELECT alike($$UPDATE t SET num = num / (id - 60)$$);
SELECT alike($$UPDATE t SET v = repeat('x', 30) WHERE id = 1$$);
-- CTEs, functions, prepared statements; the counts of all of them
SELECT alike($$WITH u AS (UPDATE t SET grp = 9 WHERE id < 10 RETURNING id) SELECT sum(id) FROM u$$);
SELECT alike($$WITH u AS (UPDATE t SET grp = 10 WHERE id < 10) DELETE FROM t WHERE id = 99$$);
SELECT alike($$WITH d AS (DELETE FROM t WHERE id = 98 RETURNING id), e AS (DELETE FROM t WHERE id = 97) SELECT id FROM d$$);
SET plan_cache_mode = force_generic_plan;
PREPARE change(int, text) AS UPDATE t SET txt = $2, grp = $1 WHERE id = $1 RETURNING id, txt;
EXPLAIN (VERBOSE, COSTS OFF) EXECUTE change(1, 'x');
EXECUTE change(1, 'x');
EXECUTE change(2, NULL);
RESET plan_cache_mode;
DEALLOCATE change;
\pset tuples_only off
\pset format aligned
UPDATE t SET grp = 0 WHERE id < 5 RETURNING id, tableoid::regclass, ctid IS NOT NULL AS has_ctid;
DELETE FROM t WHERE id = 1;
DELETE FROM t WHERE id = 1;
\pset tuples_only on
\pset format unaligned

-- one round trip, and the COMMIT
SELECT count(*) FROM t WHERE id = 2;
SELECT round_trips AS before FROM pgml_fdw_stats() \gset
UPDATE t SET grp = 3 WHERE id = 2;
SELECT round_trips - :before FROM pgml_fdw_stats();
SELECT round_trips AS before FROM pgml_fdw_stats() \gset
DELETE FROM t WHERE id = 2 RETURNING id;
SELECT round_trips - :before FROM pgml_fdw_stats();
-- with the transaction
BEGIN;
UPDATE t SET grp = -1;
SAVEPOINT s;
DELETE FROM t;
SELECT count(*) FROM t;
ROLLBACK TO s;
SELECT count(*), max(grp) FROM t;
ROLLBACK;
SELECT count(*) > 0, max(grp) > 0 FROM t;

-- what is shipped whole, and what isn't
EXPLAIN (VERBOSE, COSTS OFF) UPDATE t SET txt = upper(v), grp = 5 WHERE id < 3 RETURNING id, txt;
EXPLAIN (VERBOSE, COSTS OFF) DELETE FROM t WHERE num > 1.5 AND txt IS NULL;
EXPLAIN (VERBOSE, COSTS OFF) DELETE FROM t WHERE random() < 2;
EXPLAIN (VERBOSE, COSTS OFF) UPDATE t SET grp = random() WHERE id = 1;
EXPLAIN (VERBOSE, COSTS OFF) UPDATE t SET m = 'ok' WHERE id = 1;
EXPLAIN (VERBOSE, COSTS OFF) UPDATE t SET grp = 1 WHERE id = 1 RETURNING xmin;
CREATE TRIGGER row_trigger BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger();
EXPLAIN (COSTS OFF) UPDATE t SET grp = 1 WHERE id = 1;

\pset tuples_only off
\pset format aligned
SET client_min_messages = warning;
DROP SCHEMA near, far CASCADE;
DROP SERVER twin_server CASCADE;
