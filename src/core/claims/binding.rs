//! Tokens that are bound to a key or a certificate of their holder: `cnf` (RFC 7800 3.1), as DPoP (RFC 9449 6.1) and
//! mutual TLS (RFC 8705 3.1) use it. Whether the holder has it is for [`proof`](crate::core::proof) to check.

use crate::core::json::{Kind, Value};
use crate::core::proof::fault::MissingProof;
use crate::core::refusal::Refusal;
use crate::core::token::claims_set::ClaimsSet;

/// What tokens have to be bound to, and what becomes of other bindings.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BindingRules {
    /// `boundTokens`.
    pub bound_tokens: BoundTokens,
    /// `proofs.dpop`.
    pub dpop: Checked,
    /// `proofs.mtls`.
    pub mtls: Checked,
}

/// `boundTokens`: what becomes of a bound token whose proof no configured check covers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum BoundTokens {
    /// It is refused: anyone who copied it could use it.
    #[default]
    Refuse,
    /// It counts as a bearer token.
    Accept,
}

/// Whether a kind of proof is checked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Checked {
    /// It is not.
    #[default]
    Off,
    /// Of tokens that are bound.
    Optional,
    /// Of every token: one that is not bound is refused.
    Required,
}

/// What a token may be bound to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Binding {
    /// A key, by its thumbprint.
    Key,
    /// A certificate, by its SHA-256.
    Certificate,
}

impl Binding {
    /// The member of `cnf`.
    const fn member(self) -> &'static str {
        match self {
            Self::Key => "jkt",
            Self::Certificate => "x5t#S256",
        }
    }
}

impl BindingRules {
    const fn checked(&self, binding: Binding) -> Checked {
        match binding {
            Binding::Key => self.dpop,
            Binding::Certificate => self.mtls,
        }
    }

    /// Whether a proof of what the member `name` of `cnf` says is checked.
    fn covers(&self, name: &str, value: Value<'_>) -> bool {
        let named = [Binding::Key, Binding::Certificate].into_iter().find(|binding| binding.member() == name);
        value.kind() == Kind::String && named.is_some_and(|binding| self.checked(binding) != Checked::Off)
    }
}

/// A token with a `cnf` is worth nothing without the proof that `cnf` asks for. Anything but `null` is a binding, also
/// what no specification knows: an issuer that writes it means to restrict who may use the token.
///
/// # Errors
/// `proof_missing`.
pub fn check(claims: &ClaimsSet, rules: &BindingRules) -> Result<(), Refusal> {
    let is_covered = |cnf: Value<'_>| {
        let mut members = cnf.members().peekable();
        members.peek().is_some() && members.all(|(name, value)| rules.covers(name, value))
    };
    let cnf = claims.claim("cnf").filter(|cnf| cnf.kind() != Kind::Null);
    match rules.bound_tokens {
        BoundTokens::Refuse if !cnf.is_none_or(is_covered) => return missing(MissingProof::Check),
        BoundTokens::Refuse | BoundTokens::Accept => {}
    }
    for binding in [Binding::Key, Binding::Certificate] {
        if rules.checked(binding) == Checked::Required && bound_to(claims, binding).is_none() {
            return missing(MissingProof::Binding);
        }
    }
    Ok(())
}

const fn missing(missing: MissingProof) -> Result<(), Refusal> {
    Err(Refusal::ProofMissing { missing })
}

/// The thumbprint of what the token is bound to.
#[must_use]
pub fn bound_to(claims: &ClaimsSet, binding: Binding) -> Option<&str> {
    claims.claim("cnf")?.member(binding.member())?.as_str()
}

#[cfg(test)]
mod tests {
    use super::{BindingRules, BoundTokens, Checked, check};
    use crate::core::proof::fault::MissingProof;
    use crate::core::refusal::Refusal;
    use crate::core::token::claims_set::claims;

    const MISSING: Result<(), Refusal> = Err(Refusal::ProofMissing { missing: MissingProof::Check });
    const UNBOUND: Result<(), Refusal> = Err(Refusal::ProofMissing { missing: MissingProof::Binding });

    #[test]
    fn whatever_is_in_cnf_is_a_binding_that_no_check_covers() {
        for (json, expected) in [
            (r#"{"cnf":{"jkt":"0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"}}"#, MISSING),
            (r#"{"cnf":{"x5t#S256":"bwcK0esc3ACC3DB2Y5_lESsXE8o9ltc05O89jdN-dg2"}}"#, MISSING),
            (r#"{"cnf":{"jwk":{"kty":"OKP"}}}"#, MISSING),
            (r#"{"cnf":{"jkt":null}}"#, MISSING),
            (r#"{"cnf":{}}"#, MISSING),
            (r#"{"cnf":[]}"#, MISSING),
            (r#"{"cnf":""}"#, MISSING),
            (r#"{"cnf":0}"#, MISSING),
            (r#"{"cnf":false}"#, MISSING),
            (r#"{"cnf":null}"#, Ok(())),
            (r#"{"Cnf":{},"x":{"cnf":{}}}"#, Ok(())),
            ("{}", Ok(())),
        ] {
            assert_eq!(check(&claims(json), &BindingRules::default()), expected, "{json}");
            let accept = BindingRules { bound_tokens: BoundTokens::Accept, ..BindingRules::default() };
            assert_eq!(check(&claims(json), &accept), Ok(()), "{json}");
        }
    }

    #[test]
    fn what_is_checked_covers_its_own_member_and_may_be_demanded() {
        use Checked::{Off, Optional, Required};
        let (key, certificate) = (r#"{"cnf":{"jkt":"a"}}"#, r#"{"cnf":{"x5t#S256":"a"}}"#);
        let both = r#"{"cnf":{"jkt":"a","x5t#S256":"b"}}"#;
        let (strange, odd) = (r#"{"cnf":{"jkt":"a","kid":"b"}}"#, r#"{"cnf":{"jkt":["a"]}}"#);
        let ok = Ok(());
        for (dpop, mtls, bound_tokens, json, expected) in [
            (Optional, Off, BoundTokens::Refuse, key, ok.clone()),
            (Optional, Off, BoundTokens::Refuse, "{}", ok.clone()),
            (Optional, Off, BoundTokens::Refuse, certificate, MISSING),
            (Optional, Off, BoundTokens::Refuse, both, MISSING),
            (Optional, Optional, BoundTokens::Refuse, both, ok.clone()),
            (Optional, Optional, BoundTokens::Refuse, strange, MISSING),
            (Optional, Optional, BoundTokens::Refuse, odd, MISSING),
            (Optional, Off, BoundTokens::Refuse, r#"{"cnf":{}}"#, MISSING),
            (Optional, Off, BoundTokens::Accept, strange, ok.clone()),
            (Off, Optional, BoundTokens::Refuse, certificate, ok.clone()),
            (Off, Optional, BoundTokens::Refuse, key, MISSING),
            (Required, Off, BoundTokens::Refuse, key, ok.clone()),
            (Required, Off, BoundTokens::Refuse, "{}", UNBOUND),
            (Required, Off, BoundTokens::Accept, "{}", UNBOUND),
            (Required, Off, BoundTokens::Accept, certificate, UNBOUND),
            (Required, Off, BoundTokens::Accept, odd, UNBOUND),
            (Required, Off, BoundTokens::Accept, both, ok.clone()),
            (Off, Required, BoundTokens::Refuse, "{}", UNBOUND),
            (Off, Required, BoundTokens::Refuse, certificate, ok.clone()),
            (Required, Required, BoundTokens::Refuse, key, UNBOUND),
            (Required, Required, BoundTokens::Refuse, both, ok.clone()),
        ] {
            let rules = BindingRules { bound_tokens, dpop, mtls };
            assert_eq!(check(&claims(json), &rules), expected, "{rules:?} {json}");
        }
    }
}
