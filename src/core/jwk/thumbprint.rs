//! Names that a key has by itself: the JWK thumbprint (RFC 7638) and the thumbprint of its certificate
//! (`x5t#S256`, RFC 7517 4.9). Nobody can give a key the name of another one.

use crate::core::token::base64url::encode;
use sha2::{Digest, Sha256};

/// The thumbprint of a key with these required members, in lexicographic order, as base64url (RFC 7638 3).
///
/// Values are base64url or registered names, so nothing in them needs an escape.
#[must_use]
pub(super) fn of_members(members: &[(&str, &str)]) -> String {
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

/// The thumbprint of an RSA key.
#[must_use]
pub(super) fn of_rsa(n: &[u8], e: &[u8]) -> String {
    of_members(&[("e", &encode(e)), ("kty", "RSA"), ("n", &encode(n))])
}

/// The thumbprint of a point of a curve with two coordinates.
#[must_use]
pub(super) fn of_ec(crv: &str, x: &[u8], y: &[u8]) -> String {
    of_members(&[("crv", crv), ("kty", "EC"), ("x", &encode(x)), ("y", &encode(y))])
}

/// The thumbprint of an Ed25519 key (RFC 8037 2).
#[must_use]
pub(super) fn of_okp(crv: &str, x: &[u8]) -> String {
    of_members(&[("crv", crv), ("kty", "OKP"), ("x", &encode(x))])
}

/// The thumbprint of an ML-DSA key (RFC 9964 6).
#[must_use]
pub(super) fn of_akp(alg: &str, public: &[u8]) -> String {
    of_members(&[("alg", alg), ("kty", "AKP"), ("pub", &encode(public))])
}

/// `x5t#S256` of a certificate in DER.
#[must_use]
pub(super) fn of_certificate(der: &[u8]) -> String {
    encode(&Sha256::digest(der))
}

#[cfg(test)]
mod tests {
    use super::{of_members, of_okp, of_rsa};
    use crate::core::token::base64url::decode;

    #[test]
    fn rfc_7638_3_1() {
        let n = concat!(
            "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCi",
            "FV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnY",
            "b9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0",
            "Ls1jF44-csFCur-kEgU8awapJzKnqDKgw"
        );
        let expected = "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs";
        assert_eq!(of_rsa(&decode(n.as_bytes()).unwrap(), &[1, 0, 1]), expected);
        assert_eq!(of_members(&[("e", "AQAB"), ("kty", "RSA"), ("n", n)]), expected);
    }

    #[test]
    fn rfc_8037_a_3() {
        let x = decode(b"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo").unwrap();
        assert_eq!(of_okp("Ed25519", &x), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
    }
}
