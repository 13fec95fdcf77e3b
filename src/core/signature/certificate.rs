//! What certificates of TLS servers need: ECDSA as X.509 and TLS have it (RFC 3279 2.2.3, RFC 8446 4.2.3), whose signatures
//! are DER and whose curves go with any hash, and whether a certificate is that of an authority.

use super::VerifyingKey;
use super::alg::{Alg, Crv, Hash, Scheme};
use crate::core::jwk::der::{
    BIT_STRING, BOOLEAN, CONTEXT_0, CONTEXT_1_2, CONTEXT_3, INTEGER, OBJECT_IDENTIFIER, OCTET_STRING, Reader,
    SEQUENCE,
};
use crate::core::jwk::spki;
use arithmetic::curves::p256::P256;
use arithmetic::curves::p384::P384;
use arithmetic::curves::p521::P521;
use arithmetic::ecdsa::{Ecdsa, PublicKey};

/// Whether `signature` is valid for `message`. The key is an uncompressed point (SEC 1 2.3.3), as in every certificate
/// (RFC 5480 2.2 requires no other form).
#[must_use]
pub fn ecdsa(crv: Crv, hash: Hash, key: &[u8], message: &[u8], signature: &[u8]) -> bool {
    let digest = hash.digest(&[message]);
    let holds = match crv {
        Crv::P256 => holds::<P256, 32>(key, &digest, signature),
        Crv::P384 => holds::<P384, 48>(key, &digest, signature),
        Crv::P521 => holds::<P521, 66>(key, &digest, signature),
        Crv::Secp256k1 | Crv::Ed25519 => None,
    };
    holds == Some(true)
}

/// The same for RSA (RFC 4055, RFC 8017) and Ed25519 (RFC 8410), which certificates and tokens have alike: `key` is what the
/// BIT STRING of the SubjectPublicKeyInfo holds.
#[must_use]
pub fn as_in_tokens(alg: Alg, key: &[u8], message: &[u8], signature: &[u8]) -> bool {
    let key = match alg.scheme() {
        Scheme::RsaPkcs1 | Scheme::RsaPss => spki::rsa_public_key(key).and_then(|key| key.verifying().ok()),
        Scheme::Ed25519 => VerifyingKey::ed25519(key).ok(),
        Scheme::Hmac | Scheme::Ecdsa | Scheme::MlDsa => None,
    };
    key.is_some_and(|key| super::verify(&key, alg, message, signature).is_ok())
}

fn holds<C: Ecdsa<Bytes = [u8; N]>, const N: usize>(
    key: &[u8],
    digest: &[u8],
    signature: &[u8],
) -> Option<bool> {
    let (x, y) = key.strip_prefix(&[4])?.split_first_chunk()?;
    let key = PublicKey::<C>::from_affine(x, y.try_into().ok()?)?;
    let mut whole = Reader::new(signature);
    let mut parts = whole.inside(SEQUENCE)?;
    let (r, s) = (parts.positive_integer()?, parts.positive_integer()?);
    if !whole.is_empty() || !parts.is_empty() {
        return None;
    }
    // Of a digest that is longer than the order, the bits on the left count (FIPS 186-5 6.4.2); orders are whole bytes, or
    // longer than any digest.
    let digest = padded(digest.get(..N).unwrap_or(digest))?;
    Some(key.verify_prehash(&digest, &padded(r)?, &padded(s)?))
}

/// The big-endian number in `N` bytes. `None` if it is longer.
fn padded<const N: usize>(number: &[u8]) -> Option<[u8; N]> {
    let mut bytes = [0; N];
    let start = N.checked_sub(number.len())?;
    bytes.get_mut(start..)?.copy_from_slice(number);
    Some(bytes)
}

/// `id-ce-basicConstraints` (RFC 5280 4.2.1.9).
const BASIC_CONSTRAINTS: [u8; 3] = [0x55, 0x1d, 0x13];
/// `id-ce-keyUsage` (RFC 5280 4.2.1.3), and its bit `keyCertSign`.
const KEY_USAGE: [u8; 3] = [0x55, 0x1d, 0x0f];
const KEY_CERT_SIGN: u8 = 0x04;

/// Whether the key of a certificate may certify others (RFC 5280 4.2.1.9): its basic constraints are `CA:TRUE` and it has no key
/// usage without `keyCertSign`, or it is of a version before 3, which cannot say so. Not so if it is malformed.
#[must_use]
pub fn may_certify(certificate: &[u8]) -> bool {
    Extensions::of(certificate).is_some_and(|found| found.is_authority && !found.signs_no_certificates)
}

/// Whether a certificate has a key usage without `keyCertSign` (RFC 5280 4.2.1.3), which webpki does not look at.
#[must_use]
pub fn signs_no_certificates(certificate: &[u8]) -> bool {
    Extensions::of(certificate).is_some_and(|found| found.signs_no_certificates)
}

/// What the extensions of a certificate say of others that it may certify.
struct Extensions {
    is_authority: bool,
    signs_no_certificates: bool,
}

impl Extensions {
    fn of(certificate: &[u8]) -> Option<Self> {
        let mut found = Self { is_authority: true, signs_no_certificates: false };
        let mut tbs = Reader::new(certificate).inside(SEQUENCE)?.inside(SEQUENCE)?;
        let mut with_version = tbs;
        let Some(mut version) = with_version.inside(CONTEXT_0) else { return Some(found) };
        if version.element(INTEGER)? != [2] {
            return Some(found);
        }
        found.is_authority = false;
        tbs = with_version;
        tbs.element(INTEGER)?;
        // Signature algorithm, issuer, validity, subject, key.
        for _ in 0..5 {
            tbs.element(SEQUENCE)?;
        }
        for identifier in CONTEXT_1_2 {
            tbs.skip_optional(identifier)?;
        }
        if tbs.is_empty() {
            return Some(found);
        }
        let mut extensions = tbs.inside(CONTEXT_3)?.inside(SEQUENCE)?;
        while !extensions.is_empty() {
            let mut extension = extensions.inside(SEQUENCE)?;
            let id = extension.element(OBJECT_IDENTIFIER)?;
            extension.skip_optional(BOOLEAN)?;
            let mut value = Reader::new(extension.element(OCTET_STRING)?);
            if id == BASIC_CONSTRAINTS {
                // The default is false.
                found.is_authority = value.inside(SEQUENCE)?.element(BOOLEAN) == Some(&[0xff]);
            } else if id == KEY_USAGE {
                // How many bits at the end are unused, then the bits.
                let bits = value.element(BIT_STRING).and_then(|content| content.get(1));
                // Written twice, both count.
                found.signs_no_certificates |= bits.is_none_or(|bits| bits & KEY_CERT_SIGN == 0);
            }
        }
        Some(found)
    }
}

#[cfg(test)]
mod tests {
    use super::{may_certify, signs_no_certificates};

    fn element(tag: u8, content: &[u8]) -> Vec<u8> {
        [&[tag, u8::try_from(content.len()).unwrap()], content].concat()
    }

    /// A certificate with what is looked at.
    fn certificate(version: Option<u8>, extensions: &[Vec<u8>]) -> Vec<u8> {
        let version = version.map(|version| element(0xa0, &[2, 1, version])).unwrap_or_default();
        let extensions = match extensions {
            [] => Vec::new(),
            some => element(0xa3, &element(0x30, &some.concat())),
        };
        let unread = [0x30, 0].repeat(5);
        let unique = element(0x81, &[0, 7]);
        element(0x30, &element(0x30, &[&version[..], &[2, 1, 9], &unread, &unique, &extensions].concat()))
    }

    #[test]
    fn ca_true_certifies_and_what_cannot_say_so_rfc_5280_4_2_1_9() {
        let extension = |id: &[u8], critical: bool, value: &[u8]| {
            let critical: &[u8] = if critical { &[1, 1, 0xff] } else { &[] };
            element(0x30, &[&element(6, id), critical, &element(4, value)].concat())
        };
        let constraints = |value: &[u8]| extension(&[0x55, 0x1d, 0x13], true, &element(0x30, value));
        let other = extension(&[0x55, 0x1d, 0x0e], false, &[4, 1, 7]);
        let authority = certificate(Some(2), &[other.clone(), constraints(&[1, 1, 0xff, 2, 1, 0])]);
        let usage = |value: &[u8]| extension(&[0x55, 0x1d, 0x0f], true, &element(3, value));
        let using = |value: &[u8]| certificate(Some(2), &[constraints(&[1, 1, 0xff]), usage(value)]);
        for (der, expected) in [
            (&using(&[2, 0x04]), true),
            (&using(&[1, 0x86]), true),
            (&using(&[7, 0x80]), false),
            (&using(&[1, 0x02]), false),
            (&using(&[0]), false),
            (&using(&[]), false),
            (&certificate(Some(2), &[usage(&[7, 0x80]), constraints(&[1, 1, 0xff])]), false),
            (
                &certificate(Some(2), &[constraints(&[1, 1, 0xff]), usage(&[7, 0x80]), usage(&[2, 0x04])]),
                false,
            ),
            (&certificate(Some(2), &[usage(&[2, 0x04])]), false),
            (&authority, true),
            (&certificate(Some(2), &[constraints(&[])]), false),
            (&certificate(Some(2), &[constraints(&[1, 1, 0])]), false),
            (&certificate(Some(2), &[constraints(&[1, 1, 1])]), false),
            (&certificate(Some(2), std::slice::from_ref(&other)), false),
            (&certificate(Some(2), &[]), false),
            (&certificate(None, &[]), true),
            (&certificate(Some(1), &[]), true),
            (&Vec::new(), false),
        ] {
            assert_eq!(may_certify(der), expected, "{der:x?}");
            // Of those that are authorities, the others say so by their usage.
            assert!(!expected || !signs_no_certificates(der), "{der:x?}");
        }
        assert!(signs_no_certificates(&using(&[7, 0x80])) && signs_no_certificates(&using(&[])));
        assert!(!signs_no_certificates(&authority) && !signs_no_certificates(&[]));
        // Cut anywhere before its end it is malformed.
        for end in 0..authority.len() {
            assert!(!may_certify(authority.get(..end).unwrap_or_default()), "{end}");
        }
    }
}
