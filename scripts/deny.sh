#!/usr/bin/env bash
# cargo-deny by deny.toml. `deny.sh --installed` is what costs seconds: licences, bans and sources, if the tool is there.
# Advisories come from a database on the network: without it they are left out, which is said.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/versions.sh
. scripts/packages.sh

tools=$PWD/target/tools
deny=$tools/bin/cargo-deny
is_there() { [ "$("$1" --version 2>/dev/null)" = "cargo-deny $CARGO_DENY_VERSION" ]; }
if ! is_there "$deny" && is_there cargo-deny; then deny=cargo-deny; fi
if [ "${1:-}" = --installed ]; then
    mkdir -p target/skipped
    rm -f target/skipped/deny
    if ! is_there "$deny"; then
        echo "cargo-deny ... SKIPPED: not version $CARGO_DENY_VERSION; make deny installs it" >target/skipped/deny
        exit
    fi
    exec "$deny" --locked check licenses bans sources
fi
is_there "$deny" || "${CARGO:-cargo}" install cargo-deny --locked --version "$CARGO_DENY_VERSION" --root "$tools"
"$deny" --locked check licenses bans sources
if "$deny" fetch db 2>/dev/null; then
    "$deny" --locked check advisories
elif [ "${REQUIRE_ADVISORIES:-}" ]; then
    die "the database of advisories cannot be fetched"
else
    say "the database of advisories cannot be fetched: not checked (REQUIRE_ADVISORIES=1 makes that an error)"
fi
