-- What the administrator of the ml database does, once: the extension, and a
-- role that is no superuser.
CREATE EXTENSION pgml_fdw;
SELECT EXISTS (SELECT FROM pg_available_extensions WHERE name = 'vector') AS has_vector \gset
\if :has_vector
  CREATE EXTENSION vector;
\endif

CREATE ROLE analyst LOGIN NOSUPERUSER;
GRANT USAGE ON FOREIGN DATA WRAPPER pgml_fdw TO analyst;
CREATE SCHEMA analyst AUTHORIZATION analyst;
CREATE SCHEMA production_tables AUTHORIZATION analyst;
CREATE SCHEMA production_rw AUTHORIZATION analyst;
CREATE SCHEMA production_copy AUTHORIZATION analyst;
