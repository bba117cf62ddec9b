# INSERT INTO local SELECT and CREATE TABLE AS in batches, while others read, replicate and
# vacuum the table, and when they are stopped in the middle: by a cancel, by an
# error of the remote, by a crash of the local server.
use strict;
use warnings;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep time);

use PgmlSession;
use PgmlTest;

my $local = pgml_node('crash_local', conf => "autovacuum = off\nwal_level = logical");
my $remote = pgml_node('remote');
$local->safe_psql('postgres', 'CREATE EXTENSION pgml_fdw');

# Rows that come for some seconds; that come to a halt; that fail at their end.
$remote->safe_psql('postgres', q{
	CREATE VIEW trickle AS SELECT i, md5(i::text) AS t, CASE WHEN i % 1000 = 0 THEN pg_sleep(0.1)::text END AS p FROM generate_series(1, 30000) i;
	CREATE VIEW halt AS SELECT i, md5(i::text) AS t, CASE WHEN i = 20000 THEN pg_sleep(100)::text END AS p FROM generate_series(1, 30000) i;
	CREATE VIEW fails AS SELECT i, md5(i::text) AS t, (1 / (i - 29999))::text AS p FROM generate_series(1, 30000) i;
	CREATE TABLE sink (i int, t text, p text)});
pgml_connect($local, $remote);
$local->safe_psql('postgres', q{
	IMPORT FOREIGN SCHEMA public FROM SERVER remote INTO public;
	CREATE TABLE t (i int PRIMARY KEY, t text NOT NULL, p text);
	CREATE INDEX ON t USING gin (to_tsvector('simple', t));
	INSERT INTO t SELECT -i, 'before' FROM generate_series(1, 500) i});

# What a statement sees of the table, by each way to it.
my $sees = q{SELECT concat_ws(' ', (SELECT count(*) FROM t), (SELECT sum(i) FROM t), (SELECT count(*) FROM t WHERE to_tsvector('simple', t) @@ 'before'))};
my $before = '500 -125250 500';
my $after = '30500 449889750 500';

# Waits until something is true on the local server.

# Waits until a backend that inserts waits for the remote, with many rows in the table's file.
sub until_halted
{
	my ($rows) = @_;
	return until_true($local, "SELECT pg_relation_size('$rows') > 800000 AND EXISTS (SELECT FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND wait_event_type = 'Extension')");
}

# Readers and VACUUM.
my $writer = PgmlSession->new($local);
my $reader = PgmlSession->new($local);
my %seen;
my $rounds = 0;
$writer->send('INSERT INTO t SELECT * FROM trickle');
until (defined $writer->{done})
{
	$writer->{done} = 1 if $local->safe_psql('postgres', 'SELECT state FROM pg_stat_activity WHERE pid = ' . $writer->pid) eq 'idle';
	$seen{ $reader->ask($sees) }++;
	$reader->ask(q{BEGIN; SET LOCAL enable_seqscan = off; SELECT t FROM t WHERE i BETWEEN 100 AND 20000 LIMIT 1; COMMIT});
	$local->safe_psql('postgres', 'VACUUM t');
	$rounds++;
}
my ($out, $err) = $writer->answer(60);
is($err, '', 'rows are inserted while others read and vacuum');
cmp_ok($rounds, '>', 1, 'which they did meanwhile');
is_deeply([ grep { $_ ne $before && $_ ne $after } keys %seen ], [], 'others see all of it or nothing');
is($reader->ask($sees), $after, 'all of it in the end');
$local->safe_psql('postgres', "VACUUM (FREEZE) t");
is($local->safe_psql('postgres', "SET enable_seqscan = off; SET enable_bitmapscan = off; SELECT count(*) FROM t WHERE i > -1000"), 30500, 'by the index too');

# A crash after the commit.
$writer->quit;
$reader->quit;
$local->stop('immediate');
$local->start;
is($local->safe_psql('postgres', $sees), $after, 'committed rows survive a crash');
$local->safe_psql('postgres', 'DELETE FROM t WHERE i > 0; VACUUM t');
is($local->safe_psql('postgres', $sees), $before, 'as before');

# Stopped in the middle: by a cancel, by the remote, by a crash.
my $session = PgmlSession->new($local);
$session->send('INSERT INTO t SELECT * FROM halt');
ok(until_halted('t'), 'rows are on their way');
$local->safe_psql('postgres', 'SELECT pg_cancel_backend(' . $session->pid . ')');
($out, $err) = $session->answer(20);
like($err, qr/57014/, 'a cancel ends it');
is($session->ask($sees), $before, 'and nothing of it is there');

($out, $err) = $session->ask('INSERT INTO t SELECT * FROM fails');
like($err, qr/22012/, 'an error of the remote ends it');
is($session->ask($sees), $before, 'and nothing of it is there');
($out, $err) = $session->ask('CREATE TABLE made AS SELECT * FROM fails');
like($err, qr/22012/, 'CREATE TABLE AS likewise');
is($session->ask("SELECT to_regclass('made')"), '', 'and the table is not there');
is($session->ask("INSERT INTO t SELECT i, t FROM trickle WHERE i < 10; SELECT count(*) FROM t"), 509, 'the session goes on');
$session->ask('DELETE FROM t WHERE i > 0');

$session->send('INSERT INTO t SELECT * FROM halt');
my $maker = PgmlSession->new($local);
$maker->send('CREATE TABLE made AS SELECT * FROM halt');
ok(until_halted('t'), 'rows are on their way again');
$local->stop('immediate');
$_->answer(20) for $session, $maker;
$local->start;
is($local->safe_psql('postgres', $sees), $before, 'after a crash the table is as before');
is($local->safe_psql('postgres', "SELECT to_regclass('made')"), '', 'and a new one is not there');
is($local->safe_psql('postgres', 'INSERT INTO t SELECT i, t FROM trickle; ' . $sees), $after, 'and takes the rows now');

# A foreign partition that wasn't there when the statement began.
$local->safe_psql('postgres', q{
	CREATE TABLE parts (i int, t text, p text) PARTITION BY RANGE (i);
	CREATE TABLE low PARTITION OF parts FOR VALUES FROM (0) TO (25000);
	CREATE TABLE high PARTITION OF parts FOR VALUES FROM (25000) TO (40000) PARTITION BY RANGE (i)});
$session = PgmlSession->new($local);
like($session->ask("EXPLAIN INSERT INTO $_ SELECT * FROM trickle"), qr/pgml_fdw bulk insert/, 'it is in batches') for qw(t parts);
$session->send('INSERT INTO parts SELECT * FROM trickle');
ok(until_true($local, "SELECT pg_relation_size('low') > 0"), 'rows are on their way');
$local->safe_psql('postgres', 'ALTER TABLE high ATTACH PARTITION sink FOR VALUES FROM (25000) TO (40000)');
($out, $err) = $session->answer(60);
is($err, '', 'a foreign partition that has just come is no error');
is($local->safe_psql('postgres', 'SELECT count(*), sum(i) FROM low'), '24999|312487500', 'rows of the others are there');
is($remote->safe_psql('postgres', 'SELECT count(*), min(i), max(i) FROM sink'), '5001|25000|30000', 'and its own');
$session->quit;

# Who has taken a snapshot before sees none of it, in new tables neither.
my $earlier = PgmlSession->new($local);
$earlier->ask('BEGIN ISOLATION LEVEL REPEATABLE READ');
my $count = $earlier->ask('SELECT count(*) FROM t');
$local->safe_psql('postgres', q{
	INSERT INTO t SELECT i + 100000, t FROM trickle WHERE i <= 1500;
	CREATE TABLE later AS SELECT i, t FROM trickle WHERE i <= 1500});
is($earlier->ask('SELECT count(*) FROM t'), $count, 'an earlier snapshot shows nothing of it');
is($earlier->ask('SELECT count(*) FROM later'), 0, 'nor rows of a new table');
is($earlier->ask('COMMIT; SELECT (SELECT count(*) FROM t), (SELECT count(*) FROM later)'), ($count + 1500) . '|1500', 'a later one does');
$earlier->quit;

# What a logical replica gets: the same changes in the same order.
$local->safe_psql('postgres', q{
	SELECT pg_create_logical_replication_slot('changes', 'test_decoding');
	CREATE TABLE large (i int PRIMARY KEY, t text, n int GENERATED ALWAYS AS (length(t)) STORED);
	CREATE TABLE halves (i int, t text) PARTITION BY LIST ((i % 2));
	CREATE TABLE even PARTITION OF halves FOR VALUES IN (0);
	CREATE TABLE odd PARTITION OF halves FOR VALUES IN (1)});
my %changes;
for my $setting (qw(off on))
{
	$local->safe_psql('postgres', qq{
		SET pgml_fdw.bulk_insert = $setting;
		BEGIN;
		INSERT INTO large (i, t) SELECT i, t || repeat(t, i % 500) FROM trickle WHERE i <= 1500;
		INSERT INTO halves SELECT i, t FROM trickle WHERE i <= 2500 AND i % 2 = 1;
		SAVEPOINT s;
		INSERT INTO large (i, t) SELECT -i, t FROM trickle WHERE i <= 1500;
		ROLLBACK TO s;
		CREATE TABLE made AS SELECT i, t FROM trickle WHERE i <= 2500;
		COMMIT;
		DROP TABLE made;
		TRUNCATE large, halves});
	$changes{$setting} = $local->safe_psql('postgres', q{SELECT data FROM pg_logical_slot_get_changes('changes', NULL, NULL, 'include-xids', 'off') WHERE data ~ 'table'});
}
$local->safe_psql('postgres', q{SELECT pg_drop_replication_slot('changes')});
is(() = $changes{off} =~ /INSERT/g, 1500 + 1250 + 2500, 'rows are replicated');
ok($changes{on} eq $changes{off}, 'as they are without batches');

unlike(slurp_file($local->logfile), qr/WARNING:  page|PANIC|server process .* was terminated/, 'nothing in the log');
done_testing();
