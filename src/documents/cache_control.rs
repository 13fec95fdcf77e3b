//! How long an answer says it is fresh (RFC 9111 4.2.1 and 5.2.2).

use crate::core::unix_time::Seconds;
use crate::documents::limits::{MAX_LIFETIME, MIN_LIFETIME};

/// The freshness lifetime of `Cache-Control`, less `Age`, clamped to 60 s to 24 h. `None` if it has no lifetime.
pub fn lifetime(cache_control: &str, age: Seconds) -> Option<Seconds> {
    let mut max_age = None;
    for directive in cache_control.split(',') {
        let (name, value) = directive.split_once('=').unwrap_or((directive, ""));
        let name = name.trim();
        if name.eq_ignore_ascii_case("no-store") || name.eq_ignore_ascii_case("no-cache") {
            return Some(MIN_LIFETIME);
        }
        if name.eq_ignore_ascii_case("max-age") {
            let seconds = value.trim().trim_matches('"').parse().unwrap_or(0);
            // The shortest of several wins: the answer is not fresh for longer than any of them says.
            max_age = Some(max_age.map_or(seconds, |known: u64| known.min(seconds)));
        }
    }
    let remaining = max_age?.saturating_sub(age.0);
    Some(Seconds(remaining).clamp(MIN_LIFETIME, MAX_LIFETIME))
}

#[cfg(test)]
mod tests {
    use super::lifetime;
    use crate::core::unix_time::Seconds;

    #[test]
    fn clamped_between_a_minute_and_a_day() {
        for (header, age, expected) in [
            ("", 0, None),
            ("public", 0, None),
            ("max-age=300", 0, Some(300)),
            ("public, Max-Age = \"300\"", 0, Some(300)),
            ("max-age=300", 100, Some(200)),
            ("max-age=300", 900, Some(60)),
            ("max-age=1", 0, Some(60)),
            ("max-age=999999999", 0, Some(86_400)),
            ("max-age=99999999999999999999999", 0, Some(60)),
            ("max-age=600, max-age=300", 0, Some(300)),
            ("no-store", 0, Some(60)),
            ("max-age=900, no-cache", 0, Some(60)),
            ("s-maxage=900", 0, None),
        ] {
            assert_eq!(lifetime(header, Seconds(age)), expected.map(Seconds), "{header}");
        }
    }
}
