# A remote whose catalogs lie: absurd sizes and statistics.  What is nonsense is
# left out; the rest is in order, and planning goes on.
use strict;
use warnings;
use PostgreSQL::Test::Utils;
use Test::More;

use PgmlTest;

my ($local, $remote) = pgml_pair(remote => { conf => 'allow_system_table_mods = on' });
pgml_connect($local, $remote, dbname => 'liar');

# A database that takes any bytes, and a view that tells whatever is in a table.
$remote->safe_psql('postgres', q{CREATE DATABASE liar ENCODING 'SQL_ASCII' TEMPLATE template0});
$remote->safe_psql('liar', q{
	CREATE TYPE mood AS ENUM ('a', 'b');
	CREATE TABLE t (i int, s text, f float8, a int[], r int4range, v tsvector, j json, m mood) WITH (autovacuum_enabled = off);
	INSERT INTO t SELECT i, i, i, ARRAY[i], int4range(i, i + 1), 'x', '{}', 'a' FROM generate_series(1, 1000) i;
	ANALYZE t;
	CREATE TABLE lies (attname name, inherited bool DEFAULT false, null_frac text DEFAULT '0', avg_width text DEFAULT '4', n_distinct text DEFAULT '-1',
		most_common_vals text, most_common_freqs text, histogram_bounds text, correlation text, most_common_elems text, most_common_elem_freqs text,
		elem_count_histogram text, range_length_histogram text, range_empty_frac text, range_bounds_histogram text);
	DROP VIEW pg_catalog.pg_stats;
	CREATE VIEW pg_catalog.pg_stats AS SELECT 'public'::name AS schemaname, 't'::name AS tablename, * FROM public.lies;
	GRANT SELECT ON pg_catalog.pg_stats TO PUBLIC});
$local->safe_psql('postgres', q{
	CREATE SCHEMA far;
	IMPORT FOREIGN SCHEMA public LIMIT TO (t) FROM SERVER remote INTO far OPTIONS (import_stats 'false')});

# What each of some queries costs doesn't matter, but that they are planned does.
my @queries = ('SELECT FROM far.t WHERE i = 5', 'SELECT FROM far.t WHERE i BETWEEN 5 AND 500', q{SELECT FROM far.t WHERE s > 'x' AND s LIKE 'a%'},
	'SELECT FROM far.t WHERE f < 3', q{SELECT FROM far.t WHERE a @> '{1,2}'}, q{SELECT FROM far.t WHERE a <@ '{1,2,3,4,5}'}, q{SELECT FROM far.t WHERE a && '{7}'},
	q{SELECT FROM far.t WHERE r && '[3,5)'}, q{SELECT FROM far.t WHERE r @> 7}, q{SELECT FROM far.t WHERE r <@ '[1,100)'}, q{SELECT FROM far.t WHERE v @@ 'x & y:*'},
	q{SELECT FROM far.t WHERE m = 'b'}, 'SELECT DISTINCT i, s, m FROM far.t', 'SELECT FROM far.t x JOIN far.t y ON x.i = y.i AND x.s = y.s AND x.f < y.f',
	'SELECT FROM far.t ORDER BY i, s LIMIT 3');
my $plan = join '', map { "EXPLAIN $_;" } @queries;

# All that pg_statistic may hold.
my $disorder = q{
	SELECT string_agg(attname || ': ' || problem, ', ') FROM pg_stats, LATERAL (
		SELECT 'null_frac' WHERE NOT null_frac BETWEEN 0 AND 1
		UNION ALL SELECT 'avg_width' WHERE avg_width < 0
		UNION ALL SELECT 'n_distinct' WHERE NOT (n_distinct >= -1 AND n_distinct < 'inf')
		UNION ALL SELECT 'correlation' WHERE NOT correlation BETWEEN -1 AND 1
		UNION ALL SELECT 'freqs' FROM unnest(most_common_freqs || most_common_elem_freqs) f WHERE f IS NULL OR NOT f BETWEEN 0 AND 1
		UNION ALL SELECT 'counts' FROM unnest(elem_count_histogram) c WHERE c IS NULL OR NOT (c >= 0 AND c < 'inf')
		UNION ALL SELECT 'number of values' WHERE cardinality(most_common_freqs) <> array_length(most_common_vals, 1)
	) p (problem) WHERE schemaname = 'far'};

# A lie: values of columns of the view, for the table's column; and what is to be found
# of it here, a condition on its row of pg_stats.
my $huge = join ',', 1 .. 300_000;
my @lies = (
	[ 'the truth', 'i', { most_common_vals => '{1,2}', most_common_freqs => '{0.2,0.1}', histogram_bounds => '{3,4,5}', correlation => '1' },
		q{most_common_vals::text = '{1,2}' AND histogram_bounds::text = '{3,4,5}' AND correlation = 1} ],
	[ 'more nulls than rows', 'i', { null_frac => '1.5' }, undef ],
	[ 'negative nulls', 'i', { null_frac => '-0.1' }, undef ],
	[ 'NaN nulls', 'i', { null_frac => 'NaN' }, undef ],
	[ 'nonsense', 'i', { null_frac => 'none' }, undef ],
	[ 'nothing', 'i', { null_frac => '' }, undef ],
	[ 'a negative width', 'i', { avg_width => '-1' }, undef ],
	[ 'an endless width', 'i', { avg_width => '99999999999' }, undef ],
	[ 'NaN distinct', 'i', { n_distinct => 'NaN' }, undef ],
	[ 'endlessly many distinct', 'i', { n_distinct => 'Infinity' }, undef ],
	[ 'less than none distinct', 'i', { n_distinct => '-3' }, undef ],
	[ 'a correlation of 2', 'i', { correlation => '2' }, 'correlation IS NULL' ],
	[ 'a correlation that is NaN', 'i', { correlation => 'NaN' }, 'correlation IS NULL' ],
	[ 'fewer frequencies', 'i', { most_common_vals => '{1,2}', most_common_freqs => '{0.2}' }, 'most_common_vals IS NULL' ],
	[ 'more frequencies', 'i', { most_common_vals => '{1}', most_common_freqs => '{0.2,0.1}' }, 'most_common_vals IS NULL' ],
	[ 'no values', 'i', { most_common_vals => '{}', most_common_freqs => '{}' }, 'most_common_vals IS NULL' ],
	[ 'null values', 'i', { most_common_vals => '{1,NULL}', most_common_freqs => '{0.2,0.1}' }, 'most_common_vals IS NULL' ],
	[ 'null frequencies', 'i', { most_common_vals => '{1,2}', most_common_freqs => '{0.2,NULL}' }, 'most_common_vals IS NULL' ],
	[ 'NaN frequencies', 'i', { most_common_vals => '{1,2}', most_common_freqs => '{0.2,NaN}' }, 'most_common_vals IS NULL' ],
	[ 'ascending frequencies', 'i', { most_common_vals => '{1,2}', most_common_freqs => '{0.1,0.2}' }, 'most_common_vals IS NULL' ],
	[ 'more than all', 'i', { most_common_vals => '{1,2}', most_common_freqs => '{0.9,0.8}' }, 'most_common_vals IS NULL' ],
	[ 'more than all but the nulls', 'i', { null_frac => '0.5', most_common_vals => '{1}', most_common_freqs => '{0.6}' }, 'null_frac = 0.5 AND most_common_vals IS NULL' ],
	[ 'two dimensions', 'i', { most_common_vals => '{{1,2},{3,4}}', most_common_freqs => '{0.1,0.1,0.1,0.1}' }, 'most_common_vals IS NULL' ],
	[ 'other bounds', 'i', { histogram_bounds => '[5:6]={1,2}' }, 'histogram_bounds IS NOT NULL' ],
	[ 'no array', 'i', { histogram_bounds => '1,2' }, 'histogram_bounds IS NULL' ],
	[ 'no numbers', 'i', { histogram_bounds => '{a,b}' }, 'histogram_bounds IS NULL' ],
	[ 'numbers too large', 'i', { histogram_bounds => '{1,3000000000}' }, 'histogram_bounds IS NULL' ],
	[ 'one bound', 'i', { histogram_bounds => '{1}' }, 'histogram_bounds IS NULL' ],
	[ 'unsorted bounds', 'i', { histogram_bounds => '{1,3,2}', correlation => '0.5' }, 'histogram_bounds IS NULL AND correlation IS NULL' ],
	[ 'very many bounds', 'i', { histogram_bounds => "{$huge}" }, 'true' ],
	[ 'too many bytes', 's', { histogram_bounds => '{' . ('x' x 17_000_000) . ',y}' }, 'histogram_bounds IS NULL' ],
	[ 'a value of many bytes', 's', { most_common_vals => '{' . ('x' x 1_000_000) . '}', most_common_freqs => '{1}' }, 'most_common_vals IS NOT NULL' ],
	[ 'bytes that are no text', 's', { most_common_vals => "{\\xff,b}", most_common_freqs => '{0.2,0.1}' }, 'most_common_vals IS NULL', 'bytes' ],
	[ 'SQL', 's', { most_common_vals => q!{"'); DROP SCHEMA far CASCADE; --",%s%n}!, most_common_freqs => '{0.2,0.1}' }, 'most_common_vals IS NOT NULL' ],
	[ 'another order', 's', { histogram_bounds => '{a,B,c}', correlation => '1' }, 'histogram_bounds IS NULL AND correlation IS NULL' ],
	[ 'NaN values', 'f', { histogram_bounds => '{NaN,1}' }, 'histogram_bounds IS NULL' ],
	[ 'endless values', 'f', { histogram_bounds => '{-Infinity,1,Infinity,NaN}' }, 'histogram_bounds IS NOT NULL' ],
	[ 'unknown labels', 'm', { most_common_vals => '{c}', most_common_freqs => '{1}' }, 'most_common_vals IS NULL' ],
	[ 'elements of a number', 'i', { most_common_elems => '{1}', most_common_elem_freqs => '{1,1,1,0}', elem_count_histogram => '{1,1,1}' },
		'most_common_elems IS NULL AND elem_count_histogram IS NULL' ],
	[ 'elements', 'a', { most_common_elems => '{1,2}', most_common_elem_freqs => '{0.5,0.5,0.5,0.5,0}', elem_count_histogram => '{1,1,2,1.5}' },
		'most_common_elems IS NOT NULL AND elem_count_histogram IS NOT NULL' ],
	[ 'elements without their extremes', 'a', { most_common_elems => '{1,2}', most_common_elem_freqs => '{0.5,0.5}' }, 'most_common_elems IS NULL' ],
	[ 'unsorted elements', 'a', { most_common_elems => '{2,1}', most_common_elem_freqs => '{0.5,0.5,0.5,0.5,0}' }, 'most_common_elems IS NULL' ],
	[ 'too frequent elements', 'a', { most_common_elems => '{1}', most_common_elem_freqs => '{5,0,1,0}' }, 'most_common_elems IS NULL' ],
	[ 'NaN counts', 'a', { elem_count_histogram => '{1,NaN,2,1}' }, 'elem_count_histogram IS NULL' ],
	[ 'descending counts', 'a', { elem_count_histogram => '{3,2,1,1}' }, 'elem_count_histogram IS NULL' ],
	[ 'negative counts', 'a', { elem_count_histogram => '{-3,2,3,1}' }, 'elem_count_histogram IS NULL' ],
	[ 'endless counts', 'a', { elem_count_histogram => '{1,2,Infinity,1}' }, 'elem_count_histogram IS NULL' ],
	[ 'too few counts', 'a', { elem_count_histogram => '{1}' }, 'elem_count_histogram IS NULL' ],
	[ 'lexemes', 'v', { most_common_elems => '{b,aa}', most_common_elem_freqs => '{0.5,0.5,0.5,0.5}' }, 'most_common_elems IS NOT NULL' ],
	[ 'unsorted lexemes', 'v', { most_common_elems => '{aa,b}', most_common_elem_freqs => '{0.5,0.5,0.5,0.5}' }, 'most_common_elems IS NULL' ],
	[ 'an order for what has none', 'j', { histogram_bounds => '{1,2}', most_common_vals => '{1}', most_common_freqs => '{1}', correlation => '1' },
		'histogram_bounds IS NULL AND most_common_vals IS NULL AND correlation IS NULL' ],
	[ 'ranges', 'r', { range_bounds_histogram => '{"[1,2)","[3,5)"}', range_length_histogram => '{1,2}', range_empty_frac => '0.1' }, 'true' ],
	[ 'empty ranges', 'r', { range_bounds_histogram => '{empty,"[3,5)"}', range_length_histogram => '{1,2}', range_empty_frac => '0' }, 'true' ],
	[ 'endless ranges', 'r', { range_bounds_histogram => '{"(,)","(,)"}', range_length_histogram => '{Infinity,Infinity}', range_empty_frac => '0' }, 'true' ],
	[ 'unsorted ranges', 'r', { range_bounds_histogram => '{"[3,5)","[1,2)"}', range_length_histogram => '{1,2}', range_empty_frac => '0' }, 'true' ],
	[ 'negative lengths', 'r', { range_bounds_histogram => '{"[1,2)","[3,5)"}', range_length_histogram => '{-1,2}', range_empty_frac => '0' }, 'true' ],
	[ 'NaN lengths', 'r', { range_bounds_histogram => '{"[1,2)","[3,5)"}', range_length_histogram => '{1,NaN}', range_empty_frac => '0' }, 'true' ],
	[ 'emptier than empty', 'r', { range_bounds_histogram => '{"[1,2)","[3,5)"}', range_length_histogram => '{1,2}', range_empty_frac => '7' }, 'true' ],
	[ 'ranges of a number', 'i', { range_bounds_histogram => '{1,2}', range_length_histogram => '{1,2}', range_empty_frac => '0' }, 'true' ],
);

my $others = q{INSERT INTO lies (attname) SELECT attname FROM pg_attribute WHERE attrelid = 't'::regclass AND attnum > 0};
for (@lies)
{
	my ($name, $column, $said, $found, $bytes) = @$_;
	my @set = map { (my $value = $said->{$_}) =~ s/'/''/g; "$_ = " . ($bytes && $value =~ /\\x/ ? "E'$value'" : "'$value'") } sort keys %$said;
	$remote->safe_psql('liar', "TRUNCATE lies; $others; UPDATE lies SET " . join(', ', @set) . " WHERE attname = '$column'");
	my ($ret, $out, $err) = $local->psql('postgres', qq{
		SET client_min_messages = warning;
		BEGIN;
		DELETE FROM pg_statistic WHERE starelid = 'far.t'::regclass;
		ANALYZE far.t;
		\\o /dev/null
		$plan
		\\o
		SELECT string_agg(CASE WHEN } . ($found // 'true') . qq{ THEN 'found' ELSE 'not found' END, '') FROM pg_stats WHERE schemaname = 'far' AND attname = '$column';
		$disorder;
		COMMIT});
	is($err, '', "$name: no error");
	is($out =~ s{\s+\z}{}r, defined $found ? 'found' : '', "$name: and what is in order is here");
}
SKIP:
{
	skip 'servers before 17 do not tell about ranges', 1 unless $remote->safe_psql('liar', 'SHOW server_version_num') >= 170000;
	$remote->safe_psql('liar', qq{TRUNCATE lies; $others; UPDATE lies SET range_bounds_histogram = '{"[1,2)","[3,5)"}', range_length_histogram = '{1,2}', range_empty_frac = '0.1' WHERE attname = 'r'});
	is($local->safe_psql('postgres', q{ANALYZE far.t; SELECT range_bounds_histogram, range_empty_frac FROM pg_stats WHERE attname = 'r' AND schemaname = 'far'}),
		'{"[1,2)","[3,5)"}|0.1', 'those of ranges come');
}

# Another kind of view: too many rows, rows for columns that aren't there, an error.
$remote->safe_psql('liar', "TRUNCATE lies; $others; $others; INSERT INTO lies (attname) VALUES ('nosuch'), (NULL)");
is($local->safe_psql('postgres', "ANALYZE far.t; $disorder"), '', 'each column twice');
$remote->safe_psql('liar', q{CREATE OR REPLACE VIEW pg_catalog.pg_stats AS
	SELECT 'public'::name AS schemaname, 't'::name AS tablename, attname, inherited, (1 / (length(null_frac) - 1))::text AS null_frac, avg_width, n_distinct, most_common_vals, most_common_freqs,
		histogram_bounds, correlation, most_common_elems, most_common_elem_freqs, elem_count_histogram, range_length_histogram, range_empty_frac, range_bounds_histogram FROM public.lies});
is($local->safe_psql('postgres', q{BEGIN; SELECT count(*) FROM far.t; ANALYZE far.t; SELECT count(*) FROM far.t; COMMIT}), "1000\n1000", 'an error there: a sample instead');
like(($local->psql('postgres', 'DROP FOREIGN TABLE far.t; IMPORT FOREIGN SCHEMA public LIMIT TO (t) FROM SERVER remote INTO far; SELECT count(*) FROM far.t'))[2],
	qr/WARNING:  statistics are not imported.*DETAIL:  division by zero/s, 'and IMPORT goes on');
is($local->safe_psql('postgres', 'SELECT count(*) FROM far.t'), 1000, 'with the table');

# Sizes
for my $lie (q{reltuples = 'NaN'}, q{reltuples = 'Infinity'}, q{reltuples = -7}, 'reltuples = 3e38', 'relpages = -1', 'relpages = 2147483647, reltuples = 1', 'relpages = 1, reltuples = 3e38',
	q{relkind = 'v'}, q{relkind = 'p'}, q{relkind = 'x'}, 'relhassubclass = true')
{
	$remote->safe_psql('liar', "UPDATE pg_class SET relkind = 'r', relpages = 10, reltuples = 1000, relhassubclass = false WHERE oid = 't'::regclass");
	$remote->safe_psql('liar', "BEGIN; UPDATE pg_class SET $lie WHERE relname = 't' AND relnamespace = 'public'::regnamespace; COMMIT") ;
	my ($ret, $out, $err) = $local->psql('postgres', "DROP FOREIGN TABLE IF EXISTS far.sized; CREATE FOREIGN TABLE far.sized (i int) SERVER remote OPTIONS (schema_name 'public', table_name 't'); EXPLAIN SELECT * FROM far.sized WHERE i > 0;"
		. 'EXPLAIN SELECT * FROM far.sized a JOIN far.sized b USING (i)');
	unlike($err, qr/ERROR|PANIC|terminated/, "$lie: planned");
	unlike($out, qr/rows=(-|nan|inf|0 )/i, "$lie: with rows");
}

done_testing();
