#!/bin/sh
# PostgreSQL's own regression and isolation suites with every immutable and stable
# function of the server in batches: nothing but plans may differ from a run without.
# usage: PG_CONFIG=... run.sh [full|ci]       called by "make check-core-suite"
#
# Each run has a cluster of its own.  Hooked runs are compared with unhooked ones of the
# same planner settings, statement by statement (compare.py); those are made twice, so
# that what differs by itself is known.  Results stay in build/core-suite.
# JOBS: how many runs at a time (as many as there are processors).
set -u

suite=${1:-full}
tree=$PWD
: "${PG_CONFIG:=pg_config}"
PG_CONFIG=$(command -v "$PG_CONFIG") || { echo "no pg_config" >&2; exit 1; }
export PG_CONFIG
jobs=${JOBS:-$(nproc)}
out=$tree/build/core-suite

source=$(sh test/core_suite/source.sh) || exit 1
. test/copy_tree.sh
copy_tree build/debug
cd build/debug || exit 1
export COPT="${COPT:-} -DAIAAS_DEBUG_BATCH"
make -s -j"$(nproc)" >build.log 2>&1 || { cat build.log; exit 1; }
. test/private_server.sh
private_server_make
cd "$tree" || exit 1

pgxs_tests=$(dirname "$("$PG_CONFIG" --pgxs)")/../test
major=$("$PG_CONFIG" --version | sed 's/[^0-9]*\([0-9]*\).*/\1/')
parallel_setting=debug_parallel_query
[ "$major" -ge 16 ] || parallel_setting=force_parallel_mode

# What every run reads: the tests, the library of their C functions, the launcher
prepare()
{
	cp -R "$source/src/test/regress" "$source/src/test/isolation" "$work/"
	mkdir "$work/lib"
	cc -shared -fPIC -w -I"$("$PG_CONFIG" --includedir-server)" -o "$work/lib/regress.so" \
		"$work/regress/regress.c" || exit 1
	for library in refint autoinc; do
		ln -s "$("$PG_CONFIG" --pkglibdir)/$library.so" "$work/lib/"
	done
	cp test/core_suite/psql.sh "$work/"
	chmod 755 "$work/psql.sh"
	mkdir "$work/runs"
	[ -z "$server_user" ] || chown -R "$server_user" "$work/regress" "$work/isolation" "$work/lib" "$work/runs"
	rm -rf "$out"
	mkdir -p "$out"
}

# tests_of regress|isolation: as arguments of pg_regress
tests_of()
{
	if [ "$suite" = ci ]; then
		sed -n "s/^$1: //p" test/core_suite/ci_tests.txt
	elif [ "$1" = regress ]; then
		echo "--schedule=$top/regress/parallel_schedule"
	else
		echo "--schedule=$top/isolation/isolation_schedule"
	fi
}

# Whether the plan of a plain call is what this run is to be about
probe()
{
	plan=$(psql -X -A -t -d postgres -c "EXPLAIN SELECT pg_catalog.upper(relname) FROM pg_catalog.pg_class") || return 1
	case $plan in
		*BatchProject*) [ "$1" = hooked ] ;;
		*) [ "$1" = unhooked ] ;;
	esac
}

# one_run WAY/KIND-NUMBER PART: a new cluster, and one of the two suites on it
one_run()
{
	name=$1 way=${1%/*} kind=${1#*/} part=$2
	kind=${kind%-*}
	run=$work/runs/$name/$part
	keep=$out/$name/$part
	top=$work
	mkdir -p "$run/out"
	# as pg_regress sets it; and no vacuum that comes when it likes
	set -- "max_prepared_transactions = 2" "autovacuum = off"
	[ "$way" != parallel ] || set -- "$@" "$parallel_setting = regress"
	[ "$kind" != hooked ] || set -- "$@" "session_preload_libraries = 'aiaas'" "aiaas.debug_batch_all = on"
	[ "$kind-$way" != hooked-one ] || set -- "$@" "aiaas.debug_batch_rows = 1"
	[ -z "$server_user" ] || chown -R "$server_user" "$work/runs/$way"
	work=$run
	trap 'as_server_user "$bin/pg_ctl" -D "$work/data" -m immediate -w stop >/dev/null 2>&1' EXIT
	private_server_start "$@"
	if ! probe "$kind"; then
		echo "not ok $name $part: the probe's plan is not that of a run which is $kind"
		return 1
	fi
	cd "$run/out" || return 1
	if [ "$part" = regress ]; then
		as_server_user "$pgxs_tests/regress/pg_regress" --inputdir="$top/regress" --outputdir="$run/out" \
			--bindir="$bin" --dlpath="$top/lib" --max-connections=1 --launcher="$top/psql.sh" \
			$(tests_of regress)
	else
		as_server_user "$pgxs_tests/isolation/pg_isolation_regress" --inputdir="$top/isolation" \
			--outputdir="$run/out" --bindir="$bin" --dbname=isolation_regression $(tests_of isolation)
	fi >"$run/run.log" 2>&1
	mkdir -p "$keep"
	cp -R "$run"/out/results/*.out "$keep/" || { tail -n 5 "$run/run.log"; return 1; }
	cp "$run/server.log" "$run/run.log" "$keep/"
	# compare.py replaces it: the only thing that has to differ
	echo "$run" >"$keep/folder"
	if grep -E 'PANIC|terminated by signal' "$run/server.log"; then
		echo "not ok $name $part: the server crashed (${keep#"$tree"/}/server.log)"
		return 1
	fi
}

runs="
	plain/unhooked-1 plain/hooked-1 one/hooked-1 parallel/unhooked-1 parallel/hooked-1
	plain/unhooked-2 parallel/unhooked-2"

# Each lane takes the next run that no other lane has taken.
lane()
{
	for run in $runs; do
		for part in regress isolation; do
			mkdir -p "$work/runs/$run"
			mkdir "$work/runs/$run/$part" 2>/dev/null || continue
			start=$(date +%s)
			(one_run "$run" "$part") || : >"$work/failed"
			echo "# $run $part took $(($(date +%s) - start)) s"
		done
	done
}

prepare
while [ "$jobs" -gt 0 ]; do
	lane &
	jobs=$((jobs - 1))
done
wait

python3 test/core_suite/compare.py "$out" || : >"$work/failed"
[ ! -e "$work/failed" ]
