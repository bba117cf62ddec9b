-- What is known of a remote table: its size, asked when a statement is planned, and the
-- statistics of its columns.
\getenv abs_srcdir PG_ABS_SRCDIR
\set remote_sql :abs_srcdir '/include/remote.psql'
\i :remote_sql
\connect :remote_db - :remote_host :remote_port
SET client_min_messages = warning;
DROP SCHEMA IF EXISTS stats CASCADE;
CREATE SCHEMA stats;
SET search_path = stats;
CREATE TABLE tiny (id int, txt text) WITH (autovacuum_enabled = off);
INSERT INTO tiny SELECT i, 'row ' || i FROM generate_series(1, 10) i;
ANALYZE tiny;
CREATE TABLE large (id int, txt text) WITH (autovacuum_enabled = off);
INSERT INTO large SELECT i, 'row ' || i FROM generate_series(1, 100000) i;
ANALYZE large;
CREATE INDEX ON large (id);
-- ANALYZE was here before the rows were
CREATE TABLE grown (id int, txt text) WITH (autovacuum_enabled = off);
INSERT INTO grown SELECT i, 'row ' || i FROM generate_series(1, 1000) i;
ANALYZE grown;
INSERT INTO grown SELECT i, 'row ' || i FROM generate_series(1001, 50000) i;
-- nobody was
CREATE TABLE never (id int, a bigint, b bigint) WITH (autovacuum_enabled = off);
INSERT INTO never SELECT i, i, i FROM generate_series(1, 20000) i;
CREATE TABLE "empty" (id int) WITH (autovacuum_enabled = off);
ANALYZE "empty";
CREATE TABLE nothing_yet (id int) WITH (autovacuum_enabled = off);
CREATE TABLE parted (id int, txt text) PARTITION BY RANGE (id);
CREATE TABLE parted_1 PARTITION OF parted FOR VALUES FROM (0) TO (10000) PARTITION BY RANGE (id);
CREATE TABLE parted_1a PARTITION OF parted_1 FOR VALUES FROM (0) TO (5000) WITH (autovacuum_enabled = off);
CREATE TABLE parted_1b PARTITION OF parted_1 FOR VALUES FROM (5000) TO (10000) WITH (autovacuum_enabled = off);
CREATE TABLE parted_2 PARTITION OF parted FOR VALUES FROM (10000) TO (30000) WITH (autovacuum_enabled = off);
INSERT INTO parted SELECT i, 'row ' || i FROM generate_series(0, 29999) i;
ANALYZE parted_1a, parted_1b, parted_2;
CREATE TABLE parent (id int) WITH (autovacuum_enabled = off);
INSERT INTO parent SELECT generate_series(1, 1000);
CREATE TABLE child () INHERITS (parent) WITH (autovacuum_enabled = off);
CREATE TABLE grandchild () INHERITS (child, parent) WITH (autovacuum_enabled = off);
INSERT INTO child SELECT generate_series(1, 2000);
INSERT INTO grandchild SELECT generate_series(1, 3000);
ANALYZE parent, child, grandchild;
CREATE VIEW v AS SELECT * FROM large;
CREATE MATERIALIZED VIEW mv AS SELECT * FROM large WHERE id <= 5000;
ANALYZE mv;
CREATE TABLE "Odd ""name'\" (id int) WITH (autovacuum_enabled = off);
INSERT INTO "Odd ""name'\" SELECT generate_series(1, 123);
ANALYZE "Odd ""name'\";

\connect :local_db - :local_host :local_port
SET client_min_messages = warning;
DROP SCHEMA IF EXISTS stats, stats_local CASCADE;
DROP SERVER IF EXISTS stats_server CASCADE;
CREATE SCHEMA stats;
CREATE SCHEMA stats_local;
CREATE SERVER stats_server FOREIGN DATA WRAPPER pgml_fdw
  OPTIONS (host :'remote_host', port :'remote_port', dbname :'remote_db', import_stats 'false');
CREATE USER MAPPING FOR CURRENT_USER SERVER stats_server OPTIONS (user :'USER');
IMPORT FOREIGN SCHEMA stats FROM SERVER stats_server INTO stats;
SET search_path = stats, stats_local, public;
CREATE FOREIGN TABLE missing (id int) SERVER stats_server;
-- The rows that the planner expects
CREATE FUNCTION stats_local.expected(query text) RETURNS numeric LANGUAGE plpgsql AS $$
DECLARE
  plan json;
BEGIN
  EXECUTE 'EXPLAIN (FORMAT json) ' || query INTO plan;
  RETURN plan -> 0 -> 'Plan' ->> 'Plan Rows';
END
$$;
\pset tuples_only on
\pset format unaligned

-- Sizes: the truth where the remote knows it
SELECT t, expected('SELECT FROM ' || t) FROM unnest('{tiny,mv,parted,parent,empty}'::text[]) t;
SELECT expected($$ SELECT FROM "Odd ""name'\" $$);
SELECT t, round(expected('SELECT FROM ' || t) / n, 1) BETWEEN 0.9 AND 1.1 AS right
FROM (VALUES ('large', 100000), ('grown', 50000)) v (t, n);
-- a guess by the width of a row, as core makes it for a table of its own
CREATE TABLE stats_local.never (id int, a bigint, b bigint) WITH (autovacuum_enabled = off);
INSERT INTO stats_local.never SELECT i, i, i FROM generate_series(1, 20000) i;
CREATE TABLE stats_local.nothing_yet (id int) WITH (autovacuum_enabled = off);
SELECT t, expected('SELECT FROM stats.' || t) = expected('SELECT FROM stats_local.' || t) AS as_core
FROM unnest('{never,nothing_yet}'::text[]) t;
-- where nobody knows, a large one
SELECT t, expected('SELECT FROM ' || t) FROM unnest('{v,missing}'::text[]) t;
-- the remote's answer is remembered, but ANALYZE here knows better
SELECT expected('SELECT FROM tiny');
ANALYZE tiny;
SELECT expected('SELECT FROM tiny');
-- a join with a small table doesn't pull the large one
SELECT bytes_in AS before FROM pgml_fdw_stats() \gset
SELECT count(*) FROM tiny JOIN large USING (id);
SELECT bytes_in - :before < 2000 AS few FROM pgml_fdw_stats();
-- by the view's owner, if it is a view's
CREATE ROLE regress_stats_reader;
GRANT USAGE ON SCHEMA stats, stats_local TO regress_stats_reader;
CREATE VIEW stats_local.of_owner AS SELECT * FROM stats.large;
GRANT SELECT ON stats_local.of_owner, stats.large TO regress_stats_reader;
\connect
SET search_path = stats, stats_local, public;
SET ROLE regress_stats_reader;
-- no mapping of one's own: planned without, but not run
SELECT expected('SELECT FROM large');
SELECT count(*) FROM large;
SELECT expected('SELECT FROM of_owner') BETWEEN 90000 AND 110000;
RESET ROLE;

-- Planning doesn't need the remote
ALTER SERVER stats_server OPTIONS (SET port '1');
SELECT expected('SELECT FROM large');
SELECT expected('SELECT FROM large WHERE id = 1');
\set VERBOSITY terse
SELECT count(*) FROM large;
\set VERBOSITY default
ALTER SERVER stats_server OPTIONS (SET port :'remote_port');
SELECT expected('SELECT FROM large') BETWEEN 90000 AND 110000;
-- nor one that refuses us; a transaction that goes on isn't harmed
ALTER USER MAPPING FOR CURRENT_USER SERVER stats_server OPTIONS (SET user 'no such role');
BEGIN;
SELECT expected('SELECT FROM large');
ALTER USER MAPPING FOR CURRENT_USER SERVER stats_server OPTIONS (SET user :'USER');
SELECT count(*) FROM large;
SELECT expected('SELECT FROM large') BETWEEN 90000 AND 110000;
COMMIT;

\pset tuples_only off
\pset format aligned
SET client_min_messages = warning;
DROP SCHEMA stats, stats_local CASCADE;
DROP SERVER stats_server CASCADE;
DROP ROLE regress_stats_reader;
