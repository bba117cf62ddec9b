# pgvector's types: read in binary form where the remote has them too.
use strict;
use warnings;
use PostgreSQL::Test::Utils;
use Test::More;

use PgmlTest;

my ($local, $remote) = pgml_pair();

plan skip_all => 'pgvector is not installed'
  if $local->safe_psql('postgres', q{SELECT count(*) FROM pg_available_extensions WHERE name = 'vector'}) == 0;

# OIDs of the types must differ on the two sides
$remote->safe_psql('postgres', q{
	CREATE TYPE one AS (a int); CREATE TYPE two AS (a int);
	CREATE EXTENSION vector;
	CREATE TABLE items (id int, e vector(3), h halfvec(3), s sparsevec(5));
	INSERT INTO items VALUES (1, '[1,2.5,-3]', '[0.5,1,2]', '{1:1.5,5:-2}/5'), (2, NULL, NULL, NULL), (3, '[0,0,0]', '[0,0,0]', '{}/5');
	CREATE TABLE keyed (id int PRIMARY KEY, e vector(3));
	CREATE TABLE wide (id int, e vector(384));
	INSERT INTO wide SELECT g, (SELECT array_agg(sin(g + k)) FROM generate_series(1, 384) AS k) FROM generate_series(1, 200) AS g});
$local->safe_psql('postgres', 'CREATE EXTENSION vector');
pgml_connect($local, $remote, server => 'production');
$local->safe_psql('postgres', 'IMPORT FOREIGN SCHEMA public FROM SERVER production INTO public');

isnt($local->safe_psql('postgres', q{SELECT 'vector'::regtype::oid}),
	$remote->safe_psql('postgres', q{SELECT 'vector'::regtype::oid}), 'the type has another OID there');

my $all = 'SELECT * FROM items ORDER BY id';
for my $transport (qw(copy row cursor))
{
	is($local->safe_psql('postgres', "SET pgml_fdw.transport = $transport; $all"),
		$remote->safe_psql('postgres', $all), "the same values through $transport");
}
my $sum = 'SELECT sum(id), md5(string_agg(e::text, chr(10) ORDER BY id)) FROM wide';
is($local->safe_psql('postgres', $sum), $remote->safe_psql('postgres', $sum), 'the same long vectors');

my $bytes = $local->safe_psql('postgres', q{
	SELECT count(e) FROM wide;
	SELECT bytes_in AS before FROM pgml_fdw_stats() \gset
	SELECT count(e) FROM (SELECT e FROM wide OFFSET 0) AS t;
	SELECT bytes_in - :before FROM pgml_fdw_stats()});
cmp_ok((split /\n/, $bytes)[-1], '<', 200 * (4 * 384 + 20) + 200, 'four bytes for a dimension');

# arrays, as models return them, become vectors on the way, and find their rows
is($local->safe_psql('postgres', q{
	INSERT INTO keyed VALUES (1, '[1,2,3]');
	SELECT pgml_fdw_upsert('keyed', '(SELECT i AS id, ARRAY[i, 0.5, -1]::float4[] AS e FROM generate_series(1, 2) AS i)');
	SELECT * FROM keyed ORDER BY id}), "(1,1)\n1|[1,0.5,-1]\n2|[2,0.5,-1]", 'an array is merged into a column of vectors');

# a connection to a database that doesn't have the extension
$remote->safe_psql('postgres', q{
	CREATE DATABASE plain;
	ALTER DATABASE plain SET search_path = public});
$remote->safe_psql('plain', q{CREATE TABLE items (id int, e text, h text, s text); INSERT INTO items VALUES (1, '[1,2.5,-3]', '[0.5,1,2]', '{1:1.5,5:-2}/5')});
is($local->safe_psql('postgres', qq{
	SELECT count(*) FROM items;
	ALTER SERVER production OPTIONS (SET dbname 'plain');
	$all}), qq{3\n1|[1,2.5,-3]|[0.5,1,2]|{1:1.5,5:-2}/5}, 'text there is read as text');

# values that the declared type refuses
$local->safe_psql('postgres', q{ALTER SERVER production OPTIONS (SET dbname 'postgres'); ALTER FOREIGN TABLE items ALTER COLUMN e TYPE vector(4)});
my ($rc, $out, $err) = $local->psql('postgres', 'SELECT e FROM items WHERE id = 1');
like($err, qr/expected 4 dimensions, not 3/, 'its modifier is applied');

done_testing();
