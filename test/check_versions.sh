#!/bin/sh
# Build for other server versions, run all tests that need a server on them, and upgrade a
# cluster of this machine's version to each newer one.
# The servers are fetched with pip (test/versions.txt) and kept, packed, in
# build/versions; other ones can be named: check_versions.sh PG_CONFIG...
# Called by "make check-versions", which passes REGRESS and ISOLATION.
set -u
. test/copy_tree.sh
tree=$PWD
packed=$tree/build/versions
place=$(mktemp -d "${TMPDIR:-/tmp}/aiaas-versions.XXXXXX") || exit 1
trap 'rm -rf "$place"' EXIT
trap 'exit 130' HUP INT TERM
chmod 755 "$place"

fetch()
{
	python3 -m pip download -q --disable-pip-version-check --require-hashes --no-deps \
		--only-binary=:all: --implementation cp --python-version 3.11 --abi cp311 --abi none \
		--platform manylinux_2_28_x86_64 --platform manylinux2014_x86_64 \
		-d "$packed" -r test/versions.txt || exit 1
	for wheel in "$packed"/*.whl; do
		python3 -m zipfile -e "$wheel" "$place/$(basename "$wheel" | cut -d- -f1)" || exit 1
	done
	# a zip file keeps no permissions
	find "$place" \( -path '*/bin/*' -o -path '*/pgxs/src/test/*' \) -type f -exec chmod 755 {} +
	# a warning that only the compiler which built the server knows
	find "$place" -name Makefile.global -exec sed -i 's/-Wmissing-variable-declarations//' {} +
	set -- "$place"/*/*/pginstall/bin/pg_config
	echo "$@"
}

major_of()
{
	"$1" --version | sed 's/[^0-9]*\([0-9]*\).*/\1/'
}

build()
{
	make -s -j"$(nproc)" >build.log 2>&1 || { cat build.log; exit 1; }
	cat build.log
}

try()
{
	major=$(major_of "$1")
	echo "== PostgreSQL $major"
	libs=$(find "$(dirname "$1")/../../.." -maxdepth 2 -name '*.libs' -type d | tr '\n' ':')
	copy_tree "$place/tree-$major"
	(
		cd "$place/tree-$major" || exit 1
		if [ -d "$tree/build/models" ]; then
			mkdir -p build
			ln -s "$tree/build/models" build/models
		fi
		export PG_CONFIG="$1" LD_LIBRARY_PATH="$libs${LD_LIBRARY_PATH:-}"
		build
		sh test/run_server_tests.sh || exit 1
		[ "$own_major" -lt "$major" ] || exit 0
		sh test/check_upgrade.sh "$place/tree-own" "$own_config" || exit 1
		echo "ok upgrade from $own_major to $major"
	)
}

[ $# -gt 0 ] || set -- $(fetch)
[ $# -gt 0 ] || exit 1
own_config=${PG_CONFIG:-pg_config}
own_major=$(major_of "$own_config")

# The fetched servers have no Perl modules for tests; these go with any version.
PERL_TESTS=$(cd "$(dirname "$("$own_config" --pgxs)")/../test/perl" && pwd) || exit 1
export PERL_TESTS
copy_tree "$place/tree-own"
(cd "$place/tree-own" && PG_CONFIG=$own_config build) || exit 1

failed=0
for pg_config; do
	if try "$pg_config"; then
		echo "ok PostgreSQL $major"
	else
		echo "not ok PostgreSQL $major"
		failed=1
	fi
done
exit $failed
