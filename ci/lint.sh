#!/bin/sh
# gofmt, go vet, staticcheck, and vulnerabilities that are known.
set -eu
cd "$(dirname "$0")/.."
go=${GO:-go}

bad=$(git ls-files -co --exclude-standard '*.go' | xargs gofmt -l)
if [ -n "$bad" ]; then
	echo "not in gofmt's form:" $bad >&2
	exit 1
fi
"$go" vet ./...
"$go" tool staticcheck ./...

# govulncheck ends with 3 when it found some, and with 1 when its database could not be asked.
status=0
found=$("$go" tool govulncheck ./... 2>&1) || status=$?
case $status in
0) echo "no vulnerability that is known and that our code reaches" ;;
1) echo "SKIPPED: $(echo "$found" | tail -n 1)" ;;
*) echo "$found" >&2 && exit 1 ;;
esac
