#!/bin/sh
# Run test programs one after the other; fail when one of them fails.
# usage: run_programs.sh PROGRAM...

failed=0
for program; do
	echo "# $program"
	"$program" 2>&1 || { echo "FAILED $program (exit status $?)"; failed=1; }
done
exit $failed
