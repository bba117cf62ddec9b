-- UPDATE and DELETE in batches whose rows leave while the plan still brings more: nothing that the
-- statement reads or calls may find what it has done so far.
\getenv abs_srcdir PG_ABS_SRCDIR
\set remote_sql :abs_srcdir '/include/remote.psql'
\i :remote_sql
\set remote_schema early
SELECT $fixture$
CREATE TABLE t (id int PRIMARY KEY, n int, b bit(16));
INSERT INTO t SELECT i, i, i::bit(16) FROM generate_series(1, 2000) i;
CREATE TABLE bt (id int, n int, v text);
INSERT INTO bt SELECT i, 0, 'b' || i FROM generate_series(1, 10) i;
$fixture$ AS fixture \gset
\set twins :abs_srcdir '/include/twins.psql'
\i :twins
SET pgml_fdw.enable_keyed_join = off;
SET enable_nestloop = off;
SET enable_mergejoin = off;

CREATE TABLE public.given (id int, n int, b bit(16));
INSERT INTO given SELECT i, 0, CASE WHEN i > 1500 THEN (i - 1500)::bit(16) END FROM generate_series(1, 8000) i;
CREATE INDEX ON given (b NULLS FIRST);
ANALYZE given;
ANALYZE t;
ANALYZE near.t;
CREATE INDEX ON given (id);

-- What a stable function finds is the table as it was before the statement, in a join's condition, too.
CREATE FUNCTION far.unchanged(int) RETURNS int LANGUAGE plpgsql STABLE AS $$
BEGIN
  RETURN CASE WHEN $1 % 400 <> 0 OR NOT EXISTS (SELECT FROM t WHERE n < 0) THEN $1 END;
END
$$;
SELECT alike('UPDATE t SET n = -t.n FROM given g WHERE far.unchanged(g.id) = t.id');
SELECT alike('UPDATE t SET n = id');
SET enable_hashjoin = off;
SET enable_mergejoin = on;
SELECT alike('UPDATE t SET n = -t.n FROM given g WHERE far.unchanged(g.id) = t.id');
SELECT alike('UPDATE t SET n = id');
SET enable_mergejoin = off;
SET enable_nestloop = on;
SET enable_seqscan = off;
SELECT alike('UPDATE t SET n = -t.n FROM given g WHERE g.id = far.unchanged(t.id)');
SELECT alike('UPDATE t SET n = id');
SET enable_bitmapscan = off;
SELECT alike('UPDATE t SET n = -t.n FROM given g WHERE g.id = far.unchanged(t.id)');
SELECT alike('UPDATE t SET n = id');
RESET enable_bitmapscan;
SET enable_seqscan = on;
SET enable_nestloop = off;
SET enable_hashjoin = on;

-- Some of core's stable functions run queries, too: rows wait for the end (none is sent before an error)
CREATE FUNCTION far.sent_before(statement text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
  before bigint := (SELECT rows_out FROM pgml_fdw_stats());
BEGIN
  EXECUTE statement;
EXCEPTION WHEN division_by_zero THEN
  RETURN (SELECT rows_out FROM pgml_fdw_stats()) - before;
END
$$;
SELECT sent_before('UPDATE t SET n = 1 / (1300 - g.id) FROM given g WHERE g.id = t.id');
SELECT sent_before($$UPDATE t SET n = 1 / (1300 - g.id) + CASE WHEN g.id = 0 THEN length(table_to_xml('far.t', true, true, '')::text) ELSE 0 END FROM given g WHERE g.id = t.id$$);

-- So they do where values are made whose domains have a check that looks around, however deep they lie.
CREATE FUNCTION far.looks(int) RETURNS bool LANGUAGE sql RETURN (SELECT $1 >= 0 OR EXISTS (SELECT FROM far.t));
ALTER FUNCTION far.looks VOLATILE;
CREATE DOMAIN far.quiet AS int CHECK (VALUE >= 0);
CREATE DOMAIN far.loud AS int CHECK (far.looks(VALUE));
CREATE DOMAIN far.louder AS far.loud;
CREATE TYPE far.quiet_pair AS (a int, b far.quiet);
CREATE TYPE far.loud_pair AS (a int, b far.louder);
CREATE TYPE far.nested AS (x int, y far.loud_pair[]);
CREATE DOMAIN far.hidden AS far.nested;
CREATE TYPE far.span AS RANGE (subtype = far.loud, multirange_type_name = far.spans);
CREATE FUNCTION far.sent_making(value text) RETURNS bigint LANGUAGE sql AS $$
  SELECT sent_before('UPDATE t SET n = 1 / (1300 - g.id) + CASE WHEN num_nulls(' || value || ') = 1 THEN 0 ELSE 1 END FROM given g WHERE g.id = t.id')
$$;
SELECT value, sent_making(value) FROM (VALUES ('g.id::quiet'), ('g.id::loud'), ('ARRAY[g.id]::loud[]'),
  ($$format('(1,%s)', g.id)::quiet_pair$$), ($$format('(1,%s)', g.id)::loud_pair$$), ($$format('{"(1,%s)"}', g.id)::loud_pair[]$$),
  ($$format('(1,"{""(1,%s)""}")', g.id)::nested$$), ($$format('(1,"{""(1,%s)""}")', g.id)::hidden$$),
  ($$format('[%s,9999)', g.id)::span$$), ($$format('{[%s,9999)}', g.id)::spans$$),
  ($$jsonb_populate_record(NULL::quiet_pair, jsonb_build_object('b', g.id))$$), ($$jsonb_populate_record(NULL::loud_pair, jsonb_build_object('b', g.id))$$)) v (value);
SELECT sent_before($$UPDATE t SET n = 1 / (1300 - g.id) + r.b FROM given g, jsonb_to_record(jsonb_build_object('b', g.id)) AS r (b int) WHERE g.id = t.id$$);
SELECT sent_before($$UPDATE t SET n = 1 / (1300 - g.id) + r.b FROM given g, jsonb_to_record(jsonb_build_object('b', g.id)) AS r (b loud) WHERE g.id = t.id$$);
SELECT sent_before($$UPDATE t SET n = 1 / (1300 - g.id) + r.b FROM given g, xmltable('/r' PASSING xmlelement(NAME r, g.id) COLUMNS b int PATH '.') r WHERE g.id = t.id$$);
SELECT sent_before($$UPDATE t SET n = 1 / (1300 - g.id) + r.b FROM given g, xmltable('/r' PASSING xmlelement(NAME r, g.id) COLUMNS b loud PATH '.') r WHERE g.id = t.id$$);

-- A function of an aggregate that is volatile finds what has been done so far.
CREATE FUNCTION public.count_changed(int, int) RETURNS int LANGUAGE plpgsql AS $$
BEGIN
  RETURN CASE WHEN $2 IN (900, 1200) THEN (SELECT count(*) FROM t WHERE n <= 0) ELSE 0 END;
END
$$;
CREATE AGGREGATE public.changed(int) (sfunc = count_changed, stype = int, initcond = '0');
SET enable_hashagg = off;
SET enable_hashjoin = off;
SET enable_mergejoin = on;
SELECT alike('UPDATE t SET n = s.so_far FROM (SELECT id, changed(id) AS so_far FROM given GROUP BY id) s WHERE s.id = t.id');
SELECT alike('UPDATE t SET n = id');
RESET enable_hashagg;
SET enable_hashjoin = on;
SET enable_seqscan = off;
DROP INDEX given_id_idx;

-- The rows of a merge join that have no match may come before its inner side is looked at.
SELECT alike('UPDATE t SET n = coalesce(u.n, -1) + 1 FROM given g LEFT JOIN t u ON u.b = g.b WHERE g.id = t.id');
SELECT alike('UPDATE t SET n = id');
SELECT same('SELECT * FROM t');
\set ECHO none
SET client_min_messages = warning;
DROP TABLE public.given;
DROP AGGREGATE public.changed(int);
DROP FUNCTION public.count_changed;
DROP SCHEMA near, far CASCADE;
DROP SERVER twin_server CASCADE;
