//! Step 9: the checks of a token as tables. A check is one row, and its type says how long its result lasts:
//!
//! | | looks at | is run |
//! |---|---|---|
//! | [`time`] | claims, rules, clock | before the signature, and for a known token when its result has ended |
//! | [`TOKEN_CHECKS`] | header, claims, rules | once for each verified token: what they say lasts as long as the token is known |
//! | [`REQUEST_CHECKS`] | all of that, clock, request, bytes of the token | for each request, also with a known token |

use crate::core::claims::validity::{self, Timely};
use crate::core::claims::{
    AcceptedToken, ClaimRules, binding, client, registered, scope, spiffe, step_up, tenant,
};
use crate::core::presented::{Presented, Sent};
use crate::core::proof::possession;
use crate::core::refusal::Refusal;
use crate::core::revocation::revoked;
use crate::core::signature::VerifiedToken;
use crate::core::steps::{Step, Steps};
use crate::core::token::claims_set::ClaimsSet;
use crate::core::token::header::Header;

/// A row of a table.
pub struct Check<F> {
    /// Its name, for `explain` and for tests.
    pub name: &'static str,
    check: F,
}

/// A check that sees neither the request nor the clock.
pub type TokenCheck = fn(&Header, &ClaimsSet, &ClaimRules) -> Result<(), Refusal>;

/// A check that may look at everything.
pub type RequestCheck = fn(&Presented<'_>) -> Result<(), Refusal>;

/// The name of the check of [`time`].
pub const TIME: &str = "time";

/// First whether the token is good (401), then whether it allows anything here (403).
pub static TOKEN_CHECKS: [Check<TokenCheck>; 10] = [
    Check {
        name: "type",
        check: |header, claims, rules| {
            registered::check_type(header.typ.as_deref(), claims, &rules.token_type)
        },
    },
    Check { name: "registered", check: |_, claims, _| registered::check_types(claims) },
    Check { name: "tenant", check: |_, claims, rules| tenant::check(claims, &rules.templates) },
    Check {
        name: "workload",
        check: |header, claims, rules| {
            spiffe::check(header.typ.as_deref(), claims, rules.trust_domain.as_ref())
        },
    },
    Check { name: "required", check: |_, claims, rules| registered::check_required(claims, &rules.required) },
    Check { name: "audience", check: |_, claims, rules| registered::check_audience(claims, &rules.audience) },
    Check { name: "client", check: |_, claims, rules| client::check(claims, &rules.clients) },
    Check { name: "binding", check: |_, claims, rules| binding::check(claims, &rules.binding) },
    Check { name: "scopes", check: |_, claims, rules| scope::check(claims, rules.scopes.as_ref(), None) },
    Check {
        name: "expression",
        check: |_, claims, rules| {
            let settled = rules.expression.as_ref().and_then(|expression| expression.of_claims());
            settled.map_or(Ok(()), |expression| expression.check(claims))
        },
    },
];

/// Whether the token allows this request, now: first what the issuer's rules ask for, then the rule that the request is
/// under, then whether its user has to sign in again, and last the proof, which a check may use up. A row first looks whether
/// anything asks for its check: most policies use few of them, and all rows are walked for each request.
pub static REQUEST_CHECKS: [Check<RequestCheck>; 8] = [
    Check {
        name: "revocation",
        check: |presented| match &presented.sent.policy.revocation {
            // A sample of `tests` was never issued.
            Some(rules) if presented.sent.token.is_some() => revoked::check(rules, presented),
            Some(_) | None => Ok(()),
        },
    },
    Check {
        name: "live expression",
        check: |presented| {
            let rules = &presented.sent.issuer.claims;
            let open = rules.expression.as_ref().and_then(|expression| expression.of_request());
            open.map_or(Ok(()), |expression| {
                expression.check(presented.claims, presented.sent.request, presented.sent.now)
            })
        },
    },
    Check { name: "rule", check: |presented| presented.sent.ruling.check() },
    Check {
        name: "rule audience",
        check: |presented| match presented.sent.ruling.demands() {
            Some(demands) => registered::check_audience_here(presented.claims, &demands.audience),
            None => Ok(()),
        },
    },
    Check {
        name: "rule scopes",
        check: |presented| match presented.sent.ruling.demands().and_then(|demands| demands.scopes.as_ref()) {
            Some(scopes) => {
                scope::check(presented.claims, presented.sent.issuer.claims.scopes.as_ref(), Some(scopes))
            }
            None => Ok(()),
        },
    },
    Check {
        name: "rule expression",
        check: |presented| {
            let demands = presented.sent.ruling.demands();
            demands.and_then(|demands| demands.expression.as_ref()).map_or(Ok(()), |expression| {
                expression.check(presented.claims, presented.sent.request, presented.sent.now)
            })
        },
    },
    Check {
        name: "step-up",
        check: |presented| {
            let rules = &presented.sent.issuer.claims;
            let of_rule = presented.sent.ruling.demands().and_then(|demands| demands.step_up.as_ref());
            match (rules.step_up.as_ref(), of_rule) {
                (None, None) => Ok(()),
                (issuer, rule) => {
                    step_up::check(presented.claims, issuer, rule, &rules.time, presented.sent.now)
                }
            }
        },
    },
    // The last one, since it may use up a proof.
    Check {
        name: "possession",
        check: |presented| match (&presented.sent.policy.proofs, presented.sent.token) {
            (Some(rules), Some(token)) => possession::check(rules, token, presented),
            // A sample of `tests` has no proof.
            (Some(_), None) | (None, _) => Ok(()),
        },
    },
];

/// Checks the time of the token. Worth it before the signature, since an expired token then costs no arithmetic; a pass
/// says nothing of a token that nobody verified.
///
/// # Errors
/// As [`validity::check`].
pub fn time<S: Steps>(presented: &Presented<'_>, steps: &mut S) -> Result<Timely, Refusal> {
    steps.step(Step::Check(TIME, presented));
    validity::check(presented.claims, &presented.sent.issuer.claims.time, presented.sent.now)
}

/// Runs [`TOKEN_CHECKS`].
///
/// # Errors
/// The refusal of the first that does not hold.
pub fn token<S: Steps>(presented: &Presented<'_>, steps: &mut S) -> Result<(), Refusal> {
    for row in &TOKEN_CHECKS {
        steps.step(Step::Check(row.name, presented));
        (row.check)(presented.header, presented.claims, &presented.sent.issuer.claims)?;
    }
    Ok(())
}

/// Runs [`REQUEST_CHECKS`].
///
/// # Errors
/// The refusal of the first that does not hold.
pub fn request<S: Steps>(presented: &Presented<'_>, steps: &mut S) -> Result<(), Refusal> {
    for row in &REQUEST_CHECKS {
        steps.step(Step::Check(row.name, presented));
        (row.check)(presented)?;
    }
    Ok(())
}

/// Runs [`TOKEN_CHECKS`] on a token that a key has verified.
///
/// # Errors
/// As [`self::token`].
pub fn accept<'t, S: Steps>(
    verified: &'t VerifiedToken,
    sent: &Sent<'_>,
    steps: &mut S,
) -> Result<AcceptedToken<'t>, Refusal> {
    token(&sent.with(verified), steps)?;
    Ok(AcceptedToken::new(verified))
}
#[cfg(test)]
mod tests {
    use super::{ClaimRules, request, time, token};
    use crate::core::claims::expression::Expression;
    use crate::core::claims::registered::TokenType;
    use crate::core::claims::scope::ScopeRules;
    use crate::core::claims::step_up::StepUp;
    use crate::core::claims::tenant::IssuerTemplate;
    use crate::core::claims::validity::{MaxAge, Since, TimeRules};
    use crate::core::issuer_id::IssuerId;
    use crate::core::lookups::Unknown;
    use crate::core::policy::{IssuerKind, Policy, TrustedIssuer};
    use crate::core::presented::Sent;
    use crate::core::refusal::Refusal;
    use crate::core::request::RecordedRequest;
    use crate::core::rules::Ruling;
    use crate::core::token::claims_set::{ClaimPath, ClaimsSet, claims};
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
                set: |rules| rules.clients = vec!["web".into()],
                meets: r#""azp":"web""#,
                fails: r#""azp":"other""#,
                code: "client_not_accepted",
            },
            Row {
                set: |rules| {
                    let required = vec!["r".into()];
                    rules.scopes = Some(ScopeRules { required, ..ScopeRules::default() });
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
            Row {
                set: |rules| {
                    rules.step_up = Some(StepUp { acr: vec!["phr".into()], max_age: None });
                },
                meets: r#""acr":"phr""#,
                fails: r#""acr":"pwd""#,
                code: "step_up_required",
            },
        ]
    }

    fn lifetime_of_a_minute() -> TimeRules {
        TimeRules { max_lifetime: Some(Seconds(60)), ..TimeRules::default() }
    }

    fn code(members: &[&str], rules: &ClaimRules) -> &'static str {
        let set = claims(&format!("{{{}}}", members.join(",")));
        let typ = set.claim("typ").and_then(|typ| typ.as_str()).map(str::to_owned);
        let header = Header { alg: String::new(), kid: None, typ };
        check(&header, &set, rules, "/admin").err().map_or("ok", |refusal| refusal.code())
    }

    /// Every check, in the order of a walk.
    fn check(header: &Header, set: &ClaimsSet, rules: &ClaimRules, path: &str) -> Result<(), Refusal> {
        let policy = Policy::of(vec![TrustedIssuer {
            names: vec![],
            kind: IssuerKind::Named,
            keys: vec![],
            algorithms: vec![],
            signers: vec![],
            claims: rules.clone(),
        }]);
        let sent = Sent {
            policy: &policy,
            issuer_id: IssuerId(0),
            issuer: &policy.issuers[0],
            token: None,
            ruling: Ruling::Free,
            places: &[],
            lookups: &Unknown,
            request: &RecordedRequest::new("GET", path),
            now: NOW,
        };
        let presented = sent.saying(header, set);
        time(&presented, &mut ())?;
        token(&presented, &mut ())?;
        request(&presented, &mut ())
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
        #![proptest_config(ProptestConfig::with_cases(2_000))]
        #[test]
        fn random_claims_never_panic(members in prop::collection::btree_map(
            prop::sample::select(vec![
                "exp", "nbf", "iat", "auth_time", "iss", "sub", "aud", "jti", "scope", "scp", "typ", "tenant", "grp",
                "cnf", "azp", "acr",
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
            let typ = set.claim("typ").and_then(|typ| typ.as_str()).map(str::to_owned);
            let _ = check(&Header { alg: String::new(), kid: None, typ }, &set, &all, &path);
        }
    }
}
