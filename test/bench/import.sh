# shellcheck shell=bash disable=SC2034,SC2154
# IMPORT FOREIGN SCHEMA of 1,000 tables (at SCALE 1) with ten columns each, in a
# transaction that is rolled back.
contenders=(pgml fdw)
number=$(awk "BEGIN { n = int(1000 * $scale); print n < 1 ? 1 : n }")
subjects=("$number tables")

prepare() {
	on_remote <<-SQL
		CREATE SCHEMA IF NOT EXISTS many;
		SELECT format('CREATE TABLE IF NOT EXISTS many.t%s (id bigint PRIMARY KEY, name text NOT NULL, at timestamptz,
		    price numeric(10, 2), tags text[], note varchar(20), flag boolean, data jsonb, a int, b float8)', i)
		  FROM generate_series(1, $number) AS i \gexec
	SQL
}

measure() {
	timed "$1" "IMPORT FOREIGN SCHEMA many FROM SERVER ${1}_$over INTO imported" \
		"BEGIN; CREATE SCHEMA imported;" \
		"SELECT 'Tables: ' || count(*) FROM pg_class WHERE relnamespace = 'imported'::regnamespace; ROLLBACK;"
	[ "$(sed -n 's/^Tables: //p' <<<"$output")" = "$number" ] || die "$what over $over, $1: tables are missing"
}
