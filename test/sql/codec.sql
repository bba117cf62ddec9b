-- What is decoded here from its binary form, byte by byte as this server would have made it:
-- numerics of all shapes, type modifiers, arrays, and rows of all lengths.
\getenv abs_srcdir PG_ABS_SRCDIR
\set remote_sql :abs_srcdir '/include/remote.psql'
\i :remote_sql
\set remote_schema codec
\set twins :abs_srcdir '/include/twins.psql'
SELECT $fixture$
-- digits at all distances from the decimal point, around the ends of digits of base 10000
CREATE TABLE num AS
  SELECT row_number() OVER (ORDER BY e, d, s) AS id, (s || d || 'e' || e)::numeric AS n
  FROM generate_series(-270, 270) e,
    unnest('{0,1,9,10,999,9999,10000,10001,12345678,99990001,100000000,1234567890123456789012345678901}'::text[]) d,
    unnest('{"",-}'::text[]) s
  WHERE abs(e) < 30 OR e % 7 = 0;
INSERT INTO num SELECT -row_number() OVER (), n FROM (
  SELECT round(v::numeric, s) FROM unnest('{0,1,-1,0.5,123.456,99999.99995,1e10,-7e-9}'::text[]) v, generate_series(0, 70) s
  UNION ALL SELECT ('1e' || e)::numeric FROM unnest('{131071,-16383,65535,-8000}'::int[]) e
  UNION ALL SELECT (repeat('98765', 26214) || '.' || repeat('01234', 3276))::numeric
  UNION ALL SELECT unnest('{NaN,Infinity,-Infinity,NULL}'::numeric[])) v (n);

-- values that the modifiers below keep, round, cut or refuse
CREATE TABLE kept AS SELECT row_number() OVER () AS id, v::numeric AS n FROM unnest(
  '{0,0.00,0.000,1,1.1,1.10,1.100,-1.15,1.149,1.145,9999.99,9999.9949,-9999.99,1000,100.00,99.99,9.9,0.01,0.001,0.004999,0.005,NaN,NULL}'::text[]) v;
CREATE TABLE refused AS SELECT row_number() OVER () AS id, v::numeric AS n FROM unnest(
  '{9999.995,10000,10000.00,-123456.78,1e20,Infinity,-Infinity}'::text[]) v;
CREATE TABLE texts AS SELECT row_number() OVER () AS id, v::text AS t, v::text AS c, v::text AS n FROM unnest(
  '{"",a,abcd,"abcd  ",äöüß,"äöü ",äöü,ab ,NULL}'::text[]) v;
CREATE TABLE times AS SELECT row_number() OVER () AS id, t, t AS u, ('2024-02-29'::date + t) AS ts, ('2024-02-29'::date + t)::timestamptz AS tz, t - '12:00' AS iv, t::timetz AS ttz
  FROM unnest('{00:00,23:59:59.999999,24:00,12:34:56.789012,12:34:56.55,NULL}'::time[]) t;

-- arrays without nulls, of elements that are stored in different ways, and with
CREATE TABLE arr AS
  SELECT n AS id, array_agg(b) AS b, array_agg(c) AS c, array_agg(i2) AS i2, array_agg(i4) AS i4, array_agg(i8) AS i8, array_agg(f4) AS f4, array_agg(f8) AS f8, array_agg(d) AS d,
    array_agg(tm) AS tm, array_agg(ttz) AS ttz, array_agg(ts) AS ts, array_agg(iv) AS iv, array_agg(u) AS u, array_agg(na) AS na, array_agg(t) AS t, array_agg(vc) AS vc,
    array_agg(by) AS by, array_agg(nu) AS nu, array_agg(ip) AS ip
  FROM unnest('{1,2,3,4,5,8,100,1000}'::int[]) n, LATERAL (
    SELECT i % 3 = 0, chr(65 + i % 26)::"char", i::int2, -i, i * 1234567890123, i / 7::float4, i / 7::float8, '2024-02-29'::date + i, '12:00'::time + i * '1 second'::interval,
      '12:00+01'::timetz + i * '1 second'::interval, '2024-02-29'::timestamp + i * '1 second'::interval, i * '1 minute'::interval, md5(i::text)::uuid, ('n' || i)::name,
      repeat('ä', i % 6), repeat('x', i % 11)::varchar(20), decode(left(md5(i::text), 2 * (i % 5)), 'hex'), i / 3::numeric, '10.0.0.0'::inet + i
    FROM generate_series(1, n) i) v (b, c, i2, i4, i8, f4, f8, d, tm, ttz, ts, iv, u, na, t, vc, by, nu, ip)
  GROUP BY n;
INSERT INTO arr (id, i4, i8, b, t, d, u) VALUES
  (-1, '{}', '{}', '{}', '{}', '{}', '{}'),
  (-2, '[5:6][-1:0]={{1,2},{3,4}}', '{{{1},{2}}}', '{{t,f}}', '[0:1]={a,""}', '[-3:-2]={infinity,-infinity}', '{{00000000-0000-0000-0000-000000000000}}'),
  (-3, '{1,NULL}', '{NULL,1}', '{NULL}', '{a,NULL,""}', '{2024-02-29,NULL}', '{NULL,00000000-0000-0000-0000-000000000000}');
CREATE TABLE vec AS SELECT i AS id, (SELECT array_agg((sin(g * i) * 1e3)::float4) FROM generate_series(1, 384) g) AS e FROM generate_series(1, 300) i;

-- rows that end anywhere in what is received at a time, and fields longer than that
CREATE TABLE len AS SELECT i AS id, repeat(chr(65 + i % 26), i % 1000 * (i % 7)) AS t, CASE WHEN i % 500 = 0 THEN repeat(md5(i::text), 20000 * (i / 500)) END AS big, i AS last
  FROM generate_series(1, 4000) i;
INSERT INTO len SELECT -i, repeat('y', i), NULL, i FROM generate_series(65490, 65560) i;
$fixture$ AS fixture \gset
\i :twins
SET jit = off;
SET TimeZone = 'UTC';

-- rows of the twins whose stored forms differ (*<> compares bytes), for each transport
CREATE FUNCTION far.differences() RETURNS TABLE (transport text, tab text, total bigint, differ bigint) LANGUAGE plpgsql AS $$
BEGIN
  FOREACH transport IN ARRAY '{copy,row,cursor}'::text[] LOOP
    PERFORM set_config('pgml_fdw.transport', transport, true);
    FOREACH tab IN ARRAY '{num,kept,refused,texts,times,arr,vec,len}'::text[] LOOP
      EXECUTE format('SELECT count(*), count(*) FILTER (WHERE coalesce(here *<> there, true)) FROM near.%s here FULL JOIN far.%1$s there USING (id)', tab) INTO total, differ;
      RETURN NEXT;
    END LOOP;
  END LOOP;
END
$$;
SELECT * FROM far.differences();

-- modifiers that only the local columns have: what storing the values in such a column does is the truth
CREATE FUNCTION far.with_modifier(tab text, col text, typ text) RETURNS TABLE (differences text, refusal text) LANGUAGE plpgsql AS $$
BEGIN
  DROP TABLE IF EXISTS near.x;
  DROP FOREIGN TABLE IF EXISTS far.x;
  EXECUTE format('CREATE TABLE near.x (id bigint, v %s)', typ);
  EXECUTE format('CREATE FOREIGN TABLE far.x (id bigint, v %s OPTIONS (column_name %L)) SERVER twin_server OPTIONS (schema_name ''codec'', table_name %L)', typ, col, tab);
  BEGIN
    EXECUTE format('INSERT INTO near.x SELECT id, %I FROM near.%I WHERE id > 0', col, tab);
  EXCEPTION WHEN OTHERS THEN
    refusal := SQLERRM;
  END;
  BEGIN
    SELECT format('%s of %s', count(*) FILTER (WHERE coalesce(here *<> there, true)), count(*)) INTO differences
      FROM near.x here FULL JOIN (SELECT * FROM far.x WHERE id > 0) there USING (id);
    IF refusal IS NOT NULL THEN
      differences := 'read';
    END IF;
  EXCEPTION WHEN OTHERS THEN
    IF SQLERRM IS DISTINCT FROM refusal THEN
      differences := SQLERRM;
    END IF;
  END;
  RETURN NEXT;
END
$$;
SET client_min_messages = warning;
SELECT col, typ, differences, refusal FROM (VALUES
  ('kept', 'n', 'numeric(6,2)'), ('kept', 'n', 'numeric(6,1)'), ('kept', 'n', 'numeric(4,0)'), ('kept', 'n', 'numeric(7,3)'), ('kept', 'n', 'numeric(1000,100)'), ('kept', 'n', 'numeric(2,-2)'), ('kept', 'n', 'numeric(3,2)'),
  ('refused', 'n', 'numeric(6,2)'), ('refused', 'n', 'numeric(30,2)'), ('num', 'n', 'numeric(1000,200)'),
  ('texts', 't', 'varchar(4)'), ('texts', 't', 'varchar(6)'), ('texts', 't', 'varchar(12)'), ('texts', 't', 'varchar(3)'), ('texts', 't', 'char(4)'), ('texts', 't', 'char(6)'), ('texts', 't', 'char(3)'),
  ('times', 't', 'time(2)'), ('times', 't', 'time(0)'), ('times', 'ttz', 'timetz(1)'), ('times', 'ts', 'timestamp(3)'), ('times', 'tz', 'timestamptz(0)'),
  ('times', 'iv', 'interval(1)'), ('times', 'iv', 'interval hour to minute')) q (tab, col, typ),
  far.with_modifier(tab, col, typ);
RESET client_min_messages;
DROP FUNCTION far.with_modifier, far.differences;
