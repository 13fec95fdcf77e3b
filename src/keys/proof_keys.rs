//! Keys of proofs that one instance has checked before (RFC 9449): one client sends many proofs, and a key that is in use
//! verifies three times as fast.

use std::cell::RefCell;
use std::rc::Rc;

use crate::core::limits::MAX_KEPT_PROOF_KEYS;
use crate::core::proof::dpop::KeptKeys;
use crate::core::signature::VerifyingKey;

/// The keys that were used last, the latest first.
#[derive(Default)]
pub struct ProofKeys(RefCell<Vec<(String, Rc<VerifyingKey>)>>);

impl KeptKeys for ProofKeys {
    fn kept(&self, thumbprint: &str) -> Option<Rc<VerifyingKey>> {
        let mut keys = self.0.borrow_mut();
        let at = keys.iter().position(|(known, _)| known == thumbprint)?;
        keys.get_mut(..=at)?.rotate_right(1);
        keys.first().map(|(_, key)| Rc::clone(key))
    }

    fn keep(&self, thumbprint: &str, key: &Rc<VerifyingKey>) {
        let mut keys = self.0.borrow_mut();
        keys.truncate(MAX_KEPT_PROOF_KEYS.saturating_sub(1));
        keys.insert(0, (thumbprint.to_owned(), Rc::clone(key)));
    }
}

#[cfg(test)]
mod tests {
    use super::ProofKeys;
    use crate::core::limits::MAX_KEPT_PROOF_KEYS;
    use crate::core::proof::dpop::KeptKeys;
    use crate::core::signature::VerifyingKey;
    use std::rc::Rc;

    #[test]
    fn the_keys_that_were_used_last_are_kept() {
        let keys = ProofKeys::default();
        let key = || Rc::new(VerifyingKey::hmac(&[7; 32]).unwrap());
        let names: Vec<String> = (0..=MAX_KEPT_PROOF_KEYS).map(|n| n.to_string()).collect();
        let first = key();
        keys.keep("0", &first);
        for name in &names[1..MAX_KEPT_PROOF_KEYS] {
            keys.keep(name, &key());
        }
        assert!(Rc::ptr_eq(&keys.kept("0").unwrap(), &first));
        keys.keep(&names[MAX_KEPT_PROOF_KEYS], &key());
        let kept: Vec<bool> = names.iter().map(|name| keys.kept(name).is_some()).collect();
        let expected: Vec<bool> = (0..names.len()).map(|at| at != 1).collect();
        assert_eq!(kept, expected);
    }
}
