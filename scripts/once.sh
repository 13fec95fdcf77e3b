# Tests in a real Traefik take minutes and depend on nothing but their inputs: like `go test`, a run that passed is not
# repeated while they are the same. AGAIN=1 repeats it. Sourced.

# once NAME COMMAND…: runs it, unless it passed with the same modules, tests, examples, Traefik and environment.
once() {
    local name=$1 stamp inputs
    shift
    stamp=target/$name.passed
    inputs=$(inputs_of "$*")
    if [ -z "${AGAIN:-}" ] && [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$inputs" ]; then
        say "$name: passed before with the same inputs (AGAIN=1 runs it again)"
        return
    fi
    rm -f "$stamp"
    "$@"
    echo "$inputs" >"$stamp"
}

# skipped NAME: the file for what a run of all of these tests leaves out, which the last lines of `make test` say.
skipped() {
    mkdir -p target/skipped
    echo "$PWD/target/skipped/$1"
}

inputs_of() {
    {
        echo "$1 ${TRAEFIK:-} ${CASE:-} ${REQUIRE_COUNTERPARTS:-} ${RACE_OPERATIONS:-} ${SOAK_MINUTES:-} $PATH"
        sha256sum Cargo.lock .traefik.yml dist/*.wasm dist/playground/* target/race-test.wasm scripts/*.sh "${TRAEFIK_BINARY:-/dev/null}"
        command -v node npm nginx lighttpd php-cgi php-fpm apache2 chromium jq strace || true
        find tests examples docs tools -type f -print0 | sort -z | xargs -0 sha256sum
    } 2>&1 | sha256sum | cut -d' ' -f1
}
