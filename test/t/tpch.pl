# The 22 queries of the TPC-H specification on foreign tables: the rows that local
# tables give, with all tables on one server and with the tables of two; and which
# queries the remote runs as a whole, beside those that postgres_fdw leaves to it.
# The table in test/tpch/README.md says which: what it promises is tested here.
use strict;
use warnings;
use JSON::PP;
use PgmlTest;
use PostgreSQL::Test::Utils;
use Test::More;

my $folder = 'test/tpch';
my @numbers = map { sprintf '%02d', $_ } 1 .. 22;

# The statements of a query: the last one asks, others prepare for it.
my %query = map {
	my @statements = split /;\s*\n/, slurp_file("$folder/queries/$_.sql");
	my $ask = pop @statements;
	($_ => { ask => $ask, prepare => join('', map { "$_;\n" } @statements) })
} @numbers;

# What the table promises.
my %promised = map { sprintf('%02d', $_->[1]) => $_->[2] } map { [ split /\s*\|\s*/ ] }
  grep { /^\| \d/ } split /\n/, slurp_file("$folder/README.md");
is(join(' ', sort keys %promised), "@numbers", 'the table has all queries');

my ($local, $remote) = pgml_pair();
$remote->safe_psql('postgres', "CREATE SCHEMA tpch; SET search_path = tpch;\n"
	  . slurp_file("$folder/schema.sql") . slurp_file("$folder/data.sql"));
$remote->safe_psql('postgres', 'CREATE DATABASE second TEMPLATE postgres');

# A schema of foreign tables for each way.
$local->safe_psql('postgres', 'CREATE EXTENSION postgres_fdw');
pgml_connect($local, $remote, server => 'one');
pgml_connect($local, $remote, server => 'two', dbname => 'second');
my $where = pgml_options(host => $remote->host, port => $remote->port, dbname => 'postgres');
$local->safe_psql('postgres', qq{
	CREATE SCHEMA one; IMPORT FOREIGN SCHEMA tpch FROM SERVER one INTO one;
	CREATE SCHEMA split;
	IMPORT FOREIGN SCHEMA tpch LIMIT TO (customer, nation, orders, lineitem) FROM SERVER one INTO split;
	IMPORT FOREIGN SCHEMA tpch EXCEPT (customer, nation, orders, lineitem) FROM SERVER two INTO split;
	CREATE SERVER other FOREIGN DATA WRAPPER postgres_fdw OPTIONS ($where);
	CREATE USER MAPPING FOR CURRENT_USER SERVER other;
	CREATE SCHEMA other; IMPORT FOREIGN SCHEMA tpch FROM SERVER other INTO other;
});

sub ask
{
	my ($node, $schema, $number, $explain) = @_;
	my $query = $query{$number};
	return $node->safe_psql('postgres', "SET search_path = $schema; SET statement_timeout = '2min';\n"
		  . "$query->{prepare}$explain$query->{ask}");
}

# The nodes of a plan that do something here: all but foreign scans, of the query and its InitPlans.
sub local_nodes
{
	my ($plan) = @_;
	my $type = $plan->{'Node Type'};
	my $mine = $type ne 'Foreign Scan' || ($plan->{'Parent Relationship'} // 'InitPlan') eq 'SubPlan';
	return (($mine ? $type : ()), map { local_nodes($_) } @{ $plan->{Plans} // [] });
}

# Which queries run as a whole on the remote, and what is done here for the others.
sub shipped
{
	my ($schema) = @_;
	my (@whole, @rest);
	for my $number (@numbers)
	{
		my $plans = decode_json(ask($local, $schema, $number, 'EXPLAIN (FORMAT JSON, COSTS OFF) '));
		my @nodes = local_nodes($plans->[0]{Plan});

		# postgres_fdw may sort and cut off here, where there is neither a join nor an aggregate
		@nodes = () if $schema eq 'other' && !grep { !/^(Sort|Limit)$/ } @nodes;
		push @whole, $number unless @nodes;
		push @rest, "$number: @nodes" if @nodes;
	}
	return (\@whole, join "\n", @rest);
}

my %rows = map { $_ => ask($remote, 'tpch', $_, '') } @numbers;
for my $number (@numbers)
{
	like($rows{$number}, qr/\w/, "query $number finds something");
	is(ask($local, 'one', $number, ''), $rows{$number}, "query $number, one server: the same rows");
	is(ask($local, 'split', $number, ''), $rows{$number}, "query $number, two servers: the same rows");
}

# As the tables are imported, and once they have been analyzed here.
my @found;
for my $when ('as imported', 'after ANALYZE')
{
	for my $schema ('one', 'other')
	{
		my ($whole, $rest) = shipped($schema);
		my $name = $schema eq 'one' ? 'pgml_fdw' : 'postgres_fdw';
		push @found, { map { $_ => 1 } @$whole };
		diag(sprintf '%s, %s: the remote runs %d of 22 queries (%s)', $name, $when, scalar @$whole, "@$whole");
		note("what is left for here:\n$rest");
	}
	$local->safe_psql('postgres', join ';', map { "ANALYZE one.$_, other.$_" }
		  qw(region nation part supplier partsupp customer orders lineitem));
}
for my $number (@numbers)
{
	my $both = $found[0]{$number} && $found[2]{$number};
	ok($both, "query $number is run by the remote as promised") if $promised{$number} eq 'yes';
	diag("query $number is run by the remote: $folder/README.md should promise it") if $both && $promised{$number} ne 'yes';
}

done_testing();
