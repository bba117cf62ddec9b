-- UPDATE and DELETE whose rows are gathered and applied in batches: as on a local
-- table, whoever runs the statement, and with nothing pending behind it.
\getenv abs_srcdir PG_ABS_SRCDIR
\set remote_sql :abs_srcdir '/include/remote.psql'
\i :remote_sql
\set remote_schema apply
SELECT $fixture$
CREATE DOMAIN small AS int CHECK (VALUE < 100000);
CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy');
CREATE TABLE t (id int PRIMARY KEY, v text, n int CHECK (n <> -999));
INSERT INTO t SELECT i, 'v' || i, i FROM generate_series(1, 1200) i;
CREATE TABLE hot (id int, n int) WITH (fillfactor = 30);
INSERT INTO hot SELECT i, 0 FROM generate_series(1, 700) i;
CREATE TABLE types (id int, emb float4[], grid int[], sm small, c5 char(5), v5 varchar(5), num numeric(8, 2),
                    js jsonb, m mood, ts timestamptz, b bytea, iv interval, nul float8);
INSERT INTO types (id) SELECT i FROM generate_series(1, 120) i;
CREATE TABLE gen (a int, dbl int GENERATED ALWAYS AS (a * 2) STORED, c text);
INSERT INTO gen (a, c) SELECT i, 'c' FROM generate_series(1, 60) i;
CREATE TABLE part (k int, id int, v text) PARTITION BY LIST (k);
CREATE TABLE part0 PARTITION OF part FOR VALUES IN (0);
CREATE TABLE part1 PARTITION OF part FOR VALUES IN (1);
CREATE TABLE part2 PARTITION OF part DEFAULT;
INSERT INTO part SELECT i % 4, i, 'p' || i FROM generate_series(1, 1500) i;
CREATE TABLE parent (k int, v text);
CREATE TABLE child () INHERITS (parent);
INSERT INTO parent SELECT i, 'p' || i FROM generate_series(1, 600) i;
INSERT INTO child SELECT i, 'c' || i FROM generate_series(1, 600) i;
CREATE TABLE trig (id int, v text);
INSERT INTO trig SELECT i, 'v' || i FROM generate_series(1, 800) i;
CREATE TABLE ruled (id int, v text);
INSERT INTO ruled SELECT i, 'v' || i FROM generate_series(1, 10) i;
CREATE TABLE mid (id int, n int);
INSERT INTO mid SELECT i, 0 FROM generate_series(1, 40) i;
CREATE TABLE other (id int, n int);
CREATE TABLE leaf (k int, v text, id int);
CREATE TABLE leaf2 (id int, v text, k int);
$fixture$ AS fixture \gset
\set twins :abs_srcdir '/include/twins.psql'
\i :twins

-- every size around the borders of a batch, and of what is asked for types
SELECT n, alike(format('UPDATE t SET v = ''u'' || g, n = %s FROM generate_series(1, %s) g WHERE g = t.id', n, n))
  FROM unnest('{0,1,2,49,50,51,499,500,501,999,1000,1001,1200}'::int[]) n;
SELECT n, alike(format('DELETE FROM t USING generate_series(1200 - %s + 1, 1200) g WHERE g = t.id', n)),
  alike(format('INSERT INTO t SELECT i, ''again'', i FROM generate_series(1200 - %s + 1, 1200) i', n))
  FROM unnest('{0,1,2,499,500,501,1000,1001}'::int[]) n;

-- duplicate matches, within a batch and across batches: the first wins, and counts once
SELECT alike('UPDATE t SET n = t.n + 1 FROM generate_series(1, 3) g');
SELECT alike('UPDATE t SET n = t.n + 1 FROM generate_series(1, 40) g WHERE t.id <= 30');
SELECT alike('UPDATE hot SET n = hot.n + 1 FROM generate_series(1, 5) g', '{hot}');
SELECT alike('UPDATE hot SET n = hot.n + 1 FROM generate_series(1, 2) g', '{hot}');
SELECT alike('DELETE FROM t USING generate_series(1, 4) g WHERE t.id > 600');
SELECT alike($$INSERT INTO t SELECT i, 'x', i FROM generate_series(601, 1200) i$$);
CREATE TABLE matched (id int, n int);
CREATE SEQUENCE numbers;
CREATE FUNCTION number(int) RETURNS int LANGUAGE plpgsql AS $$
DECLARE
  m int := nextval('numbers');
BEGIN
  INSERT INTO matched VALUES ($1, m);
  RETURN m;
END $$;
UPDATE t SET n = number(t.id) FROM generate_series(1, 3) g WHERE g >= 0;
SELECT count(*), count(*) FILTER (WHERE t.n = m.n) AS first FROM t JOIN (SELECT id, min(n) AS n FROM matched GROUP BY id) m USING (id);
SELECT count(*) FROM matched;
UPDATE near.t SET n = f.n FROM t f WHERE f.id = t.id;
SELECT alike('UPDATE t SET n = id');

-- values of all sorts, sent as text and in binary
CREATE TABLE source AS
  SELECT i AS id, ARRAY[i, NULL, 'NaN', -0.1]::float4[] AS emb, ARRAY[[i, i + 1], [NULL, 4]] AS grid, i AS sm, 'c' || i AS c5, 'v' || i AS v5,
    i / 7.0 AS num, jsonb_build_object('a', i) AS js, (ARRAY['sad', 'ok', 'happy'])[i % 3 + 1] AS m, '2024-02-29'::timestamptz + i * interval '1 h' AS ts,
    decode(md5(i::text), 'hex') AS b, i * interval '1 month 1.5 s' AS iv FROM generate_series(1, 120) i;
SELECT n, alike(format('UPDATE types SET emb = s.emb, grid = s.grid, sm = s.sm, c5 = s.c5, v5 = s.v5, num = s.num, js = s.js, ts = s.ts, b = s.b, iv = s.iv, nul = NULL
  FROM far.source s WHERE s.id = types.id AND s.id <= %s', n), '{types}') FROM unnest('{1,20,120}'::int[]) n;
SELECT alike($$UPDATE types SET emb = NULL, v5 = NULL, js = 'null', grid = '{}' FROM far.source s WHERE s.id = types.id$$, '{types}');
SELECT alike($$UPDATE types SET v5 = 'too long' FROM far.source s WHERE s.id = types.id$$, '{types}');
SELECT alike($$UPDATE types SET sm = 99990 + s.id FROM far.source s WHERE s.id = types.id$$, '{types}');
SELECT alike($$UPDATE types SET emb = array_fill(s.id::float4, ARRAY[2000]), b = repeat('x', 100000)::bytea FROM far.source s WHERE s.id = types.id$$, '{types}');
-- columns of another type here
CREATE FOREIGN TABLE far.otherwise (id int, emb text, sm bigint, num float8, v5 text, m text, ts timestamp) SERVER twin_server OPTIONS (schema_name 'apply', table_name 'types');
UPDATE otherwise SET emb = '{1,2}', sm = s.id + 1, num = s.id + 0.25, v5 = s.id, m = s.m, ts = '2020-01-01 12:00' FROM far.source s WHERE s.id = otherwise.id;
SELECT count(*), sum(sm::int), sum(num), min(emb::text), max(v5), min(m::text), min(ts AT TIME ZONE 'UTC') FROM types;
UPDATE otherwise SET m = 'angry' FROM far.source s WHERE s.id = otherwise.id;
UPDATE otherwise SET emb = 'no array' FROM far.source s WHERE s.id = otherwise.id;
UPDATE otherwise SET sm = 1::bigint << 40 FROM far.source s WHERE s.id = otherwise.id;
-- a column that is generated here too, and one that only the old row could tell
SELECT alike('UPDATE gen SET a = a + g FROM generate_series(1, 60) g WHERE g = gen.a', '{gen}');
SELECT alike('UPDATE gen SET dbl = DEFAULT FROM generate_series(1, 60) g WHERE 2 * g = gen.a', '{gen}');
SELECT alike($$UPDATE t SET v = t::text FROM generate_series(1, 100) g WHERE g = t.id$$);
SELECT alike($$UPDATE t SET v = (SELECT x FROM (SELECT t.*::text) y (x)) FROM generate_series(1, 100) g WHERE g = t.id$$);
SELECT alike($$UPDATE t SET (n, v) = (SELECT g.i + 1, t.v || a.v FROM t a WHERE a.id = t.id + 1) FROM generate_series(1, 100) g (i) WHERE i = t.id AND t IS NOT NULL$$);

-- partitioned and inherited tables there: rows with the same ctid; rows that move
SELECT alike($$UPDATE part SET v = v || '!' FROM generate_series(1, 1500) g WHERE g = part.id AND g % 3 = 0$$, '{part}');
SELECT alike($$UPDATE part SET k = (k + 1) % 4 FROM generate_series(1, 2) g WHERE id > 100$$, '{part}');
SELECT alike('DELETE FROM part USING generate_series(1, 1500) g WHERE g = part.id AND g % 5 = 0', '{part}');
SELECT alike($$UPDATE parent SET v = v || '?' FROM generate_series(1, 550) g WHERE g = parent.k$$, '{parent}');
SELECT alike('DELETE FROM parent USING generate_series(1, 550) g WHERE g = parent.k AND g % 2 = 0 AND parent.v LIKE ''c%''', '{parent}');

-- the count is what the remote has changed
\connect :remote_db - :remote_host :remote_port
SET search_path = apply;
SELECT $meddle$
CREATE FUNCTION meddle() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF OLD.id % 7 = 0 THEN
    RETURN NULL;
  ELSIF TG_OP = 'DELETE' THEN
    RETURN OLD;
  END IF;
  NEW.v := NEW.v || ' (changed)';
  RETURN NEW;
END $$;
CREATE TRIGGER meddle BEFORE UPDATE OR DELETE ON trig FOR EACH ROW EXECUTE FUNCTION meddle();
CREATE RULE nothing AS ON UPDATE TO ruled DO INSTEAD NOTHING;
CREATE RULE kept AS ON DELETE TO ruled DO INSTEAD NOTHING;
$meddle$ AS meddle \gset
:meddle
\connect :local_db - :local_host :local_port
SET search_path = near;
:meddle
SET search_path = far, public;
UPDATE trig SET v = 'u' FROM generate_series(1, 800) g WHERE g = trig.id;
UPDATE near.trig SET v = 'u' FROM generate_series(1, 800) g WHERE g = trig.id;
SELECT alike($$UPDATE trig SET v = 'w' FROM generate_series(1, 800) g WHERE g = trig.id$$, '{trig}');
SELECT alike($$UPDATE trig SET v = 'none' WHERE id = 14 AND random() >= 0$$, '{trig}');
SELECT alike($$DELETE FROM trig USING generate_series(1, 2) g WHERE id > 200$$, '{trig}');
UPDATE ruled SET v = 'u' WHERE random() >= 0;
DELETE FROM ruled WHERE random() >= 0;
SELECT same('SELECT * FROM ruled');

-- CTEs, read and unread, with and without RETURNING
SELECT alike('WITH d AS (DELETE FROM t WHERE id <= 10 AND random() >= 0 RETURNING id) SELECT 1');
SELECT alike('WITH d AS (DELETE FROM t WHERE id BETWEEN 11 AND 20 AND random() >= 0) SELECT 1');
SELECT alike('WITH d AS (DELETE FROM t WHERE id BETWEEN 21 AND 30 AND random() >= 0 RETURNING id) SELECT sum(id) FROM d');
SELECT alike('WITH u AS (UPDATE t SET n = 0 WHERE id BETWEEN 40 AND 700 AND random() >= 0) SELECT count(*) FROM t WHERE n = 0');
SELECT alike('WITH u AS (UPDATE t SET n = 1 WHERE id = 41 AND random() >= 0), d AS (DELETE FROM t WHERE id = 42 AND random() >= 0) UPDATE t SET n = 5 WHERE id = 43 AND random() >= 0');
SELECT alike('WITH u AS (UPDATE t SET n = 7 WHERE id = 44 AND random() >= 0) INSERT INTO other SELECT id, n FROM t WHERE id = 44', '{t,other}');
-- no part of a statement sees what another one does, whichever comes first
SELECT alike('DELETE FROM other', '{other}');
SELECT alike('INSERT INTO other SELECT i, 0 FROM generate_series(1, 60) i', '{other}');
SELECT alike('WITH d AS (DELETE FROM other USING generate_series(1, 60) g WHERE g = other.id AND g % 2 = 0), i AS (INSERT INTO other SELECT i, 1 FROM generate_series(1, 60) i) UPDATE t SET n = 9 FROM generate_series(50, 60) g WHERE g = t.id', '{other,t}');
SELECT alike('WITH i AS (INSERT INTO other SELECT i, 2 FROM generate_series(1, 60) i), d AS (DELETE FROM other USING generate_series(1, 60) g WHERE g = other.id AND g % 3 = 0) SELECT count(*) FROM other', '{other}');
SELECT alike('WITH d AS (DELETE FROM other USING generate_series(1, 60) g WHERE g = other.id AND g % 5 = 0) UPDATE other SET n = 3 FROM generate_series(1, 60) g WHERE g = other.id AND g % 5 = 1', '{other}');
SELECT alike('WITH u AS (UPDATE other SET id = other.id + 1 FROM generate_series(1, 60) g WHERE g = other.id) INSERT INTO other SELECT id, 4 FROM other WHERE id + random() < 30', '{other}');
SELECT alike('DELETE FROM other', '{other}');
-- two changes of one row: one of them takes place
WITH u AS (UPDATE t SET n = 8 WHERE id = 45 AND random() >= 0) UPDATE t SET n = 8 WHERE id = 45 AND random() >= 0;
SELECT n FROM t WHERE id = 45;
UPDATE near.t SET n = 8 WHERE id = 45;

-- functions, cursors, prepared statements
CREATE FUNCTION far.by_sql(int) RETURNS bigint LANGUAGE sql AS $$
  UPDATE t SET n = -$1 WHERE id = $1 AND random() >= 0;
  DELETE FROM t WHERE id = $1 + 1 AND random() >= 0;
  SELECT count(*) FROM t WHERE n = -$1;
$$;
CREATE FUNCTION far.by_sql_unread(int) RETURNS void LANGUAGE sql AS $$
  UPDATE t SET n = -$1 WHERE id = $1 AND random() >= 0;
$$;
CREATE FUNCTION far.by_plpgsql(int) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  updated int;
  deleted int;
  seen int;
  was boolean;
BEGIN
  UPDATE t SET v = 'plpgsql' FROM generate_series(1, 2) g WHERE t.id BETWEEN $1 AND $1 + 599;
  GET DIAGNOSTICS updated = ROW_COUNT;
  SELECT count(*) INTO seen FROM t WHERE v = 'plpgsql';
  DELETE FROM t WHERE v = 'plpgsql' AND id > $1 + 550 AND random() >= 0;
  GET DIAGNOSTICS deleted = ROW_COUNT;
  UPDATE t SET n = 0 WHERE id = -1 AND random() >= 0;
  was := FOUND;
  RETURN concat_ws(' ', updated, seen, deleted, was);
END $$;
CREATE FUNCTION far.by_cursor() RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  c CURSOR FOR SELECT id, n FROM t WHERE id > 900 ORDER BY id;
  r record;
  sum bigint := 0;
  rounds int := 0;
BEGIN
  FOR r IN c LOOP
    sum := sum + r.n;
    rounds := rounds + 1;
    UPDATE t SET n = t.n + 1000 WHERE t.id BETWEEN r.id AND r.id + 2 AND random() >= 0;
    EXIT WHEN rounds > 20;
  END LOOP;
  RETURN concat_ws(' ', rounds, sum);
END $$;
SELECT alike('SELECT far.by_sql(100)');
SELECT alike('SELECT far.by_sql_unread(102)');
SELECT alike('SELECT far.by_plpgsql(150)');
SELECT alike('SELECT far.by_cursor()');
SELECT alike('SELECT g, far.by_sql(g * 3) FROM generate_series(251, 253) g');
PREPARE p (int) AS UPDATE t SET v = 'prepared' WHERE id <= $1 AND random() >= 0;
EXECUTE p (60);
EXECUTE p (60);
UPDATE near.t SET v = 'prepared' WHERE id <= 60;
SELECT same('SELECT * FROM t');
BEGIN;
DECLARE c CURSOR FOR SELECT id, n FROM t ORDER BY id;
FETCH 2 FROM c;
UPDATE t SET n = -5 FROM generate_series(1, 600) g WHERE g = t.id;
FETCH 2 FROM c;
SELECT count(*) FROM t WHERE n = -5;
ROLLBACK;
SELECT same('SELECT * FROM t');
BEGIN;
SELECT explained('UPDATE t SET n = -5 WHERE id <= 39 AND random() >= 0', 'ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF, BUFFERS OFF');
SELECT count(*) FROM t WHERE n = -5;
ROLLBACK;
EXPLAIN (COSTS OFF) UPDATE t SET n = -5 WHERE id <= 39 AND random() >= 0;

-- functions that look at the table in the middle: volatile ones see what has been done so far, stable ones don't
CREATE FUNCTION far.done() RETURNS bigint LANGUAGE plpgsql VOLATILE AS 'BEGIN RETURN (SELECT count(*) FROM mid WHERE n <> 0); END';
CREATE FUNCTION far.done_before() RETURNS bigint LANGUAGE plpgsql STABLE AS 'BEGIN RETURN (SELECT count(*) FROM mid WHERE n <> 0); END';
CREATE FUNCTION far.done_caught() RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
  seen bigint;
BEGIN
  BEGIN
    seen := (SELECT count(*) FROM mid WHERE n <> 0);
    INSERT INTO other VALUES (0, seen);
    RAISE 'undone';
  EXCEPTION WHEN raise_exception THEN
    BEGIN
      BEGIN
        RETURN seen * 100 + (SELECT count(*) FROM mid WHERE n <> 0);
      END;
    EXCEPTION WHEN division_by_zero THEN
      RAISE 'what?';
    END;
  END;
END $$;
CREATE FUNCTION far.done_kept() RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
  seen bigint;
BEGIN
  BEGIN
    BEGIN
      seen := (SELECT count(*) FROM mid WHERE n <> 0);
    EXCEPTION WHEN division_by_zero THEN
      RAISE 'what?';
    END;
    INSERT INTO other VALUES (1, seen);
  EXCEPTION WHEN division_by_zero THEN
    RAISE 'what?';
  END;
  RETURN seen;
END $$;
CREATE FUNCTION far.writes(int) RETURNS int LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO other SELECT $1, count(*) FROM mid WHERE n <> 0;
  UPDATE other SET n = n + 100 WHERE id = $1 AND random() >= 0;
  RETURN (SELECT count(*) FROM other);
END $$;
-- the same by functions that take their SQL to the remote themselves
CREATE TABLE public.pulled (id int, n int);
CREATE FUNCTION far.done_there(how text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
  n bigint;
BEGIN
  IF current_setting('search_path') ~ 'near' THEN
    RETURN (SELECT count(*) FROM near.mid WHERE mid.n <> 0);
  ELSIF how = 'query' THEN
    SELECT x INTO n FROM pgml_fdw_query('twin_server', 'SELECT count(*) FROM apply.mid WHERE n <> 0') AS q (x bigint);
  ELSIF how = 'exec' THEN
    SELECT pgml_fdw_exec('twin_server', 'INSERT INTO apply.other SELECT id, 0 FROM apply.mid WHERE n <> 0') INTO n;
  ELSE
    TRUNCATE pulled;
    n := pgml_fdw_pull('twin_server', '(SELECT id, n FROM apply.mid WHERE n <> 0)', 'pulled');
  END IF;
  RETURN n;
END $$;
TRUNCATE other, near.other;
SELECT how, alike(format('UPDATE mid SET n = 1 + far.done_there(%L) WHERE random() >= 0', how), '{}'), same('SELECT n FROM mid'), alike('UPDATE mid SET n = 0', '{mid}')
  FROM unnest('{query,exec,pull}'::text[]) how;
TRUNCATE other, near.other;
SELECT alike('UPDATE mid SET n = 1 + far.done() WHERE random() >= 0', '{}'), same('SELECT n FROM mid');
SELECT alike('UPDATE mid SET n = 0', '{mid}');
SELECT alike('UPDATE mid SET n = 1 + far.done_before() WHERE random() >= 0', '{mid}');
SELECT alike('UPDATE mid SET n = 0', '{mid}');
SELECT alike('UPDATE mid SET n = 1 + far.done_caught() WHERE random() >= 0', '{other}'), same('SELECT n FROM mid');
SELECT alike('UPDATE mid SET n = 0', '{mid}');
SELECT alike('UPDATE mid SET n = 1 + far.done_kept() WHERE random() >= 0', '{}'), same('SELECT n FROM mid'), same('SELECT n FROM other');
SELECT alike('UPDATE mid SET n = 0', '{mid}');
SELECT alike('DELETE FROM other', '{other}');
SELECT alike('UPDATE mid SET n = far.writes(id) WHERE random() >= 0', '{}'), same('SELECT n FROM mid'), same('SELECT n FROM other');
SELECT alike('UPDATE mid SET n = 0', '{mid}');
SELECT alike('DELETE FROM mid WHERE far.done() >= 0 AND id > 30 AND id = 31 + (SELECT count(*) FROM mid WHERE id > 30)::int - 10', '{mid}');
-- the statement itself doesn't see what it does
SELECT alike('UPDATE mid SET n = (SELECT 1 + max(m.n) FROM mid m WHERE m.id <= mid.id)', '{mid}');
SELECT alike('UPDATE mid SET n = m.n + 1 FROM mid m WHERE m.id = mid.id + 1 AND random() >= 0', '{mid}');
SELECT alike('UPDATE mid SET n = m.n + mid.n FROM mid m WHERE m.n = mid.n AND m.id <> mid.id', '{}'), same('SELECT n FROM mid');
SELECT alike('DELETE FROM mid WHERE id = 1 + (SELECT count(*) FROM mid m WHERE m.id < mid.id) AND id % 2 = 0', '{mid}');

-- a table here that consists of foreign and local tables
CREATE TABLE far.root (k int, v text, id int) PARTITION BY LIST (k);
CREATE TABLE far.here PARTITION OF far.root FOR VALUES IN (1);
ALTER TABLE far.root ATTACH PARTITION far.leaf FOR VALUES IN (2);
ALTER TABLE far.root ATTACH PARTITION far.leaf2 FOR VALUES IN (3);
CREATE TABLE near.root (k int, v text, id int);
SELECT alike($$INSERT INTO root SELECT 1 + i % 3, 'r' || i, i FROM generate_series(1, 1800) i$$, '{root}');
SELECT alike($$UPDATE root SET v = v || '!' FROM generate_series(1, 1800) g WHERE g = root.id AND g % 4 = 0$$, '{root}');
SELECT alike($$UPDATE root SET v = v || '?' FROM generate_series(1, 2) g WHERE root.id % 5 = 0$$, '{root}');
SELECT alike('DELETE FROM root USING generate_series(1, 1800) g WHERE g = root.id AND g % 7 = 0', '{root}');
SELECT alike($$UPDATE root SET v = v || '.' FROM generate_series(1, 20) g WHERE g = root.id RETURNING root.id, root.v$$, '{root}');
-- triggers for each row make it one by one where they are, and only there; those for the statement fire once
CREATE TABLE log (entry text);
CREATE FUNCTION far.note() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO far.log VALUES (concat_ws(' ', TG_TABLE_NAME, TG_WHEN, TG_LEVEL, TG_OP, CASE TG_LEVEL WHEN 'ROW' THEN OLD.v || ' ' || NEW.v ELSE (SELECT count(*)::text FROM far.leaf WHERE v LIKE '%;') END));
  RETURN NEW;
END $$;
CREATE TRIGGER row_note AFTER UPDATE ON far.leaf2 FOR EACH ROW EXECUTE FUNCTION far.note();
CREATE TRIGGER before_note BEFORE UPDATE ON far.root EXECUTE FUNCTION far.note();
CREATE TRIGGER after_note AFTER UPDATE ON far.root EXECUTE FUNCTION far.note();
SELECT alike($$UPDATE root SET v = v || ';' FROM generate_series(1, 12) g WHERE g = root.id$$, '{root}');
SELECT * FROM log ORDER BY entry;

-- failures: everything is as before, the session goes on
SELECT alike('UPDATE t SET n = CASE WHEN g = 901 THEN -999 ELSE g END FROM generate_series(1, 1100) g WHERE g = t.id');
SELECT alike('UPDATE t SET id = 1000 WHERE id IN (1001, 1002) AND random() >= 0');
SELECT alike('UPDATE t SET n = 1 / (1000 - g) FROM generate_series(1, 1100) g WHERE g = t.id');
CREATE FUNCTION far.caught() RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  caught int := 0;
  n int;
BEGIN
  UPDATE t SET v = 'before' WHERE id <= 70 AND random() >= 0;
  FOR i IN 1 .. 3 LOOP
    BEGIN
      UPDATE t SET v = 'lost', n = CASE WHEN g = 1100 THEN -999 ELSE g END FROM generate_series(1, 1100) g WHERE g = t.id;
    EXCEPTION WHEN check_violation THEN
      caught := caught + 1;
    END;
  END LOOP;
  UPDATE t SET v = v || ' after' WHERE id <= 60 AND random() >= 0;
  GET DIAGNOSTICS n = ROW_COUNT;
  RETURN concat_ws(' ', caught, n);
END $$;
SELECT alike('SELECT far.caught()');
BEGIN;
UPDATE t SET v = 'kept' WHERE id <= 55 AND random() >= 0;
SAVEPOINT s;
UPDATE t SET v = 'lost', n = CASE WHEN g = 1100 THEN -999 ELSE g END FROM generate_series(1, 1100) g WHERE g = t.id;
ROLLBACK TO s;
UPDATE t SET v = v || '!' WHERE id = 55 AND random() >= 0;
SAVEPOINT s;
DELETE FROM t WHERE random() >= 0;
ROLLBACK TO s;
COMMIT;
UPDATE near.t SET v = 'kept' || CASE WHEN id = 55 THEN '!' ELSE '' END WHERE id <= 55;
SELECT same('SELECT * FROM t');
SELECT count(*) FROM pgml_fdw_get_connections();

-- round trips: BEGIN and the scan; the types; one for each batch
CREATE FUNCTION far.trips(command text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
  before bigint := (SELECT round_trips FROM pgml_fdw_stats());
BEGIN
  EXECUTE command;
  RETURN (SELECT round_trips FROM pgml_fdw_stats()) - before;
END $$;
TRUNCATE t;
INSERT INTO t SELECT i, 'x', i FROM generate_series(1, 1200) i;
BEGIN;
SELECT count(*) FROM t;
SELECT n, trips(format('UPDATE t SET n = g FROM generate_series(1, %s) g WHERE g = t.id AND random() >= 0', n)) FROM unnest('{0,1,2,49,50,500,501,1200}'::int[]) n;
SELECT n, trips(format('DELETE FROM t USING generate_series(1, %s) g WHERE g = t.id AND random() >= 0', n)) FROM unnest('{0,1,500,1200}'::int[]) n;
ROLLBACK;

-- what is fetched of a row that is updated
EXPLAIN (VERBOSE, COSTS OFF) UPDATE t SET v = 'x' WHERE id = 1 AND random() >= 0;
EXPLAIN (VERBOSE, COSTS OFF) UPDATE t SET v = t::text WHERE id = 1 AND random() >= 0;
EXPLAIN (VERBOSE, COSTS OFF) UPDATE t SET v = 'x' WHERE id = 1 AND random() >= 0 RETURNING n;
EXPLAIN (VERBOSE, COSTS OFF) UPDATE gen SET c = 'x' WHERE a = 1 AND random() >= 0;
-- a few rows are asked for by their keys, since nothing is changed before the last has come
CREATE TABLE few (id int PRIMARY KEY);
INSERT INTO few VALUES (3), (4);
ANALYZE few;
ANALYZE t;
-- (which side of the condition comes first depends on the version)
CREATE FUNCTION far.nodes(query text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
  line text;
BEGIN
  FOR line IN EXECUTE 'EXPLAIN (COSTS OFF) ' || query LOOP
    IF line !~ ' Key Cond: ' THEN
      RETURN NEXT line;
    END IF;
  END LOOP;
END
$$;
SELECT nodes('UPDATE t SET v = ''x'' FROM few WHERE few.id = t.id AND t.n > few.id');
EXPLAIN (COSTS OFF) UPDATE t SET v = 'x' FROM few WHERE few.id = t.id RETURNING t.id;

-- Rows leave while the plan still brings more where nobody could tell the difference: of a statement that fails at
-- row 1,200 three batches have been sent then: 100, 500 and 500 rows.  Else none.
SET pgml_fdw.enable_keyed_join = off;
CREATE TABLE public.given (id int, n int);
INSERT INTO given SELECT i, 1200 - i FROM generate_series(1, 6000) i;
ANALYZE given;
CREATE FUNCTION far.volatile_one() RETURNS int LANGUAGE plpgsql VOLATILE AS $$ BEGIN RETURN 1; END $$;
CREATE FUNCTION far.stable_one() RETURNS int LANGUAGE plpgsql STABLE AS $$ BEGIN RETURN 1; END $$;
CREATE FUNCTION far.fails(statement text, OUT result text, OUT rows_sent bigint) LANGUAGE plpgsql AS $$
DECLARE
  before bigint := (SELECT rows_out FROM pgml_fdw_stats());
BEGIN
  EXECUTE statement;
EXCEPTION WHEN division_by_zero THEN
  result := SQLERRM;
  rows_sent := (SELECT rows_out FROM pgml_fdw_stats()) - before;
END
$$;
SELECT (fails(s)).*, s FROM (VALUES
  ('UPDATE t SET n = 1 / g.n FROM given g WHERE g.id = t.id'),
  ('DELETE FROM t USING given g WHERE g.id = t.id AND 1 / g.n >= 0'),
  ('UPDATE t SET n = 1 / g.n FROM given g WHERE g.id = t.id AND random() >= 0'),
  ('UPDATE t SET n = volatile_one() / g.n FROM given g WHERE g.id = t.id'),
  ('UPDATE t SET n = stable_one() / g.n FROM given g WHERE g.id = t.id'),
  ('UPDATE t SET n = 1 / g.n + (SELECT count(*) FROM few WHERE few.id = g.n) FROM given g WHERE g.id = t.id'),
  ('UPDATE t SET n = 1 / g.n + (SELECT count(*) FROM hot WHERE hot.id = g.n AND random() >= 0) FROM given g WHERE g.id = t.id'),
  ('WITH d AS (DELETE FROM other) UPDATE t SET n = 1 / g.n FROM given g WHERE g.id = t.id'),
  ('WITH u AS (UPDATE t SET n = 1 / g.n FROM given g WHERE g.id = t.id) SELECT 1'),
  ('UPDATE t SET n = 1 / g.n FROM given g WHERE g.id = t.id RETURNING t.id')) v (s);
TRUNCATE near.t;
INSERT INTO near.t TABLE far.t;
SELECT count(*), count(*) FILTER (WHERE v = 'x' AND n = id) AS unchanged FROM t;
SELECT alike('UPDATE t SET v = ''early'', n = g.n FROM given g WHERE g.id = t.id');
SELECT alike('UPDATE t SET n = t.n + 1 FROM (SELECT id % 1000 AS id, n FROM given WHERE id < 3500) g WHERE g.id = t.id AND g.n IS NOT NULL AND t.id <> 0');
SELECT alike('UPDATE t SET n = CASE WHEN t.id = 1100 THEN -999 ELSE 0 END FROM given g WHERE g.id = t.id');
SELECT alike('DELETE FROM t USING given g WHERE g.id = t.id AND g.n % 7 > 0');
SELECT alike('UPDATE part SET v = ''early'' FROM given g WHERE g.id = part.id');
SELECT alike('UPDATE trig SET v = ''early'' FROM given g WHERE g.id = trig.id');
RESET pgml_fdw.enable_keyed_join;
\set ECHO none
SET client_min_messages = warning;
DROP TABLE public.pulled, public.given;
DROP SCHEMA near, far CASCADE;
DROP SERVER twin_server CASCADE;
