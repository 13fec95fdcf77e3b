//! The field of P-384: integers modulo p = 2^384 - 2^128 - 2^96 + 2^32 - 1, as Montgomery residues with R = 2^406.
//!
//! Elements as in `montgomery_field`: 14 products in a column fit an `i64` if the product of their magnitudes is at most 9
//! (14·9·2^56 < 2^63 - 2^56). p is -1 modulo 2^32, and a digit times p is four shifted additions.
#![expect(clippy::arithmetic_side_effects, reason = "the tests compute the bounds of limbs and columns")]

use crate::bounds::bounded;
use crate::curves::montgomery_field::{MAX_PRODUCT, MAX_SUM, montgomery_field};
use crate::limbs::{
    Columns, Limbs, add, are_balanced, balance, balance_at, carry_unsigned, from_be_bytes, is_zero, less,
    narrow, one, split, split_balanced, subtract, widen,
};
use crate::magnitude::Magnitude;
use crate::modulus::Modulus;
use crate::weierstrass::Curve;

/// The modulus p.
const P: Modulus<14> = Modulus::new(&[
    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, //
    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfe, //
    0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0xff, 0xff, 0xff, 0xff, //
]);

montgomery_field! {
    14 limbs, 48 bytes, 384 bits, head 7,
    b: [
        0xb3, 0x31, 0x2f, 0xa7, 0xe2, 0x3e, 0xe7, 0xe4, 0x98, 0x8e, 0x05, 0x6b, 0xe3, 0xf8, 0x2d, 0x19, //
        0x18, 0x1d, 0x9c, 0x6e, 0xfe, 0x81, 0x41, 0x12, 0x03, 0x14, 0x08, 0x8f, 0x50, 0x13, 0x87, 0x5a, //
        0xc6, 0x56, 0x39, 0x8d, 0x8a, 0x2e, 0xd1, 0x9d, 0x2a, 0x85, 0xc8, 0xed, 0xd3, 0xec, 0x2a, 0xef, //
    ],
    g: [[
        0xaa, 0x87, 0xca, 0x22, 0xbe, 0x8b, 0x05, 0x37, 0x8e, 0xb1, 0xc7, 0x1e, 0xf3, 0x20, 0xad, 0x74, //
        0x6e, 0x1d, 0x3b, 0x62, 0x8b, 0xa7, 0x9b, 0x98, 0x59, 0xf7, 0x41, 0xe0, 0x82, 0x54, 0x2a, 0x38, //
        0x55, 0x02, 0xf2, 0x5d, 0xbf, 0x55, 0x29, 0x6c, 0x3a, 0x54, 0x5e, 0x38, 0x72, 0x76, 0x0a, 0xb7, //
    ], [
        0x36, 0x17, 0xde, 0x4a, 0x96, 0x26, 0x2c, 0x6f, 0x5d, 0x9e, 0x98, 0xbf, 0x92, 0x92, 0xdc, 0x29, //
        0xf8, 0xf4, 0x1d, 0xbd, 0x28, 0x9a, 0x14, 0x7c, 0xe9, 0xda, 0x31, 0x13, 0xb5, 0xf0, 0xb8, 0xc0, //
        0x0a, 0x60, 0xb1, 0xce, 0x1d, 0x7e, 0x81, 0x9d, 0x7a, 0x43, 0x1d, 0x7c, 0x90, 0xea, 0x0e, 0x5f, //
    ]]
}

bounded! {
    /// The same number modulo p with balanced limbs, within ±0.53 p; takes limbs of a magnitude up to 6.
    const fn tight_limbs(limbs: &Limbs<14>) -> Limbs<14> {
        let [a0, a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11, a12, a13] = *limbs;
        // The unit of the head limb is 2^377; p is 2^7 of these, less a tiny part.
        let (head, q) = balance_at(a13, 7);
        let (r0, t) = balance(a0 + q);
        let (r1, t) = balance(a1 - (q << 3) + t);
        let (r2, t) = balance(a2 + t);
        let (r3, t) = balance(a3 + (q << 9) + t);
        let (r4, t) = balance(a4 + (q << 12) + t);
        let (r5, t) = balance(a5 + t);
        let (r6, t) = balance(a6 + t);
        let (r7, t) = balance(a7 + t);
        let (r8, t) = balance(a8 + t);
        let (r9, t) = balance(a9 + t);
        let (r10, t) = balance(a10 + t);
        let (r11, t) = balance(a11 + t);
        let (r12, t) = balance(a12 + t);
        [r0, r1, r2, r3, r4, r5, r6, r7, r8, r9, r10, r11, r12, head + t]
    }

    /// `columns/R`: adds to the low 14 columns the multiple of p that makes them zero. Within p plus a 2^406th of the
    /// product.
    #[inline(always)]
    const fn reduce(c: &Columns<27>) -> Limbs<14> {
        let (q0, t) = split(c[0]);
        let (q1, t) = split(c[1] + t + (q0 << 3));
        let (q2, t) = split(c[2] + t + (q1 << 3));
        let (q3, t) = split(c[3] + t + (q2 << 3) - (q0 << 9));
        let (q4, t) = split(c[4] + t + (q3 << 3) - (q1 << 9) - (q0 << 12));
        let (q5, t) = split(c[5] + t + (q4 << 3) - (q2 << 9) - (q1 << 12));
        let (q6, t) = split(c[6] + t + (q5 << 3) - (q3 << 9) - (q2 << 12));
        let (q7, t) = split(c[7] + t + (q6 << 3) - (q4 << 9) - (q3 << 12));
        let (q8, t) = split(c[8] + t + (q7 << 3) - (q5 << 9) - (q4 << 12));
        let (q9, t) = split(c[9] + t + (q8 << 3) - (q6 << 9) - (q5 << 12));
        let (q10, t) = split(c[10] + t + (q9 << 3) - (q7 << 9) - (q6 << 12));
        let (q11, t) = split(c[11] + t + (q10 << 3) - (q8 << 9) - (q7 << 12));
        let (q12, t) = split(c[12] + t + (q11 << 3) - (q9 << 9) - (q8 << 12));
        let (q13, t) = split(c[13] + t + (q12 << 3) - (q10 << 9) - (q9 << 12) + (q0 << 7));
        let (r0, t) = split_balanced(c[14] + t + (q13 << 3) - (q11 << 9) - (q10 << 12) + (q1 << 7));
        let (r1, t) = split_balanced(c[15] + t - (q12 << 9) - (q11 << 12) + (q2 << 7));
        let (r2, t) = split_balanced(c[16] + t - (q13 << 9) - (q12 << 12) + (q3 << 7));
        let (r3, t) = split_balanced(c[17] + t - (q13 << 12) + (q4 << 7));
        let (r4, t) = split_balanced(c[18] + t + (q5 << 7));
        let (r5, t) = split_balanced(c[19] + t + (q6 << 7));
        let (r6, t) = split_balanced(c[20] + t + (q7 << 7));
        let (r7, t) = split_balanced(c[21] + t + (q8 << 7));
        let (r8, t) = split_balanced(c[22] + t + (q9 << 7));
        let (r9, t) = split_balanced(c[23] + t + (q10 << 7));
        let (r10, t) = split_balanced(c[24] + t + (q11 << 7));
        let (r11, t) = split_balanced(c[25] + t + (q12 << 7));
        let (r12, t) = split_balanced(c[26] + t + (q13 << 7));
        [r0, r1, r2, r3, r4, r5, r6, r7, r8, r9, r10, r11, r12, narrow(t)]
    }

    #[inline(always)]
    const fn product(a: &Limbs<14>, b: &Limbs<14>) -> Columns<27> {
        let [a0, a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11, a12, a13] = widen(a);
        let [b0, b1, b2, b3, b4, b5, b6, b7, b8, b9, b10, b11, b12, b13] = widen(b);
        [
            a0 * b0,
            a0 * b1 + a1 * b0,
            a0 * b2 + a1 * b1 + a2 * b0,
            a0 * b3 + a1 * b2 + a2 * b1 + a3 * b0,
            a0 * b4 + a1 * b3 + a2 * b2 + a3 * b1 + a4 * b0,
            a0 * b5 + a1 * b4 + a2 * b3 + a3 * b2 + a4 * b1 + a5 * b0,
            a0 * b6 + a1 * b5 + a2 * b4 + a3 * b3 + a4 * b2 + a5 * b1 + a6 * b0,
            a0 * b7 + a1 * b6 + a2 * b5 + a3 * b4 + a4 * b3 + a5 * b2 + a6 * b1 + a7 * b0,
            a0 * b8 + a1 * b7 + a2 * b6 + a3 * b5 + a4 * b4 + a5 * b3 + a6 * b2 + a7 * b1 + a8 * b0,
            a0 * b9 + a1 * b8 + a2 * b7 + a3 * b6 + a4 * b5 + a5 * b4 + a6 * b3 + a7 * b2 + a8 * b1 + a9 * b0,
            a0 * b10 + a1 * b9 + a2 * b8 + a3 * b7 + a4 * b6 + a5 * b5 + a6 * b4 + a7 * b3 + a8 * b2 + a9 * b1
                + a10 * b0,
            a0 * b11 + a1 * b10 + a2 * b9 + a3 * b8 + a4 * b7 + a5 * b6 + a6 * b5 + a7 * b4 + a8 * b3 + a9 * b2
                + a10 * b1 + a11 * b0,
            a0 * b12 + a1 * b11 + a2 * b10 + a3 * b9 + a4 * b8 + a5 * b7 + a6 * b6 + a7 * b5 + a8 * b4 + a9 * b3
                + a10 * b2 + a11 * b1 + a12 * b0,
            a0 * b13 + a1 * b12 + a2 * b11 + a3 * b10 + a4 * b9 + a5 * b8 + a6 * b7 + a7 * b6 + a8 * b5
                + a9 * b4 + a10 * b3 + a11 * b2 + a12 * b1 + a13 * b0,
            a1 * b13 + a2 * b12 + a3 * b11 + a4 * b10 + a5 * b9 + a6 * b8 + a7 * b7 + a8 * b6 + a9 * b5
                + a10 * b4 + a11 * b3 + a12 * b2 + a13 * b1,
            a2 * b13 + a3 * b12 + a4 * b11 + a5 * b10 + a6 * b9 + a7 * b8 + a8 * b7 + a9 * b6 + a10 * b5
                + a11 * b4 + a12 * b3 + a13 * b2,
            a3 * b13 + a4 * b12 + a5 * b11 + a6 * b10 + a7 * b9 + a8 * b8 + a9 * b7 + a10 * b6 + a11 * b5
                + a12 * b4 + a13 * b3,
            a4 * b13 + a5 * b12 + a6 * b11 + a7 * b10 + a8 * b9 + a9 * b8 + a10 * b7 + a11 * b6 + a12 * b5
                + a13 * b4,
            a5 * b13 + a6 * b12 + a7 * b11 + a8 * b10 + a9 * b9 + a10 * b8 + a11 * b7 + a12 * b6 + a13 * b5,
            a6 * b13 + a7 * b12 + a8 * b11 + a9 * b10 + a10 * b9 + a11 * b8 + a12 * b7 + a13 * b6,
            a7 * b13 + a8 * b12 + a9 * b11 + a10 * b10 + a11 * b9 + a12 * b8 + a13 * b7,
            a8 * b13 + a9 * b12 + a10 * b11 + a11 * b10 + a12 * b9 + a13 * b8,
            a9 * b13 + a10 * b12 + a11 * b11 + a12 * b10 + a13 * b9,
            a10 * b13 + a11 * b12 + a12 * b11 + a13 * b10,
            a11 * b13 + a12 * b12 + a13 * b11,
            a12 * b13 + a13 * b12,
            a13 * b13,
        ]
    }

    /// `product(a, a)`; each product of two different limbs is computed once.
    #[inline(always)]
    const fn square(a: &Limbs<14>) -> Columns<27> {
        let [a0, a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11, a12, a13] = widen(a);
        let [d0, d1, d2, d3, d4, d5, d6, d7, d8, d9, d10, d11, d12] = [
            2 * a0, 2 * a1, 2 * a2, 2 * a3, 2 * a4, 2 * a5, 2 * a6, 2 * a7, 2 * a8, 2 * a9, 2 * a10, 2 * a11, 2 * a12,
        ];
        [
            a0 * a0,
            d0 * a1,
            d0 * a2 + a1 * a1,
            d0 * a3 + d1 * a2,
            d0 * a4 + d1 * a3 + a2 * a2,
            d0 * a5 + d1 * a4 + d2 * a3,
            d0 * a6 + d1 * a5 + d2 * a4 + a3 * a3,
            d0 * a7 + d1 * a6 + d2 * a5 + d3 * a4,
            d0 * a8 + d1 * a7 + d2 * a6 + d3 * a5 + a4 * a4,
            d0 * a9 + d1 * a8 + d2 * a7 + d3 * a6 + d4 * a5,
            d0 * a10 + d1 * a9 + d2 * a8 + d3 * a7 + d4 * a6 + a5 * a5,
            d0 * a11 + d1 * a10 + d2 * a9 + d3 * a8 + d4 * a7 + d5 * a6,
            d0 * a12 + d1 * a11 + d2 * a10 + d3 * a9 + d4 * a8 + d5 * a7 + a6 * a6,
            d0 * a13 + d1 * a12 + d2 * a11 + d3 * a10 + d4 * a9 + d5 * a8 + d6 * a7,
            d1 * a13 + d2 * a12 + d3 * a11 + d4 * a10 + d5 * a9 + d6 * a8 + a7 * a7,
            d2 * a13 + d3 * a12 + d4 * a11 + d5 * a10 + d6 * a9 + d7 * a8,
            d3 * a13 + d4 * a12 + d5 * a11 + d6 * a10 + d7 * a9 + a8 * a8,
            d4 * a13 + d5 * a12 + d6 * a11 + d7 * a10 + d8 * a9,
            d5 * a13 + d6 * a12 + d7 * a11 + d8 * a10 + a9 * a9,
            d6 * a13 + d7 * a12 + d8 * a11 + d9 * a10,
            d7 * a13 + d8 * a12 + d9 * a11 + a10 * a10,
            d8 * a13 + d9 * a12 + d10 * a11,
            d9 * a13 + d10 * a12 + a11 * a11,
            d10 * a13 + d11 * a12,
            d11 * a13 + a12 * a12,
            d12 * a13,
            a13 * a13,
        ]
    }
}
