//! The groups of the NIST curves, `y² = x³ - 3x + b` (SP 800-186 3.2.1), and of secp256k1, `y² = x³ + 7` (SEC 2 2.4.1), in
//! Jacobian coordinates. Formulas are those of the Explicit-Formulas Database (hyperelliptic.org/EFD, g1p, shortw,
//! jacobian and jacobian-3), by their names there.
//!
//! [`Jacobian::double`], [`Jacobian::plus`] and [`Jacobian::minus`] do without tests. They are right for all points but
//! these: sums of two points with one x coordinate, and anything done to infinity. There they return z = 0, which marks
//! infinity *or a result to be computed again* with [`Jacobian::complete_plus`].
#![expect(clippy::indexing_slicing, reason = "a list of 2i + 1 points is read at i")]

use std::fmt::Debug;

use crate::limbs::{LIMB_BITS, bit};
use crate::multiply::Point;

/// An element of a curve's field, with the curve's parameters. Magnitudes are those of `magnitude`: that of a sum of `k`
/// tight elements is `k`. The formulas here stay within the magnitudes that every implementation takes.
pub trait Curve: Copy + Debug {
    const ZERO: Self;
    const ONE: Self;
    /// Whether the coefficient of x is 0; otherwise it is -3.
    const A_IS_ZERO: bool = false;
    /// The coefficient `b`.
    const B: Self;
    /// The coordinates of the base point.
    const G: (Self, Self);
    /// Bits of the order and of p.
    const BITS: usize;

    /// The modulus, -1 modulo 4; limbs in [0, 2^29).
    fn p() -> &'static [i32];
    /// Magnitudes add up.
    fn plus(&self, other: &Self) -> Self;
    /// Magnitudes add up.
    fn minus(&self, other: &Self) -> Self;
    /// Takes products of magnitudes up to 9; the result is tight.
    fn times(&self, other: &Self) -> Self;
    /// Takes magnitudes up to 3; the result is tight.
    fn squared(&self) -> Self;
    /// `a·b - c·d` with one reduction, for products of magnitudes up to 9 together; the result is tight.
    fn difference_of_products(a: &Self, b: &Self, c: &Self, d: &Self) -> Self;
    /// Panics in debug builds if the magnitude is above `most`.
    fn assert_at_most(&self, most: u8);
    /// Takes magnitudes up to 6.
    fn tighten(&self) -> Self;
    /// Takes magnitudes up to 6.
    fn is_zero(&self) -> bool;
    /// Whether the residue is odd; takes magnitudes up to 6.
    fn is_odd(&self) -> bool;
    /// `1/self`, 0 for 0; takes magnitudes up to 6.
    fn inverse(&self) -> Self;
}

/// A point other than infinity, its coordinates tight.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Affine<C> {
    x: C,
    y: C,
}

impl<C: Curve> Affine<C> {
    pub(crate) const G: Self = Self { x: C::G.0, y: C::G.1 };

    fn tight(x: C, y: C) -> Self {
        x.assert_at_most(1);
        y.assert_at_most(1);
        Self { x, y }
    }

    /// `None` if it is not on the curve; takes tight coordinates.
    pub(crate) fn new(x: C, y: C) -> Option<Self> {
        y.squared().minus(&Self::y_squared(&x)).is_zero().then(|| Self::tight(x, y))
    }

    /// The point with this x and a y of this parity (SEC 1 2.3.4); `None` if there is none. Takes a tight x.
    pub(crate) fn decompress(x: C, y_is_odd: bool) -> Option<Self> {
        let square = Self::y_squared(&x).tighten();
        // p is -1 modulo 4: the root of a square is its power (p + 1)/4, one more than p/4 rounded down.
        let mut power = C::ONE;
        for position in (2..C::p().len().saturating_mul(LIMB_BITS)).rev() {
            power = power.squared();
            if bit(C::p(), position) == 1 {
                power = power.times(&square);
            }
        }
        let root = power.times(&square);
        let y = if root.is_odd() == y_is_odd { root } else { C::ZERO.minus(&root).tighten() };
        Self::new(x, y)
    }

    /// `x³ + a·x + b`, of magnitude 2.
    fn y_squared(x: &C) -> C {
        // x² - 3 has the magnitude 4.
        let three = C::ONE.plus(&C::ONE).plus(&C::ONE);
        let square = if C::A_IS_ZERO { x.squared() } else { x.squared().minus(&three) };
        square.times(x).plus(&C::B)
    }

    /// P, 3P, 5P, ... 15P. All multiples on the way are smaller than the order.
    pub(crate) fn odd_multiples(&self) -> [Self; 8] {
        // (i + 1)·P at i.
        let mut multiples = vec![Jacobian::from_affine(self)];
        for i in 0..7 {
            let double = multiples[i].double();
            multiples.extend([double, double.plus(self)]);
        }
        let odd: Vec<_> = multiples.into_iter().step_by(2).collect();
        Jacobian::normalize(&odd).first_chunk().copied().unwrap_or([*self; 8])
    }
}

/// The point (x/z², y/z³); x and y are tight, z has the magnitude 2.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Jacobian<C> {
    x: C,
    y: C,
    z: C,
}

impl<C: Curve> Jacobian<C> {
    fn new(x: C, y: C, z: C) -> Self {
        x.assert_at_most(1);
        y.assert_at_most(1);
        z.assert_at_most(2);
        Self { x, y, z }
    }

    /// dbl-2001-b, with z as 2yz; it is for the coefficient -3, for which 3x² - 3z⁴ is a product.
    #[inline(never)]
    pub(crate) fn double(&self) -> Self {
        let delta = self.z.squared();
        let gamma = self.y.squared();
        let alpha =
            if C::A_IS_ZERO { self.x.squared() } else { self.x.minus(&delta).times(&self.x.plus(&delta)) };
        let alpha = alpha.plus(&alpha).plus(&alpha);
        let beta = self.x.times(&gamma);
        let beta2 = beta.plus(&beta);
        let beta4 = beta2.plus(&beta2).tighten();
        let x = alpha.squared().minus(&beta4).minus(&beta4).tighten();
        let gamma2 = gamma.plus(&gamma).tighten();
        // 3·2 + 1·2.
        let y = C::difference_of_products(&alpha, &beta4.minus(&x), &gamma2, &gamma2.plus(&gamma2));
        let z = self.y.times(&self.z);
        Self::new(x, y, z.plus(&z))
    }

    /// z = 0 if the x coordinates are equal.
    #[inline(never)]
    pub(crate) fn plus(&self, other: &Affine<C>) -> Self {
        let (h, y) = self.rescaled(other);
        self.sum(&h, &y.minus(&self.y).tighten())
    }

    /// z = 0 if the x coordinates are equal.
    #[inline(never)]
    pub(crate) fn minus(&self, other: &Affine<C>) -> Self {
        let (h, y) = self.rescaled(other);
        self.sum(&h, &C::ZERO.minus(&y).minus(&self.y).tighten())
    }

    /// madd (Cohen, Miyaji and Ono, "Efficient elliptic curve exponentiation using mixed coordinates", ASIACRYPT 1998,
    /// section 4), 8 multiplications and 3 squarings, of which [`Self::rescaled`] has 3 and 1.
    #[inline(always)]
    fn sum(&self, h: &C, r: &C) -> Self {
        let hh = h.squared();
        let hhh = h.times(&hh);
        let v = self.x.times(&hh);
        let x = r.squared().minus(&hhh).minus(&v).minus(&v).tighten();
        let y = C::difference_of_products(r, &v.minus(&x), &self.y, &hhh);
        Self::new(x, y, self.z.times(h))
    }

    /// `other` scaled by this point's z: the difference of its x to this point's, of magnitude 2, and its y, tight.
    #[inline(always)]
    fn rescaled(&self, other: &Affine<C>) -> (C, C) {
        let zz = self.z.squared();
        (other.x.times(&zz).minus(&self.x), other.y.times(&self.z.times(&zz)))
    }

    /// The sum for all points; `None` is infinity.
    pub(crate) fn complete_plus(point: Option<Self>, other: &Affine<C>) -> Option<Self> {
        let Some(point) = point else {
            return Some(Self::from_affine(other));
        };
        let (h, y) = point.rescaled(other);
        match (h.is_zero(), y.minus(&point.y).is_zero()) {
            (false, _) => Some(point.plus(other)),
            // No point has y = 0: the order of the group is odd.
            (true, true) => Some(point.double()),
            (true, false) => None,
        }
    }

    /// Whether the point is infinity or has to be computed again.
    pub(crate) fn is_void(&self) -> bool {
        self.z.is_zero()
    }

    /// Whether the affine x of a point other than infinity is this; `x` tight.
    pub(crate) fn has_x(&self, x: &C) -> bool {
        x.times(&self.z.squared()).minus(&self.x).is_zero()
    }
}

impl<C: Curve> Point for Jacobian<C> {
    type Affine = Affine<C>;

    const BITS: usize = C::BITS;

    fn from_affine(point: &Affine<C>) -> Self {
        Self::new(point.x, point.y, C::ONE)
    }

    fn double(&self) -> Self {
        self.double()
    }

    fn plus(&self, other: &Affine<C>) -> Self {
        self.plus(other)
    }

    fn minus(&self, other: &Affine<C>) -> Self {
        self.minus(other)
    }

    fn opposite(point: &Affine<C>) -> Affine<C> {
        Affine::tight(point.x, C::ZERO.minus(&point.y))
    }

    /// None of the points is infinity. One inversion by Montgomery's trick ("Speeding the Pollard and elliptic curve
    /// methods of factorization", Mathematics of Computation 48, 1987, section 10.3.1).
    fn normalize(points: &[Self]) -> Vec<Affine<C>> {
        let mut product = C::ONE;
        let mut affine = Vec::with_capacity(points.len());
        for point in points {
            // The product of the previous z, until the second pass.
            affine.push(Affine { x: product, y: C::ZERO });
            product = product.times(&point.z);
        }
        let mut inverse = product.inverse();
        for (point, affine) in points.iter().zip(&mut affine).rev() {
            let z_inverse = inverse.times(&affine.x);
            inverse = inverse.times(&point.z);
            let square = z_inverse.squared();
            *affine = Affine::tight(point.x.times(&square), point.y.times(&square.times(&z_inverse)));
        }
        affine
    }
}

/// The bounds of coordinates for all inputs: the formulas run with intervals for limbs until nothing grows any more.
#[cfg(test)]
#[expect(clippy::arithmetic_side_effects, reason = "intervals panic")]
pub(crate) mod limits {
    use super::{Affine, Curve, Jacobian};
    use crate::limbs::LIMB_MASK;
    use crate::multiply::Point;
    use crate::twins::{self, Limbs};
    use std::fmt::Debug;
    use std::marker::PhantomData;

    /// The operations of a field, whose elements have intervals for limbs.
    pub(crate) trait FieldTwin<const N: usize>: Copy + Debug {
        /// Every constant, and every coordinate that was read.
        const TIGHTENED: Limbs<N>;
        const A_IS_ZERO: bool;

        fn times(a: &Limbs<N>, b: &Limbs<N>) -> Limbs<N>;
        fn squared(a: &Limbs<N>) -> Limbs<N>;
        fn difference_of_products(factors: [&Limbs<N>; 4]) -> Limbs<N>;
        fn plus(a: &Limbs<N>, b: &Limbs<N>) -> Limbs<N>;
        fn minus(a: &Limbs<N>, b: &Limbs<N>) -> Limbs<N>;
        fn tighten(a: &Limbs<N>) -> Limbs<N>;
        /// What an inverse is made of.
        fn from_unsigned(limbs: &Limbs<N>) -> Limbs<N>;
    }

    /// The sum of `times` elements.
    pub(crate) fn scaled<const N: usize>(limbs: &Limbs<N>, times: u8) -> Limbs<N> {
        limbs.map(|limb| twins::i32::exactly(times.into()) * limb)
    }

    #[derive(Clone, Copy, Debug)]
    struct Element<F, const N: usize> {
        limbs: Limbs<N>,
        field: PhantomData<F>,
    }

    impl<F: FieldTwin<N>, const N: usize> Element<F, N> {
        const fn new(limbs: Limbs<N>) -> Self {
            Self { limbs, field: PhantomData }
        }

        fn join(&mut self, other: &Self) {
            for (limb, other) in self.limbs.iter_mut().zip(&other.limbs) {
                *limb = limb.join(*other);
            }
        }
    }

    impl<F: FieldTwin<N>, const N: usize> Curve for Element<F, N> {
        const ZERO: Self = Self::new([twins::i32::exactly(0); N]);
        const ONE: Self = Self::new(F::TIGHTENED);
        const A_IS_ZERO: bool = F::A_IS_ZERO;
        const B: Self = Self::ONE;
        const G: (Self, Self) = (Self::ONE, Self::ONE);
        const BITS: usize = 256;

        /// Both kinds of bits.
        fn p() -> &'static [i32] {
            &[0x0555_5555]
        }

        fn plus(&self, other: &Self) -> Self {
            Self::new(F::plus(&self.limbs, &other.limbs))
        }

        fn minus(&self, other: &Self) -> Self {
            Self::new(F::minus(&self.limbs, &other.limbs))
        }

        fn times(&self, other: &Self) -> Self {
            Self::new(F::times(&self.limbs, &other.limbs))
        }

        fn squared(&self) -> Self {
            Self::new(F::squared(&self.limbs))
        }

        fn difference_of_products(a: &Self, b: &Self, c: &Self, d: &Self) -> Self {
            Self::new(F::difference_of_products([&a.limbs, &b.limbs, &c.limbs, &d.limbs]))
        }

        fn assert_at_most(&self, _: u8) {}

        fn tighten(&self) -> Self {
            Self::new(F::tighten(&self.limbs))
        }

        /// No formula that asks has another result if so.
        fn is_zero(&self) -> bool {
            self.tighten();
            false
        }

        fn is_odd(&self) -> bool {
            self.tighten();
            false
        }

        fn inverse(&self) -> Self {
            self.tighten();
            Self::new(F::from_unsigned(&[twins::i32::between(0, LIMB_MASK.into()); N]))
        }
    }

    /// The limbs of every coordinate, whatever is done to points in whatever order.
    pub(crate) fn limits_of_formulas<F: FieldTwin<N>, const N: usize>() -> Vec<(&'static str, Limbs<N>)> {
        let mut affine = Affine { x: Element::<F, N>::ONE, y: Element::<F, N>::ONE };
        let mut point = Jacobian::from_affine(&affine);
        for _ in 0..1_000 {
            let (old_affine, old_point) = (affine, point);
            let points = [
                Jacobian::from_affine(&affine),
                point.double(),
                point.plus(&affine),
                point.minus(&affine),
                Jacobian::complete_plus(Some(point), &affine).unwrap(),
            ];
            for new in &points {
                for (old, new) in [(&mut point.x, new.x), (&mut point.y, new.y), (&mut point.z, new.z)] {
                    old.join(&new);
                }
            }
            let mut affines = Jacobian::normalize(&[point; 40]);
            affines.extend(affine.odd_multiples());
            affines.push(<Jacobian<Element<F, N>> as Point>::opposite(&affine));
            affines.extend([false, true].map(|odd| Affine::decompress(affine.x, odd)).into_iter().flatten());
            for new in &affines {
                affine.x.join(&new.x);
                affine.y.join(&new.y);
            }
            point.is_void();
            point.has_x(&affine.x);
            let same = |a: &Element<F, N>, b: &Element<F, N>| a.limbs == b.limbs;
            if same(&affine.x, &old_affine.x)
                && same(&affine.y, &old_affine.y)
                && same(&point.x, &old_point.x)
                && same(&point.y, &old_point.y)
                && same(&point.z, &old_point.z)
            {
                let half_z = point.z.limbs.map(|limb| twins::i32::between(limb.low / 2, limb.high / 2));
                return vec![
                    ("x of a table", affine.x.limbs),
                    ("y of a table", affine.y.limbs),
                    ("x", point.x.limbs),
                    ("y", point.y.limbs),
                    ("half of z", half_z),
                ];
            }
        }
        panic!("the coordinates grow without end: {point:?}");
    }
}
