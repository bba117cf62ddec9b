# Databases whose default collations differ.  What compares, sorts or changes the case
# of text by the default collation is shipped only to a remote that has ours; the rows
# are the same everywhere.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use PgmlTest;

my ($local, $remote) = pgml_pair();
my $icu = $remote->safe_psql('postgres', q{SELECT count(*) FROM pg_collation WHERE collprovider = 'i'});

# Remote databases, and whether text means the same in them as in the local one
my %database = (
	twin => [ q{LC_COLLATE 'C' LC_CTYPE 'C'}, 1 ],
	posix => [ q{LC_COLLATE 'POSIX' LC_CTYPE 'POSIX'}, 1 ],
	latin => [ q{LC_COLLATE 'C' LC_CTYPE 'C' ENCODING 'LATIN1'}, 0 ]);
$database{ctype} = [ q{LC_COLLATE 'C' LC_CTYPE 'C.UTF-8'}, 0 ] if ($local->psql('postgres', q{CREATE COLLATION has_it (locale = 'C.UTF-8')}))[0] == 0;
$database{icu} = [ q{LC_COLLATE 'C' LC_CTYPE 'C' LOCALE_PROVIDER icu ICU_LOCALE 'en'}, 0 ] if $icu > 0;

my $columns = q{id int, w text, b char(5), v varchar, c text COLLATE "C", j jsonb};
my $rows = q{
	SELECT i, w, w, w, w, to_jsonb(w)
	FROM unnest(U&'{a,B,c,D,\00e4,\00c4,z,Z,_x," y",a-b,ab,Ab,AB}'::text[]) WITH ORDINALITY AS u (w, i)};

# By the default collation: a query, and what the remote SQL has if it is shipped
my @sensitive = (
	[ 'SELECT w FROM t ORDER BY w LIMIT 3', 'ORDER BY' ],
	[ 'SELECT w FROM t ORDER BY w DESC', 'ORDER BY' ],
	[ 'SELECT b FROM t ORDER BY b LIMIT 3', 'ORDER BY' ],
	[ 'SELECT v FROM t ORDER BY v LIMIT 3', 'ORDER BY' ],
	[ 'SELECT w FROM t GROUP BY w ORDER BY w LIMIT 4', 'ORDER BY' ],
	[ 'SELECT ARRAY[w] FROM t ORDER BY ARRAY[w] LIMIT 4', 'ORDER BY' ],
	[ 'SELECT j FROM t ORDER BY j LIMIT 3', 'ORDER BY' ],
	[ 'SELECT min(w), max(w) FROM t', '(?:max\(|LIMIT)' ],
	[ 'SELECT min(w), max(b), count(*) FROM t', 'max\(' ],
	[ q{SELECT string_agg(w, ',' ORDER BY w) FROM t}, 'string_agg' ],
	[ q{SELECT id FROM t WHERE w < 'a' ORDER BY id}, 'WHERE' ],
	[ q{SELECT id FROM t WHERE w <= 'a' ORDER BY id}, 'WHERE' ],
	[ q{SELECT id FROM t WHERE w > 'Z' ORDER BY id}, 'WHERE' ],
	[ q{SELECT id FROM t WHERE b >= 'Z' ORDER BY id}, 'WHERE' ],
	[ q{SELECT id FROM t WHERE w BETWEEN 'a' AND 'c' ORDER BY id}, 'WHERE' ],
	[ q{SELECT id FROM t WHERE w < ANY (ARRAY['B', 'a']) ORDER BY id}, 'WHERE' ],
	[ q{SELECT id FROM t WHERE (w, id) < ('a', 3) ORDER BY id}, 'WHERE' ],
	[ q{SELECT id FROM t WHERE GREATEST(w, 'b') = 'b' ORDER BY id}, 'WHERE' ],
	[ q{SELECT id FROM t WHERE j < '"a"' ORDER BY id}, 'WHERE' ],
	[ q{SELECT id FROM t WHERE j @? '$ ? (@ like_regex "^\u00e4$" flag "i")' ORDER BY id}, 'WHERE' ],
	[ q{SELECT id FROM t WHERE upper(w) = U&'\00c4' ORDER BY id}, 'WHERE' ],
	[ q{SELECT id FROM t WHERE lower(w) = U&'\00e4' ORDER BY id}, 'WHERE' ],
	[ q{SELECT id FROM t WHERE initcap(w) = 'Ab' ORDER BY id}, 'WHERE' ],
	[ q{SELECT id FROM t WHERE w ILIKE U&'\00e4' ORDER BY id}, 'WHERE' ],
	[ q{SELECT id FROM t WHERE w ~ '^[a-z]$' ORDER BY id}, 'WHERE' ],
	[ q{SELECT id FROM t WHERE w ~* U&'\00e4' ORDER BY id}, 'WHERE' ],
	[ q{SELECT id FROM t WHERE w ~ '^[[:alpha:]]$' ORDER BY id}, 'WHERE' ]);

# What any collation, or an explicit one, leaves alone
my @indifferent = (
	[ q{SELECT id FROM t WHERE w = 'a' ORDER BY id}, 'WHERE' ],
	[ q{SELECT id FROM t WHERE w <> 'a' ORDER BY id}, 'WHERE' ],
	[ q{SELECT id FROM t WHERE b IN ('a', 'ab') ORDER BY id}, 'WHERE' ],
	[ q{SELECT id FROM t WHERE w LIKE 'a%' ORDER BY id}, 'WHERE' ],
	[ q{SELECT id FROM t WHERE replace(w, 'a', 'x') = 'xb' ORDER BY id}, 'WHERE' ],
	[ q{SELECT id FROM t WHERE j = '"a"' ORDER BY id}, 'WHERE' ],
	[ 'SELECT count(w), count(DISTINCT w) FROM t', 'count\(' ],
	[ 'SELECT max(id) FROM t GROUP BY w HAVING count(*) > 0 ORDER BY max(id)', 'GROUP BY' ],
	[ 'SELECT count(*) FROM (SELECT DISTINCT w FROM t) x', 'DISTINCT' ],
	[ 'SELECT c FROM t ORDER BY c LIMIT 3', 'ORDER BY' ],
	[ q{SELECT id FROM t WHERE c < 'a' ORDER BY id}, 'WHERE' ]);

$local->safe_psql('postgres', "CREATE TABLE near ($columns); INSERT INTO near $rows");

# Returns the query about another relation than t.
sub about
{
	my ($query, $relation) = @_;
	$query =~ s/\bFROM t\b/FROM $relation/g;
	return $query;
}

# Checks the rows of a query against those of the local copy, and whether it is shipped.
sub check
{
	my ($name, $query, $mark, $shipped) = @_;
	my $plan = $local->safe_psql('postgres', 'EXPLAIN (VERBOSE, COSTS OFF) ' . about($query, $name));

	is($local->safe_psql('postgres', about($query, $name)),
		$local->safe_psql('postgres', about($query, 'near')), "$name: rows of $query");
	if ($shipped)
	{
		like($plan, qr/Remote SQL: .*$mark/, "$name: shipped");
	}
	else
	{
		unlike($plan, qr/Remote SQL: .*$mark/, "$name: not shipped");
	}
}

for my $name (sort keys %database)
{
	my ($locale, $same) = @{ $database{$name} };

	$locale .= q{ ENCODING 'UTF8'} if $locale !~ /ENCODING/;
	$remote->safe_psql('postgres', "CREATE DATABASE $name TEMPLATE template0 $locale");
	$remote->safe_psql($name, "CREATE TABLE t ($columns)");
	pgml_connect($local, $remote, server => "s_$name", dbname => $name);
	$local->safe_psql('postgres', qq{
		CREATE FOREIGN TABLE $name ($columns) SERVER s_$name OPTIONS (table_name 't');
		INSERT INTO $name $rows});
	check($name, @$_, $same) for @sensitive;
	check($name, @$_, 1) for @indifferent;
	is($local->safe_psql('postgres', qq{
			SET enable_hashjoin = off; SET enable_nestloop = off;
			SELECT string_agg(id::text, ',' ORDER BY id) FROM (SELECT a.id FROM $name a JOIN near n ON a.w = n.w ORDER BY a.w) x}),
		'1,2,3,4,5,6,7,8,9,10,11,12,13,14', "$name: a merge join finds all");
}

# Where all sizes are known it is asked by itself, once, and only if it matters
my $trips = 'SELECT round_trips FROM pgml_fdw_stats()';
my $ordered = 'SELECT w FROM twin ORDER BY w LIMIT 1';
$local->safe_psql('postgres', 'ANALYZE twin');
my ($start, $plain, $first, $second) = split /\s+/, $local->safe_psql('postgres', qq{
	DO 'BEGIN PERFORM count(*) FROM twin; END';
	$trips;
	DO 'BEGIN PERFORM w FROM twin WHERE w = ''a'' LIMIT 1; END';
	$trips;
	DO 'BEGIN PERFORM w FROM twin ORDER BY w LIMIT 1; END';
	$trips;
	DO 'BEGIN PERFORM w FROM twin ORDER BY w LIMIT 1; END';
	$trips});
is($second - $first, $plain - $start, 'what is known costs no round trip, as what does not matter');
is($first - $plain, $second - $first + 1, 'asking costs one');

# A remote that can't be asked is taken for another
$remote->stop;
unlike($local->safe_psql('postgres', "EXPLAIN (VERBOSE, COSTS OFF) $ordered"),
	qr/Remote SQL: .*ORDER BY/, 'nobody is there: not shipped');
$remote->start;
like($local->safe_psql('postgres', "EXPLAIN (VERBOSE, COSTS OFF) $ordered"),
	qr/Remote SQL: .*ORDER BY/, 'a session later it is');
done_testing();
