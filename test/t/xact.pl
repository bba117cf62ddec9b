# Remote transactions follow the local one: isolation, savepoints, commit and
# rollback; and streams of rows go on through all of it.
use strict;
use warnings;
use PostgreSQL::Test::Utils;
use Test::More;

use PgmlSession;
use PgmlTest;

my ($local, $remote) = pgml_pair(local => { conf => 'max_prepared_transactions = 2' });
$remote->safe_psql('postgres', q{CREATE DATABASE second});
$remote->safe_psql($_, q{
	CREATE TABLE t (i int PRIMARY KEY, s text);
	CREATE TABLE big AS SELECT i, repeat('x', 200) AS s FROM generate_series(1, 30000) i;
	CREATE VIEW fails_late AS SELECT 1 / (i - 20000) + i AS i, s FROM big;
	CREATE VIEW isolation AS SELECT current_setting('transaction_isolation') AS level;
	CREATE TABLE parent (i int PRIMARY KEY);
	CREATE TABLE child (i int REFERENCES parent DEFERRABLE INITIALLY DEFERRED)})
  for qw(postgres second);

my %db = (a => 'postgres', b => 'second');
for my $server (sort keys %db)
{
	pgml_connect($local, $remote, server => $server, dbname => $db{$server});
	$local->safe_psql('postgres', qq{
		CREATE FOREIGN TABLE ${server}_t (i int, s text) SERVER $server OPTIONS (table_name 't');
		CREATE FOREIGN TABLE ${server}_big (i int, s text) SERVER $server OPTIONS (table_name 'big');
		CREATE FOREIGN TABLE ${server}_fails_late (i int, s text) SERVER $server OPTIONS (table_name 'fails_late');
		CREATE FOREIGN TABLE ${server}_isolation (level text) SERVER $server OPTIONS (table_name 'isolation');
		CREATE FOREIGN TABLE ${server}_child (i int) SERVER $server OPTIONS (table_name 'child')});
}
$local->safe_psql('postgres', 'CREATE TABLE here (i int PRIMARY KEY)');

my $session = PgmlSession->new($local);


# What the remote's t holds, as seen by somebody else.
sub there
{
	my ($db) = @_;
	return $remote->safe_psql($db // 'postgres', q{SELECT coalesce(string_agg(i::text, ' ' ORDER BY i), 'nothing') FROM t});
}

sub clear
{
	$session->said('ROLLBACK');
	$remote->safe_psql($_, 'TRUNCATE t') for qw(postgres second);
	$session->said('TRUNCATE here');
	return;
}

# Runs statements and looks what is left on the remote.
sub leaves
{
	my ($sql, $expected, $name, $error) = @_;
	clear();
	my $answer = $session->said($sql);
	if ($error) { like($answer, $error, "$name: fails") }
	else { unlike($answer, qr/ERROR/, "$name: no error") }
	is(there(), $expected, $name);
	return $answer;
}

# Isolation.
is($session->said('SELECT level FROM a_isolation'), 'repeatable read', 'the remote reads repeatably');
is($session->said('BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT level FROM a_isolation; COMMIT'), 'repeatable read',
	'so it does for REPEATABLE READ');
is($session->said('BEGIN ISOLATION LEVEL SERIALIZABLE; SELECT level FROM a_isolation; COMMIT'), 'serializable',
	'and is SERIALIZABLE if we are');
is($session->said('SELECT level FROM a_isolation'), 'repeatable read', 'not longer than that');
for my $level ('READ COMMITTED', 'REPEATABLE READ')
{
	clear();
	$session->said("BEGIN ISOLATION LEVEL $level; INSERT INTO here VALUES (0)");
	is($session->said('SELECT count(*) FROM a_t'), 0, "$level: nothing there");
	$remote->safe_psql('postgres', 'INSERT INTO t VALUES (1)');
	is($session->said('SELECT count(*) FROM a_t'), 0, 'a second statement sees the same snapshot');
	is($session->said('COMMIT; SELECT count(*) FROM a_t'), 1, 'the next transaction another one');
}
clear();
$remote->safe_psql('postgres', 'INSERT INTO t VALUES (1), (2)');
$session->said('BEGIN ISOLATION LEVEL SERIALIZABLE; UPDATE a_t SET s = (SELECT count(*) FROM a_t) WHERE i = 1');
my $other = PgmlSession->new($remote);
$other->ask('BEGIN ISOLATION LEVEL SERIALIZABLE; UPDATE t SET s = (SELECT count(s) FROM t) WHERE i = 2; COMMIT');
like($session->said('COMMIT'), qr/ERROR:  40001/, 'write skew with somebody on the remote is a serialization failure');

# Savepoints.
my $i = 'INSERT INTO a_t VALUES';
leaves("BEGIN; $i (1); COMMIT", '1', 'commit');
leaves("BEGIN; $i (1); ROLLBACK", 'nothing', 'rollback');
leaves("BEGIN; $i (1); SAVEPOINT s; $i (2); ROLLBACK TO s; COMMIT", '1', 'rollback to a savepoint');
leaves("BEGIN; $i (1); SAVEPOINT s; $i (2); RELEASE s; COMMIT", '1 2', 'release');
leaves("BEGIN; SAVEPOINT s; $i (1); ROLLBACK TO s; COMMIT", 'nothing', 'begun in the savepoint, rolled back');
leaves("BEGIN; SAVEPOINT s; $i (1); RELEASE s; COMMIT", '1', 'begun in the savepoint, released');
leaves("BEGIN; SAVEPOINT s; $i (1); ROLLBACK TO s; $i (2); COMMIT", '2', 'begun in the savepoint, rolled back, begun again');
leaves("BEGIN; SAVEPOINT s; SAVEPOINT t; $i (1); ROLLBACK TO t; $i (2); RELEASE s; COMMIT", '2', 'nested, the inner rolled back');
leaves("BEGIN; $i (1); SAVEPOINT s; $i (2); SAVEPOINT t; $i (3); RELEASE t; ROLLBACK TO s; COMMIT", '1',
	'released into one that is rolled back');
leaves("BEGIN; SAVEPOINT s; SAVEPOINT t; SAVEPOINT u; $i (1); RELEASE t; $i (2); SAVEPOINT v; ROLLBACK TO s; $i (3); COMMIT",
	'3', 'three levels down, back to the first');
leaves("BEGIN; $i (1); SAVEPOINT s; $i (1); ROLLBACK TO s; $i (2); COMMIT", '1 2', 'a remote error, rolled back', qr/23505/);
leaves("BEGIN; $i (1); SAVEPOINT s; SELECT count(i) FROM a_fails_late; ROLLBACK TO s; $i (2); COMMIT", '1 2',
	'a scan that fails, rolled back', qr/22012/);
leaves("BEGIN; $i (1); SAVEPOINT s; $i (2); SELECT 1 / 0; ROLLBACK TO s; $i (3); COMMIT", '1 3', 'a local error, rolled back', qr/22012/);
leaves("BEGIN; $i (1); SELECT 1 / 0; COMMIT", 'nothing', 'a local error', qr/22012/);
leaves("BEGIN; $i (1); INSERT INTO here VALUES (1), (1)", 'nothing', 'a local constraint', qr/23505/);
leaves(q{DO $$ BEGIN FOR k IN 1 .. 10 LOOP
	BEGIN
		INSERT INTO a_t VALUES (k);
		IF k % 3 = 0 THEN INSERT INTO a_t VALUES (k); ELSIF k % 3 = 1 THEN PERFORM 1 / 0; END IF;
	EXCEPTION WHEN unique_violation OR division_by_zero THEN INSERT INTO a_t VALUES (k + 100);
	END; END LOOP; END $$}, '2 5 8 101 103 104 106 107 109 110', 'exception blocks in a loop');
leaves(q{DO $$ BEGIN FOR k IN 1 .. 5 LOOP
	BEGIN BEGIN
		INSERT INTO a_t VALUES (k);
		RAISE EXCEPTION 'inner';
	EXCEPTION WHEN raise_exception THEN INSERT INTO a_t VALUES (k + 10); PERFORM 1 / (k % 2); END;
	EXCEPTION WHEN division_by_zero THEN INSERT INTO a_t VALUES (k + 20);
	END; END LOOP; END $$}, '11 13 15 22 24', 'and nested ones');

# A commit that the remote refuses is an error here.
clear();
like($session->said('BEGIN; INSERT INTO here VALUES (1); INSERT INTO a_child VALUES (1); COMMIT'), qr/ERROR:  23503/,
	'a deferred constraint of the remote fails the COMMIT');
is($session->said('SELECT count(*) FROM here'), 0, 'and with it what was done here');
clear();
like($session->said("BEGIN; $i (1); INSERT INTO b_t VALUES (1); INSERT INTO b_child VALUES (1); INSERT INTO here VALUES (1); COMMIT"),
	qr/ERROR:  23503/, 'the second of two servers refuses');
is($session->said('SELECT count(*) FROM here') . there('second'), '0nothing', 'nothing is left there and here');

# Two servers.
clear();
$session->said("BEGIN; $i (1); INSERT INTO b_t VALUES (1); SAVEPOINT s; $i (2); INSERT INTO b_t VALUES (2); ROLLBACK TO s; COMMIT");
is(there() . there('second'), '11', 'two servers, rolled back to a savepoint and committed');
clear();
$session->said("BEGIN; $i (1); SAVEPOINT s; INSERT INTO b_t VALUES (1); ROLLBACK TO s; INSERT INTO b_t VALUES (2); ROLLBACK");
is(there() . there('second'), 'nothingnothing', 'two servers, rolled back');
is($session->said('SELECT count(*) FROM a_big JOIN b_big USING (i)'), 30000, 'a join of two servers');

# PREPARE TRANSACTION.
leaves("BEGIN; $i (1); PREPARE TRANSACTION 'p'", 'nothing', 'PREPARE TRANSACTION', qr/ERROR:  0A000: cannot PREPARE/);
like($session->said("BEGIN; SELECT count(*) FROM a_t; PREPARE TRANSACTION 'p'"), qr/ERROR:  0A000/, 'also of one that only read');
is($session->said("BEGIN; INSERT INTO here VALUES (7); PREPARE TRANSACTION 'p'; COMMIT PREPARED 'p'; SELECT count(*) FROM a_t"), 0,
	'but of one that had nothing to do with us');

# Procedures that end transactions.
leaves(q{CREATE OR REPLACE PROCEDURE p() LANGUAGE plpgsql AS $$ BEGIN
	FOR k IN 1 .. 6 LOOP
		INSERT INTO a_t VALUES (k);
		IF k % 2 = 0 THEN ROLLBACK; ELSE COMMIT; END IF;
	END LOOP; END $$; CALL p()}, '1 3 5', 'COMMIT and ROLLBACK in a procedure');
leaves(q{CREATE OR REPLACE PROCEDURE p() LANGUAGE plpgsql AS $$ DECLARE r record; BEGIN
	FOR r IN SELECT i FROM a_big WHERE i <= 5 ORDER BY i LOOP
		INSERT INTO a_t VALUES (r.i);
		COMMIT;
	END LOOP; END $$; CALL p()}, '1 2 3 4 5', 'COMMIT in a loop over a foreign table');

# Rows that are read while other things happen on the connection, by each transport.
for my $transport (qw(auto copy row cursor))
{
	$session->said("SET pgml_fdw.transport = '$transport'");
	note("transport $transport");

	# Cursors.
	clear();
	is($session->said('BEGIN; DECLARE c CURSOR FOR SELECT i FROM a_big; FETCH 2 FROM c; SAVEPOINT s; FETCH 1 FROM c; ROLLBACK TO s;
		FETCH 1 FROM c; COMMIT'), "1\n2\n3\n4", 'a cursor goes on behind a ROLLBACK TO');
	is($session->said("BEGIN; DECLARE c CURSOR FOR SELECT i FROM a_big; FETCH 2 FROM c; SAVEPOINT s; $i (1); FETCH 1 FROM c; ROLLBACK TO s;
		FETCH 1 FROM c; SELECT count(*) FROM a_t; COMMIT"), "1\n2\n3\n4\n0", 'also when the savepoint used the connection');
	is($session->said("BEGIN; DECLARE c CURSOR FOR SELECT i FROM a_big; SAVEPOINT s; FETCH 1 FROM c; RELEASE s; SELECT count(*) FROM a_t;
		FETCH 1 FROM c; COMMIT"), "1\n0\n2", 'a cursor that was first read in a savepoint, released');
	like($session->said("BEGIN; DECLARE c CURSOR FOR SELECT i FROM a_big; SAVEPOINT s; FETCH 1 FROM c; ROLLBACK TO s; FETCH 1 FROM c; ROLLBACK"),
		qr/^1\n2$|^1\n?\|ERROR:  \w+: rows of server "a" were lost/, 'or rolled back: it goes on, or says why not');
	is($session->said('BEGIN; SAVEPOINT s; DECLARE c CURSOR FOR SELECT i FROM a_big; FETCH 1 FROM c; RELEASE s; FETCH 1 FROM c; CLOSE c; COMMIT'),
		"1\n2", 'a cursor survives the release of the savepoint that opened it');
	is($session->said('BEGIN; DECLARE c CURSOR WITH HOLD FOR SELECT i FROM a_big; FETCH 1 FROM c; COMMIT; SELECT count(*) FROM a_t; FETCH 1 FROM c;
		MOVE 29997 FROM c; FETCH 2 FROM c; CLOSE c'), "1\n0\n2\n30000", 'WITH HOLD');
	is($session->said('BEGIN; DECLARE c SCROLL CURSOR FOR SELECT i FROM a_big; FETCH 3 FROM c; FETCH BACKWARD 1 FROM c; FETCH LAST FROM c;
		FETCH FIRST FROM c; COMMIT'), "1\n2\n3\n2\n30000\n1", 'SCROLL');
	is($session->said('BEGIN; DECLARE c CURSOR FOR SELECT i FROM a_big; DECLARE d CURSOR FOR SELECT i FROM a_big; FETCH 1 FROM c; FETCH 2 FROM d;
		FETCH 1 FROM c; CLOSE c; FETCH 1 FROM d; COMMIT'), "1\n1\n2\n2\n3", 'two of them, by turns');

	# A stream that is open out there while inner levels work on the same connection.
	leaves(q{DO $$ DECLARE r record; BEGIN
		FOR r IN SELECT i FROM a_big WHERE i <= 1000 LOOP
			BEGIN
				INSERT INTO a_t VALUES (r.i % 10);
			EXCEPTION WHEN unique_violation THEN NULL; END;
		END LOOP; END $$}, '0 1 2 3 4 5 6 7 8 9', 'an outer scan, inner inserts that fail');
	leaves(q{DO $$ DECLARE r record; n int := 0; BEGIN
		FOR r IN SELECT i FROM a_big LOOP
			n := n + 1;
			BEGIN PERFORM 1 / (r.i % 5000); EXCEPTION WHEN division_by_zero THEN INSERT INTO a_t VALUES (r.i); END;
		END LOOP;
		INSERT INTO a_t VALUES (n + 1); END $$}, '5000 10000 15000 20000 25000 30000 30001', 'an outer scan, inner local errors');
	leaves(q{DO $$ DECLARE r record; n int := 0; BEGIN
		FOR r IN SELECT i FROM a_big WHERE i <= 60 LOOP
			n := n + 1;
			BEGIN PERFORM count(i) FROM a_fails_late; EXCEPTION WHEN division_by_zero THEN INSERT INTO a_t VALUES (r.i); END;
		END LOOP; IF n <> 60 THEN RAISE EXCEPTION 'only % rows', n; END IF; END $$}, join(' ', 1 .. 60), 'an outer scan, inner scans that fail');
	leaves(q{DO $$ DECLARE c CURSOR FOR SELECT i FROM a_fails_late; r int; BEGIN
		INSERT INTO a_t VALUES (1);
		OPEN c;
		FETCH c INTO r;
		BEGIN
			MOVE FORWARD 25000 FROM c;
		EXCEPTION WHEN division_by_zero THEN INSERT INTO a_t VALUES (2); END;
		INSERT INTO a_t VALUES (3); END $$}, '1 2 3', 'the outer stream fails within an inner level');
	leaves(q{DO $$ DECLARE r record; BEGIN
		FOR r IN SELECT i, s FROM a_big LOOP
			EXIT WHEN r.i = 3;
			INSERT INTO a_t VALUES (r.i);
		END LOOP;
		PERFORM i FROM a_big LIMIT 1;
		INSERT INTO a_t VALUES (10); END $$}, '1 2 10', 'streams that are left early');
	leaves(q{BEGIN; INSERT INTO a_t SELECT i FROM a_big WHERE i <= 3000; DECLARE c CURSOR FOR SELECT i FROM a_big;
		FETCH 1 FROM c; CLOSE c; DELETE FROM a_t WHERE i > 2; COMMIT}, '1 2', 'a cancelled stream takes nothing along');
	is($session->said('SELECT (SELECT count(*) FROM a_big b WHERE b.i <= a.i) FROM a_big a WHERE a.i < 4'), "1\n2\n3", 'rescans within a scan');
}
$session->said('RESET pgml_fdw.transport');

# One error does not stand in the way of the next transaction, many don't either.
clear();
$session->said("BEGIN; $i ($_); SAVEPOINT s; SELECT * FROM a_fails_late; COMMIT") for 1 .. 20;
is(there(), 'nothing', 'twenty failed transactions');
is($session->said("$i (1); SELECT count(*) FROM a_t"), 1, 'and one that does not fail');
is($remote->safe_psql('postgres', q{SELECT count(*) FROM pg_stat_activity WHERE application_name = 'pgml_fdw' AND datname = 'postgres'}),
	1, 'all on one connection');
is($remote->safe_psql('postgres', q{SELECT count(*) FROM pg_stat_activity WHERE application_name = 'pgml_fdw' AND state <> 'idle'}),
	0, 'which is idle now');

$_->quit for $session, $other;
done_testing();
