# shellcheck shell=bash disable=SC2034,SC2154
# How often the remote is waited for; that doesn't depend on way or machine.
# postgres_fdw's trips are the statements that the remote logs: it sends one at a
# time.  Connecting isn't counted.
contenders=(pgml fdw)
subjects=("first SELECT" "later SELECT" "1,000 rescans")
unit='round trips'
overs=("${ways[0]}") rounds=1

measure() {
	local output one
	one=$(table "$1" one)
	on_remote -c "ALTER ROLE postgres SET log_statement = 'all'"
	output=$(
		{
			[ "$2" = "first SELECT" ] || echo "SELECT * FROM $one; SELECT * FROM $one;"
			count_trips "$1" before
			if [ "$2" = "1,000 rescans" ]; then
				echo "SELECT count(*) FROM generate_series(1, 1000) AS i, LATERAL (SELECT * FROM $one WHERE one <= i OFFSET 0) AS o;"
			else
				echo "SELECT * FROM $one;"
			fi
			count_trips "$1" after
			# shellcheck disable=SC2028
			echo '\echo :before_round_trips :after_round_trips :before_messages :after_messages'
		} | on_local | tail -n 1
	)
	on_remote -c "ALTER ROLE postgres RESET log_statement"
	read -r -a output <<<"$output"
	value=$((output[1] - output[0]))
	[ "$1" != pgml ] || note="$((output[3] - output[2])) messages"
}

# Prints psql commands that set NAME_round_trips for a contender.
count_trips() {
	if [ "$1" = pgml ]; then
		echo "SELECT * FROM pgml_fdw_stats() \\gset $2_"
	else
		echo "\\set $2_round_trips \`grep -cE '^postgres_fdw LOG:  (statement|execute)' '$remote/remote.log'\`"
	fi
}
