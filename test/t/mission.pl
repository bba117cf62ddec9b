# The mission, statement by statement and in its order, by a role that is no
# superuser: with a server of pgml_fdw, and with one of postgres_fdw whose wrapper
# has been handed over by the one statement that the README names.  In the same
# backend: postgres_fdw, and contrib's dblink in another schema.
use strict;
use warnings;
use PostgreSQL::Test::Utils;
use Test::More;

use PgmlTest;

my ($local, $remote) = pgml_pair(
	remote => { hba => "local all reader,writer scram-sha-256" });

# Production: a login that may only read, and one that may write results.
$remote->safe_psql('postgres', q{
	CREATE ROLE reader LOGIN PASSWORD 'r-secret';
	CREATE ROLE writer LOGIN PASSWORD 'w-secret';
	ALTER ROLE reader SET default_transaction_read_only = on;
	CREATE TABLE users (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, "Full Name" text NOT NULL,
		email varchar(80), joined timestamptz, balance numeric(12, 2), tags text[]);
	INSERT INTO users ("Full Name", email, joined, balance, tags)
		SELECT 'User ' || i, i || '@example.com', '2024-01-01'::timestamptz + i * interval '1 hour', i / 7.0, ARRAY['t' || i % 3]
		FROM generate_series(1, 1000) i;
	CREATE TABLE user_embeddings (user_id bigint PRIMARY KEY, embedding float4[]);
	GRANT USAGE ON SCHEMA public TO reader, writer;
	GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader, writer;
	GRANT INSERT, UPDATE, DELETE ON user_embeddings TO writer});

$local->safe_psql('postgres', q{
	CREATE EXTENSION postgres_fdw;
	ALTER EXTENSION pgml_fdw DROP FOREIGN DATA WRAPPER dblink_fdw;
	DROP FOREIGN DATA WRAPPER dblink_fdw;
	CREATE SCHEMA contrib;
	CREATE EXTENSION dblink SCHEMA contrib;
	CREATE ROLE analyst LOGIN;
	GRANT USAGE ON SCHEMA contrib TO analyst;
	GRANT CREATE ON DATABASE postgres TO analyst;
	GRANT USAGE ON FOREIGN DATA WRAPPER pgml_fdw, postgres_fdw TO analyst});

# Runs the mission in a schema of its own by servers of this wrapper.
sub mission
{
	my ($wrapper) = @_;
	my $options = pgml_options(host => $remote->host, port => $remote->port, dbname => 'postgres');
	my ($out, $err);
	my $rc = $local->psql('postgres', qq{
		CREATE SCHEMA ${wrapper}_work;
		SET search_path = ${wrapper}_work, public;
		CREATE SERVER production_db FOREIGN DATA WRAPPER $wrapper OPTIONS ($options);
		CREATE USER MAPPING FOR CURRENT_USER SERVER production_db OPTIONS (user 'reader', password 'r-secret');
		SELECT * FROM dblink('production_db', 'SELECT 1 AS one') AS t1(one integer);
		CREATE SCHEMA production_tables;
		IMPORT FOREIGN SCHEMA public FROM SERVER production_db INTO production_tables;
		CREATE TABLE vip (id bigint); INSERT INTO vip SELECT generate_series(1, 1000, 100);
		SELECT count(*), min("Full Name"), sum(balance) FROM production_tables.users JOIN vip USING (id);
		CREATE TABLE bulk_access_users (LIKE production_tables.users);
		INSERT INTO bulk_access_users SELECT * FROM production_tables.users;
		ALTER TABLE bulk_access_users ADD COLUMN embedding float4[];
		UPDATE bulk_access_users SET embedding = ARRAY[length("Full Name"), length(email), id];
		SELECT count(*), count(embedding), sum(balance) FROM bulk_access_users;
		CREATE SERVER production_db_rw FOREIGN DATA WRAPPER $wrapper OPTIONS ($options);
		CREATE USER MAPPING FOR CURRENT_USER SERVER production_db_rw OPTIONS (user 'writer', password 'w-secret');
		CREATE SCHEMA back;
		IMPORT FOREIGN SCHEMA public LIMIT TO (user_embeddings) FROM SERVER production_db_rw INTO back;
		DELETE FROM back.user_embeddings;
		INSERT INTO back.user_embeddings SELECT id, embedding FROM bulk_access_users;
		UPDATE back.user_embeddings e SET embedding = b.embedding || 0::float4 FROM bulk_access_users b WHERE b.id = e.user_id AND b.id <= 10;
		SELECT count(*), sum(cardinality(embedding)) FROM production_tables.user_embeddings;
		-- contrib's dblink beside ours, and a refusal: reader may not write
		SELECT contrib.dblink_connect('other', 'host=nowhere port=1 connect_timeout=2');
	}, stdout => \$out, stderr => \$err, on_error_stop => 0, extra_params => [ '-U', 'analyst' ]);

	my $joined = $remote->safe_psql('postgres', 'SELECT count(*), min("Full Name"), sum(balance) FROM users WHERE id % 100 = 1');
	my $copied = $remote->safe_psql('postgres', 'SELECT count(*), count(*), sum(balance) FROM users');
	my @rows = grep { $_ ne '' } split /\n/, $out;
	is_deeply(\@rows, [
		'1', $joined, $copied, '1000|3010' ],
		"$wrapper: every step gives what it should") or diag("$out\n$err");
	like($err, qr/\A[^\n]*password[^\n]*required/, "$wrapper: nothing failed but what contrib's dblink refuses");

	my $refused = '';
	$local->psql('postgres', q{INSERT INTO production_tables.user_embeddings VALUES (0, '{}')},
		stderr => \$refused, extra_params => [ '-U', 'analyst' ]);
	like($refused, qr/read-only transaction|permission denied/, "$wrapper: the reader can't write");

	is($remote->safe_psql('postgres', 'SELECT count(*), sum(embedding[3]) FROM user_embeddings'),
		'1000|500500', "$wrapper: the results are on production");
	$local->safe_psql('postgres', "DROP SCHEMA production_tables, back CASCADE; DROP SERVER production_db, production_db_rw CASCADE");
	return;
}

mission('pgml_fdw');

$local->safe_psql('postgres',
	'ALTER FOREIGN DATA WRAPPER postgres_fdw HANDLER pgml_fdw_handler VALIDATOR pgml_fdw_validator');
mission('postgres_fdw');
is($local->safe_psql('postgres', q{SELECT fdwname FROM pg_foreign_data_wrapper
	WHERE fdwhandler::regproc::text = 'pgml_fdw_handler' ORDER BY 1}),
	"pgml_fdw\npostgres_fdw", 'both wrappers are ours');

done_testing();
