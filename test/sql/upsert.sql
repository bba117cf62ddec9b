-- Merging rows into a remote table by key: as INSERT ... ON CONFLICT DO UPDATE on a local one.
\getenv abs_srcdir PG_ABS_SRCDIR
\set remote_sql :abs_srcdir '/include/remote.psql'
\i :remote_sql
\set remote_schema upsert
SELECT $fixture$
CREATE TABLE t (id int PRIMARY KEY, v text, n int DEFAULT 5, len int GENERATED ALWAYS AS (length(v)) STORED);
INSERT INTO t (id, v) SELECT i, 'old ' || i FROM generate_series(1, 100) i;
CREATE TABLE two (a int, b text, v text, UNIQUE (b, a));
INSERT INTO two VALUES (1, 'x', 'old'), (1, NULL, 'old'), (2, 'x', 'old');
CREATE TABLE part (k int, id int, v text, PRIMARY KEY (id, k)) PARTITION BY LIST (k);
CREATE TABLE part1 PARTITION OF part FOR VALUES IN (1);
CREATE TABLE part2 PARTITION OF part DEFAULT;
INSERT INTO part SELECT i % 3, i, 'old' FROM generate_series(1, 30) i;
CREATE TABLE "odd ""name" ("the ""key" int UNIQUE, "a b" text);
INSERT INTO "odd ""name" VALUES (1, 'old');
CREATE TABLE idents (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, other int GENERATED ALWAYS AS IDENTITY, v text);
INSERT INTO idents (v) SELECT 'old' FROM generate_series(1, 3);
CREATE TABLE onlykey (id int PRIMARY KEY);
INSERT INTO onlykey VALUES (1);
CREATE TABLE nokey (id int, v text);
CREATE TABLE checked (id int PRIMARY KEY, v int CHECK (v > 0));
INSERT INTO checked VALUES (1, 1);
CREATE TABLE trig (id int PRIMARY KEY, v text);
INSERT INTO trig SELECT i, 'old' FROM generate_series(1, 10) i;
CREATE FUNCTION veto() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF NEW.id % 5 = 0 THEN RETURN NULL; END IF; RETURN NEW; END $$;
CREATE TRIGGER veto BEFORE INSERT ON trig FOR EACH ROW EXECUTE FUNCTION veto();
$fixture$ AS fixture \gset
\set twins :abs_srcdir '/include/twins.psql'
\i :twins
\set VERBOSITY terse
CREATE TABLE far.src (id int, v text);
INSERT INTO far.src SELECT i, 'new ' || i FROM generate_series(91, 110) i;
-- merge there and here; the counts, and what the tables have then
CREATE FUNCTION far.merge(name text, source text, columns text, key text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  c record;
  before bigint;
  total bigint;
  sets text;
BEGIN
  SELECT * INTO c FROM pgml_fdw_upsert(('far.' || name)::regclass, source, string_to_array(key, ','));
  EXECUTE format('SELECT count(*) FROM near.%s', name) INTO before;
  SELECT string_agg(x || ' = EXCLUDED.' || x, ', ') INTO sets FROM unnest(string_to_array(columns, ',')) x
    WHERE NOT x = ANY (string_to_array(key, ','));
  EXECUTE format('INSERT INTO near.%s (%s) OVERRIDING SYSTEM VALUE SELECT %s FROM %s AS s ON CONFLICT (%s) DO %s',
    name, columns, columns, source, key, coalesce('UPDATE SET ' || sets, 'NOTHING'));
  GET DIAGNOSTICS total = ROW_COUNT;
  EXECUTE format('SELECT count(*) - %s FROM near.%s', before, name) INTO before;
  RETURN format('inserted %s, updated %s; locally %s, %s; %s', c.inserted, c.updated, before, total - before,
    far.same('SELECT * FROM ' || name));
END
$$;
SELECT merge('t', 'far.src', 'id,v', 'id');
SELECT merge('t', 'far.src', 'id,v', 'id');
SELECT merge('t', '(SELECT 1 AS id WHERE false)', 'id', 'id');
SELECT merge('t', '(SELECT id + 1000 AS id, v, id AS n FROM far.src)', 'id,v,n', 'id');
SELECT merge('two', '(SELECT * FROM (VALUES (1, ''x'', ''new''), (1, NULL, ''new''), (3, ''x'', ''new''), (NULL, NULL, ''new''), (NULL, NULL, ''new'')) AS x (a, b, v))', 'a,b,v', 'a,b');
SELECT merge('part', '(SELECT i % 3 AS k, i AS id, ''new'' AS v FROM generate_series(25, 40) i)', 'k,id,v', 'id,k');
SELECT merge('onlykey', '(SELECT i AS id FROM generate_series(1, 3) i)', 'id', 'id');
SELECT merge('trig', '(SELECT i AS id, ''new'' AS v FROM generate_series(1, 20) i)', 'id,v', 'id');
-- quoted names, names that differ here, the key that the remote has
SELECT pgml_fdw_upsert('"odd ""name"', '(SELECT 1 AS "the ""key", ''new'' AS "a b" UNION ALL SELECT 2, ''it''''s "new" \'')', key => '{"the \"key"}');
TABLE "odd ""name" ORDER BY 1;
CREATE FOREIGN TABLE renamed (number int OPTIONS (column_name 'id'), txt text OPTIONS (column_name 'v')) SERVER twin_server OPTIONS (schema_name 'upsert', table_name 't');
SELECT pgml_fdw_upsert('renamed', '(SELECT 1 AS number, ''renamed'' AS txt UNION ALL SELECT -1, ''renamed'')');
SELECT pgml_fdw_upsert('renamed', '(SELECT 1 AS number, ''again'' AS txt UNION ALL SELECT -1, ''again'')', '{number}');
SELECT * FROM renamed WHERE number < 2 ORDER BY 1;
-- other types are converted, as INSERT would; what it wouldn't is up to the remote
SELECT pgml_fdw_upsert('renamed', '(SELECT -1.6 AS number, ''{b,a}''::text[] AS txt)');
SELECT pgml_fdw_upsert('renamed', '(SELECT ''-3''::text AS number, ''x   ''::char(4) AS txt)');
SELECT pgml_fdw_upsert('renamed', '(SELECT 3000000000 AS number, ''x'' AS txt)');
SELECT number, txt || '|' AS txt FROM renamed WHERE number < -1 ORDER BY 1;
-- identity columns: values are taken, that of one that isn't in the key is left as it was
SELECT pgml_fdw_upsert('idents', '(SELECT i AS id, i * 100 AS other, ''new'' AS v FROM generate_series(3, 4) i)');
TABLE idents ORDER BY id;
-- a key twice: nothing is changed
SELECT pgml_fdw_upsert('t', '(SELECT i % 3 AS id, ''twice'' AS v FROM generate_series(1, 4) i)');
SELECT pgml_fdw_upsert('two', '(SELECT 1 AS a, ''x'' AS b, ''twice'' AS v FROM generate_series(1, 2) i)', '{a,b}');
SELECT count(*) FROM t WHERE v = 'twice';
-- failure in the middle: nothing is changed, and the session goes on
SELECT pgml_fdw_upsert('checked', '(SELECT i AS id, 3 - i AS v FROM generate_series(1, 3) i)');
SELECT pgml_fdw_upsert('checked', '(SELECT i AS id, 1 / (3 - i) AS v FROM generate_series(1, 3) i)');
SELECT pgml_fdw_upsert('checked', '(SELECT 1 AS id, ''x'' AS v)');
TABLE checked;
BEGIN;
SELECT pgml_fdw_upsert('checked', '(SELECT 1 AS id, 10 AS v)');
SAVEPOINT s;
SELECT pgml_fdw_upsert('checked', '(SELECT i AS id, 20 AS v FROM generate_series(1, 3) i)');
ROLLBACK TO s;
TABLE checked;
SELECT pgml_fdw_upsert('checked', '(SELECT 2 AS id, 30 AS v)');
DO $$
BEGIN
  PERFORM pgml_fdw_upsert('far.checked', '(SELECT i AS id, 2 - i AS v FROM generate_series(1, 3) i)');
EXCEPTION WHEN check_violation THEN
  RAISE NOTICE 'caught';
END $$;
COMMIT;
TABLE checked ORDER BY id;
-- nothing stays behind
SELECT * FROM dblink('twin_server', $$SELECT count(*) FROM pg_class WHERE relname LIKE 'pgml_copy%'$$) AS x (temporary_tables int);
-- what can't be
SELECT pgml_fdw_upsert('nokey', 'src');
SELECT pgml_fdw_upsert('nokey', 'src', '{id}');
SELECT pgml_fdw_upsert('t', 'src', '{id,v}');
SELECT pgml_fdw_upsert('t', 'src', '{missing}');
SELECT pgml_fdw_upsert('t', '(SELECT v FROM far.src)');
SELECT pgml_fdw_upsert('t', '(SELECT v AS other FROM far.src)');
SELECT pgml_fdw_upsert('near.t', 'src');
SELECT pgml_fdw_upsert(NULL, 'src');
SELECT pgml_fdw_upsert('t', NULL);
SELECT pgml_fdw_upsert('t', '(SELECT id, v, 1 AS more FROM far.src WHERE id = 91)');
ALTER FOREIGN TABLE t OPTIONS (ADD updatable 'false');
SELECT pgml_fdw_upsert('t', 'src');
ALTER FOREIGN TABLE t OPTIONS (DROP updatable);
CREATE FUNCTION far.note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;
CREATE TRIGGER note AFTER UPDATE ON t FOR EACH ROW EXECUTE FUNCTION far.note();
SELECT pgml_fdw_upsert('t', 'src');
DROP TRIGGER note ON t;
-- who may: INSERT and UPDATE here, temporary tables there
CREATE ROLE upsert_user;
GRANT USAGE ON SCHEMA far TO upsert_user;
GRANT INSERT ON t TO upsert_user;
CREATE USER MAPPING FOR upsert_user SERVER twin_server OPTIONS (user :'USER', password_required 'false');
SET ROLE upsert_user;
SELECT pgml_fdw_upsert('t', '(SELECT 1 AS id, ''user'' AS v)');
RESET ROLE;
GRANT UPDATE ON t TO upsert_user;
SET ROLE upsert_user;
SELECT pgml_fdw_upsert('t', 'src');
SELECT pgml_fdw_upsert('t', '(SELECT 1 AS id, ''user'' AS v)');
RESET ROLE;
DROP OWNED BY upsert_user;
DROP ROLE upsert_user;
SET client_min_messages = warning;
DROP SCHEMA near, far CASCADE;
DROP SERVER twin_server CASCADE;
