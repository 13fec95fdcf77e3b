//! Whether a request can come to a rule at all: one that earlier ones take all requests from is a mistake.

use crate::core::request::header_name::is_alias;
use crate::core::request::path::PathPattern;
use crate::core::rules::headers::HeaderCondition;
use crate::core::rules::rule::Rule;

/// The earlier rules that together take every request that `rule` means, by their positions; `None` where one is left to it.
#[must_use]
pub fn shadowed(rule: &Rule, earlier: &[Rule]) -> Option<Vec<usize>> {
    let mut takers = Vec::new();
    for method in any_or_each(&rule.methods) {
        for path in any_or_each(&rule.paths) {
            let takes = |earlier: &Rule| {
                covers_method(earlier, method)
                    && covers_path(earlier, path)
                    && covers_headers(earlier, &rule.headers)
            };
            let taker = earlier.iter().position(takes)?;
            if !takers.contains(&taker) {
                takers.push(taker);
            }
        }
    }
    Some(takers)
}

/// Each element; where there is none, so that all are meant, one that stands for all.
fn any_or_each<T>(list: &[T]) -> Vec<Option<&T>> {
    if list.is_empty() { vec![None] } else { list.iter().map(Some).collect() }
}

fn covers_method(rule: &Rule, method: Option<&String>) -> bool {
    rule.methods.is_empty() || method.is_some_and(|method| rule.methods.contains(method))
}

fn covers_path(rule: &Rule, path: Option<&PathPattern>) -> bool {
    let is_every = || rule.paths.iter().any(PathPattern::is_every_path);
    match path {
        None => rule.paths.is_empty() || is_every(),
        Some(path) => rule.paths.is_empty() || rule.paths.iter().any(|own| own.covers(path)),
    }
}

/// Whether whatever meets `conditions` meets those of `rule`.
fn covers_headers(rule: &Rule, conditions: &[HeaderCondition]) -> bool {
    rule.headers.iter().all(|own| {
        conditions.iter().filter(|other| is_alias(own.name(), other.name())).any(|other| {
            other.values.iter().all(|value| own.values.iter().any(|pattern| pattern.covers(value)))
        })
    })
}

#[cfg(test)]
mod tests {
    use super::shadowed;
    use crate::core::rules::examples::rule;

    #[test]
    fn rules_that_no_request_comes_to() {
        let get = || rule(&["GET"], &["/a/*"], &[]);
        let all = || rule(&[], &[], &[]);
        for (earlier, last, expected) in [
            (vec![], all(), None),
            (vec![all()], get(), Some(vec![0])),
            (vec![get()], all(), None),
            (vec![get()], get(), Some(vec![0])),
            (vec![get()], rule(&["GET"], &["/a/b"], &[]), Some(vec![0])),
            (vec![get()], rule(&["GET"], &["/a"], &[]), None),
            (vec![get()], rule(&["GET", "POST"], &["/a/b"], &[]), None),
            (vec![get()], rule(&[], &["/a/b"], &[]), None),
            (
                vec![get(), rule(&["POST"], &["/a/*"], &[])],
                rule(&["GET", "POST"], &["/a/b", "/a/{c}"], &[]),
                Some(vec![0, 1]),
            ),
            (vec![rule(&[], &["/*"], &[])], all(), Some(vec![0])),
            (
                vec![rule(&[], &[], &["X-A: a*"])],
                rule(&[], &["/b"], &["x_a: ab ac", "X-B: b"]),
                Some(vec![0]),
            ),
            (vec![rule(&[], &[], &["X-A: a*"])], rule(&[], &["/b"], &["X-A: ab b"]), None),
            (vec![rule(&[], &[], &["X-A: a*"])], rule(&[], &["/b"], &[]), None),
            (vec![rule(&[], &[], &["X-A: a", "X-B: b"])], rule(&[], &[], &["X-A: a"]), None),
        ] {
            assert_eq!(shadowed(&last, &earlier), expected, "{earlier:?} {last:?}");
        }
    }
}
