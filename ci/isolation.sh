#!/bin/sh
# Runs beside each other: RUNS (8) at once of the same few specs in network namespaces, in an order of their own each, ROUNDS (20) times.
# None may disturb another, and nothing may be left: namespaces, links, processes, files. In each round one more run is killed in the middle;
# what it leaves, the next one removes, and nothing of the others. Needs root. FILTER says which specs.
set -eu
cd "$(dirname "$0")/.."
runs=${RUNS:-8}
rounds=${ROUNDS:-20}
filter=${FILTER:-subject:pairs && (scene:phase1 || scene:registration)}
out=${OUT:-out/isolation}
gdoilab=$PWD/bin/gdoilab
if [ "$(id -u)" != 0 ]; then
	echo "SKIPPED: network namespaces need root; you are $(id -un)"
	exit 0
fi
rm -rf "$out"
mkdir -p "$out"
out=$(realpath "$out")
TMPDIR=$out/tmp # where our runs have their folders, and nobody else
export TMPDIR
mkdir -p "$TMPDIR"

# A run of ours is known by this in its environment, as are the daemons that it starts.
GDOILAB_ISOLATION=$$
export GDOILAB_ISOLATION
ours() { grep -lsz "^GDOILAB_ISOLATION=$$\$" /proc/[0-9]*/environ | cut -d/ -f3; }

# left: what there is of runs that are over, by the process numbers that they had
left() {
	ls "$TMPDIR"
	while read -r pid; do
		ls /run/netns | grep "^gdoilab-$pid-" || true
	done <"$out/pids"
	for pid in $(ours); do
		case $(cat "/proc/$pid/comm" 2>/dev/null || true) in
		gdoilab*) echo "process $pid" ;;
		esac
	done
}

links() { ip -br link | cut -d' ' -f1 | sort; }

# one NAME SEED: a run in an order of its own
one() {
	"$gdoilab" run --fabric netns --filter "$filter" --seed "$2" --workers 2 --shuffle --out "$out/$1" >"$out/$1.log" 2>&1
}

bad=0
complain() { echo "FAILED: $*" >&2; bad=$((bad + 1)); }

for round in $(seq "$rounds"); do
	: >"$out/pids"
	before=$(links)
	begun=$(date +%s)
	setsid "$gdoilab" run --fabric netns --filter "$filter" --workers 1 --out "$out/killed" >"$out/killed.log" 2>&1 &
	victim=$!
	waiting=""
	for n in $(seq "$runs"); do
		one "$n" "$((round * 100 + n))" &
		waiting="$waiting $!"
	done
	tries=0
	while [ "$tries" -lt 600 ] && ! grep -q '^\[' "$out/killed.log"; do
		tries=$((tries + 1))
		ours >>"$out/pids"
		sleep 0.1
	done
	ours >>"$out/pids"
	kill -KILL "$victim" 2>/dev/null || true
	wait "$victim" 2>/dev/null || true
	n=0
	for pid in $waiting; do
		n=$((n + 1))
		while kill -0 "$pid" 2>/dev/null; do
			ours >>"$out/pids"
			sleep 0.2
		done
		wait "$pid" || {
			complain "round $round: run $n"
			tail -n 25 "$out/$n.log" >&2
			cp -r "$out/$n" "$out/failed-$round-$n"
		}
	done
	one last "$round" || complain "round $round: the run after the killed one"
	sort -u -o "$out/pids" "$out/pids"
	remains=$(left)
	[ -z "$remains" ] || complain "round $round: left behind: $remains"
	[ "$before" = "$(links)" ] || complain "round $round: links differ: $before, then $(links)"
	echo "round $round: $runs runs at once and one killed, $(($(date +%s) - begun)) s, $(wc -l <"$out/pids") processes seen"
done
if [ "$bad" != 0 ]; then
	echo "$bad faults; evidence: $out" >&2
	exit 1
fi
echo "Nothing collided and nothing was left in $rounds rounds."
