//! The part of DER (X.690) that public keys need, read once from front to back. Lengths must be definite and
//! minimal (X.690 10.1); nothing is allocated and nothing recurses.

/// Tags (X.690 8.1.2), with the bit for constructed encodings.
pub(crate) const BOOLEAN: u8 = 0x01;
pub(crate) const INTEGER: u8 = 0x02;
pub(crate) const BIT_STRING: u8 = 0x03;
pub(crate) const OCTET_STRING: u8 = 0x04;
pub(crate) const OBJECT_IDENTIFIER: u8 = 0x06;
pub(crate) const SEQUENCE: u8 = 0x30;
/// `[0]` EXPLICIT: the version of a certificate.
pub(crate) const CONTEXT_0: u8 = 0xa0;
/// `[1]` and `[2]` IMPLICIT: the unique identifiers of a certificate's issuer and subject.
pub(crate) const CONTEXT_1_2: [u8; 2] = [0x81, 0x82];
/// `[3]` EXPLICIT: the extensions of a certificate.
pub(crate) const CONTEXT_3: u8 = 0xa3;

/// The remaining elements of a list.
#[derive(Clone, Copy)]
pub(crate) struct Reader<'d>(&'d [u8]);

impl<'d> Reader<'d> {
    pub(crate) const fn new(bytes: &'d [u8]) -> Self {
        Self(bytes)
    }

    pub(crate) const fn is_empty(self) -> bool {
        self.0.is_empty()
    }

    /// The content of the next element, which must have the tag `tag`.
    pub(crate) fn element(&mut self, tag: u8) -> Option<&'d [u8]> {
        let (found, rest) = self.0.split_first()?;
        if *found != tag {
            return None;
        }
        let (length, rest) = length(rest)?;
        let (content, rest) = rest.split_at_checked(length)?;
        self.0 = rest;
        Some(content)
    }

    /// The elements inside the next element, which must have the tag `tag`.
    pub(crate) fn inside(&mut self, tag: u8) -> Option<Self> {
        self.element(tag).map(Self)
    }

    /// Skips the next element if it has the tag `tag`.
    pub(crate) fn skip_optional(&mut self, tag: u8) -> Option<()> {
        if self.0.first() == Some(&tag) { self.element(tag).map(|_| ()) } else { Some(()) }
    }

    /// The content of a BIT STRING of whole bytes.
    pub(super) fn bit_string(&mut self) -> Option<&'d [u8]> {
        match self.element(BIT_STRING)?.split_first() {
            Some((0, bytes)) => Some(bytes),
            Some(_) | None => None,
        }
    }

    /// A positive INTEGER, big-endian, in its one minimal form (X.690 8.3.2), without the zero of its sign.
    pub(crate) fn positive_integer(&mut self) -> Option<&'d [u8]> {
        match self.element(INTEGER)? {
            [0, magnitude @ ..] if magnitude.first() >= Some(&0x80) => Some(magnitude),
            whole @ [0x01..=0x7f, ..] => Some(whole),
            _ => None,
        }
    }
}

/// The length of an element and the rest; three bytes of length suffice for every key.
fn length(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let (length, rest) = match bytes {
        [short @ 0..=0x7f, rest @ ..] => ([0, 0, 0, *short], rest),
        [0x81, a @ 0x80..=0xff, rest @ ..] => ([0, 0, 0, *a], rest),
        [0x82, a @ 1..=0xff, b, rest @ ..] => ([0, 0, *a, *b], rest),
        [0x83, a @ 1..=0xff, b, c, rest @ ..] => ([0, *a, *b, *c], rest),
        _ => return None,
    };
    Some((usize::try_from(u32::from_be_bytes(length)).ok()?, rest))
}

#[cfg(test)]
mod tests {
    use super::{INTEGER, Reader, SEQUENCE};

    #[test]
    fn lengths_are_definite_minimal_and_within_x690_10_1() {
        let long = |head: &[u8], length: usize| [head, &vec![7; length]].concat();
        for (der, expected) in [
            (vec![0x30, 0], Some(0)),
            (long(&[0x30, 0x7f], 127), Some(127)),
            (long(&[0x30, 0x81, 0x80], 128), Some(128)),
            (long(&[0x30, 0x82, 1, 0], 256), Some(256)),
            (long(&[0x30, 0x83, 1, 0, 0], 65_536), Some(65_536)),
            (vec![], None),
            (vec![0x30], None),
            (vec![0x31, 0], None),
            (vec![0x30, 0x80, 0, 0], None),
            (vec![0x30, 1], None),
            (long(&[0x30, 0x81, 0x7f], 127), None),
            (long(&[0x30, 0x82, 0, 0x80], 128), None),
            (long(&[0x30, 0x83, 0, 1, 0], 256), None),
            (long(&[0x30, 0x84, 0, 0, 0, 1], 1), None),
            (long(&[0x30, 0x82, 1, 0], 255), None),
        ] {
            assert_eq!(Reader::new(&der).element(SEQUENCE).map(<[u8]>::len), expected, "{:x?}", der.get(..6));
        }
    }

    #[test]
    fn integers_are_positive_and_minimal_x690_8_3_2() {
        for (content, expected) in [
            (&[3][..], Some(&[3][..])),
            (&[0, 0x80], Some(&[0x80])),
            (&[1, 0, 1], Some(&[1, 0, 1])),
            (&[], None),
            (&[0], None),
            (&[0, 1], None),
            (&[0x80], None),
            (&[0xff, 1], None),
        ] {
            let der = [&[INTEGER, u8::try_from(content.len()).unwrap()], content].concat();
            assert_eq!(Reader::new(&der).positive_integer(), expected, "{content:x?}");
        }
    }
}
