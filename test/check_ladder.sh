#!/bin/sh
# The ladder of includes (src/README.md), and that the Makefile's lists are whole.
# Called by "make check-ladder", which passes OBJS, REGRESS and ISOLATION.
set -eu
complaints=$(mktemp)
trap 'rm -f "$complaints"' EXIT

# Which rooms a file may include: its own, and those beside its name here.
check_includes()
{
	find src -name '*.[ch]' | sort | xargs awk -v complaints="$complaints" '
		BEGIN {
			may["core/base"] = ""
			may["core/tensor"] = "base"
			may["core/kernels"] = "base tensor"
			may["core/text"] = may["core/format"] = may["core/graph"] = "base tensor kernels"
			may["core/classic"] = may["core/media"] = "base tensor kernels"
			may["core/layer"] = "base tensor kernels text format graph"
			may["core/model"] = may["core/layer"] " layer classic"
			may["core/train"] = may["core/model"] " model"
			may["pg/host"] = ""
			may["pg/stats"] = "host"
			may["pg/catalog"] = "host stats"
			may["pg/cache"] = "host stats catalog"
			may["pg/engine"] = "host stats catalog cache"
			may["pg/exec"] = may["pg/jobs"] = may["pg/engine"] " engine"
			may["pg/sqlapi"] = may["pg/exec"] " exec jobs"
		}
		function complain(text) { print FILENAME ":" FNR ": " text > complaints }
		function room_of(path, part) {
			split(path, part, "/")
			return part[1] "/" part[2]
		}
		function exists(path, line, found) {
			found = (getline line < path) >= 0
			close(path)
			return found
		}
		FNR == 1 {
			room = room_of(substr(FILENAME, 5))
			is_core = FILENAME ~ /^src\/core\//
			is_source = FILENAME ~ /\.c$/
			own = substr(FILENAME, 5)
			sub(/\.c$/, ".h", own)
			if (!is_source || !exists("src/" own))
				own = ""
			n_includes = n_ours = 0
			if (FILENAME != "src/aiaas.c" && !(room in may))
				complain("room \"" room "\" has no place on the ladder")
		}
		/^[ \t]*#[ \t]*include[ \t]/ {
			match($0, /["<][^">]*[">]/)
			quote = substr($0, RSTART, 1)
			path = substr($0, RSTART + 1, RLENGTH - 2)
			is_ours = path ~ /^(core|pg)\//
			n_includes++
			n_ours += is_ours
			n_all++

			if (is_core && is_source && own != "" && n_includes == 1 && path != own)
				complain("its own header \"" own "\" is not the first include")
			if (!is_core && is_source && n_includes == 1 && path != "postgres.h")
				complain("\"postgres.h\" is not the first include")
			if (!is_core && own != "" && is_ours && n_ours == 1 && path != own)
				complain("its own header \"" own "\" is not the first of the project")
			if (is_core && quote == "\"" && path !~ /^core\//)
				complain("the core includes \"" path "\", which is not of the core")
			if (is_core && path ~ /^(postgres|fmgr|libpq|utils\/|pg\/)/)
				complain("the core includes <" path ">")
			if (is_ours && !exists("src/" path))
				complain("\"" path "\" does not exist; includes are written from src/")
			if (!is_ours || FILENAME == "src/aiaas.c")
				next

			other = room_of(path)
			name = other
			sub(/.*\//, "", name)
			if (path ~ /_internal\.h$/ && other != room)
				complain("\"" path "\" is internal to " other)
			if (other == room || (!is_core && path ~ /^core\//))
				next
			if (is_core != (path ~ /^core\//) || index(" " may[room] " ", " " name " ") == 0)
				complain(room " may not include " other)
		}
		END { print "ladder: " n_all " includes" }'
}

# check_list WHAT LISTED FOUND: both are lists of words
check_list()
{
	for word in $2; do
		case " $3 " in *" $word "*) ;; *) echo "$1 \"$word\" is listed in the Makefile but does not exist" ;; esac
	done >>"$complaints"
	for word in $3; do
		case " $2 " in *" $word "*) ;; *) echo "$1 \"$word\" is not listed in the Makefile" ;; esac
	done >>"$complaints"
}

# names FOLDER SUFFIX: stems of the files, on one line
names()
{
	find "$1" -maxdepth 1 -name "*$2" 2>/dev/null | sed "s,.*/,,; s,\\$2\$,," | sort | tr '\n' ' '
}

check_includes
check_list source "$(echo $OBJS | sed 's/\.o\>/.c/g')" "$(find src -name '*.c' | sort | tr '\n' ' ')"
check_list "regression test" "$(echo $REGRESS)" "$(names sql .sql | sed 's/\<aiaas--[^ ]* //g')"
check_list "isolation test" "$(echo $ISOLATION)" "$(names test/isolation/specs .spec)"
for test in $REGRESS; do
	[ -e "expected/$test.out" ] || echo "regression test \"$test\" has no expected output" >>"$complaints"
done
for test in $ISOLATION; do
	[ -e "test/isolation/expected/$test.out" ] || echo "isolation test \"$test\" has no expected output" >>"$complaints"
done

cat "$complaints"
echo "ladder: $(wc -l <"$complaints") complaints"
[ ! -s "$complaints" ]
