# shellcheck shell=bash disable=SC2034,SC2154
# Full scans with every column decoded, against a bare client that decodes none.
contenders=(floor pgml fdw10k fdw dblink)
subjects=("${tables[@]}")

prepare() {
	local name subject
	for name in "${contenders[@]}"; do
		for subject in "${subjects[@]}"; do
			[ "$name" = floor ] || compare "$name" "$subject"
		done
	done
}

measure() {
	if [ "$1" = floor ]; then
		value=$(drained "$2")
	else
		timed "$1" "EXPLAIN (ANALYZE, TIMING OFF) SELECT * FROM $(table "$1" "$2")" '' ''
	fi
}
