//! JWT-SVIDs: tokens whose subject is a SPIFFE ID, and whose keys are those of its trust domain. They need no `iss` (JWT-SVID 3),
//! so the trust domain of `sub` says whose they are.

use crate::core::limits::{MAX_SPIFFE_ID_BYTES, MAX_TRUST_DOMAIN_BYTES};
use crate::core::refusal::Refusal;
use crate::core::token::claims_set::ClaimsSet;

const SCHEME: &str = "spiffe://";

/// A trust domain (SPIFFE-ID 2.1), as the ID that has no path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrustDomain(String);

impl TrustDomain {
    /// The trust domain that a SPIFFE ID without a path names. `None` for anything else.
    pub fn parse(id: &str) -> Option<Self> {
        let name = id.strip_prefix(SCHEME)?;
        let fits = |byte: u8| {
            byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'.' | b'_')
        };
        let is_name = (1..=MAX_TRUST_DOMAIN_BYTES).contains(&name.len()) && name.bytes().all(fits);
        is_name.then(|| Self(id.to_owned()))
    }

    /// Its ID: `spiffe://example.org`.
    pub fn id(&self) -> &str {
        &self.0
    }

    /// Whether `sub` is in this trust domain, well-formed or not: no other entry may answer for it.
    pub fn has_subject(&self, claims: &ClaimsSet) -> bool {
        let sub = claims.claim("sub").and_then(|sub| sub.as_str());
        sub.is_some_and(|sub| self.path(sub).is_some())
    }

    /// What follows the trust domain in an ID that is in it.
    fn path<'i>(&self, id: &'i str) -> Option<&'i str> {
        let path = id.strip_prefix(self.id())?;
        (path.is_empty() || path.starts_with('/')).then_some(path)
    }

    /// Whether an ID is one of a workload in this trust domain (SPIFFE-ID 2.2).
    fn has_workload(&self, id: &str) -> bool {
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_');
        let is_segment = |segment: &str| !matches!(segment, "" | "." | "..") && segment.bytes().all(fits);
        let path = self.path(id).and_then(|path| path.strip_prefix('/'));
        id.len() <= MAX_SPIFFE_ID_BYTES && path.is_some_and(|path| path.split('/').all(is_segment))
    }
}

/// A token of a trust domain is one of its workloads, and says of no other type that it is (JWT-SVID 2.3 and 3.1). That it has an
/// audience and an end is asked for by the rules of its entry.
///
/// # Errors
/// `token_type_not_accepted`, `claim_invalid`.
pub fn check(typ: Option<&str>, claims: &ClaimsSet, domain: Option<&TrustDomain>) -> Result<(), Refusal> {
    let Some(domain) = domain else {
        return Ok(());
    };
    if typ.is_some_and(|typ| !matches!(typ, "JWT" | "JOSE")) {
        return Err(Refusal::TokenTypeNotAccepted { typ: typ.map(str::to_owned) });
    }
    let sub = claims.claim("sub").and_then(|sub| sub.as_str());
    if sub.is_some_and(|sub| domain.has_workload(sub)) {
        Ok(())
    } else {
        Err(Refusal::ClaimInvalid { claim: "sub" })
    }
}

#[cfg(test)]
mod tests {
    use super::{TrustDomain, check};
    use crate::core::token::claims_set::claims;

    #[test]
    fn trust_domains() {
        for (text, expected) in [
            ("spiffe://example.org", true),
            ("spiffe://a-b_c.1", true),
            ("spiffe://", false),
            ("spiffe://Example.org", false),
            ("spiffe://example.org/", false),
            ("spiffe://example.org/a", false),
            ("spiffe://example.org:443", false),
            ("spiffe://user@example.org", false),
            ("spiffe://ex%61mple.org", false),
            ("SPIFFE://example.org", false),
            ("https://example.org", false),
            ("example.org", false),
        ] {
            let domain = TrustDomain::parse(text).map(|domain| domain.id().to_owned());
            assert_eq!(domain.as_deref(), expected.then_some(text));
        }
        assert!(TrustDomain::parse(&format!("spiffe://{}", "a".repeat(256))).is_none());
    }

    #[test]
    fn workloads() {
        let domain = TrustDomain::parse("spiffe://example.org").unwrap();
        let long = |bytes: usize| format!("spiffe://example.org/{}", "a".repeat(bytes));
        for (sub, is_in, is_workload) in [
            ("spiffe://example.org/ns/orders/sa/worker", true, true),
            ("spiffe://example.org/A.b-c_1", true, true),
            ("spiffe://example.org/...", true, true),
            ("spiffe://example.org", true, false),
            ("spiffe://example.org/", true, false),
            ("spiffe://example.org/a/", true, false),
            ("spiffe://example.org//a", true, false),
            ("spiffe://example.org/../a", true, false),
            ("spiffe://example.org/a/./b", true, false),
            ("spiffe://example.org/a?b", true, false),
            ("spiffe://example.org/%61", true, false),
            ("spiffe://example.org/\u{e4}", true, false),
            ("spiffe://example.organic/a", false, false),
            ("spiffe://example.org.evil/a", false, false),
            ("spiffe://evil/example.org/a", false, false),
            ("spiffe://example.or/a", false, false),
            ("Spiffe://example.org/a", false, false),
            ("https://example.org/a", false, false),
            ("/a", false, false),
            (&long(2027), true, true),
            (&long(2028), true, false),
        ] {
            let set = claims(&serde_json::json!({"sub": sub}).to_string());
            assert_eq!(domain.has_subject(&set), is_in, "{sub}");
            assert_eq!(check(None, &set, Some(&domain)).is_ok(), is_workload, "{sub}");
            assert!(check(Some("at+jwt"), &set, None).is_ok());
        }
        for json in ["{}", r#"{"sub":7}"#, r#"{"sub":["spiffe://example.org/a"]}"#] {
            assert!(!domain.has_subject(&claims(json)) && check(None, &claims(json), Some(&domain)).is_err());
        }
        let set = claims(r#"{"sub":"spiffe://example.org/a"}"#);
        for (typ, expected) in [("JWT", true), ("JOSE", true), ("at+jwt", false), ("jwt", false), ("", false)]
        {
            assert_eq!(check(Some(typ), &set, Some(&domain)).is_ok(), expected, "{typ}");
        }
    }
}
