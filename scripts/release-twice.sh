#!/usr/bin/env bash
# Builds the release from two clean clones under paths of different lengths and compares every byte.
set -euo pipefail
cd "$(dirname "$0")/.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# Both of one commit, also if there is another one before the first is built.
git clone -q . "$work/a"
git clone -q "$work/a" "$work/another directory"
for clone in "$work/a" "$work/another directory"; do make -C "$clone" release; done
diff -r "$work/a/dist/release" "$work/another directory/dist/release"
(cd "$work/a/dist/release" && sha256sum -c SHA256SUMS)
echo "== the same bytes twice" >&2
