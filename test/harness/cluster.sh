# shellcheck shell=bash
# Functions for throw-away clusters, sourced by test/harness/tests, test/demo/demo
# and test/bench/bench.  Each cluster lives in $PGML_TMP/NAME, with its socket
# there and no TCP port, so that its port number can't clash with anybody's.

# Makes and starts the cluster NAME; further lines of postgresql.conf, which win,
# on stdin.  Only the socket, which nobody else can reach, asks for no password.
cluster_start() {
	local name=$1 port=$2 dir=$PGML_TMP/$1
	mkdir -m 700 "$dir"
	# C is the one locale that every machine has and every encoding accepts.
	initdb -D "$dir/data" -U postgres --auth-local=trust --auth-host=scram-sha-256 -N -E UTF8 --locale=C \
		>"$dir/initdb.log" 2>&1 ||
		{ cat "$dir/initdb.log"; return 1; }
	{
		cat "$PGML_TMP/stage.conf"
		echo "cluster_name = '$name'"
		echo "listen_addresses = ''"
		echo "unix_socket_directories = '$dir'"
		echo "port = $port"
		echo "fsync = off"
		# not /dev/shm, which may be as small as 64 MB
		echo "dynamic_shared_memory_type = mmap"
		cat
	} >>"$dir/data/postgresql.conf"
	pg_ctl -D "$dir/data" -l "$dir/$name.log" -w -s start || { cat "$dir/$name.log"; return 1; }
}

# Stops the cluster NAME if it runs.
cluster_stop() {
	[ ! -e "$PGML_TMP/$1/data/postmaster.pid" ] || pg_ctl -D "$PGML_TMP/$1/data" -m fast -w -s stop
}
