-- Tables whose partitions are on several servers: what each is asked for, and what EXPLAIN tells.
-- (That they work at the same time is t/append.pl's.)
\getenv abs_srcdir PG_ABS_SRCDIR
\set remote_sql :abs_srcdir '/include/remote.psql'
\i :remote_sql
\connect :remote_db - :remote_host :remote_port
SET client_min_messages = warning;
DROP SCHEMA IF EXISTS appends CASCADE;
CREATE SCHEMA appends;
SET search_path = appends;
CREATE TABLE whole (id int, region int, kind text COLLATE "C", small smallint, big bigint, num numeric,
  f4 real, f8 double precision, ok boolean, span interval, day date);
INSERT INTO whole SELECT i, i % 3 + 1, 'k' || i % 4, i % 50, nullif(i % 10, 7) * 1000000000000000::bigint,
    nullif((i % 13) / 8.0 - 0.5, 0), nullif(i % 9, 3) / 4.0, nullif(i % 8, 3) / 4.0, i % 5 > 0, i * interval '1 minute', '2024-01-01'::date + i
  FROM generate_series(1, 600) i;
INSERT INTO whole VALUES (601, 1, 'odd', NULL, 9223372036854775807, 'NaN', 'NaN', 'Infinity', NULL, NULL, NULL),
  (602, 2, 'odd', NULL, 9223372036854775807, 1e-20, '-0', '-0', NULL, NULL, NULL),
  (603, 3, 'odd', NULL, NULL, 'Infinity', NULL, '-0', NULL, NULL, NULL),
  (604, 1, 'sum', NULL, 9223372036854775807, 1e30, NULL, '-0', NULL, NULL, NULL),
  (605, 2, 'sum', NULL, -9223372036854775808, -1e30, NULL, NULL, NULL, NULL, NULL),
  (606, 3, 'sum', NULL, 5, 123456789.000000000000000000001, NULL, NULL, NULL, NULL, NULL),
  (607, 3, 'inf', NULL, NULL, '-Infinity', NULL, NULL, NULL, NULL, NULL),
  (608, 1, 'none', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
CREATE TABLE part_1 AS SELECT * FROM whole WHERE region = 1;
CREATE TABLE part_2 AS SELECT * FROM whole WHERE region = 2;
CREATE TABLE part_3 AS SELECT * FROM whole WHERE region = 3;
ANALYZE;

\connect :local_db - :local_host :local_port
SET client_min_messages = warning;
DROP SCHEMA IF EXISTS appends CASCADE;
DROP SERVER IF EXISTS append_1, append_2, append_3 CASCADE;
CREATE SCHEMA appends;
SET search_path = appends, public;
CREATE SERVER append_1 FOREIGN DATA WRAPPER pgml_fdw OPTIONS (host :'remote_host', port :'remote_port', dbname :'remote_db');
CREATE SERVER append_2 FOREIGN DATA WRAPPER pgml_fdw OPTIONS (host :'remote_host', port :'remote_port', dbname :'remote_db');
CREATE SERVER append_3 FOREIGN DATA WRAPPER pgml_fdw OPTIONS (host :'remote_host', port :'remote_port', dbname :'remote_db');
CREATE USER MAPPING FOR CURRENT_USER SERVER append_1 OPTIONS (user :'USER');
CREATE USER MAPPING FOR CURRENT_USER SERVER append_2 OPTIONS (user :'USER');
CREATE USER MAPPING FOR CURRENT_USER SERVER append_3 OPTIONS (user :'USER');
CREATE FOREIGN TABLE whole (id int, region int, kind text COLLATE "C", small smallint, big bigint, num numeric,
  f4 real, f8 double precision, ok boolean, span interval, day date) SERVER append_1;
CREATE TABLE near AS SELECT * FROM whole;
ANALYZE near;
CREATE TABLE parts (LIKE near) PARTITION BY LIST (region);
ALTER TABLE parts ALTER kind TYPE text COLLATE "C";
CREATE FOREIGN TABLE part_1 PARTITION OF parts FOR VALUES IN (1) SERVER append_1;
CREATE FOREIGN TABLE part_2 PARTITION OF parts FOR VALUES IN (2) SERVER append_2;
CREATE FOREIGN TABLE part_3 PARTITION OF parts FOR VALUES IN (3) SERVER append_3;
ANALYZE parts;
CREATE FUNCTION sent(query text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
  line text;
BEGIN
  FOR line IN EXECUTE 'EXPLAIN (VERBOSE, COSTS OFF) ' || query LOOP
    IF line ~ 'Remote SQL: ' THEN
      RETURN NEXT regexp_replace(regexp_replace(line, '.*Remote SQL: ', ''), 'appends\.| r\d+\M(?!\.)|\mr\d+\.', '', 'g');
    END IF;
  END LOOP;
END
$$;
-- The rows of a query on the partitions, if they are those of the same query on one local table
CREATE FUNCTION same(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  far text[];
  near text[];
BEGIN
  EXECUTE format('SELECT array_agg(q::text ORDER BY q::text) FROM (%s) q', query) INTO far;
  EXECUTE format('SELECT array_agg(q::text ORDER BY q::text) FROM (%s) q', regexp_replace(query, '\mparts\M', 'near', 'g')) INTO near;
  RETURN CASE WHEN far IS DISTINCT FROM near THEN format('far: %s, near: %s', far, near)
    ELSE format('same %s rows', coalesce(cardinality(far), 0)) END;
END
$$;
SET enable_partitionwise_aggregate = on;
SET enable_partitionwise_join = on;
\pset tuples_only on
\pset format unaligned

-- each partition is aggregated by its server, and the halves are put together here
SELECT sent('SELECT kind, count(*), count(num), sum(small), sum(id), min(id), max(day), bool_and(ok), bit_or(small) FROM parts GROUP BY kind');
SELECT same('SELECT kind, count(*), count(num), sum(small), sum(id), min(id), max(day), bool_and(ok), bit_or(small) FROM parts GROUP BY kind');
SELECT sent('SELECT avg(small), avg(id), sum(big), avg(big), sum(num), avg(num) FROM parts');
SELECT same('SELECT avg(small), avg(id), sum(big), avg(big), sum(num), avg(num) FROM parts');
SELECT same('SELECT kind, avg(small), avg(id), sum(big), avg(big), sum(num), avg(num) FROM parts GROUP BY kind');
SELECT same('SELECT kind, avg(f4), avg(f8) FROM parts GROUP BY kind');
SELECT same('SELECT kind, sum(f4), sum(f8) FROM parts GROUP BY kind');
SELECT kind, avg(f8), avg(num), sum(num), sum(big) FROM parts WHERE id > 600 GROUP BY kind ORDER BY kind;
SELECT same('SELECT avg(f4), sum(num), avg(num), sum(big), count(*), avg(id) FROM parts WHERE id < 0');
SELECT sent('SELECT avg(num) FILTER (WHERE id % 2 = 0), avg(f4) FILTER (WHERE ok) FROM parts');
SELECT same('SELECT kind, avg(num) FILTER (WHERE id % 2 = 0), avg(f4) FILTER (WHERE ok), sum(big) FILTER (WHERE false) FROM parts GROUP BY kind');
SELECT same('SELECT kind, round(avg(num)) + sum(id), count(*) FROM parts GROUP BY kind HAVING count(*) > 1 AND max(id) > 100');
SELECT same('SELECT id % 7 AS m, count(*) FROM parts GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 3');
SELECT same('SELECT kind, region, sum(num) FROM parts GROUP BY kind, region');

-- what a server can't tell is left to us: a state of floats that others share, ordered and distinct ones, those without a half
SELECT sent('SELECT avg(f8), stddev(f8) FROM parts WHERE id < 5');
SELECT same('SELECT kind, avg(f8), stddev(f8) FROM parts WHERE id <= 600 GROUP BY kind');
SELECT same('SELECT avg(num), stddev(num), avg(big) FROM parts WHERE id <= 600');
SELECT same('SELECT kind, string_agg(kind, '','' ORDER BY id), count(DISTINCT small) FROM parts GROUP BY kind');
SELECT same('SELECT sum(span), avg(span) FROM parts');

-- groups of the partition key are whole
SELECT sent('SELECT region, count(*), avg(f8), stddev(num) FROM parts GROUP BY region HAVING count(*) > 3');
SELECT same('SELECT region, count(*), round(stddev(num), 10) FROM parts WHERE id <= 600 GROUP BY region HAVING count(*) > 3');

-- joins of partitions
SELECT sent('SELECT a.id, b.day FROM parts a JOIN parts b ON a.region = b.region AND a.id = b.id WHERE a.small = 4');
SELECT same('SELECT a.id, b.day FROM parts a JOIN parts b ON a.region = b.region AND a.id = b.id WHERE a.small = 4');
SELECT sent('SELECT a.kind, count(*), avg(b.num) FROM parts a JOIN parts b ON a.region = b.region AND a.id = b.id GROUP BY a.kind');
SELECT same('SELECT a.kind, count(*), avg(b.num) FROM parts a JOIN parts b ON a.region = b.region AND a.id = b.id GROUP BY a.kind');
-- a subquery hands a column of the other side through: a condition of one partition names it
SELECT same('SELECT a.id, s.x FROM parts a LEFT JOIN LATERAL (SELECT a.small AS x, b.* FROM parts b) s ON a.region = s.region AND a.id = s.id WHERE s.x = s.small');
SELECT same('SELECT count(*) FROM parts a LEFT JOIN LATERAL (SELECT a.small AS x, b.* FROM parts b) s ON a.region = s.region AND a.id = s.id WHERE s.x = s.small');
SELECT same('SELECT a.kind, count(*) FROM parts a WHERE EXISTS (SELECT FROM parts b WHERE a.region = b.region AND b.id = a.id + 3 AND b.small > 3) GROUP BY a.kind');

-- LIMIT, where each row of a partition is one of the result
SELECT sent('SELECT id FROM parts ORDER BY day DESC, id LIMIT 3 OFFSET 1');
SELECT same('SELECT id FROM parts ORDER BY day DESC, id LIMIT 3 OFFSET 1');
SELECT sent('SELECT id FROM parts WHERE small > 1 LIMIT 2');
CREATE FUNCTION limits(query text) RETURNS bigint LANGUAGE sql AS $$SELECT count(*) FROM sent(query) s WHERE s ~ 'LIMIT'$$;
SELECT limits('SELECT id FROM parts ORDER BY id LIMIT 5');
SELECT limits('SELECT id FROM parts ORDER BY id FETCH FIRST 2 ROWS WITH TIES');
SELECT limits('SELECT DISTINCT kind FROM parts LIMIT 2');
SELECT limits('SELECT kind, count(*) FROM parts GROUP BY kind LIMIT 2');
SELECT limits('SELECT count(*) OVER (), id FROM parts LIMIT 2');
SELECT limits('SELECT id, generate_series(1, 0) FROM parts LIMIT 2');
SELECT limits('SELECT id FROM parts WHERE random() < 2 LIMIT 2');
SELECT limits('SELECT id FROM parts ORDER BY id LIMIT 2 FOR UPDATE');
SELECT limits('SELECT p.id FROM parts p, near LIMIT 2');
SELECT limits('SELECT id FROM parts LIMIT 9223372036854775807 OFFSET 1');
SELECT same('SELECT count(*) FROM (SELECT id FROM parts WHERE random() < 2 LIMIT 17) q');
SELECT same('SELECT id FROM parts ORDER BY id LIMIT 0');
SELECT id FROM parts ORDER BY id LIMIT -1;

-- rescanned while a scan stands in line for the connection that another one streams on
CREATE FOREIGN TABLE line_1 () INHERITS (whole) SERVER append_1 OPTIONS (table_name 'part_1');
CREATE TEMP TABLE outer_rows AS SELECT i FROM generate_series(1, 3) i;
SELECT i FROM outer_rows WHERE i IN (SELECT i FROM whole);
SET pgml_fdw.transport = cursor;
SELECT i FROM outer_rows WHERE i IN (SELECT i FROM whole);
RESET pgml_fdw.transport;
SELECT i, (SELECT count(*) FROM (SELECT FROM whole LIMIT i) x) FROM outer_rows;
DROP FOREIGN TABLE line_1;
DROP TABLE outer_rows;

-- EXPLAIN: what a scan has received
SELECT count(*) FROM part_1 WHERE id < 0;
CREATE FUNCTION explained(command text) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
  plan jsonb;
BEGIN
  EXECUTE command INTO plan;
  RETURN plan #> '{0,Plan}';
END
$$;
SELECT e -> 'Remote SQL', e -> 'Rows Received', e -> 'Bytes Received', e -> 'Round Trips', e -> 'Wait Time'
  FROM explained('EXPLAIN (ANALYZE, VERBOSE, TIMING OFF, FORMAT JSON) SELECT id FROM part_1 WHERE id < 10') e;
SELECT (e ->> 'Wait Time')::float >= 0 FROM explained('EXPLAIN (ANALYZE, VERBOSE, FORMAT JSON) SELECT id FROM part_1 WHERE id < 10') e;
CREATE FUNCTION lines(command text, pattern text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
  line text;
BEGIN
  FOR line IN EXECUTE command LOOP
    IF line ~ pattern THEN
      RETURN NEXT regexp_replace(line, '[0-9.]+ ms', 'N ms');
    END IF;
  END LOOP;
END
$$;
SELECT lines('EXPLAIN (ANALYZE, VERBOSE, COSTS OFF) SELECT id FROM part_1 WHERE id < 10', 'Received');
SELECT lines('EXPLAIN (ANALYZE, VERBOSE, COSTS OFF, TIMING OFF) SELECT id FROM part_1 WHERE id < 10', 'Received');
SELECT lines('EXPLAIN (ANALYZE, COSTS OFF) SELECT id FROM part_1 WHERE id < 10', 'Received');
SET pgml_fdw.transport = cursor;
SELECT lines('EXPLAIN (ANALYZE, VERBOSE, COSTS OFF, TIMING OFF) SELECT id FROM part_1', 'Received|Transport');
SET pgml_fdw.transport = copy;
SELECT lines('EXPLAIN (ANALYZE, VERBOSE, COSTS OFF, TIMING OFF) SELECT id FROM part_1', 'Received|Transport');
RESET pgml_fdw.transport;

-- and what the remote will do
SELECT lines('EXPLAIN (COSTS OFF) SELECT id FROM part_1 WHERE id < 10', 'Remote|Scan');
SET pgml_fdw.explain_remote = on;
EXPLAIN (COSTS OFF) SELECT id FROM part_1 WHERE id < 10;
SELECT e -> 'Remote Plan' FROM explained('EXPLAIN (COSTS OFF, FORMAT JSON) SELECT id FROM part_1 WHERE id < 10') e;
PREPARE p(int) AS SELECT id FROM part_1 WHERE id < $1;
SET plan_cache_mode = force_generic_plan;
SELECT lines('EXPLAIN (COSTS OFF, VERBOSE) EXECUTE p(3)', 'Remote SQL|Seq Scan on');
SELECT lines('EXPLAIN (COSTS OFF, ANALYZE) SELECT id FROM part_1 WHERE id < 10', 'Seq Scan on');
SELECT lines('EXPLAIN (COSTS OFF) UPDATE part_1 SET small = 1 WHERE id < 10', 'Remote Plan|Update on part_1|Seq Scan on');
SET pgml_fdw.explain_remote = run;
SELECT count(*) FROM lines('EXPLAIN (COSTS OFF, ANALYZE, TIMING OFF) SELECT id FROM part_1 WHERE id < 10', 'Seq Scan on .*actual');
SELECT count(*) FROM lines('EXPLAIN (COSTS OFF) SELECT id FROM part_1 WHERE id < 10', 'Seq Scan on .*actual');
SELECT count(*) FROM lines('EXPLAIN (COSTS OFF, ANALYZE, TIMING OFF) SELECT id FROM parts WHERE small >= 0 ORDER BY id LIMIT 1', 'Seq Scan on .*actual');
BEGIN;
SELECT count(*) FROM lines('EXPLAIN (COSTS OFF, ANALYZE, TIMING OFF) UPDATE part_1 SET small = small + 1 WHERE id = 3 RETURNING small', 'Seq Scan on .*actual');
SELECT small FROM part_1 WHERE id = 3;
ROLLBACK;
CREATE FOREIGN TABLE missing (id int) SERVER append_1;
EXPLAIN SELECT * FROM missing;
RESET pgml_fdw.explain_remote;
DROP SCHEMA appends CASCADE;
DROP SERVER append_1, append_2, append_3 CASCADE;
