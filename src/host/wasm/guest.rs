//! Step 1: one request from the host: view, decide, remember, perform; if keys are lacking, refresh and decide once more.

use std::cell::Cell;
use std::rc::Rc;

use crate::core::answer::Decision;
use crate::core::decide::{Decided, decide, refuse};
use crate::core::evidence;
use crate::core::issuer_id::IssuerId;
use crate::core::policy::Policy;
use crate::core::refusal::Refusal;
use crate::core::refusal_log::{Fate, LineBudget, LogLevel};
use crate::core::token::source::FoundToken;
use crate::core::unix_time::{Seconds, UnixTime};
use crate::documents::io::Io;
use crate::host::wasm::abi::{Handler, Http, Next};
use crate::host::wasm::lookups::HostLookups;
use crate::host::wasm::request::HostRequest;
use crate::host::wasm::{log, perform};
use crate::host::{FETCHES, HostDirectory, HostFetch, HostShare, MountedFiles, clock};
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
    lookups: HostLookups,
    io: Io<'static>,
    lines: Cell<LineBudget>,
    /// Whose keys the last decision asked about, and when.
    asked: Cell<Option<(IssuerId, UnixTime)>>,
}

impl Middleware {
    /// The middleware for `policy`, with no keys asked for yet.
    pub fn new(policy: Policy) -> Self {
        Self::on(IO, Rc::new(policy))
    }

    /// The same on another outside than the host's.
    pub fn on(io: Io<'static>, policy: Rc<Policy>) -> Self {
        Self {
            keyring: Keyring::new(Rc::clone(&policy)),
            lookups: HostLookups::new(&policy),
            policy,
            io,
            lines: Cell::default(),
            asked: Cell::default(),
        }
    }

    fn decide(&self, request: &HostRequest<'_>) -> Decided<'_> {
        let keyring = &self.keyring;
        let decide = |now| {
            let lookups = self.lookups.at(now);
            let mut decided = decide(&self.policy, &keyring.at(now).beside(&lookups), now, request);
            keyring.remember(std::mem::take(&mut decided.learned));
            self.asked.set(decided.asked.map(|issuer| (issuer, now)));
            decided
        };
        let mut now = clock::now();
        log::key_events(&keyring.catch_up(now, &self.io));
        log::event(self.lookups.revoked.catch_up(now, &self.io));
        if FETCHES {
            self.lookups.revoked.look(now, &self.io);
        }
        log::event(self.lookups.nonces.catch_up(now, &self.io));
        let mut decided = decide(now);
        // What other instances or the directory have may be older than a new key. In that case the source is asked.
        for _ in 0..2 {
            if let Decision::NeedKeys(need) = &decided.decision {
                log::key_events(&keyring.refresh(need, now, &self.io));
            } else if FETCHES && lacks_list(&decided.decision) && self.lookups.revoked.is_worth_asking(now) {
                log::event(self.lookups.revoked.refresh(&self.io));
            } else {
                return decided;
            }
            now = clock::now();
            decided = decide(now);
        }
        if matches!(decided.decision, Decision::NeedKeys(_)) {
            // A source that may be asked again so soon has just failed.
            let refusal = Refusal::KeysUnavailable { retry_after: Seconds(1) };
            decided.decision = refuse(&self.policy, refusal, request);
        }
        decided
    }

    /// Before anything is performed: the token is still in the request.
    fn log(&self, refusal: &Refusal, fate: Fate, found: Option<&FoundToken<'_>>, request: &HostRequest<'_>) {
        let rules = &self.policy.answer.log;
        if rules.level == LogLevel::Off {
            return;
        }
        let now = clock::now();
        let (lines, left_out) = self.lines.get().spend(rules.per_minute, now);
        self.lines.set(lines);
        if let Some(left_out) = left_out {
            let keys = self.keyring.at(now);
            let line = evidence::line(&self.policy, &keys, now, (refusal, fate), left_out, found, request);
            log::line(rules.level, &line);
        }
    }
}

/// Whether a request is refused, or would be, because the list of revocations is not available. No other decision is made
/// twice: it may have used up a proof.
fn lacks_list(decision: &Decision) -> bool {
    let refusal = match decision {
        Decision::Reject(reject) => Some(&reject.refusal),
        Decision::Forward(forward) => forward.refused.as_ref(),
        Decision::Accept(accept) => accept.refused.as_ref(),
        Decision::Serve(_) | Decision::NeedKeys(_) => None,
    };
    refusal == Some(&Refusal::RevocationUnavailable)
}

impl Handler for Middleware {
    /// Keys are refreshed ahead of their end while the upstream's answer is on its way: nobody waits for a provider
    /// whose keys still serve.
    fn handle_response(&self) {
        if let Some((issuer, now)) = self.asked.take() {
            log::key_events(&self.keyring.refresh_ahead(issuer, now, &self.io));
            if FETCHES {
                log::event(self.lookups.revoked.refresh_ahead(now, &self.io));
            }
        }
    }

    fn handle_request(&self, http: Http<'_>) -> Next {
        let request = HostRequest::new(http.request);
        let Decided { decision, found, .. } = self.decide(&request);
        let found = found.as_ref();
        match &decision {
            Decision::Forward(forward) => {
                if let Some(refusal) = &forward.refused {
                    self.log(refusal, Fate::Passed, found, &request);
                }
                perform::forward(forward, http);
                Next::Forward
            }
            Decision::Accept(accept) => {
                if let Some(refusal) = &accept.refused {
                    self.log(refusal, Fate::Passed, found, &request);
                }
                perform::accept(accept, http);
                // No upstream answers this request, so nothing is left to wait for.
                self.handle_response();
                Next::Answered
            }
            Decision::Reject(reject) => {
                self.log(&reject.refusal, Fate::Refused(reject.status), found, &request);
                perform::reject(reject, http);
                Next::Answered
            }
            Decision::Serve(served) => {
                perform::serve(served, http);
                Next::Answered
            }
            // `decide` does not return this; if it did, the request would not pass.
            Decision::NeedKeys(_) => {
                http.response.set_status(503);
                Next::Answered
            }
        }
    }
}
