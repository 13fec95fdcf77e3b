//! Tokens: claims to mint, changes to tokens, and hostile parts.

use crate::{AUDIENCE, ISSUER, NOW};
use jwt_simple::prelude::*;
use serde_json::{Map, Value, json};
use testbed::random::Random;
use traefik_jwt_auth::core::token::base64url::{decode, encode};

/// Claims as jwt-simple mints them, some of them not acceptable.
pub(crate) fn claims(random: &mut Random) -> JWTClaims<Value> {
    let time = |random: &mut Random, offsets: &[i64]| {
        let offset = *random.of(offsets);
        Some(UnixTimeStamp::from_secs(NOW.saturating_add_signed(offset)))
    };
    let mut custom = Map::new();
    for name in ["roles", "tenant", "a.b", "é"].iter().take(random.below(5)) {
        let value = random.of(&[json!(1), json!(["x", {"y": null}]), json!("text"), json!(-0.5)]).clone();
        custom.insert((*name).to_owned(), value);
    }
    let mut claims = Claims::with_custom_claims(Value::Object(custom), Duration::from_secs(60));
    claims.issued_at = time(random, &[-60, -1, 0, 0]);
    claims.expires_at = time(random, &[60, 60, 60, 60, 1, -1, -60]);
    claims.invalid_before = time(random, &[-60, -60, -1, 0, 0, 1]);
    claims.issuer = random
        .of(&[Some(ISSUER), Some(ISSUER), Some(ISSUER), Some("https://idp.example/"), None])
        .map(str::to_owned);
    claims.subject = random.of(&[Some("alice"), Some(""), None]).map(str::to_owned);
    claims.audiences = match random.below(5) {
        0 => None,
        1 => Some(Audiences::AsString("other".into())),
        2 => Some(Audiences::AsSet(HashSet::from([AUDIENCE.to_owned(), "other".to_owned()]))),
        _ => Some(Audiences::AsString(AUDIENCE.into())),
    };
    claims
}

/// `token` with one change, or with a part of `other`.
pub(crate) fn mutate(token: &str, other: &str, algorithms: &[&str], random: &mut Random) -> String {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.=+/ ";
    let mut parts: Vec<String> = token.split('.').map(str::to_owned).collect();
    let part = random.below(3);
    match random.below(12) {
        // A bit of a part.
        0 => {
            let mut bytes = decode(parts[part].as_bytes()).unwrap();
            let at = random.below(bytes.len());
            bytes[at] ^= 1 << random.below(8);
            parts[part] = encode(&bytes);
        }
        // A character.
        1 | 2 => {
            let at = random.below(parts[part].len());
            let character = char::from(*random.of(ALPHABET));
            parts[part].replace_range(at..=at, &character.to_string());
        }
        // One character more, or less.
        3 => parts[part].insert(random.below(4), char::from(*random.of(ALPHABET))),
        4 => parts[part].push(char::from(*random.of(ALPHABET))),
        5 => {
            parts[part].pop();
        }
        // A part of another token.
        6 => parts[part] = other.split('.').nth(part).unwrap().to_owned(),
        // Another algorithm, also none.
        7 => {
            let mut header: Value = serde_json::from_slice(&decode(parts[0].as_bytes()).unwrap()).unwrap();
            header["alg"] = (*random.of(&[algorithms, &["none", "Ed25519", "ES512"]].concat())).into();
            parts[0] = encode(header.to_string().as_bytes());
            if header["alg"] == "none" {
                parts[2].clear();
            }
        }
        // Another key, or none named.
        8 => {
            let mut header: Value = serde_json::from_slice(&decode(parts[0].as_bytes()).unwrap()).unwrap();
            match random.below(3) {
                0 => header.as_object_mut().unwrap().remove("kid"),
                1 => header.as_object_mut().unwrap().insert("kid".into(), "z".into()),
                _ => header.as_object_mut().unwrap().insert("kid".into(), "d".into()),
            };
            parts[0] = encode(header.to_string().as_bytes());
        }
        // The length of the signature.
        9 => {
            let mut bytes = decode(parts[2].as_bytes()).unwrap();
            match random.below(3) {
                0 => bytes.push(0),
                1 => bytes.insert(0, 0),
                _ => bytes.truncate(random.below(bytes.len())),
            }
            parts[2] = encode(&bytes);
        }
        // No signature that says anything.
        10 => {
            let bytes = decode(parts[2].as_bytes()).unwrap();
            parts[2] = encode(&vec![*random.of(&[0, 1, 0xff]); bytes.len()]);
        }
        // The number of parts.
        _ => match random.below(3) {
            0 => parts.push(String::new()),
            1 => parts.push(parts[2].clone()),
            _ => {
                parts.remove(part);
            }
        },
    }
    parts.join(".")
}

/// Members of headers and claims sets, from harmless to hostile, as text: an object may have them twice.
const HEADER_MEMBERS: &[&str] = &[
    r#""typ":"JWT""#,
    r#""typ":"jwt""#,
    r#""typ":"at+jwt""#,
    r#""typ":"JOSE""#,
    r#""typ":null"#,
    r#""typ":1"#,
    r#""kid":"a""#,
    r#""kid":"l""#,
    r#""kid":"z""#,
    r#""kid":null"#,
    r#""kid":7"#,
    r#""cty":"JWT""#,
    r#""cty":"json""#,
    r#""crit":[]"#,
    r#""crit":null"#,
    r#""crit":["exp"]"#,
    r#""crit":["b64"],"b64":false"#,
    r#""b64":false"#,
    r#""b64":true"#,
    r#""enc":"A128GCM""#,
    r#""jwk":{"kty":"oct","k":"AAAA"}"#,
    r#""jku":"https://evil.example""#,
    r#""jku":[]"#,
    r#""x5c":["AAAA"]"#,
    r#""other":{"a":[1,2,{"b":null}]}"#,
    r#""other":1"#,
    r#""\u006bid":"a""#,
    r#""x":"\ud800""#,
    r#""x":[[[[[[[[[[[[1]]]]]]]]]]]]"#,
];

const CLAIM_MEMBERS: &[&str] = &[
    r#""exp":1700000060"#,
    r#""exp":1700000000"#,
    r#""exp":1700000000.5"#,
    r#""exp":1699999999.5"#,
    r#""exp":1.7e9"#,
    r#""exp":1.8e9"#,
    r#""exp":1"#,
    r#""exp":-1"#,
    r#""exp":"1800000000""#,
    r#""exp":null"#,
    r#""exp":9007199254740993"#,
    r#""exp":1e300"#,
    r#""exp":1e999"#,
    r#""exp":true"#,
    r#""nbf":1700000000"#,
    r#""nbf":1700000000.5"#,
    r#""nbf":1700000001"#,
    r#""nbf":0"#,
    r#""nbf":-0.5"#,
    r#""nbf":-1"#,
    r#""nbf":[]"#,
    r#""iat":1700000000"#,
    r#""iat":1700000001"#,
    r#""iat":1.6e9"#,
    r#""iat":-0.5"#,
    r#""iat":"x""#,
    r#""sub":"alice""#,
    r#""sub":"\u0000""#,
    r#""sub":7"#,
    r#""sub":null"#,
    r#""jti":"1""#,
    r#""jti":null"#,
    r#""jti":{}"#,
    r#""nonce":7"#,
    r#""roles":["a",1,null]"#,
    r#""roles":"b""#,
    r#""deep":[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]"#,
    r#""text":"\ud800""#,
    r#""text":"\x""#,
    r#""number":01"#,
];

/// The signing input of a token of hostile parts.
pub(crate) fn hostile(alg: &str, random: &mut Random) -> String {
    let mut header = vec![format!(r#""alg":"{}""#, alg)];
    let mut claims = vec![format!(r#""iss":"{ISSUER}""#), format!(r#""aud":"{AUDIENCE}""#)];
    header.extend((0..random.below(3)).map(|_| (*random.of(HEADER_MEMBERS)).to_owned()));
    claims.extend((0..random.below(4)).map(|_| (*random.of(CLAIM_MEMBERS)).to_owned()));
    // Now and then a name or a type that matters.
    match random.below(30) {
        0 => header[0] = r#""alg":"Ed25519""#.into(),
        1 => header[0] = r#""alg":null"#.into(),
        2 => claims[0] = r#""iss":null"#.into(),
        3 => claims[0] = format!(r#""iss":["{ISSUER}"]"#),
        4 => claims[1] = format!(r#""aud":["x","{AUDIENCE}"]"#),
        5 => claims[1] = format!(r#""aud":["{AUDIENCE}",1]"#),
        6 => claims[1] = r#""aud":null"#.into(),
        7 => claims[1] = format!(r#""aud":{{"{AUDIENCE}":1}}"#),
        _ => {}
    }
    let braces = |members: Vec<String>, random: &mut Random| match random.below(40) {
        0 => format!("[{}]", members.join(",")),
        1 => format!(" {{\n{} }}\t", members.join(" ,\r")),
        2 => format!("{{{},}}", members.join(",")),
        3 => format!("{{{}}}x", members.join(",")),
        4 => format!("\u{feff}{{{}}}", members.join(",")),
        5 => "null".to_owned(),
        _ => format!("{{{}}}", members.join(",")),
    };
    let header = match random.below(100) {
        0 => format!(r#"["{}"]"#, alg),
        _ => braces(header, random),
    };
    let claims = braces(claims, random);
    let mut claims = claims.into_bytes();
    if random.below(40) == 0 {
        let at = random.below(claims.len());
        claims[at] = 0xff;
    }
    format!("{}.{}", encode(header.as_bytes()), encode(&claims))
}
