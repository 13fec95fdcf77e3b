//! No input is too strange: whatever it is, it compiles or is refused.

use proptest::prelude::*;
use serde_json::{Value, json};
use traefik_jwt_auth::core::config::options::paths;

use crate::options::example;
use crate::{SECRET, keyed, lines, with};

fn any_value() -> impl Strategy<Value = Value> {
    let text = prop_oneof![
        "[\\PC]{0,8}",
        prop::sample::select(vec![
            "",
            "true",
            "0",
            "60",
            "a,b",
            "[",
            "{}",
            "[{}]",
            "{\"a\":{\"a\":1}}",
            "env:SECRET",
            "env:",
            "file:/",
            "file:",
            "urn:k8s:secret:",
            "https://a/",
            "https://[::1]:1/",
            "-----BEGIN PUBLIC KEY-----",
            "Equals(`a`, `b`)",
            "HS256",
            "optional",
            "/a/*",
            SECRET
        ])
        .prop_map(str::to_owned),
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        text.prop_map(Value::from),
    ];
    let names = paths().join(".");
    let names = names.split(['.', '[', ']']).filter(|name| !name.is_empty()).map(str::to_owned);
    let name = prop::sample::select(names.collect::<Vec<_>>());
    leaf.prop_recursive(4, 24, 4, move |inner| {
        let name = name.clone();
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(name, inner, 0..4).prop_map(|members| json!(members)),
        ]
    })
}

/// Compiles, and checks what must hold whatever came out.
fn survives(json: &[u8]) {
    match with(json, true) {
        Ok(policy) => {
            assert!(!policy.issuers.is_empty());
            for issuer in &policy.issuers {
                assert!(!issuer.keys.is_empty() && !issuer.algorithms.is_empty(), "{issuer:?}");
            }
        }
        Err(errors) => assert!(!lines(&errors).is_empty()),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn random_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        survives(&bytes);
    }

    #[test]
    fn random_texts_in_a_configuration_never_panic(at in any::<prop::sample::Index>(), text in "[\\PC]{0,6}") {
        let full = example("everything").to_string();
        let at = full.floor_char_boundary(at.index(full.len()));
        let (before, after) = full.split_at(at);
        survives(format!("{before}{text}{after}").as_bytes());
    }

    #[test]
    fn random_values_never_panic(name in prop::sample::select(paths()), value in any_value()) {
        let (mut config, mut at) = (keyed(&json!({})), Vec::new());
        for part in name.split('.') {
            at.push(part.trim_end_matches("[]").replace('*', "any"));
            if part.ends_with("[]") {
                at.push("0".to_owned());
            }
        }
        let nested = at.iter().skip(1).rev().fold(value, |inner, part| {
            if part == "0" { json!([inner]) } else { json!({ part.as_str(): inner }) }
        });
        config[&at[0]] = nested;
        survives(config.to_string().as_bytes());
    }
}
