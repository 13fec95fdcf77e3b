//! Log lines about changes and failures of key sets.

use crate::core::limits::{MAX_LOGGED_NAMES, MAX_REASON_CHARS, MAX_SHOWN_CHARS};
use crate::core::refusal_log::LogLevel;
use crate::core::text::{cut, name, one_line};
use crate::keys::error::KeyError;
use crate::keys::source::{KeyEvent, KeyEventKind};

/// The hint about a document that is one key and is read as a set.
const LONE: &str = "the document is one JWK, taken as a set of it; a JWK Set has a list \"keys\"";

/// The lines for `event`, each with its level. The provider chooses the names of keys and the values in the reasons for
/// skipped keys.
pub fn lines(event: &KeyEvent) -> Vec<(LogLevel, String)> {
    let place = cut(&event.place, MAX_SHOWN_CHARS);
    let line = |text: String| one_line(format_args!("{place}: {text}"));
    match &event.kind {
        KeyEventKind::Changed { added, removed, keys, skipped, is_lone, age, next_refresh } => {
            let plural = if *keys == 1 { "" } else { "s" };
            let changed = format!(
                "{keys} key{plural}, added [{}], removed [{}], age {} s, next refresh in {} s",
                names(added),
                names(removed),
                age.0,
                next_refresh.0
            );
            let lone = is_lone.then(|| (LogLevel::Warn, line(LONE.to_owned())));
            let unused = unused(skipped).map(|unused| (LogLevel::Warn, line(unused)));
            [(LogLevel::Info, line(changed))].into_iter().chain(lone).chain(unused).collect()
        }
        KeyEventKind::Failed { error: failure, serving_stale, retry_after } => {
            // Without keys every request is refused. By default Traefik logs only errors.
            let (level, then) = if *serving_stale {
                (LogLevel::Warn, "serving the keys from before")
            } else {
                (LogLevel::Error, "no keys to serve with")
            };
            let reason = failure.to_string();
            let reason = cut(&reason, MAX_REASON_CHARS);
            let failed = format!("{reason}; {then}; next attempt in {} s or later", retry_after.0);
            let reasons =
                if let KeyError::NoUsableKey { skipped } = failure { unused(skipped) } else { None };
            let reasons = reasons.map(|reasons| (level, line(reasons)));
            [(level, line(failed))].into_iter().chain(reasons).collect()
        }
        KeyEventKind::Recovered => vec![(LogLevel::Info, line("available again".to_owned()))],
    }
}

/// Why keys of a set are skipped, if any are.
fn unused(skipped: &[String]) -> Option<String> {
    (!skipped.is_empty()).then(|| format!("keys not used: {}", first(skipped, String::clone)))
}

fn names(kids: &[String]) -> String {
    first(kids, |kid| name(kid))
}

fn first(all: &[String], shown: impl Fn(&String) -> String) -> String {
    let mut text = all.iter().take(MAX_LOGGED_NAMES).map(shown).collect::<Vec<_>>().join(" ");
    if all.len() > MAX_LOGGED_NAMES {
        text.push_str(" ...");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::lines;
    use crate::core::jwk::{JwkSet, Origin};
    use crate::core::limits::{MAX_LOGGED_NAMES, MAX_SHOWN_CHARS};
    use crate::core::refusal_log::LogLevel;
    use crate::core::unix_time::Seconds;
    use crate::keys::error::KeyError;
    use crate::keys::source::{KeyEvent, KeyEventKind};
    use proptest::prelude::*;

    const PLACE: &str = "https://idp.example/jwks.json";

    fn of(place: &str, kind: KeyEventKind) -> Vec<(LogLevel, String)> {
        lines(&KeyEvent { place: place.to_owned(), kind })
    }

    fn changed(added: &[&str], removed: &[&str], skipped: Vec<String>) -> KeyEventKind {
        let owned = |kids: &[&str]| kids.iter().map(|kid| (*kid).to_owned()).collect();
        KeyEventKind::Changed {
            added: owned(added),
            removed: owned(removed),
            keys: 2,
            skipped,
            is_lone: false,
            age: Seconds(3),
            next_refresh: Seconds(480),
        }
    }

    #[test]
    fn what_operators_read() {
        let info = |text: &str| (LogLevel::Info, format!("{PLACE}: {text}"));
        let warn = |text: &str| (LogLevel::Warn, format!("{PLACE}: {text}"));
        let error = |text: &str| (LogLevel::Error, format!("{PLACE}: {text}"));
        let failed = |serving_stale| KeyEventKind::Failed {
            error: KeyError::NoUsableKey { skipped: vec!["key 0 is not used: x".into()] },
            serving_stale,
            retry_after: Seconds(7),
        };
        for (kind, expected) in [
            (
                changed(&["rsa", "k-1"], &["old"], vec![]),
                vec![info("2 keys, added [rsa k-1], removed [old], age 3 s, next refresh in 480 s")],
            ),
            (
                changed(&[], &[], vec!["key 0 is not used: x".into(), "key 1 is not used: y".into()]),
                vec![
                    info("2 keys, added [], removed [], age 3 s, next refresh in 480 s"),
                    warn("keys not used: key 0 is not used: x key 1 is not used: y"),
                ],
            ),
            (
                failed(true),
                vec![
                    warn(
                        "no usable key in the set; serving the keys from before; next attempt in 7 s or later",
                    ),
                    warn("keys not used: key 0 is not used: x"),
                ],
            ),
            (
                failed(false),
                vec![
                    error("no usable key in the set; no keys to serve with; next attempt in 7 s or later"),
                    error("keys not used: key 0 is not used: x"),
                ],
            ),
            (KeyEventKind::Recovered, vec![info("available again")]),
        ] {
            assert_eq!(of(PLACE, kind), expected);
        }
    }

    #[test]
    fn names_of_a_provider_neither_end_a_line_nor_steer_a_terminal() {
        let strange =
            ["evil\u{202e}KID\u{2028}next", "c1\u{85}\u{9b}31m", "\u{feff}bom", "a] removed [b", "\u{ad}"];
        let expected = concat!(
            r#"["evil\u202eKID\u2028next" "c1\u0085\u009b31m" "\ufeffbom" "a] removed [b" "\u00ad"], "#,
            r#"removed ["\u2066"], age 3 s"#
        );
        let [(_, line)] = &*of(PLACE, changed(&strange, &["\u{2066}"], vec![])) else { panic!("one line") };
        assert!(line.contains(expected), "{line}");
    }

    #[test]
    fn what_is_said_of_unused_keys_is_shown_once_and_whole() {
        let kid = "evil\u{202e}\u{2028}".to_owned() + &"k".repeat(200);
        let set = serde_json::json!({"keys": [{"kty": "x\u{feff}", "kid": kid}, {"kty": "oct", "kid": "s"}]});
        let set = JwkSet::parse(set.to_string().into_bytes(), Origin::Fetched).unwrap();
        let skipped = set.skipped.iter().map(ToString::to_string).collect();
        let lines = of(PLACE, changed(&[], &[], skipped));
        let shown = format!(r#""evil\u202e\u2028{}...""#, "k".repeat(MAX_SHOWN_CHARS - 6));
        assert_eq!(
            lines[1].1,
            format!(
                "{PLACE}: keys not used: key 0 (kid {shown}) is not used: kty is \"x\\ufeff\", expected RSA, EC, OKP, AKP or \
                 oct key 1 (kid \"s\") is not used: kty is oct: a secret is never taken from a URL"
            )
        );
    }

    #[test]
    fn many_names_are_cut() {
        let many = vec!["k"; MAX_LOGGED_NAMES + 1];
        let [(_, line)] = &*of(PLACE, changed(&many, &[], vec![])) else { panic!("one line") };
        let all_but_last = "k ".repeat(MAX_LOGGED_NAMES - 1);
        assert!(line.contains(&format!("added [{all_but_last}k ...], removed []")), "{line}");
        let [(_, line)] = &*of(PLACE, changed(&many[1..], &[], vec![])) else { panic!("one line") };
        assert!(line.contains(&format!("added [{all_but_last}k], removed []")), "{line}");
    }

    proptest! {
        #[test]
        fn always_bounded_lines_of_printable_ascii(
            place in any::<String>(),
            kids in prop::collection::vec(any::<String>(), 0..40),
            skipped in prop::collection::vec(any::<String>(), 0..4),
        ) {
            let names: Vec<&str> = kids.iter().map(String::as_str).collect();
            for (_, line) in of(&place, changed(&names, &names, skipped)) {
                prop_assert!(line.bytes().all(|byte| matches!(byte, b' '..=b'~')), "{}", line);
            }
        }
    }
}
