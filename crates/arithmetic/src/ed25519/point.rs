//! The group of Ed25519, `-x² + y² = 1 + d·x²·y²` (RFC 8032 5.1), with formulas that hold for all its points: those of
//! Hisil, Wong, Carter and Dawson ("Twisted Edwards curves revisited", ASIACRYPT 2008, sections 3 and 4), by their names in
//! the Explicit-Formulas Database (hyperelliptic.org/EFD, g1p, twisted, extended-1).
#![expect(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    reason = "indices run below the lengths of the slices they index; field counts stand beside each formula"
)]

use super::field::Field;
use crate::multiply::Point;

/// The coefficient d, -121665/121666.
const D: Field = Field::ZERO.minus(&Field::small(121_665)).times(&Field::small(121_666).inverse());
const TWICE_D: Field = D.plus(&D).times(&Field::ONE);

/// The base point: y is 4/5, x is even.
pub(super) const B: Affine = {
    let y = Field::small(4).times(&Field::small(5).inverse());
    match Affine::with_y(&y, false) {
        Some(point) => point,
        None => Affine::ZERO,
    }
};

/// Whether a point with this y, if there is one, has an order of 1, 2, 4 or 8: its double then has x or y zero, that is
/// y = 0, x = 0 or x² = -y², because x² is (y² - 1)/(d·y² + 1).
pub(super) fn has_small_order(y: &Field) -> bool {
    let square = y.squared();
    let twice = square.plus(&square);
    let quartic = D.times(&square.squared()).plus(&twice).minus(&Field::ONE);
    y.is_zero() || square.minus(&Field::ONE).is_zero() || quartic.is_zero()
}

/// A point in the form for sums: y + x and y - x, of magnitude 2, and 2d·x·y, tight.
#[derive(Clone, Copy, Debug)]
pub(super) struct Affine {
    sum: Field,
    difference: Field,
    product: Field,
}

impl Affine {
    pub(super) const ZERO: Self = Self { sum: Field::ONE, difference: Field::ONE, product: Field::ZERO };

    /// Takes tight coordinates.
    const fn new(x: &Field, y: &Field) -> Self {
        x.assert_at_most(1);
        y.assert_at_most(1);
        Self { sum: y.plus(x), difference: y.minus(x), product: x.times(y).times(&TWICE_D) }
    }

    /// The point with a y, tight, and an x of this parity (RFC 8032 5.1.3); None if there is none. An x of zero, which
    /// only points of small order have, passes as odd too.
    pub(super) const fn with_y(y: &Field, x_is_odd: bool) -> Option<Self> {
        let square = y.squared();
        let (u, v) = (square.minus(&Field::ONE), square.times(&D).plus(&Field::ONE));
        match Field::root_of_ratio(&u.times(&Field::ONE), &v.times(&Field::ONE)) {
            None => None,
            Some(x) if x.is_odd() == x_is_odd => Some(Self::new(&x, y)),
            Some(x) => Some(Self::new(&Field::ZERO.minus(&x), y)),
        }
    }

    pub(super) const fn opposite(&self) -> Self {
        Self { sum: self.difference, difference: self.sum, product: Field::ZERO.minus(&self.product) }
    }
}

/// The point (e/g, h/f). A doubling needs three products of these and a sum four, so the caller computes them. Magnitudes:
/// e 3, f 4, g 3, h 3.
#[derive(Clone, Copy, Debug)]
pub(super) struct Completed {
    e: Field,
    f: Field,
    g: Field,
    h: Field,
}

impl Completed {
    const fn new(e: Field, f: Field, g: Field, h: Field) -> Self {
        e.assert_at_most(3);
        f.assert_at_most(4);
        g.assert_at_most(3);
        h.assert_at_most(3);
        Self { e, f, g, h }
    }

    /// dbl-2008-hwcd.
    #[inline(never)]
    pub(super) const fn double(&self) -> Self {
        let (x, y, z) = (self.e.times(&self.f), self.g.times(&self.h), self.f.times(&self.g));
        let (xx, yy, zz) = (x.squared(), y.squared(), z.squared());
        let h = xx.plus(&yy);
        let e = x.plus(&y).squared().minus(&h);
        let g = yy.minus(&xx);
        Self::new(e, g.minus(&zz).minus(&zz), g, Field::ZERO.minus(&h))
    }

    pub(super) const fn plus(&self, other: &Affine) -> Self {
        self.sum(&other.sum, &other.difference, &other.product)
    }

    /// The sum with the negative: y + x and y - x swap, 2d·x·y changes its sign, and f and g swap.
    pub(super) const fn minus(&self, other: &Affine) -> Self {
        let Self { e, f, g, h } = self.sum(&other.difference, &other.sum, &other.product);
        Self::new(e, g, f, h)
    }

    /// madd-2008-hwcd-3.
    #[inline(never)]
    const fn sum(&self, sum: &Field, difference: &Field, product: &Field) -> Self {
        let (x, y, z) = (self.e.times(&self.f), self.g.times(&self.h), self.f.times(&self.g));
        let a = y.minus(&x).times(difference);
        let b = y.plus(&x).times(sum);
        let c = self.e.times(&self.h).times(product);
        let d = z.plus(&z);
        Self::new(b.minus(&a), d.minus(&c), d.plus(&c), b.plus(&a))
    }

    /// x and y, tight.
    pub(super) const fn coordinates(&self) -> (Field, Field) {
        let inverse = self.f.times(&self.g).inverse();
        (self.e.times(&self.f).times(&inverse), self.g.times(&self.h).times(&inverse))
    }

    /// Twice the coordinates of the point, half its sum and difference.
    pub(super) const fn from_affine(point: &Affine) -> Self {
        let two = Field::small(2);
        let (x, y) = (point.sum.minus(&point.difference), point.sum.plus(&point.difference));
        Self::new(x.times(&Field::ONE), two, two, y.times(&Field::ONE))
    }
}

impl Point for Completed {
    type Affine = Affine;

    const BITS: usize = 256;

    fn from_affine(point: &Affine) -> Self {
        Self::from_affine(point)
    }

    fn double(&self) -> Self {
        self.double()
    }

    fn plus(&self, other: &Affine) -> Self {
        self.plus(other)
    }

    fn minus(&self, other: &Affine) -> Self {
        self.minus(other)
    }

    fn opposite(point: &Affine) -> Affine {
        point.opposite()
    }

    fn normalize(points: &[Self]) -> Vec<Affine> {
        let mut affine = vec![Affine::ZERO; points.len()];
        normalize(points, &mut affine);
        affine
    }
}

/// Makes points affine, with one inversion for all, as `weierstrass` does. Both slices have one length.
pub(super) const fn normalize(points: &[Completed], affine: &mut [Affine]) {
    let mut product = Field::ONE;
    let mut i = 0;
    while i < points.len() {
        affine[i].product = product;
        product = product.times(&points[i].f.times(&points[i].g));
        i += 1;
    }
    let mut inverse = product.inverse();
    while i > 0 {
        i -= 1;
        let Completed { e, f, g, h } = &points[i];
        let z_inverse = inverse.times(&affine[i].product);
        inverse = inverse.times(&f.times(g));
        affine[i] = Affine::new(&e.times(f).times(&z_inverse), &g.times(h).times(&z_inverse));
    }
}
