# shellcheck shell=bash disable=SC2034,SC2154
# A hundred keys of a local table joined with a large remote one, whose rows
# nobody here has counted, or somebody has.  postgres_fdw's round trips are the
# statements that the remote logs in a run that isn't timed.
contenders=(pgml fdw)
subjects=("never analyzed" "analyzed")

prepare() {
	local name answer
	on_remote -c "CREATE UNIQUE INDEX IF NOT EXISTS narrow_id ON narrow (id)" -c "ANALYZE narrow"
	on_local -c "CREATE TABLE IF NOT EXISTS here.keys AS SELECT i * max / 100 AS id
		FROM generate_series(1, 100) AS i, (SELECT max(id) FROM $(table "${contenders[0]}" narrow)) AS m" -c "ANALYZE here.keys"
	for name in "${contenders[@]}"; do
		on_local -c "DROP SCHEMA IF EXISTS keys_$name CASCADE" -c "CREATE SCHEMA keys_$name" \
			-c "IMPORT FOREIGN SCHEMA public LIMIT TO (narrow) FROM SERVER ${name}_$over INTO keys_$name
				$([ "$name" != pgml ] || echo "OPTIONS (import_stats 'false')")" \
			-c "ANALYZE $(table "$name" narrow)"
	done
	answer=$(on_local -c "SELECT count(*), sum(id) FROM here.keys")
	for name in "${contenders[@]}"; do
		[ "$(on_local -c "SELECT count(*), sum(n.id) FROM here.keys JOIN keys_$name.narrow AS n USING (id)")" = "$answer" ] ||
			die "$what over $over, $name: not the rows that have the keys"
	done
}

measure() {
	local joined before
	joined="SELECT count(n), sum(n.id) FROM here.keys JOIN $(
		[ "$2" = analyzed ] && table "$1" narrow || echo "keys_$1.narrow") AS n USING (id)"
	timed "$1" "$joined" "" ""
	if [ "$1" != pgml ] && [ "$round" = 1 ]; then
		on_remote -c "ALTER ROLE postgres SET log_statement = 'all'"
		before=$(count_logged)
		on_local -c "$joined" >/dev/null
		note="$(($(count_logged) - before)) statements sent"
		on_remote -c "ALTER ROLE postgres RESET log_statement"
	fi
}

count_logged() { grep -cE '^postgres_fdw LOG:  (statement|execute)' "$remote/remote.log" || true; }
