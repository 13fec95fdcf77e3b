#!/usr/bin/env bash
# mutants.sh [NAME…]: runs the mutants with one of these in their names, which begin with their files; all, if there is none
# (tools/mutants). MUTANTS_SLOWEST=1 leaves out tests that take longer than a second, MUTANTS_AGAIN=1 runs those that the
# last run left, MUTANTS_JOBS=4 as many at once. What became of each, and which tests caught it, is in target/mutants/outcomes.
#
# mutants.sh --sample: the few of tools/mutants/sample.jsonl, which needs no cargo-mutants. mutants.sh --choose: chooses others,
# MUTANTS_SAMPLE=100 from as many; other sources have others.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/versions.sh
. scripts/packages.sh

CARGO_TARGET_DIR=$(realpath -m "${CARGO_TARGET_DIR:-target}")
export TESTED_PACKAGES CARGO_TARGET_DIR
"${CARGO:-cargo}" build -q --locked -p mutants
[ "$*" != --sample ] || exec "$CARGO_TARGET_DIR/debug/mutants" --sample

tools=$CARGO_TARGET_DIR/tools
mutants=$tools/bin/cargo-mutants
is_there() { [ "$("$1" mutants --version 2>/dev/null)" = "cargo-mutants $CARGO_MUTANTS_VERSION" ]; }
if ! is_there "$mutants" && is_there cargo-mutants; then mutants=cargo-mutants; fi
is_there "$mutants" || "${CARGO:-cargo}" install cargo-mutants --locked --version "$CARGO_MUTANTS_VERSION" --root "$tools"
exec "$CARGO_TARGET_DIR/debug/mutants" "$(command -v "$mutants")" "$@"
