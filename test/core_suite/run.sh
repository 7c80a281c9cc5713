#!/bin/sh
# PostgreSQL's own regression and isolation suites with every immutable and stable
# function of the server in batches: nothing but plans may differ from a run without.
# usage: PG_CONFIG=... run.sh [full|ci]       called by "make check-core-suite"
#
# Each run has a cluster of its own.  Hooked runs are compared with unhooked ones of the
# same planner settings, statement by statement (compare.py).  If there are differences,
# unhooked ones are made again, so that it is known what differs by itself.  Results stay
# in build/core-suite/full or ci, and those of unhooked runs are used again.
# JOBS: how many runs at a time (as many as there are processors).
# WAYS: those of plain, parallel (forced parallel mode) and one (batches of one row).
set -u

suite=${1:-full}
tree=$PWD
: "${PG_CONFIG:=pg_config}"
PG_CONFIG=$(command -v "$PG_CONFIG") || { echo "no pg_config" >&2; exit 1; }
export PG_CONFIG
jobs=${JOBS:-$(nproc)}
ways=${WAYS:-parallel plain one}
out=$tree/build/core-suite/$suite

source=$(sh test/core_suite/source.sh) || exit 1
. test/copy_tree.sh
go_to_debug_build
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

	# unhooked runs depend on the server and on these, and on nothing else in the tree
	mkdir -p "$out"
	rm -rf "$out"/*/hooked-*
	of="$suite $("$PG_CONFIG" --version) $(cat "$source/version" test/core_suite/*.sh test/core_suite/*.txt 2>/dev/null | cksum)"
	[ "$of" = "$(cat "$out/of" 2>/dev/null)" ] || rm -rf "$out"/*
	echo "$of" >"$out/of"
}

# tests_of regress|isolation: as arguments of pg_regress
tests_of()
{
	if [ "$suite" = ci ]; then
		sed -n "s/^$1: //p" "$tree/test/core_suite/ci_tests.txt"
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
	# compare.py replaces these names, which have to differ
	echo "$run $top" >"$keep/folder"
	if grep -E 'PANIC|terminated by signal' "$run/server.log"; then
		echo "not ok $name $part: the server crashed (${keep#"$tree"/}/server.log)"
		return 1
	fi
}

# Each lane takes the next run that no other lane has taken.
lane()
{
	for run; do
		for part in regress isolation; do
			mkdir -p "$work/runs/$run"
			mkdir "$work/runs/$run/$part" 2>/dev/null || continue
			[ ! -e "$out/$run/$part/folder" ] || continue
			start=$(date +%s)
			(one_run "$run" "$part") || : >"$work/failed"
			echo "# $run $part took $(($(date +%s) - start)) s"
		done
	done
}

all_runs()
{
	n=0
	while [ "$n" -lt "$jobs" ]; do
		lane "$@" &
		n=$((n + 1))
	done
	wait
}

# runs_of KIND-NUMBER: of all ways; batches of one row have no unhooked runs of their own
runs_of()
{
	for way in $ways; do
		case $way/$1 in
			one/unhooked-*) echo "plain/$1" ;;
			*) echo "$way/$1" ;;
		esac
	done
}

compare()
{
	python3 test/core_suite/compare.py "$out" $ways >"$work/report"
}

prepare
all_runs $(runs_of unhooked-1) $(runs_of hooked-1)
if ! compare; then
	echo "# there are differences; the runs without batches are made once more"
	all_runs $(runs_of unhooked-2)
	compare || : >"$work/failed"
fi
cat "$work/report"
[ ! -e "$work/failed" ]
