# Text between databases of different encodings, asked for by clients of yet
# other encodings.  Nothing in this file and its output is anything but ASCII: text
# is written with escapes and compared as the hexadecimal form of its UTF-8.
use strict;
use warnings;
use PostgreSQL::Test::Utils;
use Test::More;

use PgmlTest;

my ($local, $remote) = pgml_pair();
my %encoding = (utf8 => 'UTF8', latin1 => 'LATIN1', ascii => 'SQL_ASCII');
# what a client may set for a database of an encoding, itself aside
my %clients = (utf8 => [qw(UTF8 LATIN1 WIN1252 SJIS)], latin1 => [qw(LATIN1 UTF8 MULE_INTERNAL)]);

# Types of every way that text can take: text itself, with and without a limit, in
# arrays, behind an input function, and of types that users have made.
my $types = q{
	CREATE TYPE mood AS ENUM (U&'fr\00f6hlich', 'sad');
	CREATE TYPE pair AS (a int, b text);
	CREATE DOMAIN word AS text CHECK (VALUE <> '');
	CREATE TYPE words AS RANGE (subtype = text)};
my $columns = q{
	id int, U&"c\00f6l" text, v varchar(6), c char(6), n name, j json, b jsonb, t text[], vs varchar(6)[], js jsonb[],
	ts tsvector, tq tsquery, e mood, es mood[], p pair, d word, ds word[], r words, jp jsonpath};
my $row = q{
	1, U&'\00e4\00f6\00fc', U&'\00e4\00f6\00fc\00df12', U&'\00e4\00f6', U&'n\00e4me', U&'{"k\00e4": "\00f6"}', U&'{"k\00e4": "\00f6"}',
	U&'{\00e4,NULL,"\00fc,"}', U&'{\00e4\00f6\00fc\00df12}', ARRAY[U&'"\00e4"']::jsonb[], U&'''\00e4pfel'':1', U&'''\00e4pfel''',
	U&'fr\00f6hlich', U&'{sad,fr\00f6hlich}', ROW(1, U&'\00e4'), U&'w\00f6rter', U&'{w\00f6rter}', U&'[\00e4,\00f6]', U&'$."\00e4"'};
# those columns that can travel in binary form
my $plain = q{id, U&"c\00f6l", v, c, n, j, b, t, vs, js};
# the UTF-8 of every column, null where it is null
my $as_hex = q{SELECT id, encode(convert_to(key, 'UTF8'), 'hex'), encode(convert_to(value, 'UTF8'), 'hex')
	FROM %s AS tab, jsonb_each_text(to_jsonb(tab)) ORDER BY 1, 2};

# Runs SQL that must succeed; returns its output.
sub run_sql
{
	my ($node, $db, $sql) = @_;
	my ($out, $err) = ('', '');
	my $rc = $node->psql($db, $sql, stdout => \$out, stderr => \$err, on_error_stop => 1);
	is($rc, 0, "runs on $db") or diag($err);
	return $out;
}

# Returns the error of SQL that must fail.
sub error_of
{
	my ($node, $db, $sql) = @_;
	my $err = '';
	$node->psql($db, $sql, stdout => \my $out, stderr => \$err, on_error_stop => 1);
	return $err;
}

sub create_databases
{
	my ($node) = @_;
	$node->safe_psql('postgres', "CREATE DATABASE $_ TEMPLATE template0 ENCODING '$encoding{$_}' LC_COLLATE 'C' LC_CTYPE 'C'")
	  for sort keys %encoding;
}
create_databases($_) for $local, $remote;
for my $db (qw(utf8 latin1))
{
	run_sql($remote, $db, qq{
		$types;
		CREATE TABLE U&"t\\00e4b" ($columns);
		INSERT INTO U&"t\\00e4b" VALUES ($row);
		INSERT INTO U&"t\\00e4b" (id) VALUES (2);
		CREATE TABLE written (LIKE U&"t\\00e4b");
		CREATE TABLE plain AS SELECT $plain FROM written});
	run_sql($local, $db, "$types; CREATE EXTENSION pgml_fdw; CREATE TABLE near ($columns); "
		. "INSERT INTO near VALUES ($row); INSERT INTO near (id) VALUES (2)");
}

for my $here (qw(utf8 latin1))
{
	for my $there (qw(utf8 latin1))
	{
		run_sql($local, $here, sprintf q{
			CREATE SERVER %1$s FOREIGN DATA WRAPPER pgml_fdw OPTIONS (host '%2$s', port '%3$s', dbname '%1$s');
			CREATE USER MAPPING FOR CURRENT_USER SERVER %1$s;
			CREATE FOREIGN TABLE %1$s_tab (%4$s) SERVER %1$s OPTIONS (schema_name 'public', table_name U&'t\00e4b');
			CREATE FOREIGN TABLE %1$s_written (%4$s) SERVER %1$s OPTIONS (schema_name 'public', table_name 'written');
			CREATE FOREIGN TABLE %1$s_plain (id int, U&"c\00f6l" text, v varchar(6), c char(6), n name, j json, b jsonb, t text[], vs varchar(6)[], js jsonb[])
				SERVER %1$s OPTIONS (schema_name 'public', table_name 'plain');
			CREATE SCHEMA %1$s_imported;
			IMPORT FOREIGN SCHEMA public LIMIT TO (U&"t\00e4b") FROM SERVER %1$s INTO %1$s_imported
		}, $there, $remote->host, $remote->port, $columns);

		my $stored = run_sql($remote, $there, sprintf $as_hex, 'U&"t\00e4b"');
		like($stored, qr/c3a4/, 'the stored text is in UTF-8');
		is(run_sql($local, $here, sprintf $as_hex, 'near'), $stored, 'near and far have the same row');

		for my $client (@{ $clients{$here} })
		{
			my $name = "$there read from $here for $client";
			my $set = "SET client_encoding = $client;";

			is(run_sql($local, $here, $set . sprintf $as_hex, "${there}_tab"), $stored, $name);
			is(run_sql($local, $here, "$set SELECT id FROM ${there}_tab WHERE U&\"c\\00f6l\" = U&'\\00e4\\00f6\\00fc' AND v LIKE U&'\\00e4%'"),
				1, "$name: a condition");
			is(run_sql($local, $here, "$set SELECT encode(convert_to(x, 'UTF8'), 'hex') FROM dblink('$there', U&'SELECT ''\\00e4''') AS d (x text)"),
				'c3a4', "$name: by dblink");
			run_sql($local, $here, "$set DELETE FROM ${there}_written; INSERT INTO ${there}_written SELECT * FROM near;
				UPDATE ${there}_written SET U&\"c\\00f6l\" = U&'\\00e4\\00f6\\00fc' WHERE U&\"c\\00f6l\" LIKE U&'\\00e4%'");
			is(run_sql($remote, $there, sprintf $as_hex, 'written'), $stored, "$there written from $here for $client");
			for my $method (qw(copy values))
			{
				run_sql($local, $here, "$set SET pgml_fdw.insert_method = $method; DELETE FROM ${there}_written; INSERT INTO ${there}_written SELECT * FROM near;
					DELETE FROM ${there}_plain; INSERT INTO ${there}_plain SELECT $plain FROM near");
				is(run_sql($remote, $there, sprintf $as_hex, 'written'), $stored, "$there written from $here for $client by $method");
				is(run_sql($remote, $there, sprintf $as_hex, 'plain'), run_sql($remote, $there, sprintf $as_hex, "(SELECT $plain FROM U&\"t\\00e4b\")"),
					'binary forms too');
			}
		}
		is(run_sql($local, $here, sprintf 'SELECT id FROM %s_imported.U&"t\00e4b" WHERE U&"c\00f6l" IS NOT NULL', $there), 1,
			"$there imported from $here");
	}
}

# What has no place in the local encoding
run_sql($remote, 'utf8', q{CREATE TABLE euro AS SELECT U&'\20ac'::text AS t, 1 AS i});
run_sql($local, $_, "CREATE FOREIGN TABLE euro (t text, i int) SERVER utf8") for qw(utf8 latin1);
is(run_sql($local, 'utf8', q{SELECT t = U&'\20ac' FROM euro}), 't', 'UTF-8 holds it');
like(error_of($local, 'latin1', 'SELECT t FROM euro'), qr/has no equivalent in encoding "LATIN1"/, 'LATIN1 does not');
is(run_sql($local, 'latin1', 'SELECT i FROM euro'), 1, 'the other columns can be read');
like(error_of($local, 'utf8', q{INSERT INTO latin1_written (v) VALUES (U&'\20ac')}),
	qr/has no equivalent in encoding "LATIN1"/, 'nor can it be written to LATIN1');

# A database that doesn't know its encoding: bytes are checked here, whatever way they take
run_sql($remote, 'ascii', q{
	CREATE TABLE raw (id int, t text, v varchar(9), n name, a text[], j json);
	INSERT INTO raw VALUES (1, E'\xc3\xa4', E'\xc3\xa4', E'\xc3\xa4', ARRAY[E'\xc3\xa4'], E'"\xc3\xa4"'),
		(2, E'\xe4', E'\xe4', E'\xe4', ARRAY[E'\xe4'], E'"\xe4"')});
for my $db (qw(utf8 latin1))
{
	run_sql($local, $db, sprintf q{
		CREATE SERVER ascii FOREIGN DATA WRAPPER pgml_fdw OPTIONS (host '%s', port '%s', dbname 'ascii');
		CREATE USER MAPPING FOR CURRENT_USER SERVER ascii;
		CREATE FOREIGN TABLE raw (id int, t text, v varchar(9), n name, a text[], j json) SERVER ascii;
		CREATE FOREIGN TABLE other (id int, n text, j jsonb) SERVER ascii OPTIONS (table_name 'raw')
	}, $remote->host, $remote->port);
}
is(run_sql($local, 'utf8', q{SELECT encode(convert_to(concat(t, v, n, a, j), 'UTF8'), 'hex') FROM raw WHERE id = 1}),
	'c3a4c3a4c3a47bc3a47d22c3a422', 'valid bytes are taken');
like(error_of($local, 'utf8', "SELECT $_ FROM raw"), qr/invalid byte sequence for encoding "UTF8": 0xe4/, "invalid ones are refused ($_)")
  for qw(t v n a j);
like(error_of($local, 'utf8', "SELECT $_ FROM other"), qr/invalid byte sequence for encoding "UTF8": 0xe4/, "and in text form ($_)")
  for qw(n j);
like(error_of($local, 'utf8', q{SELECT * FROM dblink('ascii', 'SELECT t FROM raw') AS d (t text)}),
	qr/invalid byte sequence for encoding "UTF8": 0xe4/, 'and by dblink');
is(run_sql($local, 'latin1', q{SELECT encode(convert_to(t, 'UTF8'), 'hex') FROM raw WHERE id = 2}), 'c3a4', 'in LATIN1 every byte is valid');

# And a local one of that kind takes what comes
run_sql($local, 'ascii', sprintf q{
	CREATE EXTENSION pgml_fdw;
	CREATE SERVER utf8 FOREIGN DATA WRAPPER pgml_fdw OPTIONS (host '%s', port '%s', dbname 'utf8');
	CREATE USER MAPPING FOR CURRENT_USER SERVER utf8;
	CREATE FOREIGN TABLE euro (t text, i int) SERVER utf8
}, $remote->host, $remote->port);
is(run_sql($local, 'ascii', q{SELECT encode(t::bytea, 'hex') FROM euro}), 'e282ac', 'SQL_ASCII takes the bytes as they are');

done_testing();
