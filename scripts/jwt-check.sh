#!/usr/bin/env bash
# Builds dist/jwt-check-linux-amd64, or what this machine is.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/packages.sh
CARGO=${CARGO:-cargo}

# Names as Go and container images have them.
system=$(uname -s | tr '[:upper:]' '[:lower:]')
case $(uname -m) in
x86_64) machine=amd64 ;;
aarch64 | arm64) machine=arm64 ;;
*) machine=$(uname -m) ;;
esac
file=dist/jwt-check-$system-$machine

# No path of this machine is in it, so that two clones give the same bytes. A path may have blanks.
separator=$'\x1f'
registry=${CARGO_HOME:-$HOME/.cargo}
export CARGO_ENCODED_RUSTFLAGS="--remap-path-prefix=$PWD=.${separator}--remap-path-prefix=$registry=cargo${separator}-Cstrip=symbols"
"$CARGO" build -q --release --locked -p jwt-check --bin jwt-check --target-dir "${CARGO_TARGET_DIR:-target}/jwt-check"

mkdir -p dist
cp "${CARGO_TARGET_DIR:-target}/jwt-check/release/jwt-check" "$file"
say "$file: $(wc -c <"$file") bytes"
