-- dblink(), its named connections, and who may use them.
\getenv abs_srcdir PG_ABS_SRCDIR
\set remote_sql :abs_srcdir '/include/remote.psql'
\i :remote_sql
\connect :remote_db - :remote_host :remote_port
SET client_min_messages = warning;
DROP SCHEMA IF EXISTS dblink_test CASCADE;
CREATE SCHEMA dblink_test;
CREATE TABLE dblink_test.t (id int PRIMARY KEY, name text, at date);
INSERT INTO dblink_test.t VALUES (1, 'one', '2024-02-03'), (2, NULL, '2024-12-31'), (3, '', NULL);
CREATE TABLE dblink_test.log (n int);

\connect :local_db - :local_host :local_port
CREATE SERVER dblink_server FOREIGN DATA WRAPPER pgml_fdw
  OPTIONS (host :'remote_host', port :'remote_port', dbname :'remote_db');
CREATE USER MAPPING FOR CURRENT_USER SERVER dblink_server OPTIONS (user :'USER');
SELECT format('host=%s port=%s dbname=%s user=%s', :'remote_host', :'remote_port', :'remote_db', :'USER') AS conninfo \gset

-- a server, a connection string, a name, the unnamed connection
SELECT * FROM dblink('dblink_server', 'SELECT * FROM dblink_test.t ORDER BY id') AS t (id int, name text, at date);
SELECT * FROM dblink(:'conninfo', 'SELECT id, name FROM dblink_test.t ORDER BY id DESC') AS t (a bigint, b varchar(2));
SELECT dblink_connect('mine', 'dblink_server');
SELECT dblink_connect('mine', 'dblink_server');
SELECT dblink_connect(:'conninfo');
SELECT dblink_exec('mine', 'SET application_name = ''mine''');
SELECT * FROM dblink('mine', 'SHOW application_name') AS t (name text);
SELECT dblink_exec('SET application_name = ''unnamed''');
SELECT * FROM dblink('SHOW application_name') AS t (name text);
-- a second unnamed one replaces the first
SELECT dblink_connect('dblink_server');
SELECT * FROM dblink('SELECT current_setting(''application_name'') = ''unnamed''') AS t (same bool);
SELECT dblink_disconnect();
SELECT dblink_disconnect();
SELECT * FROM dblink('SELECT 1') AS t (a int);
-- a name goes before a server of the same name
SELECT dblink_connect('dblink_server', :'conninfo');
SELECT dblink_exec('dblink_server', 'SET application_name = ''named''');
SELECT * FROM dblink('dblink_server', 'SHOW application_name') AS t (name text);
SELECT dblink_disconnect('dblink_server');
SELECT dblink_disconnect('nobody');
-- names are cut as identifiers are
SELECT dblink_connect(repeat('x', 70), 'dblink_server');
SELECT * FROM dblink(repeat('x', 65), 'SELECT 1') AS t (a int);
SELECT dblink_disconnect(repeat('x', 63));

-- not part of the local transaction
BEGIN;
SELECT dblink_exec('dblink_server', 'INSERT INTO dblink_test.log VALUES (1)');
SELECT dblink_exec('mine', 'INSERT INTO dblink_test.log VALUES (2), (3)');
ROLLBACK;
SELECT * FROM dblink('mine', 'SELECT n FROM dblink_test.log ORDER BY n') AS t (n int);
-- but a named connection can have one of its own
SELECT dblink_exec('mine', 'BEGIN');
SELECT dblink_exec('mine', 'DELETE FROM dblink_test.log');
SELECT * FROM dblink('dblink_server', 'SELECT count(*) FROM dblink_test.log') AS t (n int);
SELECT dblink_exec('mine', 'ROLLBACK');

-- rows: their number, their columns, none
SELECT count(*), sum(n) FROM dblink('mine', 'SELECT generate_series(1, 100000)') AS t (n int);
SELECT count(*) FROM dblink('mine', 'SELECT FROM generate_series(1, 3)') AS t (n int);
SELECT * FROM dblink('mine', 'SELECT 1 WHERE false') AS t (n int);
SELECT * FROM dblink('mine', 'SELECT 1, 2') AS t (n int);
SELECT * FROM dblink('mine', 'SELECT 1') AS t (n int, m int);
SELECT * FROM dblink('mine', 'SELECT ''x''') AS t (n int);
SELECT * FROM dblink('mine', 'SELECT 1');
SELECT dblink('mine', 'SELECT 1');
SELECT * FROM ROWS FROM (dblink('mine', 'SELECT i * 10 FROM generate_series(1, 5) i') AS (i int)) WITH ORDINALITY AS t (i, o) WHERE o > 3;
SELECT * FROM ROWS FROM (dblink('mine', 'SELECT 1') AS (a int), dblink('mine', 'SELECT 2 UNION ALL SELECT 3') AS (b int));
SELECT x, t.* FROM generate_series(1, 3) x, LATERAL dblink('mine', format('SELECT %s * 10', x)) AS t (ten int);
WITH d AS (SELECT * FROM dblink('mine', 'SELECT i FROM generate_series(1, 3) i') AS t (i int)) SELECT a.i, b.i FROM d a JOIN d b ON b.i > a.i ORDER BY 1, 2;
DECLARE c SCROLL CURSOR WITH HOLD FOR SELECT * FROM dblink('mine', 'SELECT i FROM generate_series(1, 3) i') AS t (i int);
FETCH LAST FROM c;
FETCH FIRST FROM c;
CLOSE c;
-- bigger than work_mem
SET work_mem = '64kB';
SELECT count(*), min(length(t)), max(length(t)) FROM dblink('mine', 'SELECT repeat(''x'', i) FROM generate_series(1, 3000) i') AS t (t text);
RESET work_mem;

-- commands and several statements
SELECT * FROM dblink('mine', 'INSERT INTO dblink_test.log VALUES (4), (5)') AS t (status text);
SELECT * FROM dblink('mine', 'INSERT INTO dblink_test.log VALUES (6) RETURNING n') AS t (n int);
SELECT dblink('mine', 'CREATE TEMP TABLE tmp (a int)');
SELECT * FROM dblink('mine', 'SELECT 1; SELECT 2 UNION ALL SELECT 3') AS t (n int);
SELECT * FROM dblink('mine', 'SELECT 1; DELETE FROM dblink_test.log WHERE n > 3') AS t (status text);
SELECT * FROM dblink('mine', 'SET work_mem = 999; SELECT 1') AS t (n int);
SELECT * FROM dblink('mine', '') AS t (status text);
SELECT dblink_exec('mine', 'SELECT 1');
SELECT dblink_exec('mine', 'SELECT 1; SELECT FROM dblink_test.t', false);
SELECT dblink_exec('mine', 'INSERT INTO dblink_test.log VALUES (7); DELETE FROM dblink_test.log WHERE n = 7 -- twice');
SELECT * FROM dblink('mine', 'COPY dblink_test.t TO STDOUT') AS t (status text);
SELECT dblink_exec('mine', 'COPY dblink_test.t FROM STDIN');
SELECT * FROM dblink('mine', 'SELECT 1') AS t (still_works int);

-- errors: as such, or as a NOTICE and no rows
SELECT * FROM dblink('mine', 'SELECT 1 / 0') AS t (n int);
SELECT * FROM dblink('mine', 'SELECT 1 / (3 - i) FROM generate_series(1, 5) i', false) AS t (n int);
SELECT dblink_connect('dblink_server');
SELECT * FROM dblink('SELECT nope', false) AS t (n int);
SELECT dblink_exec('INSERT INTO dblink_test.t VALUES (1)', false);
SELECT dblink_exec('INSERT INTO dblink_test.t VALUES (1)');
SELECT * FROM dblink('dblink_server', 'DO $$ BEGIN RAISE ''custom'' USING errcode = ''PG123'', detail = ''d'', hint = ''h''; END $$', false) AS t (s text);
DO $$
BEGIN
  PERFORM dblink_exec('mine', 'DO ''BEGIN RAISE SQLSTATE ''''PG123''''; END''');
EXCEPTION WHEN SQLSTATE 'PG123' THEN
  RAISE NOTICE 'caught %', SQLSTATE;
  PERFORM FROM dblink('mine', 'SELECT 1') AS t (n int);
  RAISE NOTICE 'and went on';
END $$;
-- the caller gives up in the middle of the rows
SELECT * FROM dblink('mine', 'SELECT CASE WHEN i < 10000 THEN i::text ELSE ''x'' END FROM generate_series(1, 20000) i') AS t (n int);
SELECT * FROM dblink('mine', 'SELECT 1') AS t (still_works int);
SET statement_timeout = '200ms';
SELECT * FROM dblink('mine', 'SELECT pg_sleep(60)') AS t (x text);
RESET statement_timeout;
SELECT * FROM dblink('mine', 'SELECT count(*) FROM pg_stat_activity WHERE query LIKE ''SELECT pg_sleep(60)%'' AND state = ''active''') AS t (sleeping int);
-- the types of the columns call us again, in the middle of the rows
CREATE FUNCTION dblink_again(i int, sql text) RETURNS bool LANGUAGE plpgsql AS
  $$ BEGIN IF i = 3 THEN EXECUTE sql; END IF; RETURN true; END $$;
CREATE DOMAIN dblink_reads AS int CHECK (dblink_again(VALUE, 'SELECT FROM dblink(''mine'', ''SELECT 1'') AS t (n int)'));
CREATE DOMAIN dblink_closes AS int CHECK (dblink_again(VALUE, 'SELECT dblink_disconnect(''mine'')'));
CREATE DOMAIN dblink_replaces AS int CHECK (dblink_again(VALUE, 'SELECT dblink_connect(''dblink_server'')'));
CREATE DOMAIN dblink_opens AS int CHECK (dblink_again(VALUE, 'SELECT FROM dblink(''dblink_server'', ''SELECT 1'') AS t (n int)'));
SELECT count(*) FROM dblink('mine', 'SELECT generate_series(1, 5)') AS t (n dblink_reads);
SELECT count(*) FROM dblink('mine', 'SELECT generate_series(1, 5)') AS t (n dblink_closes);
SELECT count(*) FROM dblink('SELECT generate_series(1, 5)') AS t (n dblink_replaces);
SELECT count(*) FROM dblink('mine', 'SELECT generate_series(1, 5)') AS t (n dblink_opens);
DROP DOMAIN dblink_reads, dblink_closes, dblink_replaces, dblink_opens;
DROP FUNCTION dblink_again;
-- the remote gives up: a named connection does not come back by itself
SELECT * FROM dblink('mine', 'SELECT pg_terminate_backend(pg_backend_pid())') AS t (x bool);
SELECT * FROM dblink('mine', 'SELECT 1') AS t (n int);
SELECT dblink_disconnect('mine');
SELECT dblink_connect('mine', 'dblink_server');

-- the remote's ways to write values are understood
SELECT dblink_exec('mine', 'SET datestyle = ''German''; SET intervalstyle = ''iso_8601''');
SELECT * FROM dblink('mine', 'SELECT at, interval ''1 day 2 hours'' FROM dblink_test.t WHERE id = 1') AS t (at date, i interval);
SELECT * FROM dblink('mine', 'SET datestyle = ''SQL, DMY''; SELECT at FROM dblink_test.t WHERE id = 1') AS t (at date);
SHOW datestyle;

-- connecting: errors tell no secrets
SELECT dblink_connect('x', 'no_such_server');
SELECT dblink_connect('x', 'password=canary-7 nonsense');
SELECT dblink_connect('x', 'host=/nonexistent-canary password=canary-7 dbname=d user=u');
SELECT * FROM dblink('host=/nonexistent', 'SELECT 1', false) AS t (n int);

-- Somebody who isn't a superuser.
CREATE ROLE dblink_user;
GRANT pg_read_all_settings TO dblink_user;
SET ROLE dblink_user;
SELECT * FROM dblink('dblink_server', 'SELECT 1') AS t (n int);
SELECT dblink_connect('x', 'dblink_server');
RESET ROLE;
GRANT USAGE ON FOREIGN SERVER dblink_server TO dblink_user;
SET ROLE dblink_user;
-- (core's message differs between versions)
\set VERBOSITY sqlstate
SELECT * FROM dblink('dblink_server', 'SELECT 1') AS t (n int);
\set VERBOSITY default
CREATE USER MAPPING FOR dblink_user SERVER dblink_server OPTIONS (user :'USER');
SELECT * FROM dblink('dblink_server', 'SELECT 1') AS t (n int);
ALTER USER MAPPING FOR dblink_user SERVER dblink_server OPTIONS (ADD password 'canary-7');
-- the remote lets everybody in without asking for the password
SELECT * FROM dblink('dblink_server', 'SELECT 1') AS t (n int);
SELECT * FROM dblink(:'conninfo', 'SELECT 1') AS t (n int);
SELECT * FROM dblink(:'conninfo' || ' password=canary-7', 'SELECT 1') AS t (n int);
SELECT dblink_connect(:'conninfo' || ' password=canary-7');
SELECT dblink_connect('x', :'conninfo' || ' password=''''');
RESET ROLE;
ALTER USER MAPPING FOR dblink_user SERVER dblink_server OPTIONS (ADD password_required 'false');
SET ROLE dblink_user;
SELECT * FROM dblink('dblink_server', 'SELECT 1') AS t (n int);
RESET ROLE;

-- Servers of other wrappers.
CREATE EXTENSION IF NOT EXISTS postgres_fdw;
CREATE SERVER dblink_other FOREIGN DATA WRAPPER dblink_fdw
  OPTIONS (host :'remote_host', port :'remote_port', dbname :'remote_db');
CREATE USER MAPPING FOR CURRENT_USER SERVER dblink_other OPTIONS (user :'USER');
CREATE SERVER dblink_postgres FOREIGN DATA WRAPPER postgres_fdw
  OPTIONS (host :'remote_host', port :'remote_port', dbname :'remote_db', fetch_size '7');
CREATE USER MAPPING FOR CURRENT_USER SERVER dblink_postgres OPTIONS (user :'USER');
CREATE FOREIGN DATA WRAPPER dblink_nothing;
CREATE SERVER dblink_nothing FOREIGN DATA WRAPPER dblink_nothing
  OPTIONS (host :'remote_host', port :'remote_port', dbname :'remote_db', whatever 'x');
CREATE USER MAPPING FOR PUBLIC SERVER dblink_nothing OPTIONS (user :'USER');
SELECT server, t.* FROM unnest(ARRAY['dblink_other', 'dblink_postgres', 'dblink_nothing']) server,
  dblink(server, 'SELECT count(*) FROM dblink_test.t') AS t (n int);
SELECT dblink_disconnect('mine');
SELECT dblink_disconnect();
-- nothing of ours is left on the remote, once the connections that are kept have gone
SELECT pgml_fdw_disconnect_all();
\connect :remote_db - :remote_host :remote_port
SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend' AND application_name NOT LIKE 'pg_regress%';
\connect :local_db - :local_host :local_port

SET client_min_messages = warning;
DROP SERVER dblink_server, dblink_other, dblink_postgres, dblink_nothing CASCADE;
DROP FOREIGN DATA WRAPPER dblink_nothing;
DROP EXTENSION postgres_fdw;
DROP ROLE dblink_user;
