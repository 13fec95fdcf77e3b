//! Keys of jwt-simple, one for each of its algorithms.

use std::rc::Rc;

use ed25519_dalek::Signer;
use jwt_simple::prelude::*;
use serde_json::{Value, json};
use traefik_jwt_auth::core::token::base64url::encode;

type Mint = Box<dyn Fn(JWTClaims<Value>) -> String>;
type Verify = Box<dyn Fn(&str, VerificationOptions) -> bool>;
type Sign = Box<dyn Fn(&[u8]) -> Vec<u8>>;

/// One key of jwt-simple, both halves.
pub(crate) struct Key {
    pub(crate) kid: &'static str,
    pub(crate) alg: &'static str,
    pub(crate) jwk: Value,
    pub(crate) mint: Mint,
    pub(crate) verify: Verify,
    /// Signs any input, where jwt-simple or its key lets it.
    pub(crate) sign: Option<Sign>,
}

macro_rules! hmac {
    ($kid:literal, $alg:literal, $type:ident) => {{
        let secret: [u8; 64] =
            std::array::from_fn(|at| $kid.as_bytes()[0] ^ u8::try_from(at).unwrap());
        let key = Rc::new($type::from_bytes(&secret).with_key_id($kid));
        let (minting, signing) = (Rc::clone(&key), Rc::clone(&key));
        Key {
            kid: $kid,
            alg: $alg,
            jwk: json!({"kty": "oct", "k": encode(&secret)}),
            mint: Box::new(move |claims| minting.authenticate(claims).unwrap()),
            verify: Box::new(move |token, options| {
                key.verify_token::<NoCustomClaims>(token, Some(options)).is_ok()
            }),
            sign: Some(Box::new(move |input| signing.authentication_tag(input))),
        }
    }};
}

macro_rules! asymmetric {
    ($kid:literal, $alg:literal, $pair:expr, $jwk:expr, $sign:expr) => {{
        let pair = $pair.with_key_id($kid);
        let public = pair.public_key();
        Key {
            kid: $kid,
            alg: $alg,
            jwk: $jwk,
            mint: Box::new(move |claims| pair.sign(claims).unwrap()),
            verify: Box::new(move |token, options| {
                public.verify_token::<NoCustomClaims>(token, Some(options)).is_ok()
            }),
            sign: $sign,
        }
    }};
}

pub(crate) fn keys() -> Vec<Key> {
    // One modulus for all: making one costs a second here.
    let rsa = RS256KeyPair::generate(2048).unwrap();
    let pem = rsa.to_pem().unwrap();
    let numbers = rsa.public_key().to_components();
    let rsa_jwk = json!({"kty": "RSA", "n": encode(&numbers.n), "e": encode(&numbers.e)});
    let ec_jwk = |crv: &str, point: &[u8]| {
        let (x, y) = point[1..].split_at(point.len() / 2);
        json!({"kty": "EC", "crv": crv, "x": encode(x), "y": encode(y)})
    };
    let es256 = ES256KeyPair::generate();
    let es256_jwk = ec_jwk("P-256", &es256.public_key().public_key().to_bytes_uncompressed());
    let es384 = ES384KeyPair::generate();
    let es384_jwk = ec_jwk("P-384", &es384.public_key().public_key().to_bytes_uncompressed());
    let es256k = ES256kKeyPair::generate();
    let es256k_jwk = ec_jwk("secp256k1", &es256k.public_key().public_key().to_bytes_uncompressed());
    let ed25519 = Ed25519KeyPair::generate();
    let ed25519_jwk = json!({"kty": "OKP", "crv": "Ed25519", "x": encode(&ed25519.public_key().to_bytes())});
    let seed = ed25519.to_bytes()[..32].try_into().unwrap();
    let signing = ed25519_dalek::SigningKey::from_bytes(&seed);
    let sign_ed25519: Sign = Box::new(move |input| signing.sign(input).to_bytes().to_vec());
    vec![
        hmac!("a", "HS256", HS256Key),
        hmac!("b", "HS384", HS384Key),
        hmac!("c", "HS512", HS512Key),
        asymmetric!("d", "RS256", RS256KeyPair::from_pem(&pem).unwrap(), rsa_jwk.clone(), None),
        asymmetric!("e", "RS384", RS384KeyPair::from_pem(&pem).unwrap(), rsa_jwk.clone(), None),
        asymmetric!("f", "RS512", RS512KeyPair::from_pem(&pem).unwrap(), rsa_jwk.clone(), None),
        asymmetric!("g", "PS256", PS256KeyPair::from_pem(&pem).unwrap(), rsa_jwk.clone(), None),
        asymmetric!("h", "PS384", PS384KeyPair::from_pem(&pem).unwrap(), rsa_jwk.clone(), None),
        asymmetric!("i", "PS512", PS512KeyPair::from_pem(&pem).unwrap(), rsa_jwk, None),
        asymmetric!("j", "ES256", es256, es256_jwk, None),
        asymmetric!("k", "ES384", es384, es384_jwk, None),
        asymmetric!("m", "ES256K", es256k, es256k_jwk, None),
        asymmetric!("l", "EdDSA", ed25519, ed25519_jwk, Some(sign_ed25519)),
    ]
}
