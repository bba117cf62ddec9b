-- Subqueries as relations: joins with, and steps above, what the remote has grouped, made distinct or cut off.
\getenv abs_srcdir PG_ABS_SRCDIR
\set remote_sql :abs_srcdir '/include/remote.psql'
\i :remote_sql
\set remote_schema subqueries
SELECT $fixture$
CREATE TABLE a (id int PRIMARY KEY, g int, t text, n numeric(8,2), d date, c text COLLATE "C");
INSERT INTO a SELECT i, nullif(i % 7, 3), nullif('a' || i % 20, 'a5'), i * 1.25, '2024-01-01'::date + i % 11, 'c' || i % 3
  FROM generate_series(1, 100) i;
CREATE TABLE b (id int PRIMARY KEY, a_id int, v int8, note text);
INSERT INTO b SELECT i, nullif(i % 60, 7), i * 3, nullif('note ' || i % 9, 'note 4') FROM generate_series(1, 150) i;
CREATE TABLE c (k int, x text);
INSERT INTO c SELECT nullif(i % 12, 5), 'x' || i FROM generate_series(1, 40) i;
CREATE TABLE none (id int, t text);
$fixture$ AS fixture \gset
\set twins :abs_srcdir '/include/twins.psql'
\i :twins
\set shipping :abs_srcdir '/include/shipping.psql'
\i :shipping

-- grouped
SELECT ships('SELECT a.t, s.n FROM a JOIN (SELECT a_id, count(*) AS n, max(note) AS m FROM b GROUP BY a_id) s ON s.a_id = a.id WHERE a.g = 2');
SELECT ships('SELECT a.id, s.v FROM a LEFT JOIN (SELECT a_id, sum(v) AS v FROM b WHERE v > 30 GROUP BY a_id HAVING count(*) > 2) s ON s.a_id = a.id AND s.v > 600');
SELECT ships('SELECT s.n, count(*) FROM (SELECT a.id, count(b.id) AS n FROM a LEFT JOIN b ON b.a_id = a.id GROUP BY a.id) s GROUP BY s.n ORDER BY 2 DESC, 1 DESC');
SELECT ships('SELECT x.g, x.n, y.n FROM (SELECT g, count(*) AS n FROM a GROUP BY g) x FULL JOIN (SELECT k, count(*) AS n FROM c GROUP BY k) y ON y.k = x.g WHERE x.n > 3 OR y.n > 3');
SELECT ships('SELECT x.g, y.k FROM (SELECT g, count(*) AS n FROM a GROUP BY g) x FULL JOIN (SELECT k, count(*) AS n FROM c GROUP BY k OFFSET 0) y ON y.k = x.g');
SELECT ships('SELECT max(n) FROM (SELECT sum(v) AS n FROM b GROUP BY a_id) s');
SELECT ships('SELECT a.id FROM a, (SELECT 1 FROM b HAVING count(*) > 3) s WHERE a.id < 3');
SELECT ships('SELECT a.id FROM a, (SELECT count(*) FROM b) s WHERE a.id < 3');
SELECT ships('SELECT a.id FROM a WHERE a.id IN (SELECT a_id FROM b GROUP BY a_id HAVING sum(v) > 700)');
SELECT ships('SELECT a.id FROM a WHERE EXISTS (SELECT FROM (SELECT a_id, sum(v) AS v FROM b GROUP BY a_id) s WHERE s.a_id = a.id AND s.v > 700)');
SELECT ships('SELECT a.id FROM a WHERE NOT EXISTS (SELECT FROM (SELECT a_id, sum(v) AS v FROM b GROUP BY a_id) s WHERE s.a_id = a.id AND s.v > 200) ORDER BY 1 LIMIT 7');

-- in one another
SELECT whole('SELECT a.id, z.m FROM a JOIN (SELECT y.n, max(y.a_id) AS m FROM (SELECT a_id, count(*) AS n FROM b GROUP BY a_id) y JOIN c ON c.k = y.n GROUP BY y.n) z ON z.m = a.id');
SELECT ships('SELECT a.id, z.n FROM a JOIN (SELECT count(*) AS n FROM a WHERE EXISTS (SELECT FROM b WHERE b.a_id = a.id)) z ON z.n > a.id * 4');

-- distinct, limited
SELECT ships('SELECT a.id, s.note FROM a JOIN (SELECT DISTINCT a_id, note FROM b) s ON s.a_id = a.id WHERE a.g = 1');
SELECT ships('SELECT a.id, s.v FROM a JOIN (SELECT a_id, v FROM b ORDER BY v DESC, id LIMIT 5) s ON s.a_id = a.id');
SELECT ships('SELECT count(*), sum(s.v) FROM (SELECT v FROM b ORDER BY v LIMIT 5 OFFSET 2) s');
SELECT whole('SELECT string_agg(s.x, '','') FROM (SELECT x FROM c ORDER BY x COLLATE "C") s');
SELECT ships('SELECT array_agg(s.id) FROM (SELECT id FROM a WHERE g = 1 ORDER BY id DESC) s');
SELECT ships('SELECT a.id, s.d FROM a JOIN (SELECT d FROM a ORDER BY d FETCH FIRST 2 ROWS WITH TIES) s ON s.d = a.d WHERE a.g = 4');

-- columns: expressions, constants, text and its collation, whole rows
SELECT ships('SELECT a.id, s.* FROM a JOIN (SELECT a_id, 7 AS seven, NULL::text AS nil, lower(max(note)) || ''!'' AS m, count(*) + 1 AS n FROM b GROUP BY a_id) s ON s.a_id = a.id WHERE a.g = 5');
SELECT ships('SELECT s.c, a.id FROM a JOIN (SELECT c, max(id) AS id FROM a GROUP BY c) s ON s.id = a.id ORDER BY s.c DESC LIMIT 2');
SELECT ships('SELECT a.id FROM a JOIN (SELECT c || '''' AS c, max(id) AS id FROM a GROUP BY 1) s ON s.c < a.c AND s.id = a.id + 1');
SELECT same('SELECT a.id, s FROM a JOIN (SELECT a_id, count(*) AS n FROM b GROUP BY a_id) s ON s.a_id = a.id WHERE a.g = 5');
SELECT same('SELECT a.id, s.r FROM a JOIN (SELECT a_id, random() >= 0 AS r FROM b GROUP BY a_id) s ON s.a_id = a.id WHERE a.g = 5');
SELECT whole('SELECT a.id, s.one FROM a LEFT JOIN (SELECT b.a_id, x.one FROM b LEFT JOIN (SELECT k, 1 AS one FROM c) x ON x.k = b.a_id LIMIT 1000) s ON s.a_id = a.id AND a.g = 1');

-- values of this side, in generic plans too
SELECT ships('SELECT a.id FROM a JOIN (SELECT a_id, count(*) AS n FROM b WHERE now() > ''2020-01-01'' GROUP BY a_id) s ON s.a_id = a.id WHERE a.g = 5');
PREPARE p (int, int) AS SELECT a.id, s.n + $2 FROM a JOIN (SELECT a_id, count(*) + $2 AS n FROM b WHERE v > $1 GROUP BY a_id HAVING count(*) > $2) s ON s.a_id = a.id WHERE a.g = $1 ORDER BY 1;
SET plan_cache_mode = force_generic_plan;
EXECUTE p (2, 1);
EXECUTE p (1, 2);
RESET plan_cache_mode;

-- not all of it is the remote's
SELECT same('SELECT a.id FROM a JOIN (SELECT a_id, count(*) AS n FROM b GROUP BY a_id HAVING count(*) > random()) s ON s.a_id = a.id');
SELECT same('SELECT a.id, s.g FROM a JOIN (SELECT a_id, generate_series(1, 2) AS g FROM b GROUP BY a_id) s ON s.a_id = a.id');
SELECT same('SELECT a.id, s.n FROM a JOIN (SELECT b.a_id, count(*) AS n FROM b JOIN near.c ON c.k = b.a_id GROUP BY b.a_id) s ON s.a_id = a.id');
SELECT same('SELECT a.id, s.n FROM a JOIN near.c ON c.k = a.id JOIN (SELECT a_id, count(*) AS n FROM b GROUP BY a_id) s ON s.a_id = a.id');
SELECT same('SELECT a.id, s.n FROM a, LATERAL (SELECT count(*) AS n FROM b WHERE b.a_id = a.id) s WHERE a.g = 1');
SELECT same('SELECT a.id, s.n FROM a JOIN (SELECT a_id, count(*) AS n FROM b WHERE v > (SELECT min(k) FROM c) GROUP BY a_id) s ON s.a_id = a.id');
SELECT same('SELECT a.id, s.n FROM a JOIN (SELECT a_id, count(*) AS n FROM b GROUP BY a_id) s ON s.a_id = a.id AND s.n > random() AND random() >= 0');
SELECT same('SELECT a.id FROM a JOIN (SELECT id FROM b ORDER BY id LIMIT 3 FOR UPDATE) s ON s.id = a.id');

-- statements that change something
SELECT alike('INSERT INTO c SELECT s.n, a.t FROM a JOIN (SELECT a_id, count(*) AS n FROM b GROUP BY a_id) s ON s.a_id = a.id WHERE a.g = 2', '{c}');
SELECT alike('UPDATE a SET n = s.n FROM (SELECT a_id, count(*) AS n FROM b GROUP BY a_id) s WHERE s.a_id = a.id AND a.g = 2', '{a}');
SELECT alike('DELETE FROM c USING (SELECT g, count(*) AS n FROM a GROUP BY g) s WHERE s.g = c.k AND s.n > 14', '{c}');
SELECT alike('WITH x AS (UPDATE b SET v = v + 1 WHERE id < 5 RETURNING a_id) SELECT a.id, s.n FROM a JOIN (SELECT a_id, sum(v) AS n FROM b GROUP BY a_id) s ON s.a_id = a.id WHERE a.id < 9', '{b}');

-- a subquery that has no node of its own: its tables are still asked for their privileges
SET client_min_messages = warning;
DROP ROLE IF EXISTS pgml_reader;
DROP ROLE IF EXISTS pgml_owner;
RESET client_min_messages;
CREATE ROLE pgml_reader;
CREATE ROLE pgml_owner;
GRANT USAGE ON SCHEMA far TO pgml_reader, pgml_owner;
GRANT USAGE ON FOREIGN SERVER twin_server TO pgml_reader, pgml_owner;
CREATE USER MAPPING FOR pgml_reader SERVER twin_server OPTIONS (user :'USER', password_required 'false');
CREATE USER MAPPING FOR pgml_owner SERVER twin_server OPTIONS (user :'USER', password_required 'false');
GRANT SELECT, INSERT ON far.a TO pgml_reader;
GRANT SELECT (a_id) ON far.b TO pgml_reader;
GRANT SELECT ON far.a, far.b TO pgml_owner;
CREATE VIEW far.counts AS SELECT a_id, count(*) AS n FROM far.b GROUP BY a_id;
CREATE VIEW far.counts_of_owner AS SELECT a_id, sum(v) AS n FROM far.b GROUP BY a_id;
ALTER VIEW far.counts_of_owner OWNER TO pgml_owner;
CREATE VIEW far.barrier WITH (security_barrier) AS SELECT a_id, count(*) AS n FROM far.b WHERE v > 30 GROUP BY a_id;
SELECT count(*) FROM sent('SELECT a.id FROM a JOIN barrier s ON s.a_id = a.id WHERE 100 / s.n > 5') x WHERE x !~ '^here';
SELECT count(*) FROM sent('SELECT a.id FROM a JOIN counts_of_owner s ON s.a_id = a.id') x WHERE x !~ '^here';
SET ROLE pgml_reader;
SELECT count(*) FROM a JOIN (SELECT a_id, count(*) AS n FROM b GROUP BY a_id) s ON s.a_id = a.id;
SELECT count(*) FROM a JOIN (SELECT a_id, sum(v) AS n FROM b GROUP BY a_id) s ON s.a_id = a.id;
SELECT count(*) FROM (SELECT sum(v) AS n FROM b GROUP BY a_id) s;
SELECT count(*) FROM a JOIN (SELECT count(*) AS n FROM (SELECT a_id, max(v) AS v FROM b GROUP BY a_id) x) s ON s.n = a.id;
SELECT count(*) FROM a JOIN counts s ON s.a_id = a.id;
SELECT count(*) FROM a JOIN counts_of_owner s ON s.a_id = a.id;
INSERT INTO a (id) SELECT s.n FROM a JOIN (SELECT a_id, sum(v) AS n FROM b GROUP BY a_id) s ON s.a_id = a.id;
PREPARE r AS SELECT count(*) FROM a JOIN (SELECT a_id, count(*) AS n FROM b GROUP BY a_id) s ON s.a_id = a.id;
EXECUTE r;
RESET ROLE;
GRANT SELECT ON far.counts_of_owner TO pgml_reader;
REVOKE SELECT ON far.b FROM pgml_reader;
REVOKE SELECT (a_id) ON far.b FROM pgml_reader;
SET ROLE pgml_reader;
EXECUTE r;
SELECT count(*) FROM a JOIN counts_of_owner s ON s.a_id = a.id;
RESET ROLE;
-- run as the view's owner, all of it
SET ROLE pgml_owner;
SELECT count(*) FROM sent('SELECT a.id FROM a JOIN counts_of_owner s ON s.a_id = a.id');
RESET ROLE;
CREATE VIEW far.joined AS SELECT max(s.n) AS n FROM far.a JOIN (SELECT a_id, count(*) AS n FROM far.b GROUP BY a_id) s ON s.a_id = a.id;
ALTER VIEW far.joined OWNER TO pgml_owner;
GRANT SELECT ON far.joined TO pgml_reader;
DROP USER MAPPING FOR pgml_reader SERVER twin_server;
SET ROLE pgml_reader;
SELECT n FROM joined;
RESET ROLE;

SET client_min_messages = warning;
DROP SCHEMA near, far CASCADE;
DROP SERVER twin_server CASCADE;
DROP ROLE pgml_reader, pgml_owner;
