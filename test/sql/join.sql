-- Joins, aggregates, DISTINCT, ORDER BY and LIMIT: what the remote computes is what would be computed here.
\getenv abs_srcdir PG_ABS_SRCDIR
\set remote_sql :abs_srcdir '/include/remote.psql'
\i :remote_sql
\set remote_schema joins
SELECT $fixture$
CREATE TABLE a (id int PRIMARY KEY, g int, t text, n numeric(8,2), d date, c text COLLATE "C");
INSERT INTO a SELECT i, nullif(i % 7, 3), nullif('a' || i % 20, 'a5'), i * 1.25, '2024-01-01'::date + i % 11, 'c' || i % 3
  FROM generate_series(1, 100) i;
CREATE TABLE b (id int PRIMARY KEY, a_id int, v int8, note text);
INSERT INTO b SELECT i, nullif(i % 60, 7), i * 3, nullif('note ' || i % 9, 'note 4') FROM generate_series(1, 150) i;
CREATE TABLE c (k int, x text);
INSERT INTO c SELECT nullif(i % 12, 5), 'x' || i FROM generate_series(1, 40) i;
CREATE TABLE none (id int, t text);
CREATE TABLE odd ("sel ect" int, r1 int, "r1.*" text, gone int, "Umläut" text);
ALTER TABLE odd DROP COLUMN gone;
INSERT INTO odd VALUES (1, 2, 'x', 'ü'), (2, 3, NULL, 'y');
CREATE TABLE parts (id int, k int) PARTITION BY LIST (k);
CREATE TABLE parts_1 PARTITION OF parts FOR VALUES IN (1);
CREATE TABLE parts_2 PARTITION OF parts FOR VALUES IN (2);
INSERT INTO parts SELECT i, 1 + i % 2 FROM generate_series(1, 10) i;
$fixture$ AS fixture \gset
\set twins :abs_srcdir '/include/twins.psql'
\i :twins
-- local ways to join what can't be joined there
SET pgml_fdw.enable_keyed_join = off;

\set shipping :abs_srcdir '/include/shipping.psql'
\i :shipping

-- kinds of joins
SELECT ships('SELECT a.t, b.note FROM a JOIN b ON a.id = b.a_id WHERE a.g = 2');
SELECT ships('SELECT * FROM a LEFT JOIN b ON a.id = b.a_id AND b.v > 200 WHERE a.g = 2');
SELECT ships('SELECT a.id, b.id FROM a RIGHT JOIN b ON a.id = b.a_id AND a.g = 2 WHERE b.v < 50');
SELECT ships('SELECT a.id, b.id FROM a FULL JOIN b ON a.id = b.id');
SELECT ships('SELECT a.id, c.x FROM a CROSS JOIN c WHERE a.id < 3');
SELECT ships('SELECT a.id FROM a WHERE EXISTS (SELECT FROM b WHERE b.a_id = a.id AND b.v > 300)');
SELECT ships('SELECT a.id FROM a WHERE NOT EXISTS (SELECT FROM b WHERE b.a_id = a.id AND b.v > 300)');
SELECT ships('SELECT a.id FROM a WHERE a.id IN (SELECT b.a_id FROM b JOIN c ON c.k = b.id)');
SELECT ships('SELECT a.id FROM a LEFT JOIN b ON b.a_id = a.id AND b.v > 100 WHERE b.id IS NULL');
SELECT ships('SELECT a.id, c.x FROM a JOIN b ON a.id = b.a_id LEFT JOIN c ON c.k = b.id WHERE c.k IS NULL OR c.k > 3');
SELECT ships('SELECT a.id, b.id, c.x FROM a LEFT JOIN (b JOIN c ON c.k = b.id) ON b.a_id = a.id AND c.x <> a.t');
SELECT same('SELECT x.id, y.id FROM a x JOIN a y ON x.g + 0 = y.g AND x.id < y.id WHERE y.id < 20');
SELECT ships('SELECT a.id, none.id FROM a LEFT JOIN none ON none.id = a.id WHERE a.id < 3');
SELECT ships('SELECT a.id FROM a LEFT JOIN b ON b.a_id = a.id AND EXISTS (SELECT FROM c WHERE c.k = b.id) WHERE b.id > 0 OR a.g = 1');

-- conditions below a full join
SELECT ships('SELECT x.id, y.id FROM (SELECT * FROM a WHERE g = 1) x FULL JOIN (SELECT * FROM b WHERE v < 90) y ON x.id = y.id');
SELECT ships('SELECT x.id, y.k FROM (SELECT a.id FROM a JOIN b ON b.a_id = a.id WHERE a.g = 1) x FULL JOIN (SELECT * FROM c WHERE k > 3) y ON x.id = y.k');
SELECT ships('SELECT x.id, y.k FROM (SELECT a.id FROM a LEFT JOIN b ON b.a_id = a.id WHERE a.g = 1) x FULL JOIN c y ON x.id = y.k');

SELECT same('SELECT count(*) FROM a FULL JOIN b ON a.id < b.id');

-- conditions that stay here
SELECT ships('SELECT a.id, b.id FROM a JOIN b ON a.id = b.a_id WHERE a.g = 1 AND random() >= 0 AND b.v > 20');
SELECT ships('SELECT a.id, b.id FROM a LEFT JOIN b ON a.id = b.a_id WHERE a.g + random() >= 0');
SELECT same('SELECT a.id, b.id FROM a LEFT JOIN (SELECT * FROM b WHERE random() >= 0) b ON a.id = b.a_id WHERE a.g = 2');
SELECT ships('SELECT a.id, b.id FROM a LEFT JOIN b ON a.id = b.a_id AND a.g + random() >= 0 WHERE a.g = 2');
SELECT same('SELECT a.id FROM a WHERE EXISTS (SELECT FROM b WHERE a.id = b.a_id AND random() >= 0) AND a.g = 2');
SELECT ships('SELECT a.id FROM a WHERE EXISTS (SELECT FROM b WHERE a.id = b.a_id) AND random() >= 0');

-- whole rows, system columns, odd names
SELECT ships('SELECT a, b FROM a LEFT JOIN b ON b.a_id = a.id WHERE a.id IN (6, 7, 8)');
SELECT ships('SELECT o, p FROM odd o LEFT JOIN odd p ON p.r1 = o."sel ect"');
SELECT ships('SELECT b FROM a LEFT JOIN b ON b.a_id = a.id WHERE (a.d, b.id) > (''2024-01-03'', 100)');
SELECT a.tableoid::regclass, a.id, b.tableoid::regclass FROM a LEFT JOIN b ON b.id = a.id + 100 WHERE a.id IN (50, 51);
SELECT sent('SELECT a.xmin, b.id FROM a JOIN b ON b.a_id = a.id');
SELECT count(*) FROM (SELECT a.ctid x, b.ctid y FROM a LEFT JOIN b ON b.id = a.id + 100) q WHERE y IS NULL;

-- expressions that an outer join makes null
SELECT ships('SELECT a.id, x.one, x.u FROM a LEFT JOIN (SELECT a_id, 1 AS one, coalesce(note, ''-'') AS u FROM b WHERE v > 300) x ON x.a_id = a.id');

-- aggregates
SELECT ships('SELECT count(*) FROM a');
SELECT ships('SELECT g, count(*), sum(n) + 1, max(c) FILTER (WHERE id > 5), count(DISTINCT d) FROM a GROUP BY g HAVING count(*) > 14');
SELECT ships('SELECT g + 1, min(d), string_agg(c, '','' ORDER BY c DESC, id) FROM a WHERE id < 20 GROUP BY g + 1');
SELECT ships('SELECT a.g, sum(b.v) FROM a JOIN b ON b.a_id = a.id GROUP BY a.g ORDER BY 2 DESC, 1 LIMIT 3');
SELECT ships('SELECT count(*) FROM none');
SELECT same('SELECT count(DISTINCT a.d) AS x FROM a LEFT JOIN near.c ON c.k = a.id WHERE a.g < 5 ORDER BY x DESC LIMIT 2');
SELECT ships('SELECT 1 FROM none HAVING count(*) = 0');
SELECT ships('SELECT 1 FROM a HAVING random() >= 0');
SELECT ships('SELECT count(*) FROM none GROUP BY id');
SELECT same('SELECT g, count(*) FROM a WHERE g = 1 GROUP BY g');
SELECT same('SELECT g, id, count(*) FROM a WHERE g = 100 GROUP BY g, id');
SELECT same('SELECT 5, count(*) FROM none GROUP BY 1');
SELECT ships('SELECT g FROM a GROUP BY g HAVING sum(n) > 300 AND count(*) > random()');
SELECT ships('SELECT percentile_disc(0.5) WITHIN GROUP (ORDER BY id), mode() WITHIN GROUP (ORDER BY g) FROM a');
SELECT ships('SELECT array_agg(DISTINCT g ORDER BY g DESC NULLS LAST), bool_or(id > 3), avg(n) FROM a');
SELECT ships('SELECT sum(n * (SELECT max(id) FROM none)) FROM a');
SELECT ships('SELECT count(*) FROM a WHERE random() >= 0');
SELECT ships('SELECT g, count(*) FROM a GROUP BY ROLLUP (g)');
SELECT ships('SELECT min(t COLLATE "C") FROM a');
SELECT ships('SELECT x.g, (SELECT count(*) FROM b WHERE b.a_id > x.id) FROM a x WHERE x.id IN (1, 50)');
SELECT ships('SELECT g, x FROM (SELECT g, count(*) AS x FROM a GROUP BY g) s WHERE x > 14 AND random() >= 0');

-- DISTINCT, ORDER BY, LIMIT
SELECT ships('SELECT DISTINCT g, c FROM a');
SELECT ships('SELECT DISTINCT g + id % 2, upper(c) FROM a ORDER BY 1, 2 LIMIT 4 OFFSET 1');
SELECT ships('SELECT DISTINCT count(*) FROM a GROUP BY g ORDER BY 1 DESC');
SELECT same('SELECT DISTINCT ON (g) g, id FROM a ORDER BY g, id');
-- what is known here and sent is not taken from the rows
SELECT ships('SELECT DISTINCT g, now() FROM a ORDER BY 1');
SELECT same('SELECT date_trunc(''day'', now()), g, now() - interval ''1 day'', max(id) FROM a GROUP BY 1, 2, 3');
SELECT same('SELECT count(*), now() AS moment FROM a GROUP BY moment');
SELECT same('SELECT a.id, x.* FROM near.c JOIN a ON a.id = c.k CROSS JOIN LATERAL (SELECT DISTINCT b.g, a.id * 2, c.k FROM a b WHERE b.g > c.k ORDER BY 1 OFFSET 1) x');
SET plan_cache_mode = force_generic_plan;
PREPARE known (int, int) AS SELECT DISTINCT $1 AS x, g + $2 FROM far.a WHERE id > $1 ORDER BY 2 LIMIT 3;
EXECUTE known (4, 1);
RESET plan_cache_mode;
DEALLOCATE known;
SELECT ships('SELECT id FROM a ORDER BY n DESC LIMIT 3');
SELECT ships('SELECT d FROM a ORDER BY d FETCH FIRST 3 ROWS WITH TIES');
SELECT ships('SELECT count(*) FROM (SELECT FROM a LIMIT 3 OFFSET 98) x');
SELECT ships('SELECT id FROM a ORDER BY id LIMIT (SELECT 2) OFFSET (SELECT 1)');
SELECT ships('SELECT id FROM a WHERE random() >= 0 ORDER BY id LIMIT 3');
SELECT ships('SELECT id, random() >= 0 FROM a ORDER BY id LIMIT 3');
SELECT ships('SELECT id FROM a ORDER BY id LIMIT NULL OFFSET 97');
SELECT ships('SELECT id FROM a ORDER BY id LIMIT -1');
SELECT ships('SELECT id, generate_series(1, 2) FROM a ORDER BY id LIMIT 3');
SELECT ships('SELECT a.id FROM a JOIN b ON b.a_id = a.id ORDER BY a.id, b.v DESC LIMIT 5');

-- parameters
PREPARE p (int, text) AS SELECT a.id, b.id FROM a JOIN b ON b.a_id = a.id WHERE a.g = $1 AND b.note = $2 ORDER BY 1, 2 LIMIT $1;
SET plan_cache_mode = force_generic_plan;
EXPLAIN (VERBOSE, COSTS OFF) EXECUTE p (2, 'note 1');
EXECUTE p (2, 'note 1');
EXECUTE p (1, 'note 2');
PREPARE q (numeric) AS SELECT g, sum(n * $1) FROM a GROUP BY g ORDER BY 2 LIMIT 2;
EXPLAIN (VERBOSE, COSTS OFF) EXECUTE q (2);
EXECUTE q (2);
RESET plan_cache_mode;

-- other servers, other users, local tables: not together
SELECT sent('SELECT a.id FROM a JOIN near.b ON b.a_id = a.id WHERE a.g = 1');
SET client_min_messages = warning;
DROP SERVER IF EXISTS twin_server_2 CASCADE;
DROP ROLE IF EXISTS pgml_join_owner;
RESET client_min_messages;
CREATE SERVER twin_server_2 FOREIGN DATA WRAPPER pgml_fdw
  OPTIONS (host :'remote_host', port :'remote_port', dbname :'remote_db');
CREATE USER MAPPING FOR CURRENT_USER SERVER twin_server_2 OPTIONS (user :'USER');
CREATE FOREIGN TABLE far.b2 (id int, a_id int) SERVER twin_server_2 OPTIONS (schema_name 'joins', table_name 'b');
SELECT sent('SELECT a.id FROM a JOIN b2 ON b2.a_id = a.id');
CREATE ROLE pgml_join_owner;
GRANT USAGE ON SCHEMA far TO pgml_join_owner;
GRANT SELECT ON ALL TABLES IN SCHEMA far TO pgml_join_owner;
CREATE VIEW far.view_b AS SELECT * FROM far.b;
ALTER VIEW far.view_b OWNER TO pgml_join_owner;
SELECT sent('SELECT a.id FROM a JOIN view_b ON view_b.a_id = a.id');

-- what is the same in all rows is known here, though it be grouped by (from 18 on, core doesn't)
SELECT same('SELECT EXISTS (SELECT FROM near.none), sum(id) FROM a GROUP BY 1');
SELECT same('SELECT EXISTS (SELECT FROM near.none), g, sum(id) FROM a GROUP BY 1, 2');
SELECT same('SELECT EXISTS (SELECT FROM near.c), count(*) FROM a WHERE false GROUP BY 1');
SELECT same('SELECT DISTINCT EXISTS (SELECT FROM near.none), g FROM a');
SELECT same('SELECT DISTINCT EXISTS (SELECT FROM near.none) FROM a');
SELECT same('SELECT now() - now(), count(*) FROM a WHERE d < now() - now() + date ''2024-01-05'' GROUP BY now() - now(), g');
SELECT same('SELECT now() = now(), t FROM a GROUP BY now(), t ORDER BY now(), t LIMIT 3');
SET plan_cache_mode = force_generic_plan;
PREPARE known (int, text) AS SELECT $1 + 1, $2, count(*) FROM a WHERE id > $1 GROUP BY $1 + 1, $2, g HAVING $1 > 3 ORDER BY $1 + 1, g LIMIT 3;
EXECUTE known (7, 'x');
EXECUTE known (2, 'x');
PREPARE known_distinct (int) AS SELECT DISTINCT $1, g FROM a WHERE g < $1 ORDER BY $1, g;
EXECUTE known_distinct (3);
RESET plan_cache_mode;
DEALLOCATE known;
DEALLOCATE known_distinct;

-- a security barrier: the condition behind it must not see what it hides
CREATE VIEW far.barrier WITH (security_barrier) AS SELECT * FROM far.a WHERE g = 1;
CREATE FUNCTION far.peek(int) RETURNS bool LANGUAGE plpgsql AS 'BEGIN RAISE NOTICE ''%'', $1; RETURN true; END';
SELECT sent('SELECT barrier.id FROM barrier JOIN b ON b.a_id = barrier.id WHERE barrier.id / b.id = 1');

-- locked and changed rows
SELECT sent('SELECT a.id FROM a JOIN b ON b.a_id = a.id FOR UPDATE OF a SKIP LOCKED FOR SHARE OF b NOWAIT');
BEGIN;
SELECT a.id, b.id FROM a JOIN b ON b.a_id = a.id WHERE b.id < 4 ORDER BY 1 FOR UPDATE;
ROLLBACK;
SELECT sent('SELECT id FROM a ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED');
SELECT sent('UPDATE a SET t = b.note FROM b WHERE b.a_id = a.id AND b.id + random() > 0');
SELECT alike('UPDATE a SET t = b.note FROM b WHERE b.a_id = a.id AND b.id < 50 AND b.id + random() > 0', '{a}');
SELECT alike('UPDATE parts SET id = parts.id + 100 FROM a WHERE a.id = parts.id AND a.id + random() > 0', '{parts}');
SELECT alike('DELETE FROM parts USING a, b WHERE a.id + 100 = parts.id AND b.id = a.id AND a.g = 1 AND a.id + random() > 0', '{parts}');
SELECT alike('DELETE FROM b USING a WHERE b.a_id = a.id AND a.g = 6 AND b.id + random() > 0 RETURNING b.id, a.t', '{b}');
SELECT alike('UPDATE a SET n = (SELECT count(*) FROM b WHERE b.a_id = a.id) WHERE g = 2', '{a}');
SELECT alike('INSERT INTO c SELECT count(*), max(note) FROM b GROUP BY a_id', '{c}');
-- a local table's rows may be checked again, so a local plan for the join comes along
SELECT sent('UPDATE near.c SET x = a.t FROM a JOIN b ON b.a_id = a.id WHERE a.id = c.k');
SELECT sent('SELECT c.k FROM near.c JOIN a ON a.id = c.k JOIN b ON b.a_id = a.id FOR UPDATE OF c');

SET client_min_messages = warning;
DROP SCHEMA near, far CASCADE;
DROP SERVER twin_server CASCADE;
DROP SERVER twin_server_2 CASCADE;
DROP ROLE pgml_join_owner;
