# A throw-away server with this extension, for the demo and the tests.
# Sourced by sh scripts that run in the top folder of the tree.
#
# Nothing is written into the system's PostgreSQL folders: the server is
# relocatable, so its programs are copied, the rest is linked, and "make
# install" puts the extension beside the links.  Everything lives in one
# temporary folder, which is removed when the script ends, however it ends.
# The server listens on a socket in that folder and on no port.

: "${PG_CONFIG:=pg_config}"

# As root the server runs as another user, since it refuses to run as root.
as_server_user()
{
	if [ "$(id -u)" -ne 0 ]; then
		"$@"
	else
		runuser -u "$server_user" -- "$@"
	fi
}

private_server_remove()
{
	status=$?
	trap '' HUP INT TERM
	trap - EXIT
	if [ -e "$work/data/postmaster.pid" ]; then
		as_server_user "$bin/pg_ctl" -D "$work/data" -m immediate -w stop >/dev/null 2>&1
	fi
	rm -rf "$work"
	exit $status
}

# Make the folder $work with the server's programs in $bin.
private_server_make()
{
	bindir=$("$PG_CONFIG" --bindir) || { echo "cannot run $PG_CONFIG" >&2; exit 1; }
	[ -x "$bindir/initdb" ] || { echo "no PostgreSQL server in $bindir" >&2; exit 1; }
	server_user=
	if [ "$(id -u)" -eq 0 ]; then
		for server_user in postgres nobody; do
			id "$server_user" >/dev/null 2>&1 && break
		done
	fi

	work=$(mktemp -d "${TMPDIR:-/tmp}/aiaas.XXXXXX") || exit 1
	trap private_server_remove EXIT
	trap 'exit 129' HUP
	trap 'exit 130' INT
	trap 'exit 143' TERM
	root=$work/server
	bin=$root$bindir
	mkdir -p "$bin"
	cp "$bindir"/* "$bin/"
	libdir=$("$PG_CONFIG" --libdir)
	case $libdir in
		/usr/lib*) libdir= ;;		# the system's own: found as they are
	esac
	for folder in $libdir "$("$PG_CONFIG" --pkglibdir)" "$("$PG_CONFIG" --sharedir)"; do
		mkdir -p "$root$folder"
		cp -as --remove-destination "$folder/." "$root$folder/"
	done
	MAKEFLAGS= make -s -j"$(nproc)" install DESTDIR="$root" PG_CONFIG="$PG_CONFIG" >"$work/install.log" 2>&1 ||
		{ cat "$work/install.log" >&2; exit 1; }
	chmod 755 "$work"
	[ -z "$server_user" ] || chown -R "$server_user" "$work"
}

# private_server_start [SETTING...]: start it, with these lines in postgresql.conf.
# psql and its like reach it by PGHOST, PGUSER and PATH.
private_server_start()
{
	locale=C
	if locale -a 2>/dev/null | grep -qix 'C\.utf-\{0,1\}8'; then
		locale=C.UTF-8
	fi
	checksums=		# off before 18 and on since, which pg_upgrade would not accept
	"$bin/initdb" --help | grep -q no-data-checksums && checksums=--no-data-checksums
	as_server_user "$bin/initdb" -D "$work/data" -U postgres -A trust -E UTF8 --locale=$locale \
		--no-sync $checksums >"$work/initdb.log" 2>&1 || { cat "$work/initdb.log" >&2; exit 1; }
	cat >"$work/settings" <<-END
		listen_addresses = ''
		unix_socket_directories = '$work'
		unix_socket_permissions = 0700
		fsync = off
		log_min_messages = warning
		timezone = 'UTC'
	END
	for setting; do echo "$setting" >>"$work/settings"; done
	as_server_user sh -c "cat '$work/settings' >>'$work/data/postgresql.conf'"
	as_server_user "$bin/pg_ctl" -D "$work/data" -l "$work/server.log" -w start >/dev/null ||
		{ cat "$work/server.log" >&2; exit 1; }
	PATH=$bin:$PATH
	PGHOST=$work PGPORT=5432 PGUSER=postgres
	unset PGDATABASE PGOPTIONS PGSERVICE PGPASSFILE
	export PATH PGHOST PGPORT PGUSER
}
