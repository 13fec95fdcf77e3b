//! Listens to the steps of a walk.

use traefik_jwt_auth::core::answer::field_value::json;
use traefik_jwt_auth::core::bypass::Bypass;
use traefik_jwt_auth::core::refusal::Refusal;
use traefik_jwt_auth::core::steps::{Step, Steps};
use traefik_jwt_auth::core::text::name;

use crate::explain::words::{accepted, checked, typ_of};

/// A line of the walk: a step, what the request has and what the configuration asks for.
pub(super) struct Line {
    pub(super) step: String,
    pub(super) found: String,
    /// Empty where the step asks for nothing.
    pub(super) expected: String,
    /// The check that refuses the request.
    pub(super) fails: bool,
}

impl Line {
    pub(super) fn new(step: &str, found: impl Into<String>, expected: impl Into<String>) -> Self {
        Self { step: step.to_owned(), found: found.into(), expected: expected.into(), fails: false }
    }

    /// Both values in one sentence.
    pub(super) fn text(&self) -> String {
        let separator = if self.expected.is_empty() { "" } else { "; " };
        format!("{}{separator}{}", self.found, self.expected)
    }
}

/// The steps of `decide`, and the refusal.
#[derive(Default)]
pub(super) struct Told {
    pub(super) steps: Vec<Line>,
    pub(super) refusal: Option<Refusal>,
    /// Where the lines of the check begin that is not passed yet.
    checking: Option<usize>,
}

impl Told {
    fn line(&mut self, step: &str, found: impl Into<String>, expected: impl Into<String>) {
        self.steps.push(Line::new(step, found, expected));
    }
}

impl Steps for Told {
    fn step(&mut self, step: Step<'_>) {
        let checking = self.checking.take();
        match step {
            Step::Bypassed(bypass) => self.line(
                "bypass",
                match bypass {
                    Bypass::Rule => "no token is needed under the rule of this request",
                    Bypass::Path => "no token is needed for this path",
                    Bypass::Preflight => "no token is needed for a preflight",
                    Bypass::Method => "no token is needed for this method",
                },
                "",
            ),
            Step::Found(found) => {
                for place in &found.places {
                    self.line("token", format!("{} bytes in {place}", found.token.len()), "");
                }
                if found.has_strays {
                    self.line("copies", "the cookie has other copies; this is what this one gives", "");
                }
            }
            Step::Read(token) => {
                let header = &token.header;
                let kid = header.kid.as_deref().map_or("none".into(), name);
                let typ = typ_of(header.typ.as_deref());
                self.line("header", format!("alg {}, kid {kid}, typ {typ}", name(&header.alg)), "");
                self.line("claims", json(token.claimed.value()), "");
            }
            Step::Issuer(iss, issuer) => {
                let found = format!("iss {}", iss.map_or("none".into(), name));
                self.line("issuer", found, accepted(&issuer.named()));
            }
            Step::Algorithm(alg, issuer) => {
                let algs: Vec<&str> = issuer.algorithms.iter().map(|alg| alg.name()).collect();
                self.line("algorithm", name(alg), accepted(&algs));
            }
            Step::Keys(count) => {
                self.line("keys", format!("{count} of this issuer come into question"), "");
            }
            Step::Verified => self.line("signature", "holds", ""),
            Step::Check(check, presented) => {
                self.checking = Some(self.steps.len());
                for (found, expected) in checked(check, presented) {
                    self.line(check, found, expected);
                }
            }
            Step::Refused(refusal) => {
                self.refusal = Some(refusal.clone());
                let first = checking.unwrap_or(self.steps.len());
                self.steps.iter_mut().skip(first).for_each(|line| line.fails = true);
            }
        }
    }
}
