-- Window functions: what the remote computes is what would be computed here.
\getenv abs_srcdir PG_ABS_SRCDIR
\set remote_sql :abs_srcdir '/include/remote.psql'
\i :remote_sql
\set remote_schema windows
SELECT $fixture$
CREATE TABLE a (id int PRIMARY KEY, g int, t text, n numeric(8,2), d date, c text COLLATE "C");
INSERT INTO a SELECT i, nullif(i % 7, 3), nullif('a' || i % 20, 'a5'), i * 1.25, '2024-01-01'::date + i % 11, 'c' || i % 3
  FROM generate_series(1, 60) i;
CREATE TABLE b (id int PRIMARY KEY, a_id int, v int8, note text);
INSERT INTO b SELECT i, nullif(i % 40, 7), i * 3, nullif('note ' || i % 9, 'note 4') FROM generate_series(1, 90) i;
CREATE TABLE none (id int, t text);
$fixture$ AS fixture \gset
\set twins :abs_srcdir '/include/twins.psql'
\i :twins
\set shipping :abs_srcdir '/include/shipping.psql'
\i :shipping

-- windows and their frames
SELECT same('SELECT id, row_number() OVER (PARTITION BY g ORDER BY n DESC NULLS LAST, id) FROM a ORDER BY 2, 1 LIMIT 9');
SELECT same('SELECT id, sum(n) OVER (ORDER BY id ROWS BETWEEN 2 PRECEDING AND CURRENT ROW EXCLUDE TIES), count(*) FILTER (WHERE g > 2) OVER () FROM a ORDER BY id LIMIT 4');
SELECT same('SELECT id, lag(t, 2, ''-'') OVER w, first_value(t) OVER w, ntile(4) OVER w FROM a WINDOW w AS (PARTITION BY c ORDER BY id) ORDER BY id LIMIT 5');
SELECT same('SELECT id, count(*) OVER (ORDER BY d RANGE BETWEEN ''2 days'' PRECEDING AND ''1 day'' FOLLOWING) FROM a ORDER BY id LIMIT 5');
SELECT same('SELECT id, dense_rank() OVER (ORDER BY g), sum(id) OVER (ORDER BY g, id GROUPS BETWEEN UNBOUNDED PRECEDING AND 1 FOLLOWING EXCLUDE GROUP) FROM a ORDER BY id LIMIT 5');
SELECT same('SELECT id, max(c) OVER (ORDER BY c, id RANGE BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING EXCLUDE CURRENT ROW) FROM a ORDER BY id LIMIT 5');
SELECT same('SELECT id, nth_value(id, 2) OVER (ORDER BY id ROWS BETWEEN 3 PRECEDING AND 1 PRECEDING) FROM a ORDER BY id LIMIT 5');
SELECT same('SELECT id, row_number() OVER (ORDER BY id), sum(n) OVER (PARTITION BY g) / n FROM a');

-- what is sent
SELECT ships('SELECT count(*), sum(s.x) FROM (SELECT sum(n) OVER (PARTITION BY g ORDER BY id DESC ROWS BETWEEN 2 PRECEDING AND CURRENT ROW EXCLUDE TIES) AS x FROM a) s');
SELECT ships('SELECT count(s.x), sum(s.y) FROM (SELECT lag(t, 2, ''-'') OVER w AS x, count(*) FILTER (WHERE g > 2) OVER () AS y FROM a WINDOW w AS (PARTITION BY c ORDER BY id)) s');
SELECT ships('SELECT sum(s.x) FROM (SELECT count(*) OVER (ORDER BY d RANGE BETWEEN ''2 days'' PRECEDING AND ''1 day'' FOLLOWING) AS x FROM a) s');
SELECT ships('SELECT max(s.x) FROM (SELECT sum(sum(b.v)) OVER (ORDER BY a.g GROUPS BETWEEN UNBOUNDED PRECEDING AND 1 FOLLOWING EXCLUDE GROUP) AS x FROM a LEFT JOIN b ON b.a_id = a.id GROUP BY a.g) s');

-- above joins and groups, below DISTINCT
SELECT same('SELECT a.g, sum(b.v), rank() OVER (ORDER BY sum(b.v) DESC) FROM a JOIN b ON b.a_id = a.id GROUP BY a.g ORDER BY 3, 1 LIMIT 4');
SELECT same('SELECT DISTINCT g, count(*) OVER (PARTITION BY g) FROM a ORDER BY 1 LIMIT 3');
SELECT same('SELECT g + 1, sum(count(*)) OVER (ORDER BY g + 1) / 2 FROM a GROUP BY g + 1');

-- in a subquery: what core takes out of the condition around it is asked of the remote
SELECT whole('SELECT s.id FROM (SELECT id, g, row_number() OVER (PARTITION BY g ORDER BY id) AS r FROM a) s JOIN b ON b.id = s.id WHERE s.r <= 2');
SELECT whole('SELECT count(*), max(s.id) FROM (SELECT id, row_number() OVER (ORDER BY n) AS r FROM a) s WHERE s.r < 5');
SELECT whole('SELECT count(*) FROM (SELECT id, rank() OVER (ORDER BY d) AS r FROM a) s WHERE 20 >= s.r AND s.id > 3');
SELECT same('SELECT s.id FROM (SELECT id, row_number() OVER (PARTITION BY g ORDER BY id) AS r FROM a) s WHERE s.r <= 2');
SELECT same('SELECT s.r FROM (SELECT DISTINCT row_number() OVER (PARTITION BY g ORDER BY id) AS r FROM a) s WHERE s.r <= 2');
SELECT same('SELECT s.id FROM (SELECT id, row_number() OVER (ORDER BY id) AS r FROM a) s WHERE s.r <= (SELECT 3) AND s.r <= random() + 2');
SELECT same('SELECT s.id, x.r FROM a s JOIN (SELECT id, count(*) OVER (ORDER BY id) AS r FROM b) x ON x.id = s.id WHERE x.r = 4');
SELECT same('SELECT id FROM a WHERE 3 > (SELECT r FROM (SELECT b.id, row_number() OVER (ORDER BY v) AS r FROM b) s WHERE s.r <= 9 AND s.id = a.id)');

-- not the remote's
SELECT same('SELECT id, row_number() OVER (ORDER BY random(), id) > 0 FROM a');
SELECT same('SELECT id, rank() OVER (ORDER BY t COLLATE "C") FROM a');
SELECT same('SELECT id, sum(id) OVER (ORDER BY id) FROM a WHERE random() >= 0');
SELECT same('SELECT id, generate_series(1, 2), count(*) OVER () FROM a');
PREPARE w (int) AS SELECT id, sum(id + $1) OVER (ORDER BY id ROWS $1 PRECEDING) FROM a ORDER BY id LIMIT $1;
SET plan_cache_mode = force_generic_plan;
EXECUTE w (2);
EXECUTE w (3);
RESET plan_cache_mode;
-- the parts of a table here don't know the windows that are made of all of them
CREATE TABLE far.in_parts (id int, g int) PARTITION BY LIST (id);
CREATE FOREIGN TABLE far.in_part1 PARTITION OF far.in_parts FOR VALUES IN (1) SERVER twin_server OPTIONS (schema_name 'windows', table_name 'a');
CREATE FOREIGN TABLE far.in_part2 PARTITION OF far.in_parts DEFAULT SERVER twin_server OPTIONS (schema_name 'windows', table_name 'a');
SELECT max(id) OVER () > 0 AS m FROM far.in_parts ORDER BY m LIMIT 1;
SELECT max(id) OVER () > 0 AS m FROM far.in_parts ORDER BY max(id) OVER () FETCH FIRST 1 ROWS ONLY;

SET client_min_messages = warning;
DROP SCHEMA near, far CASCADE;
DROP SERVER twin_server CASCADE;
