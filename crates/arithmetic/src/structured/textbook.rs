//! Signatures and points as textbooks define them, with integers of any size: affine coordinates, one division a sum, one
//! bit of a scalar at a time. Slow, and with nothing in common with the arithmetic that it judges, nor with the crates that
//! judge it, too.
#![expect(clippy::arithmetic_side_effects, reason = "integers of any size; remainders are by moduli")]

use num_bigint::BigUint as Int;
use sha2::{Digest, Sha512};

pub(crate) fn hex(digits: &str) -> Int {
    Int::parse_bytes(digits.as_bytes(), 16).unwrap()
}

/// `a - b mod m`, for both below m.
pub(crate) fn minus(a: &Int, b: &Int, m: &Int) -> Int {
    (a + m - b) % m
}

/// `1/a mod m`.
pub(crate) fn inverse(a: &Int, m: &Int) -> Int {
    a.modinv(m).unwrap()
}

/// A big-endian number of `len` bytes.
pub(crate) fn bytes(number: &Int, len: usize) -> Vec<u8> {
    let mut bytes = number.to_bytes_le();
    assert!(bytes.len() <= len.max(1), "{number} in {len} bytes");
    bytes.resize(len, 0);
    bytes.reverse();
    bytes
}

/// x and y; `None` is infinity.
pub(crate) type Point = Option<(Int, Int)>;

/// `y² = x³ + a·x + b` modulo p, with a point G of the prime order n.
pub(crate) struct Curve {
    pub(crate) p: Int,
    a: Int,
    pub(crate) n: Int,
    pub(crate) g: Point,
}

impl Curve {
    fn new(parameters: [&str; 6]) -> Self {
        let [p, a, b, x, y, n] = parameters.map(hex);
        assert_eq!(&y * &y % &p, (&x * &x * &x + &a * &x + b) % &p, "G is on the curve");
        Self { p, a, n, g: Some((x, y)) }
    }

    /// One of few points: p, b, x and y of G, and n; a is -3.
    pub(crate) fn small([p, b, x, y, n]: [i32; 5]) -> Self {
        let digits = [p, p - 3, b, x, y, n].map(|number| format!("{number:x}"));
        Self::new(digits.each_ref().map(String::as_str))
    }

    /// P-256.
    pub(crate) fn p256() -> Self {
        Self::new([
            "ffffffff00000001000000000000000000000000ffffffffffffffffffffffff",
            "ffffffff00000001000000000000000000000000fffffffffffffffffffffffc",
            "5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604b",
            "6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296",
            "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5",
            "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551",
        ])
    }

    /// P-384.
    pub(crate) fn p384() -> Self {
        Self::new([
            "fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffeffffffff0000000000000000ffffffff",
            "fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffeffffffff0000000000000000fffffffc",
            "b3312fa7e23ee7e4988e056be3f82d19181d9c6efe8141120314088f5013875ac656398d8a2ed19d2a85c8edd3ec2aef",
            "aa87ca22be8b05378eb1c71ef320ad746e1d3b628ba79b9859f741e082542a385502f25dbf55296c3a545e3872760ab7",
            "3617de4a96262c6f5d9e98bf9292dc29f8f41dbd289a147ce9da3113b5f0b8c00a60b1ce1d7e819d7a431d7c90ea0e5f",
            "ffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973",
        ])
    }

    /// P-521.
    pub(crate) fn p521() -> Self {
        Self::new([
            "1fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff\
             fffffffffffffffffffffffffffffffffff",
            "1fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff\
             ffffffffffffffffffffffffffffffffffc",
            "051953eb9618e1c9a1f929a21a0b68540eea2da725b99b315f3b8b489918ef109e156193951ec7e937b1652c0bd3bb1b\
             f073573df883d2c34f1ef451fd46b503f00",
            "0c6858e06b70404e9cd9e3ecb662395b4429c648139053fb521f828af606b4d3dbaa14b5e77efe75928fe1dc127a2ffa\
             8de3348b3c1856a429bf97e7e31c2e5bd66",
            "11839296a789a3bc0045c8a5fb42c7d1bd998f54449579b446817afbd17273e662c97ee72995ef42640c550b9013fad0\
             761353c7086a272c24088be94769fd16650",
            "1fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffa51868783bf2f966b7fcc0148f709a\
             5d03bb5c9b8899c47aebb6fb71e91386409",
        ])
    }

    /// secp256k1.
    pub(crate) fn k256() -> Self {
        Self::new([
            "fffffffffffffffffffffffffffffffffffffffffffffffffffffffefffffc2f",
            "0000000000000000000000000000000000000000000000000000000000000000",
            "0000000000000000000000000000000000000000000000000000000000000007",
            "79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798",
            "483ada7726a3c4655da4fbfc0e1108a8fd17b448a68554199c47d08ffb10d4b8",
            "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141",
        ])
    }

    pub(crate) fn opposite(&self, point: &Point) -> Point {
        point.as_ref().map(|(x, y)| (x.clone(), minus(&Int::ZERO, y, &self.p)))
    }

    /// The sum by the chord, or the tangent.
    pub(crate) fn sum(&self, a: &Point, b: &Point) -> Point {
        let p = &self.p;
        let (Some((x1, y1)), Some((x2, y2))) = (a, b) else {
            return a.clone().or_else(|| b.clone());
        };
        let slope = if x1 != x2 {
            minus(y2, y1, p) * inverse(&minus(x2, x1, p), p) % p
        } else if y1 == y2 {
            (x1 * x1 * 3_u8 + &self.a) * inverse(&(y1 * 2_u8 % p), p) % p
        } else {
            return None;
        };
        let x = minus(&minus(&(&slope * &slope % p), x1, p), x2, p);
        let y = minus(&(slope * minus(x1, &x, p) % p), y1, p);
        Some((x, y))
    }

    /// `u·a + v·b`.
    pub(crate) fn combination(&self, [(u, a), (v, b)]: [(&Int, &Point); 2]) -> Point {
        let both = self.sum(a, b);
        (0..u.bits().max(v.bits())).rev().fold(None, |sum, bit| {
            let double = self.sum(&sum, &sum);
            match (u.bit(bit), v.bit(bit)) {
                (true, true) => self.sum(&double, &both),
                (true, false) => self.sum(&double, a),
                (false, true) => self.sum(&double, b),
                (false, false) => double,
            }
        })
    }

    pub(crate) fn multiple(&self, scalar: &Int) -> Point {
        self.combination([(scalar, &self.g), (&Int::ZERO, &None)])
    }

    /// FIPS 186-5 6.4.2, for a hash of as many bits as n.
    pub(crate) fn verifies(&self, key: &Point, hash: &Int, r: &Int, s: &Int) -> bool {
        let n = &self.n;
        if [r, s].iter().any(|number| **number == Int::ZERO || *number >= n) {
            return false;
        }
        let inverse = inverse(s, n);
        let sum = self.combination([(&(hash * &inverse % n), &self.g), (&(r * &inverse % n), key)]);
        sum.is_some_and(|(x, _)| x % n == *r)
    }
}

/// `-x² + y² = 1 + d·x²·y²` modulo p, with B of the order L (RFC 8032 5.1).
pub(crate) struct Edwards {
    pub(crate) p: Int,
    d: Int,
    pub(crate) order: Int,
    pub(crate) base: (Int, Int),
}

impl Edwards {
    pub(crate) fn new() -> Self {
        let p = (Int::from(1_u8) << 255_u32) - 19_u8;
        let d = minus(&Int::ZERO, &(121_665_u32 * inverse(&121_666_u32.into(), &p) % &p), &p);
        let order = (Int::from(1_u8) << 252_u32) + hex("14def9dea2f79cd65812631a5cf5d3ed");
        let mut edwards = Self { d, order, base: (Int::ZERO, Int::ZERO), p };
        let y = 4_u8 * inverse(&5_u8.into(), &edwards.p) % &edwards.p;
        edwards.base = edwards.with_y(y, false).unwrap();
        edwards
    }

    pub(crate) fn zero() -> (Int, Int) {
        (Int::ZERO, Int::from(1_u8))
    }

    /// RFC 8032 5.1.3: p is 5 modulo 8.
    pub(crate) fn with_y(&self, y: Int, x_is_odd: bool) -> Option<(Int, Int)> {
        let p = &self.p;
        let square = &y * &y % p;
        let ratio = minus(&square, &1_u8.into(), p) * inverse(&((&self.d * &square + 1_u8) % p), p) % p;
        let root = ratio.modpow(&((p + 3_u8) / 8_u8), p);
        let root_of_minus_1 = Int::from(2_u8).modpow(&((p - 1_u8) / 4_u8), p);
        let x =
            [root.clone(), root * root_of_minus_1 % p].into_iter().find(|root| root * root % p == ratio)?;
        if x == Int::ZERO && x_is_odd {
            return None;
        }
        Some((if x.bit(0) == x_is_odd { x } else { p - x }, y))
    }

    /// The complete sum: its divisors are never zero.
    pub(crate) fn sum(&self, (x1, y1): &(Int, Int), (x2, y2): &(Int, Int)) -> (Int, Int) {
        let p = &self.p;
        let (x1y2, x2y1, y1y2, x1x2) = (x1 * y2 % p, x2 * y1 % p, y1 * y2 % p, x1 * x2 % p);
        let product = &self.d * &x1y2 % p * &x2y1 % p;
        let one = Int::from(1_u8);
        let x = (x1y2 + x2y1) * inverse(&((&one + &product) % p), p) % p;
        let y = (y1y2 + x1x2) * inverse(&minus(&one, &product, p), p) % p;
        (x, y)
    }

    pub(crate) fn multiple(&self, scalar: &Int, point: &(Int, Int)) -> (Int, Int) {
        (0..scalar.bits()).rev().fold(Self::zero(), |sum, bit| {
            let double = self.sum(&sum, &sum);
            if scalar.bit(bit) { self.sum(&double, point) } else { double }
        })
    }

    pub(crate) fn encode(&self, (x, y): &(Int, Int)) -> [u8; 32] {
        let number = y + (Int::from(u8::from(x.bit(0))) << 255_u32);
        let mut encoded: [u8; 32] = bytes(&number, 32).try_into().unwrap();
        encoded.reverse();
        encoded
    }

    fn decode(&self, encoded: &[u8; 32]) -> Option<(Int, Int)> {
        let mut number = Int::from_bytes_le(encoded);
        let x_is_odd = number.bit(255);
        number.set_bit(255, false);
        if number < self.p { self.with_y(number, x_is_odd) } else { None }
    }

    pub(crate) fn challenge(&self, r: &[u8], key: &[u8; 32], message: &[u8]) -> Int {
        let hash = Sha512::new().chain_update(r).chain_update(key).chain_update(message).finalize();
        Int::from_bytes_le(&hash) % &self.order
    }

    /// RFC 8032 5.1.7 without the cofactor; neither point of small order.
    pub(crate) fn verifies(&self, encoded: &[u8; 32], message: &[u8], signature: &[u8; 64]) -> bool {
        let (r_bytes, s) = signature.split_first_chunk::<32>().unwrap();
        let s = Int::from_bytes_le(s);
        let (Some(key), Some(r)) = (self.decode(encoded), self.decode(r_bytes)) else {
            return false;
        };
        let is_small = |point| self.multiple(&8_u8.into(), point) == Self::zero();
        if s >= self.order || is_small(&key) || is_small(&r) {
            return false;
        }
        let k = self.challenge(r_bytes, encoded, message);
        self.multiple(&s, &self.base) == self.sum(&r, &self.multiple(&k, &key))
    }
}
