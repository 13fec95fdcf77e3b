//! Signed limbs of 29 bits: the numbers of all curves and their scalars, nine limbs up to 256 bits, 14 for 384, 18 for 521.
//!
//! A limb is an `i32`, a column of a product an `i64`. *Balanced* limbs lie in [-2^28, 2^28), the head limb apart, which
//! carries what is left. A sum of `j` balanced numbers has limbs of at most `j·2^28`. A limb has room for that while `j` is
//! below 8; the nine products in a column of a sum of `j` and one of `k` stay in an `i64`, with room for a reduction,
//! while `j·k` is at most 14 (9·14·2^56 < 2^63 - 2^56). Radix, signed digits and late carries are those of redundant
//! representations (Bernstein, "Curve25519: new Diffie-Hellman speed records", PKC 2006, section 4).
//!
//! Functions are `const` so that tables of constants can be made by the compiler. Public values only.
#![expect(
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    clippy::indexing_slicing,
    reason = "limb and column bounds of the module; casts widen, or narrow what a mask or a carry left within 32 bits; \
              indices are below the fixed lengths"
)]

use crate::bounds::bounded;

pub(crate) const LIMB_BITS: usize = 29;
pub(crate) const LIMB_MASK: i64 = (1 << LIMB_BITS) - 1;

/// A number of N limbs, low first.
pub(crate) type Limbs<const N: usize = 9> = [i32; N];
/// The column sums of a product, of two of nine unless said otherwise.
pub(crate) type Columns<const N: usize = 17> = [i64; N];

/// The number 1.
pub(crate) const fn one<const N: usize>() -> Limbs<N> {
    let mut one = [0; N];
    one[0] = 1;
    one
}

/// The limbs of a big-endian number, of at most 29·N bits.
#[inline(never)]
pub(crate) const fn from_be_bytes<const N: usize>(bytes: &[u8]) -> Limbs<N> {
    let mut limbs = [0; N];
    let (mut limb, mut rest, mut bits) = (0, 0_i64, 0);
    let mut i = bytes.len();
    while i > 0 {
        i -= 1;
        rest |= (bytes[i] as i64) << bits;
        bits += 8;
        if bits >= LIMB_BITS {
            limbs[limb] = (rest & LIMB_MASK) as i32;
            (limb, rest, bits) = (limb + 1, rest >> LIMB_BITS, bits - LIMB_BITS);
        }
    }
    if limb < N {
        limbs[limb] = rest as i32;
    } else {
        debug_assert!(rest == 0, "bits that do not fit the limbs");
    }
    limbs
}

/// Whether all limbs are in [0, 2^29).
pub(crate) const fn are_unsigned<const N: usize>(limbs: &Limbs<N>) -> bool {
    let mut i = 0;
    while i < N && limbs[i] >> LIMB_BITS == 0 {
        i += 1;
    }
    i == N
}

/// Whether all limbs but the head are in [-2^28 - slack, 2^28 + slack), and the head limb within `head`.
pub(crate) const fn are_balanced<const N: usize>(limbs: &Limbs<N>, slack: i32, head: i32) -> bool {
    let most = (1 << (LIMB_BITS - 1)) + slack;
    let mut i = 0;
    while i < N - 1 && -most <= limbs[i] && limbs[i] < most {
        i += 1;
    }
    i == N - 1 && limbs[i].abs() <= head
}

/// Bit `index` of a number with limbs in [0, 2^29); zero beyond them.
pub(crate) const fn bit(limbs: &[i32], index: usize) -> i32 {
    if index < limbs.len() * LIMB_BITS { limbs[index / LIMB_BITS] >> (index % LIMB_BITS) & 1 } else { 0 }
}

/// Whether `a < b`, both with limbs in [0, 2^29).
pub(crate) const fn less<const N: usize>(a: &Limbs<N>, b: &Limbs<N>) -> bool {
    let mut i = N;
    while i > 0 {
        i -= 1;
        if a[i] != b[i] {
            return a[i] < b[i];
        }
    }
    false
}

/// Whether every limb is zero.
pub(crate) const fn is_zero<const N: usize>(a: &Limbs<N>) -> bool {
    let (mut any, mut i) = (0, 0);
    while i < N {
        any |= a[i];
        i += 1;
    }
    any == 0
}

bounded! {
    #[inline(always)]
    pub(crate) const fn add<const N: usize>(a: &Limbs<N>, b: &Limbs<N>) -> Limbs<N> {
        let mut sum = *a;
        let mut i = 0;
        while i < N {
            sum[i] += b[i];
            i += 1;
        }
        sum
    }

    #[inline(always)]
    pub(crate) const fn subtract<const N: usize>(a: &Limbs<N>, b: &Limbs<N>) -> Limbs<N> {
        let mut difference = *a;
        let mut i = 0;
        while i < N {
            difference[i] -= b[i];
            i += 1;
        }
        difference
    }

    /// The same number with limbs in [0, 2^29), the head limb with the sign.
    pub(crate) const fn carry_unsigned<const N: usize>(a: &Limbs<N>) -> Limbs<N> {
        let mut limbs = *a;
        let mut i = 0;
        while i < N - 1 {
            let (limb, carry) = split_limb(limbs[i]);
            limbs[i] = limb;
            limbs[i + 1] += carry;
            i += 1;
        }
        limbs
    }

    #[inline(always)]
    pub(crate) const fn product(a: &Limbs, b: &Limbs) -> Columns {
        let [a0, a1, a2, a3, a4, a5, a6, a7, a8] = widen(a);
        let [b0, b1, b2, b3, b4, b5, b6, b7, b8] = widen(b);
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
            a1 * b8 + a2 * b7 + a3 * b6 + a4 * b5 + a5 * b4 + a6 * b3 + a7 * b2 + a8 * b1,
            a2 * b8 + a3 * b7 + a4 * b6 + a5 * b5 + a6 * b4 + a7 * b3 + a8 * b2,
            a3 * b8 + a4 * b7 + a5 * b6 + a6 * b5 + a7 * b4 + a8 * b3,
            a4 * b8 + a5 * b7 + a6 * b6 + a7 * b5 + a8 * b4,
            a5 * b8 + a6 * b7 + a7 * b6 + a8 * b5,
            a6 * b8 + a7 * b7 + a8 * b6,
            a7 * b8 + a8 * b7,
            a8 * b8,
        ]
    }

    /// `product(a, a)`; each product of two different limbs is computed once.
    #[inline(always)]
    pub(crate) const fn square(a: &Limbs) -> Columns {
        let [a0, a1, a2, a3, a4, a5, a6, a7, a8] = widen(a);
        let [d0, d1, d2, d3, d4, d5, d6, d7] = [2 * a0, 2 * a1, 2 * a2, 2 * a3, 2 * a4, 2 * a5, 2 * a6, 2 * a7];
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
            d1 * a8 + d2 * a7 + d3 * a6 + d4 * a5,
            d2 * a8 + d3 * a7 + d4 * a6 + a5 * a5,
            d3 * a8 + d4 * a7 + d5 * a6,
            d4 * a8 + d5 * a7 + a6 * a6,
            d5 * a8 + d6 * a7,
            d6 * a8 + a7 * a7,
            d7 * a8,
            a8 * a8,
        ]
    }
}

/// The limb as a column.
pub(crate) const fn wide(limb: i32) -> i64 {
    limb as i64
}

/// The limbs as columns.
#[inline(always)]
pub(crate) const fn widen<const N: usize>(limbs: &Limbs<N>) -> [i64; N] {
    let mut wide = [0; N];
    let mut i = 0;
    while i < N {
        wide[i] = limbs[i] as i64;
        i += 1;
    }
    wide
}

/// A limb that is not negative as an unsigned column.
pub(crate) const fn unsigned(limb: i32) -> u64 {
    debug_assert!(limb >= 0, "a negative limb");
    limb as u64
}

/// A column that a limb holds.
pub(crate) const fn narrow(column: i64) -> i32 {
    debug_assert!(column == column as i32 as i64, "a column that no limb holds");
    column as i32
}

/// The balanced value that a limb keeps, and its carry; for limbs below 7·2^28.
pub(crate) const fn balance(limb: i32) -> (i32, i32) {
    balance_at(limb, LIMB_BITS)
}

/// The balanced value of the low `bits` bits of a limb, and what is above them.
pub(crate) const fn balance_at(limb: i32, bits: usize) -> (i32, i32) {
    let carry = (limb + (1 << (bits - 1))) >> bits;
    (limb - (carry << bits), carry)
}

/// The value in [0, 2^29) that a limb keeps, and its carry.
pub(crate) const fn split_limb(limb: i32) -> (i32, i32) {
    split_at(limb, LIMB_BITS)
}

/// The low `bits` bits of a limb, and what is above them.
pub(crate) const fn split_at(limb: i32, bits: usize) -> (i32, i32) {
    (limb & ((1 << bits) - 1), limb >> bits)
}

/// The value in [0, 2^29) that a column leaves in its limb, and its carry.
pub(crate) const fn split(column: i64) -> (i64, i64) {
    (column & LIMB_MASK, column >> LIMB_BITS)
}

/// The balanced value that a column leaves in its limb, and its carry.
pub(crate) const fn split_balanced(column: i64) -> (i32, i64) {
    let carry = (column + (1 << (LIMB_BITS - 1))) >> LIMB_BITS;
    ((column - (carry << LIMB_BITS)) as i32, carry)
}

#[cfg(test)]
mod tests {
    use super::{LIMB_MASK, bit, from_be_bytes};

    fn same_bits<const N: usize>(bytes: &[u8]) {
        let limbs = from_be_bytes::<N>(bytes);
        assert!(limbs.iter().all(|limb| (0..=LIMB_MASK).contains(&(*limb).into())), "{bytes:?}");
        for at in 0..bytes.len() * 8 {
            let byte = bytes[bytes.len() - 1 - at / 8];
            assert_eq!(bit(&limbs, at), (byte >> (at % 8) & 1).into(), "{bytes:?}, bit {at}");
        }
    }

    #[test]
    fn bytes_become_limbs_bit_by_bit() {
        for seed in 0..=255_u8 {
            let bytes: Vec<u8> = (0..66_u8).map(|i| seed.wrapping_mul(i.wrapping_mul(37) | 1) ^ i).collect();
            let ones = vec![0xff; 66];
            for mut bytes in [bytes, ones] {
                same_bits::<9>(bytes.get(..32).unwrap());
                same_bits::<14>(bytes.get(..48).unwrap());
                // 522 of 528 bits.
                bytes[0] &= 3;
                same_bits::<18>(&bytes);
                same_bits::<9>(bytes.get(..usize::from(seed % 32)).unwrap());
            }
        }
    }
}
