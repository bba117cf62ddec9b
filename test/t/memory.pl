# Memory does not grow with the number of rows.
use strict;
use warnings;
use PostgreSQL::Test::Utils;
use Test::More;

use PgmlSession;
use PgmlTest;

# The most that may be needed, in kB.
my $limit = 50 * 1024;

my ($local, $remote) = pgml_pair();
$remote->safe_psql('postgres', q{
	CREATE VIEW rows AS SELECT i, 'some text of 32 letters, or there' AS s
		FROM (SELECT generate_series(1, 5000000) AS i) AS g;
	CREATE VIEW wide AS SELECT i, repeat('x', 400) AS s FROM rows LIMIT 200000;
	CREATE UNLOGGED TABLE sink (i int, s text);
	CREATE UNLOGGED TABLE many (i int, s text)});
pgml_connect($local, $remote);
my $columns = 'i int, s text';
$local->safe_psql('postgres', qq{
	CREATE FOREIGN TABLE rows ($columns) SERVER remote;
	CREATE FOREIGN TABLE wide ($columns) SERVER remote;
	CREATE FOREIGN TABLE sink ($columns) SERVER remote;
	CREATE FOREIGN TABLE many ($columns) SERVER remote;
	CREATE UNLOGGED TABLE here ($columns);
	CREATE TABLE parts ($columns, g int GENERATED ALWAYS AS (i + 1) STORED, CHECK (length(s) > 5)) PARTITION BY HASH (i);
	CREATE INDEX ON parts ((upper(s)))} . join '', map { "; CREATE UNLOGGED TABLE parts$_ PARTITION OF parts FOR VALUES WITH (MODULUS 50, REMAINDER $_)" } 0 .. 49);

my $session = PgmlSession->new($local);
$session->ask('SELECT * FROM rows LIMIT 1');

my $explain = 'EXPLAIN (ANALYZE, TIMING OFF, COSTS OFF)';

$session->stays_flat($limit, 'scan of 5 million rows', "$explain SELECT * FROM rows", qr/rows=5000000/);
$session->stays_flat($limit, 'INSERT ... SELECT of 5 million rows', "$explain INSERT INTO here SELECT * FROM rows", qr/rows=5000000/);
$session->stays_flat($limit, 'CREATE TABLE AS', "$explain CREATE UNLOGGED TABLE made AS SELECT * FROM wide", qr/rows=200000/);
$session->stays_flat($limit, 'into more partitions than keep their batches', "$explain INSERT INTO parts SELECT * FROM wide", qr/rows=200000/);
$session->stays_flat($limit, "scan by $_", "SET pgml_fdw.transport = '$_'; $explain SELECT * FROM wide; RESET pgml_fdw.transport", qr/rows=200000/)
  for qw(row cursor);
$session->stays_flat($limit, 'a scan that is parked', q{BEGIN; SET LOCAL pgml_fdw.transport = 'copy'; DECLARE c CURSOR FOR SELECT * FROM wide; MOVE 1 FROM c;
	SELECT count(*) FROM sink; MOVE 199998 FROM c; FETCH 2 FROM c; COMMIT; SELECT parked > 0 FROM pgml_fdw_stats()}, qr/^0\n200000\|x+\nt$/);
$session->stays_flat($limit, 'writing 5 million rows', "$explain INSERT INTO many SELECT i, 'some text of 32 letters, or there' FROM generate_series(1, 5000000) i", qr/rows=5000000/);
$session->stays_flat($limit, 'writing by INSERT', "SET pgml_fdw.insert_method = 'values'; $explain INSERT INTO sink SELECT i, repeat('x', 400) FROM generate_series(1, 200000) i; RESET pgml_fdw.insert_method", qr/rows=200000/);
$session->stays_flat($limit, 'dblink', "$explain SELECT * FROM dblink('remote', 'SELECT * FROM wide') AS d ($columns)", qr/rows=200000/);
$session->stays_flat($limit, 'dblink of 5 million rows', "$explain SELECT * FROM dblink('remote', 'SELECT * FROM rows') AS d ($columns)",
	qr/rows=5000000.*Rows: streamed/s);
$session->stays_flat($limit, 'an asynchronous query', "SELECT dblink_connect('mine', 'remote'), dblink_send_query('mine', 'SELECT * FROM wide');
	$explain SELECT * FROM dblink_get_result('mine') AS d ($columns)", qr/rows=200000.*Rows: streamed/s);
$session->stays_flat($limit, 'FETCH', "SELECT count(*) FROM dblink_get_result('mine') AS d ($columns); SELECT dblink_open('mine', 'c', 'SELECT * FROM wide');
	$explain SELECT * FROM dblink_fetch('mine', 'c', 200000) AS d ($columns)", qr/rows=200000.*Rows: streamed/s);
$session->stays_flat($limit, 'dblink, gathered', "$explain SELECT * FROM ROWS FROM (dblink('remote', 'SELECT * FROM wide') AS ($columns), generate_series(1, 2))", qr/rows=200000/);
is($remote->safe_psql('postgres', 'SELECT count(*) FROM sink'), 200000, 'what was written is there');
$session->stays_flat($limit, 'UPDATE in batches', "$explain UPDATE sink SET s = repeat('y', 400) WHERE random() >= 0", qr/rows=200000/);
is($remote->safe_psql('postgres', "SELECT count(*) FROM sink WHERE s LIKE 'y%'"), 200000, 'what was changed is there');
$session->stays_flat($limit, 'DELETE in batches', "$explain DELETE FROM sink WHERE random() >= 0", qr/rows=200000/);
# Many small rows: what each of them left behind would show.
my $small = 20 * 1024;
$session->ask(q{CREATE FUNCTION looked(int) RETURNS text VOLATILE LANGUAGE plpgsql AS $$BEGIN RETURN 'some text of 32 letters, or there'; END$$});
$remote->safe_psql('postgres', 'TRUNCATE many');
$session->stays_flat($small, 'rows that wait for their statement', "$explain INSERT INTO many SELECT i, looked(i) FROM generate_series(1, 500000) i", qr/rows=500000/);
is($remote->safe_psql('postgres', 'SELECT count(*) FROM many'), 500_000, 'all of them are there');
$session->stays_flat($small, 'UPDATE of half a million rows', "$explain UPDATE many SET s = 'changed' WHERE random() >= 0", qr/rows=500000/);
is($remote->safe_psql('postgres', q{SELECT count(*) FROM many WHERE s = 'changed'}), 500_000, 'all of them are changed');
# a join stores the rows of the target, from which core copies each
$session->ask('SET enable_mergejoin = off; SET pgml_fdw.enable_keyed_join = off');
$session->ask('CREATE UNLOGGED TABLE given AS SELECT i FROM generate_series(1, 2000000) i; ANALYZE given');
$session->stays_flat($small, 'UPDATE by a join', "$explain UPDATE many SET s = 'again' FROM given WHERE given.i = many.i", qr/Hash Join.*rows=500000/s);
is($remote->safe_psql('postgres', q{SELECT count(*) FROM many WHERE s = 'again'}), 500_000, 'all of them are changed again');
$session->stays_flat($small, 'DELETE of half a million rows', "$explain DELETE FROM many WHERE random() >= 0", qr/rows=500000/);
is($remote->safe_psql('postgres', 'SELECT count(*) FROM many'), 0, 'all of them are gone');
$session->stays_flat($small, 'half a million rows by INSERT', "SET pgml_fdw.insert_method = 'values'; $explain INSERT INTO many SELECT i, 'x' FROM generate_series(1, 500000) i; RESET pgml_fdw.insert_method",
	qr/rows=500000/);

# The measure is one: what does take memory shows.
cmp_ok($session->peak(q{SET work_mem = '300MB'; SELECT s FROM wide ORDER BY i + random() OFFSET 200000}, 120), '>', $limit,
	'a sort in memory is seen');
$session->quit;

done_testing();
