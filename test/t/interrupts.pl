# Waits for the remote end when the user says so, and the remote query with
# them: by cancel, by timeout, by termination; wherever the wait is, and also
# when the network says nothing any more.
use strict;
use warnings;
use IO::Socket::INET;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep time);

use PgmlProxy;
use PgmlSession;
use PgmlTest;

# What is soon, in seconds; and when the network is silent, where the session
# also waits for a while whether it comes back.
my ($soon, $silent) = (3, 7);

my ($local, $remote) = pgml_pair(remote => { conf => "listen_addresses = '127.0.0.1'" });
$remote->safe_psql('postgres', q{
	CREATE TABLE t (i int, j int);
	INSERT INTO t VALUES (1, 1);
	CREATE VIEW slow AS SELECT pg_sleep(100)::text AS s;
	CREATE VIEW trickle AS SELECT i, repeat('x', 20000) AS s, pg_sleep(0.02)::text AS p FROM generate_series(1, 5000) i});

# A listener that takes connections and never says a word.
my $mute = IO::Socket::INET->new(LocalAddr => '127.0.0.1', Listen => 5) or die "listen: $@";
my $proxy = PgmlProxy->new($remote->host, $remote->port);
my %port = (remote => $remote->port, far => $proxy->port, mute => $mute->sockport);
for my $server (sort keys %port)
{
	pgml_connect($local, $remote, server => $server, host => '127.0.0.1', port => $port{$server});
	$local->safe_psql('postgres', qq{
		CREATE FOREIGN TABLE ${server}_t (i int, j int) SERVER $server OPTIONS (table_name 't');
		CREATE FOREIGN TABLE ${server}_slow (s text) SERVER $server OPTIONS (table_name 'slow');
		CREATE FOREIGN TABLE ${server}_trickle (i int, s text, p text) SERVER $server OPTIONS (table_name 'trickle')});
}

my $admin = PgmlSession->new($local);
my $holder = PgmlSession->new($remote);
$holder->ask('BEGIN; UPDATE t SET j = 2');


# Is a query of the extension with this text running on the remote?
sub running
{
	my ($text) = @_;
	return qq{SELECT count(*) > 0 FROM pg_stat_activity WHERE application_name = 'pgml_fdw'
		AND state = 'active' AND query LIKE '%$text%'};
}

# Where one can wait: the statement, and its sign on the remote.
my %wait = (
	'for a connection' => [ 'SELECT * FROM mute_t' ],
	'for a connection of dblink' => [ q{SELECT * FROM dblink('mute', 'SELECT 1') AS d (i int)} ],
	'for the first row' => [ 'SELECT * FROM remote_slow', 'slow' ],
	'in the middle of the rows' => [ 'SELECT count(s) FROM remote_trickle', 'trickle' ],
	'in a cursor' => [ 'BEGIN; DECLARE c CURSOR FOR SELECT * FROM remote_trickle; FETCH 4000 FROM c; ROLLBACK', 'FETCH' ],
	'for a lock' => [ 'UPDATE remote_t SET j = 3 WHERE i = 1', 'UPDATE' ],
	'for a command of dblink' => [ q{SELECT dblink_exec('remote', 'DO $$ BEGIN PERFORM pg_sleep(100); END $$')}, 'pg_sleep' ],
	'for rows of dblink' => [ q{SELECT * FROM dblink('remote', 'SELECT pg_sleep(100)::text') AS d (s text)}, 'pg_sleep' ]);
my $session;

# Starts the statement and waits until the session hangs in it.
sub hang
{
	my ($sql, $sign) = @_;
	$session //= PgmlSession->new($local);
	$session->send($sql);
	ok(until_true($remote, running($sign)), "$sign runs on the remote") if $sign;
	sleep 0.3;
	return;
}

for my $where (sort keys %wait)
{
	my ($sql, $sign) = @{ $wait{$where} };

	hang($sql, $sign);
	my $start = time;
	$admin->ask('SELECT pg_cancel_backend(' . $session->pid . ')');
	my ($out, $err) = $session->answer;
	like($err, qr/ERROR:  57014: canceling statement due to user request/, "cancel while waiting $where");
	cmp_ok(time - $start, '<', $soon, 'takes effect soon');
	ok(until_true($remote, 'SELECT NOT x FROM (' . running($sign) . ') AS r (x)'), 'on the remote, too') if $sign;
	is($session->ask('SELECT i FROM remote_t'), 1, 'and the session goes on');

	my $timeout = $sign ? 600 : 300;
	($out, $err) = $session->ask("SET statement_timeout = $timeout; $sql; RESET statement_timeout");
	like($err, qr/ERROR:  57014: canceling statement due to statement timeout/, "timeout while waiting $where");
	cmp_ok($session->took, '<', $soon, 'takes effect soon');
	ok(until_true($remote, 'SELECT NOT x FROM (' . running($sign) . ') AS r (x)'), 'on the remote, too') if $sign;

	hang($sql, $sign);
	$start = time;
	$admin->ask('SELECT pg_terminate_backend(' . $session->pid . ')');
	like(($session->answer)[1], qr/FATAL:  57P01/, "termination while waiting $where");
	cmp_ok(time - $start, '<', $soon, 'takes effect soon');
	ok(until_true($remote, 'SELECT NOT x FROM (' . running($sign) . ') AS r (x)'), 'on the remote, too') if $sign;
	undef $session;
}

# A timeout of the connection itself.
$admin->ask(q{ALTER SERVER mute OPTIONS (ADD connect_timeout '2')});
$session = PgmlSession->new($local);
like($session->complain('SELECT * FROM mute_t'), qr/ERROR:  08001: could not connect to server "mute".*expired/s,
	'connect_timeout');
cmp_ok($session->took, '<', 2 + $soon, 'is kept');
cmp_ok($session->took, '>', 1.5, 'and not cut short');

# A cancel inside of a transaction goes back to its savepoint, with what was before.
$holder->ask('ROLLBACK');
$session->ask(q{BEGIN; INSERT INTO remote_t VALUES (5, 5); SAVEPOINT s});
hang('SELECT * FROM remote_slow', 'slow');
$admin->ask('SELECT pg_cancel_backend(' . $session->pid . ')');
$session->answer;
is($session->ask('ROLLBACK TO s; SELECT count(*) FROM remote_t WHERE i = 5; COMMIT'), 1,
	'a cancel behind a savepoint leaves what was done before it');
is($remote->safe_psql('postgres', 'SELECT count(*) FROM t WHERE i = 5'), 1, 'which can be committed');

# A timeout while the remote goes back to a savepoint is the parent's, whose transaction goes on.
$proxy->latency(300);
$session = PgmlSession->new($local);
$session->ask('BEGIN; SELECT count(*) FROM far_t; SAVEPOINT s');
$session->ask(q{SET LOCAL statement_timeout = '900ms';
	DO $$ BEGIN
		BEGIN PERFORM FROM far_t; PERFORM 1 / 0; EXCEPTION WHEN division_by_zero THEN END;
		PERFORM pg_sleep(10);
	END $$});
is($session->ask('ROLLBACK TO s; SELECT count(*) FROM far_t; COMMIT'), 2, 'a timeout during an abort: the parent goes on');
$proxy->latency(0);

# A slow network, on which a request that is given up too early has never left: it has time
# to, though the session is told to stop once more; and if it wasn't enough, the next one has more.
# (Since libpq 17 requests ask for encryption like connections, which takes a round trip.)
$admin->ask(q{ALTER SERVER far OPTIONS (ADD sslmode 'disable')});
for my $slow ([ 300, 2 ], [ 1200, 1 ])
{
	my ($latency, $times) = @$slow;

	$session = PgmlSession->new($local);
	hang('SELECT * FROM far_slow', 'slow');
	$proxy->latency($latency);
	$proxy->forget(1);
	for (1 .. $times)
	{
		$admin->ask('SELECT pg_cancel_backend(' . $session->pid . ')');
		sleep 0.1;
	}
	like(($session->answer)[1], qr/57014/, "a latency of $latency ms: cancelled");
	cmp_ok($session->took, '<', $silent, 'soon');
	ok(until_true($remote, 'SELECT NOT x FROM (' . running('slow') . ') AS r (x)'), 'on the remote, too');
	$proxy->forget(0);
	$proxy->latency(0);
	$session->quit;
	undef $session;
}
$admin->ask('ALTER SERVER far OPTIONS (DROP sslmode)');

# A silent network.  A cancel can't get through to the remote, but to us.
my %silence = (
	'the first row' => 'SELECT * FROM far_slow',
	'rows' => 'SELECT count(s) FROM far_trickle',
	'a commit' => 'COMMIT',
	'a connection' => 'SELECT * FROM far_t');
for my $what (sort keys %silence)
{
	my $sql = $silence{$what};
	for my $how ('cancel', $what eq 'rows' ? 'terminate' : ())
	{
		$session //= PgmlSession->new($local);
		$session->ask('BEGIN; INSERT INTO far_t VALUES (6, 6)') if $sql eq 'COMMIT';
		$proxy->stall(1) if $what =~ /connection|commit/;
		$session->send($sql);
		until_true($remote, running($1)) if $sql =~ /(slow|trickle)/;
		sleep 0.3;
		$proxy->stall(1);
		sleep 0.2;
		my $start = time;
		$admin->ask("SELECT pg_${how}_backend(" . $session->pid . ')');
		like(($session->answer)[1], qr/57014|57P01/, "silence instead of $what: $how");
		cmp_ok(time - $start, '<', $silent, 'takes effect');
		$proxy->cut;
		$proxy->stall(0);
		if ($how eq 'terminate') { undef $session }
		else
		{
			$session->ask('ROLLBACK');
			is($session->ask('SELECT min(i) FROM far_t'), 1, 'the session goes on when the network does');
			$session->ask('SELECT pgml_fdw_disconnect_all()');
		}
	}
}

# The session is ended while COMMIT is on its way: what the remote commits is committed here, too.
$session = PgmlSession->new($local);
$admin->ask('CREATE TABLE here (i int)');
$session->ask('BEGIN; INSERT INTO here VALUES (8); INSERT INTO far_t VALUES (8, 8)');
$proxy->latency(200);
$session->send('COMMIT');
sleep 0.1;
$admin->ask('SELECT pg_terminate_backend(' . $session->pid . ')');
$session->answer;
$proxy->latency(0);
ok(until_true($remote, 'SELECT count(*) = 1 FROM t WHERE i = 8'), 'the remote has committed');
is($admin->ask('SELECT count(*) FROM here'), 1, 'and so has the session that was ended');
undef $session;

# A connection that is cut: the reason is said, and nothing that libpq thinks of afterwards.
$session = PgmlSession->new($local);
$session->ask('BEGIN; SELECT * FROM far_t');
$proxy->cut;
my $reason = $session->complain('SELECT * FROM far_t');
like($reason, qr/08006: connection to server "far" was lost\nDETAIL:  \S/, 'a connection is cut');
unlike($reason, qr/invalid socket/, 'that it has no socket any more goes without saying');
$session->quit;

# Cancel requests alone are lost: the remote goes on, we don't wait for it.
$session = PgmlSession->new($local);
$session->ask('SELECT * FROM far_t');
$proxy->swallow_cancel(1);
$session->ask("SET statement_timeout = 500; SELECT * FROM far_slow");
like($session->{last_err}, qr/57014/, 'cancel requests are lost');
cmp_ok($session->took, '<', $silent, 'which costs not much time');
$session->ask('RESET statement_timeout');
is($session->ask('SELECT min(i) FROM far_t'), 1, 'the session goes on');
$session->quit;
$remote->safe_psql('postgres', q{SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'pgml_fdw'});

is($local->safe_psql('postgres', 'SELECT 1'), 1, 'the server lives');
done_testing();
