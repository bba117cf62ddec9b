# Remotes that can't be written to: a hot standby, and a login that may only
# read.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use PgmlSession;
use PgmlTest;

my $local = pgml_node('local');
$local->safe_psql('postgres', 'CREATE EXTENSION pgml_fdw');
my $primary = pgml_node('primary', allows_streaming => 1, conf => 'autovacuum = off');
$primary->safe_psql('postgres', q{
	CREATE SCHEMA shop;
	CREATE TYPE shop.mood AS ENUM ('sad', 'happy');
	CREATE TABLE shop.t (i int PRIMARY KEY, s text, d date DEFAULT '2024-02-29');
	INSERT INTO shop.t SELECT i, 'row ' || i FROM generate_series(1, 20000) i;
	CREATE VIEW shop.v AS SELECT count(*) AS n FROM shop.t;
	CREATE TABLE shop.parts (i int, s text) PARTITION BY LIST (i);
	CREATE TABLE shop.part1 PARTITION OF shop.parts FOR VALUES IN (1);
	CREATE TABLE shop.part2 PARTITION OF shop.parts FOR VALUES IN (2);
	INSERT INTO shop.parts VALUES (1, 'one'), (2, 'two');
	CREATE ROLE reader LOGIN;
	GRANT USAGE ON SCHEMA shop TO reader;
	GRANT ALL ON ALL TABLES IN SCHEMA shop TO reader;
	ALTER ROLE reader SET default_transaction_read_only = on;
	CREATE ROLE looker LOGIN;
	GRANT USAGE ON SCHEMA shop TO looker;
	GRANT SELECT ON ALL TABLES IN SCHEMA shop TO looker;
	REVOKE ALL ON SCHEMA public FROM PUBLIC;
	REVOKE TEMPORARY, CREATE ON DATABASE postgres FROM PUBLIC});

$primary->backup('copy');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($primary, 'copy', has_streaming => 1);
$standby->append_conf('postgresql.conf', "max_standby_streaming_delay = 0\nhot_standby_feedback = off");
$standby->start;

pgml_connect($local, $standby, server => 'standby');
pgml_connect($local, $primary, server => 'reader', mapping => { user => 'reader' });
pgml_connect($local, $primary, server => 'looker', mapping => { user => 'looker' });
$local->safe_psql('postgres', 'CREATE SCHEMA standby; CREATE SCHEMA reader; CREATE SCHEMA looker');

my $session = PgmlSession->new($local);
sub run
{
	my ($out, $err) = $session->ask($_[0]);
	return $err eq '' ? $out : "$out|$err";
}

# All that reading is.
for my $server (qw(standby reader looker))
{
	is(run("IMPORT FOREIGN SCHEMA shop FROM SERVER $server INTO $server"), '', "$server: import");
	is(run("SELECT count(*), max(i), min(s) FROM $server.t WHERE d > '2000-01-01'"), '20000|20000|row 1', "$server: scan");
	is(run("SELECT s FROM $server.t WHERE i = 7"), 'row 7', 'of one row');
	is(run("SELECT n FROM $server.v"), '20000', 'of a view');
	is(run("SELECT string_agg(s, ',' ORDER BY i) FROM $server.parts"), 'one,two', 'of a partitioned table');
	is(run("CREATE TABLE $server.copy (i int, s text); SELECT pgml_fdw_pull('$server', 'shop.t', '$server.copy', columns => '{i,s}')"), '20000', 'pull');
	is(run("SELECT pgml_fdw_pull('$server', 'shop.t', '$server.copy', mode => 'replace', jobs => 3, columns => '{i,s}')"), '20000', 'by several jobs');
	is(run("SELECT pgml_fdw_pull('$server', '(SELECT n AS i FROM shop.v)', '$server.copy')"), '1', 'of a query');
	is(run("SET client_min_messages = warning; DROP SCHEMA IF EXISTS whole CASCADE; CREATE SCHEMA whole;
		CALL pgml_fdw_pull_schema('$server', 'shop', 'whole', jobs => 2);
		SELECT name, rows FROM whole.pgml_fdw_pull_log ORDER BY name; RESET client_min_messages"), "parts|2\nt|20000", 'of a schema');
	is(run("SELECT a.i, (SELECT count(*) FROM $server.t b WHERE b.i <= a.i) FROM $server.t a WHERE a.i < 3 ORDER BY 1"),
		"1|1\n2|2", 'with rescans');
	is(run("BEGIN; DECLARE c CURSOR FOR SELECT i FROM $server.t; FETCH 1 FROM c; SAVEPOINT s; SELECT count(*) FROM $server.t;
		ROLLBACK TO s; FETCH 1 FROM c; COMMIT"), "1\n20000\n2", 'cursors and savepoints');
	is(run("ANALYZE $server.t"), '', 'ANALYZE');
	is(run("SELECT reltuples FROM pg_class WHERE oid = '$server.t'::regclass"), '20000', 'has counted');
	is(run("SELECT * FROM dblink('$server', 'SELECT i, s FROM shop.t WHERE i = 9') AS d (i int, s text)"), '9|row 9', 'dblink');
	is(run("SELECT dblink_exec('$server', 'SET work_mem = 64')"), 'SET', 'dblink_exec');
}

# And what isn't fails, saying so; the session goes on.
my %why = (
	standby => qr/ERROR:  25006: cannot execute [A-Z ]+ (in a read-only transaction|during recovery)/,
	reader => qr/ERROR:  25006: cannot execute [A-Z ]+ in a read-only transaction/,
	looker => qr/ERROR:  42501: permission denied/);
for my $server (sort keys %why)
{
	for my $sql ("INSERT INTO $server.t VALUES (0)", "UPDATE $server.t SET s = NULL WHERE i = 1",
		"DELETE FROM $server.t WHERE i = 1", "TRUNCATE $server.t", "COPY $server.t FROM STDIN;\n0\ta\t2024-01-01\n\\.\n",
		"SELECT dblink_exec('$server', 'DELETE FROM shop.t')", "SELECT dblink_exec('$server', 'CREATE TEMP TABLE x ()')")
	{
		like(run($sql), $why{$server}, "$server: " . $sql =~ s/;.*//sr);
	}
	is(run("SELECT n FROM $server.v"), '20000', "$server: nothing was done, and reading goes on");
}

# What a standby can't do at all.
like(run('BEGIN ISOLATION LEVEL SERIALIZABLE; SELECT n FROM standby.v'),
	qr/ERROR:  0A000: cannot use serializable mode in a hot standby.*HINT:.*REPEATABLE READ/s, 'SERIALIZABLE');
run('ROLLBACK');
like(run('SELECT * FROM standby.t WHERE i = 1 FOR UPDATE'), qr/ERROR:  25006: cannot execute SELECT FOR UPDATE/, 'row locks');
is(run('SELECT n FROM standby.v'), '20000', 'the session goes on');

# Recovery conflicts: rows that our snapshot sees are vacuumed away, while the
# transaction is idle, and while its query runs.
my $conflict = qr/ERROR:  40001:.*conflict with recovery/s;
run('BEGIN; SELECT n FROM standby.v');
$primary->safe_psql('postgres', 'DELETE FROM shop.t WHERE i > 10000; VACUUM shop.t');
$primary->wait_for_catchup($standby);
like(run('SELECT n FROM standby.v'), $conflict, 'a conflict while the remote transaction is idle');
like(run('ROLLBACK; SELECT n FROM standby.v'), qr/^10000$/, 'is over with it');

my $waits = q{SELECT count(*) > 0 FROM pg_stat_activity WHERE application_name = 'pgml_fdw' AND wait_event = 'PgSleep'};
$primary->safe_psql('postgres', 'CREATE VIEW shop.slow AS SELECT pg_sleep(100)::text AS x, (SELECT count(*) FROM shop.t) AS n');
$primary->wait_for_catchup($standby);
run(q{IMPORT FOREIGN SCHEMA shop LIMIT TO (slow) FROM SERVER standby INTO standby});
$session->send('SELECT x, n FROM standby.slow');
ok($standby->poll_query_until('postgres', $waits), 'a query runs on the standby');
$primary->safe_psql('postgres', 'DELETE FROM shop.t WHERE i > 5000; VACUUM shop.t');
like(($session->answer(30))[1], $conflict, 'a conflict while the query runs');
like(run('SELECT n FROM standby.v'), qr/^5000$/, 'and the next one sees the new rows');

$session->quit;
done_testing();
