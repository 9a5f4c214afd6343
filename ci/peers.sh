#!/bin/sh
# Unpacks foreign peers below out/peers (or $1), without installing them: strongSwan and libreswan exclude each other as packages, and
# none of their services is to run on this machine. What is there already is left alone.
set -eu
cd "$(dirname "$0")/.."
root=${1:-out/peers}
updated=""

# fetch TREE PACKAGE...: what the packages need and the machine has not is unpacked beside them
fetch() {
	tree=$root/$1
	shift
	if [ -d "$tree" ]; then return; fi
	if [ -z "$updated" ]; then apt-get update -qq; fi
	updated=yes
	part=$tree.part
	rm -rf "$part"
	mkdir -p "$part/debs/partial"
	apt-get install -y -qq --download-only --no-install-recommends -o DPkg::Lock::Timeout=300 -o Dir::Cache::archives="$(realpath "$part/debs")" "$@" >/dev/null
	for package in "$part"/debs/*.deb; do
		if [ -e "$package" ]; then dpkg -x "$package" "$part"; fi
	done
	rm -rf "$part/debs"
	if [ -d "$part/lib" ]; then # where /lib is a link to /usr/lib
		cp -a "$part/lib/." "$part/usr/lib/"
	fi
	mv "$part" "$tree"
	echo "Unpacked: $tree"
}
fetch strongswan charon-systemd strongswan-swanctl libstrongswan-standard-plugins libstrongswan-extra-plugins libcharon-extra-plugins
fetch libreswan libreswan libnss3-tools openssl
fetch uml user-mode-linux
