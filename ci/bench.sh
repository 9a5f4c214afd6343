#!/bin/sh
# Runs the benchmarks. Those that compare report a ratio measured within the same run.
set -eu
cd "$(dirname "$0")/.."
go=${GO:-go}
"$go" test -run '^$' -bench "${BENCH:-.}" -benchmem -count "${COUNT:-1}" ./reference/... ./harness/... ./suites/...
