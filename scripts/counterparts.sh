#!/usr/bin/env bash
# counterparts.sh [NAME…]: installs what can be had of what tests/counterparts talks to, and runs it. Tests whose
# counterpart is missing are skipped and say so; with REQUIRE_COUNTERPARTS=1 that is a failure.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/versions.sh
. scripts/packages.sh
. scripts/once.sh

have() { PATH=$PATH:/usr/sbin command -v "$1" >/dev/null; }

python_packages() {
    local from=tests/counterparts/requirements.txt to=.cache/counterparts/python
    if ! cmp -s $from $to/requirements.txt; then
        rm -rf $to
        say "pip install in $to"
        python3 -m venv $to && $to/bin/pip install --quiet --disable-pip-version-check -r $from >&2 || { rm -rf $to; return 1; }
        cp $from $to
    fi
}

have node && have npm || apt_install $DEBIAN_NODE || say "no Node"
have nginx || apt_install $DEBIAN_NGINX || say "no nginx"
have caddy || apt_install $DEBIAN_CADDY || say "no Caddy"
have haproxy || apt_install $DEBIAN_HAPROXY || say "no HAProxy"
have prometheus && have promtool || apt_install $DEBIAN_PROMETHEUS || say "no Prometheus"
have lighttpd && have php-cgi || apt_install $DEBIAN_LIGHTTPD || say "no lighttpd or no PHP"
have apache2 && have php-cgi || apt_install $DEBIAN_APACHE || say "no Apache or no PHP"
compgen -G '/usr/sbin/php-fpm*' >/dev/null || apt_install $DEBIAN_PHP_FPM || say "no PHP-FPM"
have chromium || have chromium-browser || have google-chrome || apt_install $DEBIAN_CHROMIUM || say "no Chromium"
npm_packages tests/counterparts .cache/counterparts && cp tests/counterparts/*.{mjs,py} .cache/counterparts || say "no npm packages"
python3 -c 'import ensurepip' 2>/dev/null || apt_install $DEBIAN_PYTHON || say "no Python"
python_packages || say "no Python packages"

export COUNTERPARTS=$PWD/.cache/counterparts
TRAEFIK_BINARY=${TRAEFIK_BINARY:-$(scripts/traefik.sh)}
export TRAEFIK_BINARY
all() { SKIPPED=$(skipped counterparts) scripts/with-traefik.sh "${CARGO:-cargo}" test --locked $TESTED_PACKAGES --test counterparts -- "$@"; }
if [ $# = 0 ]; then once counterparts all; else all "$@"; fi
