-- UPDATE and DELETE by the key of a join, of rows that are not read before.
\getenv abs_srcdir PG_ABS_SRCDIR
\set remote_sql :abs_srcdir '/include/remote.psql'
\i :remote_sql
\set remote_schema joined
SELECT $fixture$
CREATE TABLE t (id int PRIMARY KEY, n int, v text);
INSERT INTO t SELECT i, i, 'v' || i FROM generate_series(1, 2000) i;
CREATE TABLE two (a int, b text, n int, c text, PRIMARY KEY (b, a));
INSERT INTO two SELECT i % 40, 'x' || i / 40, i, 'c' || i % 7 FROM generate_series(1, 1200) i;
CREATE TABLE types (i8 bigint UNIQUE NOT NULL, txt text UNIQUE NOT NULL, vc varchar(20) UNIQUE NOT NULL,
  u uuid UNIQUE NOT NULL, d date UNIQUE NOT NULL, ts timestamptz UNIQUE NOT NULL, num numeric UNIQUE NOT NULL,
  c char(8) UNIQUE NOT NULL, f float8 UNIQUE NOT NULL, by bytea UNIQUE NOT NULL, n int DEFAULT 0);
INSERT INTO types SELECT i, 't' || i, 'v' || i, md5(i::text)::uuid, '2020-01-01'::date + i, '2020-01-01 00:00+00'::timestamptz + i * '1 s'::interval, i / 4.0, 'c' || i, i / 4.0, decode(lpad(to_hex(i), 4, '0'), 'hex')
  FROM generate_series(1, 600) i;
CREATE TABLE gen (id int PRIMARY KEY, n int, twice int GENERATED ALWAYS AS (n * 2) STORED, v text DEFAULT 'd');
INSERT INTO gen (id, n) SELECT i, i FROM generate_series(1, 600) i;
CREATE TABLE part (id int PRIMARY KEY, n int) PARTITION BY RANGE (id);
CREATE TABLE part1 PARTITION OF part FOR VALUES FROM (0) TO (600);
CREATE TABLE part2 PARTITION OF part FOR VALUES FROM (600) TO (2000);
INSERT INTO part SELECT i, i FROM generate_series(1, 1200) i;
CREATE TABLE fired (id int PRIMARY KEY, n int);
INSERT INTO fired SELECT i, i FROM generate_series(1, 1200) i;
CREATE FUNCTION suppress() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF OLD.id % 10 = 0 THEN RETURN NULL; END IF;
  RETURN CASE TG_OP WHEN 'UPDATE' THEN NEW ELSE OLD END;
END $$;
CREATE TRIGGER suppress BEFORE UPDATE OR DELETE ON fired FOR EACH ROW EXECUTE FUNCTION suppress();
CREATE VIEW simple AS SELECT * FROM t;
CREATE TABLE bag (id int, n int);
INSERT INTO bag SELECT i % 700, 0 FROM generate_series(1, 1400) i;
$fixture$ AS fixture \gset
\set twins :abs_srcdir '/include/twins.psql'
\i :twins

CREATE TABLE public.other (id int, n int, v text);
INSERT INTO other SELECT i, -i, 'o' || i FROM generate_series(1, 1500) i;
CREATE TABLE public.with_key (id int PRIMARY KEY, n int);
INSERT INTO with_key SELECT i, i * 10 FROM generate_series(1, 1500) i;
CREATE TABLE public.repeated (id int, n int);
INSERT INTO repeated SELECT i % 800, i % 800 + 7 FROM generate_series(1, 1700) i;
INSERT INTO repeated SELECT NULL, i FROM generate_series(1, 100) i;
INSERT INTO repeated SELECT i + 9000, i FROM generate_series(1, 100) i;
CREATE TABLE public.many AS SELECT i AS id FROM generate_series(1, 10000) i;
ANALYZE other, many, with_key, repeated, t, two, types, gen, part, fired, bag, simple;
ANALYZE near.t, near.two, near.types, near.gen, near.part, near.fired, near.bag;

-- Whatever the join, it is gone.
SELECT explained('UPDATE t SET n = o.n FROM other o WHERE o.id = t.id');
SELECT explained('DELETE FROM t USING with_key o WHERE o.id = t.id');
SELECT explained('DELETE FROM t WHERE id IN (SELECT id FROM generate_series(1, 1900) id)');
SET pgml_fdw.enable_keyed_join = off;
SELECT explained('DELETE FROM t USING with_key o WHERE o.id = t.id', 'COSTS OFF');
RESET pgml_fdw.enable_keyed_join;
SET pgml_fdw.enable_pushdown = off;
SELECT explained('DELETE FROM t USING with_key o WHERE o.id = t.id', 'COSTS OFF');
RESET pgml_fdw.enable_pushdown;

-- Does the statement do without the table's rows, and is the result right?  By these kinds of join.
CREATE FUNCTION public.tried(command text, tables text[] DEFAULT '{t}', kinds text[] DEFAULT '{hash}', OUT joins text, OUT result text) LANGUAGE plpgsql AS $$
DECLARE
  kind text;
  line text;
  gone boolean;
  answer text;
BEGIN
  FOREACH kind IN ARRAY kinds LOOP
    PERFORM set_config('enable_hashjoin', (kind = 'hash')::text, true), set_config('enable_mergejoin', (kind = 'merge')::text, true),
      set_config('enable_nestloop', 'off', true);
    gone := true;
    FOR line IN EXECUTE 'EXPLAIN ' || command LOOP
      gone := gone AND line !~ 'Join|Foreign Scan|keyed join';
    END LOOP;
    joins := concat_ws(', ', joins, kind || CASE WHEN gone THEN ' gone' ELSE ' stays' END);
    BEGIN
      answer := alike(command, tables);
      result := CASE WHEN result IS NULL OR result = answer THEN answer ELSE result || ' but: ' || answer END;
      RAISE EXCEPTION 'undo' USING ERRCODE = 'UNDOX';
    EXCEPTION WHEN SQLSTATE 'UNDOX' THEN
      NULL;
    END;
  END LOOP;
  RESET enable_hashjoin;
  RESET enable_mergejoin;
  RESET enable_nestloop;
END
$$;
SELECT s, (tried(s, '{t}', '{hash,merge,keyed}')).* FROM (VALUES
  ('UPDATE t SET n = o.n FROM other o WHERE o.id = t.id'),
  ('UPDATE t SET n = o.n, v = o.v FROM other o WHERE t.id = o.id'),
  ('UPDATE t SET n = o.n FROM with_key o WHERE o.id = t.id'),
  ('UPDATE t SET n = o.n FROM repeated o WHERE o.id = t.id'),
  ('DELETE FROM t WHERE id IN (SELECT id FROM repeated)'),
  ('UPDATE t SET n = o.n FROM other o WHERE o.id = t.id AND t.n > o.n')) s (s);
SELECT s, (tried(s)).* FROM (VALUES
  ('UPDATE t SET n = NULL FROM (SELECT id FROM with_key ORDER BY id LIMIT 501) o WHERE o.id = t.id'),
  ('UPDATE t SET n = o.n FROM (SELECT w.id, o.n + w.n AS n FROM with_key w JOIN other o USING (id)) o WHERE o.id = t.id'),
  ('UPDATE t SET n = o.n FROM other o, with_key w WHERE o.id = t.id AND w.id = o.id'),
  ('UPDATE t SET n = o.s FROM (SELECT id, max(n) AS s FROM repeated GROUP BY id) o WHERE o.id = t.id'),
  -- the first of several wins, within a batch and across batches; null is no key
  ('DELETE FROM t USING repeated o WHERE o.id = t.id'),
  ('UPDATE t SET v = ''in'' WHERE EXISTS (SELECT FROM other o WHERE o.id = t.id)'),
  ('DELETE FROM t WHERE id IN (SELECT n / 10 FROM with_key)'),
  ('UPDATE t SET n = 5 FROM other o WHERE o.id + 1 = t.id'),
  ('UPDATE t SET n = o.n FROM (SELECT id, n + 1 AS n FROM other OFFSET 0) o WHERE o.id = t.id'),
  ('DELETE FROM t USING generate_series(1990, 2010) i WHERE i = id'),
  -- something else decides
  ('UPDATE t SET n = o.n FROM other o WHERE o.id = t.id AND t.n % 2 = 0'),
  ('UPDATE t SET n = o.n FROM other o WHERE o.id = t.id AND t.id > 1400'),
  ('UPDATE t SET n = o.n FROM other o WHERE o.id = t.n'),
  ('DELETE FROM t WHERE id NOT IN (SELECT id FROM other)'),
  ('DELETE FROM t WHERE NOT EXISTS (SELECT FROM other o WHERE o.id = t.id)'),
  ('UPDATE t SET n = o.n FROM other o WHERE o.id = t.id AND o.n = t.id'),
  -- what is set could fail, and does for rows that have no partner
  ('UPDATE t SET n = 100 / o.n FROM (TABLE with_key UNION ALL VALUES (9999, 0)) o WHERE o.id = t.id'),
  ('UPDATE t SET n = o.v::int FROM (SELECT id, id::text AS v FROM with_key UNION ALL VALUES (9999, ''none'')) o WHERE o.id = t.id'),
  ('UPDATE t SET n = NULLIF(o.n, 5), v = CASE WHEN o.n > 500 THEN ''many'' ELSE ''few'' END FROM with_key o WHERE o.id = t.id'),
  -- the table's own columns are wanted, or the key is set
  ('UPDATE t SET n = t.n + o.n FROM other o WHERE o.id = t.id'),
  ('UPDATE t SET v = t.id || o.v FROM other o WHERE o.id = t.id'),
  ('UPDATE t SET id = t.id + 10000 FROM other o WHERE o.id = t.id'),
  ('UPDATE t SET n = 1 FROM other o WHERE o.id = t.id RETURNING t.id'),
  -- most of the other rows have no partner
  ('UPDATE t SET n = 1 FROM many o WHERE o.id = t.id'),
  -- the statement might find its own rows
  ('WITH i AS (INSERT INTO t VALUES (-1, 0, ''new'')) UPDATE t SET n = o.n FROM (TABLE other UNION ALL SELECT -1, -1, ''i'') o WHERE o.id = t.id'),
  ('WITH u AS (UPDATE t SET n = o.n FROM other o WHERE o.id = t.id) SELECT 1'),
  ('UPDATE t SET n = CASE WHEN random() < 2 THEN o.n END FROM other o WHERE o.id = t.id')) s (s);

-- around the borders of a batch, and of what is asked for types
SELECT n, tried(format('UPDATE t SET n = o.n, v = %L FROM (SELECT * FROM other WHERE id <= %s) o WHERE o.id = t.id', 'u' || n, n))
  FROM unnest('{0,1,2,49,50,499,500,501,1000}'::int[]) n;

-- keys of several columns, in any order, and more than the key
CREATE TABLE public.pairs AS SELECT a, b, n + 1 AS n, c FROM two WHERE n > 500;
INSERT INTO pairs SELECT NULL, b, n, c FROM pairs WHERE n < 600;
INSERT INTO pairs SELECT a, NULL, n, c FROM pairs WHERE n < 600;
ANALYZE pairs;
SELECT explained('UPDATE two SET n = p.n FROM pairs p WHERE p.a = two.a AND two.b = p.b');
SELECT s, (tried(s, '{two}')).* FROM (VALUES
  ('UPDATE two SET n = p.n FROM pairs p WHERE p.a = two.a AND two.b = p.b'),
  ('DELETE FROM two USING pairs p WHERE p.a = two.a AND two.b = p.b AND p.c = two.c'),
  ('DELETE FROM two WHERE (b, a) IN (SELECT b, a FROM pairs)'),
  ('UPDATE two SET c = p.n FROM pairs p WHERE p.a = two.a AND two.b = p.b AND p.c = two.c'),
  ('UPDATE two SET n = p.a FROM pairs p WHERE p.a = two.a')) s (s);

-- keys by the types whose equal values have the same bytes, and by no others
CREATE TABLE public.values_of AS TABLE types;
UPDATE values_of SET n = i8;
ANALYZE values_of;
CREATE FUNCTION public.by_key(key_column name, OUT joins text, OUT result text) LANGUAGE plpgsql AS $$
DECLARE
  has_key name;
BEGIN
  FOR has_key IN SELECT attname FROM pg_attribute WHERE attrelid = 'far.types'::regclass AND 'key=true' = ANY (attfdwoptions) LOOP
    EXECUTE format('ALTER FOREIGN TABLE far.types ALTER %I OPTIONS (DROP key)', has_key);
  END LOOP;
  EXECUTE format('ALTER FOREIGN TABLE far.types ALTER %I OPTIONS (ADD key ''true'')', key_column);
  SELECT * INTO joins, result FROM tried(format('UPDATE types SET n = o.n FROM values_of o WHERE o.%I = types.%I', key_column, key_column), '{types}');
END
$$;
SELECT c, (by_key(c)).* FROM unnest('{i8,txt,vc,u,d,ts,by,num,c,f}'::name[]) c;
SELECT by_key('i8');
SELECT (tried('UPDATE types SET n = 1 FROM with_key o WHERE o.id = types.i8', '{types}')).*;
SELECT (tried('DELETE FROM types USING values_of o WHERE o.vc = types.txt', '{types}')).*;

-- generated columns and defaults, partitions, rows that a trigger there keeps
SELECT s, (tried(s, ARRAY[t])).* FROM (VALUES
  ('gen', 'UPDATE gen SET n = o.n FROM other o WHERE o.id = gen.id AND o.n > -700'),
  ('gen', 'DELETE FROM gen USING other o WHERE o.id = gen.id AND o.n > -700'),
  ('part', 'UPDATE part SET n = o.n FROM other o WHERE o.id = part.id'),
  ('part', 'DELETE FROM part USING repeated o WHERE o.id = part.id'),
  ('fired', 'UPDATE fired SET n = o.n FROM other o WHERE o.id = fired.id'),
  ('fired', 'UPDATE fired SET n = o.n FROM with_key o WHERE o.id = fired.id AND o.n = 100'),
  ('fired', 'DELETE FROM fired USING other o WHERE o.id = fired.id')) s (t, s);

-- A view isn't taken for a table because of its key.
ALTER FOREIGN TABLE simple ALTER id OPTIONS (key 'true');
UPDATE simple SET n = o.n FROM other o WHERE o.id = simple.id;
UPDATE simple SET n = o.n FROM (SELECT id, n FROM other ORDER BY id LIMIT 60) o WHERE o.id = simple.id;
DELETE FROM simple USING (SELECT id FROM other ORDER BY id LIMIT 1) o WHERE o.id = simple.id;
-- A key that is none there: all rows that have it are meant.
ALTER FOREIGN TABLE bag ALTER id OPTIONS (ADD key 'true');
SELECT (tried('UPDATE bag SET n = o.n FROM other o WHERE o.id = bag.id', '{bag}')).*;
SELECT (tried('UPDATE bag SET n = o.n FROM (SELECT * FROM other WHERE id = 3) o WHERE o.id = bag.id', '{bag}')).*;
-- A key of a type that the remote's values don't have.
CREATE FOREIGN TABLE far.as_bigint (id bigint OPTIONS (key 'true'), n int) SERVER twin_server OPTIONS (schema_name 'joined', table_name 't');
CREATE TABLE near.as_bigint (id bigint, n int);
INSERT INTO near.as_bigint SELECT id, n FROM near.t;
SELECT (tried('UPDATE as_bigint a SET n = o.n FROM (SELECT id * x::bigint AS id, n FROM other, (VALUES (1), (10000000)) y (x)) o WHERE o.id = a.id', '{as_bigint}')).*;
SELECT (tried('UPDATE as_bigint a SET n = 1 FROM (SELECT id * 10000000::bigint AS id FROM other WHERE id = 700) o WHERE o.id = a.id', '{as_bigint}')).*;

-- Plans that are kept
PREPARE change (int) AS UPDATE t SET n = $1 FROM with_key o WHERE o.id = t.id;
SET plan_cache_mode = force_generic_plan;
BEGIN;
EXECUTE change (1);
ALTER FOREIGN TABLE t ADD extra int OPTIONS (column_name 'n');
ALTER TABLE with_key DROP CONSTRAINT with_key_pkey;
INSERT INTO with_key SELECT id, 0 FROM with_key WHERE id < 100;
EXECUTE change (2);
SELECT count(*), count(*) FILTER (WHERE n % 10 = 2 AND n = extra) AS changed FROM t WHERE id <= 1500;
ROLLBACK;
RESET plan_cache_mode;

-- Not the keys of a large table, unless they are known to be different.
SET work_mem = '64kB';
SET hash_mem_multiplier = 1;
SELECT (tried('DELETE FROM t USING other o WHERE o.id = t.id')).*;
SELECT (tried('DELETE FROM t USING with_key o WHERE o.id = t.id')).*;
RESET work_mem;
RESET hash_mem_multiplier;

-- Errors
BEGIN;
SAVEPOINT s;
UPDATE t SET n = 1 / (1300 - o.id) FROM other o WHERE o.id = t.id;
ROLLBACK TO s;
SELECT count(*) FROM t WHERE n = id;
ROLLBACK;
UPDATE types SET vc = CASE WHEN o.i8 <> 550 THEN o.vc END FROM values_of o WHERE o.i8 = types.i8;
SELECT same('SELECT * FROM types');
UPDATE two SET b = NULL FROM pairs p WHERE p.a = two.a AND two.b = p.b;
UPDATE two SET n = NULL, c = repeat('x', p.n / (p.n - 700)) FROM pairs p WHERE p.a = two.a AND two.b = p.b;
SELECT same('SELECT * FROM two');
-- nothing is read, and it doesn't take a round trip for each batch
BEGIN;
SELECT count(*) FROM t;
SELECT rows_in AS in, rows_out AS out, round_trips AS trips FROM pgml_fdw_stats() \gset
UPDATE t SET n = o.n FROM other o WHERE o.id = t.id;
SELECT rows_in - :in AS rows_in, rows_out - :out AS rows_out, round_trips - :trips <= 5 AS few_round_trips FROM pgml_fdw_stats();
COMMIT;
\set ECHO none
SET client_min_messages = warning;
DROP TABLE public.other, public.with_key, public.repeated, public.many, public.pairs, public.values_of;
DROP FUNCTION public.tried, public.by_key;
DROP SCHEMA near, far CASCADE;
DROP SERVER twin_server CASCADE;
