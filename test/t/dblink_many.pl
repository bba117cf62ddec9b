# Two hundred named connections with queries that nobody waits for: some are
# cancelled, some lose their server.  What is opened is closed: sockets and memory
# are counted.
use strict;
use warnings;
use List::Util 'sum';
use PostgreSQL::Test::Utils;
use Test::More;

use PgmlSession;
use PgmlTest;

my $n = 200;
my ($local, $remote) = pgml_pair(remote => { conf => "max_connections = 260" });
pgml_connect($local, $remote);
my $session = PgmlSession->new($local);
my $all = "generate_series(1, $n) AS i";
$session->ask(q{SET client_min_messages = warning; SELECT dblink_connect('spare', 'remote')});

sub remote_sessions
{
	return $remote->safe_psql('postgres', q{SELECT count(*) FROM pg_stat_activity
		WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()});
}

# Every connection answers with its number, but for each tenth, which sleeps until
# it is cancelled, and each one behind those, whose server is killed.
sub round_trip
{
	my ($round) = @_;

	is($session->ask("SELECT count(dblink_connect('c' || i, 'remote')) FROM $all"), $n, "$round: connected");
	is($session->ask('SELECT cardinality(dblink_get_connections())'), $n + 1, 'all have names');
	is($session->ask("SELECT sum(dblink_send_query('c' || i, CASE WHEN i % 10 IN (0, 1)
		THEN 'SELECT ' || i || ' FROM pg_sleep(600)'
		ELSE 'SELECT ' || i || '; SELECT repeat(''x'', 1000) FROM generate_series(1, 100)' END)) FROM $all"), $n, 'sent');
	is($session->ask("SELECT count(*) FROM $all WHERE i % 10 = 0 AND dblink_is_busy('c' || i) = 1"), $n / 10, 'some are busy');
	is($session->ask("SELECT count(*) FROM $all WHERE i % 10 = 0 AND dblink_cancel_query('c' || i) = 'OK'"), $n / 10, 'and cancelled');
	$remote->safe_psql('postgres', q{SELECT count(pg_terminate_backend(pid, 30000)) FROM pg_stat_activity
		WHERE query ~ '^SELECT \d*1 FROM pg_sleep'});
	is($session->ask("SELECT count(*), sum(x), bool_and(x = i) FROM $all, LATERAL dblink_get_result('c' || i, false) AS r (x int)"),
		join('|', $n * 8 / 10, sum(grep { $_ % 10 > 1 } 1 .. $n), 't'), 'the right results');
	is($session->ask("SELECT count(*) FROM $all, LATERAL dblink_get_result('c' || i, false) AS r (x text) WHERE length(x) = 1000"),
		$n * 8 / 10 * 100, 'and those of the second statements');
	is($session->ask("SELECT count(*) FROM $all, LATERAL dblink_get_result('c' || i) AS r (x text)"), 0, 'and no more');
	like($session->complain("SELECT * FROM dblink('c1', 'SELECT 1') AS r (x int)"), qr/08006: .*was lost/, 'a killed one stays lost');
	is($session->ask("SELECT sum(x) FROM $all, LATERAL dblink('c' || i, 'SELECT 1') AS r (x int) WHERE i % 10 <> 1"), $n * 9 / 10,
		'the others go on');
	# some are closed with a query still running, and with rows left
	$session->ask("SELECT dblink_send_query('c' || i, 'SELECT generate_series(1, 100000)') FROM $all WHERE i % 10 = 5");
	is($session->ask("SELECT count(dblink_disconnect('c' || i)) FROM $all"), $n, 'closed');
	is($session->ask('SELECT dblink_get_connections()'), '{spare}', 'but for one');
	$remote->poll_query_until('postgres', q{SELECT count(*) = 1 FROM pg_stat_activity
		WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()});
	return;
}

# what malloc keeps has its size after two rounds
round_trip($_) for 'the first time', 'the second time';
my ($files, $memory) = ($session->files, $session->rss);
round_trip("again ($_)") for 1 .. 2;
is($session->files, $files, 'no socket is left');
cmp_ok($session->rss - $memory, '<', 2 * 1024, 'nor memory');
is(remote_sessions(), 1, 'nor a session there');

# Streams that are left early, in the middle of errors too.
sub streams
{
	$session->ask(q{SELECT * FROM dblink('remote', 'SELECT g FROM generate_series(1, 100000) g') AS s (i int) LIMIT 1});
	$session->complain(q{SELECT 1 / (i - 5) FROM dblink('remote', 'SELECT g FROM generate_series(1, 100000) g') AS s (i int)});
	$session->complain(q{SELECT 1 / (i - 5) FROM dblink('spare', 'SELECT g FROM generate_series(1, 100000) g') AS s (i int)});
	$session->ask(q{BEGIN; DECLARE c CURSOR FOR SELECT * FROM dblink('remote', 'SELECT g FROM generate_series(1, 100000) g') AS s (i int);
		FETCH 1 FROM c; ROLLBACK});
	return;
}
streams() for 1 .. 3;
($files, $memory) = ($session->files, $session->rss);
streams() for 1 .. 20;
cmp_ok($session->files, '<=', $files, 'streams leave no socket');
cmp_ok($session->rss - $memory, '<', 1024, 'nor memory');
is($session->ask(q{SELECT * FROM dblink('spare', 'SELECT 1') AS s (i int)}), 1, 'and the connection in order');
$session->quit;

done_testing();
