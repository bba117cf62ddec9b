# A process that speaks the protocol of a PostgreSQL server, and lies.
#
#   my $impostor = PgmlImpostor->new(%lies);   # listens at once
#   $impostor->port;                            # on 127.0.0.1
#
# It knows one table, (i int, s text) with the rows (1, one) and (2, zwei), and
# tells of it whatever it is asked.  The client chooses a lie by the name of the
# database that it connects to: a hash whose keys are kinds of messages
#
#   auth parameter key ready complete description row copy_out copy_data
#   copy_done parsed bound no_data error
#
# and whose values are functions.  Such a function is given the honest message
# and how many of its kind came before it in this connection, and returns what
# is sent instead; undef hangs up.  A function "raw" is given all bytes that are
# to be sent, and how many were before; then, when the client has nothing to say
# for a moment, the impostor hangs up: it is waiting for bytes that were lost.
# Elsewhere silence is for the client to end, and a slow machine must not do it.
package PgmlImpostor;

use strict;
use warnings;
use IO::Select;
use IO::Socket::INET;
use POSIX ();
use Socket qw(:DEFAULT IPPROTO_TCP TCP_NODELAY);

use Exporter 'import';
our @EXPORT_OK = qw(message);

# Seconds of silence after which it hangs up: where bytes are lost, and elsewhere.
use constant { MOMENT => 0.1, PATIENCE => 10 };

sub new
{
	my ($class, %lies) = @_;
	my $listener = IO::Socket::INET->new(
		LocalAddr => '127.0.0.1', Listen => 32, ReuseAddr => 1) or die "listen: $@";
	socketpair(my $ours, my $theirs, AF_UNIX, SOCK_STREAM, PF_UNSPEC) or die "socketpair: $!";
	my $pid = fork() // die "fork: $!";
	if (!$pid)
	{
		close $ours;
		@SIG{qw(PIPE CHLD)} = ('IGNORE', 'IGNORE');
		eval { serve($listener, $theirs, \%lies) };
		POSIX::_exit(0);
	}
	close $theirs;
	return bless { pid => $pid, control => $ours, port => $listener->sockport }, $class;
}

sub port { return $_[0]{port} }

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

# The child: a child of its own for each connection, until the socket closes.
sub serve
{
	my ($listener, $control, $lies) = @_;
	my $select = IO::Select->new($listener, $control);

	while (1)
	{
		for my $ready ($select->can_read)
		{
			return if $ready == $control;
			my $socket = $listener->accept or next;
			setsockopt $socket, IPPROTO_TCP, TCP_NODELAY, 1;
			if (!(fork() // 1))
			{
				eval { (bless { socket => $socket, sent => 0, xact => 'I', count => {} }, __PACKAGE__)->talk($lies) };
				POSIX::_exit(0);
			}
			close $socket;
		}
	}
	return;
}

sub message
{
	my ($type, $body) = @_;
	return $type . pack('N', 4 + length $body) . $body;
}

# Reads exactly so many bytes, or hangs up.
sub take
{
	my ($self, $wanted) = @_;
	my $patience = $self->{lie}{raw} ? MOMENT : PATIENCE;
	my $bytes = '';
	while (length $bytes < $wanted)
	{
		die 'silence' unless IO::Select->new($self->{socket})->can_read($patience);
		sysread $self->{socket}, $bytes, $wanted - length $bytes, length $bytes or die 'gone';
	}
	return $bytes;
}

sub put
{
	my ($self, $bytes) = @_;
	if (my $raw = $self->{lie}{raw})
	{
		my $honest = length $bytes;
		$bytes = $raw->($bytes, $self->{sent});
		$self->{sent} += $honest;
	}
	die 'hang up' unless defined $bytes;
	for (my $at = 0; $at < length $bytes;)
	{
		$at += syswrite($self->{socket}, $bytes, 65536, $at) // die 'gone';
	}
	return;
}

# Sends a message of a kind, or the lie that stands for it.
sub say
{
	my ($self, $kind, $type, $body) = @_;
	my $honest = message($type, $body);
	my $n = $self->{count}{$kind}++;
	my $lie = $self->{lie}{$kind};
	my $said = $lie ? $lie->($honest, $n) : $honest;
	$self->put($said);
	$self->{failed} = 1 if $said =~ /^E/;
	return;
}

sub talk
{
	my ($self, $lies) = @_;
	my %startup;

	while (1)
	{
		my ($length, $code) = unpack 'NN', $self->take(8);
		my $body = $self->take($length - 8);
		return if $code == 80877102;    # CancelRequest
		if ($code == 80877103 || $code == 80877104)
		{
			syswrite $self->{socket}, 'N';
			next;
		}
		%startup = $body =~ /([^\0]+)\0([^\0]*)\0/g;
		last;
	}
	$self->{lie} = $lies->{ $startup{database} } // {};
	$self->say('auth', 'R', pack 'N', 0);
	$self->say('parameter', 'S', join("\0", @$_) . "\0")
	  for [ 'client_encoding', 'UTF8' ], [ 'server_encoding', 'UTF8' ], [ 'server_version', '15.0' ],
	  [ 'DateStyle', 'ISO, MDY' ], [ 'standard_conforming_strings', 'on' ];
	$self->say('key', 'K', pack 'NN', 4711, 4712);
	$self->ready;

	while (1)
	{
		my ($type, $length) = unpack 'aN', $self->take(5);
		my $body = $self->take($length - 4);
		return if $type eq 'X';
		if ($type eq 'S') { $self->ready }
		elsif ($self->{failed}) { }
		elsif ($type eq 'Q')
		{
			for (split /; /, $body =~ s/\0$//r)
			{
				$self->answer($_);
				last if $self->{failed};
			}
			$self->ready;
		}
		elsif ($type eq 'P')
		{
			(my $name, $self->{sql}) = split /\0/, $body;
			$self->{named}{$name} = $self->{sql};
			$self->say('parsed', '1', '');
		}
		elsif ($type eq 'B')
		{
			$self->{sql} = $self->{named}{ (split /\0/, $body, 3)[1] };
			$self->say('bound', '2', '');
		}
		elsif ($type eq 'D') { $self->describes ? $self->describe : $self->say('no_data', 'n', '') }
		elsif ($type eq 'E') { $self->answer($self->{sql}, 1) }
	}
	return;
}

sub ready
{
	my ($self) = @_;
	$self->{xact} = 'E' if $self->{failed} && $self->{xact} eq 'T';
	$self->{failed} = 0;
	return $self->say('ready', 'Z', $self->{xact});
}

# Does the statement return rows?
sub describes { return $_[0]{sql} =~ /^(SELECT|FETCH)|RETURNING/ }

# Columns i and s; i is text where it was asked for as such, binary for a
# statement of the extended protocol that asks for it (we don't look).
sub describe
{
	my ($self) = @_;
	my $type = $self->{sql} =~ /format\('%s', i\)/ ? 25 : 23;
	$self->say('description', 'T', pack 'n Z*NnNnNn Z*NnNnNn', 2,
		'i', 0, 0, $type, 4, -1, 0, 's', 0, 0, 25, -1, -1, 0);
	return;
}

sub data_row
{
	my ($self, @values) = @_;
	$self->say('row', 'D', pack 'n (N/a*)*', scalar @values, @values);
	return;
}

# Answers one statement.
sub answer
{
	my ($self, $sql, $described) = @_;
	my ($tag) = $sql =~ /^(\w+)/;

	$self->{sql} = $sql;
	$self->{xact} = 'T' if $tag eq 'BEGIN';
	$self->{xact} = 'I' if $tag =~ /^(COMMIT|ROLLBACK)$/ && $sql !~ / TO /;
	if ($sql =~ /^COPY/) { $self->copy }
	elsif ($self->describes)
	{
		$self->describe unless $described;
		return $self->say('complete', 'C', "SELECT 0\0") if $sql =~ /LIMIT 0$/;
		$self->data_row(1, 'one');
		$self->data_row(2, 'zwei');
		$tag = 'SELECT 2';
	}
	$tag = 'INSERT 0 1' if $sql =~ /^INSERT/;
	$tag .= ' 1' if $sql =~ /^(UPDATE|DELETE)/;
	return $self->say('complete', 'C', "$tag\0");
}

sub copy
{
	my ($self) = @_;
	my @i = $self->{sql} =~ /format\('%s', i\)/ ? (1, 2) : (pack('N', 1), pack('N', 2));

	$self->say('copy_out', 'H', pack 'Cnnn', 1, 2, 1, 1);
	$self->say('copy_data', 'd', $_)
	  for "PGCOPY\n\377\r\n\0" . pack('NN', 0, 0), pack('n (N/a*)*', 2, $i[0], 'one'),
	  pack('n (N/a*)*', 2, $i[1], 'zwei'), pack('n', 0xffff);
	$self->say('copy_done', 'c', '');
	return;
}

1;
