# shellcheck shell=bash disable=SC2034,SC2154
# dblink(): full reads by a server's name, against a bare client and contrib's
# over an open connection; the first ten of all rows; and the second call of a
# session that names a server.
contenders=(floor pgml dblink)
subjects=("${tables[@]}" "narrow LIMIT 10" "second SELECT 1")

# Views on our dblink(), in schemas ours_WAY as contrib's are in dblink_WAY.
prepare() {
	local name subject
	on_local <<-SQL
		DROP SCHEMA IF EXISTS ours_$over CASCADE;
		CREATE SCHEMA ours_$over;
		SELECT format('CREATE VIEW ours_$over.%I AS SELECT * FROM dblink(''pgml_$over'', ''SELECT * FROM %s'') AS t(%s)',
		         c.relname, c.relname, string_agg(format('%I %s', attname, format_type(atttypid, atttypmod)), ', ' ORDER BY attnum))
		  FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
		  WHERE c.relnamespace = 'pgml_$over'::regnamespace AND attnum > 0 GROUP BY c.relname \gexec
	SQL
	for name in "${contenders[@]}"; do
		for subject in "${tables[@]}"; do
			[ "$name" = floor ] || compare "$name" "$subject" "${name/pgml/ours}"
		done
	done
}

measure() {
	local view server function
	case $1 in
	pgml) view=ours_$over server=pgml_$over function=dblink ;;
	*) view=dblink_$over server=fdw_$over function=contrib.dblink ;;
	esac
	case $1/$2 in
	floor/*" "*) value=- ;;
	floor/*) value=$(drained "$2") ;;
	*" LIMIT 10") timed "$1" "SELECT * FROM $view.$2" "SELECT * FROM $view.one;" '' ;;
	*" SELECT 1") timed "$1" "SELECT * FROM $function('$server', 'SELECT 1') AS t(i int)" \
		"SELECT * FROM $function('$server', 'SELECT 1') AS t(i int);" '' ;;
	*) timed "$1" "EXPLAIN (ANALYZE, TIMING OFF) SELECT * FROM $view.$2" "SELECT * FROM $view.one;" '' ;;
	esac
}
