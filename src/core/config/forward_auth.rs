//! `answerAs` and `trustedPeers`, and the options that a proxy that asks rules out, since its request is not changed.

use crate::core::answer::forward::{ForwardRules, TokenForwarding};
use crate::core::config::error::Errors;
use crate::core::config::operators::source_ranges;
use crate::core::config::options::forward_auth::*;
use crate::core::config::options::is_of_answers;
use crate::core::config::options::proofs::{FORWARD_CERTIFICATE, PROOF_FORWARD};
use crate::core::config::options::upstream::FORWARD_AUTHORIZATION;
use crate::core::config::values::Values;
use crate::core::proof::mtls::CertificateForwarding;
use crate::core::proof::rules::{ProofForwarding, ProofRules};
use crate::core::request::forwarded::{AnswerAs, Asking};
use crate::core::request::source_range::SourceRange;

/// By default, a proxy asks from the same machine.
const LOOPBACK: [&str; 2] = ["127.0.0.0/8", "::1"];

pub(super) fn asking(
    root: &Values,
    forward: &ForwardRules,
    proofs: Option<&ProofRules>,
    errors: &mut Errors,
) -> Asking {
    let answer_as = root.word(&ANSWER_AS, &ANSWERS);
    let peers = match answer_as {
        AnswerAs::Middleware => {
            if root.has(&TRUSTED_PEERS) && !root.is_refused(&ANSWER_AS) {
                errors.conflict(TRUSTED_PEERS.path, "belongs to answerAs: forwardAuth, which is not set");
            }
            Vec::new()
        }
        AnswerAs::ForwardAuth => {
            refuse_changes(forward, errors);
            refuse_changes_of_proofs(proofs, errors);
            let peers = if root.has(&TRUSTED_PEERS) {
                source_ranges(root, &TRUSTED_PEERS)
            } else {
                LOOPBACK.iter().filter_map(|text| SourceRange::parse(text)).collect()
            };
            if peers.iter().any(SourceRange::is_everything) {
                errors.conflict(TRUSTED_PEERS.path, "has every address; name those of the proxies that ask");
            }
            peers
        }
    };
    Asking { answer_as, peers }
}

fn refuse_changes_of_proofs(proofs: Option<&ProofRules>, errors: &mut Errors) {
    let Some(proofs) = proofs else { return };
    match proofs.forwarding {
        ProofForwarding::AsReceived => {}
        ProofForwarding::Bearer => {
            errors.conflict(
                PROOF_FORWARD.path,
                "cannot be bearer with answerAs: forwardAuth, since the proxy that asks passes the request on as it came",
            );
        }
    }
    match proofs.mtls.as_ref().map(|rules| rules.forwarding) {
        None | Some(CertificateForwarding::Keep) => {}
        Some(CertificateForwarding::Remove) => errors.conflict(
            FORWARD_CERTIFICATE.path,
            "has to be true with answerAs: forwardAuth, since nothing removes the header from the request that the proxy \
             passes on",
        ),
    }
}

fn refuse_changes(forward: &ForwardRules, errors: &mut Errors) {
    match forward.token {
        TokenForwarding::Keep => {}
        TokenForwarding::Strip => errors.conflict(
            FORWARD_AUTHORIZATION.path,
            "cannot be false with answerAs: forwardAuth, since the proxy that asks passes the request on; name the header of \
             the token in its authResponseHeaders, and Traefik removes it",
        ),
    }
    for row in forward.managed.rows().iter().filter(|row| is_of_answers(row.name())) {
        let name = row.name();
        errors.conflict(
            row.source().option(),
            format!("{name} cannot be set with answerAs: forwardAuth: it has another purpose in answers"),
        );
    }
}
