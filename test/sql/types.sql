-- Values of all types come as they are stored, and arrive as they were written;
-- where the two sides disagree about a type, the value is right or there is an error.
\getenv abs_srcdir PG_ABS_SRCDIR
\set remote_sql :abs_srcdir '/include/remote.psql'
\i :remote_sql
\set remote_schema types
\set fixture `cat "$PG_ABS_SRCDIR/include/type_samples.sql"`
\set twins :abs_srcdir '/include/twins.psql'
\i :twins

-- the estimates of tables that nobody has analyzed would have queries compiled
SET jit = off;
-- whatever IMPORT makes of them, here the types are declared as they are there
DO $$
DECLARE
  t record;
BEGIN
  FOR t IN SELECT name, typ FROM near.tested_types, LATERAL (VALUES ('ty_' || n), ('w_' || n)) v (name) LOOP
    EXECUTE format('DROP FOREIGN TABLE far.%I', t.name);
    EXECUTE format('CREATE FOREIGN TABLE far.%I (id int, v %s, a %2$s[]) SERVER twin_server OPTIONS (schema_name ''types'')', t.name, t.typ);
  END LOOP;
END
$$;
SELECT typ FROM near.untested_types;
SELECT count(*) >= 79 FROM near.tested_types;
-- each query below lists the types for which something is wrong: none

-- reading: by a scan, by conditions with values of the type, by a nested loop's parameters, by dblink
SELECT typ, answer FROM near.tested_types, far.same(format('SELECT * FROM ty_%s', n)) AS answer
  WHERE answer !~ '^same \d+ rows';
SELECT typ, val, answer FROM near.tested_types, unnest(vals) AS val,
    far.same(format('SELECT id, a FROM ty_%s WHERE v = %L::%s', n, val, typ)) AS answer
  WHERE answer !~ '^same';
SELECT typ, answer FROM near.tested_types,
    far.same(format('SELECT id FROM ty_%s WHERE a && ARRAY(SELECT unnest(a) FROM near.ty_%1$s WHERE id < 0)', n)) AS answer
  WHERE answer !~ '^same';
SET enable_hashjoin = off;
SET enable_mergejoin = off;
SELECT typ, answer FROM near.tested_types,
    far.same(format('SELECT l.id, r.id, r.v FROM near.ty_%s l JOIN ty_%1$s r ON r.v = l.v', n)) AS answer
  WHERE answer !~ '^same';
RESET enable_hashjoin;
RESET enable_mergejoin;
SELECT typ, difference(f.rows, n.rows), f.error FROM near.tested_types,
    rows_of('far', format('SELECT * FROM dblink(''twin_server'', ''SELECT * FROM types.ty_%s'') t (id int, v %s, a %2$s[])', n, typ)) f,
    rows_of('near', format('SELECT * FROM ty_%s', n)) n
  WHERE f.rows IS DISTINCT FROM n.rows OR f.error IS NOT NULL;
-- the settings of the local session don't matter
SET DateStyle = 'SQL, DMY';
SET IntervalStyle = sql_standard;
SET extra_float_digits = -15;
SET bytea_output = escape;
SET client_encoding = LATIN1;
SELECT typ, answer FROM near.tested_types, far.same(format('SELECT * FROM ty_%s', n)) AS answer
  WHERE answer !~ '^same \d+ rows';
SELECT typ, answer FROM near.tested_types,
    far.alike(format('INSERT INTO w_%s SELECT * FROM near.ty_%1$s', n), ARRAY['w_' || n]) AS answer
  WHERE answer !~ '^same, \d+ rows$';
-- the same by each method, and as a COPY in text form, since the type of id isn't the remote's
DO $$
DECLARE
  t record;
BEGIN
  FOR t IN SELECT * FROM near.tested_types LOOP
    EXECUTE format('CREATE FOREIGN TABLE far.other_%s (id int8, v %s, a %2$s[]) SERVER twin_server OPTIONS (schema_name ''types'', table_name ''w_%1$s'')', t.n, t.typ);
    EXECUTE format('CREATE VIEW near.other_%s AS SELECT * FROM near.w_%1$s', t.n);
  END LOOP;
END
$$;
SELECT method, typ, answer FROM unnest('{copy,values}'::text[]) WITH ORDINALITY m (method, k), set_config('pgml_fdw.insert_method', method, false),
    near.tested_types, far.alike(format('INSERT INTO w_%s SELECT id + %s, v, a FROM near.ty_%1$s', n, 1000 * k), ARRAY['w_' || n]) AS answer
  WHERE answer !~ '^same, \d+ rows$';
SELECT method, typ, answer FROM unnest('{copy,values}'::text[]) WITH ORDINALITY m (method, k), set_config('pgml_fdw.insert_method', method, false),
    near.tested_types, far.alike(format('INSERT INTO other_%s SELECT id + %s, v, a FROM near.ty_%1$s', n, 3000 * k), ARRAY['w_' || n]) AS answer
  WHERE answer !~ '^same, \d+ rows$';
RESET pgml_fdw.insert_method;
SELECT typ, answer FROM near.tested_types, far.alike(format('DELETE FROM w_%s WHERE id > 500', n), ARRAY['w_' || n]) AS answer
  WHERE answer !~ '^same, \d+ rows$';
RESET DateStyle;
RESET IntervalStyle;
RESET extra_float_digits;
RESET bytea_output;
RESET client_encoding;
SELECT typ, answer FROM near.tested_types, far.same(format('SELECT * FROM w_%s', n)) AS answer
  WHERE answer !~ '^same \d+ rows';
-- writing one by one
SELECT typ, answer FROM near.tested_types,
    far.alike(format('UPDATE w_%s w SET v = t.v, a = t.a FROM near.ty_%1$s t WHERE w.id = 1 - t.id', n), ARRAY['w_' || n]) AS answer
  WHERE answer !~ '^same, \d+ rows$';
SELECT typ, answer FROM near.tested_types,
    far.alike(format('INSERT INTO w_%s SELECT id + 100, v, a FROM near.ty_%1$s RETURNING *', n), ARRAY['w_' || n]) AS answer
  WHERE answer !~ '^same, \d+ rows$';
SELECT typ, answer FROM near.tested_types,
    far.alike(format('DELETE FROM w_%s WHERE id > 0 RETURNING v, a', n), ARRAY['w_' || n]) AS answer
  WHERE answer !~ '^same, \d+ rows$';

-- no input function accepts these: they can be had as text
CREATE FOREIGN TABLE far.rules (ev_class regclass, ev_action text) SERVER twin_server
  OPTIONS (schema_name 'pg_catalog', table_name 'pg_rewrite');
SELECT bool_and(ev_action ~ '^\(\{QUERY') FROM far.rules;
CREATE FOREIGN TABLE far.rules_proper (ev_class regclass, ev_action pg_node_tree) SERVER twin_server
  OPTIONS (schema_name 'pg_catalog', table_name 'pg_rewrite');
SELECT * FROM far.rules_proper;

-- types of users, whose OIDs differ on the two sides
SELECT $fixture$
CREATE TYPE mood AS ENUM ('sad', 'it''s ok', 'happy');
CREATE TYPE pair AS (a int, b text);
CREATE TYPE nested AS (p pair, ps pair[], m mood);
CREATE DOMAIN small AS int CHECK (VALUE < 100);
CREATE DOMAIN smaller AS small CHECK (VALUE > 0);
CREATE TYPE textrange AS RANGE (subtype = text);
CREATE TABLE users (id int, m mood, ms mood[], p pair, ps pair[], n nested, s smaller, ss smaller[], r textrange, rm textmultirange);
INSERT INTO users VALUES
  (1, 'sad', '{sad,NULL,"it''s ok"}', (1, 'a'), ARRAY[(1, 'a"b'), NULL, (NULL, NULL)]::pair[], ((1, ''), ARRAY[(2, ',')]::pair[], 'happy'), 5, '{5,NULL}', '[a,b)', '{[a,b),[c,d]}'),
  (2, NULL, '{}', (NULL, NULL), '[2:2]={"(1,)"}', (NULL, NULL, NULL), NULL, NULL, 'empty', '{}'),
  (3, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
CREATE TABLE users_w (LIKE users);
$fixture$ AS fixture \gset
\set remote_schema types_users
\connect :remote_db - :remote_host :remote_port
-- so that no two OIDs agree
CREATE TABLE some_oids ();
DROP TABLE some_oids;
\i :twins
DROP FOREIGN TABLE far.users, far.users_w;
CREATE FOREIGN TABLE far.users (id int, m near.mood, ms near.mood[], p near.pair, ps near.pair[], n near.nested, s near.smaller,
  ss near.smaller[], r near.textrange, rm near.textmultirange) SERVER twin_server OPTIONS (schema_name 'types_users');
CREATE FOREIGN TABLE far.users_w (id int, m near.mood, ms near.mood[], p near.pair, ps near.pair[], n near.nested, s near.smaller,
  ss near.smaller[], r near.textrange, rm near.textmultirange) SERVER twin_server OPTIONS (schema_name 'types_users');
SELECT far.same('SELECT * FROM users');
SELECT far.same('SELECT id, p IS NULL, (n).p IS NULL, ps[2].a FROM users');
SELECT far.same('SELECT id FROM users WHERE m = ''sad''');
SELECT far.alike('INSERT INTO users_w SELECT * FROM near.users', '{users_w}');

-- large values
SELECT $fixture$
CREATE TABLE big (id int, t text, b bytea, j jsonb, a float4[]);
ALTER TABLE big ALTER t SET STORAGE EXTERNAL, ALTER b SET STORAGE EXTERNAL, ALTER j SET STORAGE EXTERNAL;
INSERT INTO big SELECT 1, t, left(t, 20000000)::bytea, to_jsonb(left(t, 10000000)), array_fill(1.5::float4, ARRAY[1000000])
  FROM repeat('0123456789', 10485760) t;
CREATE TABLE big_w (LIKE big INCLUDING STORAGE);
$fixture$ AS fixture \gset
\set remote_schema types_big
\i :twins
SELECT far.same('SELECT id, length(t), md5(t), length(b), md5(b), length(j::text), md5(j::text), md5(a::text) FROM big');
INSERT INTO far.big_w SELECT * FROM near.big;
SELECT f.rows = n.rows AS same, cardinality(f.rows)
  FROM far.rows_of('near', 'SELECT id, length(t), md5(t), length(b), md5(b), length(j::text), md5(j::text), md5(a::text) FROM big') n,
    far.rows_of('far', 'SELECT id, length(t), md5(t), length(b), md5(b), length(j::text), md5(j::text), md5(a::text) FROM big_w') f;

-- what is declared here isn't what is there
SELECT $fixture$
CREATE TABLE m (i2 int2, i4 int4, i8 int8, f4 float4, f8 float8, n numeric, t text, b bool, c char(4), v varchar,
  d date, ts timestamptz, ip inet, js json, ia int[], na name, x bytea, long text);
INSERT INTO m VALUES (1, 65536, 4294967296, 0.1, 0.1, 1.005, 'happy', true, 'ab', '12', '2024-02-29',
  '2024-02-29 12:00:00.6+00', '10.0.0.1', '{"a": 1}', '{1,2}', 'nam', '\x61', repeat('x', 64));
INSERT INTO m DEFAULT VALUES;
$fixture$ AS fixture \gset
\set remote_schema types_mis
\i :twins
SET TimeZone = 'UTC';
-- asks for one column of m declared with another type
CREATE FUNCTION far.as_type(col text, typ text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  answer text;
BEGIN
  DROP FOREIGN TABLE IF EXISTS far.x;
  EXECUTE format('CREATE FOREIGN TABLE far.x (c %s OPTIONS (column_name %L)) SERVER twin_server OPTIONS (schema_name ''types_mis'', table_name ''m'')', typ, col);
  EXECUTE 'SELECT string_agg(coalesce(quote_literal(c::text), ''null''), '' '') FROM (SELECT c FROM far.x WHERE random() >= 0) x' INTO answer;
  RETURN answer;
EXCEPTION WHEN OTHERS THEN
  RETURN format('%s: %s', SQLSTATE, SQLERRM);
END
$$;
SET client_min_messages = warning;
CREATE TYPE far.mood AS ENUM ('sad', 'happy');
CREATE DOMAIN far.small AS int CHECK (VALUE < 100);
CREATE DOMAIN far.present AS int NOT NULL;
SELECT col, typ, as_type(col, typ) FROM (VALUES
  ('i2', 'int4'), ('i2', 'int8'), ('i2', 'text'), ('i2', 'bool'), ('i2', 'far.small'), ('i2', 'far.present'), ('i2', 'float4'), ('i2', '"char"'), ('i2', 'oid'),
  ('i4', 'int2'), ('i4', 'int8'), ('i4', 'text'), ('i4', 'float4'), ('i4', 'far.small'), ('i4', 'date'), ('i4', 'oid'), ('i4', 'xid'), ('i4', '"char"'), ('i4', 'numeric(8,2)'), ('i4', 'numeric(3)'),
  ('i8', 'int4'), ('i8', 'numeric'), ('i8', 'float8'), ('i8', 'timestamp'), ('i8', 'money'),
  ('f4', 'int4'), ('f4', 'float8'), ('f4', 'numeric'), ('f4', 'text'),
  ('f8', 'float4'), ('f8', 'int8'), ('f8', 'numeric(3,2)'),
  ('n', 'numeric(6,2)'), ('n', 'float8'), ('n', 'int4'), ('n', 'text'),
  ('t', 'far.mood'), ('t', 'varchar'), ('t', 'varchar(5)'), ('t', 'varchar(3)'), ('t', 'char(8)'), ('t', 'char(3)'), ('t', 'name'), ('t', 'bytea'), ('t', 'json'), ('t', 'jsonb'), ('t', 'int4'), ('t', 'text[]'), ('t', 'xid8'), ('t', '"char"'),
  ('b', 'text'), ('b', 'int4'), ('b', '"char"'),
  ('c', 'text'), ('c', 'char(2)'), ('c', 'char(6)'), ('c', 'varchar(2)'), ('c', 'varchar(6)'),
  ('v', 'int4'), ('v', 'text'), ('v', 'char(3)'), ('v', 'json'),
  ('d', 'timestamp'), ('d', 'text'), ('d', 'int4'),
  ('ts', 'timestamptz(0)'), ('ts', 'timestamp'), ('ts', 'date'), ('ts', 'text'),
  ('ip', 'cidr'), ('ip', 'text'),
  ('js', 'jsonb'), ('js', 'text'), ('js', 'varchar(4)'),
  ('ia', 'int8[]'), ('ia', 'text'), ('ia', 'text[]'), ('ia', 'int4'), ('ia', 'int2vector'),
  ('na', 'text'), ('na', 'varchar(2)'), ('long', 'name'), ('long', 'text'),
  ('x', 'text'), ('x', 'int4')) q (col, typ);
RESET client_min_messages;

-- which column an error is about
CREATE FOREIGN TABLE far.y (i2 int, f8 int, n numeric) SERVER twin_server OPTIONS (schema_name 'types_mis', table_name 'm');
\set SHOW_CONTEXT errors
SELECT * FROM far.y;
SELECT a.i2, b.q FROM far.y a JOIN far.y b(p, q, r) ON a.i2 = b.p;
SELECT a.i2, b AS whole FROM far.y a JOIN far.y b(p, q, r) ON a.i2 = b.p;
SELECT array_agg(f8) FROM far.y;
\set SHOW_CONTEXT never
SELECT i2, n FROM far.y;
-- a rescan of a query with such columns
SET enable_material = off;
CREATE FOREIGN TABLE far.z (i8 numeric, i4 int) SERVER twin_server OPTIONS (schema_name 'types_mis', table_name 'm');
SELECT g, i8, i4 FROM generate_series(1, 3) g, LATERAL (SELECT i8, i4 FROM far.z WHERE random() >= 0 AND i4 > g LIMIT 1) z ORDER BY g;
RESET enable_material;

-- a domain's condition that reads from the same server while a row of it is decoded
CREATE FUNCTION far.known(int) RETURNS bool LANGUAGE plpgsql AS
  'BEGIN RETURN EXISTS (SELECT FROM far.m WHERE i2 <= $1); END';
CREATE DOMAIN far.known AS int CHECK (far.known(VALUE));
SET jit = off;
CREATE FOREIGN TABLE far.series (i far.known, t text, j far.known OPTIONS (column_name 'i')) SERVER twin_server OPTIONS (schema_name 'types_mis', table_name 'series');
SELECT dblink_exec('twin_server', 'CREATE TABLE types_mis.series AS SELECT i, repeat(md5(i::text), 50) AS t FROM generate_series(1, 3000) i');
SELECT count(*), sum(i), sum(j), count(DISTINCT t), min(length(t)), bool_and(md5(i::text) = left(t, 32)) FROM far.series;
SELECT dblink_exec('twin_server', 'INSERT INTO types_mis.series VALUES (0, ''x'')');
SELECT sum(i) FROM far.series;
