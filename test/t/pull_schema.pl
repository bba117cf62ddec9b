# Copying whole schemas while others write, and while either side dies: what is
# there is complete, the log says so, and a second call does the rest.
use strict;
use warnings;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep time);

use PgmlSession;
use PgmlTest;

# The local one is killed on purpose.
my $local = pgml_node('crash_local');
my $remote = pgml_node('remote');
$local->safe_psql('postgres', 'CREATE EXTENSION pgml_fdw');
pgml_connect($local, $remote);
$remote->safe_psql('postgres', q{
	CREATE SCHEMA shop;
	CREATE TABLE shop.debit (id int PRIMARY KEY, amount int);
	CREATE TABLE shop.entries (id int PRIMARY KEY, of int NOT NULL REFERENCES shop.debit);
	CREATE TABLE shop.zcredit (id int PRIMARY KEY, amount int, pad text);
	INSERT INTO shop.debit SELECT i, 0 FROM generate_series(1, 20000) i;
	INSERT INTO shop.entries SELECT i, i FROM generate_series(1, 20000) i;
	INSERT INTO shop.zcredit SELECT i, 0, repeat('x', 200) FROM generate_series(1, 20000) i;
	CREATE PROCEDURE shop.post(loops int) LANGUAGE plpgsql AS $$
	DECLARE a int;
	BEGIN
		FOR i IN 1 .. loops LOOP
			a := 1 + random() * 19999;
			UPDATE shop.debit SET amount = amount - 1 WHERE id = a;
			UPDATE shop.zcredit SET amount = amount + 1 WHERE id = 20001 - a;
			INSERT INTO shop.debit VALUES (100000 + i, 0);
			INSERT INTO shop.entries VALUES (100000 + i, 100000 + i);
			COMMIT;
		END LOOP;
	END $$;
	CREATE VIEW shop.pause AS SELECT 1 AS x FROM pg_sleep(1.5);
	CREATE VIEW shop.trickle AS SELECT i AS id, repeat('z', 20000) AS pad FROM generate_series(1, 5000) i WHERE pg_sleep(0.02)::text = '';
	CREATE VIEW shop.many AS SELECT i AS id, repeat('y', 50) AS pad FROM (SELECT generate_series(1, 1000000) AS i) AS g});

my $session = PgmlSession->new($local);
sub fresh { $session->ask('SET client_min_messages = warning; DROP SCHEMA IF EXISTS shop CASCADE; CREATE SCHEMA shop; RESET client_min_messages'); return }
sub call_with { my ($more) = @_; return "CALL pgml_fdw_pull_schema('remote', 'shop', 'shop'$more)" }
sub no_sessions { return until_true($remote, q{SELECT count(*) = 0 FROM pg_stat_activity WHERE application_name = 'pgml_fdw' AND query NOT LIKE 'ROLLBACK%' AND query <> 'COMMIT'}) }
my $log = q{SELECT string_agg(name || ' ' || state, ', ' ORDER BY name COLLATE "C") FROM shop.pgml_fdw_pull_log WHERE kind = 'table'};

# What is said.
fresh();
my $said = $session->complain(call_with(q{, exclude => '{zcredit}'}));
like($said, qr/NOTICE:  00000: table "debit": 20000 rows in \d+\.\d s\n.*NOTICE:  00000: table "entries": 20000 rows in/s, 'a notice for each table');
like($said, qr/2 tables with 40000 rows have been copied, 0 were there before, 0 have failed/, 'and one in the end');
like($session->complain(call_with('')), qr/1 tables with 20000 rows have been copied, 2 were there before, 0 have failed/, 'the second call does the rest');

# One snapshot for all tables, each read by several connections, while they are written.
my $writer = PgmlSession->new($remote);
$writer->send('CALL shop.post(8000)');
my @sums;
for my $round (1 .. 3)
{
	fresh();
	is($session->complain('SET client_min_messages = warning; ' . call_with(q{, jobs => 4, limit_to => '{debit,entries,pause,zcredit}'})), '',
		"round $round: no warnings, the foreign key is valid");
	is($session->ask('SELECT (SELECT sum(amount) FROM shop.debit) + (SELECT sum(amount) FROM shop.zcredit)'), 0, 'the sums of two tables balance');
	is($session->ask(q{SELECT convalidated FROM pg_constraint WHERE conname = 'entries_of_fkey'}), 't', 'the rows of two tables fit');
	push @sums, scalar $session->ask('SELECT sum(amount) FROM shop.zcredit');
}
cmp_ok($sums[-1], '>', $sums[0], 'they were being written meanwhile');

# The connection that keeps the snapshot is lost.
fresh();
my $victim = PgmlSession->new($local);
$victim->send(call_with(q{, limit_to => '{debit,pause,zcredit}'}));
ok(until_true($remote, q{SELECT count(*) > 0 FROM pg_stat_activity WHERE application_name = 'pgml_fdw' AND query LIKE '%COPY%pause%' AND state = 'active'}), 'a table is being copied');
is($remote->safe_psql('postgres', q{SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = 'pgml_fdw' AND query LIKE '%pg_export_snapshot%' AND state = 'idle in transaction'}), 1, 'one session keeps the snapshot');

# Meanwhile somebody else tries.
like($session->complain(call_with('')), qr/ERROR:  55P03: schema "shop" is being filled by another call/, 'one call at a time');
like(($victim->answer)[1], qr/WARNING:  01000: server "remote" has closed the connection that kept the snapshot.*3 tables with/s, 'it goes on with another snapshot, and says so');
is($session->ask($log), 'debit done, pause done, zcredit done', 'all is there');
$writer->answer(120);
$writer->quit;

# Either side is killed while a table is copied.
my $work = call_with(q{, limit_to => '{debit,trickle,zcredit}', jobs => 2});
for my $end ('cancelled', 'terminated', 'remote terminated', 'crashed')
{
	fresh();
	my $pid = $victim->pid;
	$victim->send($work);
	ok(until_true($remote, q{SELECT count(*) > 0 FROM pg_stat_activity WHERE application_name = 'pgml_fdw' AND query LIKE '%COPY%trickle%' AND state = 'active'}), "$end: under way");
	my $start = time;
	if ($end eq 'crashed') { $local->stop('immediate') }
	elsif ($end eq 'remote terminated')
	{
		$remote->safe_psql('postgres', q{SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'pgml_fdw'});
	}
	else
	{
		my $function = $end eq 'cancelled' ? 'pg_cancel_backend' : 'pg_terminate_backend';
		$local->safe_psql('postgres', "SELECT $function($pid)");
	}
	my (undef, $err) = $victim->answer(20);
	cmp_ok(time - $start, '<', $end eq 'cancelled' ? 1 : 3, 'soon over');
	if ($end eq 'crashed')
	{
		$local->start;
		$session = PgmlSession->new($local);
	}
	like($err, { cancelled => qr/57014/, terminated => qr/57P01/, 'remote terminated' => qr/57P01|08006|pull of table "trickle"/ }->{$end} // qr/server closed|57P02/, 'with the error');
	my $state = $end =~ /^(cancelled|remote terminated)$/ ? 'failed' : 'running';
	is($session->ask($log), "debit done, trickle $state", 'the log says what was done');
	is($session->ask(q{SELECT to_regclass('shop.debit') IS NOT NULL, to_regclass('shop.trickle') IS NULL, to_regclass('shop.zcredit') IS NULL}), 't|t|t', 'and that is what is there');
	is($session->ask('SELECT count(*) FROM shop.debit'), $remote->safe_psql('postgres', 'SELECT count(*) FROM shop.debit'), 'complete');
	$victim->quit;
	ok(no_sessions(), 'no session is left there') if $end ne 'cancelled';
	ok(until_true($remote, q{SELECT count(*) = 0 FROM pg_stat_activity WHERE application_name = 'pgml_fdw' AND state <> 'idle'}), 'nor a transaction');
	$victim = PgmlSession->new($local);
	$victim->ask('SET client_min_messages = warning; ' . call_with(q{, limit_to => '{debit,zcredit}'}));
	is($victim->last_err, '', 'a second call goes on');
	like($session->ask($log), qr/^debit done, trickle $state, zcredit done$/, 'and notes it');
}

# At whatever moment: complete or not there.
for my $round (1 .. 6)
{
	fresh();
	$victim->send(call_with(', jobs => 3'));
	sleep rand(0.4);
	if ($round % 2)
	{
		$local->safe_psql('postgres', 'SELECT pg_cancel_backend(' . $victim->pid . ')');
	}
	else
	{
		$remote->safe_psql('postgres', q{SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'pgml_fdw'});
	}
	$victim->answer(20);
	for my $table ('debit', 'entries', 'zcredit')
	{
		# nothing but an error, if it isn't there
		my $is = $session->ask("SELECT count(*) FROM shop.$table");
		my $state = $session->ask(qq{SELECT state FROM shop.pgml_fdw_pull_log WHERE kind = 'table' AND name = '$table'});
		my $whole = $remote->safe_psql('postgres', "SELECT count(*) FROM shop.$table");
		is($is, $state eq 'done' ? $whole : '', "round $round: $table is complete or not there");
	}
	is($victim->complain('SET client_min_messages = error; ' . call_with('')), '', 'the same session goes on');
	is($session->ask($log), 'debit done, entries done, zcredit done', 'to the end');
}

# How much memory it takes doesn't depend on the rows.
fresh();
$session->ask('SET client_min_messages = warning');
$session->stays_flat(50 * 1024, 'a schema', call_with(q{, limit_to => '{many}'}) . '; SELECT count(*) FROM shop.many', qr/^1000000$/);

$_->quit for $session, $victim;
done_testing();
