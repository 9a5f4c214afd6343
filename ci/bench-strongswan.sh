#!/bin/sh
# What Main Mode (MODP 2048, pre-shared key) costs foreign responders, as a multiple of what it costs ours. Needs root.
set -eu
cd "$(dirname "$0")/.."
ci/peers.sh
GDOILAB_PEERS=$(realpath out/peers)
export GDOILAB_PEERS
exec "${GO:-go}" test -run '^$' -bench MainMode -benchtime "${BENCHTIME:-200x}" ./suites/interop
