#!/bin/sh
# Measure what batching costs and gains, on private servers: the planning of statements
# that have no calls (callgrind), a node that does nothing (a build for tests, in a copy
# of the tree), and texts in scans, workers and sessions.
# Exit status 0 says that it ran; which targets were missed is printed.
#
# usage: PG_CONFIG=... sh test/bench/bench_batch.sh
set -eu
tree=$PWD
. test/private_server.sh
. test/copy_tree.sh

mkdir -p build/bench
PYTHONDONTWRITEBYTECODE=1
export PYTHONDONTWRITEBYTECODE
python3 test/bench/data.py sms

# instructions NAME N [SETTING...]: what a single-user server takes for N statements
instructions()
{
	name=$1
	n_statements=$2
	shift 2
	yes 'SELECT a.relname FROM pg_class a JOIN pg_namespace n ON n.oid = a.relnamespace WHERE a.oid = 1259;' |
		head -n "$n_statements" >"$work/statements"
	chmod 644 "$work/statements"
	as_server_user sh -c 'cd "$1" && out=$2 && in=$3 && shift 3 && exec "$@" <"$in" >"$out" 2>&1' sh \
		"$work" "$work/$name.out" "$work/statements" \
		valgrind --tool=callgrind --callgrind-out-file=/dev/null "$bin/postgres" --single \
		-D "$work/data" "$@" bench
	sed -n 's/.*Collected : //p' "$work/$name.out"
}

# Each difference is of 200 statements, so what starting and loading takes falls out.
measure_planning()
{
	as_server_user "$bin/pg_ctl" -D "$work/data" -w stop >/dev/null
	plain=$(($(instructions a 300) - $(instructions b 100)))
	loaded=$(($(instructions c 300 -c shared_preload_libraries=aiaas) -
		$(instructions d 100 -c shared_preload_libraries=aiaas)))
	echo "a statement without calls: $((plain / 200)) instructions, with the library loaded" \
		"$((loaded / 200)): $(((loaded - plain) / 200)) more (target: 3000, which is about 1 us)"
}

run_texts()
(
	private_server_make
	private_server_start
	createdb bench
	PGDATABASE=bench PATH="$PATH" python3 test/bench/batch.py \
		--core-program "$tree/build/core/bench_core_text"
	if command -v valgrind >/dev/null; then
		measure_planning
	else
		echo "no valgrind, so planning is not measured"
	fi
)

run_no_op()
(
	copy_tree "$tree/build/bench/debug"
	cd "$tree/build/bench/debug"
	COPT=-DAIAAS_DEBUG_BATCH
	export COPT
	private_server_make
	private_server_start
	createdb bench
	PGDATABASE=bench PATH="$PATH" python3 test/bench/batch.py --no-op
)

run_texts
run_no_op
