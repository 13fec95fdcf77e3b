//! Issuers of providers with many tenants: one name with `{tenant}` in it (`https://login.example/{tenant}/v2.0`).
//!
//! The keys are those of the entry, always. A tenant that a token names never becomes part of a URL.

use std::fmt;

use crate::core::limits::MAX_TENANT_BYTES;
use crate::core::refusal::Refusal;
use crate::core::token::claims_set::{ClaimPath, ClaimsSet};

/// An `issuer` with `{tenant}` in it, and how tenants are checked: listed, confirmed by a claim, or both.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IssuerTemplate {
    prefix: String,
    suffix: String,
    tenants: Vec<String>,
    claim: Option<ClaimPath>,
}

impl IssuerTemplate {
    /// A template that accepts the listed `tenants` (`tenants`; empty for all). `claim` repeats the tenant
    /// (`tenantClaim`). `None` if `text` does not have exactly one `{tenant}` or nothing checks the tenant.
    pub fn new(text: &str, tenants: Vec<String>, claim: Option<ClaimPath>) -> Option<Self> {
        let (prefix, suffix) = text.split_once("{tenant}")?;
        let unchecked = tenants.is_empty() && claim.is_none();
        if unchecked || prefix.is_empty() || prefix.contains(['{', '}']) || suffix.contains(['{', '}']) {
            return None;
        }
        Some(Self { prefix: prefix.to_owned(), suffix: suffix.to_owned(), tenants, claim })
    }

    /// The tenant that `iss` names, if it is one of ours.
    pub fn tenant<'i>(&self, iss: &'i str) -> Option<&'i str> {
        let tenant = iss.strip_prefix(self.prefix.as_str())?.strip_suffix(self.suffix.as_str())?;
        // One segment of a URL, so that `a/b`, `evil?x=` or `..` cannot pass for a tenant.
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_');
        let plain = (1..=MAX_TENANT_BYTES).contains(&tenant.len())
            && tenant.bytes().all(is_plain)
            && !matches!(tenant, "." | "..");
        let listed = self.tenants.is_empty() || self.tenants.iter().any(|known| known == tenant);
        (plain && listed).then_some(tenant)
    }

    /// The claim that repeats the tenant (`tenantClaim`).
    pub const fn claim(&self) -> Option<&ClaimPath> {
        self.claim.as_ref()
    }

    /// Whether some issuer fits both, so that one of two entries would never be asked.
    pub fn overlaps(&self, other: &Self) -> bool {
        let lists = |tenants: &[String], tenant| tenants.is_empty() || tenants.contains(tenant);
        let share = match self.tenants.as_slice() {
            [] => true,
            tenants => tenants.iter().any(|tenant| lists(&other.tenants, tenant)),
        };
        self.prefix == other.prefix && self.suffix == other.suffix && share
    }
}

impl fmt::Display for IssuerTemplate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{{tenant}}{}", self.prefix, self.suffix)
    }
}

/// The claim of a template repeats the tenant of `iss`, byte for byte.
///
/// # Errors
/// `claim_missing`, `issuer_not_trusted`.
pub fn check(claims: &ClaimsSet, templates: &[IssuerTemplate]) -> Result<(), Refusal> {
    let Some(iss) = claims.claim("iss").and_then(|iss| iss.as_str()) else {
        return Ok(());
    };
    for template in templates {
        let (Some(tenant), Some(path)) = (template.tenant(iss), &template.claim) else {
            continue;
        };
        let claim = claims.at(path).ok_or_else(|| Refusal::ClaimMissing { claim: path.to_string() })?;
        if claim.as_str() != Some(tenant) {
            return Err(Refusal::IssuerNotTrusted { issuer: Some(iss.to_owned()) });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{IssuerTemplate, check};
    use crate::core::token::claims_set::{ClaimPath, claims};

    fn tid() -> Option<ClaimPath> {
        ClaimPath::parse("tid")
    }

    #[test]
    fn a_template_has_one_tenant_and_a_check() {
        for (text, tenants, claim, expected) in [
            ("https://a/{tenant}/v2.0", vec![], tid(), true),
            ("https://a/{tenant}", vec!["x".to_owned()], None, true),
            ("https://a/{tenant}", vec![], None, false),
            ("https://a/", vec![], tid(), false),
            ("https://a/{tenant}/{tenant}", vec![], tid(), false),
            ("https://a/{tenant}/{x}", vec![], tid(), false),
            ("{tenant}", vec![], tid(), false),
        ] {
            assert_eq!(IssuerTemplate::new(text, tenants, claim).is_some(), expected, "{text}");
        }
    }

    #[test]
    fn tenants_are_one_plain_segment() {
        let any = IssuerTemplate::new("https://a/{tenant}/v2.0", vec![], tid()).unwrap();
        let listed = IssuerTemplate::new("https://a/{tenant}/v2.0", vec!["b".into()], None).unwrap();
        let long = format!("https://a/{}/v2.0", "x".repeat(254));
        for (iss, of_any, of_listed) in [
            ("https://a/b/v2.0", Some("b"), Some("b")),
            ("https://a/c.example/v2.0", Some("c.example"), None),
            ("https://a/B/v2.0", Some("B"), None),
            ("https://a//v2.0", None, None),
            ("https://a/./v2.0", None, None),
            ("https://a/../v2.0", None, None),
            ("https://a/.../v2.0", Some("..."), None),
            ("https://a/v2.0", None, None),
            ("https://a/b/c/v2.0", None, None),
            ("https://a/b?/v2.0", None, None),
            ("https://a/b%2f/v2.0", None, None),
            ("https://a/b/v2.0/", None, None),
            ("https://evil/b/v2.0", None, None),
            ("https://a/{tenant}/v2.0", None, None),
            (&long, None, None),
        ] {
            assert_eq!((any.tenant(iss), listed.tenant(iss)), (of_any, of_listed), "{iss}");
        }
    }

    #[test]
    fn templates_overlap_where_they_share_a_tenant() {
        let template = |text: &str, tenants: &[&str]| {
            let tenants = tenants.iter().map(|tenant| (*tenant).to_owned()).collect();
            IssuerTemplate::new(text, tenants, tid()).unwrap()
        };
        let (a, b) = ("https://a/{tenant}", "https://b/{tenant}");
        for (first, second, expected) in [
            (template(a, &[]), template(a, &[]), true),
            (template(a, &["x"]), template(a, &[]), true),
            (template(a, &["x", "y"]), template(a, &["y"]), true),
            (template(a, &["x"]), template(a, &["y"]), false),
            (template(a, &[]), template(b, &[]), false),
            (template(a, &[]), template("https://a/{tenant}/", &[]), false),
        ] {
            assert_eq!((first.overlaps(&second), second.overlaps(&first)), (expected, expected));
        }
    }

    #[test]
    fn the_claim_confirms_the_tenant() {
        let template = IssuerTemplate::new("https://a/{tenant}/", vec![], tid()).unwrap();
        for (json, expected) in [
            (r#"{"iss":"https://a/b/","tid":"b"}"#, "ok"),
            (r#"{"iss":"https://a/b/","tid":"c"}"#, "issuer_not_trusted"),
            (r#"{"iss":"https://a/b/","tid":"B"}"#, "issuer_not_trusted"),
            (r#"{"iss":"https://a/b/","tid":["b"]}"#, "issuer_not_trusted"),
            (r#"{"iss":"https://a/b/"}"#, "claim_missing"),
            (r#"{"iss":"https://other/","tid":"c"}"#, "ok"),
        ] {
            let outcome = check(&claims(json), std::slice::from_ref(&template));
            assert_eq!(outcome.err().map_or("ok", |refusal| refusal.code()), expected, "{json}");
        }
    }
}
