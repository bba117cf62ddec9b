# Streams that are left before their end: the remote stops working soon, what the
# transaction has done there and its snapshot stay, and little is read; also when cancel
# requests are late or lost. And transactions that end with their last scan (release_early).
use strict;
use warnings;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep time);

use PgmlProxy;
use PgmlSession;
use PgmlTest;

# each scan starts at the first row
my ($local, $remote) = pgml_pair(remote => { conf => 'synchronize_seqscans = off' });
$remote->safe_psql('postgres', q{
	CREATE TABLE big AS SELECT i, repeat('x', 100) AS s FROM generate_series(1, 1000000) i;
	CREATE VIEW endless AS WITH RECURSIVE r (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM r) SELECT i, repeat('x', 1000) AS s FROM r;
	-- some seconds, if nobody stops it
	CREATE VIEW lasting AS SELECT i, repeat('x', 10000) AS s, pg_sleep(0.02)::text AS p FROM generate_series(1, 100) i;
	CREATE TABLE t (i int);
	CREATE TABLE w (i int)});

my $proxy = PgmlProxy->new($remote->host, $remote->port);
for (qw(remote far))
{
	pgml_connect($local, $remote, server => $_, $_ eq 'far' ? (host => '127.0.0.1', port => $proxy->port) : ());
	$local->safe_psql('postgres', "CREATE SCHEMA $_; IMPORT FOREIGN SCHEMA public FROM SERVER $_ INTO $_");
}
$local->safe_psql('postgres', 'CREATE TABLE here AS SELECT i FROM generate_series(1, 3) i');

# Waits until a query gives this on the remote, some seconds; returns what it gave last.
sub comes_to
{
	my ($sql, $expected) = @_;
	my $deadline = time + 10;
	my $is;
	do
	{
		$is = $remote->safe_psql('postgres', $sql);
		return $is if $is eq $expected || time > $deadline;
	} while sleep 0.02;
}
my $states = q{SELECT string_agg(state, ', ') FROM pg_stat_activity WHERE application_name = 'pgml_fdw'};

# A new session that reads in this way.
sub session
{
	my ($server, $transport) = @_;
	my $session = PgmlSession->new($local);
	$session->ask("SET search_path = $server, public; SET jit = off; SET pgml_fdw.transport = $transport");
	return $session;
}
my $bytes = 'SELECT bytes_in FROM pgml_fdw_stats()';

# Ways to leave a stream, with what they give.  An error above the scan is one that
# the session survives by its savepoint.
my $loop = q{DO $$ DECLARE r record; BEGIN FOR r IN SELECT i, s FROM %1$s WHERE random() >= 0 LOOP EXIT WHEN r.i = 3; END LOOP; END $$};
my @leave = (
	[ 'LIMIT', q{SELECT count(s) FROM (SELECT s FROM %1$s WHERE random() >= 0 LIMIT 10) x}, qr/^10$/ ],
	[ 'EXISTS', q{SELECT EXISTS (SELECT FROM %1$s WHERE random() >= 0 AND s <> '')}, qr/^t$/ ],
	[ 'a closed cursor', q{DECLARE c CURSOR FOR SELECT i, length(s) FROM %1$s; FETCH 2 FROM c; CLOSE c}, qr/^1\|\d+\n2\|\d+$/ ],
	[ 'a loop', $loop, qr/^$/ ],
	[ 'a semi-join', q{SELECT count(*) FROM here h WHERE EXISTS (SELECT FROM %1$s b WHERE b.i >= h.i AND length(b.s) + random() > 1)}, qr/^3$/ ],
	[ 'an error above', q{SAVEPOINT a; SELECT 10 / (i - 4), s FROM %1$s WHERE random() >= 0; ROLLBACK TO a}, qr/^$/ ],
	[ 'a cursor whose subtransaction is rolled back', q{SAVEPOINT a; DECLARE c CURSOR FOR SELECT i FROM %1$s; FETCH 1 FROM c; ROLLBACK TO a}, qr/^1$/ ],
	# a guess of 25 rows
	[ 'LIMIT over more than was expected', q{SELECT count(s) FROM (SELECT s FROM %1$s WHERE i %% 2 = 0 AND i %% 3 = 0 AND random() >= 0 LIMIT 10) x}, qr/^10$/ ],
	[ 'a loop over more than was expected', $loop =~ s/WHERE/WHERE i % 2 = 1 AND i % 3 < 2 AND/r =~ s/%(?!1\$)/%%/gr, qr/^$/ ]);

for my $transport (qw(auto copy row cursor))
{
	my $session = session('remote', $transport);
	$session->ask('BEGIN; INSERT INTO w VALUES (1)');
	my $snapshot = $session->ask('SELECT count(*) FROM t');
	$remote->safe_psql('postgres', 'INSERT INTO t VALUES (1)');
	for my $leave (@leave)
	{
		my ($name, $sql, $gives) = @$leave;
		for my $from (qw(big endless))
		{
			my $what = "$transport: $name from $from";
			my $read = $session->ask($bytes);
			my ($out, $err) = $session->ask(sprintf $sql, $from);
			like($out, $gives, $what) or diag($err);
			cmp_ok($session->took, '<', 5, 'takes no long time');
			cmp_ok($session->ask($bytes) - $read, '<', 2_000_000, 'and few bytes');
			is(comes_to($states, 'idle in transaction'), 'idle in transaction', 'the remote stops, in its transaction');
		}
	}
	is($session->ask('SELECT count(*) FROM w'), 1, "$transport: what was written before is there");
	is($session->ask('SELECT count(*) FROM t'), $snapshot, 'the snapshot is the same');
	$session->ask('COMMIT');
	is($session->{last_err} =~ s/\s//gr, '', 'it can be committed');
	is($remote->safe_psql('postgres', 'DELETE FROM w RETURNING i'), 1, 'and is');

	# without a transaction around it
	for my $leave (grep { $_->[1] =~ /^(SELECT|DO)/ } @leave)
	{
		my ($name, $sql, $gives) = @$leave;
		like($session->ask(sprintf $sql, 'big'), $gives, "$transport: $name by itself");
		is(comes_to($states, 'idle'), 'idle', 'the remote is idle');
	}
	like(($session->ask('SELECT 10 / (i - 4), s FROM endless WHERE random() >= 0'))[1], qr/22012/, "$transport: an error above by itself");
	is(comes_to($states, 'idle'), 'idle', 'the remote is idle');
	$session->quit;
	comes_to("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'pgml_fdw'", 0);
}

# A network that takes its time, for cancel requests too: none hits what comes next.
$proxy->latency(30);
for my $transport (qw(copy row cursor))
{
	my $session = session('far', $transport);
	$session->ask('BEGIN; INSERT INTO w VALUES (1)');
	for my $n (1 .. 3)
	{
		my ($out, $err) = $session->ask(q{
			SELECT count(s) FROM (SELECT s FROM endless WHERE random() >= 0 LIMIT 10) x;
			SELECT count(*) FROM lasting WHERE i = 1;
			SELECT count(s) FROM (SELECT s FROM big WHERE random() >= 0 LIMIT 10) x;
			SELECT count(*) FROM w});
		is($out =~ s/\n/ /gr . $err =~ s/\s//gr, '10 1 10 1', "$transport: a slow network, $n");
	}
	$session->ask('COMMIT');
	is($remote->safe_psql('postgres', 'DELETE FROM w RETURNING i'), 1, 'the transaction is committed');
	$session->quit;
}
$proxy->latency(0);

# Cancel requests that are lost: the rest is read, or given up if there is no end.
$proxy->swallow_cancel(1);
for my $transport (qw(copy row))
{
	my $session = session('far', $transport);
	$session->ask('BEGIN; INSERT INTO w VALUES (1)');
	my ($out, $err) = $session->ask('SELECT count(s) FROM (SELECT s FROM lasting WHERE random() >= 0 LIMIT 10) x; SELECT count(*) FROM w');
	is($out =~ s/\n/ /r . $err =~ s/\s//gr, '10 1', "$transport: without cancel requests it goes on when the query has ended");
	cmp_ok($session->took, '<', 10, 'no sooner and not much later');
	$session->ask('COMMIT');
	is($remote->safe_psql('postgres', 'DELETE FROM w RETURNING i'), 1, 'the transaction is committed');

	$session->ask(q{BEGIN; INSERT INTO w VALUES (1); SET LOCAL statement_timeout = '1s'});
	($out, $err) = $session->ask('SELECT count(s) FROM (SELECT s FROM endless WHERE random() >= 0 LIMIT 10) x');
	like($err, qr/57014: canceling statement due to statement timeout/, "$transport: one without end can be left");
	cmp_ok($session->took, '<', 8, 'soon');
	like(($session->ask('COMMIT; SELECT count(*) FROM t'))[0], qr/^\d+$/, 'the session goes on');
	is($remote->safe_psql('postgres', 'SELECT count(*) FROM w'), 0, 'nothing was committed');
	$session->quit;
}
# One that is lost is repeated
for my $transport (qw(copy row))
{
	my $session = session('far', $transport);
	$session->ask('BEGIN; INSERT INTO w VALUES (1)');
	$proxy->swallow_cancel('next');
	my ($out, $err) = $session->ask('SELECT count(s) FROM (SELECT s FROM endless WHERE random() >= 0 LIMIT 10) x; SELECT count(*) FROM w');
	is($out =~ s/\n/ /r . $err =~ s/\s//gr, '10 1', "$transport: a cancel request that is lost is sent again");
	$session->ask('COMMIT');
	is($remote->safe_psql('postgres', 'DELETE FROM w RETURNING i'), 1, 'the transaction is committed');
	$session->quit;
}
$proxy->swallow_cancel(0);
$remote->safe_psql('postgres', q{SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'pgml_fdw'});

# Interrupts in the middle of a stream, over a network that delays
$proxy->latency(10);
for my $transport (qw(copy row cursor))
{
	my $session = session('far', $transport);
	$session->ask('SELECT count(*) FROM t');
	like(($session->ask(q{SET statement_timeout = '700ms'; SELECT count(s) FROM endless; RESET statement_timeout}))[1],
		qr/57014: canceling statement due to statement timeout/, "$transport: a timeout in the middle of a stream");
	cmp_ok($session->took, '<', 2.5, 'is heard');
	is(comes_to($states, 'idle'), 'idle', 'by the remote too');
	$session->ask('BEGIN; INSERT INTO w VALUES (1); SAVEPOINT a');
	like(($session->ask(q{SET LOCAL statement_timeout = '700ms'; SELECT count(s) FROM endless}))[1],
		qr/57014/, "$transport: behind a savepoint");
	is($session->ask('ROLLBACK TO a; SELECT count(*) FROM w; ROLLBACK'), 1, 'what was before it is there');
	$session->quit;
	comes_to("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'pgml_fdw'", 0);
}
$proxy->latency(0);

# release_early: the remote transaction ends with the last scan, while the local
# statement goes on.
my $long = 'SELECT n, pg_sleep(0.8)::text FROM (SELECT count(*) AS n FROM t WHERE random() >= 0 OFFSET 0) x';
for my $early (0, 1)
{
	my $state = $early ? 'idle' : 'idle in transaction';
	$local->safe_psql('postgres', q{ALTER SERVER remote OPTIONS (ADD release_early 'true')}) if $early;
	for my $transport ($early ? qw(auto copy row cursor) : 'auto')
	{
		my $name = "$transport, release_early $early";
		my $session = session('remote', $transport);

		$session->ask('SELECT count(*) FROM t');
		$session->send($long);
		sleep 0.4;
		is($remote->safe_psql('postgres', $states), $state, "$name: while a statement goes on here");
		$session->answer;

		$session->ask('BEGIN');
		my $count = $session->ask('SELECT count(*) FROM t');
		is($remote->safe_psql('postgres', $states), $state, 'between two statements');
		$remote->safe_psql('postgres', 'INSERT INTO t VALUES (1)');
		is($session->ask('SELECT count(*) FROM t'), $count + $early, 'the next one sees what it should');
		is($session->ask('SELECT count(a.i) FROM here h JOIN LATERAL (SELECT FROM t WHERE t.i = h.i LIMIT 1) b ON true JOIN t a USING (i)'), $count + 1, 'rescans')
		  if $early;
		is($session->ask('SAVEPOINT a; SELECT count(*) FROM t; ROLLBACK TO a; SELECT count(*) FROM t'), join("\n", ($count + $early) x 2), 'savepoints');
		is($remote->safe_psql('postgres', $states), $state, 'leave no transaction');
		like($session->ask('SELECT EXISTS (SELECT FROM big WHERE random() >= 0)'), qr/^t$/, 'an early stop');
		is($remote->safe_psql('postgres', $states), $state, 'leaves none');

		# an open scan keeps it
		$session->ask('DECLARE c CURSOR FOR SELECT i, s FROM big WHERE random() >= 0; FETCH 1 FROM c');
		$session->ask('SELECT count(*) FROM t');
		is($remote->safe_psql('postgres', $states), 'idle in transaction', 'an open cursor keeps it');
		like($session->ask('FETCH 1 FROM c'), qr/^2\|/, 'and gives its rows');
		$session->ask('CLOSE c');
		is($remote->safe_psql('postgres', $states), $state, 'until it is closed');

		# so do row locks and writes
		$session->ask('SELECT i FROM t FOR UPDATE');
		is($remote->safe_psql('postgres', $states), 'idle in transaction', 'row locks keep it');
		$session->ask('COMMIT; BEGIN; INSERT INTO w VALUES (1)');
		is($session->ask('SELECT count(*) FROM w'), 1, 'what was written can be read');
		is($remote->safe_psql('postgres', $states), 'idle in transaction', 'and keeps it');
		$session->ask('ROLLBACK');
		is($remote->safe_psql('postgres', 'SELECT count(*) FROM w'), 0, 'and rolled back');
		$session->quit;
		comes_to("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'pgml_fdw'", 0);
	}
}

done_testing();
