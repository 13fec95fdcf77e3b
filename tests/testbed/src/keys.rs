//! The keys of the identity provider: one for each algorithm, fixed, so that runs are equal and start at once.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use ml_dsa::{Keypair, MlDsa44, MlDsa65, MlDsa87, MlDsaParams};
use p521::pkcs8::DecodePrivateKey;
use ring::rand::SystemRandom;
use ring::{hmac, signature};
use serde_json::{Value, json};

/// The algorithms that the provider signs with.
pub const ALGORITHMS: [&str; 17] = [
    "HS256",
    "HS384",
    "HS512",
    "RS256",
    "RS384",
    "RS512",
    "PS256",
    "PS384",
    "PS512",
    "ES256",
    "ES384",
    "ES512",
    "EdDSA",
    "ES256K",
    "ML-DSA-44",
    "ML-DSA-65",
    "ML-DSA-87",
];

/// The secret of HS256, HS384 and HS512: 64 bytes.
pub const SECRET: &str = "a secret of sixty-four bytes: as long as the longest hash, HS512";

/// Private keys (PKCS#8) and public keys (SPKI), both PEM.
struct Pair(&'static str, &'static str);

macro_rules! pair {
    ($name:literal) => {
        Pair(
            include_str!(concat!("../keys/", $name, ".pem")),
            include_str!(concat!("../keys/", $name, ".pub.pem")),
        )
    };
}

const RSA: Pair = pair!("rsa");
const RSA_OTHER: Pair = pair!("rsa-other");
const P256: Pair = pair!("p256");
const P384: Pair = pair!("p384");
const P521: Pair = pair!("p521");
const ED25519: Pair = pair!("ed25519");
const ED25519_OTHER: Pair = pair!("ed25519-other");

/// Keys by name: `other` ones are in no set, for signatures that must not be accepted.
fn pair(key: &str) -> &'static Pair {
    match key {
        "RS256" | "RS384" | "RS512" | "PS256" | "PS384" | "PS512" | "rsa" => &RSA,
        "rsa-other" => &RSA_OTHER,
        "ES256" | "p256" => &P256,
        "ES384" | "p384" => &P384,
        "ES512" | "p521" => &P521,
        "EdDSA" | "Ed25519" | "ed25519" => &ED25519,
        "ed25519-other" => &ED25519_OTHER,
        _ => panic!("no key pair for '{key}'"),
    }
}

/// The name of the key that `alg` signs with by default; also its `kid`.
pub fn key_of(alg: &str) -> &'static str {
    match alg {
        "HS256" | "HS384" | "HS512" => "secret",
        "ES256" => "p256",
        "ES384" => "p384",
        "ES512" => "p521",
        "EdDSA" | "Ed25519" => "ed25519",
        "ES256K" => "secp256k1",
        "ML-DSA-44" => "ml-dsa-44",
        "ML-DSA-65" => "ml-dsa-65",
        "ML-DSA-87" => "ml-dsa-87",
        _ => "rsa",
    }
}

/// The public key as PEM (SPKI). `key` is a key's name or an algorithm.
pub fn public_pem(key: &str) -> &'static str {
    pair(key).1
}

/// The private key as PEM (PKCS#8).
pub fn private_pem(key: &str) -> &'static str {
    pair(key).0
}

/// The public JWK of a key, with its name as `kid` and no `alg`.
///
/// # Panics
/// When there is no such key.
pub fn jwk(key: &str) -> Value {
    let akp = |alg: &str, public: &[u8]| json!({"kty": "AKP", "kid": key, "alg": alg, "pub": encode(public)});
    match key {
        "secret" => return json!({"kty": "oct", "kid": "secret", "k": encode(SECRET.as_bytes())}),
        "secp256k1" => {
            let point = secp256k1().verifying_key().to_sec1_point(false);
            let (x, y) = point.as_bytes()[1..].split_at(32);
            return json!({"kty": "EC", "crv": "secp256k1", "kid": key, "x": encode(x), "y": encode(y)});
        }
        "ml-dsa-44" => return akp("ML-DSA-44", &ml_dsa::<MlDsa44>().verifying_key().encode()),
        "ml-dsa-65" => return akp("ML-DSA-65", &ml_dsa::<MlDsa65>().verifying_key().encode()),
        "ml-dsa-87" => return akp("ML-DSA-87", &ml_dsa::<MlDsa87>().verifying_key().encode()),
        _ => {}
    }
    let der = der(public_pem(key));
    // The key itself is at the end of an SPKI: a point of known size, or RSA's two integers.
    let tail = |length: usize| &der[der.len() - length..];
    let ec = |crv: &str, size: usize| {
        let (x, y) = tail(2 * size).split_at(size);
        json!({"kty": "EC", "crv": crv, "kid": key, "x": encode(x), "y": encode(y)})
    };
    match key {
        "p256" => ec("P-256", 32),
        "p384" => ec("P-384", 48),
        "p521" => ec("P-521", 66),
        "ed25519" | "ed25519-other" => {
            json!({"kty": "OKP", "crv": "Ed25519", "kid": key, "x": encode(tail(32))})
        }
        "rsa" | "rsa-other" => {
            let numbers = jwt_simple::algorithms::RS256PublicKey::from_pem(public_pem(key)).unwrap();
            let numbers = numbers.to_components();
            json!({"kty": "RSA", "kid": key, "n": encode(&numbers.n), "e": encode(&numbers.e)})
        }
        _ => panic!("no JWK for '{key}'"),
    }
}

/// A JWK Set of these keys.
pub fn jwk_set(keys: &[&str]) -> Value {
    json!({"keys": keys.iter().map(|key| jwk(key)).collect::<Vec<_>>()})
}

/// The bundle of a trust domain with these keys, beside one of certificates.
pub fn bundle(keys: &[&str]) -> Value {
    let with_use = |key: &str, what: &str| {
        let mut jwk = jwk(key);
        jwk["use"] = json!(what);
        jwk
    };
    let svids = keys.iter().map(|key| with_use(key, "jwt-svid"));
    let keys: Vec<Value> = [with_use("p384", "x509-svid")].into_iter().chain(svids).collect();
    json!({"keys": keys, "spiffe_sequence": 1, "spiffe_refresh_hint": 300})
}

/// What an identity provider publishes: every public key, no secret.
pub fn public_set() -> Value {
    jwk_set(&["ed25519", "rsa", "p256", "p384", "p521"])
}

/// More keys without a name than one token may be tried with, `ed25519` behind all others: found by thumbprint alone.
pub fn unnamed_set() -> Value {
    use ring::signature::KeyPair;
    let okp = |x: &str| json!({"kty": "OKP", "crv": "Ed25519", "x": x});
    let others = (1..=32).map(|seed| {
        let pair = signature::Ed25519KeyPair::from_seed_unchecked(&[seed; 32]).unwrap();
        okp(&encode(pair.public_key().as_ref()))
    });
    let last = okp(jwk("ed25519")["x"].as_str().unwrap());
    json!({"keys": others.chain([last]).collect::<Vec<_>>()})
}

/// Keys of one kind, `kid`s `0`, `1` and so on, of which nobody has the private half: the dearest of their kind for
/// whoever has a signature to refuse.
///
/// # Panics
/// When there is no such kind.
pub fn strangers(kind: &str, count: usize) -> Value {
    let bytes = |number: usize, length: usize| -> Vec<u8> {
        let spread =
            |at: usize| at.wrapping_mul(31).wrapping_add(number.wrapping_mul(97)) as u8 ^ (at >> 5) as u8;
        (0..length).map(spread).collect()
    };
    let key = |number: usize| {
        let mut key = match kind {
            "rsa-2048" | "rsa-4096" | "rsa-8192" => {
                let bits: usize = kind.trim_start_matches("rsa-").parse().unwrap();
                let mut n = bytes(number, bits / 8);
                n[0] |= 0x80;
                n[bits / 8 - 1] |= 1;
                json!({"kty": "RSA", "n": encode(&n), "e": "AQAB"})
            }
            "ml-dsa-44" | "ml-dsa-65" | "ml-dsa-87" => {
                let mut key = jwk(kind);
                let length = URL_SAFE_NO_PAD.decode(key["pub"].as_str().unwrap()).unwrap().len();
                key["pub"] = json!(encode(&bytes(number, length)));
                key
            }
            // Points are not made up so easily; each of these is a key of its own.
            _ => jwk(kind),
        };
        key["kid"] = json!(number.to_string());
        key
    };
    json!({"keys": (0..count).map(key).collect::<Vec<_>>()})
}

/// Signs `input` with the key named `key`.
///
/// # Panics
/// When `alg` is not one of [`ALGORITHMS`], or the key is of another family.
pub fn sign(alg: &str, key: &str, input: &[u8]) -> Vec<u8> {
    let random = SystemRandom::new();
    let mac = |algorithm| {
        let secret = if key == "secret" { SECRET.as_bytes() } else { key.as_bytes() };
        hmac::sign(&hmac::Key::new(algorithm, secret), input).as_ref().to_vec()
    };
    let rsa = |padding: &'static dyn signature::RsaEncoding| {
        let pair = signature::RsaKeyPair::from_pkcs8(&der(private_pem(key))).unwrap();
        let mut signed = vec![0; pair.public().modulus_len()];
        pair.sign(padding, &random, input, &mut signed).unwrap();
        signed
    };
    let ecdsa = |algorithm| {
        let pair = signature::EcdsaKeyPair::from_pkcs8(algorithm, &der(private_pem(key)), &random).unwrap();
        pair.sign(&random, input).unwrap().as_ref().to_vec()
    };
    match alg {
        "HS256" => mac(hmac::HMAC_SHA256),
        "HS384" => mac(hmac::HMAC_SHA384),
        "HS512" => mac(hmac::HMAC_SHA512),
        "RS256" => rsa(&signature::RSA_PKCS1_SHA256),
        "RS384" => rsa(&signature::RSA_PKCS1_SHA384),
        "RS512" => rsa(&signature::RSA_PKCS1_SHA512),
        "PS256" => rsa(&signature::RSA_PSS_SHA256),
        "PS384" => rsa(&signature::RSA_PSS_SHA384),
        "PS512" => rsa(&signature::RSA_PSS_SHA512),
        "ES256" => ecdsa(&signature::ECDSA_P256_SHA256_FIXED_SIGNING),
        "ES384" => ecdsa(&signature::ECDSA_P384_SHA384_FIXED_SIGNING),
        "ES512" => {
            use p521::ecdsa::signature::Signer;
            let key = p521::ecdsa::SigningKey::from_pkcs8_pem(private_pem(key)).unwrap();
            let signed: p521::ecdsa::Signature = key.sign(input);
            signed.to_bytes().to_vec()
        }
        "ES256K" => {
            use p521::ecdsa::signature::Signer;
            let signed: k256::ecdsa::Signature = secp256k1().sign(input);
            signed.to_bytes().to_vec()
        }
        "ML-DSA-44" => sign_ml_dsa::<MlDsa44>(input),
        "ML-DSA-65" => sign_ml_dsa::<MlDsa65>(input),
        "ML-DSA-87" => sign_ml_dsa::<MlDsa87>(input),
        "EdDSA" | "Ed25519" => {
            let pair = signature::Ed25519KeyPair::from_pkcs8_maybe_unchecked(&der(private_pem(key))).unwrap();
            pair.sign(input).as_ref().to_vec()
        }
        _ => panic!("cannot sign with '{alg}'"),
    }
}

/// These keys are as good as any: only the tests trust them.
const SEED: [u8; 32] = [7; 32];

fn secp256k1() -> k256::ecdsa::SigningKey {
    k256::ecdsa::SigningKey::from_slice(&SEED).unwrap()
}

fn ml_dsa<P: MlDsaParams>() -> ml_dsa::SigningKey<P> {
    ml_dsa::SigningKey::from_seed(&SEED.into())
}

fn sign_ml_dsa<P: MlDsaParams>(input: &[u8]) -> Vec<u8> {
    ml_dsa::<P>().expanded_key().sign_deterministic(input, &[]).unwrap().encode().to_vec()
}

/// base64url without padding.
pub fn encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

fn der(pem: &str) -> Vec<u8> {
    let body: String = pem.lines().filter(|line| !line.starts_with("-----")).collect();
    STANDARD.decode(body).unwrap()
}
