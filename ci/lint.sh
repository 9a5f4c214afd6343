#!/bin/sh
# gofmt, go vet, staticcheck, and what must not stand in the tree.
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
