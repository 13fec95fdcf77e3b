//! Multiplication modulo a large odd number, for RSA.
//!
//! Montgomery arithmetic ("Modular multiplication without trial division", Mathematics of Computation 44, 1985) with
//! R = 2^(27·L). A limb holds 27 bits in a `u32`; L is a multiple of 4, at most 304, and large enough that
//! R > 4n, so that values stay below 2n without a comparison in the loop (Walter, "Montgomery exponentiation needs no
//! final subtractions", Electronics Letters 35, 1999). Products are summed a column at a time ("finely integrated product
//! scanning" of Koç, Acar and Kaliski, "Analyzing and comparing Montgomery multiplication algorithms", IEEE Micro 16, 1996,
//! section 7). Four columns are summed at a time, so that two loads feed four products.
//!
//! Every value here is public: time depends on all of them.
#![expect(
    clippy::arithmetic_side_effects,
    reason = "a test computes the bounds of columns; limbs are below 2^28, indices below 320"
)]

use std::cmp::Ordering;

use crate::modulus::inverse_of_digit;

/// Bits of a limb.
const LIMB_BITS: usize = 27;
/// All ones in a limb.
const LIMB_MASK: u32 = (1 << LIMB_BITS) - 1;

/// Four neighbouring limbs of a number.
type Chunk = [u32; 4];
/// Four neighbouring column sums of a product.
type Columns = [u64; 4];

/// An odd number and what its Montgomery arithmetic needs.
#[derive(Clone, Debug)]
pub(super) struct Modulus {
    pub(super) value: Number,
    /// Limbs of every number below it, a multiple of 4.
    pub(super) limbs: usize,
    pub(super) bits: usize,
    /// -1/n mod 2^27.
    negated_inverse: u32,
}

impl Modulus {
    /// An odd number without leading zero bytes, big-endian, of at most [`super::MAX_RSA_BITS`] bits.
    pub(super) fn new(bytes: &[u8], bits: usize) -> Self {
        // Room for two more bits, and for every signature of as many bytes: bits that do not fit would not be compared.
        let limbs = (bytes.len() * 8 + 2).div_ceil(LIMB_BITS).next_multiple_of(4);
        let value = Number::from_bytes(bytes, limbs);
        let inverse = inverse_of_digit(value.limb(0));
        Self { value, limbs, bits, negated_inverse: inverse.wrapping_neg() & LIMB_MASK }
    }

    /// R² mod n: 2R by doubling, then R·2^x by square-and-double along the bits of x = log2 R.
    pub(super) fn r_squared(&self) -> Number {
        let log_r = self.limbs * LIMB_BITS;
        // 2^(bits-1) is below n, because n is odd and has its head bit.
        let mut power = Number::zero(self.limbs);
        power.set_bit(self.bits - 1);
        for _ in self.bits..log_r + 2 {
            power.double(&self.value);
        }
        let mut work = Work::new(self.limbs);
        for bit in (0..log_r.ilog2()).rev() {
            power = work.square(self, &power);
            if log_r >> bit & 1 == 1 {
                power.subtract_once(&self.value);
                power.double(&self.value);
            }
        }
        power
    }
}

/// A number of L limbs, low first, between three zero limbs below and five above: read from its start, chunk J holds
/// limbs 4J-3 to 4J, which is what chunk I of the other factor meets in columns 4(I + J) to 4(I + J) + 3.
#[derive(Clone, Debug)]
pub(super) struct Number(Vec<u32>);

/// Zero limbs below a number.
const PAD: usize = 3;

impl Number {
    fn zero(limbs: usize) -> Self {
        Self(vec![0; limbs + 8])
    }

    /// The big-endian number; the caller has checked that it fits.
    pub(super) fn from_bytes(bytes: &[u8], limbs: usize) -> Self {
        let mut number = Self::zero(limbs);
        let mut bytes = bytes.iter().rev();
        let (mut pending, mut pending_bits) = (0_u64, 0);
        for limb in number.limbs_mut() {
            while pending_bits < LIMB_BITS {
                pending |= u64::from(bytes.next().copied().unwrap_or(0)) << pending_bits;
                pending_bits += 8;
            }
            *limb = low_limb(pending);
            pending >>= LIMB_BITS;
            pending_bits -= LIMB_BITS;
        }
        debug_assert!(pending == 0 && bytes.all(|&byte| byte == 0), "bits that do not fit the limbs");
        number
    }

    pub(super) fn to_bytes(&self, len: usize) -> Vec<u8> {
        let mut bytes = vec![0; len];
        let mut limbs = self.limbs().iter();
        let (mut pending, mut pending_bits) = (0_u64, 0);
        for byte in bytes.iter_mut().rev() {
            if pending_bits < 8 {
                pending |= u64::from(limbs.next().copied().unwrap_or(0)) << pending_bits;
                pending_bits += LIMB_BITS;
            }
            *byte = low_byte(pending);
            pending >>= 8;
            pending_bits -= 8;
        }
        bytes
    }

    /// The limbs without their padding.
    fn limbs(&self) -> &[u32] {
        self.0.get(PAD..self.0.len() - 5).unwrap_or_default()
    }

    fn limbs_mut(&mut self) -> &mut [u32] {
        let end = self.0.len() - 5;
        self.0.get_mut(PAD..end).unwrap_or_default()
    }

    /// The chunks from the head down, each reversed. Products read both factors from high addresses to low: the host's
    /// compiler then checks the bounds of one access of four, 71 us instead of 84 for a signature of 2048 bits.
    fn falling(&self) -> Vec<Chunk> {
        let reverse = |&[a, b, c, d]: &Chunk| [d, c, b, a];
        self.chunks().iter().rev().map(reverse).collect()
    }

    fn limb(&self, index: usize) -> u32 {
        self.limbs().get(index).copied().unwrap_or(0)
    }

    fn chunks(&self) -> &[Chunk] {
        self.limbs().as_chunks().0
    }

    fn set_bit(&mut self, bit: usize) {
        if let Some(limb) = self.limbs_mut().get_mut(bit / LIMB_BITS) {
            *limb |= 1 << (bit % LIMB_BITS);
        }
    }

    pub(super) fn compare(&self, other: &Self) -> Ordering {
        self.limbs().iter().rev().cmp(other.limbs().iter().rev())
    }

    /// `self - n` if that is not negative: takes a value below 2n to one below n.
    pub(super) fn subtract_once(&mut self, n: &Self) {
        if self.compare(n) == Ordering::Less {
            return;
        }
        let mut borrow = 0;
        for (limb, &n) in self.limbs_mut().iter_mut().zip(n.limbs()) {
            // Below 2^32: a negative difference wraps, and its head bit is the borrow.
            let difference = limb.wrapping_sub(n).wrapping_sub(borrow);
            borrow = difference >> 31;
            *limb = difference & LIMB_MASK;
        }
        debug_assert!(
            borrow == 0 && self.compare(n) == Ordering::Less,
            "a number of twice the modulus or more"
        );
    }

    /// Whether the number is below 2n.
    fn is_below_twice(&self, n: &Self) -> bool {
        let limbs = self.limbs().iter().zip(n.limbs());
        let borrow = |borrow: i64, (limb, n): (&u32, &u32)| {
            (i64::from(*limb) - 2 * i64::from(*n) + borrow) >> LIMB_BITS
        };
        limbs.fold(0, borrow) < 0
    }

    /// `2·self mod n` for `self` below n.
    fn double(&mut self, n: &Self) {
        debug_assert!(self.compare(n) == Ordering::Less, "a number that is not below its modulus");
        let mut carry = 0;
        for limb in self.limbs_mut() {
            let doubled = *limb << 1 | carry;
            carry = doubled >> LIMB_BITS;
            *limb = doubled & LIMB_MASK;
        }
        debug_assert!(carry == 0, "a number above the limbs");
        self.subtract_once(n);
    }
}

/// Scratch space of a multiplication: the quotient digits, L limbs as [`Number::falling`] gives them.
pub(super) struct Work {
    quotient: Vec<Chunk>,
}

impl Work {
    pub(super) fn new(limbs: usize) -> Self {
        Self { quotient: vec![[0; 4]; limbs / 4] }
    }

    /// `x·y/R mod n`, below 2n if x and y are.
    pub(super) fn product(&mut self, n: &Modulus, x: &Number, y: &Number) -> Number {
        debug_assert!(
            x.is_below_twice(&n.value) && y.is_below_twice(&n.value),
            "a factor of twice the modulus or more"
        );
        let falling = x.falling();
        self.reduce(n, digit_of(n), |columns, block| add_products(columns, &falling, y, block, block + 1))
    }

    /// `x²/R mod n`, below 2n if x is: each product of two different limbs is made once and counted twice.
    pub(super) fn square(&mut self, n: &Modulus, x: &Number) -> Number {
        debug_assert!(x.is_below_twice(&n.value), "a factor of twice the modulus or more");
        let falling = x.falling();
        self.reduce(n, digit_of(n), |carried, block| {
            let mut columns = add_products([0; 4], &falling, x, block, block / 2);
            // The middle of the columns, limbs 2·block - 2 and up, where rising and falling limb meet.
            let start = PAD + 2 * block - 2;
            let Some(&[e, f, a, b, c, d, g, h]) = x.0.get(start..).and_then(|x| x.first_chunk()) else {
                return carried;
            };
            let [a, b, c, d, e, f, g, h] = [a, b, c, d, e, f, g, h].map(u64::from);
            if block % 2 == 1 {
                columns[0] += e * c + f * b;
                columns[1] += e * d + f * c;
                columns[2] += e * g + f * d;
                columns[3] += e * h + f * g;
            }
            [
                carried[0] + 2 * columns[0] + a * a,
                carried[1] + 2 * (columns[1] + a * b),
                carried[2] + 2 * (columns[2] + a * c) + b * b,
                carried[3] + 2 * (columns[3] + a * d + b * c),
            ]
        })
    }

    /// Adds to the 2L columns of a product, four at a time, the multiple of n that makes the lower half zero; returns
    /// the upper half. `digit` is what of the multiple belongs to a column.
    #[inline(always)]
    fn reduce(
        &mut self,
        n: &Modulus,
        digit: impl Fn(u64) -> u64,
        add_block: impl Fn(Columns, usize) -> Columns,
    ) -> Number {
        let blocks = self.quotient.len();
        let [n0, n1, n2, n3] = n.value.chunks().first().copied().unwrap_or_default().map(u64::from);
        let mut result = Number::zero(n.limbs);
        let mut upper = result.limbs_mut().as_chunks_mut::<4>().0.iter_mut();
        let mut carry = 0;
        for block in 0..2 * blocks {
            let columns = add_block([carry, 0, 0, 0], block);
            let [c0, c1, c2, c3] = add_products(columns, &self.quotient, &n.value, block, block);
            if let Some(chunk) = self.quotient.iter_mut().nth_back(block) {
                let q0 = digit(c0);
                let c1 = c1 + ((c0 + q0 * n0) >> LIMB_BITS) + q0 * n1;
                let q1 = digit(c1);
                let c2 = c2 + ((c1 + q1 * n0) >> LIMB_BITS) + q0 * n2 + q1 * n1;
                let q2 = digit(c2);
                let c3 = c3 + ((c2 + q2 * n0) >> LIMB_BITS) + q0 * n3 + q1 * n2 + q2 * n1;
                let q3 = digit(c3);
                carry = (c3 + q3 * n0) >> LIMB_BITS;
                *chunk = [q3, q2, q1, q0].map(low_limb);
            } else if let Some(chunk) = upper.next() {
                let c1 = c1 + (c0 >> LIMB_BITS);
                let c2 = c2 + (c1 >> LIMB_BITS);
                let c3 = c3 + (c2 >> LIMB_BITS);
                carry = c3 >> LIMB_BITS;
                *chunk = [c0, c1, c2, c3].map(low_limb);
            }
        }
        debug_assert!(carry == 0, "a product above the limbs");
        result
    }
}

/// The multiple of n that makes a column zero.
fn digit_of(n: &Modulus) -> impl Fn(u64) -> u64 {
    |column| u64::from(low_limb(column).wrapping_mul(n.negated_inverse) & LIMB_MASK)
}

/// Adds to columns 4·block to 4·block + 3 of x·y the products of x's chunks below `end`. x is as [`Number::falling`]
/// gives it.
#[inline(always)]
fn add_products(columns: Columns, x: &[Chunk], y: &Number, block: usize, end: usize) -> Columns {
    let (y, _) = y.0.as_chunks::<4>();
    let end = end.min(x.len());
    let Some(x) = x.get(x.len() - end..x.len() - block.saturating_sub(x.len())) else { return columns };
    let Some((y, [above])) =
        y.get(block + 1 - end..).and_then(|y| y.get(..=x.len())).map(|y| y.split_at(x.len()))
    else {
        return columns;
    };
    let [mut c0, mut c1, mut c2, mut c3] = columns;
    let [mut above0, mut above1, mut above2, _] = above.map(u64::from);
    for (x, y) in x.iter().zip(y).rev() {
        let [x3, x2, x1, x0] = x.map(u64::from);
        let [y0, y1, y2, y3] = y.map(u64::from);
        c0 += x0 * y3 + x1 * y2 + x2 * y1 + x3 * y0;
        c1 += x0 * above0 + x1 * y3 + x2 * y2 + x3 * y1;
        c2 += x0 * above1 + x1 * above0 + x2 * y3 + x3 * y2;
        c3 += x0 * above2 + x1 * above1 + x2 * above0 + x3 * y3;
        [above0, above1, above2] = [y0, y1, y2];
    }
    [c0, c1, c2, c3]
}

#[expect(clippy::as_conversions, reason = "the mask leaves 27 bits")]
fn low_limb(value: u64) -> u32 {
    (value & u64::from(LIMB_MASK)) as u32
}

#[expect(clippy::as_conversions, reason = "the mask leaves 8 bits")]
fn low_byte(value: u64) -> u8 {
    (value & 0xff) as u8
}

#[cfg(test)]
mod tests {
    use super::{LIMB_BITS, LIMB_MASK, Modulus, Number, Work, add_products};
    use crate::rsa::limits::MAX_RSA_BITS;
    use std::cell::Cell;

    /// Limbs of the largest modulus with two extra bits.
    const MAX_LIMBS: usize = (MAX_RSA_BITS + 2).div_ceil(LIMB_BITS).next_multiple_of(4);

    /// A number of so many limbs that are all ones, with room for four more.
    fn ones(limbs: usize) -> Number {
        let mut number = Number::zero(limbs + 4);
        number.limbs_mut()[..limbs].fill(LIMB_MASK);
        number
    }

    /// The largest column below R of a product in which everything is as large as it can be, the digits of the quotient
    /// too. Columns grow with everything in them, so none is larger; overflow would panic here.
    fn largest_column(limbs: usize) -> u64 {
        let x = ones(limbs);
        let n = Modulus { value: x.clone(), limbs: limbs + 4, bits: 0, negated_inverse: 0 };
        let falling = x.falling();
        let largest = Cell::new(0);
        let digit = |column: u64| {
            largest.set(largest.get().max(column));
            u64::from(LIMB_MASK)
        };
        Work::new(limbs + 4)
            .reduce(&n, digit, |columns, block| add_products(columns, &falling, &x, block, block + 1));
        largest.get()
    }

    #[test]
    fn columns_do_not_overflow() {
        let largest = largest_column(MAX_LIMBS);
        assert!((1 << 63..1 << 64).contains(&u128::from(largest)), "{largest}");
        // A square has the same columns.
        let mut work = Work::new(MAX_LIMBS + 4);
        let n = Modulus { value: ones(MAX_LIMBS), limbs: MAX_LIMBS + 4, bits: 0, negated_inverse: 1 };
        let (square, product) = (work.square(&n, &n.value), work.product(&n, &n.value, &n.value));
        assert_eq!(square.limbs(), product.limbs());
    }

    #[test]
    #[cfg_attr(not(debug_assertions), ignore = "debug builds assert")]
    #[should_panic(expected = "overflow")]
    fn columns_of_more_limbs_would_overflow() {
        largest_column(516);
    }
}
