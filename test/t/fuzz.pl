# Random statements on foreign tables give, and do, what they do on local ones.
# FUZZ_SECONDS says for how long (a minute), FUZZ_SEED with which queries: other
# ones each time if only the former is set (make fuzz).  A failure names the seed
# that brings it back.
use strict;
use warnings;
use PgmlTest;
use PostgreSQL::Test::Utils;
use Test::More;

my $seconds = $ENV{FUZZ_SECONDS} || 60;
my $seed = $ENV{FUZZ_SEED} || ($ENV{FUZZ_SECONDS} ? 1 + int rand 1_000_000 : 1);
my $end = time + $seconds;

my ($local, $remote) = pgml_pair();
$ENV{PGML_REMOTE_HOST} = $remote->host;
$ENV{PGML_REMOTE_PORT} = $remote->port;
$ENV{PGML_REMOTE_DB} = 'postgres';
my $perl = $^X;

# Each seed makes its own tables.
my ($queries, $rounds) = (0, 0);
do
{
	my ($sql, $error) = run_command([ $perl, 'test/fuzz/queries', $seed, 60 ]);
	is($error, '', "queries of seed $seed");
	my ($rc, $out, $err) = $local->psql('postgres',
		"\\set remote_sql test/include/remote.psql\n\\i :remote_sql\n"
		  . "\\set twins test/include/twins.psql\n$sql\n\\echo end", on_error_stop => 0);
	my $answers = $out;
	$answers =~ s/.*^-- queries$//ms;
	my @asked = $sql =~ /^SELECT (?:same|alike)\(/mg;
	my @same = $answers =~ /^same\b/mg;
	my @different = $answers =~ / differs: /g;
	my @errors = $answers =~ /^same error/mg;

	# a query may be too much for the machine, on either side
	push @same, $err =~ /ERROR: .*canceling statement due to statement timeout/g;
	is(@same - @different, scalar @asked, "same answers, seed $seed") or diag("$answers\n$err");
	cmp_ok(@errors * 5, '<', scalar @asked, "few of them errors, seed $seed");
	$queries += @asked;
	$rounds++;
	$seed++;
} while (time < $end);
note("$queries queries in $rounds rounds");

done_testing();
