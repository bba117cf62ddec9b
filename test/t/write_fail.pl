# Bulk writes that fail in the middle: the remote table is as before, the error is
# clear, the session goes on, no connection is left; and logins that may write but
# little else.
use strict;
use warnings;
use PostgreSQL::Test::Utils;
use Test::More;

use PgmlSession;
use PgmlTest;

my $me = getpwuid $<;
my ($local, $remote) = (pgml_node('local'), pgml_node('crash_remote'));
$local->safe_psql('postgres', 'CREATE EXTENSION pgml_fdw');
$remote->safe_psql('postgres', q{
	CREATE TABLE t (i int PRIMARY KEY, s text CHECK (s <> 'bad'));
	CREATE TABLE slow (i int, s text CHECK (s <> 'slow' OR pg_sleep(20) IS NOT NULL));
	CREATE TABLE noisy (i int, s text);
	CREATE FUNCTION say() RETURNS bool LANGUAGE plpgsql AS 'BEGIN RAISE NOTICE ''checked''; RETURN true; END';
	ALTER TABLE noisy ADD CHECK (say());
	CREATE TABLE secured (i int, owner name DEFAULT current_user);
	ALTER TABLE secured ENABLE ROW LEVEL SECURITY;
	CREATE POLICY even ON secured USING (true) WITH CHECK (i % 2 = 0);
	CREATE TABLE columns (i int, s text, secret int DEFAULT 7);
	CREATE ROLE writer LOGIN;
	GRANT INSERT ON t, secured TO writer;
	GRANT INSERT (i, s) ON columns TO writer;
	CREATE DATABASE latin1 TEMPLATE template0 ENCODING 'LATIN1'});
$remote->safe_psql('latin1', 'CREATE TABLE t (i int, s text)');
my @servers = (remote => {}, latin1 => { dbname => 'latin1' }, writer => { mapping => { user => 'writer' } },
	capped => { options => { options => '-c statement_timeout=1s' } });
while (my ($server, $opt) = splice @servers, 0, 2)
{
	pgml_connect($local, $remote, server => $server, %$opt);
	$local->safe_psql('postgres', "CREATE FOREIGN TABLE ${server}_t (i int, s text) SERVER $server OPTIONS (table_name 't')");
}
$local->safe_psql('postgres', q{
	CREATE FOREIGN TABLE slow (i int, s text) SERVER remote;
	CREATE FOREIGN TABLE capped_slow (i int, s text) SERVER capped OPTIONS (table_name 'slow');
	CREATE FOREIGN TABLE noisy (i int, s text) SERVER remote;
	CREATE FOREIGN TABLE secured (i int, owner name) SERVER writer;
	CREATE FOREIGN TABLE columns (i int, s text, secret int) SERVER writer;
	-- (volatile ones would have all rows computed before the first one is sent)
	CREATE FUNCTION nap(float8) RETURNS text IMMUTABLE LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep($1); RETURN $1; END';
	CREATE FUNCTION kill(int) RETURNS text IMMUTABLE LANGUAGE plpgsql AS $$
	BEGIN
		RETURN dblink_exec('remote', 'DO $do$ BEGIN PERFORM pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = ''pgml_fdw'' AND state <> ''idle'' AND pid <> pg_backend_pid(); END $do$');
	END $$;
	CREATE FUNCTION caught(command text) RETURNS text LANGUAGE plpgsql AS $$
	BEGIN
		EXECUTE command;
		RETURN 'done';
	EXCEPTION WHEN OTHERS THEN
		RETURN SQLSTATE;
	END $$});

my $session = PgmlSession->new($local);
my $rows = "SELECT i, repeat('x', 100) FROM generate_series(1, 20000) i";

# Runs a statement that must fail, and looks that nothing is left of it.
sub fails
{
	my ($sql, $error, $name, $table) = @_;
	my (undef, $err) = $session->ask($sql);

	like($err, $error, "$name: the error");
	my ($out, $more) = $session->ask('ROLLBACK; SELECT 1');
	is($out, 1, "$name: the session goes on");
	is($remote->safe_psql('postgres', 'SELECT count(*) FROM ' . ($table // 't')), 0, 'nothing is left there');
	return;
}

# How many connections are open there, and how many of them are busy or in a transaction.
sub connections
{
	my $sql = q{SELECT count(*) FROM pg_stat_activity WHERE application_name = 'pgml_fdw' AND %s};

	return join ' ', map { $remote->safe_psql('postgres', sprintf $sql, $_) } 'true', q{state <> 'idle'};
}

for my $method (qw(copy values))
{
	$session->ask("SET pgml_fdw.insert_method = $method");

	# Constraints, at the last row; errors of ours in the middle
	fails("INSERT INTO remote_t $rows UNION ALL SELECT 20000, 'twice'", qr/23505: duplicate key value/, "$method: the last row");
	fails("INSERT INTO remote_t $rows UNION ALL SELECT 0, 'bad'", qr/23514: .*violates check constraint.*remote SQL command on server "remote"/s, "$method: a CHECK");
	fails("INSERT INTO remote_t SELECT i, 1 / (19000 - i) FROM generate_series(1, 20000) i", qr/22012: division by zero/, "$method: an error of ours");
	fails("SET statement_timeout = '500ms'; INSERT INTO remote_t SELECT i, pg_sleep(CASE WHEN i > 5000 THEN 0.1 END) FROM generate_series(1, 20000) i",
		qr/57014: canceling statement due to statement timeout/, "$method: our timeout");
	fails("SET statement_timeout = '1s'; INSERT INTO slow VALUES (1, 'slow')",
		qr/57014: canceling statement due to statement timeout/, "$method: our timeout, while the remote is busy", 'slow');
	$session->ask('RESET statement_timeout');
	fails("INSERT INTO capped_slow SELECT i, CASE WHEN i = 15000 THEN 'slow' END FROM generate_series(1, 20000) i",
		qr/57014: canceling statement due to statement timeout.*remote SQL command on server "capped"/s, "$method: the remote's timeout", 'slow');
	fails("INSERT INTO latin1_t SELECT i, CASE WHEN i = 19000 THEN U&'\\20ac' END FROM generate_series(1, 20000) i",
		qr/22P05: character with byte sequence 0xe2 0x82 0xac in encoding "UTF8" has no equivalent in encoding "LATIN1"/, "$method: an encoding");
	is($remote->safe_psql('latin1', 'SELECT count(*) FROM t'), 0, 'nothing is left there either');
	is((split ' ', connections())[1], 0, "$method: no connection is busy");

	# Savepoints and exception blocks keep what was before
	my ($out) = $session->ask(qq{
		BEGIN; INSERT INTO remote_t VALUES (-1, 'kept'); SAVEPOINT s; INSERT INTO remote_t $rows UNION ALL SELECT -1, 'twice';
		ROLLBACK TO s; INSERT INTO remote_t VALUES (-2, 'kept');
		SELECT caught('INSERT INTO remote_t SELECT i, 1 / (19000 - i) FROM generate_series(1, 20000) i');
		SELECT caught('INSERT INTO remote_t SELECT i FROM generate_series(1, 20000) i UNION ALL SELECT 20000');
		SELECT caught('INSERT INTO remote_t SELECT i FROM generate_series(101, 400) i'); COMMIT; SELECT count(*) FROM remote_t});
	is($out, "22012\n23505\ndone\n302", "$method: savepoints and exception blocks");
	$session->ask('TRUNCATE remote_t');

	# A backend that is killed there
	fails("INSERT INTO remote_t SELECT i, CASE WHEN i = 10000 THEN kill(i) ELSE repeat('x', 100) END FROM generate_series(1, 20000) i",
		qr/08006: connection to server "remote" was lost/, "$method: a killed backend");
	$session->ask('SELECT pgml_fdw_disconnect_all()');
	is((split ' ', connections())[0], 0, "$method: no connection is left");

	# What the remote remarks is no error
	is(($session->ask(q{INSERT INTO noisy SELECT i, repeat('x', 400) FROM generate_series(1, 3000) i; SELECT count(DISTINCT i) FROM noisy; TRUNCATE noisy}))[0],
		3000, "$method: notices");

	# Logins that may insert, and no more
	is(($session->ask("INSERT INTO writer_t $rows; SELECT 1"))[0], 1, "$method: no privilege but INSERT");
	is(($session->ask("SELECT caught('SELECT * FROM writer_t')"))[0], '42501', 'it is so');
	is(($session->ask("INSERT INTO columns (i, s) $rows; SELECT 1"))[0], 1, "$method: on some columns");
	fails('INSERT INTO columns SELECT 1, NULL, 2 FROM generate_series(1, 1000)', qr/42501: permission denied/, "$method: on others", q{columns WHERE secret <> 7});
	is(($session->ask('INSERT INTO secured (i) SELECT i * 2 FROM generate_series(1, 1000) i; SELECT 1'))[0], 1, "$method: row security");
	is($remote->safe_psql('postgres', "SELECT count(*) FROM secured WHERE owner = 'writer'"), 1000, 'the rows are there');
	fails('INSERT INTO secured (i) SELECT i FROM generate_series(1, 1000) i', qr/42501: new row violates row-level security policy/, "$method: row security says no",
		'secured WHERE i % 2 = 1');
	$remote->safe_psql('postgres', 'TRUNCATE t, columns, secured');
}

# The whole server goes, in the middle of a COPY
$session->ask('SET pgml_fdw.insert_method = copy');
$session->send("INSERT INTO remote_t SELECT i, repeat('x', 100) FROM generate_series(1, 100000) i WHERE i % 1000 > 0 OR nap(0.1 + i * 0) <> ''");
sleep 1;
$remote->stop('immediate');
my (undef, $err) = $session->answer;
like($err, qr/08006: connection to server "remote" was lost/, 'the server goes');
is(($session->ask('SELECT 1'))[0], 1, 'the session goes on');
$remote->start;
is(($session->ask('SELECT count(*) FROM remote_t'))[0], 0, 'the next transaction connects anew, and nothing is left');
$session->quit;

done_testing();
