-- UPDATE and DELETE of rows that have no ctid: those of views, named by their key
-- (row_identity), as on a local view.
\getenv abs_srcdir PG_ABS_SRCDIR
\set remote_sql :abs_srcdir '/include/remote.psql'
\i :remote_sql
\set remote_schema keys
SELECT $fixture$
CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy');
CREATE TABLE base (id int PRIMARY KEY, v text, n int);
INSERT INTO base SELECT i, 'v' || i, i FROM generate_series(1, 1200) i;
CREATE VIEW simple AS SELECT id, v, n FROM base WHERE n >= 0;
CREATE TABLE odd ("a ""b"" c" varchar(20), "K'" mood, "of $1" numeric, "new ""v""" text, PRIMARY KEY ("a ""b"" c", "K'", "of $1"));
INSERT INTO odd SELECT 'x' || i % 40, (ARRAY['sad', 'ok', 'happy']::mood[])[i % 3 + 1], i / 4.0, 'v' FROM generate_series(1, 600) i;
CREATE VIEW composite AS SELECT * FROM odd;
CREATE VIEW grouped AS SELECT id, min(v) AS v, sum(n) AS n FROM base GROUP BY id;
CREATE FUNCTION change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF OLD.id % 10 = 0 THEN RETURN NULL; END IF;
  IF TG_OP = 'DELETE' THEN
    EXECUTE format('DELETE FROM %I.base WHERE id = $1', TG_TABLE_SCHEMA) USING OLD.id;
    RETURN OLD;
  END IF;
  NEW.v := NEW.v || '!';
  EXECUTE format('UPDATE %I.base SET v = $1 WHERE id = $2', TG_TABLE_SCHEMA) USING NEW.v, OLD.id;
  RETURN NEW;
END $$;
CREATE TRIGGER change INSTEAD OF UPDATE OR DELETE ON grouped FOR EACH ROW EXECUTE FUNCTION change();
CREATE TABLE twice_base (id int, v text);
INSERT INTO twice_base SELECT i % 700, 'v' || i FROM generate_series(1, 701) i;
CREATE VIEW twice AS SELECT * FROM twice_base;
CREATE TABLE nulls_base (id int, v text);
INSERT INTO nulls_base VALUES (1, 'one'), (NULL, 'none');
CREATE VIEW nulls AS SELECT * FROM nulls_base;
$fixture$ AS fixture \gset
\set twins :abs_srcdir '/include/twins.psql'
\i :twins

-- by ctid it can't be done
UPDATE simple SET v = 'x' FROM generate_series(1, 3) g WHERE g = id;
ALTER FOREIGN TABLE simple OPTIONS (row_identity 'name');
ALTER SERVER twin_server OPTIONS (row_identity 'key');
ALTER FOREIGN TABLE simple OPTIONS (row_identity 'key');
UPDATE simple SET v = 'x' FROM generate_series(1, 3) g WHERE g = id;
ALTER FOREIGN TABLE simple ALTER id OPTIONS (key 'true');
ALTER FOREIGN TABLE composite OPTIONS (row_identity 'key');
ALTER FOREIGN TABLE composite ALTER "a ""b"" c" OPTIONS (key 'true'), ALTER "K'" OPTIONS (key 'true'), ALTER "of $1" OPTIONS (key 'true');
ALTER FOREIGN TABLE grouped OPTIONS (row_identity 'key');
ALTER FOREIGN TABLE grouped ALTER id OPTIONS (key 'true');
ALTER FOREIGN TABLE twice OPTIONS (row_identity 'key');
ALTER FOREIGN TABLE twice ALTER id OPTIONS (key 'true');
ALTER FOREIGN TABLE nulls OPTIONS (row_identity 'key');
ALTER FOREIGN TABLE nulls ALTER id OPTIONS (key 'true');
SELECT explained($$UPDATE simple SET v = 'x' FROM generate_series(1, 3) g WHERE g = id$$);
SELECT explained($$DELETE FROM composite USING generate_series(1, 3) g WHERE g = "of $1"$$);

-- around the borders of a batch, and of what is asked for types
SELECT n, alike(format('UPDATE simple SET v = ''u'' || g, n = %s FROM generate_series(1, %s) g WHERE g = id', n, n), '{base}')
  FROM unnest('{0,1,2,49,50,499,500,501,1000,1200}'::int[]) n;
SELECT n, alike(format('DELETE FROM simple USING generate_series(1200 - %s + 1, 1200) g WHERE g = id', n), '{base}'),
  alike(format('INSERT INTO base SELECT i, ''again'', i FROM generate_series(1200 - %s + 1, 1200) i', n), '{base}')
  FROM unnest('{1,2,500,501}'::int[]) n;
-- sent whole, as ever
SELECT alike($$UPDATE simple SET v = 'whole' WHERE id < 10$$, '{base}');
SELECT alike('UPDATE simple SET id = id + 5000 WHERE id = 1200', '{base}'), alike('UPDATE simple SET id = 1200 WHERE id = 6200', '{base}');

-- several matches of a row, within a batch and across batches
SELECT alike('UPDATE simple SET n = simple.n + 1 FROM generate_series(1, 3) g', '{base}');
SELECT alike('UPDATE simple SET n = simple.n + 1 FROM generate_series(1, 40) g WHERE id <= 30', '{base}');
SELECT alike('DELETE FROM simple USING generate_series(1, 2) g WHERE id > 600', '{base}');
SELECT alike('UPDATE simple SET n = simple.n + 1 FROM generate_series(1, 3) g WHERE id <= 30 RETURNING id, simple.n', '{base}');

-- one by one
SELECT alike('UPDATE simple SET v = v || g FROM generate_series(5, 8) g WHERE g = id RETURNING g, simple.*', '{base}');
SELECT alike('DELETE FROM simple USING generate_series(5, 8) g WHERE g = id RETURNING id, v', '{base}');
UPDATE simple SET v = 'x' FROM generate_series(10, 11) g WHERE g = id RETURNING simple.ctid;

-- a key isn't set
UPDATE simple SET id = id + g FROM generate_series(10, 11) g WHERE g = id;
CREATE FUNCTION far.meddle() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  NEW.v := 'meddled';
  IF NEW.n = -1 THEN NEW.id := 0; END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER meddle BEFORE UPDATE ON simple FOR EACH ROW EXECUTE FUNCTION far.meddle();
UPDATE simple SET n = 7 WHERE id BETWEEN 10 AND 12;
SELECT * FROM simple WHERE id BETWEEN 10 AND 12 ORDER BY id;
UPDATE simple SET n = -1 WHERE id BETWEEN 10 AND 12;
DROP TRIGGER meddle ON simple;
UPDATE near.base b SET v = f.v, n = f.n FROM base f WHERE f.id = b.id;

-- composite keys, names that need quotes
SELECT alike($$UPDATE composite SET "new ""v""" = 'u' || g FROM generate_series(1, 600) g WHERE g / 4.0 = "of $1"$$, '{odd}');
SELECT alike($$UPDATE composite SET "new ""v""" = 'r' || g FROM generate_series(1, 6) g WHERE g / 4.0 = "of $1" RETURNING *$$, '{odd}');
SELECT alike($$DELETE FROM composite USING generate_series(100, 420) g WHERE g / 4.0 = "of $1"$$, '{odd}');
SELECT alike($$DELETE FROM composite USING generate_series(10, 10) g WHERE g / 4.0 = "of $1"$$, '{odd}');

-- INSTEAD OF triggers, which leave some rows alone
SELECT alike($$UPDATE grouped SET v = 'g' || g FROM generate_series(1, 100) g WHERE g = id$$, '{base}');
SELECT alike($$UPDATE grouped SET v = 'r' || g FROM generate_series(18, 21) g WHERE g = id RETURNING grouped.*$$, '{base}');
SELECT alike($$DELETE FROM grouped USING generate_series(30, 50) g WHERE g = id$$, '{base}');

-- what isn't a key, isn't taken for one: nothing is changed
UPDATE twice SET v = 'x' FROM generate_series(0, 699) g WHERE g = id;
UPDATE twice SET v = 'x' FROM generate_series(1, 1) g WHERE g = id;
UPDATE twice SET v = 'x' FROM generate_series(1, 1) g WHERE g = id RETURNING id;
DELETE FROM twice USING generate_series(0, 699) g WHERE g = id;
SELECT same('SELECT * FROM twice');
SELECT alike($$UPDATE twice SET v = 'y' FROM generate_series(2, 699) g WHERE g = id$$, '{twice}');
UPDATE nulls SET v = g FROM generate_series(1, 1) g;
DELETE FROM nulls USING generate_series(1, 1) g WHERE id = g OR v = 'none';
SELECT same('SELECT * FROM nulls');

-- what was applied in a block that failed is applied again, and once
CREATE FUNCTION far.peek(int) RETURNS int LANGUAGE plpgsql AS $$
BEGIN
  BEGIN
    PERFORM count(*) FROM far.simple;
    RAISE EXCEPTION 'undo';
  EXCEPTION WHEN raise_exception THEN NULL;
  END;
  RETURN $1;
END $$;
UPDATE near.base b SET v = f.v, n = f.n FROM base f WHERE f.id = b.id;
SELECT alike('UPDATE simple SET n = far.peek(simple.n) + 1 FROM generate_series(1, 2) g WHERE id <= 20', '{base}');

-- an error undoes the statement alone
BEGIN;
UPDATE simple SET v = 'kept' FROM generate_series(60, 61) g WHERE g = id;
SAVEPOINT s;
UPDATE twice SET v = 'x' FROM generate_series(0, 699) g WHERE g = id;
ROLLBACK TO s;
COMMIT;
SELECT count(*) FROM simple WHERE v = 'kept';

-- more keys than memory
INSERT INTO base SELECT i, 'many', i FROM generate_series(2001, 5000) i;
SET work_mem = '64kB';
SET hash_mem_multiplier = 1;
UPDATE simple SET v = 'enough' FROM generate_series(1, 2) g WHERE v = 'many';
SELECT count(*) FROM simple WHERE v = 'enough';
RESET work_mem;
RESET hash_mem_multiplier;
UPDATE simple SET v = 'enough' FROM generate_series(1, 2) g WHERE v = 'many';
SELECT count(*) FROM simple WHERE v = 'enough';

-- release_early: of a statement that changes rows by key the remote transaction goes on until they are changed, so
-- that what others have changed since the scan isn't overwritten; even if a caught error has ended one before the scan
ALTER SERVER twin_server OPTIONS (ADD release_early 'true');
SELECT dblink_connect('others', 'twin_server');
CREATE TABLE far.probe AS SELECT i AS id FROM generate_series(1, 20000) i;
ANALYZE probe;
ANALYZE simple;
CREATE FUNCTION far.others(int, state text) RETURNS int LANGUAGE plpgsql AS $$
BEGIN
  IF $1 = 2900 THEN
    PERFORM dblink_exec('others', format('UPDATE keys.base SET v = %L WHERE id = 21', state));
  END IF;
  RETURN $1;
END $$;
CREATE FUNCTION far.tries(int) RETURNS bool LANGUAGE plpgsql AS $$
BEGIN
  IF $1 = 1 THEN
    PERFORM count(*) / 0 FROM base;
  END IF;
  RETURN true;
EXCEPTION WHEN division_by_zero THEN
  RETURN true;
END $$;
SET pgml_fdw.enable_keyed_join = off;
SET enable_mergejoin = off;
UPDATE simple SET v = 'ours', n = simple.n FROM probe p WHERE p.id = simple.id AND others(p.id, 'first') > simple.id - 1;
SELECT v FROM simple WHERE id = 21;
UPDATE simple SET v = 'ours', n = simple.n FROM probe p WHERE p.id = simple.id AND tries(p.id) AND others(p.id, 'second') > simple.id - 1;
SELECT v FROM simple WHERE id = 21;
DELETE FROM simple USING probe p WHERE p.id = simple.id AND tries(p.id) AND others(p.id, 'third') > simple.id - 1;
SELECT v FROM simple WHERE id = 21;
UPDATE simple SET v = 'ours' FROM probe p WHERE p.id = simple.id AND tries(p.id) AND p.id < 30;
SELECT v FROM simple WHERE id = 21;
RESET pgml_fdw.enable_keyed_join;
RESET enable_mergejoin;
SELECT dblink_disconnect('others');
ALTER SERVER twin_server OPTIONS (DROP release_early);

-- beside tables in one partitioned table
CREATE TABLE both_kinds (id int, v text, n int) PARTITION BY LIST (n);
CREATE TABLE local_part PARTITION OF both_kinds FOR VALUES IN (-1);
INSERT INTO local_part VALUES (1, 'local', -1);
ALTER TABLE both_kinds ATTACH PARTITION simple DEFAULT;
UPDATE both_kinds SET v = 'both' FROM generate_series(1, 3) g WHERE g = id;
SELECT tableoid::regclass, id, v FROM both_kinds WHERE v = 'both' ORDER BY 1, 2;
SET client_min_messages = warning;
DROP SCHEMA near, far CASCADE;
DROP SERVER twin_server CASCADE;
