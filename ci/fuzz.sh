#!/bin/sh
# Fuzzes every fuzz target in turn for FUZZTIME.
set -eu
cd "$(dirname "$0")/.."
go=${GO:-go}
time=${FUZZTIME:-30s}
grep -rlE '^func Fuzz' --include='*_test.go' . | xargs -n1 dirname | sort -u | while read -r dir; do
	grep -hoE '^func Fuzz[A-Za-z0-9_]*' "$dir"/*_test.go | cut -d' ' -f2 | while read -r target; do
		echo "== $dir $target"
		"$go" test "$dir" -run '^$' -fuzz "^$target\$" -fuzztime "$time" -fuzzminimizetime 5x
	done
done
