# shellcheck shell=bash disable=SC2034,SC2154
# Planning: joins of six tables of one server, in a chain and in a star.  The median of
# 101 EXPLAINs in one session, statistics known on both sides.
contenders=(pgml fdw)
subjects=("six tables in a chain" "six tables by one key" "one table")
unit='ms, median of 101'
overs=("${ways[0]}") rounds=3

prepare() {
	local i engine
	for i in 1 2 3 4 5 6; do
		on_remote -c "CREATE TABLE IF NOT EXISTS plan_$i AS SELECT i AS id, i % 100 AS k, i % 7 AS v, 'x' || i AS t FROM generate_series(1, 2000) i"
		on_remote -c "CREATE UNIQUE INDEX IF NOT EXISTS plan_${i}_id ON plan_$i (id); ANALYZE plan_$i"
		for engine in pgml fdw; do
			on_local -c "CREATE FOREIGN TABLE IF NOT EXISTS ${engine}_$over.plan_$i (id int, k int, v int, t text) SERVER ${engine}_$over OPTIONS (schema_name 'public', table_name 'plan_$i')"
			on_local -c "ANALYZE ${engine}_$over.plan_$i"
		done
	done
}

measure() {
	local query
	case $2 in
	"six tables in a chain") query="SELECT * FROM plan_1 a JOIN plan_2 b ON a.k = b.id JOIN plan_3 c ON b.k = c.id JOIN plan_4 d ON c.k = d.id JOIN plan_5 e ON d.k = e.id JOIN plan_6 f ON e.k = f.id WHERE a.v = 3 AND f.v < 5" ;;
	"six tables by one key") query="SELECT a.v, count(*) FROM plan_1 a JOIN plan_2 b ON a.id = b.id JOIN plan_3 c ON b.id = c.id JOIN plan_4 d ON c.id = d.id JOIN plan_5 e ON d.id = e.id JOIN plan_6 f ON e.id = f.id WHERE a.v = 3 GROUP BY a.v ORDER BY 1" ;;
	*) query="SELECT * FROM plan_1 WHERE id = 7" ;;
	esac
	value=$(
		{
			echo "SET search_path = ${1}_$over;"
			for _ in $(seq 111); do echo "EXPLAIN (SUMMARY ON, COSTS OFF) $query;"; done
		} | on_local | sed -n 's/^Planning Time: \([0-9.]*\) ms/\1/p' | tail -n 101 | sort -n | sed -n 51p
	)
}
