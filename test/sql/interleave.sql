-- Several scans of one server at once, which share one connection: the same rows as
-- from local tables under each transport, whoever reads what when.
\getenv abs_srcdir PG_ABS_SRCDIR
\set remote_sql :abs_srcdir '/include/remote.psql'
\i :remote_sql
\set remote_schema interleave
SELECT $fixture$
-- too much for the buffers between the servers: a stream of it is still on when the next begins
CREATE TABLE big (id int PRIMARY KEY, pad text);
INSERT INTO big SELECT i, repeat(md5(i::text), 20) FROM generate_series(1, 3000) i;
CREATE TABLE mid (id int PRIMARY KEY, big_id int, pad text);
INSERT INTO mid SELECT i, (i * 7) % 3000 + 1, repeat('m', i) FROM generate_series(1, 300) i;
CREATE TABLE small (id int PRIMARY KEY, mid_id int);
INSERT INTO small SELECT i, i * 13 FROM generate_series(1, 20) i;
CREATE VIEW bad AS SELECT id, 1 / (id - 10) AS q FROM small;
CREATE TABLE log (id serial, what text);
-- its last rows wait for who holds the lock; there are more before than libpq waits for at a time
CREATE VIEW slow AS SELECT id, repeat('s', 1000) AS pad, CASE WHEN id > 200 THEN pg_advisory_xact_lock_shared(77) END::text FROM generate_series(1, 300) id;
$fixture$ AS fixture \gset
\set twins :abs_srcdir '/include/twins.psql'
\i :twins
-- (sizes are unknown here, and so are costs)
SET jit = off;
ALTER SERVER twin_server OPTIONS (ADD fetch_size '50');
ALTER FOREIGN TABLE far.log ALTER id DROP NOT NULL;

CREATE FUNCTION far.each(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  way text;
  answer text;
  first text;
BEGIN
  FOREACH way IN ARRAY '{auto,copy,row,cursor}'::text[] LOOP
    PERFORM set_config('pgml_fdw.transport', way, true);
    answer := far.same(query);
    IF answer !~ '^same' THEN
      RETURN format('%s: %s', way, answer);
    END IF;
    first := coalesce(first, answer);
  END LOOP;
  RETURN first;
END
$$;

-- joins, by each method
SET enable_hashjoin = off;
SET enable_nestloop = off;
SELECT each('SELECT a.id, md5(a.pad), md5(b.pad) FROM big a JOIN big b USING (id)');
SELECT each('SELECT count(*), sum(length(a.pad)) FROM big a JOIN big b USING (id) JOIN big c USING (id)');
RESET enable_nestloop;
SET enable_mergejoin = off;
SET enable_material = off;
SELECT each('SELECT s.id, b.id, md5(b.pad) FROM small s JOIN mid m ON m.id = s.mid_id JOIN big b ON b.id = m.big_id');
SELECT each('SELECT b.id, md5(b.pad), s.id FROM big b JOIN small s ON s.mid_id = b.id');
SELECT each('SELECT a.id, b.id, md5(b.pad) FROM small a, big b WHERE a.id < 4 AND b.id % 100 = a.id AND random() >= 0');
SELECT each('SELECT a.id, b.id FROM big a, LATERAL (SELECT id FROM big b WHERE b.id > a.id AND random() >= 0 LIMIT 2) b WHERE a.id % 100 = 0');
RESET enable_hashjoin;
RESET enable_mergejoin;
RESET enable_material;
SET enable_nestloop = off;
SET enable_mergejoin = off;
SELECT each('SELECT count(*), sum(a.id + b.id), max(md5(a.pad)) FROM big a JOIN big b ON a.id = 3001 - b.id JOIN mid m ON m.big_id = a.id');
RESET enable_nestloop;
RESET enable_mergejoin;
-- three, ten
SELECT each('SELECT a.id, md5(c.pad) FROM big a JOIN big b ON b.id = a.id + 1 JOIN big c ON c.id = b.id + 1');
SELECT each($$SELECT count(*), sum(t.id), md5(string_agg(t.pad, '' ORDER BY t.id, t.n)) FROM (
  SELECT id, pad, 1 AS n FROM big UNION ALL SELECT id, pad, 2 FROM big UNION ALL SELECT id, pad, 3 FROM mid UNION ALL SELECT id, pad, 4 FROM big
  UNION ALL SELECT id, '', 5 FROM small UNION ALL SELECT id, pad, 6 FROM big UNION ALL SELECT id, pad, 7 FROM mid UNION ALL SELECT id, pad, 8 FROM big
  UNION ALL SELECT id, pad, 9 FROM big UNION ALL SELECT id, pad, 10 FROM big) t$$);
SET enable_hashjoin = off;
SET enable_nestloop = off;
SELECT each($$SELECT id, md5(concat(a.pad, b.pad, c.pad, d.pad, e.pad, f.pad, g.pad, h.pad, i.pad, j.pad))
  FROM big a JOIN big b USING (id) JOIN big c USING (id) JOIN big d USING (id) JOIN big e USING (id)
  JOIN big f USING (id) JOIN big g USING (id) JOIN big h USING (id) JOIN big i USING (id) JOIN big j USING (id)$$);
RESET enable_hashjoin;
RESET enable_nestloop;
-- sorted there, merged here, as partitions are
CREATE TABLE near.parts (id int, pad text);
INSERT INTO near.parts SELECT id, pad FROM near.big UNION ALL SELECT id, pad FROM near.mid;
CREATE TABLE far.parts (id int, pad text);
CREATE FOREIGN TABLE far.part1 () INHERITS (far.parts) SERVER twin_server OPTIONS (schema_name 'interleave', table_name 'big');
CREATE FOREIGN TABLE far.part2 () INHERITS (far.parts) SERVER twin_server OPTIONS (schema_name 'interleave', table_name 'mid');
EXPLAIN (COSTS OFF) SELECT id, pad FROM parts ORDER BY id LIMIT 2000;
SELECT each('SELECT id, md5(pad), row_number() OVER () FROM (SELECT id, pad FROM parts ORDER BY id, length(pad)) x');
SELECT each('SELECT id, row_number() OVER () FROM (SELECT id FROM parts ORDER BY id LIMIT 700) x');
-- (a constant is no number of a column, and sorts nothing)
SELECT each('SELECT * FROM (SELECT id, pad, 2 AS n FROM big WHERE id < 9 UNION ALL SELECT id, pad, 7 FROM mid WHERE id < 9 UNION ALL SELECT id, NULL, -1 FROM small) x ORDER BY id, n LIMIT 15');
-- subqueries and CTEs, read in part and in turns
SELECT each('SELECT a.id, (SELECT md5(b.pad) FROM big b WHERE b.id = a.id), (SELECT count(*) FROM mid WHERE id < a.id) FROM big a WHERE a.id % 300 = 0');
SELECT each('WITH c AS MATERIALIZED (SELECT * FROM big) SELECT a.id, md5(b.pad) FROM c a JOIN mid m ON m.id = a.id JOIN c b ON b.id = m.big_id');
SELECT each('WITH c AS MATERIALIZED (SELECT id FROM big), d AS MATERIALIZED (SELECT id FROM mid) SELECT (SELECT id FROM c ORDER BY id LIMIT 1), (SELECT count(*) FROM d), (SELECT count(*) FROM c)');
SELECT each('WITH RECURSIVE r AS (SELECT id, big_id FROM mid WHERE id = 1 UNION ALL SELECT m.id, m.big_id FROM r JOIN mid m ON m.id = r.id + 1 WHERE m.id < 30) SELECT r.id, md5(b.pad) FROM r JOIN big b ON b.id = r.big_id');
SELECT each('SELECT id FROM big EXCEPT (SELECT big_id FROM mid INTERSECT SELECT id FROM big)');
SELECT each('SELECT (SELECT id FROM big WHERE random() >= 0 LIMIT 1) = 0, EXISTS (SELECT FROM big WHERE random() >= 0), count(*) FROM big');
SELECT each('SELECT sum(1 / (b.id - 1500)) FROM big b JOIN mid m ON m.id = b.id % 300');
SELECT each('SELECT count(*) FROM big b JOIN bad ON bad.id = b.id % 20 WHERE q IS NOT NULL');

-- loops in loops, in functions that queries call
CREATE FUNCTION far.pad_of(int) RETURNS text LANGUAGE plpgsql AS 'BEGIN RETURN (SELECT md5(pad) FROM big WHERE id = $1); END';
CREATE FUNCTION far.first_of(int) RETURNS SETOF int LANGUAGE plpgsql AS $$
DECLARE
  r record;
BEGIN
  FOR r IN SELECT id, pad FROM big WHERE id >= $1 ORDER BY id LOOP
    RETURN NEXT r.id;
    EXIT WHEN r.id > $1 + 1;
  END LOOP;
END
$$;
CREATE FUNCTION far.loops() RETURNS TABLE (what text, n bigint) LANGUAGE plpgsql AS $$
DECLARE
  a record;
  b record;
  c record;
  cur CURSOR (low int) FOR SELECT id, pad FROM big WHERE id > low ORDER BY id;
  failures int := 0;
BEGIN
  n := 0;
  FOR a IN SELECT id, pad FROM big ORDER BY id LOOP
    EXIT WHEN a.id > 15;
    FOR b IN SELECT id, pad FROM mid WHERE id >= a.id ORDER BY id LOOP
      EXIT WHEN b.id > a.id + 3;
      BEGIN
        FOR c IN cur(b.id) LOOP
          n := n + c.id;
          EXIT WHEN c.id > b.id + 60;
          IF c.id % 10 = 0 AND a.id % 5 = 0 THEN
            PERFORM count(*) FROM bad WHERE q IS NOT NULL;
          ELSIF c.id % 30 = 0 AND a.id % 7 = 0 THEN
            PERFORM 1 / (c.id % 30);
          ELSIF far.pad_of(c.id) <> md5(c.pad) THEN
            RAISE 'a row of c is damaged';
          END IF;
        END LOOP;
      EXCEPTION WHEN division_by_zero THEN
        failures := failures + 1;
      END;
      IF b.pad <> repeat('m', b.id) THEN
        RAISE 'a row of b is damaged';
      END IF;
    END LOOP;
    IF md5(a.id::text) <> left(a.pad, 32) THEN
      RAISE 'a row of a is damaged';
    END IF;
  END LOOP;
  what := failures || ' failures';
  RETURN NEXT;
  RETURN QUERY SELECT 'rows', count(*) FROM big;
END
$$;
SELECT each('SELECT * FROM far.loops()');
SELECT * FROM far.loops();
SELECT each('SELECT id, far.pad_of(id) = md5(pad) FROM big WHERE id % 50 = 0');
SELECT each('SELECT m.id, far.first_of(m.id) FROM mid m WHERE m.id <= 30');
SELECT each('SELECT b.id, f FROM big b JOIN mid m ON m.id = b.id, far.first_of(b.id) f WHERE b.id % 50 = 0');

-- writes between the rows of scans
CREATE FUNCTION far.note(what text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  IF current_setting('search_path') ~ 'far' THEN
    INSERT INTO far.log (id, what) VALUES (0, $1);
  ELSE
    INSERT INTO near.log (id, what) VALUES (0, $1);
  END IF;
END
$$;
CREATE FUNCTION far.noting() RETURNS TABLE (n bigint) LANGUAGE plpgsql AS $$
DECLARE
  a record;
BEGIN
  FOR a IN SELECT id, pad FROM big ORDER BY id LOOP
    EXIT WHEN a.id > 30;
    BEGIN
      PERFORM far.note('loop ' || a.id);
      IF a.id % 3 = 0 THEN
        PERFORM count(*) FROM bad WHERE q IS NOT NULL;
      END IF;
    EXCEPTION WHEN division_by_zero THEN
    END;
  END LOOP;
  RETURN QUERY SELECT count(*) FROM log;
  RETURN QUERY SELECT count(*) FROM (SELECT far.note('query ' || id) FROM big WHERE id <= 50 AND random() >= 0) x;
  RETURN QUERY SELECT count(*) FROM log;
END
$$;
-- (what each of them leaves is rolled back by nobody: the numbers grow)
SELECT each('SELECT n > 0 FROM far.noting()');
SELECT same('SELECT what, count(*) FROM log GROUP BY what');

-- Cursors of the user, in turns, across subtransactions: the same script for the local
-- tables and for each transport
SELECT $script$
BEGIN;
DECLARE a CURSOR FOR SELECT id, md5(pad) FROM big ORDER BY id;
DECLARE b CURSOR FOR SELECT id, md5(pad) FROM big ORDER BY id DESC;
DECLARE c SCROLL CURSOR FOR SELECT m.id, left(b.pad, 4) FROM mid m JOIN big b ON b.id = m.big_id ORDER BY m.id;
FETCH 2 FROM a;
FETCH 1 FROM b;
FETCH 1 FROM a;
FETCH 2 FROM c;
FETCH BACKWARD 1 FROM c;
MOVE 2900 FROM a;
SELECT count(*), sum(length(pad)) FROM big;
FETCH 1 FROM a;
FETCH 1 FROM b;
FETCH LAST FROM c;
FETCH ABSOLUTE 3 FROM c;
CLOSE b;
FETCH 1 FROM a;
MOVE ALL FROM a;
FETCH 1 FROM a;
COMMIT;
-- held
BEGIN;
DECLARE a CURSOR WITH HOLD FOR SELECT id, md5(pad) FROM big ORDER BY id;
DECLARE b SCROLL CURSOR WITH HOLD FOR SELECT id FROM mid ORDER BY id DESC;
DECLARE c CURSOR FOR SELECT id FROM big ORDER BY id;
FETCH 1 FROM a;
FETCH 1 FROM b;
FETCH 1 FROM c;
COMMIT;
FETCH 2 FROM a;
FETCH LAST FROM b;
FETCH FIRST FROM b;
MOVE 2996 FROM a;
FETCH ALL FROM a;
CLOSE ALL;
-- held, and the transaction fails
BEGIN;
DECLARE a CURSOR WITH HOLD FOR SELECT id FROM big ORDER BY id;
FETCH 1 FROM a;
ROLLBACK;
FETCH 1 FROM a;
-- begun here, read on there
BEGIN;
DECLARE a CURSOR FOR SELECT id, md5(pad) FROM big ORDER BY id;
FETCH 1 FROM a;
SAVEPOINT s1;
FETCH 1 FROM a;
DECLARE b CURSOR FOR SELECT id, md5(pad) FROM big ORDER BY id;
FETCH 1 FROM b;
SAVEPOINT s2;
FETCH 1 FROM a;
FETCH 1 FROM b;
DECLARE c CURSOR FOR SELECT id, md5(pad) FROM mid ORDER BY id;
FETCH 1 FROM c;
SELECT count(*) FROM bad WHERE q > 0;
ROLLBACK TO s2;
FETCH 1 FROM a;
FETCH 1 FROM b;
FETCH 1 FROM c;
ROLLBACK TO s2;
DECLARE c CURSOR FOR SELECT id, md5(pad) FROM big ORDER BY id;
FETCH 1 FROM c;
RELEASE s2;
FETCH 1 FROM c;
FETCH 1 FROM b;
RELEASE s1;
FETCH 1 FROM c;
FETCH 1 FROM b;
SAVEPOINT s3;
FETCH 1 FROM b;
CLOSE b;
ROLLBACK TO s3;
FETCH 1 FROM a;
FETCH 1 FROM c;
SELECT count(*) FROM mid;
MOVE 2980 FROM c;
FETCH 1 FROM c;
COMMIT;
-- all open when an error comes, and then gone
BEGIN;
SAVEPOINT s1;
DECLARE a CURSOR FOR SELECT id FROM big ORDER BY id;
DECLARE b CURSOR FOR SELECT id FROM big ORDER BY id DESC;
FETCH 1 FROM a;
FETCH 1 FROM b;
SELECT 1 / 0;
ROLLBACK TO s1;
FETCH 1 FROM a;
ROLLBACK TO s1;
SELECT count(*) FROM big;
COMMIT;
$script$ AS script \gset
\set ECHO none
SET search_path = near, public;
\echo local
:script
SET search_path = far, public;
SET pgml_fdw.transport = 'auto';
\echo auto
:script
SET pgml_fdw.transport = 'copy';
\echo copy
:script
SET pgml_fdw.transport = 'row';
\echo row
:script
SET pgml_fdw.transport = 'cursor';
\echo cursor
:script
\set ECHO all

-- A cursor whose remote part began in a subtransaction that was rolled back has lost
-- its rows; what it doesn't do is to give wrong ones, or to harm others.
CREATE FUNCTION far.lost_cursor(way text) RETURNS TABLE (what text, answer text) LANGUAGE plpgsql AS $$
DECLARE
  c refcursor;
  d refcursor;
  r record;
BEGIN
  PERFORM set_config('pgml_fdw.transport', way, true);
  OPEN d FOR SELECT id, pad FROM big ORDER BY id;
  FETCH d INTO r;
  OPEN c FOR SELECT id, pad FROM big ORDER BY id;
  BEGIN
    FETCH c INTO r;
    what := 'before'; answer := r.id; RETURN NEXT;
    PERFORM 1 / 0;
  EXCEPTION WHEN division_by_zero THEN
  END;
  BEGIN
    LOOP
      FETCH c INTO r;
      EXIT WHEN NOT FOUND;
    END LOOP;
    what := 'to the end of'; answer := r.id; RETURN NEXT;
  EXCEPTION WHEN OTHERS THEN
    what := 'after'; answer := SQLERRM; RETURN NEXT;
  END;
  FETCH d INTO r;
  what := 'the other'; answer := r.id; RETURN NEXT;
  what := 'count'; answer := count(*) FROM big; RETURN NEXT;
END
$$;
SELECT way, x.* FROM unnest('{auto,copy,row,cursor}'::text[]) way, far.lost_cursor(way) x;

-- who puts a cursor's rows aside is interrupted: they go on where that has stopped
CREATE FUNCTION far.rest(c refcursor) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  r record;
  n int := 0;
  ids int := 0;
BEGIN
  LOOP
    FETCH c INTO r;
    EXIT WHEN NOT FOUND;
    n := n + 1;
    ids := ids + r.id;
  END LOOP;
  RETURN format('%s rows, of %s', n, ids);
END
$$;
SELECT dblink_connect('holder', 'twin_server');
SET statement_timeout = '1min';
SELECT count(*) FROM dblink('holder', 'SELECT pg_advisory_lock(77)') AS x (held text);
BEGIN;
SET LOCAL pgml_fdw.transport = 'copy';
DECLARE c CURSOR FOR SELECT id, pad FROM far.slow WHERE random() >= 0;
FETCH 3 FROM c \g /dev/null
SAVEPOINT s;
SET LOCAL statement_timeout = '200ms';
SELECT count(*) FROM far.mid;
ROLLBACK TO s;
SELECT count(*) FROM dblink('holder', 'SELECT pg_advisory_unlock(77)') AS x (freed text);
SELECT far.rest('c');
COMMIT;
SELECT count(*) FROM dblink('holder', 'SELECT pg_advisory_lock(77)') AS x (held text);
BEGIN;
SET LOCAL pgml_fdw.transport = 'copy';
DECLARE c CURSOR FOR SELECT id, pad FROM far.slow WHERE random() >= 0;
FETCH 3 FROM c \g /dev/null
SAVEPOINT s;
SET LOCAL statement_timeout = '200ms';
SELECT count(*) FROM far.mid;
ROLLBACK TO s;
SELECT count(*) FROM dblink('holder', 'SELECT pg_advisory_unlock(77)') AS x (freed text);
SELECT count(*) FROM far.mid;
SELECT far.rest('c');
COMMIT;
SELECT count(*) FROM dblink('holder', 'SELECT pg_advisory_lock(77)') AS x (held text);
BEGIN;
SET LOCAL pgml_fdw.transport = 'row';
DECLARE c CURSOR FOR SELECT id, pad FROM far.slow WHERE random() >= 0;
FETCH 3 FROM c \g /dev/null
SAVEPOINT s;
SET LOCAL statement_timeout = '200ms';
SELECT count(*) FROM far.mid;
ROLLBACK TO s;
SELECT count(*) FROM dblink('holder', 'SELECT pg_advisory_unlock(77)') AS x (freed text);
SELECT far.rest('c');
COMMIT;
SELECT count(*) FROM dblink('holder', 'SELECT pg_advisory_lock(77)') AS x (held text);
BEGIN;
SET LOCAL pgml_fdw.transport = 'row';
DECLARE c CURSOR FOR SELECT id, pad FROM far.slow WHERE random() >= 0;
FETCH 3 FROM c \g /dev/null
SAVEPOINT s;
SET LOCAL statement_timeout = '200ms';
SELECT count(*) FROM far.mid;
ROLLBACK TO s;
SELECT count(*) FROM dblink('holder', 'SELECT pg_advisory_unlock(77)') AS x (freed text);
SELECT count(*) FROM far.mid;
SELECT far.rest('c');
COMMIT;
RESET statement_timeout;
SELECT dblink_disconnect('holder');

\pset tuples_only off
\pset format aligned
SET client_min_messages = warning;
DROP SCHEMA near, far CASCADE;
DROP SERVER twin_server CASCADE;
