# gdoilab: two commands do everything, "make demo" and "make test"; both set up what they need.

VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
GO      ?= go
SOURCES := $(shell find reference harness suites fixtures -type f -not -name '*_test.go' 2>/dev/null) go.mod go.sum

# The same flags for builds and tests, so that they share the build cache.
export CGO_ENABLED ?= 0
export GOFLAGS     ?= -trimpath

.PHONY: help setup build demo test race lint bench bench-net fuzz selftest soak interop clean

help:            ## show the targets
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 12

setup:           ## install the Debian packages that are missing (as root), and check the machine
	@ci/setup.sh

build: bin/gdoilab bin/gdoi-ks bin/gdoi-gm  ## build the programs into bin/

bin/gdoilab: $(SOURCES)
	@$(GO) build -ldflags '-s -w -X main.version=$(VERSION)' -o $@ ./suites/cmd/gdoilab

bin/gdoi-ks bin/gdoi-gm: bin/%: $(SOURCES)
	@$(GO) build -ldflags '-s -w' -o $@ ./reference/cmd/$*

demo: setup build  ## run the suite against the reference and show the report
	@bin/gdoilab run --fabric auto

test: setup      ## every test there is
	@ci/test.sh

race: setup      ## tests of what has goroutines, with the race detector
	@ci/race.sh

lint:            ## gofmt, go vet, staticcheck, govulncheck
	@ci/lint.sh

bench:           ## benchmarks, as ratios within one run
	@ci/bench.sh

bench-net:       ## how fast packets cross gateways in namespaces, against others, REPS times (5); as root
	@ci/bench-net.sh

fuzz:            ## fuzz every decoder and core, FUZZTIME each (30s)
	@ci/fuzz.sh

selftest: build  ## break the reference in one place at a time; every mutant must be noticed
	@bin/gdoilab selftest --out out/selftest.json --evidence out/survivors

soak: build      ## every suite on the memory fabric with SEEDS seeds (50)
	@ci/soak.sh

interop: build   ## every two peers beside each other, and the matrix of what they came to
	@ci/interop.sh

clean:           ## remove what was built and written
	rm -rf bin out
