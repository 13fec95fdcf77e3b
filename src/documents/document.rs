//! A fetched document, whatever it means, and the form that it has in records and files.

use crate::core::unix_time::{Seconds, UnixTime};

const HAS_ETAG: u8 = 1;

/// What a server sent, and what it said about it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Document {
    /// The body.
    pub body: Vec<u8>,
    /// Value of `Cache-Control`, several joined with a comma; empty if absent.
    pub cache_control: String,
    /// Value of `Age` in seconds, zero if absent or not a number.
    pub age: Seconds,
    /// Value of `ETag`.
    pub etag: Option<String>,
}

/// A document that instances and routers share.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SharedDocument {
    /// The document.
    pub document: Document,
    /// When it was fetched, or last confirmed by a 304.
    pub fetched_at: UnixTime,
}

impl SharedDocument {
    /// Bytes that [`Self::write`] adds.
    pub(super) fn size(&self) -> usize {
        let Document { body, cache_control, age: _, etag } = &self.document;
        [29, body.len(), cache_control.len(), etag.as_ref().map_or(0, String::len)]
            .iter()
            .fold(0, |sum: usize, part| sum.saturating_add(*part))
    }

    /// Adds its form in records and files to `out`.
    pub(super) fn write(&self, out: &mut Vec<u8>) {
        let Document { body, cache_control, age, etag } = &self.document;
        out.extend_from_slice(&self.fetched_at.as_millis().to_le_bytes());
        out.extend_from_slice(&age.0.to_le_bytes());
        out.push(etag.as_ref().map_or(0, |_| HAS_ETAG));
        let etag = etag.as_deref().unwrap_or_default();
        for part in [body, cache_control.as_bytes(), etag.as_bytes()] {
            // Nothing that long is ever written: bodies are bounded far below.
            out.extend_from_slice(&u32::try_from(part.len()).unwrap_or(u32::MAX).to_le_bytes());
            out.extend_from_slice(part);
        }
    }

    /// Reads what [`Self::write`] wrote.
    pub(super) fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let fetched_at = UnixTime::from_millis(reader.u64()?);
        let age = Seconds(reader.u64()?);
        let [flags] = reader.array()?;
        let body = reader.bytes()?.to_vec();
        let cache_control = String::from_utf8(reader.bytes()?.to_vec()).ok()?;
        let etag = String::from_utf8(reader.bytes()?.to_vec()).ok()?;
        let etag = (flags & HAS_ETAG != 0).then_some(etag);
        Some(Self { document: Document { body, cache_control, age, etag }, fetched_at })
    }
}

/// The remaining bytes to read.
pub(super) struct Reader<'a>(pub(super) &'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    pub(super) fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.take(N)?.try_into().ok()
    }

    pub(super) fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_le_bytes)
    }

    pub(super) fn u64(&mut self) -> Option<u64> {
        self.array().map(u64::from_le_bytes)
    }

    pub(super) fn bytes(&mut self) -> Option<&'a [u8]> {
        let length = usize::try_from(self.u32()?).ok()?;
        self.take(length)
    }
}
