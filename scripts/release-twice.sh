#!/usr/bin/env bash
# Builds the release from two clean clones under paths of different lengths and compares every byte.
set -euo pipefail
cd "$(dirname "$0")/.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for clone in "$work/a" "$work/another directory"; do
    git clone -q . "$clone"
    make -C "$clone" release
done
diff -r "$work/a/dist/release" "$work/another directory/dist/release"
(cd "$work/a/dist/release" && sha256sum -c SHA256SUMS)
echo "== the same bytes twice" >&2
