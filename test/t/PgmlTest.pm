# What the TAP tests share: a pair of clusters, and the statements that join
# them.  The harness makes the staged extension visible to every cluster that
# PostgreSQL::Test::Cluster starts (by TEMP_CONFIG).
package PgmlTest;

use strict;
use warnings;
use Exporter 'import';
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep time);

our @EXPORT = qw(pgml_node pgml_pair pgml_connect pgml_options same_on_both until_true);

# Starts and returns a cluster called NAME.  Options: conf => lines for
# postgresql.conf, hba => lines to put before all others in pg_hba.conf, and
# what Cluster's init takes.  A node that the test kills on purpose must be
# called crash..., for else its log fails the run.
sub pgml_node
{
	my ($name, %opt) = @_;
	my $node = PostgreSQL::Test::Cluster->new($name);
	my ($conf, $hba) = delete @opt{qw(conf hba)};

	$node->init(%opt, extra => [ '--encoding=UTF8', '--locale=C', @{ $opt{extra} // [] } ]);
	$node->append_conf('postgresql.conf', "dynamic_shared_memory_type = mmap\n" . ($conf // ''));
	if ($hba)
	{
		my $file = $node->data_dir . '/pg_hba.conf';
		my $rest = slurp_file($file);
		open my $out, '>', $file or die "$file: $!";
		print $out "$hba\n$rest";
		close $out;
	}
	$node->start;
	return $node;
}

# Starts a local cluster with the extension in its database "postgres", and a
# remote one; returns both.  Options: local, remote => hashes for pgml_node.
sub pgml_pair
{
	my (%opt) = @_;
	my $local = pgml_node('local', %{ $opt{local} // {} });
	my $remote = pgml_node('remote', %{ $opt{remote} // {} });

	$local->safe_psql('postgres', 'CREATE EXTENSION pgml_fdw');
	return ($local, $remote);
}

# Asks a node until the answer is true; returns false after 20 seconds.
sub until_true
{
	my ($node, $sql) = @_;
	my $deadline = time + 20;
	while (time < $deadline)
	{
		return 1 if $node->safe_psql('postgres', $sql) eq 't';
		sleep 0.05;
	}
	return 0;
}

# Prints a hash as the list of an OPTIONS clause.
sub pgml_options
{
	my (%opt) = @_;
	my @list;
	for my $name (sort keys %opt)
	{
		(my $value = $opt{$name}) =~ s/'/''/g;
		push @list, "$name '$value'";
	}
	return join ', ', @list;
}

# Makes a server on LOCAL that leads to the cluster REMOTE, and a user mapping.
# Options: server => its name ("remote"), dbname, for => the local role (the
# superuser), host and port (of a proxy), options and mapping => hashes of
# further options.
sub pgml_connect
{
	my ($local, $remote, %opt) = @_;
	my $server = $opt{server} // 'remote';
	my $role = $opt{for} // 'CURRENT_USER';
	my $options = pgml_options(
		host => $opt{host} // $remote->host,
		port => $opt{port} // $remote->port,
		dbname => $opt{dbname} // 'postgres',
		%{ $opt{options} // {} });
	my $mapping = pgml_options(
		user => $local->safe_psql('postgres', 'SELECT current_user'),
		%{ $opt{mapping} // {} });

	$local->safe_psql('postgres', qq{
		CREATE SERVER $server FOREIGN DATA WRAPPER pgml_fdw OPTIONS ($options);
		CREATE USER MAPPING FOR $role SERVER $server OPTIONS ($mapping)});
	return;
}

# Checks that a query gives the same rows on both clusters, and some.
sub same_on_both
{
	my ($local, $remote, $query, $name) = @_;
	my $expected = $remote->safe_psql('postgres', $query);

	isnt($expected, '', "$name: there are rows");
	is($local->safe_psql('postgres', $query), $expected, "$name: the same rows");
	return;
}

1;
