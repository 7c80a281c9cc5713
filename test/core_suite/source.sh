#!/bin/sh
# Print the folder that holds src/test/regress and src/test/isolation of the server's
# major version; fetch them when they are missing.
# usage: PG_CONFIG=... source.sh
#
# They come from Debian's or Ubuntu's source package, and are kept in
# build/server-source.  apt asks for it with settings of its own: the system's package
# sources are neither changed nor need to name source packages.  The newest version may
# be listed and not be there, then an older one of the same major version does.
# CORE_SOURCE names the folder of an unpacked source instead.
set -eu

: "${PG_CONFIG:=pg_config}"

fail()
{
	echo "source.sh: $*" >&2
	exit 1
}

# The system's package sources, as sources of source packages
ask_for_sources()
{
	mkdir -p apt/sources.list.d apt/lists/partial apt/cache/archives/partial
	cat /etc/apt/sources.list 2>/dev/null | sed -n 's/^deb[[:space:]]/deb-src /p' >apt/sources.list
	for list in /etc/apt/sources.list.d/*.list; do
		[ ! -e "$list" ] ||
			sed -n 's/^deb[[:space:]]/deb-src /p' "$list" >"apt/sources.list.d/$(basename "$list")"
	done
	for list in /etc/apt/sources.list.d/*.sources; do
		[ ! -e "$list" ] ||
			sed 's/^Types:.*/Types: deb-src/' "$list" >"apt/sources.list.d/$(basename "$list")"
	done
	cat >apt/apt.conf <<-END
		Dir::Etc::SourceList "$PWD/apt/sources.list";
		Dir::Etc::SourceParts "$PWD/apt/sources.list.d";
		Dir::State::Lists "$PWD/apt/lists";
		Dir::Cache "$PWD/apt/cache";
	END
	# the folders are this user's, so there is no need to become another one
	[ "$(id -u)" -ne 0 ] || echo 'APT::Sandbox::User "root";' >>apt/apt.conf
	export APT_CONFIG="$PWD/apt/apt.conf"
}

# A list that cannot be read is no reason to stop, when another one knows the package.
download()
{
	apt-get -q update >apt.log 2>&1 || true
	for version in $(apt-cache showsrc --only-source "postgresql-$major" 2>>apt.log |
		sed -n 's/^Version: //p' | sort -uVr); do
		rm -f ./*.orig.tar.*
		if apt-get -q source --download-only "postgresql-$major=$version" >>apt.log 2>&1; then
			echo "$version" >version
			return 0
		fi
	done
	cat apt.log >&2
	fail "apt has no source of postgresql-$major; CORE_SOURCE=folder names one"
}

unpack()
{
	python3 - ./*.orig.tar.* <<-'END'
		import os, re, sys, tarfile

		with tarfile.open(sys.argv[1]) as tar:
		    for member in tar:
		        member.name = member.name.partition("/")[2]
		        if re.match(r"src/test/(regress|isolation)/", member.name) and (member.isdir() or member.isfile()):
		            tar.extract(member, "new")
	END
}

if [ -n "${CORE_SOURCE:-}" ]; then
	[ -d "$CORE_SOURCE/src/test/regress" ] || fail "no src/test/regress in $CORE_SOURCE"
	cd "$CORE_SOURCE"
	pwd
	exit 0
fi

major=$("$PG_CONFIG" --version | sed 's/[^0-9]*\([0-9]*\).*/\1/')
folder=$PWD/build/server-source/$major
if [ ! -e "$folder/src" ]; then
	command -v apt-get >/dev/null || fail "this system has no apt; CORE_SOURCE=folder names a source of the server"
	rm -rf "$folder"
	mkdir -p "$folder"
	cd "$folder"
	ask_for_sources
	download
	unpack
	rm -rf apt ./*.orig.tar.* ./*.debian.tar.* ./*.dsc ./*.asc
	mv new/src src
	rmdir new
fi
echo "$folder"
