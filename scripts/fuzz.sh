#!/usr/bin/env bash
# fuzz.sh [TARGET…]: libFuzzer looks for inputs that break a target of fuzz/src/targets, all of them for FUZZ_SECONDS (60)
# together. What it has learnt goes to target/fuzz/corpus, where the next run goes on. KEEP=1 minimises that and puts it into
# fuzz/corpus, which `cargo test -p fuzz` replays.
#
# FUZZ_TIMEOUT (10) is how many seconds an input may take. Both are of the clock on the wall: behind other work they need to be more.
#
# Nightly's features by RUSTC_BOOTSTRAP, since coverage is one. No address sanitizer: natively no code of the project is
# unsafe, and without it twice as many inputs are tried.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/versions.sh
. scripts/packages.sh

CARGO=${CARGO:-cargo}
is_there() { [ "$(cargo-fuzz --version 2>/dev/null)" = "cargo-fuzz $CARGO_FUZZ_VERSION" ]; }
PATH=$PWD/target/tools/bin:$PATH
is_there || $CARGO install cargo-fuzz --locked --version "$CARGO_FUZZ_VERSION" --root "$PWD/target/tools"
command -v c++ >/dev/null || apt_install $DEBIAN_CXX || die "libFuzzer needs a C++ compiler"

out=$PWD/target/fuzz
# It has no --locked of its own.
(cd fuzz/libfuzzer && $CARGO metadata --locked --format-version 1 >/dev/null)
# For this alone: build scripts look at it, and everything else would be built again.
RUSTC_BOOTSTRAP=1 cargo-fuzz build --fuzz-dir fuzz/libfuzzer --sanitizer none --target-dir "$out" targets >&2
program=$(ls "$out"/*/release/targets)
corpora() { $CARGO run -q --locked -p fuzz -- "$@"; }

names=("$@") failed=()
TIMEFORMAT='%U CPU seconds'
[ $# != 0 ] || mapfile -t names < <(corpora targets)
seconds=$((${FUZZ_SECONDS:-60} / ${#names[@]}))
mkdir -p "$out/artifacts" "$out/logs"
for name in "${names[@]}"; do
    corpora unpack "$name" "$out/corpus/$name"
    log=$out/logs/$name.log
    # What is slow for a parser of a few KB is a fault as well.
    if ! { time FUZZ=$name "$program" -max_total_time="$((seconds > 0 ? seconds : 1))" -max_len=4096 \
        -timeout="${FUZZ_TIMEOUT:-10}" -rss_limit_mb=2048 -artifact_prefix="$out/artifacts/$name-" -print_final_stats=1 \
        "$out/corpus/$name" >"$log" 2>&1; } 2>"$log.time"; then
        tail -n 40 "$log" >&2
        say "$name failed; again: FUZZ=$name $program $(ls -t "$out/artifacts/$name-"* | head -n 1)"
        failed+=("$name")
        continue
    fi
    say "$name: $(sed -n 's/^stat::number_of_executed_units: *//p' "$log") inputs in $(cat "$log.time")," \
        "$(grep -aoE 'cov: [0-9]+ ft: [0-9]+ corp: [0-9]+' "$log" | sed -n '1s/$/, then/p; $p' | tr '\n' ' ')"
    if [ "${KEEP:-}" ]; then
        rm -rf "$out/minimised/$name"
        mkdir -p "$out/minimised/$name"
        FUZZ=$name "$program" -merge=1 "$out/minimised/$name" "$out/corpus/$name" >"$log" 2>&1
        corpora pack "$name" "$out/minimised/$name"
    fi
done
[ ${#failed[@]} = 0 ] || die "${failed[*]}"
