#!/bin/sh
# Run every test and end with one line: how many passed and how many failed.
# A step that fails does not keep the next ones from running.
set -u
logs=build/check
rm -rf "$logs"
mkdir -p "$logs"

# step TARGET [STEP]: one make target, shown and kept
step()
{
	name=$1
	echo "== $name"
	start=$(date +%s)
	{ make -s --no-print-directory -j"$(nproc)" "$@" 2>&1; echo $? >"$logs/$name.status"; } | tee "$logs/$name.log"
	echo "== $name took $(($(date +%s) - start)) s"
}

# What the runners say of single tests: cmocka, pg_regress (up to 15, from 16 on)
# and this tree's own scripts ("ok ..."), prove.
tally()
{
	awk '
		/^# build\// { program_failed = 0 }
		/^\[  PASSED  \] [0-9]+ test/ { passed += $4 }
		/^\[  FAILED  \] [0-9]+ test/ { failed += $4; program_failed = 1 }
		/^FAILED / { if (!program_failed) failed++ }
		/^(test| ) .* \.\.\. +ok/ || /^ok / { passed++ }
		/^(test| ) .* \.\.\. +FAILED/ || /^not ok / { failed++ }
		/^# +Failed test/ { failed++; passed-- }
		/^Files=[0-9]+, Tests=[0-9]+/ { split($2, tests, /[=,]/); passed += tests[2] }
		END { print passed + 0, failed + 0 }' "$logs/$1.log"
}

# Tests of encoders read models that are fetched.  Without a network they are left out, but
# where CI is set they fail.
step models
if [ "$(cat "$logs/models.status")" -ne 0 ] && [ -z "${CI:-}" ]; then
	echo "models cannot be made; what needs them is skipped"
	echo 0 >"$logs/models.status"
fi

for target in check-ladder check-format check-core-plain check-core-asan check-server fuzz; do
	step $target
done
step check-random QUERIES=1000
step check-core-suite SUITE=ci

all_passed=0
all_failed=0
echo "== all"
for status in "$logs"/*.status; do
	name=$(basename "$status" .status)
	set -- $(tally "$name")
	# a step may fail outside its tests, and a step without tests counts as one
	[ "$(cat "$status")" -eq 0 ] || [ "$2" -gt 0 ] || set -- "$1" 1
	[ "$1" -gt 0 ] || [ "$2" -gt 0 ] || set -- 1 0
	printf '%-20s %5d passed, %d failed\n' "$name" "$1" "$2"
	all_passed=$((all_passed + $1))
	all_failed=$((all_failed + $2))
done
echo "$all_passed passed, $all_failed failed"
[ "$all_failed" -eq 0 ]
