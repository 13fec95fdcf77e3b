#!/usr/bin/env bash
# with-traefik.sh COMMAND…: runs it with TRAEFIK_BINARY set, and with a temporary directory that is
# gone afterwards, however the command ended.
set -euo pipefail
cd "$(dirname "$0")/.."
TRAEFIK_BINARY=${TRAEFIK_BINARY:-$(scripts/traefik.sh)}
TMPDIR=$(mktemp -d)
export TRAEFIK_BINARY TMPDIR
trap 'rm -rf "$TMPDIR"' EXIT
# Ctrl-C is how the demo ends.
trap 'exit 0' INT
"$@"
