#!/bin/sh
# A container engine for devices that come in containers: "eval "$(ci/docker.sh start)"" finds the one of this machine, or else, as
# root, installs Docker and starts one ("began" is set then) below out/docker, apart from the machine's own: no bridge, no rules of a firewall, no
# forwarding, nothing fetched. "ci/docker.sh stop" ends that one, "ci/docker.sh remove" removes its images too.
set -eu
cd "$(dirname "$0")/.."
root=$PWD/out/docker
run=/run/gdoilab-docker # a socket's path has to be short
host=unix://$run/docker.sock

answers() { DOCKER_HOST=$1 docker version >/dev/null 2>&1; }

found() {
	for h in "${DOCKER_HOST:-unix:///var/run/docker.sock}" "$host"; do
		if answers "$h"; then
			echo "export DOCKER_HOST=$h"
			exit 0
		fi
	done
}

start() {
	found
	if [ "$(id -u)" != 0 ]; then
		echo "No container engine answers, and you are not root. Devices in containers are skipped and say so." >&2
		exit 1
	fi
	if ! command -v dockerd >/dev/null 2>&1 || ! command -v docker >/dev/null 2>&1; then
		echo "Installing: docker.io" >&2
		export DEBIAN_FRONTEND=noninteractive
		apt-get update -qq >&2
		apt-get install -y -qq --no-install-recommends docker.io >/dev/null
		found # the package may have started one
	fi
	mkdir -p "$root" "$run"
	setsid dockerd --iptables=false --ip6tables=false --ip-masq=false --ip-forward=false --bridge=none \
		--data-root "$root" --exec-root "$run" --pidfile "$run/pid" --host "$host" >"$root.log" 2>&1 </dev/null &
	for _ in $(seq 100); do
		if answers "$host"; then
			echo "export DOCKER_HOST=$host; began=yes"
			exit 0
		fi
		sleep 0.1
	done
	echo "dockerd does not answer:" >&2
	tail -n 5 "$root.log" >&2
	exit 1
}

stop() {
	if [ ! -e "$run/pid" ]; then return; fi
	pid=$(cat "$run/pid")
	kill "$pid" 2>/dev/null || true
	for _ in $(seq 300); do
		if ! kill -0 "$pid" 2>/dev/null; then
			rm -rf "$run"
			return
		fi
		sleep 0.1
	done
	echo "dockerd ($pid) does not end" >&2
	exit 1
}

case ${1:-} in
start) start ;;
stop) stop ;;
remove)
	stop
	rm -rf "$root" "$root.log"
	;;
*)
	echo "usage: ci/docker.sh start|stop|remove" >&2
	exit 2
	;;
esac
