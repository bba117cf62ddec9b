# shellcheck shell=bash disable=SC2034,SC2154
# INSERT ... SELECT into a local unlogged table, against a pipe of two psql.
contenders=(pipe pgml fdw10k fdw)
subjects=("${tables[@]}")

prepare() {
	local subject
	for subject in "${subjects[@]}"; do
		on_local -c "DROP TABLE IF EXISTS here.$subject" \
			-c "CREATE UNLOGGED TABLE here.$subject (LIKE pgml_$over.$subject)"
	done
}

measure() {
	local start
	if [ "$1" = pipe ]; then
		on_local -c "TRUNCATE here.$2"
		start=${EPOCHREALTIME/./}
		PGPASSWORD=$password psql -X -q -d "$(way "$over") dbname=bench user=postgres" \
			-c "COPY $2 TO STDOUT (FORMAT binary)" | on_local -c "COPY here.$2 FROM STDIN (FORMAT binary)"
		value=$(awk "BEGIN { print (${EPOCHREALTIME/./} - $start) / 1000 }")
	else
		timed "$1" "INSERT INTO here.$2 SELECT * FROM $(table "$1" "$2")" "TRUNCATE here.$2;" ''
	fi
	[ "$round" -gt 1 ] || compare "$1" "$2" local
}
