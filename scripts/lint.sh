#!/usr/bin/env bash
# lint.sh [native|wasm]: clippy with warnings denied, natively with tests and examples, and both artifacts and the tests' own
# for wasm. Then cargo-deny, if it is there.
set -euo pipefail
cd "$(dirname "$0")/.."

native() {
    "${CARGO:-cargo}" clippy --locked --workspace --all-targets -- -D warnings
    # Targets that plain `cargo test` leaves out, `--all-targets` leaves out, too.
    "${CARGO:-cargo}" clippy --locked --workspace --test '*' --bench '*' -- -D warnings
    scripts/deny.sh --installed
}

wasm() {
    . scripts/toolchain.sh
    # --release shares the build scripts' work (ring's C code) with `make plugin`.
    # use_debug: `{:?}` writes nothing in the modules (toolchain.sh).
    for what in "" --no-default-features "-p race"; do
        wasm_cargo clippy --release --locked $what -- -D warnings -D clippy::use_debug
    done
}

case ${1:-} in
native | wasm) "$1" ;;
*)
    native
    wasm
    ;;
esac
