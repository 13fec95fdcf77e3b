#!/usr/bin/env bash
# clippy with warnings denied: natively with tests and examples, then both artifacts and the tests' own for wasm. Then
# cargo-deny, if it is there.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/toolchain.sh

# In a directory of its own: it need not wait for the tests, which are built meanwhile.
"$CARGO" clippy --locked --workspace --target-dir "$TARGET_DIR/lint" --all-targets -- -D warnings
# Targets that plain `cargo test` leaves out, `--all-targets` leaves out, too.
"$CARGO" clippy --locked --workspace --target-dir "$TARGET_DIR/lint" --test '*' --bench '*' -- -D warnings
# --release shares the build scripts' work (ring's C code) with `make plugin`.
# use_debug: `{:?}` writes nothing in the modules (toolchain.sh).
for what in "" --no-default-features "-p race"; do
    wasm_cargo clippy --release --locked $what -- -D warnings -D clippy::use_debug
done
scripts/deny.sh --installed
