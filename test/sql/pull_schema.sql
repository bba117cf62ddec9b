-- Copying whole schemas: each table by itself, in the end as it is there.
\getenv abs_srcdir PG_ABS_SRCDIR
\set remote_sql :abs_srcdir '/include/remote.psql'
\i :remote_sql
\connect :remote_db - :remote_host :remote_port
SET client_min_messages = warning;
DROP SCHEMA IF EXISTS company, company_other, company_empty CASCADE;
CREATE SCHEMA company;
CREATE SCHEMA company_other;
CREATE SCHEMA company_empty;
CREATE TYPE company.status AS ENUM ('new', 'paid');
CREATE TABLE company_other.far (id int PRIMARY KEY);
INSERT INTO company_other.far VALUES (1);
CREATE TABLE company.customers (id serial PRIMARY KEY, name text NOT NULL, boss int REFERENCES company.customers DEFERRABLE INITIALLY DEFERRED);
CREATE TABLE company.orders (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, customer int NOT NULL, status company.status DEFAULT 'new',
  far int REFERENCES company_other.far, a int, b int,
  CONSTRAINT of_customer FOREIGN KEY (customer) REFERENCES company.customers ON UPDATE CASCADE ON DELETE CASCADE);
CREATE UNIQUE INDEX ON company.orders (a, b);
CREATE TABLE company."Odd ""items" ("order" bigint REFERENCES company.orders ON DELETE SET NULL, "no" int, a int, b int, UNIQUE (a, b),
  FOREIGN KEY (a, b) REFERENCES company.orders (a, b) MATCH FULL ON UPDATE SET NULL);
CREATE TABLE company.parts (k int, v text, o bigint REFERENCES company.orders) PARTITION BY LIST (k);
CREATE TABLE company.parts1 PARTITION OF company.parts FOR VALUES IN (1);
CREATE TABLE company.parts2 PARTITION OF company.parts DEFAULT;
CREATE TABLE company.empty ();
CREATE VIEW company.paid AS SELECT * FROM company.orders WHERE status = 'paid';
CREATE MATERIALIZED VIEW company.counts AS SELECT count(*) AS n FROM company.parts1;
CREATE TABLE company.pgml_fdw_pull_log (x int);
INSERT INTO company.empty DEFAULT VALUES;
INSERT INTO company.customers (name, boss) SELECT 'c' || i, 1 FROM generate_series(1, 1000) i;
INSERT INTO company.orders (customer, status, a, b, far) SELECT 1 + i % 1000, CASE WHEN i % 2 = 0 THEN 'paid'::company.status END, i, -i, 1 FROM generate_series(1, 5000) i;
INSERT INTO company."Odd ""items" SELECT i, i, i, -i FROM generate_series(1, 5000) i;
INSERT INTO company.parts SELECT i % 3, 'v' || i, i FROM generate_series(1, 5000) i;

\connect :local_db - :local_host :local_port
SET client_min_messages = warning;
DROP SCHEMA IF EXISTS copy, copy_far, copy_two CASCADE;
DROP SERVER IF EXISTS company CASCADE;
CREATE SCHEMA copy;
CREATE SCHEMA copy_far;
CREATE SERVER company FOREIGN DATA WRAPPER pgml_fdw OPTIONS (host :'remote_host', port :'remote_port', dbname :'remote_db');
CREATE USER MAPPING FOR CURRENT_USER SERVER company OPTIONS (user :'USER');
IMPORT FOREIGN SCHEMA company FROM SERVER company INTO copy_far;
CREATE FUNCTION copy_far.on_remote(sql text) RETURNS text LANGUAGE sql AS $$ SELECT dblink_exec('company', sql) $$;
-- the rows of a table here and there, as texts, compared
CREATE FUNCTION copy_far.same(name text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE n int; more int;
BEGIN
  EXECUTE format('SELECT count(*) FROM copy.%1$I', name) INTO n;
  EXECUTE format('SELECT count(*) FROM (SELECT h::text FROM copy.%1$I AS h EXCEPT ALL SELECT f::text FROM copy_far.%1$I AS f) AS d', name) INTO more;
  IF more > 0 THEN RETURN 'other rows'; END IF;
  EXECUTE format('SELECT count(*) FROM copy_far.%1$I', name) INTO more;
  RETURN CASE WHEN n = more THEN 'same ' || n || ' rows' ELSE n || ' of ' || more || ' rows' END;
END $$;
\set log 'SELECT kind, name, state, rows, problem, started <= finished AS over FROM copy.pgml_fdw_pull_log ORDER BY kind COLLATE "C" DESC, name COLLATE "C"'
\set VERBOSITY terse
\set SHOW_CONTEXT never

-- all of it
CALL pgml_fdw_pull_schema('company', 'company', 'copy', jobs => 3);
:log;
SELECT relname, copy_far.same(relname) FROM pg_class WHERE relnamespace = 'copy'::regnamespace AND relkind = 'r' AND relname <> 'pgml_fdw_pull_log' ORDER BY relname;
SELECT conrelid::regclass AS table, conname, convalidated, pg_get_constraintdef(oid) FROM pg_constraint
  WHERE connamespace = 'copy'::regnamespace AND contype IN ('f', 'p', 'u') AND conrelid <> 'copy.pgml_fdw_pull_log'::regclass ORDER BY 1, 2;
SELECT indexrelid::regclass FROM pg_index JOIN pg_class ON oid = indrelid WHERE relnamespace = 'copy'::regnamespace AND relname <> 'pgml_fdw_pull_log' ORDER BY 1;
INSERT INTO copy.customers (name) VALUES ('next') RETURNING id;
INSERT INTO copy.orders (customer) VALUES (1001) RETURNING id, status;
INSERT INTO copy.orders (customer) VALUES (2000);
-- nothing is done twice; what is gone, is new or has failed is done again
TRUNCATE copy.parts;
DROP TABLE copy."Odd ""items";
UPDATE copy.pgml_fdw_pull_log SET state = 'running' WHERE name = 'empty';
SELECT copy_far.on_remote('CREATE TABLE company.later (id int REFERENCES company.orders)');
CALL pgml_fdw_pull_schema('company', 'company', 'copy');
:log;
SELECT count(*) FROM copy.parts;
SELECT copy_far.same('Odd "items');
DROP TABLE copy.empty;
CALL pgml_fdw_pull_schema('company', 'company', 'copy');
SELECT state FROM copy.pgml_fdw_pull_log WHERE name = 'empty';
SELECT copy_far.on_remote('DROP TABLE company.later');

-- some of it; views and partitions, if they are named
DROP SCHEMA copy CASCADE;
CREATE SCHEMA copy;
CALL pgml_fdw_pull_schema('company', 'company', 'copy', limit_to => '{paid,counts,parts1,missing,parts2}', exclude => '{parts2}', jobs => 2, one_snapshot => false);
:log;
SELECT copy_far.same('paid'), copy_far.same('counts'), (SELECT count(*) FROM copy.parts1);
CALL pgml_fdw_pull_schema('company', 'company', 'copy', exclude => '{orders,"Odd \"items"}');
:log;
CALL pgml_fdw_pull_schema('company', 'company_other', 'copy');
SELECT * FROM copy.far;
CALL pgml_fdw_pull_schema('company', 'company_empty', 'copy');
SELECT remote_schema, count(*) FROM copy.pgml_fdw_pull_log GROUP BY 1 ORDER BY 1;

-- a table that can't be copied: the end, or not
DROP SCHEMA copy CASCADE;
CREATE SCHEMA copy;
SELECT copy_far.on_remote('CREATE VIEW company.broken AS SELECT 1 / (20 - i) AS x FROM generate_series(1, 20) i');
CREATE TABLE copy.customers (mine int);
CALL pgml_fdw_pull_schema('company', 'company', 'copy', limit_to => '{customers,broken,paid}');
:log;
CALL pgml_fdw_pull_schema('company', 'company', 'copy', limit_to => '{customers,broken,paid,orders}', on_error => 'continue', jobs => 2);
:log;
SELECT relname FROM pg_class WHERE relnamespace = 'copy'::regnamespace AND relkind = 'r' ORDER BY relname;
DROP TABLE copy.customers;
SELECT copy_far.on_remote('CREATE OR REPLACE VIEW company.broken AS SELECT 1 / (21 - i) AS x FROM generate_series(1, 20) i');
CALL pgml_fdw_pull_schema('company', 'company', 'copy', limit_to => '{customers,broken,paid,orders}');
:log;

-- rows that don't fit a foreign key: it is there, for what comes
DROP SCHEMA copy CASCADE;
CREATE SCHEMA copy;
CALL pgml_fdw_pull_schema('company', 'company', 'copy', limit_to => '{customers}');
SELECT copy_far.on_remote('INSERT INTO company.customers VALUES (5000, ''late'')');
SELECT copy_far.on_remote('INSERT INTO company.orders (customer) VALUES (5000)');
CALL pgml_fdw_pull_schema('company', 'company', 'copy', limit_to => '{orders}');
:log;
SELECT convalidated FROM pg_constraint WHERE conname = 'of_customer';
INSERT INTO copy.orders (customer) VALUES (6000);
INSERT INTO copy.customers VALUES (5000, 'late');
ALTER TABLE copy.orders VALIDATE CONSTRAINT of_customer;

-- where it can't be called
BEGIN;
CALL pgml_fdw_pull_schema('company', 'company', 'copy');
ROLLBACK;
CREATE FUNCTION copy_far.call() RETURNS void LANGUAGE plpgsql AS $$ BEGIN CALL pgml_fdw_pull_schema('company', 'company', 'copy'); END $$;
SELECT copy_far.call();
DO $$ BEGIN CALL pgml_fdw_pull_schema('company', 'company', 'copy', limit_to => '{parts}'); COMMIT;
  CALL pgml_fdw_pull_schema('company', 'company', 'copy', limit_to => '{empty}'); END $$;
SELECT copy_far.same('parts'), copy_far.same('empty');
-- arguments
CALL pgml_fdw_pull_schema('no_server', 'company', 'copy');
CALL pgml_fdw_pull_schema('company', 'no_schema', 'copy');
CALL pgml_fdw_pull_schema('company', 'company', 'no_schema');
CALL pgml_fdw_pull_schema(NULL, 'company', 'copy');
CALL pgml_fdw_pull_schema('company', NULL, 'copy');
CALL pgml_fdw_pull_schema('company', 'company', NULL);
CALL pgml_fdw_pull_schema('company', 'company', 'copy', limit_to => '{}');
CALL pgml_fdw_pull_schema('company', 'company', 'copy', exclude => '{NULL}');
CALL pgml_fdw_pull_schema('company', 'company', 'copy', jobs => 0);
CALL pgml_fdw_pull_schema('company', 'company', 'copy', on_error => 'ignore');
-- a log that somebody else has made, who might have more than that in mind
CREATE ROLE copy_user;
CREATE SCHEMA copy_two AUTHORIZATION copy_user;
GRANT USAGE ON FOREIGN SERVER company TO copy_user;
CREATE USER MAPPING FOR copy_user SERVER company OPTIONS (user :'USER', password_required 'false');
SET ROLE copy_user;
CALL pgml_fdw_pull_schema('company', 'company', 'copy');
CALL pgml_fdw_pull_schema('company', 'company', 'copy_two', limit_to => '{counts}');
SELECT relname, relowner::regrole FROM pg_class WHERE relnamespace = 'copy_two'::regnamespace AND relkind = 'r' ORDER BY 1;
RESET ROLE;
CALL pgml_fdw_pull_schema('company', 'company', 'copy_two', limit_to => '{parts1}');
REVOKE USAGE ON FOREIGN SERVER company FROM copy_user;
SET ROLE copy_user;
CALL pgml_fdw_pull_schema('company', 'company', 'copy_two', limit_to => '{parts1}');
RESET ROLE;
SELECT name FROM copy_two.pgml_fdw_pull_log;

DROP SERVER company CASCADE;
DROP SCHEMA copy, copy_far, copy_two CASCADE;
DROP OWNED BY copy_user;
DROP ROLE copy_user;
