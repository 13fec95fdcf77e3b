//! Tokens: their form by definition, and the whole verdict against `jwt-simple`.

use std::rc::Rc;

use jwt_simple::prelude::*;
use serde_json::{Value, json};
use testbed::keys;
use traefik_jwt_auth::core::answer::Decision;
use traefik_jwt_auth::core::config::{Capabilities, compile};
use traefik_jwt_auth::core::decide::decide;
use traefik_jwt_auth::core::limits::CLAIMS_JSON;
use traefik_jwt_auth::core::policy::Policy;
use traefik_jwt_auth::core::request::RecordedRequest;
use traefik_jwt_auth::core::token::jws::{self, Padding};
use traefik_jwt_auth::core::token::{base64url, jws::UnverifiedToken};
use traefik_jwt_auth::core::unix_time::UnixTime;
use traefik_jwt_auth::keys::keyring::Keyring;

use super::json::defined;
use crate::NOW;
use crate::cut::{choice, parts, text};
use crate::mark::mark;
use crate::strict::Tree;

const ISSUER: &str = "https://idp.example/";

/// A token as it comes.
pub(super) fn token(input: &[u8]) {
    let parsed = jws::parse(input);
    match (parsed, by_definition(input)) {
        (Ok(parsed), Some(defined)) => {
            mark("parsed");
            assert_same(&parsed, input, &defined);
            let padded = jws::parse_with(input, Padding::Accept).expect("padding is not demanded");
            assert_eq!(padded.signing_input, parsed.signing_input);
        }
        (Err(_), None) => mark("refused"),
        (ours, theirs) => panic!("{ours:?} here, {theirs:?} by definition"),
    }
    if let Ok(padded) = jws::parse_with(input, Padding::Accept) {
        mark("padded");
        // It is the token without padding, but for what is signed.
        let bare: Vec<u8> = input.iter().copied().filter(|byte| *byte != b'=').collect();
        let bare = jws::parse(&bare).expect("the same without padding");
        assert_eq!((&bare.header, &bare.signature), (&padded.header, &padded.signature));
        assert_eq!(bare.claimed.payload(), padded.claimed.payload());
    }
    for part in input.split(|byte| *byte == b'.') {
        // Padding in the middle begins another text there.
        let is_one = !part.strip_suffix(b"==").or(part.strip_suffix(b"=")).unwrap_or(part).contains(&b'=');
        for (ours, theirs) in [
            (base64url::decode(part), data_encoding::BASE64URL_NOPAD.decode(part)),
            (base64url::decode_padded(part), data_encoding::BASE64.decode(part)),
            (base64url::decode_url_padded(part), data_encoding::BASE64URL.decode(part)),
        ] {
            assert_eq!(ours, theirs.ok().filter(|_| is_one), "{}", part.escape_ascii());
        }
    }
    if let Ok(token) = std::str::from_utf8(input) {
        verdict(token);
    }
}

/// Header and claims that are signed, so that what is behind the signature is reached.
pub(super) fn signed(input: &[u8]) {
    let (number, rest) = choice(input, 4);
    let alg = ["HS256", "HS384", "HS512", "EdDSA"][number];
    let [header, claims] = parts(rest).map(text);
    // What is missing in front of it is written by the target, so that inputs are about what matters.
    let header = format!(r#"{{"alg":"{alg}"{header}"#);
    let token = testbed::tokens::compact(alg, keys::key_of(alg), &header, &claims);
    verdict(&token);
}

fn by_definition(token: &[u8]) -> Option<[Vec<u8>; 3]> {
    let parts: Vec<Vec<u8>> = token
        .split(|byte| *byte == b'.')
        .map(|part| data_encoding::BASE64URL_NOPAD.decode(part).ok())
        .collect::<Option<_>>()?;
    let parts: [Vec<u8>; 3] = parts.try_into().ok()?;
    defined(&parts[0]).ok()?;
    let within = |tree: &Tree| tree.depth() <= CLAIMS_JSON.max_depth && tree.count() <= CLAIMS_JSON.max_nodes;
    Tree::object(&parts[1]).filter(within)?;
    Some(parts)
}

fn assert_same(parsed: &UnverifiedToken<'_>, token: &[u8], [header, payload, signature]: &[Vec<u8>; 3]) {
    assert_eq!(Ok(&parsed.header), defined(header).as_ref());
    assert_eq!(parsed.claimed.payload().as_bytes(), payload);
    assert_eq!(&parsed.signature, signature);
    let end = token.iter().rposition(|byte| *byte == b'.').expect("it has dots");
    assert_eq!(parsed.signing_input, &token[..end]);
}

struct Bench {
    policy: Rc<Policy>,
    keyring: Keyring,
}

thread_local! {
    static BENCH: Bench = {
        let configuration = json!({
            "jwks": keys::public_set(), "keys": {"secret": keys::SECRET}, "issuer": ISSUER, "audience": "api",
            "algorithms": ["EdDSA", "ES256", "ES384", "RS256", "PS256", "HS256", "HS384", "HS512"],
            "requiredClaims": "none",
        });
        let capabilities = Capabilities { fetch: true, env: &|_| None };
        let policy = Rc::new(compile(configuration.to_string(), &capabilities).expect("it is one"));
        Bench { keyring: Keyring::new(Rc::clone(&policy)), policy }
    };
}

/// Our code, or "allow".
fn ours(token: &str) -> &'static str {
    let request = RecordedRequest::new("GET", "/").header("Authorization", format!("Bearer {token}"));
    let now = UnixTime::from_seconds(NOW);
    BENCH.with(|bench| match decide(&bench.policy, &bench.keyring.at(now), now, &request).decision {
        Decision::Forward(_) => "allow",
        Decision::Reject(reject) => reject.refusal.code(),
        Decision::Accept(_) | Decision::Serve(_) | Decision::NeedKeys(_) => panic!("{token}"),
    })
}

/// Whether a key that the token's `kid` admits accepts it.
fn theirs(token: &str) -> bool {
    let options = VerificationOptions {
        allowed_issuers: Some([ISSUER.to_owned()].into_iter().collect()),
        allowed_audiences: Some(["api".to_owned()].into_iter().collect()),
        time_tolerance: Some(Duration::from_secs(0)),
        artificial_time: Some(UnixTimeStamp::from_secs(NOW)),
        ..VerificationOptions::default()
    };
    let Ok(metadata) = Token::decode_metadata(token) else { return false };
    let kid = metadata.key_id().filter(|kid| !kid.is_empty());
    macro_rules! accepts {
        ($key:expr) => {
            $key.verify_token::<NoCustomClaims>(token, Some(options)).is_ok()
        };
    }
    let name = keys::key_of(metadata.algorithm());
    if kid.is_some_and(|kid| kid != name) {
        return false;
    }
    macro_rules! pair {
        ($type:ident) => {
            accepts!($type::from_pem(keys::public_pem(name)).expect("a key"))
        };
    }
    match metadata.algorithm() {
        "HS256" => accepts!(HS256Key::from_bytes(keys::SECRET.as_bytes())),
        "HS384" => accepts!(HS384Key::from_bytes(keys::SECRET.as_bytes())),
        "HS512" => accepts!(HS512Key::from_bytes(keys::SECRET.as_bytes())),
        "EdDSA" => pair!(Ed25519PublicKey),
        "ES256" => pair!(ES256PublicKey),
        "ES384" => pair!(ES384PublicKey),
        "RS256" => pair!(RS256PublicKey),
        "PS256" => pair!(PS256PublicKey),
        _ => false,
    }
}

/// Both agree on a token, or a rule says why not.
fn verdict(token: &str) {
    let (ours, theirs) = (ours(token), theirs(token));
    if (ours == "allow") == theirs {
        mark(if theirs { "accepted by both" } else { "refused by both" });
        return;
    }
    let Some([header, claims, _]) = by_definition(token.trim().as_bytes()) else {
        // What is no token by definition, which `token` holds us to, may be one for jwt-simple.
        assert!(
            ours.starts_with("token_") || ours == "crit_not_supported" || ours == "scheme_missing",
            "{ours} {token}"
        );
        mark("a difference");
        return;
    };
    let value = |text: &[u8]| serde_json::from_slice::<Value>(text).ok();
    let (Some(header), Some(claims)) = (value(&header), value(&claims)) else {
        // A number that no double holds is one here, and nothing there.
        assert!(!theirs, "{token}");
        mark("a difference");
        return;
    };
    let reason = RULES.iter().find(|rule| rule.ours == ours && (rule.applies)(&header, &claims, token));
    assert!(reason.is_some(), "{ours} here, {theirs} there: {header} {claims} {token}");
    mark("a difference");
}

/// Where the two may differ on what is a token by definition. `tests/oracle` has these rules with tokens for each.
struct Rule {
    ours: &'static str,
    applies: fn(&Value, &Value, &str) -> bool,
}

#[expect(clippy::cast_precision_loss, reason = "it is small")]
const NOW_SECONDS: f64 = NOW as f64;

const RULES: [Rule; 7] = [
    // A token is expired from the instant of exp on, there from the second behind it.
    Rule {
        ours: "token_expired",
        applies: |_, claims, _| {
            claims["exp"].as_f64().is_some_and(|exp| exp <= NOW_SECONDS && exp > NOW_SECONDS - 1.0)
        },
    },
    // A future iat refuses nothing; nbf may be ten seconds ahead.
    Rule {
        ours: "allow",
        applies: |_, claims, _| {
            claims["iat"].as_f64().is_some_and(|iat| iat > NOW_SECONDS)
                || claims["nbf"].as_f64().is_some_and(|nbf| nbf > NOW_SECONDS && nbf <= NOW_SECONDS + 10.0)
        },
    },
    // No date is negative or beyond 2^53; null is none. sub and jti are texts or numbers.
    Rule {
        ours: "claim_invalid",
        applies: |_, claims, _| {
            let is_odd = |date: &&str| {
                claims.get(date).is_some_and(|date| {
                    date.as_f64().is_none_or(|date| !(0.0..9_007_199_254_740_993.0).contains(&date))
                })
            };
            ["exp", "nbf", "iat"].iter().any(is_odd)
                || ["sub", "jti"].iter().any(|name| claims.get(name).is_some_and(Value::is_null))
        },
    },
    // Numbers there, and what is OpenID Connect's.
    Rule {
        ours: "allow",
        applies: |_, claims, _| {
            claims["sub"].is_number()
                || claims["jti"].is_number()
                || claims.get("nonce").is_some_and(|nonce| !nonce.is_string())
        },
    },
    // Not looked at, unless the configuration asks: typ; never: jwk, jku, x5u, x5c, x5t.
    Rule {
        ours: "allow",
        applies: |header, _, _| {
            let odd_typ = header["typ"].as_str().is_some_and(|typ| !typ.eq_ignore_ascii_case("jwt"));
            odd_typ
                || ["jwk", "jku", "x5u", "x5c", "x5t", "x5t#S256"]
                    .iter()
                    .any(|name| header.get(name).is_some())
        },
    },
    // A token that is bound to something (boundTokens is not set); jwt-simple does not know cnf.
    Rule {
        ours: "proof_missing",
        applies: |_, claims, _| claims.get("cnf").is_some_and(|cnf| !cnf.is_null()),
    },
    // Spaces around it belong to the header field.
    Rule { ours: "allow", applies: |_, _, token| token.trim() != token },
];
