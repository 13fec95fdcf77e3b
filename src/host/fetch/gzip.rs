//! gzip (RFC 1952), for servers that send it although the request forbids it. Pure, bounded.

use miniz_oxide::inflate::TINFLStatus;
use miniz_oxide::inflate::core::inflate_flags::TINFL_FLAG_USING_NON_WRAPPING_OUTPUT_BUF;
use miniz_oxide::inflate::core::{DecompressorOxide, decompress};

use crate::documents::fetch::FetchError;

const HEAD_CRC: u8 = 1 << 1;
const EXTRA: u8 = 1 << 2;
const NAME: u8 = 1 << 3;
const COMMENT: u8 = 1 << 4;
const RESERVED: u8 = 0xe0;

/// The content of one gzip member, at most `max_bytes`.
///
/// # Errors
/// [`FetchError::TooLarge`] if it is larger, [`FetchError::Http`] for anything else, including several members.
pub fn decode(bytes: &[u8], max_bytes: usize) -> Result<Vec<u8>, FetchError> {
    let bad = FetchError::Http("malformed gzip");
    let deflated = skip_head(bytes).ok_or_else(|| bad.clone())?;
    let (deflated, trailer) = deflated.split_last_chunk::<8>().ok_or_else(|| bad.clone())?;
    let content = inflated(deflated, max_bytes).map_err(|status| {
        if status == TINFLStatus::HasMoreOutput { FetchError::TooLarge } else { bad.clone() }
    })?;
    let length = u32::try_from(content.len()).map_err(|_| FetchError::TooLarge)?;
    let [sum, size] = [crc32(&content).to_le_bytes(), length.to_le_bytes()];
    if *trailer == [sum, size].concat().as_slice() { Ok(content) } else { Err(bad) }
}

/// The content of `deflated`, which is all of it: the functions of the library that make a vector say nothing of what is left.
fn inflated(mut deflated: &[u8], max_bytes: usize) -> Result<Vec<u8>, TINFLStatus> {
    let mut content = vec![0; deflated.len().saturating_mul(2).min(max_bytes)];
    let (mut state, mut written) = (Box::<DecompressorOxide>::default(), 0_usize);
    loop {
        let (status, read, more) =
            decompress(&mut state, deflated, &mut content, written, TINFL_FLAG_USING_NON_WRAPPING_OUTPUT_BUF);
        deflated = deflated.get(read..).unwrap_or_default();
        written = written.saturating_add(more);
        if status == TINFLStatus::Done {
            content.truncate(written);
            return if deflated.is_empty() { Ok(content) } else { Err(TINFLStatus::Failed) };
        }
        if status != TINFLStatus::HasMoreOutput || content.len() >= max_bytes {
            return Err(status);
        }
        content.resize(content.len().saturating_mul(2).clamp(1, max_bytes), 0);
    }
}

fn skip_head(bytes: &[u8]) -> Option<&[u8]> {
    let (head, mut rest) = bytes.split_first_chunk::<10>()?;
    let [0x1f, 0x8b, 8, flags, ..] = *head else {
        return None;
    };
    if flags & RESERVED != 0 {
        return None;
    }
    if flags & EXTRA != 0 {
        let (length, after) = rest.split_first_chunk()?;
        rest = after.get(usize::from(u16::from_le_bytes(*length))..)?;
    }
    for text in [NAME, COMMENT] {
        if flags & text != 0 {
            let end = rest.iter().position(|byte| *byte == 0)?;
            rest = rest.get(end..)?.get(1..)?;
        }
    }
    if flags & HEAD_CRC != 0 { rest.get(2..) } else { Some(rest) }
}

/// RFC 1952 8, bit by bit: the largest document takes milliseconds, and one comes per hour.
fn crc32(bytes: &[u8]) -> u32 {
    let sum = bytes.iter().fold(u32::MAX, |sum, byte| {
        (0..8)
            .fold(sum ^ u32::from(*byte), |sum, _| (sum >> 1) ^ (if sum & 1 == 1 { 0xedb8_8320 } else { 0 }))
    });
    !sum
}

#[cfg(test)]
mod tests {
    use super::{crc32, decode};
    use crate::documents::fetch::FetchError;

    fn gzip(flags: u8, extra: &[u8], content: &[u8]) -> Vec<u8> {
        let mut bytes = vec![0x1f, 0x8b, 8, flags, 0, 0, 0, 0, 0, 3];
        bytes.extend_from_slice(extra);
        bytes.extend(miniz_oxide::deflate::compress_to_vec(content, 6));
        bytes.extend(crc32(content).to_le_bytes());
        bytes.extend(u32::try_from(content.len()).unwrap().to_le_bytes());
        bytes
    }

    #[test]
    fn the_check_value_of_crc32() {
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
    }

    #[test]
    fn every_optional_field_is_skipped() {
        for (flags, extra) in [
            (0, &b""[..]),
            (1, b""),
            (1 << 1, b"cc"),
            (1 << 2, b"\x03\x00abc"),
            (1 << 3, b"name\0"),
            (1 << 4, b"\0"),
            (0x1e, b"\x01\x00anm\0cm\0hc"),
        ] {
            assert_eq!(decode(&gzip(flags, extra, b"content"), 7), Ok(b"content".to_vec()), "{flags}");
        }
    }

    #[test]
    fn content_may_be_many_times_as_long() {
        let content = vec![0; 10_000];
        assert_eq!(decode(&gzip(0, b"", &content), 10_000), Ok(content));
    }

    #[test]
    fn refusals() {
        let bad = Err(FetchError::Http("malformed gzip"));
        let good = gzip(0, b"", b"content");
        assert_eq!(decode(&good, 6), Err(FetchError::TooLarge));
        assert_eq!(decode(&gzip(0, b"", &[0; 1 << 20]), 1 << 16), Err(FetchError::TooLarge));
        for length in 0..good.len() {
            assert_eq!(decode(&good[..length], 100), bad, "{length}");
        }
        assert_eq!(decode(&gzip(0x20, b"", b"content"), 100), bad);
        // What follows a member, also if it ends as that one does.
        let (member, trailer) = good.split_last_chunk::<8>().unwrap();
        for behind in [&gzip(0, b"", b"more"), &good, &[member, b"x", trailer].concat()] {
            assert_eq!(decode(&[good.as_slice(), behind].concat(), 100), bad, "{behind:x?}");
        }
        assert_eq!(decode(&[member, b"x", trailer].concat(), 100), bad);
        for at in [0, 1, 2, 12, good.len() - 1, good.len() - 5] {
            let mut altered = good.clone();
            altered[at] ^= 0x55;
            assert_eq!(decode(&altered, 100), bad, "{at}");
        }
    }

    proptest::proptest! {
        #[test]
        fn noise_never_panics(noise in proptest::collection::vec(proptest::num::u8::ANY, 0..200), flags in 0_u8..32) {
            let mut bytes = vec![0x1f, 0x8b, 8, flags];
            bytes.extend(noise);
            let _ = decode(&bytes, 1000);
        }
    }
}
