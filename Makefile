# The one entry: people and CI call these targets. `make help` lists them.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

# What may be set from outside: make NAME=value, or the environment.
VLAB_CACHE ?= $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/vlab
LIBTORCH ?=
CUDA ?=
PYTHON ?= python3
SUDO ?= $(if $(filter 0,$(shell id -u)),,sudo)
FUZZTIME ?= 30s
BENCH ?= .
BENCHCOUNT ?= 10
ALBEF_OFFICIAL ?=
override VLAB_CACHE := $(abspath $(VLAB_CACHE))

# libtorch and the flags that Go's build of gotch and of ours needs. Go's cache is
# keyed by these strings, so they name the cache folder and nothing of the checkout.
PARTS := albef/torch/libtorch
LIBTORCH_HOME := $(VLAB_CACHE)/libtorch-$(shell sed -n 's/^torch==\([0-9.]*\) .*/\1/p' $(PARTS)/wheels.txt)
TORCH := $(abspath $(or $(LIBTORCH),$(LIBTORCH_HOME)/torch))
CGO_ENABLED := 1
CGO_CXXFLAGS := -include $(LIBTORCH_HOME)/stub/compat.h -I$(TORCH)/include -I$(TORCH)/include/torch/csrc/api/include -O2 -w
CGO_CFLAGS := -O2 -w
CGO_LDFLAGS := -L$(LIBTORCH_HOME)/stub -L$(TORCH)/lib -ltorch_cpu -lc10 -Wl,-rpath,$(TORCH)/lib

# A Python with the packages of the kernel's tests; another one by VLAB_PYTHON=name.
lock_hash = $(shell sha256sum <$(1) | cut -c1-12)
PYTHON_HOME := $(VLAB_CACHE)/python-$(call lock_hash,kernel/requirements.lock)
LAB_HOME := $(VLAB_CACHE)/lab-$(call lock_hash,kernel/requirements-lab.lock)
BROWSER_HOME := $(VLAB_CACHE)/browser-$(call lock_hash,kernel/requirements-browser.lock)
VLAB_PYTHON ?= $(PYTHON_HOME)/bin/python

# What `make env` prints, and what every recipe runs with.
BUILD_ENV := VLAB_CACHE VLAB_PYTHON CGO_ENABLED CGO_CXXFLAGS CGO_CFLAGS CGO_LDFLAGS
export $(BUILD_ENV)
SETUP := LIBTORCH="$(if $(LIBTORCH),$(TORCH))" LIBTORCH_HOME="$(LIBTORCH_HOME)" CUDA="$(CUDA)" PYTHON="$(PYTHON)" \
	PYTHON_HOME="$(PYTHON_HOME)" LAB_HOME="$(LAB_HOME)" BROWSER_HOME="$(BROWSER_HOME)" SUDO="$(SUDO)" $(PARTS)/setup.sh

ifneq ($(words $(VLAB_CACHE) $(TORCH)),2)
$(error the cache folder or LIBTORCH has a space in its path, which the compiler's flags can't hold; VLAB_CACHE=dir names another folder)
endif

GOLANGCI_LINT_VERSION := v2.15.0
GOLANGCI_LINT := $(VLAB_CACHE)/bin/golangci-lint-$(GOLANGCI_LINT_VERSION)
export GOLANGCI_LINT_CACHE := $(VLAB_CACHE)/golangci-lint

# cmd/vlab twice, into a folder: all of it, with libtorch, and a front that starts at once and hands over to the other.
programs = go build -o "$(1)/vlab-torch" ./cmd/vlab; \
	CGO_ENABLED=0 go build -tags front -ldflags "-X 'main.builtIn=$(1)'" -o "$(1)/vlab" ./cmd/vlab

# JupyterLab set up, with the kernel in .jupyter/, and the environment that it runs in.
define lab
$(SETUP) lab; bin/vlab kernel install --prefix .jupyter; D=$(CURDIR)/.jupyter; export JUPYTER_PATH=$$D/share/jupyter:$(LAB_HOME)/lib/share/jupyter \
  JUPYTER_CONFIG_DIR=$$D/config JUPYTER_DATA_DIR=$$D/data JUPYTER_RUNTIME_DIR=$$D/runtime IPYTHONDIR=$$D/ipython \
  JUPYTER_CONFIG_PATH=$(LAB_HOME)/lib/etc/jupyter JUPYTERLAB_DIR=$(LAB_HOME)/lib/share/jupyter/lab
endef

.PHONY: help
help: ## what there is
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' Makefile | expand -t 20

## From a fresh machine

.PHONY: demo
demo: build ## all set-up, then the main job: trains a few steps, retrieves, answers, grounds, and says where its pictures are
	@bin/vlab demo --out demo-out

.PHONY: test
test: setup ## all set-up, then all tests
	@go test -timeout 20m ./...

.PHONY: setup
setup: ## system packages, libtorch, Python parts for the kernel's tests; CUDA=1 adds the CUDA libraries
	@$(SETUP)

.PHONY: build
build: setup ## bin/vlab, and bin/vlab-torch for what needs libtorch
	@$(call programs,$(CURDIR)/bin)

.PHONY: repl
repl: build ## the terminal
	@bin/vlab repl

.PHONY: notebook
notebook: build ## JupyterLab on notebooks/, with the kernel installed in .jupyter/; LABFLAGS=--no-browser and others
	@$(lab); $(LAB_HOME)/bin/python -m jupyterlab --notebook-dir notebooks $(LABFLAGS)

.PHONY: env
env: ## the build environment, as export lines for a shell to eval
	@$(foreach name,$(BUILD_ENV),printf "export %s='%s'\n" $(name) '$($(name))';)

.PHONY: install
install: setup ## vlab, vlab-torch and the kernel, for this user
	@bin="$$(dirname "$$(go list -f '{{.Target}}' ./cmd/vlab)")"; $(call programs,$$bin); "$$bin/vlab" kernel install --user

## Checks

.PHONY: check
check: setup check-format check-vet check-lint check-tidy check-generated check-race test ## all that must hold: formatting, vet, lint, arrows, generated files, tests

.PHONY: check-format check-vet check-lint check-tidy check-generated check-race
check-format:
	@bad=$$(gofmt -l $$(git ls-files -co --exclude-standard '*.go')); \
	[ -z "$$bad" ] || { printf 'not gofmt-ed:\n%s\nhint: gofmt -w on them\n' "$$bad"; exit 1; }

check-vet: setup
	@go vet ./...

check-lint: setup $(GOLANGCI_LINT)
	@[ ! -x $(GOLANGCI_LINT) ] || $(GOLANGCI_LINT) run ./...

check-tidy: setup
	@go mod tidy -diff || { echo 'hint: go mod tidy'; exit 1; }

# Generated files say so on line one; generating anew must change none.
GENERATED = git grep -l --untracked -E '^// Code generated .* DO NOT EDIT\.$$' -- '*.go' | xargs -r sha256sum
check-generated: setup
	@before=$$($(GENERATED)); go generate ./...; \
	diff <(echo "$$before") <($(GENERATED)) || { echo 'hint: go generate ./... has changed these; commit what it wrote'; exit 1; }

# The race detector would compile libtorch's binding a second time; what doesn't link it runs under it.
check-race: setup
	@go test -race -short -timeout 20m $$(go list -f '{{.ImportPath}} {{join .Deps " "}}' ./... | grep -v ' github.com/sugarme/gotch/libtch' | cut -d' ' -f1)

$(GOLANGCI_LINT):
	@echo 'golangci-lint: compiling $(GOLANGCI_LINT_VERSION), some minutes, once' >&2; mkdir -p $(@D)/new; \
	if GOBIN=$(@D)/new go install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(GOLANGCI_LINT_VERSION) 2>$(@D)/new/log; \
	then mv $(@D)/new/golangci-lint $@; else tail -n 3 $(@D)/new/log; echo 'check: golangci-lint cannot be had here, so the lint step is left out'; fi

.PHONY: format
format: setup $(GOLANGCI_LINT) ## gofumpt and goimports over all files
	@$(GOLANGCI_LINT) fmt ./...

.PHONY: test-kernel
test-kernel: setup ## the kernel under real Jupyter clients
	@go test -count=1 -v -run 'Client' ./kernel/...; go test -count=1 -v -run 'Jupyter' ./cmd/vlab

.PHONY: test-lab
test-lab: build ## JupyterLab in a headless Chromium, as a person uses it; its screenshots go to lab-out/
	@$(SETUP) browser; $(lab); XDG_STATE_HOME=$$D/state LAB_PYTHON=$(LAB_HOME)/bin/python $(BROWSER_HOME)/bin/python notebooks/lab.py lab-out

.PHONY: golden
golden: setup ## writes the golden files anew: look at the diff
	@go test $$(git grep -l --untracked 'flag.Bool("update"' -- '*_test.go' | xargs -n1 dirname | sort -u | sed 's,^,./,') -update

.PHONY: fuzz
fuzz: setup ## every fuzz target for FUZZTIME (30s)
	@git grep --untracked -E '^func Fuzz[A-Za-z0-9_]*\(' -- '*_test.go' | sed -E 's,/[^/]*_test.go:func (Fuzz[A-Za-z0-9_]*).*, \1,' | \
	while read -r package target; do \
	  echo "$$package $$target"; go test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) "./$$package" </dev/null; done

## Speed

# Beside ours run PyTorch's own, so these need a Python that has it: VLAB_PYTHON, or one in the cache folder (3 GB, once).
PEER := albef/bench/peer
PEER_PYTHON = $(if $(filter $(PYTHON_HOME)/bin/python,$(VLAB_PYTHON)),$$(PYTHON="$(PYTHON)" $(PEER)/setup.sh),$(VLAB_PYTHON))

.PHONY: bench
bench: setup ## our benchmarks beside PyTorch's, ten runs to bench/new.txt; BENCH=pattern, BENCHCOUNT=n
	@mkdir -p bench; VLAB_PYTHON=$$(PYTHON="$(PYTHON)" albef/bench/peer/setup.sh || echo "$(VLAB_PYTHON)") \
	  go test -run '^$$' -bench '$(BENCH)' -benchmem -count $(BENCHCOUNT) -timeout 2h ./... | tee bench/new.txt

.PHONY: bench-peer
bench-peer: build ## the training step and every query by the official code, by today's PyTorch and by ours in turn, as ratios; ALBEF_OFFICIAL=dir names a checkout of the official code, PEERFLAGS="--work step --size mid" asks for less (--help)
	@ALBEF_OFFICIAL="$(ALBEF_OFFICIAL)" PYTHON="$(PYTHON)" albef/bench/peer/run.sh $(PEERFLAGS)

.PHONY: bench-kernel
bench-kernel: build ## round trips of cells, beside ipykernel's in turn
	@$(lab); XDG_STATE_HOME=$$D/state $(LAB_HOME)/bin/python -W ignore cmd/vlab/testdata/jupyter/roundtrip.py

.PHONY: growth
growth: setup ## how a training step's time grows with batch, text, image and depth, as a table and docs/pictures/growth.png; GROWTHFLAGS=
	@go run ./albef/bench/growth --out docs/pictures/growth.png $(GROWTHFLAGS)

.PHONY: clean
clean: ## removes what was built in the checkout; the cache folder stays
	@rm -rf bin demo-out lab-out bench .jupyter
