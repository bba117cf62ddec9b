# shellcheck shell=bash disable=SC2034,SC2154
# Rows of local tables into remote ones, and UPDATE and DELETE that join the two.
# The yardstick is what one would do by hand: a pipe of two psql and, where rows
# change, a temporary table at its end.  postgres_fdw sends a row at a time unless
# told otherwise, which takes so long that its INSERT gets a hundredth of the rows.
contenders=(pipe pgml fdw1k fdw)
subjects=("INSERT narrow" "INSERT vec" "UPDATE vec" "DELETE vec")

# Prints the number of rows.
rows() { awk -v n="$([ "$1" = narrow ] && echo 300000 || echo 20000)" -v scale="$scale" 'BEGIN { printf "%d", n * scale }'; }

# Local tables: narrow and vec hold the rows to insert, changed the vectors to set.
# Remote ones: target_narrow, target_vec.
prepare() {
	local table
	for table in narrow vec; do
		on_remote -c "SET client_min_messages = warning" -c "DROP TABLE IF EXISTS target_$table" -c "CREATE TABLE target_$table (LIKE $table)"
		on_local -c "DROP TABLE IF EXISTS here.write_$table" -c "CREATE TABLE here.write_$table AS
			SELECT * FROM pgml_$over.$table WHERE id <= $(rows $table)"
	done
	on_remote -c "ALTER TABLE target_vec ADD PRIMARY KEY (id)"
	on_local -c "DROP TABLE IF EXISTS here.changed" -c "CREATE TABLE here.changed AS
			SELECT id, title, (SELECT array_agg(-x ORDER BY i) FROM unnest(embedding) WITH ORDINALITY AS u (x, i)) AS embedding
			FROM here.write_vec" -c "VACUUM (FREEZE, ANALYZE)"
	[ -z "$peers" ] || foreign_server "fdw1k_$over" postgres_fdw "$(server_options "$over"), batch_size '1000'" | on_local
	for table in pgml ${peers:+fdw}; do
		on_local -c "DROP FOREIGN TABLE IF EXISTS ${table}_$over.target_narrow, ${table}_$over.target_vec" \
			-c "IMPORT FOREIGN SCHEMA public LIMIT TO (target_narrow, target_vec) FROM SERVER ${table}_$over INTO ${table}_$over"
	done
	on_remote -c CHECKPOINT
}

measure() {
	local into=target_${2#* } from=here.write_${2#* } by=here.changed
	local limit='' expected output
	# rows that nothing concerns are there too
	local stay="id > $(rows vec) AND id <= $(rows vec) + 10"

	on_remote -c "TRUNCATE $into"
	[[ $2 = INSERT* ]] || on_remote -c "INSERT INTO $into SELECT * FROM vec WHERE id <= $(rows vec) OR $stay" \
		-c "VACUUM (ANALYZE) $into"
	case $1-$2 in
	pipe-INSERT*) by_hand "$from" "$into" "COPY $into FROM STDIN (FORMAT binary)" ;;
	pipe-UPDATE*)
		by_hand "$by" "$into" "COPY given FROM STDIN (FORMAT binary)" \
			"UPDATE $into AS t SET embedding = g.embedding FROM given AS g WHERE g.id = t.id"
		;;
	pipe-DELETE*)
		by_hand "(SELECT id FROM $by)" "$into" "COPY given (id) FROM STDIN (FORMAT binary)" \
			"DELETE FROM $into AS t USING given AS g WHERE g.id = t.id"
		;;
	fdw1k-UPDATE* | fdw1k-DELETE*)
		value=-
		return
		;;
	*-INSERT*)
		[ "$1" != fdw ] || limit=" WHERE id <= $(($(rows "${2#* }") / 100))"
		timed "$1" "INSERT INTO $(table "$1" "$into") SELECT * FROM $from$limit" '' ''
		;;
	*-UPDATE*) timed "$1" "UPDATE $(table "$1" "$into") AS t SET embedding = l.embedding FROM $by AS l WHERE l.id = t.id" '' '' ;;
	*-DELETE*) timed "$1" "DELETE FROM $(table "$1" "$into") AS t USING $by AS l WHERE l.id = t.id" '' '' ;;
	esac

	case $2 in
	INSERT*) expected=$(on_local -c "$digest (SELECT * FROM $from$limit) AS t") ;;
	UPDATE*) expected=$(on_local -c "$digest (SELECT * FROM $by UNION ALL SELECT * FROM pgml_$over.vec WHERE $stay) AS t") ;;
	DELETE*) expected=$(on_remote -c "$digest (SELECT * FROM vec WHERE $stay) AS t") ;;
	esac
	output=$(on_remote -c "$digest $into AS t")
	[ "$output" = "$expected" ] || die "$what over $over, $1: after $2, $into has $output; should be $expected"
	[ -z "$limit" ] || { value=$(awk "BEGIN { print $value * 100 }") note="a hundredth of the rows, times 100"; }
}

# Sets "value" to the milliseconds in which psql moves the rows of a local table or
# query:  by_hand SOURCE TARGET COPY [STATEMENT]
# With a statement, they go into a temporary table "given" like the target.
by_hand() {
	local start=${EPOCHREALTIME/./} commands=(-c "$3")
	[ $# -lt 4 ] || commands=(-c "CREATE TEMPORARY TABLE given (LIKE $2)" "${commands[@]}" -c "ANALYZE given" -c "$4")
	on_local -c "COPY $1 TO STDOUT (FORMAT binary)" |
		PGPASSWORD=$password psql -X -q -1 -v ON_ERROR_STOP=1 -d "$(way "$over") dbname=bench user=postgres" "${commands[@]}"
	value=$(awk "BEGIN { print (${EPOCHREALTIME/./} - $start) / 1000 }")
}
