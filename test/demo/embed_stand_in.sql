-- A stand-in for pgml.embed: a bag of words, hashed into 128 dimensions, scaled
-- to length 1.  It knows words, not meanings.
CREATE FUNCTION embed(content text) RETURNS float4[] LANGUAGE sql IMMUTABLE
BEGIN ATOMIC
  WITH words AS (
    SELECT hashtext(word) & 127 AS dimension, count(*) AS n
    FROM regexp_split_to_table(lower(content), '[^[:alnum:]]+') AS word
    WHERE length(word) > 2
    GROUP BY 1
  )
  SELECT array_agg(coalesce(n / norm, 0) ORDER BY d)::float4[]
  FROM generate_series(0, 127) AS d
    LEFT JOIN words ON dimension = d,
    (SELECT sqrt(sum(n * n)::float8) AS norm FROM words) AS length;
END;
COMMENT ON FUNCTION embed IS 'a stand-in for pgml.embed: hashed words, 128 dimensions';
