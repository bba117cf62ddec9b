# Behind a pooler that keeps prepared statements for its clients: they have other names
# on the server, and DEALLOCATE doesn't know ours.
use strict;
use warnings;
use Test::More;

use PgmlProxy;
use PgmlSession;
use PgmlTest;

my ($local, $remote) = pgml_pair();
my $proxy = PgmlProxy->new($remote->host, $remote->port);

$remote->safe_psql('postgres', q{
	CREATE TABLE t (i int PRIMARY KEY, s text);
	CREATE TABLE named (at timestamptz DEFAULT clock_timestamp(), name text);
	CREATE FUNCTION note_names() RETURNS trigger LANGUAGE plpgsql AS $$
		BEGIN INSERT INTO public.named (name) SELECT p.name FROM pg_prepared_statements p; RETURN NULL; END $$;
	CREATE TRIGGER names AFTER INSERT OR UPDATE OR DELETE ON t EXECUTE FUNCTION note_names()});
pgml_connect($local, $remote, host => '127.0.0.1', port => $proxy->port);
$local->safe_psql('postgres', q{
	CREATE SCHEMA far;
	IMPORT FOREIGN SCHEMA public LIMIT TO (t) FROM SERVER remote INTO far;
	CREATE TABLE here (i int PRIMARY KEY, s text);
	CREATE FUNCTION plus(int) RETURNS int LANGUAGE plpgsql VOLATILE AS 'BEGIN RETURN $1 + 1; END'});

# Statements of all sorts that are prepared, the same there and here.
my @statements = (
	q{INSERT INTO %1$s SELECT i, 'x' || i FROM generate_series(1, 3000) i},
	q{INSERT INTO %1$s SELECT i, 'one' FROM generate_series(4001, 4003) i RETURNING i, s},
	q{UPDATE %1$s SET s = s || plus(i) WHERE i %% 2 = 0},
	q{UPDATE %1$s SET s = s || plus(i) WHERE i < 10 RETURNING i, s},
	q{SELECT sum(length(s)) FROM generate_series(1, 9) n, LATERAL (SELECT s FROM %1$s WHERE i = n + 0 * random() OFFSET 0) x},
	q{DELETE FROM %1$s WHERE plus(i) %% 3 = 0},
	q{INSERT INTO %1$s VALUES (9001, NULL), (9002, 'two') ON CONFLICT DO NOTHING},
	q{SELECT count(*), md5(string_agg(i || coalesce(s, '-'), ',' ORDER BY i)) FROM %1$s});

# Runs one; returns its rows, or what sort of error.
sub outcome
{
	my ($session, $sql) = @_;
	return $session->said($sql) =~ s/ERROR:  (\w{5}):.*/$1/rs;
}

for my $renames (0, 1)
{
	my $what = $renames ? 'renamed' : 'not renamed';
	my $session;

	$proxy->rename($renames);
	$remote->safe_psql('postgres', 'TRUNCATE t, named');
	$local->safe_psql('postgres', 'TRUNCATE here');
	$session = PgmlSession->new($local);
	$session->ask('SET enable_hashjoin = off; SET enable_mergejoin = off; SET pgml_fdw.transport = row');
	for my $way ('%s', 'BEGIN; SAVEPOINT a; %s; RELEASE a; COMMIT', 'BEGIN; SAVEPOINT a; %s; ROLLBACK TO a; COMMIT', 'BEGIN; %s; ROLLBACK')
	{
		for my $statement (@statements)
		{
			my $expected = outcome($session, sprintf $way, sprintf $statement, 'here');
			is(outcome($session, sprintf $way, sprintf $statement, 'far.t'), $expected, "$what: " . sprintf $way, $statement);
		}
		$session->ask('TRUNCATE far.t, here') if $way eq '%s';
	}
	# names that the server has given would stay with a plain connection
	my $names = $renames ? 'else' : 'pgml';
	is($remote->safe_psql('postgres', q{SELECT DISTINCT left(name, 4) FROM named}), $names, "$what: what they are called there");
	cmp_ok($remote->safe_psql('postgres', 'SELECT count(DISTINCT name) FROM named'), $renames ? '==' : '>', 1, "$what: how many there were");
	$session->quit;
}

$proxy->stop;
done_testing();
