//! Keys and signatures of curves against RustCrypto and `ed25519-dalek`, which share no line with the arithmetic here.

use p256::ecdsa::signature::{Signer, Verifier};
use traefik_jwt_auth::core::signature::alg::{Alg, Crv};
use traefik_jwt_auth::core::signature::{SignatureError, VerifyingKey, verify};

use crate::cut::{choice, parts};
use crate::mark::mark;

/// A public key and a signature.
type Signed = (Vec<u8>, Vec<u8>);

/// A curve of both.
struct Curve {
    crv: Crv,
    alg: Alg,
    /// Whether these bytes are a key (SEC 1 2.3.3, RFC 8032 5.1.5).
    is_key: fn(&[u8]) -> bool,
    /// Whether they verify: key, message, signature.
    verifies: fn(&[u8], &[u8], &[u8]) -> bool,
    /// A key of its own, and its signature.
    sign: fn(&[u8]) -> Signed,
}

macro_rules! ecdsa {
    ($crv:ident, $alg:ident, $package:ident) => {
        Curve {
            crv: Crv::$crv,
            alg: Alg::$alg,
            // RustCrypto has a form that SEC 1 does not know: x alone, behind a 5.
            is_key: |key| {
                key.first() != Some(&5) && $package::ecdsa::VerifyingKey::from_sec1_bytes(key).is_ok()
            },
            verifies: |key, message, signature| {
                let key = $package::ecdsa::VerifyingKey::from_sec1_bytes(key).expect("it is a key");
                // JOSE does not forbid the larger of the two S that verify, and k256 does.
                let signature = $package::ecdsa::Signature::from_slice(signature);
                signature.is_ok_and(|signature| key.verify(message, &signature.normalize_s()).is_ok())
            },
            sign: |message| {
                // The order of P-521 begins with bits that are zero; a shorter secret is padded.
                let size = $package::SecretKey::from_slice(&[7; 32]).map_or(66, |_| 32);
                let secret = [vec![0; size - 32], vec![7; 32]].concat();
                let key = $package::ecdsa::SigningKey::from_slice(&secret)
                    .or_else(|_| $package::ecdsa::SigningKey::from_slice(&[vec![0; 16], secret].concat()))
                    .expect("a secret");
                let signature: $package::ecdsa::Signature = key.sign(message);
                (key.verifying_key().to_sec1_point(false).as_bytes().to_vec(), signature.to_bytes().to_vec())
            },
        }
    };
}

const CURVES: [Curve; 5] = [
    ecdsa!(P256, Es256, p256),
    ecdsa!(P384, Es384, p384),
    ecdsa!(P521, Es512, p521),
    ecdsa!(Secp256k1, Es256k, k256),
    Curve {
        crv: Crv::Ed25519,
        alg: Alg::EdDsa,
        is_key: |key| dalek(key).is_some_and(|key| !key.is_weak()),
        verifies: |key, message, signature| {
            let signature = ed25519_dalek::Signature::from_slice(signature);
            let key = dalek(key).expect("it is a key");
            signature.is_ok_and(|signature| key.verify_strict(message, &signature).is_ok())
        },
        sign: |message| {
            let key = ed25519_dalek::SigningKey::from_bytes(&[7; 32]);
            (key.verifying_key().to_bytes().to_vec(), key.sign(message).to_bytes().to_vec())
        },
    },
];

/// A key in its one encoding (RFC 8032 5.1.3), which `ed25519-dalek` does not insist on.
fn dalek(key: &[u8]) -> Option<ed25519_dalek::VerifyingKey> {
    let key = ed25519_dalek::VerifyingKey::from_bytes(key.try_into().ok()?).ok()?;
    let canonical = key.to_edwards().compress();
    (canonical.as_bytes() == key.as_bytes()).then_some(key)
}

fn ours(crv: Crv, key: &[u8]) -> Option<VerifyingKey> {
    match crv {
        Crv::P256 | Crv::P384 | Crv::P521 | Crv::Secp256k1 => VerifyingKey::ec_sec1(crv, key).ok(),
        Crv::Ed25519 => VerifyingKey::ed25519(key).ok(),
    }
}

/// A point. By rule, whether a compressed one has a y, and one of Ed25519 is of full order, shows at the first signature.
pub(super) fn point(input: &[u8]) {
    let (number, key) = choice(input, CURVES.len());
    let curve = &CURVES[number];
    let theirs = (curve.is_key)(key);
    mark(if theirs { "on the curve" } else { "no point" });
    let some = vec![1; curve.alg.signature_bytes().expect("it has one length")];
    let verified = ours(curve.crv, key).map(|key| verify(&key, curve.alg, b"", &some));
    let is_usable = verified.is_some_and(|verified| verified != Err(SignatureError::KeyUnusable));
    assert_eq!(is_usable, theirs, "{:?} {key:x?}", curve.crv);
    // The same point by its coordinates: there is one text for them. Keys of Ed25519 may begin with 4, too.
    if let Some((4, xy)) = key.split_first().filter(|_| curve.crv != Crv::Ed25519) {
        let (x, y) = xy.split_at(xy.len() / 2);
        assert_eq!(VerifyingKey::ec(curve.crv, x, y).is_ok(), theirs, "{:?} {key:x?}", curve.crv);
    }
}

/// A key, a message and a signature: bytes as they are, or good ones of which some are changed.
pub(super) fn signature(input: &[u8]) {
    let (number, rest) = choice(input, CURVES.len() * 2);
    let curve = &CURVES[number % CURVES.len()];
    // Signatures and keys may have every byte, so lengths separate the parts.
    let (key, signature, message) = if number < CURVES.len() {
        let (key, rest) = with_length(rest);
        let (signature, message) = with_length(rest);
        (key.to_vec(), signature.to_vec(), message)
    } else {
        let [message, change] = parts(rest);
        let (mut key, mut signature) = (curve.sign)(message);
        for byte in change.chunks_exact(2) {
            let length = signature.len() + key.len();
            let at = usize::from(byte[0]) % length;
            match at.checked_sub(signature.len()) {
                None => signature[at] ^= byte[1],
                Some(at) => key[at] ^= byte[1],
            }
        }
        (key, signature, message)
    };
    let theirs = (curve.is_key)(&key) && (curve.verifies)(&key, message, &signature);
    let key = ours(curve.crv, &key);
    let ours = key.is_some_and(|key| verify(&key, curve.alg, message, &signature).is_ok());
    mark(if theirs { "verified" } else { "refused" });
    assert_eq!(ours, theirs, "{:?}", curve.alg);
}

/// As many bytes as the first one says, and the rest.
fn with_length(input: &[u8]) -> (&[u8], &[u8]) {
    let (length, rest) = input.split_first().unwrap_or((&0, &[]));
    rest.split_at(usize::from(*length).min(rest.len()))
}
