# Installing packages of Debian and npm, and words for the terminal. Sourced.

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

# npm_packages FROM TO: the packages of FROM/package-lock.json in TO/node_modules. Node resolves packages from where a
# script lies, so scripts that use them are copied there.
npm_packages() {
    local from=$1 to=$2
    if cmp -s "$from/package-lock.json" "$to/package-lock.json" && [ -e "$to/node_modules/.package-lock.json" ]; then
        return
    fi
    rm -rf "$to"
    mkdir -p "$to"
    cp "$from/package.json" "$from/package-lock.json" "$from/.npmrc" "$to"
    say "npm ci in $to"
    (cd "$to" && npm ci --loglevel=error >&2) || { rm -rf "$to"; return 1; }
}
