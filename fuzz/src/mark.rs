//! What inputs have reached. A target whose inputs never come where it compares has shown nothing.

use std::cell::RefCell;
use std::collections::BTreeSet;

thread_local! {
    static REACHED: RefCell<BTreeSet<&'static str>> = const { RefCell::new(BTreeSet::new()) };
}

/// An input has come here.
pub(crate) fn mark(place: &'static str) {
    REACHED.with_borrow_mut(|reached| reached.insert(place));
}

/// Where the inputs of this thread have come since the last call.
#[must_use]
pub fn reached() -> BTreeSet<&'static str> {
    REACHED.take()
}
