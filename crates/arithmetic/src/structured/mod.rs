//! Cases with structure, judged by textbooks: numbers near 0, near the moduli and near powers of two, sparse ones, ones with
//! extreme limbs; points that meet. A few thousand in `cargo test`, ten million in `make arithmetic`.
#![expect(clippy::arithmetic_side_effects, reason = "integers of any size, and small numbers")]

mod curves;
mod edwards;
mod ml_dsa;
mod moduli;
mod small;
pub(crate) mod textbook;

use num_bigint::BigUint as Int;
use proptest::prelude::Rng;
use proptest::test_runner::{RngAlgorithm, TestRng};

/// The cases of a family which has `share` of ten thousand; CASES says how many there are of all families.
pub(crate) fn cases(share: u64) -> u64 {
    let all = std::env::var("CASES").map_or(3_000, |cases| cases.parse().unwrap());
    (all * share / 10_000).max(10)
}

/// What a family ran, for the log.
pub(crate) fn report(family: &str, cases: u64) {
    println!("{cases} cases of {family}");
}

/// Random choices; SEED repeats those of a run.
pub(crate) struct Random(TestRng);

impl Random {
    pub(crate) fn new() -> Self {
        let seed = std::env::var("SEED").map_or(0_u64, |seed| seed.parse().unwrap());
        let bytes = [seed.to_le_bytes(); 4].concat();
        Self(TestRng::from_seed(RngAlgorithm::ChaCha, &bytes))
    }

    pub(crate) fn below(&mut self, bound: u32) -> u32 {
        self.0.next_u32() % bound
    }

    pub(crate) fn of<'a, T>(&mut self, list: &'a [T]) -> &'a T {
        let at = self.below(u32::try_from(list.len()).unwrap());
        &list[usize::try_from(at).unwrap()]
    }

    pub(crate) fn bytes(&mut self, len: usize) -> Vec<u8> {
        let mut bytes = vec![0; len];
        self.0.fill_bytes(&mut bytes);
        bytes
    }

    /// A number with structure, of at most `bits` bits, related to one of the moduli or to none.
    pub(crate) fn number(&mut self, bits: u64, moduli: &[&Int]) -> Int {
        let one = Int::from(1_u8);
        let small = Int::from(self.below(5));
        let power = &one << u64::from(self.below(u32::try_from(bits).unwrap()));
        let modulus: Int = (*self.of(moduli)).clone();
        let number = match self.below(12) {
            0 => small,
            1 => modulus + small,
            2 => modulus - small - one,
            3 => (modulus >> self.below(4)) + small,
            4 => power + small,
            5 => {
                if power > small {
                    power - small
                } else {
                    power
                }
            }
            6 => (0..=self.below(4))
                .fold(small, |sum, _| sum | &one << u64::from(self.below(u32::try_from(bits).unwrap()))),
            7 => ((modulus * (1 + self.below(16))) >> 4_u32) + small,
            8 => self.limbs(bits, 29),
            9 => self.limbs(bits, 27),
            10 => self.limbs(bits, 64),
            _ => Int::from_bytes_be(&self.bytes(usize::try_from(bits.div_ceil(8)).unwrap())),
        };
        number & ((Int::from(1_u8) << bits) - 1_u8)
    }

    /// Limbs that are all ones, or all but one, the largest balanced one and its neighbours, zero, or anything.
    fn limbs(&mut self, bits: u64, limb_bits: u64) -> Int {
        let ones = (1_u128 << limb_bits) - 1;
        let half = 1 << (limb_bits - 1);
        (0..bits.div_ceil(limb_bits)).fold(Int::ZERO, |sum, _| {
            let limb = match self.below(8) {
                0 | 1 => ones,
                2 => ones - 1,
                3 => half,
                4 => half - 1,
                5 | 6 => 0,
                _ => u128::from(self.below(u32::MAX)) << self.below(33) & ones,
            };
            sum << limb_bits | Int::from(limb)
        })
    }

    /// The same, below the first of the moduli.
    pub(crate) fn residue(&mut self, moduli: &[&Int]) -> Int {
        self.number(moduli[0].bits(), moduli) % moduli[0]
    }
}
