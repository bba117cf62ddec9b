-- Values of every built-in type, ordinary and extreme ones, for tests that send
-- them round.  Makes in the current schema, for each type in the view
-- tested_types, a table ty_N
--   (id int, v TYPE, a TYPE[])
-- with a row for each value, alone and in arrays of several shapes, and a row of
-- nulls; and an empty table w_N like it.  What values lack tells untested_types.
SET TimeZone = 'UTC';
CREATE TABLE samples (typ text, val text);
INSERT INTO samples SELECT typ, unnest(vals) FROM (VALUES
  ('bool', ARRAY['t', 'f']),
  ('"char"', '{a,"",~}'),
  ('int2', '{0,32767,-32768}'),
  ('int4', '{0,2147483647,-2147483648}'),
  ('int8', '{0,9223372036854775807,-9223372036854775808}'),
  ('oid', '{0,4294967295}'),
  ('xid', '{0,4294967295}'),
  ('cid', '{0,4294967295}'),
  ('xid8', '{0,18446744073709551615}'),
  ('tid', '{"(0,1)","(4294967295,65535)"}'),
  ('oidvector', '{"","1 4294967295"}'),
  ('int2vector', '{"","1 -32768 32767"}'),
  ('pg_lsn', '{0/0,FFFFFFFF/FFFFFFFF}'),
  ('pg_snapshot', '{10:20:,"10:20:10,14,15"}'),
  ('txid_snapshot', '{10:20:,"10:20:10,14,15"}'),
  ('float4', '{0,-0,1e-45,-3.4028235e+38,0.1,NaN,Infinity,-Infinity}'),
  ('float8', '{0,-0,5e-324,-1.7976931348623157e+308,0.1,0.30000000000000004,NaN,Infinity,-Infinity}'),
  ('numeric', ARRAY['0', '-0.000000000000000000001', '1.10', '-12345678901234567890.123456789', '1' || repeat('0', 2000),
                    repeat('9', 1000) || '.' || repeat('7', 1000), 'NaN', 'Infinity', '-Infinity']),
  ('money', '{-92233720368547758.08,92233720368547758.07,0}'),
  ('text', ARRAY['', 'a', 'null', 'NULL', '\N', '\.', E'\t\r\n\\', '"q" ''s'' {,}', '$1 %s', repeat('x', 100000)]),
  ('varchar', ARRAY['', 'a  ', '\', repeat('x', 100000)]),
  ('bpchar', ARRAY['', 'a  ', '  ', '\']),
  ('name', ARRAY['', 'a', repeat('x', 63)]),
  ('bytea', ARRAY['', '\x00', '\x5c27ff00', '\x' || repeat('00ff', 50000)]),
  ('refcursor', '{"",c}'),
  ('date', '{2024-02-29,infinity,-infinity,"4714-11-24 BC",5874897-12-31}'),
  ('time', '{00:00,24:00:00,12:34:56.789012}'),
  ('timetz', '{00:00+15:59,24:00:00-15:59,12:34:56.789012+00:00:01}'),
  ('timestamp', '{"2024-02-29 12:34:56.789012",infinity,-infinity,"4714-11-24 00:00:00 BC","294276-12-31 23:59:59.999999"}'),
  ('timestamptz', '{"2024-02-29 12:34:56.789012+00",infinity,-infinity,"4714-11-24 00:00:00+00 BC","294276-12-31 23:59:59.999999+00","1883-11-18 12:00:00-07:52:58"}'),
  ('interval', '{0,-178000000 years,178000000 years,1 mon -1 day 00:00:00.000001,-1 mon 1 day -00:00:00.000001,-1 day,2147483647 days,-2562047788:00:54.775807}'),
  ('uuid', '{00000000-0000-0000-0000-000000000000,ffffffff-ffff-ffff-ffff-ffffffffffff}'),
  ('json', ARRAY['null', '""', '{"a":  [1, {"b": "\u00e4\\\""}], "a": 2}', '[]']),
  ('jsonb', ARRAY['null', '""', '{"a":  [1, {"b": "\u0041\\\""}], "c": 1.10}', '[]', '"' || repeat('x', 100000) || '"']),
  ('jsonpath', ARRAY['$', '$."a"[*]?(@ > 1)', 'strict $.b']),
  ('inet', '{0.0.0.0/0,192.168.0.1,192.168.0.1/24,::,::1/128,fe80::1:2/64}'),
  ('cidr', '{0.0.0.0/0,10.1.0.0/16,::/0,2001:db8::/32}'),
  ('macaddr', '{00:00:00:00:00:00,ff:ff:ff:ff:ff:ff}'),
  ('macaddr8', '{00:00:00:00:00:00:00:00,ff:ff:ff:ff:ff:ff:ff:ff}'),
  ('point', '{"(0,-0)","(NaN,Infinity)","(1e-300,1e300)"}'),
  ('line', '{"{1,2,3}","{0,-1,0}"}'),
  ('lseg', '{"[(1,2),(3,4)]","[(NaN,0),(Infinity,-Infinity)]"}'),
  ('box', '{"(3,4),(1,2)","(0,0),(0,0)"}'),
  ('path', '{"((0,0),(1,1),(2,0))","[(0,0)]"}'),
  ('polygon', '{"((0,0),(1,1),(2,0))","((0,0))"}'),
  ('circle', '{"<(0,0),0>","<(1,-1),1e300>"}'),
  ('"bit"', '{0,1,101,""}'),
  ('varbit', ARRAY['', '1', repeat('10', 5000)]),
  ('tsvector', ARRAY['', '''a b'':1A,2B ''it''''s'':3', '\\x']),
  ('tsquery', ARRAY['''a b'':AB & !''c'' <2> ''d'':*', '\\']),
  ('int4range', '{empty,"(,)","[-2147483648,2147483647)","[5,)"}'),
  ('int8range', '{empty,"(,)","[-9223372036854775808,9223372036854775807)"}'),
  ('numrange', '{empty,"(,)","(1.10,NaN]","[-Infinity,0)"}'),
  ('daterange', '{empty,"(,)","[-infinity,infinity)","[2024-02-29,2024-03-01)"}'),
  ('tsrange', '{empty,"(,)","[-infinity,infinity]","[2024-01-01,2024-01-02]"}'),
  ('tstzrange', '{empty,"(,)","[-infinity,infinity]","[2024-01-01 00:00+00,2024-01-02 00:00+00]"}'),
  ('int4multirange', '{"{}","{(,)}","{[1,2),[5,9)}"}'),
  ('int8multirange', '{"{}","{(,)}","{[1,2),[5,9)}"}'),
  ('nummultirange', '{"{}","{(,)}","{[1.1,2.2),[5,Infinity]}"}'),
  ('datemultirange', '{"{}","{(,)}","{[2024-01-01,2024-01-02),[2024-02-29,infinity)}"}'),
  ('tsmultirange', '{"{}","{(,)}","{[2024-01-01,2024-01-02],[2024-02-29,infinity]}"}'),
  ('tstzmultirange', '{"{}","{(,)}","{[2024-01-01 00:00+00,2024-01-02 00:00+00],[2024-02-29 00:00+00,infinity]}"}'),
  ('aclitem', ARRAY['=r/' || quote_ident(current_user), quote_ident(current_user) || '=a*d/' || quote_ident(current_user)]),
  ('regproc', '{-,now}'),
  ('regprocedure', '{-,"abs(integer)"}'),
  ('regoper', '{0,||/}'),
  ('regoperator', '{0,"+(integer,integer)"}'),
  ('regclass', '{-,pg_class,information_schema.tables}'),
  ('regcollation', '{-,"\"C\""}'),
  ('regtype', '{-,"timestamp with time zone","integer[]"}'),
  ('regrole', ARRAY['-', quote_ident(current_user)]),
  ('regnamespace', '{-,information_schema}'),
  ('regconfig', '{-,english}'),
  ('regdictionary', '{-,simple}'),
  ('information_schema.cardinal_number', '{0,2147483647}'),
  ('information_schema.character_data', '{"",a}'),
  ('information_schema.sql_identifier', '{a}'),
  ('information_schema.time_stamp', '{"2024-02-29 12:34:56.79+00",infinity}'),
  ('information_schema.yes_or_no', '{YES,NO}')) s (typ, vals);
-- not every server is built with libxml
DO $$
BEGIN
  PERFORM xml '<a/>';
  INSERT INTO samples VALUES ('xml', ''), ('xml', '<a b="&lt;">c</a>'), ('xml', 'd<e/>');
EXCEPTION WHEN feature_not_supported THEN
END
$$;

-- Unqualified names of types in samples are pg_catalog's; so written, a type has no
-- implied modifier ("bit" would be bit(1)).
CREATE VIEW tested_types AS
  SELECT row_number() OVER (ORDER BY typ COLLATE "C") AS n,
         CASE WHEN typ LIKE '%.%' THEN typ ELSE 'pg_catalog.' || typ END AS typ, vals
  FROM (SELECT typ, array_agg(val) AS vals FROM samples GROUP BY typ) s;
CREATE VIEW untested_types AS
  SELECT t.oid::regtype::text AS typ FROM pg_type t
  WHERE t.typtype IN ('b', 'd', 'r', 'm') AND t.oid < 16384
    AND NOT EXISTS (SELECT FROM pg_type e WHERE e.typarray = t.oid)
    AND t.oid NOT IN (SELECT typ::regtype FROM tested_types)
    -- no input function accepts a value of these
    AND t.typname NOT IN ('pg_node_tree', 'pg_ndistinct', 'pg_dependencies', 'pg_mcv_list', 'gtsvector',
                          'pg_brin_bloom_summary', 'pg_brin_minmax_multi_summary')
    AND t.typname <> 'xml';

DO $$
DECLARE
  t record;
  vals text;
  first text;
BEGIN
  FOR t IN SELECT * FROM tested_types LOOP
    SELECT string_agg(format('%L::%s', val, t.typ), ',') INTO vals FROM unnest(t.vals) val;
    first := format('%L::%s', t.vals[1], t.typ);
    EXECUTE format('CREATE TABLE ty_%s (id int, v %s, a %2$s[])', t.n, t.typ);
    EXECUTE format('CREATE TABLE w_%s (LIKE ty_%1$s)', t.n);
    EXECUTE format($f$
      INSERT INTO ty_%s
      SELECT ord, val, ARRAY[val, NULL, val] FROM unnest(ARRAY[%s]) WITH ORDINALITY u (val, ord)
      UNION ALL SELECT 0, NULL, NULL
      UNION ALL SELECT -1, NULL, '{}'
      UNION ALL SELECT -2, %s, ARRAY[NULL]::%s[]
      UNION ALL SELECT -3, NULL, ARRAY[%2$s]
      UNION ALL SELECT -4, NULL, array_fill(%3$s, ARRAY[2, 1, 3], ARRAY[-5, 0, 2147483640])
      $f$, t.n, vals, first, t.typ);
  END LOOP;
END
$$;
