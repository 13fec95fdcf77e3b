#!/usr/bin/env bash
# Builds target/race-test.wasm, which only the tests load: plugin.wasm with the feature `race-test`.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/toolchain.sh
wasm_cargo rustc --release --locked --bin traefik-jwt-auth --features race-test -- \
    -C strip=symbols -C link-arg=-zstack-size=131072 -C link-arg=--initial-memory=2228224
in_pieces "$WASM_TARGET_DIR/wasm32-wasip1/release/traefik-jwt-auth.wasm" target/race-test.wasm
