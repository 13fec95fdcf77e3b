#!/usr/bin/env bash
# Builds dist/plugin.wasm and dist/plugin-offline.wasm and holds them to their size budget.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/toolchain.sh

# Linear memory of an instance, in bytes. One is created for every request in flight and for every router of every
# load, and the host clears all of it; memory that grows is copied whole. So both artifacts start with what a request
# needs and some room (tests/guard). ML-DSA needs 60 KB of stack, all else 11 KB.
STACK_SIZE=${STACK_SIZE:-81920}
INITIAL_MEMORY_FETCH=${INITIAL_MEMORY_FETCH:-524288}
INITIAL_MEMORY_OFFLINE=${INITIAL_MEMORY_OFFLINE:-327680}

# Largest accepted artifact, in bytes: Traefik compiles it at every start.
MAX_BYTES_FETCH=1420000
MAX_BYTES_OFFLINE=870000

# build FILE MAX_BYTES INITIAL_MEMORY CARGO_FLAGS…
build() {
    local file=$1 max=$2 memory=$3
    shift 3
    # disable-lsr keeps the offsets of memory accesses constant, which saves the host bounds checks: RS256 71 instead
    # of 91 µs (docs/measurements/build.md).
    # Link arguments go to the last crate only, so that changing them rebuilds nothing else.
    wasm_cargo rustc --release --locked --bin traefik-jwt-auth "$@" -- \
        -C strip=symbols -C llvm-args=-disable-lsr \
        -C link-arg=-zstack-size="$STACK_SIZE" -C link-arg=--initial-memory="$memory"
    local built=$WASM_TARGET_DIR/wasm32-wasip1/release/traefik-jwt-auth.wasm
    # A test shows what it does without the last step (tests/e2e/copies.rs).
    optimise "$built" "target/optimised-$file"
    in_pieces "target/optimised-$file" "dist/$file"
    local bytes
    bytes=$(wc -c <"dist/$file")
    say "dist/$file: $bytes bytes of $max"
    [ "$bytes" -le "$max" ] || die "dist/$file is over its size budget"
}

# ocimfs: else whatever has one caller is inlined into functions of 50 KB, whose frames of 10 KB make the host's stack
# grow, by copying, in every instance.
WASM_OPT_FLAGS="-Oz -ocimfs 40 --strip-debug --strip-producers --enable-bulk-memory --enable-sign-ext
    --enable-mutable-globals --enable-nontrapping-float-to-int --enable-simd"

# optimise FROM TO: unchanged input keeps the old output, wasm-opt takes seconds. One stamp for all toolchains, which
# write the same output.
optimise() {
    local from=$1 to=$2 stamp
    stamp=$to.from
    if [ -f "$to" ] && [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$(input_id "$from")" ]; then return; fi
    if [ "$WASM_OPT" ]; then
        wasm-opt $WASM_OPT_FLAGS "$from" -o "$to.tmp"
    else
        cp "$from" "$to.tmp"
    fi
    mv "$to.tmp" "$to"
    input_id "$from" >"$stamp"
}

input_id() { echo "$WASM_OPT" $WASM_OPT_FLAGS "$(sha256sum "$1" | cut -d' ' -f1)"; }

apt_install $DEBIAN_BINARYEN || true
WASM_OPT=$(wasm-opt --version 2>/dev/null || true)
case $WASM_OPT in
"wasm-opt version $WASM_OPT_VERSION"*) ;;
'') say "no wasm-opt: artifacts are left as the compiler made them" ;;
*) say "wasm-opt is '$WASM_OPT', releases use version $WASM_OPT_VERSION: bytes will differ" ;;
esac

mkdir -p dist target
build plugin.wasm "$MAX_BYTES_FETCH" "$INITIAL_MEMORY_FETCH"
build plugin-offline.wasm "$MAX_BYTES_OFFLINE" "$INITIAL_MEMORY_OFFLINE" --no-default-features
