#!/bin/sh
# Tests, fuzz seeds and truncations of what has goroutines, with the race detector.
set -eu
cd "$(dirname "$0")/.."
go=${GO:-go}
if ! command -v "${CC:-gcc}" >/dev/null 2>&1; then
	echo "SKIPPED: the race detector needs a C compiler (gcc)"
	exit 0
fi
. ci/packages
# shellcheck disable=SC2086 # one word each
CGO_ENABLED=1 "$go" test -vet=off -race $shared
