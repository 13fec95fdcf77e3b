//! The whole verdict of `decide` against jwt-simple's, on tokens minted by jwt-simple, mutated, or made of hostile
//! parts. Both must agree, or the difference stands in `differences.rs` with its reason. ES512 is not here:
//! jwt-simple does not have it; `vectors.rs` has.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::disallowed_types,
    clippy::print_stdout,
    reason = "helpers of tests fail by panicking; the interface of jwt-simple has HashSets"
)]

mod differences;
mod keys;
mod tokens;

use std::collections::{BTreeSet, HashSet};

use differences::{DIFFERENCES, Difference, Parts};
use jwt_simple::prelude::*;
use keys::{Key, keys};
use serde_json::json;
use testbed::random::Random;
use tokens::{claims, hostile, mutate};
use traefik_jwt_auth::core::answer::forward::ForwardRules;
use traefik_jwt_auth::core::answer::{AnswerRules, Decision};
use traefik_jwt_auth::core::bypass::{BypassRules, Mode, Preflight};
use traefik_jwt_auth::core::claims::ClaimRules;
use traefik_jwt_auth::core::decide::decide;
use traefik_jwt_auth::core::issuer_id::IssuerId;
use traefik_jwt_auth::core::jwk::lookup::{Candidates, KeyLookup, KeySetView, MoreKeys};
use traefik_jwt_auth::core::jwk::{JwkSet, Origin};
use traefik_jwt_auth::core::known_token::{Memory, Recalled};
use traefik_jwt_auth::core::policy::{IssuerKind, Policy, TrustedIssuer};
use traefik_jwt_auth::core::request::RecordedRequest;
use traefik_jwt_auth::core::rules::RuleTable;
use traefik_jwt_auth::core::signature::alg::Alg;
use traefik_jwt_auth::core::token::base64url::encode;
use traefik_jwt_auth::core::token::source::{TokenPlace, TokenSources};
use traefik_jwt_auth::core::unix_time;

const NOW: u64 = 1_700_000_000;
const NOW_SECONDS: f64 = 1_700_000_000.0;
const ISSUER: &str = "https://idp.example";
const AUDIENCE: &str = "api";

/// The keys as a set; each names its algorithm, as the keys of jwt-simple have one each. Ed25519 does not: there
/// jwt-simple takes both names.
fn key_set(keys: &[Key]) -> JwkSet {
    let with_names = |key: &Key| {
        let mut jwk = key.jwk.clone();
        jwk["kid"] = key.kid.into();
        if key.alg != "EdDSA" {
            jwk["alg"] = key.alg.into();
        }
        jwk
    };
    let json = json!({"keys": keys.iter().map(with_names).collect::<Vec<_>>()});
    let set = JwkSet::parse(json.to_string().into_bytes(), Origin::Configured).unwrap();
    assert_eq!((set.keys().len(), &set.skipped[..]), (keys.len(), &[][..]));
    set
}

struct Lookup(JwkSet);

impl KeyLookup for Lookup {
    fn key_sets(&self) -> Vec<KeySetView> {
        Vec::new()
    }

    fn candidates(&self, _: IssuerId, kid: Option<&str>, alg: Alg) -> Candidates {
        Candidates { keys: self.0.select(kid, alg).cloned().collect(), more: MoreKeys::None, state: None }
    }
}

impl Memory for Lookup {
    fn recall(&self, _: &[u8]) -> Option<Recalled> {
        None
    }
}

struct Bench {
    keys: Vec<Key>,
    lookup: Lookup,
    policy: Policy,
    allowed: usize,
    refused: usize,
    /// The algorithms of the tokens that both allow.
    algorithms: BTreeSet<String>,
    /// How often each of [`DIFFERENCES`] was seen.
    seen: Vec<usize>,
    unexplained: Vec<String>,
}

impl Bench {
    fn new() -> Self {
        let keys = keys();
        let policy = Policy {
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
                names: vec![ISSUER.into()],
                kind: IssuerKind::Named,
                keys: vec![],
                algorithms: Alg::ALL.to_vec(),
                signers: vec![],
                claims: ClaimRules { audience: vec![AUDIENCE.into()], ..ClaimRules::default() },
            }],
            rules: RuleTable::default(),
            origins: vec![],
            forward: ForwardRules::default(),
            answer: AnswerRules::default(),
            proofs: None,
            revocation: None,
            doubts: vec![],
        };
        let lookup = Lookup(key_set(&keys));
        let seen = vec![0; DIFFERENCES.len()];
        Self {
            keys,
            lookup,
            policy,
            allowed: 0,
            refused: 0,
            algorithms: BTreeSet::new(),
            seen,
            unexplained: vec![],
        }
    }

    fn ours(&self, token: &str) -> &'static str {
        let request = RecordedRequest::new("GET", "/").header("Authorization", format!("Bearer {token}"));
        match decide(&self.policy, &self.lookup, unix_time::UnixTime::from_seconds(NOW), &request).decision {
            Decision::Forward(_) => "allow",
            Decision::Reject(reject) => reject.refusal.code(),
            Decision::Accept(_) | Decision::Serve(_) | Decision::NeedKeys(_) => panic!("{token}"),
        }
    }

    /// Whether a key that the token's `kid` admits accepts it.
    fn theirs(&self, token: &str) -> bool {
        let options = VerificationOptions {
            allowed_issuers: Some(HashSet::from([ISSUER.to_owned()])),
            allowed_audiences: Some(HashSet::from([AUDIENCE.to_owned()])),
            time_tolerance: Some(Duration::from_secs(0)),
            artificial_time: Some(UnixTimeStamp::from_secs(NOW)),
            ..VerificationOptions::default()
        };
        let Ok(metadata) = Token::decode_metadata(token) else {
            return false;
        };
        let admits = |key: &&Key| metadata.key_id().is_none_or(|kid| kid == key.kid);
        self.keys.iter().filter(admits).any(|key| (key.verify)(token, options.clone()))
    }

    fn compare(&mut self, token: &str) {
        let (ours, theirs) = (self.ours(token), self.theirs(token));
        if (ours == "allow") == theirs {
            if theirs {
                self.allowed += 1;
                self.algorithms.extend(Parts::of(token).header["alg"].as_str().map(str::to_owned));
            } else {
                self.refused += 1;
            }
            return;
        }
        let parts = Parts::of(token);
        let explains = |row: &Difference| row.ours == ours && (row.applies)(&parts);
        match DIFFERENCES.iter().position(explains) {
            Some(row) => self.seen[row] += 1,
            None => {
                let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
                let (header, claims) = (text(&parts.header_text), text(&parts.claims_text));
                self.unexplained.push(format!("{ours} here, {theirs} there: {header} {claims} {token}"));
            }
        }
    }

    /// Fails on a difference without a row, and on a row without a difference.
    fn finish(&self) {
        let first: Vec<&String> = self.unexplained.iter().take(10).collect();
        assert!(first.is_empty(), "{} unexplained: {first:#?}", self.unexplained.len());
        for (row, seen) in DIFFERENCES.iter().zip(&self.seen) {
            println!("{seen} times {}: {}", row.ours, row.reason);
            assert!(*seen > 0, "no longer a difference: {}", row.reason);
        }
    }
}

#[test]
fn verdicts_are_those_of_jwt_simple() {
    let mut bench = Bench::new();
    minted_and_mutated_tokens(&mut bench);
    let (allowed, refused) = (bench.allowed, bench.refused);
    hostile_headers_and_claims(&mut bench);
    bench.finish();
    println!("minted and mutated: {allowed} allowed by both, {refused} refused by both");
    println!("hostile: {} allowed, {} refused", bench.allowed - allowed, bench.refused - refused);
    assert!(allowed >= 100 && refused >= 10_000 && bench.allowed >= 1_000);
    // jwt-simple has none of these.
    let others = [Alg::Es512, Alg::MlDsa44, Alg::MlDsa65, Alg::MlDsa87];
    let all = Alg::ALL.into_iter().filter(|alg| !others.contains(alg)).map(|alg| alg.name().to_owned());
    assert_eq!(bench.algorithms, all.collect());
}

fn minted_and_mutated_tokens(bench: &mut Bench) {
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let algorithms: Vec<&str> = bench.keys.iter().map(|key| key.alg).collect();
    let mut minted: Vec<String> = Vec::new();
    for _ in 0..36 {
        for index in 0..bench.keys.len() {
            let claims = claims(&mut random);
            let token = (bench.keys[index].mint)(claims);
            bench.compare(&token);
            bench.compare(&format!(" {token}"));
            minted.push(token);
        }
    }
    for token in &minted {
        for _ in 0..30 {
            let other = random.of(&minted).clone();
            let mutated = mutate(token, &other, &algorithms, &mut random);
            bench.compare(&mutated);
        }
    }
}

fn hostile_headers_and_claims(bench: &mut Bench) {
    let mut random = Random(0x1234_5678_9abc_def1);
    let signing: Vec<usize> =
        (0..bench.keys.len()).filter(|index| bench.keys[*index].sign.is_some()).collect();
    for _ in 0..12_000 {
        let index = *random.of(&signing);
        let key = &bench.keys[index];
        let input = hostile(key.alg, &mut random);
        let signature = key.sign.as_ref().map(|sign| sign(input.as_bytes())).unwrap();
        bench.compare(&format!("{input}.{}", encode(&signature)));
    }
}
