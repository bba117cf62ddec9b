# The life of cached connections: options that change under them, remotes that
# go away, what errors and small queries leave behind.
use strict;
use warnings;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep time);

use PgmlProxy;
use PgmlSession;
use PgmlTest;

my ($local, $remote) = pgml_pair(remote => { conf => "listen_addresses = '127.0.0.1'" });
$remote->safe_psql('postgres', 'CREATE DATABASE other');
$remote->safe_psql($_, qq{
	CREATE TABLE t (i int PRIMARY KEY, s text);
	INSERT INTO t VALUES (1, '$_');
	CREATE VIEW fails AS SELECT 1 / (i - 1) AS i FROM generate_series(1, 3) i;
	CREATE VIEW many AS SELECT i, repeat('x', 1000) AS s FROM generate_series(1, 20000) i;
	CREATE ROLE guest_$_ LOGIN SUPERUSER})
  for qw(postgres other);

my $proxy = PgmlProxy->new($remote->host, $remote->port);
my %address = (
	near => [ $remote->host, $remote->port ],
	tcp => [ '127.0.0.1', $remote->port ],
	far => [ '127.0.0.1', $proxy->port ]);
for my $server (sort keys %address)
{
	pgml_connect($local, $remote, server => $server,
		host => $address{$server}[0], port => $address{$server}[1]);
	$local->safe_psql('postgres', qq{
		CREATE FOREIGN TABLE ${server}_t (i int, s text) SERVER $server OPTIONS (table_name 't');
		CREATE FOREIGN TABLE ${server}_fails (i int) SERVER $server OPTIONS (table_name 'fails');
		CREATE FOREIGN TABLE ${server}_many (i int, s text) SERVER $server OPTIONS (table_name 'many')});
}
pgml_connect($local, $remote, server => 'gone', port => 1);
pgml_connect($local, $remote, server => 'nodb', dbname => 'nosuch');
$local->safe_psql('postgres', q{
	CREATE FOREIGN TABLE gone_t (i int) SERVER gone OPTIONS (table_name 't');
	CREATE FOREIGN TABLE nodb_t (i int) SERVER nodb OPTIONS (table_name 't')});

my $session = PgmlSession->new($local);

# A connection that is forgotten on its way, without a word.  What becomes of it is
# looked at in the end: some seconds later, a connection is asked whether it lives.
my $forgotten = PgmlSession->new($local);
is($forgotten->ask('SELECT count(*) FROM far_t'), 1, 'a connection');
my $forgotten_pid = $forgotten->ask('SELECT remote_backend_pid FROM pgml_fdw_get_connections()');
$proxy->freeze;
my $frozen_at = time;

sub pid_of
{
	my ($server) = @_;
	return $session->ask(qq{SELECT remote_backend_pid FROM pgml_fdw_get_connections()
		WHERE server_name = '$server'});
}

# Ends a backend of the remote and waits until it has gone, and the proxy has passed
# on its last words and the end: each command is another round of its loop.
sub terminate
{
	my ($pid) = @_;
	$remote->safe_psql('postgres', "SELECT pg_terminate_backend($pid)");
	soon(sub { !kill 0, $pid }) or die "backend $pid does not end";
	$proxy->latency(0) for 1 .. 4;
	return;
}

# Waits for something, some seconds.
sub soon
{
	my ($check) = @_;
	for (1 .. 1000)
	{
		return 1 if $check->();
		sleep 0.01;
	}
	return 0;
}

# Connections of the extension that the remote has.
sub backends
{
	my ($where) = @_;
	return $remote->safe_psql('postgres', q{SELECT count(*) FROM pg_stat_activity WHERE application_name = 'pgml_fdw'}
		. ($where ? " AND $where" : ''));
}

sub sums_up
{
	my ($server, $name) = @_;
	my ($out, $err) = $session->ask("SELECT count(*) FROM ${server}_t");
	is("$out$err", 1, $name);
	return;
}

# A connection is kept, and replaced without a word when the remote has closed it
# between transactions.
for my $server (qw(near tcp far))
{
	sums_up($server, "$server: a scan");
	my $pid = pid_of($server);
	sums_up($server, 'and another');
	is(pid_of($server), $pid, 'on the same connection');
	terminate($pid);
	is($session->ask(qq{SELECT closed FROM pgml_fdw_get_connections(true) WHERE server_name = '$server'}),
		't', 'when it has been closed, get_connections can tell');
	sums_up($server, 'the next scan works');
	isnt(pid_of($server), $pid, 'on a new one');

	# in a transaction that has used it, it is an error, and a fatal one
	$pid = pid_of($server);
	$session->ask("BEGIN; SELECT count(*) FROM ${server}_t");
	terminate($pid);
	like($session->complain("SELECT count(*) FROM ${server}_t"),
		qr/ERROR:  08006: connection to server "$server" was lost/, 'a connection lost in a transaction is an error');
	like($session->complain('SELECT 1'), qr/ERROR:  25P02/, 'which ends it');
	$session->ask('ROLLBACK');
	sums_up($server, 'but not the session');

	# what was done before the savepoint is gone with the connection
	$session->ask("BEGIN; INSERT INTO ${server}_t VALUES (2, 'lost'); SAVEPOINT s");
	terminate(pid_of($server));
	like($session->complain("SELECT count(*) FROM ${server}_t"), qr/ERROR:  08006/, 'lost behind a savepoint');
	$session->ask('ROLLBACK TO s');
	like($session->complain("SELECT count(*) FROM ${server}_t"), qr/ERROR:  08006.*was lost in this transaction/,
		'it stays lost');
	$session->ask('ROLLBACK TO s');
	like($session->complain('COMMIT'), qr/ERROR:  08006.*cannot be committed/, 'and the transaction cannot be committed');
	sums_up($server, 'nothing was');

	# lost, and found to be so only by COMMIT
	$session->ask("BEGIN; INSERT INTO ${server}_t VALUES (2, 'lost')");
	terminate(pid_of($server));
	like($session->complain('COMMIT'), qr/ERROR:  08006.*HINT:  It is not known whether/s,
		'COMMIT fails if it is the first to notice, and says what is open');
	sums_up($server, 'and the row is not there');

	# in the middle of a stream
	$session->ask("BEGIN; DECLARE c CURSOR FOR SELECT * FROM ${server}_many; FETCH 1 FROM c");
	terminate(pid_of($server));
	like($session->complain('FETCH 20000 FROM c'), qr/ERROR:  08006/, 'lost in the middle of its rows');
	$session->ask('ROLLBACK');
	sums_up($server, 'no harm is done');
}
$proxy->cut;
sums_up('far', 'after a reset: a new connection');
$session->ask('BEGIN; SELECT count(*) FROM far_t');
$proxy->cut;
like($session->complain('SELECT count(*) FROM far_t'), qr/ERROR:  08006/, 'a reset in a transaction');
$session->ask('ROLLBACK');
$proxy->refuse(1);
$proxy->cut;
like($session->complain('SELECT count(*) FROM far_t'), qr/ERROR:  08001: could not connect to server "far"/,
	'nobody answers any more');
$proxy->refuse(0);
sums_up('far', 'and then somebody does');

# The whole remote restarts, or isn't there.
sums_up($_, "$_ works") for qw(near tcp);
$remote->restart;
sums_up($_, "$_ works after a restart of the remote") for qw(near tcp);
$remote->stop;
like($session->complain('SELECT count(*) FROM near_t'), qr/ERROR:  08001/, 'the remote is down');
$remote->start;
sums_up('near', 'and up again');

# Options that change: outside of a transaction, and in one that uses the old ones.
my $admin = PgmlSession->new($local);
sub where { return scalar $session->ask('SELECT s FROM near_t') }
is(where(), 'postgres', 'a row tells the database');
$admin->ask(q{ALTER SERVER near OPTIONS (SET dbname 'other')});
is(where(), 'other', 'ALTER SERVER takes effect at the next scan');
$session->ask('BEGIN; SELECT 1 FROM near_t');
$admin->ask(q{ALTER SERVER near OPTIONS (SET dbname 'postgres')});
is(where(), 'other', 'but not in a transaction that uses it');
is($session->ask(q{SELECT valid, used_in_xact FROM pgml_fdw_get_connections() WHERE server_name = 'near'}),
	'f|t', 'whose connection is shown as outdated');
$session->ask('COMMIT');
is($session->ask(q{SELECT count(*) FROM pgml_fdw_get_connections() WHERE server_name = 'near'}), 0,
	'and closed with the transaction');
is(where(), 'postgres', 'the next one sees the new options');

my $user = q{SELECT * FROM dblink('near', 'SELECT current_user') AS d (u text)};
my $remote_user = q{SELECT usename FROM pg_stat_activity WHERE pid = };
sub remote_user { where(); return $remote->safe_psql('postgres', $remote_user . pid_of('near')) }
$admin->ask(q{ALTER USER MAPPING FOR CURRENT_USER SERVER near OPTIONS (SET user 'guest_postgres')});
is(remote_user(), 'guest_postgres', 'ALTER USER MAPPING takes effect, too');
$session->ask('BEGIN');
where();
$session->ask(q{ALTER USER MAPPING FOR CURRENT_USER SERVER near OPTIONS (SET user 'guest_other')});
is(remote_user(), 'guest_postgres', 'again not in a transaction that uses the old one, by which it is changed');
$session->ask('ROLLBACK');
is(remote_user(), 'guest_postgres', 'and rolled back');
$admin->ask('DROP USER MAPPING FOR CURRENT_USER SERVER near');
like($session->complain('SELECT s FROM near_t'), qr/ERROR:  42704: user mapping not found for user ".*", server "near"\nHINT:  .*CREATE USER MAPPING FOR .* SERVER near/,
	'DROP USER MAPPING');
$admin->ask(q{CREATE USER MAPPING FOR CURRENT_USER SERVER near OPTIONS (user 'guest_other')});
is(remote_user(), 'guest_other', 'and CREATE');

pgml_connect($local, $remote, server => 'brief');
$local->safe_psql('postgres', q{CREATE FOREIGN TABLE brief_t (i int, s text) SERVER brief OPTIONS (table_name 't')});
my ($out, $err) = $session->ask(q{BEGIN; INSERT INTO brief_t VALUES (3, 'kept');
	DROP SERVER brief CASCADE; SELECT server_name IS NULL, valid FROM pgml_fdw_get_connections() WHERE used_in_xact; COMMIT});
is($out, 't|f', 'a server is dropped in the transaction that has used it');
is($remote->safe_psql('postgres', 'SELECT count(*) FROM t WHERE i = 3'), 1, 'which commits there all the same');
is($session->ask('SELECT count(*) FROM pgml_fdw_get_connections() WHERE server_name IS NULL'), 0, 'and leaves no connection');
$remote->safe_psql('postgres', 'DELETE FROM t WHERE i = 3');

# keep_connections, disconnect.
sums_up($_, "$_ is connected") for qw(near tcp far);
ok(backends() >= 3, 'the remote sees the connections');
like($session->complain(q{BEGIN; SELECT 1 FROM near_t; SELECT pgml_fdw_disconnect('near')}),
	qr/WARNING:  55006: cannot close connection for server "near" because it is still in use/, 'not while in use');
is($session->ask(q{COMMIT; SELECT pgml_fdw_disconnect('near'), pgml_fdw_disconnect('near')}), 't|f', 'disconnect');
is($session->ask('SELECT pgml_fdw_disconnect_all(), pgml_fdw_disconnect_all()'), 't|f', 'disconnect_all');
ok(soon(sub { backends() == 0 }), 'the remote sees none any more');
$admin->ask(q{ALTER SERVER near OPTIONS (ADD keep_connections 'off')});
is($session->ask(q{BEGIN; SELECT s FROM near_t; SELECT count(*) FROM pgml_fdw_get_connections(); COMMIT;
	SELECT count(*) FROM pgml_fdw_get_connections()}), "postgres\n1\n0", 'keep_connections off');
ok(soon(sub { backends() == 0 }), 'the remote agrees');
$admin->ask(q{ALTER SERVER near OPTIONS (DROP keep_connections)});
$admin->quit;

# What errors leave behind: no connection, no file, no backend, no memory.
my @errors = (
	'SELECT * FROM near_fails', 'SELECT * FROM gone_t', 'SELECT * FROM nodb_t',
	'SELECT 1 / (i - 1) FROM near_many WHERE random() >= 0',
	"INSERT INTO near_t VALUES (1, 'again')",
	'BEGIN; SELECT 1 FROM near_t; SAVEPOINT s; SELECT * FROM near_fails; ROLLBACK TO s; SELECT 1 / 0; COMMIT',
	"SET statement_timeout = 5; SELECT count(i) FROM near_many a, (SELECT pg_sleep(0.01)) s; RESET statement_timeout",
	q{SELECT * FROM dblink('near', 'SELECT 1 / 0') AS d (i int)},
	q{SELECT * FROM dblink('nodb', 'SELECT 1') AS d (i int)},
	q{SELECT * FROM dblink('near', 'SELECT 1') AS d (i int, j int)},
	q{SELECT dblink_connect('host=/nowhere')},
	q{SELECT dblink_exec('near', 'nonsense')},
	q{DO $$ BEGIN PERFORM * FROM near_fails; EXCEPTION WHEN OTHERS THEN PERFORM 1 FROM near_t; PERFORM 1/0; END $$});
for my $error (@errors)
{
	like($session->complain($error), qr/ERROR/, 'an error: ' . substr $error, 0, 70);
}
sums_up('near', 'the session lives');
my ($files, $rss, $backends) = ($session->files, $session->rss, backends());
for (1 .. 16)
{
	$session->ask(join ";\n", @errors);
}
sums_up('near', 16 * @errors . ' errors later, too');
cmp_ok($session->files, '<=', $files, 'no file is left open');
cmp_ok(backends(), '<=', $backends, 'no backend is left on the remote');
cmp_ok($session->rss - $rss, '<', 500, "hardly any memory is lost to errors: $rss kB, now " . $session->rss);

# Thousands of small queries need no more memory than one.
my %small = (
	scan => 'PERFORM * FROM near_t',
	insert => 'INSERT INTO near_t VALUES (k, NULL); DELETE FROM near_t WHERE i = k',
	'scan left early' => 'PERFORM * FROM near_many LIMIT 1',
	exception => 'BEGIN PERFORM * FROM near_fails; EXCEPTION WHEN OTHERS THEN NULL; END',
	dblink => q{PERFORM dblink_exec('named', 'SET x.y = 1'); PERFORM * FROM dblink('named', 'SELECT 1') AS d (i int)});
$session->ask(q{SELECT dblink_connect('named', 'near')});
for my $name (sort keys %small)
{
	my $loop = sub {
		return $session->complain("DO \$\$ BEGIN FOR k IN 10 .. $_[0] LOOP $small{$name}; COMMIT; END LOOP; END \$\$");
	};
	is($loop->(300), '', "$name, 300 times");
	my $before = $session->rss;
	$loop->(1300);
	cmp_ok($session->rss - $before, '<', 300, "$name: 1300 times need no more memory ($before kB, now " . $session->rss . ')');
}
$session->quit;

my $left = $frozen_at + 11 - time;
sleep $left if $left > 0;
is($forgotten->ask('SELECT count(*) FROM far_t', 20), 1, 'a connection that was forgotten on its way is replaced');
cmp_ok($forgotten->took, '<', 5, 'soon');
isnt($forgotten->ask('SELECT remote_backend_pid FROM pgml_fdw_get_connections()'), $forgotten_pid, 'by another one');
$forgotten->quit;

done_testing();
