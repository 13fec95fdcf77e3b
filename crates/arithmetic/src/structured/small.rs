//! Curves of so few points that all of them are tried: the formulas, the combs and the whole of ECDSA are generic, so what
//! holds here for every input holds for their text. The field asserts the magnitudes that `Curve` states.
#![expect(clippy::arithmetic_side_effects, reason = "numbers below 2^32, and integers of any size")]

use super::textbook::{Curve as Textbook, Point};
use crate::ecdsa::{Ecdsa, PublicKey, Signature};
use crate::limbs::{Limbs, from_be_bytes};
use crate::magnitude::Magnitude;
use crate::modulus::Modulus;
use crate::multiply::{Comb, Point as _, sparse_sum};
use crate::weierstrass::{Affine, Curve, Jacobian};
use num_bigint::BigUint as Int;
use std::fmt::Debug;
use std::marker::PhantomData;

/// `y² = x³ - 3x + b` modulo p, which is -1 modulo 4, with the prime order n.
trait Parameters: Copy + Debug {
    const P: i32;
    const B: i32;
    const G: (i32, i32);
    const N: i32;
    const BITS: usize;

    fn textbook() -> Textbook {
        Textbook::small([Self::P, Self::B, Self::G.0, Self::G.1, Self::N])
    }
}

/// 53 points; x is n or more for 11 of them.
#[derive(Clone, Copy, Debug)]
struct Tiny;

impl Parameters for Tiny {
    const P: i32 = 59;
    const B: i32 = 37;
    const G: (i32, i32) = (1, 25);
    const N: i32 = 53;
    const BITS: usize = 6;
}

/// Points enough for combs of two columns.
#[derive(Clone, Copy, Debug)]
struct Small;

impl Parameters for Small {
    const P: i32 = 65_479;
    const B: i32 = 43;
    const G: (i32, i32) = (0, 23_777);
    const N: i32 = 65_413;
    const BITS: usize = 16;
}

#[derive(Clone, Copy, Debug)]
struct Field<T> {
    value: i32,
    magnitude: Magnitude,
    parameters: PhantomData<T>,
}

impl<T: Parameters> Field<T> {
    const fn new(value: i32, magnitude: Magnitude) -> Self {
        Self { value, magnitude, parameters: PhantomData }
    }

    fn of(value: i64, magnitude: Magnitude) -> Self {
        Self::new(i32::try_from(value.rem_euclid(T::P.into())).unwrap(), magnitude)
    }

    fn product(&self, other: &Self) -> i64 {
        i64::from(self.value) * i64::from(other.value)
    }
}

impl<T: Parameters> Curve for Field<T> {
    const ZERO: Self = Self::new(0, Magnitude::NONE);
    const ONE: Self = Self::new(1, Magnitude::TIGHT);
    const B: Self = Self::new(T::B, Magnitude::TIGHT);
    const G: (Self, Self) = (Self::new(T::G.0, Magnitude::TIGHT), Self::new(T::G.1, Magnitude::TIGHT));
    const BITS: usize = T::BITS;

    fn p() -> &'static [i32] {
        const { &[T::P] }
    }

    fn plus(&self, other: &Self) -> Self {
        Self::of(i64::from(self.value) + i64::from(other.value), self.magnitude.plus(other.magnitude))
    }

    fn minus(&self, other: &Self) -> Self {
        Self::of(i64::from(self.value) - i64::from(other.value), self.magnitude.plus(other.magnitude))
    }

    fn times(&self, other: &Self) -> Self {
        self.magnitude.times(other.magnitude).assert_at_most(9);
        Self::of(self.product(other), Magnitude::TIGHT)
    }

    fn squared(&self) -> Self {
        self.magnitude.assert_at_most(3);
        self.times(self)
    }

    fn difference_of_products(a: &Self, b: &Self, c: &Self, d: &Self) -> Self {
        a.magnitude.times(b.magnitude).plus(c.magnitude.times(d.magnitude)).assert_at_most(9);
        Self::of(a.product(b) - c.product(d), Magnitude::TIGHT)
    }

    fn assert_at_most(&self, most: u8) {
        self.magnitude.assert_at_most(most);
    }

    fn tighten(&self) -> Self {
        self.magnitude.assert_at_most(6);
        Self::new(self.value, Magnitude::TIGHT)
    }

    fn is_zero(&self) -> bool {
        self.tighten().value == 0
    }

    fn is_odd(&self) -> bool {
        self.tighten().value % 2 == 1
    }

    fn inverse(&self) -> Self {
        let base = self.tighten();
        (0..T::P - 2).fold(Self::ONE, |power, _| power.times(&base))
    }
}

impl Ecdsa for Tiny {
    type Bytes = [u8; 1];
    type Scalar = Limbs;
    type Field = Field<Self>;

    fn field(bytes: &[u8; 1]) -> Option<Field<Self>> {
        field(&from_be_bytes(bytes))
    }

    fn signature(hash: &[u8; 1], r: &[u8; 1], s: &[u8; 1]) -> Option<Signature<Limbs, Field<Self>>> {
        const N: Modulus = Modulus::new(&[53]);
        Signature::new(&N, field, [hash, r, s])
    }
}

fn field(limbs: &Limbs) -> Option<Field<Tiny>> {
    (limbs[0] < Tiny::P).then(|| Field::new(limbs[0], Magnitude::TIGHT))
}

fn affine<T: Parameters>(point: &Point) -> Affine<Field<T>> {
    let [x, y] = coordinates(point);
    Affine::new(Field::new(x, Magnitude::TIGHT), Field::new(y, Magnitude::TIGHT)).unwrap()
}

fn coordinates(point: &Point) -> [i32; 2] {
    let (x, y) = point.as_ref().unwrap();
    [x, y].map(|number| i32::try_from(number).unwrap())
}

/// 0, G, 2G, ... up to n - 1.
fn multiples<T: Parameters>() -> Vec<Point> {
    let curve = T::textbook();
    let next = |point: &Point| Some(curve.sum(point, &curve.g));
    std::iter::successors(Some(None), next).take(usize::try_from(T::N).unwrap()).collect()
}

/// Whether a sum is the point.
fn is<T: Parameters>(sum: Option<Jacobian<Field<T>>>, expected: &Point) -> bool {
    match (sum, expected) {
        (None, None) => true,
        (Some(sum), Some(_)) => {
            let [x, _] = coordinates(expected);
            // The same x, and not the opposite y.
            !sum.is_void()
                && sum.has_x(&Field::new(x, Magnitude::TIGHT))
                && Jacobian::complete_plus(Some(sum), &affine(expected)).is_some()
        }
        _ => false,
    }
}

/// All pairs of points, with all z that doublings and sums make on the way.
#[test]
fn all_points_add_up() {
    let points = multiples::<Tiny>();
    let order = points.len();
    let mut met = 0;
    for a in 1..order {
        // 2a with a z other than 1.
        let double = Jacobian::from_affine(&affine::<Tiny>(&points[a])).double();
        assert!(is(Some(double), &points[2 * a % order]));
        for b in 1..order {
            let point = affine(&points[b]);
            let (sum, difference) = (&points[(2 * a + b) % order], &points[(2 * a + order - b) % order]);
            assert!(is(Jacobian::complete_plus(Some(double), &point), sum), "2·{a} + {b}");
            let [fast_sum, fast_difference] = [double.plus(&point), double.minus(&point)];
            if sum.is_none() || difference.is_none() {
                assert!(fast_sum.is_void() && fast_difference.is_void(), "2·{a} and {b}");
                met += 1;
            } else {
                assert!(is(Some(fast_sum), sum) && is(Some(fast_difference), difference), "2·{a} and {b}");
            }
        }
        let [x, y] = coordinates(&points[a]);
        for y_is_odd in [false, true] {
            let found = Affine::decompress(Field::<Tiny>::new(x, Magnitude::TIGHT), y_is_odd).unwrap();
            let expected = if (y % 2 == 1) == y_is_odd { a } else { order - a };
            assert!(is(Some(Jacobian::from_affine(&found)), &points[expected]));
        }
    }
    assert_eq!(met, 2 * (order - 1));
    let on_curve = (0..Tiny::P)
        .flat_map(|x| (0..Tiny::P).map(move |y| (x, y)))
        .filter(|(x, y)| {
            let [x, y] = [x, y].map(|number| Field::<Tiny>::new(*number, Magnitude::TIGHT));
            Affine::new(x, y).is_some()
        })
        .count();
    assert_eq!(on_curve, order - 1);
}

/// Every hash, r and s that a byte holds, and what is out of range with it, for some keys; most sums meet on their way.
#[test]
fn all_signatures_are_judged_as_defined() {
    let (points, curve) = (multiples::<Tiny>(), Tiny::textbook());
    let keys = if std::env::var_os("CASES").is_some() { 1..53 } else { 5..6 };
    let mut accepted = 0;
    for secret in keys {
        let [x, y] = coordinates(&points[secret]).map(|number| [u8::try_from(number).unwrap()]);
        let key = PublicKey::<Tiny>::from_affine(&x, &y).unwrap();
        for r in 0..62_u8 {
            for s in 0..62_u8 {
                for hash in 0..62_u8 {
                    let found = key.verify_prehash(&[hash], &[r], &[s]);
                    // As the textbook does it, but for the sum, which is known.
                    let expected = (1..53).contains(&r) && (1..53).contains(&s) && {
                        let inverse = usize::try_from(super::textbook::inverse(&s.into(), &curve.n)).unwrap();
                        let multiple = (usize::from(hash) + usize::from(r) * secret) * inverse % 53;
                        points[multiple].as_ref().is_some_and(|(x, _)| x % &curve.n == Int::from(r))
                    };
                    assert_eq!(found, expected, "key {secret} hash {hash} r {r} s {s}");
                    accepted += usize::from(found);
                }
            }
        }
    }
    assert!(accepted > 1_000, "{accepted}");
}

/// All multiples of G, with some of another point, by combs and by sparse digits.
#[test]
fn all_multiples_are_summed() {
    let points = multiples::<Small>();
    let order = points.len();
    let generator = affine::<Small>(&points[1]);
    let comb = Comb::<Jacobian<Field<Small>>>::new(&generator);
    let step = if std::env::var_os("CASES").is_some() { 1 } else { 7 };
    let (mut void, mut sums) = (0, 0);
    for secret in [1_usize, 2, 0x8000, 12_345, order - 1] {
        let key = affine::<Small>(&points[secret]);
        let (of_key, odd, odd_of_key) = (Comb::new(&key), generator.odd_multiples(), key.odd_multiples());
        for u1 in (0..order).step_by(step) {
            for u2 in [0, 1, 0x5555, order - 1] {
                let expected = &points[(u1 + u2 * secret) % order];
                let [a, b] = [u1, u2].map(|scalar| [i32::try_from(scalar).unwrap()]);
                let by_comb = Some(Comb::sum([(&a, &comb), (&b, &of_key)]));
                for sum in [by_comb, sparse_sum([(&a, &odd), (&b, &odd_of_key)])] {
                    sums += 1;
                    match sum {
                        Some(sum) if sum.is_void() => void += 1,
                        sum => assert!(is(sum, expected), "{u1}·1 + {u2}·{secret}"),
                    }
                }
            }
        }
    }
    // Sums that meet are void, never wrong; they are rare even here.
    assert!(void > 0 && void * 20 < sums, "{void} of {sums}");
}
