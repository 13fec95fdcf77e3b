//! Scalars, inverses and RSA.
#![expect(clippy::arithmetic_side_effects, reason = "integers of any size, and small numbers")]

use super::textbook::{Curve, Edwards, bytes};
use super::{Random, cases, report};
use crate::inverse::inverse;
use crate::limbs::{Limbs, from_be_bytes};
use crate::modulus::Modulus;
use crate::rsa::{RsaPublicKey, SignatureError};
use num_bigint::BigUint as Int;

pub(super) fn limbs<const N: usize>(number: &Int) -> Limbs<N> {
    from_be_bytes(&bytes(number, usize::try_from(number.bits().div_ceil(8)).unwrap()))
}

fn number<const N: usize>(limbs: &Limbs<N>) -> Int {
    limbs.iter().rev().fold(Int::ZERO, |sum, limb| (sum << 29_u32) + u32::try_from(*limb).unwrap())
}

/// Products, sums and inverses modulo an odd number.
fn modular_arithmetic<const N: usize>(random: &mut Random, m: &Int) {
    let modulus = Modulus::<N>::new(&m.to_bytes_be());
    let r = Int::from(1_u8) << (29 * N);
    let related = [m, &r];
    for _ in 0..8 {
        let (a, b) = (random.residue(&related), random.residue(&related));
        let wide = random.number(u64::try_from(29 * N).unwrap(), &related);
        let product = number(&modulus.montgomery(&limbs(&wide), &limbs(&b)));
        assert!(product < *m);
        assert_eq!(product * &r % m, &wide * &b % m, "{wide} * {b} mod {m}");
        assert_eq!(number(&modulus.to_montgomery(&limbs(&wide))), &wide * &r % m, "{wide} mod {m}");
        assert_eq!(number(&modulus.sum(&limbs(&a), &limbs(&b))), (&a + &b) % m, "{a} + {b} mod {m}");
    }
}

#[test]
fn scalars_are_multiplied_as_defined() {
    let mut random = Random::new();
    let [p256, p384, p521, k256] = [Curve::p256(), Curve::p384(), Curve::p521(), Curve::k256()];
    let edwards = Edwards::new();
    let cases = cases(1_300) / 8;
    for case in 0..cases {
        match case % 9 {
            0 => modular_arithmetic::<9>(&mut random, &p256.n),
            1 => modular_arithmetic::<9>(&mut random, &p256.p),
            2 => modular_arithmetic::<9>(&mut random, &k256.n),
            3 => modular_arithmetic::<9>(&mut random, &k256.p),
            4 => modular_arithmetic::<9>(&mut random, &edwards.order),
            5 => modular_arithmetic::<14>(&mut random, &p384.n),
            6 => modular_arithmetic::<18>(&mut random, &p521.n),
            7 => modular_arithmetic::<18>(&mut random, &p521.p),
            // Any odd number of 521 bits.
            _ => {
                let odd = random.number(520, &[&p521.n]) | Int::from(1_u8) << 520_u32 | Int::from(1_u8);
                modular_arithmetic::<18>(&mut random, &odd);
            }
        }
    }
    report("scalars", cases * 8);
}

#[test]
fn inverses_are_as_defined() {
    fn of<const N: usize>(random: &mut Random, m: &Int) {
        let a = random.residue(&[m]);
        let found = number(&inverse(&limbs::<N>(&a), &limbs::<N>(m)));
        if a == Int::ZERO {
            assert_eq!(found, Int::ZERO);
        } else {
            assert!(found < *m);
            assert_eq!(found * &a % m, Int::from(1_u8), "1/{a} mod {m}");
        }
    }
    let mut random = Random::new();
    let [p256, p384, p521, k256] = [Curve::p256(), Curve::p384(), Curve::p521(), Curve::k256()];
    let edwards = Edwards::new();
    let cases = cases(1_300);
    for case in 0..cases {
        match case % 8 {
            0 => of::<9>(&mut random, &p256.n),
            1 => of::<9>(&mut random, &p256.p),
            2 => of::<9>(&mut random, &k256.n),
            3 => of::<9>(&mut random, &edwards.p),
            4 => of::<14>(&mut random, &p384.n),
            5 => of::<14>(&mut random, &p384.p),
            6 => of::<18>(&mut random, &p521.n),
            _ => of::<18>(&mut random, &p521.p),
        }
    }
    report("inverses", cases);
}

/// Odd moduli of special forms, and signatures near them.
#[test]
fn rsa_is_as_defined() {
    let mut random = Random::new();
    let cases = cases(150).div_ceil(4);
    for _ in 0..cases {
        let bits = match random.below(16) {
            0 => 3072,
            1 => 4096,
            2 => 2048 + u64::from(random.below(6_145)),
            _ => 2048 + u64::from(random.below(120)),
        };
        let power = Int::from(1_u8) << (bits - 1);
        let n = random.number(bits - 1, &[&power, &(&power >> 1_u32)]) | &power | Int::from(1_u8);
        let len = usize::try_from(bits.div_ceil(8)).unwrap();
        let e = *random.of(&[3_u32, 5, 17, 257, 65_535, 65_537]);
        let key = RsaPublicKey::new(&n.to_bytes_be(), &e.to_be_bytes()).unwrap();
        let r = Int::from(1_u8) << 2_128_u32;
        for _ in 0..4 {
            let s = random.number(bits, &[&n, &power, &r]);
            let expected = if s < n {
                Ok(bytes(
                    &(0..e.ilog2()).rev().fold(s.clone(), |power, bit| {
                        let square = &power * &power % &n;
                        if e >> bit & 1 == 1 { square * &s % &n } else { square }
                    }),
                    len,
                ))
            } else {
                Err(SignatureError::OutOfRange)
            };
            assert_eq!(key.recover(&bytes(&s, len)), expected, "{s}^{e} mod {n}");
        }
    }
    report("RSA", cases * 4);
}
