//! PEM, and what is in it: SubjectPublicKeyInfo, PKCS#1 and certificates.

use spki::SubjectPublicKeyInfoRef;
use spki::der::asn1::AnyRef;
use spki::der::{Decode, SliceReader, Tag, Tagged};
use traefik_jwt_auth::core::jwk::pem as ours;
use traefik_jwt_auth::core::tls_material;
use x509_parser::prelude::FromDer;

use crate::cut::{choice, text};
use crate::mark::mark;

/// Blocks, as the `pem` crate reads them. It takes a text for no PEM where ours refuses one, so: what is read here is read
/// there, if its lines are as RFC 7468 has them.
pub(super) fn pem(input: &[u8]) {
    let text = text(input);
    let keys = ours::parse(&text);
    mark(if keys.is_ok() { "keys" } else { "refused" });
    if let Ok(lines) = tls_material::certificates(&text) {
        mark("certificates");
        assert_eq!(tls_material::certificates(&lines).as_ref(), Ok(&lines));
        let theirs = ::pem::parse_many(&lines).expect("it is PEM");
        assert!(!theirs.is_empty() && theirs.iter().all(|block| block.tag() == "CERTIFICATE"));
        // The keys of certificates may be of a kind that no token is signed with.
        assert!(keys.is_err() || keys.expect("some").len() == theirs.len());
    }
    if let Ok(lines) = tls_material::private_key(&text) {
        mark("a private key");
        assert_eq!(tls_material::private_key(&lines).as_ref(), Ok(&lines));
        let theirs = ::pem::parse_many(&lines).expect("it is PEM");
        assert!(!theirs.is_empty() && theirs.iter().all(|block| block.tag().ends_with("PRIVATE KEY")));
    }
}

/// DER in a block of each label. What `x509-parser` takes for a certificate has the same key here, and what is read here as a
/// key is a SubjectPublicKeyInfo for the `spki` crate. By rule:
/// - a certificate is read here up to its key; what is in other fields nobody looks at;
/// - PKCS#1 and SubjectPublicKeyInfo stand in for one another here.
pub(super) fn der(input: &[u8]) {
    let (number, der) = choice(input, 4);
    let label = ["PUBLIC KEY", "RSA PUBLIC KEY", "EC PUBLIC KEY", "CERTIFICATE"][number];
    let block = |label: &str, der: &[u8]| ::pem::encode(&::pem::Pem::new(label, der));
    let keys = ours::parse(&block(label, der));
    mark(if keys.is_ok() { "a key" } else { "refused" });
    let Ok(keys) = keys else {
        if label == "CERTIFICATE" {
            certificate(der, None);
        }
        return;
    };
    assert_eq!(keys.len(), 1);
    // The base64 alone says as much.
    let bare = ours::parse(&data_encoding::BASE64.encode(der)).expect("it is a key");
    assert_eq!(bare[0].thumbprint, keys[0].thumbprint);
    match label {
        "CERTIFICATE" => certificate(der, keys[0].thumbprint.as_deref()),
        _ => {
            let is_spki = SubjectPublicKeyInfoRef::from_der(der).is_ok();
            let is_pkcs1 =
                x509_parser::public_key::RSAPublicKey::from_der(der).is_ok_and(|(rest, _)| rest.is_empty());
            assert!(is_spki || is_pkcs1, "{der:x?}");
        }
    }
}

/// The same key as in a block of its own.
fn certificate(der: &[u8], thumbprint: Option<&str>) {
    let Ok((rest, theirs)) = x509_parser::certificate::X509Certificate::from_der(der) else { return };
    // Bytes behind the signature, but inside of the certificate, do not bother it.
    let is_whole = theirs.signature_value.data.as_ptr_range().end == der.as_ptr_range().end;
    if !rest.is_empty() || !is_whole {
        return;
    }
    // It looks at the numbers of tags alone, where those of other classes are other types (X.690 8.1.2.2).
    if !has_tags(der) {
        return;
    }
    mark("a certificate");
    let key = theirs.tbs_certificate.subject_pki.raw;
    let alone = ours::parse(&::pem::encode(&::pem::Pem::new("PUBLIC KEY", key)));
    let alone = alone.ok().and_then(|mut keys| keys.remove(0).thumbprint);
    assert_eq!(alone.as_deref(), thumbprint);
}

/// Whether a certificate consists of what RFC 5280 4.1 has up to its key, and of a signature, for the `der` crate.
fn has_tags(der: &[u8]) -> bool {
    let elements = |value| -> Vec<AnyRef<'_>> {
        let Ok(mut reader) = SliceReader::new(value) else { return Vec::new() };
        std::iter::from_fn(|| AnyRef::decode(&mut reader).ok()).collect()
    };
    let tags = |elements: &[AnyRef<'_>]| elements.iter().map(Tagged::tag).collect::<Vec<_>>();
    let [whole] = elements(der)[..] else { return false };
    let parts = elements(whole.value());
    let fields = parts.first().map(|tbs| elements(tbs.value())).unwrap_or_default();
    let is_version = |field: &AnyRef<'_>| matches!(field.tag(), Tag::ContextSpecific { constructed: true, number } if number.value() == 0);
    let fields = &fields[usize::from(fields.first().is_some_and(is_version))..];
    whole.tag() == Tag::Sequence
        && tags(&parts) == [Tag::Sequence, Tag::Sequence, Tag::BitString]
        && tags(fields.get(..6).unwrap_or_default()) == [&[Tag::Integer][..], &[Tag::Sequence; 5]].concat()
}
