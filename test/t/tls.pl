# Encrypted connections, with certificates that are checked: reading, writing and
# cancelling, by every transport; and servers that aren't who they should be.
use strict;
use warnings;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep time);

use PgmlSession;
use PgmlTest;

my $certificates = 'test/harness/certificates';
my $dir = PostgreSQL::Test::Utils::tempdir;
for my $name (qw(ours theirs))
{
	system('bash', $certificates, "$dir/$name") == 0 or die 'no certificates could be made';
}

my $local = pgml_node('local');
plan skip_all => 'this server was built without TLS' if $local->safe_psql('postgres', 'SHOW ssl_library') eq '';
$local->safe_psql('postgres', 'CREATE EXTENSION pgml_fdw');
my $remote = pgml_node('remote',
	hba => "hostssl all all 127.0.0.1/32 trust\nhostnossl all all 127.0.0.1/32 reject",
	conf => qq{
		listen_addresses = '127.0.0.1'
		ssl = on
		ssl_cert_file = '$dir/ours/server.crt'
		ssl_key_file = '$dir/ours/server.key'});
$remote->safe_psql('postgres', q{
	CREATE TABLE t AS SELECT i, i / 3.0 AS n, md5(i::text) AS s, ARRAY[i, NULL] AS a FROM generate_series(1, 50000) i;
	-- more than a TLS record, more than any buffer, and what doesn't compress
	CREATE TABLE large AS SELECT i, (SELECT string_agg(md5(i || ' ' || j), '') FROM generate_series(1, 1 << (2 * i)) j) AS s FROM generate_series(0, 9) i;
	CREATE TABLE w (i int, s text);
	CREATE VIEW endless AS WITH RECURSIVE r (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM r) SELECT i, repeat('x', 1000) AS s FROM r});

my %server = (
	good => { sslmode => 'verify-full', sslrootcert => "$dir/ours/ca.crt" },
	wrong_ca => { sslmode => 'verify-full', sslrootcert => "$dir/theirs/ca.crt" },
	no_ca => { sslmode => 'verify-full', sslrootcert => "$dir/nothing" },
	wrong_name => { sslmode => 'verify-full', sslrootcert => "$dir/ours/ca.crt", host => '127.0.0.1' },
	open => { sslmode => 'disable' });
for my $name (sort keys %server)
{
	pgml_connect($local, $remote, server => $name, host => 'localhost',
		options => { hostaddr => '127.0.0.1', %{ $server{$name} } });
	$local->safe_psql('postgres', "CREATE SCHEMA $name; CREATE FOREIGN TABLE $name.w (i int, s text) SERVER $name OPTIONS (schema_name 'public')");
}
$local->safe_psql('postgres', 'IMPORT FOREIGN SCHEMA public EXCEPT (w) FROM SERVER good INTO good');

# Who isn't trusted
my %refused = (
	wrong_ca => qr/certificate verify failed/,
	no_ca => qr/root certificate file ".*" does not exist/,
	wrong_name => qr/server certificate for "localhost".* does not match host name "127.0.0.1"/,
	open => qr/pg_hba.conf rejects connection .* no encryption/);
for my $name (sort keys %refused)
{
	my $session = PgmlSession->new($local);
	like($session->complain("SELECT * FROM $name.w"), qr/ERROR:  08001: could not connect to server "$name"\nDETAIL:.*$refused{$name}/s, "refused: $name");
	unlike($session->complain("INSERT INTO $name.w VALUES (1)"), qr/^$/, 'for writes too');
	is($remote->safe_psql('postgres', 'SELECT count(*) FROM w'), 0, 'nothing has come through');
	$session->quit;
}

# Who is
my @queries = (
	q{SELECT count(*), sum(n), md5(string_agg(concat(i, n, s, a), '' ORDER BY i)) FROM t},
	q{SELECT i, length(s), md5(s) FROM large ORDER BY i},
	q{SELECT a.i, b.s FROM t a JOIN t b ON b.i = a.i AND a.i % 1000 = 0 ORDER BY 1},
	q{SELECT count(*) FROM large x, large y WHERE x.i = y.i AND x.s = y.s});
my %answer = map { $_ => $remote->safe_psql('postgres', $_) } @queries;
for my $transport (qw(auto copy row cursor))
{
	my $session = PgmlSession->new($local);
	$session->ask("SET search_path = good, public; SET jit = off; SET pgml_fdw.transport = $transport");
	is($session->ask($_), $answer{$_}, "$transport: $_") for @queries;
	is($remote->safe_psql('postgres', q{
		SELECT ssl FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE application_name = 'pgml_fdw'}), 't', 'it is encrypted');

	is($session->complain('BEGIN; INSERT INTO w SELECT i, s FROM large') =~ s{\s+}{}gr, '', "$transport: a write");
	is($session->ask('SELECT count(s) FROM (SELECT s FROM endless WHERE random() >= 0 LIMIT 10) x'), 10, "$transport: an early stop");
	cmp_ok($session->took, '<', 5, 'comes soon');
	$session->ask('SAVEPOINT a');
	like(($session->ask(q{SET LOCAL statement_timeout = '500ms'; SELECT count(s) FROM endless}))[1], qr/57014/, 'a timeout in the middle of a stream');
	cmp_ok($session->took, '<', 3, 'is heard');
	$session->ask('ROLLBACK TO a; COMMIT');
	is($remote->safe_psql('postgres', 'SELECT i, length(s), md5(s) FROM w ORDER BY i'), $answer{ $queries[1] }, 'what was written before is there');
	is($remote->safe_psql('postgres', q{SELECT state FROM pg_stat_activity WHERE application_name = 'pgml_fdw'}), 'idle', 'the remote has stopped');
	$session->ask('DELETE FROM w');
	$session->quit;
}

# A certificate that is exchanged while connections are open: new ones look anew.
my $session = PgmlSession->new($local);
is($session->ask('SELECT count(*) FROM good.w'), 0, 'a connection is open');
$remote->append_conf('postgresql.conf', "ssl_cert_file = '$dir/theirs/server.crt'\nssl_key_file = '$dir/theirs/server.key'");
$remote->reload;
sleep 0.5;
is($session->ask('SELECT count(*) FROM good.w'), 0, 'and goes on');
like($session->complain('SELECT pgml_fdw_disconnect_all(); SELECT count(*) FROM good.w'), qr/certificate verify failed/, 'a new one is refused');
is($session->ask('SELECT count(*) FROM wrong_ca.w'), 0, 'where the other one is trusted it is not');
$session->quit;

done_testing();
