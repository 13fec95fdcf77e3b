//! Signatures and points as textbooks define them, with integers of any size: affine coordinates, a division in each sum, one
//! bit of a scalar at a time. Slow, and with nothing in common with the arithmetic that it judges, nor with the crates that
//! judge it, too. Many sums at a time take ten times as many cases in an hour: a division costs as much as fifty products.
#![expect(clippy::arithmetic_side_effects, reason = "integers of any size; remainders are by moduli")]

use num_bigint::BigUint as Int;
use sha2::{Digest, Sha512};

pub(crate) fn hex(digits: &str) -> Int {
    Int::parse_bytes(digits.as_bytes(), 16).unwrap()
}

/// `a - b mod m`, for both below m.
pub(crate) fn minus(a: &Int, b: &Int, m: &Int) -> Int {
    if a >= b { a - b } else { a + m - b }
}

/// `1/a mod m`.
pub(crate) fn inverse(a: &Int, m: &Int) -> Int {
    a.modinv(m).unwrap()
}

/// The same for each: `1/(a·b·c)` is taken apart.
fn inverses<'i>(numbers: impl Iterator<Item = &'i Int>, m: &Int) -> impl Iterator<Item = Int> {
    let (mut product, mut before) = (Int::from(1_u8), Vec::new());
    for number in numbers {
        let next = &product * number % m;
        before.push((product, number));
        product = next;
    }
    let mut rest = inverse(&product, m);
    let mut inverses = Vec::new();
    for (before, number) in before.into_iter().rev() {
        inverses.push(before * &rest % m);
        rest = rest * number % m;
    }
    inverses.into_iter().rev()
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
        self.sums(&[(a, b)]).remove(0)
    }

    fn sums(&self, pairs: &[(&Point, &Point)]) -> Vec<Point> {
        let p = &self.p;
        let lines: Vec<_> = pairs.iter().map(|(a, b)| self.line(a.as_ref()?, b.as_ref()?)).collect();
        let mut inverses = inverses(lines.iter().flatten().map(|(_, run)| run), p);
        let sum = |((a, b), line): (&(&Point, &Point), &Option<(Int, Int)>)| {
            let (Some((x1, y1)), Some((x2, _))) = (a, b) else {
                return (*a).clone().or_else(|| (*b).clone());
            };
            let (rise, _) = line.as_ref()?;
            let slope = rise * inverses.next().unwrap() % p;
            let x = minus(&minus(&(&slope * &slope % p), x1, p), x2, p);
            let y = minus(&(slope * minus(x1, &x, p) % p), y1, p);
            Some((x, y))
        };
        pairs.iter().zip(&lines).map(sum).collect()
    }

    /// How the line through two points rises, and how far it runs; `None` for opposite ones.
    fn line(&self, (x1, y1): &(Int, Int), (x2, y2): &(Int, Int)) -> Option<(Int, Int)> {
        let p = &self.p;
        if x1 != x2 {
            Some((minus(y2, y1, p), minus(x2, x1, p)))
        } else if y1 == y2 {
            Some(((x1 * x1 * 3_u8 + &self.a) % p, y1 * 2_u8 % p))
        } else {
            None
        }
    }

    /// `u·a + v·b` of each.
    pub(crate) fn combinations(&self, all: &[[(&Int, &Point); 2]]) -> Vec<Point> {
        let pairs: Vec<_> = all.iter().map(|[(_, a), (_, b)]| (*a, *b)).collect();
        let (both, infinity) = (self.sums(&pairs), None);
        let bits = all.iter().flatten().map(|(scalar, _)| scalar.bits()).max().unwrap_or_default();
        (0..bits).rev().fold(vec![None; all.len()], |sums, bit| {
            let twice: Vec<_> = sums.iter().map(|sum| (sum, sum)).collect();
            let doubles = self.sums(&twice);
            let terms =
                all.iter().zip(&both).map(|([(u, a), (v, b)], both)| match (u.bit(bit), v.bit(bit)) {
                    (true, true) => both,
                    (true, false) => *a,
                    (false, true) => *b,
                    (false, false) => &infinity,
                });
            self.sums(&doubles.iter().zip(terms).collect::<Vec<_>>())
        })
    }

    pub(crate) fn multiples(&self, scalars: &[Int]) -> Vec<Point> {
        let alone = |scalar| [(scalar, &self.g), (&Int::ZERO, &None)];
        self.combinations(&scalars.iter().map(alone).collect::<Vec<_>>())
    }

    /// FIPS 186-5 6.4.2, for hash, r and s of each; the hash has as many bits as n.
    pub(crate) fn verify(&self, all: &[(&Point, &[Int; 3])]) -> Vec<bool> {
        let n = &self.n;
        let scalars = all.iter().map(|(_, [hash, r, s])| {
            if [r, s].iter().any(|number| **number == Int::ZERO || *number >= n) {
                // Infinity has no x.
                return [Int::ZERO, Int::ZERO];
            }
            let inverse = inverse(s, n);
            [hash * &inverse % n, r * &inverse % n]
        });
        let scalars: Vec<_> = scalars.collect();
        let terms = scalars.iter().zip(all).map(|([u, v], (key, _))| [(u, &self.g), (v, *key)]);
        let sums = self.combinations(&terms.collect::<Vec<_>>());
        let is_r =
            |(sum, (_, [_, r, _])): (Point, &(&Point, &[Int; 3]))| sum.is_some_and(|(x, _)| x % n == *r);
        sums.into_iter().zip(all).map(is_r).collect()
    }
}

/// x and y, which are always there.
type Pair = (Int, Int);

/// `-x² + y² = 1 + d·x²·y²` modulo p, with B of the order L (RFC 8032 5.1).
pub(crate) struct Edwards {
    pub(crate) p: Int,
    d: Int,
    pub(crate) order: Int,
    pub(crate) base: Pair,
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

    pub(crate) fn zero() -> Pair {
        (Int::ZERO, Int::from(1_u8))
    }

    /// RFC 8032 5.1.3: p is 5 modulo 8.
    pub(crate) fn with_y(&self, y: Int, x_is_odd: bool) -> Option<Pair> {
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
    pub(crate) fn sum(&self, a: &Pair, b: &Pair) -> Pair {
        self.sums(&[(a, b)]).remove(0)
    }

    fn sums(&self, pairs: &[(&Pair, &Pair)]) -> Vec<Pair> {
        let (p, one) = (&self.p, Int::from(1_u8));
        let fractions: Vec<_> = pairs
            .iter()
            .map(|((x1, y1), (x2, y2))| {
                let (x1y2, x2y1, y1y2, x1x2) = (x1 * y2 % p, x2 * y1 % p, y1 * y2 % p, x1 * x2 % p);
                let product = &self.d * &x1y2 % p * &x2y1 % p;
                [(x1y2 + x2y1, &one + &product), (y1y2 + x1x2, minus(&one, &product, p))]
            })
            .collect();
        let mut inverses = inverses(fractions.iter().flatten().map(|(_, divisor)| divisor), p);
        let mut coordinate = |(number, _): &Pair| number * inverses.next().unwrap() % p;
        fractions.iter().map(|[x, y]| (coordinate(x), coordinate(y))).collect()
    }

    pub(crate) fn multiple(&self, scalar: &Int, point: &Pair) -> Pair {
        self.multiples(&[(scalar, point)]).remove(0)
    }

    pub(crate) fn multiples(&self, all: &[(&Int, &Pair)]) -> Vec<Pair> {
        let bits = all.iter().map(|(scalar, _)| scalar.bits()).max().unwrap_or_default();
        let zero = Self::zero();
        (0..bits).rev().fold(vec![Self::zero(); all.len()], |sums, bit| {
            let twice: Vec<_> = sums.iter().map(|sum| (sum, sum)).collect();
            let doubles = self.sums(&twice);
            let terms = all.iter().map(|(scalar, point)| if scalar.bit(bit) { *point } else { &zero });
            self.sums(&doubles.iter().zip(terms).collect::<Vec<_>>())
        })
    }

    pub(crate) fn encode(&self, (x, y): &Pair) -> [u8; 32] {
        let number = y + (Int::from(u8::from(x.bit(0))) << 255_u32);
        let mut encoded: [u8; 32] = bytes(&number, 32).try_into().unwrap();
        encoded.reverse();
        encoded
    }

    fn decode(&self, encoded: &[u8; 32]) -> Option<Pair> {
        let mut number = Int::from_bytes_le(encoded);
        let x_is_odd = number.bit(255);
        number.set_bit(255, false);
        if number < self.p { self.with_y(number, x_is_odd) } else { None }
    }

    pub(crate) fn challenge(&self, r: &[u8], key: &[u8; 32], message: &[u8]) -> Int {
        let hash = Sha512::new().chain_update(r).chain_update(key).chain_update(message).finalize();
        Int::from_bytes_le(&hash) % &self.order
    }

    /// RFC 8032 5.1.7 without the cofactor, of key, message and signature each; neither point of small order.
    pub(crate) fn verify(&self, all: &[([u8; 32], Vec<u8>, [u8; 64])]) -> Vec<bool> {
        let read = |(encoded, message, signature): &([u8; 32], Vec<u8>, [u8; 64])| {
            let (r, s) = signature.split_first_chunk::<32>().unwrap();
            let k = self.challenge(r, encoded, message);
            let s = Some(Int::from_bytes_le(s)).filter(|s| *s < self.order)?;
            Some((self.decode(encoded)?, self.decode(r)?, s, k))
        };
        let read: Vec<_> = all.iter().map(read).collect();
        let eight = 8_u8.into();
        let terms = read
            .iter()
            .flatten()
            .flat_map(|(key, r, s, k)| [(&eight, key), (&eight, r), (s, &self.base), (k, key)]);
        let multiples = self.multiples(&terms.collect::<Vec<_>>());
        let mut multiples = multiples.as_chunks::<4>().0.iter();
        let verdicts = read.iter().map(|read| {
            let Some((_, r, _, _)) = read else { return false };
            let [key_8, r_8, left, right] = multiples.next().unwrap();
            ![key_8, r_8].contains(&&Self::zero()) && *left == self.sum(r, right)
        });
        verdicts.collect()
    }
}
