# A remote that doesn't keep to the protocol of binary COPY, or lies about its
# columns: the right rows or an error, never a crash.  Between the two clusters
# stands a relay that rewrites what the remote sends.
use strict;
use warnings;
use IO::Select;
use IO::Socket::INET;
use IO::Socket::UNIX;
use POSIX ();
use PostgreSQL::Test::Utils;
use Test::More;

use PgmlTest;

my ($local, $remote) = pgml_pair();
my ($relay_pid, $fuzz);

# Reads whole messages of the server from a buffer, rewrites them, returns what to send.
sub rewrite_messages
{
	my ($buffer, $rewrite) = @_;
	my $out = '';
	while (length $$buffer >= 5)
	{
		my ($type, $len) = unpack 'aN', $$buffer;
		last if length $$buffer < $len + 1;
		my $body = substr $$buffer, 5, $len - 4;
		substr $$buffer, 0, $len + 1, '';
		$out .= pack('aNa*', $_->[0], 4 + length $_->[1], $_->[1]) for $rewrite->($type, $body);
	}
	return $out;
}

# One connection: the client's bytes pass, the server's messages are rewritten.
sub serve_connection
{
	my ($client, $rewrite) = @_;
	my $server = IO::Socket::UNIX->new(Peer => $remote->host . '/.s.PGSQL.' . $remote->port) or die $!;
	my $select = IO::Select->new($client, $server);
	my $buffer = '';
	while (1)
	{
		for my $from ($select->can_read)
		{
			sysread $from, my $data, 65536 or return;
			if ($from == $client) { syswrite $server, $data; next }
			$buffer .= $data;
			my $out = rewrite_messages(\$buffer, $rewrite);
			while (length $out)
			{
				my $put = syswrite $client, $out or return;
				substr $out, 0, $put, '';
			}
		}
	}
}

sub stop_relay
{
	return unless $relay_pid;
	kill 'TERM', $relay_pid;
	waitpid $relay_pid, 0;
	undef $relay_pid;
	return;
}

END { stop_relay() }

# Puts a relay that rewrites messages before the remote, and leads the server there.
sub start_relay
{
	my ($rewrite) = @_;
	stop_relay();
	my $listener = IO::Socket::INET->new(LocalAddr => '127.0.0.1', Listen => 8) or die "listen: $@";
	$relay_pid = fork() // die "fork: $!";
	if (!$relay_pid)
	{
		$SIG{CHLD} = 'IGNORE';
		$SIG{TERM} = $SIG{ALRM} = sub { POSIX::_exit(0) };
		alarm 600;
		while (1)
		{
			my $client = $listener->accept or next;
			next if fork();
			eval { serve_connection($client, $rewrite) };
			POSIX::_exit(0);
		}
	}
	my $port = $listener->sockport;
	$local->safe_psql('postgres', "ALTER SERVER remote OPTIONS (SET port '$port')");
	return;
}

# Only what comes as CopyData is rewritten; bodies in, bodies out.
sub copy_relay
{
	my ($rewrite) = @_;
	start_relay(sub {
		my ($type, $body) = @_;
		return map { [ 'd', $_ ] } $rewrite->($body) if $type eq 'd';
		return [ $type, $body ];
	});
	return;
}

my $rows = q{SELECT i AS id, i * 2.5 AS n, repeat(md5(i::text), 3) AS tx, array[i, null, -i] AS a, array['x', i::text] AS b,
	timestamptz '2024-01-01 00:00+00' + i * interval '1 day' AS ts, jsonb_build_object('i', i) AS j, int4range(i, i + 5) AS r,
	i * interval '1 hour' AS iv, polygon '((0,0),(1,1),(2,0))' AS p, varbit '1011' AS vb, nullif(i, 3) AS maybe, array[i, i + 0.5]::float8[] AS f
	FROM generate_series(1, 50) i};
$remote->safe_psql('postgres', "CREATE TABLE t AS $rows");
$local->safe_psql('postgres', "CREATE TABLE near AS $rows");
pgml_connect($local, $remote, host => '127.0.0.1', options => { sslmode => 'disable', gssencmode => 'disable', transport => 'copy' });
$local->safe_psql('postgres', q{
	CREATE FOREIGN TABLE t (id int, n numeric, tx text, a int[], b text[], ts timestamptz, j jsonb, r int4range, iv interval,
		p polygon, vb varbit, maybe int, f float8[]) SERVER remote OPTIONS (schema_name 'public');
	CREATE FOREIGN TABLE short (id int, maybe int) SERVER remote OPTIONS (schema_name 'public', table_name 't')});

my $same = q{SELECT count(*) FROM t AS there FULL JOIN near AS here USING (id) WHERE there::text IS NOT DISTINCT FROM here::text};
sub right_rows
{
	my ($name) = @_;
	is($local->safe_psql('postgres', $same), 50, $name);
	return;
}

sub wrong_rows
{
	my ($query, $error, $name) = @_;
	my $rc = $local->psql('postgres', $query, stderr => \my $err, stdout => \my $out);
	isnt($rc, 0, "$name: fails") or diag($out);
	like($err, $error, "$name: says so");
	is($local->safe_psql('postgres', 'SELECT 1'), 1, "$name: the server lives");
	return;
}

# Tuples cut and joined in other ways than PostgreSQL does
copy_relay(sub { return $_[0] });
right_rows('nothing rewritten');
copy_relay(sub { return unpack '(a7)*', $_[0] });
right_rows('pieces of seven bytes');
copy_relay(sub { return (unpack('(a1)*', $_[0]), '') });
right_rows('pieces of one byte');
{
	my $all = '';
	start_relay(sub {
		my ($type, $body) = @_;
		if ($type eq 'd') { $all .= $body; return }
		return [ $type, $body ] unless $type eq 'c';
		my $data = $all;
		$all = '';
		return ((map { [ 'd', $_ ] } unpack '(a3000)*', $data), [ 'c', '' ]);
	});
}
right_rows('many tuples in a message, cut anywhere');
copy_relay(sub { return $_[0] eq "\xff\xff" ? () : $_[0] });
right_rows('no trailer');
copy_relay(sub { return ($_[0], '') });
right_rows('empty messages');

# Not what binary COPY is
my $query = 'SELECT * FROM short';
wrong_rows_of("\xff\xff" => sub { return ("\xff\xff", "\x00\x00") }, qr/rows behind the end/, 'rows behind the trailer');
wrong_rows_of(last => sub { return substr $_[0], 0, -3 }, qr/ends too early/, 'a tuple cut short');
wrong_rows_of(first => sub { (my $d = $_[0]) =~ s/^PGCOPY/PGCOPX/; return $d }, qr/binary COPY format/, 'another signature');
wrong_rows_of(first => sub { my $d = $_[0]; substr $d, 11, 1, "\x01"; return $d }, qr/unknown flags/, 'a critical flag');
wrong_rows_of(first => sub { my $d = $_[0]; substr $d, 15, 4, "\xff\xff\xff\xff"; return $d }, qr/impossible length/, 'a negative extension');
wrong_rows_of(first => sub { my $d = $_[0]; substr $d, 15, 4, "\x7f\xff\xff\xff"; return $d }, qr/ends too early/, 'an endless extension');
wrong_rows_of(all => sub { return '' }, qr/ends too early/, 'nothing at all');
wrong_rows_of(tuple => sub { my $d = $_[0]; substr $d, 0, 2, "\x00\x03"; return $d }, qr/instead of|ends too early/, 'a field too many');
wrong_rows_of(tuple => sub { my $d = $_[0]; substr $d, 0, 2, "\x00\x01"; return $d }, qr/instead of/, 'a field too few');
wrong_rows_of(tuple => sub { my $d = $_[0]; substr $d, 0, 2, "\xff\xfe"; return $d }, qr/impossible length/, 'a negative number of fields');
wrong_rows_of(tuple => sub { my $d = $_[0]; substr $d, 2, 4, "\xff\xff\xff\xfe"; return $d }, qr/impossible length/, 'a negative length');
wrong_rows_of(tuple => sub { my $d = $_[0]; substr $d, 2, 4, "\x7f\xff\xff\xff"; return $d }, qr/ends too early/, 'an endless field');
wrong_rows_of(tuple => sub { return "\x00\x02\x00\x00\x00\x02\x00\x07\xff\xff\xff\xff" }, qr/incorrect binary data for type integer/, 'an int4 of two bytes');
wrong_rows_of(tuple => sub { return "\x00\x02" . "\x00\x00\x00\x00" x 2 }, qr/incorrect binary data for type integer/, 'an int4 of no bytes');

# Runs the query of two integer columns with some of the tuples rewritten; which:
# "first" (with the header), "tuple" (those without), "last", "all", or a text.
sub wrong_rows_of
{
	my ($which, $rewrite, $error, $name) = @_;
	copy_relay(sub {
		my ($body) = @_;
		my $kind = $body =~ /^PGCOPY/ ? 'first' : $body eq "\xff\xff" ? 'trailer' : 'tuple';
		return $rewrite->($body)
		  if $which eq 'all' || $which eq $kind || $which eq $body
		  || $which eq 'last' && $kind eq 'tuple' && $body =~ /^..\x00\x00\x00\x04\x00\x00\x00\x32/s;
		return $body;
	});
	wrong_rows($query, $error, $name);
	return;
}

# Lies about the columns: in a RowDescription the type is 6 bytes behind the name
sub describe_relay
{
	my ($rewrite) = @_;
	start_relay(sub {
		my ($type, $body) = @_;
		$body = $rewrite->($body) if $type eq 'T' && $body =~ /(maybe|case)\0/;
		return [ $type, $body ];
	});
	return;
}
# as float8; asked for as text the column is called otherwise
describe_relay(sub { my $d = $_[0]; $d =~ s/(maybe\0.{6})..../$1\x00\x00\x02\xbd/s; return $d });
is($local->safe_psql('postgres', "$query WHERE id IN (2, 3, 4) ORDER BY id"), "2|2\n3|\n4|4", 'a type that is not what it is: right as text');
describe_relay(sub { my $d = $_[0]; $d =~ s/((?:maybe|case)\0.{6})..../$1\x00\x00\x02\xbd/s; return $d });
wrong_rows($query, qr/type OID 701 instead of text/, 'and text is not believed either');
describe_relay(sub { my $d = $_[0]; substr $d, 0, 2, "\x00\x01"; $d =~ s/maybe.*//s; return $d });
wrong_rows($query, qr/returns 1 columns instead of 2/, 'a description of fewer columns');

# Damage anywhere in the rows
copy_relay(sub {
	my ($body) = @_;
	$fuzz //= do { srand 20240229; 1 };
	if (rand() < 0.1 && length $body > 2)
	{
		substr $body, rand(length $body), 1, chr rand 256 for 0 .. rand 3;
		substr $body, rand(length $body), rand(8), '' if rand() < 0.2;
	}
	return $body;
});
my ($fuzz_out, $fuzz_err) = ('', '');
$local->psql('postgres', 'SELECT count(t::text) FROM t; ' x 150, stdout => \$fuzz_out, stderr => \$fuzz_err, on_error_stop => 0);
my $errors = () = $fuzz_err =~ /ERROR:/g;
my $read = () = $fuzz_out =~ /^\d+$/mg;
is($errors + $read, 150, "each damaged answer is read or refused ($read, $errors)");
unlike($fuzz_err, qr/closed the connection|terminated/, 'the session has lived through it');

copy_relay(sub { return $_[0] });
right_rows('and all is well again');

# Answers to batches of an UPDATE, several of which are in flight: what is said instead of the second one's
$remote->safe_psql('postgres', 'CREATE TABLE many AS SELECT i AS id, 0 AS n FROM generate_series(1, 2600) i');
$local->safe_psql('postgres', q{
	CREATE FOREIGN TABLE many (id int, n int) SERVER remote OPTIONS (schema_name 'public');
	CREATE TABLE l AS SELECT generate_series(1, 2600) AS id; ANALYZE l});
my $update = q{SET statement_timeout = '30s'; UPDATE many SET n = l.id FROM l WHERE l.id = many.id};
my $refused = [ 'E', "SERROR\0C22012\0Mno\0\0" ];
for ([ 'a row too many' => qr/changed 501 rows instead of 500/, [ 'C', "UPDATE 501\0" ] ],
	[ 'a count beyond all numbers' => qr/changed \d+ rows instead of 500/, [ 'C', "UPDATE 99999999999999999999999\0" ] ],
	[ 'two answers' => qr/ERROR/, ([ 'C', "UPDATE 500\0" ]) x 2 ],
	[ 'no answer' => qr/ERROR/ ],
	[ 'the end of it all' => qr/ERROR/, [ 'C', "UPDATE 500\0" ], [ 'Z', 'T' ] ],
	[ 'an end instead' => qr/ERROR/, [ 'Z', 'I' ] ],
	[ 'rows' => qr/ERROR/, [ 'T', pack 'n Z*NnNnNn', 1, 'i', 0, 0, 23, 4, -1, 0 ], [ 'D', pack 'n N/a*', 1, '7' ] ],
	[ 'a COPY' => qr/ERROR/, [ 'H', pack 'Cn', 0, 0 ] ],
	[ 'a COPY the other way' => qr/ERROR/, [ 'G', pack 'Cn', 0, 0 ] ],
	[ 'an error that is none' => qr/ERROR:  no/, $refused ],
	[ 'an error, and an answer' => qr/ERROR:  no/, $refused, [ 'C', "UPDATE 500\0" ] ],
	[ 'garbage' => qr/ERROR/, [ "\xff", 'nonsense' ] ])
{
	my ($name, $error, @said) = @$_;
	my $n = 0;

	start_relay(sub {
		my ($type, $body) = @_;
		return $type eq 'C' && $body =~ /^UPDATE/ && ++$n == 2 ? @said : [ $type, $body ];
	});
	wrong_rows($update, $error, "instead of an answer: $name");
	is($remote->safe_psql('postgres', 'SELECT count(*) FROM many WHERE n <> 0'), 0, 'nothing has changed');
}
start_relay(sub { return [ @_ ] });
$local->safe_psql('postgres', $update);
is($remote->safe_psql('postgres', 'SELECT count(*) FROM many WHERE n = id'), 2600, 'and all is well again');
stop_relay();

done_testing();
