//! Keys and signatures for the tests of this room: the examples of the RFCs.

use super::alg::{Alg, Crv};
use super::{SignatureError, VerifyingKey, verify};
use crate::core::token::base64url::decode;

/// Those with a key.
pub(super) const EXAMPLES: [&str; 7] = [
    "RFC 7515 A.1",
    "RFC 7515 A.2",
    "RFC 7515 A.3",
    "RFC 7515 A.4",
    "RFC 7520 4.2",
    "RFC 7520 4.3",
    "RFC 8037 A.4",
];

/// A key, and a signature that it made.
pub(super) struct Example {
    pub(super) key: VerifyingKey,
    pub(super) alg: Alg,
    pub(super) input: Vec<u8>,
    pub(super) signature: Vec<u8>,
}

/// The example called `name`.
pub(super) fn example(name: &str) -> Example {
    let rows: serde_json::Value =
        serde_json::from_str(include_str!("../../../tests/vectors/rfc.json")).unwrap();
    let row = rows.as_array().unwrap().iter().find(|row| row["name"] == name).unwrap();
    let bytes = |member: &str| decode(row["jwk"][member].as_str().unwrap().as_bytes()).unwrap();
    let alg = Alg::from_name(row["alg"].as_str().unwrap()).unwrap();
    let key = match alg.crv() {
        _ if alg.is_hmac() => VerifyingKey::hmac(&bytes("k")),
        None => VerifyingKey::rsa(&bytes("n"), &bytes("e")),
        Some(Crv::Ed25519) => VerifyingKey::ed25519(&bytes("x")),
        Some(crv) => VerifyingKey::ec(crv, &bytes("x"), &bytes("y")),
    };
    let (input, signature) = row["token"].as_str().unwrap().rsplit_once('.').unwrap();
    let (input, signature) = (input.as_bytes().to_vec(), decode(signature.as_bytes()).unwrap());
    Example { key: key.unwrap(), alg, input, signature }
}

impl Example {
    pub(super) fn verdict(&self, signature: &[u8]) -> Result<(), SignatureError> {
        verify(&self.key, self.alg, &self.input, signature)
    }
}

/// P-384 has no example in the RFCs; this is its base point, a valid key.
pub(super) fn p384() -> VerifyingKey {
    let x = "qofKIr6LBTeOscce8yCtdG4dO2KLp5uYWfdB4IJUKjhVAvJdv1UpbDpUXjhydgq3";
    let y = "NhfeSpYmLG9dnpi_kpLcKfj0Hb0omhR86doxE7XwuMAKYLHOHX6BnXpDHXyQ6g5f";
    VerifyingKey::ec(Crv::P384, &decode(x.as_bytes()).unwrap(), &decode(y.as_bytes()).unwrap()).unwrap()
}

/// The bytes of a hexadecimal text.
pub(super) fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.chars().map(|c| c.to_digit(16).unwrap().try_into().unwrap()).collect();
    digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect()
}
