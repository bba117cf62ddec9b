# UPDATE and DELETE in batches, when something goes wrong: the remote dies, takes
# too long, refuses the last row, or is changed meanwhile by others.
use strict;
use warnings;
use PostgreSQL::Test::Utils;
use Test::More;

use PgmlSession;
use PgmlTest;

my ($local, $remote) = pgml_pair();
pgml_connect($local, $remote);
$remote->safe_psql('postgres', q{
	CREATE TABLE t (id int PRIMARY KEY, v text, n int);
	INSERT INTO t SELECT i, 'as before', i FROM generate_series(1, 1200) i;
	CREATE TABLE deed (what text);
	CREATE FUNCTION misbehave() RETURNS trigger LANGUAGE plpgsql AS $$
	DECLARE
		deed text := (SELECT what FROM public.deed);
	BEGIN
		IF OLD.id <> 1150 THEN
			RETURN CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
		ELSIF deed = 'die' THEN
			PERFORM pg_terminate_backend(pg_backend_pid());
		ELSIF deed = 'sleep' THEN
			PERFORM pg_sleep(100);
		ELSIF deed = 'refuse' THEN
			RAISE 'no' USING ERRCODE = 'P0815';
		ELSIF deed = 'meddle' THEN
			DELETE FROM public.t WHERE id = 1151;
		END IF;
		RETURN CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
	END $$;
	CREATE TRIGGER misbehave BEFORE UPDATE OR DELETE ON t FOR EACH ROW EXECUTE FUNCTION misbehave()});
$local->safe_psql('postgres', q{
	CREATE SCHEMA ours;
	IMPORT FOREIGN SCHEMA public FROM SERVER remote INTO ours;
	CREATE TABLE l AS SELECT i AS id, 'new ' || i AS v FROM generate_series(1, 10000) i;
	SET search_path = ours;
	ANALYZE public.l});

my $session = PgmlSession->new($local);
$session->ask('SET search_path = ours, public');
my $update = 'UPDATE t SET v = l.v FROM l WHERE l.id = t.id';
my $delete = 'DELETE FROM t USING l WHERE l.id = t.id';
my $as_before = q{SELECT count(*) FROM t WHERE v = 'as before' AND n = id};

sub deed { return $remote->safe_psql('postgres', "TRUNCATE deed; INSERT INTO deed VALUES ('$_[0]')") }
sub untouched { return is($remote->safe_psql('postgres', $as_before), 1200, "$_[0]: the remote table is as before") }

# Each failure in the third batch: in a statement of its own, behind a savepoint, in an exception block.
my %state = (die => '(57P01|08006|08003|XX000)', sleep => '57014', refuse => 'P0815');
$session->ask(q{CREATE FUNCTION caught(command text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	BEGIN
		EXECUTE command;
	EXCEPTION WHEN OTHERS OR query_canceled THEN
		RETURN SQLSTATE;
	END;
	RETURN 'nothing';
END $$});
for my $deed (sort keys %state)
{
	my $state = qr/$state{$deed}/;

	deed($deed);
	$session->ask($deed eq 'sleep' ? q{SET statement_timeout = '500ms'} : 'RESET statement_timeout');
	for my $command ($update, $delete)
	{
		like($session->complain($command), $state, "$deed: the error of $command");
		untouched($deed);
		is($session->ask('SELECT count(*) FROM t WHERE id <= 10'), 10, "$deed: the session goes on");
		like($session->ask("SELECT caught(\$\$$command\$\$)"), $state, "$deed: in an exception block");
		untouched($deed);
	}
	next if $deed eq 'die';

	$session->ask(q{BEGIN; UPDATE t SET n = -1 WHERE id <= 60 AND random() >= 0; SAVEPOINT s});
	like($session->complain($update), $state, "$deed: behind a savepoint");
	$session->ask(q{ROLLBACK TO s; UPDATE t SET n = n - 1 WHERE id <= 60 AND random() >= 0; COMMIT});
	is($session->last_err, '', "$deed: the transaction goes on");
	is($remote->safe_psql('postgres', 'SELECT count(*), min(n), max(n) FROM t WHERE id <= 60'), '60|-2|-2', "$deed: with what came before and after");
	$remote->safe_psql('postgres', 'UPDATE t SET n = id WHERE id <= 60');
}

# Where rows leave while the plan still brings more, with batches in flight: the remote's error, one of ours behind a
# thousand rows, a cancel, the end of the session.
$session->ask(q{RESET statement_timeout; ANALYZE t; SET pgml_fdw.enable_keyed_join = off; SET enable_mergejoin = off; SET enable_nestloop = off;
	CREATE FUNCTION sent() RETURNS bigint LANGUAGE sql AS 'SELECT rows_out FROM pgml_fdw_stats()'});
for my $deed (qw(die refuse))
{
	deed($deed);
	for my $command ($update, $delete)
	{
		like($session->complain($command), qr/$state{$deed}/, "$deed, early: the error of $command");
		untouched("$deed, early");
		like($session->ask("SELECT caught(\$\$$command\$\$)"), qr/$state{$deed}/, "$deed, early: in an exception block");
		untouched("$deed, early");
	}
}
deed('nothing');
my $before = $session->ask('SELECT sent()');
like($session->complain("$update AND 1 / (1100 - l.id) IS NOT NULL"), qr/22012/, 'an error of ours with batches in flight');
is($session->ask('SELECT sent()') - $before, 600, 'which two were');
untouched('an error of ours');
for my $end (qw(cancel terminate))
{
	my $victim = PgmlSession->new($local);
	$victim->ask('SET search_path = ours, public; SET pgml_fdw.enable_keyed_join = off; SET enable_mergejoin = off; SET enable_nestloop = off');
	# the plan comes to a halt at a row behind those that have been sent
	$victim->send("$update AND CASE WHEN l.id = 1100 THEN (SELECT count(*) FROM l a, l b, l c WHERE a.id + b.id + c.id < l.id) = 1 ELSE true END");
	ok($remote->poll_query_until('postgres', q{SELECT count(*) = 1 FROM pg_stat_activity WHERE application_name = 'pgml_fdw' AND query LIKE 'UPDATE %'}),
		"$end: rows have been sent");
	$local->safe_psql('postgres', "SELECT pg_${end}_backend(" . $victim->pid . ')');
	my $err = eval { ($victim->answer(60))[1] } // 'gone';
	like($err, qr/57014|57P01|gone/, "$end: the statement ends");
	if ($end eq 'cancel')
	{
		is($victim->ask('SELECT count(*) FROM t WHERE id <= 10'), 10, 'the session goes on');
		$victim->quit;
	}
	ok($remote->poll_query_until('postgres', q{SELECT count(*) = 0 FROM pg_stat_activity WHERE application_name = 'pgml_fdw' AND state LIKE 'idle in%'}),
		"$end: nothing is left open on the remote");
	untouched($end);
}
$session->ask('RESET pgml_fdw.enable_keyed_join; RESET enable_mergejoin; RESET enable_nestloop');
$session->ask('RESET statement_timeout');
is($session->ask('SELECT count(*) FROM pgml_fdw_get_connections()'), 1, 'one connection');
is($remote->safe_psql('postgres', q{SELECT count(*) FROM pg_stat_activity WHERE application_name = 'pgml_fdw' AND state <> 'idle'}), 0, 'which is idle');

# A row that goes while its batch is being applied: refused by the remote, or counted right.
deed('meddle');
like($session->complain($update), qr/27000/, 'a row that a trigger has deleted in the same batch');
untouched('meddle');
is($session->ask(q{BEGIN; WITH u AS (UPDATE t SET v = 'gone' FROM l WHERE l.id = t.id AND t.id IN (1150, 1151) AND random() >= 0 RETURNING t.id) SELECT count(*) FROM u; ROLLBACK}),
	1, 'and row by row it does not count');

# A row that others change between reading and writing.
deed('nothing');
for my $command ($update, $delete, "$update RETURNING 1")
{
	my $other = PgmlSession->new($remote);
	$session->ask('BEGIN; SELECT count(*) FROM t');
	$other->ask('UPDATE t SET n = n WHERE id = 700');
	like($session->complain($command), qr/40001/, 'a row changed since the snapshot was taken is a serialization failure');
	$session->ask('ROLLBACK');
	untouched('changed by others');

	# what has been read is locked
	$session->ask("BEGIN; DECLARE c CURSOR FOR SELECT 1; $command");
	$other->send(q{UPDATE t SET n = 0 WHERE id = 700});
	$session->ask('ROLLBACK');
	is(($other->answer)[1], '', 'others wait for our end');
	$remote->safe_psql('postgres', 'UPDATE t SET n = id WHERE id = 700');
	$other->quit;
}

$session->quit;

done_testing();
