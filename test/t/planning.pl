# Statements are planned while the remote is down, slow or silent.
use strict;
use warnings;
use PostgreSQL::Test::Utils;
use Test::More;

use PgmlProxy;
use PgmlSession;
use PgmlTest;

my ($local, $remote) = pgml_pair(remote => { conf => "listen_addresses = '127.0.0.1'" });
my $proxy = PgmlProxy->new('127.0.0.1', $remote->port);
pgml_connect($local, $remote, host => '127.0.0.1', port => $proxy->port);
$remote->safe_psql('postgres', q{CREATE TABLE t AS SELECT generate_series(1, 12345) AS i; ANALYZE t;
	CREATE TABLE u AS TABLE t; ANALYZE u; CREATE TABLE w AS TABLE t; ANALYZE w});
$local->safe_psql('postgres', q{CREATE FOREIGN TABLE t (i int) SERVER remote OPTIONS (schema_name 'public');
	CREATE FOREIGN TABLE u (i int) SERVER remote OPTIONS (schema_name 'public');
	CREATE FOREIGN TABLE w (i int) SERVER remote OPTIONS (schema_name 'public')});

# Runs it; returns what it says, and how long that took.
my $session;
sub timed
{
	my ($sql) = @_;
	my $answer = $session->ask($sql);
	return ($answer, $session->took);
}
sub session { $session->quit if $session; $session = PgmlSession->new($local); return }

session();
like((timed('EXPLAIN SELECT * FROM t'))[0], qr/rows=12345/, 'the size is known');

# It hangs up
$proxy->refuse(1);
session();
my ($plan, $took) = timed('EXPLAIN SELECT * FROM t');
like($plan, qr/rows=1000000/, 'refused: planned without');
like($session->complain('SELECT count(*) FROM t'), qr/could not connect/, 'but not run');
$proxy->refuse(0);
is((timed('SELECT count(*) FROM t'))[0], 12345, 'it is back');
like((timed('EXPLAIN SELECT * FROM t'))[0], qr/rows=12345/, 'and asked again, since it has answered');

# It says nothing, for as long as it likes
$proxy->stall(1);
session();
($plan, $took) = timed('EXPLAIN SELECT * FROM t');
like($plan, qr/rows=1000000/, 'silent: planned without');
cmp_ok($took, '<', 20, 'in some seconds');
cmp_ok($took, '>', 2, 'spent in waiting');
($plan, $took) = timed('EXPLAIN SELECT * FROM u');
like($plan, qr/rows=1000000/, 'the next one, too');
cmp_ok($took, '<', 2, 'at once');
$local->safe_psql('postgres', q{ALTER SERVER remote OPTIONS (ADD ask_size 'false')});
session();
($plan, $took) = timed('EXPLAIN SELECT * FROM t');
cmp_ok($took, '<', 2, 'at once if nobody is to be asked');
$local->safe_psql('postgres', q{ALTER SERVER remote OPTIONS (DROP ask_size)});
session();
like($session->complain(q{SET statement_timeout = '1s'; EXPLAIN SELECT * FROM t}), qr/statement timeout/, 'a timeout ends the wait and the statement');
$proxy->stall(0);

# The question waits for a lock there; it fails; the connection dies under it
session();
$remote->safe_psql('postgres', q{ALTER ROLE CURRENT_USER SET lock_timeout = '500ms'});
my $blocker = PgmlSession->new($remote);
$blocker->ask('BEGIN; LOCK TABLE u');
like((timed('EXPLAIN SELECT * FROM u'))[0], qr/rows=1000000/, 'an error of the remote: planned without');
$blocker->ask('COMMIT');
session();
$session->ask('BEGIN; SELECT count(*) FROM t; SAVEPOINT s; SELECT count(*) FROM t');
$blocker->ask('BEGIN; LOCK TABLE u');
like((timed('EXPLAIN SELECT * FROM u'))[0], qr/rows=1000000/, 'in a transaction');
$blocker->ask('COMMIT');
is((timed('SELECT count(*) FROM t'))[0], 12345, 'which goes on');
is($session->ask('ROLLBACK TO s; SELECT count(*) FROM t; COMMIT'), 12345, 'as does what is around it');
session();
$session->ask('SELECT count(*) FROM t');
$proxy->cut;
like((timed('EXPLAIN SELECT * FROM w'))[0], qr/rows=12345/, 'a connection that has died in between is replaced');
session();
$session->ask('BEGIN; SELECT count(*) FROM t');
$proxy->cut;
like((timed('EXPLAIN SELECT * FROM w'))[0], qr/rows=1000000/, 'unless a transaction was open');
like($session->complain('SELECT count(*) FROM t'), qr/was lost/, 'which has failed');
$session->ask('ROLLBACK');
is((timed('SELECT count(*) FROM t'))[0], 12345, 'the next one works');

$remote->stop;
session();
like((timed('EXPLAIN SELECT * FROM t JOIN u USING (i)'))[0], qr/Foreign Scan/, 'nobody is there: planned without');
$session->quit;
$blocker->quit;
done_testing();
