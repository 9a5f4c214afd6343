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
# shows what it printed. It is for what only computes; namespaces have the machine for themselves, since they have to answer in time.
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

step "every suite on the netns fabric, but for most rows of the tables, whose protocols are the same there"
if [ "$(id -u)" = 0 ]; then
	bin/gdoilab run --fabric netns --filter '!exhaustive' --out "$out/netns"
else
	skip "the netns fabric needs root; you are $(id -un)"
fi

step "captures read by programs that are not ours, beside the next steps"
captures="pcaps $out/memory"
if [ -d "$out/netns" ]; then
	for subject in dataplane ipv6 membership natt; do captures="$captures $out/netns/specs/$subject"; done
fi
# shellcheck disable=SC2086 # one word each
beside readers ci/readers/run.sh $captures

. ci/packages
# shellcheck disable=SC2086
beside cores "$go" test -vet=off $cores

step "unit tests, fuzz seeds and truncations of what has goroutines, and of what speaks with programs of others"
# shellcheck disable=SC2086 # one word each
"$go" test -vet=off $shared
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

step "unit tests, fuzz seeds and truncations of the cores, which ran beside these"
joined cores

step "golden captures made again and compared"
ci/pcaps.sh --check

step "the reference broken in one place at a time; the result is part of the report"
bin/gdoilab selftest --out "$out/selftest.json" --evidence "$out/survivors" || {
	bin/gdoilab report "$out/memory" --selftest "$out/selftest.json"
	exit 1
}
bin/gdoilab report "$out/memory" --selftest "$out/selftest.json"

step "what those programs have read"
joined readers

step "done"
echo "Evidence: $out   Skipped steps: $skipped"
