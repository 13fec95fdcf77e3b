//! Step 1: one request from the host: view, decide, perform; where keys are lacking, refresh and decide once more.

use std::cell::Cell;
use std::rc::Rc;

use crate::core::answer::Decision;
use crate::core::decide::{decide, refuse};
use crate::core::evidence;
use crate::core::policy::Policy;
use crate::core::refusal::Refusal;
use crate::core::refusal_log::{Fate, LineBudget, LogLevel};
use crate::core::unix_time::Seconds;
use crate::documents::io::Io;
use crate::host::wasm::abi::{self, Handler, Next};
use crate::host::wasm::request::HostRequest;
use crate::host::wasm::{log, perform};
use crate::host::{HostDirectory, HostFetch, HostShare, MountedFiles, clock};
use crate::keys::keyring::Keyring;

/// The outside as ring 2 asks for it.
pub const IO: Io<'static> = Io {
    now: &clock::now,
    files: &MountedFiles,
    fetch: &HostFetch,
    share: &HostShare,
    directory: &HostDirectory,
};

/// The middleware of one instance.
pub struct Middleware {
    policy: Rc<Policy>,
    keyring: Keyring,
    io: Io<'static>,
    lines: Cell<LineBudget>,
}

impl Middleware {
    /// The middleware for `policy`, with no keys asked for yet.
    #[must_use]
    pub fn new(policy: Policy) -> Self {
        Self::on(IO, Rc::new(policy))
    }

    /// The same on another outside than the host's.
    #[must_use]
    pub fn on(io: Io<'static>, policy: Rc<Policy>) -> Self {
        Self { keyring: Keyring::new(Rc::clone(&policy)), policy, io, lines: Cell::default() }
    }

    fn decide(&self, request: &HostRequest) -> Decision {
        let keyring = &self.keyring;
        let mut now = clock::now();
        log::key_events(&keyring.catch_up(now, &self.io));
        let mut decision = decide(&self.policy, &keyring.at(now), now, request);
        // What others knew, or the directory, may be too old for a key that has come since: then the source is asked.
        for _ in 0..2 {
            let Decision::NeedKeys(need) = &decision else {
                return decision;
            };
            log::key_events(&keyring.refresh(need, now, &self.io));
            now = clock::now();
            decision = decide(&self.policy, &keyring.at(now), now, request);
        }
        match decision {
            // A source that may be asked again this soon has just failed.
            Decision::NeedKeys(_) => {
                refuse(&self.policy, Refusal::KeysUnavailable { retry_after: Seconds(1) }, request)
            }
            decision @ (Decision::Forward(_) | Decision::Reject(_) | Decision::Serve(_)) => decision,
        }
    }

    /// Before anything is performed: the token is still in the request.
    fn log(&self, refusal: &Refusal, fate: Fate, request: &HostRequest) {
        let rules = &self.policy.answer.log;
        if rules.level == LogLevel::Off {
            return;
        }
        let now = clock::now();
        let (lines, left_out) = self.lines.get().spend(rules.per_minute, now);
        self.lines.set(lines);
        if let Some(left_out) = left_out {
            let keys = self.keyring.beside(now);
            let line = evidence::line(&self.policy, &keys, now, (refusal, fate), left_out, request);
            log::line(rules.level, &line);
        }
    }
}

impl Handler for Middleware {
    /// Keys are refreshed ahead of their end while the upstream's answer is on its way: nobody waits for a provider
    /// whose keys still serve.
    fn handle_response(&self) {
        log::key_events(&self.keyring.refresh_ahead(&self.io));
    }

    fn handle_request(&self) -> Next {
        let request = HostRequest::default();
        match self.decide(&request) {
            Decision::Forward(forward) => {
                if let Some(refusal) = &forward.refused {
                    self.log(refusal, Fate::Passed, &request);
                }
                perform::forward(&forward);
                Next::Forward
            }
            Decision::Reject(reject) => {
                self.log(&reject.refusal, Fate::Refused(reject.status), &request);
                perform::remove(&self.policy.forward.managed(&request));
                perform::reject(&reject);
                Next::Answered
            }
            Decision::Serve(served) => {
                perform::remove(&self.policy.forward.managed(&request));
                perform::serve(&served);
                Next::Answered
            }
            // `decide` never leaves this; were it to, nothing passes.
            Decision::NeedKeys(_) => {
                abi::set_status(503);
                Next::Answered
            }
        }
    }
}
