# Every way to write in bulk, and everything that can go wrong at its last row: the
# error is clear, the remote table is as before, the session goes on, no connection
# is left busy.  Each in a statement of its own, behind a savepoint and in an exception
# block, with what the transaction has written before and writes after.
#
# A full disk is a stand-in: a function there raises the SQLSTATE (53100) that the
# server would.
use strict;
use warnings;
use PostgreSQL::Test::Utils;
use Test::More;

use PgmlSession;
use PgmlTest;

my ($local, $remote) = (pgml_node('local'), pgml_node('crash_remote'));
$local->safe_psql('postgres', 'CREATE EXTENSION pgml_fdw');
my $fixture = q{
	CREATE TABLE deed (what text);
	CREATE FUNCTION misbehave(id int, v text) RETURNS bool LANGUAGE plpgsql AS $$
	DECLARE
		deed text;
	BEGIN
		IF id % 1200 <> 0 OR v = 'as before' THEN
			RETURN true;
		END IF;
		deed := (SELECT what FROM public.deed);
		IF deed = 'killed' THEN
			PERFORM pg_terminate_backend(pg_backend_pid());
		ELSIF deed = 'timeout' THEN
			PERFORM pg_sleep(100);
		ELSIF deed = 'disk full' THEN
			RAISE 'could not extend file' USING ERRCODE = '53100', HINT = 'Check free disk space.';
		END IF;
		RETURN deed IS DISTINCT FROM 'constraint';
	END $$;
	CREATE TABLE t (id int PRIMARY KEY, v text, pad text, CHECK (misbehave(id, v)));
	INSERT INTO t SELECT i, 'as before', repeat('x', 100) FROM generate_series(1, 1200) i;
	CREATE FUNCTION misbehave_deleting() RETURNS trigger LANGUAGE plpgsql AS $$
	BEGIN
		IF NOT public.misbehave(OLD.id, 'deleted') THEN
			RAISE 'a row that is referenced' USING ERRCODE = '23503';
		END IF;
		RETURN OLD;
	END $$;
	CREATE TRIGGER misbehave BEFORE DELETE ON t FOR EACH ROW EXECUTE FUNCTION misbehave_deleting();
	CREATE TABLE other (n int)};
$remote->safe_psql('postgres', "$fixture; CREATE DATABASE latin1 TEMPLATE template0 ENCODING 'LATIN1'");
$remote->safe_psql('latin1', $fixture);
pgml_connect($local, $remote);
pgml_connect($local, $remote, server => 'latin1', dbname => 'latin1');
pgml_connect($local, $remote, server => 'capped', options => { options => '-c statement_timeout=500ms' });
$local->safe_psql('postgres', qq{
	CREATE SCHEMA $_; IMPORT FOREIGN SCHEMA public FROM SERVER $_ INTO $_}) for qw(remote latin1 capped);
$local->safe_psql('postgres', q{
	CREATE TABLE l AS SELECT i AS id, 'new ' || i AS v FROM generate_series(1, 1200) i;
	ANALYZE l;
	CREATE FUNCTION caught(command text) RETURNS text LANGUAGE plpgsql AS $$
	BEGIN
		EXECUTE command;
		RETURN 'done';
	EXCEPTION WHEN OTHERS OR query_canceled THEN
		RETURN SQLSTATE;
	END $$});

# The error of each thing that goes wrong, and the server where it does.  The encoding: a DELETE sends no text.
my %wrong = (
	constraint => [ remote => qr/^23(514|503)$/, qr/remote SQL command on server "remote"/ ],
	killed => [ remote => qr/^08006$/, qr/connection to server "remote" was lost/ ],
	timeout => [ capped => qr/^57014$/, qr/canceling statement due to statement timeout.*remote SQL command on server "capped"/s ],
	'our timeout' => [ remote => qr/^57014$/, qr/canceling statement due to statement timeout/ ],
	'disk full' => [ remote => qr/^53100$/, qr/could not extend file.*Check free disk space.*remote SQL command on server "remote"/s ],
	encoding => [ latin1 => qr/^22P05$/, qr/has no equivalent in encoding "LATIN1"/ ]);
my $euro = q{CASE WHEN id % 1200 = 0 THEN U&'\20ac' ELSE 'new' END};
my $new = q{SELECT id, %s, repeat('y', 100) FROM (SELECT 1200 + id AS id FROM l ORDER BY id) x};
my %write = (
	copy => "INSERT INTO t $new",
	values => "INSERT INTO t $new",
	update => 'UPDATE t SET v = %s FROM l WHERE l.id = t.id',
	delete => 'DELETE FROM t USING l WHERE l.id = t.id');
my $session = PgmlSession->new($local);

# The table, wherever it is.
sub table_is
{
	my ($db, $expected, $name) = @_;
	my $is = $remote->safe_psql($db, q{SELECT concat_ws(' ', count(*), count(*) FILTER (WHERE v = 'as before' AND pad = repeat('x', 100) AND id <= 1200), (SELECT count(*) FROM other)) FROM t});
	return is($is, $expected, $name);
}

sub connections_are_idle
{
	my ($name) = @_;
	return is($remote->safe_psql('postgres', q{SELECT count(*) FILTER (WHERE state <> 'idle'), count(*) <= 3 FROM pg_stat_activity WHERE application_name = 'pgml_fdw'}),
		'0|t', "$name: connections are idle");
}

for my $way (qw(copy values update delete))
{
	for my $wrong (sort keys %wrong)
	{
		next if $way eq 'delete' && $wrong eq 'encoding';
		my ($server, $state, $message) = @{ $wrong{$wrong} };
		my $db = $server eq 'latin1' ? 'latin1' : 'postgres';
		my $command = sprintf $write{$way}, $wrong eq 'encoding' ? $euro =~ s/\bid\b/$way eq 'update' ? 'l.id' : 'id'/er : q{'new'};
		my $name = "$way, $wrong";
		my $deed = $wrong eq 'our timeout' ? 'timeout' : $wrong;

		$remote->safe_psql($db, "TRUNCATE deed, other; INSERT INTO deed VALUES ('$deed')");
		$session->ask("SET search_path = $server, public; SET pgml_fdw.insert_method = " . ($way eq 'values' ? 'values' : 'copy')
			. '; SET statement_timeout = ' . ($wrong eq 'our timeout' ? q{'700ms'} : '0'));

		# by itself
		my $error = $session->complain($command);
		like($error, $message, $name);
		like(($error =~ /ERROR:  (\w+)/)[0], $state, "$name: SQLSTATE");
		table_is($db, '1200 1200 0', "$name: the table is as before");
		is($session->ask('SELECT count(*) FROM t WHERE id <= 10'), 10, "$name: the session goes on");
		connections_are_idle($name);

		# behind a savepoint; a connection that is lost takes what was written before along
		$error = $session->complain("BEGIN; INSERT INTO other VALUES (1); SAVEPOINT s; $command");
		like($error, $message, "$name, behind a savepoint");
		$error = $session->complain('ROLLBACK TO s; INSERT INTO other VALUES (2); COMMIT');
		$wrong eq 'killed' ? like($error, qr/08006|08003|25P02|40000/, "$name: is not committed in part") : is($error, '', "$name: the rest is committed");
		table_is($db, $wrong eq 'killed' ? '1200 1200 0' : '1200 1200 2', "$name, behind a savepoint: the table is as before");
		connections_are_idle("$name, behind a savepoint");
		$session->ask('ROLLBACK; TRUNCATE other');

		# in an exception block
		my $out = $session->ask("BEGIN; INSERT INTO other VALUES (1); SELECT caught(\$\$$command\$\$); INSERT INTO other VALUES (2); COMMIT");
		like($out, $state, "$name, in an exception block");
		table_is($db, $wrong eq 'killed' ? '1200 1200 0' : '1200 1200 2', "$name, in an exception block: the table is as before");
		is($session->ask('ROLLBACK; SELECT count(*) FROM t WHERE id <= 10'), 10, "$name, in an exception block: the session goes on");
		connections_are_idle("$name, in an exception block");
	}

	# Nothing goes wrong.
	$remote->safe_psql('postgres', 'TRUNCATE deed');
	$session->ask('SET search_path = remote, public; RESET statement_timeout');
	is($session->ask("BEGIN; " . sprintf($write{$way}, q{'new'}) . q{; SELECT count(*), count(*) FILTER (WHERE v = 'new') FROM t; ROLLBACK}),
		{ update => '1200|1200', delete => '0|0' }->{$way} // '2400|1200', "$way: what was to be written");
}
$session->ask('SELECT pgml_fdw_disconnect_all()');
is($remote->safe_psql('postgres', q{SELECT count(*) FROM pg_stat_activity WHERE application_name = 'pgml_fdw'}), 0, 'no connection is left');
$session->quit;

done_testing();
