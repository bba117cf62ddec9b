# shellcheck shell=bash disable=SC2034,SC2154
# Whole tables: into local ones of several sorts, and into remote ones, against a
# pipe of two psql.  pgml and postgres_fdw do it by INSERT ... SELECT and CREATE
# TABLE AS, pgml-bulk by the functions.
contenders=(pipe pgml-bulk pgml fdw10k)
rounds=${ROUNDS:-3}
subjects=()
for table in "${tables[@]}"; do
	subjects+=("$table unlogged" "$table logged" "$table key" "$table made" "$table pushed")
done

# What is pushed is here.T, into the remote's pushed_T.
prepare() {
	local table name
	for table in "${tables[@]}"; do
		on_remote -c "SET client_min_messages = warning" -c "DROP TABLE IF EXISTS pushed_$table" \
			-c "CREATE UNLOGGED TABLE pushed_$table (LIKE $table)"
		on_local -c "DROP TABLE IF EXISTS here.bulk_$table" -c "CREATE UNLOGGED TABLE here.bulk_$table AS
			SELECT * FROM pgml_$over.$table" -c "VACUUM (FREEZE) here.bulk_$table"
		for name in pgml ${peers:+fdw10k}; do
			on_local -c "DROP FOREIGN TABLE IF EXISTS ${name}_$over.pushed_$table" \
				-c "IMPORT FOREIGN SCHEMA public LIMIT TO (pushed_$table) FROM SERVER ${name}_$over INTO ${name}_$over"
		done
		[ -z "$peers" ] || on_local -c "ALTER FOREIGN TABLE fdw10k_$over.pushed_$table OPTIONS (ADD batch_size '1000')"
	done
	on_remote -c CHECKPOINT
	on_local -c CHECKPOINT
}

measure() {
	local table=${2% *} sort=${2#* } into
	local target="here.into_$table"
	into="CREATE TABLE $target (LIKE pgml_$over.$table)"
	[ "$sort" != unlogged ] || into=${into/TABLE/UNLOGGED TABLE}
	[ "$sort" != key ] || into+="; ALTER TABLE $target ADD PRIMARY KEY (id)"

	on_local -c "DROP TABLE IF EXISTS $target"
	on_remote -c "TRUNCATE pushed_$table"
	[[ $sort = made || $sort = pushed ]] || on_local -c "$into"
	case $1-$sort in
	pipe-pushed)
		local start=${EPOCHREALTIME/./}
		on_local -c "COPY here.bulk_$table TO STDOUT (FORMAT binary)" |
			PGPASSWORD=$password psql -X -q -v ON_ERROR_STOP=1 -d "$(way "$over") dbname=bench user=postgres" \
				-c "COPY pushed_$table FROM STDIN (FORMAT binary)"
		value=$(awk "BEGIN { print (${EPOCHREALTIME/./} - $start) / 1000 }")
		;;
	pipe-*)
		local start=${EPOCHREALTIME/./}
		[ "$sort" != made ] || on_local -c "$into"
		PGPASSWORD=$password psql -X -q -d "$(way "$over") dbname=bench user=postgres" \
			-c "COPY $table TO STDOUT (FORMAT binary)" | on_local -c "COPY $target FROM STDIN (FORMAT binary)"
		value=$(awk "BEGIN { print (${EPOCHREALTIME/./} - $start) / 1000 }")
		;;
	pgml-bulk-pushed) timed "$1" "SELECT pgml_fdw_push('pgml_$over', 'here.bulk_$table', 'pushed_$table')" '' '' ;;
	pgml-bulk-made) timed "$1" "SELECT pgml_fdw_pull('pgml_$over', '$table', '$target', create_target => true)" '' '' ;;
	pgml-bulk-*) timed "$1" "SELECT pgml_fdw_pull('pgml_$over', '$table', '$target')" '' '' ;;
	*-pushed) timed "$1" "INSERT INTO $(table "$1" "pushed_$table") SELECT * FROM here.bulk_$table" '' '' ;;
	*-made) timed "$1" "CREATE TABLE $target AS SELECT * FROM $(table "$1" "$table")" '' '' ;;
	*) timed "$1" "INSERT INTO $target SELECT * FROM $(table "$1" "$table")" '' '' ;;
	esac
	[ "$round" = 1 ] || return 0
	check_copy "$1" "$table" "$sort"
}

# Compares what has been written with the remote's table.
check_copy() {
	local is
	if [ "$3" = pushed ]; then
		is=$(on_remote -c "$digest pushed_$2 AS t")
	else
		is=$(on_local -c "$digest here.into_$2 AS t")
	fi
	[ "$is" = "$(true_digest "$2")" ] || die "$what over $over, $1: $2 $3 has $is; should be $(true_digest "$2")"
}
