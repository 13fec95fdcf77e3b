# Every version that the scripts fetch or install, in one place. Sourced.
# Crates are pinned by Cargo.lock, npm packages by package-lock.json in tests/counterparts and tools/playground,
# Python packages by tests/counterparts/requirements.txt.

# The Traefik of `make demo` and `make e2e`; `TRAEFIK=path` overrides it.
TRAEFIK_VERSION=3.7.15

# `make test-compat`: the oldest and newest patch of each minor version that can load the artifact.
# Sockets need 3.2 (Traefik serves them since then); no WASM plugin ABI change lies between.
TRAEFIK_COMPAT_FETCH="3.2.0 3.3.6 3.4.3 3.5.3 3.6.15 3.7.15"
TRAEFIK_COMPAT_OFFLINE="3.0.4 $TRAEFIK_COMPAT_FETCH"

# Debian's names for a Rust that can build the standard library for wasm32-wasip1.
DEBIAN_RUST="rustc-web cargo-web rust-web-src rust-web-clippy wasi-libc lld-22"
# The C compiler for `ring`, whichever Rust builds the rest.
DEBIAN_CLANG="clang-19 llvm-19"
# wasm-opt. Other versions give other bytes, so a release uses exactly this one.
DEBIAN_BINARYEN="binaryen"
WASM_OPT_VERSION=108

# What `make counterparts` tests against, besides npm packages.
DEBIAN_NODE="nodejs npm"
DEBIAN_PYTHON="python3 python3-venv"
DEBIAN_NGINX="nginx"
DEBIAN_CADDY="caddy"
DEBIAN_HAPROXY="haproxy"
DEBIAN_PROMETHEUS="prometheus"
DEBIAN_LIGHTTPD="lighttpd php-cgi"
DEBIAN_APACHE="apache2 php-cgi"
DEBIAN_PHP_FPM="php-fpm"
DEBIAN_CHROMIUM="chromium"

# Runs the Traefik of another processor.
DEBIAN_QEMU="qemu-user-static"

# What tests of `make e2e` run on a log, and to slow Traefik down.
DEBIAN_JQ="jq"
DEBIAN_STRACE="strace"
DEBIAN_OPENSSL="openssl"
DEBIAN_REDIS="redis-server"

# What is tested, always named together: with one set of features every crate is compiled once.
TESTED_PACKAGES="-p traefik-jwt-auth -p arithmetic -p bulk-memory -p fuzz -p jwt-check"

# `make deny`.
CARGO_DENY_VERSION=0.20.2

# `make mutants`.
CARGO_MUTANTS_VERSION=27.1.0

# `make fuzz`. libFuzzer itself is in fuzz/libfuzzer/Cargo.lock.
CARGO_FUZZ_VERSION=0.13.2
DEBIAN_CXX="g++"

# `make docs`.
MDBOOK_VERSION=0.5.4
