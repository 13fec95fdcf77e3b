#!/usr/bin/env bash
# bench.sh [PART…]: benches/traefik in a real Traefik, all parts but `peers` or those that are named.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/versions.sh
. scripts/packages.sh

command -v wasm-as >/dev/null || apt_install $DEBIAN_BINARYEN ||
    die "no wasm-as, which makes the guests to compare with: install binaryen (Debian: $DEBIAN_BINARYEN)"
mkdir -p target
for guest in trivial calls; do wasm-as benches/traefik/$guest.wat -o target/$guest.wasm; done
# The client has the same processors as Traefik.
CARGO_PROFILE_DEV_OPT_LEVEL=1 scripts/with-traefik.sh "${CARGO:-cargo}" test --locked --bench traefik -- "$@"
