//! Step 0: the middleware on the host's handler ABI.

#[cfg(target_os = "wasi")]
fn main() {
    traefik_jwt_auth::host::wasm::boot::start(traefik_jwt_auth::host::wasm::guest::Middleware::new);
}

#[cfg(not(target_os = "wasi"))]
fn main() {}
