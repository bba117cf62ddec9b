# Copying whole tables while others write, die or look on; and what is left
# behind, which is nothing.
use strict;
use warnings;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep time);

use PgmlProxy;
use PgmlSession;
use PgmlTest;

# The most memory that may be needed, in kB, and what is soon, in seconds.
my ($limit, $soon) = (50 * 1024, 3);

my ($local, $remote) = pgml_pair();
$remote->safe_psql('postgres', q{
	CREATE TABLE accounts (id int PRIMARY KEY, amount int, pad text);
	INSERT INTO accounts SELECT i, 100, repeat('x', 300) FROM generate_series(1, 20000) i;
	CREATE PROCEDURE transfer(loops int) LANGUAGE plpgsql AS $$
	DECLARE a int; b int;
	BEGIN
		FOR i IN 1 .. loops LOOP
			a := 1 + random() * 19999;
			b := 20001 - a;
			UPDATE accounts SET amount = amount + CASE WHEN id = a THEN 1 ELSE -1 END WHERE id IN (a, b);
			COMMIT;
		END LOOP;
	END $$;
	CREATE TABLE copy (id int PRIMARY KEY, amount int, pad text);
	INSERT INTO copy SELECT i, -1, 'before' FROM generate_series(1, 10) i;
	CREATE VIEW many AS SELECT i AS id, i AS amount, repeat('y', 50) AS pad FROM (SELECT generate_series(1, 1000000) AS i) AS g;
	CREATE VIEW trickle AS SELECT i AS id, i AS amount, repeat('z', 20000) AS pad FROM generate_series(1, 5000) i
		WHERE pg_sleep(0.02)::text = '';
	CREATE UNLOGGED TABLE sink (id int, amount int, pad text);
	CREATE UNLOGGED TABLE keyed (id int PRIMARY KEY, amount int, pad text);
	CREATE TABLE guarded (id int, amount int, pad text);
	INSERT INTO guarded SELECT i, i, repeat('g', 2000) FROM generate_series(1, 10000) i;
	ALTER TABLE guarded ENABLE ROW LEVEL SECURITY;
	CREATE POLICY slowly ON guarded USING (pg_sleep(0.02)::text = '');
	CREATE TABLE large (id int, amount int, pad text);
	INSERT INTO large SELECT i, i, repeat('l', 50) FROM generate_series(1, 700000) i;
	CREATE ROLE plain LOGIN;
	GRANT ALL ON ALL TABLES IN SCHEMA public TO plain;
	REVOKE TEMPORARY ON DATABASE postgres FROM PUBLIC});
pgml_connect($local, $remote);
pgml_connect($local, $remote, server => 'plain', mapping => { user => 'plain' });
$local->safe_psql('postgres', q{
	CREATE TABLE accounts (id int PRIMARY KEY, amount int, pad text);
	INSERT INTO accounts VALUES (0, 0, 'before');
	CREATE UNLOGGED TABLE many (id int, amount int, pad text);
	CREATE VIEW many_here AS SELECT i AS id, i AS amount, repeat('y', 50) AS pad FROM (SELECT generate_series(1, 1000000) AS i) AS g;
	CREATE VIEW trickle AS SELECT i AS id, i AS amount, repeat('z', 20000) AS pad FROM generate_series(1, 5000) i
		WHERE pg_sleep(0.02)::text = '';
	CREATE FOREIGN TABLE plain_copy (id int, amount int, pad text) SERVER plain OPTIONS (table_name 'copy');
	CREATE FOREIGN TABLE far_keyed (id int, amount int, pad text) SERVER remote OPTIONS (table_name 'keyed')});


my $before = $local->safe_psql('postgres', 'TABLE accounts');
my $remote_before = $remote->safe_psql('postgres', 'SELECT * FROM copy ORDER BY id');
sub unchanged
{
	my ($name) = @_;
	is($local->safe_psql('postgres', 'TABLE accounts'), $before, "$name: the local table is as before");
	is($remote->safe_psql('postgres', 'SELECT * FROM copy ORDER BY id'), $remote_before, 'and so is the remote one');
	ok(until_true($remote, q{SELECT count(*) = 0 FROM pg_class WHERE relpersistence = 't'}), 'no temporary table is left');
	return;
}

# One snapshot for several jobs, while the source is being written.
my $writer = PgmlSession->new($remote);
$writer->send('CALL transfer(20000)');
my $session = PgmlSession->new($local);
my @moved;
for my $round (1 .. 5)
{
	is($session->ask(q{BEGIN; SELECT pgml_fdw_pull('remote', 'accounts', 'accounts', mode => 'replace', jobs => 4);
		SELECT count(*), sum(amount) FROM accounts}), "20000\n20000|2000000", "jobs see one snapshot, round $round");
	push @moved, scalar $session->ask('SELECT count(*) FROM accounts WHERE amount <> 100');
	is($remote->safe_psql('postgres', q{SELECT count(*) FROM pg_stat_activity WHERE application_name = 'pgml_fdw'}), 1,
		'the connections of the jobs are closed');
	$session->ask('ROLLBACK');
}
cmp_ok($moved[-1], '>', $moved[0], 'the source was being written meanwhile');
$writer->answer(120);
is($session->last_err, '', 'no errors');
$session->quit;
unchanged('rolled back');

# Rows changed since a watermark, as the README has it: late commits and deletes are caught.
$remote->safe_psql('postgres', q{
	CREATE TABLE docs (id int PRIMARY KEY, body text, changed_at timestamptz NOT NULL DEFAULT now());
	INSERT INTO docs SELECT i, 'first', now() - (1000 - i) * interval '1 second' FROM generate_series(1, 100) i});
$local->safe_psql('postgres', q{
	CREATE TABLE docs (id int PRIMARY KEY, body text, changed_at timestamptz);
	CREATE FOREIGN TABLE far_docs (id int, body text, changed_at timestamptz) SERVER remote OPTIONS (table_name 'docs')});
sub round
{
	my ($overlap) = @_;
	my $count = $local->safe_psql('postgres', qq{
		BEGIN;
		SELECT pgml_fdw_pull('remote', 'docs', 'docs', mode => 'upsert', filter => format('changed_at >= %L',
			(SELECT coalesce(max(changed_at), '-infinity') - interval '$overlap' FROM docs)));
		DELETE FROM docs AS d WHERE NOT EXISTS (SELECT FROM far_docs AS p WHERE p.id = d.id);
		COMMIT});
	my @docs = map { $_->safe_psql('postgres', q{SELECT id, body, changed_at AT TIME ZONE 'UTC' FROM docs ORDER BY id}) } $local, $remote;
	return ($count, $docs[0] eq $docs[1]);
}
is_deeply([ round('1 hour') ], [ 100, 1 ], 'the first round copies all');
my $late = PgmlSession->new($remote);
$late->ask(q{BEGIN; UPDATE docs SET body = 'late', changed_at = now() WHERE id = 7});
$remote->safe_psql('postgres', q{UPDATE docs SET body = 'second', changed_at = now() WHERE id <= 3; DELETE FROM docs WHERE id > 90;
	INSERT INTO docs VALUES (101, 'new')});
is_deeply([ (round('0')) ], [ 4, 1 ], 'the next one what has changed, and what is gone');
$late->ask('COMMIT');
$late->quit;
ok(!(round('0'))[1], 'a transaction that began before and committed after is missed without an overlap');
is((round('1 hour'))[1], 1, 'with it, it is caught');

# Death of either side, and cancel, in the middle: what the statement does, and its sign on the remote.
my %work = (
	'pull' => [ q{SELECT pgml_fdw_pull('remote', 'trickle', 'accounts')}, '%trickle%', 'active' ],
	'pull that replaces' => [ q{SELECT pgml_fdw_pull('remote', 'trickle', 'accounts', mode => 'replace')}, '%trickle%', 'active' ],
	'pull that creates' => [ q{SELECT pgml_fdw_pull('remote', 'trickle', 'created', create_target => true)}, '%trickle%', 'active' ],
	'pull by jobs' => [ q{SELECT pgml_fdw_pull('plain', 'guarded', 'accounts', jobs => 3)}, 'COPY%guarded%ctid%', 'active' ],
	'push' => [ q{SELECT pgml_fdw_push('remote', 'trickle', 'sink')}, 'COPY public.sink%', 'active' ],
	'push that replaces' => [ q{SELECT pgml_fdw_push('remote', 'trickle', 'copy', mode => 'replace')}, 'COPY public.copy%', 'active' ],
	'push by key' => [ q{SELECT pgml_fdw_push('remote', 'trickle', 'copy', mode => 'upsert')}, 'COPY pg_temp%', 'active' ],
);
for my $name (sort keys %work)
{
	my ($sql, $sign) = @{ $work{$name} };
	for my $end ('remote terminated', 'cancelled', 'terminated')
	{
		my $victim = PgmlSession->new($local);
		my $pid = $victim->pid;
		$victim->send($sql);
		ok(until_true($remote, qq{SELECT count(*) > 0 FROM pg_stat_activity WHERE application_name = 'pgml_fdw'
			AND query LIKE '%$sign' AND state = 'active'}), "$name is under way") or diag $victim->{err};
		my $start = time;
		if ($end eq 'remote terminated')
		{
			$remote->safe_psql('postgres', q{SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'pgml_fdw'});
		}
		else
		{
			my $function = $end eq 'cancelled' ? 'pg_cancel_backend' : 'pg_terminate_backend';
			$local->safe_psql('postgres', "SELECT $function($pid)");
		}
		my (undef, $err) = $victim->answer(20);
		cmp_ok(time - $start, '<', $end eq 'cancelled' ? 1 : $soon, "$name, $end: soon over");
		like($err, { 'remote terminated' => qr/57P01|08006|08000|terminat/, 'cancelled' => qr/57014/, 'terminated' => qr/57P01/ }->{$end}, 'with the error');
		if ($end ne 'terminated')
		{
			is($victim->ask(q{SELECT 1}), 1, 'the session goes on');
			is($victim->ask(q{SELECT pgml_fdw_pull('remote', 'copy', 'many'), count(*) FROM many}), '10|0', 'and pulls');
			$victim->ask('TRUNCATE many');
			$victim->quit;
		}
		ok(until_true($remote, q{SELECT count(*) = 0 FROM pg_stat_activity WHERE application_name = 'pgml_fdw'}), 'no session is left there');
		unchanged("$name, $end");
		is($local->safe_psql('postgres', q{SELECT to_regclass('created') IS NULL}), 't', 'no table is left here') if $name =~ /creates/;
	}
}
is($remote->safe_psql('postgres', 'SELECT count(*) FROM sink'), 0, 'no row has stayed');

# At whatever moment, the end of the transaction included.
my @works = (q{SELECT pgml_fdw_pull('remote', 'large', 'accounts', mode => 'replace', jobs => 4)},
	q{SELECT pgml_fdw_push('remote', '(SELECT i AS id, i AS amount FROM generate_series(1, 100000) i)', 'copy', mode => 'replace')},
	q{SELECT pgml_fdw_push('remote', '(SELECT i AS id, i AS amount FROM generate_series(1, 100000) i)', 'copy', mode => 'upsert')});
for my $round (0 .. 8)
{
	my $victim = PgmlSession->new($local);
	$victim->send("BEGIN; $works[$round % 3]; ROLLBACK");
	sleep rand(0.5);
	if ($round % 2)
	{
		$local->safe_psql('postgres', 'SELECT pg_terminate_backend(' . $victim->pid . ')');
	}
	else
	{
		$remote->safe_psql('postgres', q{SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'pgml_fdw'});
	}
	$victim->answer(20);
	$victim->quit;
	ok(until_true($remote, q{SELECT count(*) = 0 FROM pg_stat_activity WHERE application_name = 'pgml_fdw'}), "round $round: no session is left there");
	unchanged("round $round");
}

# The connection that has exported the snapshot is lost while the next one is being made: that is the error.
my $proxy = PgmlProxy->new($remote->host, $remote->port);
pgml_connect($local, $remote, server => 'slow', host => '127.0.0.1', port => $proxy->port);
$proxy->latency(200);
$session = PgmlSession->new($local);
$session->send(q{SELECT pgml_fdw_pull('slow', 'large', 'accounts', jobs => 2)});
ok(until_true($remote, q{SELECT pg_terminate_backend(pid) FROM pg_stat_activity
	WHERE application_name = 'pgml_fdw' AND query LIKE '%pg_relation_size%' AND state = 'idle in transaction'}), 'the keeper of the snapshot goes');
$session->answer(20);
like($session->last_err, qr/ERROR:  (57P01: terminating connection|08006: connection to server "slow" was lost)/, 'which is said');
$session->quit;
$proxy->stop;
unchanged('without a snapshot');

# Progress, as others see it.
$session = PgmlSession->new($local);
for my $name ('pull', 'push')
{
	$session->send($work{$name}[0]);
	my ($type, $relation) = $name eq 'pull' ? ('COPY FROM', 'accounts') : ('COPY TO', 'trickle');
	ok(until_true($local, qq{SELECT count(*) = 1 FROM pg_stat_progress_copy WHERE command = '$type' AND type = 'CALLBACK'
		AND relid = '$relation'::regclass AND tuples_processed >= 256 AND bytes_processed > 256 * 10000}), "$name shows its progress");
	ok(until_true($local, q{SELECT wait_event = CASE WHEN current_setting('server_version_num')::int < 170000 THEN 'Extension' ELSE 'PgmlFdwReceive' END
		FROM pg_stat_activity WHERE pid = } . $session->pid), 'and what it waits for') if $name eq 'pull';
	$local->safe_psql('postgres', 'SELECT pg_cancel_backend(' . $session->pid . ')');
	$session->answer;
}
is($local->safe_psql('postgres', 'SELECT count(*) FROM pg_stat_progress_copy'), 0, 'which ends with them');

$session->stays_flat($limit, 'pull', q{SELECT pgml_fdw_pull('remote', 'many', 'many')}, qr/^1000000$/);
$session->stays_flat($limit, 'pull by jobs', q{SELECT pgml_fdw_pull('remote', 'large', 'many', mode => 'replace', truncate => true, jobs => 4)}, qr/^700000$/);
$session->stays_flat($limit, 'push', q{SELECT pgml_fdw_push('remote', 'many_here', 'sink')}, qr/^1000000$/);
$session->stays_flat($limit, 'push by key', q{SELECT pgml_fdw_push('remote', 'many_here', 'keyed', mode => 'upsert', filter => 'id <= 300000')}, qr/^300000$/);
$session->stays_flat($limit, 'upsert', q{SELECT * FROM pgml_fdw_upsert('far_keyed', '(SELECT id, -amount AS amount FROM many_here WHERE id BETWEEN 200001 AND 400000)')}, qr/^100000\|100000$/);
is($remote->safe_psql('postgres', 'SELECT count(*), sum(id::bigint) FROM sink'), '1000000|500000500000', 'push has sent all');
is($remote->safe_psql('postgres', 'SELECT count(*), sum(amount::bigint) FROM keyed'), '400000|' . (200000 * 200001 / 2 - (400000 * 400001 - 200000 * 200001) / 2), 'and upsert');

# A login that can't make temporary tables.
like($session->complain(q{SELECT pgml_fdw_upsert('plain_copy', '(SELECT 1 AS id, 1 AS amount)')}),
	qr/ERROR:  42501: cannot make a temporary table on server "plain".*HINT:  Have the remote role granted TEMPORARY/s, 'no TEMPORARY there');
is($session->ask(q{SELECT pgml_fdw_push('plain', '(SELECT 11 AS id, 1 AS amount)', 'copy')}), 1, 'it can append');
$session->quit;

done_testing();
