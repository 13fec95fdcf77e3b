#!/usr/bin/env bash
# The documentation as a site: target/docs/index.html. Fails if a link or an anchor in it leads nowhere.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/versions.sh
. scripts/packages.sh

tools=$PWD/target/tools
mdbook=$tools/bin/mdbook
[ -x "$mdbook" ] ||
    "${CARGO:-cargo}" install mdbook --locked --version "$MDBOOK_VERSION" --no-default-features --features search --root "$tools"
"$mdbook" build
scripts/docs.py target/docs
say "target/docs/index.html"
