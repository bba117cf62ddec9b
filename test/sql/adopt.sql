-- Serving the servers of postgres_fdw, giving them back, and moving them over.
\getenv abs_srcdir PG_ABS_SRCDIR
\set remote_sql :abs_srcdir '/include/remote.psql'
\i :remote_sql
\connect :remote_db - :remote_host :remote_port
SET client_min_messages = warning;
DROP SCHEMA IF EXISTS adopt CASCADE;
CREATE SCHEMA adopt;
CREATE TABLE adopt.t AS SELECT i AS id, 'row ' || i AS name FROM generate_series(1, 10) i;
CREATE TABLE adopt.u AS SELECT i AS id, i % 3 AS t_id FROM generate_series(1, 9) i;
\connect :local_db - :local_host :local_port
CREATE EXTENSION postgres_fdw;
CREATE SERVER adopt_server FOREIGN DATA WRAPPER postgres_fdw
  OPTIONS (host :'remote_host', port :'remote_port', dbname :'remote_db');
CREATE USER MAPPING FOR CURRENT_USER SERVER adopt_server OPTIONS (user :'USER');
CREATE SCHEMA adopt;
IMPORT FOREIGN SCHEMA adopt FROM SERVER adopt_server INTO adopt;
CREATE FUNCTION adopt.engine() RETURNS text LANGUAGE sql AS
  $$ SELECT fdwhandler::regproc::text FROM pg_foreign_data_wrapper WHERE fdwname = 'postgres_fdw' $$;
CREATE FUNCTION adopt.total() RETURNS bigint LANGUAGE plpgsql AS $$ BEGIN RETURN (SELECT sum(id) FROM adopt.t WHERE name <> 'row 10'); END $$;
-- what a session does with the tables; both engines can be asked which of them has a connection
CREATE FUNCTION adopt.work() RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  r record;
  n int;
BEGIN
  SELECT count(*) AS n, sum(t.id) AS s INTO r FROM adopt.t JOIN adopt.u ON u.t_id = t.id WHERE t.name <> 'x';
  UPDATE adopt.t SET name = name WHERE id <= 3 AND random() >= 0;
  GET DIAGNOSTICS n = ROW_COUNT;
  RETURN format('%s rows, sum %s, total %s, updated %s', r.n, r.s, adopt.total(), n);
END $$;
CREATE FUNCTION adopt.served_by() RETURNS text LANGUAGE sql AS
  $$ SELECT concat_ws(' ', (SELECT 'postgres_fdw' FROM postgres_fdw_get_connections() LIMIT 1),
                           (SELECT 'pgml_fdw' FROM pgml_fdw_get_connections() LIMIT 1)) $$;

-- Another session, which uses the tables before and after.
SELECT dblink_connect('other', format('host=%s port=%s dbname=%s user=%s', :'local_host', :'local_port', :'local_db', :'USER'));
SELECT dblink_exec('other', 'PREPARE p AS SELECT * FROM adopt.t WHERE id <= $1 ORDER BY id');
SELECT * FROM dblink('other', 'EXECUTE p (2)') AS t (id int, name text);
SELECT * FROM dblink('other', 'SELECT adopt.work(), adopt.served_by()') AS t (work text, served_by text);
PREPARE p AS SELECT * FROM adopt.t WHERE id <= $1 ORDER BY id;
EXECUTE p (2);
SELECT adopt.work(), adopt.served_by();

-- there, ...
SELECT pgml_fdw_adopt('postgres_fdw');
SELECT adopt.engine();
SELECT postgres_fdw_disconnect_all();
EXECUTE p (2);
SELECT adopt.work(), adopt.served_by();
SELECT dblink_exec('other', 'DO ''BEGIN PERFORM postgres_fdw_disconnect_all(); END''');
SELECT * FROM dblink('other', 'EXECUTE p (2)') AS t (id int, name text);
SELECT * FROM dblink('other', 'SELECT adopt.work(), adopt.served_by()') AS t (work text, served_by text);
-- ... and back
SELECT pgml_fdw_release('postgres_fdw');
SELECT adopt.engine(), adopt.served_by();
EXECUTE p (2);
SELECT adopt.work(), adopt.served_by();
SELECT dblink_exec('other', 'DO ''BEGIN PERFORM pgml_fdw_disconnect_all(); END''');
SELECT * FROM dblink('other', 'EXECUTE p (2)') AS t (id int, name text);
SELECT * FROM dblink('other', 'SELECT adopt.work(), adopt.served_by()') AS t (work text, served_by text);

-- a transaction that is undone leaves all as it was
SELECT postgres_fdw_disconnect_all();
BEGIN;
SELECT pgml_fdw_adopt('postgres_fdw');
SELECT adopt.work(), adopt.served_by();
ROLLBACK;
SELECT adopt.engine();
SELECT adopt.work();

-- not in a transaction that has used the tables, with either engine, nor while somebody else uses them
BEGIN;
SELECT count(*) FROM adopt.t;
SELECT pgml_fdw_adopt('postgres_fdw');
ROLLBACK;
BEGIN;
DECLARE c CURSOR FOR SELECT * FROM adopt.t ORDER BY id;
FETCH 1 FROM c;
SELECT pgml_fdw_adopt('postgres_fdw');
ROLLBACK;
SELECT pgml_fdw_adopt('postgres_fdw'), count(*) FROM adopt.t;
DECLARE held CURSOR WITH HOLD FOR SELECT * FROM adopt.t ORDER BY id;
SELECT dblink_exec('other', 'BEGIN');
SELECT * FROM dblink('other', 'EXECUTE p (1)') AS t (id int, name text);
SET lock_timeout = '100ms';
SELECT pgml_fdw_adopt('postgres_fdw');
RESET lock_timeout;
SELECT dblink_exec('other', 'COMMIT');
SELECT pgml_fdw_adopt('postgres_fdw');
FETCH 1 FROM held;
CLOSE held;
BEGIN;
SELECT count(*) FROM adopt.t;
SELECT pgml_fdw_release('postgres_fdw');
ROLLBACK;
BEGIN;
-- no table is locked, but the server has been talked to
SET LOCAL client_min_messages = warning;
CREATE SCHEMA adopt_more;
IMPORT FOREIGN SCHEMA adopt LIMIT TO (u) FROM SERVER adopt_server INTO adopt_more;
DROP SCHEMA adopt_more CASCADE;
SELECT pgml_fdw_release('postgres_fdw');
ROLLBACK;
SELECT pgml_fdw_adopt('postgres_fdw');

-- options that the other engine doesn't know
ALTER FOREIGN TABLE adopt.t OPTIONS (transport 'copy');
-- (postgres_fdw's hint differs between versions)
\set VERBOSITY terse
SELECT pgml_fdw_release('postgres_fdw');
\set VERBOSITY default
SELECT adopt.engine();
ALTER FOREIGN TABLE adopt.t OPTIONS (DROP transport);
SELECT pgml_fdw_release('postgres_fdw');
SELECT pgml_fdw_release('postgres_fdw');

-- what can't be adopted or released
SELECT pgml_fdw_adopt('pgml_fdw');
SELECT pgml_fdw_release('pgml_fdw');
SELECT pgml_fdw_adopt('nothing');
CREATE FOREIGN DATA WRAPPER adopt_none;
SELECT pgml_fdw_adopt('adopt_none');
CREATE FOREIGN DATA WRAPPER adopt_mine HANDLER pgml_fdw_handler VALIDATOR pgml_fdw_validator;
SELECT pgml_fdw_adopt('adopt_mine');
SELECT pgml_fdw_release('adopt_mine');
SELECT fdwhandler::regproc, fdwvalidator::regproc FROM pg_foreign_data_wrapper WHERE fdwname = 'adopt_mine';
CREATE ROLE adopt_user;
SET ROLE adopt_user;
SELECT pgml_fdw_adopt('postgres_fdw');
SELECT pgml_fdw_release('adopt_mine');
RESET ROLE;
DROP FOREIGN DATA WRAPPER adopt_none, adopt_mine;

-- The bare ALTER does not tell other sessions: an error that says so, or the right rows.
SET client_min_messages = error;
CREATE FUNCTION adopt.fine(answer text) RETURNS bool LANGUAGE sql AS
  $$ SELECT coalesce(answer = '6 rows, sum 9, total 45, updated 3', true) $$;
SELECT * FROM dblink('other', 'SELECT adopt.work()') AS t (work text);
ALTER FOREIGN DATA WRAPPER postgres_fdw HANDLER pgml_fdw_handler VALIDATOR pgml_fdw_validator;
SELECT adopt.fine(max(work)) FROM dblink('other', 'EXECUTE p (2)', false) AS t (id int, work text) WHERE work !~ '^row';
SELECT adopt.fine(max(work)) FROM dblink('other', 'SELECT adopt.work()', false) AS t (work text);
SELECT adopt.fine(max(work)) FROM dblink('other', 'SELECT adopt.work()', false) AS t (work text);
ALTER FOREIGN DATA WRAPPER postgres_fdw HANDLER postgres_fdw_handler VALIDATOR postgres_fdw_validator;
SELECT adopt.fine(max(work)) FROM dblink('other', 'EXECUTE p (2)', false) AS t (id int, work text) WHERE work !~ '^row';
SELECT adopt.fine(max(work)) FROM dblink('other', 'SELECT adopt.work()', false) AS t (work text);
SELECT adopt.fine(max(work)) FROM dblink('other', 'SELECT adopt.work()', false) AS t (work text);
RESET client_min_messages;
SELECT * FROM dblink('other', 'SELECT 1') AS t (alive int);
SELECT dblink_disconnect('other');

-- Without the extension postgres_fdw there is nothing to go back to.
SET client_min_messages = warning;
DROP SERVER adopt_server CASCADE;
DROP EXTENSION postgres_fdw;
CREATE FOREIGN DATA WRAPPER postgres_fdw HANDLER pgml_fdw_handler VALIDATOR pgml_fdw_validator;
SELECT pgml_fdw_release('postgres_fdw');
DROP FOREIGN DATA WRAPPER postgres_fdw;
DROP SCHEMA adopt CASCADE;
DROP ROLE adopt_user;
