//! The group of P-256, `y² = x³ - 3x + b` (SP 800-186 3.2.1.3).
//!
//! [`Jacobian::double`] and [`Jacobian::plus`] do without tests. Both are right for all points but these: `plus` of two
//! points with one x coordinate, and anything done to infinity. Both then return z = 0, which marks infinity *or a
//! result to be computed again* with [`Jacobian::complete_plus`].
#![expect(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    reason = "indices run below the lengths of the slices they index; field counts stand beside each formula"
)]

use super::p256_field::Field;

/// The coefficient b.
const B: Field = constant(&[
    0x5a, 0xc6, 0x35, 0xd8, 0xaa, 0x3a, 0x93, 0xe7, 0xb3, 0xeb, 0xbd, 0x55, 0x76, 0x98, 0x86, 0xbc, //
    0x65, 0x1d, 0x06, 0xb0, 0xcc, 0x53, 0xb0, 0xf6, 0x3b, 0xce, 0x3c, 0x3e, 0x27, 0xd2, 0x60, 0x4b,
]);

/// The base point.
pub(super) const G: Affine = Affine {
    x: constant(&[
        0x6b, 0x17, 0xd1, 0xf2, 0xe1, 0x2c, 0x42, 0x47, 0xf8, 0xbc, 0xe6, 0xe5, 0x63, 0xa4, 0x40,
        0xf2, //
        0x77, 0x03, 0x7d, 0x81, 0x2d, 0xeb, 0x33, 0xa0, 0xf4, 0xa1, 0x39, 0x45, 0xd8, 0x98, 0xc2, 0x96,
    ]),
    y: constant(&[
        0x4f, 0xe3, 0x42, 0xe2, 0xfe, 0x1a, 0x7f, 0x9b, 0x8e, 0xe7, 0xeb, 0x4a, 0x7c, 0x0f, 0x9e,
        0x16, //
        0x2b, 0xce, 0x33, 0x57, 0x6b, 0x31, 0x5e, 0xce, 0xcb, 0xb6, 0x40, 0x68, 0x37, 0xbf, 0x51, 0xf5,
    ]),
};

const fn constant(bytes: &[u8; 32]) -> Field {
    match Field::from_be_bytes(bytes) {
        Some(field) => field,
        None => Field::ZERO,
    }
}

/// A point other than infinity, its coordinates tight.
#[derive(Clone, Copy, Debug)]
pub(super) struct Affine {
    pub(super) x: Field,
    pub(super) y: Field,
}

impl Affine {
    pub(super) const ZERO: Self = Self { x: Field::ZERO, y: Field::ZERO };

    /// None for coordinates from p on, or off the curve.
    pub(super) fn from_be_bytes(x: &[u8; 32], y: &[u8; 32]) -> Option<Self> {
        let (x, y) = (Field::from_be_bytes(x)?, Field::from_be_bytes(y)?);
        // x² - 3 counts 4.
        let three = Field::ONE.plus(&Field::ONE).plus(&Field::ONE);
        let right = x.squared().minus(&three).times(&x).plus(&B);
        y.squared().minus(&right).is_zero().then_some(Self { x, y })
    }

    /// The point or its opposite.
    pub(super) const fn negated_if(&self, negative: bool) -> Self {
        if negative { Self { x: self.x, y: Field::ZERO.minus(&self.y) } } else { *self }
    }

    pub(super) const fn to_jacobian(self) -> Jacobian {
        Jacobian { x: self.x, y: self.y, z: Field::ONE }
    }
}

/// The point (x/z², y/z³); x and y are tight, z counts 2.
#[derive(Clone, Copy, Debug)]
pub(super) struct Jacobian {
    pub(super) x: Field,
    y: Field,
    pub(super) z: Field,
}

impl Jacobian {
    /// dbl-2001-b of the Explicit-Formulas Database, with z as 2yz.
    #[inline(never)]
    pub(super) const fn double(&self) -> Self {
        let delta = self.z.squared();
        let gamma = self.y.squared();
        let alpha = self.x.minus(&delta).times(&self.x.plus(&delta));
        let alpha = alpha.plus(&alpha).plus(&alpha);
        let beta = self.x.times(&gamma);
        let beta2 = beta.plus(&beta);
        let beta4 = beta2.plus(&beta2).tighten();
        let x = alpha.squared().minus(&beta4).minus(&beta4).tighten();
        let gamma2 = gamma.plus(&gamma);
        // 3·2 + 2·4 = 14: the bound itself.
        let y = Field::difference_of_products(&alpha, &beta4.minus(&x), &gamma2, &gamma2.plus(&gamma2));
        let z = self.y.times(&self.z);
        Self { x, y, z: z.plus(&z) }
    }

    /// madd with 8 multiplications and 3 squarings; z = 0 where the x coordinates are equal.
    #[inline(never)]
    pub(super) const fn plus(&self, other: &Affine) -> Self {
        let (h, r) = self.differences(other);
        let hh = h.squared();
        let hhh = h.times(&hh);
        let v = self.x.times(&hh);
        let x = r.squared().minus(&hhh).minus(&v).minus(&v).tighten();
        let y = Field::difference_of_products(&r, &v.minus(&x), &self.y, &hhh);
        Self { x, y, z: self.z.times(&h) }
    }

    /// What `other`'s coordinates, scaled by this point's z, exceed this point's by: h counts 2, r is tight.
    const fn differences(&self, other: &Affine) -> (Field, Field) {
        let zz = self.z.squared();
        let h = other.x.times(&zz).minus(&self.x);
        let r = other.y.times(&self.z.times(&zz)).minus(&self.y).tighten();
        (h, r)
    }

    /// The sum for all points; None is infinity.
    pub(super) fn complete_plus(point: Option<Self>, other: &Affine) -> Option<Self> {
        let Some(point) = point else {
            return Some(other.to_jacobian());
        };
        let (h, r) = point.differences(other);
        match (h.is_zero(), r.is_zero()) {
            (false, _) => Some(point.plus(other)),
            // No point has y = 0: the order of the group is odd.
            (true, true) => Some(point.double()),
            (true, false) => None,
        }
    }

    /// Whether x is `x` in the affine sense; `x` tight.
    pub(super) fn has_x(&self, x: &Field) -> bool {
        x.times(&self.z.squared()).minus(&self.x).is_zero()
    }
}

/// Makes points other than infinity affine, with one inversion for all. Both slices have one length.
pub(super) const fn normalize(points: &[Jacobian], affine: &mut [Affine]) {
    let mut product = Field::ONE;
    let mut i = 0;
    while i < points.len() {
        affine[i].x = product;
        product = product.times(&points[i].z);
        i += 1;
    }
    let mut inverse = product.inverse();
    while i > 0 {
        i -= 1;
        let Jacobian { x, y, z } = &points[i];
        let z_inverse = inverse.times(&affine[i].x);
        inverse = inverse.times(z);
        let square = z_inverse.squared();
        affine[i] = Affine { x: x.times(&square), y: y.times(&square.times(&z_inverse)) };
    }
}
