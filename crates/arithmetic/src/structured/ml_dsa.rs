//! Signatures of ML-DSA, judged by FIPS 204 written down once more: keys and signatures of each set of parameters as they
//! are, with a bit turned, and with hints in other writings.

use std::sync::LazyLock;

use ml_dsa::{EncodedVerifyingKey, Keypair, MlDsa44, MlDsa65, MlDsa87, MlDsaParams, Signature, SigningKey};

use super::{Random, cases, report};
use crate::ml_dsa::ExpandedKey;

#[test]
fn signatures_of_ml_dsa_are_as_defined() {
    let mut random = Random::new();
    // One key of each is a judge's work of a few milliseconds.
    let cases = cases(40);
    let mut accepted = 0;
    for case in 0..cases {
        accepted += u64::from(match case % 3 {
            0 => case_of::<MlDsa44>(&mut random, &ML_DSA_44),
            1 => case_of::<MlDsa65>(&mut random, &ML_DSA_65),
            _ => case_of::<MlDsa87>(&mut random, &ML_DSA_87),
        });
    }
    assert!((cases / 10..cases / 2).contains(&accepted), "{accepted} of {cases}");
    report("signatures of ML-DSA", cases);
}

/// Whether a signature, or what became of it, holds, which both say.
fn case_of<P: MlDsaParams>(random: &mut Random, parameters: &Parameters) -> bool {
    let signing = SigningKey::<P>::from_seed(&<[u8; 32]>::try_from(random.bytes(32)).unwrap().into());
    let mut message = random.bytes(40);
    let mut signature = signing.expanded_key().sign_deterministic(&message, &[]).unwrap().encode().to_vec();
    let mut key = signing.verifying_key().encode().to_vec();
    let hints = signature.len() - parameters.omega - parameters.k;
    let challenge = parameters.lambda / 4;
    let set = usize::from(signature[signature.len() - 1]);
    let kind = random.below(16);
    match kind {
        0 => turn(random, &mut message),
        1 => turn(random, &mut key),
        2 => turn(random, &mut signature[..challenge]),
        3 => turn(random, &mut signature[challenge..hints]),
        4 => turn(random, &mut signature[hints..]),
        // The same hints in another order, or twice.
        5 if set > 1 => signature.swap(hints, hints + 1),
        6 if set > 1 => signature[hints + 1] = signature[hints],
        // One more, one less, and what is behind the last.
        7 => signature[hints + parameters.omega + parameters.k - 1] += 1,
        8 => {
            signature[hints + parameters.omega + parameters.k - 1] =
                signature.last().unwrap().saturating_sub(1)
        }
        9 if set < parameters.omega => signature[hints + parameters.omega - 1] = 1,
        // The largest and the smallest that is written.
        10 => {
            let (from, to) = (challenge, challenge + 5);
            signature[from..to].fill(if random.below(2) == 0 { 0 } else { 0xff });
        }
        _ => {}
    }
    let expected = parameters.verifies(&key, &message, &signature);
    let found = ExpandedKey::new(&key).is_some_and(|key| match key {
        ExpandedKey::MlDsa44(key) => holds(&key, &message, &signature),
        ExpandedKey::MlDsa65(key) => holds(&key, &message, &signature),
        ExpandedKey::MlDsa87(key) => holds(&key, &message, &signature),
    });
    let unexpanded =
        ml_dsa::VerifyingKey::<P>::decode(&EncodedVerifyingKey::<P>::try_from(&key[..]).unwrap());
    assert_eq!(
        found, expected,
        "kind {kind}: key {key:02x?} message {message:02x?} signature {signature:02x?}"
    );
    assert_eq!(holds(&unexpanded, &message, &signature), expected, "kind {kind}");
    assert!(expected || kind < 11, "an untouched signature is refused");
    expected
}

fn holds<P: MlDsaParams>(key: &ml_dsa::VerifyingKey<P>, message: &[u8], signature: &[u8]) -> bool {
    Signature::<P>::try_from(signature)
        .is_ok_and(|signature| key.verify_with_context(message, &[], &signature))
}

fn turn(random: &mut Random, bytes: &mut [u8]) {
    let at = random.below(u32::try_from(bytes.len() * 8).unwrap());
    bytes[usize::try_from(at / 8).unwrap()] ^= 1 << (at % 8);
}

const Q: i64 = 8_380_417;
/// Bits that are dropped of `t`.
const D: u32 = 13;

/// FIPS 204, table 1.
struct Parameters {
    k: usize,
    l: usize,
    tau: usize,
    lambda: usize,
    gamma_1: i64,
    gamma_2: i64,
    beta: i64,
    omega: usize,
}

const ML_DSA_44: Parameters = Parameters {
    k: 4,
    l: 4,
    tau: 39,
    lambda: 128,
    gamma_1: 1 << 17,
    gamma_2: (Q - 1) / 88,
    beta: 78,
    omega: 80,
};
const ML_DSA_65: Parameters = Parameters {
    k: 6,
    l: 5,
    tau: 49,
    lambda: 192,
    gamma_1: 1 << 19,
    gamma_2: (Q - 1) / 32,
    beta: 196,
    omega: 55,
};
const ML_DSA_87: Parameters = Parameters {
    k: 8,
    l: 7,
    tau: 60,
    lambda: 256,
    gamma_1: 1 << 19,
    gamma_2: (Q - 1) / 32,
    beta: 120,
    omega: 75,
};

type Polynomial = [i64; 256];

impl Parameters {
    /// Algorithms 3 and 8, with an empty context.
    fn verifies(&self, key: &[u8], message: &[u8], signature: &[u8]) -> bool {
        let (challenge, rest) = signature.split_at(self.lambda / 4);
        let bits = usize::try_from(self.gamma_1.ilog2()).unwrap() + 1;
        let (z, hints) = rest.split_at(self.l * 32 * bits);
        let z: Vec<Polynomial> =
            z.chunks(32 * bits).map(|bytes| unpack(bytes, bits).map(|value| self.gamma_1 - value)).collect();
        let Some(hints) = self.hints(hints) else { return false };
        if z.iter().flatten().any(|value| value.abs() >= self.gamma_1 - self.beta) {
            return false;
        }
        let (rho, t) = key.split_at(32);
        let t: Vec<Polynomial> =
            t.chunks(320).map(|bytes| unpack(bytes, 10).map(|value| value << D)).collect();
        let hashed_key = squeeze(136, &[key], 64);
        let mu = squeeze(136, &[&hashed_key, &[0, 0], message], 64);
        let c = transformed(self.in_ball(challenge));
        let z: Vec<Polynomial> = z.into_iter().map(transformed).collect();
        let mut high = Vec::new();
        for (row, (t, hints)) in t.into_iter().zip(hints).enumerate() {
            let t = transformed(t);
            let mut sum: Polynomial = std::array::from_fn(|at| -c[at] * t[at] % Q);
            for (column, z) in z.iter().enumerate() {
                let a = uniform(rho, [u8::try_from(column).unwrap(), u8::try_from(row).unwrap()]);
                for at in 0..256 {
                    sum[at] = (sum[at] + a[at] * z[at]) % Q;
                }
            }
            let sum = untransformed(sum);
            let used: Polynomial = std::array::from_fn(|at| self.use_hint(hints[at], sum[at]));
            high.extend(pack(&used, if self.gamma_2 == (Q - 1) / 88 { 6 } else { 4 }));
        }
        squeeze(136, &[&mu, &high], self.lambda / 4) == challenge
    }

    /// Algorithm 21.
    fn hints(&self, bytes: &[u8]) -> Option<Vec<[bool; 256]>> {
        let (places, ends) = bytes.split_at(self.omega);
        let mut hints = vec![[false; 256]; self.k];
        let mut begin = 0;
        for (hints, end) in hints.iter_mut().zip(ends) {
            let of_this = places.get(begin..usize::from(*end))?;
            if !of_this.is_sorted_by(|a, b| a < b) {
                return None;
            }
            of_this.iter().for_each(|place| hints[usize::from(*place)] = true);
            begin = usize::from(*end);
        }
        places[begin..].iter().all(|place| *place == 0).then_some(hints)
    }

    /// Algorithm 29.
    fn in_ball(&self, seed: &[u8]) -> Polynomial {
        // More than are ever looked at.
        let bytes = squeeze(136, &[seed], 2_000);
        let (signs, mut places) = (u64::from_le_bytes(bytes[..8].try_into().unwrap()), bytes[8..].iter());
        let mut c = [0; 256];
        for (number, at) in (256 - self.tau..256).enumerate() {
            let place = places.by_ref().map(|place| usize::from(*place)).find(|place| *place <= at).unwrap();
            c[at] = c[place];
            c[place] = if signs >> number & 1 == 0 { 1 } else { -1 };
        }
        c
    }

    /// Algorithms 36 and 40.
    fn use_hint(&self, hint: bool, value: i64) -> i64 {
        let m = (Q - 1) / (2 * self.gamma_2);
        let value = value.rem_euclid(Q);
        let mut low = value % (2 * self.gamma_2);
        if low > self.gamma_2 {
            low -= 2 * self.gamma_2;
        }
        let (high, low) =
            if value - low == Q - 1 { (0, low - 1) } else { ((value - low) / (2 * self.gamma_2), low) };
        match hint {
            false => high,
            true if low > 0 => (high + 1) % m,
            true => (high + m - 1) % m,
        }
    }
}

/// Algorithms 18 and 19: the bits of 256 numbers, the lowest first.
fn unpack(bytes: &[u8], bits: usize) -> Polynomial {
    let bit = |at: usize| i64::from(bytes[at / 8] >> (at % 8) & 1);
    std::array::from_fn(|number| (0..bits).map(|at| bit(number * bits + at) << at).sum())
}

/// Algorithm 16.
fn pack(numbers: &Polynomial, bits: usize) -> Vec<u8> {
    let mut bytes = vec![0; 32 * bits];
    for (number, value) in numbers.iter().enumerate() {
        for at in (0..bits).filter(|at| value >> at & 1 == 1) {
            bytes[(number * bits + at) / 8] |= 1 << ((number * bits + at) % 8);
        }
    }
    bytes
}

/// Algorithm 30.
fn uniform(rho: &[u8], place: [u8; 2]) -> Polynomial {
    // More than are ever looked at: one in 1,024 is left out.
    let bytes = squeeze(168, &[rho, &place], 168 * 8);
    let numbers = bytes
        .chunks_exact(3)
        .map(|three| i64::from(three[2] & 0x7f) << 16 | i64::from(three[1]) << 8 | i64::from(three[0]));
    let mut fitting = numbers.filter(|number| *number < Q);
    std::array::from_fn(|_| fitting.next().unwrap())
}

/// The powers of 1753 by which algorithms 41 and 42 multiply: at the number whose eight bits are those of the place in
/// reverse.
static ZETAS: LazyLock<[i64; 256]> = LazyLock::new(|| {
    let power = |exponent: u8| (0..exponent).fold(1, |power, _| power * 1753 % Q);
    std::array::from_fn(|place| power(u8::try_from(place).unwrap().reverse_bits()))
});

/// Algorithm 41.
fn transformed(mut w: Polynomial) -> Polynomial {
    let mut place = 0;
    for len in [128, 64, 32, 16, 8, 4, 2, 1] {
        for start in (0..256).step_by(2 * len) {
            place += 1;
            let zeta = ZETAS[place];
            for at in start..start + len {
                let product = zeta * w[at + len] % Q;
                w[at + len] = (w[at] - product) % Q;
                w[at] = (w[at] + product) % Q;
            }
        }
    }
    w
}

/// Algorithm 42.
fn untransformed(mut w: Polynomial) -> Polynomial {
    let mut place = 256;
    for len in [1, 2, 4, 8, 16, 32, 64, 128] {
        for start in (0..256).step_by(2 * len) {
            place -= 1;
            let zeta = -ZETAS[place];
            for at in start..start + len {
                let (one, other) = (w[at], w[at + len]);
                w[at] = (one + other) % Q;
                w[at + len] = zeta * ((one - other) % Q) % Q;
            }
        }
    }
    w.map(|value| value * 8_347_681 % Q)
}

/// SHAKE128 (with 168 bytes of a block) and SHAKE256 (with 136) of all parts (FIPS 202, 6.2).
fn squeeze(rate: usize, parts: &[&[u8]], length: usize) -> Vec<u8> {
    let mut message = parts.concat();
    let blocks = message.len() / rate + 1;
    message.push(0x1f);
    message.resize(blocks * rate, 0);
    *message.last_mut().unwrap() |= 0x80;
    let mut state = [0_u64; 25];
    for block in message.chunks(rate) {
        for (lane, bytes) in state.iter_mut().zip(block.chunks(8)) {
            *lane ^= u64::from_le_bytes(bytes.try_into().unwrap());
        }
        permute(&mut state);
    }
    let mut out = Vec::new();
    while out.len() < length {
        out.extend(state[..rate / 8].iter().flat_map(|lane| lane.to_le_bytes()));
        permute(&mut state);
    }
    out.truncate(length);
    out
}

/// Keccak-f\[1600\] (FIPS 202, 3.2), lane `x`, `y` at `x + 5 y`.
fn permute(a: &mut [u64; 25]) {
    // The bits of the round constants come from a shift register (algorithm 5).
    let mut register = 1_u8;
    for _ in 0..24 {
        let columns: [u64; 5] = std::array::from_fn(|x| a[x] ^ a[x + 5] ^ a[x + 10] ^ a[x + 15] ^ a[x + 20]);
        for x in 0..5 {
            let theta = columns[(x + 4) % 5] ^ columns[(x + 1) % 5].rotate_left(1);
            (0..5).for_each(|y| a[x + 5 * y] ^= theta);
        }
        let (mut x, mut y, mut lane) = (1, 0, a[1]);
        for t in 0..24_u32 {
            (x, y) = (y, (2 * x + 3 * y) % 5);
            lane = std::mem::replace(&mut a[x + 5 * y], lane.rotate_left((t + 1) * (t + 2) / 2 % 64));
        }
        for y in 0..5 {
            let row: [u64; 5] = std::array::from_fn(|x| a[x + 5 * y]);
            (0..5).for_each(|x| a[x + 5 * y] = row[x] ^ (!row[(x + 1) % 5] & row[(x + 2) % 5]));
        }
        for j in 0..7 {
            a[0] ^= u64::from(register & 1) << ((1_u32 << j) - 1);
            register = register << 1 ^ if register & 0x80 == 0 { 0 } else { 0x71 };
        }
    }
}
