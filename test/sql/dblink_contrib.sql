-- One script that calls every function of contrib's dblink in every signature,
-- on contrib's and on ours, step by step: results and SQLSTATEs must be the same.
\getenv abs_srcdir PG_ABS_SRCDIR
\set remote_sql :abs_srcdir '/include/remote.psql'
\i :remote_sql
\connect :remote_db - :remote_host :remote_port
SET client_min_messages = warning;
DROP SCHEMA IF EXISTS theirs, ours CASCADE;
CREATE SCHEMA theirs;
CREATE SCHEMA ours;
CREATE TABLE theirs.t (id int PRIMARY KEY, name text, at date);
INSERT INTO theirs.t SELECT i, 'name ' || i, date '2024-01-01' + i FROM generate_series(1, 5) i;
CREATE TABLE ours.t (LIKE theirs.t INCLUDING ALL);
INSERT INTO ours.t TABLE theirs.t;

\connect :local_db - :local_host :local_port
SET client_min_messages = warning;
-- the wrapper dblink_fdw is ours here; contrib's extension wants to make its own
CREATE SCHEMA contrib_dblink;
\set VERBOSITY terse
CREATE EXTENSION dblink SCHEMA contrib_dblink;
\set VERBOSITY default
ALTER EXTENSION pgml_fdw DROP FOREIGN DATA WRAPPER dblink_fdw;
CREATE SERVER dblink_adopted FOREIGN DATA WRAPPER dblink_fdw
  OPTIONS (host :'remote_host', port :'remote_port', dbname :'remote_db');
DROP SERVER dblink_adopted;
DROP FOREIGN DATA WRAPPER dblink_fdw;
CREATE EXTENSION dblink SCHEMA contrib_dblink;
CREATE SERVER dblink_both FOREIGN DATA WRAPPER dblink_fdw
  OPTIONS (host :'remote_host', port :'remote_port', dbname :'remote_db');
CREATE USER MAPPING FOR CURRENT_USER SERVER dblink_both OPTIONS (user :'USER');
SELECT extnamespace::regnamespace AS home FROM pg_extension WHERE extname = 'pgml_fdw' \gset
CREATE SCHEMA dblink_keys;
CREATE TABLE dblink_keys."Two keys" (gone int, b text, "A" int, dropped int, c date, PRIMARY KEY ("A", b));
ALTER TABLE dblink_keys."Two keys" DROP COLUMN gone, DROP COLUMN dropped;
INSERT INTO dblink_keys."Two keys" VALUES ('it''s', 1, '2024-02-03'), (E'back\\slash', 2, NULL), ('x', 3, NULL);
CREATE TABLE dblink_keys.no_key (a int);
INSERT INTO dblink_keys.no_key VALUES (1), (1), (NULL);
CREATE TABLE dblink_keys.parted (a int, b int PRIMARY KEY) PARTITION BY RANGE (b);
CREATE VIEW dblink_keys.view AS TABLE dblink_keys.no_key;

-- SIDE is the remote schema, STRING a connection string.
CREATE TEMP TABLE step (n serial, sql text);
CREATE TEMP TABLE answer (n int, side text, answer text);
CREATE FUNCTION pg_temp.take_step(n int, side text, schema text, sql text, string text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE answer text; BEGIN
  PERFORM set_config('search_path', schema || ', pg_catalog', false);
  BEGIN
    EXECUTE format('SELECT coalesce(string_agg(r::text, '' ''), ''no rows'') FROM (%s) AS r',
      replace(replace(sql, 'SIDE', side), 'STRING', quote_literal(string))) INTO answer;
  EXCEPTION WHEN OTHERS OR query_canceled THEN answer := SQLSTATE;
  END;
  INSERT INTO pg_temp.answer VALUES (n, side, replace(answer, side, 'SIDE'));
END $$;

INSERT INTO step (sql) VALUES
-- connecting
  ($$SELECT dblink_get_connections()$$),
  ($$SELECT dblink_connect('nonsense')$$),
  ($$SELECT dblink_connect('a', 'host=/nowhere')$$),
  ($$SELECT dblink_disconnect()$$),
  ($$SELECT dblink_disconnect('a')$$),
  ($$SELECT dblink_connect(STRING)$$),
  ($$SELECT dblink_connect(STRING)$$),
  ($$SELECT dblink_connect('a', STRING)$$),
  ($$SELECT dblink_connect('a', STRING)$$),
  ($$SELECT dblink_connect('b', 'dblink_both')$$),
  ($$SELECT dblink_connect_u('c', STRING)$$),
  ($$SELECT dblink_connect_u('dblink_both')$$),
  ($$SELECT dblink_connect_u('no such thing')$$),
  ($$SELECT n FROM unnest(dblink_get_connections()) AS n ORDER BY 1$$),
  ($$SELECT dblink_disconnect('c')$$),
  ($$SELECT dblink_connect(NULL)$$),
-- dblink
  ($$SELECT * FROM dblink('SELECT id, name FROM SIDE.t WHERE id < 3 ORDER BY 1') AS t (id int, name text)$$),
  ($$SELECT * FROM dblink('SELECT * FROM SIDE.t WHERE id < 3 ORDER BY 1', true) AS t (id bigint, name varchar, at text)$$),
  ($$SELECT * FROM dblink('SELECT nope', true) AS t (id int)$$),
  ($$SELECT * FROM dblink('SELECT nope', false) AS t (id int)$$),
  ($$SELECT * FROM dblink('a', 'SELECT id FROM SIDE.t ORDER BY 1') AS t (id int)$$),
  ($$SELECT * FROM dblink('dblink_both', 'SELECT id FROM SIDE.t ORDER BY 1') AS t (id int)$$),
  ($$SELECT * FROM dblink(STRING, 'SELECT id FROM SIDE.t ORDER BY 1') AS t (id int)$$),
  ($$SELECT * FROM dblink('nobody', 'SELECT 1') AS t (id int)$$),
  ($$SELECT * FROM dblink('a', 'SELECT id FROM SIDE.t ORDER BY 1', true) AS t (id int)$$),
  ($$SELECT * FROM dblink('a', 'SELECT 1/0', false) AS t (id int)$$),
  ($$SELECT * FROM dblink('a', 'SELECT 1/0', true) AS t (id int)$$),
  ($$SELECT * FROM dblink('a', 'SELECT 1, 2') AS t (id int)$$),
  ($$SELECT * FROM dblink('a', 'SELECT ''x''') AS t (id int)$$),
  ($$SELECT * FROM dblink('a', 'SELECT 1 WHERE false') AS t (id int)$$),
  ($$SELECT * FROM dblink('a', 'SELECT 1 WHERE false') AS t (id int, more int)$$),
  ($$SELECT dblink('a', 'SELECT 1')$$),
  ($$SELECT dblink('a', 'SET work_mem = 999')$$),
  ($$SELECT * FROM dblink('a', 'CREATE TABLE SIDE.made (i int)') AS t (status text)$$),
  ($$SELECT * FROM dblink('a', 'DROP TABLE SIDE.made') AS t (status varchar)$$),
  ($$SELECT * FROM dblink('a', 'SET work_mem = 1000') AS t (status int)$$),
  ($$SELECT * FROM dblink('a', 'SET work_mem = 1000') AS t (status text, more text)$$),
  ($$SELECT * FROM dblink('a', 'SELECT 1; SELECT 2') AS t (id int)$$),
  ($$SELECT * FROM dblink('a', 'INSERT INTO SIDE.t VALUES (6, ''six'') RETURNING id; DELETE FROM SIDE.t WHERE id = 6') AS t (status text)$$),
  ($$SELECT * FROM dblink('a', 'INSERT INTO SIDE.t VALUES (6, ''six'') RETURNING id, name') AS t (id int, name text)$$),
  ($$SELECT * FROM ROWS FROM (dblink('a', 'SELECT 1') AS (i int), dblink('b', 'SELECT 2 UNION ALL SELECT 3') AS (j int)) WITH ORDINALITY$$),
  ($$SELECT * FROM dblink('a', 'SELECT id FROM SIDE.t ORDER BY 1') AS x (i int), dblink('a', 'SELECT id FROM SIDE.t ORDER BY 1 DESC') AS y (j int) WHERE i + 1 = j$$),
  ($$SELECT * FROM dblink(NULL, 'SELECT 1') AS t (id int)$$),
  ($$SELECT * FROM dblink('a', '') AS t (status text)$$),
  ($$SELECT * FROM dblink('a', ' -- nothing', false) AS t (status text)$$),
  ($$SELECT * FROM dblink('dblink_both', ';') AS t (status text)$$),
-- what can't be taken in here has been done there all the same
  ($$SELECT * FROM dblink('a', 'INSERT INTO SIDE.t SELECT i, repeat(''x'', 200) FROM generate_series(1001, 20000) i RETURNING id, name') AS t (id int, name date)$$),
  ($$SELECT * FROM dblink('a', 'DELETE FROM SIDE.t WHERE id > 1000') AS t (status text)$$),
  ($$SELECT * FROM dblink('dblink_both', 'INSERT INTO SIDE.t SELECT i, repeat(''x'', 200) FROM generate_series(1001, 20000) i RETURNING id, name') AS t (id int)$$),
  ($$SELECT * FROM dblink('a', 'DELETE FROM SIDE.t WHERE id > 1000') AS t (status text)$$),
  ($$SELECT * FROM dblink(STRING, 'INSERT INTO SIDE.t SELECT i, repeat(''x'', 200) FROM generate_series(1001, 20000) i RETURNING id, name', false) AS t (id date, name text)$$),
  ($$SELECT * FROM dblink('a', 'DELETE FROM SIDE.t WHERE id > 1000') AS t (status text)$$),
  ($$SELECT dblink_current_query() IS NOT NULL$$),
-- dblink_exec
  ($$SELECT dblink_exec('INSERT INTO SIDE.t VALUES (7)')$$),
  ($$SELECT dblink_exec('INSERT INTO SIDE.t VALUES (7)')$$),
  ($$SELECT dblink_exec('INSERT INTO SIDE.t VALUES (7)', false)$$),
  ($$SELECT dblink_exec('DELETE FROM SIDE.t WHERE id = 7', true)$$),
  ($$SELECT dblink_exec('a', 'UPDATE SIDE.t SET name = name')$$),
  ($$SELECT dblink_exec('dblink_both', 'UPDATE SIDE.t SET name = name WHERE id = 1')$$),
  ($$SELECT dblink_exec(STRING, 'UPDATE SIDE.t SET name = name WHERE false')$$),
  ($$SELECT dblink_exec('a', 'SELECT 1')$$),
  ($$SELECT dblink_exec('a', 'SELECT 1', false)$$),
  ($$SELECT dblink_exec('a', 'bad', false)$$),
  ($$SELECT dblink_exec('a', 'bad', true)$$),
  ($$SELECT dblink_exec('a', 'BEGIN; DELETE FROM SIDE.t; ROLLBACK')$$),
  ($$SELECT dblink_exec('a', '')$$),
  ($$SELECT dblink_exec('a', '', false)$$),
-- cursors
  ($$SELECT dblink_open('c1', 'SELECT id, name FROM SIDE.t ORDER BY 1')$$),
  ($$SELECT * FROM dblink_fetch('c1', 2) AS t (id int, name text)$$),
  ($$SELECT * FROM dblink_fetch('c1', 2, true) AS t (id int, name text)$$),
  ($$SELECT * FROM dblink_fetch('c1', 0) AS t (id int, name text)$$),
  ($$SELECT * FROM dblink_fetch('c1', 100) AS t (id int)$$),
  ($$SELECT dblink_open('c1', 'SELECT 1')$$),
  ($$SELECT dblink_close('c1')$$),
  ($$SELECT dblink_exec('ROLLBACK')$$),
  ($$SELECT dblink_open('c1', 'SELECT 1')$$),
  ($$SELECT dblink_close('c1')$$),
  ($$SELECT dblink_open('c1', 'SELECT 1', true)$$),
  ($$SELECT dblink_open('c2', 'SELECT 2', false)$$),
  ($$SELECT dblink_close('c1', true)$$),
  ($$SELECT * FROM dblink_fetch('c2', 9) AS t (id int)$$),
  ($$SELECT dblink_close('c2', false)$$),
  ($$SELECT dblink_open('c3', 'bad', false)$$),
  ($$SELECT dblink_open('c3', 'SELECT 3', false)$$),
  ($$SELECT * FROM dblink_fetch('c3', 1, false) AS t (id int)$$),
  ($$SELECT dblink_close('c3', false)$$),
  ($$SELECT dblink_exec('ABORT')$$),
  ($$SELECT dblink_open('a', 'c1', 'SELECT id FROM SIDE.t ORDER BY 1')$$),
  ($$SELECT dblink_open('a', 'c2', 'SELECT id FROM SIDE.t ORDER BY 1 DESC', true)$$),
  ($$SELECT * FROM dblink('a', 'SELECT count(*) FROM pg_cursors') AS t (n int)$$),
  ($$SELECT * FROM dblink_fetch('a', 'c1', 3) AS t (id int)$$),
  ($$SELECT * FROM dblink_fetch('a', 'c2', 1, false) AS t (id int)$$),
  ($$SELECT * FROM dblink_fetch('a', 'c2', 1000) AS t (id int) LIMIT 1$$),
  ($$SELECT * FROM dblink_fetch('a', 'c2', 1) AS t (id int)$$),
  ($$SELECT dblink_close('a', 'c1')$$),
  ($$SELECT dblink_close('a', 'c2', true)$$),
  ($$SELECT * FROM dblink('a', 'SELECT now() = statement_timestamp()') AS t (autocommit bool)$$),
  ($$SELECT dblink_exec('a', 'BEGIN')$$),
  ($$SELECT dblink_open('a', 'c1', 'SELECT 1')$$),
  ($$SELECT dblink_close('a', 'c1')$$),
  ($$SELECT dblink_exec('a', 'DECLARE c9 CURSOR FOR SELECT 9')$$),
  ($$SELECT * FROM dblink_fetch('a', 'c9', 1) AS t (id int)$$),
  ($$SELECT dblink_exec('a', 'COMMIT')$$),
  ($$SELECT dblink_close('a', 'nope')$$),
  ($$SELECT dblink_close('nope')$$),
  ($$SELECT dblink_open('nobody', 'c', 'SELECT 1')$$),
  ($$SELECT * FROM dblink_fetch('nobody', 'c', 1) AS t (id int)$$),
  ($$SELECT * FROM dblink_fetch('nope', 1) AS t (id int)$$),
  ($$SELECT * FROM dblink_fetch('nope', 1, false) AS t (id int)$$),
  ($$SELECT dblink_close('nobody', 'c')$$),
-- whatever becomes of the rows here, the cursor has moved
  ($$SELECT dblink_open('a', 'big', 'SELECT i, repeat(''x'', 200) FROM generate_series(1, 100000) i')$$),
  ($$SELECT i FROM dblink_fetch('a', 'big', 20000) AS t (i int, x text) LIMIT 2$$),
  ($$SELECT i FROM dblink_fetch('a', 'big', 1) AS t (i int, x text)$$),
  ($$SELECT i FROM dblink_fetch('a', 'big', 20000) AS t (i int, x date)$$),
  ($$SELECT i FROM dblink_fetch('a', 'big', 1) AS t (i int, x text)$$),
  ($$SELECT 1 / (i - 40010) FROM dblink_fetch('a', 'big', 20000) AS t (i int, x text)$$),
  ($$SELECT i FROM dblink_fetch('a', 'big', 1) AS t (i int, x text)$$),
  ($$SELECT i FROM dblink_fetch('a', 'big', 20000) AS t (i int)$$),
  ($$SELECT i FROM dblink_fetch('a', 'big', 1, true) AS t (i int, x text)$$),
  ($$SELECT i FROM dblink_fetch('a', 'big', 5, false) AS t (i int, x date)$$),
  ($$SELECT i FROM dblink_fetch('a', 'big', 1, false) AS t (i int, x text)$$),
  ($$SELECT dblink_fetch('a', 'big', 1)$$),
  ($$SELECT x.i, y.i FROM dblink_fetch('a', 'big', 2) AS x (i int, x text), dblink_fetch('a', 'big', 2) AS y (i int, x text) ORDER BY 1, 2$$),
  ($$SELECT x, y.i FROM generate_series(1, 3) x, LATERAL dblink_fetch('a', 'big', x) AS y (i int, x text)$$),
  ($$SELECT o, i FROM ROWS FROM (dblink_fetch('a', 'big', 2) AS (i int, x text)) WITH ORDINALITY AS t (i, x, o)$$),
  ($$SELECT i FROM dblink_fetch('a', 'big', 0) AS t (i int, x text)$$),
  ($$SELECT i FROM dblink_fetch('a', 'big', -1) AS t (i int, x text)$$),
  ($$SELECT i FROM dblink_fetch('a', 'big', 1) AS t (i int, x text)$$),
  ($$SELECT dblink_close('a', 'big')$$),
  ($$SELECT * FROM dblink('a', 'SELECT count(*) FROM pg_cursors') AS t (n int)$$),
-- asynchronous queries
  ($$SELECT dblink_is_busy('a')$$),
  ($$SELECT * FROM dblink_get_result('a') AS t (id int)$$),
  ($$SELECT dblink_send_query('a', 'SELECT id FROM SIDE.t ORDER BY 1; SELECT 42; SET work_mem = 1001')$$),
  ($$SELECT dblink_send_query('a', 'SELECT 1')$$),
  ($$SELECT dblink_exec('a', 'SELECT 1')$$),
  ($$SELECT * FROM dblink_get_result('a') AS t (id int)$$),
  ($$SELECT * FROM dblink_get_result('a', true) AS t (id int)$$),
  ($$SELECT * FROM dblink_get_result('a') AS t (status text)$$),
  ($$SELECT * FROM dblink_get_result('a') AS t (id int)$$),
  ($$SELECT dblink_is_busy('a')$$),
  ($$SELECT dblink_send_query('a', 'SELECT 1 / (id - 3) FROM SIDE.t')$$),
  ($$SELECT * FROM dblink_get_result('a', false) AS t (id int)$$),
  ($$SELECT dblink_error_message('a')$$),
  ($$SELECT * FROM dblink_get_result('a') AS t (id int)$$),
  ($$SELECT dblink_send_query('a', 'SELECT 1 / 0')$$),
  ($$SELECT * FROM dblink_get_result('a') AS t (id int)$$),
  ($$SELECT * FROM dblink_get_result('a') AS t (id int)$$),
  ($$SELECT dblink_send_query('a', 'SELECT id FROM SIDE.t ORDER BY 1; SELECT ''next''')$$),
  ($$SELECT * FROM dblink_get_result('a') AS t (id date)$$),
  ($$SELECT * FROM dblink_get_result('a') AS t (next text)$$),
  ($$SELECT * FROM dblink_get_result('a') AS t (next text)$$),
  ($$SELECT dblink_send_query('a', 'SELECT id FROM SIDE.t ORDER BY 1; SELECT ''next''')$$),
  ($$SELECT * FROM dblink_get_result('a') AS t (id int) LIMIT 2$$),
  ($$SELECT * FROM dblink_get_result('a') AS t (next text)$$),
  ($$SELECT * FROM dblink_get_result('a') AS t (next text)$$),
  ($$SELECT dblink_send_query('a', 'SELECT i, repeat(''x'', 200) FROM generate_series(1, 50000) i; SELECT ''next''')$$),
  ($$SELECT i FROM dblink_get_result('a') AS t (i int, x text) LIMIT 2$$),
  ($$SELECT dblink_send_query('a', 'SELECT 1')$$),
  ($$SELECT * FROM dblink_get_result('a') AS t (next text)$$),
  ($$SELECT dblink_is_busy('a')$$),
  ($$SELECT * FROM dblink_get_result('a') AS t (next text)$$),
  ($$SELECT dblink_send_query('a', 'SELECT i, repeat(''x'', 200) FROM generate_series(1, 50000) i; SELECT ''next'' WHERE false; SELECT ''last''')$$),
  ($$SELECT 1 / (i - 3) FROM dblink_get_result('a') AS t (i int, x text)$$),
  ($$SELECT * FROM dblink_get_result('a') AS t (next text, more text)$$),
  ($$SELECT * FROM dblink_get_result('a', true) AS t (last text)$$),
  ($$SELECT * FROM dblink_get_result('a', true) AS t (last text)$$),
  ($$SELECT dblink_send_query('a', 'SELECT 1 / (40000 - i), repeat(''x'', 200) FROM generate_series(1, 50000) i; SELECT 2')$$),
  ($$SELECT i FROM dblink_get_result('a') AS t (i int, x text) LIMIT 2$$),
  ($$SELECT i FROM dblink_get_result('a') AS t (i int)$$),
  ($$SELECT dblink_send_query('a', 'SELECT 1 / (40000 - i), repeat(''x'', 200) FROM generate_series(1, 50000) i; SELECT 2')$$),
  ($$SELECT i FROM dblink_get_result('a', false) AS t (i int, x text) LIMIT 2$$),
  ($$SELECT i FROM dblink_get_result('a') AS t (i int)$$),
  ($$SELECT dblink_send_query('a', 'INSERT INTO SIDE.t SELECT i, repeat(''x'', 200) FROM generate_series(1001, 20000) i RETURNING id, name')$$),
  ($$SELECT id FROM dblink_get_result('a') AS t (id int, name text) LIMIT 1$$),
  ($$SELECT id FROM dblink_get_result('a') AS t (id int)$$),
  ($$SELECT * FROM dblink('a', 'DELETE FROM SIDE.t WHERE id > 1000') AS t (status text)$$),
  ($$SELECT dblink_send_query('a', 'SELECT id FROM SIDE.t WHERE id < 3 ORDER BY 1; SELECT id + 2 FROM SIDE.t WHERE id < 3 ORDER BY 1; SELECT 5')$$),
  ($$SELECT * FROM dblink_get_result('a') AS x (i int), dblink_get_result('a') AS y (i int) WHERE abs(x.i - y.i) = 2 ORDER BY 1$$),
  ($$SELECT dblink_cancel_query('a')$$),
  ($$SELECT * FROM dblink_get_result('a') AS t (id int)$$),
  ($$SELECT * FROM dblink_get_result('a') AS t (id int)$$),
  ($$SELECT dblink_send_query('a', '')$$),
  ($$SELECT * FROM dblink_get_result('a') AS t (id int)$$),
  ($$SELECT * FROM dblink_get_result('a') AS t (id int)$$),
  ($$SELECT dblink_send_query('a', '')$$),
  ($$SELECT * FROM dblink_get_result('a', false) AS t (id int)$$),
  ($$SELECT * FROM dblink_get_result('a', false) AS t (id int)$$),
  ($$SELECT dblink_send_query('a', 'SELECT 1')$$),
  ($$SELECT dblink_open('a', 'c', 'SELECT 1')$$),
  ($$SELECT * FROM dblink_fetch('a', 'c', 1) AS t (id int)$$),
  ($$SELECT dblink_close('a', 'c')$$),
  ($$SELECT dblink_get_result('a')$$),
  ($$SELECT * FROM dblink_get_result('a') AS t (id int)$$),
  ($$SELECT * FROM dblink('a', 'SELECT 1') AS t (still_works int)$$),
-- contrib's dblink() throws the results away, too
  ($$SELECT dblink_send_query('a', 'SELECT 1')$$),
  ($$SELECT * FROM dblink('a', 'SELECT 1') AS t (id int)$$),
  ($$SELECT count(*) >= 0 FROM dblink_get_result('a') AS t (id int)$$),
  ($$SELECT * FROM dblink_get_result('a') AS t (id int)$$),
  ($$SELECT dblink_send_query('a', 'SELECT pg_sleep(60)')$$),
  ($$SELECT dblink_is_busy('a')$$),
  ($$SELECT dblink_cancel_query('a')$$),
  ($$SELECT * FROM dblink_get_result('a') AS t (x text)$$),
  ($$SELECT * FROM dblink_get_result('a') AS t (x text)$$),
  ($$SELECT dblink_cancel_query('a')$$),
  ($$SELECT * FROM dblink('a', 'SELECT 1') AS t (still_works int)$$),
  ($$SELECT dblink_error_message('a')$$),
  ($$SELECT dblink_send_query('nobody', 'SELECT 1')$$),
  ($$SELECT dblink_is_busy('nobody')$$),
  ($$SELECT * FROM dblink_get_result('nobody') AS t (id int)$$),
  ($$SELECT * FROM dblink_get_result('nobody', false) AS t (id int)$$),
  ($$SELECT dblink_cancel_query('nobody')$$),
  ($$SELECT dblink_error_message('nobody')$$),
-- notifications
  ($$SELECT dblink_exec('LISTEN "SIDE"')$$),
  ($$SELECT dblink_exec('a', 'LISTEN "SIDE"')$$),
  ($$SELECT * FROM dblink_get_notify()$$),
  ($$SELECT dblink_exec('NOTIFY "SIDE"')$$),
  ($$SELECT * FROM dblink('SELECT pg_notify(''SIDE'', ''payload'')') AS t (x text)$$),
  ($$SELECT notify_name, be_pid > 0, extra FROM dblink_get_notify()$$),
  ($$SELECT * FROM dblink_get_notify()$$),
  ($$SELECT * FROM dblink('a', 'SELECT 1') AS t (i int)$$),
  ($$SELECT notify_name, be_pid > 0, extra FROM dblink_get_notify('a')$$),
  ($$SELECT * FROM dblink_get_notify('nobody')$$),
-- keys
  ($$SELECT * FROM dblink_get_pkey('dblink_keys."Two keys"')$$),
  ($$SELECT * FROM dblink_get_pkey('dblink_keys.no_key')$$),
  ($$SELECT * FROM dblink_get_pkey('dblink_keys.parted')$$),
  ($$SELECT * FROM dblink_get_pkey('dblink_keys.view')$$),
  ($$SELECT * FROM dblink_get_pkey('dblink_keys.nope')$$),
  ($$SELECT pg_typeof(k)::text LIKE '%dblink_pkey_results', k.position FROM dblink_get_pkey('dblink_keys.parted') k$$),
  ($$SELECT dblink_build_sql_insert('dblink_keys."Two keys"', '2 1', 2, '{1,it''s}', '{9,nine}')$$),
  ($$SELECT dblink_build_sql_insert('dblink_keys."Two keys"', '1 2', 2, '{"back\\slash",2}', '{"a\\b",NULL}')$$),
  ($$SELECT dblink_build_sql_update('dblink_keys."Two keys"', '2 1', 2, '{1,it''s}', '{9,NULL}')$$),
  ($$SELECT dblink_build_sql_update('dblink_keys."Two keys"', '2', 1, '{3}', '{4}')$$),
  ($$SELECT dblink_build_sql_delete('dblink_keys."Two keys"', '2 1', 2, '{1,it''s}')$$),
  ($$SELECT dblink_build_sql_delete('dblink_keys."Two keys"', '3', 1, '{NULL}')$$),
  ($$SELECT dblink_build_sql_delete('dblink_keys."Two keys"', '1 2 3', 2, '{a,b}')$$),
  ($$SELECT dblink_build_sql_delete('dblink_keys."Two keys"', '4', 1, '{a}')$$),
  ($$SELECT dblink_build_sql_delete('dblink_keys."Two keys"', '0', 1, '{a}')$$),
  ($$SELECT dblink_build_sql_delete('dblink_keys."Two keys"', '-1', 1, '{a}')$$),
  ($$SELECT dblink_build_sql_delete('dblink_keys."Two keys"', '1', 0, '{a}')$$),
  ($$SELECT dblink_build_sql_delete('dblink_keys."Two keys"', '1', -3, '{a}')$$),
  ($$SELECT dblink_build_sql_delete('dblink_keys."Two keys"', '', 1, '{a}')$$),
  ($$SELECT dblink_build_sql_delete('dblink_keys."Two keys"', '1 2', 2, '{a}')$$),
  ($$SELECT dblink_build_sql_insert('dblink_keys."Two keys"', '1 2', 2, '{a,b}', '{a}')$$),
  ($$SELECT dblink_build_sql_insert('dblink_keys."Two keys"', '1 2', 2, '{a}', '{a,b}')$$),
  ($$SELECT dblink_build_sql_update('dblink_keys."Two keys"', '1 2', 2, '{a,b,c}', '{a,b}')$$),
  ($$SELECT dblink_build_sql_insert('dblink_keys."Two keys"', '2', 1, '{99}', '{1}')$$),
  ($$SELECT dblink_build_sql_update('dblink_keys."Two keys"', '2', 1, '{99}', '{1}')$$),
  ($$SELECT dblink_build_sql_insert('dblink_keys.no_key', '1', 1, '{1}', '{1}')$$),
  ($$SELECT dblink_build_sql_update('dblink_keys.no_key', '1', 1, '{NULL}', '{1}')$$),
  ($$SELECT dblink_build_sql_insert('dblink_keys.nope', '1', 1, '{1}', '{1}')$$),
  ($$SELECT dblink_build_sql_insert('pg_class', '1', 1, '{x}', '{1}')$$),
-- what has been done there, and the end
  ($$SELECT * FROM dblink('a', 'SELECT * FROM SIDE.t ORDER BY 1') AS t (id int, name text, at date)$$),
  ($$SELECT * FROM dblink('a', 'SELECT pg_terminate_backend(pg_backend_pid())') AS t (x bool)$$),
  ($$SELECT dblink_exec('a', 'SELECT 1')$$),
  ($$SELECT dblink_send_query('a', 'SELECT 1')$$),
  ($$SELECT dblink_is_busy('a')$$),
  ($$SELECT dblink_disconnect('a')$$),
  ($$SELECT dblink_disconnect('b')$$),
  ($$SELECT dblink_disconnect()$$),
  ($$SELECT * FROM dblink_get_notify()$$),
  ($$SELECT dblink_get_connections()$$);

SET client_min_messages = notice;
SET track_functions = 'all';
\set VERBOSITY sqlstate
SELECT format('host=%s port=%s dbname=%s user=%s', :'remote_host', :'remote_port', :'remote_db', :'USER') AS conninfo \gset
SELECT count(*) AS steps FROM (
  SELECT pg_temp.take_step(n, side, schema, sql, :'conninfo')
  FROM (SELECT * FROM step, (VALUES ('theirs', 'contrib_dblink'), ('ours', :'home')) AS s (side, schema) ORDER BY n, side DESC) AS s) AS t;
RESET search_path;
\set VERBOSITY default
-- the differences: there are none
SELECT n, sql, t.answer AS theirs, o.answer AS ours FROM step JOIN answer t USING (n) JOIN answer o USING (n)
  WHERE t.side = 'theirs' AND o.side = 'ours' AND t.answer IS DISTINCT FROM o.answer ORDER BY n;
-- and each function of theirs has been called, in each signature
SELECT pg_stat_force_next_flush();
SELECT p.oid::regprocedure FROM pg_proc p WHERE pronamespace = 'contrib_dblink'::regnamespace
  AND proname <> 'dblink_fdw_validator' AND coalesce(pg_stat_get_function_calls(oid), 0) = 0;
SELECT t.proname, pg_get_function_arguments(t.oid), pg_get_function_result(t.oid) FROM pg_proc t
  WHERE t.pronamespace = 'contrib_dblink'::regnamespace AND NOT EXISTS (SELECT FROM pg_proc o
    WHERE o.pronamespace = :'home'::regnamespace AND o.proname = t.proname AND o.proisstrict = t.proisstrict AND o.provolatile = t.provolatile AND o.proparallel = t.proparallel
    AND oidvectortypes(o.proargtypes) = oidvectortypes(t.proargtypes) AND o.proretset = t.proretset
    AND o.prorettype::regtype::text = replace(t.prorettype::regtype::text, 'contrib_dblink.', ''));

SET client_min_messages = warning;
DROP SCHEMA dblink_keys CASCADE;
DROP SERVER dblink_both CASCADE;
DROP EXTENSION dblink;
DROP SCHEMA contrib_dblink;
CREATE FOREIGN DATA WRAPPER dblink_fdw VALIDATOR dblink_fdw_validator;
ALTER EXTENSION pgml_fdw ADD FOREIGN DATA WRAPPER dblink_fdw;
