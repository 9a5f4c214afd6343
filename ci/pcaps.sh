#!/bin/sh
# Makes the captures of pcaps/ afresh, a folder for each row of the table in pcaps/README.md: same seed, same octets, unless the
# reference sends something else than before. With --check nothing is written: it says what would change, and fails.
set -eu
cd "$(dirname "$0")/.."
make -s build
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
rows=$(sed -n 's/^| `\([^`]*\)` | `\([^`]*\)` |.*/\1 \2/p' pcaps/README.md)
[ -n "$rows" ] || { echo "pcaps/README.md has no table" >&2; exit 1; }
if [ "${1:-}" = --check ]; then
	target=$out/new
else
	target=pcaps
	rm -rf pcaps/*/
fi
echo "$rows" | while read -r name spec; do
	bin/gdoilab run --spec "$spec" --seed 1 --out "$out/run" --json >/dev/null || { echo "$name: $spec did not pass" >&2; exit 1; }
	mkdir -p "$target/$name"
	for file in capture.pcapng keys.json messages.json; do
		cp "$out/run/specs/$spec/$file" "$target/$name/"
	done
	sed 's/^  "seconds": .*/  "seconds": 0,/' "$out/run/specs/$spec/spec.json" >"$target/$name/spec.json" # or every run would change it
done
[ "$target" = pcaps ] && exit 0
changed=0
for folder in pcaps/*/ "$target"/*/; do
	name=$(basename "$folder")
	for file in capture.pcapng keys.json messages.json spec.json; do
		cmp -s "pcaps/$name/$file" "$target/$name/$file" || { echo "pcaps/$name/$file is not what the reference sends now"; changed=1; }
	done
done
[ "$changed" = 0 ] || { echo 'if that is meant, run ci/pcaps.sh' >&2; exit 1; }
echo "$(echo "$rows" | wc -l) captures are what the reference sends"
