//! The tests of every ECDSA curve: our verdicts with and without a table equal the verdict of the crate.

/// The tests of a curve's module: the crate that is its oracle, the bytes of a coordinate, and the share of cases. The module defines `P`.
macro_rules! agrees_with {
    ($oracle:ident, $len:literal, share $share:literal) => {
        const LEN: usize = $len;

        use super::{Generator, N, PreparedKey, PublicKey};
        use crate::limbs::{from_be_bytes, is_zero};
        use crate::structured::textbook::{Curve as Textbook, bytes as bytes_of};
        use crate::structured::{Random, cases, report};
        use num_bigint::BigUint;
        use proptest::prelude::Rng;
        use proptest::test_runner::{RngAlgorithm, TestRng};
        use std::rc::Rc;
        use $oracle::ecdsa::signature::hazmat::PrehashVerifier;
        use $oracle::ecdsa::{Signature, VerifyingKey};
        use $oracle::elliptic_curve::sec1::ToSec1Point;
        use $oracle::elliptic_curve::{Group, PrimeField, ops::Reduce};
        use $oracle::{FieldBytes, ProjectivePoint, Scalar};

        struct Key {
            plain: PublicKey,
            prepared: PreparedKey,
            oracle: VerifyingKey,
        }

        fn key(point: ProjectivePoint, generator: &Rc<Generator>) -> Key {
            let sec1 = point.to_affine().to_sec1_point(false);
            let plain =
                PublicKey::from_affine(sec1.x().unwrap().as_ref(), sec1.y().unwrap().as_ref()).unwrap();
            let oracle = VerifyingKey::from_sec1_bytes(sec1.as_bytes()).unwrap();
            Key { prepared: plain.prepare(generator), plain, oracle }
        }

        fn bytes(rng: &mut TestRng) -> [u8; LEN] {
            let mut bytes = [0; LEN];
            rng.fill_bytes(&mut bytes);
            // A number of as many bits as p.
            bytes[0] &= P[0];
            bytes
        }

        fn scalar(rng: &mut TestRng) -> Scalar {
            <Scalar as Reduce<FieldBytes>>::reduce(&bytes(rng).into())
        }

        /// The verdict, which must be the same for all three.
        fn verdict(key: &Key, hash: &[u8; LEN], r: &[u8; LEN], s: &[u8; LEN]) -> bool {
            // k256 takes only the lower of the two equivalent s.
            let oracle = Signature::from_scalars(*r, *s)
                .is_ok_and(|signature| key.oracle.verify_prehash(hash, &signature.normalize_s()).is_ok());
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
        fn chosen(u1: Scalar, u2: Scalar, q: ProjectivePoint) -> Option<[[u8; LEN]; 3]> {
            let sum = ProjectivePoint::GENERATOR * u1 + q * u2;
            // If the sum is infinity, no r is right; 1 is as wrong as any.
            let r = if bool::from(sum.is_identity()) { Scalar::ONE } else { x_mod_n(sum) };
            let s = r * Option::<Scalar>::from(u2.invert())?;
            Some([u1 * s, r, s].map(|scalar| scalar.to_repr().into()))
        }

        /// The sum of a number and a small one, as bytes.
        fn plus(number: &[u8; LEN], small: u64) -> [u8; LEN] {
            let mut sum = *number;
            let mut carry = u16::try_from(small).unwrap();
            for byte in sum.iter_mut().rev() {
                let value = u16::from(*byte) + carry;
                (*byte, carry) = (u8::try_from(value & 255).unwrap(), value >> 8);
            }
            sum
        }

        /// The difference of a number and a small one, as bytes.
        fn less(number: &[u8; LEN], small: u64) -> [u8; LEN] {
            let mut difference = *number;
            let mut borrow = i32::try_from(small).unwrap();
            for byte in difference.iter_mut().rev() {
                let value = i32::from(*byte) - borrow;
                (*byte, borrow) = (u8::try_from(value & 255).unwrap(), -(value >> 8));
            }
            difference
        }

        /// A point with this x, if there is one.
        fn with_x(x: &[u8; LEN]) -> Option<VerifyingKey> {
            VerifyingKey::from_sec1_bytes(&[&[2][..], x].concat()).ok()
        }

        fn small(value: i64) -> Scalar {
            let magnitude = Scalar::from(value.unsigned_abs());
            if value < 0 { -magnitude } else { magnitude }
        }

        #[test]
        fn agrees_with_the_crate_on_signatures_and_mutations() {
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
                    let parts: [[u8; LEN]; 3] = [hash, r.to_repr().into(), s.to_repr().into()];
                    let [hash, r, s] = &parts;
                    assert!(verdict(&key, hash, r, s));
                    assert!(
                        verdict(&key, hash, r, &(-Scalar::from_repr((*s).into()).unwrap()).to_repr().into()),
                        "high s"
                    );
                    let mut mutated = parts;
                    let at = LEN - 1 - usize::try_from(rng.next_u32() % 32).unwrap();
                    mutated[round % 3][at] ^= 1 << (round % 8);
                    let [hash, r, s] = &mutated;
                    assert!(!verdict(&key, hash, r, s));
                }
            }
        }

        #[test]
        fn agrees_with_the_crate_where_points_meet() {
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
                for u2 in [1, -1, 2, -2, 3, 8, 15, 16, -16, 255].map(small) {
                    // u1·G equal to u2·Q and to its opposite, small multiples of it, zero, and neighbours.
                    let product = u2 * secret;
                    for u1 in [
                        product,
                        -product,
                        Scalar::ZERO,
                        Scalar::ONE,
                        product + product,
                        -(product + product),
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
        fn agrees_with_the_crate_at_the_ends_of_the_ranges() {
            let mut rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
            let generator = Rc::new(Generator::new());
            let secret = scalar(&mut rng);
            let key = key(ProjectivePoint::GENERATOR * secret, &generator);
            let one = Scalar::ONE;
            let n_less_1: [u8; LEN] = (-one).to_repr().into();
            let (n, n_plus_1) = (plus(&n_less_1, 1), plus(&n_less_1, 2));
            // p - n - 1 and its neighbours: the largest r for which r + n is a coordinate.
            let p_less_n: [u8; LEN] = {
                let mut difference = [0; LEN];
                let mut borrow = 0;
                for i in (0..LEN).rev() {
                    let value = i32::from(P[i]) - i32::from(n[i]) - borrow;
                    borrow = i32::from(value < 0);
                    difference[i] = u8::try_from(value & 255).unwrap();
                }
                difference
            };
            let around = |value: [u8; LEN], by: i64| -> [u8; LEN] {
                (Scalar::from_repr(value.into()).unwrap() + small(by)).to_repr().into()
            };
            let numbers = [
                [0; LEN],
                one.to_repr().into(),
                small(2).to_repr().into(),
                n_less_1,
                n,
                n_plus_1,
                [255; LEN],
                [1; LEN],
                p_less_n,
                around(p_less_n, -1),
                around(p_less_n, 1),
                around(n_less_1, -1),
            ];
            for hash in [[0; LEN], [255; LEN], n, n_less_1, n_plus_1, [7; LEN]] {
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
                let Some(oracle) = with_x(&plus(&(-Scalar::ONE).to_repr().into(), small_r + 1)) else {
                    continue;
                };
                found += 1;
                let key = key(oracle.as_affine().into(), &generator);
                let r = r.to_repr().into();
                assert!(verdict(&key, &[0; LEN], &r, &r));
            }
            assert!(found > 50);
        }

        #[test]
        fn refuses_what_is_no_point() {
            let sec1 = ProjectivePoint::GENERATOR.to_affine().to_sec1_point(false);
            let (x, y): ([u8; LEN], [u8; LEN]) = ((*sec1.x().unwrap()).into(), (*sec1.y().unwrap()).into());
            // The smallest x of a point: the same x plus p is not accepted.
            let (low, point) = (0..9)
                .find_map(|low| with_x(&plus(&[0; LEN], low)).map(|key| (low, key.to_sec1_point(false))))
                .unwrap();
            let y_of_low: [u8; LEN] = (*point.y().unwrap()).into();
            let mut other = y;
            other[LEN - 1] ^= 1;
            for (x, y, accepted) in [
                (&x, &y, true),
                (&plus(&[0; LEN], low), &y_of_low, true),
                (&plus(&P, low), &y_of_low, false),
                (&x, &other, false),
                (&y, &x, false),
                (&[0; LEN], &[0; LEN], false),
                (&[255; LEN], &y, false),
                (&x, &[255; LEN], false),
                (&x, &x, false),
            ] {
                assert_eq!(PublicKey::from_affine(x, y).is_some(), accepted);
            }
        }

        #[test]
        fn decompresses_as_the_crate_does() {
            let mut rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
            let edges = (0..40).flat_map(|low| [plus(&[0; LEN], low), plus(&P, low), less(&P, low)]);
            let mut found = 0;
            for x in edges.chain(std::iter::repeat_with(|| bytes(&mut rng)).take(100)) {
                for (sign, y_is_odd) in [(2, false), (3, true)] {
                    let oracle = VerifyingKey::from_sec1_bytes(&[&[sign][..], &x].concat()).ok();
                    let ours = PublicKey::from_compressed(&x, y_is_odd);
                    assert_eq!(ours.is_some(), oracle.is_some(), "{sign} {x:02x?}");
                    let (Some(ours), Some(oracle)) = (ours, oracle) else { continue };
                    // The x of 2G + Q is not that of 2G - Q: y has the right sign.
                    let q: ProjectivePoint = oracle.as_affine().into();
                    let [hash, r, s] = chosen(small(2), Scalar::ONE, q).unwrap();
                    assert!(ours.verify_prehash(&hash, &r, &s));
                    found += 1;
                }
            }
            assert!(found > 100);
        }

        /// The verdict of all three is that of a textbook, too: for multiples with structure, which may cancel out.
        #[test]
        fn signatures_are_as_defined() {
            let (mut random, curve) = (Random::new(), Textbook::$oracle());
            let (n, p) = (&curve.n, &curve.p);
            let generator = Rc::new(Generator::new());
            let to_bytes = |number: &BigUint| <[u8; LEN]>::try_from(bytes_of(number, LEN)).unwrap();
            let (cases, mut accepted) = (cases($share), 0);
            let keys = cases.div_ceil(8);
            for first in (0..keys).step_by(8) {
                // The textbook is cheap for many.
                let secrets = (first..keys.min(first + 8)).map(|_| random.residue(&[n, p]).max(1_u8.into()));
                let secrets: Vec<_> = secrets.collect();
                let points = curve.multiples(&secrets);
                let mut scalars = Vec::new();
                for (secret, point) in secrets.iter().zip(&points) {
                    for _ in 0..8 {
                        let [mut u1, u2] = [(); 2].map(|()| random.residue(&[n, p]));
                        match random.below(8) {
                            0 => u1 = &u2 * secret % n,
                            1 => u1 = (n - &u2) * secret % n,
                            _ => {}
                        }
                        scalars.push((point, u1, u2));
                    }
                }
                let terms = scalars.iter().map(|(point, u1, u2)| [(u1, &curve.g), (u2, *point)]);
                let sums = curve.combinations(&terms.collect::<Vec<_>>());
                let mut signatures = Vec::new();
                for ((point, u1, u2), sum) in scalars.iter().zip(sums) {
                    let Some(inverse) = u2.modinv(n) else { continue };
                    let mut r = sum.map_or(1_u8.into(), |(x, _)| x % n);
                    let mut s = &r * inverse % n;
                    let mut hash = u1 * &s % n;
                    match random.below(12) {
                        0 => r += 1_u8,
                        1 => s = n - s,
                        2 => s += n,
                        3 => r += n,
                        4 => hash += n,
                        5 => hash = random.number(p.bits(), &[n, p]),
                        6 => r = random.number(p.bits(), &[n, p]),
                        7 => s = random.number(p.bits(), &[n, p]),
                        _ => {}
                    }
                    // A hash plus n may not fit.
                    if [&hash, &r, &s].iter().all(|number| number.bits() <= p.bits()) {
                        signatures.push((*point, [hash, r, s]));
                    }
                }
                let keys = points.iter().map(|point| {
                    let (x, y) = point.as_ref().unwrap();
                    let sec1 = [&[4][..], &to_bytes(x), &to_bytes(y)].concat();
                    let oracle = VerifyingKey::from_sec1_bytes(&sec1).unwrap();
                    (point, key(oracle.as_affine().into(), &generator))
                });
                let keys: Vec<_> = keys.collect();
                let all: Vec<_> = signatures.iter().map(|(point, signature)| (*point, signature)).collect();
                for ((point, signature), expected) in all.iter().zip(curve.verify(&all)) {
                    let (_, key) = keys.iter().find(|(known, _)| known == point).unwrap();
                    let [hash, r, s] = signature.each_ref().map(to_bytes);
                    assert_eq!(verdict(key, &hash, &r, &s), expected, "{signature:?} {point:?}");
                    accepted += u64::from(expected);
                }
            }
            // Nearly half of many; of few keys it may be much less.
            assert!(accepted > cases / 8, "{accepted} of {cases}");
            report(stringify!($oracle), cases);
        }

        #[test]
        fn inverts_as_the_crate_does() {
            let mut rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
            let edges = [1, -1, 2, -2, 3, -3, 1 << 29, -(1 << 29), (1 << 29) - 1, 1 << 58].map(small);
            let random = std::iter::repeat_with(|| scalar(&mut rng)).take(2_000);
            for a in edges.into_iter().chain(random) {
                let limbs = |scalar: Scalar| from_be_bytes(scalar.to_repr().as_ref());
                assert_eq!(N.invert(&limbs(a)), limbs(a.invert().unwrap()), "{a:?}");
            }
            assert!(is_zero(&N.invert(&from_be_bytes(&[]))));
        }
    };
}
pub(crate) use agrees_with;
