//! Mutated inputs: pieces of a corpus, changed where parsers are weak.

use testbed::random::Random;

const INTERESTING: &[u8] = b"\x00\n\r\t \"%&'()*+,-./0129:;<=>?@AZ[\\]^_`az{|}~\x7f\x80\xc3\xff";
const NUMBERS: &[&str] =
    &["0", "-1", "1e400", "4294967296", "18446744073709551616", "9007199254740993", "0.1", "%00", "%2e%2e"];

/// Bytes of these texts.
pub(crate) fn corpus(texts: &[&str]) -> Vec<Vec<u8>> {
    texts.iter().map(|text| text.as_bytes().to_vec()).collect()
}

pub(crate) trait Mutate {
    /// A piece of something, changed in a few places, or not at all.
    fn mutated(&mut self, corpus: &[Vec<u8>]) -> Vec<u8>;

    /// The same as text.
    fn text(&mut self, corpus: &[Vec<u8>]) -> String;
}

impl Mutate for Random {
    fn mutated(&mut self, corpus: &[Vec<u8>]) -> Vec<u8> {
        let mut bytes = self.of(corpus).clone();
        for _ in 0..self.below(5) {
            let (at, other) = (self.below(bytes.len() + 1), self.of(corpus).clone());
            match self.below(8) {
                0 if at < bytes.len() => bytes[at] ^= 1 << self.below(8),
                1 if at < bytes.len() => bytes[at] = *self.of(INTERESTING),
                2 => bytes.insert(at, *self.of(INTERESTING)),
                3 => drop(bytes.drain(at..(at + self.below(20)).min(bytes.len()))),
                4 => bytes.truncate(at),
                5 => {
                    let from = self.below(other.len() + 1);
                    let piece = &other[from..(from + self.below(60)).min(other.len())];
                    bytes.splice(at..at, piece.iter().copied());
                }
                6 => {
                    let piece = bytes[at..(at + self.below(30)).min(bytes.len())].to_vec();
                    for _ in 0..self.below(40) {
                        bytes.splice(at..at, piece.iter().copied());
                    }
                }
                _ => {
                    let number = self.of(NUMBERS).as_bytes().to_vec();
                    bytes.splice(at..at, number);
                }
            }
        }
        bytes.truncate(200_000);
        bytes
    }

    fn text(&mut self, corpus: &[Vec<u8>]) -> String {
        String::from_utf8_lossy(&self.mutated(corpus)).into_owned()
    }
}
