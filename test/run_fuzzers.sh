#!/bin/sh
# Run fuzzers on what is kept in test/fuzz/corpus and on what they find.
# usage: FUZZ_SECONDS=15 run_fuzzers.sh PROGRAM...
# New inputs go to build/fuzz/NAME; one that fails stays beside them, and belongs
# into the corpus when it is repaired.

status=0
for program; do
	name=$(basename "$program")
	found=build/fuzz/$name
	kept=test/fuzz/corpus/$name
	mkdir -p "$found" "$kept"
	echo "# $program, ${FUZZ_SECONDS:=15} s"
	if "$program" -max_total_time="$FUZZ_SECONDS" -timeout=10 -rss_limit_mb=2048 \
		-verbosity=0 -print_final_stats=1 -artifact_prefix="$found/" "$found" "$kept" >"$found.log" 2>&1; then
		echo "ok $name: $(awk '/number_of_executed_units/ { print $2 }' "$found.log") inputs"
	else
		tail -n 60 "$found.log"
		echo "not ok $name"
		status=1
	fi
done
exit $status
