# Picks the Rust that builds for wasm32-wasip1 and says which. Sourced; gives:
#   wasm_cargo SUBCOMMAND ARGS…   cargo for wasm32-wasip1, in a target directory of its own
#   WASM_TARGET_DIR               that directory
#   in_pieces FROM TO             the last step of every module
# WASM_TOOLCHAIN=rustup|debian forces the choice.
#
# What is already there is taken before anything is fetched, so that a machine without
# network never waits for one: installed target, complete Debian packages, rustup, apt-get.

. scripts/versions.sh
. scripts/packages.sh

CARGO=${CARGO:-cargo}
TARGET_DIR=${CARGO_TARGET_DIR:-target}

have_rustup_target() {
    local root
    root=$(rustc --print sysroot 2>/dev/null) && ls "$root"/lib/rustlib/wasm32-wasip1/lib/libstd-*.rlib >/dev/null 2>&1
}

rustup_target_add() {
    command -v rustup >/dev/null || return 1
    # A machine that cannot reach rustup's server must not hang here.
    timeout 90 rustup target add wasm32-wasip1 >&2 && have_rustup_target
}

pick_wasm_toolchain() {
    case ${WASM_TOOLCHAIN:-} in
    rustup) have_rustup_target || rustup_target_add || die "rustup has no wasm32-wasip1" ;;
    debian) apt_install $DEBIAN_RUST || die "cannot install: $DEBIAN_RUST" ;;
    '')
        if have_rustup_target; then WASM_TOOLCHAIN=rustup
        elif have_packages $DEBIAN_RUST; then WASM_TOOLCHAIN=debian
        elif rustup_target_add; then WASM_TOOLCHAIN=rustup
        elif apt_install $DEBIAN_RUST; then WASM_TOOLCHAIN=debian
        else die "no standard library for wasm32-wasip1: run 'rustup target add wasm32-wasip1', or install on Debian: $DEBIAN_RUST"
        fi ;;
    *) die "WASM_TOOLCHAIN is '$WASM_TOOLCHAIN', expected rustup or debian" ;;
    esac
}

# `ring` compiles C for wasm32; the clang of macOS cannot, so the answer is asked for, not assumed.
pick_clang() {
    if [ -n "${CC_wasm32_wasip1:-}" ]; then return; fi
    if ! command -v clang-19 >/dev/null && ! can_target_wasm clang; then
        apt_install $DEBIAN_CLANG || die "ring needs a clang with the wasm32 target (Debian: $DEBIAN_CLANG), or set CC_wasm32_wasip1"
    fi
    if command -v clang-19 >/dev/null; then
        export CC_wasm32_wasip1=clang-19 AR_wasm32_wasip1=llvm-ar-19
    else
        export CC_wasm32_wasip1=clang AR_wasm32_wasip1=llvm-ar
    fi
}

can_target_wasm() { "$1" --print-targets 2>/dev/null | grep -q wasm32; }

# The linker of the rustup toolchain where there is one, else Debian's.
wasm_linker() {
    local lld
    for lld in "$(rustc --print sysroot 2>/dev/null)"/lib/rustlib/*/bin/rust-lld /usr/lib/llvm-22/bin/wasm-ld; do
        if [ -x "$lld" ]; then echo "$lld"; return; fi
    done
    die "no linker for wasm: neither rust-lld nor /usr/lib/llvm-22/bin/wasm-ld"
}

# What every instance would copy and nobody reads: the names that `{:?}` writes (rustls has 13 KB of them), and the files
# and columns of panics, whose line and text stay. A build for debugging sets WASM_RUSTFLAGS to nothing.
WASM_RUSTFLAGS=${WASM_RUSTFLAGS--Zfmt-debug=none -Zlocation-detail=line}

# RUSTFLAGS of the environment would take their place.
# RUSTC_BOOTSTRAP: these flags, and building the standard library, are nightly features; the code itself uses none.
wasm_cargo() {
    local sub=$1
    shift
    case $WASM_TOOLCHAIN in
    rustup)
        RUSTC_BOOTSTRAP=1 CARGO_TARGET_WASM32_WASIP1_RUSTFLAGS=$WASM_RUSTFLAGS \
            env -u RUSTFLAGS "$CARGO" "$sub" --target wasm32-wasip1 --target-dir "$WASM_TARGET_DIR" "$@" ;;
    debian)
        # `cargo clippy` would find rustup's clippy first in PATH, hence the direct call.
        local command=(/usr/bin/cargo "$sub")
        [ "$sub" = clippy ] && command=(/usr/bin/cargo-clippy clippy)
        PATH=/usr/bin:/bin:$PATH CARGO=/usr/bin/cargo RUSTC=/usr/bin/rustc RUSTC_BOOTSTRAP=1 \
            CARGO_TARGET_WASM32_WASIP1_LINKER=$(wasm_linker) \
            CARGO_TARGET_WASM32_WASIP1_RUSTFLAGS="-L native=/usr/lib/wasm32-wasi --cfg ctors_by_linker $WASM_RUSTFLAGS" \
            env -u RUSTFLAGS "${command[@]}" -Zbuild-std=std,panic_abort --target wasm32-wasip1 \
            --target-dir "$WASM_TARGET_DIR" "$@" ;;
    esac
}

# in_pieces FROM TO: no instruction of the module copies much at once (tools/bulk-memory). The last step, because wasm-opt
# would put the functions that it adds into their callers. In a directory of its own: it need not wait for what cargo
# builds for this machine meanwhile.
in_pieces() {
    "$CARGO" run -q --locked --target-dir "$TARGET_DIR/tools" -p bulk-memory -- "$1" "$2.part"
    mv "$2.part" "$2"
}

pick_wasm_toolchain
pick_clang
# One directory per compiler: each would throw away what the other built.
WASM_TARGET_DIR=$TARGET_DIR/wasm-$WASM_TOOLCHAIN
case $WASM_TOOLCHAIN in
rustup) say "wasm toolchain: rustup, $(rustc --version), installed wasm32-wasip1" ;;
debian) say "wasm toolchain: Debian, $(/usr/bin/rustc --version), standard library built from source" ;;
esac
