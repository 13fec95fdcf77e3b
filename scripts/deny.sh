#!/usr/bin/env bash
# cargo-deny by deny.toml. Advisories come from a database on the network: without it they are left out, which is said.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/versions.sh
. scripts/packages.sh

tools=$PWD/target/tools
deny=$tools/bin/cargo-deny
[ -x "$deny" ] || "${CARGO:-cargo}" install cargo-deny --locked --version "$CARGO_DENY_VERSION" --root "$tools"
"$deny" --locked check licenses bans sources
if "$deny" fetch db 2>/dev/null; then
    "$deny" --locked check advisories
elif [ "${REQUIRE_ADVISORIES:-}" ]; then
    die "the database of advisories cannot be fetched"
else
    say "the database of advisories cannot be fetched: not checked (REQUIRE_ADVISORIES=1 makes that an error)"
fi
