#!/usr/bin/env bash
# mutants.sh [FILE…]: runs the mutants of files whose path has one of these in it, of all else (tools/mutants).
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/versions.sh
. scripts/packages.sh

tools=$PWD/target/tools
mutants=$tools/bin/cargo-mutants
is_there() { [ "$("$1" mutants --version 2>/dev/null)" = "cargo-mutants $CARGO_MUTANTS_VERSION" ]; }
if ! is_there "$mutants" && is_there cargo-mutants; then mutants=cargo-mutants; fi
is_there "$mutants" || "${CARGO:-cargo}" install cargo-mutants --locked --version "$CARGO_MUTANTS_VERSION" --root "$tools"
"${CARGO:-cargo}" build -q --locked -p mutants
TESTED_PACKAGES=$TESTED_PACKAGES exec target/debug/mutants "$(command -v "$mutants")" "$@"
