# shellcheck shell=bash disable=SC2034,SC2154
# A query that stops early, for which the remote would have millions of rows,
# against the same on a local table.
contenders=(local pgml pgml-copy fdw10k fdw dblink)
subjects=(narrow)

prepare() {
	[ "$over" = "${overs[0]}" ] || return 0
	on_local -c "DROP TABLE IF EXISTS here.narrow" -c "CREATE TABLE here.narrow (LIKE pgml_$over.narrow)" \
		-c "CREATE OR REPLACE FUNCTION here.local_filter(id int8) RETURNS bool LANGUAGE plpgsql
			AS 'BEGIN RETURN id % 1000 = 0; END'"
	on_remote -c "COPY narrow TO STDOUT (FORMAT binary)" | on_local -c "COPY here.narrow FROM STDIN (FORMAT binary)"
	on_local -c "VACUUM (FREEZE, ANALYZE) here.narrow"
}

measure() {
	local active="SELECT 'remote backends at work afterwards', count(*) FROM pg_stat_activity
		WHERE state = 'active' AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
	timed "$1" "EXPLAIN ANALYZE SELECT * FROM $(table "$1" "$2") WHERE here.local_filter(id) LIMIT 10" \
		"SELECT here.local_filter(1);" \
		"\\! psql -X -A -t -F ': ' -h $remote -p $port -U postgres -d bench -c \"${active//$'\n'/ }\""
	note="first row after $(sed -n '1,/^Limit/s/^Limit .*actual time=\([0-9.]*\)\.\..*/\1/p' <<<"$output") ms, $(
		tail -n 1 <<<"$output")${note:+, $note}"
}
