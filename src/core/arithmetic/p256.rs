//! Verification with P-256 (FIPS 186-5 6.4.2, as RFC 7518 3.4 uses it): ES256 without its hash.
//!
//! Every value here is public: time depends on all of them.
#![expect(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    reason = "table indices come from digits below 16 or 128, positions from fixed lengths; shifts are below 32"
)]

use std::rc::Rc;

use super::limbs::{self, Limbs, bit, carry_unsigned, from_be_bytes, less};
use super::modulus::Modulus;
use super::p256_field::Field;
use super::p256_point::{Affine, G, Jacobian, normalize};
use super::recode::{COMB_COLUMNS, COMB_POINTS, COMB_TEETH, CombDigit, comb_digits, sparse_digits};

/// The order n of the group.
const N: Modulus = Modulus::new(&[
    0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, //
    0xbc, 0xe6, 0xfa, 0xad, 0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51,
]);

/// G, 3G, 5G, ... 15G.
static ODD_MULTIPLES_OF_G: [Affine; 8] = odd_multiples(&G);

/// A public key that no table was made for: a verification computes the multiples it needs.
#[derive(Clone, Debug)]
pub struct PublicKey(Affine);

impl PublicKey {
    /// A key from its big-endian coordinates. None unless both are below p and the point is on the curve (SP 800-56A
    /// 5.6.2.3.4; the cofactor is 1, so every such point has the order n).
    #[must_use]
    pub fn from_affine(x: &[u8; 32], y: &[u8; 32]) -> Option<Self> {
        Affine::from_be_bytes(x, y).map(Self)
    }

    /// Whether (r, s), big-endian, is a signature of the hash. High s are accepted: JOSE does not forbid them.
    #[must_use]
    pub fn verify_prehash(&self, hash: &[u8; 32], r: &[u8; 32], s: &[u8; 32]) -> bool {
        Signature::new(hash, r, s).is_some_and(|signature| {
            let sum = sparse_sum(&signature.u1, &signature.u2, &odd_multiples(&self.0));
            signature.fits(sum, &self.0)
        })
    }

    /// The key with its table; worth it from the second or third verification on.
    #[must_use]
    pub fn prepare(&self, generator: &Rc<Generator>) -> PreparedKey {
        PreparedKey { point: self.0, comb: Comb::new(&self.0), generator: Rc::clone(generator) }
    }
}

/// The table of G that all prepared keys share: 9 KB.
#[derive(Debug)]
pub struct Generator(Comb);

impl Generator {
    /// Builds the table.
    #[must_use]
    #[expect(clippy::new_without_default, reason = "it costs as much as four verifications")]
    pub fn new() -> Self {
        Self(Comb::new(&G))
    }
}

/// A public key with a table of 9 KB: a third of the time of [`PublicKey::verify_prehash`].
#[derive(Clone, Debug)]
pub struct PreparedKey {
    point: Affine,
    comb: Comb,
    generator: Rc<Generator>,
}

impl PreparedKey {
    /// As [`PublicKey::verify_prehash`], with the same answer.
    #[must_use]
    pub fn verify_prehash(&self, hash: &[u8; 32], r: &[u8; 32], s: &[u8; 32]) -> bool {
        Signature::new(hash, r, s).is_some_and(|signature| {
            let mut sum = comb_sum(&signature.u1, &self.generator.0, &signature.u2, &self.comb);
            for (scalar, point) in [(&signature.u1, &G), (&signature.u2, &self.point)] {
                if bit(scalar, 0) == 0 {
                    sum = sum.map(|sum| sum.plus(&point.negated_if(true)));
                }
            }
            signature.fits(sum, &self.point)
        })
    }
}

/// A signature in range, and the multiples of G and of the key whose sum has x = r mod n.
struct Signature {
    r: Limbs,
    u1: Limbs,
    u2: Limbs,
}

impl Signature {
    /// None unless r and s are in 1 to n - 1.
    fn new(hash: &[u8; 32], r: &[u8; 32], s: &[u8; 32]) -> Option<Self> {
        let (hash, r, s) = (from_be_bytes(hash), from_be_bytes(r), from_be_bytes(s));
        if r == [0; 9] || s == [0; 9] || !less(&r, &N.value) || !less(&s, &N.value) {
            return None;
        }
        let inverse = N.to_montgomery(&N.invert(&s));
        Some(Self { u1: N.montgomery(&hash, &inverse), u2: N.montgomery(&r, &inverse), r })
    }

    /// Whether the sum u1·G + u2·key has x = r mod n; `sum` is what the fast formulas made of it.
    fn fits(&self, sum: Option<Jacobian>, key: &Affine) -> bool {
        let sum = match sum {
            Some(sum) if !sum.z.is_zero() => Some(sum),
            // Infinity, or two equal points met on the way: only a signer who chose the numbers so comes here.
            Some(_) | None => complete_sum(&self.u1, &self.u2, key),
        };
        let Some(sum) = sum else {
            return false;
        };
        // x is below p, and p is between n and 2n: x is r or r + n.
        let above = carry_unsigned(&limbs::add(&self.r, &N.value));
        [self.r, above].iter().filter_map(Field::from_limbs).any(|x| sum.has_x(&x))
    }
}

/// P, 3P, 5P, ... 15P. Nothing exceptional: all these multiples are smaller than the order.
const fn odd_multiples(point: &Affine) -> [Affine; 8] {
    let mut multiples = [point.to_jacobian(); 16];
    let mut odd = [point.to_jacobian(); 8];
    let mut i = 1;
    while i < 8 {
        // multiples[i] is (i + 1)·P.
        multiples[2 * i - 1] = multiples[i - 1].double();
        multiples[2 * i] = multiples[2 * i - 1].plus(point);
        odd[i] = multiples[2 * i];
        i += 1;
    }
    let mut affine = [Affine::ZERO; 8];
    normalize(&odd, &mut affine);
    affine
}

/// `u1·G + u2·key` in one run of doublings; None where both are zero.
fn sparse_sum(u1: &Limbs, u2: &Limbs, key: &[Affine; 8]) -> Option<Jacobian> {
    let (digits1, digits2) = (sparse_digits(u1), sparse_digits(u2));
    let mut sum = None;
    for (digit1, digit2) in digits1.into_iter().zip(digits2).rev() {
        sum = sum.map(|sum: Jacobian| sum.double());
        for (digit, table) in [(digit1, &ODD_MULTIPLES_OF_G), (digit2, key)] {
            if digit != 0 {
                let point = table[usize::from(digit.unsigned_abs() / 2)].negated_if(digit < 0);
                sum = Some(sum.map_or(point.to_jacobian(), |sum| sum.plus(&point)));
            }
        }
    }
    sum
}

/// The same for all numbers, bit by bit.
fn complete_sum(u1: &Limbs, u2: &Limbs, key: &Affine) -> Option<Jacobian> {
    let mut sum = None;
    for position in (0..256).rev() {
        sum = sum.map(|sum: Jacobian| sum.double());
        for (scalar, point) in [(u1, &G), (u2, key)] {
            if bit(scalar, position) == 1 {
                sum = Jacobian::complete_plus(sum, point);
            }
        }
    }
    sum
}

/// `(u1 | 1)·P1 + (u2 | 1)·P2` with a table of each.
fn comb_sum(u1: &Limbs, comb1: &Comb, u2: &Limbs, comb2: &Comb) -> Option<Jacobian> {
    let (digits1, digits2) = (comb_digits(u1), comb_digits(u2));
    let mut sum = None;
    for (digit1, digit2) in digits1.into_iter().zip(digits2).rev() {
        sum = sum.map(|sum: Jacobian| sum.double());
        for (digit, comb) in [(digit1, comb1), (digit2, comb2)] {
            let point = comb.point(digit)?;
            sum = Some(sum.map_or(point.to_jacobian(), |sum| sum.plus(&point)));
        }
    }
    sum
}

/// The multiples `2^231 ± 2^198 ± 2^165 ... ± 1` of a point, the sign of `2^(33 i)` in bit i of the index.
#[derive(Clone, Debug)]
struct Comb(Vec<Affine>);

impl Comb {
    /// Nothing exceptional: every sum is of different multiples, positive and smaller than the order.
    fn new(point: &Affine) -> Self {
        let mut tooth = point.to_jacobian();
        // Teeth, then their doubles.
        let mut teeth = [tooth; 2 * (COMB_TEETH - 1)];
        for i in 0..COMB_TEETH - 1 {
            teeth[i] = tooth;
            tooth = tooth.double();
            teeth[COMB_TEETH - 1 + i] = tooth;
            for _ in 1..COMB_COLUMNS {
                tooth = tooth.double();
            }
        }
        let mut steps = [Affine::ZERO; 2 * (COMB_TEETH - 1)];
        normalize(&teeth, &mut steps);
        let (teeth, doubles) = steps.split_at(COMB_TEETH - 1);
        let mut points = Vec::with_capacity(COMB_POINTS);
        points.push(teeth.iter().rev().fold(tooth, |sum, tooth| sum.plus(&tooth.negated_if(true))));
        for double in doubles {
            for i in 0..points.len() {
                points.push(points[i].plus(double));
            }
        }
        let mut affine = vec![Affine::ZERO; points.len()];
        normalize(&points, &mut affine);
        Self(affine)
    }

    fn point(&self, digit: CombDigit) -> Option<Affine> {
        self.0.get(digit.index).map(|point| point.negated_if(digit.negative))
    }
}

#[cfg(test)]
mod tests {
    use super::{Generator, N, PublicKey};
    use p256::ecdsa::signature::hazmat::PrehashVerifier;
    use p256::ecdsa::{Signature, VerifyingKey};
    use p256::elliptic_curve::sec1::ToSec1Point;
    use p256::elliptic_curve::{Group, PrimeField, ops::Reduce};
    use p256::{FieldBytes, ProjectivePoint, Scalar};
    use proptest::prelude::Rng;
    use proptest::test_runner::{RngAlgorithm, TestRng};
    use std::rc::Rc;

    struct Key {
        plain: PublicKey,
        prepared: super::PreparedKey,
        oracle: VerifyingKey,
    }

    fn key(point: ProjectivePoint, generator: &Rc<Generator>) -> Key {
        let sec1 = point.to_affine().to_sec1_point(false);
        let plain = PublicKey::from_affine(sec1.x().unwrap().as_ref(), sec1.y().unwrap().as_ref()).unwrap();
        let oracle = VerifyingKey::from_sec1_bytes(sec1.as_bytes()).unwrap();
        Key { prepared: plain.prepare(generator), plain, oracle }
    }

    fn bytes(rng: &mut TestRng) -> [u8; 32] {
        let mut bytes = [0; 32];
        rng.fill_bytes(&mut bytes);
        bytes
    }

    fn scalar(rng: &mut TestRng) -> Scalar {
        <Scalar as Reduce<FieldBytes>>::reduce(&bytes(rng).into())
    }

    /// The verdict of all three, which must be one.
    fn verdict(key: &Key, hash: &[u8; 32], r: &[u8; 32], s: &[u8; 32]) -> bool {
        let oracle = Signature::from_scalars(*r, *s)
            .is_ok_and(|signature| key.oracle.verify_prehash(hash, &signature).is_ok());
        let context = || format!("hash {hash:02x?} r {r:02x?} s {s:02x?} key {:?}", key.oracle);
        assert_eq!(key.plain.verify_prehash(hash, r, s), oracle, "plain, {}", context());
        assert_eq!(key.prepared.verify_prehash(hash, r, s), oracle, "prepared, {}", context());
        oracle
    }

    /// x of a point, mod n.
    fn x_mod_n(point: ProjectivePoint) -> Scalar {
        <Scalar as Reduce<FieldBytes>>::reduce(point.to_affine().to_sec1_point(false).x().unwrap())
    }

    /// A signature that makes the verifier add exactly u1·G and u2·Q, and its hash.
    fn chosen(u1: Scalar, u2: Scalar, q: ProjectivePoint) -> Option<[[u8; 32]; 3]> {
        let sum = ProjectivePoint::GENERATOR * u1 + q * u2;
        // With an infinite sum no r is right; 1 is as wrong as any.
        let r = if bool::from(sum.is_identity()) { Scalar::ONE } else { x_mod_n(sum) };
        let s = r * Option::<Scalar>::from(u2.invert())?;
        Some([u1 * s, r, s].map(|scalar| scalar.to_repr().into()))
    }

    fn small(value: i64) -> Scalar {
        let magnitude = Scalar::from(value.unsigned_abs());
        if value < 0 { -magnitude } else { magnitude }
    }

    #[test]
    fn agrees_with_p256_on_signatures_and_mutations() {
        let mut rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
        let generator = Rc::new(Generator::new());
        for _ in 0..12 {
            let secret = scalar(&mut rng);
            let key = key(ProjectivePoint::GENERATOR * secret, &generator);
            for round in 0..20_usize {
                let hash = bytes(&mut rng);
                let (k, z) = (scalar(&mut rng), <Scalar as Reduce<FieldBytes>>::reduce(&hash.into()));
                let r = x_mod_n(ProjectivePoint::GENERATOR * k);
                let s = k.invert().unwrap() * (z + r * secret);
                let parts: [[u8; 32]; 3] = [hash, r.to_repr().into(), s.to_repr().into()];
                let [hash, r, s] = &parts;
                assert!(verdict(&key, hash, r, s));
                assert!(
                    verdict(&key, hash, r, &(-Scalar::from_repr((*s).into()).unwrap()).to_repr().into()),
                    "high s"
                );
                let mut mutated = parts;
                mutated[round % 3][usize::try_from(rng.next_u32() % 32).unwrap()] ^= 1 << (round % 8);
                let [hash, r, s] = &mutated;
                assert!(!verdict(&key, hash, r, s));
            }
        }
    }

    #[test]
    fn agrees_with_p256_where_points_meet() {
        let mut rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
        let generator = Rc::new(Generator::new());
        let any = scalar(&mut rng);
        let powers = [1_i64 << 31, 1 << 33, (1 << 34) + 1, (1 << 33) - 1];
        let secrets = [1, -1, 2, -2, 3, -3, 5, 15, -15, 16, 31, 32, 33]
            .into_iter()
            .chain(powers)
            .map(small)
            .chain([any]);
        let mut accepted = 0;
        for secret in secrets {
            let q = ProjectivePoint::GENERATOR * secret;
            let key = key(q, &generator);
            for u2 in [1, -1, 2, -2, 3, 7, 8, 15, 16, -16, 17, 31, 32, 255].map(small) {
                // u1·G equal to u2·Q and to its opposite, small multiples of it, zero, and neighbours.
                let product = u2 * secret;
                for u1 in [
                    product,
                    -product,
                    Scalar::ZERO,
                    Scalar::ONE,
                    product.double(),
                    -product.double(),
                    product + Scalar::ONE,
                    Scalar::ONE - product,
                ] {
                    let [hash, r, s] = chosen(u1, u2, q).unwrap();
                    let infinite = u1 + product == Scalar::ZERO;
                    assert_eq!(verdict(&key, &hash, &r, &s), !infinite);
                    accepted += u32::from(!infinite);
                }
            }
        }
        assert!(accepted > 1_000);
    }

    #[test]
    fn agrees_with_p256_at_the_ends_of_the_ranges() {
        let mut rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
        let generator = Rc::new(Generator::new());
        let secret = scalar(&mut rng);
        let key = key(ProjectivePoint::GENERATOR * secret, &generator);
        let one = Scalar::ONE;
        let n_less_1: [u8; 32] = (-one).to_repr().into();
        let mut n = n_less_1;
        n[31] += 1;
        let mut n_plus_1 = n;
        n_plus_1[31] += 1;
        // p - n - 1 and its neighbours: the largest r for which r + n is a coordinate.
        let p_less_n: [u8; 32] = {
            let p = [[255, 255, 255, 255, 0, 0, 0, 1], [0; 8], [0, 0, 0, 0, 255, 255, 255, 255], [255; 8]]
                .concat();
            let mut difference = [0; 32];
            let mut borrow = 0;
            for i in (0..32).rev() {
                let value = p[i] - i32::from(n[i]) - borrow;
                borrow = i32::from(value < 0);
                difference[i] = u8::try_from(value & 255).unwrap();
            }
            difference
        };
        let around = |value: [u8; 32], by: i64| -> [u8; 32] {
            (Scalar::from_repr(value.into()).unwrap() + small(by)).to_repr().into()
        };
        let numbers = [
            [0; 32],
            one.to_repr().into(),
            small(2).to_repr().into(),
            n_less_1,
            n,
            n_plus_1,
            [255; 32],
            [1; 32],
            p_less_n,
            around(p_less_n, -1),
            around(p_less_n, 1),
            around(n_less_1, -1),
        ];
        for hash in [[0; 32], [255; 32], n, n_less_1, n_plus_1, [7; 32]] {
            for r in &numbers {
                for s in &numbers {
                    verdict(&key, &hash, r, s);
                }
            }
        }
    }

    /// r + n is the coordinate here: x of the sum is in [n, p), which random signatures do not reach.
    #[test]
    fn accepts_x_from_n_on() {
        let generator = Rc::new(Generator::new());
        let mut found = 0;
        for small_r in 1..200_u64 {
            // A point with x = r + n, if there is one; with u1 = 0 and s = r the sum is the key itself.
            let r = Scalar::from(small_r);
            let mut x: [u8; 32] = (-Scalar::ONE).to_repr().into();
            let mut carry = u16::try_from(small_r + 1).unwrap();
            for byte in x.iter_mut().rev() {
                let sum = u16::from(*byte) + carry;
                (*byte, carry) = (u8::try_from(sum & 255).unwrap(), sum >> 8);
            }
            let compressed = [&[2][..], &x].concat();
            let Ok(oracle) = VerifyingKey::from_sec1_bytes(&compressed) else {
                continue;
            };
            found += 1;
            let key = key(oracle.as_affine().into(), &generator);
            let r = r.to_repr().into();
            assert!(verdict(&key, &[0; 32], &r, &r));
        }
        assert!(found > 50);
    }

    #[test]
    fn refuses_what_is_no_point() {
        let sec1 = ProjectivePoint::GENERATOR.to_affine().to_sec1_point(false);
        let (x, y): ([u8; 32], [u8; 32]) = ((*sec1.x().unwrap()).into(), (*sec1.y().unwrap()).into());
        let p_plus_5: [u8; 32] = {
            let mut p = [0; 32];
            p[..4].fill(255);
            p[7] = 1;
            p[19] = 1;
            p[31] = 4;
            p
        };
        // (5, y) is on the curve: its x in another way of writing it is not accepted.
        let five = {
            let mut five = [0; 32];
            five[31] = 5;
            five
        };
        let y_of_5: [u8; 32] = {
            let compressed = [&[2][..], &five].concat();
            let point = VerifyingKey::from_sec1_bytes(&compressed).unwrap().to_sec1_point(false);
            (*point.y().unwrap()).into()
        };
        let mut other = y;
        other[31] ^= 1;
        for (x, y, accepted) in [
            (&x, &y, true),
            (&five, &y_of_5, true),
            (&p_plus_5, &y_of_5, false),
            (&x, &other, false),
            (&y, &x, false),
            (&[0; 32], &[0; 32], false),
            (&[255; 32], &y, false),
            (&x, &[255; 32], false),
            (&x, &x, false),
        ] {
            assert_eq!(PublicKey::from_affine(x, y).is_some(), accepted);
        }
    }

    #[test]
    fn inverts_as_p256_does() {
        let mut rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
        let edges = [1, -1, 2, -2, 3, -3, 1 << 29, -(1 << 29), (1 << 29) - 1, 1 << 58].map(small);
        let random = std::iter::repeat_with(|| scalar(&mut rng)).take(2_000);
        for a in edges.into_iter().chain(random) {
            let limbs = |scalar: Scalar| super::from_be_bytes(&scalar.to_repr().into());
            assert_eq!(N.invert(&limbs(a)), limbs(a.invert().unwrap()), "{a:?}");
        }
        assert_eq!(N.invert(&[0; 9]), [0; 9]);
    }
}
