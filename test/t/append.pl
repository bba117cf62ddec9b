# Scans of several servers run at the same time.  Three databases of the remote cluster
# are three servers; each is slow, and its log tells when it was busy.
use strict;
use warnings;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time);
use Time::Piece;

use PgmlSession;
use PgmlTest;

my ($local, $remote) = pgml_pair(remote => { conf => <<'CONF' });
log_line_prefix = '%m [%d] '
log_min_duration_statement = 0
log_timezone = 'UTC'
CONF

# "slow" takes half a second before its first row
for my $n (1 .. 3)
{
	$remote->safe_psql('postgres', "CREATE DATABASE db$n");
	$remote->safe_psql("db$n", qq{
		CREATE TABLE t (id int, region int, kind int, amount numeric, n bigint, pad text);
		INSERT INTO t SELECT i, $n, i % 5, i / 4.0, i * 1000000007::bigint, repeat('x', 200)
		  FROM generate_series(1, 6000) i WHERE i % 3 = $n - 1;
		ANALYZE t;
		CREATE VIEW slow AS SELECT t.* FROM t, (SELECT pg_sleep(0.5) OFFSET 0) s;
		CREATE TABLE more AS SELECT id, region + 10 AS region, kind, amount, n, pad FROM t; ANALYZE more;
		CREATE TABLE less AS SELECT id, region + 20 AS region, kind, amount, n, pad FROM t; ANALYZE less});
	pgml_connect($local, $remote, server => "s$n", dbname => "db$n");
}
my $columns = 'id int, region int, kind int, amount numeric, n bigint, pad text';
for my $table (qw(t slow))
{
	$local->safe_psql('postgres', "CREATE TABLE $table ($columns) PARTITION BY LIST (region)");
	$local->safe_psql('postgres', qq{
		CREATE FOREIGN TABLE ${table}_$_ PARTITION OF $table FOR VALUES IN ($_)
		  SERVER s$_ OPTIONS (schema_name 'public', table_name '$table')}) for 1 .. 3;
}
$local->safe_psql('postgres', q{CREATE TABLE here AS TABLE t; ANALYZE here});

my $session = PgmlSession->new($local);
$session->ask('SET enable_partitionwise_aggregate = on; SET enable_partitionwise_join = on');

# Returns when each database was busy with the last slow query that it logged.
sub busy
{
	my %busy;
	for (split /\n/, slurp_file($remote->logfile))
	{
		next unless /^(\S+ \S+?)(\.\d+) UTC \[(db\d)\] LOG:  duration: ([\d.]+) ms/ && $4 > 300;
		my $end = Time::Piece->strptime($1, '%Y-%m-%d %H:%M:%S')->epoch + $2;
		$busy{$3} = [ $end - $4 / 1000, $end ];
	}
	return \%busy;
}

# Checks that a query gives what the local copy gives, and whether all three servers were
# busy at one time.
sub runs
{
	my ($query, $together, $name) = @_;
	(my $same = $query) =~ s/\bslow\b/here/g;
	is($session->ask($query), $local->safe_psql('postgres', $same), "$name: the rows");
	my $busy = busy();
	is(scalar keys %$busy, 3, "$name: on three servers");
	my ($last_start) = sort { $b <=> $a } map { $_->[0] } values %$busy;
	my ($first_end) = sort { $a <=> $b } map { $_->[1] } values %$busy;
	is($last_start < $first_end ? 1 : 0, $together, "$name: " . ($together ? 'at once' : 'in turn'));
	truncate $remote->logfile, 0;
	return;
}

my $all = 'SELECT count(*), sum(id), sum(length(pad)) FROM (SELECT * FROM slow OFFSET 0) q';
runs($all, 1, 'a scan');
for my $transport (qw(copy row))
{
	$session->ask("SET pgml_fdw.transport = $transport");
	runs($all, 1, "a scan by $transport");
}
$session->ask('SET pgml_fdw.transport = cursor');
runs($all, 0, 'cursors');
$session->ask('RESET pgml_fdw.transport');
$local->safe_psql('postgres', q{ALTER SERVER s1 OPTIONS (ADD async_capable 'false');
	ALTER FOREIGN TABLE slow_2 OPTIONS (ADD async_capable 'false')});
unlike($session->ask('EXPLAIN SELECT * FROM slow'), qr/Async Foreign Scan on slow_[12]/, 'the option is heard');
$local->safe_psql('postgres', q{ALTER SERVER s1 OPTIONS (DROP async_capable);
	ALTER FOREIGN TABLE slow_2 OPTIONS (DROP async_capable)});
runs('SELECT region, count(*), sum(amount) FROM slow GROUP BY region ORDER BY region', 1, 'groups of the partition key');
runs('SELECT id, region FROM slow ORDER BY id DESC LIMIT 7', 1, 'an ordered LIMIT');

# A query that the first server can answer asks no other
$session->ask('SELECT id FROM slow LIMIT 3');
is(join(' ', keys %{ busy() }), 'db1', 'LIMIT without an order asks one server');

# Each brings no more rows than the LIMIT wants
sub rows_in { return $session->ask('SELECT rows_in FROM pgml_fdw_stats()') }
my $before = rows_in();
is($session->ask('SELECT id FROM t ORDER BY id LIMIT 4 OFFSET 2'), "3\n4\n5\n6", 'LIMIT and OFFSET');
cmp_ok(rows_in() - $before, '<=', 18, 'six rows of each server');
$session->ask('PREPARE p(int) AS SELECT id FROM t ORDER BY id LIMIT $1; SET plan_cache_mode = force_generic_plan');
$before = rows_in();
is($session->ask('EXECUTE p(3)'), "1\n2\n3", 'LIMIT $1');
cmp_ok(rows_in() - $before, '<=', 9, 'three rows of each server');
is($session->ask('EXECUTE p(NULL)'), join("\n", 1 .. 6000), 'LIMIT NULL');

# Scans that share a connection stand in line
$local->safe_psql('postgres', qq{
	CREATE TABLE shared ($columns) PARTITION BY LIST (region);
	CREATE TABLE shared_here PARTITION OF shared FOR VALUES IN (9);
	INSERT INTO shared SELECT id, 9, kind, amount, n, pad FROM here WHERE id <= 10});
for my $n (1 .. 3)
{
	$local->safe_psql('postgres', qq{
		CREATE FOREIGN TABLE shared_$n PARTITION OF shared FOR VALUES IN ($n)
		  SERVER s$n OPTIONS (schema_name 'public', table_name 't');
		CREATE FOREIGN TABLE shared_more_$n ($columns) SERVER s$n OPTIONS (schema_name 'public', table_name 'more');
		CREATE FOREIGN TABLE shared_less_$n ($columns) SERVER s$n OPTIONS (schema_name 'public', table_name 'less');
		ALTER TABLE shared ATTACH PARTITION shared_more_$n FOR VALUES IN ($n + 10);
		ALTER TABLE shared ATTACH PARTITION shared_less_$n FOR VALUES IN ($n + 20)});
}
sub parked { return $session->ask('SELECT parked FROM pgml_fdw_stats()') }
my $count = 'SELECT count(*), sum(id) FROM (SELECT * FROM shared OFFSET 0) q';
$before = parked();
is($session->ask($count), join('|', 3 * 6000 + 10, 3 * 6000 * 6001 / 2 + 55), 'nine scans of three servers');
is(parked() - $before, 0, 'none is put aside for another');
for my $transport (qw(row cursor))
{
	$session->ask("SET pgml_fdw.transport = $transport");
	is($session->ask($count), join('|', 3 * 6000 + 10, 3 * 6000 * 6001 / 2 + 55), "the same by $transport");
}
$session->ask('RESET pgml_fdw.transport');

# Two Appends with the same connections: one is put aside when the other begins
is($session->ask(q{SELECT count(*), sum(a.id + b.id) FROM (SELECT * FROM shared OFFSET 0) a,
	(SELECT * FROM t OFFSET 0) b WHERE a.id = b.id}),
	join('|', 3 * 6000 + 10, 3 * 6000 * 6001 + 110), 'two Appends');
is($session->ask(q{SET enable_hashjoin = off; SET enable_mergejoin = off; SET enable_material = off;
	SELECT sum(c) FROM (SELECT id FROM t WHERE id <= 5 OFFSET 0) a,
	  LATERAL (SELECT count(*) c FROM shared b WHERE b.id <= 6000 + a.id OFFSET 0) q;}), 5 * (18000 + 10),
	'one Append for each row of another');

# Rescans that leave out partitions of the first run
$session->ask(q{SET enable_partition_pruning = on; RESET enable_hashjoin; RESET enable_mergejoin; RESET enable_material});
is($session->ask(q{SET enable_partitionwise_aggregate = off;
	SELECT v.r, x.c FROM (VALUES (1), (21), (11), (1), (99), (3)) v (r),
	  LATERAL (SELECT count(*) c FROM (SELECT * FROM shared WHERE region >= v.r OFFSET 0) q) x}),
	"1|18010\n21|6000\n11|12000\n1|18010\n99|0\n3|14010", 'partitions are left out at run time');
is($session->ask(q{SELECT v.r, x.id FROM (VALUES (1), (11), (2), (22)) v (r),
	  LATERAL (SELECT id FROM shared WHERE region % 10 = v.r % 10 AND region >= v.r OFFSET 0) x LIMIT 3}),
	"1|3\n1|6\n1|9", 'left in the middle');

# A function that uses the same connections between two rows
$session->ask(q{CREATE FUNCTION look(wanted int) RETURNS bigint LANGUAGE plpgsql AS
	$$BEGIN RETURN (SELECT count(*) FROM t WHERE id = wanted); END$$});
is($session->ask('SELECT count(*), sum(look(id)) FROM (SELECT id FROM shared WHERE id % 1000 = 0 OFFSET 0) q'), '18|18',
	'streams that are put aside');
is($session->ask('SELECT count(*) FROM shared WHERE look(id) = 1 AND id % 1000 = 0'), 18, 'by a condition of the scan');

# Errors of one server end all
like($session->complain('SELECT sum(1 / (id - 3000)) FROM shared'), qr/division by zero/, 'an error of one');
is($session->ask($count), join('|', 3 * 6000 + 10, 3 * 6000 * 6001 / 2 + 55), 'and all goes on');
like($session->complain(q{SET statement_timeout = '200ms'; SELECT * FROM slow}), qr/statement timeout/, 'a timeout');
$session->ask('RESET statement_timeout');
is($session->ask($count), join('|', 3 * 6000 + 10, 3 * 6000 * 6001 / 2 + 55), 'after a timeout');

# What changes rows isn't run so
unlike($session->ask('EXPLAIN UPDATE t SET kind = kind + 1 WHERE id < 10 AND random() < 2'), qr/Async/, 'UPDATE');
is($session->ask(q{BEGIN; UPDATE t SET kind = -1 WHERE id <= 30 AND random() < 2; SELECT count(*) FROM t WHERE kind = -1; ROLLBACK}),
	30, 'rows of all servers are changed');

$session->quit;
$local->stop;
$remote->stop;
done_testing();
