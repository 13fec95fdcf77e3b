//! A table that makes verifications with one key two to three times as fast and costs about two of them
//! (docs/measurements/arithmetic.md): made for keys that turn out to be in use.

use std::cell::{Cell, OnceCell};

/// Verifications of a key before it gets a table.
const IN_USE: u32 = 2;

/// A table that is made after some uses.
pub(super) struct InUse<T> {
    uses: Cell<u32>,
    table: OnceCell<T>,
}

impl<T> Default for InUse<T> {
    fn default() -> Self {
        Self { uses: Cell::new(0), table: OnceCell::new() }
    }
}

impl<T> InUse<T> {
    /// The table, made by `make` at the third use. `None` before that, or if `make` returns `None`.
    pub(super) fn get_or_make(&self, make: impl FnOnce() -> Option<T>) -> Option<&T> {
        if self.table.get().is_some() {
            return self.table.get();
        }
        let uses = self.uses.get().saturating_add(1);
        self.uses.set(uses);
        if uses <= IN_USE {
            return None;
        }
        let made = make()?;
        Some(self.table.get_or_init(|| made))
    }
}

#[cfg(test)]
mod tests {
    use super::InUse;

    #[test]
    fn the_third_use_makes_the_table_once() {
        let table = InUse::default();
        let used = [1, 2, 3, 4].map(|use_| table.get_or_make(|| Some(use_)).copied());
        assert_eq!(used, [None, None, Some(3), Some(3)]);
    }
}
