//! Sums of two multiples of points, for all curves: scalars as signed digits, tables of points, one run of doublings.
//!
//! Without a table: width-5 non-adjacent forms, interleaved (Hankerson, Menezes and Vanstone, "Guide to Elliptic Curve
//! Cryptography", 2004, algorithms 3.35 and 3.51). With tables: the comb of Lim and Lee ("More flexible exponentiation
//! with precomputation", CRYPTO 1994) with all digits 1 or -1, which halves its table (Feng, Zhu, Zhao and Li, "Signed
//! MSB-set comb method for elliptic curve point multiplication", ISPEC 2006).
//!
//! Scalars are below 2^BITS, their limbs in [0, 2^29). Public values only.
#![expect(
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    clippy::indexing_slicing,
    reason = "digits are below 32, table indices below 8 and 128, positions below 8·COLUMNS: all follow from fixed lengths"
)]

use crate::limbs::{LIMB_BITS, bit};

const TEETH: usize = 8;
/// Points of a comb's table: one for each choice of signs below the head tooth.
const POINTS: usize = 1 << (TEETH - 1);
/// The bit of the head tooth in the signs of a column.
const HEAD_TOOTH: u32 = 1 << (TEETH - 1);

/// A point in the coordinates for doublings and sums.
pub(crate) trait Point: Copy {
    /// A point in the form that is cheap to add.
    type Affine: Copy;

    /// Bits of a scalar.
    const BITS: usize;
    /// Bits between two teeth of a comb, which span a scalar.
    const COLUMNS: usize = Self::BITS.div_ceil(TEETH);

    fn from_affine(point: &Self::Affine) -> Self;
    fn double(&self) -> Self;
    fn plus(&self, other: &Self::Affine) -> Self;
    fn minus(&self, other: &Self::Affine) -> Self;
    fn opposite(point: &Self::Affine) -> Self::Affine;
    /// Each point in affine form, with one inversion for all.
    fn normalize(points: &[Self]) -> Vec<Self::Affine>;
}

/// Whether a digit's point is added or subtracted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sign {
    Plus,
    Minus,
}

fn add_signed<P: Point>(sum: &P, sign: Sign, point: &P::Affine) -> P {
    match sign {
        Sign::Plus => sum.plus(point),
        Sign::Minus => sum.minus(point),
    }
}

fn start_signed<P: Point>(sign: Sign, point: &P::Affine) -> P {
    match sign {
        Sign::Plus => P::from_affine(point),
        Sign::Minus => P::from_affine(&P::opposite(point)),
    }
}

/// The sum of two multiples, each given by a scalar and P, 3P, 5P, ... 15P; `None` if both scalars are zero.
pub(crate) fn sparse_sum<P: Point>(terms: [(&[i32], &[P::Affine; 8]); 2]) -> Option<P> {
    let digits = terms.map(|(scalar, _)| sparse_digits(scalar, P::BITS));
    let mut sum: Option<P> = None;
    for position in (0..digits[0].len()).rev() {
        if let Some(sum) = &mut sum {
            *sum = sum.double();
        }
        for (digits, (_, odd_multiples)) in digits.iter().zip(&terms) {
            let digit = digits[position];
            if digit == 0 {
                continue;
            }
            let sign = if digit < 0 { Sign::Minus } else { Sign::Plus };
            let point = &odd_multiples[usize::from(digit.unsigned_abs() / 2)];
            sum = Some(match sum {
                Some(sum) => add_signed(&sum, sign, point),
                None => start_signed(sign, point),
            });
        }
    }
    sum
}

/// Odd digits in ±1 to ±15 with at least four zeros after each: a scalar is the sum of `digits[i] << i` (wNAF, width 5).
fn sparse_digits(scalar: &[i32], scalar_bits: usize) -> Vec<i8> {
    debug_assert!(fits(scalar, scalar_bits), "a scalar of too many bits");
    let bits = bits(scalar, scalar_bits + 5);
    let mut digits = vec![0; scalar_bits + 1];
    let mut carry = 0;
    let mut position = 0;
    while position < digits.len() {
        if bits[position] == carry {
            position += 1;
            continue;
        }
        let window = (0..5).fold(carry, |sum, i| sum + (bits[position + i] << i));
        // A scalar has no bit from BITS on, so the last window is positive and leaves no carry.
        carry = i8::from(window > 16);
        digits[position] = window - 32 * carry;
        position += 5;
    }
    digits
}

/// A table of the multiples `2^(7c) ± 2^(6c) ... ± 2^c ± 1` of a point, c for COLUMNS, the sign of `2^(c i)` in bit i of
/// the index.
#[derive(Clone, Debug)]
pub(crate) struct Comb<P: Point> {
    point: P::Affine,
    table: Vec<P::Affine>,
}

impl<P: Point> Comb<P> {
    /// The table takes 7c doublings, 134 sums and two inversions. All sums are of different multiples, none zero, all
    /// far smaller than the order.
    pub(crate) fn new(point: &P::Affine) -> Self {
        let mut tooth = P::from_affine(point);
        // Teeth, then their doubles.
        let mut teeth = [tooth; 2 * (TEETH - 1)];
        for i in 0..TEETH - 1 {
            teeth[i] = tooth;
            tooth = tooth.double();
            teeth[TEETH - 1 + i] = tooth;
            for _ in 1..P::COLUMNS {
                tooth = tooth.double();
            }
        }
        let steps = P::normalize(&teeth);
        let (teeth, doubles) = steps.split_at(TEETH - 1);
        let mut points = Vec::with_capacity(POINTS);
        points.push(teeth.iter().rev().fold(tooth, |sum, tooth| sum.minus(tooth)));
        for double in doubles {
            for i in 0..points.len() {
                points.push(points[i].plus(double));
            }
        }
        Self { point: *point, table: P::normalize(&points) }
    }

    /// The sum of two multiples.
    pub(crate) fn sum(terms: [(&[i32], &Self); 2]) -> P {
        let digits = terms.map(|(scalar, _)| comb_digits(scalar, P::COLUMNS));
        let digit = |term: usize, column: usize| {
            let CombDigit { sign, index } = digits[term][column];
            (sign, &terms[term].1.table[index])
        };
        let (sign, point) = digit(0, P::COLUMNS - 1);
        let mut sum: P = start_signed(sign, point);
        for column in (0..P::COLUMNS).rev() {
            if column != P::COLUMNS - 1 {
                let (sign, point) = digit(0, column);
                sum = add_signed(&sum.double(), sign, point);
            }
            let (sign, point) = digit(1, column);
            sum = add_signed(&sum, sign, point);
        }
        for (scalar, comb) in terms {
            // The digits are those of scalar | 1.
            if bit(scalar, 0) == 0 {
                sum = sum.minus(&comb.point);
            }
        }
        sum
    }
}

/// An entry of a comb's table, to be added or subtracted.
#[derive(Clone, Copy)]
struct CombDigit {
    sign: Sign,
    index: usize,
}

/// The columns of `scalar | 1`, low first: 8·COLUMNS bits, each worth +1 or -1, because an odd number k is the sum of
/// ±2^i with the sign of i in bit i + 1 of k, and + for the head.
fn comb_digits(scalar: &[i32], columns: usize) -> Vec<CombDigit> {
    debug_assert!(fits(scalar, TEETH * columns), "a scalar of too many bits");
    let mut signs = Vec::with_capacity(columns);
    for start in (0..columns).step_by(LIMB_BITS) {
        let teeth: [u32; TEETH] = std::array::from_fn(|tooth| limb_at(scalar, tooth * columns + start + 1));
        let column =
            |column: usize| (0..TEETH).fold(0, |signs, tooth| signs | (teeth[tooth] >> column & 1) << tooth);
        signs.extend((0..LIMB_BITS.min(columns - start)).map(column));
    }
    signs[columns - 1] |= HEAD_TOOTH;
    let digit = |&signs: &u32| {
        // In the table the head tooth is positive: a negative one flips all signs.
        let (sign, flipped) =
            if signs & HEAD_TOOTH == 0 { (Sign::Minus, !signs) } else { (Sign::Plus, signs) };
        CombDigit { sign, index: (flipped & (HEAD_TOOTH - 1)) as usize }
    };
    signs.iter().map(digit).collect()
}

/// The 29 bits of a scalar from bit `start` on, and some that are above them.
fn limb_at(scalar: &[i32], start: usize) -> u32 {
    let (index, shift) = (start / LIMB_BITS, start % LIMB_BITS);
    let limb = |index: usize| scalar.get(index).map_or(0, |limb| *limb as u32);
    limb(index) >> shift | limb(index + 1) << (LIMB_BITS - shift)
}

/// Whether a scalar is below 2^bits, its limbs in [0, 2^29).
fn fits(scalar: &[i32], bits: usize) -> bool {
    (bits..scalar.len() * LIMB_BITS).all(|index| bit(scalar, index) == 0)
        && scalar.iter().all(|limb| limb >> LIMB_BITS == 0)
}

/// The first bits of a scalar, low first.
fn bits(scalar: &[i32], len: usize) -> Vec<i8> {
    let mut bits = vec![0; len];
    for (limb, bits) in scalar.iter().zip(bits.chunks_mut(LIMB_BITS)) {
        for (i, bit) in bits.iter_mut().enumerate() {
            *bit = (limb >> i & 1) as i8;
        }
    }
    bits
}

#[cfg(test)]
mod tests {
    use super::{CombDigit, LIMB_BITS, POINTS, Sign, TEETH, bit, comb_digits, sparse_digits};

    /// Scalars as long as the comb, at their ends and between, against their bits one by one.
    #[test]
    fn comb_digits_are_the_signs_of_the_columns() {
        const ONES: i32 = (1 << LIMB_BITS) - 1;
        // 256, 384 and 528 bits.
        for columns in [32, 48, 66] {
            let limbs = (columns * TEETH).div_ceil(LIMB_BITS);
            let mut full = vec![ONES; limbs];
            full[limbs - 1] >>= limbs * LIMB_BITS - columns * TEETH;
            let mixed =
                full.iter().zip(1..).map(|(limb, i)| limb & 0x1234_5679_i32.rotate_left(7 * i)).collect();
            let alternating = full.iter().map(|limb| limb & 0x0aaa_aaaa).collect();
            let mut head = vec![0; limbs];
            head[limbs - 1] = full[limbs - 1] & !(full[limbs - 1] >> 1);
            for scalar in [full, mixed, alternating, head, vec![0; limbs], vec![1]] {
                let digits = comb_digits(&scalar, columns);
                assert_eq!(digits.len(), columns);
                for i in 0..columns * TEETH {
                    let (tooth, digit) = (i / columns, &digits[i % columns]);
                    let index = match digit.sign {
                        Sign::Plus => digit.index | POINTS,
                        Sign::Minus => POINTS - 1 - digit.index,
                    };
                    let head = i == columns * TEETH - 1;
                    assert_eq!(
                        index >> tooth & 1 == 1,
                        head || bit(&scalar, i + 1) == 1,
                        "bit {i} of {scalar:?}"
                    );
                }
            }
        }
    }

    /// A number of at most 29 bits, `shift` bits up.
    fn scalar(number: i64, shift: usize) -> [i32; 2] {
        let shifted = number << shift;
        [shifted & ((1 << LIMB_BITS) - 1), shifted >> LIMB_BITS].map(|limb| i32::try_from(limb).unwrap())
    }

    /// All runs of 14 bits, in a limb and across two: digits depend on the bits around them alone.
    #[test]
    fn sparse_digits_are_the_scalar_exhaustively() {
        for number in 0..1 << 14 {
            for shift in [0, 1, 22] {
                let digits = sparse_digits(&scalar(number, shift), 14 + shift);
                let sum: i64 = digits.iter().enumerate().map(|(at, digit)| i64::from(*digit) << at).sum();
                assert_eq!(sum, number << shift);
                for (at, digit) in digits.iter().enumerate().filter(|(_, digit)| **digit != 0) {
                    assert!(digit % 2 != 0 && digit.abs() < 16, "{number}: {digit}");
                    assert!(digits.iter().skip(at + 1).take(4).all(|digit| *digit == 0), "{number} at {at}");
                }
            }
        }
    }

    /// All scalars of 8 and 16 bits, for combs of one column and of two.
    #[test]
    fn comb_digits_are_the_scalar_exhaustively() {
        for columns in [1, 2] {
            for number in 0..1_i64 << (TEETH * columns) {
                let digits = comb_digits(&scalar(number, 0), columns);
                let value = |(column, CombDigit { sign, index }): (usize, &CombDigit)| {
                    let signs = index | POINTS;
                    let sum: i64 = (0..TEETH)
                        .map(|tooth| if signs >> tooth & 1 == 1 { 1 } else { -1 } << (tooth * columns + column))
                        .sum();
                    if *sign == Sign::Plus { sum } else { -sum }
                };
                assert_eq!(digits.iter().enumerate().map(value).sum::<i64>(), number | 1);
            }
        }
    }

    #[test]
    #[cfg_attr(not(debug_assertions), ignore = "debug builds assert")]
    #[should_panic(expected = "too many bits")]
    fn scalars_of_more_bits_are_asserted() {
        let _ = sparse_digits(&scalar(1 << 14, 0), 14);
    }
}
