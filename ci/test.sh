#!/bin/sh
# Every test there is. Evidence stays in out/test. What this machine or
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

# beside NAME COMMAND… runs COMMAND while the script goes on, behind what it goes on with; joined NAME waits for it and
# shows what it printed. The namespaces of a run mostly wait for the kernel, which is time for what only computes.
started=""
beside() {
	name=$1
	shift
	nice -n 19 "$@" >"$out/$name.log" 2>&1 &
	eval "beside_$name=$!"
	started="$started $!"
}
joined() {
	eval "joining=\$beside_$1"
	status=0
	wait "$joining" || status=$?
	cat "$out/$1.log"
	[ "$status" = 0 ] || exit "$status"
}
began=""
leave() {
	# shellcheck disable=SC2086 # one word each
	[ -z "$started" ] || kill $started 2>/dev/null || true
	[ -z "$began" ] || ci/docker.sh stop
}
trap leave EXIT
trap 'exit 130' INT # a shell that a signal ends leaves without that
trap 'exit 143' TERM

step "build; the machine"
make -s build
bin/gdoilab doctor || true
if [ "$(id -u)" = 0 ] && command -v dockerd >/dev/null 2>&1 && engine=$(ci/docker.sh start); then
	eval "$engine"
else
	skip "devices in containers need a container engine; ci/docker.sh start installs one, as root"
fi

step "every suite in the one binary, on the memory fabric"
bin/gdoilab run --fabric memory --out "$out/memory"

# The cores start no goroutines, which suites/architecture holds. What shares their tables between goroutines runs them
# from the lab.
all=$("$go" list ./reference/... ./harness/... ./suites/architecture ./suites/kit ./suites/selftest ./fixtures/...)
concurrent='/reference/(cmd|daemon|dataplane|internal|keymat|node|operator|ssh)|/harness/(lab|tester|verdict)|/suites/kit|/suites/selftest'
timed='/harness/(console|container|driver|esphost|peer|router)' # programs that have to answer in time
cores=$(echo "$all" | grep -Ev "$concurrent|$timed")
prompt=$(echo "$all" | grep -E "$timed")
shared=$(echo "$all" | grep -E "$concurrent")
beside lint ci/lint.sh
# shellcheck disable=SC2086 # one word each
beside cores "$go" test -vet=off $cores

step "every suite on the netns fabric, but for most rows of the tables, whose protocols are the same there"
if [ "$(id -u)" = 0 ]; then
	bin/gdoilab run --fabric netns --filter '!exhaustive' --out "$out/netns"
else
	skip "the netns fabric needs root; you are $(id -un)"
fi

step "captures read by programs that are not ours, beside the next steps"
beside readers ci/readers/run.sh pcaps "$out/memory"

step "unit tests, fuzz seeds and truncations of what has goroutines, with the race detector"
if command -v "${CC:-gcc}" >/dev/null 2>&1; then
	# shellcheck disable=SC2086
	CGO_ENABLED=1 "$go" test -vet=off -race $shared
else
	skip "the race detector needs a C compiler (gcc)"
	# shellcheck disable=SC2086
	"$go" test -vet=off $shared
fi

step "the same of what speaks with programs of others"
# shellcheck disable=SC2086
"$go" test -vet=off $prompt

step "a suite under go test, the matrix and the command; the other suites are the same specs as above"
"$go" test -vet=off ./suites/ack ./suites/matrix ./suites/cmd/...
if [ "$(id -u)" = 0 ]; then
	left=$(ip netns list | grep -c '^gdoilab-' || true)
	if [ "$left" != 0 ]; then
		echo "$left network namespaces are left behind" >&2
		exit 1
	fi
fi

step "gofmt, go vet, staticcheck, which ran beside all this"
joined lint

step "unit tests, fuzz seeds and truncations of the cores, which did too"
joined cores

step "golden captures made again and compared"
ci/pcaps.sh --check

step "what those programs have read, and captures of the netns fabric"
joined readers
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
