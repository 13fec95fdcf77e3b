//! A proof of possession beside what it has to be about.

use crate::core::evidence::near;
use crate::core::proof::fault::ProofFault;
use crate::core::refusal::Evidence;
use crate::core::text::name;

pub(super) fn fault(fault: &ProofFault) -> Evidence {
    match fault {
        ProofFault::Target { found, expected } => Evidence {
            found: format!("htu {}", name(found)),
            expected: if expected.is_empty() {
                "htu for a request whose Host or X-Forwarded-Proto is missing".into()
            } else {
                format!("htu {}", name(expected))
            },
            hint: match near(&[found], &[expected]) {
                near if !near.is_empty() => near,
                _ => "proofs.origin says which scheme and host clients use".into(),
            },
        },
        ProofFault::Method { found } => {
            Evidence { found: format!("htm {}", name(found)), ..Evidence::default() }
        }
        ProofFault::Algorithm { found } => Evidence {
            found: format!("alg {}", name(found)),
            expected: "an algorithm of proofs.algorithms".into(),
            ..Evidence::default()
        },
        ProofFault::IssuedAt { distance } => Evidence {
            found: format!("iat is {distance} s from now"),
            expected: "at most proofs.maxAgeSeconds".into(),
            ..Evidence::default()
        },
        ProofFault::Repeated
        | ProofFault::Malformed(_)
        | ProofFault::TooLarge { .. }
        | ProofFault::Claim(_)
        | ProofFault::Type
        | ProofFault::Key
        | ProofFault::Signature
        | ProofFault::TokenHash
        | ProofFault::Thumbprint
        | ProofFault::Certificate
        | ProofFault::CertificateRepeated
        | ProofFault::CertificateForm => Evidence { found: fault.to_string(), ..Evidence::default() },
    }
}

#[cfg(test)]
mod tests {
    use super::fault;
    use crate::core::proof::fault::ProofFault;

    #[test]
    fn what_the_proof_has_and_what_it_needs() {
        let target = |found: &str, expected: &str| ProofFault::Target {
            found: found.into(),
            expected: expected.into(),
        };
        for (what, found, expected, hint) in [
            (
                target("http://api.example/a", "https://api.example/a"),
                "htu http://api.example/a",
                "htu https://api.example/a",
                "http://api.example/a and https://api.example/a differ by http and https",
            ),
            (
                target("https://a.example/", "https://b.example/"),
                "htu https://a.example/",
                "htu https://b.example/",
                "proofs.origin says which scheme and host clients use",
            ),
            (
                target("https://a.example/", ""),
                "htu https://a.example/",
                "htu for a request whose Host or X-Forwarded-Proto is missing",
                "proofs.origin says which scheme and host clients use",
            ),
            (ProofFault::Method { found: "GET".into() }, "htm GET", "", ""),
            (
                ProofFault::Algorithm { found: "none".into() },
                "alg none",
                "an algorithm of proofs.algorithms",
                "",
            ),
            (
                ProofFault::IssuedAt { distance: 90 },
                "iat is 90 s from now",
                "at most proofs.maxAgeSeconds",
                "",
            ),
        ] {
            let evidence = fault(&what);
            assert_eq!((&*evidence.found, &*evidence.expected, &*evidence.hint), (found, expected, hint));
        }
        let evidence = fault(&ProofFault::TokenHash);
        assert_eq!((evidence.found, evidence.expected), (ProofFault::TokenHash.to_string(), String::new()));
    }
}
