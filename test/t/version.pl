# What the remote's version doesn't have isn't sent there.  The remote is of ours; a proxy
# has it say that it is older.
use strict;
use warnings;
use PostgreSQL::Test::Utils;
use Test::More;

use PgmlProxy;
use PgmlTest;

my ($local, $remote) = pgml_pair(remote => { conf => "listen_addresses = '127.0.0.1'" });
my $proxy = PgmlProxy->new('127.0.0.1', $remote->port);
pgml_connect($local, $remote, host => '127.0.0.1', port => $proxy->port);
$remote->safe_psql('postgres', q{CREATE TABLE t AS SELECT i AS id, '2024-01-01'::timestamp + i * interval '1 hour' AS d
	FROM generate_series(1, 1000) i; ANALYZE t});
$local->safe_psql('postgres', q{CREATE FOREIGN TABLE t (id int, d timestamp) SERVER remote OPTIONS (schema_name 'public'); ANALYZE t});

# Each in a session of its own: the version, what is sent of it, and a query's result
sub sends
{
	my ($version, $query, $pattern, $sent, $result) = @_;
	$proxy->pretend($version);
	my $plan = $local->safe_psql('postgres', "EXPLAIN (VERBOSE, COSTS OFF) $query");
	is($plan =~ /Remote SQL:.*$pattern/ ? 1 : 0, $sent, "$version: $pattern");
	is($local->safe_psql('postgres', $query), $result, "$version: the result");
	return;
}
my $bin = q{SELECT count(*) FROM t WHERE date_bin('1 day', d, '2000-01-01') = '2024-01-03'};
sends(13, $bin, 'date_bin', 0, 24);
sends(14, $bin, 'date_bin', 1, 24);
my $extract = 'SELECT count(*) FROM t WHERE extract(day FROM d) = 3';
sends(13, $extract, 'extract', 0, 48);
sends(14, $extract, 'extract', 1, 48);
my $ties = 'SELECT id / 10 FROM t ORDER BY id / 10 FETCH FIRST 2 ROWS WITH TIES';
sends(12, $ties, 'WITH TIES', 0, join("\n", (0) x 9));
sends(13, $ties, 'WITH TIES', 1, join("\n", (0) x 9));
sends(10, 'SELECT count(*) FROM t WHERE abs(id) < 5', 'abs', 1, 4);

# A value of such a function that is computed here is sent as such
sends(13, q{SELECT count(*) FROM t WHERE d < date_bin('1 day', now()::timestamp, '2000-01-01')}, 'd < \$1', 1, 1000);

# Nothing is known of one that can't be asked
$proxy->refuse(1);
unlike($local->safe_psql('postgres', "EXPLAIN (VERBOSE, COSTS OFF) $bin"), qr/Remote SQL:.*date_bin/, 'unknown: nothing new is sent');
$proxy->refuse(0);

$local->stop;
$remote->stop;
done_testing();
