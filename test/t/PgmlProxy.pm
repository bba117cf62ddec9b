# A TCP proxy before a cluster, to make networks slow or faulty.
#
#   my $proxy = PgmlProxy->new($node->host, $node->port);   # listens at once
#   $proxy->port;                 # on 127.0.0.1
#   $proxy->latency($ms);         # delays each piece of data, in each direction
#   $proxy->swallow_cancel(1);    # cancel requests vanish; 'next': just one
#   $proxy->forget(1);            # what is under way when a client leaves is lost
#   $proxy->pretend(13);          # the server says that it is of another version (two digits)
#   $proxy->stall(1);             # connections stay open, nothing passes
#   $proxy->cut;                  # resets all connections
#   $proxy->freeze;               # on those that there are, nothing passes ever again
#   $proxy->rename(1);            # as poolers do: prepared statements get other names there
#   $proxy->refuse(1);            # new connections are closed at once
#   $proxy->stop;                 # also when the object goes
#
# It runs in a child process, which obeys one-line commands on a socket pair and
# answers each, so that a command has taken effect when its method returns.
package PgmlProxy;

use strict;
use warnings;
use Errno;
use IO::Select;
use IO::Socket::INET;
use IO::Socket::UNIX;
use POSIX ();
use Socket qw(:DEFAULT IPPROTO_TCP TCP_NODELAY);
use Time::HiRes qw(time);

use constant CANCEL_REQUEST => pack('NN', 16, 80877102);
use constant QUEUE_SIZE => 1024 * 1024;

sub new
{
	my ($class, $host, $port) = @_;
	my $listener = IO::Socket::INET->new(
		LocalAddr => '127.0.0.1', Listen => 32, ReuseAddr => 1) or die "listen: $@";
	socketpair(my $ours, my $theirs, AF_UNIX, SOCK_STREAM, PF_UNSPEC) or die "socketpair: $!";
	my $pid = fork() // die "fork: $!";
	if (!$pid)
	{
		close $ours;
		$SIG{PIPE} = 'IGNORE';
		my $ok = eval { serve($listener, $theirs, $host, $port); 1 };
		warn $@ unless $ok;
		# no END blocks: they would stop the test's clusters
		POSIX::_exit($ok ? 0 : 1);
	}
	close $theirs;
	return bless { pid => $pid, control => $ours, port => $listener->sockport }, $class;
}

sub port { return $_[0]{port} }

sub latency { return $_[0]->command("latency $_[1]") }
sub swallow_cancel { return $_[0]->command("swallow_cancel $_[1]") }
sub forget { return $_[0]->command("forget $_[1]") }
sub stall { return $_[0]->command("stall $_[1]") }
sub rename { return $_[0]->command("rename $_[1]") }
sub pretend { return $_[0]->command("pretend $_[1]") }
sub refuse { return $_[0]->command("refuse $_[1]") }
sub cut { return $_[0]->command('cut 1') }
sub freeze { return $_[0]->command('freeze 1') }

sub command
{
	my ($self, $line) = @_;
	syswrite $self->{control}, "$line\n" or die "the proxy has gone: $!";

	# the end of a child of ours, a psql, may interrupt us
	my $got;
	do { $got = sysread $self->{control}, my $answer, 16 } until defined $got || !$!{EINTR};
	$got or die "the proxy has gone";
	return;
}

# Ends the child, which leaves when the control socket closes.
sub stop
{
	my ($self) = @_;
	return unless $self->{control};
	close delete $self->{control};
	local $?;
	waitpid $self->{pid}, 0;
	return;
}

sub DESTROY { $_[0]->stop; return }

sub connect_upstream
{
	my ($host, $port) = @_;
	return IO::Socket::UNIX->new(Peer => "$host/.s.PGSQL.$port") if $host =~ m{^/};
	return IO::Socket::INET->new(PeerAddr => $host, PeerPort => $port);
}

# The child's loop.  A link is one direction of a connection: from, to, and the
# data under way, a queue of [time when due, bytes] of "size" bytes in all, where
# undef instead of bytes is the end of the stream.  Nothing blocks: a link that
# holds enough isn't read, one that can't be written waits.
sub serve
{
	my ($listener, $control, $host, $port) = @_;
	my %set = (latency => 0, swallow_cancel => 0, stall => 0, rename => 0, refuse => 0, pretend => 0, forget => 0);
	my %link;    # by fileno of "from"

	while (1)
	{
		my $now = time;
		my ($in, $out) = (IO::Select->new($listener, $control), IO::Select->new);
		my $wait;
		for my $l ($set{stall} ? () : grep { !$_->{frozen} } values %link)
		{
			$in->add($l->{from}) if !$l->{ended} && $l->{size} < QUEUE_SIZE;
			next unless @{ $l->{queue} };
			my $due = $l->{queue}[0][0] - $now;
			if ($due <= 0) { $out->add($l->{to}) }
			elsif (!defined $wait || $due < $wait) { $wait = $due }
		}

		my ($readable, $writable) = IO::Select::select($in, $out, undef, $wait);
		for my $to (@{ $writable // [] })
		{
			# the link that writes here is the partner of the one that reads here
			my $back = $link{ fileno($to) // -1 } or next;
			drop(\%link, $back) unless write_head($link{ fileno $back->{to} }, $back);
		}
		for my $from (@{ $readable // [] })
		{
			if ($from == $control)
			{
				sysread $control, my $line, 64 or return;
				my ($name, $value) = $line =~ /^(\w+) (\S+)$/;
				$set{$name} = $value;
				if (delete $set{cut})
				{
					my @all = values %link;
					drop(\%link, $_) for @all;
				}
				if (delete $set{freeze})
				{
					$_->{frozen} = 1 for values %link;
				}
				syswrite $control, "ok\n";
			}
			elsif ($from == $listener)
			{
				accept_link(\%link, $listener, $set{refuse} ? () : ($host, $port));
			}
			elsif (my $l = $link{ fileno($from) // -1 })
			{
				my $got = sysread $from, my $data, 65536;
				my $first = $got && $l->{client} && !$l->{begun};

				# first of all a client may ask for encryption; since 17 it does so for a cancel request too
				$l->{begun} = 1 if $first && $got != 8;
				if ($first && $set{swallow_cancel} && substr($data, 0, 8) eq CANCEL_REQUEST)
				{
					drop(\%link, $l);
					$set{swallow_cancel} = 0 if $set{swallow_cancel} eq 'next';
					next;
				}
				if (!$got && $l->{client} && $set{forget})
				{
					drop(\%link, $l);
					next;
				}
				rename_statements(\$data) if $got && $l->{client} && $set{rename};
				$l->{ended} = !$got;
				$l->{size} += $got // 0;
				$data =~ s/(server_version\0)\d\d/$1$set{pretend}/ if $set{pretend} && $got;
				push @{ $l->{queue} }, [ $now + $set{latency} / 1000, $got ? $data : undef ];
			}
		}
	}
}

# Changes the names of our statements in Parse, Bind and Describe to others of the same length.
sub rename_statements
{
	my ($data) = @_;
	$$data =~ s/(P.{4}|B.{4}\0|D.{4}S)pgml_(?=\d+_\d+\0)/$1else_/gs;
	return;
}

# Accepts a client and joins it to the cluster; without an address, sends it away.
sub accept_link
{
	my ($link, $listener, @address) = @_;
	my $client = $listener->accept or return;
	my $upstream = @address ? connect_upstream(@address) : undef;
	return close $client unless $upstream;
	for my $socket ($client, $upstream)
	{
		$socket->blocking(0);
		# a piece must not wait for the acknowledgement of the piece before
		setsockopt $socket, IPPROTO_TCP, TCP_NODELAY, 1 if $socket->isa('IO::Socket::INET');
	}
	$link->{ fileno $client } = { from => $client, to => $upstream, queue => [], size => 0, client => 1 };
	$link->{ fileno $upstream } = { from => $upstream, to => $client, queue => [], size => 0 };
	return;
}

# Writes what it can of a link's first piece; false when the connection is over,
# that is, after an error or when the other direction has ended too.
sub write_head
{
	my ($l, $back) = @_;
	my $head = $l->{queue}[0] or return 1;
	if (!defined $head->[1])
	{
		shift @{ $l->{queue} };
		shutdown $l->{to}, 1;
		$l->{done} = 1;
		return !$back->{done};
	}
	my $put = syswrite $l->{to}, $head->[1];
	return $!{EAGAIN} || $!{EINTR} unless defined $put;
	$l->{size} -= $put;
	substr($head->[1], 0, $put, '');
	shift @{ $l->{queue} } if $head->[1] eq '';
	return 1;
}

# Closes both ends with a reset.
sub drop
{
	my ($link, $l) = @_;
	for my $socket ($l->{from}, $l->{to})
	{
		next unless defined fileno $socket;
		delete $link->{ fileno $socket };
		setsockopt $socket, SOL_SOCKET, SO_LINGER, pack('ii', 1, 0);
		close $socket;
	}
	return;
}

1;
