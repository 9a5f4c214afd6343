#!/bin/sh
# How fast packets cross a pair of gateways in namespaces: ours, wireguard-go and strongSwan's userland ESP, in turn, REPS times.
# Needs root. With ENDS, LOADS and SYSTEMS, some of what it prints; see reference/internal/netbench.
set -eu
cd "$(dirname "$0")/.."
go=${GO:-go}
ci/peers.sh
mkdir -p out
"$go" -C ci/wireguard build -o "$PWD/out/wireguard-go" golang.zx2c4.com/wireguard
GDOILAB_WIREGUARD=$PWD/out/wireguard-go
GDOILAB_PEERS=$(realpath out/peers)
GDOILAB_ENDS=${ENDS:-}
GDOILAB_LOADS=${LOADS:-}
GDOILAB_SYSTEMS=${SYSTEMS:-}
export GDOILAB_WIREGUARD GDOILAB_PEERS GDOILAB_ENDS GDOILAB_LOADS GDOILAB_SYSTEMS
exec "$go" test -run '^$' -bench Gateways -benchtime "${REPS:-5}x" -timeout 30m ./reference/internal/netbench
