#!/usr/bin/env bash
# e2e.sh [NAME…]: the tests of the built modules, then those in a real Traefik.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/versions.sh
. scripts/packages.sh
. scripts/once.sh

command -v jq >/dev/null || apt_install $DEBIAN_JQ || say "no jq"
command -v strace >/dev/null || apt_install $DEBIAN_STRACE || say "no strace"
command -v openssl >/dev/null || apt_install $DEBIAN_OPENSSL || say "no openssl"
command -v redis-server >/dev/null || apt_install $DEBIAN_REDIS || say "no redis-server"
TRAEFIK_BINARY=${TRAEFIK_BINARY:-$(scripts/traefik.sh)}
export TRAEFIK_BINARY

scripts/release.py
all() {
    "${CARGO:-cargo}" test --locked $TESTED_PACKAGES --test imports --test bulk_memory --test guard
    # Without AVX the host copies on every amd64 machine as it does on Intel's since Ice Lake (docs/troubleshooting.md).
    SKIPPED=$(skipped e2e) GODEBUG=cpu.avx=off scripts/with-traefik.sh "${CARGO:-cargo}" test --locked $TESTED_PACKAGES --test e2e -- "$@"
    # Then some as the machine is.
    [ $# != 0 ] || scripts/with-traefik.sh "${CARGO:-cargo}" test --locked $TESTED_PACKAGES --test e2e -- provider_forms headers_ untouched
}
if [ $# = 0 ]; then once e2e all; else all "$@"; fi
