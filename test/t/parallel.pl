# The remote runs the scans that we send it with parallel workers, where it would do
# so for its own users.
use strict;
use warnings;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(usleep);

use PgmlTest;

my ($local, $remote) = pgml_pair(remote => { conf => q{
	min_parallel_table_scan_size = 0
	parallel_setup_cost = 0
	parallel_tuple_cost = 0
	max_parallel_workers_per_gather = 2
	max_parallel_workers = 2
	log_statement = none
	log_min_messages = warning} });
plan skip_all => 'this server has no auto_explain'
  if $remote->psql('postgres', q{LOAD 'auto_explain'}, stderr => \my $unused) != 0;
$remote->safe_psql('postgres', q{
	CREATE TABLE t AS SELECT i, i % 100 AS j, repeat('x', 100) AS s FROM generate_series(1, 50000) i;
	ANALYZE t;
	CREATE VIEW sums AS SELECT j, count(*) AS n, sum(i) AS s FROM t GROUP BY j;
	ALTER DATABASE postgres SET session_preload_libraries = 'auto_explain';
	ALTER DATABASE postgres SET auto_explain.log_min_duration = 0;
	ALTER DATABASE postgres SET auto_explain.log_analyze = on;
	ALTER DATABASE postgres SET auto_explain.log_level = 'warning'});
pgml_connect($local, $remote);
# (a question for sizes has a plan of its own)
$local->safe_psql('postgres', q{ALTER SERVER remote OPTIONS (ADD ask_size 'false')});
$local->safe_psql('postgres', 'CREATE SCHEMA far; IMPORT FOREIGN SCHEMA public FROM SERVER remote INTO far');

# Runs a query; returns its answer and the plans of its SELECT on the remote.
# Those are written when the remote's portal is closed, which may be at a COMMIT
# that nobody waits for: so this waits until the log matches.
sub plans
{
	my ($set, $sql, $expected) = @_;
	my $before = -s $remote->logfile;
	my $answer = $local->safe_psql('postgres', "SET search_path = far, public; $set; $sql");
	my $log = '';
	for (1 .. 100)
	{
		$log = substr slurp_file($remote->logfile), $before;
		last if $log =~ $expected;
		usleep(100_000);
	}
	return ($answer, $log);
}

my $filter = q{SELECT count(*), sum(length(s)) FROM t WHERE j < 50 AND s LIKE '%x%'};
my $sum = q{SELECT count(*), sum(n) FROM sums WHERE n > 0};
my %answer = map { $_ => $remote->safe_psql('postgres', $_) } $filter, $sum;
for my $transport (qw(auto copy row))
{
	for my $sql ($filter, $sum)
	{
		my ($answer, $log) = plans("SET pgml_fdw.transport = $transport", $sql, qr/Workers Launched: 2/);
		is($answer, $answer{$sql}, "$transport: the same answer");
		like($log, qr/Workers Launched: 2/, 'by two workers') or diag($log);
		like($log, qr/Filter: .*j < 50/, 'which filter') if $sql eq $filter;
	}
}
my ($answer, $log) = plans('SET pgml_fdw.transport = copy', "BEGIN; INSERT INTO t VALUES (1, 1, 'x'); SAVEPOINT a; $filter; ROLLBACK", qr/Workers Launched: 2/);
like($log, qr/Workers Launched: 2/, 'behind a savepoint and a write, too');
($answer, $log) = plans('SET pgml_fdw.transport = copy', "BEGIN ISOLATION LEVEL SERIALIZABLE; $filter; COMMIT", qr/Workers Launched: 2/);
like($log, qr/Workers Launched: 2/, 'and in SERIALIZABLE');

# A cursor can't, which is why it isn't what is chosen.
($answer, $log) = plans('SET pgml_fdw.transport = cursor', $filter, qr/Seq Scan on t/);
is($answer, $answer{$filter}, 'cursor: the same answer');
unlike($log, qr/Workers Launched/, 'without workers');
like($log, qr/Seq Scan on t/, 'of which the log knows');

done_testing();
