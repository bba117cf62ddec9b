# The tools of the other TAP tests: the pair of clusters and the proxy.
use strict;
use warnings;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time);

use PgmlProxy;
use PgmlTest;

my ($local, $remote) = pgml_pair();
$_->safe_psql('postgres', 'CREATE TABLE pair AS SELECT i FROM generate_series(1, 3) i')
  for $local, $remote;
same_on_both($local, $remote, 'SELECT * FROM pair ORDER BY i', 'a query on both');

pgml_connect($local, $remote);
my $question = q{SELECT * FROM dblink('remote', 'SHOW port') AS t (port text)};
is($local->safe_psql('postgres', $question), $remote->port, 'the server leads to the remote');

# psql to the remote through the proxy; its time, or undef if it failed
my $proxy = PgmlProxy->new($remote->host, $remote->port);
my $through = sprintf 'host=127.0.0.1 port=%d dbname=postgres', $proxy->port;
sub ask
{
	my ($sql) = @_;
	my $start = time;
	my ($out, $err);
	my $ok = IPC::Run::run([ 'psql', '-XAtq', '-d', $through, '-c', $sql ], '>', \$out, '2>', \$err);
	return $ok ? time - $start : undef;
}

ok(defined ask('SELECT 1'), 'the proxy passes a query');
ok(defined ask(q{SELECT repeat('x', 10000000)}), 'and a large answer');
$proxy->latency(100);
# start-up and query are two round trips, of two directions each
my $slow = ask('SELECT 1');
cmp_ok($slow, '>', 0.4, "latency delays ($slow s)");
$proxy->latency(0);

$proxy->refuse(1);
is(ask('SELECT 1'), undef, 'refused connections fail');
$proxy->refuse(0);

# Starts a query that sleeps, interrupts it; true if the server has cancelled it.
sub is_cancelled
{
	my ($seconds) = @_;
	my ($out, $err);
	my $psql = IPC::Run::start([ 'psql', '-XAtq', '-d', $through, '-c', "SELECT pg_sleep($seconds)" ],
		'>', \$out, '2>', \$err);
	$remote->poll_query_until('postgres', q{SELECT true FROM pg_stat_activity WHERE wait_event = 'PgSleep'});
	kill 'INT', $psql->{KIDS}[0]{PID};
	$psql->finish;
	return $err =~ /canceling statement due to user request/;
}
$proxy->swallow_cancel(1);
ok(!is_cancelled(2), 'a swallowed cancel request does not cancel');
$proxy->swallow_cancel(0);
ok(is_cancelled(60), 'one that passes does');

my $session = IPC::Run::start([ 'psql', '-XAtq', '-d', $through ],
	'<', \my $in, '>', \my $out, '2>', \my $err, my $timer = IPC::Run::timeout(60));
$in = "SELECT 'be' || 'gun';\n";
$session->pump until $out =~ /begun/;

$proxy->stall(1);
($in, $out) = ("SELECT 'ans' || 'wer';\n", '');
$session->pump_nb;
sleep 1;
$session->pump_nb;
unlike($out, qr/answer/, 'nothing passes a stalled proxy');
$proxy->stall(0);
$session->pump until $out =~ /answer/;
pass('until it goes on');

$proxy->cut;
($in, $err) = ("SELECT 1;\n", '');
eval { $session->pump until $err =~ /server closed|reset|lost/; };
like($err, qr/server closed|reset|lost/, 'a cut connection is lost');
eval { $session->finish };
ok(defined ask('SELECT 1'), 'and a new one can be made');

$proxy->stop;
is(ask('SELECT 1'), undef, 'a stopped proxy is gone');

done_testing();
