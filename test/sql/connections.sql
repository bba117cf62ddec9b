-- What a session holds open to its servers, how to see it and let go.
\getenv abs_srcdir PG_ABS_SRCDIR
\set remote_sql :abs_srcdir '/include/remote.psql'
\i :remote_sql
\connect :remote_db - :remote_host :remote_port
SET client_min_messages = warning;
DROP SCHEMA IF EXISTS connections CASCADE;
CREATE SCHEMA connections;
CREATE TABLE connections.t AS SELECT 1 AS id;
\connect :local_db - :local_host :local_port
CREATE SERVER conn_a FOREIGN DATA WRAPPER pgml_fdw
  OPTIONS (host :'remote_host', port :'remote_port', dbname :'remote_db', ask_size 'false');
CREATE SERVER conn_b FOREIGN DATA WRAPPER pgml_fdw
  OPTIONS (host :'remote_host', port :'remote_port', dbname :'remote_db', ask_size 'false');
CREATE USER MAPPING FOR CURRENT_USER SERVER conn_a OPTIONS (user :'USER');
CREATE USER MAPPING FOR PUBLIC SERVER conn_b OPTIONS (user :'USER');
CREATE SCHEMA connections_a;
CREATE SCHEMA connections_b;
IMPORT FOREIGN SCHEMA connections FROM SERVER conn_a INTO connections_a;
IMPORT FOREIGN SCHEMA connections FROM SERVER conn_b INTO connections_b;
CREATE VIEW held AS SELECT server_name, replace(user_name, :'USER', 'ME') AS user_name, valid, used_in_xact, closed, remote_backend_pid > 0 AS has_pid
  FROM pgml_fdw_get_connections() ORDER BY server_name;
CREATE VIEW held_checked AS SELECT server_name, valid, closed, remote_backend_pid > 0 AS has_pid
  FROM pgml_fdw_get_connections(true) ORDER BY server_name;

-- a session begins with none; planning and EXPLAIN need none
\connect -
SELECT * FROM held;
EXPLAIN (COSTS off) SELECT * FROM connections_a.t;
PREPARE nothing AS SELECT * FROM connections_a.t WHERE false;
EXECUTE nothing;
SELECT * FROM held;
SELECT * FROM connections_a.t;
SELECT * FROM connections_b.t;
SELECT * FROM held;
SELECT * FROM held_checked;
-- the same connection again
SELECT remote_backend_pid AS pid FROM pgml_fdw_get_connections() WHERE server_name = 'conn_a' \gset
SELECT * FROM connections_a.t;
SELECT remote_backend_pid = :pid AS same FROM pgml_fdw_get_connections() WHERE server_name = 'conn_a';

-- letting go
SELECT pgml_fdw_disconnect('conn_a');
SELECT pgml_fdw_disconnect('conn_a');
SELECT * FROM held;
SELECT pgml_fdw_disconnect_all();
SELECT pgml_fdw_disconnect_all();
SELECT * FROM held;
SELECT pgml_fdw_disconnect('no_server');
SELECT pgml_fdw_disconnect(NULL);

-- not in the middle of a transaction
BEGIN;
SELECT * FROM connections_a.t;
SAVEPOINT s;
SELECT * FROM held;
SELECT pgml_fdw_disconnect('conn_a');
SELECT pgml_fdw_disconnect_all();
-- what only a subtransaction that is gone has used is free
SAVEPOINT t;
SELECT * FROM connections_b.t;
ROLLBACK TO t;
SELECT server_name, used_in_xact FROM held;
COMMIT;
SELECT * FROM held;

-- changed options: a new connection, at once or after the transaction
ALTER SERVER conn_a OPTIONS (ADD application_name 'changed');
SELECT * FROM held;
SELECT * FROM connections_a.t;
BEGIN;
SELECT * FROM connections_a.t;
SELECT * FROM connections_b.t;
ALTER SERVER conn_a OPTIONS (SET application_name 'changed again');
ALTER USER MAPPING FOR PUBLIC SERVER conn_b OPTIONS (ADD password 'x');
SELECT * FROM held;
SELECT * FROM connections_a.t;
COMMIT;
SELECT * FROM held;
-- a server that is gone in the middle of it
BEGIN;
SELECT * FROM connections_a.t;
SET LOCAL client_min_messages = warning;
DROP SERVER conn_a CASCADE;
SELECT * FROM held;
SELECT pgml_fdw_disconnect_all();
ROLLBACK;
SELECT * FROM held;
-- a mapping that is gone
BEGIN;
SELECT * FROM connections_b.t;
DROP USER MAPPING FOR PUBLIC SERVER conn_b;
SELECT server_name, user_name, valid FROM held;
ROLLBACK;

-- keep_connections off
SELECT pgml_fdw_disconnect_all() IS NOT NULL AS done;
ALTER SERVER conn_a OPTIONS (ADD keep_connections 'off');
BEGIN;
SELECT * FROM connections_a.t;
SELECT server_name, used_in_xact FROM held;
COMMIT;
SELECT * FROM held;
ALTER SERVER conn_a OPTIONS (DROP keep_connections);

-- the remote hangs up
SELECT * FROM connections_a.t;
SELECT remote_backend_pid AS pid FROM pgml_fdw_get_connections() WHERE server_name = 'conn_a' \gset
SELECT ended FROM dblink('conn_b', format('SELECT pg_terminate_backend(%s, 10000)', :pid)) AS t (ended bool);
SELECT closed, remote_backend_pid = :pid AS same FROM pgml_fdw_get_connections(true) WHERE server_name = 'conn_a';
SELECT closed FROM pgml_fdw_get_connections(false) WHERE server_name = 'conn_a';
-- nothing was done on it, so it is replaced without a word
SELECT * FROM connections_a.t;
SELECT closed, remote_backend_pid = :pid AS same FROM pgml_fdw_get_connections(true) WHERE server_name = 'conn_a';
-- in a transaction it can't be
BEGIN;
SELECT * FROM connections_a.t;
SELECT remote_backend_pid AS pid FROM pgml_fdw_get_connections() WHERE server_name = 'conn_a' \gset
SELECT ended FROM dblink('conn_b', format('SELECT pg_terminate_backend(%s, 10000)', :pid)) AS t (ended bool);
SELECT closed FROM pgml_fdw_get_connections(true) WHERE server_name = 'conn_a';
DO $$
BEGIN
  PERFORM * FROM connections_a.t;
EXCEPTION WHEN admin_shutdown OR connection_failure OR connection_does_not_exist THEN
  RAISE NOTICE 'lost, and said so';
END $$;
COMMIT;
SELECT * FROM connections_a.t;

-- named dblink connections are not among them, and are not closed with them
SELECT dblink_connect('mine', 'conn_a');
SELECT pgml_fdw_disconnect_all();
SELECT * FROM held;
SELECT * FROM dblink('mine', 'SELECT 1') AS t (still_here int);

-- counters
SELECT connects >= 4 AS connects, messages > 0 AS messages, round_trips > 0 AS round_trips, rows_in > 0 AS rows_in,
  bytes_in > 0 AS bytes_in, rows_out, bytes_out > 0 AS bytes_out, parked, cancelled FROM pgml_fdw_stats();

-- anybody may look at his own session
CREATE ROLE conn_user;
SET ROLE conn_user;
SELECT count(*) FROM pgml_fdw_get_connections(true);
SELECT pgml_fdw_disconnect_all();
RESET ROLE;

SET client_min_messages = warning;
DROP SERVER conn_a CASCADE;
DROP SERVER conn_b CASCADE;
DROP VIEW held, held_checked;
DROP SCHEMA connections_a, connections_b;
DROP ROLE conn_user;
