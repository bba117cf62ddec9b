-- UNION, INTERSECT, EXCEPT, grouping sets and DISTINCT ON: what the remote computes is what would be computed here.
\getenv abs_srcdir PG_ABS_SRCDIR
\set remote_sql :abs_srcdir '/include/remote.psql'
\i :remote_sql
\set remote_schema setops
SELECT $fixture$
CREATE TABLE a (id int PRIMARY KEY, g int, t text, n numeric(8,2), c text COLLATE "C");
INSERT INTO a SELECT i, nullif(i % 7, 3), nullif('a' || i % 20, 'a5'), i * 1.25, 'c' || i % 3
  FROM generate_series(1, 60) i;
CREATE TABLE b (id int PRIMARY KEY, a_id int, v int8, note text, c text COLLATE "C");
INSERT INTO b SELECT i, nullif(i % 40, 7), i * 3, nullif('a' || i % 9, 'a4'), 'c' || i % 5 FROM generate_series(1, 90) i;
CREATE TABLE none (id int, t text);
$fixture$ AS fixture \gset
\set twins :abs_srcdir '/include/twins.psql'
\i :twins
\set shipping :abs_srcdir '/include/shipping.psql'
\i :shipping

-- set operations
SELECT ships('SELECT g FROM a UNION SELECT a_id FROM b');
SELECT ships('SELECT g, t FROM a INTERSECT SELECT a_id, note FROM b');
SELECT ships('SELECT g FROM a INTERSECT ALL SELECT a_id FROM b ORDER BY 1 DESC');
SELECT ships('SELECT a_id FROM b EXCEPT ALL (SELECT g FROM a UNION ALL SELECT id FROM a WHERE id < 20) ORDER BY 1 NULLS FIRST LIMIT 5 OFFSET 1');
SELECT same('SELECT id, ''a'' AS x FROM a WHERE id < 3 UNION SELECT a_id, note FROM b EXCEPT SELECT 1, NULL ORDER BY 2, 1 LIMIT 3');
SELECT whole('SELECT id, ''a'' AS x FROM a WHERE id < 3 UNION SELECT a_id, note FROM b EXCEPT SELECT id, t FROM none ORDER BY 2, 1 LIMIT 3');
SELECT ships('(SELECT g, count(*) FROM a GROUP BY g ORDER BY 2 DESC, 1 LIMIT 2) UNION SELECT a_id, sum(v)::bigint FROM b WHERE a_id < 4 GROUP BY a_id');
SELECT ships('SELECT c FROM a UNION SELECT c FROM b ORDER BY c DESC LIMIT 2');
SELECT ships('SELECT x.g, s.k FROM a x JOIN (SELECT g AS k FROM a EXCEPT SELECT a_id FROM b WHERE a_id > 4) s ON s.k = x.g WHERE x.id < 15');
SELECT ships('SELECT count(*), max(k) FROM (SELECT id AS k, t FROM a INTERSECT SELECT a_id, note FROM b) s WHERE k > 3');
SELECT ships('SELECT id FROM a WHERE id IN (SELECT g FROM a EXCEPT SELECT a_id FROM b WHERE a_id < 3)');
SELECT alike('INSERT INTO none SELECT id, t FROM a UNION SELECT a_id, note FROM b RETURNING id', '{none}');
SELECT same('SELECT * FROM none');

-- UNION ALL in FROM
SELECT whole('SELECT k, count(*), sum(n) FROM (SELECT g AS k, n, t FROM a WHERE id > 5 UNION ALL SELECT a_id, v, note FROM b) s GROUP BY k ORDER BY 2 DESC, 1 LIMIT 4');
SELECT whole('SELECT s.k, x.id FROM a x JOIN (SELECT g AS k, 1 AS w FROM a UNION ALL SELECT a_id, 2 FROM b UNION ALL SELECT max(id), 3 FROM a) s ON s.k = x.id WHERE s.w > 1 AND x.id < 9');
SELECT whole('SELECT id FROM a UNION ALL SELECT a_id FROM b ORDER BY 1 LIMIT 4');
SELECT ships('SELECT g FROM a UNION SELECT v FROM b');
SELECT ships('SELECT sum(k) FROM (SELECT g AS k FROM a UNION ALL SELECT n FROM a) s');
SELECT same('SELECT DISTINCT g FROM a UNION ALL SELECT v FROM b');
SELECT same('SELECT id FROM a UNION ALL SELECT a_id FROM b');
SELECT same('SELECT a.id, (SELECT sum(k) FROM (SELECT g AS k FROM a UNION ALL SELECT v FROM b) s WHERE k < a.id) FROM a');
SELECT same('SELECT s.k, b.id FROM (SELECT g AS k FROM a UNION ALL SELECT id FROM none) s FULL JOIN b ON b.id = s.k');

-- types, collations and parts that aren't the remote's
SELECT whole('SELECT t FROM a UNION SELECT c FROM b');
SELECT whole('SELECT g FROM a UNION SELECT id FROM near.b');
SELECT whole('SELECT g FROM a UNION SELECT (random() * 0)::int FROM b');
SELECT whole('SELECT * FROM (SELECT t FROM a UNION SELECT note FROM b) s ORDER BY t COLLATE "C"');
SELECT same('SELECT id, generate_series(1, 2) FROM a UNION SELECT a_id, 1 FROM b');
SELECT same('WITH RECURSIVE r AS (SELECT id FROM a WHERE id = 1 UNION SELECT b.id FROM b JOIN r ON b.a_id = r.id + 1) SELECT * FROM r');
PREPARE s (int) AS SELECT g + $1 FROM a UNION SELECT a_id FROM b WHERE a_id < $1 ORDER BY 1 LIMIT $1;
SET plan_cache_mode = force_generic_plan;
EXECUTE s (2);
EXECUTE s (4);
RESET plan_cache_mode;

-- privileges
SET client_min_messages = warning;
DROP ROLE IF EXISTS pgml_reader;
RESET client_min_messages;
CREATE ROLE pgml_reader;
GRANT USAGE ON SCHEMA far TO pgml_reader;
GRANT SELECT ON far.a TO pgml_reader;
GRANT SELECT (a_id) ON far.b TO pgml_reader;
CREATE USER MAPPING FOR pgml_reader SERVER twin_server OPTIONS (user :'USER', password_required 'false');
SET ROLE pgml_reader;
SELECT count(*) FROM (SELECT g FROM a UNION SELECT a_id FROM b) s;
SELECT g FROM a UNION SELECT id FROM b;
SELECT count(*) FROM (SELECT g FROM a INTERSECT SELECT id FROM b) s;
SELECT count(*) FROM (SELECT g FROM a UNION ALL SELECT max(id) FROM b) s;
SELECT max(g) FROM (SELECT g FROM a UNION ALL SELECT id FROM b) s;
RESET ROLE;

-- grouping sets
SELECT ships('SELECT g, c, count(*), GROUPING(g, c) FROM a GROUP BY ROLLUP (g, c) HAVING count(*) > 8 ORDER BY 1, 2, 4');
SELECT ships('SELECT g + 1, c, sum(n) FROM a WHERE id < 40 GROUP BY CUBE (g + 1, c)');
SELECT ships('SELECT g, id % 2, max(t) FROM a GROUP BY GROUPING SETS ((g), (id % 2), (), (g, id % 2))');
SELECT ships('SELECT a.g, b.c, count(*) FROM a JOIN b ON b.a_id = a.id GROUP BY GROUPING SETS (a.g, b.c) ORDER BY 3, 1, 2 LIMIT 4');
SELECT ships('SELECT count(*) FROM none GROUP BY GROUPING SETS ((), ())');
SELECT ships('SELECT sum(s.n) FROM (SELECT g, count(*) AS n FROM a GROUP BY ROLLUP (g)) s WHERE s.g IS NULL');
SELECT same('SELECT g, (g + 1) * 2, count(*) FROM a GROUP BY ROLLUP (g)');
SELECT same('SELECT g, count(*), rank() OVER (ORDER BY count(*), g) FROM a GROUP BY ROLLUP (g)');
SELECT same('SELECT g, 5 AS five, count(*) FROM a GROUP BY ROLLUP (g, 2)');
SELECT same('SELECT coalesce(g, -1), g IS NULL, count(*) FROM a GROUP BY CUBE (g, coalesce(g, -1))');
SELECT same('SELECT g, count(*) FROM a WHERE g = 2 GROUP BY ROLLUP (g)');
-- a value that is known here is null in rows that aren't grouped by it
SELECT same('SELECT EXISTS (SELECT FROM near.a) AS e, g, count(*), grouping(EXISTS (SELECT FROM near.a), g) FROM a GROUP BY CUBE (EXISTS (SELECT FROM near.a), g)');
SELECT same('SELECT (SELECT min(id) FROM near.a), g FROM a UNION ALL SELECT g, (SELECT max(id) FROM near.a) FROM a EXCEPT SELECT (SELECT 3), g FROM a');
SELECT same('SELECT DISTINCT GROUPING(g), c FROM a GROUP BY GROUPING SETS ((g, c), c)');

-- DISTINCT ON
SELECT ships('SELECT DISTINCT ON (g) g, id, n FROM a ORDER BY g, n DESC');
SELECT ships('SELECT DISTINCT ON (c, g + 1) id FROM a ORDER BY g + 1, c DESC, id LIMIT 5');
SELECT ships('SELECT x.id, s.id FROM b x JOIN (SELECT DISTINCT ON (g) g, id FROM a ORDER BY g, id DESC) s ON s.g = x.id');
SELECT ships('SELECT count(*) FROM (SELECT DISTINCT ON (g) g FROM a) s');
SELECT ships('SELECT DISTINCT ON (g) 5 FROM a');
SELECT same('SELECT DISTINCT ON (g) g, id + random() * 0 FROM a ORDER BY g, id');
SELECT same('SELECT DISTINCT ON (x) x, id FROM (SELECT 5 AS x, id FROM a) s ORDER BY x, id');
SELECT same('SELECT DISTINCT ON (g) g, row_number() OVER (ORDER BY id) FROM a ORDER BY g, id');

SET client_min_messages = warning;
DROP SCHEMA near, far CASCADE;
DROP SERVER twin_server CASCADE;
DROP ROLE pgml_reader;
