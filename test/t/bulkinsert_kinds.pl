# What INSERT INTO local SELECT and CREATE TABLE AS in batches write to which kind
# of table: those that aren't heaps, those that need no log (wal_level = minimal),
# and those with virtual columns.
use strict;
use warnings;
use PostgreSQL::Test::Utils;
use Test::More;

use PgmlSession;
use PgmlTest;

my $local = pgml_node('crash_local', conf => "wal_level = minimal\nmax_wal_senders = 0\nwal_skip_threshold = 0\nautovacuum = off");
my $remote = pgml_node('remote');
$local->safe_psql('postgres', 'CREATE EXTENSION pgml_fdw');
$remote->safe_psql('postgres', q{
	CREATE TABLE src AS SELECT i, md5(i::text) AS t FROM generate_series(1, 20000) i;
	CREATE TABLE large AS SELECT i, (SELECT string_agg(md5((i * 100 + k)::text), '') FROM generate_series(1, 100) k) AS t FROM generate_series(1, 200) i});
pgml_connect($local, $remote);
$local->safe_psql('postgres', 'IMPORT FOREIGN SCHEMA public FROM SERVER remote INTO public');
my $session = PgmlSession->new($local);

# No heaps.
my $pg_config = $ENV{PG_CONFIG} // 'pg_config';
chomp(my $include = `$pg_config --includedir-server`);
my $module = PostgreSQL::Test::Utils::tempdir() . '/other_am.so';
system_or_bail('cc', '-shared', '-fPIC', "-I$include", '-o', $module, 'test/src/other_am.c');
$session->ask(qq{
	CREATE FUNCTION other_am_handler(internal) RETURNS table_am_handler LANGUAGE C AS '$module';
	CREATE ACCESS METHOD other TYPE TABLE HANDLER other_am_handler;
	CREATE TABLE others (i int PRIMARY KEY, t text, n int GENERATED ALWAYS AS (length(t)) STORED) USING other});
my ($out, $err) = $session->ask('INSERT INTO others SELECT i, t FROM src WHERE i <= 2500');
is(join(' ', $err =~ /NOTICE: .*?: (.*)/g), '1000 rows for others 1000 rows for others 500 rows for others no more rows for others',
	'tables that are no heaps are written in batches');
is($session->ask('SELECT count(*), sum(i), sum(n) FROM others'), '2500|3126250|80000', 'with all their columns');
is($session->ask("SET enable_seqscan = off; SELECT t = md5('2222') FROM others WHERE i = 2222; RESET enable_seqscan"), 't', 'and indexes');
like($session->complain('INSERT INTO others SELECT 2501 - i, t FROM src WHERE i <= 2500'), qr/23505.*\(1\)|23505.*\(2500\)/s, 'and errors');
is($session->ask('SELECT count(*) FROM others'), 2500, 'which leave nothing');
($out, $err) = $session->ask('CREATE TABLE others_made USING other AS SELECT * FROM large');
like($err, qr/\d+ rows for others_made/, 'new ones as well');
is($session->ask('SELECT count(*), sum(length(t)) FROM others_made'), '200|640000', 'which have all their rows');

# How much log a statement writes.
sub log_size
{
	my (@statements) = @_;
	my $before = $session->ask('SELECT pg_current_wal_insert_lsn()');
	$session->ask($_) for @statements;
	is($session->last_err, '', "no error: $statements[-1]");
	return $session->ask("SELECT pg_current_wal_insert_lsn() - '$before'");
}

my %made = (
	made => ['CREATE TABLE made AS SELECT * FROM src'],
	viewed => ['CREATE MATERIALIZED VIEW viewed AS SELECT * FROM src'],
	toasted => ['CREATE TABLE toasted AS SELECT * FROM large'],
	filled => [ 'BEGIN', 'CREATE TABLE filled (i int PRIMARY KEY, t text)', 'INSERT INTO filled SELECT * FROM src', 'COMMIT' ],
	emptied => [ 'CREATE TABLE emptied (i int, t text)', 'INSERT INTO emptied SELECT * FROM src', 'BEGIN', 'TRUNCATE emptied', 'INSERT INTO emptied SELECT * FROM src', 'COMMIT' ]);
my $logged = log_size('CREATE TABLE logged (i int, t text)', 'INSERT INTO logged SELECT * FROM src');
cmp_ok($logged, '>', 800000, 'rows of a table that others know are logged');
for my $name (sort keys %made)
{
	my @statements = @{ $made{$name} };
	log_size(splice @statements, 0, 2) if $name eq 'emptied';
	cmp_ok(log_size(@statements), '<', 300000, "those of a new one aren't: $name");
}
my $digest = "SELECT count(*), sum(i), md5(string_agg(t, '' ORDER BY i)) FROM";
my $src = $session->ask("$digest src");
my $large = $session->ask("$digest large");
$session->quit;
$local->stop('immediate');
$local->start;
is($local->safe_psql('postgres', "$digest $_"), $_ eq 'toasted' ? $large : $src, "and survive a crash: $_") for 'logged', sort keys %made;

# Virtual columns, which 18 has.
SKIP:
{
	skip 'no virtual columns before 18', 4 if $local->safe_psql('postgres', 'SHOW server_version_num') < 180000;
	$session = PgmlSession->new($local);
	$session->ask(q{CREATE TABLE virtual (i int, v int GENERATED ALWAYS AS (i * 2) VIRTUAL NOT NULL, t text, s int GENERATED ALWAYS AS (i + 1) STORED, CHECK (v < 5000))});
	like($session->ask('EXPLAIN INSERT INTO virtual (i, t) SELECT i, t FROM src'), qr/bulk insert/, 'virtual columns');
	$session->ask('INSERT INTO virtual (i, t) SELECT i, t FROM src WHERE i < 2500');
	is($session->ask('SELECT count(*), sum(i), sum(v), sum(s), count(t) FROM virtual'), '2499|3123750|6247500|3126249|2499', 'are computed when they are read');
	like($session->complain('INSERT INTO virtual (i, t) SELECT i, t FROM src'), qr/23514/, 'are checked');
	like($session->complain('INSERT INTO virtual (i, t) SELECT nullif(i, 7), t FROM src'), qr/23502/, 'and may not be null');
	$session->quit;
}
unlike(slurp_file($local->logfile), qr/PANIC|server process .* was terminated/, 'nothing in the log');
done_testing();
