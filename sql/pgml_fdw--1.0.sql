/* sql/pgml_fdw--1.0.sql */

-- complain if the script is sourced in psql, rather than via CREATE EXTENSION
\echo Use "CREATE EXTENSION pgml_fdw" to load this file. \quit

--
-- The foreign data wrapper
--

CREATE FUNCTION pgml_fdw_handler()
RETURNS pg_catalog.fdw_handler
AS 'MODULE_PATHNAME'
LANGUAGE C STRICT;

CREATE FUNCTION pgml_fdw_validator(options pg_catalog.text[], catalog pg_catalog.oid)
RETURNS pg_catalog.void
AS 'MODULE_PATHNAME'
LANGUAGE C STRICT;

CREATE FOREIGN DATA WRAPPER pgml_fdw
  HANDLER pgml_fdw_handler
  VALIDATOR pgml_fdw_validator;
COMMENT ON FOREIGN DATA WRAPPER pgml_fdw IS
'tables of another PostgreSQL database, by libpq';

--
-- Connections that foreign tables keep open
--

CREATE FUNCTION pgml_fdw_get_connections(
    check_conn pg_catalog.bool DEFAULT false,
    OUT server_name pg_catalog.text,
    OUT user_name pg_catalog.text,
    OUT valid pg_catalog.bool,
    OUT used_in_xact pg_catalog.bool,
    OUT closed pg_catalog.bool,
    OUT remote_backend_pid pg_catalog.int4)
RETURNS SETOF pg_catalog.record
AS 'MODULE_PATHNAME'
LANGUAGE C STRICT PARALLEL RESTRICTED;
COMMENT ON FUNCTION pgml_fdw_get_connections(pg_catalog.bool) IS
'connections that this session keeps open; check_conn true looks whether the remote has closed them';

CREATE FUNCTION pgml_fdw_disconnect(server_name pg_catalog.text)
RETURNS pg_catalog.bool
AS 'MODULE_PATHNAME'
LANGUAGE C STRICT PARALLEL RESTRICTED;
COMMENT ON FUNCTION pgml_fdw_disconnect(pg_catalog.text) IS
'close the connections of this session with one server; true if there was any';

CREATE FUNCTION pgml_fdw_disconnect_all()
RETURNS pg_catalog.bool
AS 'MODULE_PATHNAME'
LANGUAGE C STRICT PARALLEL RESTRICTED;
COMMENT ON FUNCTION pgml_fdw_disconnect_all() IS
'close all connections of this session; true if there was any';

CREATE FUNCTION pgml_fdw_stats(
    OUT connects pg_catalog.int8,
    OUT messages pg_catalog.int8,
    OUT round_trips pg_catalog.int8,
    OUT rows_in pg_catalog.int8,
    OUT bytes_in pg_catalog.int8,
    OUT rows_out pg_catalog.int8,
    OUT bytes_out pg_catalog.int8,
    OUT parked pg_catalog.int8,
    OUT cancelled pg_catalog.int8)
RETURNS pg_catalog.record
AS 'MODULE_PATHNAME'
LANGUAGE C STRICT PARALLEL RESTRICTED;
COMMENT ON FUNCTION pgml_fdw_stats() IS
'exact counts of what this session has sent and received since it began';

--
-- Following the remote
--

CREATE FUNCTION pgml_fdw_refresh_schema(
    local_schema pg_catalog.name,
    dry_run pg_catalog.bool DEFAULT true,
    new_tables pg_catalog.bool DEFAULT true,
    OUT object pg_catalog.text,
    OUT difference pg_catalog.text,
    OUT command pg_catalog.text,
    OUT problem pg_catalog.text)
RETURNS SETOF pg_catalog.record
AS 'MODULE_PATHNAME'
LANGUAGE C STRICT;
COMMENT ON FUNCTION pgml_fdw_refresh_schema(pg_catalog.name, pg_catalog.bool, pg_catalog.bool) IS
'how the foreign tables of a schema differ from the remote''s tables, with the commands that mend it; dry_run false runs them';

--
-- Moving over from postgres_fdw, and back
--

CREATE FUNCTION pgml_fdw_adopt(fdw_name pg_catalog.name)
RETURNS pg_catalog.void
AS 'MODULE_PATHNAME'
LANGUAGE C STRICT;
COMMENT ON FUNCTION pgml_fdw_adopt(pg_catalog.name) IS
'let pgml_fdw serve the servers and tables of another wrapper, postgres_fdw''s';

CREATE FUNCTION pgml_fdw_release(fdw_name pg_catalog.name)
RETURNS pg_catalog.void
AS 'MODULE_PATHNAME'
LANGUAGE C STRICT;
COMMENT ON FUNCTION pgml_fdw_release(pg_catalog.name) IS
'give an adopted wrapper back to postgres_fdw';

CREATE FUNCTION pgml_fdw_migrate(server_name pg_catalog.name)
RETURNS SETOF pg_catalog.text
AS 'MODULE_PATHNAME'
LANGUAGE C STRICT;
COMMENT ON FUNCTION pgml_fdw_migrate(pg_catalog.name) IS
'the DDL that moves a postgres_fdw server, its user mappings and foreign tables over to pgml_fdw, a statement a row';

--
-- Copying whole tables
--

CREATE FUNCTION pgml_fdw_pull(
    server pg_catalog.name,
    source pg_catalog.text,
    target pg_catalog.text,
    mode pg_catalog.text DEFAULT 'append',
    key pg_catalog.name[] DEFAULT NULL,
    columns pg_catalog.name[] DEFAULT NULL,
    filter pg_catalog.text DEFAULT NULL,
    jobs pg_catalog.int4 DEFAULT 1,
    truncate pg_catalog.bool DEFAULT false,
    create_target pg_catalog.bool DEFAULT false)
RETURNS pg_catalog.int8
AS 'MODULE_PATHNAME'
LANGUAGE C PARALLEL UNSAFE;
COMMENT ON FUNCTION pgml_fdw_pull(pg_catalog.name, pg_catalog.text, pg_catalog.text, pg_catalog.text,
  pg_catalog.name[], pg_catalog.name[], pg_catalog.text, pg_catalog.int4, pg_catalog.bool, pg_catalog.bool) IS
'copy a remote table, or a query in parentheses, into a local table; returns the number of rows';

CREATE FUNCTION pgml_fdw_pull(
    server pg_catalog.name,
    source pg_catalog.text,
    target pg_catalog.regclass,
    mode pg_catalog.text DEFAULT 'append',
    key pg_catalog.name[] DEFAULT NULL,
    columns pg_catalog.name[] DEFAULT NULL,
    filter pg_catalog.text DEFAULT NULL,
    jobs pg_catalog.int4 DEFAULT 1,
    truncate pg_catalog.bool DEFAULT false)
RETURNS pg_catalog.int8
AS 'MODULE_PATHNAME', 'pgml_fdw_pull_regclass'
LANGUAGE C PARALLEL UNSAFE;
COMMENT ON FUNCTION pgml_fdw_pull(pg_catalog.name, pg_catalog.text, pg_catalog.regclass, pg_catalog.text,
  pg_catalog.name[], pg_catalog.name[], pg_catalog.text, pg_catalog.int4, pg_catalog.bool) IS
'copy a remote table, or a query in parentheses, into a local table; returns the number of rows';

CREATE PROCEDURE pgml_fdw_pull_schema(
    server pg_catalog.name,
    remote_schema pg_catalog.text,
    local_schema pg_catalog.name,
    limit_to pg_catalog.name[] DEFAULT NULL,
    exclude pg_catalog.name[] DEFAULT NULL,
    jobs pg_catalog.int4 DEFAULT 1,
    on_error pg_catalog.text DEFAULT 'stop',
    one_snapshot pg_catalog.bool DEFAULT true)
AS 'MODULE_PATHNAME'
LANGUAGE C;
COMMENT ON PROCEDURE pgml_fdw_pull_schema(pg_catalog.name, pg_catalog.text, pg_catalog.name, pg_catalog.name[],
  pg_catalog.name[], pg_catalog.int4, pg_catalog.text, pg_catalog.bool) IS
'copy every table of a remote schema into a local one, each in a transaction of its own; a second call goes on with the rest';

CREATE FUNCTION pgml_fdw_push(
    server pg_catalog.name,
    source pg_catalog.text,
    target pg_catalog.text,
    mode pg_catalog.text DEFAULT 'append',
    key pg_catalog.name[] DEFAULT NULL,
    columns pg_catalog.name[] DEFAULT NULL,
    filter pg_catalog.text DEFAULT NULL,
    jobs pg_catalog.int4 DEFAULT 1,
    truncate pg_catalog.bool DEFAULT false,
    lock_timeout pg_catalog.text DEFAULT '10s')
RETURNS pg_catalog.int8
AS 'MODULE_PATHNAME'
LANGUAGE C PARALLEL UNSAFE;
COMMENT ON FUNCTION pgml_fdw_push(pg_catalog.name, pg_catalog.text, pg_catalog.text, pg_catalog.text,
  pg_catalog.name[], pg_catalog.name[], pg_catalog.text, pg_catalog.int4, pg_catalog.bool, pg_catalog.text) IS
'copy a local table, or a query in parentheses, into a remote table; returns the number of rows';

CREATE FUNCTION pgml_fdw_upsert(
    target pg_catalog.regclass,
    source pg_catalog.text,
    key pg_catalog.name[] DEFAULT NULL,
    OUT inserted pg_catalog.int8,
    OUT updated pg_catalog.int8)
RETURNS pg_catalog.record
AS 'MODULE_PATHNAME'
LANGUAGE C PARALLEL UNSAFE;
COMMENT ON FUNCTION pgml_fdw_upsert(pg_catalog.regclass, pg_catalog.text, pg_catalog.name[]) IS
'merge rows of a local table, or of a query in parentheses, into a foreign table by key';

--
-- SQL of the user on a foreign server
--

-- brings the library in before a query is planned whose functions it can stream
CREATE FUNCTION pgml_fdw_answer_support(pg_catalog.internal)
RETURNS pg_catalog.internal
AS 'MODULE_PATHNAME'
LANGUAGE C STRICT;

CREATE FUNCTION pgml_fdw_query(server_name pg_catalog.text, sql pg_catalog.text)
RETURNS SETOF pg_catalog.record
AS 'MODULE_PATHNAME'
LANGUAGE C PARALLEL RESTRICTED SUPPORT pgml_fdw_answer_support;
COMMENT ON FUNCTION pgml_fdw_query(pg_catalog.text, pg_catalog.text) IS
'rows of SQL that runs on a foreign server, inside this transaction';

-- VARIADIC "any" wants at least one
CREATE FUNCTION pgml_fdw_query(server_name pg_catalog.text, sql pg_catalog.text, VARIADIC params pg_catalog."any")
RETURNS SETOF pg_catalog.record
AS 'MODULE_PATHNAME'
LANGUAGE C PARALLEL RESTRICTED SUPPORT pgml_fdw_answer_support;
COMMENT ON FUNCTION pgml_fdw_query(pg_catalog.text, pg_catalog.text, pg_catalog."any") IS
'rows of SQL with parameters $1, $2 ... that runs on a foreign server, inside this transaction';

CREATE FUNCTION pgml_fdw_exec(server_name pg_catalog.text, sql pg_catalog.text)
RETURNS pg_catalog.int8
AS 'MODULE_PATHNAME'
LANGUAGE C PARALLEL RESTRICTED;
COMMENT ON FUNCTION pgml_fdw_exec(pg_catalog.text, pg_catalog.text) IS
'run a command on a foreign server, inside this transaction; the number of rows that it has changed';

CREATE FUNCTION pgml_fdw_exec(server_name pg_catalog.text, sql pg_catalog.text, VARIADIC params pg_catalog."any")
RETURNS pg_catalog.int8
AS 'MODULE_PATHNAME'
LANGUAGE C PARALLEL RESTRICTED;
COMMENT ON FUNCTION pgml_fdw_exec(pg_catalog.text, pg_catalog.text, pg_catalog."any") IS
'run a command with parameters $1, $2 ... on a foreign server, inside this transaction; the number of rows that it has changed';

CREATE FUNCTION pgml_fdw_describe(
    server_name pg_catalog.text,
    sql pg_catalog.text,
    OUT ordinal pg_catalog.int4,
    OUT column_name pg_catalog.text,
    OUT type_name pg_catalog.text,
    OUT column_list pg_catalog.text)
RETURNS SETOF pg_catalog.record
AS 'MODULE_PATHNAME'
LANGUAGE C STRICT PARALLEL RESTRICTED;
COMMENT ON FUNCTION pgml_fdw_describe(pg_catalog.text, pg_catalog.text) IS
'columns of a query on a foreign server, and a column definition list to put behind AS t';

--
-- dblink: the functions of contrib's dblink, which can be installed beside them in another schema
--

CREATE FUNCTION dblink_connect(pg_catalog.text)
RETURNS pg_catalog.text
AS 'MODULE_PATHNAME', 'pgml_dblink_connect'
LANGUAGE C STRICT PARALLEL RESTRICTED;

CREATE FUNCTION dblink_connect(pg_catalog.text, pg_catalog.text)
RETURNS pg_catalog.text
AS 'MODULE_PATHNAME', 'pgml_dblink_connect'
LANGUAGE C STRICT PARALLEL RESTRICTED;

CREATE FUNCTION dblink_connect_u(pg_catalog.text)
RETURNS pg_catalog.text
AS 'MODULE_PATHNAME', 'pgml_dblink_connect_u'
LANGUAGE C STRICT PARALLEL RESTRICTED;

CREATE FUNCTION dblink_connect_u(pg_catalog.text, pg_catalog.text)
RETURNS pg_catalog.text
AS 'MODULE_PATHNAME', 'pgml_dblink_connect_u'
LANGUAGE C STRICT PARALLEL RESTRICTED;

-- no password is asked for: for those only whom a superuser lets
REVOKE ALL ON FUNCTION dblink_connect_u(pg_catalog.text) FROM PUBLIC;
REVOKE ALL ON FUNCTION dblink_connect_u(pg_catalog.text, pg_catalog.text) FROM PUBLIC;

CREATE FUNCTION dblink_disconnect()
RETURNS pg_catalog.text
AS 'MODULE_PATHNAME', 'pgml_dblink_disconnect'
LANGUAGE C STRICT PARALLEL RESTRICTED;

CREATE FUNCTION dblink_disconnect(pg_catalog.text)
RETURNS pg_catalog.text
AS 'MODULE_PATHNAME', 'pgml_dblink_disconnect'
LANGUAGE C STRICT PARALLEL RESTRICTED;

CREATE FUNCTION dblink(pg_catalog.text)
RETURNS SETOF pg_catalog.record
AS 'MODULE_PATHNAME', 'pgml_dblink'
LANGUAGE C STRICT PARALLEL RESTRICTED SUPPORT pgml_fdw_answer_support;

CREATE FUNCTION dblink(pg_catalog.text, pg_catalog.text)
RETURNS SETOF pg_catalog.record
AS 'MODULE_PATHNAME', 'pgml_dblink'
LANGUAGE C STRICT PARALLEL RESTRICTED SUPPORT pgml_fdw_answer_support;

CREATE FUNCTION dblink(pg_catalog.text, pg_catalog.bool)
RETURNS SETOF pg_catalog.record
AS 'MODULE_PATHNAME', 'pgml_dblink'
LANGUAGE C STRICT PARALLEL RESTRICTED SUPPORT pgml_fdw_answer_support;

CREATE FUNCTION dblink(pg_catalog.text, pg_catalog.text, pg_catalog.bool)
RETURNS SETOF pg_catalog.record
AS 'MODULE_PATHNAME', 'pgml_dblink'
LANGUAGE C STRICT PARALLEL RESTRICTED SUPPORT pgml_fdw_answer_support;

CREATE FUNCTION dblink_exec(pg_catalog.text)
RETURNS pg_catalog.text
AS 'MODULE_PATHNAME', 'pgml_dblink_exec'
LANGUAGE C STRICT PARALLEL RESTRICTED;

CREATE FUNCTION dblink_exec(pg_catalog.text, pg_catalog.text)
RETURNS pg_catalog.text
AS 'MODULE_PATHNAME', 'pgml_dblink_exec'
LANGUAGE C STRICT PARALLEL RESTRICTED;

CREATE FUNCTION dblink_exec(pg_catalog.text, pg_catalog.bool)
RETURNS pg_catalog.text
AS 'MODULE_PATHNAME', 'pgml_dblink_exec'
LANGUAGE C STRICT PARALLEL RESTRICTED;

CREATE FUNCTION dblink_exec(pg_catalog.text, pg_catalog.text, pg_catalog.bool)
RETURNS pg_catalog.text
AS 'MODULE_PATHNAME', 'pgml_dblink_exec'
LANGUAGE C STRICT PARALLEL RESTRICTED;

CREATE FUNCTION dblink_open(pg_catalog.text, pg_catalog.text)
RETURNS pg_catalog.text
AS 'MODULE_PATHNAME', 'pgml_dblink_open_cursor'
LANGUAGE C STRICT PARALLEL RESTRICTED;

CREATE FUNCTION dblink_open(pg_catalog.text, pg_catalog.text, pg_catalog.bool)
RETURNS pg_catalog.text
AS 'MODULE_PATHNAME', 'pgml_dblink_open_cursor'
LANGUAGE C STRICT PARALLEL RESTRICTED;

CREATE FUNCTION dblink_open(pg_catalog.text, pg_catalog.text, pg_catalog.text)
RETURNS pg_catalog.text
AS 'MODULE_PATHNAME', 'pgml_dblink_open_cursor'
LANGUAGE C STRICT PARALLEL RESTRICTED;

CREATE FUNCTION dblink_open(pg_catalog.text, pg_catalog.text, pg_catalog.text, pg_catalog.bool)
RETURNS pg_catalog.text
AS 'MODULE_PATHNAME', 'pgml_dblink_open_cursor'
LANGUAGE C STRICT PARALLEL RESTRICTED;

CREATE FUNCTION dblink_fetch(pg_catalog.text, pg_catalog.int4)
RETURNS SETOF pg_catalog.record
AS 'MODULE_PATHNAME', 'pgml_dblink_fetch'
LANGUAGE C STRICT PARALLEL RESTRICTED SUPPORT pgml_fdw_answer_support;

CREATE FUNCTION dblink_fetch(pg_catalog.text, pg_catalog.int4, pg_catalog.bool)
RETURNS SETOF pg_catalog.record
AS 'MODULE_PATHNAME', 'pgml_dblink_fetch'
LANGUAGE C STRICT PARALLEL RESTRICTED SUPPORT pgml_fdw_answer_support;

CREATE FUNCTION dblink_fetch(pg_catalog.text, pg_catalog.text, pg_catalog.int4)
RETURNS SETOF pg_catalog.record
AS 'MODULE_PATHNAME', 'pgml_dblink_fetch'
LANGUAGE C STRICT PARALLEL RESTRICTED SUPPORT pgml_fdw_answer_support;

CREATE FUNCTION dblink_fetch(pg_catalog.text, pg_catalog.text, pg_catalog.int4, pg_catalog.bool)
RETURNS SETOF pg_catalog.record
AS 'MODULE_PATHNAME', 'pgml_dblink_fetch'
LANGUAGE C STRICT PARALLEL RESTRICTED SUPPORT pgml_fdw_answer_support;

CREATE FUNCTION dblink_close(pg_catalog.text)
RETURNS pg_catalog.text
AS 'MODULE_PATHNAME', 'pgml_dblink_close_cursor'
LANGUAGE C STRICT PARALLEL RESTRICTED;

CREATE FUNCTION dblink_close(pg_catalog.text, pg_catalog.bool)
RETURNS pg_catalog.text
AS 'MODULE_PATHNAME', 'pgml_dblink_close_cursor'
LANGUAGE C STRICT PARALLEL RESTRICTED;

CREATE FUNCTION dblink_close(pg_catalog.text, pg_catalog.text)
RETURNS pg_catalog.text
AS 'MODULE_PATHNAME', 'pgml_dblink_close_cursor'
LANGUAGE C STRICT PARALLEL RESTRICTED;

CREATE FUNCTION dblink_close(pg_catalog.text, pg_catalog.text, pg_catalog.bool)
RETURNS pg_catalog.text
AS 'MODULE_PATHNAME', 'pgml_dblink_close_cursor'
LANGUAGE C STRICT PARALLEL RESTRICTED;

CREATE FUNCTION dblink_send_query(pg_catalog.text, pg_catalog.text)
RETURNS pg_catalog.int4
AS 'MODULE_PATHNAME', 'pgml_dblink_send_query'
LANGUAGE C STRICT PARALLEL RESTRICTED;

CREATE FUNCTION dblink_is_busy(pg_catalog.text)
RETURNS pg_catalog.int4
AS 'MODULE_PATHNAME', 'pgml_dblink_is_busy'
LANGUAGE C STRICT PARALLEL RESTRICTED;

CREATE FUNCTION dblink_get_result(pg_catalog.text)
RETURNS SETOF pg_catalog.record
AS 'MODULE_PATHNAME', 'pgml_dblink_get_result'
LANGUAGE C STRICT PARALLEL RESTRICTED SUPPORT pgml_fdw_answer_support;

CREATE FUNCTION dblink_get_result(pg_catalog.text, pg_catalog.bool)
RETURNS SETOF pg_catalog.record
AS 'MODULE_PATHNAME', 'pgml_dblink_get_result'
LANGUAGE C STRICT PARALLEL RESTRICTED SUPPORT pgml_fdw_answer_support;

CREATE FUNCTION dblink_cancel_query(pg_catalog.text)
RETURNS pg_catalog.text
AS 'MODULE_PATHNAME', 'pgml_dblink_cancel_query'
LANGUAGE C STRICT PARALLEL RESTRICTED;

CREATE FUNCTION dblink_error_message(pg_catalog.text)
RETURNS pg_catalog.text
AS 'MODULE_PATHNAME', 'pgml_dblink_error_message'
LANGUAGE C STRICT PARALLEL RESTRICTED;

CREATE FUNCTION dblink_get_connections()
RETURNS pg_catalog.text[]
AS 'MODULE_PATHNAME', 'pgml_dblink_get_connections'
LANGUAGE C PARALLEL RESTRICTED;

CREATE FUNCTION dblink_get_notify(OUT notify_name pg_catalog.text, OUT be_pid pg_catalog.int4, OUT extra pg_catalog.text)
RETURNS SETOF pg_catalog.record
AS 'MODULE_PATHNAME', 'pgml_dblink_get_notify'
LANGUAGE C STRICT PARALLEL RESTRICTED;

CREATE FUNCTION dblink_get_notify(conname pg_catalog.text, OUT notify_name pg_catalog.text, OUT be_pid pg_catalog.int4, OUT extra pg_catalog.text)
RETURNS SETOF pg_catalog.record
AS 'MODULE_PATHNAME', 'pgml_dblink_get_notify'
LANGUAGE C STRICT PARALLEL RESTRICTED;

CREATE TYPE dblink_pkey_results AS (position pg_catalog.int4, colname pg_catalog.text);

CREATE FUNCTION dblink_get_pkey(pg_catalog.text)
RETURNS SETOF dblink_pkey_results
AS 'MODULE_PATHNAME', 'pgml_dblink_get_pkey'
LANGUAGE C STRICT PARALLEL RESTRICTED;

CREATE FUNCTION dblink_build_sql_insert(pg_catalog.text, pg_catalog.int2vector, pg_catalog.int4, pg_catalog.text[], pg_catalog.text[])
RETURNS pg_catalog.text
AS 'MODULE_PATHNAME', 'pgml_dblink_build_sql_insert'
LANGUAGE C STRICT PARALLEL RESTRICTED;

CREATE FUNCTION dblink_build_sql_update(pg_catalog.text, pg_catalog.int2vector, pg_catalog.int4, pg_catalog.text[], pg_catalog.text[])
RETURNS pg_catalog.text
AS 'MODULE_PATHNAME', 'pgml_dblink_build_sql_update'
LANGUAGE C STRICT PARALLEL RESTRICTED;

CREATE FUNCTION dblink_build_sql_delete(pg_catalog.text, pg_catalog.int2vector, pg_catalog.int4, pg_catalog.text[])
RETURNS pg_catalog.text
AS 'MODULE_PATHNAME', 'pgml_dblink_build_sql_delete'
LANGUAGE C STRICT PARALLEL RESTRICTED;

CREATE FUNCTION dblink_current_query()
RETURNS pg_catalog.text
AS 'current_query'
LANGUAGE internal PARALLEL RESTRICTED;

CREATE FUNCTION dblink_fdw_validator(options pg_catalog.text[], catalog pg_catalog.oid)
RETURNS pg_catalog.void
AS 'MODULE_PATHNAME', 'pgml_dblink_fdw_validator'
LANGUAGE C STRICT PARALLEL SAFE;

COMMENT ON FUNCTION dblink_connect(pg_catalog.text) IS
'open a connection that stays, to a foreign server or by a connection string';
COMMENT ON FUNCTION dblink_connect(pg_catalog.text, pg_catalog.text) IS
'open a connection that stays, to a foreign server or by a connection string';
COMMENT ON FUNCTION dblink_connect_u(pg_catalog.text) IS
'the same as dblink_connect() without asking for a password';
COMMENT ON FUNCTION dblink_connect_u(pg_catalog.text, pg_catalog.text) IS
'the same as dblink_connect() without asking for a password';
COMMENT ON FUNCTION dblink_disconnect() IS
'close a connection of dblink_connect()';
COMMENT ON FUNCTION dblink_disconnect(pg_catalog.text) IS
'close a connection of dblink_connect()';
COMMENT ON FUNCTION dblink(pg_catalog.text) IS
'rows of SQL that runs on another database, outside of this transaction; AS t (column type, ...) names them';
COMMENT ON FUNCTION dblink(pg_catalog.text, pg_catalog.text) IS
'rows of SQL that runs on another database, outside of this transaction; AS t (column type, ...) names them';
COMMENT ON FUNCTION dblink(pg_catalog.text, pg_catalog.bool) IS
'rows of SQL that runs on another database, outside of this transaction; AS t (column type, ...) names them';
COMMENT ON FUNCTION dblink(pg_catalog.text, pg_catalog.text, pg_catalog.bool) IS
'rows of SQL that runs on another database, outside of this transaction; AS t (column type, ...) names them';
COMMENT ON FUNCTION dblink_exec(pg_catalog.text) IS
'run a command on another database, outside of this transaction; returns its tag';
COMMENT ON FUNCTION dblink_exec(pg_catalog.text, pg_catalog.text) IS
'run a command on another database, outside of this transaction; returns its tag';
COMMENT ON FUNCTION dblink_exec(pg_catalog.text, pg_catalog.bool) IS
'run a command on another database, outside of this transaction; returns its tag';
COMMENT ON FUNCTION dblink_exec(pg_catalog.text, pg_catalog.text, pg_catalog.bool) IS
'run a command on another database, outside of this transaction; returns its tag';
COMMENT ON FUNCTION dblink_open(pg_catalog.text, pg_catalog.text) IS
'open a cursor on a connection that stays';
COMMENT ON FUNCTION dblink_open(pg_catalog.text, pg_catalog.text, pg_catalog.bool) IS
'open a cursor on a connection that stays';
COMMENT ON FUNCTION dblink_open(pg_catalog.text, pg_catalog.text, pg_catalog.text) IS
'open a cursor on a connection that stays';
COMMENT ON FUNCTION dblink_open(pg_catalog.text, pg_catalog.text, pg_catalog.text, pg_catalog.bool) IS
'open a cursor on a connection that stays';
COMMENT ON FUNCTION dblink_fetch(pg_catalog.text, pg_catalog.int4) IS
'the next rows of a cursor of dblink_open()';
COMMENT ON FUNCTION dblink_fetch(pg_catalog.text, pg_catalog.int4, pg_catalog.bool) IS
'the next rows of a cursor of dblink_open()';
COMMENT ON FUNCTION dblink_fetch(pg_catalog.text, pg_catalog.text, pg_catalog.int4) IS
'the next rows of a cursor of dblink_open()';
COMMENT ON FUNCTION dblink_fetch(pg_catalog.text, pg_catalog.text, pg_catalog.int4, pg_catalog.bool) IS
'the next rows of a cursor of dblink_open()';
COMMENT ON FUNCTION dblink_close(pg_catalog.text) IS
'close a cursor of dblink_open()';
COMMENT ON FUNCTION dblink_close(pg_catalog.text, pg_catalog.bool) IS
'close a cursor of dblink_open()';
COMMENT ON FUNCTION dblink_close(pg_catalog.text, pg_catalog.text) IS
'close a cursor of dblink_open()';
COMMENT ON FUNCTION dblink_close(pg_catalog.text, pg_catalog.text, pg_catalog.bool) IS
'close a cursor of dblink_open()';
COMMENT ON FUNCTION dblink_send_query(pg_catalog.text, pg_catalog.text) IS
'send SQL on a named connection without waiting; 1, or 0 if it could not be sent';
COMMENT ON FUNCTION dblink_is_busy(pg_catalog.text) IS
'1 if dblink_get_result() would have to wait, else 0';
COMMENT ON FUNCTION dblink_get_result(pg_catalog.text) IS
'the next result of dblink_send_query(); ask until it is empty';
COMMENT ON FUNCTION dblink_get_result(pg_catalog.text, pg_catalog.bool) IS
'the next result of dblink_send_query(); ask until it is empty';
COMMENT ON FUNCTION dblink_cancel_query(pg_catalog.text) IS
'ask the remote to give up what it does on a named connection';
COMMENT ON FUNCTION dblink_error_message(pg_catalog.text) IS
'the last error message of a named connection';
COMMENT ON FUNCTION dblink_get_connections() IS
'names of the open named connections';
COMMENT ON FUNCTION dblink_get_notify() IS
'notifications that a connection has received';
COMMENT ON FUNCTION dblink_get_notify(pg_catalog.text) IS
'notifications that a connection has received';
COMMENT ON FUNCTION dblink_get_pkey(pg_catalog.text) IS
'columns of the primary key of a local table';
COMMENT ON FUNCTION dblink_build_sql_insert(pg_catalog.text, pg_catalog.int2vector, pg_catalog.int4, pg_catalog.text[], pg_catalog.text[]) IS
'an INSERT of the local row that has the source key, with the target key in its place';
COMMENT ON FUNCTION dblink_build_sql_update(pg_catalog.text, pg_catalog.int2vector, pg_catalog.int4, pg_catalog.text[], pg_catalog.text[]) IS
'an UPDATE to the local row that has the source key, with the target key in its place';
COMMENT ON FUNCTION dblink_build_sql_delete(pg_catalog.text, pg_catalog.int2vector, pg_catalog.int4, pg_catalog.text[]) IS
'a DELETE of the row that has the target key';
COMMENT ON FUNCTION dblink_current_query() IS
'what current_query() says';

-- A wrapper's name is unique in the database: where contrib's dblink has made this one, it serves both.
DO $$
BEGIN
  IF EXISTS (SELECT FROM pg_catalog.pg_foreign_data_wrapper WHERE fdwname OPERATOR(pg_catalog.=) 'dblink_fdw') THEN
    RAISE NOTICE 'there is a foreign-data wrapper "dblink_fdw" already, which is left as it is';
  ELSE
    CREATE FOREIGN DATA WRAPPER dblink_fdw VALIDATOR dblink_fdw_validator;
  END IF;
END $$;
