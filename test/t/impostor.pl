# A remote that lies, or falls silent, or hangs up: always a clean error, and
# the session goes on.
use strict;
use warnings;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time);

use PgmlImpostor qw(message);
use PgmlSession;
use PgmlTest;

my $any = qr/ERROR: /;
my $protocol = qr/ERROR:  (08P01|22P04|HV\w{3}|22\w{3}): /;
my $lost = qr/ERROR:  08006: /;
my $rows = qr/^1\|one\n2\|zwei$/;

sub error { return message('E', join('', map { "$_\0" } @_) . "\0") }
sub copied { return message('d', $_[0]) }
sub tuple { return pack 'n (N/a*)*', scalar @_, @_ }
my $one = pack 'N', 1;
my $header = "PGCOPY\n\377\r\n\0" . pack('NN', 0, 0);

# Replaces the n-th message of its kind, from 0.
sub nth
{
	my ($which, $with) = @_;
	return sub { return $_[1] == $which ? ref $with ? $with->($_[0]) : $with : $_[0] };
}

# Name, what is said instead, and what must come of it when the table is read.
my @lies = (
	[ 'nothing', {}, $rows ],

	# authentication and start-up
	[ 'no authentication', { auth => sub { undef } }, qr/ERROR:  08001/ ],
	[ 'an unknown kind of it', { auth => sub { message('R', pack 'N', 99) } }, qr/ERROR:  08001/ ],
	[ 'SASL with garbage', { auth => sub { message('R', pack 'N a*', 10, "\xff\xfe nonsense") } }, qr/ERROR:  08001/ ],
	[ 'an error in a strange encoding', { auth => sub { error('SFATAL', "M\xe4\xf6\xfc %s %n", 'C28P01') } }, qr/ERROR:  08001.*DETAIL:.*\?\?\? %s %n/s ],
	[ 'garbage', { auth => sub { "HTTP/1.1 400 Bad Request\r\n\r\n" } }, qr/ERROR:  08001/ ],
	[ 'an endless message', { auth => sub { 'R' . pack('N', 0x7fffffff) } }, qr/ERROR:  08001/ ],
	[ 'a negative length', { auth => sub { 'R' . pack('N', 0xfffffff0) } }, qr/ERROR:  08001/ ],
	[ 'another encoding', { parameter => nth(0, message('S', "client_encoding\0LATIN1\0")) }, qr/ERROR:  08001.*client_encoding/s ],
	[ 'no such encoding', { parameter => nth(0, message('S', "client_encoding\0\xff\xfe\0")) }, qr/ERROR:  08001.*client_encoding/s ],
	[ 'no parameters', { parameter => sub { '' } }, qr/ERROR:  08001.*client_encoding/s ],
	[ 'a strange version', { parameter => nth(2, message('S', "server_version\0none\xff\0")) }, $rows ],
	[ 'no key', { key => sub { '' } }, $rows ],
	[ 'another encoding later', { complete => nth(0, sub { message('S', "client_encoding\0SJIS\0") . $_[0] }) }, qr/^1\|one|$any/ ],

	# the description
	[ 'a column too few', { description => sub { message('T', pack 'n Z*NnNnNn', 1, 'i', 0, 0, 23, 4, -1, 0) } }, $protocol ],
	[ 'a column too many', { description => sub { message('T', pack 'n' . ' Z*NnNnNn' x 3, 3,
		'i', 0, 0, 23, 4, -1, 0, 's', 0, 0, 25, 4, -1, 0, 'x', 0, 0, 25, 4, -1, 0) } }, $protocol ],
	[ 'no columns', { description => sub { message('T', pack 'n', 0) } }, $protocol ],
	[ '60,000 columns', { description => sub { message('T', pack 'n' . ' Z*NnNnNn' x 60000, 60000, ('i', 0, 0, 23, 4, -1, 0) x 60000) } }, $protocol ],
	[ 'fewer columns than announced', { description => sub { message('T', pack 'n Z*NnNnNn', 2, 'i', 0, 0, 23, 4, -1, 0) } }, $any ],
	[ 'other types', { description => nth(0, message('T', pack 'n Z*NnNnNn Z*NnNnNn', 2, 'i', 0, 0, 700, 4, -1, 0, 's', 0, 0, 17, 4, -1, 0)) }, $rows ],
	[ 'unknown types', { description => nth(0, message('T', pack 'n Z*NnNnNn Z*NnNnNn', 2, 'i', 0, 0, 4000000000, 4, -1, 0, 's', 0, 0, 0, 4, -1, 0)) }, $rows ],
	[ 'never the right types', { description => sub { message('T', pack 'n Z*NnNnNn Z*NnNnNn', 2, 'i', 0, 0, 700, 4, -1, 0, 's', 0, 0, 17, 4, -1, 0) } }, $protocol ],
	[ 'names that are no text', { description => nth(0, message('T', pack 'n Z*NnNnNn Z*NnNnNn', 2, "\xff", 0, 0, 23, 4, -1, 0, "\xfe%s", 0, 0, 25, 4, -1, 0)) }, $rows ],
	[ 'rows of no rows', { description => nth(0, sub { $_[0] . message('D', tuple('1', 'one')) x 3 }) }, qr/^1\|one|$any/ ],
	[ 'two descriptions', { description => nth(0, sub { $_[0] . message('C', "SELECT 0\0") . $_[0] }) }, $any ],
	[ 'no description', { description => sub { '' } }, $any ],
	[ 'a description of nothing', { description => sub { message('n', '') } }, $any ],

	# the COPY
	[ 'no COPY', { copy_out => sub { '' }, copy_data => sub { '' }, copy_done => sub { '' } }, $any ],
	[ 'COPY the other way', { copy_out => sub { message('G', pack 'Cn', 0, 0) }, copy_data => sub { '' }, copy_done => sub { '' } }, $any ],
	[ 'COPY both ways', { copy_out => sub { message('W', pack 'Cn', 0, 0) } }, $any ],
	[ 'COPY twice', { copy_done => sub { $_[0] . message('C', "COPY 2\0") . message('H', pack 'Cn', 1, 0) } }, $any ],
	[ 'COPY at once', { complete => nth(0, sub { message('H', pack 'Cn', 1, 0) . copied($header) }) }, $any ],
	[ 'COPY behind an error', { complete => nth(0, sub { error('SERROR', 'C22012', 'Mno') . message('H', pack 'Cn', 1, 0) }) }, $any ],
	[ 'rows instead of COPY', { copy_out => sub { message('T', pack 'n Z*NnNnNn', 1, 'i', 0, 0, 23, 4, -1, 0) . message('D', tuple('1')) },
		copy_data => sub { '' }, copy_done => sub { '' } }, $any ],
	[ 'other columns in COPY', { copy_out => sub { message('H', pack 'Cn n9', 1, 9, (1) x 9) } }, $rows ],
	[ 'COPY in text', { copy_data => sub { copied("1\tone\n") } }, $protocol ],
	[ 'a wrong signature', { copy_data => nth(0, copied("PGCOPY\n\377\r\r\0" . pack 'NN', 0, 0)) }, $protocol ],
	[ 'critical flags', { copy_data => nth(0, copied("PGCOPY\n\377\r\n\0" . pack 'NN', 1 << 16, 0)) }, $protocol ],
	[ 'a header extension', { copy_data => nth(0, copied("PGCOPY\n\377\r\n\0" . pack('NN', 0, 5) . 'abcde')) }, $rows ],
	[ 'a negative extension', { copy_data => nth(0, copied("PGCOPY\n\377\r\n\0" . pack 'NN', 0, -5)) }, $protocol ],
	[ 'an endless extension', { copy_data => nth(0, copied("PGCOPY\n\377\r\n\0" . pack 'NN', 0, 0x7fffffff)) }, $protocol ],
	[ 'no header', { copy_data => nth(0, '') }, $protocol ],
	[ 'nothing but a header', { copy_data => sub { $_[1] ? '' : $_[0] } }, qr/^$/ ],
	[ 'nothing', { copy_data => sub { '' } }, $protocol ],
	[ 'the trailer first', { copy_data => nth(1, copied(pack 'n', 0xffff)) }, $protocol ],
	[ 'only the trailer', { copy_data => sub { return $_[1] == 1 || $_[1] == 2 ? '' : $_[0] } }, qr/^$/ ],
	[ 'the trailer with the header', { copy_data => sub { return $_[1] ? '' : copied($header . pack 'n', 0xffff) } }, qr/^$/ ],
	[ 'two trailers', { copy_data => nth(3, copied(pack('n', 0xffff) x 2)) }, $protocol ],
	[ 'half a trailer', { copy_data => nth(3, copied("\xff")) }, $protocol ],
	[ 'a field too few', { copy_data => nth(1, copied(tuple($one))) }, $protocol ],
	[ 'a field too many', { copy_data => nth(1, copied(tuple($one, 'one', 'x'))) }, $protocol ],
	[ 'no fields', { copy_data => nth(1, copied(tuple())) }, $protocol ],
	[ '32,767 fields', { copy_data => nth(1, copied(pack 'n', 32767)) }, $protocol ],
	[ 'less than no fields', { copy_data => nth(1, copied(pack 'n', -2)) }, $protocol ],
	[ 'a field of less than no bytes', { copy_data => nth(1, copied(pack 'n N', 2, -2)) }, $protocol ],
	[ 'a field of two gigabytes', { copy_data => nth(1, copied(pack 'n N', 2, 0x7fffffff)) }, $protocol ],
	[ 'a field of a gigabyte', { copy_data => nth(1, copied(pack 'n N', 2, 0x3fffffff)) }, $protocol ],
	[ 'a field cut short', { copy_data => nth(3, copied(pack('n N', 2, 4) . "\0\0")) }, $protocol ],
	[ 'bytes behind the fields', { copy_data => nth(3, copied(tuple($one, 'one') . 'xyz')) }, $protocol ],
	[ 'an int4 of 3 bytes', { copy_data => nth(1, copied(tuple("\0\0\1", 'one'))) }, $protocol ],
	[ 'an int4 of 8 bytes', { copy_data => nth(1, copied(tuple("\0\0\0\0$one", 'one'))) }, $protocol ],
	[ 'an int4 of none', { copy_data => nth(1, copied(tuple('', 'one'))) }, $protocol ],
	[ 'text with a zero byte', { copy_data => nth(1, copied(tuple($one, "o\0e"))) }, $protocol ],
	[ 'text that is no UTF-8', { copy_data => nth(1, copied(tuple($one, "o\xc3"))) }, qr/ERROR:  22021/ ],
	[ 'nulls', { copy_data => nth(1, copied(pack 'n NN', 2, -1, -1)) }, qr/^\|\n2\|zwei$/ ],
	[ 'all in one message', { copy_data => sub { $_[1] ? '' : copied($header . tuple($one, 'one') . tuple(pack('N', 2), 'zwei') . pack 'n', 0xffff) } }, $rows ],
	[ 'each byte in a message', { copy_data => sub { join '', map { copied($_) } split //, substr $_[0], 5 } }, $rows ],
	[ 'empty messages', { copy_data => sub { copied('') x 3 . $_[0] . copied('') } }, $rows ],
	[ 'a message without length', { copy_data => nth(1, sub { 'd' . pack('N', 0) }) }, $any ],
	[ 'a message of two gigabytes', { copy_data => nth(1, sub { 'd' . pack('N', 0x7fffffff) }) }, $any ],
	[ 'a message of less than none', { copy_data => nth(1, sub { 'd' . pack('N', -7) }) }, $any ],
	[ 'an error in the COPY', { copy_data => nth(2, sub { error('SERROR', 'C22012', 'Mhalf way') }) }, qr/ERROR:  22012: half way/ ],
	[ 'an error behind it', { copy_done => sub { $_[0] . error('SERROR', 'C22012', 'Mafter all') } }, qr/ERROR:  22012: after all/ ],
	[ 'the end of a COPY twice', { copy_done => sub { $_[0] x 2 } }, qr/^1\|one|$any/ ],
	[ 'rows behind the end', { copy_done => sub { $_[0] . copied(tuple($one, 'one')) } }, qr/^1\|one|$any/ ],

	# errors
	(map { [ "SQLSTATE $_", { description => sub { error('SERROR', "C$_", 'Mno') } }, qr/ERROR:  HV000: no/ ] }
	  '', 'abc', '00000', '0000', 'ABCDEFGH', '1234%', "\xff\xfe\xfd\xfc\xfb"),
	[ 'no SQLSTATE', { description => sub { error('SERROR', 'Mno') } }, $any ],
	[ 'an error without fields', { description => sub { error() } }, $any ],
	[ 'an error without end', { description => sub { message('E', 'SERROR') } }, $any ],
	[ 'an error that is no text', { description => sub { error('SERROR', 'C22012', "M\xff\xfe %s%n", "D\xff", "H\xff", "W\xff") } },
		qr/ERROR:  22012: \?\? %s%n\nDETAIL:  \?\nHINT:  \?/ ],
	[ 'a long error', { description => sub { error('SERROR', 'C22012', 'M' . 'x' x 1000000) } }, qr/ERROR:  22012: x{60000}/ ],
	[ 'a success as an error', { description => sub { error('SNOTICE', 'C00000', 'Mfine') } }, $any ],
	[ 'a panic', { description => sub { error('SPANIC', 'CXX000', 'Mand goes on') } }, qr/ERROR:  XX000: and goes on/ ],
	[ 'notices that are no text', { complete => sub { message('N', "SNOTICE\0M\xff%s\0\0") . $_[0] } }, $rows ],
	[ 'notifications', { complete => sub { message('A', pack 'N Z*Z*', 1, 'x', "\xff") . $_[0] } }, $rows ],

	# the order of things
	[ 'ready at once', { complete => nth(0, message('Z', 'T')) }, $any ],
	[ 'ready for nothing', { complete => nth(0, sub { message('Z', 'I') . $_[0] }) }, $any ],
	[ 'an unknown state', { ready => nth(1, message('Z', '?')) }, qr/^1\|one|$any/ ],
	[ 'no transaction', { ready => sub { message('Z', 'I') } }, qr/^1\|one|$any/ ],
	[ 'a failed one', { ready => nth(1, message('Z', 'E')) }, qr/^1\|one|$any/ ],
	[ 'tags without end', { complete => sub { message('C', 'SELECT') } }, $any ],
	[ 'tags that are no text', { complete => sub { message('C', "\xff%s\0") } }, qr/^1\|one|$any/ ],
	[ 'empty tags', { complete => sub { message('C', "\0") } }, qr/^1\|one|$any/ ],
	[ 'empty queries', { complete => sub { message('I', '') } }, qr/^1\|one|$any/ ],
	[ 'an answer too many', { complete => sub { $_[0] x 2 } }, $any ],
	[ 'an answer too few', { complete => nth(0, '') }, $any ],
	[ 'unknown messages', { complete => nth(0, sub { message('~', 'what') . $_[0] }) }, $any ],
	[ 'rows without description', { complete => nth(0, sub { message('D', tuple('1')) . $_[0] }) }, $any ],
	[ 'a refusal to commit', { complete => sub { $_[0] =~ /COMMIT/ ? message('C', "ROLLBACK\0") : $_[0] } }, qr/^1\|one|$any/ ],
	[ 'an error at commit', { complete => sub { $_[0] =~ /COMMIT/ ? error('SERROR', 'C40001', 'Mnever') : $_[0] } }, qr/^1\|one|ERROR:  40001: never/ ],
	[ 'COPY at commit', { complete => sub { $_[0] =~ /COMMIT/ ? message('H', pack 'Cn', 1, 0) : $_[0] } }, qr/^1\|one|$any/ ],
	[ 'silence at commit', { complete => sub { $_[0] =~ /COMMIT/ ? undef : $_[0] } }, qr/^1\|one|$any/ ]);

# Hanging up after so many bytes, and damaged bytes, by numbers.
my %lie = map { ("lie$_" => $lies[$_][1]) } 0 .. $#lies;
my $cuts = 60;
for my $n (1 .. $cuts)
{
	$lie{"cut$n"} = {
		raw => sub {
			my ($bytes, $before) = @_;
			my $left = $n * 13 - $before;
			return $left <= 0 ? undef : substr $bytes, 0, $left;
		} };
}
my $fuzzes = 120;
for my $n (1 .. $fuzzes)
{
	# a connection that can't be made is of no interest: 200 bytes
	$lie{"fuzz$n"} = {
		raw => sub {
			my ($bytes, $before) = @_;
			srand($n * 100000 + $before) if $before >= 200;
			return $bytes if $before < 200 || rand > 0.2;
			my $at = int rand length $bytes;
			my $what = int rand 5;
			substr($bytes, $at, 1) = chr int rand 256 if $what == 0;
			substr($bytes, $at, 1) = '' if $what == 1;
			substr($bytes, $at, 0) = chr int rand 256 if $what == 2;
			$bytes .= $bytes if $what == 3;
			substr($bytes, $at) = '' if $what == 4;
			return $bytes;
		} };
}
my $impostor = PgmlImpostor->new(%lie);

my $local = pgml_node('local');
$local->safe_psql('postgres', 'CREATE EXTENSION pgml_fdw');
pgml_connect($local, $local, server => 'liar', host => '127.0.0.1', port => $impostor->port, dbname => 'lie0');
$local->safe_psql('postgres', q{CREATE FOREIGN TABLE t (i int, s text) SERVER liar OPTIONS (schema_name 'public')});

my $session = PgmlSession->new($local);
$session->ask("SET statement_timeout = '2s'; SET client_min_messages = warning");

# Runs a statement against a liar; what came of it.
sub meet
{
	my ($liar, $sql) = @_;
	$session->ask("ROLLBACK; ALTER SERVER liar OPTIONS (SET dbname '$liar')");
	my ($out, $err) = $session->ask($sql, 40);
	return $err =~ /(ERROR|FATAL|PANIC)/ ? $err : $out;
}

sub goes_on
{
	my ($pid) = $session->ask('ROLLBACK; SELECT pg_backend_pid()');
	return $pid eq $session->pid;
}

# What the other statements ask for.
my %statement = (
	scan => q{SET pgml_fdw.transport = 'copy'; SELECT i, s FROM t},
	'scan of nothing' => q{SET pgml_fdw.transport = 'copy'; SELECT count(*) FROM t},
	'scan left early' => q{SET pgml_fdw.transport = 'copy'; SELECT i, s FROM t LIMIT 1},
	rows => q{SET pgml_fdw.transport = 'row'; SELECT i, s FROM t},
	cursor => q{SET pgml_fdw.transport = 'cursor'; SELECT i, s FROM t},
	insert => q{INSERT INTO t VALUES (1, 'one')},
	returning => q{INSERT INTO t VALUES (1, 'one') RETURNING i, s},
	update => q{UPDATE t SET s = 'x' WHERE i = 1 RETURNING i},
	delete => q{DELETE FROM t},
	truncate => 'TRUNCATE t',
	analyze => 'ANALYZE t',
	import => 'IMPORT FOREIGN SCHEMA x FROM SERVER liar INTO public',
	dblink => q{SELECT * FROM dblink('liar', 'SELECT') AS d (i int, s text)},
	dblink_exec => q{SELECT dblink_exec('liar', 'DO')},
	'dblink of a query' => q{SELECT * FROM dblink('liar', 'SELECT i, s FROM t') AS d (i int, s text)},
	dblink_fetch => q{SELECT dblink_connect('c', 'liar'); SELECT dblink_open('c', 'x', 'SELECT');
		SELECT * FROM dblink_fetch('c', 'x', 2) AS d (i int, s text); SELECT * FROM dblink_fetch('c', 'x', 2) AS d (i int, s text) LIMIT 1;
		SELECT dblink_close('c', 'x'); SELECT dblink_disconnect('c')},
	dblink_get_result => q{SELECT dblink_connect('c', 'liar'); SELECT dblink_send_query('c', 'SELECT');
		SELECT * FROM dblink_get_result('c') AS d (i int, s text) LIMIT 1; SELECT dblink_is_busy('c'), dblink_error_message('c');
		SELECT * FROM dblink_get_result('c', false) AS d (i int, s text); SELECT * FROM dblink_get_notify('c'); SELECT dblink_disconnect('c')},
	pgml_fdw_query => q{SELECT * FROM pgml_fdw_query('liar', 'SELECT i, s FROM t WHERE i > $1', 0) AS d (i int, s text)},
	pgml_fdw_exec => q{SELECT pgml_fdw_exec('liar', 'DO $1', 1)},
	pgml_fdw_describe => q{SELECT * FROM pgml_fdw_describe('liar', 'SELECT')},
	subtransactions => q{DO $$ BEGIN FOR k IN 1 .. 3 LOOP
		BEGIN PERFORM i, s FROM t; EXCEPTION WHEN OTHERS THEN PERFORM s FROM t LIMIT 1; END; END LOOP; END $$});
my @names = sort keys %statement;
my @others = grep { $_ ne 'scan' } @names;

for my $n (0 .. $#lies)
{
	my ($name, undef, $expected) = @{ $lies[$n] };
	my $start = time;
	like(meet("lie$n", $statement{scan}), $expected, "$name, and a scan");
	meet("lie$n", $statement{$_}) for @others[ map { ($n * 4 + $_) % @others } 0 .. 3 ];
	ok(goes_on(), 'as other statements do, the session survives it');
	cmp_ok(time - $start, '<', 12, 'soon');
}

# The damage is looked at in turns by all statements.
my ($sane, $mad) = (0, 0);
for my $n (1 .. $cuts)
{
	for my $what ('scan', $names[ $n % @names ])
	{
		meet("cut$n", $statement{$what}) =~ /ERROR/ ? $mad++ : $sane++;
		ok(goes_on(), "cut $n survived by $what") or last;
	}
}
cmp_ok($mad, '>', $cuts / 2, "$mad of the connections that were cut were errors");
my $rss = $session->rss;
($sane, $mad) = (0, 0);
for my $n (1 .. $fuzzes)
{
	my $what = $names[ $n % @names ];
	meet("fuzz$n", $statement{$what}) =~ /ERROR/ ? $mad++ : $sane++;
	goes_on() or fail("damage $n killed $what"), last;
}
cmp_ok($mad, '>', $fuzzes / 4, "$mad damaged conversations were errors");
cmp_ok($sane, '>', $fuzzes / 20, "$sane did not matter");
cmp_ok($session->rss - $rss, '<', 10000, "little memory is lost: $rss kB, now " . $session->rss);
cmp_ok($session->files, '<', 60, 'and few files are open');

like(meet('lie0', $statement{scan}), $rows, 'an honest remote is understood as ever');
$session->quit;
done_testing();
