# Behind PgBouncer in transaction mode, where two clients share one connection to the
# remote: nothing of ours must outlive a transaction there, and nothing must be needed
# that does.
use strict;
use warnings;
use IO::Socket::INET;
use IPC::Run;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep);

use PgmlSession;
use PgmlTest;

my ($bouncer) = grep { -x } map { "$_/pgbouncer" } split(/:/, $ENV{PATH}), '/usr/sbin';
plan skip_all => 'pgbouncer is not installed' unless $bouncer;

my ($local, $remote) = pgml_pair(remote => { conf => q{password_encryption = 'scram-sha-256'} });
$remote->safe_psql('postgres', q{
	CREATE ROLE worker LOGIN PASSWORD 'secret';
	CREATE TABLE t AS SELECT i, repeat('x', 100) || i AS s, i / 8.0 AS n FROM generate_series(1, 20000) i;
	CREATE TABLE w (i int PRIMARY KEY, s text);
	CREATE TABLE plain_t (i int);
	GRANT ALL ON t, w, plain_t TO worker});

# Starts the pooler on a free port.
my $dir = PostgreSQL::Test::Utils::tempdir;
my $port = do
{
	my $socket = IO::Socket::INET->new(LocalAddr => '127.0.0.1', Listen => 1) or die "listen: $@";
	$socket->sockport;
};
append_to_file("$dir/users", qq{"worker" "secret"\n});
append_to_file("$dir/pgbouncer.ini", sprintf q{
[databases]
postgres = host=%s port=%d dbname=postgres
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = %d
unix_socket_dir =
auth_type = scram-sha-256
auth_file = %s/users
pool_mode = transaction
default_pool_size = 1
max_client_conn = 20
server_reset_query_always = 0
query_wait_timeout = 30
pidfile =
logfile = %s/log
}, $remote->host, $remote->port, $port, $dir, $dir);
my $pooler = IPC::Run::start([ $bouncer, "$dir/pgbouncer.ini" ], '<', \undef, '>&', "$dir/output");
END { $pooler->kill_kill(grace => 1) if $pooler }
my $ready;
for (1 .. 100)
{
	last if $ready = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $port);
	sleep 0.1;
}
ok($ready, 'the pooler listens') or die slurp_file("$dir/log");
close $ready;

# A plain client of the same pool, before there is any other
$ENV{PGPASSWORD} = 'secret';
{
	package PlainNode;
	sub new { my ($class, $connstr) = @_; return bless { connstr => $connstr }, $class }
	sub connstr { return $_[0]{connstr} . " dbname=$_[1]" }
}
my $plain = PgmlSession->new(PlainNode->new("host=127.0.0.1 port=$port user=worker"));
my $settings = q{SELECT current_setting('search_path'), current_setting('TimeZone'), current_setting('DateStyle'),
	current_setting('IntervalStyle'), current_setting('extra_float_digits'), current_setting('lc_monetary'), current_setting('client_encoding')};
my $clean = $plain->ask($settings);
like($clean, qr/public/, 'a plain client comes through');
is($remote->safe_psql('postgres', q{SELECT count(*) FROM pg_stat_activity WHERE usename = 'worker'}), 1, 'there is one connection');

pgml_connect($local, $remote, host => '127.0.0.1', port => $port,
	mapping => { user => 'worker', password => 'secret' });
$local->safe_psql('postgres', q{
	CREATE SCHEMA far;
	IMPORT FOREIGN SCHEMA public FROM SERVER remote INTO far;
	CREATE TABLE ids AS SELECT i FROM generate_series(1, 50) i});

my @session = map { PgmlSession->new($local) } 1, 2;
$_->ask('SET search_path = far, public; SET enable_hashjoin = off; SET enable_mergejoin = off; SET jit = off') for @session;

# Looks at what is left behind, as the plain client and as one on the remote.
sub check_clean
{
	my ($after) = @_;
	is($plain->ask($settings), $clean, "$after: the plain client has its own settings");
	is($plain->ask('SELECT count(*) FROM pg_prepared_statements'), 0, 'no prepared statement');
	is($plain->ask('SELECT count(*) FROM pg_cursors'), 0, 'and no cursor');
	is($remote->safe_psql('postgres', q{SELECT string_agg(state, ', ') FROM pg_stat_activity WHERE usename = 'worker'}), 'idle', 'the one connection is idle');
	return;
}

# Statements and what they give; @ is another number for each of the clients.
my @statements = (
	[ 'a scan', 'SELECT count(*), max(s), sum(n)::float8 FROM t', join '|', 20000, 'x' x 100 . 9999, 25001250 ],
	[ 'few rows', 'SELECT i, right(s, 3), n FROM t WHERE i IN (7, 14) ORDER BY i', "7|xx7|0.87500000000000000000\n14|x14|1.7500000000000000" ],
	[ 'rescans', 'SELECT count(t.s) FROM ids JOIN t USING (i)', 50 ],
	[ 'an early stop', 'SELECT count(*) FROM (SELECT s FROM t WHERE random() >= 0 LIMIT 10) x', 10 ],
	[ 'two scans at once', 'SELECT count(*) FROM t a JOIN t b ON b.i = a.i AND b.i <= 30', 30 ],
	[ 'a cursor', 'BEGIN; DECLARE c CURSOR FOR SELECT i FROM t; FETCH 1 FROM c; MOVE 200 FROM c; FETCH 1 FROM c; COMMIT', "1\n202" ],
	[ 'a cursor that is held', 'BEGIN; DECLARE c CURSOR WITH HOLD FOR SELECT i FROM t; FETCH 1 FROM c; COMMIT; FETCH 1 FROM c; CLOSE c', "1\n2" ],
	[ 'one row', q{INSERT INTO w VALUES (@, 'one') RETURNING s}, 'one' ],
	[ 'rows', q{INSERT INTO w SELECT @ + i, 'row ' || i FROM ids; SELECT count(*) FROM w WHERE i BETWEEN @ AND @ + 60}, 51 ],
	[ 'rows one by one', q{UPDATE w SET s = s || '0.' || random() WHERE i > @ AND i <= @ + 50 AND random() >= 0; SELECT count(*) FROM w WHERE s LIKE '%0.%' AND i > @ AND i <= @ + 50}, 50 ],
	[ 'a direct update', q{UPDATE w SET s = 'all' WHERE i BETWEEN @ AND @ + 60; SELECT count(*) FROM w WHERE s = 'all' AND i BETWEEN @ AND @ + 60}, 51 ],
	[ 'what is rolled back', 'BEGIN; DELETE FROM w WHERE i BETWEEN @ AND @ + 60 AND random() >= 0; SAVEPOINT a; SELECT count(*) FROM w WHERE i BETWEEN @ AND @ + 60; ROLLBACK TO a; ROLLBACK; SELECT count(*) FROM w WHERE i BETWEEN @ AND @ + 60', "0\n51" ],
	[ 'a deletion', 'DELETE FROM w WHERE i BETWEEN @ AND @ + 60 AND random() >= 0; SELECT count(*) FROM w WHERE i BETWEEN @ AND @ + 60', 0 ],
	[ 'an error', 'SELECT 1 / (i - 100), s FROM t WHERE i > 0; SELECT count(*) FROM t WHERE i < 5', 4 ],
	[ 'an error in a transaction', 'BEGIN; SELECT count(*) FROM t WHERE i < 5; SELECT 1 / (i - 3) FROM t; COMMIT; SELECT count(*) FROM t WHERE i < 5', "4\n4" ],
	[ 'dblink', q{SELECT * FROM dblink('remote', 'SELECT current_user') AS d (u text)}, 'worker' ]);

for my $transport (qw(auto copy row cursor))
{
	$_->ask("SET pgml_fdw.transport = $transport") for @session;
	# first in turns, then both at the same time, when one of them has to wait
	for my $together (0, 1)
	{
		for my $statement (@statements)
		{
			my ($name, $sql, $expected) = @$statement;
			my @order = $together ? ('send', 'send', 'answer', 'answer') : ('send', 'answer', 'send', 'answer');
			my %next = (send => 0, answer => 0);
			for my $step (@order)
			{
				my $n = $next{$step}++;
				if ($step eq 'send')
				{
					$session[$n]->send($sql =~ s/\@/($n * 1000 + 1) * 100/ger);
					next;
				}
				my ($out, $err) = $session[$n]->answer;
				is($out, $expected, "$transport: $name, client $n" . ($together ? ' of both' : ''));
				$name =~ /error/ ? like($err, qr/ERROR:  22012/, 'an error') : is($err =~ s/^\s+//r, '', 'no error');
			}
		}
	}
	check_clean($transport);
}

# The transaction has the one connection until it ends.
$session[0]->ask('BEGIN');
is($session[0]->ask('SELECT count(*) FROM t WHERE i <= 5'), 5, 'one is in a transaction');
$session[1]->send('SELECT count(*) FROM t WHERE i <= 6');
sleep 0.3;
$session[1]{run}->pump_nb;
unlike($session[1]{out}, qr/6/, 'the other one waits');
$session[0]->ask('COMMIT');
is(($session[1]->answer)[0], 6, 'until it ends');

# Names and encodings
$local->safe_psql('postgres', q{ALTER SERVER remote OPTIONS (ADD application_name 'through the pooler')});
is($session[0]->ask(q{BEGIN; SELECT count(*) FROM t WHERE i = 1; COMMIT}), 1, 'an application_name');
is($session[0]->ask(q{SET pgml_fdw.application_name = 'of %u'; SELECT pgml_fdw_disconnect_all(); SELECT count(*) FROM t WHERE i = 1}), "t\n1", 'from a setting');

# The remote goes away under the pooler, and comes back.
$remote->restart;
my ($out, $err) = $session[0]->ask('SELECT count(*) FROM t WHERE i <= 5');
$out = $session[0]->ask('SELECT count(*) FROM t WHERE i <= 5') if $out eq '';
is($out, 5, 'a restart of the remote is survived');

$_->quit for @session, $plain;
$pooler->kill_kill(grace => 2);
undef $pooler;
done_testing();
