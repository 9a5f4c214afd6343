#!/bin/sh
# Every test there is, in the order in which a fault costs least to find. Evidence stays in out/test. What this machine or
# this user cannot do is skipped, says why, and is counted.
set -eu
cd "$(dirname "$0")/.."
go=${GO:-go}
out=out/test
rm -rf "$out"
mkdir -p "$out"
skipped=0

begin=$(date +%s)
step() { printf '\n== %s (after %d s)\n' "$*" $(($(date +%s) - begin)); }
skip() { skipped=$((skipped + 1)); printf 'SKIPPED: %s\n' "$*"; }

step "gofmt, go vet, staticcheck"
ci/lint.sh

if [ "$(id -u)" = 0 ] && command -v dockerd >/dev/null 2>&1 && engine=$(ci/docker.sh start); then
	eval "$engine"
	trap 'ci/docker.sh stop' EXIT
else
	skip "devices in containers need a container engine; ci/docker.sh start installs one, as root"
fi

step "unit tests, fuzz seeds and truncations; with the race detector where there are goroutines"
# The cores start none, which suites/architecture holds. What shares their tables between goroutines runs them from the lab.
all=$("$go" list ./reference/... ./harness/... ./suites/architecture ./suites/kit ./suites/selftest ./fixtures/...)
concurrent='/reference/(cmd|daemon|dataplane|internal|keymat|node|operator|ssh)|/harness/(lab|tester|verdict)|/suites/kit|/suites/selftest'
# shellcheck disable=SC2046 # one word each
"$go" test -vet=off $(echo "$all" | grep -Ev "$concurrent")
if command -v "${CC:-gcc}" >/dev/null 2>&1; then
	# shellcheck disable=SC2046
	CGO_ENABLED=1 "$go" test -vet=off -race $(echo "$all" | grep -E "$concurrent")
else
	skip "the race detector needs a C compiler (gcc)"
	# shellcheck disable=SC2046
	"$go" test -vet=off $(echo "$all" | grep -E "$concurrent")
fi

step "a suite under go test, and the command; the other suites are the same specs as in the next step"
"$go" test -vet=off ./suites/ack ./suites/cmd/...

step "every suite in the one binary, on the memory fabric"
make -s build
bin/gdoilab doctor || true
bin/gdoilab run --fabric memory --out "$out/memory"

step "captures read by programs that are not ours, beside the next step, which mostly waits"
nice ci/readers/run.sh pcaps "$out/memory" >"$out/readers.log" 2>&1 &
reading=$!
trap 'kill "$reading" 2>/dev/null || true; ci/docker.sh stop' EXIT

step "every suite on the netns fabric, but for most rows of the tables, whose protocols are the same there"
if [ "$(id -u)" = 0 ]; then
	bin/gdoilab run --fabric netns --filter '!exhaustive' --out "$out/netns"
	left=$(ip netns list | grep -c '^gdoilab-' || true)
	if [ "$left" != 0 ]; then
		echo "the run left $left network namespaces behind" >&2
		exit 1
	fi
else
	skip "the netns fabric needs root; you are $(id -un)"
fi

step "golden captures made again and compared"
ci/pcaps.sh --check

step "what those programs have read, and captures of the netns fabric"
wait "$reading" || {
	cat "$out/readers.log" >&2
	exit 1
}
trap 'ci/docker.sh stop' EXIT
cat "$out/readers.log"
if [ -d "$out/netns" ]; then
	ci/readers/run.sh "$out/netns/specs/dataplane" "$out/netns/specs/ipv6" "$out/netns/specs/membership" "$out/netns/specs/natt"
fi

step "the reference broken in one place at a time; the result is part of the report"
bin/gdoilab selftest --out "$out/selftest.json" --evidence "$out/survivors" || {
	bin/gdoilab report "$out/memory" --selftest "$out/selftest.json"
	exit 1
}
bin/gdoilab report "$out/memory" --selftest "$out/selftest.json"

step "known vulnerabilities"
# govulncheck ends with 3 when it found some, and with 1 when its database could not be asked.
status=0
"$go" tool govulncheck ./... >"$out/govulncheck.log" 2>&1 || status=$?
case $status in
0) echo "none that our code reaches" ;;
1) skip "govulncheck: $(tail -n 1 "$out/govulncheck.log")" ;;
*) cat "$out/govulncheck.log" >&2 && exit 1 ;;
esac

step "done"
echo "Evidence: $out   Skipped steps: $skipped"
