# A session of psql that stays, for tests that look at it while it works.
#
#   my $session = PgmlSession->new($node, user => ..., db => ...);
#   my ($out, $err) = $session->ask($sql);   # $err has SQLSTATEs
#   $session->send($sql);  ...  ($out, $err) = $session->answer($seconds);
#   $session->peak($sql);                    # how much memory it takes meanwhile
#   $session->pid;                           # of its backend
#   $session->stays_flat($limit, $name, $sql, qr/.../);  # tests that it is little
#   $session->said($sql);                    # rows and errors in one, errors short
#   $session->rss;                           # its private memory, in kB
#   $session->files;                         # how many files it has open
#   $session->quit;
#
# answer() dies when nothing has come in time; once the backend is gone,
# it returns what there is.
package PgmlSession;

use strict;
use warnings;
use IPC::Run;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep time);

sub new
{
	my ($class, $node, %opt) = @_;
	my $self = bless { in => '', out => '', err => '', n => 0 }, $class;
	my $connstr = $node->connstr($opt{db} // 'postgres');

	$connstr .= " user=$opt{user}" if $opt{user};
	$self->{run} = IPC::Run::start(
		[ 'psql', '-XAtq', '-v', 'VERBOSITY=verbose', '-d', $connstr, '-f', '-' ],
		'<', \$self->{in}, '>', \$self->{out}, '2>', \$self->{err});
	$self->{pid} = $self->ask('SELECT pg_backend_pid()');
	die "no session: $self->{last_err}" unless $self->{pid} =~ /^\d+$/;
	return $self;
}

sub pid { return $_[0]{pid} }

# Sends statements without waiting for them.
sub send
{
	my ($self, $sql) = @_;
	my $mark = 'answered ' . ++$self->{n};

	# behind the data of a COPY, psql would not get over an empty statement
	$sql .= "\n;" unless $sql =~ /\n\\\.\n$/;
	$self->{in} .= "$sql\n\\echo $mark\n\\warn $mark\n";
	$self->{sent} = time;
	$self->{run}->pump_nb;
	return;
}

# Waits for their answer; in scalar context just what went to stdout.
sub answer
{
	my ($self, $seconds) = @_;
	my $mark = qr/^answered $self->{n}\n/m;
	my $deadline = time + ($seconds // 60);

	until ($self->{out} =~ $mark && $self->{err} =~ $mark)
	{
		die "no answer in time: $self->{out} $self->{err}" if time > $deadline;
		last unless $self->{run}->pumpable;
		eval { $self->{run}->pump_nb; 1 } or last;
		$self->{watch}->() if $self->{watch};
		sleep 0.002;
	}
	$self->{took} = time - $self->{sent};
	my ($out, $err) = @$self{qw(out err)};
	@$self{qw(out err)} = ('', '');
	s/$mark//g for $out, $err;
	chomp $out;
	$self->{last_err} = $err;
	$self->{last_out} = $out;
	return wantarray ? ($out, $err) : $out;
}

sub ask
{
	my ($self, $sql, $seconds) = @_;

	$self->send($sql);
	return $self->answer($seconds);
}

# As ask, but only the errors and notices.
sub complain
{
	my ($self, $sql, $seconds) = @_;
	return ($self->ask($sql, $seconds))[1];
}

# As ask, but what came of both kinds, as one string: rows|errors without their details.
sub said
{
	my ($self, $sql, $seconds) = @_;
	my ($out, $err) = $self->ask($sql, $seconds);

	$err =~ s/^(LOCATION|DETAIL|HINT|CONTEXT).*\n//mg;
	$err =~ s/^psql:[^ ]* //mg;
	chomp $err;
	return $err eq '' ? $out : "$out|$err";
}

# Asks, and returns by how much the backend's private memory was larger meanwhile
# than before, in kB.
sub peak
{
	my ($self, $sql, $seconds) = @_;
	my $start = $self->rss;
	my $peak = $start;

	local $self->{watch} = sub {
		my $rss = $self->rss // 0;
		$peak = $rss if $rss > $peak;
	};
	$self->ask($sql, $seconds);
	return $peak - $start;
}

# Tests that a statement succeeds, answers what is expected, and takes less than
# limit kB of private memory.
sub stays_flat
{
	my ($self, $limit, $name, $sql, $sign) = @_;
	my $more = $self->peak($sql, 120);

	is($self->last_err, '', "$name: no error");
	like($self->last_out, $sign, "$name: all rows were there");
	cmp_ok($more, '<', $limit, "$name: the private memory grew by $more kB");
	note sprintf '%.1f s', $self->took;
	return;
}

# What the last answer was, and how many seconds it took from send to answer.
sub last_out { return $_[0]{last_out} }
sub last_err { return $_[0]{last_err} }
sub took { return $_[0]{took} }

sub rss
{
	my ($self) = @_;
	my ($rss) = slurp_file("/proc/$self->{pid}/status") =~ /^RssAnon:\s+(\d+) kB/m;
	return $rss;
}

sub files
{
	my ($self) = @_;
	my @files = glob "/proc/$self->{pid}/fd/*";
	return scalar @files;
}

sub quit
{
	my ($self) = @_;

	$self->{in} .= "\\q\n";
	eval { $self->{run}->finish };
	return;
}

1;
