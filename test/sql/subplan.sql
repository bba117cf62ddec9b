-- Subqueries in expressions that no join can be made of: the remote runs them, as we would.
\getenv abs_srcdir PG_ABS_SRCDIR
\set remote_sql :abs_srcdir '/include/remote.psql'
\i :remote_sql
\set remote_schema subplans
SELECT $fixture$
CREATE TABLE a (id int PRIMARY KEY, g int, t text, n numeric(8,2), c text COLLATE "C");
INSERT INTO a SELECT i, nullif(i % 7, 3), nullif('a' || i % 20, 'a5'), i * 1.25, 'c' || i % 3
  FROM generate_series(1, 60) i;
CREATE TABLE b (id int PRIMARY KEY, a_id int, v int8, note text);
INSERT INTO b SELECT i, nullif(i % 40, 7), i * 3, nullif('note ' || i % 9, 'note 4') FROM generate_series(1, 90) i;
CREATE TABLE c (k int, x text, a_id int);
INSERT INTO c SELECT nullif(i % 12, 5), 'x' || i FROM generate_series(1, 40) i;
CREATE TABLE none (id int, t text);
-- columns that nobody here knows of, named like those of other tables
CREATE TABLE hidden (k int, g int, id int);
INSERT INTO hidden SELECT i, -1, -1 FROM generate_series(1, 5) i;
$fixture$ AS fixture \gset
\set twins :abs_srcdir '/include/twins.psql'
\i :twins
\set shipping :abs_srcdir '/include/shipping.psql'
\i :shipping

-- of one table, of a join, in a column of a group
SELECT ships('SELECT id FROM a WHERE n * 3 > (SELECT avg(v) FROM b WHERE b.a_id = a.id)');
SELECT ships('SELECT id FROM a x WHERE n * 3 > (SELECT avg(n) FROM a WHERE a.g = x.g) ORDER BY n LIMIT 3');
SELECT whole('SELECT a.id, b.id FROM a JOIN b ON b.a_id = a.id WHERE b.v = (SELECT max(v) FROM b z WHERE z.a_id = a.id AND z.note = b.note)');
SELECT ships('SELECT g, sum((SELECT max(v) FROM b WHERE b.a_id = a.id)) FROM a GROUP BY g HAVING count(*) > (SELECT min(k) FROM c WHERE c.k > a.g)');
SELECT ships('SELECT g, (SELECT count(*) FROM c WHERE c.k = a.g) FROM a GROUP BY g');
SELECT ships('SELECT count(*) FILTER (WHERE id IN (SELECT a_id FROM b)) FROM a');
SELECT ships('SELECT id FROM a ORDER BY (SELECT max(v) FROM b WHERE b.a_id = a.id) DESC NULLS LAST, id LIMIT 3');

SELECT ships('SELECT id, t, (SELECT max(v) FROM b WHERE b.a_id = a.id) AS m FROM a');
SELECT ships('SELECT id, 1 + (SELECT max(v) FROM b WHERE b.a_id = a.id), ARRAY(SELECT k FROM c WHERE c.k < a.g ORDER BY k), random() >= 0 FROM a WHERE g < 4 ORDER BY n');
SELECT ships('SELECT a.id, (SELECT count(*) FROM c WHERE c.k = a.g OR c.k = b.id) FROM a LEFT JOIN b ON b.a_id = a.id WHERE random() >= 0');
SELECT ships('SELECT s.id, s.m FROM (SELECT id, (SELECT max(v) FROM b WHERE b.a_id = a.id) AS m FROM a OFFSET 0) s WHERE s.m > 100');
SELECT same('SELECT DISTINCT g, (SELECT max(k) FROM c WHERE c.k < a.g) FROM a');
SELECT same('SELECT id, (SELECT max(v) FROM b WHERE b.a_id = a.id), generate_series(1, 2) FROM a');

-- kinds
SELECT ships('SELECT id FROM a WHERE g NOT IN (SELECT k FROM c WHERE k > 3)');
SELECT ships('SELECT id FROM a WHERE g NOT IN (SELECT k FROM c)');
SELECT ships('SELECT id FROM a WHERE g IN (SELECT k FROM c WHERE c.x > a.t) OR id = 5');
SELECT ships('SELECT id FROM a WHERE EXISTS (SELECT FROM b WHERE b.a_id = a.id) OR g = 2');
SELECT ships('SELECT id FROM a WHERE NOT EXISTS (SELECT 1 FROM b WHERE b.a_id = a.id LIMIT 1) IS TRUE OR g = 2');
SELECT ships('SELECT id FROM a WHERE id > ALL (SELECT k FROM c WHERE k > a.g)');
SELECT same('SELECT id FROM a WHERE id < ANY (SELECT DISTINCT k FROM c WHERE k > a.g)');
SELECT ships('SELECT id FROM a WHERE ARRAY(SELECT k FROM c WHERE c.k = a.g ORDER BY k) = ARRAY[1, 1, 1, 1]');
SELECT ships('SELECT id FROM a WHERE CASE WHEN g = 1 THEN EXISTS (SELECT FROM b WHERE b.a_id = a.id AND v > 100) ELSE g = 2 END');
SELECT ships('SELECT id FROM a WHERE (SELECT note FROM b WHERE b.id = a.id) LIKE ''note 1%''');
SELECT ships('SELECT id FROM a WHERE (SELECT x.c FROM a x WHERE x.id = a.g) < c');
SELECT ships('SELECT id FROM a WHERE g = (SELECT k FROM c WHERE c.k = a.g)');
SELECT same('SELECT id FROM a WHERE (g, id) NOT IN (SELECT k, id FROM hidden)');
SELECT same('SELECT id FROM a WHERE (g, id) = (SELECT k, max(id) FROM hidden WHERE k = a.g GROUP BY k)');

-- in one another, with what is two levels up
SELECT ships('SELECT id FROM a WHERE n * 3 > (SELECT count(*) FROM b WHERE b.a_id = a.id AND b.v < (SELECT sum(k) FROM c WHERE c.k < a.g + b.id))');
SELECT ships('SELECT id FROM a WHERE EXISTS (SELECT FROM (SELECT a_id, count(*) AS n FROM b GROUP BY a_id) s WHERE s.a_id = a.id AND s.n = a.g) OR id = 3');
SELECT whole('SELECT s.n FROM (SELECT count(*) AS n, a.g FROM a WHERE n * 3 > (SELECT min(v) FROM b WHERE b.a_id = a.id) GROUP BY a.g) s JOIN c ON c.k = s.g');

-- a column of the outer table that the inner one has too, hidden from us
ALTER FOREIGN TABLE far.hidden DROP COLUMN g, DROP COLUMN id;
ALTER TABLE near.hidden DROP COLUMN g, DROP COLUMN id;
SELECT ships('SELECT id FROM a WHERE id + g > (SELECT sum(k) FROM hidden WHERE k <> a.g AND k < a.id)');
SELECT alike('UPDATE a SET n = (SELECT sum(k) FROM hidden WHERE k < a.g) WHERE g > (SELECT count(*) FROM hidden WHERE k > a.g)', '{a}');
SELECT alike('DELETE FROM a WHERE g = (SELECT count(*) FROM hidden WHERE k < a.g AND k < a.id)', '{a}');

-- values of this side; none that hangs on the row of the remote
SELECT ships('SELECT id FROM a WHERE n * 3 > (SELECT avg(v) FROM b WHERE b.a_id = a.id AND now() > ''2020-01-01'')');
SELECT whole('SELECT id FROM a WHERE 0 < (SELECT count(*) FROM b WHERE b.a_id = a.id AND to_char(a.id, ''9'') <> note)');
SELECT whole('SELECT id FROM a WHERE 0 < (SELECT count(*) FROM b WHERE b.a_id = a.id AND EXISTS (SELECT FROM c WHERE c.k = b.a_id AND x <> to_char(a.id, ''9'') LIMIT 1))');
SELECT whole('SELECT id FROM a WHERE n * 3 > (SELECT avg(v) FROM b WHERE b.a_id = a.id AND random() >= 0)');
SELECT whole('SELECT id FROM a WHERE n * 3 > (SELECT avg(v) FROM near.b WHERE b.a_id = a.id)');
SELECT whole('SELECT id FROM near.a WHERE n * 3 > (SELECT avg(v) FROM b WHERE b.a_id = a.id)');
SELECT whole('SELECT id FROM a WHERE n * 3 > (SELECT avg(v) FROM b WHERE b.v > (SELECT min(k) FROM c))');
SELECT whole('SELECT id FROM a WHERE EXISTS (SELECT FROM b WHERE b.a_id = a.id FOR UPDATE) OR g = 1');
PREPARE p (int) AS SELECT id FROM a WHERE n * 3 > (SELECT avg(v) / $1 FROM b WHERE b.a_id = a.id + $1) AND g = $1;
SET plan_cache_mode = force_generic_plan;
EXECUTE p (1);
EXECUTE p (2);
RESET plan_cache_mode;

-- statements that change something; rows that are checked again
SELECT alike('UPDATE a SET n = -1 WHERE n * 3 > (SELECT avg(v) FROM b WHERE b.a_id = a.id)', '{a}');
SELECT alike('UPDATE a SET n = (SELECT max(v) FROM b WHERE b.a_id = a.id), t = (SELECT max(note) FROM b WHERE b.v > a.id) WHERE g = 1 RETURNING id, n', '{a}');
SELECT alike('DELETE FROM a USING b WHERE b.a_id = a.id AND b.v > (SELECT avg(v) FROM b z WHERE z.a_id = a.id) + 50', '{a}');
SELECT alike('INSERT INTO none SELECT id, note FROM b WHERE v > (SELECT avg(v) FROM b z WHERE z.note = b.note)', '{none}');
BEGIN;
SELECT id FROM a WHERE n * 3 > (SELECT avg(v) FROM b WHERE b.a_id = a.id) OR id < 3 ORDER BY id FOR UPDATE;
ROLLBACK;

-- another user's view in it; privileges
SET client_min_messages = warning;
DROP ROLE IF EXISTS pgml_reader;
DROP ROLE IF EXISTS pgml_owner;
RESET client_min_messages;
CREATE ROLE pgml_reader;
CREATE ROLE pgml_owner;
GRANT USAGE ON SCHEMA far TO pgml_reader, pgml_owner;
GRANT SELECT ON far.b TO pgml_owner;
GRANT SELECT ON far.a TO pgml_reader;
CREATE USER MAPPING FOR pgml_reader SERVER twin_server OPTIONS (user :'USER', password_required 'false');
CREATE USER MAPPING FOR pgml_owner SERVER twin_server OPTIONS (user :'USER', password_required 'false');
CREATE VIEW far.view_b AS SELECT * FROM far.b;
ALTER VIEW far.view_b OWNER TO pgml_owner;
SELECT whole('SELECT id FROM a WHERE n * 3 > (SELECT avg(v) FROM far.view_b b WHERE b.a_id = a.id)');
SET ROLE pgml_reader;
SELECT count(*) FROM a WHERE n * 3 > (SELECT avg(v) FROM b WHERE b.a_id = a.id);
RESET ROLE;

SET client_min_messages = warning;
DROP SCHEMA near, far CASCADE;
DROP SERVER twin_server CASCADE;
DROP ROLE pgml_reader, pgml_owner;
