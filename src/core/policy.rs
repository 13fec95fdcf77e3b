//! The compiled configuration: the rules of every room, data only.

use crate::core::answer::AnswerRules;
use crate::core::answer::forward::ForwardRules;
use crate::core::bypass::BypassRules;
use crate::core::claims::{ClaimRules, scope};
use crate::core::issuer_id::IssuerId;
use crate::core::jwk::Jwk;
use crate::core::jwk::lookup::KeySource;
use crate::core::proof::rules::ProofRules;
use crate::core::revocation::RevocationRules;
use crate::core::rules::{RuleTable, Ruling};
use crate::core::signature::alg::Alg;
use crate::core::token::source::TokenSources;

/// All that one middleware demands and answers.
#[derive(Debug)]
pub struct Policy {
    /// When no token is asked for.
    pub bypass: BypassRules,
    /// Where the token is.
    pub token: TokenSources,
    /// Whose tokens are accepted, and how each is checked; never empty.
    pub issuers: Vec<TrustedIssuer>,
    /// What a request has to be besides, by method, path and header.
    pub rules: RuleTable,
    /// Origins whose pages may send requests; empty for all.
    pub origins: Vec<String>,
    /// What the upstream gets.
    pub forward: ForwardRules,
    /// How refusals are answered.
    pub answer: AnswerRules,
    /// Which proofs of possession are checked, and how.
    pub proofs: Option<ProofRules>,
    /// The sources that say which tokens were revoked.
    pub revocation: Option<RevocationRules>,
    /// What the tests of the configuration show and its author may not intend.
    pub doubts: Vec<String>,
}

/// One party whose tokens are accepted. Its keys serve no other.
#[derive(Debug)]
pub struct TrustedIssuer {
    /// Accepted values of `iss`, byte for byte (RFC 8725 3.8). If this and the templates in `claims` are empty, the entry
    /// accepts any `iss`, or none, that no other entry names.
    pub names: Vec<String>,
    /// Where its keys come from.
    pub keys: Vec<KeySource>,
    /// Accepted algorithms (RFC 8725 3.1).
    pub algorithms: Vec<Alg>,
    /// What its tokens have to claim.
    pub claims: ClaimRules,
}

impl TrustedIssuer {
    /// Whether this is the entry for tokens of issuers that no other entry is about.
    pub const fn accepts_any(&self) -> bool {
        self.names.is_empty() && self.claims.templates.is_empty()
    }

    /// Whether a key of this entry serves tokens of `iss`. Tenants share a key set, in which a provider may keep some
    /// keys for one of them: the key then names the issuer.
    #[must_use]
    pub fn admits(&self, key: &Jwk, iss: Option<&str>) -> bool {
        let is_for = |issuer: &str| issuer.contains('{') || iss == Some(issuer);
        self.claims.templates.is_empty() || key.issuer.as_deref().is_none_or(is_for)
    }

    /// The issuers that it is about, as the configuration writes them.
    pub fn named(&self) -> Vec<String> {
        self.names.iter().cloned().chain(self.claims.templates.iter().map(ToString::to_string)).collect()
    }
}

impl Policy {
    /// The entry at `id`; `None` only for an id of another policy.
    pub fn trusted(&self, id: IssuerId) -> Option<&TrustedIssuer> {
        self.issuers.get(id.0)
    }

    /// A policy that is about `issuers` alone, for the tests of other rooms.
    #[cfg(test)]
    pub(crate) fn of(issuers: Vec<TrustedIssuer>) -> Self {
        Self {
            bypass: BypassRules {
                mode: crate::core::bypass::Mode::Required,
                preflight: crate::core::bypass::Preflight::Check,
                methods: vec![],
                paths: vec![],
            },
            token: TokenSources { places: vec![], max_bytes: 1 },
            issuers,
            rules: RuleTable::default(),
            origins: vec![],
            forward: ForwardRules::default(),
            answer: AnswerRules::default(),
            proofs: None,
            revocation: None,
            doubts: vec![],
        }
    }

    /// The scopes that a token for a request has to hold, separated by spaces: those that its issuer's rules ask for, and
    /// those of the rule. If the issuer is not known, those that all of them ask for.
    #[must_use]
    pub fn scopes(&self, issuer: Option<IssuerId>, ruling: Ruling<'_>) -> String {
        fn required(issuer: &TrustedIssuer) -> &[String] {
            issuer.claims.scopes.as_ref().map_or(&[], |scopes| &scopes.required)
        }
        let known = issuer.and_then(|id| self.trusted(id));
        let first = known.or_else(|| self.issuers.first()).map_or(&[][..], required);
        let is_asked = |scope: &&String| {
            known.is_some() || self.issuers.iter().all(|issuer| required(issuer).contains(scope))
        };
        let of_rule = ruling.demands().and_then(|demands| demands.scopes.as_ref());
        let of_rule = of_rule.map_or(&[][..], |scopes| &scopes.required);
        scope::demanded(first.iter().filter(is_asked).chain(of_rule))
    }

    /// The entry for `iss`: the one that names it, else the one with a template for it, else the one that accepts any.
    /// It alone decides which keys are looked at.
    pub fn issuer(&self, iss: Option<&str>) -> Option<(IssuerId, &TrustedIssuer)> {
        let first = |accepts: &dyn Fn(&TrustedIssuer) -> bool| {
            let entries = self.issuers.iter().enumerate().map(|(at, issuer)| (IssuerId(at), issuer));
            entries.into_iter().find(|(_, issuer)| accepts(issuer))
        };
        first(&|issuer| issuer.names.iter().any(|name| Some(name.as_str()) == iss))
            .or_else(|| {
                let iss = iss?;
                first(&|issuer| issuer.claims.templates.iter().any(|template| template.tenant(iss).is_some()))
            })
            .or_else(|| first(&TrustedIssuer::accepts_any))
    }
}

#[cfg(test)]
mod tests {
    use super::{Policy, TrustedIssuer};
    use crate::core::claims::ClaimRules;
    use crate::core::claims::tenant::IssuerTemplate;
    use crate::core::issuer_id::IssuerId;
    use crate::core::jwk::Jwk;
    use crate::core::signature::VerifyingKey;
    use crate::core::token::claims_set::ClaimPath;

    fn policy(entries: &[&str]) -> Policy {
        let issuer = |name: &&str| {
            let template = IssuerTemplate::new(name, vec![], ClaimPath::parse("tid"));
            TrustedIssuer {
                names: if template.is_some() || name.is_empty() { vec![] } else { vec![(*name).to_owned()] },
                keys: vec![],
                algorithms: vec![],
                claims: ClaimRules { templates: template.into_iter().collect(), ..ClaimRules::default() },
            }
        };
        Policy::of(entries.iter().map(issuer).collect())
    }

    #[test]
    fn a_key_for_one_tenant_serves_no_other() {
        let key = |issuer: Option<&str>| {
            let mut key = Jwk::from_key(VerifyingKey::hmac(&[0; 32]).unwrap());
            key.issuer = issuer.map(str::to_owned);
            key
        };
        let policy = policy(&["https://a/{tenant}/", "https://b/"]);
        for (entry, issuer, iss, expected) in [
            (0, None, Some("https://a/x/"), true),
            (0, Some("https://a/x/"), Some("https://a/x/"), true),
            (0, Some("https://a/x/"), Some("https://a/y/"), false),
            (0, Some("https://a/x/"), None, false),
            (0, Some("https://a/{tenantid}/"), Some("https://a/y/"), true),
            // Other members of this name are other things.
            (1, Some("CN=x"), Some("https://b/"), true),
        ] {
            assert_eq!(policy.issuers[entry].admits(&key(issuer), iss), expected, "{issuer:?} {iss:?}");
        }
    }

    #[test]
    fn the_issuer_chooses_the_entry() {
        let all = ["", "https://a/{tenant}/", "https://b/", "https://a/x/"];
        for (entries, iss, expected) in [
            (&all[..], Some("https://b/"), Some(2)),
            (&all, Some("https://a/y/"), Some(1)),
            (&all, Some("https://a/x/"), Some(3)),
            (&all, Some("https://b"), Some(0)),
            (&all, Some(""), Some(0)),
            (&all, None, Some(0)),
            (&all[1..], Some("https://c/"), None),
            (&all[1..], Some("https://a//"), None),
            (&all[1..], Some("https://a/{tenant}/"), None),
            (&all[1..], Some("HTTPS://b/"), None),
            (&all[1..], None, None),
        ] {
            let found = policy(entries).issuer(iss).map(|(id, _)| id);
            assert_eq!(found, expected.map(IssuerId), "{iss:?}");
        }
    }
}
