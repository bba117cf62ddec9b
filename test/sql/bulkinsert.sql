-- INSERT INTO local SELECT FROM foreign, and CREATE TABLE AS, with the rows written in
-- batches: everything must be as without.
\getenv abs_srcdir PG_ABS_SRCDIR
\set remote_sql :abs_srcdir '/include/remote.psql'
\i :remote_sql
\connect :remote_db - :remote_host :remote_port
SET client_min_messages = warning;
DROP SCHEMA IF EXISTS bulkinsert CASCADE;
CREATE SCHEMA bulkinsert;
-- two batches of a thousand rows and some
CREATE TABLE bulkinsert.src (id int, a int, t text, n numeric, d date, j jsonb, v float4[]);
INSERT INTO bulkinsert.src
  SELECT i, i * 7919 % 1000, CASE WHEN i % 7 > 0 THEN md5(i::text) END, i / 7.0, date '2020-01-01' + i % 900,
         jsonb_build_object('k', i % 10, 'w', 'word' || i % 50), ARRAY[i, i * 2, -i]::float4[]
  FROM generate_series(1, 2500) i;
-- with values that are stored out of line, and one that is larger than any batch
CREATE TABLE bulkinsert.large AS
  SELECT i AS id, repeat(md5(i::text), i % 5 * 90) AS t,
         (SELECT string_agg(md5((i * 1000 + k)::text), '') FROM generate_series(1, i % 4 * 200) k) AS r
  FROM generate_series(1, 100) i;
INSERT INTO bulkinsert.large
  SELECT 101, 'x', string_agg(md5(k::text), '') FROM generate_series(1, 30000) k;
CREATE TABLE bulkinsert.empty (id int);

\connect :local_db - :local_host :local_port
SET client_min_messages = warning;
DROP SCHEMA IF EXISTS bulk, bulk_far CASCADE;
DROP SERVER IF EXISTS bulk_server CASCADE;
CREATE SCHEMA bulk;
CREATE SCHEMA bulk_far;
CREATE SERVER bulk_server FOREIGN DATA WRAPPER pgml_fdw
  OPTIONS (host :'remote_host', port :'remote_port', dbname :'remote_db');
CREATE USER MAPPING FOR CURRENT_USER SERVER bulk_server OPTIONS (user :'USER');
IMPORT FOREIGN SCHEMA bulkinsert FROM SERVER bulk_server INTO bulk_far;
SET search_path = bulk, bulk_far, public;

-- What triggers and rules leave behind, in order.
CREATE TABLE log (what text);
CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO log (what) SELECT concat_ws(' ', TG_NAME, TG_TABLE_NAME, TG_WHEN, TG_LEVEL, NEW::text);
  RETURN NEW;
END
$$;
CREATE FUNCTION note_new() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO log (what) SELECT concat_ws(' ', TG_NAME, TG_TABLE_NAME, fresh::text) FROM fresh;
  RETURN NULL;
END
$$;

-- Run a command with the setting at one value and take everything back: what it left in the tables and, in
-- order, in the log, what it counted, what was counted of it; or its error.
CREATE FUNCTION effect(setting text, tables text[], command text) RETURNS text[] LANGUAGE plpgsql AS $$
DECLARE
  result text[];
  more text[];
  n bigint;
  t text;
  before bigint[];
  after bigint[];
  message text;
  detail text;
  hint text;
  tab text;
  col text;
  con text;
  c text;
BEGIN
  PERFORM set_config('pgml_fdw.bulk_insert', setting, false);
  BEGIN
    TRUNCATE log;
    FOREACH t IN ARRAY tables LOOP
      IF to_regclass(t) IS NOT NULL THEN
        SELECT array_agg(pg_stat_get_xact_tuples_inserted(relid) ORDER BY relid::text) INTO more
        FROM pg_partition_tree(t);
        before := before || more::bigint[];
      END IF;
    END LOOP;
    EXECUTE command;
    GET DIAGNOSTICS n = ROW_COUNT;
    SET CONSTRAINTS ALL IMMEDIATE;
    result := ARRAY['rows: ' || n];
    FOREACH t IN ARRAY tables || '{log}'::text[] LOOP
      -- all of a row, and how each value is stored
      SELECT string_agg(format('pg_column_size(%I)', attname), ' || '','' || ') INTO c
      FROM pg_attribute WHERE attrelid = t::regclass AND attnum > 0 AND NOT attisdropped;
      EXECUTE format('SELECT array_agg(tableoid::regclass || '': '' || q::text || concat('' '', %s) ORDER BY tableoid::regclass::text, %s) FROM %s q',
                     coalesce(c, 'NULL'), CASE WHEN t = 'log' THEN 'ctid' ELSE 'q::text' END, t) INTO more;
      result := result || coalesce(more, '{}');
    END LOOP;
    FOREACH t IN ARRAY tables LOOP
      SELECT array_agg(pg_stat_get_xact_tuples_inserted(relid) ORDER BY relid::text) INTO more
      FROM pg_partition_tree(t);
      after := after || more::bigint[];
    END LOOP;
    IF cardinality(before) = cardinality(after) THEN
      SELECT result || array_agg('counted: ' || a - b) INTO result FROM unnest(after, before) AS x (a, b);
    END IF;
    RAISE EXCEPTION USING ERRCODE = 'PTEST', MESSAGE = 'take it back';
  EXCEPTION WHEN OTHERS THEN
    IF SQLSTATE <> 'PTEST' THEN
      GET STACKED DIAGNOSTICS message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL,
        hint = PG_EXCEPTION_HINT, tab = TABLE_NAME, col = COLUMN_NAME, con = CONSTRAINT_NAME;
      result := ARRAY[format('error %s: %s %s', SQLSTATE, message, detail), hint, tab, col, con];
    END IF;
  END;
  RETURN result;
END
$$;

-- Is it written in batches?
CREATE FUNCTION in_batches(command text) RETURNS bool LANGUAGE plpgsql AS $$
DECLARE
  line text;
BEGIN
  FOR line IN EXECUTE 'EXPLAIN (COSTS OFF) ' || command LOOP
    IF line ~ 'pgml_fdw bulk insert' THEN
      RETURN true;
    END IF;
  END LOOP;
  RETURN false;
END
$$;

-- The same with and without?
CREATE FUNCTION as_one(tables text[], command text, setting text DEFAULT 'on') RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  plain text[];
  bulk text[];
  how text := CASE WHEN command ~* '^(create|refresh)' THEN 'created' ELSE 'called' END;
BEGIN
  IF command ~* '^(insert|with|merge)' THEN
    PERFORM set_config('pgml_fdw.bulk_insert', setting, false);
    how := CASE WHEN in_batches(command) THEN 'in batches' ELSE 'row by row' END;
  END IF;
  -- sequences don't forget
  plain := effect('off', tables, command);
  bulk := effect(setting, tables, command);
  IF plain IS DISTINCT FROM bulk THEN
    RETURN format('%s, differs: %s', how,
                  (SELECT string_agg(format('%s / %s', left(p, 200), left(b, 200)), E'\n')
                   FROM (SELECT p, b FROM unnest(plain, bulk) AS x (p, b)
                         WHERE p IS DISTINCT FROM b LIMIT 3) y));
  END IF;
  RETURN format('%s, same: %s, %s lines', how, plain[1], cardinality(plain) - 1);
END
$$;
\pset tuples_only on
\pset format unaligned
\set SHOW_CONTEXT never

-- The plan and what it did, in a form that all versions share.
CREATE FUNCTION explained(command text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
  line text;
BEGIN
  FOR line IN EXECUTE 'EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF, BUFFERS OFF) ' || command LOOP
    RETURN NEXT replace(line, '.00', '');
  END LOOP;
END
$$;

-- Is the log of a command, run with the setting on and off, shorter with it?  Rows that are written together
-- are logged together.
CREATE FUNCTION logs_less(command text) RETURNS bool LANGUAGE plpgsql SET client_min_messages = warning AS $$
DECLARE
  size bigint[];
  start pg_lsn;
  setting text;
BEGIN
  -- three times, since others log something too, and a checkpoint has pages logged as a whole
  FOREACH setting IN ARRAY '{on,off,on,off,on,off}'::text[] LOOP
    PERFORM set_config('pgml_fdw.bulk_insert', setting, true);
    start := pg_current_wal_insert_lsn();
    EXECUTE command;
    size := size || (pg_current_wal_insert_lsn() - start)::bigint;
    DROP TABLE IF EXISTS logged;
    DROP MATERIALIZED VIEW IF EXISTS logged_view;
  END LOOP;
  RETURN least(size[1], size[3], size[5]) < 0.6 * least(size[2], size[4], size[6]);
END
$$;

-- a plain table, logged, unlogged, temporary; columns in another order, some missing, one dropped
CREATE TABLE plain (id int, a int, t text, n numeric, d date, j jsonb, v float4[]);
CREATE UNLOGGED TABLE unlogged (LIKE plain);
CREATE TEMP TABLE temporary (LIKE plain);
CREATE TABLE dropped (x int, id int, y text, a int DEFAULT 5, t varchar(40));
ALTER TABLE dropped DROP COLUMN x, DROP COLUMN y;
ALTER TABLE dropped ADD COLUMN z int DEFAULT 12;
EXPLAIN (COSTS OFF) INSERT INTO plain SELECT * FROM src;
SELECT explained('INSERT INTO plain SELECT * FROM src');
SELECT logs_less('INSERT INTO plain (id) SELECT id FROM src');
DELETE FROM plain WHERE a IS NULL;
SELECT count(*), sum(id) FROM plain;
EXPLAIN (COSTS OFF, VERBOSE) INSERT INTO plain (id) SELECT id FROM src;
SELECT as_one('{plain}', 'INSERT INTO plain SELECT * FROM src');
SELECT as_one('{unlogged}', 'INSERT INTO unlogged SELECT * FROM src');
SELECT as_one('{temporary}', 'INSERT INTO temporary SELECT * FROM src');
SELECT as_one('{dropped}', 'INSERT INTO dropped (t, id) SELECT t, id FROM src WHERE a > 500');
SELECT as_one('{plain}', 'INSERT INTO plain SELECT * FROM src LIMIT 1');
SELECT as_one('{plain}', 'INSERT INTO plain SELECT * FROM src LIMIT 1000');
SELECT as_one('{plain}', 'INSERT INTO plain SELECT * FROM src LIMIT 1001');
SELECT as_one('{plain}', 'INSERT INTO plain (id) SELECT id FROM empty');
-- no column at all
CREATE TABLE nothing ();
SELECT in_batches('INSERT INTO nothing SELECT FROM src');
INSERT INTO nothing SELECT FROM src;
SELECT count(*) FROM nothing;
-- every kind of column by itself, values null and not
CREATE TABLE kinds (b bool, c "char", i2 int2, i4 int4, i8 int8, f4 float4, u uuid, na name, iv interval,
  ma macaddr, p text, e text, cs char(4), i22 int2, tid tid, last bool);
ALTER TABLE kinds ALTER p SET STORAGE PLAIN, ALTER e SET STORAGE EXTERNAL;
SELECT as_one('{kinds}', $$INSERT INTO kinds SELECT a % 2 = 0, 'q', a, a, a, a, md5(id::text)::uuid, t, d - timestamp '2019-01-01',
  NULL, t, repeat(t, a % 100), a % 10, a, '(1,2)', true FROM src$$);
SELECT as_one('{kinds}', $$INSERT INTO kinds SELECT CASE WHEN id & 1 > 0 THEN true END, CASE WHEN id & 2 > 0 THEN 'q' END, CASE WHEN id & 4 > 0 THEN a END,
  CASE WHEN id & 8 > 0 THEN a END, CASE WHEN id & 16 > 0 THEN a END, CASE WHEN id & 32 > 0 THEN a END, CASE WHEN id & 64 > 0 THEN md5(id::text)::uuid END,
  CASE WHEN id & 1 > 0 THEN t END, CASE WHEN id & 2 > 0 THEN interval '1 day' END, CASE WHEN id & 4 > 0 THEN '08:00:2b:01:02:03'::macaddr END,
  CASE WHEN id & 8 > 0 THEN t END, CASE WHEN id & 16 > 0 THEN t END, CASE WHEN id & 32 > 0 THEN 'x' END, CASE WHEN id & 64 > 0 THEN a END, NULL, id & 1 > 0 FROM src$$);
-- a row that no page can take
SELECT as_one('{kinds}', 'INSERT INTO kinds (p) SELECT repeat(t, id % 200) FROM src');
SELECT as_one('{kinds}', 'INSERT INTO kinds (p) SELECT repeat(t, id % 300) FROM src');

-- values that are stored out of line; such values of another local table; expanded ones
CREATE TABLE big (id int, t text, r text);
SELECT as_one('{big}', 'INSERT INTO big SELECT * FROM large');
INSERT INTO big SELECT * FROM large;
CREATE TABLE big2 (LIKE big);
SELECT as_one('{big2}', 'INSERT INTO big2 SELECT id, b.t, b.r FROM big b JOIN large l USING (id)');
CREATE FUNCTION expanded(i int) RETURNS int[] LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE a int[] := '{1,2}';
BEGIN
  a[3] := i;
  RETURN a;
END
$$;
CREATE TABLE arrays (id int, a int[]);
SELECT as_one('{arrays}', 'INSERT INTO arrays SELECT id, expanded(a) FROM src');

-- indexes of all kinds; what they find
CREATE TABLE indexed (LIKE plain);
ALTER TABLE indexed ADD PRIMARY KEY (id);
CREATE UNIQUE INDEX ON indexed (t, a) WHERE a > 300;
CREATE INDEX ON indexed (upper(t), (id % 3));
CREATE INDEX ON indexed USING gin (j);
CREATE INDEX ON indexed USING hash (a);
CREATE INDEX ON indexed USING brin (d);
CREATE INDEX ON indexed (a) INCLUDE (t);
SELECT as_one('{indexed}', 'INSERT INTO indexed SELECT * FROM src');
INSERT INTO indexed SELECT * FROM src WHERE id <= 1100;
SET enable_seqscan = off;
SELECT count(*) FROM indexed WHERE id BETWEEN 900 AND 2000;
SELECT count(*) FROM indexed WHERE j @> '{"k": 3}';
SELECT count(*) FROM indexed WHERE upper(t) = upper(md5('77'));
SELECT count(*) FROM indexed WHERE a = 7919 % 1000;
RESET enable_seqscan;
-- the same errors: of a row before, of the same batch, of an earlier batch
SELECT as_one('{indexed}', 'INSERT INTO indexed SELECT * FROM src WHERE id > 1000');
SELECT as_one('{indexed}', 'INSERT INTO indexed SELECT least(id, 1200), a, t, n, d, j, v FROM src WHERE id > 1100');
SELECT as_one('{indexed}', 'INSERT INTO indexed SELECT CASE id WHEN 2500 THEN 1101 ELSE id END, a, t, n, d, j, v FROM src WHERE id > 1100');
SELECT as_one('{indexed}', 'INSERT INTO indexed SELECT nullif(id, 2000), a, t, n, d, j, v FROM src WHERE id > 1100');
-- a unique constraint that is deferred, an exclusion constraint
CREATE TABLE deferred (id int UNIQUE DEFERRABLE INITIALLY DEFERRED);
SELECT as_one('{deferred}', 'INSERT INTO deferred SELECT id FROM src');
SELECT as_one('{deferred}', 'INSERT INTO deferred SELECT id % 2000 FROM src');
CREATE TABLE excluding (r int4range, EXCLUDE USING gist (r WITH &&));
SELECT as_one('{excluding}', 'INSERT INTO excluding SELECT int4range(id * 10, id * 10 + 10) FROM src');
SELECT as_one('{excluding}', 'INSERT INTO excluding SELECT int4range(id * 10, id * 10 + 10 + id / 2222) FROM src');

-- checks, NOT NULL, domains, generated columns, defaults, identity
CREATE DOMAIN small AS int CHECK (VALUE < 2400);
CREATE TABLE checked (
  id int GENERATED ALWAYS AS IDENTITY, a int NOT NULL CHECK (a >= 0), s small, double int GENERATED ALWAYS AS (a * 2) STORED,
  words text GENERATED ALWAYS AS (coalesce(t, 'none') || repeat('x', a)) STORED, t text, at date DEFAULT '2020-02-02',
  r bigint DEFAULT 7, CHECK (tableoid::regclass::text ~ 'checked'), CHECK (length(words) > 3));
SELECT as_one('{checked}', 'INSERT INTO checked (id, a, t, s) OVERRIDING SYSTEM VALUE SELECT id, a, t, id FROM src WHERE id < 2400');
SELECT as_one('{checked}', 'INSERT INTO checked (id, a, s) OVERRIDING SYSTEM VALUE SELECT id, a, id FROM src');
SELECT as_one('{checked}', 'INSERT INTO checked (id, a) OVERRIDING SYSTEM VALUE SELECT id, nullif(a, 5) FROM src');
SELECT as_one('{checked}', 'INSERT INTO checked (id, a) OVERRIDING SYSTEM VALUE SELECT id, 1200 - id FROM src');
SELECT in_batches('INSERT INTO checked (a) SELECT a FROM src');
INSERT INTO checked (a, t) SELECT a, id FROM src;
SELECT count(*), min(id), max(id), count(*) FILTER (WHERE id::text <> t) FROM checked;
-- sequences and random values; but not functions that could look around
CREATE TABLE defaults (id bigserial, u uuid DEFAULT gen_random_uuid(), r float8 DEFAULT random(), c timestamptz DEFAULT clock_timestamp(), a int);
SELECT in_batches('INSERT INTO defaults (a) SELECT a FROM src');
INSERT INTO defaults (a) SELECT id FROM src;
SELECT count(DISTINCT u), count(DISTINCT r), count(*) FILTER (WHERE id <> a), max(id), bool_and(c <= clock_timestamp()) FROM defaults;
SELECT currval('defaults_id_seq'), lastval(), last_value FROM defaults_id_seq;
-- the same rows at the same places, the same statistics
CREATE TABLE placed (id int, t text, r text) WITH (fillfactor = 70, autovacuum_enabled = off);
CREATE TABLE placed_plainly (LIKE placed) WITH (fillfactor = 70, autovacuum_enabled = off);
SET pgml_fdw.bulk_insert = off;
INSERT INTO placed_plainly SELECT * FROM large;
INSERT INTO placed_plainly (id, t) SELECT id, t FROM src;
RESET pgml_fdw.bulk_insert;
INSERT INTO placed SELECT * FROM large;
INSERT INTO placed (id, t) SELECT id, t FROM src;
SELECT count(*), count(DISTINCT concat(p.xmin, ' ', p.cmin)), count(*) FILTER (WHERE p::text IS DISTINCT FROM q::text)
  FROM placed p FULL JOIN placed_plainly q ON p.ctid = q.ctid;
SELECT pg_stat_force_next_flush();
SELECT count(DISTINCT (n_tup_ins, n_live_tup, n_mod_since_analyze, n_ins_since_vacuum)), min(n_tup_ins)
  FROM pg_stat_user_tables WHERE relname ~ '^placed';
-- what the client is told
\set QUIET off
INSERT INTO placed (id, t) SELECT id, t FROM src;
INSERT INTO placed (id) SELECT id FROM empty;
CREATE TABLE placed_again AS SELECT id, t FROM src;
\set QUIET on

-- foreign keys: immediate, deferred, to itself
CREATE TABLE parent (id int PRIMARY KEY);
INSERT INTO parent SELECT i FROM generate_series(1, 2499) i;
CREATE TABLE child (id int PRIMARY KEY, p int REFERENCES parent, q int REFERENCES parent DEFERRABLE INITIALLY DEFERRED, self int REFERENCES child);
SELECT as_one('{child}', 'INSERT INTO child SELECT id, id, id, 2499 - id + 1 FROM src WHERE id < 2500');
SELECT as_one('{child}', 'INSERT INTO child SELECT id, id FROM src');
SELECT as_one('{child}', 'INSERT INTO child SELECT id, 1, id FROM src');
SELECT as_one('{child}', 'INSERT INTO child (id, self) SELECT id, id + 1 FROM src');

-- triggers
CREATE TABLE triggered (id int, a int, t text);
CREATE TRIGGER after_row AFTER INSERT ON triggered FOR EACH ROW EXECUTE FUNCTION note();
CREATE TRIGGER after_row_when AFTER INSERT ON triggered FOR EACH ROW WHEN (NEW.a > 900) EXECUTE FUNCTION note();
CREATE TRIGGER before_statement BEFORE INSERT ON triggered FOR EACH STATEMENT EXECUTE FUNCTION note();
CREATE TRIGGER after_statement AFTER INSERT ON triggered FOR EACH STATEMENT EXECUTE FUNCTION note();
CREATE TRIGGER after_new AFTER INSERT ON triggered REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION note_new();
CREATE CONSTRAINT TRIGGER late AFTER INSERT ON triggered DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION note();
SELECT as_one('{triggered}', 'INSERT INTO triggered SELECT id, a, t FROM src');
SELECT as_one('{triggered}', 'INSERT INTO triggered SELECT id, a, t FROM src WHERE a < 0');
SELECT as_one('{triggered}', 'WITH x AS (SELECT * FROM src WHERE a > 5) INSERT INTO triggered SELECT id, a, t FROM x ORDER BY t, id');
CREATE TRIGGER before_row BEFORE INSERT ON triggered FOR EACH ROW EXECUTE FUNCTION note();
SELECT as_one('{triggered}', 'INSERT INTO triggered SELECT id, a, t FROM src WHERE id < 10');

-- partitions, several levels, of other columns orders, with defaults, triggers and constraints of their own
CREATE TABLE parts (id int, a int, t text, g int GENERATED ALWAYS AS (id + 1) STORED) PARTITION BY LIST ((a % 4));
CREATE TABLE parts_0 PARTITION OF parts FOR VALUES IN (0);
CREATE TABLE parts_1 (gone int, t text, a int, g int GENERATED ALWAYS AS (id + 1) STORED, id int);
ALTER TABLE parts_1 DROP COLUMN gone;
ALTER TABLE parts ATTACH PARTITION parts_1 FOR VALUES IN (1);
CREATE TABLE parts_2 PARTITION OF parts FOR VALUES IN (2) PARTITION BY RANGE (id);
CREATE TABLE parts_2a PARTITION OF parts_2 FOR VALUES FROM (0) TO (1000);
CREATE TABLE parts_2b PARTITION OF parts_2 FOR VALUES FROM (1000) TO (10000);
CREATE TABLE parts_d PARTITION OF parts DEFAULT;
ALTER TABLE parts_0 ADD CHECK (t IS DISTINCT FROM md5('2480'));
CREATE UNIQUE INDEX ON parts_2b (id);
SELECT as_one('{parts}', 'INSERT INTO parts SELECT id, a, t FROM src WHERE id < 2480');
SELECT as_one('{parts}', 'INSERT INTO parts SELECT id, a, t FROM src');
SELECT as_one('{parts_2}', 'INSERT INTO parts_2 SELECT id, a, t FROM src WHERE a % 4 = 2');
SELECT as_one('{parts_2}', 'INSERT INTO parts_2 SELECT id, a, t FROM src');
SELECT as_one('{parts_1}', 'INSERT INTO parts_1 (a, t, id) SELECT a, t, id FROM src WHERE a % 4 = 1');
SELECT as_one('{parts_1}', 'INSERT INTO parts_1 (a, t, id) SELECT a, t, id FROM src');
SELECT as_one('{parts}', 'INSERT INTO parts SELECT id, a, t FROM src WHERE a % 4 = 2 UNION ALL SELECT -id, 2, t FROM src');
CREATE TRIGGER after_new AFTER INSERT ON parts REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION note_new();
SELECT as_one('{parts}', 'INSERT INTO parts SELECT id, a, t FROM src WHERE id < 2480');
DROP TRIGGER after_new ON parts;
CREATE TRIGGER after_row AFTER INSERT ON parts FOR EACH ROW EXECUTE FUNCTION note();
SELECT as_one('{parts}', 'INSERT INTO parts SELECT id, a, t FROM src WHERE id < 2480');
DROP TRIGGER after_row ON parts;
-- rows of one partition only have a trigger: theirs don't wait
CREATE TRIGGER before_row BEFORE INSERT ON parts_2b FOR EACH ROW EXECUTE FUNCTION note();
SELECT as_one('{parts}', 'INSERT INTO parts SELECT id, a, t FROM src WHERE id < 2480');
CREATE FUNCTION skip() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.id % 5 = 0 THEN
    RETURN NULL;
  END IF;
  NEW.t := (SELECT count(*) FROM parts);
  RETURN NEW;
END
$$;
CREATE TRIGGER before_row_2 BEFORE INSERT ON parts_2b FOR EACH ROW EXECUTE FUNCTION skip();
SELECT as_one('{parts}', 'INSERT INTO parts SELECT id, a, t FROM src WHERE id < 2480');
-- foreign keys from one partitioned table to another
CREATE TABLE mother (id int PRIMARY KEY) PARTITION BY RANGE (id);
CREATE TABLE mother_a PARTITION OF mother FOR VALUES FROM (0) TO (1000);
CREATE TABLE mother_b PARTITION OF mother FOR VALUES FROM (1000) TO (2500);
INSERT INTO mother SELECT i FROM generate_series(1, 2499) i;
CREATE TABLE daughter (id int, m int REFERENCES mother) PARTITION BY HASH (id);
CREATE TABLE daughter_0 PARTITION OF daughter FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE daughter_1 PARTITION OF daughter FOR VALUES WITH (MODULUS 2, REMAINDER 1);
SELECT as_one('{daughter}', 'INSERT INTO daughter SELECT id, 2500 - id FROM src WHERE id < 2500');
SELECT as_one('{daughter}', 'INSERT INTO daughter SELECT id, id FROM src');
-- more partitions than keep their batches
CREATE TABLE many (id int, t text) PARTITION BY HASH (id);
\set ECHO none
SELECT format('CREATE TABLE many_%s PARTITION OF many FOR VALUES WITH (MODULUS 70, REMAINDER %s)', i, i) FROM generate_series(0, 69) i \gexec
\set ECHO all
ALTER TABLE many ADD PRIMARY KEY (id);
SELECT as_one('{many}', 'INSERT INTO many SELECT id, t FROM src');
SELECT as_one('{many}', 'INSERT INTO many SELECT id, repeat(t, 500) FROM src WHERE id < 700');
-- inheritance: only the table that is named
CREATE TABLE heir (extra int) INHERITS (plain);
SELECT as_one('{plain,heir}', 'INSERT INTO plain SELECT * FROM src');
SELECT as_one('{plain,heir}', 'INSERT INTO heir SELECT src.*, 4 FROM src');

-- row security, views
CREATE TABLE secured (id int, a int, owner name);
ALTER TABLE secured ENABLE ROW LEVEL SECURITY;
ALTER TABLE secured FORCE ROW LEVEL SECURITY;
CREATE POLICY p ON secured USING (true) WITH CHECK (a < 900 AND owner = current_user AND EXISTS (SELECT FROM parent WHERE parent.id = secured.id));
SET client_min_messages = error;
DROP ROLE IF EXISTS bulk_user;
RESET client_min_messages;
CREATE ROLE bulk_user;
GRANT USAGE ON SCHEMA bulk, bulk_far TO bulk_user;
GRANT SELECT, INSERT, TRUNCATE ON ALL TABLES IN SCHEMA bulk TO bulk_user;
GRANT SELECT ON ALL TABLES IN SCHEMA bulk_far TO bulk_user;
CREATE VIEW secured_far WITH (security_barrier) AS SELECT * FROM src;
GRANT SELECT ON secured_far TO bulk_user;
SET SESSION AUTHORIZATION bulk_user;
SELECT as_one('{secured}', 'INSERT INTO secured SELECT id, a, ''bulk_user'' FROM secured_far WHERE a < 900 AND id < 2500');
SELECT as_one('{secured}', 'INSERT INTO secured SELECT id, a, ''bulk_user'' FROM secured_far WHERE id < 2500');
SELECT as_one('{secured}', 'INSERT INTO secured SELECT id, 1, ''bulk_user'' FROM secured_far');
RESET SESSION AUTHORIZATION;
CREATE VIEW over AS SELECT id, a FROM plain WHERE a < 900 WITH CHECK OPTION;
SELECT as_one('{plain}', 'INSERT INTO over SELECT id, a FROM src WHERE a < 900');
SELECT as_one('{plain}', 'INSERT INTO over SELECT id, a FROM src');

-- sources: joins, aggregates, the target itself, the same table twice, subqueries, set operations
INSERT INTO plain SELECT * FROM src WHERE id % 2 = 0;
SELECT as_one('{plain}', 'INSERT INTO plain SELECT p.* FROM plain p JOIN src s USING (id)');
SELECT as_one('{plain}', 'INSERT INTO plain (id, n) SELECT a % 100, (SELECT count(*) FROM plain q WHERE q.a = s.a % 100) FROM src s WHERE id < 200');
SELECT as_one('{plain}', 'INSERT INTO plain (id, n) SELECT a % 10, sum(n) FROM src GROUP BY 1 ORDER BY 1');
SELECT as_one('{plain}', 'INSERT INTO plain (id, t) SELECT id, t FROM src WHERE id IN (SELECT id FROM parent) UNION SELECT id, ''u'' FROM src');
SELECT as_one('{plain}', 'INSERT INTO plain (id, a) SELECT generate_series(1, 3), id FROM src');
SELECT as_one('{plain}', 'INSERT INTO plain (id, a) SELECT id, row_number() OVER (ORDER BY a, id ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) FROM src');
SELECT as_one('{plain}', 'INSERT INTO plain (id, a) SELECT s.id, l.x FROM src s, LATERAL (VALUES (s.a), (-s.a)) l (x)');
SELECT as_one('{plain}', 'WITH RECURSIVE r AS (SELECT 1 AS x UNION ALL SELECT x + 1 FROM r WHERE x < 20) INSERT INTO plain (id, a) SELECT s.id, x FROM r JOIN src s ON s.a = x');
SELECT as_one('{plain}', 'INSERT INTO plain SELECT * FROM (SELECT * FROM src ORDER BY id LIMIT 50 FOR UPDATE) s');

SELECT as_one('{plain}', $$INSERT INTO plain (id, t) SELECT * FROM dblink('bulk_server', 'SELECT id, t FROM bulkinsert.src') AS d (id int, t text)$$);

-- not in batches, where somebody could look in the middle
TRUNCATE plain;
CREATE FUNCTION looks() RETURNS bigint LANGUAGE sql VOLATILE AS 'SELECT count(*) FROM bulk.plain';
CREATE FUNCTION reads() RETURNS bigint LANGUAGE sql STABLE AS 'SELECT count(*) FROM bulk.plain';
SELECT as_one('{plain}', 'INSERT INTO plain (id, n) SELECT id, looks() FROM src WHERE id < 50');
SELECT as_one('{plain}', 'INSERT INTO plain (id, n) SELECT id, reads() FROM src WHERE id < 50');
SELECT as_one('{plain}', 'INSERT INTO plain (id) SELECT id FROM src WHERE id < 50 AND looks() > 0');
SELECT as_one('{plain}', 'INSERT INTO plain (id, n) SELECT id, (SELECT looks() + s.id LIMIT 1) FROM src s WHERE id < 50');
SELECT as_one('{plain}', 'INSERT INTO plain (id, n) SELECT id, l FROM src s, LATERAL (SELECT looks() + s.id AS l OFFSET 0) x WHERE id < 50');
SELECT as_one('{plain}', 'INSERT INTO plain (id, n) SELECT id, f FROM src, looks() f WHERE id < 50');
SELECT as_one('{plain}', $$INSERT INTO plain (id) SELECT * FROM dblink('bulk_server', 'SELECT ' || looks()) AS d (id int)$$);
CREATE TABLE looking_check (id int CHECK (bulk.looks() >= 0));
SELECT as_one('{looking_check}', 'INSERT INTO looking_check SELECT id FROM src WHERE id < 50');
CREATE DOMAIN looking AS int CHECK (bulk.looks() >= 0 AND VALUE > 0);
CREATE TABLE looking_domain (id looking, ids looking[]);
SELECT as_one('{looking_domain}', 'INSERT INTO looking_domain SELECT id FROM src WHERE id < 50');
CREATE FOREIGN TABLE bulk_far.looking_src (id looking) SERVER bulk_server OPTIONS (schema_name 'bulkinsert', table_name 'src');
SELECT as_one('{plain}', 'INSERT INTO plain (id) SELECT id FROM looking_src WHERE id < 50');
SELECT as_one('{plain}', $$INSERT INTO plain (id) SELECT * FROM dblink('bulk_server', 'SELECT 5') AS d (id looking)$$);
CREATE TABLE looking_trigger (id int);
CREATE TRIGGER after_row AFTER INSERT ON looking_trigger FOR EACH ROW WHEN (NEW.id <> looks()) EXECUTE FUNCTION note();
SELECT as_one('{looking_trigger}', 'INSERT INTO looking_trigger SELECT id FROM src WHERE id < 50');
-- nor where rows come back, or may conflict, or a WITH writes, or rules say something
SELECT as_one('{indexed}', 'INSERT INTO indexed SELECT * FROM src ON CONFLICT DO NOTHING');
SELECT in_batches('INSERT INTO plain (id) SELECT id FROM src RETURNING id');
SELECT as_one('{plain,arrays}', 'WITH w AS (INSERT INTO arrays SELECT id FROM src WHERE id < 50 RETURNING id) INSERT INTO plain (id) SELECT id FROM w');
SELECT as_one('{plain,arrays}', 'WITH w AS (INSERT INTO arrays SELECT id FROM src WHERE id < 50) INSERT INTO plain (id) SELECT id FROM src');
CREATE TABLE ruled (id int);
CREATE RULE also AS ON INSERT TO ruled DO ALSO INSERT INTO log (what) VALUES ('rule ' || NEW.id);
SELECT as_one('{ruled}', 'INSERT INTO ruled SELECT id FROM src WHERE id < 50');
SELECT as_one('{plain}', 'MERGE INTO plain p USING src s ON p.id = s.id WHEN NOT MATCHED THEN INSERT (id, t) VALUES (s.id, s.t)');
-- what a rule adds to a statement is none of its own rows
CREATE TABLE ruled_too (id int);
CREATE RULE also AS ON INSERT TO ruled_too DO ALSO INSERT INTO plain (id) SELECT id FROM src;
SELECT as_one('{ruled_too,plain}', 'INSERT INTO ruled_too VALUES (1)');
CREATE VIEW instead AS SELECT id FROM ruled;
CREATE TRIGGER instead INSTEAD OF INSERT ON instead FOR EACH ROW EXECUTE FUNCTION note();
SELECT as_one('{ruled}', 'INSERT INTO instead SELECT id FROM src WHERE id < 50');
-- local rows only; from a foreign table to another
SELECT in_batches('INSERT INTO plain SELECT * FROM indexed');
SELECT in_batches('INSERT INTO src SELECT * FROM src');
-- a foreign partition
CREATE TABLE mixed (id int) PARTITION BY LIST (id);
CREATE FOREIGN TABLE mixed_far PARTITION OF mixed FOR VALUES IN (1) SERVER bulk_server OPTIONS (schema_name 'bulkinsert', table_name 'empty');
SELECT as_one('{mixed}', 'INSERT INTO mixed SELECT id FROM src WHERE id < 2');

-- the setting
SET pgml_fdw.bulk_insert = 'sometimes';
SET pgml_fdw.bulk_insert = any_wrapper;
SELECT in_batches('INSERT INTO plain SELECT * FROM src');
SELECT in_batches('INSERT INTO plain SELECT * FROM indexed');
SET pgml_fdw.bulk_insert = off;
SELECT in_batches('INSERT INTO plain SELECT * FROM src');
SET pgml_fdw.bulk_insert = on;
-- prepared statements follow it, whatever plan they have
TRUNCATE plain;
PREPARE ins (int) AS INSERT INTO plain (id) SELECT id FROM src WHERE id <= $1;
SET plan_cache_mode = force_generic_plan;
EXPLAIN (COSTS OFF) EXECUTE ins (10);
EXECUTE ins (10);
EXECUTE ins (1500);
SET pgml_fdw.bulk_insert = off;
EXPLAIN (COSTS OFF) EXECUTE ins (10);
RESET plan_cache_mode;
RESET pgml_fdw.bulk_insert;
SELECT count(*) FROM plain;
-- ROW_COUNT and FOUND
DO $$
DECLARE n bigint;
BEGIN
  INSERT INTO plain (id) SELECT id FROM src WHERE id <= 1234;
  GET DIAGNOSTICS n = ROW_COUNT;
  RAISE NOTICE '% %', n, FOUND;
  INSERT INTO plain (id) SELECT id FROM empty;
  GET DIAGNOSTICS n = ROW_COUNT;
  RAISE NOTICE '% %', n, FOUND;
END
$$;
-- in functions
CREATE FUNCTION fill() RETURNS void LANGUAGE sql AS 'INSERT INTO bulk.plain (id, t) SELECT id, t FROM bulk_far.src';
SELECT as_one('{plain}', 'SELECT fill()');
CREATE FUNCTION fill_or_mend() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO bulk.plain (id) SELECT 1 / (2000 - id) FROM bulk_far.src;
EXCEPTION WHEN division_by_zero THEN
  INSERT INTO bulk.plain (id, t) SELECT id, t FROM bulk_far.src WHERE id > 1300;
END
$$;
SELECT as_one('{plain}', 'SELECT fill_or_mend()');
-- a trigger whose own statement is one of these
CREATE TABLE outer_table (id int);
CREATE FUNCTION again() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO bulk.triggered SELECT id, a, t FROM bulk_far.src WHERE id < 5;
  RETURN NULL;
END
$$;
CREATE TRIGGER again AFTER INSERT ON outer_table FOR EACH ROW EXECUTE FUNCTION again();
SELECT as_one('{outer_table,triggered}', 'INSERT INTO outer_table SELECT id FROM src WHERE id < 4');
-- in a subtransaction that fails, and one that doesn't
TRUNCATE plain;
BEGIN;
SAVEPOINT a;
INSERT INTO plain (id) SELECT id FROM src;
ROLLBACK TO a;
INSERT INTO plain (id) SELECT id FROM src WHERE id <= 1700;
SAVEPOINT b;
INSERT INTO plain (id) SELECT 1 / (2000 - id) FROM src;
ROLLBACK TO b;
COMMIT;
SELECT count(*), sum(id) FROM plain;

-- CREATE TABLE AS, SELECT INTO, materialized views
SELECT as_one('{made}', 'CREATE TABLE made AS SELECT * FROM src');
SELECT as_one('{made}', 'CREATE UNLOGGED TABLE made (x, y) AS SELECT id, t FROM src ORDER BY a, id');
SELECT as_one('{made}', 'CREATE TEMP TABLE made AS SELECT * FROM large');
SELECT as_one('{made}', 'CREATE TABLE made AS SELECT s.id, l.r FROM src s LEFT JOIN large l USING (id)');
SELECT as_one('{made}', 'CREATE TABLE made AS SELECT id FROM empty');
SELECT as_one('{made}', 'CREATE TABLE made AS SELECT FROM src');
SELECT as_one('{made}', 'CREATE TABLE made AS SELECT * FROM src WITH NO DATA');
SELECT as_one('{made}', 'CREATE TABLE made AS SELECT id, 1 / (2000 - id) AS q FROM src');
SELECT as_one('{made}', 'CREATE TABLE made AS SELECT looks(), id FROM src WHERE id < 50');
SELECT as_one('{made}', 'CREATE MATERIALIZED VIEW made AS SELECT * FROM src');
CREATE MATERIALIZED VIEW view AS SELECT * FROM src WHERE id < 2000;
CREATE UNIQUE INDEX ON view (id);
SELECT as_one('{view}', 'REFRESH MATERIALIZED VIEW view');
SELECT as_one('{view}', 'REFRESH MATERIALIZED VIEW CONCURRENTLY view');
SELECT as_one('{made}', 'CREATE TABLE made WITH (fillfactor = 50, toast.autovacuum_enabled = off) AS SELECT * FROM large');
PREPARE far (int) AS SELECT id, r FROM large WHERE id <= $1;
SELECT as_one('{made}', 'CREATE TABLE made AS EXECUTE far (60)');
CREATE TABLE made AS SELECT * FROM src;
CREATE TABLE IF NOT EXISTS made AS SELECT * FROM src;
SELECT count(*), sum(id) FROM made;
SELECT * INTO made2 FROM src;
SELECT count(*), sum(id) FROM made2;
SELECT explained('CREATE TABLE made3 AS SELECT * FROM src');
SELECT count(*), sum(id) FROM made3;
-- they are in batches, too
SELECT logs_less('CREATE TABLE logged AS SELECT id, a FROM src');
SELECT logs_less('CREATE MATERIALIZED VIEW logged_view AS SELECT id, a FROM src');
SELECT logs_less('CREATE TABLE logged AS SELECT id, a FROM src WHERE looks() >= 0');
SELECT logs_less('CREATE TABLE logged AS SELECT id, a FROM made');
PREPARE near (int) AS SELECT id, a FROM src WHERE id <= $1;
SELECT logs_less('CREATE TABLE logged AS EXECUTE near (2500)');
-- with workers, which scan a local table
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
SET enable_mergejoin = off;
SET enable_nestloop = off;
SELECT count(*) FROM explained('CREATE TABLE made5 AS SELECT id, m.a FROM made m JOIN src s USING (id)') x WHERE x ~ 'Gather';
SELECT logs_less('CREATE TABLE logged AS SELECT id, m.a FROM made m JOIN src s USING (id)');
SELECT as_one('{made6}', 'CREATE TABLE made6 AS SELECT id, m.a FROM made m JOIN src s USING (id)');
RESET parallel_setup_cost;
RESET parallel_tuple_cost;
RESET min_parallel_table_scan_size;
RESET enable_mergejoin;
RESET enable_nestloop;

-- tables of another wrapper
CREATE EXTENSION postgres_fdw;
CREATE SERVER bulk_other FOREIGN DATA WRAPPER postgres_fdw
  OPTIONS (host :'remote_host', port :'remote_port', dbname :'remote_db');
CREATE USER MAPPING FOR CURRENT_USER SERVER bulk_other OPTIONS (user :'USER');
CREATE FOREIGN TABLE other (id int, a int, t text, n numeric, d date, j jsonb, v float4[])
  SERVER bulk_other OPTIONS (schema_name 'bulkinsert', table_name 'src');
SELECT in_batches('INSERT INTO plain SELECT * FROM other');
SELECT logs_less('CREATE TABLE logged AS SELECT id, a FROM other');
SET pgml_fdw.bulk_insert = any_wrapper;
SELECT in_batches('INSERT INTO plain SELECT * FROM other');
INSERT INTO plain SELECT * FROM other;
SELECT count(*), sum(id) FROM plain;
SELECT as_one('{plain}', 'INSERT INTO plain SELECT * FROM other', 'any_wrapper');
SELECT as_one('{parts}', 'INSERT INTO parts SELECT id, a, t FROM other WHERE id < 2480', 'any_wrapper');
SELECT as_one('{made7}', 'CREATE TABLE made7 AS SELECT * FROM other', 'any_wrapper');
-- whose rows are made here
CREATE EXTENSION file_fdw;
CREATE SERVER bulk_file FOREIGN DATA WRAPPER file_fdw;
CREATE FOREIGN TABLE numbers (id int) SERVER bulk_file OPTIONS (program 'seq 1 2100');
SELECT as_one('{plain}', 'INSERT INTO plain (id) SELECT id FROM numbers');
SELECT as_one('{plain}', 'INSERT INTO plain (id) SELECT id FROM numbers', 'any_wrapper');
SELECT as_one('{indexed}', 'INSERT INTO indexed (id) SELECT id + 2000 - 2000 * (id / 2100) FROM numbers', 'any_wrapper');
ALTER FOREIGN TABLE numbers OPTIONS (SET program 'seq 1 2100; echo none');
SELECT as_one('{plain}', 'INSERT INTO plain (id) SELECT id FROM numbers', 'any_wrapper');
RESET pgml_fdw.bulk_insert;

-- the first statement of a session
\connect
EXPLAIN (COSTS OFF) INSERT INTO bulk.plain SELECT * FROM bulk_far.src;
\connect
INSERT INTO bulk.plain SELECT * FROM bulk_far.src;
SELECT count(*), sum(id) FROM bulk.plain;
\connect
CREATE TABLE bulk.made4 AS SELECT * FROM bulk_far.src;
SELECT count(*), sum(id) FROM bulk.made4;

SET client_min_messages = warning;
DROP EXTENSION postgres_fdw, file_fdw CASCADE;
DROP OWNED BY bulk_user;
DROP ROLE bulk_user;
DROP SCHEMA bulk, bulk_far CASCADE;
DROP SERVER bulk_server CASCADE;
