//! The field of P-256: integers modulo p = 2^256 - 2^224 + 2^192 + 2^96 - 1, as Montgomery residues with R = 2^261.
//!
//! Elements as in `montgomery_field`. p is -1 modulo 2^96, and a digit times p is four shifted additions.
#![expect(clippy::arithmetic_side_effects, reason = "the tests compute the bounds of limbs and columns")]

use crate::bounds::bounded;
use crate::curves::montgomery_field::{MAX_PRODUCT, MAX_SUM, montgomery_field};
use crate::limbs::{
    Columns, Limbs, add, are_balanced, balance, balance_at, carry_unsigned, from_be_bytes, is_zero, less,
    narrow, one, product, split, split_balanced, square, subtract,
};
use crate::magnitude::Magnitude;
use crate::modulus::Modulus;
use crate::weierstrass::Curve;

/// The modulus p.
const P: Modulus = Modulus::new(&[
    0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x01, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, //
    0x00, 0x00, 0x00, 0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
]);

montgomery_field! {
    9 limbs, 32 bytes, 256 bits, head 24,
    b: [
        0x5a, 0xc6, 0x35, 0xd8, 0xaa, 0x3a, 0x93, 0xe7, 0xb3, 0xeb, 0xbd, 0x55, 0x76, 0x98, 0x86, 0xbc, //
        0x65, 0x1d, 0x06, 0xb0, 0xcc, 0x53, 0xb0, 0xf6, 0x3b, 0xce, 0x3c, 0x3e, 0x27, 0xd2, 0x60, 0x4b, //
    ],
    g: [[
        0x6b, 0x17, 0xd1, 0xf2, 0xe1, 0x2c, 0x42, 0x47, 0xf8, 0xbc, 0xe6, 0xe5, 0x63, 0xa4, 0x40, 0xf2, //
        0x77, 0x03, 0x7d, 0x81, 0x2d, 0xeb, 0x33, 0xa0, 0xf4, 0xa1, 0x39, 0x45, 0xd8, 0x98, 0xc2, 0x96, //
    ], [
        0x4f, 0xe3, 0x42, 0xe2, 0xfe, 0x1a, 0x7f, 0x9b, 0x8e, 0xe7, 0xeb, 0x4a, 0x7c, 0x0f, 0x9e, 0x16, //
        0x2b, 0xce, 0x33, 0x57, 0x6b, 0x31, 0x5e, 0xce, 0xcb, 0xb6, 0x40, 0x68, 0x37, 0xbf, 0x51, 0xf5, //
    ]]
}

bounded! {
    twins: crate::limbs::bounds::product, crate::limbs::bounds::square;

    /// The same number modulo p with balanced limbs, within ±0.51 p; takes limbs of a magnitude up to 6.
    const fn tight_limbs(limbs: &Limbs) -> Limbs {
        let [a0, a1, a2, a3, a4, a5, a6, a7, a8] = *limbs;
        // The unit of the head limb is 2^232; p is 2^24 of these, less a 2^-32nd.
        let (head, q) = balance_at(a8, 24);
        let (r0, t) = balance(a0 + q);
        let (r1, t) = balance(a1 + t);
        let (r2, t) = balance(a2 + t);
        let (r3, t) = balance(a3 - (q << 9) + t);
        let (r4, t) = balance(a4 + t);
        let (r5, t) = balance(a5 + t);
        let (r6, t) = balance(a6 - (q << 18) + t);
        let (r7, t) = balance(a7 + (q << 21) + t);
        [r0, r1, r2, r3, r4, r5, r6, r7, head + t]
    }

    /// `columns/R`: adds to the low nine columns the multiple of p that makes them zero. Within p plus a 2^261st of the
    /// product.
    #[inline(always)]
    const fn reduce(c: &Columns) -> Limbs {
        let (q0, t) = split(c[0]);
        let (q1, t) = split(c[1] + t);
        let (q2, t) = split(c[2] + t);
        let (q3, t) = split(c[3] + t + (q0 << 9));
        let (q4, t) = split(c[4] + t + (q1 << 9));
        let (q5, t) = split(c[5] + t + (q2 << 9));
        let (q6, t) = split(c[6] + t + (q3 << 9) + (q0 << 18));
        let (q7, t) = split(c[7] + t + (q4 << 9) + (q1 << 18) - (q0 << 21));
        let (q8, t) = split(c[8] + t + (q5 << 9) + (q2 << 18) - (q1 << 21) + (q0 << 24));
        let (r0, t) = split_balanced(c[9] + t + (q6 << 9) + (q3 << 18) - (q2 << 21) + (q1 << 24));
        let (r1, t) = split_balanced(c[10] + t + (q7 << 9) + (q4 << 18) - (q3 << 21) + (q2 << 24));
        let (r2, t) = split_balanced(c[11] + t + (q8 << 9) + (q5 << 18) - (q4 << 21) + (q3 << 24));
        let (r3, t) = split_balanced(c[12] + t + (q6 << 18) - (q5 << 21) + (q4 << 24));
        let (r4, t) = split_balanced(c[13] + t + (q7 << 18) - (q6 << 21) + (q5 << 24));
        let (r5, t) = split_balanced(c[14] + t + (q8 << 18) - (q7 << 21) + (q6 << 24));
        let (r6, t) = split_balanced(c[15] + t - (q8 << 21) + (q7 << 24));
        let (r7, t) = split_balanced(c[16] + t + (q8 << 24));
        [r0, r1, r2, r3, r4, r5, r6, r7, narrow(t)]
    }
}
