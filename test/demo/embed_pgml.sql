-- The embedding of a text by PostgresML; fails where that or its model is missing.
CREATE EXTENSION pgml;
GRANT USAGE ON SCHEMA pgml TO analyst;
CREATE FUNCTION embed(content text) RETURNS float4[] LANGUAGE sql IMMUTABLE
  RETURN pgml.embed('intfloat/e5-small-v2', content)::float4[];
COMMENT ON FUNCTION embed IS 'pgml.embed with intfloat/e5-small-v2';
SELECT embed('a short text');
