//! Step 9: the claims of a verified token against the rules.

pub mod registered;
pub mod binding;
pub mod validity;
pub mod tenant;
pub mod scope;
pub mod expression;

use crate::core::claims::binding::BindingRules;
use crate::core::claims::expression::Expression;
use crate::core::claims::registered::TokenType;
use crate::core::claims::scope::ScopeRules;
use crate::core::claims::tenant::IssuerTemplate;
use crate::core::claims::validity::TimeRules;
use crate::core::refusal::Refusal;
use crate::core::request::RequestView;
use crate::core::signature::VerifiedToken;
use crate::core::token::claims_set::ClaimsSet;
use crate::core::unix_time::UnixTime;

/// What a token's claims have to hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClaimRules {
    /// Accepted audiences, any of; empty asks for none (`audience`).
    pub audience: Vec<String>,
    /// Claims that have to be present (`requiredClaims`).
    pub required: Vec<String>,
    /// What the token has to be (`tokenType`).
    pub token_type: TokenType,
    /// When the token has to be valid, and for how long.
    pub time: TimeRules,
    /// Scopes that the token has to hold (`scopes`).
    pub scopes: Option<ScopeRules>,
    /// Names of issuers with many tenants, whose tokens say twice which tenant they are of.
    pub templates: Vec<IssuerTemplate>,
    /// What tokens have to be bound to, and what becomes of other bindings (`proofs`, `boundTokens`).
    pub binding: BindingRules,
    /// What else has to hold (`claims`).
    pub expression: Option<Expression>,
}

/// A token whose signature and claims hold. Identity headers are made from nothing else.
#[derive(Clone, Copy, Debug)]
pub struct AcceptedToken<'t> {
    claims: &'t ClaimsSet,
}

impl<'t> AcceptedToken<'t> {
    /// The claims.
    #[must_use]
    pub const fn claims(self) -> &'t ClaimsSet {
        self.claims
    }
}

/// Checks every rule: first whether the token is good (401), then whether it allows this request (403).
///
/// # Errors
/// The refusal of the first rule that does not hold.
pub fn check<'t>(
    token: &'t VerifiedToken,
    rules: &ClaimRules,
    now: UnixTime,
    request: &dyn RequestView,
) -> Result<AcceptedToken<'t>, Refusal> {
    let claims = token.claims();
    check_rules(token.header().typ.as_deref(), claims, rules, now, request)?;
    Ok(AcceptedToken { claims })
}

/// The rules without the proof that they are about: a pass says nothing of a token that nobody verified.
///
/// # Errors
/// As [`check`].
pub fn check_rules(
    typ: Option<&str>,
    claims: &ClaimsSet,
    rules: &ClaimRules,
    now: UnixTime,
    request: &dyn RequestView,
) -> Result<(), Refusal> {
    check_unverified(claims, rules, now)?;
    registered::check_type(typ, claims, &rules.token_type)?;
    registered::check_types(claims)?;
    tenant::check(claims, &rules.templates)?;
    registered::check_required(claims, &rules.required)?;
    registered::check_audience(claims, &rules.audience)?;
    binding::check(claims, &rules.binding)?;
    if let Some(scopes) = &rules.scopes {
        scope::check(claims, scopes)?;
    }
    if let Some(expression) = &rules.expression {
        expression.check(claims, request, now)?;
    }
    Ok(())
}

/// The rules that are worth a look before the signature: an expired token costs no arithmetic. A pass means
/// nothing; [`check`] looks again.
///
/// # Errors
/// As [`validity::check`].
pub fn check_unverified(claims: &ClaimsSet, rules: &ClaimRules, now: UnixTime) -> Result<(), Refusal> {
    validity::check(claims, &rules.time, now)
}

#[cfg(test)]
mod tests {
    use super::expression::Expression;
    use super::registered::TokenType;
    use super::scope::{Match, ScopeRules};
    use super::tenant::IssuerTemplate;
    use super::validity::{MaxAge, Since, TimeRules};
    use super::{ClaimRules, check, check_rules};
    use crate::core::request::RecordedRequest;
    use crate::core::signature::VerifiedToken;
    use crate::core::token::claims_set::{ClaimPath, claims};
    use crate::core::token::header::Header;
    use crate::core::unix_time::{Seconds, UnixTime};
    use proptest::prelude::*;

    /// A rule, a member of the payload that meets it, and one that does not, with the code of its refusal. `typ` is
    /// a member of the header.
    struct Row {
        set: fn(&mut ClaimRules),
        meets: &'static str,
        fails: &'static str,
        code: &'static str,
    }

    const NOW: UnixTime = UnixTime::from_seconds(1000);

    /// How many of the rows, from the first, are rules of every configuration.
    const ALWAYS: usize = 4;

    /// Each rule has members of its own, so that tokens can be put together at will.
    fn rows() -> Vec<Row> {
        fn nothing(_: &mut ClaimRules) {}
        vec![
            Row { set: nothing, meets: r#""exp":1001"#, fails: r#""exp":1000"#, code: "token_expired" },
            Row { set: nothing, meets: r#""nbf":1000"#, fails: r#""nbf":1001"#, code: "token_not_yet_valid" },
            Row { set: nothing, meets: r#""sub":"s""#, fails: r#""sub":[1]"#, code: "claim_invalid" },
            Row {
                set: nothing,
                meets: r#""cnf":null"#,
                fails: r#""cnf":{"jkt":"a"}"#,
                code: "proof_missing",
            },
            Row {
                set: |rules| rules.time.max_age = Some(MaxAge { span: Seconds(60), since: Since::SignedIn }),
                meets: r#""auth_time":940"#,
                fails: r#""auth_time":939"#,
                code: "token_too_old",
            },
            Row {
                set: |rules| rules.token_type = TokenType::Typ("at+jwt".into()),
                meets: r#""typ":"at+jwt""#,
                fails: r#""typ":"JWT""#,
                code: "token_type_not_accepted",
            },
            Row {
                set: |rules| {
                    let template = IssuerTemplate::new("https://a/{tenant}", vec![], ClaimPath::parse("tid"));
                    rules.templates = template.into_iter().collect();
                },
                meets: r#""iss":"https://a/b","tid":"b""#,
                fails: r#""iss":"https://a/b","tid":"c""#,
                code: "issuer_not_trusted",
            },
            Row {
                set: |rules| rules.required = vec!["tenant".into()],
                meets: r#""tenant":"a""#,
                fails: r#""tenant":null"#,
                code: "claim_missing",
            },
            Row {
                set: |rules| rules.audience = vec!["a".into()],
                meets: r#""aud":"a""#,
                fails: r#""aud":"b""#,
                code: "audience_not_accepted",
            },
            Row {
                set: |rules| {
                    let required = vec!["r".into()];
                    rules.scopes = Some(ScopeRules { required, matching: Match::All, claim: None });
                },
                meets: r#""scope":"r w""#,
                fails: r#""scope":"rw""#,
                code: "scope_insufficient",
            },
            Row {
                set: |rules| rules.expression = Some(Expression::parse("Equals(`grp`, `{path.0}`)").unwrap()),
                meets: r#""grp":"admin""#,
                fails: r#""grp":"dev""#,
                code: "claims_rejected",
            },
        ]
    }

    fn lifetime_of_a_minute() -> TimeRules {
        TimeRules { max_lifetime: Some(Seconds(60)), ..TimeRules::default() }
    }

    fn code(members: &[&str], rules: &ClaimRules) -> &'static str {
        let set = claims(&format!("{{{}}}", members.join(",")));
        let typ = set.claim("typ").and_then(|typ| typ.as_str()).map(str::to_owned);
        let token = VerifiedToken::unchecked(Header { alg: String::new(), kid: None, typ }, set);
        let request = RecordedRequest::new("GET", "/admin");
        check(&token, rules, NOW, &request).err().map_or("ok", |refusal| refusal.code())
    }

    #[test]
    fn every_rule_refuses_alone_and_holds_alone() {
        let rows = rows();
        let mut all = ClaimRules::default();
        rows.iter().for_each(|row| (row.set)(&mut all));
        let everything: Vec<_> = rows.iter().map(|row| row.meets).collect();
        assert_eq!(code(&everything, &all), "ok");
        for (at, row) in rows.iter().enumerate() {
            let all_but_this: Vec<_> =
                rows.iter().enumerate().map(|(n, row)| if n == at { row.fails } else { row.meets }).collect();
            assert_eq!(code(&all_but_this, &all), row.code, "{}", row.code);

            // Without options of their own, the first rules always apply: their members have to be good.
            let mut only = ClaimRules::default();
            (row.set)(&mut only);
            let only_this: Vec<_> = rows
                .iter()
                .enumerate()
                .map(|(n, row)| if n == at || n < ALWAYS { row.meets } else { row.fails })
                .collect();
            assert_eq!(code(&only_this, &only), "ok", "{}", row.code);
        }
    }

    #[test]
    fn lifetime_alone() {
        let rules = ClaimRules { time: lifetime_of_a_minute(), ..ClaimRules::default() };
        let others = r#""aud":"b","scope":"rw","typ":"JWT","grp":"dev","tenant":null"#;
        assert_eq!(code(&[others, r#""iat":990,"exp":1050"#], &rules), "ok");
        assert_eq!(code(&[r#""iat":990,"exp":1051"#], &rules), "token_lifetime_too_long");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(20_000))]
        #[test]
        fn random_claims_never_panic(members in prop::collection::btree_map(
            prop::sample::select(vec![
                "exp", "nbf", "iat", "auth_time", "iss", "sub", "aud", "jti", "scope", "scp", "typ", "tenant", "grp",
                "cnf",
            ]),
            prop_oneof![
                any::<i64>().prop_map(serde_json::Value::from),
                any::<f64>().prop_map(serde_json::Value::from),
                any::<String>().prop_map(serde_json::Value::from),
                prop::collection::vec(any::<String>(), 0..3).prop_map(serde_json::Value::from),
                any::<Option<bool>>().prop_map(serde_json::Value::from),
            ],
            0..8,
        ), path in "\\PC{0,20}") {
            let mut all = ClaimRules { time: lifetime_of_a_minute(), ..ClaimRules::default() };
            rows().iter().for_each(|row| (row.set)(&mut all));
            let set = claims(&serde_json::json!(members).to_string());
            let typ = set.claim("typ").and_then(|typ| typ.as_str());
            let _ = check_rules(typ, &set, &all, NOW, &RecordedRequest::new("GET", &path));
        }
    }
}
