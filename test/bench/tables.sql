-- What is measured with: tables of the remote server, "scale" times as large as
-- at full size.  Values are made from row numbers, so that each run has the same.

-- 4 columns of fixed width and a text of 32 characters
CREATE TABLE narrow AS
  SELECT i AS id,
         (i * 7919 % 1000003)::int4 AS n,
         sin(i) AS x,
         timestamptz '2020-01-01 00:00:00+00' + i * interval '17.291 seconds' AS at,
         md5(i::text) AS t
  FROM generate_series(1::int8, (5000000 * :scale)::int8) AS i;

-- 20 columns of many types, some with nulls
CREATE TABLE wide AS
  SELECT i AS id,
         (i % 30011)::int2 AS small,
         (i * 7919 % 1000003)::int4 AS n,
         i % 3 = 0 AS flag,
         sin(i)::float4 AS x4,
         cos(i) AS x8,
         (i * 1.37)::numeric(14,2) AS price,
         CASE WHEN i % 5 > 0 THEN i::numeric / 7 END AS ratio,
         date '2000-01-01' + (i % 9000)::int4 AS day,
         time '00:00' + i * interval '0.731 seconds' AS clock,
         timestamp '2015-06-01' + i * interval '3.7 seconds' AS made,
         CASE WHEN i % 7 > 0 THEN timestamptz '2015-06-01 00:00:00+00' + i * interval '5.3 seconds' END AS changed,
         i % 100 * interval '1 day 01:02:03' AS took,
         md5(i::text)::uuid AS uuid,
         inet '10.0.0.0' + i % 16777216 AS address,
         jsonb_build_object('id', i, 'name', 'user ' || i, 'score', i % 17) AS doc,
         ARRAY[i % 11, i % 101, i % 1009, i]::int4[] AS numbers,
         ('user' || i || '@example.com')::varchar(60) AS email,
         repeat(md5(i::text) || ' ', (i % 4)::int4) AS body,
         CASE WHEN i % 10 > 0 THEN decode(md5(i::text), 'hex') END AS hash
  FROM generate_series(1::int8, (1000000 * :scale)::int8) AS i;

-- embeddings: 384 float4 each
CREATE TABLE vec AS
  SELECT i AS id,
         'document ' || i AS title,
         ARRAY(SELECT (sin(i * 384 + j) / 10)::float4 FROM generate_series(1, 384) AS j) AS embedding
  FROM generate_series(1::int8, (100000 * :scale)::int8) AS i;

-- where a session begins, so that connecting isn't measured
CREATE TABLE one AS SELECT 1 AS one;

-- all of it is in the cache then, with its hint bits
VACUUM (FREEZE, ANALYZE);
SELECT (SELECT count(*) FROM narrow) AS narrow, (SELECT count(*) FROM wide) AS wide, (SELECT count(*) FROM vec) AS vec;
CHECKPOINT;
