# What a review has found: each of these went wrong once.
use strict;
use warnings;
use PostgreSQL::Test::Utils;
use Test::More;

use Time::HiRes qw(sleep);

use PgmlProxy;
use PgmlSession;
use PgmlTest;

my ($local, $remote) = pgml_pair(remote => { conf => "listen_addresses = '127.0.0.1'" });
$remote->safe_psql('postgres', q{
	CREATE TABLE t AS SELECT i AS k, 0 AS v FROM generate_series(1, 1000) i;
	CREATE ROLE reader LOGIN;
	GRANT SELECT ON t TO reader});
pgml_connect($local, $remote);
pgml_connect($local, $remote, server => 'brief', mapping => { user => 'reader' });
$local->safe_psql('postgres', q{
	CREATE FOREIGN TABLE t (k int, v int) SERVER remote;
	CREATE FOREIGN TABLE brief (k int, v int) SERVER brief OPTIONS (table_name 't');
	CREATE FOREIGN TABLE prepared (name text) SERVER remote
		OPTIONS (schema_name 'pg_catalog', table_name 'pg_prepared_statements');
	CREATE TABLE here AS SELECT i AS x, i AS y FROM generate_series(1, 10) i;
	CREATE TABLE numbers AS SELECT i AS x FROM generate_series(1, 20) i;
	ANALYZE here, numbers, t});

my $session = PgmlSession->new($local);


# Prepared statements don't outlive a transaction, however it ends.
for my $end (qw(COMMIT ROLLBACK))
{
	$session->said("BEGIN; INSERT INTO t SELECT 5000 + i, 1 FROM generate_series(1, 1500) i; $end");
	is($session->said('SELECT count(*) FROM prepared'), 0, "no statement stays prepared after an INSERT and $end");
	$session->said("BEGIN; UPDATE t SET v = 1 WHERE k < 5 AND random() < 2; $end");
	is($session->said('SELECT count(*) FROM prepared'), 0, "nor after an UPDATE and $end");
}
$session->said('DELETE FROM t WHERE k > 1000; UPDATE t SET v = 0');

# A connection that is lost in a subtransaction spoils no more than what it was used in.
$session->said('BEGIN; SAVEPOINT used; SELECT count(*) FROM t; SAVEPOINT broken');
$remote->safe_psql('postgres', q{SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE application_name = 'pgml_fdw'});
like($session->said('SELECT count(*) FROM t'), qr/ERROR:  08006/, 'the connection is lost');
like($session->said('ROLLBACK TO broken; SELECT count(*) FROM t'), qr/ERROR:  08006/, 'what was read on it is lost too');
is($session->said('ROLLBACK TO used; SELECT count(*) FROM t; COMMIT'), 1000, 'but what was before it goes on, and is committed');

# A remote that refuses the question whether its tables are plain: reading goes on.
$remote->safe_psql('postgres', 'REVOKE EXECUTE ON FUNCTION to_regclass(text) FROM PUBLIC');
is($session->said('SELECT count(*) FROM brief'), 1000, 'the question can be refused');
my $connects = $session->said('SELECT connects FROM pgml_fdw_stats()');
is($session->said('SELECT count(*) FROM brief; SELECT count(*) FROM brief'), "1000\n1000", 'without a warning');
is($session->said('SELECT connects FROM pgml_fdw_stats()'), $connects, 'and without a new connection');
$remote->safe_psql('postgres', 'GRANT EXECUTE ON FUNCTION to_regclass(text) TO PUBLIC');

# What is kept of a connection goes with it.
$session->said(q{ALTER SERVER brief OPTIONS (ADD keep_connections 'off')});
my @used = map {
	$session->said("DO 'BEGIN FOR i IN 1..$_ LOOP PERFORM count(*) FROM brief; COMMIT; END LOOP; END'");
	$session->said(q{SELECT sum(used_bytes) FROM pg_backend_memory_contexts WHERE name = 'pgml connection'});
} 20, 100;
cmp_ok($used[1], '<=', $used[0] + 1000, 'a hundred connections need no more memory than twenty');

# A statement doesn't find again what it has changed itself, as if that had been there before.
my $plans = q{SET enable_material = off; SET enable_hashjoin = off; SET enable_mergejoin = off};
$session->said("BEGIN; $plans");
$session->said('UPDATE t SET v = v + 1 FROM here WHERE t.k < 5 AND here.x + 20 > t.k AND here.y % 5 = 1 AND here.x % 3 > -1');
is($session->said('SELECT k, v FROM t WHERE v <> 0 ORDER BY k'), join("\n", map { "$_|1" } 1 .. 4), 'each row is updated once');
$session->said('UPDATE t SET v = k; UPDATE t SET v = t2.v + 100 FROM t t2 WHERE t2.k = t.k - 1 AND t.k < 5');
is($session->said('SELECT k, v FROM t WHERE k < 6 ORDER BY k'), "1|1\n2|101\n3|102\n4|103\n5|5", 'from the values that were there');
$session->said(q{DELETE FROM t WHERE k > 1; ALTER FOREIGN TABLE t OPTIONS (ADD batch_size '1')});
$session->said('INSERT INTO t SELECT t2.k + 1, 1 FROM numbers JOIN t t2 ON t2.k = numbers.x');
is($session->said('SELECT k FROM t ORDER BY k; ROLLBACK'), "1\n2", 'rows that are inserted are not joined');

# A cancel between a remote's COMMIT and its answer doesn't undo the local half alone.
my $proxy = PgmlProxy->new($remote->host, $remote->port);
pgml_connect($local, $remote, server => 'far', host => '127.0.0.1', port => $proxy->port);
$local->safe_psql('postgres', q{CREATE FOREIGN TABLE far (k int, v int) SERVER far OPTIONS (table_name 't')});
$session->said('SET pgml_fdw.transport = row; BEGIN; INSERT INTO far VALUES (7777, 7); INSERT INTO here VALUES (7777, 7)');
$proxy->latency(150);
$session->send('COMMIT');
sleep 0.1;
my $admin = PgmlSession->new($local);
$admin->ask('SELECT pg_cancel_backend(' . $session->pid . ')');
is(($session->answer)[1], '', 'a COMMIT that is under way is not cancelled');
$proxy->latency(0);
is($session->said('SELECT count(*) FROM here WHERE x = 7777; SELECT count(*) FROM far WHERE k = 7777'), "1\n1", 'nor half of it');

# The slot of a connection is kept while a scan that failed points to it, in a
# block that has caught the error and goes on for transactions.  Since 18 a
# function in SQL leaves none: there, the slot goes when it is not needed.
$session->quit;
$session = PgmlSession->new($local);
my $own = $local->connstr('postgres') =~ s/'/''/gr;
is($session->said(qq{
	SET client_min_messages = error;
	SELECT dblink_connect('own', '$own');
	CREATE TABLE slots (kept int, scans int);
	CREATE FUNCTION fails() RETURNS bigint LANGUAGE sql VOLATILE AS 'SELECT sum(1 / (length(k::text) - 1)) FROM far';
	DO \$\$
	DECLARE
		x bigint;
	BEGIN
		BEGIN x := fails(); EXCEPTION WHEN division_by_zero THEN NULL; END;
		COMMIT;
		PERFORM dblink_exec('own', 'DROP USER MAPPING FOR CURRENT_USER SERVER far');
		PERFORM count(*) FROM t;
		COMMIT;
		PERFORM count(*) FROM brief;
		INSERT INTO slots SELECT count(*) FILTER (WHERE name = 'pgml connection'), count(*) FILTER (WHERE name = 'pgml_fdw source')
			FROM pg_backend_memory_contexts;
	END \$\$;
	SELECT * FROM slots}), $local->pg_version < 18 ? "OK\n4|1" : "OK\n3|0", 'no slot is gone to which a scan points');

$_->quit for $session, $admin;
done_testing();
