# Faults at random moments: several sessions run random transactions of all kinds,
# while backends are killed and cancelled on both sides, the network is cut,
# stalled and frozen, the remote restarted, its timeouts and tables changed.
#
# TORTURE_SECONDS says for how long, TORTURE_SEED with which numbers: others each
# time if only the former is set (make torture).  A seed brings the statements and
# the faults back, the moments at which they meet only more or less.  After a
# failure the log has the last statements and faults; TORTURE_FAULTS limits the
# latter to a list of names.
#
# Each session owns a table on the remote and a twin of it here, and does to both
# the same in one transaction.  When that has ended, the remote's must be like the
# twin.  Only where COMMIT itself failed it may be what the twin would have become.
use strict;
use warnings;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep time);

use PgmlProxy;
use PgmlSession;
use PgmlTest;

# How long the answer to a statement may take: the sessions' statement_timeout,
# and what an abort may take to put connections in order (xact.c), and some more.
my ($timeout, $cleanup) = (6, 30);
my $limit = 2 * ($timeout + $cleanup);
my $sessions = 3;
my $big = 4000;

my $seconds = $ENV{TORTURE_SECONDS} || 25;
my $seed = $ENV{TORTURE_SEED} || ($ENV{TORTURE_SECONDS} ? 1 + int rand 1_000_000 : 1);
note("seed $seed");
srand $seed;

my $local = pgml_node('local');
my $remote = pgml_node('crash_remote', conf => "listen_addresses = '127.0.0.1'\nmax_connections = 60");
my $proxy = PgmlProxy->new($remote->host, $remote->port);
my $me = $local->safe_psql('postgres', 'SELECT current_user');

# What errors may be there, after such faults: connections lost (08), a remote that
# ends or starts (57P), timeouts and cancels, locks and conflicts, what follows of an
# error before (25P02, 3B001, 34000), tables that have changed (42).
my %expected = map { $_ => 1 } qw(08000 08001 08003 08006 08007 57014 57P01 57P02 57P03 57P05 25P03 25P02
	40001 40P01 55P03 3B001 34000 42P01 42703);

$remote->safe_psql('postgres', qq{
	CREATE TABLE big (i int PRIMARY KEY, j int, s text);
	INSERT INTO big SELECT i, i % 10, repeat('x', 300) FROM generate_series(1, $big) i;
	ANALYZE big;
	CREATE TABLE part (i int PRIMARY KEY, j int);
	INSERT INTO part SELECT i, i % 10 FROM generate_series(1, 1000) i;
	CREATE VIEW trickle AS SELECT i, repeat('x', 8000) AS s, pg_sleep(0.003)::text AS p FROM generate_series(1, 200) i;
	CREATE TABLE changing (i int, s text);
	INSERT INTO changing SELECT i, 'one' FROM generate_series(1, 100) i});
$local->safe_psql('postgres', qq{
	CREATE EXTENSION pgml_fdw;
	CREATE TABLE few (k int, m int);
	INSERT INTO few SELECT i * 37, i FROM generate_series(1, 20) i;
	CREATE TABLE tens (k int PRIMARY KEY);
	INSERT INTO tens SELECT generate_series(0, 7);
	ANALYZE few, tens;
	CREATE FUNCTION here(text) RETURNS text IMMUTABLE LANGUAGE plpgsql AS 'BEGIN RETURN \$1; END';
	CREATE TABLE parts (i int, j int) PARTITION BY LIST (j)});
$local->safe_psql('postgres', q{CREATE FUNCTION sums(relation regclass) RETURNS text LANGUAGE plpgsql AS $$
	DECLARE result text;
	BEGIN
		EXECUTE 'SELECT concat_ws('' '', count(*), sum(n), sum(v), sum(length(s))) FROM ' || relation INTO result;
		RETURN result;
	END $$});
my %address = (near => [ $remote->host, $remote->port ], far => [ '127.0.0.1', $proxy->port ]);
for my $server (sort keys %address)
{
	my ($host, $port) = @{ $address{$server} };
	pgml_connect($local, $remote, server => $server, host => $host, port => $port);
	$local->safe_psql('postgres', qq{
		CREATE FOREIGN TABLE ${server}_big (i int OPTIONS (key 'true'), j int, s text) SERVER $server OPTIONS (table_name 'big');
		CREATE FOREIGN TABLE ${server}_trickle (i int, s text, p text) SERVER $server OPTIONS (table_name 'trickle');
		CREATE FOREIGN TABLE ${server}_changing (i int, s text) SERVER $server OPTIONS (table_name 'changing')});
}
$local->safe_psql('postgres', q{
	CREATE FOREIGN TABLE parts_1 PARTITION OF parts FOR VALUES IN (0, 1, 2, 3, 4) SERVER near OPTIONS (query 'SELECT i, j FROM public.part WHERE j < 5');
	CREATE FOREIGN TABLE parts_2 PARTITION OF parts DEFAULT SERVER far OPTIONS (query 'SELECT i, j FROM public.part WHERE j > 4');
	ALTER SERVER far OPTIONS (ADD connect_timeout '5')});
my $columns = 'n int PRIMARY KEY, v int, s text';
for my $i (1 .. $sessions)
{
	my $server = $i == 1 ? 'near' : 'far';
	$remote->safe_psql('postgres', "CREATE TABLE t$i ($columns)");
	$local->safe_psql('postgres', qq{
		CREATE TABLE twin$i ($columns);
		CREATE TABLE pulled$i (i int, j int, s text);
		CREATE FOREIGN TABLE t$i (n int OPTIONS (key 'true'), v int, s text) SERVER $server;
		CREATE FOREIGN TABLE k$i (n int OPTIONS (key 'true'), v int, s text) SERVER $server
			OPTIONS (table_name 't$i', row_identity 'key')});
}

my (@log, @complaints);
my $begun = time;

sub event
{
	push @log, sprintf '%7.3f %s', time - $begun, join ' ', @_;
	return;
}

# Notes that something is wrong, with the log up to here.
sub wrong
{
	my ($what) = @_;
	event("WRONG: $what");
	push @complaints, $what;
	my $from = @log > 60 ? @log - 60 : 0;
	diag(join "\n", "seed $seed: $what", @log[ $from .. $#log ]);
	return;
}

sub pick { return $_[ int rand @_ ] }

# Asks the remote, past the proxy and in spite of its timeouts; connects anew when
# it was restarted.
my ($watcher, $witness);

sub there
{
	my ($sql) = @_;
	my $deadline = time + 60;
	while (time < $deadline)
	{
		my ($out, $err) = eval {
			$watcher //= PgmlSession->new($remote);
			$watcher->ask("SET statement_timeout = 0; SET lock_timeout = '100ms'; $sql");
		};
		return $out if !$@ && $err !~ /FATAL|server closed|connection to server/ && $watcher->{run}->pumpable;
		undef $watcher;
		sleep 0.05;
	}
	die "the remote doesn't answer: $sql";
}

sub there_sums
{
	my ($s) = @_;
	my $sql = qq{SELECT concat_ws(' ', count(*), sum(n), sum(v), sum(length(s))) FROM t$s->{i}};
	my $sums = there($sql);

	# who hasn't heard that its connection was closed, since the network stands still, has locks
	for (my $deadline = time + 15; $sums eq '' && time < $deadline; $sums = there($sql))
	{
		$proxy->stall(0);
		$proxy->cut;
		sleep 0.05;
	}
	return $sums;
}

# ---- statements ----

# Each changes the table whose name is put in the place of %s.
my %change = (
	few => sub {
		my ($s) = @_;
		my $n = ($s->{n} += 2);
		return sprintf q{INSERT INTO %%s VALUES (%d, 1, 'a'), (%d, 2, NULL)}, $n - 1, $n;
	},
	many => sub {
		my ($s) = @_;
		my $from = $s->{n} + 1;
		$s->{n} += 100 + int rand 2500;
		return "INSERT INTO %s SELECT n, n % 7, repeat('y', 50 + n % 100) FROM generate_series($from, $s->{n}) n";
	},
	returning => sub { my ($s) = @_; return "INSERT INTO %s VALUES (" . ++$s->{n} . ', 3) RETURNING n' },
	shipped_update => sub { return 'UPDATE %s SET v = v + 1 WHERE n % 3 = ' . int rand 3 },
	update => sub { return 'UPDATE %s AS t SET v = t.v + 2 FROM tens WHERE k = t.n % 10 AND k <> ' . int rand 9 },
	update_rows => sub { return 'UPDATE %s SET s = here(s) || 1 WHERE n % 60 = ' . (int rand 60) . ' RETURNING n, here(s)' },
	update_here => sub { return q{UPDATE %s SET s = here('new') WHERE here(n::text) < '} . (int rand 10) . q{'} },
	shipped_delete => sub { return 'DELETE FROM %s WHERE n % 4 = ' . int rand 4 },
	delete => sub { return 'DELETE FROM %s AS t USING tens WHERE k = t.n % 5 AND k = ' . int rand 5 },
	truncate => sub { return 'TRUNCATE %s' });
my @changes = sort keys %change;

# A change of both tables, as several statements or as one.
sub change
{
	my ($s, $form) = @_;
	my $kind = pick(@changes, 'many', 'update', 'exec', 'upsert', 'push', 'copy');
	my ($table, $twin) = (pick("t$s->{i}", "t$s->{i}", "k$s->{i}"), "twin$s->{i}");
	my ($here, $there);
	$table = "t$s->{i}" if $kind eq 'truncate';

	if ($kind eq 'exec')
	{
		my $sql = 'UPDATE %s SET v = v + 5 WHERE n % 2 = 0';
		$there = sprintf q{PERFORM pgml_fdw_exec('%s', '%s')}, $s->{server}, $sql =~ s/%s/public.t$s->{i}/r;
		$here = $sql =~ s/%s/$twin/r;
	}
	elsif ($kind eq 'upsert' || $kind eq 'push')
	{
		my $from = $s->{n} - int rand 300;
		$s->{n} += int rand 300;
		$from = $s->{n} += 1 if $kind eq 'push';
		my $rows = "SELECT n, 9 AS v, ''z'' AS s FROM generate_series($from, $s->{n}) n WHERE n > 0";
		$there = $kind eq 'upsert' ? "PERFORM * FROM pgml_fdw_upsert('t$s->{i}', '($rows)')"
			: "PERFORM pgml_fdw_push('$s->{server}', '($rows)', 'public.t$s->{i}')";
		$here = "INSERT INTO $twin " . ($rows =~ s/''/'/gr) . ' ON CONFLICT (n) DO UPDATE SET v = 9, s = EXCLUDED.s';
	}
	elsif ($kind eq 'copy')
	{
		my $from = $s->{n} + 1;
		$s->{n} += 1 + int rand 2000;
		($there, $here) = map { "COPY $_ (n) FROM PROGRAM 'seq $from $s->{n}'" } $table, $twin;
	}
	if (!$there)
	{
		my $sql = $change{$kind}->($s);
		($there, $here) = map { my $t = $_; $sql =~ s/%s/$t/r } $table, $twin;
	}
	if ($form eq 'plain')
	{
		$there =~ s/^PERFORM/SELECT/;
		return ("$there;\n", "$here;\n");
	}
	# RETURNING would want a target in PL/pgSQL
	s/ RETURNING (n.*)$/ RETURNING 1/ for $there, $here;
	my @both = map { /RETURNING/ ? "FOR r IN $_ LOOP NULL; END LOOP;" : "$_;" } $there, $here;
	my $body = "DECLARE r record; BEGIN $both[0] $both[1] " . (rand() < 0.2 ? 'PERFORM 1 / 0; ' : '');
	$body .= 'EXCEPTION WHEN OTHERS THEN RAISE NOTICE $n$caught %$n$, SQLSTATE; ' if $form eq 'caught' || $body =~ m{1 / 0};
	return ("DO \$do\$ $body END \$do\$;\n");
}

# Statements that read, with what they must say if there is no error.
my $sum = $big * ($big + 1) / 2;
my %read = (
	whole => sub { return ("SELECT count(s), sum(i) FROM $_[0]_big WHERE here(s) <> ''", "$big|$sum") },
	shipped => sub { return ("SELECT count(s), sum(i) FROM $_[0]_big", "$big|$sum") },
	stop => sub { return ("SELECT i FROM $_[0]_big WHERE here(s) <> '' LIMIT 1 OFFSET 5", undef) },
	join => sub { return ("SELECT count(*) FROM $_[0]_big AS a JOIN $_[0]_big AS b ON a.i = b.j WHERE a.i > 0", $big * 9 / 10) },
	two => sub { return ("SELECT count(*) FROM near_big AS a JOIN far_big AS b USING (i) WHERE here(a.s) = here(b.s)", $big) },
	keyed => sub { return ("SELECT sum(i), sum(m) FROM few JOIN $_[0]_big AS b ON b.i = few.k", '7770|210') },
	lateral => sub { return ("SELECT sum(x) FROM few, LATERAL (SELECT i AS x, here(s) FROM $_[0]_big WHERE i = few.k OFFSET 0) AS l", '7770') },
	async => sub { return ('SELECT count(*), sum(i) FROM parts', '1000|500500') },
	append => sub { return ("SELECT count(i) FROM (SELECT i FROM near_big UNION ALL SELECT i FROM far_trickle UNION ALL SELECT i FROM far_big) AS t", 2 * $big + 200) },
	slow => sub { return ("SELECT count(s), sum(i) FROM $_[0]_trickle WHERE here(s) <> ''", '200|20100') },
	interleaved => sub { return ("SELECT count(*) FROM $_[0]_big AS a, LATERAL (SELECT here(s) FROM $_[0]_big WHERE i = a.i + 1 LIMIT 1) AS b WHERE a.i < 40 AND here(a.s) <> ''", 39) },
	dblink => sub { return ("SELECT count(s), sum(i) FROM dblink('$_[0]', 'SELECT i, s FROM big') AS t (i int, s text)", "$big|$sum") },
	dblink_stop => sub { return ("SELECT s FROM dblink('$_[0]', 'SELECT i::text FROM big ORDER BY big.i') AS t (s text) LIMIT 3", "1\n2\n3") },
	dblink_exec => sub { return ("SELECT dblink_exec('$_[0]', 'DO \$\$ BEGIN PERFORM pg_sleep(0.05); END \$\$')", 'DO') },
	query => sub { return ("SELECT count(s), sum(i) FROM pgml_fdw_query('$_[0]', 'SELECT i, s FROM public.big WHERE i <= \$1', 1000) AS t (i int, s text)", '1000|500500') },
	query_stop => sub { return ("SELECT i FROM pgml_fdw_query('$_[0]', 'SELECT i, s FROM public.big ORDER BY i') AS t (i int, s text) LIMIT 2", "1\n2") },
	describe => sub { return ("SELECT count(*) FROM pgml_fdw_describe('$_[0]', 'SELECT * FROM public.big')", 3) },
	changing => sub { return ("SELECT count(*), min(s) FROM $_[0]_changing WHERE here(s) <> ''", undef) },
	changing_local => sub { return ("DROP TABLE IF EXISTS made; CREATE TEMP TABLE made AS SELECT * FROM $_[0]_changing; DROP TABLE made", undef) },
	ctas => sub { return ("DROP TABLE IF EXISTS made; CREATE TEMP TABLE made AS SELECT * FROM $_[0]_big; SELECT count(s), sum(i) FROM made; DROP TABLE made", "$big|$sum") },
	pull => sub { my ($server, $i) = @_; return ("SELECT pgml_fdw_pull('$server', 'public.big', 'pulled$i', mode => 'replace', jobs => 1 + $i % 2)", $big) },
	insert => sub { my ($server, $i) = @_; return ("TRUNCATE pulled$i; INSERT INTO pulled$i SELECT * FROM ${server}_big; SELECT count(s), sum(i) FROM pulled$i", "$big|$sum") },
	import => sub { my ($server, $i) = @_; return ("DROP SCHEMA IF EXISTS imported$i CASCADE; CREATE SCHEMA imported$i; IMPORT FOREIGN SCHEMA public LIMIT TO (big, part) FROM SERVER $server INTO imported$i; SELECT count(*) FROM imported$i.part; DROP SCHEMA imported$i CASCADE", 1000) },
	explain => sub { return ("SET pgml_fdw.explain_remote = on; EXPLAIN SELECT * FROM $_[0]_big; RESET pgml_fdw.explain_remote", undef) },
	analyze => sub { return ("ANALYZE $_[0]_big", undef) },
	connections => sub { return ('SELECT count(*) >= 0 FROM pgml_fdw_get_connections(check_conn => true)', 't') },
	disconnect => sub { return ("SELECT pgml_fdw_disconnect('$_[0]') IS NOT NULL", 't') },
	prepared => sub { return ("DEALLOCATE ALL; PREPARE p(int) AS SELECT sum(i) FROM $_[0]_big WHERE i < \$1; EXECUTE p(11); EXECUTE p(101); DEALLOCATE p", undef) });
my @reads = sort keys %read;

# What goes on for longer than a statement: cursors, connections of dblink.
my @lasting = (
	'DECLARE c%d CURSOR FOR SELECT i, s FROM %s_big; FETCH 3 FROM c%d',
	'DECLARE d%d CURSOR FOR SELECT i, here(s) FROM %s_trickle; FETCH 3 FROM d%d',
	q{DECLARE e%d CURSOR FOR SELECT * FROM dblink('%s', 'SELECT i FROM big') AS t (i int); FETCH 3 FROM e%d},
	'DECLARE h%d CURSOR WITH HOLD FOR SELECT i FROM %s_big WHERE i < 50; FETCH 2 FROM h%d');
my @link = (
	q{SELECT dblink_connect('l', '%s')},
	q{SELECT dblink_exec('l', 'SET work_mem = 1000', false)},
	q{SELECT dblink_send_query('l', 'SELECT i, s FROM big')},
	q{SELECT count(*) FROM dblink_get_result('l') AS t (i int, s text)},
	q{SELECT dblink_cancel_query('l')},
	q{SELECT dblink_is_busy('l')},
	q{SELECT count(*) FROM dblink('l', 'SELECT i FROM big') AS t (i int)},
	q{SELECT dblink_open('l', 'c', 'SELECT i FROM big', false)},
	q{SELECT count(*) FROM (SELECT * FROM dblink_fetch('l', 'c', 1000, false) AS t (i int)) AS x},
	q{SELECT dblink_close('l', 'c', false)},
	q{SELECT dblink_error_message('l') <> ''},
	q{SELECT dblink_disconnect('l')},
	q{SELECT dblink_connect('%s')},
	q{SELECT count(*) FROM dblink('SELECT i FROM big') AS t (i int) LIMIT 1},
	q{SELECT dblink_disconnect()});

# ---- sessions ----

# What a session's connections are called on the remote.
sub name { my ($s) = @_; return "torture $s->{i}" }

sub open_session
{
	my ($s) = @_;
	my $name = name($s);
	$s->{psql} = PgmlSession->new($local);
	$s->{psql}->ask("SET pgml_fdw.application_name = '$name'; SET statement_timeout = '${timeout}s'; SET client_min_messages = warning");
	@$s{qw(in failed savepoint busy doubt rest)} = (0, 0, 0, 0, 0, '');
	return;
}

sub say_sql
{
	my ($s, $sql, $what, $expect) = @_;
	my $short = length $sql > 300 ? substr($sql, 0, 300) . ' ...' : $sql;
	event("session $s->{i} [$what]: $short");
	$s->{what} = $what;
	$s->{expect} = $expect;
	$s->{sql} = $sql;
	$s->{busy} = time;
	$s->{psql}->send($sql);
	return;
}

# Chooses what the session does next.
sub next_step
{
	my ($s) = @_;
	my $server = pick('near', 'far');
	my $twin = "twin$s->{i}";

	if ($s->{failed})
	{
		if ($s->{savepoint} && rand() < 0.6)
		{
			$s->{failed} = 0;
			return say_sql($s, 'ROLLBACK TO SAVEPOINT s;', 'back');
		}
		return say_sql($s, 'ROLLBACK;', 'rollback');
	}
	if (!$s->{in})
	{
		my $kind = rand;
		if ($kind < 0.55)
		{
			my $level = pick('READ COMMITTED', 'REPEATABLE READ', 'SERIALIZABLE');
			$s->{in} = 1;
			@$s{qw(savepoint commits)} = (0, 0);
			my $method = pick(qw(auto copy values));
			my $transport = pick(qw(auto auto copy row cursor));
			return say_sql($s, "BEGIN ISOLATION LEVEL $level; SET LOCAL pgml_fdw.insert_method = $method; SET LOCAL pgml_fdw.transport = $transport;", 'begin');
		}
		# a change that is a transaction by itself: it is in doubt if it fails
		return say_sql($s, join('', change($s, 'whole')), 'whole') if $kind < 0.7;
	}
	else
	{
		my $kind = rand;
		return say_sql($s, "SELECT sums('$twin');", 'sums') if $kind < 0.12;
		return say_sql($s, 'ROLLBACK;', 'rollback') if $kind < 0.15;
		if ($kind < 0.25)
		{
			my $command = $s->{savepoint} ? pick('ROLLBACK TO SAVEPOINT s', 'RELEASE SAVEPOINT s') : 'SAVEPOINT s';
			$s->{savepoint} = $command !~ /^RELEASE/;
			return say_sql($s, "$command;", 'savepoint');
		}
		return say_sql($s, join('', change($s, pick('plain', 'plain', 'plain', 'whole', 'caught'))), 'change') if $kind < 0.62;
		return say_sql($s, "SELECT sums('$twin') = sums('" . pick("t$s->{i}", "k$s->{i}") . q{');}, 'same', 't') if $kind < 0.68;
		if ($kind < 0.73)
		{
			my $c = ++$s->{cursors};
			return say_sql($s, sprintf(pick(@lasting), $c, $server, $c) . ';', 'cursor');
		}
	}
	return say_sql($s, (pick(@link) =~ s/%s/$server/r) . ';', 'link') if rand() < 0.15;
	my $name = pick(@reads);
	my ($sql, $expect) = $read{$name}->($server, $s->{i});
	return say_sql($s, "$sql;", "read $name", $expect);
}

# Has the answer come?
sub answered
{
	my ($s) = @_;
	my $psql = $s->{psql};
	my $mark = qr/^answered $psql->{n}\n/m;
	eval { $psql->{run}->pump_nb if $psql->{run}->pumpable; 1 } or return 1;
	return 1 unless $psql->{run}->pumpable;
	return $psql->{out} =~ $mark && $psql->{err} =~ $mark;
}

# Judges the answer.
my %seen;
sub take_answer
{
	my ($s) = @_;
	my ($out, $err) = $s->{psql}->answer(5);
	my $took = time - $s->{busy};
	my @errors = $err =~ /(?:ERROR|FATAL):  (\w{5}):/g;
	my $dead = $err =~ /connection to server was lost|server closed the connection|FATAL:  57P/ || !$s->{psql}{run}->pumpable;
	my ($message) = $err =~ /((?:ERROR|FATAL|PANIC):.*)/;
	event(sprintf 'session %d: %.2f s: %s', $s->{i}, $took, $message // substr($out, 0, 60) =~ s/\n/,/gr);
	$s->{busy} = 0;
	event("slow: $s->{sql}") if $took > $timeout;
	$seen{$_}++ for @errors;
	my $link = $s->{what} eq 'link';
	for my $code (@errors)
	{
		# dblink says these about connections that aren't in the state that they should be in
		next if $expected{$code} || ($link && $code =~ /^(42710|08003|08001|2F003|XX000|3D000)$/);
		# jobs need a transaction that hasn't written
		next if $s->{sql} =~ /pgml_fdw_pull/ && $code eq '25001';
		# seq is left with nobody to read it
		next if $s->{sql} =~ /PROGRAM/ && $code eq '38000';
		next if $s->{sql} =~ /changing/ && $code =~ /^(42804|42883|42P10|22P02|0A000)$/;
		wrong("error $code: $s->{sql}\n$err");
	}
	wrong("nonsense: $err") if $err =~ /\(null\)|PANIC|TRAP|cache lookup|unrecognized|invalid memory/;
	wrong("$s->{sql} answered $out instead of $s->{expect}")
	  if !@errors && !$dead && defined $s->{expect} && $out ne $s->{expect};

	if ($dead)
	{
		$s->{psql}->quit;
		return end_transaction($s, $s->{what} =~ /^(commit|whole)$/ ? 'doubt' : 'lost');
	}
	if ($s->{what} eq 'rollback') { return end_transaction($s, 'rolled back') }
	if ($s->{what} eq 'whole' || $s->{what} eq 'commit')
	{
		return end_transaction($s, @errors ? 'doubt' : 'committed');
	}
	if ($s->{what} eq 'sums' && !@errors)
	{
		$s->{after} = $out;
		return say_sql($s, 'COMMIT;', 'commit');
	}
	$s->{failed} = 1 if $s->{in} && @errors;
	$s->{savepoint} = 0 if "@errors" =~ /3B001/;
	return;
}

# Compares the remote's table with its twin, when the transaction has ended.
sub end_transaction
{
	my ($s, $how) = @_;
	my $what = $s->{what};
	@$s{qw(in failed savepoint)} = (0, 0, 0);
	if ($how eq 'lost' || $how eq 'doubt')
	{
		# what it was at may still be going on there: end that, or wait for its end
		my $mine = sprintf q{FROM pg_stat_activity WHERE application_name = '%s'}, name($s);
		my $gone = $how eq 'lost' && !$s->{network};
		$proxy->stall(0);
		$proxy->cut;
		there("SELECT pg_terminate_backend(pid) $mine AND state <> 'idle'") if $how eq 'doubt';
		my $deadline = time + 15;
		my $left = 1;
		while ($left && time < $deadline)
		{
			$left = there("SELECT count(*) $mine" . ($how eq 'doubt' ? q{ AND state <> 'idle'} : ''));
			sleep 0.05 if $left;
		}
		wrong("a session that has gone leaves $left connections: " . there("SELECT state, query $mine")) if $left;
	}
	my $twin = $witness->ask("SELECT sums('twin$s->{i}')");
	my $table = there_sums($s);
	my $same = $twin eq $table;
	event("session $s->{i}: $how; here $twin, there $table");
	if (!$same && $how eq 'doubt' && ($what eq 'whole' || $table eq $s->{after}))
	{
		$same = 1;
		$seen{"in doubt, and committed there"}++;
		event("session $s->{i}: committed there, not here");
	}
	wrong("session $s->{i}: $how, here $twin, there $table") unless $same;
	if ($twin ne $table)
	{
		there("TRUNCATE t$s->{i}");
		$witness->ask("TRUNCATE twin$s->{i}");
	}
	$seen{"transactions $how"}++;
	open_session($s) unless $s->{psql}{run}->pumpable;
	return;
}

# ---- faults ----

my (@session, @later);

# Does something after so many seconds.
sub later
{
	my ($after, $what) = @_;
	push @later, [ time + $after, $what ];
	return;
}

sub setting
{
	my ($name, $value) = @_;
	my $reload = 'SELECT pg_reload_conf()';
	there("ALTER SYSTEM SET $name = '$value'; $reload");
	later(0.3 + rand 1, sub { there("ALTER SYSTEM RESET $name; $reload") });
	return;
}

my $ours = q{FROM pg_stat_activity WHERE application_name LIKE 'torture %'};
my %fault = (
	kill_one => sub { there("SELECT pg_terminate_backend(pid) $ours ORDER BY random() LIMIT 1") },
	kill_all => sub { there("SELECT pg_terminate_backend(pid) $ours") },
	cancel_there => sub { there("SELECT pg_cancel_backend(pid) $ours AND state = 'active'") },
	cancel => sub { kill 'INT', pick(@session)->{psql}->pid },
	terminate => sub { kill 'TERM', pick(@session)->{psql}->pid },
	cut => sub { $proxy->cut },
	freeze => sub { $proxy->freeze; later(3 + rand 6, sub { $proxy->cut }) },
	stall => sub { $proxy->stall(1); later(0.1 + rand 2, sub { $proxy->stall(0) }) },
	stall_long => sub { $proxy->stall(1); later(8, sub { $proxy->stall(0) }) },
	latency => sub { $proxy->latency(1 + int rand 20); later(1, sub { $proxy->latency(0) }) },
	refuse => sub { $proxy->refuse(1); later(0.5, sub { $proxy->refuse(0) }) },
	swallow => sub { $proxy->swallow_cancel('next'); kill 'INT', pick(@session)->{psql}->pid },
	restart => sub { undef $watcher; $remote->stop(pick('fast', 'immediate')); $remote->start },
	statement_timeout => sub { setting('statement_timeout', pick(20, 100, 300)) },
	idle_timeout => sub { setting('idle_in_transaction_session_timeout', pick(1, 20, 100)) },
	lock_timeout => sub { setting('lock_timeout', 10) },
	change_table => sub {
		there(pick(
			'ALTER TABLE changing ALTER s TYPE int USING 1', q{ALTER TABLE changing ALTER s TYPE text USING 'one'},
			'ALTER TABLE changing DROP COLUMN s', 'ALTER TABLE changing ADD COLUMN s bigint DEFAULT 7',
			'ALTER TABLE changing ALTER i TYPE bigint', 'ALTER TABLE changing ADD COLUMN more text',
			'DROP TABLE changing', 'CREATE TABLE changing AS SELECT 1 AS i, true AS s'));
	});
my @faults = $ENV{TORTURE_FAULTS} ? split(/ /, $ENV{TORTURE_FAULTS})
	: (('cancel') x 6, ('kill_one') x 3, grep { $_ ne 'stall_long' || $ENV{TORTURE_SECONDS} } sort keys %fault);

# Lets all sessions come to rest, and looks what is left.
sub rest
{
	event('rest');
	$_->[1]->() for splice @later;
	$proxy->stall(0);
	$proxy->cut;
	wait_for($_) for @session;
	for my $s (@session)
	{
		say_sql($s, 'ROLLBACK;', 'rollback');
		wait_for($s);
		# dblink's connections may be in a transaction as long as they like
		say_sql($s, 'SELECT dblink_disconnect(c) FROM unnest(dblink_get_connections()) AS c;', 'link');
		wait_for($s);
		say_sql($s, 'SELECT dblink_disconnect();', 'link');
		wait_for($s);
	}
	my $deadline = time + 20;
	my $idle;
	sleep 0.05 until ($idle = there("SELECT count(*) $ours AND state <> 'idle'") eq '0') || time > $deadline;
	wrong('connections are not idle: ' . there("SELECT state, query $ours")) unless $idle;
	for my $s (@session)
	{
		for my $server (qw(near far))
		{
			my ($out, $err) = $s->{psql}->ask("SELECT count(s), sum(i) FROM ${server}_big WHERE here(s) <> ''", $limit);
			wrong("session $s->{i} at rest: $out $err") if $out ne "$big|$sum" || $err ne '';
		}
		my ($out, $err) = $s->{psql}->ask('SELECT count(*) FROM pg_cursors WHERE NOT is_holdable');
		wrong("session $s->{i} has cursors: $out $err") if $out ne '0';
		$s->{psql}->ask('CLOSE ALL');
	}
	my @files = glob $local->data_dir . '/base/pgsql_tmp/*';
	wrong("temporary files: @files") if @files;
	return;
}

# Waits for the end of what a session is at.
sub wait_for
{
	my ($s) = @_;
	while ($s->{busy})
	{
		if (answered($s)) { take_answer($s) }
		elsif (time - $s->{busy} > $limit)
		{
			my $pid = $s->{psql}->pid;
			wrong("session $s->{i} hangs: " . $witness->ask("SELECT state, wait_event, query FROM pg_stat_activity WHERE pid = $pid"));
			die 'a session hangs';
		}
		else { sleep 0.01 }
	}
	return;
}

@session = map { { i => $_, n => 0, server => $_ == 1 ? 'near' : 'far' } } 1 .. $sessions;
$witness = PgmlSession->new($local);
open_session($_) for @session;
my $end = time + $seconds;
my $next_fault = time + 0.5;
my $next_rest = time + 15;
my ($steps, $faults) = (0, 0);
my $lived = eval {
	while (time < $end)
	{
		my $worked = 0;
		for my $s (@session)
		{
			if ($s->{busy})
			{
				if (answered($s)) { take_answer($s); $worked = 1 }
				elsif (time - $s->{busy} > $limit) { wait_for($s) }
			}
			next if $s->{busy} || rand() < 0.1;
			next_step($s);
			$steps++;
			$worked = 1;
		}
		my @due = grep { $_->[0] <= time } @later;
		@later = grep { $_->[0] > time } @later;
		$_->[1]->() for @due;
		if (time > $next_fault)
		{
			my $name = pick(@faults);
			event("fault: $name");
			$fault{$name}->();
			$seen{"fault $name"}++;
			$next_fault = time + rand() * pick(0.1, 0.5, 1.5);
			$faults++;
		}
		if (time > $next_rest)
		{
			rest();
			$next_rest = time + 15;
		}
		last if @complaints > 5;
		sleep 0.004 unless $worked;
	}
	rest();
	1;
};
diag("the test died: $@\n" . join "\n", @log[ -60 .. -1 ]) unless $lived;
ok($lived, 'all sessions went on');
note("$steps steps, $faults faults");
note("$_: $seen{$_}") for sort keys %seen;
cmp_ok($seen{'transactions committed'} // 0, '>', 0, 'there were transactions');
cmp_ok($faults, '>', 5, 'and faults');

$_->{psql}->quit for @session;
ok(until_true($remote, "SELECT count(*) = 0 $ours"), 'sessions that have gone leave no connection');
is(scalar @complaints, 0, "seed $seed: nothing is wrong");
unlike(slurp_file($local->logfile), qr/terminated by signal|PANIC|TRAP/, 'the local server lived');
if ($ENV{TORTURE_SECONDS})
{
	append_to_file("$ENV{TESTLOGDIR}/torture_events", "$_\n") for @log;
}

done_testing();
