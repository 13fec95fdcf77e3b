//! `target/race-test.wasm`: the middleware with the host's races as likely as possible. Every request begins without keys,
//! and half of what instances and routers share is read, checked, and then ignored. So most requests fetch at the same
//! time, and the others read the results.

#[cfg(target_os = "wasi")]
mod share;

#[cfg(target_os = "wasi")]
fn main() {
    traefik_jwt_auth::host::wasm::boot::start(handler::Racing::new);
}

#[cfg(not(target_os = "wasi"))]
fn main() {}

#[cfg(target_os = "wasi")]
mod handler {
    use std::rc::Rc;

    use traefik_jwt_auth::core::policy::Policy;
    use traefik_jwt_auth::documents::io::Io;
    use traefik_jwt_auth::host::wasm::abi::{Handler, Http, Next};
    use traefik_jwt_auth::host::wasm::guest::{self, Middleware};

    use crate::share::{RacingDirectory, RacingShare};

    /// A new middleware for each request: nothing is kept between requests.
    pub(super) struct Racing(Rc<Policy>);

    impl Racing {
        pub(super) fn new(policy: Policy) -> Self {
            Self(Rc::new(policy))
        }
    }

    impl Handler for Racing {
        fn handle_request(&self, http: Http<'_>) -> Next {
            let io = Io { share: &RacingShare, directory: &RacingDirectory, ..guest::IO };
            Middleware::on(io, Rc::clone(&self.0)).handle_request(http)
        }

        fn handle_response(&self) {}
    }
}
