#!/bin/sh
# Installs the Debian packages that the tests use and that are missing. Without root it only says what will be skipped.
set -eu
cd "$(dirname "$0")/.."

missing=""
need() { command -v "$1" >/dev/null 2>&1 || missing="$missing $2"; }
need ip iproute2
need ping iputils-ping
need tshark tshark
need snmpwalk snmp
[ -x /usr/bin/python3 ] && /usr/bin/python3 -c 'import scapy, cryptography' 2>/dev/null || missing="$missing python3 python3-scapy python3-cryptography"

if [ -n "$missing" ]; then
	if [ "$(id -u)" = 0 ]; then
		echo "Installing:$missing"
		export DEBIAN_FRONTEND=noninteractive
		apt-get update -qq
		# shellcheck disable=SC2086 # one word each
		apt-get install -y -qq --no-install-recommends $missing >/dev/null
	else
		echo "Not installed, and you are not root:$missing"
		echo "What needs them is skipped and says so."
	fi
fi

if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
	ci/peers.sh || echo "The foreign peers could not be fetched. What needs them is skipped and says so."
fi

go=${GO:-go}
if ! command -v "$go" >/dev/null 2>&1; then
	echo "Go is not installed; gdoilab is built with Go 1.26 or later (https://go.dev/dl/)." >&2
	exit 2
fi
version=$("$go" env GOVERSION)
minor=${version#go1.}
minor=${minor%%.*}
case $minor in
'' | *[!0-9]*) ;; # a development version
*) if [ "$minor" -lt 26 ]; then
	echo "Go 1.26 or later is needed; this is $version." >&2
	exit 2
fi ;;
esac
