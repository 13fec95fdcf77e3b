//! A rule that is written and empty never loads, however it arrives: an unset variable must not open anything.

use serde_json::{Value, json};
use traefik_jwt_auth::core::config::options::{Empty, Kind, places, rows};

use crate::options::example;
use crate::{SECRET, compiled, keyed, refusals};

/// `config` with `value` at `option`.
fn with_value(mut config: Value, option: &str, value: &Value) -> Value {
    let mut at = &mut config;
    for part in option.split('.') {
        let name = part.trim_end_matches("[]");
        if at.get(name).is_none() {
            at[name] = if part.ends_with("[]") { json!([{}]) } else { json!({}) };
        }
        at = &mut at[name];
        if part.ends_with("[]") {
            at = &mut at[0];
        }
    }
    *at = value.clone();
    config
}

#[test]
fn an_option_that_is_empty_is_refused_unless_its_row_says_otherwise() {
    let forms = [
        json!(null),
        json!([]),
        json!(""),
        json!(" "),
        json!("\n"),
        json!({}),
        json!([""]),
        json!("[]"),
        json!("{}"),
    ];
    for row in rows() {
        for option in places(row) {
            let is_refused =
                |form: &&Value| !refusals(&with_value(example("everything"), &option, form), true).is_empty();
            let (refused, accepted): (Vec<&Value>, Vec<&Value>) = forms.iter().partition(is_refused);
            match (row.empty, row.kind) {
                // The text that asks for nothing.
                (_, Kind::ListOrNone) => assert_eq!(accepted, [&json!("[]")], "{option}"),
                (Empty::Allowed, _) => assert!(!refused.is_empty(), "{option}"),
                (Empty::Refused(_), _) => assert_eq!(accepted, [&json!(null); 0], "{option}"),
            }
        }
    }
}

/// As labels have it with variables that are not set.
#[test]
fn an_empty_text_that_counts_as_absent_stands_beside_anything() {
    let client = json!({"tls": {"ca": "/ca.pem"}, "timeoutSeconds": 3});
    let configurations = [
        json!({"signingSecret": SECRET, "forwardHeaders": {"X-A": "my-claim"}}),
        json!({"issuer": "kubernetes"}),
        json!({"issuer": "spiffe://example.org", "format": "spiffe", "audience": "api", "jwksUrl": "https://idp.example/bundle"}),
        json!({"issuer": "https://idp.example/", "discovery": true, "clientConfig": client}),
        json!({"trustedIssuers": [{"issuer": "https://idp.example/", "discovery": true, "clientConfig": client}]}),
        example("everything"),
    ];
    let is_text = |kind| matches!(kind, Kind::Text | Kind::Secret | Kind::KeySet | Kind::Object);
    for config in configurations {
        let policy = |config: &Value| format!("{:?}", compiled(config));
        let without = policy(&config);
        for row in rows().filter(|row| is_text(row.kind) && matches!(row.empty, Empty::Allowed)) {
            let is_absent = |option: &String| {
                let pointer = format!("/{}", option.replace("[].", "/0/").replace('.', "/"));
                let list = pointer.split_once("/0/").map_or("", |(list, _)| list);
                config.pointer(&pointer).is_none() && (list.is_empty() || config.pointer(list).is_some())
            };
            for option in places(row).filter(is_absent) {
                assert_eq!(
                    policy(&with_value(config.clone(), &option, &json!(""))),
                    without,
                    "{option} {config}"
                );
            }
        }
    }
}

#[test]
fn no_claim_is_required_where_that_is_said() {
    for none in [json!("none"), json!(["none"]), json!("[]"), json!(" [ ] ")] {
        let policy = compiled(&keyed(&json!({"requiredClaims": none})));
        assert_eq!(policy.issuers[0].claims.required, [""; 0], "{none}");
        let entry = json!({"issuer": "https://b.example", "signingSecret": SECRET, "requiredClaims": none});
        let policy = compiled(&keyed(&json!({"requiredClaims": "exp,sub", "trustedIssuers": [entry]})));
        assert_eq!(policy.issuers[1].claims.required, [""; 0], "{none}");
    }
}
