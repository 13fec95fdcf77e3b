# Installing Debian packages, and words for the terminal. Sourced.

say() { echo "== $*" >&2; }
die() { echo "error: $*" >&2; exit 1; }

have_packages() {
    command -v dpkg-query >/dev/null || return 1
    local p
    for p in "$@"; do
        [ "$(dpkg-query -W -f '${db:Status-Status}' "$p" 2>/dev/null)" = installed ] || return 1
    done
}

apt_install() {
    have_packages "$@" && return 0
    command -v apt-get >/dev/null || return 1
    local root=
    [ "$(id -u)" = 0 ] || root=sudo
    say "apt-get install $*"
    $root apt-get -q update >&2 &&
        $root env DEBIAN_FRONTEND=noninteractive apt-get -q -y install --no-install-recommends "$@" >&2
}
