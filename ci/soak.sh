#!/bin/sh
# Runs every suite on the memory fabric against the unbroken reference with SEEDS seeds, from SEED on. Nothing is written of a run without
# a fault. Each spec that does not pass is run again alone with that seed, and what it sees stays in out/soak/SEED.
set -eu
cd "$(dirname "$0")/.."
seeds=${SEEDS:-50}
first=${SEED:-1}
out=out/soak
rm -rf "$out"
mkdir -p "$out"
bad=0
seed=$first
while [ "$seed" -lt $((first + seeds)) ]; do
	if ! nice bin/gdoilab run --fabric memory --no-evidence --seed "$seed" >"$out/last" 2>"$out/said"; then
		bad=$((bad + 1))
		echo "seed $seed:"
		sed -n '/^reading: /d; /^[a-z-]*: .*: /p; /^and [0-9]* more/p' "$out/last"
		tail -n 1 "$out/said"
		sed -n 's/^\(fail\|error\|inconclusive\|unexpected-pass\): \([^:]*\): .*/\2/p' "$out/last" | while read -r spec; do
			bin/gdoilab run --fabric memory --seed "$seed" --spec "$spec" --out "$out/$seed/$spec" >/dev/null 2>&1 || true
		done
	fi
	seed=$((seed + 1))
done
specs=$(sed -n 's/^\([0-9]*\) specs .*/\1/p' "$out/last")
rm -f "$out/last" "$out/said"
echo "$seeds seeds from $first on, ${specs:-no} specs each: $bad with a fault"
[ "$bad" = 0 ] || { echo "Evidence: $out" >&2; exit 1; }
