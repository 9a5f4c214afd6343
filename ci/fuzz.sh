#!/bin/sh
# Fuzzes every fuzz target in turn for FUZZTIME, or those of the packages and of the name that are given:
#   ci/fuzz.sh                            all
#   ci/fuzz.sh ./reference/member         one package
#   ci/fuzz.sh ./reference/... FuzzHandle one name
# A finding stays below testdata/fuzz of its package, and the other targets are fuzzed all the same. The last lines of each target are in
# out/fuzz.log; the sum of executions stands at the end.
set -eu
cd "$(dirname "$0")/.."
go=${GO:-go}
time=${FUZZTIME:-30s}
parallel=${FUZZPARALLEL:-$(nproc)}
only=${2:-Fuzz}
log=out/fuzz.log
mkdir -p out
: >"$log"
failed=0
for dir in $("$go" list -f '{{.Dir}}' "${1:-./...}"); do
	for target in $(cat "$dir"/*_test.go 2>/dev/null | grep -oE '^func Fuzz[A-Za-z0-9_]*' | cut -d' ' -f2 | grep "^$only"); do
		echo "== ${dir#"$PWD"/} $target" | tee -a "$log"
		"$go" test "$dir" -run '^$' -fuzz "^$target\$" -fuzztime "$time" -fuzzminimizetime 5x -parallel "$parallel" >"$log.one" 2>&1 || failed=$((failed + 1))
		grep -vE '^(warning|PASS|ok)|gathering baseline' "$log.one" | tail -n 20 >>"$log" || true
		grep 'execs:' "$log.one" | tail -n 1 || cat "$log.one"
	done
done
rm -f "$log.one"
awk '/execs:/ { for (i = 1; i < NF; i++) if ($i == "execs:") last = $(i + 1) }
	/^==/ { sum += last; last = 0; targets++ }
	END { printf "%d targets, %d executions\n", targets, sum + last }' "$log"
[ "$failed" = 0 ] || { echo "$failed targets have findings; see $log" >&2; exit 1; }
