#!/bin/sh
# Runs every suite on the memory fabric against the unbroken reference with SEEDS seeds, from SEED on. With READ=1 the second readers
# read what each run has left, too. Nothing stays of a run without a fault. Each spec that does not pass, or that two readers see
# differently, is run again alone with that seed, and what it sees stays in out/soak/SEED.
set -eu
cd "$(dirname "$0")/.."
seeds=${SEEDS:-50}
first=${SEED:-1}
out=out/soak
rm -rf "$out"
mkdir -p "$out"
evidence=--no-evidence
[ -z "${READ:-}" ] || evidence="--out $out/evidence"
bad=0
seed=$first
# keep runs the specs on standard input again, for what they see.
keep() {
	while read -r spec; do
		bin/gdoilab run --fabric memory --seed "$seed" --spec "$spec" --out "$out/$seed/$spec" >/dev/null 2>&1 || true
	done
}
while [ "$seed" -lt $((first + seeds)) ]; do
	fault=
	# shellcheck disable=SC2086 # the option may have a value
	if ! nice bin/gdoilab run --fabric memory $evidence --seed "$seed" >"$out/last" 2>"$out/said"; then
		fault=1
		echo "seed $seed:"
		sed -n '/^reading: /d; /^[a-z-]*: .*: /p; /^and [0-9]* more/p' "$out/last"
		tail -n 1 "$out/said"
		sed -n 's/^\(fail\|error\|inconclusive\|unexpected-pass\): \([^:]*\): .*/\2/p' "$out/last" | keep
	fi
	if [ -n "${READ:-}" ]; then
		if ! nice ci/readers/run.sh "$out/evidence" >"$out/read" 2>&1; then
			fault=1
			echo "seed $seed:"
			grep '^DISAGREE' "$out/read" || tail -n 3 "$out/read"
			sed -n 's/^DISAGREE [a-z]*: \([^ :]*\/[^ :]*\)[ :].*/\1/p' "$out/read" | sort -u | keep
		fi
		rm -rf "$out/evidence" "$out/read"
	fi
	[ -z "$fault" ] || bad=$((bad + 1))
	seed=$((seed + 1))
done
specs=$(sed -n 's/^\([0-9]*\) specs .*/\1/p' "$out/last")
rm -f "$out/last" "$out/said"
echo "$seeds seeds from $first on, ${specs:-no} specs each: $bad with a fault"
[ "$bad" = 0 ] || { echo "Evidence: $out" >&2; exit 1; }
