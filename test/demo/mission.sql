-- The tour, as the role analyst of the database ml, which is no superuser.
\getenv production_host production_host
\getenv production_port production_port
\getenv reader_password reader_password
\getenv writer_password writer_password
SELECT coalesce(to_regtype('vector')::text, 'float4[]') AS embedding \gset
SELECT obj_description('embed(text)'::regprocedure) AS embed_is \gset
\timing on
\unset QUIET
\set ECHO queries

\echo '\n=== 1. Connect: a server, a login that may only read, a first word ==='
\echo
CREATE SERVER production_db FOREIGN DATA WRAPPER pgml_fdw
  OPTIONS (host :'production_host', port :'production_port', dbname 'production');
-- psql would echo the password
\set ECHO none
\echo 'CREATE USER MAPPING FOR CURRENT_USER SERVER production_db'
\echo '  OPTIONS (user \'ml_reader\', password \'...\');'
CREATE USER MAPPING FOR CURRENT_USER SERVER production_db
  OPTIONS (user 'ml_reader', password :'reader_password');
\set ECHO queries
SELECT * FROM dblink('production_db', 'SELECT 1 AS one') AS t1 (one int);

\echo '=== 2. Import: every table of production, its columns and types ==='
\echo
IMPORT FOREIGN SCHEMA public FROM SERVER production_db INTO production_tables;
SELECT foreign_table_name AS table, string_agg(column_name || ' ' || udt_name, ', ' ORDER BY ordinal_position) AS columns
FROM information_schema.foreign_tables
  JOIN information_schema.columns ON (table_schema, table_name) = (foreign_table_schema, foreign_table_name)
GROUP BY 1 ORDER BY 1;

\echo '=== 3. Query: rows of production, joined with a local table ==='
\echo
SELECT id, name, packages FROM production_tables.users ORDER BY packages DESC LIMIT 3;
CREATE TABLE topics (section text, topic text);
INSERT INTO topics VALUES ('database', 'storage'), ('math', 'science'), ('science', 'science'), ('games', 'play');
SELECT topic, count(*) AS packages, count(DISTINCT maintainer) AS maintainers, pg_size_pretty(sum(size)) AS size
FROM production_tables.packages JOIN topics USING (section)
GROUP BY topic ORDER BY packages DESC;

\echo '--- and what a login that may only read is told when it tries to write:'
\echo
\set ON_ERROR_STOP off
TRUNCATE production_tables.users;
\set ON_ERROR_STOP on

\echo '=== 4. Copy in bulk: production is read once, the work is done here ==='
\echo
CREATE TABLE bulk_access_users (LIKE production_tables.users);
INSERT INTO bulk_access_users SELECT * FROM production_tables.users;
CREATE TABLE bulk_access_packages (LIKE production_tables.packages);
INSERT INTO bulk_access_packages SELECT * FROM production_tables.packages;

\echo '=== 5. Embed: a vector for each description ==='
\echo '(embed(text) is' :embed_is')'
\echo
ALTER TABLE bulk_access_packages ADD COLUMN embedding :embedding;
UPDATE bulk_access_packages SET embedding = embed(description);

\echo '=== 6. Copy back: a second server, with a login that may write one table ==='
\echo
CREATE SERVER production_db_rw FOREIGN DATA WRAPPER pgml_fdw
  OPTIONS (host :'production_host', port :'production_port', dbname 'production');
\set ECHO none
\echo 'CREATE USER MAPPING FOR CURRENT_USER SERVER production_db_rw'
\echo '  OPTIONS (user \'ml_writer\', password \'...\');'
CREATE USER MAPPING FOR CURRENT_USER SERVER production_db_rw
  OPTIONS (user 'ml_writer', password :'writer_password');
\set ECHO queries
IMPORT FOREIGN SCHEMA public LIMIT TO (package_embeddings)
  FROM SERVER production_db_rw INTO production_rw;
INSERT INTO production_rw.package_embeddings SELECT name, embedding FROM bulk_access_packages;

\echo '=== 7. Ask production: which packages are nearest to a phrase? ==='
\echo
SELECT * FROM dblink('production_db_rw', format($$
    SELECT name, description, round((embedding <-> %L)::numeric, 3) AS distance
    FROM package_embeddings JOIN packages USING (name)
    ORDER BY distance, name LIMIT 5 $$,
  CAST(embed('fast web server and reverse proxy') AS :embedding))) AS nearest (name text, description text, distance numeric);

\echo '=== 8. Later: only some are embedded again, and merged by key ==='
\echo
SELECT * FROM pgml_fdw_upsert('production_rw.package_embeddings',
  '(SELECT name, embed(description) AS embedding FROM bulk_access_packages WHERE section = ''math'')');

\echo '=== 9. A whole schema, with keys, indexes and foreign keys; a log says how it went ==='
\echo
CALL pgml_fdw_pull_schema('production_db', 'public', 'production_copy');
SELECT kind, name, state, rows FROM production_copy.pgml_fdw_pull_log ORDER BY kind DESC, name;
