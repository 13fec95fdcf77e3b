//! Tokens that are bound to a key or a certificate of their holder: `cnf` (RFC 7800 3.1), as DPoP (RFC 9449 6.1) and
//! mutual TLS (RFC 8705 3.1) use it.

use crate::core::json::Kind;
use crate::core::refusal::Refusal;
use crate::core::token::claims_set::ClaimsSet;

/// `boundTokens`: what becomes of a bound token whose proof no configured check covers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum BoundTokens {
    /// It is refused: whoever has merely copied it could use it.
    #[default]
    Refuse,
    /// It counts as a bearer token.
    Accept,
}

/// A token with a `cnf` is worth nothing without the proof that `cnf` asks for. Anything but `null` is a binding, also
/// what no specification knows: an issuer that writes it means to restrict who may use the token.
///
/// # Errors
/// `proof_missing`.
pub fn check(claims: &ClaimsSet, rule: BoundTokens) -> Result<(), Refusal> {
    let is_bound = || claims.claim("cnf").is_some_and(|cnf| cnf.kind() != Kind::Null);
    match rule {
        BoundTokens::Refuse if is_bound() => Err(Refusal::ProofMissing),
        BoundTokens::Refuse | BoundTokens::Accept => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::{BoundTokens, check};
    use crate::core::refusal::Refusal;
    use crate::core::token::claims_set::claims;

    #[test]
    fn whatever_is_in_cnf_is_a_binding_that_no_check_covers() {
        for (json, expected) in [
            (r#"{"cnf":{"jkt":"0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"}}"#, Err(Refusal::ProofMissing)),
            (
                r#"{"cnf":{"x5t#S256":"bwcK0esc3ACC3DB2Y5_lESsXE8o9ltc05O89jdN-dg2"}}"#,
                Err(Refusal::ProofMissing),
            ),
            (r#"{"cnf":{"jwk":{"kty":"OKP"}}}"#, Err(Refusal::ProofMissing)),
            (r#"{"cnf":{"jkt":null}}"#, Err(Refusal::ProofMissing)),
            (r#"{"cnf":{}}"#, Err(Refusal::ProofMissing)),
            (r#"{"cnf":[]}"#, Err(Refusal::ProofMissing)),
            (r#"{"cnf":""}"#, Err(Refusal::ProofMissing)),
            (r#"{"cnf":0}"#, Err(Refusal::ProofMissing)),
            (r#"{"cnf":false}"#, Err(Refusal::ProofMissing)),
            (r#"{"cnf":null}"#, Ok(())),
            (r#"{"Cnf":{},"x":{"cnf":{}}}"#, Ok(())),
            ("{}", Ok(())),
        ] {
            assert_eq!(check(&claims(json), BoundTokens::Refuse), expected, "{json}");
            assert_eq!(check(&claims(json), BoundTokens::Accept), Ok(()), "{json}");
        }
    }
}
