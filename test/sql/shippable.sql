-- Which conditions the remote evaluates, how they are written, and that their
-- answer is the one that a local table gives.
\getenv abs_srcdir PG_ABS_SRCDIR
\set remote_sql :abs_srcdir '/include/remote.psql'
\i :remote_sql
\set remote_schema shippable
SELECT $fixture$
CREATE TABLE t (id int PRIMARY KEY, i2 smallint, i8 bigint, n numeric(10,2), f4 real, f8 float8, b bool,
                txt text, c text COLLATE "C", p text COLLATE "POSIX", vc varchar(10), bp char(5), nm name,
                d date, tm time, ts timestamp, tz timestamptz, iv interval, arr int[], tarr text[], bits bit(4), vbits varbit,
                u uuid, by bytea, j jsonb, r int4range, o oid, "select" int, "Odd ""name" int, ch "char");
INSERT INTO t SELECT i, i % 5 - 2, (i - 5) * 10000000000, (i - 5) * 1.25, i / 4.0, nullif(i, 6) / 3.0, nullif(i % 3, 2) = 0,
  (array['a', 'B', 'it''s', 'back\slash', 'a%', '', '12'])[i % 8], (array['x', 'Y', 'z'])[i % 4], (array['x', 'Y', 'z'])[i % 3 + 1],
  (array['ab', 'Ab', 'ab ', null])[i % 4 + 1], (array['ab', 'Ab', 'b'])[i % 3 + 1], 'name' || i % 3,
  date '2024-02-28' + i, time '10:00' + i * interval '1 min', timestamp '2024-02-28' + i * interval '1 h',
  timestamptz '2024-02-28 00:00+00' + i * interval '1 h', i * interval '1 day -2 hours',
  array[i, nullif(i, 3), 7], array['a', null, 'x' || i], i::bit(4), i::bit(4)::varbit, lpad(i::text, 32, '0')::uuid, decode('5c2700' || lpad(to_hex(i), 2, '0'), 'hex'),
  jsonb_build_object('k', i, 't', 'a'), int4range(i, i + 3), i, i, i, chr(64 + i)::"char"
  FROM generate_series(1, 12) i;
INSERT INTO t (id) VALUES (13);
CREATE TABLE u (id int, t_id int, txt text);
INSERT INTO u SELECT i, i * 2, (array['a', 'B', '12'])[i % 3 + 1] FROM generate_series(1, 6) i;
$fixture$ AS fixture \gset
\set twins :abs_srcdir '/include/twins.psql'
\i :twins

-- What of a query is sent, behind the table's name, or nothing.
CREATE FUNCTION sent(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  line text;
  answer text;
BEGIN
  FOR line IN EXECUTE 'EXPLAIN (VERBOSE, COSTS OFF) ' || query LOOP
    IF line ~ 'Remote SQL: .* FROM shippable\.t' THEN
      answer := nullif(regexp_replace(line, '.* FROM shippable\.t', ''), '');
    END IF;
  END LOOP;
  RETURN coalesce(substr(answer, 2), '(nothing)');
END
$$;

-- The same for a condition, which must be true, false and null for the same rows on both sides.
CREATE FUNCTION ships(condition text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  verdict text := far.same(replace('SELECT id, 1 FROM t WHERE # UNION ALL SELECT id, 2 FROM t WHERE NOT (#)
                                UNION ALL SELECT id, 3 FROM t WHERE (#) IS NULL', '#', condition));
BEGIN
  RETURN far.sent('SELECT id FROM far.t WHERE ' || condition) ||
    CASE WHEN verdict ~ '^same (13 rows|error)' THEN '' ELSE E'\n' || verdict END;
END
$$;

-- constants
SELECT ships('id = 5');
SELECT ships('id = -5');
SELECT ships('id > -2147483648');
SELECT ships('i8 = -30000000000');
SELECT ships('i2 = 1::smallint');
SELECT ships('i8 = 20000000000');
SELECT ships('n = 3.75');
SELECT ships('n < 10');
SELECT ships('n > -1.25');
SELECT ships('n <> ''NaN''');
SELECT ships('f4 = 0.75::real');
SELECT ships('f8 <> ''-Infinity'' AND f8 < ''NaN''');
SELECT ships('f8 = 1::float8 / 3');
SELECT ships('b = true');
SELECT ships('b <> (id = 3)');
SELECT ships($$txt = 'it''s'$$);
SELECT ships($$txt = 'back\slash'$$);
SELECT ships($$by = '\x5c270001'$$);
SELECT ships($$bits = B'0101' OR vbits = '0011'$$);
SELECT ships($$d > '2024-03-02' AND tm < '10:05'$$);
SELECT ships($$ts >= '2024-02-28 04:05:06.789' AND tz > '2024-02-28 02:00+05:30'$$);
SELECT ships($$iv < '3 days -1 hour'$$);
SELECT ships($$u = '00000000000000000000000000000004'$$);
SELECT ships($$arr = '{4,4,7}' OR tarr = '{a,NULL,x2}'$$);
SELECT ships($$j @> '{"k": 3}'$$);
SELECT ships($$r && '[2,4)'$$);
SELECT ships($$nm = 'name1'$$);
SELECT ships($$ch = 'C'$$);
SELECT ships('o = 3');
SELECT ships($$vc = 'ab' AND bp = 'ab'$$);
SELECT ships($$id * '$1.50'::money > '$1,234.56' OR id * '$1.50'::money > '$6'$$);
SELECT ships('txt = NULL');
SET datestyle = 'German, DMY';
SET intervalstyle = 'iso_8601';
SET extra_float_digits = -10;
SET bytea_output = 'escape';
SELECT ships($$tz > '2024-02-28 02:00+05:30' AND iv < '3 days' AND f8 <> 1.1 AND by <> '\x5c'$$);
RESET datestyle;
RESET intervalstyle;
RESET extra_float_digits;
RESET bytea_output;

-- columns
SELECT ships('"select" = 3 AND "Odd ""name" <> 4');
SELECT sent($$SELECT * FROM far.t WHERE ctid = '(0,1)'$$);
SELECT sent($$SELECT * FROM far.t WHERE tableoid = 1$$);
SELECT sent($$SELECT * FROM far.t WHERE xmin = '1'$$);
SELECT sent($$SELECT * FROM far.t WHERE t IS NOT NULL$$);

-- operators and functions
SELECT ships('id + 1 = 4 AND -id < @ (-3)');
SELECT ships('- (- id) = 4');
SELECT ships('i8 = id');
SELECT ships('id = f8 * 3');
SELECT ships('abs(id - 5) = 2');
SELECT ships('mod(id, 3) = 1');
SELECT ships('extract(dow FROM d) = 1');
SELECT ships('(d, d) OVERLAPS (date ''2024-03-01'', date ''2024-03-04'')');
SELECT ships($$date_trunc('day', ts) = '2024-02-28'$$);
SELECT ships($$ts AT TIME ZONE 'UTC' = '2024-02-28 05:00Z'$$);
SELECT ships($$substring(txt FROM 2 FOR 1) = 's'$$);
SELECT ships($$overlay(txt PLACING 'x' FROM 1) = 'xt''s'$$);
SELECT ships($$position('s' IN txt) = 4$$);
SELECT ships($$trim(both 'a' FROM txt) = '%'$$);
SELECT ships($$jsonb_extract_path_text(j, VARIADIC ARRAY['t']) = 'a'$$);
SELECT ships($$jsonb_extract_path_text(j, 't') = 'a'$$);
SELECT ships($$jsonb_extract_path_text(j, VARIADIC tarr) = 'a'$$);
SELECT ships('"left"(txt, 1) = ''a''');
SELECT ships('num_nulls(id, txt) = 1');
SELECT ships($$j ->> 't' = 'a' AND (j -> 'k')::int < 4$$);
SELECT ships($$j ? 'k' AND j #>> '{k}' LIKE '1%'$$);

-- casts
SELECT ships('id::bigint = 3');
SELECT ships('f8::int = 1');
SELECT ships('n::int = 3');
SELECT ships('n::numeric(5,1) = 2.5');
SELECT ships('id::text = ''12''');
SELECT ships('id::text LIKE ''1%''');
SELECT ships('id::text || ''x'' = ''12x''');
SELECT ships('id::text < ''3''');
SELECT ships($$'id ' || id = 'id 4'$$);
SELECT ships('txt::varchar(2) = ''it''');
SELECT ships('bp::text = ''ab''');
SELECT ships('id::varchar(1) = ''1''');
SELECT ships('id::bit(4) = B''0011''');
SELECT ships('u::text LIKE ''%4''');
SELECT ships('id::bool');
SELECT ships('arr::bigint[] = ''{4,4,7}''');
SELECT ships('arr::text[] = ''{4,4,7}''');
SELECT ships('tarr::varchar(1)[] = ''{a,NULL,x}''');
SELECT ships('ts::date = ''2024-02-28''');
SELECT ships('ts::timestamp(0) = ''2024-02-28 03:00''');
SELECT ships('iv::interval hour = ''3 days''');
SELECT ships('f8::text = ''1''');
SELECT ships('tz::text = ''1''');
SELECT ships('tz::date = ''2024-02-28''');
SELECT ships('by::text = ''x''');
SELECT ships('d::text = ''x''');
SELECT ships('tz::timestamp = ts');

-- Boolean expressions and tests
SELECT ships('b');
SELECT ships('NOT b');
SELECT ships('b IS TRUE OR b IS NOT FALSE AND b IS NOT UNKNOWN');
SELECT ships('b IS NOT TRUE');
SELECT ships('b IS FALSE');
SELECT ships('b IS UNKNOWN');
SELECT ships('(id = 1 OR id = 2) AND NOT (id = 2 AND i2 IS NULL)');
SELECT ships('txt IS NULL OR vc IS NOT NULL');
SELECT ships('i2 IS DISTINCT FROM id');
SELECT ships('i2 IS NOT DISTINCT FROM 2');
SELECT ships('NULLIF(id, 3) IS NULL');
SELECT ships('NULLIF(vc, ''ab'') = ''Ab''');
SELECT ships('id IN (1, 2, 30)');
SELECT ships('id NOT IN (1, 2, 30)');
SELECT ships('id NOT IN (1, 2, NULL)');
SELECT ships('id <> ALL (arr)');
SELECT ships('7 = ANY (arr)');
SELECT ships('id = ANY (ARRAY[i2, id / 2, 5])');
SELECT ships('txt IN (''a'', ''B'')');
SELECT ships('vc IN (''ab'', ''Ab'')');
SELECT ships('COALESCE(i2, id, 7) = 1');
SELECT ships('COALESCE(b, id = 13)');
SELECT ships('GREATEST(id, i2, 4) = LEAST(id, 8)');
SELECT ships('GREATEST(c, ''x'') = ''x''');
SELECT ships('(id, i8) > (5, 3)');
SELECT ships('(i2, c) <= (1, ''x'')');
SELECT ships('(c, p) < (''x'', ''x'')');
SELECT ships('ROW(id, b) = ROW(3, true)');

-- CASE
SELECT ships('CASE WHEN id = 1 THEN b WHEN id < 5 THEN true END');
SELECT ships('CASE id WHEN 1 THEN 2 WHEN 2 THEN i2 ELSE 3 END = 2');
SELECT ships('CASE vc WHEN ''ab'' THEN ''y'' ELSE txt END = ''y''');
SELECT ships('CASE id WHEN i8 THEN true ELSE CASE WHEN b THEN false END END');
SELECT ships('CASE CASE id WHEN 3 THEN 4 ELSE 5 END WHEN 4 THEN true ELSE false END');
SELECT ships('CASE i2 WHEN 1 THEN CASE id WHEN 3 THEN true ELSE false END ELSE id > 5 END');

-- arrays
SELECT ships('arr[1] = 3');
SELECT ships('arr[id - 5] = 7');
SELECT ships('arr[2:3] = ''{4,7}''');
SELECT ships('arr[:2] = ''{4,4}'' OR arr[2:] = ''{5,7}''');
SELECT ships('(ARRAY[id, 5, NULL])[2] = i2 + 3');
SELECT ships('(ARRAY[[id, 5], [6, 7]])[1][1] = 5');
SELECT ships('ARRAY[]::int[] <> arr');
SELECT ships('ARRAY[txt, ''x''] = ''{a,x}''');
SELECT ships('string_to_array(txt, ''t'') = ''{i,''''s}''');
SELECT ships('(string_to_array(txt, ''t''))[1] = ''i''');
SELECT ships('j[''k''] = ''3''');

-- collations: a column's own, or a comparison that needs none
SELECT ships('txt = ''a''');
SELECT ships('txt < ''b''');
SELECT ships('c < ''y''');
SELECT ships('c < txt');
SELECT ships('upper(c) = ''X''');
SELECT ships('upper(c) || txt < ''Y''');
SELECT ships('nm < ''name1''');
SELECT ships('nm::text = ''name1''');
SELECT ships('CASE WHEN id > 3 THEN c ELSE ''x'' END < ''y''');
SELECT ships('c COLLATE "C" < ''y''');
SELECT ships('c COLLATE "POSIX" < ''y''');
SELECT ships('c COLLATE "default" = ''y''');
SELECT ships('txt COLLATE "C" < ''y''');
SELECT ships('txt < (''y'' COLLATE "C")');
SELECT ships('(txt COLLATE "C") IS NULL');
SELECT ships('c || p = ''xx'' COLLATE "C"');
SELECT ships('c || p IS NULL');
SELECT ships('CASE WHEN id > 3 THEN ''x'' ELSE upper(id::text) END < ''y''');
SELECT ships('lower(id::text) = ''3''');

-- what stays here
SELECT ships('id < random() * 0');
SELECT ships('to_char(id, ''9'') = '' 3''');
SELECT ships('md5(txt) = md5(''a'')');
SELECT ships('octet_length(txt) = 1');
SELECT ships('chr(id + 64) = ''C''');
SELECT ships('date_part(''hour'', tz) = 1');
SELECT ships('o = ''pg_class''::regclass');
SELECT sent($$SELECT * FROM far.t WHERE o::regclass = 'pg_class'::regclass$$);
SELECT sent($$SELECT * FROM far.t WHERE to_tsvector('english', txt) @@ 'x'::tsquery$$);
SELECT sent($$SELECT * FROM far.t WHERE to_tsvector('simple'::regconfig, c) @@ to_tsquery('simple', 'x & !y')$$);
SELECT sent($$SELECT * FROM far.t WHERE ROW(id, b) IS NOT DISTINCT FROM ROW(1, true)$$);
SELECT sent($$SELECT * FROM far.t WHERE id = 1 AND id < random() * 10 AND b$$);
SELECT sent($$SELECT * FROM far.t WHERE false$$);

-- objects of ours
CREATE FUNCTION far.mine(int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS 'BEGIN RETURN $1 + 1; END';
CREATE FUNCTION far.inlined(int) RETURNS int IMMUTABLE LANGUAGE sql AS 'SELECT CASE $1 WHEN 1 THEN 2 ELSE $1 END';
CREATE OPERATOR far.=== (FUNCTION = int4eq, LEFTARG = int, RIGHTARG = int);
CREATE TYPE far.mood AS ENUM ('happy', 'sad');
CREATE DOMAIN far.positive AS int CHECK (VALUE > 0);
CREATE FOREIGN TABLE odd (id positive, txt mood) SERVER twin_server OPTIONS (schema_name 'shippable', table_name 't');
SELECT sent('SELECT * FROM far.t WHERE far.mine(id) = 3');
SELECT sent('SELECT * FROM far.t WHERE far.inlined(id) = 3');
SELECT sent('SELECT * FROM far.t WHERE id OPERATOR(far.===) 3');
SELECT sent('SELECT * FROM far.odd WHERE id = 3');
SELECT sent($$SELECT * FROM far.odd WHERE txt = 'happy'$$);
CREATE CAST (text AS bytea) WITHOUT FUNCTION;
SELECT sent($$SELECT * FROM far.t WHERE txt::bytea = '\x61'$$);
DROP CAST (text AS bytea);

-- parameters
PREPARE by_id(int, text) AS SELECT id FROM far.t WHERE id = $1 AND c >= $2 AND $1 > 0;
SET plan_cache_mode = force_generic_plan;
SELECT sent('EXECUTE by_id(1, ''a'')');
EXECUTE by_id(1, 'a');
EXECUTE by_id(3, 'a\''b $1');
EXECUTE by_id(NULL, NULL);
PREPARE by_many(timestamptz, float8, int[], bytea, text, numeric, char(5), "char") AS
  SELECT id FROM far.t WHERE tz > $1 AND f8 <> $2 AND id = ANY ($3) AND by <> $4 AND txt <> $5 AND n < $6 AND bp = $7 AND ch = ANY (ARRAY[$8, 'B'])
  ORDER BY id;
PREPARE by_many_near(timestamptz, float8, int[], bytea, text, numeric, char(5), "char") AS
  SELECT id FROM near.t WHERE tz > $1 AND f8 <> $2 AND id = ANY ($3) AND by <> $4 AND txt <> $5 AND n < $6 AND bp = $7 AND ch = ANY (ARRAY[$8, 'B'])
  ORDER BY id;
SET datestyle = 'SQL, DMY';
SELECT sent('EXECUTE by_many(''01/02/2024'', 1, ''{1,2,3}'', ''\x5c27'', '''', 1, ''ab'', ''C'')');
EXECUTE by_many('27/02/2024 12:00', 1.1, '{1,2,3}', '\x5c27', '', 1, 'ab', 'C');
EXECUTE by_many_near('27/02/2024 12:00', 1.1, '{1,2,3}', '\x5c27', '', 1, 'ab', 'C');
RESET datestyle;
PREPARE by_odd(mood, regclass) AS SELECT id FROM far.t WHERE b = ($1 = 'sad') AND b = ($2 = 'far.t'::regclass);
SELECT sent('EXECUTE by_odd(''sad'', ''far.t'')');
RESET plan_cache_mode;
DEALLOCATE ALL;
SELECT sent('SELECT id FROM far.t WHERE id = (SELECT max(t_id) FROM near.u)');
SELECT same('SELECT id FROM t WHERE id = (SELECT max(t_id) FROM near.u)');
SET enable_hashjoin = off;
SET enable_mergejoin = off;
SET enable_material = off;
SELECT sent('SELECT * FROM near.u, LATERAL (SELECT * FROM far.t WHERE t.id > u.t_id AND t.id <> u.t_id * 2 AND t.txt = u.txt OFFSET 0) x');
SELECT same('SELECT u.id, x.id FROM near.u, LATERAL (SELECT * FROM t WHERE t.id > u.t_id AND t.id <> u.t_id * 2 AND t.txt = u.txt OFFSET 0) x');
RESET enable_hashjoin;
RESET enable_mergejoin;
RESET enable_material;

-- row locks
SELECT sent('SELECT id FROM far.t WHERE id = 1 FOR UPDATE');
SELECT sent('SELECT id FROM far.t WHERE id = 1 FOR NO KEY UPDATE NOWAIT');
SELECT sent('SELECT id FROM far.t WHERE id = 1 FOR SHARE SKIP LOCKED');
SELECT sent('SELECT id FROM far.t WHERE id = 1 FOR KEY SHARE');

-- sort orders
SELECT sent('SELECT id FROM far.t ORDER BY id DESC, c NULLS FIRST, i2 USING < LIMIT 3');
SELECT sent('SELECT id FROM far.t ORDER BY id::text LIMIT 3');
SELECT sent('SELECT id FROM far.t ORDER BY txt COLLATE "C" LIMIT 3');
SELECT sent('SELECT id FROM far.t ORDER BY vc, arr, - n LIMIT 3');
SELECT sent('SELECT id FROM far.t ORDER BY vc USING ~<~, random() LIMIT 3');
SELECT sent('SELECT id FROM far.t ORDER BY vc USING ~>~ LIMIT 3');
SELECT far.rows_of(side, 'SELECT array_agg(x.id) FROM (SELECT id FROM t ORDER BY i2 DESC NULLS LAST, c, vc USING ~>~, id LIMIT 9) x')
  FROM (VALUES ('far'), ('near')) s (side);

-- nesting and length
SELECT sent('SELECT id FROM far.t WHERE ' || repeat('(', 300) || 'id = 1' || repeat(' OR id + 1 = 2)', 300)) ~ '^WHERE .* OR ' AS deep;
SELECT same('SELECT id FROM t WHERE id IN (' || string_agg(i::text, ', ') || ')') FROM generate_series(1, 20000, 3) i;

-- members of an extension that both sides have, for which ours stands in
\connect :remote_db - :remote_host :remote_port
SET client_min_messages = warning;
DROP SCHEMA IF EXISTS "far out" CASCADE;
CREATE SCHEMA "far out";
SET search_path = "far out";
CREATE FUNCTION mine(int, VARIADIC int[]) RETURNS int IMMUTABLE LANGUAGE sql AS 'SELECT $1 + $2[1]';
CREATE OPERATOR === (FUNCTION = int4eq, LEFTARG = int, RIGHTARG = int);
CREATE TYPE mood AS ENUM ('happy', 'sad');
CREATE TABLE moods AS SELECT id, (ARRAY['happy', 'sad'])[id % 2 + 1]::mood AS mood FROM generate_series(1, 5) id;
\connect :local_db - :local_host :local_port
SET client_min_messages = warning;
CREATE SCHEMA "far out";
SET search_path = far, "far out", public;
CREATE FUNCTION "far out".mine(int, VARIADIC int[]) RETURNS int IMMUTABLE LANGUAGE plpgsql AS 'BEGIN RETURN $1 + $2[1]; END';
CREATE OPERATOR "far out".=== (FUNCTION = int4eq, LEFTARG = int, RIGHTARG = int);
CREATE TYPE "far out".mood AS ENUM ('happy', 'sad');
CREATE FOREIGN TABLE moods (id int, mood "far out".mood) SERVER twin_server OPTIONS (schema_name 'far out', table_name 'moods');
CREATE FUNCTION moods(condition text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  line text;
  ids int[];
BEGIN
  EXECUTE 'SELECT array_agg(id ORDER BY id) FROM moods WHERE ' || condition INTO ids;
  FOR line IN EXECUTE 'EXPLAIN (VERBOSE, COSTS OFF) SELECT id FROM moods WHERE ' || condition LOOP
    IF line ~ 'Remote SQL' THEN
      RETURN ids::text || regexp_replace(line, '.* FROM "far out".moods', '');
    END IF;
  END LOOP;
END
$$;
SELECT moods('mine(id, 2, 3) = 4 OR id OPERATOR("far out".===) 3');
SELECT moods($$mood = 'happy'$$);
ALTER SERVER twin_server OPTIONS (ADD extensions 'pgml_fdw');
SELECT moods('mine(id, 2, 3) = 4');
SELECT moods($$mood = 'happy'$$);
ALTER EXTENSION pgml_fdw ADD FUNCTION "far out".mine(int, int[]);
ALTER EXTENSION pgml_fdw ADD OPERATOR "far out".=== (int, int);
ALTER EXTENSION pgml_fdw ADD TYPE "far out".mood;
SELECT moods('mine(id, 2, 3) = 4');
SELECT moods('id OPERATOR("far out".===) 3');
SELECT moods('id OPERATOR("far out".===) ANY (ARRAY[2, mine(id, 1)])');
SELECT moods($$mood = 'happy'$$);
SELECT moods($$mood IS NOT DISTINCT FROM 'sad'$$);
SELECT moods($$mood = ANY ('{sad}')$$);
SELECT moods($$mood > 'happy' AND mood::text < 'x'$$);
ALTER SERVER twin_server OPTIONS (SET extensions 'plpgsql');
SELECT moods('mine(id, 2, 3) = 4');
ALTER EXTENSION pgml_fdw DROP FUNCTION "far out".mine(int, int[]);
ALTER EXTENSION pgml_fdw DROP OPERATOR "far out".=== (int, int);
ALTER EXTENSION pgml_fdw DROP TYPE "far out".mood;

-- values that are computed here and sent: stable functions, functions of ours, variables
CREATE FUNCTION far.steady(int) RETURNS int STABLE LANGUAGE plpgsql AS 'BEGIN RETURN $1 + 1; END';
CREATE FUNCTION far.shaky(int) RETURNS int VOLATILE LANGUAGE plpgsql AS 'BEGIN RETURN $1 + 1; END';
CREATE FUNCTION far.same_day(date) RETURNS date IMMUTABLE LANGUAGE plpgsql AS 'BEGIN RETURN $1; END';
CREATE DOMAIN far.small AS int CHECK (VALUE < 10);
SELECT ships('tz < now() - interval ''1000 years''');
SELECT ships('tz > ''2024-02-28''::timestamptz + interval ''1 month''');
SELECT ships('d < CURRENT_DATE AND CURRENT_USER = nm');
SELECT ships('id = far.steady(3) + far.steady(i2)');
SELECT ships('id = far.steady(3) + i2');
SELECT ships('id = far.shaky(3)');
SELECT ships('CASE WHEN id > 3 THEN far.steady(1) ELSE i2 END = 2');
SELECT ships('txt = far.steady(10)::text');
SELECT ships('id = ANY (ARRAY[far.steady(1), i2, 4])');
SELECT ships('txt > current_setting(''application_name'')');
SELECT ships('id = far.steady(2)::far.small');
SELECT ships('COALESCE(id, i2) = 1 AND (id, i2) > (0, -3) AND id::text = ''1''');
SELECT sent('SELECT count(*) FILTER (WHERE tz < now()), max(id + far.steady(1)) FROM far.t');
SELECT same('SELECT count(*) FILTER (WHERE tz < now()), max(id + far.steady(1)) FROM t');
SET plan_cache_mode = force_generic_plan;
PREPARE v (date, text) AS SELECT id FROM far.t WHERE d = far.same_day($1) AND txt = $2 || '';
EXPLAIN (VERBOSE, COSTS OFF) EXECUTE v ('2024-03-02', 'it''s');
EXECUTE v ('2024-03-02', 'it''s');
EXECUTE v ('2024-03-02', NULL);
RESET plan_cache_mode;
-- a function called ten times: each query is shipped whole
CREATE FUNCTION far.looked_up(wanted int) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  answer text;
BEGIN
  SELECT txt INTO answer FROM far.t WHERE id = wanted AND tz < now();
  RETURN answer;
END
$$;
SELECT rows_in AS before FROM pgml_fdw_stats() \gset
SELECT count(far.looked_up(i)) FROM generate_series(1, 10) i;
SELECT rows_in - :before AS rows_that_came FROM pgml_fdw_stats();

-- declared as text by hand, something else there: equality with a constant is the remote type's, of its index too
\connect :remote_db - :remote_host :remote_port
SET client_min_messages = warning;
SET search_path = :remote_schema;
CREATE TYPE feeling AS ENUM ('sad', 'ok', 'happy');
CREATE TABLE feelings (id uuid PRIMARY KEY, m feeling);
INSERT INTO feelings SELECT md5(i::text)::uuid, (enum_range(NULL::feeling))[1 + i % 3] FROM generate_series(1, 9) i;
\connect :local_db - :local_host :local_port
SET client_min_messages = warning;
SET search_path = far, public;
CREATE FOREIGN TABLE feelings (id text, m text) SERVER twin_server OPTIONS (schema_name :'remote_schema', table_name 'feelings');
EXPLAIN (VERBOSE, COSTS OFF) SELECT m FROM feelings WHERE id = 'c4ca4238-a0b9-2382-0dcc-509a6f75849b' AND 'ok' <> m AND m IN ('sad', 'happy');
SELECT m FROM feelings WHERE id = 'c4ca4238-a0b9-2382-0dcc-509a6f75849b';
SELECT count(*) FROM feelings WHERE m = 'ok';
SELECT count(*) FROM feelings WHERE 'ok' <> m;
SELECT count(*) FROM feelings WHERE m IN ('ok', 'sad');
SELECT count(*) FROM feelings WHERE m NOT IN ('ok', 'sad');
\set VERBOSITY sqlstate
SELECT count(*) FROM feelings WHERE m > 'ok';
\set VERBOSITY default
ALTER FOREIGN TABLE feelings ALTER m OPTIONS (ADD type_name 'feeling');
SELECT count(*) FROM feelings WHERE m > 'ok';
SELECT count(*) FROM feelings WHERE m = 'none of them';

-- nothing, if that is wanted
SET pgml_fdw.enable_pushdown = off;
SELECT ships('id = 5');
EXPLAIN (VERBOSE, COSTS OFF) SELECT max(i2) FROM far.t WHERE id < 5;
EXPLAIN (COSTS OFF) SELECT FROM far.t CROSS JOIN far.u;
EXPLAIN (VERBOSE, COSTS OFF) SELECT id FROM far.t ORDER BY id LIMIT 1;
EXPLAIN (VERBOSE, COSTS OFF) DELETE FROM far.t WHERE id = 5;
EXPLAIN (VERBOSE, COSTS OFF) DELETE FROM far.u;
SELECT same('SELECT t.txt, count(*), max(u.id) FROM t LEFT JOIN u ON u.t_id = t.id WHERE t.id < 12 GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 4');
RESET pgml_fdw.enable_pushdown;

\pset tuples_only off
\pset format aligned
DROP SCHEMA near, far, "far out" CASCADE;
DROP SERVER twin_server CASCADE;
