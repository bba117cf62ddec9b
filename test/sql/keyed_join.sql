-- Keyed joins: the remote is asked for the keys of the other side, many at a time.
\getenv abs_srcdir PG_ABS_SRCDIR
\set remote_sql :abs_srcdir '/include/remote.psql'
\i :remote_sql
\set remote_schema keyed
SELECT $fixture$
CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy');
CREATE TABLE t (id int PRIMARY KEY, big int8, txt text, c text COLLATE "C", n numeric, d date, m mood, b bool, v varchar(10), f float8, u uuid, a int[]);
INSERT INTO t SELECT i, i * 2, nullif('t' || i % 500, 't7'), 'c' || i % 100, nullif(i / 4.0, 5), date '2024-01-01' + i % 400, (ARRAY['sad', 'ok', 'happy']::mood[])[i % 3 + 1], i % 2 = 0,
  'v' || i % 300, CASE i % 500 WHEN 0 THEN 'NaN' WHEN 1 THEN '-0' ELSE i / 8.0 END, md5(i::text)::uuid, ARRAY[i % 10, NULL] FROM generate_series(1, 3000) i;
CREATE TABLE detail (t_id int, tenant int, part text, qty int);
INSERT INTO detail SELECT nullif(i % 700, 9), i % 5, 'p' || i % 11, i FROM generate_series(1, 2000) i;
CREATE INDEX ON detail (t_id);
CREATE TABLE empty (id int, x text);
CREATE TABLE odd ("K ey" int, k int, keys int, "unnest" text);
INSERT INTO odd SELECT i, i % 4, i % 3, 'o' || i FROM generate_series(1, 50) i;
$fixture$ AS fixture \gset
\set twins :abs_srcdir '/include/twins.psql'
\i :twins

SET client_min_messages = warning;
DROP SCHEMA IF EXISTS here CASCADE;
CREATE SCHEMA here;
CREATE TABLE here.l (id int, big int8, txt text, c text COLLATE "C", n numeric, note text);
INSERT INTO here.l SELECT nullif(i * 7 % 400, 49), i * 3, 't' || i % 40, 'c' || i, i / 4.00, repeat('x', i % 5)
  FROM generate_series(1, 120) i;
CREATE TABLE here.none (id int);
CREATE TABLE here.nulls (id int);
INSERT INTO here.nulls SELECT NULL FROM generate_series(1, 5);
CREATE TABLE here.pairs (a int, b text, id int);
INSERT INTO here.pairs SELECT i % 7, 'p' || i % 13, i FROM generate_series(1, 60) i;
INSERT INTO here.pairs VALUES (NULL, 'p1', 100), (1, NULL, 101);
ANALYZE here.l, here.none, here.nulls, here.pairs;
RESET client_min_messages;

-- The join of a query in a plan without other joins, what is sent for it, and the comparison of the rows
CREATE FUNCTION far.keyed(query text) RETURNS SETOF text LANGUAGE plpgsql
SET enable_hashjoin = off SET enable_mergejoin = off SET enable_nestloop = off SET jit = off AS $$
DECLARE
  line text;
BEGIN
  FOR line IN EXECUTE 'EXPLAIN (VERBOSE, COSTS OFF) ' || query LOOP
    IF line ~ '(Join Type|Join Filter): ' THEN
      RETURN NEXT regexp_replace(line, '^ *', '');
    ELSIF line ~ 'Remote SQL: .* FROM keyed.* ANY \(' THEN
      RETURN NEXT regexp_replace(regexp_replace(line, '.*Remote SQL: SELECT .* FROM keyed', ''), 'keyed\.', '', 'g');
    END IF;
  END LOOP;
  RETURN NEXT far.same(query);
END
$$;

-- kinds of joins
SELECT keyed('SELECT l.id, t.id, t.txt FROM here.l JOIN t ON t.id = l.id');
SELECT keyed('SELECT * FROM here.l LEFT JOIN t ON t.id = l.id AND t.b');
SELECT keyed('SELECT * FROM t RIGHT JOIN here.l ON t.id = l.id AND l.big > 100');
SELECT keyed('SELECT * FROM here.l WHERE EXISTS (SELECT FROM detail WHERE t_id = l.id)');
SELECT keyed('SELECT * FROM here.l WHERE EXISTS (SELECT FROM detail WHERE t_id = l.id AND qty > l.big)');
SELECT keyed('SELECT * FROM here.l WHERE NOT EXISTS (SELECT FROM detail WHERE t_id = l.id)');
SELECT keyed('SELECT * FROM here.l WHERE NOT EXISTS (SELECT FROM detail WHERE t_id = l.id AND qty > l.big)');
SELECT keyed('SELECT * FROM here.l LEFT JOIN t ON t.id = l.id WHERE t.id IS NULL');
SELECT keyed('SELECT l.*, t FROM here.l LEFT JOIN t ON t.id = l.id WHERE t.n IS DISTINCT FROM l.n');
SELECT keyed('SELECT t.id FROM t WHERE t.id IN (SELECT id FROM here.l)');
SELECT keyed('SELECT t.id FROM t WHERE t.id IN (SELECT id FROM here.l WHERE big < 30) AND t.b');
SELECT keyed('SELECT d.* FROM detail d WHERE d.t_id IN (SELECT id FROM here.l)');

-- the ends
SELECT keyed('SELECT * FROM here.none JOIN t USING (id)');
SELECT keyed('SELECT * FROM here.nulls JOIN t USING (id)');
SELECT keyed('SELECT * FROM here.nulls LEFT JOIN t USING (id)');
SELECT keyed('SELECT * FROM here.l LEFT JOIN empty USING (id)');
SELECT keyed('SELECT * FROM here.l WHERE NOT EXISTS (SELECT FROM empty WHERE empty.id = l.id)');

-- key types: of two widths, with a collation, null and not a number, an enum, odd names
SELECT keyed('SELECT l.big, t.id FROM here.l JOIN t ON t.id = l.big');
SELECT keyed('SELECT l.id, t.big FROM here.l JOIN t ON l.id = t.big');
SELECT keyed('SELECT l.txt, t.id FROM here.l JOIN t ON l.txt = t.txt');
SELECT keyed('SELECT l.c, t.id FROM here.l JOIN t ON l.c = t.c');
SELECT keyed('SELECT l.n, t.n FROM here.l JOIN t ON l.n = t.n');
SELECT keyed('SELECT x.m, t.id FROM (VALUES (''sad''::mood), (''happy'')) x (m) JOIN t ON x.m = t.m AND t.id < 10');
SELECT keyed('SELECT x.f, t.id FROM (VALUES (float8 ''NaN''), (0), (2.5)) x (f) JOIN t ON x.f = t.f');
SELECT keyed('SELECT x.u, t.id FROM (SELECT md5(i::text)::uuid AS u FROM generate_series(1, 20) i) x JOIN t ON x.u = t.u');
SELECT keyed('SELECT x.v, t.id FROM (VALUES (varchar ''v1''), (''v2''), (''it''''s \ "q", {}'')) x (v) JOIN t ON x.v = t.v');
SELECT keyed('SELECT x.id, o.* FROM here.pairs x JOIN odd o ON o."K ey" = x.id');
SELECT keyed('SELECT x.id, o.* FROM here.pairs x JOIN odd o ON o.k = x.a AND o.keys = x.id % 3 AND o."unnest" = ''o'' || x.id');
-- expressions on both sides
SELECT keyed('SELECT l.id, t.id FROM here.l JOIN t ON upper(t.c) = upper(l.c)');
SELECT keyed('SELECT l.id, t.id FROM here.l JOIN t ON t.id + 1 = l.big - 1');
-- no arrays of arrays: another way must be found
SELECT same('SELECT x.a, count(*) FROM (VALUES (ARRAY[1, NULL])) x (a) JOIN t ON x.a = t.a GROUP BY 1');
-- keys of several columns
SELECT keyed('SELECT p.id, d.qty FROM here.pairs p JOIN detail d ON d.tenant = p.a AND d.part = p.b');
SELECT keyed('SELECT p.id, d.qty FROM here.pairs p LEFT JOIN detail d ON d.tenant = p.a AND d.part = p.b AND d.t_id = p.id AND d.qty < 1000');

-- what the remote can't be asked
SELECT keyed('SELECT l.id, t.id FROM here.l JOIN t ON t.id = l.id AND t.big < l.big + random() WHERE random() >= 0');
SELECT keyed('SELECT l.id, t.id FROM here.l JOIN (SELECT * FROM t WHERE big + random() > 0) t ON t.id = l.id');

-- joins, aggregates and limits around it; both sides joins
SELECT keyed('SELECT l.id, t.id, d.qty FROM here.l JOIN (t JOIN detail d ON d.t_id = t.id) ON t.id = l.id');
SELECT keyed('SELECT l.id, t.txt, d.qty FROM here.l LEFT JOIN (t JOIN detail d ON d.t_id = t.id AND d.qty > 500) ON t.id = l.id');
SELECT keyed('SELECT l.id, t.id, p.id FROM here.l JOIN here.pairs p ON p.id = l.big JOIN t ON t.id = p.id + 1');
SELECT keyed('SELECT t.b, count(*), sum(l.big) FROM here.l JOIN t USING (id) GROUP BY 1 HAVING count(*) > 1');
SELECT keyed('SELECT l.id, t.txt FROM here.l JOIN t USING (id) ORDER BY l.id DESC, l.big LIMIT 7');
SELECT keyed('SELECT count(*) FROM here.l JOIN t USING (id)');
SELECT keyed('SELECT l.id, COALESCE(t.txt, ''-'') FROM here.l LEFT JOIN (SELECT id, COALESCE(txt, ''none'') AS txt FROM t) t USING (id)');
SELECT keyed('SELECT (SELECT sum(t.id) FROM here.l JOIN t ON t.id = l.id AND l.big > p.id) FROM here.pairs p WHERE p.id < 6');
SELECT keyed('SELECT p.id, x.* FROM here.pairs p, LATERAL (SELECT l.id, t.big FROM here.l JOIN t USING (id) WHERE l.big > p.id * 20 OFFSET 0) x WHERE p.id < 6');
SELECT same('WITH RECURSIVE r (id) AS (SELECT 1 UNION SELECT t.big::int FROM r JOIN t ON t.id = r.id WHERE t.big < 1000) SELECT * FROM r');
SELECT keyed('SELECT l.id, EXISTS (SELECT FROM detail d WHERE d.t_id = l.id AND d.qty > t.id) FROM here.l JOIN t ON t.id = l.id');

-- more rows than a batch has; all of one key
CREATE TABLE here.many AS SELECT i % 2000 AS id, repeat('y', 20) AS pad FROM generate_series(1, 2500) i;
CREATE TABLE here.one AS SELECT 3 AS id, i * 3 AS i FROM generate_series(1, 1000) i;
ANALYZE here.many, here.one;
SELECT keyed('SELECT m.id, m.pad, t.id FROM here.many m JOIN t USING (id)');
SELECT keyed('SELECT m.id, t.id FROM here.many m LEFT JOIN t USING (id) WHERE t.b IS NOT TRUE');
SELECT keyed('SELECT m.id FROM here.many m WHERE EXISTS (SELECT FROM detail d WHERE d.t_id = m.id)');
SELECT keyed('SELECT m.id FROM here.many m WHERE NOT EXISTS (SELECT FROM detail d WHERE d.t_id = m.id)');
SELECT keyed('SELECT o.i, d.qty FROM here.one o JOIN detail d ON d.t_id = o.id AND d.qty > o.i');
SET work_mem = 64;
SELECT keyed('SELECT m.id, m.pad, t.txt FROM here.many m JOIN t USING (id)');
RESET work_mem;

-- each transport
SET pgml_fdw.transport = 'copy';
SELECT keyed('SELECT l.id, t.* FROM here.l LEFT JOIN t USING (id)');
SELECT keyed('SELECT m.id, t.id FROM here.many m JOIN t USING (id)');
SET pgml_fdw.transport = 'cursor';
SELECT keyed('SELECT m.id, t.id FROM here.many m JOIN t USING (id)');
RESET pgml_fdw.transport;

-- two of them at once, and beside another scan
SELECT keyed('SELECT l.id, t.id, d.qty FROM here.l JOIN t USING (id) JOIN detail d ON d.t_id = l.id AND d.qty < l.big + 300');

-- cursors, forward and back
SET enable_hashjoin = off;
SET enable_mergejoin = off;
SET enable_nestloop = off;
BEGIN;
DECLARE c SCROLL CURSOR FOR SELECT m.id FROM here.many m JOIN t ON t.id = m.id WHERE m.id < 20 ORDER BY 1;
FETCH 3 FROM c;
MOVE LAST FROM c;
FETCH BACKWARD 2 FROM c;
CLOSE c;
DECLARE c NO SCROLL CURSOR FOR SELECT l.id = t.id FROM here.l JOIN t USING (id);
FETCH 2 FROM c;
COMMIT;

-- generic plans
PREPARE p (int, text) AS SELECT count(*), sum(t.id) FROM here.l JOIN t USING (id) WHERE l.big > $1 AND t.c <> $2;
SET plan_cache_mode = force_generic_plan;
EXECUTE p (100, 'c1');
EXECUTE p (300, 'c2');
RESET plan_cache_mode;
DEALLOCATE p;

-- rows that are changed
SELECT alike('UPDATE t SET v = l.note FROM here.l WHERE l.id = t.id');
SELECT alike('UPDATE t SET txt = t.txt || l.big FROM here.l WHERE l.id = t.id AND l.big <> t.big RETURNING t.id > 0, l.id = t.id');
SELECT alike('UPDATE detail SET part = detail::text FROM here.pairs p WHERE p.id = t_id AND p.a = tenant', '{detail}');
SELECT alike('DELETE FROM detail USING here.l WHERE l.id = detail.t_id AND l.big > 200', '{detail}');
SELECT alike('DELETE FROM detail USING here.pairs p WHERE p.a = detail.tenant AND p.b = part AND random() >= 0', '{detail}');
BEGIN;
SELECT count(*) FROM (SELECT t.id FROM here.l JOIN t USING (id) FOR UPDATE) x;
SELECT count(*) FROM (SELECT t.id FROM here.l JOIN t USING (id) FOR SHARE OF t) x;
SELECT count(*) FROM (SELECT t.id FROM here.l JOIN t USING (id) FOR UPDATE OF l) x;
COMMIT;

-- not where the scan may be run only once
SELECT alike('INSERT INTO detail SELECT t_id, tenant, part, qty + 10000 FROM detail JOIN here.l ON l.id = t_id AND random() >= 0', '{detail}');

-- EXPLAIN
CREATE FUNCTION far.told(query text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
  line text;
BEGIN
  FOR line IN EXECUTE 'EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF) ' || query LOOP
    IF line ~ 'Custom Scan|Join Type|Key Cond|Join Filter|Keys|Batches|Round Trips' THEN
      RETURN NEXT regexp_replace(line, ' \(actual.*', '');
    END IF;
  END LOOP;
END
$$;
SELECT told('SELECT l.id, t.id FROM here.l LEFT JOIN t ON t.id = l.id AND t.big > l.big');
SELECT told('SELECT m.id FROM here.many m WHERE NOT EXISTS (SELECT FROM t WHERE t.id = m.id)');
EXPLAIN (COSTS OFF) SELECT l.id, t.txt FROM here.l LEFT JOIN t ON t.id = l.id AND t.big > l.big;
RESET enable_hashjoin;
RESET enable_mergejoin;
RESET enable_nestloop;

-- By itself: a few keys and a large table, counted here or not, in one round trip
CREATE FUNCTION far.joins_by(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  line text;
  answer text := '';
BEGIN
  FOR line IN EXECUTE 'EXPLAIN (COSTS OFF) ' || query LOOP
    answer := answer || COALESCE(substring(line FROM 'keyed join|Hash Join|Nested Loop|Merge Join') || ' ', '');
  END LOOP;
  RETURN answer;
END
$$;
SELECT joins_by('SELECT * FROM here.l JOIN t USING (id)');
SET pgml_fdw.enable_keyed_join = off;
SELECT joins_by('SELECT * FROM here.l JOIN t USING (id)') ~ 'keyed';
RESET pgml_fdw.enable_keyed_join;
CREATE FUNCTION far.trips(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  before bigint;
  n bigint;
BEGIN
  EXECUTE 'EXPLAIN ' || query;
  SELECT round_trips INTO before FROM pgml_fdw_stats();
  EXECUTE 'SELECT count(*) FROM (' || query || ') x' INTO n;
  RETURN format('%s rows, %s round trips', n, (SELECT round_trips FROM pgml_fdw_stats()) - before);
END
$$;
CREATE TABLE here.keys AS SELECT i * 29 AS id FROM generate_series(1, 100) i;
SELECT joins_by('SELECT * FROM here.keys k JOIN t ON t.id = k.id');
SELECT trips('SELECT k.id, t.txt FROM here.keys k JOIN t ON t.id = k.id');
ANALYZE here.keys;
SELECT joins_by('SELECT * FROM here.keys k JOIN t ON t.id = k.id');
SELECT trips('SELECT k.id, t.txt FROM here.keys k JOIN t ON t.id = k.id');
SELECT joins_by('SELECT * FROM t WHERE t.id IN (SELECT id FROM here.keys)');
SELECT trips('SELECT t.txt FROM t WHERE t.id IN (SELECT id FROM here.keys)');
SELECT trips('SELECT t.txt FROM t WHERE t.id = ANY (ARRAY(SELECT id FROM here.keys))');
ANALYZE t;
SELECT joins_by('SELECT * FROM here.keys k JOIN t ON t.id = k.id');
SELECT trips('SELECT k.id, t.txt FROM here.keys k JOIN t ON t.id = k.id');
-- batches of 1000, 4000 and the rest of 6000 keys
CREATE TABLE here.lots AS SELECT i % 6000 AS id FROM generate_series(1, 12000) i;
ANALYZE here.lots;
SET enable_hashjoin = off;
SELECT joins_by('SELECT * FROM here.lots m JOIN t ON t.id = m.id');
SELECT trips('SELECT m.id, t.txt FROM here.lots m JOIN t ON t.id = m.id');
RESET enable_hashjoin;
-- nothing is asked for no keys
SELECT trips('SELECT t.txt FROM here.none k JOIN t ON t.id = k.id');
-- what is decided once for the whole join
SET enable_hashjoin = off;
SET enable_mergejoin = off;
SET enable_nestloop = off;
SELECT same('SELECT k, (SELECT count(*) FROM here.l JOIN t ON t.id = l.id WHERE k = 1) AS n FROM generate_series(1, 2) AS k');
SELECT same('SELECT k, (SELECT count(*) FROM here.l LEFT JOIN t ON t.id = l.id WHERE k = 1) AS n FROM generate_series(1, 2) AS k');
PREPARE once(text) AS SELECT l.id, t.txt FROM here.l LEFT JOIN t ON t.id = l.id WHERE $1 LIKE '%b';
SET plan_cache_mode = force_generic_plan;
SELECT same($$EXECUTE once('a')$$);
SELECT same($$EXECUTE once('ab')$$);
RESET plan_cache_mode;
-- a key that is a subquery of the remote's, which has columns of the same names
SELECT joins_by('SELECT p.id, d.qty FROM here.pairs p JOIN detail d ON p.id = d.t_id AND p.a = (SELECT min(e.tenant) FROM detail e WHERE e.qty = d.t_id)');
SELECT same('SELECT p.id, d.qty FROM here.pairs p JOIN detail d ON p.id = d.t_id AND p.a = (SELECT min(e.tenant) FROM detail e WHERE e.qty = d.t_id)');
SELECT same('SELECT p.id, d.qty FROM here.pairs p JOIN detail d ON p.id = d.t_id AND p.a = (SELECT min(e.tenant) FROM detail e, detail f WHERE e.qty = d.t_id AND f.qty = e.qty)');
RESET enable_hashjoin;
RESET enable_mergejoin;
RESET enable_nestloop;
DEALLOCATE once;

\pset tuples_only off
\pset format aligned
SET client_min_messages = warning;
DROP SCHEMA here CASCADE;
DROP SCHEMA near, far CASCADE;
DROP SERVER twin_server CASCADE;
