//! `answerAs` and `trustedPeers`, and what cannot be had where a proxy asks: nothing of the request is changed.

use crate::core::answer::forward::{ForwardRules, TokenForwarding};
use crate::core::config::coerce::Section;
use crate::core::config::error::Errors;
use crate::core::config::operators::source_ranges;
use crate::core::config::upstream::is_of_answers;
use crate::core::request::forwarded::AnswerAs;

/// Where nothing is said, a proxy asks from the same machine.
const LOOPBACK: [&str; 2] = ["127.0.0.0/8", "::1"];

#[derive(Clone, Copy, PartialEq, Eq)]
enum Word {
    Middleware,
    ForwardAuth,
}

pub(super) fn answer_as(root: &Section, forward: &ForwardRules, errors: &mut Errors) -> AnswerAs {
    let words = [("middleware", Word::Middleware), ("forwardAuth", Word::ForwardAuth)];
    let texts = root.list("trustedPeers", errors);
    match root.choice("answerAs", Word::Middleware, &words, errors) {
        Word::Middleware => {
            if texts.is_some() {
                errors.conflict("trustedPeers", "belongs to answerAs: forwardAuth, which is not set");
            }
            AnswerAs::Middleware
        }
        Word::ForwardAuth => {
            refuse_changes(forward, errors);
            let texts = texts.unwrap_or_else(|| LOOPBACK.map(str::to_owned).into());
            let peers = source_ranges("trustedPeers", &texts, errors);
            if peers.iter().any(|range| range.is_everything()) {
                errors.conflict("trustedPeers", "has every address; name those of the proxies that ask");
            }
            AnswerAs::ForwardAuth { peers }
        }
    }
}

fn refuse_changes(forward: &ForwardRules, errors: &mut Errors) {
    match forward.token {
        TokenForwarding::Keep => {}
        TokenForwarding::Strip => errors.conflict(
            "forwardAuthorization",
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
