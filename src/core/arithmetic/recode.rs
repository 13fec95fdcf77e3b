//! Scalars as signed digits, for multiplication of points. Scalars are below 2^256, limbs in [0, 2^29).
#![expect(
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    clippy::indexing_slicing,
    reason = "digits are below 32, comb indices below 128, positions below 264"
)]

use super::limbs::{Limbs, bit};

/// Bits between two teeth of a comb: 8 teeth span 264 bits.
pub(super) const COMB_COLUMNS: usize = 33;
/// Teeth of a comb.
pub(super) const COMB_TEETH: usize = 8;
/// Points of a comb's table: one for each choice of signs below the head tooth.
pub(super) const COMB_POINTS: usize = 1 << (COMB_TEETH - 1);

/// Odd digits in ±1 to ±15 with at least four zeros after each: a scalar is the sum of `digits[i] << i` (wNAF, width 5).
pub(super) fn sparse_digits(scalar: &Limbs) -> [i8; 257] {
    let mut digits = [0; 257];
    let mut carry = 0;
    let mut position = 0;
    while position < digits.len() {
        if bit(scalar, position) == carry {
            position += 1;
            continue;
        }
        let window = (0..5).fold(carry, |sum, i| sum + (bit(scalar, position + i) << i));
        // A scalar has no bit from 256 on, so the last window is positive and leaves no carry.
        carry = i32::from(window > 16);
        digits[position] = (window - 32 * carry) as i8;
        position += 5;
    }
    digits
}

/// A point of a comb's table, to be added or subtracted.
#[derive(Clone, Copy)]
pub(super) struct CombDigit {
    pub(super) index: usize,
    pub(super) negative: bool,
}

/// The columns of `scalar | 1`, low first: 264 bits, each worth +1 or -1, because an odd number k is the sum of
/// ±2^i with the sign of i < 263 in bit i + 1 of k, and + for 263. An even scalar is one less: subtract the point.
pub(super) fn comb_digits(scalar: &Limbs) -> [CombDigit; COMB_COLUMNS] {
    std::array::from_fn(|column| {
        let sign = |tooth: usize| {
            let position = tooth * COMB_COLUMNS + column;
            if position == COMB_COLUMNS * COMB_TEETH - 1 { 1 } else { bit(scalar, position + 1) }
        };
        let signs = (0..COMB_TEETH - 1).fold(0, |signs, tooth| signs | sign(tooth) << tooth);
        let negative = sign(COMB_TEETH - 1) == 0;
        // The table has the head tooth positive: a negative one flips them all.
        let index = if negative { !signs as usize % COMB_POINTS } else { signs as usize };
        CombDigit { index, negative }
    })
}
