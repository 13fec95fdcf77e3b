//! RSASSA-PKCS1-v1_5 and RSASSA-PSS (RFC 7518 3.3 and 3.5, RFC 8017 8). The arithmetic recovers the encoded
//! message; both encodings are checked here. Public values only, so time need not be constant.

use super::alg::Hash;
use super::{KeyError, SignatureError};
use arithmetic::rsa::{self, RsaPublicKey};

/// A modulus of an accepted size with an accepted exponent.
pub(super) struct RsaKey(RsaPublicKey);

impl RsaKey {
    /// `n` and `e` are big-endian. Leading zeros are dropped: some libraries write one before a set top bit
    /// (RFC 7518 6.3.1.1).
    pub(super) fn new(n: &[u8], e: &[u8]) -> Result<Self, KeyError> {
        RsaPublicKey::new(n, e).map(Self).map_err(|error| match error {
            rsa::KeyError::ModulusSize { bits } => KeyError::RsaModulusSize { bits },
            rsa::KeyError::ModulusEven => KeyError::RsaModulusEven,
            rsa::KeyError::Exponent => KeyError::RsaExponent,
            rsa::KeyError::ExponentTooLarge => KeyError::RsaExponentTooLarge,
        })
    }

    pub(super) fn bits(&self) -> usize {
        self.0.bits()
    }

    /// RFC 8017 8.2.2. The expected encoding is built and compared as a whole: lenient decoders accepted
    /// forgeries with small exponents (CVE-2006-4339 and its successors).
    #[inline(never)]
    pub(super) fn verify_pkcs1(
        &self,
        hash: Hash,
        signing_input: &[u8],
        signature: &[u8],
    ) -> Result<(), SignatureError> {
        let found = self.recover(signature)?;
        let expected = emsa_pkcs1(hash, &hash.digest(&[signing_input]), self.0.size_bytes());
        if expected == Some(found) { Ok(()) } else { Err(SignatureError::Mismatch) }
    }

    /// RFC 8017 8.1.2, the salt as long as the hash (RFC 7518 3.5).
    #[inline(never)]
    pub(super) fn verify_pss(
        &self,
        hash: Hash,
        signing_input: &[u8],
        signature: &[u8],
    ) -> Result<(), SignatureError> {
        let found = self.recover(signature)?;
        // The encoded message has one bit less than the modulus, so at most one whole byte less.
        let encoded_bits = self.bits().saturating_sub(1);
        let encoded = match found.split_first() {
            Some((0, rest)) if encoded_bits.is_multiple_of(8) => rest,
            Some(_) if !encoded_bits.is_multiple_of(8) => &found,
            Some(_) | None => return Err(SignatureError::Mismatch),
        };
        if is_emsa_pss(hash, &hash.digest(&[signing_input]), encoded, encoded_bits) {
            Ok(())
        } else {
            Err(SignatureError::Mismatch)
        }
    }

    /// RSAVP1 (RFC 8017 5.2.2).
    fn recover(&self, signature: &[u8]) -> Result<Vec<u8>, SignatureError> {
        self.0.recover(signature).map_err(|error| match error {
            rsa::SignatureError::Length { expected, found } => SignatureError::Length { expected, found },
            rsa::SignatureError::OutOfRange => SignatureError::OutOfRange,
        })
    }
}

/// EMSA-PKCS1-v1_5 (RFC 8017 9.2): 00 01 ff… 00 DigestInfo.
fn emsa_pkcs1(hash: Hash, digest: &[u8], length: usize) -> Option<Vec<u8>> {
    let prefix = digest_info_prefix(hash);
    let padding = length.checked_sub(prefix.len())?.checked_sub(digest.len())?.checked_sub(3)?;
    let mut encoded = Vec::with_capacity(length);
    encoded.extend_from_slice(&[0, 1]);
    encoded.extend(std::iter::repeat_n(0xff, padding));
    encoded.push(0);
    encoded.extend_from_slice(prefix);
    encoded.extend_from_slice(digest);
    Some(encoded)
}

/// DER of DigestInfo up to the digest (RFC 8017 9.2, note 1).
const fn digest_info_prefix(hash: Hash) -> &'static [u8; 19] {
    match hash {
        Hash::Sha256 => b"\x30\x31\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x05\x00\x04\x20",
        Hash::Sha384 => b"\x30\x41\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x02\x05\x00\x04\x30",
        Hash::Sha512 => b"\x30\x51\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x03\x05\x00\x04\x40",
    }
}

/// EMSA-PSS-VERIFY (RFC 8017 9.1.2), its steps in its order.
fn is_emsa_pss(hash: Hash, digest: &[u8], encoded: &[u8], encoded_bits: usize) -> bool {
    let Some((&0xbc, rest)) = encoded.split_last() else {
        return false;
    };
    let Some((masked, h)) = rest.len().checked_sub(hash.bytes()).and_then(|at| rest.split_at_checked(at))
    else {
        return false;
    };
    // The bits of the first byte that the encoded message does not have.
    let top_mask = match encoded_bits % 8 {
        0 => 0xff,
        used => (1_u8 << used).wrapping_sub(1),
    };
    let Some(&first) = masked.first() else {
        return false;
    };
    if first & !top_mask != 0 {
        return false;
    }
    let mut db: Vec<u8> = masked.iter().zip(mgf1(hash, h, masked.len())).map(|(a, b)| a ^ b).collect();
    if let Some(first) = db.first_mut() {
        *first &= top_mask;
    }
    let Some((padding, salt)) = db.len().checked_sub(hash.bytes()).and_then(|at| db.split_at_checked(at))
    else {
        return false;
    };
    let Some((&1, zeros)) = padding.split_last() else {
        return false;
    };
    zeros.iter().all(|&byte| byte == 0) && hash.digest(&[&[0; 8], digest, salt]) == h
}

/// MGF1 (RFC 8017 B.2.1).
fn mgf1(hash: Hash, seed: &[u8], length: usize) -> Vec<u8> {
    let mut mask = Vec::with_capacity(length.saturating_add(hash.bytes()));
    for counter in 0_u32.. {
        if mask.len() >= length {
            break;
        }
        mask.extend(hash.digest(&[seed, &counter.to_be_bytes()]));
    }
    mask.truncate(length);
    mask
}

#[cfg(test)]
mod tests {
    use crate::core::signature::alg::Alg;
    use crate::core::signature::examples::example;
    use crate::core::signature::{KeyError, SignatureError, VerifyingKey, verify};
    use crate::core::token::base64url::decode;

    #[test]
    fn an_rsa_signature_is_below_the_modulus_rfc_8017_5_2_2() {
        let example = example("RFC 7515 A.2");
        assert_eq!(example.verdict(&[0xff; 256]), Err(SignatureError::OutOfRange));
        assert_eq!(example.verdict(&[0; 256]), Err(SignatureError::Mismatch));
        let mut one = [0; 256];
        one[255] = 1;
        assert_eq!(example.verdict(&one), Err(SignatureError::Mismatch));
    }

    /// The encoded message of a modulus of 2049 bits has 2048: a byte less than the modulus (RFC 8017 8.1.2).
    #[test]
    fn pss_with_a_modulus_of_a_bit_more_than_whole_bytes() {
        // Made for this test with Python's integers; of the second one the message was encoded in all 257 bytes.
        let n = concat!(
            "Aaw5AJGAfl1E_Yi5Ja9mtYNmreeTpzx_f2jd2CNlDd1F7rA32lQye6JuJyUuofIWfWuY6kQ5Ly4fcfnx9654Va",
            "rBYDGJ5wR1FAsl08_Mmh3SgJTPlTU-wT6Ry4xDY-ibM2b_hNlURC3eKAJEkzZN8KP_UIxAakXeZZ8_uVyuo1c4",
            "TE_Lp0Rq18T9tDN3i7bv50ZY1ycmECm4RhT7K9Fx8mIEVjtPmsg0BqlRkmShsFYw8OFKZDN73E6oLbGU8Qe6aw",
            "wIWgV3eKF1uejuwaLAbS2SJuH1RIdp0w6uUV7h2Jg2CigDfg43nrxVIFvbT1Xk4GD18vYmEl6CM4yLk06CbMk",
        );
        let signature = concat!(
            "AasasNsQc0D252pTtB6izhwa8GDzaFiEuL5wfkys_AUg56OOkYx8GmgZhd6P-EFbT3zgRAdc-p63h6dl7R4ox5",
            "bgmCZ-Imqe76m-Q9KlmtX3tDPiOOMQPnkCnRxmNDzZvMOc8aNng-YIlL3KaGoAdvOMRcVs4tUqOfWgA3CpDSF4",
            "n-YPWh3XZgIZ6t-2HMbGp6fwC4ChVnX_3L6WTNdZb4rprrsNfEn7l1bIET2ZemIY-d-z-SjWdrdaJIXrmG73Vh",
            "V11IrTQzp9R8AwSAoNG-etYeIs011pKDOcP6XwbqBNXoRydXD_JieNpSbUA43z0DtlNEL-30yWPzSvOWxWtyk",
        );
        let of_a_byte_more = concat!(
            "AKobGF2Yl1OFxZEIkBUL0mHuieuBRkA3YaWRUJG11jM_5Lg8_fMRJnvjx11H8ZZxMjecuN3n1nOOT6nE5bTb7e",
            "BGC0qZv7SJ9pXwhZ4m6C_PfnoY8XThOpV4E-pMc0nLKpLpvuF6kd6mr4Dn1W74Y-Aid8iRYD49KjxwOflYCL4U",
            "C_0ymqblWtUx6H7hmjkXXe1_Pu2G6AAzJ9ks-XshhmwxqKTo2N7QqAZO-snUtzt9vc-u7Uw2Xut9PC6rdNVSMO",
            "wG5d_V6urE5-aqftjxUBLuwOQir9CoAefJC4KbDVRjcvBmzXJtshevYe9JmdToeWer-hUGRTeryCL1oeeRYas",
        );
        let bytes = |text: &str| decode(text.as_bytes()).unwrap();
        let key = VerifyingKey::rsa(&bytes(n), &[1, 0, 1]).unwrap();
        for (signature, expected) in [(signature, Ok(())), (of_a_byte_more, Err(SignatureError::Mismatch))] {
            assert_eq!(verify(&key, Alg::Ps256, b"input", &bytes(signature)), expected);
        }
    }

    #[test]
    fn rsa_keys_have_2048_to_8192_bits_and_an_odd_exponent_rfc_7518_3_3() {
        let n = |bytes: usize, first: u8, last: u8| [&[first], &vec![0x5a; bytes - 2][..], &[last]].concat();
        let f4 = &[1, 0, 1][..];
        for (n, e, expected) in [
            (n(256, 0x80, 1), f4, Ok(())),
            (n(1024, 0xff, 1), f4, Ok(())),
            ([vec![0, 0], n(256, 0x80, 1)].concat(), f4, Ok(())),
            (n(256, 0x80, 1), &[0, 1, 0, 1], Ok(())),
            (n(256, 0x80, 1), &[3], Ok(())),
            (n(256, 0x80, 1), &[1, 0, 3], Err(KeyError::RsaExponentTooLarge)),
            (n(256, 0x80, 1), &[0xff, 0xff, 0xff, 0xff], Err(KeyError::RsaExponentTooLarge)),
            (n(256, 0x7f, 1), f4, Err(KeyError::RsaModulusSize { bits: 2047 })),
            (n(128, 0x80, 1), f4, Err(KeyError::RsaModulusSize { bits: 1024 })),
            (n(1025, 1, 1), f4, Err(KeyError::RsaModulusSize { bits: 8193 })),
            (vec![], f4, Err(KeyError::RsaModulusSize { bits: 0 })),
            (vec![0; 256], f4, Err(KeyError::RsaModulusSize { bits: 0 })),
            (n(256, 0x80, 2), f4, Err(KeyError::RsaModulusEven)),
            (n(256, 0x80, 1), &[], Err(KeyError::RsaExponent)),
            (n(256, 0x80, 1), &[0], Err(KeyError::RsaExponent)),
            (n(256, 0x80, 1), &[1], Err(KeyError::RsaExponent)),
            (n(256, 0x80, 1), &[0, 1], Err(KeyError::RsaExponent)),
            (n(256, 0x80, 1), &[2], Err(KeyError::RsaExponent)),
            (n(256, 0x80, 1), &[1, 0, 0], Err(KeyError::RsaExponent)),
            (n(256, 0x80, 1), &[1, 0, 0, 0, 1], Err(KeyError::RsaExponentTooLarge)),
        ] {
            assert_eq!(VerifyingKey::rsa(&n, e).map(|_| ()), expected, "{} {e:x?}", n.len());
        }
    }
}
