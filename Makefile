# Wardkeeper. `make help` lists what there is; only Go and make are needed.
SHELL   := /bin/bash
export CGO_ENABLED := 0
LDFLAGS := -trimpath -ldflags='-s -w'
FUZZTIME ?= 2s
RUNFOR  ?= 30s
WARD    ?= icu
BOARD   ?= qemu-arm64
VERSION ?= $(shell git describe --always --dirty 2>/dev/null || echo dev)

.PHONY: help run test test-arm64 check build image test-image image-torture image-bench bench fuzz lint clean

help: ## list the targets
	@grep -E '^[a-z0-9-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

run: build ## a virtual ward (WARD=icu, theatre, lab or nothing) with the agent on an embedded broker, for $(RUNFOR)
	bin/wardlab run --for $(RUNFOR) --ward "$(WARD)"

test: build ## all tests; what wants an apt package skips and names it
	go test ./...

test-arm64: build ## the tests that touch the kernel, on the image's kernel in QEMU; Debian only, names what is missing
	bin/wardimage test --board $(BOARD) --log bin/test-arm64.log

check: lint ## the inner loop, under two minutes
	go test -short ./...

lint: ## gofmt, vet (also for darwin), staticcheck
	@test -z "$$(gofmt -l agent cmd images platform rules)" || { gofmt -l agent cmd images platform rules; echo 'run gofmt -w on these'; exit 1; }
	go vet ./...
	go vet -tags image ./cmd/...
	GOOS=darwin go vet ./...
	go tool staticcheck ./...

build: ## bin/wardkeeper, bin/wardctl, bin/wardlab, bin/wardimage
	go build $(LDFLAGS) -o bin/ ./cmd/wardkeeper ./cmd/wardctl ./cmd/wardlab ./cmd/wardimage

image: build ## bin/images/$(BOARD): kernel, initramfs and disk of a gateway; Debian only, names what is missing
	bin/wardimage build --board $(BOARD) --out bin/images/$(BOARD) --version $(VERSION)

test-image: image ## the image in a virtual machine: the ward around it, by kernel and by firmware, power cuts, rescue, button
	WARDKEEPER_IMAGE=$(CURDIR)/bin/images/$(BOARD) go test -count=1 -tags image -run Image -timeout 20m -p 1 -parallel 3 -v ./cmd/...

image-torture: image ## twenty power cuts at random moments, 10 MB of noise on the serial line
	WARDKEEPER_CUTS=20 WARDKEEPER_NOISE=10485760 WARDKEEPER_IMAGE=$(CURDIR)/bin/images/$(BOARD) go test -count=1 -tags image -run TestImage -timeout 45m -v ./cmd/wardlab/internal/lab

image-bench: image ## the image's size, its times to enforcing, and the agent's memory in it, against their goals
	bin/wardimage bench --image bin/images/$(BOARD)

bench: build ## measure against tcpdump, mdlayher/packet and bbolt; CORPUS=folder for real captures
	scripts/bench

fuzz: ## every fuzz target for $(FUZZTIME)
	scripts/fuzz $(FUZZTIME)

clean: ## remove what was built
	rm -rf bin
