-- The production database: packages, their maintainers, and two logins.
CREATE TEMP TABLE archive
  (name text, version text, section text, maintainer text, email text, size int8, description text);
\copy archive FROM PROGRAM 'cat "$PGML_TMP/packages.tsv"'

CREATE TABLE users (
  id int8 PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
  email text NOT NULL UNIQUE,
  name text NOT NULL,
  packages int NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now()
);
INSERT INTO users (email, name, packages)
  SELECT email, min(maintainer), count(*) FROM archive GROUP BY email ORDER BY min(name);

CREATE TABLE packages (
  name text PRIMARY KEY,
  version text NOT NULL,
  section text NOT NULL,
  maintainer text NOT NULL REFERENCES users (email),
  size int8 NOT NULL,
  description text NOT NULL
);
INSERT INTO packages SELECT name, version, section, email, size, description FROM archive;

-- With pgvector the embeddings are vectors, otherwise arrays.
SELECT EXISTS (SELECT FROM pg_available_extensions WHERE name = 'vector') AS has_vector \gset
\if :has_vector
  CREATE EXTENSION vector;
  CREATE TABLE package_embeddings (name text PRIMARY KEY REFERENCES packages, embedding vector NOT NULL);
\else
  CREATE TABLE package_embeddings (name text PRIMARY KEY REFERENCES packages, embedding float4[] NOT NULL);
  CREATE FUNCTION distance(a float4[], b float4[]) RETURNS float8 LANGUAGE sql IMMUTABLE
    RETURN (SELECT sqrt(sum((x - y) ^ 2)) FROM unnest(a, b) AS t (x, y));
  CREATE OPERATOR <-> (LEFTARG = float4[], RIGHTARG = float4[], FUNCTION = distance);
\endif
ANALYZE;

\getenv reader_password reader_password
\getenv writer_password writer_password
CREATE ROLE ml_reader LOGIN PASSWORD :'reader_password';
GRANT USAGE ON SCHEMA public TO ml_reader;
GRANT SELECT ON ALL TABLES IN SCHEMA public TO ml_reader;
ALTER ROLE ml_reader SET default_transaction_read_only = on;
CREATE ROLE ml_writer LOGIN PASSWORD :'writer_password';
GRANT USAGE ON SCHEMA public TO ml_writer;
GRANT SELECT ON ALL TABLES IN SCHEMA public TO ml_writer;
GRANT INSERT, UPDATE, DELETE ON package_embeddings TO ml_writer;

SELECT format('production is loaded: %s packages of %s maintainers, %s.',
  (SELECT count(*) FROM packages), (SELECT count(*) FROM users),
  pg_size_pretty(pg_database_size(current_database())))
\pset tuples_only on
\pset format unaligned
\g
