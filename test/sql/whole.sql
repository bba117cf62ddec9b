-- Statements that are sent whole: INSERT ... SELECT between tables of one server,
-- UPDATE ... FROM and DELETE ... USING; and TRUNCATE.
\getenv abs_srcdir PG_ABS_SRCDIR
\set remote_sql :abs_srcdir '/include/remote.psql'
\i :remote_sql
\set remote_schema whole
SELECT $fixture$
CREATE TYPE mood AS ENUM ('sad', 'ok');
CREATE TABLE t (id int PRIMARY KEY, grp int, txt text);
INSERT INTO t SELECT i, i % 5, 'row ' || i FROM generate_series(1, 100) i;
CREATE TABLE u (id int PRIMARY KEY, v text, n numeric(6, 2), m mood);
INSERT INTO u SELECT i, 'u' || i, i / 3.0, 'ok' FROM generate_series(1, 60) i;
CREATE TABLE w (id int, t_id int, v varchar(10));
INSERT INTO w SELECT i, i * 2, 'w' || i FROM generate_series(1, 80) i;
CREATE TABLE filled (id serial PRIMARY KEY, v text DEFAULT 'from there', k int GENERATED ALWAYS AS IDENTITY, dbl int GENERATED ALWAYS AS (id * 2) STORED);
CREATE TABLE uniq (id int PRIMARY KEY, v text CHECK (v <> 'bad'));
CREATE TABLE part (k int, v text) PARTITION BY LIST (k);
CREATE TABLE part1 PARTITION OF part FOR VALUES IN (1);
CREATE TABLE part2 PARTITION OF part DEFAULT;
INSERT INTO part SELECT i % 3, 'p' || i FROM generate_series(1, 30) i;
CREATE VIEW simple AS SELECT id, v FROM uniq;
CREATE TABLE a (id int PRIMARY KEY);
CREATE TABLE b (id serial, a_id int REFERENCES a);
INSERT INTO a VALUES (1);
INSERT INTO b (a_id) VALUES (1);
$fixture$ AS fixture \gset
\set twins :abs_srcdir '/include/twins.psql'
\i :twins
-- The statement that is sent, if it is sent whole; else what is not
CREATE FUNCTION far.sent(command text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  line text;
  plan text := '';
BEGIN
  PERFORM set_config('search_path', 'far,public', true);
  FOR line IN EXECUTE 'EXPLAIN (VERBOSE, COSTS OFF) ' || command LOOP
    plan := plan || line || E'\n';
  END LOOP;
  -- which side of an equality comes first differs by version
  plan := regexp_replace(plan, '\(\((\w+\.id \+ \d+)\) = (\w+\.id)\)', '(\2 = (\1))', 'g');
  RETURN coalesce(substring(plan FROM 'Foreign (?:Insert|Update|Delete).*Remote SQL: ([^\n]*)'), 'row by row');
END $$;
CREATE FUNCTION far.tried(command text, tables text[] DEFAULT '{t}') RETURNS SETOF text LANGUAGE sql AS 'SELECT alike($1, $2) UNION ALL SELECT sent($1)';

-- INSERT ... SELECT
SELECT tried('INSERT INTO t SELECT id + 1000, grp, txt FROM t WHERE grp = 3');
SELECT tried('INSERT INTO t (id, txt) SELECT u.id + 2000, upper(u.v) || w.v FROM u JOIN w ON w.t_id = u.id WHERE u.id < 20');
SELECT tried('INSERT INTO t (txt, id) SELECT u.v, u.id + 3000 FROM u LEFT JOIN w ON w.t_id = u.id AND w.id > 10 WHERE w.id IS NULL');
SELECT tried('INSERT INTO w SELECT * FROM w', '{w}');
SELECT tried('INSERT INTO w SELECT 1, 2, ''x'' FROM t WHERE id = 1', '{w}');
SELECT tried('INSERT INTO w (v) SELECT v FROM u WHERE id = 1', '{w}');
SELECT tried('INSERT INTO w (v) SELECT v || ''too long to fit'' FROM u WHERE id = 1', '{w}');
SELECT tried('INSERT INTO u (id, v, n, m) SELECT id + 100, v, n, m FROM u', '{u}');
SELECT tried('INSERT INTO u (id, v, n) SELECT id + 200, m, n * 2 FROM u WHERE id < 10', '{u}');
SELECT tried('INSERT INTO part SELECT grp, txt FROM t WHERE id < 50', '{part}');
SELECT tried('INSERT INTO uniq SELECT id, v FROM u WHERE id < 30', '{uniq}');
SELECT tried('INSERT INTO uniq SELECT id, v FROM u WHERE id < 40', '{uniq}');
SELECT tried('INSERT INTO uniq SELECT id, v FROM u WHERE id < 40 ON CONFLICT DO NOTHING', '{uniq}');
SELECT tried($$INSERT INTO uniq SELECT id + 500, CASE WHEN id = 7 THEN 'bad' ELSE v END FROM u WHERE id < 40$$, '{uniq}');
-- columns that the statement doesn't set
SELECT tried('INSERT INTO filled (v) SELECT v FROM u WHERE id = 3', '{filled}');
SELECT tried('INSERT INTO filled (id) SELECT id + 10 FROM u WHERE id = 3', '{filled}');
SELECT tried('INSERT INTO filled (id, k) SELECT id + 20, 7 FROM u WHERE id = 3', '{filled}');
-- a default of this side is a value of the statement; rows that a trigger here looks at go one by one
ALTER FOREIGN TABLE far.filled ALTER v SET DEFAULT 'from here';
ALTER TABLE near.filled ALTER v SET DEFAULT 'from here';
SELECT tried('INSERT INTO filled (id) SELECT id + 30 FROM u WHERE id = 3', '{filled}');
ALTER FOREIGN TABLE far.filled ALTER v DROP DEFAULT;
ALTER TABLE near.filled ALTER v SET DEFAULT 'from there';
CREATE FUNCTION far.mark() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN NEW.v := '!' || NEW.v; RETURN NEW; END$$;
SELECT format('CREATE TRIGGER mark BEFORE INSERT ON %s.w FOR EACH ROW EXECUTE FUNCTION far.mark()', s) FROM unnest('{near,far}'::text[]) s \gexec
SELECT tried('INSERT INTO w SELECT id, 0, txt FROM t WHERE id < 6', '{w}');
SELECT tried('INSERT INTO w SELECT id, 0, txt FROM t WHERE id < 6 RETURNING v', '{w}');
DROP TRIGGER mark ON far.w;
DROP TRIGGER mark ON near.w;
CREATE VIEW far.checked_w AS SELECT * FROM far.w WHERE id < 50 WITH CHECK OPTION;
CREATE VIEW near.checked_w AS SELECT * FROM near.w WHERE id < 50 WITH CHECK OPTION;
SELECT tried('INSERT INTO checked_w SELECT id, 0, txt FROM t WHERE id < 6', '{w}');
SELECT tried('INSERT INTO checked_w SELECT id, 0, txt FROM t WHERE id BETWEEN 48 AND 52', '{w}');
-- what isn't the remote's to compute, or must be looked at here
SELECT tried('INSERT INTO w SELECT id, random()::int * 0 FROM t', '{w}');
SELECT tried('INSERT INTO w SELECT id FROM t WHERE random() >= 0', '{w}');
SELECT tried('INSERT INTO w SELECT id, grp FROM t WHERE id < 4 RETURNING id', '{w}');
SELECT tried('INSERT INTO w SELECT id, grp FROM t WHERE id < 40 LIMIT 50', '{w}');
SELECT tried('INSERT INTO w SELECT grp, count(*) FROM t GROUP BY grp', '{w}');
SELECT tried('INSERT INTO w SELECT id, grp FROM t UNION ALL SELECT id, id FROM u', '{w}');
SELECT tried('INSERT INTO w SELECT id FROM (VALUES (1), (2)) x (id)', '{w}');
CREATE TABLE far.in_parts (k int, v text) PARTITION BY LIST (k);
CREATE FOREIGN TABLE far.in_part1 PARTITION OF far.in_parts FOR VALUES IN (1) SERVER twin_server OPTIONS (schema_name 'whole', table_name 'part1');
CREATE FOREIGN TABLE far.in_part2 PARTITION OF far.in_parts DEFAULT SERVER twin_server OPTIONS (schema_name 'whole', table_name 'part2');
CREATE VIEW near.in_parts AS SELECT * FROM near.part;
SELECT tried('INSERT INTO w (id, v) SELECT k, v FROM in_parts', '{w}');
PREPARE p (int, text) AS INSERT INTO w (id, v) SELECT id + $1, $2 FROM u WHERE id < $1;
SET plan_cache_mode = force_generic_plan;
EXECUTE p (3, 'it''s');
RESET plan_cache_mode;
SELECT id, v FROM w WHERE v = 'it''s' ORDER BY id;
DELETE FROM w WHERE v = 'it''s';
-- the count, in a CTE, in a function
DO $$
DECLARE
  n int;
BEGIN
  INSERT INTO far.w SELECT id, 0, 'counted' FROM far.t WHERE id < 8;
  GET DIAGNOSTICS n = ROW_COUNT;
  RAISE NOTICE '% rows', n;
  WITH i AS (INSERT INTO far.w SELECT id, 1, 'counted' FROM far.t WHERE id < 8) DELETE FROM far.w WHERE v = 'counted';
  GET DIAGNOSTICS n = ROW_COUNT;
  RAISE NOTICE '% rows', n;
END $$;
DELETE FROM w WHERE v = 'counted';
SELECT same('SELECT * FROM w');

-- UPDATE ... FROM, DELETE ... USING
SELECT tried('UPDATE t SET txt = u.v, grp = t.grp + u.id FROM u WHERE u.id = t.id');
SELECT tried('UPDATE t SET txt = x.txt FROM t x WHERE x.id = t.id + 1');
SELECT tried('UPDATE t SET grp = 100 FROM u, w WHERE u.id = t.id AND w.t_id = u.id AND w.v <> ''w7''');
SELECT tried('UPDATE t SET grp = 101 FROM w LEFT JOIN u ON u.id = w.t_id WHERE w.t_id = t.id AND u.id IS NULL');
SELECT tried('UPDATE t SET grp = 102 FROM w WHERE w.t_id > t.id AND t.id > 150');
SELECT tried('UPDATE t SET grp = u.id FROM u WHERE u.id = t.id RETURNING t.id, u.v');
SELECT tried('UPDATE t SET grp = u.id FROM u WHERE u.id = t.id AND random() >= 0');
SELECT tried('UPDATE u SET m = ''sad'' FROM t WHERE u.id = t.id', '{u}');
SELECT tried('UPDATE u SET n = u.n + w.id FROM w WHERE u.id = w.id', '{u}');
SELECT tried('UPDATE part SET v = part.v || u.v FROM u WHERE u.id = part.k', '{part}');
SELECT tried('DELETE FROM t USING u, w WHERE u.id = t.id AND w.id = u.id AND w.id > 50');
SELECT tried('DELETE FROM t USING t x WHERE x.id = t.id + 1000');
SELECT tried('DELETE FROM part USING u WHERE u.id = part.k AND u.id = 2', '{part}');
SELECT tried('DELETE FROM t WHERE id IN (SELECT id FROM u WHERE v LIKE ''%1'')');
SELECT tried('DELETE FROM t WHERE NOT EXISTS (SELECT FROM w WHERE w.t_id = t.id) AND id < 20');
SELECT tried('DELETE FROM uniq USING u WHERE u.id = uniq.id', '{uniq}');

-- a view can be changed by whole statements; else there is no way to find its rows again
SELECT tried('INSERT INTO simple SELECT id, v FROM u WHERE id < 10', '{uniq}');
SELECT tried('UPDATE simple SET v = u.v || ''!'' FROM u WHERE u.id = simple.id', '{uniq}');
SELECT tried('DELETE FROM simple WHERE id = 3', '{uniq}');
UPDATE simple SET v = 'x' WHERE random() >= 0;
DELETE FROM simple WHERE id = 4 AND random() >= 0 RETURNING id;
SELECT same('SELECT * FROM simple');

-- nothing of the other tables travels but what is asked for
EXPLAIN (VERBOSE, COSTS OFF) UPDATE t SET grp = w.id + random() FROM w, (VALUES (1), (2)) x (id) WHERE w.t_id = t.id AND x.id = w.id;

-- privileges on all tables that take part are checked here
CREATE ROLE whole_user;
GRANT USAGE ON SCHEMA far TO whole_user;
GRANT INSERT, DELETE, SELECT ON far.w TO whole_user;
SET ROLE whole_user;
INSERT INTO far.w SELECT id FROM far.t;
INSERT INTO far.w SELECT w.id FROM far.w JOIN far.t USING (id);
DELETE FROM far.w USING far.t WHERE w.id = t.id;
INSERT INTO far.t SELECT id FROM far.w;
RESET ROLE;
DROP OWNED BY whole_user;
DROP ROLE whole_user;

-- TRUNCATE: one command, or the remote would refuse it; options are passed on
TRUNCATE a;
TRUNCATE a, b;
SELECT count(*) FROM b;
INSERT INTO a VALUES (1);
INSERT INTO b (a_id) VALUES (1) RETURNING id;
TRUNCATE a CASCADE;
SELECT count(*) FROM b;
INSERT INTO a VALUES (1);
TRUNCATE b RESTART IDENTITY;
INSERT INTO b (a_id) VALUES (1) RETURNING id;
BEGIN;
TRUNCATE a, b, t;
SELECT count(*) FROM t;
ROLLBACK;
SELECT count(*) > 0 FROM t;
\set ECHO none
SET client_min_messages = warning;
DROP SCHEMA near, far CASCADE;
DROP SERVER twin_server CASCADE;
