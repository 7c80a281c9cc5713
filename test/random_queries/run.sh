#!/bin/sh
# Random queries with batching and without, on a throw-away server (run.py).
# usage: PG_CONFIG=... QUERIES=... SEED=... FLAGS=... run.sh       called by "make check-random"
# With SERVER_FUNCTIONS=yes the calls are of functions of the server, in a build for tests.
set -u
tree=$PWD
jobs=${JOBS:-$(nproc)}
flags=${FLAGS:-}

if [ "${SERVER_FUNCTIONS:-}" = yes ]; then
	. test/copy_tree.sh
	go_to_debug_build
	flags="$flags --server-functions"
fi
. test/private_server.sh
private_server_make
private_server_start 'autovacuum = off' 'max_parallel_workers = 16' 'max_worker_processes = 20' \
	'log_min_messages = fatal'
cd "$tree" || exit 1

createdb random_1 && psql -q -X -d random_1 -f test/random_queries/setup.sql >/dev/null || exit 1
database=2
while [ "$database" -le "$jobs" ]; do
	createdb -T random_1 "random_$database" || exit 1
	database=$((database + 1))
done

python3 test/random_queries/run.py --queries "${QUERIES:-1000}" --seed "${SEED:-1}" --jobs "$jobs" $flags "$work/data"
status=$?
if grep -E 'PANIC|terminated by signal' "$work/server.log"; then
	echo "not ok server: it crashed"
	grep 'was running' "$work/server.log" | head
	status=1
fi
exit $status
