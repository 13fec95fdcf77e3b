//! The digest of a document. It shows whether the document has changed and whether a record or a file is complete.
//!
//! It detects changes, holes, truncation and mixtures, which the host's races, a file system and key rotation cause. It
//! does not defend against a forger and does not have to: an attacker who can choose the bytes of a document chooses its
//! content anyway, only instances write records, and an attacker who can write to a directory can compute any digest. It
//! is not SHA-256, because hashing a document would then cost more than everything else that an instance does with it.
//! The name of a source is a SHA-256 ([`SourceId`](super::source_id::SourceId)): a collision there would give one source
//! the document of another.
//!
//! Each step is a bijection of the sum, so two inputs that differ in only one of the four sums have different digests.
//! There are four sums because a single one would wait for each multiplication: 60 KB take 35 us this way.

/// The digest of the concatenated `parts`. It includes their lengths, so trailing zeros count.
pub fn digest(parts: &[&[u8]]) -> u64 {
    let mut sums =
        [0x9e37_79b9_7f4a_7c15_u64, 0xc2b2_ae3d_27d4_eb4f, 0x1656_67b1_9e37_79f9, 0x27d4_eb2f_1656_67c5];
    let mut total = 0_u64;
    for part in parts {
        let (blocks, rest) = part.as_chunks::<32>();
        for block in blocks {
            add_block(&mut sums, block);
        }
        let mut last = [0; 32];
        for (to, from) in last.iter_mut().zip(rest) {
            *to = *from;
        }
        add_block(&mut sums, &last);
        total = mix(total, u64::try_from(part.len()).unwrap_or(u64::MAX));
    }
    let [a, b, c, d] = sums;
    let sum = mix(mix(mix(mix(a, b), c), d), total);
    sum ^ (sum >> 32)
}

fn add_block(sums: &mut [u64; 4], block: &[u8; 32]) {
    for (sum, word) in sums.iter_mut().zip(block.as_chunks::<8>().0) {
        *sum = mix(*sum, u64::from_le_bytes(*word));
    }
}

const fn mix(sum: u64, word: u64) -> u64 {
    (sum ^ word).wrapping_mul(0xff51_afd7_ed55_8ccd).rotate_left(31)
}

#[cfg(test)]
mod tests {
    use super::digest;

    #[test]
    fn every_bit_and_every_length_count() {
        let bytes: Vec<u8> = (0..100_u8).collect();
        for length in 0..bytes.len() {
            let whole = digest(&[&bytes[..length]]);
            let mut longer = bytes[..length].to_vec();
            longer.push(0);
            assert_ne!(digest(&[&longer]), whole, "{length}");
            for at in 0..length {
                for bit in [1, 0x80] {
                    let mut altered = bytes[..length].to_vec();
                    altered[at] ^= bit;
                    assert_ne!(digest(&[&altered]), whole, "{length} {at}");
                }
            }
        }
        assert_ne!(digest(&[b"ab", b"c"]), digest(&[b"a", b"bc"]));
        assert_ne!(digest(&[b"", b"a"]), digest(&[b"a", b""]));
    }

    #[test]
    fn files_of_other_versions_have_the_same() {
        assert_eq!(
            [digest(&[]), digest(&[b"a document", b""])],
            [2_374_502_724_747_816_626, 17_642_202_311_161_149_558]
        );
    }
}
