#!/bin/sh
# Makes the captures of pcaps/ afresh: same seed, same octets, unless the reference sends something else than before.
set -eu
cd "$(dirname "$0")/.."
make -s build
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
while read -r name spec; do
	bin/gdoilab run --spec "$spec" --seed 1 --out "$out" --json >/dev/null
	mkdir -p "pcaps/$name"
	for file in capture.pcapng keys.json messages.json spec.json; do
		cp "$out/specs/$spec/$file" "pcaps/$name/"
	done
done <<END
registration registration/registers-and-protects-traffic-under-aes-gcm
rekey rekey/follows-a-rekey-by-multicast-that-brings-a-kek-and-data-security-sas-and-the-one-under-the-new-kek
acknowledgement ack/acknowledges-a-push-with-a-new-kek-under-the-old-one-and-the-next-under-the-new-one
END
