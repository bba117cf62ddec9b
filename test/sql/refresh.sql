-- Foreign tables follow the remote ones: pgml_fdw_refresh_schema().
\getenv abs_srcdir PG_ABS_SRCDIR
\set remote_sql :abs_srcdir '/include/remote.psql'
\i :remote_sql
\connect :remote_db - :remote_host :remote_port
SET client_min_messages = warning;
DROP SCHEMA IF EXISTS refresh CASCADE;
CREATE SCHEMA refresh;
SET search_path = refresh;
CREATE TYPE mood AS ENUM ('sad', 'happy');
CREATE TABLE t (id int PRIMARY KEY, a int, b text, c numeric(10,2), m mood, "Odd ""one" int, z int NOT NULL);
INSERT INTO t SELECT i, i, 'b' || i, i, 'sad', i, i FROM generate_series(1, 5) i;
CREATE TABLE gone (id int);
CREATE TABLE needed (id int, x int);
CREATE TABLE same (id int, ms mood[]);
CREATE TABLE last_one (id int, v int);
CREATE TABLE two_at_once (id int, p int, q int, r int);
CREATE TABLE dropped_too (id int, p int, q int, r int);
CREATE TABLE retyped (p int, r int);
CREATE TABLE parted (id int, note text) PARTITION BY LIST (id);
CREATE TABLE part PARTITION OF parted FOR VALUES IN (1);

\connect :local_db - :local_host :local_port
SET client_min_messages = warning;
DROP SCHEMA IF EXISTS refresh, refresh_views CASCADE;
DROP SERVER IF EXISTS refresh_server CASCADE;
DROP ROLE IF EXISTS regress_refresh_reader, regress_refresh_other;
CREATE SCHEMA refresh;
CREATE SCHEMA refresh_views;
CREATE ROLE regress_refresh_reader;
CREATE ROLE regress_refresh_other;
CREATE SERVER refresh_server FOREIGN DATA WRAPPER pgml_fdw
  OPTIONS (host :'remote_host', port :'remote_port', dbname :'remote_db');
CREATE USER MAPPING FOR CURRENT_USER SERVER refresh_server OPTIONS (user :'USER');
IMPORT FOREIGN SCHEMA refresh FROM SERVER refresh_server INTO refresh;
IMPORT FOREIGN SCHEMA refresh LIMIT TO (part) FROM SERVER refresh_server INTO refresh;
SET search_path = refresh;
-- what is only here: a name, an option, privileges, views, a table of no server's
ALTER FOREIGN TABLE t RENAME COLUMN c TO price;
ALTER FOREIGN TABLE t RENAME TO things;
ALTER FOREIGN TABLE things OPTIONS (ADD fetch_size '7');
GRANT SELECT ON things TO regress_refresh_reader;
CREATE VIEW refresh_views.v AS SELECT id, a, "Odd ""one" FROM things;
CREATE VIEW refresh_views.n AS SELECT x FROM needed;
CREATE TABLE local (id int);
\pset tuples_only on
\pset format unaligned
\set refresh 'SELECT object, difference, command, problem FROM public.pgml_fdw_refresh_schema'

-- Nothing has changed
:refresh('refresh');
:refresh('refresh', dry_run => false);

\connect :remote_db - :remote_host :remote_port
SET client_min_messages = warning;
SET search_path = refresh;
ALTER TYPE mood ADD VALUE 'ok' BEFORE 'happy';
ALTER TYPE mood ADD VALUE 'awful' BEFORE 'sad';
ALTER TYPE mood ADD VALUE 'it''s great';
ALTER TABLE t RENAME COLUMN "Odd ""one" TO "New ""one";
ALTER TABLE t DROP COLUMN b;
ALTER TABLE t ALTER c TYPE numeric(12,3);
ALTER TABLE t ALTER z DROP NOT NULL;
ALTER TABLE t ALTER z TYPE bigint;
ALTER TABLE t ADD COLUMN "added; DROP TABLE local" text COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE t ADD COLUMN m2 mood;
ALTER TABLE t ALTER a SET NOT NULL;
UPDATE t SET m = 'it''s great', "New ""one" = 42 WHERE id = 1;
DROP TABLE gone;
ALTER TABLE needed DROP COLUMN x;
ALTER TABLE last_one RENAME v TO w;
ALTER TABLE two_at_once RENAME p TO p1;
ALTER TABLE two_at_once RENAME q TO q1;
ALTER TABLE dropped_too RENAME p TO p1;
ALTER TABLE dropped_too DROP COLUMN q;
ALTER TABLE retyped RENAME p TO p1;
ALTER TABLE retyped ALTER p1 TYPE bigint;
ALTER TABLE parted ADD COLUMN more int;
CREATE TYPE size AS ENUM ('s', 'm');
CREATE TABLE new_one (id int PRIMARY KEY, s size);
INSERT INTO new_one VALUES (1, 's');
CREATE VIEW "New view" AS SELECT 1 AS one;
CREATE TABLE local (id int);

\connect :local_db - :local_host :local_port
SET search_path = refresh;
:refresh('refresh');
-- a dry run leaves nothing behind
SELECT count(*) FROM pg_type WHERE typname = 'size' AND typnamespace = 'refresh'::regnamespace;
SELECT attname FROM pg_attribute WHERE attrelid = 'things'::regclass AND attnum > 0 ORDER BY attnum;
SELECT id, price, m FROM things WHERE id > 1 ORDER BY id;
-- without those that have no foreign table
SELECT count(*) FROM public.pgml_fdw_refresh_schema('refresh', new_tables => false) WHERE difference = 'table new';
-- in earnest
:refresh('refresh', false);
-- what is left is what a view, or a name, stands in the way of
:refresh('refresh', false);
DROP VIEW refresh_views.n;
DROP TABLE local;
SELECT object, difference, problem FROM public.pgml_fdw_refresh_schema('refresh', false);
:refresh('refresh', false);
SELECT * FROM things ORDER BY id;
SELECT * FROM refresh_views.v ORDER BY id;
SELECT * FROM new_one;
SELECT id FROM things WHERE m = 'it''s great';
SELECT m FROM things ORDER BY m DESC, id LIMIT 1;
SELECT ftoptions FROM pg_foreign_table WHERE ftrelid = 'things'::regclass;
SELECT attname, attfdwoptions FROM pg_attribute WHERE attrelid = 'things'::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum;
SELECT has_table_privilege('regress_refresh_reader', 'things', 'SELECT');
SELECT relname FROM pg_class WHERE relnamespace = 'refresh'::regnamespace AND relkind = 'f' ORDER BY relname COLLATE "C";

-- A type that changes on the remote to one that doesn't exist here, and an enum that becomes text
\connect :remote_db - :remote_host :remote_port
SET client_min_messages = warning;
SET search_path = refresh;
ALTER TABLE same ALTER ms TYPE text[] USING ms::text[];
ALTER TABLE last_one ALTER w TYPE mood USING 'ok';
\connect :local_db - :local_host :local_port
SET search_path = refresh;
:refresh('refresh', false);
:refresh('refresh');
SELECT * FROM same;

-- Who may: the owner of the tables, with USAGE on the server
GRANT USAGE, CREATE ON SCHEMA refresh TO regress_refresh_reader;
\connect :remote_db - :remote_host :remote_port
SET client_min_messages = warning;
ALTER TABLE refresh.same ADD COLUMN extra int;
\connect :local_db - :local_host :local_port
CREATE USER MAPPING FOR regress_refresh_reader SERVER refresh_server OPTIONS (user :'USER', password_required 'false');
SET ROLE regress_refresh_reader;
:refresh('refresh', false);
RESET ROLE;
GRANT USAGE ON FOREIGN SERVER refresh_server TO regress_refresh_reader;
SET ROLE regress_refresh_reader;
:refresh('refresh', false);
RESET ROLE;
SET ROLE regress_refresh_other;
:refresh('refresh');
RESET ROLE;
:refresh('no_such_schema');
:refresh('public');

-- Of several servers, one that can't be asked: nothing happens on behalf of the others
CREATE SERVER refresh_second FOREIGN DATA WRAPPER pgml_fdw OPTIONS (host :'remote_host', port :'remote_port', dbname :'remote_db');
CREATE FOREIGN TABLE refresh.second (id int) SERVER refresh_second OPTIONS (schema_name 'refresh', table_name 'last_one');
SET ROLE regress_refresh_reader;
:refresh('refresh', false);
RESET ROLE;
GRANT USAGE ON FOREIGN SERVER refresh_second TO regress_refresh_reader;
SET ROLE regress_refresh_reader;
:refresh('refresh', false);
RESET ROLE;
CREATE USER MAPPING FOR regress_refresh_reader SERVER refresh_second OPTIONS (user :'USER', password_required 'false');
SET ROLE regress_refresh_reader;
:refresh('refresh', new_tables => false);
RESET ROLE;
DROP FOREIGN TABLE refresh.second;
DROP SERVER refresh_second CASCADE;

-- Somebody else's error ends it all
\connect :remote_db - :remote_host :remote_port
SET client_min_messages = warning;
DROP SCHEMA refresh CASCADE;
\connect :local_db - :local_host :local_port
:refresh('refresh', false);
SELECT count(*) > 5 AS still_there FROM pg_class WHERE relnamespace = 'refresh'::regnamespace AND relkind = 'f';

\pset tuples_only off
\pset format aligned
SET client_min_messages = warning;
DROP SCHEMA refresh, refresh_views CASCADE;
DROP SERVER refresh_server CASCADE;
DROP ROLE regress_refresh_reader, regress_refresh_other;
