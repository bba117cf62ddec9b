-- Foreign tables that show a query.
\getenv abs_srcdir PG_ABS_SRCDIR
\set remote_sql :abs_srcdir '/include/remote.psql'
\i :remote_sql
\connect :remote_db - :remote_host :remote_port
SET client_min_messages = warning;
DROP SCHEMA IF EXISTS query_test CASCADE;
CREATE SCHEMA query_test;
CREATE TABLE query_test.t AS SELECT i, i % 3 AS kind, 'row ' || i AS name FROM generate_series(1, 1000) i;

\connect :local_db - :local_host :local_port
SET client_min_messages = warning;
CREATE SERVER query_server FOREIGN DATA WRAPPER pgml_fdw
  OPTIONS (host :'remote_host', port :'remote_port', dbname :'remote_db');
CREATE USER MAPPING FOR CURRENT_USER SERVER query_server OPTIONS (user :'USER');
CREATE FOREIGN TABLE kinds (kind int, n bigint, longest text) SERVER query_server
  OPTIONS (query 'SELECT max(name) AS longest, kind, count(*) AS n FROM query_test.t GROUP BY kind; -- a comment;');
CREATE FOREIGN TABLE renamed (id int OPTIONS (column_name 'i'), name text) SERVER query_server
  OPTIONS (query 'WITH w AS (SELECT * FROM query_test.t) TABLE w -- a comment');
SELECT * FROM kinds ORDER BY kind;
EXPLAIN (VERBOSE, COSTS OFF) SELECT name FROM renamed WHERE id BETWEEN 10 AND 20 AND name LIKE 'row 1%' ORDER BY id;
SELECT name FROM renamed WHERE id BETWEEN 10 AND 20 AND name LIKE 'row 1%' ORDER BY id LIMIT 3;
-- LIMIT goes there, too, and so do joins and aggregates of queries
EXPLAIN (VERBOSE, COSTS OFF) SELECT name FROM renamed ORDER BY id LIMIT 3 OFFSET 1;
SELECT name FROM renamed ORDER BY id LIMIT 3 OFFSET 1;
EXPLAIN (VERBOSE, COSTS OFF) SELECT r.name, k.n FROM renamed r JOIN kinds k ON k.kind = r.id WHERE k.n > 333;
EXPLAIN (VERBOSE, COSTS OFF) SELECT count(*), max(n) FROM kinds;
SELECT r.name, k.n FROM renamed r JOIN kinds k ON k.kind = r.id WHERE k.n > 333;
SELECT count(*), min(id), max(name) FROM renamed;
SELECT r IS NOT NULL, r.* FROM renamed r WHERE id = 7;
SELECT count(*) FROM renamed a WHERE EXISTS (SELECT FROM renamed b WHERE b.id = a.id + 990);
-- by each transport
SET pgml_fdw.transport = 'copy';
SELECT count(*), sum(id) FROM renamed WHERE id + random() < 600;
SET pgml_fdw.transport = 'row';
SELECT count(*), sum(id) FROM renamed WHERE id + random() < 600;
SET pgml_fdw.transport = 'cursor';
SELECT count(*), sum(id) FROM renamed WHERE id + random() < 600;
RESET pgml_fdw.transport;
-- statistics come from all of its rows
ANALYZE renamed;
SELECT reltuples FROM pg_class WHERE relname = 'renamed';
SELECT n_distinct FROM pg_stats WHERE tablename = 'renamed' AND attname = 'id';
-- it can't be written, whatever the options say
INSERT INTO renamed VALUES (1, 'x');
UPDATE renamed SET name = 'x';
DELETE FROM renamed;
TRUNCATE renamed;
SELECT pgml_fdw_upsert('renamed', '(SELECT 1 AS id)', key => '{id}');
COPY renamed FROM stdin;
\.
ALTER FOREIGN TABLE renamed OPTIONS (ADD updatable 'true', ADD truncatable 'true', ADD analyze_sampling 'system');
INSERT INTO renamed VALUES (1, 'x');
TRUNCATE renamed;
ANALYZE renamed;
SELECT is_insertable_into FROM information_schema.tables WHERE table_name = 'renamed';
SELECT count(*) FROM (SELECT * FROM renamed WHERE id < 4 FOR UPDATE) x;
-- what isn't a query
\set VERBOSITY terse
CREATE FOREIGN TABLE bad (i int) SERVER query_server OPTIONS (query 'DELETE FROM query_test.t');
CREATE FOREIGN TABLE bad (i int) SERVER query_server OPTIONS (query 'SELECT 1 AS i) AS x; DELETE FROM query_test.t; SELECT (1');
CREATE FOREIGN TABLE bad (i int) SERVER query_server OPTIONS (query 'SELECT 1; SELECT 2');
CREATE FOREIGN TABLE bad (i int) SERVER query_server OPTIONS (query 'SELECT 1 INTO x');
CREATE FOREIGN TABLE bad (i int) SERVER query_server OPTIONS (query '');
CREATE FOREIGN TABLE bad (i int) SERVER query_server OPTIONS (query 'SELECT /* 1');
CREATE FOREIGN TABLE bad (i int) SERVER query_server OPTIONS (query 'SELECT 1 AS i', table_name 't');
ALTER SERVER query_server OPTIONS (ADD query 'SELECT 1');
CREATE FOREIGN TABLE bad (i int) SERVER query_server OPTIONS (query 'WITH w AS (DELETE FROM query_test.t RETURNING i) SELECT i FROM w');
SELECT * FROM bad;
SELECT count(*) FROM renamed;
ALTER FOREIGN TABLE bad OPTIONS (SET query 'SELECT 1 AS j');
SELECT * FROM bad;
\set VERBOSITY default
CREATE FOREIGN TABLE bad_too (i int) SERVER query_server OPTIONS (query 'SELECT 1 FROM WHERE');
DROP SERVER query_server CASCADE;
