-- What the other tests stand on: the extension, and a remote database.
-- "make test" gives a cluster of its own to the remote side; "make installcheck"
-- has one server only, which then is its own remote.
\getenv abs_srcdir PG_ABS_SRCDIR
\set remote_sql :abs_srcdir '/include/remote.psql'
\i :remote_sql

CREATE EXTENSION pgml_fdw;
SELECT extversion FROM pg_extension WHERE extname = 'pgml_fdw';

-- The remote database starts empty.
\connect postgres - :remote_host :remote_port
SET client_min_messages = warning;
SELECT format('DROP DATABASE IF EXISTS %I', :'remote_db') \gexec
SELECT format('CREATE DATABASE %I', :'remote_db') \gexec
\connect :remote_db - :remote_host :remote_port
SELECT count(*) AS user_tables FROM pg_stat_user_tables;
\connect :local_db - :local_host :local_port

-- It can be reached from here.
CREATE SERVER setup_server FOREIGN DATA WRAPPER pgml_fdw
  OPTIONS (host :'remote_host', port :'remote_port', dbname :'remote_db');
CREATE USER MAPPING FOR CURRENT_USER SERVER setup_server OPTIONS (user :'USER');
SELECT * FROM dblink('setup_server', 'SELECT current_database()') AS t (is_remote name);
DROP USER MAPPING FOR CURRENT_USER SERVER setup_server;
DROP SERVER setup_server;
