-- What is sent and waited for, counted.  (A round trip is a wait for the remote; a
-- message that nobody waits for is only a message.)
\getenv abs_srcdir PG_ABS_SRCDIR
\set remote_sql :abs_srcdir '/include/remote.psql'
\i :remote_sql
\connect :remote_db - :remote_host :remote_port
SET client_min_messages = warning;
DROP SCHEMA IF EXISTS trips CASCADE;
CREATE SCHEMA trips;
SET search_path = trips;
CREATE TABLE t (id int PRIMARY KEY, txt text);
INSERT INTO t SELECT i, 'row ' || i FROM generate_series(1, 2000) i;
CREATE TABLE other (LIKE t);
CREATE MATERIALIZED VIEW mv AS SELECT * FROM t WHERE id < 10;
CREATE VIEW v AS SELECT * FROM t;
CREATE TABLE parent (LIKE t);
CREATE TABLE child () INHERITS (parent);
CREATE TABLE secured (LIKE t);
ALTER TABLE secured ENABLE ROW LEVEL SECURITY;
CREATE TABLE differs (id bigint, txt varchar);
INSERT INTO differs SELECT id, txt FROM t;
CREATE TABLE big (id int, pad text);
INSERT INTO big SELECT i, repeat(md5(i::text), 10) FROM generate_series(1, 20000) i;

\connect :local_db - :local_host :local_port
SET client_min_messages = warning;
DROP SCHEMA IF EXISTS trips CASCADE;
DROP SERVER IF EXISTS trips_server CASCADE;
CREATE SCHEMA trips;
SET search_path = trips, public;
CREATE SERVER trips_server FOREIGN DATA WRAPPER pgml_fdw
  OPTIONS (host :'remote_host', port :'remote_port', dbname :'remote_db');
CREATE USER MAPPING FOR CURRENT_USER SERVER trips_server OPTIONS (user :'USER');
IMPORT FOREIGN SCHEMA trips EXCEPT (differs) FROM SERVER trips_server INTO trips;
CREATE FOREIGN TABLE differs (id int, txt text) SERVER trips_server;
CREATE TABLE ids (id int);
INSERT INTO ids SELECT generate_series(1, 1000);
ANALYZE ids;

-- What has been counted since the last call
CREATE FUNCTION since() RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  now record;
  was text;
  old int[];
BEGIN
  SELECT * INTO now FROM pgml_fdw_stats();
  was := nullif(current_setting('trips.mark', true), '');
  PERFORM set_config('trips.mark', concat_ws(',', now.connects, now.messages, now.round_trips), false);
  old := string_to_array(coalesce(was, '0,0,0'), ',')::int[];
  RETURN format('%s connections, %s round trips, %s messages', now.connects - old[1], now.round_trips - old[3], now.messages - old[2]);
END
$$;
\pset tuples_only on
\pset format unaligned

-- The first statement of a session, which doesn't know the table yet; the next ones
\connect
SET search_path = trips, public;
SELECT since();
SELECT count(*) FROM t;
SELECT since();
SELECT count(*) FROM t;
SELECT since();
SELECT txt FROM t WHERE id = 7;
SELECT since();
-- another table must be asked about, once; the rows of both in one transaction
SELECT count(*) FROM other;
SELECT since();
SELECT count(*) FROM other;
SELECT since();
SELECT count(*) FROM mv;
SELECT since();
SELECT count(*) FROM mv;
SELECT since();
SELECT (SELECT count(*) FROM t), (SELECT count(*) FROM other), (SELECT count(*) FROM mv);
SELECT since();
BEGIN;
SELECT count(*) FROM t;
SELECT count(*) FROM other;
COMMIT;
SELECT since();
BEGIN;
SELECT count(*) FROM t;
ROLLBACK;
SELECT since();
-- each transport
SET pgml_fdw.transport = 'copy';
SELECT count(*) FROM t;
SELECT since();
SET pgml_fdw.transport = 'row';
SELECT count(*) FROM t;
SELECT since();
SET pgml_fdw.transport = 'cursor';
SELECT count(*) FROM t WHERE id <= 99;
SELECT since();
RESET pgml_fdw.transport;
-- what could write, or fail at its end, is waited for
SELECT count(*) FROM v;
SELECT since();
SELECT count(*) FROM v;
SELECT since();
SELECT count(*) FROM parent;
SELECT since();
SELECT count(*) FROM parent;
SELECT since();
SELECT count(*) FROM secured;
SELECT since();
SELECT count(*) FROM secured;
SELECT since();
BEGIN ISOLATION LEVEL SERIALIZABLE;
SELECT count(*) FROM t;
COMMIT;
SELECT since();
SELECT id FROM t WHERE id = 3 FOR UPDATE;
SELECT since();
-- columns that are not what was declared are asked for again
SELECT count(id), count(txt) FROM (SELECT * FROM differs WHERE random() >= 0) d;
SELECT since();
SELECT count(id), count(txt) FROM (SELECT * FROM differs WHERE random() >= 0) d;
SELECT since();
-- savepoints travel with what needs them
BEGIN;
SAVEPOINT a;
SELECT count(*) FROM t;
SAVEPOINT b;
SELECT count(*) FROM t;
RELEASE b;
SELECT count(*) FROM t;
COMMIT;
SELECT since();
BEGIN;
SELECT count(*) FROM t;
SAVEPOINT a;
SELECT count(*) FROM t;
ROLLBACK TO a;
COMMIT;
SELECT since();

-- Rescans: one round trip each, and nothing else
SET enable_hashjoin = off;
SET enable_mergejoin = off;
SET enable_memoize = off;
SET enable_material = off;
SET pgml_fdw.enable_keyed_join = off;
EXPLAIN (COSTS OFF) SELECT count(t.id) FROM ids LEFT JOIN t USING (id);
SELECT count(t.id) FROM ids LEFT JOIN t USING (id);
SELECT since();
SELECT count(x) FROM (SELECT (SELECT txt FROM t WHERE t.id = ids.id) AS x FROM ids OFFSET 0) y;
SELECT since();
SELECT count(*) FROM ids, LATERAL (SELECT FROM t WHERE t.id >= ids.id AND t.id < ids.id + 5 AND random() >= 0 LIMIT 1) x;
SELECT since();
RESET enable_hashjoin;
RESET enable_mergejoin;
RESET enable_memoize;
RESET enable_material;
RESET pgml_fdw.enable_keyed_join;

-- Early stops: what is small is read on, else the query is cancelled, and going back to the
-- savepoint is one more round trip (the cancel request is no message on this connection)
SELECT count(*) FROM big WHERE id = 1;
SELECT since();
SET pgml_fdw.transport = 'copy';
SELECT id, left(pad, 4) FROM big WHERE random() >= 0 LIMIT 1;
SELECT since();
SELECT EXISTS (SELECT FROM mv WHERE random() >= 0);
SELECT since();
SET pgml_fdw.transport = 'row';
SELECT id, left(pad, 4) FROM big WHERE random() >= 0 LIMIT 1;
SELECT since();
SET pgml_fdw.transport = 'cursor';
SELECT id, left(pad, 4) FROM big WHERE random() >= 0 LIMIT 1;
SELECT since();
RESET pgml_fdw.transport;
SELECT id, left(pad, 4) FROM big WHERE random() >= 0 LIMIT 1;
SELECT since();

-- Two scans at once: the second one finds the wire taken, and that costs no round trip
SET pgml_fdw.enable_pushdown = off;
SELECT count(*) FROM big a JOIN big b USING (id);
SELECT since();
RESET pgml_fdw.enable_pushdown;

-- Writes
INSERT INTO other VALUES (1, 'one');
SELECT since();
INSERT INTO other VALUES (1, 'one'), (2, 'two'), (3, 'three');
SELECT since();
INSERT INTO other VALUES (4, 'four') RETURNING txt;
SELECT since();
INSERT INTO other SELECT id, 'many' FROM ids WHERE id < 100;
SELECT since();
-- by COPY, however many: the question, the start, the end, COMMIT
INSERT INTO other SELECT id, repeat('x', 100) FROM ids;
SELECT since();
INSERT INTO other SELECT ids.id, repeat('x', 100) FROM ids, generate_series(1, 20);
SELECT since();
-- changed in batches of 500: the scan, the types, the batches, which follow one another up to eight, COMMIT
UPDATE other SET txt = 'y' FROM ids WHERE ids.id = other.id AND other.txt LIKE 'xx%' AND ids.id <= 10;
SELECT since();
UPDATE other SET txt = 'z' FROM ids WHERE ids.id = other.id AND other.txt LIKE 'xx%';
SELECT since();
DELETE FROM other USING ids WHERE ids.id = other.id AND other.txt = 'z';
SELECT since();
DELETE FROM other WHERE txt = 'y';
SELECT since();
UPDATE other SET txt = 'changed' WHERE id = 2;
SELECT since();
DELETE FROM other WHERE id = 4;
SELECT since();
BEGIN;
INSERT INTO other VALUES (5, 'five');
SELECT count(*) FROM other WHERE id = 5;
COMMIT;
SELECT since();

-- Nothing for plans that are not run
EXPLAIN (COSTS OFF) SELECT * FROM t;
SELECT count(*) FROM t WHERE false;
SELECT since();

-- but for sizes that nobody knows here: one question for all of a statement's tables, subqueries included
CREATE FUNCTION plan(query text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE 'EXPLAIN ' || query;
  RETURN 'planned';
END
$$;
\connect
SET search_path = trips, public;
SELECT since();
SELECT plan($$ SELECT (SELECT count(*) FROM other), EXISTS (SELECT FROM t) FROM big UNION ALL SELECT count(*), true FROM mv $$);
SELECT since();
SELECT plan($$ SELECT count(*) FROM other $$);
SELECT count(*) FROM mv;
SELECT since();
-- a definition that changes is asked about anew
ALTER FOREIGN TABLE mv OPTIONS (ADD fetch_size '10');
SELECT since();
SELECT plan($$ SELECT count(*) FROM mv $$);
SELECT since();
-- in a transaction, and in a subtransaction of it
BEGIN;
SELECT count(*) FROM t;
SELECT plan($$ SELECT count(*) FROM v $$);
SAVEPOINT s;
SELECT plan($$ SELECT count(*) FROM parent $$);
SELECT count(*) FROM t;
ROLLBACK TO s;
SELECT count(*) FROM t;
COMMIT;
SELECT since();
-- nobody's stream is put aside for it
BEGIN;
SET pgml_fdw.transport = 'copy';
DECLARE c NO SCROLL CURSOR FOR SELECT id FROM big WHERE random() >= 0;
FETCH 1 FROM c;
SELECT since();
SELECT plan($$ SELECT count(*) FROM secured $$);
SELECT since();
SELECT parked FROM pgml_fdw_stats();
COMMIT;
RESET pgml_fdw.transport;
-- (how the stream was ended depends on how quick the machine is)
SELECT since() AS ignored \gset
SELECT plan($$ SELECT count(*) FROM secured $$);
SELECT since();
-- turned off
ALTER SERVER trips_server OPTIONS (ADD ask_size 'false');
ALTER FOREIGN TABLE big OPTIONS (ADD ask_size 'true');
SELECT plan($$ SELECT count(*) FROM secured $$);
SELECT since();
SELECT plan($$ SELECT count(*) FROM big $$);
SELECT since();


\pset tuples_only off
\pset format aligned
SET client_min_messages = warning;
DROP SCHEMA trips CASCADE;
DROP SERVER trips_server CASCADE;
