//! P-521 (SP 800-186 3.2.1.5): ES512 without its hash.

mod field;

use crate::ecdsa::{self, Ecdsa, Signature};
use crate::limbs::{Limbs, from_be_bytes};
use crate::modulus::Modulus;
use field::Field;

/// The curve P-521.
#[derive(Clone, Copy, Debug)]
pub struct P521;
/// A key on P-521.
pub type PublicKey = ecdsa::PublicKey<P521>;
/// As on the other curves, but only tests make tables here.
#[cfg(test)]
type PreparedKey = ecdsa::PreparedKey<P521>;
#[cfg(test)]
type Generator = ecdsa::Generator<P521>;

/// The order n of the group.
const N: Modulus<18> = Modulus::new(&[
    0x01, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, //
    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, //
    0xff, 0xfa, 0x51, 0x86, 0x87, 0x83, 0xbf, 0x2f, 0x96, 0x6b, 0x7f, 0xcc, 0x01, 0x48, 0xf7, 0x09, //
    0xa5, 0xd0, 0x3b, 0xb5, 0xc9, 0xb8, 0x89, 0x9c, 0x47, 0xae, 0xbb, 0x6f, 0xb7, 0x1e, 0x91, 0x38, //
    0x64, 0x09,
]);

impl Ecdsa for P521 {
    type Bytes = [u8; 66];
    type Scalar = Limbs<18>;
    type Field = Field;

    fn field(bytes: &[u8; 66]) -> Option<Field> {
        if fits(bytes) { Field::from_limbs(&from_be_bytes(bytes)) } else { None }
    }

    fn signature(hash: &[u8; 66], r: &[u8; 66], s: &[u8; 66]) -> Option<Signature<Limbs<18>, Field>> {
        let parts = [hash, r, s];
        if parts.into_iter().all(fits) {
            Signature::new(&N, Field::from_limbs, parts.map(<[u8; 66]>::as_slice))
        } else {
            None
        }
    }
}

/// Whether a number has at most 521 bits; 66 bytes can hold seven more, which limbs would lose.
const fn fits(bytes: &[u8; 66]) -> bool {
    let [head, ..] = *bytes;
    head <= 1
}

#[cfg(test)]
#[expect(clippy::arithmetic_side_effects, reason = "operators of the oracle, and small numbers")]
mod tests {
    const P: [u8; 66] = {
        let mut p = [0xff; 66];
        p[0] = 1;
        p
    };
    crate::curves::oracle::agrees_with!(p521, 66, share 2);

    /// 66 bytes hold 528 bits, limbs hold 522: a longer number must not pass for its truncated form.
    #[test]
    fn refuses_bits_above_521() {
        let sec1 = ProjectivePoint::GENERATOR.to_affine().to_sec1_point(false);
        let (x, y): ([u8; LEN], [u8; LEN]) = ((*sec1.x().unwrap()).into(), (*sec1.y().unwrap()).into());
        let key = key(ProjectivePoint::GENERATOR, &Rc::new(Generator::new()));
        let [hash, r, s] = chosen(small(5), small(7), ProjectivePoint::GENERATOR).unwrap();
        assert!(verdict(&key, &hash, &r, &s));
        for bit in 1..8 {
            let with_bit = |mut number: [u8; LEN]| {
                number[0] |= 1 << bit;
                number
            };
            assert!(!verdict(&key, &hash, &with_bit(r), &s), "r, bit {bit}");
            assert!(!verdict(&key, &hash, &r, &with_bit(s)), "s, bit {bit}");
            assert!(!key.plain.verify_prehash(&with_bit(hash), &r, &s), "hash, bit {bit}");
            assert!(PublicKey::from_affine(&with_bit(x), &y).is_none(), "x, bit {bit}");
            assert!(PublicKey::from_affine(&x, &with_bit(y)).is_none(), "y, bit {bit}");
            assert!(PublicKey::from_compressed(&with_bit(x), false).is_none(), "compressed, bit {bit}");
        }
    }
}
