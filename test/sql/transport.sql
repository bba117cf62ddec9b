-- How rows come makes no difference to what they are: the same queries under each
-- transport and fetch_size, for tables of about as many rows as are fetched at a time.
\getenv abs_srcdir PG_ABS_SRCDIR
\set remote_sql :abs_srcdir '/include/remote.psql'
\i :remote_sql
\set remote_schema transport
SELECT $fixture$
CREATE TABLE r0 (id int PRIMARY KEY, k int, b bool, txt text, num numeric(12,3), f float8, ts timestamptz, arr int[], words text[], bytes bytea, j jsonb);
CREATE TABLE r1 (LIKE r0 INCLUDING ALL);
CREATE TABLE r99 (LIKE r0 INCLUDING ALL);
CREATE TABLE r100 (LIKE r0 INCLUDING ALL);
CREATE TABLE r101 (LIKE r0 INCLUDING ALL);
DO $$
DECLARE
  n int;
BEGIN
  FOREACH n IN ARRAY '{1,99,100,101}'::int[] LOOP
    EXECUTE format($f$
      INSERT INTO r%s SELECT i, i %% 7, nullif(i %% 3, 2)::bool, nullif(repeat('x' || i, i), 'x1'), i * 1.125, i / 3.0,
        '2024-01-01 00:00+00'::timestamptz + i * interval '1 hour', ARRAY[i, NULL, -i],
        CASE i %% 4 WHEN 0 THEN NULL WHEN 1 THEN '{}' ELSE ARRAY['w' || i, NULL, ''] END,
        decode(lpad(to_hex(i), 8, '0'), 'hex'), jsonb_build_object('i', i)
      FROM generate_series(1, $1) i $f$, n) USING n;
  END LOOP;
END
$$;
CREATE TABLE other (id int, r_id int, note text);
INSERT INTO other SELECT i, i * 2, 'note ' || i FROM generate_series(1, 60) i;
CREATE TABLE big (id int PRIMARY KEY, pad text);
INSERT INTO big SELECT i, repeat(md5(i::text), 3) FROM generate_series(1, 20000) i;
$fixture$ AS fixture \gset
\set twins :abs_srcdir '/include/twins.psql'
\i :twins
-- (sizes are unknown here, and so are costs)
ALTER SERVER twin_server OPTIONS (ADD ask_size 'false');
SET jit = off;

-- one column that is not what the remote has, so that it travels as text
ALTER FOREIGN TABLE far.r0 ALTER k TYPE bigint;
ALTER FOREIGN TABLE far.r1 ALTER k TYPE bigint;
ALTER FOREIGN TABLE far.r99 ALTER k TYPE bigint;
ALTER FOREIGN TABLE far.r100 ALTER k TYPE bigint;
ALTER FOREIGN TABLE far.r101 ALTER k TYPE bigint;
ALTER SERVER twin_server OPTIONS (ADD fetch_size '100');

-- Ask a query with each table in the place of %1$s in all ways: how many rows, and in how many ways
CREATE FUNCTION far.all_ways(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  size int;
  way text;
  n int;
  answer text;
  answers text[] := '{}';
  ways int := 0;
BEGIN
  FOREACH size IN ARRAY '{1,2,100}'::int[] LOOP
    EXECUTE format('ALTER SERVER twin_server OPTIONS (SET fetch_size %L)', size);
    FOREACH way IN ARRAY '{auto,copy,row,cursor}'::text[] LOOP
      PERFORM set_config('pgml_fdw.transport', way, true);
      FOREACH n IN ARRAY '{0,1,99,100,101}'::int[] LOOP
        answer := far.same(format(query, 'r' || n));
        IF answer !~ '^same' THEN
          RETURN format('%s, fetch_size %s, r%s: %s', way, size, n, answer);
        ELSIF ways = 0 THEN
          answers := answers || substring(answer, '\d+');
        END IF;
      END LOOP;
      ways := ways + 1;
    END LOOP;
  END LOOP;
  RETURN format('same in %s ways, %s rows', ways, answers);
END
$$;
SELECT all_ways('SELECT * FROM %1$s');
SELECT all_ways('SELECT FROM %1$s');
SELECT all_ways('SELECT count(*), sum(num), max(txt), min(ts) FROM %1$s');
SELECT all_ways('SELECT words, id, %1$s FROM %1$s');
SELECT all_ways('SELECT tableoid = ''%1$s''::regclass, ctid IS NULL, k FROM %1$s');
SELECT all_ways('SELECT id FROM %1$s WHERE id > 50 AND txt IS NOT NULL');
SELECT all_ways('SELECT id FROM %1$s WHERE random() >= 0 AND id %% 2 = 0');
SELECT all_ways('SELECT id, row_number() OVER () FROM (SELECT id FROM %1$s ORDER BY id DESC) s');
SELECT all_ways('SELECT id, b FROM %1$s WHERE random() >= 0 ORDER BY b, id LIMIT 3');
SELECT all_ways('SELECT id FROM %1$s WHERE random() >= 0 ORDER BY id OFFSET 98 LIMIT 2');
SELECT all_ways('SELECT count(*) FROM (SELECT FROM %1$s WHERE random() >= 0 LIMIT 100) s');
SELECT all_ways('SELECT EXISTS (SELECT FROM %1$s WHERE random() >= 0)');
SELECT all_ways('SELECT a.id, b.txt FROM %1$s a JOIN %1$s b ON a.id = b.id + 1');
SELECT all_ways('SELECT o.id, r.num FROM other o LEFT JOIN %1$s r ON r.id = o.r_id');
SELECT all_ways('SELECT o.id, x.id FROM other o, LATERAL (SELECT id FROM %1$s r WHERE r.id > o.r_id ORDER BY id LIMIT 2) x');
SELECT all_ways('SELECT o.id, (SELECT count(*) FROM %1$s r WHERE r.k = o.id) FROM other o WHERE o.id < 8');
SELECT all_ways('SELECT id FROM %1$s UNION ALL SELECT id FROM %1$s UNION ALL SELECT id FROM other');
SELECT all_ways('SELECT id FROM %1$s WHERE id NOT IN (SELECT r_id FROM other)');
SELECT all_ways('WITH c AS MATERIALIZED (SELECT * FROM %1$s) SELECT x.id, y.arr FROM c x, c y WHERE x.id = y.id');
SELECT all_ways('SELECT id FROM %1$s WHERE id = (SELECT max(r_id) FROM other WHERE id < 50)');
SELECT all_ways('SELECT 1 / (id - 100) FROM %1$s');
SELECT all_ways('SELECT id FROM %1$s WHERE txt = $q$it''s $1 \ %%s$q$ OR id = 1');
SET enable_hashjoin = off;
SET enable_mergejoin = off;
SET enable_material = off;
SELECT all_ways('SELECT a.id, b.id FROM other a JOIN %1$s b ON b.id = a.r_id AND b.f > 5');
SELECT all_ways('SELECT a.id, b.id FROM other a JOIN %1$s b ON a.id BETWEEN 3 AND 5 AND random() >= 0');
RESET enable_hashjoin;
RESET enable_mergejoin;
RESET enable_material;

-- That these were ways indeed: what each costs, for a table of so many rows.
CREATE FUNCTION far.trips(query text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
  before bigint;
BEGIN
  SELECT round_trips INTO before FROM pgml_fdw_stats();
  EXECUTE query;
  RETURN (SELECT round_trips - before FROM pgml_fdw_stats());
END
$$;
CREATE FUNCTION far.trips_of(way text, size int) RETURNS SETOF bigint LANGUAGE plpgsql AS $$
DECLARE
  n int;
BEGIN
  EXECUTE format('ALTER SERVER twin_server OPTIONS (SET fetch_size %L)', size);
  PERFORM set_config('pgml_fdw.transport', way, true);
  FOREACH n IN ARRAY '{0,1,99,100,101}'::int[] LOOP
    RETURN NEXT far.trips(format('CREATE TEMP TABLE copied ON COMMIT DROP AS SELECT txt FROM far.r%s', n));
    DROP TABLE copied;
  END LOOP;
END
$$;
SELECT way, size, ARRAY(SELECT far.trips_of(way, size)) AS trips
FROM unnest('{copy,row,cursor}'::text[]) way, unnest('{1,2,100}'::int[]) size ORDER BY 1, 2;

-- Who decides: the setting, else the table's option, else the server's.
CREATE FUNCTION far.transport_of(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  line text;
  kinds text[] := '{}';
BEGIN
  FOR line IN EXECUTE 'EXPLAIN (VERBOSE, COSTS OFF) ' || query LOOP
    IF line ~ 'Transport: ' THEN
      kinds := kinds || substring(line, 'Transport: (.*)');
    END IF;
  END LOOP;
  RETURN array_to_string(kinds, ', ');
END
$$;
ALTER SERVER twin_server OPTIONS (SET fetch_size '100');
SELECT transport_of('SELECT * FROM r101') AS none_given;
ALTER SERVER twin_server OPTIONS (ADD transport 'cursor');
SELECT transport_of('SELECT * FROM r101') AS server;
ALTER FOREIGN TABLE far.r101 OPTIONS (ADD transport 'row');
SELECT transport_of('SELECT * FROM r101') AS "table", transport_of('SELECT * FROM r100') AS server;
ALTER FOREIGN TABLE far.r101 OPTIONS (SET transport 'auto');
SELECT transport_of('SELECT * FROM r101') AS table_auto;
ALTER FOREIGN TABLE far.r101 OPTIONS (SET transport 'row');
SET pgml_fdw.transport = 'copy';
SELECT transport_of('SELECT * FROM r101 UNION ALL SELECT * FROM r100') AS setting;
SET pgml_fdw.transport = 'auto';
SELECT transport_of('SELECT * FROM r101 UNION ALL SELECT * FROM r100') AS setting_auto;
RESET pgml_fdw.transport;
-- plans that are kept follow
PREPARE p AS SELECT count(*) FROM r100;
SELECT transport_of('EXECUTE p') AS before;
ALTER SERVER twin_server OPTIONS (SET transport 'copy');
SELECT transport_of('EXECUTE p') AS after;
DEALLOCATE p;
ALTER SERVER twin_server OPTIONS (DROP transport);
ALTER FOREIGN TABLE far.r101 OPTIONS (DROP transport);
-- what is none
SET pgml_fdw.transport = 'pigeon';
ALTER SERVER twin_server OPTIONS (ADD transport 'pigeon');
ALTER FOREIGN TABLE far.r101 OPTIONS (ADD transport '');

-- What auto chooses by the plan
ANALYZE far.r101, far.other, far.big;
SELECT transport_of('SELECT * FROM r101') AS few;
SELECT transport_of('SELECT * FROM big WHERE id = 1') AS one;
SELECT transport_of('SELECT * FROM big') AS bulk;
SELECT transport_of('SELECT * FROM big WHERE random() < 0.5') AS local_filter;
SELECT transport_of('SELECT count(*) FROM big WHERE random() < 0.5') AS counted;
SELECT transport_of('CREATE TABLE x AS SELECT * FROM big') AS copied;
SELECT transport_of('SELECT * FROM big WHERE random() < 0.5 LIMIT 10') AS "limit";
SELECT transport_of('SELECT * FROM big ORDER BY id LIMIT 10') AS limit_sorted_there;
SELECT transport_of('SELECT * FROM big ORDER BY random() LIMIT 10') AS limit_sorted_here;
SELECT transport_of('SELECT id % 5, count(*) FROM big WHERE random() < 0.5 GROUP BY 1 LIMIT 1') AS limit_grouped;
SELECT transport_of('SELECT DISTINCT left(pad, 1) FROM big WHERE random() < 0.5 LIMIT 1') AS limit_distinct;
SELECT transport_of('SELECT * FROM big LIMIT 19999') AS limit_nearly_all;
SELECT transport_of('SELECT EXISTS (SELECT FROM big WHERE random() < 0.5)') AS "exists";
SELECT transport_of('DECLARE c CURSOR FOR SELECT * FROM big WHERE random() < 0.5') AS declared;
SET enable_hashjoin = off;
SET enable_mergejoin = off;
SELECT transport_of('SELECT * FROM near.other o JOIN big b ON b.id = o.id') AS nested_loop;
RESET enable_hashjoin;
RESET enable_mergejoin;
SELECT transport_of('SELECT * FROM near.other o, LATERAL (SELECT * FROM big b WHERE b.id > o.id LIMIT 3) x') AS "lateral";
SELECT transport_of('SELECT (SELECT count(*) FROM big b WHERE b.id > o.id) FROM near.other o') AS subselect;
SET enable_nestloop = off;
SET enable_mergejoin = off;
SELECT transport_of('SELECT * FROM near.big o JOIN big b ON b.id = o.id') AS hash_join;
RESET enable_nestloop;
RESET enable_mergejoin;
SET plan_cache_mode = force_generic_plan;
PREPARE p(int) AS SELECT * FROM big WHERE id > $1;
SELECT transport_of('EXECUTE p(1)') AS prepared;
DEALLOCATE p;
RESET plan_cache_mode;

-- And by how the executor is called: what the remote was asked for last
CREATE FUNCTION far.remote_runs(OUT kind text) LANGUAGE plpgsql AS $$
BEGIN
  SELECT CASE WHEN query ~ 'ROLLBACK TO SAVEPOINT pgml_stream' THEN 'COPY, stopped' WHEN query ~ 'COPY \(' THEN 'COPY' WHEN query ~ 'FETCH \d+ FROM' THEN 'cursor'
              WHEN query ~ '^SELECT.* FROM transport' THEN 'row' ELSE query END INTO kind
  FROM dblink('twin_server', (SELECT 'SELECT query FROM pg_stat_activity WHERE pid = ' || remote_backend_pid FROM pgml_fdw_get_connections() WHERE used_in_xact))
    AS a (query text);
END
$$;
BEGIN;
SELECT count(*) FROM (SELECT * FROM big WHERE random() >= 0) b;
SELECT remote_runs() AS "all";
DECLARE c CURSOR FOR SELECT id, pad FROM big WHERE id > 0;
FETCH 1 FROM c;
SELECT remote_runs() AS fetched;
CLOSE c;
DECLARE c SCROLL CURSOR WITH HOLD FOR SELECT id, pad FROM big WHERE id > 0;
SELECT remote_runs() AS declared_only;
FETCH 1 FROM c;
SELECT remote_runs() AS held;
COMMIT;
CLOSE c;
CREATE FUNCTION far.loop(how text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  r record;
  c refcursor;
BEGIN
  IF how = 'for' THEN
    FOR r IN SELECT id, pad FROM big LOOP
      EXIT;
    END LOOP;
  ELSIF how = 'for execute' THEN
    FOR r IN EXECUTE 'SELECT id, pad FROM big' LOOP
      EXIT;
    END LOOP;
  ELSIF how = 'fetch' THEN
    OPEN c FOR SELECT id, pad FROM big;
    FETCH c INTO r;
  ELSIF how = 'into' THEN
    SELECT id, pad INTO r FROM big;
  ELSIF how = 'all' THEN
    CREATE TEMP TABLE loop_copy ON COMMIT DROP AS SELECT id, pad FROM big;
  END IF;
  RETURN far.remote_runs();
END
$$;
SELECT how, loop(how) FROM unnest('{for,for execute,fetch,into,all}'::text[]) how;
-- (a kept plan is a kept plan)
DISCARD PLANS;
SET pgml_fdw.transport = 'copy';
SELECT how, loop(how) FROM unnest('{for,for execute,fetch,into,all}'::text[]) how;
RESET pgml_fdw.transport;
-- nobody sees the rows of these before all have been read
BEGIN;
DECLARE c CURSOR FOR SELECT left(pad, 1), count(*) FROM big WHERE random() >= 0 GROUP BY 1 ORDER BY 1;
FETCH 1 FROM c;
SELECT remote_runs() AS grouped;
CLOSE c;
DECLARE c CURSOR FOR SELECT id FROM big ORDER BY pg_column_size(pad), id;
FETCH 1 FROM c;
SELECT remote_runs() AS sorted_here;
COMMIT;

\pset tuples_only off
\pset format aligned
SET client_min_messages = warning;
DROP SCHEMA near, far CASCADE;
DROP SERVER twin_server CASCADE;
