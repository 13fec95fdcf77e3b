# `make help` lists the targets. Longer recipes are in scripts/, versions in scripts/versions.sh.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
CARGO ?= cargo
export CARGO

.PHONY: help plugin demo test fmt lint unit e2e test-compat clean

help: ## this list
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

plugin: ## dist/plugin.wasm and dist/plugin-offline.wasm (needs Rust; installs the rest)
	scripts/plugin.sh

test: fmt lint unit e2e ## everything that a change must pass

fmt: ## check the formatting
	$(CARGO) fmt --check

lint: ## clippy with warnings denied, native and wasm
	scripts/lint.sh

unit: ## tests that need no Traefik
	$(CARGO) test --locked

clean: ## what was built; fetched Traefiks stay in .cache
	rm -rf target dist plugins-local
