#!/usr/bin/env bash
# Builds target/race-test.wasm, which only the tests load: tests/race, which is the library with a handler of its own.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/toolchain.sh
wasm_cargo rustc --release --locked -p race --bin race -- \
    -C strip=symbols -C link-arg=-zstack-size=131072 -C link-arg=--initial-memory=2228224
in_pieces "$WASM_TARGET_DIR/wasm32-wasip1/release/race.wasm" target/race-test.wasm
