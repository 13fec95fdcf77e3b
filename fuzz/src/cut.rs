//! Inputs of several parts: a byte that is in no UTF-8 text stands between them, so that seeds can be read.

/// What stands between two parts.
const BETWEEN: u8 = 0xff;

/// The first `N` parts; the last one has all that is left. Parts that are not there are empty.
pub(crate) fn parts<const N: usize>(input: &[u8]) -> [&[u8]; N] {
    let mut parts = input.splitn(N, |byte| *byte == BETWEEN);
    std::array::from_fn(|_| parts.next().unwrap_or_default())
}

/// A number below `bound`, which the first byte says, and the rest. As a letter or a digit it can be read in seeds.
pub(crate) fn choice(input: &[u8], bound: usize) -> (usize, &[u8]) {
    let (first, rest) = input.split_first().unwrap_or((&b'0', &[]));
    let number = match first {
        b'0'..=b'9' => first - b'0',
        b'a'..=b'z' => first - b'a' + 10,
        other => *other,
    };
    (usize::from(number) % bound, rest)
}

/// As text, whatever it is.
pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
