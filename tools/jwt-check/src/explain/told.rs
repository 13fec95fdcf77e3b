//! Listens to the steps of a walk.

use traefik_jwt_auth::core::answer::field_value::json;
use traefik_jwt_auth::core::bypass::Bypass;
use traefik_jwt_auth::core::refusal::Refusal;
use traefik_jwt_auth::core::steps::{Step, Steps};
use traefik_jwt_auth::core::text::name;

use crate::explain::words::{accepted, checked, typ_of};

/// The steps of `decide`, each with what the request has and what the configuration asks for, and the refusal.
#[derive(Default)]
pub(super) struct Told {
    pub(super) steps: Vec<(String, String)>,
    pub(super) refusal: Option<Refusal>,
}

impl Told {
    fn line(&mut self, what: &str, text: impl AsRef<str>) {
        self.steps.push((what.to_owned(), text.as_ref().to_owned()));
    }
}

impl Steps for Told {
    fn step(&mut self, step: Step<'_>) {
        match step {
            Step::Bypassed(bypass) => self.line(
                "bypass",
                match bypass {
                    Bypass::Rule => "no token is needed under the rule of this request",
                    Bypass::Path => "no token is needed for this path",
                    Bypass::Preflight => "no token is needed for a preflight",
                    Bypass::Method => "no token is needed for this method",
                },
            ),
            Step::Found(found) => {
                for place in &found.places {
                    self.line("token", format!("{} bytes in {place}", found.token.len()));
                }
                if found.has_strays {
                    self.line("copies", "the cookie has other copies; this is what this one gives");
                }
            }
            Step::Read(token) => {
                let header = &token.header;
                let kid = header.kid.as_deref().map_or("none".into(), name);
                let typ = typ_of(header.typ.as_deref());
                self.line("header", format!("alg {}, kid {kid}, typ {typ}", name(&header.alg)));
                self.line("claims", json(token.claimed.value()));
            }
            Step::Issuer(iss, issuer) => {
                let accepted = accepted(&issuer.named());
                self.line("issuer", format!("iss {}; {accepted}", iss.map_or("none".into(), name)));
            }
            Step::Algorithm(alg, issuer) => {
                let algs: Vec<&str> = issuer.algorithms.iter().map(|alg| alg.name()).collect();
                self.line("algorithm", format!("{}; {}", name(alg), accepted(&algs)));
            }
            Step::Keys(count) => self.line("keys", format!("{count} of this issuer come into question")),
            Step::Verified => self.line("signature", "holds"),
            Step::Check(check, presented) => {
                for text in checked(check, presented) {
                    self.line(check, text);
                }
            }
            Step::Refused(refusal) => self.refusal = Some(refusal.clone()),
        }
    }
}
