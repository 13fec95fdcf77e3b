//! A token that is known from before is worth exactly a verification: whatever would refuse a new token refuses it.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::arithmetic_side_effects,
    reason = "helpers of tests fail by panicking"
)]

use std::rc::Rc;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use traefik_jwt_auth::core::answer::field_value::Filling;
use traefik_jwt_auth::core::answer::forward::ForwardRules;
use traefik_jwt_auth::core::answer::managed::{ManagedHeaders, Source, Tokens};
use traefik_jwt_auth::core::answer::{AnswerRules, Decision};
use traefik_jwt_auth::core::bypass::{BypassRules, Mode, Preflight};
use traefik_jwt_auth::core::claims::ClaimRules;
use traefik_jwt_auth::core::claims::expression::Expression;
use traefik_jwt_auth::core::claims::validity::{MaxAge, Since, TimeRules};
use traefik_jwt_auth::core::decide::decide;
use traefik_jwt_auth::core::jwk::lookup::{KeyFormat, KeySource};
use traefik_jwt_auth::core::known_token::{Finding, Memory as _};
use traefik_jwt_auth::core::policy::{IssuerKind, Policy, TrustedIssuer};
use traefik_jwt_auth::core::request::RecordedRequest;
use traefik_jwt_auth::core::rules::RuleTable;
use traefik_jwt_auth::core::signature::alg::Alg;
use traefik_jwt_auth::core::token::base64url::encode;
use traefik_jwt_auth::core::token::source::{TokenPlace, TokenSources};
use traefik_jwt_auth::core::unix_time::{Seconds, UnixTime};
use traefik_jwt_auth::documents::outside::Outside;
use traefik_jwt_auth::keys::keyring::Keyring;

const NOW: u64 = 1_700_000_000;

struct Bench {
    policy: Rc<Policy>,
    keyring: Keyring,
    outside: Outside,
}

fn bench() -> Bench {
    bench_with(ClaimRules { required: vec!["exp".into()], ..ClaimRules::default() })
}

fn bench_with(claims: ClaimRules) -> Bench {
    let mut managed = ManagedHeaders::default();
    managed.add("X-User-Sub", Source::Claim(Filling::parse("sub").unwrap()), Tokens::All).unwrap();
    let policy = Rc::new(Policy {
        bypass: BypassRules {
            mode: Mode::Required,
            preflight: Preflight::Check,
            methods: vec![],
            paths: vec![],
        },
        token: TokenSources {
            places: vec![TokenPlace::Header { name: "Authorization".into(), form: "Bearer".into() }],
            max_bytes: 16_384,
        },
        issuers: vec![TrustedIssuer {
            names: vec!["https://idp.example".into()],
            kind: IssuerKind::Named,
            keys: vec![KeySource::File { path: "/keys/jwks.json".into(), format: KeyFormat::JwkSet }],
            algorithms: vec![Alg::Hs256],
            signers: vec![],
            claims,
        }],
        rules: RuleTable::default(),
        origins: vec![],
        forward: ForwardRules { managed, ..ForwardRules::default() },
        answer: AnswerRules::default(),
        proofs: None,
        revocation: None,
        doubts: vec![],
    });
    let outside = Outside::new().at(UnixTime::from_seconds(NOW));
    *outside.file.borrow_mut() = Some((1, set(&[("k1", b'1'), ("k2", b'2')])));
    Bench { keyring: Keyring::new(Rc::clone(&policy)), policy, outside }
}

fn secret(fill: u8) -> [u8; 32] {
    std::array::from_fn(|at| fill ^ u8::try_from(at).unwrap())
}

fn set(keys: &[(&str, u8)]) -> String {
    let key = |(kid, fill): &(&str, u8)| {
        format!(r#"{{"kty":"oct","kid":"{kid}","k":"{}"}}"#, encode(&secret(*fill)))
    };
    format!(r#"{{"keys":[{}]}}"#, keys.iter().map(key).collect::<Vec<_>>().join(","))
}

fn token(kid: &str, fill: u8, sub: &str, exp: u64) -> String {
    token_of(kid, fill, &format!(r#""sub":"{sub}","exp":{exp}"#))
}

fn token_of(kid: &str, fill: u8, claims: &str) -> String {
    let header = format!(r#"{{"alg":"HS256","kid":"{kid}"}}"#);
    let payload = format!(r#"{{"iss":"https://idp.example",{claims}}}"#);
    let input = format!("{}.{}", encode(header.as_bytes()), encode(payload.as_bytes()));
    let mut mac = Hmac::<Sha256>::new_from_slice(&secret(fill)).unwrap();
    mac.update(input.as_bytes());
    format!("{input}.{}", encode(&mac.finalize().into_bytes()))
}

fn bearer(path: &str, token: &str) -> RecordedRequest {
    RecordedRequest::new("GET", path).header("Authorization", format!("Bearer {token}"))
}

impl Bench {
    /// What a request does; `allow SUB` or the code of the refusal.
    fn request(&self, token: &str) -> String {
        self.request_to("/", token)
    }

    fn request_to(&self, path: &str, token: &str) -> String {
        let request = bearer(path, token);
        self.keyring.catch_up(self.outside.now(), &self.outside.io());
        let mut decision = self.decide(&request);
        if let Decision::NeedKeys(need) = &decision {
            self.keyring.refresh(need, self.outside.now(), &self.outside.io());
            decision = self.decide(&request);
        }
        match decision {
            Decision::Forward(forward) => {
                let header = forward.identity.headers().first().expect("identity");
                format!("allow {}", String::from_utf8_lossy(header.value()))
            }
            Decision::Reject(reject) => reject.refusal.code().to_owned(),
            Decision::Accept(_) | Decision::Serve(_) | Decision::NeedKeys(_) => panic!("{decision:?}"),
        }
    }

    fn decide(&self, request: &RecordedRequest) -> Decision {
        let now = self.outside.now();
        let decided = decide(&self.policy, &self.keyring.at(now), now, request);
        self.keyring.remember(decided.learned);
        decided.decision
    }

    fn recalls(&self, token: &str) -> Option<&'static str> {
        self.keyring.at(self.outside.now()).recall(token.as_bytes()).map(|recalled| match recalled.finding {
            Finding::Verified(_) => "verified",
            Finding::Invalid { .. } => "invalid",
        })
    }

    fn wait(&self, seconds: u64) {
        self.outside.wait(seconds);
    }

    fn write(&self, keys: &[(&str, u8)]) {
        let modified = self.outside.file.borrow().as_ref().map_or(0, |(modified, _)| *modified);
        *self.outside.file.borrow_mut() = Some((modified + 1, set(keys)));
        self.wait(1);
    }
}

#[test]
fn a_known_token_is_recalled_and_answered_the_same() {
    let bench = bench();
    let token = token("k1", b'1', "alice", NOW + 60);
    assert_eq!(bench.recalls(&token), None);
    assert_eq!(bench.request(&token), "allow alice");
    assert_eq!(bench.recalls(&token), Some("verified"));
    assert_eq!(bench.request(&token), "allow alice");
}

#[test]
fn the_clock_is_checked_again() {
    let bench = bench();
    let token = token("k1", b'1', "alice", NOW + 2);
    assert_eq!(bench.request(&token), "allow alice");
    bench.wait(2);
    assert_eq!(bench.request(&token), "token_expired");
}

#[test]
fn a_key_that_left_the_set_takes_its_tokens_along() {
    let bench = bench();
    let token = token("k1", b'1', "alice", NOW + 60);
    assert_eq!(bench.request(&token), "allow alice");
    bench.write(&[("k2", b'2')]);
    assert_eq!(bench.request(&token), "key_not_found");
    assert_eq!(bench.recalls(&token), None);
}

#[test]
fn a_key_replaced_under_the_same_kid_takes_its_tokens_along() {
    let bench = bench();
    let token = token("k1", b'1', "alice", NOW + 60);
    assert_eq!(bench.request(&token), "allow alice");
    bench.write(&[("k1", b'9')]);
    assert_eq!(bench.request(&token), "signature_invalid");
}

/// Keys that change between a decision and what it is remembered by.
#[test]
fn what_was_learned_with_keys_that_are_gone_is_not_recalled() {
    let bench = bench();
    let (good, forged) = (token("k1", b'1', "alice", NOW + 60), token("k1", b'9', "alice", NOW + 60));
    bench.request(&good);
    let learned: Vec<_> = [token("k1", b'1', "bob", NOW + 60), forged]
        .iter()
        .flat_map(|token| {
            let request = bearer("/", token);
            let now = bench.outside.now();
            decide(&bench.policy, &bench.keyring.at(now), now, &request).learned
        })
        .collect();
    assert_eq!(learned.len(), 2);
    bench.write(&[("k1", b'9')]);
    bench.keyring.catch_up(bench.outside.now(), &bench.outside.io());
    let tokens: Vec<String> =
        learned.iter().map(|learned| String::from_utf8(learned.token.to_vec()).unwrap()).collect();
    bench.keyring.remember(learned);
    for token in tokens {
        assert_eq!(bench.recalls(&token), None);
    }
}

/// What the keyring is told of a decision: whose keys it asked about, and new tokens once.
#[test]
fn a_decision_says_whose_keys_it_asked_about_and_what_it_learned() {
    let bench = bench();
    let good = token("k1", b'1', "alice", NOW + 60);
    let request = bearer("/", &good);
    bench.request(&token("k1", b'1', "bob", NOW + 60));
    for (request, asked, learned) in [
        (&RecordedRequest::new("GET", "/"), false, 0),
        (&bearer("/", "a.b.c"), false, 0),
        (&bearer("/", &token("k1", b'1', "alice", NOW - 60)), false, 0),
        (&request, true, 1),
        (&request, true, 0),
        (&bearer("/", &token("k9", b'1', "alice", NOW + 60)), true, 0),
    ] {
        let now = bench.outside.now();
        let decided = decide(&bench.policy, &bench.keyring.at(now), now, request);
        assert_eq!((decided.asked.is_some(), decided.learned.len()), (asked, learned), "{request:?}");
        bench.keyring.remember(decided.learned);
    }
}

#[test]
fn the_same_signature_under_another_payload_is_another_token() {
    let bench = bench();
    let alice = token("k1", b'1', "alice", NOW + 60);
    assert_eq!(bench.request(&alice), "allow alice");
    let admin = token("k1", b'1', "admin", NOW + 60);
    let signature = alice.rsplit('.').next().unwrap();
    let forged = format!("{}.{signature}", admin.rsplit_once('.').unwrap().0);
    assert_eq!(bench.request(&forged), "signature_invalid");
    assert_eq!(bench.request(&alice), "allow alice");
}

#[test]
fn a_bad_signature_is_remembered_until_the_keys_change() {
    let bench = bench();
    let token = token("k1", b'9', "alice", NOW + 60);
    assert_eq!(bench.request(&token), "signature_invalid");
    assert_eq!(bench.recalls(&token), Some("invalid"));
    assert_eq!(bench.request(&token), "signature_invalid");
    bench.write(&[("k1", b'9')]);
    assert_eq!(bench.request(&token), "allow alice");
}

#[test]
fn a_bound_token_is_refused_however_often_it_comes() {
    let bench = bench();
    let token = token_of("k1", b'1', &format!(r#""sub":"alice","exp":{},"cnf":{{"jkt":"a"}}"#, NOW + 60));
    for recalled in [None, Some("verified"), Some("verified")] {
        assert_eq!(bench.recalls(&token), recalled);
        assert_eq!(bench.request(&token), "proof_missing");
    }
}

/// The claims and the clock of a token that is remembered, against those of the same token where nothing is.
#[test]
fn a_known_token_is_answered_as_a_new_one_at_every_instant() {
    let ages = [None, Some(Since::Issued), Some(Since::SignedIn)];
    let expressions = [
        None,
        Some("Equals(`sub`, `alice`)"),
        Some("Equals(`sub`, `{path.0}`)"),
        Some("Before(`exp`, `now+15`)"),
        // Holds, and no longer does while the token is good.
        Some("After(`exp`, `now+10`)"),
        Some("!Before(`exp`, `now+10`)"),
        Some("OneOf(`sub`, `bob`, `{path.0}`)"),
    ];
    for (age, expression, skew, lifetime) in combinations(&ages, &expressions) {
        let rules = ClaimRules {
            time: TimeRules {
                clock_skew: Seconds(skew),
                ahead: Seconds(skew),
                max_lifetime: lifetime.then_some(Seconds(25)),
                max_age: age.map(|since| MaxAge { span: Seconds(12), since }),
            },
            expression: expression.map(|source| Expression::parse(source).unwrap()),
            ..ClaimRules::default()
        };
        let known = bench_with(rules.clone());
        let claims = format!(
            r#""sub":"alice","iat":{},"nbf":{},"auth_time":{},"exp":{}"#,
            NOW + 3,
            NOW + 5,
            NOW + 1,
            NOW + 20
        );
        let token = token_of("k1", b'1', &claims);
        // There and back again: a clock that is set back must not bring anything with it.
        let there = (0..30_u64).flat_map(|second| [second * 1000, second * 1000 + 1, second * 1000 + 999]);
        for millis in there.clone().chain(there.rev()) {
            let now = UnixTime::from_millis(NOW * 1000 + millis);
            for path in ["/alice", "/bob", "/"] {
                let new = bench_with(rules.clone());
                new.outside.set(now);
                known.outside.set(now);
                assert_eq!(
                    known.request_to(path, &token),
                    new.request_to(path, &token),
                    "{rules:?} {millis} {path}"
                );
            }
        }
    }
}

fn combinations<'t>(
    ages: &'t [Option<Since>],
    expressions: &'t [Option<&'static str>],
) -> impl Iterator<Item = (Option<Since>, Option<&'static str>, u64, bool)> + 't {
    ages.iter().flat_map(move |age| {
        expressions.iter().flat_map(move |expression| {
            [0, 2]
                .into_iter()
                .flat_map(move |skew| [false, true].map(move |lifetime| (*age, *expression, skew, lifetime)))
        })
    })
}

#[test]
fn an_unchanged_file_keeps_its_tokens() {
    let bench = bench();
    let token = token("k1", b'1', "alice", NOW + 60);
    assert_eq!(bench.request(&token), "allow alice");
    bench.wait(1);
    assert_eq!(bench.request(&token), "allow alice");
    assert_eq!(bench.recalls(&token), Some("verified"));
}

#[test]
fn forged_tokens_of_every_size_leave_a_known_one_known() {
    let bench = bench();
    let good = token("k1", b'1', "alice", NOW + 60);
    assert_eq!(bench.request(&good), "allow alice");
    for size in (0..12_000).step_by(97).chain([12_000, 12_000, 12_000]) {
        let claims = format!(r#""sub":"alice","exp":{},"pad":"{}""#, NOW + 60, "x".repeat(size));
        assert_eq!(bench.request(&token_of("k1", b'9', &claims)), "signature_invalid", "{size}");
        assert_eq!(bench.recalls(&good), Some("verified"), "{size}");
    }
}
