//! What follows from a token alone and is wanted for every request that presents it: computed once, with the first.

use std::cell::OnceCell;

use crate::core::revocation::list::ListKey;
use crate::core::revocation::marker::Marker;

/// Each part is there once somebody has asked for it. All of one instance, hence of one policy.
#[derive(Debug, Default)]
pub struct Derived {
    /// The hash by which a proof names the token (RFC 9449 4.1, `ath`).
    pub hash: OnceCell<Box<str>>,
    /// Where its markers would be.
    pub markers: OnceCell<Box<[Marker]>>,
    /// What a list would have of it.
    pub list_keys: OnceCell<Box<[ListKey]>>,
}

impl Derived {
    /// Bytes held, for callers that bound what they keep.
    pub fn memory(&self) -> usize {
        let hash = self.hash.get().map_or(0, |hash| hash.len());
        let markers = self.markers.get().map_or(0, |markers| markers.iter().map(Marker::memory).sum());
        let list_keys = self.list_keys.get().map_or(0, |keys| size_of_val::<[ListKey]>(keys));
        [size_of::<Self>(), hash, markers, list_keys].into_iter().fold(0, usize::saturating_add)
    }
}
