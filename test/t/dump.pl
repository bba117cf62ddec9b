# A database that uses every feature is dumped and restored: the servers,
# mappings and tables of pgml_fdw are the same afterwards and answer the
# same; those of an adopted wrapper are postgres_fdw's again, as the README says.
use strict;
use warnings;
use PostgreSQL::Test::Utils;
use Test::More;

use PgmlTest;

my ($local, $remote) = pgml_pair();

$remote->safe_psql('postgres', q{
	CREATE SCHEMA types;
	CREATE TYPE types.mood AS ENUM ('sad', 'ok');
	CREATE DOMAIN types.positive AS int DEFAULT 1 CHECK (VALUE > 0);
	CREATE TYPE types.pair AS (a types.positive, m types.mood[]);
	COMMENT ON TYPE types.pair IS 'a pair';
	CREATE TABLE plain (id int PRIMARY KEY, "odd name" text DEFAULT 'x', m types.mood DEFAULT 'ok', p types.pair, f float4[],
		twice int GENERATED ALWAYS AS (id * 2) STORED);
	INSERT INTO plain (id, m, p, f) SELECT i, CASE WHEN i < 5 THEN 'sad' ELSE 'ok' END::types.mood, ROW(i, '{ok}')::types.pair, ARRAY[i, i / 2.0] FROM generate_series(1, 10) i;
	CREATE TABLE part (id int, k text) PARTITION BY LIST (k);
	CREATE TABLE part_a PARTITION OF part FOR VALUES IN ('a');
	INSERT INTO part VALUES (1, 'a');
	CREATE VIEW seen AS SELECT id, m FROM plain});

pgml_connect($local, $remote, options => {
	fetch_size => 7, batch_size => 3, transport => 'cursor', release_early => 'true',
	fdw_tuple_cost => '0.5', keep_connections => 'off', application_name => '%u of %d' });
$local->safe_psql('postgres', q{
	CREATE SCHEMA imported;
	IMPORT FOREIGN SCHEMA public FROM SERVER remote INTO imported OPTIONS (import_default 'true');
	CREATE FOREIGN TABLE by_hand (n int OPTIONS (column_name 'id') NOT NULL, CHECK (n > 0)) SERVER remote
		OPTIONS (schema_name 'public', table_name 'plain', updatable 'false', analyze_sampling 'off');
	CREATE TABLE mixed (id int, k text) PARTITION BY LIST (k);
	CREATE TABLE mixed_local PARTITION OF mixed FOR VALUES IN ('b');
	CREATE FOREIGN TABLE mixed_remote PARTITION OF mixed FOR VALUES IN ('a') SERVER remote OPTIONS (table_name 'part');
	INSERT INTO mixed VALUES (2, 'b');
	CREATE VIEW over AS SELECT * FROM imported.plain JOIN mixed USING (id);
	CREATE MATERIALIZED VIEW kept AS SELECT id, m FROM imported.plain;
	CREATE FUNCTION by_dblink() RETURNS bigint LANGUAGE sql AS
		$$ SELECT n FROM dblink('remote', 'SELECT count(*) FROM public.plain') AS t(n bigint) $$});

# A wrapper of postgres_fdw that is served by pgml_fdw.
my $options = pgml_options(host => $remote->host, port => $remote->port, dbname => 'postgres');
my $user = $local->safe_psql('postgres', 'SELECT current_user');
$local->safe_psql('postgres', qq{
	CREATE EXTENSION postgres_fdw;
	CREATE SERVER adopted FOREIGN DATA WRAPPER postgres_fdw OPTIONS ($options);
	CREATE USER MAPPING FOR CURRENT_USER SERVER adopted OPTIONS (user '$user');
	CREATE FOREIGN TABLE taken (id int, f float4[]) SERVER adopted OPTIONS (schema_name 'public', table_name 'plain');
	SELECT pgml_fdw_adopt('postgres_fdw')});

my $dump = $local->basedir . '/dump.sql';
command_ok([ 'pg_dump', '--no-sync', '-f', $dump, '-d', $local->connstr('postgres') ],
	'the database is dumped');
$local->safe_psql('postgres', 'CREATE DATABASE restored TEMPLATE template0');
command_ok([ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-f', $dump, '-d', $local->connstr('restored') ],
	'the dump is restored');

# (pg_dump writes options in the order of their names)
my $objects = q{
	SELECT 'server', srvname, fdwname, (SELECT array_agg(o ORDER BY o) FROM unnest(srvoptions) o)::text FROM pg_foreign_server JOIN pg_foreign_data_wrapper w ON w.oid = srvfdw
	UNION ALL SELECT 'mapping', srvname, usename, (SELECT array_agg(o ORDER BY o) FROM unnest(umoptions) o)::text FROM pg_user_mappings
	UNION ALL SELECT 'table', ftrelid::regclass::text, srvname, (SELECT array_agg(o ORDER BY o) FROM unnest(ftoptions) o)::text
		FROM pg_foreign_table JOIN pg_foreign_server s ON s.oid = ftserver
	UNION ALL SELECT 'column', attrelid::regclass || '.' || attname, format_type(atttypid, atttypmod), (SELECT array_agg(o ORDER BY o) FROM unnest(attfdwoptions) o)::text
		FROM pg_attribute JOIN pg_foreign_table ON attrelid = ftrelid WHERE attnum > 0
	UNION ALL SELECT 'function', oid::regprocedure::text, prosrc, proacl::text FROM pg_proc WHERE probin LIKE '%pgml_fdw'
	ORDER BY 1, 2, 3};
my $before = $local->safe_psql('postgres', $objects);
like($before, qr/table\|imported\.plain\|remote/, 'there is something to compare');
is($local->safe_psql('restored', $objects), $before, 'all objects are the same');

for my $query (
	'SELECT * FROM imported.plain ORDER BY id',
	'SELECT * FROM imported.seen ORDER BY id',
	q{EXPLAIN (VERBOSE, COSTS OFF) SELECT id FROM imported.plain WHERE m = 'ok' AND id = 7},
	q{SELECT id, p FROM imported.plain WHERE m = 'ok' ORDER BY m, id},
	'SELECT * FROM by_hand ORDER BY n',
	'SELECT * FROM mixed ORDER BY id',
	'SELECT id, f, k FROM over',
	'SELECT * FROM kept ORDER BY id',
	'SELECT by_dblink()',
	'SELECT * FROM taken ORDER BY id')
{
	my $expected = $local->safe_psql('postgres', $query);
	isnt($expected, '', "$query: has rows");
	is($local->safe_psql('restored', $query), $expected, "$query: the same in the restored database");
}

like($local->safe_psql('restored', q{EXPLAIN (VERBOSE, COSTS OFF) SELECT id FROM imported.plain WHERE m = 'ok'}),
	qr/Remote SQL: .*\(m = 'ok'::types\.mood\)/, 'the type has the name that it has on the remote');

my $engine = q{SELECT fdwhandler::regproc FROM pg_foreign_data_wrapper WHERE fdwname = 'postgres_fdw'};
is($local->safe_psql('postgres', $engine), 'pgml_fdw_handler', 'the wrapper is adopted here');
is($local->safe_psql('restored', $engine), 'postgres_fdw_handler', 'a dump does not keep that');
$local->safe_psql('restored', q{SELECT pgml_fdw_adopt('postgres_fdw')});
is($local->safe_psql('restored', $engine), 'pgml_fdw_handler', 'it can be adopted again');

done_testing();
