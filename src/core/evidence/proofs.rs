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
