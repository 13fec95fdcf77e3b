//! The compiled configuration: the rules of every room, data only.

use crate::core::answer::AnswerRules;
use crate::core::answer::forward::ForwardRules;
use crate::core::bypass::BypassRules;
use crate::core::claims::spiffe::TrustDomain;
use crate::core::claims::{ClaimRules, scope};
use crate::core::issuer_id::IssuerId;
use crate::core::jwk::Jwk;
use crate::core::jwk::lookup::KeySource;
use crate::core::proof::rules::ProofRules;
use crate::core::revocation::RevocationRules;
use crate::core::rules::{RuleTable, Ruling};
use crate::core::signature::alg::Alg;
use crate::core::token::claims_set::ClaimsSet;
use crate::core::token::source::{FoundToken, TokenSources};

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

/// `issuer` of the cluster that Traefik runs in.
pub const CLUSTER: &str = "kubernetes";

/// One party whose tokens are accepted. Its keys serve no other.
#[derive(Debug)]
pub struct TrustedIssuer {
    /// Accepted values of `iss`, byte for byte (RFC 8725 3.8). If this and the templates in `claims` are empty, the entry
    /// accepts any `iss`, or none, that no other entry names.
    pub names: Vec<String>,
    /// What says that a token is one of this entry.
    pub kind: IssuerKind,
    /// Where its keys come from.
    pub keys: Vec<KeySource>,
    /// Accepted algorithms (RFC 8725 3.1).
    pub algorithms: Vec<Alg>,
    /// Accepted values of `signer` in the header; empty asks for none. Its keys are not its own: AWS signs for all of its
    /// customers with them, and says for whom.
    pub signers: Vec<String>,
    /// What its tokens have to claim.
    pub claims: ClaimRules,
}

/// What says that a token is one of an entry.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum IssuerKind {
    /// Its `iss` is one of the names or fits a template; where there are none, no other entry is about it.
    #[default]
    Named,
    /// Its `iss` is the issuer that the keys are for, which is known when they are (`issuer: kubernetes`).
    Cluster,
}

impl TrustedIssuer {
    /// Whether this entry accepts tokens of whatever issuer no other entry is about.
    pub fn accepts_any(&self) -> bool {
        self.kind == IssuerKind::Named && self.is_asked_last()
    }

    /// Whether this is the entry for tokens of issuers that no other entry is about: there is one at most.
    pub const fn is_asked_last(&self) -> bool {
        self.names.is_empty() && self.claims.templates.is_empty() && self.claims.trust_domain.is_none()
    }

    /// Whether a key of this entry serves tokens of `iss`. Tenants share a key set, in which a provider may keep some
    /// keys for one of them: the key then names the issuer. All keys of a cluster do.
    #[must_use]
    pub fn admits(&self, key: &Jwk, iss: Option<&str>) -> bool {
        if self.kind == IssuerKind::Cluster {
            return iss.is_some() && key.issuer.as_deref() == iss;
        }
        let is_for = |issuer: &str| issuer.contains('{') || iss == Some(issuer);
        self.claims.templates.is_empty() || key.issuer.as_deref().is_none_or(is_for)
    }

    /// Whether `found` is signed for one of the signers.
    pub fn accepts_signer_of(&self, found: &FoundToken<'_>) -> bool {
        self.signers.is_empty() || found.signer().is_some_and(|signer| self.signers.contains(&signer))
    }

    /// The names that no other entry may have: issuers, and the trust domain.
    pub fn own_names(&self) -> impl Iterator<Item = &str> {
        let domain = self.claims.trust_domain.as_ref().map(TrustDomain::id);
        self.names.iter().map(String::as_str).chain(domain)
    }

    /// The issuers that it is about, as the configuration writes them.
    pub fn named(&self) -> Vec<String> {
        let cluster = (self.kind == IssuerKind::Cluster).then_some(CLUSTER);
        let mut named: Vec<String> = self.own_names().chain(cluster).map(str::to_owned).collect();
        named.extend(self.claims.templates.iter().map(ToString::to_string));
        named
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

    /// The entry for a token with these claims: that of the trust domain which its subject is in, whatever it says of its
    /// issuer, so that nobody else speaks for a workload; else the one for its `iss`.
    pub fn entry(&self, claims: &ClaimsSet, iss: Option<&str>) -> Option<(IssuerId, &TrustedIssuer)> {
        let has_subject = |issuer: &TrustedIssuer| {
            issuer.claims.trust_domain.as_ref().is_some_and(|domain| domain.has_subject(claims))
        };
        match self.issuers.iter().position(has_subject) {
            Some(at) => self.issuers.get(at).map(|issuer| (IssuerId(at), issuer)),
            None => self.issuer(iss),
        }
    }

    /// The entry for `iss`: the one that names it, else the one with a template for it, else the one without a name.
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
            .or_else(|| first(&TrustedIssuer::is_asked_last))
    }
}

#[cfg(test)]
mod tests {
    use super::{CLUSTER, IssuerKind, Policy, TrustedIssuer};
    use crate::core::claims::ClaimRules;
    use crate::core::claims::spiffe::TrustDomain;
    use crate::core::claims::tenant::IssuerTemplate;
    use crate::core::issuer_id::IssuerId;
    use crate::core::jwk::Jwk;
    use crate::core::signature::VerifyingKey;
    use crate::core::token::claims_set::{ClaimPath, claims};

    fn policy(entries: &[&str]) -> Policy {
        let issuer = |name: &&str| {
            let template = IssuerTemplate::new(name, vec![], ClaimPath::parse("tid"));
            TrustedIssuer {
                names: if template.is_some() || ["", CLUSTER].contains(name) {
                    vec![]
                } else {
                    vec![(*name).to_owned()]
                },
                kind: if *name == CLUSTER { IssuerKind::Cluster } else { IssuerKind::Named },
                keys: vec![],
                algorithms: vec![],
                signers: vec![],
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
        let policy = policy(&["https://a/{tenant}/", "https://b/", CLUSTER]);
        for (entry, issuer, iss, expected) in [
            (0, None, Some("https://a/x/"), true),
            (0, Some("https://a/x/"), Some("https://a/x/"), true),
            (0, Some("https://a/x/"), Some("https://a/y/"), false),
            (0, Some("https://a/x/"), None, false),
            (0, Some("https://a/{tenantid}/"), Some("https://a/y/"), true),
            // Other members of this name are other things.
            (1, Some("CN=x"), Some("https://b/"), true),
            (2, Some("https://c/"), Some("https://c/"), true),
            (2, Some("https://c/"), Some("https://c"), false),
            (2, Some("https://c/"), None, false),
            (2, None, Some("https://c/"), false),
            (2, None, None, false),
            (2, Some("https://{tenant}/"), Some("https://c/"), false),
        ] {
            assert_eq!(policy.issuers[entry].admits(&key(issuer), iss), expected, "{issuer:?} {iss:?}");
        }
    }

    #[test]
    fn the_trust_domain_chooses_before_the_issuer() {
        let mut policy = policy(&["https://b/", "", "", ""]);
        for (at, domain) in [(2, "spiffe://a"), (3, "spiffe://b")] {
            policy.issuers[at].claims.trust_domain = TrustDomain::parse(domain);
        }
        for (json, expected) in [
            (r#"{"sub":"spiffe://a/x"}"#, Some(2)),
            (r#"{"sub":"spiffe://b/x"}"#, Some(3)),
            // Whatever it says of its issuer, nobody else speaks for a workload.
            (r#"{"sub":"spiffe://a/x","iss":"https://b/"}"#, Some(2)),
            (r#"{"sub":"spiffe://a//x","iss":"https://b/"}"#, Some(2)),
            (r#"{"sub":"spiffe://c/x","iss":"https://b/"}"#, Some(0)),
            (r#"{"sub":"spiffe://c/x"}"#, Some(1)),
            (r#"{"sub":"x","iss":"spiffe://a"}"#, Some(1)),
            (r#"{"iss":"https://b/"}"#, Some(0)),
        ] {
            let claims = claims(json);
            let iss = claims.issuer().unwrap();
            assert_eq!(policy.entry(&claims, iss).map(|(id, _)| id.0), expected, "{json}");
        }
        policy.issuers.remove(1);
        // An entry of a trust domain takes nobody in who is in no trust domain.
        assert!(policy.entry(&claims(r#"{"sub":"spiffe://c/x"}"#), None).is_none());
        assert_eq!(policy.issuers[1].named(), ["spiffe://a"]);
        assert!(!policy.issuers[1].accepts_any());
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
            (&["https://b/", CLUSTER], Some("https://b/"), Some(0)),
            (&["https://b/", CLUSTER], Some("https://c/"), Some(1)),
            (&["https://b/", CLUSTER], None, Some(1)),
            (&[CLUSTER], Some(CLUSTER), Some(0)),
        ] {
            let found = policy(entries).issuer(iss).map(|(id, _)| id);
            assert_eq!(found, expected.map(IssuerId), "{iss:?}");
        }
    }
}
