//! What the tests of this room have in common.

use crate::core::request::RecordedRequest;
use crate::core::request::path::PathPattern;
use crate::core::rules::{HeaderCondition, Rule, RuleTable, Ruling, ValuePattern};

/// A rule of `methods`, `paths` and headers, each `name: value value`.
pub(super) fn rule(methods: &[&str], paths: &[&str], headers: &[&str]) -> Rule {
    let condition = |text: &&str| {
        let (name, values) = text.split_once(": ").unwrap();
        let values = values.split(' ').map(|value| ValuePattern::parse(value).unwrap()).collect();
        HeaderCondition::new(name.into(), values)
    };
    Rule {
        methods: methods.iter().map(|method| (*method).to_owned()).collect(),
        paths: paths.iter().map(|path| PathPattern::parse(path).unwrap()).collect(),
        headers: headers.iter().map(condition).collect(),
        ..Rule::default()
    }
}

/// The position of the rule, or the code of the refusal.
pub(super) fn found(table: &RuleTable, request: &RecordedRequest) -> String {
    match table.ruling(request) {
        Ruling::Under(at, _) => at.to_string(),
        other @ (Ruling::Free | Ruling::Fault(_)) => {
            other.check().map_or_else(|refusal| refusal.code().to_owned(), |()| "free".to_owned())
        }
    }
}
