# Who may connect with what: a non-superuser needs a password of his own,
# whatever doors stand open for the account that the server runs as.
use strict;
use warnings;
use PostgreSQL::Test::Utils;
use Test::More;

use PgmlSession;
use PgmlTest;

my $canary = 'Canary7f3sings';
my $me = getpwuid $<;

# Doors: alice's opens with the password, trusty's without, peer's for the
# account of the server.
my $pgpass = PostgreSQL::Test::Utils::tempdir() . '/pgpass';
append_to_file($pgpass, "*:*:*:alice:$canary\n");
chmod 0600, $pgpass;
$ENV{PGPASSFILE} = $pgpass;
my $logging = "log_min_messages = debug2\nlog_min_error_statement = panic\n"
  . "log_connections = on\nlog_disconnections = on\n";
my ($local, $remote) = pgml_pair(
	local => { conf => "$logging\nlog_statement = none" },
	remote => {
		conf => "$logging\nlog_statement = all\nlisten_addresses = '127.0.0.1'\npassword_encryption = scram-sha-256",
		hba => "local all alice scram-sha-256\nhost all alice 127.0.0.1/32 scram-sha-256\n"
		  . "local all trusty trust\nlocal all peer_role peer map=mine",
	});
append_to_file($remote->data_dir . '/pg_ident.conf', "mine $me peer_role\n");
$remote->reload;
delete $ENV{PGPASSFILE};

$remote->safe_psql('postgres', qq{
	SET log_statement = 'none';
	CREATE ROLE alice LOGIN PASSWORD '$canary';
	CREATE ROLE trusty LOGIN;
	CREATE ROLE peer_role LOGIN;
	CREATE TABLE t (i int);
	INSERT INTO t VALUES (1);
	GRANT ALL ON t TO PUBLIC});
$local->safe_psql('postgres', q{
	CREATE ROLE bob LOGIN;
	CREATE ROLE carol LOGIN;
	GRANT ALL ON SCHEMA public TO bob, carol;
	CREATE TABLE here (i int);
	ALTER TABLE here OWNER TO bob;
	GRANT USAGE ON FOREIGN DATA WRAPPER pgml_fdw TO bob});

my ($host, $port) = ($remote->host, $remote->port);
my $connstr = "host=$host port=$port dbname=postgres";
my $denied = qr/ERROR:  2F003: password or GSSAPI delegated credentials required/;

# Makes a server "remote" whose mapping for bob says what is given, with a
# foreign table t; others get mappings in the tests.
sub server
{
	my (%opt) = @_;
	$local->safe_psql('postgres', 'DROP SERVER IF EXISTS remote CASCADE');
	pgml_connect($local, $remote, for => 'bob', %opt);
	$local->safe_psql('postgres', q{
		GRANT USAGE ON FOREIGN SERVER remote TO bob, carol;
		CREATE FOREIGN TABLE t (i int) SERVER remote OPTIONS (schema_name 'public');
		GRANT ALL ON t TO bob, carol;
		ALTER TABLE t OWNER TO bob;
		CREATE FOREIGN TABLE query_table (i int) SERVER remote OPTIONS (query 'SELECT i FROM public.t');
		ALTER TABLE query_table OWNER TO bob});
	return;
}

# Runs statements as bob; returns the messages, or else the rows.
my $session_of_bob;
sub bob
{
	my @statements = @_;
	$session_of_bob //= PgmlSession->new($local, user => 'bob');
	my @answers = map { [ $session_of_bob->ask($_) ] } @statements;
	return join('', map { $_->[1] } @answers) || join('', map { $_->[0] } @answers);
}

# What the remote has logged since it was last asked; and the connections that
# it has received.
my $log_read = 0;
sub news
{
	my $new = slurp_file($remote->logfile, $log_read);
	$log_read += length $new;
	return $new;
}

sub received
{
	my $n = () = news() =~ /connection received/g;
	return $n;
}

# What must all pass the same gate.
my %entry = (
	scan => 'SELECT * FROM t',
	insert => 'INSERT INTO t VALUES (2)',
	update => 'UPDATE t SET i = 3',
	delete => 'DELETE FROM t',
	copy => "COPY t FROM STDIN;\n1\n\\.\n",
	truncate => 'TRUNCATE t',
	analyze => 'ANALYZE t',
	'scan of a query' => 'SELECT * FROM query_table',
	'scan into a table' => 'INSERT INTO here SELECT * FROM t',
	'CREATE TABLE AS' => 'CREATE TEMP TABLE made AS SELECT * FROM t',
	'sent whole' => 'INSERT INTO t SELECT i + 1 FROM t',
	'plan that asks for sizes' => 'EXPLAIN ANALYZE SELECT * FROM t',
	pgml_fdw_pull => q{SELECT pgml_fdw_pull('remote', 't', 'here')},
	pgml_fdw_push => q{SELECT pgml_fdw_push('remote', '(SELECT 7 AS i)', 't')},
	'upsert by foreign table' => q{SELECT * FROM pgml_fdw_upsert('t', '(SELECT 1 AS i)', key => '{i}')},
	pgml_fdw_refresh_schema => q{SELECT * FROM pgml_fdw_refresh_schema('public')},
	import => 'IMPORT FOREIGN SCHEMA public FROM SERVER remote INTO public',
	'dblink of a server' => q{SELECT * FROM dblink('remote', 'SELECT 1') AS d (i int)},
	'dblink of a server, streamed' => q{SELECT * FROM dblink('remote', 'SELECT i FROM t') AS d (i int)},
	'dblink of a server, in the SELECT list' => q{SELECT dblink('remote', 'SET x.y = 1')},
	pgml_fdw_query => q{SELECT * FROM pgml_fdw_query('remote', 'SELECT i FROM t') AS d (i int)},
	'pgml_fdw_query with parameters' => q{SELECT * FROM pgml_fdw_query('remote', 'SELECT i FROM t WHERE i = $1', 1) AS d (i int)},
	pgml_fdw_exec => q{SELECT pgml_fdw_exec('remote', 'SET x.y = 1')},
	pgml_fdw_describe => q{SELECT * FROM pgml_fdw_describe('remote', 'SELECT i FROM t')},
	'dblink_exec of a server' => q{SELECT dblink_exec('remote', 'SET x.y = 1')},
	'dblink_connect of a server' => q{SELECT dblink_connect('remote')},
	'dblink_connect of a server with a name' => q{SELECT dblink_connect('name', 'remote')});

sub string_entries
{
	my ($string) = @_;
	return (
		'dblink of a string' => qq{SELECT * FROM dblink('$string', 'SELECT 1') AS d (i int)},
		'dblink_exec of a string' => qq{SELECT dblink_exec('$string', 'SET x.y = 1')},
		'dblink_connect of a string' => qq{SELECT dblink_connect('$string')},
		'dblink_connect of a string with a name' => qq{SELECT dblink_connect('name', '$string')});
}

# Refused before anything is sent, on every entry, though the door is open: the
# superuser comes in by it.
for my $door (qw(alice trusty peer_role))
{
	server(mapping => { user => $door });
	pgml_connect($local, $remote, server => 'door', mapping => { user => $door });
	is($local->safe_psql('postgres', q{SELECT * FROM dblink('door', 'SELECT current_user') AS d (u text)}),
		$door, "$door: the superuser comes in without a password");
	$local->safe_psql('postgres', 'DROP SERVER door CASCADE');
	received();

	my %all = (%entry, string_entries("$connstr user=$door"),
		map { ("$_, empty password" => { string_entries("$connstr user=$door password=''''") }->{$_}) }
		  keys %{ { string_entries('') } });
	for my $name (sort keys %all)
	{
		like(bob($all{$name}), $denied, "$door: $name is refused");
	}
	is(received(), 0, "$door: the remote has heard nothing");
}
like(bob(qq{SELECT dblink_connect('passfile=$pgpass $connstr user=alice')}), $denied,
	'a password file of his choice is no password');
server(mapping => { user => 'alice', password => '' });
like(bob('SELECT * FROM t'), $denied, 'neither is an empty password');
is(received(), 0, 'nothing has been sent');

# With the password.
for my $over ([ 'a socket', $host ], [ 'TCP', '127.0.0.1' ])
{
	server(host => $over->[1], mapping => { user => 'alice', password => $canary });
	for my $name (sort keys %entry)
	{
		unlike(bob('BEGIN', $entry{$name}, 'ROLLBACK', $name =~ /name/ ? q{SELECT dblink_disconnect('name')} : ()),
			qr/$denied|could not connect|lost/, "over $over->[0], with the password: $name");
	}
	is(bob('SELECT count(*) FROM t'), 1, "over $over->[0]: he reads");
	my %all = string_entries("host=$over->[1] port=$port dbname=postgres user=alice password=$canary");
	for my $name (sort keys %all)
	{
		unlike(bob($all{$name}, $name =~ /name/ ? q{SELECT dblink_disconnect('name')} : ()), qr/ERROR/,
			"over $over->[0]: $name");
	}
}
like(slurp_file($remote->logfile), qr/identity="alice" method=scram-sha-256/, 'it was scram-sha-256');

# A password that the remote doesn't ask for proves nothing.
server(mapping => { user => 'trusty', password => $canary });
{
	my %all = (%entry, string_entries("$connstr user=trusty password=$canary"));
	my $session = PgmlSession->new($local, user => 'bob');
	received();
	for my $name (sort keys %all)
	{
		my $err = $session->complain($all{$name});
		like($err, $denied, "password not asked for: $name is refused");
		like($err, qr/without asking/, "$name: and told why") if $name eq 'scan';
	}
	my $news = news();
	my $n = () = $news =~ /connection received/g;
	is($n, 1 + keys %all, 'they had to connect to find out, and the planner once');
	unlike($news, qr/LOG:  (statement|execute)/, 'and no command was sent');
	is($session->ask('SELECT count(*) FROM pgml_fdw_get_connections()'), 0, 'no connection is left here');
	is($remote->safe_psql('postgres', q{SELECT count(*) FROM pg_stat_activity WHERE usename = 'trusty'}),
		0, 'nor there');
	$session->quit;
}

# password_required.
server(mapping => { user => 'trusty', password_required => 'false' });
is(bob('SELECT count(*) FROM t'), 1, 'a superuser may waive the password');
like(bob(q{ALTER USER MAPPING FOR bob SERVER remote OPTIONS (SET user 'alice')}),
	qr/password_required=false is superuser-only/, 'and nobody else may touch that mapping');
server(mapping => { user => 'trusty' });
like(bob("ALTER USER MAPPING FOR bob SERVER remote OPTIONS (ADD $_)"),
	qr/ERROR:  42501: .*superuser-only/, "bob may not ADD $_")
  for q{password_required 'false'}, q{password_required 'off'}, q{sslcert '/x'}, q{sslkey '/x'};
like(bob(q{DROP USER MAPPING FOR bob SERVER remote; CREATE USER MAPPING FOR bob SERVER remote
	OPTIONS (user 'trusty', password_required 'false')}),
	qr/ERROR:  42501: .*superuser-only/, 'nor create such a mapping');
server(mapping => { user => 'trusty', password_required => 'true' });
like(bob(q{ALTER USER MAPPING FOR bob SERVER remote OPTIONS (SET password_required 'false')}),
	qr/ERROR:  42501: .*superuser-only/, 'nor SET it');

# A server of a wrapper without validator: the option was not guarded there.
$local->safe_psql('postgres', qq{
	CREATE FOREIGN DATA WRAPPER anything;
	CREATE SERVER loose FOREIGN DATA WRAPPER anything OPTIONS (host '$host', port '$port', dbname 'postgres');
	GRANT USAGE ON FOREIGN SERVER loose TO bob});
received();
like(bob(q{CREATE USER MAPPING FOR bob SERVER loose OPTIONS (user 'trusty', password_required 'false');
	SELECT * FROM dblink('loose', 'SELECT 1') AS d (i int)}), $denied, 'a waiver that nobody has guarded is none');
like(bob(qq{ALTER USER MAPPING FOR bob SERVER loose
	OPTIONS (SET user 'alice', ADD password '$canary', ADD sslkey '/x');
	SELECT * FROM dblink('loose', 'SELECT 1') AS d (i int)}), qr/42501: only a superuser may connect with "sslkey"/,
	'nor are key files');
is(received(), 0, 'nothing has been sent');

# A view is judged by its owner's mapping.
server(mapping => { user => 'trusty' });
$local->safe_psql('postgres', qq{
	CREATE USER MAPPING FOR CURRENT_USER SERVER remote OPTIONS (user 'trusty');
	CREATE USER MAPPING FOR carol SERVER remote OPTIONS (user 'alice', password '$canary');
	ALTER TABLE t OWNER TO CURRENT_USER;
	GRANT ALL ON t TO bob, carol;
	CREATE VIEW of_super AS SELECT * FROM t;
	CREATE VIEW of_bob AS SELECT * FROM t;
	ALTER VIEW of_bob OWNER TO bob;
	CREATE VIEW of_carol AS SELECT * FROM t;
	ALTER VIEW of_carol OWNER TO carol;
	CREATE VIEW invoker WITH (security_invoker) AS SELECT * FROM t;
	GRANT ALL ON of_super, of_bob, of_carol, invoker TO PUBLIC;
	CREATE FUNCTION as_super() RETURNS SETOF int LANGUAGE sql SECURITY DEFINER AS 'SELECT i FROM t';
	CREATE FUNCTION super_dblink() RETURNS SETOF int LANGUAGE sql SECURITY DEFINER
		AS \$\$ SELECT * FROM dblink('remote', 'SELECT 1') AS d (i int) \$\$});
is(bob('SELECT count(*) FROM of_super'), 1, "bob reads a superuser's view");
is(bob('SELECT count(*) FROM of_carol'), 1, "and carol's");
is(bob('SELECT count(*) FROM as_super()'), 1, "and through a superuser's function");
is(bob('SELECT count(*) FROM super_dblink()'), 1, 'dblink included');
like(bob('SELECT count(*) FROM invoker'), $denied, 'but not as himself');
like(bob('INSERT INTO of_bob VALUES (1)'), $denied, 'nor writes');
like(bob('BEGIN; INSERT INTO of_carol VALUES (1); ROLLBACK'), qr/^$/, "but does through carol's view");
{
	my ($out, $err);
	$local->psql('postgres', 'SELECT count(*) FROM of_bob', stderr => \$err);
	like($err, qr/password or GSSAPI/, "for bob's view, not even a superuser's password counts");
}

# Roles that share a mapping don't share a connection.
server(for => 'PUBLIC', mapping => { user => 'trusty' });
for my $begin ('', 'BEGIN;')
{
	my $session = PgmlSession->new($local);
	$session->ask($begin) if $begin;
	is($session->ask('SELECT count(*) FROM t'), 1, 'PUBLIC mapping: the superuser reads');
	received();
	like($session->complain('SET ROLE bob; SELECT count(*) FROM t'), $denied,
		'and bob does not ride his connection' . ($begin && ', in one transaction neither'));
	is(received(), 0, 'nothing has been sent');
	$session->quit;
}

# One who is superuser no longer loses what he had as superuser.
{
	$local->safe_psql('postgres', 'CREATE ROLE dave LOGIN SUPERUSER');
	my $session = PgmlSession->new($local, user => 'dave');
	is($session->ask('SELECT count(*) FROM t'), 1, 'dave, superuser, reads');
	$local->safe_psql('postgres', 'ALTER ROLE dave NOSUPERUSER; GRANT ALL ON t TO dave');
	like($session->complain('SELECT count(*) FROM t'), $denied, 'not any more when he is none');
	$session->quit;
}

# Naming a server needs USAGE.
server(mapping => { user => 'alice', password => $canary });
$local->safe_psql('postgres', 'REVOKE ALL ON FOREIGN SERVER remote FROM bob');
like(bob($entry{$_}), qr/ERROR:  42501: permission denied for foreign server remote/, "$_ needs USAGE")
  for grep { /dblink|import|pgml_fdw/ } sort keys %entry;
is(bob('SELECT count(*) FROM t'), 1, 'a scan does not');

# dblink_connect_u asks for no password; it is for those who are let.
$local->safe_psql('postgres', 'GRANT USAGE ON FOREIGN SERVER remote TO bob; ALTER USER MAPPING FOR bob SERVER remote OPTIONS (SET user \'trusty\', DROP password)');
like(bob("SELECT dblink_connect_u($_)"), qr/42501: permission denied for function dblink_connect_u/, "dblink_connect_u($_) is not for everybody")
  for "'remote'", "'name', 'remote'", "'$connstr user=trusty'", "'name', '$connstr user=trusty'";
$local->safe_psql('postgres', 'GRANT EXECUTE ON FUNCTION dblink_connect_u(text, text) TO bob');
is(bob(q{SELECT dblink_connect_u('u', 'remote')}), 'OK', 'but for those to whom it is granted');
is(bob(q{SELECT * FROM dblink('u', 'SELECT current_user') AS d (u text)}), 'trusty', 'with their own mapping');
bob(q{SELECT dblink_disconnect('u')});
$local->safe_psql('postgres', 'REVOKE USAGE ON FOREIGN SERVER remote FROM bob');
like(bob(q{SELECT dblink_connect_u('u', 'remote')}), qr/42501: permission denied for foreign server/, 'and with USAGE');
$local->safe_psql('postgres', qq{ALTER USER MAPPING FOR bob SERVER remote OPTIONS (SET user 'alice', ADD password '$canary')});

# Keywords.  Whoever meets a new one in libpq sorts it into one of these.
my @refused = qw(authtype client_encoding fallback_application_name oauth_ca_file oauth_client_id
  oauth_client_secret oauth_issuer oauth_scope replication requiressl scram_client_key
  scram_server_key servicefile sslkeylogfile tty);
my @of_mapping = qw(user password sslpassword);
my @allowed = qw(application_name channel_binding connect_timeout dbname gssdelegation gssencmode gsslib
  host hostaddr keepalives keepalives_count keepalives_idle keepalives_interval krbsrvname
  load_balance_hosts max_protocol_version min_protocol_version options passfile port require_auth
  requirepeer service ssl_max_protocol_version ssl_min_protocol_version sslcert sslcertmode
  sslcompression sslcrl sslcrldir sslkey sslmode sslnegotiation sslrootcert sslsni
  target_session_attrs tcp_user_timeout);
my %of_list = ((map { $_ => 'refused' } @refused), (map { $_ => 'of mapping' } @of_mapping),
	(map { $_ => 'allowed' } @allowed));

my $pg_config = $ENV{PG_CONFIG} // 'pg_config';
my ($include, $lib) = map { chomp(my $dir = `$pg_config --$_`); $dir } qw(includedir libdir);
my $program = PostgreSQL::Test::Utils::tempdir() . '/conndefaults';
system_or_bail('cc', '-o', $program, 'test/src/conndefaults.c', "-I$include", "-L$lib", "-Wl,-rpath,$lib", '-lpq');
my @known = split /\n/, `$program`;
cmp_ok(scalar @known, '>', 30, 'libpq has told its keywords');
is(join(' ', grep { !$of_list{$_} } @known), '', 'each of them is sorted into allowed or refused');

for my $keyword (sort keys %of_list)
{
	my ($at_server, $at_mapping);
	$local->psql('postgres', "BEGIN; CREATE SERVER k FOREIGN DATA WRAPPER pgml_fdw OPTIONS ($keyword '1'); ROLLBACK",
		stderr => \$at_server, on_error_stop => 0);
	$local->psql('postgres', "BEGIN; ALTER USER MAPPING FOR bob SERVER remote OPTIONS (ADD $keyword '1'); ROLLBACK",
		stderr => \$at_mapping, on_error_stop => 0)
	  unless $keyword =~ /^(user|password)$/;
	my $invalid = qr/invalid option "$keyword"/;
	if ($of_list{$keyword} eq 'allowed')
	{
		is($at_server, '', "$keyword is an option of a server");
	}
	else
	{
		like($at_server, $invalid, "$keyword is not an option of a server");
	}
	like($at_mapping, $invalid, "$keyword is not an option of a mapping")
	  if $of_list{$keyword} eq 'refused' || $keyword eq 'host';
	next if $of_list{$keyword} ne 'refused';

	# one that libpq doesn't know makes the string invalid; two don't get as far
	next if $keyword eq 'client_encoding';    # is overridden, see below
	next if $keyword eq 'requiressl';    # libpq reads it as sslmode
	$local->psql('postgres', "SELECT dblink_connect('$connstr user=trusty $keyword=1')", stderr => \my $string);
	like($string, qr/permission denied to set connection option "$keyword"|invalid connection string/,
		"$keyword is refused in a connection string");
}
is($local->safe_psql('postgres', qq{SELECT * FROM dblink('$connstr user=trusty client_encoding=LATIN1',
	'SHOW client_encoding') AS d (e text)}), 'UTF8', 'client_encoding in a string is overridden');

# The canary.  The statements that hold it fail or not, but don't repeat it.
my @songs = (
	"SELECT dblink_connect('$connstr user=nobody password=$canary')",
	"SELECT dblink_connect('host=/nowhere port=1 user=alice password=$canary')",
	"SELECT dblink_connect('host=127.0.0.1 port=1 user=alice password=$canary')",
	"SELECT dblink_connect('$connstr user=alice password=$canary bad')",
	"SELECT dblink_connect('$connstr user=alice password=''$canary')",
	"SELECT dblink_connect('password=$canary host')",
	"SELECT dblink_connect('$connstr user=alice password=x$canary')",
	"SELECT dblink_connect('$connstr user=alice password=$canary options=-csearch_path=x' || repeat(' ', 100))",
	"SELECT * FROM dblink('nosuch password=$canary', 'SELECT 1') AS d (i int)",
	"SELECT dblink_exec('postgresql://alice:$canary\@[/postgres', 'SELECT 1')",
	"SELECT dblink_exec('postgresql://alice:$canary\@127.0.0.1:$port/postgres', 'syntax error')",
	"CREATE USER MAPPING FOR carol SERVER remote OPTIONS (user 'alice', passwort '$canary')",
	"CREATE USER MAPPING FOR carol SERVER remote OPTIONS (password '$canary', host 'x')",
	"CREATE SERVER k FOREIGN DATA WRAPPER pgml_fdw OPTIONS (password '$canary')",
	"ALTER USER MAPPING FOR bob SERVER remote OPTIONS (SET password 'x$canary'); SELECT * FROM t",
	"ALTER USER MAPPING FOR bob SERVER remote OPTIONS (SET password '$canary'); SELECT * FROM t",
	'SELECT * FROM nosuch', 'EXPLAIN (VERBOSE, ANALYZE) SELECT * FROM t', 'SELECT 1/i FROM t WHERE i / 0 = 1',
	'EXPLAIN (VERBOSE) INSERT INTO t SELECT 1', 'SELECT * FROM pgml_fdw_get_connections(true)');
$local->safe_psql('postgres', 'GRANT USAGE ON FOREIGN SERVER remote TO bob');
{
	my $session = PgmlSession->new($local, user => 'bob');
	for my $song (@songs)
	{
		my ($out, $err) = $session->ask($song);
		unlike("$out$err", qr/$canary/, 'no canary after: ' . $song =~ s/$canary/.../r);
	}
	$session->quit;
}
{
	my $session = PgmlSession->new($local, user => 'carol');
	unlike(join('', $session->ask($_)), qr/$canary/, "carol finds no canary: $_")
	  for 'SELECT * FROM pg_user_mappings', 'SELECT * FROM information_schema.user_mapping_options',
	  q{SELECT * FROM pgml_fdw_migrate('remote')}, 'SELECT * FROM pg_foreign_server', 'TABLE pg_user_mapping';
	$session->quit;
}
unlike(slurp_file($_->logfile), qr/$canary/, 'no canary in the log of ' . $_->name) for $local, $remote;

done_testing();
