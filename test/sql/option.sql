-- The option table: where options may stand, what they may say, who may say it.

-- names: misplaced, misspelt, unknown, refused libpq keywords
CREATE SERVER s FOREIGN DATA WRAPPER pgml_fdw OPTIONS (password 'x');
CREATE SERVER s FOREIGN DATA WRAPPER pgml_fdw OPTIONS (prot '5432');
CREATE SERVER s FOREIGN DATA WRAPPER pgml_fdw OPTIONS (fetch_szie '10');
CREATE SERVER s FOREIGN DATA WRAPPER pgml_fdw OPTIONS (zzzzzzzzzz '1');
CREATE SERVER s FOREIGN DATA WRAPPER pgml_fdw OPTIONS (client_encoding 'LATIN1');
CREATE SERVER s FOREIGN DATA WRAPPER pgml_fdw OPTIONS (fallback_application_name 'x');
CREATE SERVER s FOREIGN DATA WRAPPER pgml_fdw OPTIONS (replication 'database');
CREATE SERVER s FOREIGN DATA WRAPPER pgml_fdw OPTIONS (sslkeylogfile '/tmp/x');
CREATE SERVER s FOREIGN DATA WRAPPER pgml_fdw OPTIONS (oauth_issuer 'x');
ALTER FOREIGN DATA WRAPPER pgml_fdw OPTIONS (ADD host 'x');

-- values
CREATE SERVER s FOREIGN DATA WRAPPER pgml_fdw OPTIONS (use_remote_estimate 'maybe');
CREATE SERVER s FOREIGN DATA WRAPPER pgml_fdw OPTIONS (fetch_size '0');
CREATE SERVER s FOREIGN DATA WRAPPER pgml_fdw OPTIONS (batch_size 'many');
CREATE SERVER s FOREIGN DATA WRAPPER pgml_fdw OPTIONS (fdw_startup_cost '-1');
CREATE SERVER s FOREIGN DATA WRAPPER pgml_fdw OPTIONS (fdw_tuple_cost 'NaN');
CREATE SERVER s FOREIGN DATA WRAPPER pgml_fdw OPTIONS (analyze_sampling 'some');
CREATE SERVER s FOREIGN DATA WRAPPER pgml_fdw OPTIONS (extensions 'a,,b');

-- all that a server, a table, a column may have
CREATE SERVER s FOREIGN DATA WRAPPER pgml_fdw OPTIONS (
  use_remote_estimate 'false', fdw_startup_cost '10', fdw_tuple_cost '0.5',
  extensions 'plpgsql, option_test_nowhere', updatable 'true', truncatable 'true', fetch_size '50',
  batch_size '10', async_capable 'false', parallel_commit 'true', parallel_abort 'true',
  keep_connections 'on', analyze_sampling 'auto', import_stats 'true', use_scram_passthrough 'false',
  service 'x', host 'h', hostaddr '127.0.0.1', port '1', dbname 'd', passfile '/p', options '-c x=y',
  application_name 'a', connect_timeout '1', keepalives '1', keepalives_idle '1',
  keepalives_interval '1', keepalives_count '1', tcp_user_timeout '1', channel_binding 'prefer',
  require_auth 'scram-sha-256', sslmode 'prefer', sslnegotiation 'postgres', sslcompression '0',
  sslcertmode 'allow', sslcert '/c', sslkey '/k', sslrootcert '/r', sslcrl '/l', sslcrldir '/d',
  sslsni '1', ssl_min_protocol_version 'TLSv1.2', ssl_max_protocol_version 'TLSv1.3',
  min_protocol_version '3.0', max_protocol_version '3.2', requirepeer 'x', gssencmode 'disable',
  krbsrvname 'x', gsslib 'gssapi', gssdelegation '0', target_session_attrs 'any',
  load_balance_hosts 'disable');
CREATE FOREIGN TABLE option_t (a int OPTIONS (column_name 'A')) SERVER s OPTIONS (
  schema_name 'S', table_name 'T', use_remote_estimate 'true', updatable 'false', truncatable 'false',
  fetch_size '1', batch_size '1', async_capable 'true', analyze_sampling 'bernoulli', import_stats 'off');
ALTER FOREIGN TABLE option_t ALTER a OPTIONS (ADD fetch_size '1');
ALTER FOREIGN TABLE option_t OPTIONS (ADD fdw_tuple_cost '1');
IMPORT FOREIGN SCHEMA x FROM SERVER s INTO public OPTIONS (import_colate 'true');
IMPORT FOREIGN SCHEMA x FROM SERVER s INTO public OPTIONS (import_default 'perhaps');

-- user mappings: what only a superuser may set
CREATE ROLE option_user;
GRANT USAGE ON FOREIGN SERVER s TO option_user;
SET ROLE option_user;
CREATE USER MAPPING FOR option_user SERVER s OPTIONS (user 'u', password_required 'false');
CREATE USER MAPPING FOR option_user SERVER s OPTIONS (user 'u', sslcert '/c');
CREATE USER MAPPING FOR option_user SERVER s OPTIONS (user 'u', sslkey '/k');
CREATE USER MAPPING FOR option_user SERVER s OPTIONS (user 'u', host 'elsewhere');
CREATE USER MAPPING FOR option_user SERVER s OPTIONS
  (user 'u', password 'p', sslpassword 'q', password_required 'true', use_scram_passthrough 'true', gssdelegation '1');
RESET ROLE;
ALTER USER MAPPING FOR option_user SERVER s OPTIONS (SET password_required 'false', ADD sslcert '/c', ADD sslkey '/k');
SET ROLE option_user;
-- with such an option there, its owner can't change the mapping, but can remove the option
ALTER USER MAPPING FOR option_user SERVER s OPTIONS (SET user 'v');
ALTER USER MAPPING FOR option_user SERVER s OPTIONS (SET user 'v', DROP password_required, DROP sslcert, DROP sslkey);
RESET ROLE;

-- the validator called by hand
SELECT pgml_fdw_validator(ARRAY['host'], 'pg_catalog.pg_foreign_server'::regclass);
SELECT pgml_fdw_validator(ARRAY[NULL], 'pg_catalog.pg_foreign_server'::regclass);
SELECT pgml_fdw_validator(ARRAY['host=x'], 'pg_catalog.pg_class'::regclass);

DROP SERVER s CASCADE;
DROP ROLE option_user;

-- names of the session on the remote: the GUC, the server's option, the default
\getenv abs_srcdir PG_ABS_SRCDIR
\set remote_sql :abs_srcdir '/include/remote.psql'
\i :remote_sql
CREATE SERVER s FOREIGN DATA WRAPPER pgml_fdw
  OPTIONS (host :'remote_host', port :'remote_port', dbname :'remote_db');
CREATE USER MAPPING FOR CURRENT_USER SERVER s OPTIONS (user :'USER');
CREATE FOREIGN TABLE option_name (name text, setting text) SERVER s
  OPTIONS (schema_name 'pg_catalog', table_name 'pg_settings');
SELECT setting FROM option_name WHERE name = 'application_name';
ALTER SERVER s OPTIONS (ADD application_name 'of the server, 100%%');
SELECT setting FROM option_name WHERE name = 'application_name';
SET application_name = 'app';
SET pgml_fdw.application_name = E'%a%z%%\x01 %';
SELECT pgml_fdw_disconnect_all();
SELECT setting FROM option_name WHERE name = 'application_name';
SET pgml_fdw.application_name = '%d|%u|%p|%c|%C';
SELECT pgml_fdw_disconnect_all();
SELECT setting = left(format('%s|%s|%s|%s|%s', current_database(), session_user, pg_backend_pid(),
  to_hex(trunc(extract(epoch FROM backend_start))::int) || '.' || to_hex(pid), current_setting('cluster_name')), 63)
  AS expanded
  FROM option_name, pg_stat_activity WHERE name = 'application_name' AND pid = pg_backend_pid();
SET pgml_fdw.no_such = 1;
\set VERBOSITY terse
DROP SERVER s CASCADE;
