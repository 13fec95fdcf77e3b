//! Names derived from a key: the JWK thumbprint (RFC 7638) and the thumbprint of its certificate
//! (`x5t#S256`, RFC 7517 4.9). It is infeasible to give a key the thumbprint of another one.

use super::public_key::PublicKey;
use crate::core::signature::alg::Kty;
use crate::core::token::base64url::encode;
use sha2::{Digest, Sha256};

/// The thumbprint of a key, as base64url (RFC 7638 3; RFC 8037 2 for Ed25519, RFC 9964 6 for ML-DSA).
pub(super) fn of(key: &PublicKey) -> String {
    match key {
        PublicKey::Rsa { n, e } => {
            of_members(&[("e", &encode(e)), ("kty", Kty::Rsa.name()), ("n", &encode(n))])
        }
        PublicKey::Ec { crv, x, y } => {
            let (x, y) = (encode(x), encode(y));
            of_members(&[("crv", crv.name()), ("kty", Kty::Ec.name()), ("x", &x), ("y", &y)])
        }
        PublicKey::Okp { crv, x } => {
            of_members(&[("crv", crv.name()), ("kty", Kty::Okp.name()), ("x", &encode(x))])
        }
        PublicKey::Akp { alg, public } => {
            of_members(&[("alg", alg.name()), ("kty", Kty::Akp.name()), ("pub", &encode(public))])
        }
    }
}

/// Hashes the required members of a key, which stand in lexicographic order. Values are base64url or registered names, so
/// nothing in them needs an escape.
fn of_members(members: &[(&str, &str)]) -> String {
    let mut hash = Sha256::new();
    for (at, (name, value)) in members.iter().enumerate() {
        hash.update(if at == 0 { "{\"" } else { ",\"" });
        hash.update(name);
        hash.update("\":\"");
        hash.update(value);
        hash.update("\"");
    }
    hash.update("}");
    encode(&hash.finalize())
}

/// `x5t#S256` of a certificate in DER.
pub(super) fn of_certificate(der: &[u8]) -> String {
    encode(&Sha256::digest(der))
}

#[cfg(test)]
mod tests {
    use super::of;
    use crate::core::jwk::public_key::PublicKey;
    use crate::core::signature::alg::Crv;
    use crate::core::token::base64url::decode;

    #[test]
    fn rfc_7638_3_1() {
        let n = concat!(
            "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCi",
            "FV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnY",
            "b9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0",
            "Ls1jF44-csFCur-kEgU8awapJzKnqDKgw"
        );
        let key = PublicKey::Rsa { n: decode(n.as_bytes()).unwrap(), e: vec![1, 0, 1] };
        assert_eq!(of(&key), "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
    }

    #[test]
    fn rfc_8037_a_3() {
        let x = decode(b"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo").unwrap();
        assert_eq!(
            of(&PublicKey::Okp { crv: Crv::Ed25519, x }),
            "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"
        );
    }
}
