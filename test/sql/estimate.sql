-- use_remote_estimate: plans reckon with what the remote's planner says.
\getenv abs_srcdir PG_ABS_SRCDIR
\set remote_sql :abs_srcdir '/include/remote.psql'
\i :remote_sql
\set SHOW_CONTEXT never
\connect :remote_db - :remote_host :remote_port
SET client_min_messages = warning;
DROP SCHEMA IF EXISTS estimate CASCADE;
CREATE SCHEMA estimate;
SET search_path = estimate;
CREATE TABLE t (id int PRIMARY KEY, k int, txt text, "(cost=1..2 rows=3 width=4)" int);
INSERT INTO t SELECT i, CASE WHEN i <= 100 THEN i ELSE 0 END, repeat('x', 200), i FROM generate_series(1, 5000) i;
CREATE TABLE u (t_id int, v int);
INSERT INTO u SELECT i % 50, i % 7 FROM generate_series(1, 3000) i;
ANALYZE t, u;

\connect :local_db - :local_host :local_port
SET client_min_messages = warning;
DROP SCHEMA IF EXISTS estimate CASCADE;
DROP SERVER IF EXISTS estimate_server CASCADE;
CREATE SCHEMA estimate;
SET search_path = estimate, public;
CREATE SERVER estimate_server FOREIGN DATA WRAPPER pgml_fdw
  OPTIONS (host :'remote_host', port :'remote_port', dbname :'remote_db', ask_size 'false', use_remote_estimate 'true');
CREATE USER MAPPING FOR CURRENT_USER SERVER estimate_server OPTIONS (user :'USER');
IMPORT FOREIGN SCHEMA estimate FROM SERVER estimate_server INTO estimate OPTIONS (import_stats 'false');

-- The rows that a query is expected to bring, here and by the remote, and the round trips of planning it
CREATE FUNCTION expected(query text, OUT here text, OUT there text, OUT round_trips bigint) LANGUAGE plpgsql AS $$
DECLARE
  before bigint;
  line text;
BEGIN
  SELECT s.round_trips INTO before FROM pgml_fdw_stats() s;
  EXECUTE 'EXPLAIN ' || query INTO line;
  SELECT s.round_trips - before INTO round_trips FROM pgml_fdw_stats() s;
  here := substring(line FROM '^Foreign Scan.* rows=(\d+) ');
  SELECT substring(q.line FROM '.*rows=(\d+) ') INTO there
    FROM pgml_fdw_query('estimate_server', 'EXPLAIN ' || regexp_replace(query, '\m([tu]) ', 'estimate.\1 ', 'g')) AS q (line text) LIMIT 1;
END
$$;
SELECT count(*) FROM t;
SELECT here = there AS same, round_trips FROM expected('SELECT * FROM t WHERE k = 0');
SELECT here = there AS same, round_trips FROM expected('SELECT * FROM t WHERE k = 17');
SELECT here = there AS same, round_trips FROM expected('SELECT "(cost=1..2 rows=3 width=4)" FROM t WHERE "(cost=1..2 rows=3 width=4)" < 1000');
SELECT here = there AS same, round_trips FROM expected('SELECT id FROM t WHERE k = 0 AND id < 700 ORDER BY id');
-- all scans in one round trip, each join and aggregate in one more
SELECT here = there AS same, round_trips FROM expected('SELECT * FROM t JOIN u ON u.t_id = t.id');
SELECT here = there AS same, round_trips FROM expected('SELECT * FROM t JOIN u ON u.t_id = t.id WHERE u.v = 3');
SELECT here = there AS same, round_trips FROM expected('SELECT k, count(*) FROM t GROUP BY k');
SELECT here = there AS same, round_trips FROM expected('SELECT t_id, v, count(*) FROM u GROUP BY t_id, v HAVING count(*) > 5');
-- values that come later
PREPARE p (int) AS SELECT id FROM t WHERE id = $1;
SET plan_cache_mode = force_generic_plan;
EXPLAIN (COSTS OFF) EXECUTE p (7);
EXECUTE p (7);
RESET plan_cache_mode;
-- conditions that stay here; the option of a table
SELECT count(*) FROM t WHERE k + random() >= 17 AND id < 120;
ALTER FOREIGN TABLE t OPTIONS (ADD use_remote_estimate 'false');
SELECT round_trips FROM expected('SELECT * FROM t WHERE k = 0');
ALTER FOREIGN TABLE t OPTIONS (SET use_remote_estimate 'true');
-- what fails there is planned without, and fails when it runs
ALTER FOREIGN TABLE u OPTIONS (SET table_name 'gone');
EXPLAIN (COSTS OFF) SELECT * FROM u;
SELECT * FROM u;
\connect
SET search_path = estimate, public;
BEGIN;
SELECT count(*) FROM t WHERE k = 0;
EXPLAIN (COSTS OFF) SELECT * FROM u;
SELECT count(*) FROM t WHERE k = 1;
COMMIT;

SET client_min_messages = warning;
DROP SCHEMA estimate CASCADE;
DROP SERVER estimate_server CASCADE;
