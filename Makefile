# `make help` lists the targets. Longer recipes are in scripts/, versions in scripts/versions.sh.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
CARGO ?= cargo
export CARGO

.PHONY: help built modules plugin jwt-check playground release release-twice deny race-plugin demo test fmt lint unit e2e soak cruel arithmetic fuzz mutants counterparts test-compat bench bench-peers bench-native reference docs clean

help: ## this list
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

plugin: ## dist/plugin.wasm and dist/plugin-offline.wasm (needs Rust; installs the rest)
	scripts/plugin.sh

jwt-check: ## dist/jwt-check-linux-amd64, the command for configurations (docs/jwt-check.md); for this machine
	scripts/jwt-check.sh

playground: ## dist/playground/index.html: jwt-check as a page that needs no server (docs/playground.md)
	scripts/playground.sh

demo: plugin ## Traefik with the plugin, a key-set server and an upstream; shows what passes
	scripts/with-traefik.sh $(CARGO) run -q --locked -p testbed --example demo

# Two at a time, in target directories of their own: for this machine, and the modules.
test: fmt ## everything that a change must pass
	$(MAKE) -j2 --output-sync=target built modules
	$(MAKE) e2e
	$(MAKE) -j2 --output-sync=target unit counterparts
	@[ -z "$$(cat target/skipped/*)" ] && echo "all passed, none skipped" || { echo "passed, but for:"; cat target/skipped/*; }

built:
	scripts/lint.sh native
	. scripts/versions.sh; $(CARGO) test -q --locked --no-run $$TESTED_PACKAGES
	. scripts/versions.sh; $(CARGO) test -q --locked --no-run $$TESTED_PACKAGES --test '*'

modules:
	scripts/plugin.sh
	scripts/race-plugin.sh
	scripts/lint.sh wasm
	scripts/playground.sh

fmt: ## check the formatting
	$(CARGO) fmt --all --check

lint: ## clippy with warnings denied, native and wasm; cargo-deny, if it is installed
	scripts/lint.sh

unit: ## tests that need no Traefik
	. scripts/versions.sh; $(CARGO) test --locked $$TESTED_PACKAGES
	scripts/mutants.sh --sample

release: plugin jwt-check playground ## dist/release/: archives, jwt-check, the page, checksums, materials (SBOM), licences and notes of this version
	scripts/release.py

release-twice: ## builds it twice from clean clones in different directories: the same bytes
	scripts/release-twice.sh

deny: ## cargo-deny: licences, sources, bans and, if the database can be fetched, advisories (installs it: minutes)
	scripts/deny.sh

race-plugin: ## target/race-test.wasm, which makes the host's races likely (for tests only)
	scripts/race-plugin.sh

e2e: plugin race-plugin ## tests in a real Traefik (TRAEFIK=path for one of yours; E2E=name for some)
	scripts/e2e.sh $(E2E)

soak: plugin race-plugin ## 10,000 operations in the host's races, 100 reloads, and SOAK_MINUTES (5) of mixed load
	. scripts/versions.sh; RACE_OPERATIONS=$${RACE_OPERATIONS:-10000} SOAK_MINUTES=$${SOAK_MINUTES:-5} \
		scripts/with-traefik.sh $(CARGO) test --locked $$TESTED_PACKAGES --test e2e -- $(E2E)

cruel: plugin race-plugin ## tests in a real Traefik with one processor, little memory, few threads or descriptors, for arm64; a provider that dies at every byte (CRUEL=name for some)
	scripts/cruel.sh $(CRUEL)

fuzz: ## libFuzzer on everything that reads bytes of others, for FUZZ_SECONDS (60) in all (FUZZ="url token" for some; KEEP=1 keeps what it finds; installs cargo-fuzz: minutes)
	scripts/fuzz.sh $(FUZZ)

mutants: ## changes to the library that no test notices (MUTANTS="core/claims keys" for some files; installs cargo-mutants)
	scripts/mutants.sh $(MUTANTS)

arithmetic: ## structured cases for the public-key arithmetic, judged by textbooks: CASES (ten million), SEED
	CASES=$${CASES:-10000000} $(CARGO) test --locked --config profile.dev.package.arithmetic.opt-level=3 \
		-p arithmetic --lib -- as_defined digits_have_their_inverses --nocapture

counterparts: plugin playground ## the plugin with an OpenID provider, nginx, Caddy, HAProxy, Prometheus, back ends, Chromium, gRPC and MCP (COUNTERPART=name for some)
	scripts/counterparts.sh $(COUNTERPART)

test-compat: plugin ## both artifacts in every minor version of Traefik that can load them
	scripts/compat.sh

bench: plugin ## what a request costs in a real Traefik (BENCH="cost memory" for some parts)
	scripts/bench.sh $(BENCH)

bench-peers: plugin ## the same for plugins of others, whose sources are in PEERS (peers/), and for forwardAuth
	$(CARGO) build -q --locked -p forward-auth
	PEERS=$(PEERS) scripts/bench.sh peers

bench-native: ## what the core costs without Traefik and WebAssembly (BENCH=verify for some)
	$(CARGO) bench --locked -p native -- $(BENCH)

reference: ## docs/reference, from the rows of the options
	REFERENCE=write $(CARGO) test --locked --test reference files_are_what_the_rows_say

docs: ## target/docs/, the documentation as a site (installs mdBook: minutes)
	scripts/docs.sh

clean: ## what was built; fetched Traefiks stay in .cache
	rm -rf target dist plugins-local
