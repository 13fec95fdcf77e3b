//! The page of `make playground` in a real Chromium: what a user reads, on a desktop, on a phone and with keys alone, what
//! a link carries, and that the page asks the network for nothing.

use serde_json::{Value, json};
use testbed::keys;
use testbed::tokens::Token;
use testbed::wait::unix_now;

use crate::need::{chromium, page};
use crate::script::Script;

fn configuration(more: &Value) -> String {
    let mut options = json!({
        "issuer": "https://idp.example/", "jwksUrl": "https://idp.example/jwks.json", "forwardHeaders": {"X-User": "sub"}
    });
    for (name, value) in more.as_object().unwrap() {
        options[name] = value.clone();
    }
    let lines: Vec<String> = options
        .as_object()
        .unwrap()
        .iter()
        .map(|(name, value)| format!("          {name}: {value}\n"))
        .collect();
    format!("http:\n  middlewares:\n    jwt:\n      plugin:\n        jwt:\n{}", lines.concat())
}

fn token(exp: i64) -> String {
    Token::new("EdDSA", json!({"iss": "https://idp.example/", "sub": "alice", "exp": exp})).mint()
}

/// The text of a member.
fn text<'a>(seen: &'a Value, name: &str) -> &'a str {
    seen[name].as_str().unwrap_or_else(|| panic!("{name}: {}", seen[name]))
}

/// One run of the script, which is a walk through the page.
pub(crate) fn walk() {
    let mistaken = configuration(&json!({"clockSkewSecond": 5}));
    let (good, expired) = (token(unix_now() + 600), token(unix_now() - 10));
    let seen = Script::run(
        "playground.mjs",
        &json!({
            "chromium": chromium().unwrap(), "page": page().unwrap(), "mistaken": mistaken,
            "configuration": configuration(&json!({})), "jwks": keys::public_set().to_string(),
            "secret": configuration(&json!({"signingSecret": "0123456789abcdef0123456789abcdef"})),
            "good": good, "expired": expired, "screenshots": std::env::var("SCREENSHOTS").ok(),
        }),
    );

    // Each check of the walk has a title, and not the name that the code has for it.
    let titles = seen["titles"].as_array().unwrap();
    let titles: Vec<&str> = titles.iter().filter_map(Value::as_str).collect();
    assert!(
        titles.len() > 10 && titles.iter().all(|title| title.starts_with(char::is_uppercase)),
        "{titles:?}"
    );

    // A mistake stands at its line, in three places.
    let line = mistaken.lines().position(|line| line.contains("clockSkewSecond")).unwrap() + 1;
    let said = text(&seen, "mistake");
    assert!(said.starts_with(&format!("Line {line} ")), "{said}");
    assert!(said.contains("did you mean clockSkewSeconds?"), "{said}");
    assert_eq!(text(&seen, "marked"), format!("! {line}"));
    assert_eq!(text(&seen, "selected").trim(), "clockSkewSecond: 5");
    assert_eq!(text(&seen, "refused"), "The configuration is refused: 1 mistake");

    // What the upstream gets, and which step fails with both values.
    assert!(text(&seen, "upstream").contains("X-User: alice"), "{seen}");
    assert_eq!(text(&seen, "denied"), "Denied with status 401: token_expired");
    for (place, part) in [
        ("failing", "Time"),
        ("failing", " s ago"),
        ("failing", "clockSkewSeconds 0"),
        ("reason", "exp was "),
        ("reason", "exp in the future"),
        ("answer", "HTTP/1.1 401\nWWW-Authenticate: Bearer error=\"invalid_token\""),
    ] {
        assert!(text(&seen, place).contains(part), "{place}, {part}: {}", seen[place]);
    }

    // A link leads to the same configuration and request, without token, keys and variables.
    let linked = &seen["linked"];
    assert_eq!(text(linked, "configuration"), configuration(&json!({})));
    assert_eq!(text(linked, "path"), "/orders?t=TOKEN&a=1&access_token=TOKEN");
    assert_eq!(text(linked, "headers"), "Authorization: TOKEN\nX-Other: a TOKEN b\nX-Team: blue");
    for field in ["token", "jwks", "variables"] {
        assert_eq!(text(linked, field), "", "{field}");
    }
    assert!(text(&seen, "link").starts_with("#c="), "{seen}");
    assert!(text(&seen, "secret").contains("a secret in it (signingSecret)"), "{seen}");

    // Every example does with its first sample what its first test says.
    let examples = seen["examples"].as_array().unwrap();
    assert!(
        examples.len() > 5 && examples.iter().all(|said| said.as_str().unwrap().ends_with(": Allowed")),
        "{seen}"
    );

    // A phone of 320 px has nothing to scroll sideways, and nothing moves while the page loads.
    for row in seen["overflow"].as_array().unwrap() {
        assert!(row[1].as_u64() <= row[2].as_u64(), "{row}");
    }
    assert!(seen["shift"].as_f64().unwrap() < 0.05, "{}", seen["shift"]);
    // What axe-core finds of labels, contrast, roles, in both colours.
    assert_eq!(seen["faults"], json!([]));

    // Keys alone lead to everything, in the order of the page.
    let order = "a example load configuration sample make token jwks method path headers summary link pre";
    assert_eq!(seen["order"], json!(order.split(' ').collect::<Vec<_>>()));
    assert_eq!(text(&seen, "keyboard"), "Allowed");

    assert_eq!((&seen["requests"], &seen["complaints"]), (&json!([]), &json!([])));
}
