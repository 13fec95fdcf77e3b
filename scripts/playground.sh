#!/usr/bin/env bash
# Builds dist/playground/index.html, a page that is jwt-check (docs/playground.md). Needs Node.
set -euo pipefail
cd "$(dirname "$0")/.."
# Parsers put texts into their messages with `{:?}`, so it writes here. Panics name no file, so no path of this machine is in
# the module, and two clones give the same bytes (scripts/release-twice.sh).
WASM_RUSTFLAGS="-Zlocation-detail=none -Cstrip=symbols"
. scripts/toolchain.sh
WASM_TARGET_DIR=$TARGET_DIR/playground-$WASM_TOOLCHAIN

# The most of dist/playground/index.html, in bytes: it is fetched by phones.
MAX_BYTES=900000

command -v node >/dev/null && command -v npm >/dev/null || apt_install $DEBIAN_NODE || die "the page needs Node"
apt_install $DEBIAN_BINARYEN || true
npm_packages tools/playground .cache/playground || die "no npm packages for the page"
cp -r tools/playground/build.mjs tools/playground/src .cache/playground

wasm_cargo build -q --release --locked -p jwt-check --bin jwt-check
module=$WASM_TARGET_DIR/wasm32-wasip1/release/jwt-check.wasm
if command -v wasm-opt >/dev/null; then
    wasm-opt -Oz --strip-debug --strip-producers --enable-bulk-memory --enable-sign-ext --enable-mutable-globals \
        --enable-nontrapping-float-to-int --enable-simd "$module" -o target/playground.wasm
    module=target/playground.wasm
fi
node .cache/playground/build.mjs "$module" dist/playground/index.html "$PWD"
bytes=$(wc -c <dist/playground/index.html)
say "dist/playground/index.html: $bytes bytes of $MAX_BYTES"
[ "$bytes" -le "$MAX_BYTES" ] || die "the page is over its size budget"
