//! Which rules a request may be under by its method and its path, found without a look at each of them.

use crate::core::limits::MAX_RULES;
use crate::core::rules::rule::Rule;

/// Rules by their positions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct RuleSet([u64; WORDS]);

/// Words of 64 rules.
const WORDS: usize = MAX_RULES.div_ceil(64);

impl RuleSet {
    fn insert(&mut self, at: usize) {
        if let (Some(word), Some(bit)) = (self.0.get_mut(at / 64), bit(at)) {
            *word |= bit;
        }
    }

    fn contains(self, at: usize) -> bool {
        let word = self.0.get(at / 64).copied().unwrap_or_default();
        bit(at).is_some_and(|bit| word & bit != 0)
    }

    fn and(self, other: Self) -> Self {
        let mut both = self;
        both.0.iter_mut().zip(other.0).for_each(|(word, other)| *word &= other);
        both
    }

    /// The positions in their order.
    pub(super) fn iter(self) -> impl Iterator<Item = usize> {
        let mut words = self.0.into_iter().enumerate();
        let mut left = words.next();
        std::iter::from_fn(move || {
            loop {
                let (at, word) = left?;
                if word == 0 {
                    left = words.next();
                    continue;
                }
                left = Some((at, word & word.wrapping_sub(1)));
                let bit = usize::try_from(word.trailing_zeros()).ok()?;
                return at.checked_mul(64)?.checked_add(bit);
            }
        })
    }
}

fn bit(at: usize) -> Option<u64> {
    1_u64.checked_shl(u32::try_from(at % 64).ok()?)
}

/// The rules by what they say of methods and paths.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Index {
    /// The methods that rules name, and the rules about each of them or about all.
    methods: Vec<(String, RuleSet)>,
    all_methods: RuleSet,
    /// The rules about all paths.
    all_paths: RuleSet,
    /// Where patterns are: hash of the fixed text, position of the rule, position in it. In the order of hashes.
    patterns: Vec<(u32, usize, usize)>,
}

impl Index {
    pub(super) fn new(rules: &[Rule]) -> Self {
        let mut index = Self::default();
        for (at, rule) in rules.iter().enumerate() {
            if rule.methods.is_empty() {
                index.all_methods.insert(at);
            }
            if rule.paths.is_empty() {
                index.all_paths.insert(at);
            }
            for (number, pattern) in rule.paths.iter().enumerate() {
                let hash = pattern.fixed().bytes().fold(START, hash);
                let place = index.first_with(hash);
                index.patterns.insert(place, (hash, at, number));
            }
            for method in &rule.methods {
                if !index.methods.iter().any(|(known, _)| known == method) {
                    index.methods.push((method.clone(), RuleSet::default()));
                }
            }
        }
        for (method, set) in &mut index.methods {
            for (at, rule) in rules.iter().enumerate() {
                if rule.methods.is_empty() || rule.methods.contains(method) {
                    set.insert(at);
                }
            }
        }
        index
    }

    /// The rules of `rules` that `method` and `path` meet.
    pub(super) fn candidates(&self, rules: &[Rule], method: &str, path: &str) -> RuleSet {
        let named = self.methods.iter().find(|(known, _)| known == method).map(|(_, set)| *set);
        let by_method = named.unwrap_or(self.all_methods);
        let mut found = self.all_paths.and(by_method);
        let mut so_far = START;
        for byte in path.bytes() {
            so_far = hash(so_far, byte);
            // A fixed text that is not the whole path ends in a slash.
            if byte == b'/' {
                self.add(so_far, rules, by_method, path, &mut found);
            }
        }
        if !path.ends_with('/') {
            self.add(so_far, rules, by_method, path, &mut found);
        }
        found
    }

    fn add(&self, hash: u32, rules: &[Rule], by_method: RuleSet, path: &str, found: &mut RuleSet) {
        let alike = self.patterns.iter().skip(self.first_with(hash)).take_while(|(known, ..)| *known == hash);
        for (_, at, number) in alike.filter(|(_, at, _)| by_method.contains(*at)) {
            let pattern = rules.get(*at).and_then(|rule| rule.paths.get(*number));
            if pattern.is_some_and(|pattern| pattern.matches(path)) {
                found.insert(*at);
            }
        }
    }

    fn first_with(&self, hash: u32) -> usize {
        self.patterns.partition_point(|(known, ..)| *known < hash)
    }
}

const START: u32 = 0x811c_9dc5;

/// FNV-1a.
fn hash(so_far: u32, byte: u8) -> u32 {
    (so_far ^ u32::from(byte)).wrapping_mul(0x0100_0193)
}

#[cfg(test)]
mod tests {
    use super::{Index, RuleSet};
    use crate::core::rules::examples::rule;
    use proptest::prelude::*;

    const METHODS: [&str; 3] = ["GET", "POST", "PUT"];
    const PATTERNS: [&str; 10] =
        ["/", "/*", "/a", "/a/", "/a/*", "/{x}", "/{x}/b", "/{x}/*", "/a/{x}/c/*", "/a/b/{x}"];
    const PATHS: [&str; 10] =
        ["/", "/a", "/a/", "/b", "/b/", "/a/b", "/b/b", "/a/b/c", "/a/b/c/", "/a/b/c/d"];

    #[test]
    fn positions_in_their_order() {
        let mut set = RuleSet::default();
        for at in [255, 0, 63, 64, 200, 256, 1000] {
            set.insert(at);
        }
        assert_eq!(set.iter().collect::<Vec<_>>(), [0, 63, 64, 200, 255]);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(5_000))]
        #[test]
        fn what_is_found_is_what_matches(
            rules in prop::collection::vec((
                prop::collection::vec(prop::sample::select(METHODS.to_vec()), 0..3),
                prop::collection::vec(prop::sample::select(PATTERNS.to_vec()), 0..3),
            ), 0..80),
            method in prop::sample::select(METHODS.to_vec()),
            path in prop::sample::select(PATHS.to_vec()),
        ) {
            let rules: Vec<_> = rules.iter().map(|(methods, paths)| rule(methods, paths, &[])).collect();
            let expected: Vec<usize> = (rules.iter().enumerate())
                .filter(|(_, rule)| rule.methods.is_empty() || rule.methods.iter().any(|known| known == method))
                .filter(|(_, rule)| rule.paths.is_empty() || rule.paths.iter().any(|pattern| pattern.matches(path)))
                .map(|(at, _)| at)
                .collect();
            let found: Vec<usize> = Index::new(&rules).candidates(&rules, method, path).iter().collect();
            prop_assert_eq!(found, expected);
        }
    }
}
