//! P-256 (SP 800-186 3.2.1.3): ES256 without its hash.

mod field;

use crate::ecdsa::{self, Ecdsa, Signature};
use crate::limbs::Limbs;
use crate::modulus::Modulus;
use field::Field;

/// The curve P-256.
#[derive(Clone, Copy, Debug)]
pub struct P256;
/// A P-256 key that no table was made for.
pub type PublicKey = ecdsa::PublicKey<P256>;
/// A P-256 key with a table of 9 KB.
pub type PreparedKey = ecdsa::PreparedKey<P256>;
/// The table of the base point that all prepared keys share.
pub type Generator = ecdsa::Generator<P256>;

/// The order n of the group.
const N: Modulus = Modulus::new(&[
    0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, //
    0xbc, 0xe6, 0xfa, 0xad, 0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51, //
]);

impl Ecdsa for P256 {
    type Bytes = [u8; 32];
    type Scalar = Limbs;
    type Field = Field;

    fn field(bytes: &[u8; 32]) -> Option<Field> {
        Field::from_be_bytes(bytes)
    }

    fn signature(hash: &[u8; 32], r: &[u8; 32], s: &[u8; 32]) -> Option<Signature<Limbs, Field>> {
        Signature::new(&N, Field::from_limbs, [hash, r, s])
    }
}

#[cfg(test)]
#[expect(clippy::arithmetic_side_effects, reason = "operators of the oracle, and small numbers")]
mod tests {
    const P: [u8; 32] = [
        0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x01, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
        0x00, //
        0x00, 0x00, 0x00, 0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
        0xff, //
    ];
    crate::curves::oracle::agrees_with!(p256, 32, share 10);
}
