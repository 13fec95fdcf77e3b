//! Configurations: whatever is wrong is reported, and what is right is the same in whatever form it arrives.

use serde_json::Value;
use traefik_jwt_auth::core::config::{Capabilities, compile, summary, warnings as warnings_of};

use crate::cut::choice;
use crate::mark::mark;

/// JSON as Traefik hands it on.
pub(super) fn configuration(input: &[u8]) {
    let (way, json) = choice(input, 2);
    let capabilities = Capabilities { fetch: way == 0, env: &|_| Some("value".into()) };
    match compile(json.to_vec(), &capabilities) {
        Err(errors) => {
            mark("refused");
            assert!(!errors.is_empty());
            for error in &errors {
                let shown = error.to_string();
                assert!(!shown.is_empty() && !shown.contains(['\n', '\r', '\0']), "{shown:?}");
            }
        }
        Ok(policy) => {
            mark("compiled");
            let line = summary(&policy);
            let warnings = warnings_of(&policy);
            assert!(!line.contains(['\n', '\r', '\0']), "{line:?}");
            if !warnings.is_empty() {
                mark("warned");
            }
            // Labels and stores of keys and values have nothing but texts.
            let mut value: Value = serde_json::from_slice(json).expect("both read it");
            as_texts(&mut value);
            let again = compile(value.to_string(), &capabilities);
            let again = again.unwrap_or_else(|errors| panic!("as texts: {errors:?}"));
            assert_eq!((summary(&again), warnings_of(&again)), (line, warnings));
        }
    }
}

/// Numbers and words at the top as texts.
fn as_texts(value: &mut Value) {
    for member in value.as_object_mut().into_iter().flat_map(|members| members.values_mut()) {
        if member.is_number() || member.is_boolean() {
            *member = Value::String(member.to_string());
        }
    }
}
