#!/usr/bin/env bash
# Loads both artifacts into every version of Traefik that can run them, and into the newest for arm64.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/versions.sh
. scripts/packages.sh

# run WHAT BINARY TEST…
run() {
    say "Traefik $1: ${*:3}"
    # As `scripts/e2e.sh`.
    GODEBUG=cpu.avx=off TRAEFIK_BINARY=$2 scripts/with-traefik.sh \
        "${CARGO:-cargo}" test -q --locked --test e2e -- "${@:3}"
}

# The code that the host makes for this processor has nothing in common with that for amd64.
arm64() {
    local qemu binary start
    qemu=$(command -v qemu-aarch64-static) || apt_install $DEBIAN_QEMU && qemu=$(command -v qemu-aarch64-static) ||
        { skipped="no qemu-aarch64-static (Debian: $DEBIAN_QEMU)"; return; }
    binary=$(scripts/traefik.sh "$TRAEFIK_VERSION" aarch64) || { skipped="no Traefik for aarch64"; return; }
    start=$PWD/target/traefik-aarch64
    printf '#!/bin/sh\nexec "%s" "%s" "$@"\n' "$qemu" "$binary" >"$start"
    chmod +x "$start"
    run "$TRAEFIK_VERSION for arm64" "$start" rows provider_forms
}

skipped=
for version in $TRAEFIK_COMPAT_OFFLINE; do run "$version" "$(scripts/traefik.sh "$version")" rows_offline; done
for version in $TRAEFIK_COMPAT_FETCH; do run "$version" "$(scripts/traefik.sh "$version")" rows_fetch; done
arm64
[ -z "$skipped" ] || say "arm64 SKIPPED: $skipped"
