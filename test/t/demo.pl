# The tour of "make demo", on clusters of its own.
use strict;
use warnings;
use PostgreSQL::Test::Utils;
use Test::More;

# it finds the staged extension where the harness has put it
my $folder = "$ENV{PGML_TMP}/demo";
mkdir $folder or die "$folder: $!";
append_to_file("$folder/stage.conf", slurp_file("$ENV{PGML_TMP}/stage.conf"));
my $tour;
{
	local $ENV{PGML_TMP} = $folder;
	ok(IPC::Run::run([ 'bash', 'test/demo/demo' ], '<', \undef, '>&', \$tour), 'the tour comes to its end')
	  or diag($tour);
}
is(join(' ', $tour =~ /^=== (\d+)\. /mg), join(' ', 1 .. 9), 'all its steps are run');
is(() = $tour =~ /ERROR:/g, 1, 'one statement fails: the TRUNCATE that may not be');
my ($packages) = $tour =~ /^production is loaded: (\d+) packages/m;
like($tour, qr/^ table +\| packages +\| done +\| +$packages$/m, 'and the schema is copied');
done_testing();
