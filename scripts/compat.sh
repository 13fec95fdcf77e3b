#!/usr/bin/env bash
# Loads both artifacts into every version of Traefik that can run them.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/versions.sh
run() {
    echo "== Traefik $1: $2" >&2
    TRAEFIK_BINARY=$(scripts/traefik.sh "$1") scripts/with-traefik.sh \
        "${CARGO:-cargo}" test -q --locked --test e2e -- "$2"
}
for version in $TRAEFIK_COMPAT_OFFLINE; do run "$version" rows_offline; done
for version in $TRAEFIK_COMPAT_FETCH; do run "$version" rows_fetch; done
