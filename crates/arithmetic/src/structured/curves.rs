//! The fields of the curves of ECDSA, and the sums of their points.
#![expect(clippy::arithmetic_side_effects, reason = "integers of any size, and small numbers")]

use super::textbook::{Curve as Textbook, Point, bytes, inverse, minus};
use super::{Random, cases, report};
use crate::curves::p256::P256;
use crate::curves::p384::P384;
use crate::curves::p521::P521;
use crate::curves::secp256k1::Secp256k1;
use crate::ecdsa::Ecdsa;
use crate::multiply::Point as _;
use crate::weierstrass::{Affine, Curve, Jacobian};
use num_bigint::BigUint as Int;

fn field<C: Ecdsa>(curve: &Textbook, number: &Int) -> C::Field
where
    C::Bytes: TryFrom<Vec<u8>>,
{
    let len = usize::try_from(curve.p.bits().div_ceil(8)).unwrap();
    C::field(&C::Bytes::try_from(bytes(number, len)).ok().unwrap()).unwrap()
}

/// The operations of a field, on elements and on sums of elements.
fn field_is_as_defined<C: Ecdsa>(name: &str, curve: &Textbook, share: u64)
where
    C::Bytes: TryFrom<Vec<u8>>,
{
    let (mut random, p) = (Random::new(), &curve.p);
    let element = |number: &Int| field::<C>(curve, number);
    let cases = cases(share);
    for _ in 0..cases {
        let [a, b, c, d] = [(); 4].map(|()| random.residue(&[p, &curve.n]));
        let [x, y, z, w] = [&a, &b, &c, &d].map(element);
        // Of the magnitudes 3 and 2, or 2 and 4.
        let (sum, sum_value) = (x.plus(&y).minus(&z), minus(&((&a + &b) % p), &c, p));
        let (difference, difference_value) = (w.minus(&x), minus(&d, &a, p));
        let twice = difference.plus(&difference);
        let results = [
            (sum.times(&difference), &sum_value * &difference_value % p),
            (x.minus(&y).times(&twice), minus(&a, &b, p) * &difference_value * 2_u8 % p),
            (sum.squared(), &sum_value * &sum_value % p),
            (sum.tighten(), sum_value.clone()),
            (
                C::Field::difference_of_products(&sum, &difference, &x, &z.plus(&y)),
                minus(&(&sum_value * &difference_value % p), &(&a * (&c + &b) % p), p),
            ),
            (sum.inverse(), if sum_value == Int::ZERO { Int::ZERO } else { inverse(&sum_value, p) }),
        ];
        for (at, (result, expected)) in results.iter().enumerate() {
            let context = || format!("{name}: operation {at} of {a} {b} {c} {d}");
            assert!(result.minus(&element(expected)).is_zero(), "{}", context());
            assert!(!result.minus(&element(&((expected + 1_u8) % p))).is_zero(), "{}", context());
            assert_eq!(result.is_zero(), *expected == Int::ZERO, "{}", context());
            assert_eq!(result.is_odd(), expected.bit(0), "{}", context());
        }
    }
    report(name, cases);
}

#[test]
fn field_of_p256_is_as_defined() {
    field_is_as_defined::<P256>("the field of P-256", &Textbook::p256(), 1_600);
}

#[test]
fn field_of_p384_is_as_defined() {
    field_is_as_defined::<P384>("the field of P-384", &Textbook::p384(), 1_200);
}

#[test]
fn field_of_p521_is_as_defined() {
    field_is_as_defined::<P521>("the field of P-521", &Textbook::p521(), 1_000);
}

#[test]
fn field_of_secp256k1_is_as_defined() {
    field_is_as_defined::<Secp256k1>("the field of secp256k1", &Textbook::k256(), 1_000);
}

/// Doublings, sums and differences of points in both coordinates; equal and opposite ones among them.
fn points_add_up_as_defined<C: Ecdsa>(name: &str, curve: &Textbook)
where
    C::Bytes: TryFrom<Vec<u8>>,
{
    let mut random = Random::new();
    let affine = |point: &Point| {
        let (x, y) = point.as_ref().unwrap();
        Affine::new(field::<C>(curve, x), field::<C>(curve, y)).unwrap()
    };
    // Small multiples, which meet, and others.
    let mut scalars: Vec<Int> = (1..9_u8).map(Int::from).collect();
    scalars.extend((0..12).map(|_| random.residue(&[&curve.n]) + 1_u8));
    let mut multiples = curve.multiples(&scalars);
    multiples.retain(Option::is_some);
    let opposites: Vec<Point> = multiples.iter().map(|point| curve.opposite(point)).collect();
    multiples.extend(opposites);
    let points: Vec<_> =
        multiples.into_iter().map(|point| (affine(&point), curve.sum(&point, &point), point)).collect();
    let is = |sum: Option<Jacobian<C::Field>>, expected: &Point| match (sum, expected) {
        (None, None) => true,
        (Some(sum), Some((x, _))) => {
            // The same x, and not the opposite y.
            !sum.is_void()
                && sum.has_x(&field::<C>(curve, x))
                && Jacobian::complete_plus(Some(sum), &affine(expected)).is_some()
        }
        _ => false,
    };
    let cases = cases(200);
    let mut met = 0;
    for case in 0..cases {
        let (a, double_of_a, _) = random.of(&points);
        let (mut b, _, mut b_value) = random.of(&points).clone();
        if case % 16 < 2 {
            b_value = if case % 16 == 0 { double_of_a.clone() } else { curve.opposite(double_of_a) };
            b = affine(&b_value);
        }
        let (b, b_value) = (&b, &b_value);
        // With z other than 1.
        let double = Jacobian::from_affine(a).double();
        assert!(is(Some(double), double_of_a));
        let (sum, difference) =
            (curve.sum(double_of_a, b_value), curve.sum(double_of_a, &curve.opposite(b_value)));
        assert!(is(Jacobian::complete_plus(Some(double), b), &sum), "{double_of_a:?} + {b_value:?}");
        let meet = sum.is_none() || difference.is_none();
        let [fast_sum, fast_difference] = [double.plus(b), double.minus(b)];
        assert_eq!([fast_sum.is_void(), fast_difference.is_void()], [meet; 2]);
        if meet {
            met += 1;
            // Whatever comes after, the point stays void.
            assert!(fast_sum.plus(a).double().minus(b).is_void());
        } else {
            assert!(is(Some(fast_sum), &sum) && is(Some(fast_difference), &difference));
            let normal = Jacobian::normalize(&[fast_sum, double, fast_difference]);
            let expected = [&sum, double_of_a, &difference];
            assert!(
                normal
                    .iter()
                    .zip(expected)
                    .all(|(point, expected)| is(Some(Jacobian::from_affine(point)), expected))
            );
        }
    }
    assert!(met * 10 > cases, "{met}");
    report(name, cases);
}

#[test]
fn points_of_p256_add_up_as_defined() {
    points_add_up_as_defined::<P256>("points of P-256", &Textbook::p256());
}

#[test]
fn points_of_p384_add_up_as_defined() {
    points_add_up_as_defined::<P384>("points of P-384", &Textbook::p384());
}

#[test]
fn points_of_p521_add_up_as_defined() {
    points_add_up_as_defined::<P521>("points of P-521", &Textbook::p521());
}

#[test]
fn points_of_secp256k1_add_up_as_defined() {
    points_add_up_as_defined::<Secp256k1>("points of secp256k1", &Textbook::k256());
}
