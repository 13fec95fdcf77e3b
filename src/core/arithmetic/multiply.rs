//! Sums of two multiples of points, for both curves: scalars as signed digits, tables of points, one run of doublings.
//!
//! Scalars are below 2^256, their limbs in [0, 2^29). Public values only.
#![expect(
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    clippy::indexing_slicing,
    reason = "digits are below 32, table indices below 8 and 128, positions below 264: all follow from fixed lengths"
)]

use super::limbs::{Limbs, bit};

/// Bits between two teeth of a comb: 8 teeth span 264 bits.
const COLUMNS: usize = 33;
const TEETH: usize = 8;
/// Points of a comb's table: one for each choice of signs below the head tooth.
const POINTS: usize = 1 << (TEETH - 1);

/// A point in the coordinates that doublings and sums like.
pub(super) trait Point: Copy {
    /// A point in the form that is cheap to add.
    type Affine: Copy;

    fn from_affine(point: &Self::Affine) -> Self;
    fn double(&self) -> Self;
    fn plus(&self, other: &Self::Affine) -> Self;
    fn negated_if(point: &Self::Affine, negative: bool) -> Self::Affine;
    /// Each point in affine form, with one inversion for all.
    fn normalize(points: &[Self]) -> Vec<Self::Affine>;
}

/// The sum of two multiples, for each a scalar and P, 3P, 5P, ... 15P; None where both scalars are zero.
pub(super) fn sparse_sum<P: Point>(terms: [(&Limbs, &[P::Affine; 8]); 2]) -> Option<P> {
    let digits = terms.map(|(scalar, _)| sparse_digits(scalar));
    let mut sum: Option<P> = None;
    for position in (0..digits[0].len()).rev() {
        sum = sum.map(|sum| sum.double());
        for ((_, odd_multiples), digits) in terms.iter().zip(&digits) {
            let digit = digits[position];
            if digit != 0 {
                let point = P::negated_if(&odd_multiples[usize::from(digit.unsigned_abs() / 2)], digit < 0);
                sum = Some(sum.map_or_else(|| P::from_affine(&point), |sum| sum.plus(&point)));
            }
        }
    }
    sum
}

/// Odd digits in ±1 to ±15 with at least four zeros after each: a scalar is the sum of `digits[i] << i` (wNAF, width 5).
fn sparse_digits(scalar: &Limbs) -> [i8; 257] {
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

/// A table of the multiples `2^231 ± 2^198 ± 2^165 ... ± 1` of a point, the sign of `2^(33 i)` in bit i of the index.
#[derive(Clone, Debug)]
pub(super) struct Comb<P: Point> {
    point: P::Affine,
    table: Vec<P::Affine>,
}

impl<P: Point> Comb<P> {
    /// The table takes 231 doublings, 134 sums and two inversions. All sums are of different multiples, none zero, all
    /// smaller than 2^233.
    pub(super) fn new(point: &P::Affine) -> Self {
        let mut tooth = P::from_affine(point);
        // Teeth, then their doubles.
        let mut teeth = [tooth; 2 * (TEETH - 1)];
        for i in 0..TEETH - 1 {
            teeth[i] = tooth;
            tooth = tooth.double();
            teeth[TEETH - 1 + i] = tooth;
            for _ in 1..COLUMNS {
                tooth = tooth.double();
            }
        }
        let steps = P::normalize(&teeth);
        let (teeth, doubles) = steps.split_at(TEETH - 1);
        let mut points = Vec::with_capacity(POINTS);
        points.push(teeth.iter().rev().fold(tooth, |sum, tooth| sum.plus(&P::negated_if(tooth, true))));
        for double in doubles {
            for i in 0..points.len() {
                points.push(points[i].plus(double));
            }
        }
        Self { point: *point, table: P::normalize(&points) }
    }

    /// The sum of two multiples.
    pub(super) fn sum(terms: [(&Limbs, &Self); 2]) -> P {
        let digits = terms.map(|(scalar, _)| comb_digits(scalar));
        let point = |term: usize, column: usize| {
            let CombDigit { index, negative } = digits[term][column];
            P::negated_if(&terms[term].1.table[index], negative)
        };
        let mut sum = P::from_affine(&point(0, COLUMNS - 1)).plus(&point(1, COLUMNS - 1));
        for column in (0..COLUMNS - 1).rev() {
            sum = sum.double().plus(&point(0, column)).plus(&point(1, column));
        }
        for (scalar, comb) in terms {
            // The digits are those of scalar | 1.
            if bit(scalar, 0) == 0 {
                sum = sum.plus(&P::negated_if(&comb.point, true));
            }
        }
        sum
    }
}

/// An entry of a comb's table, to be added or subtracted.
#[derive(Clone, Copy)]
struct CombDigit {
    index: usize,
    negative: bool,
}

/// The columns of `scalar | 1`, low first: 264 bits, each worth +1 or -1, because an odd number k is the sum of ±2^i
/// with the sign of i < 263 in bit i + 1 of k, and + for 263.
fn comb_digits(scalar: &Limbs) -> [CombDigit; COLUMNS] {
    std::array::from_fn(|column| {
        let sign = |tooth: usize| {
            let position = tooth * COLUMNS + column;
            if position == COLUMNS * TEETH - 1 { 1 } else { bit(scalar, position + 1) }
        };
        let signs = (0..TEETH - 1).fold(0, |signs, tooth| signs | sign(tooth) << tooth);
        let negative = sign(TEETH - 1) == 0;
        // The table has the head tooth positive: a negative one flips them all.
        let index = if negative { !signs as usize % POINTS } else { signs as usize };
        CombDigit { index, negative }
    })
}
