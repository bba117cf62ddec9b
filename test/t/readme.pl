# Pastes the README's SQL into a fresh pair of databases, block by block and in
# its order, as the role that the first line of each block names; only the host
# and the port are other ones.  Blocks without such a line are not run, nor are
# those "with pgvector" where there is none.
use strict;
use warnings;
use PostgreSQL::Test::Utils;
use Test::More;

use PgmlTest;

my $readme = slurp_file($ENV{README} // 'README.md');
my $production = pgml_node('production',
	hba => "local all ml_reader scram-sha-256\nlocal all ml_writer scram-sha-256");
my $here = pgml_node('here');
$production->safe_psql('postgres', 'CREATE DATABASE production');
$here->safe_psql('postgres', 'CREATE DATABASE ml');

my ($host, $port) = ($production->host, $production->port);
my $has_vector = $here->safe_psql('ml', q{SELECT count(*) FROM pg_available_extensions WHERE name = 'vector'});
my $sql = 0;
for my $block ($readme =~ /^```sql\n(-- .*?)^```$/msg)
{
	my ($where, $who) = $block =~ /^-- (production|here), (administrator|analyst)\b/
	  or BAIL_OUT("a block of SQL without a role: $block");
	next if $block =~ /^.*, with pgvector\b/ && !$has_vector;
	(my $text = $block) =~ s/'production\.example\.com', port '5432'/'$host', port '$port'/g;
	my ($node, $database) = $where eq 'here' ? ($here, 'ml') : ($production, 'production');
	my @as = $who eq 'analyst' ? (extra_params => [ '-U', 'analyst' ]) : ();
	my ($out, $err) = ('', '');
	my $rc = $node->psql($database, $text, stdout => \$out, stderr => \$err, on_error_stop => 1, @as);
	is($rc, 0, join ' ', 'block', ++$sql, "($where, $who):", substr($text =~ s/^--.*\n//r, 0, 50) =~ s/\n.*//sr)
	  or diag("$text\n$err");

	is($out, '1', 'dblink answers') if $text =~ /'SELECT 1 AS one'/;
	is($node->safe_psql($database, 'SELECT count(*) FROM analyst.bulk_access_users'), '1000', 'the bulk copy is complete')
	  if $text =~ /INSERT INTO bulk_access_users/;
	like($out, qr/^users\|done\|1000\|/m, 'the schema has been copied') if $text =~ /CALL pgml_fdw_pull_schema/;
	like($out, qr/^1000\n\d+\n\d+\n\d+\n1000\n\d+\|\{\d+,\d+\}\n/, 'vectors have gone and come') if $text =~ /user_vectors', create_target/;
	is($production->safe_psql('production', 'SELECT count(*) FROM user_embeddings'), '1000', 'the embeddings have arrived')
	  if $text =~ /^INSERT INTO production_rw\.user_embeddings/m;
}
cmp_ok($sql, '>', 15, "$sql blocks");
done_testing();
