#!/bin/sh
# The tests that need a server, on a throw-away one: regression tests, isolation
# tests, TAP tests and the examples of the README.
# usage: PG_CONFIG=... run_server_tests.sh [regress] [isolation] [tap] [readme]
# REGRESS and ISOLATION hold the lists; "make check-server" passes them.
# PERL_TESTS is the folder of PostgreSQL's Perl modules where the server has none.
set -u
. test/private_server.sh

out=$PWD/build/server-tests
failed=0
rm -rf "$out"
mkdir -p "$out"
private_server_make
private_server_start
pgxs_tests=$(dirname "$("$PG_CONFIG" --pgxs)")/../test

# keep WHAT...: results that the user may want to read
keep()
{
	cp -R "$@" "$out/" 2>/dev/null
}

run_regress()
{
	[ -n "$REGRESS" ] || return 0
	"$pgxs_tests/regress/pg_regress" --inputdir=. --outputdir="$out" --bindir="$bin" \
		--load-extension=aiaas --dbname=regression $REGRESS
}

run_isolation()
{
	[ -n "$ISOLATION" ] || return 0
	"$pgxs_tests/isolation/pg_isolation_regress" --inputdir=test/isolation \
		--outputdir="$out/isolation" --bindir="$bin" \
		--load-extension=aiaas --dbname=isolation_regression $ISOLATION
}

# The user of the server may not see this tree, so the tests get a copy.
run_tap()
{
	mkdir -p "$work/tree"
	cp -R test "$work/tree/"
	if [ -d build/models ]; then
		mkdir -p "$work/tree/build/models"
		cp -RL build/models/minilm "$work/tree/build/models/"
	fi
	[ -z "$server_user" ] || chown -R "$server_user" "$work/tree"
	(
		cd "$work/tree" || exit 1
		unset PGHOST PGPORT PGUSER
		as_server_user env PG_REGRESS="$pgxs_tests/regress/pg_regress" PGPORT=65432 \
			TESTDIR="$work/tree" TESTDATADIR="$work/tree/tmp_check" \
			TESTLOGDIR="$work/tree/tmp_check/log" PATH="$PATH" \
			prove -I "${PERL_TESTS:-$pgxs_tests/perl}" -I test/t ${PROVE_FLAGS:-} ${PROVE_TESTS:-test/t/*.pl}
	)
}

run_readme()
{
	[ -e README.md ] || return 0
	python3 test/check_readme.py ${README_FLAGS:-} ${README_FILES:-README.md docs/*.md}
}

for part in ${*:-regress isolation tap readme}; do
	echo "# $part"
	"run_$part" || failed=1
done

for diffs in "$out/regression.diffs" "$out/isolation/regression.diffs"; do
	[ ! -s "$diffs" ] || { echo "# $diffs"; head -n 300 "$diffs"; }
done
keep "$work/server.log" "$work/tree/tmp_check/log"
if grep -E 'PANIC|terminated by signal' "$work/server.log"; then
	echo "not ok server: it crashed (build/server-tests/server.log)"
	failed=1
fi
exit $failed
