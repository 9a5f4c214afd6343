#!/bin/sh
# Every two peers beside each other, and the matrix of what they came to: the foreign daemons are fetched and, if containers can be
# had, an engine for them is found or started. What this machine cannot do is in the matrix with its reason. Arguments go to "gdoilab interop"
# (--peers, --exhaustive, …); FABRICS are the fabrics (memory,netns as root, else memory), OUT is the folder (out/interop).
set -eu
cd "$(dirname "$0")/.."
out=${OUT:-out/interop}
rm -rf "$out"

fabrics=memory
if [ "$(id -u)" = 0 ]; then
	fabrics=memory,netns
	ci/peers.sh || echo "The foreign daemons could not be fetched; those that are not there are absent in the matrix."
else
	echo "SKIPPED: the netns fabric needs root; you are $(id -un)"
fi

began=""
if [ ! -x ci/docker.sh ]; then
	echo "SKIPPED: containers: there is no ci/docker.sh"
elif engine=$(ci/docker.sh start); then
	eval "$engine"
	trap '[ -z "$began" ] || ci/docker.sh stop' EXIT
	trap 'exit 130' INT # a shell that a signal ends leaves without that
	trap 'exit 143' TERM
else
	echo "SKIPPED: containers: no engine, as said above"
fi

status=0
bin/gdoilab interop --fabric "${FABRICS:-$fabrics}" --out "$out" "$@" || status=$?
echo "Matrix: $out/interop.html $out/interop.md $out/interop.json"
exit "$status"
