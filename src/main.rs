//! Step 0, wiring only: configuration in, guest registered, or exit 1 so that Traefik disables the router.

#[cfg(target_os = "wasi")]
fn main() {
    use traefik_jwt_auth::core::config::{Capabilities, compile};
    use traefik_jwt_auth::host::wasm::guest::Middleware;
    use traefik_jwt_auth::host::wasm::{abi, boot, log};

    // A libc whose `_start` leaves this to the linker would have it done, and undone, around every request: the linker
    // wraps each export, unless somebody calls it. SAFETY: once, before anything that needs it.
    #[cfg(ctors_by_linker)]
    #[expect(unsafe_code, reason = "a function that the linker makes")]
    unsafe {
        unsafe extern "C" {
            fn __wasm_call_ctors();
        }
        __wasm_call_ctors();
    }
    boot::boot();
    let env = |name: &str| std::env::var(name).ok();
    let capabilities = Capabilities { fetch: cfg!(feature = "fetch"), env: &env };
    match compile(abi::config(), &capabilities) {
        Ok(policy) => {
            boot::warn(&policy);
            boot::share(&policy);
            abi::register(Middleware::new(policy));
        }
        Err(errors) => {
            errors.iter().for_each(log::config_error);
            // The one way to refuse a configuration: Traefik disables the routers.
            std::process::exit(1);
        }
    }
}

#[cfg(not(target_os = "wasi"))]
fn main() {}
