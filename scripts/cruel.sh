#!/usr/bin/env bash
# cruel.sh [NAME…]: tests of the real Traefik where it has too little of something, or is one for arm64, and what takes minutes.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/versions.sh
. scripts/packages.sh

# `make cruel CRUEL=name` exports it, and it means the last part to the tests.
unset CRUEL
skipped=()
wanted() { [ ${#chosen[@]} = 0 ] || [[ " ${chosen[*]} " == *" $1 "* ]]; }

# cruel NAME LINE TEST…: the tests with a Traefik that is started by the rest of a line of a shell script. `true` in its place
# shows whether that can be had here.
cruel() {
    local name=$1 line=$2 start=$PWD/target/cruel-$1 traefik=${traefik:-}
    shift 2
    wanted "$name" || return 0
    say "$name: $*"
    if ! sh -c "$line true"; then skipped+=("$name"); return; fi
    [ "$traefik" ] || traefik="'$(scripts/traefik.sh)'"
    printf '#!/bin/sh\n%s %s "$@"\n' "$line" "$traefik" >"$start"
    chmod +x "$start"
    # As `scripts/e2e.sh`.
    GODEBUG=cpu.avx=off TRAEFIK_BINARY=$start scripts/with-traefik.sh \
        "${CARGO:-cargo}" test -q --locked $TESTED_PACKAGES --test e2e -- "$@"
}

chosen=("$@")
cruel one-processor "export GOMAXPROCS=1; exec taskset -c 0" parallel sharing_ races_ provider_ rows_fetch
cruel memory "export GOMEMLIMIT=48MiB; exec" parallel sharing_ races_ provider_failures revocation_
# Another user, since root has no such limit.
cruel threads "exec prlimit --nproc=300 setpriv --reuid 61234 --inh-caps +dac_override --ambient-caps +dac_override --" \
    parallel sharing_ races_
cruel descriptors "ulimit -n 256; exec" parallel sharing_rotation provider_failures descriptors_inline

if wanted arm64; then
    qemu=$(command -v qemu-aarch64-static || true)
    [ "$qemu" ] || { apt_install $DEBIAN_QEMU && qemu=$(command -v qemu-aarch64-static); } || true
    if [ "$qemu" ] && binary=$(scripts/traefik.sh "$TRAEFIK_VERSION" aarch64); then
        traefik="'$qemu' '$binary'" cruel arm64 exec rows_ provider_forms local_files
    else
        skipped+=("arm64 (no qemu-aarch64-static, Debian: $DEBIAN_QEMU, or no Traefik for it)")
    fi
fi
if wanted long; then
    say "long: a provider that dies at every byte"
    CRUEL=1 GODEBUG=cpu.avx=off scripts/with-traefik.sh \
        "${CARGO:-cargo}" test -q --locked $TESTED_PACKAGES --test e2e
fi
[ ${#skipped[@]} = 0 ] || say "SKIPPED: ${skipped[*]}"
